"""Learning-rate schedules: functions of the step number t = 0, 1, 2, … (or of the epoch, in `fit(schedule=...)`).

Give one to an optimiser in place of a number, ``SGD(lr=cosine(0.1, 500))``, and it counts steps. Any function of one
int will do.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .checks import number, positive

Schedule = Callable[[int], float]


class _Named:
    """A schedule that prints as the call that made it."""

    def __init__(self, words: str, rule: Schedule) -> None:
        self._words, self._rule = words, rule

    def __call__(self, t: int) -> float:
        return self._rule(t)

    def __repr__(self) -> str:
        return self._words


def name_of(schedule: Schedule) -> str:
    """A schedule in a word or two: the call that made it, or the name of a function of one's own."""
    name: str | None = getattr(schedule, "__qualname__", None)
    return repr(schedule) if name is None else name.rpartition("<locals>.")[2]


def constant(alpha: float) -> Schedule:
    """α at every step."""
    _positive(alpha)
    return _Named(f"constant({alpha})", lambda t: alpha)


def inverse_sqrt(alpha: float) -> Schedule:
    """α/√(t + 1): the classic decay for stochastic gradient descent (Robbins and Monro, 1951; Zinkevich, 2003)."""
    _positive(alpha)
    return _Named(f"inverse_sqrt({alpha})", lambda t: alpha / math.sqrt(t + 1))


def step(alpha: float, every: int, factor: float = 0.1) -> Schedule:
    """α, multiplied by ``factor`` after each ``every`` steps: α·factor^⌊t/every⌋."""
    _positive(alpha)
    _count(every, "every")
    number("factor", factor)
    return _Named(f"step({alpha}, {every}, {factor})", lambda t: alpha * factor ** (t // every))


def exponential(alpha: float, decay: float = 0.99) -> Schedule:
    """α·decay^t."""
    _positive(alpha)
    number("decay", decay)
    return _Named(f"exponential({alpha}, {decay})", lambda t: alpha * decay**t)


def cosine(alpha: float, steps: int, floor: float = 0.0) -> Schedule:
    """From α down to ``floor`` along half a cosine, and there after ``steps`` steps (Loshchilov and Hutter, 2017)."""
    _positive(alpha)
    _count(steps, "steps")
    number("floor", floor)
    return _Named(
        f"cosine({alpha}, {steps}, {floor})",
        lambda t: floor + (alpha - floor) * 0.5 * (1.0 + math.cos(math.pi * min(t, steps) / steps)),
    )


def warmup(steps: int, then: float | Schedule) -> Schedule:
    """Grow in a straight line over ``steps`` steps to where ``then`` begins, and follow it from there.

    α(t) = then(0)·(t + 1)/steps for t < steps, and then(t - steps) from there on (Goyal et al., 2017).
    """
    _count(steps, "steps")
    after = then if callable(then) else constant(float(number("then", then)))
    words = name_of(then) if callable(then) else then
    return _Named(f"warmup({steps}, {words})", lambda t: after(0) * (t + 1) / steps if t < steps else after(t - steps))


def _positive(alpha: float) -> None:
    positive("a learning rate", alpha)


def _count(n: int, what: str) -> None:
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"{what} must be a whole number of at least 1, but got {n!r}")


__all__ = ["Schedule", "constant", "cosine", "exponential", "inverse_sqrt", "step", "warmup"]
