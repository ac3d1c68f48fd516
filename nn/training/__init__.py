"""Training: from examples and a model to a model that has learned. In reading order:

    examples      what comes in: arrays and lists, checked; what is set aside, and in which order they come
    history       what is left behind and said on the way: History, EpochEnd, NonFiniteLossError, the bar
    structure     what a model is made of, by identity and by form: whether a kept program is its own
    metrics       what one asks of a model: predict, accuracy, confusion_matrix, mean_loss
    loops         the inner loop, through the graphs: the one that one would write by hand
    programs      a model and its loss as array programs, and how they are kept, for it and for models of its form
    compiled      the inner loop on arrays, and how it is held to the first
    train         fit: prepare, loop, report
    estimators    MLPClassifier and MLPRegressor: `fit` behind scikit-learn's interface
    minimisation  functions of a few numbers, without any model: minimize, newton_root, descent_trace

Each imports from those above it only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .history import EpochEnd, History, NonFiniteLossError
from .metrics import accuracy, confusion_matrix, mean_loss, predict, total_loss
from .minimisation import SURFACES, Minimum, Trace, descent_trace, minimize, newton_root
from .train import fit

if TYPE_CHECKING:
    from .estimators import MLPClassifier, MLPRegressor

__all__ = [
    "SURFACES",
    "EpochEnd",
    "History",
    "MLPClassifier",
    "MLPRegressor",
    "Minimum",
    "NonFiniteLossError",
    "Trace",
    "accuracy",
    "confusion_matrix",
    "descent_trace",
    "fit",
    "mean_loss",
    "minimize",
    "newton_root",
    "predict",
    "total_loss",
]

if not TYPE_CHECKING:  # by a __getattr__ that they see, type checkers would take every name for known

    def __getattr__(name: str) -> object:
        """The estimators are imported when they are first asked for: scikit-learn takes a second."""
        if name in ("MLPClassifier", "MLPRegressor"):
            from autograd.needs import needs_numpy

            needs_numpy(name)
            from . import estimators

            return getattr(estimators, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
