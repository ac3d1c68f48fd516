"""Networks with a memory: cells that carry a state from one time step to the next, and `unroll`, which runs them.

A recurrent network uses the same weights at every step. Unrolled in time it is an ordinary graph, as deep as the
sequence is long, so backpropagation needs nothing new; the gradients of all steps add up in the shared weights
("backpropagation through time", Werbos, 1990). But the gradient also passes every step on its way back, and is
multiplied each time by the step's local derivatives: over a long distance it vanishes or explodes (Hochreiter, 1991;
Bengio, Simard and Frasconi, 1994). `gradient_by_distance` measures it.

With [x; h] the input and the last hidden state as one list, and ⊙ the product entry by entry:

    RNNCell     h' = tanh(W[x; h] + b)                                      Elman (1990)
    LSTMCell    i, f, o = σ(W[x; h] + b), each with weights of its own      Hochreiter and Schmidhuber (1997),
                g = tanh(W[x; h] + b)                                       forget gate f: Gers, Schmidhuber and
                c' = f ⊙ c + i ⊙ g,   h' = o ⊙ tanh(c')                     Cummins (2000)
    GRUCell     r, z = σ(W[x; h] + b), each with weights of its own         Cho et al. (2014), in the variant that
                n = tanh(W x + b + r ⊙ (U h + d))                           cuDNN, PyTorch and Keras compute
                h' = (1 - z) ⊙ n + z ⊙ h

They are PyTorch's formulas, with one difference of no consequence: where PyTorch adds two biases, one of them could be
any number, so here there is one, their sum. Cho et al. apply the reset gate to h before the matrix U; in the variant
here it is applied after, to U h + d, which is why this bias is one of its own.

A step's nodes are filed under "time.0", "time.1", ..., so that a drawing frames the unrolled network by time step.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from autograd import Value
from autograd.backward import numeric_adjoints
from autograd.functions import detach
from autograd.hints import explains
from autograd.modes import scope

from . import activations
from .activations import Function
from .checks import whole
from .init import generator
from .layers import Layer, as_inputs, as_list, last_activation
from .module import Module, christen

State = Any  # the hidden state, a list; or a tuple of lists, of which the first is the hidden state
S = TypeVar("S")
_SIZES = {"nin": "write input_size", "nhidden": "write hidden_size", "units": "write hidden_size"}  # by other names


def uniform(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """U(-1/√n, 1/√n) for n hidden units: where the weights of a cell start, as in PyTorch."""
    a = 1.0 / math.sqrt(fan_out)
    return rng.uniform(-a, a)


class Cell(Module):
    """What the cells have in common: sizes, and checks of what comes in. A subclass defines ``forward(x, state)``.

    A cell is called with one step's input and the state, and returns the next state. The state is the hidden state, a
    list; or a tuple of lists, of which the first is the hidden state. None stands for zeros, where a sequence begins.

    Attributes:
        input_size (int): the number of inputs at each step.
        hidden_size (int): the number of hidden units, which is the length of the hidden state.
    """

    _own_name = "cell"

    def __init__(self, input_size: int, hidden_size: int) -> None:
        self.input_size = whole("the number of inputs of a cell", input_size)
        self.hidden_size = whole("the number of hidden units of a cell", hidden_size)
        christen(self, self._own_name)

    def _input(self, x: Any) -> list[Any]:
        return list(as_inputs(x, self.input_size, f"each step of this {type(self).__name__}"))

    def _part(self, state: Any, name: str = "hidden state") -> list[Any]:
        if state is None:
            return [0.0] * self.hidden_size
        return list(as_inputs(state, self.hidden_size, f"the {name} of this {type(self).__name__}"))

    def describe(self) -> str:
        return f"{type(self).__name__}({self.input_size} → {self.hidden_size})"


class RNNCell(Cell):
    """h' = φ(W[x; h] + b), the simple recurrent network (Elman, 1990).

    Args:
        input_size: the number of inputs at each step.
        hidden_size: the number of hidden units.
        activation: φ, by name or as a function of one Value.
        seed: an int for the same weights every time, or a ``random.Random``. They start uniform in ±1/√hidden_size;
            the biases start at 0.

    Called as ``cell(x, h)``, with a list of input_size numbers or Values and the state, a list of hidden_size (or None:
    zeros). Returns the next h.

    Raises:
        ValueError: when called with another number of inputs or another length of state; for an unknown activation.
    """

    @explains(**_SIZES)
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        activation: str | Function = "tanh",
        seed: int | random.Random | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size)
        name, _ = activations.find(activation, whole_layer=False)
        self.neurons = Layer(input_size + hidden_size, hidden_size, activation, uniform, seed).neurons
        self._activation_name = name

    def forward(self, x: Any, state: Any = None) -> list[Value]:
        """The next hidden state."""
        both = self._input(x) + self._part(state)
        return [neuron(both) for neuron in self.neurons]

    def describe(self) -> str:
        return f"RNNCell({self.input_size} → {self.hidden_size}, {self._activation_name})"


class LSTMCell(Cell):
    """Long short-term memory: c' = f ⊙ c + i ⊙ g, h' = o ⊙ tanh(c') (Hochreiter and Schmidhuber, 1997).

    The gates i (input), f (forget: Gers, Schmidhuber and Cummins, 2000) and o (output) are σ(W[x; h] + b), the new
    content g is tanh(W[x; h] + b), each with weights of its own. The memory c is only multiplied by f from step to
    step, so while f is near 1 its gradient neither vanishes nor explodes.

    Args:
        input_size: the number of inputs at each step.
        hidden_size: the number of hidden units.
        forget_bias: where the bias of the forget gate starts. With 1, f starts near σ(1) = 0.73 and the cell remembers
            at first, as Gers et al. and Jozefowicz, Zaremba and Sutskever (2015) advise; with 0 it starts near ½.
        seed: an int for the same weights every time, or a ``random.Random``. They start uniform in ±1/√hidden_size; the
            other biases start at 0.

    Called as ``cell(x, (h, c))``, with a list of input_size numbers or Values and the state, two lists of hidden_size
    (or None: zeros). Returns the next (h, c).

    Raises:
        ValueError: when called with another number of inputs or another length of state.
        TypeError: for a state that is not a pair.
    """

    @explains(**_SIZES)
    def __init__(
        self, input_size: int, hidden_size: int, *, forget_bias: float = 1.0, seed: int | random.Random | None = None
    ) -> None:
        super().__init__(input_size, hidden_size)
        rng, both = generator(seed), input_size + hidden_size
        self.input = Layer(both, hidden_size, "sigmoid", uniform, rng)
        self.forget = Layer(both, hidden_size, "sigmoid", uniform, rng)
        self.content = Layer(both, hidden_size, "tanh", uniform, rng)
        self.output = Layer(both, hidden_size, "sigmoid", uniform, rng)
        for neuron in self.forget.neurons:
            neuron.b.data = forget_bias

    def forward(self, x: Any, state: Any = None) -> tuple[list[Value], list[Value]]:
        """The next hidden state and memory, (h, c)."""
        if state is None:
            state = (None, None)
        if not isinstance(state, (tuple, list)) or len(state) != 2:
            raise TypeError(
                f"the state of an LSTMCell is a pair (h, c) of lists of {self.hidden_size}, but got {state!r}"
            )
        c = self._part(state[1], "memory c")
        both = self._input(x) + self._part(state[0])
        i, f, g, o = self.input(both), self.forget(both), self.content(both), self.output(both)
        c = [f[k] * c[k] + i[k] * g[k] for k in range(self.hidden_size)]
        return [o[k] * c[k].tanh() for k in range(self.hidden_size)], c


class GRUCell(Cell):
    """The gated recurrent unit: h' = (1 - z) ⊙ n + z ⊙ h (Cho et al., 2014).

    The gates r (reset) and z (update) are σ(W[x; h] + b); the new content is n = tanh(W x + b + r ⊙ (U h + d)). This is
    the variant of cuDNN, PyTorch and Keras: Cho et al. write U(r ⊙ h), with the reset gate inside the matrix product,
    and mix the other way round, z ⊙ h + (1 - z) ⊙ n being the same.

    Args:
        input_size: the number of inputs at each step.
        hidden_size: the number of hidden units.
        seed: an int for the same weights every time, or a ``random.Random``. They start uniform in ±1/√hidden_size; the
            biases start at 0.

    Called as ``cell(x, h)``, with a list of input_size numbers or Values and the state, a list of hidden_size (or None:
    zeros). Returns the next h.

    Raises:
        ValueError: when called with another number of inputs or another length of state.
    """

    @explains(**_SIZES)
    def __init__(self, input_size: int, hidden_size: int, *, seed: int | random.Random | None = None) -> None:
        super().__init__(input_size, hidden_size)
        rng, both = generator(seed), input_size + hidden_size
        self.reset = Layer(both, hidden_size, "sigmoid", uniform, rng)
        self.update = Layer(both, hidden_size, "sigmoid", uniform, rng)
        self.content = Layer(input_size, hidden_size, "linear", uniform, rng)  # W x + b
        self.memory = Layer(hidden_size, hidden_size, "linear", uniform, rng)  # U h + d

    def forward(self, x: Any, state: Any = None) -> list[Value]:
        """The next hidden state."""
        x, h = self._input(x), self._part(state)
        r, z = self.reset(x + h), self.update(x + h)
        content, memory = self.content(x), self.memory(h)
        n = [(content[k] + r[k] * memory[k]).tanh() for k in range(self.hidden_size)]
        return [(1.0 - z[k]) * n[k] + z[k] * h[k] for k in range(self.hidden_size)]


# --- in time


def unroll(
    cell: Callable[[Any, Any], S], xs: Iterable[Any], state: S | None = None, *, truncate: int | None = None
) -> tuple[list[list[Value]], S]:
    """Run a cell over a sequence: state ← cell(x, state) for each x.

    Args:
        cell: an `RNNCell`, `LSTMCell` or `GRUCell`, or a function of a step's input and the state that returns the
            next state: a list, or a tuple of lists of which the first is the hidden state.
        xs: the inputs, one entry per time step: a list of numbers or Values, or a single one if the cell takes one.
        state: where to begin; None for zeros. The state that this returns carries on where it ended.
        truncate: truncated backpropagation through time: after every ``truncate`` steps the state is detached, so that
            gradients flow back at most so many steps (Williams and Peng, 1990). The numbers stay the same; only
            what the weights did before the cut is no longer charged to them. None for the whole sequence.

    Returns:
        the hidden state after each step, and the last state.

    The cut is a node of its own, `detach`: its value is its input's, its local derivative is 0. So a drawing shows
    where the gradient stops, and `autograd.compile` compiles it. What lies before the cut stays part of the graph; to
    let go of a long history, unroll it in parts, and begin each with the numbers of the last state.

    Raises:
        ValueError: for an empty sequence, a ``truncate`` below 1, or a step of another length than the cell takes.
        TypeError: if ``xs`` is not a sequence, or ``cell`` cannot be called.
    """
    if isinstance(cell, type) or not callable(cell):
        raise TypeError(f"unroll needs a cell, such as LSTMCell(1, 8), or a function, but got {cell!r}")
    steps = _steps(xs)
    if truncate is not None:
        truncate = whole("truncate, the number of steps that gradients flow back,", truncate)
    step = cell.forward if isinstance(cell, Cell) else cell  # a frame per time step, without another one for the cell
    outputs: list[list[Value]] = []
    now: Any = state
    for t, x in enumerate(steps):
        if truncate is not None and t and t % truncate == 0:
            now = _detached(now)
        with scope(f"time.{t}"):
            now = step(x, now)
        outputs.append(now[0] if isinstance(now, tuple) else now)
    last: S = now
    return outputs, last


def _steps(xs: Any) -> list[Any]:
    if hasattr(xs, "tolist"):
        xs = xs.tolist()
    if isinstance(xs, (str, bytes, dict, set, frozenset, Value)) or not isinstance(xs, Iterable):
        raise TypeError(f"a sequence is a list with one entry per time step, but got {type(xs).__name__}: {xs!r}")
    steps = list(xs)
    if not steps:
        raise ValueError("a sequence needs at least one time step, but this one is empty")
    return steps


def _detached(state: State) -> State:
    if isinstance(state, (list, tuple)):
        kind = getattr(type(state), "_make", type(state))  # a named tuple takes its parts one by one
        return kind(_detached(part) for part in state)
    return detach(state)


class Recurrent(Module):
    """A cell unrolled over a sequence, with a head on top: a model for `fit`.

    Args:
        cell: an `RNNCell`, `LSTMCell` or `GRUCell`.
        head: what makes the output of a hidden state, such as ``Layer(hidden_size, 1, "linear")``; None for the hidden
            state itself.
        every_step: whether there is an output at every time step (a list of them), or only after the last.
        truncate: as in `unroll`.

    Called with a sequence: a list with one entry per time step, each a list of numbers, or a single one if the cell
    takes one. So ``fit(model, X, y)`` takes a list of sequences, all of one length.

    >>> model = Recurrent(LSTMCell(1, 8, seed=0), Layer(8, 1, "linear", seed=0))
    >>> model([0.5, -0.25, 1.0])
    Value(data=..., grad=0.0)

    Raises:
        TypeError: if the cell or the head is not one; otherwise as `unroll`.
    """

    _lists_parts = True

    def __init__(
        self, cell: Cell, head: Module | None = None, *, every_step: bool = False, truncate: int | None = None
    ) -> None:
        if not isinstance(cell, Cell):
            raise TypeError(f"Recurrent needs a cell, such as LSTMCell(1, 8), but got {type(cell).__name__}: {cell!r}")
        if isinstance(head, type) or not (head is None or callable(head)):
            raise TypeError(f'a head is a module, such as Layer({cell.hidden_size}, 1, "linear"), but got {head!r}')
        if truncate is not None:
            truncate = whole("truncate, the number of steps that gradients flow back,", truncate)
        self.cell = cell
        if head is not None:
            self.head = head
        self._head = head
        self._every_step = bool(every_step)
        self._truncate = truncate

    def forward(self, xs: Any) -> Value | list[Value] | list[list[Value]]:
        """The output after the last step, or with ``every_step`` the list of all; a list of one Value is that Value."""
        outputs, _ = unroll(self.cell, xs, truncate=self._truncate)
        if not self._every_step:
            return self._answer(outputs[-1])  # type: ignore[no-any-return]
        answers: list[Any] = []
        for t, h in enumerate(outputs):
            with scope(f"time.{t}"):
                answers.append(self._answer(h))
        return answers

    def _answer(self, h: list[Value]) -> Any:
        y = h if self._head is None else self._head(h)
        return y[0] if isinstance(y, list) and len(y) == 1 else y

    @property
    def _activation_name(self) -> str:  # by which `accuracy` knows where a single output turns from no to yes
        return last_activation(self._head)

    def architecture(self) -> str:
        parts = [self.cell, *([] if self._head is None else [self._head])]
        return f"{self.describe()}: {', '.join(part.architecture() for part in parts)}"

    def describe(self) -> str:
        words = ["every step" if self._every_step else "last step"]
        if self._truncate is not None:
            words.append(f"truncated after {self._truncate}")
        return f"Recurrent({', '.join(words)})"


def gradient_by_distance(
    cell: Callable[[Any, Any], State],
    xs: Iterable[Any],
    loss: Callable[[list[Value]], Value] | None = None,
    state: State = None,
) -> list[float]:
    """How much of the gradient is left after so many steps back: ‖∂L/∂sₜ‖ for the state s after each step.

    Entry d of the list is for the state d steps before the last: entry 0 for the last one. The state is the hidden
    state h, and for an LSTM also the memory c; the norm is the Euclidean one. For h' = w·h + x it is |w|^d, the law of
    the vanishing and the exploding gradient (Hochreiter, 1991; Bengio, Simard and Frasconi, 1994).

    Args:
        cell, xs, state: as in `unroll`.
        loss: what is differentiated: a function of the last hidden state, a list; by default its sum.

    The parameters' gradients are left as they are.

    Raises:
        TypeError: if the loss is not a Value; otherwise as `unroll`.
    """
    states = []

    def remembering(x: Any, before: State) -> State:
        states.append(cell(x, before))
        return states[-1]

    outputs, _ = unroll(remembering, xs, state)
    h = as_list(outputs[-1])
    result = sum(h[1:], h[0]) if loss is None else loss(outputs[-1])
    if not isinstance(result, Value):
        raise TypeError(f"the loss must be a Value computed from the last hidden state, but is {type(result).__name__}")
    adjoints = numeric_adjoints(result)
    return [math.hypot(*(adjoints.get(s, 0.0) for s in _entries(state))) for state in reversed(states)]


def _entries(state: State) -> list[Value]:
    return [s for part in state for s in part] if isinstance(state, tuple) else as_list(state)


__all__ = ["Cell", "GRUCell", "LSTMCell", "RNNCell", "Recurrent", "gradient_by_distance", "uniform", "unroll"]
