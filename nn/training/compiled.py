"""Training on the compiled program: what `fit` does unless it is told ``compiled=False``.

The loss of one example is traced once, by `autograd.compile`, and the NumPy program that comes out takes the place of
the graphs:

    step = compile(lambda x, t: loss(model(x), t), rows[0], targets[0])
    for batch in batches:
        step(X[batch], Y[batch])                                       # the mean loss, and step.gradient
        step.theta = optimizer.step_arrays(step.theta, step.gradient)

Everything else, from shuffling to early stopping, is `fit`'s own and the same for both. The parameters are read from
the Values before each epoch and written back after it, so that callbacks, validation and whoever looks at the model
find them where they always are.

A class index would be an index into a list of Values, which cannot be recorded; the losses that take one are traced on
a one-hot list instead (`forms`).
"""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import autograd
from autograd import TracingError, Value, functions
from autograd.compiler import compile as compile_function
from autograd.compiler.check import FAR, moved, only_rounding

from .. import losses, optim
from ..layers import as_list
from ..module import Module

if TYPE_CHECKING:
    from autograd.compiler.compiled import Compiled

    from .train import Example

Array = NDArray[Any]
AT_ONCE = 4096  # examples in one call of the program: larger batches are added up in pieces, so that memory is bounded
FAMILIAR, STRANGE = 4, 32  # examples on which the program is compared with the scalar code


class NotCompiled(Exception):
    """Why training stays eager. ``loud`` says whether the user should be warned."""

    def __init__(self, reason: str, loud: bool = True) -> None:
        super().__init__(reason)
        self.loud = loud


# --- losses in the form in which they can be traced


def signed_binary_cross_entropy(output: Any, target: Any) -> Any:
    """binary_cross_entropy for s = 1 - 2t, that is -1 for yes and +1 for no: Σ log(1 + e^(s·z))."""
    total = None
    for z, s in zip(as_list(output), as_list(target), strict=True):
        loss = functions.softplus(s * z)
        total = loss if total is None else total + loss
    return total


def one_hot_hinge(output: Any, target: Any) -> Any:
    """hinge for K scores and a one-hot target: Σ (1 - tⱼ)·max(0, 1 + sⱼ - Σ tᵢsᵢ)."""
    scores = as_list(output)
    right = sum((t * s for t, s in zip(target[1:], scores[1:], strict=True)), target[0] * scores[0])
    terms = [(1.0 - t) * functions.relu(1.0 + (s - right)) for t, s in zip(target, scores, strict=True)]
    return sum(terms[1:], terms[0])


def forms(loss: losses.Loss, outputs: int, targets: Sequence[Any]) -> tuple[losses.Loss, Callable[[list[Any]], Array]]:
    """A loss that can be traced, and how its targets are written as an array."""
    if outputs > 1 and loss in (losses.cross_entropy, losses.hinge):
        return (one_hot_hinge if loss is losses.hinge else loss), lambda ts: _one_hot(ts, outputs)
    if loss is losses.binary_cross_entropy and np.isin(np.array(targets, dtype=float), (0.0, 1.0)).all():
        return signed_binary_cross_entropy, lambda ts: 1.0 - 2.0 * np.array(ts, dtype=float)
    return loss, lambda ts: np.array(ts, dtype=float)


def _one_hot(targets: list[Any], count: int) -> Array:
    if isinstance(targets[0], list):
        return np.array(targets, dtype=float)
    table = np.zeros((len(targets), count))
    table[np.arange(len(targets)), [int(t) for t in targets]] = 1.0
    return table


# --- one function of the parameters, compiled


