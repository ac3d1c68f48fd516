"""What the functions take and give, for type checkers: with a Value the result is a Value, with numbers alone a float.

Nothing here does anything when a program runs: the decorators hand back the function that they are given, so ``help``
and tracebacks show that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar, overload

from .value import Operand, Value

# What comes in is what goes out. The third is for a name that may be the one or the other.
Number = TypeVar("Number", Value, float, Value | float)
OfNumbers = TypeVar("OfNumbers", covariant=True)
OfValues = TypeVar("OfValues", covariant=True)


class OfOne(Protocol):
    """A function of one number: a Value of a Value, a float of a float."""

    def __call__(self, x: Number) -> Number: ...


class OfTwo(Protocol):
    """A function of two numbers: a Value if one of them is a Value."""

    @overload
    def __call__(self, a: Value, b: Operand, /) -> Value: ...
    @overload
    def __call__(self, a: Operand, b: Value, /) -> Value: ...
    @overload
    def __call__(self, a: float, b: float, /) -> float: ...


class OfMany(Protocol[OfNumbers, OfValues]):
    """A function of any number of numbers, or of one list of them; it gives another kind if one of them is a Value."""

    @overload
    def __call__(self, *xs: float | Iterable[float]) -> OfNumbers: ...
    @overload
    def __call__(self, *xs: Operand | Iterable[Operand]) -> OfValues: ...


class Operation(Protocol):
    """What `register` gives: a function of as many numbers as the operation has inputs."""

    @overload
    def __call__(self, *operands: float) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, *operands: Operand) -> Value: ...


# --- what `grad` and its kin give: a function that gives back the kind of thing that it is given

T = TypeVar("T")


class Gradient(Protocol):
    """∂f/∂x, in the shape of x, the first argument."""

    @overload
    def __call__(self, x: float, /, *others: Any, **named: Any) -> float: ...
    @overload
    def __call__(self, x: list[float], /, *others: Any, **named: Any) -> list[float]: ...
    @overload
    def __call__(self, x: T, /, *others: Any, **named: Any) -> T: ...


class GradientBySecond(Protocol):
    """As `Gradient`, by the second argument (``argnum=1``)."""

    @overload
    def __call__(self, first: Any, x: float, /, *others: Any, **named: Any) -> float: ...
    @overload
    def __call__(self, first: Any, x: list[float], /, *others: Any, **named: Any) -> list[float]: ...
    @overload
    def __call__(self, first: Any, x: T, /, *others: Any, **named: Any) -> T: ...


class ValueAndGradient(Protocol):
    """(f(x), ∂f/∂x)"""

    @overload
    def __call__(self, x: Number, /, *others: Any, **named: Any) -> tuple[Number, Number]: ...
    @overload
    def __call__(self, x: list[Number], /, *others: Any, **named: Any) -> tuple[Number, list[Number]]: ...
    @overload
    def __call__(self, x: T, /, *others: Any, **named: Any) -> tuple[Value | float, T]: ...


class Rows(Protocol):
    """One row for each of f's results, or of f's gradient, in the shape of x: a Jacobian, a Hessian."""

    @overload
    def __call__(self, x: float, /, *others: Any, **named: Any) -> list[float]: ...
    @overload
    def __call__(self, x: list[float], /, *others: Any, **named: Any) -> list[list[float]]: ...
    @overload
    def __call__(self, x: T, /, *others: Any, **named: Any) -> list[T]: ...


class Curvature(Protocol):
    """∂²f/∂x²: a number for a number, a matrix for a list."""

    @overload
    def __call__(self, x: Number, /, *others: Any, **named: Any) -> Number: ...
    @overload
    def __call__(self, x: list[Number], /, *others: Any, **named: Any) -> list[list[Number]]: ...
    @overload
    def __call__(self, x: Any, /, *others: Any, **named: Any) -> Any: ...


def of_many_each(f: Callable[..., list[Any]]) -> OfMany[list[float], list[Value]]:
    return f
