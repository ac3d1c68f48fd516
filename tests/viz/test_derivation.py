"""`draw_derivation`: every path from a leaf to the root, in symbols, formulas and numbers, and their sum."""

from __future__ import annotations

import math
import pickle
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Value, backward_steps, dot, leaves, recompute, scope, topological_order
from autograd.ops import LEAF
from viz import Derivation, draw_derivation
from viz.graph.diagram import OUTDATED
from viz.lettering import spans_in

from .graphs import chain, doubled, network, product_of_a_sum, random_graphs, sigmoid_gate, strange_names


def gradients(root: Value) -> dict[Value, float]:
    """∂root/∂node as the backward pass adds them up, without touching any `.grad`."""
    total = {root: 1.0}
    for step in backward_steps(root):
        total[step.input] = step.total
    return total


# --- what is written


def test_one_path_in_symbols_formulas_and_numbers() -> None:
    assert str(draw_derivation(product_of_a_sum(), "x")) == (
        "x = −2, y = 5, z = −4\n"
        "q = x + y = −2 + 5 = 3\n"
        "f = q × z = 3 × (−4) = −12\n"
        "\n"
        "∂f/∂x = ∂f/∂q · ∂q/∂x\n"
        "      = z · 1\n"
        "      = −4 × 1\n"
        "      = −4"
    )


def test_the_same_as_latex() -> None:
    assert draw_derivation(product_of_a_sum(), "x").to_latex() == (
        "\\begin{aligned}\n"
        "x &= -2,\\quad y = 5,\\quad z = -4 \\\\\n"
        "q &= x + y = 3 \\\\\n"
        "f &= q \\cdot z = -12 \\\\[1.5ex]\n"
        "\\frac{\\partial f}{\\partial x} &= "
        "\\frac{\\partial f}{\\partial q} \\cdot \\frac{\\partial q}{\\partial x} \\\\\n"
        " &= z \\cdot 1 \\\\\n"
        " &= -4 \\times 1 \\\\\n"
        " &= -4\n"
        "\\end{aligned}"
    )


def test_the_definitions_can_be_left_out() -> None:
    lines = draw_derivation(product_of_a_sum(), "x").to_latex(definitions=False).splitlines()
    assert len(lines) == 6 and lines[1].startswith(r"\frac{\partial f}{\partial x} &= ")


def test_the_sigmoid_gate_of_the_lecture() -> None:
    derivation = draw_derivation(sigmoid_gate(), "w0")
    chain = str(derivation).split("\n\n")[1].splitlines()
    assert chain == [
        "∂f/∂w0 = ∂f/∂v7 · ∂v7/∂v6 · ∂v6/∂v5 · ∂v5/∂v4 · ∂v4/∂v3 · ∂v3/∂v1 · ∂v1/∂w0",
        "       = −1/v7² · 1 · exp(v5) · (−1) · 1 · 1 · x0",
        "       = −0.5344 × 1 × 0.3679 × (−1) × 1 × 1 × (−1)",
        "       = −0.1966",
    ]
    s = 1 / (1 + math.exp(-1))
    assert derivation.value == pytest.approx(-s * (1 - s), rel=1e-14)


def test_two_cases_of_the_chain_rule_one_path_and_several() -> None:
    """Curriculum A5: z = k(x, y) with x = g(s), y = h(s)."""
    s = Value(2.0, "s")
    x, y = s**2, s.sin()
    x.label, y.label = "x", "y"
    z = x * y
    z.label = "z"
    assert str(draw_derivation(x, s)).split("\n\n")[1].splitlines() == ["∂x/∂s = 2·s", "      = 4"]
    derivation = draw_derivation(z)
    assert str(derivation).split("\n\n")[1].splitlines() == [
        "∂z/∂s = ∂z/∂x · ∂x/∂s + ∂z/∂y · ∂y/∂s",
        "      = y · 2·s + x · cos(s)",
        "      = 0.9093 × 4 + 4 × (−0.4161)",
        "      = 3.637 + (−1.665)",
        "      = 1.973",
    ]
    assert [p.contribution for p in derivation.paths] == pytest.approx([4 * math.sin(2), 4 * math.cos(2)], rel=1e-14)
    assert derivation.value == pytest.approx(4 * math.sin(2) + 4 * math.cos(2), rel=1e-14)


