"""What a drawing shows: from a graph of Values to parts and wires, before any of them has a place.

Here a constant is folded into its gate, a neuron or a layer into one box, and the far end of a very large graph into a
summary. The other files (layout, SVG, DOT) see only what this one leaves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial, reduce

from autograd import SHEET, Value, topological_order
from autograd.graph import first_non_finite, input_places, names_in_order
from autograd.messages import MESSAGES, messages
from autograd.ops import CONSTANT, LEAF
from autograd.recomputing import outdated

from ..metrics import clip, one_line
from .numbers import written
from .repetition import Repetition, repetitions
from .runs import Unit, runs
from .scopes import Path, common_path, homes, levels

MANY_RESULTS = 8  # of a folded box: more leave it as one bundle (where there is less room, fewer: `most_results`)
SUMMARY_SIZE = 24  # how many operations next to the root are still drawn when the rest is folded into a summary
SMALLER = (24, 16, 11, 8, 5, 3, 1)  # parts next to the root that are tried one after the other until a picture fits
LONGEST = 100_000  # nodes of a graph in which steps of one form are looked for: it takes 20 µs for each
MOST_SYMBOLS = 4  # of a step that is repeated
MAX_TITLE = 40  # letters of a scope's name
OUTDATED, UNRECORDED, OLDER, ACCUMULATED = (MESSAGES[k] for k in ("outdated", "unrecorded", "older", "accumulated"))
UNSET = "–"  # a gradient that no backward pass has reached
CIRCLES = {"add": "+", "sub": "−", "mul": "×", "div": "÷", "less": "<", "less_equal": "≤"}


FEWER_DIGITS = (".6g", ".5g", ".4g", ".3g", ".2g", ".1g")


@dataclass(slots=True)
class Result:
    """A number that leaves a part: one wire, however many ends it has."""

    name: str
    value: str
    gradient: str
    node: int


@dataclass(slots=True)
class Part:
    """One thing to draw: an ``input`` (a named wire), a ``constant``, a ``gate``, or a ``folded`` group of nodes.

    ``inputs`` are the numbers of the parts that its wires come from, one per port, in operand order; ``taps`` say which
    of that part's results each one is; ``locals_`` are the local derivatives along them.
    """

    kind: str
    name: str  # the label, as drawn; "" for none
    value: str = ""  # the number as text, taken when the graph was drawn; "" for none
    gradient: str = ""
    symbol: str = ""
    usual: str = ""  # the symbol with an everyday constant, for which room is kept; "" if it shows none
    shorter: tuple[str, ...] = ()  # the symbol with ever fewer digits of its constant, should there be no room for all
    shape: str = ""  # of a gate: "circle" or "pill"; "cut" if `no_grad` left its inputs unrecorded
    lines: tuple[str, ...] = ()  # what a folded box says
    inputs: list[int] = field(default_factory=list)
    taps: list[int] = field(default_factory=list)  # empty if all are 0
    locals_: list[float | None] = field(default_factory=list)
    scope: Path = ()
    owner: Path = ()  # of a parameter: the path to the module that holds it
    is_parameter: bool = False
    is_root: bool = False
    is_first_non_finite: bool = False
    tooltip: str = ""
    node: int = -1  # the place in the topological order of the node whose numbers these are; -1 for none
    exact: tuple[str, str, str] = ("", "", "")  # that node's name, and its value and gradient as `repr` writes them
    ports: tuple[int, ...] = ()  # of a gate: the port of each operand; -1 for a constant that its symbol shows
    several: tuple[Result, ...] = ()  # of a folded box: its results, if it has more than one

    @property
    def results(self) -> tuple[Result, ...]:
        """The numbers that leave it, in order: one, but for a folded box."""
        return self.several or (Result(self.name, self.value, self.gradient, self.node),)

    def unwired(self) -> Part:
        """The same thing in another drawing, in which nothing leads to it yet."""
        return Part(
            self.kind, self.name, self.value, self.gradient, self.symbol, self.usual, self.shorter, self.shape,
            self.lines, scope=self.scope, owner=self.owner, is_parameter=self.is_parameter, tooltip=self.tooltip,
            node=self.node, exact=self.exact,
        )  # fmt: skip

    @property
    def sources(self) -> list[tuple[int, int]]:
        """Where its wires come from, one per port: a part, and the number of its result."""
        return list(zip(self.inputs, self.taps or [0] * len(self.inputs), strict=True))

    @property
    def is_given(self) -> bool:
        """Whether its number is known before the forward pass."""
        return self.kind == "input" or self.shape == "cut"

    @property
    def end_name(self) -> str:
        """What stands at the end of the root's wire; an input has its name at the beginning already."""
        return self.name if self.is_root and self.kind in ("gate", "folded") else ""


