"""Switches that change what recording does: `no_grad`, `detect_anomaly`, and the scope that new nodes are filed under.

They hold for the thread, and inside it for the asyncio task, that entered them. A task begins with those of the code
that started it, a thread with none. (They are context variables, as the precision of `decimal` is; and as there, a
generator that pauses inside a block leaves it open for whoever called it.) Reading a number while `autograd.compile`
records a function is watched likewise: only while `TRACING` has an entry does a Value ask whether it may be read.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ContextDecorator, contextmanager
from contextvars import ContextVar
from typing import Any

from .kernels import CURRENT, ROOT, Tags


class NonFiniteError(ArithmeticError):
    """An operation under `detect_anomaly` gave inf or nan. The message names the operation, its inputs and the pass."""


class TracingError(TypeError):
    """What a function that is being compiled may not do, with the file and line, and what to write instead."""


_no_grad: ContextVar[int] = ContextVar("chainrule_no_grad", default=0)  # how many blocks are open
_anomaly: ContextVar[int] = ContextVar("chainrule_detect_anomaly", default=0)
_tracer: ContextVar[Any] = ContextVar("chainrule_tracer", default=None)
_set_aside: ContextVar[Tags] = ContextVar("chainrule_scope_set_aside", default=ROOT)  # while CURRENT is None

_current, _move = CURRENT.get, CURRENT.set


class _State:
    """What is in force where this is asked."""

    @property
    def tracer(self) -> Any:
        """The compiler's, while it runs a function to record it (`autograd.compiler.trace`); else None."""
        return _tracer.get()

    @tracer.setter
    def tracer(self, tracer: Any) -> None:
        _tracer.set(tracer)


STATE = _State()
TRACING: list[Any] = []  # an entry for each function that some thread is recording: while it is empty, nobody asks more


def _set_depth(mode: ContextVar[int], depth: int) -> None:
    """Open or close a mode's blocks; inside one, CURRENT is None and the scope waits in `_set_aside`."""
    tags = current_tags()
    mode.set(depth)
    if _no_grad.get() or _anomaly.get():
        _set_aside.set(tags)
        CURRENT.set(None)
    else:
        CURRENT.set(tags)


class _Mode(ContextDecorator):
    mode: ContextVar[int]

    def __enter__(self) -> None:
        _set_depth(self.mode, self.mode.get() + 1)

    def __exit__(self, *exc_info: Any) -> None:
        _set_depth(self.mode, max(0, self.mode.get() - 1))  # a generator may be closed by another thread or task


class no_grad(_Mode):
    """Compute without recording: inside ``with no_grad():`` every result is a Value without inputs.

    It knows the operation that it was computed by, `Value.unrecorded_op`: drawings show that, and `Value.backward`
    says why there is nothing to go back through.

    Also usable as a decorator, ``@no_grad()``.
    """

    mode = _no_grad


class detect_anomaly(_Mode):
    """Raise `NonFiniteError` at the first inf or nan, going forward or backward, instead of carrying it along.

    >>> from autograd import Value, detect_anomaly
    >>> with detect_anomaly():
    ...     Value(0.0, "x").log()
    Traceback (most recent call last):
    autograd.modes.NonFiniteError: log gave -inf going forward; its input was x = 0
    """

    mode = _anomaly


def recording() -> bool:
    """Whether operations are recorded here and now (they are, unless inside `no_grad`)."""
    return _no_grad.get() == 0


def watching() -> bool:
    """Whether this is inside `detect_anomaly`."""
    return _anomaly.get() > 0


@contextmanager
def recording_again() -> Iterator[None]:
    """Record inside the block even within an outer `no_grad`: a derivative needs the graph of its own function."""
    outer = _no_grad.get()
    _set_depth(_no_grad, 0)
    try:
        yield
    finally:
        _set_depth(_no_grad, outer)


@contextmanager
def collector_resting() -> Iterator[None]:
    """Let Python's cycle collector rest while graphs are built and dropped.

    A graph has no cycles and is freed by reference counts, but the collector cannot know, and walks over every node two
    or three times: measured, 37 ms instead of 14 ms to build one example's graph of a 64-100-10 network. Between
    batches, when the graphs are gone, it may run again.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


# --- scopes

KEPT = 2000  # scopes whose tags, 2 kB each, are kept for when they are entered again
_known: dict[str, Tags] = {}


def current_tags() -> Tags:
    """The tags of the scope in force, in every mode."""
    return CURRENT.get() or _set_aside.get()


def current_scope() -> str:
    """The path that new nodes are filed under; "" outside every scope."""
    return current_tags().path


def enter_scope(name: str) -> Tags:
    """File the nodes made from now on under ``name`` inside the scope in force; returns what to give `leave_scope`."""
    tags = _current()
    outer = _set_aside.get() if tags is None else tags
    path = f"{outer.path}.{name}" if outer.path else name
    inner = _known.get(path)
    if inner is None:
        if len(_known) >= KEPT:
            _known.clear()
        inner = _known[path] = Tags(path)
    (_set_aside.set if tags is None else _move)(inner)
    return outer


def leave_scope(outer: Tags) -> None:
    """Go back to a scope that `enter_scope` returned."""
    (_set_aside.set if _current() is None else _move)(outer)


@contextmanager
def scope(name: str) -> Iterator[None]:
    """File the nodes made inside the block under ``name``; nested scopes are joined by dots.

    Drawings frame nodes by scope, and fold a scope into one box when a graph is large:

    >>> from autograd import Value, scope
    >>> w, x, b = Value(0.5, "w"), Value(2.0, "x"), Value(-1.0, "b")
    >>> with scope("neuron"):
    ...     y = (w * x + b).tanh()
    >>> y.scope
    'neuron'
    """
    if not isinstance(name, str) or not name:
        raise ValueError(f"a scope needs a name such as 'neuron', but got {name!r}")
    outer = enter_scope(name)
    inner = current_tags()
    try:
        yield
    finally:
        if current_tags() is inner:  # it is not, if a generator is closed by another thread or task
            leave_scope(outer)
