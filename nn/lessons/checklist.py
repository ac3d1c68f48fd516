"""The checks to make before training in earnest (A. Karpathy, A Recipe for Training Neural Networks, 2019).

Each check raises an AssertionError with both numbers when it fails, and returns what it measured when it passes. Then
there is a learning rate to be found: `sweep_learning_rates`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from typing import Any

from .. import losses
from ..init import generator
from ..layers import as_list
from ..losses import Loss
from ..module import Module
from ..optim import SGD, Adam
from ..training.examples import as_examples, as_targets
from ..training.history import NonFiniteLossError
from ..training.metrics import mean_loss
from ..training.train import fit, gradcheck_off_kinks


def check_initial_loss(model: Module, X: Any, y: Any, *, slack: float = 0.5) -> float:
    """An untrained classifier of K classes knows nothing, so its cross-entropy should be about ln K.

    Args:
        slack: how far off the mean loss may be; random weights are not quite indifferent.

    Returns:
        The mean cross-entropy. (With a single output, binary cross-entropy, and K = 2.)
    """
    rows = as_examples(X)
    count = max(2, len(as_list(model(rows[0]))))
    loss = "cross_entropy" if len(as_list(model(rows[0]))) > 1 else "binary_cross_entropy"
    found: float = mean_loss(model, rows, y, loss).data
    if not abs(found - math.log(count)) <= slack:
        raise AssertionError(
            f"the initial loss should be about ln {count} = {math.log(count):.4f}, but is {found:.4f}: "
            "are the weights too large, or is the loss another one?"
        )
    return found


def check_gradients(model: Module, X: Any, y: Any, loss: str | Loss, *, parameters: int = 100, seed: int = 0) -> int:
    """Backpropagation agrees with central differences, for every parameter, or as many drawn at random.

    Returns:
        How many parameters were compared.

    Raises:
        GradientError: (an AssertionError) naming each derivative that disagrees.
    """
    rows = as_examples(X)
    targets = as_targets(y, len(rows))
    function = losses.find(loss)
    chosen = model.parameters()
    if len(chosen) > parameters:
        chosen = generator(seed).sample(chosen, parameters)
    gradcheck_off_kinks(lambda *p: mean_loss(model, rows, targets, function), chosen, generator(seed))
    return len(chosen)


def check_overfit(
    model: Module, X: Any, y: Any, loss: str | Loss, *, target: float = 0.01, epochs: int = 300, lr: float = 0.05
) -> float:
    """A handful of examples can be learned by heart; where that fails, something is wired wrongly.

    Trains a copy of the model with Adam on all of X; the model itself stays as it is.

    Args:
        target: what the mean loss must fall below.

    Returns:
        The mean loss at the end.
    """
    pupil = copy.deepcopy(model)
    fit(pupil, X, y, loss=loss, optimizer=Adam(lr=lr), epochs=epochs, progress=False)
    found: float = mean_loss(pupil, X, y, loss).data
    if not found < target:
        raise AssertionError(
            f"the loss on {len(as_examples(X))} examples should fall below {target}, but ended at {found:.4g}"
        )
    return found


RATES = tuple(10.0 ** (k / 2) for k in range(-8, 3))  # 0.0001, 0.000316, … 3.16, 10


def sweep_learning_rates(
    model: Module,
    X: Any,
    y: Any,
    loss: str | Loss,
    *,
    rates: Iterable[float] = RATES,
    epochs: int = 10,
    batch_size: int | None = None,
    seed: int = 0,
) -> dict[float, float]:
    """Where gradient descent gets in a few epochs with each of many learning rates, all from the same start.

    Plotted over the rates on a logarithmic axis it is a valley: flat on the left, where nothing is learned, falling,
    and then suddenly steep, where the steps are too long. Take a rate a little to the left of the lowest point.

    Trains a copy of the model for each rate; the model itself stays as it is.

    Args:
        rates: the learning rates; from 10⁻⁴ to 10, two in each power of ten, if not given.
        epochs, batch_size, seed: as in `fit`.

    Returns:
        The mean loss over X at the end, for each rate; inf where the training left the finite numbers.
    """
    found = {}
    for rate in rates:
        pupil = copy.deepcopy(model)
        try:
            fit(
                pupil,
                X,
                y,
                loss=loss,
                optimizer=SGD(lr=rate),
                epochs=epochs,
                batch_size=batch_size,
                seed=seed,
                progress=False,
            )
            ended = float(mean_loss(pupil, X, y, loss).data)
        except NonFiniteLossError:
            ended = math.inf
        found[rate] = ended if math.isfinite(ended) else math.inf
    return found


__all__ = ["RATES", "check_gradients", "check_initial_loss", "check_overfit", "sweep_learning_rates"]
