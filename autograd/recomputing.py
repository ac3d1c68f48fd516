"""Computing a graph anew, after new data was put into its leaves."""

from __future__ import annotations

from collections.abc import Iterable

from .graph import MANY, topological_order
from .modes import NonFiniteError, watching
from .ops import BUILT_IN, LEAF, SHEET
from .value import Value, store_inputs


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
            y = new[node] = SHEET[node.op].value(numbers)
            partials[node] = SHEET[node.op].local_derivatives(y, numbers)
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
    order = list(order)
    leaves = {node for node in order if node._tag[0] == LEAF}
    for node in order:
        if node._a not in leaves and node._b not in leaves and node._a is not MANY:
            continue
        if node.op in BUILT_IN and any(x.op == LEAF for x in node.inputs):
            y = SHEET[node.op].forward(*[x.data for x in node.inputs])
            if y != node.data and not (y != y and node.data != node.data):
                return True
    return False


__all__ = ["outdated", "recompute"]
