#!/usr/bin/env python3
"""Writes Sources/Tokenizer/ScalarClassBoundaries.swift: which Unicode scalars are letters, numbers and white space to
the regular expressions of the installed tiktoken."""

from pathlib import Path

import tiktoken

PATH = Path(__file__).resolve().parent.parent / "Sources/Tokenizer/ScalarClassBoundaries.swift"
BYTES = {bytes([byte]): byte for byte in range(256)}
SCALARS = [value for value in range(0x110000) if not 0xD800 <= value < 0xE000]


def members(pattern: str) -> set[int]:
    """The scalars that match: those whose text is split into any piece."""
    encoding = tiktoken.Encoding("class", pat_str=pattern, mergeable_ranks=BYTES, special_tokens={})
    return {value for value in SCALARS if encoding.encode_ordinary(chr(value))}


def main() -> None:
    classes = [members(pattern) for pattern in (r"\p{L}", r"\p{N}", r"\s")]
    boundaries, previous = [], 0
    for value in range(0x110000):
        found = next((index + 1 for index, group in enumerate(classes) if value in group), 0)
        if found != previous:
            boundaries.append(value << 2 | found)
            previous = found
    lines, line = [], "   "
    for word in (f" {boundary:#x}," for boundary in boundaries):
        if len(line + word) > 120:
            lines.append(line)
            line = "   "
        line += word
    PATH.write_text(
        "/// Where the class of scalars changes: the first scalar of a stretch, times 4, plus its ``ScalarClass``.\n"
        "///\n"
        f"/// Written by scripts/generate_scalar_classes.py with tiktoken {tiktoken.__version__}, whose Unicode is 17.\n"
        "let scalarClassBoundaries: [UInt32] = [\n" + "\n".join([*lines, line]) + "\n]\n"
    )
    print(f"{PATH}: {len(boundaries)} boundaries")


if __name__ == "__main__":
    main()
