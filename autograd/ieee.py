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
    except OverflowError:
        odd = b == math.floor(b) and math.fmod(b, 2.0) != 0.0
        return -INF if a < 0 and odd else INF
    except ValueError:
        if a == 0:  # a negative power of zero
            odd = b == math.floor(b) and math.fmod(b, 2.0) != 0.0
            return math.copysign(INF, a) if odd else INF
        return NAN


def exp(a: float) -> float:
    """e to the power a; inf above 709.78."""
    try:
        return math.exp(a)
    except OverflowError:
        return INF


def log(a: float) -> float:
    """The natural logarithm; log(0) is -inf, below 0 it is nan."""
    try:
        return math.log(a)
    except ValueError:
        return -INF if a == 0 else NAN


def log1p(a: float) -> float:
    """log(1 + a), with the digits of a small a; log1p(-1) is -inf, below -1 it is nan."""
    try:
        return math.log1p(a)
    except ValueError:
        return -INF if a == -1 else NAN


def sqrt(a: float) -> float:
    """The square root; below 0 it is nan."""
    try:
        return math.sqrt(a)
    except ValueError:
        return NAN


def sin(a: float) -> float:
    """The sine of a in radians; of an infinity it is nan."""
    try:
        return math.sin(a)
    except ValueError:
        return NAN


def cos(a: float) -> float:
    """The cosine of a in radians; of an infinity it is nan."""
    try:
        return math.cos(a)
    except ValueError:
        return NAN


tanh = math.tanh  # never raises


def _never_raising(f: Callable[[float], float]) -> Callable[[float], float]:
    """One of `math`'s functions, with nan outside its domain, and an infinity of the right sign where it overflows."""

    def g(a: float) -> float:
        try:
            return f(a)
        except ValueError:
            return NAN
        except OverflowError:
            return math.copysign(INF, f(math.copysign(1.0, a)))

    g.__name__, g.__doc__ = f.__name__, f.__doc__
    return g


tan = _never_raising(math.tan)
asin = _never_raising(math.asin)
acos = _never_raising(math.acos)
sinh = _never_raising(math.sinh)
cosh = _never_raising(math.cosh)
expm1 = _never_raising(math.expm1)
atan, atan2, hypot, erf, erfc = math.atan, math.atan2, math.hypot, math.erf, math.erfc  # these never raise


def sigmoid(a: float) -> float:
    """1 / (1 + e^-a), in two branches so that e is only ever raised to a negative power and cannot overflow."""
    if a >= 0:
        return 1.0 / (1.0 + math.exp(-a))
    e = math.exp(a)
    return e / (1.0 + e)


def softplus(a: float) -> float:
    """log(1 + e^a), in two branches: for large a it is a itself, for very negative a it is e^a."""
    if a > 0:
        return a + math.log1p(math.exp(-a))
    return math.log1p(math.exp(a))


def maximum(xs: Sequence[float]) -> float:
    """The largest; nan if any is nan."""
    top = xs[0]
    for x in xs:
        if x > top or x != x:
            top = x
        if top != top:
            break
    return top


def minimum(xs: Sequence[float]) -> float:
    """The smallest; nan if any is nan."""
    return -maximum([-x for x in xs])


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


def dot(xs: Sequence[float], ys: Sequence[float]) -> float:
    """The sum of x·y, added from left to right."""
    total = 0.0
    for x, y in zip(xs, ys, strict=True):
        total += x * y
    return total
