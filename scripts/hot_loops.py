"""Finds code that takes vectors lane by lane in the innermost loops of object files; see check_vector_code.sh.

    python3 scripts/hot_loops.py x86_64|aarch64 FILE.o...

Exit codes: 0 none, 1 some, each named with its instruction.
"""

import re
import subprocess
import sys
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Architecture:
    """What the instructions of a CPU are, as objdump writes them."""

    jump: str  # with the address that it goes to
    leaves: str  # nothing follows: a return, or a jump without condition
    call: str
    packed: str  # arithmetic on all lanes of a vector of the widest kind
    single: str  # one lane put in or taken out, or arithmetic on one

    def matches(self, kind: str, text: str) -> bool:
        return re.match(getattr(self, kind), text) is not None


ARITHMETIC = r"(?:add|sub|mul|div|sqrt|min|max|fn?m(?:add|sub)\d{3}|round|rndscale|rcp|rsqrt|scalef|cmp\w*)"
ARCHITECTURES = {
    "x86_64": Architecture(
        jump=r"j\w+\s+([0-9a-f]+)\b",
        leaves=r"(?:jmp|ret|ud2)",
        call=r"call",
        packed=rf"v{ARITHMETIC}p[sd]\s.*%[yz]mm",
        single=rf"v?(?:pinsr[bwdq]|pextr[bwdq]|insertps|extractps|u?comis[sd])\b|v{ARITHMETIC}s[sd]\s|vcvt\w*s[sdi]2?",
    ),
    "aarch64": Architecture(
        jump=r"(?:b|b\.\w+|cbn?z|tbn?z)\s.*?\b([0-9a-f]+) <",
        leaves=r"(?:b|br|ret|udf)\s*(?:[0-9a-fx]|$)",
        call=r"blr?\s",
        packed=r"f\w+\s+v\d+\.4s",
        single=r"(?:ins|umov|smov|mov)\s.*\.[sd]\[\d\]|f(?:n?madd|n?msub|add|sub|mul|div|sqrt|cmp|max\w*|min\w*)\s+s\d",
    ),
}

# Where each kernel spends its time. A loop of packed arithmetic must be found in each, or the rule would hold of nothing.
HOT = [
    "adamwUpdate", "attendOnce", "attentionBackward", "attentionForward", "classifierBackward", "classifierForward",
    "crossentropySoftmaxBackward", "encoderBackward", "encoderForward", "flashAttentionBackward",
    "flashAttentionForward", "geluBackward", "geluForward", "layernormForward", "LayerNormRows", "residualBackward",
    "residualForward", "softmaxForward", "Strip",
]  # fmt: skip


@dataclass
class Function:
    name: str
    code: list[tuple[int, str]] = field(default_factory=list)


def functions(path: str) -> list[Function]:
    """The functions of an object file, with the address and the text of each instruction."""
    command = ["objdump", "--disassemble", "--no-show-raw-insn", path]
    found: list[Function] = []
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        if match := re.match(r"[0-9a-f]+ <(.*)>:", line):
            found.append(Function(match[1]))
        elif found and (match := re.match(r"\s*([0-9a-f]+):\s+(.*)", line)):
            found[-1].code.append((int(match[1], 16), match[2]))
    return found


def successors(code: list[tuple[int, str]], cpu: Architecture) -> list[list[int]]:
    """For each instruction those that may follow, by index."""
    index = {address: i for i, (address, _) in enumerate(code)}
    following = []
    for i, (_, text) in enumerate(code):
        targets = [] if cpu.matches("leaves", text) or i + 1 == len(code) else [i + 1]
        match = re.match(cpu.jump, text)
        if match and int(match[1], 16) in index:
            targets.append(index[int(match[1], 16)])
        following.append(targets)
    return following


def components(nodes: set[int], following: list[list[int]]) -> list[set[int]]:
    """What can reach itself: the strongly connected components that hold a cycle (Tarjan 1972)."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    cycles = []
    for root in sorted(nodes):
        if root in order:
            continue
        work = [(root, 0)]
        while work:
            node, step = work.pop()
            if step == 0:
                order[node] = low[node] = len(order)
                stack.append(node)
                on_stack.add(node)
            targets = [t for t in following[node] if t in nodes]
            if step > 0:
                low[node] = min(low[node], low[targets[step - 1]])
            while step < len(targets) and targets[step] in order:
                if targets[step] in on_stack:
                    low[node] = min(low[node], order[targets[step]])
                step += 1
            if step < len(targets):
                work += [(node, step + 1), (targets[step], 0)]
            elif low[node] == order[node]:
                component = set()
                while node not in component:
                    component.add(stack.pop())
                on_stack -= component
                if len(component) > 1 or node in following[node]:
                    cycles.append(component)
    return cycles


def innermost_loops(code: list[tuple[int, str]], cpu: Architecture) -> list[list[str]]:
    """The instructions of each loop that holds no other."""
    following = successors(code, cpu)
    loops = []
    pending = components(set(range(len(code))), following)
    while pending:
        loop = pending.pop()
        # Without what is entered first, only loops within remain.
        entries = {t for i in set(range(len(code))) - loop for t in following[i] if t in loop} or {min(loop)}
        inner = components(loop - entries, following)
        pending += inner
        if not inner:
            loops.append([code[i][1] for i in sorted(loop)])
    return loops


def main() -> int:
    cpu = ARCHITECTURES[sys.argv[1]]
    seen = dict.fromkeys(HOT, 0)
    faults = []
    for path in sys.argv[2:]:
        for function in functions(path):
            hot = next((name for name in HOT if name in function.name), None)
            for loop in innermost_loops(function.code, cpu):
                packed = sum(cpu.matches("packed", text) for text in loop)
                single = [text for text in loop if cpu.matches("single", text)]
                calls = [text for text in loop if cpu.matches("call", text)]
                if packed and (single or calls) or hot and single:
                    faults.append((hot or function.name, len(loop), (single + calls)[0], len(single + calls)))
                elif packed and hot:
                    seen[hot] += 1
    for name, length, example, count in faults:
        print(f"{name}: a loop of {length} instructions has {count} for single lanes, or calls: {example}")
    missing = [name for name, count in seen.items() if count == 0]
    for name in missing:
        print(f"{name}: no loop of packed arithmetic was found")
    if not faults and not missing:
        print(f"{sum(seen.values())} loops in {len(seen)} hot functions: no lane by itself, no call")
    return 1 if faults or missing else 0


if __name__ == "__main__":
    sys.exit(main())
