"""`worksheet`: a graph with empty boxes, to be filled in by hand on a sheet of A4, and its key."""

from __future__ import annotations

import itertools
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from autograd import (
    SHEET,
    Value,
    backward_steps,
    dumps,
    format_number,
    forward_steps,
    loads,
    parse,
    recompute,
    topological_order,
)
from autograd.exercises import ByHand
from autograd.exercises.easy import Draws
from autograd.expression import known_functions, open_names
from autograd.files import save_as
from autograd.graph import names_in_order
from autograd.messages import language, messages
from autograd.ops import CONSTANT
from autograd.steps import fill

from .checks import at_least
from .graph import diagram as diagrams
from .graph import svg
from .graph.arrange import Arrangement, Shape, arrange
from .lettering import NARROW, name_width, pieces_of, shown_name, spans_in
from .live.player import Player
from .live.stepping import step_through
from .markup import document, line_at, pieces_at, px, rectangle, text_at, wrap
from .metrics import NUMBER_SIZE, TITLE_SIZE, escape, text_width
from .mistakes import explained, only_a_value, shown_by
from .picture import Picture, html_page

A4 = (793.7, 1122.5)  # 210 by 297 mm, in pixels of 1/96 inch
EDGE = 56.7  # 15 mm
LARGEST = 1.3  # no graph is drawn larger than so many times its usual size
SMALLEST = 0.5  # nor smaller: its boxes would be lower than 3 mm
SPACING = 66.0  # across a wire, for a box on either side
BOX = 25.0  # the height of a box
MOST_PARTS = 60  # of a sheet that one can write on
DIGITS = ".4g"
TASK_SIZE, HEAD_SIZE = 14.5, 23.0
_SIZES = {"task": TASK_SIZE, "head": HEAD_SIZE}
_TIED = "\ue000"  # stands for a space at which no line is broken; no font has it
_SIDES = re.compile(r'width="[\d.]+" height="[\d.]+"')

_STYLE = """\
{id} .blank{{fill:#ffffff;stroke:#000000;stroke-width:1.1}}
{id} .answer{{font-size:13px;font-weight:600;fill:#000000}}
{id} .slope{{font-size:13px;font-weight:600;font-style:italic;fill:#000000}}
{id} .head{{font-size:{head}px;font-weight:600;fill:#000000}}
{id} .small{{font-size:12px;fill:#333333}}
{id} .task{{font-size:{task}px;fill:#000000}}
{id} .step{{fill:#000000}}
{id} .line{{fill:none;stroke:#000000;stroke-width:0.8}}
{id} .heavy{{fill:none;stroke:#000000;stroke-width:1.6}}
{id} .point{{fill:#999999}}
"""
_PAGE = (
    "@page{{size:A4 {way};margin:0}}body{{margin:0;background:#fff}}svg{{display:block;width:{width};height:auto}}\n"
)
_SCREEN = (
    "@media screen{body{background:#777}"
    "svg{background:#fff;margin:1rem auto;box-shadow:0 2px 12px #000a;max-width:98vw!important}}\n"
)


@explained
def worksheet(
    f: Value | str,
    /,
    blank: str | Sequence[str] = "gradients",
    *,
    seed: int | None = None,
    title: str = "",
    **numbers: float,
) -> Worksheet:
    """A sheet of A4 on which a graph stands with empty boxes, and, as its ``key``, the same with the answers.

    >>> sheet = worksheet("q = x + y; f = q * z", seed=3)
    >>> sheet.numbers
    {'x': -5.0, 'y': 1.5, 'z': -0.5}
    >>> sheet.check(q=-0.5, x=-0.5, y=-0.5, z=-3.5)
    All 4 are right.

    Args:
        f: the end of the graph; or a formula, with its numbers. It is copied, and stays as it is.
        blank: what is to be filled in: the "gradients", the "values" or "both"; or the names of some wires, as in
            `autograd.exercises.by_hand`.
        seed: draws the leaves' numbers by lot, so that the answers are short, of three digits, or rounded to four
            where there is a function such as exp; and so that no slope is 0 or ±1, which would hide a mistake, where
            the graph allows it. The same seed gives the same sheet.
        title: what stands at the top.
        numbers: the numbers in the formula; with a seed they need not be given.

    Raises:
        TypeError: if f is neither.
        ValueError: for another ``blank``, or a graph that has no room on a sheet.
    """
    return Worksheet(_root(f, numbers, seed is not None), blank, seed, title)


