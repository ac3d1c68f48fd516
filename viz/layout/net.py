"""What the layout is asked about and what it answers: boxes and wires, the net of columns, the places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

Point = tuple[float, float]


class Box(NamedTuple):
    """A rectangle to place.

    Flow goes left to right: wires enter the left side at a port and leave the right side at an exit.  `ports` holds
    the y offset of each port from the box's centre, one per operand, in operand order; `exits` those of the places
    where results leave, one per result.  When the operation commutes and the drawing need not show which operand is
    which, `commutes` lets its wires swap ports: about a third fewer crossings.
    """

    width: float
    height: float
    ports: tuple[float, ...] = (0.0,)
    commutes: bool = False
    exits: tuple[float, ...] = (0.0,)


class Wire(NamedTuple):
    """A wire from exit number `exit` of box `source` to port number `port` of box `target`."""

    source: int
    target: int
    port: int
    exit: int = 0


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


@dataclass(slots=True)
class Net:
    """The graph with a dummy node wherever a wire passes a column: every edge joins adjacent columns.

    Nodes 0 .. real-1 are the boxes, the others are dummies.  Edge k into node v comes from `ins[v][k]` and enters
    at `offsets[v][k]` below v's centre; from top to bottom, it is the edge at `door` number `outs[...][2]`.  It leaves
    its source at exit number `lanes[v][k]`, from top to bottom.  It is straight where the source's centre stands
    `drops[v][k]` below v's.
    """

    real: int
    rank: list[int]
    half: list[float]  # half of the height that a node keeps free, half a gap included
    ins: list[list[int]]
    offsets: list[list[float]]
    lanes: list[list[int]]
    drops: list[list[float]]
    outs: list[list[tuple[int, int, int]]]  # (target v, its k, door), exit by exit
    exits: list[int]  # per node: how many exits it has
    owner: list[int]  # the box whose trunk a dummy is of; of a box itself
    entry: list[int]  # per wire: its k at its target
    columns: list[list[int]]  # the nodes of each rank, from top to bottom: `reduce_crossings` decides them
    place: list[int]  # a node's position in its column
    slot: list[int]  # the number of doors above the node in its column
    lane: list[int]  # the number of exits above the node in its column


DUMMY_HALF = 5.0  # wires keep 10 from one another, and 5 plus half a gap from boxes
