"""Networks made of Values: modules, layers, losses, optimisers and training.

>>> from nn import MLP, fit, data
>>> X, y = data.moons(100)
>>> model = MLP(2, [16, 16, 1], seed=0)
>>> history = fit(model, X, y, loss="binary_cross_entropy", metric="accuracy", epochs=50)

Three floors, each made of those below it:

    what a network is made of
        module       Module: parameters, their names, saving
        init         where weights start            activations  what bends a neuron's sum
        layers       Neuron, Layer, MLP, Sequential
        conv         Conv2d, Pool2d                 recurrent    RNNCell, LSTMCell, GRUCell, unroll
        embedding    Embedding                      losses       squared_error, cross_entropy, ...
        attention    SelfAttention, TransformerBlock, GPT
        optim        SGD, Adam, ...                 schedules    learning rates that change
        data         small data sets                checks       whether an argument is what it has to be
    training         fit, predict, accuracy, the estimators, minimize
    lessons          what the lectures build: Perceptron, LogisticRegression, NGramModel, SkipGram, gates, ...

Here are the names that most people need; the others are in the rooms: ``from nn.lessons import Perceptron``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _guard as _guard  # first of all: is `autograd` ours?
from . import activations, data, init, losses, optim, schedules, training
from .conv import Conv2d, Flatten, Pool2d, Reshape
from .data import one_hot
from .embedding import Embedding
from .layers import MLP, Layer, Neuron, Sequential
from .losses import binary_cross_entropy, cross_entropy, hinge, l2_penalty, squared_error
from .module import Module
from .optim import SGD, Adagrad, Adam, AdamW, NAdam, Optimizer, RMSprop, clip_grad_norm
from .recurrent import GRUCell, LSTMCell, Recurrent, RNNCell, unroll
from .training import accuracy, confusion_matrix, fit, mean_loss, minimize, predict

if TYPE_CHECKING:
    from . import lessons
    from .training import MLPClassifier, MLPRegressor

__all__ = [
    "MLP",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Conv2d",
    "Embedding",
    "Flatten",
    "GRUCell",
    "LSTMCell",
    "Layer",
    "MLPClassifier",
    "MLPRegressor",
    "Module",
    "NAdam",
    "Neuron",
    "Optimizer",
    "Pool2d",
    "RMSprop",
    "RNNCell",
    "Recurrent",
    "Reshape",
    "Sequential",
    "accuracy",
    "activations",
    "binary_cross_entropy",
    "clip_grad_norm",
    "confusion_matrix",
    "cross_entropy",
    "data",
    "fit",
    "hinge",
    "init",
    "l2_penalty",
    "lessons",
    "losses",
    "mean_loss",
    "minimize",
    "one_hot",
    "optim",
    "predict",
    "schedules",
    "squared_error",
    "training",
    "unroll",
]


if not TYPE_CHECKING:  # by a __getattr__ that they see, type checkers would take every name for known

    def __getattr__(name: str) -> object:
        """What is imported when it is first asked for, and for any other name where it is, or what is meant."""
        import importlib

        if name == "lessons":
            return importlib.import_module(".lessons", __name__)
        if name in ("MLPClassifier", "MLPRegressor"):  # scikit-learn takes a second
            return getattr(training, name)
        import autograd
        from autograd.hints import no_such_name

        from .elsewhere import NAMES, ROOMS

        rooms = [] if name.startswith("_") else [importlib.import_module(f".{room}", __name__) for room in ROOMS]
        advice = {x: f"write from {room.__name__} import {x}" for room in reversed(rooms) for x in room.__all__}
        advice |= {x: f"write from autograd import {x}" for x in autograd.__all__ if x not in advice}
        raise no_such_name("nn", name, (*__all__, *advice), advice | NAMES)


def __dir__() -> list[str]:
    return sorted(__all__)
