"""From a diagram to geometry: how large each part is, where it stands, and the frames around neurons and layers.

Everything here is in flow coordinates: ``along`` runs with the computation, ``across`` at a right angle to it. `svg`
turns them into a picture from left to right, or from top to bottom.

A part is a box of three stretches: on the left a stub for local derivatives (if asked for), then its body, then a stub
of wire with the value on one side and the gradient on the other. Because the numbers belong to the box, the layout
keeps every wire away from them.

A scope (a neuron, a layer) is laid out on its own and then placed like one box, whose results leave at several places
if it has several. A scope that feeds itself, through something outside, cannot stand in one place: it has no frame.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil
from typing import Any, NamedTuple

from autograd import Value

from ..layout.net import Box, Layout, Point, Wire
from ..layout.sugiyama import layered
from ..lettering import name_width
from ..metrics import NAME_SIZE, NUMBER_SIZE, SYMBOL_SIZE, TITLE_SIZE, clip, one_line, text_width
from .diagram import MANY_RESULTS, Diagram, Part, candidates
from .numbers import room, written
from .scopes import Path, unsaid

GATE_RADIUS = 20.0
PILL_HEIGHT = 32.0
FRAME_PADDING = 12.0
FRAME_TITLE = 24.0
MAX_FRAME_LEVELS = 12
RANK_GAP = 28.0  # the least between two columns
EXIT_SPACING = 40.0  # between two results of a box, each with its numbers above and below its wire
NUMBER_DISTANCE = 7.0  # from the wire to the numbers at its sides, from top to bottom
LINE = 17.0  # from a value to the gradient below it, where both stand in the wire's place
ROOM = (1300.0, 750.0)  # pixels, width and height: what can be read without moving the picture
A_LITTLE = 0.25  # of the room, that a picture may be larger and can still be read when it is made to fit
SHEET = 4.0  # how far the second sheet of a folded box stands out


Source = tuple[int, int]  # a part, and the number of its result


@dataclass(slots=True)
class Shape:
    """The size of a part and of its stretches."""

    part: Part
    values: list[str]  # one per result; "" for none
    gradients: list[str]
    locals_: list[str]
    lead: float  # the stub for local derivatives
    body: float
    stub: float
    tail: float  # the root's end point and name
    body_across: float
    across: float
    ports: tuple[float, ...]
    exits: tuple[float, ...]  # where its results leave, from the centre line
    owner: str  # of a parameter: what no frame says of the path to it
    room: float  # for each number
    local_room: float  # for each local derivative
    above_wire: float = 0.0  # of the stub, what the numbers take if they stand in the wire's place

    @property
    def along(self) -> float:
        return self.lead + self.body + self.stub + self.tail

    @property
    def wire_start(self) -> float:
        """How far from the body its wires begin: a gate's below its rim."""
        return self.above_wire or -float(self.part.kind == "gate")


@dataclass(slots=True)
class Frame:
    """A rectangle with a title around the parts of one scope."""

    title: str
    path: tuple[str, ...]
    u: float
    v: float
    along: float
    across: float


class Link(NamedTuple):
    """What a route is a stretch of: all wires of one result, ``source``, to the ports that lie inside some parts."""

    source: Source
    inside: Collection[int]  # of parts
    port: int = -1  # only the wire to this port of the part inside
    outward: bool = False  # rather to all that is not inside

    def carries(self, source: Source, part: int, port: int) -> bool:
        """Whether the wire of ``source`` to a port of ``part`` runs along here."""
        return source == self.source and (part in self.inside) != self.outward and self.port in (-1, port)


@dataclass(slots=True)
class Arrangement:
    """Where everything stands. ``u`` and ``v`` are the near edge and the centre line of each part."""

    shapes: list[Shape]
    u: list[float]
    v: list[float]
    routes: list[list[tuple[float, float]]]
    frames: list[Frame]
    along: float
    across: float
    crossings: int
    links: list[Link] = field(default_factory=list)  # one per route
    junctions: list[tuple[float, float]] = field(default_factory=list)  # where wires of one number branch


