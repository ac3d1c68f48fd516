"""The derivatives that people read are printed from the rules: they say what the rules compute, in the usual words."""

from __future__ import annotations

import math
import re

import pytest

from autograd import SHEET, Value, ops
from autograd.formulas import printed
from autograd.ops import BUILT_IN
from autograd.value import record

BY_HAND = {"abs", "gelu", "maximum", "minimum", "where"}
FLAT = {"detach", "less", "less_equal", "equal"}


def test_no_more_than_five_lines_of_the_sheet_say_their_derivatives_by_hand() -> None:
    assert {name for name in BUILT_IN if SHEET[name].by_hand} == BY_HAND


@pytest.mark.parametrize(
    ("name", "text", "latex"),
    [
        ("add", ["1", "1"], ["1", "1"]),
        ("div", ["1/{b}", "−{a}/{b}²"], [r"\frac{{1}}{{{b}}}", r"-\frac{{{a}}}{{{b}^2}}"]),
        ("pow", ["{b}·{a}^({b}−1)", "{a}^{b}·log({a})"], [r"{b}\,{a}^{{{b}-1}}", r"{a}^{{{b}}}\ln {a}"]),
        ("reciprocal", ["−1/{a}²"], [r"-\frac{{1}}{{{a}^2}}"]),
        ("exp", ["exp({a})"], ["e^{{{a}}}"]),
        ("sqrt", ["1/(2·√{a})"], [r"\frac{{1}}{{2\sqrt{{{a}}}}}"]),
        ("tanh", ["1 − {y}²"], ["1 - {y}^2"]),
        ("sigmoid", ["{y}·(1 − {y})"], ["{y}(1 - {y})"]),
        ("relu", ["1 if {a} > 0 else 0"], [r"\mathbf{{1}}[{a} > 0]"]),
        ("acos", ["−1/√(1 − {a}²)"], [r"-\frac{{1}}{{\sqrt{{1 - {a}^2}}}}"]),
        ("atan2", ["{b}/({a}² + {b}²)", "−{a}/({a}² + {b}²)"], None),
        ("erf", ["2/√π·exp(−{a}²)"], [r"\frac{{2}}{{\sqrt{{\pi}}}}\,e^{{-{a}^2}}"]),
        ("logsumexp", ["exp({a} − {y})"], ["e^{{{a} - {y}}}"]),
        ("dot", ["{b}"], ["{b}"]),
    ],
)
def test_they_are_what_stands_in_the_books(name: str, text: list[str], latex: list[str] | None) -> None:
    assert list(SHEET[name].partial_formulas) == text
    assert latex is None or list(SHEET[name].partial_latex) == latex


WORDS = {name: getattr(math, name) for name in ("exp", "log", "sin", "cos", "sinh", "cosh", "sqrt", "pi")}


def evaluated(formula: str, **names: float) -> float:
    """A formula as text, computed by Python's own arithmetic."""
    written = formula.format(**{name: f"({x!r})" for name, x in names.items()})
    written = re.sub(r"√(\([^()]*(?:\([^()]*\)[^()]*)*\)|\w+)", r"sqrt(\1)", written)
    written = re.sub(r"\|([^|]+)\|", r"abs(\1)", written)
    for sign, operator in (("−", "-"), ("·", "*"), ("²", "**2"), ("^", "**"), ("≤", "<="), ("π", "pi"), ("σ", "sigma")):
        written = written.replace(sign, operator)
    return float(eval(written, WORDS | {"sigma": lambda x: 1 / (1 + math.exp(-x))}))


@pytest.mark.parametrize("name", sorted(BUILT_IN - BY_HAND - FLAT))
def test_read_as_arithmetic_they_are_the_derivatives(name: str) -> None:
    op = SHEET[name]
    for numbers in ([0.3, 0.7], [-0.6, 0.2], [0.9, -1.4]):
        inputs = [Value(x) for x in numbers[: op.arity or 2]]
        y = record(name, *inputs)
        if y.data != y.data:  # the logarithm of a negative number
            continue
        named = {"a": numbers[0], "b": numbers[1], "y": y.data}
        for formula, slope in zip(op.partial_formulas, y.local_derivatives, strict=False):
            if slope == slope:
                assert evaluated(formula, **named) == pytest.approx(slope, rel=1e-12), (name, formula)


def test_functions_for_which_latex_has_no_command_are_written_by_their_names() -> None:
    softsign = printed(lambda a: a / (1 + abs(a)), lambda y, a: [1 / (1 + abs(a)) ** 2], 1)
    assert softsign == [("1/(1 + |{a}|)²", r"\frac{{1}}{{(1 + \lvert {a} \rvert)^2}}")]
    angle = printed(lambda a, b: ops.erf(a) * ops.atan2(a, b), lambda y, a, b: [ops.atan2(a, b), ops.softplus(b)], 2)
    assert angle[0] == ("atan2({a}, {b})", r"\operatorname{{atan2}}({a}, {b})")
    assert angle[1][1] == r"\operatorname{{softplus}}({b})"
