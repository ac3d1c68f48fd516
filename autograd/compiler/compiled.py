"""Pass 7, run: workspaces, and the object that the caller holds.

A batch size that was met before finds its workspaces ready: every array and every view of it is bound once, and a call
is nothing but NumPy operations into memory that is already there. The eight batch sizes that were used last are kept.
"""

from __future__ import annotations

import functools
import inspect
import random
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from .. import error_function
from ..modes import STATE, TracingError
from ..ops import CONSTANT, SHEET
from ..reals import is_real, to_float
from ..transforms import flatten
from ..value import Value
from .backends.python import Straight
from .describe import Statement, describe
from .differentiate import Program, differentiate
from .group import group
from .layout import Layout, lay_out, safe_names
from .listing import code_of
from .normalise import normalise
from .trace import INPUT, PARAMETER, Trace, lift
from .write import Text, in_place, readable

KEPT = 8  # workspaces

Array = NDArray[Any]
Floats = NDArray[np.floating[Any]]
Result = TypeVar("Result", covariant=True)
Ranges = tuple[float, float, float, float]  # a number times one between the first two, plus one between the others


def _sigmoid(x: Array, out: Array) -> None:
    """1 / (1 + e^-x) in the two branches of `ieee.sigmoid`: e is only ever raised to a negative power."""
    positive = x >= 0.0
    np.copysign(x, -1.0, out)
    np.exp(out, out)
    below = out + 1.0
    np.copyto(out, 1.0, where=positive)
    np.divide(out, below, out)


def _half_power(x: Array, out: Array) -> None:
    """x ** 0.5, for which NumPy takes sqrt; C99's pow differs at -inf and -0.0, where it gives inf and 0.0."""
    infinite = x == -np.inf
    np.sqrt(x, out)
    np.add(out, 0.0, out)
    np.copyto(out, np.inf, where=infinite)


def _softplus(x: Array, out: Array) -> None:
    np.logaddexp(0.0, x, out)


NUMPY_NAMES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2"}  # the others are called alike

# the vocabulary of the in-place programs
IN_PLACE: dict[str, Any] = {
    name: getattr(np, name)
    for name in "add subtract multiply divide power negative absolute maximum less less_equal greater greater_equal "
    "equal bitwise_and exp log sqrt sin cos tanh tan sinh cosh log1p expm1 hypot matmul copyto empty ones".split()
}
IN_PLACE |= {ours: getattr(np, theirs) for ours, theirs in NUMPY_NAMES.items()}
IN_PLACE |= {
    "half_power": _half_power,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "erf": error_function.erf,
    "erfc": error_function.erfc,
    "inf": np.inf,
    "nan": np.nan,
    "bool": np.bool_,
    "int8": np.int8,
}


def array_words(np: Any, erf: Any) -> dict[str, Any]:
    """The vocabulary of the readable programs, for NumPy or for jax.numpy; ``erf`` is where erf and erfc come from."""

    def concatenate(n: Any, *arrays: Any) -> Any:
        if n is not None:  # shared arrays beside batched ones
            arrays = tuple(a if a.ndim == 2 else np.broadcast_to(a[:, None], (a.shape[0], n)) for a in arrays)
        return np.concatenate(arrays)

    def add_at(array: Any, index: Any, x: Any) -> Any:
        tail = array.shape[1:]
        rows = np.broadcast_to(x, (*index.shape, *tail)).reshape((index.size, *tail))
        if hasattr(array, "at"):
            return array.at[index.reshape(-1)].add(rows)
        result = array.copy()
        np.add.at(result, index.reshape(-1), rows)
        return result

    return {
        **{name: getattr(np, name) for name in "exp log sqrt sin cos tanh where zeros sum max abs".split()},
        **{name: getattr(np, name) for name in "tan sinh cosh log1p expm1 hypot".split()},
        **{ours: getattr(np, theirs) for ours, theirs in NUMPY_NAMES.items()},
        "erf": erf.erf,
        "erfc": erf.erfc,
        "sigmoid": lambda x: np.where(x >= 0.0, 1.0, np.exp(-abs(x))) / (1.0 + np.exp(-abs(x))),
        "softplus": lambda x: np.logaddexp(0.0, x),
        "take": lambda x, index: np.take(x, index, axis=0),
        "concatenate": concatenate,
        "add_at": add_at,
        "broadcast": np.broadcast_to,
        "float": float,
    }


def load(text: Text, name: str, words: dict[str, Any]) -> Any:
    space = {**words, **text.constants}
    exec(code_of(text.source, name), space)
    return space[name]


