"""Training: `fit`, from what comes in to the history that comes out.

    prepare     examples and settings are checked, before anything is moved (`nn.training.examples`)
    loop        epoch by epoch, on the graphs (`nn.training.loops`) or on arrays (`nn.training.compiled`)
    report      what each epoch gave: to the history, the bar and the callbacks; and whether to stop

By default `fit` does not go through the graphs at all, but through the NumPy program that the compiler makes of one of
them. With ``compiled=False`` it is the loop that one would write by hand; the two histories are the same to rounding.
"""

from __future__ import annotations

import gc
import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from typing import Any

from autograd import GradientError, Value, gradcheck
from autograd.hints import explains
from autograd.modes import collector_resting, current_tags, leave_scope
from autograd.reals import is_real

from .. import losses, optim
from ..checks import not_negative, positive, whole
from ..init import generator
from ..layers import as_list, last_activation
from ..module import Module, in_one_piece, put
from ..schedules import Schedule
from .examples import Example, Examples, in_order, set_aside
from .history import Bar, Callback, EpochEnd, History
from .loops import EagerLoop, Problem
from .metrics import Metric, a_module, accuracy, fit_threshold, labels
from .structure import known, structure_of


@contextmanager
def _left_as_found() -> Iterator[None]:
    """Ctrl-C may come at the very moment at which a module hands its scope back, or the collector is switched off."""
    scope, collecting = current_tags(), gc.isenabled()
    try:
        yield
    finally:
        leave_scope(scope)
        if collecting:
            gc.enable()


@explains(
    learning_rate="write lr",
    n_epochs="write epochs",
    num_epochs="write epochs",
    validation_data="write validation=(X, y)",
    validation_split="write validation=0.2",
    verbose="write progress=False for silence",
    criterion="write loss",
    metrics='write metric="accuracy"; there is one at a time',
    random_state="write seed",
)
@_left_as_found()
def fit(
    model: Module,
    X: Any,
    y: Any,
    *,
    loss: str | losses.Loss = "squared_error",
    optimizer: str | optim.Optimizer = "adam",
    lr: float | Schedule | None = None,
    epochs: int = 100,
    batch_size: int | None = None,
    l2: float = 0.0,
    sample_weight: Sequence[float] | None = None,
    metric: str | Metric | None = None,
    validation: tuple[Any, Any] | float | None = None,
    patience: int | None = None,
    tolerance: float | None = None,
    schedule: Schedule | None = None,
    shuffle: bool = True,
    order: Callable[[Example, Any], float] | Sequence[int] | None = None,
    seed: int = 0,
    check_gradients: bool = False,
    callbacks: Iterable[Callback] | Callback = (),
    progress: bool = True,
    compiled: bool = True,
) -> History:
    """Train a model by gradient descent on the mean loss over (mini-)batches.

    Args:
        model: a `Module` called with one example.
        X: the n examples, an array or nested lists: each a row of numbers, or nested further and handed over like that,
            such as a sequence (a list of time steps) or an image (a list of rows), but all of one shape. A flat list
            is taken as n examples of one feature.
        y: n targets, of the kind that the loss takes.
        loss: a name (`nn.losses`), or a function of one example's output and target.
        optimizer: a name ("sgd", "adam", …), or an object such as ``SGD(lr=0.1, momentum=0.9)``. One that is not bound
            to parameters yet is bound to the model's.
        lr: the learning rate, if the optimiser is given by name.
        epochs: how often to go through the examples, at most.
        batch_size: examples per step: None for all (batch), 1 for stochastic, between for mini-batches.
        l2: λ of the penalty λ/2·Σw² on weights, added to every batch's mean loss.
        sample_weight: how much each example counts, n numbers of 0 or more: a batch's loss is then Σ wᵢ·lossᵢ / Σ wᵢ.
            With all examples in one batch a weight of 2 is the same as the example given twice. What is measured beside
            that (the metric, and everything on validation data) is measured without weights.
        metric: "accuracy", or a function of one example's output and target that gives a number; its mean is recorded.
        validation: (X, y) to measure after each epoch, or the fraction of the examples to set aside for it.
        patience: stop when the validation loss has not fallen for this many epochs, and put the best epoch's parameters
            back (early stopping; Prechelt, 1998).
        tolerance: ε; stop when the loss changes by less from one epoch to the next, \\|l₁ - l₀\\| < ε.
        schedule: the learning rate by epoch, a function of 0, 1, …; in place of the optimiser's own.
        shuffle: go through the examples in another order each epoch.
        order: curriculum (Bengio et al., 2009): a function of an example and its target that says how hard it is, or
            the indices from first to last; then nothing is shuffled.
        seed: for shuffling and for setting examples aside.
        check_gradients: compare backpropagation with central differences on up to 4 examples and 40 parameters first.
        callbacks: functions called with an `EpochEnd` after each epoch; one that returns True ends training.
        progress: show a bar (on a terminal or in a notebook).
        compiled: train on the program that `autograd.compile` makes of the loss of one example, which is much faster
            and gives the same history to rounding. If the model or the loss cannot be compiled, a warning says why, and
            training is eager; ``history.compiled`` and ``history.why`` say what was done.

    Returns:
        The `History`. After Ctrl-C too: the model is then as of the last full step, and ``stopped`` is "interrupted".

    Raises:
        NonFiniteLossError: when the loss or a gradient becomes inf or nan; the step is not taken.
        GradientError: if the gradient check fails.
        ValueError, TypeError: for data or settings that do not fit, before anything is changed.
    """
    a_module(model, "fit")
    limits = _Limits(epochs, patience, tolerance, validation)
    size = None if batch_size is None else whole("batch_size", batch_size)
    not_negative("l2", l2)
    function, rng = losses.find(loss), generator(seed)
    examples, held_out = set_aside(Examples.of(X, y, sample_weight), validation, rng)
    threshold = fit_threshold(model, function, examples)
    mover = optim.find(optimizer, lr)
    with collector_resting():
        structure = structure_of(model)
        problem = Problem(
            model, structure, function, mover, examples, held_out, l2, metric, threshold, size or len(examples)
        )
        _check_metric(problem)
        _check_first(problem)
    turn = in_order(order, examples)
    if not mover.parameters:
        mover.bind(problem.structure.parameters)
    _check_schedule(schedule, mover)
    if check_gradients:
        _check_gradients(problem, rng)
    if not compiled:
        problem.history.why = "compiled=False"

    orders = repeat(turn) if turn is not None else _orders(examples.places, rng if shuffle else None)
    hooks = _hooks(callbacks)
    rate_before, bar = mover.lr, Bar(limits.epochs, progress)
    try:
        _train(problem, limits, orders, schedule, hooks, bar, compiled)
    finally:
        if schedule is not None:
            mover.lr = rate_before
        bar.close()
    if problem.history.stopped == "interrupted":
        print(f"Ctrl-C: training stopped after {mover.t} steps; the model is as of the last full step.")
    return problem.history


