"""From a diagram to geometry: how large each part is, where it stands, and the frames around neurons and layers.

Everything here is in flow coordinates: ``along`` runs with the computation, ``across`` at a right angle to it. `svg`
turns them into a picture from left to right, or from top to bottom.

A part is a box of three stretches: on the left a stub for local derivatives (if asked for), then its body, then a stub
of wire with the value on one side and the gradient on the other. Because the numbers belong to the box, the layout
keeps every wire away from them.

A scope with a single result (a neuron) is laid out on its own and then placed like one box. A scope with several
results (a layer) cannot be one box; its frame is drawn around its parts where nothing else stands between them.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field

from ..layout.net import Box, Layout, Wire
from ..layout.sugiyama import layered
from ..metrics import NAME_SIZE, NUMBER_SIZE, SYMBOL_SIZE, TITLE_SIZE, clip, text_width
from .diagram import Diagram, Part
from .numbers import room, written

GATE_RADIUS = 20.0
PILL_HEIGHT = 32.0
FRAME_PADDING = 12.0
FRAME_TITLE = 24.0
MAX_FRAME_LEVELS = 12
MAX_ATTEMPTS = 3  # at a layout in which inputs stand in the way of no frame
NUMBER_DISTANCE = 7.0  # from the wire to the numbers at its sides, from top to bottom
SHEET = 4.0  # how far the second sheet of a folded box stands out


@dataclass(slots=True)
class Shape:
    """The size of a part and of its stretches."""

    part: Part
    value: str  # "" for none
    gradient: str
    locals_: list[str]
    lead: float  # the stub for local derivatives
    body: float
    stub: float
    tail: float  # the root's end point and name
    body_across: float
    across: float
    ports: tuple[float, ...]
    room: float  # for each number
    local_room: float  # for each local derivative

    @property
    def along(self) -> float:
        return self.lead + self.body + self.stub + self.tail


@dataclass(slots=True)
class Frame:
    """A rectangle with a title around the parts of one scope."""

    title: str
    path: tuple[str, ...]
    u: float
    v: float
    along: float
    across: float


@dataclass(frozen=True, slots=True)
class Link:
    """What a route is a stretch of: all wires from the part ``source`` to the ports that lie inside some parts."""

    source: int
    inside: Collection[int]  # of parts
    port: int = -1  # only the wire to this port of the part inside
    outward: bool = False  # rather to all that is not inside

    def carries(self, source: int, part: int, port: int) -> bool:
        """Whether the wire from ``source`` to a port of ``part`` runs along here."""
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

    path: tuple[str, ...]
    title: str = ""
    parts: list[int] = field(default_factory=list)
    children: dict[str, _Group] = field(default_factory=dict)
    is_box: bool = False  # has one result, so it is placed as one box
    members: set[int] = field(default_factory=set)  # all parts inside, at any depth
    u: float = 0.0  # the near edge, once a box is placed
    along: float = 0.0
    across: float = 0.0
    entries: list[int] = field(default_factory=list)  # the outside parts that feed it, one port each
    ports: tuple[float, ...] = ()
    exit: int = -1  # the part whose result leaves a box
    inner: _Placed | None = None


@dataclass(slots=True)
class _Placed:
    """One level, laid out: its items, and the layout's answer."""

    items: list[int | _Group]
    entries: list[int]  # the outside parts that feed it, in the order of the boxes that stand for them
    layout: Layout
    exit_v: float
    links: list[Link]  # of the layout's routes


def arrange(
    diagram: Diagram, *, fmt: str, show_grad: bool = True, local: bool = False, rankdir: str = "LR"
) -> Arrangement:
    """Measure the parts, lay them out, and frame the scopes.

    An input stands just before the part that uses it. Where that costs a scope its frame, the input goes to the start.
    """
    vertical = rankdir in ("TB", "BT")
    padding = _Padding(*_PADDINGS[rankdir])
    shapes = [_shape(part, fmt, show_grad, local, vertical) for part in diagram.parts]
    folded = [shape for shape in shapes if shape.part.kind == "folded" and not shape.part.is_root]
    for shape in folded:  # of one width, so that a column of neurons stands in line
        shape.body, shape.stub = max(s.body for s in folded), max(s.stub for s in folded)
    best, strangers = _attempt(diagram, shapes, padding, set())
    early: set[int] = set()
    for _ in range(MAX_ATTEMPTS):
        if strangers <= early:
            break
        early |= strangers
        result, strangers = _attempt(diagram, shapes, padding, early)
        if _framed(result) > _framed(best):
            best = result
    return best


