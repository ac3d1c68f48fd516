"""Pass 4, arrange: every class becomes a box of nodes with axes, in which operands lie in step.

The nodes of a class are told apart by where their operands lie: the linear nodes of a dense layer by the *row* of
weights and the *window* of inputs that they multiply, W[r, k]·x[k, p], all others by the coordinates of what they
read. From these columns of numbers axes are found (`_axes`), the one with the fewest values first; what an axis
already says is taken off the others. A score of causal attention, Σ q·k, reads row 4h of q at window t, and row 4h of
k at window s: so its class is a box [h, t, s]. Half of that box is empty, because no token asks for a later one. It
is *padded*: -1 stands where there is no node, and whoever sums over it leaves these places out.

The two neurons, h = [tanh(w1*x + b1), tanh(w2*x + b2)], are two boxes [2]: of linear nodes, with one part whose
weights are [1, 2] and whose window is [1, 1], and of tanh. A recurrent network over three time steps is a box [3,
rows].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ops import CONSTANT
from .classes import Class, Loop, Unrollable, takes_row
from .index import TAKE
from .normalise import BATCHED, CONST, LINEAR, SHARED, Graph
from .trace import Trace
from .turns import TYPICAL, put_in_step

Nodes = NDArray[np.intp]  # node numbers in a box; -1 where there is none

CONSTANTS, PARAMETERS, ARGUMENTS = range(3)  # owners of nodes; the arguments have a number each, the groups follow
LEAST_FULL = 0.4  # a box with less in it is given up: its nodes are a list
MAX_PARTS = 6  # a sum with more sources than this is irregular, and is gathered in one piece
MOST_CLASSES = 1000  # of more, nobody asks who reads them
FEW_COEFFICIENTS = 3  # a sum with more different coefficients is a product with a list of constants


@dataclass(eq=False)
class Part:
    """One summand of a linear group: c·Σₖ x, or with ``weights`` c·Σₖ w·x, for k along the first axis.

    Both have the group's axes behind that, each of size 1 where they do not depend on it. ``real`` says which of the
    terms exist, if not all do. ``rows`` says that the weights are the same for all samples.
    """

    x: Nodes
    weights: Nodes | None = None
    c: float = 1.0
    real: NDArray[np.bool_] | None = None
    rows: bool = False


@dataclass(eq=False)
class Group:
    """Nodes that are computed together: a box ``nodes``.

    ``operands`` holds, per input, a number, or nodes with the group's axes (of size 1 where it does not depend on one);
    for an operation on a whole ``row`` of inputs there is one, with an axis more in front. A linear group has ``parts``
    and perhaps a ``bias`` instead. ``rows`` tells which axes came from rows of weights.

    A look-up (`TAKE`) has a row of what it chooses from, and an ``index`` with the group's axes.

    In a ``loop`` the first axis are its turns. With ``initial``, there is a slot before the first turn, and these nodes
    are what it finds there.
    """

    op: str
    rank: int
    nodes: Nodes
    operands: list[float | Nodes] = field(default_factory=list)
    row: bool = False
    index: Nodes | None = None
    parts: list[Part] = field(default_factory=list)
    bias: Nodes | None = None
    rows: tuple[bool, ...] = ()
    loop: Loop | None = None
    initial: Nodes | None = None

    @property
    def computed(self) -> Nodes:
        """The nodes that it computes: in a loop, all but slot 0."""
        return self.nodes if self.initial is None else self.nodes[1:]

    def reads(self) -> list[Nodes]:
        """The nodes that it is computed from."""
        found = [
            self.initial,
            self.index,
            self.bias,
            *self.operands,
            *[nodes for part in self.parts for nodes in (part.x, part.weights)],
        ]
        return [nodes for nodes in found if isinstance(nodes, np.ndarray)]

    @property
    def real(self) -> NDArray[np.bool_] | None:
        """Which places hold a node, if not all do."""
        mask = self.computed >= 0
        return None if mask.all() else mask

    @property
    def is_product(self) -> bool:
        """Whether rows of weights meet windows in it."""
        return any(part.rows and len(part.x) > 1 for part in self.parts)


@dataclass(eq=False)
class Arrangement:
    """The groups, and where each node lies: ``owner`` and ``place`` by node."""

    groups: list[Group]
    owner: Nodes
    place: Nodes
    samples_first: bool


@dataclass
class _Columns:
    """What tells the nodes of a class apart: columns of numbers, and of each whether it counts rows of weights."""

    values: list[Nodes] = field(default_factory=list)
    rows: list[bool] = field(default_factory=list)
    order: list[int] = field(default_factory=list)  # how far apart neighbours along it lie in memory

    def add(self, values: Nodes, is_row: bool, stride: int) -> None:
        self.values.append(values)
        self.rows.append(is_row)
        self.order.append(stride)


@dataclass
class _Box:
    """Axes for a list of nodes: the sizes, and the coordinates [axes, nodes]."""

    sizes: tuple[int, ...]
    flat: Nodes
    rows: tuple[bool, ...]

    @property
    def is_full(self) -> bool:
        return len(self.flat) == int(np.prod(self.sizes))


def arrange(trace: Trace, graph: Graph, classes: Sequence[Class]) -> Arrangement:
    for loop in dict.fromkeys(one.loop for one in classes if one.loop is not None):
        put_in_step(graph, loop.classes)
    arranger = _Arranger(trace, graph, any(map(_Products(graph).is_matrix, classes)))
    arranger.served = _served(graph, classes)
    for one in classes:
        arranger.take(one)
    n = len(graph.ops)
    return Arrangement(arranger.groups, arranger.owner[:n], arranger.place[:n], arranger.samples_first)


def _served(graph: Graph, classes: Sequence[Class]) -> dict[int, int]:
    """Per node a number for the classes that read it, as which operand, and who reads those in turn: by this the rows
    of queries and keys are told apart, and those of the gates of a cell."""
    of = {i: k for k, one in enumerate(classes) for i in one.nodes}
    code: dict[int, int] = {}
    if len(classes) > MOST_CLASSES:
        return code
    for _ in range(2):
        found: dict[int, set[tuple[int, int, int]]] = {}
        windows: set[Any] = set()
        for i, k in of.items():
            own = code.get(i, 0)
            if graph.ops[i] != LINEAR:
                operands = graph.inputs[i]
                for slot, x in enumerate(operands):
                    found.setdefault(x, set()).add((k, slot if len(operands) == 2 else 0, own))
                continue
            window = []
            for _c, w, x in graph.terms[i]:
                if w is not None and graph.rank[w] < graph.rank[x]:
                    window.append(x)
                    continue
                if w is not None:
                    found.setdefault(w, set()).add((k, 3 + of.get(x, -1), own))
                found.setdefault(x, set()).add((k, 2, own))
            key = k, tuple(window)
            if key not in windows:
                windows.add(key)
                for x in window:
                    found.setdefault(x, set()).add((k, 0, 0))
        names: dict[frozenset[tuple[int, int, int]], int] = {}
        code = {x: names.setdefault(frozenset(who), len(names) + 1) for x, who in found.items()}
    return code


class _Products:
    """Finds products of matrices both of which depend on the sample: for those, samples come first in memory."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def is_matrix(self, one: Class) -> bool:
        graph, nodes = self.graph, one.nodes
        if one.loop is not None:
            return True
        if graph.ops[nodes[0]] != LINEAR or graph.rank[nodes[0]] != BATCHED or len(nodes) < 4:
            return False
        left, right = set(), set()
        most = 0
        for i in nodes:
            pairs = [
                (w, x) for _, w, x in graph.terms[i] if w is not None and graph.rank[w] == graph.rank[x] == BATCHED
            ]
            if not pairs:
                return False
            most = max(most, len(pairs))
            left.add(pairs[0][0])
            right.add(pairs[0][1])
        return most > 1 and len(left) < len(nodes) and len(right) < len(nodes)