@dataclass(frozen=True)
class Move:
    """How the check moves a sample's entries and the parameters."""

    entries: Ranges
    parameters: Ranges
    far: bool


def moved(x: float, ranges: Ranges, generator: random.Random) -> float:
    a, b, c, d = ranges
    return x * generator.uniform(a, b) + generator.uniform(c, d)


def only_rounding(
    scalar: Callable[[Callable[[float], float]], Array], found: Array, expected: Array, wrong: Any, eps: float
) -> bool:
    """Whether the scalar code itself moves as far as it is ``wrong`` when its numbers are nudged by rounding errors.

    Then it is all rounding there: a long recurrence, two sums that cancel, or a choice just at its border. But if it
    gives something else for the very same numbers, it uses random numbers.

    Args:
        scalar: what the scalar code gives, after a function was applied to each number that goes into it.
        eps: the relative size of one rounding error.
    """
    if not np.array_equal(scalar(_same), expected, equal_nan=True):
        return False
    generator = random.Random(1)
    nudged = [scalar(lambda x: x * (1.0 + 64.0 * eps * generator.uniform(-1.0, 1.0))) for _ in range(4)]
    with np.errstate(all="ignore"):
        reach = np.max([np.abs(y - expected) for y in nudged], axis=0)  # nan is far away, too
        return bool(np.all(~(np.abs(found - expected) > 10.0 * reach)[wrong]))


FAR: Ranges = (-3.0, 3.0, -1.0, 1.0)
MOVES = (
    Move((0.8, 1.2, 0.01, 0.1), (0.97, 1.03, -0.01, 0.01), far=False),
    Move((-1.2, -0.8, -0.1, 0.1), FAR, far=True),  # signs flipped, parameters moved far
    Move((-30.0, 30.0, -3.0, 3.0), (-1.2, -0.8, -0.1, 0.1), far=True),  # large, and parameters' signs flipped
)
LARGE = 50_000  # nodes from which on the check keeps to two samples, because each costs a run of the scalar code


class Workspaces:
    """The in-place program, bound to memory for each batch size that is in use."""

    def __init__(self, text: Text, layout: Layout, dtype: Any, shared: Array, gradient: Array, backward: bool) -> None:
        self.code = code_of(text.source, "in place")
        self.words = {**IN_PLACE, **text.constants}
        self.layout, self.dtype, self.shared, self.gradient, self.backward = layout, dtype, shared, gradient, backward
        self.shared_adjoint = np.zeros_like(shared)
        self.bound: OrderedDict[int, tuple[Callable[..., Array], Callable[..., Array]]] = OrderedDict()

    def bind(self, n: int) -> tuple[Callable[..., Array], Callable[..., Array]]:
        found = self.bound.get(n)
        if found is None:
            places = self.layout.sizes.get("batched", 0)
            space: dict[str, Any] = {
                **self.words,
                "n": n,
                "dtype": self.dtype,
                "bits": np.dtype(f"int{8 * self.dtype.itemsize}"),
                "shared": self.shared,
                "gradient": self.gradient,
                "shared_adjoint": self.shared_adjoint,
                "batched": np.zeros((places, n), self.dtype),
                "adjoint": np.zeros((places if self.backward else 0, n), self.dtype),
            }
            exec(self.code, space)
            found = self.bound[n] = space["predict"], space["run"]
            if len(self.bound) > KEPT:
                self.bound.popitem(last=False)
        else:
            self.bound.move_to_end(n)
        return found


