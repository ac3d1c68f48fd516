"""The graph as a whole: its order, its leaves, its names and its size.

A graph is read here by the slots of its nodes (`autograd.value` says what each one holds), not by their class, which
stands above this file: it needs the order itself.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .ops import CONSTANT, LEAF

if TYPE_CHECKING:
    from .value import Value

MANY = ("many",)  # what `_a` holds when the inputs are in the tuple `_b`: anything but None


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
        # iterator over its `inputs`; and a leaf is done at once.
        x = node._a
        if x is not MANY:
            if type(x) is float:  # a number that nobody has seen as a node yet
                x = node.inputs[0]
            if x not in seen:
                seen.add(x)
                if x._a is not None:
                    path.append(x)
                    continue
                order.append(x)
            x = node._b
            if x is not None:
                if type(x) is float:  # a number that nobody has seen as a node yet
                    x = node.inputs[1]
                if x not in seen:
                    seen.add(x)
                    if x._a is not None:
                        path.append(x)
                        continue
                    order.append(x)
            order.append(path.pop())
            continue
        if node not in cursors:
            cursors[node] = iter(node.inputs)
        for x in cursors[node]:
            if x not in seen:
                seen.add(x)
                path.append(x)
                break
        else:
            del cursors[node]
            order.append(path.pop())
    return order


def input_places(order: Sequence[Value]) -> list[tuple[int, ...]]:
    """For each node of a `topological_order` the places of its inputs there, in operand order."""
    place = _Places(order)
    result: list[tuple[int, ...]] = []
    for i, node in enumerate(order):
        a, b = node._a, node._b
        if a is None:
            result.append(())
        elif a is MANY:
            result.append(tuple([place[x] for x in node.inputs]))
        elif b is None:
            result.append((i - 1 if order[i - 1] is a else place[a],))
        else:
            last = i - 1 if order[i - 1] is b else place[b]
            result.append((i - 2 if order[i - 2] is a else place[a], last))
    return result


class _Places(dict["Value", int]):
    """Where each node stands, written down when that is asked for first.

    In a chain no one asks: a node's inputs stand right before it, and a table of a million nodes takes half a second.
    """

    def __init__(self, order: Sequence[Value]) -> None:
        self.order = order

    def __missing__(self, node: Value) -> int:
        self.update(zip(self.order, range(len(self.order)), strict=True))
        return self[node]


def first_non_finite(order: Sequence[Value]) -> int:
    """The place of the first node whose value is inf or nan; -1 if there is none."""
    numbers = [node._data for node in order]
    if math.isfinite(sum(numbers)):  # which no inf and no nan leaves finite
        return -1
    return next((i for i, x in enumerate(numbers) if not math.isfinite(x)), -1)


def known_inputs(node: Value) -> list[Value]:
    """The inputs of a node that are nodes already (a plain number that nobody has looked at is not)."""
    if node._a is None:
        return []
    inputs = node._b if node._a is MANY else (node._a, node._b)
    return [x for x in inputs if x is not None and type(x) is not float]


def _check_root(root: object) -> None:
    if not hasattr(root, "_tag"):
        several = isinstance(root, (list, tuple))
        hint = "; for several results, take one of them, or their sum" if several else ""
        raise TypeError(f"expected the Value at the end of a graph, but got {type(root).__name__}{hint}")


def leaves(root: Value) -> list[Value]:
    """The nodes that were not computed and can have a gradient (inputs and parameters), in topological order."""
    return [node for node in topological_order(root) if node.op == LEAF]


def names(root: Value) -> dict[Value, str]:
    """A name for each node, unique in this graph: its label if it has one, a constant's number, else v1, v2, ...

    A computed root without a label is called f. A second node with the same label is called "x (2)", and so on.
    """
    return names_in_order(topological_order(root))


def names_in_order(order: Sequence[Value], only: Collection[Value] | None = None) -> dict[Value, str]:
    """`names`, for whoever has the topological order at hand; and, of a very large graph, of the nodes in ``only``."""
    root = order[-1]
    taken = {node._tag[2] for node in order}
    numbered = any(name[:1] == "v" for name in taken)
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
            if only is not None and node not in only:
                continue
            name = format_number(node.data)
        elif node is root and op and "f" not in taken:
            name = "f"
        else:
            number += 1
            while numbered and f"v{number}" in taken:
                number += 1
            if only is not None and node not in only:
                continue
            name = f"v{number}"
        result[node] = name
    return result


def format_number(x: float, spec: str = ".4g") -> str:
    """A number for a person to read: 4 significant digits, a true minus sign, and no negative zero."""
    text = format(x, spec).replace("-", "−")
    return text[1:] if text.startswith("−") and not text.strip("−0.e+") else text


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
    edges = sum(len(node.inputs) for node in order)
    depth: dict[Value, int] = {}
    for node in order:
        depth[node] = max((1 + depth[x] for x in node.inputs), default=0)
    operations = Counter(node.op for node in order)
    leaf_count = operations.pop(LEAF, 0)
    constant_count = operations.pop(CONSTANT, 0)
    return Statistics(len(order), edges, leaf_count, constant_count, depth[root], dict(sorted(operations.items())))