def _framed(result: Arrangement) -> int:
    """How many frames stand around operations, over all operations."""
    paths = {frame.path for frame in result.frames}
    parts = [shape.part for shape in result.shapes if shape.part.inputs]
    return sum(part.scope[:length] in paths for part in parts for length in range(1, len(part.scope) + 1))


def _attempt(diagram: Diagram, shapes: list[Shape], padding: _Padding, early: set[int]) -> tuple[Arrangement, set[int]]:
    """An arrangement in which the inputs ``early`` stand in the first column; and the inputs that cost it a frame."""
    tree = _scope_tree(diagram)
    crossings = _lay_out(tree, diagram, shapes, padding, early)
    nowhere = [0.0] * len(shapes)
    result = Arrangement(shapes, nowhere, [*nowhere], [], [], tree.along, tree.across, crossings)
    _settle(tree, 0.0, tree.across / 2, shapes, result, padding)
    in_the_way: set[int] = set()
    _frame_scopes(tree, shapes, result, padding, in_the_way)
    result.frames.sort(key=lambda f: (len(f.path), f.path))  # outer frames are painted first
    _crop(result)
    return result, in_the_way


# --- sizes


def _shape(part: Part, fmt: str, show_grad: bool, local: bool, vertical: bool) -> Shape:
    value, gradient = part.value, part.gradient if show_grad else ""
    locals_ = [("∂ " + written(d, fmt)) if local and d is not None else "" for d in part.locals_]
    name = clip(part.name)
    if part.node >= 0:  # numbers, which may change: each has the room of the widest, and seldom fills it
        value_width = grad_width = room(fmt)
        beside = 6.0
    else:
        value_width, grad_width = text_width(value, NUMBER_SIZE), text_width(gradient, NUMBER_SIZE)
        beside = 14.0
    if part.kind not in ("input", "constant") and name and not part.is_root:
        value_width += text_width(name + "  ", NUMBER_SIZE, bold=True)
    local_width = room(fmt, "∂ ") if any(locals_) else 0.0

    body, body_across = _body(part, name, fmt, vertical)
    if part.kind == "folded":  # many wires enter close together, as into a plug
        spacing = 12.0 if len(part.inputs) <= 4 else 36.0 / (len(part.inputs) - 1)
    else:
        spacing = 18.0 if len(part.inputs) <= 2 else 16.0
    count = len(part.inputs)
    if local_width:
        if not vertical:
            spacing = max(spacing, 20.0)
        elif count > 2:  # of two wires from above, each has its derivative on its outer side
            spacing = max(spacing, local_width + 10)
    ports = tuple((i - (count - 1) / 2) * spacing for i in range(count))
    if count > 1 and (part.shape == "pill" or part.kind == "folded"):
        body_across = max(body_across, count * spacing)
    across = max(body_across, (count - 1) * spacing + 16)

    has_numbers = bool(value or gradient)
    if vertical:
        lead = 20.0 if local_width else 0.0
        stub = 30.0 if has_numbers else 10.0
        across = max(across, 2 * (max(value_width, grad_width) + NUMBER_DISTANCE) + beside)
        if local_width:
            across = max(across, (count - 1) * spacing + 2 * local_width + 16)
        tail = 0.0
        if part.is_root:
            tail = 34.0 if part.end_name else 6.0
            across = max(across, text_width(clip(part.end_name), NAME_SIZE, bold=True))
    else:
        lead = local_width + 10 if local_width else 0.0
        stub = max(value_width, grad_width) + beside if has_numbers else 10.0
        across = max(across, 40.0 if has_numbers else 24.0)
        tail = 0.0
        if part.is_root:
            tail = 14 + text_width(clip(part.end_name), NAME_SIZE, bold=True) if part.end_name else 6.0
    # whole and even numbers of pixels make short coordinates
    lead, body, stub, tail, body_across, across = (
        2.0 * math.ceil(x / 2) for x in (lead, body, stub, tail, body_across, across)
    )
    return Shape(
        part, value, gradient, locals_, lead, body, stub, tail, body_across, across, ports, room(fmt), local_width
    )


