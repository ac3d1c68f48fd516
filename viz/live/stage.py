"""The picture that a graph is stepped through on: everything stands still, only numbers and lights change.

The still part is painted once. What changes is kept as small pieces of markup: the numbers of one part, and the lit
gate and wires of one step. A page exchanges the pieces; `Stage.picture` puts them together to a whole SVG.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from autograd import format_number

from .. import markup
from ..graph import svg
from ..graph.arrange import LINE, SHEET, Shape, arrange
from ..graph.diagram import Diagram
from ..lettering import spans_of
from ..metrics import FONT, NUMBER_SIZE

FMT = ".4g"  # as in the texts of the steps
PHONE = 444.0  # across a picture from top to bottom: with its margins 480, which a phone can show (`fit` in picture.js)
TALL: dict[str, Any] = {"rankdir": "TB", "across": PHONE, "stacked": True}  # how it is arranged
_LIGHTS = """\
{id} .flow{{fill:none;stroke-width:3.5}}
{id} .ring{{fill-opacity:.15;stroke-width:3}}
{id} .now{{fill-opacity:.16}}
{id} .forward .flow,{id} .forward .ring{{stroke:{c[value]}}}
{id} .forward .ring,{id} .forward .now{{fill:{c[value]}}}
{id} .backward .flow,{id} .backward .ring{{stroke:{c[gradient]}}}
{id} .backward .ring,{id} .backward .now{{fill:{c[gradient]}}}
"""


def graph_rules(identity: str, colours: dict[str, str]) -> str:
    """The style sheet of a graph and of the lights on it."""
    return svg.style_rules(identity, colours) + _LIGHTS.format(id=identity, c=colours)


@dataclass(frozen=True)
class Backdrop:
    """What stands still while a player moves, and the style sheet of all that is shown there."""

    still: str
    width: float
    height: float
    rules: markup.Rules = graph_rules

    @property
    def on_a_page(self) -> str:
        """What stands still, without the card, which on a page is the page's own box."""
        return re.sub("<rect class='card'[^>]*>", "", self.still)

    def picture(self, changing: Sequence[str], lights: str, told: tuple[str, str], theme: str) -> str:
        """An SVG of its own, for a file: every program shows it. ``told`` are its title and its description."""
        body = (self.still + lights + "".join(changing)).replace("'", '"')  # texts have none, see `compact`
        body = re.sub("<text(?![^>]*text-anchor)", '<text text-anchor="middle"', body)
        return markup.document(body, self.width, self.height, "chainrule-frame", told, self.rules, theme)

    def image(self, changing: Sequence[str], lights: str, theme: str) -> str:
        """The same in few bytes, for an image in a page: only browsers are expected to show it."""
        style, body = _with_style(self.still + lights + "".join(changing), self.rules, theme)
        width, height = f"{self.width:.0f}", f"{self.height:.0f}"
        return (
            f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' viewBox='0 0 {width} {height}' "
            f"text-anchor='middle' xml:space='preserve'><style>{style}</style>{body}</svg>"
        )


class _OnWholePixels(svg.Painter):
    """Paints on whole pixels, which are written in fewer letters."""

    def place(self, u: float, v: float) -> tuple[float, float]:
        x, y = super().place(u, v)
        return float(math.floor(x + 0.5)), float(math.floor(y + 0.5))


