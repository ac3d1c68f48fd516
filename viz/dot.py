"""From a diagram to Graphviz: the DOT text that anyone can have, and the Graphviz engine for those who have it.

`to_dot` needs only the `graphviz` Python package, which writes DOT and draws nothing. `render_dot` draws, through
pygraphviz or the `dot` program, and says what to install where there is neither.
"""

from __future__ import annotations

import html
import re
import textwrap
from contextlib import suppress
from typing import TYPE_CHECKING

from .graph.diagram import Diagram, Part
from .graph.numbers import written
from .markup import DARK, LIGHT
from .metrics import printable

if TYPE_CHECKING:
    import graphviz


class EngineError(RuntimeError):
    """Graphviz was asked for, and is not here or did not work."""


def to_dot(
    diagram: Diagram,
    *,
    rankdir: str = "LR",
    fmt: str = ".4g",
    show_grad: bool = True,
    local: bool = False,
    theme: str = "auto",
) -> graphviz.Digraph:
    """The diagram as a ``graphviz.Digraph``: values in green above, gradients in orange-red italics below."""
    import graphviz

    colours = DARK if theme == "dark" else LIGHT
    dot = graphviz.Digraph("computation_graph", format="svg")
    dot.attr(rankdir=rankdir, bgcolor=colours["card"], fontname="Helvetica", ranksep="0.3", nodesep="0.2")
    dot.attr("node", fontname="Helvetica", color=colours["rim"], fontcolor=colours["ink"], penwidth="1.2")
    dot.attr("edge", color=colours["wire"], fontname="Helvetica", fontsize="11", arrowsize="0.6")
    if diagram.note:
        dot.attr(label="\\l".join([*textwrap.wrap(diagram.note, 80), ""]), fontsize="11", fontcolor=colours["muted"])
    for i, part in enumerate(diagram.parts):
        dot.node(f"n{i}", label=_label(part, show_grad, colours), **_look(part, colours))
        for port, (source, tap) in enumerate(part.sources):
            derivative = part.locals_[port]
            said = ["∂ " + written(derivative, fmt)] if local and derivative is not None else []
            if diagram.parts[source].several:  # a box with several results has their numbers at its wires
                result = diagram.parts[source].several[tap]
                said = _numbers(result.value, result.gradient if show_grad else "", colours) + said
            shown = {"label": f"<{'<BR/>'.join(said)}>"} if len(said) > 1 else {"label": said[0]} if said else {}
            dot.edge(f"n{source}", f"n{i}", fontcolor=colours["local"], **shown)
    return dot


def _look(part: Part, colours: dict[str, str]) -> dict[str, str]:
    if part.shape == "cut":
        return {"shape": "box", "style": "rounded,dashed"}
    if part.kind == "gate":
        return {"shape": "box", "style": "rounded,filled", "fillcolor": colours["gate"]}
    if part.kind == "folded":
        return {"shape": "box3d", "style": "filled", "fillcolor": colours["gate"]}
    if part.kind == "constant":
        return {"shape": "box", "style": "dashed"}
    if part.is_parameter:
        return {"shape": "box", "style": "rounded,filled", "fillcolor": colours["tag"], "color": colours["tag-rim"]}
    return {"shape": "plain"}


def _label(part: Part, show_grad: bool, colours: dict[str, str]) -> str:
    """An HTML-like label: the name and the symbol, then the value, then the gradient."""
    if part.kind == "constant":
        return _html(part.name)
    path = [f"<B>{_html(part.name)}</B>"] if part.name else []
    head = [".".join([*map(_html, part.owner), *path])] if path or part.owner else []
    head += [_html(part.symbol)] if part.symbol else []
    head += [_html(line) for line in part.lines]
    rows = ["  ".join(head[:2]), *head[2:]] if head else []
    rows += _numbers(part.value, part.gradient if show_grad else "", colours)
    return "<" + "<BR/>".join(rows) + ">" if rows else " "


def _numbers(value: str, gradient: str, colours: dict[str, str]) -> list[str]:
    rows = [f'<FONT COLOR="{colours["value"]}">{_html(value)}</FONT>'] if value else []
    return rows + ([f'<FONT COLOR="{colours["gradient"]}"><I>{_html(gradient)}</I></FONT>'] if gradient else [])


def _html(text: str) -> str:
    # Graphviz reads such labels as XML, and puts a node's name for \N and so on: an invisible joiner keeps it from that
    return html.escape(re.sub(r"\\(?=[EGHLNT])", "\\\\\u2060", printable(text)))


def render_dot(source: str) -> str:
    """SVG text of a DOT source, drawn by Graphviz.

    Raises:
        EngineError: if neither pygraphviz nor the ``dot`` program is there, or Graphviz fails.
    """
    with suppress(ImportError, OSError, ValueError):  # it is not here, or has no program: say below what to install
        import pygraphviz

        return _signed(pygraphviz.AGraph(string=source).draw(format="svg", prog="dot").decode())
    import shutil  # only those who draw with Graphviz wait for these two
    import subprocess

    program = shutil.which("dot")
    if program is None:
        raise EngineError(
            "engine='dot' needs Graphviz: pip install 'chainrule[graphviz]', or the dot program from your system "
            "(apt install graphviz, brew install graphviz, https://graphviz.org/download). "
            "The default engine='layered' needs neither"
        )
    result = subprocess.run([program, "-Tsvg"], input=source.encode(), capture_output=True, check=False)
    if result.returncode != 0:
        message = result.stderr.decode(errors="replace").strip().split("\n")[0]
        raise EngineError(f"Graphviz could not draw this graph: {message or f'exit status {result.returncode}'}")
    return _signed(result.stdout.decode())


def _signed(svg: str) -> str:
    """Graphviz's SVG from its first tag on, marked as ours as the other engine's is."""
    return svg[svg.index("<svg") :].replace("<svg", '<svg class="chainrule-graph" role="img"', 1)
