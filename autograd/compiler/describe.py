"""What each statement of a compiled program is, for people and for drawings: no text to parse, and no arrays."""

from __future__ import annotations

from dataclasses import dataclass

from .differentiate import Program, View
from .symbols import Symbol, leaves_of
from .write import expression_text, new_constants


@dataclass(frozen=True, slots=True)
class Statement:
    """One named array of the vectorised program.

    ``shape`` has "N" for the number of samples; ``inputs`` are the names of the arrays that it is computed from;
    ``nodes`` counts the scalar nodes that it stands for (0 for what has no node of its own, such as an adjoint).
    """

    name: str
    op: str  # "argument", "parameter", "constant", "linear", an operation of the sheet, "gather", "adjoint"
    shape: tuple[int | str, ...]
    inputs: tuple[str, ...]
    nodes: int
    formula: str
    backward: bool


def describe(program: Program) -> tuple[Statement, ...]:
    steps: list[Statement] = []
    ops: dict[str, tuple[str, int]] = {}
    for array in program.layout.arrays:
        if array.group is not None:
            ops[array.name] = array.group.op, array.size
        else:
            kind = {"argument": "argument", "theta": "parameter"}.get(array.bank, "constant")
            shape: tuple[int | str, ...] = (array.size, "N") if array.is_batched else array.matrix or (array.size,)
            steps.append(Statement(array.name, kind, shape, (), array.size, "", False))
    constants = new_constants()
    for backward, definitions in ((False, program.forward), (True, program.backward)):
        for d in definitions:
            parts: list[Symbol] = [
                *([d.expression] if d.expression is not None else []),
                *[s.expression for s in d.stores],
            ]
            inputs: dict[str, None] = {}
            for x in parts:
                for leaf in leaves_of(x):
                    view: View = leaf.detail
                    if view.base != "n":
                        inputs[view.base] = None
                if x.operator == "gather":
                    inputs |= {a.name: None for a in x.detail.arrays}
            op, nodes = ops.get(d.name, ("adjoint" if backward else "gather", 0))
            if d.expression is not None and d.expression.operator != "gather" and d.name not in ops and not backward:
                op = d.expression.operator
            size = tuple("N" if s == -1 else f"{-s}N" if s < 0 else s for s in d.shape)
            formula = " + ".join(expression_text(x, constants) for x in parts)
            steps.append(Statement(d.name, op, size, tuple(inputs), nodes, formula, backward))
    return tuple(steps)
