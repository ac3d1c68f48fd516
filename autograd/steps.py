"""The events that a person steps through: one per operation going forward, one per ``+=`` going backward.

Each event carries its numbers, and the same sentence three times: in words, as text, and as LaTeX. The generators
compute everything themselves and change no node, so one can step through a graph before, after or instead of calling
`backward`; the numbers are the same to the last bit, because the order of the additions is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .backward import contributions
from .graph import format_number, names_in_order, topological_order
from .messages import messages
from .notation import notation
from .ops import SHEET, Op
from .reals import CUT, to_float
from .value import Value


@dataclass(frozen=True, slots=True)
class ForwardStep:
    """One operation of the forward pass: ``node`` is computed from its inputs."""

    index: int
    node: Value
    op: str
    inputs: tuple[Value, ...]
    value: float
    words: str
    text: str
    latex: str


@dataclass(frozen=True, slots=True)
class BackwardStep:
    """One ``+=`` of the backward pass: ``node`` passes its gradient on to its input number ``position``.

    contribution = upstream · local, where upstream is ∂root/∂node and local is ∂node/∂input; ``total`` is the gradient
    of the input so far in this pass, this contribution included. If a choice (relu, maximum, ...) did not choose the
    input, local and contribution are 0, whatever upstream is.
    """

    index: int
    node: Value
    input: Value
    position: int
    upstream: float
    local: float
    contribution: float
    total: float
    words: str
    text: str
    latex: str
    local_text: str
    local_latex: str


def forward_steps(root: Value, *, lang: str | None = None) -> Iterator[ForwardStep]:
    """The forward pass over the graph that ends in ``root``, one event per computed node, inputs first.

    Args:
        root: the end of the graph.
        lang: the language of the words, ``en`` or ``zh``; by default that of the environment's ``CHAINRULE_LANG``.
    """
    said = messages(lang)["computed"]
    order = topological_order(root)
    name = names_in_order(order)
    for index, node in enumerate([node for node in order if node.inputs]):
        op = SHEET[node.op]
        called = [name[x] for x in node.inputs]
        numbers = [format_number(x.data) for x in node.inputs]
        y = format_number(node.data)
        formula, in_numbers = fill(op.formula, called), fill(op.formula, numbers)
        same = formula == in_numbers or in_numbers == y
        text = f"{name[node]} = {formula} = {y}" if same else f"{name[node]} = {formula} = {in_numbers} = {y}"
        latex = f"{latex_name(name[node])} = {fill(op.latex, [latex_name(n) for n in called])} = {latex_number(y)}"
        words = said.format(q=name[node], formula=formula, y=y)
        yield ForwardStep(index, node, node.op, node.inputs, node.data, words, text, latex)


def backward_steps(root: Value, gradient: float = 1.0, *, lang: str | None = None) -> Iterator[BackwardStep]:
    """The backward pass from ``root``, one event per contribution, in the order in which `backward` adds them.

    Args:
        root: the end of the graph.
        gradient: the seed, ∂root/∂root.
        lang: the language of the words, ``en`` or ``zh``; by default that of the environment's ``CHAINRULE_LANG``.
    """
    said = messages(lang)
    order = topological_order(root)
    name = names_in_order(order)
    for index, passed in enumerate(contributions(order, to_float(gradient))):
        node, _, position, *numbers = passed
        called = [name[n] for n in (node, *node.inputs)]
        yield BackwardStep(
            index,
            *passed,
            *_told(*numbers, f=name[root], q=called[0], v=called[1 + position], said=said),
            partial_formula(SHEET[node.op], position, called),
            partial_formula(SHEET[node.op], position, [latex_name(n) for n in called], latex=True),
        )


def _told(
    upstream: float, local: float, contribution: float, total: float, *, f: str, q: str, v: str, said: Mapping[str, str]
) -> tuple[str, str, str]:
    """What node q passes on to its input v in a backward pass from f: in words, as text and as LaTeX."""
    up, here, added, now = map(format_number, (upstream, local, contribution, total))
    lf, lq, lv = latex_name(f), latex_name(q), latex_name(v)
    if local is CUT and upstream - upstream != 0.0:  # inf × 0 would be nan: nothing is multiplied
        return (
            said["cut"].format(q=q, up=up, v=v, now=now),
            said["cut-text"].format(df=f"∂{f}/∂{v}", v=v, up=up),
            rf"\frac{{\partial {lf}}}{{\partial {lv}}} \mathrel{{+}}= 0 \quad \text{{(cut)}}",
        )
    return (
        said["passed"].format(q=q, up=up, v=v, here=here, added=added, now=now),
        f"∂{f}/∂{v} += ∂{f}/∂{q} · ∂{q}/∂{v} = {up} × {bracketed(here)} = {added}",
        rf"\frac{{\partial {lf}}}{{\partial {lv}}} \mathrel{{+}}= "
        rf"\frac{{\partial {lf}}}{{\partial {lq}}} \cdot \frac{{\partial {lq}}}{{\partial {lv}}} = "
        rf"{latex_number(up)} \times {latex_number(bracketed(here))} = {latex_number(added)}",
    )


# --- filling in formulas


def partial_formula(op: Op, position: int, called: list[str], *, latex: bool = False) -> str:
    """The formula of ∂node/∂input number ``position``; ``called`` names the node and then its inputs."""
    formulas = op.partial_latex if latex else op.partial_formulas
    y, inputs = called[0], called[1:]
    if op.arity is not None and (op.arity <= 2 or not op.custom):
        return _ONE_LESS.sub(_lowered, fill(formulas[position], inputs, y))
    partner = inputs[(position + len(inputs) // 2) % len(inputs)]
    return fill(formulas[position if op.arity else 0], [inputs[position], partner], y)


_ONE_LESS = re.compile(r"\^(?:\((−?\d+(?:\.\d+)?)−1\)|\{(-?\d+(?:\.\d+)?)-1\})")


def _lowered(match: re.Match[str]) -> str:
    """The exponent of a power's derivative where it is a number: 2·s, not 2·s^(2−1)."""
    exponent = format_number(float((match[1] or match[2]).replace("−", "-")) - 1.0)
    if exponent == "1":
        return ""
    return f"^{bracketed(exponent)}" if match[2] is None else f"^{{{latex_number(exponent)}}}"