@dataclass(slots=True)
class Diagram:
    """The parts, inputs first, and what was left out on the way."""

    parts: list[Part]
    note: str = ""  # what was folded, and how to open it; and the remarks
    node_count: int = 0
    unit: tuple[str, str] = ("node", "nodes")  # what is counted
    is_summary: bool = False  # of all but the last operations
    remarks: tuple[str, ...] = ()  # where the numbers are not what one would take them for
    part_of: list[int] = field(default_factory=list)  # for each node of the graph, the part that it is drawn in, or -1
    said: Mapping[str, str] = field(default_factory=messages)  # the sentences, in the language of the words


def remarks(
    order: Sequence[Value],
    shown: Iterable[Value],
    *,
    show_grad: bool = True,
    said: Mapping[str, str] | None = None,
    is_outdated: bool | None = None,
) -> tuple[str, ...]:
    """What must be said about the numbers of a graph: ``order`` is all of it, ``shown`` the nodes that are seen.

    Whether a graph ``is_outdated`` takes long to find out, so who knows it may say so.
    """
    root, shown, said = order[-1], list(shown), messages() if said is None else said
    told = [said["outdated"]] if (outdated(order) if is_outdated is None else is_outdated) else []
    if any(node.unrecorded_op for node in shown):
        told.append(said["unrecorded"])
    if show_grad:
        if root.inputs and not root.has_grad:
            if any(node.grad for node in shown):
                told.append(said["older"])
        elif any(node.has_accumulated_grad for node in shown):
            told.append(said["accumulated"])
    return tuple(told)


# --- from a graph to a diagram


class _Graph:
    """The nodes of a graph by their places in the topological order, and what every step below asks about them."""

    def __init__(
        self,
        root: Value,
        fmt: str,
        show_grad: bool,
        opened: tuple[str, ...] = (),
        *,
        lang: str | None = None,
        most_results: int = MANY_RESULTS,
    ) -> None:
        self.root, self.fmt, self.show_grad, self.opened = root, fmt, show_grad, opened
        self.most_results = most_results
        self.said = messages(lang)
        self.order = topological_order(root)
        self.sources = input_places(self.order)
        self.named: set[Value] | None = None  # the only nodes whose names are asked for; None for all
        self.parts: dict[int, Part] = {}  # of nodes that some diagram has drawn
        self.ops = ops = [node.op for node in self.order]
        self.is_constant = [op == CONSTANT for op in ops]
        if root.op == CONSTANT:
            self.is_constant[-1] = False
        self.loose: set[int] = set()  # constants that stand in no symbol but in a box of their own
        constant = self.is_constant
        for op, sources in zip(ops, self.sources, strict=True) if CONSTANT in ops else ():
            if len(sources) == 2:
                a, b = sources
                if constant[a] != constant[b] and op in _WITH_CONSTANT:
                    continue  # it is in the symbol, as `folded_operands` says
            if sources:
                self.loose.update([k for k in sources if constant[k]])

    @cached_property
    def names(self) -> dict[Value, str]:
        return names_in_order(self.order, self.named)

    @cached_property
    def is_outdated(self) -> bool:
        return outdated(self.order)

    @cached_property
    def first_bad(self) -> int:
        return first_non_finite(self.order)

    @cached_property
    def near(self) -> dict[int, int]:
        """The nodes that a summary may draw, with their distances to the root."""
        return _near(self, SUMMARY_SIZE)

    @cached_property
    def _homes(self) -> tuple[list[Path], list[Path]]:
        return homes(self.order, self.sources)

    @property
    def homes(self) -> list[Path]:
        """The frames that each node stands in, from the outermost inwards."""
        return self._homes[0]

    @property
    def paths(self) -> list[Path]:
        """The scopes that each node is folded into."""
        return self._homes[1]

    def depth_at(self, i: int, depth: int) -> int:
        """How many levels are open at a node, if all but ``opened`` have ``depth``."""
        return depth + bool(self.opened and self.paths[i][: len(self.opened)] == self.opened)

    def partcount(self, groups: Iterable[int]) -> int:
        """How many parts a drawing of these groups has."""
        if isinstance(groups, range):  # nothing is folded
            return len(self.order) - sum(self.is_constant) + len(self.loose)
        return len({g for i, g in enumerate(groups) if not self.is_constant[i] or i in self.loose})


@dataclass(slots=True)
class _Box:
    """A folded group: the scope that it stands in, the lines that it shows, and the places of its nodes."""

    scope: Path
    lines: tuple[str, ...]
    members: list[int]


def build(
    root: Value,
    *,
    fmt: str = ".4g",
    depth: int | str | None = "auto",
    max_nodes: int = 200,
    show_grad: bool = True,
    opened: tuple[str, ...] = (),
    lang: str | None = None,
) -> Diagram:
    """Choose what to draw of the graph that ends in ``root``.

    Args:
        root: the end of the graph.
        fmt: how numbers are written.
        depth: how many levels of scopes are open; "auto" opens as many as ``max_nodes`` allows, "all" opens them all.
        max_nodes: with depth "auto", the most parts that are drawn.
        show_grad: whether the gradients that the nodes hold are shown, and so remarked upon.
        opened: the path of a scope that is open by one level more than ``depth`` says.
        lang: the language of the words; by default that of the environment.
    """
    if depth == "auto":
        return next(candidates(root, fmt=fmt, max_nodes=max_nodes, show_grad=show_grad, lang=lang))
    graph = _Graph(root, fmt, show_grad, opened, lang=lang)
    if isinstance(depth, int) and any(len(path) > depth for path in graph.paths):
        return _folding(graph, depth).diagram(graph)
    return _diagram(graph, range(len(graph.order)), {})


