"""Pass 6, differentiate: the groups as statements on arrays, forward and then backward.

The derivative sheet is run on symbols that stand for whole arrays. Forward, each group is one definition. Backward,
each group takes its adjoint (the sum of what its consumers sent to it) and sends to each operand the adjoint times the
local derivative; an adjoint that is used once is not named but written in place. The two neurons, with h summed to the
loss:

    z1 = w1 @ x + b1[:, None]          dz1 = 1.0 - h1 * h1
    h1 = tanh(z1)                      dw1 = dz1 @ x.T
    s1 = sum(h1, 0)                    db1 = sum(dz1, -1)

The seed is 1 for every sample, so what goes back is the gradient of the sum; 1/N is applied once, to the flat gradient.
Arrays on which no parameter has an effect (the inputs, above all) get no adjoint.

**Loops.** What takes turns is written once, for turn t; what no turn needs, such as the product with the inputs before,
and the gradients of the weights after, is outside. Of a recurrent network over three time steps, there and back:

    t1 = (x.T.reshape(-1, 2) @ w1.T).reshape(-1, 3, 2)      for turn in reversed(range(3)):
    for turn in range(3):                                       dz1[:, turn] = dh1[:, turn + 1] * (1.0 - h1 * h1)
        z1[:, turn] = h1[:, turn] @ w2.T + t1[:, turn]          dh1[:, turn] += dz1[:, turn] @ w2
        h1[:, turn + 1] = tanh(z1[:, turn])                 dw2 = dz1 @ h1[:, 0:3], over turns and samples

**Padding.** Places of a box without a node hold anything, nan and inf, too. So whoever adds up over them leaves them
out (`where` with a mask, not a product with 0: 0·inf is nan), and adjoints are 0 there.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrange import Group, Nodes, Part
from .classes import Unrollable
from .contract import Contractor, Label, Tensor
from .index import TAKE
from .layout import Array, Layout
from .normalise import BATCHED, LINEAR
from .symbols import (
    BATCH,
    COMPARISONS,
    NO_ROW,
    ROWS,
    Shape,
    Symbol,
    broadcast,
    forward,
    leaf,
    number,
    partials,
    passed,
    total,
)
from .turns import TYPICAL
from .views import View, contiguous, even_steps, in_memory, view_of

Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
MAX_INLINE = 24  # longer expressions get a name
MAX_SUM = 200  # and so does the first part of a sum that is longer than this
SAMPLES: Label = "n"
TERM: Label = "k"
# operators of which the axes of the result are not those of the operands
WHOLE = {"leaf", "reshape", "transpose", "stretch", "sum", "max", "@", "gather", "part"}
WHOLE |= {"take", "take_along", "placed", "add_at"}


@dataclass(eq=False)
class Gather:
    """Entries collected from one or more arrays, in an order of their own."""

    arrays: list[Array]
    which: Index  # per entry, the number of its array in `arrays`
    place: Index  # per entry, its place there
    first: bool  # whether the samples are the first axis


@dataclass(eq=False)
class Store:
    """``expression`` goes to places ``index`` of the array that is being defined: assigned if nothing is there yet."""

    index: Index
    expression: Symbol
    accumulate: bool
    view: View | None  # the places as a slice, if they are one
    shape: Shape


@dataclass(eq=False)
class Definition:
    """``name = expression``, then the stores into parts of it; ``memory`` says where the array lies, if anywhere."""

    name: str
    shape: Shape
    expression: Symbol | None
    stores: list[Store] = field(default_factory=list)
    memory: tuple[str, int] | None = None
    zeros: bool = False  # the stores do not reach every place
    empty: bool = False  # what is in it comes later; with ``zeros``, around zeros that nothing changes
    copy: bool = False  # only to have in one piece what a product of matrices reads


@dataclass(eq=False)
class Put:
    """``target ← expression``, or with ``accumulate`` target ← target + expression, for a part of an array."""

    target: View
    expression: Symbol
    accumulate: bool = False
    index: Index | None = None  # the places in a turn, if they are not all of it,
    turn: int = 0  # and which: that so much after the loop's


@dataclass(eq=False)
class Turns:
    """Statements that are run for each turn t of a loop, from the first to the last or ``backward``."""

    count: int
    body: list[Statement]
    backward: bool = False


Statement = Definition | Put | Turns


@dataclass
class Program:
    layout: Layout
    forward: list[Statement]
    backward: list[Statement]
    copied_arguments: set[str]  # arguments that are read in other ways than by a product of matrices
    outputs: Gather  # the results
    gradients: dict[str, str]  # parameter array -> its gradient's name
    masks: dict[str, Mask]


def differentiate(layout: Layout, groups: Sequence[Group], outputs: Sequence[int], backward: bool) -> Program:
    """The whole program. ``outputs`` are node numbers; with ``backward`` there is one, and its adjoint is 1."""
    builder = _Builder(layout)
    for part in [part for group in groups for part in group.parts if part.real is not None]:
        for nodes in (part.x, part.weights):
            if nodes is not None and (nodes < 0).any():
                builder.ragged |= builder.owners(nodes)
    if backward and builder.first:
        builder.find_shares(groups, outputs)
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
        seed = np.array(outputs[0], dtype=np.intp)
        builder.contribute(seed, number(1.0), (), True)
        first_reader = _first_readers(layout, units)
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
    return Program(layout, builder.statements, reverse, copied, results, gradients, builder.masks)


def _first_readers(layout: Layout, units: Sequence[Sequence[Group]]) -> dict[int, list[Array]]:
    """For each group, or loop of groups, the parameter arrays that none before it reads."""
    seen: set[int] = set()
    result: dict[int, list[Array]] = {}
    for number_, unit in enumerate(units):
        for nodes in [nodes for group in unit for nodes in group.reads()]:
            for k in np.unique(layout.array_of[nodes[nodes >= 0]]):
                if k not in seen:
                    seen.add(int(k))
                    if layout.arrays[k].bank == "theta":
                        result.setdefault(number_, []).append(layout.arrays[k])
    return result


class _Builder:
    def __init__(self, layout: Layout) -> None:
        self.layout, self.first = layout, layout.samples_first
        self.statements: list[Statement] = []
        self.before: list[Statement] = []  # those before a loop, while its turns are written
        self.turning: set[int] = set()  # the numbers of the arrays of that loop
        self.after: set[int] = set()  # the numbers of the arrays of a loop that is over
        self.number = {a: k for k, a in enumerate(layout.arrays)}
        self.contributions: dict[Array, list[tuple[Nodes, Symbol]]] = {}
        self.copied: set[str] = set()
        self.gathers: dict[tuple[bytes, Shape, bool], str] = {}
        self.masks: dict[str, Mask] = {}
        self.mask_names: dict[tuple[bytes, Shape], str] = {}
        self.temporaries = 0
        self.ragged: set[int] = set()  # the numbers of arrays that are read in rows of different lengths,
        self.powers: dict[tuple[str, int, int], int] | None = None  # see `_known`
        self.shares: dict[Group, Group] = {}  # see `find_shares`
        self.totals: dict[Group, tuple[Symbol, Symbol]] = {}  # see `_with_total`
        self.unclean: set[Array] = set()  # adjoints that may be anything where there is no node
        self.zeroed: set[str] = set()  # and the names of those that are 0 where there is no node
        self.contractor = Contractor(self.named, self.copied_out, self.first)

    # --- shapes

    def full(self, sizes: Sequence[int], batched: bool) -> Shape:
        """Sizes with the samples, first or last."""
        if not batched:
            return tuple(sizes)
        return (BATCH, *sizes) if self.first else (*sizes, BATCH)

    def labels(self, count: int, batched: bool) -> list[Label]:
        axes: list[Label] = [*range(count)]
        return axes if not batched else [SAMPLES, *axes] if self.first else [*axes, SAMPLES]

    # --- reading

    def _view(self, nodes: Nodes) -> tuple[View, bool]:
        """These nodes' values as a view with their axes, and the samples if they are batched; else they are
        gathered."""
        real = nodes >= 0
        some = nodes[real]
        owners = self.layout.array_of[some]
        if (owners == owners[0]).all():
            array = self.layout.arrays[owners[0]]
            places = self.layout.place_of[nodes]
            steps = even_steps(places, None if len(some) == nodes.size else real, array.size)
            if steps is not None:
                batch = None if not array.is_batched else 0 if self.first else -1
                text = f"{array.name}.T" if array.bank == "argument" and self.first else array.name
                view = view_of(array.name, array.shape, steps, nodes.shape, batch, text, array.takes_turns)
                if view is not None:
                    return view, array.is_batched
        return self._gather(np.where(real, nodes, some[0]))

    def _view_now(self, nodes: Nodes, axis: int) -> tuple[View, bool]:
        """The same while turns are written: nodes have an axis for them, and the view is that at turn t."""
        if not self.turning:
            return self._view(nodes)
        if nodes.shape[axis] == 1:
            return self._view(np.take(nodes, 0, axis))
        view, batched = self._view(np.moveaxis(nodes, axis, 0))
        self.copied.update(a.name for a in self.layout.arrays if a.name == view.base and a.bank == "argument")
        return view.at_turn(int(batched)), batched

    def _gather(self, nodes: Nodes) -> tuple[View, bool]:
        """Define an array that collects these nodes."""
        owners = self.layout.array_of[nodes].reshape(-1)
        if self.turning & set(owners.tolist()):
            raise Unrollable
        numbers, which = np.unique(owners, return_inverse=True)
        arrays = [self.layout.arrays[k] for k in numbers]
        batched = any(a.is_batched for a in arrays)
        self.copied.update(a.name for a in arrays if a.bank == "argument" and not self.first)
        key = (nodes.tobytes(), nodes.shape, batched)
        name = self.gathers.get(key)
        shape = self.full(nodes.shape, batched)
        if name is None:
            name = self.gathers[key] = f"g{len(self.gathers) + 1}"
            places = self.layout.place_of[nodes].reshape(-1)
            gather = Symbol("gather", (), shape, Gather(arrays, which.reshape(-1), places, self.first))
            (self.before if self.turning else self.statements).append(Definition(name, shape, gather))
        return View(name, name, shape, contiguous(shape)), batched

    def read(self, nodes: Nodes, batched: bool, row: int = NO_ROW) -> Symbol:
        """The array of these nodes' values, with their axes (an axis k in front for a row) and the samples."""
        if nodes.size and (nodes == nodes.reshape(-1)[0]).all() and nodes.min() >= 0 and not row:
            array = self.layout.arrays[self.layout.array_of[nodes.reshape(-1)[0]]]
            if array.bank == "constant":
                return number(float(self.layout.constants[self.layout.place_of[nodes.reshape(-1)[0]]]))
        view, is_batched = self._view_now(nodes, int(bool(row)))
        if not self.first:  # an argument lies there the other way round
            self.copied.update(a.name for a in self.layout.arrays if a.name == view.base and a.bank == "argument")
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
        if x.operator == "transpose" and len(x.shape) == real.ndim + batched and self.first == batched:
            back = sorted(range(len(x.shape)), key=lambda k: x.detail[k])
            view = self.mask(real, batched, row).detail
            view = view.indexed([*[None] * (len(x.shape) - len(view.shape)), *[slice(None)] * len(view.shape)])
            view = view.permuted(back)
            return _transposed(leaf(view, view.shape).where(x.arguments[0], number(other)), x.detail)
        chosen = self.mask(real, batched, row).where(x, number(other))
        return Symbol("where", chosen.arguments, chosen.shape, None, row)

    def tensor(self, nodes: Nodes) -> Tensor:
        """Nodes [k, axes] as what `Contractor` multiplies: a view without the axes of size 1."""
        if self.turning:
            lead = (nodes.shape[1],)
            nodes = np.moveaxis(nodes, 1, 0)
            keep = [a for a, size in enumerate(nodes.shape[1:]) if size > 1]
            view, batched = self._view_now(nodes.reshape([*lead, *[nodes.shape[a + 1] for a in keep]]), 0)
        else:
            keep = [a for a, size in enumerate(nodes.shape) if size > 1]
            view, batched = self._view(nodes.reshape([nodes.shape[a] for a in keep]))
        if not self.first and view.text not in (view.base, f"{view.base}.T"):
            self.copied.update(a.name for a in self.layout.arrays if a.name == view.base and a.bank == "argument")
        labels: list[Label] = [TERM if a == 0 else a - 1 for a in keep]
        if batched:
            labels = [SAMPLES, *labels] if self.first else [*labels, SAMPLES]
        one = nodes[min(TYPICAL, len(nodes) - 1)] if self.turning else nodes
        return Tensor(view, labels, view.base in self.zeroed and self._empty_where_missing(one))

    def _empty_where_missing(self, nodes: Nodes) -> bool:
        """Whether nodes that are missing are missing in the box that the others lie in, too."""
        real = nodes >= 0
        if not real.any():
            return False
        array = self.layout.arrays[self.layout.array_of[nodes[real][0]]]
        steps = even_steps(self.layout.place_of[nodes], real, array.size)
        if steps is None or array.group is None:
            return False
        places = np.full((1,) * nodes.ndim, steps.offset)
        for axis, (step, size) in enumerate(zip(steps.strides, nodes.shape, strict=True)):
            places = places + (step * np.arange(size)).reshape([-1 if a == axis else 1 for a in range(nodes.ndim)])
        return bool((array.group.nodes.reshape(-1)[places[~real]] < 0).all())

    def all_of(self, array: Array, name: str) -> View:
        """An array, or its adjoint, with all that a loop has before its first turn."""
        shape = self.full(array.shape, array.is_batched)
        return View(name, name, shape, in_memory(shape, array.takes_turns))

    def whole(self, array: Array, name: str = "") -> Symbol:
        """All of an array; of a loop's all turns, or while they are written, turn t."""
        view = self.all_of(array, name or array.name)
        if array.group is not None and array.takes_turns:
            axis = int(array.is_batched)
            if array.group.initial is not None:
                view = view.indexed([*[slice(None)] * axis, slice(1, None), *[slice(None)] * (len(array.shape) - 1)])
            if self.turning:
                view = view.at_turn(axis)
        return leaf(view, view.shape)

    def sizes(self, group: Group) -> tuple[int, ...]:
        """A group's axes: in a loop with the turns, but not while these are written."""
        return group.computed.shape[1:] if self.turning else group.computed.shape

    def real(self, group: Group) -> Mask | None:
        return None if group.real is None else self._one_turn(group.real)

    def _one_turn(self, mask: Mask, axis: int = 0) -> Mask:
        """A mask without the axis of turns while these are written: all of them must be alike."""
        if not self.turning:
            return mask
        if (mask != np.take(mask, [0], axis)).any():
            raise Unrollable
        return np.asarray(np.take(mask, 0, axis))

    def _shared_once(self, x: Symbol) -> Symbol:
        """Name the subexpressions that occur more than once: what a rule says twice is computed once."""
        seen: dict[int, int] = {}
        waiting = [x]
        while waiting:
            s = waiting.pop()
            seen[id(s)] = seen.get(id(s), 0) + 1
            if seen[id(s)] == 1:
                waiting += s.arguments
        done: dict[int, Symbol] = {}

        def rebuild(s: Symbol) -> Symbol:
            if not s.arguments:
                return s
            if id(s) not in done:
                arguments = tuple(rebuild(a) for a in s.arguments)
                as_it_was = all(a is b for a, b in zip(arguments, s.arguments, strict=True))
                new = s if as_it_was else Symbol(s.operator, arguments, s.shape, s.detail, s.row)
                named = seen[id(s)] > 1 and s.operator not in COMPARISONS  # truth is no array of numbers
                done[id(s)] = self.named(new) if named else new
            return done[id(s)]

        return rebuild(x) if any(count > 1 for count in seen.values()) else x

    def copied_out(self, view: View) -> View:
        """A view in one piece of memory."""
        found: View = self.named(leaf(view, view.shape)).detail
        last = self.statements[-1]
        if isinstance(last, Definition) and last.name == found.base:
            last.copy = True
        return found

    def named(self, x: Symbol, shape: Shape | None = None) -> Symbol:
        shape = x.shape if shape is None else shape
        if x.operator == "leaf" and x.shape == shape and x.detail.strides == contiguous(shape):
            return x
        self.temporaries += 1
        name = f"t{self.temporaries}"
        self.statements.append(Definition(name, shape, x))
        return leaf(View(name, name, shape, contiguous(shape)), shape, x.row)

    # --- forward

    def find_shares(self, groups: Sequence[Group], outputs: Sequence[int]) -> None:
        """The groups exp(x - y), y = logsumexp(x), of which nobody else reads x - y: a softmax, each a share of one.

        Such a difference is not computed by itself, and the exp as the quotient that it is: see `_with_total`."""
        readers: dict[int, list[Group]] = {}
        for group in groups:
            for k in {k for nodes in group.reads() for k in self.owners(nodes)}:
                readers.setdefault(k, []).append(group)
        results = self.owners(np.array(outputs, dtype=np.intp))
        for k, some in readers.items():
            inner, group = self.layout.arrays[k].group, some[0]
            alone = len(some) == 1 and k not in results and k not in self.ragged
            if inner is None or not alone or group.op != "exp" or group.loop or inner.loop:
                continue
            if _is_difference(inner) and np.array_equal(group.operands[0], inner.computed):
                self.shares[group] = inner

    def _share(self, group: Group, batched: bool) -> Symbol | None:
        """exp(x - y) of such a group, if x is the row of which y was made, entry by entry."""
        inner = self.shares[group]
        (y,) = (part.x[0] for part in inner.parts if part.c < 0.0)
        row = self.layout.arrays[min(self.owners(y))].group
        if row is None or row not in self.totals or len(self.owners(y)) > 1:
            return None
        (x,) = (x for x in row.operands if not isinstance(x, float))
        place = max(self._row_axis(x, batched) - 1, 0)
        found = self._powers_of(row, "exp", x)
        if found is None or not np.array_equal(np.moveaxis(found, 0, place), group.computed):
            return None
        difference = self._linear(inner, batched)
        return Symbol("exp", (difference,), difference.shape, self.totals[row])

    def _powers_of(self, group: Group, op: str, x: Nodes) -> Nodes | None:
        """For each entry of the rows x of a group, with the result y, the node f(x - y), if there is one for all."""
        if self.powers is None:
            self.powers = _powers(list(self.layout.by_group))
        shape = len(x), *group.computed.shape
        xs, ys = (np.broadcast_to(nodes, shape).reshape(-1).tolist() for nodes in (x, group.computed))
        found = [-1 if a < 0 or b < 0 else self.powers.get((op, a, b)) for a, b in zip(xs, ys, strict=True)]
        return None if None in found else np.array(found, dtype=np.intp).reshape(shape)

    def _with_total(self, group: Group, expression: Symbol) -> Symbol:
        """log Σ exp(x - t), and whatever is around it, with names for the exp and their sum: for exp(x - y), where y is
        the result, is their quotient, and that takes half the time of another exp. In a small network it does not pay
        for looking whether the result is finite."""
        found = next((s.arguments[0] for s in _all_of(expression) if s.operator == "log"), None)
        if not self.first or self.turning or group.op != "logsumexp" or found is None or found.operator != "sum":
            return expression
        each = self._inline(found.arguments[0])
        whole = self._inline(Symbol("sum", (each,), found.shape, found.detail))
        self.totals[group] = each, whole
        return _replaced(expression, found, whole)

    def _inline(self, x: Symbol) -> Symbol:
        """A name for x, which `write.readable` does without."""
        named = self.named(x)
        last = self.statements[-1]
        if isinstance(last, Definition) and last.name == named.detail.base:
            last.copy = True
        return named

    def define(self, group: Group) -> None:
        array = self.layout.by_group[group]
        if any(group is inner and self._share(outer, True) is not None for outer, inner in self.shares.items()):
            return  # it is a part of the other
        batched = group.rank == BATCHED
        shape = self.full(array.shape, batched)
        share = self._share(group, batched) if group in self.shares else None
        if share is not None:
            expression = share
        elif group.op == LINEAR:
            expression = self._linear(group, batched)
        elif group.op == TAKE:
            expression = self._looked_up(group)
        else:
            expression = self._ruled(group, batched)
        if self.number[array] in self.ragged and group.real is not None:
            expression = self.masked(group.real, expression, batched, 0.0)
            self.zeroed.add(array.name)
        memory = ("batched" if batched else "shared", array.start)
        self.statements.append(Definition(array.name, shape, expression, memory=memory))

    def _ruled(self, group: Group, batched: bool) -> Symbol:
        """The rule of a group's operation; in rows of different lengths, folds leave out what is missing."""
        expression = forward(group.op, *self._operands(group, batched))
        if group.row:
            (nodes,) = (x for x in group.operands if not isinstance(x, float))
            if group.op == "logsumexp" and (nodes < 0).any():
                mask = self.mask(self._one_turn(nodes >= 0, 1), batched, ROWS)
                expression = _without_missing(expression, mask, {})
            place = self._row_axis(nodes, batched)
            if place:
                count = len(self.full(self.sizes(group), batched)) + 1
                expression = _dropped(_with_row_at(expression, place, count, {}), place)
            return self._with_total(group, self._shared_once(expression))
        return self._shared_once(expression)

    def _row_axis(self, nodes: Nodes, batched: bool) -> int:
        """Where the axis of a row is in memory: a rule is written with it in front, where it would be read in leaps."""
        view = self.read(nodes, batched, ROWS).detail
        if not self.first or not batched or 0 in view.strides:
            return 0
        return sum(stride > view.strides[0] for stride in view.strides)

    def _known(self, group: Group, p: Symbol, batched: bool) -> Symbol:
        """A local derivative f(x - y) of a row x with the result y, as it stands in the program already, if it does:
        softmax is exp(x - logsumexp(x)), and that is what goes back through logsumexp."""
        if not (group.row and len(p.arguments) == 1 and p.arguments[0].operator == "-"):
            return p
        left, right = p.arguments[0].arguments
        if left.row != ROWS or right.operator != "leaf" or right.detail.base != self.layout.by_group[group].name:
            return p
        (x,) = (x for x in group.operands if not isinstance(x, float))
        found = self._powers_of(group, p.operator, x)
        if found is not None:
            return self.read(found, batched, ROWS)
        return Symbol(p.operator, p.arguments, p.shape, self.totals.get(group), p.row)

    def _operands(self, group: Group, batched: bool) -> list[Symbol | float]:
        if group.row:
            (nodes,) = (x for x in group.operands if not isinstance(x, float))
            return [self.read(nodes, batched, ROWS)]
        return [x if isinstance(x, float) else self.read(x, batched) for x in group.operands]

    def _linear(self, group: Group, batched: bool) -> Symbol:
        terms: list[Symbol] = []
        for part in sorted(group.parts, key=lambda p: (p.weights is None, -p.c)):
            terms.append(self._part(group, part, batched) * part.c)
        if group.bias is not None:
            terms.append(self.read(group.bias, batched))
        return sum(terms[1:], terms[0])

    def define_loop(self, groups: Sequence[Group]) -> None:
        """The turns of a loop. What they need not do each time, products of what comes from outside, is done before."""
        arrays = [self.layout.by_group[g] for g in groups]
        if any(g.op == TAKE for g in groups):
            raise Unrollable
        inside = {self.number[a] for a in arrays}
        ready: dict[Group, Symbol] = {}
        for group in groups:
            ahead = [part for part in group.parts if self._is_ahead(part, inside)]
            if ahead and any(len(part.x) > 1 and part.weights is not None for part in ahead):
                biased = group.bias is not None and not inside & self.owners(group.bias)
                some = replace(group, parts=ahead, bias=group.bias if biased else None)
                shape = self.full(group.computed.shape, True)
                ready[group] = self.named(_stretched(self._linear(some, True), shape))
        begin: list[Put] = []
        for group, array in zip(groups, arrays, strict=True):
            shape = self.full(array.shape, True)
            first = None if group.initial is None else self.read(group.initial, True)
            zeros = first is not None and first.operator == "number" and first.detail == 0.0
            self.statements.append(Definition(array.name, shape, None, [], ("batched", array.start), zeros, True))
            if first is not None and not zeros:
                view = self.all_of(array, array.name).indexed([slice(None), 0])
                begin.append(Put(view, first))
        self.statements += begin
        body = self._begin(inside)
        for group, array in zip(groups, arrays, strict=True):
            if group in ready:
                done = ready[group].detail.at_turn(1)
                rest = [part for part in group.parts if not self._is_ahead(part, inside)]
                biased = group.bias is not None and bool(inside & self.owners(group.bias))
                expression = leaf(done, done.shape)
                if rest or biased:
                    some = replace(group, parts=rest, bias=group.bias if biased else None)
                    expression = self._linear(some, True) + expression
            elif group.op == LINEAR:
                expression = self._linear(group, True)
            else:
                expression = self._ruled(group, True)
            real = self.real(group)
            if real is not None and self.number[array] in self.ragged:
                expression = self.masked(real, expression, True, 0.0)
                self.zeroed.add(array.name)
            self.statements.append(Put(self.whole(array).detail, expression))
        loop = groups[0].loop
        assert loop is not None
        self._end(Turns(loop.count, body))

    def owners(self, nodes: Nodes) -> set[int]:
        return set(np.unique(self.layout.array_of[nodes[nodes >= 0]]).tolist())

    def _is_ahead(self, part: Part, inside: set[int]) -> bool:
        found = self.owners(part.x) if part.weights is None else self.owners(part.x) | self.owners(part.weights)
        return not found & inside

    def _begin(self, inside: set[int]) -> list[Statement]:
        self.turning, self.before = inside, self.statements
        self.statements = []
        return self.statements

    def _end(self, turns: Turns) -> None:
        self.statements = self.before
        self.turning = set()
        self.statements.append(turns)

    def _part(self, group: Group, part: Part, batched: bool) -> Symbol:
        count = len(part.x)
        if part.weights is None:
            if count == 1:
                return self.read(part.x[0], batched)
            x = self.read(part.x, batched, ROWS)
            if part.real is not None:
                x = self.masked(self._one_turn(part.real, 1), x, batched, 0.0, ROWS)
            return total(Symbol(x.operator, x.arguments, x.shape, x.detail, NO_ROW), 0)
        a, b, frame = self.tensor(part.weights), self.tensor(part.x), self._frame(group, batched)
        if count > 1 and TERM not in a.labels and TERM not in b.labels:  # the same product, several times
            return self.contractor.product(a, b, frame, None) * float(count)
        real = None if part.real is None else self._one_turn(part.real, 1)
        return self.contractor.product(a, b, frame, self._part_mask(real))

    def _frame(self, group: Group, batched: bool) -> dict[Label, int]:
        sizes = self.sizes(group)
        return {a: BATCH if a == SAMPLES else sizes[int(a)] for a in self.labels(len(sizes), batched)}

    def _part_mask(self, real: Mask | None) -> tuple[Tensor, Mask] | None:
        """A mask over [k, axes] as a tensor."""
        if real is None:
            return None
        keep = [a for a, size in enumerate(real.shape) if size > 1]
        small = real.reshape([real.shape[a] for a in keep])
        symbol = self.mask(small, False)
        return Tensor(symbol.detail, [TERM if a == 0 else a - 1 for a in keep]), small

    # --- look-ups

    def _looked_up(self, group: Group) -> Symbol:
        """What an index finds: rows of a table that is the same everywhere, or of each row the entry that it says."""
        (rows,) = (x for x in group.operands if not isinstance(x, float))
        full = self.full(group.nodes.shape, True)
        if self._is_table(group, rows):
            view, _ = self._view(rows.reshape([s for s in rows.shape if s > 1] or [1]))
            table = _reshape(leaf(view, view.shape), tuple(s for k, s in enumerate(rows.shape) if not k or s > 1))
            index, order = self._chosen(group, True), self._order_of_look_up(group, rows)
            found = Symbol("take", (table, index), (*index.shape, *table.shape[1:]))
            return _stretched(_reshape(_transposed(found, order), self._seen_in_look_up(group, rows)), full)
        table, place = self._rows_to_look_into(rows)
        index = self._chosen(group, False)
        shape = broadcast(index.shape, (*table.shape[:place], *table.shape[place + 1 :]))
        return _stretched(Symbol("take_along", (table, index), shape, place), full)

    def _is_table(self, group: Group, rows: Nodes) -> bool:
        """Whether what is chosen from neither depends on the sample, nor on what the index depends on."""
        assert group.index is not None
        both = [a > 1 and b > 1 for a, b in zip(group.index.shape, rows.shape[1:], strict=True)]
        batched = any(self.layout.arrays[k].is_batched for k in self.owners(rows))
        return not batched and not any(both) and bool((rows >= 0).all())

    def _order_of_look_up(self, group: Group, rows: Nodes) -> list[int]:
        """How the axes of ``take(table, index)``, the index's and then the table's, come to lie as the group's."""
        assert group.index is not None
        mine = [a for a, size in enumerate(group.index.shape) if size > 1]
        theirs = [a for a, size in enumerate(rows.shape[1:]) if size > 1]
        found = [*([SAMPLES] if self.first else []), *mine, *([] if self.first else [SAMPLES]), *theirs]
        wanted = [a for a in self.labels(group.nodes.ndim, True) if a in found]
        return [found.index(a) for a in wanted]

    def _seen_in_look_up(self, group: Group, rows: Nodes) -> Shape:
        """The group's shape with size 1 along axes that neither the index nor the table has."""
        assert group.index is not None
        sizes = [max(a, b) for a, b in zip(group.index.shape, rows.shape[1:], strict=True)]
        return self.full(sizes, True)

    def _rows_to_look_into(self, rows: Nodes) -> tuple[Symbol, int]:
        """Rows, each with its samples, in memory of the program's own, and at which axis their entries are."""
        batched = any(self.layout.arrays[k].is_batched for k in self.owners(rows))
        x = self.read(rows, True, ROWS)
        if not isinstance(x.detail, View) or any(
            a.name == x.detail.base and a.bank == "argument" for a in self.layout.arrays
        ):
            self.temporaries += 1
            name = f"t{self.temporaries}"
            self.statements.append(
                Definition(name, x.shape, Symbol(x.operator, x.arguments, x.shape, x.detail, NO_ROW))
            )
            x = leaf(View(name, name, x.shape, contiguous(x.shape)), x.shape)
        place = self._row_axis(rows, batched)
        view = x.detail.permuted([*range(1, place + 1), 0, *range(place + 1, len(x.shape))])
        return leaf(view, view.shape), place

    def _chosen(self, group: Group, squeezed: bool) -> Symbol:
        """The index of a look-up, whole numbers, with the group's axes; ``squeezed``, without those of size 1."""
        assert group.index is not None
        nodes = group.index.reshape([s for s in group.index.shape if s > 1]) if squeezed else group.index
        real = nodes >= 0
        nodes = np.where(real, nodes, nodes[real][0])
        array = self.layout.arrays[self.layout.array_of[nodes.flat[0]]]
        places, batch = self.layout.place_of[nodes], 0 if self.first else -1
        text, size = f"{array.name}.T" if self.first else array.name, self.full(array.shape, True)
        steps = even_steps(places, None if real.all() else real, array.size)
        view = None if steps is None else view_of(array.name, array.shape, steps, nodes.shape, batch, text)
        if view is not None:
            e = leaf(view, view.shape)
        else:
            flat = self.full((nodes.size,), True)
            given = leaf(View(array.name, text, size, contiguous(size)), size)
            e = _reshape(
                Symbol("part", (given,), flat, (places.reshape(-1), int(self.first))), self.full(nodes.shape, True)
            )
        return e if array.whole else Symbol("whole", (e,), e.shape)

    def _reverse_look_up(self, group: Group, array: Array) -> None:
        """What came to each place goes to what was found there, and nothing to the rest."""
        (rows,) = (x for x in group.operands if not isinstance(x, float))
        d = self.adjoint(array, 1)
        if d is None or not self._active(rows):
            return
        full, count = self.full(group.nodes.shape, True), len(rows)
        if self._is_table(group, rows):
            index, order = self._chosen(group, True), self._order_of_look_up(group, rows)
            if group.real is not None:
                d = self.masked(group.real, d, True, 0.0)
            shape, seen = (count, *[s for s in rows.shape[1:] if s > 1]), self._seen_in_look_up(group, rows)
            d = _stretched(d, full)
            if seen != full:
                axes = tuple(a for a, (one, size) in enumerate(zip(seen, full, strict=True)) if one != size)
                d = Symbol("sum", (d,), seen, (axes, True))
            moved = _reshape(d, tuple((*index.shape, *shape[1:])[k] for k in order))
            moved = _transposed(moved, sorted(range(len(order)), key=lambda k: order[k]))
            e = Symbol("add_at", (moved, index), shape)
            self.contribute(rows, _reshape(e, rows.shape), rows.shape, False)
            return
        batched = any(self.layout.arrays[k].is_batched for k in self.owners(rows))
        place, index = self._row_axis(rows, batched), self._chosen(group, False)
        d = d if d.operator == "number" else _stretched(d, full)
        e = Symbol("placed", (d, index), (*full[:place], count, *full[place:]), place)
        order = [place, *[a for a in range(len(e.shape)) if a != place]]
        self._send(group, rows, _transposed(e, order), True, False)

    # --- backward

    def contribute(self, nodes: Nodes, e: Symbol, sizes: tuple[int, ...], batched: bool) -> None:
        """Send ``e`` to the adjoints of these nodes. e stretches to ``sizes``, and to N if it comes from a batched
        group; where ``nodes`` has size 1, and what goes to a shared node over the batch, it is summed. It has to be 0
        where it is summed over places without a node."""
        if self.turning:
            self._contribute_now(nodes, e, sizes)
            return
        real = nodes >= 0
        owners = self.layout.array_of[nodes[real]]
        numbers = np.unique(owners)
        arrays = [self.layout.arrays[k] for k in numbers]
        if not any(a.active for a in arrays):
            return
        to_shared = batched and not any(a.is_batched for a in arrays)
        e = self._summed(e, nodes.shape, sizes, batched, to_shared)
        inner = batched and not to_shared
        if len(arrays) == 1:
            self.contributions.setdefault(arrays[0], []).append((nodes, e))
            return
        # entries of several arrays: name the expression, and send each array its part
        full = self.full(nodes.shape, inner)
        axis = 1 if self.first and inner else 0
        t = self.named(e, full)
        flat = (*full[:axis], nodes.size, *full[axis + nodes.ndim :])
        view = t.detail.reshaped(flat)
        t = leaf(view, flat)
        of = np.where(real, self.layout.array_of[nodes], -1).reshape(-1)
        for k, array in zip(numbers, arrays, strict=True):
            if array.active:
                chosen = np.flatnonzero(of == k)
                shape = (*flat[:axis], len(chosen), *flat[axis + 1 :])
                part = Symbol("part", (t,), shape, (chosen, axis))
                if inner and not array.is_batched:
                    part = total(part, shape.index(BATCH))
                self.contributions.setdefault(array, []).append((nodes.reshape(-1)[chosen], part))

    def _contribute_now(self, nodes: Nodes, e: Symbol, sizes: tuple[int, ...]) -> None:
        """The same while turns are written: ``nodes`` has the turns in front. What goes to the turn before is added to
        its adjoint at once."""
        (number_,) = self.owners(nodes)
        array = self.layout.arrays[number_]
        e = self._summed(e, nodes.shape[1:], sizes, True, False)
        own = self._slot(array, nodes[TYPICAL])
        assert array.group is not None
        if own == TYPICAL + (array.group.initial is not None):
            self.contributions.setdefault(array, []).append((nodes[TYPICAL], e))
            return
        view = self._view(nodes)[0]
        name = "d" + array.name
        target = replace(view, base=name, text=name + view.text.removeprefix(array.name), before=None).at_turn(1)
        index = self.layout.place_of[nodes[TYPICAL]] % int(np.prod(array.shape[1:]))
        self.statements.append(Put(target, e, True, index, own - TYPICAL))

    def _slot(self, array: Array, nodes: Nodes) -> int:
        """The first axis's index at which these nodes are."""
        slots = self.layout.place_of[nodes[nodes >= 0]] // int(np.prod(array.shape[1:]))
        if (slots != slots[0]).any():
            raise Unrollable
        return int(slots[0])

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
                times = leaf(View("n", "n", (), ()), ()) if is_samples else number(float(size))
                factor = times if factor is None else factor * times
        if axes and e.operator == "neg":  # one sign for the sum
            return -self._summed(e.arguments[0], shape, sizes, batched, to_shared)
        if axes and e.operator == "*" and e.arguments[1].operator == "number":
            return self._summed(e.arguments[0], shape, sizes, batched, to_shared) * e.arguments[1]
        if axes:
            e = Symbol("sum", (e,), tuple(1 if a in axes else s for a, s in enumerate(e.shape)), (tuple(axes), True))
        if factor is not None:
            e = e * factor if e.operator != "number" or not is_one(e) else factor
        if to_shared and len(e.shape) == len(frame) - offset and len(e.shape) and place - offset >= 0:
            e = _dropped(e, place - offset)
        return e

    def adjoint(self, array: Array, uses: int) -> Symbol | None:
        """The sum of what was sent to an array; defined under a name unless it is short and used once."""
        sent = self.contributions.pop(array, None)
        if not sent:
            return None
        name = "d" + array.name
        shape = self.full(array.shape, array.is_batched)
        expression: Symbol | None = None
        stores: list[Store] = []
        for nodes, e in sent:
            whole = self._covering(array, nodes, e)
            if whole is not None:
                if expression is not None and expression.size > MAX_SUM:
                    expression = self.named(expression)
                expression = whole if expression is None else expression + whole
            else:
                stores.append(self._store(name, array, nodes, e))
        if expression is not None and not stores:
            plain = expression.operator in ("leaf", "number") and array.bank != "theta"
            if plain or (uses <= 1 and expression.size <= MAX_INLINE):
                return expression
        zeros = _settle(stores, array.size, expression is not None)
        bank = {"theta": "gradient", "shared": "shared_adjoint", "batched": "adjoint"}[array.bank]
        self.statements.append(Definition(name, shape, expression, stores, (bank, array.start), zeros))
        return leaf(self.all_of(array, name), shape)

    def _covering(self, array: Array, nodes: Nodes, e: Symbol) -> Symbol | None:
        """e in the shape of the array, if it goes to every place of it, in some order of the axes."""
        if nodes.size != array.size:
            return None
        real = nodes >= 0
        steps = even_steps(self._places(array, nodes), None if real.all() else real, array.size)
        if steps is None or steps.offset != 0:
            return None
        order = sorted(range(nodes.ndim), key=lambda a: -steps.strides[a] if nodes.shape[a] > 1 else 0)
        big = [a for a in order if nodes.shape[a] > 1]
        if [steps.strides[a] for a in big] != [*contiguous([nodes.shape[a] for a in big])]:
            return None
        full = self.full(nodes.shape, array.is_batched)
        shift = int(self.first and array.is_batched)
        if big != sorted(big):
            e = _stretched(e, full)
            axes = [a for a in range(nodes.ndim) if a not in big] + big
            moved = [*range(shift), *[a + shift for a in axes], *range(nodes.ndim + shift, len(full))]
            e = _transposed(e, moved)
            full = e.shape
        target = self.full(array.shape, array.is_batched)
        if full != target and e.shape != target:
            if e.shape == () or (len(e.shape) < len(full) and e.shape == target[len(target) - len(e.shape) :]):
                return e
            e = _reshape(_stretched(e, full), target)
        return e

    def _places(self, array: Array, nodes: Nodes) -> Index:
        """Where nodes are in an array, or in a turn of it."""
        places = self.layout.place_of[nodes]
        return places % array.size if self.turning else places

    def _store(self, name: str, array: Array, nodes: Nodes, e: Symbol) -> Store:
        if nodes.ndim == 0:
            nodes = nodes.reshape(1)
            if e.shape:
                e = _reshape(_stretched(e, self.full((), array.is_batched)), self.full((1,), array.is_batched))
        real = nodes >= 0
        places = self._places(array, nodes)
        size = self.full(nodes.shape, array.is_batched)
        steps = even_steps(places, None if real.all() else real, array.size)
        view = None
        if steps is not None:
            batch = None if not array.is_batched else 0 if self.first else -1
            view = view_of(name, array.shape, steps, nodes.shape, batch, "", array.takes_turns)
            index = np.full((1,) * nodes.ndim, steps.offset)
            for axis, (s, n) in enumerate(zip(steps.strides, nodes.shape, strict=True)):
                index = index + (s * np.arange(n)).reshape([-1 if a == axis else 1 for a in range(nodes.ndim)])
            return Store(index, e, True, view, size)
        if not real.all():
            flat = _reshape(_stretched(e, size), self.full((nodes.size,), array.is_batched))
            chosen = np.flatnonzero(real.reshape(-1))
            axis = int(self.first and array.is_batched)
            shape = self.full((len(chosen),), array.is_batched)
            return Store(
                places.reshape(-1)[chosen],
                Symbol("part", (self.named(flat),), shape, (chosen, axis)),
                True,
                None,
                shape,
            )
        return Store(places, e, True, None, size)

    def reverse(self, group: Group) -> None:
        array = self.layout.by_group[group]
        if array not in self.contributions:
            return
        batched = group.rank == BATCHED
        if group.op == LINEAR:
            self._reverse_linear(group, array, batched)
            return
        if group.op == TAKE:
            self._reverse_look_up(group, array)
            return
        local = partials(group.op, self.whole(array), *self._operands(group, batched))
        sent = [
            (x, p)
            for x, p in zip(group.operands, local, strict=True)
            if p is not None and not isinstance(x, float) and self._active(x)
        ]
        if not sent:
            del self.contributions[array]
            return
        d = self.adjoint(array, len(sent))
        assert d is not None
        self._reverse_rule(group, d, sent, len(local), batched)

    def _reverse_rule(
        self, group: Group, d: Symbol, sent: list[tuple[Nodes, Symbol]], count: int, batched: bool
    ) -> None:
        products = tuple([passed(d, self._known(group, p, batched)) for _, p in sent])
        if count > 1 or group.row:  # name what several local derivatives share
            products = self._shared_once(Symbol("tuple", products, ())).arguments
        if group.row:
            place = self._row_axis(sent[0][0], batched)
            if place:
                count = len(self.full(self.sizes(group), batched)) + 1
                order = (place, *[a for a in range(count) if a != place])
                products = tuple(_transposed(_with_row_at(e, place, count, {}), order) for e in products)
        for (operand, _), e in zip(sent, products, strict=True):
            clean = e.operator == "leaf" and self.layout.by_group[group] not in self.unclean
            self._send(group, operand, e, batched, clean)

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
                moved = (1, 0, *range(2, len(e.shape)))
                if e.operator == "reshape" and e.shape[0] == 1:
                    e = _reshape(e.arguments[0], (e.shape[1], 1, *e.shape[2:]))
                    moved = (*range(len(e.shape)),)
                e = _transposed(e, moved)
        real = self.real(group)
        missing = nodes < 0
        if terms is not None:
            missing = missing | ~terms
        if turning:
            missing = ~self._one_turn(~missing, int(row))
            nodes = np.moveaxis(nodes, int(row), 0)
        if (real is not None and not clean) or missing.any():
            both = ~missing if real is None else ~missing & (real[None] if row else real)
            if not (clean and real is not None and (both == (real[None] if row else real)).all()):
                e = self.masked(both, e, batched, 0.0)
        self.contribute(nodes, e, sizes, batched)

    @staticmethod
    def _times(factor: Symbol, y: Tensor, out: dict[Label, int], frame: dict[Label, int]) -> Symbol:
        """A number times y, summed over what the result has not."""
        for label, size in frame.items():
            if label not in out and label not in y.labels:
                factor = factor * (leaf(View("n", "n", (), ()), ()) if size == BATCH else number(float(size)))
        axes = tuple(k for k, label in enumerate(y.labels) if label not in out)
        rest = [label for label in y.labels if label in out]
        e = leaf(y.view, y.view.shape)
        if axes:
            e = Symbol("sum", (e,), tuple(s for k, s in enumerate(e.shape) if k not in axes), (axes, False))
            if rest != [label for label in out if label in rest] or len(rest) < len(out):
                order = [rest.index(label) for label in out if label in rest]
                e = (
                    Symbol("transpose", (e,), tuple(e.shape[k] for k in order), tuple(order))
                    if order != sorted(order)
                    else e
                )
                e = _reshape(e, tuple(size if label in rest else 1 for label, size in out.items()))
        else:
            view = y.ordered([*out])
            e = leaf(view, view.shape)
        return e * factor

    def _as_it_lies(self, nodes: Nodes) -> tuple[list[Label], Nodes]:
        """Nodes [k, axes] without axes of size 1, with the others in the order in which they lie in memory."""
        real = nodes >= 0
        places = self.layout.place_of[nodes]
        steps: dict[int, int] = {}
        for axis, size in enumerate(nodes.shape):
            if size > 1:
                both = np.take(real, [0], axis) & np.take(real, [1], axis)
                apart = np.take(places, [1], axis) - np.take(places, [0], axis)
                steps[axis] = int(apart[both][0]) if both.any() else 0
        keep = sorted(steps, key=lambda a: -steps[a])
        rest = [a for a in range(nodes.ndim) if a not in steps]
        moved = nodes.transpose(*rest, *keep).reshape([nodes.shape[a] for a in keep])
        return [TERM if a == 0 else a - 1 for a in keep], moved

    def _masks_itself(self, nodes: Nodes) -> bool:
        """Whether the group of these nodes multiplies what it gets by slopes, and then leaves out where it has none."""
        owners = self.owners(nodes)
        array = self.layout.arrays[min(owners)]
        if len(owners) > 1 or array.group is None or array.group.op == LINEAR or not self._empty_where_missing(nodes):
            return False
        self.unclean.add(array)
        return True

    def _active(self, nodes: Nodes) -> bool:
        """Whether something is to be sent to some of these nodes: while turns are written to those in the loop, and
        when they are over to the others."""
        owners = self.owners(nodes)
        if self.turning and owners & self.turning and not owners <= self.turning:
            raise Unrollable
        return any(
            self.layout.arrays[k].active and (k in self.turning or not self.turning) and k not in self.after
            for k in owners
        )

    # --- backward through a loop

    def reverse_loop(self, groups: Sequence[Group]) -> None:
        """The turns of a loop from the last to the first; then what goes to nodes outside, from all turns at once."""
        arrays = {g: self.layout.by_group[g] for g in groups}
        inside = {self.number[a] for a in arrays.values()}
        reached, before = self._reached(groups, inside)
        if not reached:
            return
        count = groups[0].loop.count if groups[0].loop else 0
        adding = {g for g in reached if g in before or arrays[g] in self.contributions}
        for group in groups:  # those that begin with zeros, or with anything
            array = arrays[group]
            if group in reached and array not in self.contributions:
                shape, start = self.full(array.shape, True), group in before
                memory = "adjoint", array.start
                self.statements.append(Definition("d" + array.name, shape, None, [], memory, start, not start))
        for group in groups:
            array, name = arrays[group], "d" + arrays[group].name
            if group in reached and array in self.contributions:
                found = self.adjoint(array, uses=2)
                assert found is not None
                if found.operator != "leaf" or found.detail.text != name:
                    shape = self.full(array.shape, True)
                    self.statements.append(Definition(name, shape, found, memory=("adjoint", array.start)))
        body = self._begin(inside)
        for group in reversed(groups):
            if group in reached:
                d = self._adjoint_now(arrays[group], group in adding)
                self._back(group, d)
        self._end(Turns(count, body, True))
        self.after = inside
        for group in reversed(groups):
            if group in reached:
                self._back(group, self.whole(arrays[group], "d" + arrays[group].name))
        self.after = set()
        for group in reversed(groups):
            initial = group.initial
            if initial is not None and group in reached and self._active(initial):
                view = self.all_of(arrays[group], "d" + arrays[group].name).indexed([slice(None), 0])
                e = leaf(view, view.shape)
                if (initial < 0).any():
                    e = self.masked(initial >= 0, e, True, 0.0)
                self.contribute(initial, e, initial.shape, True)

    def _reached(self, groups: Sequence[Group], inside: set[int]) -> tuple[set[Group], set[Group]]:
        """The groups of a loop to which a gradient comes, and those of them to whose turn before one is sent."""
        reached = {g for g in groups if self.layout.by_group[g] in self.contributions}
        before: set[Group] = set()
        more = True
        while more:
            size = len(reached), len(before)
            for group in [*reached]:
                for nodes in group.reads():
                    if group.initial is not None and nodes is group.initial:
                        continue
                    for k in self.owners(nodes) & inside:
                        array = self.layout.arrays[k]
                        if array.active and array.group is not None:
                            reached.add(array.group)
                            axis = nodes.ndim - group.computed.ndim
                            one = np.asarray(np.take(nodes, TYPICAL, axis)) if nodes.shape[axis] > 1 else nodes
                            mine = one[(one >= 0) & (self.layout.array_of[one] == k)]
                            if self._slot(array, mine) == TYPICAL - 1 + (array.group.initial is not None):
                                before.add(array.group)
            more = size != (len(reached), len(before))
        return reached, before

    def _adjoint_now(self, array: Array, adding: bool) -> Symbol:
        """What was sent to turn t of an array goes into its adjoint, which is given back."""
        slot = self.whole(array, "d" + array.name)
        one = replace(array, shape=array.shape[1:], group=None)  # as an array of its own
        expression: Symbol | None = None
        stores: list[Store] = []
        for nodes, e in self.contributions.pop(array, []):
            whole = self._covering(one, nodes, e)
            if whole is not None:
                expression = whole if expression is None else expression + whole
            else:
                stores.append(self._store("d" + array.name, one, nodes, e))
        zeros = _settle(stores, one.size, adding or expression is not None)
        if expression is not None:
            self.statements.append(Put(slot.detail, expression, adding))
        elif zeros and not adding:
            self.statements.append(Put(slot.detail, number(0.0)))
        for store in stores:
            if store.view is None:
                raise Unrollable
            inner = store.view.text.removeprefix("d" + array.name)
            text = slot.detail.text
            text = f"{text[:-1]}, {inner[4:]}" if inner.startswith("[:, ") else text + inner
            target = replace(store.view, text=text, before=None, in_turns=True)
            turn = int(array.group is not None and array.group.initial is not None)
            self.statements.append(Put(target, store.expression, store.accumulate, store.index, turn))
        return slot

    def _back(self, group: Group, d: Symbol) -> None:
        """Send what goes back from the adjoint d."""
        if group.op == LINEAR:
            self._linear_back(group, d, True)
            return
        if not any(self._active(x) for x in group.operands if not isinstance(x, float)):
            return
        local = partials(group.op, self.whole(self.layout.by_group[group]), *self._operands(group, True))
        sent = [
            (x, p)
            for x, p in zip(group.operands, local, strict=True)
            if p is not None and not isinstance(x, float) and self._active(x)
        ]
        if sent:
            self._reverse_rule(group, d, sent, len(local), True)

    def _reverse_linear(self, group: Group, array: Array, batched: bool) -> None:
        reads = [*[part.x for part in group.parts if part.weights is None], group.bias]
        uses = sum(x is not None and self._active(x) for x in reads)
        uses += sum(2 for part in group.parts if part.weights is not None)
        d = self.adjoint(array, uses)
        if d is not None:
            self._linear_back(group, d, batched)

    def _linear_back(self, group: Group, d: Symbol, batched: bool) -> None:
        for part in group.parts:
            if part.weights is None:
                if self._active(part.x):
                    self._reverse_sum(group, part, d, batched)
            else:
                self._reverse_product(group, part, d, batched)
        if group.bias is not None and self._active(group.bias):
            self._send(group, group.bias, d, batched, clean=True)

    def _reverse_sum(self, group: Group, part: Part, d: Symbol, batched: bool) -> None:
        if len(part.x) == 1:
            self._send(group, part.x[0], d * part.c, batched, clean=True)
            return
        e = d * part.c
        if e.shape:  # stretches along k
            frame = self.full(self.sizes(group), batched)
            e = _stretched(e, frame) if len(e.shape) < len(frame) else e
            e = _reshape(e, (1, *e.shape))
        self._send(group, part.x, e, batched, clean=True, terms=part.real)

    def _both_batched(self, part: Part) -> bool:
        """Whether a gradient goes to both factors of a sum of products, and for each sample."""
        sides = [x for x in (part.x, part.weights) if x is not None and self._active(x)]
        return len(sides) == 2 and all(self.layout.arrays[k].is_batched for x in sides for k in self.owners(x))

    def _reverse_product(self, group: Group, part: Part, d: Symbol, batched: bool) -> None:
        assert part.weights is not None
        wide: Tensor | None = None
        frame = self._frame(group, batched)
        real = None if part.real is None else self._one_turn(part.real, 1)
        present = self.real(group)
        if present is not None:
            real = present[None] if real is None else real & present[None]
        turning = bool(self.turning)
        twice = np.array_equal(part.weights, part.x)  # a square: both factors get the same
        for mine, other in ((part.weights, part.x), (part.x, part.weights))[twice:]:
            if not self._active(mine):
                continue
            owners = np.unique(self.layout.array_of[mine[mine >= 0]])
            is_batched = any(self.layout.arrays[k].is_batched for k in owners)
            order, nodes = self._as_it_lies(mine.take(min(TYPICAL, mine.shape[1] - 1), 1) if turning else mine)
            out = dict(zip(order, nodes.shape, strict=True))
            if batched and is_batched:
                out = {SAMPLES: BATCH, **out} if self.first else {**out, SAMPLES: BATCH}
            goal = nodes
            if turning:  # the same nodes of all turns
                goal = np.moveaxis(mine, 1, 0)
                axes = [0 if a == TERM else int(a) + 1 for a in order]
                rest = [a for a in range(mine.ndim - 1) if a not in axes]
                goal = goal.transpose(0, *[a + 1 for a in (*rest, *axes)]).reshape(len(goal), *nodes.shape)
            if is_plain(d) and real is None:
                c = 2.0 * part.c if twice else part.c
                e = self._times(d * c, self.tensor(other), out, {TERM: len(part.x), **frame})
                self.contribute(goal, e, nodes.shape, batched and is_batched)
                continue
            if wide is None:
                shape = self.full(self.sizes(group), batched)
                if part.c != 1.0 and batched and not twice and self._both_batched(part):  # once, and not on both sides
                    d, part = self.named(d * part.c, shape), replace(part, c=1.0)
                named = d if d.operator == "leaf" and d.shape == shape else self.named(d, shape)
                wide = Tensor(named.detail, self.labels(len(self.sizes(group)), batched), zeroed=True)
            y = self.tensor(other)
            e = self.contractor.product(wide, y, out, self._part_mask(real), {TERM: len(part.x), **frame})
            e = e * (2.0 * part.c if twice else part.c)
            if len(part.x) > 1 and TERM not in out and TERM not in y.labels:
                e = e * float(len(part.x))
            if (nodes < 0).any() and not self._masks_itself(nodes):
                e = self.masked(nodes >= 0, e, batched and is_batched, 0.0)
            self.contribute(goal, e, nodes.shape, batched and is_batched)


