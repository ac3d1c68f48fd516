"""Training: `fit`, what it remembers (`History`), and what one asks of a trained model.

The loop itself is short, and can be written by hand just as well:

    for epoch in range(epochs):
        for batch in batches:
            model.zero_grad()
            for x, t in batch:
                loss(model(x), t).backward(1 / len(batch))      # gradients of the mean add up in the parameters
            optimizer.step()

Each example's graph is backpropagated by itself and let go, so memory does not grow with the batch, and the garbage
collector has little to look through. The sum of the gradients is the gradient of the sum.

By default `fit` does not go through the graphs at all, but through the NumPy program that the compiler makes of one of
them (`nn.training.compiled`). With ``compiled=False`` it is the loop above; the two histories are the same to rounding.
"""

from __future__ import annotations

import csv
import gc
import io
import math
import os
import random
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, overload

from autograd import GradientError, NonFiniteError, Value, gradcheck, topological_order
from autograd.files import write_whole
from autograd.hints import explains
from autograd.modes import current_tags, leave_scope
from autograd.reals import is_real

from .. import losses, optim
from ..checks import not_negative, positive
from ..init import generator
from ..layers import as_list, left_to_right
from ..module import Module
from ..schedules import Schedule

if TYPE_CHECKING:
    from .compiled import Arrays

MANY = 100  # examples from which on compiling a model is quicker than asking it one by one; measured, 20 to 60
Metric = Callable[[Any, Any], float]
Example = list[Any]  # numbers, or lists of them, nested to any depth


class NonFiniteLossError(NonFiniteError):
    """The loss or its gradient became inf or nan. The message names epoch, batch and node.

    Attributes:
        epoch, batch (int): where, counted from 1.
        node (Value | None): the first node that is not finite, inputs before outputs; for a gradient, the parameter.
        history (History): the epochs before it.
    """

    epoch = 0
    batch = 0
    node: Value | None = None
    history: History


