#!/usr/bin/env python3
"""Compares models and logits with Hugging Face's transformers, both ways.

1. A random GPT2LMHeadModel is saved with save_pretrained, loaded by `generate`, and its logits compared.
2. A model that `train` made and exported is loaded with from_pretrained, and its logits compared.

The band is that of `verify`: against the float64 run the root mean square error must be at most twice that of PyTorch's
own float32 run, beyond a rounding of the numbers themselves. Nothing is downloaded. Exit codes: 0 all held, 1 something
did not, 2 it could not be tried, 3 a package is missing.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
try:
    import h5py
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel
    from transformers.utils import logging
except ImportError as error:
    print(f"check_transformers.py: {error.name} is missing; pip install -r scripts/requirements.txt", file=sys.stderr)
    sys.exit(3)

ROOT = Path(__file__).resolve().parent.parent
BINARIES = Path(os.environ.get("BINARIES", ROOT / ".build/debug"))
PROMPT = "Every tensor is compared, or named: ½ of a plumb line."
UNIT = 2.0**-24


def run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"check_transformers.py: {command[0]}: {done.stderr.strip()}", file=sys.stderr)
        sys.exit(2)


def judge(name: str, folder: Path, logits: Path) -> bool:
    """Compares the logits in the file with those of the model in the folder."""
    with h5py.File(logits) as file:
        tokens, ours = torch.from_numpy(file["tokens"][:]).long()[None], torch.from_numpy(file["logits"][:]).double()
    model = GPT2LMHeadModel.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.no_grad():
        single = model(tokens).logits[0].double()
        truth = model.double()(tokens).logits[0]
    if ours.shape != truth.shape:
        print(f"{name}: {tuple(ours.shape)} logits instead of {tuple(truth.shape)}")
        return False

    def error(values: torch.Tensor) -> float:
        return (values - truth).square().mean().sqrt().item()

    bound = 2 * error(single) + UNIT * truth.square().mean().sqrt().item()
    held = error(ours) <= bound
    print(f"{name}: {ours.numel():,} logits, error {error(ours):.2e}, PyTorch's float32 {error(single):.2e}, "
          f"bound {bound:.2e}: {'held' if held else 'NOT HELD'}")
    return held


def main() -> None:
    logging.disable_progress_bar()
    torch.manual_seed(1)
    held = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shapes = {"small": (3, 4, 60, 64), "wide": (2, 1, 257, 128), "deep": (8, 8, 64, 128)}
        for shape, (layers, heads, channels, positions) in shapes.items():
            config = GPT2Config(
                vocab_size=257, n_positions=positions, n_embd=channels, n_layer=layers, n_head=heads,
                bos_token_id=256, eos_token_id=256, initializer_range=0.2)
            model = GPT2LMHeadModel(config)
            for parameter in model.parameters():  # norms and biases too
                parameter.data += 0.02 * torch.randn_like(parameter)
            model.save_pretrained(folder / shape)
            run(BINARIES / "generate", "--checkpoint", folder / shape, "--prompt", PROMPT, "--logits", folder / "a.h5")
            held &= judge(f"theirs, {shape}", folder / shape, folder / "a.h5")

        run(BINARIES / "train", "--text", "README.md", "--steps", 30, "--batch", 4, "--checkpoint", folder / "run.h5",
            "--report", folder / "reports", "--export", folder / "ours")
        run(BINARIES / "generate", "--checkpoint", folder / "run.h5", "--prompt", PROMPT, "--logits", folder / "b.h5")
        held &= judge("ours, exported by train", folder / "ours", folder / "b.h5")

        run(BINARIES / "train", "--model", folder / "run.h5", "--text", "README.md", "--steps", 0, "--checkpoint",
            folder / "copy.h5", "--report", folder / "reports", "--export", folder / "llmc.bin")
        run(BINARIES / "generate", "--checkpoint", folder / "llmc.bin", "--prompt", PROMPT, "--logits", folder / "c.h5")
        held &= judge("ours, by way of llm.c's format", folder / "ours", folder / "c.h5")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
