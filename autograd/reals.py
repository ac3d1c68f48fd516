"""What counts as a real number, what to say of anything else, and the one zero that is told from all others."""

from __future__ import annotations

from numbers import Real
from typing import Any

# What an input gets that has no part in the result.
#
# Where relu is below 0, its input was not chosen: the result is a plain 0, and whatever the gradient above it is, even
# inf, none of it is this input's. A local derivative of 0 does not say that, because 0·inf is nan. So a rule gives CUT
# there, a 0.0 that is told from every other zero by its identity, and the backward passes send nothing along such an
# edge. A zero that was computed (the derivative of 0·x by x) stays a number: 0·inf is nan there, as in PyTorch.
#
# Out of `detach` no gradient ever goes back, whatever the numbers are: that edge is no edge, as a constant's is none.
# A rule may say that of an input by None in the place of its derivative.

CUT = float("0")  # a literal could be the same object as another literal


def is_real(x: Any) -> bool:
    """Whether this is a real number: an int, a float, a bool, a Fraction, or one of NumPy's scalars.

    NumPy counts all of its numbers among Python's but its bool (`numpy.bool_`, from NumPy 2 on called `numpy.bool`);
    and, for an int, a duration, which is none.
    """
    kind = type(x).__name__ if type(x).__module__ == "numpy" else ""
    return (isinstance(x, Real) and kind != "timedelta64") or kind in ("bool", "bool_")


def to_float(x: Any) -> float:
    """A real number as a ``float``; a TypeError that says what came, and what to do, for anything else."""
    if type(x) is float:
        return x
    if hasattr(x, "_tag"):  # known by a slot, since its class stands above this file
        raise TypeError(
            f"a Value holds a number, but got another Value: {x!r}. "
            "Use it as it is, or x.data for its number without its history"
        )
    if is_real(x):
        try:
            return float(x)
        except OverflowError:
            raise OverflowError("this int is too large for a float (the largest is about 1.8e308)") from None
    hints = {
        "; to read a formula use autograd.parse, to read a number float()": isinstance(x, str),
        "; Values are real, so use x.real, x.imag or abs(x)": isinstance(x, complex),
        "; its one number is x.item()": hasattr(x, "shape") and getattr(x, "size", 0) == 1,
        "; make one Value for each entry, as in [Value(v) for v in values]": isinstance(x, (list, tuple))
        or hasattr(x, "shape"),
        "; write float(x)": hasattr(x, "__float__"),  # a Decimal, say
    }
    hint = next((words for words, fits in hints.items() if fits), "")
    raise TypeError(f"a Value holds one real number, but got {type(x).__name__}: {short(x)}{hint}")


def short(x: Any) -> str:
    text = repr(x).replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "..."
