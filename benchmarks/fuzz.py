"""A longer run of the random-graph comparison: our engine against the naive one of the tests.

    python benchmarks/fuzz.py --graphs 100000 --seed 1

Each graph is compared in value and in every gradient with `tests/autograd/naive.py`, and the events of
`backward_steps` with `backward()` to the last bit. Stops at the first graph that differs, and prints its seed.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from autograd import backward_steps, dumps, loads
from tests.autograd import naive
from tests.autograd.build import build


def differs(program: naive.Program, inputs: list[float]) -> str | None:
    """What is different on this graph, or None."""
    values, adjoint = naive.gradients(program, inputs)
    nodes = build(program, inputs)
    root = nodes[-1]
    totals = {root: 1.0}
    for step in backward_steps(root):
        totals[step.input] = step.total
    twin = loads(dumps(root))
    root.backward()
    twin.backward()
    size = max(1.0, *map(abs, adjoint.values()))
    for i, node in enumerate(nodes):
        if not abs(node.data - values[i]) <= 1e-12 * max(1.0, abs(values[i])):
            return f"node {i}: value {node.data!r}, naive {values[i]!r}"
        if not abs(node.grad - adjoint[i]) <= 1e-12 * size:
            return f"node {i}: gradient {node.grad!r}, naive {adjoint[i]!r}"
        if node.grad != totals.get(node, 0.0):
            return f"node {i}: gradient {node.grad!r}, the events say {totals.get(node, 0.0)!r}"
    if twin.grad != root.grad or twin.data != root.data:
        return "the graph changed when it was saved and loaded"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-ops", type=int, default=20)
    options = parser.parse_args()
    start, ops = time.perf_counter(), 0
    for i in range(options.graphs):
        seed = options.seed * 1_000_000_007 + i
        program, inputs = naive.random_program(random.Random(seed), options.max_ops)
        ops += len(program)
        difference = differs(program, inputs)
        if difference:
            print(f"seed {seed}: {difference}\ninputs {inputs}\nprogram {program}")
            return 1
    print(f"{options.graphs:,} graphs, {ops:,} operations, {time.perf_counter() - start:.0f} s: all agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
