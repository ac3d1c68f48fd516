"""A naive engine to compare with: a list of instructions, two dicts, formulas of its own. It imports nothing of ours.

A program is a list of (op, operands); an operand is ("node", i) or ("number", c). The first `width` nodes are leaves.
"""

from __future__ import annotations

import math
import random
from typing import Any, TypeAlias

Operand: TypeAlias = tuple[str, Any]
Program: TypeAlias = list[tuple[str, list[Operand]]]


def sigma(x: float) -> float:
    return 0.5 * (1.0 + math.tanh(0.5 * x))


ONE_INPUT = {
    "neg": (lambda x: -x, lambda x: -1.0),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / x**2),
    "exp": (math.exp, math.exp),
    "log": (math.log, lambda x: 1 / x),
    "sqrt": (math.sqrt, lambda x: 1 / (2 * math.sqrt(x))),
    "sin": (math.sin, math.cos),
    "cos": (math.cos, lambda x: -math.sin(x)),
    "tanh": (math.tanh, lambda x: 1 / math.cosh(x) ** 2),
    "sigmoid": (sigma, lambda x: sigma(x) * sigma(-x)),
    "softplus": (lambda x: math.log(1 + math.exp(x)), sigma),
    "abs": (math.fabs, lambda x: math.copysign(1.0, x)),
    "relu": (lambda x: max(x, 0.0), lambda x: float(x > 0)),
}
TWO_INPUTS = {
    "add": (lambda x, y: x + y, lambda x, y: (1.0, 1.0)),
    "sub": (lambda x, y: x - y, lambda x, y: (1.0, -1.0)),
    "mul": (lambda x, y: x * y, lambda x, y: (y, x)),
    "div": (lambda x, y: x / y, lambda x, y: (1 / y, -x / y**2)),
    "pow": (lambda x, y: x**y, lambda x, y: (y * x ** (y - 1), x**y * math.log(x))),
    "leaky_relu": (lambda x, y: x if x > 0 else y * x, lambda x, y: (1.0, 0.0) if x > 0 else (y, x)),
}


def _lse(xs: list[float]) -> float:
    return math.log(math.fsum(math.exp(x) for x in xs))


def forward(op: str, xs: list[float]) -> float:
    if op in ONE_INPUT:
        return ONE_INPUT[op][0](*xs)
    if op in TWO_INPUTS:
        return TWO_INPUTS[op][0](*xs)
    if op in ("maximum", "minimum"):
        return sorted(xs)[-1 if op == "maximum" else 0]
    if op == "logsumexp":
        return _lse(xs)
    assert op == "dot"
    half = len(xs) // 2
    return math.fsum(xs[i] * xs[half + i] for i in range(half))


def slopes(op: str, xs: list[float]) -> list[float]:
    if op in ONE_INPUT:
        return [ONE_INPUT[op][1](*xs)]
    if op in TWO_INPUTS:
        return list(TWO_INPUTS[op][1](*xs))
    if op in ("maximum", "minimum"):
        best = forward(op, xs)
        return [(x == best) / xs.count(best) for x in xs]
    if op == "logsumexp":
        total = math.fsum(math.exp(x) for x in xs)
        return [math.exp(x) / total for x in xs]
    half = len(xs) // 2
    return xs[half:] + xs[:half]


def value(operand: Operand, values: dict[int, float]) -> float:
    kind, which = operand
    return values[which] if kind == "node" else float(which)


def run(program: Program, inputs: list[float]) -> dict[int, float]:
    values = dict(enumerate(inputs))
    for i, (op, operands) in enumerate(program, start=len(inputs)):
        values[i] = forward(op, [value(o, values) for o in operands])
    return values


def gradients(program: Program, inputs: list[float]) -> tuple[dict[int, float], dict[int, float]]:
    """The values of all nodes, and the derivative of the last one by each: program order, backwards."""
    values = run(program, inputs)
    last = len(values) - 1
    adjoint = dict.fromkeys(values, 0.0)
    adjoint[last] = 1.0
    for i in range(last, len(inputs) - 1, -1):
        op, operands = program[i - len(inputs)]
        for operand, slope in zip(operands, slopes(op, [value(o, values) for o in operands]), strict=True):
            if operand[0] == "node":
                adjoint[operand[1]] += adjoint[i] * slope
    return values, adjoint


def random_program(rng: random.Random, max_ops: int = 12) -> tuple[Program, list[float]]:
    """A small random graph with shared nodes, constants, repeated operands and n-ary operations.

    Numbers are kept away from overflow, from the edges of a function's domain and from kinks, where there is nothing to
    compare; a draw that leaves this region is drawn again.
    """
    width = rng.randint(1, 4)
    inputs = [rng.choice((-1, 1)) * rng.uniform(0.2, 2.0) for _ in range(width)]
    program: Program = []
    values = dict(enumerate(inputs))
    length = rng.randint(1, max_ops)
    tries = 0
    while len(program) < length and tries < 40 * length:
        tries += 1
        op = rng.choice(OPS)
        if op in ONE_INPUT:
            count = 1
        elif op in TWO_INPUTS:
            count = 2
        else:
            count = 2 * rng.randint(1, 3) if op == "dot" else rng.randint(1, 5)
        operands: list[Operand] = []
        for _ in range(count):
            if rng.random() < 0.2 and count > 1:
                operands.append(("number", rng.choice((1, 2, 3, 0.5, -1.5, 2.5, True))))
            else:  # the newest node more often than the others, so that graphs get deep
                newest = len(values) - 1
                operands.append(("node", newest if rng.random() < 0.4 else rng.randint(0, newest)))
        if all(kind == "number" for kind, _ in operands):
            continue
        xs = [value(o, values) for o in operands]
        if not _comfortable(op, xs):
            continue
        try:
            y = forward(op, xs)
            steep = max(abs(d) for d in slopes(op, xs))
        except (ArithmeticError, ValueError):
            continue
        if isinstance(y, complex) or not 1e-3 < abs(y) < 50 or not steep < 100:
            continue
        values[len(values)] = y
        program.append((op, operands))
    if not program:
        program.append(("add", [("node", 0), ("node", 0)]))
    return program, inputs


def _comfortable(op: str, xs: list[float]) -> bool:
    if op in ("log", "sqrt") or op == "pow":
        return xs[0] > 0.05
    if op in ("reciprocal", "abs", "relu", "leaky_relu"):
        return abs(xs[0]) > 0.01
    if op == "div":
        return abs(xs[1]) > 0.05
    if op in ("maximum", "minimum"):
        best = forward(op, xs)
        return all(abs(x - best) > 0.01 or x == best for x in xs)
    return True


OPS = [*ONE_INPUT, *TWO_INPUTS, "maximum", "minimum", "logsumexp", "dot"]
