"""What is at the edge of being a program: rows of one input, functions without operations, constants only."""

from __future__ import annotations

import functools
import itertools
import math
import operator
import random
import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, dot, error_function, logsumexp, maximum, minimum, relu, softmax
from autograd.compiler.backends.jax import array_words
from autograd.compiler.backends.numpy import careful_matmul
from tests.autograd.compiler.models import strict_error

PS = [Value(0.3), Value(-0.8), Value(0.5), Value(1.1)]
ROWS: dict[str, Callable[[list[Any]], Any]] = {
    "maximum": maximum,
    "minimum": minimum,
    "logsumexp": logsumexp,
    "softmax": lambda xs: softmax(xs)[0],
    "dot": lambda xs: dot(xs, xs),
}
OPERANDS: dict[str, Callable[[Any], list[Any]]] = {  # what a row is made of: two heads, two keys
    "parameters": lambda x: PS[:2],
    "arguments": lambda x: x[:2],
    "batched": lambda x: [PS[2] * x[0], PS[3] * x[1]],
    "nonlinear": lambda x: [(PS[2] * x[0]).tanh(), (PS[3] * x[1]).tanh()],
}
SHAPES: dict[str, Callable[[Any, list[Any], list[Any]], list[Any]]] = {
    "one": lambda f, q, k: [f([q[0] * k[0]])],
    "one each": lambda f, q, k: [f([q[h] * k[h]]) for h in (0, 1)],
    "one key": lambda f, q, k: [f([q[h] * k[0]]) for h in (0, 1)],
    "one beside two": lambda f, q, k: [
        *[f([q[h] * k[0]]) for h in (0, 1)],
        *[f([q[h] * k[0], q[h] * k[1]]) for h in (0, 1)],
    ],
    "as it is": lambda f, q, k: [f([v]) for v in k],
    "the same three times": lambda f, q, k: [f([q[0] * k[0]] * 3)],
}


