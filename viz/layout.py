"""Where to draw each box of a graph: a layered layout in pure Python (Sugiyama, Tagawa and Toda 1981).

The picture flows from left to right.  Five questions are answered one after the other, each by a few small
functions, and each answer is the input of the next:

1. *rank*: in which column does a box stand?          -> columns in which every wire goes to the right
2. *trunk*: where does a long wire pass a column?      -> dummy nodes, so that wires join adjacent columns only
3. *order*: in which order do a column's nodes stand?  -> few crossings
4. *height*: at which y does each node stand?          -> straight wires, gates centred on their inputs
5. *columns*: at which x does each column stand?       -> room for the wires to bend

Everything is deterministic: plain loops over lists, no sets, no hashing, no clock.  Effort is limited by a
count of operations, never by seconds, so the same graph gives the same floats on every machine.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

__all__ = ["Box", "Layout", "Wire", "layered", "smooth"]

Point = tuple[float, float]
Bezier = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle to place.

    Flow goes left to right: wires leave at the middle of the right side and enter the left side at a port.
    `ports` holds the y offset of each port from the box's centre, one per operand, in operand order.
    """

    width: float
    height: float
    ports: tuple[float, ...] = (0.0,)


@dataclass(frozen=True, slots=True)
class Wire:
    """A wire from the right side of box `source` to port number `port` of box `target`."""

    source: int
    target: int
    port: int


@dataclass(slots=True)
class Layout:
    """A placed graph.  `x` and `y` are the centres of the boxes; y grows downwards, as in SVG."""

    width: float
    height: float
    x: list[float]
    y: list[float]
    rank: list[int]
    routes: list[list[Point]]
    crossings: int


def layered(
    boxes: Sequence[Box], wires: Sequence[Wire], *, rank_gap: float = 28, box_gap: float = 14
) -> Layout:
    """Place `boxes` in columns so that every wire runs from left to right.

    `rank_gap` is the least distance between two columns (it grows where wires climb far), `box_gap` the least
    distance between two boxes of one column.  Raises ValueError when the wires form a cycle.
    """
    rank = assign_ranks(len(boxes), wires)
    net = insert_trunks(boxes, wires, rank, box_gap)
    crossings = reduce_crossings(net)
    y = assign_heights(net)
    return draw(boxes, wires, net, y, crossings, rank_gap)


# --- 1. rank ------------------------------------------------------------------------------------------------


def assign_ranks(count: int, wires: Sequence[Wire]) -> list[int]:
    """The column of every box: wires go right and are short.

    Longest-path ranks come first; then every box moves to where its wires are shortest while its neighbours
    stay, a descent on the objective of Gansner, Koutsofios, North and Vo (1993).
    """
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for wire in wires:
        before[wire.target].append(wire.source)
        after[wire.source].append(wire.target)
    order = topological_order(before, after)

    rank = [0] * count
    for v in order:
        for u in before[v]:
            if rank[u] >= rank[v]:
                rank[v] = rank[u] + 1
    shorten_wires(rank, order, before, after)
    return rank


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
    """Move single boxes right or left while this shortens the wires.

    A leaf with one consumer follows that consumer wherever it goes, so it does not hold it back.
    """
    follows = [not before[v] and len(after[v]) == 1 for v in range(len(rank))]
    for _ in range(8):
        moved = False
        for v in reversed(order):
            if not after[v]:
                continue
            pull = len(after[v])
            for u in before[v]:
                if not follows[u]:
                    pull -= 1
            room = min([rank[t] for t in after[v]]) - 1
            if pull > 0 and room > rank[v]:
                rank[v] = room
                moved = True
        for v in order:
            if not before[v]:
                continue
            pull = -len(after[v])
            room = 0
            for u in before[v]:
                if not follows[u]:
                    pull += 1
                    if rank[u] >= room:
                        room = rank[u] + 1
            if pull > 0 and room < rank[v]:
                for u in before[v]:
                    if follows[u] and rank[u] >= room:
                        room = rank[u] + 1
                if room < rank[v]:
                    rank[v] = room
                    moved = True
        if not moved:
            break
    lowest = min(rank, default=0)
    for v in range(len(rank)):
        rank[v] -= lowest


