"""Optimisers: how a gradient becomes a step.

Each is one pure rule in plain arithmetic,

    rule(w, g, lr, t, *memory) -> (new w, *new memory)

with w a parameter, g its gradient, lr the learning rate, t = 1, 2, 3, … the number of the step, and a few numbers of
memory (a velocity, a mean of squares). The same rule runs on floats, one parameter after another (`Optimizer.step`), on
NumPy arrays, all at once (`Optimizer.step_arrays`), and on Values, if one wants to draw it.

Where PyTorch has the same optimiser, the formulas are PyTorch's, and so are the defaults, but for the learning rate of
SGD: 0.01 here, 0.001 there. What else differs around them is in docs/conventions.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, TypedDict, Unpack

from autograd import NonFiniteError, Value
from autograd.backward import numeric_adjoints
from autograd.hints import did_you_mean, explains
from autograd.ops import sqrt, where
from autograd.transforms import graph_adjoints

from .checks import in_unit, not_negative, pair, positive
from .init import generator
from .module import Module, in_one_piece, put
from .schedules import Schedule, name_of


class Options(TypedDict, total=False):
    """What every optimiser takes."""

    clip_norm: float | None
    noise: tuple[float, float] | None
    seed: int


class Optimizer:
    """The machinery around a rule: parameters, memory, learning rate, clipping, noise.

    Args:
        parameters: the Values to move, as from ``model.parameters()``, or a `Module`; None if `fit` or `bind` gives
            them later.
        lr: the learning rate: a number, or a function of the number of steps taken so far (`nn.schedules`).
        clip_norm: if the gradient, all parameters taken together, is longer than this, scale it down to this length
            (Pascanu, Mikolov and Bengio, 2013).
        noise: a pair (η, γ): add N(0, η/(1 + t)^γ) to every gradient at step t = 0, 1, …, after clipping (Neelakantan
            et al., 2015, with γ = 0.55).
        seed: for the noise.

    Attributes:
        t (int): how many steps were taken.
        memory (list[list[float]]): one list for each number of memory, with an entry for each parameter.

    Raises:
        ValueError: for a learning rate or another setting out of its range.
        TypeError: if a parameter is not a Value, or a setting is not a number.
    """

    memory_starts: Mapping[str, float] = {}  # the numbers of memory by name, and where each starts

    @explains(learning_rate="write lr", params="write parameters", model="write the model alone, at the first place")
    def __init__(
        self,
        parameters: Iterable[Value] | Module | None = None,
        lr: float | Schedule = 0.01,
        *,
        clip_norm: float | None = None,
        noise: tuple[float, float] | None = None,
        seed: int = 0,
    ) -> None:
        if not callable(lr):
            if isinstance(lr, bool) or not isinstance(lr, Real) or not 0.0 <= lr < math.inf:
                raise ValueError(f"a learning rate must be a number from 0 up, or a schedule, but got {lr!r}")
            if type(lr) not in (int, float):
                lr = float(lr)  # one of NumPy's would round every parameter to its own precision
        if noise is not None and not pair("noise", noise)[0] >= 0.0:
            raise ValueError(f"noise is a pair (η, γ) with η ≥ 0, but got {noise!r}")
        self.lr: float | Schedule = lr
        self.clip_norm = None if clip_norm is None else positive("clip_norm", clip_norm)
        self.noise = noise
        self.t = 0
        self.parameters: list[Value] = []
        self.memory: list[Any] = []  # each a list of floats, or, after step_arrays, an array
        self._loaded = False  # whether the memory was loaded before there were parameters, and waits for them
        self._rng = generator(seed)
        if parameters is not None:
            self.bind(parameters)

    # --- the rule

    def rule(self, w: Any, g: Any, lr: float, t: int, *memory: Any) -> tuple[Any, ...]:
        """The new parameter, and the new memory. Plain arithmetic: floats, arrays or Values."""
        raise NotImplementedError(f"{type(self).__name__} must define rule(self, w, g, lr, t, *memory)")

    # --- running it

    def bind(self, parameters: Iterable[Value] | Module) -> Optimizer:
        """Take these parameters; returns the optimiser.

        The memory begins anew, with two exceptions: a state that was loaded before there were parameters is kept for
        the first that come, and binding the same parameters again changes nothing.

        Raises:
            TypeError: for anything but Values.
            ValueError: for no parameters, one that comes twice, or another number of them than the loaded state has.
        """
        chosen = _chosen(parameters, type(self).__name__)
        for p in chosen:
            if not isinstance(p, Value):
                raise TypeError(f"an optimiser moves Values, but got {type(p).__name__}: {p!r}")
        if not chosen:
            raise ValueError("an optimiser needs at least one parameter, but got none")
        if len(set(chosen)) != len(chosen):
            raise ValueError("an optimiser takes each parameter once, but one of these comes twice")
        if self._loaded:
            self._check_lengths(self.memory, len(chosen))
        elif len(chosen) != len(self.parameters) or any(
            p is not q for p, q in zip(chosen, self.parameters, strict=True)
        ):
            self.memory = [[start] * len(chosen) for start in self.memory_starts.values()]
            self.t = 0
        self.parameters = chosen
        self._loaded = False
        return self

    def _check_lengths(self, memory: Sequence[Any], count: int) -> None:
        for name, m in zip(self.memory_starts, memory, strict=True):
            size = len(m) if isinstance(m, list) else m.size
            if size != count:
                raise ValueError(f"{name} has {size} entries, but there are {count} parameters")

    @property
    def learning_rate(self) -> float:
        """The learning rate of the step to come."""
        return self.lr(self.t) if callable(self.lr) else self.lr

    def step(self, loss: Value | None = None) -> None:
        """Move every parameter once, by the gradient that it holds. A parameter without one counts as gradient 0.

        All of it happens, or, if something raises (Ctrl-C included), all or nothing: never half a step.

        Args:
            loss: the root of the loss; only `Newton`, which differentiates it twice, asks for it.

        Raises:
            NonFiniteError: if a parameter would become inf or nan; nothing is moved then.
        """
        if not self.parameters:
            raise ValueError(f"this {type(self).__name__} has no parameters yet; give it model.parameters()")
        gradient = self._prepared([p.grad for p in self.parameters])
        lr, t = self.learning_rate, self.t + 1
        rule = self.rule
        memory = [m if isinstance(m, list) else m.ravel().tolist() for m in self.memory]
        moved = [rule(p.data, g, lr, t, *m) for p, g, *m in zip(self.parameters, gradient, *memory, strict=True)]
        columns = [list(column) for column in zip(*moved, strict=True)]
        self._commit(columns[0], columns[1:])

    def step_arrays(self, w: Any, g: Any) -> Any:
        """The same step on a NumPy array of parameters and one of gradients; returns the new parameters.

        The memory is the same one, kept as arrays from then on; one may go back and forth between the two.

        Raises:
            ValueError: if the optimiser was bound to, or has stepped with, another number of parameters.
            NonFiniteError: if a parameter would become inf or nan; the memory is then as it was.
        """
        import numpy

        if not self.memory:
            self.memory = [numpy.full(numpy.shape(w), start) for start in self.memory_starts.values()]
        if any(getattr(m, "shape", None) != numpy.shape(w) for m in self.memory):
            if any(numpy.size(m) != numpy.size(w) for m in self.memory):
                raise ValueError(f"this optimiser has {numpy.size(self.memory[0])} parameters, but got {numpy.size(w)}")
            self.memory = [numpy.reshape(m, numpy.shape(w)) for m in self.memory]
        if self.clip_norm is not None or self.noise is not None:
            flat = self._prepared(numpy.asarray(g, dtype=float).ravel().tolist())
            g = numpy.array(flat).reshape(numpy.shape(g))
        with numpy.errstate(all="ignore"):  # what overflows is refused below, by name
            new, *memory = self.rule(w, g, self.learning_rate, self.t + 1, *self.memory)
        if not numpy.isfinite(new).all():
            place = int(numpy.flatnonzero(~numpy.isfinite(new))[0])
            self._refuse(f"parameter {place}", numpy.ravel(w)[place], numpy.ravel(g)[place], numpy.ravel(new)[place])
        self.memory = memory
        self.t += 1
        return new

    def zero_grad(self) -> None:
        """Forget the parameters' gradients."""
        for p in self.parameters:
            p.grad = None

    def _prepared(self, gradient: list[float]) -> list[float]:
        if self.clip_norm is not None:
            gradient = clipped(gradient, self.clip_norm)
        if self.noise is not None:
            eta, gamma = self.noise
            deviation = math.sqrt(eta / (1.0 + self.t) ** gamma)
            gradient = [g + self._rng.gauss(0.0, deviation) for g in gradient]
        return gradient

    def _commit(self, numbers: Sequence[float], memory: list[Any]) -> None:
        """Put the new numbers in place: the whole step, even if Ctrl-C comes in the middle of it."""
        if not all(map(math.isfinite, numbers)):
            p, x = next((p, x) for p, x in zip(self.parameters, numbers, strict=True) if not math.isfinite(x))
            where = f"{p.scope}.{p.label}".strip(".") or f"parameter {self.parameters.index(p)}"
            self._refuse(where, p.data, p.grad, x)
        in_one_piece(self._put, numbers, memory, self.t + 1)

    def _refuse(self, who: str, w: float, g: float, new: float) -> None:
        raise NonFiniteError(
            f"step {self.t + 1} of {type(self).__name__} would move {who} from {w:.6g} to {new:.6g} (its gradient is "
            f"{g:.6g}), so no parameter was moved; a smaller learning rate or clip_norm often helps"
        )

    def _put(self, numbers: Sequence[float], memory: list[Any], t: int) -> None:
        put(self.parameters, numbers)
        self.memory, self.t = memory, t

    # --- saving

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on besides the settings, as plain lists and numbers (JSON can hold it)."""
        version, numbers, spare = self._rng.getstate()
        return {
            "kind": type(self).__name__,
            "t": self.t,
            "memory": {
                name: list(map(float, m if isinstance(m, list) else m.ravel().tolist()))
                for name, m in zip(self.memory_starts, self.memory, strict=False)
            },
            "noise": [version, list(numbers), spare],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Carry on from a `state_dict`. If anything is wrong with it, nothing is changed.

        An optimiser without parameters keeps the state for the first parameters that it is bound to, by `fit` too.

        Raises:
            ValueError: if it is another kind of optimiser's, for another number of parameters, or damaged.
        """
        if not isinstance(state, Mapping) or not {"kind", "t", "memory", "noise"} <= set(state):
            raise ValueError("this is not the state of an optimiser: it needs kind, t, memory and noise")
        if state["kind"] != type(self).__name__:
            raise ValueError(f"this is the state of {state['kind']}, but this optimiser is {type(self).__name__}")
        t = state["t"]
        if isinstance(t, bool) or not hasattr(t, "__index__") or t.__index__() < 0:
            raise ValueError(f"t, the number of steps taken, must be a whole number from 0 up, but is {t!r}")
        if not isinstance(state["memory"], Mapping):
            raise ValueError(f"the memory must be a dict of lists, but is {state['memory']!r}")
        names = list(self.memory_starts)
        # an optimiser that has never had parameters has no memory yet
        if list(state["memory"]) != names and (state["memory"] or self.parameters or t):
            raise ValueError(f"expected the memory {names}, but got {list(state['memory'])}")
        memory = []
        for name, m in state["memory"].items():
            try:
                memory.append([float(x) for x in m])
            except (TypeError, ValueError):
                raise ValueError(f"the memory {name!r} must be a list of numbers, but is {m!r}") from None
        if memory:
            self._check_lengths(memory, len(self.parameters) or len(memory[0]))
        rng = generator(0)
        try:
            version, numbers, spare = state["noise"]
            rng.setstate((version, tuple(numbers), spare))
        except (TypeError, ValueError):
            raise ValueError("noise must be the state of a random generator, as state_dict gives it") from None
        self._rng.setstate(rng.getstate())
        self.memory, self.t = memory, t.__index__()
        self._loaded = not self.parameters and (bool(memory) or self.t > 0)

    def __repr__(self) -> str:
        lr = name_of(self.lr) if callable(self.lr) else self.lr
        return f"{type(self).__name__}(lr={lr}, {len(self.parameters)} parameters, {self.t} steps taken)"


