"""`Index`: an entry of a compiled function's example that is a whole number, and chooses: a token, a class."""

from __future__ import annotations

import operator
from typing import Any


class Index:
    """In an example of `autograd.compile`: here stands a whole number 0…count-1 that chooses an entry of a list.

    A token chooses a row of a table, a class one of the logits. The function may write ``table[token]`` and
    ``logits[target]``, on plain lists of Values; it may do nothing else with the number. Each batch then has whole
    numbers in this place, and they are checked at each call.

    Args:
        count: how many there are to choose from.

    Raises:
        TypeError, ValueError: if count is not a whole number of at least 1.

    >>> from autograd import Index, Value, compile, dot, logsumexp
    >>> table = [[Value(0.1 * i * j) for j in range(2)] for i in range(27)]
    >>> matrix = [[Value(0.0) for _ in range(2)] for _ in range(27)]
    >>> def loss(token, target):
    ...     x = table[token]
    ...     logits = [dot(row, x) for row in matrix]
    ...     return logsumexp(logits) - logits[target]
    >>> step = compile(loss, Index(27), Index(27))
    >>> step([3, 0, 26], [1, 1, 5])  # nothing is learned yet: log(27)
    3.29583686600...
    """

    __slots__ = ("count",)

    def __init__(self, count: int) -> None:
        try:
            self.count = operator.index(count)
        except TypeError:
            raise TypeError(
                f"Index takes how many there are to choose from, as in Index(27), but got {count!r:.60}"
            ) from None
        if self.count < 1 or isinstance(count, bool):
            raise ValueError(f"an index chooses from 1 or more, as in Index(27), but got Index({count!r})")

    def __index__(self) -> int:
        raise TypeError(
            f"{self!r} stands for a number in an example of compile; to call the function itself write a number"
        )

    def __repr__(self) -> str:
        return f"Index({self.count})"


TAKE = "look up"  # the operation of a node whose inputs are an index, and then all that it chooses from


class Picked(int):
    """A number in the place of an `Index`, where examples are made up: it is passed on as the int that it is."""


def picked(entry: Any, number: int = 0) -> Any:
    """A number for an `Index`; anything else as it is."""
    return Picked(number) if isinstance(entry, Index) else entry
