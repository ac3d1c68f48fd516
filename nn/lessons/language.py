"""Models of language: how probable is each word after those before it? By counting, and by a neural network.

`NGramModel` counts which words followed which; `NeuralLanguageModel` turns the words before into vectors and computes.
Both predict the same tokens, each word of a sentence and then the marker of its end, from the same context, so their
perplexities can be compared.

>>> from nn import fit
>>> from nn.lessons import NeuralLanguageModel, NGramModel, Vocabulary
>>> from nn.lessons.corpora import village
>>> train, test = village()[:250], village()[250:]
>>> vocabulary = Vocabulary(train)
>>> NGramModel(3, 0.1).fit(train, vocabulary).perplexity(test)
19.4362963...
>>> model = NeuralLanguageModel(vocabulary, context=2, dimension=16, hidden=32, seed=0)
>>> history = fit(model, *model.examples(train), loss="cross_entropy", epochs=10, batch_size=32, progress=False)
>>> model.perplexity(test)
12.00...
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, Self

from autograd import Value, functions, ieee
from autograd.needs import needs_numpy

from .. import init as initialisers
from ..checks import whole
from ..embedding import Embedding
from ..layers import Layer
from ..training.examples import Array
from ..training.metrics import predict
from .words import BOUNDARY, Sentence, Vocabulary, WordVectors, as_vocabulary, as_words

Context = tuple[int, ...]


def perplexity(probabilities: Iterable[float]) -> float:
    """exp(-1/N Σ log pᵢ) of the probabilities that a model gave to the N tokens that came.

    As if the model had to guess among so many equally probable words: N tokens at 1/V each give V. A token that was
    given probability 0 makes it infinite.

    Raises:
        ValueError: for no tokens, or a number that is no probability.
        TypeError: for anything but a list of numbers.
    """
    if isinstance(probabilities, str) or not isinstance(probabilities, Iterable):
        raise TypeError(f"perplexity takes a list of probabilities, but got {probabilities!r:.60}")
    ps = [float(p) for p in probabilities]
    if not ps:
        raise ValueError("the perplexity of no tokens is not defined")
    for p in ps:
        if not 0.0 <= p <= 1.0 + 1e-9:
            raise ValueError(f"perplexity takes probabilities, between 0 and 1, but got {p!r}")
    return ieee.exp(-math.fsum(map(ieee.log, ps)) / len(ps))  # of a 0, or beyond 1.8e308: inf


def windows(sentences: Iterable[Sentence], vocabulary: Vocabulary, context: int) -> list[tuple[Context, int]]:
    """What there is to predict: for each word, and for the end of each sentence, the words before it, and itself.

    A sentence is preceded by as many boundary markers as the context is long, so that its first word is predicted too.

    Raises:
        ValueError: for a negative context.
        TypeError: for a text that was not cut into sentences and words, or something else than a `Vocabulary`.

    >>> from nn.lessons import Vocabulary
    >>> vocabulary = Vocabulary([["hello", "you"]])
    >>> windows([["hello", "you"]], vocabulary, 2)  # </s> is 0, hello 2, you 3
    [((0, 0), 2), ((0, 2), 3), ((2, 3), 0)]
    """
    boundary = as_vocabulary(vocabulary).index(BOUNDARY)
    context = whole("the number of words of context", context, 0)
    found: list[tuple[Context, int]] = []
    for words in sentences:
        tokens = [boundary] * context + vocabulary.encode(words) + [boundary]
        found += [(tuple(tokens[i - context : i]), tokens[i]) for i in range(context, len(tokens))]
    return found


class LanguageModel:
    """What can be asked of any model that gives the next word's probabilities from those before it.

    A subclass has a ``vocabulary``, looks back on ``context`` words, and defines ``distributions``.
    """

    vocabulary: Vocabulary
    context: int

    def distributions(self, contexts: Sequence[Context]) -> list[Sequence[float]]:
        """The probabilities of all words of the vocabulary after each context, which is as many words' numbers."""
        raise NotImplementedError(f"{type(self).__name__} must define distributions(self, contexts)")

    def distribution(self, context: Sentence) -> dict[str, float]:
        """P(word | context) for each word of the vocabulary. They sum to 1.

        Args:
            context: the words before, from the beginning of the sentence or just the last few.

        Raises:
            KeyError: for a word that the vocabulary does not have.
        """
        words = [BOUNDARY] * self.context + as_words(context)
        tokens = [self.vocabulary.index(word) for word in words]
        (ps,) = self.distributions([tuple(tokens[len(tokens) - self.context :])])
        return dict(zip(self.vocabulary.words, map(float, ps), strict=True))

    def probability(self, word: str, context: Sentence = ()) -> float:
        """P(word | context), as in `distribution`."""
        self.vocabulary.index(word)
        return self.distribution(context)[word]

    def perplexity(self, sentences: Iterable[Sentence]) -> float:
        """The `perplexity` of all words of some sentences and of their ends. Unknown words are read as "<unk>".

        Raises:
            ValueError: for no sentences.
        """
        tokens = windows(sentences, self.vocabulary, self.context)
        contexts = list(dict.fromkeys(context for context, _ in tokens))
        after = dict(zip(contexts, self.distributions(contexts), strict=True))
        return perplexity(after[context][token] for context, token in tokens)

    def sample(self, rng: random.Random | int | None = None, longest: int = 30) -> list[str]:
        """A sentence: word after word drawn from the model, until it draws the end, or ``longest`` words are reached.

        Args:
            rng: a ``random.Random``, or a seed.
            longest: how many words at most.
        """
        rng, longest = initialisers.generator(rng), whole("longest, the number of words,", longest, 0)
        words: list[str] = []
        while len(words) < longest:
            after = self.distribution(words)
            (word,) = rng.choices(list(after), list(after.values()))
            if word == BOUNDARY:
                break
            words.append(word)
        return words


