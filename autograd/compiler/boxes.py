"""Boxes: axes for a list of nodes, found from what tells the nodes apart.

What tells nodes apart are columns of numbers, the coordinates of what they read. The axis with the fewest values comes
first; what an axis already says is taken off the other columns (`axes_of`). The scores of causal attention read row 4h
of q at window t, and row 4h of k at window s: a box [h, t, s], of which half is empty, because s ≤ t. The two neurons
are told apart by their rows of weights, a box [2]; three time steps of them by the turn, too, a box [3, 2].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Nodes = NDArray[np.intp]  # node numbers in a box; -1 where there is none
LEAST_FULL = 0.4  # a box with less in it is given up: its nodes are a list


@dataclass
class Columns:
    """What tells the nodes of a class apart: columns of numbers, and of each whether it counts rows of weights."""

    values: list[Nodes] = field(default_factory=list)
    rows: list[bool] = field(default_factory=list)
    order: list[int] = field(default_factory=list)  # how far apart neighbours along it lie in memory

    def add(self, values: Nodes, is_row: bool, stride: int) -> None:
        self.values.append(values)
        self.rows.append(is_row)
        self.order.append(stride)


@dataclass
class Box:
    """Axes for a list of nodes: the sizes, and the coordinates [axes, nodes]."""

    sizes: tuple[int, ...]
    flat: Nodes
    rows: tuple[bool, ...]

    @property
    def is_full(self) -> bool:
        return len(self.flat) == int(np.prod(self.sizes))


def axes_of(columns: Columns, count: int) -> Box:
    """Axes that tell ``count`` nodes apart, found greedily: the one with the fewest values first.

    What the axes so far say of a column, its least value in each of their places, is taken off before its values are
    counted: rows 4h + d are four values of d when h is an axis.
    """
    group = np.zeros(count, dtype=np.intp)
    coordinates: list[Nodes] = []
    kinds: list[tuple[bool, int]] = []
    left = [k for k, values in enumerate(columns.values) if (values != values[0]).any()]
    distinct = 1
    while distinct < count and left:
        best: tuple[int, int, Nodes] | None = None
        for k in list(left):
            found, inverse = np.unique(columns.values[k], return_inverse=True)
            rest = _rest(columns.values[k], group, coordinates)
            if rest is not None:  # as it is if that makes no fewer: in s ≤ t, t is an axis, and not t - s
                fewer = np.unique(rest, return_inverse=True)
                found, inverse = fewer if len(fewer[0]) < len(found) else (found, inverse)
            if len(found) == 1:
                left.remove(k)
            elif best is None or len(found) < best[0]:
                best = len(found), k, inverse.reshape(-1)
        if best is None:
            break
        size, k, coordinate = best
        left.remove(k)
        joint, inverse = np.unique(group * size + coordinate, return_inverse=True)
        if len(joint) == distinct:
            continue
        group, distinct = inverse.reshape(-1), len(joint)
        coordinates.append(coordinate)
        kinds.append((columns.rows[k], columns.order[k]))
    if distinct < count:  # nodes that nothing tells apart
        order = np.argsort(group, kind="stable")
        starts = np.r_[True, np.diff(group[order]) > 0]
        first = np.maximum.accumulate(np.where(starts, np.arange(count), 0))
        rank = np.empty(count, dtype=np.intp)
        rank[order] = np.arange(count) - first
        coordinates.append(rank)
        kinds.append((False, 0))
    sizes = [int(c.max()) + 1 for c in coordinates]
    if count < LEAST_FULL * np.prod([float(s) for s in sizes]):
        line = np.lexsort([*columns.values[::-1]])
        flat = np.empty(count, dtype=np.intp)
        flat[line] = np.arange(count)
        return Box((count,), flat, (False,))
    order_ = sorted(range(len(sizes)), key=lambda a: -kinds[a][1])
    return box_of([coordinates[a] for a in order_], [kinds[a][0] for a in order_], count)


def box_of(coordinates: Sequence[Nodes], rows: Sequence[bool], count: int) -> Box:
    sizes = tuple(int(c.max()) + 1 for c in coordinates)
    flat = np.zeros(count, dtype=np.intp)
    for size, c in zip(sizes, coordinates, strict=True):
        flat = flat * size + c
    return Box(sizes, flat, tuple(rows))


def _rest(values: Nodes, group: Nodes, coordinates: Sequence[Nodes]) -> Nodes | None:
    """A column less its least value in each place of the axes so far, if that least value goes in even steps."""
    if not coordinates:
        return np.asarray(values - values.min())
    least = np.full(int(group.max()) + 1, np.iinfo(np.intp).max, dtype=np.intp)
    np.minimum.at(least, group, values)
    at = np.empty(len(least), dtype=np.intp)
    at[group] = np.arange(len(group))
    table = np.column_stack([np.ones(len(least)), *[c[at] for c in coordinates]])
    found, *_ = np.linalg.lstsq(table, least.astype(float), rcond=None)
    if np.abs(table @ found - least).max() > 1e-6:
        return None
    return np.asarray(values - least[group])


def squeezed(nodes: Nodes, first: int = 0) -> Nodes:
    """Nodes with size 1 along the axes on which they do not depend, from axis ``first`` on; -1 agrees with
    everything."""
    for axis in range(first, nodes.ndim):
        if nodes.shape[axis] > 1:
            most = nodes.max(axis, keepdims=True)
            if ((nodes == most) | (nodes < 0)).all():
                nodes = most
    return nodes


def without_ones(box: Box) -> Box:
    keep = [a for a, size in enumerate(box.sizes) if size > 1]
    return Box(tuple(box.sizes[a] for a in keep), box.flat, tuple(box.rows[a] for a in keep))


def blocks_of(row_of: Nodes, window_of: Nodes) -> list[Nodes]:
    """The nodes of each connected set of rows and windows."""
    above = list(range(int(row_of.max()) + 1))

    def find(v: int) -> int:
        while above[v] != v:
            above[v] = v = above[above[v]]
        return v

    met: dict[int, int] = {}
    for r, w in zip(row_of.tolist(), window_of.tolist(), strict=True):
        other = met.setdefault(w, r)
        if other != r:
            a, b = find(r), find(other)
            above[max(a, b)] = min(a, b)
    label = np.array([find(r) for r in row_of.tolist()])
    return [np.flatnonzero(label == k) for k in dict.fromkeys(label.tolist())]
