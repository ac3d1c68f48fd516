"""Question 2: where does a long wire pass a column?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .net import DUMMY_HALF, Box, Net, Wire


def insert_trunks(
    boxes: Sequence[Box],
    wires: Sequence[Wire],
    ranks: list[int],
    box_gap: float,
    strands: Sequence[int] = (),
    forks: Mapping[int, tuple[int, int]] | None = None,
) -> Net:
    """Give each exit of a box one trunk: a chain of dummies that all its long wires share, as a bus does.

    A trunk reaches as far as its exit's last consumer; the other wires branch off it one column before their
    target.  Fan-out thus costs one line instead of many, for the eye as for the running time.

    With ``strands``, a number for each wire, only wires of one exit that have the same number share a trunk. A trunk
    that is among the ``forks`` leaves another one, with a lower number, after so many of its dummies.
    """
    count = len(boxes)
    rank = list(ranks)
    half = [(box.height + box_gap) / 2 for box in boxes]
    exits = [sorted(set(box.exits)) if len(box.exits) > 1 else [*box.exits] for box in boxes]
    lane_of = [[lanes.index(offset) for offset in box.exits] for box, lanes in zip(boxes, exits, strict=True)]
    last: list[dict[tuple[int, int], int]] = [{} for _ in boxes]  # of the trunk for a lane and a strand
    arrivals: list[list[tuple[float, int, int, int]]] = [[] for _ in boxes]
    for w, wire in enumerate(wires):
        source, target = wire.source, wire.target
        lane = lane_of[source][wire.exit]
        key = lane, strands[w] if strands else 0
        if rank[target] > last[source].get(key, 0):
            last[source][key] = rank[target]
        arrivals[target].append((boxes[target].ports[wire.port], w, source, lane))

    ins: list[list[int]] = [[] for _ in boxes]
    lanes: list[list[int]] = [[] for _ in boxes]
    drops: list[list[float]] = [[] for _ in boxes]
    owner = list(range(count))
    trunks: list[dict[tuple[int, int], Sequence[int]]] = []  # the dummies of each, from left to right
    for v in range(count):
        mine: dict[tuple[int, int], Sequence[int]] = {}
        for lane, strand in sorted(last[v]) if len(last[v]) > 1 else last[v]:
            end, first = last[v][lane, strand], len(rank)
            other, shared = forks.get(strand, (0, 0)) if forks else (0, 0)
            start = rank[v] + 1 + shared
            length = end - start
            mine[lane, strand] = range(first, first + length)
            if length > 0:
                ins += [[v], *[[dummy] for dummy in range(first, first + length - 1)]]
                lanes += [[lane], *[[0] for _ in range(length - 1)]]
                drops += [[-exits[v][lane]], *[[0.0] for _ in range(length - 1)]]
                rank += range(start, end)
                owner += [v] * length
            if shared:
                along = mine[lane, other][:shared]
                mine[lane, strand] = [*along, *mine[lane, strand]]
                if length > 0:
                    ins[first], lanes[first], drops[first] = [along[-1]], [0], [0.0]
        trunks.append(mine)
    half += [DUMMY_HALF] * (len(rank) - count)
    offsets: list[list[float]] = [[0.0] * len(sources) for sources in ins]
    outs: list[list[tuple[int, int, int]]] = [[] for _ in rank]
    for dummy in range(count, len(rank)):
        outs[ins[dummy][0]].append((dummy, 0, 0))

    entry = [0] * len(wires)
    for t, arriving in enumerate(arrivals):
        arriving.sort()
        door, before, commutes = -1, 0.0, boxes[t].commutes
        for k, (offset, w, source, lane) in enumerate(arriving):
            gap = rank[t] - rank[source]
            if door < 0 or (offset > before and not commutes):
                door += 1
            before = offset
            entry[w] = k
            if gap == 1:
                u = source
                lanes[t].append(lane)
                drops[t].append(offset - exits[source][lane])
            else:
                u = trunks[source][lane, strands[w] if strands else 0][gap - 2]
                lanes[t].append(0)
                drops[t].append(offset)
            ins[t].append(u)
            offsets[t].append(offset)
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