class NGramModel(LanguageModel):
    """P(w | c) = (count(c w) + k) / (count(c) + k·V): the n-1 words c before w, counted, with k added to every count.

    Without the k (Lidstone, 1920; with k = 1, Laplace) a sentence with a single run of n words that never stood
    together would be impossible.

    Args:
        n: how many words are looked at together: 1 for the word alone, 2 for pairs (bigrams), 3 for trigrams.
        k: added to every count; 0 for the bare frequencies.

    Raises:
        ValueError: for n below 1, or a k that is no number from 0 to 10³⁰⁰.
    """

    def __init__(self, n: int, k: float = 1.0) -> None:
        self.n = whole("the n of an n-gram", n)
        if isinstance(k, bool) or not isinstance(k, Real) or not 0.0 <= k <= 1e300:  # k·V must not overflow
            raise ValueError(f"k is added to every count, so it must be a number from 0 to 1e300, but got {k!r}")
        self.k: float = float(k)
        self.context = self.n - 1
        self.counts: dict[Context, Counter[int]] = {}

    if not TYPE_CHECKING:  # or type checkers would take every name for known

        def __getattr__(self, name: str) -> object:  # asked only for what is not there
            if name == "vocabulary":
                raise AttributeError("this n-gram model has not counted anything yet: call fit(sentences) first")
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def fit(self, sentences: Iterable[Sentence], vocabulary: Vocabulary | None = None) -> Self:
        """Count. Without a vocabulary, that of the sentences.

        Raises:
            ValueError: if there are no sentences.
        """
        sentences = [as_words(words) for words in sentences]
        self.vocabulary = Vocabulary(sentences) if vocabulary is None else as_vocabulary(vocabulary)
        tokens = windows(sentences, self.vocabulary, self.context)
        if not tokens:
            raise ValueError("there are no sentences to count words in")
        self.counts = {context: Counter() for context, _ in tokens}
        for context, token in tokens:
            self.counts[context][token] += 1
        return self

    def distributions(self, contexts: Sequence[Context]) -> list[Sequence[float]]:
        size = len(self.vocabulary)
        result: list[Sequence[float]] = []
        for context in contexts:
            counted = self.counts.get(context, Counter())
            total = counted.total() + self.k * size
            if total == 0.0:
                words = " ".join(self.vocabulary.words[i] for i in context)
                raise ValueError(
                    f"the context {words!r} was never seen, so with k=0 every word's probability is 0/0; take k above 0"
                )
            ps = [self.k / total] * size
            for token, count in counted.items():
                ps[token] = (count + self.k) / total
            result.append(ps)
        return result

    def perplexity(self, sentences: Iterable[Sentence]) -> float:
        """As for any model; infinite with k=0 if some run of n words was never counted.

        A context that was never seen has no probabilities then, but the word that led to it has probability 0 already.
        """
        sentences = [as_words(words) for words in sentences]
        if self.k == 0.0:
            tokens = windows(sentences, self.vocabulary, self.context)
            if any(token not in self.counts.get(context, ()) for context, token in tokens):
                return math.inf
        return super().perplexity(sentences)

    def __repr__(self) -> str:
        return f"NGramModel(n={self.n}, k={self.k:g})"


# Spread evenly by ratio: perplexity changes slowly with k.
KS = tuple(10.0 ** (e / 4) for e in range(-16, 5))


