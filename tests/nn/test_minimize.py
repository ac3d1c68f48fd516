"""Minima and roots (B12), and the data of optimiser paths (B13)."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import gradcheck
from nn import MLP, SGD, Adam, data, mean_loss, minimize
from nn.optim import Newton
from nn.training import descent_trace, newton_root
from nn.training.minimisation import SURFACES

SCIPY_METHODS = ["bfgs", "l-bfgs", "cg", "newton-cg", "trust-exact"]


def quadratic(seed: int, n: int) -> tuple[Any, np.ndarray[Any, Any]]:
    """½wᵀHw - cᵀw with H positive definite, and where its minimum is."""
    rng = np.random.default_rng(seed)
    root, c = rng.normal(size=(n, n)), rng.normal(size=n)
    H = root @ root.T + np.eye(n)

    def f(w: list[Any]) -> Any:
        total: Any = 0.0
        for i in range(n):
            total = total - float(c[i]) * w[i]
            for j in range(n):
                total = total + 0.5 * float(H[i, j]) * w[i] * w[j]
        return total

    return f, np.linalg.solve(H, c)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_newton_solves_any_quadratic_in_one_step_b12(seed: int, n: int) -> None:
    f, expected = quadratic(seed, n)
    found = minimize(f, [1.0] * n, method="newton")
    assert found.steps == 1
    assert found.converged
    assert len(found.path) == 2
    assert np.allclose(found.x, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("method", SCIPY_METHODS)
def test_scipys_methods_find_the_minimum_with_our_gradients_b12(method: str) -> None:
    pytest.importorskip("scipy")
    f, expected = quadratic(3, 4)
    found = minimize(f, [1.0] * 4, method=method, tolerance=1e-9)
    assert found.converged, found.message
    assert np.allclose(found.x, expected, atol=1e-6)
    bent = minimize(SURFACES["rosenbrock"][0], [-1.2, 1.0], method=method, tolerance=1e-9)
    assert np.allclose(bent.x, [1.0, 1.0], atol=1e-5)
    assert bent.path[0] == [-1.2, 1.0]
    assert len(bent.path) == bent.steps + 1


def test_few_evaluations_are_needed_because_gradients_are_given() -> None:
    pytest.importorskip("scipy")
    found = minimize(SURFACES["rosenbrock"][0], [-1.2, 1.0], method="bfgs")
    assert found.evaluations < 60  # with differences in place of gradients it is three times as many


def test_the_shape_of_the_start_is_kept() -> None:
    def f(w: Any) -> Any:
        return (w[0][0] - 1.0) ** 2 + (w[0][1] - 2.0) ** 2 + (w[1] - 3.0) ** 2

    found = minimize(f, [[0.0, 0.0], 0.0], method="newton")
    assert found.x == [[pytest.approx(1.0), pytest.approx(2.0)], pytest.approx(3.0)]
    assert minimize(lambda x: (x - 2.0) ** 2, 0.0, method="newton").x == pytest.approx(2.0)
    array = minimize(lambda w: ((w - 1.0) ** 2).sum(), np.zeros((2, 2)), method="newton").x
    assert array.shape == (2, 2)
    assert np.allclose(array, 1.0)


@pytest.mark.parametrize("method", ["bfgs", "l-bfgs", "cg", "newton-cg"])
def test_a_model_can_be_fitted_to_its_loss(method: str) -> None:
    pytest.importorskip("scipy")
    X, y = data.noisy_curve(15, seed=1)
    model = MLP(1, [3, 1], seed=1)

    def loss() -> Any:
        return mean_loss(model, X, y, l2=1e-3)

    before = loss().data
    found = minimize(loss, model, method=method, max_steps=100)
    assert found.value < 0.3 * before
    assert loss().data == pytest.approx(found.value, rel=1e-12)
    assert found.x == model.state_dict()


def test_a_linear_model_is_fitted_by_newton_as_by_least_squares() -> None:
    xs, ts = [0.0, 1.0, 2.0, 3.0], [1.1, 2.9, 5.2, 6.8]
    model = MLP(1, [1], seed=0)
    assert minimize(lambda: mean_loss(model, xs, ts), model, method="newton").steps == 1
    assert [p.data for p in model.parameters()] == pytest.approx(np.polyfit(xs, ts, 1).tolist(), abs=1e-10)


def test_newton_from_a_bad_place_reports_that_it_did_not_converge() -> None:
    found = minimize(SURFACES["rosenbrock"][0], [-1.2, 1.0], method="newton", max_steps=2)
    assert not found.converged
    assert found.steps == 2
    assert minimize(SURFACES["rosenbrock"][0], [-1.2, 1.0], method="newton").x == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: minimize(lambda x: x * x, 1.0, "adam"), ValueError, "one of bfgs, .*, newton, but got 'adam'"),
        (lambda: minimize(lambda x: x[0] + x[1], [1.0, 2.0], "newton"), ValueError, "Hessian is singular"),
        (lambda: minimize(lambda x: None, 1.0, "newton"), TypeError, "did it forget to return"),
        (lambda: minimize(lambda: 3.0, MLP(1, [1]), "newton"), TypeError, "a Value, but returned float"),
    ],
)
def test_minimize_says_what_it_expected(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_without_scipy_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(ImportError, match="-m pip install scipy"):
        minimize(lambda x: x * x, 1.0)
    assert minimize(lambda x: x * x, 1.0, "newton").x == 0.0


# --- roots


def test_newton_finds_a_root_doubling_the_digits_b12() -> None:
    path = newton_root(lambda x: x * x - 2.0, 1.0)
    assert path[:3] == [1.0, 1.5, 1.5 - 0.25 / 3.0]
    assert path[-1] == pytest.approx(math.sqrt(2.0), abs=1e-12)
    assert len(path) <= 7


def test_a_root_that_is_not_there_says_where_it_ended() -> None:
    with pytest.raises(ValueError, match=r"no root within 20 steps; the last x is"):
        newton_root(lambda x: x * x + 1.0, 0.5, max_steps=20)
    with pytest.raises(ValueError, match=r"stuck at x = 0\.0: f = 1\.0, f′ = 0\.0"):
        newton_root(lambda x: x * x + 1.0, 0.0)


# --- paths over surfaces


def test_a_trace_is_the_way_of_gradient_descent() -> None:
    trace = descent_trace(SURFACES["bowl"][0], [4.0, 1.0], SGD(lr=0.05), steps=30)
    assert trace.name == "SGD"
    assert len(trace.points) == len(trace.values) == len(trace.gradients) == 31
    for k in range(31):
        expected = [4.0 * 0.95**k, 1.0 * 0.5**k]
        assert trace.points[k] == pytest.approx(expected, rel=1e-12)
        assert trace.gradients[k] == pytest.approx([expected[0], 10.0 * expected[1]], rel=1e-12)
        assert trace.values[k] == pytest.approx(0.5 * (expected[0] ** 2 + 10.0 * expected[1] ** 2), rel=1e-12)


def test_traces_of_momentum_adam_and_newton_reach_the_bottom() -> None:
    bowl = SURFACES["bowl"][0]
    for optimizer in (SGD(lr=0.02, momentum=0.9), Adam(lr=0.2), Newton()):
        assert descent_trace(bowl, [4.0, 1.0], optimizer, 300).values[-1] < 1e-6
    assert len(descent_trace(bowl, [4.0, 1.0], Newton(), 1, name="H⁻¹∇").points) == 2


def test_an_optimiser_can_walk_again_from_the_start() -> None:
    optimizer = Adam(lr=0.1)
    first = descent_trace(SURFACES["beale"][0], [1.0, 1.0], optimizer, 20)
    assert descent_trace(SURFACES["beale"][0], [1.0, 1.0], optimizer, 20) == first


def test_a_walk_that_runs_away_ends_where_numbers_end() -> None:
    trace = descent_trace(SURFACES["rosenbrock"][0], [-1.2, 1.0], SGD(lr=0.1), 100)
    assert 1 < len(trace.points) < 100
    assert all(map(math.isfinite, trace.values))


@pytest.mark.parametrize("name", SURFACES)
def test_surfaces_have_their_minima_where_they_say_and_correct_gradients(name: str) -> None:
    f, lowest = SURFACES[name]
    assert gradcheck(f, [[0.3, -0.4]])
    if lowest is not None:
        assert f(lowest) == 0.0
        assert f([lowest[0] + 0.01, lowest[1] - 0.01]) > 0.0


@pytest.mark.parametrize(
    ("f", "start", "what"),
    [
        (lambda p: p[0] ** 2 - p[1] ** 2, [1.0, 2.0], "a saddle"),
        (lambda p: -(p[0] ** 2) - p[1] ** 2, [1.0, 2.0], "a maximum"),
    ],
)
def test_newton_does_not_call_a_saddle_or_a_maximum_a_minimum(f: Any, start: list[float], what: str) -> None:
    found = minimize(f, start, "newton")
    assert not found.converged
    assert f"this is {what}, not a minimum" in found.message


def test_newton_still_finds_minima_and_accepts_a_flat_direction() -> None:
    assert minimize(lambda p: p[0] ** 2 + 3.0 * p[1] ** 2, [1.0, 2.0], "newton").converged
    assert minimize(lambda p: p[0] ** 4, [0.0], "newton").converged


def test_a_setting_that_is_no_number_gets_one_clear_error() -> None:
    for options in ({"tolerance": "1e-6"}, {"max_steps": "10"}):
        (name,) = options
        with pytest.raises(TypeError, match=f"{name} must be a (whole )?number, but got"):
            minimize(lambda x: x * x, 1.0, "newton", **options)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=f"{name} must be a (whole )?number, but got"):
            newton_root(lambda x: x * x - 2.0, 1.0, **options)  # type: ignore[arg-type]


def test_what_is_no_function_is_told_what_comes_first() -> None:
    with pytest.raises(TypeError, match="minimize takes a function first, and then where it starts, but got int: 3"):
        minimize(3, 0.0)  # type: ignore[arg-type]


def test_the_names_of_methods_may_be_in_capitals() -> None:
    pytest.importorskip("scipy")
    assert minimize(lambda x: (x - 1.0) ** 2, 3.0, "BFGS").x == pytest.approx(1.0)
    assert minimize(lambda x: (x - 1.0) ** 2, 3.0, "Newton").x == pytest.approx(1.0)
