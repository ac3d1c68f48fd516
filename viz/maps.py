"""`draw_maps`: images, filters and feature maps as grids of numbers, and the window that slides over them.

The classic figure of a convolution (as in V. Dumoulin and F. Visin, A guide to convolution arithmetic for deep
learning, 2016): the image with a window framed, the filter that the window is multiplied by, and the result with the
one cell framed that the window makes. `step_maps` draws it for each place of the window.

Positive cells are blue and negative ones orange, the deeper the larger; the sign stands before the number, and a
negative cell has a notch in its corner, for whoever cannot tell the colours apart.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from typing import Any

from autograd import Value, format_number

from .arrange import NAME_SIZE, TITLE_SIZE
from .drawing import Picture
from .metrics import FONT, clip, one_line, text_width
from .svg import DARK, LIGHT, MARGIN, THEMES, _escape, _n, _text, _wrap

Grid = list[list[float]]
Size = int | tuple[int, int]

NUMBER = 12.0  # font size in a cell
CELL = 28.0  # the least height and width of a cell
GAP = 26.0  # between two grids
HEAD = 22.0  # for the name above a grid
GATE = 15.0  # radius of the signs between the grids
LEAST_WIDTH = 420.0  # with a sum below
WIDEST = 1120.0  # maps that stand side by side begin another row beyond this
MAX_CELLS = 4000

_STYLE = """\
{id} text{{font-family:{font};fill:{c[ink]};dominant-baseline:central}}
{id} .card{{fill:{c[card]};stroke:{c[edge]}}}
{id} .positive{{fill:{c[tag-rim]}}}
{id} .negative{{fill:{c[gradient]}}}
{id} .grid{{fill:none;stroke:{c[wire]}}}
{id} .cell{{font-size:{number}px;text-anchor:middle}}
{id} .name{{font-size:{name}px;font-weight:600}}
{id} .window{{fill:none;stroke:{c[ink]};stroke-width:3}}
{id} .gate{{fill:{c[gate]};stroke:{c[rim]};stroke-width:1.5}}
{id} .symbol{{font-size:17px;text-anchor:middle}}
{id} .wire{{fill:none;stroke:{c[wire]};stroke-width:1.5}}
{id} .head{{fill:{c[wire]}}}
{id} .bad{{fill:{c[bad-tint]};stroke:{c[bad]}}}
{id} .note{{font-size:{title}px;fill:{c[muted]}}}
"""


def draw_maps(
    maps: Any,
    *,
    kernel: Any = None,
    window: tuple[int, int] | None = None,
    size: Size | None = None,
    stride: Size | None = None,
    result: Any = None,
    labels: Sequence[str] | None = None,
    fmt: str = ".3g",
    theme: str = "auto",
) -> MapDrawing:
    """Draw feature maps as grids of their numbers; with a filter and a window, one step of a convolution.

    - ``draw_maps(maps)`` lays them out side by side.
    - ``draw_maps(x, kernel=w)`` draws the image, the filter, and what comes out when the filter is slid over the image
      as it stands: Σ w·x, the correlation, as `nn.Conv2d` computes it. For the textbook's convolution, give the filter
      turned by 180°.
    - ``draw_maps(x, kernel=w, window=(i, j))`` also frames the window that makes the cell in row i and column j of the
      result, and writes its sum out below.
    - ``draw_maps(x, size=2, result=y, window=(i, j))`` does the same for pooling.

    Args:
        maps: rows × columns, or channels × rows × columns, of numbers or Values; of a Value its data is shown.
        kernel: the filter, with as many channels as the maps.
        window: row and column of the result's cell, from 0.
        size: of the window where there is no filter: one number, or a pair (rows, columns).
        stride: how far the window is from the next; 1 with a filter, the window's size without one.
        result: what comes out: one map, or, without a filter, one for each map. Of a filter, Σ w·x if it is not given.
        labels: names that stand above the maps.
        fmt: how numbers are written, a format spec such as ".3g" or ".1f".
        theme: "light", "dark", or "auto", which follows the reader's system.

    Raises:
        ValueError: for rows of different lengths, channels that do not match, a window beyond the edge, or more than
            4,000 cells.
        TypeError: for what is not rows of numbers.
    """
    return MapDrawing(_Scene(maps, kernel, size, stride, result, labels, fmt, theme), window)


def step_maps(
    maps: Any,
    *,
    kernel: Any = None,
    size: Size | None = None,
    stride: Size | None = None,
    result: Any = None,
    labels: Sequence[str] | None = None,
    fmt: str = ".3g",
    theme: str = "auto",
) -> list[MapDrawing]:
    """The pictures of `draw_maps` for every place of the window, in the order of reading, the result filling up.

    All have one size and layout. Each has its sum in words as ``caption``.

    Raises:
        ValueError, TypeError: as `draw_maps`; also if there is neither a filter nor a window's size.
    """
    scene = _Scene(maps, kernel, size, stride, result, labels, fmt, theme)
    if scene.window is None:
        raise ValueError("steps need a window that moves: give kernel=w for a convolution, or size=2 for pooling")
    rows, columns = scene.places
    return [MapDrawing(scene, (i, j), so_far=True) for i in range(rows) for j in range(columns)]


class MapDrawing(Picture):
    """A picture of feature maps as they were when it was drawn. It shows itself in a notebook; `save` writes a file.

    Attributes:
        svg (str): the picture.
        caption (str): the sum that the window makes, in words; "" if there is no window.
    """

    def __init__(self, scene: _Scene, window: tuple[int, int] | None, so_far: bool = False) -> None:
        place = None if window is None else scene.check_place(window)
        self._scene, self._place, self._so_far, self._theme = scene, place, so_far, scene.theme
        self.caption = "" if place is None else scene.caption(*place)
        self.svg = scene.render(place, so_far, scene.theme)

    def _fixed_theme(self) -> str:
        return self._scene.render(self._place, self._so_far, "light") if self._theme == "auto" else self.svg

    @property
    def _title(self) -> str:
        return self._scene.title

    def __repr__(self) -> str:
        return f"<MapDrawing of {self._scene.title}; .save('maps.svg') writes it to a file>"


# --- what comes in


def _grids(x: Any, what: str) -> list[Grid]:
    """Channels × rows × columns of plain numbers; rows × columns are one channel."""
    levels, inner = 0, x
    while isinstance(inner := _listed(inner), list):
        levels, inner = levels + 1, inner[0] if inner else None
    if levels not in (2, 3):
        raise TypeError(
            f"{what} are rows × columns of numbers, or channels × rows × columns, but got "
            f"{f'{levels} levels of lists' if levels else type(x).__name__}"
        )
    grids = [[_listed(row) for row in _listed(g)] for g in (_listed(x) if levels == 3 else [x])]
    columns = len(grids[0][0]) if grids[0] and isinstance(grids[0][0], list) else 0
    for c, grid in enumerate(grids):
        for i, row in enumerate(grid):
            if not isinstance(row, list) or len(row) != columns or len(grid) != len(grids[0]):
                raise ValueError(
                    f"all rows of {what}, and all channels, must be as long: the first row has {columns} numbers, "
                    f"but channel {c} has another shape in row {i}"
                )
    if not columns:
        raise ValueError(f"{what} need at least one row with one number in it")
    return [[[_number(entry, what) for entry in row] for row in grid] for grid in grids]


def _listed(x: Any) -> Any:
    return x.tolist() if hasattr(x, "tolist") else list(x) if isinstance(x, tuple) else x


def _number(x: Any, what: str) -> float:
    if isinstance(x, Value):
        return x.data
    if not isinstance(x, Real):
        raise TypeError(f"{what} hold numbers or Values, but got {type(x).__name__}: {x!r}")
    return float(x)


def _pair(x: Any, what: str) -> tuple[int, int]:
    pair = x if isinstance(x, (list, tuple)) else (x, x)
    if len(pair) != 2 or any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in pair):
        raise ValueError(f"{what} is a whole number of at least 1, or a pair (rows, columns) of them, but got {x!r}")
    return pair[0], pair[1]


def _shape(grid: Sequence[Sequence[Any]]) -> tuple[int, int]:
    return len(grid), len(grid[0])


def _by(shape: Iterable[int]) -> str:
    return "×".join(map(str, shape))


# --- the scene: what is drawn, and where


class _Board:
    """One grid on the page."""

    def __init__(self, name: str, grid: Grid, fmt: str, largest: float) -> None:
        self.name, self.grid, self.largest = name, grid, largest
        self.texts = [[format_number(x, fmt) for x in row] for row in grid]
        widest = max(text_width(text, NUMBER) for row in self.texts for text in row)
        self.cell = max(CELL, math.ceil(widest) + 8.0)
        self.height, self.width = len(grid) * CELL, len(grid[0]) * self.cell
        self.x = self.y = 0.0  # the upper left corner, set by the layout

    @property
    def title_width(self) -> float:
        return max(self.width, text_width(self.name, NAME_SIZE, bold=True))


def _boards(grids: list[Grid], names: Sequence[str], fmt: str) -> list[_Board]:
    """Grids of one kind: one scale of colours for all, and cells of one size."""
    sizes = [abs(x) for grid in grids for row in grid for x in row if math.isfinite(x)]
    boards = [_Board(name, grid, fmt, max(sizes, default=0.0)) for name, grid in zip(names, grids, strict=True)]
    cell = max(b.cell for b in boards)
    for b in boards:
        b.cell, b.width = cell, len(b.grid[0]) * cell
    return boards


class _Scene:
    """Everything that a picture needs, but for the place of the window."""

    def __init__(
        self,
        maps: Any,
        kernel: Any,
        size: Any,
        stride: Any,
        result: Any,
        labels: Sequence[str] | None,
        fmt: str,
        theme: str,
    ) -> None:
        if theme not in THEMES:
            raise ValueError(f"theme must be one of {', '.join(THEMES)}, but got {theme!r}")
        try:
            format_number(1.5, fmt)
        except (ValueError, TypeError):
            raise ValueError(
                f"fmt must be a format spec for numbers, such as '.3g' or '.1f', but got {fmt!r}"
            ) from None
        self.theme, self.fmt = theme, fmt
        self.maps = _grids(maps, "the maps")
        self.kernel = None if kernel is None else _grids(kernel, "the filter's weights")
        self._set_window(size, stride)
        self._set_result(result)
        cells = sum(len(g) * len(g[0]) for g in (*self.maps, *self.results))
        if cells > MAX_CELLS:
            raise ValueError(
                f"these are {cells:,} cells, and more than {MAX_CELLS:,} cannot be read; draw fewer maps, or a piece"
            )
        names = self._names(labels)
        self.sources = _boards(self.maps, names, fmt)
        many = len(self.kernel or ()) > 1
        self.weights = (
            [] if self.kernel is None
            else _boards(self.kernel, [f"w[{c}]" if many else "w" for c in range(len(self.kernel))], fmt)
        )  # fmt: skip
        several = len(self.results) > 1
        self.targets = (
            _boards(self.results, [f"y[{c}]" if several else "y" for c in range(len(self.results))], fmt)
            if self.results
            else []
        )
        self._lay_out()

    def _set_window(self, size: Any, stride: Any) -> None:
        self.window: tuple[int, int] | None = None
        rows, columns = _shape(self.maps[0])
        if self.kernel is not None:
            if size is not None:
                raise ValueError(
                    "size is for pooling, where there is no filter; with a filter the window is as large as it"
                )
            if len(self.kernel) != len(self.maps):
                raise ValueError(
                    f"a filter has one grid of weights for each map, but there are {len(self.maps)} maps and "
                    f"{len(self.kernel)} grids; draw one filter at a time"
                )
            self.window = _shape(self.kernel[0])
        elif size is not None:
            self.window = _pair(size, "the size of a window")
        if self.window is None:
            if stride is not None:
                raise ValueError(
                    "a stride needs a window that moves: give kernel=w for a convolution, or size=2 for pooling"
                )
            return
        if self.window[0] > rows or self.window[1] > columns:
            raise ValueError(f"a window of {_by(self.window)} does not fit into maps of {_by((rows, columns))}")
        default = self.window if self.kernel is None else (1, 1)
        self.stride = default if stride is None else _pair(stride, "the stride")
        self.places = tuple((n - k) // s + 1 for n, k, s in zip((rows, columns), self.window, self.stride, strict=True))

    def _set_result(self, result: Any) -> None:
        self.results: list[Grid] = []
        if result is not None:
            if self.window is None:
                raise ValueError(
                    "a result needs a window that makes it: give kernel=w for a convolution, or size=2 for pooling"
                )
            self.results = _grids(result, "the results")
            if _shape(self.results[0]) != self.places:
                raise ValueError(
                    f"the window has {_by(self.places)} places on maps of {_by(_shape(self.maps[0]))}, but the result "
                    f"is {_by(_shape(self.results[0]))}; did the convolution have padding, or another stride?"
                )
            if len(self.results) not in ((1,) if self.kernel is not None else (1, len(self.maps))):
                expected = "1 map" if self.kernel is not None else f"{len(self.maps)} maps, one for each that goes in,"
                raise ValueError(
                    f"the result is {expected} here, but has {len(self.results)}; draw one filter at a time"
                )
        elif self.kernel is not None:
            rows, columns = self.places
            self.results = [
                [[math.fsum(w * x for w, x in self.products(i, j)) for j in range(columns)] for i in range(rows)]
            ]

    def _names(self, labels: Sequence[str] | None) -> list[str]:
        count = len(self.maps)
        if labels is not None:
            if isinstance(labels, str) or len(labels) != count:
                raise ValueError(f"labels are a name for each of the {count} maps, but got {labels!r}")
            return [clip(one_line(str(name))) for name in labels]
        if count == 1:
            return ["x" if self.window else ""]
        return [f"x[{c}]" if self.window else f"{c}" for c in range(count)]

    # --- the window at one place

    def check_place(self, window: Any) -> tuple[int, int]:
        if self.window is None:
            raise ValueError("a window needs a size: give kernel=w for a convolution, or size=2 for pooling")
        pair = tuple(window) if isinstance(window, (list, tuple)) else ()
        if len(pair) != 2 or any(isinstance(n, bool) or not isinstance(n, int) for n in pair):
            raise TypeError(
                f"window is the row and the column of the result's cell, such as (0, 1), but got {window!r}"
            )
        if not all(0 <= n < limit for n, limit in zip(pair, self.places, strict=True)):
            raise ValueError(
                f"the window has {_by(self.places)} places, rows 0…{self.places[0] - 1} and columns "
                f"0…{self.places[1] - 1}, but got {window!r}"
            )
        return pair[0], pair[1]

    def seen(self, i: int, j: int) -> list[list[float]]:
        """What the window sees of each map."""
        assert self.window is not None
        top, left = i * self.stride[0], j * self.stride[1]
        return [
            [x for row in grid[top : top + self.window[0]] for x in row[left : left + self.window[1]]]
            for grid in self.maps
        ]

    def products(self, i: int, j: int) -> list[tuple[float, float]]:
        """The pairs of a weight and the number under it."""
        assert self.kernel is not None
        weights = [w for grid in self.kernel for row in grid for w in row]
        return list(zip(weights, [x for cells in self.seen(i, j) for x in cells], strict=True))

    def caption(self, i: int, j: int) -> str:
        """ "y[0][1] = 1·2 + 0·3 + … = 5"; without a filter, what the window sees and what comes out."""

        def told(x: float) -> str:
            text = format_number(x, self.fmt)
            return text if text[:1].isalnum() else f"({text})"

        if self.kernel is None:
            cells = "; ".join(", ".join(format_number(x, self.fmt) for x in one) for one in self.seen(i, j))
            ends = " and ".join(format_number(grid[i][j], self.fmt) for grid in self.results)
            return f"y[{i}][{j}]: from {cells}" + (f" to {ends}" if ends else "")
        pairs = self.products(i, j)
        total = format_number(math.fsum(w * x for w, x in pairs), self.fmt)
        shown = format_number(self.results[0][i][j], self.fmt)
        sum_ = " + ".join(f"{told(w)}·{told(x)}" for w, x in pairs)
        if total == shown:
            return f"y[{i}][{j}] = {sum_} = {total}"
        return f"{sum_} = {total}; y[{i}][{j}] is {shown}, after bias and activation"

    @property
    def title(self) -> str:
        count, shape = len(self.maps), _by(_shape(self.maps[0]))
        what = f"{count} maps of {shape}" if count > 1 else f"a map of {shape}"
        if self.kernel is not None:
            return f"{what}, a filter of {_by(_shape(self.kernel[0]))}, and the result of {_by(self.places)}"
        return f"{what}, pooled to {_by(self.places)}" if self.results else what

    # --- layout

    def _lay_out(self) -> None:
        """Give every grid its place, and the signs between them theirs."""
        self.signs: list[tuple[str, float, float]] = []
        if self.weights or self.targets:
            self._from_left_to_right()
        else:
            self._side_by_side()
        every = [*self.sources, *self.weights, *self.targets]
        self.right = max(b.x + b.title_width for b in every)
        self.bottom = max(b.y + b.height for b in every)

    def _side_by_side(self) -> None:
        head = HEAD if any(b.name for b in self.sources) else 0.0
        x, y = MARGIN, MARGIN + head
        for b in self.sources:
            if x > MARGIN and x + b.title_width > MARGIN + WIDEST:
                x, y = MARGIN, y + b.height + head + GAP / 2
            b.x, b.y = x, y
            x += b.title_width + GAP

    def _from_left_to_right(self) -> None:
        """Maps, filter, result. Each map has a row of the page; what there is only one of stands half-way down."""
        tallest = max(column[0].height for column in (self.sources, self.weights, self.targets) if column)
        first = MARGIN + HEAD + tallest / 2
        middles = [first + k * (tallest + HEAD + GAP / 2) for k in range(len(self.sources))]
        x = MARGIN
        for column, sign in ((self.sources, ""), (self.weights, "×"), (self.targets, "Σ" if self.weights else "→")):
            if not column:
                continue
            ys = middles if len(column) == len(middles) else [(middles[0] + middles[-1]) / 2]
            if sign:
                self.signs += [(sign, x + GAP / 2 + GATE, y) for y in ys]
                x += GAP + 2 * GATE
            for b, y in zip(column, ys, strict=True):
                b.x, b.y = x, y - b.height / 2
            x += max(b.title_width for b in column)

    # --- paint

    def render(self, place: tuple[int, int] | None, so_far: bool, theme: str) -> str:
        """The whole picture as SVG text."""
        width = self.right + MARGIN if place is None else max(self.right + MARGIN, LEAST_WIDTH)

        def caption(i: int, j: int) -> list[str]:
            return _wrap(self.caption(i, j), width - 2 * MARGIN)

        lines = caption(*place) if place is not None else []
        room = len(lines)
        if so_far:  # all steps are as high as the highest, so that nothing jumps
            room = max(len(caption(i, j)) for i in range(self.places[0]) for j in range(self.places[1]))
        height = self.bottom + MARGIN + (18.0 * room + 6.0 if room else 0.0)
        card = f'width="{_n(width - 1)}" height="{_n(height - 1)}"'
        out = [f'<rect class="card" x="0.5" y="0.5" {card} rx="10"/>\n']
        limit = None if place is None or not so_far else place[0] * self.places[1] + place[1]
        for b in (*self.sources, *self.weights):
            out += _paint(b, None)
        for b in self.targets:
            out += _paint(b, limit)
        for sign, x, y in self.signs:
            if sign == "→":
                out.append(f'<path class="wire" d="M{_n(x - GATE)},{_n(y)} L{_n(x + GATE - 6)},{_n(y)}"/>\n')
                tip = f"M{_n(x + GATE)},{_n(y)} l-9,-4.5 v9 z"
                out.append(f'<path class="head" d="{tip}"/>\n')
            else:
                out.append(f'<circle class="gate" cx="{_n(x)}" cy="{_n(y)}" r="{_n(GATE)}"/>\n')
                out.append(_text("symbol", x, y, sign))
        if place is not None:
            out += self._frames(*place)
        for k, line in enumerate(lines):
            out.append(_text("note", MARGIN, self.bottom + 17.0 + 18.0 * k, line))
        return _document("".join(out), width, height, _sentence(self.title), self._description(place), theme)

    def _frames(self, i: int, j: int) -> Iterable[str]:
        """Frames around the window, the filter, and the cell that the window makes."""
        assert self.window is not None
        for b in self.sources:
            yield _frame(b, i * self.stride[0], j * self.stride[1], *self.window)
        for b in self.weights:
            yield _frame(b, 0, 0, *self.window)
        for b in self.targets:
            yield _frame(b, i, j, 1, 1)

    def _description(self, place: tuple[int, int] | None) -> str:
        words = [_sentence(self.title)]
        if place is not None:
            words.append(self.caption(*place))
        for b in (*self.sources, *self.weights, *self.targets):
            rows = "; ".join(" ".join(row) for row in b.texts[:12])
            words.append(f"{b.name or 'Rows'}: {rows}" + ("; …" if len(b.texts) > 12 else ""))
        return ". ".join(words)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _paint(board: _Board, limit: int | None) -> Iterable[str]:
    """A grid of numbers; of the cells in the order of reading, those after ``limit`` are still empty."""
    if board.name:
        yield _text("name", board.x, board.y - HEAD / 2, board.name)
    for i, row in enumerate(board.grid):
        for j, number in enumerate(row):
            if limit is not None and i * len(row) + j > limit:
                continue
            x, y = board.x + j * board.cell, board.y + i * CELL
            area = f'x="{_n(x)}" y="{_n(y)}" width="{_n(board.cell)}" height="{_n(CELL)}"'
            if not math.isfinite(number):
                yield f'<rect class="bad" {area}/>\n'
            elif number:
                kind = "positive" if number > 0.0 else "negative"
                depth = (0.75 if number > 0.0 else 0.5) * abs(number) / board.largest
                yield f'<rect class="{kind}" fill-opacity="{depth:.2f}" {area}/>\n'
                if number < 0.0:
                    yield f'<path class="negative" d="M{_n(x)},{_n(y)} h7 l-7,7 z"/>\n'
            yield _text("cell", x + board.cell / 2, y + CELL / 2, board.texts[i][j])
    lines = [f"M{_n(board.x)},{_n(board.y + i * CELL)} h{_n(board.width)}" for i in range(len(board.grid) + 1)]
    lines += [
        f"M{_n(board.x + j * board.cell)},{_n(board.y)} v{_n(board.height)}" for j in range(len(board.grid[0]) + 1)
    ]
    yield f'<path class="grid" d="{" ".join(lines)}"/>\n'


def _frame(board: _Board, i: int, j: int, rows: int, columns: int) -> str:
    area = f'x="{_n(board.x + j * board.cell)}" y="{_n(board.y + i * CELL)}"'
    size = f'width="{_n(columns * board.cell)}" height="{_n(rows * CELL)}"'
    return f'<rect class="window" {area} {size} rx="2"/>\n'


def _document(body: str, width: float, height: float, title: str, description: str, theme: str) -> str:
    digest = hashlib.sha256((theme + title + description + body).encode()).hexdigest()[:10]
    identity = f"chainrule-{digest}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{identity}" class="chainrule-maps" role="img" '
        f'aria-labelledby="{identity}-title {identity}-desc" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" style="max-width:none">\n'
        f'<title id="{identity}-title">{_escape(title)}</title>\n'
        f'<desc id="{identity}-desc">{_escape(description)}</desc>\n'
        f"<style>\n{_themed(lambda colours: _rules('#' + identity, colours), theme)}</style>\n{body}</svg>\n"
    )


def _rules(identity: str, colours: dict[str, str]) -> str:
    return _STYLE.format(
        id=identity, c=colours, font=FONT, number=_n(NUMBER), name=_n(NAME_SIZE - 1), title=_n(TITLE_SIZE)
    )


def _themed(rules: Callable[[dict[str, str]], str], theme: str) -> str:
    """A style sheet for one theme, or for both: then the reader's system decides."""
    light, dark = rules(LIGHT), rules(DARK)
    if theme != "auto":
        return dark if theme == "dark" else light
    differing = [new for new, old in zip(dark.splitlines(), light.splitlines(), strict=True) if new != old]
    return light + "@media (prefers-color-scheme:dark){\n" + "\n".join(differing) + "\n}\n"


__all__ = ["MapDrawing", "draw_maps", "step_maps"]
