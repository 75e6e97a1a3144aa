#!/usr/bin/env python3
"""Ends commands by signals at random moments, and looks at what they leave.

Each run has folders of its own. After it no process of it may live, nothing may lie in its TMPDIR, no half a file in its
report, and a training run that is resumed must end with the bits of one that nobody disturbed. Runs two at once into one
checkpoint and into one report as well: nothing may be lost.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRAINING = (
    "train --text README.md --model tiny --batch 2 --sequence 16 --steps 100 --save-every 1 --sample-every 0 "
    "--validate-every 25 --threads 1"
)
COMMANDS = {
    "verify": "verify",
    "selftest": "verify selftest --variants 64",
    "gradcheck": "verify gradcheck",
    "bench": "bench --only gelu,layernorm --shapes tiny:2x8 --budget 0.02",
    "train": f"{TRAINING} --checkpoint CHECKPOINT",
    "gate": "bench gate --base HEAD~1 --only gelu --shapes tiny:2x8",
}
MARK = "PLUMBLINE_CHECK_SIGNALS"


class Broken(Exception):
    """Something that a command must not leave, or do."""


class Place:
    """The folders of one run."""

    def __init__(self, binaries: Path, scratch: Path):
        self.binaries = binaries
        self.folder = Path(tempfile.mkdtemp(dir=scratch))
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        self.report = self.folder / "report"
        self.checkpoint = self.folder / "run.h5"
        self.mark = self.folder.name

    def start(self, command: str, root: Path = ROOT) -> subprocess.Popen:
        """Starts a command, with what it prints in the file `output`."""
        words = command.replace("CHECKPOINT", str(self.checkpoint)).split()
        words[0] = str(self.binaries / words[0])
        environment = os.environ | {"TMPDIR": str(self.temporary), MARK: self.mark}
        with open(self.folder / "output", "ab") as output:
            return subprocess.Popen(
                [*words, "--report", str(self.report)], cwd=root, env=environment, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output)

    def run(self, command: str, root: Path = ROOT) -> int:
        return self.start(command, root).wait()

    def require_clean(self) -> None:
        """Raises where a process lives on, or a file is left or torn."""
        deadline = time.monotonic() + 5
        while living := self.living():
            if time.monotonic() > deadline:
                raise Broken(f"these live on: {living}")
            time.sleep(0.02)
        if left := sorted(path.name for path in self.temporary.rglob("*")):
            raise Broken(f"left in TMPDIR: {left}")
        for path in self.report.rglob("*"):
            if path.suffix == ".json":
                json.loads(path.read_text())
            elif path.name.startswith("."):
                raise Broken(f"left in the report: {path.name}")

    def living(self) -> list[str]:
        found = []
        for process in Path("/proc").iterdir():
            if not process.name.isdigit():
                continue
            try:
                if f"{MARK}={self.mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                    found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                pass
        return found

    def output(self) -> str:
        return (self.folder / "output").read_text(errors="replace")

    def leave(self) -> None:
        shutil.rmtree(self.folder)


def strike(name: str, number: int, seconds: float, place: Place, root: Path, whole: Path | None) -> bool:
    """Starts a command and sends it the signal at a random moment; False where it had come to its end before."""
    process = place.start(COMMANDS[name], root)
    time.sleep(random.uniform(0, seconds))
    process.send_signal(number)
    try:
        code = process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Broken("it did not end within 30 seconds") from None
    if code not in (-number, 128 + number):
        if code in (0, 1):
            return False
        raise Broken(f"it ended with {code}")
    place.require_clean()
    if whole:
        # Before the first save there is nothing to go on from.
        again = "train --resume CHECKPOINT" if place.checkpoint.exists() else COMMANDS[name]
        if place.run(again) != 0:
            raise Broken("it could not be resumed")
        if place.checkpoint.read_bytes() != whole.read_bytes():
            raise Broken("resumed, it ended with other bits")
        if left := [path.name for path in place.folder.iterdir() if path.name.startswith(".")]:
            raise Broken(f"left beside the checkpoint: {left}")
    return True


def strike_all(name: str, counts: dict[int, int], binaries: Path, scratch: Path) -> None:
    """Ends a command by each signal so many times."""
    root = ROOT
    if name == "gate":
        # Its builds lie in the checkout that it runs in.
        root = scratch / "checkout"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(root)], check=True)
    place = Place(binaries, scratch)
    started = time.monotonic()
    if place.run(COMMANDS[name], root) not in (0, 1):
        raise Broken(f"it cannot be run:\n{place.output()}")
    seconds = time.monotonic() - started
    if name == "gate":
        # The first run builds, the next does not.
        started = time.monotonic()
        place.run(COMMANDS[name], root)
        seconds = time.monotonic() - started
    whole = place.checkpoint if name == "train" else None
    for number, count in counts.items():
        struck = 0
        while struck < count:
            other = Place(binaries, scratch)
            try:
                struck += strike(name, number, seconds, other, root, whole)
            except Broken as problem:
                raise Broken(f"{signal.Signals(number).name} {struck + 1}: {problem}\n{other.output()}") from None
            other.leave()
    if whole:
        place.require_clean()


def pairs(count: int, binaries: Path, scratch: Path) -> None:
    """Runs two at once on one checkpoint, and on one report."""
    for _ in range(count):
        place = Place(binaries, scratch)
        command = f"{TRAINING} --checkpoint CHECKPOINT"
        both = [place.start(command), place.start(command)]
        codes = sorted(process.wait() for process in both)
        if codes != [0, 2] and codes != [0, 0] or place.run("train --resume CHECKPOINT") != 0:
            raise Broken(f"two runs on one checkpoint: {codes}\n{place.output()}")
        if codes == [0, 2] and "run.h5" not in place.output():
            raise Broken(f"the second was not refused by name:\n{place.output()}")
        place.leave()
        place = Place(binaries, scratch)
        both = [place.start("verify gradcheck --only gelu"), place.start("verify gradcheck --only gelu")]
        codes = [process.wait() for process in both]
        if codes != [0, 0]:
            raise Broken(f"two runs into one report: {codes}\n{place.output()}")
        place.require_clean()
        place.leave()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[*COMMANDS, "pairs"], help="these alone; gate builds twice")
    parser.add_argument("--kills", type=int, default=34, help="SIGKILLs for each command (34)")
    parser.add_argument("--others", type=int, default=9, help="of SIGINT, SIGTERM, SIGHUP and SIGQUIT each (9)")
    parser.add_argument("--pairs", type=int, default=20, help="pairs of runs at once (20)")
    parser.add_argument("--binaries", type=Path, default=ROOT / ".build/debug", help="where they are (.build/debug)")
    arguments = parser.parse_args()
    if not (arguments.binaries / "verify").exists():
        sys.exit(f"check_signals.py: {arguments.binaries} has no verify; run swift build first")
    counts = {signal.SIGKILL: arguments.kills}
    counts |= {number: arguments.others for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)}
    with tempfile.TemporaryDirectory() as scratch:
        for name in arguments.only or [*COMMANDS, "pairs"]:
            started = time.monotonic()
            try:
                if name == "pairs":
                    pairs(arguments.pairs, arguments.binaries.resolve(), Path(scratch))
                else:
                    strike_all(name, counts, arguments.binaries.resolve(), Path(scratch))
            except Broken as problem:
                sys.exit(f"check_signals.py: {name}: {problem}")
            what = f"{arguments.pairs} pairs" if name == "pairs" else f"{sum(counts.values())} signals"
            print(f"{name}: {what}, nothing lost and nothing left ({time.monotonic() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
