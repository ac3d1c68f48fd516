"""Pass 6, differentiate: the groups as statements on arrays, forward and then backward.

Forward, each group is one definition (`autograd.compiler.forward`). Backward, each group takes its adjoint, the sum of
what its consumers sent to it (`autograd.compiler.adjoints`), and sends to each operand the adjoint times the local
derivative, for which the derivative sheet is run on symbols that stand for whole arrays. The two neurons, with h summed
to the loss:

    z1 = w1 @ x + b1[:, None]          dz1 = 1.0 - h1 * h1
    h1 = tanh(z1)                      dw1 = dz1 @ x.T
    s1 = sum(h1, 0)                    db1 = sum(dz1, -1)

The seed is 1 for every sample, so what goes back is the gradient of the sum; 1/N is applied once, to the flat gradient.

Backward through a loop, the turns are written once, too, from the last to the first; what no turn needs, such as the
gradients of the weights, comes after, over all turns and samples at once. Of a recurrent network over three time steps:

    for turn in reversed(range(3)):
        dz1[turn] = dh1[turn + 1] * (1.0 - h1[turn + 1] * h1[turn + 1])
        dh1[turn] += w2.T @ dz1[turn]
    dw2 = dz1.swapaxes(0, 1).reshape(2, -1) @ h1[0:3].swapaxes(0, 1).reshape(2, -1).T
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .adjoints import Adjoints
from .axes import is_plain, reshape, stretched, transposed, with_row_at
from .boxes import Nodes
from .contract import Label, Tensor, arranged
from .finding import Finder
from .groups import Group, Part
from .index import TAKE
from .layout import Array, Layout
from .normalise import BATCHED, LINEAR
from .program import Definition, Gather, Mask, Program, Statement, Turns
from .reading import SAMPLES, TERM
from .symbols import BATCH, Symbol, leaf, number, partials, passed
from .turns import TYPICAL


def differentiate(
    layout: Layout, groups: Sequence[Group], outputs: Sequence[int], backward: bool, factors_out: bool = True
) -> Program:
    """The whole program. ``outputs`` are node numbers; with ``backward`` there is one, and its adjoint is 1.

    Without ``factors_out`` no factor is taken out of a sum: see `Contractor`.
    """
    builder = _Builder(layout, groups)
    builder.contractor.factors_out = factors_out
    if backward and builder.first:
        builder.shares.find_quotients(groups, outputs)
    units = [[*some] for _, some in itertools.groupby(groups, key=lambda g: g.loop or g)]
    for unit in units:
        if unit[0].loop is None:
            builder.define(unit[0])
        else:
            builder.define_loop(unit)
    gradients: dict[str, str] = {}
    reverse: list[Statement] = []
    if backward:
        builder.statements, done = reverse, builder.statements
        builder.contribute(np.array(outputs[0], dtype=np.intp), number(1.0), (), True)
        first_reader = _first_readers(builder, units)
        for k, unit in reversed(list(enumerate(units))):
            if unit[0].loop is None:
                builder.reverse(unit[0])
            else:
                builder.reverse_loop(unit)
            for array in first_reader.get(k, ()):  # nobody before this one reads it: its gradient is complete
                if builder.adjoint(array, uses=2) is not None:
                    gradients[array.name] = "d" + array.name
        builder.statements = done
    nodes = np.array(outputs, dtype=np.intp)
    owners, which = np.unique(layout.array_of[nodes], return_inverse=True)
    results = Gather(
        [layout.arrays[k] for k in owners], which.reshape(-1), layout.place_of[nodes], layout.samples_first
    )
    copied = builder.copied - {a.name for a in layout.arrays if a.whole}
    factored = builder.contractor.factored
    return Program(layout, builder.statements, reverse, copied, results, gradients, builder.masks, factored)


def _first_readers(builder: _Builder, units: Sequence[Sequence[Group]]) -> dict[int, list[Array]]:
    """For each group, or loop of groups, the parameter arrays that none before it reads."""
    seen: set[int] = set()
    result: dict[int, list[Array]] = {}
    for number_, unit in enumerate(units):
        for nodes in [nodes for group in unit for nodes in group.reads()]:
            for k in sorted(builder.owners(nodes) - seen):
                seen.add(k)
                if builder.layout.arrays[k].bank == "theta":
                    result.setdefault(number_, []).append(builder.layout.arrays[k])
    return result


class _Builder(Adjoints):
    """Writes both ways."""

    def reverse(self, group: Group, d: Symbol | None = None) -> None:
        """Send what goes back through a group, whose adjoint is ``d``, or else the sum of what was sent to it."""
        array, batched = self.layout.by_group[group], group.rank == BATCHED
        if d is None and array not in self.contributions:
            return
        if group.op == LINEAR:
            if d is None:
                reads = [*[part.x for part in group.parts if part.weights is None], group.bias]
                uses = sum(x is not None and self._is_active(x) for x in reads)
                d = self.adjoint(array, uses + sum(2 for part in group.parts if part.weights is not None))
            assert d is not None
            self._reverse_linear(group, d, batched)
        elif group.op == TAKE:
            self._reverse_look_up(group, array)
        else:
            self._reverse_rule(group, d, batched)

    def _is_active(self, nodes: Nodes) -> bool:
        """Whether something is to be sent to some of these nodes: while turns are written to those in the loop, and
        when they are over to the others."""
        return any(
            self.layout.arrays[k].active and (k in self.turning or not self.turning) and k not in self.after
            for k in self.owners(nodes)
        )

    def _reverse_look_up(self, group: Group, array: Array) -> None:
        """What came to each place goes to what was found there, and nothing to the rest."""
        d, finder = self.adjoint(array, 1), Finder(self, group)
        if d is None or not self._is_active(finder.rows):
            return
        if finder.is_table:
            self.contribute(finder.rows, finder.back_to_table(d), finder.rows.shape, False)
        else:
            self._send(group, finder.rows, finder.back_to_rows(d), True, False)

    def _reverse_rule(self, group: Group, d: Symbol | None, batched: bool) -> None:
        array = self.layout.by_group[group]
        sent: list[tuple[Nodes, Symbol]] = []
        if any(self._is_active(x) for x in group.operands if not isinstance(x, float)):
            local = partials(group.op, self.whole(array), *self.operands(group, batched))
            for x, p in zip(group.operands, local, strict=True):
                if p is not None and not isinstance(x, float) and self._is_active(x):
                    sent.append((x, p))
        if not sent:
            self.contributions.pop(array, None)
            return
        d = self.adjoint(array, len(sent)) if d is None else d
        assert d is not None
        products = tuple([passed(d, self.shares.known(group, p, batched)) for _, p in sent])
        if len(local) > 1 or group.row:  # name what several local derivatives share
            products = self.shared_once(Symbol("tuple", products, ())).arguments
        place = self.row_axis(sent[0][0], batched) if group.row else 0
        if place:
            count = len(self.full(self.sizes(group), batched)) + 1
            order = (place, *[a for a in range(count) if a != place])
            products = tuple(transposed(with_row_at(e, place, count, {}), order) for e in products)
        for (operand, _), e in zip(sent, products, strict=True):
            self._send(group, operand, e, batched, e.operator == "leaf")

    def _send(
        self, group: Group, nodes: Nodes, e: Symbol, batched: bool, clean: bool, terms: Mask | None = None
    ) -> None:
        """Send e, which has the group's axes, and one more in front for nodes that have one; ``terms``: see `Part`."""
        sizes = self.sizes(group)
        turning = bool(self.turning)
        row = nodes.ndim - turning > len(sizes)
        if row:
            sizes = (len(nodes), *sizes)
            if self.first and batched and len(e.shape) == len(sizes) + 1:  # [k, N, ...] -> [N, k, ...]
                if e.operator == "reshape" and e.shape[0] == 1:
                    e = reshape(e.arguments[0], (e.shape[1], 1, *e.shape[2:]))
                else:
                    e = transposed(e, (1, 0, *range(2, len(e.shape))))
        real = self.real(group)
        missing = nodes < 0
        if terms is not None:
            missing = missing | ~terms
        if turning:
            missing = ~self.one_turn(~missing, int(row))
            nodes = np.moveaxis(nodes, int(row), 0)
        if (real is not None and not clean) or missing.any():
            both = ~missing if real is None else ~missing & (real[None] if row else real)
            if not (clean and real is not None and (both == (real[None] if row else real)).all()):
                e = self.masked(both, e, batched, 0.0)
        self.contribute(nodes, e, sizes, batched)

    # --- sums of products

    def _reverse_linear(self, group: Group, d: Symbol, batched: bool) -> None:
        for part in group.parts:
            if part.weights is not None:
                self._reverse_product(group, part, d, batched)
            elif self._is_active(part.x):
                self._reverse_sum(group, part, d * part.c, batched)
        if group.bias is not None and self._is_active(group.bias):
            self._send(group, group.bias, d, batched, clean=True)

    def _reverse_sum(self, group: Group, part: Part, e: Symbol, batched: bool) -> None:
        if len(part.x) == 1:
            self._send(group, part.x[0], e, batched, clean=True)
            return
        if e.shape:  # stretches along k
            frame = self.full(self.sizes(group), batched)
            e = stretched(e, frame) if len(e.shape) < len(frame) else e
            e = reshape(e, (1, *e.shape))
        self._send(group, part.x, e, batched, clean=True, terms=part.real)

    def _reverse_product(self, group: Group, part: Part, d: Symbol, batched: bool) -> None:
        assert part.weights is not None
        wide: Tensor | None = None
        frame = {TERM: len(part.x), **self.frame(group, batched)}
        real = None if part.real is None else self.one_turn(part.real, 1)
        present = self.real(group)
        if present is not None:
            real = present[None] if real is None else real & present[None]
        twice = np.array_equal(part.weights, part.x)  # a square: both factors get the same
        for mine, other in ((part.weights, part.x), (part.x, part.weights))[twice:]:
            if not self._is_active(mine):
                continue
            is_batched = batched and self.is_batched(mine)
            nodes, goal, labels = self._goal(mine)
            sizes = dict(zip(labels, nodes.shape, strict=True)) | {SAMPLES: BATCH}
            out = {label: sizes[label] for label in self.labels(labels, is_batched)}
            c = 2.0 * part.c if twice else part.c
            if is_plain(d) and real is None:
                self.contribute(goal, self._times(d * c, self.tensor(other), out, frame), nodes.shape, is_batched)
                continue
            if wide is None:
                shape = self.full(self.sizes(group), batched)
                if part.c != 1.0 and batched and not twice and self._both_batched(part):  # once, and not on both sides
                    d, part, c = self.named(d * part.c, shape), replace(part, c=1.0), 1.0
                named = d if d.operator == "leaf" and d.shape == shape else self.named(d, shape)
                wide = Tensor(named.detail, self.labels(range(len(self.sizes(group))), batched), zeroed=True)
            y = self.tensor(other)
            e = self.contractor.product(wide, y, out, self.terms_mask(real), frame) * c
            if len(part.x) > 1 and TERM not in out and TERM not in y.labels:
                e = e * float(len(part.x))
            if (nodes < 0).any():
                e = self.masked(nodes >= 0, e, is_batched, 0.0)
            self.contribute(goal, e, nodes.shape, is_batched)

    def _goal(self, mine: Nodes) -> tuple[Nodes, Nodes, list[Label]]:
        """One factor [k, axes], of a typical turn, without axes of size 1, and with the others as they lie in memory;
        the same nodes of all turns; and the labels of these axes."""
        one = mine.take(min(TYPICAL, mine.shape[1] - 1), 1) if self.turning else mine
        axes = self._as_it_lies(one)
        rest = [a for a in range(one.ndim) if a not in axes]
        shape = [one.shape[a] for a in axes]
        nodes = one.transpose(*rest, *axes).reshape(shape)
        labels: list[Label] = [TERM if a == 0 else a - 1 for a in axes]
        if not self.turning:
            return nodes, nodes, labels
        goal = np.moveaxis(mine, 1, 0)
        return nodes, goal.transpose(0, *[a + 1 for a in (*rest, *axes)]).reshape(len(goal), *shape), labels

    def _as_it_lies(self, nodes: Nodes) -> list[int]:
        """The axes of nodes [k, axes] that are longer than 1, in the order in which they lie in memory."""
        real = nodes >= 0
        places = self.layout.place_of[nodes]
        steps: dict[int, int] = {}
        for axis, size in enumerate(nodes.shape):
            if size > 1:
                both = np.take(real, [0], axis) & np.take(real, [1], axis)
                apart = np.take(places, [1], axis) - np.take(places, [0], axis)
                steps[axis] = int(apart[both][0]) if both.any() else 0
        return sorted(steps, key=lambda a: -steps[a])

    def _times(self, factor: Symbol, y: Tensor, out: dict[Label, int], frame: dict[Label, int]) -> Symbol:
        """A number times y, summed over what the result has not."""
        for label, size in frame.items():
            if label not in out and label not in y.labels:
                factor = factor * self.count(size)
        axes = tuple(k for k, label in enumerate(y.labels) if label not in out)
        if not axes:
            view = y.ordered([*out])
            return leaf(view, view.shape) * factor
        rest = [label for label in y.labels if label in out]
        shape = tuple(s for k, s in enumerate(y.view.shape) if k not in axes)
        e = Symbol("sum", (leaf(y.view, y.view.shape),), shape, (axes, False))
        return arranged(e, rest, [*out]) * factor

    def _both_batched(self, part: Part) -> bool:
        """Whether a gradient goes to both factors of a sum of products, and for each sample."""
        sides = [x for x in (part.x, part.weights) if x is not None and self._is_active(x)]
        return len(sides) == 2 and all(self.layout.arrays[k].is_batched for x in sides for k in self.owners(x))

    # --- loops

    def reverse_loop(self, groups: Sequence[Group]) -> None:
        """The turns of a loop from the last to the first; then what goes to nodes outside, from all turns at once."""
        arrays = {g: self.layout.by_group[g] for g in groups}
        inside = {self.number[a] for a in arrays.values()}
        reached, before = self._reached(groups, inside)
        if not reached:
            return
        loop = groups[0].loop
        assert loop is not None
        adding = self._begin_adjoints([g for g in groups if g in reached], before)
        body = self.begin(inside)
        back = [g for g in reversed(groups) if g in reached]
        for group in back:
            self.reverse(group, self.adjoint_now(arrays[group], group in adding))
        self.end(Turns(loop.count, body, True))
        self.after = inside
        for group in back:
            self.reverse(group, self.whole(arrays[group], "d" + arrays[group].name))
        self.after = set()
        for group in back:
            initial = group.initial
            if initial is not None and self._is_active(initial):
                view = self.from_axis(self.all_of(arrays[group], "d" + arrays[group].name), 0)
                e = leaf(view, view.shape)
                if (initial < 0).any():
                    e = self.masked(initial >= 0, e, True, 0.0)
                self.contribute(initial, e, initial.shape, True)

    def _begin_adjoints(self, groups: Sequence[Group], before: set[Group]) -> set[Group]:
        """Define the adjoints of a loop's arrays before its turns, with what came to them, zeros, or anything; returns
        those that the turns add to."""
        arrays = {g: self.layout.by_group[g] for g in groups}
        adding = {g for g in groups if g in before or arrays[g] in self.contributions}
        for group, array in arrays.items():
            if array not in self.contributions:
                shape, start = self.full(array.shape, True), group in before
                memory = "adjoint", array.start
                self.statements.append(Definition("d" + array.name, shape, None, [], memory, start, not start))
        for array in arrays.values():
            name, found = "d" + array.name, self.adjoint(array, uses=2)
            if found is not None and (found.operator != "leaf" or found.detail.text != name):
                shape = self.full(array.shape, True)
                self.statements.append(Definition(name, shape, found, memory=("adjoint", array.start)))
        return adding

    def _reached(self, groups: Sequence[Group], inside: set[int]) -> tuple[set[Group], set[Group]]:
        """The groups of a loop to which a gradient comes, and those of them to whose turn before one is sent."""
        reached = {g for g in groups if self.layout.by_group[g] in self.contributions}
        before: set[Group] = set()
        waiting = [*reached]
        while waiting:
            group = waiting.pop()
            for nodes in group.reads():
                if group.initial is not None and nodes is group.initial:
                    continue
                for k in self.owners(nodes) & inside:
                    array = self.layout.arrays[k]
                    if array.active and array.group is not None:
                        if array.group not in reached:
                            reached.add(array.group)
                            waiting.append(array.group)
                        axis = nodes.ndim - group.computed.ndim
                        one = np.asarray(np.take(nodes, TYPICAL, axis)) if nodes.shape[axis] > 1 else nodes
                        mine = one[(one >= 0) & (self.layout.array_of[one] == k)]
                        if TYPICAL - 1 + array.own_slot in self.slots(array, mine):
                            before.add(array.group)
        return reached, before
