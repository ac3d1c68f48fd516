"""What a drawing chooses to show of a graph."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given, settings

from autograd import (
    SHEET,
    Value,
    dot,
    functions,
    logsumexp,
    maximum,
    minimum,
    no_grad,
    recompute,
    register,
    scope,
    topological_order,
    where,
)
from viz.graph.diagram import ACCUMULATED, OLDER, OUTDATED, UNRECORDED, Diagram, Part, build
from viz.graph.scopes import levels

from .graphs import (
    chain,
    deep_scopes,
    doubled,
    in_a_circle,
    network,
    product_of_a_sum,
    random_graphs,
    reused,
    sigmoid_gate,
    tangle,
)


def gate(y: Value) -> Part:
    """The part of the last operation."""
    return build(y).parts[-1]


def folded(diagram: Diagram) -> list[Part]:
    return [part for part in diagram.parts if part.kind == "folded"]


def in_order(diagram: Diagram) -> bool:
    return all(source < i for i, part in enumerate(diagram.parts) for source in part.inputs)


X, Y = Value(3.0, "x"), Value(2.0, "y")


@given(random_graphs())
@settings(max_examples=100, deadline=None)
def test_every_node_is_drawn_once_and_every_operand_is_a_wire(root: Value) -> None:
    diagram = build(root)
    order = topological_order(root)
    drawn = [part for part in diagram.parts if part.kind != "constant"]
    assert len(drawn) == sum(node.op != "const" for node in order)
    assert [bool(part.symbol) for part in drawn] == [bool(node.op) for node in order if node.op != "const"]
    for part, node in zip(drawn, [n for n in order if n.op != "const"], strict=True):
        wires, operands = len(part.inputs), len(node.inputs)
        constants = sum(x.op == "const" for x in node.inputs)
        assert wires == operands or (wires == 1 and operands == 2 and constants == 1)
        assert len(part.locals_) == wires
    assert in_order(diagram)
    assert sum(part.is_root for part in diagram.parts) == 1


def test_an_operand_that_is_used_twice_has_two_wires() -> None:
    a, b = build(doubled()).parts
    assert (a.name, b.symbol, b.inputs) == ("a", "+", [0, 0])


@pytest.mark.parametrize(
    ("y", "symbol"),
    [
        (X + 1, "+1"),
        (1 + X, "+1"),
        (X + -1, "+(−1)"),
        (X * 0.5, "×0.5"),
        (X * -1, "×−1"),
        (X - 1, "−1"),
        (X - -2, "−(−2)"),
        (1 - X, "1−x"),
        (-2 - X, "−2−x"),
        (X / 2, "÷2"),
        (2 / X, "2/x"),
        (X**2, "x²"),
        (X**-3, "x⁻³"),
        (X**12, "x¹²"),
        (X**0.5, "x^0.5"),
        (2**X, "2^x"),
        (X**Y, "x^y"),
        (maximum(X, 0.0), "max(x, 0)"),
        (where(X > 2, X, Y).inputs[0], "> 2"),
        (where(X <= 2, X, Y).inputs[0], "≤ 2"),
        (where(X.equals(2), X, Y).inputs[0], "= 2?"),
        (where(X < Y, X, Y), "where"),
        (minimum(1.0, X), "min(x, 1)"),
        (X.leaky_relu(0.1), "leaky 0.1"),
        (X * 1e9, "×1e+09"),
        (X + float("inf"), "+inf"),
        (-X, "−x"),
        (X.sigmoid(), "σ"),
        (X.relu(), "ReLU"),
        (X.exp(), "exp"),
    ],
)
def test_a_constant_stands_in_the_symbol_of_its_gate(y: Value, symbol: str) -> None:
    part = gate(y)
    assert (part.symbol, part.shape) == (symbol, "pill")
    assert len(part.inputs) == len([x for x in y.inputs if x.op != "const"])


@pytest.mark.parametrize(("y", "symbol"), [(X + Y, "+"), (X - Y, "−"), (X * Y, "×"), (X / Y, "÷"), (X * X, "×")])
def test_arithmetic_on_two_nodes_stands_in_a_circle(y: Value, symbol: str) -> None:
    part = gate(y)
    assert (part.symbol, part.shape, len(part.inputs)) == (symbol, "circle", 2)


def test_constants_among_many_operands_are_boxes_of_their_own() -> None:
    diagram = build(maximum(X, Y, 1.0))
    assert [(part.kind, part.name) for part in diagram.parts[:-1]] == [
        ("input", "x"),
        ("input", "y"),
        ("constant", "1"),
    ]
    assert diagram.parts[-1].inputs == [0, 1, 2]


def test_two_constants_are_boxes_of_their_own() -> None:
    assert [part.name for part in build(dot([X, 2.0], [3.0, Y])).parts if part.kind == "constant"] == ["2", "3"]


def test_numbers_are_written_with_four_digits_unless_told_otherwise() -> None:
    y = Value(2 / 3, "x") * 0.123456789
    assert [part.value for part in build(y).parts] == ["0.6667", "0.0823"]
    assert [part.value for part in build(y, fmt=".2f").parts] == ["0.67", "0.08"]
    assert build(y, fmt=".1f").parts[-1].symbol == "×0.1"


def test_a_gradient_that_is_not_there_differs_from_one_that_is_zero() -> None:
    x = Value(-3.0, "x")
    y = x.relu()
    assert [part.gradient for part in build(y).parts] == ["–", "–"]
    y.backward()
    assert [part.gradient for part in build(y).parts] == ["0", "1"]


def test_numbers_that_are_older_than_the_data_of_a_leaf_say_so() -> None:
    x = Value(3.0, "x")
    f = (x * x).exp() + math.nan
    assert build(f).note == ""
    x.data = 5.0
    assert "A leaf has new data since this graph was computed: recompute(root)" in build(f).note
    assert build(recompute(f)).note == ""


def squared() -> tuple[Value, Value]:
    x = Value(3.0, "x")
    f = x * x
    f.label = "f"
    f.backward()
    return x, f


def test_gradients_of_more_than_the_last_pass_say_so() -> None:
    _, f = squared()
    assert build(f).remarks == ()
    f.backward()
    assert [part.gradient for part in build(f).parts] == ["12", "1"]
    assert build(f).remarks == (ACCUMULATED,)
    assert ACCUMULATED in build(f).note
    f.zero_grad()
    f.backward()
    assert build(f).remarks == ()


def test_gradients_that_graphs_with_a_leaf_in_common_added_up_say_so_in_each_of_them() -> None:
    x, f = squared()
    g = x * 5
    g.backward()
    assert build(f).remarks == build(g).remarks == (ACCUMULATED,)


def test_gradients_set_by_hand_or_to_zero_before_a_pass_are_not_called_accumulated() -> None:
    x, f = squared()
    x.grad = 12.0
    assert build(f).remarks == ()
    x.grad = 0.0  # the lecture's own way to start anew
    f.backward()
    assert build(f).remarks == ()
    f.grad = 7.0
    assert build(f).remarks == ()


def test_gradients_that_are_older_than_the_numbers_say_so() -> None:
    x, f = squared()
    x.data = 5.0
    assert build(f).remarks == (OUTDATED,)
    recompute(f)
    assert [(part.value, part.gradient) for part in build(f).parts] == [("5", "6"), ("25", "–")]
    assert build(f).remarks == (OLDER,)
    assert build(x * x).remarks == (OLDER,), "the formula was written again"
    f.backward()
    assert build(f).remarks == (ACCUMULATED,)
    f.zero_grad()
    f.backward()
    assert build(f).remarks == ()
    assert build(f * 2).remarks == (OLDER,), "f has a gradient, but not from this root"
    x.grad = 0.0
    assert build(x * x).remarks == (), "a zero is not from before"


def test_remarks_are_about_what_is_shown() -> None:
    with scope("cell"):
        w = Value(3.0, "w")
        y = w * w
    y.backward()
    y.backward()
    assert build(y).remarks == (ACCUMULATED,)
    assert build(y, depth=0).remarks == (), "the leaf is inside the box"
    assert build(y, show_grad=False).remarks == ()
    assert build(Value(1.0)).remarks == ()


def test_what_no_grad_computed_is_not_drawn_as_a_leaf() -> None:
    a = Value(2.0, "a")
    with no_grad():
        c, d = a * 3, (a + 1).tanh()
        c.label = "c"
    g = c * a + d
    g.backward()
    parts = build(g).parts
    assert [(p.kind, p.name, p.symbol, p.shape) for p in parts] == [
        ("gate", "c", "× in no_grad", "cut"),
        ("input", "a", "", ""),
        ("gate", "", "×", "circle"),
        ("gate", "", "tanh in no_grad", "cut"),
        ("gate", "f", "+", "circle"),
    ]
    assert [p.gradient for p in parts] == ["2", "6", "1", "1", "1"]
    assert parts[0].tooltip == "c = 6.0, gradient 2.0 (mul inside no_grad)"
    assert [p.is_given for p in parts] == [True, True, False, True, False]
    assert build(g).remarks == (UNRECORDED,)
    assert build(c).remarks == (UNRECORDED,)
    assert build(g, show_grad=False).remarks == (UNRECORDED,)


def test_a_rule_that_draws_random_numbers_is_not_taken_for_old_numbers() -> None:
    register("shaken", forward=lambda x: x + random.random(), partials=lambda y, x: (1.0,))
    try:
        assert build(functions.apply("shaken", Value(1.0)) + 1).note == ""
    finally:
        del SHEET["shaken"]


def test_the_tooltip_holds_the_full_numbers() -> None:
    x = Value(1 / 3, "x")
    y = x * 3.0
    y.backward(0.1)
    tooltips = [part.tooltip for part in build(y).parts]
    assert tooltips[0] == f"x = {1 / 3!r}, gradient {0.1 * 3.0!r}"
    assert tooltips[1] == f"f = {1 / 3 * 3.0!r}, gradient 0.1 (mul: a × b)"


@pytest.mark.parametrize(
    ("y", "marked"),
    [
        (Value(-1.0, "x").log() * 2 + 1, "log"),
        (Value(float("inf"), "x") * 2, ""),
        (Value(1.0, "x") + float("nan") + 1, "+nan"),
        (Value(1.0, "x") + 1, None),
    ],
)
def test_the_first_number_that_is_not_finite_is_marked(y: Value, marked: str | None) -> None:
    assert [p.symbol for p in build(y).parts if p.is_first_non_finite] == ([] if marked is None else [marked])


def test_a_constant_that_is_not_finite_and_a_box_that_holds_one_are_marked() -> None:
    parts = build(maximum(X, Y, float("inf"))).parts
    assert [part.kind for part in parts if part.is_first_non_finite] == ["constant"]
    with scope("cell"):
        y = Value(-1.0, "x").log() * 2
    assert [part.kind for part in build(y, depth=0).parts if part.is_first_non_finite] == ["folded"]


def test_leaves_of_a_scope_are_parameters() -> None:
    with scope("cell"):
        w = Value(1.0, "w")
    y = w * X
    assert {p.name: p.is_parameter for p in build(y).parts if p.kind == "input"} == {"w": True, "x": False}


@pytest.mark.parametrize(
    ("scope_name", "expected"),
    [
        ("", ()),
        ("layers.0.neurons.2", ("layers.0", "neurons.2")),
        ("0.weird..name.", ("0", "weird", "name")),
        ("a.1.2.b", ("a.1.2", "b")),
        ("net", ("net",)),
    ],
)
def test_a_number_belongs_to_the_word_before_it(scope_name: str, expected: tuple[str, ...]) -> None:
    assert levels(scope_name) == expected


def test_folding_by_depth_closes_neurons_then_layers() -> None:
    root = network(3, 2)
    layers, neurons = build(root, depth=0), build(root, depth=1)
    assert [part.lines[:2] for part in folded(layers)] == [("layers.0", "3 neurons"), ("layers.1", "2 neurons")]
    assert [part.lines[0] for part in folded(neurons)].count("layers.0.neurons.1") == 1
    assert len(folded(neurons)) == 5
    assert not folded(build(root, depth=2))
    assert "depth=1) opens one level more" in layers.note
    assert "depth=2) opens one level more" in neurons.note
    assert not build(root, depth=2).note
    for diagram in (layers, neurons):
        assert in_order(diagram)


def test_a_folded_neuron_shows_the_number_that_leaves_it() -> None:
    root = network(1, inputs=3)
    (box,) = folded(build(root, depth=0))
    assert box.value == build(root).parts[-1].value
    assert box.gradient == "1"
    assert len(box.inputs) == 3


def test_a_box_with_several_results_shows_none() -> None:
    with scope("split"):
        a, b = X.tanh(), X.exp()
    (box,) = folded(build(a * b, depth=0))
    assert box.value == box.gradient == ""
    assert build(a * b, depth=0).parts[-1].inputs == [1, 1]


def test_constants_are_folded_with_the_gate_that_uses_them() -> None:
    with scope("cell"):
        y = dot([X, Y, 1.0], [0.5, 2.0, X])
    assert [part.kind for part in build(y * 2, depth=0).parts] == ["input", "input", "folded", "gate"]


def test_scopes_that_feed_each_other_fold_into_one_box() -> None:
    diagram = build(in_a_circle(), depth=0)
    (box,) = folded(diagram)
    assert box.lines == ("left and 1 more", "9 nodes")
    assert in_order(diagram)


def test_a_scope_that_is_used_again_and_again_is_one_box() -> None:
    (box,) = folded(build(reused(), depth=0))
    assert box.lines == ("cell", "12 nodes")


@pytest.mark.parametrize("depth", [0, 1, 7, 29, 30, "all", "auto", None])
def test_deep_scopes_fold_at_any_depth(depth: int | str | None) -> None:
    root = deep_scopes(30)
    diagram = build(root, depth=depth)
    assert in_order(diagram)
    assert len(folded(diagram)) == (1 if depth in (0, 1, 7) or depth == 29 else 0)


def test_auto_folds_neurons_and_then_layers_until_it_fits() -> None:
    root = network(4, 4, 1)
    count = len(build(root).parts)
    assert not folded(build(root, max_nodes=count))
    neurons = build(root, max_nodes=count - 1)
    assert len(folded(neurons)) == 9
    layers = build(root, max_nodes=len(neurons.parts) - 1)
    assert [part.lines[0] for part in folded(layers)][:2] == ["layers.0", "layers.1"]
    summary = build(root, max_nodes=2)
    assert [part.kind for part in summary.parts] == ["folded", "gate"]


@pytest.mark.parametrize("limit", [2, 3, 5, 12, 13, 14])
def test_no_more_parts_are_drawn_than_allowed(limit: int) -> None:
    root = sigmoid_gate()  # 13 parts
    parts = build(root, max_nodes=limit).parts
    assert len(parts) == min(limit, 13)
    assert parts[-1].is_root
    assert bool(parts[0].lines) == (limit < 13)


def test_a_summary_counts_what_it_folds() -> None:
    root = tangle(5_000)
    diagram = build(root)
    order = topological_order(root)
    assert len(diagram.parts) == 25
    (box,) = folded(diagram)
    hidden = len(order) - 24
    assert box.lines[0] == f"{hidden:,} nodes"
    assert diagram.note == f"{hidden:,} nodes folded. draw_graph(…, max_nodes={len(order)}) draws all of them."
    leaves = Counter(node.op for node in order)[""]
    assert box.lines[2] == f"{leaves:,} leaves"
    assert in_order(diagram)
    assert len(build(root, max_nodes=len(order)).parts) == len(order)


def test_a_gate_of_a_thousand_operands_has_one_wire_from_what_was_folded() -> None:
    xs = [Value(float(k), f"x{k}") for k in range(1_000)]
    diagram = build(logsumexp(*xs) * 2)
    box = diagram.parts[0]
    gates = [part for part in diagram.parts if part.symbol == "LSE"]
    assert box.lines[0] == "978 nodes"
    assert gates[0].inputs.count(0) == 1
    assert len(build(dot([1.0] * 500, xs[:500])).parts) == 25  # constants are folded too


def test_the_root_may_be_a_leaf_or_a_constant() -> None:
    leaf, constant = build(X).parts, build((X + 4.0).inputs[1]).parts
    assert [(p.kind, p.name, p.end_name, p.value) for p in leaf] == [("input", "x", "", "3")]
    assert [(p.kind, p.name, p.end_name, p.value) for p in constant] == [("constant", "4", "", "")]


def test_the_root_is_named_even_without_a_label() -> None:
    assert build(X + Y).parts[-1].end_name == "f"
    assert build(product_of_a_sum()).parts[-1].end_name == "f"
    assert build(Value(1.0)).parts[0].name == "v1"


def test_long_chains_need_no_recursion() -> None:
    diagram = build(chain(50_000))
    assert diagram.parts[0].lines[0] == "49,977 nodes"
    assert len(diagram.parts) == 25
    y = Value(1.0)
    for k in range(3_000):
        with scope(f"a{k}.b"):
            y = y.tanh()
    assert len(build(y, depth=0, max_nodes=2).parts) == 3_001
