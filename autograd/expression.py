"""From a formula as text to a graph: ``parse("sigmoid(w*x + b)", w=2, x=-1, b=3)``.

Python's own parser reads the text into a syntax tree, and this module walks the tree with a short list of what it
knows: numbers, names, + - * / **, calls to the operations of the derivative sheet, and a comparison where a choice is
made by it, as in ``where(x > 0, x, 0.1*x)``. Anything else is an error that points at its place. Nothing is ever
evaluated as code.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from typing import Any

from . import long_formulas, ops
from .forward import apply
from .hints import written_out
from .reals import is_real, to_float
from .value import Value

MAX_LENGTH = 1_000_000  # characters
MAX_DEPTH = 500  # operations inside each other; the terms of a sum and the factors of a product stand side by side

_BINARY = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow"}
_SHORT = {"max": "maximum", "min": "minimum", "ln": "log", "σ": "sigmoid"}
_ALIASES = _SHORT | {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2"}  # as NumPy says
# signs as books, and our own tables, write them; each is read as the one character that a keyboard has
_SIGNS = str.maketrans({"·": "*", "⋅": "*", "×": "*", "∗": "*", "÷": "/", "∕": "/", "−": "-", "–": "-"})
_NAMED_NUMBERS = {"pi": math.pi}
# operation, and whether it takes the two the other way round: a > b is b < a
_COMPARISONS: dict[type, tuple[str, bool]] = {
    ast.Lt: ("less", False),
    ast.LtE: ("less_equal", False),
    ast.Gt: ("less", True),
    ast.GtE: ("less_equal", True),
    ast.Eq: ("equal", False),
}
_NOT_FUNCTIONS = {"dot", "identity", "less", "less_equal", "equal", *_BINARY.values()}  # written otherwise
_INSTEAD = {
    ast.BitXor: "for a power write **",
    ast.FloorDiv: "to divide write /",
    ast.MatMult: "to multiply write *",
    ast.Mod: "there is no remainder here",
    ast.BitOr: "for |x| write abs(x)",
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
    given = {**(values or {}), **more}
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"the formula is {len(text):,} characters long; at most {MAX_LENGTH:,} can be read", text, MAX_LENGTH
        )
    if not text.strip():
        raise ExpressionError("the formula is empty", text, 0)
    lead = len(text) - len(text.lstrip())
    statements = _syntax(text, lead)
    reader = _Reader(text, lead, given, statements)
    if not statements:  # nothing but a comment
        raise ExpressionError("the formula is empty", text, 0)
    root: Any = None
    for i, statement in enumerate(statements):
        if isinstance(statement, ast.Expr):
            if i + 1 < len(statements):
                raise reader.error("only the last step may be without a name: write name = ...", statement)
            root = reader.build(statement.value)
        else:
            root = reader.assign(statement)
    unused = [name for name in given if name not in reader.leaves]
    if unused:
        known = ", ".join(sorted(reader.leaves)) or "no names at all"
        raise ExpressionError(
            f"{unused[0]} has a value but is not in the formula, which uses {known}", text, len(text.rstrip())
        )
    return root if isinstance(root, Value) else Value(root)


def _syntax(text: str, lead: int) -> list[ast.stmt]:
    if "\x00" in text:
        raise ExpressionError("this character cannot be read", text, text.index("\x00"))
    depth = 0
    for column, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth > 150:
            raise ExpressionError("the brackets are nested too deeply", text, column)
    try:
        return ast.parse("\n".join(_lines(text.translate(_SIGNS)))).body
    except SyntaxError as error:
        column = lead + max(0, (error.offset or 1) - 1) if (error.lineno or 1) == 1 else _line_start(text, lead, error)
        column = min(column, len(text))
        message, column = _explained(str(error.msg).split("\n")[0], text, column)
        raise ExpressionError(message, text, column) from None
    except (RecursionError, MemoryError):
        try:
            return long_formulas.statements(_lines(text.translate(_SIGNS)))
        except long_formulas.Unreadable:
            raise ExpressionError("the formula is nested too deeply", text, 0) from None
    except ValueError as error:  # null bytes, and integers of thousands of digits
        raise ExpressionError(f"this cannot be read as a formula: {error}", text, 0) from None


def _explained(message: str, text: str, column: int) -> tuple[str, int]:
    """What Python's parser says, in words for a formula, and where."""
    for word in re.finditer(r"[^\W\d]\w*", text):
        if keyword.iskeyword(word[0]):
            return f"{word[0]} is a word of Python's own; choose another name, such as {word[0]}_", word.start()
    before, here = text[:column].rstrip(), text[column : column + 1]
    if here == "=" or "cannot assign" in message:
        return "an equals sign needs one plain name before it, as in q = x + y", column
    if "Maybe you meant" in message:
        return "separate steps with ; as in q = x + y; f = q * z", column
    if here in "²³" and here:
        return "for a power write ** as in x**2", column
    if here == "√":
        return "for a root write sqrt(x)", column
    if here == "|" or before.endswith("|"):
        return "for |x| write abs(x)", column
    if "decimal literal" in message:
        return "between a number and a name write *, as in 2*x", column
    if "at end" in message or "unexpected EOF" in message or column >= len(text.rstrip()):
        return "the formula ends too early", column
    if before and (before[-1].isalnum() or before[-1] in "_)") and (here.isalnum() or here in "_("):
        name = re.split(r"\W", before)[-1]
        if name in ops.SHEET or name in _ALIASES:
            return f"{name} needs brackets, as in {name}(x)", column
        return "something is missing between the two: to multiply write *", column
    if "comma" in message or message == "invalid syntax":
        return "this cannot be read as a formula", column
    return message, column


