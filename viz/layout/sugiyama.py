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
from itertools import accumulate, pairwise

__all__ = ["Box", "Layout", "Wire", "layered", "smooth"]

Point = tuple[float, float]
Bezier = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle to place.

    Flow goes left to right: wires leave at the middle of the right side and enter the left side at a port.
    `ports` holds the y offset of each port from the box's centre, one per operand, in operand order.  When the
    operation commutes and the drawing need not show which operand is which, `commutes` lets its wires swap ports:
    about a third fewer crossings.
    """

    width: float
    height: float
    ports: tuple[float, ...] = (0.0,)
    commutes: bool = False


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
    boxes: Sequence[Box],
    wires: Sequence[Wire],
    *,
    rank_gap: float = 28,
    box_gap: float = 14,
    at_start: Sequence[int] = (),
) -> Layout:
    """Place `boxes` in columns so that every wire runs from left to right.

    `rank_gap` is the least distance between two columns (it grows where wires climb far), `box_gap` the least
    distance between two boxes of one column.  The boxes numbered in `at_start`, which nothing may feed, stand in the
    first column however far away they are used.  Raises ValueError when the wires form a cycle.
    """
    rank = assign_ranks(len(boxes), wires)
    for v in at_start:
        rank[v] = 0
    net = insert_trunks(boxes, wires, rank, box_gap)
    crossings = reduce_crossings(net)
    assign_ports(net, boxes)
    y = assign_heights(net)
    return draw(boxes, wires, net, y, crossings, rank_gap)


# --- 1. rank ------------------------------------------------------------------------------------------------


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
    """Minimise the total length of the wires by network simplex (Gansner, Koutsofios, North and Vo 1993).

    Boxes hang together in clusters: trees of tight wires, those of length 1.  A part of a cluster that is pulled
    more to one side than to the other, and that no link holds, tears off, moves until its next wire becomes tight,
    and hangs on there.  We start from single boxes, each a cluster of its own.  When nothing moves any more the
    total is minimal; the budget cuts only huge graphs short, at ranks that are valid and nearly as good.
    """
    # The pull of a box: (wires in) - (wires out), by weight.  Positive: it wants to go left.  Wires that will share a
    # trunk weigh less, 2 against 3: of w -> w*h -> +, repeated along a chain, the wires from w should be the long ones.
    weight = [3 if len(targets) == 1 else 2 for targets in after]
    forces = [-weight[v] * len(after[v]) for v in range(len(rank))]
    for v, sources in enumerate(before):
        for u in sources:
            forces[v] += weight[u]
    forest = Forest(forces)
    pull, link, children = forest.pull, forest.link, forest.children
    inside = [0] * len(rank)  # the turn in which a box was last part of what moved
    budget = 500 * len(rank)
    turn = 0
    while True:
        start = turn
        for v in reversed(order):
            force = pull[v]
            if force == 0 or link[v] == (BEHIND if force > 0 else AHEAD):
                continue
            turn += 1
            part = [v]
            for u in part:
                inside[u] = turn
                part += children[u]
            slack = len(rank)
            near = anchor = -1
            for u in part:
                for t in before[u] if force > 0 else after[u]:
                    distance = abs(rank[u] - rank[t]) - 1
                    if inside[t] != turn and distance <= slack:
                        slack, near, anchor = distance, u, t
            if slack:
                way = -slack if force > 0 else slack
                for u in part:
                    rank[u] += way
            forest.tear(v, force)
            forest.hang(v, near, anchor, BEHIND if force > 0 else AHEAD, force, 0)
            budget -= len(part)
            if forest.steps > budget:
                return
        if turn == start:
            return


AHEAD, BEHIND, NOWHERE = -1, -2, -3  # where a node's parent is: it holds the node on that side


class Forest:
    """The clusters of a network simplex: trees whose links carry the forces that act on their nodes.

    `pull[v]` is the force on the whole subtree under v, so it is what the link from v to its parent must hold.
    Keeping these sums up to date takes one walk to the root per change.
    """

    __slots__ = ("children", "link", "parent", "pull", "steps")

    def __init__(self, pull: list[int]) -> None:
        self.pull = pull
        self.parent = [-1] * len(pull)
        self.link = [NOWHERE] * len(pull)  # AHEAD, BEHIND, or the number of a straight wire (`unbend_wires`)
        self.children: list[list[int]] = [[] for _ in pull]
        self.steps = 0

    def tear(self, v: int, force: int) -> None:
        """Cut the link above v; its former ancestors no longer feel `force`."""
        parent, pull = self.parent, self.pull
        p = parent[v]
        if p >= 0:
            self.children[p].remove(v)
            parent[v] = -1
            self.link[v] = NOWHERE
        while p >= 0:
            pull[p] -= force
            p = parent[p]
            self.steps += 1

    def hang(self, v: int, near: int, anchor: int, link: int, force: int, eased: int) -> None:
        """Hang the tree of root v up by its node `near` at `anchor`: the links from near to v turn round.

        `force` is the pull on the tree, of which the new link takes over `eased` at `near` itself.
        """
        parent, pull, children, links = self.parent, self.pull, self.children, self.link
        child, up, held = near, anchor, eased
        while True:
            old_parent, old_link, old_pull = parent[child], links[child], pull[child]
            parent[child], links[child], pull[child] = up, link, force - held
            children[up].append(child)
            if child == v:
                break
            children[old_parent].remove(child)
            held = old_pull  # what hung below, seen from the next node on the way to v, is now above it
            link = BEHIND if old_link == AHEAD else AHEAD if old_link == BEHIND else old_link
            child, up = old_parent, child
        p = anchor
        while p >= 0:
            pull[p] += force
            p = parent[p]
            self.steps += 1


# --- 2. trunk -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Net:
    """The graph with a dummy node wherever a wire passes a column: every edge joins adjacent columns.

    Nodes 0 .. real-1 are the boxes, the others are dummies.  Edge k into node v comes from `ins[v][k]` and enters
    at `offsets[v][k]` below v's centre; from top to bottom, it is the edge at `door` number `outs[...][2]`.
    """

    real: int
    rank: list[int]
    half: list[float]  # half of the height that a node keeps free, half a gap included
    ins: list[list[int]]
    offsets: list[list[float]]
    outs: list[list[tuple[int, int, int]]]  # (target v, its k, door)
    trunk: list[int]  # per box: its first dummy, or -1; the others follow consecutively
    entry: list[int]  # per wire: its k at its target
    columns: list[list[int]]  # the nodes of each rank, from top to bottom: `reduce_crossings` decides them
    place: list[int]  # a node's position in its column
    slot: list[int]  # the number of doors above the node in its column


DUMMY_HALF = 5.0  # wires keep 10 from one another, and 5 plus half a gap from boxes


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
            half.append(DUMMY_HALF)
            ins.append([v if dummy == trunk[v] else dummy - 1])
    offsets: list[list[float]] = [[0.0] * len(sources) for sources in ins]
    outs: list[list[tuple[int, int, int]]] = [[] for _ in rank]
    for dummy in range(count, len(rank)):
        outs[ins[dummy][0]].append((dummy, 0, 0))

    entry = [0] * len(wires)
    for t in range(count):
        door = -1
        before = 0.0
        for k, (offset, w) in enumerate(sorted(arrivals[t])):
            u = wires[w].source
            gap = rank[t] - rank[u]
            if gap > 1:
                u = trunk[u] + gap - 2
            if door < 0 or (offset > before and not boxes[t].commutes):
                door += 1
            before = offset
            entry[w] = k
            ins[t].append(u)
            offsets[t].append(offset)
            outs[u].append((t, k, door))
    columns: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    return Net(count, rank, half, ins, offsets, outs, trunk, entry, columns, [0] * len(rank), [0] * len(rank))


def assign_ports(net: Net, boxes: Sequence[Box]) -> None:
    """Let the wires into a box that commutes take its ports in the order in which they arrive."""
    for t, box in enumerate(boxes):
        if box.commutes:
            sources, offsets = net.ins[t], net.offsets[t]
            arrival = sorted(range(len(sources)), key=lambda k: (net.place[sources[k]], k))
            for k, offset in zip(arrival, sorted(offsets), strict=True):
                offsets[k] = offset


# --- 3. order -----------------------------------------------------------------------------------------------


def reduce_crossings(net: Net) -> int:
    """Order every column so that few wires cross; return how many still do.

    The problem is NP-hard (Garey and Johnson 1983), so we search while the budget lasts: first from many orders
    of the whole graph, then by shaking a few columns at a time, and always keep the best.
    """
    set_columns(net, columns_from(net, operands_first(net)))
    size = len(net.rank)
    # In units of about 0.1 us: 3 ms for 30 boxes, 0.2 s for some hundred, then about 40 us for every box.
    enough = max(12_000, 12_000 * net.real - 400_000)
    least = min(200 * size, 400 * net.real)  # dummies take their share, up to a point
    budget = max(least, min(4000 * size - 150_000, enough, 2_400_000 - 1700 * net.real))
    best, spent = shake_everything(net, count_crossings(net), budget // 2)
    if size <= SMALL:
        best = start_afresh(net, best, max(16_000, budget // 4))
    shake_locally(net, best, budget - spent)
    return count_crossings(net)


SMALL = 200  # nodes, dummies included: there a random start is cheap, and now and then the best


def start_afresh(net: Net, best: int, budget: int) -> int:
    """Sweep and sift from a few random orders; keep the best order of all in the net, return its crossings."""
    best_columns = list(net.columns)
    everything = range(len(net.columns))
    sequence = list(range(len(net.rank)))
    seed = 3
    for _ in range(8):
        if best == 0 or budget < 0:
            break
        for i in range(len(sequence) - 1, 0, -1):  # the shuffle of Fisher and Yates
            seed = (seed * 1103515245 + 12345) % 2147483648
            k = (seed >> 8) % (i + 1)
            sequence[i], sequence[k] = sequence[k], sequence[i]
        set_columns(net, columns_from(net, sequence))
        barycentre_sweep(net, everything, True)
        barycentre_sweep(net, everything, False)
        work, _ = settle(net, list(everything), budget)
        budget -= work + 30 * len(sequence)
        crossings = count_crossings(net)
        if crossings < best:
            best = crossings
            best_columns = list(net.columns)
    set_columns(net, best_columns)
    return best


def shake_everything(net: Net, best: int, budget: int) -> tuple[int, int]:
    """Alternate barycentre sweeps over the whole graph, which forget much, with sifting, which repairs.

    Every second sweep starts from the best order so far, the others from the last.  Leaves the best order in
    the net and returns (its crossings, operations spent).
    """
    count = len(net.columns)
    crossings = best
    best_columns = list(net.columns)
    spent = 0
    for attempt in range(20):
        if attempt:
            if attempt % 2 == 0:
                set_columns(net, best_columns)
            barycentre_sweep(net, range(count), (attempt - 1) % 4 >= 2)
            crossings = count_crossings(net)
            spent += 10 * len(net.rank)
        work, gain = settle(net, list(range(count)), budget - spent)
        spent += work
        crossings -= gain
        if crossings <= best:
            best = crossings
            best_columns = list(net.columns)
        if best == 0 or spent > budget:
            break
    set_columns(net, best_columns)
    return best, spent


def shake_locally(net: Net, best: int, budget: int) -> None:
    """Sweep over one to six neighbouring columns, sift, and take it back when crossings were gained by it.

    An iterated local search (Lourenco, Martin and Stuetzle 2003): a trial costs a few columns only, so that a large
    graph gets many of them.  The columns come from a linear congruential generator with a fixed seed.
    """
    columns = net.columns
    count = len(columns)
    best_columns = list(columns)
    seed = 1
    rightwards = False
    while best > 0 and budget > 0:
        seed = (seed * 1103515245 + 12345) % 2147483648
        first = (seed >> 8) % count
        span = range(first, min(count, first + 1 + (seed >> 20) % 6))
        affected = columns[max(0, first - 1) : span.stop]
        change = 0
        for column in affected:
            change -= count_gap(net, column)
        barycentre_sweep(net, span, rightwards)
        affected = columns[max(0, first - 1) : span.stop]
        for column in affected:
            change += count_gap(net, column)
            budget -= 10 * len(column)
        work, gain = settle(net, list(span), budget)
        budget -= work + 100 + count  # every column is looked at once below
        rightwards = not rightwards
        if change - gain <= 0:
            best += change - gain
            best_columns = list(columns)
        else:
            for r, column in enumerate(best_columns):
                if columns[r] is not column:
                    set_column(net, r, column)


def settle(net: Net, ranks: list[int], budget: int) -> tuple[int, int]:
    """Sift these columns, then all beside which something improved, until nothing improves.

    Returns (operations spent, crossings removed).
    """
    count = len(net.columns)
    spent = gain = 0
    last = False
    while ranks and spent < budget:
        again = [False] * (count + 2)
        spent += count // 2
        for r in ranks:
            work, removed = sift_column(net, r, last)
            spent += work
            if removed:
                gain += removed
                again[r] = again[r + 1] = again[r + 2] = True
        ranks = [r for r in range(count) if again[r + 1]]
        last = not last
        if not last:
            ranks.reverse()
    return spent, gain


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
    """Crossings right of one column: inversions in the sequence of the slots that its edges go to.

    Barth, Juenger and Mutzel (2002) count them with an accumulator tree in O(E log V).  A sorted list and binary
    search make as many comparisons and move some memory; written in Python this is 2-3 times as fast as the tree
    up to 3,000 edges per gap and still faster at 10,000 (0.9 against 1.4 us per edge).
    """
    slot = net.slot
    seen: list[int] = []
    total = 0
    for v in column:
        for s in sorted([slot[t] + k for t, _, k in net.outs[v]]):
            total += len(seen) - bisect_right(seen, s)
            insort(seen, s)
    return total


def barycentre_sweep(net: Net, span: range, rightwards: bool) -> None:
    """Order each column by the mean place of its neighbours in the column before (Sugiyama et al. 1981).

    Nodes without such neighbours keep their places.
    """
    ranks = span if rightwards else reversed(span)
    place, slot = net.place, net.slot
    for r in ranks:
        column = net.columns[r]
        keyed: list[tuple[float, int, int]] = []
        for i, v in enumerate(column):
            near = [place[u] for u in net.ins[v]] if rightwards else [slot[t] + k for t, _, k in net.outs[v]]
            if near:
                keyed.append((sum(near) / len(near), i, v))
        free = [i for _, i, _ in keyed]
        keyed.sort()
        column = list(column)
        for i, (_, _, v) in zip(free, keyed, strict=True):
            column[i] = v
        set_column(net, r, column)


def preference(keys: list[int], size: int) -> list[int]:
    """What an edge of another node costs when it moves from above this node to below it, by where it ends.

    The edges of this node end at `keys`.  An edge that ends at b crosses those that end above b when it starts
    below this node, and those that end below b when it starts above: entry b is the difference.
    """
    if len(keys) == 1:
        a = keys[0]
        return [-1] * a + [0] + [1] * (size - a - 1)
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


SIFT_WINDOW = 40  # places up and down that a node may move at once
SIFT_LIMIT = 4000  # larger columns are left as they are: sifting takes quadratic time


def sift_column(net: Net, r: int, last: bool) -> tuple[int, int]:
    """Move each node of a column to its best place while the others stay (Matuszewski et al. 1999).

    Among equally good places the first or the last one is taken: walking over such plateaus opens new ways down.
    Returns (operations, crossings removed).
    """
    column = net.columns[r]
    size = len(column)
    if size < 2 or size > SIFT_LIMIT:
        return 1, 0
    place, slot, all_ins, all_outs = net.place, net.slot, net.ins, net.outs
    left_size = len(net.columns[r - 1]) if r > 0 else 0
    right_size = 0
    if r + 1 < len(net.columns):
        end = net.columns[r + 1][-1]
        right_size = slot[end] + len(net.ins[end])
    none = left_size + right_size
    # A node's edges as indices into the tables below: the first two on each side, `none` where there is no edge.
    rows: list[tuple[int, int, int, int]] = []
    lefts: list[list[int]] = []
    rights: list[list[int]] = []
    more: dict[int, list[int]] = {}
    for v in column:
        left = [place[u] for u in all_ins[v]]
        right = [slot[t] + k for t, _, k in all_outs[v]]
        lefts.append(left)
        rights.append(right)
        n = len(left)
        a = left[0] if n else none
        b = left[1] if n > 1 else none
        m = len(right)
        c = right[0] + left_size if m else none
        d = right[1] + left_size if m > 1 else none
        rows.append((a, b, c, d))
        if n > 2 or m > 2:
            more[v] = left[2:] + [s + left_size for s in right[2:]]
    work = 40 * size  # what a node costs besides its row, in the time of a row's entry
    gain = 0
    now = list(column)
    changed = False
    for v, left, right in zip(column, lefts, rights, strict=True):
        table = preference(left, left_size) if left else [0] * left_size
        table += preference(right, right_size) if right else [0] * right_size
        table.append(0)
        i = now.index(v)
        low = max(0, i - SIFT_WINDOW)
        row = [table[a] + table[b] + table[c] + table[d] for a, b, c, d in rows[low : i + SIFT_WINDOW + 1]]
        work += len(row)
        if more:
            for n, u in enumerate(now[low : low + len(row)]):
                if u in more:
                    for e in more[u]:
                        row[n] += table[e]
        at = i - low
        row[at] = 0
        costs = list(accumulate(row, initial=0))
        least = min(costs)
        if last:
            to = len(row)
            while costs[to] != least:
                to -= 1
        else:
            to = costs.index(least)
        if to != at and to != at + 1:
            gain += costs[at] - least
            to += low
            if to > i:  # places are counted with v still in the list
                to -= 1
            now.insert(to, now.pop(i))
            rows.insert(to, rows.pop(i))
            changed = True
    if changed:
        set_column(net, r, now)
    return work, gain


# --- 4. height ----------------------------------------------------------------------------------------------


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
        for t, k, _ in net.outs[v]:
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

    # A trunk's bends are found once; each of its wires takes the bends up to where it branches off.
    bends: list[list[Point]] = []
    reach = [1] * len(y)  # per node: how many of its trunk's bends lie at or before it
    for u in range(count):
        r, height = net.rank[u], centre_y[u]
        bend = [(round(centre_x[u] + boxes[u].width / 2, 2), height)]
        dummy = net.trunk[u]
        while dummy >= 0:
            r += 1
            if centre_y[dummy] != height:
                add_step(bend, (right[r - 1], height), (left[r], centre_y[dummy]))
                height = centre_y[dummy]
            reach[dummy] = len(bend)
            following = [t for t, _, _ in net.outs[dummy] if t >= count]
            dummy = following[0] if following else -1
        bends.append(bend)

    routes: list[list[Point]] = []
    for w, wire in enumerate(wires):
        u, t = wire.source, wire.target
        r = net.rank[t]
        last = net.ins[t][net.entry[w]]
        route = bends[u][: reach[last]]
        port = round(centre_y[t] + net.offsets[t][net.entry[w]], 2)
        end = (round(centre_x[t] - boxes[t].width / 2, 2), port)
        if port != centre_y[last]:
            add_step(route, (right[r - 1], centre_y[last]), (min(left[r], end[0]), port))
        if route[-1] != end:
            route.append(end)
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


def add_step(route: list[Point], start: Point, end: Point) -> None:
    """Let a route run level up to `start` and climb from there to `end`."""
    if start[0] > route[-1][0]:
        route.append(start)
    route.append(end)


def smooth(route: Sequence[Point]) -> list[Bezier]:
    """A route as cubic Bezier segments with a horizontal tangent at every point.

    Each segment's control points lie halfway between its ends, so x never runs back.
    """
    segments: list[Bezier] = []
    for (x0, y0), (x1, y1) in pairwise(route):
        middle = round((x0 + x1) / 2, 2)
        segments.append(((x0, y0), (middle, y0), (middle, y1), (x1, y1)))
    return segments
