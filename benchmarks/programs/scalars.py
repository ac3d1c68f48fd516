"""Scalar programs in which something is repeated: time steps, positions, heads, blocks, windows.

Each is what one writes with Values and loops, and nothing in it says that there is a vector. `CASES` has them all,
small enough to be compared with `Value.backward` sample by sample; the sizes that `benchmarks/compile.py` measures are
arguments.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from autograd import Value, dot, exp, grad, log, logsumexp, maximum, relu, sin, softmax, where

Vector = list[Any]
Matrix = list[list[Value]]


class Case(NamedTuple):
    """A loss of one sample, an example of what it is called with, and its parameters."""

    loss: Callable[..., Any]
    example: list[Any]
    parameters: list[Value]


@dataclass
class Weights:
    """Random parameters, and a list of all of them."""

    seed: int = 0
    values: list[Value] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def vector(self, n: int, scale: float = 0.3) -> list[Value]:
        made = [Value(self.random.gauss(0.0, scale)) for _ in range(n)]
        self.values += made
        return made

    def matrix(self, rows: int, columns: int, scale: float | None = None) -> Matrix:
        return [self.vector(columns, columns**-0.5 if scale is None else scale) for _ in range(rows)]


def linear(w: Sequence[Any], x: Vector) -> Vector:
    return [sum(wi * xi for wi, xi in zip(row, x, strict=True)) for row in w]


def affine(w: Sequence[Any], b: Vector, x: Vector) -> Vector:
    return [z + bi for z, bi in zip(linear(w, x), b, strict=True)]


def cross_entropy(z: Vector, y: Vector) -> Any:
    """Of logits, for a one-hot y."""
    return logsumexp(z) - sum(yi * zi for yi, zi in zip(y, z, strict=True))


def squared_error(a: Vector, b: Vector) -> Any:
    return sum((u - v) ** 2 for u, v in zip(a, b, strict=True))


def rising(*shape: int) -> Any:
    """An example: nested lists of different numbers."""
    counter = iter(range(1, 1_000_000))

    def build(rest: tuple[int, ...]) -> Any:
        return [build(rest[1:]) for _ in range(rest[0])] if rest else 0.1 + 0.01 * (next(counter) * 7 % 31)

    return build(shape)


# --------------------------------------------------------------------------------------------------------------------
# A small GPT


class Block(NamedTuple):
    query: Matrix
    key: Matrix
    value: Matrix
    out: Matrix
    wide: Matrix
    narrow: Matrix


@dataclass
class GPT:
    """A language model of scalars: 4,192 parameters for 27 tokens, 16 positions, embedding 16 and one block."""

    length: int = 16
    heads: int = 4
    blocks: int = 1
    size: int = 16
    tokens: int = 27
    seed: int = 0

    def __post_init__(self) -> None:
        w, e = Weights(self.seed), self.size
        self.token, self.position = w.matrix(self.tokens, e, 0.08), w.matrix(self.length, e, 0.08)
        self.layers = [
            Block(*[w.matrix(e, e, 0.08) for _ in range(4)], w.matrix(4 * e, e, 0.08), w.matrix(e, 4 * e, 0.08))
            for _ in range(self.blocks)
        ]
        self.logits = w.matrix(self.tokens, e, 0.08)
        self.parameters = w.values

    def block(self, layer: Block, xs: list[Vector]) -> list[Vector]:
        """x + attention(norm(x)), then x + mlp(norm(x))."""
        normed = [rms_norm(x) for x in xs]
        queries, keys, values = ([linear(w, x) for x in normed] for w in (layer.query, layer.key, layer.value))
        d = self.size // self.heads
        mixed: list[Vector] = [[] for _ in xs]
        for h in range(self.heads):
            mine = range(h * d, (h + 1) * d)
            for t, q in enumerate(queries):
                seen = range(t + 1)
                scores = [sum(q[j] * keys[s][j] for j in mine) / d**0.5 for s in seen]
                shares = softmax(scores)
                mixed[t] += [sum(shares[s] * values[s][j] for s in seen) for j in mine]
        xs = [[a + b for a, b in zip(x, linear(layer.out, m), strict=True)] for x, m in zip(xs, mixed, strict=True)]
        hidden = [[relu(z) for z in linear(layer.wide, rms_norm(x))] for x in xs]
        return [
            [a + b for a, b in zip(x, linear(layer.narrow, h), strict=True)] for x, h in zip(xs, hidden, strict=True)
        ]

    def __call__(self, vectors: list[Vector]) -> list[Vector]:
        """The logits after each position, of the tokens' vectors."""
        xs = [
            rms_norm([a + b for a, b in zip(x, p, strict=True)]) for x, p in zip(vectors, self.position, strict=False)
        ]
        for layer in self.layers:
            xs = self.block(layer, xs)
        return [linear(self.logits, x) for x in xs]

    def loss(self, text: list[Vector], following: list[Vector]) -> Any:
        """The mean cross-entropy, of tokens that are one-hot lists."""
        columns = list(zip(*self.token, strict=True))
        zs = self([linear(columns, x) for x in text])
        return sum(cross_entropy(z, y) for z, y in zip(zs, following, strict=True)) / len(zs)

    def loss_of_indices(self, text: Sequence[int], following: Sequence[int]) -> Any:
        """The same, of tokens that are numbers."""
        zs = self([self.token[x] for x in text])
        return sum(logsumexp(z) - z[y] for z, y in zip(zs, following, strict=True)) / len(zs)

    def case(self) -> Case:
        example = [[one_hot(self.tokens, (5 * t + k) % self.tokens) for t in range(self.length)] for k in (0, 5)]
        return Case(self.loss, example, self.parameters)


