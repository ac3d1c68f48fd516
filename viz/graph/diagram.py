"""What a drawing shows: from a graph of Values to parts and wires, before any of them has a place.

Here a constant is folded into its gate, a neuron or a layer into one box, and the far end of a very large graph into a
summary. The other files (layout, SVG, DOT) see only what this one leaves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from autograd import SHEET, Value, format_number, topological_order
from autograd.graph import names_in_order
from autograd.ops import CONSTANT, LEAF
from autograd.recomputing import outdated

from ..metrics import clip, one_line

SUMMARY_SIZE = 24  # how many operations next to the root are still drawn when the rest is folded into a summary
MAX_TITLE = 40  # letters of a scope's name
OUTDATED = "A leaf has new data since this graph was computed: recompute(root) brings the numbers up to date."
UNRECORDED = "What was computed inside no_grad has no record of its inputs: gradients go no further back."
OLDER = (
    "There was no backward pass since these numbers were computed, so the gradients are from before: "
    "root.zero_grad() and then root.backward() bring them up to date."
)
ACCUMULATED = (
    "A leaf's gradient is of more than the last backward pass, because leaves add up: "
    "root.zero_grad() before root.backward() starts them anew."
)
UNSET = "–"  # a gradient that no backward pass has reached
CIRCLES = {"add": "+", "sub": "−", "mul": "×", "div": "÷", "less": "<", "less_equal": "≤"}


@dataclass(slots=True)
class Part:
    """One thing to draw: an ``input`` (a named wire), a ``constant``, a ``gate``, or a ``folded`` group of nodes.

    ``inputs`` are the numbers of the parts that its wires come from, one per port, in operand order; ``locals_`` are
    the local derivatives along them.
    """

    kind: str
    name: str  # the label, as drawn; "" for none
    value: str = ""  # the number as text, taken when the graph was drawn; "" for none
    gradient: str = ""
    symbol: str = ""
    shape: str = ""  # of a gate: "circle" or "pill"; "cut" if `no_grad` left its inputs unrecorded
    lines: tuple[str, ...] = ()  # what a folded box says
    inputs: list[int] = field(default_factory=list)
    locals_: list[float | None] = field(default_factory=list)
    scope: tuple[str, ...] = ()
    is_parameter: bool = False
    is_root: bool = False
    is_first_non_finite: bool = False
    tooltip: str = ""
    node: int = -1  # the place in the topological order of the node whose numbers these are; -1 for none
    exact: tuple[str, str, str] = ("", "", "")  # that node's name, and its value and gradient as `repr` writes them
    ports: tuple[int, ...] = ()  # of a gate: the port of each operand; -1 for a constant that its symbol shows

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


def remarks(order: Sequence[Value], shown: Iterable[Value], *, show_grad: bool = True) -> tuple[str, ...]:
    """What must be said about the numbers of a graph: ``order`` is all of it, ``shown`` the nodes that are seen."""
    root, shown = order[-1], list(shown)
    told = [OUTDATED] if outdated(order) else []
    if any(node.unrecorded_op for node in shown):
        told.append(UNRECORDED)
    if show_grad:
        if root.inputs and not root.has_grad:
            if any(node.grad for node in shown):
                told.append(OLDER)
        elif any(node.has_accumulated_grad for node in shown):
            told.append(ACCUMULATED)
    return tuple(told)


# --- scopes


def levels(scope: str) -> tuple[str, ...]:
    """A scope's path, level by level; a number belongs to the word before it: layers.0.neurons.2 has two levels."""
    result: list[str] = []
    for word in scope.split("."):
        if word.isdigit() and result:
            result[-1] += "." + word
        elif word:
            result.append(word)
    return tuple(result)


# --- from a graph to a diagram


