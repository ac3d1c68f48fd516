"""The graph as a whole: its order, its leaves, its names, its size, and computing it anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .modes import NonFiniteError, watching
from .ops import BUILT_IN, CONSTANT, LEAF, SHEET
from .value import _MANY, Value, _rule_number, local_partials, store_inputs


def topological_order(root: Value) -> list[Value]:
    """Every node that ``root`` depends on, itself included, each after all of its inputs.

    A depth-first postorder, as in micrograd's ``build_topo`` (inputs from left to right), but with a stack of our own:
    a chain of a million nodes is as good as any. The order depends on the graph alone, so it is the same in every
    process and after saving and loading.
    """
    _check_root(root)
    order: list[Value] = []
    seen = {root}
    path = [root]  # the nodes whose inputs are being walked, from the root down
    cursors: dict[Value, Iterator[Value]] = {}  # how far each many-input node on the path has been walked
    while path:
        node = path[-1]
        if node._a is None:
            order.append(path.pop())
            continue
        # Looking into the slots of a node of one or two inputs, twice or three times, is twice as fast as keeping an
        # iterator over its `inputs`.
        x = node._a
        if x is not _MANY:
            if type(x) is not Value:
                x = node.inputs[0]
            if x not in seen:
                seen.add(x)
                path.append(x)
                continue
            x = node._b
            if x is not None:
                if type(x) is not Value:
                    x = node.inputs[1]
                if x not in seen:
                    seen.add(x)
                    path.append(x)
                    continue
            order.append(path.pop())
            continue
        for x in cursors.setdefault(node, iter(node.inputs)):
            if x not in seen:
                seen.add(x)
                path.append(x)
                break
        else:
            del cursors[node]
            order.append(path.pop())
    return order


def _check_root(root: object) -> None:
    if not isinstance(root, Value):
        hint = ""
        if isinstance(root, (list, tuple)):
            hint = "; for several results, take one of them, or their sum"
        raise TypeError(f"expected the Value at the end of a graph, but got {type(root).__name__}{hint}")


def leaves(root: Value) -> list[Value]:
    """The nodes that were not computed and can have a gradient (inputs and parameters), in topological order."""
    return [node for node in topological_order(root) if node.op == LEAF]


def names(root: Value) -> dict[Value, str]:
    """A name for each node, unique in this graph: its label if it has one, a constant's number, else v1, v2, ...

    A computed root without a label is called f. A second node with the same label is called "x (2)", and so on.
    """
    return names_in_order(topological_order(root))


def names_in_order(order: Sequence[Value]) -> dict[Value, str]:
    """`names`, for whoever has the topological order at hand."""
    root = order[-1]
    taken = {node._tag[2] for node in order}
    result: dict[Value, str] = {}
    times: Counter[str] = Counter()
    number = 0
    for node in order:
        op, _, label = node._tag
        if label:
            times[label] += 1
            name = label
            while times[label] > 1 and (name == label or name in taken):
                name = f"{label} ({times[label]})"
                if name in taken:
                    times[label] += 1
            taken.add(name)
        elif op == CONSTANT:
            name = format_number(node.data)
        elif node is root and op and "f" not in taken:
            name = "f"
        else:
            number += 1
            while f"v{number}" in taken:
                number += 1
            name = f"v{number}"
        result[node] = name
    return result


def format_number(x: float, spec: str = ".4g") -> str:
    """A number for a person to read: 4 significant digits, a true minus sign, and no negative zero."""
    text = format(x, spec).replace("-", "−")
    if text.startswith("−") and not text.strip("−0.e+"):
        text = text[1:]
    return text


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a graph is made of. ``depth`` is the number of operations on the longest path from a leaf to the root."""

    nodes: int
    edges: int
    leaves: int
    constants: int
    depth: int
    operations: dict[str, int]


def statistics(root: Value) -> Statistics:
    """Count a graph's nodes, edges, leaves, constants and operations, and find its depth."""
    order = topological_order(root)
    depth: dict[Value, int] = {}
    edges = 0
    for node in order:
        inputs = node.inputs
        edges += len(inputs)
        depth[node] = 1 + max(depth[x] for x in inputs) if inputs else 0
    operations = Counter(node.op for node in order)
    leaf_count = operations.pop(LEAF, 0)
    constant_count = operations.pop(CONSTANT, 0)
    return Statistics(len(order), edges, leaf_count, constant_count, depth[root], dict(sorted(operations.items())))


def recompute(root: Value) -> Value:
    """Run the forward pass again over the same graph, after new data was put into its leaves.

    Values and local derivatives are computed anew, and the inner nodes' gradients are forgotten, since they belong to
    the old numbers; leaves keep theirs, as they do between two graphs. Returns ``root``.

    >>> x = Value(3.0); y = x * x
    >>> x.data = 5.0
    >>> recompute(y).data
    25.0

    Raises:
        NonFiniteError: inside `detect_anomaly`, at the first inf or nan. The graph is then as it was before.
    """
    new: dict[Value, float] = {}
    partials: dict[Value, list[float | None]] = {}
    order = topological_order(root)
    for node in order:
        if node.inputs:
            numbers = [new[x] for x in node.inputs]
            y = new[node] = _rule_number(SHEET[node.op].forward(*numbers), node.op, "forward")
            partials[node] = local_partials(node.op, y, numbers)
            if watching() and y - y != 0.0:
                raise NonFiniteError(f"{node.op} gave {y!r} when the graph was recomputed")
        else:
            new[node] = node.data
    for node in order:  # only now, so that an error above changes nothing
        if node in partials:
            node._data = new[node]
            node._grad = None
            store_inputs(node, list(node.inputs), partials[node])
    return root


def outdated(order: Iterable[Value]) -> bool:
    """Whether a leaf was given new data after the graph was computed: a node that uses one no longer follows from it.

    Only built-in operations are asked. One of a user's own may draw random numbers.
    """
    for node in order:
        if node.op in BUILT_IN and any(x.op == LEAF for x in node.inputs):
            y = SHEET[node.op].forward(*[x.data for x in node.inputs])
            if y != node.data and not (y != y and node.data != node.data):
                return True
    return False


__all__ = [
    "Statistics",
    "format_number",
    "leaves",
    "names",
    "outdated",
    "recompute",
    "statistics",
    "topological_order",
]
