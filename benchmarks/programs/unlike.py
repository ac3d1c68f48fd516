"""More random programs: what people write, and `randomly` never draws.

Loops with lags of two and three, loops inside of loops, grids, sums over all that came before; rows that are picked
twice, or by a list of neighbours that may be empty; dynamic programs; networks over parameters alone; masks of -inf;
constants of 1e200; every operation of the sheet, and some of one's own; other arguments, read or not. The pieces of
`randomly` come in between. A seed makes another program here than there: streams are numbered by who draws from them.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import (
    Value,
    atan2,
    detach,
    dot,
    erf,
    erfc,
    gelu,
    grad,
    hypot,
    leaky_relu,
    log1p,
    logsumexp,
    maximum,
    minimum,
    ops,
    register,
    relu,
    softmax,
    where,
)  # fmt: skip

from .randomly import ELEMENTWISE, Maker, Piece, Rows, Stream, Trial, whole
from .scalars import Case, Weights, affine, linear, rising

Of = Callable[[Any], Any]
OfPair = Callable[[Any, Any], Any]

FUNCTIONS: dict[str, Of] = {
    "cos": lambda x: x.cos(),
    "log1p": lambda x: log1p(abs(x)),
    "expm1": lambda x: (0.3 * x).expm1(),
    "sinh": lambda x: (0.5 * x).sinh(),
    "cosh": lambda x: (0.3 * x).cosh(),
    "tan": lambda x: (0.3 * x).tan(),
    "asin": lambda x: (0.9 * x.tanh()).asin(),
    "acos": lambda x: (0.9 * x.sin()).acos(),
    "atan": lambda x: x.atan(),
    "erf": erf,
    "erfc": erfc,
    "gelu": gelu,
    "leaky": leaky_relu,
    "square root": lambda x: (x * x + 0.1).sqrt(),
    "square root of relu": lambda x: relu(x).sqrt(),
    "reciprocal": lambda x: (2.0 + x * x).reciprocal(),
    "one over": lambda x: 1.0 / x,
    "hypotenuse": lambda x: hypot(x, 0.5),
    "angle": lambda x: atan2(x, 1.5),
    "power of two": lambda x: 2.0 ** (0.3 * x),
    "power of 1.5": lambda x: abs(x) ** 1.5,
    "power of -2": lambda x: (abs(x) + 0.5) ** -2,
    "power of 0": lambda x: x**0 * 0.5 + x,
    "nothing": lambda x: x - x,
    "times 0": lambda x: x * 0.0 + x * 1.0,
    "over itself": lambda x: x / (x + 0.0),
    "there and back": lambda x: -(0.5 - x) + 0.5,
    "mirrored": lambda x: where(x <= 0.0, -x, x),
    "inside": lambda x: where((x > -0.5) & (x < 0.5), x * x, abs(x)),
    "not above or exactly": lambda x: where(~(x > 0.2) | x.equals(0.5), 0.3 * x, 1.0),
    "of one's square": lambda x: where(x >= x * x, x, x * x),
    "safe root": lambda x: where(x > 0.0, where(x > 0.0, x, 1.0).sqrt(), 0.0),
    "largest of three": lambda x: maximum(x, 0.5 * x, -x),
    "the same three times": lambda x: maximum(x, x, x) + minimum([x, x]),
    "sum of itself": lambda x: sum([x, x, x]),
    "dot with itself": lambda x: dot([x, x], [x, 0.5]),
    "huge and back": lambda x: (x * 1e200) * 1e-200,
    "step": lambda x: (1e200 * x).tanh(),
    "there and back again": lambda x: (x + 1000.0) - 1000.0,  # of 1e200 the program would make no sum at all
    "slope": grad(lambda v: (0.5 * v).tanh() * v),
    "second slope": grad(grad(lambda v: (v * v + 1.0).log() + v.sin())),
    "Newton's root": lambda x: newton(x * x + 0.5),
}

PAIRS: dict[str, OfPair] = {
    "difference": lambda x, y: x - y,
    "product": lambda x, y: x * y,
    "quotient": lambda x, y: x / (1.0 + y * y),
    "largest": maximum,
    "smallest": lambda x, y: minimum(x, y, 0.1),
    "hypotenuse": hypot,
    "angle": atan2,
    "the larger": lambda x, y: where(x > y, x, y),
    "product or one": lambda x, y: where(x <= y, x * y, y),
    "if equal": lambda x, y: where(x.equals(y), x + y, x - 0.5 * y),
    "distance": lambda x, y: abs(x - y),
    "slope of its own": lambda x, y: leaky_relu(x, y),
    "power": lambda x, y: (abs(x) + 0.5) ** y,
    "dot of both": lambda x, y: dot([x, y], [y, x]),
    "soft maximum": lambda x, y: logsumexp([x, y]),
    "share": lambda x, y: softmax([x, y])[0],
    "mean and cut": lambda x, y: 0.5 * (x + detach(y)),
}


def newton(x: Any) -> Any:
    """√x, by three steps of Newton's (Heron's) iteration."""
    y = x
    for _ in range(3):
        y = 0.5 * (y + x / y)
    return y


def squashed() -> Of:
    """An operation of one's own."""
    return register("squashed", lambda x: x / (1.0 + abs(x)), lambda y, x: (1.0 / ((1.0 + abs(x)) * (1.0 + abs(x))),))


