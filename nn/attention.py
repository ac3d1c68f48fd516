"""Attention: each position of a sequence asks all the earlier ones, and mixes what they answer.

With x₁, …, x_T the vectors of a sequence, each head makes of every xₜ a query qₜ, a key kₜ and a value vₜ:

    SelfAttention       aₜₛ = softmaxₛ(qₜ·kₛ / √d),  oₜ = Σₛ aₜₛ vₛ      Vaswani et al. (2017)
    RMSNorm             yᵢ = xᵢ / √(mean(x²) + ε)                        Zhang and Sennrich (2019)
    LayerNorm           yᵢ = gᵢ (xᵢ - mean(x)) / √(var(x) + ε) + bᵢ      Ba, Kiros and Hinton (2016)
    TransformerBlock    x + attention(norm(x)), then x + mlp(norm(x))    the order of GPT-2: Radford et al. (2019)
    GPT                 embeddings, blocks, a norm, logits               Radford et al. (2018, 2019)

All of it is made of scalars, as everything here: each weighted sum is one `dot` node, so that a head can be drawn, and
stepped through. Nodes are filed by block, by head and by position, and a drawing frames them so.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from autograd import Value
from autograd.functions import dot, softmax
from autograd.modes import no_grad, scope

from . import activations
from .activations import Function
from .checks import deviation, index, not_negative, one_of, positive, whole
from .embedding import Embedding
from .init import generator
from .layers import as_inputs
from .losses import cross_entropy
from .module import Module, christen

Vector = list[Any]  # of Values, or of numbers


class RMSNorm(Module):
    """yᵢ = gᵢ xᵢ / √((x₁² + … + xₙ²)/n + ε): a vector brought to a root mean square of 1 (Zhang and Sennrich, 2019).

    Args:
        size: n, the length of the vectors.
        eps: ε, which keeps the vector 0 from a division by 0.
        learned: whether there are factors gᵢ, parameters that start at 1; without them all gᵢ are 1.

    Raises:
        ValueError: when called with a vector of another length.
    """

    _own_name = "norm"

    def __init__(self, size: int, *, eps: float = 1e-5, learned: bool = True) -> None:
        positive("eps", eps)
        self.size, self.eps = whole("the size of a norm", size), float(eps)
        self.gain = [Value(1.0, f"g{i}") for i in range(self.size)] if learned else []
        christen(self, self._own_name)

    def forward(self, x: Sequence[Any]) -> Vector:
        """y, as long as x."""
        return self.scaled(list(as_inputs(x, self.size, "this norm")))

    def scaled(self, xs: Vector) -> Vector:
        """xs, which may have been shifted, over its root mean square, times the learned factors."""
        scale = (dot(xs, xs) / self.size + self.eps) ** -0.5
        ys = [x * scale for x in xs]
        return [g * y for g, y in zip(self.gain, ys, strict=True)] if self.gain else ys

    def describe(self) -> str:
        return f"{type(self).__name__}({self.size})"


class LayerNorm(RMSNorm):
    """yᵢ = gᵢ (xᵢ - μ)/√(σ² + ε) + bᵢ with x's mean μ and variance σ² (over n): Ba, Kiros and Hinton (2016).

    Args:
        size: n, the length of the vectors.
        eps: ε, which keeps a vector of equal numbers from a division by 0.
        learned: whether there are gᵢ, which start at 1, and bᵢ, which start at 0.

    Raises:
        ValueError: when called with a vector of another length.
    """

    def __init__(self, size: int, *, eps: float = 1e-5, learned: bool = True) -> None:
        super().__init__(size, eps=eps, learned=learned)
        self.bias = [Value(0.0, f"b{i}") for i in range(self.size)] if learned else []

    def forward(self, x: Sequence[Any]) -> Vector:
        """y, as long as x."""
        xs = list(as_inputs(x, self.size, "this norm"))
        mean = dot(xs, [1.0 / self.size] * self.size)
        ys = self.scaled([x - mean for x in xs])
        return [y + b for y, b in zip(ys, self.bias, strict=True)] if self.bias else ys


NORMS: dict[str, type[RMSNorm]] = {"rms": RMSNorm, "layer": LayerNorm}


class Projection(Module):
    """y = Wx: a linear layer without a bias, whose weighted sums are one `dot` each.

    Args:
        nin: the length of x.
        nout: the length of y.
        std: the weights start from N(0, std²); None stands for 1/√nin.
        seed: an int for the same weights every time, or a ``random.Random``.

    Attributes:
        rows (list[list[Value]]): W, a row for each output.

    Raises:
        ValueError: when called with a vector of another length.
    """

    _own_name = "projection"

    def __init__(
        self, nin: int, nout: int, *, std: float | None = None, seed: int | random.Random | None = None
    ) -> None:
        self._nin, nout = whole("the number of inputs of a projection", nin), whole("its number of outputs", nout)
        std = self._nin**-0.5 if std is None else std
        deviation("std", std)
        rng = generator(seed)
        self.rows = [[Value(rng.gauss(0.0, std), f"w{i},{j}") for j in range(self._nin)] for i in range(nout)]
        christen(self, self._own_name)

    def forward(self, x: Sequence[Any]) -> Vector:
        """Wx, a list of nout Values."""
        xs = list(as_inputs(x, self._nin, "this projection"))
        return [dot(row, xs) for row in self.rows]

    def describe(self) -> str:
        return f"Projection({self._nin} → {len(self.rows)})"


class SelfAttention(Module):
    """Every position's query against every position's key, and the mean of the values by how well they match.

    oₜ = Σₛ aₜₛ vₛ with aₜₛ = softmax over s of qₜ·kₛ/√d, in each head for its own d entries of q = Wq x, k = Wk x and
    v = Wv x; what the heads give is put side by side, and mixed by Wo (Vaswani et al., 2017; no biases, no dropout).

    Args:
        size: the length of the vectors.
        heads: how many; they share the vectors' entries, so each has d = size/heads.
        causal: whether a position sees only itself and what comes before, as a language model must.
        seed: an int for the same weights every time, or a ``random.Random``.

    Called with a sequence, a list of T vectors; returns T vectors. T may be any number from 1 up.

    Raises:
        ValueError: if heads do not divide size; when called with no vector, or with one of another length.
    """

    _own_name = "attention"

    def __init__(
        self,
        size: int,
        heads: int = 1,
        *,
        causal: bool = True,
        std: float | None = None,
        seed: int | random.Random | None = None,
    ) -> None:
        self.size, self.heads = whole("the size of an attention", size), whole("the number of heads", heads)
        if self.size % self.heads:
            raise ValueError(f"heads share the entries of a vector evenly, but {self.heads} heads cannot share {size}")
        self.causal, rng = bool(causal), generator(seed)
        self.query, self.key, self.value, self.out = (
            Projection(self.size, self.size, std=std, seed=rng) for _ in range(4)
        )

    def forward(self, xs: Sequence[Any]) -> list[Vector]:
        """The T vectors that come out for T vectors."""
        return self._attend(xs)[0]

    def attention_weights(self, xs: Sequence[Any]) -> list[list[list[float]]]:
        """How much each position looks at each other one: aₜₛ as [head][t][s], with 0 for what it cannot see."""
        with no_grad():
            found, count = self._attend(xs)[1], len(xs)
        return [[[*map(_number, row), *[0.0] * (count - len(row))] for row in head] for head in found]

    def _attend(self, xs: Sequence[Any]) -> tuple[list[Vector], list[list[Vector]]]:
        """What comes out, and each head's aₜₛ for the s that t sees."""
        if len(xs) == 0:
            raise ValueError("attention is between the vectors of a sequence, but got none")
        queries, keys, values = ([part(x) for x in xs] for part in (self.query, self.key, self.value))
        d = self.size // self.heads
        found: list[list[Vector]] = []
        mixed: list[Vector] = [[] for _ in xs]
        for h in range(self.heads):
            mine = slice(h * d, (h + 1) * d)
            with scope(f"head.{h}"):
                rows = []
                for t, q in enumerate(queries):
                    seen = t + 1 if self.causal else len(keys)
                    rows.append(softmax([dot(q[mine], k[mine]) / d**0.5 for k in keys[:seen]]))
                    mixed[t] += [dot(rows[t], column) for column in zip(*[v[mine] for v in values[:seen]], strict=True)]
            found.append(rows)
        return [self.out(x) for x in mixed], found

    def describe(self) -> str:
        return f"SelfAttention({self.size}, {self.heads} head{'s' * (self.heads > 1)})"


