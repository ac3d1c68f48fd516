"""Forward mode: numbers that carry their own derivative along; and `apply`, which takes numbers of every kind.

A `Dual` is a value and its slope in some direction, y + ẏ·ε with ε² = 0 (Clifford, 1873). An operation on duals is one
more reading of the derivative sheet: the rule's first half gives the value, and its second half the slope,

    ẏ = ∂y/∂a · ȧ + ∂y/∂b · ḃ

which is the chain rule in the direction of the computation: no graph, and no way back (Wengert, 1964, "A simple
automatic derivative evaluation program"). `autograd.jvp` calls a function with duals in the places of its numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from numbers import Real
from operator import ge, gt, le, lt
from typing import Any, NoReturn, overload

from . import ops
from .modes import recording
from .reals import is_real, to_float
from .symbols import Symbol
from .value import Operand, Value, is_constant, record

levels = itertools.count(1)  # each call of jvp has its own, so that the ε of one is never taken for that of another


def _operator(name: str, a: Any, b: Any) -> Any:
    """NotImplemented lets arrays and foreign types answer for themselves."""
    for x in (a, b):
        if not isinstance(x, (Value, Real, Dual)):
            return NotImplemented
    return apply(name, a, b)


def _both_ways(name: str) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """An operator's method, and the one for when the Dual stands on the right."""
    return lambda a, b: _operator(name, a, b), lambda a, b: _operator(name, b, a)


def _of_primals(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: compare(a.primal, b.primal if type(b) is Dual else b)


class Dual:
    """A number with its slope: ``primal`` + ``tangent``·ε. `autograd.jvp` makes them; arithmetic works as on a Value.

    Both parts may be plain numbers, Values, or Duals of a call of `jvp` around this one: ``level`` says of which call
    this one is.
    """

    __slots__ = ("primal", "tangent", "level")

    def __init__(self, primal: Any, tangent: Any, level: int) -> None:
        self.primal, self.tangent, self.level = primal, tangent, level

    def __repr__(self) -> str:
        return f"Dual(primal={self.primal!r}, tangent={self.tangent!r})"

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The operations of the sheet as methods, as Values have them: ``x.exp()``, ``y.atan2(x)``."""
        operation = _NUMPY_NAMES.get(name, name)
        if operation not in ops.SHEET or operation in ops.CHOICES:
            hint = ": it is a number on its way through jvp; for x.data write x.primal" * (name in ("data", "grad"))
            raise AttributeError(f"a Dual has no attribute {name!r}{hint}")
        return lambda *others: apply(operation, self, *others)

    def leaky_relu(self, alpha: Any = ops.LEAKY_SLOPE) -> Any:
        return apply("leaky_relu", self, alpha)

    @staticmethod
    def _of_two(name: str, a: Any, b: Any) -> Any:
        return apply(name, a, b)

    __add__, __radd__ = _both_ways("add")
    __sub__, __rsub__ = _both_ways("sub")
    __mul__, __rmul__ = _both_ways("mul")
    __truediv__, __rtruediv__ = _both_ways("div")
    __pow__, __rpow__ = _both_ways("pow")

    def __neg__(self) -> Any:
        return apply("neg", self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return apply("abs", self)

    # comparison looks at the numbers, == and hash at the object, as with Values

    def __eq__(self, other: object) -> bool:
        if is_real(other):
            raise TypeError(
                "== asks whether two numbers on their way through jvp are the same object, so one never equals a plain "
                f"number. For the number write x.equals({other!r})"
            )
        return self is other

    __hash__ = object.__hash__

    def __format__(self, spec: str) -> str:
        return format(self.primal, spec) if spec else repr(self)

    __lt__, __le__, __gt__, __ge__, equals = map(_of_primals, (lt, le, gt, ge, ops.equal))

    def __bool__(self) -> bool:
        return bool(self.primal)

    def __float__(self) -> NoReturn:
        raise TypeError(
            "float() of a Dual would drop its slope without a word. In a function that jvp differentiates, use "
            "autograd.exp, autograd.log, ... in place of math.exp, math.log, ..."
        )


_NUMPY_NAMES = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2"}


@overload
def apply(name: str, *operands: float) -> float: ...
@overload
def apply(name: str, *operands: Value) -> Value: ...
@overload
def apply(name: str, *operands: Operand) -> Value | float: ...
@overload
def apply(name: str, *operands: Any) -> Any: ...
def apply(name: str, *operands: Any) -> Any:
    """Apply an operation of the sheet: carry slopes along if any operand is a Dual, record it if any is a Value, else
    compute the number."""
    if Dual in map(type, operands):
        return _with_slope(name, operands)
    for x in operands:
        if isinstance(x, Value):
            return record(name, *operands)
    op = ops.SHEET[name]
    if Symbol in map(type, operands):  # a rule of a user's own, which is being written as a program
        return op.forward(*operands)
    wrong_count = op.input_count_error(len(operands))
    if wrong_count:
        raise ValueError(wrong_count)
    return op.value([to_float(x) for x in operands])


def _with_slope(name: str, operands: tuple[Any, ...]) -> Dual:
    """The sheet on duals of the innermost call of jvp; all other operands are constants to it."""
    level = max(x.level for x in operands if type(x) is Dual)
    ours = [type(x) is Dual and x.level == level for x in operands]
    primals = [x.primal if mine else x for x, mine in zip(operands, ours, strict=True)]
    y = apply(name, *primals)
    if isinstance(y, float):
        partials: Any = ops.SHEET[name].local_derivatives(y, [to_float(x) for x in primals])
    else:
        partials = ops.SHEET[name].partials(
            y, *[x.data if isinstance(x, Value) and is_constant(x) else x for x in primals]
        )
    slope: Any = ops.CUT  # no slope at all, which is not the same as a slope of 0: that times inf is nan
    for d, x, mine in zip(partials, operands, ours, strict=True):
        if mine and d is not None and d is not ops.CUT and x.tangent is not ops.CUT and recording():
            term = passed(x.tangent, d)
            slope = term if slope is ops.CUT else slope + term
    return Dual(y, slope, level)


def passed(slope: Any, partial: Any) -> Any:
    """slope · partial, and 0 where the path is cut; if the choice is a recorded one, so is this.

    There is no node for a product with a plain 1.
    """
    if partial is ops.CUT:
        return 0.0
    if isinstance(partial, Value) and _may_be_cut(partial):
        choice, *branches = partial.inputs
        return record("where", choice, *[passed(slope, x._data if is_constant(x) else x) for x in branches])
    return partial if is_number(slope, 1.0) else slope if is_number(partial, 1.0) else slope * partial


def _may_be_cut(partial: Value) -> bool:
    """Whether CUT is one of the numbers that a recorded choice chooses from."""
    if is_constant(partial):
        return partial._data is ops.CUT
    return partial.op == "where" and any(map(_may_be_cut, partial.inputs[1:]))


def is_number(x: Any, number: float) -> bool:
    """Whether this is a plain number, and this one."""
    return isinstance(x, Real) and bool(x == number)


def parts(x: Any, change: Callable[[Value], Any]) -> Any:
    """The same number with every Value in it changed: a Value itself, or the parts of a Dual."""
    if type(x) is Dual:
        return Dual(parts(x.primal, change), parts(x.tangent, change), x.level)
    return change(x) if isinstance(x, Value) else x