def test_many_factors_have_a_line_for_each_path() -> None:
    s = Value(2.0, "s")
    x, y = s * 3, s * 5
    x.label, y.label = "x", "y"
    assert str(draw_derivation(2 * (x * y + x))).split("\n\n")[1].splitlines() == [
        "∂f/∂s = ∂f/∂v2 · ∂v2/∂v1 · ∂v1/∂x · ∂x/∂s",
        "        + ∂f/∂v2 · ∂v2/∂v1 · ∂v1/∂y · ∂y/∂s",
        "        + ∂f/∂v2 · ∂v2/∂x (direct) · ∂x/∂s",
        "      = 2 · 1 · y · 3",
        "        + 2 · 1 · x · 5",
        "        + 2 · 1 · 3",
        "      = 2 × 1 × 10 × 3",
        "        + 2 × 1 × 6 × 5",
        "        + 2 × 1 × 3",
        "      = 60 + 60 + 6",
        "      = 126",
    ]


def test_an_input_that_is_used_twice_has_two_paths() -> None:
    derivation = draw_derivation(doubled())
    assert [path.positions for path in derivation.paths] == [(0,), (1,)]
    assert derivation.value == 2.0
    assert str(derivation).endswith("∂b/∂a = ∂b/∂a (input 1) + ∂b/∂a (input 2)\n      = 1 + 1\n      = 2")
    assert r"\left.\frac{\partial b}{\partial a}\right|_{\text{input 2}}" in derivation.to_latex()


def test_a_local_derivative_is_told_from_the_whole_one() -> None:
    x = Value(2.0, "x")
    chain = str(draw_derivation(x * (x + 1))).split("\n\n")[1]
    assert chain.startswith("∂f/∂x = ∂f/∂x (direct) + ∂f/∂v1 · ∂v1/∂x\n")


@pytest.mark.parametrize(
    ("root", "line"),
    [
        (lambda x, w: w * x.tanh(), "= w · (1 − v1²)"),  # a sum beside another factor
        (lambda x, w: w * x.relu(), "= w · (1 if x > 0 else 0)"),
        (lambda x, w: w * (-x), "= w · (−1)"),  # a minus sign after another sign
        (lambda x, w: (-x) * w, "= w · (−1)"),
        (lambda x, w: -(x * w), "= −1 · w"),  # but not at the beginning
        (lambda x, w: w * x.sigmoid(), "= w · v1·(1 − v1)"),  # a sum that has its brackets
    ],
)
def test_brackets_where_a_factor_would_be_misread(root: object, line: str) -> None:
    f = root(Value(2.0, "x"), Value(3.0, "w"))  # type: ignore[operator]
    assert line in [row.strip() for row in str(draw_derivation(f, "x")).splitlines()]


def test_a_long_product_goes_on_in_the_next_line() -> None:
    text = str(draw_derivation(chain(20)))
    assert max(map(len, text.splitlines())) < 110
    assert text.count("∂v2/∂v1 ") == 1 and text.count("\n          · ") == 4


def test_a_derivative_by_the_root_itself_is_one() -> None:
    f = product_of_a_sum()
    assert str(draw_derivation(f, f)) == "∂f/∂f = 1"
    assert draw_derivation(f, f).value == 1.0


def test_by_a_node_on_the_way() -> None:
    assert draw_derivation(product_of_a_sum(), "q").value == -4.0


def test_it_is_a_snapshot() -> None:
    f = product_of_a_sum()
    derivation = draw_derivation(f, "x")
    before = str(derivation), derivation.to_latex(), derivation._repr_mimebundle_()
    for node in topological_order(f):
        node.data, node.grad, node.label = 99.0, 98.0, "changed"
    assert (str(derivation), derivation.to_latex(), derivation._repr_mimebundle_()) == before


