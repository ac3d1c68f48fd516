"""The graphs that the tests of the drawings draw."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack

from hypothesis import strategies as st

from autograd import Value, dot, exp, logsumexp, maximum, reciprocal, scope


def product_of_a_sum() -> Value:
    x, y, z = Value(-2.0, "x"), Value(5.0, "y"), Value(-4.0, "z")
    q = x + y
    q.label = "q"
    f = q * z
    f.label = "f"
    f.backward()
    return f


def sigmoid_gate() -> Value:
    w0, x0, w1, x1, w2 = (Value(v, n) for n, v in {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}.items())
    f = reciprocal(1 + exp(-(w0 * x0 + w1 * x1 + w2)))
    f.backward()
    return f


def skip_connections() -> Value:
    """Three tanh units in a row, of which the last two feed the result."""
    x = Value(0.5, "x")
    h, outputs = x, []
    for k in range(3):
        h = (Value(0.3 * k - 0.7, f"w{k}") * h + Value(0.1 * k, f"b{k}")).tanh()
        outputs.append(h)
    f = (Value(0.4, "w4") * outputs[1] + Value(0.8, "w5") * outputs[2] + Value(0.2, "b")).tanh()
    f.backward()
    return f


def network(*sizes: int, inputs: int = 2, seed: int = 0) -> Value:
    """A multilayer perceptron whose nodes carry scopes, as those of a Module do; the sum of its outputs."""
    numbers = random.Random(seed)
    x = [Value(numbers.uniform(-2, 2), f"x{i}") for i in range(inputs)]
    for k, size in enumerate(sizes):
        outputs = []
        for j in range(size):
            with scope(f"layers.{k}.neurons.{j}"):
                total = Value(numbers.uniform(-1, 1), "b")
                for i, xi in enumerate(x):
                    total = total + Value(numbers.uniform(-1, 1), f"w{i}") * xi
                outputs.append(total.tanh())
        x = outputs
    f = x[0]
    for y in x[1:]:
        f = f + y
    f.backward()
    return f


def neuron() -> Value:
    return network(1, inputs=3)


def doubled() -> Value:
    a = Value(3.0, "a")
    b = a + a
    b.label = "b"
    b.backward()
    return b


def many_operations() -> Value:
    """Most kinds of gates, and numbers that are not finite."""
    x, y = Value(0.0, "x"), Value(-3.0, "dead")
    z = x.log() + y.relu() * 2 + maximum(x, y, 1.0) + x**2 + x**y + logsumexp(x, y) + dot([x, y], [y, 2.0])
    z = z + y.leaky_relu(0.1) + 2**x + 1 - x
    z.backward()
    return z


def within_each_other() -> Value:
    x = Value(1.0, "x")
    with scope("encoder"):
        with scope("attention"):
            a = (x * Value(2.0, "w")).tanh()
        with scope("perceptron"):
            b = (a * Value(3.0, "w") + Value(0.1, "b")).relu()
            c = a + b
    f = c * x
    f.backward()
    return f


def in_a_circle() -> Value:
    """Two scopes that feed each other."""
    x = Value(1.0, "x")
    for _ in range(3):
        with scope("left"):
            x = x.tanh()
        with scope("right"):
            x = x.exp() * 0.5
    x.backward()
    return x


def deep_scopes(levels: int = 30) -> Value:
    x = y = Value(1.0, "x")
    with ExitStack() as stack:
        for k in range(levels):
            stack.enter_context(scope(f"level{k}"))
            if k % 3 == 0:
                y = (y * Value(2.0, "w")).tanh()
        y = y * x
    y = y.exp()
    y.backward()
    return y


def reused() -> Value:
    """One cell, called four times."""
    w, x = Value(0.5, "w"), Value(1.0, "x")
    for _ in range(4):
        with scope("cell"):
            x = (x * w + 1).tanh()
    x.backward()
    return x


def strange_names() -> Value:
    names = [
        "<script>&\"'",
        "W" * 24,
        "ﷺ مرحبا",
        "x\u202ey",
        "日本語",
        "🎉👩‍👩‍👧",
        "a\x00b\nc\x1b\ud800",
        "  ",
        "n" * 10_000,
        "]]>",
        "&#0;",
    ]
    f: Value | None = None
    with scope('odd.<scope> & "more"'):
        for k, name in enumerate(names):
            leaf = Value(k - 3.25e-7, name)
            if f is None:
                f = leaf
            else:
                f = leaf * f
                f.label = f"{name} again"
    assert f is not None
    f.backward()
    return f


def chain(length: int) -> Value:
    y = Value(1.0, "x")
    for _ in range(length):
        y = y.tanh()
    return y


def tangle(size: int, seed: int = 0) -> Value:
    """A random graph of about ``size`` nodes."""
    choice = random.Random(seed)
    nodes = [Value(choice.uniform(-1, 1), f"x{i}") for i in range(max(3, size // 10))]
    used: set[Value] = set()
    while len(nodes) < size:
        a, b = choice.choice(nodes[-30:]), choice.choice(nodes[-30:])
        used |= {a, b}
        nodes.append([a + b, a * b, a - b, a.tanh()][choice.randrange(4)])
    loose = [node for node in nodes if node not in used]
    f = loose[0]
    for node in loose[1:]:
        f = f + node
    f.backward()
    return f


SAMPLES: dict[str, Callable[[], Value]] = {
    "product of a sum": product_of_a_sum,
    "sigmoid gate": sigmoid_gate,
    "skip connections": skip_connections,
    "neuron": neuron,
    "network": lambda: network(3, 2),
    "wide network": lambda: network(10, 10, 1),
    "doubled": doubled,
    "many operations": many_operations,
    "within each other": within_each_other,
    "in a circle": in_a_circle,
    "deep scopes": deep_scopes,
    "reused": reused,
    "strange names": strange_names,
    "a leaf": lambda: Value(3.0, "x"),
    "a leaf without a name": lambda: Value(3.0),
    "a constant": lambda: (Value(2.0) * 3).inputs[1],
    "a summary": lambda: tangle(1_000),
}


@st.composite
def random_graphs(draw: st.DrawFn) -> Value:
    """Graphs of up to 25 operations with shared nodes, constants, repeated operands, scopes and strange labels."""
    labels = st.one_of(st.just(""), st.sampled_from(["x", "weight", "β₁", "a b"]), st.text(max_size=6))
    numbers = st.floats(-1e9, 1e9) | st.sampled_from([0.0, -0.0, float("inf"), float("nan"), 1e-300])
    nodes = [Value(draw(numbers), draw(labels)) for _ in range(draw(st.integers(1, 4)))]
    for _ in range(draw(st.integers(0, 25))):
        a, b = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
        with scope(draw(st.sampled_from(["net.0", "net.1", "net.1.cell", "other"]))):
            kind = draw(st.sampled_from(["+", "*", "-", "/", "+c", "c/", "**", "**c", "tanh", "relu", "max", "dot"]))
            c = draw(numbers)
            match kind:
                case "+":
                    y = a + b
                case "*":
                    y = a * b
                case "-":
                    y = a - b
                case "/":
                    y = a / b
                case "+c":
                    y = a + c
                case "c/":
                    y = c / a
                case "**":
                    y = a**b
                case "**c":
                    y = a**c
                case "tanh":
                    y = a.tanh()
                case "relu":
                    y = b.relu()
                case "max":
                    y = maximum(a, b, c, a)
                case _:
                    y = dot([a, b, c], [b, b, a])
        y.label = draw(labels)
        nodes.append(y)
    if draw(st.booleans()):
        nodes[-1].backward()
    return nodes[-1]
