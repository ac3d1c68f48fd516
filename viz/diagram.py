"""What a drawing shows: from a graph of Values to parts and wires, before any of them has a place.

Here a constant is folded into its gate, a neuron or a layer into one box, and the far end of a very large graph into a
summary. The other rooms (layout, SVG, DOT) see only what this one leaves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from autograd import SHEET, Value, format_number, names, topological_order
from autograd.ops import CONSTANT, LEAF

SUMMARY_SIZE = 24  # how many operations next to the root are still drawn when the rest is folded into a summary
CIRCLES = {"add": "+", "sub": "−", "mul": "×", "div": "÷"}


@dataclass(slots=True)
class Part:
    """One thing to draw: an ``input`` (a named wire), a ``constant``, a ``gate``, or a ``folded`` group of nodes.

    ``inputs`` are the numbers of the parts that its wires come from, one per port, in operand order; ``locals_`` are
    the local derivatives along them.
    """

    kind: str
    node: Value | None
    name: str  # the label, as drawn; "" for none
    symbol: str = ""
    shape: str = ""  # of a gate: "circle" or "pill"
    lines: tuple[str, ...] = ()  # what a folded box says
    inputs: list[int] = field(default_factory=list)
    locals_: list[float | None] = field(default_factory=list)
    scope: tuple[str, ...] = ()
    is_parameter: bool = False
    is_root: bool = False
    is_first_non_finite: bool = False
    tooltip: str = ""


@dataclass(slots=True)
class Diagram:
    """The parts, inputs first, and what was left out on the way."""

    parts: list[Part]
    root: Value
    note: str = ""  # what was folded, and how to open it
    node_count: int = 0


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


def build(root: Value, *, fmt: str = ".4g", depth: int | str | None = "auto", max_nodes: int = 200) -> Diagram:
    """Choose what to draw of the graph that ends in ``root``.

    Args:
        root: the end of the graph.
        fmt: how numbers are written.
        depth: how many levels of scopes are open; "auto" opens as many as ``max_nodes`` allows, "all" opens them all.
        max_nodes: with depth "auto", the most parts that are drawn.
    """
    order = topological_order(root)
    folds: list[int] | None = None
    if depth == "auto":
        drawn = sum(1 for node in order if node.op != CONSTANT or node is root)
        if drawn > max_nodes:
            paths = [levels(node.scope) for node in order]
            deepest = max(len(path) for path in paths)
            for depth_now in range(deepest - 1, -1, -1):
                groups = _groups(order, paths, depth_now)
                if len({g for node, g in zip(order, groups, strict=True) if node.op != CONSTANT}) <= max_nodes:
                    folds, level = groups, depth_now
                    break
            else:
                return _summary(root, order, fmt, max_nodes)
    elif isinstance(depth, int):
        paths = [levels(node.scope) for node in order]
        if any(len(path) > depth for path in paths):
            folds, level = _groups(order, paths, depth), depth
    if folds is None:
        groups = list(range(len(order)))
        return Diagram(_parts(root, order, groups, fmt, {}), root, node_count=len(order))
    titles = _titles(order, folds, level)
    note = f"Folded. draw_graph(…, depth={level + 1}) opens one level more, depth='all' opens everything."
    return Diagram(_parts(root, order, folds, fmt, titles), root, note, len(order))


def _groups(order: list[Value], paths: list[tuple[str, ...]], depth: int) -> list[int]:
    """For each node the group that it is drawn in: itself, or all that share its scope down to level ``depth`` + 1.

    A group is named by the place of its last node. Groups that would feed each other in a circle become one.
    """
    member: dict[tuple[str, ...], list[int]] = {}
    for i, path in enumerate(paths):
        if len(path) > depth:
            member.setdefault(path[: depth + 1], []).append(i)
    group = list(range(len(order)))
    for nodes in member.values():
        for i in nodes:
            group[i] = nodes[-1]
    return _without_circles(order, group)


def _without_circles(order: list[Value], group: list[int]) -> list[int]:
    """Merge groups that lie on a common circle (Tarjan's strongly connected components, 1972, with our own stack)."""
    place = {node: i for i, node in enumerate(order)}
    feeds: dict[int, set[int]] = {g: set() for g in group}
    for i, node in enumerate(order):
        for x in node.inputs:
            if group[place[x]] != group[i]:
                feeds[group[i]].add(group[place[x]])
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
        work = [(start, iter(sorted(feeds[start])))]
        while work:
            g, rest = work[-1]
            for h in rest:
                if h not in index:
                    index[h] = low[h] = len(index)
                    trail.append(h)
                    on_path.add(h)
                    work.append((h, iter(sorted(feeds[h]))))
                    break
                if h in on_path:
                    low[g] = min(low[g], index[h])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[g])
                if low[g] == index[g]:
                    circle = trail[trail.index(g) :] if trail[-1] != g else [g]
                    del trail[len(trail) - len(circle) :]
                    on_path.difference_update(circle)
                    for h in circle:
                        component[h] = max(circle)
    return [component[g] for g in group]


