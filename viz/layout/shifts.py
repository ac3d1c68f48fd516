"""Questions 1 to 3 once more, together: would fewer wires cross if a box stood in the column beside its own?

Once the columns are in a good order, most of the crossings that are left cannot be saved by any other order: a wire
has to get past a box that could stand further on as well.  To find the best ranks and the best order at once is the
layer-free problem (Chimani, Gutwenger, Mutzel and Wong 2010).  We go down from a good answer: a box moves on by one
column, with those in its way; the columns around are put in order afresh; and the move is kept if fewer wires cross.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from random import Random

from .annealing import SCALE, Edge, Swaps
from .net import Net, Wire

Feed = tuple[int, int, int]  # the end of a wire: a box, its door, and which of the wires into that box it is

LONGER = 3  # what a column more for a wire may cost, where a crossing costs `SCALE`
NEARLY = 1  # crossings more than before: from further up, no box finds a place that makes up for them
TOGETHER = 8  # boxes that move at once


class Shifts:
    """The boxes in their columns, from which they may move to the next, and the crossings between each two columns.

    In a column, a box goes by its number, and a trunk that passes by that of its strand: those of the boxes come first,
    then those of all exits, box by box, then those of wires that have left the trunk of their exit.  So the names stay
    when a trunk becomes longer.
    """

    def __init__(self, net: Net, pinned: set[int], most: int) -> None:
        """From a net whose columns are in order.  The ``pinned`` boxes stay; there may be ``most`` columns."""
        self.count, self.pinned, self.most = net.real, pinned, most
        self.rank = net.rank[: net.real]
        exits, names = names_of(net)
        self.exits = [list(mine) for mine in exits]  # of a box: its strands
        self.unsplit = sum(map(len, exits))
        self.source = [-1] * net.real + [v for v, mine in enumerate(exits) for _ in mine]
        self.lane = [0] * net.real + [lane for mine in exits for lane in range(len(mine))]  # of a strand
        self.feeds: list[list[Feed]] = [[] for _ in self.source]  # of a strand: where its wires end
        self.inputs = [[-1] * len(ins) for ins in net.ins[: net.real]]  # of a box: the strands of its wires
        for v, outs in enumerate(net.outs):
            for t, k, door in outs:
                if t < net.real:
                    e = exits[v][net.lanes[t][k]] if v < net.real else names[v]
                    self.feeds[e].append((t, door, k))
                    self.inputs[t][k] = e
        self.last = [self.end_of(e) for e in range(len(self.source))]  # the column of the last of its wires
        self.columns = [[names[v] for v in column] for column in net.columns]
        gaps = [self.edges(r, column) for r, column in enumerate(self.columns)]
        self.crossings = crossings(self.columns, gaps)
        self.crossed: dict[int, set[tuple[int, int]]] = {}  # `crossed_in`, for gaps that were asked for

    def end_of(self, e: int) -> int:
        """The column of the last box that a strand feeds; -1 if there is none."""
        return max([self.rank[t] for t, _, _ in self.feeds[e]], default=-1)

    def search(self, looks: int) -> None:
        """Look at about so many moves: first of boxes that nothing feeds, to the right, then of the others.

        Only what has several wires on one side gains by moving there, and seldom what stands at wires that nothing
        crosses, which is looked at if there is time for all.  The rest is taken at random, always the same.
        """
        random = Random(1).random  # the same numbers on every machine
        moves: list[tuple[bool, float, int, int]] = []
        for v, inputs in enumerate(self.inputs):
            outs = sum([len(self.feeds[e]) for e in self.exits[v]])
            if outs > 1 or (outs == 1 and len(inputs) != 1):
                moves.append((len(inputs) > 0, random(), v, 1))
            if len(inputs) > 1:
                moves.append((True, random(), v, -1))
        moves.sort()
        for_all = looks >= len(moves)
        before = looks + 1
        while looks < before:
            before = looks
            for _, _, v, way in moves:
                if for_all or self.is_crossed(v):
                    looks -= self.move(v, way)
                    if looks <= 0:
                        return

    def move(self, v: int, way: int) -> bool:
        """Move a box to the next column, and back if that does not save crossings; False if it cannot, or need not."""
        moved = self.in_the_way(v, way)
        if not moved:
            return False
        ranks = [self.rank[u] for u in moved]
        low, high = min(ranks) + min(way, 0), max(ranks) + max(way, 0)
        first, stop = max(0, low - 1), min(len(self.columns), high + 1)  # of the gaps between columns
        before = sum(self.crossings[first:stop])
        if before == 0:
            return False
        longer = self.shift(moved, way)
        columns = [*self.columns[first : stop + 1], []] if high == len(self.columns) else self.columns[first : stop + 1]
        for r in range(low, high + 1):
            columns[r - first] = self.rearranged(columns[r - first], r, way, moved)
        gaps = [self.edges(r, column) for r, column in enumerate(columns[:-1], first)]
        swaps = Swaps(columns, gaps, fixed=[r for r in range(len(columns)) if not low <= r + first <= high])
        swaps.descend(SCALE * (before + NEARLY))
        if swaps.cost <= SCALE * before and swaps.cost + LONGER * longer <= SCALE * before:
            columns = [found or fixed for found, fixed in zip(swaps.ordered(), columns, strict=True)]
            self.columns[first : stop + 1] = columns
            self.crossings[first : first + len(gaps)] = crossings(columns, gaps)
            self.crossed.clear()
        else:
            self.shift(moved, -way)
        return True

    def is_crossed(self, v: int) -> bool:
        """Whether something crosses a wire beside a box."""
        beside = range(max(0, self.rank[v] - 1), min(self.rank[v] + 1, len(self.columns) - 1))
        return any(v in edge for r in beside for edge in self.crossed_in(r))

    def crossed_in(self, r: int) -> set[tuple[int, int]]:
        """The edges in a gap that others cross, each as its two nodes."""
        if r not in self.crossed:
            gap = self.edges(r, self.columns[r]) if self.crossings[r] else []
            self.crossed[r] = crossed_edges(self.columns[r], self.columns[r + 1], gap)
        return self.crossed[r]

    def in_the_way(self, v: int, way: int) -> list[int]:
        """The boxes that have to move if v does, first of them v; none if they cannot, or are too many."""
        rank, found = self.rank, {v: True}
        to_do = [v]
        for u in to_do:
            if u in self.pinned or not 0 <= rank[u] + way < self.most or len(to_do) > TOGETHER:
                return []
            near = self.users(u) if way > 0 else [self.source[e] for e in self.inputs[u]]
            for t in near:
                if rank[t] == rank[u] + way and t not in found:
                    found[t] = True
                    to_do.append(t)
        return to_do

    def users(self, v: int) -> list[int]:
        """The boxes that a box feeds."""
        return [t for e in self.exits[v] for t, _, _ in self.feeds[e]]

    def shift(self, moved: list[int], way: int) -> int:
        """Give boxes their new ranks; return by how many columns all trunks together have become longer."""
        rank, last = self.rank, self.last
        longer = 0
        for u in moved:
            rank[u] += way
            longer -= way * sum([last[e] >= 0 for e in self.exits[u]])
        for e in {e: True for u in moved for e in self.inputs[u]}:
            end = self.end_of(e)
            longer += end - last[e]
            last[e] = end
        return longer

    def carrier(self, e: int, r: int) -> int:
        """What brings the wires of an exit through column r: its box, its trunk, or nothing (-1)."""
        at = self.rank[self.source[e]]
        return self.source[e] if at == r else e if at < r < self.last[e] else -1

    def rearranged(self, column: list[int], r: int, way: int, moved: list[int]) -> list[int]:
        """Column r after a move: who stays; in the place of who has left, what takes its wires on; and at the end who
        has come, if it has no place yet."""
        rank, count = self.rank, self.count
        stays = {v for v in column if (rank[v] == r if v < count else self.carrier(v, r) == v)}
        found: dict[int, bool] = {}
        for v in column:
            if v in stays:
                found[v] = True
                continue
            if way > 0:
                heirs = [self.source[v]] if v >= count else [self.carrier(e, r) for e in self.inputs[v]]
            else:
                heirs = [self.carrier(e, r) for e in (self.exits[v] if v < count else (v,))]
                heirs += self.users(v) if v < count else [t for t, _, _ in self.feeds[v]]
            for u in heirs:
                if u not in stays and (u >= count or (u >= 0 and rank[u] == r)):
                    found.setdefault(u, True)
        for u in moved:
            if rank[u] == r:
                found.setdefault(u, True)
            for e in (*self.inputs[u], *self.exits[u]):
                if self.carrier(e, r) == e:
                    found.setdefault(e, True)
        return list(found)

    def edges(self, r: int, column: list[int]) -> list[Edge]:
        """The edges from column r to the next."""
        rank, feeds, last, lanes, count = self.rank, self.feeds, self.last, self.lane, self.count
        found: list[Edge] = []
        for v in column:
            for e in self.exits[v] if v < count else (v,):
                load, lane = 0, lanes[e] if v < count else 0
                for t, door, _ in feeds[e]:
                    if rank[t] == r + 1:
                        found.append((v, lane, t, door, 1))
                    elif rank[t] > r:
                        load += 1
                if last[e] > r + 1:
                    found.append((v, lane, e, 0, load))
        return found

    def ranking(self) -> list[int]:
        """The rank of each box, without the columns in which no box stands."""
        number = {r: k for k, r in enumerate(sorted(set(self.rank)))}
        return [number[r] for r in self.rank]

    def strands(self, net: Net, wires: Sequence[Wire]) -> list[int]:
        """The strand of each wire."""
        return [self.inputs[wire.target][k] for wire, k in zip(wires, net.entry, strict=True)]

    def forks(self) -> dict[int, tuple[int, int]]:
        """For strands that run beside an earlier one of their exit at first: which one, and past how many columns."""
        found: dict[int, tuple[int, int]] = {}
        used = sorted(set(self.rank))
        places = {r: {v: i for i, v in enumerate(self.columns[r])} for r in used} if self.is_split else {}
        for mine in self.exits if self.is_split else ():
            for i, e in enumerate(mine):
                for other in mine[:i]:
                    if self.lane[other] == self.lane[e]:
                        start, end = self.rank[self.source[e]], min(self.last[e], self.last[other])
                        beside = [abs(places[r][e] - places[r][other]) == 1 for r in used if start < r < end]
                        shared = (*beside, False).index(False)
                        if shared > found.get(e, (0, 0))[1]:
                            found[e] = other, shared
        return found

    @property
    def is_split(self) -> bool:
        """Whether some wire has left the trunk of its exit."""
        return sum(map(len, self.exits)) > self.unsplit

    def columns_of(self, net: Net) -> list[list[int]]:
        """The columns of the net of that ranking, in the order that was found."""
        names = list(range(len(net.rank)))
        for v in range(len(names) - 1, net.real - 1, -1):
            t, k, _ = net.outs[v][0]
            names[v] = self.inputs[t][k] if t < net.real else names[t]
        nodes: list[dict[int, int]] = [{} for _ in net.columns]
        for v, name in enumerate(names):
            nodes[net.rank[v]][name] = v
        used = sorted(set(self.rank))
        return [[at[name] for name in self.columns[r] if name in at] for r, at in zip(used, nodes, strict=True)]


def names_of(net: Net) -> tuple[list[range], list[int]]:
    """The names of each box's exits, and what each node of a net is called in its column."""
    exits: list[range] = []
    at = net.real
    for v in range(net.real):
        exits.append(range(at, at + net.exits[v]))
        at += net.exits[v]
    names = list(range(net.real))
    for v in range(net.real, len(net.rank)):
        u = net.ins[v][0]
        names.append(exits[u][net.lanes[v][0]] if u < net.real else names[u])
    return exits, names


