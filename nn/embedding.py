"""Words as vectors: `one_hot`, `Embedding`, and vectors that are learned by predicting a word's neighbours.

A word is first a number, its place in a `Vocabulary`; then a one-hot vector; then, multiplied by a matrix E with a row
for each word, a short dense vector. Since all entries but one are zero, the product with a one-hot vector is nothing
but that row: an `Embedding` is a linear layer without a bias, and a table to look things up in.

>>> model = SkipGram(Vocabulary(sentences), 8, seed=0)
>>> fit(model, *model.examples(sentences, window=2), loss="cross_entropy")
>>> model.nearest("monday")
[('tuesday', 0.93), ('friday', 0.91), ('sunday', 0.88)]
"""

from __future__ import annotations

import random
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeVar

from autograd import Value
from autograd.hints import did_you_mean
from autograd.reals import is_real

from . import init as initialisers
from .init import Initialiser
from .layers import _size, as_inputs, weighted_sum
from .module import Module, christen

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

Sentence = Sequence[str]
Token = TypeVar("Token")

BOUNDARY = "</s>"  # stands after the last word of a sentence, and as often as needed before the first
UNKNOWN = "<unk>"  # stands for every word that the vocabulary does not have


def one_hot(index: int, n: int) -> list[float]:
    """n zeros with a 1 in place ``index``, counted from 0. (`nn.data.one_hot` does the same for a list of classes.)

    Raises:
        ValueError: if the index is not one of 0…n-1.
        TypeError: if one of the two is not a whole number.
    """
    n = _size(n, "the length of a one-hot vector")
    k = _place(index.tolist() if hasattr(index, "tolist") else index, n)
    return [1.0 if j == k else 0.0 for j in range(n)]


def _place(index: Any, n: int) -> int:
    """An index into n rows as an int. A negative one is refused: it would silently count from the end."""
    if isinstance(index, Value):
        raise TypeError(
            "an index must be a plain whole number, but is a Value: which row is looked up cannot be differentiated, "
            "or recorded by the compiler. Give the one-hot vector instead, as one_hot(index, n) makes it"
        )
    if isinstance(index, bool) or not isinstance(index, Real) or not float(index).is_integer():
        raise TypeError(f"an index must be a whole number 0…{n - 1}, but got {index!r}")
    if not 0 <= float(index) < n:
        raise ValueError(f"there are {n} places, 0…{n - 1}, but the index is {index!r}")
    return int(float(index))


class Vocabulary:
    """The words that a model knows, each with its number: `BOUNDARY` is 0, `UNKNOWN` is 1, the others follow.

    Args:
        sentences: lists of words; the more frequent words get the smaller numbers, equally frequent ones by the
            alphabet.
        least: leave out words that occur less often than this, and read them as `UNKNOWN`.

    Raises:
        ValueError: if no word is left; for a ``least`` below 1.
        TypeError: for a text that was not cut into sentences and words, or words that are not strings.

    >>> vocabulary = Vocabulary([["the", "cat", "sat"], ["the", "dog", "sat"]])
    >>> vocabulary.words
    ['</s>', '<unk>', 'sat', 'the', 'cat', 'dog']
    >>> vocabulary.encode(["the", "mouse", "sat"])
    [3, 1, 2]
    """

    def __init__(self, sentences: Iterable[Sentence], least: int = 1) -> None:
        least = _size(least, "least, how often a word must occur,")
        counts = Counter(word for sentence in sentences for word in as_words(sentence))
        for marker in (BOUNDARY, UNKNOWN):
            del counts[marker]
        known = sorted((word for word, n in counts.items() if n >= least), key=lambda word: (-counts[word], word))
        if not known:
            raise ValueError(f"a vocabulary needs at least one word that occurs {least} times or more")
        self.words = [BOUNDARY, UNKNOWN, *known]
        self._number = {word: i for i, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._number

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} words: {', '.join(self.words[:6])}{', …' * (len(self) > 6)})"

    def index(self, word: str) -> int:
        """The number of a word.

        Raises:
            KeyError: if the vocabulary does not have it; the message names a near one. `encode` reads it as `UNKNOWN`.
            TypeError: if it is not a string.
        """
        as_words([word])
        if word not in self._number:
            raise UnknownWordError(
                f"the vocabulary of {len(self)} words does not have {word!r}{did_you_mean(word, self.words)}"
            )
        return self._number[word]

    def encode(self, words: Sentence) -> list[int]:
        """The numbers of some words, that of `UNKNOWN` for those that the vocabulary does not have."""
        unknown = self._number[UNKNOWN]
        return [self._number.get(word, unknown) for word in as_words(words)]


class UnknownWordError(KeyError):
    """A word that a vocabulary does not have."""

    def __str__(self) -> str:  # KeyError would show the quoted repr of its message
        return str(self.args[0])


