"""Activation functions: what a neuron does to its sum. Each is one operation of the derivative sheet.

| name       | formula                | derivative                  |
|------------|------------------------|-----------------------------|
| linear     | z                      | 1                           |
| sigmoid    | σ(z) = 1/(1 + e^-z)    | σ(1 - σ)                    |
| tanh       | 2σ(2z) - 1             | 1 - tanh²                   |
| relu       | max(0, z)              | 1 if z > 0 else 0           |
| leaky_relu | max(0.1·z, z)          | 1 if z > 0 else 0.1         |
| prelu      | max(α·z, z), α learned | 1 if z > 0 else α           |
| softplus   | log(1 + e^z)           | σ(z)                        |
| gelu       | z·Φ(z)                 | Φ(z) + z·φ(z)               |
| softmax    | e^zᵢ / Σ e^zⱼ          | yᵢ([i = j] - yⱼ); a layer's |

The leaky slope keeps a neuron alive whose sum is negative for every example; 0.1 is `autograd.ops.LEAKY_SLOPE`.

Sources: relu in networks: Nair and Hinton (2010); leaky_relu: Maas, Hannun and Ng (2013), with the slope 0.1 of the
lecture where they have 0.01; prelu: He, Zhang, Ren and Sun (2015); gelu: Hendrycks and Gimpel (2016), where Φ and φ
are the normal distribution's function and density.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import Value, functions
from autograd.functions import leaky_relu
from autograd.hints import did_you_mean, written_out
from autograd.signatures import Number
from autograd.value import Operand

from .module import Module

Function = Callable[[Any], Any]


def linear(z: Number) -> Number:
    """z itself: no activation."""
    return z


class PReLU(Module):
    """The parametric ReLU: z above 0, else α·z, where α is a parameter like any other (He et al., 2015).

    One α serves a whole layer. ∂/∂z is 1 or α; ∂/∂α is 0 or z.

    Args:
        alpha: where α starts; He et al. start at 0.25.
    """

    def __init__(self, alpha: float = 0.25) -> None:
        self.alpha = Value(alpha, "alpha")

    def forward(self, z: Operand) -> Value:
        return functions.leaky_relu(z, self.alpha)

    def describe(self) -> str:
        return "PReLU()"


# Softmax looks at a whole layer's sums, so a layer applies it, not a neuron.
FUNCTIONS: dict[str, Function] = {
    "linear": linear,
    "sigmoid": functions.sigmoid,
    "tanh": functions.tanh,
    "relu": functions.relu,
    "leaky_relu": leaky_relu,
    "softplus": functions.softplus,
    "gelu": functions.gelu,
}
_ALIASES = {"identity": "linear", "leakyrelu": "leaky_relu", "leaky-relu": "leaky_relu", "logistic": "sigmoid"}
NAMES = (*FUNCTIONS, "prelu", "softmax")


def find(activation: str | Function, *, whole_layer: bool = True) -> tuple[str, Function]:
    """An activation's name and function, from either.

    Args:
        activation: a name from the table above, or a function of one Value (a `Module` such as `PReLU` too).
        whole_layer: whether "softmax" is possible here.

    Raises:
        ValueError: for a name that is not in the table; the message lists those that are.
        TypeError: for anything that is neither a string nor callable.
    """
    if isinstance(activation, str):
        given, activation = activation, _ALIASES.get(activation.lower(), activation.lower())
        if activation in FUNCTIONS:
            return activation, FUNCTIONS[activation]
        if activation == "prelu":
            return activation, PReLU()
        if activation == "softmax" and whole_layer:
            return activation, functions.softmax
        if activation == "softmax":
            raise ValueError("softmax looks at all outputs of a layer, so it cannot be a single neuron's activation")
        hint = written_out(activation) or did_you_mean(activation, NAMES)
        raise ValueError(f"an activation is one of {', '.join(NAMES)}, or a function, but got {given!r}{hint}")
    if callable(activation):
        for known, function in FUNCTIONS.items():
            if activation is function:
                return known, function
        if activation is functions.softmax:
            return find("softmax", whole_layer=whole_layer)
        if isinstance(activation, PReLU):
            return "prelu", activation
        return getattr(activation, "__name__", type(activation).__name__), activation
    if activation is None:
        raise TypeError('an activation is a name or a function of one Value, but got None; for none write "linear"')
    raise TypeError(f"an activation is a name or a function of one Value, but got {type(activation).__name__}")


def curve(
    activation: str | Function, low: float = -5.0, high: float = 5.0, points: int = 201
) -> tuple[list[float], list[float], list[float]]:
    """An activation and its derivative over an interval, as data for a plot: lists of z, f(z) and f′(z)."""
    if points < 2 or not low < high:
        raise ValueError(f"a curve needs low < high and at least 2 points, but got {low}, {high} and {points}")
    _, function = find(activation, whole_layer=False)
    zs = [low + (high - low) * i / (points - 1) for i in range(points)]
    ys, slopes = [], []
    for number in zs:
        z = Value(number)
        y = function(z)
        (z if y is z else y).backward()
        ys.append(y.data)
        slopes.append(z.grad)
    return zs, ys, slopes


__all__ = ["FUNCTIONS", "NAMES", "PReLU", "curve", "find", "leaky_relu", "linear"]
