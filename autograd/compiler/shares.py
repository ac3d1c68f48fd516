"""Shares of a total: softmax is exp(x - y) with y = logsumexp(x), and so is the local derivative of logsumexp.

So what goes back through a logsumexp may be in the program already, and is read from there. And inside y = t + log Σ
exp(x - t), with t the largest x, both the powers and their sum are there, so that exp(x - y) in place is their
quotient, which takes half the time. Nothing here knows the word softmax: a share is found by what its nodes are
computed from. For two neurons whose outputs x meet in one logsumexp, beside shares that something else has asked for,
as attention does, no exp is written twice; and so it is at each of three time steps. Quotients are written where
products of matrices are made for each sample (`Layout.samples_first`): in a small network they do not pay for looking
at what is finite.
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
    """The nodes f(x - y), by f, x and y.

    Attributes:
        outside: per group x - y the group exp(x - y), if nobody else reads that difference.
        totals: per group y = logsumexp(x) the powers exp(x - t), and their sum; None: they are not to be named.
    """

    def __init__(self, reader: Reader, groups: Sequence[Group]) -> None:
        self.reader = reader
        self.outside: dict[Group, Group] = {}
        self.totals: dict[Group, tuple[Symbol, Symbol]] | None = None
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
        found = self._shares_of(group, p.operator)
        if found is not None and (batched or not self.reader.is_batched(found)):
            return self.reader.read(found, batched, ROWS)
        return Symbol(p.operator, p.arguments, p.shape, (self.totals or {}).get(group), p.row)

    def _shares_of(self, group: Group, op: str) -> Nodes | None:
        """For each entry of the rows x of a group, with the result y, the node f(x - y), if there is one for all."""
        (x,) = (x for x in group.operands if not isinstance(x, float))
        shape = len(x), *group.computed.shape
        xs, ys = (np.broadcast_to(nodes, shape).reshape(-1).tolist() for nodes in (x, group.computed))
        found = [-1 if a < 0 or b < 0 else self.powers.get((op, a, b)) for a, b in zip(xs, ys, strict=True)]
        return None if None in found else np.array(found, dtype=np.intp).reshape(shape)

    def find_quotients(self, groups: Sequence[Group], outputs: Sequence[int]) -> None:
        """From here on exp(x - y) is a quotient."""
        owners, arrays = self.reader.owners, self.reader.layout.arrays
        self.totals = {}
        readers: dict[int, list[Group]] = {}
        for group in groups:
            for k in {k for nodes in group.reads() for k in owners(nodes)}:
                readers.setdefault(k, []).append(group)
        for k in readers.keys() - owners(np.array(outputs, dtype=np.intp)):
            inner, group = arrays[k].group, readers[k][0]
            if len(readers[k]) > 1 or group.op != "exp" or inner is None or not group.loop is inner.loop is None:
                continue
            if _is_difference(inner) and np.array_equal(group.operands[0], inner.computed):
                self.outside[inner] = group

    def inside(self, group: Group) -> Group | None:
        """The difference x - y of a group exp(x - y) that is a quotient."""
        return next((x for x, y in self.outside.items() if y is group and self.total_of(x) is not None), None)

    def total_of(self, inner: Group) -> tuple[Symbol, Symbol] | None:
        """For a group x - y, the powers and their sum of which exp(x - y) is the quotient, entry by entry, if it is."""
        if inner not in self.outside or not self.totals:
            return None
        (y,) = (part.x[0] for part in inner.parts if part.c < 0.0)
        group, row = self.outside[inner], self.reader.owner(y).group
        if row is None or row not in self.totals or len(self.reader.owners(y)) > 1:
            return None
        found, (x,) = self._shares_of(row, "exp"), (x for x in row.operands if not isinstance(x, float))
        place = max(self.reader.row_axis(x, True) - 1, 0)
        same = found is not None and np.array_equal(np.moveaxis(found, 0, place), group.computed)
        return self.totals[row] if same else None

    def with_total(self, group: Group, expression: Symbol) -> Symbol:
        """t + log Σ exp(x - t) with names for the powers and their sum."""
        reader = self.reader
        if self.totals is None or reader.turning or group.op != "logsumexp":
            return expression
        total = next((s.arguments[0] for s in _parts(expression) if s.operator == "log"), None)
        if total is None or total.operator != "sum":  # as log1p of what comes beside the largest
            return expression
        each = reader.inlined(total.arguments[0])
        whole = reader.inlined(Symbol("sum", (each,), total.shape, total.detail))
        self.totals[group] = each, whole
        return mapped(expression, lambda old, new: whole if old is total else new)


def _parts(x: Symbol) -> Iterator[Symbol]:
    """A tree's symbols, from the top."""
    yield x
    for argument in x.arguments:
        yield from _parts(argument)


def _all_of(nodes: Nodes, group: Group) -> list[int]:
    """An operand's node for each node of a group."""
    result: list[int] = np.broadcast_to(nodes, group.computed.shape).reshape(-1).tolist()
    return result


def _is_difference(group: Group) -> bool:
    """Whether a group is x - y, entry by entry."""
    bare = all(part.weights is None and len(part.x) == 1 for part in group.parts)
    return group.op == LINEAR and group.bias is None and bare and sorted(p.c for p in group.parts) == [-1.0, 1.0]