@dataclass(frozen=True, slots=True)
class _Padding:
    """The room that a frame keeps around its parts: before and after them, above and below, in flow coordinates."""

    near: float
    far: float
    above: float
    below: float


# The title stands at the top of the page, which is another side of the flow for each direction.
_PADDINGS = {
    "LR": (FRAME_PADDING, FRAME_PADDING, FRAME_TITLE, FRAME_PADDING),
    "RL": (FRAME_PADDING, FRAME_PADDING, FRAME_TITLE, FRAME_PADDING),
    "TB": (FRAME_TITLE, FRAME_PADDING, FRAME_PADDING, FRAME_PADDING),
    "BT": (FRAME_PADDING, FRAME_TITLE, FRAME_PADDING, FRAME_PADDING),
}


@dataclass(slots=True)
class _Group:
    """A scope: the parts that stand in it directly, and the scopes inside it."""

    path: Path
    title: str = ""
    parts: list[int] = field(default_factory=list)
    children: dict[str, _Group] = field(default_factory=dict)
    is_box: bool = False  # can stand in one place, with a frame around it
    members: set[int] = field(default_factory=set)  # all parts inside, at any depth
    along: float = 0.0
    across: float = 0.0
    entries: list[Source] = field(default_factory=list)  # what comes in, one port each
    results: list[Source] = field(default_factory=list)  # what goes out, one exit each
    ports: tuple[float, ...] = ()
    exits: tuple[float, ...] = ()
    inner: _Placed | None = None


@dataclass(slots=True)
class _Placed:
    """One level, laid out: its items, and the layout's answer."""

    items: list[int | _Group]
    box_of: dict[int, int]  # for each part, the place of its item
    ends: list[Source]  # the results that are used inside, too: after the items and the entries, a box for each
    wires: list[Wire]
    layout: Layout
    links: list[Link]  # of the layout's routes


def arrange(
    diagram: Diagram,
    *,
    fmt: str,
    show_grad: bool = True,
    local: bool = False,
    rankdir: str = "LR",
    spacing: float = EXIT_SPACING,
    across: float = math.inf,
    stacked: bool = False,
) -> Arrangement:
    """Measure the parts, lay them out, and frame the scopes. An input stands just before the part that uses it.

    ``spacing`` is the room across a wire for the numbers at its sides: more, where somebody is to write them. Where the
    picture would reach further ``across``, it becomes longer, if that helps. From top to bottom numbers may be
    ``stacked`` between a part and its wire, which takes half the room that they take at both sides of it.
    """
    options: dict[str, Any] = {"fmt": fmt, "show_grad": show_grad, "local": local, "rankdir": rankdir}
    result = arrange_within(diagram, None, **options, spacing=spacing, across=across, stacked=stacked)
    assert result is not None
    return result


def arrange_within(
    diagram: Diagram,
    most: tuple[float, float] | None,
    *,
    fmt: str,
    show_grad: bool = True,
    local: bool = False,
    rankdir: str = "LR",
    spacing: float = EXIT_SPACING,
    across: float = math.inf,
    stacked: bool = False,
) -> Arrangement | None:
    """The arrangement, unless it is wider or higher than ``most``; what cannot be small enough is not laid out."""
    vertical = rankdir in ("TB", "BT")
    padding = _Padding(*_PADDINGS[rankdir])
    tree = _scope_tree(diagram)
    owners = _owners(tree, diagram)
    look = fmt, show_grad, local, vertical, spacing, stacked
    shapes = [_shape(part, *look, owners.get(i, "")) for i, part in enumerate(diagram.parts)]
    folded = [shape for shape in shapes if shape.part.kind == "folded" and not shape.part.is_root]
    for shape in folded:  # of one width, so that a column of neurons stands in line
        shape.body, shape.stub = max(s.body for s in folded), max(s.stub for s in folded)
    if most is not None:
        along, room_across = reversed(most) if vertical else most
        if _least_along(diagram, shapes) > along or sum(s.along * s.across for s in shapes) > along * room_across:
            return None
    crossings = _lay_out(tree, diagram, shapes, padding, across)
    nowhere = [0.0] * len(shapes)
    result = Arrangement(shapes, nowhere, [*nowhere], [], [], tree.along, tree.across, crossings)
    _settle(tree, 0.0, 0.0, shapes, result, padding)
    result.frames.sort(key=lambda f: (len(f.path), f.path))  # outer frames are painted first
    _crop(result)
    return None if most is not None and (result.along > along or result.across > room_across) else result


