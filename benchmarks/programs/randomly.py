"""Random programs with repetition in them: loops, ragged rows, shared windows, irregular corners, inf and nan.

A program takes a list of T vectors of d numbers through a few pieces, each of which makes another such list of it, and
ends in one number. Some have whole numbers, too, that choose from lists (`autograd.Index`). What is random is drawn
when the program is made; to run it draws nothing. `compare` holds what the compiler makes of it to `Value.backward`.
"""

from __future__ import annotations

import copy
import functools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import SHEET, TracingError, Value, detach, dot, logsumexp, maximum, minimum, relu, softmax, where
from autograd.compiler.compiled import Compiled
from autograd.graph import topological_order

from .scalars import Case, Weights, affine, linear, rising

Rows = list[list[Any]]
Piece = Callable[[Rows], Rows]

ELEMENTWISE: dict[str, Callable[[Any], Any]] = {
    "tanh": lambda x: x.tanh(),
    "sigmoid": lambda x: x.sigmoid(),
    "relu": relu,
    "softplus": lambda x: x.softplus(),
    "sin": lambda x: x.sin(),
    "square": lambda x: x * x * 0.5,
    "cube": lambda x: 0.1 * x**3,
    "quotient": lambda x: x / (x * x + 1.0),
    "root": lambda x: (x * x + 0.1) ** 0.5,
    "absolute": lambda x: abs(x) - 0.3,
    "chosen": lambda x: where(x > 0.1, x, 0.2 * x + 1.0),
    "clipped": lambda x: minimum(maximum(x, -1.0), 1.0),
    "twice": lambda x: x + x,
    "cut": lambda x: x - 0.5 * detach(x),
    "exp": lambda x: (0.3 * x - 1.0).exp(),
    "log": lambda x: (x * x + 0.5).log(),
}