def larger() -> OfPair:
    """One of two numbers, which cuts the path to the other."""
    return register(
        "larger_of_two",
        lambda a, b: ops.where(a >= b, a, b),
        lambda y, a, b: (ops.where(a >= b, 1.0, ops.CUT), ops.where(a >= b, ops.CUT, 1.0)),
    )


def bent() -> Of:
    """A rule that is not arithmetic: most backends refuse it."""
    return register("bent", lambda x: math.atan(float(x)), lambda y, x: (1.0 / (1.0 + float(x) * float(x)),))


class Wider(Maker):
    """Draws the pieces that `Maker` does not; ``side`` has what else the sample that runs brought along."""

    side: dict[str, Any]

    def some(self, names: Sequence[str]) -> str:
        found = self.random.choice(list(names))
        self.told.append(found)
        return found

    # --- entry by entry

    def function(self) -> Piece:
        f = FUNCTIONS[self.some(list(FUNCTIONS))]
        return lambda xs: [[f(x) for x in row] for row in xs]

    def pairs(self) -> Piece:
        """Two entries make one: of neighbouring rows or columns, of a row and its mirror image, of one row and all."""
        T, d = self.T, self.d
        f = PAIRS[self.some(list(PAIRS))]
        kind = self.some(["row before", "row after, round", "mirrored", "column after, round", "first row", "itself"])

        def run(xs: Rows) -> Rows:
            def other(t: int, i: int) -> Any:
                return {
                    "row before": lambda: xs[t - 1][i] if t else xs[0][i],
                    "row after, round": lambda: xs[(t + 1) % T][i],
                    "mirrored": lambda: xs[T - 1 - t][i],
                    "column after, round": lambda: xs[t][(i + 1) % d],
                    "first row": lambda: xs[0][i],
                    "itself": lambda: xs[t][i],
                }[kind]()

            return [[f(x, other(t, i)) for i, x in enumerate(row)] for t, row in enumerate(xs)]

        return run

    def constants(self) -> Piece:
        """A number of its own for each entry: as of dropout, or of positions."""
        r = self.random
        some: list[float] = r.choice([[0.0, 2.0], [1.0, -1.0, 0.5], [0.0, -0.0, 1.0], [1e200, 1e-200, 1.0], [0.3]])
        c = [[r.choice(some) for _ in range(self.d)] for _ in range(self.T)]
        kind = self.some(["times", "plus", "times, then plus", "over", "waves"])

        def run(xs: Rows) -> Rows:
            def made(t: int, i: int, x: Any) -> Any:
                if kind == "waves":
                    return x + math.sin(t / 10.0 ** (i / 2.0))
                if kind == "over":
                    return x / (c[t][i] or 1.0)
                y = x + c[t][i] if kind == "plus" else x * c[t][i]
                return y + c[t][i] if kind == "times, then plus" else y

            return [[made(t, i, x) for i, x in enumerate(row)] for t, row in enumerate(xs)]

        return run

    def own_operation(self) -> Piece:
        T, kind = self.T, self.random.random()
        if kind < 0.5:
            f = bent() if kind < 0.1 else squashed()
            self.told.append("an operation of one's own" + ", no arithmetic" * (kind < 0.1))
            return lambda xs: [[f(x) for x in row] for row in xs]
        g = larger()
        self.told.append("an operation of one's own, of two")
        return lambda xs: [[g(x, xs[(t + 1) % T][i]) for i, x in enumerate(row)] for t, row in enumerate(xs)]

    # --- which rows

    def picked(self) -> Piece:
        """Rows, or entries, by a list in which some come twice and others not at all."""
        r, T, d = self.random, self.T, self.d
        self.T = r.randint(1, 6)
        self.told.append("picked")
        if r.random() < 0.5:
            rows = [r.randrange(T) for _ in range(self.T)]
            return lambda xs: [list(xs[t]) for t in rows]
        places = [[(r.randrange(T), r.randrange(d)) for _ in range(d)] for _ in range(self.T)]
        return lambda xs: [[xs[t][i] for t, i in row] for row in places]

    def neighbours(self) -> Piece:
        """For each row what a list of others sends to it: a list that may be empty, or name one twice."""
        r, T, d = self.random, self.T, self.d
        lists = [[r.randrange(T) for _ in range(r.randint(0, 3))] for _ in range(T)]
        edges = [self.weights.vector(len(some)) for some in lists] if r.random() < 0.3 else None
        kind = "weighed" if edges else self.some(["sum", "mean", "largest", "soft maximum", "products"])
        self.told.append(f"neighbours {lists}")
        empty = r.choice(["nothing", "itself", "zero times itself"])

        def gathered(t: int, i: int, xs: Rows) -> Any:
            some = [xs[s][i] for s in lists[t]]
            if not some:
                return {"nothing": 0.0, "itself": xs[t][i], "zero times itself": 0.0 * xs[t][i]}[empty]
            if edges:
                return sum(w * v for w, v in zip(edges[t], some, strict=True))
            if kind == "products":
                return math.prod(some)
            total = {"sum": sum, "mean": sum, "largest": maximum, "soft maximum": logsumexp}[kind](some)
            return total / len(some) if kind == "mean" else total

        return lambda xs: [[xs[t][i] + gathered(t, i, xs) for i in range(d)] for t in range(T)]

    def spread(self) -> Piece:
        """A transposed convolution: what each row sends overlaps with what its neighbours send."""
        r, T, d = self.random, self.T, self.d
        width, stride = r.randint(2, 3), r.randint(1, 2)
        kernel = self.weights.vector(width)
        self.T = (T - 1) * stride + width
        self.told.append(f"spread by {width}, stride {stride}")

        def run(xs: Rows) -> Rows:
            ys: Rows = [[0.0] * d for _ in range(self_T)]
            for t, row in enumerate(xs):
                for j, k in enumerate(kernel):
                    ys[t * stride + j] = [y + k * x for y, x in zip(ys[t * stride + j], row, strict=True)]
            return [[y if isinstance(y, Value) else Value(y) for y in row] for row in ys]

        self_T = self.T
        return run

    def plane(self) -> Piece:
        """T×d as a picture: a kernel of 2×2 over it, zeros around it; or the largest of 2×2."""
        T, d = self.T, self.d
        kernel = self.weights.matrix(2, 2)
        kind = self.some(["kernel", "kernel", "largest of four"])

        def run(xs: Rows) -> Rows:
            def at(t: int, i: int) -> Any:
                return xs[t][i] if t < T and i < d else 0.0

            if kind == "kernel":
                return [
                    [sum(kernel[a][b] * at(t + a, i + b) for a in (0, 1) for b in (0, 1)) for i in range(d)]
                    for t in range(T)
                ]
            return [
                [maximum(at(t, i), at(t + 1, i), at(t, i + 1), at(t + 1, i + 1)) for i in range(d)] for t in range(T)
            ]

        return run

    # --- loops

    def lagged(self) -> Piece:
        """A state that needs the one of two or three turns ago, with or without those in between."""
        r, w, d = self.random, self.weights, self.d
        n, lag = r.randint(1, 3), r.randint(2, 3)
        lags = [lag] if r.random() < 0.5 else list(range(1, lag + 1))
        wx, ws, b = w.matrix(n, d), [w.matrix(n, n, 0.4) for _ in lags], w.vector(n)
        f = ELEMENTWISE[r.choice(["tanh", "sin", "quotient", "clipped"])]
        before = r.choice(["zeros", "none", "parameters"])
        first, back = w.vector(n), r.random() < 0.4
        self.d = n
        self.told.append(f"lags {lags} of {n}, before it {before}" + ", backward" * back)

        def run(xs: Rows) -> Rows:
            hs: Rows = []
            for t, x in enumerate(reversed(xs) if back else xs):
                z = affine(wx, b, x)
                for k, m in zip(lags, ws, strict=True):
                    if t >= k:
                        z = [p + q for p, q in zip(z, linear(m, hs[t - k]), strict=True)]
                    elif before != "none":
                        old = first if before == "parameters" else [0.0] * n
                        z = [p + q for p, q in zip(z, linear(m, old), strict=True)]
                hs.append([f(v) for v in z])
            return hs[::-1] if back else hs

        return run

    def nested(self) -> Piece:
        """In each turn a loop of its own; its state goes on in the next turn, or begins anew."""
        r, w, d = self.random, self.weights, self.d
        n, times, fresh = r.randint(1, 2), r.randint(2, 3), r.random() < 0.5
        wx, wh, b = w.matrix(n, d), w.matrix(n, n), w.vector(n)
        f = ELEMENTWISE[r.choice(["tanh", "sin", "sigmoid"])]
        self.d = n
        self.told.append(f"{times} turns in each turn of {n}" + ", begun anew" * fresh)

        def run(xs: Rows) -> Rows:
            h: list[Any] = [0.0] * n
            ys = []
            for x in xs:
                if fresh:
                    h = [0.0] * n
                for _ in range(times):
                    h = [f(p + q) for p, q in zip(affine(wx, b, x), linear(wh, h), strict=True)]
                ys.append(h)
            return ys

        return run

    def grid(self) -> Piece:
        """Each entry needs the one above and the one to the left; from any corner, by rows or by columns."""
        r, T, d = self.random, self.T, self.d
        p, q, c = self.weights.vector(3)
        f = ELEMENTWISE[r.choice(["tanh", "sin", "relu"])]
        border = r.choice([0.0, None, c])
        up, mirrored, by_column = (r.random() < 0.4 for _ in range(3))
        combine: OfPair = r.choice([lambda a, b: p * a + q * b, minimum, maximum, lambda a, b: p * a * b])
        self.told.append("grid" + ", up" * up + ", mirrored" * mirrored + ", by columns" * by_column)

        def run(xs: Rows) -> Rows:
            xs = [row[::-1] if mirrored else row for row in (xs[::-1] if up else xs)]
            ys: dict[tuple[int, int], Any] = {}
            order = [(t, i) for i in range(d) for t in range(T)] if by_column else None
            for t, i in order or [(t, i) for t in range(T) for i in range(d)]:
                above, left = ys.get((t - 1, i), border), ys.get((t, i - 1), border)
                some = [v for v in (above, left) if v is not None]
                y = xs[t][i] + (combine(*some) if len(some) == 2 else some[0] if some else c)
                ys[t, i] = f(y)
            rows = [[ys[t, i] for i in range(d)] for t in range(T)]
            return [row[::-1] if mirrored else row for row in (rows[::-1] if up else rows)]

        return run

    def over_the_past(self) -> Piece:
        """Each state sees all states before it, or the last two or three: a ragged row inside of a loop."""
        r, w, d = self.random, self.weights, self.d
        m, last = w.matrix(d, d), r.choice([None, None, 2, 3])
        kind = self.some(["sum", "mean", "largest", "soft maximum", "attention", "weighed"])
        kernel = w.vector(self.T)
        f = ELEMENTWISE[r.choice(["tanh", "sin", "quotient"])]
        self.told.append(f"over the past, {last or 'all'} of it")

        def seen(past: Rows, x: list[Any]) -> list[Any]:
            if kind == "attention":
                shares = softmax([sum(a * b for a, b in zip(x, h, strict=True)) for h in past])
                return [sum(s * h[i] for s, h in zip(shares, past, strict=True)) for i in range(d)]
            if kind == "weighed":
                return [sum(k * h[i] for k, h in zip(kernel, reversed(past), strict=False)) for i in range(d)]
            f = {"sum": sum, "mean": sum, "largest": maximum, "soft maximum": logsumexp}[kind]
            totals = [f([h[i] for h in past]) for i in range(d)]
            return [v / len(past) for v in totals] if kind == "mean" else totals

        def run(xs: Rows) -> Rows:
            hs: Rows = []
            for x in xs:
                past = hs[-last:] if last else hs
                z = [a + b for a, b in zip(x, linear(m, seen(past, x)), strict=True)] if past else x
                hs.append([f(v) for v in z])
            return hs

        return run

    def scanned(self) -> Piece:
        """Running products, extremes, means: along the rows, or along the columns, forward or back."""
        r = self.random
        p = self.weights.vector(1)[0]
        f: OfPair = {
            "sum": lambda a, x: a + x,
            "product": lambda a, x: a * x,
            "maximum": maximum,
            "minimum": minimum,
            "soft maximum": lambda a, x: logsumexp([a, x]),
            "moving average": lambda a, x: 0.9 * a + 0.1 * x,
            "learned average": lambda a, x: p * a + (1.0 - p) * x,
            "continued fraction": lambda a, x: x + 1.0 / (2.0 + a * a),
            "Horner": lambda a, x: a * p + x,
            "the larger": lambda a, x: where(x > a, x, a),
            "reset": lambda a, x: where(x > 0.5, x, a + x),
        }[
            self.some(
                ["sum", "product", "maximum", "minimum", "soft maximum", "moving average", "learned average",
                 "continued fraction", "Horner", "the larger", "reset"]
            )
        ]  # fmt: skip
        along_rows, back = r.random() < 0.4, r.random() < 0.3
        self.told.append("scanned" + " along rows" * along_rows + ", backward" * back)

        def scan(column: list[Any]) -> list[Any]:
            column = column[::-1] if back else column
            found = [column[0]]
            for x in column[1:]:
                found.append(f(found[-1], x))
            return found[::-1] if back else found

        def run(xs: Rows) -> Rows:
            if along_rows:
                return [scan(row) for row in xs]
            return [list(row) for row in zip(*[scan(list(c)) for c in zip(*xs, strict=True)], strict=True)]

        return run

    def chained(self) -> Piece:
        """The forward algorithm, or Viterbi's: what each state can come from, in every turn."""
        d, combine = self.d, self.random.choice([logsumexp, maximum, minimum])
        m = self.weights.matrix(d, d)
        self.told.append("chain of states")

        def run(xs: Rows) -> Rows:
            alpha, found = xs[0], [xs[0]]
            for x in xs[1:]:
                alpha = [combine([alpha[i] + m[i][j] for i in range(d)]) + x[j] for j in range(d)]
                found.append(alpha)
            return found

        return run

    def gated(self) -> Piece:
        """An LSTM, or a GRU."""
        r, w, d = self.random, self.weights, self.d
        n, kind = r.randint(1, 2), self.some(["LSTM", "GRU"])
        gates = [(w.matrix(n, d), w.matrix(n, n), w.vector(n)) for _ in range(4 if kind == "LSTM" else 3)]
        self.d = n

        def gate(k: int, x: list[Any], h: list[Any]) -> list[Any]:
            wx, wh, b = gates[k]
            return [p + q for p, q in zip(affine(wx, b, x), linear(wh, h), strict=True)]

        def run(xs: Rows) -> Rows:
            h: list[Any] = [0.0] * n
            c: list[Any] = [0.0] * n
            ys = []
            for x in xs:
                if kind == "LSTM":
                    i, o, g = ([v.sigmoid() for v in gate(k, x, h)] for k in range(3))
                    c = [a * v + b * z.tanh() for a, v, b, z in zip(g, c, i, gate(3, x, h), strict=True)]
                    h = [a * v.tanh() for a, v in zip(o, c, strict=True)]
                else:
                    z, s = ([v.sigmoid() for v in gate(k, x, h)] for k in range(2))
                    new = [v.tanh() for v in gate(2, x, [a * b for a, b in zip(s, h, strict=True)])]
                    h = [(1.0 - a) * b + a * v for a, b, v in zip(z, new, h, strict=True)]
                ys.append(h)
            return ys

        return run

    def motion(self) -> Piece:
        """Two states that move each other, a few steps: the second one reads what the first one has just become."""
        r, T = self.random, self.T
        p, q = self.weights.vector(2)
        steps = r.randint(2, 4)
        self.told.append(f"motion of {steps} steps")

        def run(xs: Rows) -> Rows:
            vs = [[0.1 * x for x in xs[(t + 1) % T]] for t in range(T)]
            for _ in range(steps):
                vs = [[v - 0.1 * (p * x).sin() for v, x in zip(a, b, strict=True)] for a, b in zip(vs, xs, strict=True)]
                xs = [[x + 0.1 * q * v for v, x in zip(a, b, strict=True)] for a, b in zip(vs, xs, strict=True)]
            return xs

        return run

    def descent(self) -> Piece:
        """Each row goes down the slope of an energy, which is differentiated inside."""
        d = self.d
        m, b = self.weights.matrix(2, d), self.weights.vector(2)
        self.told.append("descent")

        def energy(h: Any) -> Any:
            return sum(z.softplus() for z in affine(m, b, h))

        def run(xs: Rows) -> Rows:
            for _ in range(2):
                xs = [[v - 0.3 * s for v, s in zip(x, grad(energy)(x), strict=True)] for x in xs]
            return xs

        return run

    # --- rows of rows

    def shrinking(self) -> Piece:
        """De Casteljau's: neighbours become one, again and again, so that each level is shorter than the one before."""
        r, T = self.random, self.T
        levels = r.randint(1, min(3, T - 1)) if T > 1 else 0
        shares = self.weights.vector(max(levels, 1))
        one = r.random() < 0.5
        f = r.choice([lambda x: x, lambda x: x.tanh()])
        self.T = T - levels
        self.told.append(f"shrinking by {levels}")

        def run(xs: Rows) -> Rows:
            for k in range(levels):
                s = shares[0 if one else k]
                xs = [[f((1.0 - s) * a + s * b) for a, b in zip(p, q, strict=True)] for p, q in itertools.pairwise(xs)]
            return xs

        return run

    def tree(self) -> Piece:
        """Pairs become one, and their pairs, until one row is left; who has no partner waits."""
        self.T = 1
        m = self.weights.matrix(self.d, 2 * self.d)
        f = ELEMENTWISE[self.some(["tanh", "relu", "sin"])]
        self.told.append("tree")

        def run(xs: Rows) -> Rows:
            while len(xs) > 1:
                pairs = [[f(z) for z in linear(m, [*a, *b])] for a, b in zip(xs[::2], xs[1::2], strict=False)]
                xs = pairs + ([xs[-1]] if len(xs) % 2 else [])
            return xs

        return run

    def products(self) -> Piece:
        """Every row with every row: products, distances, or those of each pair once."""
        T, d = self.T, self.d
        if T > 4:
            return self.pairs()
        kind = self.some(["products", "distances", "each pair once"])
        if kind == "each pair once":
            return lambda xs: [
                [x + sum((xs[s][i] * x for s in range(t)), 0.0) for i, x in enumerate(xs[t])] for t in range(T)
            ]
        self.d = T

        def of(a: list[Any], b: list[Any]) -> Any:
            if kind == "products":
                return sum(x * y for x, y in zip(a, b, strict=True)) / d
            return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))

        return lambda xs: [[of(a, b) for b in xs] for a in xs]

    def normed_over_all(self) -> Piece:
        """Over the rows of a column, or over everything: mean and variance, a softmax, the largest."""
        T, d = self.T, self.d
        kind = self.some(["standardised", "softmax", "largest", "shifted softmax", "total", "normalised"])
        by_column = self.random.random() < 0.5
        self.told.append("of columns" if by_column else "of all")

        def normed(v: list[Any]) -> list[Any]:
            if kind == "standardised":
                mean = sum(v) / len(v)
                scale = (sum((x - mean) ** 2 for x in v) / len(v) + 0.1) ** -0.5
                return [(x - mean) * scale for x in v]
            if kind == "softmax":
                return list(softmax(v))
            if kind == "largest":
                top = maximum(v)
                return [x - top for x in v]
            if kind == "shifted softmax":  # as it is written by hand
                top = detach(maximum(v))
                powers = [(x - top).exp() for x in v]
                total = sum(powers)
                return [p / total for p in powers]
            if kind == "total":
                total = sum(v)
                return [x * total for x in v]
            size = sum(abs(x) for x in v)
            return [x / (size + 0.1) for x in v]

        def run(xs: Rows) -> Rows:
            if by_column:
                return [list(r) for r in zip(*[normed(list(c)) for c in zip(*xs, strict=True)], strict=True)]
            flat = normed([x for row in xs for x in row])
            return [flat[t * d : (t + 1) * d] for t in range(T)]

        return run

    def masked_attention(self) -> Piece:
        """Attention with a mask of numbers, -inf or -1e9, or of `where`; who sees whom is random, and may be nobody."""
        r, w, d, T = self.random, self.weights, self.d, self.T
        q, k = w.matrix(2, d), w.matrix(2, d)
        low = r.choice([-math.inf, -1e9, -1e30])
        sees = [[r.random() < 0.7 or (s == t and r.random() < 0.9) for s in range(T)] for t in range(T)]
        if r.random() < 0.4:
            sees = [[s <= t for s in range(T)] for t in range(T)]
        kind = self.some(["mask added", "mask chosen", "mask and slope"])
        slope = w.vector(1)[0]
        self.told.append(f"masked attention, {low}")

        def run(xs: Rows) -> Rows:
            qs, ks = ([linear(m, x) for x in xs] for m in (q, k))
            ys = []
            for t in range(T):
                scores = [sum(a * b for a, b in zip(qs[t], ks[s], strict=True)) for s in range(T)]
                if kind == "mask and slope":
                    scores = [z - slope * abs(t - s) for s, z in enumerate(scores)]
                if kind == "mask chosen":
                    scores = [where(sees[t][s], z, low) for s, z in enumerate(scores)]
                else:
                    scores = [z + (0.0 if sees[t][s] else low) for s, z in enumerate(scores)]
                shares = softmax(scores)
                ys.append([sum(p * x[i] for p, x in zip(shares, xs, strict=True)) for i in range(d)])
            return ys

        return run

    def experts(self) -> Piece:
        """Several layers, and shares that weigh what they give."""
        r, w, d = self.random, self.weights, self.d
        count, n = r.randint(2, 3), r.randint(1, 3)
        gates, layers = w.matrix(count, d), [w.matrix(n, d) for _ in range(count)]
        self.d = n
        self.told.append(f"{count} experts")

        def run(xs: Rows) -> Rows:
            ys = []
            for x in xs:
                shares, found = softmax(linear(gates, x)), [linear(m, x) for m in layers]
                ys.append([sum(s * f[i] for s, f in zip(shares, found, strict=True)) for i in range(n)])
            return ys

        return run

    def solved(self) -> Piece:
        """In each row every entry needs those before it: a triangular system."""
        m = self.weights.matrix(self.d, self.d)
        self.told.append("solved")

        def run(xs: Rows) -> Rows:
            rows = []
            for x in xs:
                y: list[Any] = []
                for i, v in enumerate(x):
                    y.append((v - sum((m[i][j] * y[j] for j in range(i)), 0.0)) / (1.0 + m[i][i] * m[i][i]))
                rows.append(y)
            return rows

        return run

    # --- parameters

    def of_parameters(self) -> Piece:
        """A matrix that is computed from parameters alone."""
        r, w, d = self.random, self.weights, self.d
        n = r.randint(1, 3)
        a, b = w.matrix(n, d), w.matrix(d, d)
        kind = self.some(["normalised", "a product", "shares", "exp", "a loop", "scanned", "one number", "chosen"])
        self.d = n

        def matrix() -> Rows:
            if kind == "normalised":
                return [[v * (sum(x * x for x in row) + 0.01) ** -0.5 for v in row] for row in a]
            if kind == "a product":
                return [linear(list(zip(*b, strict=True)), row) for row in a]
            if kind == "shares":
                return [list(softmax(row)) for row in a]
            if kind == "exp":
                return [[(0.5 * v).exp() for v in row] for row in a]
            if kind == "chosen":
                return [[where(v > b[0][0], v, 0.1 * v) for v in row] for row in a]
            if kind == "one number":
                return [[a[0][0] for _ in row] for row in a]
            rows = [a[0]]
            for k in range(1, n):
                before = rows[-1]
                rows.append([z.tanh() for z in linear(b, before)] if kind == "a loop" else
                            [p + q for p, q in zip(before, a[k], strict=True)])  # fmt: skip
            return rows

        return lambda xs: [linear(m, x) for m in [matrix()] for x in xs]

    def tied(self) -> Piece:
        """One matrix in several places: and its transpose, twice in a row, by its diagonal, each entry once."""
        w, d = self.weights, self.d
        m = w.matrix(d, d)
        kind = self.some(["and its transpose", "twice", "diagonal", "symmetric", "with the rows before"])

        def run(xs: Rows) -> Rows:
            turned = list(zip(*m, strict=True))
            if kind == "and its transpose":
                return [linear(turned, [z.tanh() for z in linear(m, x)]) for x in xs]
            if kind == "twice":
                return [linear(m, linear(m, x)) for x in xs]
            if kind == "diagonal":
                return [[m[i][i] * v for i, v in enumerate(x)] for x in xs]
            if kind == "symmetric":
                return [[sum(m[max(i, j)][min(i, j)] * v for j, v in enumerate(x)) for i in range(d)] for x in xs]
            return [
                [a + b for a, b in zip(linear(m, x), linear(turned, xs[t - 1]), strict=True)] if t else linear(m, x)
                for t, x in enumerate(xs)
            ]

        return run

    # --- other arguments

    def sided(self) -> Piece:
        """With another argument: a number, or one for each row of the first."""
        T, kind = self.T, self.some(["number", "number", "rows", "chosen by rows"])

        def run(xs: Rows) -> Rows:
            s, ys = self.side["number"], self.side["rows"]
            if kind == "number":
                return [[x * s + 0.1 for x in row] for row in xs]
            if kind == "rows":
                return [[x + ys[t % len(ys)] for x in row] for t, row in enumerate(xs)]
            return [[where(ys[t % len(ys)] > 0.0, x, 0.5 * x) for x in row] for t, row in enumerate(xs)]

        assert T == self.T
        return run

    def looked_up_again(self) -> Piece:
        """One index in several places: two tables, a table and its transpose, a cell of a table, in a loop."""
        r, w, T, d = self.random, self.weights, self.T, self.d
        count = r.randint(1, 4)
        kind = self.some(["two tables", "and its transpose", "cell", "in a loop", "the same for all", "of states"])
        of = [self.index(count) for _ in range(T)]
        on = self.index(T)
        table, other, cells = w.matrix(count, d), w.matrix(count, d), w.matrix(count, count)

        def run(xs: Rows) -> Rows:
            ks = self.indices
            if kind == "two tables":
                return [
                    [x + a * b for x, a, b in zip(row, table[ks[of[t]]], other[ks[of[t]]], strict=True)]
                    for t, row in enumerate(xs)
                ]
            if kind == "and its transpose":
                return [
                    [x + a * sum(linear(table, row)) for x, a in zip(row, table[ks[of[t]]], strict=True)]
                    for t, row in enumerate(xs)
                ]
            if kind == "cell":
                found = [cells[ks[k]] for k in of]
                order = zip(xs, found, [of[-1], *of], strict=False)
                return [[x + after[ks[k]] for x in row] for row, after, k in order]
            if kind == "in a loop":
                h: list[Any] = [0.0] * d
                hs = []
                for t, row in enumerate(xs):
                    h = [(0.5 * a + x + e).tanh() for a, x, e in zip(h, row, table[ks[of[t]]], strict=True)]
                    hs.append(h)
                return hs
            if kind == "the same for all":
                return [[x * e for x, e in zip(row, table[ks[of[0]]], strict=True)] for row in xs]
            states = [[x.tanh() for x in row] for row in xs]
            return [[x + y for x, y in zip(row, states[ks[on]], strict=True)] for row in states]

        return run

    # --- ends

    def end(self) -> Callable[[Rows], Any]:
        r = self.random
        if r.random() < 0.4:
            return super().end()
        kind = self.some(
            ["cross entropy", "one entry", "largest", "product", "and a penalty", "running total", "targets", "nested"]
        )
        target = r.randrange(self.d)
        values = self.weights.values
        several = len(values) > 0

        def run(xs: Rows) -> Any:
            flat = [x for row in xs for x in row]
            if kind == "cross entropy":
                return sum(logsumexp(row) - row[target] for row in xs) / len(xs)
            if kind == "one entry":
                return xs[-1][0] * 1.0
            if kind == "largest":
                return maximum(flat) - minimum(flat)
            if kind == "product":
                return math.prod(x.tanh() + 1.5 for x in flat)
            if kind == "and a penalty":
                penalty: Any = sum(v * v for v in values) if several else 0.0
                return sum(x.sin() for x in flat) + 0.01 * penalty + sum(abs(v) for v in values)
            if kind == "running total":
                total = flat[0]
                for x in flat[1:]:
                    total = where(total > 2.0, total * 0.5, total + x)
                return total
            if kind == "targets":
                ys = self.side["rows"]
                return sum((x - ys[k % len(ys)]) ** 2 for k, x in enumerate(flat))
            return logsumexp([logsumexp(row) for row in xs])

        return run


