"""What a live page shows: the graph's pictures without their numbers, one for each state of its boxes.

Nothing is laid out on the page. All states are laid out here: every depth, and every box opened alone, as long as there
is room on the page for one more; and one picture from top to bottom, for narrow screens.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from autograd import Value
from autograd.graph import names_in_order

from ..graph import diagram as diagrams
from ..graph.arrange import arrange_readable
from ..graph.diagram import Diagram
from ..graph.scopes import levels
from ..metrics import one_line
from .stage import FMT, PHONE, TALL, Stage

BOXES = 40  # states, at most, with a box opened alone
BYTES = 200_000  # of all states, about
MOST_PARTS = 200
MOST_OPENED = 400  # parts of the state in which all is open, where boxes can be opened only all at once
MOST_TALL = 60  # parts of a picture from top to bottom
MOST_BESIDE = 6  # numbers that leave a box there, side by side
MOST_AGAIN = 3_000  # nodes of a graph that is folded anew for narrow screens


def named(diagram: Diagram, order: Sequence[Value], names: dict[Value, str]) -> Diagram:
    """The diagram with every name that the texts speak of, and no note of a command."""
    for part in diagram.parts:
        if part.node >= 0 and part.kind in ("input", "gate"):
            part.name = one_line(names[order[part.node]])
    diagram.note = ""
    return diagram


def for_a_phone(root: Value, chosen: Diagram, *, local: bool = False, lang: str | None = None) -> Diagram:
    """What is shown from top to bottom where ``chosen`` is shown elsewhere: more of it is folded, where it is too wide.

    What is still too wide then, or would be no more than its end, stays as it was chosen, and moves under the finger.
    """
    if chosen.is_summary or chosen.node_count > MOST_AGAIN:
        return chosen
    look: dict[str, Any] = {"show_grad": False, "local": local, "lang": lang, "most_results": MOST_BESIDE}
    folded, _ = arrange_readable(root, MOST_TALL, fmt=FMT, room=(PHONE, math.inf), **look, **TALL)
    return chosen if folded.is_summary else folded


def view(diagram: Diagram, *, gradients: bool, local: bool = False, rankdir: str = "LR") -> dict[str, Any]:
    """One picture: the markup of what never changes, and where the numbers and the lights stand."""
    stage = Stage(diagram, show_grad=gradients, local=local, rankdir=rankdir)
    return of_stage(stage, diagram, local=local)


def of_stage(stage: Stage, diagram: Diagram, *, local: bool = False) -> dict[str, Any]:
    """A picture that has been arranged already; ``local`` says whether it has room for local derivatives."""
    return {"still": stage.backdrop.on_a_page, **stage.places(locals_=local), "partOf": diagram.part_of}


def unlike(view: dict[str, Any], first: dict[str, Any]) -> dict[str, Any]:
    """A picture without what it has in common with the ``first`` one."""
    return {key: what for key, what in view.items() if key == "still" or first.get(key) != what}


class Scene:
    """The states of a graph's boxes: ``views``, which of them is shown first, and what a click on a box leads to.

    Narrow screens have ``tall`` ones, which run from top to bottom, where there are any: for a state the place of its
    other view. There ``narrow`` is shown first.
    """

    def __init__(
        self,
        root: Value,
        order: Sequence[Value],
        depth: int | str | None,
        *,
        local: bool = False,
        lang: str | None = None,
    ) -> None:
        self.root, self.order, self.local, self.lang = root, order, local, lang
        self.names = names_in_order(order)
        self.views: list[dict[str, Any]] = []
        self.bytes = 0
        if depth == "auto":
            chosen, _ = arrange_readable(root, MOST_PARTS, fmt=FMT, show_grad=False, local=local, lang=lang)
        else:
            chosen = diagrams.build(root, depth=depth, max_nodes=MOST_PARTS, show_grad=False, lang=lang)
        self.remarks, self.is_summary, self.node_count = chosen.remarks, chosen.is_summary, chosen.node_count
        self.diagram = named(chosen, order, self.names)
        self.is_shortened = chosen.is_summary  # whether more is folded at first than scopes
        is_far_end = chosen.is_summary and chosen.node_count > MOST_OPENED
        if is_far_end or not any(part.kind == "folded" or part.scope for part in chosen.parts):
            self.start = self._add(chosen)
        else:
            self.start = self._add_states(chosen)
        self.tall: dict[int, int] = {}
        self.narrow = self.start
        if depth == "auto":
            chosen = for_a_phone(root, chosen, local=local, lang=lang)
        if len(chosen.parts) <= MOST_TALL:
            self._add_tall(chosen)

    @property
    def can_open(self) -> bool:
        """Whether a click on a box of the first picture opens it."""
        return bool(self.views[self.start].get("opens"))

    def _add(self, diagram: Diagram) -> int:
        named(diagram, self.order, self.names)
        new = view(diagram, gradients=True, local=self.local)
        self.bytes += len(json.dumps(new, ensure_ascii=False, separators=(",", ":")))
        self.views.append(new)
        return len(self.views) - 1

    def _add_states(self, chosen: Diagram) -> int:
        """Every depth, and every box opened alone; returns the place of the state that is shown first."""
        paths = {levels(node.scope) for node in self.order}
        deepest = max(map(len, paths))
        start = -1
        depths: dict[int, int] = {}
        for depth in range(deepest + 1):
            diagram = diagrams.build(self.root, depth=depth, show_grad=False, lang=self.lang)
            is_start = diagram.part_of == chosen.part_of
            if is_start or (len(diagram.parts) <= MOST_PARTS and self.bytes < BYTES):
                depths[depth] = self._add(diagram)
                start = depths[depth] if is_start else start
        is_repetition = start < 0
        if is_repetition:
            self.is_shortened = True
            if not depths and len(diagram.parts) <= MOST_OPENED:  # else nothing in a box could be seen, or changed
                depths[deepest] = self._add(diagram)
            start = self._add(chosen)
        for depth, place in depths.items():
            self.views[place]["folds"] = depths.get(depth - 1, -1)
            self.views[place]["unfolds"] = depths.get(depth + 1, -1)
        if is_repetition and depths:  # what repeats itself is folded, at no depth: a click opens everything there is
            opened = depths[max(depths)]
            folded = (k for k, part in enumerate(chosen.parts) if part.kind == "folded")
            self.views[start] |= {"unfolds": opened, "opens": dict.fromkeys(folded, opened)}
            self.views[depths[min(depths)]]["folds"] = start
        alone = 0
        for depth, place in depths.items():
            boxes = sorted({path[: depth + 1] for path in paths if len(path) > depth})
            first = len(self.views)
            for path in boxes if depth + 1 in depths or deepest > depth else ():
                if alone < BOXES and self.bytes < BYTES:
                    alone += self._open_alone(path, depth, place)
            self._lead_on(self.views[first:], first)
        return start

    def _add_tall(self, chosen: Diagram) -> None:
        """The first view of narrow screens, from top to bottom."""
        named(chosen, self.order, self.names)
        states = [k for k, state in enumerate(self.views) if state["partOf"] == chosen.part_of]
        if states:
            self.narrow = states[0]
            first = self.views[self.narrow]
            leads = {key: first[key] for key in ("folds", "unfolds", "opens", "path") if key in first}
            self.tall[self.narrow] = len(self.views)
        else:  # it is folded further than any state
            boxes = (k for k, part in enumerate(chosen.parts) if part.kind == "folded")
            to, opened = self.start, self.views[self.start].get("unfolds", -1)
            if opened >= 0 and len(self.views[opened]["parts"]) <= 2 * MOST_TALL:
                to = opened  # at once, where that is not too much
            leads = {"unfolds": to, "opens": dict.fromkeys(boxes, to)}
            self.narrow = len(self.views)
        self.views.append(view(chosen, gradients=True, local=self.local, rankdir="TB") | leads)

    def _lead_on(self, states: Sequence[dict[str, Any]], first: int) -> None:
        """From each state with one box open to those of its neighbours: that one opens, and this one folds."""
        for state in states:
            for k, other in enumerate(states):
                path = tuple(other["path"])
                inside = {
                    state["partOf"][i] for i, node in enumerate(self.order) if levels(node.scope)[: len(path)] == path
                }
                for part in inside - {-1} if other is not state else ():
                    if self._is_folded(state, part):
                        state.setdefault("opens", {})[part] = first + k

    def _open_alone(self, path: tuple[str, ...], depth: int, place: int) -> bool:
        """One state more, in which only this box of the state at ``place`` is open; False if there is no such box."""
        closed = self.views[place]
        diagram = diagrams.build(self.root, depth=depth, show_grad=False, opened=path, lang=self.lang)
        if len(diagram.parts) > MOST_PARTS or diagram.part_of == closed["partOf"]:
            return False
        members = [i for i, node in enumerate(self.order) if levels(node.scope)[: len(path)] == path]
        box = {closed["partOf"][i] for i in members if node_is_drawn(closed, i)}
        boxes = [i for i in box if self._is_folded(closed, i)]
        if not boxes:
            return False
        new = self._add(diagram)
        self.views[new] |= {"folds": place, "unfolds": closed.get("unfolds", -1), "path": list(path)}
        for part in boxes:  # several, where a model is called more than once
            closed.setdefault("opens", {})[part] = new
        return True

    def _is_folded(self, closed: dict[str, Any], part: int) -> bool:
        return bool(closed["partOf"].count(part) > 1)


def node_is_drawn(closed: dict[str, Any], i: int) -> bool:
    return bool(closed["partOf"][i] >= 0)