def _without_missing(x: Symbol, mask: Symbol, done: dict[int, Symbol]) -> Symbol:
    """A rule's tree with masked folds: of a sum 0 is left out, of a maximum -inf."""
    if not x.arguments:
        return x
    if id(x) not in done:
        arguments = tuple(_without_missing(a, mask, done) for a in x.arguments)
        if x.operator in ("sum", "max"):
            neutral = number(0.0 if x.operator == "sum" else float("-inf"))
            arguments = (mask.where(arguments[0], neutral),)
        done[id(x)] = Symbol(x.operator, arguments, x.shape, x.detail, x.row)
    return done[id(x)]


def _all_of(x: Symbol) -> Iterator[Symbol]:
    """A tree's symbols, from the top."""
    yield x
    for argument in x.arguments:
        yield from _all_of(argument)


def _replaced(x: Symbol, old: Symbol, new: Symbol) -> Symbol:
    if x is old:
        return new
    arguments = tuple(_replaced(a, old, new) for a in x.arguments)
    return x if arguments == x.arguments else Symbol(x.operator, arguments, x.shape, x.detail, x.row)


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
        if (
            group.op != LINEAR
            and not group.row
            and len(group.operands) == 1
            and isinstance(group.operands[0], np.ndarray)
        ):
            operand = np.broadcast_to(group.operands[0], group.computed.shape).reshape(-1).tolist()
            for node, difference in zip(group.computed.reshape(-1).tolist(), operand, strict=True):
                if node >= 0 and difference in differences:
                    found[group.op, *differences[difference]] = node
    return found


