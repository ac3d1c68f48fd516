"""Shares of a total: softmax is exp(x - y) with y = logsumexp(x), and so is the local derivative of logsumexp.

So what goes back through a logsumexp may be in the program already, and is read from there. Nothing here knows the word
softmax: a share is found by what its nodes are computed from. For two neurons whose outputs x meet in one logsumexp,
beside shares that something else has asked for, as attention does, no exp is written twice; and so it is at each of
three time steps. Where nobody has asked, the derivative is an exp of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .boxes import Nodes
from .groups import Group
from .normalise import LINEAR
from .reading import Reader
from .symbols import ROWS, Symbol


class Shares:
    """The nodes f(x - y), by f, x and y."""

    def __init__(self, reader: Reader, groups: Sequence[Group]) -> None:
        self.reader = reader
        differences: dict[int, tuple[int, int]] = {}
        for group in groups:
            if _is_difference(group):
                y, x = sorted(group.parts, key=lambda p: p.c)
                sides = [_all_of(part.x[0], group) for part in (x, y)]
                differences.update(zip(group.computed.reshape(-1).tolist(), zip(*sides, strict=True), strict=True))
        self.powers: dict[tuple[str, int, int], int] = {}
        for group in groups:
            inputs = [x for x in group.operands if isinstance(x, np.ndarray)]
            if differences and len(inputs) == len(group.operands) == 1 and not group.row:
                for node, i in zip(group.computed.reshape(-1).tolist(), _all_of(inputs[0], group), strict=True):
                    if node >= 0 and i in differences:
                        self.powers[group.op, *differences[i]] = node

    def known(self, group: Group, p: Symbol, batched: bool) -> Symbol:
        """A local derivative f(x - y) of a row x with the result y, as it stands in the program already, if it does."""
        if not (group.row and len(p.arguments) == 1 and p.arguments[0].operator == "-"):
            return p
        left, right = p.arguments[0].arguments
        name = self.reader.layout.by_group[group].name
        if left.row != ROWS or right.operator != "leaf" or right.detail.base != name:
            return p
        (x,) = (x for x in group.operands if not isinstance(x, float))
        shape = len(x), *group.computed.shape
        xs, ys = (np.broadcast_to(nodes, shape).reshape(-1).tolist() for nodes in (x, group.computed))
        found = [-1 if a < 0 or b < 0 else self.powers.get((p.operator, a, b)) for a, b in zip(xs, ys, strict=True)]
        return p if None in found else self.reader.read(np.array(found, dtype=np.intp).reshape(shape), batched, ROWS)


def _all_of(nodes: Nodes, group: Group) -> list[int]:
    """An operand's node for each node of a group."""
    result: list[int] = np.broadcast_to(nodes, group.computed.shape).reshape(-1).tolist()
    return result


def _is_difference(group: Group) -> bool:
    """Whether a group is x - y, entry by entry."""
    bare = all(part.weights is None and len(part.x) == 1 for part in group.parts)
    return group.op == LINEAR and group.bias is None and bare and sorted(p.c for p in group.parts) == [-1.0, 1.0]
