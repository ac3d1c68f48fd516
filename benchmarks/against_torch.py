"""Random programs at singular points, against PyTorch: values and first derivatives.

    python benchmarks/against_torch.py --programs 20000 --seed 1

Each program is a few operations of the derivative sheet on inputs such as 0, -0, ±1, ±inf, nan and ties, and on a plain
number; PyTorch runs the same in float64. Where the two disagree, the program is run again with PyTorch's convention in
place of ours, one convention of `CONVENTIONS` after the other: if they then agree, that convention is the reason.
Disagreements that none of them explains are printed, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from autograd import Value
from autograd.ops import SHEET, div
from autograd.value import record

POINTS = [0.0, -0.0, 0.0, 1.0, 1.0, -1.0, -1.0, 2.0, -2.0, 0.5, 3.0, math.inf, -math.inf, math.nan]
ONE = "neg identity detach abs reciprocal exp log sqrt sin cos tanh sigmoid relu softplus".split()
TWO = "add sub mul div pow leaky_relu maximum minimum logsumexp".split()
MANY = "maximum minimum logsumexp where dot".split()

Step = tuple[str, tuple[int, ...]]  # an operation, and the numbers of its operands


@dataclasses.dataclass(frozen=True)
class Program:
    inputs: tuple[float, ...]  # the last one is a plain number, and gets no gradient
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        count = len(self.inputs)
        lines = [f"    n{k} = {x!r}" for k, x in enumerate(self.inputs)]
        lines += [f"    n{count + k} = {op}({', '.join(f'n{i}' for i in xs)})" for k, (op, xs) in enumerate(self.steps)]
        return "\n".join(lines)


def random_program(generator: random.Random, longest: int = 6) -> Program:
    """A few inputs, and operations of which each tends to use what is new."""
    inputs = [generator.choice(POINTS) if generator.random() < 0.8 else generator.gauss(0.0, 2.0) for _ in range(4)]
    steps: list[Step] = []
    for _ in range(generator.randint(1, longest)):
        nodes = len(inputs) + len(steps)

        def operand(nodes: int = nodes) -> int:
            return nodes - 1 if steps and generator.random() < 0.4 else generator.randrange(nodes)

        kind = generator.random()
        if kind < 0.4:
            steps.append((generator.choice(ONE), (operand(),)))
        elif kind < 0.8:
            steps.append((generator.choice(TWO), (operand(), operand())))
        else:
            op = generator.choice(MANY)
            count = {"where": 3, "dot": 4}.get(op) or generator.randint(3, 4)
            steps.append((op, tuple(operand() for _ in range(count))))
    return Program(tuple(inputs), tuple(steps))


def ours(program: Program) -> tuple[list[float], list[float]]:
    """The values of all nodes, and the gradient of the last one by the inputs."""
    leaves = [Value(x) for x in program.inputs[:-1]]
    nodes: list[Any] = [*leaves, program.inputs[-1]]
    for op, operands in program.steps:
        nodes.append(record(op, *[nodes[i] for i in operands]))
    nodes[-1].backward()
    return [node.data for node in nodes if isinstance(node, Value)], [leaf.grad for leaf in leaves]


def theirs(program: Program) -> tuple[list[float], list[float]]:
    """The same by PyTorch."""
    import torch

    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in program.inputs[:-1]]
    nodes = [*leaves, torch.tensor(program.inputs[-1], dtype=torch.float64)]
    table = torch_functions()
    for op, operands in program.steps:
        nodes.append(table[op](*[nodes[i] for i in operands]))
    root = nodes[-1]
    if root.requires_grad:
        root.backward()
    del nodes[len(leaves)]
    return [node.item() for node in nodes], [0.0 if x.grad is None else x.grad.item() for x in leaves]


def torch_functions() -> dict[str, Callable[..., Any]]:
    import torch
    import torch.nn.functional as F

    def many(two: Callable[..., Any], more: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *xs: two(*xs) if len(xs) == 2 else more(torch.stack(xs), 0)

    table: dict[str, Callable[..., Any]] = {name: getattr(torch, name) for name in (*ONE[3:13], *TWO[:5], "neg")}
    return table | {
        "identity": lambda x: x * 1.0,
        "detach": lambda x: x.detach(),
        "softplus": lambda x: F.softplus(x, threshold=40.0),
        "leaky_relu": lambda x, alpha: F.prelu(x.reshape(1), alpha.reshape(1))[0],
        "maximum": many(torch.maximum, torch.amax),
        "minimum": many(torch.minimum, torch.amin),
        "logsumexp": lambda *xs: torch.logsumexp(torch.stack(xs), 0),
        "where": lambda c, a, b: torch.where(c > 0, a, b),
        "dot": lambda a, b, c, d: (torch.stack([a, b]) * torch.stack([c, d])).sum(),
    }


def same(a: float, b: float, size: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if math.isinf(a) or math.isinf(b):
        return a == b
    return abs(a - b) <= 1e-9 * max(1.0, abs(b), size)


def agree(one: tuple[list[float], list[float]], other: tuple[list[float], list[float]]) -> bool:
    """Values and gradients, up to what rounding can do: what cancels is measured by what it was made of."""
    (values, slopes), (their_values, their_slopes) = one, other
    finite = [abs(x) for x in values + slopes + their_slopes if math.isfinite(x)]
    size = min(max(finite, default=1.0), 1e6)
    return all(same(a, b, size) for a, b in zip(values + slopes, their_values + their_slopes, strict=True))


# --------------------------------------------------------------------------------------------------------------------
# PyTorch's conventions where ours are others: which rules it has instead


def _extreme(of_two: bool, of_many: bool) -> dict[str, Callable[..., Any]]:
    """torch.maximum of two: beside a nan, each gets the whole gradient. torch.amax of more: a product with a mask of
    ones and zeros, so that 0·inf is nan where an input was not chosen."""

    def rule(name: str, y: Any, *xs: Any) -> Sequence[Any]:
        if of_two and len(xs) == 2 and y != y:
            return 1.0, 1.0
        if of_many and len(xs) > 2:
            chosen = [1.0 if x == y else 0.0 for x in xs]
            return [div(c, sum(chosen)) for c in chosen]
        return SHEET_BEFORE[name].partials(y, *xs)

    return {name: functools.partial(rule, name) for name in ("maximum", "minimum")}


@dataclasses.dataclass(frozen=True)
class Convention:
    name: str
    ours: str
    theirs: str
    partials: dict[str, Callable[..., Any]]  # PyTorch's, in place of ours
    forward: dict[str, Callable[..., Any]] = dataclasses.field(default_factory=dict)


SHEET_BEFORE = dict(SHEET)

CONVENTIONS: list[Convention] = [
    Convention(
        "nobody is the largest beside a nan",
        "maximum and minimum with a nan among two inputs: both derivatives are nan",
        "both inputs get the whole gradient",
        _extreme(of_two=True, of_many=False),
    ),
    Convention(
        "what amax did not choose",
        "an input that a maximum did not choose gets 0, whatever comes from above, with two inputs and with more",
        "the same with two (torch.maximum); with more (amax, amin) 0·inf, which is nan",
        _extreme(of_two=False, of_many=True),
    ),
    Convention(
        "digits in the tails of tanh",
        "tanh' keeps its digits, 1.7e-17 at 20",
        "1 - y², which is 0 from |x| = 19 on (and 0·inf is nan)",
        {"tanh": lambda y, a: (1.0 - y * y,)},
    ),
    Convention(
        "digits in the tails of the sigmoid",
        "σ' = σ(x)·σ(-x), 4e-18 at 40",
        "y·(1 - y), which is 0 from x = 37 on (and 0·inf is nan)",
        {"sigmoid": lambda y, a: ((1.0 - y) * y,)},
    ),
    Convention(
        "the sign of relu(-0)",
        "relu(-0.0) is 0.0",
        "it is -0.0, and 1/relu(-0.0) is -inf",
        {},
        {"relu": lambda a: 0.0 if a < 0.0 else a},
    ),
]


@contextmanager
def convention(c: Convention) -> Iterator[None]:
    """PyTorch's rules in the sheet."""
    for name, rule in c.partials.items():
        SHEET[name] = dataclasses.replace(SHEET[name], partials=rule)
    for name, rule in c.forward.items():
        SHEET[name] = dataclasses.replace(SHEET[name], forward=rule)
    try:
        yield
    finally:
        for name in (*c.partials, *c.forward):
            SHEET[name] = SHEET_BEFORE[name]