class _Graph:
    """The nodes of a graph by their places in the topological order, and what every step below asks about them."""

    def __init__(self, root: Value, fmt: str, show_grad: bool, opened: tuple[str, ...] = ()) -> None:
        self.root, self.fmt, self.show_grad, self.opened = root, fmt, show_grad, opened
        self.order = topological_order(root)
        place = {node: i for i, node in enumerate(self.order)}
        self.sources = [tuple([place[x] for x in node.inputs]) for node in self.order]
        ops = [node.op for node in self.order]
        self.is_constant = [op == CONSTANT for op in ops]
        if root.op == CONSTANT:
            self.is_constant[-1] = False
        # constants that stand in no symbol but in a box of their own, and the scope that uses them
        self.loose: dict[int, str] = {}
        if CONSTANT in ops:
            for node, sources in zip(self.order, self.sources, strict=True):
                if any(self.is_constant[i] for i in sources):
                    folded = folded_operands(node)
                    for k, i in enumerate(sources):
                        if self.is_constant[i] and k not in folded:
                            self.loose[i] = node.scope if self.loose.get(i, node.scope) == node.scope else ""

    @cached_property
    def names(self) -> dict[Value, str]:
        return names_in_order(self.order)

    @cached_property
    def paths(self) -> list[tuple[str, ...]]:
        """The scope of each node, level by level."""
        scopes = [node.scope for node in self.order]
        for i, scope in self.loose.items():
            scopes[i] = scope
        split = {scope: levels(scope) for scope in dict.fromkeys(scopes)}
        return [split[scope] for scope in scopes]

    def depth_at(self, i: int, depth: int) -> int:
        """How many levels are open at a node, if all but ``opened`` have ``depth``."""
        return depth + bool(self.opened and self.paths[i][: len(self.opened)] == self.opened)

    def partcount(self, groups: Iterable[int]) -> int:
        """How many parts a drawing of these groups has."""
        return len({g for i, g in enumerate(groups) if not self.is_constant[i] or i in self.loose})


@dataclass(slots=True)
class _Box:
    """A folded group: the scope that it stands in, the lines that it shows, and the places of its nodes."""

    scope: tuple[str, ...]
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
) -> Diagram:
    """Choose what to draw of the graph that ends in ``root``.

    Args:
        root: the end of the graph.
        fmt: how numbers are written.
        depth: how many levels of scopes are open; "auto" opens as many as ``max_nodes`` allows, "all" opens them all.
        max_nodes: with depth "auto", the most parts that are drawn.
        show_grad: whether the gradients that the nodes hold are shown, and so remarked upon.
        opened: the path of a scope that is open by one level more than ``depth`` says.
    """
    graph = _Graph(root, fmt, show_grad, opened)
    everything = range(len(graph.order))
    if depth == "auto" and graph.partcount(everything) > max_nodes:
        for level in range(max(map(len, graph.paths)) - 1, -1, -1):
            groups = _groups(graph, level)
            if graph.partcount(groups) <= max_nodes:
                return _folded(graph, groups, level)
        return _summary(graph, max_nodes)
    if isinstance(depth, int) and any(len(path) > depth for path in graph.paths):
        return _folded(graph, _groups(graph, depth), depth)
    return _diagram(graph, list(everything), {})


# --- folding by scopes


def _folded(graph: _Graph, groups: list[int], level: int) -> Diagram:
    boxes = _boxes(graph, groups, level)
    note = f"Folded. draw_graph(…, depth={level + 1}) opens one level more, depth='all' opens everything."
    return _diagram(graph, groups, boxes, note)


def _groups(graph: _Graph, depth: int) -> list[int]:
    """For each node the group that it is drawn in: itself, or all that share its scope down to level ``depth`` + 1.

    A group is named by the place of its last node. Groups that would feed each other in a circle become one.
    """
    member: dict[tuple[str, ...], list[int]] = {}
    for i, path in enumerate(graph.paths):
        here = graph.depth_at(i, depth)
        if len(path) > here:
            member.setdefault(path[: here + 1], []).append(i)
    group = list(range(len(graph.order)))
    for nodes in member.values():
        for i in nodes:
            group[i] = nodes[-1]
    return _without_circles(graph, group)


def _neighbours(graph: _Graph, group: list[int]) -> dict[int, list[int]]:
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


def _boxes(graph: _Graph, groups: list[int], level: int) -> dict[int, _Box]:
    """The groups that are drawn folded, and what their boxes say."""
    members: dict[int, list[int]] = {}
    for i, g in enumerate(groups):
        members.setdefault(g, []).append(i)
    boxes = {}
    for g, places in members.items():
        here = graph.depth_at(g, level)
        scoped = sorted({graph.paths[i][: here + 1] for i in places if len(graph.paths[i]) > here})
        is_leaf = len(places) == 1 and not graph.sources[g]
        if not scoped or is_leaf:
            continue
        more = f" and {len(scoped) - 1} more" if len(scoped) > 1 else ""
        lines = [clip(one_line(".".join(scoped[0])), MAX_TITLE) + more]
        inside = {graph.paths[i][here + 1] for i in places if len(graph.paths[i]) > here + 1}
        if len(inside) > 1:
            words = {re.sub(r"[.\d]+$", "", word) for word in inside}
            lines.append(f"{len(inside)} {clip(one_line(words.pop()), MAX_TITLE) if len(words) == 1 else 'parts'}")
        lines.append(count(sum(not graph.is_constant[i] for i in places), "node", "nodes"))
        boxes[g] = _Box(scoped[0][:here], tuple(lines), places)
    return boxes


