"""From an arrangement to SVG text: the only place that knows what the picture looks like.

The circuit style of the classic figures (A. Karpathy and others, Stanford CS231n, 2015): operations are gates, wires
run between them, the value stands above the wire in green and the gradient below it in orange-red italics. Position and
italics repeat what the colours say, for whoever cannot tell the colours apart.
"""

from __future__ import annotations

import html
import math
import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from ..layout.net import Point
from ..layout.routes import smooth
from ..lettering import NARROW, SMALL, name_width, pieces_of, shown_name
from ..markup import MARGIN, card, document, name_at, pieces_at, points, px, rectangle, text_at, wrap
from ..metrics import (
    FONT,
    NAME_SIZE,
    NUMBER_SIZE,
    SYMBOL_SIZE,
    TITLE_SIZE,
    clip,
    escape,
    fitting,
    one_line,
    printable,
    text_width,
)
from .arrange import FRAME_TITLE, GATE_RADIUS, LINE, NUMBER_DISTANCE, SHEET, Arrangement, Frame, Shape
from .diagram import Diagram, counted_in, in_a_row

MANY_WIRES = 150
SMALLEST = 9.0  # the smallest letters of a constant in its gate
GAP = 7.0  # between a name and its number

_STYLE = """\
{id} text{{font-family:{font};fill:{c[ink]}}}
{id} .card{{fill:{c[card]};stroke:{c[edge]}}}
{id} .paper{{stroke:{c[edge]}}}
{id} .frame{{fill:{c[tint]};stroke:{c[frame]};stroke-dasharray:5 4}}
{id} .frame-ground{{fill:{c[tint]}}}
{id} .frame-title{{font-size:{title}px;fill:{c[muted]}}}
{id} .wire{{fill:none;stroke:{c[wire]};stroke-width:1.5}}
{id} .thin{{stroke-width:1;stroke-opacity:.5}}
{id} .gate{{fill:{c[gate]};stroke:{c[rim]};stroke-width:1.5}}
{id} .symbol{{font-size:{symbol}px;text-anchor:middle}}
{id} .sign{{font-size:22px}}
{id} .folded{{fill:{c[gate]};stroke:{c[rim]};stroke-width:1.5}}
{id} .folded-text{{font-size:{title}px;fill:{c[muted]};text-anchor:middle}}
{id} .folded-title{{fill:{c[ink]};font-weight:600;font-size:13px}}
{id} .name{{font-size:{name}px;font-weight:600}}
{id} .owner{{font-size:{title}px;font-weight:400;fill:{c[muted]}}}
{id} .dot{{fill:{c[wire]}}}
{id} .tag{{fill:{c[tag]};stroke:{c[tag-rim]}}}
{id} .constant{{fill:none;stroke:{c[wire]};stroke-dasharray:3 3}}
{id} .value{{font-size:{number}px;fill:{c[value]}}}
{id} .gradient{{font-size:{number}px;fill:{c[gradient]};font-style:italic}}
{id} .local{{font-size:{local}px;fill:{c[local]}}}
{id} .label{{font-weight:600;fill:{c[ink]}}}
{id} .name-script{{font-size:{script}px}}
{id} .label-script{{font-size:{label_script}px}}
{id} .bad{{fill:{c[bad-tint]};stroke:{c[bad]}}}
{id} .first-bad{{fill:none;stroke:{c[bad]};stroke-width:2;stroke-dasharray:2 2}}
{id} .note{{font-size:{title}px;fill:{c[muted]}}}
"""

_NON_FINITE = re.compile("[^a-z]*(inf|nan)[^a-z]*")  # however it is padded; not a name such as dinfo


def render(diagram: Diagram, arrangement: Arrangement, *, rankdir: str, theme: str, background: str = "card") -> str:
    """The whole picture as SVG text."""
    painter = Painter(diagram, arrangement, rankdir)
    body = painter.paint(background)
    told = title_of(diagram), _description(arrangement.shapes, diagram)
    return document(body, painter.width, painter.height, "chainrule-graph", told, style_rules, theme)