class Program:
    """A compiled function whose parameters are handed in as an array in an order of ours."""

    def __init__(self, f: Callable[..., Any], example: Sequence[Any], parameters: Sequence[Value], mean: bool) -> None:
        self.step: Compiled[Any] = compile_function(f, *example, mean=mean)
        place = {p: k for k, p in enumerate(self.step.parameters)}
        used = [k for k, p in enumerate(parameters) if p in place]
        self.count = len(parameters)
        self.used = np.array(used, dtype=np.intp)
        self.into = np.array([place[parameters[k]] for k in used], dtype=np.intp)
        self.exact = len(used) == len(parameters) == len(place)  # the same parameters: a permutation
        self.back = np.argsort(self.into) if self.exact else self.into

    def load(self, w: Array) -> None:
        """Set the parameters. Those that are not trained stay as `Compiled.pull` found them."""
        theta = self.step.theta
        if self.exact:
            np.take(w, self.back, out=theta, mode="clip")  # twice as fast as indexing
        else:
            theta[self.into] = w[self.used]

    def gradient(self) -> Array:
        if self.exact:
            return np.take(self.step.gradient, self.into, mode="clip")
        g = np.zeros(self.count)
        g[self.used] = self.step.gradient[self.into]
        return g

    def mean(self, *batch: Array) -> tuple[float, Array]:
        """The mean loss and its gradient."""
        n = len(batch[0])
        if n <= AT_ONCE:
            return self.step(*batch), self.gradient()
        total, g = 0.0, np.zeros(self.count)
        for k in range(0, n, AT_ONCE):
            piece = [a[k : k + AT_ONCE] for a in batch]
            total += self.step(*piece) * len(piece[0])
            g += self.gradient() * len(piece[0])
        return total / n, g / n

    def outputs(self, *batch: Array) -> Array:
        """What the function returns for each example."""
        pieces = [self.step.outputs(*[a[k : k + AT_ONCE] for a in batch]) for k in range(0, len(batch[0]), AT_ONCE)]
        if isinstance(pieces[0], tuple):
            raise NotCompiled("the model returns lists of different lengths")
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def model_program(model: Module, x: Example, parameters: Sequence[Value]) -> Program:
    return Program(model, [x], parameters, mean=False)


def predictions(model: Any, rows: list[Example]) -> Array | None:
    """The outputs of a model for many examples; None if it cannot be compiled."""
    try:
        program = model_program(model, rows[0], [])
        found = program.outputs(np.array(rows))
        checked = spread(len(rows), FAMILIAR if familiar(model) else STRANGE)
        expected = np.array([[float(y.data) for y in as_list(model(rows[i]))] for i in checked])
    except Exception:  # whatever it is, the scalar code will say it better
        return None
    return found if found.ndim <= 2 and agree(found[checked].reshape(expected.shape), expected) else None


def familiar(model: Any) -> bool:
    """Whether all modules in a model are ours; they ask no questions such as x == 0, which a trace does not see."""
    return isinstance(model, Module) and all(type(m).__module__.startswith("nn.") for _, m in model.modules())


def spread(n: int, count: int) -> list[int]:
    return sorted({round(k * (n - 1) / max(1, count - 1)) for k in range(min(n, count))})


def agree(found: Any, expected: Any) -> bool:
    return bool(np.allclose(found, expected, 1e-9, 1e-9, equal_nan=True))