def arrange_readable(
    root: Value,
    max_nodes: int,
    *,
    fmt: str,
    show_grad: bool = True,
    local: bool = False,
    rankdir: str = "LR",
    lang: str | None = None,
    room: tuple[float, float] = ROOM,
    most_results: int = MANY_RESULTS,
    **more_look: Any,
) -> tuple[Diagram, Arrangement]:
    """What is drawn of a graph with depth "auto": the first of its `candidates` that takes no more than ``room``.

    Before a summary is drawn, something that is a little larger is. What else is given is for `arrange`.
    """
    (width, height), more = room, 1 + A_LITTLE
    look: dict[str, Any] = {"fmt": fmt, "show_grad": show_grad, "local": local, "rankdir": rankdir, **more_look}
    nearly: tuple[Diagram, Arrangement] | None = None
    choice: dict[str, Any] = {"show_grad": show_grad, "lang": lang, "most_results": most_results}
    for diagram in candidates(root, fmt=fmt, max_nodes=max_nodes, to_fit=True, **choice):
        if diagram.is_summary and nearly:
            return nearly
        found = arrange_within(diagram, room if diagram.is_summary else (more * width, more * height), **look)
        if found:
            size = (found.across, found.along) if rankdir in ("TB", "BT") else (found.along, found.across)
            if size[0] <= width and size[1] <= height:
                return diagram, found
            nearly = diagram, found
    return nearly or (diagram, arrange(diagram, **look))


def _least_along(diagram: Diagram, shapes: list[Shape]) -> float:
    """The length of the longest path, which no layout can make shorter."""
    end: list[float] = []
    for part, shape in zip(diagram.parts, shapes, strict=True):
        end.append(shape.along + max([end[i] + RANK_GAP for i in part.inputs], default=0.0))
    return max(end, default=0.0)


# --- sizes