class Compiled(Generic[Result]):
    """A compiled function of one sample, run on batches. `autograd.compile` makes it.

    Attributes:
        theta: the parameters as one flat array, in the order in which the program reads them. Write into it to change
            them; `push` and `pull` copy to and from the Values.
        gradient: the gradient of the mean loss, in the same order; overwritten by every call.
        parameters: the Values, in the order of ``theta``.
        groups: what each array operation of the program stands for (`Statement`), for people and for drawings.
        mean: whether a call gives the mean and leaves the gradient.

    A compiled function may be called from several threads, one at a time. `copy.deepcopy` and pickle give one with
    parameters of its own; of the function that was compiled nothing is kept.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        trace: Trace,
        example: Sequence[Any],
        dtype: str,
        backend: str,
        mean: bool | None,
        check: bool,
    ) -> None:
        if mean is None:
            mean = trace.single
        elif mean and len(trace.outputs) != 1:
            raise TypeError(
                f"a mean needs a function that returns one Value, but this one returned {len(trace.outputs)}"
            )
        self.mean: bool = mean
        self.dtype = np.dtype(dtype)
        self._trace = trace
        self._names = safe_names(_argument_names(f, len(example)))
        self._shapes = [_shape_of(argument) for argument in example]
        self._asked = backend
        self._build()
        self.pull()
        if check:
            self._check(f, example)

    def _build(self) -> None:
        """Everything that follows from the trace."""
        trace = self._trace
        self._lock = threading.RLock()
        graph = normalise(trace)
        groups = group(graph)
        self._layout = lay_out(trace, graph, groups, self._names)
        self._outputs = graph.outputs
        self._group_list = groups
        self._active = any(graph.active[y] for y in graph.outputs)
        sizes = self._layout.sizes
        count = sizes.get("theta", 0)
        self._shared = np.zeros(count + sizes.get("constant", 0) + sizes.get("shared", 0), self.dtype)
        self._shared[count : count + len(self._layout.constants)] = self._layout.constants
        self._theta: Array = self._shared[:count]
        self._gradient: Array = np.zeros(count, self.dtype)
        self.parameters = [trace.parameters[k] for k in self._layout.parameter_order]
        self._order = self._layout.parameter_order
        self._work = (len(trace.ops) - count, len(groups))
        self._last: int = 1

    # --- copies: copy, copy.deepcopy and pickle keep the trace and the numbers, and build the rest anew

    def __getstate__(self) -> dict[str, Any]:
        kept = {name: getattr(self, name) for name in ("mean", "dtype", "_trace", "_names", "_shapes", "_asked")}
        with self._lock:
            return {**kept, "theta": self._given_order(self.theta), "gradient": self._given_order(self.gradient)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for op in sorted(set(state["_trace"].ops) - {INPUT, PARAMETER, CONSTANT}):
            try:
                SHEET[op]
            except KeyError:
                raise ValueError(f"this program uses your operation {op!r}: register it before loading") from None
        theta, gradient = np.array(state.pop("theta")), np.array(state.pop("gradient"))
        vars(self).update(state)
        self._build()
        self.theta = theta[self._order]
        self.gradient[:] = gradient[self._order]

    # --- parameters

    @property
    def theta(self) -> Floats:
        """The parameters. Assigning copies into the memory that the program reads."""
        return self._theta

    @theta.setter
    def theta(self, numbers: Any) -> None:
        self._theta[:] = as_numbers(numbers, self.dtype, "theta")

    @property
    def gradient(self) -> Floats:
        """The gradient that the last call left."""
        return self._gradient

    def pull(self) -> None:
        """Read the parameters' numbers from the Values into ``theta``."""
        self.theta[:] = [p._data for p in self.parameters]

    def push(self, gradient: bool = False) -> None:
        """Write ``theta`` into the Values' data, and with ``gradient=True`` the gradient into their ``grad``."""
        for p, number in zip(self.parameters, self.theta.tolist(), strict=True):
            p.data = number
        if gradient:
            for p, number in zip(self.parameters, self.gradient.tolist(), strict=True):
                p.grad = number

    # --- what it is

    @property
    def backend(self) -> str:
        """The backend of the last call; before the first one, that of a call with one sample."""
        return self._choose(self._last)

    def _choose(self, n: int) -> str:
        """Arrays cost per operation, straight-line Python per node and sample (microseconds, forward and backward)."""
        if self._asked != "auto":
            return self._asked
        nodes, operations = self._work
        straight = 2.0 + 0.12 * nodes * n
        grouped = 6.0 + 3.5 * operations + 0.002 * nodes * n
        return "python" if straight < grouped else "numpy"

    @property
    def source(self) -> str:
        """The program as text: the vectorised one, whatever the width of the network, or the straight-line one."""
        if self.backend == "python":
            return self._straight.source
        if self.backend == "numba":
            return str(self._tape.source)
        return self._readable.source

    @property
    def source_in_place(self) -> str:
        """What the numpy backend runs: the statements of `source`, each operation into memory bound beforehand."""
        return self._in_place.source

    @property
    def groups(self) -> tuple[Statement, ...]:
        return describe(self._program)

    @functools.cached_property
    def _program(self) -> Program:
        return differentiate(self._layout, self._group_list, self._outputs, backward=self.mean and self._active)

    @functools.cached_property
    def _readable(self) -> Text:
        return readable(self._program, self._names, self.mean)

    @functools.cached_property
    def _in_place(self) -> Text:
        return in_place(self._program, self._names)

    @functools.cached_property
    def _spaces(self) -> Workspaces:
        return Workspaces(self._in_place, self._layout, self.dtype, self._shared, self.gradient, self.mean)

    @functools.cached_property
    def _straight(self) -> Straight:
        return Straight(self._trace, self._order.tolist(), self.mean and self._active)

    @functools.cached_property
    def function(self) -> Callable[..., Any]:
        """The program of `source` on JAX, without side effects: ``function(theta, X, Y)`` gives (mean loss, gradient),
        or the outputs. Transform it as you like: ``jax.jit(step.function)``, with the batch sharded over devices."""
        from .backends.jax import function

        return function(self._readable, self._names, self._shapes, self.dtype)

    # --- running

    def __call__(self, *batch: Any) -> Result:
        """The mean loss over a batch (and `gradient`), or with ``mean=False`` the outputs of each sample.

        Args:
            batch: for each argument an array of N of what the example had, (N, *shape).
        """
        answer: Callable[..., Any] = self._mean_of if self.mean else self.outputs
        result: Result = answer(*batch)
        return result

    def _mean_of(self, *batch: Any) -> float:
        with self._lock, np.errstate(all="ignore"):
            columns, n = self._columns(batch)
            self._last = n
            backend = self._choose(n)
            if backend == "numpy":
                batched = self._spaces.bind(n)[1](*columns)
                if n != 1:
                    np.multiply(self.gradient, 1.0 / n, self.gradient)
                return float(np.add.reduce(batched[self._program.outputs[0]])) / n
            if backend == "jax":
                loss, gradient = self._jitted(self.theta, *[c.T for c in columns])
                self.gradient[:] = gradient
                return float(loss)
            if backend == "numba":
                samples = np.concatenate(columns).T.astype(float) if columns else np.empty((1, 0))
                losses, gradient = self._tape.run(np.array(self._given_order(self.theta)), samples, self._active)
                np.divide(gradient[self._order], n, self.gradient)
                return float(losses.sum()) / n
            return self._run_straight(columns, n)

    def outputs(self, *batch: Any) -> Any:
        """What the function returns, for each sample: arrays whose first axis is the batch. Nothing goes backward."""
        with self._lock, np.errstate(all="ignore"):
            columns, n = self._columns(batch)
            self._last = n
            if self._choose(n) == "python":
                theta = self.theta.tolist()
                samples = np.concatenate(columns).T.tolist() if columns else [[]]
                rows = np.array([self._straight.run(theta, s, False) for s in samples], self.dtype).T
            elif self._asked == "jax" and not self.mean:
                rows = np.asarray(self._jitted(self.theta, *[c.T for c in columns]))
            elif self._asked == "numba":
                samples = np.concatenate(columns).T.astype(float) if columns else np.empty((1, 0))
                rows = self._tape.run(np.array(self._given_order(self.theta)), samples, False)[0].T
            else:
                rows = self._spaces.bind(n)[0](*columns)[self._program.outputs]
        if self._trace.single:
            return rows[0]
        return _stacked(_filled(self._trace.form, rows))

    @functools.cached_property
    def _tape(self) -> Any:
        from .backends.numba import Tape

        return Tape(self._trace)

    @functools.cached_property
    def _jitted(self) -> Callable[..., Any]:
        from .backends.jax import jit

        return jit(self.function)

    def _given_order(self, array: Array) -> list[float]:
        """theta, or its gradient, in the order of the trace."""
        result: Array = np.empty(len(self._order))
        result[self._order] = array
        numbers: list[float] = result.tolist()
        return numbers

    def _run_straight(self, columns: list[Array], n: int) -> float:
        theta = self.theta.tolist()
        samples = np.concatenate(columns).T.tolist() if columns else [[]]
        run = self._straight.run
        if not self._active:
            return float(sum([run(theta, s, False)[0] for s in samples])) / n
        (loss,), gradient = run(theta, samples[0], True)
        if n == 1:
            self.gradient[:] = gradient
            return float(loss)
        total = np.array(gradient)
        for sample in samples[1:]:
            (one,), gradient = run(theta, sample, True)
            loss += one
            total += gradient
        np.divide(total, n, self.gradient, casting="same_kind")
        return float(loss) / n

    def _columns(self, batch: tuple[Any, ...]) -> tuple[list[Array], int]:
        """Each argument as [entries, N]: a transposed view where the caller's array already has the right type."""
        if STATE.tracer is not None:  # what comes out are numbers, and they follow from this program's parameters
            raise STATE.tracer.refusal("the numbers that a compiled function gives")
        if len(batch) != len(self._shapes):
            raise TypeError(f"expected {len(self._shapes)} arguments ({', '.join(self._names)}), but got {len(batch)}")
        columns = []
        for X, shape, name, size in zip(batch, self._shapes, self._names, self._layout.argument_sizes, strict=True):
            if shape is None:  # an example of uneven lists: flatten sample by sample
                X = as_numbers([flatten(sample)[0] for sample in X], self.dtype, name)
                if X.shape[1:] != (size,):
                    raise ValueError(f"{name} must have samples of {size} numbers, nested like the example")
            else:
                X = as_numbers(X, self.dtype, name)
                if X.shape[1:] != shape or X.ndim == 0:
                    wanted = f"(N, {', '.join(map(str, shape))})" if shape else "(N,)"
                    raise ValueError(f"{name} must have shape {wanted}, N samples like the example, but has {X.shape}")
                if X.ndim != 2:
                    X = X.reshape(X.shape[0], size)
            columns.append(X.T)
        n = columns[0].shape[1] if columns else 1
        for column, name in zip(columns, self._names, strict=True):
            if column.shape[1] != n:
                raise ValueError(f"{self._names[0]} has {n} samples, but {name} has {column.shape[1]}")
        if n == 0:
            raise ValueError("a batch needs at least one sample")
        return columns, n

    # --- the check

    def _check(self, f: Callable[..., Any], example: Sequence[Any]) -> None:
        """Compare with the scalar code at other samples and other parameters, near by and far off."""
        moves = MOVES if len(self._trace.ops) <= LARGE else MOVES[:2]
        generator = random.Random(0)
        before = [p._data for p in self.parameters]
        try:
            for move in moves:
                self._check_at(f, example, move, generator, before)
        finally:
            self._set(before)
            self._last = 1

    def _check_at(
        self, f: Callable[..., Any], example: Sequence[Any], move: Move, generator: random.Random, before: list[float]
    ) -> None:
        flat = [flatten(argument) for argument in example]
        samples = [[moved(_plain(x), move.entries, generator) for x in numbers] for numbers, _ in flat]
        weights = [moved(p, move.parameters, generator) for p in before]

        def scalar(how: Callable[[float], float]) -> Array:
            """What the scalar code gives after every number was changed by ``how``."""
            for p, number in zip(self.parameters, weights, strict=True):
                p._data = how(number)
            return _called(f, lift([rebuild([*map(how, s)]) for (_, rebuild), s in zip(flat, samples, strict=True)])[0])

        with np.errstate(all="ignore"):
            try:
                expected = scalar(_same)
            except Exception:
                if move.far:  # a rule of one's own need not know what to do so far off
                    return
                raise
            self.pull()
            batch = []
            for (numbers, rebuild), sample, shape in zip(flat, samples, self._shapes, strict=True):
                pair = [rebuild([_plain(x) for x in numbers]), rebuild(sample)]
                batch.append(pair if shape is None else np.array(pair, dtype=float))
            itself, found = self._both(batch)
            wrong = self._wrong(found, expected, move.far)
            eps = float(np.finfo(self.dtype).eps)
            if wrong is None or (wrong.any() and not only_rounding(scalar, found, expected, wrong, eps)):
                self._refuse(f, found, expected, "for a second sample")
            if move.far or not batch or len(self._trace.ops) > LARGE:
                return
            try:  # the example as it was given, since a loss may be called like that elsewhere
                plain = _called(f, [rebuild([_number(x) for x in numbers]) for numbers, rebuild in flat])
            except Exception:  # code for Values alone: x.tanh() of a float, a division by zero
                return
            wrong = self._wrong(itself, plain, True)
            if wrong is not None and wrong.any():
                self._refuse(f, itself, plain, "for the example, if that comes as plain numbers")

    def _wrong(self, found: Array, expected: Array, far: bool) -> Any:
        """Which outputs differ; None if there are more or fewer. Far off, the scalar code need not be finite."""
        if len(found) != len(expected):
            return None
        tolerance = 1e-6 if self.dtype == np.float64 else 1e-3
        wrong = ~np.isclose(found, expected, tolerance, tolerance, equal_nan=True)
        if far:
            wrong &= np.isfinite(expected)
            if self.dtype != np.float64:  # what is finite in float64 may overflow there
                wrong &= np.isfinite(found)
        return wrong

    def _refuse(self, f: Callable[..., Any], found: Array, expected: Array, where: str) -> NoReturn:
        name = getattr(f, "__qualname__", "the function")
        code = getattr(f, "__code__", None)
        place = f"{code.co_filename}:{code.co_firstlineno}: " if code else ""
        raise TracingError(
            f"{place}the program recorded from {name} gives {_few(found)} {where}, where {name} itself gives "
            f"{_few(expected)}. It does not do the same for every sample: does it read a number from text, use random "
            "numbers, ask for the type of its arguments, look one up in a set or a dict, or change what it uses? "
            "With check=False the recorded program is used all the same"
        )

    def _set(self, numbers: list[float]) -> None:
        for p, number in zip(self.parameters, numbers, strict=True):
            p._data = number
        self.pull()

    def _both(self, batch: list[Any]) -> tuple[Array, Array]:
        """The program's outputs for the example and for the second sample; without arguments they are one."""
        rows = self.outputs(*batch)
        if not batch:
            return (outputs := np.array(flatten(rows)[0])), outputs
        if self._trace.single:
            return np.array([rows[0]]), np.array([rows[1]])
        first, second = (np.array(list(flatten(_sample(rows, k))[0]), dtype=float) for k in (0, 1))
        return first, second


