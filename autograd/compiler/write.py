"""Pass 6, write: the statements as Python text.

Two writers print the same statements. `readable` prints plain array expressions, without side effects: this is
``step.source``, it runs on NumPy and on JAX alike, and for the two neurons it reads

    z1 = w1 @ x + b1[:, None]
    h1 = tanh(z1)

`in_place` prints what runs on NumPy: the same expressions, each operation into a workspace that was bound beforehand
for one batch size, because fresh memory costs more than the arithmetic (page faults: 2.4 to 3.1 times on convolutions):

    z1 = batched[0:2]                        once, when bound       matmul(w1, x, z1)
    h1 = batched[2:4]                                               add(z1, b1_1, z1)
    b1_1 = b1[:, None]                                              tanh(z1, h1)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .differentiate import Definition, Gather, Program, Store
from .layout import Array
from .listing import code_of
from .symbols import BATCH, COMPARISONS, WORDS, Shape, Symbol, is_number

UFUNCS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "pow": "power"}
UFUNCS |= {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal"}
UFUNCS |= {"neg": "negative", "abs": "absolute"}


@dataclass
class Text:
    """A program as text, and the arrays of numbers that it mentions by name."""

    source: str
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)

    def load(self, name: str, words: dict[str, Any]) -> Any:
        """The function of this name, with ``words`` for what the text does not define itself."""
        space = {**words, **self.constants}
        exec(code_of(self.source, name), space)
        return space[name]


class Constants:
    """Index arrays, each kept once."""

    def __init__(self) -> None:
        self.arrays: dict[str, NDArray[Any]] = {}
        self.names: dict[tuple[bytes, str], str] = {}

    def index(self, array: NDArray[Any]) -> str:
        key = (array.tobytes(), str(array.shape))
        if key not in self.names:
            self.names[key] = f"i{len(self.names) + 1}"
            self.arrays[self.names[key]] = array
        return self.names[key]


# --------------------------------------------------------------------------------------------------------------------
# Plain expressions

_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "neg": 3, "pow": 4}


def expression_text(x: Symbol, constants: Constants) -> str:
    return _print(x, constants)[0]


def _print(x: Symbol, constants: Constants) -> tuple[str, int]:
    """The text and how tightly it binds."""
    op = x.operator
    if op == "leaf":
        return str(x.detail.text), 9
    if op == "number":
        return (repr(x.detail), 9 if x.detail >= 0 else 3) if np.isfinite(x.detail) else (f'float("{x.detail}")', 9)
    if op == "gather":
        gather: Gather = x.detail
        index = _joined_index(gather).reshape([s for s in x.shape if s > 0])
        if len(gather.arrays) == 1:
            return f"take({_flat_name(gather.arrays[0])}, {constants.index(index)})", 9
        n = "n" if BATCH in x.shape else "None"
        return f"take(concatenate({n}, {', '.join(map(_flat_name, gather.arrays))}), {constants.index(index)})", 9
    arguments = [_print(a, constants) for a in x.arguments]
    texts = [text for text, _ in arguments]
    if op == "part":
        return f"{texts[0]}[{constants.index(x.detail)}]", 9
    if op == "reshape":
        inner = texts[0] if arguments[0][1] == 9 else f"({texts[0]})"
        return f"{inner}.reshape({_sizes(x.shape)})", 9
    if op in ("sum", "max"):
        axis, keep = x.detail
        if axis == len(x.arguments[0].shape) - 1 and axis > 0:
            axis = -1
        return f"{op}({texts[0]}, {axis}{', keepdims=True' if keep else ''})", 9
    if op in WORDS or op in ("abs", "where"):
        return f"{op}({', '.join(texts)})", 9
    if op in COMPARISONS:
        return " ".join([_bracket(arguments[0], 1), op, _bracket(arguments[1], 1)]), 0
    level = _PRECEDENCE[op]
    if op == "neg":
        return f"-{_bracket(arguments[0], level)}", level
    if op == "pow":
        return f"{_bracket(arguments[0], 5)} ** {_bracket(arguments[1], 4)}", level
    tighter = op != "+"  # a - (b + c) needs its brackets; so does a * (b * c), to round as it was written
    return f"{_bracket(arguments[0], level)} {op} {_bracket(arguments[1], level + tighter)}", level


def _bracket(printed: tuple[str, int], level: int) -> str:
    text, own = printed
    return text if own >= level else f"({text})"


def _sizes(shape: Shape) -> str:
    return ", ".join(str(s) if s > 0 else "-1" for s in shape)


def _flat_name(array: Array) -> str:
    return f"{array.name}.reshape(-1)" if array.matrix else array.name


def _joined_index(gather: Gather) -> NDArray[np.intp]:
    """Places in the arrays laid end to end."""
    starts = np.cumsum([0] + [a.size for a in gather.arrays[:-1]])
    return np.asarray(starts[gather.which] + gather.place, dtype=np.intp)


def readable(program: Program, argument_names: list[str], mean: bool) -> Text:
    """The program as a function of theta and the arguments (each [entries, N]), without side effects."""
    constants = Constants()
    lines = [f"def program({', '.join(['theta', *argument_names])}):"]
    put = lines.append
    n = f"{argument_names[0]}.shape[1]" if argument_names else "1"
    put(f"    n = {n}")
    for array in program.layout.arrays:
        if array.bank == "theta":
            shape = f".reshape({array.matrix[0]}, {array.matrix[1]})" if array.matrix else ""
            put(f"    {array.name} = theta[{array.start}:{array.start + array.size}]{shape}")
        elif array.bank == "constant":
            constants.arrays[array.name] = program.layout.constants
    for definition in program.forward:
        _put_readable(definition, constants, put)
    outputs = _outputs_text(program, constants)
    if mean:
        for definition in program.backward:
            _put_readable(definition, constants, put)
        parts = []
        for array in program.layout.arrays:
            if array.bank == "theta":
                name = program.gradients.get(array.name)
                flat = f"{name}.reshape(-1)" if array.matrix else str(name)
                parts.append(flat if name else f"zeros(({array.size},))")
        gradient = f"concatenate(None, {', '.join(parts)})" if parts else "zeros((0,))"
        put(f"    return sum({outputs}) / n, {gradient} / n")
    else:
        put(f"    return {outputs}")
    return Text("\n".join(lines) + "\n", constants.arrays)


def _outputs_text(program: Program, constants: Constants) -> str:
    """The outputs [count, N]."""
    by_start = [a for a in program.layout.arrays if a.bank == "batched"]
    starts = np.array([a.start for a in by_start])
    which = np.searchsorted(starts, program.outputs, side="right") - 1
    arrays = [by_start[k] for k in np.unique(which)]
    if len(arrays) == 1:
        places = program.outputs - arrays[0].start
        if len(places) == arrays[0].size and (places == np.arange(len(places))).all():
            return str(arrays[0].name)
    gather = Gather(arrays, np.searchsorted(np.unique(which), which), program.outputs - starts[which])
    names = ", ".join(a.name for a in arrays)
    joined = names if len(arrays) == 1 else f"concatenate(n, {names})"
    return f"take({joined}, {constants.index(_joined_index(gather))})"


def _put_readable(d: Definition, constants: Constants, put: Callable[[str], None]) -> None:
    if d.expression is None:
        put(f"    {d.name} = zeros({_shape_text(d.shape)})")
    else:
        text = expression_text(d.expression, constants)
        if d.expression.shape != d.shape:
            text = f"broadcast({text}, {_shape_text(d.shape)})"
        put(f"    {d.name} = {text}")
    is_matrix = len(d.shape) == 2 and d.shape[1] > 0
    flat, back = (".reshape(-1)", f".reshape({_sizes(d.shape)})") if is_matrix else ("", "")
    for store in d.stores:
        index = constants.index(np.ascontiguousarray(store.index))
        text = expression_text(store.expression, constants)
        put(f"    {d.name} = add_at({d.name}{flat}, {index}, {text}){back}")


# --------------------------------------------------------------------------------------------------------------------
# In place


class _InPlace:
    """Prints statements that write into workspaces. ``prelude`` is run once per batch size, ``lines`` on every call."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.constants = Constants()
        self.prelude: list[str] = []
        self.lines: list[str] = []
        self.views: dict[str, str] = {}  # text -> name
        self.free: dict[tuple[Shape, str], list[str]] = {}
        self.pool_of: dict[str, tuple[Shape, str]] = {}
        self.buffers = self.names = 0
        layout = program.layout
        self.direct = {a.name for a in layout.arrays if a.bank == "argument"} - program.copied_arguments
        self.late: dict[str, str] = {}  # views of an argument that is not copied: taken on every call

    # names

    def view(self, base: str, text: str) -> str:
        """A name for a view, bound once; a view of an argument that is used where it lies is taken on every call."""
        if text == base:
            return base
        if base in self.direct:
            if text not in self.late:
                self.late[text] = f"{base}_{len(self.late) + 1}"
            return self.late[text]
        if text not in self.views:
            self.names += 1
            self.views[text] = f"{base}_{self.names}" if base.isidentifier() else f"v_{self.names}"
            self.prelude.append(f"{self.views[text]} = {text}")
        return self.views[text]

    def bind(self, name: str, shape: Shape, memory: tuple[str, int] | None, size: int) -> None:
        text = f"empty({_shape_text(shape)}, dtype)"
        if memory is not None:
            bank, start = memory
            seen_as = f".reshape({_sizes(shape)})" if len(shape) == 2 and shape[1] > 0 else ""
            text = f"{bank}[{start}:{start + size}]{seen_as}"
        self.prelude.append(f"{name} = {text}")

    def temporary(self, shape: Shape, kind: str = "dtype") -> str:
        free = self.free.setdefault((shape, kind), [])
        if free:
            return free.pop()
        self.buffers += 1
        name = f"buffer{self.buffers}"
        self.prelude.append(f"{name} = empty({_shape_text(shape)}, {kind})")
        self.pool_of[name] = (shape, kind)
        return name

    def release(self, *names: str, keep: str = "") -> None:
        for name in names:
            if name in self.pool_of and name != keep:
                self.free[self.pool_of[name]].append(name)

    def put(self, line: str, *used: str, keep: str = "") -> None:
        """A statement; the temporaries that it is the last to use are free after it, but for ``keep``."""
        self.lines.append(line)
        self.release(*used, keep=keep)

    # expressions

    def value(self, x: Symbol, into: str | None = None) -> str:
        """Emit what computes x; returns the name of the array with the result (``into``, if x is not a plain name)."""
        op = x.operator
        if op == "leaf":
            return self.view(x.detail.base, x.detail.text)
        if op == "number":
            return repr(x.detail) if np.isfinite(x.detail) else {"inf": "inf", "-inf": "-inf"}.get(str(x.detail), "nan")
        if x.shape == ():  # numbers and n: Python's own arithmetic
            return f"({expression_text(x, self.constants)})"
        if into is None:
            into = self.temporary(x.shape)
        if op == "reshape":
            child = x.arguments[0]
            inner = self.view(into, f"{into}.reshape({_sizes(child.shape)})")
            result = self.value(child, inner)
            if result != inner:
                self.put(f"copyto({inner}, {result})")
            return into
        if op == "@":
            a, b = (self.value(y) for y in x.arguments)
            self.put(f"matmul({a}, {b}, {into})")
            return into
        if op == "part":
            self.put(f"{self.value(x.arguments[0])}.take({self.constants.index(x.detail)}, 0, {into}, 'clip')")
            return into
        if op in ("sum", "max"):
            return self._reduce(x, into)
        if op == "where":
            return self._where(x, into)
        if op == "*" and x.arguments[0].shape == x.arguments[1].shape and x.arguments[0].operator == "where":
            x = Symbol("*", (x.arguments[1], x.arguments[0]), x.shape)
        # one operand that is an expression of the full shape may use the result's own memory
        order = sorted(range(len(x.arguments)), key=lambda k: -x.arguments[k].size)
        may = [k for k in order if x.arguments[k].arguments and x.arguments[k].shape == x.shape]
        borrower = may[0] if may and op not in COMPARISONS else None
        results = {k: self.value(x.arguments[k], into if k == borrower else None) for k in order}
        names = [results[k] for k in range(len(x.arguments))]
        is_root = op == "pow" and is_number(x.arguments[1], 0.5)
        call = f"half_power({names[0]}" if is_root else f"{UFUNCS.get(op, op)}({', '.join(names)}"
        self.put(f"{call}, {into})", *names, keep=into)
        return into

    def _reduce(self, x: Symbol, into: str) -> str:
        child = x.arguments[0]
        axis, keep = x.detail
        if x.operator == "sum" and _is_count(child) and 0 < child.shape[axis] < 128:
            mask, counts = self.temporary(child.shape, "bool"), self.temporary(x.shape, "int8")
            self._compare(child.arguments[0], mask)
            small = self.view(mask, f"{mask}.view(int8)")
            self.put(f"add.reduce({small}, {axis}, int8, {counts}{', True' if keep else ''})")
            self.put(f"copyto({into}, {counts})", mask, counts)
            return into
        value = self.value(child)
        if x.operator == "sum" and len(child.shape) == 2 and axis == 1 and child.shape[1] < 0 and not keep:
            ones = self.view("ones", f"ones({-child.shape[1]} * n, dtype)")  # a product with ones is BLAS's sum
            self.put(f"matmul({value}, {ones}, {into})", value, keep=into)
        else:
            ufunc = "add" if x.operator == "sum" else "maximum"
            self.put(f"{ufunc}.reduce({value}, {axis}, None, {into}{', True' if keep else ''})", value, keep=into)
        return into

    def _where(self, x: Symbol, into: str) -> str:
        condition, yes, no = x.arguments
        if condition.operator == "<=" and is_number(condition.arguments[1], 0.0) and is_number(yes, 0.0):
            a = condition.arguments[0]
            if a.operator == "leaf" and no.operator == "leaf" and a.detail.text == no.detail.text:
                self.put(
                    f"maximum({self.value(a)}, 0.0, out={into})"
                )  # relu: one pass instead of three, the same numbers
                return into
        numbers = yes.operator == "number" and no.operator == "number"
        if numbers and condition.shape == x.shape and {yes.detail, no.detail} == {0.0, 1.0}:
            self._compare(condition, into)  # a comparison written into floats is 0 and 1
            if yes.detail == 0.0:
                self.put(f"subtract(1.0, {into}, {into})")
            return into
        if x.shape[0] > 1:  # in a single row, copies are faster
            if is_number(yes, 0.0) and no.operator != "number":
                return self._kept(x, no, into, "subtract({0}, 1, {0})")
            if is_number(no, 0.0) and yes.operator != "number":
                return self._kept(x, yes, into, "negative({0}, {0})")
        mask = self.temporary(condition.shape, "bool")
        self._compare(condition, mask)
        chosen = self.value(yes)
        self._assign(no, into, x.shape)
        self.put(f"copyto({into}, {chosen}, where={mask})", mask, chosen)
        return into

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

    def define(self, d: Definition) -> None:
        if d.expression is not None and d.expression.operator == "gather":
            self._gather(d)
            return
        self.bind(d.name, d.shape, d.memory, _leading(d))
        if d.expression is not None:
            self._assign(d.expression, d.name, d.shape)
        elif d.zeros:
            self.put(f"{d.name}.fill(0.0)")
        for store in d.stores:
            self._store(d, store)

    def _assign(self, x: Symbol, name: str, shape: Shape) -> None:
        """``name`` ← x, which may have to be stretched to this shape."""
        result = self.value(x, name if x.shape == shape else None)
        if result != name:
            self.put(f"copyto({name}, {result})", result)

    def _gather(self, d: Definition) -> None:
        """Rows from one block of memory in one go; entries that lie in several blocks in one go for each."""
        assert d.expression is not None
        gather: Gather = d.expression.detail
        batched = BATCH in d.shape
        size = len(gather.place)
        starts = np.array([a.start for a in gather.arrays])
        banks = [_bank(a) for a in gather.arrays]
        places = starts[gather.which] + gather.place
        if len(set(banks)) == 1:
            first = int(places[0])
            if (places == np.arange(first, first + size)).all() and banks[0] not in self.direct:
                self.prelude.append(f"{d.name} = {banks[0]}[{first}:{first + size}].reshape({_sizes(d.shape)})")
                return
        self.bind(d.name, d.shape, None, size)
        flat = self.view(d.name, f"{d.name}.reshape({size}{', -1' if batched else ''})")
        # most of them in one go (with anything in the places of the others), then the others
        owner = np.array([banks.index(b) for b in banks])[gather.which]
        found, counts = np.unique(owner, return_counts=True)
        main = found[np.where([banks[k] != "shared" or not batched for k in found], counts, 0).argmax()]
        everywhere = np.where(owner == main, places, places[owner == main][0])
        self.put(f"{banks[main]}.take({self.constants.index(everywhere)}, 0, {flat}, 'clip')")
        for k in found:
            if k != main:
                at = np.flatnonzero(owner == k)
                rows = f"{banks[k]}.take({self.constants.index(places[at])}, 0)"
                if batched and banks[k] == "shared":
                    rows += "[:, None]"
                self.put(f"{flat}[{self.constants.index(at)}] = {rows}")

    def _store(self, d: Definition, store: Store) -> None:
        x = store.expression
        if store.text is not None:
            target = self.view(d.name, store.text)
            if store.accumulate:
                value = self.value(x)
                self.put(f"add({target}, {value}, {target})", value)
            elif x.operator == "reshape":
                value = self.value(x)
                self.put(f"copyto({target}, {value})", value)
            else:
                self._assign(x, target, store.shape)
            return
        index = store.index.reshape(-1)
        count = len(index)
        batched = BATCH in d.shape
        shape = (count, BATCH) if batched else (count,)
        value = self.value(x) if x.shape == store.shape and x.operator not in ("leaf", "number") else ""
        if not value:
            value = self.temporary(store.shape)
            self._assign(x, value, store.shape)
        rows = value if store.shape == shape else self.view(value, f"{value}.reshape({_sizes(shape)})")
        base = d.name if batched or len(d.shape) == 1 else self.view(d.name, f"{d.name}.reshape(-1)")
        if len(np.unique(index)) < count:
            summed, index = self._summed(rows, index, shape)
            self.release(value)
            rows = value = summed
        low, high = int(index[0]), int(index[-1]) + 1
        if high - low == len(index) and (np.diff(index) == 1).all():
            part = base if high - low == _leading(d) else self.view(base, f"{base}[{low}:{high}]")
            self.put(f"add({part}, {rows}, {part})" if store.accumulate else f"copyto({part}, {rows})", value)
        elif not store.accumulate and len(index) == _leading(d):  # every place once, in another order
            self.put(f"{rows}.take({self.constants.index(np.argsort(index))}, 0, {base}, 'clip')", value)
        else:
            self.put(f"{base}[{self.constants.index(index)}] {'+=' if store.accumulate else '='} {rows}", value)

    def _summed(self, rows: str, index: Any, shape: Shape) -> tuple[str, NDArray[np.intp]]:
        """Add up the rows that go to the same place: the name of the sums, and the place of each.

        ``A[index] += rows`` would drop repeats. Places that get m rows each are taken together as an array [m, places]
        and summed over its first axis, which on the windows of a convolution is three times as fast as `reduceat` over
        the sorted rows; that is for places with many different m.
        """
        order = np.argsort(index, kind="stable")
        unique, first, counts = np.unique(index[order], return_index=True, return_counts=True)
        repeats = np.unique(counts)
        regular = len(repeats) <= 12
        if regular:
            blocks = [first[counts == m] + np.arange(m)[:, None] for m in repeats]
            order = order[np.concatenate([block.reshape(-1) for block in blocks])]
        together = self.temporary(shape)
        self.put(f"{rows}.take({self.constants.index(order)}, 0, {together}, 'clip')")
        summed = self.temporary((len(unique), *shape[1:]))
        if not regular:
            self.put(f"add.reduceat({together}, {self.constants.index(first)}, 0, None, {summed})", together)
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


