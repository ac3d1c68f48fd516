"""Question 3, slowly: neighbours in a column change places, at first nearly at will, later only where it helps.

Simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983; Metropolis et al. 1953).  Its step is the swap of two
neighbours.  What a swap would cost is known beforehand and kept up to date, so a step takes about a tenth of a
microsecond, and in the same time far more orders are looked at than by methods that move one node to its best place.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterator, Sequence
from functools import cache
from itertools import accumulate, cycle, repeat
from random import Random

from .net import Net

# Rounds over all columns, from hot to cold; then once more: many short coolings find more than a long one.
ROUNDS, QUICK = 9, 5  # in a small graph fewer are enough
# The chance of a swap that adds 1 to the cost: for a crossing, from 0.61 down to 0.09.
HOT, COLD = 0.96, 0.82
HOTTER, COLDER = 0.97, 0.80
SCALE = 12  # a crossing weighs as much as so many pairs that stand against the order in which they were written
TWICE = 2 * SCALE
DRAWN = 1009  # random numbers for each round of a cooling, a prime, used again and again

Costs = list[list[int]]
Changes = list[tuple[list[int], int, list[int], int, int]]
Ends = tuple[dict[int, int], dict[int, int]]  # of the edges, in a column: the numbers and the places of its nodes
Edge = tuple[int, int, int, int, int]  # from a node, by which of its exits, to a node, by which door; how many wires


class Swaps:
    """What it costs to swap two neighbours of a column, kept up to date while neighbours are swapped.

    Within its column, a node goes by its number in `nodes`: lists are faster than dictionaries.  `columns` are the
    numbers from top to bottom.

    `cost` counts each crossing `SCALE` times, and once each pair of a column that stands against the order in which
    the boxes are given: so a graph that has grown by a node looks much as before.  An edge that several wires share
    counts as often: a crossing there hides the way of each.  `costs[r][u][v]`, for two nodes of column r, is the cost
    of u above v, less that of v above u; a swap changes it only for nodes joined to the two, and always alike:
    `changes[r][u][v]` says how, once u above v was swapped for the first time.
    """

    __slots__ = ("changes", "columns", "cost", "costs", "left", "nodes", "right", "several")

    def __init__(
        self, columns: list[list[int]], gaps: list[list[Edge]], owner: Sequence[int] = (), fixed: Container[int] = ()
    ) -> None:
        """From the columns and the edges in each gap.  With an ``owner`` for each node, the order in which these are
        given counts.  Columns that are ``fixed`` only hold the ends of edges; all their nodes have the same number."""
        self.nodes = [[] if r in fixed else sorted(column) for r, column in enumerate(columns)]
        numbers = [
            {v: i for i, v in enumerate(nodes)} or dict.fromkeys(column, 0)
            for nodes, column in zip(self.nodes, columns, strict=True)
        ]
        self.columns = [
            [number[v] for v in column] if nodes else []
            for nodes, number, column in zip(self.nodes, numbers, columns, strict=True)
        ]
        self.cost = 0
        self.costs = (
            self.against(owner) if owner else [[[0] * len(nodes) for _ in nodes or "0"] for nodes in self.nodes]
        )
        self.changes: list[list[list[Changes | None]]] = [[[None] * len(nodes) for _ in nodes] for nodes in self.nodes]
        # The columns in which there is something to swap.
        numbered = enumerate(zip(self.columns, self.costs, self.changes, strict=True))
        self.several = [(r, *parts) for r, parts in numbered if len(parts[0]) > 1]
        # The nodes of the next columns that a node is joined to, and how often its edges count.
        self.left: list[list[dict[int, int]]] = [[{} for _ in nodes or "0"] for nodes in self.nodes]
        self.right: list[list[dict[int, int]]] = [[{} for _ in nodes or "0"] for nodes in self.nodes]
        places = [{v: k << 20 for k, v in enumerate(column)} for column in columns]
        for r, gap in enumerate(gaps):
            if gap:
                self.join(r, gap, (numbers[r], places[r]), (numbers[r + 1], places[r + 1]))

    def against(self, owner: Sequence[int]) -> list[Costs]:
        """Count the pairs that stand against the order of their owners; return what swaps of them cost."""
        found = []
        for nodes, column in zip(self.nodes, self.columns, strict=True):
            owners = [owner[v] for v in nodes]
            found.append([[(of > other) - (of < other) for other in owners] for of in owners])
            seen: list[int] = []
            for of in [owners[v] for v in column]:
                if seen and of < seen[-1]:
                    at = bisect_right(seen, of)
                    self.cost += len(seen) - at
                    seen.insert(at, of)
                else:
                    seen.append(of)
        return found

    def join(self, r: int, gap: list[Edge], at_left: Ends, at_right: Ends) -> None:
        """Count what the edges between columns r and r + 1 cost, and note whom they join."""
        (number, start), (other, end) = at_left, at_right
        edges: list[tuple[int, int, int, int, int]] = []
        left, right = self.left[r + 1], self.right[r]
        for v, lane, x, door, load in gap:
            u, t = number[v], other[x]
            edges.append((start[v] + lane, end[x] + door, u, t, load))
            left[t][u] = right[u][t] = left[t].get(u, 0) + load
        self.compare(edges, self.costs[r], self.costs[r + 1])

    def compare(self, edges: list[tuple[int, int, int, int, int]], at_left: Costs, at_right: Costs) -> None:
        """Count the pairs of edges between two columns: (exit, door, node at the left, node at the right, load)."""
        edges.sort()
        total = 0
        for i, (start, end, u, t, load) in enumerate(edges):
            of_u, of_t, weight = at_left[u], at_right[t], SCALE * load
            for other_start, other_end, v, x, other_load in edges[:i]:
                if other_start == start:  # the same exit
                    continue
                cost = weight * other_load
                if other_end < end:
                    if v != u:
                        at_left[v][u] -= cost
                        of_u[v] += cost
                elif other_end > end:
                    total += cost
                    if v != u:
                        at_left[v][u] += cost
                        of_u[v] -= cost
                if x != t:
                    at_right[x][t] -= cost
                    of_t[x] += cost
        self.cost += total

    def change(self, r: int, v: int, x: int) -> Changes:
        """What changes when v, which stands above x, comes to stand below it: `of_u[t] += c`, and `of_t[u] -= c`.

        When x comes to stand below v again, all of that is taken back.
        """
        found: Changes = []
        for near, other in ((self.left[r], r - 1), (self.right[r], r + 1)):
            mine, theirs = near[v], near[x]
            if not mine or not theirs:
                continue
            costs = self.costs[other]
            for t, times in theirs.items():
                of_t, c = costs[t], TWICE * times
                for u, load in mine.items():
                    if u != t:
                        found.append((costs[u], t, of_t, u, c * load))
        self.changes[r][v][x] = found
        self.changes[r][x][v] = [(of_t, u, of_u, t, c) for of_u, t, of_t, u, c in found]
        return found

    def round(self, at_least: Iterator[int]) -> bool:
        """Go down each column and swap each two neighbours where that saves as much as is asked for; False if nowhere.

        As a step of the innermost loop takes less time than a call, it is all in one function.
        """
        before = self.cost
        swapped = False
        for r, column, costs, changes in self.several:
            rest = iter(column)
            k, v = 0, next(rest)
            of_v = costs[v]
            for x in rest:
                if of_v[x] < next(at_least):
                    v = x
                    of_v = costs[x]
                    k += 1
                    continue
                before -= of_v[x]
                column[k] = x
                k += 1
                column[k] = v
                swapped = True
                change = changes[v][x]
                for of_u, t, of_t, u, c in self.change(r, v, x) if change is None else change:
                    of_u[t] += c
                    of_t[u] -= c
        self.cost = before
        return swapped

    def swap(self, r: int, k: int) -> None:
        """Swap the nodes at places k and k + 1 of a column."""
        column = self.columns[r]
        v, x = column[k], column[k + 1]
        self.cost -= self.costs[r][v][x]
        column[k], column[k + 1] = x, v
        change = self.changes[r][v][x]
        for of_u, t, of_t, u, c in self.change(r, v, x) if change is None else change:
            of_u[t] += c
            of_t[u] -= c

    def insert(self) -> bool:
        """Move each node to the best place in its column (sifting; Rudell 1993); False if all stand there."""
        moved = False
        for r, column, costs, _ in self.several:
            for v in column[:] if len(column) > 2 else ():
                of_v, start = costs[v], column.index(v)
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
                        self.swap(r, k)
                else:
                    for k in range(start - 1, start - 1 - behind.index(best), -1):
                        self.swap(r, k)
        return moved

    def descend(self, to_be_best: float) -> None:
        """Swap neighbours while it helps, and then move single nodes, if the cost is what would be the best."""
        any_gain = repeat(1)
        while self.round(any_gain) or (self.cost <= to_be_best and self.insert()):
            pass

    def ordered(self) -> list[list[int]]:
        """The nodes of each column, from top to bottom."""
        return [[nodes[v] for v in column] for nodes, column in zip(self.nodes, self.columns, strict=True)]


@cache
def cooling(is_quick: bool) -> list[list[int]]:
    """For each round, as many random numbers as `DRAWN`: what a swap must save at least to be made.

    A swap that adds n to the cost is made with the chance aⁿ, which is to say if n is not larger than the last exponent
    for which aⁿ > u, a random number between 0 and 1; a falls from round to round.
    """
    random = Random(1).random  # always the same numbers, on every machine
    drawn = [random() for _ in range(DRAWN)]
    rounds = []
    count, hot, cold = (QUICK, HOTTER, COLDER) if is_quick else (ROUNDS, HOT, COLD)
    for n in range(count):
        ratio = hot - (hot - cold) * n / (count - 1)
        powers = [-1.0]
        while powers[-1] < -0.001:
            powers.append(powers[-1] * ratio)
        rounds.append([1 - bisect_left(powers, -u) for u in drawn])
    return rounds


def gaps_of(net: Net) -> list[list[Edge]]:
    """The edges from each column to the next. The edge into a dummy counts as often as wires run along it."""
    load = [1] * len(net.rank)
    for dummy in range(len(net.rank) - 1, net.real - 1, -1):  # the end of a trunk first
        load[dummy] = sum([load[t] for t, _, _ in net.outs[dummy]])
    lanes, outs = net.lanes, net.outs
    return [[(v, lanes[x][k], x, door, load[x]) for v in column for x, k, door in outs[v]] for column in net.columns]


class Annealing:
    """The search for few crossings, which can be gone on with.

    `columns` are the best that were found.  Those that the net has are changed only where that saves crossings.
    """

    __slots__ = ("best", "columns", "is_quick", "neighbours", "rounds", "swaps", "usual")

    def __init__(self, net: Net, is_quick: bool = False) -> None:
        self.is_quick = is_quick
        self.swaps = Swaps(net.columns, gaps_of(net), net.owner)
        self.swaps.descend(-1)
        self.best, self.columns = self.swaps.cost, [list(column) for column in self.swaps.columns]
        self.neighbours = sum([len(column) - 1 for column in self.columns if column])
        self.rounds = [cycle(least) for least in cooling(is_quick)]
        # How much the largest descent has saved, or a little less: from too high up, another one is not worth it.
        self.usual = 0

    def run(self, tries: int) -> list[list[int]]:
        """The nodes of each column in the best order after about so many more `tries` to swap.

        In a small graph there are fewer if many wires cross: one more or less of two matters, of twenty hardly.
        """
        for n in range(tries // (len(self.rounds) * self.neighbours + 1)):
            crossings = self.best // SCALE
            if crossings == 0 or (self.is_quick and n * crossings**2 > tries):
                break
            self.cool()
        nodes = self.swaps.nodes
        return [[nodes[r][v] for v in column] for r, column in enumerate(self.columns)]

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
