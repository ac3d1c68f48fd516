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

from autograd import Value, topological_order
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


def main() -> None:
    print(f"Python {platform.python_version()}")
    rows = [
        ("30 nodes", tangle(30), {}, 30, 0.010),
        ("1,000 nodes, all drawn", tangle(1_000), {"depth": "all"}, 5, 0.3),
        ("10,000 nodes, all drawn", tangle(10_000), {"depth": "all"}, 3, 5.0),
        ("a chain of 1,000,000, summed up", chain(1_000_000), {}, 3, 10.0),
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