def style_rules(identity: str, colours: dict[str, str], *, more: str = "") -> str:
    """The style sheet, one rule per line, for all that stands in ``identity``; ``colours`` has the keys of `LIGHT`.

    ``more`` are the rules for what only another kind of picture has, with the same slots.
    """
    return (_STYLE + more).format(
        id=identity,
        c=colours,
        font=FONT,
        title=px(TITLE_SIZE),
        symbol=px(SYMBOL_SIZE),
        name=px(NAME_SIZE),
        number=px(NUMBER_SIZE),
        script=px(SMALL[NAME_SIZE]),
        label_script=px(SMALL[NUMBER_SIZE]),
        local=px(NUMBER_SIZE - 1),
    )


class Number(NamedTuple):
    """A number at a wire: what it says, where it stands, and how much room it takes."""

    kind: str  # "value" or "gradient"
    name: str
    text: str
    x: float
    y: float
    anchor: str
    left: float
    width: float
    size: float  # of its letters

    def box(self, kind: str) -> str:
        """A rectangle behind it."""
        return rectangle(kind, self.left - 2, self.y - 8.5, self.width + 4, 17, 3)


class Painter:
    """Writes the elements of one picture."""

    def __init__(self, diagram: Diagram, arrangement: Arrangement, rankdir: str) -> None:
        self.diagram, self.arrangement, self.rankdir = diagram, arrangement, rankdir
        self.vertical = rankdir in ("TB", "BT")
        self.steps: dict[tuple[Point, Point], str] = {}  # what `step` gave
        along, across = arrangement.along, arrangement.across
        self.inner_width, self.inner_height = (across, along) if self.vertical else (along, across)
        note = text_width(diagram.note, TITLE_SIZE) if diagram.note else 0.0
        self.note_lines = wrap(diagram.note, max(self.inner_width, 360.0)) if note else []
        self.width = max([self.inner_width, *(text_width(s, TITLE_SIZE) for s in self.note_lines)]) + 2 * MARGIN
        self.height = self.inner_height + 2 * MARGIN + 18 * len(self.note_lines)

    def place(self, u: float, v: float) -> tuple[float, float]:
        """From flow coordinates to the page."""
        if self.rankdir == "RL" or self.rankdir == "BT":
            u = self.arrangement.along - u
        x, y = (v, u) if self.vertical else (u, v)
        return x + MARGIN, y + MARGIN  # however wide a note is: notes come and go as numbers change

    def paint(self, background: str = "card") -> str:
        out = [card(self.width, self.height, background)]
        for frame in self.arrangement.frames:
            out.append(self.rectangle("frame", frame.u, frame.v, frame.along, frame.across, radius=8))
        many = len(self.arrangement.routes) > MANY_WIRES  # a bundle of thin wires shows its threads, thick ones clot
        for route in self.arrangement.routes:
            out.append(f'<path class="{"wire thin" if many else "wire"}" d="{self.path(route)}"/>\n')
        for u, v in self.arrangement.junctions:
            x, y = self.place(u, v)
            out.append(f'<circle class="dot" cx="{px(x)}" cy="{px(y)}" r="{"1.5" if many else "2.5"}"/>\n')
        for frame in self.arrangement.frames:
            out.append(self.frame_title(frame))
        for i, shape in enumerate(self.arrangement.shapes):
            out.append(self.part(i, shape))
        for i, line in enumerate(self.note_lines):
            out.append(text_at("note", MARGIN, self.height - MARGIN - 18 * (len(self.note_lines) - 1 - i) - 2, line))
        return "".join(out)

    # --- pieces

    def frame_title(self, frame: Frame) -> str:
        """In the upper left corner; from top to bottom in the first gap between the wires that come in there."""
        x, y = self.corner(frame.u, frame.v, frame.along, frame.across)
        title = clip(one_line(frame.title))
        left, width = x + 10, text_width(title, TITLE_SIZE)
        if self.vertical:
            for wire in sorted(self.wires_at_top(frame)):
                if left - 6 < wire < left + width + 6:
                    left = wire + 7
            if left + width > x + frame.across - 4:
                left = x + 10  # no gap is wide enough
        middle = y + FRAME_TITLE / 2 + 1
        # wires pass behind it; a halo around the letters is more than some programs can paint
        ground = rectangle("frame-ground", left - 3, middle - 7.5, width + 6, 15, 4)
        return ground + text_at("frame-title", left, middle, title)

    def wires_at_top(self, frame: Frame) -> Iterable[float]:
        """Where wires cross the line on which the frame's title stands."""
        at = frame.u + FRAME_TITLE / 2 if self.rankdir == "TB" else frame.u + frame.along - FRAME_TITLE / 2
        for route in self.arrangement.routes:
            for (u1, v1), (u2, v2) in pairwise(route):
                if u1 <= at <= u2 and frame.v <= v1 <= frame.v + frame.across:
                    yield self.place(at, v1 if at - u1 < u2 - at else v2)[0]

    def path(self, route: list[tuple[float, float]]) -> str:
        if len({v for _, v in route}) == 1:
            return "M" + " L".join(points(self.place(*at)) for at in (route[0], route[-1]))
        text = ["M" + points(self.place(*route[0]))]
        for step in pairwise(route):  # of which those along a trunk belong to many wires
            if step not in self.steps:
                self.steps[step] = self.step(step)
            text.append(self.steps[step])
        return "".join(text)

    def step(self, step: tuple[Point, Point]) -> str:
        """A line or a curve from one point of a route to the next."""
        ((_, control1, control2, end),) = smooth(step)
        if control1[1] == control2[1] == end[1]:
            return " L" + points(self.place(*end))
        return " C" + points(self.place(*control1), self.place(*control2), self.place(*end))

    def corner(self, u: float, v: float, along: float, across: float) -> tuple[float, float]:
        """The upper left corner on the page of a rectangle in flow coordinates."""
        x1, y1 = self.place(u, v)
        x2, y2 = self.place(u + along, v + across)
        return min(x1, x2), min(y1, y2)

    def rectangle(self, kind: str, u: float, v: float, along: float, across: float, *, radius: float) -> str:
        size = (across, along) if self.vertical else (along, across)
        return rectangle(kind, *self.corner(u, v, along, across), *size, radius)

    def line(self, u1: float, v1: float, u2: float, v2: float) -> str:
        return f'<path class="wire" d="M{points(self.place(u1, v1))} L{points(self.place(u2, v2))}"/>\n'

    def part(self, i: int, shape: Shape) -> str:
        part = shape.part
        u, v = self.arrangement.u[i], self.arrangement.v[i]
        name, value, gradient = part.exact
        data = f' data-name="{html.escape(printable(name))}"' if name else ""
        data += f' data-value="{value}"' if value else ""
        data += f' data-gradient="{gradient}"' if gradient else ""
        out = [f'<g data-part="{i}"{data}><title>{escape(part.tooltip)}</title>\n' if part.tooltip else f"<g{data}>\n"]
        body_u = u + shape.lead
        out += self.leads(shape, u, v)
        start = body_u + shape.body + shape.wire_start
        out += [self.line(start, v + way, body_u + shape.body + shape.stub, v + way) for way in shape.exits]
        out += self.body(shape, body_u, v)
        for k in range(len(shape.exits)):
            out += self.numbers(shape, k, body_u + shape.body, v)
        if part.is_root:
            out += self.root_end(shape, body_u + shape.body + shape.stub, v)
        if part.is_first_non_finite:
            out.append(self.first_bad(shape, u, v))
        out.append("</g>\n")
        return "".join(out)

    def first_bad(self, shape: Shape, u: float, v: float) -> str:
        """The frame around the first part whose value is not finite."""
        return self.rectangle("first-bad", u - 3, v - shape.across / 2 - 3, shape.along + 6, shape.across + 6, radius=6)

    def leads(self, shape: Shape, u: float, v: float) -> Iterable[str]:
        """The wires into the body, and the local derivatives on them."""
        for k, (offset, text) in enumerate(zip(shape.ports, shape.locals_, strict=True)):
            reach = self.reach(shape, offset)
            if reach:
                yield self.line(u, v + offset, u + reach, v + offset)
            if text:
                yield self.local(shape, k, u, v + offset, text)

    def reach(self, shape: Shape, offset: float) -> float:
        """How long the wire is from a port to the body."""
        if shape.part.shape == "circle":  # up to the rim
            return shape.lead + GATE_RADIUS - math.sqrt(max(0.0, GATE_RADIUS**2 - offset**2)) + 1
        return shape.lead

    def local(self, shape: Shape, k: int, u: float, v: float, text: str) -> str:
        """The local derivative at port k, which is at u, v."""
        x, y = self.place(u + shape.lead / 2, v)
        style = _smaller(text, NUMBER_SIZE - 1, shape.local_room)
        if self.vertical and k == 0 and len(shape.ports) == 2:
            return text_at("local", x - 4, y, text, anchor="end", style=style)
        if self.vertical:
            return text_at("local", x + 4, y, text, style=style)
        return text_at("local", x, y - 8, text, anchor="middle", style=style)

    def body(self, shape: Shape, u: float, v: float) -> Iterable[str]:
        part = shape.part
        middle = self.place(u + shape.body / 2, v)
        if part.kind == "gate" and part.shape == "circle":
            yield f'<circle class="gate" cx="{px(middle[0])}" cy="{px(middle[1])}" r="{px(GATE_RADIUS)}"/>\n'
            yield text_at("symbol sign", *middle, part.symbol)
        elif part.kind == "gate":
            radius = min(shape.body, shape.body_across) / 2
            yield self.rectangle(
                "constant" if part.shape == "cut" else "gate",
                u,
                v - shape.body_across / 2,
                shape.body,
                shape.body_across,
                radius=min(radius, 16),
            )
            yield self.symbol(shape, middle)
        elif part.kind == "folded":
            near, along, across = v - shape.body_across / 2 + SHEET, shape.body - SHEET, shape.body_across - 2 * SHEET
            middle = self.place(u + along / 2, v)
            yield self.rectangle("folded", u + SHEET, near + SHEET, along, across, radius=8)
            yield self.rectangle("folded", u, near, along, across, radius=8)
            for k, line in enumerate(part.lines):
                y = middle[1] + (k - (len(part.lines) - 1) / 2) * 18
                yield text_at("folded-text folded-title" if k == 0 else "folded-text", middle[0], y, line)
        elif part.kind == "constant":
            yield self.rectangle("constant", u, v - shape.body_across / 2, shape.body, shape.body_across, radius=4)
            room = (shape.body_across if self.vertical else shape.body) - 14
            yield text_at("symbol value", *middle, part.name, style=_smaller(part.name, NUMBER_SIZE, room))
        elif part.name or shape.owner:
            if part.is_parameter:
                yield self.rectangle("tag", u, v - shape.body_across / 2, shape.body - 2, shape.body_across, radius=5)
            short = 2 if part.is_parameter else 0 if self.vertical else 6  # of the body, what the name leaves free
            middle = self.place(u + (shape.body - short) / 2, v)
            yield from self.owned_name(part.name, shape.owner, middle)
        else:
            yield f'<circle class="dot" cx="{px(middle[0])}" cy="{px(middle[1])}" r="3"/>\n'

    def owned_name(self, name: str, owner: str, middle: tuple[float, float]) -> Iterable[str]:
        """A name, behind that of its owner if there is one; both together stand in the middle."""
        if not owner:
            yield name_at(*middle, name, anchor="middle")
            return
        x, y = middle
        split = x + (NARROW * text_width(owner, TITLE_SIZE) - name_width(name, NAME_SIZE)) / 2
        yield text_at("owner", split, y, owner, anchor="end")
        yield name_at(split + 1, y, name)

    def symbol(self, shape: Shape, middle: tuple[float, float]) -> str:
        """What a pill says: a constant that is too long is set in smaller letters, or with fewer digits."""
        part, room = shape.part, (shape.body_across if self.vertical else shape.body) - 8
        if not part.usual:
            return text_at("symbol", *middle, part.symbol)
        texts = part.symbol, *part.shorter
        text = next((text for text in texts if fitting(text, SYMBOL_SIZE, room) >= SMALLEST), texts[-1])
        return text_at("symbol", *middle, text, style=_smaller(text, SYMBOL_SIZE, room))

    def numbers(self, shape: Shape, result: int, u: float, v: float) -> Iterable[str]:
        for number in self.places_of_numbers(shape, result, u, v):
            if "n" in number.text.lower() and _NON_FINITE.fullmatch(number.text.lower()):
                yield number.box("bad")
            x, anchor, text = number.x, number.anchor, escape(number.text)
            pieces, letter, after = pieces_of(number.name, NUMBER_SIZE) if number.name else ([], 0.0, 0.0)
            if pieces:
                width = NARROW * text_width(number.text, number.size)
                left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * (letter + after + GAP + width)
                yield pieces_at("value label", left + letter, number.y, pieces)
                x, anchor = left + letter + after + GAP, "start"
            elif number.name:
                text = f'<tspan class="label">{escape(_isolated(shown_name(number.name)))}  </tspan>{text}'
            where = f'x="{px(x)}" y="{px(number.y)}" text-anchor="{anchor}" xml:space="preserve"'
            if number.size != NUMBER_SIZE:
                where += _font_size(number.size)
            yield f'<text class="{number.kind}" {where}>{text}</text>\n'

    def places_of_numbers(self, shape: Shape, result: int, u: float, v: float) -> Iterable[Number]:
        """A result's value above its wire and the gradient below it; from top to bottom, left and right of it,
        or one below the other before the wire begins."""
        part, told = shape.part, shape.part.results[result]
        named = part.kind != "input" and bool(told.name) and not part.is_root and part.kind != "constant"
        x, y = self.place(u + shape.stub / 2, v + shape.exits[result])
        value, gradient = shape.values[result], shape.gradients[result]
        for kind, name, text, side in (("value", told.name if named else "", value, -1), ("gradient", "", gradient, 1)):
            if not text:
                continue
            size = fitting(text, NUMBER_SIZE, shape.room) if told.node >= 0 else NUMBER_SIZE
            width = text_width(text, size)
            if name:
                width += name_width(name, NUMBER_SIZE) + text_width("  ", NUMBER_SIZE, bold=True)
            if self.vertical and not shape.above_wire:
                anchor = "end" if side < 0 else "start"
                tx, ty = x + side * NUMBER_DISTANCE, y
                left = tx - width if side < 0 else tx
            else:
                anchor = "middle"
                tx, ty = x, y + side * 10.5
                if shape.above_wire:
                    ty = self.place(u + 4 + LINE * (1 + side / 2), v)[1]
                left = tx - width / 2
            yield Number(kind, name, text, tx, ty, anchor, left, width, size)

    def root_end(self, shape: Shape, u: float, v: float) -> Iterable[str]:
        x, y = self.place(u, v)
        yield f'<circle class="dot" cx="{px(x)}" cy="{px(y)}" r="4"/>\n'
        name, leftward = shape.part.end_name, self.rankdir == "RL"
        if name and self.vertical:
            yield name_at(*self.place(u + 20, v), name, anchor="middle")
        elif name:
            yield name_at(x - 10 if leftward else x + 10, y, name, anchor="end" if leftward else "start")


