"""A graph as a page knows it: its nodes, the numbers of its leaves, and the lines of the sheet that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import Value
from autograd.ops import CONSTANT

from . import scripts


def plain(x: float) -> float | str:
    """A float for JSON, which has no words for infinities and nan."""
    return x if x - x == 0.0 else repr(x)


def described(order: Sequence[Value]) -> dict[str, Any]:
    """The ``nodes``, each with the key of its line in the sheet and its inputs, and the numbers that are ``given``."""
    place = {node: i for i, node in enumerate(order)}
    nodes: list[list[Any]] = []
    given: dict[int, float | str] = {}
    for i, node in enumerate(order):
        if node.inputs:
            nodes.append([scripts.key(node.op, len(node.inputs)), *(place[x] for x in node.inputs)])
        else:
            nodes.append([CONSTANT if node.op == CONSTANT else ""])
            given[i] = plain(node.data)
    return {"nodes": nodes, "given": given}


def rules(order: Sequence[Value]) -> str:
    """The lines of the derivative sheet that the graph needs, as JavaScript.

    Raises:
        ValueError: for an operation that cannot be written as JavaScript.
    """
    return scripts.sheet((node.op, len(node.inputs)) for node in order if node.inputs)


__all__ = ["described", "plain", "rules"]
