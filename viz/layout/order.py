"""Question 3: in which order do the nodes of a column stand?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from .net import Box, Net


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
        affected = slice(max(0, first - 1), span.stop)
        change = -sum([count_gap(net, column) for column in columns[affected]])
        barycentre_sweep(net, span, rightwards)
        change += sum([count_gap(net, column) for column in columns[affected]])
        budget -= 10 * sum(map(len, columns[affected]))
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
    slot = net.slot
    seen: list[int] = []
    total = 0
    for v in column:
        ends = [slot[t] + door for t, _, door in net.outs[v]]
        if net.exits[v] == 1:
            ends.sort()
        else:  # exit by exit: the wires of different exits may cross
            lanes = [net.lanes[t][k] for t, k, _ in net.outs[v]]
            ends = [s for _, s in sorted(zip(lanes, ends, strict=True))]
        for s in ends:
            at = bisect_right(seen, s)
            total += len(seen) - at
            seen.insert(at, s)
    return total


def barycentre_sweep(net: Net, span: range, rightwards: bool) -> None:
    """Order each column by the mean place of its neighbours in the column before (Sugiyama et al. 1981).

    Nodes without such neighbours keep their places.
    """
    ranks = span if rightwards else reversed(span)
    lane, slot = net.lane, net.slot
    for r in ranks:
        column = net.columns[r]
        keyed: list[tuple[float, int, int]] = []
        for i, v in enumerate(column):
            if rightwards:
                near = [lane[u] + way for u, way in zip(net.ins[v], net.lanes[v], strict=True)]
            else:
                near = [slot[t] + door for t, _, door in net.outs[v]]
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
    if not keys:
        return [0] * size
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
    lefts, left_size, rights, right_size = edge_ends(net, r)
    rows, more = edge_rows(column, lefts, rights, left_size, left_size + right_size)
    work = 40 * size  # what a node costs besides its row, in the time of a row's entry
    gain = 0
    now = list(column)
    for v, left, right in zip(column, lefts, rights, strict=True):
        table = preference(left, left_size)
        table += preference(right, right_size)
        table.append(0)
        i = now.index(v)
        low = max(0, i - SIFT_WINDOW)
        row = [table[a] + table[b] + table[c] + table[d] for a, b, c, d in rows[low : i + SIFT_WINDOW + 1]]
        if more:
            for n, u in enumerate(now[low : low + len(row)]):
                if u in more:
                    for e in more[u]:
                        row[n] += table[e]
        work += len(row)
        at = i - low
        row[at] = 0
        costs = list(accumulate(row, initial=0))
        least = min(costs)
        to = len(row) - costs[::-1].index(least) if last else costs.index(least)
        if to != at and to != at + 1:
            gain += costs[at] - least
            to += low - (to > at)  # places are counted with v still in the list
            now.insert(to, now.pop(i))
            rows.insert(to, rows.pop(i))
    if now != column:
        set_column(net, r, now)
    return work, gain


def edge_ends(net: Net, r: int) -> tuple[list[list[int]], int, list[list[int]], int]:
    """Where the edges of each node of a column end, at its left and at its right, and how many places are there."""
    lane, lanes, slot, ins, outs = net.lane, net.lanes, net.slot, net.ins, net.outs
    column = net.columns[r]
    lefts = [[lane[u] + way for u, way in zip(ins[v], lanes[v], strict=True)] for v in column]
    rights = [[slot[t] + door for t, _, door in outs[v]] for v in column]
    start = net.columns[r - 1][-1] if r > 0 else -1
    left_size = lane[start] + net.exits[start] if r > 0 else 0
    if r + 1 == len(net.columns):
        return lefts, left_size, rights, 0
    end = net.columns[r + 1][-1]
    return lefts, left_size, rights, slot[end] + len(ins[end])


def edge_rows(
    column: list[int], lefts: list[list[int]], rights: list[list[int]], shift: int, none: int
) -> tuple[list[tuple[int, int, int, int]], dict[int, list[int]]]:
    """A node's edges as indices into a table of preferences, where those at the right stand after `shift` others.

    The first two on each side, `none` where there is no edge; and the others of the nodes that have more.
    """
    rows: list[tuple[int, int, int, int]] = []
    more: dict[int, list[int]] = {}
    for v, left, right in zip(column, lefts, rights, strict=True):
        n, m = len(left), len(right)
        rows.append((left[0] if n else none, left[1] if n > 1 else none,
                     right[0] + shift if m else none, right[1] + shift if m > 1 else none))  # fmt: skip
        if n > 2 or m > 2:
            more[v] = left[2:] + [s + shift for s in right[2:]]
    return rows, more


def assign_ports(net: Net, boxes: Sequence[Box]) -> None:
    """Let the wires into a box that commutes take its ports in the order in which they arrive."""
    for t, box in enumerate(boxes):
        if box.commutes:
            sources, offsets, drops = net.ins[t], net.offsets[t], net.drops[t]
            arrival = sorted(range(len(sources)), key=lambda k: (net.lane[sources[k]] + net.lanes[t][k], k))
            for k, offset in zip(arrival, sorted(offsets), strict=True):
                drops[k] = offset + (drops[k] - offsets[k])
                offsets[k] = offset
