"""Pass 3, classes: which nodes do the same, which of them take turns, and in what order that can be computed.

**Colours**, operands first. A leaf's colour is what it is: a parameter, an entry of the first argument. Any other
node's colour is its operation and the colours of its operands; of a sum, the *set* of its operands' colours, so that
rows of different lengths agree. Nodes of one colour are a class, and become one array. Nothing here knows what a
layer is: the two neurons of the trace's example are a class of two linear nodes, and one of two tanh, since both
neurons look alike.

**Loops**. By colours alone a recurrence h = tanh(w·h + u·x) over three time steps would be three classes of tanh,
each of a colour that holds all that came before. But its linear nodes are *rows* of the same weights that meet one
*window* of operands after the other. So all nodes of a row are taken as one vertex, and rows that meet the same
window, too: if the graph has a cycle then (`_cycles`), what is on it takes turns. A node's turn is the longest way to
it, counted in nodes of one such family; inside of the loop, constants and earlier turns are all one colour, a blank,
and the three time steps are one class of linear nodes and one of tanh, each with three turns.

If a turn reads what was made further back than in the one before, as many are taken as one (`_within_reach`). The first
turns may do something else, and so may the last: these are written out. And where no row is met again, classes that
come again in the same order are turns, too (`find_blocks`): the blocks of a transformer, the steps of a method of Runge
and Kutta.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..ops import BUILT_IN, SHEET
from .index import TAKE
from .normalise import BATCHED, CONST, LINEAR, SHARED, Graph, Term
from .trace import INPUT, PARAMETER

BLANK = -1  # the colour of constants and of earlier turns, inside of a loop
LEAST_TURNS = 3  # a loop of fewer is written out
FEW = 2  # classes of so few nodes are thrown together with others of their kind, if there are many of them
MANY_FEW = 3
MANY_NODES = 300  # a graph of so many, with fewer members to a class on average, is not arranged before it has to be
LEAST_MEMBERS = 4
FARTHEST = 4  # turns back that a loop may read; one that reads further is written out
LEAST_BLOCKS = 2  # blocks of a network that are not written out one by one
LEAST_SAVED = 12  # classes, without which a loop over blocks is not worth its lines
MOST_BLOCKS = 2000  # of more classes, nobody asks which come again
LONGEST_BLOCK = 400  # classes of a block, at most
LIKELY, NEXT_FEW = 12, 4  # see `_likely_periods`


@dataclass(eq=False)
class Class:
    """Nodes that are computed together; with ``loop``, ``turns`` lists them turn by turn. ``initial`` are those
    places of a turn in which the first turn finds something from outside: what that is, and the node that stands for
    it."""

    nodes: list[int]
    loop: Loop | None = None
    turns: list[list[int]] = field(default_factory=list)
    initial: dict[int, tuple[int, int]] = field(default_factory=dict)
    irregular: bool = False  # of one operation and depth, but with different operands


@dataclass(eq=False)
class Loop:
    """What takes turns: its classes in the order in which each turn computes them."""

    number: int
    count: int
    classes: list[Class] = field(default_factory=list)


def takes_row(op: str) -> bool:
    """Whether a rule takes any number of inputs, and folds them."""
    return op == TAKE or (SHEET[op].arity is None and op in BUILT_IN)


class Unrollable(Exception):
    """What looked like a loop is none that can be written as one."""


@dataclass(eq=False)
class Colouring:
    """What colours and turns the nodes have; `classes` puts them in order."""

    graph: Graph
    painter: _Painter
    colours: list[int]
    turns: Turns

    @property
    def count(self) -> int:
        """How many colours there are."""
        return len({self.colours[i] for i in self.graph.order})

    @property
    def is_irregular(self) -> bool:
        """Whether so little repeats that arrays are the wrong food for it."""
        nodes = len(self.graph.order)
        return nodes > MANY_NODES and self.count * LEAST_MEMBERS > nodes

    def classes(self) -> list[Class]:
        """All classes in the order in which they can be computed, shared ones first; those of a loop stand together.

        Raises:
            Unrollable: if the loops that were found are none; without them everything is written out.
        """
        return _ordered(self.graph, self.painter, self.colours, self.turns)


def find_colours(graph: Graph, loops: bool = True) -> Colouring:
    """The colours of all nodes, and with ``loops`` the turns of those that take turns."""
    families = Families(graph)
    painter = _Painter(graph, families)
    turns = find_turns(graph, families) if loops else {}
    if turns:
        turns = painter.settled(turns, LEAST_TURNS)
    found = Colouring(graph, painter, painter.paint(turns), turns)
    if loops and not turns:
        turns = find_blocks(found)
        if turns:
            turns = painter.settled(turns, LEAST_BLOCKS)
            found = Colouring(graph, painter, painter.paint(turns), turns)
    return found


def find_blocks(found: Colouring) -> Turns:
    """Classes that come again in the same order, such as the blocks of a transformer: each block is a turn.

    The classes are laid out by depth, each with its operation and its number of nodes, and what follows itself is
    searched for (a tandem repeat), the one that saves most first. Where nearly every node is a class of its own, they
    stay as they were written, and turns must also read each other alike: operations alone come again by chance.
    """
    graph, colours, irregular = found.graph, found.colours, found.is_irregular
    members: dict[int, list[int]] = {}
    for i in graph.order:
        if graph.rank[i] == BATCHED:
            members.setdefault(colours[i], []).append(i)
    line = list(members)
    if not irregular:
        if len(line) > MOST_BLOCKS:
            return {}
        depth = _depths(members, found.painter, {})
        line.sort(key=lambda c: (depth[c], members[c][0]))
    numbers: dict[tuple[str, int], int] = {}
    words = [numbers.setdefault((graph.ops[members[c][0]], len(members[c])), len(numbers)) for c in line]
    firsts = [members[c][0] for c in line]
    turns: Turns = {}
    numbers_of_loops = itertools.count()
    waiting = [(0, len(words))]
    while waiting:  # what comes again, and then in what is before and behind it
        low, high = waiting.pop()
        part = words[low:high]
        periods = _likely_periods(part[:MOST_BLOCKS]) if irregular else range(2, min(len(part) // 2, LONGEST_BLOCK) + 1)
        start, period, count = _longest_repeat(np.array(part), periods)
        start += low
        phase = _phase(graph, firsts, start, period, count, irregular) if count else -1
        if phase < 0:
            continue
        if phase:
            start, count = start + phase, count - 1
        number = next(numbers_of_loops)
        blocks = [line[start + k * period :][:period] for k in range(count)]
        turns |= {i: (number, k) for k, block in enumerate(blocks) for c in block for i in members[c]}
        waiting += [(low, start), (start + count * period, high)]
    return _within_reach(found.painter.families, turns)


def _likely_periods(words: list[int]) -> list[int]:
    """The commonest distances from a word to the next few of its kind."""
    last: dict[int, list[int]] = {}
    votes: Counter[int] = Counter()
    for k, word in enumerate(words):
        before = last.setdefault(word, [])
        votes.update([k - place for place in before[-NEXT_FEW:]])
        before.append(k)
    return sorted(period for period, _ in votes.most_common(LIKELY) if 1 < period <= LONGEST_BLOCK)


def _longest_repeat(words: Any, periods: Iterable[int]) -> tuple[int, int, int]:
    """Where words begin to repeat themselves, after how many, and how often they are there."""
    best = LEAST_SAVED - 1, 0, 0, 0
    for period in periods:
        unlike = np.flatnonzero(words[period:] != words[:-period])
        ends = np.append(unlike, len(words) - period)  # of stretches in which every word is that of one period before
        lengths = np.diff(ends, prepend=-1) - 1
        k = int(lengths.argmax())
        saved = int(lengths[k]) // period * period
        if saved > best[0]:
            best = saved, int(ends[k] - lengths[k]), period, saved // period + 1
    return best[1:]


def _phase(graph: Graph, line: list[int], start: int, period: int, count: int, alike: bool) -> int:
    """How many places later the turns are to begin, so that each reads itself and the one before, if that can be.

    Looked at is one in the middle. -1 if what it reads, the next one should read ``alike``, and does not.
    """
    middle = start + count // 2 * period
    place = {i: k for k, i in enumerate(line[: middle + 2 * period]) if k >= max(start, middle - 2 * period)}

    def distances(k: int) -> list[int]:
        return [k - place[x] for x in reads(graph, line[k]) if x in place]

    turn = range(middle, middle + period)
    if alike and (count <= LEAST_TURNS or any(distances(k) != distances(k + period) for k in turn)):
        return -1
    farthest = [max(distances(k), default=0) for k in turn]
    shifts = range(period)
    return next((s for s in shifts if all(d <= (k - s) % period + period for k, d in enumerate(farthest))), 0)


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


def row_and_window(terms: list[Term], rank: list[int]) -> tuple[tuple[int, ...], tuple[int, ...], list[Term]]:
    """Of a linear node of samples the shared factors of its products, what they meet, and its other terms."""
    met = [(w, x) for _, w, x in terms if w is not None and rank[w] == SHARED]
    if not met:
        return (), (), terms
    row, window = zip(*met, strict=True)
    return row, window, [] if len(met) == len(terms) else [t for t in terms if t[1] is None or rank[t[1]] != SHARED]


class Families:
    """Of the linear nodes of samples their products with shared factors, as a *row* of those and the *window* of nodes
    that it meets: there are many nodes, and few of each."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.rows: dict[tuple[int, ...], int] = {}
        self.windows: dict[tuple[int, ...], int] = {}
        self.dots: dict[int, tuple[tuple[int, ...], int, tuple[int, ...], int]] = {}  # node -> both, and their numbers
        self.rest: dict[int, list[Term]] = {}  # node -> its other terms
        rank = graph.rank
        for i in graph.order:
            if rank[i] != BATCHED or graph.ops[i] != LINEAR:
                continue
            row, window, rest = row_and_window(graph.terms[i], rank)
            if row:
                r = self.rows.setdefault(row, len(self.rows))
                self.dots[i] = row, r, window, self.windows.setdefault(window, len(self.windows))
                self.rest[i] = rest

    def reads(self, i: int) -> Iterable[int]:
        """The nodes of samples that node i is computed from, and perhaps some shared ones."""
        if i not in self.dots:
            return reads(self.graph, i)
        window, rest = self.dots[i][2], self.rest[i]
        return (*window, *[y for _, w, x in rest for y in (w, x) if y is not None]) if rest else window


