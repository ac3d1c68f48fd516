"""What a program looks like as a network: its units in layers, and the weights between them.

Nothing here knows of neurons. A compiled program says which sums are weighted: each node of such a sum is a unit, and
what is computed from one unit alone (its activation) belongs to it. So any model that compiles has a picture, whatever
its classes are called.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd.compiler.backends.javascript import Memory
from autograd.compiler.groups import Group
from autograd.compiler.normalise import BATCHED, LINEAR
from autograd.compiler.plan import Plan

MOST_UNITS, MOST_LINES = 20, 600  # in one layer, and in a network that is drawn whole


@dataclass
class Unit:
    """A weighted sum, or one number of the sample.

    Attributes:
        layer: 0 for the sample, else one more than the highest that it reads.
        at: the address of what it gives: of its activation.
        bias: the address of its bias; -1 if it has none.
        weights: (unit, address of the weight) for each that it reads.
        name: of its activation; "" for a plain sum.
    """

    layer: int
    at: int
    bias: int = -1
    weights: list[tuple[int, int]] = field(default_factory=list)
    name: str = ""


class Units:
    """The units of a program, inputs first.

    Attributes:
        all: every unit.
        lines: how many weights there are between them.
    """

    def __init__(self, plan: Plan, memory: Memory) -> None:
        self.plan, self.memory = plan, memory
        self.all: list[Unit] = []
        self.lines = 0
        self._of: dict[int, frozenset[int]] = {}  # node -> the units that it is computed from
        for nodes in plan.trace.arguments:
            for node, at in zip(nodes, memory.of(nodes).tolist(), strict=True):
                self._of[node] = frozenset([len(self.all)])
                self.all.append(Unit(0, at))
        for group in plan.groups:
            if group.rank == BATCHED:
                self._take(group)

    @property
    def layers(self) -> list[list[Unit]]:
        """The units, layer by layer."""
        return [[u for u in self.all if u.layer == k] for k in range(1 + max((u.layer for u in self.all), default=0))]

    @property
    def few(self) -> bool:
        """Whether all of them can be drawn."""
        return max(map(len, self.layers), default=0) <= MOST_UNITS and self.lines <= MOST_LINES

    def data(self) -> dict[str, Any]:
        """For a page: units as [layer, address, bias, name], and lines as [from, to, address of the weight]."""
        return {
            "units": [[u.layer, u.at, u.bias, u.name] for u in self.all],
            "lines": [[source, k, at] for k, u in enumerate(self.all) for source, at in u.weights],
        }

    def _take(self, group: Group) -> None:
        nodes = group.computed.reshape(-1)
        if group.initial is not None:  # what a loop begins with is another name for something that was there
            for alias, given in zip(group.nodes[0].flat, group.initial.flat, strict=True):
                self._of[int(alias)] = self._of.get(int(given), frozenset())
        for place in np.flatnonzero(nodes >= 0).tolist():
            node = int(nodes[place])
            (at,) = self.memory.of([node]).tolist()
            weighted, plain = _factors(group, place)
            if weighted and self.memory.of([w for _, w in weighted]).max() >= self.memory.adjoints[0]:  # no weights
                weighted, plain = [], plain + [x for pair in weighted for x in pair]
            sources = frozenset[int]().union(*(self._of.get(x, ()) for x in [*plain, *[x for x, _ in weighted]]))
            if weighted:
                self._add(group, place, node, at, weighted, plain)
                continue
            self._of[node] = sources
            if len(sources) == 1:
                (one,) = sources
                unit = self.all[one]
                if unit.layer:  # an activation, or the next step of one
                    unit.at, unit.name = at, "" if group.op == LINEAR else group.op

    def _add(
        self, group: Group, place: int, node: int, at: int, weighted: list[tuple[int, int]], plain: list[int]
    ) -> None:
        weights = self.memory.of([w for _, w in weighted]).tolist()
        found = [(s, w) for (x, _), w in zip(weighted, weights, strict=True) for s in sorted(self._of.get(x, ()))]
        read = {s for s, _ in found}.union(*(self._of.get(x, ()) for x in plain))
        unit = Unit(1 + max((self.all[s].layer for s in read), default=0), at, weights=found)
        if group.bias is not None:
            (bias,) = _at(group, group.bias, place)
            unit.bias = int(self.memory.of([bias])[0])
        self._of[node] = frozenset([len(self.all)])
        self.all.append(unit)
        self.lines += len(found)


def _at(group: Group, nodes: Any, place: int) -> list[int]:
    """The nodes that stand for one place of a group's box: one, or one for each k."""
    wide = np.broadcast_to(nodes, (*nodes.shape[: nodes.ndim - group.computed.ndim], *group.computed.shape))
    return [int(x) for x in wide.reshape(-1, group.computed.size)[:, place] if x >= 0]


def _factors(group: Group, place: int) -> tuple[list[tuple[int, int]], list[int]]:
    """What the node at a place of a group reads: pairs of a number and its weight, and numbers alone."""
    if group.op != LINEAR:
        return [], [x for nodes in group.operands if not isinstance(nodes, float) for x in _at(group, nodes, place)]
    weighted: list[tuple[int, int]] = []
    plain: list[int] = []
    for part in group.parts:
        if part.weights is None:
            plain += _at(group, part.x, place)
        else:
            weighted += zip(_at(group, part.x, place), _at(group, part.weights, place), strict=True)
    return weighted, plain
