"""`Neuron`, `Layer`, `MLP`: weighted sums with an activation, side by side, one after another; `Sequential`.

A neuron is built as the lecture draws it: each weight times its input, the products added from left to right, the bias
added last, and the activation on top. A learner could not see the sum in one fused dot product.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from autograd import Value, functions
from autograd.hints import explains
from autograd.modes import STATE, TRACING
from autograd.reals import is_real
from autograd.value import Operand

from . import activations
from . import init as initialisers  # the argument `init` hides the module of that name
from .activations import Function
from .checks import whole
from .init import Initialiser
from .module import Module, christen, put

if TYPE_CHECKING:
    from numpy.typing import NDArray

# One number, a list of them, or an array
Numbers: TypeAlias = "Operand | Sequence[Operand] | NDArray[Any]"
Out = TypeVar("Out")
LONG = 32  # terms from which on a weighted sum that is being compiled is recorded as one node

# for those who know these arguments by another name
_NIN = "write nin, or the number alone, at the first place"
_NOUT = "write nout, or the number alone, at the second place"
_NOUTS = "write nouts=[8, 1], or the list alone, at the second place: the layers' sizes, the last is the output's"
_BIAS = "every neuron has a bias; to hold it at 0 train the weights alone, as in Adam(model.weights())"


def as_inputs(x: Any, count: int, who: str) -> Any:
    """The inputs of a module as a sequence of ``count`` entries; a single number will do where one is expected.

    Raises:
        ValueError: with both numbers, if there are more or fewer; if ``x`` is nested.
        TypeError: if ``x`` is not a sequence of numbers.
    """
    if hasattr(x, "tolist"):  # a NumPy array: its entries as plain floats, which are much faster to compute with
        x = x.tolist()
    if isinstance(x, Value) or is_real(x):
        x = (x,)
    elif not isinstance(x, (list, tuple)):
        if isinstance(x, (set, frozenset)):
            raise TypeError(f"{who} takes a list of {count} numbers, since a set has no order, but got {x!r}")
        if isinstance(x, (str, bytes, dict)) or not hasattr(x, "__iter__"):
            raise TypeError(f"{who} takes a list of {count} numbers or Values, but got {type(x).__name__}: {x!r}")
        x = list(x)
    if x and isinstance(x[0], (list, tuple)):
        raise ValueError(
            f"{who} takes a flat list of {count} number{'s' * (count != 1)}, but got a list of lists; give one example "
            "at a time, as in [model(x) for x in X], or make one list of a nested example with nn.Flatten()"
        )
    if len(x) != count:
        raise ValueError(f"{who} takes {count} input{'s' * (count != 1)}, but got {len(x)}")
    return x


def as_list(outputs: Any) -> list[Any]:
    """A module's outputs as a list, also where it has just one."""
    several = isinstance(outputs, (list, tuple)) or getattr(outputs, "ndim", 0) > 0  # NumPy's scalars are no lists
    return list(outputs) if several else [outputs]


def last_activation(model: Any) -> str:
    """The name of the activation that a model ends in; "" where that cannot be told."""
    layers = getattr(model, "layers", None)
    last = layers[-1] if isinstance(layers, list) and layers else model
    return str(getattr(last, "_activation_name", ""))


def weighted_sum(ws: Iterable[Any], xs: Iterable[Any]) -> Any:
    """w₁x₁ + … + wₙxₙ, from left to right; ``sum`` would begin with a 0 that is then a node of the graph.

    While a function is compiled nobody looks at the products, and a long sum of them is one node: a layer of 784 inputs
    is then recorded five times as fast, and the program that comes out is the same.
    """
    if TRACING and STATE.tracer is not None:
        ws, xs = list(ws), list(xs)
        if len(ws) >= LONG:
            return functions.dot(ws, xs)
    return left_to_right(w * x for w, x in zip(ws, xs, strict=True))


def left_to_right(terms: Iterable[Any]) -> Any:
    """The sum of one term or more, without a 0 to begin with."""
    return reduce(add, terms)


def _in_turn(layers: Iterable[Function], x: Any) -> list[Any]:
    """What each layer puts out when it is given what the one before it put out."""
    outputs = []
    for layer in layers:
        x = layer(x)
        outputs.append(x)
    return outputs


