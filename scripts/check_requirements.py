#!/usr/bin/env python3
"""Says what this Python lacks of a requirements file. Exit codes: 0 nothing, 3 something."""

import sys
from importlib import metadata
from pathlib import Path

missing = []
for line in Path(sys.argv[1]).read_text().splitlines():
    name, _, version = line.partition("#")[0].strip().partition("==")
    if not name:
        continue
    try:
        # A build for one kind of machine, such as 2.15.0+cpu, is that version too.
        found = metadata.version(name).split("+")[0]
    except metadata.PackageNotFoundError:
        found = "none"
    if found != version:
        missing.append(f"{name} {version} (it has {found})")
if missing:
    print(f"{sys.executable} lacks {', '.join(missing)}", file=sys.stderr)
    sys.exit(3)
