"""Pass 7, in place: the statements as what runs on NumPy, each operation into memory that was bound beforehand.

Beside the same statements as `write.readable` prints them, of the two neurons:

    z1 = w1 @ x + b1[:, None]          matmul(w1, x, z1)
    h1 = tanh(z1)                      add(z1, b1_1, z1)
                                       tanh(z1, h1)

A loop over three time steps runs over tuples of views that were bound, too, one tuple for each turn:

    turns_1 = [(z1[turn], h1[turn], h1[turn + 1]) for turn in range(3)]
    for z1_1, h1_1, h1_2 in turns_1: ...
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .axes import is_plain
from .contract import merged_size
from .layout import Array
from .program import Definition, Gather, Program, Put, Statement, Store, Turns
from .symbols import BATCH, COMPARISONS, Shape, Symbol, is_number
from .views import MANY, contiguous
from .workspace import Workspace, bound_sizes
from .write import Text, expression_text, shape_text

UFUNCS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "pow": "power"}
UFUNCS |= {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal"}
UFUNCS |= {"abs": "absolute"}
MOST_PARTS, NARROW = 4, 8  # see `_one_by_one`
SHORT = 64  # entries, in a row of which NumPy's start takes longer than the row
_TURNED = re.compile(r"\b\w+\b")


class _InPlace(Workspace):
    """Prints statements that write into workspaces."""

    # expressions

    def value(self, x: Symbol, into: str | None = None) -> str:
        """Emit what computes x; returns the name of the array with the result (``into``, if x is not a plain name)."""
        op = x.operator
        if op == "leaf":
            return self.view(x.detail.base, x.detail.text)
        if op == "number":
            return self.number(x.detail)
        if x.shape == () and is_plain(x):  # numbers and n: Python's own arithmetic
            return f"({expression_text(x, self.constants)})"
        if into is None:
            into = self.temporary(x.shape)
        if op in ("reshape", "transpose", "stretch"):
            return self._moved(x, into)
        if op == "@":
            names = [self.value(y) for y in x.arguments]
            word = self.product(x, into) if len(names) == 2 else "zeroed_matmul" if x.detail else "masked_matmul"
            self.put(f"{word}({', '.join(names)}, {into})")
            return into
        if op in ("take", "add_at", "take_along", "placed"):
            return self._look_up(x, into)
        if op == "+":
            for placed, other in (x.arguments, x.arguments[::-1]):
                if placed.operator == "placed" and placed.shape == x.shape:
                    return self._placed(placed, into, other)
        if op == "part":
            chosen, axis = x.detail
            value = self.value(x.arguments[0])
            self.put(f"{value}.take({self.constants.index(chosen)}, {axis}, {into}, 'clip')", value)
            return into
        if op in ("sum", "max"):
            return self._reduce(x, into)
        if op == "where":
            return self._where(x, into)
        if op == "exp" and x.detail is not None and x.detail[0].shape == x.shape:
            names = [self.value(y) for y in (*x.detail, *x.arguments[0].arguments)]
            self.put(f"quotient({', '.join(names)}, {into})", *names, keep=into)
            return into
        if op == "*" and x.arguments[0].shape == x.arguments[1].shape and x.arguments[0].operator == "where":
            x = Symbol("*", (x.arguments[1], x.arguments[0]), x.shape)
        # one operand that is an expression of the full shape may use the result's own memory
        order = sorted(range(len(x.arguments)), key=lambda k: -x.arguments[k].size)
        may = [k for k in order if x.arguments[k].arguments and x.arguments[k].shape == x.shape]
        borrower = may[0] if may and op not in COMPARISONS else None
        results = {k: self.value(x.arguments[k], into if k == borrower else None) for k in order}
        names = [results[k] for k in range(len(x.arguments))]
        is_root = op == "pow" and is_number(x.arguments[1], 0.5)
        if op == "neg":  # NumPy's `negative` is wrong for some columns, into columns: numpy 2.4, every fourth float32
            op, names = "*", [*names, self.number(-1.0)]
        call = f"half_power({names[0]}" if is_root else f"{UFUNCS.get(op, op)}({', '.join(names)}"
        self.put(f"{call}, {into})", *names, keep=into)
        return into

    def number(self, number: float) -> str:
        """A number as an array, which NumPy need not make of it on every call."""
        return self.view("number", f"array({number!r}, dtype)")

    def product(self, x: Symbol, into: str) -> str:
        """The word for a product of matrices.

        NumPy's ``dot`` is ready sooner than its ``matmul``, and takes a column for what it is. But it writes into one
        piece of memory only, and zeros there first; it takes a matrix of one entry for a factor, and then 0·inf is 0;
        and it does not tell of what overflows. On the way back that shows in the gradient: all that happens to an
        adjoint is linear, so what is not finite stays so up to there.
        """
        shapes = [factor.shape for factor in x.arguments]
        if not self.backward or into not in self.solid or any(len(s) > 2 or _static(s) == 1 for s in shapes):
            return "matmul"
        if all(size > 0 for size in x.shape):
            return "dot"
        return "narrow_product" if _static(x.shape) <= SHORT else "product"  # `backends.numpy.FEW`: which of both

    # look-ups

    def _look_up(self, x: Symbol, into: str) -> str:
        """What an index finds, or where an adjoint goes to from there."""
        if x.operator == "placed":
            return self._placed(x, into)
        if x.operator == "take_along":
            view = x.arguments[0].detail
            head = view.indexed([slice(None)] * x.detail + [0])
            places = self.places(view.base, head.text, view.strides[x.detail], x.shape, x.arguments[1])
            flat = self.view(view.base, f"flat({view.base})")
            self.put(f"{flat}.take({places}, 0, {into}, 'clip')", places)
            return into
        value, index = self.value(x.arguments[0]), self.index(x.arguments[1])
        if x.operator == "take":
            self.put(f"{value}.take({index}, 0, {into}, 'clip')", value, index, keep=into)
        else:
            self.put(f"add_up({value}, {index}, {into})", value, index)
        return into

    def index(self, x: Symbol) -> str:
        """The name of an array of whole numbers."""
        if x.operator == "leaf":
            return self.view(x.detail.base, x.detail.text)
        (child,) = x.arguments
        if x.operator == "reshape":
            return self.seen_as(self.index(child), child.shape, x.shape)
        into = self.temporary(x.shape, "intp")
        if x.operator == "part":
            chosen, axis = x.detail
            self.put(f"{self.index(child)}.take({self.constants.index(chosen)}, {axis}, {into}, 'clip')")
        else:
            value = self.value(child)
            self.put(f"copyto({into}, {value}, 'unsafe')", value)
        return into

    def places(self, base: str, head: str, stride: int, shape: Shape, index: Symbol) -> str:
        """The places in an array in one piece at which an index finds something: ``head`` is what it finds at 0, and
        ``stride`` how far apart its finds are."""
        self.names += 1
        name = f"{base}_{self.names}"
        self.prelude.append(f"{name} = places({base}, lambda {base}: {head}, {shape_text(shape)})")
        chosen, into = self.index(index), self.temporary(shape, "intp")
        step = f"{stride // MANY} * n" if stride >= MANY else str(stride)
        if step != "1":
            self.put(f"multiply({chosen}, {step}, {into})", chosen)
            chosen = into
        self.put(f"add({chosen}, {name}, {into})", chosen, keep=into)
        return into

    def _placed(self, x: Symbol, into: str, other: Symbol | None = None) -> str:
        """Zeros, or something else, and added to it an adjoint at the places from which the index took something."""
        result = into if into in self.solid else self.temporary(x.shape)
        if other is not None:
            self._assign(other, result, x.shape)
        value = self.value(x.arguments[0])
        head = f"{result}[{':, ' * x.detail}0]"
        shape = (*x.shape[: x.detail], *x.shape[x.detail + 1 :])
        places = self.places(result, head, contiguous(x.shape)[x.detail], shape, x.arguments[1])
        if other is None:
            self.put(f"{result}.fill(0.0)")
        sign = "=" if other is None else "+="  # no place comes twice
        self.put(f"{self.view(result, f'flat({result})')}[{places}] {sign} {value}", value, places)
        if result != into:
            self.put(f"copyto({into}, {result})", result)
        return into

    def _moved(self, x: Symbol, into: str) -> str:
        """What only changes the shape: the operand is computed where the result lies, if it can be seen there."""
        (child,) = x.arguments
        if x.operator == "reshape" and into in self.solid:
            inner = self.seen_as(into, x.shape, child.shape)
            result = self.value(child, inner)
            if result != inner:
                self.put(f"copyto({inner}, {result})", result)
            return into
        if x.operator == "transpose" and child.operator == "@":
            back = sorted(range(len(x.detail)), key=lambda k: x.detail[k])
            self.value(child, self.view(into, f"{into}.transpose({', '.join(map(str, back))})"))
            return into
        value = self.value(child)
        if x.operator == "reshape":
            moved = self.view(value, f"{value}.reshape({bound_sizes(x.shape)})")
        elif x.operator == "transpose":
            moved = self.view(value, f"{value}.transpose({', '.join(map(str, x.detail))})")
        else:
            moved = value
        self.put(f"copyto({into}, {moved})", value, keep=into)
        return into

    def _reduce(self, x: Symbol, into: str) -> str:
        (child,) = x.arguments
        axes, keep = x.detail
        if x.operator == "sum" and _is_count(child) and isinstance(axes, int) and 0 < child.shape[axes] < 128:
            mask, counts = self.temporary(child.shape, "bool"), self.temporary(x.shape, "int8")
            self._compare(child.arguments[0], mask)
            small = self.view(mask, f"{mask}.view(int8)")
            self.put(f"add.reduce({small}, {axes}, int8, {counts}{', True' if keep else ''})")
            self.put(f"copyto({into}, {counts})", mask, counts)
            return into
        axes = (axes,) if isinstance(axes, int) else tuple(axes)
        value = self.value(child)
        ufunc = "add" if x.operator == "sum" else "maximum"
        if len(axes) == 1 and self._one_by_one(ufunc, child, value, axes[0], into, keep):
            return into
        if x.operator == "sum" and self._by_ones(child, value, axes, keep, x.shape, into):
            return into
        if x.operator == "max" and self._by_columns(child, value, axes, x.shape, into):
            return into
        told = axes[0] if len(axes) == 1 else axes
        self.put(f"{ufunc}.reduce({value}, {told}, None, {into}{', True' if keep else ''})", value, keep=into)
        return into

    def _one_by_one(self, ufunc: str, child: Symbol, value: str, axis: int, into: str, keep: bool) -> bool:
        """The sum or maximum of a few narrow parts of each sample, of two of them at a time: NumPy's reduction starts
        anew for each sample, and takes ten times as long."""
        count, narrow = child.shape[axis], math.prod(child.shape[axis + 1 :])
        if not 1 < count <= MOST_PARTS or not 0 < narrow <= NARROW or BATCH not in child.shape[:axis]:
            return False
        front = ":, " * axis
        parts = [self.view(value, f"{value}[{front}{k}]") for k in range(count)]
        goal = self.view(into, f"{into}[{front}0]") if keep else into
        for k in range(1, count):
            self.put(f"{ufunc}({goal if k > 1 else parts[0]}, {parts[k]}, out={goal})")
        self.release(value, keep=into)
        return True

    def _by_columns(self, child: Symbol, value: str, axes: tuple[int, ...], shape: Shape, into: str) -> bool:
        """The maximum of each of many short rows, as that of columns: a copy that turns them, too, takes half as long
        as one row after the other."""
        last = len(child.shape) - 1
        if axes != (last,) or not 1 < child.shape[last] <= SHORT or BATCH not in child.shape or into not in self.solid:
            return False
        columns = self.temporary((child.shape[last], *child.shape[:last]))
        turned = ", ".join(map(str, (last, *range(last))))
        self.put(f"copyto({columns}, {self.view(value, f'{value}.transpose({turned})')})", value)
        goal = self.seen_as(into, shape, child.shape[:last])
        self.put(f"maximum.reduce({columns}, 0, None, {goal})", columns, keep=into)
        return True

    def _by_ones(self, child: Symbol, value: str, axes: tuple[int, ...], keep: bool, shape: Shape, into: str) -> bool:
        """A sum as a product with ones, which is BLAS's sum: over the samples, where they are the last axes or first,
        and over other last axes, of which NumPy adds up one short row after the other (in 3.5 times the time)."""
        count = len(child.shape)
        whole = value in self.solid or (child.operator == "leaf" and child.detail.strides == contiguous(child.shape))
        last = axes == tuple(range(count - len(axes), count))
        first = axes == tuple(range(len(axes))) and BATCH in child.shape[: len(axes)]
        rest = tuple(s for a, s in enumerate(child.shape) if a not in axes)
        if not whole or into not in self.solid or value in self.late.values() or not (last or first) or not rest:
            return False
        length, width = (merged_size(sizes) for sizes in ([child.shape[a] for a in axes], rest))
        flat = self.seen_as(value, child.shape, (width, length) if last else (length, width))
        ones = self.view("ones", f"ones({shape_text((length,))}, dtype)")
        goal = self.seen_as(into, shape, (width,))
        word = "dot" if self.backward else "matmul"  # see `product`
        self.put(f"{word}({flat}, {ones}, {goal})" if last else f"{word}({ones}, {flat}, {goal})", value, keep=into)
        return True

    def _where(self, x: Symbol, into: str) -> str:
        condition, yes, no = x.arguments
        if condition.operator == "<=" and is_number(condition.arguments[1], 0.0) and is_number(yes, 0.0):
            a = condition.arguments[0]
            if a.operator == "leaf" and no.operator == "leaf" and a.detail.text == no.detail.text:
                zeros = self.view(
                    "zeros", f"zeros({shape_text(_row(x.shape))}, dtype)"
                )  # NumPy is slow beside a number
                self.put(f"maximum({self.value(a)}, {zeros}, out={into})")  # one pass instead of three
                return into
        if condition.operator == "leaf":  # a mask
            if no.operator == "number" and yes.shape == x.shape and self._has_bits(yes):
                result = self.value(yes, into)
                bits, target = (self.view(name, f"{name}.view(bits)") for name in (result, into))
                all_or_none = f"-{condition.detail.text}.astype(bits, 'C')"
                mask = self.view(condition.detail.base, all_or_none)
                self.put(f"bitwise_and({bits}, {mask}, {target})", result, keep=into)
                if no.detail != 0.0:
                    other = f"where({condition.detail.text}, 0.0, {self.value(no)}).astype(dtype, 'C').view(bits)"
                    self.put(f"bitwise_or({target}, {self.view(condition.detail.base, other)}, {target})")
                return into
            self._assign(yes, into, x.shape)
            others = self.view(condition.detail.base, f"~{condition.detail.text}")
            self.put(f"copyto({into}, {self.value(no)}, where={others})")
            return into
        numbers = yes.operator == "number" and no.operator == "number"
        if numbers and condition.shape == x.shape and {yes.detail, no.detail} == {0.0, 1.0}:
            self._compare(condition, into)  # a comparison written into floats is 0 and 1
            if yes.detail == 0.0:
                self.put(f"subtract(1.0, {into}, {into})")
            return into
        if np.prod([s for s in x.shape if s > 0]) > 1:  # in a single row, copies are faster
            if is_number(yes, 0.0) and self._has_bits(no):
                return self._kept(x, no, into, "subtract({0}, 1, {0})")
            if is_number(no, 0.0) and self._has_bits(yes):
                return self._kept(x, yes, into, "negative({0}, {0})")
        mask = self.temporary(condition.shape, "bool")
        self._compare(condition, mask)
        chosen = self.value(yes)
        self._assign(no, into, x.shape)
        self.put(f"copyto({into}, {chosen}, where={mask})", mask, chosen)
        return into

    def _has_bits(self, x: Symbol) -> bool:
        return not is_plain(x) and (x.operator != "leaf" or x.detail.base not in self.direct)

    def _kept(self, x: Symbol, kept: Symbol, into: str, as_bits: str) -> str:
        """where(condition, kept, 0), or the other way round: the bits of a number, or none of them.

        A product with 0 or 1 would be nan for inf; and a copy with ``where=`` takes five times as long.
        """
        condition = x.arguments[0]
        mask = self.temporary(condition.shape, "bool")
        self._compare(condition, mask)
        small = self.view(mask, f"{mask}.view(int8)")
        self.put(as_bits.format(small))  # a True is a 1: now all bits of an entry, -1, or none
        result = self.value(kept, into if kept.shape == x.shape else None)
        bits, target = (self.view(name, f"{name}.view(bits)") for name in (result, into))
        self.put(f"bitwise_and({bits}, {small}, {target})", mask, result, keep=into)
        return into

    def _compare(self, condition: Symbol, into: str) -> None:
        names = [self.value(y) for y in condition.arguments]
        self.put(f"{UFUNCS[condition.operator]}({', '.join(names)}, {into})", *names)

    # statements

    def define(self, d: Statement) -> None:
        if isinstance(d, Turns):
            self._loop(d)
            return
        if isinstance(d, Put):
            self._put(d)
            return
        if d.expression is not None and d.expression.operator == "gather":
            self._gather(d.name, d.shape, d.expression.detail)
            return
        self.bind(d.name, d.shape, d.memory, _leading(d))
        if d.expression is not None:
            self._assign(d.expression, d.name, d.shape)
        elif d.zeros and not d.empty:
            self.put(f"{d.name}.fill(0.0)")
        for store in d.stores:
            self._store(d, store)

    def _put(self, d: Put) -> None:
        target = self.view(d.target.base, d.target.text)
        if d.target.strides == contiguous(d.target.shape):
            self.solid.add(target)
        self._assign(d.expression, target, d.target.shape, d.accumulate)

    def _loop(self, d: Turns) -> None:
        """A loop over tuples of views, bound once, one for each turn."""
        lines, self.lines, self.in_turns = self.lines, [], True
        for statement in d.body:
            self.define(statement)
        body, self.lines, self.in_turns = self.lines, lines, False
        self.names += 1
        name = f"turns_{self.names}"
        told = reversed(range(d.count)) if d.backward else range(d.count)
        texts, self.turns = self.turns, {}
        known: dict[str, str] = {}  # a view of a view, by the text of that one
        for text, own in texts.items():
            known[own] = _TURNED.sub(lambda m: known.get(m[0], m[0]), text)
        self.prelude.append(f"{name} = [({', '.join(known.values())},) for turn in {[*told]}]")
        self.put(f"for ({', '.join(known)},) in {name}:")
        for line in body:
            self.put(f"    {line}")

    def _assign(self, x: Symbol, name: str, shape: Shape, adding: bool = False) -> None:
        """``name`` ← x, or with ``adding`` name + x; x may have to be stretched to this shape."""
        if adding:
            value = self.value(x)
            self.put(f"add({name}, {value}, {name})", value)
            return
        result = self.value(x, name if x.shape == shape else None)
        if result != name:
            self.put(f"copyto({name}, {result})", result)

    def _flat(self, array: Array) -> str:
        """An array as a list of places, and the samples."""
        if array.bank == "argument":
            return self.view(array.name, f"{array.name}.T") if self.first else array.name
        if not array.is_batched:
            return self.view(array.name, f"{array.name}.reshape(-1)") if len(array.shape) != 1 else array.name
        if array.name in self.turned:
            copied = self.temporary((BATCH, *array.shape))
            self.put(f"copyto({copied}, {array.name})")
            return self.seen_as(copied, (BATCH, *array.shape), (BATCH, array.size))
        if len(array.shape) == 1:
            return array.name
        sizes = f"n, {array.size}" if self.first else f"{array.size}, n"
        return self.view(array.name, f"{array.name}.reshape({sizes})")

    def _gather(self, name: str, shape: Shape, gather: Gather) -> None:
        """All entries of an array in one go."""
        batched = BATCH in shape
        size = len(gather.place)
        self.bind(name, shape, None, size)
        axis = int(batched and self.first)
        flat = self.seen_as(name, shape, (size,) if not batched else (BATCH, size) if self.first else (size, BATCH))
        counts = np.bincount(gather.which, minlength=len(gather.arrays))
        main = max(range(len(gather.arrays)), key=lambda k: (gather.arrays[k].is_batched == batched, counts[k]))
        blocks = {k: (self._flat(a), 0) for k, a in enumerate(gather.arrays)}
        if batched and not self.first:  # what lies in one block of memory is taken together
            rows = self.view("batched", "batched.reshape(-1, n)")
            blocks |= {k: (rows, a.start) for k, a in enumerate(gather.arrays) if a.bank == "batched"}
        elif not batched:
            blocks |= {k: ("shared", a.start) for k, a in enumerate(gather.arrays)}
        block = blocks[main][0]
        together = [k for k in blocks if blocks[k][0] == block]
        mine = np.isin(gather.which, together)
        starts = np.array([blocks[k][1] for k in range(len(blocks))])
        places = starts[gather.which] + gather.place
        everywhere = np.where(mine, places, places[mine][0])  # anything in the places of the others
        self.put(f"{block}.take({self.constants.index(everywhere)}, {axis}, {flat}, 'clip')")
        front = ":, " if axis else ""
        for k in range(len(gather.arrays)):
            if k not in together:
                at = np.flatnonzero(gather.which == k)
                array = gather.arrays[k]
                own = axis if array.is_batched else 0
                taken = f"{self._flat(array)}.take({self.constants.index(gather.place[at])}, {own})"
                if batched and not array.is_batched and not self.first:
                    taken += "[:, None]"
                self.put(f"{flat}[{front}{self.constants.index(at)}] = {taken}")

    def _store(self, d: Definition, store: Store) -> None:
        x = store.expression
        if store.view is not None:
            target = self.view(d.name, store.view.text)
            if not store.accumulate and x.operator in ("reshape", "stretch"):
                value = self.value(x)
                self.put(f"copyto({target}, {value})", value)
            else:
                self._assign(x, target, store.shape, store.accumulate)
            return
        if d.name in self.turned:  # its places do not lie one after the other
            copied = self.temporary(d.shape)
            self.put(f"copyto({copied}, {d.name})")
            self._store(replace(d, name=copied), store)
            self.put(f"copyto({d.name}, {copied})", copied)
            return
        index = store.index.reshape(-1)
        count = len(index)
        batched = BATCH in d.shape
        axis = int(batched and self.first)
        shape = (count,) if not batched else (BATCH, count) if self.first else (count, BATCH)
        value = self.value(x) if x.shape == store.shape and x.operator not in ("leaf", "number") else ""
        if not value or value not in self.solid:
            given, value = value, self.temporary(store.shape)
            if given:
                self.put(f"copyto({value}, {given})", given)
            else:
                self._assign(x, value, store.shape)
        rows = self.seen_as(value, store.shape, shape)
        size = _leading(d)
        base = self.seen_as(d.name, d.shape, (size,) if not batched else (BATCH, size) if self.first else (size, BATCH))
        front = ":, " if axis else ""
        if len(np.unique(index)) < count:
            summed, index = self._summed(rows, index, shape, axis)
            self.release(value)
            rows = value = summed
        low, high = int(index[0]), int(index[-1]) + 1
        if high - low == len(index) and (np.diff(index) == 1).all():
            part = base if high - low == size else self.view(base, f"{base}[{front}{low}:{high}]")
            self.put(f"add({part}, {rows}, {part})" if store.accumulate else f"copyto({part}, {rows})", value)
        elif not store.accumulate and len(index) == size:  # every place once, in another order
            self.put(f"{rows}.take({self.constants.index(np.argsort(index))}, {axis}, {base}, 'clip')", value)
        else:
            where = f"{front}{self.constants.index(index)}"
            self.put(f"{base}[{where}] {'+=' if store.accumulate else '='} {rows}", value)

    def _summed(self, rows: str, index: Any, shape: Shape, axis: int) -> tuple[str, NDArray[np.intp]]:
        """Add up the rows that go to the same place: the name of the sums, and the place of each.

        ``A[index] += rows`` would drop repeats. Places that get m rows each are taken together as an array [m, places]
        and summed over its first axis, which on the windows of a convolution is three times as fast as `reduceat` over
        the sorted rows; that is for places with many different m.
        """
        order = np.argsort(index, kind="stable")
        unique, first, counts = np.unique(index[order], return_index=True, return_counts=True)
        repeats = np.unique(counts)
        regular = len(repeats) <= 12 and not axis
        if regular:
            blocks = [first[counts == m] + np.arange(m)[:, None] for m in repeats]
            order = order[np.concatenate([block.reshape(-1) for block in blocks])]
        together = self.temporary(shape)
        self.put(f"{rows}.take({self.constants.index(order)}, {axis}, {together}, 'clip')")
        summed = self.temporary((*shape[:axis], len(unique), *shape[axis + 1 :]))
        if not regular:
            self.put(f"add.reduceat({together}, {self.constants.index(first)}, {axis}, None, {summed})", together)
            return summed, unique
        start = place = 0
        rest = ", -1" if len(shape) > 1 else ""
        for m, block in zip(repeats.tolist(), blocks, strict=True):
            size = block.shape[1]
            part = self.view(together, f"{together}[{start}:{start + m * size}].reshape({m}, {size}{rest})")
            self.put(f"add.reduce({part}, 0, None, {self.view(summed, f'{summed}[{place}:{place + size}]')})")
            start, place = start + m * size, place + size
        self.release(together)
        return summed, np.concatenate([unique[counts == m] for m in repeats])

    def outputs(self) -> str:
        """The name of the outputs [count, N]."""
        gather = self.program.outputs
        count = len(gather.place)
        if len(gather.arrays) == 1 and gather.arrays[0].bank == "batched":
            (array,) = gather.arrays
            if count == array.size and (gather.place == np.arange(count)).all():
                if array.shape == ():
                    return self.view(array.name, f"{array.name}[None]")
                flat = self._flat(array)
                return self.view(flat, f"{flat}.T") if self.first else flat
        self._gather("outputs", (BATCH, count) if self.first else (count, BATCH), gather)
        return self.view("outputs", "outputs.T") if self.first else "outputs"


def _is_count(x: Symbol) -> bool:
    """Whether this is 1 where a comparison holds, else 0."""
    return (
        x.operator == "where"
        and is_number(x.arguments[1], 1.0)
        and is_number(x.arguments[2], 0.0)
        and x.arguments[0].operator != "leaf"
    )


def _leading(d: Definition) -> int:
    return int(np.prod([s for s in d.shape if s > 0]))


def _static(shape: Shape) -> int:
    """How many entries there are for one sample."""
    return math.prod(map(abs, shape))


def _row(shape: Shape) -> Shape:
    """The last axes of a shape, if they are long enough to be gone through at once; else all of it."""
    row = shape[1:] if shape[:1] == (BATCH,) else shape[-1:]
    return row if BATCH in row or _static(row) >= SHORT else shape


def in_place(program: Program, argument_names: list[str]) -> Text:
    """A module that, given n and the blocks of memory, binds the workspaces for n samples, and has predict and run.

    The names are the module's globals: a closure over thousands of names takes Python minutes to compile.
    """
    writer = _InPlace(program)
    for array in program.layout.arrays:
        if array.bank in ("theta", "constant"):
            writer.bind(array.name, array.shape, ("shared", array.start), array.size)
    loads = []
    for array in program.layout.arrays:
        if array.bank == "argument" and array.name in program.copied_arguments:
            if writer.first:
                writer.prelude.append(f"{array.name} = empty((n, {array.size}), dtype).T")
            else:
                writer.bind(array.name, (array.size, BATCH), None, array.size)
            loads.append(f"copyto({array.name}, {array.name}_given)")
    for definition in program.forward:
        writer.define(definition)
    result = writer.outputs()
    forward = writer.lines
    views = [f"{name} = {text}" for text, name in writer.late.items()]
    writer.lines, writer.backward = [], True
    for definition in program.backward:
        writer.define(definition)
    all_views = [f"{name} = {text}" for text, name in writer.late.items()]
    arguments = ", ".join(f"{a}_given" if a in program.copied_arguments else a for a in argument_names)
    lines = [
        *writer.prelude,
        f"def predict({arguments}):",
        *[f"    {line}" for line in [*loads, *views, *forward, f"return {result}"]],
        f"def run({arguments}):",
        *[f"    {line}" for line in [*loads, *all_views, *forward, *writer.lines, f"return {result}"]],
    ]
    return Text("\n".join(lines) + "\n", writer.constants.arrays)
