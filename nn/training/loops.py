"""The inner loop, through the graphs: one pass over the examples, batch by batch.

    for batch in batches:
        model.zero_grad()
        for x, t in batch:
            loss(model(x), t).backward(1 / len(batch))      # gradients of the mean add up in the parameters
        optimizer.step()

Each example's graph is backpropagated by itself and let go, so memory does not grow with the batch, and the garbage
collector has little to look through. The sum of the gradients is the gradient of the sum. The same loop on arrays is in
`nn.training.compiled`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from autograd import NonFiniteError, Value, topological_order
from autograd.modes import collector_resting

from .. import losses, optim
from ..module import Module
from .examples import Examples
from .history import History, NonFiniteLossError
from .metrics import Metric, accuracy_at
from .structure import Structure


@dataclass
class Problem:
    """What a call of `fit` is about, after everything that came in was checked.

    Attributes:
        structure: what the model is made of.
        blank: zeros in the form of the model's outputs.
        loss: of one example's output and target.
        mover: the optimiser, bound to the parameters that it moves.
        metric: a function of one example's output and target; "accuracy"; or None.
        threshold: where a single output turns from no to yes.
        size: how many examples make a batch.
        first_loss: of the first example, where it was tried; None where it was known that it need not be, and after the
            model may have changed.
    """

    model: Module
    structure: Structure
    loss: losses.Loss
    mover: optim.Optimizer
    examples: Examples
    held_out: Examples | None
    l2: float
    metric: str | Metric | None
    threshold: float
    size: int
    blank: Any = 0.0
    first_loss: float | None = None
    history: History = field(default_factory=History)

    @property
    def name(self) -> str:
        """The metric's column in the history."""
        return self.metric if isinstance(self.metric, str) else getattr(self.metric, "__name__", "metric")