@explained
def worksheets(
    f: Value | str,
    /,
    count: int,
    blank: str | Sequence[str] = "gradients",
    *,
    seed: int = 0,
    title: str = "",
) -> Booklet:
    """As many different sheets for one graph, as a booklet that is printed at once; see `worksheet`.

    Args:
        f: the end of the graph, or a formula.
        count: how many.
        blank: what is to be filled in.
        seed: of the first sheet; it counts on from there.
        title: what stands at the top of each.

    Raises:
        ValueError: as `worksheet`; or if there are not so many different sheets of this graph.
    """
    at_least(1, "count", count)
    root = _root(f, {}, True)
    draws, plan = Draws(root), _Plan()
    seen: set[tuple[float, ...]] = set()
    sheets: list[Worksheet] = []
    for at in range(seed, seed + 51 * count + 1000):
        drawn = tuple(draws.draw(Random(at)))
        if drawn not in seen:
            seen.add(drawn)
            sheets.append(Worksheet(root, blank, at, title, drawn, plan))
        if len(sheets) == count:
            return Booklet(sheets)
    raise ValueError(f"{count} different sheets of this graph were asked for, but only {len(sheets)} were found")


def _root(f: Value | str, numbers: dict[str, float], draws: bool) -> Value:
    if isinstance(f, str):
        to_come = dict.fromkeys(open_names(f, dict(numbers)), 2.0) if draws else {}
        return parse(f, {**numbers, **to_come})
    if numbers:
        raise TypeError(f"{', '.join(numbers)}: numbers are for a formula given as text; a graph has its own")
    only_a_value("worksheet draws the graph of a Value", f)
    return f


class _Plan:
    """Where everything stands: the same for all sheets of one graph, whatever their numbers are."""

    def __init__(self) -> None:
        self.rankdir = ""
        self.landscape = False
        self.arrangement: Arrangement | None = None

    def of(self, diagram: diagrams.Diagram) -> Arrangement:
        """The arrangement that is printed largest, with the numbers of this diagram."""
        if self.arrangement is None:
            self._choose(diagram)
        assert self.arrangement is not None  # or it would have been refused
        for shape, part in zip(self.arrangement.shapes, diagram.parts, strict=True):
            shape.part = part
            shape.values = [result.value for result in part.results]
            shape.gradients = [result.gradient for result in part.results]
        return self.arrangement

    def _choose(self, diagram: diagrams.Diagram) -> None:
        best = 0.0
        for rankdir, landscape, liking in (("LR", False, 1.0), ("LR", True, 0.8), ("TB", False, 0.75)):
            spacing = SPACING if rankdir == "LR" else 40.0
            arrangement = arrange(diagram, fmt=DIGITS, rankdir=rankdir, spacing=spacing)
            sides = (arrangement.along, arrangement.across)
            scale = _scale(sides if rankdir == "LR" else sides[::-1], landscape)
            if scale >= SMALLEST and liking * scale > best * 1.0001:
                best, self.rankdir, self.landscape, self.arrangement = liking * scale, rankdir, landscape, arrangement
        if self.arrangement is None:
            raise ValueError(
                f"on a sheet of paper the boxes of this graph of {diagram.node_count} nodes would be too small to "
                "write in: make a worksheet of a part of it, such as one neuron"
            )