def _body(part: Part, name: str, fmt: str, vertical: bool) -> tuple[float, float]:
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
    if not name:
        return 8.0, 8.0
    width = text_width(name, NAME_SIZE, bold=True) + (16 if part.is_parameter else 6)
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
    used_outside: dict[tuple[str, ...], set[int]] = {}
    for i, part in enumerate(diagram.parts):
        for source in part.inputs:
            path = homes[source].path
            for length in range(len(path), 0, -1):
                if path[:length] == homes[i].path[:length]:
                    break
                used_outside.setdefault(path[:length], set()).add(source)
        if part.is_root:
            for length in range(1, len(homes[i].path) + 1):
                used_outside.setdefault(homes[i].path[:length], set()).add(i)
    stack = [tree]
    while stack:
        group = stack.pop()
        for level, child in list(group.children.items()):
            while not child.parts and len(child.children) == 1:  # a scope that only holds another needs no frame
                (inner,) = child.children.values()
                inner.title = f"{child.title}.{inner.title}"
                group.children[level] = child = inner
        stack.extend(group.children.values())
        exits = used_outside.get(group.path, set())
        group.is_box = bool(group.path) and len(group.members) > 1 and len(exits) == 1
        if group.is_box and _feeds_itself(group, diagram):
            group.is_box = False
    return tree


def _feeds_itself(group: _Group, diagram: Diagram) -> bool:
    """Whether a path leaves the group and comes back: then it cannot stand in one place."""
    members = group.members
    tainted: set[int] = set()  # outside the group, but fed by it
    for i in range(min(members), max(members) + 1):
        inputs = diagram.parts[i].inputs
        if i in members:
            if not tainted.isdisjoint(inputs):
                return True
        elif not tainted.isdisjoint(inputs) or not members.isdisjoint(inputs):
            tainted.add(i)
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


def _lay_out(group: _Group, diagram: Diagram, shapes: list[Shape], padding: _Padding, early: Collection[int]) -> int:
    """Lay out a group: first the boxes in it, then itself. Returns the number of crossings."""
    items = _items(group)
    crossings = 0
    item_of: dict[int, int] = {}
    for k, item in enumerate(items):
        if isinstance(item, int):
            item_of[item] = k
        else:
            crossings += _lay_out(item, diagram, shapes, padding, early)
            item_of.update((member, k) for member in item.members)
    boxes: list[Box] = []
    wanted: list[list[int]] = []  # for each item, the part that feeds each of its ports
    for item in items:
        size = shapes[item] if isinstance(item, int) else item
        boxes.append(Box(size.along, size.across, size.ports or (0.0,)))
        wanted.append(diagram.parts[item].inputs if isinstance(item, int) else item.entries)
    entries = list(dict.fromkeys(source for sources in wanted for source in sources if source not in item_of))
    for source in entries:  # a point on the frame where the wire from outside comes in
        item_of[source] = len(boxes)
        boxes.append(Box(1.0, 10.0, (0.0,)))
    wires = [Wire(item_of[source], k, port) for k, sources in enumerate(wanted) for port, source in enumerate(sources)]
    first = [k for k, item in enumerate(items) if isinstance(item, int) and item in early]
    layout = layered(boxes, wires, at_start=[*first, *range(len(items), len(boxes))])
    links = [
        Link(source, (item,), port) if isinstance(item, int) else Link(source, item.members)
        for item, sources in zip(items, wanted, strict=True)
        for port, source in enumerate(sources)
    ]
    group.entries = entries
    group.inner = placed = _Placed(items, entries, layout, layout.height / 2, links)
    if not group.path:
        group.along, group.across = layout.width, layout.height
        return crossings + layout.crossings
    # Room for the frame. The result leaves at the middle of the box, so the box is padded to be even about it.
    exits = [k for k, item in enumerate(items) if not any(w.source == k for w in wires)]
    placed.exit_v = layout.y[exits[-1]] if exits else layout.height / 2
    if exits:
        last = items[exits[-1]]
        group.exit = last if isinstance(last, int) else last.exit
    group.along = padding.near + layout.width + padding.far
    above, below = placed.exit_v + padding.above, layout.height - placed.exit_v + padding.below
    group.across = 2 * max(above, below)
    order = sorted(range(len(entries)), key=lambda e: layout.y[len(items) + e])
    group.entries = [entries[e] for e in order]
    group.ports = tuple(layout.y[len(items) + e] - placed.exit_v for e in order)
    return crossings + layout.crossings


