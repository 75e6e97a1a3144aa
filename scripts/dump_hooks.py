#!/usr/bin/env python3
"""Writes the activations and gradients of any PyTorch GPT-2 for `verify compare`.

In a training script of your own (transformers' or nanoGPT's names), three lines:

    from dump_hooks import Dump
    with Dump(model, "candidate.h5"):
        loss_of(model).backward()

As a program it shows the same on transformers' GPT2LMHeadModel, with the
parameters and tokens of a debug state:

    dump_hooks.py fixtures/tiny.h5 --out candidate.h5
    verify compare fixtures/tiny.h5 candidate.h5

The loss is the mean over all positions of the cross entropy with the state's
targets; `labels=` of transformers shifts them and is another loss.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from types import TracebackType
from typing import NoReturn

try:
    import h5py
    import numpy
    import torch
except ImportError as error:
    print(f"dump_hooks.py: {error.name} is missing; pip install -r scripts/requirements.txt", file=sys.stderr)
    sys.exit(3)

INPUTS = {"ln_1": None, "ln_2": "residual2", "attn.c_proj": "atty", "mlp.c_proj": "fch_gelu"}
"""What the modules of a block are given. What enters ln_1 has its name from the block before."""

OUTPUTS = {
    "ln_1": "ln1", "attn.c_attn": "qkv", "attn.c_proj": "attproj", "ln_2": "ln2", "mlp.c_fc": "fch",
    "mlp.c_proj": "fcproj",
}
"""What they give."""

INSIDE = ["ln1_mean", "ln1_rstd", "preatt", "att", "ln2_mean", "ln2_rstd"]
"""What no module of a block takes or gives: it lies inside a fused kernel, or between modules."""

LAST_INSIDE = ["lnf_mean", "lnf_rstd", "probs", "losses"]

WITH_GRADIENT = ["preatt", "att", "losses"]
"""Those of them that have a gradient in a debug state."""


class Dump:
    """Records one forward and one backward pass of `model`, and writes them to `path` on leaving.

    The gradients of parameters must be none or zero before. What is recorded is what modules take and give; the names
    of the rest stand in the file's attribute `not_materialised`.
    """

    def __init__(self, model: torch.nn.Module, path: str | Path):
        self.path = Path(path)
        self.modules = {self.key(name): module for name, module in model.named_modules()}
        self.parameters = {self.key(name): parameter for name, parameter in model.named_parameters()}
        self.transposed = {  # transformers' Conv1D holds its weight as (in, out)
            f"{name}.weight" for name, module in self.modules.items() if type(module).__name__ == "Conv1D"}
        self.blocks = len({match[1] for name in self.modules if (match := re.fullmatch(r"transformer\.h\.(\d+)", name))})
        self.kept: dict[str, torch.Tensor] = {}
        self.handles: list = []
        needed = ["transformer.ln_f", "lm_head"] + [
            f"transformer.h.{block}.{name}" for block in range(self.blocks) for name in {**INPUTS, **OUTPUTS}]
        missing = [name for name in needed if name not in self.modules]
        if missing or not self.blocks:
            raise ValueError(f"the model has no module {(missing or ['transformer.h.0'])[0]}: it is named neither as "
                             "transformers' GPT2LMHeadModel nor as nanoGPT")

    @staticmethod
    def key(name: str) -> str:
        """A name without what torch.compile and DistributedDataParallel put before it."""
        return name.replace("_orig_mod.", "").removeprefix("module.")

    def __enter__(self) -> "Dump":
        if any(p.grad is not None and bool(p.grad.any()) for p in self.parameters.values()):
            raise ValueError("there are gradients of an earlier pass; call zero_grad() before")
        for block in range(self.blocks):
            h = f"h.{block}."
            entering = "encoded" if block == 0 else f"h.{block - 1}.residual3"
            for module, name in INPUTS.items():
                self.hook_input(f"transformer.{h}{module}", h + name if name else entering)
            for module, name in OUTPUTS.items():
                self.hook_output(f"transformer.{h}{module}", h + name)
        self.hook_input("transformer.ln_f", f"h.{self.blocks - 1}.residual3")
        self.hook_output("transformer.ln_f", "lnf")
        self.hook_output("lm_head", "logits")
        return self

    def hook_input(self, module: str, name: str) -> None:
        self.handles.append(self.modules[module].register_forward_pre_hook(lambda _, x: self.keep(name, x[0])))

    def hook_output(self, module: str, name: str) -> None:
        self.handles.append(self.modules[module].register_forward_hook(lambda _, __, out: self.keep(name, out)))

    def keep(self, name: str, value: torch.Tensor) -> None:
        if name in self.kept:
            raise RuntimeError(f"{name} is computed twice: record one forward pass, without gradient checkpointing")
        if value.requires_grad:
            value.retain_grad()
        self.kept[name] = value

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for handle in self.handles:
            handle.remove()
        if error is None:
            self.write()

    def tensors(self) -> dict[str, torch.Tensor]:
        """Every tensor recorded, by its path in the file."""
        tensors = {}
        for name, value in self.kept.items():
            tensors[f"activations/{name}"] = value
            *block, last = name.split(".")
            tensors[f"gradients/{'.'.join([*block, 'd' + last])}"] = value.grad
        for name, parameter in self.parameters.items():
            gradient = parameter.grad
            transposed = gradient is not None and name in self.transposed
            tensors[f"gradients/d{name}"] = gradient.T if transposed else gradient
        for path, value in tensors.items():
            if value is None:
                raise RuntimeError(f"{path} was not computed: run backward() inside the block, with gradients on")
        return tensors

    def not_materialised(self) -> list[str]:
        """The paths of a debug state's tensors that hooks cannot see."""
        names = [f"h.{block}.{name}" for block in range(self.blocks) for name in INSIDE] + LAST_INSIDE
        paths = [f"activations/{name}" for name in names]
        for name in names:
            *block, last = name.split(".")
            if last in WITH_GRADIENT:
                paths.append(f"gradients/{'.'.join([*block, 'd' + last])}")
        return paths

    def write(self) -> None:
        """Writes the file under a temporary name, and renames it."""
        if not self.kept:
            raise RuntimeError("no forward pass was made inside the block")
        partial = self.path.with_name(self.path.name + ".partial")
        listing = json.dumps(self.not_materialised()).encode()
        with h5py.File(partial, "w") as file:
            file.attrs.create(
                "not_materialised", numpy.array(listing, dtype=h5py.string_dtype("utf-8", len(listing))))
            for path, value in self.tensors().items():
                file.create_dataset(path, data=value.detach().to("cpu", torch.float32).contiguous().numpy())
        os.replace(partial, self.path)