# --- axes


def _axes(columns: _Columns, count: int) -> _Box:
    """Axes that tell ``count`` nodes apart, found greedily: the one with the fewest values first.

    What the axes so far say of a column, its least value in each of their places, is taken off before its values are
    counted: rows 4h + d are four values of d when h is an axis.
    """
    group = np.zeros(count, dtype=np.intp)
    coordinates: list[Nodes] = []
    kinds: list[tuple[bool, int]] = []
    left = [k for k, values in enumerate(columns.values) if (values != values[0]).any()]
    distinct = 1
    while distinct < count and left:
        best: tuple[int, int, Nodes] | None = None
        for k in list(left):
            found, inverse = np.unique(columns.values[k], return_inverse=True)
            rest = _rest(columns.values[k], group, coordinates)
            if rest is not None:  # as it is if that makes no fewer: in s ≤ t, t is an axis, and not t - s
                fewer = np.unique(rest, return_inverse=True)
                found, inverse = fewer if len(fewer[0]) < len(found) else (found, inverse)
            if len(found) == 1:
                left.remove(k)
            elif best is None or len(found) < best[0]:
                best = len(found), k, inverse.reshape(-1)
        if best is None:
            break
        size, k, coordinate = best
        left.remove(k)
        joint, inverse = np.unique(group * size + coordinate, return_inverse=True)
        if len(joint) == distinct:
            continue
        group, distinct = inverse.reshape(-1), len(joint)
        coordinates.append(coordinate)
        kinds.append((columns.rows[k], columns.order[k]))
    if distinct < count:  # nodes that nothing tells apart
        order = np.argsort(group, kind="stable")
        starts = np.r_[True, np.diff(group[order]) > 0]
        first = np.maximum.accumulate(np.where(starts, np.arange(count), 0))
        rank = np.empty(count, dtype=np.intp)
        rank[order] = np.arange(count) - first
        coordinates.append(rank)
        kinds.append((False, 0))
    sizes = [int(c.max()) + 1 for c in coordinates]
    if count < LEAST_FULL * np.prod([float(s) for s in sizes]):
        line = np.lexsort([*columns.values[::-1]])
        flat = np.empty(count, dtype=np.intp)
        flat[line] = np.arange(count)
        return _Box((count,), flat, (False,))
    order_ = sorted(range(len(sizes)), key=lambda a: -kinds[a][1])
    return _box([coordinates[a] for a in order_], [kinds[a][0] for a in order_], count)


