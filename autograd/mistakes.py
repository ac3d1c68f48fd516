"""Which classic slip gives this number? What goes wrong when one works a gradient out by hand has few forms.

The contribution of a gate to one of its inputs is upstream · local, and is added to what has come before. So a wrong
number is explained by trying each slip: to forget what came before, to take the other factor of a product, to leave the
local derivative or the upstream gradient out, to lose a sign, to take a gradient from before, to remember a derivative
wrongly. Several slips can give the same number; then all of them are named. The pages' twin of this file is
``viz/live/web/mistakes.js``; a test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .ops import cos, div, exp, log, power, sin

# the keys "slip-..." of `autograd.messages` say what each one is
SLIPS = ("path", "swapped", "local", "upstream", "sign", "old", "formula")
SLIPS_OF_VALUES = ("swapped", "sign", "operation")


def close(guess: float, x: float, scale: float = 0.0) -> bool:
    """Whether a number that a person gives is this one: to about three digits, or rounded to two decimals where these
    are two digits or more. nan is nan, and inf is inf.

    ``scale`` is the size of the largest number that was added up to x: where 0.1 + 0.2 − 0.3 is 5.6e-17, 0 is right,
    too.
    """
    if x != x or guess != guess:
        return x != x and guess != guess
    if math.isinf(x) or math.isinf(guess):
        return x == guess
    away = abs(guess - x)
    if away <= 0.004 * abs(x) + (1e-9 * scale if math.isfinite(scale) else 0.0):
        return True
    return away <= 0.005 and abs(x) >= 0.1 and round(100 * guess) / 100 == guess


def slips_of_a_gradient(
    guess: float,
    upstream: float,
    local: float,
    before: float = 0.0,
    *,
    other: float | None = None,
    earlier: Sequence[float] = (),
    misread: Sequence[float] = (),
) -> list[str]:
    """The slips by which a person may have come from ``before + upstream · local`` to the guess, in `SLIPS`' order.

    Args:
        guess: the number that was given.
        upstream: the gradient that arrives at the gate.
        local: the gate's local derivative by this input.
        before: what other paths have added to the input's gradient already.
        other: of a gate on two inputs, the local derivative by the other one.
        earlier: what the upstream gradient was before all of it had arrived, and the gradients from the last pass.
        misread: what one may take for the local derivative, as `misremembered` gives it.

    Returns:
        The keys of the slips that fit; none if the guess is right, or if no slip explains it.
    """
    right = before + upstream * local
    scale = max(abs(before), abs(upstream * local))
    if close(guess, right, scale):
        return []
    wrong = {
        "path": [upstream * local],
        "swapped": [] if other is None else [before + upstream * other, upstream * other],
        "local": [before + upstream, upstream],
        "upstream": [before + local],
        "sign": [-right, before - upstream * local],
        "old": [before, *(before + old * local for old in earlier)],
        "formula": [before + upstream * d for d in misread],
    }
    return _that_fit(guess, right, wrong, SLIPS, scale)


def _that_fit(
    guess: float, right: float, wrong: dict[str, list[float]], slips: Sequence[str], scale: float
) -> list[str]:
    return [slip for slip in slips if any(close(guess, x) and not close(x, right, scale) for x in wrong[slip])]


class Passed(NamedTuple):
    """What a gate passes on to one of its inputs, and what one may take for it, named as in `slips_of_a_gradient`."""

    upstream: float
    local: float
    other: float | None = None
    earlier: Sequence[float] = ()
    misread: Sequence[float] = ()


def slips_of_a_sum(guess: float, passed: Sequence[Passed]) -> list[str]:
    """The slips by which a person may have come to the guess of a whole gradient, Σ upstream · local over its paths.

    A slip may have been made on one of the paths, or on all of them.
    """
    contributions = [p.upstream * p.local for p in passed]
    right, scale = sum(contributions), max(map(abs, contributions), default=0.0)
    if close(guess, right, scale):
        return []
    wrong: dict[str, list[float]] = {slip: [] for slip in SLIPS}
    if len(passed) > 1:
        wrong["path"] = [x for c in contributions for x in (c, right - c)]
    wrong["sign"].append(-right)
    for slip in SLIPS[1:]:
        instead = [_instead(slip, p) for p in passed]
        for c, others in zip(contributions, instead, strict=True):
            wrong[slip] += [right - c + x for x in others]
        for k in range(min(map(len, instead), default=0)):
            wrong[slip].append(sum(others[k] for others in instead))
    return _that_fit(guess, right, wrong, SLIPS, scale)


def _instead(slip: str, p: Passed) -> list[float]:
    """What a slip makes of one contribution."""
    if slip == "swapped":
        return [] if p.other is None else [p.upstream * p.other]
    if slip == "old":
        return [old * p.local for old in p.earlier]
    if slip == "formula":
        return [p.upstream * d for d in p.misread]
    return [{"local": p.upstream, "upstream": p.local, "sign": -p.upstream * p.local}[slip]]


def slips_of_a_value(
    guess: float, right: float, swapped: float | None = None, others: Sequence[float] = (), *, scale: float = 0.0
) -> list[str]:
    """The slips by which a person may have come to a value.

    Args:
        guess: the number that was given.
        right: the right one.
        swapped: the value with its inputs exchanged.
        others: what other operations make of the same inputs, as `other_values` gives it.
        scale: that of `close`: of a sum its largest term, else 0.
    """
    if close(guess, right, scale):
        return []
    wrong = {"swapped": [] if swapped is None else [swapped], "sign": [-right], "operation": [*others]}
    return _that_fit(guess, right, wrong, SLIPS_OF_VALUES, scale)


def other_values(numbers: Sequence[float]) -> list[float]:
    """What a person may make of a gate's inputs who takes another operation than the gate's."""
    if len(numbers) == 1:
        (a,) = numbers
        return [a, -a, div(1.0, a), a * a, exp(a)]
    if len(numbers) == 2:
        a, b = numbers
        return [a + b, a - b, b - a, a * b, div(a, b), a, b]
    return []


# What one may take for the local derivatives of an operation, one list per input, from its value and its inputs; in
# the words of the derivative sheet, so that the same line is run on numbers and written as JavaScript.
_MISREMEMBERED: dict[str, Callable[..., list[list[Any]]]] = {
    "div": lambda y, a, b: [[b, a], [-y, div(-1.0, b * b), div(1.0, b), a]],
    "pow": lambda y, a, b: [
        [power(a, b - 1.0), b * y, b * a, (b - 1.0) * power(a, b - 1.0), y],
        [b * power(a, b - 1.0), y],
    ],
    "reciprocal": lambda y, a: [[-y, y, log(a), a]],
    "exp": lambda y, a: [[a, a * exp(a - 1.0), a * y]],
    "log": lambda y, a: [[y, exp(a), -div(1.0, a * a)]],
    "sqrt": lambda y, a: [[div(1.0, y), 0.5 * y, div(0.5, a), y]],
    "sin": lambda y, a: [[sin(a), a]],
    "cos": lambda y, a: [[cos(a), a]],
    "tanh": lambda y, a: [[1.0 - y, 1.0 - a * a, 1.0 + y * y, y * (1.0 - y), y * y, y]],
    "sigmoid": lambda y, a: [[y, 1.0 - y, a * (1.0 - a), 1.0 - y * y, y * (1.0 + y), y * y]],
    "relu": lambda y, a: [[a, y]],
}


def misremembered(op: str, y: Any, numbers: Sequence[Any]) -> list[list[Any]]:
    """What a person may take for the local derivatives of an operation: for each input some numbers, or none.

    Args:
        op: the operation's name in the derivative sheet.
        y: its value.
        numbers: its inputs: numbers, or symbols from which `autograd.javascript` writes the same for a page.
    """
    rule = _MISREMEMBERED.get(op)
    return [[] for _ in numbers] if rule is None else rule(y, *numbers)


__all__ = [
    "SLIPS",
    "SLIPS_OF_VALUES",
    "Passed",
    "close",
    "misremembered",
    "other_values",
    "slips_of_a_gradient",
    "slips_of_a_sum",
    "slips_of_a_value",
]
