"""The graph as a whole, and the events that a person steps through."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

import autograd as ag
from autograd import (
    Value,
    backward_steps,
    forward_steps,
    leaves,
    names,
    recompute,
    statistics,
    topological_order,
)
from autograd.steps import latex_name
from tests.autograd.build import build
from tests.autograd.naive import random_program


def test_topological_order_puts_inputs_first_and_each_node_once() -> None:
    for seed in range(200):
        root = build(*random_program(random.Random(seed)))[-1]
        order = topological_order(root)
        place = {n: i for i, n in enumerate(order)}
        assert len(place) == len(order)
        assert order[-1] is root
        assert all(place[x] < place[n] for n in order for x in n.inputs)
        reached = {root}
        frontier = [root]
        while frontier:
            frontier = [x for n in frontier for x in n.inputs if x not in reached]
            reached.update(frontier)
        assert reached == set(order)


def test_topological_order_is_micrograds() -> None:
    def build_topo(v: Value, topo: list[Value], visited: set[Value]) -> list[Value]:
        if v not in visited:
            visited.add(v)
            for child in v.inputs:
                build_topo(child, topo, visited)
            topo.append(v)
        return topo

    for seed in range(100):
        root = build(*random_program(random.Random(seed)))[-1]
        assert topological_order(root) == build_topo(root, [], set())


def test_topological_order_of_something_else_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="for several results"):
        topological_order([Value(1.0)])  # type: ignore[arg-type]


def test_leaves_are_inputs_and_parameters_without_constants() -> None:
    x, y = Value(1.0), Value(2.0)
    assert leaves((x * 2 + y) * x) == [x, y]
    assert leaves(x) == [x]


def test_names_are_unique_and_tell_labels_constants_and_the_root() -> None:
    x, twin = Value(1.0, "x"), Value(2.0, "x")
    h = x * twin
    f = h + 2.5
    name = names(f)
    assert (name[x], name[twin], name[h], name[f], name[f.inputs[1]]) == ("x", "x (2)", "v1", "f", "2.5")
    sly = Value(3.0, "v1")
    assert len(set(names(f * sly).values())) == len(names(f * sly))


def test_statistics_count_what_is_there() -> None:
    x, y = Value(1.0), Value(2.0)
    f = ((x + y) * x * 2).tanh()
    s = statistics(f)
    assert (s.nodes, s.edges, s.leaves, s.constants, s.depth) == (7, 7, 2, 1, 4)
    assert s.operations == {"add": 1, "mul": 2, "tanh": 1}


def test_recompute_equals_building_again() -> None:
    rng = random.Random(1)
    for seed in range(200):
        program, inputs = random_program(random.Random(seed))
        nodes = build(program, inputs)
        nodes[-1].backward()
        moved = [x * rng.uniform(0.99, 1.01) for x in inputs]
        for node, number in zip(nodes, moved, strict=False):
            node.data = number
            node.grad = None
        assert recompute(nodes[-1]) is nodes[-1]
        fresh = build(program, moved)
        reached = set(topological_order(nodes[-1]))
        nodes[-1].backward()
        fresh[-1].backward()
        for old, new in zip(nodes, fresh, strict=True):
            if old in reached:
                assert (old.data, old.grad, old.local_derivatives) == (new.data, new.grad, new.local_derivatives)


def test_recompute_under_detect_anomaly_changes_nothing_when_it_fails() -> None:
    x = Value(1.0)
    y = x.log() * 2
    x.data = -1.0
    with ag.detect_anomaly(), pytest.raises(ag.NonFiniteError):
        recompute(y)
    assert y.data == 0.0 and y.inputs[0].local_derivatives == (1.0,)


def test_forward_steps_tell_each_operation_once_inputs_first() -> None:
    x, y, z = Value(-2.0, "x"), Value(5.0, "y"), Value(-4.0, "z")
    f = (x + y) * z
    steps = list(forward_steps(f))
    assert [s.op for s in steps] == ["add", "mul"]
    assert [s.value for s in steps] == [3.0, -12.0]
    assert steps[0].text == "v1 = x + y = −2 + 5 = 3"
    assert steps[1].text == "f = v1 × z = 3 × (−4) = −12"
    assert list(forward_steps(x)) == []


def test_backward_steps_tell_the_first_graph() -> None:
    x, y, z = Value(-2.0, "x"), Value(5.0, "y"), Value(-4.0, "z")
    q = x + y
    q.label = "q"
    f = q * z
    steps = list(backward_steps(f))
    assert [(s.node, s.input, s.position, s.upstream, s.local, s.contribution, s.total) for s in steps] == [
        (f, q, 0, 1.0, -4.0, -4.0, -4.0),
        (f, z, 1, 1.0, 3.0, 3.0, 3.0),
        (q, x, 0, -4.0, 1.0, -4.0, -4.0),
        (q, y, 1, -4.0, 1.0, -4.0, -4.0),
    ]
    assert steps[0].text == "∂f/∂q += ∂f/∂f · ∂f/∂q = 1 × (−4) = −4"
    assert steps[0].local_text == "z"
    assert not any(n.has_grad for n in topological_order(f)), "stepping changes no node"


def test_backward_steps_tell_a_repeated_operand_twice() -> None:
    x = Value(3.0, "x")
    steps = list(backward_steps(x * x))
    assert [(s.position, s.contribution, s.total) for s in steps] == [(0, 3.0, 3.0), (1, 3.0, 6.0)]


@pytest.mark.parametrize(
    ("make", "text", "latex"),
    [
        (lambda x: x - -3.0, "f = x − (−3) = 2 − (−3) = 5", "f = x - (-3) = 5"),
        (lambda x: -3.0 * x, "f = −3 × x = −3 × 2 = −6", r"f = -3 \cdot x = -6"),
        (lambda x: (-3.0) ** x, "f = (−3)^x = (−3)^2 = 9", "f = (-3)^{x} = 9"),
        (lambda x: 1e-5**x, "f = 1e−05^x = 1e−05^2 = 1e−10", r"f = (1 \cdot 10^{-5})^{x} = 1 \cdot 10^{-10}"),
    ],
)
def test_numbers_that_would_be_misread_in_a_formula_have_brackets(
    make: Callable[[Value], Value], text: str, latex: str
) -> None:
    (step,) = forward_steps(make(Value(2.0, "x")))
    assert (step.text, step.latex) == (text, latex)


@pytest.mark.parametrize(
    ("make", "text", "latex"),
    [
        (lambda x: x * -3.0, "−3", "-3"),
        (lambda x: (-3.0) ** x, "(−3)^x·log(−3)", r"(-3)^{x}\ln (-3)"),
        (lambda x: 1e-5**x, "1e−05^x·log(1e−05)", r"(1 \cdot 10^{-5})^{x}\ln (1 \cdot 10^{-5})"),
    ],
)
def test_and_in_a_local_derivative(make: Callable[[Value], Value], text: str, latex: str) -> None:
    (step,) = backward_steps(make(Value(2.0, "x")))
    assert (step.local_text, step.local_latex) == (text, latex)


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("w0", "w_{0}"),
        ("alpha", r"\alpha"),
        ("loss", r"\mathrm{loss}"),
        ("w0 (2)", r"w_{0\,(2)}"),  # the second w0 of a graph: "w0 (2)" would look like a product
        ("b (3)", "b_{(3)}"),
        ("learning rate", r"\mathrm{learning\ rate}"),
        ("a<b_1", r"\mathrm{a{<}b\_1}"),
        ("−1e−05", r"-1 \cdot 10^{-5}"),
        ("inf", r"\infty"),
    ],
)
def test_names_in_latex(name: str, latex: str) -> None:
    assert latex_name(name) == latex


def test_every_operation_has_a_formula_for_each_step() -> None:
    x, y = Value(0.5, "x"), Value(1.5, "alpha")
    every = [ag.functions.apply(op.name, *[x, y, y][: op.arity or 2]) for op in ag.SHEET.values()]
    every += [x + 1.0, 2.0 * y, ag.where(x < y, x, y), ag.minimum(x, y, 2.0), ag.dot([x, y], [y, x])]
    assert {n.op for n in every} == set(ag.SHEET)
    for node in every:
        for event in (*forward_steps(node), *backward_steps(node)):
            for text in (event.words, event.text, event.latex):
                assert text and "\n" not in text
                assert "{a}" not in text and "{b}" not in text and "{y}" not in text
            assert event.latex.count("{") == event.latex.count("}")


@pytest.mark.parametrize(
    ("exponent", "text", "latex"),
    [
        (2.0, "2·x", r"2\,x"),
        (3.0, "3·x^2", r"3\,x^{2}"),
        (-1.0, "−1·x^(−2)", r"-1\,x^{-2}"),
        (0.5, "0.5·x^(−0.5)", r"0.5\,x^{-0.5}"),
        (1.0, "1·x^0", r"1\,x^{0}"),
        (1e-5, "1e−05·x^(1e−05−1)", r"1 \cdot 10^{-5}\,x^{1 \cdot 10^{-5}-1}"),
        (Value(2.0, "n"), "n·x^(n−1)", r"n\,x^{n-1}"),
    ],
)
def test_the_derivative_of_a_power_has_the_exponent_worked_out_where_it_is_a_number(
    exponent: float | Value, text: str, latex: str
) -> None:
    step = next(backward_steps(Value(2.0, "x") ** exponent))
    assert (step.local_text, step.local_latex) == (text, latex)


def test_what_stands_for_any_number_of_inputs_is_written_out() -> None:
    x, w = [Value(1.0, "x0"), Value(-2.0, "x1")], [Value(3.0, "w0"), Value(-4.0, "w1")]
    z = [Value(float(k), f"z{k}") for k in range(6)]

    def told(root: Value) -> tuple[str, str]:
        step = next(forward_steps(root))
        return step.text, step.latex

    assert told(ag.dot(x, w)) == (
        "f = x0·w0 + x1·w1 = 1·3 + (−2)·(−4) = 11",
        r"f = x_{0} \cdot w_{0} + x_{1} \cdot w_{1} = 11",
    )
    assert told(ag.dot([-1.0, 2.0], w))[1] == r"f = (-1) \cdot w_{0} + 2 \cdot w_{1} = -11"
    assert told(ag.dot(z, z[::-1])) == (
        "f = z0·z5 + z1·z4 + … + z5·z0 = 0·5 + 1·4 + … + 5·0 = 20",
        r"f = z_{0} \cdot z_{5} + z_{1} \cdot z_{4} + \cdots + z_{5} \cdot z_{0} = 20",
    )
    assert told(ag.logsumexp(x)) == (
        "f = log Σ exp(x0, x1) = log Σ exp(1, −2) = 1.049",
        r"f = \ln (e^{x_{0}} + e^{x_{1}}) = 1.049",
    )
    assert told(ag.logsumexp(z))[1] == r"f = \ln (e^{z_{0}} + e^{z_{1}} + \cdots + e^{z_{5}}) = 5.456"
