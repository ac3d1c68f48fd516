"""The five questions of the layout, asked in order."""

from __future__ import annotations

from collections.abc import Sequence

from .heights import assign_heights
from .net import Box, Layout, Wire
from .order import Ordering, assign_ports
from .ranks import assign_ranks, earliest_ranks
from .routes import draw
from .trunks import insert_trunks

TWO_RANKINGS = 70  # boxes: so small a graph is tried with two
TRIAL, THEN = 0.15, 0.85  # of the effort for one: that for each of two, and then for the better one


def layered(
    boxes: Sequence[Box],
    wires: Sequence[Wire],
    *,
    rank_gap: float = 28,
    box_gap: float = 14,
    at_start: Sequence[int] = (),
    at_end: Sequence[int] = (),
) -> Layout:
    """Place `boxes` in columns so that every wire runs from left to right.

    `rank_gap` is the least distance between two columns (it grows where wires climb far), `box_gap` the least
    distance between two boxes of one column.  The boxes numbered in `at_start`, which nothing may feed, stand in the
    first column however far away they are used; those in `at_end`, which may feed nothing, in the last one.  Raises
    ValueError when the wires form a cycle.
    """
    ends = at_start, at_end
    is_small = len(boxes) <= TWO_RANKINGS
    effort = TRIAL if is_small else 1.0
    found = ordered(boxes, wires, assign_ranks(len(boxes), wires), box_gap, ends, effort)
    if found.crossings and is_small:
        other = ordered(boxes, wires, earliest_ranks(len(boxes), wires), box_gap, ends, effort)
        if other.crossings < found.crossings:
            found = other
        found.improve(THEN)
    net = found.net
    assign_ports(net, boxes)
    y = assign_heights(net)
    return draw(boxes, wires, net, y, found.crossings, rank_gap)


def ordered(
    boxes: Sequence[Box],
    wires: Sequence[Wire],
    rank: list[int],
    box_gap: float,
    ends: tuple[Sequence[int], Sequence[int]],
    effort: float,
) -> Ordering:
    """The net of a ranking with its columns in order; ``ends`` stand outermost."""
    for v in ends[0]:
        rank[v] = 0
    for v in ends[1]:
        rank[v] = max(rank)
    found = Ordering(insert_trunks(boxes, wires, rank, box_gap))
    found.improve(effort)
    return found