def _sample(rows: Any, k: int) -> Any:
    return tuple(_sample(r, k) for r in rows) if isinstance(rows, tuple) else rows[k].tolist()


def as_numbers(x: Any, dtype: Any, name: str) -> Array:
    """An argument as an array of real numbers.

    NumPy's own conversion drops imaginary parts, reads texts as numbers, and takes None for nan.

    Raises:
        TypeError: for an entry that is not a real number.
        ValueError: if the lists are not all as long.
    """
    if type(x) is np.ndarray and x.dtype == dtype:
        return x
    try:
        array = np.asarray(x)
        if array.dtype.kind in "fiub":
            return array.astype(dtype, copy=False)
    except ValueError:  # lists of different lengths
        array = np.array([], object)
    entries, _ = flatten(x)
    for entry in entries:
        if isinstance(entry, Value):
            raise TypeError(f"{name} must hold numbers, but there is a Value in it: {entry!r}; use its .data")
        if not is_real(entry):
            text = repr(entry) if len(repr(entry)) <= 60 else f"{entry!r:.57}..."
            hint = "; a program computes with real numbers only" if isinstance(entry, complex) else ""
            raise TypeError(f"{name} must hold real numbers, but got {type(entry).__name__}: {text}{hint}")
    if array.size != len(entries):
        raise ValueError(f"{name} must have samples of one shape, but its lists are not all as long")
    return np.array([to_float(entry) for entry in entries], dtype).reshape(array.shape)