def title_of(diagram: Diagram) -> str:
    name = next((part.name for part in diagram.parts if part.is_root), "") or diagram.said["a-value"]
    return diagram.said["graph-of"].format(f=clip(name, 80))


def _description(shapes: list[Shape], diagram: Diagram) -> str:
    """The picture in words, for whoever cannot see it."""
    spoken = []
    for shape in shapes[:40]:
        part = shape.part
        name = shape.owner + clip(part.name)
        what = part.symbol or (part.lines[0] if part.lines else "")
        said = [name, f"({what})" if what else ""]
        for value, gradient in zip(shape.values, shape.gradients, strict=True):
            both = diagram.said["told-both"].format(value=value, gradient=gradient)
            said.append(both if gradient and gradient != "–" else value)
        spoken.append(" ".join(filter(None, said)))
    if len(shapes) > 40:
        spoken.append(diagram.said["and-more"].format(n=len(shapes) - 40))
    counted = counted_in(diagram.said, diagram.node_count, diagram.unit[0])
    return in_a_row(diagram.said, [counted, "; ".join(spoken), diagram.note])


def _smaller(text: str, size: float, room: float) -> str:
    """The style of a text whose letters must be smaller than those of its class to fit; "" if it fits."""
    small = fitting(text, size, room)
    return _font_size(small) if small < size else ""


def _font_size(size: float) -> str:
    return f' style="font-size:{px(size)}px"'


def _isolated(name: str) -> str:
    """A name that may run from right to left, kept from turning the number beside it around."""
    if name.isascii() or all(
        unicodedata.bidirectional(c) in ("L", "EN", "ES", "ET", "CS", "NSM", "ON", "WS") for c in name
    ):
        return name
    return f"\u2068{name}\u2069"
