"""Which classic slip gives this number? What goes wrong when one works a gradient out by hand has few forms.

The contribution of a gate to one of its inputs is upstream · local, and is added to what has come before. So a wrong
number is explained by trying each slip: to forget what came before, to take the other factor of a product, to leave the
local derivative out, to lose a sign, to take a gradient from before. Several slips can give the same number; then all
of them are named. The pages' twin of this file is ``viz/live/web/mistakes.js``; a test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

SLIPS = ("path", "swapped", "local", "sign", "old")  # the keys "slip-..." of `autograd.messages` say what each one is


def close(guess: float, x: float, scale: float = 0.0) -> bool:
    """Whether a number that a person gives is this one: to about three digits. nan is nan, and inf is inf.

    ``scale`` is the size of the largest number that was added up to x: where 0.1 + 0.2 − 0.3 is 5.6e-17,
    0 is right, too.
    """
    if x != x or guess != guess:
        return x != x and guess != guess
    if math.isinf(x) or math.isinf(guess):
        return x == guess
    return abs(guess - x) <= 0.004 * abs(x) + (1e-9 * scale if math.isfinite(scale) else 0.0)


def slips_of_a_gradient(
    guess: float,
    upstream: float,
    local: float,
    before: float = 0.0,
    *,
    other: float | None = None,
    earlier: Sequence[float] = (),
) -> list[str]:
    """The slips by which a person may have come from ``before + upstream · local`` to the guess, in `SLIPS`' order.

    Args:
        guess: the number that was given.
        upstream: the gradient that arrives at the gate.
        local: the gate's local derivative by this input.
        before: what other paths have added to the input's gradient already.
        other: of a gate on two inputs, the local derivative by the other one.
        earlier: what the upstream gradient was before all of it had arrived, and the gradients from the last pass.

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
        "sign": [-right, before - upstream * local],
        "old": [before, *(before + old * local for old in earlier)],
    }
    return [slip for slip in SLIPS if any(close(guess, x) and not close(x, right, scale) for x in wrong[slip])]


def slips_of_a_value(guess: float, right: float, swapped: float | None = None, *, scale: float = 0.0) -> list[str]:
    """The slips by which a person may have come to a value; ``swapped`` is the value with its inputs exchanged, and
    ``scale`` is that of `close`: of a sum its largest term, else 0."""
    if close(guess, right, scale):
        return []
    found = ["swapped"] if swapped is not None and close(guess, swapped) else []
    return found + (["sign"] if close(guess, -right) else [])


def worth_asking(local: float, before: float) -> bool:
    """Whether a contribution is a good question: where the local derivative is 1, forgetting it goes unnoticed."""
    return abs(local) != 1.0 or before != 0.0


__all__ = ["SLIPS", "close", "slips_of_a_gradient", "slips_of_a_value", "worth_asking"]