def kinds_of(maker: Wider, seed: int) -> list[Callable[[], Piece]]:
    """What is drawn from: a third of it are the pieces of `Maker`."""
    return [
        maker.function, maker.function, maker.pairs, maker.pairs, maker.constants, maker.picked, maker.neighbours,
        maker.neighbours, maker.spread, maker.plane, maker.lagged, maker.lagged, maker.nested, maker.grid,
        maker.over_the_past, maker.over_the_past, maker.scanned, maker.scanned, maker.chained, maker.gated,
        maker.motion, maker.descent, maker.shrinking, maker.tree, maker.products, maker.normed_over_all,
        maker.masked_attention, maker.experts, maker.solved, maker.of_parameters, maker.tied, maker.sided,
        *[maker.own_operation] * (seed % 7 == 0) * 4, *[maker.looked_up_again] * (seed % 3 == 0) * 6,
        *[maker.looked_up] * (seed % 3 == 0) * 3,
        maker.elementwise, maker.mapped, maker.mapped, maker.gains, maker.windows, maker.pooled, maker.recurrence,
        maker.recurrence, maker.ragged, maker.attention, maker.normed, maker.layers, maker.corner, maker.turned,
        maker.round,
    ]  # fmt: skip


def random_program(seed: int) -> tuple[Case, list[str]]:
    """A case, and its pieces in words. Its arguments: rows; indices, if it has any; a number; a number for each row;
    and one that nobody reads."""
    r = random.Random(f"unlike {seed}")
    T, d = r.randint(1, 5), r.randint(1, 3)
    maker = Wider(r, Weights(seed), T, d)
    kinds = kinds_of(maker, seed)
    pieces: list[Piece] = []
    for _ in range(r.randint(1, 4)):
        if maker.T * maker.d <= 18:  # a program that grows takes time, and finds no more
            pieces.append(r.choice(kinds)())
    end = maker.end()
    sided = r.random() < 0.5

    def rows(xs: Any, *others: Any) -> Any:
        given = list(others)
        maker.indices = given.pop(0) if maker.counts else []
        maker.side = dict(zip(("number", "rows", "unread"), given, strict=False)) or {
            "number": 0.7,
            "rows": [0.2, -0.1],
        }
        for piece in pieces:
            xs = piece(xs)
        return xs

    def loss(xs: Any, *others: Any) -> Any:
        return end(rows(xs, *others)) + 0.0

    loss.rows, loss.maker = rows, maker  # type: ignore[attr-defined]
    example = [rising(T, d), *([[autograd.Index(n) for n in maker.counts]] if maker.counts else [])]
    if sided:
        example += [0.4, rising(T), [0.1, 0.2]]
    unused = [Value(0.5)] if r.random() < 0.2 else []
    return Case(loss, example, [*maker.weights.values, *unused]), [f"{T} rows of {d}", *maker.told]


