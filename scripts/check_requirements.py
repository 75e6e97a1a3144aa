#!/usr/bin/env python3
"""Says what this Python lacks of a requirements file. Exit codes: 0 nothing, 3 something."""

import platform
import sys
from importlib import metadata
from pathlib import Path

MARKERS = {"platform_machine": platform.machine(), "sys_platform": sys.platform}


def applies(marker: str) -> bool:
    """Whether a requirement is for this machine, by a marker of equalities: platform_machine == "x86_64" and …"""
    equalities = (part.split("==") for part in marker.split(" and ") if part.strip())
    return all(MARKERS[name.strip()] == value.strip().strip('"') for name, value in equalities)


missing = []
for line in Path(sys.argv[1]).read_text().splitlines():
    requirement, _, marker = line.partition("#")[0].strip().partition(";")
    name, _, version = requirement.strip().partition("==")
    if not name or not applies(marker):
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