class SGD(Optimizer):
    """Gradient descent, with momentum and Nesterov's variant on request.

        v ← μv + g          (momentum μ; v = g without it)
        w ← w - lr·v        plain momentum (Polyak, 1964)
        w ← w - lr·(g + μv) Nesterov (1983), in the form of Sutskever et al. (2013)

    Args:
        momentum: μ, from 0 up to 1.
        nesterov: look ahead along the momentum.
        weight_decay: λ; adds λw to the gradient, of every parameter alike, as PyTorch does. For a penalty on weights
            only, use `l2_penalty`.
    """

    def __init__(
        self,
        parameters: Iterable[Value] | Module | None = None,
        lr: float | Schedule = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        **options: Unpack[Options],
    ) -> None:
        self.momentum, self.nesterov = in_unit("momentum", momentum), nesterov
        self.memory_starts = {"velocity": 0.0} if momentum else {}
        self.weight_decay = not_negative("weight_decay", weight_decay)
        if nesterov and momentum == 0.0:
            raise ValueError("Nesterov's method looks ahead along the momentum, so it needs momentum > 0")
        super().__init__(parameters, lr, **options)

    def rule(self, w: Any, g: Any, lr: float, t: int, *memory: Any) -> tuple[Any, ...]:
        g = g + self.weight_decay * w if self.weight_decay else g
        if not self.momentum:
            return (w - lr * g,)
        v = self.momentum * memory[0] + g
        return w - lr * (g + self.momentum * v if self.nesterov else v), v


