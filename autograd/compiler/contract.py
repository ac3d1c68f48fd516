"""One contraction: a sum of products over any axes, as a product of matrices where it is one.

Every axis of two tensors is one of four: *batch*, if both factors and the result have it; *M*, if only the left
factor and the result; *N*, if only the right one and the result; *K*, if both factors have it and the result has not,
so that it is summed over. By who has what, the same call is a product of matrices (``w1 @ x``: r is M, the samples
are N), one for each head and sample (q·k), an elementwise product (no K), or a dot product (no M, no N); backward it
is called again, with the roles exchanged: dz·xᵀ, where the samples are K, and wᵀ·dz, where the rows are.

The two neurons are ``w1 @ x`` with the rows as M; of three time steps, dw = Σ dz·h has turns and samples as K, one
product of matrices for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .axes import reshape, transposed
from .symbols import BATCH, Symbol, leaf
from .views import View, contiguous, size_of

Label = int | str  # of an axis


@dataclass(frozen=True)
class Tensor:
    """A view with a label for each of its axes; ``zeroed`` if there is a 0 where there is no node."""

    view: View
    labels: list[Label]
    zeroed: bool = False

    def size(self, label: Label) -> int:
        return self.view.shape[self.labels.index(label)]

    def ordered(self, labels: Sequence[Label]) -> View:
        """The view with its axes in this order, and axes of size 1 for labels that it has not."""
        mine = [a for a in labels if a in self.labels]
        view = self.view.permuted([self.labels.index(a) for a in mine])
        return view.indexed([slice(None) if a in self.labels else None for a in labels])


class Contractor:
    """Writes contractions; ``named`` gives an expression a name, and memory of its own, and ``copied`` a view.

    Attributes:
        factors_out: whether Σ x·y may be written as (Σ x)·y where y has not the axis: of x = 1, -½ and an infinite y,
            scalar code has inf - inf, which is nan, and not ½·inf.
        factored: whether that has been done.
    """

    def __init__(self, named: Callable[..., Symbol], copied: Callable[[View], View], samples_first: bool) -> None:
        self.named, self.copied, self.samples_first = named, copied, samples_first
        self.factors_out, self.factored = True, False

    def product(
        self,
        x: Tensor,
        y: Tensor,
        out: dict[Label, int],
        mask: tuple[Tensor, Any] | None,
        sizes: dict[Label, int] | None = None,
    ) -> Symbol:
        """Σ x·y with the axes ``out``, in that order; of size 1 where neither has them.

        Args:
            mask: which products exist, if not all do, as a tensor.
            sizes: of all axes that are summed over, to count the equal terms where neither has the axis.
        """
        order = [*out]
        summed = [a for a in dict.fromkeys([*x.labels, *y.labels]) if a not in out]
        if mask is not None and any(a not in out for a in mask[0].labels):
            lost = [a for a in mask[0].labels if a not in out and a not in summed]
            return self._masked(x, y, order, [*summed, *lost], mask[0])
        own = [a for a in summed if a not in x.labels or a not in y.labels]
        if own and not self.factors_out:
            axes = self._axes(order, own)
            sizes_of = {a: (x if a in x.labels else y).size(a) for a in own} | out
            return _sum_out(self.product(x, y, {a: sizes_of[a] for a in axes}, None), axes, own)
        self.factored = self.factored or bool(own)
        x, y = self._own_summed(x, y, order), self._own_summed(y, x, order)
        summed = [a for a in summed if a in x.labels and a in y.labels]
        left = [a for a in order if a in x.labels and a not in y.labels]
        right = [a for a in order if a in y.labels and a not in x.labels]
        batch = [a for a in order if a in x.labels and a in y.labels]
        matrix = summed and ((left and right) or (not batch and (left or right)))
        if not matrix:
            return self._elementwise(x, y, order, summed)
        return self._matrix(x, y, order, summed, left, right, batch)

    def _own_summed(self, x: Tensor, y: Tensor, order: list[Label]) -> Tensor:
        """x summed over the axes that neither the other factor nor the result has."""
        axes = tuple(k for k, a in enumerate(x.labels) if a not in order and a not in y.labels)
        if not axes:
            return x
        shape = tuple(s for k, s in enumerate(x.view.shape) if k not in axes)
        t = self.named(Symbol("sum", (leaf(x.view, x.view.shape),), shape, (axes, False)))
        return Tensor(t.detail, [a for k, a in enumerate(x.labels) if k not in axes])

    def _elementwise(self, x: Tensor, y: Tensor, order: list[Label], summed: list[Label]) -> Symbol:
        """The product entry by entry, summed over some axes."""
        axes = self._axes(order, summed)
        for t in (x, y):  # as one of them lies, if that has all axes, and the result in its order
            lying = [a for _, a in sorted(zip(t.view.strides, t.labels, strict=True), key=lambda pair: -pair[0])]
            if len(lying) == len(axes) and [a for a in lying if a not in summed] == order:
                axes = lying
        a, b = (t.ordered(axes) for t in (x, y))
        e = leaf(a, a.shape) * leaf(b, b.shape)
        return _sum_out(e, axes, summed)

    def _axes(self, order: list[Label], summed: list[Label]) -> list[Label]:
        """All axes: those that are summed over in front, but the samples where they are in memory."""
        if "n" not in summed:
            return [*summed, *order]
        rest = [*[a for a in summed if a != "n"], *order]
        return ["n", *rest] if self.samples_first else [*rest, "n"]

    def _masked(self, x: Tensor, y: Tensor, order: list[Label], summed: list[Label], mask: Tensor) -> Symbol:
        """Entry by entry where a product exists, for 0·inf would be nan; as matrices if one factor has the mask's
        axes."""
        left = [a for a in order if a in x.labels and a not in y.labels]
        right = [a for a in order if a in y.labels and a not in x.labels]
        batch = [a for a in order if a in x.labels and a in y.labels]
        both = all(a in x.labels and a in y.labels for a in summed)
        if both and len(left) == len(right) == len(summed) == 1:
            if all(a in x.labels for a in mask.labels):
                return self._matrix(x, y, order, summed, left, right, batch, mask)
            if all(a in y.labels for a in mask.labels):
                return self._matrix(y, x, order, summed, right, left, batch, mask)
        axes = self._axes(order, summed)
        a, b, m = (t.ordered(axes) for t in (x, y, mask))  # what has an axis of the mask alone stretches along it
        chosen = leaf(m, m.shape).where(leaf(a, a.shape) * leaf(b, b.shape), 0.0)
        return _sum_out(chosen, axes, summed)

    def _matrix(
        self,
        x: Tensor,
        y: Tensor,
        order: list[Label],
        summed: list[Label],
        left: list[Label],
        right: list[Label],
        batch: list[Label],
        mask: Tensor | None = None,
    ) -> Symbol:
        if mask is None:
            if not batch and self._is_row(x, left, summed):
                x, y, left, right = y, x, right, left
            if not batch and self._is_row(y, right, summed):  # x times each of the matrices in y, which is not copied
                batch, right = right[:1], right[1:]
            elif left and right and order.index(right[0]) < order.index(left[0]):
                x, y, left, right = y, x, right, left
        strides = dict(zip(x.labels, x.view.strides, strict=True))
        other = dict(zip(y.labels, y.view.strides, strict=True))
        longest_x, longest_y = (max(map(size_of, t.view.shape), default=1) for t in (x, y))
        leading = other if longest_y > longest_x or len(other) > len(strides) else strides
        summed = sorted(summed, key=lambda a: -leading[a])
        a, b = self._merged(x, [k for k in batch if k in x.labels], left, summed), self._merged(y, batch, summed, right)
        arguments = [leaf(a, a.shape), leaf(b, b.shape)]
        lead = b.shape[: len(batch)]
        shape = (*lead, *a.shape[len(a.shape) - bool(left) - 1 : -1], *b.shape[len(batch) + 1 :])
        if mask is not None:
            m = mask.ordered([*batch, *left, *summed])
            arguments.append(leaf(m, m.shape))
        e = Symbol("@", tuple(arguments), shape, x.zeroed)
        axes = [*batch, *left, *right]
        sizes = tuple((x if label in x.labels else y).size(label) for label in axes)
        return arranged(reshape(e, sizes), axes, order)

    def _merged(self, t: Tensor, *parts: list[Label]) -> View:
        """The axes of the first part one by one, those of each other part as one: as it lies, turned or not, whichever
        is told shorter, or else copied in rows as they lie."""
        batch, *matrix = [parts[0], *[part for part in parts[1:] if part]]
        view, shape = self._grouped(t, batch, matrix)
        straight = view.reshaped(shape)
        if len(matrix) < 2:
            found = straight or self.copied(view).reshaped(shape)
            assert found is not None
            return found
        other, turned_shape = self._grouped(t, batch, matrix[::-1])
        turned = other.reshaped(turned_shape)
        if straight is None and turned is None:
            if self._innermost(t) in matrix[0]:
                turned = self.copied(other).reshaped(turned_shape)
            else:
                straight = self.copied(view).reshaped(shape)
        if turned is not None:
            turned = turned.permuted([*range(len(batch)), len(batch) + 1, len(batch)])
        return min([x for x in (straight, turned) if x is not None], key=lambda x: len(x.text))

    @staticmethod
    def _grouped(t: Tensor, batch: list[Label], matrix: list[list[Label]]) -> tuple[View, list[int]]:
        """A tensor with its axes in this order, and its shape where each part of a matrix is one axis."""
        axes = [*batch, *[a for part in matrix for a in part]]
        view = t.ordered(axes)
        sizes = dict(zip(axes, view.shape, strict=True))
        return view, [*[sizes[a] for a in batch], *[merged_size([sizes[a] for a in part]) for part in matrix]]

    def _is_row(self, t: Tensor, labels: list[Label], summed: list[Label]) -> bool:
        """Whether a tensor is a row of matrices, one behind the other along the first of these axes, that is not one
        matrix without a copy."""
        if len(labels) < 2 or labels[0] == "n" or t.view.strides[t.labels.index(labels[0])] < max(t.view.strides):
            return False
        view, shape = self._grouped(t, [], [summed, labels])
        return view.reshaped(shape) is None

    @staticmethod
    def _innermost(t: Tensor) -> Label | None:
        """The axis along which neighbours lie next to each other in memory."""
        steps = {label: step for label, step in zip(t.labels, t.view.strides, strict=True) if t.size(label) != 1}
        return min(steps, key=lambda label: steps[label], default=None)


def arranged(e: Symbol, labels: Sequence[Label], order: Sequence[Label]) -> Symbol:
    """e, whose axes have these labels, with the axes ``order``; of size 1 where it has none."""
    mine = [a for a in order if a in labels]
    e = transposed(e, [labels.index(a) for a in mine])
    sizes = dict(zip(mine, e.shape, strict=True))
    return reshape(e, tuple(sizes.get(a, 1) for a in order))


def merged_size(sizes: Sequence[int]) -> int:
    """The size of axes seen as one: -p for p times the samples."""
    product = 1
    for size in sizes:
        product *= size
    return product


def _sum_out(e: Symbol, axes: list[Label], summed: list[Label]) -> Symbol:
    if not summed:
        return e
    offset = len(axes) - len(e.shape)
    places = tuple(k - offset for k, a in enumerate(axes) if a in summed)
    shape = tuple(s for k, s in enumerate(e.shape) if k not in places)
    return Symbol("sum", (e,), shape, (places, False))


__all__ = ["BATCH", "Contractor", "Label", "Tensor", "arranged", "contiguous", "merged_size"]