# --- prepare: whether everything fits together, before anything moves


def _hooks(callbacks: Any) -> list[Callback]:
    hooks = list(callbacks) if isinstance(callbacks, Iterable) and not callable(callbacks) else [callbacks]
    for hook in hooks:
        if not callable(hook):
            raise TypeError(f"callbacks are functions that are called after each epoch, but got {hook!r:.60}")
    return hooks


class _Limits:
    """When training ends: what `fit` was told, checked."""

    def __init__(self, epochs: int, patience: int | None, tolerance: float | None, validation: Any) -> None:
        self.epochs, self.patience, self.tolerance = whole("epochs", epochs), patience, tolerance
        if patience is not None:
            whole("patience", patience)
            if validation is None:
                raise ValueError("early stopping looks at the validation loss: give validation=(X, y), or a fraction")
        if tolerance is not None:
            positive("tolerance", tolerance)

    def reached(self, event: EpochEnd) -> str:
        """Why training ends after this epoch; "" if it goes on."""
        epoch, history = event.epoch, event.history
        if event.stopping:
            return "callback"
        if self.tolerance is not None and epoch > 1 and abs(history["loss"][-1] - history["loss"][-2]) < self.tolerance:
            return "tolerance"
        if self.patience is not None and epoch - (history.best_epoch or epoch) >= self.patience:
            return "patience"
        return "epochs" if epoch == self.epochs else ""


