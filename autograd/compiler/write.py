"""Pass 7, write: the statements as Python text.

`readable` prints plain array expressions, without side effects: this is ``step.source``, it runs on NumPy and on JAX
alike, and for the two neurons it reads

    z1 = w1 @ x + b1[:, None]
    h1 = tanh(z1)

A loop over three time steps is a `for` over turns, which write into arrays that are there before:

    z1, h1 = empty((3, 2, n)), zeros((4, 2, n))
    for turn in range(3):
        z1[turn] = w2 @ h1[turn] + t1[turn]
        h1[turn + 1] = tanh(z1[turn])

What runs on NumPy are the same statements, printed by `autograd.compiler.in_place`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .axes import is_plain
from .layout import Array
from .listing import code_of
from .program import Definition, Gather, Program, Put, Statement, Store, Turns
from .symbols import BATCH, COMPARISONS, WORDS, Shape, Symbol
from .views import permuted_text


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

_ASSIGNABLE = re.compile(r"\w+\[[\d:, ]+\](\.\w+\([^()]*\)(\[[\d:, ]*:[\d:, ]*\])?)*")  # a part, seen somehow
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
            return _stretched(texts[0], x.shape), 9
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
        return f"add_at(zeros({shape_text(x.shape)}), {index}, {first}, 0)"
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
            texts = [f"{word}({shape_text(d.shape)})" for word, d in zip(words, waiting, strict=True)]
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
        put(f"    {d.name} = zeros({shape_text(d.shape)})")
    else:
        text = expression_text(d.expression, constants)
        number = d.shape == () and is_plain(d.expression)  # of Python's own, which has no axis to add
        stretched = d.expression.shape != d.shape or number
        if stretched:
            text = _stretched(text, d.shape)
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
    places = constants.index(np.array(d.index, order="C"))  # `ascontiguousarray` would make a list of one place
    return f"{name} = add_at_turn({name}, {turn}, {places}, {text}, {d.axis})"


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


def _stretched(text: str, shape: Shape) -> str:
    """An array of one number: of n or -n, too, which are whole, but what is added to them is not."""
    return f"broadcast_to({f'float({text})' if text in ('n', '-n') else text}, {shape_text(shape)})"


def shape_text(shape: Shape) -> str:
    sizes = ["n" if s == BATCH else f"{-s} * n" if s < 0 else str(s) for s in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
