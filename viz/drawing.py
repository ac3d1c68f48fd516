"""`draw_graph`: the picture of a computation graph, and `Drawing`, what it comes as."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from autograd import Value, topological_order
from autograd.graph import names_in_order
from autograd.messages import language

from . import dot
from .checks import (
    ENGINES,
    MAX_NODES,
    RANKDIRS,
    THEMES,
    at_least,
    check_background,
    check_depth,
    check_fmt,
    is_program,
    one_of,
)
from .graph import diagram as diagrams
from .graph import program, svg
from .graph.arrange import Arrangement, arrange, arrange_readable
from .markup import theme_on
from .metrics import columns, one_line
from .mistakes import explained, only_a_value, shown_by
from .picture import Picture

if TYPE_CHECKING:
    import graphviz

    from autograd.compiler.compiled import Compiled


@explained
def draw_graph(
    root: Value | Compiled[Any],
    *,
    rankdir: str = "LR",
    theme: str = "auto",
    background: str = "card",
    fmt: str = ".4g",
    show_grad: bool = True,
    local: bool = False,
    depth: int | str | None = "auto",
    max_nodes: int = MAX_NODES,
    engine: str = "layered",
) -> Drawing:
    """Draw the graph that ends in ``root``: gates and wires, values above the wires, gradients below.

    A gradient that no backward pass has reached is drawn as "–", a gradient of zero as "0".

    Of a compiled function the vectorised program is drawn: arrays instead of numbers, the shape of each above its wire
    (N for the samples), and the name of its gradient below.

    Args:
        root: the end of the graph, or what `autograd.compile` returned.
        rankdir: where the computation runs: "LR" (left to right), "TB" (top to bottom), "RL" or "BT".
        theme: "light", "dark", or "auto", which follows the reader's system.
        background: "card", the theme's own paper; "none", for a slide that has a colour of its own; or a colour such
            as "#fff8e7", for which theme "auto" becomes the one that can be read on it.
        fmt: how numbers are written, a format spec such as ".4g" or ".2f".
        show_grad: whether gradients are shown.
        local: whether each wire also carries its local derivative; not for a compiled function.
        depth: how many levels of scopes (calls, layers, neurons) are open: a number, "all", or "auto". "auto" draws
            everything where that takes no more room than a screen, about 1,300 by 750 pixels; else it folds neurons,
            then layers, then what repeats itself, until it does: of fifty squared errors that are added up, the first
            is drawn, of twelve time steps the first and the last. Of a graph in which nothing repeats itself, what is
            next to the root is drawn, and one box for the rest. A compiled function has one level: the arrays that an
            operation such as logsumexp needs for itself.
        max_nodes: with depth "auto", the most parts that are drawn.
        engine: "layered", our own, or "dot", which needs Graphviz.

    Raises:
        TypeError: if ``root`` is not a Value.
        ValueError: for an option that is not one of those above.
        EngineError: for engine "dot" where there is no Graphviz.
    """
    if is_program(root):
        if local:
            raise ValueError(
                "local=True needs the graph of a Value: the wires of a compiled function carry arrays, and their local "
                "derivatives are no single numbers"
            )
    else:
        only_a_value("draw_graph draws the graph of a Value", root)
    one_of("rankdir", rankdir, RANKDIRS)
    one_of("theme", theme, THEMES)
    one_of("engine", engine, ENGINES)
    at_least(2, "max_nodes", max_nodes)
    check_depth(depth)
    check_fmt(fmt, "'.4g' or '.2f'")
    check_background(background)
    theme = theme_on(background, theme)
    collecting = gc.isenabled()
    gc.disable()  # its passes over the million containers of a very large graph take a third of the time
    try:
        return Drawing(root, rankdir, theme, fmt, show_grad, local, depth, max_nodes, engine, background)
    finally:
        if collecting:
            gc.enable()


@explained
def draw_dot(root: Value | Compiled[Any], format: str = "svg", rankdir: str = "LR", **options: Any) -> Drawing:
    """micrograd's name for `draw_graph`, with micrograd's arguments; further ones are handed on to `draw_graph`.

    What comes back shows itself in a notebook, and `Drawing.save` writes it to a file of any format; so ``format`` is
    only checked. The ``graphviz.Digraph`` that micrograd returns is ``draw_dot(root).to_dot()``.
    """
    if format not in ("svg", "png"):
        raise ValueError(f"format must be 'svg' or 'png', but got {format!r}")
    return draw_graph(root, rankdir=rankdir, **options)


class Drawing(Picture):
    """A picture of a graph as it was when it was drawn. It shows itself in a notebook; `save` writes it to a file."""

    _endings = ".svg, .html, .dot, .png or .pdf"
    _to_see = shown_by("drawing", "graph.html")
    _to_write = ".save('graph.svg') writes it, and .to_dot() is a Graphviz graph, which has such methods"
    _instead: ClassVar = {"source": ".to_dot().source is its DOT text", "frames": "step_through(root) has them"}

    def __init__(
        self,
        root: Value | Compiled[Any],
        rankdir: str,
        theme: str,
        fmt: str,
        show_grad: bool,
        local: bool,
        depth: int | str | None,
        max_nodes: int,
        engine: str,
        background: str,
    ) -> None:
        self._options: dict[str, Any] = {"fmt": fmt, "show_grad": show_grad, "local": local}
        self._rankdir, self._theme, self._background = rankdir, theme, background
        self._root = root
        # arranged and painted at once: the numbers must be those of now, not those of when somebody looks
        self._arrangement: Arrangement | None = None
        if not isinstance(root, Value):
            self._diagram = program.build(root, fmt=fmt, depth=depth, max_nodes=max_nodes)
        elif depth == "auto":
            self._diagram, self._arrangement = arrange_readable(root, max_nodes, rankdir=rankdir, **self._options)
        else:
            self._diagram = diagrams.build(root, fmt=fmt, depth=depth, max_nodes=max_nodes, show_grad=show_grad)
        self._title, self._lang = svg.title_of(self._diagram), language()
        if engine == "layered":
            self._arrangement = self._arrangement or arrange(self._diagram, rankdir=rankdir, **self._options)
            self._svg = self._painted(theme)
        else:
            self._arrangement = None
            self._svg = dot.render_dot(self._dot_source)
        summed_up = len(self._diagram.parts) < self._diagram.node_count > 20_000
        self._table = None if summed_up else _table(root, fmt)

    @property
    def _dot_source(self) -> str:
        return str(self.to_dot().source)

    def to_dot(self) -> graphviz.Digraph:
        """The same graph as a ``graphviz.Digraph``, a new one at each call, to be styled or drawn in another way."""
        look: dict[str, Any] = {"rankdir": self._rankdir, "theme": self._theme, "background": self._background}
        return dot.to_dot(self._diagram, **look, **self._options)

    def to_text(self) -> str:
        """A table of all nodes: name, operation, inputs, value, gradient; of a compiled function, of all arrays: name,
        operation, inputs, shape.

        It is written when the graph is drawn; only that of a summary of more than 20,000 nodes when it is asked for.
        """
        return _aligned(*self._cells())

    def _cells(self) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
        return self._table or _table(self._root, self._options["fmt"])

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickle: all that is shown, without the graph itself."""
        return {**vars(self), "_root": None, "_table": self._cells()}

    def _kinds(self, scale: float) -> dict[str, Callable[[], bytes]]:
        return super()._kinds(scale) | dict.fromkeys((".dot", ".gv"), lambda: self._dot_source.encode())

    def _fixed_theme(self) -> str:
        if self._theme != "auto" or self._arrangement is None:
            return self.svg
        return self._painted("light")

    def _painted(self, theme: str) -> str:
        assert self._arrangement is not None
        look = {"theme": theme, "background": self._background}
        return svg.render(self._diagram, self._arrangement, rankdir=self._rankdir, **look)

    def __repr__(self) -> str:
        what = diagrams.count(self._diagram.node_count, *self._diagram.unit)
        return f"<Drawing of {what}; .save('graph.svg') writes it to a file>"