def reason(program: Program, reference: tuple[list[float], list[float]]) -> str | None:
    """The convention that explains why our result differs from PyTorch's; None if none does."""
    for c in CONVENTIONS:
        with convention(c):
            if agree(ours(program), reference):
                return c.name
    partials = {name: rule for c in CONVENTIONS for name, rule in c.partials.items()}
    forward = {name: rule for c in CONVENTIONS for name, rule in c.forward.items()}
    with convention(Convention("all", "", "", partials | _extreme(of_two=True, of_many=True), forward)):
        return "several of these" if agree(ours(program), reference) else None


def compare(programs: int, seed: int, longest: int = 6) -> tuple[Counter[str], list[Program]]:
    """How many disagreements each convention explains, and the programs that none explains."""
    generator = random.Random(seed)
    explained: Counter[str] = Counter()
    unexplained = []
    for _ in range(programs):
        program = random_program(generator, longest)
        reference = theirs(program)
        if not agree(ours(program), reference):
            why = reason(program, reference)
            if why is None:
                unexplained.append(program)
            else:
                explained[why] += 1
    return explained, unexplained


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=int, default=6, help="operations per program, at most")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    explained, unexplained = compare(options.programs, options.seed, options.longest)
    print(f"{options.programs:,} programs, {time.perf_counter() - start:.0f} s")
    print(f"{options.programs - explained.total() - len(unexplained):6,} agree")
    for name, count in explained.most_common():
        print(f"{count:6,} {name}")
    print(f"{len(unexplained):6,} unexplained")
    for program in unexplained[:10]:
        print(f"\n{program}\n  ours   {ours(program)}\n  theirs {theirs(program)}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
