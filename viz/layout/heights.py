"""Question 4: at which y does each node stand?"""

from __future__ import annotations

from itertools import pairwise

from .net import Net
from .simplex import AHEAD, BEHIND, NOWHERE, Forest

INFINITY = float("inf")
HUGE = 40_000  # nodes: most of them are dummies of long wires, and what is done twice elsewhere is done once


def assign_heights(net: Net) -> list[float]:
    """The y of every node: first balanced, then straight, then centred where straightness leaves a choice."""
    y = [0.0] * len(net.rank)
    for column in net.columns:
        bottom = 0.0
        for v in column:
            y[v] = bottom + net.half[v]
            bottom += 2 * net.half[v]
        for v in column:
            y[v] -= bottom / 2
    for sweep in range(3 if len(y) <= HUGE else 1):
        both = sweep == 2 or len(y) > HUGE  # the last sweep looks to both sides
        for column in net.columns:
            relax_column(net, y, column, True, both)
        for column in reversed(net.columns):
            relax_column(net, y, column, both, True)
    segments = straight_segments(net)
    straighten(net, y, segments)
    unbend_wires(net, y)
    segments.reverse()
    if len(y) <= HUGE:
        straighten(net, y, segments)
    close_gaps(net, y)
    return y


def squeeze(net: Net, y: list[float], most: float) -> None:
    """Move the columns into a band of height ``most``, as far as they fit there; wires that were straight may bend."""
    above, below = [y[v] - net.half[v] for v in range(len(y))], [y[v] + net.half[v] for v in range(len(y))]
    if not y or max(below) - min(above) <= most:
        return
    top = sum(y) / len(y) - most / 2
    for column in net.columns:
        edge = top
        for v in column:
            y[v] = max(y[v], edge + net.half[v])
            edge = y[v] + net.half[v]
        edge = top + most
        for v in reversed(column):
            y[v] = min(y[v], edge - net.half[v])
            edge = y[v] - net.half[v]


def close_gaps(net: Net, y: list[float]) -> None:
    """Move whole components up, the topmost first, as far as the others let them: no wire pulls them together."""
    component = [-1] * len(net.rank)
    members: list[list[int]] = []
    for root in range(len(net.rank)):
        if component[root] < 0:
            component[root] = len(members)
            found = [root]
            for v in found:
                for u in [*net.ins[v], *[t for t, _, _ in net.outs[v]]]:
                    if component[u] < 0:
                        component[u] = len(members)
                        found.append(u)
            members.append(found)
    if len(members) < 2:
        return
    tops = [min([y[v] - net.half[v] for v in found]) for found in members]
    ceiling = min(tops)
    for c in sorted(range(len(members)), key=lambda c: (tops[c], c)):
        room = tops[c] - ceiling
        for v in members[c]:
            if net.place[v] > 0:
                u = net.columns[net.rank[v]][net.place[v] - 1]
                if component[u] != c:
                    room = min(room, y[v] - net.half[v] - y[u] - net.half[u])
        for v in members[c]:
            y[v] -= room


def relax_column(net: Net, y: list[float], column: list[int], from_left: bool, from_right: bool) -> None:
    """Least-squares positions of one column under the order of its nodes: isotonic regression (PAVA).

    Minimises the sum of weight (y - wanted)^2 where neighbours keep their distance.  Without the distances, which
    `shifts` holds, y must only ascend: so whenever a block of nodes wants to be above the block before it, the
    two merge and share their weighted mean (pool adjacent violators; Ayer et al. 1955).  Wires between dummies
    weigh more than wires at boxes, so that bends come to lie at the ends of long wires.
    """
    real, half, ins, outs, drops = net.real, net.half, net.ins, net.outs, net.drops
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many nodes
    shifts: list[float] = []
    base = 0.0
    for v in column:
        base += half[v]
        shifts.append(base)
        total = weight = 0.0
        to_box, to_dummy = (1.0, 2.0) if v < real else (2.0, 8.0)
        if from_left:
            for u, drop in zip(ins[v], drops[v], strict=True):
                w = to_box if u < real else to_dummy
                total += w * (y[u] - drop)
                weight += w
        if from_right:
            for t, k, _ in outs[v]:
                w = to_box if t < real else to_dummy
                total += w * (y[t] + drops[t][k])
                weight += w
        if weight == 0.0:
            total, weight = 0.01 * y[v], 0.01
        mean, n = total / weight - base, 1
        while blocks and blocks[-1][0] > mean:
            other, w, more = blocks.pop()
            mean = (mean * weight + other * w) / (weight + w)
            weight += w
            n += more
        blocks.append((mean, weight, n))
        base += half[v]
    i = 0
    for mean, _, n in blocks:
        for v in column[i : i + n]:
            y[v] = mean + shifts[i]
            i += 1


