"""`step_through`: the forward and the backward pass, one step after the other: from events to a player's frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from autograd import (
    SHEET,
    BackwardStep,
    ForwardStep,
    Value,
    backward_steps,
    format_number,
    forward_steps,
    topological_order,
)
from autograd.exercises import ByHand
from autograd.graph import names_in_order
from autograd.messages import language, messages
from autograd.ops import LEAF
from autograd.recomputing import outdated
from autograd.steps import bracketed, latex_name, latex_number

from ..checks import MAX_NODES, THEMES, check_depth, one_of
from ..graph import diagram as diagrams
from ..graph.diagram import UNSET, Diagram, counted_in, in_a_row
from ..graph.scopes import levels
from ..graph.svg import title_of
from ..mistakes import explained, only_a_value
from . import languages, network
from . import page as pages
from .player import Frame, Player, Step
from .scene import MOST_TALL, for_a_phone, named, of_stage, unlike, view
from .stage import FMT, Stage, graph_rules

MAX_FRAMES = 40  # more than these are shown layer by layer
SIZES = (40, 100, MAX_NODES)  # then neurons and layers are folded until so many parts are left, or so many
PARTLY = "…"  # a gradient that some of its contributions have reached, in an order that is not that of `backward`


@explained
def step_through(
    root: Value,
    *,
    forward: bool = True,
    backward: bool = True,
    theme: str = "auto",
    depth: int | str | None = "auto",
    lang: str | None = None,
    predict: str | Sequence[str] | None = None,
) -> Player:
    """Step through the forward pass, operation by operation, and then the backward pass, contribution by contribution.

    Each step shows the gate and the wires at work, what is known so far ("–" is what is not), and the chain rule in
    names and in numbers, "∂f/∂x += ∂f/∂q · ∂q/∂x = −4 × 1 = −4". The numbers are those of `forward_steps` and
    `backward_steps`; no Value is changed, and `backward` need not have been called. The page computes by itself: a leaf
    may be changed at any step (drag it, or choose it and type), and every number and sentence follows. "Predict" makes
    the next number an empty box; a wrong answer hears which classic mistake it looks like. The arrow keys, PageUp and
    PageDown move, the space bar plays.

    More than about 40 steps are shown layer by layer: a layer is all that has the same distance from the leaves,
    neurons and layers folded into one box each where there are many. A gradient that some, but not yet all
    contributions have reached is then drawn as "…".

    Args:
        root: the end of the graph.
        forward: whether the forward pass is shown.
        backward: whether the backward pass is shown.
        theme: "light", "dark", or "auto", which follows the reader's system, or JupyterLab's theme.
        depth: how many levels of scopes (layers, neurons) are open, as in `draw_graph`: a number, or "all" (or None)
            for every step. What is folded takes one step. "auto" opens everything up to about 40 steps, and shows more
            than that layer by layer.
        lang: the language of the words, ``en`` or ``zh``; by default that of the environment's ``CHAINRULE_LANG``.
        predict: what the page asks for as soon as it is open, as `autograd.exercises.by_hand` has it: "gradients",
            "values", "both", or the names of some wires. If left out, it asks when "Predict" is pressed, and for all.

    Raises:
        TypeError: if ``root`` is not a Value.
        ValueError: for an option that is not one of those above, or if neither pass is to be shown.
    """
    only_a_value("step_through shows the graph of a Value", root)
    one_of("theme", theme, THEMES)
    check_depth(depth)
    if not (forward or backward):
        raise ValueError(
            "forward and backward are both False, so nothing is left to step through; set one of them to True"
        )
    said = messages(lang)
    notes = []
    if root.inputs and (size := len(topological_order(root))) > network.MOST_NODES:
        root, notes = network.last_operations(root), [said["folded-steps"].format(n=f"{size:,}")]
    script = _Script(root, bool(forward), bool(backward), theme, depth, lang)
    notes += script.notes
    try:
        sheet = network.rules(script.order, asks=True)
    except ValueError as error:  # the numbers stand still
        note = " ".join([*notes, said["fixed"].format(why=error)])
        return Player(script.frames, script.stage.backdrop, theme, title=script.title, note=note, lang=language(lang))
    if outdated(script.order):
        notes = [said["new-data"] if note == said["outdated"] else note for note in notes]
    data = script.data(notes)
    if predict is not None:
        task = ByHand(root, predict)
        place = {script.names[node]: i for i, node in enumerate(script.order)}
        data["asks"] = [[place[name] for name in task.values], [place[name] for name in task.gradients]]
    return Steps(script, data, sheet)


class Steps(Player):
    """A player whose page computes by itself: a leaf may be changed at any step."""

    def __init__(self, script: _Script, data: dict[str, Any], sheet: str) -> None:
        look = {"title": script.title, "note": data["note"], "lang": script.lang}
        super().__init__(script.frames, script.stage.backdrop, script.theme, **look)
        self._live, self._sheet = data, sheet

    def to_html(self, *, page: bool = True) -> str:
        """The player as HTML: a whole page, or with ``page=False`` a piece to be put into a page of one's own."""
        if not page:
            return self._piece(self._live, self._expandable())
        last = self.frames[-1]
        shown: dict[int, str] = {}
        for frame in self.frames:
            shown.update(frame.changes)
        told = in_a_row(self._said, [self._title, f"{last.title}: {last.text}"])
        data, picture = pages.lent(self._live, told, "".join(shown.values()))
        piece = self._piece(data, picture + self._listed())
        return pages.page(piece, self._heading, self._theme, self._lang, self._live["told"]["names"])

    def _piece(self, data: dict[str, Any], fallback: str) -> str:
        return pages.live("steps", data, self._sheet, self._theme, graph_rules, fallback)


