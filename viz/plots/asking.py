"""How a model is asked about many points: all at once if it can, else compiled, else one by one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Value, no_grad
from autograd.compiler import compile as compile_function

from .figures import Array

AT_ONCE = 4096  # rows: what they need at a time stays in the cache
COMPARED = 100  # answers of a program, with those of what it was compiled from


def plain(y: Any) -> Any:
    """A Value's number, also inside lists."""
    if isinstance(y, Value):
        return y.data
    return [plain(one) for one in y] if isinstance(y, (list, tuple)) else y


def at_once(ask: Callable[[Any], Any], rows: Array) -> Array | None:
    """The answers to all rows at once, from a function that takes them, or from the program that is compiled from one
    that is made of Values, as a `Module` is; None if it is neither."""
    for answered in (_directly, _compiled):
        try:
            answer = answered(ask, rows)
        except Exception:  # whatever it did not like, it is asked again row by row, and may complain then
            continue
        if answer.ndim in (1, 2) and len(answer) == len(rows) and answer.dtype != object:
            return answer
    return None


def _directly(ask: Callable[[Any], Any], rows: Array) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of an array of one number that is taken for a number
        return np.asarray(plain(ask(rows)))


def _compiled(ask: Callable[[Any], Any], rows: Array) -> Array:
    """By one program for all rows. A trace misses what a function decides by numbers, so some answers are compared."""
    program = compile_function(ask, rows[0].tolist(), mean=False)
    answers = np.concatenate([program(part) for part in np.array_split(rows, -(-len(rows) // AT_ONCE))])
    some = np.unique(np.linspace(0, len(rows) - 1, COMPARED).round().astype(int))
    if not np.allclose(answers[some], one_by_one(ask, rows[some]), 1e-9, 1e-9, equal_nan=True):
        raise ValueError("the program answers something else")
    return answers


def one_by_one(ask: Callable[[Any], Any], rows: Array) -> Array:
    with no_grad():
        return np.asarray([plain(ask(row)) for row in rows.tolist()])


def question(predict: Any) -> tuple[Callable[[Any], Any], bool]:
    """What to call with examples, and whether it answers with labels."""
    method = getattr(predict, "predict", None)
    if callable(method):
        return method, True
    if callable(predict):
        return predict, False
    raise TypeError(
        f"predict must be a function of examples, or a model with .predict, but got {type(predict).__name__}"
    )
