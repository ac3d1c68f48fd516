"""The perceptron and its learning algorithm (Rosenblatt, 1958): correct one mistake at a time until there is none.

The loss is -Σ yᵢ(w·xᵢ + b) over the misclassified examples; its gradient is -Σ yᵢxᵢ and -Σ yᵢ, so a step of gradient
descent adds the mistaken examples to the weights. On data that a line can separate it ends (Novikoff, 1962); on other
data it never does, so there is a limit on the number of passes, and `fit` says honestly that it was reached.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autograd import Value

from ..checks import one_of, positive, whole
from ..init import generator
from ..layers import Neuron, left_to_right
from ..training.examples import of_two_classes


@dataclass(frozen=True)
class Correction:
    """One change of the weights: because of which examples, in which pass (from 1), and the line after it."""

    passed: int
    examples: tuple[int, ...]
    w: tuple[float, ...]
    b: float


@dataclass(frozen=True, repr=False)
class PerceptronReport:
    """How training ended.

    Attributes:
        separated: whether the last pass met no mistake.
        passes: how many passes were made, the last one included.
        mistakes: how many examples are on the wrong side now.
        corrections: every change of the weights in order, for drawing.
        message: the same in a sentence.
    """

    separated: bool
    passes: int
    mistakes: int
    corrections: list[Correction]
    message: str

    def __repr__(self) -> str:
        return f"PerceptronReport({self.message}; {len(self.corrections)} corrections)"


class Perceptron(Neuron):
    """A neuron whose answer is the side of the hyperplane w·x + b = 0 that x is on: +1 or -1.

    Args:
        nin: the number of inputs. Weights and bias start at 0.
    """

    def __init__(self, nin: int) -> None:
        super().__init__(nin, "linear", "zeros")

    def predict(self, x: Sequence[float]) -> int:
        """+1 or -1; a point on the hyperplane itself counts as -1."""
        return 1 if self(x).data > 0.0 else -1

    def distance(self, x: Sequence[float]) -> float:
        """The signed distance (w·x + b)/‖w‖ of a point from the hyperplane.

        Raises:
            ValueError: while all weights are 0, when there is no hyperplane.
        """
        norm = math.sqrt(math.fsum(w.data**2 for w in self.w))
        if norm == 0.0:
            raise ValueError("all weights are 0, so there is no hyperplane to be distant from")
        return self(x).data / norm

    def loss(self, X: Any, y: Any) -> Value:
        """-Σ yᵢ(w·xᵢ + b) over the misclassified examples (those on the hyperplane included); 0 if there are none."""
        rows, signs = of_two_classes(X, y, len(self.w), "-1 and +1", (-1, 1))
        wrong = [loss for _, loss in self._mistakes(rows, signs, range(len(rows)))]
        return left_to_right(wrong) if wrong else Value(0.0)

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        mode: str = "stochastic",
        max_passes: int = 1000,
        lr: float = 1.0,
        shuffle: bool = False,
        seed: int = 0,
    ) -> PerceptronReport:
        """Learn from examples with targets -1 and +1.

        Args:
            mode: "stochastic" corrects each mistake as it is met; "batch" all mistakes of a pass together.
            max_passes: when to give up.
            lr: how much of an example is added. From zero weights it changes the weights' scale and nothing else.
            shuffle: go through the examples in another order each pass.
            seed: for shuffling.

        Returns:
            A `PerceptronReport`. If a line cannot separate the data, or not within ``max_passes``, ``separated`` is
            False and the message says so.

        Raises:
            ValueError: for a target that is not ±1, or settings out of range.
        """
        rows, signs = of_two_classes(X, y, len(self.w), "-1 and +1", (-1, 1))
        one_of("mode", mode, ("stochastic", "batch"))
        max_passes = whole("max_passes", max_passes)
        positive("lr", lr)
        rng = generator(seed)
        corrections: list[Correction] = []
        turn = list(range(len(rows)))
        for passed in range(1, max_passes + 1):
            if shuffle:
                rng.shuffle(turn)
            known = len(corrections)
            wrong = self._mistakes(rows, signs, turn)  # looked for one by one: a correction changes those to come
            if mode == "stochastic":
                for mistake in wrong:
                    self._correct([mistake], lr, passed, corrections)
            elif together := list(wrong):
                self._correct(together, lr, passed, corrections)
            if len(corrections) == known:
                words = f"separated: pass {passed} met no mistake, after {known} corrections"
                return PerceptronReport(True, passed, 0, corrections, words)
        left = len(list(self._mistakes(rows, signs, turn)))
        words = (
            f"not separable within {max_passes} passes: {left} of {len(rows)} examples are on the wrong side"
            if left
            else f"separated by the last correction of pass {max_passes}"
        )
        return PerceptronReport(left == 0, max_passes, left, corrections, words)

    def _mistakes(
        self, rows: list[list[float]], signs: list[float], turn: Sequence[int]
    ) -> Iterator[tuple[int, Value]]:
        """The examples on the wrong side or on the hyperplane, each with its loss -t(w·x + b).

        Each is looked at when it is asked for, by the weights of that moment.
        """
        for i in turn:
            loss = -signs[i] * self(rows[i])
            if loss.data >= 0.0:
                yield i, loss

    def _correct(self, wrong: list[tuple[int, Value]], lr: float, passed: int, corrections: list[Correction]) -> None:
        self.zero_grad()
        left_to_right(loss for _, loss in wrong).backward()
        for p in self.parameters():
            p.data = p.data - lr * p.grad
        line = tuple(w.data for w in self.w), self.b.data
        corrections.append(Correction(passed, tuple(i for i, _ in wrong), *line))

    def describe(self) -> str:
        return f"Perceptron({len(self.w)} → ±1)"