def one_hot(n: int, k: int) -> list[float]:
    return [float(i == k) for i in range(n)]


def rms_norm(x: Vector) -> Vector:
    scale = (sum(v * v for v in x) / len(x) + 1e-5) ** -0.5
    return [v * scale for v in x]


def gpt(length: int = 3, heads: int = 2, blocks: int = 1, size: int = 4, tokens: int = 5) -> Case:
    return GPT(length, heads, blocks, size, tokens).case()


# --------------------------------------------------------------------------------------------------------------------
# Recurrence


class Recurrent(NamedTuple):
    """Weights of a recurrent layer: a matrix for inputs, one for the state, biases; then a line of output."""

    inputs: Matrix
    state: Matrix
    bias: Vector
    out: Matrix
    out_bias: Vector


def recurrent_weights(w: Weights, gates: int, inputs: int, hidden: int, outputs: int = 1) -> Recurrent:
    return Recurrent(
        w.matrix(gates * hidden, inputs),
        w.matrix(gates * hidden, hidden),
        w.vector(gates * hidden),
        w.matrix(outputs, hidden),
        w.vector(outputs),
    )


def rnn_step(w: Recurrent, x: Vector, h: Vector) -> Vector:
    ws = zip(linear(w.inputs, x), linear(w.state, h), w.bias, strict=True)
    return [(a + b + c).tanh() for a, b, c in ws]


def lstm_step(w: Recurrent, x: Vector, h: Vector, c: Vector) -> tuple[Vector, Vector]:
    z = [a + b + bias for a, b, bias in zip(linear(w.inputs, x), linear(w.state, h), w.bias, strict=True)]
    n = len(h)
    i, f, g, o = (z[k * n : (k + 1) * n] for k in range(4))
    c = [fk.sigmoid() * ck + ik.sigmoid() * gk.tanh() for ik, fk, gk, ck in zip(i, f, g, c, strict=True)]
    return [ok.sigmoid() * ck.tanh() for ok, ck in zip(o, c, strict=True)], c


