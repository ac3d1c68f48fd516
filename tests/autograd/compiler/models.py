"""Scalar networks written out by hand, for the compiler to find the vectors in."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import Value, grad, logsumexp, maximum, minimum, relu, softmax


class Source:
    """Random parameters, kept in a list."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.parameters: list[Value] = []

    def value(self, scale: float = 0.5) -> Value:
        self.parameters.append(Value(self.random.gauss(0.0, scale)))
        return self.parameters[-1]

    def vector(self, n: int, scale: float = 0.5) -> list[Value]:
        return [self.value(scale) for _ in range(n)]

    def matrix(self, rows: int, columns: int, scale: float = 0.5) -> list[list[Value]]:
        return [self.vector(columns, scale) for _ in range(rows)]


def layer(w: Any, b: Any, x: Any) -> list[Any]:
    return [sum((wi * xi for wi, xi in zip(row, x, strict=True)), bi) for row, bi in zip(w, b, strict=True)]


def cross_entropy(z: Sequence[Any], y: Sequence[Any]) -> Any:
    return logsumexp(list(z)) - sum(yi * zi for yi, zi in zip(y, z, strict=True))


def mlp(s: Source, sizes: Sequence[int], activation: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    layers = [(s.matrix(b, a), s.vector(b)) for a, b in itertools.pairwise(sizes)]

    def model(x: Any) -> list[Any]:
        for k, (w, b) in enumerate(layers):
            x = layer(w, b, x)
            if k + 1 < len(layers):
                x = [activation(z) for z in x]
        return list(x)

    return model


def one_hot(classes: int, k: int) -> list[float]:
    return [float(i == k) for i in range(classes)]


Case = tuple[Callable[..., Any], list[Any]]


def softmax_mlp(s: Source) -> Case:
    model = mlp(s, [6, 5, 4, 3], lambda z: z.tanh())
    return lambda x, y: cross_entropy(model(x), y), [[0.1] * 6, one_hot(3, 1)]


def relu_mlp(s: Source) -> Case:
    model = mlp(s, [6, 8, 3], relu)
    return lambda x, y: sum((a - b) ** 2 for a, b in zip(model(x), y, strict=True)), [[0.1] * 6, [0.0] * 3]


def sigmoid_mlp(s: Source) -> Case:
    model = mlp(s, [4, 6, 1], lambda z: z.sigmoid())
    return lambda x, y: (z := model(x)[0]).softplus() - y * z, [[0.1] * 4, 1.0]


def weight_decay(s: Source) -> Case:
    model = mlp(s, [5, 4, 3], lambda z: z.tanh())
    parameters = list(s.parameters)
    return lambda x, y: cross_entropy(model(x), y) + 0.01 * sum(p * p for p in parameters), [[0.1] * 5, one_hot(3, 0)]


def norm_penalty(s: Source) -> Case:
    model = mlp(s, [3, 3, 1], lambda z: z.softplus())
    parameters = list(s.parameters)
    return lambda x, y: (model(x)[0] - y) ** 2 + 0.1 * sum(p**2 for p in parameters) ** 0.5, [[0.3] * 3, 0.5]


def residual(s: Source) -> Case:
    blocks = [(s.matrix(5, 5), s.vector(5)) for _ in range(3)]
    out, bias = s.matrix(2, 5), s.vector(2)

    def loss(x: Any, y: Any) -> Any:
        for w, b in blocks:
            x = [xi + zi.tanh() for xi, zi in zip(x, layer(w, b, x), strict=True)]
        return cross_entropy(layer(out, bias, x), y)

    return loss, [[0.2] * 5, one_hot(2, 1)]


def pre_activation_residual(s: Source) -> Case:
    """h + W·f(h): the sum and the product are one linear node."""
    blocks = [(s.matrix(4, 4), s.vector(4)) for _ in range(2)]
    out, bias = s.matrix(2, 4), s.vector(2)

    def loss(x: Any, y: Any) -> Any:
        for w, b in blocks:
            x = [zi + xi for xi, zi in zip(x, layer(w, b, [relu(v) for v in x]), strict=True)]
        return cross_entropy(layer(out, bias, x), y)

    return loss, [[0.2] * 4, one_hot(2, 1)]


def convolution(s: Source, pooling: str, padding: bool = False, size: int = 6) -> Case:
    filters = [[s.matrix(3, 3), s.value()] for _ in range(3)]
    second = [[[s.matrix(2, 2) for _ in range(3)], s.value()] for _ in range(2)]

    def conv(image: Any, kernel: Any) -> Any:
        k = len(kernel)
        n = len(image) - k + 1
        return [
            [sum(kernel[a][b] * image[i + a][j + b] for a in range(k) for b in range(k)) for j in range(n)]
            for i in range(n)
        ]

    def pool(image: Any) -> Any:
        n = len(image) // 2
        cell = lambda i, j: [image[2 * i + a][2 * j + b] for a in (0, 1) for b in (0, 1)]  # noqa: E731
        combine = maximum if pooling == "max" else lambda *v: sum(v) / len(v)
        return [[combine(*cell(i, j)) for j in range(n)] for i in range(n)]

    def loss(x: Any, y: Any) -> Any:
        if padding:
            width = len(x) + 2
            x = [[0.0] * width, *[[0.0, *row, 0.0] for row in x], [0.0] * width]
        maps = [pool([[relu(v + bias) for v in row] for row in conv(x, kernel)]) for kernel, bias in filters]
        z = []
        for kernels, bias in second:
            parts = [conv(m, k) for m, k in zip(maps, kernels, strict=True)]
            n = len(parts[0])
            rows = [[(sum(p[i][j] for p in parts) + bias).tanh() for j in range(n)] for i in range(n)]
            z.append(sum(v for row in rows for v in row) / (n * n))
        return cross_entropy(z, y)

    return loss, [[[0.1] * size for _ in range(size)], one_hot(2, 0)]


def recurrent(s: Source, steps: int = 5) -> Case:
    wx, wh, b, out = s.matrix(4, 2), s.matrix(4, 4), s.vector(4), s.vector(4)

    def loss(xs: Any, y: Any) -> Any:
        h: list[Any] = [Value(0.0) for _ in range(4)]
        total: Any = 0.0
        for x in xs:
            h = [
                (
                    sum(w * v for w, v in zip(row, x, strict=True))
                    + sum(u * v for u, v in zip(back, h, strict=True))
                    + bi
                ).tanh()
                for row, back, bi in zip(wx, wh, b, strict=True)
            ]
            total = total + (sum(o * v for o, v in zip(out, h, strict=True)) - y) ** 2
        return total / len(xs)

    return loss, [[[0.1, 0.2] for _ in range(steps)], 0.3]


def lstm(s: Source) -> Case:
    gates = [(s.matrix(3, 5), s.vector(3)) for _ in range(4)]

    def loss(xs: Any, y: Any) -> Any:
        h: list[Any] = [Value(0.0)] * 3
        c: list[Any] = [Value(0.0)] * 3
        for x in xs:
            i, f, g, o = (layer(w, b, [*x, *h]) for w, b in gates)
            c = [fk.sigmoid() * ck + ik.sigmoid() * gk.tanh() for fk, ck, ik, gk in zip(f, c, i, g, strict=True)]
            h = [ok.sigmoid() * ck.tanh() for ok, ck in zip(o, c, strict=True)]
        return sum((v - y) ** 2 for v in h)

    return loss, [[[0.1, 0.2] for _ in range(4)], 0.3]


def tied(s: Source) -> Case:
    """An autoencoder whose decoder is the encoder's matrix transposed."""
    w, b, c = s.matrix(3, 6), s.vector(3), s.vector(6)

    def loss(x: Any) -> Any:
        h = [z.tanh() for z in layer(w, b, x)]
        back = layer([[w[j][i] for j in range(3)] for i in range(6)], c, h)
        return sum((a - v) ** 2 for a, v in zip(back, x, strict=True))

    return loss, [[0.1] * 6]


def attention(s: Source, length: int = 4, width: int = 3) -> Case:
    q, k, v = s.matrix(width, width), s.matrix(width, width), s.matrix(width, width)
    zero = [0.0] * width

    def loss(xs: Any, y: Any) -> Any:
        qs, ks, vs = ([layer(m, zero, x) for x in xs] for m in (q, k, v))
        total: Any = 0.0
        for i in range(length):
            weights = softmax([sum(a * b for a, b in zip(qs[i], key, strict=True)) / math.sqrt(width) for key in ks])
            out = [sum(weights[j] * vs[j][d] for j in range(length)) for d in range(width)]
            total = total + sum((o - t) ** 2 for o, t in zip(out, y[i], strict=True))
        return total

    return loss, [[[0.1] * width for _ in range(length)], [[0.1] * width for _ in range(length)]]


def layer_norm(s: Source) -> Case:
    w, b, gain, shift = s.matrix(5, 4), s.vector(5), s.vector(5, 1.0), s.vector(5)

    def loss(x: Any, y: Any) -> Any:
        z = layer(w, b, x)
        mean = sum(z) / len(z)
        centred = [v - mean for v in z]
        scale = (sum(v * v for v in centred) / len(z) + 1e-5).sqrt()
        normed = [g * v / scale + t for g, v, t in zip(gain, centred, shift, strict=True)]
        return sum((a - y) ** 2 for a in normed)

    return loss, [[0.1, 0.4, 0.2, 0.3], 0.5]


def second_derivatives(s: Source, activation: Callable[[Any], Any]) -> Case:
    """A loss that asks for the slope of the network: (y − f(x))² + Σ (∂f/∂xᵢ)²."""
    model = mlp(s, [3, 4, 1], activation)

    def loss(x: Any, y: Any) -> Any:
        slope = grad(lambda v: model(v)[0])(x)
        return (model(x)[0] - y) ** 2 + sum(d * d for d in slope)

    return loss, [[0.1, 0.2, 0.3], 0.4]


def repeated(s: Source) -> Case:
    a, b = s.value(), s.value()

    def loss(x: Any) -> Any:
        v = a * x + b
        return v * v + v + v - v / (v * v + 1.0) + maximum(v, v) + logsumexp(v, v, x) + minimum(a, v, a)

    return loss, [0.7]


def ties(s: Source) -> Case:
    a = s.vector(3)

    def loss(x: Any) -> Any:
        u = [ai * x[0] for ai in a]
        same = [u[0], a[0] * x[0], u[1]]
        chain = maximum(maximum(same[0], same[1]), same[0])
        return maximum(same) + minimum(same) + chain + relu(u[0] - a[0] * x[0]) + abs(u[1] - a[1] * x[0])

    return loss, [[0.5, 0.2]]


def odd_shapes(s: Source) -> Case:
    """Parameters read in orders that are no slices, and sums over several arrays."""
    w = s.vector(12)

    def loss(x: Any, y: Any) -> Any:
        a = [w[(5 * i) % 12] * x[i % 4] + w[i] for i in range(12)]
        b = [a[i].tanh() * a[(7 * i + 3) % 12] for i in range(12)]
        c = [b[i] * x[(i * i) % 4] - a[11 - i] * y for i in range(0, 12, 2)]
        return sum(a) * 0.1 + sum(b[::3]) - sum(c[1:]) / 3.0 + (c[0] * b[1]) ** 3 + w[3] * w[3] / (w[4] ** 2 + 1.0)

    return loss, [[0.1, 0.2, 0.3, 0.4], 0.5]


def bilinear(s: Source) -> Case:
    """Σᵢⱼ wᵢⱼ·uᵢ·vⱼ and a dot product as one node."""
    from autograd import dot

    w, u, v = s.matrix(3, 3), s.matrix(3, 2), s.matrix(3, 2)

    def loss(x: Any, y: Any) -> Any:
        a, b = [dot(row, x) for row in u], [dot(row, y) for row in v]
        return sum(w[i][j] * a[i] * b[j] for i in range(3) for j in range(3)) + dot(a, b) + dot(w[0], w[1])

    return loss, [[0.3, 0.2], [0.1, 0.5]]


CASES: dict[str, Callable[[Source], Case]] = {
    "MLP with softmax cross-entropy": softmax_mlp,
    "ReLU MLP": relu_mlp,
    "sigmoid MLP": sigmoid_mlp,
    "weight decay": weight_decay,
    "norm penalty": norm_penalty,
    "residual": residual,
    "pre-activation residual": pre_activation_residual,
    "convolution with mean pooling": lambda s: convolution(s, "mean"),
    "convolution with max pooling": lambda s: convolution(s, "max"),
    "padded convolution": lambda s: convolution(s, "max", padding=True),
    "recurrent": recurrent,
    "LSTM": lstm,
    "tied weights": tied,
    "attention": attention,
    "layer normalisation": layer_norm,
    "second derivatives of tanh": lambda s: second_derivatives(s, lambda z: z.tanh()),
    "second derivatives of relu": lambda s: second_derivatives(s, relu),
    "second derivatives of a power": lambda s: second_derivatives(s, lambda z: z**3 + z.sigmoid()),
    "repeated operands": repeated,
    "ties": ties,
    "odd shapes": odd_shapes,
    "bilinear": bilinear,
}


def random_dag(s: Source, nodes: int, inputs: int = 5, parameters: int = 40, window: int = 200) -> Case:
    """An irregular graph: each node takes two recent ones, by an operation that keeps numbers of a moderate size."""
    r = s.random
    ps = s.vector(parameters, 1.0)
    plan = []
    for i in range(nodes):
        pool = inputs + parameters + i
        low = max(0, pool - window)
        plan.append((r.randrange(11), r.randrange(low, pool), r.randrange(low if r.random() < 0.8 else 0, pool)))

    def loss(x: Any) -> Any:
        pool: list[Any] = [*x, *ps]
        for op, i, j in plan:
            a, b = pool[i], pool[j]
            if op == 0:
                y = a + b
            elif op == 1:
                y = a - b * 0.5
            elif op == 2:
                y = a * b
            elif op == 3:
                y = a / (b * b + 1.0)
            elif op == 4:
                y = a.tanh() + b
            elif op == 5:
                y = a.sin() * b
            elif op == 6:
                y = relu(a) - b
            elif op == 7:
                y = maximum(a, b)
            elif op == 8:
                y = (a * 0.5).sigmoid()
            elif op == 9:
                y = a.cos()
            else:
                y = logsumexp(a, b)
            if i % 3 == 0:
                y = y.tanh()
            pool.append(y)
        return sum(pool[-50:]) / 50.0

    return loss, [[0.1 * k for k in range(inputs)]]


def batch_of(example: Sequence[Any], n: int, seed: int = 0) -> list[Any]:
    generator = np.random.default_rng(seed)
    return [generator.normal(size=(n, *np.shape(x))) for x in example]


def lifted(x: Any) -> Any:
    """Values for numbers, as the compiler calls a function: `grad` of plain numbers would give plain numbers."""
    return [lifted(v) for v in x] if isinstance(x, list) else Value(x)


def eager(f: Callable[..., Any], parameters: Sequence[Value], batch: Sequence[Any]) -> tuple[float, list[float]]:
    """The mean loss and its gradient, sample by sample with `Value.backward`."""
    n = len(batch[0])
    for p in parameters:
        p.grad = None
    total = 0.0
    for k in range(n):
        y = f(*[lifted(X[k].tolist()) for X in batch])
        y.backward()
        total += y.data
    gradient = [p.grad / n for p in parameters]
    for p in parameters:
        p.grad = None
    return total / n, gradient


def strict_error(found: Any, expected: Any) -> float:
    """The largest |a − b| / |b|, entry by entry; nan and inf must be equal, and 0 must be 0."""
    worst = 0.0
    for a, b in zip(np.ravel(found).tolist(), np.ravel(expected).tolist(), strict=True):
        if a == b or (a != a and b != b):
            continue
        error = abs(a - b) / abs(b) if b != 0.0 else math.inf
        worst = max(worst, error if error == error else math.inf)
    return worst


def sign_of(x: Any) -> float:
    """What a loss in another file may call: it reads the number."""
    return 1.0 if x.data > 0.0 else -1.0
