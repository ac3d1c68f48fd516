"""Running the derivative sheet on symbols: `autograd.symbols`, with what only programs on arrays need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..modes import TracingError
from ..ops import DETACH, SHEET
from ..symbols import (
    BATCH,
    COMPARISONS,
    NO_ROW,
    ONE_ROW,
    ROWS,
    WORDS,
    Shape,
    Symbol,
    binary,
    broadcast,
    folded,
    is_cut,
    is_number,
    leaf,
    lift,
    number,
)

Result = TypeVar("Result")


def passed(upstream: Symbol, partial: Symbol) -> Symbol:
    """What goes back through a local derivative: upstream · partial, and 0 where the path is cut.

    The product goes into the branches, where(c, CUT, p) · u = where(c, 0, u · p): outside, 0·inf would be nan.
    """
    if is_cut(partial):
        return number(0.0)
    if partial.operator == "where" and has_cut(partial):
        condition, yes, no = partial.arguments
        return condition.where(passed(upstream, yes), passed(upstream, no))
    return upstream * partial


def has_cut(partial: Symbol) -> bool:
    """Whether a local derivative is CUT in one of the cases that it distinguishes."""
    return is_cut(partial) or (partial.operator == "where" and any(map(has_cut, partial.arguments[1:])))


def total(x: Symbol, axis: int, keep: bool = False) -> Symbol:
    return folded("sum", x, keep, axis)


# --- running the sheet


def forward(op: str, *operands: Any) -> Symbol:
    return _run(op, lambda: lift(SHEET[op].forward(*operands)))


def partials(op: str, y: Any, *operands: Any) -> list[Symbol | None]:
    """One local derivative per operand; None for an operand to which nothing goes back."""
    stops = op == DETACH
    return _run(op, lambda: [None if stops or p is None else lift(p) for p in SHEET[op].partials(y, *operands)])


def _run(op: str, rule: Callable[[], Result]) -> Result:
    try:
        return rule()
    except Exception as error:
        raise TracingError(f"the rule of operation {op!r} cannot be compiled: {error}") from error


__all__ = [
    "BATCH",
    "COMPARISONS",
    "NO_ROW",
    "ONE_ROW",
    "ROWS",
    "WORDS",
    "Shape",
    "Symbol",
    "binary",
    "broadcast",
    "folded",
    "forward",
    "has_cut",
    "is_cut",
    "is_number",
    "leaf",
    "lift",
    "number",
    "partials",
    "passed",
    "total",
]