class EagerLoop:
    """One call of `fit`: the inner loop, with what it needs."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.model, self.loss, self.mover, self.l2 = problem.model, problem.loss, problem.mover, problem.l2
        self.metric = accuracy_at(problem.threshold) if problem.metric == "accuracy" else problem.metric
        self.weights = problem.model.weights() if problem.l2 else []
        self.whole_graph = isinstance(problem.mover, optim.Newton)  # it differentiates the mean loss twice

    def epoch(self, epoch: int, sequence: Any, size: int) -> dict[str, float]:
        """One pass over the examples; the mean loss and metric."""
        loss_sum, metric_sum, weight_sum, count = 0.0, 0.0, 0.0, 0
        for batch, start in enumerate(range(0, len(sequence), size), 1):
            chosen = sequence[start : start + size]
            weight = self.weight(chosen)
            if not weight:  # nothing in this batch counts
                continue
            with collector_resting():
                mean, metrics = self.step((epoch, batch), chosen, weight)
            loss_sum += mean * weight
            metric_sum += metrics
            weight_sum += weight
            count += len(chosen)
        return self.row(loss_sum / weight_sum, metric_sum / count)

    def row(self, loss: float, metric: float) -> dict[str, float]:
        return {"loss": loss} if self.metric is None else {"loss": loss, self.problem.name: metric}

    def weight(self, chosen: Sequence[int]) -> float:
        """How much the chosen examples weigh together; without weights, how many they are."""
        weights = self.problem.examples.weights
        return len(chosen) if weights is None else math.fsum(weights[chosen].tolist())

    def step(self, when: tuple[int, int], chosen: Sequence[int], weight: float) -> tuple[float, float]:
        """One step on the mean loss of the chosen examples; that mean, and the sum of the metric.

        Args:
            when: the epoch and the batch, for messages.
            weight: how much the chosen examples weigh together.
        """
        examples, share = self.problem.examples, 1.0 / weight
        for p in [*self.problem.structure.parameters, *self.mover.parameters]:
            p.grad = None
        total, metrics, graph = 0.0, 0.0, None
        for i in chosen:
            own = examples.weight(i)
            output, loss, number = self.one_loss(examples, i)
            if not math.isfinite(number):
                self.blame_loss(loss, f"example {i}", when)
            total += own * number
            metrics += self.measure(output, examples.target(i))
            if self.whole_graph:
                loss = loss if examples.weights is None else own * loss
                graph = loss if graph is None else graph + loss
            elif isinstance(loss, Value):
                loss.backward(own * share)
        penalty = losses.l2_penalty(self.weights, self.l2)
        if isinstance(penalty, Value) and not math.isfinite(penalty.data):
            self.blame_loss(penalty, "", when)
        if graph is not None:
            graph = graph * share + penalty
        else:
            if isinstance(penalty, Value):
                penalty.backward()
            self.check_gradient(when)
        try:
            self.mover.step(graph)
        except NonFiniteError as error:
            self.give_up(f"{error}, in {in_batch(when)}", when, None)
        return total * share + (penalty.data if isinstance(penalty, Value) else 0.0), metrics

    def one_loss(self, examples: Examples, i: int) -> tuple[Any, Any, float]:
        """The output for one example, its loss, and the loss as a number."""
        output = self.model(examples.row(i))
        loss = self.loss(output, examples.target(i))
        return output, loss, number_of(loss)

    def measure(self, output: Any, target: Any) -> float:
        """The metric of one example; 0 if there is none."""
        x: Any = 0.0 if self.metric is None else self.metric(output, target)  # type: ignore[operator]
        if isinstance(x, Value):
            return x.data
        if isinstance(x, (bool, int, float)) or hasattr(x, "__float__"):
            return float(x)
        raise TypeError(
            f"the metric {self.problem.name} must give a number for each example, but gave {type(x).__name__}: {x!r}"
        )

    def measured(self, epoch: int, examples: Examples) -> dict[str, float]:
        """The mean loss (penalty left out) and metric on held-out examples."""
        total, metrics = 0.0, 0.0
        with collector_resting():
            for i in examples.places:
                output, _, number = self.one_loss(examples, i)
                total += number
                metrics += self.measure(output, examples.target(i))
        return self.finite(epoch, examples, total, metrics)

    def finite(self, epoch: int, examples: Examples, total: float, metrics: float) -> dict[str, float]:
        """The means over held-out examples, if the loss is finite; else the error that names the example."""
        if math.isfinite(total):
            return self.row(total / len(examples), metrics / len(examples))
        for i in examples.places:
            _, loss, number = self.one_loss(examples, i)
            if not math.isfinite(number):
                self.blame_loss(loss, f"validation example {i}", (epoch, 0))
        return self.give_up(f"the sum of the validation losses is not finite in epoch {epoch}", (epoch, 0), None)

    # --- what a compiled loop has to do besides

    def settle(self) -> None:
        """Leave the model and the optimiser as of the last full step; eagerly they always are."""

    def refreshed(self) -> EagerLoop:
        """The loop to go on with after callbacks, which may have changed the model itself."""
        return self

    def doubted(self) -> EagerLoop | None:
        """After the first epoch: an eager loop, and all as it was, if a program did something else than the code."""
        return None

    def close(self) -> None:
        """After training."""

    # --- numbers that run away

    def blame_loss(self, loss: Any, who: str, when: tuple[int, int]) -> NoReturn:
        """Name the first node that is not finite; ``who`` is an example, or "" for the penalty."""
        what = f"the loss of {who}" if who else "the L2 penalty"
        message = f"{what} is {number_of(loss)!r} in {in_batch(when)}"
        node = None
        if isinstance(loss, Value):
            node = next(n for n in topological_order(loss) if not math.isfinite(n.data))
            message += f"; the first node that is not finite is {self.described(node)}"
        self.give_up(message, when, node)

    def check_gradient(self, when: tuple[int, int]) -> None:
        bad = next((p for p in self.mover.parameters if not math.isfinite(p.grad)), None)
        if bad is not None:
            self.give_up(f"the gradient of {self.described(bad)} is {bad.grad!r} in {in_batch(when)}", when, bad)

    def described(self, node: Value) -> str:
        names = {p: name for name, p in self.model.named_parameters()}
        if node in names:
            return f"the parameter {names[node]} = {node.data:.6g}"
        where = f" in {node.scope}" if node.scope else ""
        if not node.inputs:
            return f"{node.label or 'a leaf'} = {node.data:.6g}{where}"
        numbers = ", ".join(f"{x.data:.6g}" for x in node.inputs[:4]) + (", …" if len(node.inputs) > 4 else "")
        return f"{node.op}({numbers}) = {node.data:.6g}{where}"

    def give_up(self, message: str, when: tuple[int, int], node: Value | None) -> NoReturn:
        advice = "a smaller learning rate or clip_norm often helps; the model is as of the last full step"
        error = NonFiniteLossError(f"{message} ({advice})")
        error.epoch, error.batch = when
        error.node, error.history = node, self.problem.history
        raise error


def in_batch(when: tuple[int, int]) -> str:
    """The epoch and the batch in words; validation has no batch."""
    epoch, batch = when
    return f"epoch {epoch}" + (f", batch {batch}" if batch else "")


def number_of(loss: Any) -> float:
    return loss.data if isinstance(loss, Value) else float(loss)
