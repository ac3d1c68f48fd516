"""From a formula as text to a graph: ``parse("sigmoid(w*x + b)", w=2, x=-1, b=3)``.

The text is cut into tokens, and one walk over them builds the graph, with two stacks: one of operands, and one of
operators and brackets that wait for what follows. That is the shunting-yard algorithm (Dijkstra, 1961). It is a loop
and no recursion, so a sum may have as many terms as one likes; it knows numbers, names, + - * / **, calls to the
operations of the derivative sheet, and a comparison where a choice is made by it, as in ``where(x > 0, x, 0.1*x)``.
Anything else is an error that points at its place. Nothing is ever evaluated as code.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import NoneType
from typing import Any, NamedTuple

from . import ops
from .forward import apply
from .hints import near, written_out
from .reals import is_real, short, to_float
from .value import Value

MAX_LENGTH = 1_000_000  # characters
MAX_DEPTH = 500  # operations inside each other; the terms of a sum and the factors of a product stand side by side
MAX_BRACKETS = 150  # inside each other

_TOKEN = re.compile(
    r"""(?P<skipped>[ \t\f]+|\#[^\r\n]*|\\(?:\r\n|\r|\n))|(?P<end>\r\n|\r|\n|;)|(?P<text>[^\W\d]*['"])"""
    rf"""|(?P<word>(?:{"|".join(keyword.kwlist)})\b)|(?P<call>[^\W\d]\w*[ \t\f]*\()|(?P<name>[^\W\d]\w*)"""
    r"""|(?P<number>0[xXbBoO][\da-fA-F_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?)"""
    r"""|(?P<sign>(?:\*\*|//|<<|>>|[-+*/%@&|^:!<>=])=|\*\*|//|<<|>>|[-+*/()\[\]{},=<>%@&|^~.:])|(?P<unknown>.)""",
    re.DOTALL,
)
_SHORT = {"max": "maximum", "min": "minimum", "ln": "log", "σ": "sigmoid"}
_ALIASES = _SHORT | {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2"}  # as NumPy says
# signs as books and our own tables write them, those of Chinese and Japanese keyboards, which are as wide as a letter
# there, and spaces of other widths; each is read as the one character that any keyboard has
_WIDE = {chr(ord(c) + 0xFEE0): c for c in "()*+,-./0123456789:;<=>"}
_SPACES = dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f\u3000", " ")
_SIGNS = str.maketrans(
    {"·": "*", "⋅": "*", "×": "*", "∗": "*", "÷": "/", "∕": "/", "−": "-", "–": "-", **_WIDE, **_SPACES}
)
_NAMED_NUMBERS = {"pi": math.pi}
# how tightly it binds, and the operation; a > b is b < a
_OPERATORS: dict[str, tuple[int, str]] = {
    "<": (1, "less"), "<=": (1, "less_equal"), ">": (1, "less"), ">=": (1, "less_equal"), "==": (1, "equal"),
    "+": (2, "add"), "-": (2, "sub"), "*": (3, "mul"), "/": (3, "div"), "**": (5, "pow"),
}  # fmt: skip
_SIGN = 4  # a sign in front binds tighter than a product, and less tightly than a power
_OPEN = -1
_COMPARISON = 1
_NOT_FUNCTIONS = {"dot", "identity", *(name for _, name in _OPERATORS.values())}  # written otherwise

_EQUALS = "an equals sign needs one plain name before it, as in q = x + y"
_STEPS = "separate steps with ; as in q = x + y; f = q * z"
_ONE_COMPARISON = "where chooses by one comparison, as in where(x > 0, x, 0.1*x)"
# what has no place in a formula: wherever it stands, and behind an operand
_REFUSED = {
    "²": "for a power write ** as in x**2",
    "³": "for a power write ** as in x**2",
    "√": "for a root write sqrt(x)",
    "|": "for |x| write abs(x)",
    **{
        sign: f"this operator cannot be used in a formula: {instead}"
        for sign, instead in {
            "^": "for a power write **",
            "//": "to divide write /",
            "@": "to multiply write *",
            "%": "there is no remainder here",
            "&": "the operators are + - * / **",
        }.items()
    },
    "~": "this sign cannot be used in a formula",
    "not": "this sign cannot be used in a formula",
    "[": "a list cannot be used in a formula",
    "{": "a dictionary cannot be used in a formula",
    "*": "this star has nothing to multiply",
}
_BEHIND = {
    ".": "a dot (an attribute) cannot be used in a formula",
    "[": "square brackets after a name cannot be used in a formula",
    ":=": ":= cannot be used in a formula",
    "!=": "the comparisons are < <= > >= ==",
    "if": "an if (write where(a > b, x, y)) cannot be used in a formula",
    "and": "and/or cannot be used in a formula",
    "or": "and/or cannot be used in a formula",
}


class ExpressionError(ValueError):
    """A formula that `parse` cannot read.

    ``message`` is one line; ``text`` and ``column`` (counted from 0) say where. As a string, the error shows the line
    of the formula with a caret below the place.
    """

    def __init__(self, message: str, text: str, column: int) -> None:
        message = _printable(message)
        self.message, self.text, self.column = message, text, column
        start = max(0, column - 60)
        window = _printable(text[start : column + 20])
        lead = "..." if start else ""
        tail = "..." if column + 20 < len(text) else ""
        caret = " " * (len(lead) + column - start) + "^"
        super().__init__(f"{message}\n  {lead}{window}{tail}\n  {caret}")


def _printable(text: str) -> str:
    """The same number of characters on one line: tabs, line ends and the like become spaces."""
    return "".join(c if c.isprintable() else " " for c in text)


def parse(text: str, values: dict[str, Any] | None = None, /, **more: Any) -> Value:
    """Read a formula and build its graph; every name becomes one leaf, labelled with that name.

    Several steps may be named on the way, ``parse("q = x + y; f = q * z", x=-2, y=5, z=-4)``: the names become the
    labels of their nodes, and the last step is the root.

    Args:
        text: the formula: numbers, names, ``pi``, + - * / **, brackets, functions such as exp, sigmoid or max, and
            ``where(a > b, x, y)``, which chooses x or y by one of < <= > >= ==.
        values: a number or a Value for each name; may also be given as keywords.

    Returns:
        the root of the graph.

    Raises:
        ExpressionError: for a formula that cannot be read, a name without a value, or a value without a name.
        TypeError: for a value that is not a number.
    """
    if not isinstance(text, str):
        raise TypeError(f"a formula is text, but got {type(text).__name__}")
    if not isinstance(values, (Mapping, NoneType)):
        raise TypeError(
            f"the values are a dict, as in parse('x*y', {{'x': 2, 'y': 3}}), or are given by name, as in "
            f"parse('x*y', x=2, y=3), but got {type(values).__name__}: {short(values)}"
        )
    given = {**(values or {}), **more}
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"the formula is {len(text):,} characters long; at most {MAX_LENGTH:,} can be read", text, MAX_LENGTH
        )
    reader = _Reader(text, given)
    root = reader.read()
    unused = [name for name in given if name not in reader.leaves]
    if unused:
        known = ", ".join(sorted(reader.leaves)) or "no names at all"
        raise ExpressionError(
            f"{unused[0]} has a value but is not in the formula, which uses {known}", text, len(text.rstrip())
        )
    return root if isinstance(root, Value) else Value(root)