def _scale(size: tuple[float, float], landscape: bool) -> float:
    width, height = A4[::-1] if landscape else A4
    return min(LARGEST, (width - 2 * EDGE) / (size[0] + 36), (height - 2 * EDGE - 190) / (size[1] + 36))


class _Page(Picture):
    """A page of A4, in black and white."""

    _theme = "print"
    _landscape: bool

    def _fixed_theme(self) -> str:
        return self._svg

    def _kinds(self, scale: float) -> dict[str, Callable[[], bytes]]:
        return super()._kinds(scale) | {".pdf": self._pdf}

    def _pdf(self) -> bytes:
        from .raster import to_pdf

        points = (f'{side}="{0.75 * x:.2f}"' for side, x in zip(("width", "height"), self._size, strict=True))
        return to_pdf(_SIDES.sub(" ".join(points), self._svg, count=1))  # a PDF is measured in points

    @property
    def _size(self) -> tuple[float, float]:
        return A4[::-1] if self._landscape else A4

    def to_html(self, *, page: bool = True) -> str:
        """The page as HTML: by itself, to be printed on A4, or with ``page=False`` as a piece."""
        return _printable([self._svg], self._title, self._landscape) if page else super().to_html(page=False)


class Worksheet(_Page):
    """A sheet of A4; see `worksheet`. It shows itself in a notebook; `save` writes it to a file.

    Attributes:
        numbers: the leaves' numbers, by their names.
        exercise: the same exercise for answers that are typed: `autograd.exercises.ByHand`.
    """

    _to_see = shown_by("worksheet", "sheet.html")
    _to_write = ".save('sheet.html') writes it, and .key.save('key.html') the answers"
    _instead: ClassVar = {"answers": ".key is the sheet with the answers"}

    def __init__(
        self,
        root: Value,
        blank: str | Sequence[str] = "gradients",
        seed: int | None = None,
        title: str = "",
        drawn: Sequence[float] | None = None,
        plan: _Plan | None = None,
    ) -> None:
        if not isinstance(title, str):
            raise TypeError(f"the title of a sheet is text, but got {type(title).__name__}: {title!r:.60}")
        self._root = _copy(root, seed, drawn)
        self._order = topological_order(self._root)
        self._names = names_in_order(self._order)
        self._kind = blank if isinstance(blank, str) else "some"
        self._blank, self._seed, self._plan = blank, seed, plan or _Plan()
        self.numbers = {self._names[x]: x.data for x in self._order if not x.inputs and x.op != CONSTANT}
        self.exercise = ByHand(self._root, blank)
        diagram = diagrams.build(self._root, fmt=DIGITS, depth="all")
        if len(diagram.parts) > MOST_PARTS:
            raise ValueError(
                f"a sheet of paper has room for {MOST_PARTS} gates and inputs, but this graph has "
                f"{len(diagram.parts)}: make a worksheet of a part of it, such as one neuron"
            )
        diagram.note = ""
        if self._kind == "values":  # where the gradients are not the question, they are not there
            for part in diagram.parts:
                part.gradient = ""
        self._diagram = diagram
        self._title = title or messages()[f"sheet-title-{self._kind}"].format(f=self._names[self._root])
        self._key_title = messages()["sheet-key"].format(title=self._title)
        self._svg = self._sheet(self._painter(answers=False))

    def _painter(self, *, answers: bool) -> _SheetPainter:
        arrangement = self._plan.of(self._diagram)
        return _SheetPainter(self._diagram, arrangement, self._plan.rankdir, self._blanks(), answers=answers)

    @cached_property
    def drawing(self) -> str:
        """The graph with its boxes alone, without the sheet around it, as SVG text."""
        painter = self._painter(answers=False)
        told = self._title, f"{self.exercise}"
        return document(painter.paint(), painter.width, painter.height, "chainrule-graph", told, _rules, "print")

    @property
    def formula(self) -> str:
        """The graph as a formula that `autograd.parse` reads, every wire a step with its name.

        Raises:
            ValueError: if an operation or a name cannot be written in a formula.
        """
        return "; ".join(_step(node, self._names) for node in self._order if node.inputs)

    @cached_property
    def key(self) -> Key:
        """The same sheet with the answers, and every step of the way there."""
        return Key(self._answers(self._painter(answers=True)), self._key_title, self._plan.landscape)

    def check(self, *answers: Any, **named: Any) -> Any:
        """Look at answers that are typed: ``self.exercise.check``."""
        return self.exercise.check(*answers, **named)

    def live(self) -> Player:
        """The same sheet on a screen: a page that steps through the graph and asks for the numbers that are blank."""
        return step_through(self._root, forward=bool(self.exercise.values), predict=self._blank)

    @property
    def _landscape(self) -> bool:  # type: ignore[override]
        return self._plan.landscape

    def __repr__(self) -> str:
        return f"<Worksheet of {self._names[self._root]}; .save('sheet.html') writes it, .key.save('key.html') the key>"

    # --- what is blank

    def _blanks(self) -> set[tuple[int, str]]:
        place = {self._names[node]: i for i, node in enumerate(self._order)}
        return {(place[name], "value") for name in self.exercise.values} | {
            (place[name], "gradient") for name in self.exercise.gradients
        }

    # --- the page

    def _sheet(self, painter: _SheetPainter) -> str:
        """The sheet that is filled in."""
        width, height = self._size
        body, y = self._head(self._title), EDGE + 56
        formula = self._formula()
        if formula:
            body += self._line("task", y, formula)
            y += 29
        for line in self._task():
            body += self._line("task", y, line)
            y += 22
        y += 4
        drawn, y = self._drawn(painter, y, height - EDGE - 12 - y)
        body += drawn + _room_to_work(EDGE, y + 10, width - 2 * EDGE, height - EDGE - 28 - y)
        said = messages()
        right = width - EDGE
        for text, start, end in (
            (said["sheet-name"], right - 300, right - 120),
            (said["sheet-date"], right - 108, right),
        ):
            line_from = start + text_width(text, 12) + 2
            body += text_at("small", start, EDGE + 10, text)
            body += f'<path class="line" d="M{px(line_from)},{px(EDGE + 15)} L{px(end)},{px(EDGE + 15)}"/>\n'
        return self._document(body, self._title)

    def _answers(self, painter: _SheetPainter) -> str:
        """The same with the answers, and every step of the way there."""
        width, height = self._size
        given = ",  ".join(f"{name}{_TIED}={_TIED}{format_number(x)}" for name, x in self.numbers.items())
        lines = wrap(messages()["sheet-given"].format(numbers=given), width - 2 * EDGE)
        body, y = self._head(self._key_title), EDGE + 56
        for line in lines:
            body += self._line("task", y, line.replace(_TIED, " "))
            y += 22
        passes = self._passes()
        room = height - EDGE - 20 - y
        told, tall = _columns(passes, self._names.values(), width - 2 * EDGE, 0.36 * room)
        drawn, y = self._drawn(painter, y, room - tall - 16)
        return self._document(
            f'{body}{drawn}<g transform="translate({px(EDGE)} {px(y + 16)})">\n{told}</g>\n', self._key_title
        )

    def _drawn(self, painter: _SheetPainter, top: float, room: float) -> tuple[str, float]:
        """The graph in the middle, as large as it can be; and where it ends."""
        width, _ = self._size
        scale = min(LARGEST, (width - 2 * EDGE + 36) / painter.width, room / painter.height)
        left = (width - scale * painter.width) / 2
        moved = f'transform="translate({px(left)} {px(top)}) scale({scale:.4f})"'
        return f"<g {moved}>\n{painter.paint('none')}</g>\n", top + scale * painter.height

    def _head(self, title: str) -> str:
        rule = f"M{px(EDGE)},{px(EDGE + 30)} L{px(self._size[0] - EDGE)},{px(EDGE + 30)}"
        return self._line("head", EDGE + 8, title) + f'<path class="heavy" d="{rule}"/>\n'

    def _line(self, kind: str, y: float, text: str) -> str:
        """A line at the left edge, with the names in it set as they are in the drawing."""
        return line_at(kind, EDGE, y, spans_in(text, self._names.values(), _SIZES[kind]))

    def _document(self, body: str, title: str) -> str:
        width, height = self._size
        body = f'<path d="M0,0 H{px(width)} V{px(height)} H0 Z" fill="#ffffff"/>\n{body}'  # the paper
        if self._seed is not None:
            told = messages()["sheet-number"].format(n=self._seed)
            body += text_at("small", width - EDGE, height - EDGE + 8, told, anchor="end")
        return document(body, width, height, "chainrule-graph", (title, f"{self.exercise}"), _rules, "print")

    def _task(self) -> list[str]:
        """What is to be done, line by line."""
        said, f, width = messages(), self._names[self._root], 0.9 * (self._size[0] - 2 * EDGE)
        told = [said[f"sheet-{self._kind}" + "-down" * (self._plan.rankdir == "TB")].format(f=f)]
        if self.exercise.gradients:
            told.append(said["sheet-rule"].format(f=f))
        if self.exercise.gradients and max(Counter(x for node in self._order for x in node.inputs).values()) > 1:
            told.append(said["sheet-paths"])
        if any(format_number(x, ".3g") != format_number(x) for x in self.exercise.key().values()):
            told.append(said["sheet-rounding"])
        return wrap(" ".join(told).replace("。 ", "。"), width * TITLE_SIZE / TASK_SIZE / NARROW)

    def _formula(self) -> str:
        """The graph as formulas, if they are few."""
        names = self._names
        computed = [x for x in self._order if x.inputs]
        formulas = [f"{names[x]} = {fill(SHEET[x.op].formula, [names[i] for i in x.inputs])}" for x in computed]
        return ",   ".join(formulas) if len(formulas) <= 4 else ""

    def _passes(self) -> list[tuple[str, list[str]]]:
        """The steps of the passes that are asked for, each under its heading."""
        said = messages()
        passes = []
        if self.exercise.values:
            passes.append((said["sheet-forward"], [step.text for step in forward_steps(self._root)]))
        if self.exercise.gradients:
            passes.append((said["sheet-backward"], [step.text for step in backward_steps(self._root)]))
        return passes