class Arrays:
    """A model, its data and its optimiser as arrays, for one call of `fit`.

    Raises:
        NotCompiled: with the reason.
    """

    def __init__(
        self,
        model: Module,
        loss: losses.Loss,
        mover: optim.Optimizer,
        rows: list[Example],
        targets: list[Any],
        held_out: tuple[list[Example], list[Any]] | None,
        weights: list[float] | None = None,
    ) -> None:
        why = no_arrays(mover)
        if why:
            raise NotCompiled(why, loud=False)
        self.model, self.loss, self.mover, self.rows, self.targets = model, loss, mover, rows, targets
        self.ours = familiar(model) and loss in losses.LOSSES.values()
        self.parameters = list(mover.parameters)
        self.predictor: Program | None = None
        self.held_out: tuple[Array, Array] | None = None
        try:
            self.outputs = len(as_list(model(rows[0])))
            form, as_array = forms(loss, self.outputs, [*targets, *(held_out[1] if held_out else [])])
            self.X: Array = np.array(rows)
            self.Y = as_array(targets)
            if held_out:
                self.held_out = np.array(held_out[0]), as_array(held_out[1])

            def loss_of_one(x: Any, t: Any, *weight: Any) -> Any:
                return weight[0] * form(model(x), t) if weight else form(model(x), t)

            self.weights = None if weights is None else np.array(weights)
            example = [rows[0], self.Y[0].tolist(), *([] if weights is None else [1.0])]
            self.program = Program(loss_of_one, example, mover.parameters, mean=True)
            self.compare()
        except NotCompiled:
            raise
        except Exception as error:
            raise NotCompiled(reason(error)) from error

    def compare(self) -> None:
        """The program against the scalar code, on real examples with their real targets.

        What `compile` checks is whether the program does what the function does with Values. A function that asks
        ``t == 1`` gets False for every Value, and no complaint; only here does that show. The examples are spread over
        the data; some are taken with their signs flipped, and with parameters moved far.
        """
        chosen = spread(len(self.rows), FAMILIAR if self.ours else STRANGE)
        if not self.ours:  # also one example for each of the first few different targets
            first = {repr(t): i for i, t in reversed(list(enumerate(self.targets)))}
            chosen = sorted({*chosen, *list(first.values())[-STRANGE:]})
        why = self._differs(chosen, 1.0, far=False)
        if not why:
            generator = random.Random(0)
            before = [p.data for p in self.program.step.parameters]
            try:
                self._move([moved(x, FAR, generator) for x in before])
                few = spread(len(self.rows), 1 if self.ours else FAMILIAR)
                why = self._differs(few, 1.0, far=True) or self._differs(few, -1.0, far=True)
            finally:
                self._move(before)
        if why:
            raise NotCompiled(why)

    def disagreement(self) -> str:
        """Whether the program and the scalar code differ on a few examples, with the parameters as they are now."""
        n = len(self.rows)
        self.program.step.pull()
        return self._differs(
            random.Random(0).sample(range(n), 1 if self.ours else min(n, 2 * FAMILIAR)), 1.0, far=False
        )

    def _move(self, numbers: list[float]) -> None:
        for p, x in zip(self.program.step.parameters, numbers, strict=True):
            p.data = x
        self.program.step.pull()

    def _differs(self, chosen: list[int], sign: float, far: bool) -> str:
        """Where the program differs from the scalar code for some examples, times ``sign``; "" if nowhere."""
        X = self.X[chosen] if sign == 1.0 else sign * self.X[chosen]
        rows = [self.rows[i] for i in chosen] if sign == 1.0 else X.tolist()
        parameters = self.program.step.parameters
        held = [p.data for p in parameters]

        def scalar(how: Callable[[float], float]) -> Array:
            for p, x in zip(parameters, held, strict=True):
                p.data = how(x)
            losses = [self.loss(self.model(x), self.targets[i]) for x, i in zip(rows, chosen, strict=True)]
            return np.array([one.data if isinstance(one, Value) else float(one) for one in losses])

        try:
            expected = scalar(float)
        except Exception:
            if not far:
                raise
            return ""  # an example with its signs flipped need not make sense
        found = self.losses(X, self.Y[chosen])
        tolerance = 1e-6 if far else 1e-9
        with np.errstate(all="ignore"):
            wrong = ~np.isclose(found, expected, tolerance, tolerance) & np.isfinite(expected)
        # where the loss is not finite already, the first step will tell
        if not wrong.any() or (not far and not np.isfinite(expected).all()):
            return ""
        if far:
            try:
                if only_rounding(scalar, found, expected, wrong, float(np.finfo(float).eps)):
                    return ""
            finally:
                for p, x in zip(parameters, held, strict=True):
                    p.data = x
        k = int(np.flatnonzero(wrong)[0])
        where = " with its parameters moved" + (" and the example's signs flipped" if sign < 0.0 else "") if far else ""
        return (
            f"the program gives {found[k]:.10g} for the loss of example {chosen[k]}{where}, but the scalar code gives "
            f"{expected[k]:.10g}. Does the model or the loss ask for a number, as in `if t == 1`?"
        )

    def mean(self, chosen: Array) -> tuple[float, Array]:
        """The mean loss of the chosen examples, weighted if there are weights, and its gradient."""
        batch = self.X[chosen], self.Y[chosen]
        if self.weights is None:
            return self.program.mean(*batch)
        w = self.weights[chosen]
        mean, g = self.program.mean(*batch, w)
        scale = len(w) / float(w.sum())
        return mean * scale, g * scale

    def losses(self, x: Array, y: Array) -> Array:
        """The loss of each example, as if all weighed 1."""
        return self.program.outputs(x, y, *([] if self.weights is None else [np.ones(len(x))]))

    def compile_model(self, x: Example) -> None:
        """Also compile what a metric looks at, the outputs."""
        try:
            self.predictor = model_program(self.model, x, self.mover.parameters)
            if self.predictor.outputs(self.X[:1]).ndim > 2:
                raise NotCompiled("the model returns lists of lists")
        except NotCompiled:
            raise
        except Exception as error:
            raise NotCompiled(reason(error)) from error

    def pull(self) -> None:
        """Read the parameters from the Values."""
        self.program.step.pull()
        if self.predictor is not None:
            self.predictor.step.pull()

    def still_true(self) -> bool:
        """Whether the program still computes what the model does, in case a callback changed more than parameters."""
        if self.mover.parameters != self.parameters:
            return False
        one = self.loss(self.model(self.rows[0]), self.targets[0])
        expected = one.data if isinstance(one, Value) else float(one)
        self.pull()
        return agree(self.losses(self.X[:1], self.Y[:1])[0], expected)

    def load(self, w: Array) -> None:
        """Set the parameters."""
        self.program.load(w)
        if self.predictor is not None:
            self.predictor.load(w)

    def predicted(self, X: Array) -> Array:
        assert self.predictor is not None
        return self.predictor.outputs(X)

    @staticmethod
    def hits(outputs: Array, labels: Array, threshold: float) -> float:
        """How many examples are put in their class; as `nn.training.train.decide`, for many at once."""
        if outputs.ndim == 2 and outputs.shape[1] > 1:
            return float(np.count_nonzero(outputs.argmax(axis=1) == labels))
        return float(np.count_nonzero((outputs.reshape(-1) > threshold) == labels))

    @staticmethod
    def indices(numbers: Iterable[int]) -> Array:
        return np.array(list(numbers), dtype=np.intp)

    @staticmethod
    def mask(flags: list[bool]) -> Array:
        return np.array(flags, dtype=float)

    @staticmethod
    def numbers(parameters: Iterable[Value]) -> Array:
        return np.array([p.data for p in parameters])

    @staticmethod
    def finite(g: Array) -> bool:
        return bool(np.isfinite(g).all())


