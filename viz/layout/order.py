"""Question 3: in which order do the nodes of a column stand?"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from .annealing import Annealing
from .net import Box, Net

SMALL = 70  # boxes
PAIRS = 500_000  # pairs of edges beside each other that are compared at most: about 0.1 s


def reduce_crossings(net: Net) -> int:
    """Order every column so that few wires cross; return how many still do."""
    return Ordering(net).improve()


class Ordering:
    """The order of all columns of a net, of which `crossings` wires cross, so far.

    To find the best is NP-hard (Garey and Johnson 1983).  We start from ``columns``, or from the order in which the
    boxes are given, and change it only where that saves crossings: small graphs by annealing alone, larger ones after
    barycentre sweeps, which look at whole columns; in the largest, neighbours only change places while that helps.
    """

    def __init__(self, net: Net, columns: list[list[int]] | None = None) -> None:
        self.net = net
        self.annealing: Annealing | None = None
        set_columns(net, columns or columns_from(net, sorted(range(len(net.rank)), key=net.owner.__getitem__)))
        self.crossings = count_crossings(net)

    def improve(self, effort: float = 1.0) -> int:
        """Go on with so much ``effort``, 1 in all; return how many wires still cross."""
        net = self.net
        if self.crossings == 0:
            return 0
        pairs = sum([sum([len(net.outs[v]) for v in column]) ** 2 for column in net.columns]) // 2
        times = min(4, 120_000 // (len(net.rank) + 1))  # none where long wires alone fill the picture
        if self.annealing is None and (net.real > 150 or pairs > PAIRS):
            sweep_everything(net, times, self.crossings)
        if pairs <= PAIRS:
            self.annealing = self.annealing or Annealing(net, net.real <= SMALL)
            before = list(net.columns)
            set_columns(net, self.annealing.run(int(effort * tries(net.real))))
            crossings = count_crossings(net)
            if crossings > self.crossings:  # fewer wires cross, but at more places
                set_columns(net, before)
                crossings = self.crossings
        else:
            switch_everything(net, times)
            crossings = count_crossings(net)
        self.crossings = crossings
        return crossings


def tries(boxes: int) -> int:
    """How many swaps of neighbours are tried at most: 30 boxes are drawn in 10 ms, 150 or 200 in less than a second."""
    if boxes <= SMALL:
        return round(6.7 * boxes**2) + 120 * boxes * max(0, boxes - 30)
    return max(6_000, min(6_000 + 150 * boxes * (boxes - 30), 1_900_000 - 3_000 * boxes))


def sweep_everything(net: Net, times: int, best: int) -> None:
    """Barycentre sweeps to and fro; the best order stays: ``best`` are the crossings of that which is there."""
    columns = list(net.columns)
    for rightwards in (True, False, True, False)[:times]:
        if best == 0:
            break
        barycentre_sweep(net, rightwards)
        crossings = count_crossings(net)
        if crossings < best:
            best, columns = crossings, list(net.columns)
    set_columns(net, columns)


def switch_everything(net: Net, times: int) -> None:
    """Swap neighbours where that saves crossings, column by column, so many times (Eades and Kelly 1986)."""
    for r in list(range(len(net.columns))) * times:
        column = list(net.columns[r])
        lefts, rights = ends_at_left(net, column), ends_at_right(net, column)
        for k in range(len(column) - 1):
            v, x = column[k], column[k + 1]
            if crossed(lefts[v], lefts[x]) + crossed(rights[v], rights[x]) > 0:
                column[k], column[k + 1] = x, v
        set_column(net, r, column)


def crossed(upper: list[int], lower: list[int]) -> int:
    """Crossings of the edges that end at `upper` and at `lower`, less those if their nodes changed places.

    Both are sorted.
    """
    below = len(lower)
    return sum([bisect_left(lower, a) + bisect_right(lower, a) - below for a in upper])


def ends_at_left(net: Net, column: list[int]) -> dict[int, list[int]]:
    """The exits, from top to bottom, that the edges into each node of a column come from."""
    lane, ins, lanes = net.lane, net.ins, net.lanes
    ends: dict[int, list[int]] = {}
    for v in column:
        if len(ins[v]) == 1:  # as of every dummy
            ends[v] = [lane[ins[v][0]] + lanes[v][0]]
        else:
            ends[v] = sorted([lane[u] + way for u, way in zip(ins[v], lanes[v], strict=True)])
    return ends


def ends_at_right(net: Net, column: list[int]) -> dict[int, list[int]]:
    """The doors, from top to bottom, that the edges out of each node of a column go to."""
    slot = net.slot
    return {v: sorted([slot[t] + door for t, _, door in net.outs[v]]) for v in column}


def columns_from(net: Net, sequence: list[int]) -> list[list[int]]:
    """Deal the nodes to their columns in the order of `sequence`."""
    columns: list[list[int]] = [[] for _ in net.columns]
    for v in sequence:
        columns[net.rank[v]].append(v)
    return columns


def set_columns(net: Net, columns: list[list[int]]) -> None:
    """Adopt an order of all columns."""
    for r, column in enumerate(columns):
        set_column(net, r, column)


def set_column(net: Net, r: int, column: list[int]) -> None:
    """Adopt an order of one column."""
    net.columns[r] = column
    place, slot, lane, ins, exits = net.place, net.slot, net.lane, net.ins, net.exits
    edges = ways = 0
    for i, v in enumerate(column):
        place[v] = i
        slot[v] = edges
        lane[v] = ways
        edges += len(ins[v])
        ways += exits[v]


def count_crossings(net: Net) -> int:
    """All crossings between adjacent columns."""
    return sum([count_gap(net, column) for column in net.columns])


def count_gap(net: Net, column: list[int]) -> int:
    """Crossings right of one column: inversions in the sequence of the slots that its edges go to.

    Barth, Juenger and Mutzel (2002) count them with an accumulator tree in O(E log V).  A sorted list and binary
    search make as many comparisons and move some memory; written in Python this is 2-3 times as fast as the tree
    up to 3,000 edges per gap and still faster at 10,000 (0.9 against 1.4 us per edge).
    """
    slot, outs, exits = net.slot, net.outs, net.exits
    seen: list[int] = []
    total, last = 0, -1
    for v in column:
        ends = [slot[t] + door for t, _, door in outs[v]]
        if len(ends) < 2:
            pass
        elif exits[v] == 1:
            ends.sort()
        else:  # exit by exit: the wires of different exits may cross
            lanes = [net.lanes[t][k] for t, k, _ in net.outs[v]]
            ends = [s for _, s in sorted(zip(lanes, ends, strict=True))]
        for s in ends:
            if s >= last:
                seen.append(s)
                last = s
                continue
            at = bisect_right(seen, s)
            total += len(seen) - at
            seen.insert(at, s)
    return total


def barycentre_sweep(net: Net, rightwards: bool) -> None:
    """Order each column by the mean place of its neighbours in the column before (Sugiyama et al. 1981).

    Nodes without such neighbours keep their places.
    """
    ranks = range(len(net.columns))
    for r in ranks if rightwards else reversed(ranks):
        column = list(net.columns[r])
        ends = ends_at_left(net, column) if rightwards else ends_at_right(net, column)
        keyed = [(sum(ends[v]) / len(ends[v]), i, v) for i, v in enumerate(column) if ends[v]]
        for (_, i, _), (_, _, v) in zip(keyed, sorted(keyed), strict=True):
            column[i] = v
        set_column(net, r, column)


def assign_ports(net: Net, boxes: Sequence[Box]) -> None:
    """Let the wires into a box that commutes take its ports in the order in which they arrive."""
    for t, box in enumerate(boxes):
        if box.commutes:
            sources, offsets, drops = net.ins[t], net.offsets[t], net.drops[t]
            arrival = sorted(range(len(sources)), key=lambda k: (net.lane[sources[k]] + net.lanes[t][k], k))
            for k, offset in zip(arrival, sorted(offsets), strict=True):
                drops[k] = offset + (drops[k] - offsets[k])
                offsets[k] = offset