class Adagrad(Optimizer):
    """A step of its own size for each parameter, smaller the more that parameter has moved (Duchi et al., 2011).

    s ← s + g²;  w ← w - lr·g/(√s + ε)
    """

    memory_starts: Mapping[str, float] = {"sum of squares": 0.0}

    def __init__(
        self,
        parameters: Iterable[Value] | Module | None = None,
        lr: float | Schedule = 0.01,
        eps: float = 1e-10,
        weight_decay: float = 0.0,
        **options: Unpack[Options],
    ) -> None:
        self.eps, self.weight_decay = positive("eps", eps), not_negative("weight_decay", weight_decay)
        super().__init__(parameters, lr, **options)

    def rule(self, w: Any, g: Any, lr: float, t: int, *memory: Any) -> tuple[Any, ...]:
        g = g + self.weight_decay * w if self.weight_decay else g
        s = memory[0] + g * g
        return w - lr * g / (sqrt(s) + self.eps), s


class RMSprop(Optimizer):
    """Adagrad with a memory that fades (Tieleman and Hinton, 2012).

    s ← αs + (1-α)g²;  w ← w - lr·g/(√s + ε)
    """

    memory_starts: Mapping[str, float] = {"mean of squares": 0.0}

    def __init__(
        self,
        parameters: Iterable[Value] | Module | None = None,
        lr: float | Schedule = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        **options: Unpack[Options],
    ) -> None:
        self.alpha = in_unit("alpha", alpha)
        self.eps, self.weight_decay = positive("eps", eps), not_negative("weight_decay", weight_decay)
        super().__init__(parameters, lr, **options)

    def rule(self, w: Any, g: Any, lr: float, t: int, *memory: Any) -> tuple[Any, ...]:
        g = g + self.weight_decay * w if self.weight_decay else g
        s = self.alpha * memory[0] + (1.0 - self.alpha) * g * g
        return w - lr * g / (sqrt(s) + self.eps), s