def check(
    f: Callable[..., Any], example: list[float] | None, backend: str, batches: tuple[int, ...] = (1, 2, 5)
) -> None:
    """Value, gradient and outputs of the program are those of the scalar code."""

    def loss(*x: Any) -> Any:
        total: Any = 0.0
        for k, y in enumerate(f(*x)):
            total = total + y * y * (k + 1.0)
        return total + 0.0 * PS[0]

    arguments = [] if example is None else [example]
    step = autograd.compile(loss, *arguments, backend=backend, params=PS, check=False)
    outputs = autograd.compile(f, *arguments, backend=backend, params=PS, check=False)
    for n in batches if arguments else (1,):
        X = np.random.default_rng(n).normal(size=(n, 4))
        batch = [X] if arguments else []
        samples = [[[Value(v) for v in x]] if arguments else [] for x in X.tolist()]
        for p in PS:
            p.grad = None
        losses = [loss(*sample) for sample in samples]
        for y in losses:
            y.backward(1.0 / n)
        expected = np.mean([y.data for y in losses])
        slopes = {p: p.grad for p in PS}
        assert step(*batch) == pytest.approx(expected, abs=1e-12)
        assert np.allclose(step.gradient, [slopes[p] for p in step.parameters], rtol=1e-11, atol=1e-12)
        rows = [[y.data if isinstance(y, Value) else y for y in f(*sample)] for sample in samples]
        assert np.allclose(outputs(*batch), rows, rtol=1e-12, atol=1e-12)
        if backend == "numpy":
            readable = step._plan.readable.load("program", array_words(np, error_function))
            value, gradient = readable(step.theta, *[x.T for x in batch])
            assert value == pytest.approx(expected, abs=1e-12)
            assert np.allclose(gradient, step.gradient, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_of_one_input_is_a_row_like_any_other(name: str, shape: str) -> None:
    for query, key in itertools.product(OPERANDS.values(), OPERANDS.values()):
        check(lambda x, q=query, k=key: SHAPES[shape](ROWS[name], q(x), k(x)), [0.1, 0.2, 0.3, 0.4], "numpy")
    check(lambda x: SHAPES[shape](ROWS[name], PS[:2], x[:2]), [0.1, 0.2, 0.3, 0.4], "python")


def test_two_heads_with_one_key_beside_two_heads_with_two() -> None:
    def attention(x: Any) -> list[Any]:
        q = [PS[0] * x[2], PS[1] * x[3]]
        found = []
        for h in (0, 1):
            found += softmax([q[h] * x[h]]) + softmax([q[h] * x[0], q[h] * x[1]])
        return found

    for backend in ("numpy", "python"):
        check(attention, [0.1, 0.2, 0.3, 0.4], backend)


EDGES: dict[str, tuple[Callable[..., Any], list[float] | None]] = {
    "an argument": (lambda x: [x[0]], [0.5] * 4),
    "a parameter": (lambda x: [PS[0]], [0.5] * 4),
    "a number": (lambda x: [2.0], [0.5] * 4),
    "all three, some twice": (lambda x: [x[0], PS[0], 2.0, x[0], PS[0]], [0.5] * 4),
    "constants": (lambda x: [Value(2.0) * 3.0 + Value(1.0), maximum(Value(1.0), 2.0)], [0.5] * 4),
    "constants beside others": (lambda x: [(Value(1.0) + 2.0) * x[0], x[1] * PS[1] - (Value(1.0) - 3.0)], [0.5] * 4),
    "parameters only": (lambda x: [PS[0] + PS[0], PS[0] * PS[1]], [0.5] * 4),
    "no arguments": (lambda: [PS[0] * PS[1]], None),
    "no arguments, constants": (lambda: [Value(1.0) + 2.0, PS[2]], None),
}


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("backend", ["numpy", "python"])
def test_functions_with_hardly_an_operation_compile(name: str, backend: str) -> None:
    check(*EDGES[name], backend)


def test_the_edges_compile_with_numba() -> None:
    pytest.importorskip("numba")
    for name in ("an argument", "constants beside others", "no arguments, constants"):
        check(*EDGES[name], "numba", batches=(2,))
    for name in ("a number", "constants", "a parameter"):
        example = [0.5] * 4
        step = autograd.compile(EDGES[name][0], example, backend="numba", check=False)
        rows = [y.data if isinstance(y, Value) else y for y in EDGES[name][0]([Value(v) for v in example])]
        assert np.allclose(step([example, example]), [rows, rows])


@pytest.mark.parametrize(
    ("x", "mean"),
    [
        ([-math.inf, 1e200, 1.0], math.nan),  # -inf + inf; a processor that adds products in one step has -inf + 1e400
        ([1e200, -1e200, 1.0], math.nan),  # and tanh makes a 1 of inf, so that nothing else shows it
        ([1e200, 1e200, 1.0], 3.0),
    ],
)
def test_products_that_overflow_are_rounded_before_they_are_added(x: list[float], mean: float) -> None:
    ws = [[Value(1e200), Value(1e200), Value(0.5 * k)] for k in range(3)]

    def loss(x: Any) -> Any:
        return sum(sum(w * v for w, v in zip(row, x, strict=True)).tanh() for row in ws)

    lifted = [Value(v) for v in x]
    y = loss(lifted)
    y.backward()
    assert strict_error(y.data, mean) == 0.0
    step = autograd.compile(loss, [0.1, 0.2, 0.3], backend="numpy")
    slopes = {w: w.grad for row in ws for w in row}
    for _ in range(2):
        assert strict_error(step([x]), mean) == 0.0
        assert strict_error(step.gradient, [slopes[p] for p in step.parameters]) == 0.0
        assert strict_error(step.outputs([x]), [mean]) == 0.0
    assert strict_error(step([[1e-200, 0.0, 1.0]]), sum(math.tanh(1.0 + 0.5 * k) for k in range(3))) < 1e-12


@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 1, 2), (1, 3, 1), (2, 2, 2)])
def test_what_is_not_finite_goes_back_through_layers_as_in_scalar_code(sizes: tuple[int, ...]) -> None:
    """NumPy's `dot`, which takes a matrix of one entry for a number, has 0 for 0·inf, and tells of no overflow."""
    generator = random.Random(0)
    extremes = [0.0, 1.0, -0.5, 2.0, 1e200, -1e200, math.inf, -math.inf, math.nan]
    ws = [[[Value(1.0) for _ in range(a)] for _ in range(b)] for a, b in itertools.pairwise(sizes)]
    parameters = [w for rows in ws for row in rows for w in row]

    def loss(x: Any) -> Any:
        h = [sum(w * v for w, v in zip(row, x, strict=True)).tanh() for row in ws[0]]
        return sum(relu(sum(w * v for w, v in zip(row, h, strict=True))) ** 2 for row in ws[1])

    step = autograd.compile(loss, [0.5] * sizes[0], params=parameters, backend="numpy", check=False)
    assert "product(" in step.source_in_place or sizes[0] == 1
    for _ in range(60):
        for w in parameters:
            w.data, w.grad = generator.choice(extremes[:6] * 2 + extremes), 0.0
        step.pull()
        batch = [[generator.choice(extremes) for _ in range(sizes[0])] for _ in range(generator.choice([1, 1, 2]))]
        ys = [loss([Value(v) for v in x]) for x in batch]
        for y in ys:
            y.backward()
        assert strict_error(step(batch), sum(y.data for y in ys) / len(batch)) <= 1e-12
        assert strict_error(step.gradient, [p.grad / len(batch) for p in step.parameters]) <= 1e-12