def _filled(form: Any, rows: Any) -> Any:
    return [_filled(part, rows) for part in form] if isinstance(form, list) else rows[form]


def _stacked(built: Any) -> Any:
    """A nested list of [N] arrays as one array (N, *shape); uneven lists stay lists, as a tuple of arrays."""
    try:
        array = np.array(built)
    except ValueError:
        return tuple(_stacked(part) for part in built)
    if array.dtype == object:
        array = array.astype(float)
    return np.moveaxis(array, -1, 0)


def _same(x: float) -> float:
    return x


def _called(f: Callable[..., Any], arguments: list[Any]) -> Array:
    return np.array([_plain(y) for y in flatten(f(*arguments))[0]])


def _number(x: Any) -> Any:
    """A plain number as it is; Python's own, because NumPy's may round to fewer digits."""
    return x if type(x) in (int, float) else _plain(x)


def _plain(x: Any) -> float:
    return x.data if isinstance(x, Value) else to_float(x)


def _few(numbers: Any) -> str:
    texts = [f"{x:.10g}" for x in list(numbers)[:3]]
    return ", ".join(texts) + (", ..." if len(numbers) > 3 else "")


def _shape_of(argument: Any) -> tuple[int, ...] | None:
    """The shape of an example's argument; None for lists that are not rectangular."""
    if isinstance(argument, (list, tuple)):
        shapes = [_shape_of(part) for part in argument]
        first = shapes[0] if shapes else ()
        return None if first is None or any(s != first for s in shapes) else (len(shapes), *first)
    return tuple(getattr(argument, "shape", ()))


def _argument_names(f: Callable[..., Any], count: int) -> list[str]:
    try:
        names = [
            p.name
            for p in inspect.signature(f).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        names = []
    return names[:count] + [f"x{k + 1}" for k in range(len(names), count)]
