"""Pass 5, lay out: every box of nodes gets a name and a place in memory.

There are four kinds of arrays. Arguments come from the caller. Parameters lie in the flat vector theta, in the order in
which the products of matrices read them, so that each weight matrix is a slice of theta seen as [R, K]; constants that
stand in arrays follow them. Each group has an array of its own, with its axes, and one for the samples: last, or first
where that makes products of matrices faster (`autograd.compiler.arrange`).

For the two neurons, theta is (w1, w2, b1, b2), and the arrays are

    w1 = theta[0:2] as [2, 1]     b1 = theta[2:4]     z1 = batched[0:2]     h1 = batched[2:4]

and of three time steps, z1 = batched[0:3·R] is seen as [3, R]; with samples first it is [N, 3, R], and each turn
of a loop lies in one piece all the same (`Array.takes_turns`).
"""

from __future__ import annotations

import keyword
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..ops import CONSTANT
from .boxes import Nodes
from .groups import Arrangement, Group
from .index import TAKE
from .normalise import BATCHED, LINEAR, Graph
from .symbols import WORDS
from .trace import Trace

ACTIVATIONS = {"tanh", "relu", "sigmoid", "softplus", "leaky_relu", "gelu"}
# names that the written programs use themselves
RESERVED = {*WORDS} | set(
    "theta gradient n np numpy take add_at concatenate reshape where abs transpose matmul masked "
    "masked_matmul pow sum max swapaxes zeros empty broadcast_to range reversed turn run bind "
    "program predict batched adjoint shared math add_at_turn arrays bits bool columns dtype float fori_loop gradient "
    "half_power one_turn outputs shared_adjoint zeroed_matmul".split()
)
# and those that they count: masks, index arrays, collections, temporaries, adjoints, views
COUNTED = re.compile(r"([cegimtv]|buffer|d[bcehpswz])\d+|\w*_\d+")


@dataclass(eq=False)
class Array:
    """A named array of ``size`` places. In memory: ``bank[start : start + size]``, seen in its shape."""

    name: str
    bank: str  # "argument", "theta", "constant", "shared" or "batched"
    start: int
    shape: tuple[int, ...]  # without the samples
    active: bool  # depends on a parameter, so that it needs an adjoint
    group: Group | None = None
    whole: bool = False  # an argument of whole numbers

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def is_batched(self) -> bool:
        return self.bank in ("argument", "batched")

    @property
    def takes_turns(self) -> bool:
        """Whether it is a loop's: its turns are the first axis in memory, so that each lies in one piece, also where
        samples come first in its shape."""
        return self.group is not None and self.group.loop is not None

    @property
    def turn_size(self) -> int:
        """Of an array that takes turns, the places of one."""
        return math.prod(self.shape[1:])

    @property
    def own_slot(self) -> int:
        """Which slot turn 0 writes: 1 if slot 0 has what the first turn finds, so that turn t finds slot t; else 0."""
        return int(self.group is not None and self.group.initial is not None)


@dataclass
class Layout:
    arrays: list[Array]
    array_of: NDArray[np.intp]  # node -> its array's number
    place_of: NDArray[np.intp]  # node -> its place in that array
    parameter_order: NDArray[np.intp]  # theta[k] is trace.parameters[parameter_order[k]]
    constants: NDArray[np.float64]
    samples_first: bool
    sizes: dict[str, int] = field(default_factory=dict)  # places per bank
    by_group: dict[Group, Array] = field(default_factory=dict)


def safe_names(names: Sequence[str]) -> list[str]:
    """The function's own names for its arguments, made different from each other and from the program's words."""
    result: list[str] = []
    for name in names:
        while (
            name in RESERVED
            or name in result
            or hasattr(np, name)
            or COUNTED.fullmatch(name)
            or keyword.iskeyword(name)
            or not name.isidentifier()
        ):
            name += "_"
        result.append(name)
    return result


