"""`draw_maps`: images, filters and feature maps as grids of numbers, and the window that slides over them.

The classic figure of a convolution (as in V. Dumoulin and F. Visin, A guide to convolution arithmetic for deep
learning, 2016): the image with a window framed, the filter that the window is multiplied by, and the result with the
one cell framed that the window makes. `step_maps` draws it for each place of the window.

Positive cells are blue and negative ones orange, the deeper the larger; the sign stands before the number, and a
negative cell has a notch in its corner, for whoever cannot tell the colours apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial, reduce
from typing import Any

from autograd import Value, format_number
from autograd.messages import language, messages
from autograd.reals import is_real
from autograd.recomputing import outdated

from .checks import THEMES, check_background, check_fmt, one_of
from .graph.diagram import in_a_row
from .graph.svg import style_rules
from .lettering import name_width
from .live.player import Frame, Player
from .live.stage import Backdrop, compact
from .markup import MARGIN, card, document, name_at, px, rectangle, text_at, theme_on, wrap
from .metrics import NAME_SIZE, clip, one_line, text_width
from .mistakes import explained, shown_by
from .picture import Picture

Grid = list[list[float]]
Size = int | tuple[int, int]

NUMBER = 12.0  # font size in a cell, as in the style below
CELL = 28.0  # the least height and width of a cell
GAP = 26.0  # between two grids
HEAD = 22.0  # for the name above a grid
GATE = 15.0  # radius of the signs between the grids
LEAST_WIDTH = 420.0  # with a sum below
WIDEST = 1120.0  # maps that stand side by side begin another row beyond this
MAX_CELLS = 4000
MAX_STEPS = 100

_STYLE = """\
{id} .positive{{fill:{c[tag-rim]}}}
{id} .negative{{fill:{c[gradient]}}}
{id} .grid{{fill:none;stroke:{c[wire]}}}
{id} .cell{{font-size:12px;text-anchor:middle}}
{id} .window{{fill:none;stroke:{c[ink]};stroke-width:3}}
{id} .head{{fill:{c[wire]}}}
"""


@explained
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
    background: str = "card",
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
        background: "card", "none" or a colour, as for `draw_graph`.

    Raises:
        ValueError: for rows of different lengths, channels that do not match, a window beyond the edge, or more than
            4,000 cells.
        TypeError: for what is not rows of numbers.
    """
    check_background(background)
    scene = _Scene(maps, kernel, size, stride, result, labels, fmt, theme_on(background, theme))
    return MapDrawing(scene, window, background)


@explained
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
    lang: str | None = None,
) -> Player:
    """Step through the places of the window, in the order of reading: at each, one more cell of the result is known.

    The arguments are those of `draw_maps`, and ``lang`` is the language of the words, ``en`` or ``zh``; by default that
    of the environment's ``CHAINRULE_LANG``. Like `step_through` this gives a `Player`, which shows itself in a notebook
    and is saved as a page; ``frames[k].svg`` is one of its pictures, and ``frames[k].text`` the sum that belongs to it.

    Raises:
        ValueError, TypeError: as `draw_maps`; also if there is neither a filter nor a window's size, or the window has
            more than 100 places.
    """
    scene = _Scene(maps, kernel, size, stride, result, labels, fmt, theme, lang)
    if scene.window is None:
        raise ValueError("steps need a window that moves: give kernel=w for a convolution, or size=2 for pooling")
    rows, columns = scene.places
    if rows * columns > MAX_STEPS:
        raise ValueError(
            f"the window has {rows * columns:,} places, and {MAX_STEPS} pictures are enough to see how it moves: step "
            "through a piece of the maps, or draw single places with draw_maps(..., window=(i, j))"
        )
    backdrop = Backdrop(compact(scene.still()), scene.right + MARGIN, scene.bottom + MARGIN, _rules)
    frames: list[Frame] = []
    count = rows * columns
    for k in range(count):
        i, j = divmod(k, columns)
        # part k is the new cell; the last part, over all cells, is the frame around it
        changes = {k: "".join(_cell(b, i, j) for b in scene.targets)}
        changes[count] = "".join(_frame(b, i, j, 1, 1) for b in scene.targets)
        frames.append(
            Frame(
                "place",
                scene.said["maps-place"].format(k=k + 1, n=count),
                scene.caption(i, j),
                scene.action(i, j),
                lights=f"<g>{compact(''.join(scene.frames_before(i, j)))}</g>",
                changes={part: compact(markup) for part, markup in changes.items()},
                _before=frames[-1] if frames else None,
                _backdrop=backdrop,
                _theme=theme,
            )
        )
    told = {"title": _sentence(scene.title), "note": scene.note, "shown": "picture-maps", "lang": language(lang)}
    return Player(frames, backdrop, theme, **told)