class Adam(Optimizer):
    """Momentum and RMSprop together (Kingma and Ba, 2015).

        m ← β₁m + (1-β₁)g            a fading mean of gradients
        v ← β₂v + (1-β₂)g²           and of their squares
        w ← w - lr·m̂/(√v̂ + ε)        m̂ = m/(1-β₁ᵗ), v̂ = v/(1-β₂ᵗ)

    m and v start at 0, so at first they are too small: what they hold of the past adds up to a weight of 1-βᵗ only, and
    is divided by that.

    Args:
        betas: (β₁, β₂).
        bias_correction: whether to divide so; without it the first steps are too long for β₂ > β₁².
        amsgrad: divide by the largest v so far, so that steps cannot grow again (Reddi, Kale and Kumar, 2018).
        weight_decay: λ; adds λw to the gradient. See `AdamW` for the other way.
    """

    def __init__(
        self,
        parameters: Iterable[Value] | Module | None = None,
        lr: float | Schedule = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        bias_correction: bool = True,
        amsgrad: bool = False,
        weight_decay: float = 0.0,
        **options: Unpack[Options],
    ) -> None:
        self.betas = _betas(betas)
        self.eps, self.weight_decay = positive("eps", eps), not_negative("weight_decay", weight_decay)
        self.bias_correction, self.amsgrad = bias_correction, amsgrad
        self.memory_starts = {"m": 0.0, "v": 0.0} | ({"largest v": 0.0} if amsgrad else {})
        super().__init__(parameters, lr, **options)

    def rule(self, w: Any, g: Any, lr: float, t: int, *memory: Any) -> tuple[Any, ...]:
        return self._moved(w, g + self.weight_decay * w if self.weight_decay else g, lr, t, *memory)

    def _moved(self, w: Any, g: Any, lr: float, t: int, *memory: Any) -> tuple[Any, ...]:
        b1, b2 = self.betas
        m = b1 * memory[0] + (1.0 - b1) * g
        v = b2 * memory[1] + (1.0 - b2) * g * g
        new = [m, v]
        if self.amsgrad:
            v = where(memory[2] >= v, memory[2], v)
            new.append(v)
        if self.bias_correction:
            denominator = sqrt(v) / sqrt(1.0 - b2**t) + self.eps
            return w - lr / (1.0 - b1**t) * m / denominator, *new
        return w - lr * m / (sqrt(v) + self.eps), *new


