"""`Comparison`: what ``a < b`` gives of Values. Python's own bool, but for its memory of what was compared.

While a function is being traced for the compiler, a comparison is asked of the tracer in its place (`compared`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from numbers import Real
from typing import Any

from .modes import STATE


class Comparison:
    """What a comparison of Values gives: True or False, with a memory of what was compared.

    It is used as Python's own bool is: in `if`, in sum(), as an index, in arithmetic, as an entry of a NumPy array. (A
    bool may have no subclass; and an int's NumPy would put into an array as the number 1, which as a mask picks row 1.)
    `where` asks for more: its choice is to be made again whenever the graph is computed again, so it records the
    comparison as a node. ``&``, ``|`` and ``~`` combine comparisons into one; `and`, `or` and `not` give an answer that
    remembers no more.
    """

    __slots__ = ("asked", "holds")

    asked: tuple[str, Any, Any]  # an operation of the sheet, and its operands: Values, numbers, or Comparisons
    holds: bool

    def __init__(self, asked: tuple[str, Any, Any], holds: bool) -> None:
        self.asked, self.holds = asked, holds

    def where(self, yes: Any, no: Any) -> Any:
        """The one that the comparison chooses, in a rule of the derivative sheet."""
        return yes if self.holds else no

    def __and__(self, other: Any) -> Any:
        if not isinstance(other, (bool, Comparison)):
            return NotImplemented
        return remembered("mul", self, other, bool(self and other))

    def __or__(self, other: Any) -> Any:
        if not isinstance(other, (bool, Comparison)):
            return NotImplemented
        return remembered("maximum", self, other, bool(self or other))

    __rand__, __ror__ = __and__, __or__

    def __invert__(self) -> Any:
        return remembered("sub", 1.0, self, not self)

    def __bool__(self) -> bool:
        return self.holds

    def __int__(self) -> int:
        return int(self.holds)

    __index__ = __int__

    def __float__(self) -> float:
        return float(self.holds)

    def __hash__(self) -> int:
        return hash(self.holds)

    def __repr__(self) -> str:
        return repr(self.holds)

    def __format__(self, spec: str) -> str:
        return format(self.holds, spec)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy

        return numpy.array(self.holds, dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        return bool, (self.holds,)  # a copy, or what is pickled, is the answer alone


Real.register(Comparison)  # as a bool is a real number: Value(x > 0), 2.0 * (x > 0)


def _as_bools_do(name: str) -> None:
    """Give Comparison an operator, and its reflected form: what it gives of the bool alone."""
    operate: Callable[..., Any] = getattr(operator, name)
    setattr(Comparison, f"__{name}__", lambda self, *other: operate(self.holds, *other))
    setattr(Comparison, f"__r{name}__", lambda self, other: operate(other, self.holds))


for _name in "eq ne lt le gt ge add sub mul truediv floordiv mod pow xor neg pos abs".split():
    _as_bools_do(_name)


def remembered(name: str, a: Any, b: Any, holds: Any) -> bool:
    """The Comparison that has this result."""
    if type(holds) is not bool and getattr(holds, "shape", None) != ():
        return holds  # type: ignore[no-any-return]  # an array has answered for itself
    comparison: Any = Comparison((name, a, b), bool(holds))
    return comparison  # type: ignore[no-any-return]


def compared(name: str, a: Any, b: Any, holds: Any) -> bool:
    """A comparison while some thread is tracing: in that thread, a choice that is made anew for each sample."""
    tracer = STATE.tracer
    if tracer is not None and (tracer.depends(a) or tracer.depends(b)):
        choice: bool = tracer.compare(name, a, b)
        return choice
    return remembered(name, a, b, holds)
