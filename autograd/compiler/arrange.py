"""Pass 4, arrange: every class becomes a box of nodes with axes, in which operands lie in step.

The nodes of a class are told apart by where their operands lie: the linear nodes of a dense layer by the *row* of
weights and the *window* of inputs that they multiply, W[r, k]·x[k, p], all others by the coordinates of what they
read. From these columns of numbers axes are found (`axes_of`), the one with the fewest values first; what an axis
already says is taken off the others. A score of causal attention, Σ q·k, reads row 4h of q at window t, and row 4h of
k at window s: so its class is a box [h, t, s]. Half of that box is empty, because no token asks for a later one. It
is *padded*: -1 stands where there is no node, and whoever sums over it leaves these places out.

The two neurons, h = [tanh(w1*x + b1), tanh(w2*x + b2)], are two boxes [2]: of linear nodes, with one part whose
weights are [1, 2] and whose window is [1, 1], and of tanh. A recurrent network over three time steps is a box [3,
rows].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..ops import CONSTANT
from .boxes import LEAST_FULL, Box, Columns, Nodes, axes_of, blocks_of, box_of, squeezed, without_ones
from .classes import Class, Loop, Unrollable, row_and_window, takes_row
from .groups import Arrangement, Group, Part
from .index import TAKE
from .normalise import BATCHED, CONST, LINEAR, Graph
from .trace import Trace
from .turns import TYPICAL, put_in_step

CONSTANTS, PARAMETERS, ARGUMENTS = range(3)  # owners of nodes; the arguments have a number each, the groups follow
MAX_PARTS = 6  # a sum with more sources than this is irregular, and is gathered in one piece
MOST_CLASSES = 1000  # of more, nobody asks who reads them
NARROW = 16  # as many rows, or terms, do not make a product of matrices wide
FEW_COEFFICIENTS = 3  # a sum with more different coefficients is a product with a list of constants
_Block = tuple[Nodes, Nodes, Nodes, Nodes, Nodes]  # nodes, the row and window of each, all rows [R, K], all windows


def arrange(trace: Trace, graph: Graph, classes: Sequence[Class]) -> Arrangement:
    loops = dict.fromkeys(one.loop for one in classes if one.loop is not None)
    for loop in loops:
        put_in_step(graph, loop.classes)
    products = _Products(graph)
    samples_first = any(map(products.is_matrix, classes)) or any(map(products.are_most_of, loops))
    arranger = _Arranger(trace, graph, samples_first)
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
    found: dict[int, set[tuple[int, int, int]]] = {}
    windows: set[tuple[int, tuple[int, ...]]] = set()
    told = [(i, k, *_operands(graph, of, windows, i, k)) for i, k in of.items()]
    for _ in range(2):
        found = {}
        for i, k, operands, window in told:
            own = code.get(i, 0)
            for x, which in operands:
                found.setdefault(x, set()).add((k, which, own))
            for x in window:
                found.setdefault(x, set()).add((k, 0, 0))
        names: dict[frozenset[tuple[int, int, int]], int] = {}
        code = {x: names.setdefault(frozenset(who), len(names) + 1) for x, who in found.items()}
    return code


def _operands(
    graph: Graph, of: dict[int, int], windows: set[tuple[int, tuple[int, ...]]], i: int, k: int
) -> tuple[list[tuple[int, int]], tuple[int, ...]]:
    """The nodes that node i of class k reads, each with a number for the place where it stands; apart from them its
    window, if it is the first of its class to read it."""
    if graph.ops[i] != LINEAR:
        operands = graph.inputs[i]
        return [(x, slot if len(operands) == 2 else 0) for slot, x in enumerate(operands)], ()
    rank, terms = graph.rank, graph.terms[i]
    window = tuple([x for _, w, x in terms if w is not None and rank[w] < rank[x]])
    read = []
    if len(window) < len(terms):
        for _, w, x in terms:
            if w is None or rank[w] >= rank[x]:
                read += [(x, 2)] if w is None else [(w, 3 + of.get(x, -1)), (x, 2)]
    if (k, window) in windows:
        return read, ()
    windows.add((k, window))
    return read, window


class _Products:
    """Finds products of matrices for which samples come first in memory: those of two that depend on the sample, and
    those of loops that do little else, in which samples and turns are one axis on the way back. All else is faster
    with samples last."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def are_most_of(self, loop: Loop) -> bool:
        """Whether at least half of what a turn computes are products of wide matrices."""
        turns = [one.turns[TYPICAL] for one in loop.classes]
        wide = [t for t in turns if self.graph.ops[t[0]] == LINEAR and len(t) > NARROW < len(self.graph.terms[t[0]])]
        return 2 * sum(map(len, wide)) >= sum(map(len, turns))

    def is_matrix(self, one: Class) -> bool:
        graph, nodes = self.graph, one.nodes if one.loop is None else one.turns[TYPICAL]
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

    def _spread(self, box: Box) -> Box:
        """The box of a typical turn as that of all turns."""
        if self.one.loop is None:
            return box
        count, size = len(self.one.turns), int(np.prod(box.sizes))
        flat = (np.arange(count)[:, None] * size + box.flat).reshape(-1)
        return Box((count, *box.sizes), flat, (False, *box.rows))

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

    def _columns(self, columns: Columns, nodes: Nodes) -> None:
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
        columns = Columns()
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
            constant = [  # one number for all, in a loop in every turn
                graph.rank[column[0]] == CONST and len({graph.numbers[x].hex() for x in column}) == 1
                for column in table.T
            ]
            for k in range(table.shape[1]):
                if not constant[k]:
                    self._columns(columns, table[typical, k])
        count = len(members[typical])
        box = self._one_axis(members) if one.irregular else self._spread(axes_of(columns, count))
        group = Group(op, graph.rank[nodes[0]], self._filled(box, members), rows=box.rows, row=takes_row(op))
        if takes_row(op):
            rows = self._filled(box, padded.T)
            small = squeezed(rows, 1)
            ragged = ((np.broadcast_to(small, rows.shape) < 0) != (rows < 0)) & (group.nodes >= 0)
            group.operands = [rows if ragged.any() else small]
            if op == TAKE:
                group.index = squeezed(self._filled(box, index))
        else:
            for k in range(table.shape[1]):
                if constant[k]:
                    group.operands.append(graph.numbers[table[typical][0, k]])
                else:
                    group.operands.append(squeezed(self._filled(box, table[:, k])))
        self._close(group)

    @staticmethod
    def _one_axis(members: Nodes) -> Box:
        return Box((len(members),), np.arange(len(members)), (False,))

    @staticmethod
    def _filled(box: Box, values: Nodes) -> Nodes:
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
        rank = graph.rank
        has_row = rank[one.nodes[0]] == BATCHED
        for i in self._members:
            row, window, rest = row_and_window(graph.terms[i], rank) if has_row else ((), (), graph.terms[i])
            summands[i] = found = self._summands(rest, one.irregular)
            dots[i] = row, window
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

    @staticmethod
    def _families(nodes: list[int], dots: Any) -> tuple[Nodes, Nodes, Nodes, Nodes]:
        """The rows and the windows of nodes, each once, and which of them each node has."""
        rows: dict[Any, int] = {}
        windows: dict[Any, int] = {}
        row_of = [rows.setdefault(dots[i][0], len(rows)) for i in nodes]
        window_of = [windows.setdefault(dots[i][1], len(windows)) for i in nodes]
        rows_, windows_, *of = (np.array(x, dtype=np.intp) for x in ([*rows], [*windows], row_of, window_of))
        return rows_, windows_, of[0], of[1]

    def _take_families(self, nodes: list[int], dots: Any, summands: Any, irregular: bool) -> list[int]:
        """Rows of weights that all meet the same windows; gives back the nodes that are in no such block."""
        if irregular:
            return nodes
        rows, windows, row_of, window_of = self._families(nodes, dots)
        members = np.array(nodes, dtype=np.intp)
        if len(np.unique(row_of * len(windows) + window_of)) < len(nodes):  # one is there twice
            return nodes
        if len(rows) * len(windows) == len(nodes):
            if len(rows) == 1 < len(windows):
                return nodes
            self._take_block(members, row_of, window_of, rows, windows, summands)
            return []
        left: list[int] = []
        blocks: dict[tuple[int, int], list[_Block]] = {}
        for block in blocks_of(row_of, window_of):
            r, at_r = np.unique(row_of[block], return_inverse=True)
            p, at_p = np.unique(window_of[block], return_inverse=True)
            if len(r) * len(p) == len(block) and len(r) > 1 and (len(p) > 1 or rows.shape[1] > 1):
                found = members[block], at_r.reshape(-1), at_p.reshape(-1), rows[r], windows[p]
                blocks.setdefault((len(r), len(p)), []).append(found)
            else:
                left += members[block].tolist()
        for same in blocks.values():
            if len(same) > 1:
                self._take_blocks(same, summands)
            else:
                self._take_block(*same[0], summands)
        return left

    def _take_block(
        self, members: Nodes, row_of: Nodes, window_of: Nodes, rows: Nodes, windows: Nodes, summands: Any
    ) -> None:
        """R rows that meet P windows: a product of matrices [R, K] and [K, P]."""
        rank = self._by_service(members, row_of, len(rows))
        places = self._windows(windows)
        box, sizes = self._block(rank[row_of], window_of, places, len(rows))
        weights, x = self._along(rows[np.argsort(rank)].T, windows.T, places)
        self._add_block(box, sizes, members, weights, x, summands)

    def _block(self, row_of: Nodes, window_of: Nodes, places: Box, height: int) -> tuple[Box, tuple[int, ...]]:
        """The box of rows and windows, which have axes of their own, and its sizes with those of size 1."""
        coordinates, sizes = [*np.unravel_index(places.flat[window_of], places.sizes)], [*places.sizes]
        is_row = [False] * len(sizes)
        at = len(sizes) if self.samples_first else 0
        coordinates.insert(at, row_of)
        sizes.insert(at, height)
        is_row.insert(at, True)
        box = Box(tuple(sizes), np.ravel_multi_index(coordinates, sizes), tuple(is_row))
        return without_ones(box), tuple(sizes)

    def _along(self, weights: Nodes, x: Nodes, places: Box) -> tuple[Nodes, Nodes]:
        """Weights [k, ..., rows] and windows [k, ..., windows] along the axes of their block."""
        *lead, height = weights.shape
        ordered = np.empty_like(x)
        ordered[..., places.flat] = x
        ones = (1,) * len(places.sizes)
        if self.samples_first:
            return weights.reshape(*lead, *ones, height), ordered.reshape(*lead, *places.sizes, 1)
        return weights.reshape(*lead, height, *ones), ordered.reshape(*lead, 1, *places.sizes)

    def _by_service(self, members: Nodes, row_of: Nodes, count: int) -> Nodes:
        """The new place of each row: those that are read by the same classes come together."""
        _, first = np.unique(row_of, return_index=True)
        kinds: dict[Any, int] = {}
        kind = [kinds.setdefault(self.served.get(i), len(kinds)) for i in members[first].tolist()]
        rank = np.empty(count, dtype=np.intp)
        rank[np.argsort(kind, kind="stable")] = np.arange(count)
        return rank

    def _windows(self, x: Nodes) -> Box:
        """Axes for windows [P, K]."""
        if len(x) == 1:
            return Box((1,), np.zeros(1, dtype=np.intp), (False,))
        columns = Columns()
        owner = self.owner[x]
        known = [k for k in range(x.shape[1]) if (owner[:, k] == owner[0, k]).all() and owner[0, k] != CONSTANTS]
        for o in dict.fromkeys(owner[0, known].tolist()):
            self._columns(columns, x[:, [k for k in known if owner[0, k] == o]])
        box = axes_of(columns, len(x))
        return box if box.is_full else Box((len(x),), np.arange(len(x)), (False,))

    def _take_turns(self, nodes: list[int], dots: Any, summands: Any) -> bool:
        """The rows and windows of a loop's turns, if in each of them all rows meet all windows."""
        count, height = len(self.one.turns), len(self.one.turns[0])
        typical = nodes[self._typical]
        rows, windows, row_of, window_of = self._families(typical, dots)
        pairs = row_of * len(windows) + window_of
        if len(rows) * len(windows) != len(typical) or len(np.unique(pairs)) < len(typical) or len(rows) == 1:
            return False
        every = []  # [k, turns, rows] and [k, turns, windows]
        for which, of in ((0, row_of), (1, window_of)):
            found = np.array([dots[i][which] for i in nodes], dtype=np.intp).reshape(count, height, -1)
            first = np.unique(of, return_index=True)[1]
            if (found[:, first][:, of] != found).any():
                return False
            every.append(found[:, first].transpose(2, 0, 1))
        rank = self._by_service(np.array(typical), row_of, len(rows))
        places = self._windows(windows)
        box, sizes = self._block(rank[row_of], window_of, places, len(rows))
        both = self._along(every[0][:, :, np.argsort(rank)], every[1], places)
        weights, x = (squeezed(a, 1) for a in both)
        members = np.array(nodes, dtype=np.intp)
        self._add_block(self._spread(box), (count, *sizes), members, weights, x, summands)
        return True

    def _take_blocks(self, blocks: Sequence[_Block], summands: Any) -> None:
        """Blocks [R, P] with rows and windows of their own: one axis more."""
        members, at_r, at_p = (np.concatenate([block[k] for block in blocks]) for k in range(3))
        w, x = (np.stack([block[k] for block in blocks]) for k in (3, 4))  # [b, R, K] and [b, P, K]
        (b, height, _), width = w.shape, x.shape[1]
        at_b = np.repeat(np.arange(b), height * width)
        if self.samples_first:
            sizes, coordinates, is_row = (width, b, height), (at_p, at_b, at_r), (False, True, True)
            weights, windows = w.transpose(2, 0, 1)[:, None], x.transpose(2, 1, 0)[..., None]
        else:
            sizes, coordinates, is_row = (b, height, width), (at_b, at_r, at_p), (True, True, False)
            weights, windows = w.transpose(2, 0, 1)[..., None], x.transpose(2, 0, 1)[:, :, None]
        box = without_ones(Box(sizes, np.ravel_multi_index(coordinates, sizes), is_row))
        self._add_block(box, sizes, members, weights, windows, summands)

    def _add_block(
        self, box: Box, sizes: tuple[int, ...], members: Nodes, weights: Nodes, x: Nodes, summands: Any
    ) -> None:
        """``weights`` and ``x`` have axis k and the axes ``sizes``; those of size 1 are dropped."""
        graph = self.graph
        drop = tuple(a + 1 for a, size in enumerate(sizes) if size == 1)  # (a loop has more than one turn)
        weights, x = (np.squeeze(a, drop) for a in (weights, x))
        group = Group(LINEAR, graph.rank[members[0]], self._filled(box, members), rows=box.rows)
        self._add_parts(group, weights, x)
        self._add_rest(group, box, members.tolist(), summands)

    def _add_parts(self, group: Group, weights: Nodes, x: Nodes) -> None:
        """The products of rows with windows, a part for each array that the windows come from."""
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

    def _add_rest(self, group: Group, box: Box, nodes: list[int], summands: Any) -> None:
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
                mask = squeezed(three, 1) > 0
            arrays = [squeezed(a, 1) for a in arrays]
            group.parts.append(Part(arrays[0], arrays[1] if len(arrays) > 1 else None, c, mask))
        if nodes[0] in graph.bias:
            group.bias = squeezed(self._filled(box, np.array([graph.bias[i] for i in nodes], dtype=np.intp)))
        self._close(group)

    def _take_sums(self, nodes: list[int], dots: Any, summands: Any, irregular: bool) -> None:
        """Linear nodes without rows and windows."""
        graph = self.graph
        members = np.array(nodes, dtype=np.intp)
        weights = np.array([dots[i][0] for i in nodes], dtype=np.intp)
        x = np.array([dots[i][1] for i in nodes], dtype=np.intp)
        typical = self._typical
        some = nodes[typical]
        columns = Columns()
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
        box = self._one_axis(members) if irregular else axes_of(columns, len(some))
        if len(some) == 1:
            box = Box((), np.zeros(1, dtype=np.intp), ())
        if matrix:
            box = self._reordered(box, some, summands)
        box = box if irregular else self._spread(box)
        group = Group(LINEAR, graph.rank[nodes[0]], self._filled(box, members), rows=box.rows)
        if weights.size:
            both = [squeezed(self._filled(box, a.T), 1) for a in (weights, x)]
            if self.one.loop is None:
                group.parts.append(Part(both[1], both[0], rows=True))
            else:  # of which one may be of the turn before
                self._add_parts(group, *both)
        self._add_rest(group, box, nodes, summands)

    def _reordered(self, box: Box, nodes: list[int], summands: Any) -> Box:
        """The box of a product of matrices: rows and windows as everywhere, but last an axis of one factor alone."""
        if len(box.sizes) < 2:
            return box
        key = next(key for key in sorted(summands[nodes[0]]) if key[0] == "product")
        has = []
        for which in (0, 1):
            heads = self._filled(box, np.array([summands[i][key][which][0] for i in nodes], dtype=np.intp))
            has.append(np.array(squeezed(heads).shape) > 1)
        both = has[0] & has[1]
        order = sorted(range(len(box.sizes)), key=lambda a: (box.rows[a] == self.samples_first, not has[0][a]))
        if self.samples_first and both[order[-1]] and not both.all():
            order = [a for a in order if both[a]] + [a for a in order if not both[a]]
        coordinates = np.unravel_index(box.flat, box.sizes)
        return box_of([coordinates[a] for a in order], [box.rows[a] for a in order], len(box.flat))
