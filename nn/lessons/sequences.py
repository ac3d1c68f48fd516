"""Sequences to learn on, with a known answer: what has to be remembered, and for how long, is set by hand.

Each function returns ``(X, y)``, as `fit` takes it for a `Recurrent` model. A sequence is a list of steps, each a list
of numbers.
"""

from __future__ import annotations

from ..checks import whole
from ..init import generator

Sequences = tuple[list[list[list[float]]], list[float]]


def adding(n: int = 100, length: int = 10, seed: int = 0) -> Sequences:
    """The adding problem (Hochreiter and Schmidhuber, 1997): the sum of the two marked numbers.

    Each step is a pair: a number uniform in [0, 1], and a mark that is 1 at two of the steps, one in each half of the
    sequence, and else 0. (This is the form that is common today; the original draws from [-1, 1] and scales the sum.)

    Whoever says 1 always has the squared error 2·Var U(0, 1) = 1/6 = 0.167 on average; that is the baseline to beat.

    Args:
        n: how many sequences.
        length: the number of steps, at least 2.
        seed: the same seed gives the same sequences on every machine.
    """
    n, length = whole("n", n, 1), whole("length", length, 2)
    rng = generator(seed)
    X, y = [], []
    for _ in range(n):
        numbers = [rng.uniform(0.0, 1.0) for _ in range(length)]
        first, second = rng.randrange(length // 2), rng.randrange(length // 2, length)
        X.append([[x, 1.0 if t in (first, second) else 0.0] for t, x in enumerate(numbers)])
        y.append(numbers[first] + numbers[second])
    return X, y


__all__ = ["adding"]