def test_a_derivation_says_when_its_numbers_are_older_than_the_data_of_a_leaf() -> None:
    x = Value(3.0, "x")
    f = x * x
    assert draw_derivation(f).note == ""
    x.data = 5.0
    derivation = draw_derivation(f)
    assert str(derivation).endswith(f"= 6\n\n{OUTDATED}")
    assert derivation._repr_latex_().endswith(f"$$\n{OUTDATED}")
    assert OUTDATED not in derivation.to_latex()
    assert draw_derivation(recompute(f)).note == ""


def test_notebooks_get_latex_and_text() -> None:
    derivation = draw_derivation(product_of_a_sum(), "x")
    bundle = derivation._repr_mimebundle_()
    assert bundle == {"text/latex": derivation._repr_latex_(), "text/plain": str(derivation)}
    assert bundle["text/latex"] == f"$$\n{derivation.to_latex()}\n$$"
    assert repr(derivation) == "<Derivation of ∂f/∂x, 1 path; print() shows it>"


def test_the_picture_sets_names_as_mathematics_and_every_other_as_it_was_typed() -> None:
    w, x, s, n = (Value(2.0, name) for name in ("w_1", "W_{ij}^{(2)}", r"\sigma", "my_var"))
    f = w * x * s + n * w
    derivation = draw_derivation(f, w)
    root = ET.fromstring(derivation.svg)
    lines = ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "w1 = 2, Wij(2) = 2, σ = 2, my_var = 2" in lines
    assert not any("w_1" in line or "_{" in line or "sigma" in line for line in lines)
    pieces = [(p.text, p.get("dy"), p.get("font-size")) for p in root.iter("{http://www.w3.org/2000/svg}tspan")]
    assert ("1", "3.3", "11") in pieces and ("ij", "3.3", "11") in pieces
    for text in root.iter("{http://www.w3.org/2000/svg}text"):  # what goes down comes up again, but for the last
        down = [float(piece.get("dy", 0)) for piece in text.iter("{http://www.w3.org/2000/svg}tspan")]
        assert abs(sum(down)) < 0.11 or abs(sum(down[:-1])) < 0.11 or abs(sum(down[:-2])) < 0.11
    assert pickle.loads(pickle.dumps(derivation)).svg == derivation.svg
    assert "w_1" in str(derivation)


def test_a_name_inside_of_a_word_or_beside_another_name_is_set_by_itself() -> None:
    assert spans_in("w_1w_1 = w_12", ["w_1"], 15.0) == [["w_1w_1 = w_12"]]
    spans = spans_in("(w_1)·w_1", ["w_1", "w", "x"], 15.0)
    assert "".join(str(piece[0]) for piece in spans) == "(w1)·w1"
    assert spans_in("w0 = x", ["w0", "x"], 15.0) == [["w0 = "], ["x"]]
    assert spans_in("", [], 15.0) == [[""]]


def test_many_inputs_are_not_all_listed() -> None:
    xs = [Value(float(k), f"x{k}") for k in range(30)]
    derivation = draw_derivation(dot(xs[:15], xs[15:]), "x20")
    assert str(derivation).splitlines()[:2] == ["x20 = 20, x0 = 0, x1 = 1, x2 = 2", "x3 = 3, x4 = 4, x5 = 5, x6 = 6, …"]
    assert r"x_{3} &= 3,\quad x_{4} = 4" in derivation.to_latex()


def test_strange_names_break_neither_lines_nor_braces() -> None:
    f = strange_names()
    for leaf in leaves(f):
        derivation = draw_derivation(f, leaf)
        latex = re.sub(r"\\\\|\\[{}%_&$#]|\\backslash|\\hat\{\}", "", derivation.to_latex())
        assert latex.count("{") == latex.count("}")
        rows = latex.splitlines()[1:-1]
        assert all(row.count("&") == 1 for row in rows)
        assert len(str(derivation).splitlines()) == len(rows) + 1


# --- the sum over the paths is the gradient


def test_with_one_path_it_is_the_gradient_to_the_last_bit() -> None:
    f = sigmoid_gate()
    for leaf in leaves(f):
        assert draw_derivation(f, leaf).value == leaf.grad


