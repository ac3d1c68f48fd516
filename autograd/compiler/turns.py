"""Pass 4, turns: the nodes of a loop's classes are put in step, so that each turn does what the one before did.

Within a turn, nodes are told apart by what they read: places in the classes of the same turn, and the same weights.
Where every turn but the first reads what the turn before made, the first reads something from outside, such as a
state that starts at zero. In its place comes a new node, an *alias*: it stands in slot 0 of what the turns make, so
that turn t reads slot t and writes slot t + 1. For a recurrence h = tanh(w·h + u·x) over three time steps with two
neurons, the turns of the linear nodes are [z11, z12], [z21, z22], [z31, z32], and the tanh have one alias for each
neuron before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ops import CONSTANT
from .classes import Class, Unrollable
from .normalise import BATCHED, LINEAR, SHARED, Graph
from .trace import INPUT

ALIAS = "alias"
TYPICAL = 1  # the turn that others are compared with: the first one may begin differently


def put_in_step(graph: Graph, classes: Sequence[Class]) -> None:
    """Order the turns of all classes of a loop alike, and give their first turn aliases.

    Raises:
        Unrollable: if the turns do not do the same after all.
    """
    found = _Places(graph, classes)
    for one in classes:
        found.order(one)
    for one in classes:
        for turn in range(len(one.turns)):
            for k, i in enumerate(one.turns[turn]):
                found.compare(one.turns[TYPICAL][k], i, turn)


class _Places:
    """Where the nodes of a loop are: (number of the class, place in its turn)."""

    def __init__(self, graph: Graph, classes: Sequence[Class]) -> None:
        self.graph, self.classes = graph, classes
        self.turn = {i: t for one in classes for t, nodes in enumerate(one.turns) for i in nodes}
        self.place: dict[int, tuple[int, int]] = {}

    def order(self, one: Class) -> None:
        shared = [self._shared(nodes) for nodes in one.turns]
        same = all(s == shared[0] for s in shared)
        inputs = self._first_input(one.turns[TYPICAL]) >= 0  # else those of the first turn are where states begin
        number = self.classes.index(one)
        for turn, nodes in enumerate(one.turns):
            first = self._first_input(nodes) if inputs else -1
            nodes.sort(key=lambda i: self._key(i, turn, same, first))
            for k, i in enumerate(nodes):
                self.place[i] = number, k

    def _first_input(self, nodes: list[int]) -> int:
        return min([x for i in nodes for x in _operands(self.graph, i) if self.graph.ops[x] == INPUT], default=-1)

    def _shared(self, nodes: list[int]) -> set[int]:
        graph = self.graph
        return {x for i in nodes for x in _operands(graph, i) if graph.rank[x] == SHARED}

    def _key(self, i: int, turn: int, same: bool, first: int) -> list[tuple[int, int, int]]:
        graph, key = self.graph, []
        for x in _operands(graph, i):
            if self.turn.get(x) == turn:
                key.append((0, *self.place.get(x, (0, 0))))
            elif graph.rank[x] == SHARED and same:
                key.append((1, x, 0))
            elif first >= 0 and graph.ops[x] == INPUT:
                key.append((2, x - first, 0))
        return key

    # --- comparing a node with that of the typical turn

    def compare(self, typical: int, i: int, turn: int) -> None:
        graph = self.graph
        if graph.ops[i] != graph.ops[typical]:
            raise Unrollable
        if graph.ops[i] != LINEAR:
            graph.inputs[i] = self._inputs(typical, i, turn)
            return
        own, other = graph.terms[i], graph.terms[typical]
        if len(own) != len(other):
            raise Unrollable
        for k, ((c, w, x), (c2, w2, x2)) in enumerate(zip(own, other, strict=True)):
            if c != c2 or (w is None) != (w2 is None):
                raise Unrollable
            found = None if w is None or w2 is None else self._same(w, w2, turn)
            again = self._same(x, x2, turn)
            if w is not None and w2 is not None and (found is None or again is None):
                found, again = self._same(x, w2, turn), self._same(w, x2, turn)  # a product the other way round
            if again is None or (w is not None and found is None):
                raise Unrollable
            own[k] = c, found, again
        if i in graph.bias:
            bias = self._same(graph.bias[i], graph.bias[typical], turn)
            if bias is None:
                raise Unrollable
            graph.bias[i] = bias

    def _inputs(self, typical: int, i: int, turn: int) -> tuple[int, ...]:
        graph = self.graph
        own, other = graph.inputs[i], graph.inputs[typical]
        if len(own) != len(other):
            raise Unrollable
        found = [self._same(x, x2, turn) for x, x2 in zip(own, other, strict=True)]
        if None in found and graph.ops[i] == "mul":
            found = [self._same(x, x2, turn) for x, x2 in zip(own[::-1], other, strict=True)]
        if None in found:
            raise Unrollable
        return tuple(x for x in found if x is not None)

    def _same(self, x: int, typical: int, turn: int) -> int | None:
        """What node x of this turn is in place of, if it plays the part of ``typical``; perhaps an alias."""
        before = self.turn.get(typical)
        if before is None:
            outside = x not in self.turn and self.graph.rank[x] == self.graph.rank[typical]
            return x if outside and (self.graph.ops[x] == CONSTANT) == (self.graph.ops[typical] == CONSTANT) else None
        number, k = self.place[typical]
        if before == TYPICAL:
            return x if self.turn.get(x) == turn and self.place[x] == (number, k) else None
        if turn > 0:
            return x if self.turn.get(x) == turn - 1 and self.place[x] == (number, k) else None
        return self._alias(x, number, k) if x not in self.turn else None

    def _alias(self, x: int, number: int, k: int) -> int | None:
        one, graph = self.classes[number], self.graph
        known = one.initial.get(k)
        if known is None:
            node = graph.add(ALIAS, (), graph.numbers[x], BATCHED, graph.active[x])
            one.initial[k] = x, node
            return node
        return known[1] if known[0] == x else None


def _operands(graph: Graph, i: int) -> list[Any]:
    if graph.ops[i] != LINEAR:
        return list(graph.inputs[i])
    found = [y for _, w, x in graph.terms[i] for y in (w, x) if y is not None]
    return found + ([graph.bias[i]] if i in graph.bias else [])