def _check_metric(problem: Problem) -> None:
    metric: Any = problem.metric
    if metric is accuracy:
        raise ValueError('as a metric write metric="accuracy"; the function nn.accuracy takes a model and all examples')
    if not (metric is None or metric == "accuracy" or callable(metric)):
        raise ValueError(f'a metric is "accuracy" or a function (output, target), but got {metric!r}')
    name = problem.name
    if name in ("epoch", "loss", "lr"):
        raise ValueError(f"a metric named {name!r} would hide the history's own column; give the function another name")


def _check_first(problem: Problem) -> None:
    """Whether model, loss, optimiser and targets go together, by the loss of the first example.

    Of a model and a loss that were trained before it is known, and not tried again.
    """
    loss, examples, structure = problem.loss, problem.examples, problem.structure
    last = last_activation(problem.model)
    for function, inside in ((losses.cross_entropy, "softmax"), (losses.binary_cross_entropy, "sigmoid")):
        if loss is function and last == inside:
            raise ValueError(
                f"{function.__name__} takes logits and applies {inside} itself, but the model ends in {inside}; "
                'build it with output="linear"'
            )
    mover, moving = problem.mover, set(problem.mover.parameters or structure.parameters)
    if structure.parameters and moving.isdisjoint(structure.parameters):
        raise ValueError(
            f"this {type(mover).__name__} is bound to the parameters of another model; make a new one for this model, "
            "or call optimizer.bind(model)"
        )
    key = loss, examples.X.shape[1:]
    problem.blank, reached = structure.facts.get(key, (0.0, None))
    if reached in moving:
        return _check_targets(problem)
    first = examples.places[0]
    output = problem.model(examples.row(first))
    problem.blank = [0.0] * len(output) if isinstance(output, (list, tuple)) else 0.0
    _check_targets(problem)
    first_loss = loss(output, examples.target(first))
    reached = _reached(first_loss, moving)
    problem.first_loss = first_loss.data
    if structure.plain and known(loss):
        structure.facts[key] = problem.blank, reached


def _check_targets(problem: Problem) -> None:
    """Whether each target suits the loss and the metric: it is tried on outputs of 0."""
    loss, blank = problem.loss, problem.blank
    for part, what in ((problem.examples, "y"), (problem.held_out, "validation y")):
        if part is not None and known(loss):
            for i in _doubtful(part, loss):
                try:
                    loss(blank, part.target(i))
                except ValueError as error:
                    raise ValueError(f"{what}[{i}]: {error}") from None
        if part is not None and problem.metric == "accuracy":
            labels(part, len(as_list(blank)), what)


def _doubtful(examples: Examples, loss: losses.Loss) -> list[int]:
    """The places of targets that a loss of ours may refuse, one of each kind: the others are like one of them."""
    import numpy as np

    places = np.array(examples.places)
    y = np.asarray(examples.y, dtype=float)
    if loss is losses.squared_error:  # takes any numbers, if there are as many as outputs
        return [examples.places[0]]
    if y.size == len(y):
        return [int(i) for i in places[np.sort(np.unique(y[places], return_index=True)[1])]]
    wrong: Any = (y < 0.0).any(axis=1) | (y > 1.0).any(axis=1)
    if loss is losses.cross_entropy:
        wrong |= abs(y.sum(axis=1) - 1.0) > 1e-7
    return [examples.places[0], *places[wrong[places]].tolist()]


def _reached(loss: Any, wanted: set[Value]) -> Value:
    """A parameter that the loss of the first example depends on; it need not be all of them."""
    if not isinstance(loss, Value) and not is_real(loss):
        hint = (
            "; did it forget to return?" if loss is None else "; add them up" if isinstance(loss, (list, tuple)) else ""
        )
        raise TypeError(f"a loss gives one number for each example, but this one gave {type(loss).__name__}{hint}")
    if not wanted:
        raise ValueError(
            "the model has no parameters, so nothing could be learned; a parameter is a Value that was not computed, "
            "as an attribute (self.w = Value(0.5)), or in a list, a tuple or a dict that is one"
        )
    waiting = [loss] if isinstance(loss, Value) else []
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        if node in wanted:
            return node
        for x in node.inputs:
            if x not in seen:
                seen.add(x)
                waiting.append(x)
    raise ValueError(
        "the loss does not depend on any parameter, so nothing could be learned; "
        "does the model or the loss use .data, which leaves the graph?"
    )