# --- the table


def to_text(root: Value | Compiled[Any], fmt: str = ".4g") -> str:
    """An aligned table of the graph: one line per node, or per array, inputs first; and remarks on its numbers."""
    return _aligned(*_table(root, fmt))


def _table(root: Value | Compiled[Any], fmt: str) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """The cells of the table, row by row, and the remarks."""
    if not isinstance(root, Value):
        return [*program.rows(root, fmt)], ()
    order = topological_order(root)
    called = {node: one_line(name) for node, name in names_in_order(order).items()}
    rows: list[tuple[str, ...]] = [("node", "op", "inputs", "value", "gradient")]
    for node in order:
        if node.op == "const":
            continue
        inputs = [called[x] for x in node.inputs]
        if len(inputs) > 6:
            inputs = [*inputs[:4], "…", inputs[-1]]
        numbers = diagrams.numbers(node, fmt)
        rows.append((called[node], diagrams.operation(node), ", ".join(inputs), *numbers))
    return rows, diagrams.remarks(order, order)


def _aligned(rows: Sequence[tuple[str, ...]], remarks: Sequence[str]) -> str:
    """Rows in columns, the first three to the left; a rule under the heading; and the remarks."""
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        gaps = [" " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = [gap + cell if k >= 3 else cell + gap for k, (cell, gap) in enumerate(zip(row, gaps, strict=True))]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n\n".join(["\n".join(lines), *remarks])