def _titles(order: list[Value], groups: list[int], level: int) -> dict[int, tuple[tuple[str, ...], tuple[str, ...]]]:
    """For each folded group: the scope it stands in, and the lines that its box shows."""
    members: dict[int, list[Value]] = {}
    for node, g in zip(order, groups, strict=True):
        members.setdefault(g, []).append(node)
    titles = {}
    for g, nodes in members.items():
        scoped = sorted({levels(n.scope)[: level + 1] for n in nodes if len(levels(n.scope)) > level})
        if not scoped or (len(nodes) == 1 and len(scoped) == 1 and not nodes[0].inputs):
            continue
        shown = ".".join(scoped[0]) + (f" and {len(scoped) - 1} more" if len(scoped) > 1 else "")
        inside = {levels(n.scope)[level + 1] for n in nodes if len(levels(n.scope)) > level + 1}
        lines = [shown]
        if inside:
            words = {re.sub(r"[.\d]+$", "", word) for word in inside}
            lines.append(f"{len(inside)} {words.pop() if len(words) == 1 else 'parts'}")
        lines.append(_count(len(nodes), "node", "nodes"))
        titles[g] = (scoped[0][:level], tuple(lines))
    return titles


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _summary(root: Value, order: list[Value], fmt: str, max_nodes: int) -> Diagram:
    """The operations next to the root, and one box for everything before them."""
    distance = {root: 0}  # along the longest path, so that whatever uses a drawn node is drawn too
    for node in reversed(order):
        d = distance[node] + 1
        for x in node.inputs:
            if distance.get(x, -1) < d:
                distance[x] = d
    place = {node: i for i, node in enumerate(order)}
    budget = max(1, min(SUMMARY_SIZE, max_nodes - 1))
    near = [n for n in order if distance[n] <= budget and n.op != CONSTANT]
    near.sort(key=lambda n: (distance[n], -place[n]))
    shown = set(near[:budget])
    hidden = [node for node in order if node not in shown and node.op != CONSTANT]
    last = place[hidden[-1]]
    groups = [last if node not in shown and node.op != CONSTANT else i for i, node in enumerate(order)]
    counts = Counter(node.op for node in hidden)
    leaf_count = counts.pop(LEAF, 0)
    common = [f"{n:,} {SHEET[op].symbol if op in SHEET else op}" for op, n in counts.most_common(4)]
    lines = [_count(len(hidden), "node", "nodes")]
    if common:
        lines.append(",  ".join(common) + (",  …" if len(counts) > 4 else ""))
    if leaf_count:
        lines.append(_count(leaf_count, "leaf", "leaves"))
    note = f"{lines[0]} folded. draw_graph(…, max_nodes={len(order)}) draws all of them."
    return Diagram(_parts(root, order, groups, fmt, {last: ((), tuple(lines))}), root, note, len(order))


def _parts(
    root: Value,
    order: list[Value],
    groups: list[int],
    fmt: str,
    titles: dict[int, tuple[tuple[str, ...], tuple[str, ...]]],
) -> list[Part]:
    """One part per group, inputs first; a constant is folded into its gate, or drawn beside it."""
    place = {node: i for i, node in enumerate(order)}
    called = names(root)
    first_bad = next((node for node in order if node.data - node.data != 0.0), None)
    members: dict[int, list[Value]] = {}
    for node, g in zip(order, groups, strict=True):
        if g in titles:
            members.setdefault(g, []).append(node)
    part_of: dict[int, int] = {}
    parts: list[Part] = []
    for i in _group_order(order, groups, place) if titles else range(len(order)):
        node, g = order[i], groups[i]
        if g in titles:
            parts.append(_folded_part(members[g], titles[g], groups, place, part_of))
        elif node.op == CONSTANT and node is not root:
            continue
        else:
            part = _part(node, called[node], fmt)
            folded = folded_operands(node)
            for position, (x, local) in enumerate(zip(node.inputs, node.local_derivatives, strict=True)):
                if position in folded:
                    continue
                if x.op == CONSTANT:
                    parts.append(_part(x, called[x], fmt))
                    part.inputs.append(len(parts) - 1)
                else:
                    part.inputs.append(part_of[groups[place[x]]])
                part.locals_.append(local)
            part.is_first_non_finite = node is first_bad
            parts.append(part)
        part_of[g] = len(parts) - 1
    for g, exits in _exits(order, groups, place, titles, root).items():
        if len(exits) == 1:  # a box with one result shows it
            part = parts[part_of[g]]
            part.node = exits.pop()
            part.name = part.node.label
    root_part = parts[part_of[groups[place[root]]]]
    root_part.is_root, root_part.name = True, called[root]
    return parts