def count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


# --- a summary


def _summary(graph: _Graph, max_nodes: int) -> Diagram:
    """The operations next to the root, and one box for everything before them."""
    order = graph.order
    distance = [0] * len(order)  # along the longest path, so that whatever uses a drawn node is drawn too
    for i in range(len(order) - 1, -1, -1):
        d = distance[i] + 1
        for source in graph.sources[i]:
            if distance[source] < d:
                distance[source] = d
    drawn = [i for i in range(len(order)) if not graph.is_constant[i] or i in graph.loose]
    budget = min(SUMMARY_SIZE, max_nodes - 1)
    near = sorted((i for i in drawn if distance[i] <= budget), key=lambda i: (distance[i], -i))
    shown = set(near[:budget])
    hidden = [i for i in drawn if i not in shown]
    groups = list(range(len(order)))
    for i in hidden:
        groups[i] = hidden[-1]
    counts = Counter([order[i].op for i in hidden])
    leaf_count, constant_count = counts.pop(LEAF, 0), counts.pop(CONSTANT, 0)
    common = [f"{n:,} {SHEET[op].symbol if op in SHEET else op}" for op, n in counts.most_common(4)]
    lines = [count(len(hidden), "node", "nodes")]
    if common:
        lines.append(",  ".join(common) + (",  …" if len(counts) > 4 else ""))
    if leaf_count:
        lines.append(count(leaf_count, "leaf", "leaves"))
    if constant_count:
        lines.append(count(constant_count, "constant", "constants"))
    note = f"{lines[0]} folded. draw_graph(…, max_nodes={len(drawn)}) draws all of them."
    diagram = _diagram(graph, groups, {hidden[-1]: _Box((), tuple(lines), hidden)}, note)
    diagram.is_summary = True
    return diagram


# --- parts


def _diagram(graph: _Graph, groups: list[int], boxes: dict[int, _Box], note: str = "") -> Diagram:
    """One part per group, inputs first; a constant is folded into its gate, or drawn beside it."""
    order, root_place = graph.order, len(graph.order) - 1
    first_bad = next((i for i, node in enumerate(order) if node.data - node.data != 0.0), -1)
    part_of: dict[int, int] = {}
    parts: list[Part] = []
    for g in _group_order(graph, groups, boxes) if boxes else range(len(order)):
        if g in boxes:
            part = _folded_part(graph, boxes[g], g, groups, part_of)
            part.is_first_non_finite = groups[first_bad] == g if first_bad >= 0 else False
        elif graph.is_constant[g]:
            continue
        else:
            node = order[g]
            part = _part(graph, g)
            part.is_first_non_finite = g == first_bad
            folded = folded_operands(node)
            ports = []
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
                source = part_of[groups[i]]
                if is_folded and len(graph.sources[g]) > 2 and source in part.inputs:
                    # what was folded gives a gate of many inputs one wire, not thousands
                    ports.append(part.inputs.index(source))
                    part.locals_[ports[-1]] = None
                else:
                    ports.append(len(part.inputs))
                    part.inputs.append(source)
                    part.locals_.append(local)
            part.ports = tuple(ports)
        parts.append(part)
        part_of[g] = len(parts) - 1
    for g, exits in _exits(graph, groups, boxes).items():
        if len(exits) == 1:  # a box with one result shows it
            part = parts[part_of[g]]
            part.node = exits.pop()
            node = order[part.node]
            part.name, part.tooltip = one_line(node.label), f"{part.tooltip}; {_told(graph, node)}"
            part.value, part.gradient = numbers(node, graph.fmt)
            part.exact = exact(graph.names[node], node)
    root_part = parts[part_of[groups[root_place]]]
    root_part.is_root = True
    if root_part.kind != "constant":
        root_part.name = one_line(graph.names[graph.root])
    told = remarks(order, (order[part.node] for part in parts if part.node >= 0), show_grad=graph.show_grad)
    note = " ".join(filter(None, [note, *told]))
    return Diagram(parts, note, len(order), remarks=told, part_of=[part_of.get(g, -1) for g in groups])


