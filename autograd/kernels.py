"""Fast methods, written by running the derivative sheet on symbols.

`Value.__mul__` could look the rule for "mul" up in the sheet, call its two halves, check the modes, and store what
comes back: `autograd.value.record` does just that. It costs about three times what a hand-inlined method costs, and a
graph is made of nothing but such calls. So the decorator `fast` writes the inlined method: it runs the rule once on
symbols (`autograd.symbols`), prints what comes out as Python text, and puts the text into the template below. For
``mul`` that gives

    a = self._data; b = other._data
    y = (a * b)
    ...
    out._da = b; out._db = a

which is what one would have typed, with no second copy of the rule to keep in step. ``source("mul")`` shows the rest.
Whatever is out of the ordinary (a mode is on, an odd operand, a result that Python's floats refuse) goes to the
undecorated method, so the fast methods change how long things take and nothing else; a test holds them to that.
"""

from __future__ import annotations

import functools
import linecache
import math
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, cast

from . import ieee
from .ops import BUILT_IN, SHEET
from .reals import CUT
from .symbols import is_cut, leaf, lift

Method = TypeVar("Method", bound=Callable[..., Any])


def _text(x: Any) -> str:
    """A symbol as Python text."""
    x = lift(x)
    if x.operator == "leaf":
        return str(x.detail)
    if x.operator == "number":
        return "CUT" if is_cut(x) else repr(x.detail)
    parts = [_text(part) for part in x.arguments]
    if x.operator == "where":
        return f"({parts[1]} if {parts[0]} else {parts[2]})"
    if x.operator == "neg":
        return f"(-{parts[0]})"
    return f"{x.operator}({', '.join(parts)})" if x.operator.isalnum() else f"({parts[0]} {x.operator} {parts[1]})"


class Tags:
    """The tag that each operation's nodes carry in one scope: a shared tuple (op, scope, label)."""

    __slots__ = (*sorted(BUILT_IN), "path")  # read faster than the dict that more than 30 attributes would need

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> tuple[str, str, str]: ...

    def __init__(self, path: str) -> None:
        for name in BUILT_IN:
            setattr(self, name, (name, path, ""))
        self.path = path


ROOT = Tags("")

# The scope that nodes are filed under in the thread, or the asyncio task, that runs just now; None inside no_grad() or
# detect_anomaly(), where every operation takes the careful path. It is read for each node. A context variable costs
# 8 ns more than the two globals that could not tell threads apart, of 550 for a node; `next(blanks)` below, instead of
# object.__new__(Value), which packs its argument into a tuple, gives 10 back. (A threading.local costs 50.)
CURRENT: ContextVar[Tags | None] = ContextVar("chainrule_scope", default=ROOT)

# The names that a written method can see; `Value` and `blanks`, an endless supply of Values with empty slots, are added
# where that class is. `math`'s own functions stand here, not `ieee`'s: they are faster, and where they raise, the
# careful method takes over.
NAMESPACE: dict[str, Any] = {
    "current": CURRENT.get,
    "CUT": CUT,
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "sin": math.sin,
    "cos": math.cos,
    "tanh": math.tanh,
    "pow": math.pow,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "log1p": math.log1p,
    "expm1": math.expm1,
    "erf": math.erf,
    "erfc": math.erfc,
    "atan2": math.atan2,
    "hypot": math.hypot,
    "sigmoid": ieee.sigmoid,
    "softplus": ieee.softplus,
}

_ONE_INPUT = """\
def record_{name}(self):
    tags = current()
    if tags is not None:
        try:
            a = self._data
            y = {y}
            da = {da}
        except (ArithmeticError, ValueError):
            return careful(self)
        out = next(blanks)
        out._data = y
        out._grad = None
        out._tag = tags.{name}
        out._a = self
        out._b = None
        out._da = da
        out._db = None
        return out
    return careful(self)
"""

_TWO_INPUTS = """\
def record_{name}(self, other):
    tags = current()
    if tags is not None:
        kind = type(other)
        if kind is Value:
            try:
                a = self._data
                b = other._data
                y = {y}
                da = {da}
                db = {db}
            except (ArithmeticError, ValueError):
                return careful(self, other)
            out = next(blanks)
            out._data = y
            out._grad = None
            out._tag = tags.{name}
            out._a = self
            out._b = other
            out._da = da
            out._db = db
            return out
        if kind is float or kind is int:
            try:
                a = self._data
                b = other if kind is float else float(other)
                y = {y}
                da = {da}
            except (ArithmeticError, ValueError):
                return careful(self, other)
            out = next(blanks)
            out._data = y
            out._grad = None
            out._tag = tags.{name}
            out._a = self
            out._b = b
            out._da = da
            out._db = None
            return out
    return careful(self, other)
"""

# The int 0 goes to the careful method, because sum() starts with 0 + x.
_REFLECTED = """\
def record_{name}(self, other):
    tags = current()
    if tags is not None:
        kind = type(other)
        if kind is float or (kind is int and other):
            try:
                a = other if kind is float else float(other)
                b = self._data
                y = {y}
                db = {db}
            except (ArithmeticError, ValueError):
                return careful(self, other)
            out = next(blanks)
            out._data = y
            out._grad = None
            out._tag = tags.{name}
            out._a = a
            out._b = self
            out._da = None
            out._db = db
            return out
    return careful(self, other)
"""


def source(name: str, reflected: bool = False) -> str:
    """The Python text of the fast method for an operation of one or two inputs."""
    op = SHEET[name]
    if op.arity not in (1, 2):
        raise ValueError(f"{name} takes any number of inputs, and has no written method")
    inputs = [leaf("a", ()), leaf("b", ())][: op.arity]
    y = _text(op.forward(*inputs))
    partials = [_text(p) for p in op.partials(leaf("y", ()), *inputs)]
    if op.arity == 1:
        return _ONE_INPUT.format(name=name, y=y, da=partials[0])
    template = _REFLECTED if reflected else _TWO_INPUTS
    return template.format(name=name, y=y, da=partials[0], db=partials[1])


def fast(name: str, *, reflected: bool = False) -> Callable[[Method], Method]:
    """Decorate a method of Value that records operation ``name``: the same method, written out for speed."""

    def decorate(careful: Method) -> Method:
        text = source(name, reflected)
        filename = f"<the derivative sheet: {careful.__qualname__}>"
        # Each written function has its own `careful`, but all must see `Value`, which is not there yet: so the text
        # is wrapped in a maker whose globals are NAMESPACE itself.
        body = "".join(f"    {line}" for line in text.splitlines(True))
        maker = f"def make(careful):\n{body}    return record_{name}\n"
        linecache.cache[filename] = (len(maker), None, maker.splitlines(True), filename)  # for tracebacks
        scratch: dict[str, Any] = {}
        exec(compile(maker, filename, "exec"), NAMESPACE, scratch)
        return cast("Method", functools.update_wrapper(scratch["make"](careful), careful))

    return decorate
