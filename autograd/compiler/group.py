"""Pass 3, group: nodes that do the same become one array operation.

Nodes of the same rank, operation and depth are one group. For linear nodes, the list of weights is a *row* and the list
of what they multiply is a *window*; rows that meet the same list of windows are one product of matrices,

    W[R, K] @ X[K, P·N]       R rows, windows of K entries, P windows, N samples

The two neurons of the trace's example are two rows [w1] and [w2] that meet the one window [x]: R=2, K=1, P=1. A dense
layer has P=1, a convolution has as many windows as positions, a step of a recurrent network is a product for the input
and one for the state; nobody says here which is which. What is left is a *slab*: an elementwise operation on G nodes.

A group's nodes get consecutive places in the order in which the group before lies, so that the operands of the next
group are slices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..ops import BUILT_IN, CONSTANT, SHEET
from .normalise import BATCHED, CONST, LINEAR, SHARED, Graph
from .trace import INPUT, PARAMETER

CONSTANTS, PARAMETERS, ARGUMENTS, FIRST_GROUP = range(4)  # owners of nodes

Nodes = NDArray[np.intp]  # node numbers; after layout the same arrays are looked up as places

SPLIT_FROM = 16  # nodes with other sources than their group's become a group of their own from this size on
MAX_PARTS = 6  # a sum with more sources than this is irregular, and is gathered in one piece


@dataclass
class Part:
    """One summand of a linear group: Σₖ w·x (``weights`` given) or c·Σₖ x."""

    x: Nodes  # [K, P] in a product of matrices, else [K, G]
    weights: Nodes | None = None  # [R, K] in a product of matrices, else [K, G]
    c: float = 1.0


Kind = tuple[str, float, int]  # "dot" (Σ w·x) or "sum" (c·Σ x); c; which array owns the x


class Factors(NamedTuple):
    """What is multiplied in the terms of one kind: as many weights as x in a "dot", none in a "sum"."""

    weights: list[int]
    x: list[int]


class Summand(NamedTuple):
    """A kind with the number of its terms. Linear nodes with the same summands are computed together."""

    kind: str
    c: float
    owner: int
    length: int


class Node(NamedTuple):
    """A linear node, and per summand its factors."""

    number: int
    factors: list[Factors]


@dataclass
class Group:
    """Nodes that are computed together.

    ``operands`` holds, per input, a number, or the nodes [G], or for an operation on a whole row of inputs [K, G].
    A linear group has ``parts`` and perhaps a ``bias`` instead; with ``rows`` R > 0 it is a product of matrices, and
    its nodes are R rows of P positions.
    """

    op: str
    rank: int
    nodes: list[int]
    operands: list[float | Nodes] = field(default_factory=list)
    row: bool = False
    parts: list[Part] = field(default_factory=list)
    bias: Nodes | None = None
    rows: int = 0
    positions: int = 1

    def reads(self) -> list[Nodes]:
        """The nodes that it is computed from."""
        found = [self.bias, *self.operands, *[nodes for part in self.parts for nodes in (part.x, part.weights)]]
        return [nodes for nodes in found if isinstance(nodes, np.ndarray)]


def group(graph: Graph) -> list[Group]:
    """All groups in the order in which they can be computed: shared ones first."""
    grouper = _Grouper(graph)
    n = len(graph.ops)
    for rank in (SHARED, BATCHED):
        levels: list[list[int]] = []
        level = [0] * n
        for i in graph.order:
            if graph.rank[i] == rank:
                depth = 0
                for x in _reads(graph, i):
                    if level[x] > depth:
                        depth = level[x]
                level[i] = depth + 1
                if depth == len(levels):
                    levels.append([])
                levels[depth].append(i)
        for nodes in levels:
            grouper.add_level(nodes, rank)
    return grouper.groups


def _reads(graph: Graph, i: int) -> list[int]:
    if graph.ops[i] != LINEAR:
        return list(graph.inputs[i])
    found = []
    for _, w, x in graph.terms[i]:
        found.append(x)
        if w is not None:
            found.append(w)
    if i in graph.bias:
        found.append(graph.bias[i])
    return found


class _Grouper:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.groups: list[Group] = []
        leaves = {INPUT: ARGUMENTS, PARAMETER: PARAMETERS, CONSTANT: CONSTANTS}
        self.owner = [leaves.get(op, FIRST_GROUP) for op in graph.ops]  # which array a node lies in
        self.place: dict[int, int] = {}  # where in it; a leaf where its number says
        self.constants: dict[float, int] = {}

    def add_level(self, nodes: list[int], rank: int) -> None:
        g = self.graph
        buckets: dict[Any, list[int]] = {}
        linear: list[int] = []
        for i in nodes:
            op = g.ops[i]
            if op == LINEAR:
                linear.append(i)
            else:
                operands = g.inputs[i]
                key: tuple[Any, ...] = (op, len(operands))
                if not _takes_row(op):
                    key = (op, *[g.numbers[x].hex() if g.rank[x] == CONST else g.rank[x] for x in operands])
                buckets.setdefault(key, []).append(i)
        for key, members in buckets.items():
            for some in self._by_source(members, lambda i: tuple(sorted({self.owner[x] for x in g.inputs[i]}))):
                self._add_slab(key[0], some, rank)
        if linear:
            self._add_linear(linear, rank)

    def _by_source(self, members: list[int], source: Callable[[int], Any]) -> list[list[int]]:
        """Split off what reads from arrays of its own, if that is worth an operation."""
        if len(members) < 2:
            return [members]
        split: dict[Any, list[int]] = {}
        for i in members:
            split.setdefault(source(i), []).append(i)
        if len(split) <= 2:
            return list(split.values())
        large = [m for m in split.values() if len(m) >= SPLIT_FROM]
        rest = [i for m in split.values() if len(m) < SPLIT_FROM for i in m]
        return large + ([sorted(rest)] if rest else [])

    def _close(self, group: Group) -> None:
        number = FIRST_GROUP + len(self.groups)
        for k, i in enumerate(group.nodes):
            self.owner[i], self.place[i] = number, k
        self.groups.append(group)

    def _sorted(self, members: list[int], reads: Callable[[int], Sequence[int]]) -> list[int]:
        """In the order of the operand that differs most from node to node, so that it becomes a slice."""
        if len(members) < 2:
            return members
        columns = list(zip(*[reads(i) for i in members], strict=True))
        if not columns:
            return members
        distinct = [len(set(c)) for c in columns]
        best = distinct.index(max(distinct))
        owner, place = self.owner, self.place

        def key(i: int) -> tuple[int, int]:
            x = reads(i)[best]
            return owner[x], place.get(x, x)

        return sorted(members, key=key)

    def _add_slab(self, op: str, members: list[int], rank: int) -> None:
        g = self.graph
        members = self._sorted(members, lambda i: g.inputs[i])
        group = Group(op, rank, members)
        if _takes_row(op):
            group.row = True
            group.operands = [np.array([g.inputs[i] for i in members], dtype=np.intp).T]
        else:
            for column in zip(*[g.inputs[i] for i in members], strict=True):
                if g.rank[column[0]] == CONST:
                    group.operands.append(g.numbers[column[0]])
                else:
                    group.operands.append(np.array(column, dtype=np.intp))
        self._close(group)

    # --- linear nodes

    def _constant(self, number: float) -> int:
        node = self.constants.get(number)
        if node is None:
            node = self.constants[number] = self.graph.add(CONSTANT, (), number, CONST, False)
            self.owner.append(CONSTANTS)
        return node

    def _summands_of(self, i: int) -> dict[Kind, Factors]:
        """A sum's terms by where they come from."""
        owner, terms = self.owner, self.graph.terms[i]
        result: dict[Kind, Factors] = {}
        main = next((owner[x] for _, w, x in terms if w is not None and owner[x] != CONSTANTS), CONSTANTS)
        for c, w, x in terms:
            source = owner[x] if owner[x] != CONSTANTS else main  # a number in a window: the padding of an image
            key = ("sum", c, source) if w is None else ("dot", 1.0, source)
            found = result.get(key)
            if found is None:
                found = result[key] = Factors([], [])
            if w is not None:
                found[0].append(w)
            found[1].append(x)
        return result if len(result) <= MAX_PARTS else self._merged(result)

    def _merged(self, summands: dict[Kind, Factors]) -> dict[Kind, Factors]:
        """An irregular sum: one product, and one sum for each of the few coefficients."""
        result: dict[Kind, Factors] = {}
        few = len({c for kind, c, _ in summands if kind == "sum"}) <= 3
        for (kind, c, _), (weights, x) in summands.items():
            if kind == "sum" and not few:
                kind, weights, c = "dot", [self._constant(c)] * len(x), 1.0
            found = result.setdefault((kind, c, 0), Factors([], []))
            found.weights.extend(weights)
            found.x.extend(x)
        return result

    def _add_linear(self, members: list[int], rank: int) -> None:
        g = self.graph
        buckets: dict[tuple[int | None, tuple[Summand, ...]], list[Node]] = {}
        for i in members:
            found = self._summands_of(i)
            bias = g.bias.get(i)
            keys = sorted(found)
            shape = tuple([Summand(*key, len(found[key].x)) for key in keys])
            signature = None if bias is None else g.rank[bias], shape
            buckets.setdefault(signature, []).append(Node(i, [found[key] for key in keys]))
        for (_, shape), nodes in buckets.items():
            dots = [k for k, summand in enumerate(shape) if summand.kind == "dot"]
            if any(shape[k].length > 1 for k in dots) or (dots and self._outer(nodes, dots)):
                nodes = self._add_products(nodes, shape, dots, rank)
            if nodes:
                self._add_sums(nodes, shape, rank)

    @staticmethod
    def _outer(nodes: list[Node], dots: list[int]) -> bool:
        """Whether weights of windows of one entry are each used on many windows, or the other way round."""
        rows = {tuple(factors[k].weights[0] for k in dots) for _, factors in nodes}
        windows = {tuple(factors[k].x[0] for k in dots) for _, factors in nodes}
        return len(rows) > 1 and len(rows) * len(windows) <= 2 * len(nodes)

    def _add_products(self, nodes: list[Node], shape: tuple[Summand, ...], dots: list[int], rank: int) -> list[Node]:
        """Products of matrices; returns the nodes that fit into none."""
        rows: dict[Any, list[tuple[int, Node]]] = {}
        window_numbers: dict[Any, int] = {}
        for node in nodes:
            row = (self.graph.bias.get(node.number), *[tuple(node.factors[k].weights) for k in dots])
            window = tuple([tuple(node.factors[k].x) for k in dots])
            number = window_numbers.setdefault(window, len(window_numbers))
            rows.setdefault(row, []).append((number, node))
        blocks: dict[tuple[int, ...], list[list[Node]]] = {}
        for members in rows.values():
            members.sort(key=lambda m: m[0])
            blocks.setdefault(tuple(number for number, _ in members), []).append([node for _, node in members])
        thin = [b for b in blocks.values() if len(b) == 1]
        slabs: list[Node] = []
        for block in blocks.values():
            if len(block) == 1 and len(thin) > 4:  # many single rows: one slab is better than many small products
                slabs += block[0]
            else:
                self._add_product(block, shape, rank)
        return slabs

    def _add_product(self, block: list[list[Node]], shape: tuple[Summand, ...], rank: int) -> None:
        nodes = [node for row in block for node in row]
        out = Group(LINEAR, rank, [node.number for node in nodes], rows=len(block), positions=len(block[0]))
        for k, summand in enumerate(shape):
            if summand.kind == "dot":
                weights = np.array([row[0].factors[k].weights for row in block], dtype=np.intp)
                x = np.array([node.factors[k].x for node in block[0]], dtype=np.intp).T
                out.parts.append(Part(x, weights))
            else:
                out.parts.append(Part(np.array([node.factors[k].x for node in nodes], dtype=np.intp).T, c=summand.c))
        if nodes[0].number in self.graph.bias:
            out.bias = np.array([self.graph.bias[row[0].number] for row in block], dtype=np.intp)
        self._close(out)

    def _add_sums(self, nodes: list[Node], shape: tuple[Summand, ...], rank: int) -> None:
        factors_of = dict(nodes)
        first = {i: [factors.x[0] for factors in found if factors.x] for i, found in nodes}
        members = self._sorted([*factors_of], lambda i: first[i])
        out = Group(LINEAR, rank, members)
        for k, summand in enumerate(shape):
            x = np.array([factors_of[i][k].x for i in members], dtype=np.intp).T
            dot = summand.kind == "dot"
            weights = np.array([factors_of[i][k].weights for i in members], dtype=np.intp).T if dot else None
            out.parts.append(Part(x, weights, summand.c))
        if members[0] in self.graph.bias:
            out.bias = np.array([self.graph.bias[i] for i in members], dtype=np.intp)
        self._close(out)


def _takes_row(op: str) -> bool:
    return SHEET[op].arity is None and op in BUILT_IN