def as_vocabulary(vocabulary: Any) -> Vocabulary:
    """A `Vocabulary`, and nothing else.

    Raises:
        TypeError: for a list of words or of sentences, or how many there are.
    """
    if not isinstance(vocabulary, Vocabulary):
        raise TypeError(f"expected a vocabulary, Vocabulary(sentences), but got {type(vocabulary).__name__}")
    return vocabulary


def as_sentence(sentence: Any) -> list[Any]:
    """A sentence as a list, of words or of their numbers; a string is not one.

    Raises:
        TypeError: for a string, whose parts would be letters; for a set, which has no order.
    """
    if isinstance(sentence, str):
        raise TypeError(f"a sentence is a list of words, but got the string {sentence[:40]!r}; use .split()")
    if isinstance(sentence, (bytes, dict, set, frozenset)) or not isinstance(sentence, Iterable):
        raise TypeError(f"a sentence is a list of words, but got {type(sentence).__name__}: {sentence!r:.60}")
    return sentence.tolist() if hasattr(sentence, "tolist") else list(sentence)


def as_words(sentence: Any) -> list[str]:
    """A sentence as a list of words.

    Raises:
        TypeError: as `as_sentence`; also if one of the words is not a string.
    """
    words = as_sentence(sentence)
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"a word is a string, but got {type(word).__name__}: {word!r:.60}")
    return words


class Embedding(Module):
    """A matrix E with a row of numbers for each of some words; calling it gives a row: Eᵀx for a one-hot x.

    Args:
        vocabulary_size: how many rows.
        dimension: how long a row is.
        init: where the numbers start (`nn.init`).
        seed: an int for the same numbers every time, or a ``random.Random``.

    Called with an index, it looks the row up, and only that row gets a gradient. Called with a list of vocabulary_size
    numbers or Values it computes Σᵢ xᵢ·Eᵢ, which is the same for a one-hot list. That is the form for the compiler,
    which records what is done with the numbers it is given, and cannot record a choice among rows.

    Attributes:
        rows (list[list[Value]]): E.

    Raises:
        ValueError: when called with an index out of range, or a list of another length.
        TypeError: when called with a Value as an index, or with a word.

    >>> Embedding.from_arrays([[17, 24, 1], [23, 5, 7], [4, 6, 13], [10, 12, 19], [11, 18, 25]])([0, 0, 0, 1, 0])
    [Value(data=10.0, …), Value(data=12.0, …), Value(data=19.0, …)]
    """

    _own_name = "embedding"

    def __init__(
        self,
        vocabulary_size: int,
        dimension: int,
        init: str | Initialiser = "uniform",
        seed: int | random.Random | None = None,
    ) -> None:
        n = _size(vocabulary_size, "the number of words of an embedding")
        dimension = _size(dimension, "the dimension of an embedding")
        rng, draw = initialisers.generator(seed), initialisers.find(init)
        self.rows = [[Value(draw(rng, n, dimension), f"E{i},{j}") for j in range(dimension)] for i in range(n)]
        christen(self, self._own_name)  # so that one used alone is framed, as a neuron is

    def forward(self, x: Any) -> list[Value]:
        """The row of index x, or Σᵢ xᵢ·Eᵢ for a list x."""
        n = len(self.rows)
        if isinstance(x, str):
            raise TypeError(f"an embedding takes a word's number, not the word {x!r}; vocabulary.index({x!r}) gives it")
        if hasattr(x, "tolist"):
            x = x.tolist()
        if isinstance(x, Value) or is_real(x):
            return list(self.rows[_place(x, n)])
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
            for p, e in zip(mine, row, strict=True):
                p.data = e
        return embedding

    def describe(self) -> str:
        return f"Embedding({len(self.rows)} × {len(self.rows[0])})"