class Stage:
    """A diagram, arranged and painted without its numbers.

    The parts must carry the widest texts that will ever stand in them, so that no number needs more room than it has.
    """

    def __init__(self, diagram: Diagram, *, show_grad: bool, local: bool = False, rankdir: str = "LR") -> None:
        look = TALL if rankdir == "TB" else {"rankdir": rankdir}
        arrangement = arrange(diagram, fmt=FMT, show_grad=show_grad, local=local, **look)
        self.parts = diagram.parts
        self._arrangement = arrangement
        self._bad = [part.is_first_non_finite for part in diagram.parts]
        for shape in arrangement.shapes:
            shape.values, shape.gradients = [""] * len(shape.exits), [""] * len(shape.exits)
            shape.locals_ = [""] * len(shape.locals_)
            shape.part.tooltip, shape.part.exact, shape.part.is_first_non_finite = "", ("", "", ""), False
        painter = _OnWholePixels if rankdir == "TB" else svg.Painter  # only pages have it from top to bottom
        self._painter = painter(diagram, arrangement, rankdir)
        still, self._pieces = _with_one_wire(compact(self._painter.paint()))
        self.backdrop = Backdrop(still, self._painter.width, self._painter.height)

    # --- what changes

    def numbers(self, i: int, result: int, value: str, gradient: str) -> str:
        """The value and the gradient of a result of part ``i``."""
        shape, u, v = self._place(i)
        shape.values[result], shape.gradients[result] = value, gradient
        markup = "".join(self._painter.numbers(shape, result, u + shape.lead + shape.body, v))
        if self._bad[i] and value not in ("", "–"):
            markup += self._painter.first_bad(shape, u, v)
        return compact(markup)

    def lights(
        self,
        kind: str,
        gates: Iterable[int],
        wires: Iterable[tuple[int, int]],
        changed: Iterable[tuple[int, int]],
        *,
        local: bool = False,
    ) -> str:
        """What is lit: gates, wires (each the part and the port that it leads to), and results whose numbers
        are new.

        ``kind`` is "forward" or "backward". With ``local`` the gates show their local derivatives by these wires. The
        numbers must have been painted by `numbers` before.
        """
        wires = list(wires)
        flow = "".join(dict.fromkeys(_shorter(path) for part, port in wires for path in self._wire(part, port)))
        markup = f'<path class="flow" d="{flow}"/>' if flow else ""
        markup += "".join(self._ring(i) for i in gates)
        for i, result in changed:
            shape, u, v = self._place(i)
            for number in self._painter.places_of_numbers(shape, result, u + shape.lead + shape.body, v):
                if number.kind == ("value" if kind == "forward" else "gradient"):
                    markup += number.box("now")
        for part, port in wires if local else ():
            slope = self.parts[part].locals_[port]
            if slope is not None:
                markup += self._local(part, f"∂ {format_number(slope, FMT)}")
        return f"<g class='{kind}'>{compact(markup)}</g>" if markup else ""

    def _place(self, i: int) -> tuple[Shape, float, float]:
        return self._arrangement.shapes[i], self._arrangement.u[i], self._arrangement.v[i]

    def places(self, *, locals_: bool) -> dict[str, Any]:
        """Where a page that computes by itself puts its numbers and lights.

        ``parts``: for each its results (the node, where its value and its gradient stand, what is written before the
        value, as `spans_of`, and which result it is), the rectangle that all of it takes, and that of its body.
        ``wires``: for each the part and the port that it leads to, the part that it comes from, its pieces, as numbers
        of those in the path of all wires, the result that it carries, and with ``locals_`` where its local derivative
        stands.
        ``frames``: the path of the scope, and the rectangle. What stands last and is empty or 0 is left out.
        """
        painter = self._painter
        parts, wires = [], []
        for i, part in enumerate(self.parts):
            shape, u, v = self._place(i)
            results = []
            for k, result in enumerate(part.results):
                shape.values[k] = shape.gradients[k] = "0"
                numbers = list(painter.places_of_numbers(shape, k, u + shape.lead + shape.body, v))
                shape.values[k] = shape.gradients[k] = ""
                if result.node >= 0:
                    where = [round(x, 1) for n in numbers for x in (n.x, n.y)]
                    usual = [0.0, LINE if painter.vertical else 21.0]  # from the value to the gradient
                    if [b - a for a, b in zip(where[:2], where[2:], strict=True)] == usual:
                        where = where[:2]
                    results.append(_without_end([result.node, where, _label(numbers[0].name), k]))
            around = (*painter.corner(u, v - shape.across / 2, shape.along, shape.across), shape.along, shape.across)
            parts.append(_without_end([results, self._turned(around), self._body(i), list(part.ports)]))
            for port, (source, tap) in enumerate(part.sources):
                path = [self._pieces[_shorter(d)] for d in self._wire(i, port)]
                x, y = painter.place(u + shape.lead / 2, v + shape.ports[port]) if locals_ else (0.0, 0.0)
                wires.append(_without_end([i, port, source, path, tap, round(x, 1), round(y, 1)]))
        frames = [
            [list(f.path), *self._turned((*painter.corner(f.u, f.v, f.along, f.across), f.along, f.across))]
            for f in self._arrangement.frames
        ]
        size = {"width": round(painter.width), "height": round(painter.height)}
        more = {"tall": painter.vertical, "frames": frames}
        return {**size, "parts": parts, "wires": wires, **{key: what for key, what in more.items() if what}}

    def _local(self, i: int, text: str) -> str:
        """A local derivative of a part, where no wire goes: over its body, or from top to bottom on the right of it."""
        x, y, width, height = self._body(i)[:4]
        if self._painter.vertical:
            return markup.text_at("local", x + width + 6, y + height / 2, text, anchor="start")
        return markup.text_at("local", x + width / 2, y - 9, text, anchor="middle")

    def _turned(self, rectangle: tuple[float, float, float, float]) -> list[float]:
        x, y, along, across = rectangle
        return [round(x) for x in ((x, y, across, along) if self._painter.vertical else rectangle)]

    def _body(self, i: int) -> list[float]:
        """The rectangle of a part's body, and the radius of its corners if that is not half its height."""
        found = re.search('x="(.*)" y="(.*)" width="(.*)" height="(.*)" rx="(.*)"', self._ring(i))
        assert found is not None
        body = [round(float(x), 1) for x in found.groups()]
        return body[:4] if body[4] == body[3] / 2 else body

    def _ring(self, i: int) -> str:
        shape, u, v = self._place(i)
        along, across = shape.body, shape.body_across
        radius = min(along, across) / 2
        near = v - across / 2
        if shape.part.kind == "folded":
            near, along, across, radius = near + SHEET, along - SHEET, across - 2 * SHEET, 8.0
        elif shape.part.shape == "pill":
            radius = min(radius, 16.0)
        return self._painter.rectangle("ring", u + shape.lead, near, along, across, radius=radius)

    def _wire(self, part: int, port: int) -> Iterable[str]:
        """The way between two gates: the wire under the source's numbers, the routes, the lead into the gate.

        Each piece is one that the painter has painted."""
        source = self.parts[part].sources[port]
        shape, u, v = self._place(source[0])
        v += shape.exits[source[1]]
        start = u + shape.lead + shape.body
        yield self._painter.path([(start + shape.wire_start, v), (start + shape.stub, v)])
        for route, link in zip(self._arrangement.routes, self._arrangement.links, strict=True):
            if link.carries(source, part, port):
                yield self._painter.path(route)
        shape, u, v = self._place(part)
        v += shape.ports[port]
        reach = self._painter.reach(shape, shape.ports[port])
        if reach:
            yield self._painter.path([(u, v), (u + reach, v)])


