"""Question 2: where does a long wire pass a column?"""

from __future__ import annotations

from collections.abc import Sequence

from .net import DUMMY_HALF, Box, Net, Wire


def insert_trunks(boxes: Sequence[Box], wires: Sequence[Wire], ranks: list[int], box_gap: float) -> Net:
    """Give each exit of a box one trunk: a chain of dummies that all its long wires share, as a bus does.

    A trunk reaches as far as its exit's last consumer; the other wires branch off it one column before their
    target.  Fan-out thus costs one line instead of many, for the eye as for the running time.
    """
    count = len(boxes)
    rank = list(ranks)
    half = [(box.height + box_gap) / 2 for box in boxes]
    exits = [sorted(set(box.exits)) for box in boxes]
    lane_of = [[lanes.index(offset) for offset in box.exits] for box, lanes in zip(boxes, exits, strict=True)]
    last = [[rank[v]] * len(lanes) for v, lanes in enumerate(exits)]
    arrivals: list[list[tuple[float, int]]] = [[] for _ in boxes]
    for w, wire in enumerate(wires):
        lane = lane_of[wire.source][wire.exit]
        last[wire.source][lane] = max(last[wire.source][lane], rank[wire.target])
        arrivals[wire.target].append((boxes[wire.target].ports[wire.port], w))

    ins: list[list[int]] = [[] for _ in boxes]
    lanes: list[list[int]] = [[] for _ in boxes]
    drops: list[list[float]] = [[] for _ in boxes]
    owner = list(range(count))
    trunk: list[list[int]] = []  # per box and exit: the trunk's first dummy; the others follow consecutively
    for v in range(count):
        trunk.append([])
        for lane, end in enumerate(last[v]):
            trunk[v].append(len(rank))
            for r in range(rank[v] + 1, end):
                first = len(rank) == trunk[v][lane]
                ins.append([v if first else len(rank) - 1])
                lanes.append([lane if first else 0])
                drops.append([-exits[v][lane] if first else 0.0])
                rank.append(r)
                owner.append(v)
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
            lane = lane_of[source][wires[w].exit]
            gap = rank[t] - rank[source]
            u = source if gap == 1 else trunk[source][lane] + gap - 2
            if door < 0 or (offset > before and not boxes[t].commutes):
                door += 1
            before = offset
            entry[w] = k
            ins[t].append(u)
            offsets[t].append(offset)
            lanes[t].append(lane if gap == 1 else 0)
            drops[t].append(offset - exits[source][lane] if gap == 1 else offset)
            outs[u].append((t, k, door))
    columns: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for v, several in enumerate(exits):
        if len(several) > 1:
            outs[v].sort(key=lambda out: lanes[out[0]][out[1]])
    ways = [len(several) for several in exits] + [1] * (len(rank) - count)
    zeros = [0] * len(rank)
    return Net(
        count,
        rank,
        half,
        ins,
        offsets,
        lanes,
        drops,
        outs,
        ways,
        owner,
        entry,
        columns,
        zeros,
        list(zeros),
        list(zeros),
    )