def _box(coordinates: Sequence[Nodes], rows: Sequence[bool], count: int) -> _Box:
    sizes = tuple(int(c.max()) + 1 for c in coordinates)
    flat = np.zeros(count, dtype=np.intp)
    for size, c in zip(sizes, coordinates, strict=True):
        flat = flat * size + c
    return _Box(sizes, flat, tuple(rows))


def _rest(values: Nodes, group: Nodes, coordinates: Sequence[Nodes]) -> Nodes | None:
    """A column less its least value in each place of the axes so far, if that least value goes in even steps."""
    if not coordinates:
        return np.asarray(values - values.min())
    least = np.full(int(group.max()) + 1, np.iinfo(np.intp).max, dtype=np.intp)
    np.minimum.at(least, group, values)
    at = np.empty(len(least), dtype=np.intp)
    at[group] = np.arange(len(group))
    table = np.column_stack([np.ones(len(least)), *[c[at] for c in coordinates]])
    found, *_ = np.linalg.lstsq(table, least.astype(float), rcond=None)
    if np.abs(table @ found - least).max() > 1e-6:
        return None
    return np.asarray(values - least[group])


def _squeezed(nodes: Nodes, first: int = 0) -> Nodes:
    """Nodes with size 1 along the axes on which they do not depend, from axis ``first`` on; -1 agrees with
    everything."""
    for axis in range(first, nodes.ndim):
        if nodes.shape[axis] > 1:
            most = nodes.max(axis, keepdims=True)
            if ((nodes == most) | (nodes < 0)).all():
                nodes = most
    return nodes


# --- groups