class History(dict[str, list[float]]):
    """What `fit` saw, epoch by epoch: a dict of lists of equal length.

    Always there: "epoch" (from 1), "loss" (the mean over the epoch of what was minimised, each batch before its step)
    and "lr". With a metric also its name, with validation "val_loss" and "val_" + the metric's name.

    Attributes:
        stopped (str): why training ended: "epochs", "tolerance", "patience", "callback" or "interrupted".
        best_epoch (int | None): the epoch with the lowest validation loss.
        compiled (str | bool): the backend of the compiled program, "numpy" or "python"; False for eager training.
        why (str): why training was eager, if it was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stopped = ""
        self.best_epoch: int | None = None
        self.compiled: str | bool = False
        self.why = ""

    def record(self, row: dict[str, float]) -> None:
        """Append one epoch's numbers."""
        for name, x in row.items():
            self.setdefault(name, []).append(x)

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str:
        """The history as CSV text, one line per epoch; also written to ``path`` if one is given."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self)
        for row in zip(*self.values(), strict=True):
            writer.writerow([repr(x) for x in row])
        if path is not None:
            write_whole(path, text.getvalue().encode())
        return text.getvalue()


@dataclass
class EpochEnd:
    """What a callback is given after each epoch. Call ``stop()``, or return True, to end training."""

    epoch: int
    model: Module
    optimizer: optim.Optimizer
    history: History
    stopping: bool = field(default=False, repr=False)

    def stop(self) -> None:
        self.stopping = True


Callback = Callable[[EpochEnd], Any]


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Let Python's cycle collector rest while graphs are built and dropped.

    A graph has no cycles and is freed by reference counts, but the collector cannot know, and walks over every node two
    or three times: measured, 37 ms instead of 14 ms to build one example's graph of a 64-100-10 network. Between
    batches, when the graphs are gone, it may run again.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# --- data that comes in


def as_examples(X: Any, what: str = "X") -> list[Example]:
    """Examples as nested lists of floats, all of one shape; a flat list of numbers is a column of single features.

    An example may be nested to any depth: a list of features, a sequence as a list of time steps, an image as a list of
    rows or of channels.

    Raises:
        ValueError: if there are none, their shapes differ, or a number is inf or nan; the message names the place.
        TypeError: for an entry that is not a number.
    """
    if hasattr(X, "to_numpy"):  # a pandas table
        X = X.to_numpy()
    if getattr(getattr(X, "dtype", None), "kind", "") in tuple("fiu") and X.ndim and X.size:
        import numpy

        if numpy.isfinite(X).all():  # checked in one go: a table of MNIST's size takes seconds number by number
            table: list[Example] = numpy.asarray(X if X.ndim > 1 else X.reshape(-1, 1), dtype=float).tolist()
            return table
    rows = _listed(X)
    if isinstance(rows, (str, bytes, dict, set, frozenset)) or not isinstance(rows, Iterable):
        raise TypeError(f"{what} must be a list of examples, each a list of numbers, but got {type(X).__name__}")
    rows = [_listed(row) for row in rows]
    rows = [[row] if is_real(row) else row for row in rows]
    if not rows:
        raise ValueError(f"{what} is empty; there is nothing to learn from")
    if not isinstance(rows[0], (list, tuple)):
        raise TypeError(f"{what}[0] must be a list of numbers, but is {type(rows[0]).__name__}: {rows[0]!r}")
    shape = shape_of(rows[0])
    if 0 in shape:
        raise ValueError(f"the examples in {what} have no numbers in them")
    return [_shaped(row, shape, f"{what}[{i}]") for i, row in enumerate(rows)]


def as_rows(X: Any, what: str = "X") -> list[list[float]]:
    """Examples as flat lists of features, for a model that takes nothing else.

    Raises:
        ValueError: for examples that are nested; otherwise as `as_examples`.
        TypeError: as `as_examples`.
    """
    examples = as_examples(X, what)
    if isinstance(examples[0][0], list):
        raise ValueError(
            f"each example should be one flat list of numbers, but {what}[0] is {_in_words(shape_of(examples[0]))}; "
            f"of an array X, X.reshape(len(X), -1) is flat"
        )
    return examples


def shape_of(example: Any) -> tuple[int, ...]:
    """The lengths of nested lists, outermost first; of a number (). Where they are ragged, the first entry counts."""
    example = _listed(example)
    if not isinstance(example, (list, tuple)):
        return ()
    return (len(example), *(shape_of(example[0]) if example else ()))


def _in_words(shape: tuple[int, ...]) -> str:
    """(6, 2) as "a list of 6 lists of 2 numbers"."""
    if not shape:
        return "a number"
    kinds = ["list"] * (len(shape) - 1) + ["number"]
    return "a list of " + " of ".join(f"{n} {kind}{'s' * (n != 1)}" for n, kind in zip(shape, kinds, strict=True))


def _shaped(x: Any, shape: tuple[int, ...], where: str) -> Any:
    """An example, or a part of one, as lists of floats of this shape."""
    x = _listed(x)
    length = len(x) if isinstance(x, (list, tuple)) else None
    if length != (shape[0] if shape else None):
        known = length is not None or is_real(x)
        found = _in_words(shape_of(x)) if known else f"{type(x).__name__}: {x!r}"
        first = re.sub(r"\[\d+]", "[0]", where)
        raise (ValueError if known else TypeError)(
            f"{where} should be {_in_words(shape)}, as {first} is, but is {found}; every example needs the same shape"
        )
    if length is None:
        return _number(x, where)
    if len(shape) == 1 and all(type(entry) is float and math.isfinite(entry) for entry in x):
        return list(x)  # in order already, as most are: six times as fast as one by one
    return [_shaped(entry, shape[1:], f"{where}[{i}]") for i, entry in enumerate(x)]


def _listed(x: Any) -> Any:
    """An array as nested lists; anything else as it is."""
    return x.tolist() if hasattr(x, "tolist") else x


def as_targets(y: Any, count: int, what: str = "y") -> list[Any]:
    """Targets as a list of floats and ints, or of lists of them: one for each of ``count`` examples.

    Raises:
        ValueError: if there are more or fewer, they differ in length, or one is inf or nan.
        TypeError: for an entry that is not a number.
    """
    if hasattr(y, "to_numpy"):
        y = y.to_numpy()
    targets = _listed(y)
    if isinstance(targets, (str, bytes, dict)) or not isinstance(targets, Iterable):
        raise TypeError(f"{what} must be a list with a target for each example, but got {type(y).__name__}")
    result: list[Any] = []
    for i, t in enumerate(map(_listed, targets)):
        if isinstance(t, (list, tuple)):
            row: Any = [_number(x, f"{what}[{i}][{j}]") for j, x in enumerate(t)]
            if result and (not isinstance(result[0], list) or len(result[0]) != len(row)):
                first = f"{len(result[0])} numbers" if isinstance(result[0], list) else "a single number"
                raise ValueError(
                    f"every target needs the same shape: {what}[0] is {first}, but {what}[{i}] is {len(row)} numbers"
                )
            result.append(row)
        else:
            if result and isinstance(result[0], list):
                raise ValueError(
                    f"every target needs the same shape: {what}[0] is {len(result[0])} numbers, "
                    f"but {what}[{i}] is a single one"
                )
            _number(t, f"{what}[{i}]")
            result.append(t if isinstance(t, (int, float)) else float(t))
    if len(result) != count:
        raise ValueError(f"{count} examples need {count} targets, but {what} has {len(result)}")
    return result


def _number(x: Any, where: str) -> float:
    if isinstance(x, Value):
        raise TypeError(f"{where} must be a number, but is a Value; use its .data")
    if not is_real(x):
        raise TypeError(f"{where} must be a number, but is {type(x).__name__}: {x!r}")
    number = float(x)
    if not math.isfinite(number):
        raise ValueError(f"{where} is {number!r}; every number must be finite")
    return number


# --- what a trained model answers


@overload
def predict(model: Callable[[Any], Value | float], X: Any) -> list[float]: ...
@overload
def predict(model: Callable[[Any], list[Value]], X: Any) -> list[list[float]]: ...
@overload
def predict(model: Callable[[Any], Value | list[Value]], X: Any) -> list[float] | list[list[float]]: ...
@overload
def predict(model: Callable[[Any], Any], X: Any) -> list[Any]: ...
def predict(model: Callable[[Any], Any], X: Any) -> list[Any]:
    """The model's output for each example, as plain numbers: a float, or lists of floats if it has several outputs.

    For a hundred examples and more, a `Module` is compiled first, if it can be.
    """
    return _outputs(model, as_examples(X))


def _outputs(model: Callable[[Any], Any], rows: list[Example]) -> list[Any]:
    if len(rows) >= MANY and isinstance(model, Module):
        from .compiled import predictions

        found = predictions(model, rows)
        if found is not None:
            answers: list[Any] = found.tolist()
            return answers
    with _collector_resting():
        return [_plain(model(x)) for x in rows]


def _plain(output: Any) -> Any:
    if isinstance(output, (list, tuple)):
        return [_plain(y) for y in output]
    return output.data if isinstance(output, Value) else float(output)


def decide(output: Any, threshold: float = 0.0) -> int:
    """The class that an output stands for: the place of the largest of several; of a single one, whether > threshold.

    A logit or a score is compared with 0, a probability with 0.5. Of several that are equal, the first wins.

    Raises:
        ValueError: for an output that is nested.
    """
    ys = _plain(output)
    if len(shape_of(ys)) > 1:
        raise ValueError(
            f"a class is one of a list of numbers, but the output is {_in_words(shape_of(ys))}; "
            "nn.Flatten() makes one list of them"
        )
    if isinstance(ys, list) and len(ys) > 1:
        return max(range(len(ys)), key=ys.__getitem__)
    return int((ys[0] if isinstance(ys, list) else ys) > threshold)


def label(target: Any, outputs: int) -> int:
    """The class that a target stands for: the 1 in a one-hot list, a class index, or, for a single output, its sign.

    Raises:
        ValueError: for a target that is no class of a model with so many outputs.
    """
    if isinstance(target, (list, tuple)) and len(target) > 1:
        if len(target) != outputs:
            raise ValueError(f"must be {outputs} numbers for {outputs} outputs, but is {len(target)}")
        return max(range(len(target)), key=target.__getitem__)
    t = target[0] if isinstance(target, (list, tuple)) else target
    if outputs == 1:
        if t not in (-1, 0, 1):
            raise ValueError(f"must be 0 or 1 (or -1 or +1) for a single output, but is {t!r}")
        return int(t > 0)
    if t not in range(outputs):
        raise ValueError(f"must be a class 0…{outputs - 1} for {outputs} outputs, but is {t!r}")
    return int(t)


def _labels(targets: list[Any], outputs: int, what: str = "y") -> list[int]:
    found = []
    for i, t in enumerate(targets):
        try:
            found.append(label(t, outputs))
        except ValueError as error:
            raise ValueError(f"{what}[{i}] {error}") from None
    return found


def _hit(threshold: float) -> Metric:
    def accuracy(output: Any, target: Any) -> float:
        """1 if the output stands for the target's class, else 0."""
        return float(decide(output, threshold) == label(target, len(as_list(output))))

    return accuracy


