"""`explore`: the drawing as a page that computes by itself: drag a number, and everything follows."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, ClassVar

from autograd import Value, backward_steps, format_number, forward_steps, topological_order
from autograd.backward import numeric_adjoints
from autograd.messages import language, messages
from autograd.ops import LEAF
from autograd.recomputing import outdated

from ..checks import THEMES, check_depth, one_of
from ..graph import diagram as diagrams
from ..graph import svg
from ..graph.arrange import arrange, arrange_readable
from ..graph.diagram import UNSET, count
from ..metrics import printable
from ..mistakes import explained, only_a_value, shown_by
from ..picture import KEYS_ARE_OURS
from . import languages, network
from . import page as pages
from .scene import MOST_PARTS, Scene, unlike
from .stage import FMT, Stage, graph_rules

TOLD_STEPS = 40  # at most, where no script runs


@explained
def explore(
    root: Value,
    *,
    theme: str = "auto",
    depth: int | str | None = "auto",
    local: bool = False,
    lang: str | None = None,
) -> Explorer:
    """The drawing of the graph that ends in ``root`` as a page that computes by itself.

    Every leaf is a number that can be dragged, typed, or moved by the arrow keys (with Shift more, with Alt less); a
    double click takes it back. Values, gradients, captions and the derivation of the chosen leaf follow at once: the
    page carries the graph and its rules as JavaScript, and needs no Python, no network, and no other file. A wire that
    is pointed at tells its local derivative, and every path from it to the root with its product. "Nudge" moves a leaf
    by h, and says what the gradient promised; "Step down" is gradient descent, with the course of the root. Boxes open
    and fold by a click. Where no script runs, a picture and the steps in words stand instead.

    The numbers are those of the leaves' data now. No Value is changed, and `backward` need not have been called.

    Args:
        root: the end of the graph.
        theme: "light", "dark", or "auto", which follows the reader's system, or JupyterLab's theme.
        depth: how many levels of scopes are open at first, as in `draw_graph`.
        local: whether each wire carries its local derivative.
        lang: the language of the words, ``en`` or ``zh``; by default that of the environment's ``CHAINRULE_LANG``.

    Raises:
        TypeError: if ``root`` is not a Value.
        ValueError: for an option that is not one of those above.
    """
    only_a_value("explore shows the graph of a Value", root)
    one_of("theme", theme, THEMES)
    check_depth(depth)
    return Explorer(root, theme, depth, bool(local), lang)


class Explorer(pages.LivePage):
    """A page that computes by itself. It shows itself in a notebook; `save` writes it to a file."""

    _to_see = shown_by("explorer", "live.html")
    _to_write = ".save('live.html') writes a page"
    _only_a_page = (
        "a live page is a page: the file's ending must be .html, but got {name}; "
        "draw_graph(root).save('graph.svg') makes a picture"
    )
    _instead: ClassVar = {"svg": "draw_graph(root).svg is a picture", "html": ".to_html() is the page"}

    def __init__(self, root: Value, theme: str, depth: int | str | None, local: bool, lang: str | None) -> None:
        said = messages(lang)
        order, folded = topological_order(root), ""
        self._node_count = len(order)
        if len(order) > network.MOST_NODES and not any(node.scope for node in order):
            folded = said["folded-steps"].format(n=f"{len(order):,}")
            root = network.last_operations(root)
            order = topological_order(root)
        scene = Scene(root, order, depth, local=local, lang=lang)
        self._theme, self._title, self._lang = theme, svg.title_of(scene.diagram), language(lang)
        self._data, self._sheet, notes = _data(order, scene, said, local)
        self._data |= _said(scene, list(filter(None, [folded, *notes])), self._lang)
        self._passes = _passes(root, len(order), said["no-script"], lang)
        self._image = _image(root, depth, theme, self._title, lang)
        self._numbers = _first(order, scene, local)

    def __repr__(self) -> str:
        what = count(self._node_count, "node", "nodes")
        return f"<Explorer of {what}; .save('live.html') writes it to a file>"

    def to_html(self, *, page: bool = True) -> str:
        """The page as HTML, whole, or with ``page=False`` a piece to be put into a page of one's own."""
        if not page:
            return self._piece(self._data, self._image)
        data, picture = pages.lent(self._data, self._title, self._numbers)
        names = self._data["told"]["names"]
        return pages.page(self._piece(data, picture), data["title"], self._theme, self._lang, names)

    def _piece(self, data: dict[str, Any], picture: str) -> str:
        instead = picture + self._passes
        return pages.live("explore", data, self._sheet, self._theme, graph_rules, instead)


