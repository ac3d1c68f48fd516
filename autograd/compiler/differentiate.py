"""Pass 5, differentiate: the groups as statements on arrays, forward and then backward.

The derivative sheet is run on symbols that stand for whole arrays. Forward, each group is one definition. Backward,
each group takes its adjoint (the sum of what its consumers sent to it) and sends to each operand the adjoint times the
local derivative; an adjoint that is used once is not named but written in place. The two neurons, with h summed to the
loss:

    z1 = w1 @ x + b1[:, None]          dz1 = 1.0 - h1 * h1
    h1 = tanh(z1)                      dw1 = dz1 @ x.T
    s1 = sum(h1, 0)                    db1 = sum(dz1, -1)

The seed is 1 for every sample, so what goes back is the gradient of the sum; 1/N is applied once, to the flat gradient.
Arrays on which no parameter has an effect (the inputs, above all) get no adjoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .group import Group, Nodes
from .layout import Array, Layout
from .normalise import BATCHED, LINEAR
from .symbols import (
    BATCH,
    COMPARISONS,
    NO_ROW,
    ONE_ROW,
    ROWS,
    Shape,
    Symbol,
    forward,
    leaf,
    lift,
    matmul,
    number,
    partials,
    passed,
    reshape,
    total,
)

Index = NDArray[np.intp]
MAX_INLINE = 24  # longer expressions get a name
MAX_SUM = 200  # and so does the first part of a sum that is longer than this


@dataclass(eq=False)
class View:
    """What a leaf symbol refers to: an array, or a slice of it, as text."""

    base: str
    text: str


@dataclass(eq=False)
class Gather:
    """Entries collected from one or more arrays, in an order of their own."""

    arrays: list[Array]
    which: Index  # per entry, the number of its array in `arrays`
    place: Index  # per entry, its place there


@dataclass(eq=False)
class Store:
    """``expression`` goes to places ``index`` of the array that is being defined: assigned if nothing is there yet."""

    index: Index
    expression: Symbol
    accumulate: bool
    text: str | None  # the places as a slice, if they are one
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


@dataclass
class Program:
    layout: Layout
    forward: list[Definition]
    backward: list[Definition]
    copied_arguments: set[str]  # arguments that are read in other ways than by a product of matrices
    outputs: Index  # places of the outputs in the batched memory
    gradients: dict[str, str]  # parameter array -> its gradient's name


def view_text(
    name: str, places: Index, batched: bool, matrix: tuple[int, int] | None = None
) -> tuple[str, Shape] | None:
    """A slice of ``name`` that holds ``places`` (1-d or 2-d) in this order, with its shape; None if there is none."""
    tail = (BATCH,) if batched else ()
    rest = ", -1" if batched else ""
    flat = f"{name}.reshape(-1)" if matrix else name
    first = int(places.flat[0])
    if places.ndim == 1:
        count = len(places)
        step = int(places[1]) - first if count > 1 else 1
        if step == 0 and (places == first).all():
            return f"{flat}[{first}:{first + 1}]", (1, *tail)
        if step <= 0 or not (places == first + step * np.arange(count)).all():
            return None
        end = first + step * (count - 1) + 1
        return f"{flat}[{first}:{end}{f':{step}' if step > 1 else ''}]", (count, *tail)
    rows, columns = places.shape
    if rows == 1 or (places == places[0]).all():
        inner = view_text(name, places[0], batched, matrix)
        return inner and (f"{inner[0]}[None]", (1, *inner[1]))
    if columns == 1 or (places == places[:, :1]).all():
        inner = view_text(name, places[:, 0], batched, matrix)
        return inner and (f"{inner[0]}[:, None]", (inner[1][0], 1, *tail))
    down, along = int(places[1, 0]) - first, int(places[0, 1]) - first
    if not (places == first + down * np.arange(rows)[:, None] + along * np.arange(columns)).all():
        return None
    part = f"{flat}[{first}:{first + rows * columns}]"
    if (down, along) == (columns, 1):
        return f"{part}.reshape({rows}, {columns}{rest})", (rows, columns, *tail)
    if (down, along) == (1, rows):
        return f"{part}.reshape({columns}, {rows}{rest}).swapaxes(0, 1)", (rows, columns, *tail)
    return None


def differentiate(layout: Layout, groups: Sequence[Group], outputs: Sequence[int], backward: bool) -> Program:
    """The whole program. ``outputs`` are node numbers; with ``backward`` there is one, and its adjoint is 1."""
    builder = _Builder(layout)
    for group in groups:
        builder.define(group)
    gradients: dict[str, str] = {}
    reverse: list[Definition] = []
    if backward:
        builder.statements, done = reverse, builder.statements
        seed = np.array([outputs[0]], dtype=np.intp)
        builder.contribute(seed, number(1.0), batched=True)
        first_reader = _first_readers(layout, groups)
        for number_, group in reversed(list(enumerate(groups))):
            builder.reverse(group)
            for array in first_reader.get(number_, ()):  # nobody before this group reads it: its gradient is complete
                if builder.adjoint(array, uses=2) is not None:
                    gradients[array.name] = "d" + array.name
        builder.statements = done
    places = np.array([layout.arrays[layout.array_of[i]].start + layout.place_of[i] for i in outputs], dtype=np.intp)
    return Program(layout, builder.statements, reverse, builder.copied, places, gradients)


def _first_readers(layout: Layout, groups: Sequence[Group]) -> dict[int, list[Array]]:
    """For each group, the parameter arrays that no group before it reads."""
    seen: set[int] = set()
    result: dict[int, list[Array]] = {}
    for number_, group in enumerate(groups):
        for nodes in group.reads():
            for k in np.unique(layout.array_of[nodes]):
                if k not in seen:
                    seen.add(int(k))
                    if layout.arrays[k].bank == "theta":
                        result.setdefault(number_, []).append(layout.arrays[k])
    return result


class _Builder:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.statements: list[Definition] = []
        self.contributions: dict[Array, list[tuple[Index, Symbol]]] = {}
        self.copied: set[str] = set()
        self.gathers: dict[tuple[bytes, Shape, bool], str] = {}
        self.temporaries = 0

    # --- reading

    def _single(self, nodes: Nodes) -> tuple[Array, Index] | None:
        owners = self.layout.array_of[nodes]
        first = owners.flat[0]
        return (self.layout.arrays[first], self.layout.place_of[nodes]) if (owners == first).all() else None

    def whole(self, array: Array) -> Symbol:
        """All of an array: [G, N], or [G] for a shared one."""
        text = f"{array.name}.reshape(-1)" if array.matrix else array.name
        return leaf(View(array.name, text), (array.size, BATCH) if array.is_batched else (array.size,))

    def read(self, nodes: Nodes, batched: bool, row: int = NO_ROW) -> Symbol:
        """The array of these nodes' values, [G, N] or [K, G, N]; without N between shared nodes, 1 for N where a shared
        array meets a batched one. A node that is repeated along an axis is read once: it stretches."""
        single, found = self._single(nodes), None
        if single is not None:
            array, places = single
            if array.bank == "argument":
                self.copied.add(array.name)
            found = view_text(array.name, places, array.is_batched, array.matrix)
        if single is None or found is None or (row and found[1][0] != len(nodes)):  # a row of equal entries stays a row
            base, is_batched = self._gather(nodes)
            text, shape = base, nodes.shape + ((BATCH,) if is_batched else ())
        else:
            base, is_batched, (text, shape) = array.name, array.is_batched, found
            if text == f"{base}[0:{array.size}]":
                text = base
        if batched and not is_batched:
            text, shape = f"{text}[..., None]" if len(shape) > 1 else f"{text}[:, None]", (*shape, 1)
        return leaf(View(base, text), shape, row)

    def _gather(self, nodes: Nodes) -> tuple[str, bool]:
        """Define an array that collects these nodes; returns its name, and whether it is batched."""
        owners = self.layout.array_of[nodes].reshape(-1)
        numbers, which = np.unique(owners, return_inverse=True)
        arrays = [self.layout.arrays[k] for k in numbers]
        is_batched = any(a.is_batched for a in arrays)
        self.copied.update(a.name for a in arrays if a.bank == "argument")
        key = (nodes.tobytes(), nodes.shape, is_batched)
        name = self.gathers.get(key)
        if name is None:
            name = self.gathers[key] = f"g{len(self.gathers) + 1}"
            shape = nodes.shape + ((BATCH,) if is_batched else ())
            places = self.layout.place_of[nodes].reshape(-1)
            gather = Symbol("gather", (), shape, Gather(arrays, which.reshape(-1), places))
            self.statements.append(Definition(name, shape, gather))
        return name, is_batched

    def read_matrix(self, nodes: Nodes) -> Symbol:
        """A weight matrix [R, K]."""
        rows, columns = nodes.shape
        single = self._single(nodes)
        if single is not None:
            array, places = single
            if array.matrix == nodes.shape and (places.reshape(-1) == np.arange(array.size)).all():
                return leaf(View(array.name, array.name), nodes.shape)
            if array.matrix == (columns, rows) and (places.T.reshape(-1) == np.arange(array.size)).all():
                return leaf(View(array.name, f"{array.name}.T"), nodes.shape)
            found = view_text(array.name, places, False, array.matrix)
            if found is not None and found[1] == nodes.shape:
                return leaf(View(array.name, found[0]), nodes.shape)
        name, _ = self._gather(nodes)
        return leaf(View(name, name), nodes.shape)

    def read_windows(self, nodes: Nodes) -> Symbol:
        """Windows [K, P] as the matrix [K, P·N]."""
        count, positions = nodes.shape
        single = self._single(nodes)
        if single is not None:
            array, places = single
            found = view_text(array.name, places.reshape(-1), True)
            if found is not None and found[1] == (nodes.size, BATCH) and ":" in found[0] and found[0].count(":") == 1:
                text = array.name if nodes.size == array.size else found[0]
                if positions > 1:
                    if array.bank == "argument":
                        self.copied.add(array.name)
                    text = f"{text}.reshape({count}, -1)"
                return leaf(View(array.name, text), (count, -positions))
        name, is_batched = self._gather(nodes)
        assert is_batched
        return leaf(View(name, f"{name}.reshape({count}, -1)"), (count, -positions))

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
                done[id(s)] = self._named(new, s.shape) if named else new
            return done[id(s)]

        return rebuild(x) if any(count > 1 for count in seen.values()) else x

    # --- forward

    def define(self, group: Group) -> None:
        array = self.layout.array_for(group)
        batched = group.rank == BATCHED
        shape = (array.size, BATCH) if batched else (array.size,)
        expression = (
            self._linear(group, batched)
            if group.op == LINEAR
            else self._shared_once(forward(group.op, *self._operands(group, batched)))
        )
        memory = ("batched" if batched else "shared", array.start)
        self.statements.append(Definition(array.name, shape, expression, memory=memory))

    def _operands(self, group: Group, batched: bool) -> list[Symbol | float]:
        if group.row:
            (nodes,) = (x for x in group.operands if not isinstance(x, float))
            one = nodes.shape[1] == 1
            return [self.read(nodes[:, 0] if one else nodes, batched, ONE_ROW if one else ROWS)]
        return [x if isinstance(x, float) else self.read(x, batched) for x in group.operands]

    def _linear(self, group: Group, batched: bool) -> Symbol:
        terms: list[Symbol] = []
        flat = (group.rows, -group.positions)
        for part in sorted(group.parts, key=lambda p: (p.weights is None, -p.c)):
            if part.weights is None:
                x = self._sum(part.x, batched)
                terms.append((self._flat(x, flat) if group.rows else x) * part.c)
            elif group.rows:
                terms.append(matmul(self.read_matrix(part.weights), self.read_windows(part.x)))
            else:
                terms.append(self._sum(part.x, batched, part.weights))
        if group.bias is not None:
            terms.append(self.read(group.bias, batched))
        result = sum(terms[1:], terms[0])
        return reshape(result, (len(group.nodes), BATCH)) if group.rows else result

    def _sum(self, nodes: Nodes, batched: bool, weights: Nodes | None = None) -> Symbol:
        """The sum over the first axis of [K, G], of products if there are weights."""
        count, width = nodes.shape
        if count > 1 and width == 1:
            nodes, weights = nodes[:, 0], weights if weights is None else weights[:, 0]
        elif count == 1:
            nodes, weights = nodes[0], weights if weights is None else weights[0]
        x = self.read(nodes, batched)
        if weights is not None:
            x = self.read(weights, batched) * x
        if count == 1:
            return x
        if x.shape[0] == 1:  # the same node, `count` times
            return (x if width == 1 else total(x, 0)) * float(count)
        return total(x, 0, keep=width == 1)

    def _flat(self, x: Symbol, shape: Shape) -> Symbol:
        """[R·P, N] seen as [R, P·N]; what stretches along the rows must be written out first."""
        if shape[1] == BATCH:
            return x
        return _seen_as(self._named(x, (-shape[0] * shape[1], BATCH)), shape)

    def _named(self, x: Symbol, shape: Shape) -> Symbol:
        if x.operator == "leaf" and x.shape == shape:
            return x
        self.temporaries += 1
        name = f"t{self.temporaries}"
        self.statements.append(Definition(name, shape, x))
        return leaf(View(name, name), shape)

    # --- backward

    def contribute(self, nodes: Nodes, e: Symbol, batched: bool) -> None:
        """Send ``e`` to the adjoints of these nodes. e stretches to nodes.shape, and to N if it comes from a batched
        group; what goes to a shared node is summed over the batch, and over an axis along which the node repeats."""
        while len(e.shape) > nodes.ndim + batched:  # a row of one input: its axis is gone from `nodes`
            e = reshape(e, e.shape[1:])
        owners = self.layout.array_of[nodes]
        numbers = np.unique(owners)
        arrays = [self.layout.arrays[k] for k in numbers]
        if not any(a.active for a in arrays):
            return
        places = self.layout.place_of[nodes]
        to_shared = batched and not any(a.is_batched for a in arrays)
        if to_shared:
            e = _over_batch(e, nodes.ndim)
        inner = batched and not to_shared
        if len(arrays) == 1:
            for axis in range(nodes.ndim):
                if nodes.shape[axis] > 1 and (nodes == nodes.take([0], axis)).all():
                    e = _along(e, axis, nodes.shape[axis], nodes.ndim + inner)
                    nodes, places = nodes.take([0], axis), places.take([0], axis)
            self._send(arrays[0], places, e)
            return
        # entries of several arrays: name the expression, and send each array its part
        full = nodes.shape + ((BATCH,) if inner else ())
        flat = (nodes.size, *full[nodes.ndim :])
        t = _seen_as(self._named(e, full), flat)
        for k, array in zip(numbers, arrays, strict=True):
            if array.active:
                chosen = np.flatnonzero(owners.reshape(-1) == k)
                part = Symbol("part", (t,), (len(chosen), *flat[1:]), chosen)
                if inner and not array.is_batched:
                    part = total(part, 1)
                self._send(array, places.reshape(-1)[chosen], part)

    def _send(self, array: Array, places: Index, e: Symbol) -> None:
        if places.ndim == 2 and 1 in places.shape:
            axis = places.shape.index(1)
            if len(e.shape) == 2 + array.is_batched:  # else e has no such axis, and still stretches in the same way
                e = reshape(e, e.shape[:axis] + e.shape[axis + 1 :])
            places = places.reshape(-1)
        self.contributions.setdefault(array, []).append((places, e))

    def adjoint(self, array: Array, uses: int) -> Symbol | None:
        """The sum of what was sent to an array; defined under a name unless it is short and used once."""
        sent = self.contributions.pop(array, None)
        if not sent:
            return None
        name = "d" + array.name
        full: Shape = (array.size, BATCH) if array.is_batched else (array.size,)
        shape = array.matrix or full
        everything = np.arange(array.size)
        expression: Symbol | None = None
        stores: list[Store] = []
        for places, e in sent:
            flat = places.reshape(-1)
            simple = places.ndim == 1 or e.shape == full or (e.operator == "@" and not array.is_batched)
            if simple and len(flat) == array.size and (flat == everything).all():
                if not array.is_batched and len(e.shape) > 0 and np.prod(e.shape) == array.size:
                    e = reshape(e, shape)
                if expression is not None and expression.size > MAX_SUM:
                    expression = self._named(expression, expression.shape)
                expression = e if expression is None else expression + e
            else:
                found = view_text(name, places, array.is_batched, array.matrix)
                size = places.shape + full[1:]
                text = found[0] if found is not None and found[1] == size else None
                stores.append(Store(places, e, True, text, size))
        if expression is not None and not stores:
            plain = expression.operator in ("leaf", "number") and array.bank != "theta"
            if plain or (uses <= 1 and expression.size <= MAX_INLINE):
                return expression
        touched = np.full(array.size, expression is not None)
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
        bank = {"theta": "gradient", "shared": "shared_adjoint", "batched": "adjoint"}[array.bank]
        self.statements.append(Definition(name, shape, expression, stores, (bank, array.start), zeros))
        return leaf(View(name, name), shape)

    def reverse(self, group: Group) -> None:
        array = self.layout.array_for(group)
        if array not in self.contributions:
            return
        batched = group.rank == BATCHED
        if group.op == LINEAR:
            self._reverse_linear(group, array, batched)
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
        products = tuple([passed(d, p) for _, p in sent])
        if len(local) > 1 or group.row:  # name what several local derivatives share
            products = self._shared_once(Symbol("tuple", products, ())).arguments
        for (operand, _), e in zip(sent, products, strict=True):
            self.contribute(_flat_if_one(operand), e, batched)

    def _active(self, nodes: Nodes) -> bool:
        return any(self.layout.arrays[k].active for k in np.unique(self.layout.array_of[nodes]))

    def _reverse_linear(self, group: Group, array: Array, batched: bool) -> None:
        reads = [part.x for part in group.parts if part.weights is None] + [group.bias] * (group.bias is not None)
        uses = sum(self._active(x) for x in reads if x is not None)
        uses += sum(2 for part in group.parts if part.weights is not None)
        d = self.adjoint(array, uses)
        if d is None:
            return
        wide = d
        if group.rows:
            wide = _seen_as(self._named(d, (array.size, BATCH)), (group.rows, -group.positions))
        for part in group.parts:
            if part.weights is None:
                nodes = _flat_if_one(part.x)
                if self._active(nodes):
                    self.contribute(nodes, d * part.c, batched)
            elif group.rows:
                if self._active(part.weights):
                    self.contribute(part.weights, matmul(wide, _transposed(self.read_windows(part.x))), False)
                if self._active(part.x):
                    back = matmul(_transposed(self.read_matrix(part.weights)), wide)
                    self.contribute(part.x.reshape(-1), reshape(back, (part.x.size, BATCH)), True)
            else:
                weights, x = _flat_if_one(part.weights), _flat_if_one(part.x)
                self.contribute(weights, d * self.read(x, batched), batched)
                self.contribute(x, d * self.read(weights, batched), batched)
        if group.bias is not None and self._active(group.bias):
            summed = total(wide, 1) if group.rows else d  # over the places, and the samples with them
            self.contribute(group.bias, summed, batched and not group.rows)


def _flat_if_one(nodes: Nodes) -> Nodes:
    """[K, 1] and [1, G] as [K] and [G]."""
    return nodes.reshape(-1) if 1 in nodes.shape else nodes


def _seen_as(x: Symbol, shape: Shape) -> Symbol:
    """A named array, contiguous, in another shape."""
    view: View = x.detail
    sizes = ", ".join(str(s) if s > 0 else "-1" for s in shape)
    return x if x.shape == shape else leaf(View(view.base, f"{view.text}.reshape({sizes})"), shape)


def _transposed(x: Symbol) -> Symbol:
    view: View = x.detail
    text = view.text[:-2] if view.text.endswith(".T") else view.text + ".T"
    return leaf(View(view.base, text), (x.shape[1], x.shape[0]))


def _over_batch(e: Symbol, dims: int) -> Symbol:
    """The sum over the samples of what may or may not differ between them."""
    if len(e.shape) > dims or (e.shape and e.shape[-1] == BATCH):
        summed = total(e, len(e.shape) - 1)
        return summed if e.shape[-1] == BATCH else summed * leaf(View("n", "n"), ())
    return lift(e) * leaf(View("n", "n"), ())


def _along(e: Symbol, axis: int, count: int, dims: int) -> Symbol:
    """The sum along an axis of size ``count`` on which the receiving node repeats; the axis stays, with size 1."""
    own = axis - (dims - len(e.shape))
    if own < 0 or e.shape[own] == 1:
        return e * float(count)
    return total(e, own, keep=True)