class TransformerBlock(Module):
    """x ← x + attention(norm(x)), then x ← x + W₂ φ(W₁ norm(x)) at each position.

    Norms come first, as in GPT-2: what is passed on from block to block is only ever added to, so a gradient has a path
    without a factor through all of them.

    Args:
        size: the length of the vectors.
        heads: of the attention.
        hidden: how many units φ is applied to; None stands for 4·size.
        norm: "rms" or "layer"; learned says whether they have parameters.
        activation: φ, by name or as a function of one Value.
        causal: see `SelfAttention`.
        std: the weights start from N(0, std²); None stands for 1/√nin of each matrix.
        seed: an int for the same weights every time, or a ``random.Random``.

    Raises:
        ValueError: for an unknown norm or activation; if heads do not divide size; for vectors of another length.
    """

    _own_name = "block"

    def __init__(
        self,
        size: int,
        heads: int = 1,
        *,
        hidden: int | None = None,
        norm: str = "rms",
        learned: bool = False,
        activation: str | Function = "relu",
        causal: bool = True,
        std: float | None = None,
        seed: int | random.Random | None = None,
    ) -> None:
        one_of("a norm", norm, NORMS)
        hidden, rng = 4 * size if hidden is None else whole("hidden", hidden), generator(seed)
        self._activation_name, self._activate = activations.find(activation, whole_layer=False)
        self.attention = SelfAttention(size, heads, causal=causal, std=std, seed=rng)
        self.attention_norm, self.mlp_norm = NORMS[norm](size, learned=learned), NORMS[norm](size, learned=learned)
        self.wide = Projection(size, hidden, std=std, seed=rng)
        self.narrow = Projection(hidden, size, std=std, seed=rng)

    def forward(self, xs: Sequence[Any]) -> list[Vector]:
        """T vectors from T vectors."""
        mixed = self.attention([self.attention_norm(x) for x in xs])
        xs = [[a + b for a, b in zip(x, y, strict=True)] for x, y in zip(xs, mixed, strict=True)]
        return [[a + b for a, b in zip(x, self._mlp(x), strict=True)] for x in xs]

    def _mlp(self, x: Vector) -> Vector:
        hidden = [self._activate(z) for z in self.wide(self.mlp_norm(x))]
        return self.narrow(hidden)

    def describe(self) -> str:
        return f"TransformerBlock({self.attention.size}, {self._activation_name})"