class _Script:
    """Writes the frames, in the order in which they are shown."""

    def __init__(
        self, root: Value, forward: bool, backward: bool, theme: str, depth: int | str | None, lang: str | None
    ) -> None:
        self.theme, self.said, self.lang = theme, messages(lang), language(lang)
        self.order = topological_order(root)
        self.names = names_in_order(self.order)
        self.place = {node: i for i, node in enumerate(self.order)}
        self.root = root
        forwards = list(forward_steps(root, lang=lang)) if forward else []
        backwards = list(backward_steps(root, lang=lang)) if backward else []
        in_all = len(forwards) + len(backwards) + forward + backward
        by_layer = depth == "auto" and in_all > MAX_FRAMES
        self.diagram = _diagram(root, depth, by_layer, lang)
        self.title = title_of(self.diagram)
        self.folded = any(part.kind == "folded" for part in self.diagram.parts)
        self.folds = depth == "auto" and self.folded  # more, where there is less room
        self.first_bad = {part.node for part in self.parts if part.is_first_non_finite}
        self.running = not (self.folded or by_layer)  # whether contributions come in the order of `backward`
        self.expected = Counter(step.input for step in backwards)
        self.arrived: dict[Value, list[BackwardStep]] = {}

        for part in self.parts:  # whatever their gradients are: the stage keeps room for any
            part.gradient = UNSET if backward and part.node >= 0 else ""
            for result in part.several:
                result.gradient = UNSET if backward else ""
        self.has_gradients = backward
        named(self.diagram, self.order, self.names)
        self.stage = Stage(self.diagram, show_grad=backward)
        # what leaves the parts: all results in a row, each with the part and its number there
        self.results = [(i, k) for i, part in enumerate(self.parts) for k in range(len(part.results))]
        every = [(self.parts[i], self.parts[i].results[k]) for i, k in self.results]
        self.result_of = {result.node: at for at, (_, result) in enumerate(every) if result.node >= 0}
        self.values = [UNSET if r.node >= 0 and forward and not part.is_given else r.value for part, r in every]
        self.gradients = [result.gradient for _, result in every]
        self.frames: list[Frame] = []
        self.live: list[tuple[str, list[int]]] = []  # the frames as a page knows them: which events
        self.heads: dict[int, tuple[list[str], list[str]]] = {}  # what is said of several at once, in both languages
        self.batches = _Batches(self.diagram, self.place, by_layer, forward + backward)
        self._write(forwards, backwards, forward, backward)
        self.notes = list(self.diagram.remarks)
        if by_layer:
            at_once = self.batches.span if not self.folded else 1  # what is folded is many layers already
            self.notes.insert(0, self.said["by-layer" if at_once == 1 else "by-layers"].format(n=in_all, k=at_once))
        elif self.folded:
            self.notes.insert(0, self.said["folded-once"])

    @property
    def parts(self) -> list[diagrams.Part]:
        return self.diagram.parts

    def data(self, notes: Sequence[str]) -> dict[str, Any]:
        """What a page needs to know to show these frames at any numbers."""
        views = [of_stage(self.stage, self.diagram)]
        diagram = for_a_phone(self.root, self.diagram, lang=self.lang) if self.folds else self.diagram
        is_small = len(diagram.parts) <= MOST_TALL
        if is_small:
            named(diagram, self.order, self.names)
            views.append(unlike(view(diagram, gradients=self.has_gradients, rankdir="TB"), views[0]))
        said = languages.both(self.lang)
        for k, one in enumerate((said, said["other"])):
            title = title_of(replace(self.diagram, said=messages(one["lang"])))
            one |= {"title": one["messages"]["page-steps"].format(title=title), "note": " ".join(notes)}
            one |= {"heads": {at: both[k] for at, both in self.heads.items()}} if self.heads else {}
            notes = [languages.retold(note, self.lang) for note in notes]
        return {
            **said,
            **network.described(self.order),
            "told": network.told(self.order, self.names),
            "views": views,
            "start": 0,
            "narrow": 0,
            "tall": {0: 1} if is_small else {},
            "descending": [],
            "frames": self.live,
            "running": self.running,
        }

    def _write(self, forwards: list[ForwardStep], backwards: list[BackwardStep], forward: bool, backward: bool) -> None:
        everything = range(len(self.results))
        if forward:
            self._add("graph", self.said["title-graph"], *self._opening(), changed=everything)
            steps = self.batches.of(forwards)
            for k, batch in enumerate(steps, 1):
                self._forward(batch, self.said["title-forward"].format(k=k, n=len(steps)))
        if backward:
            name = self.names[self.root]
            seed = f"∂{name}/∂{name} = 1"
            words = self.said["seed"].format(f=name)
            latex = rf"\frac{{\partial {latex_name(name)}}}{{\partial {latex_name(name)}}} = 1"
            lit = [self.diagram.part_of[-1]]
            end = self.results.index((lit[0], 0))
            if end in self.result_of.values():  # a constant has no gradient
                self.gradients[end] = format_number(1.0, FMT)
            new = [end] if forward else everything
            self.live.append(("seed", []))
            self._add("seed", self.said["title-seed"], seed, words, latex, changed=new, lit=lit)
            steps = self.batches.of(backwards, backward=True)
            for k, batch in enumerate(steps, 1):
                self._backward(batch, self.said["title-backward"].format(k=k, n=len(steps)))

    def _opening(self) -> tuple[str, str, str]:
        """The leaves; of a network with many of them, the inputs."""
        leaves = [node for node in self.order if node.op == LEAF]
        if not leaves:
            self._show("graph", [], lambda said: (said["no-leaves"], ""))
            return self.said["no-leaves"], self.said["only-constants"], ""
        inputs = [node for node in leaves if not node.scope]
        count = 0  # of parameters that are not listed
        if inputs and len(leaves) > 8:
            leaves, count = inputs, len(leaves) - len(inputs)

        def rest(said: Mapping[str, str]) -> tuple[str, str]:
            parameters = counted_in(said, count, "parameter")
            return (said["and-parameters"].format(leaves="", parameters=parameters) if count else ""), ""

        text = _listed([f"{self.names[n]} = {format_number(n.data)}" for n in leaves], ", ") + rest(self.said)[0]
        latex = [f"{latex_name(self.names[n])} = {latex_number(format_number(n.data))}" for n in leaves]
        self._show("graph", [self.place[n] for n in leaves], rest)
        return text, self.said["before"], _listed(latex, ", ", r"\dots")

    def _forward(self, batch: list[Step], title: str) -> None:
        gates = self._parts_of(step.node for step in batch)
        shown = []
        for step in batch:
            at = self.result_of.get(self.place[step.node])
            if at is not None:
                self.values[at] = format_number(step.node.data, FMT)
                shown.append(at)
        wires = [(i, port) for i in gates for port in range(len(self.parts[i].inputs))]
        text, words, latex = _told(batch, "operation", self.said)
        note = self.said["not-finite"] if self.first_bad & {self.place[s.node] for s in batch} else ""
        self._show("forward", [self.place[s.node] for s in batch], lambda said: _said_of_many(batch, "operation", said))
        self._add("forward", title, text, words, latex, note, changed=shown, lit=gates, wires=wires, steps=batch)

    def _backward(self, batch: list[Step], title: str) -> None:
        wires, shown = [], []
        for step in batch:
            assert isinstance(step, BackwardStep)
            self.arrived.setdefault(step.input, []).append(step)
            gate = self.diagram.part_of[self.place[step.node]]
            source = self.diagram.part_of[self.place[step.input]]
            part = self.parts[gate]
            if part.ports and part.ports[step.position] >= 0:
                wires.append((gate, part.ports[step.position]))
            at = self.result_of.get(self.place[step.input])
            from_there = self.results[at] if at is not None else (source, 0)
            if not part.ports and from_there in part.sources:
                wires.append((gate, part.sources.index(from_there)))
            if at is not None:
                self.gradients[at] = self._gradient(step.input)
                shown.append(at)
        gates = self._parts_of(step.node for step in batch)
        text, words, latex = _told(batch, "contribution", self.said)
        note = self._note(batch[0]) if len(batch) == 1 else ""
        self._show("backward", [s.index for s in batch], lambda said: _said_of_many(batch, "contribution", said))
        self._add(
            "backward", title, text, words, latex, note, changed=shown, lit=gates, wires=wires, steps=batch,
            local=self.running and len(batch) == 1,
        )  # fmt: skip

    def _show(self, kind: str, events: list[int], told: Callable[[Mapping[str, str]], tuple[str, str]]) -> None:
        """A frame as a page knows it: which events, and what is ``told`` of several of them."""
        tongues = (self.said, messages(languages.other_than(self.lang)))
        mine, theirs = (list(told(said)) for said in tongues)
        if any(mine):
            self.heads[len(self.live)] = mine, theirs
        self.live.append((kind, events))

    def _gradient(self, node: Value) -> str:
        so_far = self.arrived[node]
        if self.running or len(so_far) == self.expected[node]:
            return format_number(max(so_far, key=lambda step: step.index).total, FMT)
        return PARTLY

    def _note(self, step: Step) -> str:
        """The local derivative as a formula, and the sum where several contributions meet."""
        assert isinstance(step, BackwardStep)
        local = format_number(step.local)
        told = []
        if step.local_text != local:
            q, x = self.names[step.node], self.names[step.input]
            told.append(self.said["local-is"].format(formula=f"∂{q}/∂{x} = {step.local_text} = {local}"))
        so_far, expected = self.arrived[step.input], self.expected[step.input]
        if expected > 1:
            f, x = self.names[self.root], self.names[step.input]
            added = [format_number(s.contribution) for s in so_far]
            added = added[:1] + [bracketed(n) for n in added[1:]]
            total = f" = {format_number(step.total)}" if len(added) > 1 and self.running else ""
            slots = {"k": len(so_far), "n": expected, "df": f"∂{f}/∂{x}", "sum": _listed(added, " + ") + total}
            told.append(self.said["contribution"].format(**slots))
        return in_a_row(self.said, told) if told else ""

    def _parts_of(self, nodes: Iterable[Value]) -> list[int]:
        return list(dict.fromkeys(self.diagram.part_of[self.place[node]] for node in nodes))

    def _add(
        self, kind: str, title: str, text: str, words: str, latex: str, note: str = "", *,
        changed: Iterable[int] = (), lit: Sequence[int] = (), wires: Iterable[tuple[int, int]] = (),
        steps: Iterable[Step] = (), local: bool = False,
    ) -> None:  # fmt: skip
        changed = list(dict.fromkeys(changed))
        changes = {at: self.stage.numbers(*self.results[at], self.values[at], self.gradients[at]) for at in changed}
        lights = ""
        if lit:
            new = [self.results[at] for at in changed] if kind != "seed" else [(i, 0) for i in lit]
            direction = "forward" if kind == "forward" else "backward"
            lights = self.stage.lights(direction, lit if kind != "seed" else (), wires, new, local=local)
        told = text + words + note
        spoken_of = [x for step in list(steps)[:4] for x in (step.node, *step.node.inputs)] or self.order
        names = dict.fromkeys(name for node in (self.root, *spoken_of) if (name := self.names[node]) in told)
        self.frames.append(
            Frame(kind, title, text, words, latex, note, tuple(steps), lights, changes, tuple(names),
                  self.frames[-1] if self.frames else None, self.stage.backdrop, self.theme)
        )  # fmt: skip


