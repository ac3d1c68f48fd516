"""The five questions of the layout, asked in order."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .heights import assign_heights, squeeze
from .net import Box, Layout, Net, Wire
from .order import Ordering, assign_ports, tries
from .ranks import assign_ranks, earliest_ranks, narrow_ranks
from .routes import draw
from .shifts import Shifts
from .strands import split
from .trunks import insert_trunks

TWO_RANKINGS = 70  # boxes: so small a graph is tried with two
MOVING = 300  # boxes: in a graph that is not larger, they may move to other columns
NARROWER = (1.0, 0.85, 0.7)  # of the height of a picture, for the boxes of a column: trunks need some, too
# Of the effort for an order: for each of two rankings, for a single one; and for the better one after the moves.
TRIAL, SINGLE, AFTER = 0.5, 0.5, 0.6
# A look at a move for so many swaps, in larger graphs for more and more; and at least so many, or so many divided by
# the number of boxes or crossings: one crossing more or less of two matters, of twenty hardly.
SWAPS, LOOKS, FEWEST, FEW = 1000, 70_000, 8, 120
PASSED = 600_000  # columns, divided by boxes, that wires pass which are looked at for ways of their own
WIDER = 1.15  # how many columns there may be after the moves, for each that there was


def layered(
    boxes: Sequence[Box],
    wires: Sequence[Wire],
    *,
    rank_gap: float = 28,
    box_gap: float = 14,
    at_start: Sequence[int] = (),
    at_end: Sequence[int] = (),
    most: float = math.inf,
) -> Layout:
    """Place `boxes` in columns so that every wire runs from left to right.

    `rank_gap` is the least distance between two columns (it grows where wires climb far), `box_gap` the least
    distance between two boxes of one column.  The boxes numbered in `at_start`, which nothing may feed, stand in the
    first column however far away they are used; those in `at_end`, which may feed nothing, in the last one.  If the
    picture would be higher than `most`, its columns hold fewer boxes, where that helps.  Raises ValueError when the
    wires form a cycle.
    """
    ends = at_start, at_end
    is_small, may_move = len(boxes) <= TWO_RANKINGS, len(boxes) <= MOVING
    effort = TRIAL if is_small else SINGLE if may_move else 1.0
    found = ordered(boxes, wires, assign_ranks(len(boxes), wires), box_gap, ends, effort)
    if found.crossings and is_small:
        ranks = earliest_ranks(len(boxes), wires)
        if ranks != found.net.rank[: len(boxes)]:
            other = ordered(boxes, wires, ranks, box_gap, ends, effort)
            if other.crossings < found.crossings:
                found = other
    if found.crossings and may_move:
        found = shifted(boxes, wires, found, box_gap, ends)
    drawn = finished(boxes, wires, found.net, found.crossings, rank_gap, most)
    for part in NARROWER:
        if drawn.height <= most:
            break
        ranks = narrow_ranks([box.height for box in boxes], wires, part * most, box_gap)
        found = ordered(boxes, wires, ranks, box_gap, ends, TRIAL)
        narrow = finished(boxes, wires, found.net, found.crossings, rank_gap, most)
        if narrow.height < drawn.height:
            drawn = narrow
    return drawn


def shifted(
    boxes: Sequence[Box],
    wires: Sequence[Wire],
    found: Ordering,
    box_gap: float,
    ends: tuple[Sequence[int], Sequence[int]],
) -> Ordering:
    """Move boxes to the columns beside theirs, and wires out of their trunks, where fewer wires cross then; search on
    from there."""
    net = found.net
    most = len(net.columns) if ends[1] else round(WIDER * len(net.columns))  # what stands at the end stays there
    shifts = Shifts(net, {*ends[0], *ends[1]}, most)
    few = max(FEWEST, FEW // min(net.real, found.crossings))
    shifts.search(max(few, min(tries(net.real) // SWAPS, LOOKS // net.real)))
    split(shifts, PASSED // net.real)
    if shifts.is_split or shifts.rank != net.rank[: net.real]:
        moved = insert_trunks(boxes, wires, shifts.ranking(), box_gap, shifts.strands(net, wires), shifts.forks())
        better = Ordering(moved, shifts.columns_of(moved))
        if better.crossings <= found.crossings:  # fewer wires cross, but perhaps at more places
            found = better
    found.improve(AFTER)
    return found


def finished(
    boxes: Sequence[Box], wires: Sequence[Wire], net: Net, crossings: int, rank_gap: float, most: float
) -> Layout:
    """The answers to the last questions, for a net whose columns are in order."""
    assign_ports(net, boxes)
    y = assign_heights(net)
    squeeze(net, y, most)
    return draw(boxes, wires, net, y, crossings, rank_gap)


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