def _label(name: str) -> list[list[str | float]]:
    """What is written before a value. A last piece that is empty moves the value; the usual gap goes without saying."""
    spans = spans_of(name, NUMBER_SIZE, svg.GAP) if name else []
    return spans[:-1] if spans and spans[-1] == ["", svg.GAP] else spans


def stylesheet(identity: str, rules: markup.Rules) -> str:
    """The rules for pictures inside of ``identity``, in colours that follow its ``color-scheme``; and the font."""
    colours = {name: f"light-dark({light},{markup.DARK[name]})" for name, light in markup.LIGHT.items()}
    variables = "".join(f"--{name}:{colour};" for name, colour in colours.items())
    middle = f"{identity} svg text{{dominant-baseline:central}}\n"  # where `with_attributes` did not place it
    style = rules(f"{identity} svg", {name: f"var(--{name})" for name in markup.LIGHT})
    return f"{identity}{{{variables}--font:{FONT}}}\n{middle}" + style.replace(f"font-family:{FONT};", "")


# --- fewer bytes


def _with_style(body: str, rules: markup.Rules, theme: str) -> tuple[str, str]:
    """The rules that a picture needs, and the picture: in an image of its own, all names may be single letters."""
    used = sorted({name for names in re.findall("class='([^']*)'", body) for name in names.split()})
    letter = dict(zip(used, string.ascii_letters, strict=False))
    names = {name: string.ascii_letters[k] for k, name in enumerate(markup.LIGHT)}
    fixed = {"light": markup.LIGHT, "dark": markup.DARK}.get(theme)
    style = ""
    colours = fixed or {name: f"var(--{short})" for name, short in names.items()}
    for rule in markup.relevant(rules("", colours), body).splitlines():
        selectors, _, declarations = rule.partition("{")
        selectors = ",".join(
            re.sub(r"\.([a-z-]+)", lambda m: f".{letter[m[1]]}", s.strip()) for s in selectors.split(",")
        )
        style += f"{selectors}{{{declarations}"
    style = style.replace("text{", "text{dominant-baseline:central}svg{")
    style = style.replace(FONT, "Helvetica,Arial,sans-serif").replace("text-anchor:middle;", "")
    if not fixed:
        needed = [(name, short) for name, short in names.items() if f"var(--{short})" in style]
        light, dark = (";".join(f"--{k}:{theirs[n]}" for n, k in needed) for theirs in (markup.LIGHT, markup.DARK))
        style = f"svg{{{light}}}@media (prefers-color-scheme:dark){{svg{{{dark}}}}}{style}"
    # a group of all texts of one class says it once for them all
    texts: dict[str, list[str]] = {}
    for kind, rest in _TEXT.findall(body):
        texts.setdefault(kind, []).append(f"<text{rest}</text>")
    body = _TEXT.sub("", body) + "".join(f"<g class='{kind}'>{''.join(of_it)}</g>" for kind, of_it in texts.items())
    return style, re.sub("(?<= class=')[^']*", lambda m: " ".join(letter[name] for name in m[0].split()), body)