def _diagram(root: Value, depth: int | str | None, by_layer: bool, lang: str | None) -> Diagram:
    """What is drawn. Layer by layer, a graph with scopes is folded until it is small, one without them drawn whole.

    The gradients that the nodes hold are not shown: the events bring their own.
    """
    if not by_layer:
        diagram = diagrams.build(root, fmt=FMT, depth="all" if depth == "auto" else depth, show_grad=False, lang=lang)
    else:
        for size in SIZES:
            diagram = diagrams.build(root, fmt=FMT, max_nodes=size, show_grad=False, lang=lang)
            if not diagram.is_summary:
                break
    diagram.note = ""  # it would speak of draw_graph
    return diagram


class _Batches:
    """Which events share a frame."""

    def __init__(self, diagram: Diagram, place: dict[Value, int], by_layer: bool, passes: int) -> None:
        self.diagram, self.place, self.by_layer = diagram, place, by_layer
        self.level: list[int] = []  # for each part the longest way from the leaves
        for part in diagram.parts:
            self.level.append(1 + max((self.level[i] for i in part.inputs), default=-1))
        room = (MAX_FRAMES - passes) // passes
        self.span = -(-max(self.level) // room) or 1  # so many levels at once, if there are very many

    def of(self, steps: Sequence[Step], *, backward: bool = False) -> list[list[Step]]:
        """The events, frame by frame; backward, the part that is nearest to the root comes first."""
        at: dict[int, list[list[Step]]] = {}
        for step in steps:
            part = self.diagram.part_of[self.place[step.node]]
            key = -(-self.level[part] // self.span) if self.by_layer else part
            together = self.by_layer or self.diagram.parts[part].kind == "folded"
            batches = at.setdefault(key, [])
            if together and batches:
                batches[0].append(step)
            else:
                batches.append([step])
        return [batch for key in sorted(at, reverse=backward) for batch in at[key]]


def _told(batch: Sequence[Step], what: str, said: Mapping[str, str]) -> tuple[str, str, str]:
    """The text, the words and the LaTeX of one event; for several that share a frame, how many, and the first."""
    first = batch[0]
    if len(batch) == 1:
        return first.text, first.words, first.latex
    symbols = Counter(SHEET[step.node.op].symbol for step in batch)
    gates = [said["steps-at"].format(n=n, symbol=symbol) for symbol, n in symbols.most_common()]
    scopes = {step.node.scope for step in batch if step.node.scope}
    if len(scopes) > 1:
        scopes = {levels(scope)[0] for scope in scopes}
    text = counted_in(said, len(batch), what)
    if scopes:
        text = said["steps-inside"].format(steps=text, scopes=_listed(sorted(scopes), ", ", most=4))
    most = 4 if len(batch) == 4 else 3
    words = "; ".join(step.text for step in batch[:most])
    if len(batch) > most:
        words = said["steps-more"].format(steps=words, n=len(batch) - most, gates=_listed(gates, ", "))
    return text, words, first.latex


def _said_of_many(batch: Sequence[Step], what: str, said: Mapping[str, str]) -> tuple[str, str]:
    """What is said of several events at any numbers: how many they are, and what follows those that are written out."""
    if len(batch) == 1:
        return "", ""
    text, words, _ = _told(batch, what, said)
    most = 4 if len(batch) == 4 else 3
    return text, words.removeprefix("; ".join(step.text for step in batch[:most]))


def _listed(words: Sequence[str], separator: str, dots: str = "…", most: int = 8) -> str:
    shown = words if len(words) <= most else [*words[: most - 1], dots, words[-1]]
    return separator.join(shown)
