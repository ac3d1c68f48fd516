"""Networks made of Values: modules, layers, losses, optimisers and training.

>>> from nn import MLP, fit, data
>>> X, y = data.moons(100)
>>> model = MLP(2, [16, 16, 1], seed=0)
>>> history = fit(model, X, y, loss="binary_cross_entropy", metric="accuracy", epochs=50)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _guard as _guard  # first of all: is `autograd` ours?
from . import activations, data, init, losses, optim, schedules
from .activations import PReLU
from .conv import Conv2d, Filter, Flatten, Pool2d, Reshape, convolve2d, pool2d
from .embedding import Embedding, SkipGram, Vocabulary, one_hot, skip_gram_pairs
from .layers import MLP, Layer, Neuron, Sequential
from .lessons import checklist, corpora, gates, roads, sequences
from .lessons.language import NeuralLanguageModel, NGramModel, best_k, perplexity
from .lessons.logistic import LogisticRegression
from .lessons.perceptrons import Perceptron, PerceptronReport
from .losses import binary_cross_entropy, cross_entropy, hinge, l2_penalty, perceptron, squared_error
from .module import ModelFormatError, Module
from .optim import SGD, AdaGrad, Adam, AdamW, Nadam, Newton, Optimizer, RMSProp, clip_grad_norm
from .recurrent import GRUCell, LSTMCell, Recurrent, RNNCell, gradient_by_distance, unroll
from .training.history import EpochEnd, History, NonFiniteLossError
from .training.metrics import accuracy, confusion_matrix, mean_loss, predict, total_loss
from .training.minimisation import Minimum, Trace, descent_trace, minimize, newton_root
from .training.train import fit

if TYPE_CHECKING:
    from .training.estimators import MLPClassifier, MLPRegressor

__all__ = [
    "MLP",
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Conv2d",
    "Embedding",
    "EpochEnd",
    "Filter",
    "Flatten",
    "GRUCell",
    "History",
    "LSTMCell",
    "Layer",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "Minimum",
    "ModelFormatError",
    "Module",
    "NGramModel",
    "Nadam",
    "NeuralLanguageModel",
    "Neuron",
    "Newton",
    "NonFiniteLossError",
    "Optimizer",
    "PReLU",
    "Perceptron",
    "PerceptronReport",
    "Pool2d",
    "RMSProp",
    "RNNCell",
    "Recurrent",
    "Reshape",
    "Sequential",
    "SkipGram",
    "Trace",
    "Vocabulary",
    "accuracy",
    "activations",
    "best_k",
    "binary_cross_entropy",
    "checklist",
    "clip_grad_norm",
    "confusion_matrix",
    "convolve2d",
    "corpora",
    "cross_entropy",
    "data",
    "descent_trace",
    "fit",
    "gates",
    "gradient_by_distance",
    "hinge",
    "init",
    "l2_penalty",
    "losses",
    "mean_loss",
    "minimize",
    "newton_root",
    "one_hot",
    "optim",
    "perceptron",
    "perplexity",
    "pool2d",
    "predict",
    "roads",
    "schedules",
    "sequences",
    "skip_gram_pairs",
    "squared_error",
    "total_loss",
    "unroll",
]


if not TYPE_CHECKING:  # by a __getattr__ that they see, type checkers would take every name for known

    def __getattr__(name: str) -> object:
        """The estimators are imported when they are first asked for: scikit-learn takes a second."""
        if name in ("MLPClassifier", "MLPRegressor"):
            from .training import estimators

            return getattr(estimators, name)
        from autograd.hints import no_such_name

        from .elsewhere import NAMES

        raise no_such_name("nn", name, __all__, NAMES)


def __dir__() -> list[str]:
    return sorted(__all__)