class MapDrawing(Picture):
    """A picture of feature maps as they were when it was drawn. It shows itself in a notebook; `save` writes a file.

    Attributes:
        svg (str): the picture.
        caption (str): the sum that the window makes, in words; "" if there is no window.
    """

    _to_see = shown_by("maps", "maps.html")
    _to_write = ".save('maps.svg') writes it"

    def __init__(self, scene: _Scene, window: tuple[int, int] | None, background: str) -> None:
        place = None if window is None else scene.check_place(window)
        self._scene, self._place, self._theme, self._title = scene, place, scene.theme, scene.title
        self._background = background
        self.caption = "" if place is None else scene.caption(*place)
        self._svg = scene.render(place, scene.theme, background)

    def _fixed_theme(self) -> str:
        return self._scene.render(self._place, "light", self._background) if self._theme == "auto" else self.svg

    def __repr__(self) -> str:
        return f"<MapDrawing of {self._scene.title}; .save('maps.svg') writes it to a file>"


# --- what comes in


def _grids(x: Any, what: str) -> list[Grid]:
    """Channels × rows × columns of plain numbers; rows × columns are one channel."""
    levels, inner = 0, x
    while isinstance(inner := _listed(inner), list):
        levels, inner = levels + 1, inner[0] if inner else None
    if levels not in (2, 3):
        came = f"{levels} level{'s' * (levels > 1)} of lists" if levels else type(x).__name__
        raise TypeError(f"{what} are rows × columns of numbers, or channels × rows × columns, but got {came}")
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
    return x.tolist() if hasattr(x, "tolist") else list(x) if isinstance(x, (tuple, range)) else x


def _number(x: Any, what: str) -> float:
    if isinstance(x, Value):
        return x.data
    if not is_real(x):
        raise TypeError(f"{what} hold numbers or Values, but got {type(x).__name__}: {x!r}")
    return float(x)


def _history(x: Any) -> set[Value]:
    """All nodes that the Values in ``x``, lists of lists, were computed from, these included."""
    found: set[Value] = set()
    waiting = [x]
    while waiting:
        x = _listed(waiting.pop())
        if isinstance(x, list):
            waiting += x
        elif isinstance(x, Value) and x not in found:
            found.add(x)
            waiting += x.inputs
    return found


def _pair(x: Any, what: str) -> tuple[int, int]:
    pair = _whole_numbers(x if isinstance(x, (list, tuple)) else (x, x))
    if pair is None or min(pair) < 1:
        raise ValueError(f"{what} is a whole number of at least 1, or a pair (rows, columns) of them, but got {x!r}")
    return pair


def _whole_numbers(pair: Any) -> tuple[int, int] | None:
    """Two whole numbers as ints, NumPy's kinds included; None for anything else."""
    pair = _listed(pair)
    if not isinstance(pair, list) or len(pair) != 2:
        return None
    if any(isinstance(n, bool) or not hasattr(n, "__index__") for n in pair):
        return None
    return pair[0].__index__(), pair[1].__index__()


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
        return max(self.width, name_width(self.name, NAME_SIZE))