def _shape(
    part: Part,
    fmt: str,
    show_grad: bool,
    local: bool,
    vertical: bool,
    spacing_of_exits: float,
    stacked: bool,
    owner: str,
) -> Shape:
    """How much room a part takes along its wires and across them."""
    results, count = part.results, len(part.inputs)
    values = [result.value for result in results]
    gradients = [result.gradient for result in results] if show_grad else [""] * len(results)
    locals_ = [("∂ " + written(d, fmt)) if local and d is not None else "" for d in part.locals_]
    local_width = room(fmt, "∂ ") if local and any(locals_) else 0.0
    body, body_across = _body(part, part.name, owner, fmt, vertical)
    spacing = _spacing(part, local_width, vertical)
    ports = tuple([(i - (count - 1) / 2) * spacing for i in range(count)])
    if count > 1 and (part.shape == "pill" or part.kind == "folded"):
        body_across = max(body_across, count * spacing)
    across = max(body_across, (count - 1) * spacing + 16)

    has_numbers, above_wire = any(values + gradients), 0.0
    width, beside = _room_of_numbers(part, values + gradients, fmt)
    if vertical:
        lead = 20.0 if local_width else 0.0
        stub = 30.0 if has_numbers else 10.0
        result_across = 2 * (width + NUMBER_DISTANCE) + beside
        if stacked and results[0].node >= 0:
            above_wire = LINE * (any(values) + any(gradients)) + 6
            stub, result_across = above_wire + 6, width + beside
        elif stacked:
            stub, result_across = 10.0, 24.0
        if local_width:
            across = max(across, (count - 1) * spacing + 2 * local_width + 16)
        if part.is_root:
            across = max(across, name_width(part.end_name, NAME_SIZE))
    else:
        lead = local_width + 10 if local_width else 0.0
        stub = width + beside if has_numbers else 10.0
        result_across = spacing_of_exits if has_numbers else 24.0
    # whole and even numbers of pixels make short coordinates
    result_across = 2.0 * ceil(result_across / 2)
    exits = tuple([(k - (len(values) - 1) / 2) * result_across for k in range(len(values))])
    if len(exits) > 1:
        body_across = max(body_across, exits[-1] - exits[0] + 2 * SHEET + 24)
    across = max(across, body_across, len(exits) * result_across)
    lead, body, stub, tail, body_across, across = [
        2.0 * ceil(x / 2) for x in (lead, body, stub, _tail(part, vertical), body_across, across)
    ]
    return Shape(
        part, values, gradients, locals_, lead, body, stub, tail, body_across, across, ports, exits, owner,
        room(fmt), local_width, above_wire,
    )  # fmt: skip


def _room_of_numbers(part: Part, texts: Sequence[str], fmt: str) -> tuple[float, float]:
    """The width of the numbers of one result, with its name, and what is free beside them."""
    if part.results[0].node >= 0:  # numbers, which may change: each has the room of the widest, and seldom fills it
        width, beside = room(fmt), 6.0
    else:
        width, beside = max([text_width(text, NUMBER_SIZE) for text in texts]), 14.0
    if part.kind not in ("input", "constant") and not part.is_root:
        names = [name_width(x.name, NUMBER_SIZE) for x in part.results if x.name]
        width += max(names) + text_width("  ", NUMBER_SIZE, bold=True) if names else 0.0
    return width, beside


def _spacing(part: Part, local_width: float, vertical: bool) -> float:
    """How far apart its wires enter."""
    count = len(part.inputs)
    if part.kind == "folded":  # many wires enter close together, as into a plug
        spacing = 12.0 if count <= 4 else 36.0 / (count - 1)
    else:
        spacing = 18.0 if count <= 2 else 16.0
    if local_width and not vertical:
        return max(spacing, 20.0)
    if local_width and count > 2:  # of two wires from above, each has its derivative on its outer side
        return max(spacing, local_width + 10)
    return spacing


def _tail(part: Part, vertical: bool) -> float:
    """What the root's end point, and its name, reach out."""
    if not part.is_root:
        return 0.0
    if not part.end_name:
        return 6.0
    return 34.0 if vertical else 14 + name_width(part.end_name, NAME_SIZE)


def _body(part: Part, name: str, owner: str, fmt: str, vertical: bool) -> tuple[float, float]:
    """How far a part's body reaches along and across."""
    if part.kind == "folded":
        width = max(text_width(line, TITLE_SIZE + (i == 0), bold=i == 0) for i, line in enumerate(part.lines)) + 28
        height = 18.0 * len(part.lines) + 18
        # the second sheet behind it shows on the far side, and below
        return (height + SHEET, width + 2 * SHEET) if vertical else (width + SHEET, height + 2 * SHEET)
    if part.kind == "gate":
        if part.shape == "circle":
            return 2 * GATE_RADIUS, 2 * GATE_RADIUS
        width = max(2 * GATE_RADIUS, text_width(part.usual or part.symbol, SYMBOL_SIZE) + 22)
        return (PILL_HEIGHT, width) if vertical else (width, PILL_HEIGHT)
    if part.kind == "constant":
        width = room(fmt) + 14
        return (24.0, width) if vertical else (width, 24.0)
    if not (name or owner):
        return 8.0, 8.0
    width = text_width(owner, TITLE_SIZE) + name_width(name, NAME_SIZE) + (16 if part.is_parameter else 6)
    return (24.0, width) if vertical else (width, 24.0)