def find_turns(graph: Graph, families: Families) -> Turns:
    """The nodes on cycles, after the nodes of a family of rows were taken as one vertex."""
    rank, vertex = graph.rank, _Vertices()
    edges: dict[int, set[int]] = defaultdict(set)
    of: dict[int, int] = {}
    rows: dict[int, int] = {}
    windows: dict[int, int] = {}
    repeated = False
    for i in graph.order:
        if rank[i] != BATCHED:
            continue
        if i in families.dots:
            _, row, _window, own = families.dots[i]
            v = rows.get(row)
            if v is None:
                v = rows[row] = vertex.new()
            else:
                repeated = True
            of[i] = v
            if own in windows:
                vertex.join(windows[own], v)
                edges[v].update(families.reads(i) if families.rest[i] else ())
            else:
                windows[own] = v
                edges[v].update(families.reads(i))
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
    heads = {vertex.find(v) for v in rows.values()}
    first: dict[int, int] = {}
    for i in graph.order:
        v = vertex.find(of[i]) if i in of else -1
        k = cycle_of.get(v)
        if k is not None:
            if v in heads:
                first.setdefault(k, v)
            last = max([found[x][1] for x in families.reads(i) if x in found and found[x][0] == k], default=-1)
            found[i] = k, last + (first.get(k) == v)
    needed: dict[int, int] = {}  # the first turn that reads a node
    for i in reversed(graph.order):
        if i in found:
            k, turn = found[i]
            v = vertex.find(of[i])
            if v in heads and first[k] != v and needed.get(i, turn) > turn:
                turn = needed[i]  # a row that only the next turn reads belongs there
                found[i] = k, turn
            for x in families.reads(i):
                if x in found and found[x][0] == k:
                    needed[x] = min(needed.get(x, turn), turn)
    return _within_reach(families, found)