def lay_out(
    trace: Trace, graph: Graph, arrangement: Arrangement, argument_names: Sequence[str], as_traced: bool = False
) -> Layout:
    """All arrays, and where each node lies; with ``as_traced`` the parameters are one array in the trace's order."""
    groups = arrangement.groups
    builder = _Builder(trace, len(graph.ops), argument_names)
    builder.place_parameters(trace, [] if as_traced else groups)
    everything = [nodes for group in groups for nodes in group.reads()]
    is_constant = np.array([op == CONSTANT for op in graph.ops] + [False])  # -1 is no node
    used = dict.fromkeys(int(i) for nodes in everything for i in np.unique(nodes[is_constant[nodes]]))
    if used:
        builder.add(builder.fresh("c"), "constant", np.array([*used], dtype=np.intp), active=False)
    for group in groups:
        prefix = "h" if group.op in ACTIVATIONS else "e" if group.op == TAKE else group.op + "_"
        if group.op == LINEAR:
            prefix = "z" if group.is_product else "s"
        bank = "batched" if group.rank == BATCHED else "shared"
        active = any(graph.active[i] for i in group.nodes.reshape(-1).tolist() if i >= 0)
        builder.add(builder.fresh(prefix), bank, group.nodes, active=active, group=group)
    theta, constant = builder.sizes["theta"], builder.sizes["constant"]
    before = {"constant": theta, "shared": theta + constant}  # these three lie one after the other
    for array in builder.arrays:
        array.start += before.get(array.bank, 0)
    index = np.zeros(len(graph.ops), dtype=np.intp)
    index[trace.parameter_nodes] = np.arange(len(trace.parameter_nodes))
    order = index[np.concatenate([*builder.theta, np.array([], dtype=np.intp)])]
    numbers = np.array([graph.numbers[i] for i in used], dtype=np.float64)
    by_group = {a.group: a for a in builder.arrays if a.group is not None}
    return Layout(
        builder.arrays, builder.array_of, builder.place_of, order, numbers, arrangement.samples_first,
        dict(builder.sizes), by_group,
    )  # fmt: skip


class _Builder:
    """Gives nodes their places, first those of the arguments."""

    def __init__(self, trace: Trace, n: int, argument_names: Sequence[str]) -> None:
        self.arrays: list[Array] = []
        self.array_of = np.full(n, -1, dtype=np.intp)
        self.place_of = np.zeros(n, dtype=np.intp)
        self.sizes: Counter[str] = Counter()
        self.theta: list[Nodes] = []
        self.taken = set(argument_names)
        self.counts: Counter[str] = Counter()
        self.waiting = np.zeros(n + 1, dtype=bool)  # the parameters that have no place yet; -1 is no node
        self.waiting[trace.parameter_nodes] = True
        for name, nodes in zip(argument_names, trace.arguments, strict=True):
            self.add(name, "argument", np.array(nodes, dtype=np.intp), active=False)
            self.arrays[-1].whole = bool(nodes) and all(i in trace.indices for i in nodes)

    def add(self, name: str, bank: str, nodes: Nodes, *, active: bool, group: Group | None = None) -> None:
        array = Array(name, bank, 0 if bank == "argument" else self.sizes[bank], nodes.shape, active, group)
        flat = nodes.reshape(-1)
        real = flat >= 0
        self.array_of[flat[real]] = len(self.arrays)
        self.place_of[flat[real]] = np.flatnonzero(real)
        self.arrays.append(array)
        self.sizes[bank] += array.size

    def fresh(self, prefix: str) -> str:
        while True:
            self.counts[prefix] += 1
            name = f"{prefix}{self.counts[prefix]}"
            if name not in self.taken:
                return name

    def place_parameters(self, trace: Trace, groups: Sequence[Group]) -> None:
        """As the products read them, then biases, then in the order of use, then those that nothing uses."""
        for group in groups:
            for part in group.parts:
                if part.weights is not None and (part.weights >= 0).all():
                    if group.is_product:
                        self._place(np.moveaxis(part.weights, 0, -1), "w")
                    elif group.rank == BATCHED:
                        self._place(part.weights, "w")
            if group.op == TAKE:
                self._place(np.asarray(group.operands[0]), "w")
            if group.bias is not None:
                self._place(group.bias, "b")
        for group in groups:
            for nodes in group.reads():
                self._place(nodes, "p")
        self._place(np.array(trace.parameter_nodes, dtype=np.intp), "p")

    def _place(self, nodes: Nodes, prefix: str) -> None:
        flat = nodes.reshape(-1)
        flat = flat[self.waiting[flat]]
        if len(flat) == 0:
            return
        if len(flat) == nodes.size and len(np.unique(flat)) == nodes.size:
            last = nodes.shape[-1:] if prefix == "w" and nodes.ndim > 1 else ()  # a row of one weight is a row
            sizes = tuple(s for s in nodes.shape[: nodes.ndim - len(last)] if s > 1)
            flat = flat.reshape((*sizes, *last) or (1,))
        else:
            flat = flat[np.sort(np.unique(flat, return_index=True)[1])]  # each once, in the order of first use
        self.waiting[flat] = False
        self.theta.append(flat.reshape(-1))
        self.add(self.fresh(prefix), "theta", flat, active=True)
