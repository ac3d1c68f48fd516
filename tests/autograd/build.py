"""Run a program of `naive` on the engine, in the spelling that a user would write."""

from __future__ import annotations

from typing import Any

import autograd as ag
from autograd import Value
from tests.autograd.naive import Program

BINARY = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
}


def build(program: Program, inputs: list[Any]) -> list[Value]:
    """All nodes of the graph, leaves first; ``inputs`` may be numbers or Values."""
    nodes = [x if isinstance(x, Value) else Value(x) for x in inputs]
    for op, operands in program:
        xs: list[Any] = [nodes[which] if kind == "node" else which for kind, which in operands]
        if op in BINARY:
            y = BINARY[op](*xs)
        elif op == "dot":
            half = len(xs) // 2
            y = ag.dot(xs[:half], xs[half:])
        elif op == "neg":
            y = -xs[0]
        else:
            y = getattr(ag, op)(*xs)
        nodes.append(y)
    return nodes