def _within_reach(families: Families, turns: Turns) -> Turns:
    """The turns, several taken as one where what they read was made further back than in the turn before."""
    reach: dict[int, int] = {}
    known: set[tuple[int, int]] = set()  # windows that were looked at, in their turns
    for i, (loop, turn) in turns.items():
        dot = families.dots.get(i)
        if dot is not None and not families.rest[i]:
            if (dot[3], turn) in known:
                continue
            known.add((dot[3], turn))
        back = [turn - turns[x][1] for x in families.reads(i) if x in turns and turns[x][0] == loop]
        reach[loop] = max(reach.get(loop, 1), *back, 1)
    far = {loop for loop, back in reach.items() if back > FARTHEST}
    return {i: (loop, turn if loop in far else turn // reach[loop]) for i, (loop, turn) in turns.items()}


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

    def __init__(self, graph: Graph, families: Families) -> None:
        self.graph, self.families = graph, families
        self.met: dict[Any, tuple[list[int], set[int]]] = {}  # see `_colours_of`
        self.names: dict[Any, int] = {}
        self.below: list[set[int]] = []
        self.typical: dict[int, int] = {}  # the colours of the turns in the middle, and their loops
        self.entries: dict[int, set[int]] = defaultdict(set)  # loop -> colours that only its first turn reads
        self.leaves = [BLANK] * len(graph.ops)
        parameter = BLANK
        for i, op in enumerate(graph.ops):
            if op == PARAMETER:
                if parameter == BLANK:
                    parameter = self.name(PARAMETER, ())
                self.leaves[i] = parameter
            elif op == INPUT:
                self.leaves[i] = self.name((INPUT, graph.indices.get(i)), ())

    def name(self, key: Any, below: Iterable[int]) -> int:
        found = self.names.get(key)
        if found is None:
            found = self.names[key] = len(self.below)
            self.below.append({c for c in below if c != BLANK})
        return found

    def paint(self, turns: Turns, last: dict[int, int] | None = None) -> list[int]:
        """All colours. With ``last``, the last turn of each loop, nodes that do there what others do before are added
        to ``turns``: what no later turn needs is on no cycle."""
        graph, colours = self.graph, list(self.leaves)
        seen: dict[Any, _Seen] = {}  # by loop, turn, and whether that is only a guess
        self.met.clear()
        for i in graph.order:
            loop = turns.get(i)
            if loop is None and last:
                above = max([turns[x] for x in reads(graph, i) if x in turns], default=None, key=lambda found: found[1])
                if above is not None and above[1] == last[above[0]]:
                    if (above, True) not in seen:
                        seen[above, True] = _Seen(colours, turns, above, set())
                    found = self.names.get((above[0], self._key(i, seen[above, True], above[1])[0]))
                    if found is not None and self.typical.get(found) == above[0]:
                        loop = turns[i] = above
            if loop is None:
                where, (key, below) = None, self._key(i, colours, -1)
            else:
                where = loop[0]
                if (loop, False) not in seen:
                    seen[loop, False] = _Seen(colours, turns, loop, self.entries[where])
                key, below = self._key(i, seen[loop, False], loop[1])
            colours[i] = self.name((where, key), below)
        return colours

    def _key(self, i: int, seen: Any, turn: int) -> tuple[Any, Iterable[int]]:
        graph = self.graph
        op, rank, numbers = graph.ops[i], graph.rank, graph.numbers
        if op == LINEAR:
            return self._linear(i, seen)
        operands = graph.inputs[i]
        if op == "logsumexp" or len(operands) > 3:
            below = {seen[x] for x in operands}
            return (rank[i], op, 0 if op == "logsumexp" else len(operands), frozenset(below)), below
        one_by_one = [seen[x] for x in operands]
        if takes_row(op) or (turn == 0 and op == "mul"):
            return (rank[i], op, *one_by_one), one_by_one
        told = [
            c if rank[x] != CONST else "data" if graph.is_data(op, k, x) else numbers[x].hex()
            for k, (x, c) in enumerate(zip(operands, one_by_one, strict=True))
        ]
        return (rank[i], op, *told), one_by_one

    def _linear(self, i: int, seen: Any) -> tuple[Any, set[int]]:
        graph, families = self.graph, self.families
        count, windows, products, sums = 0, set(), set(), set()
        terms = graph.terms[i]
        if i in families.dots:
            row, r, window, x = families.dots[i]
            count, terms = len(row), families.rest[i]
            plain = seen.colours if isinstance(seen, _Seen) and seen.own[1] > 0 else seen  # shared nodes take no turns
            windows = self._pairs(self._colours_of(row, ~r, plain), self._colours_of(window, x, seen))
        for c, w, x in terms:
            if w is None:
                sums.add((c, seen[x]))
            else:
                a, b = seen[w], seen[x]
                products.add((c, a, b) if a <= b else (c, b, a))
        bias = graph.bias.get(i)
        below = (
            {c for pair in windows for c in pair} | {c for _, a, b in products for c in (a, b)} | {c for _, c in sums}
        )
        bias_colour = None if bias is None else seen[bias]
        if bias_colour is not None:
            below.add(bias_colour)
        key = graph.rank[i], LINEAR, count, frozenset(windows), frozenset(products), frozenset(sums), bias_colour
        return key, below

    def _colours_of(self, nodes: tuple[int, ...], number: int, seen: Any) -> tuple[list[int], set[int]]:
        """The colours of a row or window, by its number; asked once for all that meet it in one turn."""
        key = number, seen if isinstance(seen, _Seen) else None
        found = self.met.get(key)
        if found is None:
            colours = [seen[x] for x in nodes]
            found = self.met[key] = colours, set(colours)
        return found

    @staticmethod
    def _pairs(row: tuple[list[int], set[int]], window: tuple[list[int], set[int]]) -> set[tuple[int, int]]:
        """Which colours meet; but those of constants count only where there are no others."""
        colours = window[1] - {BLANK} or window[1]
        if len(row[1]) == 1:
            (own,) = row[1]
            return {(own, c) for c in colours}
        return {pair for pair in zip(row[0], window[0], strict=True) if pair[1] in colours}

    def settled(self, turns: Turns, least: int) -> Turns:
        """The turns that do the same, of every loop: what the last turn has more is taken in; the last turn if it
        differs, and those before the others, are not."""
        colours = self.paint(turns)
        self._find_entries(turns, colours)
        last: dict[int, int] = {}
        for loop, turn in turns.values():
            last[loop] = max(turn, last.get(loop, 0))
        self.typical = {colours[i]: loop for i, (loop, turn) in turns.items() if turn == max(1, last[loop] // 2)}
        turns = dict(turns)
        found = self._alike(turns, self.paint(turns, last), least)
        while True:
            self.entries.clear()
            self._find_entries(found, self.paint(found))
            if len({loop for loop, _ in found.values()}) < 2:
                return found
            again = self._alike(found, self.paint(found), least)  # what one loop lost, another one has read
            if len(again) == len(found):
                return found
            found = again

    def _alike(self, turns: Turns, colours: list[int], least: int) -> Turns:
        """Those around the middle turn of each loop that do what it does, counted anew."""
        counts: dict[int, dict[int, Counter[int]]] = {}
        for i, (loop, turn) in turns.items():
            counts.setdefault(loop, {}).setdefault(turn, Counter())[colours[i]] += 1
        span: dict[int, tuple[int, int]] = {}
        for loop, found in counts.items():
            low = high = max(1, max(found) // 2)
            alike = found.get(low)
            while low - 1 in found and found[low - 1] == alike:
                low -= 1
            while high in found and found[high] == alike:
                high += 1
            if high - low >= least and high >= max(found) - FARTHEST:  # the last turns may be others
                span[loop] = low, high
        return {
            i: (loop, turn - span[loop][0])
            for i, (loop, turn) in turns.items()
            if loop in span and span[loop][0] <= turn < span[loop][1]
        }

    def _find_entries(self, turns: Turns, colours: list[int]) -> None:
        """What only the first turn of a loop reads from outside, where later ones read what the turn before made."""
        by_turn: dict[int, dict[int, set[int]]] = {}
        for i, (loop, turn) in turns.items():
            if turn < 2:
                outside = by_turn.setdefault(loop, {}).setdefault(turn, set())
                for x in reads(self.graph, i):
                    if turns.get(x, (-1,))[0] != loop and colours[x] != BLANK:
                        outside.add(colours[x])
        for loop, sets in by_turn.items():
            if 0 in sets and 1 in sets:
                self.entries[loop] = sets[0] - sets[1]


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
    loop_of: dict[int, int] = {}
    for i in graph.order:
        members.setdefault(colours[i], []).append(i)
        if i in turns:
            loop_of[colours[i]] = turns[i][0]
    depth = _depths(members, painter, loop_of)
    by_level: dict[tuple[int, int], list[int]] = {}
    for c, nodes in members.items():
        by_level.setdefault((graph.rank[nodes[0]], depth[c]), []).append(c)
    found: list[Class] = []
    done: set[int] = set()
    for level in sorted(by_level):
        few: dict[Any, list[int]] = {}
        for c in by_level[level]:
            if len(members[c]) <= FEW and c not in loop_of:
                few.setdefault(_kind(graph, members[c][0]), []).append(c)
        thrown = {c: kind for kind, cs in few.items() if len(cs) > MANY_FEW for c in cs}
        together: dict[Any, Class] = {}
        for c in by_level[level]:
            if c in loop_of:
                if loop_of[c] not in done:
                    done.add(loop_of[c])
                    found += _loop(graph, painter, members, loop_of, loop_of[c], turns)
            elif c not in thrown:
                found.append(Class(members[c]))
            elif thrown[c] in together:
                together[thrown[c]].nodes += members[c]
            else:
                together[thrown[c]] = Class(members[c], irregular=True)
                found.append(together[thrown[c]])
    return found


def _depths(members: dict[int, list[int]], painter: _Painter, loop_of: dict[int, int]) -> dict[int, int]:
    """The longest way to each colour, where all colours of a loop are one."""
    inside: dict[int, list[int]] = {}
    for c, loop in loop_of.items():
        inside.setdefault(loop, []).append(c)
    depth: dict[int, int] = {}
    open_: set[Any] = set()

    def below(c: int) -> list[int]:
        loop = loop_of.get(c)
        if loop is None:
            return [b for b in painter.below[c] if b in members]
        every = {b for one in inside[loop] for b in painter.below[one]} | painter.entries[loop]
        return [b for b in every if b in members and loop_of.get(b) != loop]

    for root in members:
        path = [root]
        while path:
            c = path[-1]
            if c in depth:
                path.pop()
                continue
            waiting = [b for b in below(c) if b not in depth]
            if not waiting:
                d = 1 + max([depth[b] for b in below(c)], default=0)
                for one in inside.get(loop_of.get(c, -1), [c]):
                    depth[one] = d
                path.pop()
                continue
            key = ("loop", loop_of[c]) if c in loop_of else c
            if key in open_:
                raise Unrollable
            open_.add(key)
            path += waiting
    return depth


def _loop(
    graph: Graph, painter: _Painter, members: dict[int, list[int]], loop_of: dict[int, int], number: int, turns: Turns
) -> list[Class]:
    """The classes of a loop in the order of one turn."""
    mine = [c for c in members if loop_of.get(c) == number]
    depth: dict[int, int] = {}
    for c in sorted(mine):  # a colour is named after those below it
        depth[c] = 1 + max([depth[b] for b in painter.below[c] if b in depth], default=0)
    count = 1 + max(turns[i][1] for c in mine for i in members[c])
    loop = Loop(number, count)
    for c in sorted(mine, key=lambda c: depth[c]):
        by_turn: list[list[int]] = [[] for _ in range(count)]
        for i in members[c]:
            by_turn[turns[i][1]].append(i)
            for x in reads(graph, i):
                if x in turns and turns[x][0] == number and turns[x][1] not in (turns[i][1], turns[i][1] - 1):
                    raise Unrollable
        if len({len(nodes) for nodes in by_turn}) > 1:
            raise Unrollable
        loop.classes.append(Class(members[c], loop, by_turn))
    return loop.classes


def _kind(graph: Graph, i: int) -> Any:
    """What nodes must have in common to be computed together at all."""
    op = graph.ops[i]
    if op == TAKE:
        return i  # these stay apart
    if op != LINEAR:
        operands = graph.inputs[i]
        if takes_row(op):
            return op, len(operands)
        return op, *[graph.numbers[x].hex() if graph.rank[x] == CONST else graph.rank[x] for x in operands]
    return LINEAR
