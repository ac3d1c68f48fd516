"""Workspaces: the memory that a program on NumPy computes in, and the names of views of it.

Fresh memory costs more than the arithmetic (page faults: 2.4 to 3.1 times on convolutions), so every array, view and
temporary result is bound beforehand, once for a batch size. For the two neurons:

    z1 = batched[0:2].reshape(2, n)
    h1 = batched[2:4].reshape(2, n)
    b1_1 = b1[:, None]

In a loop over three time steps views are at a turn, and so bound once for each, all together (`in_place`).

On the way back much that was computed is not needed any more. What comes then lies down there (`heirs`), as the dz1 of
wide layers where their dh1 was: less memory stays in the processor's cache.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from .program import Definition, Gather, Program, Put, Turns
from .symbols import BATCH, Shape, Symbol
from .write import Constants, shape_text

_TURN = re.compile(r"\bturn\b")


class Workspace:
    """Names and memory. ``prelude`` is run once per batch size, ``lines`` on every call."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.first = program.layout.samples_first
        self.constants = Constants()
        self.constants.arrays |= program.masks
        self.prelude: list[str] = []
        self.lines: list[str] = []
        self.views: dict[str, str] = {}  # text -> name
        self.free: dict[tuple[Shape, str], list[str]] = {}
        self.pool_of: dict[str, tuple[Shape, str]] = {}
        self.solid: set[str] = set()  # names of arrays that lie in memory in one piece
        self.buffers = self.names = 0
        layout = program.layout
        turned = [a for a in layout.arrays if a.takes_turns and self.first]
        self.turned = {name for a in turned for name in (a.name, "d" + a.name)}
        self.direct = {a.name for a in layout.arrays if a.bank == "argument"} - program.copied_arguments
        self.turns: dict[str, str] = {}  # while a loop's turns are written, views at turn t: text -> name
        self.in_turns = self.backward = False
        self.late: dict[str, str] = {}  # views of an argument that is not copied: taken on every call
        self.heirs = heirs(program, self.turned)

    # names

    def view(self, base: str, text: str) -> str:
        """A name for a view, bound once; a view of an argument that is used where it lies is taken on every call."""
        if text == base:
            return base
        if self.in_turns and (_TURN.search(text) or base in self.turns.values()):
            if text not in self.turns:
                self.names += 1
                self.turns[text] = f"{base}_{self.names}"
            return self.turns[text]
        if base in self.direct or base in self.late.values():
            if text not in self.late:
                self.late[text] = f"{base}_{len(self.late) + 1}"
            return self.late[text]
        if text not in self.views:
            self.names += 1
            self.views[text] = f"{base}_{self.names}" if base.isidentifier() else f"v_{self.names}"
            self.prelude.append(f"{self.views[text]} = {text}")
        return self.views[text]

    def seen_as(self, name: str, old: Shape, new: Shape) -> str:
        """An array in one piece, in another shape."""
        if old == new:
            return name
        found = self.view(name, f"{name}.reshape({bound_sizes(new)})")
        self.solid.add(found)
        return found

    def bind(self, name: str, shape: Shape, memory: tuple[str, int] | None, size: int) -> None:
        text = f"empty({shape_text(shape)}, dtype)"
        if name in self.heirs:
            text = f"{self.heirs[name]}.reshape({bound_sizes(shape)})"
        elif memory is not None:
            bank, start = memory
            times = " * n" if bank in ("batched", "adjoint") else ""
            if name in self.turned:
                samples, turns, *rest = shape
                seen = f"reshape({bound_sizes((turns, samples, *rest))}).swapaxes(0, 1)"
                self.prelude.append(f"{name} = {bank}[{start}{times}:{start + size}{times}].{seen}")
                return
            seen_as = f".reshape({bound_sizes(shape)})" if len(shape) != 1 else ""
            text = f"{bank}[{start}{times}:{start + size}{times}]{seen_as}"
        self.prelude.append(f"{name} = {text}")
        self.solid.add(name)

    def temporary(self, shape: Shape, kind: str = "dtype") -> str:
        free = self.free.setdefault((shape, kind), [])
        if free:
            return free.pop()
        self.buffers += 1
        name = f"buffer{self.buffers}"
        self.prelude.append(f"{name} = empty({shape_text(shape)}, {kind})")
        self.pool_of[name] = (shape, kind)
        self.solid.add(name)
        return name

    def release(self, *names: str, keep: str = "") -> None:
        for name in names:
            if name in self.pool_of and name != keep:
                self.free[self.pool_of[name]].append(name)

    def put(self, line: str, *used: str, keep: str = "") -> None:
        """A statement; the temporaries that it is the last to use are free after it, but for ``keep``."""
        self.lines.append(line)
        self.release(*used, keep=keep)


def heirs(program: Program, turned: set[str]) -> dict[str, str]:
    """For arrays of the way back another one of that size that nobody reads from there on, whose memory they take.

    Arrays of loops keep theirs, and so does what is to be zero around what is written.
    """
    statements = [*program.forward, *program.backward]
    last = {name: k for k, s in enumerate(statements) for name in _names(s)}
    kept = turned | {array.name for array in program.outputs.arrays}
    free: dict[int, list[str]] = {}  # by size, what may be taken
    found: dict[str, str] = {}
    ends: dict[int, list[Definition]] = {}
    for k, d in enumerate(statements):
        own = isinstance(d, Definition) and BATCH in d.shape and d.name not in kept and not d.empty
        if isinstance(d, Definition) and own and (d.expression is None or d.expression.operator != "gather"):
            if k >= len(program.forward):
                stored = {*_names([store.expression for store in d.stores])}  # read after the expression is there
                here = [x for x in ends.get(k, ()) if x.name not in stored and _is_one_step(d.expression, x)]
                if here:
                    found[d.name] = here[0].name
                    ends[k].remove(here[0])
                elif free.get(_size(d.shape)):
                    found[d.name] = free[_size(d.shape)].pop()
            ends.setdefault(last[d.name], []).append(d)
        for over in ends.pop(k, ()):
            free.setdefault(_size(over.shape), []).append(over.name)
    return found


def _is_one_step(x: Symbol | None, d: Definition) -> bool:
    """Whether an expression is an array as it lies and a number, which go entry by entry into one."""
    if x is None or x.operator not in ("+", "-", "*", "/") or x.shape != d.shape:
        return False
    first, second = sorted(x.arguments, key=lambda y: y.operator)
    return first.operator == "leaf" and first.detail.text == d.name and second.operator == "number"


def _size(shape: Shape) -> int:
    return math.prod([abs(size) for size in shape])


def _names(x: Any) -> Iterator[str]:
    """The names of all arrays that a statement, or an expression, speaks of."""
    if isinstance(x, Symbol):
        if x.operator == "leaf":
            yield x.detail.base
        yield from _names(x.detail)
        yield from _names(x.arguments)
    elif isinstance(x, (tuple, list)):
        for part in x:
            yield from _names(part)
    elif isinstance(x, Definition):
        yield x.name
        yield from _names([x.expression, [store.expression for store in x.stores]])
    elif isinstance(x, Put):
        yield x.target.base
        yield from _names(x.expression)
    elif isinstance(x, Turns):
        yield from _names(x.body)
    elif isinstance(x, Gather):
        yield from [array.name for array in x.arrays]


def bound_sizes(shape: Shape) -> str:
    """The sizes for a reshape where n is known."""
    return shape_text(shape).strip("(),") or "()"