class AdamW(Adam):
    """Adam whose weight decay bypasses the memory: w ← w - lr·λ·w, then Adam's step (Loshchilov and Hutter, 2019)."""

    def __init__(
        self,
        parameters: Iterable[Value] | Module | None = None,
        lr: float | Schedule = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        bias_correction: bool = True,
        amsgrad: bool = False,
        weight_decay: float = 0.01,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(parameters, lr, betas, eps, bias_correction, amsgrad, weight_decay, **options)

    def rule(self, w: Any, g: Any, lr: float, t: int, *memory: Any) -> tuple[Any, ...]:
        return self._moved(w * (1.0 - lr * self.weight_decay), g, lr, t, *memory)


class NAdam(Optimizer):
    """Adam with Nesterov's momentum (Dozat, 2016), in the form that PyTorch has.

        μₜ = β₁(1 - ½·0.96^(tψ))     the momentum grows towards β₁
        w ← w - lr·[(1-μₜ)/(1-Πμ)·g + μₜ₊₁/(1-Πμ·μₜ₊₁)·m] / (√(v/(1-β₂ᵗ)) + ε)

    with Πμ the product μ₁μ₂…μₜ, and m and v as in Adam.

    Args:
        momentum_decay: ψ.
    """

    memory_starts: Mapping[str, float] = {"m": 0.0, "v": 0.0, "product of momenta": 1.0}

    def __init__(
        self,
        parameters: Iterable[Value] | Module | None = None,
        lr: float | Schedule = 0.002,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        momentum_decay: float = 0.004,
        weight_decay: float = 0.0,
        **options: Unpack[Options],
    ) -> None:
        self.betas, self.momentum_decay = _betas(betas), not_negative("momentum_decay", momentum_decay)
        self.eps, self.weight_decay = positive("eps", eps), not_negative("weight_decay", weight_decay)
        super().__init__(parameters, lr, **options)

    def rule(self, w: Any, g: Any, lr: float, t: int, *memory: Any) -> tuple[Any, ...]:
        g = g + self.weight_decay * w if self.weight_decay else g
        b1, b2 = self.betas
        now = b1 * (1.0 - 0.5 * 0.96 ** (t * self.momentum_decay))
        after = b1 * (1.0 - 0.5 * 0.96 ** ((t + 1) * self.momentum_decay))
        product = memory[2] * now
        m = b1 * memory[0] + (1.0 - b1) * g
        v = b2 * memory[1] + (1.0 - b2) * g * g
        denominator = sqrt(v / (1.0 - b2**t)) + self.eps
        step = (1.0 - now) / (1.0 - product) * g + after / (1.0 - product * after) * m
        return w - lr * step / denominator, m, v, product


class Newton(Optimizer):
    """Newton's method: w ← w - lr·H⁻¹g, with H the Hessian of the loss. A quadratic is solved in one step.

    ``step`` needs the loss itself, ``optimizer.step(loss)``: the graph is differentiated twice by the derivative sheet.
    For a network of n parameters that is n backward passes and an n×n system, so it is for small ones.

    Args:
        lr: 1 is Newton's own step.
        damping: added to H's diagonal (Levenberg, 1944): towards gradient descent, and invertible where H is not.
    """

    def __init__(
        self,
        parameters: Iterable[Value] | Module | None = None,
        lr: float | Schedule = 1.0,
        damping: float = 0.0,
        **options: Unpack[Options],
    ) -> None:
        self.damping = not_negative("damping", damping)
        super().__init__(parameters, lr, **options)

    def step(self, loss: Value | None = None) -> None:
        """Move every parameter once.

        Raises:
            TypeError: if the loss is not given.
            ValueError: if the Hessian cannot be inverted.
        """
        if not isinstance(loss, Value):
            raise TypeError("Newton's method differentiates the loss twice: call optimizer.step(loss)")
        gradient, hessian = derivatives(loss, self.parameters)
        direction = solve(hessian, self._prepared(gradient), self.damping)
        lr = self.learning_rate
        self._commit([p.data - lr * d for p, d in zip(self.parameters, direction, strict=True)], [])

    def step_arrays(self, w: Any, g: Any) -> Any:
        """Not to be had: a gradient alone does not tell the Hessian."""
        raise TypeError("Newton's method needs the loss, not only its gradient: call step(loss)")


def derivatives(loss: Value, parameters: list[Value]) -> tuple[list[float], list[list[float]]]:
    """The gradient and the Hessian of a loss at where its parameters are."""
    first = graph_adjoints(loss, parameters)
    slopes = [first.get(p, 0.0) for p in parameters]
    second = (numeric_adjoints(g) if isinstance(g, Value) else {} for g in slopes)  # one at a time: each is a graph's
    gradient = [g.data if isinstance(g, Value) else float(g) for g in slopes]
    return gradient, [[adjoints.get(q, 0.0) for q in parameters] for adjoints in second]


def solve(matrix: Sequence[Sequence[float]], right: Sequence[float], damping: float = 0.0) -> list[float]:
    """x with (A + damping·I)·x = b.

    Raises:
        ValueError: if the matrix cannot be inverted, or holds inf or nan.
    """
    import numpy

    a = numpy.array(matrix, dtype=float) + damping * numpy.eye(len(right))
    if not numpy.isfinite(a).all():
        raise ValueError("the Hessian holds inf or nan; Newton's method cannot go on from here")
    try:
        if numpy.linalg.cond(a) > 1e15:
            raise numpy.linalg.LinAlgError
        x: list[float] = numpy.linalg.solve(a, numpy.array(right, dtype=float)).tolist()
    except numpy.linalg.LinAlgError:
        raise ValueError(
            f"the {len(right)}×{len(right)} Hessian is singular: the loss is flat in some direction. "
            "Newton(damping=1e-3) or an l2_penalty makes it invertible"
        ) from None
    return x


def clipped(gradient: Sequence[float], max_norm: float) -> list[float]:
    """The gradient, scaled down to length ``max_norm`` if it is longer (Pascanu, Mikolov and Bengio, 2013).

    As in PyTorch, 1e-6 is added to the length before dividing by it.
    """
    norm = math.sqrt(math.fsum(g * g for g in gradient))
    scale = max_norm / (norm + 1e-6)
    return [g * scale for g in gradient] if scale < 1.0 else list(gradient)


def clip_grad_norm(parameters: Iterable[Value] | Module, max_norm: float) -> float:
    """Scale the gradients of these parameters, together, down to length ``max_norm``; returns the length before.

    Raises:
        ValueError, TypeError: if ``max_norm`` is not a number above 0.
    """
    positive("max_norm", max_norm)
    chosen = parameters.parameters() if isinstance(parameters, Module) else list(parameters)
    gradient = [p.grad for p in chosen]
    for p, g in zip(chosen, clipped(gradient, max_norm), strict=True):
        p.grad = g
    return math.sqrt(math.fsum(g * g for g in gradient))


def _betas(betas: Any) -> tuple[float, float]:
    """(β₁, β₂), each at least 0 and below 1."""
    b1, b2 = pair("betas", betas)
    return in_unit("betas[0]", b1), in_unit("betas[1]", b2)


def _chosen(parameters: Any, who: str) -> list[Any]:
    """The parameters as a list; for what is often given in their place, a hint."""
    if isinstance(parameters, Module):
        return parameters.parameters()
    if isinstance(parameters, Value):
        raise TypeError(f"{who} takes a list of parameters: put this one in brackets, {who}([w])")
    if isinstance(parameters, Real):
        raise TypeError(
            f"the first argument of {who} is the parameters, but got {parameters!r}; for the learning rate write "
            f"lr={parameters!r}"
        )
    if callable(parameters):
        name = getattr(parameters, "__name__", type(parameters).__name__)
        if name == "parameters":
            raise TypeError(f"{who} got the method itself; call it: model.parameters()")
        raise TypeError(f"{who} takes a list of Values, as from model.parameters(), but got the function {name}")
    if not hasattr(parameters, "__iter__"):
        raise TypeError(f"{who} takes a list of Values, as from model.parameters(), but got {parameters!r}")
    return list(parameters)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": NAdam,
    "newton": Newton,
}
_NO_SLIPS = {"adadelta", "adamax", "asgd", "lamb", "lion", "radam", "rprop"}  # other methods, not misspelt ones