def _data(
    order: Sequence[Value], scene: Scene, said: Mapping[str, str], local: bool
) -> tuple[dict[str, Any], str, list[str]]:
    """What the page's script needs to know of the graph, the rules that it computes by, and what must be said of it."""
    notes = [note for note in scene.remarks if note != said["outdated"]]
    views = list(scene.views)
    data: dict[str, Any] = {
        "start": scene.start,
        "narrow": scene.narrow,
        "tall": scene.tall,
        **({"local": True} if local else {}),
    }
    kept: Sequence[int] = range(len(order))
    sheet, why = "", ""
    if len(order) > network.MOST_NODES:
        why = said["folded"].format(n=f"{len(order):,}")
        kept = _drawn(order, views)
        place = {i: k for k, i in enumerate(kept)}
        views = [_renumbered(view, kept, place) for view in views]
    else:
        try:
            sheet = network.rules(order)
        except ValueError as error:
            why = said["fixed"].format(why=error)
    if why:
        sheet = "const SHEET={};\n"
        data["fixed"] = network.still(order, kept)
        notes.append(why)
    elif outdated(order):
        notes.append(said["new-data"])
    if scene.is_shortened and not data.get("fixed"):
        notes.append(said["shortened" if scene.can_open else "shortened-shut"])
    leaves = [k for k, i in enumerate(kept) if order[i].op == LEAF and not order[i].unrecorded_op]
    parameters = [k for k in leaves if order[kept[k]].scope]
    data |= network.described(order, kept, computes=not why)
    data |= {"told": network.told(order, scene.names, kept), "views": views}
    for state, tall in scene.tall.items():
        views[tall] = unlike(views[tall], views[state])
    data["descending"] = parameters or leaves
    return data, sheet, notes


def _said(scene: Scene, notes: Sequence[str], lang: str) -> dict[str, Any]:
    """The words of the page, in its language and in the other one."""
    said = languages.both(lang)
    for one in (said, said["other"]):
        title = svg.title_of(replace(scene.diagram, said=messages(one["lang"])))
        one |= {"title": one["messages"]["page-live"].format(title=title), "note": " ".join(notes)}
        notes = [languages.retold(note, lang) for note in notes]
    return said


def _drawn(order: Sequence[Value], views: Sequence[dict[str, Any]]) -> list[int]:
    """The nodes that some picture shows, the root last, and those that feed them."""
    shown = {result[0] for view in views for part in view["parts"] for result in part[0]} | {len(order) - 1}
    place = {node: i for i, node in enumerate(order)}
    return sorted(shown | {place[x] for i in shown for x in order[i].inputs if len(order[i].inputs) <= MOST_PARTS})


def _renumbered(view: dict[str, Any], kept: Sequence[int], place: dict[int, int]) -> dict[str, Any]:
    parts = [[[[place[result[0]], *result[1:]] for result in part[0]], *part[1:]] for part in view["parts"]]
    return {**view, "parts": parts, "partOf": [view["partOf"][i] for i in kept]}


# --- where no script runs


def _first(order: Sequence[Value], scene: Scene, local: bool) -> str:
    """The numbers on the first picture."""
    stage = Stage(scene.diagram, show_grad=True, local=local)
    adjoint = numeric_adjoints(order[-1])
    numbers = ""
    for i, part in enumerate(scene.diagram.parts):
        for k, result in enumerate(part.results):
            if result.node >= 0:
                node = order[result.node]
                gradient = format_number(adjoint[node], FMT) if node in adjoint else UNSET
                numbers += stage.numbers(i, k, format_number(node.data, FMT), gradient)
    return numbers


def _image(root: Value, depth: int | str | None, theme: str, title: str, lang: str | None) -> str:
    """The first picture as an image, which an untrusted notebook shows, too."""
    if depth == "auto":
        diagram, arrangement = arrange_readable(root, MOST_PARTS, fmt=FMT, lang=lang)
    else:
        diagram = diagrams.build(root, fmt=FMT, depth=depth, max_nodes=MOST_PARTS, lang=lang)
        arrangement = arrange(diagram, fmt=FMT)
    drawing = svg.render(diagram, arrangement, rankdir="LR", theme=theme)
    return f'<img alt="{html.escape(title)}" style="max-width:100%" src="{pages.image(drawing)}">\n'


def _passes(root: Value, size: int, note: str, lang: str | None) -> str:
    """Both passes in words, to be opened."""
    told = f"<p>{html.escape(note)}</p>\n"
    if size > TOLD_STEPS:
        return told
    forward = [step.text for step in forward_steps(root, lang=lang)]
    backward = [step.text for step in islice(backward_steps(root, lang=lang), TOLD_STEPS)]
    for name, texts in (("forward", forward), ("backward", backward)):
        lines = "".join(f"<li>{html.escape(printable(text))}" for text in texts)  # HTML needs no </li>
        head = html.escape(messages(lang)[f"pass-{name}"])
        told += f"<details><summary {KEYS_ARE_OURS}>{head}</summary><ol>{lines}</ol></details>\n"
    return told
