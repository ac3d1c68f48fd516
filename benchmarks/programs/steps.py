"""Random programs of one kind: a step that is drawn, and done many times over.

A few numbers are the state. In each step nodes are computed of the state, of each other, of weights, of the step before
the last, and of a row of the sample; some of them are the next state. What reads what is drawn once, so that nothing
lies in order as it does in a layer: dynamic programs, filters, bodies that attract each other are of this kind. Some
states follow from parameters alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from autograd import dot, logsumexp, maximum, where

from .randomly import ELEMENTWISE, Stream
from .scalars import Case, Weights, rising
from .unlike import random_trials

PAIRS: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda a, b: a + b,
    "difference": lambda a, b: a - b,
    "product": lambda a, b: 0.5 * a * b,
    "quotient": lambda a, b: a / (b * b + 1.0),
    "larger": lambda a, b: maximum(a, b),
    "soft maximum": lambda a, b: logsumexp([a, b]) - 0.5,
    "chosen": lambda a, b: where(a > b, a * b, a + b),
}
Place = tuple[str, int]


class Step:
    """What one step does, drawn."""

    def __init__(self, r: random.Random, weights: Weights) -> None:
        self.states, self.alone = r.randint(1, 6), r.choice([0, 0, 1, 2])  # so many follow from parameters alone
        self.alone = min(self.alone, self.states)
        self.inputs = r.randint(1, 3)
        self.weights = weights.vector(r.randint(1, 4), 0.7)
        self.start = weights.vector(self.states) if r.random() < 0.5 else [r.choice([0.0, 0.0, 1.0])] * self.states
        self.nodes: list[tuple[str, list[Place]]] = []
        self.next: list[int] = []
        self.far = r.random() < 0.2  # whether the step before the last is read
        for k in range(self.states):
            alone = k < self.alone
            mine: list[int] = []
            for _ in range(r.randint(1, 4)):
                self.nodes.append(self._node(r, alone, mine))
                mine.append(len(self.nodes) - 1)
            self.next.append(mine[-1])
        self.damped = r.random() < 0.7

    def _node(self, r: random.Random, alone: bool, mine: list[int]) -> tuple[str, list[Place]]:
        reach = [("state", k) for k in range(self.alone if alone else self.states)]
        reach += [("weight", k) for k in range(len(self.weights))]
        reach += [("node", k) for k in (mine if alone else range(len(self.nodes)))] * 2
        if not alone:
            reach += [("input", k) for k in range(self.inputs)]
            reach += [("before", k) for k in range(self.states)] * self.far
        op = r.choice([*PAIRS, *PAIRS, *ELEMENTWISE, "dot", "soft maximum of all"])
        return op, [r.choice(reach) for _ in range(2 if op in PAIRS else 2 * r.randint(1, 3))]

    def run(self, row: list[Any], state: list[Any], before: list[Any]) -> list[Any]:
        """The state after a step."""
        found: list[Any] = []
        where_is = {"state": state, "weight": self.weights, "node": found, "input": row, "before": before}
        for op, places in self.nodes:
            xs = [where_is[kind][k] for kind, k in places]
            if op in PAIRS:
                found.append(PAIRS[op](xs[0] + 0.0 * self.weights[0], xs[1]))
            elif op in ELEMENTWISE:
                found.append(ELEMENTWISE[op](xs[0] * self.weights[0]))
            elif op == "dot":
                found.append(dot(xs[: len(xs) // 2], xs[len(xs) // 2 :]) + 0.0 * self.weights[0])
            else:
                found.append(logsumexp([x * self.weights[0] for x in xs]))
        new = [found[k] for k in self.next]
        return [(0.5 * y).tanh() + 0.1 * x for x, y in zip(state, new, strict=True)] if self.damped else new


def random_program(seed: int) -> tuple[Case, list[str]]:
    """A case, and what it is in words."""
    r = random.Random(f"steps {seed}")
    weights = Weights(seed)
    step = Step(r, weights)
    count = r.randint(3, 30)
    end = r.choice(["last", "sum", "soft maximum", "all"])

    def loss(xs: Any) -> Any:
        state: list[Any] = list(step.start)
        before, all_of = state, []
        for row in xs:
            state, before = step.run(row, state, before), state
            all_of += state
        if end == "last":
            return sum(state) * weights.values[0]
        if end == "soft maximum":
            return logsumexp([1.0 * x for x in all_of])
        return sum(x * x for x in all_of) if end == "all" else sum(all_of) + 0.0 * weights.values[0]

    told = f"{count} steps of {step.states} states, {len(step.nodes)} nodes, {step.alone} alone; {end}"
    return Case(loss, [rising(count, step.inputs)], weights.values), [told]


THIRD = Stream(random_program, random_trials)