# --- scopes


def _scope_tree(diagram: Diagram) -> _Group:
    """The scopes as a tree, and which of them have a single result."""
    tree = _Group(())
    homes: list[_Group] = []
    for i, part in enumerate(diagram.parts):
        group = tree
        group.members.add(i)
        for level in part.scope[:MAX_FRAME_LEVELS]:
            group = group.children.setdefault(level, _Group((*group.path, level), level))
            group.members.add(i)
        group.parts.append(i)
        homes.append(group)
    used_outside: dict[Path, set[Source]] = {}
    for i, part in enumerate(diagram.parts):
        for source in part.sources:
            path = homes[source[0]].path
            for length in range(len(path), 0, -1):
                if path[:length] == homes[i].path[:length]:
                    break
                used_outside.setdefault(path[:length], set()).add(source)
        if part.is_root:
            for length in range(1, len(homes[i].path) + 1):
                used_outside.setdefault(homes[i].path[:length], set()).add((i, 0))
    users: list[list[int]] = [[] for _ in diagram.parts]
    for i, part in enumerate(diagram.parts):
        for k in part.inputs:
            users[k].append(i)
    boxes_of: list[list[_Group]] = [[] for _ in diagram.parts]  # from the outermost inwards
    stack = [tree]
    while stack:
        group = stack.pop()
        for level, child in list(group.children.items()):
            while not child.parts and len(child.children) == 1:  # a scope that only holds another needs no frame
                (inner,) = child.children.values()
                inner.title = f"{child.title}.{inner.title}"
                group.children[level] = child = inner
        stack.extend(group.children.values())
        group.results = sorted(used_outside.get(group.path, set()))
        group.is_box = bool(group.path) and len(group.members) > 1 and not _feeds_itself(group, users, boxes_of)
        for i in group.members if group.is_box else ():
            boxes_of[i].append(group)
    return tree


def _owners(group: _Group, diagram: Diagram, outer: Path = (), said: Path = ()) -> dict[int, str]:
    """What is written before the name of each parameter: what no frame around it says of the path to it."""
    if group.is_box:
        said += group.path[len(outer) :]
    found = {}
    for i in group.parts:
        part = diagram.parts[i]
        path = unsaid(part.owner, said)
        if path:
            found[i] = clip(one_line(".".join(path))) + ("." if part.name else "")
    for child in group.children.values():
        found |= _owners(child, diagram, group.path, said)
    return found


def _feeds_itself(group: _Group, users: list[list[int]], boxes_of: list[list[_Group]]) -> bool:
    """Whether a path leaves the group and comes back: then it cannot stand in one place.

    The path may enter a box, of those chosen so far, at one part and leave it at another.
    """
    members = group.members
    fed = {user for i in members for user in users[i]} - members  # outside the group
    to_do = sorted(fed)
    while to_do:
        i = to_do.pop()
        whole = next((box.members for box in boxes_of[i] if members.isdisjoint(box.members)), (i,))
        for user in {*whole, *(user for k in whole for user in users[k])}:
            if user in members:
                return True
            if user not in fed:
                fed.add(user)
                to_do.append(user)
    return False


def _items(group: _Group) -> list[int | _Group]:
    """What is laid out side by side in a group: its parts, the boxes in it, and what open scopes in it contain."""
    found: list[tuple[int, int | _Group]] = [(i, i) for i in group.parts]
    for child in group.children.values():
        if child.is_box:
            found.append((min(child.members), child))
        else:
            found.extend((item if isinstance(item, int) else min(item.members), item) for item in _items(child))
    found.sort(key=lambda pair: pair[0])
    return [item for _, item in found]


