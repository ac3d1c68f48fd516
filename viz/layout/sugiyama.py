"""The five questions of the layout, asked in order."""

from __future__ import annotations

from collections.abc import Sequence

from .heights import assign_heights
from .net import Box, Layout, Net, Wire
from .order import assign_ports, reduce_crossings
from .ranks import assign_ranks, earliest_ranks
from .routes import draw
from .trunks import insert_trunks

TWO_RANKINGS = 45  # boxes: so small a graph is tried with two


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
    net, crossings = ordered(boxes, wires, assign_ranks(len(boxes), wires), box_gap, ends)
    if crossings and len(boxes) <= TWO_RANKINGS:
        other, fewer = ordered(boxes, wires, earliest_ranks(len(boxes), wires), box_gap, ends)
        if fewer < crossings:
            net, crossings = other, fewer
    assign_ports(net, boxes)
    y = assign_heights(net)
    return draw(boxes, wires, net, y, crossings, rank_gap)


def ordered(
    boxes: Sequence[Box],
    wires: Sequence[Wire],
    rank: list[int],
    box_gap: float,
    ends: tuple[Sequence[int], Sequence[int]],
) -> tuple[Net, int]:
    """The net of a ranking with its columns in order, and how many of its wires cross; ``ends`` stand outermost."""
    for v in ends[0]:
        rank[v] = 0
    for v in ends[1]:
        rank[v] = max(rank)
    net = insert_trunks(boxes, wires, rank, box_gap)
    return net, reduce_crossings(net)
