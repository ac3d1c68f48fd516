"""Formulas that are too long for Python's own parser.

A sum of 4,000 terms is a syntax tree 4,000 levels deep, since a + b + c is (a + b) + c, and Python builds its trees by
recursion: some versions give up at 3,000 levels. This reader has two stacks in place of the recursion, one of operands
and one of operators that wait for their right operand: the shunting-yard algorithm (Dijkstra, 1961). It knows what a
right formula is made of and nothing else, and gives the same `ast` nodes, so that the rest of `expression` need not
know which of the two has read a formula.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from typing import Any

_TOKEN = re.compile(
    r"(?P<number>(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*)|(?P<sign>\*\*|[<>=]=|[-+*/()\[\],;=<>\n])"
    r"|(?P<skipped>[ \t\f]+|#[^\n]*)|(?P<unknown>.)"
)
_OPERATORS: dict[str, tuple[float, type[ast.operator | ast.cmpop]]] = {
    "<": (0.5, ast.Lt),
    "<=": (0.5, ast.LtE),
    ">": (0.5, ast.Gt),
    ">=": (0.5, ast.GtE),
    "==": (0.5, ast.Eq),
    "+": (1, ast.Add),
    "-": (1, ast.Sub),
    "*": (2, ast.Mult),
    "/": (2, ast.Div),
    "**": (4, ast.Pow),
}
_SIGN = 3  # a sign in front binds tighter than a product, and less tightly than a power
_OPEN = 0


class Unreadable(ValueError):
    """Not a formula, as far as this reader can see."""


def statements(lines: list[str]) -> list[ast.stmt]:
    """The steps of a formula, ``name = ...`` or an expression, as `ast.parse` gives them.

    Raises:
        Unreadable: for anything else.
    """
    result: list[ast.stmt] = []
    step = _Step()
    for token in _tokens(lines):
        if token[0] in (";", "\n") and not step.is_open:
            if not step.finish(result) and token[0] == ";":
                raise Unreadable
            step = _Step()
        elif token[0] != "\n":
            step.take(*token)
    step.finish(result)
    return result


def _tokens(lines: list[str]) -> list[tuple[str, str, dict[str, Any]]]:
    """(what it is, its text, its place) of each token; places count bytes of UTF-8 within a line, as `ast` does."""
    found = []
    for row, line in enumerate(lines, 1):
        column = 0
        for match in _TOKEN.finditer(line):
            kind, text = str(match.lastgroup), match.group()
            if kind == "unknown":
                raise Unreadable
            if kind != "skipped":
                place = {"lineno": row, "col_offset": column}
                found.append((text if kind == "sign" else kind, text, place))
            column += len(text.encode())
        found.append(("\n", "\n", {"lineno": row, "col_offset": column}))
    return found


class _Step:
    """One statement, read token by token."""

    def __init__(self) -> None:
        self.operands: list[ast.expr] = []
        self.waiting: list[tuple[float, Any, dict[str, Any]]] = []  # (how tightly it binds, the operator, its place)
        # the bracket that closes, the function's name if it is a call, and how many operands stand before
        self.brackets: list[tuple[str, ast.Name | None, int]] = []
        self.wants_operand = True
        self.target: ast.Name | None = None

    @property
    def is_open(self) -> bool:
        return bool(self.brackets)

    def take(self, kind: str, text: str, place: dict[str, Any]) -> None:
        if kind == "number" and self.wants_operand:
            self.operand(ast.Constant(_number(text), **place))
        elif kind == "name" and self.wants_operand and not keyword.iskeyword(text):
            self.operand(ast.Name(unicodedata.normalize("NFKC", text), ast.Load(), **place))
        elif kind == "(" or (kind == "[" and self.wants_operand):
            self.open(kind, place)
        elif kind in ("+", "-") and self.wants_operand:
            self.waiting.append((_SIGN, ast.USub() if kind == "-" else ast.UAdd(), place))
        elif kind == "=" and not (self.target or self.waiting) and len(self.operands) == 1:
            target = self.operands.pop()
            if not isinstance(target, ast.Name):
                raise Unreadable
            self.target, self.wants_operand = target, True
        elif self.brackets and kind == self.brackets[-1][0] and not (self.wants_operand and not self.is_empty()):
            self.close()
        elif kind == "," and self.brackets and self.takes_many() and not self.wants_operand:
            self.unwind(_OPEN)
            self.wants_operand = True
        elif kind in _OPERATORS and not self.wants_operand:
            level, operator = _OPERATORS[kind]
            self.unwind(level + (kind == "**"))  # a**b**c is a**(b**c), all others go from left to right
            self.waiting.append((level, operator(), place))
            self.wants_operand = True
        else:
            raise Unreadable

    def operand(self, node: ast.expr) -> None:
        self.operands.append(node)
        self.wants_operand = False

    def open(self, bracket: str, place: dict[str, Any]) -> None:
        function = None
        if not self.wants_operand:
            last = self.operands.pop()
            if not isinstance(last, ast.Name):
                raise Unreadable
            function = last
        self.brackets.append((")" if bracket == "(" else "]", function, len(self.operands)))
        self.waiting.append((_OPEN, None, place))
        self.wants_operand = True

    def takes_many(self) -> bool:
        """Whether the innermost bracket is that of a call or a list, in which commas may stand."""
        closing, function, _ = self.brackets[-1]
        return closing == "]" or function is not None

    def is_empty(self) -> bool:
        return self.takes_many() and len(self.operands) == self.brackets[-1][2] and self.waiting[-1][1] is None

    def close(self) -> None:
        self.unwind(_OPEN)
        _, _, place = self.waiting.pop()
        closing, function, before = self.brackets.pop()
        if function is not None or closing == "]":
            inside = self.operands[before:]
            del self.operands[before:]
            self.operands.append(
                ast.List(inside, ast.Load(), **place)
                if function is None
                else ast.Call(function, inside, [], **_place(function))
            )
        self.wants_operand = False

    def unwind(self, level: float) -> None:
        """Give their right operands to the operators that bind at least as tightly; an open bracket stops it."""
        while self.waiting and self.waiting[-1][1] is not None and self.waiting[-1][0] >= level:
            _, operator, place = self.waiting.pop()
            right = self.operands.pop()
            if isinstance(operator, ast.unaryop):
                self.operands.append(ast.UnaryOp(operator, right, **place))
            else:
                left = self.operands.pop()
                if not isinstance(operator, ast.cmpop):
                    self.operands.append(ast.BinOp(left, operator, right, **_place(left)))
                elif isinstance(left, ast.Compare):  # a < b < c is one comparison of three, and none of `where`'s
                    raise Unreadable
                else:
                    self.operands.append(ast.Compare(left, [operator], [right], **_place(left)))

    def finish(self, result: list[ast.stmt]) -> bool:
        """Put the statement into the result; False if there is none."""
        if not (self.operands or self.waiting or self.target):
            return False
        if self.wants_operand or self.brackets:
            raise Unreadable
        self.unwind(_OPEN)
        (value,) = self.operands
        place = _place(self.target or value)
        if self.target:
            self.target.ctx = ast.Store()
            result.append(ast.Assign([self.target], value, **place))
        else:
            result.append(ast.Expr(value, **place))
        return True


def _place(node: ast.expr) -> dict[str, Any]:
    return {"lineno": node.lineno, "col_offset": node.col_offset}


def _number(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        raise Unreadable from None


__all__ = ["Unreadable", "statements"]
