"""Logic gates from neurons: by threshold (McCulloch and Pitts, 1943), and by a sigmoid with large weights.

A McCulloch-Pitts neuron fires if no inhibitory input does and enough of the others do. No single one computes XOR, for
no line separates its corners; three do: (¬x1 ∧ x2) ∨ (x1 ∧ ¬x2).

A logistic gate is a neuron σ(b + w₁x₁ + w₂x₂) whose sum is far from 0 at every corner:

    AND [-30, 20, 20]    OR [-10, 20, 20]    NOT [10, -20]    NOR [10, -20, -20]        (bias first)
    XNOR = (x1 AND x2) OR (x1 NOR x2)                         XOR = (x1 OR x2) AND NOT (x1 AND x2)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

from autograd import Value

from ..checks import one_of, whole
from ..layers import Layer
from ..module import Module


class MCP:
    """A McCulloch-Pitts neuron: 1 if no inhibitory input is 1 and at least ``threshold`` of the others are, else 0.

    Args:
        nin: the number of inputs.
        threshold: how many excitatory inputs it takes. At 0 the neuron fires unless it is inhibited.
        inhibitory: the places of the inhibitory inputs.
    """

    def __init__(self, nin: int, threshold: int, inhibitory: Iterable[int] = ()) -> None:
        self.nin, self.threshold, self.inhibitory = whole("nin", nin), threshold, frozenset(inhibitory)
        if not self.inhibitory <= set(range(nin)):
            raise ValueError(f"inhibitory inputs are places 0…{nin - 1}, but got {sorted(self.inhibitory)}")

    def __call__(self, *x: int) -> int:
        if len(x) != self.nin:
            raise ValueError(f"this neuron takes {self.nin} input{'s' * (self.nin != 1)}, but got {len(x)}")
        if any(bit not in (0, 1) for bit in x):
            raise ValueError(f"the inputs of a McCulloch-Pitts neuron are 0 or 1, but got {x!r}")
        if any(x[i] for i in self.inhibitory):
            return 0
        return int(sum(bit for i, bit in enumerate(x) if i not in self.inhibitory) >= self.threshold)

    def __repr__(self) -> str:
        return f"MCP({self.nin} → 1, threshold {self.threshold}, inhibitory {sorted(self.inhibitory)})"


_AND, _OR, _NOT = MCP(2, 2), MCP(2, 1), MCP(1, 0, [0])
_NOR = MCP(2, 0, [0, 1])
_NOT_FIRST, _NOT_SECOND = MCP(2, 1, [0]), MCP(2, 1, [1])  # ¬x1 ∧ x2 and x1 ∧ ¬x2

# The gates wired from McCulloch-Pitts neurons, as functions of bits.
MCP_GATES: dict[str, Callable[..., int]] = {
    "AND": _AND,
    "OR": _OR,
    "NOT": _NOT,
    "NOR": _NOR,
    "XOR": lambda x1, x2: _OR(_NOT_FIRST(x1, x2), _NOT_SECOND(x1, x2)),
    "XNOR": lambda x1, x2: _OR(_AND(x1, x2), _NOR(x1, x2)),
}

# [bias, w1, w2] for each neuron, layer by layer.
LOGISTIC_WEIGHTS: dict[str, list[list[list[float]]]] = {
    "AND": [[[-30.0, 20.0, 20.0]]],
    "OR": [[[-10.0, 20.0, 20.0]]],
    "NOT": [[[10.0, -20.0]]],
    "NOR": [[[10.0, -20.0, -20.0]]],
    "XNOR": [[[-30.0, 20.0, 20.0], [10.0, -20.0, -20.0]], [[-10.0, 20.0, 20.0]]],
    "XOR": [[[-10.0, 20.0, 20.0], [-30.0, 20.0, 20.0]], [[-10.0, 20.0, -20.0]]],
}


class LogisticGate(Module):
    """A gate of sigmoid neurons with fixed weights; called with bits, it gives a Value close to 0 or 1.

    >>> LogisticGate("XNOR")(0, 0).data
    0.99995...
    """

    def __init__(self, name: str) -> None:
        one_of("a gate", name, LOGISTIC_WEIGHTS)
        self.layers = [
            Layer.from_arrays([row[1:] for row in rows], [row[0] for row in rows], "sigmoid")
            for rows in LOGISTIC_WEIGHTS[name]
        ]
        self._gate = name

    def forward(self, *x: Any) -> Value:
        outputs: Any = list(x)
        for layer in self.layers:
            outputs = layer(outputs)
        return outputs[0]  # type: ignore[no-any-return]

    def describe(self) -> str:
        return f"LogisticGate({self._gate})"


def truth_table(gate: Callable[..., Any], nin: int = 2) -> list[tuple[tuple[int, ...], int]]:
    """The gate's answer, 0 or 1, for every combination of bits; a Value counts as 1 above ½."""
    answers = [(bits, gate(*bits)) for bits in product((0, 1), repeat=nin)]
    return [(bits, int((answer.data if isinstance(answer, Value) else answer) > 0.5)) for bits, answer in answers]


def answers(gate: Callable[..., Any], nin: int = 2) -> Sequence[int]:
    """The last column of the truth table, from all zeros to all ones."""
    return [answer for _, answer in truth_table(gate, nin)]


__all__ = ["LOGISTIC_WEIGHTS", "MCP", "MCP_GATES", "LogisticGate", "answers", "truth_table"]