def last_activation(model: Any) -> str:
    """The name of the activation that a model ends in; "" where that cannot be told."""
    layers = getattr(model, "layers", None)
    last = layers[-1] if isinstance(layers, list) and layers else model
    return str(getattr(last, "_activation_name", ""))


def default_threshold(model: Any) -> float:
    """Where a single output turns from no to yes: 0.5 if the model ends in a sigmoid, else 0."""
    return 0.5 if last_activation(model) == "sigmoid" else 0.0


def _fit_threshold(model: Module, loss: losses.Loss, targets: list[Any]) -> float:
    """Where a single output turns from no to yes while a loss is trained: half-way between its two targets."""
    on_logits = loss in (losses.binary_cross_entropy, losses.hinge, losses.perceptron)
    flat = [t[0] if isinstance(t, (list, tuple)) and len(t) == 1 else t for t in targets]
    zero_one = all(isinstance(t, (int, float)) and t in (0, 1) for t in flat)
    return default_threshold(model) if on_logits else 0.5 if zero_one else default_threshold(model)


def accuracy(model: Callable[[Any], Any], X: Any, y: Any, threshold: float | None = None) -> float:
    """The share of examples that are put in their class, from 0 to 1.

    Args:
        model: with one output for two classes, or one for each class.
        y: class indices, one-hot lists, 0 and 1, or -1 and +1.
        threshold: above which a single output means yes; 0.5 if the model ends in a sigmoid, else 0, which suits
            logits. For outputs that were trained towards 0 and 1 in another way, give 0.5.

    Raises:
        ValueError: if a target is a class that the model has no output for.
    """
    table = confusion_matrix(model, X, y, threshold)
    return sum(table[k][k] for k in range(len(table))) / sum(map(sum, table))


def confusion_matrix(model: Callable[[Any], Any], X: Any, y: Any, threshold: float | None = None) -> list[list[int]]:
    """How many examples of class i (row) were put in class j (column).

    Raises:
        ValueError: if a target is a class that the model has no output for.
    """
    rows = as_examples(X)
    targets = as_targets(y, len(rows))
    cut = default_threshold(model) if threshold is None else threshold
    outputs = len(as_list(model(rows[0])))
    classes = max(2, outputs)
    table = [[0] * classes for _ in range(classes)]
    for k, output in zip(_labels(targets, outputs), _outputs(model, rows), strict=True):
        table[k][decide(output, cut)] += 1
    return table


