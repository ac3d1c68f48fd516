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
    trunks = _Trunks(boxes, wires, ranks, strands, forks or {})
    trunks.lay()
    trunks.arrive()
    return trunks.net(box_gap)


class _Trunks:
    """What a `Net` is made of, while it is made: of every box, and after them of every dummy."""

    def __init__(
        self,
        boxes: Sequence[Box],
        wires: Sequence[Wire],
        ranks: list[int],
        strands: Sequence[int],
        forks: Mapping[int, tuple[int, int]],
    ) -> None:
        self.boxes, self.strands, self.forks, self.rank = boxes, strands, forks, list(ranks)
        self.exits = [sorted(set(box.exits)) if len(box.exits) > 1 else [*box.exits] for box in boxes]
        lane_of = [[lanes.index(offset) for offset in box.exits] for box, lanes in zip(boxes, self.exits, strict=True)]
        self.last: list[dict[tuple[int, int], int]] = [{} for _ in boxes]  # of the trunk for a lane and a strand
        self.arrivals: list[list[tuple[float, int, int, int]]] = [[] for _ in boxes]
        for w, wire in enumerate(wires):
            source, target = wire.source, wire.target
            lane = lane_of[source][wire.exit]
            key = lane, strands[w] if strands else 0
            if ranks[target] > self.last[source].get(key, 0):
                self.last[source][key] = ranks[target]
            self.arrivals[target].append((boxes[target].ports[wire.port], w, source, lane))
        self.ins: list[list[int]] = [[] for _ in boxes]
        self.lanes: list[list[int]] = [[] for _ in boxes]
        self.drops: list[list[float]] = [[] for _ in boxes]
        self.owner = list(range(len(boxes)))
        self.entry = [0] * len(wires)
        self.trunks: list[dict[tuple[int, int], Sequence[int]]] = []  # the dummies of each, from left to right

    def lay(self) -> None:
        """The dummies, trunk by trunk."""
        rank, ins, lanes, drops = self.rank, self.ins, self.lanes, self.drops
        for v, last in enumerate(self.last):
            mine: dict[tuple[int, int], Sequence[int]] = {}
            for lane, strand in sorted(last) if len(last) > 1 else last:
                end, first = last[lane, strand], len(rank)
                other, shared = self.forks.get(strand, (0, 0))
                start = rank[v] + 1 + shared
                length = end - start
                mine[lane, strand] = range(first, first + length)
                if length > 0:
                    ins += [[v], *[[dummy] for dummy in range(first, first + length - 1)]]
                    lanes += [[lane], *[[0] for _ in range(length - 1)]]
                    drops += [[-self.exits[v][lane]], *[[0.0] for _ in range(length - 1)]]
                    rank += range(start, end)
                    self.owner += [v] * length
                if shared:
                    along = mine[lane, other][:shared]
                    mine[lane, strand] = [*along, *mine[lane, strand]]
                    if length > 0:
                        ins[first], lanes[first], drops[first] = [along[-1]], [0], [0.0]
            self.trunks.append(mine)

    def arrive(self) -> None:
        """The ends of the wires, from the trunks or at once, at the doors of their targets."""
        rank, ins, lanes, drops, strands = self.rank, self.ins, self.lanes, self.drops, self.strands
        self.offsets: list[list[float]] = [[0.0] * len(sources) for sources in ins]
        self.outs: list[list[tuple[int, int, int]]] = [[] for _ in rank]
        for dummy in range(len(self.boxes), len(rank)):
            self.outs[ins[dummy][0]].append((dummy, 0, 0))
        for t, arriving in enumerate(self.arrivals):
            arriving.sort()
            door, before, commutes = -1, 0.0, self.boxes[t].commutes
            for k, (offset, w, source, lane) in enumerate(arriving):
                gap = rank[t] - rank[source]
                if door < 0 or (offset > before and not commutes):
                    door += 1
                before = offset
                self.entry[w] = k
                if gap == 1:
                    u = source
                    lanes[t].append(lane)
                    drops[t].append(offset - self.exits[source][lane])
                else:
                    u = self.trunks[source][lane, strands[w] if strands else 0][gap - 2]
                    lanes[t].append(0)
                    drops[t].append(offset)
                ins[t].append(u)
                self.offsets[t].append(offset)
                self.outs[u].append((t, k, door))
        for v, several in enumerate(self.exits):
            if len(several) > 1:
                self.outs[v].sort(key=lambda out: lanes[out[0]][out[1]])

    def net(self, box_gap: float) -> Net:
        dummies = len(self.rank) - len(self.boxes)
        half = [*[(box.height + box_gap) / 2 for box in self.boxes], *[DUMMY_HALF] * dummies]
        ways = [*map(len, self.exits), *[1] * dummies]
        columns: list[list[int]] = [[] for _ in range(max(self.rank, default=-1) + 1)]
        zeros = [0] * len(self.rank)
        return Net(
            len(self.boxes), self.rank, half, self.ins, self.offsets, self.lanes, self.drops, self.outs, ways,
            self.owner, self.entry, columns, zeros, list(zeros), list(zeros),
        )  # fmt: skip
