#!/usr/bin/env python3
"""Writes the fixtures that `verify` judges by, with PyTorch.

  --text LICENSE                 all that is committed: kernel cases and tiny.h5
  --size 124M --text book.txt    fixtures/generated/124M.h5

The schema of the files is in fixtures/README.md.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import NoReturn

try:
    import torch

    from fixtures import cases, operations, states, text, weights
    from fixtures.model import CONFIGURATIONS, initial_parameters
except ModuleNotFoundError as error:
    print(f"generate_fixtures.py: {error}; run pip install -r scripts/requirements.txt", file=sys.stderr)
    sys.exit(2)

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    arguments = parse()
    torch.set_num_threads(1 if arguments.size == "tiny" else torch.get_num_threads())
    torch.use_deterministic_algorithms(True)
    try:
        state = None if arguments.only == "kernels" else prepare_state(arguments)
        if arguments.size == "tiny" and arguments.only != "tiny" and arguments.out is None:
            write_kernels(arguments.seed)
        if state:
            write_state(state, arguments)
    except (text.TextError, weights.WeightsError, OSError) as error:
        fail(str(error))


def fail(problem: str) -> NoReturn:
    """Says what is wrong, in one line, and exits with 2."""
    print(f"generate_fixtures.py: {problem}", file=sys.stderr)
    sys.exit(2)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.error = fail
    parser.add_argument("--size", choices=CONFIGURATIONS, default="tiny", help="the model of the debug state (tiny)")
    parser.add_argument(
        "--only", choices=["kernels", "tiny"], help="of the committed files, write the kernel cases or tiny.h5 alone")
    parser.add_argument("--text", type=Path, help="the text to take tokens from (the project's own)")
    parser.add_argument("--weights", type=Path, help="parameters of a Hugging Face model.safetensors (random)")
    parser.add_argument("--out", type=Path, help="where to write the debug state (fixtures/, named by its size)")
    parser.add_argument("--seed", type=int, default=1337, help="of all random numbers (1337)")
    parser.add_argument("--batch", type=int, help="B, the sequences of a step (2 for tiny, else 4)")
    parser.add_argument("--sequence", type=int, help="T, the tokens of a sequence (21 for tiny, else 64)")
    parser.add_argument("--steps", type=int, help="training steps (100 for tiny, else 10)")
    arguments = parser.parse_args()
    if arguments.only and (arguments.size != "tiny" or arguments.out):
        parser.error("--only is about the committed fixtures; leave out --size and --out")
    if not 0 <= arguments.seed < 2**63:
        parser.error(f"--seed must be from 0 to {2**63 - 1}")
    return arguments


def write_kernels(seed: int) -> None:
    for operation in operations.ALL:
        name = operation.__name__.rsplit(".", 1)[-1]
        path = ROOT / "fixtures" / "kernels" / f"{name}.h5"
        cases.write(operation, path, seed)
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} KiB")


def prepare_state(arguments: argparse.Namespace) -> states.State:
    """What the debug state is made from: parameters, and tokens of the text."""
    configuration = CONFIGURATIONS[arguments.size]
    tiny = arguments.size == "tiny"
    given = [arguments.batch, arguments.sequence, arguments.steps]
    defaults = [2, 21, 100] if tiny else [4, 64, 10]
    batch, sequence, steps = (default if number is None else number for number, default in zip(given, defaults))
    if min(batch, sequence, steps) < 1 or sequence > configuration.block_size:
        fail(f"--batch, --sequence and --steps must be positive, and --sequence at most {configuration.block_size}")
    if arguments.text:
        name, content = arguments.text.name, arguments.text.read_bytes()
    else:
        name, content = "README.md and Sources", text.project_text(ROOT)
    tokens = text.byte_tokens(content) if tiny else text.gpt2_tokens(content)
    inputs, targets = text.windows(tokens, steps, batch, sequence)
    parameters = (
        weights.load(arguments.weights, configuration) if arguments.weights
        else initial_parameters(configuration, arguments.seed)
    )
    # Of a long run, the first steps show a wrong update and the last what becomes of it.
    recorded = sorted({step for step in [*range(1, 11), 20, 50, steps] if step <= steps}) if tiny else [steps]
    return states.State(
        configuration, parameters, inputs, targets, name, content, "bytes" if tiny else "gpt2", recorded)


def write_state(state: states.State, arguments: argparse.Namespace) -> None:
    started = time.monotonic()
    tiny = arguments.size == "tiny"
    path = arguments.out or ROOT / "fixtures" / ("tiny.h5" if tiny else f"generated/{arguments.size}.h5")
    states.write(state, path, arguments.seed, level=9 if tiny else 1)
    seconds = time.monotonic() - started
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    print(f"{shown}: {path.stat().st_size / 1024**2:.1f} MiB in {seconds:.0f} s")


if __name__ == "__main__":
    main()
