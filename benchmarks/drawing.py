"""How long drawing takes: ``python benchmarks/drawing.py``.

Prints medians of several runs for each size: the time by the clock, and the processor's own time, which other programs
that run beside it disturb less.
"""

from __future__ import annotations

import platform
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from graphs import random_operands

from autograd import Value, dot, maximum, topological_order
from nn import MLP
from viz import draw_graph


def tangle(size: int, seed: int = 1, *, reach: int = 30, far: float = 0.0) -> Value:
    """A random graph of ``size`` nodes, or one less: sums, products and tanh of the last ``reach`` nodes, or any.

    What no operation has taken is added up in the end.
    """
    choice = random.Random(seed)
    nodes: list[Value] = []
    loose: dict[Value, None] = {}  # results that nothing uses yet
    for operands in random_operands(size, choice, reach=reach, far=far):
        if len(nodes) + len(loose) >= size:
            break
        taken = [nodes[k] for k in operands]
        match taken:
            case []:
                node = Value(choice.uniform(-1, 1), f"x{len(nodes)}")
            case [a]:
                node = a.tanh()
            case [a, b]:
                node = a * b if choice.random() < 0.5 else a + b
        nodes.append(node)
        for operand in taken:
            loose.pop(operand, None)
        loose[node] = None
    f, *rest = loose
    for node in rest:
        f = f + node
    f.backward()
    return f


def chain(size: int) -> Value:
    y = Value(0.5, "x")
    for _ in range(size - 1):
        y = y.tanh()
    y.backward()
    return y


def with_constants(size: int) -> Value:
    """A chain of ``size`` operations, each on the one before it and a plain number."""
    y = Value(0.5, "x")
    for _ in range(size // 2):
        y = y * 1.0001 + 0.1
    y.backward()
    return y


def wide(size: int, product: bool) -> Value:
    """One gate of so many inputs."""
    xs = [Value(0.1 * i, f"x{i}") for i in range(size)]
    f = dot(xs[: size // 2], xs[size // 2 :]) if product else maximum(*xs)
    f.backward()
    return f


def perceptron() -> Value:
    y = MLP(2, [2, 1], seed=0)([1.0, -2.0])
    assert isinstance(y, Value)
    y.backward()
    return y


def main() -> None:
    print(f"Python {platform.python_version()}")
    rows = [
        ("30 nodes", tangle(30), {}, 30, 0.010),
        ("30 nodes, all drawn", tangle(30), {"depth": "all"}, 30, 0.010),
        ("30 nodes, of the last eight", tangle(30, 3, reach=8), {}, 30, 0.010),
        ("a small MLP", perceptron(), {}, 30, 0.010),
        ("1,000 nodes, all drawn", tangle(1_000), {"depth": "all"}, 5, 0.3),
        ("1,000 nodes, from anywhere", tangle(1_000, far=1.0), {"depth": "all"}, 3, 3.0),
        ("a maximum of 8,000", wide(8_000, False), {}, 3, 1.0),
        ("a maximum of 8,000, all drawn", wide(8_000, False), {"depth": "all"}, 3, 1.0),
        ("a dot product of 8,000", wide(8_000, True), {}, 3, 1.0),
        ("a dot product, all drawn", wide(8_000, True), {"depth": "all"}, 3, 1.0),
        ("10,000 nodes, all drawn", tangle(10_000), {"depth": "all"}, 3, 5.0),
        ("a chain of 1,000,000, summed up", chain(1_000_000), {}, 3, 10.0),
        ("the same with constants", with_constants(1_000_000), {}, 3, 4.0),
    ]
    for name, root, options, runs, bar in rows:
        by_clock, by_processor = [], []
        for _ in range(runs):
            clock, processor = time.perf_counter(), time.process_time()
            draw_graph(root, **options)  # type: ignore[arg-type]
            by_clock.append(time.perf_counter() - clock)
            by_processor.append(time.process_time() - processor)
        count = len(topological_order(root))
        clock, processor = statistics.median(by_clock) * 1000, statistics.median(by_processor) * 1000
        print(f"{name:32} {count:9,} nodes {clock:9.1f} ms  processor {processor:9.1f} ms  (bar {bar * 1000:,.0f} ms)")


if __name__ == "__main__":
    main()