class _Arranger:
    def __init__(self, trace: Trace, graph: Graph, samples_first: bool) -> None:
        self.graph, self.samples_first = graph, samples_first
        n = len(graph.ops)
        self.owner = np.full(n, -1, dtype=np.intp)
        self.place = np.zeros(n, dtype=np.intp)
        self.groups: list[Group] = []
        self.one = Class([])
        self.served: dict[int, int] = {}
        self.sizes: dict[int, tuple[int, ...]] = {}  # owner -> the box's
        self.rows: dict[int, tuple[bool, ...]] = {}
        for k, nodes in enumerate(trace.arguments):
            self._place(ARGUMENTS + k, np.array(nodes, dtype=np.intp), ())
        self.first_group = ARGUMENTS + len(trace.arguments)
        ops = np.array(graph.ops, dtype=object)
        constants = np.flatnonzero(ops == CONSTANT)
        self._place(CONSTANTS, constants, ())
        self._place(PARAMETERS, np.array(trace.parameter_nodes, dtype=np.intp), ())

    def _place(self, owner: int, nodes: Nodes, rows: tuple[bool, ...]) -> None:
        real = nodes.reshape(-1) >= 0
        some = nodes.reshape(-1)[real]
        self.owner[some] = owner
        self.place[some] = np.flatnonzero(real)
        self.sizes[owner] = nodes.shape
        self.rows[owner] = rows or (False,) * nodes.ndim

    def _close(self, group: Group) -> None:
        if self.one.initial:
            self._add_slot(group)
        self._place(self.first_group + len(self.groups), group.nodes, group.rows)
        self.groups.append(group)

    def _add_slot(self, group: Group) -> None:
        """A slot before the first turn, for what the first turn finds."""
        slot = np.full((2, *group.nodes.shape[1:]), -1, dtype=np.intp)
        places = {i: place for place, i in enumerate(group.nodes[TYPICAL].reshape(-1).tolist())}
        for k, found in self.one.initial.items():
            slot.reshape(2, -1)[:, places[self.one.turns[TYPICAL][k]]] = found
        group.initial = slot[0, ...]  # of one node, an array, too
        group.nodes = np.concatenate([slot[1:], group.nodes])

    def _spread(self, box: _Box) -> _Box:
        """The box of a typical turn as that of all turns."""
        if self.one.loop is None:
            return box
        count, size = len(self.one.turns), int(np.prod(box.sizes))
        flat = (np.arange(count)[:, None] * size + box.flat).reshape(-1)
        return _Box((count, *box.sizes), flat, (False, *box.rows))

    @property
    def _members(self) -> list[int]:
        """All nodes of the class, turn by turn."""
        return self.one.nodes if self.one.loop is None else [i for turn in self.one.turns for i in turn]

    @property
    def _typical(self) -> slice:
        """Those of one turn among them."""
        if self.one.loop is None:
            return slice(None)
        count = len(self.one.turns[0])
        return slice(TYPICAL * count, (TYPICAL + 1) * count)

    def take(self, one: Class) -> None:
        op = self.graph.ops[one.nodes[0]]
        if one.loop is not None and one is one.loop.classes[0]:  # they read each other: say whose they are
            for k, other in enumerate(one.loop.classes):
                self.owner[[*other.nodes, *[node for _, node in other.initial.values()]]] = (
                    self.first_group + len(self.groups) + k
                )
        before = len(self.groups)
        self.one = one
        if op == LINEAR:
            self._take_linear(one)
        else:
            self._take_slab(op, one)
        if one.loop is not None:
            if len(self.groups) != before + 1:
                raise Unrollable
            self.groups[-1].loop = one.loop

    # what an operand's places say

    def _columns(self, columns: _Columns, nodes: Nodes) -> None:
        """Add what tells ``nodes`` [count] or [count, k] apart: their coordinates, the least along k."""
        nodes = nodes if nodes.ndim == 2 else nodes[:, None]
        real = nodes >= 0
        owner = np.where(real, self.owner[nodes], -1)
        first = int(owner[real][0]) if real.any() else -1
        if first < 0 or (real & (owner == CONSTANTS)).all() or any(o not in self.sizes for o in np.unique(owner[real])):
            return
        same = (~real | (owner == first)).all()
        if not same:
            columns.add(owner[:, 0], False, 1 << 40)
        sizes = self.sizes[first] if same else (int(self.place.max()) + 1,)
        rows = self.rows[first] if same else (False,)
        rest = np.where(real, self.place[nodes], 0)
        stride = int(np.prod(sizes))
        for size, is_row in zip(sizes, rows, strict=True):
            stride //= size
            values = rest // stride % size
            values = np.where(real, values, 1 << 60).min(1)
            columns.add(values, is_row, stride)

    # elementwise operations, and operations on rows

    def _take_slab(self, op: str, one: Class) -> None:
        graph, nodes, typical = self.graph, self._members, self._typical
        inputs = [graph.inputs[i] for i in nodes]
        members = np.array(nodes, dtype=np.intp)
        columns = _Columns()
        if op == TAKE:
            index = np.array([row[0] for row in inputs], dtype=np.intp)
            inputs = [row[1:] for row in inputs]
            self._columns(columns, index[typical])
            columns.order = [stride << 40 for stride in columns.order]  # its axes come first
        if takes_row(op):
            longest = max(map(len, inputs))
            padded = np.array([[*row, *[-1] * (longest - len(row))] for row in inputs], dtype=np.intp)
            self._columns(columns, padded[typical])
        else:
            table = np.array(inputs, dtype=np.intp)
            constant = [graph.rank[x] == CONST for x in table[typical][0]]
            for k in range(table.shape[1]):
                if not constant[k]:
                    self._columns(columns, table[typical, k])
        count = len(members[typical])
        box = self._one_axis(members) if one.irregular else self._spread(_axes(columns, count))
        group = Group(op, graph.rank[nodes[0]], self._filled(box, members), rows=box.rows, row=takes_row(op))
        if takes_row(op):
            rows = self._filled(box, padded.T)
            small = _squeezed(rows, 1)
            ragged = ((np.broadcast_to(small, rows.shape) < 0) != (rows < 0)) & (group.nodes >= 0)
            group.operands = [rows if ragged.any() else small]
            if op == TAKE:
                group.index = _squeezed(self._filled(box, index))
        else:
            for k in range(table.shape[1]):
                if constant[k]:
                    group.operands.append(graph.numbers[table[typical][0, k]])
                else:
                    group.operands.append(_squeezed(self._filled(box, table[:, k])))
        self._close(group)

    @staticmethod
    def _one_axis(members: Nodes) -> _Box:
        return _Box((len(members),), np.arange(len(members)), (False,))

    @staticmethod
    def _filled(box: _Box, values: Nodes) -> Nodes:
        """Values [..., count] in their places of the box."""
        result = np.full((*values.shape[:-1], int(np.prod(box.sizes))), -1, dtype=np.intp)
        result[..., box.flat] = values
        return result.reshape((*values.shape[:-1], *box.sizes))

    # linear nodes

    def _take_linear(self, one: Class) -> None:
        graph = self.graph
        kinds: dict[Any, list[int]] = {}
        summands: dict[int, dict[Any, tuple[list[int], list[int]]]] = {}
        dots: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {}
        shared_row = graph.rank[one.nodes[0]] == BATCHED
        for i in self._members:
            row: list[int] = []
            window: list[int] = []
            rest = []
            for term in graph.terms[i]:
                w = term[1]
                if shared_row and w is not None and graph.rank[w] == SHARED:
                    row.append(w)
                    window.append(term[2])
                else:
                    rest.append(term)
            summands[i] = found = self._summands(rest, one.irregular)
            dots[i] = tuple(row), tuple(window)
            lengths = () if not one.irregular else tuple(len(found[key][1]) for key in sorted(found))
            kind = (len(row), i in graph.bias, tuple(sorted(found)), lengths)
            kinds.setdefault(kind, []).append(i)
        if one.loop is not None:
            if len(kinds) > 1:
                raise Unrollable
            nodes = self._members
            if len(row) and self._take_turns(nodes, dots, summands):
                return
            self._take_sums(nodes, dots, summands, False)
            return
        for (count, *_), nodes in kinds.items():
            for some in self._even(nodes, summands):
                if count:
                    some = self._take_families(some, dots, summands, one.irregular)
                if some:
                    self._take_sums(some, dots, summands, one.irregular)

    def _summands(self, terms: Sequence[Any], irregular: bool) -> dict[Any, tuple[list[int], list[int]]]:
        """The terms without weights by where they come from: products c·a·b, and sums c·x."""
        result: dict[Any, tuple[list[int], list[int]]] = {}
        many = len({c for c, w, _ in terms if w is None}) > FEW_COEFFICIENTS
        for c, w, x in terms:
            if w is None and many:
                w, c = self._constant(c), 1.0
            if w is None:
                key = ("sum", c, 0 if irregular else int(self.owner[x]), 0)
            else:
                a, b = int(self.owner[w]), int(self.owner[x])
                if a > b:
                    a, b, w, x = b, a, x, w
                key = ("product", c, a, b) if not irregular else ("product", c, 0, 0)
            found = result.get(key)
            if found is None:
                found = result[key] = [], []
            if w is not None:
                found[0].append(w)
            found[1].append(x)
        if len(result) > MAX_PARTS and not irregular:
            return self._summands(terms, True)
        return result

    def _constant(self, number: float) -> int:
        graph = self.graph
        node = graph.add(CONSTANT, (), number, CONST, False)
        self.owner = np.append(self.owner, CONSTANTS)
        self.place = np.append(self.place, self.sizes[CONSTANTS][0])
        self.sizes[CONSTANTS] = (self.sizes[CONSTANTS][0] + 1,)
        return node

    @staticmethod
    def _even(nodes: list[int], summands: dict[int, Any]) -> list[list[int]]:
        """Nodes whose sums are so uneven that padding would be mostly empty are taken length by length."""
        lengths = [[len(xs) for _, xs in summands[i].values()] for i in nodes]
        if not lengths[0]:
            return [nodes]
        table = np.array(lengths)
        if table.sum() >= LEAST_FULL * (table.max(0) * len(table)).sum():
            return [nodes]
        found: dict[tuple[int, ...], list[int]] = {}
        for i, length in zip(nodes, map(tuple, lengths), strict=True):
            found.setdefault(length, []).append(i)
        return list(found.values())

    def _take_families(self, nodes: list[int], dots: Any, summands: Any, irregular: bool) -> list[int]:
        """Rows of weights that all meet the same windows; gives back the nodes that are in no such block."""
        rows: dict[Any, int] = {}
        windows: dict[Any, int] = {}
        row_of = np.array([rows.setdefault(dots[i][0], len(rows)) for i in nodes], dtype=np.intp)
        window_of = np.array([windows.setdefault(dots[i][1], len(windows)) for i in nodes], dtype=np.intp)
        members = np.array(nodes, dtype=np.intp)
        if irregular or len(np.unique(row_of * len(windows) + window_of)) < len(nodes):  # or one is there twice
            return nodes
        if len(rows) * len(windows) == len(nodes):
            if len(rows) == 1 < len(windows):
                return nodes
            self._take_block(members, row_of, window_of, [*rows], [*windows], summands)
            return []
        left: list[int] = []
        blocks: dict[tuple[int, int], list[Nodes]] = {}
        for block in _blocks(row_of, window_of):
            height, width = len(np.unique(row_of[block])), len(np.unique(window_of[block]))
            if height * width == len(block) and height > 1 and (width > 1 or len(dots[nodes[0]][0]) > 1):
                blocks.setdefault((height, width), []).append(block)
            else:
                left += members[block].tolist()
        for same in blocks.values():
            if len(same) > 1:
                self._take_blocks(members, same, row_of, window_of, [*rows], [*windows], summands)
            else:
                (block,) = same
                some = members[block]
                r, p = (np.unique(x[block], return_inverse=True) for x in (row_of, window_of))
                self._take_block(
                    some, r[1].reshape(-1), p[1].reshape(-1),
                    [[*rows][k] for k in r[0]], [[*windows][k] for k in p[0]], summands,
                )  # fmt: skip
        return left

    def _take_block(
        self, members: Nodes, row_of: Nodes, window_of: Nodes, rows: Any, windows: Any, summands: Any
    ) -> None:
        """R rows that meet P windows: a product of matrices [R, K] and [K, P]."""
        rank = self._by_service(members, row_of, len(rows))
        row_of = rank[row_of]
        weights, x = np.array(rows, dtype=np.intp)[np.argsort(rank)], np.array(windows, dtype=np.intp)
        places = self._windows(x)
        shape = [(len(rows),), places.sizes]
        coordinates = [row_of, *np.unravel_index(places.flat[window_of], places.sizes)]
        is_row = [True] + [False] * len(places.sizes)
        if self.samples_first:
            shape.reverse()
            coordinates, is_row = [*coordinates[1:], coordinates[0]], [*is_row[1:], True]
        sizes = tuple(s for part in shape for s in part)
        flat = np.ravel_multi_index(coordinates, sizes)
        box = _without_ones(_Box(sizes, flat, tuple(is_row)))
        k = x.shape[1]
        ones_p, ones_r = (1,) * len(places.sizes), (1,)
        w_shape = (k, *ones_p, len(rows)) if self.samples_first else (k, len(rows), *ones_p)
        x_shape = (k, *places.sizes, *ones_r) if self.samples_first else (k, *ones_r, *places.sizes)
        ordered = np.empty_like(x.T)
        ordered[:, places.flat] = x.T
        self._add_block(box, sizes, members, weights.T.reshape(w_shape), ordered.reshape(x_shape), summands)

    def _by_service(self, members: Nodes, row_of: Nodes, count: int) -> Nodes:
        """The new place of each row: those that are read by the same classes come together."""
        _, first = np.unique(row_of, return_index=True)
        kinds: dict[Any, int] = {}
        kind = [kinds.setdefault(self.served.get(i), len(kinds)) for i in members[first].tolist()]
        rank = np.empty(count, dtype=np.intp)
        rank[np.argsort(kind, kind="stable")] = np.arange(count)
        return rank

    def _windows(self, x: Nodes) -> _Box:
        """Axes for windows [P, K]."""
        if len(x) == 1:
            return _Box((1,), np.zeros(1, dtype=np.intp), (False,))
        columns = _Columns()
        owner = self.owner[x]
        known = [k for k in range(x.shape[1]) if (owner[:, k] == owner[0, k]).all() and owner[0, k] != CONSTANTS]
        for o in dict.fromkeys(owner[0, known].tolist()):
            self._columns(columns, x[:, [k for k in known if owner[0, k] == o]])
        box = _axes(columns, len(x))
        return box if box.is_full else _Box((len(x),), np.arange(len(x)), (False,))

    def _take_turns(self, nodes: list[int], dots: Any, summands: Any) -> bool:
        """The rows and windows of a loop's turns, if in each of them all rows meet all windows."""
        count, height = len(self.one.turns), len(self.one.turns[0])
        typical = nodes[self._typical]
        rows: dict[Any, int] = {}
        windows: dict[Any, int] = {}
        row_of = np.array([rows.setdefault(dots[i][0], len(rows)) for i in typical], dtype=np.intp)
        window_of = np.array([windows.setdefault(dots[i][1], len(windows)) for i in typical], dtype=np.intp)
        pairs = row_of * len(windows) + window_of
        if len(rows) * len(windows) != len(typical) or len(np.unique(pairs)) < len(typical) or len(rows) == 1:
            return False
        every_row = np.array([dots[i][0] for i in nodes], dtype=np.intp).reshape(count, height, -1)
        every_window = np.array([dots[i][1] for i in nodes], dtype=np.intp).reshape(count, height, -1)
        first_row, first_window = (np.unique(x, return_index=True)[1] for x in (row_of, window_of))
        if (every_row[:, first_row][:, row_of] != every_row).any():
            return False
        if (every_window[:, first_window][:, window_of] != every_window).any():
            return False
        rank = self._by_service(np.array(typical), row_of, len(rows))
        places = self._windows(every_window[TYPICAL, first_window])
        weights = every_row[:, first_row[np.argsort(rank)]].transpose(2, 0, 1)  # [K, T, R]
        x = np.empty_like(every_window[:, first_window].transpose(2, 0, 1))
        x[:, :, places.flat] = every_window[:, first_window].transpose(2, 0, 1)
        coordinates = [*np.unravel_index(places.flat[window_of], places.sizes), rank[row_of]]
        sizes = (*places.sizes, len(rows))  # samples come first here
        box = self._spread(
            _without_ones(_Box(sizes, np.ravel_multi_index(coordinates, sizes), (False,) * (len(sizes) - 1) + (True,)))
        )
        ones = (1,) * len(places.sizes)
        self._add_block(
            box, (count, *sizes), np.array(nodes, dtype=np.intp),
            _squeezed(weights.reshape(*weights.shape[:2], *ones, len(rows)), 1),
            _squeezed(x.reshape(*x.shape[:2], *places.sizes, 1), 1), summands,
        )  # fmt: skip
        return True

    def _take_blocks(
        self, members: Nodes, blocks: Any, row_of: Nodes, window_of: Nodes, rows: Any, windows: Any, summands: Any
    ) -> None:
        """Blocks [R, P] with rows and windows of their own: one axis more."""
        all_rows, all_windows = np.array(rows, dtype=np.intp), np.array(windows, dtype=np.intp)
        table = []
        for block in blocks:
            r, at_r = np.unique(row_of[block], return_inverse=True)
            p, at_p = np.unique(window_of[block], return_inverse=True)
            table.append((r, at_r.reshape(-1), p, at_p.reshape(-1)))
        b, height, width = len(blocks), len(table[0][0]), len(table[0][2])
        at_b = np.repeat(np.arange(b), [len(block) for block in blocks])
        at_r, at_p = (np.concatenate([t[k] for t in table]) for k in (1, 3))
        w = np.stack([all_rows[t[0]] for t in table])  # [b, R, K]
        x = np.stack([all_windows[t[2]] for t in table])  # [b, P, K]
        if self.samples_first:
            sizes, coordinates, is_row = (width, b, height), (at_p, at_b, at_r), (False, True, True)
            weights, windows_ = w.transpose(2, 0, 1)[:, None], x.transpose(2, 1, 0)[..., None]
        else:
            sizes, coordinates, is_row = (b, height, width), (at_b, at_r, at_p), (True, True, False)
            weights, windows_ = w.transpose(2, 0, 1)[..., None], x.transpose(2, 0, 1)[:, :, None]
        box = _without_ones(_Box(sizes, np.ravel_multi_index(coordinates, sizes), is_row))
        self._add_block(box, sizes, members[np.concatenate(blocks)], weights, windows_, summands)

    def _add_block(
        self, box: _Box, sizes: tuple[int, ...], members: Nodes, weights: Nodes, x: Nodes, summands: Any
    ) -> None:
        """``weights`` and ``x`` have axis k and the axes ``sizes``; those of size 1 are dropped."""
        graph = self.graph
        drop = tuple(a + 1 for a, size in enumerate(sizes) if size == 1)  # (a loop has more than one turn)
        weights, x = (np.squeeze(a, drop) for a in (weights, x))
        group = Group(LINEAR, graph.rank[members[0]], self._filled(box, members), rows=box.rows)
        owner = self.owner[x].reshape(len(x), -1)
        source = np.where((owner == CONSTANTS).all(1), -1, np.where(owner == CONSTANTS, -1, owner).max(1))
        mixed = ((owner != source[:, None]) & (owner != CONSTANTS)).any(1)
        sources = dict.fromkeys(np.where(mixed, -2, source).tolist())
        main = next((s for s in sources if s >= 0), -1)
        source = np.where(mixed, -2, np.where(source == -1, main, source))
        several = list(dict.fromkeys(source.tolist()))
        for s in several if len(several) <= MAX_PARTS else [None]:
            some = slice(None) if s is None else np.flatnonzero(source == s)
            group.parts.append(Part(x[some], weights[some], rows=True))
        self._add_rest(group, box, members.tolist(), summands)

    def _add_rest(self, group: Group, box: _Box, nodes: list[int], summands: Any) -> None:
        """The summands without weights, and the bias."""
        graph = self.graph
        for key in sorted(summands[nodes[0]]):
            kind, c, *_ = key
            pairs = [summands[i][key] for i in nodes]
            longest = max(len(xs) for _, xs in pairs)
            arrays = []
            for which in (1, 0) if kind == "product" else (1,):
                lists = [[*pair[which], *[-1] * (longest - len(pair[which]))] for pair in pairs]
                arrays.append(self._filled(box, np.array(lists, dtype=np.intp).T))
            real = arrays[0] >= 0
            present = group.nodes >= 0
            mask = None
            if (real != present).any():
                three = np.where(present, real.astype(np.intp), -1)
                mask = _squeezed(three, 1) > 0
            arrays = [_squeezed(a, 1) for a in arrays]
            group.parts.append(Part(arrays[0], arrays[1] if len(arrays) > 1 else None, c, mask))
        if nodes[0] in graph.bias:
            group.bias = _squeezed(self._filled(box, np.array([graph.bias[i] for i in nodes], dtype=np.intp)))
        self._close(group)

    def _take_sums(self, nodes: list[int], dots: Any, summands: Any, irregular: bool) -> None:
        """Linear nodes without rows and windows."""
        graph = self.graph
        members = np.array(nodes, dtype=np.intp)
        weights = np.array([dots[i][0] for i in nodes], dtype=np.intp)
        x = np.array([dots[i][1] for i in nodes], dtype=np.intp)
        typical = self._typical
        some = nodes[typical]
        columns = _Columns()
        if weights.size and not irregular:
            self._columns(columns, x[typical])
            self._columns(columns, weights[typical])
        matrix = False
        if not irregular:
            for key in sorted(summands[nodes[0]]):
                matrix = matrix or key[0] == "product"
                for which in (1, 0):
                    lists = [summands[i][key][which] for i in some]
                    if lists[0]:
                        longest = max(map(len, lists))
                        padded = [[*row, *[-1] * (longest - len(row))] for row in lists]
                        self._columns(columns, np.array(padded, dtype=np.intp))
            if all(i in graph.bias for i in some):
                self._columns(columns, np.array([graph.bias[i] for i in some], dtype=np.intp))
        box = self._one_axis(members) if irregular else _axes(columns, len(some))
        if len(some) == 1:
            box = _Box((), np.zeros(1, dtype=np.intp), ())
        if matrix:
            box = self._reordered(box, some, summands)
        box = box if irregular else self._spread(box)
        group = Group(LINEAR, graph.rank[nodes[0]], self._filled(box, members), rows=box.rows)
        if weights.size:
            both = [_squeezed(self._filled(box, a.T), 1) for a in (x, weights)]
            group.parts.append(Part(both[0], both[1], rows=True))
        self._add_rest(group, box, nodes, summands)

    def _reordered(self, box: _Box, nodes: list[int], summands: Any) -> _Box:
        """The box of a product of matrices: rows and windows as everywhere, but last an axis of one factor alone."""
        if len(box.sizes) < 2:
            return box
        key = next(key for key in sorted(summands[nodes[0]]) if key[0] == "product")
        has = []
        for which in (0, 1):
            heads = self._filled(box, np.array([summands[i][key][which][0] for i in nodes], dtype=np.intp))
            has.append(np.array(_squeezed(heads).shape) > 1)
        both = has[0] & has[1]
        order = sorted(range(len(box.sizes)), key=lambda a: (box.rows[a] == self.samples_first, not has[0][a]))
        if self.samples_first and both[order[-1]] and not both.all():
            order = [a for a in order if both[a]] + [a for a in order if not both[a]]
        coordinates = np.unravel_index(box.flat, box.sizes)
        return _box([coordinates[a] for a in order], [box.rows[a] for a in order], len(box.flat))


def _without_ones(box: _Box) -> _Box:
    keep = [a for a, size in enumerate(box.sizes) if size > 1]
    return _Box(tuple(box.sizes[a] for a in keep), box.flat, tuple(box.rows[a] for a in keep))


def _blocks(row_of: Nodes, window_of: Nodes) -> list[Nodes]:
    """The nodes of each connected set of rows and windows."""
    above = list(range(int(row_of.max()) + 1))

    def find(v: int) -> int:
        while above[v] != v:
            above[v] = v = above[above[v]]
        return v

    met: dict[int, int] = {}
    for r, w in zip(row_of.tolist(), window_of.tolist(), strict=True):
        other = met.setdefault(w, r)
        if other != r:
            a, b = find(r), find(other)
            above[max(a, b)] = min(a, b)
    label = np.array([find(r) for r in row_of.tolist()])
    return [np.flatnonzero(label == k) for k in dict.fromkeys(label.tolist())]