@st.composite
def small_graphs(draw: st.DrawFn) -> Value:
    """A tame random graph: every node uses two earlier ones, often the same one twice."""
    numbers = st.floats(-2, 2)
    nodes = [Value(draw(numbers)) for _ in range(draw(st.integers(1, 3)))]
    for _ in range(draw(st.integers(1, 7))):
        a, b = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
        kind = draw(st.sampled_from(["+", "-", "*", "tanh", "dot", "2*"]))
        ways = {"+": a + b, "-": a - b, "*": a * b, "tanh": a.tanh(), "dot": dot([a, b], [b, a]), "2*": 2.0 * a}
        nodes.append(ways[kind])
    return nodes[-1]


@settings(deadline=None)
@given(small_graphs())
def test_the_sum_over_all_paths_is_what_backward_adds_up(root: Value) -> None:
    expected = gradients(root)
    for node in topological_order(root):
        if node.op == "const":
            continue
        derivation = draw_derivation(root, node, max_paths=10_000)
        size = sum(abs(path.contribution) for path in derivation.paths)
        assert derivation.value == pytest.approx(expected[node], rel=1e-12, abs=1e-12 * size + 1e-200)
        for path in derivation.paths:
            assert path.nodes[0] is root and path.nodes[-1] is node
            for k, (y, i) in enumerate(zip(path.nodes, path.positions, strict=False)):
                assert y.inputs[i] is path.nodes[k + 1] and y.local_derivatives[i] == path.local[k]
        assert len({(path.nodes, path.positions) for path in derivation.paths}) == len(derivation.paths)


@settings(max_examples=40, deadline=None)
@given(random_graphs(), st.data())
def test_any_graph_is_derived_or_refused_and_stays_as_it_was(root: Value, data: st.DataObject) -> None:
    nodes = topological_order(root)
    before = repr([(n.data, n.grad, n.has_grad, n.op, n.label, n.scope, n.inputs) for n in nodes])
    candidates = [node for node in nodes if node.op == LEAF]
    if candidates:
        leaf = data.draw(st.sampled_from(candidates))
        try:
            derivation = draw_derivation(root, leaf)
        except ValueError:
            with pytest.raises(ValueError, match="more than one can check by hand"):
                draw_derivation(root, leaf)
        else:
            assert isinstance(derivation, Derivation) and str(derivation) and derivation.to_latex()
    assert repr([(n.data, n.grad, n.has_grad, n.op, n.label, n.scope, n.inputs) for n in nodes]) == before


def read_text(side: str) -> str:
    """One side of an equation, as Python."""
    for sign, python in {"·": "*", "×": "*", "−": "-", "^": "**", "²": "**2", "∞": "inf", "σ": "sigmoid"}.items():
        side = side.replace(sign, python)
    return re.sub(r"(\blog|\bsign|√)\s*(\d[\d.]*(?:e-\d+)?|\w+|\(.*?\))", r"\1(\2)", side).replace("√", "sqrt")


def read_latex(side: str) -> str:
    """The same, from LaTeX: braces from the inside out."""
    side = re.sub(r"([a-z])_\{(\d+)\}", r"\1\2", side).replace(r"\operatorname{sign}", r"\sign")
    side = (
        side.replace(r"\quad", "")
        .replace(r"\qquad", "")
        .replace("{}+", "+")
        .replace(r"\mathbf{1}[", "float(")
        .replace("]", ")")
    )
    side = re.sub(r"(?<=[\w})])(?=\\(ln|sqrt))|(?<=[\df])(?=\(1)", "*", side)  # a product without a sign
    before = ""
    while before != side:
        before = side
        side = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", side)
        side = re.sub(r"\^\{([^{}]*)\}", r"**(\1)", side)
        side = re.sub(r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)", side)
    side = re.sub(r"\\(ln|sign|sin|cos) ([\w.]+|\(.*?\))", r"\1(\2)", side).replace("ln(", "log(")
    for sign, python in {r"\,": "*", r"\cdot": "*", r"\times": "*", "^2": "**2", r"\infty": "inf"}.items():
        side = side.replace(sign, python)
    return re.sub(r"\be\*\*", "E**", side.replace(r"\sigma", "sigmoid")).strip()


