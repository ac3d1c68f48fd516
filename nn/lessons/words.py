"""Words as vectors: a `Vocabulary` gives each word a number, and a `SkipGram` learns a vector for each.

The vectors are the rows of an `nn.Embedding`, learned by predicting a word's neighbours: words that have the same
neighbours get similar vectors.

>>> from nn import fit
>>> from nn.lessons import SkipGram, Vocabulary
>>> from nn.lessons.corpora import village
>>> sentences = village()
>>> model = SkipGram(Vocabulary(sentences), 8, seed=0)
>>> X, y = model.examples(sentences, window=1)
>>> history = fit(model, X, y, loss="cross_entropy", epochs=5, lr=0.05, batch_size=128, progress=False)
>>> model.nearest("monday")
[('wednesday', 0.98...), ('thursday', 0.98...), ('friday', 0.97...)]
"""

from __future__ import annotations

import random
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from autograd import Value
from autograd.hints import did_you_mean
from autograd.needs import needs_numpy

from .. import init as initialisers
from ..checks import whole
from ..embedding import Embedding
from ..layers import weighted_sum
from ..module import Module
from ..training.examples import Array

Sentence = Sequence[str]
Token = TypeVar("Token")

BOUNDARY = "</s>"  # stands after the last word of a sentence, and as often as needed before the first
UNKNOWN = "<unk>"  # stands for every word that the vocabulary does not have


class Vocabulary:
    """The words that a model knows, each with its number: `BOUNDARY` is 0, `UNKNOWN` is 1, the others follow.

    Args:
        sentences: lists of words; the more frequent words get the smaller numbers, equally frequent ones by the
            alphabet.
        min_count: leave out words that occur less often than this, and read them as `UNKNOWN`.

    Raises:
        ValueError: if no word is left; for a ``min_count`` below 1.
        TypeError: for a text that was not cut into sentences and words, or words that are not strings.

    >>> vocabulary = Vocabulary([["the", "cat", "sat"], ["the", "dog", "sat"]])
    >>> vocabulary.words
    ['</s>', '<unk>', 'sat', 'the', 'cat', 'dog']
    >>> vocabulary.encode(["the", "mouse", "sat"])
    [3, 1, 2]
    """

    def __init__(self, sentences: Iterable[Sentence], min_count: int = 1) -> None:
        min_count = whole("min_count, how often a word must occur,", min_count)
        counts = Counter(word for sentence in sentences for word in as_words(sentence))
        for marker in (BOUNDARY, UNKNOWN):
            del counts[marker]
        known = sorted((word for word, n in counts.items() if n >= min_count), key=lambda word: (-counts[word], word))
        if not known:
            raise ValueError(f"a vocabulary needs at least one word that occurs {min_count} times or more")
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
        k = whole("the number of neighbours", k)
        me = self.vocabulary.index(word)
        table = self._table()
        import numpy

        lengths = numpy.linalg.norm(table, axis=1)
        lengths[lengths == 0.0] = 1.0  # a vector of zeros points nowhere; its cosine is then 0
        cosines = table @ table[me] / (lengths * lengths[me])
        others = [i for i in range(2, len(table)) if i != me]
        order = sorted(others, key=lambda i: (-cosines[i], i))[:k]
        return [(self.vocabulary.words[i], float(cosines[i])) for i in order]

    def map(self) -> Array:
        """The vectors in the plane: the two directions in which they differ most (principal components).

        The centred table is U S Vᵀ (singular value decomposition), and U S's first two columns are the coordinates.
        A component may as well point the other way; here its entry of largest size is positive.

        Returns:
            an array of shape (words, 2), in the vocabulary's order. The second column is 0 for a dimension of 1.

        Raises:
            ValueError: if a vector is not finite.
        """
        table = self._table()
        import numpy

        u, s, _ = numpy.linalg.svd(table - table.mean(axis=0), full_matrices=False)
        points = numpy.zeros((len(table), 2))
        for k in range(min(2, len(s))):
            column = u[:, k] * s[k]
            points[:, k] = column if column[numpy.abs(column).argmax()] >= 0.0 else -column
        return points

    def _table(self) -> Array:
        needs_numpy("a table of the words' vectors")
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
    window = whole("the window", window)
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

    def examples(self, sentences: Iterable[Sentence], window: int = 2) -> tuple[Array, list[int]]:
        """(X, y) for `fit`: the one-hot centre of each pair, an array, and the index of its context.

        Raises:
            ValueError: for a window below 1, or if no sentence has two words.
        """
        needs_numpy("SkipGram.examples")
        import numpy

        pairs = [p for words in sentences for p in skip_gram_pairs(self.vocabulary.encode(words), window)]
        if not pairs:
            raise ValueError("there are no pairs of neighbours: every sentence has fewer than 2 words")
        return numpy.eye(len(self.vocabulary))[[c for c, _ in pairs]], [o for _, o in pairs]

    def describe(self) -> str:
        return f"SkipGram({len(self.vocabulary)} words, {len(self.embedding.rows[0])} dimensions)"