def _exits(
    order: list[Value],
    groups: list[int],
    place: dict[Value, int],
    titles: dict[int, tuple[tuple[str, ...], tuple[str, ...]]],
    root: Value,
) -> dict[int, set[Value]]:
    """For each folded group, the nodes in it that something outside uses."""
    exits: dict[int, set[Value]] = {g: set() for g in titles}
    if not titles:
        return exits
    for i, node in enumerate(order):
        for x in node.inputs:
            g = groups[place[x]]
            if g in exits and g != groups[i]:
                exits[g].add(x)
    if groups[place[root]] in exits:
        exits[groups[place[root]]].add(root)
    return exits


def _group_order(order: list[Value], groups: list[int], place: dict[Value, int]) -> list[int]:
    """The groups' last nodes, so that every group comes after those that feed it (Kahn, 1962)."""
    feeds: dict[int, set[int]] = {g: set() for g in groups}
    used_by: dict[int, set[int]] = {g: set() for g in groups}
    for i, node in enumerate(order):
        for x in node.inputs:
            source = groups[place[x]]
            if source != groups[i]:
                feeds[groups[i]].add(source)
                used_by[source].add(groups[i])
    waiting = {g: len(sources) for g, sources in feeds.items()}
    ready = sorted((g for g, n in waiting.items() if n == 0), reverse=True)
    result = []
    while ready:
        g = ready.pop()
        result.append(g)
        for h in sorted(used_by[g], reverse=True):
            waiting[h] -= 1
            if not waiting[h]:
                ready.append(h)
    return result


def _folded_part(
    nodes: list[Value],
    title: tuple[tuple[str, ...], tuple[str, ...]],
    groups: list[int],
    place: dict[Value, int],
    part_of: dict[int, int],
) -> Part:
    scope, lines = title
    part = Part("folded", None, "", lines=lines, scope=scope, tooltip=", ".join(lines))
    mine = groups[place[nodes[-1]]]
    for node in nodes:
        for x in node.inputs:
            source = groups[place[x]]
            if source != mine and source in part_of and part_of[source] not in part.inputs:
                part.inputs.append(part_of[source])
                part.locals_.append(None)
    return part


def _part(node: Value, name: str, fmt: str) -> Part:
    label = node.label
    tooltip = f"{name} = {node.data!r}"
    if node.has_grad:
        tooltip += f", gradient {node.grad!r}"
    if node.op == CONSTANT:
        return Part("constant", node, format_number(node.data, fmt), tooltip=f"the constant {node.data!r}")
    if node.op == LEAF:
        scope = levels(node.scope)
        return Part("input", node, label, scope=scope, is_parameter=bool(scope), tooltip=tooltip)
    symbol, shape = gate_symbol(node, lambda x: format_number(x, fmt))
    formula = SHEET[node.op].formula if node.op in SHEET else node.op
    tooltip += f" ({node.op}: {re.sub(r'[{}]', '', formula)})"
    return Part("gate", node, label, symbol, shape, scope=levels(node.scope), tooltip=tooltip)


# --- gates

_SUPERSCRIPT = str.maketrans("0123456789−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


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
}


def gate_symbol(node: Value, number: Callable[[float], str]) -> tuple[str, str]:
    """What a gate says, and its shape."""
    folded = folded_operands(node)
    if folded:
        c = number(node.inputs[folded[0]].data)
        if node.op == "pow" and folded[0] == 1 and re.fullmatch(r"−?\d+", c):
            return "x" + c.translate(_SUPERSCRIPT), "pill"
        if c.startswith("−") and node.op in ("add", "sub", "mul", "div") and not (node.op != "add" and folded[0] == 0):
            c = f"({c})" if node.op != "mul" else c
        return _WITH_CONSTANT[node.op][folded[0]].format(c=c), "pill"
    if node.op in CIRCLES and len(node.inputs) == 2:
        return CIRCLES[node.op], "circle"
    if node.op == "pow":
        return "xʸ", "pill"
    return (SHEET[node.op].symbol if node.op in SHEET else node.op), "pill"
