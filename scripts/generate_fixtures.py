#!/usr/bin/env python3
"""Writes the fixtures that `verify` judges by, with PyTorch. Their schema is in fixtures/README.md.

  generate_fixtures.py --text LICENSE                 all that is committed: kernel cases and tiny.h5
  generate_fixtures.py --size 124M --text book.txt    fixtures/generated/124M.h5

For each result it prints PyTorch's own worst error as a fraction of its bound, and the least of the factors by which the
bound rejects a wrong answer. It stops where PyTorch's answer lies outside its bound or wrong answers inside.
"""

import argparse
import sys
import time
from pathlib import Path

import torch

from fixtures import kernel_cases, operations, states, text, weights
from fixtures.model import CONFIGURATIONS, initial_parameters

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    arguments = parse()
    torch.set_num_threads(1 if arguments.size == "tiny" else torch.get_num_threads())
    torch.use_deterministic_algorithms(True)
    try:
        if arguments.size == "tiny" and arguments.only != "tiny" and arguments.out is None:
            write_kernels(arguments.seed)
        if arguments.only != "kernels":
            write_state(arguments)
    except (text.TextError, weights.WeightsError, OSError) as error:
        print(f"generate_fixtures.py: {error}", file=sys.stderr)
        sys.exit(2)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=CONFIGURATIONS, default="tiny", help="the model of the debug state")
    parser.add_argument("--only", choices=["kernels", "tiny"], help="write only these of the committed fixtures")
    parser.add_argument("--text", type=Path, help="the text to take tokens from (the project's own)")
    parser.add_argument("--weights", type=Path, help="parameters of a Hugging Face model.safetensors (random)")
    parser.add_argument("--out", type=Path, help="where to write the debug state")
    parser.add_argument("--seed", type=int, default=1337, help="of all random numbers (1337)")
    parser.add_argument("--batch", type=int, help="B (2 for tiny, else 4)")
    parser.add_argument("--sequence", type=int, help="T (21 for tiny, else 64)")
    parser.add_argument("--steps", type=int, default=10, help="training steps (10)")
    return parser.parse_args()


def write_kernels(seed: int) -> None:
    for operation in operations.ALL:
        name = operation.__name__.rsplit(".", 1)[-1]
        path = ROOT / "fixtures" / "kernels" / f"{name}.h5"
        summaries = kernel_cases.write(operation, path, seed)
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} KiB")
        print(f"  {'':34} PyTorch's worst  least power against a wrong answer")
        for label, summary in summaries.items():
            power, mutation = summary.tally.least
            print(f"  {label:34} {summary.worst:15.3f}  {power:.3g} ({mutation})")
            if summary.weak:
                print(f"    weak: {'; '.join(summary.weak)}")


def write_state(arguments: argparse.Namespace) -> None:
    started = time.monotonic()
    configuration = CONFIGURATIONS[arguments.size]
    tiny = arguments.size == "tiny"
    batch, sequence = arguments.batch or (2 if tiny else 4), arguments.sequence or (21 if tiny else 64)
    if min(batch, sequence, arguments.steps) < 1 or sequence > configuration.block_size:
        raise text.TextError(f"--batch, --sequence and --steps must be positive, --sequence at most {configuration.block_size}")
    path = arguments.out or ROOT / "fixtures" / ("tiny.h5" if tiny else f"generated/{arguments.size}.h5")
    name, content = (
        (arguments.text.name, arguments.text.read_bytes()) if arguments.text else ("README.md and Sources", text.project_text(ROOT))
    )
    tokens = text.byte_tokens(content) if tiny else text.gpt2_tokens(content)
    inputs, targets = text.windows(tokens, arguments.steps, batch, sequence)
    parameters = (
        weights.load(arguments.weights, configuration) if arguments.weights
        else initial_parameters(configuration, arguments.seed)
    )
    recorded = list(range(1, arguments.steps + 1)) if tiny else [arguments.steps]
    state = states.State(
        configuration, parameters, inputs, targets, name, content, "bytes" if tiny else "gpt2", recorded)
    power, tensor = states.write(state, path, arguments.seed, level=9 if tiny else 1)
    seconds = time.monotonic() - started
    print(f"{path}: {path.stat().st_size / 1024**2:.1f} MiB in {seconds:.0f} s")
    print(f"  least power against a wrong answer: {power:.3g}, {tensor}")


if __name__ == "__main__":
    main()
