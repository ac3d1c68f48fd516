"""Pass 7, run: workspaces, and the object that the caller holds.

A batch size that was met before finds its workspaces ready: every array and every view of it is bound once, and a call
is nothing but NumPy operations into memory that is already there. The eight batch sizes that were used last are kept.
"""

from __future__ import annotations

import functools
import inspect
import linecache
import random
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..modes import TracingError
from ..transforms import flatten
from ..value import Value, to_float
from .describe import Statement, describe
from .differentiate import Program, differentiate
from .group import group
from .layout import Layout, lay_out, safe_names
from .normalise import normalise
from .straight import Straight
from .trace import Trace, call_with_values
from .write import Text, in_place, readable

KEPT = 8  # workspaces

Array = NDArray[Any]


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


# the vocabulary of the in-place programs
IN_PLACE: dict[str, Any] = {
    name: getattr(np, name)
    for name in "add subtract multiply divide power negative absolute maximum less less_equal greater greater_equal "
    "equal bitwise_and exp log log1p sqrt sin cos tanh matmul copyto empty ones".split()
}
IN_PLACE |= {
    "half_power": _half_power,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "inf": np.inf,
    "nan": np.nan,
    "bool": np.bool_,
    "int8": np.int8,
}


def array_words(np: Any) -> dict[str, Any]:
    """The vocabulary of the readable programs, for NumPy or for jax.numpy."""

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
        **{name: getattr(np, name) for name in "exp log log1p sqrt sin cos tanh where zeros sum max abs".split()},
        "sigmoid": lambda x: np.where(x >= 0.0, 1.0, np.exp(-abs(x))) / (1.0 + np.exp(-abs(x))),
        "softplus": lambda x: np.logaddexp(0.0, x),
        "take": lambda x, index: np.take(x, index, axis=0),
        "concatenate": concatenate,
        "add_at": add_at,
        "broadcast": np.broadcast_to,
        "float": float,
    }


def code_of(text: Text, name: str) -> CodeType:
    """Python's own compile; the program's lines are shown in tracebacks."""
    filename = f"<compiled by chainrule: {name} {id(text):x}>"
    linecache.cache[filename] = (len(text.source), None, text.source.splitlines(True), filename)
    return compile(text.source, filename, "exec")


def load(text: Text, name: str, words: dict[str, Any]) -> Any:
    space = {**words, **text.constants}
    exec(code_of(text, name), space)
    return space[name]


class Workspaces:
    """The in-place program, bound to memory for each batch size that is in use."""

    def __init__(self, text: Text, layout: Layout, dtype: Any, shared: Array, gradient: Array, backward: bool) -> None:
        self.code = code_of(text, "in place")
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


