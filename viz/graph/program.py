"""The diagram of a compiled function: one part per array of the vectorised program, with shapes where numbers stand.

    x 64×N ──┐
    w1 32×64 ─ (@ +) z1 32×N ── (tanh) h1 32×N ── ...
    b1 32 ───┘       dz1

Above a wire stands the array's shape, N for the number of samples; below it the name that its gradient has in the
program, if it has one. What comes out is a `Diagram` like any other: arranged, painted and written as DOT by the same
code. Only the forward half is drawn; the backward half is the same picture, read from right to left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from autograd import SHEET, format_number
from autograd.messages import messages

from ..metrics import one_line
from .diagram import CIRCLES, SUMMARY_SIZE, SUPERSCRIPT, Diagram, Part, counted_in

if TYPE_CHECKING:
    from autograd.compiler.compiled import Compiled
    from autograd.compiler.describe import Statement
    from autograd.compiler.symbols import Symbol

ARRAYS = ("array", "arrays")
INPUTS = ("argument", "parameter", "constant")
MANY_NAMES = 6  # how many are listed in a note


def build(step: Compiled[Any], *, fmt: str = ".4g", depth: int | str | None = "auto", max_nodes: int = 200) -> Diagram:
    """Choose what to draw of a compiled function.

    Args:
        step: what `autograd.compile` returned.
        fmt: how the numbers in gates are written, such as the 2.5 of "×2.5".
        depth: 0 and "auto" leave out the arrays that stand for no node of the scalar graph, such as the largest entry
            that logsumexp subtracts; "all", or a number above 0, draws them.
        max_nodes: with depth "auto", the most parts that are drawn.
    """
    forward = [s for s in step.groups if not s.backward]
    helpers = _helpers(forward) if depth in ("auto", 0) else {}
    parts = _parts(forward, helpers, step.mean, fmt)
    if depth == "auto" and len(parts) > max_nodes:
        return _summary(parts, min(SUMMARY_SIZE, max_nodes - 1))
    note = ""
    if helpers:
        named = [*helpers][:MANY_NAMES] + ["…"] * (len(helpers) > MANY_NAMES)
        note = messages()["program-helpers"].format(names=", ".join(named))
    return Diagram(parts, note, len(forward), ARRAYS)


def rows(step: Compiled[Any], fmt: str) -> list[tuple[str, str, str, str]]:
    """The table of a compiled function: name, operation, inputs and shape of every array, those of gradients last."""
    table = [("name", "op", "inputs", "shape")]
    for s in step.groups:
        names: Sequence[str] = s.inputs
        if len(names) > MANY_NAMES:
            names = [*names[:4], "…", names[-1]]
        table.append((s.name, "gradient" if s.backward else _symbol(s, fmt), ", ".join(names), _shape(s)))
    return table


# --- what a statement says


def _shape(s: Statement) -> str:
    return "×".join(map(str, s.shape)) or "1"


_WORDS = {"@": "@", "*": "×", "sum": "Σ", "+": "+", "-": "−", "neg": "−"}
_COMPARISONS = {"<=": "≤", ">=": "≥", "==": "="}


def _symbol(s: Statement, fmt: str) -> str:
    """What the gate says."""
    if not s.terms:  # an argument, a parameter or a constant
        return s.op
    operator, operands = s.terms[0].operator, s.terms[0].arguments
    if s.op == "linear":
        if operator == "*" and operands[0].operator == "leaf" and operands[1].operator == "number":
            return "×" + format_number(operands[1].detail, fmt)
        found = _operators(s.terms[0])
        words = dict.fromkeys(word for operator, word in _WORDS.items() if operator in found)
        return " ".join(words) or SHEET["identity"].symbol
    if s.op in ("pow", "mul") and operator == "*" and _same(*operands):
        return "x²"
    if s.op == "pow":
        if operator != "pow" or operands[1].operator != "number":
            return "x^y" if len(s.inputs) == 2 else SHEET["pow"].symbol
        text = format_number(operands[1].detail, fmt)
        return "x" + text.translate(SUPERSCRIPT) if text.removeprefix("−").isdecimal() else f"x^{text}"
    if s.op in ("less", "less_equal", "equal") and operator == "where":
        condition, (_, right) = operands[0].operator, operands[0].arguments
        if right.operator == "number":
            sign = _COMPARISONS.get(condition, condition)
            return f"{sign} {format_number(right.detail, fmt)}" + "?" * (sign == "=")
    return CIRCLES.get(s.op) or (SHEET[s.op].symbol if s.op in SHEET else s.op)


def _operators(x: Symbol) -> set[str]:
    return {x.operator}.union(*map(_operators, x.arguments))


def _same(a: Symbol, b: Symbol) -> bool:
    """Whether two operands are one and the same, written twice."""
    return a is b or (a.operator == b.operator == "leaf" and a.detail.text == b.detail.text)


def _helpers(forward: Sequence[Statement]) -> dict[str, str]:
    """Arrays that stand for no node and serve one other array: each with the name of that one."""
    users: dict[str, list[str]] = {s.name: [] for s in forward}
    for s in forward:
        for name in s.inputs:
            users[name].append(s.name)
    return {
        s.name: users[s.name][0]
        for s in forward
        if s.nodes == 0 and s.op not in (*INPUTS, "gather") and len(users[s.name]) == 1
    }


# --- parts


def _parts(forward: Sequence[Statement], helpers: dict[str, str], mean: bool, fmt: str) -> list[Part]:
    """One part per array that the results depend on, inputs first."""
    said = messages()
    inputs = {s.name: s.inputs for s in forward}
    for helper, user in helpers.items():  # a helper comes before its user, so that what it reads is handed on
        merged = [y for x in inputs[user] for y in (inputs[helper] if x == helper else [x])]
        inputs[user] = tuple(dict.fromkeys(merged))
    used: set[str] = set()  # by what leads to a result
    for s in reversed(forward):
        if s.is_result or s.name in used:
            used.update(inputs[s.name])
    part_of: dict[str, int] = {}
    parts: list[Part] = []
    for s in forward:
        if s.is_result or s.name in used:
            part = _part(s, fmt)
            part.inputs = [part_of[name] for name in inputs[s.name] if name in part_of]
            for name in inputs[s.name]:
                if name not in part_of:  # in a loop: a wire would have to run back
                    part.tooltip = said["program-turn"].format(array=part.tooltip, name=name)
            part.locals_ = [None] * len(part.inputs)
            part_of[s.name] = len(parts)
            parts.append(part)
            if s.is_result and s.name in used:  # its wire goes on, so that the result gets an end of its own
                told = said["program-result"].format(name=part.name)
                part = Part("gate", part.name, "", "", "=", shape="pill", inputs=[len(parts) - 1], tooltip=told)
                part.locals_ = [None]
                parts.append(part)
            if s.is_result:
                part.is_root = True
                if mean:
                    part.name = f"mean({part.name})"
    return parts


def _part(s: Statement, fmt: str) -> Part:
    name, shape = one_line(s.name), _shape(s)
    said = messages()
    told = f"{name} = {s.formula}, {shape}" if s.formula else f"{s.op} {name}, {shape}"
    if s.op in INPUTS and not s.formula:
        told = said[f"program-{s.op}"].format(name=name, shape=shape)
    if s.nodes and s.op not in INPUTS:
        nodes = counted_in(said, s.nodes, "node") + (f" ({s.op})" if s.op in SHEET else "")
        told = said["program-stands-for"].format(array=told, nodes=nodes)
    if s.gradient:
        told = said["program-gradient"].format(array=told, g=s.gradient)
    if s.op == "constant":
        return Part("constant", name, shape, tooltip=told)
    if s.op in INPUTS:
        return Part("input", name, shape, s.gradient, is_parameter=s.op == "parameter", tooltip=told)
    symbol = _symbol(s, fmt)
    outline = "circle" if symbol in CIRCLES.values() and len(s.inputs) <= 2 else "pill"
    return Part("gate", name, shape, s.gradient, symbol, shape=outline, tooltip=told)


def _summary(parts: list[Part], budget: int) -> Diagram:
    """The arrays next to the result, and one box for everything before them."""
    distance = [0] * len(parts)  # along the longest path, so that whatever uses a drawn part is drawn too
    for i in range(len(parts) - 1, -1, -1):
        for source in parts[i].inputs:
            distance[source] = max(distance[source], distance[i] + 1)
    near = sorted(range(len(parts)), key=lambda i: (distance[i], -i))
    shown = sorted(near[:budget])
    hidden = [parts[i] for i in near[budget:]]
    gates = Counter(part.symbol for part in hidden if part.kind == "gate")
    said = messages()
    lines = [counted_in(said, len(hidden), ARRAYS[0])]
    if gates:
        common = [f"{n:,} {symbol}" for symbol, n in gates.most_common(4)]
        lines.append(",  ".join(common) + (",  …" if len(gates) > 4 else ""))
    lines += _counted(hidden)
    box = Part("folded", "", lines=tuple(lines), tooltip=", ".join(lines))
    place = {i: k for k, i in enumerate(shown, 1)}
    for i in shown:
        parts[i].inputs = list(dict.fromkeys(place.get(source, 0) for source in parts[i].inputs))
        parts[i].locals_ = [None] * len(parts[i].inputs)
    note = said["drawn-summary"].format(box=lines[0], n=len(parts))
    return Diagram([box, *(parts[i] for i in shown)], note, len(parts), ARRAYS)


def _counted(hidden: Sequence[Part]) -> Iterable[str]:
    kinds = {
        "result": sum(p.is_root for p in hidden),
        "parameter": sum(p.is_parameter for p in hidden),
        "argument": sum(p.kind == "input" and not p.is_parameter for p in hidden),
        "constant": sum(p.kind == "constant" for p in hidden),
    }
    return [counted_in(messages(), n, kind) for kind, n in kinds.items() if n]
