"""tan, asin, acos, atan, atan2, hypot, sinh, cosh, log1p, expm1, erf, erfc, gelu: digits far out, arrays, all backends.

Their values and derivatives at ordinary and singular points are in test_ops.py, with those of every operation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import mpmath as mp
import pytest

import autograd as ag
from autograd import Value, grad, gradcheck, value_and_grad

# value and derivative, for mpmath
ONE: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "tan": (mp.tan, lambda x: mp.sec(x) ** 2),
    "asin": (mp.asin, lambda x: 1 / mp.sqrt(1 - x * x)),
    "acos": (mp.acos, lambda x: -1 / mp.sqrt(1 - x * x)),
    "atan": (mp.atan, lambda x: 1 / (1 + x * x)),
    "sinh": (mp.sinh, mp.cosh),
    "cosh": (mp.cosh, mp.sinh),
    "log1p": (mp.log1p, lambda x: 1 / (1 + x)),
    "expm1": (mp.expm1, mp.exp),
    "erf": (mp.erf, lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x)),
    "erfc": (mp.erfc, lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x)),
    "gelu": (lambda x: x * mp.ncdf(x), lambda x: mp.ncdf(x) + x * mp.npdf(x)),
}
WIDE = [s * x for s in (1, -1) for x in (0.3, 0.9, 1.7, 3.1, 5.9, 8.3, 12.7, 20.1, 26.4, 30.0, 37.0, 100.3, 299.9)]
WIDE += [s * 10.0**-k for s in (1, -1) for k in (1, 2, 5, 10, 17, 100, 300)]
INSIDE = [x for x in WIDE if abs(x) < 1] + [s * (1 - 10.0**-k) for s in (1, -1) for k in (2, 5, 10, 15)]
ONLY = {"asin": INSIDE, "acos": INSIDE, "log1p": [x for x in (*WIDE, *INSIDE) if x > -1]}
TINY = 1e-290  # below, floats have fewer digits


def condition(f: Callable[[Any], Any], x: Any) -> Any:
    """How many times larger a relative error of x is in f(x)."""
    return abs(x * mp.diff(f, x, h=abs(x) * mp.mpf(10) ** -20) / f(x)) if f(x) else mp.mpf(0)


@pytest.mark.parametrize("name", ONE)
def test_values_and_derivatives_keep_their_digits_far_out_and_close_to_0(name: str) -> None:
    with mp.workdps(60):
        for x in ONLY.get(name, WIDE):
            exact = mp.mpf(x)
            for ours, f in zip(value_and_grad(getattr(ag, name))(x), ONE[name], strict=True):
                reference = f(exact)
                if abs(reference) > TINY:
                    error = abs((mp.mpf(ours) - reference) / reference)
                    assert error <= 1e-13 * (1 + condition(f, exact)), (name, x, ours, float(error))
                else:
                    assert abs(ours - reference) <= 1e-300, (name, x, ours)


def test_angles_and_distances_keep_their_digits_where_squares_overflow_or_vanish() -> None:
    with mp.workdps(60):
        for a, b in itertools.product([3.0, -0.7, 1e-3, 1e150, -1e300, 1e-150, -1e-200, 1e-12], repeat=2):
            x, y = mp.mpf(a), mp.mpf(b)
            radius = mp.hypot(x, y)
            for name, exact in {
                "atan2": (mp.atan2(x, y), y / radius / radius, -x / radius / radius),
                "hypot": (radius, x / radius, y / radius),
            }.items():
                value, slopes = value_and_grad(getattr(ag, name), (0, 1))(a, b)
                for ours, reference in zip((value, *slopes), exact, strict=True):
                    assert abs(ours - reference) <= 1e-15 * 10 * abs(reference) + 1e-307, (name, a, b, ours)


def test_asin_at_the_last_float_before_1_has_all_digits_of_its_derivative() -> None:
    x = math.nextafter(1.0, 0.0)
    with mp.workdps(50):
        expected = float(1 / mp.sqrt(1 - mp.mpf(x) ** 2))
    assert grad(ag.asin)(x) == pytest.approx(expected, rel=1e-15)
    assert grad(ag.acos)(x) == pytest.approx(-expected, rel=1e-15)


def test_the_tails_of_gelu_are_not_cut_off() -> None:
    with mp.workdps(50):
        for x in (-5.0, -10.0, -30.0, -37.0):
            assert ag.gelu(x) == pytest.approx(float(x * mp.ncdf(x)), rel=1e-12)
    assert ag.gelu(-40.0) == 0.0 and ag.gelu(40.0) == 40.0 and grad(ag.gelu)(1e200) == 1.0
    one_minus = 0.5 * -10.0 * (1 + math.erf(-10 / math.sqrt(2)))  # what 1 + erf would make of it
    assert one_minus == 0.0 and ag.gelu(-10.0) < 0.0


@pytest.mark.parametrize("name", ONE)
def test_derivatives_to_fourth_order_equal_mpmath(name: str) -> None:
    g: Any = getattr(ag, name)
    with mp.workdps(50):
        for order in range(1, 5):
            g = grad(g)
            for x in (0.37, -0.62):
                expected = float(mp.diff(ONE[name][0], mp.mpf(x), order))
                assert abs(g(x) - expected) <= 1e-12 * max(1.0, abs(expected)), (order, x)


@pytest.mark.parametrize("name", [*ONE, "atan2", "hypot"])
def test_central_differences_agree_and_methods_are_the_functions(name: str) -> None:
    f = getattr(ag, name)
    numbers = [0.4, -0.8] if name in ("atan2", "hypot") else [0.4]
    assert gradcheck(f, numbers)
    values = [Value(x) for x in numbers]
    y = getattr(values[0], name)(*values[1:])
    assert (y.op, y.data) == (name, f(*numbers))


def test_atan2_and_hypot_follow_c99_in_every_quadrant_and_at_zeros_and_infinities() -> None:
    points = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan]
    for a, b in itertools.product(points, repeat=2):
        for ours, theirs in ((ag.atan2, math.atan2), (ag.hypot, math.hypot)):
            assert (
                repr(ours(a, b)) == repr(ours(Value(a), b).data) == repr(ours(a, Value(b)).data) == repr(theirs(a, b))
            )
    assert grad(ag.atan2, (0, 1))(0.0, 0.0) == grad(ag.hypot, (0, 1))(0.0, -0.0) == (0.0, 0.0)


# --- arrays


def test_erf_and_erfc_on_arrays_have_the_digits_of_a_float() -> None:
    np = pytest.importorskip("numpy")
    from autograd import error_function

    xs = np.concatenate([np.linspace(-6.5, 26.5, 1201), 10.0 ** np.linspace(-300, 0, 100), [0.0, -0.0, 0.75]])
    with np.errstate(all="ignore"):
        erf, erfc = error_function.erf(xs), error_function.erfc(xs)
        for count in (1, error_function.FEW):  # few are computed one by one
            special = np.tile([math.inf, -math.inf, 1e200, -0.0, math.nan], count)
            for f, expected in ((error_function.erf, "1 -1 1 -0 nan"), (error_function.erfc, "0 2 0 1 nan")):
                assert [f"{y:g}" for y in f(special).tolist()] == expected.split() * count
    with mp.workdps(40):
        for x, ours, other in zip(xs.tolist(), erf.tolist(), erfc.tolist(), strict=True):
            exact, rest = mp.erf(mp.mpf(x)), mp.erfc(mp.mpf(x))
            assert abs(ours - exact) <= 4e-16 * abs(exact), x
            assert abs(other - rest) <= 1e-15 * (1 + 2 * x * x) * rest, x
    out = np.empty(3)
    assert error_function.erf(np.array([[0.5]])).shape == (1, 1)
    assert error_function.erfc(np.zeros(3), out) is out and out.tolist() == [1.0, 1.0, 1.0]
    for size in (2, 1000):
        assert error_function.erf(np.zeros(size, np.float32)).dtype == np.float32


# --- compiled

FORMULAS: dict[str, Callable[[Any, Any], Any]] = {
    name: lambda w, x, name=name: getattr(ag, name)(w * x) for name in ONE
}
FORMULAS |= {
    "atan2": lambda w, x: ag.atan2(w * x, x + 0.2) + ag.atan2(0.5, w * x) + ag.atan2(w, 2.0),
    "hypot": lambda w, x: ag.hypot(w * x, x) + ag.hypot(0.5, w * x) + ag.hypot(w, 2.0),
    "second derivatives": lambda w, x: grad(lambda v: ag.gelu(v * x) + ag.hypot(v * x, x) + ag.atan2(v, x))(w),
}


@pytest.mark.parametrize("backend", ["numpy", "python", "jax", "numba"])
def test_every_backend_computes_them_and_their_gradients(backend: str) -> None:
    np = pytest.importorskip("numpy")
    if backend in ("jax", "numba"):
        library = pytest.importorskip(backend)
        if backend == "jax":
            library.config.update("jax_enable_x64", True)
    X = np.array([0.3, -0.6, 0.9, 0.05, -0.4])
    weights = [Value(0.7 + 0.01 * i, f"w{i}") for i in range(len(FORMULAS))]

    def loss(x: Any) -> Any:
        return sum(f(w, x) for w, f in zip(weights, FORMULAS.values(), strict=True))

    step = ag.compile(loss, 0.3, backend=backend)
    mean = step(X)
    expected = sum(loss(float(x)) for x in X) / len(X)
    assert isinstance(expected, Value)
    expected.backward()
    assert mean == pytest.approx(expected.data, rel=1e-13)
    for w, slope in zip(step.parameters, step.gradient, strict=True):
        assert slope == pytest.approx(w.grad, rel=1e-12, abs=1e-14), w.label


SINGULAR: dict[str, tuple[str, float]] = {
    "asin at 1": ("asin", 1.0),
    "asin at 2": ("asin", 2.0),
    "acos at -1": ("acos", -1.0),
    "log1p at -1": ("log1p", -1.0),
    "log1p at -2": ("log1p", -2.0),
    "sinh at 1000": ("sinh", 1000.0),
    "cosh at -1000": ("cosh", -1000.0),
    "expm1 at 1000": ("expm1", 1000.0),
    "tan at inf": ("tan", math.inf),
    "erfc at -inf": ("erfc", -math.inf),
    "hypot at 0": ("hypot", 0.0),
    "atan2 at 0": ("atan2", 0.0),
}


@pytest.mark.parametrize("backend", ["numpy", "python", "jax", "numba"])
def test_every_backend_keeps_the_conventions_at_singular_points(backend: str) -> None:
    np = pytest.importorskip("numpy")
    if backend in ("jax", "numba"):
        library = pytest.importorskip(backend)
        if backend == "jax":
            library.config.update("jax_enable_x64", True)

    def each(xs: list[Any], ws: Any) -> list[Any]:
        others = [(w,) * (name in ("hypot", "atan2")) for (name, _), w in zip(SINGULAR.values(), ws, strict=True)]
        names = [name for name, _ in SINGULAR.values()]
        sums = [w + x for w, x in zip(ws, xs, strict=True)]
        return [getattr(ag, name)(z, *other) for name, z, other in zip(names, sums, others, strict=True)]

    weights = [Value(0.0, f"w{i}") for i in range(len(SINGULAR))]
    example, points = [0.25] * len(SINGULAR), [x for _, x in SINGULAR.values()]
    step = ag.compile(lambda xs: sum(each(xs, weights)), example, backend=backend, check=False)
    step(np.array([points]))
    slopes = dict(zip((p.label for p in step.parameters), step.gradient.tolist(), strict=True))
    expected = each(points, weights)
    for key, y, w in zip(SINGULAR, expected, weights, strict=True):
        y.backward()
        assert slopes[w.label] == pytest.approx(w.grad, nan_ok=True), key
    if backend != "numba":  # whose compiler takes seconds
        outputs = ag.compile(lambda xs: each(xs, weights), example, backend=backend, check=False)
        values = outputs(np.array([points]))[0].tolist()
        for key, y, value in zip(SINGULAR, expected, values, strict=True):
            assert value == pytest.approx(y.data, nan_ok=True), key


def test_a_condition_that_serves_two_local_derivatives_compiles() -> None:
    pytest.importorskip("numpy")
    from autograd.ops import where

    def slopes(y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        positive = a > 0.0
        return where(positive, b, 0.0), where(positive, a, 0.0)

    gate = ag.register("positive_product", lambda a, b: where(a > 0.0, a * b, 0.0), slopes)
    v, w = Value(2.0), Value(3.0)
    step = ag.compile(lambda x: gate(v * x, w * x), 1.0, backend="numpy")
    step([1.0, -1.0])
    assert sorted(step.gradient.tolist()) == [1.0, 1.5]
