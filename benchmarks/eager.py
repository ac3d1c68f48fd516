"""The engine's speed and size: building a graph and going backward through it, against micrograd and PyTorch scalars.

    python benchmarks/eager.py [--rounds 5] [--quick]

The program is a straight line as a user would write it, with equal shares of + - * / ** neg and relu, and the binary
ones as often between two Values as between a Value and a number (the exponent of ** is always a number: micrograd
knows no other). Every contender runs the same text. A node is one operation as written: what micrograd makes of a
subtraction (a product with -1 and a sum) is its own affair.

What is timed is building, backward() and letting go of the graph, on a fresh graph each time, after a warm-up, with
Python's garbage collector on as usual; a full collection comes before each timing, outside it. The contenders take
turns, in processes of their own, because micrograd's and PyTorch's leftovers would slow the collector down for whoever
comes next in the same process. PyTorch uses one thread. micrograd's backward() is recursive: it alone gets a thread
with a large stack and a raised recursion limit. Figures are medians over all rounds, in processor time (all threads of
the process), so that other work on the machine counts little.

The bars (CPython 3.11, 3.12, 3.13): at least 5 times micrograd, at least 8 times PyTorch; nanoseconds per node at
400,000 nodes at most 2.0 times those at 20,000; at most 250 bytes per node; no cyclic garbage; import under 60 ms.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import platform
import statistics
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SMALL, LARGE = 20_000, 400_000
CONTENDERS = ("chainrule", "micrograd", "torch")

PROGRAM = """
def program(V, iterations):
    leaves = [V(0.4 * ((i * 37 % 64) / 32 - 1)) for i in range(64)]
    a, b, c = leaves[0], leaves[1], leaves[2]
    for i in range(iterations):
        w = leaves[i % 64]
        p = a * w
        q = p + b
        r = q.relu()
        s = r - c
        e = w ** 2
        g = e + 2.0
        a = s / g
        u = a * 0.5
        v = u - 0.25
        x = v / 3.0
        y = -x
        b = y ** 2
        n = y.relu()
        c = -n
    return a + b + c