def is_plain(x: Symbol) -> bool:
    """Whether an expression has numbers and n in it only, no arrays."""
    return x.detail.base == "n" if x.operator == "leaf" else x.operator != "gather" and all(map(is_plain, x.arguments))


def is_one(x: Symbol) -> bool:
    return bool(x.operator == "number" and x.detail == 1.0)


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


def _reshape(x: Symbol, shape: Shape) -> Symbol:
    if x.shape == shape:
        return x
    if x.operator == "reshape" and x.arguments[0].operator == "add_at":
        return _reshape(x.arguments[0], shape)
    if x.operator == "leaf":
        view = x.detail.reshaped(shape)
        if view is not None:
            return leaf(view, shape)
    return Symbol("reshape", (x,), shape)


def _transposed(e: Symbol, order: Sequence[int]) -> Symbol:
    """e with its axes in another order; two such steps are one, and one that changes nothing is none."""
    if e.operator == "transpose":
        order = [e.detail[a] for a in order]
        (e,) = e.arguments
    if list(order) == list(range(len(order))):
        return e
    if e.operator == "leaf":
        view = e.detail.permuted(order)
        return leaf(view, view.shape)
    return Symbol("transpose", (e,), tuple(e.shape[a] for a in order), tuple(order))


def _with_row_at(x: Symbol, place: int, count: int, done: dict[int, Symbol]) -> Symbol:
    """A tree over rows, whose axis is the first of ``count``, with that axis at another place. What has no such axis, a
    fold above all, gets one of size 1 there."""
    if id(x) in done:
        return done[id(x)]
    if x.shape == ():
        found = x
    elif len(x.shape) == count and x.operator in ("leaf", "reshape", "transpose", "stretch"):
        found = _transposed(x, [*range(1, place + 1), 0, *range(place + 1, count)])
    elif x.operator in ("sum", "max") and len(x.arguments[0].shape) == count and x.detail == (0, False):
        inner = _with_row_at(x.arguments[0], place, count, done)
        shape = (*inner.shape[:place], 1, *inner.shape[place + 1 :])
        found = Symbol(x.operator, (inner,), shape, (place, True))
    elif x.operator in WHOLE:
        shape = (*(1,) * (count - 1 - len(x.shape)), *x.shape)
        found = _reshape(x, (*shape[:place], 1, *shape[place:]))
    else:
        arguments = tuple(_with_row_at(a, place, count, done) for a in x.arguments)
        found = Symbol(x.operator, arguments, broadcast(*[a.shape for a in arguments]), x.detail)
    done[id(x)] = found
    return found


def _dropped(e: Symbol, axis: int) -> Symbol:
    """e without an axis of size 1."""
    shape = e.shape[:axis] + e.shape[axis + 1 :]
    if e.operator == "sum" and e.detail[1]:
        axes = e.detail[0]
        if axes == (axis,):
            return Symbol("sum", e.arguments, shape, ((axis,), False))
    if e.operator == "leaf":
        return leaf(e.detail.indexed([0 if a == axis else slice(None) for a in range(len(e.shape))]), shape)
    return Symbol("reshape", (e,), shape)


def _stretched(e: Symbol, shape: Shape) -> Symbol:
    """e written out to a shape that it stretches to."""
    return e if e.shape == shape else Symbol("stretch", (e,), shape)
