"""The grouped program as JavaScript: what it computes on Node.js is what NumPy computes."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest

from autograd import Value, detach, erf, logsumexp, maximum, relu, where
from autograd import compile as compile_function
from autograd.compiler.backends.javascript import JavaScript
from tests.autograd.compiler.models import CASES, Source, batch_of, random_dag, strict_error

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js")


UNLIKE = [
    "MLP with softmax cross-entropy", "norm penalty", "pre-activation residual", "convolution with max pooling",
    "LSTM", "tied weights", "attention", "second derivatives of a power", "ties", "odd shapes",
]  # fmt: skip


def both(f: Any, example: list[Any], batch: list[Any]) -> tuple[Any, Any]:
    """The program on NumPy and the one in JavaScript, called with the batch: (mean, gradient) of each."""
    steps = [compile_function(f, *example, backend=name, check=False) for name in ("numpy", "javascript")]
    ours, theirs = [(step(*batch), step.gradient.copy()) for step in steps]
    return ours, theirs


@needs_node
@pytest.mark.parametrize("name", UNLIKE)
def test_mean_and_gradient_are_those_of_numpy(name: str) -> None:
    f, example = CASES[name](Source(1))
    (mean, gradient), (found, slopes) = both(f, example, batch_of(example, 3))
    assert found == pytest.approx(mean, rel=1e-13)
    assert abs(slopes - gradient).max() <= 1e-13 * abs(gradient).max()


@needs_node
def test_an_irregular_graph_of_thousands_of_nodes() -> None:
    f, example = random_dag(Source(3), 600)
    (mean, gradient), (found, slopes) = both(f, example, batch_of(example, 2))
    assert found == pytest.approx(mean, rel=1e-12)
    assert abs(slopes - gradient).max() <= 1e-11 * abs(gradient).max()


@needs_node
def test_what_is_cut_and_what_is_not_finite_are_as_on_numpy() -> None:
    """0·inf would be nan: where a path is cut, what lies behind it is not multiplied."""
    w, v = Value(0.0), Value(2.0)
    batch = [np.array([[1.0, 0.5], [2.0, -1.0]])]

    def cut(x: Any) -> Any:
        return relu(w * v - 1.0 / x[0] ** 2) / w + detach(1.0 / w) * 0.0 + erf(v) * x[1] + maximum(w**0.5, v * x[0])

    def chosen(x: Any) -> Any:
        return where(x[1] > 0.0, v / x[1], abs(w) * x[0]) + logsumexp([v * x[0], w, 1e308 * x[0] * v])

    for loss in (cut, chosen):
        (_, gradient), (_, slopes) = both(loss, [[1.0, 2.0]], batch)
        assert strict_error(slopes, gradient) < 1e-13


@needs_node
def test_outputs_of_every_sample_and_the_compilers_own_check() -> None:
    a, b = Value(0.5), Value(-1.5)
    f = compile_function(lambda x: [a * x[0] + b, (b * x[1]).tanh(), x[0]], [0.3, 0.4], backend="javascript")
    X = np.random.default_rng(0).normal(size=(4, 2))
    expected = np.stack([0.5 * X[:, 0] - 1.5, np.tanh(-1.5 * X[:, 1]), X[:, 0]], 1)
    np.testing.assert_allclose(f(X), expected, rtol=1e-14)
    assert f.backend == "javascript"


@needs_node
def test_inf_and_nan_come_through() -> None:
    w = Value(1.0)
    f = compile_function(lambda x: w / x, 1.0, mean=False, backend="javascript", check=False)
    found = f(np.array([0.0, -0.0, np.inf, np.nan]))
    assert found[:3].tolist() == [np.inf, -np.inf, 0.0] and np.isnan(found[3])


def test_the_program_of_a_layer_is_as_long_whatever_its_width() -> None:
    lengths = []
    for width in (3, 300):
        w = [[Value(0.1 * k) for k in range(width)] for _ in range(width)]

        def loss(x: Any, w: Any = w) -> Any:
            h = [sum((a * b for a, b in zip(row, x, strict=True)), 0.0) for row in w]
            return sum(z.tanh() for z in h)

        step = compile_function(loss, [0.5] * width, check=False)
        source = JavaScript(step.plan).source
        lengths.append(len(source.replace("300", "3")))
        assert source.count("for (let") <= 8
    assert lengths[1] < lengths[0] + 120


def test_single_precision_is_refused() -> None:
    w = Value(1.0)
    step = compile_function(lambda x: w * x, 1.0, dtype="float32", check=False)
    with pytest.raises(ValueError, match="float64 only"):
        JavaScript(step.plan)


def test_without_node_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    w = Value(1.0)
    step = compile_function(lambda x: w * x, 1.0, backend="javascript", check=False)
    assert "forward" in step.source
    with pytest.raises(ImportError, match="no `node` on this machine"):
        step(np.array([1.0]))
