"""Pass 6, third part: what is sent to each array, and its sum, the adjoint.

A group that reads nodes sends them its adjoint times a local derivative. Where a node is read from several sides,
these contributions are added up; and where one number is read along an axis, or by every sample, so is what comes from
there. What goes to all of an array is a summand of its definition, what goes to some of its places a `Store`. An
adjoint that is used once is not named but written in place. Of the two neurons, z1 gets one contribution,
ds1 · (1 - h1²); b1 gets dz1, summed over the samples:

    db1 = sum(dz1, -1)

While the turns of a loop are written, what goes to the turn before is added to its adjoint at once; of three steps:

    dh1[turn] += w2.T @ dz1[turn]

Adjoints are 0 where there is no node. Arrays on which no parameter has an effect (the inputs, above all) get none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .axes import dropped, is_one, reshape, stretched, transposed
from .boxes import Nodes
from .classes import Unrollable
from .forward import Forward
from .groups import Group
from .layout import Array, Layout
from .program import Definition, Index, Put, Store
from .symbols import BATCH, Shape, Symbol, leaf, number, total
from .turns import TYPICAL
from .views import View, contiguous, even_steps

MAX_INLINE = 24  # longer expressions get a name
MAX_SUM = 200  # and so does the first part of a sum that is longer than this
BANKS = {"theta": "gradient", "shared": "shared_adjoint", "batched": "adjoint"}


class Adjoints(Forward):
    """Collects what is sent to each array, and writes the definitions of the adjoints."""

    def __init__(self, layout: Layout, groups: Sequence[Group]) -> None:
        super().__init__(layout, groups)
        self.contributions: dict[Array, list[tuple[Nodes, Symbol]]] = {}
        self.after: set[int] = set()  # the numbers of the arrays of a loop that is over

    def send(self, array: Array, nodes: Nodes, e: Symbol) -> None:
        self.contributions.setdefault(array, []).append((nodes, e))

    def contribute(self, nodes: Nodes, e: Symbol, sizes: tuple[int, ...], batched: bool) -> None:
        """Send ``e`` to the adjoints of these nodes. e stretches to ``sizes``, and to N if it comes from a batched
        group; where ``nodes`` has size 1, and what goes to a shared node over the batch, it is summed. It has to be 0
        where it is summed over places without a node."""
        if self.turning:
            self._contribute_now(nodes, e, sizes)
            return
        numbers = sorted(self.owners(nodes))
        arrays = [self.layout.arrays[k] for k in numbers]
        if not any(a.active for a in arrays):
            return
        to_shared = batched and not any(a.is_batched for a in arrays)
        e = self._summed(e, nodes.shape, sizes, batched, to_shared)
        inner = batched and not to_shared
        if len(arrays) == 1:
            self.send(arrays[0], nodes, e)
            return
        # entries of several arrays: name the expression, and send each array its part
        full = self.full(nodes.shape, inner)
        axis = self.axis if inner else 0
        flat = (*full[:axis], nodes.size, *full[axis + nodes.ndim :])
        view = self.named(e, full).detail.reshaped(flat)
        of = np.where(nodes >= 0, self.layout.array_of[nodes], -1).reshape(-1)
        for k, array in zip(numbers, arrays, strict=True):
            if array.active and k not in self.after:
                chosen = np.flatnonzero(of == k)
                shape = (*flat[:axis], len(chosen), *flat[axis + 1 :])
                part = Symbol("part", (leaf(view, flat),), shape, (chosen, axis))
                if inner and not array.is_batched:
                    part = total(part, shape.index(BATCH))
                self.send(array, nodes.reshape(-1)[chosen], part)

    def _contribute_now(self, nodes: Nodes, e: Symbol, sizes: tuple[int, ...]) -> None:
        """The same while turns are written: ``nodes`` has the turns in front. What goes to the turn before is added to
        its adjoint at once."""
        e = self._summed(e, nodes.shape[1:], sizes, True, False)
        array = self.owner(nodes)
        slots = self.slots(array, nodes[TYPICAL])
        found = self.lying(nodes)
        if found is None or len(slots) > 1:
            self._scatter_now(nodes, e)
            return
        (own,) = slots
        if own == TYPICAL + array.own_slot:
            self.send(array, nodes[TYPICAL], e)
            return
        view, _ = found
        name = "d" + array.name
        text = name + view.text.removeprefix(array.name)
        target = replace(view, base=name, text=text, before=None).at_turn(self.axis)
        index = self.layout.place_of[nodes[TYPICAL]] % array.turn_size
        self.statements.append(Put(target, e, True, index, own - TYPICAL, self.axis))

    def _scatter_now(self, nodes: Nodes, e: Symbol) -> None:
        """The same for nodes that do not lie in even steps: each place of an array looks up what goes there, or finds
        the 0 behind it all."""
        count = nodes[0].size
        room = self.room(count + 1, zeros=True)
        flat = reshape(stretched(e, self.full(nodes.shape[1:], True)), self.full((count,), True))
        self.statements.append(Put(self.from_axis(room, slice(0, count)), flat))
        each = nodes.reshape(len(nodes), count)
        for array, slot, at, places in self.sources_now(each, self.in_loop(each)):
            if not array.active:
                continue
            index = np.full((array.turn_size, int(np.bincount(places).max())), count)
            met = [0] * array.turn_size
            for k, place in zip(at, places, strict=True):
                index[place, met[place]] = k
                met[place] += 1
            sent = self.chosen(leaf(room, room.shape), index.reshape(-1))
            if index.shape[1] > 1:
                sent = total(reshape(sent, self.full(index.shape, True)), self.axis + 1)
            sent = reshape(sent, self.full(array.shape[1:], True))
            if slot == array.own_slot:
                assert array.group is not None
                self.send(array, array.group.computed[TYPICAL], sent)
            else:
                self.statements.append(Put(self.turns_of(array, "d" + array.name, slot).at_turn(self.axis), sent, True))

    def _summed(self, e: Symbol, shape: Shape, sizes: tuple[int, ...], batched: bool, to_shared: bool) -> Symbol:
        """e summed to this shape; the axes, and the samples if ``to_shared``, are summed at once."""
        frame = self.full(sizes, batched)
        offset = len(frame) - len(e.shape)  # e stretches in front
        place = 0 if self.first else len(frame) - 1
        axes: list[int] = []
        factor: Any = None
        for a, size in enumerate(frame):
            is_samples = batched and a == place
            axis = a - (batched and self.first)
            if is_samples and not to_shared:
                continue
            if not is_samples and not (shape[axis] == 1 and size != 1):
                continue
            own = a - offset
            if own >= 0 and e.shape[own] != 1:
                axes.append(own)
            else:
                times = self.count(size)
                factor = times if factor is None else factor * times
        if axes and e.operator == "neg":  # one sign for the sum
            return -self._summed(e.arguments[0], shape, sizes, batched, to_shared)
        if axes and e.operator == "*" and e.arguments[1].operator == "number" and np.isfinite(e.arguments[1].detail):
            return self._summed(e.arguments[0], shape, sizes, batched, to_shared) * e.arguments[1]
        if axes:
            e = Symbol("sum", (e,), tuple(1 if a in axes else s for a, s in enumerate(e.shape)), (tuple(axes), True))
        if factor is not None:
            e = e * factor if e.operator != "number" or not is_one(e) else factor
        if to_shared and len(e.shape) == len(frame) - offset and len(e.shape) and place - offset >= 0:
            e = dropped(e, place - offset)
        return e

    @staticmethod
    def count(size: int) -> Symbol:
        """How many equal terms there are along an axis of this size."""
        return leaf(View("n", "n", (), ()), ()) if size == BATCH else number(float(size))

    # --- sums of what was sent

    def adjoint(self, array: Array, uses: int) -> Symbol | None:
        """The sum of what was sent to an array; defined under a name unless it is short and used once."""
        if array not in self.contributions:
            return None
        name = "d" + array.name
        expression, stores = self._collected(array, name, array)
        if expression is not None and not stores:
            plain = expression.operator in ("leaf", "number") and array.bank != "theta"
            if plain or (uses <= 1 and expression.size <= MAX_INLINE):
                return expression
        zeros = _settle(stores, array.size, expression is not None)
        shape = self.full(array.shape, array.is_batched)
        self.statements.append(Definition(name, shape, expression, stores, (BANKS[array.bank], array.start), zeros))
        return leaf(self.all_of(array, name), shape)

    def adjoint_now(self, array: Array, adding: bool) -> Symbol:
        """What was sent to turn t of an array goes into its adjoint, which is given back."""
        name = "d" + array.name
        slot = self.whole(array, name)
        one = replace(array, shape=array.shape[1:], group=None)  # as an array of its own
        expression, stores = self._collected(array, name, one)
        zeros = _settle(stores, one.size, adding or expression is not None)
        if expression is not None:
            self.statements.append(Put(slot.detail, expression, adding))
        elif zeros and not adding:
            self.statements.append(Put(slot.detail, number(0.0)))
        for store in stores:
            if store.view is None:
                raise Unrollable
            inner = store.view.text.removeprefix(name)
            text = slot.detail.text
            ahead = f"[{':, ' * self.axis}"
            text = f"{text[:-1]}, {inner[len(ahead) :]}" if inner.startswith(ahead) else text + inner
            target = replace(store.view, text=text, before=None, in_turns=True)
            self.statements.append(
                Put(target, store.expression, store.accumulate, store.index, array.own_slot, self.axis)
            )
        return slot

    def _collected(self, array: Array, name: str, goal: Array) -> tuple[Symbol | None, list[Store]]:
        """What was sent to an array, and is forgotten now: the sum of what goes to all of ``goal``, and the rest."""
        expression: Symbol | None = None
        stores: list[Store] = []
        for nodes, e in self.contributions.pop(array, []):
            places = self.layout.place_of[nodes] % goal.size  # in a turn, if that is the goal
            whole = self._covering(goal, nodes, places, e)
            if whole is None:
                stores.append(self._store(name, goal, nodes, places, e))
                continue
            if expression is not None and expression.size > MAX_SUM:
                expression = self.named(expression)
            expression = whole if expression is None else expression + whole
        return expression, stores

    def _covering(self, array: Array, nodes: Nodes, places: Index, e: Symbol) -> Symbol | None:
        """e in the shape of the array, if it goes to every place of it, in some order of the axes."""
        if nodes.size != array.size:
            return None
        real = nodes >= 0
        steps = even_steps(places, None if real.all() else real, array.size)
        if steps is None or steps.offset != 0:
            return None
        order = sorted(range(nodes.ndim), key=lambda a: -steps.strides[a] if nodes.shape[a] > 1 else 0)
        big = [a for a in order if nodes.shape[a] > 1]
        if [steps.strides[a] for a in big] != [*contiguous([nodes.shape[a] for a in big])]:
            return None
        full = self.full(nodes.shape, array.is_batched)
        shift = int(self.first and array.is_batched)
        if big != sorted(big):
            axes = [a for a in range(nodes.ndim) if a not in big] + big
            moved = [*range(shift), *[a + shift for a in axes], *range(nodes.ndim + shift, len(full))]
            e = transposed(stretched(e, full), moved)
            full = e.shape
        target = self.full(array.shape, array.is_batched)
        if full != target and e.shape != target:
            if e.shape == () or (len(e.shape) < len(full) and e.shape == target[len(target) - len(e.shape) :]):
                return e
            e = reshape(stretched(e, full), target)
        return e

    def _store(self, name: str, array: Array, nodes: Nodes, places: Index, e: Symbol) -> Store:
        if nodes.ndim == 0:
            nodes, places = nodes.reshape(1), places.reshape(1)
            if e.shape:
                e = reshape(stretched(e, self.full((), array.is_batched)), self.full((1,), array.is_batched))
        real = nodes >= 0
        size = self.full(nodes.shape, array.is_batched)
        steps = even_steps(places, None if real.all() else real, array.size)
        if steps is not None:
            return Store(steps.places(nodes.shape), e, True, self.part_of(array, name, steps, nodes.shape), size)
        if real.all():
            return Store(places, e, True, None, size)
        flat = reshape(stretched(e, size), self.full((nodes.size,), array.is_batched))
        chosen = np.flatnonzero(real.reshape(-1))
        shape = self.full((len(chosen),), array.is_batched)
        part = Symbol("part", (self.named(flat),), shape, (chosen, int(self.first and array.is_batched)))
        return Store(places.reshape(-1)[chosen], part, True, None, shape)


def _settle(stores: list[Store], size: int, begun: bool) -> bool:
    """Say of each store whether it adds to what is there; returns whether the array has to start at zero."""
    touched = np.full(size, begun)
    zeros = False
    for store in stores:
        flat = store.index.reshape(-1)
        reached = touched[flat]
        store.accumulate = bool(reached.any())
        zeros = zeros or (store.accumulate and not bool(reached.all()))
        touched[flat] = True
    zeros = zeros or not bool(touched.all())
    if zeros:
        for store in stores:
            store.accumulate = True
    return zeros
