"""A student who works a graph out by hand, and blunders once: the mistakes that a diagnosis must find.

It knows the operations by formulas of its own, and nothing of `autograd.mistakes`. What is written after the blunder
follows rightly from it, and every number is rounded to four digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from autograd import Value, parse, topological_order
from autograd.expression import open_names

VALUES: dict[str, Callable[..., float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "neg": lambda a: -a,
    "exp": lambda a: math.exp(a),
    "log": lambda a: math.log(a),
    "tanh": lambda a: math.tanh(a),
    "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
    "relu": lambda a: max(a, 0.0),
}
SLOPES: dict[str, Callable[..., tuple[float, ...]]] = {
    "add": lambda a, b: (1.0, 1.0),
    "sub": lambda a, b: (1.0, -1.0),
    "mul": lambda a, b: (b, a),
    "div": lambda a, b: (1 / b, -a / b**2),
    "pow": lambda a, b: (b * a ** (b - 1), 0.0),
    "neg": lambda a: (-1.0,),
    "exp": lambda a: (math.exp(a),),
    "log": lambda a: (1 / a,),
    "tanh": lambda a: (1 - math.tanh(a) ** 2,),
    "sigmoid": lambda a: (VALUES["sigmoid"](a) * (1 - VALUES["sigmoid"](a)),),
    "relu": lambda a: (float(a > 0),),
}
WRONG_SLOPES: dict[str, list[Callable[..., float]]] = {  # as students write them in exams
    "pow": [lambda a, b: a ** (b - 1), lambda a, b: b * a**b],
    "exp": [lambda a: a * math.exp(a - 1), lambda a: a],
    "log": [lambda a: math.log(a), lambda a: -1 / a**2],
    "tanh": [lambda a: 1 - a**2, lambda a: 1 - math.tanh(a)],
    "sigmoid": [lambda a: a * (1 - a), lambda a: VALUES["sigmoid"](a), lambda a: 1 - VALUES["sigmoid"](a)],
}
GRAPHS = [
    "q = x + y; f = q * z",
    "a = w0 * x0; b = w1 * x1; c = a + b; z = c + w2; f = sigmoid(z)",
    "a = x * y; b = a + x; f = a * b",
    "d = y - t; f = d**2",
    "z = w * x; s = z + b; h = tanh(s); f = h * v",
    "n = -z; e = exp(n); d = 1 + e; f = 1 / d",
    "b = a * a; c = b * a; f = c + b",
    "p = x / y; q = x - y; f = p * q",
    "u = exp(x); v = u + y; f = log(v)",
    "z1 = w1*x; a = tanh(z1); z2 = w2*a; z3 = w3*a; g = tanh(z2); h = sigmoid(z3); p = w4*g; r = w5*h; f = p + r",
]


@dataclass
class Blunder:
    """What the student wrote; and, for whoever checks the diagnosis, where the blunder is and what it was."""

    root: Value
    values: dict[str, float]
    gradients: dict[str, float]
    wire: str  # "q" for a value, "∂q" for a gradient
    kind: str


def rounded(x: float) -> float:
    return float(f"{x:.4g}")


def graph(formula: str, rng: Random) -> Value:
    """The formula at numbers for which it can be worked out; every wire has a name."""
    while True:
        numbers = {name: rng.choice([-1, 1]) * rng.randint(2, 35) / 10 for name in open_names(formula)}
        root = parse(formula, numbers)
        if all(math.isfinite(node.data) and 0.02 < abs(node.data) < 300 for node in topological_order(root)):
            return root


class Student:
    """Both passes by hand. ``blunder`` is the wire and the kind of the one mistake."""

    def __init__(self, root: Value, rng: Random, wire: Value, on_value: bool, kind: str) -> None:
        self.order = topological_order(root)
        self.rng, self.wire, self.on_value, self.kind = rng, wire, on_value, kind
        self.done = False  # whether the mistake could be made
        self.before = self.after = 0.0  # the number without the mistake, and with it
        self.v: dict[Value, float] = {}
        self.g: dict[Value, float] = {}

    def work(self) -> None:
        for node in self.order:
            right = node.data if not node.inputs else VALUES[node.op](*[self.v[x] for x in node.inputs])
            here = self.on_value and node is self.wire
            self.v[node] = rounded(self.wrong_value(node, right) if here else right)
        self.parts: dict[Value, list[tuple[Value, int, float, float]]] = {node: [] for node in self.order}
        for node in reversed(self.order):
            parts = self.parts[node]
            right = 1.0 if node is self.order[-1] else sum(up * d for _, _, up, d in parts)
            here = not self.on_value and node is self.wire
            self.g[node] = rounded(self.wrong_gradient(right, parts) if here else right)
            slopes = SLOPES[node.op](*[self.v[x] for x in node.inputs]) if node.inputs else ()
            for k, (x, d) in enumerate(zip(node.inputs, slopes, strict=True)):
                if x.op != "const":
                    self.parts[x].append((node, k, self.g[node], d))

    def made(self, before: float, after: float) -> float:
        self.done, self.before, self.after = True, before, after
        return after

    def wrong_value(self, node: Value, right: float) -> float:
        numbers = [self.v[x] for x in node.inputs]
        if self.kind == "sign":
            return self.made(right, -right)
        if self.kind == "swapped" and node.op in ("sub", "div"):
            return self.made(right, VALUES[node.op](*numbers[::-1]))
        if self.kind == "operation" and len(numbers) == 2:
            other = self.rng.choice([op for op in ("add", "sub", "mul") if op != node.op])
            return self.made(right, VALUES[other](*numbers))
        if self.kind == "operation":
            return self.made(right, numbers[0])  # the function was forgotten
        return right

    def wrong_gradient(self, right: float, parts: list[tuple[Value, int, float, float]]) -> float:
        user, k, up, d = self.rng.choice(parts) if parts else (None, 0, 0.0, 0.0)
        if user is None:
            return right
        numbers = [self.v[x] for x in user.inputs]
        rest = right - up * d
        if self.kind == "path" and len(parts) > 1:
            return self.made(right, rest)
        if self.kind == "swapped" and user.op in ("mul", "div") and user.inputs[0] is not user.inputs[1]:
            return self.made(right, rest + up * SLOPES[user.op](*numbers)[1 - k])
        if self.kind == "local":
            return self.made(right, rest + up)
        if self.kind == "upstream":
            return self.made(right, rest + d)
        if self.kind == "sign":
            return self.made(right, rest - up * d)
        if self.kind == "old" and len(self.parts[user]) > 1:
            _, _, first, slope = self.rng.choice(self.parts[user])  # the user passed on before all of its own was there
            return self.made(right, rest + first * slope * d)
        if self.kind == "formula" and user.op in WRONG_SLOPES and k == 0:
            return self.made(right, rest + up * self.rng.choice(WRONG_SLOPES[user.op])(*numbers))
        return right


KINDS_OF_VALUES = ["sign", "swapped", "operation"]
KINDS_OF_GRADIENTS = ["path", "swapped", "local", "upstream", "sign", "old", "formula"]


def blunder(formula: str, rng: Random) -> Blunder:
    """One mistake on one graph. A number that is as good as right is no mistake: then another is made."""
    while True:
        root = graph(formula, rng)
        order = [node for node in topological_order(root) if node.op != "const"]
        on_value = rng.random() < 0.25
        kind = rng.choice(KINDS_OF_VALUES if on_value else KINDS_OF_GRADIENTS)
        wire = rng.choice([node for node in order if node.inputs] if on_value else order[:-1])
        student = Student(root, rng, wire, on_value, kind)
        try:
            student.work()
        except (ValueError, OverflowError, ZeroDivisionError):
            continue  # such as the logarithm of a number that the mistake has made negative
        far = abs(student.after - student.before) > 0.02 * abs(student.before) + 0.01
        if student.done and far:
            values = {node.label: student.v[node] for node in order if node.inputs}
            gradients = {node.label: student.g[node] for node in order[:-1]}
            return Blunder(root, values, gradients, ("" if on_value else "∂") + wire.label, kind)