def gru_step(w: Recurrent, x: Vector, h: Vector) -> Vector:
    n = len(h)
    zx, zh = affine(w.inputs, w.bias, x), linear(w.state, h)
    r = [(a + b).sigmoid() for a, b in zip(zx[:n], zh[:n], strict=True)]
    u = [(a + b).sigmoid() for a, b in zip(zx[n : 2 * n], zh[n : 2 * n], strict=True)]
    m = [(a + rk * b).tanh() for a, b, rk in zip(zx[2 * n :], zh[2 * n :], r, strict=True)]
    return [(1.0 - uk) * mk + uk * hk for uk, mk, hk in zip(u, m, h, strict=True)]


def zeros(n: int) -> Vector:
    return [Value(0.0) for _ in range(n)]


def rnn(steps: int = 5, inputs: int = 2, hidden: int = 3) -> Case:
    """The mean over the steps of the squared error of what each state says."""
    w = Weights()
    layer = recurrent_weights(w, 1, inputs, hidden)

    def loss(xs: Any, ys: Any) -> Any:
        h, total = zeros(hidden), 0.0
        for x, y in zip(xs, ys, strict=True):
            h = rnn_step(layer, x, h)
            total = total + (affine(layer.out, layer.out_bias, h)[0] - y) ** 2
        return total / len(xs)

    return Case(loss, [rising(steps, inputs), rising(steps)], w.values)


def lstm(steps: int = 4, inputs: int = 2, hidden: int = 3) -> Case:
    """The same with a state that forgets (Hochreiter and Schmidhuber, 1997)."""
    w = Weights()
    layer = recurrent_weights(w, 4, inputs, hidden)

    def loss(xs: Any, ys: Any) -> Any:
        h, c, total = zeros(hidden), zeros(hidden), 0.0
        for x, y in zip(xs, ys, strict=True):
            h, c = lstm_step(layer, x, h, c)
            total = total + (affine(layer.out, layer.out_bias, h)[0] - y) ** 2
        return total / len(xs)

    return Case(loss, [rising(steps, inputs), rising(steps)], w.values)


def gru(steps: int = 4, inputs: int = 2, hidden: int = 3) -> Case:
    """The last state's answer (Cho et al., 2014)."""
    w = Weights()
    layer = recurrent_weights(w, 3, inputs, hidden)

    def loss(xs: Any, y: Any) -> Any:
        h = zeros(hidden)
        for x in xs:
            h = gru_step(layer, x, h)
        return (affine(layer.out, layer.out_bias, h)[0] - y) ** 2

    return Case(loss, [rising(steps, inputs), 0.3], w.values)


def two_layer_rnn(steps: int = 5, inputs: int = 2, hidden: int = 3) -> Case:
    w = Weights()
    first = recurrent_weights(w, 1, inputs, hidden)
    second = recurrent_weights(w, 1, hidden, hidden)

    def loss(xs: Any, ys: Any) -> Any:
        low, high, total = zeros(hidden), zeros(hidden), 0.0
        for x, y in zip(xs, ys, strict=True):
            low = rnn_step(first, x, low)
            high = rnn_step(second, low, high)
            total = total + (affine(second.out, second.out_bias, high)[0] - y) ** 2
        return total

    case = [p for p in w.values if p not in first.out[0] and p not in first.out_bias]
    return Case(loss, [rising(steps, inputs), rising(steps)], case)


def attention_over_rnn(steps: int = 4, inputs: int = 2, hidden: int = 3) -> Case:
    """The last state asks all the states (Bahdanau, Cho and Bengio, 2015)."""
    w = Weights()
    layer = recurrent_weights(w, 1, inputs, hidden)
    a, b, v = w.matrix(hidden, hidden), w.matrix(hidden, hidden), w.vector(hidden)

    def loss(xs: Any, y: Any) -> Any:
        h, states = zeros(hidden), []
        for x in xs:
            h = rnn_step(layer, x, h)
            states.append(h)
        asked = linear(a, h)
        scores = [sum(vk * (p + q).tanh() for vk, p, q in zip(v, asked, linear(b, s), strict=True)) for s in states]
        shares = softmax(scores)
        mixed = [sum(share * s[k] for share, s in zip(shares, states, strict=True)) for k in range(hidden)]
        return (affine(layer.out, layer.out_bias, mixed)[0] - y) ** 2

    return Case(loss, [rising(steps, inputs), 0.3], w.values)


