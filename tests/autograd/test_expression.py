"""parse: the same numbers as Python itself, and a caret under the place where a formula goes wrong."""

from __future__ import annotations

import ast
import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import ExpressionError, Value, leaves, parse, topological_order
from autograd.hints import WRITTEN_OUT


def test_the_first_graph() -> None:
    f = parse("(x + y) * z", x=-2, y=5, z=-4)
    f.backward()
    assert f.data == -12.0
    assert {n.label: n.grad for n in leaves(f)} == {"x": -4.0, "y": -4.0, "z": 3.0}


def test_the_sigmoid_gate() -> None:
    f = parse("sigmoid(w0*x0 + w1*x1 + w2)", w0=2, x0=-1, w1=-3, x1=-2, w2=-3)
    assert f.data == pytest.approx(0.7310585786, abs=5e-11)


def test_a_name_used_twice_is_one_leaf_and_a_value_is_used_as_it_is() -> None:
    x = Value(3.0)
    f = parse("x * x + x", x=x)
    f.backward()
    assert x.grad == 7.0
    assert len(leaves(parse("x * x + x", {"x": 3}))) == 1


def test_named_steps_become_labels() -> None:
    f = parse("q = x + y; f = q * z", x=-2, y=5, z=-4)
    assert f.label == "f" and f.inputs[0].label == "q"
    g = parse("q = x\nr = q; q * r", x=2)
    assert g.data == 4.0
    assert {n.label for n in topological_order(g)} >= {"q", "r", "x"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-x**2", -9.0),
        ("2**-x", 0.125),
        ("2**3**2", 512.0),
        ("(2**3)**2", 64.0),
        ("x - 1 - 1", 1.0),
        ("x / 2 / 2", 0.75),
        ("--x", 3.0),
        ("+x", 3.0),
        ("2 * pi", 2 * math.pi),
        ("atan2(x, 0)", math.pi / 2),
        ("arctan(x) - atan(x)", 0.0),
        ("arcsin(x/6) + arccos(x/6)", math.pi / 2),
        ("hypot(x, 4)", 5.0),
        ("erf(x) + erfc(x)", 1.0),
        ("log1p(expm1(x))", 3.0),
        ("gelu(-x)", -3 * math.erfc(3 / math.sqrt(2)) / 2),
        ("max(x, 5, 1)", 5.0),
        ("min(x, 5)", 3.0),
        ("ln(exp(x))", 3.0),
        ("leaky_relu(-x)", -3.0 * 0.1),
        ("leaky_relu(-x, 0.5)", -1.5),
        ("logsumexp(x, x)", 3 + math.log(2)),
        ("1e-3 * x", 0.003),
        ("1/0*x", math.inf),
        ("(-8)**(1/3) * x", math.nan),
        ("  x  ", 3.0),
        ("x # a comment", 3.0),
    ],
)
def test_precedence_and_functions(text: str, value: float) -> None:
    names = {"x": 3} if "x" in text.replace("exp", "").replace("max", "") else {}
    f = parse(text, names)
    assert f.data == pytest.approx(value, abs=1e-15, nan_ok=True)


def test_any_name_may_be_given_even_that_of_a_parameter() -> None:
    assert parse("values + text * self", values=1, text=2, self=3).data == 7.0
    assert parse("σ₀ + ñ" if "σ₀".isidentifier() else "σ + ñ", {"σ": 1, "ñ": 2}).data == 3.0
    assert parse("pi + e", pi=1, e=2).data == 3.0


def random_expression(rng: random.Random, depth: int) -> str:
    if depth == 0 or rng.random() < 0.15:
        return rng.choice(["x", "y", "z", "2", "0.5", "3.25", "1e0", "7"])
    kind = rng.random()
    if kind < 0.55:
        space = rng.choice(["", " "])
        op = rng.choice(["+", "-", "*", "/", "**"])
        return f"{random_expression(rng, depth - 1)}{space}{op}{space}{random_expression(rng, depth - 1)}"
    if kind < 0.7:
        return rng.choice("-+") + random_expression(rng, depth - 1)
    if kind < 0.85:
        return f"({random_expression(rng, depth - 1)})"
    name = rng.choice(["sin", "cos", "tanh", "exp", "abs"])
    return f"{name}({random_expression(rng, depth - 1)})"