def mean_loss(
    model: Callable[[Any], Any], X: Any, y: Any, loss: str | losses.Loss = "squared_error", l2: float = 0.0
) -> Value:
    """The mean of the loss over examples, plus the L2 penalty, as one Value: the J(θ) of the lecture."""
    rows = as_examples(X)
    mean = total_loss(model, rows, y, loss) * (1.0 / len(rows))
    return mean + losses.l2_penalty(_a_module(model, "an L2 penalty"), l2) if l2 else mean


def total_loss(model: Callable[[Any], Any], X: Any, y: Any, loss: str | losses.Loss = "squared_error") -> Value:
    """The sum of the loss over examples, as one Value; `mean_loss` is this divided by their number."""
    rows = as_examples(X)
    function = losses.find(loss)
    total: Value = left_to_right(function(model(x), t) for x, t in zip(rows, as_targets(y, len(rows)), strict=True))
    return total


def _a_module(model: Any, who: str) -> Module:
    if not isinstance(model, Module):
        raise TypeError(f"{who} needs a Module, with parameters of its own, but got {type(model).__name__}")
    return model


# --- training


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
    _a_module(model, "fit")
    rows = as_examples(X)
    targets = as_targets(y, len(rows))
    weights = None if sample_weight is None else _weights(sample_weight, len(rows))
    function = losses.find(loss)
    epochs = _whole(epochs, "epochs", 1)
    size = None if batch_size is None else _whole(batch_size, "batch_size", 1)
    if patience is not None:
        _whole(patience, "patience", 1)
        if validation is None:
            raise ValueError("early stopping looks at the validation loss: give validation=(X, y), or a fraction")
    if tolerance is not None:
        positive("tolerance", tolerance)
    not_negative("l2", l2)
    if schedule is not None and not callable(schedule):
        raise TypeError(f"schedule is a function of the epoch, such as nn.schedules.cosine(...), but got {schedule!r}")
    rng = generator(seed)
    rows, targets, weights, held_out = _set_aside(rows, targets, weights, validation, rng)
    threshold = _fit_threshold(model, function, targets)
    measure = _metric(metric, threshold)
    name = getattr(measure, "__name__", "metric")
    if name in ("epoch", "loss", "lr"):
        raise ValueError(f"a metric named {name!r} would hide the history's own column; give the function another name")
    first_loss = _check_fit(model, rows, targets, function, metric == "accuracy", "y")
    if held_out:
        _check_fit(model, *held_out, function, metric == "accuracy", "validation y")
    turn = _order(order, rows, targets)
    mover = optim.find(optimizer, lr)
    if not mover.parameters:
        mover.bind(model)
    elif set(mover.parameters).isdisjoint(model.parameters()):
        raise ValueError(
            f"this {type(mover).__name__} is bound to the parameters of another model; make a new one for this model, "
            "or call optimizer.bind(model)"
        )
    _check_reaches(first_loss, mover.parameters)
    if schedule is not None and callable(mover.lr):
        raise ValueError("the learning rate has a schedule of its own and another in fit: give it once")
    rate_before = mover.lr
    if check_gradients:
        _check_gradients(model, rows, targets, function, rng)
    hooks = [callbacks] if callable(callbacks) else list(callbacks)
    run = _Run(model, function, mover, l2, measure, name, threshold, weights)
    history = run.history
    if not compiled:
        history.why = "compiled=False"
    best: tuple[float, dict[str, float]] | None = None
    bar = _Bar(epochs, progress)
    try:
        if compiled:
            run = _compiled_run(run, rows, targets, held_out, metric == "accuracy")
        for epoch in range(1, epochs + 1):
            if schedule is not None:
                mover.lr = _rate(schedule(epoch - 1), epoch)
            row: dict[str, float] = {"epoch": epoch}
            sequence = turn if turn is not None else list(range(len(rows)))
            if turn is None and shuffle:
                rng.shuffle(sequence)
            rate = mover.learning_rate
            found = run.epoch(epoch, rows, targets, sequence, size or len(rows))
            if epoch == 1 and (why := run.disagreement()):
                run = run.undone(why)
                found = run.epoch(epoch, rows, targets, sequence, size or len(rows))
            row.update(found)
            row["lr"] = rate
            if held_out:
                found = run.measured(*held_out)
                if not math.isfinite(found["loss"]):
                    run.blame_validation(epoch, *held_out)
                row.update({f"val_{key}": x for key, x in found.items()})
                if best is None or row["val_loss"] < best[0]:
                    best = row["val_loss"], model.state_dict()
                    history.best_epoch = epoch
            history.record(row)
            bar.show(row)
            event = EpochEnd(epoch, model, mover, history)
            for hook in hooks:  # every one is called, whatever the first says
                event.stopping = bool(hook(event)) or event.stopping
            if event.stopping:
                history.stopped = "callback"
                break
            if hooks:
                run = run.refreshed()
            if tolerance is not None and epoch > 1 and abs(row["loss"] - history["loss"][-2]) < tolerance:
                history.stopped = "tolerance"
                break
            if patience is not None and history.best_epoch is not None and epoch - history.best_epoch >= patience:
                history.stopped = "patience"
                break
        else:
            history.stopped = "epochs"
        if patience is not None and best is not None:
            try:
                model.load_state_dict(best[1])
            except KeyboardInterrupt:  # all of the best epoch, or none of it
                model.load_state_dict(best[1])
                raise
    except KeyboardInterrupt:
        run.settle()
        history.stopped = "interrupted"
    finally:
        if schedule is not None:
            mover.lr = rate_before
        bar.close()
    if history.stopped == "interrupted":
        print(f"Ctrl-C: training stopped after {mover.t} steps; the model is as of the last full step.")
    return history


