"""What one asks of a trained model: `predict`, `accuracy`, `confusion_matrix`, `mean_loss`.

Each takes examples and targets as `fit` does. Where many examples are asked for, a model's outputs come from its
compiled program (`nn.training.programs`), as one array, and are counted as one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

from autograd import Value
from autograd.modes import collector_resting

from .. import losses
from ..layers import as_list, last_activation, left_to_right
from ..module import Module
from .examples import Array, Examples, as_table, in_words, shape_of

MANY = 100  # examples from which on compiling a model is quicker than asking it one by one; measured, 20 to 60
Metric = Callable[[Any, Any], float]


# --- outputs


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

    For a hundred examples and more, a `Module` is compiled first, if it can be; the program is kept for the next time.
    """
    table = as_table(X)
    try:
        found = outputs_of(model, table)
    except ValueError as error:
        if shape_of(X) == (1,) or len(shape_of(X)) != 1:
            raise
        raise ValueError(
            f"{error}; a flat list is taken as {len(table)} examples of one number each, so for a single example write "
            "predict(model, [x])"
        ) from None
    return found if isinstance(found, list) else list(found.tolist())


def outputs_of(model: Callable[[Any], Any], table: Array) -> Array | list[Any]:
    """The model's output for each row of a table of examples."""
    if len(table) >= MANY and isinstance(model, Module):
        from .programs import predictions

        found = predictions(model, table)
        if found is not None:
            return found
    with collector_resting():
        return [plain(model(x.tolist())) for x in table]


def plain(output: Any) -> Any:
    """An output as a number, or as lists of numbers."""
    if isinstance(output, (list, tuple)):
        return [plain(y) for y in output]
    return output.data if isinstance(output, Value) else float(output)


# --- classes


def decide(output: Any, threshold: float = 0.0) -> int:
    """The class that an output stands for: the place of the largest of several; of a single one, whether > threshold.

    A logit or a score is compared with 0, a probability with 0.5. Of several that are equal, the first wins.

    Raises:
        ValueError: for an output that is nested.
    """
    ys = plain(output)
    if len(shape_of(ys)) > 1:
        raise ValueError(
            f"a class is one of a list of numbers, but the output is {in_words(shape_of(ys))}; "
            "nn.Flatten() makes one list of them"
        )
    if isinstance(ys, list) and len(ys) > 1:
        return max(range(len(ys)), key=ys.__getitem__)
    return int((ys[0] if isinstance(ys, list) else ys) > threshold)


def decided(found: Array | list[Any], threshold: float) -> Array:
    """As `decide`, for the outputs of many examples."""
    import numpy as np

    if isinstance(found, list):
        return np.array([decide(output, threshold) for output in found])
    if found.ndim == 2 and found.shape[1] > 1:
        return np.asarray(found.argmax(axis=1))
    return (found.reshape(-1) > threshold).astype(int)


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


def labels(examples: Examples, outputs: int, what: str = "y") -> Array:
    """The class of each target, in the order of ``examples.places``; each different one is looked at once."""
    import numpy as np

    y = np.asarray(examples.y, dtype=float)[examples.places]
    if y.ndim == 2 and y.shape[1] == outputs > 1:
        return np.asarray(y.argmax(axis=1))
    _, first, which = np.unique(y.reshape(len(y), -1)[:, 0], return_index=True, return_inverse=True)
    found = np.zeros(len(first), dtype=int)
    for k in np.argsort(first):
        i = examples.places[int(first[k])]
        try:
            found[k] = label(examples.target(i), outputs)
        except ValueError as error:
            raise ValueError(f"{what}[{i}] {error}") from None
    return found[which]


def default_threshold(model: Any) -> float:
    """Where a single output turns from no to yes: 0.5 if the model ends in a sigmoid, else 0."""
    return 0.5 if last_activation(model) == "sigmoid" else 0.0


def fit_threshold(model: Module, loss: losses.Loss, examples: Examples) -> float:
    """Where a single output turns from no to yes while a loss is trained: half-way between its two targets."""
    import numpy as np

    y = np.asarray(examples.y)
    on_logits = loss in (losses.binary_cross_entropy, losses.hinge, losses.perceptron)
    if on_logits or y.size > len(y) or not np.isin(y[examples.places], (0, 1)).all():
        return default_threshold(model)
    return 0.5


def accuracy_at(threshold: float) -> Metric:
    """Accuracy as a metric of one example, for outputs that are cut at a threshold."""

    def accuracy(output: Any, target: Any) -> float:
        """1 if the output stands for the target's class, else 0."""
        return float(decide(output, threshold) == label(target, len(as_list(output))))

    return accuracy


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
    examples = Examples.of(X, y)
    import numpy as np

    found = outputs_of(model, examples.X)
    outputs = len(as_list(found[0]))
    right = labels(examples, outputs)
    guesses = decided(found, default_threshold(model) if threshold is None else threshold)
    classes = max(2, outputs)
    return list(np.bincount(classes * right + guesses, minlength=classes**2).reshape(classes, -1).tolist())


# --- the loss as one graph


def mean_loss(
    model: Callable[[Any], Any], X: Any, y: Any, loss: str | losses.Loss = "squared_error", l2: float = 0.0
) -> Value:
    """The mean of the loss over examples, plus the L2 penalty, as one Value: the J(θ) of the lecture."""
    table = as_table(X)
    mean = total_loss(model, table, y, loss) * (1.0 / len(table))
    return mean + losses.l2_penalty(a_module(model, "an L2 penalty"), l2) if l2 else mean


def total_loss(model: Callable[[Any], Any], X: Any, y: Any, loss: str | losses.Loss = "squared_error") -> Value:
    """The sum of the loss over examples, as one Value; `mean_loss` is this divided by their number."""
    function, examples = losses.find(loss), Examples.of(X, y)
    total: Value = left_to_right(function(model(examples.row(i)), examples.target(i)) for i in examples.places)
    return total


def a_module(model: Any, who: str) -> Module:
    """The model, if it is a `Module`; else a TypeError that says who needs one."""
    if not isinstance(model, Module):
        raise TypeError(f"{who} needs a Module, with parameters of its own, but got {type(model).__name__}")
    return model