def random_trials(case: Case, seed: int, told: Sequence[str] = ()) -> list[Trial]:
    """Batches, and by how much the parameters are moved for each: ordinary numbers; some that are infinite, nan, zero
    or huge; many that are equal; other parameters; one sample, or three. ``told`` is the program in words."""
    r, generator = random.Random(seed), np.random.default_rng(seed)
    chooses = any("of states" in words for words in told)

    def batch(n: int, kind: str) -> tuple[Any, ...]:
        arrays = []
        for argument in case.example:
            if whole(argument):
                arrays.append(np.array([[r.randrange(i.count) for i in argument] for _ in range(n)]))
                continue
            X = generator.normal(size=(n, *np.shape(argument)))
            if kind == "equal":
                X = np.clip(np.round(X * 2.0) / 2.0, -1.0, 1.0)
            if kind == "special" and X.ndim > 1 and not chooses:
                for _ in range(r.randint(1, 2)):
                    where_to = tuple(r.randrange(size) for size in X.shape)
                    X[where_to] = r.choice([math.inf, -math.inf, math.nan, 0.0, -0.0, 1e200, -1e200, 1e-310])
            arrays.append(X)
        return tuple(arrays)

    return [
        Trial("ordinary", batch(2, "ordinary"), 1.0),
        Trial("special", batch(2, "special"), 1.0),
        Trial("equal", batch(2, "equal"), 1.0),
        Trial("equal and moved", batch(2, "equal"), -1.7),
        Trial("another size", batch(r.choice([1, 3]), r.choice(["ordinary", "special"])), 0.6),
        Trial("zero parameters", batch(2, "ordinary"), 0.0),
    ]


def _told(case: Case) -> list[str]:
    found: list[str] = case.loss.maker.told  # type: ignore[attr-defined]
    return found


SECOND = Stream(random_program, lambda case, seed: random_trials(case, seed, _told(case)))