_BEHIND_A_SIGN = re.compile(r"(?:[+−×/^·-]|\\,|\\cdot)\s*$")
_BEHIND_A_FUNCTION = re.compile(r"(?:√|log|sign\}*|\\(?!cdot)[a-z]+)\s*$")


def fill(template: str, inputs: list[str], y: str = "y") -> str:
    """A formula with names or numbers for {a}, {b}, {c} and {y}; a number that would be misread there gets brackets.

    What stands for any number of inputs, as (…) and Σ xᵢ·wᵢ do, is written out with them.
    """
    values = {"a": inputs[0], "b": inputs[-1] if len(inputs) == 1 else inputs[1], "c": inputs[-1], "y": y}

    def put(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]  # a doubled brace stands for one
        value = values[match[1]]
        before, after = template[: match.start()], template[match.end() :]
        negative = value.startswith(("−", "-"))
        is_product = r"\cdot" in value or "^" in value  # as 3 · 10^{-5} is one, or a power, as a name x^2 is
        is_operand = after.startswith(("^", "²")) or _BEHIND_A_FUNCTION.search(before)
        misread = (negative or is_product) if is_operand else negative and _BEHIND_A_SIGN.search(before)
        return f"({value})" if misread else value

    text = re.sub(r"\{\{|\}\}|\{([abcy])\}", put, template)
    for stand_in, written_out in _ANY_NUMBER.items():
        if stand_in in text:
            text = text.replace(stand_in, written_out(inputs))
    return text


def _in_a_row(inputs: list[str]) -> str:
    return f"({', '.join(inputs if len(inputs) <= 6 else [*inputs[:3], '…', inputs[-1]])})"


def _products(inputs: list[str], sign: str, more: str) -> str:
    """The inputs of a dot product, pair by pair."""
    half = len(inputs) // 2
    pairs = zip(inputs[:half], inputs[half:], strict=True)
    return _sum_of([sign.join(map(bracketed, pair)) for pair in pairs], more)


def _powers(inputs: list[str]) -> str:
    return _sum_of([f"e^{{{x}}}" for x in inputs], r"\cdots")


def _sum_of(terms: list[str], more: str) -> str:
    """The terms with plus signs between them; of many, the first two and the last."""
    return " + ".join(terms if len(terms) <= 4 else [*terms[:2], more, terms[-1]])


# What a formula says in place of any number of inputs, and how those are written out there.
_ANY_NUMBER: dict[str, Callable[[list[str]], str]] = {
    "Σ xᵢ·wᵢ": lambda inputs: _products(inputs, "·", "…"),
    r"\sum_i x_i w_i": lambda inputs: _products(inputs, r" \cdot ", r"\cdots"),
    r"\sum_i e^{x_i}": lambda inputs: f"({_powers(inputs)})",
    "(…)": _in_a_row,
    r"(\ldots)": _in_a_row,
}


def bracketed(name: str) -> str:
    """A factor or a further term, in brackets if it is a negative number, or in LaTeX a product such as 3 · 10^{-5}."""
    return f"({name})" if name.startswith(("−", "-")) or r"\cdot" in name else name


_SPECIAL = {"\\": r"\backslash ", "^": r"\hat{}", "~": r"\sim ", " ": r"\ "}
_SPECIAL |= {c: "\\" + c for c in "{}_%$#&"} | {c: f"{{{c}}}" for c in "<>=+-*/:,;"}  # no room as around a relation


def latex_name(name: str) -> str:
    """A node's name as LaTeX: as `notation` sets it, w0 as w_{0}, and any other name upright, as it was typed.

    The number that tells a name from an equal one, as in "w0 (2)", goes down, too: after the name it would look like a
    factor; and so would the 0 of w0.
    """
    if re.fullmatch(r"−?(\d[\d.]*(e[−+]\d+)?|inf|nan)", name):
        return latex_number(name)
    found = notation(name) or notation(re.sub(r"^([A-Za-z]+)(\d+)(?= |$)", r"\1_\2", name))
    if found:
        return found.latex
    word, _, nth = re.fullmatch(r"(.*?)( (\(\d+\)))?", name, re.DOTALL).groups(default="")  # type: ignore[union-attr]
    return rf"\mathrm{{{''.join(_SPECIAL.get(c, c) for c in word)}}}" + f"_{{{nth}}}" * bool(nth)


def latex_number(number: str) -> str:
    """A formatted number as LaTeX: 1e−05 becomes a power of ten, inf the symbol."""
    text = number.replace("−", "-")
    text = re.sub(r"e([+-]?)0*(\d+)", lambda m: rf" \cdot 10^{{{m[1].replace('+', '')}{m[2]}}}", text)
    return text.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
