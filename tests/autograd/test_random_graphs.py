"""Random graphs against an independent naive engine, and against numeric differences."""

from __future__ import annotations

import itertools
import math
import random
import struct
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograd import (
    Value,
    backward_by_the_book,
    backward_steps,
    detach,
    dot,
    dumps,
    grad,
    gradcheck,
    leaky_relu,
    loads,
    logsumexp,
    maximum,
    minimum,
    topological_order,
    where,
)
from tests.autograd import naive
from tests.autograd.build import build


def close(ours: float, theirs: float, size: float) -> bool:
    return abs(ours - theirs) <= 1e-12 * max(1.0, size)


def compare_with_naive(program: naive.Program, inputs: list[float]) -> None:
    values, adjoint = naive.gradients(program, inputs)
    nodes = build(program, inputs)
    nodes[-1].backward()
    # Terms that cancel leave their rounding behind, so an error is measured against the largest adjoint.
    size = max(abs(g) for g in adjoint.values())
    reached = set(topological_order(nodes[-1]))
    for i, node in enumerate(nodes):
        assert close(node.data, values[i], abs(values[i])), (i, program, inputs)
        assert close(node.grad, adjoint[i], size), (i, program, inputs)
        assert node in reached or node.grad == 0.0


@pytest.mark.parametrize("block", range(10))
def test_a_thousand_random_graphs_equal_the_naive_engine(block: int) -> None:
    for seed in range(1000 * block, 1000 * block + 1000):
        compare_with_naive(*naive.random_program(random.Random(seed)))


def gradients(root: Value) -> list[bytes | str | None]:
    """Every gradient below a root, bit by bit; nan is nan, and None where no gradient came."""
    grads = [node.grad if node.has_grad else None for node in topological_order(root)]
    return [g if g is None else "nan" if math.isnan(g) else struct.pack("<d", g) for g in grads]


def agree(make: Callable[[], Value], gradient: float = 1.0, times: int = 1) -> None:
    by_the_book, fast = make(), make()
    for _ in range(times):
        backward_by_the_book(by_the_book, gradient)
        fast.backward(gradient)
        assert gradients(by_the_book) == gradients(fast)


def test_the_fast_backward_pass_is_the_one_by_the_book_on_random_graphs() -> None:
    for seed in range(500):
        program, inputs = naive.random_program(random.Random(seed))
        agree(lambda: build(program, inputs)[-1])  # noqa: B023


HARD = [0.0, -0.0, 1.0, -1.0, 2.0, math.inf, -math.inf, math.nan, 1e200]


def test_and_where_a_path_is_cut_inputs_tie_or_a_number_is_inf_or_nan() -> None:
    def every_kind(a: float, b: float) -> Value:
        x, y = Value(a), Value(b)
        cut = (x * y).relu() + where(x > y, x.exp(), y.log()) + leaky_relu(x, y)
        ties = maximum(x, y, x * 1.0, 2.0) * minimum(x, y, y + 0.0)
        many = dot([x, cut, 3.0], [y, ties, x]) + logsumexp(x, ties, 1.0)
        return many * detach(x / y) + x / y + cut**2.0 + 1.0 / (ties - ties)

    for a, b in itertools.product(HARD, HARD):
        agree(lambda: every_kind(a, b))  # noqa: B023
        agree(lambda: every_kind(a, b), math.inf)  # noqa: B023
    agree(lambda: every_kind(2.0, 2.0) * 0.0 + Value(3.0).relu() * 2.0, times=3)  # leaves add up
    agree(lambda: Value(2.0), 3.0, times=3)
    agree(lambda: detach(Value(2.0) * 3.0))


operands = st.one_of(
    st.tuples(st.just("node"), st.integers(0, 5)),
    st.tuples(st.just("number"), st.sampled_from([1, 2, 0.5, -1.5, True])),
)
polynomial_steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "sub", "mul", "neg", "dot", "maximum", "minimum"]),
        st.lists(operands, min_size=4, max_size=4),
    ),
    min_size=1,
    max_size=10,
)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(polynomial_steps, st.lists(st.integers(-4, 4), min_size=1, max_size=3))
def test_graphs_over_small_numbers_equal_the_naive_engine_to_the_last_bit(
    steps: list[tuple[str, list[naive.Operand]]], inputs: list[int]
) -> None:
    """Quarters and small integers are exact in floats; so are ties, which Hypothesis finds at once."""
    program: naive.Program = []
    for op, drawn in steps:
        newest = len(inputs) + len(program) - 1
        count = {"neg": 1, "dot": 4, "maximum": 2, "minimum": 2}.get(op, 2)
        chosen = [(kind, max(0, newest - which) if kind == "node" else which) for kind, which in drawn[:count]]
        if all(kind == "number" for kind, _ in chosen):
            chosen[0] = ("node", newest)
        program.append((op, chosen))
    numbers = [float(x) for x in inputs]
    values, adjoint = naive.gradients(program, numbers)
    if max(map(abs, [*values.values(), *adjoint.values()])) > 2**20:
        return
    nodes = build(program, numbers)
    nodes[-1].backward()
    assert [node.data for node in nodes] == list(values.values())
    assert [node.grad for node in nodes] == list(adjoint.values())


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**63))
def test_random_graphs_equal_numeric_differences(seed: int) -> None:
    program, inputs = naive.random_program(random.Random(seed), max_ops=6)

    def value(xs: list[float]) -> float:
        return naive.run(program, xs)[len(inputs) + len(program) - 1]

    nodes = build(program, inputs)
    nodes[-1].backward()
    for i, x in enumerate(inputs):
        slopes = []
        for h in (1e-5, 2e-5):
            up, down = [*inputs], [*inputs]
            up[i], down[i] = x + h, x - h
            try:
                slopes.append((value(up) - value(down)) / (up[i] - down[i]))
            except (ArithmeticError, ValueError, TypeError):  # a step out of the domain
                return
        extrapolated = (4 * slopes[0] - slopes[1]) / 3  # Richardson: the error of order h² cancels
        wobble = abs(slopes[0] - slopes[1])  # large near a kink, where differences mean little
        assert abs(nodes[i].grad - extrapolated) <= 1e-5 * max(1.0, abs(extrapolated)) + 2 * wobble


