"""Switches that change what recording does: `no_grad`, `detect_anomaly`, and the scope that new nodes are filed under.

The first two hold for the thread that entered them. While any thread is inside one, all threads take the careful path,
which asks; otherwise nobody asks, which is what keeps the fast methods fast. The same goes for reading a number while
`autograd.compile` records a function: only while `TRACING` has an entry does a Value ask whether it may be read.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ContextDecorator, contextmanager
from typing import Any

from .kernels import NAMESPACE, Tags


class NonFiniteError(ArithmeticError):
    """An operation under `detect_anomaly` gave inf or nan. The message names the operation, its inputs and the pass."""


class TracingError(TypeError):
    """What a function that is being compiled may not do, with the file and line, and what to write instead."""


class _State(threading.local):
    no_grad_depth = 0
    anomaly_depth = 0
    tracer: Any = None  # the compiler's, while it runs a function to record it (autograd.compile.trace)


STATE = _State()
TRACING: list[Any] = []  # an entry for each function that some thread is recording: while it is empty, nobody asks more
_inside = 0  # how many mode blocks are open, over all threads
_lock = threading.Lock()


class _Mode(ContextDecorator):
    counter: str

    def __enter__(self) -> None:
        global _inside
        with _lock:
            _inside += 1
            NAMESPACE["plain"] = False
        setattr(STATE, self.counter, getattr(STATE, self.counter) + 1)

    def __exit__(self, *exc_info: Any) -> None:
        global _inside
        setattr(STATE, self.counter, getattr(STATE, self.counter) - 1)
        with _lock:
            _inside -= 1
            NAMESPACE["plain"] = _inside == 0


class no_grad(_Mode):
    """Compute without recording: inside ``with no_grad():`` every result is a Value without inputs.

    It knows the operation that it was computed by, `Value.unrecorded_op`: drawings show that, and `Value.backward`
    says why there is nothing to go back through.

    Also usable as a decorator, ``@no_grad()``.
    """

    counter = "no_grad_depth"


class detect_anomaly(_Mode):
    """Raise `NonFiniteError` at the first inf or nan, going forward or backward, instead of carrying it along.

    >>> with detect_anomaly():
    ...     Value(0.0, "x").log()
    NonFiniteError: log gave -inf going forward; its input was x = 0
    """

    counter = "anomaly_depth"


def recording() -> bool:
    """Whether this thread records operations now (it does, unless inside `no_grad`)."""
    return STATE.no_grad_depth == 0


def watching() -> bool:
    """Whether this thread is inside `detect_anomaly`."""
    return STATE.anomaly_depth > 0


@contextmanager
def recording_again() -> Iterator[None]:
    """Record inside the block even within an outer `no_grad`: a derivative needs the graph of its own function."""
    outer, STATE.no_grad_depth = STATE.no_grad_depth, 0
    try:
        yield
    finally:
        STATE.no_grad_depth = outer


_tags: dict[str, Tags] = {"": NAMESPACE["here"]}


def enter_scope(path: str) -> str:
    """File the nodes made from now on under ``path``; returns the path that was in force, to be handed back later."""
    previous = current_scope()
    tags = _tags.get(path)
    if tags is None:
        tags = _tags[path] = Tags(path)
    NAMESPACE["here"] = tags
    NAMESPACE["path"] = path
    return previous


def current_scope() -> str:
    """The path that new nodes are filed under; "" outside every scope."""
    path: str = NAMESPACE["path"]
    return path


@contextmanager
def scope(name: str) -> Iterator[None]:
    """File the nodes made inside the block under ``name``; nested scopes are joined by dots.

    Drawings frame nodes by scope, and fold a scope into one box when a graph is large:

    >>> with scope("neuron"):
    ...     y = (w * x + b).tanh()
    """
    if not isinstance(name, str) or not name:
        raise ValueError(f"a scope needs a name such as 'neuron', but got {name!r}")
    outer = current_scope()
    enter_scope(f"{outer}.{name}" if outer else name)
    try:
        yield
    finally:
        enter_scope(outer)
