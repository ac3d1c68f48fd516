"""Learning-rate schedules: functions of the step number t = 0, 1, 2, … (or of the epoch, in `fit(schedule=...)`).

Give one to an optimiser in place of a number, ``SGD(lr=cosine(0.1, 500))``, and it counts steps. Any function of one
int will do.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .checks import number, positive, whole

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


def constant(lr: float) -> Schedule:
    """lr at every step."""
    positive("a learning rate", lr)
    return _Named(f"constant({lr})", lambda t: lr)


def inverse_sqrt(lr: float) -> Schedule:
    """lr/√(t + 1): the classic decay for stochastic gradient descent (Robbins and Monro, 1951; Zinkevich, 2003)."""
    positive("a learning rate", lr)
    return _Named(f"inverse_sqrt({lr})", lambda t: lr / math.sqrt(t + 1))


def step(lr: float, every: int, factor: float = 0.1) -> Schedule:
    """lr, multiplied by ``factor`` after each ``every`` steps: lr·factor^⌊t/every⌋."""
    positive("a learning rate", lr)
    whole("every", every)
    number("factor", factor)
    return _Named(f"step({lr}, {every}, {factor})", lambda t: lr * factor ** (t // every))


def exponential(lr: float, decay: float = 0.99) -> Schedule:
    """lr·decay^t."""
    positive("a learning rate", lr)
    number("decay", decay)
    return _Named(f"exponential({lr}, {decay})", lambda t: lr * decay**t)


def cosine(lr: float, steps: int, floor: float = 0.0) -> Schedule:
    """From lr down to ``floor`` along half a cosine, and there after ``steps`` steps (Loshchilov and Hutter, 2017)."""
    positive("a learning rate", lr)
    whole("steps", steps)
    number("floor", floor)
    return _Named(
        f"cosine({lr}, {steps}, {floor})",
        lambda t: floor + (lr - floor) * 0.5 * (1.0 + math.cos(math.pi * min(t, steps) / steps)),
    )


def warmup(steps: int, then: float | Schedule) -> Schedule:
    """Grow in a straight line over ``steps`` steps to where ``then`` begins, and follow it from there.

    lr(t) = then(0)·(t + 1)/steps for t < steps, and then(t - steps) from there on (Goyal et al., 2017).
    """
    whole("steps", steps)
    after = then if callable(then) else constant(float(number("then", then)))
    words = name_of(then) if callable(then) else then
    return _Named(f"warmup({steps}, {words})", lambda t: after(0) * (t + 1) / steps if t < steps else after(t - steps))


__all__ = ["Schedule", "constant", "cosine", "exponential", "inverse_sqrt", "step", "warmup"]