def crossed_edges(left: list[int], right: list[int], gap: list[Edge]) -> set[tuple[int, int]]:
    """The edges of a gap that others cross, each as its two nodes."""
    at_left, at_right = {v: i << 20 for i, v in enumerate(left)}, {v: i << 20 for i, v in enumerate(right)}
    edges = sorted([(at_left[v] + lane, at_right[t] + door, (v, t)) for v, lane, t, door, _ in gap])
    found: set[tuple[int, int]] = set()
    for i, (start, end, edge) in enumerate(edges):
        for other_start, other_end, other in edges[:i]:
            if other_end > end and other_start != start:
                found.update((edge, other))
    return found


def crossings(columns: list[list[int]], gaps: list[list[Edge]]) -> list[int]:
    """How many wires cross in each gap, right of each column."""
    found = []
    places = [{v: k << 20 for k, v in enumerate(column)} for column in [*columns, []]]
    for gap, at_left, at_right in zip(gaps, places, places[1:], strict=False):
        total, seen = 0, list[int]()  # inversions, as `count_gap` counts them, each wire of a trunk by itself
        for _, end, load in sorted([(at_left[v] + lane, at_right[t] + door, load) for v, lane, t, door, load in gap]):
            at = bisect_right(seen, end)
            total += load * (len(seen) - at)
            seen[at:at] = [end] * load
        found.append(total)
    return found