class Neuron(Module):
    """y = φ(w₁x₁ + … + wₙxₙ + b).

    Args:
        nin: the number of inputs n.
        activation: φ, by name or as a function.
        init: where the weights start, by name or as a function (`nn.init`); the bias starts at 0.
        seed: an int for the same weights every time, or a ``random.Random``.
        fan_out: how many neurons share these inputs; some initialisers ask for it.

    Attributes:
        w (list[Value]): the weights.
        b (Value): the bias.

    Raises:
        ValueError: when called with another number of inputs; for an unknown activation or initialiser.
    """

    _own_name = "neuron"

    @explains(nonlin='for no activation write activation="linear"', in_features=_NIN, n_in=_NIN, bias=_BIAS)
    def __init__(
        self,
        nin: int,
        activation: str | Function = "tanh",
        init: str | Initialiser = "xavier",
        seed: int | random.Random | None = None,
        fan_out: int = 1,
    ) -> None:
        nin = whole("the number of inputs of a neuron", nin)
        name, function = activations.find(activation, whole_layer=False)
        rng, draw = initialisers.generator(seed), initialisers.find(init)
        if isinstance(function, Module):
            self.activation = function
        self.w = [Value(draw(rng, nin, fan_out), f"w{i}") for i in range(nin)]
        self.b = Value(0.0, "b")
        self._activation_name = name
        self._activate: Callable[[Any], Value] = function.forward if isinstance(function, Module) else function
        christen(self, self._own_name)  # so that one alone is framed, too; a layer that holds it calls it otherwise

    def forward(self, x: Numbers) -> Value:
        """The output, from a list of nin numbers or Values."""
        return self._activate(self.weighted_sum(x))

    def weighted_sum(self, x: Numbers) -> Value:
        """z = w₁x₁ + … + wₙxₙ + b, before the activation."""
        w = self.w
        xs: Any = x
        if type(x) is not list or len(x) != len(w):
            xs = as_inputs(x, len(w), "this neuron")
        if TRACING and len(w) >= LONG:
            long_sum: Value = weighted_sum(w, xs) + self.b
            return long_sum
        pairs = zip(w, xs, strict=True)
        wi, xi = next(pairs)
        total: Value = wi * xi
        for wi, xi in pairs:
            total = total + wi * xi
        return total + self.b

    def describe(self) -> str:
        return f"Neuron({len(self.w)} → 1, {self._activation_name})"


class Layer(Module):
    """nout neurons that see the same inputs.

    Args:
        nin: the number of inputs.
        nout: the number of neurons, which is the number of outputs.
        activation: a name or a function of one Value; "softmax" turns all the neurons' sums into probabilities.
        init: where the weights start (`nn.init`); biases start at 0.
        seed: an int for the same weights every time, or a ``random.Random``.

    Raises:
        ValueError: when called with another number of inputs; for an unknown activation or initialiser.
    """

    @explains(
        nonlin='for no activation write activation="linear"',
        in_features=_NIN,
        n_in=_NIN,
        out_features=_NOUT,
        n_out=_NOUT,
        bias=_BIAS,
    )
    def __init__(
        self,
        nin: int,
        nout: int,
        activation: str | Function = "tanh",
        init: str | Initialiser = "xavier",
        seed: int | random.Random | None = None,
    ) -> None:
        nin = whole("the number of inputs of a layer", nin)
        nout = whole("the number of neurons of a layer", nout)
        name, function = activations.find(activation)
        if name == "softmax" and nout == 1:
            raise ValueError("softmax over 1 output is always 1; for the probability of one of two classes use sigmoid")
        rng = initialisers.generator(seed)
        if isinstance(function, Module):
            self.activation = function
        own = "linear" if name == "softmax" else function
        self.neurons = [Neuron(nin, own, init, rng, nout) for _ in range(nout)]
        self._activation_name = name
        self._softmax = function if name == "softmax" else None
        self._nin = nin
        if isinstance(function, Module):
            object.__setattr__(function, "_name", "activation")

    def forward(self, x: Numbers) -> list[Value]:
        """The outputs, a list of nout Values, from a list of nin numbers or Values."""
        xs = as_inputs(x, self._nin, "this layer")
        if type(xs) is not list:
            xs = list(xs)
        y = [neuron(xs) for neuron in self.neurons]
        return y if self._softmax is None else self._softmax(y)

    @classmethod
    def from_arrays(
        cls, weights: Sequence[Sequence[float]], biases: Sequence[float], activation: str | Function = "tanh"
    ) -> Layer:
        """A layer with these weights, one row per neuron, and these biases, one per neuron."""
        rows = [list(row) for row in weights]
        if not rows or not rows[0]:
            raise ValueError("a layer needs at least one neuron with one weight")
        if any(len(row) != len(rows[0]) for row in rows):
            raise ValueError(f"every neuron needs as many weights, but got rows of {[len(row) for row in rows]}")
        if len(biases) != len(rows):
            raise ValueError(f"{len(rows)} neurons need {len(rows)} biases, but got {len(biases)}")
        layer = cls(len(rows[0]), len(rows), activation, "zeros")
        for neuron, row, b in zip(layer.neurons, rows, biases, strict=True):
            neuron.b.data = b
            put(neuron.w, row)
        return layer

    def describe(self) -> str:
        return f"Layer({self._nin} → {len(self.neurons)}, {self._activation_name})"