def fail(problem: str) -> NoReturn:
    """Says what is wrong, in one line, and exits with 2."""
    print(f"dump_hooks.py: {problem}", file=sys.stderr)
    sys.exit(2)


def transformers_model(state: h5py.File, attention: str, dropout: float) -> torch.nn.Module:
    """transformers' GPT-2 with the parameters of a debug state."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from transformers import GPT2Config, GPT2LMHeadModel
    except ImportError as error:
        print(f"dump_hooks.py: {error.name} is missing; pip install -r scripts/requirements.txt", file=sys.stderr)
        sys.exit(3)
    sizes = state.attrs
    config = GPT2Config(
        vocab_size=int(sizes["vocab_size"]), n_positions=int(sizes["block_size"]), n_embd=int(sizes["n_embd"]),
        n_layer=int(sizes["n_layer"]), n_head=int(sizes["n_head"]), resid_pdrop=0.0, embd_pdrop=0.0,
        attn_pdrop=dropout, bos_token_id=0, eos_token_id=0, use_cache=False, attn_implementation=attention)
    model = GPT2LMHeadModel(config)
    linear = {f"{name}.weight" for name, module in model.named_modules() if type(module).__name__ == "Conv1D"}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            value = torch.from_numpy(state[f"parameters/{name}"][:])
            parameter.copy_(value.T if name in linear else value[: parameter.shape[0]])
    return model.train()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.error = fail
    parser.add_argument("reference", type=Path, help="a debug state, such as fixtures/tiny.h5")
    parser.add_argument("--out", type=Path, default=Path("candidate.h5"), help="what to write (candidate.h5)")
    parser.add_argument("--attention", choices=["eager", "sdpa"], default="eager", help="of transformers (eager)")
    parser.add_argument("--attn-pdrop", type=float, default=0.0, help="attention's dropout, left on (0)")
    parser.add_argument("--seed", type=int, default=1, help="of the dropout (1)")
    arguments = parser.parse_args()
    if not 0 <= arguments.attn_pdrop < 1:
        fail("--attn-pdrop must be from 0 to 1")
    torch.manual_seed(arguments.seed)
    try:
        with h5py.File(arguments.reference) as state:
            if "parameters" not in state:
                fail(f"{arguments.reference}: it has no parameters; give a debug state, such as fixtures/tiny.h5")
            model = transformers_model(state, arguments.attention, arguments.attn_pdrop)
            inputs, targets = (torch.from_numpy(state[name][0]).long() for name in ("inputs", "targets"))
        with Dump(model, arguments.out):
            logits = model(inputs).logits
            torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten()).backward()
    except (OSError, KeyError) as error:
        fail(f"{error}; is {arguments.reference} a debug state, and can {arguments.out} be written?")
    print(f"{arguments.out}: one pass of transformers' GPT-2 ({arguments.attention}), for verify compare")


if __name__ == "__main__":
    main()