@pytest.mark.parametrize("first", [2.0, 800.0, -900.0, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("second", [1.0, 900.0, np.inf, -np.inf])
def test_softmax_and_what_goes_back_through_logsumexp_are_those_of_the_scalar_code(first: float, second: float) -> None:
    ws = [Value(0.5), Value(-0.7), Value(0.3)]
    scales = [Value(1.0), Value(1.0), Value(1.0)]

    def matrices(ms: Any) -> Any:  # for these, samples come first
        tanhs = [[(w * m).tanh() for m in row] for w, row in zip(ws, (ms[:2], ms[2:]), strict=False)]
        return sum(sum(a * b for a, b in zip(u, v, strict=True)) ** 2 for u in tanhs for v in tanhs)

    def shares(xs: Any, ms: Any) -> Any:
        rows = softmax([a * x for a, x in zip(scales, xs, strict=True)])
        return sum(w * s for w, s in zip(ws, rows, strict=True)) + matrices(ms)

    def surprise(xs: Any, ms: Any) -> Any:
        zs = [a * x for a, x in zip(scales, xs, strict=True)]
        return logsumexp(zs) - zs[1] + matrices(ms)

    ms = [0.5, -0.2, 0.3, 0.1]
    xs = [first, 710.5, second]
    for f in (shares, surprise):
        step = autograd.compile(f, [1.0, 2.0, 3.0], ms, backend="numpy", check=False)
        assert "quotient(" in step.source_in_place and "quotient(" not in step.source
        for batch in ([xs], [[0.1, 0.2, 0.3], xs], [[0.1, 0.2, 0.3]]):
            loss = step(np.array(batch), np.array([ms] * len(batch)))
            with np.errstate(all="ignore"):
                for p in [*ws, *scales]:
                    p.grad = 0.0
                total = 0.0
                for x in batch:
                    y = f([Value(v) for v in x], [Value(m) for m in ms])
                    y.backward()
                    total += y.data / len(batch)
            expected = [p.grad / len(batch) for p in step.parameters]
            assert np.allclose(loss, total, 1e-12, 1e-12, equal_nan=True)  # of 710.5 - 710.5
            assert np.allclose(step.gradient, expected, 1e-12, 1e-300, equal_nan=True)


@pytest.mark.parametrize(("x", "a", "b"), [(1e150, 1e200, 1e-200), (0.0, 1e200, 1e200), (1e300, 1e-200, 1e-200)])
def test_huge_factors_are_not_combined(x: float, a: float, b: float) -> None:
    """Combined they would be 1, inf or 0; and the number, inf, 0 or 1e-100, another one."""
    w = Value(1.0)

    def loss(x: Any) -> Any:
        return ((w * x) * a) * b

    y = loss(Value(x))
    w.grad = 0.0
    y.backward()
    for backend in ("numpy", "python"):
        step = autograd.compile(loss, 0.5, backend=backend, check=False)
        with np.errstate(all="ignore"):
            assert step([x]) == pytest.approx(y.data, rel=1e-15, abs=0.0)
        assert step.gradient == pytest.approx([w.grad], rel=1e-15, abs=0.0, nan_ok=True)


WS, US = [Value(0.5), Value(-1.5), Value(0.7)], [Value(1.0), Value(-0.5)]
INFINITE: dict[str, Callable[[Any, Any], Any]] = {
    # the sum of three products is there once in the program, and twice in the scalar code
    "a sum that is computed twice": lambda x, a: sum(e * sum(w * v for w, v in zip(WS, x, strict=True)) for e in a),
    "and met by parameters": lambda x, a: sum(u * sum(w * v for w, v in zip(WS, x, strict=True)) for u in US) + a[0],
    "and by both": lambda x, a: sum(sum(w * v for w, v in zip(WS, x, strict=True)) * e * u for e in a for u in US),
    "in turns": lambda x, a: functools.reduce(
        lambda h, v: sum((h * US[0] + sum(w * v for w in WS[:2])).tanh() * e for e in a), [x[1], x[2], x[0], x[1]], 0.5
    ),
    "a kernel": lambda x, a: sum((sum(w * v for w, v in zip(WS, x[t:], strict=False)) + a[0]) ** 2 for t in range(3)),
    "infinity itself as a factor": lambda x, a: US[0] * (math.inf * x[0] + math.inf * x[1]).tanh() + a[0] * WS[0],
    "and in a dot product": lambda x, a: dot([math.inf, WS[0], WS[1]], [x[0], a[0], x[1]]).tanh(),
    "and of a parameter": lambda x, a: sum((math.inf * WS[0]) * v for v in (x[1], x[2], a[0])),
}


@pytest.mark.parametrize("backend", ["numpy", "python", "javascript"])
@pytest.mark.parametrize("name", INFINITE)
def test_what_an_infinity_meets_is_added_up_as_in_scalar_code(name: str, backend: str) -> None:
    """(1 - ½)·inf is inf, and 1·inf - ½·inf, which is what scalar code computes, is nan."""
    if backend == "javascript" and not shutil.which("node"):
        pytest.skip("needs Node.js")
    f = INFINITE[name]
    step = autograd.compile(f, [0.3, 0.2, 0.1], [0.7, 0.4], params=[*WS, *US], backend=backend, check=False)
    xs = [[0.3, -0.2, 0.5], [math.inf, -0.2, 0.5], [-math.inf, 1.0, -1e200], [1.0, -0.5, 0.0], [1e200, -1e200, 9e999]]
    for x, a in itertools.product(xs, ([1.0, -0.5], [2.0, 1.0])):
        for p in step.parameters:
            p.grad = 0.0
        y = f([Value(v) for v in x], [Value(v) for v in a])
        y.backward()
        for _ in range(2):
            assert strict_error(step([x], [a]), y.data) < 1e-12
            assert strict_error(step.gradient, [p.grad for p in step.parameters]) < 1e-12
            assert strict_error(step.outputs([x], [a]), [y.data]) < 1e-12


def test_no_factor_is_taken_out_of_a_sum_only_where_a_number_is_not_finite() -> None:
    step = autograd.compile(INFINITE["and by both"], [0.3] * 3, [0.7] * 2, params=[*WS, *US], backend="numpy")
    plan = step.plan
    assert plan.program.factored
    step([[0.3, -0.2, 0.5]], [[1.0, -0.5]])
    assert "in_place_exactly" not in vars(plan)
    step([[math.inf, -0.2, 0.5]], [[1.0, -0.5]])
    assert plan.in_place_exactly[0].source != plan.in_place[0].source
    plain = autograd.compile(INFINITE["a kernel"], [0.3] * 3, [0.7] * 2, backend="numpy").plan
    assert not plain.program.factored
    assert plain.in_place_exactly is plain.in_place


@pytest.mark.parametrize("shapes", [((3, 9), (9, 2)), ((9,), (9, 2)), ((3, 9), (9,)), ((4, 3, 9), (4, 9, 2))])
def test_a_product_of_matrices_rounds_each_product_where_it_is_not_finite(shapes: tuple[Any, Any]) -> None:
    numbers = [math.inf, 1e200, -1e200, 1.0, -0.5, 2.0, 0.25, 1.0, 1.5]
    for seed in range(50):
        a, b = (np.random.default_rng([seed, k]).choice(numbers, shape) for k, shape in enumerate(shapes))
        rows, columns = (a[None] if a.ndim == 1 else a), np.swapaxes(b[:, None] if b.ndim == 1 else b, -1, -2)
        with np.errstate(all="ignore"):
            found = careful_matmul(a, b, np.empty(np.matmul(a, b).shape))
            expected = [  # (Python's `sum` adds floats more exactly, from 3.12 on)
                functools.reduce(operator.add, map(operator.mul, row.tolist(), column.tolist()), 0.0)
                for left, right in zip(*[x.reshape(-1, *x.shape[-2:]) for x in (rows, columns)], strict=True)
                for row, column in itertools.product(left, right)
            ]
        assert np.allclose(found.reshape(-1), expected, rtol=1e-12, atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("backend", ["numpy", "python", "javascript"])
@pytest.mark.parametrize("at", [0.0, math.inf, 0.5])
def test_an_infinite_slope_of_parameters_alone_meets_each_sample(at: float, backend: str) -> None:
    """√w is computed once for a batch, and its slope at 0 meets what the samples send one by one: 1·inf - ½·inf."""
    if backend == "javascript" and not shutil.which("node"):
        pytest.skip("needs Node.js")
    w, v = Value(at), Value(0.7)

    def loss(x: Any) -> Any:
        return w.sqrt() * x[0] + (w * v) * x[1] + v * x[2]

    step = autograd.compile(loss, [0.3, 0.1, 0.2], params=[w, v], backend=backend, check=False)
    for batch in ([[1.0, 1.0, 2.0], [-0.5, -2.0, 1.0]], [[1.0, 1.0, 2.0], [0.5, 2.0, 1.0]], [[0.0, 1.0, 2.0]]):
        w.grad = v.grad = 0.0
        losses = [loss([Value(x) for x in sample]) for sample in batch]
        for y in losses:
            y.backward()
        for _ in range(2):
            assert strict_error(step(batch), sum(y.data for y in losses) / len(batch)) < 1e-12
            expected = [p.grad / len(batch) for p in step.parameters]
            assert strict_error(step.gradient, expected) < 1e-12


@pytest.mark.parametrize("backend", ["numpy", "python"])
def test_a_scaled_sum_of_products_of_parameters_keeps_its_factor(backend: str) -> None:
    w = Value(0.5)

    def loss(x: Any) -> Any:
        return (0.25 * (x + autograd.dot([0.0, w * w], [w, w * w]))).tanh()

    step = autograd.compile(loss, 0.1, backend=backend, check=False)
    assert step([1.0]) == pytest.approx(math.tanh(0.25 * (1.0 + 0.5**4)), rel=1e-15)
    assert step.gradient == pytest.approx([(1.0 - step([1.0]) ** 2) * 0.25 * 4.0 * 0.5**3], rel=1e-14)
