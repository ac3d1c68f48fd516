"""The derivative sheet as JavaScript, for pages that compute by themselves.

A rule is run on symbols, and the tree that comes out is printed: ``mul`` becomes ``([a, b]) => a * b`` for the value,
and ``(y, [a, b]) => [b, a]`` for the local derivatives. What a tree uses twice is computed once. The words of the rules
(``exp``, ``sigmoid``, ``CUT``, ...) are functions of the page: ``viz/live/web/ieee.js``, the twin of `autograd.ieee`.

An input to which nothing ever goes back (None in the sheet) is ``undefined``, and `CUT` is ``null``, which JavaScript
takes for a 0 in arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from .mistakes import misremembered
from .ops import BUILT_IN, DETACH, SHEET, Op
from .symbols import NO_ROW, ROWS, Symbol, is_cut, leaf, lift

# What `ieee` has as a word on a whole list of numbers, and does otherwise than the rule on symbols.
ON_LISTS = ("logsumexp",)
_NUMBER, _SUM, _PRODUCT, _SIGN, _ATOM = range(1, 6)  # how strongly an expression holds together
_STRENGTH = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "neg": _SIGN}


def literal(x: float) -> str:
    """A float as JavaScript writes it, in the fewest letters: 1.0 is 1."""
    if x != x:
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    text = repr(x).removesuffix(".0")
    return text.replace("e+", "e")


def expression(x: Any, name: Callable[[Any], str] = str, known: dict[int, str] | None = None) -> str:
    """A symbol as a JavaScript expression.

    A sum or a maximum over a row of inputs is printed as a loop over the index i: ``total(n, (i) => ...)``.

    Args:
        x: the symbol, or a plain number.
        name: what a leaf is called, from its ``detail``.
        known: by their `id`, parts that have been computed, and what they are called.

    Raises:
        ValueError: for a symbol that only programs on arrays have (``@``, ``reshape``).
    """
    return _printed(lift(x), name, known or {})[0]


def _printed(x: Symbol, name: Callable[[Any], str], known: dict[int, str]) -> tuple[str, int]:
    """The text of a symbol, and how strongly it holds together."""
    if id(x) in known:
        return known[id(x)], _ATOM
    if x.operator == "leaf":
        return name(x.detail), _ATOM
    if x.operator == "number":
        text = "CUT" if is_cut(x) else literal(x.detail)
        return text, _SIGN if text.startswith("-") else _ATOM

    def inner(k: int, least: int = 0) -> str:
        text, strength = _printed(x.arguments[k], name, known)
        return text if strength >= least else f"({text})"

    if x.operator in ("max", "sum"):
        return f"{'largest' if x.operator == 'max' else 'total'}(n, (i) => {inner(0, _NUMBER)})", _ATOM
    if x.operator == "where":
        return f"{inner(0)} ? {inner(1, _NUMBER)} : {inner(2)}", 0
    if x.operator in ("<", "<=", ">", ">=", "=="):
        sign = "===" if x.operator == "==" else x.operator
        return f"{inner(0, _SUM)} {sign} {inner(1, _SUM)}", _NUMBER
    if x.operator == "neg":
        return f"-{inner(0, _ATOM)}", _SIGN
    if x.operator in _STRENGTH:  # a - (b - c): what stands on the right holds together more strongly
        own = _STRENGTH[x.operator]
        return f"{inner(0, own)} {x.operator} {inner(1, own + 1)}", own
    if x.operator.isidentifier() and x.operator != "reshape":
        return f"{x.operator}({', '.join(inner(k) for k in range(len(x.arguments)))})", _ATOM
    raise ValueError(f"{x.operator!r} is an operation on arrays, and JavaScript has none of it")


def statements(results: Sequence[Any], name: Callable[[Any], str] = str) -> tuple[list[str], list[str]]:
    """Several symbols as JavaScript: ``const`` statements for what is needed twice, then an expression for each.

    What belongs to one entry of a row stays inside its loop; whatever is the same for all is computed in front of it.
    """
    trees = [lift(x) for x in results]
    uses: dict[int, int] = {}
    found: list[Symbol] = []  # each after its parts
    stack: list[tuple[Symbol, bool]] = [(x, False) for x in reversed(trees)]
    while stack:
        x, finished = stack.pop()
        if finished:
            found.append(x)
            continue
        uses[id(x)] = uses.get(id(x), 0) + 1
        if uses[id(x)] == 1:
            stack.append((x, True))
            stack += [(part, False) for part in reversed(x.arguments)]
    in_a_row = any(x.row for x in trees)
    known: dict[int, str] = {}
    lines: list[str] = []
    for x in found:
        again = uses[id(x)] > 1 or (in_a_row and x.operator in ("max", "sum"))
        if x.arguments and again and x.row == NO_ROW:
            text = expression(x, name, known)
            known[id(x)] = f"t{len(known)}"
            lines.append(f"const {known[id(x)]} = {text};")
    return lines, [_printed(x, name, known)[0] for x in trees]


def rule(op: str, count: int) -> tuple[str, str]:
    """The two halves of an operation on ``count`` inputs, as two JavaScript functions.

    ``(inputs) => y`` and ``(y, inputs) => [∂y/∂input, ...]``, with arrays of numbers for the inputs.

    Raises:
        ValueError: if the rule is not plain arithmetic: if it calls `math`, or decides with ``if``.
    """
    line = SHEET[op]
    try:
        if line.arity is None and op in BUILT_IN:
            return _rule_on_rows(line)
        inputs = [leaf(f"x{k}", ()) for k in range(count)] if count > 3 else [leaf(c, ()) for c in "abc"[:count]]
        given = f"[{', '.join(x.detail for x in inputs)}]"
        partials = list(line.partials(leaf("y", ()), *inputs))
        lines, texts = statements([0.0 if p is None else p for p in partials])
        slopes = ["undefined" if p is None or op == DETACH else t for p, t in zip(partials, texts, strict=True)]
        return (
            _function(given, *statements([line.forward(*inputs)])),
            _function(f"y, {given}", lines, [f"[{', '.join(slopes)}]"]),
        )
    except Exception as error:  # the rule may be a user's own, and fail in its own way
        raise ValueError(f"the rule of operation {op!r} cannot be written as JavaScript: {error}") from error


def misread(op: str, count: int) -> str:
    """What one may take for the local derivatives, as `autograd.mistakes.misremembered` has it: a JavaScript function
    ``(y, inputs) => [[...], ...]``, with a list for each input; "" where nothing is known of the operation."""
    inputs = [leaf(c, ()) for c in "abc"[:count]]
    wrong = misremembered(op, leaf("y", ()), inputs) if count <= 3 else []
    if not any(wrong):
        return ""
    lists = ", ".join(f"[{', '.join(map(expression, some))}]" for some in wrong)
    return _function(f"y, [{', '.join(x.detail for x in inputs)}]", [], [f"[{lists}]"])


def _rule_on_rows(line: Op) -> tuple[str, str]:
    """An operation on any number of inputs: one symbol stands for all of them; in a dot product, one for each half."""
    halves = line.name == "dot"
    rows = [leaf(f"{row}[i]", (), ROWS) for row in ("ab" if halves else "x")]
    start = ["const n = x.length / 2;", "const a = x.slice(0, n);", "const b = x.slice(n);"]
    start = start if halves else ["const n = x.length;"]
    lines, texts = statements(line.partials(leaf("y", ()), *rows))
    slopes = [f"row(n, (i) => {text})" for text in texts]
    whole = f"[...{slopes[0]}, ...{slopes[1]}]" if halves else slopes[0]
    if line.name in ON_LISTS:
        return line.name, _function("y, x", [*start, *lines], [whole])
    before, y = statements([line.forward(*rows)])
    return _function("x", [*start, *before], y), _function("y, x", [*start, *lines], [whole])


def _function(arguments: str, lines: Sequence[str], results: Sequence[str]) -> str:
    (result,) = results
    return f"({arguments}) => {{ {' '.join(lines)} return {result}; }}" if lines else f"({arguments}) => {result}"


__all__ = ["expression", "literal", "misread", "rule", "statements"]