def _settle(group: _Group, u: float, v: float, shapes: list[Shape], result: Arrangement, padding: _Padding) -> None:
    """Give the parts of a group their final places; the group's near edge is at u, its centre line at v."""
    placed = group.inner
    assert placed is not None
    layout = placed.layout
    group.u = u
    if group.path:
        left, top = u + padding.near, v - placed.exit_v
    else:
        left, top = u, v - layout.height / 2
    for k, item in enumerate(placed.items):
        if isinstance(item, int):
            result.u[item] = left + layout.x[k] - shapes[item].along / 2
            result.v[item] = top + layout.y[k]
        else:
            _settle(item, left + layout.x[k] - item.along / 2, top + layout.y[k], shapes, result, padding)
    for route in layout.routes:
        result.routes.append([(left + x, top + y) for x, y in route])
    result.links += placed.links
    if group.path:
        for k, source in enumerate(placed.entries, len(placed.items)):  # from the frame to the entry point
            y = top + layout.y[k]
            result.routes.append([(u, y), (left + layout.x[k] + 0.5, y)])
            result.links.append(Link(source, group.members))
        end = left + max(
            layout.x[k] + (shapes[item].along if isinstance(item, int) else item.along) / 2
            for k, item in enumerate(placed.items)
            if layout.y[k] == placed.exit_v
        )
        if end < u + group.along and not any(shapes[i].part.is_root for i in group.members):
            result.routes.append([(end, v), (u + group.along, v)])
            result.links.append(Link(group.exit, group.members, outward=True))


def _frame_scopes(
    group: _Group, shapes: list[Shape], result: Arrangement, padding: _Padding, in_the_way: set[int]
) -> list[Frame]:
    """Frames around the scopes in a group, inner ones first; returns those that were drawn.

    A scope with several results is framed only where no stranger stands between its parts. If those are all inputs,
    which could stand elsewhere, they are noted as ``in_the_way``.
    """
    inside = [
        frame
        for child in group.children.values()
        for frame in _frame_scopes(child, shapes, result, padding, in_the_way)
    ]
    if not group.path or len(group.members) < 2:
        return inside
    left = min([result.u[i] for i in group.members] + [f.u for f in inside]) - padding.near
    right = max([result.u[i] + shapes[i].along for i in group.members] + [f.u + f.along for f in inside])
    top = min([result.v[i] - shapes[i].across / 2 for i in group.members] + [f.v for f in inside]) - padding.above
    bottom = max([result.v[i] + shapes[i].across / 2 for i in group.members] + [f.v + f.across for f in inside])
    right, bottom = right + padding.far, bottom + padding.below
    if group.is_box:  # its wires end at the edges that were kept for it
        left, right = group.u, group.u + group.along
    else:
        strangers = [
            i
            for i, shape in enumerate(shapes)
            if i not in group.members
            and result.u[i] < right
            and result.u[i] + shape.along > left
            and result.v[i] - shape.across / 2 < bottom
            and result.v[i] + shape.across / 2 > top
        ]
        if strangers:
            if not any(shapes[i].part.inputs for i in strangers):
                in_the_way.update(strangers)
            return inside
    frame = Frame(group.title, group.path, left, top, right - left, bottom - top)
    result.frames.append(frame)
    return [*inside, frame]


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
    for frame in result.frames:
        frame.u -= left
        frame.v -= top