def _lay_out(group: _Group, diagram: Diagram, shapes: list[Shape], padding: _Padding, across: float) -> int:
    """Lay out a group: first the boxes in it, then itself. Returns the number of crossings."""
    across -= padding.above + padding.below if group.path else 0.0
    items = _items(group)
    crossings = 0
    box_of: dict[int, int] = {}  # for each part in it
    sizes: list[Shape | _Group] = []
    wanted: list[list[Source]] = []  # for each item, the source of each of its ports
    for k, item in enumerate(items):
        if isinstance(item, int):
            box_of[item] = k
            sizes.append(shapes[item])
            wanted.append(diagram.parts[item].sources)
        else:
            crossings += _lay_out(item, diagram, shapes, padding, across)
            box_of.update((member, k) for member in item.members)
            sizes.append(item)
            wanted.append(item.entries)
    boxes = [Box(size.along, size.across, size.ports or (0.0,), exits=size.exits) for size in sizes]
    inside = {source for sources in wanted for source in sources}
    group.entries = list(dict.fromkeys(s for sources in wanted for s in sources if s[0] not in box_of))
    ends = [source for source in group.results if source in inside]  # these go on to the frame past other parts
    box_of_entry = {source: len(items) + k for k, source in enumerate(group.entries)}
    boxes += [Box(1.0, 10.0)] * (len(group.entries) + len(ends))  # points on the frame

    def wire(source: Source, target: int, port: int) -> Wire:
        if source in box_of_entry:
            return Wire(box_of_entry[source], target, port)
        item = items[box_of[source[0]]]
        way = source[1] if isinstance(item, int) else item.results.index(source)
        return Wire(box_of[source[0]], target, port, way)

    wires = [wire(source, k, port) for k, sources in enumerate(wanted) for port, source in enumerate(sources)]
    first_end = len(items) + len(group.entries)
    wires += [wire(source, first_end + k, 0) for k, source in enumerate(ends)]
    starts = range(len(items), first_end)
    last = {box_of[part] for part, _ in group.results} - {wire.source for wire in wires}
    last_ones = [*sorted(last), *range(first_end, len(boxes))]
    layout = layered(boxes, wires, rank_gap=RANK_GAP, at_start=starts, at_end=last_ones, most=across)
    links = [
        Link(source, (item,), port) if isinstance(item, int) else Link(source, item.members)
        for item, sources in zip(items, wanted, strict=True)
        for port, source in enumerate(sources)
    ]
    links += [Link(source, group.members, outward=True) for source in ends]
    group.inner = _Placed(items, box_of, ends, wires, layout, links)
    group.along, group.across = layout.width, layout.height
    if group.path:  # room for the frame
        group.along = padding.near + layout.width + padding.far
        group.across = padding.above + layout.height + padding.below
        title = text_width(clip(group.title), TITLE_SIZE) + 20
        if padding.above == FRAME_TITLE:
            group.along = max(group.along, title)
        else:
            group.across = max(group.across, title)
        middle = group.across / 2 - padding.above
        group.ports = tuple(layout.y[k] - middle for k in starts)
        group.exits = tuple(v - middle for _, v in _result_places(group, shapes))
    return crossings + layout.crossings


def _result_places(group: _Group, shapes: list[Shape]) -> Iterator[tuple[float, float]]:
    """Where in the layout each result of a group ends: at what it comes from, or at a point of its own."""
    placed = group.inner
    assert placed is not None
    layout, items = placed.layout, placed.items
    for source in group.results:
        if source in placed.ends:
            k = len(items) + len(group.entries) + placed.ends.index(source)
            yield layout.x[k] - 0.5, layout.y[k]
            continue
        k = placed.box_of[source[0]]
        item = items[k]
        size = shapes[item] if isinstance(item, int) else item
        way = source[1] if isinstance(item, int) else item.results.index(source)
        yield layout.x[k] + size.along / 2, layout.y[k] + size.exits[way]