# --- 2. trunk -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Net:
    """The graph with a dummy node wherever a wire passes a column: every edge joins adjacent columns.

    Nodes 0 .. real-1 are the boxes, the others are dummies.  The edges into a node are numbered from top to
    bottom: edge k into node v comes from `ins[v][k]`, at `offsets[v][k]` below v's centre.
    """

    real: int
    rank: list[int]
    half: list[float]  # half of the height that a node keeps free, gaps included
    ins: list[list[int]]
    offsets: list[list[float]]
    outs: list[list[tuple[int, int]]]  # (target, k)
    trunk: list[int]  # per box: its first dummy, or -1; the others follow consecutively
    columns: list[list[int]]  # the nodes of each rank, from top to bottom: what `reduce_crossings` decides
    place: list[int]  # a node's position in its column
    slot: list[int]  # the number of edges that enter its column above the node


DUMMY_HALF = 5.0


def insert_trunks(boxes: Sequence[Box], wires: Sequence[Wire], rank: list[int], box_gap: float) -> Net:
    """Give each box one trunk: a chain of dummies that all its long wires share, as a bus does.

    A trunk reaches as far as its box's last consumer; the other wires branch off it one column before their
    target.  Fan-out thus costs one line instead of many, for the eye as for the crossing count.
    """
    count = len(boxes)
    rank = list(rank)
    half = [(box.height + box_gap) / 2 for box in boxes]
    ins: list[list[int]] = [[] for _ in boxes]
    offsets: list[list[float]] = [[] for _ in boxes]
    last = list(rank)
    for wire in wires:
        if rank[wire.target] > last[wire.source]:
            last[wire.source] = rank[wire.target]

    trunk = [-1] * count
    for v in range(count):
        previous = v
        for r in range(rank[v] + 1, last[v]):
            dummy = len(rank)
            if previous == v:
                trunk[v] = dummy
            rank.append(r)
            half.append(DUMMY_HALF)
            ins.append([previous])
            offsets.append([0.0])
            previous = dummy

    arrivals: list[list[tuple[float, int]]] = [[] for _ in boxes]
    for wire in wires:
        u, t = wire.source, wire.target
        gap = rank[t] - rank[u]
        arrivals[t].append((boxes[t].ports[wire.port], u if gap == 1 else trunk[u] + gap - 2))
    for t in range(count):
        arrivals[t].sort()
        for offset, u in arrivals[t]:
            ins[t].append(u)
            offsets[t].append(offset)

    outs: list[list[tuple[int, int]]] = [[] for _ in rank]
    for t in range(len(rank)):
        for k, u in enumerate(ins[t]):
            outs[u].append((t, k))
    columns: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    return Net(count, rank, half, ins, offsets, outs, trunk, columns, [0] * len(rank), [0] * len(rank))


# --- 3. order -----------------------------------------------------------------------------------------------


def reduce_crossings(net: Net) -> int:
    """Order every column so that few wires cross; return how many still do."""
    set_columns(net, columns_from(net, operands_first(net)))
    budget = 60 * len(net.rank) + 60000
    best = count_crossings(net)
    best_columns = [list(column) for column in net.columns]
    starts = 0
    while True:
        spent, crossings = improve(net, budget)
        budget -= spent
        if crossings < best:
            best = crossings
            best_columns = [list(column) for column in net.columns]
        starts += 1
        if best == 0 or budget <= 0 or starts > 3:
            break
        barycentre_sweep(net, starts % 2 == 1)
    set_columns(net, best_columns)
    return best


def improve(net: Net, budget: int) -> tuple[int, int]:
    """Sift all columns, back and forth, until nothing improves; return (operations spent, crossings)."""
    spent = 0
    crossings = count_crossings(net)
    ranks = list(range(len(net.columns)))
    while crossings > 0:
        gain = 0
        for r in ranks:
            work, g = sift_column(net, r, 40)
            spent += work
            gain += g
        crossings -= gain
        ranks.reverse()
        if gain == 0 or spent > budget:
            break
    return spent, crossings


def operands_first(net: Net) -> list[int]:
    """Depth-first postorder from the outputs, operands from top to bottom: an expression tree's plane order."""
    seen = [False] * len(net.rank)
    found: list[int] = []
    for root in range(len(net.rank)):
        if net.outs[root] or seen[root]:
            continue
        stack = [root]
        while stack:
            v = stack.pop()
            if v < 0:
                found.append(~v)
            elif not seen[v]:
                seen[v] = True
                stack.append(~v)
                stack.extend(reversed(net.ins[v]))
    return found


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
    place, slot, ins = net.place, net.slot, net.ins
    edges = 0
    for i, v in enumerate(column):
        place[v] = i
        slot[v] = edges
        edges += len(ins[v])


