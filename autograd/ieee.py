"""Float functions that follow IEEE 754, as NumPy, PyTorch and JAX do.

Python's own ``math`` raises where the standard has an answer: ``math.log(0)`` is a ValueError, where the standard says
-inf. A learner should see the number and where it came from, not a traceback out of the engine. So here nothing raises,
nothing is clamped and nothing turns complex: 1/0 is inf, log(-1) is nan, exp(710) is inf, (-8)**(1/3) is nan.

Every function takes and returns ``float``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

INF = math.inf
NAN = math.nan


def div(a: float, b: float) -> float:
    """a / b; x/0 is an infinity with the sign of both, 0/0 is nan."""
    try:
        return a / b
    except ZeroDivisionError:
        if a == 0 or a != a:
            return NAN
        return math.copysign(INF, a) * math.copysign(1.0, b)


def pow(a: float, b: float) -> float:
    """a to the power b, as C99 ``pow`` has it: 0**0 is 1, 0**-1 is inf, a negative base with a fraction is nan."""
    try:
        return math.pow(a, b)
    except (OverflowError, ValueError):
        if a < 0 and b != math.floor(b):
            return NAN
        return math.copysign(INF, a) if abs(math.fmod(b, 2.0)) == 1.0 else INF  # of an odd power, the base's sign


def _never_raising(f: Callable[[float], float], pole: float | None = None) -> Callable[[float], float]:
    """One of `math`'s functions, with -inf at its pole, nan outside its domain, and an infinity of the right sign where
    it overflows."""

    def g(a: float) -> float:
        try:
            return f(a)
        except ValueError:
            return -INF if a == pole else NAN
        except OverflowError:
            return math.copysign(INF, f(math.copysign(1.0, a)))

    g.__name__, g.__doc__ = f.__name__, f.__doc__
    return g


exp, expm1, sqrt, sin, cos, tan, asin, acos, sinh, cosh = map(
    _never_raising,
    (math.exp, math.expm1, math.sqrt, math.sin, math.cos, math.tan, math.asin, math.acos, math.sinh, math.cosh),
)
log, log1p = _never_raising(math.log, pole=0.0), _never_raising(math.log1p, pole=-1.0)
# these never raise
atan, atan2, hypot, erf, erfc, tanh = math.atan, math.atan2, math.hypot, math.erf, math.erfc, math.tanh


def sigmoid(a: float) -> float:
    """1 / (1 + e^-a), in two branches so that e is only ever raised to a negative power and cannot overflow."""
    if a >= 0:
        return 1.0 / (1.0 + math.exp(-a))
    e = math.exp(a)
    return e / (1.0 + e)


def softplus(a: float) -> float:
    """log(1 + e^a), in two branches: for large a it is a itself, for very negative a it is e^a."""
    return a + math.log1p(math.exp(-a)) if a > 0 else math.log1p(math.exp(a))


def maximum(xs: Sequence[float]) -> float:
    """The largest; nan if any is nan."""
    return NAN if any(map(math.isnan, xs)) else max(xs)


def logsumexp(xs: Sequence[float]) -> float:
    """log of the sum of e^x, shifted by the largest x so that nothing overflows: m + log of the sum of e^(x-m).

    One of the powers is 1. If the sum of the others is small, its digits would be lost beside it, so log1p adds the 1.
    """
    top = maximum(xs)
    if top in (INF, -INF) or top != top:
        return top
    rest, ones = 0.0, 0.0  # a plain loop: builtin sum() rounds differently from Python 3.12 on
    for x in xs:
        power = math.exp(x - top)
        if power == 1.0:
            ones += 1.0
        else:
            rest += power
    return top + math.log1p(rest + (ones - 1.0))
