"""Symbols: what the derivative sheet's rules are run on to become text.

A rule is plain arithmetic, so run on symbols it gives a small tree: the partials of tanh give ``1.0 - y * y`` as a tree
over the symbol y. Such trees are printed as the engine's fast methods (`autograd.kernels`), as the formulas that people
read (`autograd.formulas`), and as the programs of `autograd.compiler`.

A symbol's shape is a tuple of sizes; that of a single number is (). For the compiler, -1 stands for the batch, and -p
for p times the batch. A symbol may stand for a whole row of inputs, one axis in front of the others; `fold_largest` and
`fold_total` then reduce that axis. If there is only one such row, [K, 1, N] is written [K, N], and reducing leaves
[1, N].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from .reals import CUT

Shape = tuple[int, ...]
BATCH = -1
WORDS = (
    *("exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "softplus"),
    *("tan", "asin", "acos", "atan", "atan2", "hypot", "sinh", "cosh", "log1p", "expm1", "erf", "erfc"),
)
NO_ROW, ROWS, ONE_ROW = 0, 1, 2
COMPARISONS = ("<", "<=", ">", ">=", "==")


Both: TypeAlias = "tuple[Callable[[Any, Any], Symbol], Callable[[Any, Any], Symbol]]"


def _both_ways(operator: str) -> Both:
    """An operator's method, and the one for when the symbol stands on the right."""
    return lambda a, b: binary(operator, a, b), lambda a, b: binary(operator, b, a)


class Symbol:
    """A tree: an operator and its arguments. The operator "leaf" has a name, the operator "number" a float."""

    __slots__ = ("operator", "arguments", "shape", "detail", "row", "size")

    def __init__(
        self, operator: str, arguments: tuple[Symbol, ...], shape: Shape, detail: Any = None, row: int | None = None
    ) -> None:
        self.operator, self.arguments, self.shape, self.detail = operator, arguments, shape, detail
        self.row: int = max((x.row for x in arguments), default=NO_ROW) if row is None else row
        self.size: int = 1 + sum(x.size for x in arguments)

    # --- arithmetic, with the simplifications by which unused partials vanish

    __add__, __radd__ = _both_ways("+")
    __sub__, __rsub__ = _both_ways("-")
    __mul__, __rmul__ = _both_ways("*")
    __truediv__, __rtruediv__ = _both_ways("/")

    def __pow__(self, other: Any) -> Symbol:
        exponent = lift(other)
        if exponent.operator == "number":  # what pow gives too, bit for bit, but ten times as fast
            if exponent.detail == 0.0:
                return number(1.0)
            if exponent.detail == 1.0:
                return self
            if exponent.detail == 2.0:
                return binary("*", self, self)
        return binary("pow", self, exponent)

    def __rpow__(self, other: Any) -> Symbol:
        return binary("pow", other, self)

    def __neg__(self) -> Symbol:
        if self.operator == "number":
            return number(-self.detail)
        return self.arguments[0] if self.operator == "neg" else Symbol("neg", (self,), self.shape)

    def __abs__(self) -> Symbol:
        return Symbol("abs", (self,), self.shape)

    (__lt__, _), (__le__, _), (__gt__, _), (__ge__, _), (equals, _) = map(_both_ways, COMPARISONS)

    def _of_two(self, word: str, a: Any, b: Any) -> Symbol:
        x, y = lift(a), lift(b)
        return Symbol(word, (x, y), broadcast(x.shape, y.shape))

    def where(self, yes: Any, no: Any) -> Symbol:
        parts = (self, lift(yes), lift(no))
        return Symbol("where", parts, broadcast(*(p.shape for p in parts)))

    def two_forms(self, near: Any, far: Any) -> Symbol:
        """An array takes the near form; a single number the one that its own condition chooses."""
        return lift(near) if self.shape else self.where(near, far)

    def __getattr__(self, word: str) -> Callable[[], Symbol]:
        if self.row and word in ("fold_largest", "fold_total"):
            return lambda: folded("max" if word == "fold_largest" else "sum", self, self.row == ONE_ROW)
        if word not in WORDS:
            raise AttributeError(word)
        return lambda: Symbol(word, (self,), self.shape)

    # --- what a rule must not ask of a symbol

    def __bool__(self) -> bool:
        raise TypeError("it uses `if`, `and` or max() on a number; write autograd.ops.where(condition, yes, no)")

    def __float__(self) -> float:
        raise TypeError("it uses a function that works on floats only; use autograd.exp, autograd.log, ...")


def number(x: float) -> Symbol:
    return Symbol("number", (), (), float(x))


def leaf(name: Any, shape: Shape, row: int = NO_ROW) -> Symbol:
    return Symbol("leaf", (), shape, name, row)


def lift(x: Any) -> Symbol:
    return x if isinstance(x, Symbol) else number(x)


def is_cut(x: Symbol) -> bool:
    return x.detail is CUT


def is_number(x: Symbol, value: float) -> bool:
    """Whether an expression is this number, and of a zero with its sign."""
    return bool(x.operator == "number" and x.detail == value and math.copysign(1.0, x.detail * value) == 1.0)


def broadcast(*shapes: Shape) -> Shape:
    """The shape of an elementwise result: aligned at the end, a size of 1 stretches."""
    result: list[int] = []
    for i in range(1, max(map(len, shapes)) + 1):
        sizes = {s[-i] for s in shapes if len(s) >= i} - {1}
        if len(sizes) > 1:
            raise AssertionError(f"shapes do not fit: {shapes}")
        result.append(sizes.pop() if sizes else 1)
    return tuple(reversed(result))


def binary(operator: str, left: Any, right: Any) -> Symbol:
    a: Symbol = lift(left)
    b: Symbol = lift(right)
    if operator == "*":
        for one, other in ((a, b), (b, a)):
            if is_number(one, 1.0):
                return other
            if is_number(one, -1.0):
                return -other
        if a.operator == "neg" and b.operator != "number":
            return -(a.arguments[0] * b)
        if b.operator == "neg" and a.operator != "number":
            return -(a * b.arguments[0])
    elif operator == "+":
        if is_number(a, 0.0):  # (0 + -0.0 is 0.0 where -0.0 would stay: a difference nobody can see but in a sign)
            return b
        if is_number(b, 0.0):
            return a
        if b.operator == "neg":
            return binary("-", a, b.arguments[0])
        if a.operator == "neg":
            return binary("-", b, a.arguments[0])
    elif operator == "-":
        if is_number(b, 0.0):
            return a
        if b.operator == "neg":
            return binary("+", a, b.arguments[0])
    elif operator == "/" and is_number(b, 1.0):
        return a
    if a.operator == b.operator == "number" and operator in _FOLD:
        return number(_FOLD[operator](a.detail, b.detail))
    return Symbol(operator, (a, b), broadcast(a.shape, b.shape))


_FOLD: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}


def folded(operator: str, x: Symbol, keep: bool = False, axis: int = 0) -> Symbol:
    """The "sum" or "max" along one axis, which vanishes, or is kept with size 1."""
    shape = list(x.shape)
    shape[axis : axis + 1] = [1] if keep else []
    return Symbol(operator, (x,), tuple(shape), (axis, keep), NO_ROW)
