"""Question 4: at which y does each node stand?"""

from __future__ import annotations

from itertools import pairwise

from .net import Net
from .simplex import AHEAD, BEHIND, NOWHERE, Forest

__all__ = ["assign_heights"]


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
    for sweep in range(3):
        both = 1.0 if sweep == 2 else 0.0  # the last sweep looks to both sides
        for column in net.columns:
            relax_column(net, y, column, 1.0, both)
        for column in reversed(net.columns):
            relax_column(net, y, column, both, 1.0)
    segments = straight_segments(net)
    straighten(net, y, segments)
    unbend_wires(net, y)
    segments.reverse()
    straighten(net, y, segments)
    close_gaps(net, y)
    return y


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


def relax_column(net: Net, y: list[float], column: list[int], from_left: float, from_right: float) -> None:
    """Least-squares positions of one column under the order of its nodes: isotonic regression (PAVA).

    Minimises the sum of weight (y - wanted)^2 where neighbours keep their distance.  Without the distances, which
    `shifts` holds, y must only ascend: so whenever a block of nodes wants to be above the block before it, the
    two merge and share their weighted mean (pool adjacent violators; Ayer et al. 1955).  Wires between dummies
    weigh more than wires at boxes, so that bends come to lie at the ends of long wires.
    """
    real, half, ins, outs, offsets = net.real, net.half, net.ins, net.outs, net.offsets
    means: list[float] = []
    weights: list[float] = []
    counts: list[int] = []
    shifts: list[float] = []
    base = 0.0
    for v in column:
        base += half[v]
        shifts.append(base)
        total = weight = 0.0
        if from_left:
            for u, offset in zip(ins[v], offsets[v], strict=True):
                w = 1.0 if v < real and u < real else 2.0 if v < real or u < real else 8.0
                total += w * (y[u] - offset)
                weight += w
        if from_right:
            for t, k, _ in outs[v]:
                w = 1.0 if v < real and t < real else 2.0 if v < real or t < real else 8.0
                total += w * (y[t] + offsets[t][k])
                weight += w
        if weight == 0.0:
            weight = 0.01
            total = weight * y[v]
        mean = total / weight - base
        n = 1
        while means and means[-1] > mean:
            w = weights.pop()
            mean = (mean * weight + means.pop() * w) / (weight + w)
            weight += w
            n += counts.pop()
        means.append(mean)
        weights.append(weight)
        counts.append(n)
        base += half[v]
    i = 0
    for mean, n in zip(means, counts, strict=True):
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
    half, ins, outs, offsets, place, rank = net.half, net.ins, net.outs, net.offsets, net.place, net.rank
    infinity = float("inf")
    for segment in segments:
        start = 0
        while start < len(segment):
            low, high = -infinity, infinity
            shift = 0.0
            shifts: list[float] = []
            stop = start
            while stop < len(segment):
                v = segment[stop]
                if stop > start:
                    shift -= offsets[v][0]
                column = net.columns[rank[v]]
                i = place[v]
                lo, hi = low, high
                if i > 0:
                    u = column[i - 1]
                    lo = max(low, y[u] + half[u] + half[v] - shift)
                if i + 1 < len(column):
                    u = column[i + 1]
                    hi = min(high, y[u] - half[u] - half[v] - shift)
                if lo > hi and stop > start:
                    break
                low, high = lo, hi
                shifts.append(shift)
                stop += 1
            wanted: list[float] = []
            run = segment[start:stop]
            for n, v in enumerate(run):
                shift = shifts[n]
                for k, u in enumerate(ins[v]):
                    if n == 0 or u != run[n - 1]:
                        wanted.append(y[u] - offsets[v][k] - shift)
                for t, k, _ in outs[v]:
                    if n + 1 == len(run) or t != run[n + 1]:
                        wanted.append(y[t] + offsets[t][k] - shift)
            if wanted:
                wanted.sort()
                middle = (wanted[(len(wanted) - 1) // 2] + wanted[len(wanted) // 2]) / 2
            else:
                middle = y[run[0]]
            at = max(low, min(high, middle))
            for n, v in enumerate(run):
                y[v] = at + shifts[n]
            start = stop


def unbend_wires(net: Net, y: list[float]) -> None:
    """Minimise the total vertical way of the wires by network simplex, from the balanced start.

    Gansner et al. (1993) place y this way too, with a helper node on every wire.  We do without: a wire is a
    spring that pulls its ends together with its weight, whatever its length, and that holds them with any force
    up to its weight once it is straight.  Neighbours in a column that touch hold against any pressure.  So the
    clusters are trees of straight wires and touching neighbours; a part that is pulled harder than its link holds
    tears off and moves until a wire becomes straight or a neighbour is in the way.  Only what is pulled
    moves: where many places are equally good, the balance of the start survives.

    Coordinates are whole hundredths meanwhile, so that "straight" and "touching" are exact.
    """
    count, real = len(net.rank), net.real
    half = [round(value * 100) for value in net.half]
    at = [round(value * 100) for value in y]
    above = [-1] * count
    below = [-1] * count
    for column in net.columns:
        for u, v in pairwise(column):
            above[v], below[u] = u, v
            at[v] = max(at[v], at[u] + half[u] + half[v])
    # Spring e pulls its head up (side 1) or down (side -1), and its tail the other way.
    tail: list[int] = []
    head: list[int] = []
    drop: list[int] = []  # from the head's centre to its port
    weight: list[int] = []
    side: list[int] = []
    springs: list[list[int]] = [[] for _ in range(count)]
    pull = [0] * count  # positive: downwards
    for v in range(count):
        for u, offset in zip(net.ins[v], net.offsets[v], strict=True):
            springs[u].append(len(tail))
            springs[v].append(len(tail))
            tail.append(u)
            head.append(v)
            drop.append(round(offset * 100))
            weight.append(2 if u >= real and v >= real else 1)
            side.append(1 if at[v] + drop[-1] >= at[u] else -1)
            pull[v] -= side[-1] * weight[-1]
            pull[u] += side[-1] * weight[-1]

    forest = Forest(pull)
    link, children = forest.link, forest.children
    inside = [0] * count
    budget = 60 * count  # five times as much makes the wires of 1,000 nodes 1 % straighter, in three times the time
    turn = 0
    sequence = [v for column in net.columns for v in column]
    while True:
        start = turn
        for v in sequence:
            force = pull[v]
            if force == 0:
                continue
            way, touch, ahead = (1, AHEAD, below) if force > 0 else (-1, BEHIND, above)
            hold = link[v]
            if hold == touch or (hold >= 0 and force * way <= weight[hold]):
                continue
            if hold >= 0:  # the wire bends: from now on it only pulls back
                force -= way * weight[hold]
                side[hold] = way if head[hold] == v else -way
            turn += 1
            part = [v]
            for u in part:
                inside[u] = turn
                if children[u]:
                    part += children[u]
            slack = 1 << 60
            near = anchor = -1
            new = NOWHERE
            for u in part:
                t = ahead[u]
                if t >= 0 and inside[t] != turn:
                    distance = (at[t] - at[u]) * way - half[u] - half[t]
                    if distance < slack:
                        slack, near, anchor, new = distance, u, t, touch
                for e in springs[u]:
                    t = tail[e]
                    if t == u:
                        t = head[e]
                        if side[e] != way or inside[t] == turn:
                            continue
                        distance = (at[t] + drop[e] - at[u]) * way
                    else:
                        if side[e] == way or inside[t] == turn:
                            continue
                        distance = (at[t] - drop[e] - at[u]) * way
                    if distance < slack:
                        slack, near, anchor, new = distance, u, t, e
            if slack:
                for u in part:
                    at[u] += slack * way
            forest.tear(v, force)
            forest.hang(v, near, anchor, new, force, way * weight[new] if new >= 0 else 0)
            budget -= 2 * len(part) + 10
            if forest.steps > budget:
                break
        sequence.reverse()
        if turn == start or forest.steps > budget:
            break
    for v in range(count):
        y[v] = at[v] / 100
