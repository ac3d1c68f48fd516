"""Look-ups: what an index finds, and where what comes back to it goes.

There are two kinds. A *table* is the same for every sample and whatever the index depends on: its rows are taken, and
what comes back is added up row by row. Everything else are *rows*, of each of which the index says the entry, such as
the logits of a sample; what comes back goes to that place, and 0 to the others. For two neurons that a token chooses
inputs for, and a class one of their results:

    e1 = take(w1, token, 0).T                              dw1 = add_at(zeros((27, 2)), token, de1.T, 0)
    e2 = take_along_axis(h1, target[None], 0).squeeze(0)   dh1 = where(target[None] == arange(2)[:, None], de2, 0.0)

Three time steps with a token each are one table, and one more axis of the index.
"""

from __future__ import annotations

import numpy as np

from .axes import reshape, stretched, transposed
from .boxes import Nodes
from .groups import Group
from .reading import Reader
from .symbols import NO_ROW, ROWS, Shape, Symbol, broadcast, leaf
from .views import View, contiguous, even_steps


class Finder:
    """Writes one look-up, forward and backward."""

    def __init__(self, reader: Reader, group: Group) -> None:
        assert group.index is not None
        self.reader, self.group, self.index = reader, group, group.index
        (self.rows,) = (x for x in group.operands if not isinstance(x, float))
        self.full: Shape = reader.full(group.nodes.shape, True)
        both = [a > 1 and b > 1 for a, b in zip(self.index.shape, self.rows.shape[1:], strict=True)]
        self.is_table = not reader.is_batched(self.rows) and not any(both) and bool((self.rows >= 0).all())

    def found(self) -> Symbol:
        """What the index finds, with the group's axes."""
        if self.is_table:
            view, _ = self.reader.view(self.rows.reshape([s for s in self.rows.shape if s > 1] or [1]))
            table, index = reshape(leaf(view, view.shape), self._table_shape()), self._places(squeezed=True)
            found = Symbol("take", (table, index), (*index.shape, *table.shape[1:]))
            return stretched(reshape(transposed(found, self._order()), self._seen()), self.full)
        table, place = self._rows_to_look_into()
        index = self._places(squeezed=False)
        shape = broadcast(index.shape, (*table.shape[:place], *table.shape[place + 1 :]))
        return stretched(Symbol("take_along", (table, index), shape, place), self.full)

    def back_to_table(self, d: Symbol) -> Symbol:
        """What the adjoint d adds up to in each place of the table, in the shape of its rows."""
        index, order, shape, seen = self._places(squeezed=True), self._order(), self._table_shape(), self._seen()
        if self.group.real is not None:
            d = self.reader.masked(self.group.real, d, True, 0.0)
        d = stretched(d, self.full)
        if seen != self.full:
            axes = tuple(a for a, (one, size) in enumerate(zip(seen, self.full, strict=True)) if one != size)
            d = Symbol("sum", (d,), seen, (axes, True))
        moved = reshape(d, tuple((*index.shape, *shape[1:])[k] for k in order))
        moved = transposed(moved, sorted(range(len(order)), key=lambda k: order[k]))
        return reshape(Symbol("add_at", (moved, index), shape), self.rows.shape)

    def back_to_rows(self, d: Symbol) -> Symbol:
        """The adjoint d at the places that were found, and 0 elsewhere, with the rows' axis in front."""
        place, index = self.reader.row_axis(self.rows, self.reader.is_batched(self.rows)), self._places(squeezed=False)
        d = d if d.operator == "number" else stretched(d, self.full)
        e = Symbol("placed", (d, index), (*self.full[:place], len(self.rows), *self.full[place:]), place)
        return transposed(e, [place, *[a for a in range(len(e.shape)) if a != place]])

    def _table_shape(self) -> Shape:
        return len(self.rows), *[s for s in self.rows.shape[1:] if s > 1]

    def _order(self) -> list[int]:
        """How the axes of ``take(table, index)``, the index's and then the table's, come to lie as the group's."""
        mine, theirs = ([a for a, size in enumerate(s) if size > 1] for s in (self.index.shape, self.rows.shape[1:]))
        found = [*self.reader.labels(mine, True), *theirs]
        wanted = [a for a in self.reader.labels(range(self.group.nodes.ndim), True) if a in found]
        return [found.index(a) for a in wanted]

    def _seen(self) -> Shape:
        """The group's shape with size 1 along axes that neither the index nor the table has."""
        sizes = [max(a, b) for a, b in zip(self.index.shape, self.rows.shape[1:], strict=True)]
        return self.reader.full(sizes, True)

    def _rows_to_look_into(self) -> tuple[Symbol, int]:
        """Rows, each with its samples, in memory of the program's own, and at which axis their entries are."""
        reader, x = self.reader, self.reader.read(self.rows, True, ROWS)
        if x.detail.base in reader.arguments:
            x = reader.defined(Symbol(x.operator, x.arguments, x.shape, x.detail, NO_ROW))
        place = reader.row_axis(self.rows, reader.is_batched(self.rows))
        view = x.detail.permuted([*range(1, place + 1), 0, *range(place + 1, len(x.shape))])
        return leaf(view, view.shape), place

    def _places(self, squeezed: bool) -> Symbol:
        """The index, whole numbers, with the group's axes; ``squeezed``, without those of size 1.

        Where the group has no node, the first index stands: what lies there may choose from a longer list.
        """
        reader, layout = self.reader, self.reader.layout
        nodes: Nodes = self.index.reshape([s for s in self.index.shape if s > 1]) if squeezed else self.index
        real = nodes >= 0
        nodes = np.where(real, nodes, nodes[real][0])
        array, places = reader.owner(nodes), layout.place_of[nodes]
        text = f"{array.name}.T" if reader.first else array.name
        steps = even_steps(places, None, array.size)
        view = None if steps is None else reader.part_of(array, array.name, steps, nodes.shape, text)
        if view is not None:
            e = leaf(view, view.shape)
        else:
            size, flat = reader.full(array.shape, True), reader.full((nodes.size,), True)
            given = leaf(View(array.name, text, size, contiguous(size)), size)
            part = Symbol("part", (given,), flat, (places.reshape(-1), int(reader.first)))
            e = reshape(part, reader.full(nodes.shape, True))
        return e if array.whole else Symbol("whole", (e,), e.shape)