class _Run:
    """One call of `fit`: the inner loop, with what it needs."""

    def __init__(
        self,
        model: Module,
        loss: losses.Loss,
        mover: optim.Optimizer,
        l2: float,
        measure: Metric | None,
        name: str,
        threshold: float,
        example_weights: list[float] | None,
    ) -> None:
        self.model, self.loss, self.mover, self.l2, self.threshold = model, loss, mover, l2, threshold
        self.example_weights = example_weights
        self.weights = model.weights()
        self.parameters = list(dict.fromkeys([*model.parameters(), *mover.parameters]))  # each once
        self.measure, self.name = measure, name
        self.history = History()
        self.whole_graph = isinstance(mover, optim.Newton)  # it differentiates the mean loss twice

    def epoch(self, epoch: int, rows: list[Example], targets: list[Any], sequence: Any, size: int) -> dict[str, float]:
        """One pass over the examples; the mean loss and metric."""
        loss_sum, metric_sum, weight_sum, count = 0.0, 0.0, 0.0, 0
        for batch, start in enumerate(range(0, len(sequence), size), 1):
            chosen = sequence[start : start + size]
            weight = self.weight(chosen)
            if not weight:  # nothing in this batch counts
                continue
            with _collector_resting():
                mean, metrics = self.step(epoch, batch, rows, targets, chosen)
            loss_sum += mean * weight
            metric_sum += metrics
            weight_sum += weight
            count += len(chosen)
        result = {"loss": loss_sum / weight_sum}
        if self.measure is not None:
            result[self.name] = metric_sum / count
        return result

    def weight(self, chosen: Sequence[int]) -> float:
        """How much the chosen examples weigh together; without weights, how many they are."""
        weights = self.example_weights
        return len(chosen) if weights is None else math.fsum([weights[i] for i in chosen])

    def step(
        self, epoch: int, batch: int, rows: list[Example], targets: list[Any], chosen: Sequence[int]
    ) -> tuple[float, float]:
        """One step on the mean loss of the chosen examples; that mean, and the sum of the metric."""
        share = 1.0 / self.weight(chosen)
        for p in self.parameters:
            p.grad = None
        total, metrics, graph = 0.0, 0.0, None
        for i in chosen:
            weight = 1.0 if self.example_weights is None else self.example_weights[i]
            output = self.model(rows[i])
            loss = self.loss(output, targets[i])
            number = loss.data if isinstance(loss, Value) else float(loss)
            if not math.isfinite(number):
                self.blame_loss(loss, epoch, batch, i)
            total += weight * number
            if self.measure is not None:
                metrics += _metric_number(self.measure(output, targets[i]), self.name)
            if self.whole_graph:
                loss = loss if self.example_weights is None else weight * loss
                graph = loss if graph is None else graph + loss
            elif isinstance(loss, Value):
                loss.backward(weight * share)
        mean = total * share
        if graph is not None:
            graph = graph * share
        penalty = losses.l2_penalty(self.weights, self.l2) if self.l2 else 0.0
        if isinstance(penalty, Value):
            mean += penalty.data
            if not math.isfinite(penalty.data):
                self.blame_loss(penalty, epoch, batch, None)
            if graph is not None:
                graph = graph + penalty
            else:
                penalty.backward()
        if graph is None and not all(math.isfinite(p.grad) for p in self.mover.parameters):
            self.blame_gradient(epoch, batch)
        try:
            self.mover.step(graph)
        except NonFiniteError as error:
            self.give_up(f"{error}, in epoch {epoch}, batch {batch}", epoch, batch, None)
        return mean, metrics

    def measured(self, rows: list[Example], targets: list[Any]) -> dict[str, float]:
        """The mean loss (penalty left out) and metric on held-out examples."""
        total, metric_sum = 0.0, 0.0
        with _collector_resting():
            for x, t in zip(rows, targets, strict=True):
                output = self.model(x)
                loss = self.loss(output, t)
                total += loss.data if isinstance(loss, Value) else float(loss)
                if self.measure is not None:
                    metric_sum += _metric_number(self.measure(output, t), self.name)
        result = {"loss": total / len(rows)}
        if self.measure is not None:
            result[self.name] = metric_sum / len(rows)
        return result

    def settle(self) -> None:
        """Leave the model and the optimiser as of the last full step; eagerly they always are."""

    def refreshed(self) -> _Run:
        """The run to go on with after callbacks, which may have changed the model itself."""
        return self

    def disagreement(self) -> str:
        """Whether an epoch was run by something else than the scalar code, and differs from it; "" if not."""
        return ""

    def undone(self, why: str) -> _Run:
        """An eager run, with everything as it was before the first epoch."""
        return self

    def blame_validation(self, epoch: int, rows: list[Example], targets: list[Any]) -> None:
        for i, (x, t) in enumerate(zip(rows, targets, strict=True)):
            loss = self.loss(self.model(x), t)
            if not math.isfinite(loss.data if isinstance(loss, Value) else float(loss)):
                self.blame_loss(loss, epoch, 0, i, "validation example")
        self.give_up(f"the sum of the validation losses is not finite in epoch {epoch}", epoch, 0, None)

    def blame_loss(self, loss: Any, epoch: int, batch: int, example: int | None, kind: str = "example") -> None:
        number = loss.data if isinstance(loss, Value) else loss
        who = "the L2 penalty" if example is None else f"the loss of {kind} {example}"
        message = f"{who} is {number!r} in epoch {epoch}" + (f", batch {batch}" if batch else "")
        node = None
        if isinstance(loss, Value):
            node = next(n for n in topological_order(loss) if not math.isfinite(n.data))
            names = {p: name for name, p in self.model.named_parameters()}
            message += f"; the first node that is not finite is {_described(node, names)}"
        self.give_up(message, epoch, batch, node)

    def blame_gradient(self, epoch: int, batch: int) -> None:
        names = {p: name for name, p in self.model.named_parameters()}
        bad = next(p for p in self.mover.parameters if not math.isfinite(p.grad))
        what = f"the gradient of {_described(bad, names)} is {bad.grad!r}"
        self.give_up(f"{what} in epoch {epoch}, batch {batch}", epoch, batch, bad)

    def give_up(self, message: str, epoch: int, batch: int, node: Value | None) -> NoReturn:
        advice = "a smaller learning rate or clip_norm often helps; the model is as of the last full step"
        error = NonFiniteLossError(f"{message} ({advice})")
        error.epoch, error.batch, error.node, error.history = epoch, batch, node, self.history
        raise error


