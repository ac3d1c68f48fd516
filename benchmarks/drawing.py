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

from autograd import Value, dot, maximum, topological_order
from nn import MLP
from viz import draw_graph


def tangle(size: int, seed: int = 1) -> Value:
    """A random graph of exactly ``size`` nodes, a tenth of them leaves, each operation on two of the last thirty."""
    choice = random.Random(seed)
    nodes = [Value(choice.uniform(-1, 1), f"x{i}") for i in range(max(3, size // 10))]
    loose = dict.fromkeys(nodes)  # results that nothing uses yet
    while len(nodes) + len(loose) - 1 < size:
        near = list(loose)[-2:] if choice.random() < 0.5 else []
        a, b = (near + choice.sample(nodes[-30:], 2))[:2]
        nodes.append(a * b if choice.random() < 0.5 else a + b)
        loose[nodes[-1]] = None
        loose.pop(a, None)
        loose.pop(b, None)
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


def anywhere(size: int, seed: int = 1) -> Value:
    """A random graph whose operations each take any two of the nodes before them; what is left over is added up."""
    choice = random.Random(seed)
    nodes = [Value(choice.uniform(-1, 1), f"x{i}") for i in range(size // 10)]
    loose = dict.fromkeys(nodes)
    while len(nodes) + len(loose) - 1 < size:
        a, b = choice.choice(nodes), choice.choice(nodes)
        nodes.append(a * b if choice.random() < 0.5 else a + b)
        loose[nodes[-1]] = None
        loose.pop(a, None)
        loose.pop(b, None)
    f, *rest = loose
    for node in rest:
        f = f + node
    f.backward()
    return f


def scalars(size: int) -> Value:
    """Sums, products and tanh of the last eight nodes."""
    choice = random.Random(3)
    nodes = [Value(choice.uniform(-1, 1), f"x{i}") for i in range(6)]
    while len(nodes) < size:
        a, b = choice.sample(nodes[-8:], 2)
        nodes.append(choice.choice([a * b, a + b, a.tanh()]))
    nodes[-1].backward()
    return nodes[-1]


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
        ("30 nodes with tanh", scalars(30), {}, 30, 0.010),
        ("a small MLP", perceptron(), {}, 30, 0.010),
        ("1,000 nodes, all drawn", tangle(1_000), {"depth": "all"}, 5, 0.3),
        ("1,000 nodes, from anywhere", anywhere(1_000), {"depth": "all"}, 3, 3.0),
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