def _exits(graph: _Graph, groups: list[int], boxes: dict[int, _Box]) -> dict[int, set[int]]:
    """For each folded group, the nodes in it that something outside uses."""
    exits: dict[int, set[int]] = {g: set() for g in boxes}
    if boxes:
        for g, sources in zip(groups, graph.sources, strict=True):
            for i in sources:
                if groups[i] != g and groups[i] in exits:
                    exits[groups[i]].add(i)
        if groups[-1] in exits:
            exits[groups[-1]].add(len(groups) - 1)
    return exits


def _group_order(graph: _Graph, groups: list[int], boxes: dict[int, _Box]) -> list[int]:
    """The groups, so that every group comes after those that feed it (Kahn, 1962)."""
    if len(boxes) == 1:
        ((only, box),) = boxes.items()
        if all(groups[i] == only or graph.is_constant[i] for k in box.members for i in graph.sources[k]):  # a summary
            return [only, *(g for i, g in enumerate(groups) if g == i and g != only)]
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


def _folded_part(graph: _Graph, box: _Box, g: int, groups: list[int], part_of: dict[int, int]) -> Part:
    feeding = [groups[source] for i in box.members for source in graph.sources[i]]
    inputs = list(dict.fromkeys(part_of[other] for other in feeding if other != g and other in part_of))
    unknown: list[float | None] = [None] * len(inputs)
    told = ", ".join(box.lines)
    return Part("folded", "", lines=box.lines, inputs=inputs, locals_=unknown, scope=box.scope, tooltip=told)


def _part(graph: _Graph, i: int) -> Part:
    node = graph.order[i]
    if node.op == CONSTANT:
        return Part("constant", format_number(node.data, graph.fmt), tooltip=f"the constant {node.data!r}")
    part = _part_of_a_node(graph, i, node)
    part.exact = exact(graph.names[node], node)
    return part


def _part_of_a_node(graph: _Graph, i: int, node: Value) -> Part:
    scope = levels(node.scope)
    value, gradient = numbers(node, graph.fmt)
    told = _told(graph, node)
    if node.unrecorded_op:
        told += f" ({node.unrecorded_op} inside no_grad)"
        symbol = operation(node)
        return Part("gate", one_line(node.label), value, gradient, symbol, "cut", scope=scope, tooltip=told, node=i)
    if node.op == LEAF:
        name, is_parameter = one_line(node.label), bool(scope)
        return Part("input", name, value, gradient, scope=scope, is_parameter=is_parameter, tooltip=told, node=i)
    symbol, shape = gate_symbol(node, lambda x: format_number(x, graph.fmt))
    formula = SHEET[node.op].formula if node.op in SHEET else node.op
    told += f" ({node.op}: {formula.replace('{', '').replace('}', '')})"
    return Part("gate", one_line(node.label), value, gradient, symbol, shape, scope=scope, tooltip=told, node=i)


def numbers(node: Value, fmt: str) -> tuple[str, str]:
    """The value of a node and its gradient, as they are drawn."""
    return format_number(node.data, fmt), format_number(node.grad, fmt) if node.has_grad else UNSET


def exact(name: str, node: Value) -> tuple[str, str, str]:
    """What a node is called, and its numbers with all their digits; "" for a gradient that is not there."""
    return name, repr(node.data), repr(node.grad) if node.has_grad else ""


def _told(graph: _Graph, node: Value) -> str:
    """The node in full, for whoever points at it."""
    return f"{graph.names[node]} = {node.data!r}" + (f", gradient {node.grad!r}" if node.has_grad else "")


# --- gates

SUPERSCRIPT = str.maketrans("0123456789−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def folded_operands(node: Value) -> tuple[int, ...]:
    """Which of a gate's operands are constants that its symbol shows, as in "+1": of two inputs, the constant one."""
    inputs = node.inputs
    if len(inputs) != 2:
        return ()
    constants = [x.op == CONSTANT for x in inputs]
    return (constants.index(True),) if sum(constants) == 1 and node.op in _WITH_CONSTANT else ()


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