def test_the_comparison_with_the_naive_engine_notices_a_wrong_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    right = naive.ONE_INPUT["tanh"]
    monkeypatch.setitem(naive.ONE_INPUT, "tanh", (right[0], lambda x: right[1](x) * (1 + 1e-9)))
    with pytest.raises(AssertionError):
        for seed in range(200):
            compare_with_naive(*naive.random_program(random.Random(seed)))


@pytest.mark.parametrize("block", range(4))
def test_events_and_backward_agree_to_the_last_bit_on_random_graphs(block: int) -> None:
    for seed in range(250 * block, 250 * block + 250):
        nodes = build(*naive.random_program(random.Random(seed)))
        root = nodes[-1]
        totals: dict[Value, float] = {root: 0.7}
        passed_on: set[Value] = set()
        for k, step in enumerate(backward_steps(root, 0.7)):
            assert step.index == k
            assert step.node.inputs[step.position] is step.input
            assert step.upstream == totals[step.node]
            assert step.contribution == step.upstream * step.local
            assert step.input not in passed_on, "an adjoint was used before it was complete"
            passed_on.add(step.node)
            totals[step.input] = totals.get(step.input, 0.0) + step.contribution
            assert step.total == totals[step.input]
        root.backward(0.7)
        for node in topological_order(root):
            assert node.op == "const" or node.grad == totals[node]


def test_backward_twice_is_exactly_twice_on_random_graphs() -> None:
    for seed in range(300):
        program, inputs = naive.random_program(random.Random(seed))
        nodes = build(program, inputs)
        nodes[-1].backward()
        once = [node.grad for node in nodes]
        nodes[-1].backward()
        for i, node in enumerate(nodes):
            assert node.grad == (2 * once[i] if i < len(inputs) else once[i])


def test_saving_and_loading_keeps_random_graphs_to_the_last_bit() -> None:
    for seed in range(300):
        root = build(*naive.random_program(random.Random(seed)))[-1]
        root.backward()
        twin = loads(dumps(root))
        before, after = topological_order(root), topological_order(twin)
        assert [(n.op, n.data, n.grad, n.local_derivatives) for n in before] == [
            (n.op, n.data, n.grad, n.local_derivatives) for n in after
        ]
        twin.zero_grad()
        twin.backward()
        assert [n.grad for n in before if n.op != "const"] == [n.grad for n in after if n.op != "const"]


def test_second_derivatives_of_random_graphs_equal_numeric_differences_of_first_ones() -> None:
    for seed in range(200):
        program, inputs = naive.random_program(random.Random(seed), max_ops=5)

        def f(x: Value, rest: list[float] = inputs[1:], program: naive.Program = program) -> Value:
            return build(program, [x, *rest])[-1]

        x, h = inputs[0], 1e-5
        try:
            steps = [[naive.gradients(program, [x + s, *inputs[1:]])[1][0] for s in (d, -d)] for d in (h, 2 * h)]
        except (ArithmeticError, ValueError, TypeError):
            continue
        slopes = [(up - down) / (2 * d) for (up, down), d in zip(steps, (h, 2 * h), strict=True)]
        expected = (4 * slopes[0] - slopes[1]) / 3
        wobble = abs(slopes[0] - slopes[1])
        ours = grad(grad(f))(x)
        assert math.isfinite(ours)
        assert abs(ours - expected) <= 1e-4 * max(1.0, abs(expected)) + 2 * wobble, (seed, ours, expected)


def test_gradcheck_accepts_random_graphs() -> None:
    for seed in range(60):
        program, inputs = naive.random_program(random.Random(seed), max_ops=4)
        assert gradcheck(
            lambda *xs, program=program: build(program, list(xs))[-1], inputs, eps=1e-5, rtol=1e-3, atol=1e-4
        )
