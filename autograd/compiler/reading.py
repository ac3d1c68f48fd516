"""Pass 6, first part: how nodes are read, as views of the arrays that hold them.

A group's rule asks for boxes of nodes. Where these lie in even steps they are a view (`autograd.compiler.views`): for
the two neurons, the window is x and the rows are w1, as they are. What does not is gathered into an array of its own,
once. While the turns of a loop are written, boxes have an axis for them, and what is read is the view at turn t: of
three time steps, h1[0:3] at turn t is h1[turn]. What the loop itself makes can be gathered in its turn only.

Places of a box without a node hold anything, nan and inf, too. So there are masks: `Reader.masked` chooses 0 where
there is no node (a product with 0 would be nan for inf).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .axes import mapped, reshape, stretched, transposed
from .boxes import Nodes
from .classes import Unrollable
from .contract import Contractor, Label, Tensor
from .groups import Group
from .layout import Array, Layout
from .program import Definition, Gather, Index, Mask, Put, Statement, Turns
from .symbols import BATCH, COMPARISONS, NO_ROW, ROWS, Shape, Symbol, is_number, leaf, number
from .turns import TYPICAL
from .views import Steps, View, contiguous, even_steps, in_memory, view_of

SAMPLES: Label = "n"
TERM: Label = "k"
WIDE = 4  # so many times what is looked up in an array is not copied for that


class Reader:
    """Reads nodes, and writes the statements that this takes: those that gather, and those that only name something.

    While the turns of a loop are written, ``turning`` has the numbers of the loop's arrays.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout, self.first = layout, layout.samples_first
        self.axis = int(self.first)  # where the axes of what depends on the sample begin: that of a loop's turns, too
        self.statements: list[Statement] = []
        self.before: list[Statement] = []  # those before a loop, while its turns are written
        self.turning: set[int] = set()
        self.gathers_now: dict[Any, View] = {}  # what a turn has looked up, and
        self.rooms: dict[tuple[str, ...], View] = {}  # what stands side by side for that
        self.number = {a: k for k, a in enumerate(layout.arrays)}
        self.arguments = {a.name for a in layout.arrays if a.bank == "argument"}
        self.copied: set[str] = set()  # those of them that are read in other ways than by a product of matrices
        self.views: dict[tuple[bytes, tuple[int, ...]], tuple[View, bool]] = {}  # what was read as it lies
        self.gathers: dict[tuple[bytes, Shape, bool], str] = {}
        self.masks: dict[str, Mask] = {}
        self.mask_names: dict[tuple[bytes, Shape], str] = {}
        self.temporaries = 0
        self.zeroed: set[str] = set()  # names of arrays that are 0 where there is no node
        self.contractor = Contractor(self.named, self.copied_out, self.first)

    # --- shapes

    def full(self, sizes: Sequence[int], batched: bool) -> Shape:
        """Sizes with the samples, first or last."""
        if not batched:
            return tuple(sizes)
        return (BATCH, *sizes) if self.first else (*sizes, BATCH)

    def labels(self, axes: Sequence[Label], batched: bool) -> list[Label]:
        """Labels of axes with that of the samples, first or last."""
        return [*axes] if not batched else [SAMPLES, *axes] if self.first else [*axes, SAMPLES]

    def sizes(self, group: Group) -> tuple[int, ...]:
        """A group's axes: in a loop with the turns, but not while these are written."""
        return group.computed.shape[1:] if self.turning else group.computed.shape

    def real(self, group: Group) -> Mask | None:
        return None if group.real is None else self.one_turn(group.real)

    def one_turn(self, mask: Mask, axis: int = 0) -> Mask:
        """A mask without the axis of turns while these are written: all of them must be alike."""
        if not self.turning:
            return mask
        if (mask != np.take(mask, [0], axis)).any():
            raise Unrollable
        return np.asarray(np.take(mask, 0, axis))

    # --- where nodes are

    def owners(self, nodes: Nodes) -> set[int]:
        """The numbers of the arrays that nodes are in."""
        found = self.layout.array_of[nodes if nodes.size and nodes.min() >= 0 else nodes[nodes >= 0]]
        if found.size and (found == found.flat[0]).all():  # as it mostly is; to sort them takes longer
            return {int(found.flat[0])}
        return set(np.unique(found).tolist())

    def owner(self, nodes: Nodes) -> Array:
        """The array of the first of them."""
        first = nodes.flat[0]
        found: Array = self.layout.arrays[self.layout.array_of[first if first >= 0 else nodes[nodes >= 0][0]]]
        return found

    def is_batched(self, nodes: Nodes) -> bool:
        return any(self.layout.arrays[k].is_batched for k in self.owners(nodes))

    def slots(self, array: Array, nodes: Nodes) -> set[int]:
        """The first axis's indices at which these nodes are."""
        return set((self.layout.place_of[nodes[nodes >= 0]] // array.turn_size).tolist())

    def is_empty_where_missing(self, nodes: Nodes) -> bool:
        """Whether nodes that are missing are missing in the box that the others lie in, too."""
        real = nodes >= 0
        if not real.any():
            return False
        array = self.owner(nodes)
        steps = even_steps(self.layout.place_of[nodes], real, array.size)
        if steps is None or array.group is None:
            return False
        return bool((array.group.nodes.reshape(-1)[steps.places(nodes.shape)[~real]] < 0).all())

    # --- views

    def view(self, nodes: Nodes) -> tuple[View, bool]:
        """These nodes' values as a view with their axes, and the samples if they are batched; else they are
        gathered."""
        real = nodes >= 0
        return self.lying(nodes) or self.gathered(np.where(real, nodes, nodes[real][0]))

    def lying(self, nodes: Nodes) -> tuple[View, bool] | None:
        """The same if they lie in even steps in one array."""
        key = nodes.tobytes(), nodes.shape
        if key in self.views:
            return self.views[key]
        real = nodes >= 0
        if len(self.owners(nodes)) == 1:
            array = self.owner(nodes)
            steps = even_steps(self.layout.place_of[nodes], None if real.all() else real, array.size)
            text = f"{array.name}.T" if array.bank == "argument" and self.first else array.name
            found = None if steps is None else self.part_of(array, array.name, steps, nodes.shape, text)
            if found is not None:
                self.views[key] = found, array.is_batched
                return self.views[key]
        return None

    def part_of(self, array: Array, name: str, steps: Steps, sizes: Sequence[int], text: str = "") -> View | None:
        """The view of an array, or its adjoint, that these steps make; None if there is none."""
        batch = None if not array.is_batched else 0 if self.first else -1
        return view_of(name, array.shape, steps, sizes, batch, text, array.takes_turns)

    def view_now(self, nodes: Nodes, axis: int) -> tuple[View, bool]:
        """The same while turns are written: nodes have an axis for them, and the view is that at turn t."""
        if not self.turning:
            return self.view(nodes)
        if nodes.shape[axis] == 1:
            return self.view(np.take(nodes, 0, axis))
        moved = np.moveaxis(nodes, axis, 0)
        if self.owners(moved) & self.turning and self.lying(moved) is None:
            return self.gathered_now(moved), True
        view, batched = self.view(moved)
        self.copied |= self.arguments & {view.base}
        return view.at_turn(self.axis if batched else 0), batched

    def gathered(self, nodes: Nodes) -> tuple[View, bool]:
        """Define an array that collects these nodes."""
        owners = self.layout.array_of[nodes].reshape(-1)
        numbers, which = np.unique(owners, return_inverse=True)
        arrays = [self.layout.arrays[k] for k in numbers]
        batched = any(a.is_batched for a in arrays)
        if not self.first:
            self.copied |= self.arguments & {a.name for a in arrays}
        key = (nodes.tobytes(), nodes.shape, batched)
        name = self.gathers.get(key)
        shape = self.full(nodes.shape, batched)
        if name is None:
            name = self.gathers[key] = f"g{len(self.gathers) + 1}"
            places = self.layout.place_of[nodes].reshape(-1)
            gather = Symbol("gather", (), shape, Gather(arrays, which.reshape(-1), places, self.first))
            (self.before if self.turning else self.statements).append(Definition(name, shape, gather))
        return View(name, name, shape, contiguous(shape)), batched

    def gathered_now(self, nodes: Nodes) -> View:
        """Turn t of nodes of the loop that do not lie in even steps: looked up in the arrays that they are of, which
        are put side by side if there are several."""
        key = nodes.tobytes(), nodes.shape
        if key not in self.gathers_now:
            self.gathers_now[key] = self._look_up_now(nodes)
        return self.gathers_now[key]

    def _look_up_now(self, nodes: Nodes) -> View:
        count, shape = nodes[0].size, self.full(nodes.shape[1:], True)
        flat = nodes.reshape(len(nodes), count)
        present = flat[TYPICAL] >= 0
        flat = np.where(present, flat, flat[:, [present.argmax()]])
        inside = self.in_loop(flat)
        found: list[tuple[Index, Symbol, str, Index]] = []  # which nodes, what they are looked up in, and where there
        for array, slot, at, places in self.sources_now(flat, inside):
            view = self.turns_of(array, array.name, slot).at_turn(self.axis)
            part, name = reshape(leaf(view, view.shape), self.full((array.turn_size,), True)), view.text
            if array.turn_size > WIDE * len(at):  # not all of it, to look up little
                part, name = self.chosen(part, places), f"{name} {places.tolist()}"
                places = np.arange(len(at))
            found.append((at, part, name, places))
        outside = np.flatnonzero(~inside)
        if outside.size:
            view, batched = self.view_now(flat[:, outside], 0)
            view = view if batched else self._along_samples(view)
            part = stretched(leaf(view, view.shape), self.full((len(outside),), True))
            found.append((outside, part, view.text, np.arange(len(outside))))
        found.sort(key=lambda own: int(own[0][0]))
        starts = np.cumsum([0] + [part.shape[self.axis] for _, part, _, _ in found])
        index = np.empty(count, np.intp)
        for (at, _, _, places), start in zip(found, starts[:-1], strict=True):
            index[at] = start + places
        rows = self._side_by_side([part for _, part, _, _ in found], [name for _, _, name, _ in found], starts)
        if starts[-1] == count and (index == np.arange(count)).all():
            return self._seen(reshape(rows, shape))
        return self._seen(reshape(self.chosen(rows, index), shape))

    def _seen(self, x: Symbol) -> View:
        found: View = self.named(x).detail
        return found

    def _side_by_side(self, parts: list[Symbol], names: list[str], starts: Index) -> Symbol:
        """Several arrays [count], each with the samples, as one, made once in a turn."""
        if len(parts) == 1:
            return parts[0]
        room = self.rooms.get(tuple(names))
        if room is None:
            room = self.rooms[tuple(names)] = self.room(int(starts[-1]), zeros=False)
            for part, low, high in zip(parts, starts[:-1].tolist(), starts[1:].tolist(), strict=True):
                self.statements.append(Put(self.from_axis(room, slice(low, high)), part))
        return leaf(room, room.shape)

    def in_loop(self, nodes: Nodes) -> Mask:
        """Which of the nodes [turns, count] of each turn are the loop's."""
        found = np.isin(self.layout.array_of[nodes], list(self.turning)) & (nodes >= 0)
        if (found != found[TYPICAL]).any():
            raise Unrollable
        return np.asarray(found[TYPICAL])

    def sources_now(self, nodes: Nodes, inside: Mask) -> list[tuple[Array, int, Index, Index]]:
        """Where those of the nodes [turns, count] that are the loop's are at turn t: arrays and their slots, see
        `turns_of`; which of the nodes each has, and at what places."""
        owners = self.layout.array_of[nodes]
        if (owners != owners[TYPICAL])[:, inside].any():
            raise Unrollable
        found = []
        for k in np.unique(owners[TYPICAL][inside]):
            array = self.layout.arrays[k]
            size, at = array.turn_size, np.flatnonzero((owners[TYPICAL] == k) & inside)
            places = self.layout.place_of[nodes[:, at]] - size * np.arange(len(nodes))[:, None]
            if (places != places[TYPICAL]).any():
                raise Unrollable
            for slot in np.unique(places[TYPICAL] // size).tolist():
                here = places[TYPICAL] // size == slot
                found.append((array, slot, at[here], places[TYPICAL][here] % size))
        return found

    def room(self, count: int, zeros: bool) -> View:
        """An array of so many entries for each sample, which a loop's turns write into."""
        self.temporaries += 1
        name, shape = f"t{self.temporaries}", self.full((count,), True)
        self.before.append(Definition(name, shape, None, zeros=zeros, empty=not zeros))
        return View(name, name, shape, contiguous(shape))

    def from_axis(self, view: View, *index: slice | int) -> View:
        """A view that depends on the sample at this index of its own axes."""
        return view.indexed([*[slice(None)] * self.axis, *index])

    def chosen(self, x: Symbol, places: Index) -> Symbol:
        """Some of the entries of an array [count] with the samples."""
        return Symbol("part", (x,), self.full((len(places),), True), (places, self.axis))

    def _along_samples(self, view: View) -> View:
        """A view of what is the same for all samples, so that it stretches over them."""
        return view if self.first else view.indexed([*[slice(None)] * len(view.shape), None])

    def all_of(self, array: Array, name: str) -> View:
        """An array, or its adjoint, with all that a loop has before its first turn."""
        shape = self.full(array.shape, array.is_batched)
        return View(name, name, shape, in_memory(shape, array.takes_turns))

    def whole(self, array: Array, name: str = "") -> Symbol:
        """All of an array; of a loop's all turns, or while they are written, turn t."""
        if not array.takes_turns:
            view = self.all_of(array, name or array.name)
        else:
            view = self.turns_of(array, name or array.name, array.own_slot)
            if self.turning:
                view = view.at_turn(self.axis)
        return leaf(view, view.shape)

    def turns_of(self, array: Array, name: str, slot: int) -> View:
        """All turns of a loop's array, or its adjoint, from a slot on: what they write (`Array.own_slot`), or what each
        finds from the one before (0)."""
        count = array.shape[0] - array.own_slot
        return self.from_axis(self.all_of(array, name), slice(slot, slot + count))

    # --- expressions

    def read(self, nodes: Nodes, batched: bool, row: int = NO_ROW) -> Symbol:
        """The array of these nodes' values, with their axes (an axis k in front for a row) and the samples."""
        if not row and nodes.size and nodes.min() >= 0 and (nodes == nodes.flat[0]).all():
            one = nodes.flat[0]
            if self.owner(nodes).bank == "constant":
                return number(float(self.layout.constants[self.layout.place_of[one]]))
        view, is_batched = self.view_now(nodes, int(bool(row)))
        if not self.first:  # an argument lies there the other way round
            self.copied |= self.arguments & {view.base}
        if self.first and is_batched and row:  # [k, N, ...]
            view = view.permuted([1, 0, *range(2, len(view.shape))])
        if batched and not is_batched:
            index: list[slice | None] = [slice(None)] * len(view.shape)
            if not self.first:
                index.append(None)
            elif row:
                index.insert(1, None)
            view = view.indexed(index)
        return leaf(view, view.shape, row)

    def operands(self, group: Group, batched: bool) -> list[Symbol | float]:
        """What a rule is run on."""
        row = ROWS if group.row else NO_ROW
        return [x if isinstance(x, float) else self.read(x, batched, row) for x in group.operands]

    def row_axis(self, nodes: Nodes, batched: bool) -> int:
        """Where the axis of a row is in memory: a rule is written with it in front, where it would be read in leaps."""
        view = self.read(nodes, batched, ROWS).detail
        if not batched or 0 in view.strides:
            return 0
        return sum(stride > view.strides[0] for stride in view.strides)

    def tensor(self, nodes: Nodes) -> Tensor:
        """Nodes [k, axes] as what `Contractor` multiplies: a view without the axes of size 1."""
        moved = np.moveaxis(nodes, 1, 0) if self.turning else nodes[None]
        one = moved[min(TYPICAL, len(moved) - 1)]
        keep = [a for a, size in enumerate(one.shape) if size > 1]
        sizes = [one.shape[a] for a in keep]
        if self.turning:
            view, batched = self.view_now(moved.reshape([len(moved), *sizes]), 0)
        else:
            view, batched = self.view(one.reshape(sizes))
        if not self.first and view.text not in (view.base, f"{view.base}.T"):
            self.copied |= self.arguments & {view.base}
        labels = self.labels([TERM if a == 0 else a - 1 for a in keep], batched)
        return Tensor(view, labels, view.base in self.zeroed and self.is_empty_where_missing(one))

    # --- masks

    def mask(self, real: Mask, batched: bool, row: int = NO_ROW) -> Symbol:
        """A mask as a symbol that stretches over the samples."""
        key = (real.tobytes(), real.shape)
        name = self.mask_names.get(key)
        if name is None:
            name = self.mask_names[key] = f"m{len(self.masks) + 1}"
            self.masks[name] = real
        view = View(name, name, real.shape, contiguous(real.shape))
        if batched and not self.first:
            view = view.indexed([*[slice(None)] * real.ndim, None])
        elif batched and row:
            view = view.indexed([slice(None), None, *[slice(None)] * (real.ndim - 1)])
        return leaf(view, view.shape, row)

    def masked(self, real: Mask, x: Symbol, batched: bool, other: float, row: int = NO_ROW) -> Symbol:
        """``x`` where there is a node, else ``other``."""
        if other == 0.0:
            x = self._bare(real, x, batched, row)
        if x.operator == "transpose" and len(x.shape) == real.ndim + batched and self.first == batched:
            back = sorted(range(len(x.shape)), key=lambda k: x.detail[k])
            view = self.mask(real, batched, row).detail
            view = view.indexed([*[None] * (len(x.shape) - len(view.shape)), *[slice(None)] * len(view.shape)])
            view = view.permuted(back)
            return transposed(leaf(view, view.shape).where(x.arguments[0], number(other)), x.detail)
        chosen = self.mask(real, batched, row).where(x, number(other))
        return Symbol("where", chosen.arguments, chosen.shape, None, row)

    def _bare(self, real: Mask, x: Symbol, batched: bool, row: int) -> Symbol:
        """An expression, entry by entry, of what is masked alike: that is done once, at its end."""
        if x.operator == "where" and x.arguments[0].operator == "leaf" and is_number(x.arguments[2], 0.0):
            mask = self.mask(real, batched, row)
            same = x.arguments[0].detail == mask.detail
            return x.arguments[1] if same and x.arguments[1].shape == x.shape else x
        if x.operator not in ("+", "-", "*", "/", "neg"):
            return x
        arguments = tuple(self._bare(real, a, batched, row) if a.shape == x.shape else a for a in x.arguments)
        return Symbol(x.operator, arguments, x.shape, x.detail, x.row)

    # --- names

    def named(self, x: Symbol, shape: Shape | None = None) -> Symbol:
        """An expression under a name, unless it is one that lies in memory in one piece."""
        shape = x.shape if shape is None else shape
        if x.operator == "leaf" and x.shape == shape and x.detail.strides == contiguous(shape):
            return x
        return self.defined(x, shape)

    def defined(self, x: Symbol, shape: Shape | None = None) -> Symbol:
        """An expression under a name, in memory of its own."""
        shape = x.shape if shape is None else shape
        self.temporaries += 1
        name = f"t{self.temporaries}"
        self.statements.append(Definition(name, shape, x))
        return leaf(View(name, name, shape, contiguous(shape)), shape, x.row)

    def inlined(self, x: Symbol) -> Symbol:
        """An expression in one piece of memory, under a name that `write.readable` does without."""
        found = self.named(x)
        last = self.statements[-1]
        if isinstance(last, Definition) and last.name == found.detail.base:
            last.copy = True
        return found

    def copied_out(self, view: View) -> View:
        """A view in one piece of memory."""
        found: View = self.inlined(leaf(view, view.shape)).detail
        return found

    def shared_once(self, x: Symbol) -> Symbol:
        """Name the subexpressions that occur more than once: what a rule says twice is computed once."""
        seen: dict[int, int] = {}
        waiting = [x]
        while waiting:
            s = waiting.pop()
            seen[id(s)] = seen.get(id(s), 0) + 1
            if seen[id(s)] == 1:
                waiting += s.arguments

        def change(old: Symbol, new: Symbol) -> Symbol:  # truth is no array of numbers
            named = seen[id(old)] > 1 and new.arguments and new.operator not in COMPARISONS
            return self.named(new) if named else new

        return mapped(x, change)

    # --- loops

    def begin(self, inside: set[int]) -> list[Statement]:
        """What is written from now on are the turns of a loop over these arrays."""
        self.turning, self.before = inside, self.statements
        self.gathers_now, self.rooms = {}, {}
        self.statements = []
        return self.statements

    def end(self, turns: Turns) -> None:
        self.statements = self.before
        self.turning = set()
        if turns.body:  # there is nothing to do on the way back where all that turns read is outside
            self.statements.append(turns)