class Key(_Page):
    """The key of a `Worksheet`: the sheet with the answers, and every step of the way there."""

    _to_see = shown_by("key", "key.html")
    _to_write = ".save('key.html') writes it"

    def __init__(self, page: str, title: str, landscape: bool) -> None:
        self._svg, self._title, self._landscape = page, title, landscape

    def __repr__(self) -> str:
        return f"<{self._title}; .save('key.html') writes it to a file>"


class Booklet(Sequence[Worksheet]):
    """Several worksheets, one to a page; see `worksheets`."""

    def __init__(self, sheets: Sequence[Worksheet]) -> None:
        self._sheets = list(sheets)

    def __len__(self) -> int:
        return len(self._sheets)

    def __getitem__(self, k: Any) -> Any:
        return Booklet(self._sheets[k]) if isinstance(k, slice) else self._sheets[k]

    def to_html(self, *, key: bool = False) -> str:
        """All sheets, or with ``key=True`` all keys, as one page of HTML that is printed on as many pages of A4."""
        pages = self._pages(key)
        return _printable([page.svg for page in pages], pages[0]._title, pages[0]._landscape)

    def _pages(self, key: bool) -> list[_Page]:
        return [sheet.key if key else sheet for sheet in self._sheets]

    def save(self, path: str | os.PathLike[str], *, key: bool = False) -> Path:
        """Write all sheets, or all keys, to one file, whole or not at all: .html, or .pdf, one page for each.

        Raises:
            ValueError: for another ending.
            ImportError: for .pdf without the extra png.
            OSError: if the file cannot be written.
        """
        from .raster import joined

        kinds: dict[str, Callable[[], bytes]] = {
            ".html": lambda: self.to_html(key=key).encode(),
            ".pdf": lambda: joined([page._pdf() for page in self._pages(key)]),
        }
        return save_as(path, kinds, "a booklet's ending must be .html, which a browser prints, or .pdf")

    def __repr__(self) -> str:
        return f"<{len(self)} worksheets; .save('sheets.html') writes them, .save('keys.html', key=True) their keys>"