def slope_in_a_recurrence(steps: int = 3) -> Case:
    """States that move against the slope of an energy, which is asked for inside: second derivatives in a loop."""
    w = Weights()
    m, b = w.matrix(2, 2), w.vector(2)

    def energy(h: Any) -> Any:
        return sum(z.softplus() for z in affine(m, b, h))

    def loss(x: Any, y: Any) -> Any:
        h: Vector = [x[0] * 1.0, x[1] * 1.0]
        for _ in range(steps):
            h = [v - 0.1 * d for v, d in zip(h, grad(energy)(h), strict=True)]
        return squared_error(h, y)

    return Case(loss, [[0.3, -0.2], [0.1, 0.4]], w.values)


# --------------------------------------------------------------------------------------------------------------------
# Layers, windows, rows of different lengths


def resnet(blocks: int = 4, size: int = 3) -> Case:
    w = Weights()
    layers = [(w.matrix(size, size), w.vector(size), w.matrix(size, size), w.vector(size)) for _ in range(blocks)]
    out, bias = w.matrix(2, size), w.vector(2)

    def loss(x: Any, y: Any) -> Any:
        for a, b, c, d in layers:
            inner = affine(c, d, [relu(z) for z in affine(a, b, x)])
            x = [u + v for u, v in zip(x, inner, strict=True)]
        return cross_entropy(affine(out, bias, x), y)

    return Case(loss, [rising(size), [0.0, 1.0]], w.values)


def tied_layers(depth: int = 4, size: int = 3) -> Case:
    """One matrix in every layer, and its transpose on the way out."""
    w = Weights()
    m, b, c = w.matrix(size, size), w.vector(size), w.vector(size)

    def loss(x: Any) -> Any:
        h = x
        for _ in range(depth):
            h = [z.tanh() for z in affine(m, b, h)]
        back = affine([[m[j][i] for j in range(size)] for i in range(size)], c, h)
        return squared_error(back, x)

    return Case(loss, [rising(size)], w.values)


def padded_convolution(size: int = 4, maps: int = 2) -> Case:
    w = Weights()
    filters = [(w.matrix(3, 3), w.vector(1)[0]) for _ in range(maps)]
    out = w.matrix(2, maps * size * size)

    def loss(x: Any, y: Any) -> Any:
        wide = [[0.0] * (size + 2), *[[0.0, *row, 0.0] for row in x], [0.0] * (size + 2)]
        features = [
            relu(sum(k[a][b] * wide[i + a][j + b] for a in range(3) for b in range(3)) + bias)
            for k, bias in filters
            for i in range(size)
            for j in range(size)
        ]
        return cross_entropy(linear(out, features), y)

    return Case(loss, [rising(size, size), [1.0, 0.0]], w.values)


def cut_convolution(length: int = 6) -> Case:
    """A window of three that is cut at the borders, where other people pad."""
    w = Weights()
    k, b = w.vector(3), w.vector(1)[0]

    def loss(xs: Any) -> Any:
        total: Any = 0.0
        for i in range(length):
            total = total + (sum(k[d + 1] * xs[i + d] for d in (-1, 0, 1) if 0 <= i + d < length) + b).tanh() ** 2
        return total

    return Case(loss, [rising(length)], w.values)


def moving_averages(length: int = 6, width: int = 3) -> Case:
    """One that forgets, and one over a window; their difference is weighed."""
    w = Weights()
    decay, v = w.vector(1)[0], w.vector(length)

    def loss(xs: Any) -> Any:
        share, slow, total = decay.sigmoid(), xs[0], 0.0
        for t, x in enumerate(xs):
            slow = share * slow + (1.0 - share) * x
            window = xs[max(0, t - width + 1) : t + 1]
            total = total + v[t] * (slow - sum(window) / len(window)) ** 2
        return total

    return Case(loss, [rising(length)], w.values)