def straight_segments(net: Net) -> list[list[int]]:
    """Split the nodes into paths that should be drawn as one straight line (Sander 1996): trunks and unary chains."""
    following = [-1] * len(net.rank)
    leads = [False] * len(net.rank)
    for v in range(len(net.rank)):
        outs = net.outs[v]
        for t, _, _ in outs:
            if t >= net.real and (v >= net.real or len(outs) == 1):
                following[v] = t
        if len(outs) == 1 and len(net.ins[outs[0][0]]) == 1:
            following[v] = outs[0][0]
        if following[v] >= 0:
            leads[following[v]] = True
    segments: list[list[int]] = []
    for column in net.columns:
        for v in column:
            if leads[v]:
                continue
            segment = [v]
            while following[v] >= 0:
                v = following[v]
                segment.append(v)
            segments.append(segment)
    return segments


def straighten(net: Net, y: list[float], segments: list[list[int]]) -> None:
    """Move each segment, in the free space around it, as one to the median of what its neighbours want."""
    ins, outs, drops = net.ins, net.outs, net.drops
    for segment in segments:
        start = 0
        while start < len(segment):
            shifts, low, high = free_run(net, y, segment, start)
            stop = start + len(shifts)
            wanted: list[float] = []  # where the run's wires to other nodes are straight, one by one
            for n, shift in enumerate(shifts, start):
                v = segment[n]
                for k, u in enumerate(ins[v]):
                    if n == start or u != segment[n - 1]:
                        wanted.append(y[u] - drops[v][k] - shift)
                for t, k, _ in outs[v]:
                    if n + 1 == stop or t != segment[n + 1]:
                        wanted.append(y[t] + drops[t][k] - shift)
            wanted.sort()
            middle = (wanted[(len(wanted) - 1) // 2] + wanted[len(wanted) // 2]) / 2 if wanted else y[segment[start]]
            at = max(low, min(high, middle))
            for n, shift in enumerate(shifts, start):
                y[segment[n]] = at + shift
            start = stop


def free_run(net: Net, y: list[float], segment: list[int], start: int) -> tuple[list[float], float, float]:
    """As many nodes of a segment, from `start` on, as can stand on one line between their neighbours.

    How far below the first each must stand, and between which heights the first may.
    """
    half = net.half
    shifts: list[float] = []
    shift, low, high = 0.0, -INFINITY, INFINITY
    for n in range(start, len(segment)):  # no slice: a long segment may fall into many runs
        v = segment[n]
        if shifts:
            shift -= net.drops[v][0]
        column, i = net.columns[net.rank[v]], net.place[v]
        lo, hi = low, high
        if i > 0:
            u = column[i - 1]
            lo = max(low, y[u] + half[u] + half[v] - shift)
        if i + 1 < len(column):
            u = column[i + 1]
            hi = min(high, y[u] - half[u] - half[v] - shift)
        if lo > hi and shifts:
            break
        low, high = lo, hi
        shifts.append(shift)
    return shifts, low, high


def unbend_wires(net: Net, y: list[float]) -> None:
    """Minimise the total vertical way of the wires by network simplex, from the balanced start.

    Gansner et al. (1993) place y this way too, with a helper node on every wire.  We do without: a wire is a
    spring that pulls its ends together with its weight, whatever its length, and that holds them with any force
    up to its weight once it is straight.  Neighbours in a column that touch hold against any pressure.  So the
    clusters are trees of straight wires and touching neighbours; a part that is pulled harder than its link holds
    tears off and moves until a wire becomes straight or a neighbour is in the way.  Only what is pulled
    moves: where many places are equally good, the balance of the start survives.
    """
    springs = Springs(net, y)
    forest = Forest(springs.pull)
    at, weight, pull, link = springs.at, springs.weight, forest.pull, forest.link
    # Five times as much makes the wires of 1,000 nodes 1 % straighter, in three times the time.
    budget = min(60 * len(y), 800_000 if len(y) <= HUGE else 400_000)
    sequence = [v for column in net.columns for v in column]
    turn = -1
    while turn < forest.turn and forest.steps <= budget:  # until nothing moved in a whole round
        turn = forest.turn
        for v in sequence:
            force = pull[v]
            if force == 0:
                continue
            way, touch = (1, AHEAD) if force > 0 else (-1, BEHIND)
            hold = link[v]
            if hold == touch or (hold >= 0 and force * way <= weight[hold]):
                continue
            if hold >= 0:  # the wire bends: from now on it only pulls back
                force -= way * weight[hold]
                springs.side[hold] = way if springs.head[hold] == v else -way
            part = forest.part(v)
            slack, near, anchor, new = springs.stop(part, way, forest)
            if slack:
                for u in part:
                    at[u] += slack * way
            forest.tear(v, force)
            forest.hang(v, near, anchor, new, force, way * weight[new] if new >= 0 else 0)
            forest.steps += 2 * len(part) + 10
            if forest.steps > budget:
                break
        sequence.reverse()
    y[:] = [value / 100 for value in at]


class Springs:
    """The wires as springs between nodes `at` their heights, which stand one below the other in columns.

    Heights are whole hundredths, so that "straight" and "touching" are exact.
    """

    __slots__ = ("above", "at", "below", "ends", "half", "head", "pull", "side", "weight")

    def __init__(self, net: Net, y: list[float]) -> None:
        count, real = len(y), net.real
        self.half = half = [round(value * 100) for value in net.half]
        self.at = at = [round(value * 100) for value in y]
        self.above, self.below = [-1] * count, [-1] * count
        for column in net.columns:
            for u, v in pairwise(column):
                self.above[v], self.below[u] = u, v
                at[v] = max(at[v], at[u] + half[u] + half[v])
        self.head: list[int] = []
        self.weight: list[int] = []
        self.side: list[int] = []  # spring e pulls its head up (side 1) or down (side -1), and its tail the other way
        self.pull = [0] * count  # positive: downwards
        # The springs of a node: number, other end, how far that is lower than a straight wire has it, side of this end.
        self.ends: list[list[tuple[int, int, int, int]]] = [[] for _ in y]
        for v in range(count):
            for u, value in zip(net.ins[v], net.drops[v], strict=True):
                e, drop = len(self.head), round(value * 100)
                weight = 2 if u >= real and v >= real else 1
                side = 1 if at[v] + drop >= at[u] else -1
                self.ends[u].append((e, v, drop, 1))
                self.ends[v].append((e, u, -drop, -1))
                self.head.append(v)
                self.weight.append(weight)
                self.side.append(side)
                self.pull[v] -= side * weight
                self.pull[u] += side * weight

    def stop(self, part: list[int], way: int, forest: Forest) -> tuple[int, int, int, int]:
        """What a part that moves meets first, a neighbour or a straight wire: how far on, from which node, what, by
        which link."""
        at, half, side, ends, inside, turn = self.at, self.half, self.side, self.ends, forest.inside, forest.turn
        ahead, touch = (self.below, AHEAD) if way > 0 else (self.above, BEHIND)
        slack, near, anchor, new = 1 << 60, -1, -1, NOWHERE
        for u in part:
            t = ahead[u]
            if t >= 0 and inside[t] != turn:
                distance = (at[t] - at[u]) * way - half[u] - half[t]
                if distance < slack:
                    slack, near, anchor, new = distance, u, t, touch
            for e, t, drop, end in ends[u]:
                if side[e] * end == way and inside[t] != turn:
                    distance = (at[t] + drop - at[u]) * way
                    if distance < slack:
                        slack, near, anchor, new = distance, u, t, e
        return slack, near, anchor, new
