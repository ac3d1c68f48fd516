"""Pass 3, classes: which nodes do the same, which of them take turns, and in what order that can be computed.

**Colours**, operands first. A leaf's colour is what it is: a parameter, an entry of the first argument. Any other node's
colour is its operation and the colours of its operands; of a sum, the *set* of its operands' colours, so that rows of
different lengths agree. Nodes of one colour are a class, and become one array. Nothing here knows what a layer is: the
two neurons of the trace's example are a class of two linear nodes, and one of two tanh, since both neurons look alike.

**Loops**. By colours alone a recurrence h = tanh(w·h + u·x) over three time steps would be three classes of tanh, each of
a colour that holds all that came before. But its linear nodes are *rows* of the same weights that meet one *window* of
operands after the other. So all nodes of a row are taken as one vertex, and rows that meet the same window, too: if the
graph has a cycle then (`_cycles`), what is on it takes turns. A node's turn is the longest way to it, counted in nodes of
one such family; inside of the loop, constants and earlier turns are all one colour, a blank, and the three time steps
are one class of linear nodes and one of tanh, each with three turns.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..ops import BUILT_IN, CONSTANT, SHEET
from .normalise import BATCHED, CONST, LINEAR, SHARED, Graph
from .trace import INPUT, PARAMETER

BLANK = -1  # the colour of constants and of earlier turns, inside of a loop
LEAST_TURNS = 3  # a loop of fewer is written out
FEW = 2  # classes of so few nodes are thrown together with others of their kind, if there are many of them
MANY_FEW = 3


@dataclass(eq=False)
class Class:
    """Nodes that are computed together; with ``loop``, ``turns`` lists them turn by turn."""

    nodes: list[int]
    loop: Loop | None = None
    turns: list[list[int]] = field(default_factory=list)
    irregular: bool = False  # of one operation and depth, but with different operands


@dataclass(eq=False)
class Loop:
    """What takes turns: its classes in the order in which each turn computes them."""

    number: int
    count: int
    classes: list[Class] = field(default_factory=list)


def takes_row(op: str) -> bool:
    """Whether a rule takes any number of inputs, and folds them."""
    return SHEET[op].arity is None and op in BUILT_IN


def find_classes(graph: Graph) -> list[Class]:
    """All classes in the order in which they can be computed, shared ones first; those of a loop stand together."""
    painter = _Painter(graph)
    turns = find_turns(graph)
    if turns:
        painter.paint(turns)
        turns = painter.settled(turns)
    colours = painter.paint(turns)
    return _ordered(graph, painter, colours, turns)


# --- loops

Turns = dict[int, tuple[int, int]]  # node -> (number of its loop, turn from 0)


def reads(graph: Graph, i: int) -> list[int]:
    """The nodes that node i is computed from."""
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


def find_turns(graph: Graph) -> Turns:
    """The nodes on cycles, after the nodes of a family of rows were taken as one vertex."""
    rank, vertex, edges = graph.rank, _Vertices(), defaultdict(set)
    of: dict[int, int] = {}
    rows: dict[Any, int] = {}
    windows: dict[Any, int] = {}
    repeated = False
    for i in graph.order:
        if rank[i] != BATCHED:
            continue
        if graph.ops[i] == LINEAR:
            dots = [(w, x) for _, w, x in graph.terms[i] if w is not None and rank[w] == SHARED]
            if dots:
                row, window = zip(*dots, strict=True)
                v = rows.get(row)
                if v is None:
                    v = rows[row] = vertex.new()
                else:
                    repeated = True
                u = windows.get(window)
                if u is None:
                    windows[window] = v
                    edges[v].update(window)
                else:
                    vertex.join(u, v)
                of[i] = v
                edges[v].update([y for _, w, x in graph.terms[i] if w is None or rank[w] != SHARED for y in (w, x) if y is not None])
                continue
        v = of[i] = vertex.new()
        edges[v].update(reads(graph, i))
    if not repeated:
        return {}
    joined: dict[int, set[int]] = defaultdict(set)
    for v, xs in edges.items():
        joined[vertex.find(v)].update([vertex.find(of[x]) for x in xs if x in of])
    found: Turns = {}
    cycle_of = {v: k for k, cycle in enumerate(_cycles(joined)) for v in cycle}
    families = {vertex.find(v) for v in rows.values()}
    first: dict[int, int] = {}
    for i in graph.order:
        v = vertex.find(of[i]) if i in of else -1
        k = cycle_of.get(v)
        if k is not None:
            if v in families:
                first.setdefault(k, v)
            last = max([found[x][1] for x in reads(graph, i) if x in found and found[x][0] == k], default=-1)
            found[i] = k, last + (first.get(k) == v)
    return found


class _Vertices:
    """Disjoint sets (Galler and Fischer, 1964)."""

    def __init__(self) -> None:
        self.above: list[int] = []

    def new(self) -> int:
        self.above.append(len(self.above))
        return len(self.above) - 1

    def find(self, v: int) -> int:
        above = self.above
        while above[v] != v:
            above[v] = v = above[above[v]]
        return v

    def join(self, a: int, b: int) -> None:
        a, b = self.find(a), self.find(b)
        self.above[max(a, b)] = min(a, b)


def _cycles(edges: dict[int, set[int]]) -> list[list[int]]:
    """The strongly connected components that have a cycle (Tarjan, 1972), without recursion."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    found: list[list[int]] = []
    for root in edges:
        if root in index:
            continue
        path = [(root, iter(edges[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while path:
            v, rest = path[-1]
            for w in rest:
                if w not in index:
                    index[w] = low[w] = len(index)
                    stack.append(w)
                    on_stack.add(w)
                    path.append((w, iter(edges.get(w, ()))))
                    break
                if w in on_stack:
                    low[v] = min(low[v], index[w])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[v])
                if low[v] == index[v]:
                    component = stack[stack.index(v) :] if stack[-1] != v else [v]
                    del stack[len(stack) - len(component) :]
                    on_stack.difference_update(component)
                    if len(component) > 1 or v in edges.get(v, ()):
                        found.append(component)
    return found


# --- colours


class _Painter:
    """Gives every node its colour. ``below[c]`` are the colours that colour c is computed from."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.names: dict[Any, int] = {}
        self.below: list[set[int]] = []
        self.entries: dict[int, set[int]] = defaultdict(set)  # loop -> colours that only its first turn reads
        self.leaves = [BLANK] * len(graph.ops)
        for i, op in enumerate(graph.ops):
            if op == INPUT:
                self.leaves[i] = self.name(INPUT, ())
            elif op == PARAMETER:
                self.leaves[i] = self.name(PARAMETER, ())

    def name(self, key: Any, below: Iterable[int]) -> int:
        found = self.names.get(key)
        if found is None:
            found = self.names[key] = len(self.below)
            self.below.append({c for c in below if c != BLANK})
        return found

    def paint(self, turns: Turns) -> list[int]:
        graph, colours = self.graph, list(self.leaves)
        self.turns = turns
        ops, rank, numbers = graph.ops, graph.rank, graph.numbers
        for i in graph.order:
            loop = turns.get(i)
            seen = colours if loop is None else _Seen(colours, turns, loop, self.entries[loop[0]])
            where = None if loop is None else loop[0]
            op = ops[i]
            if op == LINEAR:
                key, below = self._linear(i, seen)
            else:
                operands = graph.inputs[i]
                if op == "logsumexp":
                    below = {seen[x] for x in operands}
                    key = (op, frozenset(below))
                elif len(operands) > 3:
                    below = {seen[x] for x in operands}
                    key = (op, len(operands), frozenset(below))
                else:
                    row = takes_row(op)
                    below = [seen[x] for x in operands]
                    key = (op, *[(numbers[x].hex() if not row else c) if rank[x] == CONST else c for x, c in zip(operands, below, strict=True)])
                key = (rank[i], *key)
            colours[i] = self.name((where, key), below)
        return colours

    def _linear(self, i: int, seen: Any) -> tuple[Any, set[int]]:
        graph = self.graph
        rank, terms = graph.rank, graph.terms[i]
        count, windows, products, sums = 0, set(), set(), set()
        shared = rank[i] == BATCHED
        for c, w, x in terms:
            if w is None:
                sums.add((c, seen[x]))
            elif shared and rank[w] == SHARED:
                count += 1
                windows.add((seen[w], seen[x]) if rank[x] != CONST else (seen[w], BLANK))
            else:
                a, b = seen[w], seen[x]
                products.add((c, a, b) if a <= b else (c, b, a))
        if count:
            known = {pair for pair in windows if pair[1] != BLANK}
            windows = known or windows
        bias = graph.bias.get(i)
        below = {c for pair in windows for c in pair} | {c for _, a, b in products for c in (a, b)} | {c for _, c in sums}
        bias_colour = None if bias is None else seen[bias]
        if bias is not None:
            below.add(seen[bias])
        return (rank[i], LINEAR, count, frozenset(windows), frozenset(products), frozenset(sums), bias_colour), below

    def settled(self, turns: Turns) -> Turns:
        """The turns that every turn of a loop agrees with; a loop of which too few are left is none."""
        return {}


class _Seen:
    """What a node in a loop sees of its operands: a blank for constants, earlier turns, and where the loop enters."""

    def __init__(self, colours: list[int], turns: Turns, own: tuple[int, int], entries: set[int]) -> None:
        self.colours, self.turns, self.own, self.entries = colours, turns, own, entries

    def __getitem__(self, x: int) -> int:
        other = self.turns.get(x)
        if other is not None and other[0] == self.own[0]:
            return self.colours[x] if other[1] == self.own[1] else BLANK
        found = self.colours[x]
        return BLANK if self.own[1] == 0 and found in self.entries else found


# --- order


def _ordered(graph: Graph, painter: _Painter, colours: list[int], turns: Turns) -> list[Class]:
    members: dict[int, list[int]] = {}
    for i in graph.order:
        members.setdefault(colours[i], []).append(i)
    depth: dict[int, int] = {}
    for c in members:  # in the order of first nodes, so operands' colours come first
        depth[c] = 1 + max([depth.get(b, 0) for b in painter.below[c]], default=0)
    found: list[Class] = []
    by_level: dict[tuple[int, int], list[int]] = {}
    for c, nodes in members.items():
        by_level.setdefault((graph.rank[nodes[0]], depth[c]), []).append(c)
    for level in sorted(by_level):
        few: dict[Any, list[int]] = {}
        for c in by_level[level]:
            if len(members[c]) <= FEW:
                few.setdefault(_kind(graph, members[c][0]), []).append(c)
        thrown = {c: kind for kind, cs in few.items() if len(cs) > MANY_FEW for c in cs}
        together: dict[Any, Class] = {}
        for c in by_level[level]:
            if c not in thrown:
                found.append(Class(members[c]))
            elif thrown[c] in together:
                together[thrown[c]].nodes += members[c]
            else:
                together[thrown[c]] = Class(members[c], irregular=True)
                found.append(together[thrown[c]])
    return found


def _kind(graph: Graph, i: int) -> Any:
    """What nodes must have in common to be computed together at all."""
    op = graph.ops[i]
    if op != LINEAR:
        operands = graph.inputs[i]
        if takes_row(op):
            return op, len(operands)
        return op, *[graph.numbers[x].hex() if graph.rank[x] == CONST else graph.rank[x] for x in operands]
    return LINEAR
