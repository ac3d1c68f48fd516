"""A graph as a page knows it: its nodes, the numbers of its leaves, its names, and the formulas of its captions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from autograd import SHEET, Value, topological_order
from autograd.backward import numeric_adjoints
from autograd.graph import names_in_order
from autograd.notation import notation
from autograd.ops import CONSTANT, CUT, LEAF
from autograd.steps import fill, partial_formula
from autograd.value import restore, store_inputs

from ..lettering import name_in_html
from ..metrics import printable
from . import scripts

MOST_NODES = 20_000  # that a page computes
LAST = 24  # operations that are left of a larger graph where it is stepped through
OF_NO_GRAD = "given"  # the key of a node that is a number to the page, and no leaf

_SLOT = re.compile("⟨([0-9]+)⟩")


def plain(x: float) -> float | str:
    """A float for JSON, which has no words for infinities and nan."""
    return x if x - x == 0.0 else repr(x)


def described(order: Sequence[Value], kept: Sequence[int] | None = None, *, computes: bool = True) -> dict[str, Any]:
    """The ``nodes``, each with the key of its line in the sheet and its inputs, and the numbers that are ``given``.

    Those are the leaves' and the constants'; if the page does not compute, those of all nodes that are ``kept``.
    """
    nodes: list[list[Any]] = []
    given: dict[int, float | str] = {}
    some = [order[i] for i in kept] if kept is not None else order
    place = {node: i for i, node in enumerate(some)}
    for i, node in enumerate(some):
        computed = bool(node.inputs) and all(x in place for x in node.inputs)
        if computed:
            nodes.append([scripts.key(node.op, len(node.inputs)), *(place[x] for x in node.inputs)])
        else:
            nodes.append([OF_NO_GRAD if node.unrecorded_op or node.inputs else node.op])
        if not computed or not computes:
            given[i] = plain(node.data)
    return {"nodes": nodes, "given": given}


def told(order: Sequence[Value], names: dict[Value, str], kept: Sequence[int] | None = None) -> dict[str, Any]:
    """What captions are made of: ``names``, those that are ``mathematics`` as HTML, the ``formulas`` of the operations,
    and the ``partials`` of each node.
    """
    some = [order[i] for i in kept] if kept is not None else order
    formulas = {scripts.key(node.op, len(node.inputs)): formula(node) for node in some if node.inputs}
    partials = []
    for node in some:
        called = [names[n] for n in (node, *node.inputs)]
        known = zip(node.inputs, range(len(node.inputs)), strict=True)
        partials.append(
            ["" if x.op == CONSTANT else printable(partial_formula(SHEET[node.op], k, called)) for x, k in known]
        )
    typed = [printable(names[node]) for node in some]
    mathematics = {name: name_in_html(name) for name in typed if notation(name)}
    mathematics = {name: written for name, written in mathematics.items() if written != name}
    return {"names": typed, "mathematics": mathematics, "formulas": formulas, "partials": partials}


def still(order: Sequence[Value], kept: Sequence[int]) -> list[Any]:
    """The recorded gradients and slopes of some nodes, for a page that does not compute; "" is for none."""
    adjoint = numeric_adjoints(order[-1])
    gradients = [plain(adjoint[order[i]]) if order[i] in adjoint else "" for i in kept]
    slopes = [["" if d is None else None if d is CUT else plain(d) for d in order[i].local_derivatives] for i in kept]
    return [gradients, slopes]


def last_operations(root: Value) -> Value:
    """The operations next to the root as a graph of their own; what feeds them from further back is a leaf there."""
    order = topological_order(root)
    names = names_in_order(order)
    distance = dict.fromkeys(order, 0)  # along the longest path, so that whatever uses a kept node is kept, too
    for node in reversed(order):
        for x in node.inputs:
            distance[x] = max(distance[x], distance[node] + 1)
    place = {node: i for i, node in enumerate(order)}
    near = sorted((node for node in order if node.inputs), key=lambda n: (distance[n], -place[n]))[:LAST]
    copies: dict[Value, Value] = {}
    for node in sorted(near, key=place.__getitem__):
        for x in node.inputs:
            if x not in copies:
                is_constant = x.op == CONSTANT
                copies[x] = restore(x.data, None, (CONSTANT, "", "") if is_constant else (LEAF, "", names[x]))
        copy = restore(node.data, None, (node.op, node.scope, names[node]))
        store_inputs(copy, [copies[x] for x in node.inputs], node.local_derivatives)
        copies[node] = copy
    return copies[root]


def formula(node: Value) -> str:
    """An operation's formula with {0}, {1}, ... for its inputs, and {(0)} where a negative number needs brackets.

    Filled in with names that look positive and with some that look negative; where brackets come, they are needed.
    """
    slots = [f"⟨{k}⟩" for k in range(len(node.inputs))]
    plain_text, negative = (fill(SHEET[node.op].formula, [sign + slot for slot in slots]) for sign in ("", "−"))
    pieces, around = _SLOT.split(plain_text), re.split("−⟨[0-9]+⟩", negative)
    text, closing = pieces[0], ""
    for k in range(1, len(pieces), 2):
        before = around[k // 2].removeprefix(closing)
        bracket = before != pieces[k - 1]
        closing = ")" if bracket else ""
        text += (f"{{({pieces[k]})}}" if bracket else f"{{{pieces[k]}}}") + pieces[k + 1]
    return text


def rules(order: Sequence[Value], *, asks: bool = False) -> str:
    """The lines of the derivative sheet that the graph needs, as JavaScript; ``asks`` as in `scripts.sheet`.

    Raises:
        ValueError: for an operation that cannot be written as JavaScript.
    """
    return scripts.sheet(((node.op, len(node.inputs)) for node in order if node.inputs), asks=asks)
