"""Longer runs of random comparisons: our engine against the naive one of the tests, the compiler against our engine.

    python benchmarks/fuzz.py --graphs 100000 --seed 1
    python benchmarks/fuzz.py --programs 3000
    python benchmarks/fuzz.py --programs 3000 --backends numpy python jax numba javascript

Each graph is compared in value and in every gradient with `tests/autograd/naive.py`, and the events of
`backward_steps` with `backward()` to the last bit. Stops at the first graph that differs, and prints its seed.

Each program has repetition in it, and goes through the compiler on each backend. `--stream 1` are those of
`benchmarks.programs.randomly`, one batch each, with infinities and nan now and then; `--stream 2` those of
`benchmarks.programs.unlike`, which are tried on six batches and in other ways (`randomly.otherwise`); and `--stream 3`
those of `benchmarks.programs.steps`, likewise. It must come out right, or be refused with a `TracingError`; a wrong
number, or another error, makes the exit status 1.

What takes time is compiling: on Numba programs share an interpreter (`--together`), on JAX most are compiled without
optimising, and one in ten as users have it (`--alone`).
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from autograd import TracingError, backward_steps, dumps, loads
from autograd.compiler.backends.jax import Jax
from autograd.compiler.backends.numba import Rules, Tape
from autograd.compiler.check import check
from autograd.compiler.compiled import BACKENDS
from benchmarks.programs import randomly, steps, unlike
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


class Tally:
    """What became of the programs on one backend."""

    def __init__(self, backend: str) -> None:
        self.backend = backend
        self.verdicts, self.calls, self.seconds = Counter[str](), Counter[str](), 0.0

    def __str__(self) -> str:
        counts = ", ".join(f"{count:,} {verdict}" for verdict, count in self.verdicts.most_common())
        calls = ", ".join(f"{count:,} {what}" for what, count in self.calls.most_common())
        each = self.seconds / max(self.verdicts.total(), 1)
        return f"{self.backend}: {counts}; {calls}; {self.seconds:.0f} s of the processor, {each:.3f} s each"


class Fuzz:
    """Random programs on the compiler's backends, in groups: Numba compiles once for all of a group."""

    def __init__(self, backends: Sequence[str], stream: randomly.Stream, alone: int) -> None:
        self.tallies, self.stream, self.alone = [Tally(name) for name in backends], stream, alone
        if "jax" in backends:
            import jax

            jax.config.update("jax_enable_x64", True)
            BACKENDS["jax"] = Watched
        if "numba" in backends:
            BACKENDS["numba"] = Shared

    def group(self, seeds: Sequence[int]) -> None:
        start = time.process_time()
        drawn = [randomly.Drawn(seed, self.stream) for seed in seeds]
        for program in drawn:
            program.expected  # noqa: B018 - computed now, for all backends
        share = (time.process_time() - start) / len(self.tallies)
        for tally in self.tallies:
            start = time.process_time()
            self.on(tally, drawn)
            tally.seconds += time.process_time() - start + share

    def guarded(self, make: Callable[..., Any], *arguments: Any) -> Any:
        """What there is, or the error as (verdict, told)."""
        try:
            return make(*arguments)
        except TracingError as error:
            return "refused", str(error)
        except Exception:
            return "CRASHED", traceback.format_exc(limit=-4)

    def on(self, tally: Tally, drawn: Sequence[randomly.Drawn]) -> None:
        """Compile all of a group, then run all: Numba compiles when the first one runs."""
        steps = [self.guarded(self.compiled, program, tally) for program in drawn]
        for program, step in zip(drawn, steps, strict=True):
            verdict, told = step if isinstance(step, tuple) else self.guarded(self.verdict, tally, program, step)
            tally.verdicts[verdict] += 1
            if told:
                print(f"{verdict}: seed {program.seed} on {tally.backend}: {told}", flush=True)

    def compiled(self, program: randomly.Drawn, tally: Tally) -> Any:
        step = program.compiled(tally.backend, check=False)
        if tally.backend == "numba":
            step.source  # noqa: B018 - makes the tape
        return step

    def verdict(self, tally: Tally, program: randomly.Drawn, step: Any) -> tuple[str, str]:
        seed, backend = program.seed, tally.backend
        if backend == "jax":  # to compile is what takes time, and what users run is optimised
            import jax

            jax.config.update("jax_disable_most_optimizations", seed % self.alone != 0)
        rare = backend != "jax" or seed % self.alone == 0
        if seed % 8 == 0 and rare:
            check(step, program.case.loss, program.case.example)
        some = [k for k, trial in enumerate(program.trials) if rare or len(trial.batch[0]) == 2]
        tally.calls["calls"] += 2 * len(some)
        Watched.left = 0
        difference = program.difference(step, some)
        tally.calls["left to NumPy"] += Watched.left
        if Watched.left == 2 * len(some) and not difference:
            return "fallen back", ""
        difference = difference or (randomly.otherwise(program, step) if rare else "")
        return ("WRONG", difference) if difference else ("right", "")


class Watched(Jax):
    """JAX, and how many calls it has left to NumPy in all, because numbers were not finite."""

    left = 0

    def mean(self, columns: Any, n: int) -> float:
        before = self.by_numpy
        result = super().mean(columns, n)
        Watched.left += self.by_numpy - before
        return result


class Shared(Tape):
    """A tape whose interpreter knows the rules of all tapes so far: after some hundred programs there are no new ones,
    and nothing is left to compile."""

    all_rules = Rules()

    def __init__(self, plan: Any) -> None:
        super().__init__(plan, Shared.all_rules)


def programs(seeds: range, fuzz: Fuzz, together: int) -> int:
    """Compare random programs on the compiler's backends; the exit status."""
    for first in range(seeds.start, seeds.stop, together):
        last = min(first + together, seeds.stop)
        fuzz.group(range(first, last))
        if "jax" in [tally.backend for tally in fuzz.tallies]:
            import jax

            jax.clear_caches()
        print(f"seeds {seeds.start} to {last - 1}", *fuzz.tallies, sep="\n  ", flush=True)
    return 1 if any(t.verdicts["WRONG"] or t.verdicts["CRASHED"] for t in fuzz.tallies) else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-ops", type=int, default=20)
    parser.add_argument("--programs", type=int, default=0, help="in place of graphs, programs for the compiler")
    parser.add_argument(
        "--stream", type=int, default=2, choices=[1, 2, 3], help="1: programs.randomly, 2: .unlike, 3: .steps"
    )
    parser.add_argument("--together", type=int, default=50, help="how many programs share an interpreter on Numba")
    parser.add_argument("--alone", type=int, default=10, help="on JAX one program in so many is optimised and has all")
    parser.add_argument("--backends", nargs="+", default=["numpy", "python"], choices=randomly.available())
    options = parser.parse_args()
    if options.programs:
        stream = (randomly.FIRST, unlike.SECOND, steps.THIRD)[options.stream - 1]
        fuzz = Fuzz(options.backends, stream, options.alone)
        return programs(range(options.seed, options.seed + options.programs), fuzz, options.together)
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
