"""Pass 8, run: the object that the caller holds, and the choice of what runs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..modes import NonFiniteError
from ..ops import CONSTANT, SHEET
from ..value import Value
from .arguments import Arguments, arranged, as_numbers
from .backends.base import Backend
from .backends.javascript import JavaScript
from .backends.jax import Jax
from .backends.numba import Tape
from .backends.numpy import InPlace
from .backends.python import StraightLine
from .describe import Statement, describe
from .index import TAKE
from .plan import Plan
from .trace import INPUT, PARAMETER, Trace

Floats = NDArray[np.floating[Any]]
Result = TypeVar("Result", covariant=True)

BACKENDS: dict[str, type[Backend]] = {
    "numpy": InPlace, "python": StraightLine, "jax": Jax, "numba": Tape, "javascript": JavaScript
}  # fmt: skip


Places = tuple[NDArray[np.intp], NDArray[np.intp], list[int]]  # see `Compiled._places_of`


class Optimiser(Protocol):
    """What `Compiled.update` asks of an optimiser; those of `nn` have it."""

    parameters: list[Value]

    def bind(self, parameters: Sequence[Value], /) -> Any: ...

    def step_arrays(self, w: Any, g: Any, /) -> Any: ...


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
        self, trace: Trace, arguments: Arguments, backend: str, mean: bool | None, plan: Plan | None = None
    ) -> None:
        if mean is None:
            mean = trace.single
        elif mean and len(trace.outputs) != 1:
            raise TypeError(
                f"a mean needs a function that returns one Value, but this one returned {len(trace.outputs)}"
            )
        self.mean: bool = mean
        self._trace, self._arguments, self._asked = trace, arguments, backend
        self._build(plan)
        self.pull()

    def _build(self, plan: Plan | None = None) -> None:
        """Everything that follows from the trace, unless its plan is there already."""
        trace = self._trace
        self._lock = threading.RLock()
        self._plan = plan or Plan(trace, self._arguments.names, self._arguments.dtype, self.mean)
        self.parameters = [trace.parameters[k] for k in self._plan.order]
        self._made: dict[str, Backend] = {}
        self._last: int = 1
        self._known_places: tuple[list[Value], Places | None] | None = None  # see `_places_of`

    # --- copies: copy, copy.deepcopy and pickle keep the trace and the numbers, and build the rest anew

    def __getstate__(self) -> dict[str, Any]:
        kept = {name: getattr(self, name) for name in ("mean", "_trace", "_arguments", "_asked")}
        with self._lock:
            numbers = {name: self._plan.given_order(getattr(self, name)) for name in ("theta", "gradient")}
        return {**kept, **numbers}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for op in sorted(set(state["_trace"].ops) - {INPUT, PARAMETER, CONSTANT, TAKE}):
            try:
                SHEET[op]
            except KeyError:
                raise ValueError(f"this program uses your operation {op!r}: register it before loading") from None
        theta, gradient = state.pop("theta"), state.pop("gradient")
        vars(self).update(state)
        self._build()
        self.theta = theta[self._plan.order]
        self.gradient[:] = gradient[self._plan.order]

    # --- parameters

    @property
    def theta(self) -> Floats:
        """The parameters. Assigning copies into the memory that the program reads."""
        return self._plan.theta

    @theta.setter
    def theta(self, numbers: Any) -> None:
        self._plan.theta[:] = as_numbers(numbers, self.dtype, "theta")

    @property
    def gradient(self) -> Floats:
        """The gradient that the last call left."""
        return self._plan.gradient

    def pull(self) -> None:
        """Read the parameters' numbers from the Values into ``theta``."""
        self.theta = np.fromiter((p._data for p in self.parameters), float, len(self.parameters))  # no list besides

    def push(self, gradient: bool = False) -> None:
        """Write ``theta`` into the Values' data, and with ``gradient=True`` the gradient into their ``grad``."""
        for p, number in zip(self.parameters, self.theta.tolist(), strict=True):
            p.data = number
        if gradient:
            for p, number in zip(self.parameters, self.gradient.tolist(), strict=True):
                p.grad = number

    def with_parameters(self, parameters: Sequence[Value]) -> Compiled[Result]:
        """The same program for other Values, one for each of `parameters` and in their order; nothing is compiled.

        It has memory of its own, so that both may run side by side. What it computes is right if the compiled function
        does with these Values what it did with those.

        Raises:
            ValueError: if there are more or fewer.
        """
        if len(parameters) != len(self.parameters):
            raise ValueError(f"this program has {len(self.parameters)} parameters, but got {len(parameters)}")
        as_traced: Any = np.empty(len(parameters), object)
        as_traced[self._plan.order] = np.fromiter(parameters, object, len(parameters))
        trace = replace(self._trace, parameters=as_traced.tolist())
        del as_traced
        return Compiled(trace, self._arguments, self._asked, self.mean, self._plan.for_trace(trace))

    # --- what it is

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers that the program computes with."""
        return self._arguments.dtype

    @property
    def backend(self) -> str:
        """The backend of the last call; before the first one, that of a call with one sample."""
        return self._choose(self._last)

    def _choose(self, n: int) -> str:
        """Arrays cost per operation, straight-line Python per node and sample (microseconds, forward and backward)."""
        if self._asked != "auto":
            return self._asked
        nodes, operations = self._plan.nodes, self._plan.operations
        straight = 2.0 + 0.12 * nodes * n
        grouped = 6.0 + 3.5 * operations + 0.002 * nodes * n
        return "python" if straight < grouped else "numpy"

    def _run_by(self, name: str) -> Backend:
        if name not in self._made:
            self._made[name] = BACKENDS[name](self._plan)
        return self._made[name]

    @property
    def source(self) -> str:
        """The program as text: the vectorised one, whatever the width of the network, or the straight-line one.

        With a loop in it, it is the vectorised one, unless another backend was asked for: written out, the loop would
        be some lines for every turn.
        """
        looped = self._asked == "auto" and self._plan.loops
        return self._run_by("numpy" if looped else self.backend).source

    @property
    def source_in_place(self) -> str:
        """What the numpy backend runs: the statements of `source`, each operation into memory bound beforehand."""
        return InPlace(self._plan).text.source

    @property
    def groups(self) -> tuple[Statement, ...]:
        return describe(self._plan.program)

    @property
    def plan(self) -> Plan:
        """What the passes made of the function, for whoever writes another program from it."""
        return self._plan

    @property
    def function(self) -> Callable[..., Any]:
        """The program of `source` on JAX, without side effects: ``function(theta, X, Y)`` gives (mean loss, gradient),
        or the outputs. Transform it as you like: ``jax.jit(step.function)``, with the batch sharded over devices."""
        return Jax(self._plan).function

    # --- running

    def __call__(self, *batch: Any) -> Result:
        """The mean loss over a batch (and `gradient`), or with ``mean=False`` the outputs of each sample.

        Args:
            batch: for each argument an array of N of what the example had, (N, *shape).
        """
        result: Any
        if not self.mean:
            result = self.outputs(*batch)
        else:
            with self._lock, self._watching():
                columns, n = self._arguments.columns(batch)
                self._last = n
                result = self._run_by(self._choose(n)).mean(columns, n)
        checked: Result = result
        return checked

    def _watching(self) -> Any:
        return np.errstate(all="call", under="ignore", call=self._plan.alarm)

    def update(self, optimizer: Optimiser, *batch: Any) -> float:
        """One step of training: the mean loss over a batch, its gradient, and what an optimiser makes of them.

        All of it happens on the flat arrays, however many parameters there are; `push` brings the new ``theta`` to the
        Values when the training is over. The memory is that of ``optimizer.step()``, so one may go back and forth.

        >>> from autograd import Value, compile
        >>> from nn import Adam
        >>> w, X, y = Value(0.0), [1.0, 2.0, 3.0], [2.0, 4.0, 6.0]
        >>> step = compile(lambda x, t: (w * x - t) ** 2, X[0], y[0])
        >>> optimizer = Adam(step.parameters, lr=0.1)
        >>> losses = [step.update(optimizer, X, y) for _ in range(100)]
        >>> step.push()
        >>> round(w.data, 1)
        2.0

        Args:
            optimizer: with the parameters to move, in any order; one without takes all of `parameters`. What it has and
                the program does not read gets a gradient of 0; what it has not is not moved.

        Raises:
            TypeError: with ``mean=False``, where there is no gradient.
            NonFiniteError: if a parameter would become inf or nan; nothing is moved then.
        """
        if not self.mean:
            raise TypeError("an update needs a gradient, so a function that returns one Value, the loss; this has none")
        if isinstance(optimizer, type) or not hasattr(optimizer, "step_arrays"):
            raise TypeError(
                f"update takes an optimiser first, such as Adam(lr=0.01), and then the batch, but got {optimizer!r:.60}"
            )
        if not optimizer.parameters:
            optimizer.bind(self.parameters)
        with self._lock:
            places = self._places_of(optimizer.parameters)
            mean: Any = self(*batch)
            if places is None:
                self._move(optimizer.step_arrays(self.theta, self.gradient), slice(None))
                return float(mean)
            theirs, ours, rest = places
            w, g = np.zeros((2, len(optimizer.parameters)))
            w[theirs], g[theirs] = self.theta[ours], self.gradient[ours]
            w[rest] = [optimizer.parameters[k]._data for k in rest]
            moved = optimizer.step_arrays(w, g)
            self._move(moved[theirs], ours)
            for k in rest:
                optimizer.parameters[k].data = float(moved[k])
        return float(mean)

    def _move(self, numbers: Any, places: Any) -> None:
        """New parameters into theta, whose numbers may be narrower than those of an optimiser."""
        with np.errstate(over="ignore"):
            narrow = np.asarray(numbers).astype(self.dtype)
        if not np.isfinite(narrow).all():
            raise NonFiniteError(
                f"a parameter would become too large for {self.dtype}; a smaller learning rate may help"
            )
        self.theta[places] = narrow

    def _places_of(self, parameters: list[Value]) -> Places | None:
        """Where in a list of parameters those of the program stand, where these stand in theta, and the others.

        None if they are the program's own in its own order, so that nothing has to be looked up.

        Raises:
            ValueError: if none of them is the program's.
        """
        if self._known_places is None or self._known_places[0] != parameters:  # Values are equal if they are the same
            place = {p: k for k, p in enumerate(self.parameters)}
            theirs = np.array([k for k, p in enumerate(parameters) if p in place], dtype=np.intp)
            ours = np.array([place[p] for p in parameters if p in place], dtype=np.intp)
            rest = [k for k, p in enumerate(parameters) if p not in place]
            if not len(ours):
                raise ValueError(
                    "none of the optimiser's parameters is one of this program's; was the model built anew since? "
                    "An optimiser made without parameters, as in Adam(lr=0.01), takes the program's"
                )
            self._known_places = list(parameters), None if parameters == self.parameters else (theirs, ours, rest)
        return self._known_places[1]

    def outputs(self, *batch: Any) -> Any:
        """What the function returns, for each sample: arrays whose first axis is the batch. Nothing goes backward."""
        with self._lock, self._watching():
            columns, n = self._arguments.columns(batch)
            self._last = n
            rows = self._run_by(self._choose(n)).outputs(columns, n)
        return rows[0] if self._trace.single else arranged(self._trace.form, rows)
