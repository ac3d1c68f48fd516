"""What a program is made of: statements on whole arrays, before they are text.

A `Definition` gives an array its name, a `Put` writes into a part of one, and `Turns` are the statements of a loop. Of
the two neurons, h1 = tanh(z1) is one definition; of three time steps, the turns hold two puts, into z1[turn] and
into h1[turn + 1]. An adjoint to which something comes from several sides has `Store`s: parts of it that are assigned
where nothing is yet, and added to where something is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .layout import Array, Layout
from .symbols import Shape, Symbol
from .views import View

Index = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(eq=False)
class Gather:
    """Entries collected from one or more arrays, in an order of their own."""

    arrays: list[Array]
    which: Index  # per entry, the number of its array in `arrays`
    place: Index  # per entry, its place there
    first: bool  # whether the samples are the first axis


@dataclass(eq=False)
class Store:
    """``expression`` goes to places ``index`` of the array that is being defined: assigned if nothing is there yet."""

    index: Index
    expression: Symbol
    accumulate: bool
    view: View | None  # the places as a slice, if they are one
    shape: Shape


@dataclass(eq=False)
class Definition:
    """``name = expression``, then the stores into parts of it; ``memory`` says where the array lies, if anywhere."""

    name: str
    shape: Shape
    expression: Symbol | None
    stores: list[Store] = field(default_factory=list)
    memory: tuple[str, int] | None = None
    zeros: bool = False  # the stores do not reach every place
    empty: bool = False  # what is in it comes later; with ``zeros``, around zeros that nothing changes
    copy: bool = False  # only to have in one piece what a product of matrices reads


@dataclass(eq=False)
class Put:
    """``target ← expression``, or with ``accumulate`` target ← target + expression, for a part of an array."""

    target: View
    expression: Symbol
    accumulate: bool = False
    index: Index | None = None  # the places in a turn, if they are not all of it,
    turn: int = 0  # and which: that so much after the loop's,
    axis: int = 0  # where the turns are in the array


@dataclass(eq=False)
class Turns:
    """Statements that are run for each turn t of a loop, from the first to the last or ``backward``."""

    count: int
    body: list[Statement]
    backward: bool = False


Statement = Definition | Put | Turns


@dataclass
class Program:
    layout: Layout
    forward: list[Statement]
    backward: list[Statement]
    copied_arguments: set[str]  # arguments that are read in other ways than by a product of matrices
    outputs: Gather  # the results
    gradients: dict[str, str]  # parameter array -> its gradient's name
    masks: dict[str, Mask]
    factored: bool  # whether factors were taken out of sums: see `contract.Contractor`
