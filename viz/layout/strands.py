"""Question 2 once more: would fewer wires cross if one of them left the trunk that it shares?

All wires of an exit run along one trunk as far as they can: fewer lines for the eye.  But then none of them can pass a
box on the other side, and a wire that crosses the trunk crosses them all.  So where wires cross a trunk, we take one of
its wires out and look for its best way through the columns, all else staying where it is.  That is a shortest path,
from column to column, past as few wires as can be (as when an edge is put back into a drawing; Gutwenger, Mutzel and
Weiskircher 2005).  It stays out if that saves crossings.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from .annealing import SCALE, Edge
from .shifts import Feed, Shifts, crossings

DUMMY = 2  # what a wire of its own costs in each column that it passes, where a crossing costs `SCALE`


def split(net: Shifts, effort: int) -> None:
    """Look at the wires of each trunk in turn, as long as they pass no more columns together than the effort allows."""
    for e in range(net.count, len(net.source)):
        for feed in net.feeds[e][:] if len(net.feeds[e]) > 1 else ():
            if effort <= 0:
                return
            if len(net.feeds[e]) > 1:
                effort -= part(net, e, feed)


def part(net: Shifts, e: int, feed: Feed) -> int:
    """Let a wire have a strand of its own, if that saves crossings; return how many columns were looked at for it."""
    t, door, k = feed
    source = net.source[e]
    start, end = net.rank[source], net.rank[t]
    path = [source, *[e] * (end - start - 1), t]
    if len(path) == 2 or not any(edge in net.crossed_in(r) for r, edge in enumerate(pairwise(path), start)):
        return 0
    before = sum(net.crossings[start:end])
    columns, at = net.columns[start : end + 1], net.feeds[e].index(feed)
    beside = [column.index(e) if e in column else 0 for column in columns]
    net.feeds[e].remove(feed)
    old, net.last[e] = net.last[e], net.end_of(e)
    rest = [
        column if r < net.last[e] or r in (start, end) else [v for v in column if v != e]
        for r, column in enumerate(columns, start)
    ]
    gaps = [net.edges(r, column) for r, column in enumerate(rest[:-1], start)]
    saved = SCALE * (before - sum(crossings(rest, gaps))) - DUMMY * (end - start - 1)
    if saved > 0:
        cost, way = best_way(rest, gaps, (source, net.lane[e]), (t, door), beside)
        saved -= SCALE * cost
    if saved <= 0:
        net.feeds[e].insert(at, feed)
        net.last[e] = old
        return len(path)
    new = len(net.source)
    net.source.append(source)
    net.lane.append(net.lane[e])
    net.feeds.append([feed])
    net.last.append(end)
    net.exits[source].append(new)
    net.inputs[t][k] = new
    columns = [rest[0], *[[*c[:i], new, *c[i:]] for c, i in zip(rest[1:-1], way, strict=True)], rest[-1]]
    net.columns[start : end + 1] = columns
    gaps = [net.edges(r, column) for r, column in enumerate(columns[:-1], start)]
    net.crossings[start:end] = crossings(columns, gaps)
    net.crossed.clear()
    return len(path)


def best_way(
    columns: Sequence[list[int]],
    gaps: Sequence[list[Edge]],
    start: tuple[int, int],
    end: tuple[int, int],
    beside: Sequence[int],
) -> tuple[int, list[int]]:
    """How many wires must be crossed on the way from an exit of a box in the first column to a door of one in the last,
    and before which node to pass each column between; where several ways are as good, near the places ``beside``."""
    places = [{v: i for i, v in enumerate(column)} for column in columns]
    near = 4 * sum(map(len, columns))  # a crossing weighs more than all distances to the places
    # Those edges that end above a place are crossed by a wire that comes from below them, and the other way round.
    v, lane = start
    above, below = [0] * len(columns[1]), [0] * len(columns[1])
    for u, other, t, _, load in gaps[0]:
        if u != v or other != lane:
            ends = above if (places[0][u], other) < (places[0][v], lane) else below
            ends[places[1][t]] += near * load
    costs = list(accumulate([b - a for a, b in zip(above, below, strict=True)], initial=sum(above)))
    steps: list[list[int]] = []
    for r in range(1, len(gaps)):
        costs = [cost + abs(i - beside[r]) for i, cost in enumerate(costs)]
        if r < len(gaps) - 1:
            costs, step = across(costs, gaps[r], places[r], places[r + 1], near)
            steps.append(step)
    v, door = end
    last = places[-1][v], door
    edges: list[int] = [0] * len(columns[-2])
    cost = 0
    for u, _, t, other, load in gaps[-1]:
        if (places[-1][t], other) < last:
            cost += near * load
            edges[places[-2][u]] -= near * load
        elif (places[-1][t], other) > last:
            edges[places[-2][u]] += near * load
    costs = [c + more for c, more in zip(costs, accumulate(edges, initial=cost), strict=True)]
    best = min(costs)
    way = [costs.index(best)]
    for step in reversed(steps):
        way.append(step[way[-1]])
    return best // near, way[::-1]


def across(
    costs: Sequence[int], gap: list[Edge], at_left: dict[int, int], at_right: dict[int, int], weight: int
) -> tuple[list[int], list[int]]:
    """For each place in the next column what it costs to come there, and from which place in this one."""
    ends: list[list[tuple[int, int]]] = [[] for _ in at_left]
    above, below = [0] * len(at_right), [0] * len(at_right)
    for u, _, t, _, load in gap:
        ends[at_left[u]].append((at_right[t], weight * load))
        below[at_right[t]] += weight * load
    found: list[int] = []
    step: list[int] = []
    for i, cost in enumerate(costs):
        if i:
            for t, load in ends[i - 1]:
                above[t] += load
                below[t] -= load
        here = accumulate([b - a for a, b in zip(above, below, strict=True)], initial=cost + sum(above))
        if not found:
            found, step = list(here), [0] * (len(at_right) + 1)
            continue
        for j, c in enumerate(here):
            if c < found[j]:
                found[j], step[j] = c, i
    return found, step