class _CompiledRun(_Run):
    """The same inner loop on arrays. During an epoch the parameters live here; around it, in the Values as always."""

    def __init__(self, run: _Run, arrays: Arrays, labels: Any, again: Callable[[], _Run]) -> None:
        super().__init__(
            run.model, run.loss, run.mover, run.l2, run.measure, run.name, run.threshold, run.example_weights
        )
        self.history = run.history
        self.arrays, self.labels, self.again = arrays, labels, again
        shrunk, moved = set(self.weights), set(self.mover.parameters)
        self.shrinking = arrays.mask([p in shrunk for p in self.mover.parameters])
        self.fixed_weights = [w for w in self.weights if w not in moved]
        self.fixed_penalty = 0.0
        self.live = False
        self.before = [p.data for p in self.parameters], self.mover.state_dict()
        # what a step changes, stored all at once, so that Ctrl-C finds it whole: parameters, gradient, memory, count
        self.state: tuple[Any, Any, list[Any], int] = (None, None, [], 0)

    def epoch(self, epoch: int, rows: list[Example], targets: list[Any], sequence: Any, size: int) -> dict[str, float]:
        self.pull()
        try:
            return super().epoch(epoch, rows, targets, self.arrays.indices(sequence), size)
        finally:
            self.settle()

    def pull(self) -> None:
        """Read the parameters from the Values."""
        self.arrays.pull()
        self.state = (self.arrays.numbers(self.mover.parameters), None, self.mover.memory, self.mover.t)
        self.fixed_penalty = 0.5 * self.l2 * math.fsum(w.data * w.data for w in self.fixed_weights)
        self.live = True

    def settle(self) -> None:
        """Write parameters and gradients into the Values: of the last full step, even if Ctrl-C comes in the middle."""
        if self.live:
            try:
                self.push()
            except KeyboardInterrupt:
                self.push()
                raise

    def push(self) -> None:
        w, g, self.mover.memory, self.mover.t = self.state
        for p, x in zip(self.mover.parameters, w.tolist(), strict=True):
            p.data = x
        if g is not None:
            for p, x in zip(self.mover.parameters, g.tolist(), strict=True):
                p.grad = x
        self.live = False

    def step(self, epoch: int, batch: int, rows: list[Example], targets: list[Any], chosen: Any) -> tuple[float, float]:
        arrays, mover = self.arrays, self.mover
        w = self.state[0]
        x = arrays.X[chosen]
        arrays.load(w)
        mean, g = arrays.mean(chosen)
        self.history.compiled = self.history.compiled or arrays.program.step.backend
        if self.l2:
            shrinking = w * self.shrinking
            mean += 0.5 * self.l2 * float(shrinking @ shrinking) + self.fixed_penalty
            g = g + self.l2 * shrinking
        if not math.isfinite(mean) or not arrays.finite(g):
            return self.step_eagerly(epoch, batch, rows, targets, chosen)
        metrics = self.metrics(x, targets, self.labels and self.labels[0], chosen) if self.measure is not None else 0.0
        try:
            new = mover.step_arrays(w, g)
        except NonFiniteError as error:
            self.give_up(f"{error}, in epoch {epoch}, batch {batch}", epoch, batch, None)
        self.state = new, g, mover.memory, mover.t
        return mean, metrics

    def disagreement(self) -> str:
        return self.arrays.disagreement()

    def undone(self, why: str) -> _Run:
        numbers, state = self.before
        for p, x in zip(self.parameters, numbers, strict=True):
            p.data = x
        self.mover.load_state_dict(state)
        _stay_eager(self.history, f"after the first epoch, {why}", loud=True)
        run = _Run(
            self.model, self.loss, self.mover, self.l2, self.measure, self.name, self.threshold, self.example_weights
        )
        run.history = self.history
        return run

    def refreshed(self) -> _Run:
        return self if self.arrays.still_true() else self.again()

    def step_eagerly(
        self, epoch: int, batch: int, rows: list[Example], targets: list[Any], chosen: Any
    ) -> tuple[float, float]:
        """The same step through the graphs, which know the node at which a number stopped being finite."""
        self.push()
        result = super().step(epoch, batch, rows, targets, [int(i) for i in chosen])
        self.pull()  # it came through: an overflow in a sum of losses, say
        return result

    def metrics(self, x: Any, targets: list[Any], labels: Any, chosen: Any) -> float:
        """The sum of the metric over examples, at the parameters that `load` set."""
        assert self.measure is not None
        outputs = self.arrays.predicted(x)
        if labels is not None:  # accuracy
            return self.arrays.hits(outputs, labels[chosen], self.threshold)
        return math.fsum(
            _metric_number(self.measure(_as_values(y), targets[i]), self.name)
            for y, i in zip(outputs.tolist(), chosen.tolist(), strict=True)
        )

    def measured(self, rows: list[Example], targets: list[Any]) -> dict[str, float]:
        arrays = self.arrays
        assert arrays.held_out is not None
        x, y = arrays.held_out
        arrays.load(self.state[0])
        result = {"loss": float(arrays.losses(x, y).sum()) / len(x)}
        if self.measure is not None:
            every = arrays.indices(range(len(x)))
            total = self.metrics(x, targets, self.labels and self.labels[1], every)
            result[self.name] = total / len(x)
        return result


