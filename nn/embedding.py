"""`Embedding`: a matrix E with a row of numbers for each word, or for anything else that is first a number.

A word's number, its place in a vocabulary, is made a one-hot vector (`one_hot`); multiplied by E that becomes a short
dense vector. Since all entries but one are zero, the product is nothing but a row of E: an embedding is a linear layer
without a bias, and a table to look things up in. `nn.lessons.words` has vocabularies, and models that learn an E.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

from autograd import Index, Value
from autograd.hints import explains
from autograd.reals import is_real

from . import init as initialisers
from .checks import index, whole
from .init import Initialiser
from .layers import as_inputs, weighted_sum
from .module import Module, christen, put

# for those who know these arguments by another name
_ROWS = "write num_embeddings, how many rows there are"
_LENGTH = "write embedding_dim, how long a row is"


class Embedding(Module):
    """A matrix E with a row of numbers for each of some words; calling it gives a row: Eᵀx for a one-hot x.

    Args:
        num_embeddings: how many rows.
        embedding_dim: how long a row is.
        init: where the numbers start (`nn.init`).
        seed: an int for the same numbers every time, or a ``random.Random``.

    Called with an index, it looks the row up, and only that row gets a gradient. Called with a list of num_embeddings
    numbers or Values it computes Σᵢ xᵢ·Eᵢ, which is the same for a one-hot list. That is the form for the compiler,
    which records what is done with the numbers it is given, and cannot record a choice among rows.

    Attributes:
        rows (list[list[Value]]): E.

    Raises:
        ValueError: when called with an index out of range, or a list of another length.
        TypeError: when called with a Value as an index, or with a word.

    >>> Embedding.from_arrays([[17, 24, 1], [23, 5, 7], [4, 6, 13], [10, 12, 19], [11, 18, 25]])([0, 0, 0, 1, 0])
    [Value(data=10.0, ...), Value(data=12.0, ...), Value(data=19.0, ...)]
    """

    _own_name = "embedding"

    @explains(
        vocab_size=_ROWS, vocabulary_size=_ROWS, input_dim=_ROWS, dimension=_LENGTH, output_dim=_LENGTH, dim=_LENGTH
    )
    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        init: str | Initialiser = "uniform",
        seed: int | random.Random | None = None,
    ) -> None:
        n = whole("the number of words of an embedding", num_embeddings)
        dim = whole("the dimension of an embedding", embedding_dim)
        rng, draw = initialisers.generator(seed), initialisers.find(init)
        self.rows = [[Value(draw(rng, n, dim), f"E{i},{j}") for j in range(dim)] for i in range(n)]
        christen(self, self._own_name)  # so that one used alone is framed, as a neuron is

    def forward(self, x: Any) -> list[Value]:
        """The row of index x, or Σᵢ xᵢ·Eᵢ for a list x."""
        n = len(self.rows)
        if isinstance(x, str):
            raise TypeError(f"an embedding takes a word's number, not the word {x!r}; vocabulary.index({x!r}) gives it")
        if hasattr(x, "tolist"):
            x = x.tolist()
        if isinstance(x, Index):
            return list(self.rows[x])
        if isinstance(x, Value) or is_real(x):
            return list(self.rows[index("an index", x, n)])
        x = as_inputs(x, n, f"an embedding that is given a list, such as one_hot(0, {n}),")
        return [weighted_sum(column, x) for column in zip(*self.rows, strict=True)]

    @classmethod
    def from_arrays(cls, matrix: Sequence[Sequence[float]]) -> Embedding:
        """An embedding with these rows.

        Raises:
            ValueError: if there are none, or they differ in length.
            TypeError: for what is not rows of numbers.
        """
        rows = [list(row) if isinstance(row, Iterable) else row for row in matrix]
        if any(not isinstance(row, list) for row in rows):
            raise TypeError(
                f"an embedding is made of rows of numbers, such as [[1, 2], [3, 4]], but got {matrix!r:.60}"
            )
        if not rows or len({len(row) for row in rows}) != 1:
            raise ValueError(f"an embedding needs rows of equal length, but they have {[len(row) for row in rows]}")
        embedding = cls(len(rows), len(rows[0]), "zeros")
        for mine, row in zip(embedding.rows, rows, strict=True):
            put(mine, row)
        return embedding

    def describe(self) -> str:
        return f"Embedding({len(self.rows)} × {len(self.rows[0])})"