class _Token(NamedTuple):
    kind: str  # a group of _TOKEN
    text: str  # of a call, the function's name
    column: int

    @property
    def behind(self) -> int:
        return self.column + len(self.text)


class _Operand(NamedTuple):
    """What an operator or a function takes."""

    first: _Token  # where it begins
    value: Any = None  # a Value, a number, or a _Choice; None if it is a name or a number that nobody has read yet


class _Choice(NamedTuple):
    """A comparison, which `where` can choose by, and nothing else can take."""

    operation: str
    left: Any
    right: Any


class _Waiting(NamedTuple):
    """A sign, an operator, or an open bracket, perhaps a function's; and how many operands stand before it."""

    level: int
    operation: str
    token: _Token
    before: int


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text.translate(_SIGNS)):
        kind, word, column = str(match.lastgroup), match.group(), match.start()
        if kind == "call":
            word = word[:-1].rstrip()
        if kind in ("name", "call") and not word.isidentifier():  # x² is no name, but x is one
            size = next(k for k in range(len(word)) if not word[: k + 1].isidentifier())
            yield from [_Token("name", word[:size], column)] * (size > 0)
            yield _Token("unknown", word[size], column + size)
        elif kind != "skipped":
            yield _Token(kind, word, column)


class _Reader:
    """Builds the graph of one formula; remembers the leaf of each name and the nodes of named steps."""

    def __init__(self, text: str, given: dict[str, Any]) -> None:
        self.text, self.given = text, given
        self.leaves: dict[str, Value] = {}
        self.steps: dict[str, Any] = {}
        self.tokens = list(_tokens(text))
        self.step: list[_Token] = []  # that is being read
        self.operands: list[_Operand] = []
        self.waiting: list[_Waiting] = []

    def error(self, message: str, column: int) -> ExpressionError:
        return ExpressionError(message, self.text, column)

    def read(self) -> Any:
        """The Value (or plain number) of the last step."""
        steps = self.split()
        if not steps:
            raise self.error("the formula is empty", 0)
        root: Any = None
        for step in steps:
            self.step = step
            if step[0].kind == "name" and len(step) > 1 and step[1].text == "=":
                root = self.assign(unicodedata.normalize("NFKC", step[0].text))
            elif step is steps[-1]:
                root = self.build(step)
            else:
                raise self.error("only the last step may be without a name: write name = ...", step[0].column)
        return root

    def split(self) -> list[list[_Token]]:
        """The tokens of each step. Inside brackets a line may end."""
        steps: list[list[_Token]] = [[]]
        depth = 0
        for token in self.tokens:
            depth += (token.kind == "call" or token.text in ("(", "[")) - (token.text in (")", "]"))
            if token.kind != "end":
                steps[-1].append(token)
            elif depth <= 0 or token.text == ";":
                if token.text == ";" and not steps[-1]:
                    raise self.error("there is no step before this ;", token.column)
                steps.append([])
        return [step for step in steps if step]

    def assign(self, name: str) -> Any:
        if name in self.given or name in self.leaves or name in self.steps:
            raise self.error(f"{name} already has a value", self.step[0].column)
        result = self.build(self.step[2:])
        if not isinstance(result, Value):
            result = Value(result)
        elif result.label:  # q = x: a node of its own, so that both names are seen
            result = apply("identity", result)
        result.label = name
        self.steps[name] = result
        return result

    def build(self, tokens: list[_Token]) -> Any:
        """The Value (or plain number) of an expression."""
        self.operands, self.waiting = [], []
        wants_operand = True
        for token in tokens:
            wants_operand = self.begin(token) if wants_operand else self.go_on(token)
        if wants_operand:
            raise self.error("the formula ends too early", self.step[-1].behind)
        self.unwind(0)
        if self.waiting:
            raise self.error("this bracket is never closed", self.waiting[-1].token.column)
        return self.number(self.operands[0])

    def begin(self, token: _Token) -> bool:
        """Take a token where an operand may begin; returns whether one is still wanted."""
        kind, text, _ = token
        if kind in ("number", "name"):
            self.operands.append(_Operand(token))
        elif kind == "call" or text == "(":
            return self.wait(_OPEN, self.function(token) if kind == "call" else "", token)
        elif text in ("+", "-"):
            return self.wait(_SIGN, "neg" if text == "-" else "", token)
        elif text == ")" and self.waiting and self.waiting[-1].token.kind == "call":  # f(), or f(x, )
            return self.close(token)
        else:
            raise self.out_of_place(token)
        return False

    def go_on(self, token: _Token) -> bool:
        """Take a token behind an operand; returns whether another one is wanted."""
        text = token.text
        if text in _OPERATORS:
            level, operation = _OPERATORS[text]
            self.unwind(level + (text == "**"))  # a**b**c is a**(b**c), all others go from left to right
            return self.wait(level, operation, token)
        if token.kind in ("number", "name", "call") or text == "(":
            raise self.side_by_side(token, self.operands[-1])
        self.unwind(0)
        if text == ")":
            return self.close(token)
        if text == "," and self.waiting and self.waiting[-1].token.kind == "call":
            return True
        raise self.misplaced(token, self.operands[-1])

    def wait(self, level: int, operation: str, token: _Token) -> bool:
        self.waiting.append(_Waiting(level, operation, token, len(self.operands)))
        if len(self.waiting) > MAX_DEPTH or sum(w.level == _OPEN for w in self.waiting) > MAX_BRACKETS:
            raise self.error("the formula is nested too deeply", token.column)
        return True

    def unwind(self, level: int) -> None:
        """Give their right operands to the operators that bind at least as tightly; an open bracket stops it."""
        while self.waiting and self.waiting[-1].level >= level:
            how, operation, token, _ = self.waiting.pop()
            right = self.operands.pop()
            if how == _SIGN:
                value = self.number(right)
                self.operands.append(_Operand(token, apply("neg", value) if operation else value))
                continue
            left = self.operands.pop()
            if how == _COMPARISON and isinstance(left.value, _Choice):
                raise self.error(
                    "one comparison at a time: in place of a < b < c write where inside where", left.first.column
                )
            a, b = self.number(left), self.number(right)
            a, b = (b, a) if token.text in (">", ">=") else (a, b)
            self.operands.append(
                _Operand(left.first, _Choice(operation, a, b) if how == _COMPARISON else apply(operation, a, b))
            )

    def close(self, token: _Token) -> bool:
        """Take a closing bracket: what stands in it is an operand, and so is what a function makes of it."""
        if not self.waiting:
            raise self.error("this bracket is unmatched: none is open", token.column)
        _, name, opened, before = self.waiting.pop()
        if opened.kind == "call":
            self.operands[before:] = [_Operand(opened, self.applied(name, opened, self.operands[before:]))]
        return False

    def applied(self, name: str, called: _Token, inputs: list[_Operand]) -> Any:
        if name == "leaky_relu" and len(inputs) == 1:
            inputs.append(_Operand(called, ops.LEAKY_SLOPE))
        wrong_count = ops.SHEET[name].input_count_error(len(inputs))
        if wrong_count:
            raise self.error(wrong_count, called.column)
        if name != "where":
            return apply(name, *map(self.number, inputs))
        choice = inputs[0].value
        if not isinstance(choice, _Choice):
            raise self.error(_ONE_COMPARISON, inputs[0].first.column)
        return apply(name, apply(*choice), *map(self.number, inputs[1:]))

    def function(self, token: _Token) -> str:
        """The operation that a call is of."""
        name = unicodedata.normalize("NFKC", token.text)
        if name in self.given or name in self.steps:
            raise self.error(f"{name} is a number; to multiply write {name}*(…)", token.column)
        operation = _ALIASES.get(name, name)
        if operation not in ops.SHEET or operation in _NOT_FUNCTIONS:
            hint = written_out(name) or "".join(f"; did you mean {word}?" for word in near(name, known_functions()))
            if name == "softmax":
                hint = "; softmax gives several numbers, and a formula has one"
            if token is self.step[0] and any(t.text == "=" for t in self.step):
                raise self.error(
                    f"a formula is written without its inputs: {name} = ..., not {name}(x) = ...", token.column
                )
            raise self.error(f"unknown function {name}{hint} (known: {', '.join(known_functions())})", token.column)
        return operation

    def number(self, operand: _Operand) -> Any:
        """The Value or the plain number that an operand is."""
        (kind, text, column), value = operand
        if isinstance(value, _Choice):
            raise self.error("a comparison outside of where(a > b, x, y) cannot be used in a formula", column)
        if value is not None:
            return value
        if kind == "name":
            return self.named(unicodedata.normalize("NFKC", text), column)
        try:
            return to_float(ast.literal_eval(text))
        except (SyntaxError, ValueError, OverflowError) as error:
            raise self.error(f"this number cannot be read: {getattr(error, 'msg', error)}", column) from None

    def named(self, name: str, column: int) -> Any:
        if name in self.steps:
            return self.steps[name]
        if name in self.leaves:
            return self.leaves[name]
        if name not in self.given:
            if name in _NAMED_NUMBERS:
                return _NAMED_NUMBERS[name]
            if name in ops.SHEET or name in _ALIASES:
                raise self.error(f"{name} is a function; give it an input, as in {name}(x)", column)
            raise self.error(self.missing(name), column)
        value = self.given[name]
        if not isinstance(value, Value) and not is_real(value):
            raise TypeError(f"the value of {name} must be a number, but got {type(value).__name__}: {value!r}")
        leaf = self.leaves[name] = value if isinstance(value, Value) else Value(value, name)
        return leaf

    def open_names(self) -> list[str]:
        """The names that have no value, in the order in which they come."""
        known = {*self.given, *self.steps, *_NAMED_NUMBERS, *ops.SHEET, *_ALIASES}
        known |= {token.text for token, after in pairwise(self.tokens) if after.text == "="}
        return list(dict.fromkeys(t.text for t in self.tokens if t.kind == "name" and t.text not in known))

    def missing(self, name: str) -> str:
        """What to say of a name without a value, and of all others that have none either."""
        others = [other for other in self.open_names() if other != name]
        if others:
            names = [name, *others]
            values = " ".join(f"{n}=2" for n in names)
            return f"{', '.join(names[:-1])} and {names[-1]} have no values; give them, as in {values}"
        message = f"{name} has no value; give it one, as in {name}=2"
        twin = next((g for g in self.given if g.lower() == name.lower()), None)
        if twin:
            return f"{message} ({twin} has one, but capitals count)"
        if name == "e":
            return f"{message}; for the exponential function write exp(x)"
        functions = known_functions()
        for i in range(1, len(name)):
            first, second = name[:i], name[i:]
            if second in self.given and (first in self.given or first in functions):
                meant = f"{first}({second})" if first in functions else f"{first}*{second}"
                return f"{message}; or did you mean {meant}?"
        return message

    def out_of_place(self, token: _Token) -> ExpressionError:
        """What to say of a token that has no place in a formula, or none here."""
        kind, text, column = token
        if kind == "text":
            return self.error("text cannot be used in a formula", column)
        if text == "=":
            return self.misplaced(token, _Operand(token))
        if text == "**" and self.waiting and self.waiting[-1].token.kind == "call":
            return self.error("a function takes its inputs by place, not by name", token.behind)
        if text in _REFUSED:
            return self.error(_REFUSED[text], column)
        if kind == "word":
            return self.error(
                f"{text} is a word of Python's own, which cannot be used in a formula; choose another name, such as "
                f"{text}_",
                column,
            )
        if kind == "unknown":
            seen = text.isprintable() and not text.isspace()
            called = "" if seen else f": it is {unicodedata.name(text, f'U+{ord(text):04X}')}, which is not to be seen"
            return self.error(f"this character cannot be read{called}", column)
        return self.error(f"this {text} has no place here; is something missing before it?", column)

    def misplaced(self, token: _Token, last: _Operand) -> ExpressionError:
        """What to say of a token that has no place behind an operand."""
        text, start = token.text, last.first.column
        in_call = bool(self.waiting) and self.waiting[-1].token.kind == "call"
        if text == "=":
            if in_call:
                return self.error("a function takes its inputs by place, not by name", token.behind)
            return self.error(_EQUALS, self.step[0].column)
        if text == ",":
            equals = [k for k, t in enumerate(self.step) if t.text == "="]
            message = _EQUALS if equals else "a comma outside a function cannot be used in a formula"
            return self.error(_STEPS if equals[:1] == [1] else message, self.step[0].column)
        if text in ("and", "or", "&", "|") and isinstance(last.value, _Choice):
            of_two = "; of two, where(a > 0, where(a < 1, x, y), y) is x if both hold"
            return self.error(_ONE_COMPARISON + of_two, start)
        if text in _BEHIND:
            return self.error(_BEHIND[text], start)
        if len(text) > 1 and text.endswith("="):
            return self.error(f"{text} and its like cannot be used in a formula", start)
        return self.out_of_place(token)

    def side_by_side(self, token: _Token, last: _Operand) -> ExpressionError:
        """What to say of an operand right behind another one."""
        first = last.first
        name = first.text if last.value is None and first.kind == "name" else ""
        if token.text == "(":
            times = f"{name} is a number; to multiply write {name}*(…)"
            return self.error(
                times if name else "to multiply write * before the bracket, as in 2*(x + y)", first.column
            )
        if last.value is None and first.kind == "number" and first.behind == token.column:
            is_complex = token.text in ("j", "J")
            message = "a complex number cannot be used in a formula" if is_complex else ""
            return self.error(message or "between a number and a name write *, as in 2*x", first.column)
        if name in ops.SHEET or name in _ALIASES:
            return self.error(f"{name} needs brackets, as in {name}(x)", token.column)
        return self.error("something is missing between the two: to multiply write *", token.column)


def open_names(text: str, values: dict[str, Any] | None = None) -> list[str]:
    """The names in a formula that still need a number, in the order in which they come.

    >>> open_names("q = x + y; f = q * z", {"x": 2.0})
    ['y', 'z']
    """
    return _Reader(text, values or {}).open_names()


def known_functions() -> list[str]:
    """The names of the functions that a formula may call."""
    return sorted({*ops.SHEET, *_SHORT} - _NOT_FUNCTIONS)