class MLP(Module):
    """A multi-layer perceptron: fully connected layers, one after another.

    Args:
        nin: the number of inputs.
        nouts: the number of neurons in each layer; the last is the number of outputs.
        activation: of the hidden layers: a name, a function, or a list with one for each.
        output: the activation of the last layer. The losses `cross_entropy` and `binary_cross_entropy` take logits,
            so they want "linear".
        init: where the weights start (`nn.init`): "xavier" for tanh and sigmoid, "he" for ReLU.
        seed: an int for the same network every time; None for another one each time.

    Called with a list of nin numbers, an MLP returns the list of its outputs; if there is one only, that Value itself,
    as in micrograd. (Type checkers cannot know which: ``assert isinstance(y, Value)`` tells them. A `Neuron` always
    gives a Value, a `Layer` or a `Sequential` of layers always a list.)

    >>> model = MLP(3, [4, 4, 1], seed=1)
    >>> model
    MLP(3 → 4 → 4 → 1, tanh, linear, 41 parameters)
      layers.0: Layer(3 → 4, tanh, 16 parameters)
      layers.1: Layer(4 → 4, tanh, 20 parameters)
      layers.2: Layer(4 → 1, linear, 5 parameters)
    >>> model([2.0, 3.0, -1.0])
    Value(data=..., grad=0.0)

    Raises:
        ValueError: when called with another number of inputs; for an unknown activation or initialiser, or no layers.
    """

    _lists_parts = True

    @explains(
        in_features=_NIN,
        n_in=_NIN,
        sizes=_NOUTS,
        hidden=_NOUTS,
        hidden_layer_sizes=_NOUTS,
        layers=_NOUTS,
        bias=_BIAS,
        nonlin='write activation="linear" for layers without one, or activation="relu"',
    )
    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: str | Function | Sequence[str | Function] = "tanh",
        output: str | Function = "linear",
        init: str | Initialiser = "xavier",
        seed: int | random.Random | None = None,
    ) -> None:
        if hasattr(nouts, "tolist"):  # a NumPy array
            nouts = nouts.tolist()
        if isinstance(nouts, (str, bytes)) or not isinstance(nouts, Sequence):
            raise TypeError(f"nouts is a list with the size of each layer, such as [4, 4, 1], but got {nouts!r}")
        if not nouts:
            raise ValueError("an MLP needs at least one layer, but nouts is empty")
        widths = [whole("the number of inputs of an MLP", nin), *(whole("the size of a layer", n) for n in nouts)]
        hidden = len(nouts) - 1
        chosen = (
            [activation] * hidden
            if isinstance(activation, str) or callable(activation) or activation is None
            else list(activation)
        )
        if len(chosen) != hidden:
            raise ValueError(f"{hidden} hidden layers need {hidden} activations, but got {len(chosen)}")
        if any(isinstance(a, str) and a.lower() == "softmax" for a in chosen):
            raise ValueError("softmax makes probabilities, so it is for the output: MLP(..., output='softmax')")
        rng = initialisers.generator(seed)
        self.layers = [
            Layer(a, b, act, init, rng) for a, b, act in zip(widths[:-1], widths[1:], [*chosen, output], strict=True)
        ]

    def forward(self, x: Numbers) -> Value | list[Value]:
        """The list of the outputs; if there is one only, that Value itself."""
        y: list[Value] = as_inputs(x, self.layers[0]._nin, "this MLP")
        for layer in self.layers:
            y = layer(y)
        return y[0] if len(y) == 1 else y

    def layer_outputs(self, x: Numbers) -> list[list[Value]]:
        """What each layer puts out for one example, first layer first."""
        return _in_turn(self.layers, x)

    @classmethod
    def from_arrays(
        cls,
        layers: Sequence[tuple[Sequence[Sequence[float]], Sequence[float]]],
        activation: str | Function = "tanh",
        output: str | Function = "linear",
    ) -> MLP:
        """A network with these weights and biases: a pair (W, b) per layer, with one row of W per neuron.

        Raises:
            ValueError: if a layer's rows are not as long as the layer before is wide.
        """
        if not layers:
            raise ValueError("an MLP needs at least one layer, but got none")
        built = [
            Layer.from_arrays(w, b, activation if i < len(layers) - 1 else output) for i, (w, b) in enumerate(layers)
        ]
        for i in range(1, len(built)):
            if built[i]._nin != len(built[i - 1].neurons):
                raise ValueError(
                    f"layer {i} takes {built[i]._nin} inputs, but layer {i - 1} has {len(built[i - 1].neurons)} outputs"
                )
        model = cls(built[0]._nin, [len(layer.neurons) for layer in built], activation, output, "zeros")
        model.layers = built
        return model

    def describe(self) -> str:
        widths = [self.layers[0]._nin, *(len(layer.neurons) for layer in self.layers)]
        names = [layer._activation_name for layer in self.layers]
        hidden = names[:-1] if len(set(names[:-1])) > 1 else names[:1] * (len(names) > 1)
        return f"MLP({' → '.join(map(str, widths))}, {', '.join([*hidden, names[-1]])})"


