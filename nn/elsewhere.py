"""What other libraries call things, and what to write here instead; for errors that teach (see `autograd.hints`)."""

from __future__ import annotations

from autograd.hints import add_elsewhere

_MODES = "a module does the same in training and in use, so there is nothing to switch"
_FLOATS = "parameters are Python floats, on no device and of no other type"
_BY_NAME = "activations go by name: Layer(3, 4, activation={!r})"
_LOGITS = "it takes logits"


class LikeANetwork:
    """Attributes that networks have in PyTorch, Keras or scikit-learn; to ask for one is an error that explains."""


add_elsewhere(
    LikeANetwork,
    {
        "fit": "write nn.fit(model, X, y)",
        "train": f"to train it write nn.fit(model, X, y); {_MODES}",
        "eval": _MODES,
        "predict": "write nn.predict(model, X), or model(x) for one example",
        "score": "write nn.accuracy(model, X, y)",
        "evaluate": "write nn.accuracy(model, X, y), or nn.mean_loss(model, X, y)",
        "compile": "write autograd.compile(model, X[0]); nn.fit compiles by itself",
        "summary": "write print(model)",
        "backward": "backward() is a method of the loss: loss.backward()",
        "step": "an optimiser steps: Adam(model).step()",
        "children": "write model.modules(), which gives paths and modules",
        "named_modules": "write model.modules(), which gives paths and modules",
        "to": _FLOATS,
        "cuda": _FLOATS,
        "cpu": _FLOATS,
        "double": _FLOATS,
        "half": _FLOATS,
    },
)

# `from nn import …`
NAMES = {
    "Linear": 'write Layer(nin, nout, activation="linear")',
    "Dense": 'write Layer(nin, nout, activation="linear")',
    **{name: f"{name} is in autograd: from autograd import {name}" for name in ("Value", "grad", "compile", "no_grad")},
    **{name: f"{name} is in viz: from viz import {name}" for name in ("draw_graph", "plot_history", "playground")},
    "Parameter": "a parameter is a Value that a module holds: self.w = Value(0.0)",
    "ModuleList": "a plain list of modules will do: self.layers = [Layer(2, 3), Layer(3, 1)]",
    "Model": "a network of your own is a class on Module, with a method forward(self, x)",
    "functional": "functions of Values are in autograd: from autograd import relu, softmax; losses are in nn",
    "ReLU": _BY_NAME.format("relu"),
    "Tanh": _BY_NAME.format("tanh"),
    "Sigmoid": _BY_NAME.format("sigmoid"),
    "Softplus": _BY_NAME.format("softplus"),
    "Softmax": _BY_NAME.format("softmax"),
    "LeakyReLU": _BY_NAME.format("leaky_relu"),
    "GELU": _BY_NAME.format("gelu"),
    "MSELoss": "write squared_error, which is ½ Σ (t - y)²",
    "mse": "write squared_error, which is ½ Σ (t - y)²",
    "mse_loss": "write squared_error, which is ½ Σ (t - y)²",
    "CrossEntropyLoss": f"write cross_entropy(logits, target), a function; {_LOGITS}",
    "BCELoss": f"write binary_cross_entropy(logit, target), a function; {_LOGITS}",
    "BCEWithLogitsLoss": f"write binary_cross_entropy(logit, target), a function; {_LOGITS}",
    "MaxPool2d": 'write Pool2d(2, "max")',
    "AvgPool2d": 'write Pool2d(2, "mean")',
    "RNN": "write Recurrent(RNNCell(input_size, hidden_size))",
    "LSTM": "write Recurrent(LSTMCell(input_size, hidden_size))",
    "GRU": "write Recurrent(GRUCell(input_size, hidden_size))",
    "clip_grad_norm_": "write clip_grad_norm",
}

# where the names are that `nn` itself does not have
ROOMS = ("lessons", "training", "attention", "conv", "recurrent", "losses", "optim", "activations", "module")
