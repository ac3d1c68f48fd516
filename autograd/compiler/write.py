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

A loop over three time steps runs over tuples of views that were bound, too, one tuple for each turn:

    turns_1 = [(z1[:, turn], h1[:, turn], h1[:, turn + 1]) for turn in range(3)]
    for z1_1, h1_1, h1_2 in turns_1: ...
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contract import merged_size
from .differentiate import Definition, Gather, Program, Put, Statement, Store, Turns, is_plain
from .layout import Array
from .listing import code_of
from .symbols import BATCH, COMPARISONS, WORDS, Shape, Symbol, is_number
from .views import MANY, contiguous, permuted_text

UFUNCS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "pow": "power"}
UFUNCS |= {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal"}
UFUNCS |= {"abs": "absolute"}
SHORT = 64  # entries, in a row of which NumPy's start takes longer than the row


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
        self.changed: set[str] = set()  # arrays that are written into after they were defined
        self.copies: dict[str, str] = {}  # arrays that are copies of views, as these are written

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
        text = str(x.detail.text).replace(", ...]", "]")
        copied = constants.copies.get(x.detail.base)
        return (text if copied is None else copied + text.removeprefix(x.detail.base)), 9
    if op == "number":
        return (repr(x.detail), 9 if x.detail >= 0 else 3) if np.isfinite(x.detail) else (f'float("{x.detail}")', 9)
    if op == "gather":
        return _gather_text(x.detail, x.shape, constants), 9
    arguments = [_print(a, constants) for a in x.arguments]
    texts = [text for text, _ in arguments]
    if op in ("take", "take_along", "add_at", "placed", "whole"):
        return _look_up_text(x, texts), 9
    if op == "part":
        chosen, axis = x.detail
        return f"take({texts[0]}, {constants.index(chosen)}, {axis})", 9
    if op in ("reshape", "transpose", "stretch"):
        inner = texts[0] if arguments[0][1] == 9 else f"({texts[0]})"
        if op == "stretch":
            return f"broadcast_to({texts[0]}, {_shape_text(x.shape)})", 9
        if op == "transpose":
            return permuted_text(inner, x.detail), 9
        return f"{inner}.reshape({_sizes(x.shape) or '()'})", 9
    if op in ("sum", "max"):
        axes, keep = x.detail
        count = len(x.arguments[0].shape)
        axes = (axes,) if isinstance(axes, int) else axes
        if len(axes) == count and not keep:
            return f"{op}({texts[0]})", 9
        told = [-1 if a == count - 1 and a > 0 and len(axes) == 1 else a for a in axes]
        where = str(told[0]) if len(told) == 1 else f"({', '.join(map(str, told))})"
        return f"{op}({texts[0]}, {where}{', keepdims=True' if keep else ''})", 9
    if op == "@" and len(texts) == 3:
        return f"masked_matmul({', '.join(texts)})", 9
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


def _look_up_text(x: Symbol, texts: list[str]) -> str:
    """What an index finds, and where an adjoint goes to from there."""
    if x.operator == "whole":
        return f"{texts[0]}.astype(int)"
    first, index = texts
    if x.operator == "take":
        return f"take({first}, {index}, 0)"
    if x.operator == "add_at":
        return f"add_at(zeros({_shape_text(x.shape)}), {index}, {first}, 0)"
    place, count = x.detail, len(x.arguments[1].shape)
    seen = f"{index}[{':, ' * place}None]" if place < count else f"{index}[..., None]"
    if x.operator == "take_along":
        return f"take_along_axis({first}, {seen}, {place}).squeeze({place})"
    if x.arguments[0].shape:
        first = f"{_bracket((first, 9 if first.isidentifier() else 0), 9)}[{':, ' * place}None]"
    numbers = f"arange({x.shape[place]})" + (f"[:{', None' * (count - place)}]" if place < count else "")
    return f"where({seen} == {numbers}, {first}, 0.0)"


def _bracket(printed: tuple[str, int], level: int) -> str:
    text, own = printed
    return text if own >= level else f"({text})"


def _sizes(shape: Shape) -> str:
    return ", ".join(str(s) if s > 0 else "-1" for s in shape)


def _flat_name(array: Array, first: bool) -> str:
    """An array as a list of places, and the samples."""
    if array.bank == "argument":
        return f"{array.name}.T" if first else array.name
    if len(array.shape) == 1:
        return array.name
    if not array.is_batched:
        return f"{array.name}.reshape(-1)"
    return f"{array.name}.reshape(n, {array.size})" if first else f"{array.name}.reshape({array.size}, n)"


def _gather_text(gather: Gather, shape: Shape, constants: Constants) -> str:
    batched = BATCH in shape
    first = batched and shape[0] == BATCH and gather.first
    index = _joined_index(gather).reshape([s for s in shape if s > 0])
    names = [_flat_name(a, gather.first) for a in gather.arrays]
    if batched and len(names) > 1:  # shared arrays beside batched ones
        for k, a in enumerate(gather.arrays):
            if not a.is_batched:
                names[k] = f"broadcast_to({names[k]}{f', (n, {a.size})' if first else f'[:, None], ({a.size}, n)'})"
    joined = f"concatenate([{', '.join(names)}]{', 1' if first else ''})" if len(names) > 1 else names[0]
    return f"take({joined}, {constants.index(index)}, {int(first)})"


def _joined_index(gather: Gather) -> NDArray[np.intp]:
    """Places in the arrays laid end to end."""
    starts = np.cumsum([0] + [a.size for a in gather.arrays[:-1]])
    return np.asarray(starts[gather.which] + gather.place, dtype=np.intp)


def readable(program: Program, argument_names: list[str], mean: bool, functional: bool = False) -> Text:
    """The program as a function of theta and the arguments (each [entries, N]), without side effects.

    With ``functional``, as JAX wants it, loops change no array either.
    """
    constants = Constants()
    lines = [f"def program({', '.join(['theta', *argument_names])}):"]
    put = lines.append
    n = f"{argument_names[0]}.shape[1]" if argument_names else "1"
    put(f"    n = {n}")
    for array in program.layout.arrays:
        if array.bank == "theta":
            shape = f".reshape({_sizes(array.shape)})" if len(array.shape) > 1 else ""
            put(f"    {array.name} = theta[{array.start}:{array.start + array.size}]{shape}")
        elif array.bank == "constant":
            constants.arrays[array.name] = program.layout.constants
    constants.arrays |= program.masks
    _put_all(program.forward, constants, put, functional)
    outputs = _outputs_text(program, constants)
    if mean:
        _put_all(program.backward, constants, put, functional)
        parts = []
        for array in program.layout.arrays:
            if array.bank == "theta":
                name = program.gradients.get(array.name)
                flat = f"{name}.reshape(-1)" if len(array.shape) > 1 else str(name)
                parts.append(flat if name else f"zeros(({array.size},))")
        gradient = f"concatenate([{', '.join(parts)}])" if len(parts) > 1 else parts[0] if parts else "zeros((0,))"
        put(f"    return sum({outputs.removesuffix('[None]')}) / n, {gradient} / n")
    else:
        put(f"    return {outputs}")
    return Text("\n".join(lines) + "\n", constants.arrays)


def _outputs_text(program: Program, constants: Constants) -> str:
    """The outputs [count, N]."""
    gather, first = program.outputs, program.layout.samples_first
    if len(gather.arrays) == 1:
        (array,) = gather.arrays
        if len(gather.place) == array.size and (gather.place == np.arange(array.size)).all():
            if array.shape == () and len(gather.place) == 1:
                return f"{array.name}[None]"
            return _flat_name(array, first) + (".T" if first else "")
    count = len(gather.place)
    text = _gather_text(gather, (BATCH, count) if first else (count, BATCH), constants)
    return f"{text}.T" if first else text


def _put_all(statements: list[Statement], constants: Constants, put: Callable[[str], None], functional: bool) -> None:
    """The statements, with arrays that only get their memory in one line, and without copies of views."""
    for d in statements:
        if isinstance(d, Turns):
            constants.changed.update([inner.target.base for inner in d.body if isinstance(inner, Put)])
        elif isinstance(d, Put):
            constants.changed.add(d.target.base)
        elif d.stores:
            constants.changed.add(d.name)
    waiting: list[Definition] = []

    def allocate() -> None:
        if waiting:
            names = ", ".join([d.name for d in waiting])
            words = ["zeros" if d.zeros or functional else "empty" for d in waiting]
            texts = [f"{word}({_shape_text(d.shape)})" for word, d in zip(words, waiting, strict=True)]
            put(f"    {names} = {', '.join(texts)}")
            waiting.clear()

    for d in statements:
        if isinstance(d, Definition) and d.expression is None and not d.stores:
            waiting.append(d)
            continue
        allocate()
        if isinstance(d, Definition) and d.copy and d.expression is not None:
            constants.copies[d.name] = expression_text(d.expression, constants)
            continue
        _put_readable(d, constants, put, functional)
    allocate()


def _put_readable(d: Statement, constants: Constants, put: Callable[[str], None], functional: bool) -> None:
    if isinstance(d, Put):
        text = expression_text(d.expression, constants)
        put(f"    {_functional_put(d, text, constants) if functional else _put_text(d, text)}")
        return
    if isinstance(d, Turns):
        _put_turns(d, constants, put, functional)
        return
    if d.expression is None:
        put(f"    {d.name} = zeros({_shape_text(d.shape)})")
    else:
        text = expression_text(d.expression, constants)
        number = d.shape == () and is_plain(d.expression)  # of Python's own, which has no axis to add
        stretched = d.expression.shape != d.shape or number
        if stretched:
            text = f"broadcast_to({text}, {_shape_text(d.shape)})"
        shown = stretched or d.expression.operator in ("leaf", "reshape", "transpose", "stretch")
        if shown and d.name in constants.changed and not functional:
            text += ".copy()"  # what follows writes into it
        put(f"    {d.name} = {text}")
    for store in d.stores:
        _put_store(d, store, constants, put, functional)


def _put_store(d: Definition, store: Store, constants: Constants, put: Callable[[str], None], functional: bool) -> None:
    text = expression_text(store.expression, constants)
    if store.view is not None and not functional and _ASSIGNABLE.fullmatch(store.view.text):
        target = store.view.text + ("[...]" if store.view.text.endswith(")") else "")
        put(f"    {target} {'+=' if store.accumulate else '='} {text}")
        return
    axis = int(store.shape[:1] == (BATCH,) and len(store.shape) > 1)  # of d, with samples alone, it is not to be told
    index = constants.index(np.ascontiguousarray(store.index))
    flat, back = f".reshape({_flat_shape(d.shape, axis)})", f".reshape({_sizes(d.shape) or '()'})"
    if len([s for s in d.shape if s != BATCH]) == 1:
        flat = back = ""
    put(f"    {d.name} = add_at({d.name}{flat}, {index}, {text}, {axis}){back}")


def _put_text(d: Put, text: str) -> str:
    seen = "[...]" if d.target.text.endswith(")") else ""
    return f"{d.target.text}{seen} {'+=' if d.accumulate else '='} {text}"


def _functional_put(d: Put, text: str, constants: Constants) -> str:
    name, index = d.target.base, d.target.text.removeprefix(d.target.base)
    if index.count("[") == 1 and index.startswith("[") and index.endswith("]"):
        return f"{name} = {name}.at{index}.{'add' if d.accumulate else 'set'}({text})"
    assert d.index is not None
    turn = f"turn + {d.turn}" if d.turn else "turn"
    return f"{name} = add_at_turn({name}, {turn}, {constants.index(np.ascontiguousarray(d.index))}, {text})"


def _put_turns(d: Turns, constants: Constants, put: Callable[[str], None], functional: bool) -> None:
    if not functional:
        put(f"    for turn in {f'reversed(range({d.count}))' if d.backward else f'range({d.count})'}:")
        _put_all(d.body, constants, lambda line: put(f"    {line}"), functional)
        return
    names = ", ".join(dict.fromkeys(s.target.base for s in d.body if isinstance(s, Put)))
    put("    def one_turn(turn, arrays):")
    put(f"        ({names},) = arrays")
    if d.backward:
        put(f"        turn = {d.count - 1} - turn")
    _put_all(d.body, constants, lambda line: put(f"    {line}"), functional)
    put(f"        return ({names},)")
    put(f"    ({names},) = fori_loop(0, {d.count}, one_turn, ({names},))")


def _flat_shape(shape: Shape, axis: int) -> str:
    """A list of places, and the samples, of an array of this shape."""
    if BATCH not in shape:
        return "-1"
    size = int(np.prod([s for s in shape if s > 0]))
    return f"n, {size}" if axis else f"{size}, n"


# --------------------------------------------------------------------------------------------------------------------
# In place


_ASSIGNABLE = re.compile(r"\w+\[[\d:, ]+\](\.\w+\([^()]*\)(\[[\d:, ]*:[\d:, ]*\])?)*")  # a part, seen somehow
_TURN = re.compile(r"\bturn\b")
_TURNED = re.compile(r"\b\w+\b")


class _InPlace:
    """Prints statements that write into workspaces. ``prelude`` is run once per batch size, ``lines`` on every call."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.first = program.layout.samples_first
        self.constants = Constants()
        self.constants.arrays |= program.masks
        self.prelude: list[str] = []
        self.lines: list[str] = []
        self.views: dict[str, str] = {}  # text -> name
        self.free: dict[tuple[Shape, str], list[str]] = {}
        self.pool_of: dict[str, tuple[Shape, str]] = {}
        self.solid: set[str] = set()  # names of arrays that lie in memory in one piece
        self.buffers = self.names = 0
        layout = program.layout
        self.turned = {name for a in layout.arrays if a.takes_turns for name in (a.name, "d" + a.name)}
        self.direct = {a.name for a in layout.arrays if a.bank == "argument"} - program.copied_arguments
        self.turns: dict[str, str] = {}  # while a loop's turns are written, views at turn t: text -> name
        self.in_turns = False
        self.late: dict[str, str] = {}  # views of an argument that is not copied: taken on every call

    # names

    def view(self, base: str, text: str) -> str:
        """A name for a view, bound once; a view of an argument that is used where it lies is taken on every call."""
        if text == base:
            return base
        if self.in_turns and (_TURN.search(text) or base in self.turns.values()):
            if text not in self.turns:
                self.names += 1
                self.turns[text] = f"{base}_{self.names}"
            return self.turns[text]
        if base in self.direct or base in self.late.values():
            if text not in self.late:
                self.late[text] = f"{base}_{len(self.late) + 1}"
            return self.late[text]
        if text not in self.views:
            self.names += 1
            self.views[text] = f"{base}_{self.names}" if base.isidentifier() else f"v_{self.names}"
            self.prelude.append(f"{self.views[text]} = {text}")
        return self.views[text]

    def seen_as(self, name: str, old: Shape, new: Shape) -> str:
        """An array in one piece, in another shape."""
        if old == new:
            return name
        found = self.view(name, f"{name}.reshape({_bound_sizes(new)})")
        self.solid.add(found)
        return found

    def bind(self, name: str, shape: Shape, memory: tuple[str, int] | None, size: int) -> None:
        text = f"empty({_shape_text(shape)}, dtype)"
        if memory is not None:
            bank, start = memory
            times = " * n" if bank in ("batched", "adjoint") else ""
            if name in self.turned:
                samples, turns, *rest = shape
                seen = f"reshape({_bound_sizes((turns, samples, *rest))}).swapaxes(0, 1)"
                self.prelude.append(f"{name} = {bank}[{start}{times}:{start + size}{times}].{seen}")
                return
            seen_as = f".reshape({_bound_sizes(shape)})" if len(shape) != 1 else ""
            text = f"{bank}[{start}{times}:{start + size}{times}]{seen_as}"
        self.prelude.append(f"{name} = {text}")
        self.solid.add(name)

    def temporary(self, shape: Shape, kind: str = "dtype") -> str:
        free = self.free.setdefault((shape, kind), [])
        if free:
            return free.pop()
        self.buffers += 1
        name = f"buffer{self.buffers}"
        self.prelude.append(f"{name} = empty({_shape_text(shape)}, {kind})")
        self.pool_of[name] = (shape, kind)
        self.solid.add(name)
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
        if x.shape == () and is_plain(x):  # numbers and n: Python's own arithmetic
            return f"({expression_text(x, self.constants)})"
        if into is None:
            into = self.temporary(x.shape)
        if op in ("reshape", "transpose", "stretch"):
            return self._moved(x, into)
        if op == "@":
            names = [self.value(y) for y in x.arguments]
            word = "matmul" if len(names) == 2 else "zeroed_matmul" if x.detail else "masked_matmul"
            self.put(f"{word}({', '.join(names)}, {into})")
            return into
        if op == "take":
            table, index = self.value(x.arguments[0]), self.index(x.arguments[1])
            self.put(f"{table}.take({index}, 0, {into}, 'clip')", table, index, keep=into)
            return into
        if op == "add_at":
            value, index = self.value(x.arguments[0]), self.index(x.arguments[1])
            self.put(f"add_up({value}, {index}, {into})", value, index)
            return into
        if op == "take_along":
            view = x.arguments[0].detail
            head = view.indexed([slice(None)] * x.detail + [0])
            places = self.places(view.base, head.text, view.strides[x.detail], x.shape, x.arguments[1])
            flat = self.view(view.base, f"flat({view.base})")
            self.put(f"{flat}.take({places}, 0, {into}, 'clip')", places)
            return into
        if op == "placed":
            return self._placed(x, into)
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
            op, names = "*", [*names, "-1.0"]
        call = f"half_power({names[0]}" if is_root else f"{UFUNCS.get(op, op)}({', '.join(names)}"
        self.put(f"{call}, {into})", *names, keep=into)
        return into

    # look-ups

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
        self.prelude.append(f"{name} = places({base}, lambda {base}: {head}, {_shape_text(shape)})")
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
            moved = self.view(value, f"{value}.reshape({_bound_sizes(x.shape)})")
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
        if x.operator == "sum" and self._by_ones(child, value, axes, keep, x.shape, into):
            return into
        if x.operator == "max" and self._by_columns(child, value, axes, x.shape, into):
            return into
        ufunc = "add" if x.operator == "sum" else "maximum"
        told = axes[0] if len(axes) == 1 else axes
        self.put(f"{ufunc}.reduce({value}, {told}, None, {into}{', True' if keep else ''})", value, keep=into)
        return into

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
        ones = self.view("ones", f"ones({_shape_text((length,))}, dtype)")
        goal = self.seen_as(into, shape, (width,))
        self.put(f"matmul({flat}, {ones}, {goal})" if last else f"matmul({ones}, {flat}, {goal})", value, keep=into)
        return True

    def _where(self, x: Symbol, into: str) -> str:
        condition, yes, no = x.arguments
        if condition.operator == "<=" and is_number(condition.arguments[1], 0.0) and is_number(yes, 0.0):
            a = condition.arguments[0]
            if a.operator == "leaf" and no.operator == "leaf" and a.detail.text == no.detail.text:
                self.put(
                    f"maximum({self.value(a)}, 0.0, out={into})"
                )  # relu: one pass instead of three, the same numbers
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
        return x.operator != "number" and (x.operator != "leaf" or x.detail.base not in self.direct)

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
        x = d.expression
        if d.accumulate:
            value = self.value(x)
            self.put(f"add({target}, {value}, {target})", value)
        else:
            self._assign(x, target, d.target.shape)

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

    def _assign(self, x: Symbol, name: str, shape: Shape) -> None:
        """``name`` ← x, which may have to be stretched to this shape."""
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
        block, shift = blocks[main]
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
        del shift

    def _store(self, d: Definition, store: Store) -> None:
        x = store.expression
        if store.view is not None:
            target = self.view(d.name, store.view.text)
            if store.accumulate:
                value = self.value(x)
                self.put(f"add({target}, {value}, {target})", value)
            elif x.operator in ("reshape", "stretch"):
                value = self.value(x)
                self.put(f"copyto({target}, {value})", value)
            else:
                self._assign(x, target, store.shape)
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


def _shape_text(shape: Shape) -> str:
    sizes = ["n" if s == BATCH else f"{-s} * n" if s < 0 else str(s) for s in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def _bound_sizes(shape: Shape) -> str:
    """The sizes for a reshape where n is known."""
    return (
        _shape_text(shape)
        if not shape
        else ", ".join("n" if s == BATCH else f"{-s} * n" if s < 0 else str(s) for s in shape)
    )


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
    writer.lines = []
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