def pendulum(steps: int = 6) -> Case:
    """Euler's method: two numbers, each of which moves the other, and a product of parameters in every step."""
    w = Weights()
    gravity, friction = w.vector(2)

    def loss(start: Any) -> Any:
        angle, speed = start
        for _ in range(steps):
            pull = -0.1 * gravity * sin(angle) - 0.1 * friction * speed
            angle, speed = angle + 0.1 * speed, speed + pull
        return angle**2 + speed**2

    return Case(loss, [rising(2)], w.values)


def runge_kutta(steps: int = 5, h: float = 0.1) -> Case:
    """The same by the method of Runge and Kutta: four slopes in each step, each at a place of its own."""
    w = Weights()
    gravity, friction = w.vector(2)

    def slope(angle: Any, speed: Any) -> tuple[Any, Any]:
        return speed, -exp(gravity) * sin(angle) - friction * speed

    def loss(start: Any) -> Any:
        state = tuple(start)
        for _ in range(steps):
            slopes = [slope(*state)]
            for reach in (0.5, 0.5, 1.0):
                slopes.append(slope(*[y + reach * h * k for y, k in zip(state, slopes[-1], strict=True)]))
            state = tuple(
                y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4) for y, k1, k2, k3, k4 in zip(state, *slopes, strict=True)
            )
        return state[0] ** 2 + state[1] ** 2

    return Case(loss, [rising(2)], w.values)


def of_the_two_before(steps: int = 8) -> Case:
    """A recurrence as Fibonacci's: two turns begin with what is given, and only the third is like all others."""
    w = Weights()
    a, b, first = w.vector(3)

    def loss(x: Any) -> Any:
        before, last = first, x
        for _ in range(steps):
            before, last = last, (a * last + b * before).tanh()
        return last**2

    return Case(loss, [0.7], w.values)


def kalman(steps: int = 12) -> Case:
    """A Kalman filter of one number: what it says, and how sure it is, which no measurement changes."""
    w = Weights()
    decay, noise, error = w.vector(3)

    def loss(measured: Any) -> Any:
        mean, variance, total = 0.0, 1.0, 0.0
        for z in measured:
            mean, variance = decay * mean, decay * decay * variance + exp(noise)
            spread = variance + exp(error)
            gain, surprise = variance / spread, z - mean
            mean, variance = mean + gain * surprise, (1.0 - gain) * variance
            total = total + log(spread) + surprise * surprise / spread
        return total

    return Case(loss, [rising(steps)], w.values)


def kalman_in_the_plane(steps: int = 6) -> Case:
    """The same of a state of two numbers, of which one is measured: products of small matrices."""
    w = Weights()
    move, (noise, error) = w.matrix(2, 2), w.vector(2)

    def product(a: Any, b: Any) -> Any:
        return [[sum(a[i][k] * b[k][j] for k in range(2)) for j in range(2)] for i in range(2)]

    def loss(measured: Any) -> Any:
        mean, spread, total = [0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], 0.0
        for z in measured:
            mean = linear(move, mean)
            moved = product(product(move, spread), list(zip(*move, strict=True)))
            spread = [[moved[i][j] + exp(noise) if i == j else moved[i][j] for j in range(2)] for i in range(2)]
            known, surprise = spread[0][0] + exp(error), z - mean[0]
            gain = [row[0] / known for row in spread]
            mean = [m + g * surprise for m, g in zip(mean, gain, strict=True)]
            spread = [[spread[i][j] - gain[i] * spread[0][j] for j in range(2)] for i in range(2)]
            total = total + log(known) + surprise * surprise / known
        return total

    return Case(loss, [rising(steps)], w.values)