def _lines(text: str) -> list[str]:
    """The lines as Python's parser counts them, with as many characters as before."""
    return text.replace("\r\n", " \n").replace("\r", "\n").strip().split("\n")


def _line_start(text: str, lead: int, error: SyntaxError) -> int:
    lines = _lines(text)[: (error.lineno or 1) - 1]
    return lead + sum(len(line) + 1 for line in lines) + max(0, (error.offset or 1) - 1)


class _Reader:
    """Builds the graph of one formula; remembers the leaf of each name and the nodes of named steps."""

    def __init__(self, text: str, lead: int, given: dict[str, Any], statements: list[ast.stmt]) -> None:
        self.text, self.lead, self.given, self.statements = text, lead, given, statements
        self.lines = _lines(text.translate(_SIGNS))
        self.leaves: dict[str, Value] = {}
        self.steps: dict[str, Any] = {}
        self.conditions: set[ast.expr] = set()  # the comparisons that a `where` chooses by

    def error(self, message: str, node: Any) -> ExpressionError:
        # ast counts bytes of UTF-8 within a line; a person counts characters from the start
        lines = self.lines
        row = node.lineno - 1
        before = lines[row].encode()[: node.col_offset].decode(errors="replace")
        return ExpressionError(message, self.text, self.lead + sum(len(s) + 1 for s in lines[:row]) + len(before))

    def assign(self, statement: ast.stmt) -> Any:
        if not isinstance(statement, ast.Assign):
            raise self.error(f"{_what(statement)} cannot be used in a formula", statement)
        if len(statement.targets) > 1 and any(isinstance(target, ast.Tuple) for target in statement.targets):
            raise self.error("separate steps with ; as in q = x + y; f = q * z", statement)
        if len(statement.targets) != 1 or not isinstance(statement.targets[0], ast.Name):
            raise self.error("an equals sign needs one plain name before it, as in q = x + y", statement)
        name = statement.targets[0].id
        if name in self.given or name in self.leaves or name in self.steps:
            raise self.error(f"{name} already has a value", statement)
        result = self.build(statement.value)
        if isinstance(result, Value):
            if result.label:  # q = x: a node of its own, so that both names are seen
                result = apply("identity", result)
            result.label = name
        else:
            result = Value(result, name)
        self.steps[name] = result
        return result

    def build(self, root: ast.expr) -> Any:
        """The Value (or plain number) of an expression; a walk with its own stack, children before parents."""
        results: list[Any] = []
        stack: list[tuple[ast.expr, int, bool]] = [(root, 1, False)]
        while stack:
            node, depth, children_done = stack.pop()
            if depth > MAX_DEPTH:
                raise self.error(f"the formula is nested more than {MAX_DEPTH} deep", node)
            if children_done:
                results.append(self.combine(node, results))
                continue
            children = self.children(node)
            if children:
                stack.append((node, depth, True))
                chained = isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Pow)
                for k, child in reversed(list(enumerate(children))):
                    stack.append((child, depth if chained and k == 0 else depth + 1, False))
            else:
                results.append(self.leaf(node))
        return results.pop()

    def children(self, node: ast.expr) -> list[ast.expr]:
        if isinstance(node, ast.BinOp):
            if type(node.op) not in _BINARY:
                hint = _INSTEAD.get(type(node.op), "the operators are + - * / **")
                raise self.error(f"this operator cannot be used in a formula: {hint}", _operator_place(self, node))
            return [node.left, node.right]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            return [node.operand]
        if isinstance(node, ast.Call):
            if self.function(node) == "where":
                self.conditions.add(self.condition(node.args[0]))
            return node.args
        if isinstance(node, ast.Compare) and node in self.conditions:
            return [node.left, node.comparators[0]]
        return []

    def condition(self, node: ast.expr) -> ast.Compare:
        if not isinstance(node, ast.Compare):
            combined = isinstance(node, (ast.BoolOp, ast.BinOp, ast.UnaryOp))
            hint = "; of two, where(a > 0, where(a < 1, x, y), y) is x if both hold" if combined else ""
            raise self.error(f"where chooses by one comparison, as in where(x > 0, x, 0.1*x){hint}", node)
        if len(node.ops) > 1:
            raise self.error("one comparison at a time: in place of a < b < c write where inside where", node)
        if type(node.ops[0]) not in _COMPARISONS:
            raise self.error("the comparisons are < <= > >= ==", node)
        return node

    def function(self, node: ast.Call) -> str:
        if not isinstance(node.func, ast.Name):
            if isinstance(node.func, (ast.Constant, ast.BinOp, ast.UnaryOp, ast.Call)):
                raise self.error("to multiply write * before the bracket, as in 2*(x + y)", node.func)
            raise self.error("only functions can be called, by their plain names", node.func)
        name = node.func.id
        if name in self.given or name in self.steps:
            raise self.error(f"{name} is a number; to multiply write {name}*(…)", node.func)
        operation = _ALIASES.get(name, name)
        if operation not in ops.SHEET or operation in _NOT_FUNCTIONS:
            hint = "; softmax gives several numbers, and a formula has one" if name == "softmax" else _near(name)
            raise self.error(f"unknown function {name}{hint} (known: {', '.join(known_functions())})", node.func)
        if node.keywords:
            raise self.error(f"{name} takes its inputs by place, not by name", node.keywords[0].value)
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                raise self.error("a star cannot be used in a formula", argument)
        count = len(node.args)
        default = operation == "leaky_relu" and count == 1
        wrong_count = None if default else ops.SHEET[operation].input_count_error(count)
        if wrong_count or count == 0:
            raise self.error(wrong_count or f"{name} needs an input", node)
        return operation

    def leaf(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            try:
                return to_float(node.value)
            except OverflowError as error:
                raise self.error(str(error), node) from None
        if isinstance(node, ast.Name):
            return self.name(node)
        raise self.error(f"{_what(node)} cannot be used in a formula", node)

    def name(self, node: ast.Name) -> Any:
        name = node.id
        if name in self.steps:
            return self.steps[name]
        if name in self.leaves:
            return self.leaves[name]
        if name not in self.given:
            if name in _NAMED_NUMBERS:
                return _NAMED_NUMBERS[name]
            if name in ops.SHEET or name in _ALIASES:
                raise self.error(f"{name} is a function; give it an input, as in {name}(x)", node)
            raise self.error(self.missing(name), node)
        value = self.given[name]
        if not isinstance(value, Value) and not is_real(value):
            raise TypeError(f"the value of {name} must be a number, but got {type(value).__name__}: {value!r}")
        leaf = value if isinstance(value, Value) else Value(value, name)
        self.leaves[name] = leaf
        return leaf

    def missing(self, name: str) -> str:
        """What to say of a name without a value, and of all others that have none either."""
        called = {id(n.func) for s in self.statements for n in ast.walk(s) if isinstance(n, ast.Call)}
        used = [n for s in self.statements for n in ast.walk(s) if isinstance(n, ast.Name) and id(n) not in called]
        used.sort(key=lambda n: (n.lineno, n.col_offset))
        known = {*self.given, *self.steps, *_NAMED_NUMBERS, *ops.SHEET, *_ALIASES}
        known |= {n.id for n in used if isinstance(n.ctx, ast.Store)}
        others = dict.fromkeys(n.id for n in used if n.id not in known and n.id != name)
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

    def combine(self, node: ast.expr, results: list[Any]) -> Any:
        if isinstance(node, ast.BinOp):
            right, left = results.pop(), results.pop()
            return apply(_BINARY[type(node.op)], left, right)
        if isinstance(node, ast.UnaryOp):
            operand = results.pop()
            return operand if isinstance(node.op, ast.UAdd) else apply("neg", operand)
        if isinstance(node, ast.Compare):
            right, left = results.pop(), results.pop()
            name, swapped = _COMPARISONS[type(node.ops[0])]
            return apply(name, right, left) if swapped else apply(name, left, right)
        assert isinstance(node, ast.Call)
        operands = results[len(results) - len(node.args) :]
        del results[len(results) - len(node.args) :]
        name = self.function(node)
        if name == "leaky_relu" and len(operands) == 1:
            operands.append(ops.LEAKY_SLOPE)
        return apply(name, *operands)


def known_functions() -> list[str]:
    """The names of the functions that a formula may call."""
    return sorted({*ops.SHEET, *_SHORT} - _NOT_FUNCTIONS)


def _near(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name.lower(), known_functions(), n=1)
    return written_out(name) or (f"; did you mean {near[0]}?" if near else "")


def _operator_place(reader: _Reader, node: ast.BinOp) -> Any:
    """Where the operator itself stands: after its left operand, and after any spaces and closing brackets."""
    left = node.left
    place = ast.Name(id="", lineno=left.end_lineno or 1, col_offset=left.end_col_offset or 0)
    line = reader.lines[place.lineno - 1].encode()
    while place.col_offset < len(line) and line[place.col_offset] in b" \t)":
        place.col_offset += 1
    return place


def _what(node: ast.AST) -> str:
    """What a piece of syntax is called in plain English."""
    called: dict[type, str] = {
        ast.Attribute: "a dot (an attribute)",
        ast.Subscript: "square brackets after a name",
        ast.Compare: "a comparison outside of where(a > b, x, y)",
        ast.BoolOp: "and/or",
        ast.UnaryOp: "this sign",
        ast.Lambda: "a lambda",
        ast.IfExp: "an if (write where(a > b, x, y))",
        ast.List: "a list",
        ast.Tuple: "a comma outside a function",
        ast.Dict: "a dictionary",
        ast.Set: "a set",
        ast.JoinedStr: "text",
        ast.NamedExpr: ":=",
        ast.AugAssign: "+= and its like",
        ast.Import: "import",
        ast.ImportFrom: "import",
    }
    if isinstance(node, ast.Constant):
        kind = type(node.value).__name__
        kinds = {"str": "text", "bytes": "text", "complex": "a complex number", "bool": str(node.value)}
        return kinds.get(kind, "this")
    return called.get(type(node), f"this ({type(node).__name__})")


__all__ = ["ExpressionError", "parse"]