def no_arrays(mover: optim.Optimizer) -> str:
    """Why an optimiser cannot move an array of parameters; "" if it can."""
    kind, base = type(mover), optim.Optimizer
    if isinstance(mover, optim.Newton):
        return "Newton's method differentiates the graph of the loss twice"
    if kind.step is not base.step and kind.step_arrays is base.step_arrays:
        return f"{kind.__name__} has a step of its own"
    if kind not in optim.OPTIMIZERS.values():
        memory = list(mover.starts().values())
        try:
            moved = mover.rule(
                np.array([0.5, -0.25]), np.array([-0.125, 0.75]), 0.01, 1, *[np.full(2, m) for m in memory]
            )
            single = [mover.rule(w, g, 0.01, 1, *memory) for w, g in ((0.5, -0.125), (-0.25, 0.75))]
            same = all(agree(np.broadcast_to(a, 2), b) for a, b in zip(moved, zip(*single, strict=True), strict=True))
        except Exception as error:
            return f"the rule of {kind.__name__} does not run on arrays: {error}"
        if not same:
            return f"the rule of {kind.__name__} gives something else on arrays than on numbers"
    return ""


def reason(error: Exception) -> str:
    """What went wrong, with the user's line: a `TracingError` names it, for others it is looked up."""
    if isinstance(error, TracingError):
        return str(error)
    engine = str(Path(autograd.__file__).parent)
    here = str(Path(__file__).parent.parent)
    frames = traceback.extract_tb(error.__traceback__)
    users = [f for f in frames if not f.filename.startswith((engine, here))] or frames
    return f"{users[-1].filename}:{users[-1].lineno}: {type(error).__name__}: {error}"


__all__ = ["Arrays", "NotCompiled", "Program", "forms", "predictions"]
