"""Training: what moves a model's parameters, and what one asks of the model afterwards.

| file         | idea                                                                                 |
|--------------|--------------------------------------------------------------------------------------|
| train        | `fit`, its `History`, and `predict`, `accuracy`, `mean_loss`: the loop in plain sight |
| compiled     | the same loop on arrays, through the program that the compiler makes of the graph     |
| estimators   | `MLPClassifier`, `MLPRegressor`: both behind scikit-learn's interface                 |
| minimisation | `minimize`, `newton_root`, `descent_trace`: functions that are no networks            |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .minimisation import SURFACES, Minimum, Trace, descent_trace, minimize, newton_root
from .train import (
    EpochEnd,
    History,
    NonFiniteLossError,
    accuracy,
    confusion_matrix,
    fit,
    mean_loss,
    predict,
    total_loss,
)

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
            from . import estimators

            return getattr(estimators, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