def _is_count(x: Symbol) -> bool:
    """Whether this is 1 where a comparison holds, else 0."""
    return x.operator == "where" and is_number(x.arguments[1], 1.0) and is_number(x.arguments[2], 0.0)


def _leading(d: Definition) -> int:
    return int(np.prod([s for s in d.shape if s > 0]))


def _bank(array: Array) -> str:
    """The block of memory an array lies in; an argument is a block of its own."""
    return array.name if array.bank == "argument" else "batched" if array.bank == "batched" else "shared"


def _shape_text(shape: Shape) -> str:
    sizes = ["n" if s == BATCH else f"{-s} * n" if s < 0 else str(s) for s in shape]
    return f"({', '.join(sizes)},)"


def in_place(program: Program, argument_names: list[str]) -> Text:
    """A module that, given n and the blocks of memory, binds the workspaces for n samples, and has predict and run.

    The names are the module's globals: a closure over thousands of names takes Python minutes to compile.
    """
    writer = _InPlace(program)
    for array in program.layout.arrays:
        if array.bank in ("theta", "constant"):
            writer.bind(array.name, array.matrix or (array.size,), ("shared", array.start), array.size)
    loads = []
    for array in program.layout.arrays:
        if array.bank == "argument" and array.name in program.copied_arguments:
            writer.bind(array.name, (array.size, BATCH), None, array.size)
            loads.append(f"copyto({array.name}, {array.name}_given)")
    for definition in program.forward:
        writer.define(definition)
    forward = writer.lines
    views = [f"{name} = {text}" for text, name in writer.late.items()]
    writer.lines = []
    for definition in program.backward:
        writer.define(definition)
    all_views = [f"{name} = {text}" for text, name in writer.late.items()]
    arguments = ", ".join(f"{a}_given" if a in program.copied_arguments else a for a in argument_names)
    lines = [
        *writer.prelude,
        f"def predict({arguments}):",
        *[f"    {line}" for line in [*loads, *views, *forward, "return batched"]],
        f"def run({arguments}):",
        *[f"    {line}" for line in [*loads, *all_views, *forward, *writer.lines, "return batched"]],
    ]
    return Text("\n".join(lines) + "\n", writer.constants.arrays)