_TEXT = re.compile("<text class='([^']*)'(.*?)</text>")


def compact(markup: str) -> str:
    """The same elements in fewer bytes, and in single quotes; texts stand in the middle if nothing else is said."""

    def shorter(match: re.Match[str]) -> str:
        tag = match[0]
        if not tag.startswith("<"):
            return tag.replace("'", "&#39;")  # no name may look like an attribute
        if (
            tag.startswith("<text")
            and "text-anchor" not in tag
            and not re.search('class="(symbol|folded-text|cell)', tag)
        ):
            tag = tag[:-1] + ' text-anchor="start">'
        tag = tag.replace(' text-anchor="middle"', "").replace(' xml:space="preserve"', "")
        return "" if tag in ("<g>", "</g>") else tag.replace('"', "'")

    return re.sub("<[^<>]*>|[^<>]+", shorter, markup.replace("\n", ""))


def _with_one_wire(markup: str) -> tuple[str, dict[str, int]]:
    """All wires as one path, where the first of them was: under the gates; and the number of each of its pieces."""
    found = re.compile(r"<path class='(wire[ a-z]*)' d='([^']*)'/>")
    first = found.search(markup)
    if first is None:
        return markup, {}
    pieces = {d: k for k, d in enumerate(dict.fromkeys(_shorter(d) for _, d in found.findall(markup)))}
    head, tail = markup[: first.start()], markup[first.end() :]
    return f"{head}<path class='{first[1]}' d='{''.join(pieces)}'/>{found.sub('', tail)}", pieces


def _shorter(d: str) -> str:
    """The same path in fewer letters; M stands at its beginning only."""
    return _LINE.sub(_straight, d.replace(" L", "L").replace(" C", "C"))


_LINE = re.compile(r"^M([^,]+),([^LC]+)L([\d.-]+),([\d.-]+)")


def _straight(line: re.Match[str]) -> str:
    x1, y1, x2, y2 = line.groups()
    return f"M{x1},{y1}" + (f"H{x2}" if y1 == y2 else f"V{y2}" if x1 == x2 else f"L{x2},{y2}")


def _without_end(row: list[Any]) -> list[Any]:
    """A row without what is empty or 0 at its end."""
    while row and (row[-1] == 0 or row[-1] == []):
        row.pop()
    return row
