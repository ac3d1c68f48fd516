"""What each statement of a compiled program is, as data: for people, and for drawings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .program import Definition, Program, Put, Turns
from .program import Statement as Statements
from .symbols import Shape, Symbol
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
    gradients = {name for name, *_ in _arrays(program.backward)}
    results = {a.name for a in program.outputs.arrays if a.group is not None}
    steps: list[Statement] = []
    ops: dict[str, tuple[str, int]] = {}

    def gradient_of(name: str) -> str:
        return "d" + name if "d" + name in gradients else ""

    for array in program.layout.arrays:
        if array.group is not None:
            ops[array.name] = array.group.op, int((array.group.computed >= 0).sum())
        else:
            kind = {"argument": "argument", "theta": "parameter"}.get(array.bank, "constant")
            shape: tuple[int | str, ...] = array.shape
            if array.is_batched:
                shape = ("N", *shape) if program.layout.samples_first else (*shape, "N")
            steps.append(Statement(array.name, kind, shape, nodes=array.size, gradient=gradient_of(array.name)))
    constants = Constants()
    inlined: dict[str, Symbol | None] = {}
    for backward, statements in ((False, program.forward), (True, program.backward)):
        inlined |= {d.name: d.expression for d in statements if isinstance(d, Definition) and d.copy}
        for name, sizes, written in _arrays(statements):
            if name in inlined:
                constants.copies[name] = expression_text(written[0], constants)
                continue
            terms = tuple(_with_inlined(x, inlined) for x in written)
            op, nodes = ops.get(name, ("adjoint" if backward or not terms else terms[0].operator, 0))
            reads = [read for x in terms for read in _reads(x) if read not in program.masks]
            steps.append(
                Statement(
                    name,
                    op,
                    tuple("N" if s == -1 else f"{-s}N" if s < 0 else s for s in sizes),
                    tuple(dict.fromkeys(read for read in reads if read != name)),
                    nodes,
                    " + ".join(expression_text(x, constants) for x in written),
                    terms,
                    "" if backward else gradient_of(name),
                    backward,
                    not backward and name in results,
                )
            )
    return tuple(steps)


def _arrays(statements: Sequence[Statements]) -> list[tuple[str, Shape, tuple[Symbol, ...]]]:
    """The arrays that are defined, with their shapes, and what goes into them: in a loop, into each turn."""
    shapes: dict[str, Shape] = {}
    terms: dict[str, list[Symbol]] = {}
    waiting = [(d, False) for d in reversed(statements)]
    turning: set[str] = set()
    while waiting:
        d, in_turns = waiting.pop()
        if isinstance(d, Turns):
            waiting += [(inner, True) for inner in reversed(d.body)]
        elif isinstance(d, Put):
            name = d.target.base
            if in_turns and name not in turning:  # its place is among the turns, not where it begins
                turning.add(name)
                terms[name] = terms.pop(name, [])
            terms.setdefault(name, []).append(d.expression)
        else:
            shapes[d.name] = d.shape
            if d.expression is not None:
                terms.setdefault(d.name, []).append(d.expression)
            if d.stores:
                terms.setdefault(d.name, []).extend([s.expression for s in d.stores])
    return [(name, shapes[name], tuple(found)) for name, found in terms.items()]


def _with_inlined(x: Symbol, inlined: dict[str, Symbol | None]) -> Symbol:
    """A tree without names for what `write.readable` writes in their place."""
    found = inlined.get(x.detail.base) if x.operator == "leaf" else None
    if found is not None:
        return _with_inlined(found, inlined)
    arguments = tuple([_with_inlined(a, inlined) for a in x.arguments])
    return x if arguments == x.arguments else Symbol(x.operator, arguments, x.shape, x.detail, x.row)


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