def test_random_expressions_equal_pythons_own_evaluation() -> None:
    rng = random.Random(7)
    functions = {"sin": math.sin, "cos": math.cos, "tanh": math.tanh, "exp": math.exp, "abs": math.fabs}
    compared = 0
    for _ in range(3000):
        text = random_expression(rng, rng.randint(1, 5))
        numbers = {"x": 1.7, "y": -0.6, "z": 0.25}
        numbers = {k: v for k, v in numbers.items() if k in text.replace("exp", "")}
        try:
            expected = eval(text, {"__builtins__": {}}, {**functions, **numbers})
        except (ArithmeticError, ValueError, TypeError):
            continue
        if isinstance(expected, complex) or not math.isfinite(expected):
            continue
        got = parse(text, numbers).data
        assert got == pytest.approx(expected, rel=1e-12, abs=1e-300), text
        compared += 1
    assert compared > 1500


# text, the values, what the message says, where the caret stands
BAD: list[tuple[str, dict[str, Any], str, int]] = [
    ("", {}, "empty", 0),
    ("   ", {}, "empty", 0),
    ("x + ", {"x": 1}, "ends too early", 3),
    ("x + y", {"x": 1}, "y has no value", 4),
    ("  x + yy * 2", {"x": 1}, "yy has no value", 6),
    ("x", {"x": 1, "w": 2}, "w has a value but is not in the formula", 1),
    ("x.real", {"x": 1}, "attribute", 0),
    ("x[0]", {"x": 1}, "square brackets", 0),
    ("1 + foo(x)", {"x": 1}, "unknown function foo", 4),
    ("softmax(x)", {"x": 1}, "several numbers", 0),
    ("x ^ 2", {"x": 1}, r"for a power write \*\*", 2),
    ("(x) // 2", {"x": 1}, "to divide write /", 4),
    ("x @ x", {"x": 1}, r"to multiply write \*", 2),
    ("x % 2", {"x": 1}, "remainder", 2),
    ("x < 2", {"x": 1}, "comparison", 0),
    ("x and x", {"x": 1}, "and/or", 0),
    ("not x", {"x": 1}, "sign", 0),
    ("~x", {"x": 1}, "sign", 0),
    ("x if x else 1", {"x": 1}, "an if", 0),
    ("lambda: 1", {}, "lambda", 0),
    ("[x]", {"x": 1}, "a list", 0),
    ("x, 1", {"x": 1}, "comma", 0),
    ("'a' + x", {"x": 1}, "text", 0),
    ("x + 1j", {"x": 1}, "complex number", 4),
    ("x + True", {"x": 1}, "True", 4),
    ("x + None", {"x": 1}, "None|this", 4),
    ("exp(x, 2)", {"x": 1}, "exp takes 1 input, but got 2", 0),
    ("exp()", {}, "exp takes 1 input|needs an input", 0),
    ("max()", {}, "at least one input|needs an input", 0),
    ("1 + exp(x=2)", {}, "by place", 10),
    ("exp(*x)", {"x": 1}, "star", 4),
    ("exp(**x)", {"x": 1}, "by place", 6),
    ("exp", {}, "exp is a function", 0),
    ("(x)(2)", {"x": 1}, r"to multiply write x\*", 1),
    ("exp(x)(2)", {"x": 1}, r"to multiply write \* before the bracket", 0),
    ("__import__('os').system('true')", {}, "plain name|unknown function", 0),
    ("import os", {}, "import", 0),
    ("x = 1", {"x": 1}, "already has a value", 0),
    ("q = 1; q = 2", {}, "q already has a value", 7),
    ("q = x; q * 2; q", {"x": 1}, "only the last step", 7),
    ("x + 1 = 2", {"x": 1}, "equals sign", 0),
    ("f(x) = x**2", {"x": 1}, r"without its inputs: f = ..., not f\(x\) = ...", 0),
    ("a = b = x", {"x": 1}, "equals sign", 0),
    ("a, b = x", {"x": 1}, "equals sign", 0),
    ("x += 1", {"x": 1}, "cannot be used", 0),
    ("for i in x: i", {"x": 1}, "cannot be used", 0),
    ("(" * 200 + "x" + ")" * 200, {"x": 1}, "nested too deeply", 150),
    ("x" * 1_000_001, {}, "1,000,001 characters", 1_000_000),
    ("q = x\nq * w", {"x": 1}, "w has no value", 10),
    ("q = x\r\nq * w", {"x": 1}, "w has no value", 11),
    ("q = x\rq * w", {"x": 1}, "w has no value", 10),
    ("x", {"x": 1, "two\nlines": 2}, "two lines has a value", 1),
    ("é + w", {"é": 1}, "w has no value", 4),
    ("x +\x00 1", {"x": 1}, "cannot be read", 3),
    ("# nothing", {}, "empty", 0),
    ("9" * 400 + " * x", {"x": 1}, "too large for a float", 0),
    ("(y := x)", {"x": 1}, ":=", 1),
    ("f'{x}'", {"x": 1}, "text", 0),
    ("identity(x)", {"x": 1}, "unknown function", 0),
    ("dot(x, x)", {"x": 1}, "unknown function", 0),
    ("x $ 2", {"x": 1}, "invalid|cannot", 2),
    ("x 2", {"x": 1}, r"to multiply write \*", 2),
    ("2x", {"x": 1}, r"between a number and a name write \*", 0),
    ("2(x + 1)", {"x": 1}, r"to multiply write \* before the bracket", 0),
    ("x(x + 1)", {"x": 1}, r"x is a number; to multiply write x\*", 0),
    ("sin x", {"x": 1}, r"sin needs brackets, as in sin\(x\)", 4),
    ("2 * lambda", {"x": 1}, "lambda is a word of Python's own", 4),
    ("q = x, f = q", {"x": 1}, "separate steps with ;", 0),
    ("x²", {"x": 1}, r"for a power write \*\*", 1),
    ("√x", {"x": 1}, r"for a root write sqrt\(x\)", 0),
    ("|x|", {"x": 1}, r"for \|x\| write abs\(x\)", 0),
    ("sigmod(x)", {"x": 1}, "did you mean sigmoid?", 0),
    ("silu(x)", {"x": 1}, r"unknown function silu; silu\(x\) is x\*sigmoid\(x\)", 0),
    ("atanh(x)", {"x": 1}, r"atanh\(x\) is \(log1p", 0),
    ("atna(x)", {"x": 1}, "did you mean atan?", 0),
    ("x + a*b", {"x": 1}, "a and b have no values; give them, as in a=2 b=2", 4),
    ("e**x", {"x": 1}, r"for the exponential function write exp\(x\)", 0),
    ("X", {"x": 1}, "x has one, but capitals count", 0),
    ("xy", {"x": 1, "y": 2}, r"did you mean x\*y?", 0),
    ("sinx", {"x": 1}, r"did you mean sin\(x\)?", 0),
    ("(x + 2", {"x": 1}, "never closed|too early", 0),
    ("x + 2)", {"x": 1}, "unmatched|too early", 5),
]