def candidates(
    root: Value,
    *,
    fmt: str = ".4g",
    max_nodes: int = 200,
    show_grad: bool = True,
    to_fit: bool = False,
    lang: str | None = None,
    most_results: int = MANY_RESULTS,
) -> Iterator[Diagram]:
    """What could be drawn of a graph in ``max_nodes`` parts or less, from everything to less and less.

    First the innermost scopes are folded, then those around them; then terms of one form, of which the first is drawn.
    If it is ``to_fit`` on a screen, steps of one form are folded, too; the first and the last are drawn, or just the
    first alone; and should all of that be too large, as it is where nothing repeats itself, there follow summaries:
    ever fewer parts next to the root, and one box for all before them. Else there is one, if nothing is small enough.
    """
    graph = _Graph(root, fmt, show_grad, lang=lang, most_results=most_results)
    groups: Sequence[int] = range(len(graph.order))
    boxes: dict[int, _Box] = {}
    fewest = graph.partcount(groups)
    found = fewest <= max_nodes
    if found:
        yield _diagram(graph, groups, boxes)
    for folded in _foldings(graph, to_fit):
        parts, one_box = graph.partcount(folded.groups), _is_one_box(graph, folded.groups)
        if parts > max_nodes or (found and not folded.repeats and one_box):
            continue
        if parts < fewest and not one_box:
            fewest, groups, boxes = parts, folded.groups, folded.boxes(graph)
        found = True
        yield folded.diagram(graph)
    sizes = dict.fromkeys(min(size, max_nodes - 1) for size in SMALLER)
    if not found:
        yield _summary(graph, min(SUMMARY_SIZE, max_nodes - 1))
    if to_fit:
        yield from _far_ends(graph, groups, boxes, sizes) if found else (_summary(graph, size) for size in sizes)


def _is_one_box(graph: _Graph, groups: Sequence[int]) -> bool:
    """Whether all operations are in the same group: then one would see nothing but its inputs."""
    return all(groups[i] == groups[-1] for i, sources in enumerate(graph.sources) if sources)


# --- folding by scopes and repetitions


@dataclass(slots=True)
class _Folding:
    """Which scopes are folded, which repetitions, and so the group of each node."""

    level: int  # scopes are open down to it
    groups: list[int]
    titles: dict[int, tuple[Path, tuple[str, ...]]]  # of groups that are repetitions: their scopes, and what they say
    repeats: bool

    def boxes(self, graph: _Graph) -> dict[int, _Box]:
        return _boxes(graph, self.groups, self.level, self.titles)

    def diagram(self, graph: _Graph) -> Diagram:
        note = graph.said["drawn-folded" if self.repeats else "drawn-folded-level"].format(level=self.level + 1)
        return _diagram(graph, self.groups, self.boxes(graph), note)


def _folding(graph: _Graph, level: int) -> _Folding:
    return _Folding(level, _groups(graph, level), {}, False)


def _foldings(graph: _Graph, steps: bool) -> Iterator[_Folding]:
    """Scopes folded from the innermost outwards, and then again together with what repeats itself."""
    deepest = max(map(len, graph.paths))
    for level in range(deepest - 1, -1, -1):
        yield _folding(graph, level)
    repeated = repetitions(graph.order, graph.sources)
    steps = steps and len(graph.order) <= LONGEST
    for ends in (2, 1):
        for level in range(deepest, -1, -1) if repeated or steps else ():
            folded = _Folding(level, _groups(graph, level, repeated), {}, True)
            for repetition in repeated:
                folded.titles[folded.groups[repetition.hidden[-1]]] = (), _said_of(repetition, graph.said)
            is_run = steps and _fold_runs(graph, folded, ends)
            if is_run or (repeated and ends == 2):
                yield folded


def _said_of(repetition: Repetition, said: Mapping[str, str]) -> tuple[str, ...]:
    more = said["box-more"].format(symbol=repetition.symbol, n=f"{repetition.terms - 1:,}")
    return more, said["box-alike"].format(n=repetition.terms)