class GPT(Module):
    """A language model: for each position of a text, how likely each token comes next (Radford et al., 2018, 2019).

    Token and position embeddings are added and normed, go through the blocks and a last norm, and a matrix makes logits
    of what comes out. With the sizes that are given by default and 27 tokens it has 4,192 parameters.

    Args:
        tokens: how many different tokens there are.
        context: how many positions a text may have.
        size: the length of the vectors.
        heads: of each attention.
        blocks: how many.
        hidden, norm, learned, activation: of each block (`TransformerBlock`); the last norm is like theirs.
        std: all weights start from N(0, std²).
        seed: an int for the same weights every time, or a ``random.Random``.

    Called with a text, a list of up to ``context`` tokens; returns a list of logits for each of its positions. A token
    is its number, or one-hot, a list of as many numbers as there are tokens: in that form the compiler can take it.

    Raises:
        ValueError: when called with no token, with too many, or with one that is not 0…tokens-1.

    >>> len(GPT(27, 16).parameters())
    4192
    """

    def __init__(
        self,
        tokens: int,
        context: int,
        size: int = 16,
        heads: int = 4,
        blocks: int = 1,
        *,
        hidden: int | None = None,
        norm: str = "rms",
        learned: bool = False,
        activation: str | Function = "relu",
        std: float = 0.08,
        seed: int | random.Random | None = None,
    ) -> None:
        self.context, rng = whole("the context", context), generator(seed)
        deviation("std", std)

        def start(rng: random.Random, fan_in: int, fan_out: int) -> float:
            return rng.gauss(0.0, std)

        self.token, self.position = Embedding(tokens, size, start, rng), Embedding(context, size, start, rng)
        self.blocks = [
            TransformerBlock(
                size, heads, hidden=hidden, norm=norm, learned=learned, activation=activation, std=std, seed=rng
            )
            for _ in range(whole("the number of blocks", blocks))
        ]
        self.first_norm, self.last_norm = (NORMS[norm](size, learned=learned) for _ in range(2))
        self.logits = Projection(size, tokens, std=std, seed=rng)

    def forward(self, text: Sequence[Any]) -> list[Vector]:
        """The logits of what follows each position: T lists, each with one for every token."""
        if not 1 <= len(text) <= self.context:
            raise ValueError(f"a text has 1 to {self.context} tokens here, the context, but got {len(text)}")
        with scope("embedding"):
            sums = [[a + b for a, b in zip(self.token(x), self.position(t), strict=True)] for t, x in enumerate(text)]
        xs = [self.first_norm(x) for x in sums]
        for block in self.blocks:
            xs = block(xs)
        return [self.logits(self.last_norm(x)) for x in xs]

    def loss(self, text: Sequence[Any], following: Sequence[Any]) -> Value:
        """The mean cross-entropy over the positions: ``following[t]`` is the token that comes after ``text[t]``."""
        if len(text) != len(following):
            raise ValueError(f"each token has one that follows, but got {len(text)} tokens and {len(following)}")
        losses = [cross_entropy(logits, y) for logits, y in zip(self(text), following, strict=True)]
        mean: Value = dot(losses, [1.0 / len(losses)] * len(losses))
        return mean

    def sample(
        self,
        start: Sequence[int],
        length: int,
        *,
        temperature: float = 1.0,
        end: int | None = None,
        seed: int | random.Random | None = None,
    ) -> list[int]:
        """``start``, and up to ``length`` more tokens, each drawn from softmax(logits/temperature).

        Args:
            start: the first tokens, at least one. Only the last ``context`` of them are looked at.
            length: how many tokens are added.
            temperature: below 1 likely tokens become likelier, above 1 they come closer to each other; with 0 the
                likeliest is taken each time.
            end: a token at which to stop; it is the last that is returned.
            seed: an int for the same text every time, or a ``random.Random``.
        """
        not_negative("temperature", temperature)
        rng, count = generator(seed), len(self.token.rows)
        text = [index("a token", x, count) for x in start]
        for _ in range(whole("the length", length, least=0)):
            with no_grad():
                logits = [_number(z) for z in self(text[-self.context :])[-1]]
                best = max(logits)
                odds = softmax([(z - best) / temperature for z in logits]) if temperature else []
            text.append(rng.choices(range(count), odds)[0] if temperature else logits.index(best))
            if text[-1] == end:
                break
        return text

    def describe(self) -> str:
        return f"GPT({len(self.token.rows)} tokens, context {self.context})"


def _number(x: Any) -> float:
    return float(x.data) if isinstance(x, Value) else float(x)


__all__ = ["GPT", "LayerNorm", "Projection", "RMSNorm", "SelfAttention", "TransformerBlock"]
