"""`gradcheck`: is a derivative right? Ask the function itself, by central differences.

Every rule in the derivative sheet, and every rule of your own, can be checked against (f(θ+ε) − f(θ−ε)) / 2ε, which
needs no calculus. It is slow (two evaluations per input) and only good to about ten digits, so it is a check and not a
way to train.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .backward import numeric_adjoints
from .modes import recording_again
from .reals import to_float
from .transforms import flatten
from .value import Value


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One entry of a Jacobian on which backpropagation and central differences do not agree."""

    output: int
    input: int
    at: float
    analytic: float
    numeric: float

    def __str__(self) -> str:
        return (
            f"output {self.output}, input {self.input} (at {self.at:.6g}): "
            f"backpropagation says {self.analytic:.10g}, central differences say {self.numeric:.10g}"
        )


class GradientError(AssertionError):
    """Raised by `gradcheck`; ``disagreements`` lists every entry that differs."""

    def __init__(self, message: str, disagreements: list[Disagreement]) -> None:
        super().__init__(message)
        self.disagreements = disagreements


def gradcheck(
    f: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    rtol: float = 1e-5,
    atol: float = 1e-7,
) -> bool:
    """Compare the derivatives of f by backpropagation with central differences; True if all agree.

    Args:
        f: called as ``f(*inputs)``; returns one number or a (nested) list of them.
        inputs: the arguments: numbers, (nested) lists or arrays of them, or Values. Values are passed on as they are
            and moved in place, so ``gradcheck(lambda *p: loss(model), model.parameters())`` checks a whole network;
            their data and gradients are put back. A single number, Value or array may be given by itself.
        eps: the step, for an input of size 1; larger inputs get a larger step in proportion.
        rtol, atol: an entry agrees if |analytic - numeric| ≤ atol + rtol·|numeric|, plus what rounding f must cost.

    Raises:
        GradientError: with every disagreeing entry in its message and in ``.disagreements``. At a point where the
            function has a kink (relu at 0) there is no derivative to agree on: check beside it.

    Source: central differences as in the gradient check of A. Ng's course (2011); error O(ε²).
    """
    if not callable(f):
        raise TypeError(
            f"gradcheck checks a function, but got {type(f).__name__}; write lambda x: ... around the formula"
        )
    arguments = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    flat, rebuild = flatten(arguments)
    nodes = [x if isinstance(x, Value) else Value(to_float(x)) for x in flat]
    if not nodes:
        raise ValueError("gradcheck needs at least one input")

    def evaluate() -> list[Any]:
        with recording_again():
            return flatten(f(*rebuild(nodes)))[0]

    outputs = evaluate()
    found = (numeric_adjoints(y) if isinstance(y, Value) else {} for y in outputs)
    rows = [[adjoints.get(x, 0.0) for x in nodes] for adjoints in found]
    wrong: list[Disagreement] = []
    for j, x in enumerate(nodes):
        for i, (numeric, rounding) in enumerate(_differences(evaluate, x, eps)):
            analytic = rows[i][j]
            near = math.isfinite(numeric) and abs(analytic - numeric) <= atol + rtol * abs(numeric) + rounding
            if not near and analytic != numeric:  # also true for nan, which agrees with nothing
                wrong.append(Disagreement(i, j, x.data, analytic, numeric))
    if wrong:
        wrong.sort(key=lambda d: (d.output, d.input))
        total = len(nodes) * len(outputs)
        lines = "\n".join(f"  {d}" for d in wrong)
        raise GradientError(f"{len(wrong)} of {total} derivatives disagree:\n{lines}", wrong)
    return True


def _differences(evaluate: Callable[[], list[Any]], x: Value, eps: float) -> list[tuple[float, float]]:
    """(f(x+ε) − f(x−ε)) / 2ε for each output, and how far off it may be since outputs are rounded.

    Where a step leads out of what the function is defined for, as from log(1e-6) to log(0), a shorter one is taken.
    """
    at = x.data
    try:
        for shorter in (1.0, 1e-4, 1e-8):
            step = eps * max(1.0, abs(at)) * shorter
            x.data = at + step
            above, high = _numbers(evaluate()), x.data
            x.data = at - step
            below, low = _numbers(evaluate()), x.data
            if all(map(math.isfinite, [*above, *below])):
                break
    finally:
        x.data = at
    width = high - low  # the step that floats really took
    if not width:  # it was too short for a number of this size, or there is no step from nan or inf
        return [(math.nan, 0.0)] * len(above)
    return [((up - down) / width, 4e-15 * (abs(up) + abs(down)) / width) for up, down in zip(above, below, strict=True)]


def _numbers(outputs: Sequence[Any]) -> list[float]:
    return [y.data if isinstance(y, Value) else to_float(y) for y in outputs]