def _settle(group: _Group, u: float, v: float, shapes: list[Shape], result: Arrangement, padding: _Padding) -> None:
    """Give the parts of a group their final places; the group's corner is at u, v."""
    placed = group.inner
    assert placed is not None
    layout = placed.layout
    left, top = (u + padding.near, v + padding.above) if group.path else (u, v)
    for k, item in enumerate(placed.items):
        if isinstance(item, int):
            result.u[item] = left + layout.x[k] - shapes[item].along / 2
            result.v[item] = top + layout.y[k]
        else:
            at = left + layout.x[k] - item.along / 2, top + layout.y[k] - item.across / 2
            _settle(item, *at, shapes, result, padding)
    together: dict[tuple[int, int], list[list[Point]]] = {}  # the routes of one result
    for wire, route in zip(placed.wires, layout.routes, strict=True):
        result.routes.append([(left + x, top + y) for x, y in route])
        together.setdefault((wire.source, wire.exit), []).append(result.routes[-1])
    result.links += placed.links
    for routes in together.values():
        result.junctions += junctions(routes)
    if not group.path:
        return
    result.frames.append(Frame(group.title, group.path, u, v, group.along, group.across))
    for k, source in enumerate(group.entries, len(placed.items)):  # from the frame to the entry point
        y = top + layout.y[k]
        result.routes.append([(u, y), (left + layout.x[k] + 0.5, y)])
        result.links.append(Link(source, group.members))
    for source, (x, y) in zip(group.results, _result_places(group, shapes), strict=True):  # and on to the frame
        if left + x < u + group.along and not shapes[source[0]].part.is_root:
            result.routes.append([(left + x, top + y), (u + group.along, top + y)])
            result.links.append(Link(source, group.members, outward=True))


def junctions(routes: Sequence[Sequence[Point]]) -> list[Point]:
    """Where routes that begin together part. Each one is flat but for climbs, from one point of it to the next."""
    climbs = [[pair for pair in pairwise(route) if pair[0][1] != pair[1][1]] for route in routes]
    found: list[Point] = []
    stack = [climbs]
    while stack:
        together = stack.pop()
        ways: dict[
            tuple[Point, Point] | None, list[list[tuple[Point, Point]]]
        ] = {}  # by the next climb; None at the end
        for rest in together:
            ways.setdefault(rest[0] if rest else None, []).append(rest[1:])
        leaving = sorted({way[0] for way in ways if way})
        going_on = [sum(1 for way in ways if way is None or way[0] >= at) for at in leaving]
        found += [at for at, n in zip(leaving, going_on, strict=True) if n > 1]
        stack += [rests for way, rests in ways.items() if way and len(rests) > 1]
    return found


def _crop(result: Arrangement) -> None:
    """Move everything so that the picture starts at 0, 0 and ends with its last part."""
    if not result.shapes:
        return
    lefts = [*result.u, *(f.u for f in result.frames)]
    ends = [u + s.along for u, s in zip(result.u, result.shapes, strict=True)]
    tops = [v - s.across / 2 for v, s in zip(result.v, result.shapes, strict=True)]
    bottoms = [v + s.across / 2 for v, s in zip(result.v, result.shapes, strict=True)]
    around = [v for route in result.routes for _, v in route]  # a long wire may run around everything else
    left, top = min(lefts), min([*tops, *around, *(f.v for f in result.frames)])
    result.along = max([*ends, *(f.u + f.along for f in result.frames)]) - left
    result.across = max([*bottoms, *around, *(f.v + f.across for f in result.frames)]) - top
    result.u = [u - left for u in result.u]
    result.v = [v - top for v in result.v]
    result.routes = [[(x - left, y - top) for x, y in route] for route in result.routes]
    result.junctions = sorted({(x - left, y - top) for x, y in result.junctions})
    for frame in result.frames:
        frame.u -= left
        frame.v -= top