def alignment(steps: int = 6, word: Sequence[int] = (1, 2, 1)) -> Case:
    """Connectionist temporal classification (Graves, 2006): all ways to say a word in so many steps, with pauses, 0."""
    w = Weights()
    letters, said = w.matrix(3, 2), [0, *[k for letter in word for k in (letter, 0)]]

    def loss(heard: Any) -> Any:
        ways: list[Any] = []
        for t, x in enumerate(heard):
            scores = linear(letters, x)
            likely = [score - logsumexp(scores) for score in scores]
            if t == 0:
                ways = [likely[0], likely[said[1]], *[-1e5 for _ in said[2:]]]
                continue
            reached = [[ways[0]], [ways[1], ways[0]]]
            for s in range(2, len(said)):  # pauses between two of the same letter are not left out
                reached.append(ways[s - 1 : s + 1] + ways[s - 2 : s - 1] * (said[s] not in (0, said[s - 2])))
            ways = [
                logsumexp(rows) + likely[k] if len(rows) > 1 else rows[0] + likely[k]
                for rows, k in zip(reached, said, strict=True)
            ]
        return -logsumexp(ways[-2:])

    return Case(loss, [rising(steps, 2)], w.values)


def bodies(steps: int = 5, count: int = 3) -> Case:
    """Bodies in a plane that attract each other: each is moved by all others, one after the other."""
    w = Weights()
    masses = w.vector(count)

    def loss(places: Any, speeds: Any) -> Any:
        at, speed = [list(p) for p in places], [list(v) for v in speeds]
        for _ in range(steps):
            for i in range(count):
                for j in range(count):
                    if i != j:
                        apart = [b - a for a, b in zip(at[i], at[j], strict=True)]
                        pull = exp(masses[j]) / (apart[0] ** 2 + apart[1] ** 2 + 0.1) ** 1.5
                        speed[i] = [v + 0.01 * pull * d for v, d in zip(speed[i], apart, strict=True)]
            at = [[a + 0.1 * v for a, v in zip(p, q, strict=True)] for p, q in zip(at, speed, strict=True)]
        return sum(a * a for p in at for a in p)

    return Case(loss, [rising(count, 2), rising(count, 2)], w.values)


def prefix_sums(length: int = 5) -> Case:
    """Rows of different lengths: y_t = Σ w_(t-s)·x_s over s ≤ t, each with a weight of its own. What stands at the end
    of x is in the last row alone; a program that pads must not let it into the others."""
    w = Weights()
    kernel, v = w.vector(length), w.vector(length)

    def loss(xs: Any) -> Any:
        rows = [sum(kernel[t - s] * xs[s] for s in range(t + 1)) for t in range(length)]
        return sum(a * y.tanh() for a, y in zip(v, rows, strict=True))

    return Case(loss, [rising(length)], w.values)


def causal_attention(length: int = 4, size: int = 2) -> Case:
    """Each position has output weights of its own, so that gradients of the early ones know nothing of the late."""
    w = Weights()
    q, k, v = (w.matrix(size, size) for _ in range(3))
    out = w.matrix(length, size)

    def loss(xs: Any) -> Any:
        queries, keys, values = ([linear(m, x) for x in xs] for m in (q, k, v))
        total: Any = 0.0
        for t in range(length):
            shares = softmax([sum(a * b for a, b in zip(queries[t], keys[s], strict=True)) for s in range(t + 1)])
            mixed = [sum(shares[s] * values[s][j] for s in range(t + 1)) for j in range(size)]
            total = total + sum(a * b for a, b in zip(out[t], mixed, strict=True))
        return total

    return Case(loss, [rising(length, size)], w.values)


def ragged_maxima(length: int = 5) -> Case:
    """The largest and a soft maximum of all that came so far."""
    w = Weights()
    a, v = w.vector(length), w.vector(length)

    def loss(xs: Any) -> Any:
        ys = [ai * x for ai, x in zip(a, xs, strict=True)]
        total: Any = 0.0
        for t in range(length):
            seen = ys[: t + 1]
            total = total + v[t] * (maximum(*seen) if t else seen[0]) + logsumexp(seen)
        return total

    return Case(loss, [rising(length)], w.values)