def _as_values(output: Any) -> Any:
    """A model's output as a metric expects it."""
    return [Value(y) for y in output] if isinstance(output, list) else Value(output)


def _compiled_run(run: _Run, rows: list[Example], targets: list[Any], held_out: Any, classes: bool) -> _Run:
    """The run on arrays, or, where that cannot be, the eager one, with a warning that says why."""
    from .compiled import Arrays, NotCompiled

    try:
        arrays = Arrays(run.model, run.loss, run.mover, rows, targets, held_out, run.example_weights)
        labels = None
        if run.measure is not None:
            arrays.compile_model(rows[0])
            if classes:
                parts = targets, held_out[1] if held_out else []
                labels = tuple(arrays.indices(_labels(part, arrays.outputs)) for part in parts)
        return _CompiledRun(run, arrays, labels, lambda: _compiled_run(run, rows, targets, held_out, classes))
    except NotCompiled as error:
        _stay_eager(run.history, str(error), error.loud)
        return run


def _stay_eager(history: History, why: str, loud: bool) -> None:
    history.compiled, history.why = False, why
    if loud:
        warnings.warn(
            f"training goes on without the compiler, and is much slower: {why}. compiled=False turns this off",
            RuntimeWarning,
            stacklevel=6,
        )


def _described(node: Value, names: dict[Value, str]) -> str:
    if node in names:
        return f"the parameter {names[node]} = {node.data:.6g}"
    where = f" in {node.scope}" if node.scope else ""
    if not node.inputs:
        return f"{node.label or 'a leaf'} = {node.data:.6g}{where}"
    numbers = ", ".join(f"{x.data:.6g}" for x in node.inputs[:4]) + (", …" if len(node.inputs) > 4 else "")
    return f"{node.op}({numbers}) = {node.data:.6g}{where}"


def _weights(sample_weight: Any, count: int) -> list[float]:
    """One number for each example, as floats."""
    weights = as_targets(sample_weight, count, "sample_weight")
    for i, w in enumerate(weights):
        if isinstance(w, list) or not w >= 0.0:
            raise ValueError(f"sample_weight needs one number of 0 or more for each example, but has {w!r} for X[{i}]")
    if not any(weights):
        raise ValueError("sample_weight is 0 for every example, so nothing would be learned")
    return [float(w) for w in weights]


def _set_aside(
    rows: list[Example], targets: list[Any], weights: list[float] | None, validation: Any, rng: random.Random
) -> tuple[list[Example], list[Any], list[float] | None, tuple[list[Example], list[Any]] | None]:
    if validation is None:
        return rows, targets, weights, None
    if isinstance(validation, (int, float)) and not isinstance(validation, bool):
        count = round(len(rows) * validation)
        if not 0.0 < validation < 1.0 or not 0 < count < len(rows):
            raise ValueError(
                f"validation as a fraction must leave examples on both sides, but got {validation!r} of {len(rows)}"
            )
        mixed = list(range(len(rows)))
        rng.shuffle(mixed)
        out, kept = mixed[:count], sorted(mixed[count:])
        return (
            [rows[i] for i in kept],
            [targets[i] for i in kept],
            None if weights is None else _weights([weights[i] for i in kept], len(kept)),
            ([rows[i] for i in out], [targets[i] for i in out]),
        )
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise TypeError(f"validation is a pair (X, y) or a fraction, but got {type(validation).__name__}")
    held = as_examples(validation[0], "validation X")
    if shape_of(held[0]) != shape_of(rows[0]):
        raise ValueError(
            f"validation X needs examples of the same shape as X: X[0] is {_in_words(shape_of(rows[0]))}, "
            f"but validation X[0] is {_in_words(shape_of(held[0]))}"
        )
    return rows, targets, weights, (held, as_targets(validation[1], len(held), "validation y"))