def count_crossings(net: Net) -> int:
    """All crossings between adjacent columns."""
    total = 0
    for column in net.columns:
        total += count_gap(net, column)
    return total


def count_gap(net: Net, column: list[int]) -> int:
    """Crossings right of one column: inversions among the slots its edges go to (Barth et al. 2002)."""
    slot = net.slot
    seen: list[int] = []
    total = 0
    for v in column:
        for s in sorted([slot[t] + k for t, k in net.outs[v]]):
            total += len(seen) - bisect_right(seen, s)
            insort(seen, s)
    return total


def barycentre_sweep(net: Net, rightwards: bool) -> None:
    """Order each column by the mean place of its neighbours in the column before (Sugiyama et al. 1981).

    Nodes without such neighbours keep their places.
    """
    ranks = range(1, len(net.columns)) if rightwards else range(len(net.columns) - 2, -1, -1)
    place, slot = net.place, net.slot
    for r in ranks:
        column = net.columns[r]
        keyed: list[tuple[float, int, int]] = []
        for i, v in enumerate(column):
            if rightwards:
                near = [place[u] for u in net.ins[v]]
            else:
                near = [slot[t] + k for t, k in net.outs[v]]
            if near:
                keyed.append((sum(near) / len(near), i, v))
        free = [i for _, i, _ in keyed]
        keyed.sort()
        column = list(column)
        for i, (_, _, v) in zip(free, keyed, strict=True):
            column[i] = v
        set_column(net, r, column)


def preference(keys: list[int], size: int) -> list[int]:
    """For a node whose edges end at `keys`: at index b, (edges ending below b) minus (edges ending above b), negated.

    An edge of another node that ends at b adds this much when the node moves from above it to below it.
    """
    table: list[int] = []
    value = -len(keys)
    for a in sorted(keys):
        if a < len(table):  # a second edge to the same place
            table[-1] += 1
        else:
            table += [value] * (a - len(table))
            table.append(value + 1)
        value += 2
    table += [value] * (size - len(table))
    return table


def sift_column(net: Net, r: int, window: int) -> tuple[int, int]:
    """Move each node of a column to its best place while the others stay (Matuszewski et al. 1999).

    Returns (operations, crossings removed).
    """
    column = net.columns[r]
    if len(column) < 2:
        return 1, 0
    place, slot = net.place, net.slot
    left_size = len(net.columns[r - 1]) if r > 0 else 0
    right_size = 0
    if r + 1 < len(net.columns):
        end = net.columns[r + 1][-1]
        right_size = slot[end] + len(net.ins[end])
    none = left_size + right_size
    # Per node, two edges to the left and two to the right as four table indices; further edges are rare.
    ends: list[list[int]] = []
    lefts: list[list[int]] = []
    rights: list[list[int]] = []
    quads: list[tuple[int, int, int, int]] = []
    more: dict[int, list[int]] = {}
    for v in column:
        left = [place[u] for u in net.ins[v]]
        right = [slot[t] + k for t, k in net.outs[v]]
        lefts.append(left)
        rights.append(right)
        a = left[0] if left else none
        b = left[1] if len(left) > 1 else none
        c = right[0] + left_size if right else none
        d = right[1] + left_size if len(right) > 1 else none
        quads.append((a, b, c, d))
        if len(left) > 2 or len(right) > 2:
            more[v] = left[2:] + [s + left_size for s in right[2:]]
    work = 0
    gain = 0
    now = list(column)
    where = {v: i for i, v in enumerate(now)}
    rows = list(quads)
    changed = False
    for j, v in enumerate(column):
        left, right = lefts[j], rights[j]
        if not left and not right:
            continue
        table = preference(left, left_size) if left else [0] * left_size
        table += preference(right, right_size) if right else [0] * right_size
        table.append(0)
        i = now.index(v)
        low = max(0, i - window)
        high = i + window + 1
        row = [table[a] + table[b] + table[c] + table[d] for a, b, c, d in rows[low:high]]
        work += len(row)
        if more:
            for n, u in enumerate(now[low:high]):
                if u in more:
                    for e in more[u]:
                        row[n] += table[e]
        row[i - low] = 0
        costs = list(accumulate(row, initial=0))
        least = min(costs)
        if least < costs[i - low]:
            gain += costs[i - low] - least
            to = costs.index(least) + low
            # costs has one entry before each element and one at the end; v itself is one of the elements
            if to > i:
                to -= 1
            now.insert(to, now.pop(i))
            rows.insert(to, rows.pop(i))
            changed = True
    if changed:
        set_column(net, r, now)
    del ends, where
    return work + len(column), gain


