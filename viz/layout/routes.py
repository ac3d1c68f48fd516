"""Question 5: at which x does each column stand, and how does each wire run?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .net import DUMMY_HALF, Box, Layout, Net, Point, Wire

__all__ = ["draw", "smooth"]

Bezier = tuple[Point, Point, Point, Point]


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