def _check_fit(
    model: Module, rows: list[Example], targets: list[Any], loss: losses.Loss, classes: bool, what: str
) -> Any:
    """Whether model, data and loss fit together, before anything moves: every target is tried on outputs of 0.

    Returns the loss of the first example.
    """
    output = model(rows[0])
    last = last_activation(model)
    for function, inside in ((losses.cross_entropy, "softmax"), (losses.binary_cross_entropy, "sigmoid")):
        if loss is function and last == inside:
            raise ValueError(
                f"{function.__name__} takes logits and applies {inside} itself, but the model ends in {inside}; "
                'build it with output="linear"'
            )
    if loss in losses.LOSSES.values():
        blank: Any = [0.0] * len(output) if isinstance(output, (list, tuple)) else 0.0
        for i, t in enumerate(targets):
            try:
                loss(blank, t)
            except ValueError as error:
                raise ValueError(f"{what}[{i}]: {error}") from None
    if classes:
        _labels(targets, len(as_list(output)), what)
    return loss(output, targets[0])


def _check_reaches(loss: Any, parameters: Sequence[Value]) -> None:
    """Whether the loss of the first example depends on any parameter at all; stops at the first one met."""
    wanted = set(parameters)
    waiting = [loss] if isinstance(loss, Value) else []
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        if node in wanted:
            return
        for x in node.inputs:
            if x not in seen:
                seen.add(x)
                waiting.append(x)
    raise ValueError(
        "the loss does not depend on any parameter, so nothing could be learned; "
        "does the model or the loss use .data, which leaves the graph?"
    )


def _rate(rate: Any, epoch: int) -> float:
    if isinstance(rate, bool) or not hasattr(rate, "__float__") or not math.isfinite(rate) or rate < 0.0:
        raise ValueError(f"the schedule must give a learning rate of 0 or more, but gave {rate!r} for epoch {epoch}")
    return float(rate)


def _check_gradients(
    model: Module, rows: list[Example], targets: list[Any], loss: losses.Loss, rng: random.Random
) -> None:
    """Backpropagation against central differences, for a few examples and parameters (curriculum A9 and B18)."""
    parameters = model.parameters()
    few = rng.sample(parameters, min(40, len(parameters)))
    examples = rng.sample(range(len(rows)), min(4, len(rows)))
    gradcheck_off_kinks(lambda *p: [loss(model(rows[i]), targets[i]) for i in examples], few, rng)


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
            for p, x in zip(parameters, before, strict=True):
                p.data = x


def _order(order: Any, rows: list[Example], targets: list[Any]) -> list[int] | None:
    if order is None:
        return None
    if callable(order):
        hardness = [order(x, t) for x, t in zip(rows, targets, strict=True)]
        return sorted(range(len(rows)), key=hardness.__getitem__)
    indices = list(order)
    if sorted(indices) != list(range(len(rows))):
        raise ValueError(
            f"order as a list must name each of the {len(rows)} examples, 0…{len(rows) - 1}, once, "
            f"but got {len(indices)} entries that do not"
        )
    return indices


def _metric(metric: str | Metric | None, threshold: float) -> Metric | None:
    if metric is None or callable(metric):
        return metric
    if metric == "accuracy":
        return _hit(threshold)
    raise ValueError(f'a metric is "accuracy" or a function (output, target), but got {metric!r}')


def _metric_number(x: Any, name: str) -> float:
    if isinstance(x, Value):
        return x.data
    if isinstance(x, (bool, int, float)) or hasattr(x, "__float__"):
        return float(x)
    raise TypeError(f"the metric {name} must give a number for each example, but gave {type(x).__name__}: {x!r}")


def _whole(n: Any, what: str, low: int) -> int:
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"{what} must be a whole number, but got {type(n).__name__}: {n!r}")
    if n.__index__() < low:
        raise ValueError(f"{what} must be at least {low}, but got {n!r}")
    return int(n.__index__())


class _Bar:
    """A tqdm bar over the epochs, with the loss and the metric beside it; silent where nobody looks."""

    def __init__(self, epochs: int, wanted: bool) -> None:
        self.bar: Any = None
        if wanted:
            try:
                from tqdm import tqdm
            except ImportError:
                return
            notebook = "ipykernel" in sys.modules  # there stderr is no terminal, but somebody looks
            self.bar = tqdm(total=epochs, desc="fit", unit="epoch", disable=None if not notebook else False)

    def show(self, row: dict[str, float]) -> None:
        if self.bar is not None:
            shown = {key: f"{x:.4g}" for key, x in row.items() if key not in ("epoch", "lr")}
            self.bar.set_postfix(shown, refresh=False)
            self.bar.update()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


__all__ = [
    "EpochEnd",
    "History",
    "NonFiniteLossError",
    "accuracy",
    "as_examples",
    "as_rows",
    "as_targets",
    "confusion_matrix",
    "decide",
    "fit",
    "label",
    "mean_loss",
    "predict",
]
