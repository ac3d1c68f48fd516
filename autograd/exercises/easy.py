"""Numbers for an exercise, drawn by lot: the answers are short, and no slope hides a mistake.

Whether a draw is good is a matter of points: each number that is long, each slope of 0 or ±1, each pair of factors that
cannot be told apart costs some. Some cannot be avoided, such as the ones of a sum; the search goes on, one leaf after
the other, until only these are left, or for so long.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from ..graph import input_places, topological_order
from ..ops import CONSTANT, LEAF, SHEET
from ..reals import CUT
from ..value import Value

_EXACT = frozenset(
    "add sub mul div neg reciprocal abs relu leaky_relu maximum minimum dot identity detach where less less_equal "
    "equal".split()
)
_ONES = frozenset("add sub neg identity".split())  # their slopes are ±1 anyway,
_CHOICES = frozenset("abs relu maximum minimum where".split())  # and of these 0 or ±1, but where two are equal
_WHOLE = [s * x for x in (2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 0.5, 1.5, 2.5) for s in (1.0, -1.0)]
_DECIMAL = [s * k / 10 for k in range(2, 31) if k != 10 for s in (1.0, -1.0)]
TRIES = 400  # draws of one leaf, before the best so far is taken
# what a number costs
LONG, FLAT, ONE, ALIKE, AGAIN = 20, 12, 3, 3, 1


class Draws:
    """Draws numbers for the leaves of one graph."""

    def __init__(self, root: Value) -> None:
        order = topological_order(root)
        self.leaves = [i for i, node in enumerate(order) if node.op == LEAF and not node.unrecorded_op]
        self._rules = [SHEET[node.op] if node.inputs else None for node in order]
        self._places = input_places(order)
        self._given = [node.data for node in order]
        self._constant = [node.op == CONSTANT for node in order]
        self._exact: list[bool] = []
        for node, places in zip(order, self._places, strict=True):
            whole_power = node.op == "pow" and self._constant[places[1]] and node.inputs[1].data in (2.0, 3.0)
            known = not node.inputs or node.op in _EXACT or whole_power
            self._exact.append(known and all(self._exact[k] for k in places))
        self._domain = _WHOLE if all(self._exact) else _DECIMAL
        self._least = self._unavoidable()

    def draw(self, rng: Random) -> list[float]:
        """A number for each of the `leaves`.

        What one draw has not reached in all of its tries, the next does not look for any more.
        """
        values = list(self._given)
        for i in self.leaves:
            values[i] = rng.choice(self._domain)
        cost, turn = self.cost(values), 0
        best = [values[i] for i in self.leaves], cost
        while cost > self._least and turn < TRIES and self.leaves:
            turn += 1
            i = rng.choice(self.leaves)
            before, values[i] = values[i], rng.choice(self._domain)
            new = self.cost(values)
            if new <= cost + (turn % 8 == 0):  # now and then a step up, out of a dead end
                cost = new
            else:
                values[i] = before
            if cost < best[1]:
                best = [values[i] for i in self.leaves], cost
        self._least = max(self._least, best[1])
        return best[0]

    def cost(self, values: list[float]) -> int:
        """How bad a draw is. The values of the leaves are given, those of all other nodes are put into the list."""
        slopes = self._forward(values)
        gradients = self._backward(slopes)
        cost = 0
        for i, rule in enumerate(self._rules):
            if self._constant[i]:
                continue
            cost += self._length(values[i], i) + (values[i] == 0.0) * FLAT
            if i < len(values) - 1:
                cost += self._length(gradients[i], i) + _flatness(gradients[i])
            if rule is not None:
                counted = [d for k, d in zip(self._places[i], slopes[i], strict=True) if not self._constant[k]]
                if rule.name in _CHOICES:
                    cost += FLAT * any(0.0 < abs(d) < 1.0 for d in counted)
                else:
                    cost += sum(map(_flatness, counted)) + self._alike(i, slopes[i])
        drawn = [values[i] for i in self.leaves]
        return cost + AGAIN * (len(drawn) - len(set(map(abs, drawn))))

    def _forward(self, values: list[float]) -> list[list[float]]:
        slopes: list[list[float]] = []
        for i, (rule, places) in enumerate(zip(self._rules, self._places, strict=True)):
            if rule is None:
                slopes.append([])
                continue
            numbers = [values[k] for k in places]
            y = values[i] = rule.forward(*numbers)
            slopes.append([0.0 if d is None or d is CUT else d for d in rule.partials(y, *numbers)])
        return slopes

    def _backward(self, slopes: Sequence[Sequence[float]]) -> list[float]:
        gradients = [0.0] * len(slopes)
        gradients[-1] = 1.0
        for i in range(len(slopes) - 1, -1, -1):
            for k, d in zip(self._places[i], slopes[i], strict=True):
                gradients[k] += gradients[i] * d
        return gradients

    def _length(self, x: float, i: int) -> int:
        """What a number costs that takes more than three digits, or is far from 1."""
        size = abs(x)
        if not size < 1000.0 or 0.0 < size < 0.01:
            return LONG
        if not all(self._exact):  # rounded to four digits, of which none may be lost
            return 0 if size == 0.0 or 0.04 <= size < 100.0 else ONE
        return 0 if math.isclose(float(f"{x:.3g}"), x, rel_tol=1e-9) else LONG

    def _alike(self, i: int, slopes: Sequence[float]) -> int:
        """Two slopes of one size: then it does not show that they were exchanged."""
        two = len(slopes) == 2 and len({*self._places[i]}) == 2 and not any(self._constant[k] for k in self._places[i])
        return ALIKE if two and abs(slopes[0]) == abs(slopes[1]) else 0

    def _unavoidable(self) -> int:
        """What the slopes of sums cost, and the gradients that are ±1 because of them."""
        cost = 0
        users: list[list[tuple[int, bool]]] = [[] for _ in self._rules]
        for i, (rule, places) in enumerate(zip(self._rules, self._places, strict=True)):
            ones = rule is not None and rule.name in _ONES
            real = [k for k in places if not self._constant[k]]
            for k in places:
                users[k].append((i, ones))
            if ones:
                cost += ONE * len(real) + ALIKE * (len({*real}) == 2)
        is_one = [False] * len(users)
        is_one[-1] = True
        for i in range(len(users) - 2, -1, -1):
            is_one[i] = len(users[i]) == 1 and users[i][0][1] and is_one[users[i][0][0]]
            cost += ONE * (is_one[i] and not self._constant[i])
        return cost


def _flatness(slope: float) -> int:
    return FLAT if slope == 0.0 else ONE if abs(slope) == 1.0 else 0


__all__ = ["Draws"]
