"""Question 3, slowly: neighbours in a column change places, at first nearly at will, later only where it helps.

Simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983; Metropolis et al. 1953).  Its step is the swap of two
neighbours.  What a swap would cost is known beforehand and kept up to date, so a step takes about a third of a
microsecond, and in the same time far more orders are looked at than by methods that move one node to its best place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random

from .net import Net

ROUNDS = 30  # over all columns, from hot to cold
HOT, COLD = 0.94, 0.78  # the chance of a swap that adds 1 to the cost: for a crossing, from a half down to 0.05
SCALE = 12  # a crossing weighs as much as so many pairs that stand against the order in which they were written
TWICE = 2 * SCALE


class Swaps:
    """What it costs to swap two neighbours of a column, kept up to date while neighbours are swapped.

    `cost` counts each crossing `SCALE` times, and once each pair of a column that stands against the order in which
    the boxes are given: so a graph that has grown by a node looks much as before.  An edge that two or more wires
    share counts twice: a crossing there hides more than one wire's way.  `costs[u][v]`, for any two nodes of one
    column, is the cost of u above v, less that of v above u; a swap changes it only for nodes joined to the two.
    """

    __slots__ = ("columns", "cost", "costs", "left", "right")

    def __init__(self, net: Net) -> None:
        self.columns = [list(column) for column in net.columns]
        self.costs = [dict.fromkeys(net.columns[r], 0) for r in net.rank]
        # The nodes that a node is joined to, as often as its edges count.
        self.left: list[list[int]] = [[] for _ in net.rank]
        self.right: list[list[int]] = [[] for _ in net.rank]
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

    def swap(self, column: list[int], k: int) -> None:
        """Swap the nodes at places k and k + 1 of a column."""
        costs = self.costs
        v, x = column[k], column[k + 1]
        self.cost -= costs[v][x]
        column[k], column[k + 1] = x, v
        for near in (self.left, self.right):
            mine = near[v]
            for t in near[x] if mine else ():
                of_t = costs[t]
                for u in mine:  # where u is t, nothing changes
                    costs[u][t] += TWICE
                    of_t[u] -= TWICE

    def score(self, owner: list[int]) -> tuple[int, int]:
        """What crossings cost, and how many pairs stand against the order in which they were given."""
        against = 0
        for column in self.columns:
            places = [owner[v] for v in column]
            against += sum([b < a for i, b in enumerate(places) for a in places[:i]])
        return self.cost - against, against

    def descend(self) -> None:
        """Swap while it helps."""
        costs, count = self.costs, len(self.columns)
        waiting = list(range(count))
        while waiting:
            again = [False] * (count + 2)
            for r in waiting:
                column = self.columns[r]
                for k in range(len(column) - 1):
                    v, x = column[k], column[k + 1]
                    gain = costs[v][x]
                    if gain > 0:
                        self.swap(column, k)
                        again[r] = again[r + 1] = again[r + 2] = True  # the columns beside it, too
            waiting = [r for r in range(count) if again[r + 1]]

    def round(self, chance: list[float], random: Callable[[], float]) -> None:
        """Look at all neighbours once; a swap that adds n to the cost is made with the chance ``chance[n]``."""
        costs, swap, least = self.costs, self.swap, -len(chance)
        for column in self.columns:
            for k in range(len(column) - 1):
                gain = costs[column[k]][column[k + 1]]
                if gain > 0 or (gain > least and random() < chance[-gain]):
                    swap(column, k)


@cache
def cooling() -> list[list[float]]:
    """For each round the chances of the swaps that add 0, 1, 2, ... to the cost, down to one in a thousand."""
    rounds = []
    for n in range(ROUNDS):
        ratio = HOT - (HOT - COLD) * n / (ROUNDS - 1)
        chance = [1.0]
        while chance[-1] > 0.001:
            chance.append(chance[-1] * ratio)
        rounds.append(chance)
    return rounds


def loads(net: Net) -> list[int]:
    """How much the edge into each node counts: twice, if two or more wires run along it."""
    load = [1] * len(net.rank)
    for dummy in range(len(net.rank) - 1, net.real - 1, -1):  # the end of a trunk first
        load[dummy] = min(2, sum([load[t] for t, _, _ in net.outs[dummy]]))
    return load


def anneal(net: Net, tries: int) -> list[list[int]]:
    """Columns with as few crossings as are found by about so many `tries` to swap.

    The columns that the net has are changed only where that saves crossings.
    """
    swaps = Swaps(net)
    swaps.descend()
    best, columns = swaps.score(net.owner), [list(column) for column in swaps.columns]
    neighbours = sum([len(column) - 1 for column in columns if column])
    random = Random(1).random  # always the same numbers, on every machine
    for _ in range(max(1, tries // (ROUNDS * neighbours + 1))):
        if best[0] == 0:
            break
        for chance in cooling():
            swaps.round(chance, random)
        swaps.descend()
        score = swaps.score(net.owner)
        if score < best:
            best, columns = score, [list(column) for column in swaps.columns]
    return columns
