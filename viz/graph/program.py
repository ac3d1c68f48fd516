"""The diagram of a compiled function: one part per array of the vectorised program, with shapes where numbers stand.

    x 64×N ──┐
    w1 32×64 ─ (@ +) z1 32×N ── (tanh) h1 32×N ── ...
    b1 32 ───┘       dz1

Above a wire stands the array's shape, N for the number of samples; below it the name that its gradient has in the
program, if it has one. What comes out is a `Diagram` like any other: arranged, painted and written as DOT by the same
code. Only the forward half is drawn; the backward half is the same picture, read from right to left.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from autograd import SHEET, format_number

from ..metrics import one_line
from .diagram import CIRCLES, SUMMARY_SIZE, SUPERSCRIPT, Diagram, Part, count

if TYPE_CHECKING:
    from autograd.compiler.compiled import Compiled
    from autograd.compiler.describe import Statement

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
    statements = step.groups
    inputs = {s.name: _in_order(s) for s in statements}
    forward = [s for s in statements if not s.backward]
    helpers = _helpers(forward, inputs) if depth in ("auto", 0) else {}
    results = _results(step)
    parts = _parts(forward, inputs, helpers, results, {s.name for s in statements if s.backward}, step.mean, fmt)
    if depth == "auto" and len(parts) > max_nodes:
        return _summary(parts, min(SUMMARY_SIZE, max_nodes - 1))
    note = ""
    if helpers:
        named = [*helpers][:MANY_NAMES] + ["…"] * (len(helpers) > MANY_NAMES)
        note = f"Inside their gates: {', '.join(named)}. draw_graph(…, depth='all') draws them."
    return Diagram(parts, note, len(forward), ARRAYS)


def rows(step: Compiled[Any], fmt: str) -> list[tuple[str, str, str, str]]:
    """The table of a compiled function: name, operation, inputs and shape of every array, those of gradients last."""
    table = [("name", "op", "inputs", "shape")]
    for s in step.groups:
        names = _in_order(s)
        if len(names) > MANY_NAMES:
            names = [*names[:4], "…", names[-1]]
        table.append((s.name, "gradient" if s.backward else _symbol(s, fmt), ", ".join(names), _shape(s)))
    return table


# --- what a statement says


def _in_order(s: Statement) -> list[str]:
    """The inputs as the formula names them, from left to right."""
    place = {word: -i for i, word in enumerate(reversed(re.findall(r"\w+", s.formula)))}
    return sorted(s.inputs, key=lambda name: place.get(name, 1))


def _shape(s: Statement) -> str:
    return "×".join(map(str, s.shape)) or "1"


# in a linear statement: indices, the shapes and axes of functions, and numbers, none of which is an operation
_NUMBER = r"-?\b\d[\d.]*(?:e[-+]?\d+)?"
_NOT_OPERATIONS = re.compile(rf"\[[^\]]*\]|\.reshape\([^)]*\)|{_NUMBER}")
_WORDS = {"@": "@", "*": "×", "sum(": "Σ", "+": "+", "-": "−"}


def _symbol(s: Statement, fmt: str) -> str:
    """What the gate says."""
    if s.op == "linear":
        scaled = re.fullmatch(rf"\w+(?:\[[^\]]*\])? \* ({_NUMBER})", s.formula)
        if scaled:
            return "×" + format_number(float(scaled[1]), fmt)
        text = _NOT_OPERATIONS.sub(" ", s.formula)
        return " ".join(word for sign, word in _WORDS.items() if sign in text) or SHEET["identity"].symbol
    if s.op in ("pow", "mul") and re.fullmatch(r"(.+) \* \1", s.formula):
        return "x²"
    if s.op == "pow":
        exponent = re.search(rf"\*\* \(?({_NUMBER})\)?$", s.formula)
        if not exponent:
            return "x^y" if len(s.inputs) == 2 else SHEET["pow"].symbol
        text = format_number(float(exponent[1]), fmt)
        return "x" + text.translate(SUPERSCRIPT) if re.fullmatch(r"−?\d+", text) else f"x^{text}"
    if s.op in ("less", "less_equal", "equal"):
        number = re.fullmatch(rf"where\((?:.+) (<=?|>=?|==) ({_NUMBER}), 1\.0, 0\.0\)", s.formula)
        if number:
            sign = {"<=": "≤", ">=": "≥", "==": "="}.get(number[1], number[1])
            return f"{sign} {format_number(float(number[2]), fmt)}" + "?" * (sign == "=")
    return CIRCLES.get(s.op) or (SHEET[s.op].symbol if s.op in SHEET else s.op)


def _results(step: Compiled[Any]) -> set[str]:
    """The arrays that hold what the function returns."""
    layout = step._layout
    return {layout.arrays[k].name for k in set(layout.array_of[step._outputs].tolist())}


def _helpers(forward: Sequence[Statement], inputs: dict[str, list[str]]) -> dict[str, str]:
    """Arrays that stand for no node and serve one other array: each with the name of that one."""
    users: dict[str, list[str]] = {s.name: [] for s in forward}
    for s in forward:
        for name in inputs[s.name]:
            users[name].append(s.name)
    return {
        s.name: users[s.name][0]
        for s in forward
        if s.nodes == 0 and s.op not in (*INPUTS, "gather") and len(users[s.name]) == 1
    }


# --- parts


def _parts(
    forward: Sequence[Statement],
    inputs: dict[str, list[str]],
    helpers: dict[str, str],
    results: set[str],
    gradients: set[str],
    mean: bool,
    fmt: str,
) -> list[Part]:
    """One part per array that the results depend on, inputs first."""
    for helper, user in helpers.items():  # a helper comes before its user, so that what it reads is handed on
        merged = [y for x in inputs[user] for y in (inputs[helper] if x == helper else [x])]
        inputs[user] = list(dict.fromkeys(merged))
    used: set[str] = set()  # by what leads to a result
    for s in reversed(forward):
        if s.name in results or s.name in used:
            used.update(inputs[s.name])
    part_of: dict[str, int] = {}
    parts: list[Part] = []
    for s in forward:
        if s.name in results or s.name in used:
            part = _part(s, "d" + s.name if "d" + s.name in gradients else "", fmt)
            part.inputs = [part_of[name] for name in inputs[s.name]]
            part.locals_ = [None] * len(part.inputs)
            part_of[s.name] = len(parts)
            parts.append(part)
            if s.name in results and s.name in used:  # its wire goes on, so that the result gets an end of its own
                told = f"{part.name} is a result"
                part = Part("gate", part.name, "", "", "=", "pill", inputs=[len(parts) - 1], tooltip=told)
                part.locals_ = [None]
                parts.append(part)
            if s.name in results:
                part.is_root = True
                if mean:
                    part.name = f"mean({part.name})"
    return parts


def _part(s: Statement, gradient: str, fmt: str) -> Part:
    name, shape = one_line(s.name), _shape(s)
    told = f"{name} = {s.formula}, {shape}" if s.formula else f"{s.op} {name}, {shape}"
    if s.nodes and s.op not in INPUTS:
        told += f", for {count(s.nodes, 'node', 'nodes')}" + (f" ({s.op})" if s.op in SHEET else "")
    if gradient:
        told += f"; gradient {gradient}"
    if s.op == "constant":
        return Part("constant", name, shape, tooltip=told)
    if s.op in INPUTS:
        return Part("input", name, shape, gradient, is_parameter=s.op == "parameter", tooltip=told)
    symbol = _symbol(s, fmt)
    outline = "circle" if symbol in CIRCLES.values() and len(s.inputs) <= 2 else "pill"
    return Part("gate", name, shape, gradient, symbol, outline, tooltip=told)


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
    lines = [count(len(hidden), *ARRAYS)]
    if gates:
        common = [f"{n:,} {symbol}" for symbol, n in gates.most_common(4)]
        lines.append(",  ".join(common) + (",  …" if len(gates) > 4 else ""))
    lines += _counted(hidden)
    box = Part("folded", "", lines=tuple(lines), tooltip=", ".join(lines))
    place = {i: k for k, i in enumerate(shown, 1)}
    for i in shown:
        parts[i].inputs = list(dict.fromkeys(place.get(source, 0) for source in parts[i].inputs))
        parts[i].locals_ = [None] * len(parts[i].inputs)
    note = f"{lines[0]} folded. draw_graph(…, max_nodes={len(parts)}) draws all of them."
    return Diagram([box, *(parts[i] for i in shown)], note, len(parts), ARRAYS)


def _counted(hidden: Sequence[Part]) -> Iterable[str]:
    kinds = (
        ("result", "results", sum(p.is_root for p in hidden)),
        ("parameter", "parameters", sum(p.is_parameter for p in hidden)),
        ("argument", "arguments", sum(p.kind == "input" and not p.is_parameter for p in hidden)),
        ("constant", "constants", sum(p.kind == "constant" for p in hidden)),
    )
    return [count(n, one, many) for one, many, n in kinds if n]


__all__ = ["build", "rows"]