# --- 4. height ----------------------------------------------------------------------------------------------


def assign_heights(net: Net) -> list[float]:
    """The y of every node: rank-wise least squares first, then straight segments."""
    y = [0.0] * len(net.rank)
    for column in net.columns:
        top = 0.0
        for v in column:
            y[v] = top + net.half[v]
            top += 2 * net.half[v]
        for v in column:
            y[v] -= top / 2
    for _ in range(2):
        for column in net.columns:
            relax_column(net, y, column, 1.0, 0.0)
        for column in reversed(net.columns):
            relax_column(net, y, column, 0.0, 1.0)
    for column in net.columns:
        relax_column(net, y, column, 1.0, 1.0)
    for column in reversed(net.columns):
        relax_column(net, y, column, 1.0, 1.0)
    segments = straight_segments(net)
    for _ in range(3):
        straighten(net, y, segments)
        segments.reverse()
    return y


def relax_column(net: Net, y: list[float], column: list[int], from_left: float, from_right: float) -> None:
    """Least-squares positions of one column under the order of its nodes: isotonic regression (PAVA).

    Minimises the sum of (y - wanted)^2 where y_i+1 - y_i is at least the space that both nodes need.
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
            for t, k in outs[v]:
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
        for t, _ in outs:
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
                for t, k in outs[v]:
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


# --- 5. columns ---------------------------------------------------------------------------------------------


def draw(
    boxes: Sequence[Box], wires: Sequence[Wire], net: Net, y: list[float], crossings: int, rank_gap: float
) -> Layout:
    """Give each column its x and each wire its route."""
    count = len(boxes)
    widths = [0.0] * len(net.columns)
    climbs = [0.0] * len(net.columns)
    top = bottom = 0.0
    for v, box in enumerate(boxes):
        widths[net.rank[v]] = max(widths[net.rank[v]], box.width)
    for v in range(len(net.rank)):
        for t, k in net.outs[v]:
            climb = abs(y[t] + net.offsets[t][k] - y[v])
            if climb > climbs[net.rank[v]]:
                climbs[net.rank[v]] = climb
    if count:
        top = min([y[v] - (boxes[v].height / 2 if v < count else DUMMY_HALF) for v in range(len(y))])
        bottom = max([y[v] + (boxes[v].height / 2 if v < count else DUMMY_HALF) for v in range(len(y))])
    left: list[float] = []
    right: list[float] = []
    at = 0.0
    for r, width in enumerate(widths):
        left.append(round(at, 2))
        right.append(round(at + width, 2))
        at += width + max(rank_gap, min(4 * rank_gap, 0.25 * climbs[r]))
    centre_y = [round(value - top, 2) for value in y]
    centre_x = [round((left[net.rank[v]] + right[net.rank[v]]) / 2, 2) for v in range(count)]

    routes: list[list[Point]] = []
    for wire in wires:
        u, t = wire.source, wire.target
        route = [(round(centre_x[u] + boxes[u].width / 2, 2), centre_y[u])]
        if route[0][0] < right[net.rank[u]]:
            route.append((right[net.rank[u]], centre_y[u]))
        for r in range(net.rank[u] + 1, net.rank[t]):
            dummy = net.trunk[u] + r - net.rank[u] - 1
            route.append((left[r], centre_y[dummy]))
            if right[r] > left[r]:
                route.append((right[r], centre_y[dummy]))
        port = round(centre_y[t] + boxes[t].ports[wire.port], 2)
        edge = round(centre_x[t] - boxes[t].width / 2, 2)
        if left[net.rank[t]] < edge:
            route.append((left[net.rank[t]], port))
        route.append((edge, port))
        routes.append(route)
    return Layout(
        right[-1] if right else 0.0,
        round(bottom - top, 2),
        centre_x,
        centre_y[:count],
        net.rank[:count],
        routes,
        crossings,
    )


def smooth(route: Sequence[Point]) -> list[Bezier]:
    """A route as cubic Bezier segments with a horizontal tangent at every point.

    Each segment's control points lie halfway between its ends, so x never runs back.
    """
    segments: list[Bezier] = []
    for (x0, y0), (x1, y1) in zip(route, route[1:], strict=False):
        middle = round((x0 + x1) / 2, 2)
        segments.append(((x0, y0), (middle, y0), (middle, y1), (x1, y1)))
    return segments