@dataclass
class Maker:
    """Draws the pieces of one program; T and d are those of the rows that the next piece gets."""

    random: random.Random
    weights: Weights
    T: int
    d: int
    told: list[str] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)  # from how many each index chooses
    indices: list[int] = field(default_factory=list)  # those of the sample that runs, or what stands for them

    def index(self, count: int) -> int:
        """A new index, by its number."""
        self.counts.append(count)
        return len(self.counts) - 1

    def looked_up(self) -> Piece:
        """Each row gets a row of a table; or is weighed by an entry of its own; or another row stands for it."""
        r, w, T, d = self.random, self.weights, self.T, self.d
        kind = r.choice(["table", "table", "entry", "row", "row of the table for all", "one for each column"])
        count = {"entry": d, "row": T}.get(kind, r.randint(1, 5))
        of = [self.index(count) for _ in range({"row of the table for all": 1, "one for each column": d}.get(kind, T))]
        table = w.matrix(count, d)
        self.told.append(f"looked up of {count}: {kind}")

        def run(xs: Rows) -> Rows:
            ks = self.indices
            if kind == "entry":
                return [[x + row[ks[of[t]]] * x for x in row] for t, row in enumerate(xs)]
            if kind == "row":
                return [[x - 0.5 * y for x, y in zip(row, xs[ks[of[t]]], strict=True)] for t, row in enumerate(xs)]
            columns = list(zip(*table, strict=True))
            if kind == "one for each column":
                return [[x * column[ks[k]] for x, column, k in zip(row, columns, of, strict=True)] for row in xs]
            if kind == "table":
                return [[x + e for x, e in zip(row, table[ks[of[t]]], strict=True)] for t, row in enumerate(xs)]
            return [[x * e for x, e in zip(row, table[ks[of[0]]], strict=True)] for row in xs]

        return run

    def elementwise(self) -> Piece:
        r = self.random
        kind = r.random()
        names = [r.choice(list(ELEMENTWISE)) for _ in range(1 if kind < 0.6 else 2)]
        self.told.append("/".join(names))
        if len(names) == 1:
            return lambda xs: [[ELEMENTWISE[names[0]](x) for x in row] for row in xs]
        by_row = r.random() < 0.5  # every other row, or every other entry, by another function

        def alternating(xs: Rows) -> Rows:
            return [
                [ELEMENTWISE[names[(t if by_row else i) % 2]](x) for i, x in enumerate(r)] for t, r in enumerate(xs)
            ]

        return alternating

    def mapped(self) -> Piece:
        """A matrix for all rows, one for each, or two in turn."""
        r, w, d = self.random, self.weights, self.d
        self.d = r.randint(1, 4)
        count = r.choice([1, 1, 1, self.T, 2])
        matrices = [w.matrix(self.d, d) for _ in range(count)]
        shifts = [w.vector(self.d) for _ in range(count)] if r.random() < 0.6 else None
        self.told.append(f"{count} matrices {self.d}×{d}" + " and shifts" * (shifts is not None))
        one_dot = d > 1 and r.random() < 0.2

        def run(xs: Rows) -> Rows:
            ys = []
            for t, x in enumerate(xs):
                m = matrices[t % count]
                y = [dot(row, x) for row in m] if one_dot else linear(m, x)
                ys.append([a + b for a, b in zip(y, shifts[t % count], strict=True)] if shifts else y)
            return ys

        return run

    def gains(self) -> Piece:
        """A factor for each number, or for each row, or for each entry."""
        r, w, count = self.random, self.weights, (self.T, self.d)
        kind = r.randrange(3)
        g = w.matrix(*count, 1.0) if kind == 0 else [w.vector(count[kind - 1], 1.0)]
        self.told.append(("gains", "gains of rows", "gains of entries")[kind])

        def gain(t: int, i: int) -> Value:
            return g[t][i] if kind == 0 else g[0][t] if kind == 1 else g[0][i]

        return lambda xs: [[gain(t, i) * x for i, x in enumerate(row)] for t, row in enumerate(xs)]

    def windows(self) -> Piece:
        """Neighbours under one kernel: cut at the borders, padded with zeros, going round, or inside only."""
        r, width = self.random, self.random.randint(2, 3)
        border = r.choice(["cut", "padded", "round", "inside"])
        step = r.choice([1, 1, 2])
        kernel, T = self.weights.vector(width), self.T
        starts = list(range(0, T - width + 1 if border == "inside" else T, step))
        if not starts:
            starts, border = [0], "cut"
        self.T = len(starts)
        self.told.append(f"windows of {width}, {border}, step {step}")

        def run(xs: Rows) -> Rows:
            def at(t: int, i: int) -> Any:
                return xs[t % T][i] if border == "round" or t < T else 0.0

            return [
                [
                    sum(k * at(t + j, i) for j, k in enumerate(kernel) if border != "cut" or t + j < T)
                    for i in range(len(xs[0]))
                ]
                for t in starts
            ]

        return run

    def pooled(self) -> Piece:
        """The largest, the mean, or a soft maximum of two or three rows; what is left over makes a shorter one."""
        r, width, T = self.random, self.random.randint(2, 3), self.T
        combine = r.choice([maximum, minimum, lambda *v: sum(v) / len(v), lambda *v: logsumexp(list(v))])
        self.T = -(-T // width)
        self.told.append(f"pooled by {width}")

        def run(xs: Rows) -> Rows:
            cuts = [xs[t : t + width] for t in range(0, T, width)]
            return [
                [combine(*[x[i] for x in cut]) if len(cut) > 1 else cut[0][i] for i in range(len(xs[0]))]
                for cut in cuts
            ]

        return run

    def recurrence(self) -> Piece:
        """A state that goes through the rows, forward or back; it may skip, begin otherwise, or remember two states."""
        r, w, d, T = self.random, self.weights, self.d, self.T
        n = r.randint(1, 3)
        wx, wh, b = w.matrix(n, d), w.matrix(n, n), w.vector(n)
        f = ELEMENTWISE[r.choice(["tanh", "sigmoid", "sin", "quotient", "clipped"])]
        kind = r.choice(
            ["plain", "plain", "skip", "average", "second order", "own first", "parameter first", "two turns"]
        )
        back, start = r.random() < 0.25, w.vector(n) if kind == "parameter first" else None
        gate = w.vector(n)
        self.d = n
        self.told.append(f"recurrence of {n}, {kind}" + ", backward" * back)

        def run(xs: Rows) -> Rows:
            h: list[Any] = list(start) if start else [Value(0.0) for _ in range(n)]
            before, ys = h, []
            for t, x in enumerate(reversed(xs) if back else xs):
                z = [p + q + c for p, q, c in zip(linear(wx, x), linear(wh, h), b, strict=True)]
                new = [f(v) for v in z]
                if kind == "skip":
                    new = [u + 0.5 * v for u, v in zip(new, h, strict=True)]
                elif kind == "average":
                    new = [g.sigmoid() * u + (1.0 - g.sigmoid()) * v for g, u, v in zip(gate, new, h, strict=True)]
                elif kind == "second order":
                    new = [u + 0.3 * v for u, v in zip(new, before, strict=True)]
                elif kind == "own first" and t == 0:
                    new = [2.0 * u + 1.0 for u in z]
                elif kind == "two turns" and t % 2:
                    new = [u.sin() for u in z]
                before, h = h, new
                ys.append(h)
            return ys[::-1] if back else ys

        return run if T else lambda xs: xs

    def ragged(self) -> Piece:
        """Of each row what came so far, or what comes, or a random stretch: its sum, its largest, its soft maximum."""
        r, w, T = self.random, self.weights, self.T
        kind = r.choice(["so far", "from here", "stretch", "stretch", "triangle of weights"])
        spans = [(0, t + 1) if kind in ("so far", "triangle of weights") else (t, T) for t in range(T)]
        if kind == "stretch":
            spans = [(lo := r.randrange(T), r.randint(lo + 1, T)) for _ in range(T)]
        kernel = w.vector(T, 0.4) if kind == "triangle of weights" else None
        combine = r.choice([sum, sum, lambda v: sum(v) / len(v), maximum, logsumexp, lambda v: dot(v, v)])
        self.told.append(f"ragged, {kind}")

        def run(xs: Rows) -> Rows:
            def combined(t: int, i: int) -> Any:
                lo, hi = spans[t]
                column = [xs[s][i] for s in range(lo, hi)]
                if kernel:
                    return sum(kernel[t - s] * v for s, v in enumerate(column))
                return combine(column) if len(column) > 1 else column[0]

            return [[combined(t, i) for i in range(len(xs[0]))] for t in range(T)]

        return run

    def attention(self) -> Piece:
        r, w, d, T = self.random, self.weights, self.d, self.T
        n, causal = r.randint(1, 3), r.random() < 0.6
        heads = r.choice([1, 1, 2]) if n == 2 else 1
        q, k, v = (w.matrix(n, d) for _ in range(3))
        size = n // heads
        self.d = n
        self.told.append(f"attention of {n}, {heads} heads" + ", causal" * causal)

        def run(xs: Rows) -> Rows:
            qs, ks, vs = ([linear(m, x) for x in xs] for m in (q, k, v))
            ys: Rows = [[] for _ in range(T)]
            for h in range(heads):
                mine = range(h * size, (h + 1) * size)
                for t in range(T):
                    seen = range(t + 1 if causal else T)
                    shares = softmax([sum(qs[t][j] * ks[s][j] for j in mine) for s in seen])
                    ys[t] += [sum(shares[s] * vs[s][j] for s in seen) for j in mine]
            return ys

        return run

    def normed(self) -> Piece:
        self.told.append("normed")
        centred = self.random.random() < 0.5

        def run(xs: Rows) -> Rows:
            ys = []
            for x in xs:
                if centred:
                    mean = sum(x) / len(x)
                    x = [v - mean for v in x]
                scale = (sum(v * v for v in x) / len(x) + 0.1) ** -0.5
                ys.append([v * scale for v in x])
            return ys

        return run

    def layers(self) -> Piece:
        """The same layer again and again: of one matrix, or of one each; with what goes round it, or without."""
        r, w, d = self.random, self.weights, self.d
        depth, tied, skip = r.randint(2, 5), r.random() < 0.4, r.random() < 0.6
        given = [(w.matrix(d, d), w.vector(d)) for _ in range(1 if tied else depth)]
        f = ELEMENTWISE[r.choice(["tanh", "relu", "sin", "sigmoid"])]
        self.told.append(f"{depth} layers" + ", tied" * tied + ", residual" * skip)

        def layer(k: int, x: list[Any]) -> list[Any]:
            y = [f(z) for z in affine(*given[k % len(given)], x)]
            return [a + b for a, b in zip(x, y, strict=True)] if skip else y

        def run(xs: Rows) -> Rows:
            for k in range(depth):
                xs = [layer(k, x) for x in xs]
            return xs

        return run

    def corner(self) -> Piece:
        """One place is unlike the others: left out, another function, another operand, a constant, a tie."""
        r, T, d = self.random, self.T, self.d
        t, i, u = r.randrange(T), r.randrange(d), r.randrange(T)
        kind = r.choice(["zero", "parameter", "constant", "function", "neighbour", "tie", "negative", "one more"])
        p = self.weights.vector(1)[0]
        self.told.append(f"corner ({kind}) at {t}, {i}")

        def run(xs: Rows) -> Rows:
            x = xs[t][i]
            changed = {
                "zero": lambda: 0.0 * x,
                "parameter": lambda: p * 1.0,
                "constant": lambda: Value(0.7),
                "function": lambda: x.cos() + p,
                "neighbour": lambda: xs[u][i] + 0.0,
                "tie": lambda: maximum(x, xs[u][i], x),
                "negative": lambda: -x,
                "one more": lambda: x + xs[u][-1] + p,
            }[kind]()
            return [[changed if (s, j) == (t, i) else v for j, v in enumerate(row)] for s, row in enumerate(xs)]

        return run

    def turned(self) -> Piece:
        """Rows become columns; or the rows in another order; or some of them left out."""
        r, T, d = self.random, self.T, self.d
        if r.random() < 0.4:
            self.T, self.d = d, T
            self.told.append("transposed")
            return lambda xs: [list(column) for column in zip(*xs, strict=True)]
        order = r.sample(range(T), r.randint(1, T)) if r.random() < 0.6 else list(range(0, T, 2))
        self.T = len(order)
        self.told.append(f"rows {order}")
        return lambda xs: [xs[t] for t in order]

    def round(self) -> Piece:
        """What comes in is added to what some other piece makes of it."""
        T, d = self.T, self.d
        inner = self.random.choice([self.elementwise, self.ragged, self.normed, self.gains])()
        self.told[-1] += ", and around it"
        assert (T, d) == (self.T, self.d)
        return lambda xs: [[a + b for a, b in zip(p, q, strict=True)] for p, q in zip(xs, inner(xs), strict=True)]

    def end(self) -> Callable[[Rows], Any]:
        """One number of it all."""
        r = self.random
        kind = r.choice(
            ["squares", "soft maximum", "weighed", "the last row", "mean of rows", "products of neighbours"]
        )
        v = self.weights.matrix(self.T, self.d, 1.0)
        self.told.append(kind)

        def run(xs: Rows) -> Any:
            flat = [x for row in xs for x in row]
            if kind == "squares":
                return sum((x - 0.3) ** 2 for x in flat) / len(flat)
            if kind == "soft maximum":
                return logsumexp(flat)
            if kind == "weighed":
                return sum(a * x for a, x in zip([a for row in v for a in row], flat, strict=True))
            if kind == "the last row":
                return sum(xs[-1]) ** 2
            if kind == "mean of rows":
                total: Any = 0.0
                for row in xs:
                    total = total + logsumexp(row) - row[0]
                return total / len(xs)
            return sum(a * b for a, b in zip(flat, [*flat[1:], flat[0]], strict=True))

        return run


def random_program(seed: int) -> tuple[Case, list[str]]:
    """A case, and its pieces in words."""
    r = random.Random(seed)
    T, d = r.randint(1, 7), r.randint(1, 4)
    maker = Maker(r, Weights(seed), T, d)
    looks_up = seed % 3 == 0
    kinds = [
        maker.elementwise, maker.mapped, maker.mapped, maker.gains, maker.windows, maker.pooled, maker.recurrence,
        maker.recurrence, maker.ragged, maker.ragged, maker.attention, maker.normed, maker.layers, maker.corner,
        maker.corner, maker.turned, maker.round, *[maker.looked_up] * looks_up * 8,
    ]  # fmt: skip
    pieces = [r.choice(kinds)() for _ in range(r.randint(1, 6))]
    end = maker.end()

    def loss(xs: Any, ks: Any = ()) -> Any:
        maker.indices = ks
        for piece in pieces:
            xs = piece(xs)
        return end(xs) + 0.0  # a Value that `loss` made, if the pieces gave back an argument

    example = [rising(T, d), *([[autograd.Index(n) for n in maker.counts]] if maker.counts else [])]
    return Case(loss, example, maker.weights.values), [f"{T} rows of {d}", *maker.told]


def random_batch(case: Case, seed: int, n: int = 2) -> tuple[Any, ...]:
    """Samples, and the numbers of their indices, if there are any.

    Of one program in three some numbers are infinite, not numbers, zero, or all the same.
    """
    r, generator = random.Random(seed), np.random.default_rng(seed)
    X = generator.normal(size=(n, *np.shape(case.example[0])))
    if r.random() < 0.33:
        for _ in range(r.randint(1, 3)):
            where_to = tuple(r.randrange(size) for size in X.shape)
            X[where_to] = r.choice([math.inf, -math.inf, math.nan, 0.0, -0.0, 1e200, 1.0])
    elif r.random() < 0.1:
        X[:] = X[0, 0, 0]
    if len(case.example) == 1:
        return (X,)
    return X, np.array([[r.randrange(index.count) for index in case.example[1]] for _ in range(n)])


def of_sample(case: Case, *sample: Any) -> Value:
    """The loss of one sample."""
    y: Value = case.loss(*as_given(case, sample))
    return y


def as_given(case: Case, sample: Sequence[Any]) -> list[Any]:
    """A sample's arrays as the function gets them: Values, and whole numbers where it has indices."""

    def lifted(numbers: Any) -> Any:
        return [lifted(x) for x in numbers] if isinstance(numbers, list) else Value(numbers)

    return [
        array.tolist() if whole(argument) else lifted(np.asarray(array, float).tolist())
        for argument, array in zip(case.example, sample, strict=True)
    ]


def whole(argument: Any) -> bool:
    """Whether an argument has indices."""
    return isinstance(argument, list) and len(argument) > 0 and isinstance(argument[0], autograd.Index)


def eager(case: Case, X: Any, *others: Any) -> tuple[float, Any]:
    """The mean loss and its gradient, sample by sample."""
    for p in case.parameters:
        p.grad = None
    total = 0.0
    for sample in zip(X, *others, strict=True):
        y = of_sample(case, *sample)
        y.backward()
        total += y.data
    gradient = np.array([p.grad or 0.0 for p in case.parameters]) / len(X)
    for p in case.parameters:
        p.grad = None
    return total / len(X), gradient


HUGE = 1e5  # beside it ordinary numbers have fewer digits than are compared
SINGLE = float(np.finfo(np.float32).max)


def wrong(found: Any, expected: Any, slack: Any = 0.0) -> bool:
    """Whether two sets of numbers differ by more than rounding, relative to the largest; nan and inf must be equal.

    An infinite slack says that the number is chance: see `rounding`."""
    found, expected = np.atleast_1d(np.asarray(found, float)), np.atleast_1d(np.asarray(expected, float))
    slack = np.broadcast_to(slack, expected.shape)
    told = ~np.isposinf(slack)
    finite = np.isfinite(expected)
    if not np.array_equal((finite & told), np.isfinite(found) & told) or not np.array_equal(
        found[~finite & told], expected[~finite & told], equal_nan=True
    ):
        return True
    scale = max(1.0, float(np.abs(expected[finite]).max(initial=0.0)))
    room = 1e-10 * scale + slack[finite & told]
    some = finite & told
    return bool(np.any(np.abs(found[some] - expected[some]) > room))


def off(op: str, eps: float, seed: int, y: float, terms: Sequence[float]) -> float:
    """What an operation gave, moved by at most eps times its terms, and with any sign if it is a zero and a sum."""
    r = random.Random(f"{seed} {op} {terms}")
    if y == 0.0 and op in ("add", "sub", "mul", "dot"):
        y = r.choice([0.0, -0.0])
    size = eps * sum(map(abs, terms))
    return y + size * r.uniform(-1.0, 1.0) if 0.0 < size < math.inf else y


def shaken(root: Value, eps: float, seed: int) -> tuple[float, dict[Value, float]]:
    """A graph's value and the gradients of its leaves, if every operation makes a rounding error of its own (Parker,
    Monte Carlo arithmetic, 1997): relative to the terms of a sum, since they may be added up in another order. The same
    operation on the same numbers makes the same one, so that what is equal stays equal; a zero that is a sum, or a
    product in one, gets either sign."""
    order = topological_order(root)
    new: dict[Value, float] = {}
    slopes: dict[Value, Any] = {}
    sent: dict[Value, list[float]] = {root: [1.0]}
    for node in order:
        if not node.inputs:
            new[node] = node.data
            continue
        xs = [new[x] for x in node.inputs]
        y = SHEET[node.op].value(xs)
        exact = SHEET[node.op].local_derivatives(y, xs)
        terms = [p * x for p, x in zip(exact, xs, strict=True) if isinstance(p, float)]
        new[node] = y = off(node.op, eps, seed, y, [y, *terms])
        slopes[node] = SHEET[node.op].local_derivatives(y, xs)  # exp(x - y) has y's error, too
    gradient: dict[Value, float] = {}
    for node in reversed(order):
        gradient[node] = off("adjoint", eps, seed, sum(sent.get(node, [])), sent.get(node, []))
        for x, p in zip(node.inputs, slopes.get(node, ()), strict=True):
            if isinstance(p, float) and node in sent:
                sent.setdefault(x, []).append(gradient[node] * p)
    return new[root], gradient


def eager_shaken(case: Case, eps: float, seed: int, *batch: Any) -> tuple[float, Any]:
    """`eager` with `shaken` graphs."""
    found = [shaken(of_sample(case, *sample), eps, seed) for sample in zip(*batch, strict=True)]
    sent = [[gradient.get(p, 0.0) for _, gradient in found] for p in case.parameters]
    slopes = [off("adjoint", eps, seed, sum(each), each) / len(found) for each in sent]
    return sum(y for y, _ in found) / len(found), np.array(slopes)


def rounding(case: Case, X: Any, *others: Any, expected: tuple[float, Any]) -> Iterator[Any]:
    """How far the scalar code's own answers move, when what it is given is nudged by rounding errors; and for the loss
    those of the largest number in it: sums are added in another order, where 1e200 + 1 - 1e200 is 0, and not 1. Where
    numbers are that large or infinite, every operation makes rounding errors, too: what is left of 1/6 - 1/6, times
    inf, is inf, -inf or nan. And the sign of a zero is chance everywhere.

    Infinite, where they move from one infinity to the other, or to a number: sin(1e200) is as good as chance."""
    r = random.Random(0)
    before = [p.data for p in case.parameters]
    moved = []
    try:
        for _ in range(10):
            for p, number in zip(case.parameters, before, strict=True):
                p.data = number * (1.0 + 1e-15 * r.uniform(-1.0, 1.0))
            moved.append(eager(case, X * (1.0 + 1e-15 * np.sign(r.uniform(-1.0, 1.0))), *others))
    finally:
        for p, number in zip(case.parameters, before, strict=True):
            p.data = number
    samples = zip(X, *others, strict=True)
    nodes = [node for sample in samples for node in topological_order(of_sample(case, *sample))]
    sizes = [abs(node.data) for node in nodes]
    most = max(filter(math.isfinite, sizes), default=0.0)
    eps = 1e-15 if most > HUGE or not all(map(math.isfinite, sizes)) else 0.0
    moved += [eager_shaken(case, eps, seed, X, *others) for seed in range(10)]
    for k, room in ((0, 1e-14 * most), (1, 0.0)):
        away = [np.abs(np.asarray(m[k]) - expected[k]) for m in moved]
        chance = [np.isfinite(expected[k]) != np.isfinite(m[k]) for m in moved]
        chance += [np.isinf(expected[k]) & (np.asarray(m[k]) != expected[k]) for m in moved]
        yield np.where(np.any(chance, axis=0), math.inf, 100.0 * np.max(away, axis=0) + room)


class Trial(NamedTuple):
    """A batch that a program is run on, and a factor of its parameters for it."""

    name: str
    batch: tuple[Any, ...]
    scale: float = 1.0


class Stream(NamedTuple):
    """Who draws: of a seed a program, and what it is tried on."""

    program: Callable[[int], tuple[Case, list[str]]]
    trials: Callable[[Case, int], list[Trial]]


FIRST = Stream(random_program, lambda case, seed: [Trial("two samples", random_batch(case, seed))])


class Drawn:
    """One random program: what the scalar code gives for each trial, to hold what was compiled to it."""

    def __init__(self, seed: int, stream: Stream = FIRST) -> None:
        self.seed = seed
        self.case, self.told = stream.program(seed)
        self.trials = stream.trials(self.case, seed)
        self.before = [p.data for p in self.case.parameters]

    @contextmanager
    def moved(self, scale: float) -> Iterator[None]:
        """With other parameters."""
        try:
            for p, number in zip(self.case.parameters, self.before, strict=True):
                p.data = number * scale
            yield
        finally:
            for p, number in zip(self.case.parameters, self.before, strict=True):
                p.data = number

    @functools.cached_property
    def expected(self) -> list[tuple[float, Any]]:
        found = []
        for trial in self.trials:
            with self.moved(trial.scale):
                found.append(eager(self.case, *trial.batch))
        return found

    def compiled(self, backend: str, **options: Any) -> Compiled[Any]:
        case = self.case
        return autograd.compile(case.loss, *case.example, params=case.parameters, backend=backend, **options)

    def difference(self, step: Compiled[Any], trials: Sequence[int]) -> str:
        """Where the compiled program is wrong, if it is: in which trial, and what it gave and should have given."""
        place = {p: k for k, p in enumerate(self.case.parameters)}
        order = [place[p] for p in step.parameters]
        for k in trials:
            trial, (loss, gradient) = self.trials[k], self.expected[k]
            with self.moved(trial.scale):
                step.pull()
                for _ in range(2):  # the second call finds the memory of the first
                    mean = step(*trial.batch)
                    if wrong(mean, loss) or wrong(step.gradient, gradient[order]):
                        with np.errstate(all="ignore"):
                            slack, slacks = rounding(self.case, *trial.batch, expected=(loss, gradient))
                        if wrong(mean, loss, slack) or wrong(step.gradient, gradient[order], slacks[order]):
                            found = mean, step.gradient
                            return f"{' | '.join(self.told)}; {trial.name}\n  {found}\n  {(loss, gradient[order])}"
        return ""


def otherwise(drawn: Drawn, step: Compiled[Any]) -> str:
    """What is wrong, if anything, with what else one does with a compiled function: outputs of each sample, its text as
    a file of its own, a copy, single precision, the samples written into the function, a function that gives rows."""
    case, trial, (loss, gradient) = drawn.case, drawn.trials[0], drawn.expected[0]
    if not np.isfinite(gradient).all() or not math.isfinite(loss):
        return ""
    step.pull()
    order = [case.parameters.index(p) for p in step.parameters]
    right = loss, gradient[order]

    @functools.cache
    def rooms() -> tuple[Any, Any]:
        with np.errstate(all="ignore"):
            slack, slacks = rounding(case, *trial.batch, expected=(loss, gradient))
        return slack, slacks[order]

    def differs(found: tuple[Any, Any]) -> bool:
        return any(wrong(found[k], right[k], 1e-10) and wrong(found[k], right[k], 1e-10 + rooms()[k]) for k in (0, 1))

    n, backend = len(trial.batch[0]), step.backend
    each = [of_sample(case, *sample).data for sample in zip(*trial.batch, strict=True)]
    outputs = step.outputs(*trial.batch)
    if wrong(outputs, each) and wrong(outputs, each, n * rooms()[0]):
        return f"outputs {outputs}, not {each}"
    if backend in ("numpy", "python"):
        twin = copy.deepcopy(step)
        if differs((twin(*trial.batch), twin.gradient)):
            return "a copy gives something else"
        told = in_single(drawn, backend, right, rooms)
        if told:
            return told
    if backend == "numpy" and step.plan.backward:
        columns = [X.reshape(n, -1).T for X in trial.batch]
        alone: dict[str, Any] = {}
        exec(step.source, alone)
        with np.errstate(all="ignore"):
            found = alone["program"](step.theta, *columns)
        if differs(found):
            return f"the text gives {found}, not {right}"
    if backend != "jax":
        found = written_in(drawn, backend, step.parameters)
        if differs(found):
            return f"with the samples written in {found}, not {right}"
    rows = getattr(case.loss, "rows", None)
    if rows is not None and backend in ("numpy", "python", "javascript"):
        lists = autograd.compile(rows, *case.example, params=case.parameters, backend=backend, mean=False, check=False)
        samples = [rows(*as_given(case, sample)) for sample in zip(*trial.batch, strict=True)]
        numbers = [[[getattr(x, "data", x) for x in row] for row in sample] for sample in samples]
        found = np.ravel(lists(*trial.batch))
        if wrong(found, np.ravel(numbers)) and wrong(found, np.ravel(numbers), 1e3 * rooms()[0]):
            return f"rows {lists(*trial.batch)}, not {numbers}"
    return ""


def written_in(drawn: Drawn, backend: str, parameters: Sequence[Value]) -> tuple[float, Any]:
    """What a function without arguments gives that goes through the samples itself: the mean loss, and its gradient."""
    case, samples = drawn.case, [*zip(*drawn.trials[0].batch, strict=True)]

    def mean() -> Value:
        return sum([of_sample(case, *sample) for sample in samples], Value(0.0)) / len(samples)

    step = autograd.compile(mean, params=parameters, backend=backend, check=False)
    place = {p: k for k, p in enumerate(step.parameters)}
    return step(), step.gradient[[place[p] for p in parameters]]


def in_single(drawn: Drawn, backend: str, right: tuple[Any, Any], rooms: Callable[[], tuple[Any, Any]]) -> str:
    """What is wrong with a program in single precision, if anything: it is right to a hundredth, or as well as the
    scalar code whose operations make rounding errors of that size. Numbers that float32 has not are refused, and so are
    constants that come to one; and where only some result on the way is that large, what follows from it is another
    number, and not compared."""
    case, batch = drawn.case, drawn.trials[0].batch
    with np.errstate(all="ignore"):
        nodes = [x for sample in zip(*batch, strict=True) for x in topological_order(of_sample(case, *sample))]
    sizes = [abs(x.data) for x in nodes]
    given = [abs(x.data) for x in nodes if not x.inputs] + [
        float(np.abs(X[np.isfinite(X)]).max(initial=0.0)) for X in batch
    ]
    try:
        narrow = drawn.compiled(backend, check=False, dtype="float32")
        found = narrow(*batch), narrow.gradient
    except ValueError:
        return "" if any(x > SINGLE for x in [*given, *sizes]) else "refused in single precision"
    if any(SINGLE < x < math.inf for x in sizes) or not np.isfinite(narrow.gradient).all():
        return ""
    pairs = list(zip(found, right, strict=True))
    if not any(wrong(a, b, 1e-2) for a, b in pairs):
        return ""
    order = [case.parameters.index(p) for p in narrow.parameters]
    runs = [eager_shaken(case, 1e-7, seed, *batch) for seed in range(10)]
    away = np.max([np.abs(y - right[0]) for y, _ in runs]), np.max([np.abs(g[order] - right[1]) for _, g in runs], 0)
    excused = [1e-2 + 1e8 * room + 10.0 * far for room, far in zip(rooms(), away, strict=True)]
    if any(wrong(a, b, room) for (a, b), room in zip(pairs, excused, strict=True)):
        return f"in single precision {found}, not {right}"
    return ""


def compare(seed: int, backends: Sequence[str], stream: Stream = FIRST) -> tuple[str, str]:
    """One random program on some backends: "right", "refused" or "WRONG", and what there is to say about it."""
    drawn = Drawn(seed, stream)
    for backend in backends:
        try:
            step = drawn.compiled(backend, check=bool(seed % 8 == 0))
        except TracingError as error:
            return "refused", f"seed {seed}: {error}"
        difference = drawn.difference(step, range(len(drawn.trials)))
        if difference:
            return "WRONG", f"seed {seed} on {backend}: {difference}"
    return "right", ""


def available() -> list[str]:
    """The backends that this machine can run."""
    import importlib.util
    import shutil

    found = ["numpy", "python"]
    found += [name for name in ("jax", "numba") if importlib.util.find_spec(name)]
    return [*found, *(["javascript"] if shutil.which("node") else [])]
