"""Shares of a total: softmax is exp(x - y) with y = logsumexp(x), and so is the local derivative of logsumexp.

Inside y = t + log Σ exp(x - t), with t the largest x, both the powers and their sum are there already, so exp(x - y)
is their quotient, which takes half the time of another exp. Nothing here knows the word softmax: a share is found by
what its nodes are computed from. For two neurons whose outputs x meet in one logsumexp, with a target t, dx is
shares - t, and no exp is written twice; so it is at each of three time steps. That is done where products of matrices
are made for each sample (`Layout.samples_first`); in a small network it does not pay for looking whether the result is
finite.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .axes import mapped
from .boxes import Nodes
from .groups import Group
from .normalise import LINEAR
from .reading import Reader
from .symbols import ROWS, Symbol


class Shares:
    """The groups exp(x - y), y = logsumexp(x), of which nobody else reads x - y: a softmax, each a share of one.

    Such a difference is not computed by itself, and the exp is the quotient that it is.

    Attributes:
        totals: for groups y = logsumexp(x) the names of the powers, and of their sum.
    """

    def __init__(self, reader: Reader, groups: Sequence[Group]) -> None:
        self.reader = reader
        self.differences: dict[Group, Group] = {}
        self.totals: dict[Group, tuple[Symbol, Symbol]] = {}
        self.powers = _powers(groups)

    def find(self, groups: Sequence[Group], outputs: Sequence[int], ragged: set[int]) -> None:
        """Find all pairs x - y and exp(x - y) that are to be one; not where others read the difference."""
        arrays, owners = self.reader.layout.arrays, self.reader.owners
        readers: dict[int, list[Group]] = {}
        for group in groups:
            for k in {k for nodes in group.reads() for k in owners(nodes)}:
                readers.setdefault(k, []).append(group)
        others = ragged | owners(np.array(outputs, dtype=np.intp))
        for k, some in readers.items():
            inner, group = arrays[k].group, some[0]
            if inner is None or len(some) > 1 or k in others or group.op != "exp" or group.loop or inner.loop:
                continue
            if _is_difference(inner) and np.array_equal(group.operands[0], inner.computed):
                self.differences[group] = inner

    def of(self, group: Group, batched: bool) -> tuple[Group, tuple[Symbol, Symbol]] | None:
        """The difference x - y of such a group, and the total that it is a share of, if that is known by now."""
        inner = self.differences.get(group)
        if inner is None:
            return None
        (y,) = (part.x[0] for part in inner.parts if part.c < 0.0)
        row = self.reader.owner(y).group
        if row is None or row not in self.totals or len(self.reader.owners(y)) > 1:
            return None
        (x,) = (x for x in row.operands if not isinstance(x, float))
        place = max(self.reader.row_axis(x, batched) - 1, 0)
        found = self._powers_of(row, "exp", x)
        if found is None or not np.array_equal(np.moveaxis(found, 0, place), group.computed):
            return None
        return inner, self.totals[row]

    def is_inside(self, group: Group) -> bool:
        """Whether a group is such a difference, and need not be computed."""
        return any(inner is group and self.of(outer, True) is not None for outer, inner in self.differences.items())

    def with_total(self, group: Group, expression: Symbol) -> Symbol:
        """log Σ exp(x - t), and whatever is around it, with names for the powers and their sum."""
        reader = self.reader
        found = next((s.arguments[0] for s in _all_parts(expression) if s.operator == "log"), None)
        if not reader.first or reader.turning or group.op != "logsumexp" or found is None or found.operator != "sum":
            return expression
        each = reader.inlined(found.arguments[0])
        whole = reader.inlined(Symbol("sum", (each,), found.shape, found.detail))
        self.totals[group] = each, whole
        return mapped(expression, lambda old, new: whole if old is found else new)

    def known(self, group: Group, p: Symbol, batched: bool) -> Symbol:
        """A local derivative f(x - y) of a row x with the result y, as it stands in the program already, if it does."""
        if not (group.row and len(p.arguments) == 1 and p.arguments[0].operator == "-"):
            return p
        left, right = p.arguments[0].arguments
        name = self.reader.layout.by_group[group].name
        if left.row != ROWS or right.operator != "leaf" or right.detail.base != name:
            return p
        (x,) = (x for x in group.operands if not isinstance(x, float))
        found = self._powers_of(group, p.operator, x)
        if found is not None:
            return self.reader.read(found, batched, ROWS)
        return Symbol(p.operator, p.arguments, p.shape, self.totals.get(group), p.row)

    def _powers_of(self, group: Group, op: str, x: Nodes) -> Nodes | None:
        """For each entry of the rows x of a group, with the result y, the node f(x - y), if there is one for all."""
        shape = len(x), *group.computed.shape
        xs, ys = (np.broadcast_to(nodes, shape).reshape(-1).tolist() for nodes in (x, group.computed))
        found = [-1 if a < 0 or b < 0 else self.powers.get((op, a, b)) for a, b in zip(xs, ys, strict=True)]
        return None if None in found else np.array(found, dtype=np.intp).reshape(shape)


def _all_parts(x: Symbol) -> Iterator[Symbol]:
    """A tree's symbols, from the top."""
    yield x
    for argument in x.arguments:
        yield from _all_parts(argument)


def _is_difference(group: Group) -> bool:
    """Whether a group is x - y, entry by entry."""
    bare = all(part.weights is None and len(part.x) == 1 for part in group.parts)
    return group.op == LINEAR and group.bias is None and bare and sorted(p.c for p in group.parts) == [-1.0, 1.0]


def _powers(groups: Sequence[Group]) -> dict[tuple[str, int, int], int]:
    """The nodes f(x - y), by f, x and y."""
    differences: dict[int, tuple[int, int]] = {}
    for group in groups:
        if _is_difference(group):
            y, x = sorted(group.parts, key=lambda p: p.c)
            sides = [np.broadcast_to(part.x[0], group.computed.shape).reshape(-1).tolist() for part in (x, y)]
            differences.update(zip(group.computed.reshape(-1).tolist(), zip(*sides, strict=True), strict=True))
    found: dict[tuple[str, int, int], int] = {}
    for group in groups:
        inputs = [x for x in group.operands if isinstance(x, np.ndarray)]
        if differences and len(inputs) == len(group.operands) == 1 and not group.row:
            operand = np.broadcast_to(inputs[0], group.computed.shape).reshape(-1).tolist()
            for node, difference in zip(group.computed.reshape(-1).tolist(), operand, strict=True):
                if node >= 0 and difference in differences:
                    found[group.op, *differences[difference]] = node
    return found
