"""Question 3, slowly: neighbours in a column change places, at first nearly at will, later only where it helps.

Simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983; Metropolis et al. 1953).  Its step is the swap of two
neighbours.  What a swap would cost is known beforehand and kept up to date, so a step takes about a tenth of a
microsecond, and in the same time far more orders are looked at than by methods that move one node to its best place.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from itertools import accumulate, cycle, repeat
from math import inf
from random import Random

from .net import Net

ROUNDS = 9  # over all columns, from hot to cold; then once more: many short coolings find more than a long one
HOT, COLD = 0.96, 0.82  # the chance of a swap that adds 1 to the cost: for a crossing, from 0.61 down to 0.09
SCALE = 12  # a crossing weighs as much as so many pairs that stand against the order in which they were written
TWICE = 2 * SCALE
DRAWN = 1009  # random numbers for each round of a cooling, a prime, used again and again

Changes = list[tuple[dict[int, int], int, dict[int, int], int, int]]


class Swaps:
    """What it costs to swap two neighbours of a column, kept up to date while neighbours are swapped.

    `cost` counts each crossing `SCALE` times, and once each pair of a column that stands against the order in which
    the boxes are given: so a graph that has grown by a node looks much as before.  An edge that
    several wires share counts as often: a crossing there hides the way of each.  `costs[u][v]`, for any two nodes of one
    column, is the cost of u above v, less that of v above u; a swap changes it only for nodes joined to the two, and
    always alike: `changes[u][v]` says how, once u above v was swapped for the first time.
    """

    __slots__ = ("changes", "columns", "cost", "costs", "left", "right")

    def __init__(self, net: Net) -> None:
        self.columns = [list(column) for column in net.columns]
        self.costs = [dict.fromkeys(net.columns[r], 0) for r in net.rank]
        # The nodes that a node is joined to, as often as its edges count.
        self.left: list[list[int]] = [[] for _ in net.rank]
        self.right: list[list[int]] = [[] for _ in net.rank]
        self.changes: list[dict[int, Changes]] = [{} for _ in net.rank]
        self.cost = 0
        load = loads(net)
        for column in net.columns:
            edges: list[tuple[int, int, int, int, int]] = []
            for u in column:
                for t, k, door in net.outs[u]:
                    edges.append((net.lane[u] + net.lanes[t][k], net.slot[t] + door, u, t, load[t]))
                    self.left[t] += [u] * load[t]
                    self.right[u] += [t] * load[t]
            self.compare(edges)
            for i, v in enumerate(column):
                for u in column[:i]:
                    sign = (net.owner[u] > net.owner[v]) - (net.owner[u] < net.owner[v])
                    self.costs[u][v] += sign
                    self.costs[v][u] -= sign
                    self.cost += sign > 0

    def compare(self, edges: list[tuple[int, int, int, int, int]]) -> None:
        """Count the pairs of edges between two columns: (exit, door, node at the left, node at the right, load)."""
        costs = self.costs
        edges.sort()
        for i, (start, end, u, t, load) in enumerate(edges):
            of_u, of_t, weight = costs[u], costs[t], SCALE * load
            for other_start, other_end, v, x, other_load in edges[:i]:
                cost = weight * other_load
                if other_end != end and v != u:
                    if other_end < end:
                        costs[v][u] -= cost
                        of_u[v] += cost
                    else:
                        costs[v][u] += cost
                        of_u[v] -= cost
                if other_start != start:
                    if other_end > end:
                        self.cost += cost
                    if x != t:
                        costs[x][t] -= cost
                        of_t[x] += cost

    def change(self, v: int, x: int) -> Changes:
        """What changes when v, which stands above x, comes to stand below it: `of_u[t] += c`, and `of_t[u] -= c`.

        When x comes to stand below v again, all of that is taken back.
        """
        costs = self.costs
        sums: dict[tuple[int, int], int] = {}
        for near in (self.left, self.right):
            mine = near[v]
            for t in near[x] if mine else ():
                for u in mine:
                    if u != t:
                        sums[u, t] = sums.get((u, t), 0) + TWICE
        self.changes[v][x] = found = [(costs[u], t, costs[t], u, c) for (u, t), c in sums.items()]
        self.changes[x][v] = [(of_t, u, of_u, t, c) for of_u, t, of_t, u, c in found]
        return found

    def round(self, at_least: Iterator[int]) -> bool:
        """Go down each column and swap each two neighbours where that saves as much as is asked for; False if nowhere.

        As a step of the innermost loop takes less time than a call, it is all in one function.
        """
        costs, changes, before = self.costs, self.changes, self.cost
        swapped = False
        none: dict[int, int] = {}
        for column in self.columns:
            k, v, of_v = -1, -1, none
            for x in column[:]:
                if k < 0 or of_v[x] < next(at_least):
                    k, v, of_v = k + 1, x, costs[x]
                    continue
                before -= of_v[x]
                column[k] = x
                k += 1
                column[k] = v
                swapped = True
                change = changes[v].get(x)
                for of_u, t, of_t, u, c in self.change(v, x) if change is None else change:
                    of_u[t] += c
                    of_t[u] -= c
        self.cost = before
        return swapped

    def swap(self, column: list[int], k: int) -> None:
        """Swap the nodes at places k and k + 1 of a column."""
        v, x = column[k], column[k + 1]
        self.cost -= self.costs[v][x]
        column[k], column[k + 1] = x, v
        change = self.changes[v].get(x)
        for of_u, t, of_t, u, c in self.change(v, x) if change is None else change:
            of_u[t] += c
            of_t[u] -= c

    def insert(self) -> bool:
        """Move each node to the best place in its column (sifting; Rudell 1993); False if all stand there."""
        moved = False
        for column in self.columns:
            for v in column[:] if len(column) > 2 else ():
                of_v, start = self.costs[v], column.index(v)
                below, above = [of_v[x] for x in column[start:]], [of_v[x] for x in column[: start + 1]]
                if max(below) <= 0 <= min(above):  # v itself counts 0
                    continue
                ahead = list(accumulate(below))
                behind = list(accumulate([-saved for saved in reversed(above)]))
                best = max(*ahead, *behind)
                if best == 0:
                    continue
                moved = True
                if best in ahead:
                    for k in range(start, start + ahead.index(best)):
                        self.swap(column, k)
                else:
                    for k in range(start - 1, start - 1 - behind.index(best), -1):
                        self.swap(column, k)
        return moved

    def descend(self, to_be_best: float = inf) -> None:
        """Swap neighbours while it helps, and then move single nodes, if the cost is what would be the best."""
        any_gain = repeat(1)
        while self.round(any_gain) or (self.cost <= to_be_best and self.insert()):
            pass


@cache
def cooling() -> list[list[int]]:
    """For each round, as many random numbers as `DRAWN`: what a swap must save at least to be made.

    A swap that adds n to the cost is made with the chance aⁿ, which is to say if n is not larger than the last exponent
    for which aⁿ > u, a random number between 0 and 1; a falls from round to round.
    """
    random = Random(1).random  # always the same numbers, on every machine
    drawn = [random() for _ in range(DRAWN)]
    rounds = []
    for n in range(ROUNDS):
        ratio = HOT - (HOT - COLD) * n / (ROUNDS - 1)
        powers = [-1.0]
        while powers[-1] < -0.001:
            powers.append(powers[-1] * ratio)
        rounds.append([1 - bisect_left(powers, -u) for u in drawn])
    return rounds


def loads(net: Net) -> list[int]:
    """How much the edge into each node counts: as often as wires run along it."""
    load = [1] * len(net.rank)
    for dummy in range(len(net.rank) - 1, net.real - 1, -1):  # the end of a trunk first
        load[dummy] = sum([load[t] for t, _, _ in net.outs[dummy]])
    return load


class Annealing:
    """The search for few crossings, which can be gone on with.

    `columns` are the best that were found.  Those that the net has are changed only where that saves crossings.
    """

    __slots__ = ("best", "columns", "neighbours", "rounds", "swaps", "usual")

    def __init__(self, net: Net) -> None:
        self.swaps = Swaps(net)
        self.swaps.descend()
        self.best, self.columns = self.swaps.cost, [list(column) for column in self.swaps.columns]
        self.neighbours = sum([len(column) - 1 for column in self.columns if column])
        self.rounds = [cycle(least) for least in cooling()]
        # How much the largest descent has saved, or a little less: from too high up, another one is not worth it.
        self.usual = 0

    def run(self, tries: int) -> list[list[int]]:
        """The best columns after about so many more `tries` to swap."""
        for _ in range(max(1, tries // (ROUNDS * self.neighbours + 1))):
            if self.best < SCALE:
                break
            self.cool()
        return self.columns

    def cool(self) -> None:
        """From hot to cold, and down from there."""
        swaps = self.swaps
        for least in self.rounds:
            swaps.round(least)
        cooled = swaps.cost
        if self.usual and cooled - self.usual > self.best:
            return
        swaps.descend(self.best)
        self.usual = max(self.usual, (cooled - swaps.cost) * 4 // 5)
        if swaps.cost < self.best:
            self.best, self.columns = swaps.cost, [list(column) for column in swaps.columns]