def _check_schedule(schedule: Any, mover: optim.Optimizer) -> None:
    if schedule is not None and not callable(schedule):
        raise TypeError(f"schedule is a function of the epoch, such as nn.schedules.cosine(...), but got {schedule!r}")
    if schedule is not None and callable(mover.lr):
        raise ValueError("the learning rate has a schedule of its own and another in fit: give it once")


def _rate(rate: Any, epoch: int) -> float:
    if isinstance(rate, bool) or not hasattr(rate, "__float__") or not math.isfinite(rate) or rate < 0.0:
        raise ValueError(f"the schedule must give a learning rate of 0 or more, but gave {rate!r} for epoch {epoch}")
    return float(rate)


def _check_gradients(problem: Problem, rng: random.Random) -> None:
    """Backpropagation against central differences, for a few examples and parameters (curriculum A9 and B18)."""
    examples, loss, model = problem.examples, problem.loss, problem.model
    few = rng.sample(problem.structure.parameters, min(40, len(problem.structure.parameters)))
    chosen = rng.sample(examples.places, min(4, len(examples)))
    gradcheck_off_kinks(lambda *p: [loss(model(examples.row(i)), examples.target(i)) for i in chosen], few, rng)


def gradcheck_off_kinks(f: Callable[..., Any], parameters: list[Value], rng: random.Random) -> None:
    """`gradcheck`, and where it disagrees once more a little way off: a fresh ReLU with bias 0 stands on its kink."""
    try:
        gradcheck(f, parameters)
    except GradientError:
        before = [p.data for p in parameters]
        try:
            for p in parameters:
                p.data += rng.choice((-1.0, 1.0)) * rng.uniform(1e-3, 2e-3)
            gradcheck(f, parameters)
        finally:
            put(parameters, before)


# --- loop and report


def _orders(places: Sequence[int], rng: random.Random | None) -> Iterator[Sequence[int]]:
    """The places of the examples for each epoch in turn, shuffled anew if there is a generator."""
    while True:
        yield places if rng is None else _shuffled(places, rng)


def _shuffled(places: Sequence[int], rng: random.Random) -> list[int]:
    """As ``rng.shuffle`` would, which takes three times as long: it calls two functions for each entry."""
    turn, bits = list(places), rng.getrandbits
    for i in range(len(turn) - 1, 0, -1):
        width = (i + 1).bit_length()
        j = bits(width)
        while j > i:
            j = bits(width)
        turn[i], turn[j] = turn[j], turn[i]
    return turn


def _train(
    problem: Problem,
    limits: _Limits,
    orders: Iterator[Sequence[int]],
    schedule: Schedule | None,
    hooks: Sequence[Callback],
    bar: Bar,
    compiled: bool,
) -> None:
    """Epoch by epoch until a limit is reached; then the best epoch's parameters, if they were asked for."""
    history, mover = problem.history, problem.mover
    best: dict[str, float] | None = None if limits.patience is None else {}
    loop = EagerLoop(problem)
    try:
        if compiled:
            from .compiled import best_loop

            loop = best_loop(problem)
        for epoch in range(1, limits.epochs + 1):
            if schedule is not None:
                mover.lr = _rate(schedule(epoch - 1), epoch)
            places, rate = next(orders), mover.learning_rate
            found = loop.epoch(epoch, places, problem.size)
            if epoch == 1 and (other := loop.doubted()):
                loop = other
                found = loop.epoch(epoch, places, problem.size)
            row = {"epoch": epoch, **found, "lr": rate}
            if hooks or best is not None or callable(problem.metric):
                loop.settle()
            if problem.held_out is not None:
                row.update({f"val_{key}": x for key, x in loop.measured(epoch, problem.held_out).items()})
                if row["val_loss"] < min(history.get("val_loss", ()), default=math.inf):
                    history.best_epoch = epoch
                    best = best if best is None else problem.model.state_dict()
            history.record(row)
            bar.show(row)
            event = EpochEnd(epoch, problem.model, mover, history)
            for hook in hooks:  # every one is called, whatever the first says
                event.stopping = bool(hook(event)) or event.stopping
            history.stopped = limits.reached(event)
            if history.stopped:
                break
            if hooks:
                loop = loop.refreshed()
        if best:
            in_one_piece(problem.model.load_state_dict, best)
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    finally:
        loop.close()