def find(optimizer: str | Optimizer, lr: float | Schedule | None = None) -> Optimizer:
    """The optimiser of this name with its usual settings (and this learning rate), or the optimiser itself.

    Raises:
        ValueError: for an unknown name; the message lists the known ones.
        TypeError: for anything that is neither a string nor an optimiser.
    """
    if isinstance(optimizer, Optimizer):
        if lr is not None:
            raise ValueError(f"give the learning rate to the optimiser itself: {type(optimizer).__name__}(lr={lr!r})")
        return optimizer
    if not isinstance(optimizer, str):
        kind = (
            optimizer.__name__ + " itself; write " + optimizer.__name__ + "()"
            if isinstance(optimizer, type)
            else type(optimizer).__name__
        )
        raise TypeError(f"an optimiser is a name or an object such as Adam(lr=0.01), but got {kind}")
    if optimizer.lower() not in OPTIMIZERS:
        hint = "" if optimizer.lower() in _NO_SLIPS else did_you_mean(optimizer, OPTIMIZERS)
        raise ValueError(f"an optimiser is one of {', '.join(OPTIMIZERS)}, or an object, but got {optimizer!r}{hint}")
    kind_of = OPTIMIZERS[optimizer.lower()]
    return kind_of() if lr is None else kind_of(lr=lr)


__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "NAdam",
    "Newton",
    "Optimizer",
    "RMSprop",
    "clip_grad_norm",
    "clipped",
    "derivatives",
    "find",
    "solve",
]
