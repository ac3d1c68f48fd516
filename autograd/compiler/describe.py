"""What each statement of a compiled program is, as data: for people, and for drawings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .differentiate import Definition, Program
from .symbols import Symbol
from .write import Constants, expression_text


@dataclass(frozen=True, slots=True)
class Statement:
    """One named array of the vectorised program.

    ``shape`` has "N" for the number of samples; ``inputs`` are the names of the arrays that it is computed from, as its
    formula names them from left to right; ``nodes`` counts the scalar nodes that it stands for (0 for what has no node
    of its own, such as an adjoint). ``terms`` are trees whose sum it is: see `Symbol`; a leaf's ``detail.base`` is the
    name of an array.
    """

    name: str
    op: str  # "argument", "parameter", "constant", "linear", an operation of the sheet, "gather", "adjoint"
    shape: tuple[int | str, ...]
    inputs: tuple[str, ...] = ()
    nodes: int = 0
    formula: str = ""
    terms: tuple[Symbol, ...] = field(default=(), repr=False, compare=False)  # the formula says the same
    gradient: str = ""  # the name of the statement that computes it, if there is one
    backward: bool = False  # it is part of the way back
    is_result: bool = False  # it holds something that the function returns


def describe(program: Program) -> tuple[Statement, ...]:
    gradients = {d.name for d in program.backward}
    results = _results(program)
    steps: list[Statement] = []
    ops: dict[str, tuple[str, int]] = {}

    def gradient_of(name: str) -> str:
        return "d" + name if "d" + name in gradients else ""

    for array in program.layout.arrays:
        if array.group is not None:
            ops[array.name] = array.group.op, array.size
        else:
            kind = {"argument": "argument", "theta": "parameter"}.get(array.bank, "constant")
            shape: tuple[int | str, ...] = (array.size, "N") if array.is_batched else array.shape
            steps.append(Statement(array.name, kind, shape, nodes=array.size, gradient=gradient_of(array.name)))
    constants = Constants()
    for backward, definitions in ((False, program.forward), (True, program.backward)):
        for d in definitions:
            terms = _terms(d)
            op, nodes = ops.get(d.name, ("adjoint" if backward else terms[0].operator, 0))
            steps.append(
                Statement(
                    d.name,
                    op,
                    tuple("N" if s == -1 else f"{-s}N" if s < 0 else s for s in d.shape),
                    tuple(dict.fromkeys(name for x in terms for name in _reads(x))),
                    nodes,
                    " + ".join(expression_text(x, constants) for x in terms),
                    terms,
                    "" if backward else gradient_of(d.name),
                    backward,
                    not backward and d.name in results,
                )
            )
    return tuple(steps)


def _terms(d: Definition) -> tuple[Symbol, ...]:
    return (*([] if d.expression is None else [d.expression]), *[s.expression for s in d.stores])


def _results(program: Program) -> set[str]:
    batched = [a for a in program.layout.arrays if a.bank == "batched"]
    return {a.name for a in batched if ((program.outputs >= a.start) & (program.outputs < a.start + a.size)).any()}


def _reads(x: Symbol) -> Iterator[str]:
    """The names of the arrays that a tree reads, from left to right."""
    waiting = [x]
    while waiting:
        s = waiting.pop()
        if s.operator == "gather":
            yield from [a.name for a in s.detail.arrays]
        elif s.operator == "leaf" and s.detail.base != "n":
            yield s.detail.base
        waiting += reversed(s.arguments)