# --- numbers and blanks


def _copy(root: Value, seed: int | None, drawn: Sequence[float] | None) -> Value:
    """The same graph with nodes of its own, with numbers drawn by lot if there is a seed, and its gradients."""
    copy = loads(dumps(root))
    if seed is not None:
        draws = Draws(copy) if drawn is None else None
        order = topological_order(copy)
        numbers = draws.draw(Random(seed)) if draws is not None else drawn
        leaves = [node for node in order if not node.inputs and node.op != CONSTANT]
        for leaf, x in zip(leaves, numbers or (), strict=True):
            leaf.data = x
        recompute(copy)
    copy.zero_grad()
    copy.backward()
    _name(copy)
    return copy


def _name(root: Value) -> None:
    """Give every wire a name, so that one can speak of it: v_1, v_2, ..."""
    order = topological_order(root)
    taken = {node.label for node in order}
    fresh = (name for k in itertools.count(1) if (name := f"v_{k}") not in taken)
    for node in order:
        if not node.label and node.op != CONSTANT:
            node.label = "f" if node is root and "f" not in taken else next(fresh)


_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}


def _step(node: Value, names: dict[Value, str]) -> str:
    """One step of a formula: q = x + y."""
    called = [repr(x.data) if x.op == CONSTANT else names[x] for x in node.inputs]
    called = [f"({name})" if name.startswith("-") else name for name in called]
    for name in (names[node], *(names[x] for x in node.inputs if x.op != CONSTANT)):
        if not name.isidentifier():
            raise ValueError(
                f"a formula has plain names such as w_1, but this graph has {name!r}: give it another label"
            )
    if node.op in _INFIX:
        return f"{names[node]} = {called[0]} {_INFIX[node.op]} {called[1]}"
    if node.op not in known_functions():
        raise ValueError(f"{node.op} cannot be written in a formula, so the graph cannot be given as one")
    return f"{names[node]} = {node.op}({', '.join(called)})"


