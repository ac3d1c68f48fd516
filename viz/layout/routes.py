"""Question 5: at which x does each column stand, and how does each wire run?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import add, sub

from .net import DUMMY_HALF, Box, Layout, Net, Point, Wire

Bezier = tuple[Point, Point, Point, Point]


def draw(
    boxes: Sequence[Box], wires: Sequence[Wire], net: Net, y: list[float], crossings: int, rank_gap: float
) -> Layout:
    """Give each column its x and each wire its route."""
    count = len(boxes)
    half = [box.height / 2 for box in boxes] + [DUMMY_HALF] * (len(y) - count)
    top = min(map(sub, y, half), default=0.0)
    bottom = max(map(add, y, half), default=0.0)
    sides = column_sides(boxes, net, y, rank_gap)
    centre_x = [round(sum(sides[r]) / 2, 2) for r in net.rank[:count]]
    centre_y = [round(value - top, 2) for value in y]
    return Layout(
        sides[-1][1] if sides else 0.0,
        round(bottom - top, 2),
        centre_x,
        centre_y[:count],
        net.rank[:count],
        wire_routes(boxes, wires, net, sides, centre_x, centre_y),
        crossings,
    )


def column_sides(boxes: Sequence[Box], net: Net, y: list[float], rank_gap: float) -> list[tuple[float, float]]:
    """The left and the right side of each column: where wires climb far, they have more room to the next."""
    sides: list[tuple[float, float]] = []
    at = 0.0
    for column in net.columns:
        width = max([boxes[v].width for v in column if v < net.real], default=0.0)
        climb = max([abs(y[t] + net.drops[t][k] - y[v]) for v in column for t, k, _ in net.outs[v]], default=0.0)
        sides.append((round(at, 2), round(at + width, 2)))
        at += width + max(rank_gap, min(4 * rank_gap, 0.25 * climb))
    return sides


def wire_routes(
    boxes: Sequence[Box],
    wires: Sequence[Wire],
    net: Net,
    sides: list[tuple[float, float]],
    x: list[float],
    y: list[float],
) -> list[list[Point]]:
    """The points of every wire.  A trunk's bends are found once; each wire takes those before it branches off."""
    edge = [round(x[u] + box.width / 2, 2) for u, box in enumerate(boxes)]
    trunks: list[list[Point]] = [[]] * net.real  # per node: the bends of its trunk
    reach = [1] * len(y)  # and how many of them lie at or before it
    for dummy in range(net.real, len(y)):  # trunk by trunk, from left to right
        u, r = net.ins[dummy][0], net.rank[dummy]
        if u == dummy - 1 and u >= net.real:
            trunk = trunks[u]
        elif u < net.real:
            trunk = [(edge[u], round(y[u] - net.drops[dummy][0], 2))]
        else:  # a fork
            trunk = trunks[u][: reach[u]]
        if y[dummy] != trunk[-1][1]:
            add_step(trunk, (sides[r - 1][1], trunk[-1][1]), (sides[r][0], y[dummy]))
        trunks.append(trunk)
        reach[dummy] = len(trunk)

    routes: list[list[Point]] = []
    for wire, k in zip(wires, net.entry, strict=True):
        t, r, source = wire.target, net.rank[wire.target], wire.source
        last = net.ins[t][k]
        if last < net.real:
            route = [(edge[source], round(y[source] + boxes[source].exits[wire.exit], 2))]
        else:
            route = trunks[last][: reach[last]]
        end = (round(x[t] - boxes[t].width / 2, 2), round(y[t] + net.offsets[t][k], 2))
        if end[1] != route[-1][1]:
            add_step(route, (sides[r - 1][1], route[-1][1]), (min(sides[r][0], end[0]), end[1]))
        if route[-1] != end:
            route.append(end)
        routes.append(route)
    return routes


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
    for start, end in pairwise(route):
        middle = round((start[0] + end[0]) / 2, 2)
        segments.append((start, (middle, start[1]), (middle, end[1]), end))
    return segments
