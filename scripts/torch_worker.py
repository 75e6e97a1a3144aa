"""A worker of `bench` that times PyTorch: each operation by its nearest function, and a whole training step.

It speaks the protocol of Sources/Benchmarking/WorkerProtocol.swift on its standard input and output. What arguments hold
comes in a file, so that its results can be judged by the same truth as everybody's.

Where our operation adds to a gradient, so does this: in the function itself if PyTorch can (`addmm_`), else after it.
Results go to memory that is there already, wherever the function has an `out`.
"""

import argparse
import json
import math
import os
import re
import resource
import sys
import time
from typing import Callable

VERSION = 2
# OpenMP's threads go on spinning for a while after a call. They have to be asleep when another worker's turn comes.
SETTLING = 0.003
PROCESSORS = os.sched_getaffinity(0)
# Standard output is for answers alone: what anything else prints there goes to standard error.
ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def say(**answer) -> None:
    ANSWERS.write(json.dumps(answer) + "\n")
    ANSWERS.flush()


class Unsupported(Exception):
    """What PyTorch has no function for."""


class Call:
    """One operation, ready to run: `run` makes the call, `results` are what it wrote, in the order of the contract."""

    def __init__(self, task: dict):
        self.sizes, self.numbers = task["sizes"], task["hyperparameters"]
        self.arguments = {argument["name"]: argument for argument in task["arguments"]}
        self.content = numpy.memmap(task["file"], mode="r", dtype=numpy.uint8)
        self.accumulators: dict[str, torch.Tensor] = {}
        kernel = task["kernel"]
        name = f"{kernel['operation']}_{kernel['pass']}"
        build: Callable | None = getattr(self, name, None)
        if build is None:
            raise Unsupported(f"PyTorch has no function for {kernel['operation']} {kernel['pass']}")
        self.run, self.results = build()

    def size(self, names: str) -> list[int]:
        return [self.sizes[name] for name in names.split()]

    def read(self, name: str) -> "numpy.ndarray":
        """What the argument holds before the call."""
        argument = self.arguments[name]
        end = argument["offset"] + 4 * math.prod(argument["shape"])
        values = self.content[argument["offset"] : end].view(argument["element"])
        return values.reshape(argument["shape"])

    def tensor(self, *names: str):
        """Inputs of numbers, each a tensor."""
        tensors = [torch.from_numpy(self.read(name).copy()) for name in names]
        return tensors[0] if len(names) == 1 else tensors

    def tokens(self, name: str) -> "torch.Tensor":
        return torch.from_numpy(self.read(name).astype(numpy.int64))

    def accumulator(self, *names: str):
        """Results that are added to or changed in place, each a tensor."""
        for name in names:
            self.accumulators[name] = self.tensor(name)
        return self.accumulators[names[0]] if len(names) == 1 else [self.accumulators[name] for name in names]

    def reset(self) -> None:
        for name, tensor in self.accumulators.items():
            tensor.copy_(torch.from_numpy(self.read(name).copy()).view_as(tensor))

    # Each returns a function without arguments, and another that gives the results.

    def encoder_forward(self):
        B, T, C = self.size("B T C")
        inp, (wte, wpe), out = self.tokens("inp"), self.tensor("wte", "wpe"), torch.empty(B, T, C)
        return lambda: torch.add(functional.embedding(inp, wte), wpe[:T], out=out), lambda: [out]

    def encoder_backward(self):
        T, C = self.size("T C")
        dwte, dwpe = self.accumulator("dwte", "dwpe")
        dout, inp = self.tensor("dout"), self.tokens("inp").flatten()

        def run():
            dwte.index_add_(0, inp, dout.view(-1, C))
            dwpe[:T].add_(dout.sum(0))

        return run, lambda: [dwte, dwpe]

    def layernorm_forward(self):
        B, T, C = self.size("B T C")
        inp, weight, bias = self.tensor("inp", "weight", "bias")
        out, mean, rstd = torch.empty(B, T, C), torch.empty(B, T, 1), torch.empty(B, T, 1)
        norm = torch.ops.aten.native_layer_norm.out
        return lambda: norm(inp, [C], weight, bias, 1e-5, out0=out, out1=mean, out2=rstd), lambda: [out, mean, rstd]

    def layernorm_backward(self):
        (C,) = self.size("C")
        results = self.accumulator("dinp", "dweight", "dbias")
        dout, inp, weight = self.tensor("dout", "inp", "weight")
        mean, rstd = (statistic.unsqueeze(-1) for statistic in self.tensor("mean", "rstd"))
        bias, norm = torch.zeros(C), torch.ops.aten.native_layer_norm_backward

        def run():
            for result, gradient in zip(results, norm(dout, inp, [C], mean, rstd, weight, bias, [True] * 3)):
                result.add_(gradient)

        return run, lambda: results

    def matmul_forward(self):
        B, T, C, OC = self.size("B T C OC")
        inp, weight, out = self.tensor("inp").view(B * T, C), self.tensor("weight"), torch.empty(B * T, OC)
        if "bias" not in self.arguments:
            return lambda: torch.mm(inp, weight.t(), out=out), lambda: [out]
        bias = self.tensor("bias")
        return lambda: torch.addmm(bias, inp, weight.t(), out=out), lambda: [out]

    def matmul_backward(self):
        B, T, C, OC = self.size("B T C OC")
        dinp, dweight = self.accumulator("dinp").view(B * T, C), self.accumulator("dweight")
        results = [dinp, dweight]
        dout, inp, weight = self.tensor("dout").view(B * T, OC), self.tensor("inp").view(B * T, C), self.tensor("weight")
        if "dbias" in self.arguments:
            results.append(self.accumulator("dbias"))

        def run():
            dinp.addmm_(dout, weight)
            dweight.addmm_(dout.t(), inp)
            if len(results) == 3:
                results[2].add_(dout.sum(0))

        return run, lambda: results

    def heads(self, name: str):
        """Queries, keys and values, each (B, NH, T, hs), as views of one (B, T, 3C)."""
        B, T, C, NH = self.size("B T C NH")
        inp = self.accumulator(name) if self.arguments[name]["isResult"] else self.tensor(name)
        return [part.view(B, T, NH, C // NH).transpose(1, 2) for part in inp.split(C, -1)]

    def attention_forward(self):
        B, T, C, NH = self.size("B T C NH")
        q, k, v = self.heads("inp")
        out = torch.empty(B, T, C)
        above = torch.ones(T, T, dtype=torch.bool).triu(1)
        scale = 1 / math.sqrt(C // NH)
        state = {}

        def run():
            state["preatt"] = preatt = torch.matmul(q, k.transpose(-2, -1)).mul_(scale)
            state["att"] = att = torch.softmax(preatt.masked_fill(above, -math.inf), -1)
            out.view(B, T, NH, C // NH).copy_((att @ v).transpose(1, 2))

        return run, lambda: [out, state["preatt"], state["att"]]

    def attention_backward(self):
        B, T, C, NH = self.size("B T C NH")
        q, k, v = self.heads("inp")
        dq, dk, dv = self.heads("dinp")
        dinp, att, (dpreatt, datt) = self.accumulators["dinp"], self.tensor("att"), self.accumulator("dpreatt", "datt")
        dout = self.tensor("dout").view(B, T, NH, C // NH).transpose(1, 2)
        scale = 1 / math.sqrt(C // NH)
        softmax_backward = torch.ops.aten._softmax_backward_data

        def run():
            # Above the diagonal att is 0, and so is what the gradient of softmax makes of any datt there.
            datt.add_(dout @ v.transpose(-2, -1))
            dpreatt.add_(softmax_backward(datt, att, -1, torch.float32)).tril_()
            dq.add_(dpreatt @ k, alpha=scale)
            dk.add_(dpreatt.transpose(-2, -1) @ q, alpha=scale)
            dv.add_(att.transpose(-2, -1) @ dout)

        return run, lambda: [dinp, dpreatt, datt]

    def flash_attention_forward(self):
        q, k, v = self.heads("inp")
        results = {}

        def run():
            results["out"], results["lse"] = flash_attention(q, k, v, is_causal=True)

        return run, lambda: [results["out"].transpose(1, 2), results["lse"]]

    def flash_attention_backward(self):
        B, T, C, NH = self.size("B T C NH")
        q, k, v = self.heads("inp")
        parts = self.heads("dinp")
        dout, out = (part.view(B, T, NH, C // NH).transpose(1, 2) for part in self.tensor("dout", "out"))
        dinp, lse = self.accumulators["dinp"], self.tensor("lse")
        backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward

        def run():
            for part, gradient in zip(parts, backward(dout, q, k, v, out, lse, 0.0, True)):
                part.add_(gradient)

        return run, lambda: [dinp]

    def cached_attention_forward(self):
        B, T, S, P, C, NH = self.size("B T S P C NH")
        q, new_keys, new_values = self.heads("inp")
        keys, values = (
            cache.view(B, P, NH, C // NH).transpose(1, 2) for cache in self.accumulator("key_cache", "value_cache")
        )
        out = torch.empty(B, T, C)
        seen = torch.ones(T, S + T, dtype=torch.bool).tril(S)

        def run():
            keys[:, :, S : S + T], values[:, :, S : S + T] = new_keys, new_values
            attended = functional.scaled_dot_product_attention(q, keys[:, :, : S + T], values[:, :, : S + T], seen)
            out.view(B, T, NH, C // NH).copy_(attended.transpose(1, 2))

        return run, lambda: [out, *(self.accumulators[name] for name in ("key_cache", "value_cache"))]

    def classifier_forward(self):
        B, T, V, Vp = self.size("B T V Vp")
        logits, targets = self.tensor("logits").view(B * T, Vp), self.tokens("targets").flatten()
        results = {}

        def run():
            results["losses"] = functional.cross_entropy(logits[:, :V], targets, reduction="none")

        def written():
            return [results["losses"], results["losses"] + logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)]

        return run, written

    def classifier_backward(self):
        B, T, V, Vp = self.size("B T V Vp")
        logits, targets = self.tensor("logits").view(B * T, Vp), self.tokens("targets").view(B * T, 1)
        dlosses, lse = (row.view(B * T, 1) for row in self.tensor("dlosses", "lse"))
        dlogits, ones = torch.zeros(B * T, Vp), torch.full((B * T, 1), -1.0)

        def run():
            probs = torch.sub(logits[:, :V], lse, out=dlogits[:, :V]).exp_()
            probs.scatter_add_(-1, targets, ones).mul_(dlosses)

        return run, lambda: [dlogits]

    def gelu_forward(self):
        inp, out = self.tensor("inp"), torch.empty(self.size("N"))
        return lambda: torch.ops.aten.gelu.out(inp, approximate="tanh", out=out), lambda: [out]

    def gelu_backward(self):
        dinp, (inp, dout) = self.accumulator("dinp"), self.tensor("inp", "dout")
        backward = torch.ops.aten.gelu_backward
        return lambda: dinp.add_(backward(dout, inp, approximate="tanh")), lambda: [dinp]

    def residual_forward(self):
        (inp1, inp2), out = self.tensor("inp1", "inp2"), torch.empty(self.size("N"))
        return lambda: torch.add(inp1, inp2, out=out), lambda: [out]

    def residual_backward(self):
        (dinp1, dinp2), dout = self.accumulator("dinp1", "dinp2"), self.tensor("dout")

        def run():
            dinp1.add_(dout)
            dinp2.add_(dout)

        return run, lambda: [dinp1, dinp2]

    def softmax_forward(self):
        B, T, V, Vp = self.size("B T V Vp")
        logits, probs = self.tensor("logits"), torch.zeros(B, T, Vp)
        return lambda: probs[..., :V].copy_(logits[..., :V].softmax(-1)), lambda: [probs]

    def crossentropy_forward(self):
        B, T = self.size("B T")
        probs, targets, losses = self.tensor("probs"), self.tokens("targets").unsqueeze(-1), torch.empty(B, T, 1)

        def run():
            torch.gather(probs, -1, targets, out=losses).log_().neg_()

        return run, lambda: [losses]

    def crossentropy_softmax_backward(self):
        B, T, V, Vp = self.size("B T V Vp")
        dlogits, dlosses = self.accumulator("dlogits"), self.tensor("dlosses").unsqueeze(-1)
        probs, targets = self.tensor("probs"), self.tokens("targets").unsqueeze(-1)
        ones = torch.full((B, T, 1), -1.0)

        def run():
            excess = probs.scatter_add(-1, targets, ones).mul_(dlosses)
            dlogits[..., :V].add_(excess[..., :V])

        return run, lambda: [dlogits]

    def adamw_update(self):
        params, m, v = self.accumulator("params", "m", "v")
        param = torch.nn.Parameter(params)
        param.grad = self.tensor("grads")
        # Each exactly the float32 that every contestant has.
        names = ("learning_rate", "beta1", "beta2", "eps", "weight_decay")
        lr, beta1, beta2, eps, decay = (float(numpy.float32(self.numbers[name])) for name in names)
        adamw = torch.optim.AdamW([param], lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=decay, fused=True)
        step = torch.tensor(0.0)
        adamw.state[param] = {"step": step, "exp_avg": m, "exp_avg_sq": v}
        t = float(self.sizes["t"])

        def run():
            step.fill_(t - 1)
            adamw.step()

        return run, lambda: [params, m, v]


def gpt2(task: dict):
    """GPT-2 as a PyTorch module, with the fused attention that PyTorch has."""
    nn = torch.nn
    layers, heads, C = task["layers"], task["heads"], task["channels"]

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln_1, self.ln_2 = nn.LayerNorm(C), nn.LayerNorm(C)
            self.c_attn, self.attn_proj = nn.Linear(C, 3 * C), nn.Linear(C, C)
            self.c_fc, self.mlp_proj = nn.Linear(C, 4 * C), nn.Linear(4 * C, C)

        def forward(self, x):
            B, T, _ = x.shape
            parts = self.c_attn(self.ln_1(x)).split(C, -1)
            q, k, v = (part.view(B, T, heads, C // heads).transpose(1, 2) for part in parts)
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.attn_proj(y.transpose(1, 2).reshape(B, T, C))
            return x + self.mlp_proj(functional.gelu(self.c_fc(self.ln_2(x)), approximate="tanh"))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.wte = nn.Embedding(task["paddedVocabulary"], C)
            self.wpe = nn.Embedding(task["blockSize"], C)
            self.h = nn.ModuleList([Layer() for _ in range(layers)])
            self.ln_f = nn.LayerNorm(C)
            for parameter in self.parameters():
                if parameter.dim() == 2:
                    nn.init.normal_(parameter, std=0.02)

        def forward(self, tokens, targets):
            x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1]))
            for layer in self.h:
                x = layer(x)
            logits = functional.linear(self.ln_f(x), self.wte.weight)
            return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())

    return Model()


class Step:
    """A training step: forward, backward, and AdamW, fused: PyTorch's fastest, which its default is not."""

    def __init__(self, task: dict, compiled: bool):
        torch.manual_seed(1)
        self.model = gpt2(task)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3, fused=True)
        tokens = torch.tensor(task["tokens"])
        self.tokens = tokens[:-1].view(task["batch"], -1)
        self.targets = tokens[1:].view(task["batch"], -1)
        self.forward = torch.compile(self.model) if compiled else self.model
        if compiled:
            # Compiles now, and shows now whether it can.
            self.forward(self.tokens, self.targets).backward()

    def __call__(self) -> dict:
        start = time.perf_counter()
        loss = self.forward(self.tokens, self.targets)
        forward = time.perf_counter()
        self.optimizer.zero_grad()
        loss.backward()
        backward = time.perf_counter()
        self.optimizer.step()
        end = time.perf_counter()
        return {"forward": forward - start, "backward": backward - forward, "update": end - backward, "kernels": {}}


def title(compiled: bool) -> str:
    """The release, what it was built with for products, and the vector instructions that it has chosen."""
    built = torch.__config__.show()
    libraries = [
        f"{name} {found[1]}"
        for name, pattern in (("MKL", r"Math Kernel Library Version ([\d.]+)"), ("oneDNN", r"MKL-DNN v([\d.]+)"))
        if (found := re.search(pattern, built))
    ]
    release = f"PyTorch {torch.__version__.split('+')[0]}{' compiled' if compiled else ''}"
    return ", ".join([release, *libraries, torch.backends.cpu.get_cpu_capability()])


def serve(compiled: bool) -> None:
    say(hello={"version": VERSION, "name": title(compiled)})
    call: Call | None = None
    step: Step | None = None
    for line in sys.stdin:
        ((request, values),) = json.loads(line).items()
        match request:
            case "prepare" | "prepareStep":
                task = values["task"]
                call = step = None
                torch.set_num_threads(task["threads"])
                # As Sources/Platform/Affinity.swift does.
                os.sched_setaffinity(0, {max(PROCESSORS)} if task["threads"] == 1 else PROCESSORS)
                try:
                    if request == "prepareStep":
                        step = Step(task, compiled)
                    elif compiled:
                        raise Unsupported("compiled for whole steps only")
                    else:
                        call = Call(task)
                    say(ready={"implementation": "PyTorch"})
                except Unsupported as error:
                    say(unsupported={"reason": str(error)})
                except Exception as error:
                    if not compiled:
                        raise
                    say(unsupported={"reason": f"torch.compile failed: {str(error).splitlines()[0]}"})
            case "time":
                calls, run = values["calls"], call.run
                with torch.inference_mode(False), torch.no_grad():
                    if calls > 1:
                        run()
                    start = time.perf_counter()
                    for _ in range(calls):
                        run()
                    elapsed = time.perf_counter() - start
                time.sleep(SETTLING)
                say(timed={"seconds": elapsed / calls})
            case "write":
                call.reset()
                with torch.no_grad():
                    call.run()
                with open(values["path"], "wb") as file:
                    for result in call.results():
                        file.write(result.detach().contiguous().numpy().tobytes())
                say(done={})
            case "step":
                times = step()
                time.sleep(SETTLING)
                say(stepped=times)
            case "memory":
                say(memory={"bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})


parser = argparse.ArgumentParser(description="Times PyTorch for bench; not to be started by hand.")
parser.add_argument("--compile", action="store_true", help="time whole steps by torch.compile")
arguments = parser.parse_args()
try:
    import numpy
    import torch
    from torch.nn import functional

    flash_attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
except ImportError as error:
    sys.exit(f"{sys.executable} cannot import what it needs: {error}")
try:
    serve(arguments.compile)
except (BrokenPipeError, ConnectionResetError):
    # The conductor has gone, and what is left to say with it.
    os._exit(0)