def _fold_runs(graph: _Graph, folded: _Folding, ends: int) -> bool:
    """Fold all steps of each run but the first, and the last if two ``ends`` are drawn; False if there is no run."""
    sequence, units = _units(graph, folded)
    found = runs(units, ends)
    if not found:
        return False
    groups = folded.groups
    users: dict[int, set[int]] = {}
    for g, sources in zip(groups, graph.sources, strict=True):
        for i in sources:
            if groups[i] != g:
                users.setdefault(groups[i], set()).add(g)
    into: dict[int, int] = {}
    said = []
    for run in found:
        inside, steps = range(run.start, run.stop), run.steps
        last = max(sequence[k] for k in inside)
        into.update((sequence[k], last) for k in inside)
        said.append((last, _said_of_a_run(units, inside, steps, run.length, graph, sequence)))
    for g in set(groups).difference(sequence):  # leaves that only hidden steps use
        above = {into.get(user, -1) for user in users.get(g, ())}
        if len(above) == 1 and -1 not in above:
            into[g] = above.pop()
    merged = [into.get(g, g) for g in groups]
    folded.groups = _without_circles(graph, merged)
    place = dict(zip(merged, folded.groups, strict=True))
    titles = {place[into.get(g, g)]: what for g, what in folded.titles.items()}
    folded.titles = titles | {place[into.get(g, g)]: what for g, what in said}
    return True


def _units(graph: _Graph, folded: _Folding) -> tuple[list[int], list[Unit]]:
    """The groups that compute something, each as late as its users let it, and what `runs` asks about each.

    So what a step of a loop needs stands together, even if all of it could have been computed before the first step.
    """
    groups, paths = folded.groups, graph.paths
    operations: dict[int, list[int]] = {}
    for i, sources in enumerate(graph.sources):
        if sources:
            operations.setdefault(groups[i], []).append(i)
    feeds = _neighbours(graph, groups)
    distance = dict.fromkeys(operations, 0)  # to the root
    for g in reversed(_group_order(graph, groups, {})):
        for source in feeds[g]:
            if source in distance:
                distance[source] = max(distance[source], distance[g] + 1)
    paths_of: dict[int, Path] = {}
    forms: dict[int, tuple[object, ...]] = {}
    for g, mine in operations.items():
        inside = {i: k for k, i in enumerate(mine)}
        here = graph.depth_at(mine[0], folded.level)
        paths_of[g] = path = paths[mine[0]][: here + 1] if len(mine) > 1 else paths[mine[0]]
        kind = re.sub(r"\d+", "", ".".join(path))
        forms[g] = (kind, *folded.titles.get(g, ((), ()))[1], *[_form(graph, i, inside) for i in mine])
    number = {form: k for k, form in enumerate(dict.fromkeys(forms.values()))}
    sequence = sorted(operations, key=lambda g: (-distance[g], number[forms[g]], g))
    place = {g: k for k, g in enumerate(sequence)}
    return sequence, [
        Unit(number[forms[g]], paths_of[g], sorted([place[h] for h in feeds[g] if h in place])) for g in sequence
    ]


def _form(graph: _Graph, i: int, inside: dict[int, int]) -> tuple[object, ...]:
    """What operations of one form have in common: what they compute, and from which others of their box.

    An operation that is drawn by itself shows its constant; in a box, a first step may begin with a constant state.
    """
    node = graph.order[i]
    exponent = node.inputs[1].data if node.op == "pow" and node.inputs[1].op == CONSTANT else None
    other = -2 if len(inside) == 1 else -1
    return node.op, exponent, *[inside.get(j, other if graph.is_constant[j] else -1) for j in graph.sources[i]]


