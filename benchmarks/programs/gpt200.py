"""A small GPT, trained and asked for text, in one file: scalars, loops and lists, and nothing else.

    python benchmarks/programs/gpt200.py 10

It has an engine of its own, a model of 4,192 parameters, and a loop that trains it on the letters of a diary. It is as
slow as it is easy to read: each number is a Python object. `benchmarks/gpt.py` puts chainrule's engine in place of this
one, and then its compiler to work, by changing a handful of lines.
"""

# ruff: noqa: B905

import math
import random
import sys
from pathlib import Path

# --- the engine


class Value:
    """A number that knows from which others it was computed, and its slope by each of them."""

    __slots__ = ("children", "data", "grad", "slopes")

    def __init__(self, data, children=(), slopes=()):
        self.data = data
        self.grad = 0.0
        self.children = children
        self.slopes = slopes

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, power):
        return Value(self.data**power, (self,), (power * self.data ** (power - 1),))

    def exp(self):
        y = math.exp(self.data)
        return Value(y, (self,), (y,))

    def log(self):
        return Value(math.log(self.data), (self,), (1.0 / self.data,))

    def relu(self):
        return Value(max(0.0, self.data), (self,), (float(self.data > 0.0),))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * other**-1.0

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        """The chain rule, from the last node to the first."""
        order, seen, rest = [], set(), [(self, False)]
        while rest:
            node, done = rest.pop()
            if done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                rest.append((node, True))
                rest.extend((child, False) for child in node.children)
        self.grad = 1.0
        for node in reversed(order):
            for child, slope in zip(node.children, node.slopes):
                child.grad += slope * node.grad


def softmax(xs):
    top = max(x.data for x in xs)
    exps = [(x - top).exp() for x in xs]
    total = sum(exps)
    return [e / total for e in exps]


class Adam:
    """Momentum, and a step that each parameter scales for itself."""

    def __init__(self, parameters, lr, betas):
        self.parameters, self.lr, self.betas, self.t = parameters, lr, betas, 0
        self.m = [0.0] * len(parameters)
        self.v = [0.0] * len(parameters)

    def zero_grad(self):
        for p in self.parameters:
            p.grad = 0.0

    def step(self):
        b1, b2 = self.betas
        self.t += 1
        for i, p in enumerate(self.parameters):
            self.m[i] = b1 * self.m[i] + (1 - b1) * p.grad
            self.v[i] = b2 * self.v[i] + (1 - b2) * p.grad**2
            m, v = self.m[i] / (1 - b1**self.t), self.v[i] / (1 - b2**self.t)
            p.data -= self.lr * m / (v**0.5 + 1e-8)


# --- the text

TEXT = Path(__file__).resolve().parents[2] / "nn" / "lessons" / "corpora" / "village.txt"
lines = [line.strip() for line in TEXT.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
random.seed(0)
random.shuffle(lines)
text = " ".join(lines)
letters = sorted(set(text))
tokens = [letters.index(letter) for letter in text]

# --- the model

size = 16  # of the vectors
heads = 4
context = 16  # letters that are seen at once
blocks = 1
head_size = size // heads


def matrix(rows, columns):
    return [[Value(random.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]


state = {"token": matrix(len(letters), size), "position": matrix(context, size), "logits": matrix(len(letters), size)}
for i in range(blocks):
    for name in ("query", "key", "value", "out"):
        state[f"{i}.{name}"] = matrix(size, size)
    state[f"{i}.wide"] = matrix(4 * size, size)
    state[f"{i}.narrow"] = matrix(size, 4 * size)
parameters = [p for rows in state.values() for row in rows for p in row]


def linear(x, w):
    return [sum(wi * xi for wi, xi in zip(row, x)) for row in w]


def rms_norm(x):
    scale = (sum(xi * xi for xi in x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def gpt(token, position, keys, values):
    """The logits of what comes after a token, which sees the keys and values of those before it, and adds its own."""
    x = [t + p for t, p in zip(state["token"][token], state["position"][position])]
    x = rms_norm(x)
    for i in range(blocks):
        # attention: who of those so far matters?
        before, x = x, rms_norm(x)
        query = linear(x, state[f"{i}.query"])
        keys[i].append(linear(x, state[f"{i}.key"]))
        values[i].append(linear(x, state[f"{i}.value"]))
        mixed = []
        for h in range(0, size, head_size):
            q = query[h : h + head_size]
            ks = [k[h : h + head_size] for k in keys[i]]
            vs = [v[h : h + head_size] for v in values[i]]
            scores = [sum(qj * kj for qj, kj in zip(q, k)) / head_size**0.5 for k in ks]
            shares = softmax(scores)
            mixed += [sum(share * v[j] for share, v in zip(shares, vs)) for j in range(head_size)]
        x = [a + b for a, b in zip(linear(mixed, state[f"{i}.out"]), before)]
        # a layer of hidden units
        before, x = x, rms_norm(x)
        hidden = [xi.relu() for xi in linear(x, state[f"{i}.wide"])]
        x = [a + b for a, b in zip(linear(hidden, state[f"{i}.narrow"]), before)]
    return linear(x, state["logits"])


def loss_of(inputs, targets):
    """How surprising each letter was, on average."""
    keys, values = [[] for _ in range(blocks)], [[] for _ in range(blocks)]
    losses = []
    for position, (token, target) in enumerate(zip(inputs, targets)):
        shares = softmax(gpt(token, position, keys, values))
        losses.append(-shares[target].log())
    return sum(losses) / len(losses)


# --- training

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 500
batch_size = int(sys.argv[2]) if len(sys.argv) > 2 else 8
optimizer = Adam(parameters, lr=0.01, betas=(0.9, 0.95))


def update(inputs, targets):
    """One step of training; returns the mean loss over some pieces of the text."""
    loss = sum(loss_of(*pair) for pair in zip(inputs, targets)) / batch_size
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.data


for k in range(1, steps + 1):
    starts = [random.randrange(len(tokens) - context) for _ in range(batch_size)]
    inputs = [tokens[s : s + context] for s in starts]
    targets = [tokens[s + 1 : s + context + 1] for s in starts]
    loss = update(inputs, targets)
    if k == steps or k % 100 == 1:
        print(f"step {k:4}: loss {loss:.4f}")

# --- what it writes

written, keys, values = [letters.index("t")], [[] for _ in range(blocks)], [[] for _ in range(blocks)]
while len(written) < context:
    shares = softmax(gpt(written[-1], len(written) - 1, keys, values))
    written += random.choices(range(len(letters)), [p.data for p in shares])
print("".join(letters[token] for token in written))