class Sequential(Module, Generic[Out]):
    """Modules one after another: the output of each is the input of the next.

    Args:
        layers: modules, or functions of what the part before them returns.

    >>> Sequential(Layer(2, 3, seed=0), Layer(3, 1, "linear", seed=1))
    Sequential(2 parts, 13 parameters)
      layers.0: Layer(2 → 3, tanh, 9 parameters)
      layers.1: Layer(3 → 1, linear, 4 parameters)

    Raises:
        TypeError: if a part cannot be called.
        ValueError: if there is none.
    """

    _lists_parts = True

    def __init__(self, *layers: *tuple[*tuple[Function, ...], Callable[[Any], Out]]) -> None:
        if not layers:
            raise ValueError("a Sequential needs at least one part, but got none")
        for k, layer in enumerate(layers):
            if isinstance(layer, type) or not callable(layer):
                hint = f"; write {layer.__name__}(...)" if isinstance(layer, type) else ""
                several = "; without the brackets: Sequential(a, b)" if isinstance(layer, (list, tuple)) else ""
                raise TypeError(f"part {k} of a Sequential is a module or a function, but got {layer!r}{hint}{several}")
        self.layers: list[Function] = list(layers)

    def forward(self, x: Any) -> Out:
        """What the last part gives."""
        for layer in self.layers:
            x = layer(x)
        y: Out = x
        return y

    def layer_outputs(self, x: Any) -> list[Any]:
        """What each part puts out for one example, first part first."""
        return _in_turn(self.layers, x)

    def architecture(self) -> str:
        names = [
            p.architecture() if isinstance(p, Module) else getattr(p, "__name__", type(p).__name__) for p in self.layers
        ]
        return f"Sequential({' → '.join(names)})"

    def describe(self) -> str:
        return f"Sequential({len(self.layers)} part{'s' * (len(self.layers) != 1)})"


__all__ = [
    "MLP",
    "Layer",
    "Neuron",
    "Sequential",
    "as_inputs",
    "as_list",
    "last_activation",
    "left_to_right",
    "weighted_sum",
]