@pytest.mark.parametrize(("text", "values", "says", "column"), BAD, ids=[b[0][:30] for b in BAD])
def test_a_bad_formula_gets_one_line_and_a_caret_at_the_place(
    text: str, values: dict[str, Any], says: str, column: int
) -> None:
    with pytest.raises(ExpressionError, match=says) as caught:
        parse(text, values)
    error = caught.value
    assert error.column == column
    well_formed(error, text)


def well_formed(error: ExpressionError, text: str) -> None:
    assert error.message and "\n" not in error.message and len(error.message) < 400
    assert error.text == text
    assert 0 <= error.column <= len(text)
    lines = str(error).split("\n")
    assert len(lines) == 3, lines
    assert lines[0] == error.message and lines[2].strip() == "^"
    place = lines[2].index("^")
    if error.column < len(text) and text[error.column].isprintable():
        assert lines[1][place] == text[error.column], "the caret must stand under the character that is meant"


def test_absurdly_deep_formulas_are_refused() -> None:
    for text in ("-" * 9000 + "x", "**".join(["x"] * 3000), "exp(" * 140 + "-" * 600 + "x" + ")" * 140):
        with pytest.raises(ExpressionError, match="nested") as caught:
            parse(text, x=1)
        well_formed(caught.value, text)


def test_a_sum_or_product_may_have_as_many_terms_as_one_likes() -> None:
    numbers = {f"w{i}": i for i in range(4000)}
    f = parse(" + ".join(f"w{i}*x" for i in range(4000)), numbers, x=0.5)
    f.backward()
    by_label = {n.label: n.grad for n in leaves(f)}
    assert f.data == 3999000.0 and by_label["x"] == 7998000.0 and by_label["w3999"] == 0.5
    assert parse(" - ".join(["x"] * 10_000), x=1).data == -9998.0
    assert parse(" * ".join(["x"] * 4000), x=1).data == 1.0
    assert parse(f"q = max({'+'.join(['x'] * 4000)}, 7); q / 2", x=1).data == 2000.0
    short, long = parse("x - y/x*y + 1", x=3, y=2), parse("x - y/x*y + 1" + " + 0" * 4000, x=3, y=2)
    assert short.data == long.data
    with pytest.raises(ExpressionError, match="y has no value") as caught:
        parse("+".join(["x"] * 4000) + "+y", x=1)
    assert caught.value.column == 8000