READERS: dict[str, object] = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "sign": lambda x: math.copysign(1.0, x),
    "E": math.e,
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "sin": math.sin,
    "cos": math.cos,
    "inf": math.inf,
    "float": float,
}
OPERATIONS: dict[str, Callable[[Value, Value, float], Value]] = {
    "+": lambda a, b, c: a + b,
    "-": lambda a, b, c: a - b,
    "*": lambda a, b, c: a * b,
    "/": lambda a, b, c: a / b,
    "**": lambda a, b, c: a**b,
    "+c": lambda a, b, c: a + c,
    "c-": lambda a, b, c: c - a,
    "*c": lambda a, b, c: a * c,
    "c/": lambda a, b, c: c / a,
    "**c": lambda a, b, c: a**c,
    "c**": lambda a, b, c: abs(c) ** a,
    "neg": lambda a, b, c: -a,
}
FUNCTIONS = ["abs", "exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "relu", "softplus", "reciprocal"]


@st.composite
def formulas(draw: st.DrawFn) -> Value:
    """A few operations of every kind, with constants that need brackets in some places."""
    nodes = [Value(draw(st.sampled_from([0.5, 1.25, 2.0, 3.0])), name) for name in "xy"]
    for _ in range(draw(st.integers(1, 5))):
        a, b = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
        kind = draw(st.sampled_from([*OPERATIONS, *FUNCTIONS]))
        if kind in FUNCTIONS:
            y = getattr(autograd, kind)(a)
        else:
            y = OPERATIONS[kind](a, b, draw(st.sampled_from([-3.0, -0.5, 2.0, 1e-5])))
        if not 1e-3 < abs(y.data) < 1e3:  # singular points are a matter of the sheet
            break
        nodes.append(y)
    return nodes[-1]


@settings(max_examples=200, deadline=None)
@given(formulas(), st.data())
def test_each_side_of_the_equation_is_the_gradient_when_it_is_read_as_a_formula(
    root: Value, data: st.DataObject
) -> None:
    leaf = data.draw(st.sampled_from(leaves(root)))
    derivation = draw_derivation(root, leaf, max_paths=1_000)
    known = {name: node.data for node, name in autograd.names(root).items()} | READERS
    size = sum(abs(path.contribution) for path in derivation.paths)
    if not math.isfinite(size):
        return
    text = re.sub(r"\s+", " ", "".join(str(derivation).split("\n\n")[-1]))
    latex = derivation.to_latex(definitions=False).split("\n", 1)[1].rsplit("\n", 1)[0]
    latex = latex.replace("\\\\\n", "").replace("&", "")
    for written, read in ((text, read_text), (latex, read_latex)):
        whole, *sides = written.split(" = ")
        assert sides and whole.count("partial") == 2 * (read is read_latex)
        for side in sides:
            if "∂" in side or "partial" in side:
                continue
            number = eval(read(side), known)
            exact = re.search("[xyvf]", side) is not None
            assert number == pytest.approx(derivation.value, rel=0, abs=size * (1e-6 if exact else 0.01) + 1e-300), side


@pytest.mark.parametrize(
    ("make", "latex"),
    [
        (lambda x: x * -3.0, r"f &= x \cdot (-3) = -6"),
        (lambda x: x - -3.0, r"f &= x - (-3) = 5"),
        (lambda x: (-3.0) ** x, r"f &= (-3)^{x} = 9"),
        (lambda x: x**-3.0, r"f &= x^{-3} = 0.125"),
        (lambda x: 1e-5**x, r"f &= (1 \cdot 10^{-5})^{x} = 1 \cdot 10^{-10}"),  # two powers in a row are no LaTeX
    ],
)
def test_numbers_that_need_brackets_in_latex(make: Callable[[Value], Value], latex: str) -> None:
    assert latex in draw_derivation(make(Value(2.0, "x"))).to_latex()


# --- what is refused


def test_more_paths_than_one_can_check_are_counted_and_refused() -> None:
    x = y = Value(1.0, "x")
    for _ in range(4):
        y = y + y
    with pytest.raises(ValueError, match=r"16 paths with 64 local derivatives in all, and max_paths=12 .*step_through"):
        draw_derivation(y)
    assert len(draw_derivation(y, max_paths=16).paths) == 16 and draw_derivation(y, x, max_paths=16).value == 16.0


def test_more_paths_than_can_be_counted_are_refused_at_once() -> None:
    y = Value(1.0, "x")
    for _ in range(20_000):
        y = y * 0.5 + y
    with pytest.raises(ValueError, match="more than 10¹⁵ paths with more than 10¹⁵ local derivatives"):
        draw_derivation(y)


def test_a_path_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="1 path with 50,000 local derivatives in all"):
        draw_derivation(chain(50_000))