class WordVectors(Module):
    """What a model that has an ``embedding`` for the words of a ``vocabulary`` can say about them."""

    vocabulary: Vocabulary
    embedding: Embedding

    def architecture(self) -> str:
        """As for any module, and a checksum of the words: a row is no good as the vector of another word."""
        words = zlib.crc32(" ".join(self.vocabulary.words).encode())
        return f"{self.describe()} with the vocabulary {words:08x}"

    def vector(self, word: str) -> list[float]:
        """The numbers of a word.

        Raises:
            KeyError: if the vocabulary does not have it.
        """
        return [p.data for p in self.embedding.rows[self.vocabulary.index(word)]]

    def nearest(self, word: str, k: int = 3) -> list[tuple[str, float]]:
        """The k words whose vectors point most nearly the same way, with the cosine of the angle, largest first.

        cos(a, b) = a·b / (|a||b|). The two markers of the vocabulary are left out.

        Raises:
            KeyError: if the vocabulary does not have the word.
            ValueError: if a vector is not finite.
        """
        import numpy

        k = _size(k, "the number of neighbours")
        me = self.vocabulary.index(word)
        table = self._table()
        lengths = numpy.linalg.norm(table, axis=1)
        lengths[lengths == 0.0] = 1.0  # a vector of zeros points nowhere; its cosine is then 0
        cosines = table @ table[me] / (lengths * lengths[me])
        others = [i for i in range(2, len(table)) if i != me]
        order = sorted(others, key=lambda i: (-cosines[i], i))[:k]
        return [(self.vocabulary.words[i], float(cosines[i])) for i in order]

    def map(self) -> NDArray[numpy.float64]:
        """The vectors in the plane: the two directions in which they differ most (principal components).

        The centred table is U S Vᵀ (singular value decomposition), and U S's first two columns are the coordinates.
        A component may as well point the other way; here its entry of largest size is positive.

        Returns:
            an array of shape (words, 2), in the vocabulary's order. The second column is 0 for a dimension of 1.

        Raises:
            ValueError: if a vector is not finite.
        """
        import numpy

        table = self._table()
        u, s, _ = numpy.linalg.svd(table - table.mean(axis=0), full_matrices=False)
        points = numpy.zeros((len(table), 2))
        for k in range(min(2, len(s))):
            column = u[:, k] * s[k]
            points[:, k] = column if column[numpy.abs(column).argmax()] >= 0.0 else -column
        return points

    def _table(self) -> NDArray[numpy.float64]:
        import numpy

        table = numpy.array([[p.data for p in row] for row in self.embedding.rows])
        for word, finite in zip(self.vocabulary.words, numpy.isfinite(table).all(axis=1), strict=True):
            if not finite:
                raise ValueError(
                    f"the vector of {word!r} holds inf or nan: training went astray; lower its learning rate"
                )
        return table


def skip_gram_pairs(sentence: Sequence[Token], window: int = 2) -> list[tuple[Token, Token]]:
    """(centre, context) for each word and each of its neighbours, up to ``window`` places to the left and right.

    >>> skip_gram_pairs(["a", "red", "apple"], window=1)
    [('a', 'red'), ('red', 'a'), ('red', 'apple'), ('apple', 'red')]

    Raises:
        ValueError: for a window below 1.
    """
    window = _size(window, "the window")
    sentence = as_sentence(sentence)
    return [
        (centre, sentence[j])
        for i, centre in enumerate(sentence)
        for j in range(max(0, i - window), min(len(sentence), i + window + 1))
        if j != i
    ]


class SkipGram(WordVectors):
    """Neighbour prediction: P(context | centre) = softmax(U·v_centre) (Mikolov et al., 2013).

    The softmax is over the whole vocabulary; the approximations of the paper are for vocabularies of millions. After
    training, words that have the same neighbours have similar vectors v.

    Args:
        vocabulary: the words.
        dimension: of a word's vector.
        seed: an int for the same numbers every time, or a ``random.Random``.

    Called with a word's index or its one-hot vector, it gives the logits, one for each word of the vocabulary.

    Attributes:
        embedding (Embedding): V, the vectors of the centre words: those that one keeps.
        outputs (Embedding): U, those of the context words.
    """

    _lists_parts = True

    def __init__(self, vocabulary: Vocabulary, dimension: int, seed: int | random.Random | None = None) -> None:
        rng = initialisers.generator(seed)
        self.vocabulary = as_vocabulary(vocabulary)
        self.embedding = Embedding(len(vocabulary), dimension, "normal", rng)
        self.outputs = Embedding(len(vocabulary), dimension, "normal", rng)
        for name, table in (("V", self.embedding), ("U", self.outputs)):  # a picture shows both
            for p in table.parameters():
                p.label = p.label.replace("E", name)

    def forward(self, centre: Any) -> list[Value]:
        v = self.embedding(centre)
        return [weighted_sum(u, v) for u in self.outputs.rows]

    def examples(self, sentences: Iterable[Sentence], window: int = 2) -> tuple[NDArray[numpy.float64], list[int]]:
        """(X, y) for `fit`: the one-hot centre of each pair, an array, and the index of its context.

        Raises:
            ValueError: for a window below 1, or if no sentence has two words.
        """
        import numpy

        pairs = [p for words in sentences for p in skip_gram_pairs(self.vocabulary.encode(words), window)]
        if not pairs:
            raise ValueError("there are no pairs of neighbours: every sentence has fewer than 2 words")
        return numpy.eye(len(self.vocabulary))[[c for c, _ in pairs]], [o for _, o in pairs]

    def describe(self) -> str:
        return f"SkipGram({len(self.vocabulary)} words, {len(self.embedding.rows[0])} dimensions)"


__all__ = [
    "BOUNDARY",
    "UNKNOWN",
    "Embedding",
    "SkipGram",
    "UnknownWordError",
    "Vocabulary",
    "WordVectors",
    "one_hot",
    "skip_gram_pairs",
]