"""
PER_ITERATION = 14


def constructor(name: str) -> Callable[[float], Any]:
    """The function that makes a leaf."""
    if name == "chainrule":
        from autograd import Value

        return Value
    if name == "micrograd":
        from micrograd.engine import Value as Micrograd

        make: Callable[[float], Any] = Micrograd
        return make
    import torch

    torch.set_num_threads(1)
    return lambda number: torch.tensor(number, dtype=torch.float64, requires_grad=True)


def time_once(program: Callable[..., Any], V: Callable[[float], Any], nodes: int) -> tuple[float, float, float]:
    """Nanoseconds per node for building, backward and freeing."""
    iterations = nodes // PER_ITERATION
    gc.collect()
    t0 = time.process_time()
    root = program(V, iterations)
    t1 = time.process_time()
    root.backward()
    t2 = time.process_time()
    del root
    t3 = time.process_time()
    scale = 1e9 / (iterations * PER_ITERATION)
    return (t1 - t0) * scale, (t2 - t1) * scale, (t3 - t2) * scale


def contender(name: str, nodes: int, repeats: int, pause_gc: bool) -> list[tuple[float, float, float]]:
    V = constructor(name)
    names: dict[str, Any] = {}
    exec(compile(PROGRAM, "<the program>", "exec"), names)
    program = names["program"]
    result: list[tuple[float, float, float]] = []

    def work() -> None:
        for _ in range(3):
            time_once(program, V, min(nodes, SMALL) // 4)
        if pause_gc:
            gc.disable()
        result.extend(time_once(program, V, nodes) for _ in range(repeats))

    if name == "micrograd":
        sys.setrecursionlimit(10**7)
        threading.stack_size(768 * 1024 * 1024)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    else:
        work()
    return result


def memory() -> dict[str, float]:
    """Bytes per node (with its float and gradient), and what the collector finds when graphs are dropped."""
    from autograd import Value

    names: dict[str, Any] = {}
    exec(compile(PROGRAM, "<the program>", "exec"), names)
    program = names["program"]
    program(Value, 100).backward()
    gc.collect()
    gc.disable()
    tracemalloc.start()
    iterations = SMALL // PER_ITERATION
    root = program(Value, iterations)
    built, _ = tracemalloc.get_traced_memory()
    root.backward()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    count = iterations * PER_ITERATION
    del root
    return {"built": built / count, "after backward": used / count, "garbage": gc.collect()}


def chain() -> dict[str, float]:
    """Seconds for a chain of a million nodes."""
    import copy

    from autograd import Value, dumps, loads, topological_order

    seconds: dict[str, float] = {}

    def clock(what: str, work: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = work()
        seconds[what] = time.process_time() - start
        return result

    def build() -> Any:
        y = Value(0.5)
        for _ in range(500_000):
            y = -(y.sin())
        return y

    y = clock("build", build)
    clock("backward", y.backward)
    clock("topological_order", lambda: len(topological_order(y)))
    text = clock("dumps", lambda: dumps(y))
    twin = clock("loads", lambda: loads(text))
    del text, twin
    other = clock("deepcopy", lambda: copy.deepcopy(y))
    del other
    holder = [y]
    del y
    clock("free", holder.clear)
    return seconds


def importing() -> float:
    """Milliseconds of `import autograd`."""
    start = time.process_time()
    import autograd  # noqa: F401

    return (time.process_time() - start) * 1e3


def child(task: dict[str, Any]) -> Any:
    """Do one task in a process of its own."""
    run = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), "--task", json.dumps(task)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    if run.returncode:
        raise SystemExit(f"{task} failed:\n{run.stderr[-2000:]}")
    return json.loads(run.stdout.splitlines()[-1])


def do(task: dict[str, Any]) -> Any:
    match task["do"]:
        case "time":
            return contender(task["name"], task["nodes"], task["repeats"], task.get("pause_gc", False))
        case "memory":
            return memory()
        case "chain":
            return chain()
        case _:
            return importing()


def mark(good: bool) -> str:
    return "ok" if good else "MISSED"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="turns per contender")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and no chain of a million")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if options.task:
        print(json.dumps(do(json.loads(options.task))))
        return 0
    rounds = 2 if options.quick else options.rounds
    print(f"CPython {platform.python_version()}, {SMALL:,} mixed nodes, {rounds} interleaved rounds\n")
    present = []
    for name in CONTENDERS:
        if name == "chainrule" or importlib.util.find_spec(name):
            present.append(name)
        else:
            print(f"({name} is not installed here: skipped)")
    timings: dict[str, list[list[float]]] = {name: [] for name in present}
    for _ in range(rounds):
        for name in present:
            repeats = 15 if name == "chainrule" else 5
            timings[name] += child({"do": "time", "name": name, "nodes": SMALL, "repeats": repeats})
    totals = {name: statistics.median(map(sum, rows)) for name, rows in timings.items()}
    print(f"{'ns per node':12} {'build':>8} {'backward':>9} {'free':>6} {'total':>8} {'ratio':>7}")
    missed = 0
    for name, rows in timings.items():
        build, backward, free = (statistics.median(column) for column in zip(*rows, strict=True))
        ratio = totals[name] / totals["chainrule"]
        bar = {"micrograd": 5.0, "torch": 8.0}.get(name)
        verdict = "" if bar is None else f"  at least {bar:.0f}: {mark(ratio >= bar)}"
        missed += bar is not None and ratio < bar
        print(f"{name:12} {build:8.0f} {backward:9.0f} {free:6.0f} {totals[name]:8.0f} {ratio:6.1f}x{verdict}")

    print(f"\ngrowth, {LARGE:,} against {SMALL:,} nodes (ns per node; one process per size and round)")
    for pause_gc in (False, True):
        medians = []
        for nodes, repeats in ((SMALL, 15), (LARGE, 3)):
            task = {"do": "time", "name": "chainrule", "nodes": nodes, "repeats": repeats, "pause_gc": pause_gc}
            medians.append(statistics.median(sum(row) for _ in range(max(2, rounds // 2)) for row in child(task)))
        growth = medians[1] / medians[0]
        verdict = "" if pause_gc else f"  at most 2.0: {mark(growth <= 2.0)}"
        missed += not pause_gc and growth > 2.0
        collector = "collector paused" if pause_gc else "collector on"
        print(f"{collector:17} {medians[0]:6.0f} {medians[1]:6.0f} {growth:6.2f}x{verdict}")

    found = child({"do": "memory"})
    size = found["after backward"]
    missed += size > 250 or found["garbage"] > 0
    print(f"\nbytes per node: {found['built']:.0f} built, {size:.0f} after backward  at most 250: {mark(size <= 250)}")
    print(f"objects found by gc.collect() after dropping the graph: {found['garbage']}  {mark(found['garbage'] == 0)}")
    import_ms = statistics.median(child({"do": "import"}) for _ in range(9))
    missed += import_ms >= 60
    print(f"import autograd: {import_ms:.0f} ms  under 60: {mark(import_ms < 60)}")
    if not options.quick:
        print("\na chain of 1,000,000 (seconds):", ", ".join(f"{k} {v:.2f}" for k, v in child({"do": "chain"}).items()))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