def test_which_leaf_must_be_said_where_there_are_several() -> None:
    with pytest.raises(ValueError, match=r"by which leaf .* its leaves are x, y, z \(3 in all\)"):
        draw_derivation(product_of_a_sum())


def test_a_leaf_that_the_graph_does_not_have() -> None:
    f = product_of_a_sum()
    with pytest.raises(ValueError, match=r"not in this graph.* its leaves are x, y, z"):
        draw_derivation(f, Value(1.0, "x"))
    with pytest.raises(ValueError, match=r"no node 'X'; did you mean 'x'\?; its leaves are x, y, z"):
        draw_derivation(f, "X")


def test_a_label_that_several_nodes_have() -> None:
    with scope("a"):
        w = Value(1.0, "w")
    with scope("b"):
        v = Value(2.0, "w")
    f = w * v
    with pytest.raises(ValueError, match=r"2 nodes are labelled 'w': .* 'w' in a, 'w \(2\)' in b"):
        draw_derivation(f, "w")
    assert draw_derivation(f, v).value == 1.0
    assert draw_derivation(f, "w (2)").value == 1.0


def test_nothing_is_differentiated_by_a_constant() -> None:
    f = Value(2.0, "x") * 3.0
    with pytest.raises(ValueError, match="3 is a constant"):
        draw_derivation(f, f.inputs[1])
    with pytest.raises(ValueError, match="it has no leaves, only constants"):
        draw_derivation(f.inputs[1])


@pytest.mark.parametrize("leaf", [1, 2.0, ["x"], b"x"])
def test_a_leaf_is_a_value_or_a_name(leaf: object) -> None:
    with pytest.raises(TypeError, match=r"leaf must be a Value of the graph, or its name, but got"):
        draw_derivation(product_of_a_sum(), leaf)  # type: ignore[arg-type]


@pytest.mark.parametrize("root", [None, 3.0, [Value(1.0)]])
def test_only_a_value_has_a_derivation(root: object) -> None:
    with pytest.raises(TypeError, match="the graph of a Value, but got"):
        draw_derivation(root)  # type: ignore[arg-type]


@pytest.mark.parametrize("max_paths", [0, -1, True, 2.5, None])
def test_max_paths_is_a_positive_whole_number(max_paths: object) -> None:
    with pytest.raises(ValueError, match="max_paths must be an int of at least 1, but got"):
        draw_derivation(product_of_a_sum(), "x", max_paths=max_paths)  # type: ignore[arg-type]


def test_a_network_is_refused_or_derived_by_what_one_can_check() -> None:
    f = network(3, 3)
    small = draw_derivation(network(2, 1, inputs=1), "x0")
    assert len(small.paths) == 2
    with pytest.raises(ValueError, match="27 paths"):
        draw_derivation(f + f * f, "x0")


def test_its_lines_stand_below_each_other_in_letters_of_any_width() -> None:
    x, w = Value(2.0, "输入"), Value(3.0, "w")
    assert str(draw_derivation(x * w, x)).split("\n")[-2:] == ["∂f/∂输入 = w", "         = 3"]