# (but for numbers that start with 0, which Python warns of or refuses)
tokens = st.sampled_from(
    [*"xy12.+-*/(),;=\n #<", "**", "exp(", "max(", "where(", "1e5", "None", "é", "if", "not ", "=="]
)


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@settings(max_examples=200, deadline=None)
@given(st.lists(tokens, max_size=12).map("".join))
def test_what_can_be_read_is_python_and_as_python_reads_it(text: str) -> None:
    try:
        root = parse(text, {name: k + 1.5 for k, name in enumerate("xyé") if name in text.partition("#")[0]})
    except (ExpressionError, RecursionError):
        return
    words: dict[str, Any] = {"exp": autograd.exp, "max": autograd.maximum, "where": autograd.where, "Value": Value}
    words |= {name: Value(k + 1.5, name) for k, name in enumerate("xyé")}
    for step in ast.parse("\n".join(map(str.strip, text.split("\n")))).body:
        tree = ast.fix_missing_locations(ast.Expression(InValues().visit(step.value)))  # type: ignore[attr-defined]
        value = eval(compile(tree, "", "eval"), words)
        if isinstance(step, ast.Assign):
            words[step.targets[0].id] = value  # type: ignore[attr-defined]
    assert repr(root.data) == repr(value.data), text


class InValues(ast.NodeTransformer):
    """Makes a Value of each number, since 1/0 of plain ones is an error in Python."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Call(ast.Name("Value", ast.Load()), [node], [])


def test_a_value_that_is_not_a_number_is_a_type_error() -> None:
    for wrong in ("1", None, [1], 1j):
        with pytest.raises(TypeError, match="must be a number"):
            parse("x + 1", x=wrong)
    for formula in (None, 5, b"x"):
        with pytest.raises(TypeError, match="a formula is text"):
            parse(formula)  # type: ignore[arg-type]


pieces = st.sampled_from(
    [
        "x",
        "y",
        "1",
        "2.5",
        "+",
        "-",
        "*",
        "/",
        "**",
        "(",
        ")",
        ",",
        ";",
        "=",
        " ",
        "\n",
        "\r",
        "\t",
        "\f",
        "exp",
        "max",
        ".",
        "[",
        "]",
    ]
    + [
        "'",
        '"',
        "#",
        "\\",
        "é",
        "😀",
        "lambda",
        "if",
        "for",
        "0x",
        "1e999",
        "_",
        ":",
        "~",
        "@",
        "^",
        "%",
        "//",
        "\x00",
        "\u2028",
        "1if",
    ]
)


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=40), st.lists(pieces, max_size=14).map("".join)))
def test_no_text_ever_gives_another_error(text: str) -> None:
    try:
        root = parse(text, {})
    except ExpressionError as error:
        well_formed(error, text)
    else:
        assert isinstance(root, Value)


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@settings(max_examples=250, deadline=None)
@given(st.lists(pieces, max_size=14).map("".join))
def test_no_text_with_values_ever_gives_another_error(text: str) -> None:
    try:
        root = parse(text, {"x": 1.0, "y": 2})
    except ExpressionError as error:
        well_formed(error, text)
    else:
        assert isinstance(root, Value)


def test_signs_as_books_and_our_own_tables_write_them_are_read() -> None:
    values = {"x": 3.0, "y": 4.0}
    assert parse("x·y", values).data == 12.0
    assert parse("(x × y) ÷ 2 − 1", values).data == 5.0
    assert parse("σ(x)*y", values).data == parse("sigmoid(x)*y", values).data
    with pytest.raises(ExpressionError, match="ends too early") as caught:
        parse("x · y ·", values)
    assert caught.value.text == "x · y ·"  # the message shows what was typed


def test_what_a_chinese_keyboard_types_and_what_is_copied_from_a_page_is_read() -> None:
    values = {"x": 3.0, "y": 4.0}
    assert parse("（x＋y）＊２；", values).data == 14.0
    assert parse("ｑ ＝ x／y； max（ｑ，x－０．５）", values).data == 2.5
    assert parse("where（x＜y，１，２）\u3000+\u00a0x", values).data == 4.0
    with pytest.raises(ExpressionError, match="never closed") as caught:
        parse("２＊（x", values)
    assert (caught.value.text, caught.value.column) == ("２＊（x", 2)


@pytest.mark.parametrize(("sign", "name"), [("\u200b", "ZERO WIDTH SPACE"), ("\ufeff", "ZERO WIDTH NO-BREAK SPACE")])
def test_a_character_that_is_not_to_be_seen_is_named(sign: str, name: str) -> None:
    with pytest.raises(ExpressionError, match=f"cannot be read: it is {name}, which is not to be seen"):
        parse(f"x{sign} + 1", x=1)


@pytest.mark.parametrize("values", [[2, 3], 2.0, Value(1.0), "x=2"])
def test_values_that_are_no_dict_are_told_how_they_are_given(values: Any) -> None:
    with pytest.raises(TypeError, match=r"as in parse\('x\*y', x=2, y=3\), but got"):
        parse("x*y", values)


# name: the same function from elsewhere, and where to ask it
ELSEWHERE: dict[str, Any] = {
    "acosh": math.acosh,
    "asinh": math.asinh,
    "atanh": math.atanh,
    "cbrt": math.cbrt,
    "cot": lambda x: 1 / math.tan(x),
    "csc": lambda x: 1 / math.sin(x),
    "exp2": math.exp2,
    "hardsigmoid": "nn.functional.hardsigmoid",
    "hardswish": "nn.functional.hardswish",
    "log10": math.log10,
    "log2": math.log2,
    "logit": "logit",
    "logsigmoid": "nn.functional.logsigmoid",
    "sec": lambda x: 1 / math.cos(x),
    "sign": "sign",
    "sinc": "sinc",
    "square": "square",
    "swish": "nn.functional.silu",
}


@pytest.mark.parametrize("name", WRITTEN_OUT)
def test_a_function_that_has_no_name_here_is_written_out_and_not_taken_for_a_misspelt_other_one(name: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(f"{name}(x)", x=1)
    assert f"{name}(x) is {WRITTEN_OUT[name]}" in str(caught.value) and "did you mean" not in str(caught.value)
    theirs = ELSEWHERE.get(name, f"nn.functional.{name}")
    for x in (1.5,) if name == "acosh" else (0.3, 0.9) if name == "logit" else (-0.7, 0.4):
        if isinstance(theirs, str):
            torch = pytest.importorskip("torch")
            f = torch
            for part in theirs.split("."):
                f = getattr(f, part)
            expected = f(torch.tensor(x, dtype=torch.float64)).item()
        elif name.startswith("log"):
            x, expected = abs(x), theirs(abs(x))
        else:
            expected = theirs(x)
        given = {"x": x}
        assert parse(WRITTEN_OUT[name], given).data == pytest.approx(expected, rel=1e-14), x


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("where(x > 0, 1, 2) + {}", 4001.0),
        ("where(x > 0, {}, 2)", 4000.0),
        ("q = {}; where(q >= 4000, q, 2)", 4000.0),
        ("max({}, x)", 4000.0),
    ],
)
def test_a_long_formula_may_choose_and_compare(text: str, value: float) -> None:
    assert parse(text.format("+".join(["x"] * 4000)), x=1.0).data == value