class _SheetPainter(svg.Painter):
    """Paints a graph with boxes where numbers are to be written."""

    def __init__(
        self,
        diagram: diagrams.Diagram,
        arrangement: Arrangement,
        rankdir: str,
        blanks: set[tuple[int, str]],
        *,
        answers: bool,
    ) -> None:
        super().__init__(diagram, arrangement, rankdir)
        self.blanks, self.answers = blanks, answers

    def part(self, i: int, shape: Shape) -> str:
        """Without what a reader of the file's text could copy the answers from."""
        painted = re.sub(r"<title>.*?</title>\n?", "", super().part(i, shape), flags=re.DOTALL)
        return re.sub(r' data-(name|value|gradient)="[^"]*"', "", painted)

    def numbers(self, shape: Shape, result: int, u: float, v: float) -> Iterator[str]:
        """The numbers of one result; a box in place of each that is asked for."""
        node = shape.part.results[result].node
        kinds = [kind for kind in ("value", "gradient") if (node, kind) in self.blanks]
        numbers = list(self.places_of_numbers(shape, result, u, v))
        name = next((number.name for number in numbers if number.name), "")
        for number in numbers:
            if number.kind in kinds:
                yield from self._box(shape, number, name)
        yield from (
            text
            for text in super().numbers(shape, result, u, v)
            if not any(f'<text class="{kind}' in text for kind in kinds)
        )

    def _box(self, shape: Shape, number: svg.Number, name: str) -> Iterator[str]:
        """An empty box, or one with the answer; that of the gradient stands below that of the value."""
        side = -1 if number.kind == "value" else 1
        width = min(shape.room, 74.0)
        named = name_width(name, NUMBER_SIZE) + svg.GAP if name else 0.0
        if self.vertical:
            left = number.x - width if side < 0 else number.x
            middle = number.y
        else:
            left = number.x - (width + named) / 2 + named
            middle = number.y - side * 10.5 + side * (BOX / 2 + 5)
        if number.name:
            yield from self._label(left - svg.GAP, middle, number.name)
        yield rectangle("blank", left, middle - BOX / 2, width, BOX, 2.5)
        if self.answers:
            yield text_at("answer" if side < 0 else "slope", left + width / 2, middle, number.text, anchor="middle")

    def _label(self, x: float, y: float, name: str) -> Iterator[str]:
        """A name that ends at x."""
        pieces, _, after = pieces_of(name, NUMBER_SIZE)
        if pieces:
            yield pieces_at("value label", x - after, y, pieces)
        else:
            yield text_at("value label", x, y, shown_name(name), anchor="end")