class Compiled:
    """A compiled function of one sample, run on batches. `autograd.compile` makes it.

    Attributes:
        theta: the parameters as one flat array, in the order in which the program reads them. Write into it to change
            them; `push` and `pull` copy to and from the Values.
        gradient: the gradient of the mean loss, in the same order; overwritten by every call.
        parameters: the Values, in the order of ``theta``.
        groups: what each array operation of the program stands for (`Statement`), for people and for drawings.
        mean: whether a call gives the mean and leaves the gradient.

    A compiled function may be called from several threads, one at a time.
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
        self._lock = threading.RLock()
        self._names = safe_names(_argument_names(f, len(example)))
        self._shapes = [_shape_of(argument) for argument in example]
        self._asked = backend
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
        self.pull()
        if check:
            self._check(f, example)

    # --- parameters

    @property
    def theta(self) -> Array:
        """The parameters. Assigning copies into the memory that the program reads."""
        return self._theta

    @theta.setter
    def theta(self, numbers: Any) -> None:
        self._theta[:] = numbers

    @property
    def gradient(self) -> Array:
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
        from .on_jax import function

        return function(self._readable, self._names, self._shapes, self.dtype)

    # --- running

    def __call__(self, *batch: Any) -> Any:
        """The mean loss over a batch (and `gradient`), or with ``mean=False`` the outputs of each sample.

        Args:
            batch: for each argument an array of N of what the example had, (N, *shape).
        """
        if not self.mean:
            return self.outputs(*batch)
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
                losses, gradient = self._tape.run(np.array(self._given_order()), samples, self._active)
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
                rows = self._tape.run(np.array(self._given_order()), samples, False)[0].T
            else:
                rows = self._spaces.bind(n)[0](*columns)[self._program.outputs]
        if self._trace.single:
            return rows[0]
        return _stacked(self._trace.rebuild([*rows]), n)

    @functools.cached_property
    def _tape(self) -> Any:
        from .on_numba import Tape

        return Tape(self._trace)

    @functools.cached_property
    def _jitted(self) -> Callable[..., Any]:
        from .on_jax import jit

        return jit(self.function)

    def _given_order(self) -> list[float]:
        """theta in the order of the trace."""
        result: Array = np.empty(len(self._order))
        result[self._order] = self.theta
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
        if len(batch) != len(self._shapes):
            raise TypeError(f"expected {len(self._shapes)} arguments ({', '.join(self._names)}), but got {len(batch)}")
        columns = []
        for X, shape, name, size in zip(batch, self._shapes, self._names, self._layout.argument_sizes, strict=True):
            if shape is None:  # an example of uneven lists: flatten sample by sample
                X = np.array([flatten(sample)[0] for sample in X], self.dtype).reshape(-1, size)
            else:
                X = np.asarray(X, self.dtype)
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
        """Compare with the scalar code at another sample and other parameters."""
        generator = random.Random(0)
        flat = [flatten(argument) for argument in example]
        others = []
        for numbers, rebuild in flat:
            moved = [_plain(x) * generator.uniform(0.8, 1.2) + generator.uniform(0.01, 0.1) for x in numbers]
            others.append(rebuild(moved))
        before = [p._data for p in self.parameters]
        try:
            for p in self.parameters:
                p._data = p._data * generator.uniform(0.97, 1.03) + generator.uniform(-0.01, 0.01)
            result = call_with_values(f, others)[0]
            expected = np.array([_plain(y) for y in flatten(result)[0]])
            self.pull()
            batch = []
            for (numbers, rebuild), other, shape in zip(flat, others, self._shapes, strict=True):
                first = rebuild([_plain(x) for x in numbers])
                batch.append([first, other] if shape is None else np.array([first, other], dtype=float))
            found = flatten(self.outputs(*batch))[0] if not batch else self._second_sample(batch)
        finally:
            for p, number in zip(self.parameters, before, strict=True):
                p._data = number
            self.pull()
            self._last = 1
        tolerance = 1e-6 if self.dtype == np.float64 else 1e-3
        with np.errstate(all="ignore"):
            same = len(expected) == len(found) and np.allclose(found, expected, tolerance, tolerance, equal_nan=True)
        if not same:
            name = getattr(f, "__qualname__", "the function")
            code = getattr(f, "__code__", None)
            place = f"{code.co_filename}:{code.co_firstlineno}: " if code else ""
            raise TracingError(
                f"{place}the program recorded from {name} gives {_few(found)} for a second sample, where {name} itself "
                f"gives {_few(expected)}. It does not do the same for every sample: does it read x.data, "
                "use random numbers, or change what it uses? With check=False the recorded program is used all the same"
            )

    def _second_sample(self, batch: list[Any]) -> Array:
        rows = self.outputs(*batch)
        if self._trace.single:
            return np.array([rows[1]])
        return np.array(list(flatten(_sample(rows, 1))[0]), dtype=float)


def _sample(rows: Any, k: int) -> Any:
    return tuple(_sample(r, k) for r in rows) if isinstance(rows, tuple) else rows[k].tolist()


def _stacked(built: Any, n: int) -> Any:
    """A nested list of [N] arrays as one array (N, *shape); uneven lists stay lists, as a tuple of arrays."""
    try:
        array = np.array(built)
    except ValueError:
        return tuple(_stacked(part, n) for part in built)
    if array.dtype == object:
        array = array.astype(float)
    return np.moveaxis(array, -1, 0)


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