def _boards(grids: list[Grid], names: Sequence[str], fmt: str) -> list[_Board]:
    """Grids of one kind: one scale of colours for all, and cells of one size."""
    sizes = [abs(x) for grid in grids for row in grid for x in row if math.isfinite(x)]
    boards = [_Board(name, grid, fmt, max(sizes, default=0.0)) for name, grid in zip(names, grids, strict=True)]
    cell = max((b.cell for b in boards), default=CELL)
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
        lang: str | None = None,
    ) -> None:
        self.said = messages(lang)
        one_of("theme", theme, THEMES)
        check_fmt(fmt, "'.3g' or '.1f'")
        self.theme, self.fmt = theme, fmt
        self.note = self.said["outdated"] if outdated(_history([maps, kernel, result])) else ""
        self.maps = _grids(maps, "the maps")
        self.kernel = None if kernel is None else _grids(kernel, "the filter's weights")
        self._set_window(size, stride)
        self._set_result(result)
        cells = sum(len(g) * len(g[0]) for g in (*self.maps, *self.results))
        if cells > MAX_CELLS:
            raise ValueError(
                f"these are {cells:,} cells, and more than {MAX_CELLS:,} cannot be read; draw fewer maps, or a piece"
            )
        self.sources = _boards(self.maps, self._names(labels), fmt)
        self.weights = _boards(self.kernel or [], _numbered("w", len(self.kernel or [])), fmt)
        self.targets = _boards(self.results, _numbered("y", len(self.results)), fmt)
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
            self.results = [[[self.sum(i, j) for j in range(columns)] for i in range(rows)]]

    def _names(self, labels: Sequence[str] | None) -> list[str]:
        count = len(self.maps)
        if labels is not None:
            if isinstance(labels, str) or len(labels) != count:
                raise ValueError(f"labels are a name for each of the {count} maps, but got {labels!r}")
            return [one_line(str(name)) for name in labels]
        if self.window:
            return _numbered("x", count)
        return [f"{c}" for c in range(count)] if count > 1 else [""]

    # --- the window at one place

    def check_place(self, window: Any) -> tuple[int, int]:
        if self.window is None:
            raise ValueError("a window needs a size: give kernel=w for a convolution, or size=2 for pooling")
        pair = _whole_numbers(window)
        if pair is None:
            raise TypeError(
                f"window is the row and the column of the result's cell, such as (0, 1), but got {window!r}"
            )
        if not all(0 <= n < limit for n, limit in zip(pair, self.places, strict=True)):
            raise ValueError(
                f"the window has {_by(self.places)} places, rows 0…{self.places[0] - 1} and columns "
                f"0…{self.places[1] - 1}, but got {window!r}"
            )
        return pair

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

    def sum(self, i: int, j: int) -> float:
        """Σ w·x, added from left to right as Values are."""
        total = 0.0
        for w, x in self.products(i, j):
            total += w * x
        return total

    def caption(self, i: int, j: int) -> str:
        """ "y[0][1] = 1·2 + 0·3 + … = 5"; without a filter, what the window sees and what comes out."""
        said, y = self.said, f"y[{i}][{j}]"

        def told(x: float) -> str:
            text = format_number(x, self.fmt)
            return text if text[:1].isalnum() else f"({text})"

        if self.kernel is None:
            cells = "; ".join(", ".join(format_number(x, self.fmt) for x in one) for one in self.seen(i, j))
            ends = [format_number(grid[i][j], self.fmt) for grid in self.results]
            if not ends:
                return said["maps-seen"].format(y=y, cells=cells)
            both = reduce(lambda one, two: said["maps-and"].format(one=one, two=two), ends)
            return said["maps-pools"].format(y=y, cells=cells, ends=both)
        total = format_number(self.sum(i, j), self.fmt)
        shown = format_number(self.results[0][i][j], self.fmt)
        sum_ = " + ".join(f"{told(w)}·{told(x)}" for w, x in self.products(i, j))
        if total == shown:
            return f"{y} = {sum_} = {total}"
        return said["maps-after" if self.note else "maps-after-more"].format(sum=f"{sum_} = {total}", y=y, shown=shown)

    def action(self, i: int, j: int) -> str:
        """What happens at this place, in words."""
        top, left = i * self.stride[0], j * self.stride[1]
        return self.said["maps-window" if self.kernel is None else "maps-window-filter"].format(top=top, left=left)

    @property
    def title(self) -> str:
        said, count = self.said, len(self.maps)
        maps = said["maps-many" if count > 1 else "maps-one"].format(n=count, shape=_by(_shape(self.maps[0])))
        if self.kernel is not None:
            sizes = {"filter": _by(_shape(self.kernel[0])), "result": _by(self.places)}
            return said["maps-filter"].format(maps=maps, **sizes)
        return said["maps-pooled"].format(maps=maps, result=_by(self.places)) if self.results else maps

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

    def render(self, place: tuple[int, int] | None, theme: str, background: str) -> str:
        """The whole picture as SVG text."""
        lines: list[str] = []
        width, height = self.right + MARGIN, self.bottom + MARGIN
        if place is not None or self.note:
            width = max(width, LEAST_WIDTH)
            for text in filter(None, [self.caption(*place) if place is not None else "", self.note]):
                lines += wrap(text, width - 2 * MARGIN)
            height += 18.0 * len(lines) + 6.0
        out = [card(width, height, background), *self._boards_and_signs(self.targets)]
        if place is not None:
            out += [*self.frames_before(*place), *(_frame(b, *place, 1, 1) for b in self.targets)]
        for k, line in enumerate(lines):
            out.append(text_at("note", MARGIN, self.bottom + 17.0 + 18.0 * k, line))
        told = _sentence(self.title), self._description(place)
        return document("".join(out), width, height, "chainrule-maps", told, _rules, theme)

    def still(self) -> str:
        """What does not change from place to place: everything but the window and the result's numbers."""
        return card(self.right + MARGIN, self.bottom + MARGIN) + "".join(self._boards_and_signs(()))

    def _boards_and_signs(self, known: Sequence[_Board]) -> Iterable[str]:
        """All grids, those of the result with the numbers of those that are ``known``."""
        for b in (*self.sources, *self.weights, *known):
            yield from (_cell(b, i, j) for i, row in enumerate(b.grid) for j in range(len(row)))
        for b in (*self.sources, *self.weights, *self.targets):
            yield _lines(b)
        for sign, x, y in self.signs:
            if sign == "→":
                yield f'<path class="wire" d="M{px(x - GATE)},{px(y)} L{px(x + GATE - 6)},{px(y)}"/>\n'
                yield f'<path class="head" d="M{px(x + GATE)},{px(y)} l-9,-4.5 v9 z"/>\n'
            else:
                yield f'<circle class="gate" cx="{px(x)}" cy="{px(y)}" r="{px(GATE)}"/>\n'
                yield text_at("symbol sign" if sign == "×" else "symbol", x, y, sign)

    def frames_before(self, i: int, j: int) -> Iterable[str]:
        """Frames around what makes a cell of the result: the window, and the filter."""
        assert self.window is not None
        for b in self.sources:
            yield _frame(b, i * self.stride[0], j * self.stride[1], *self.window)
        for b in self.weights:
            yield _frame(b, 0, 0, *self.window)

    def _description(self, place: tuple[int, int] | None) -> str:
        """The picture in words, for whoever cannot see it."""
        words = [_sentence(self.title)]
        if place is not None:
            words.append(self.caption(*place))
        for b in (*self.sources, *self.weights, *self.targets):
            rows = [" ".join(row) for row in b.texts[:12]] + ["…"] * (len(b.texts) > 12)
            words.append(f"{clip(b.name) or self.said['maps-rows']}: {'; '.join(rows)}")
        return in_a_row(self.said, [*words, self.note] if self.note else words)


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name}[{c}]" for c in range(count)]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _cell(board: _Board, i: int, j: int) -> str:
    """One number, on its shade."""
    number = board.grid[i][j]
    x, y = board.x + j * board.cell, board.y + i * CELL
    area = f'x="{px(x)}" y="{px(y)}" width="{px(board.cell)}" height="{px(CELL)}"'
    markup = ""
    if not math.isfinite(number):
        markup = f'<rect class="bad" {area}/>\n'
    elif number:
        kind = "positive" if number > 0.0 else "negative"
        depth = (0.75 if number > 0.0 else 0.5) * abs(number) / board.largest
        markup = f'<rect class="{kind}" fill-opacity="{depth:.2f}" {area}/>\n'
        if number < 0.0:
            markup += f'<path class="negative" d="M{px(x)},{px(y)} h7 l-7,7 z"/>\n'
    return markup + text_at("cell", x + board.cell / 2, y + CELL / 2, board.texts[i][j])


def _lines(board: _Board) -> str:
    """The name of a grid, and the lines between its cells."""
    lines = [f"M{px(board.x)},{px(board.y + i * CELL)} h{px(board.width)}" for i in range(len(board.grid) + 1)]
    lines += [
        f"M{px(board.x + j * board.cell)},{px(board.y)} v{px(board.height)}" for j in range(len(board.grid[0]) + 1)
    ]
    name = name_at(board.x, board.y - HEAD / 2, board.name) if board.name else ""
    return f'{name}<path class="grid" d="{" ".join(lines)}"/>\n'


def _frame(board: _Board, i: int, j: int, rows: int, columns: int) -> str:
    x, y = board.x + j * board.cell, board.y + i * CELL
    return rectangle("window", x, y, columns * board.cell, rows * CELL, 2)


_rules = partial(style_rules, more=_STYLE)