def _said_of_a_run(
    units: Sequence[Unit], inside: range, steps: int, length: int, graph: _Graph, sequence: Sequence[int]
) -> tuple[Path, tuple[str, ...]]:
    """The scope around the hidden steps of a run, and what their box says."""
    path = reduce(common_path, (units[k].path for k in inside))
    first, last = units[inside[0]].path[len(path) :], units[inside[-1]].path[len(path) :]
    if first and last and first[0] != last[0]:
        named = (clip(one_line(name[0]), MAX_TITLE // 2) for name in (first, last))
        return path, (" … ".join(named), graph.said["box-alike"].format(n=f"{steps:,}"))
    symbols = [SHEET[op].symbol if op in SHEET else op for op in (graph.order[sequence[k]].op for k in inside[:length])]
    if length == 1:
        return path, (f"{steps:,} × {symbols[0]}",)
    more = ",  …" if length > MOST_SYMBOLS else ""
    each = graph.said["box-each"].format(symbols=",  ".join(symbols[:MOST_SYMBOLS]) + more)
    return path, (graph.said["box-steps"].format(n=f"{steps:,}"), each)


def _groups(graph: _Graph, depth: int, repeated: Sequence[Repetition] = ()) -> list[int]:
    """For each node the group that it is drawn in: itself, or all that share its scope down to level ``depth`` + 1.

    A group is named by the place of its last node. Groups that would feed each other in a circle become one.
    """
    group = list(range(len(graph.order)))
    for repetition in repeated:
        for i in repetition.hidden:
            group[i] = repetition.hidden[-1]
    member: dict[Path, list[int]] = {}
    for i, path in enumerate(graph.paths):
        here = graph.depth_at(i, depth)
        if len(path) > here and group[i] == i:
            member.setdefault(path[: here + 1], []).append(i)
    for nodes in member.values():
        for i in nodes:
            group[i] = nodes[-1]
    return _without_circles(graph, group) if member else group


def _neighbours(graph: _Graph, group: Sequence[int]) -> dict[int, list[int]]:
    """For each group the groups that feed it, in ascending order."""
    feeds: dict[int, set[int]] = {g: set() for g in group}
    for g, sources in zip(group, graph.sources, strict=True):
        for i in sources:
            if group[i] != g:
                feeds[g].add(group[i])
    return {g: sorted(others) for g, others in feeds.items()}


def _without_circles(graph: _Graph, group: list[int]) -> list[int]:
    """Merge groups that lie on a common circle (Tarjan's strongly connected components, 1972, with our own stack)."""
    feeds = _neighbours(graph, group)
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    on_path: set[int] = set()
    component: dict[int, int] = {}
    trail: list[int] = []
    for start in feeds:
        if start in index:
            continue
        index[start] = low[start] = len(index)
        trail.append(start)
        on_path.add(start)
        work = [(start, iter(feeds[start]))]
        while work:
            g, rest = work[-1]
            for h in rest:
                if h not in index:
                    index[h] = low[h] = len(index)
                    trail.append(h)
                    on_path.add(h)
                    work.append((h, iter(feeds[h])))
                    break
                if h in on_path:
                    low[g] = min(low[g], index[h])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[g])
                if low[g] == index[g]:
                    circle = [trail.pop()]
                    while circle[-1] != g:
                        circle.append(trail.pop())
                    on_path.difference_update(circle)
                    last = max(circle)
                    component.update((h, last) for h in circle)
    return [component[g] for g in group]


def _boxes(
    graph: _Graph, groups: Sequence[int], level: int, titles: dict[int, tuple[Path, tuple[str, ...]]]
) -> dict[int, _Box]:
    """The groups that are drawn folded, and what their boxes say."""
    members: dict[int, list[int]] = {}
    for i, g in enumerate(groups):
        members.setdefault(g, []).append(i)
    boxes = {}
    for g, places in members.items():
        here = graph.depth_at(g, level)
        if g in titles:
            scope, said = titles[g]
            counted = counted_in(graph.said, sum(not graph.is_constant[i] for i in places), "node")
            boxes[g] = _Box(scope, (*said, counted), places)
            continue
        scoped = sorted({graph.paths[i][: here + 1] for i in places if len(graph.paths[i]) > here})
        is_leaf = len(places) == 1 and not graph.sources[g]
        if not scoped or is_leaf:
            continue
        title = clip(one_line(".".join(scoped[0])), MAX_TITLE)
        lines = [graph.said["box-others"].format(box=title, n=len(scoped) - 1) if len(scoped) > 1 else title]
        inside = {graph.paths[i][here + 1] for i in places if len(graph.paths[i]) > here + 1}
        if len(inside) > 1:
            words = {re.sub(r"[.\d]+$", "", word) for word in inside}
            kind = clip(one_line(words.pop()), MAX_TITLE)
            same = f"{len(inside)} {kind}"
            lines.append(graph.said["box-parts"].format(n=len(inside)) if words else same)
        inner = [i for i in places if not graph.is_constant[i]]
        leaf_only = not any(graph.sources[i] for i in inner)
        lines.append(counted_in(graph.said, len(inner), "parameter" if leaf_only else "node"))
        boxes[g] = _Box(scoped[0][:here], tuple(lines), places)
    return boxes


def count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def counted_in(said: Mapping[str, str], n: int, what: str) -> str:
    """How many there are, in the language of the words: ``what`` is one of those that the table has as one-..."""
    return said[f"one-{what}" if n == 1 else f"many-{what}"].format(n=f"{n:,}")


def in_a_row(said: Mapping[str, str], texts: Iterable[str]) -> str:
    """Sentences without their last full stop, one behind the other, with a full stop between them."""
    first, *others = filter(None, texts)
    return reduce(lambda one, two: said["then"].format(one=one, two=two), others, first)


# --- a summary


def _summary(graph: _Graph, size: int) -> Diagram:
    """So many nodes next to the root, and one box for everything before them."""
    order = graph.order
    distance = {i: d for i, d in graph.near.items() if d <= size}
    drawn = [i for i in distance if not graph.is_constant[i] or i in graph.loose]
    shown = sorted(sorted(drawn, key=lambda i: (distance[i], -i))[:size])
    in_all = graph.partcount(range(len(order)))
    counts = Counter(graph.ops) - Counter(graph.ops[i] for i in shown)
    counts[CONSTANT] = len(graph.loose.difference(shown))
    lines = _counted(counts, in_all - len(shown), graph.said)
    note = graph.said["drawn-summary"].format(box=lines[0], n=in_all)
    first = 0 if 0 not in shown else next(i for i in range(len(order)) if i not in shown)
    graph.named = {graph.root, *(order[k] for i in shown for k in (i, *graph.sources[i]))}
    groups = [first] * len(order)
    for i in shown:
        groups[i] = i
        for k in graph.sources[i]:
            if graph.is_constant[k] and k not in graph.loose:
                groups[k] = k
    diagram = _diagram(graph, groups, {first: _Box((), lines, [])}, note)
    diagram.is_summary = True
    return diagram


def _counted(counts: Counter[str], in_all: int, said: Mapping[str, str]) -> tuple[str, ...]:
    """What the box of a summary says: how many nodes it hides, and of which kinds."""
    leaf_count, constant_count = counts.pop(LEAF, 0), counts.pop(CONSTANT, 0)
    common = [f"{n:,} {SHEET[op].symbol if op in SHEET else op}" for op, n in counts.most_common(4)]
    lines = [counted_in(said, in_all, "node")]
    if common:
        lines.append(",  ".join(common) + (",  …" if len(counts) > 4 else ""))
    if leaf_count:
        lines.append(counted_in(said, leaf_count, "leaf"))
    if constant_count:
        lines.append(counted_in(said, constant_count, "constant"))
    return tuple(lines)


def _far_ends(graph: _Graph, groups: Sequence[int], boxes: dict[int, _Box], sizes: Iterable[int]) -> Iterator[Diagram]:
    """So many groups next to the root, and one box for everything before them."""
    users: dict[int, list[int]] = {g: [] for g in groups if not graph.is_constant[g] or g in graph.loose or g in boxes}
    for g, sources in _neighbours(graph, groups).items():
        for source in sources:
            if source in users:
                users[source].append(g)
    distance: dict[int, int] = {}  # along the longest path, so that whatever uses a shown group is shown, too
    for g in reversed(_group_order(graph, groups, {})):
        if g in users:
            distance[g] = max((distance[user] + 1 for user in users[g]), default=0)
    nearest = sorted(distance, key=lambda g: (distance[g], -g))
    for size in sizes:
        if size + 1 >= len(nearest):
            continue
        hidden = set(nearest[size:])
        last = max(hidden)
        places = [i for i, g in enumerate(groups) if g in hidden]
        counted = [graph.ops[i] for i in places if not graph.is_constant[i] or i in graph.loose]
        shown = {g: box for g, box in boxes.items() if g not in hidden}
        shown[last] = _Box((), _counted(Counter(counted), len(counted), graph.said), places)
        merged = [last if g in hidden else g for g in groups]
        diagram = _diagram(graph, merged, shown, graph.said["drawn-folded"])
        diagram.is_summary = True
        yield diagram


def _near(graph: _Graph, most: int) -> dict[int, int]:
    """The nodes next to the root with their distances along the longest path, so that their users are near, too."""
    root = len(graph.order) - 1
    reached, ring = {root}, {root}
    for _ in range(most):
        ring = {k for i in ring for k in graph.sources[i]} - reached
        reached |= ring
    users: dict[int, list[int]] = {i: [] for i in reached}
    for i, sources in enumerate(graph.sources):
        if not reached.isdisjoint(sources):
            for k in reached.intersection(sources):
                users[k].append(i)
    distance: dict[int, int] = {root: 0}
    for i in sorted(reached - {root}, reverse=True):
        if all(u in distance for u in users[i]):
            distance[i] = 1 + max(distance[u] for u in users[i])
    return {i: d for i, d in distance.items() if d <= most}


# --- parts


def _diagram(graph: _Graph, groups: Sequence[int], boxes: dict[int, _Box], note: str = "") -> Diagram:
    """One part per group, inputs first; a constant is folded into its gate, or drawn beside it."""
    order, root_place = graph.order, len(graph.order) - 1
    first_bad = graph.first_bad
    exits = _exits(graph, groups, boxes)
    tap = {i: k for nodes in exits.values() if len(nodes) <= _most(graph, nodes) for k, i in enumerate(nodes)}
    part_of: dict[int, int] = {}
    parts: list[Part] = []
    for g in _group_order(graph, groups, boxes) if boxes else range(len(order)):
        if g in boxes:
            part = _folded_part(graph, boxes[g], g, groups, part_of, tap)
            part.is_first_non_finite = groups[first_bad] == g if first_bad >= 0 else False
            _add_results(graph, part, exits[g])
        elif graph.is_constant[g]:
            continue
        else:
            node = order[g]
            part = _part(graph, g)
            part.is_first_non_finite = g == first_bad
            folded = folded_operands(node)
            ports = []
            entered: dict[tuple[int, int], int] = {}  # the port of each source
            for k, (i, local) in enumerate(zip(graph.sources[g], node.local_derivatives, strict=True)):
                if k in folded:
                    part.is_first_non_finite |= i == first_bad
                    ports.append(-1)
                    continue
                is_folded = groups[i] in boxes
                if graph.is_constant[i] and not is_folded:
                    parts.append(_part(graph, i))
                    parts[-1].is_first_non_finite = i == first_bad
                    part_of[i] = len(parts) - 1
                source = (part_of[groups[i]], tap.get(i, 0))
                if is_folded and len(graph.sources[g]) > 2 and source in entered:
                    # a bundle gives a gate of many inputs one wire, not thousands
                    ports.append(entered[source])
                    part.locals_[ports[-1]] = None
                else:
                    entered[source] = len(part.inputs)
                    ports.append(len(part.inputs))
                    part.inputs.append(source[0])
                    part.taps.append(source[1])
                    part.locals_.append(local)
            part.ports = tuple(ports)
        parts.append(part)
        part_of[g] = len(parts) - 1
    root_part = parts[part_of[groups[root_place]]]
    root_part.is_root = True
    if root_part.kind != "constant":
        root_part.name = one_line(graph.names[graph.root])
    seen = (order[result.node] for part in parts for result in part.results if result.node >= 0)
    told = remarks(order, seen, show_grad=graph.show_grad, said=graph.said, is_outdated=graph.is_outdated)
    note = " ".join(filter(None, [note, *told]))
    part_of_each = [part_of.get(g, -1) for g in groups]
    return Diagram(parts, note, len(order), remarks=told, part_of=part_of_each, said=graph.said)


def _add_results(graph: _Graph, part: Part, exits: list[int]) -> None:
    """What leaves a folded box: one number, several, or a bundle of very many."""
    nodes = [graph.order[i] for i in exits]
    if len(nodes) > _most(graph, exits):
        part.value = graph.said["box-numbers"].format(n=f"{len(nodes):,}")
        return
    results = [Result(one_line(x.label), *numbers(x, graph.fmt), i) for x, i in zip(nodes, exits, strict=True)]
    part.tooltip = "; ".join([part.tooltip, *(_told(graph, exact(graph.names[x], x)) for x in nodes)])
    if len(results) == 1:
        (one,) = results
        part.name, part.value, part.gradient, part.node = one.name, one.value, one.gradient, one.node
    else:
        part.several = tuple(results)


def _most(graph: _Graph, exits: list[int]) -> int:
    """How many wires leave a box one by one. Parameters that are folded together are used together: one bundle."""
    return graph.most_results if any(graph.sources[i] for i in exits) else 1


def _exits(graph: _Graph, groups: Sequence[int], boxes: dict[int, _Box]) -> dict[int, list[int]]:
    """For each folded group, the nodes in it that something outside uses, in topological order."""
    exits: dict[int, set[int]] = {g: set() for g in boxes}
    if boxes:
        is_summary = not all(box.members for box in boxes.values())
        users = sorted(set(groups) - set(boxes)) if is_summary else range(len(groups))
        for user in users:
            for i in graph.sources[user]:
                if groups[i] != groups[user] and groups[i] in exits:
                    exits[groups[i]].add(i)
        if groups[-1] in exits:
            exits[groups[-1]].add(len(groups) - 1)
    return {g: sorted(nodes) for g, nodes in exits.items()}


def _group_order(graph: _Graph, groups: Sequence[int], boxes: dict[int, _Box]) -> list[int]:
    """The groups, so that every group comes after those that feed it (Kahn, 1962)."""
    if len(boxes) == 1:
        ((only, box),) = boxes.items()
        if not box.members:  # a summary, fed by nothing
            return [only, *(g for g in sorted(set(groups)) if g != only)]
    feeds = _neighbours(graph, groups)
    used_by: dict[int, list[int]] = {g: [] for g in groups}
    for g in sorted(feeds):
        for source in feeds[g]:
            used_by[source].append(g)
    waiting = {g: len(sources) for g, sources in feeds.items()}
    ready = sorted((g for g, n in waiting.items() if n == 0), reverse=True)
    result = []
    while ready:
        g = ready.pop()
        result.append(g)
        for h in reversed(used_by[g]):
            waiting[h] -= 1
            if not waiting[h]:
                ready.append(h)
    return result


def _folded_part(
    graph: _Graph, box: _Box, g: int, groups: Sequence[int], part_of: dict[int, int], tap: dict[int, int]
) -> Part:
    feeding = [i for member in box.members for i in graph.sources[member] if groups[i] != g and groups[i] in part_of]
    sources = list(dict.fromkeys((part_of[groups[i]], tap.get(i, 0)) for i in feeding))
    part = Part("folded", "", lines=box.lines, scope=box.scope, tooltip=", ".join(box.lines))
    part.inputs, part.taps = [i for i, _ in sources], [k for _, k in sources]
    part.locals_ = [None] * len(sources)
    return part


def _part(graph: _Graph, i: int) -> Part:
    if i in graph.parts:
        return graph.parts[i].unwired()
    node = graph.order[i]
    if node.op == CONSTANT:
        told = graph.said["tip-constant"].format(x=repr(node.data))
        part = Part("constant", written(node.data, graph.fmt), scope=graph.homes[i], tooltip=told)
    else:
        part = _part_of_a_node(graph, i, node)
    graph.parts[i] = part
    return part


def _part_of_a_node(graph: _Graph, i: int, node: Value) -> Part:
    scope = graph.homes[i]
    value, gradient = numbers(node, graph.fmt)
    digits = exact(graph.names[node], node)
    told = _told(graph, digits)
    if node.unrecorded_op:
        told = graph.said["tip-unrecorded"].format(node=told, op=node.unrecorded_op)
        symbol = operation(node)
        return Part(
            "gate", one_line(node.label), value, gradient, symbol,
            shape="cut", scope=scope, tooltip=told, node=i, exact=digits,
        )  # fmt: skip
    if node.op == LEAF:
        name, owner = one_line(node.label), levels(node.scope)
        told = graph.said["tip-parameter"].format(node=told, scope=node.scope) if owner else told
        return Part(
            "input", name, value, gradient,
            scope=scope, owner=owner, is_parameter=bool(owner), tooltip=told, node=i, exact=digits,
        )  # fmt: skip
    symbol, shape = gate_symbol(node, lambda x: written(x, graph.fmt))
    usual = ""
    shorter: tuple[str, ...] = ()
    folded = folded_operands(node)
    if folded and (node.op, *folded) != ("pow", 1):  # an exponent is the form of a gate; other constants are numbers
        usual = gate_symbol(node, lambda _: "0.5")[0]
        shorter = tuple([gate_symbol(node, partial(written, fmt=fmt))[0] for fmt in FEWER_DIGITS])
    formula = SHEET[node.op].formula if node.op in SHEET else node.op
    told += f" ({node.op}: {formula.replace('{', '').replace('}', '')})"
    return Part(
        "gate", one_line(node.label), value, gradient, symbol, usual, shorter, shape,
        scope=scope, tooltip=told, node=i, exact=digits,
    )  # fmt: skip


def numbers(node: Value, fmt: str) -> tuple[str, str]:
    """The value of a node and its gradient, as they are drawn."""
    return written(node.data, fmt), written(node.grad, fmt) if node.has_grad else UNSET


def exact(name: str, node: Value) -> tuple[str, str, str]:
    """What a node is called, and its numbers with all their digits; "" for a gradient that is not there."""
    return name, repr(node.data), repr(node.grad) if node.has_grad else ""


def _told(graph: _Graph, digits: tuple[str, str, str]) -> str:
    """A node in full, for whoever points at it; ``digits`` are what `exact` gives."""
    name, value, gradient = digits
    told = f"{name} = {value}"
    return graph.said["tip-gradient"].format(value=told, g=gradient) if gradient else told


# --- gates

SUPERSCRIPT = str.maketrans("0123456789−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def folded_operands(node: Value) -> tuple[int, ...]:
    """Which of a gate's operands are constants that its symbol shows, as in "+1": of two inputs, the constant one."""
    if node.op not in _WITH_CONSTANT:
        return ()
    inputs = node.inputs
    if len(inputs) != 2:
        return ()
    left, right = inputs[0].op == CONSTANT, inputs[1].op == CONSTANT
    return () if left == right else (0,) if left else (1,)


_WITH_CONSTANT: dict[str, tuple[str, str]] = {  # with the constant on the left, and on the right
    "add": ("+{c}", "+{c}"),
    "sub": ("{c}−x", "−{c}"),
    "mul": ("×{c}", "×{c}"),
    "div": ("{c}/x", "÷{c}"),
    "pow": ("{c}^x", "x^{c}"),
    "leaky_relu": ("leaky", "leaky {c}"),
    "maximum": ("max(x, {c})", "max(x, {c})"),
    "minimum": ("min(x, {c})", "min(x, {c})"),
    "less": ("> {c}", "< {c}"),
    "less_equal": ("≥ {c}", "≤ {c}"),
    "equal": ("= {c}?", "= {c}?"),
}


def operation(node: Value) -> str:
    """The symbol of what a node was computed by, "" for a leaf; of what was not recorded it says so."""
    op = node.op or node.unrecorded_op
    symbol = SHEET[op].symbol if op in SHEET else op
    return f"{symbol} in no_grad" if node.unrecorded_op else symbol


def gate_symbol(node: Value, number: Callable[[float], str]) -> tuple[str, str]:
    """What a gate says, and its shape."""
    folded = folded_operands(node)
    if folded:
        c = number(node.inputs[folded[0]].data)
        if node.op == "pow" and folded[0] == 1 and re.fullmatch(r"−?\d+", c):
            return "x" + c.translate(SUPERSCRIPT), "pill"
        if c.startswith("−") and node.op in ("add", "sub", "mul", "div") and not (node.op != "add" and folded[0] == 0):
            c = f"({c})" if node.op != "mul" else c
        return _WITH_CONSTANT[node.op][folded[0]].format(c=c), "pill"
    if node.op in CIRCLES and len(node.inputs) == 2:
        return CIRCLES[node.op], "circle"
    if node.op == "pow":
        return "x^y", "pill"
    return operation(node), "pill"
