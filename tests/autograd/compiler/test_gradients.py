"""The compiled gradient is the eager gradient, on every kind of network that people write."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import Value
from tests.autograd.compiler.models import CASES, Source, batch_of, eager, random_dag, strict_error

BACKENDS = ("numpy", "python")


def in_order(step: Any, parameters: list[Value], gradient: list[float]) -> list[float]:
    index = {p: k for k, p in enumerate(parameters)}
    return [gradient[index[p]] for p in step.parameters]


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_backward(name: str) -> None:
    source = Source(1)
    f, example = CASES[name](source)
    for n in (1, 3):
        batch = batch_of(example, n, seed=n)
        loss, gradient = eager(f, source.parameters, batch)
        for backend in BACKENDS:
            step = autograd.compile(f, *example, backend=backend)
            expected = in_order(step, source.parameters, gradient)
            for _ in range(2):  # the second call finds the workspaces of the first
                assert strict_error(step(*batch), loss) <= 1e-10
                assert strict_error(step.gradient, expected) <= 1e-10, backend


@pytest.mark.parametrize("name", CASES)
def test_the_readable_source_is_the_program_that_runs(name: str) -> None:
    source = Source(2)
    f, example = CASES[name](source)
    batch = batch_of(example, 3)
    step = autograd.compile(f, *example, backend="numpy")
    loss = step(*batch)
    alone: dict[str, Any] = {}
    exec(step.source, alone)
    found, gradient = alone["program"](step.theta, *[X.reshape(3, -1).T for X in batch])
    assert strict_error(found, loss) <= 1e-12
    assert strict_error(gradient, step.gradient) <= 1e-10
    assert step.source.endswith(step._plan.readable.source)


@pytest.mark.parametrize("seed", range(3))
def test_a_random_graph_of_2000_nodes(seed: int) -> None:
    source = Source(seed)
    f, example = random_dag(source, 2000)
    batch = batch_of(example, 2)
    loss, gradient = eager(f, source.parameters, batch)
    for backend in BACKENDS if seed == 0 else ("python",):
        step = autograd.compile(f, *example, backend=backend, check=False)
        assert strict_error(step(*batch), loss) <= 1e-10
        assert strict_error(step.gradient, in_order(step, source.parameters, gradient)) <= 1e-10


def test_a_random_graph_of_20000_nodes() -> None:
    source = Source(7)
    f, example = random_dag(source, 20_000)
    batch = batch_of(example, 1)
    loss, gradient = eager(f, source.parameters, batch)
    step = autograd.compile(f, *example, check=False)
    assert step.backend == "python"
    assert step(*batch) == loss
    assert strict_error(step.gradient, in_order(step, source.parameters, gradient)) <= 1e-10


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), nodes=st.integers(1, 60), window=st.integers(2, 60), n=st.integers(1, 3))
def test_small_random_graphs(seed: int, nodes: int, window: int, n: int) -> None:
    source = Source(seed)
    f, example = random_dag(source, nodes, inputs=2, parameters=3, window=window)
    batch = batch_of(example, n, seed)
    loss, gradient = eager(f, source.parameters, batch)
    for backend in BACKENDS:
        step = autograd.compile(f, *example, backend=backend, params=source.parameters)
        assert strict_error(step(*batch), loss) <= 1e-10
        expected = np.array(in_order(step, source.parameters, gradient))
        scale = np.abs(expected).max()
        assert np.allclose(step.gradient, expected, rtol=1e-10, atol=1e-14 * scale)


SINGULAR = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 1000.0, -1000.0, 710.0, math.inf, -math.inf, math.nan]
RULES = {
    "exp": lambda x, w: (x * w).exp(),
    "log": lambda x, w: (x * w).log(),
    "sqrt": lambda x, w: (x * w).sqrt(),
    "reciprocal": lambda x, w: (x * w).reciprocal(),
    "division": lambda x, w: w / x,
    "division by a parameter": lambda x, w: x / (w - 1.0),
    "relu": lambda x, w: (x * w).relu(),
    "leaky relu": lambda x, w: (x * w).leaky_relu(),
    "abs": lambda x, w: abs(x * w),
    "sigmoid": lambda x, w: (x * w).sigmoid(),
    "softplus": lambda x, w: (x * w).softplus(),
    "tanh": lambda x, w: (x * w).tanh(),
    "sin": lambda x, w: (x * w).sin(),
    "power 0": lambda x, w: (x * w) ** 0,
    "power 1": lambda x, w: (x * w) ** 1,
    "square": lambda x, w: (x * w) ** 2,
    "cube": lambda x, w: (x * w) ** 3,
    "power -1": lambda x, w: (x * w) ** -1,
    "square root as a power": lambda x, w: (x * w) ** 0.5,
    "cube root": lambda x, w: (x * w) ** (1 / 3),
    "parameter as the exponent": lambda x, w: x**w,
    "parameter as the base": lambda x, w: w**x,
    "number as the base": lambda x, w: 2.0 ** (x * w),
    "maximum": lambda x, w: autograd.maximum(x * w, w, 0.5),
    "minimum": lambda x, w: autograd.minimum(x * w, w, x),
    "logsumexp": lambda x, w: autograd.logsumexp(x * w, w, x),
    "softmax": lambda x, w: autograd.softmax(x * w, 0.7 * w)[0],  # of w alone, the slope at x = 1 is 0 but for rounding
    "sum and difference": lambda x, w: x * w - (w - x) + 2.0 * w,
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_singular_points_are_those_of_the_sheet(name: str, backend: str) -> None:
    for start in (1.0, 0.0, -1.0, 2.0):
        w = Value(start)
        step = autograd.compile(lambda x, w=w, f=RULES[name]: f(x, w), 0.5, backend=backend, params=[w], check=False)
        for x in SINGULAR:
            w.grad = None
            y = RULES[name](Value(x), w)
            y.backward()
            assert strict_error(step([x]), y.data) <= 1e-10, (start, x)
            assert strict_error(step.gradient, [w.grad]) <= 1e-10, (start, x)


def test_ties_share_as_in_the_sheet() -> None:
    a, b, c = Value(1.0), Value(1.0), Value(1.0)

    def loss(x: Any) -> Any:
        chain = autograd.maximum(autograd.maximum(a * x, b * x), c * x)
        return chain + 10.0 * autograd.maximum(a * x, b * x, c * x)

    for backend in BACKENDS:
        step = autograd.compile(loss, 1.0, backend=backend)
        step([1.0])
        found = dict(zip(step.parameters, step.gradient.tolist(), strict=True))
        assert [found[p] for p in (a, b, c)] == pytest.approx([0.25 + 10 / 3, 0.25 + 10 / 3, 0.5 + 10 / 3], rel=1e-15)


def test_float32_is_as_good_as_float32_is() -> None:
    source = Source(3)
    f, example = CASES["MLP with softmax cross-entropy"](source)
    batch = batch_of(example, 4)
    loss, gradient = eager(f, source.parameters, batch)
    step = autograd.compile(f, *example, dtype="float32", backend="numpy")
    assert step.theta.dtype == np.float32
    assert step(*batch) == pytest.approx(loss, rel=1e-5)
    assert np.allclose(step.gradient, in_order(step, source.parameters, gradient), rtol=1e-3, atol=1e-5)


def test_deep_chains_compile() -> None:
    w = Value(0.999)

    def loss(x: Any) -> Any:
        for _ in range(1200):
            x = (x * w).sin() + x
            x = x * 0.5
        return x

    expected = loss(Value(0.5))
    expected.backward()
    for backend in BACKENDS:
        step = autograd.compile(loss, 0.5, backend=backend, check=False)
        assert strict_error(step([0.5]), expected.data) <= 1e-10
        assert strict_error(step.gradient, [w.grad]) <= 1e-10


def test_long_sums_take_linear_time() -> None:
    ws = [Value(random.Random(k).random()) for k in range(20_000)]

    def nested(x: Any) -> Any:
        total: Any = ws[0] * x
        for w in ws[1:]:
            total = w * x - total  # every sum stands under a minus sign
        return total

    step = autograd.compile(nested, 0.5, check=False, backend="numpy")
    assert step([2.0]) == pytest.approx(nested(Value(2.0)).data, rel=1e-9)
