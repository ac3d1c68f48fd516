"""Logistic regression: one neuron whose sum is the log-odds, log(p/(1-p)) = w·x + b (Cox, 1958)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Self

from autograd import Value

from ..checks import not_negative
from ..layers import Neuron
from ..losses import l2_penalty
from ..module import put
from ..optim import derivatives, solve
from ..training.examples import of_two_classes
from ..training.metrics import mean_loss


class LogisticRegression(Neuron):
    """p(y = 1 | x) = σ(w·x + b). Calling it gives p; `log_odds` gives the sum before σ.

    Args:
        nin: the number of inputs. Weights and bias start at 0, where every p is ½.
    """

    def __init__(self, nin: int) -> None:
        super().__init__(nin, "sigmoid", "zeros")

    def log_odds(self, x: Sequence[Any]) -> Value:
        """log(p/(1-p)) = w·x + b: the logit."""
        return self.weighted_sum(x)

    def probability(self, x: Sequence[float]) -> float:
        """p(y = 1 | x) as a number."""
        return self(x).data

    def predict(self, x: Sequence[float]) -> int:
        """1 if p > ½, else 0."""
        return int(self.log_odds(x).data > 0.0)

    def fit(self, X: Any, y: Any, *, l2: float = 0.0, max_steps: int = 100, tolerance: float = 1e-10) -> Self:
        """Maximise the likelihood by Newton's method, which for this model is iteratively reweighted least squares.

        The gradient and the Hessian of the mean cross-entropy come from the graph. A step that does not lower the loss
        is halved until it does.

        Args:
            y: targets 0 and 1.
            l2: λ of λ/2·Σw², added to the mean loss; the bias is left free.
            tolerance: stop when no derivative is larger.

        Raises:
            ValueError: for targets other than 0 and 1 or of one class only; or if ``l2`` is negative, or is 0 and the
                data are separable (but for examples on the line itself): then larger weights are always better and
                there is no solution. The model is then as it was.
        """
        rows, targets = self._examples(X, y)
        not_negative("l2", l2)
        parameters = self.parameters()
        begin = [p.data for p in parameters]

        def loss() -> Value:
            mean = mean_loss(self.log_odds, rows, targets, "binary_cross_entropy")
            return mean + l2_penalty(self.w, l2) if l2 else mean

        now = loss()
        last, away = [0.0] * len(parameters), 0
        for _ in range(max_steps):
            gradient, hessian = derivatives(now, parameters)
            direction, singular = [0.0] * len(parameters), None
            try:
                direction = last = solve(hessian, gradient)
            except ValueError as error:
                singular = error
            away = away + 1 if self._leads_away(rows, targets, last) else 0
            if not l2 and (self._separates(rows, targets) or away == 4):
                put(parameters, begin)
                raise ValueError(
                    "these data are separable, so the likelihood grows with the weights without end; "
                    "give l2 > 0 for a solution"
                )
            if max(map(abs, gradient)) <= tolerance:
                return self
            if singular is not None:
                raise singular
            lower = _downhill(loss, now, parameters, direction)
            if lower is None:
                return self  # rounding alone is left
            now = lower
        raise ValueError(
            f"no solution within {max_steps} steps; the largest derivative is {max(map(abs, gradient)):.3g}"
        )

    def _examples(self, X: Any, y: Any) -> tuple[list[list[float]], list[Any]]:
        """The examples and their targets, checked."""
        rows, targets = of_two_classes(X, y, len(self.w), "0 and 1", (0, 1))
        if len(set(targets)) < 2:
            raise ValueError(f"logistic regression needs examples of both classes, but every target is {targets[0]!r}")
        return rows, targets

    def _separates(self, rows: list[list[float]], targets: list[Any]) -> bool:
        """Whether the present line has every example strictly on its side: then scaling it up is always better."""
        return all(self.log_odds(x).data * (1 if t == 1 else -1) > 0.0 for x, t in zip(rows, targets, strict=True))

    def _leads_away(self, rows: list[list[float]], targets: list[Any], step: list[float]) -> bool:
        """Whether this step is of the kind that goes on for ever, several times in a row.

        If a line separates the data but for some examples that lie on it, each step makes the model surer of the
        others, by about 1 in the log-odds, and takes nothing from any. Where there is a solution, the steps before it
        soon get short. (Albert and Anderson, 1984, call such data quasi-completely separated.)
        """
        sure, gains = False, []
        for x, t in zip(rows, targets, strict=True):
            sign = 1 if t == 1 else -1
            gains.append(-sign * (math.fsum(d * xi for d, xi in zip(step, x, strict=False)) + step[-1]))
            sure = sure or (gains[-1] > 0.5 and sign * self.log_odds(x).data > 10.0)
        return sure and min(gains) > -1e-3

    @property
    def coefficients(self) -> list[float]:
        """β₁ … βₙ: by how much the log-odds grow with each input."""
        return [w.data for w in self.w]

    @property
    def intercept(self) -> float:
        """β₀: the log-odds at x = 0."""
        return self.b.data

    def odds_ratios(self) -> list[float]:
        """e^β: by what factor the odds change when an input grows by 1."""
        return [math.exp(w.data) for w in self.w]

    def describe(self) -> str:
        return f"LogisticRegression({len(self.w)} → p)"


def _downhill(loss: Callable[[], Value], now: Value, parameters: list[Value], direction: list[float]) -> Value | None:
    """The loss after a step against this direction, halved until it is no higher; None, and no step, if it never is."""
    start = [p.data for p in parameters]
    for halvings in range(60):
        put(parameters, [x - d * 0.5**halvings for x, d in zip(start, direction, strict=True)])
        after = loss()
        if after.data <= now.data + 1e-12:  # what rounding may do to a mean of logarithms
            return after
    put(parameters, start)
    return None