# --- the page


def _rules(identity: str, colours: dict[str, str]) -> str:
    return svg.style_rules(identity, colours) + _STYLE.format(id=identity, task=px(TASK_SIZE), head=px(HEAD_SIZE))


def _room_to_work(x: float, y: float, width: float, height: float) -> str:
    """A field of dots, 5 mm apart."""
    if height < 90:
        return ""
    step = 18.9
    body = text_at("small", x, y + 8, messages()["sheet-work"])
    rows, columns = int((height - 26) / step), int(width / step)
    left = x + (width - columns * step) / 2
    dots = "".join(
        f"M{px(left + i * step)},{px(y + 26 + j * step)}h.01" for j in range(rows + 1) for i in range(columns + 1)
    )
    return body + f'<path class="dotted" d="{dots}" stroke="#8a8a8a" stroke-width="1.3" stroke-linecap="round"/>\n'


def _columns(
    passes: Sequence[tuple[str, list[str]]], names: Iterable[str], width: float, height: float
) -> tuple[str, float]:
    """Texts under their headings, in as many columns as they need at the size that they have room at; and how tall."""
    longest = max(text_width(text, 1.0) for _, texts in passes for text in texts)
    size, rows, columns = 8.5, 1, 1
    for tenths in range(125, 84, -5):
        size = tenths / 10
        columns = max(len(passes), int(width / (longest * size * NARROW + 22)))
        rows = next(n for n in itertools.count(4) if sum(math.ceil(len(texts) / n) for _, texts in passes) <= columns)
        if 34 + rows * 1.5 * size <= height:
            break
    body, at, tall = "", 0, 0
    for head, texts in passes:
        body += text_at("task", at * width / columns, 8, head)
        for start in range(0, len(texts), rows):
            some = texts[start : start + rows]
            tall = max(tall, len(some))
            for i, text in enumerate(some):
                spans = spans_in(text, names, size)
                body += line_at("step", at * width / columns, 34 + i * 1.5 * size, spans, style=f' font-size="{size}"')
            at += 1
    return body, 34 + tall * 1.5 * size


def _printable(pages: Sequence[str], title: str, landscape: bool) -> str:
    """Pages of A4 as HTML, one to a sheet of paper."""
    way, width = ("landscape", "297mm") if landscape else ("portrait", "210mm")
    style = _PAGE.format(way=way, width=width) + _SCREEN + "svg+svg{break-before:page}\n"
    return html_page(escape(title), "light", style, "".join(pages), language())


__all__ = ["Booklet", "Key", "Worksheet", "worksheet", "worksheets"]
