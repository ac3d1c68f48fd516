"""Longer runs of random comparisons: our engine against the naive one of the tests, the compiler against our engine.

    python benchmarks/fuzz.py --graphs 100000 --seed 1
    python benchmarks/fuzz.py --programs 3000
    python benchmarks/fuzz.py --programs 100 --backends numpy python jax numba javascript

Each graph is compared in value and in every gradient with `tests/autograd/naive.py`, and the events of
`backward_steps` with `backward()` to the last bit. Stops at the first graph that differs, and prints its seed.

Each program (`benchmarks.programs.randomly`) has repetition in it, and goes through the compiler on each backend; a
batch has infinities and nan in it now and then. It must come out right, or be refused with a `TracingError`; a wrong
number ends the run with status 1. (JAX, Numba and Node.js take seconds for each program.)
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from autograd import backward_steps, dumps, loads
from benchmarks.programs import randomly
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


def programs(seeds: range, backends: list[str]) -> int:
    """Compare random programs on the compiler's backends; the exit status."""
    if "jax" in backends:
        import jax

        jax.config.update("jax_enable_x64", True)
    start, verdicts = time.perf_counter(), Counter[str]()
    for seed in seeds:
        verdict, told = randomly.compare(seed, backends)
        verdicts[verdict] += 1
        if told:
            print(f"{verdict}: {told}")
    counts = ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts.most_common())
    print(f"{len(seeds):,} programs on {', '.join(backends)}, {time.perf_counter() - start:.0f} s: {counts}")
    return 1 if verdicts["WRONG"] else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-ops", type=int, default=20)
    parser.add_argument("--programs", type=int, default=0, help="in place of graphs, programs for the compiler")
    parser.add_argument("--backends", nargs="+", default=["numpy", "python"], choices=randomly.available())
    options = parser.parse_args()
    if options.programs:
        return programs(range(options.seed, options.seed + options.programs), options.backends)
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