def best_k(
    n: int,
    train: Iterable[Sentence],
    validation: Iterable[Sentence],
    vocabulary: Vocabulary | None = None,
    ks: Iterable[float] = KS,
) -> NGramModel:
    """The add-k model with the lowest perplexity on sentences that it was not counted on.

    Args:
        ks: the values to try; 10⁻⁴ to 10, if not given.

    Raises:
        ValueError: if there is no k to try.
    """
    validation = [as_words(words) for words in validation]
    model = NGramModel(n).fit(train, vocabulary)
    found = []
    for k in ks:
        model.k = NGramModel(n, k).k
        found.append((model.perplexity(validation), model.k))
    if not found:
        raise ValueError("give at least one k to try")
    model.k = min(found)[1]
    return model


class NeuralLanguageModel(WordVectors, LanguageModel):
    """P(w | c) by a network (Bengio et al., 2003): z = W tanh(H [v₁; …; v_m] + b) + d and softmax(z)_w.

    The vectors v of the m words before, out of one shared `Embedding`, are put one behind another. What is learned
    about one word holds for those with similar vectors too, also in contexts that were never seen; an n-gram cannot do
    that. Words are near here if they are followed by the same words; a `SkipGram` also looks at what stands before.

    Args:
        vocabulary: the words.
        context: how many words m are looked back on; 2 sees what a trigram sees.
        dimension: of a word's vector.
        hidden: how many tanh units.
        seed: an int for the same network every time, or a ``random.Random``.

    Called with m words' numbers, or their one-hot vectors one behind another (the form for `fit`), it gives the
    logits z.

    Raises:
        ValueError: when called with another number of inputs; when asked for probabilities that are not finite.
        TypeError: for anything but a `Vocabulary`; when called with anything but a list.
    """

    _lists_parts = True

    def __init__(
        self,
        vocabulary: Vocabulary,
        context: int = 2,
        dimension: int = 16,
        hidden: int = 32,
        seed: int | random.Random | None = None,
    ) -> None:
        rng = initialisers.generator(seed)
        self.vocabulary = as_vocabulary(vocabulary)
        self.context = whole("the number of words of context", context)
        self.embedding = Embedding(len(vocabulary), dimension, "normal", rng)
        self.hidden = Layer(self.context * dimension, hidden, "tanh", seed=rng)
        self.output = Layer(hidden, len(vocabulary), "linear", seed=rng)

    def forward(self, x: Sequence[Any]) -> list[Value]:
        size, m = len(self.vocabulary), self.context
        if isinstance(x, (str, set, frozenset, dict)) or not hasattr(x, "__len__"):
            raise TypeError(f"this model takes a list of {m} words' numbers, but got {type(x).__name__}: {x!r:.60}")
        if len(x) == m:
            parts = list(x)
        elif len(x) == m * size:
            parts = [x[i * size : (i + 1) * size] for i in range(m)]
        else:
            raise ValueError(
                f"this model takes {m} words' numbers, or their one-hot vectors, {m} × {size} = {m * size} numbers, "
                f"but got {len(x)}"
            )
        vectors = [v for part in parts for v in self.embedding(part)]
        return self.output(self.hidden(vectors))

    def examples(self, sentences: Iterable[Sentence]) -> tuple[Array, list[int]]:
        """(X, y) for `fit`: for each token its context's one-hot vectors, an array, and its number.

        Raises:
            ValueError: if there are no sentences.
        """
        tokens = windows(sentences, self.vocabulary, self.context)
        if not tokens:
            raise ValueError("there are no sentences to learn from")
        return self._one_hot([context for context, _ in tokens]), [token for _, token in tokens]

    def distributions(self, contexts: Sequence[Context]) -> list[Sequence[float]]:
        if not contexts:
            return []
        if len(contexts) == 1:  # looking rows up is quicker than multiplying, if nothing is compiled
            logits = [[z.data for z in self(list(contexts[0]))]]
        else:
            logits = predict(self, self._one_hot(contexts))
        result: list[Sequence[float]] = [functions.softmax(z) for z in logits]
        if not all(math.isfinite(p) for ps in result for p in ps):
            raise ValueError("this model's probabilities are nan: training went astray; lower its learning rate")
        return result

    def _one_hot(self, contexts: Sequence[Context]) -> Array:
        needs_numpy("NeuralLanguageModel")
        import numpy

        rows: Array = numpy.eye(len(self.vocabulary))[numpy.array(contexts)]
        return rows.reshape(len(contexts), -1)

    def describe(self) -> str:
        m, size = self.context, len(self.vocabulary)
        dimension, hidden = len(self.embedding.rows[0]), len(self.hidden.neurons)
        return f"NeuralLanguageModel({m} × {dimension} → {hidden} → {size})"
