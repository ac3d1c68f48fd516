"""Question 2: where does a long wire pass a column?"""

from __future__ import annotations

from collections.abc import Sequence

from .net import DUMMY_HALF, Box, Net, Wire


def insert_trunks(boxes: Sequence[Box], wires: Sequence[Wire], ranks: list[int], box_gap: float) -> Net:
    """Give each box one trunk: a chain of dummies that all its long wires share, as a bus does.

    A trunk reaches as far as its box's last consumer; the other wires branch off it one column before their
    target.  Fan-out thus costs one line instead of many, for the eye as for the running time.
    """
    count = len(boxes)
    rank = list(ranks)
    half = [(box.height + box_gap) / 2 for box in boxes]
    last = list(ranks)
    arrivals: list[list[tuple[float, int]]] = [[] for _ in boxes]
    for w, wire in enumerate(wires):
        last[wire.source] = max(last[wire.source], rank[wire.target])
        arrivals[wire.target].append((boxes[wire.target].ports[wire.port], w))

    ins: list[list[int]] = [[] for _ in boxes]
    trunk = [-1] * count
    for v in range(count):
        for r in range(rank[v] + 1, last[v]):
            dummy = len(rank)
            if trunk[v] < 0:
                trunk[v] = dummy
            rank.append(r)
            ins.append([v if dummy == trunk[v] else dummy - 1])
    half += [DUMMY_HALF] * (len(rank) - count)
    offsets: list[list[float]] = [[0.0] * len(sources) for sources in ins]
    outs: list[list[tuple[int, int, int]]] = [[] for _ in rank]
    for dummy in range(count, len(rank)):
        outs[ins[dummy][0]].append((dummy, 0, 0))

    entry = [0] * len(wires)
    for t in range(count):
        door, before = -1, 0.0
        for k, (offset, w) in enumerate(sorted(arrivals[t])):
            source = wires[w].source
            gap = rank[t] - rank[source]
            u = source if gap == 1 else trunk[source] + gap - 2
            if door < 0 or (offset > before and not boxes[t].commutes):
                door += 1
            before = offset
            entry[w] = k
            ins[t].append(u)
            offsets[t].append(offset)
            outs[u].append((t, k, door))
    columns: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    return Net(count, rank, half, ins, offsets, outs, trunk, entry, columns, [0] * len(rank), [0] * len(rank))
