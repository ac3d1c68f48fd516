"""Question 1: in which column does a box stand?"""

from __future__ import annotations

from collections.abc import Sequence

from .net import Wire
from .simplex import AHEAD, BEHIND, Forest


def assign_ranks(count: int, wires: Sequence[Wire]) -> list[int]:
    """The column of every box: wires go right and are short.

    To start with, every box stands as far right as its consumers let it, which suits leaves, and then those with
    more operands than consumers as far left as their operands let them.  `shorten_wires` does the rest.
    """
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for wire in wires:
        before[wire.target].append(wire.source)
        after[wire.source].append(wire.target)
    order = topological_order(before, after)

    rank = [0] * count
    for v in reversed(order):
        for t in after[v]:
            if rank[t] <= rank[v]:
                rank[v] = rank[t] - 1
    for v in order:
        if len(before[v]) > len(after[v]):
            rank[v] = max([rank[u] for u in before[v]]) + 1
    shorten_wires(rank, order, before, after)
    lowest = min(rank, default=0)
    return [r - lowest for r in rank]


def earliest_ranks(count: int, wires: Sequence[Wire]) -> list[int]:
    """Another answer: every box as far left as its operands let it, a leaf right before its first consumer.

    Wires are longer, the columns other ones, and now and then fewer wires cross.
    """
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for wire in wires:
        before[wire.target].append(wire.source)
        after[wire.source].append(wire.target)
    rank = [0] * count
    for v in topological_order(before, after):
        rank[v] = max([rank[u] + 1 for u in before[v]], default=0)
    for v in range(count):
        if not before[v]:
            rank[v] = min([rank[t] for t in after[v]], default=1) - 1
    return rank


def narrow_ranks(heights: Sequence[float], wires: Sequence[Wire], most: float, gap: float) -> list[int]:
    """Columns that are no higher than ``most``, where boxes of these heights allow it: then there are more of them.

    From the end: every box stands as far right as its consumers and the room that is left in a column let it. A bound
    on the boxes of a column is that of Coffman and Graham (1972).
    """
    before: list[list[int]] = [[] for _ in heights]
    after: list[list[int]] = [[] for _ in heights]
    for wire in wires:
        before[wire.target].append(wire.source)
        after[wire.source].append(wire.target)
    rank, used = [0] * len(heights), dict[int, float]()  # both from the end
    for v in reversed(topological_order(before, after)):
        at = max([rank[t] + 1 for t in after[v]], default=0)
        while at in used and used[at] + gap + heights[v] > most:
            at += 1
        used[at] = used.get(at, -gap) + gap + heights[v]
        rank[v] = at
    last = max(rank, default=0)
    return [last - r for r in rank]


def topological_order(before: list[list[int]], after: list[list[int]]) -> list[int]:
    """Every box after the boxes that feed it (Kahn 1962)."""
    waiting = [len(sources) for sources in before]
    order = [v for v, n in enumerate(waiting) if n == 0]
    for v in order:
        for t in after[v]:
            waiting[t] -= 1
            if waiting[t] == 0:
                order.append(t)
    if len(order) < len(before):
        raise ValueError("the wires form a cycle: there is no left to right")
    return order


def shorten_wires(rank: list[int], order: list[int], before: list[list[int]], after: list[list[int]]) -> None:
    """Minimise the total length of the wires by network simplex.

    Boxes hang together by tight wires, those of length 1.  A part that is pulled more to one side than to the other
    moves until its next wire becomes tight.  We start from single boxes, each a cluster of its own.  When nothing
    moves any more the total is minimal; the budget cuts only huge graphs short, at ranks that are valid and nearly
    as good.
    """
    # The pull of a box: (wires in) - (wires out), by weight.  Positive: it wants to go left.  Wires that will share a
    # trunk weigh less, 2 against 3: of w -> w*h -> +, repeated along a chain, the wires from w should be the long ones.
    weight = [3 if len(targets) == 1 else 2 for targets in after]
    forest = Forest([sum([weight[u] for u in before[v]]) - weight[v] * len(after[v]) for v in range(len(rank))])
    pull, link, inside = forest.pull, forest.link, forest.inside
    budget = 500 * len(rank)
    # Leaves first: what has thousands of them would else be looked at again for each.
    sequence = [v for v in order if not before[v]] + [v for v in reversed(order) if before[v]]
    turn = -1
    while turn < forest.turn:  # until nothing moved in a whole round
        turn = forest.turn
        for v in sequence:
            force = pull[v]
            if force == 0 or link[v] == (BEHIND if force > 0 else AHEAD):
                continue
            part = forest.part(v)
            now = forest.turn
            slack, near, anchor = len(rank) + 1, -1, -1
            for u in part:
                for t in before[u] if force > 0 else after[u]:
                    distance = abs(rank[u] - rank[t]) - 1
                    if inside[t] != now and distance < slack:
                        slack, near, anchor = distance, u, t
            if slack:
                way = -slack if force > 0 else slack
                for u in part:
                    rank[u] += way
            forest.tear(v, force)
            forest.hang(v, near, anchor, BEHIND if force > 0 else AHEAD, force)
            forest.steps += len(part)
            if forest.steps > budget:
                return