def ties(steps: int = 4) -> Case:
    """The same number in a maximum again and again, and corners that are hit."""
    w = Weights()
    a = w.vector(2)

    def loss(xs: Any) -> Any:
        best: Any = a[0] * xs[0]
        total: Any = 0.0
        for x in xs:
            best = maximum(best, a[0] * x, best)
            total = total + best + relu(a[1] * x - a[1] * x) + abs(x * a[0] - a[0] * x)
        return total

    return Case(loss, [[0.5] * steps], w.values)


def repeated_operands(steps: int = 4) -> Case:
    w = Weights()
    a, b = w.vector(2)

    def loss(xs: Any) -> Any:
        h: Any = xs[0]
        for x in xs:
            h = (a * h * h + b * x + h + h).tanh() + logsumexp(h, h, x) * 0.1 + h / (h * h + 1.0)
        return h * h + h

    return Case(loss, [rising(steps)], w.values)


def nested_loops(rows: int = 3, columns: int = 4, hidden: int = 2) -> Case:
    """A recurrence over rows of what a recurrence over columns says."""
    w = Weights()
    inner = recurrent_weights(w, 1, 1, hidden)
    outer = recurrent_weights(w, 1, hidden, hidden)

    def loss(image: Any, y: Any) -> Any:
        high = zeros(hidden)
        for row in image:
            low = zeros(hidden)
            for x in row:
                low = rnn_step(inner, [x], low)
            high = rnn_step(outer, low, high)
        return (affine(outer.out, outer.out_bias, high)[0] - y) ** 2

    unused = {*inner.out[0], *inner.out_bias}
    return Case(loss, [rising(rows, columns), 0.3], [p for p in w.values if p not in unused])


def chosen_in_a_loop(steps: int = 5) -> Case:
    """`where` in a recurrence: a state that is clipped, and one that is kept where the input is small."""
    w = Weights()
    a, b = w.vector(2)

    def loss(xs: Any) -> Any:
        h: Any = Value(0.0)
        for x in xs:
            moved = a * h + b * x
            h = where(abs(x) < 0.25, h, where(moved > 0.2, 0.2 + 0.1 * moved, moved))
        return (h - 0.5) ** 2

    return Case(loss, [rising(steps)], w.values)


def long_sums(length: int = 6, width: int = 40) -> Case:
    """One `dot` a step, as the layers of `nn` give it when they are wide."""
    w = Weights()
    row, back = w.vector(width), w.vector(1)[0]

    def loss(xs: Any) -> Any:
        h: Any = Value(0.0)
        for x in xs:
            h = (dot(row, x) + back * h).tanh()
        return h**2

    return Case(loss, [rising(length, width)], w.values)


CASES: dict[str, Callable[[], Case]] = {
    "GPT": gpt,
    "GPT of one token": partial(gpt, length=1),
    "GPT of three blocks": partial(gpt, blocks=3, length=2),
    "GPT of one head": partial(gpt, heads=1, length=4),
    "RNN": rnn,
    "RNN of one step": partial(rnn, steps=1),
    "RNN of two steps": partial(rnn, steps=2),
    "LSTM": lstm,
    "GRU": gru,
    "two-layer RNN": two_layer_rnn,
    "attention over an RNN": attention_over_rnn,
    "second derivatives in a recurrence": slope_in_a_recurrence,
    "ResNet": resnet,
    "tied layers": tied_layers,
    "padded convolution": padded_convolution,
    "convolution cut at the borders": cut_convolution,
    "moving averages": moving_averages,
    "pendulum by Euler": pendulum,
    "pendulum by Runge and Kutta": runge_kutta,
    "of the two before": of_the_two_before,
    "Kalman filter": kalman,
    "Kalman filter in the plane": kalman_in_the_plane,
    "alignment": alignment,
    "bodies": bodies,
    "prefix sums": prefix_sums,
    "causal attention": causal_attention,
    "ragged maxima": ragged_maxima,
    "ties": ties,
    "repeated operands": repeated_operands,
    "nested loops": nested_loops,
    "choices in a loop": chosen_in_a_loop,
    "long sums in a loop": long_sums,
}
