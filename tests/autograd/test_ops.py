"""Every line of the derivative sheet: value, first and second derivatives, on grids that include the singular points.

The oracle is mpmath at 50 digits where the formulas are regular, the convention written out as a number where they are
not, and PyTorch (where installed) at all of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp
import pytest

import autograd as ag
from autograd import Value, grad, hessian, value_and_grad
from autograd.ops import BUILT_IN

INF, NAN = math.inf, math.nan
REGULAR = [0.5, -0.5, 1.0, -1.0, 2.5, -3.7, 1e-8, -1e-8, 30.0, -30.0, 36.9, 100.0, -100.0, 709.0, -709.0, 710.0, -710.0]
REGULAR += [1000.0, -1000.0, 12345.678]
SPECIAL = [0.0, -0.0, INF, -INF, NAN]


@pytest.fixture(autouse=True)
def _fifty_digits() -> Any:
    with mp.workdps(50):
        yield


def check(ours: Any, reference: Any, where: Any) -> None:
    ref = float(reference)
    assert isinstance(ours, float), (where, ours)
    if math.isnan(ref):
        assert math.isnan(ours), (where, ours, ref)
    elif math.isinf(ref):
        assert ours == ref, (where, ours, ref)
    else:
        assert abs(ours - ref) <= 1e-12 * max(1.0, abs(ref)), (where, ours, ref)


def sigma(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def bump(x: Any) -> Any:
    return 2 / mp.sqrt(mp.pi) * mp.exp(-x * x)


def sign(x: Any) -> int:
    return (x > 0) - (x < 0)


# op: value, first derivative, second derivative, and where they are regular
ONE: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Callable[[Any], Any], Callable[[float], bool]]] = {
    "neg": (lambda x: -x, lambda x: -1, lambda x: 0, lambda x: True),
    "identity": (lambda x: x, lambda x: 1, lambda x: 0, lambda x: True),
    "detach": (lambda x: x, lambda x: 0, lambda x: 0, lambda x: True),
    "abs": (lambda x: mp.fabs(x), sign, lambda x: 0, lambda x: True),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3, lambda x: True),
    "exp": (mp.exp, mp.exp, mp.exp, lambda x: True),
    "log": (mp.log, lambda x: 1 / x, lambda x: -1 / x**2, lambda x: x > 0),
    "sqrt": (mp.sqrt, lambda x: x**-0.5 / 2, lambda x: -(x**-1.5) / 4, lambda x: x > 0),
    "sin": (mp.sin, mp.cos, lambda x: -mp.sin(x), lambda x: True),
    "cos": (mp.cos, lambda x: -mp.sin(x), lambda x: -mp.cos(x), lambda x: True),
    "tanh": (mp.tanh, lambda x: mp.sech(x) ** 2, lambda x: -2 * mp.tanh(x) * mp.sech(x) ** 2, lambda x: True),
    "sigmoid": (
        sigma,
        lambda x: sigma(x) * sigma(-x),
        lambda x: sigma(x) * sigma(-x) * (1 - 2 * sigma(x)),
        lambda x: True,
    ),
    "relu": (lambda x: max(x, 0), lambda x: x > 0, lambda x: 0, lambda x: True),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), sigma, lambda x: sigma(x) * sigma(-x), lambda x: True),
    "tan": (mp.tan, lambda x: mp.sec(x) ** 2, lambda x: 2 * mp.tan(x) * mp.sec(x) ** 2, lambda x: True),
    "asin": (
        mp.asin,
        lambda x: 1 / mp.sqrt(1 - x * x),
        lambda x: x / (1 - x * x) ** 1.5,
        lambda x: abs(x) < 1,
    ),
    "acos": (
        mp.acos,
        lambda x: -1 / mp.sqrt(1 - x * x),
        lambda x: -x / (1 - x * x) ** 1.5,
        lambda x: abs(x) < 1,
    ),
    "atan": (mp.atan, lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2, lambda x: True),
    "sinh": (mp.sinh, mp.cosh, mp.sinh, lambda x: True),
    "cosh": (mp.cosh, mp.sinh, mp.cosh, lambda x: True),
    "log1p": (lambda x: mp.log(1 + x), lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2, lambda x: x > -1),
    "expm1": (lambda x: mp.exp(x) - 1, mp.exp, mp.exp, lambda x: True),
    "erf": (mp.erf, bump, lambda x: -2 * x * bump(x), lambda x: True),
    "erfc": (mp.erfc, lambda x: -bump(x), lambda x: 2 * x * bump(x), lambda x: True),
    "gelu": (
        lambda x: x * mp.ncdf(x),
        lambda x: mp.ncdf(x) + x * mp.npdf(x),
        lambda x: (2 - x * x) * mp.npdf(x),
        lambda x: True,
    ),
}

# op: {point: (value, first, second)}; -0.0 is looked up by its text
SINGULAR: dict[str, dict[str, tuple[float, float, float]]] = {
    "neg": {
        "0.0": (-0.0, -1, 0),
        "-0.0": (0.0, -1, 0),
        "inf": (-INF, -1, 0),
        "-inf": (INF, -1, 0),
        "nan": (NAN, -1, 0),
    },
    "identity": {"0.0": (0, 1, 0), "-0.0": (-0.0, 1, 0), "inf": (INF, 1, 0), "-inf": (-INF, 1, 0), "nan": (NAN, 1, 0)},
    "detach": {"0.0": (0, 0, 0), "-0.0": (-0.0, 0, 0), "inf": (INF, 0, 0), "-inf": (-INF, 0, 0), "nan": (NAN, 0, 0)},
    "abs": {"0.0": (0, 0, 0), "-0.0": (0, 0, 0), "inf": (INF, 1, 0), "-inf": (INF, -1, 0), "nan": (NAN, 0, 0)},
    "reciprocal": {
        "0.0": (INF, -INF, INF),
        "-0.0": (-INF, -INF, -INF),
        "inf": (0, 0, 0),
        "-inf": (-0.0, 0, 0),
        "nan": (NAN, NAN, NAN),
    },
    "exp": {"0.0": (1, 1, 1), "-0.0": (1, 1, 1), "inf": (INF, INF, INF), "-inf": (0, 0, 0), "nan": (NAN, NAN, NAN)},
    "log": {
        "0.0": (-INF, INF, -INF),
        "-0.0": (-INF, -INF, -INF),
        "inf": (INF, 0, 0),
        "-inf": (NAN, 0, 0),
        "nan": (NAN, NAN, NAN),
        "-1.0": (NAN, -1, -1),
        "-0.5": (NAN, -2, -4),
    },
    "sqrt": {
        "0.0": (0, INF, -INF),
        "-0.0": (-0.0, -INF, INF),
        "inf": (INF, 0, 0),
        "-inf": (NAN, NAN, NAN),
        "nan": (NAN, NAN, NAN),
        "-1.0": (NAN, NAN, NAN),
    },
    "sin": {
        "0.0": (0, 1, 0),
        "-0.0": (-0.0, 1, 0),
        "inf": (NAN, NAN, NAN),
        "-inf": (NAN, NAN, NAN),
        "nan": (NAN, NAN, NAN),
    },
    "cos": {
        "0.0": (1, 0, -1),
        "-0.0": (1, 0, -1),
        "inf": (NAN, NAN, NAN),
        "-inf": (NAN, NAN, NAN),
        "nan": (NAN, NAN, NAN),
    },
    "tanh": {"0.0": (0, 1, 0), "-0.0": (-0.0, 1, 0), "inf": (1, 0, 0), "-inf": (-1, 0, 0), "nan": (NAN, NAN, NAN)},
    "sigmoid": {
        "0.0": (0.5, 0.25, 0),
        "-0.0": (0.5, 0.25, 0),
        "inf": (1, 0, 0),
        "-inf": (0, 0, 0),
        "nan": (NAN, NAN, NAN),
    },
    "relu": {"0.0": (0, 0, 0), "-0.0": (0, 0, 0), "inf": (INF, 1, 0), "-inf": (0, 0, 0), "nan": (NAN, 1, 0)},
    "softplus": {
        "0.0": (math.log(2), 0.5, 0.25),
        "-0.0": (math.log(2), 0.5, 0.25),
        "inf": (INF, 1, 0),
        "-inf": (0, 0, 0),
        "nan": (NAN, NAN, NAN),
    },
    "tan": {
        "0.0": (0.0, 1.0, 0.0),
        "-0.0": (-0.0, 1.0, 0.0),
        "inf": (NAN, NAN, NAN),
        "-inf": (NAN, NAN, NAN),
        "nan": (NAN, NAN, NAN),
    },
    "asin": {
        "0.0": (0.0, 1.0, 0.0),
        "-0.0": (-0.0, 1.0, 0.0),
        "inf": (NAN, NAN, NAN),
        "-inf": (NAN, NAN, NAN),
        "nan": (NAN, NAN, NAN),
        "1.0": (math.pi / 2, INF, NAN),
        "-1.0": (-math.pi / 2, INF, NAN),
        "2.0": (NAN, NAN, NAN),
    },
    "acos": {
        "0.0": (math.pi / 2, -1.0, 0.0),
        "-0.0": (math.pi / 2, -1.0, 0.0),
        "inf": (NAN, NAN, NAN),
        "-inf": (NAN, NAN, NAN),
        "nan": (NAN, NAN, NAN),
        "1.0": (0.0, -INF, NAN),
        "-1.0": (math.pi, -INF, NAN),
        "2.0": (NAN, NAN, NAN),
    },
    "atan": {
        "0.0": (0.0, 1.0, 0.0),
        "-0.0": (-0.0, 1.0, 0.0),
        "inf": (math.pi / 2, 0.0, NAN),
        "-inf": (-math.pi / 2, 0.0, NAN),
        "nan": (NAN, NAN, NAN),
    },
    "sinh": {
        "0.0": (0.0, 1.0, 0.0),
        "-0.0": (-0.0, 1.0, 0.0),
        "inf": (INF, INF, INF),
        "-inf": (-INF, INF, -INF),
        "nan": (NAN, NAN, NAN),
    },
    "cosh": {
        "0.0": (1.0, 0.0, 1.0),
        "-0.0": (1.0, 0.0, 1.0),
        "inf": (INF, INF, INF),
        "-inf": (INF, -INF, INF),
        "nan": (NAN, NAN, NAN),
    },
    "log1p": {
        "0.0": (0.0, 1.0, -1.0),
        "-0.0": (-0.0, 1.0, -1.0),
        "inf": (INF, 0.0, 0.0),
        "-inf": (NAN, 0.0, 0.0),
        "nan": (NAN, NAN, NAN),
        "-1.0": (-INF, INF, -INF),
        "-2.0": (NAN, -1.0, -1.0),
    },
    "expm1": {
        "0.0": (0.0, 1.0, 1.0),
        "-0.0": (-0.0, 1.0, 1.0),
        "inf": (INF, INF, INF),
        "-inf": (-1.0, 0.0, 0.0),
        "nan": (NAN, NAN, NAN),
    },
    "erf": {
        "0.0": (0.0, 2 / math.sqrt(math.pi), 0.0),
        "-0.0": (-0.0, 2 / math.sqrt(math.pi), 0.0),
        "inf": (1.0, 0.0, NAN),
        "-inf": (-1.0, 0.0, NAN),
        "nan": (NAN, NAN, NAN),
    },
    "erfc": {
        "0.0": (1.0, -2 / math.sqrt(math.pi), 0.0),
        "-0.0": (1.0, -2 / math.sqrt(math.pi), 0.0),
        "inf": (0.0, 0.0, NAN),
        "-inf": (2.0, 0.0, NAN),
        "nan": (NAN, NAN, NAN),
    },
    "gelu": {
        "0.0": (0.0, 0.5, math.sqrt(2 / math.pi)),
        "-0.0": (-0.0, 0.5, math.sqrt(2 / math.pi)),
        "inf": (INF, NAN, NAN),
        "-inf": (NAN, NAN, NAN),
        "nan": (NAN, NAN, NAN),
    },
}


def apply(name: str, *xs: Any) -> Any:
    return ag.functions.apply(name, *xs)


def one_input_derivatives(name: str, x: float) -> tuple[float, float, float]:
    y, first = value_and_grad(lambda v: apply(name, v))(x)
    leaf = Value(x)
    node = apply(name, leaf)
    node.backward()
    assert repr(leaf.grad) == repr(0.0 + first), "backward() and grad() differ"
    assert repr(node.data) == repr(y) == repr(apply(name, x)), "a Value and a plain number differ"
    return y, first, grad(grad(lambda v: apply(name, v)))(x)


def test_every_operation_of_the_sheet_is_in_these_tests_or_has_a_file_of_its_own() -> None:
    many = {"maximum", "minimum", "logsumexp", "dot", "less", "less_equal", "equal", "where"}
    here = {*ONE, "add", "sub", "mul", "div", "pow", "leaky_relu", "atan2", "hypot", *many}
    own = {file.stem.removeprefix("test_") for file in Path(__file__).parent.glob("test_*.py")}
    assert here <= BUILT_IN
    assert BUILT_IN - here <= own


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_no_line_of_the_sheet_raises_an_error_whatever_the_numbers(name: str) -> None:
    op = ag.SHEET[name]
    numbers = [*SPECIAL, 1.0, -1.0, 800.0, -800.0, 1e300, -1e300, 5e-324]
    for xs in itertools.product(numbers, repeat=op.arity or 2):
        y = op.value(xs)
        slopes = [*op.local_derivatives(y, xs)]
        assert isinstance(y, float) and all(s is None or isinstance(s, float) for s in slopes), (xs, y, slopes)


@pytest.mark.parametrize("name", ONE)
def test_one_input_operations_equal_mpmath_where_they_are_regular(name: str) -> None:
    *formulas, regular = ONE[name]
    for x in REGULAR:
        if regular(x):
            for order, (ours, formula) in enumerate(zip(one_input_derivatives(name, x), formulas, strict=True)):
                check(ours, formula(mp.mpf(x)), (name, x, order))


@pytest.mark.parametrize("name", SINGULAR)
def test_one_input_operations_keep_the_conventions_at_singular_points(name: str) -> None:
    assert {repr(x) for x in SPECIAL} <= set(SINGULAR[name])
    for text, expected in SINGULAR[name].items():
        x = float(text)
        for order, (ours, reference) in enumerate(zip(one_input_derivatives(name, x), expected, strict=True)):
            check(ours, reference, (name, x, order))
        y = apply(name, x)
        if expected[0] == 0:
            assert math.copysign(1, y) == math.copysign(1, expected[0]), "the sign of zero"


# op: value, ∂a, ∂b, ∂aa, ∂ab, ∂bb
Six = tuple[Any, Any, Any, Any, Any, Any]
TWO: dict[str, Callable[[Any, Any], Six]] = {
    "add": lambda a, b: (a + b, 1, 1, 0, 0, 0),
    "sub": lambda a, b: (a - b, 1, -1, 0, 0, 0),
    "mul": lambda a, b: (a * b, b, a, 0, 1, 0),
    "div": lambda a, b: (a / b, 1 / b, -a / b**2, 0, -1 / b**2, 2 * a / b**3),
    "leaky_relu": lambda a, b: (a, 1, 0, 0, 0, 0) if a > 0 else (b * a, b, a, 0, 1, 0),
    "atan2": lambda a, b: angle(a, b, a * a + b * b),
    "hypot": lambda a, b: distance(a, b, mp.hypot(a, b)),
}


def angle(a: Any, b: Any, s: Any) -> Six:
    return mp.atan2(a, b), b / s, -a / s, -2 * a * b / s**2, (a * a - b * b) / s**2, 2 * a * b / s**2


def distance(a: Any, b: Any, r: Any) -> Six:
    return r, a / r, b / r, b * b / r**3, -a * b / r**3, a * a / r**3


def power(a: Any, b: Any) -> Six:
    y, log = mp.power(a, b), mp.log(a)
    return y, b * a ** (b - 1), y * log, b * (b - 1) * a ** (b - 2), a ** (b - 1) * (1 + b * log), y * log**2


def two_input_derivatives(name: str, a: float, b: float) -> Six:
    def f(v: list[Any]) -> Any:
        return apply(name, v[0], v[1])

    y, (da, db) = value_and_grad(f)([a, b])
    (aa, ab), (ba, bb) = hessian(f)([a, b])
    check(ba, ab, (name, a, b, "the Hessian must be symmetric"))
    return y, da, db, aa, ab, bb


@pytest.mark.parametrize("name", TWO)
def test_two_input_operations_equal_mpmath(name: str) -> None:
    for a, b in itertools.product([x for x in REGULAR if abs(x) > 1e-9], repeat=2):
        expected = TWO[name](mp.mpf(a), mp.mpf(b))
        for k, (ours, reference) in enumerate(zip(two_input_derivatives(name, a, b), expected, strict=True)):
            check(ours, reference, (name, a, b, k))


def test_powers_of_positive_bases_equal_mpmath_to_second_order() -> None:
    for a in (1e-3, 0.1, 0.5, 1.0, 1.5, 2.0, 10.0, 100.0):
        for b in (-3.0, -1.0, -0.5, 0.0, 1 / 3, 0.5, 1.0, 2.0, 2.5, 3.0, 7.0):
            expected = power(mp.mpf(a), mp.mpf(b))
            for k, (ours, reference) in enumerate(zip(two_input_derivatives("pow", a, b), expected, strict=True)):
                check(ours, reference, ("pow", a, b, k))


def test_powers_with_a_constant_exponent_equal_mpmath_to_fourth_order() -> None:
    for a in (-3.0, -0.5, 0.5, 2.0):
        for n in (-3, -1, 0, 1, 2, 3, 5):
            f: Any = lambda x, n=n: x**n  # noqa: E731
            for order in range(5):
                falling = mp.mpf(1)
                for i in range(order):
                    falling *= n - i
                ours = f(a)
                check(ours, falling * mp.mpf(a) ** (n - order), (a, n, order))
                f = grad(f)


# (a, b): value, ∂a, ∂b, ∂aa
POWERS = [  # a list, because 0.0 and -0.0 are the same key
    ((0.0, 0.0), (1, 0, 0, 0)),
    ((-0.0, 0.0), (1, 0, 0, 0)),
    ((0.0, -0.0), (1, 0, 0, 0)),
    ((0.0, 1.0), (0, 1, 0, 0)),
    ((0.0, 2.0), (0, 0, 0, 2)),
    ((0.0, 0.5), (0, INF, 0, -INF)),
    ((0.0, 1.5), (0, 0, 0, INF)),
    ((0.0, -1.0), (INF, -INF, -INF, INF)),
    ((-0.0, -1.0), (-INF, -INF, INF, -INF)),
    ((-0.0, -2.0), (INF, INF, -INF, INF)),
    ((0.0, -0.5), (INF, -INF, -INF, INF)),
    ((0.0, INF), (0, NAN, 0, NAN)),
    ((-8.0, 1 / 3), (NAN, NAN, NAN, NAN)),
    ((-2.0, 3.0), (-8, 12, NAN, -12)),
    ((-2.0, 2.0), (4, -4, NAN, 2)),
    ((-2.0, 0.0), (1, 0, NAN, 0)),
    ((-2.0, -1.0), (-0.5, -0.25, NAN, -0.25)),
    ((1e-200, 0.0), (1, 0, math.log(1e-200), 0)),
    ((INF, 0.0), (1, 0, INF, 0)),
    ((-INF, 3.0), (-INF, INF, NAN, -INF)),
    ((NAN, 0.0), (1, 0, NAN, 0)),
    ((1.0, NAN), (1, NAN, 0, NAN)),
    ((10.0, 400.0), (INF, INF, INF, INF)),
    ((-10.0, 401.0), (-INF, INF, NAN, -INF)),
    ((1e-200, -2.0), (INF, -INF, -INF, INF)),
    ((2.0, -2000.0), (0, 0, 0, 0)),
    ((2.0, INF), (INF, INF, INF, INF)),
    ((0.5, INF), (0, NAN, 0, NAN)),
]


@pytest.mark.parametrize(("point", "expected"), POWERS)
def test_powers_keep_the_conventions_at_singular_points(
    point: tuple[float, float], expected: tuple[float, ...]
) -> None:
    a, b = point
    x, n = Value(a), Value(b)
    y = x**n
    y.backward()
    value, by_base, by_exponent, _ = expected
    for ours, reference in [(y.data, value), (x.grad, by_base), (n.grad, by_exponent)]:
        check(ours, reference, (a, b))
    assert repr(apply("pow", a, b)) == repr(y.data) == repr((Value(a) ** b).data) == repr((a ** Value(b)).data)


@pytest.mark.parametrize(("point", "expected"), POWERS)
def test_second_derivatives_of_powers_at_singular_points(
    point: tuple[float, float], expected: tuple[float, ...]
) -> None:
    a, b = point
    if not math.isinf(b):
        check(grad(grad(lambda x: x**b))(a), expected[3], (a, b))


def test_division_follows_ieee_754() -> None:
    table = [
        ((1.0, 0.0), INF),
        ((-1.0, 0.0), -INF),
        ((1.0, -0.0), -INF),
        ((0.0, 0.0), NAN),
        ((INF, 0.0), INF),
        ((NAN, 0.0), NAN),
        ((INF, INF), NAN),
        ((1.0, INF), 0.0),
        ((1e308, 1e-10), INF),
    ]
    for (a, b), expected in table:
        for y in (Value(a) / Value(b), Value(a) / b, a / Value(b)):
            check(y.data, expected, (a, b))
    x, y = Value(1.0), Value(0.0)
    (x / y).backward()
    assert (x.grad, y.grad) == (INF, -INF)


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_extremes_share_their_gradient_among_ties(name: str) -> None:
    s = 1.0 if name == "maximum" else -1.0
    table = [
        ([1.0, 2.0], [0.0, 1.0]),
        ([2.0, 2.0], [0.5, 0.5]),
        ([3.0, 1.0, 3.0, 3.0], [1 / 3, 0.0, 1 / 3, 1 / 3]),
        ([0.0, -0.0], [0.5, 0.5]),
        ([INF, 5.0, INF], [0.5, 0.0, 0.5]),
        ([-INF, -INF], [0.5, 0.5]),
        ([7.0], [1.0]),
    ]
    for xs, shares in table:
        xs = [s * x for x in xs]
        leaves = [Value(x) for x in xs]
        y = apply(name, *leaves)
        y.backward()
        assert y.data == sorted(xs)[-1 if name == "maximum" else 0]
        assert [leaf.grad for leaf in leaves] == shares
        assert y.data == apply(name, *xs) == apply(name, leaves[0], *xs[1:]).data
    y = apply(name, Value(1.0), Value(NAN), Value(3.0))
    assert math.isnan(y.data)
    a = Value(4.0)
    apply(name, a, a, 4.0).backward()
    assert a.grad == pytest.approx(2 / 3, abs=1e-15), "a repeated input gets both of its shares, a number keeps its own"
    assert hessian(lambda v: apply(name, v[0], v[1]) ** 2)([s * 3.0, s * 1.0]) == [[2.0, 0.0], [0.0, 0.0]]


LOGITS = [
    [0.5],
    [1.0, 2.0, 3.0],
    [1000.0, 1000.0],
    [-1000.0, -1000.0, -1000.0],
    [1000.0, -1000.0],
    [710.0, 709.0, -710.0],
    [0.0, -0.0],
    [1e-9, -1e-9, 0.0],
]


@pytest.mark.parametrize("xs", LOGITS)
def test_logsumexp_and_softmax_equal_mpmath_to_second_order(xs: list[float]) -> None:
    total = mp.fsum(mp.exp(x) for x in xs)
    p = [mp.exp(x) / total for x in xs]
    y, first = value_and_grad(lambda v: ag.logsumexp(v))(xs)
    check(y, mp.log(total), xs)
    second = hessian(lambda v: ag.logsumexp(v))(xs)
    soft = ag.softmax([Value(x) for x in xs])
    for i in range(len(xs)):
        check(first[i], p[i], xs)
        check(soft[i].data, p[i], xs)
        check(ag.softmax(xs)[i], p[i], xs)
        for j in range(len(xs)):
            check(second[i][j], p[i] * ((i == j) - p[j]), (xs, i, j))
            check(grad(lambda v, i=i: ag.softmax(v)[i])(xs)[j], p[i] * ((i == j) - p[j]), (xs, i, j))


def test_logsumexp_of_infinities() -> None:
    assert ag.logsumexp([Value(-INF), Value(1.0)]).data == 1.0
    assert ag.logsumexp([Value(-INF), Value(-INF)]).data == -INF
    assert ag.logsumexp([Value(INF), Value(1.0)]).data == INF
    assert math.isnan(ag.logsumexp([Value(NAN), Value(1.0)]).data)
    a, b = Value(-INF), Value(1.0)
    ag.logsumexp(a, b).backward()
    assert (a.grad, b.grad) == (0.0, 1.0)


def test_dot_equals_exact_sums_to_second_order() -> None:
    xs, ws = [1.5, -2.0, 3.25], [4.0, 0.5, -1.0]
    H = hessian(lambda v: ag.dot(v[:3], v[3:]))(xs + ws)
    assert [[float(abs(i - j) == 3) for j in range(6)] for i in range(6)] == H
    y, first = value_and_grad(lambda v: ag.dot(v[:3], v[3:]))(xs + ws)
    assert (y, first) == (1.75, ws + xs)
    x = Value(3.0)
    ag.dot([x, x], [x, 2.0]).backward()
    assert x.grad == 8.0
    assert ag.dot([], []) == 0.0
    with pytest.raises(ValueError, match="same length"):
        ag.dot([x], [1.0, 2.0])


# --- PyTorch


TORCH_POINTS = [*SPECIAL, *REGULAR, 1e-300]


def same(ours: float, theirs: float) -> bool:
    if math.isnan(theirs) or math.isnan(ours):
        return math.isnan(ours) and math.isnan(theirs)
    return ours == theirs or abs(ours - theirs) <= 1e-12 * max(1.0, abs(theirs))


# Where we differ from PyTorch, on purpose: (op, point): why. With one input: nowhere.
DIFFERENT_ONE: dict[tuple[str, str], str] = {}


@pytest.mark.parametrize("name", [n for n in ONE if n not in ("identity", "detach")])
def test_one_input_operations_equal_pytorch_at_every_point(name: str) -> None:
    torch = pytest.importorskip("torch")
    theirs = {"neg": torch.neg, "gelu": torch.nn.functional.gelu}.get(name) or getattr(torch, name, None)
    if name == "softplus":
        theirs = lambda x: torch.logaddexp(x, torch.zeros_like(x))  # noqa: E731
    differences = []
    for x in TORCH_POINTS:
        t = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        y = theirs(t)
        (g,) = torch.autograd.grad(y, t)
        ours = one_input_derivatives(name, x)
        if not (same(ours[0], y.item()) and same(ours[1], g.item())):
            differences.append((repr(x), ours[:2], (y.item(), g.item())))
    assert [d for d in differences if (name, d[0]) not in DIFFERENT_ONE] == []
    assert {d[0] for d in differences} == {x for n, x in DIFFERENT_ONE if n == name}


def _nan_has_no_largest(a: float, b: float) -> str | None:
    """PyTorch gives both inputs the whole gradient when one is nan; we give nan, since nobody knows which it was."""
    return "nobody is the largest" if math.isnan(a) or math.isnan(b) else None


def _a_corner_as_that_of_abs(a: float, b: float) -> str | None:
    """hypot(a, 0) is |a|, whose derivative at 0 is taken as 0, by us and by PyTorch; but its hypot gives nan there."""
    return "0 as of abs, not nan" if a == 0 and b == 0 else None


# With two inputs: op: why, or None where we agree.
DIFFERENT_TWO = {"maximum": _nan_has_no_largest, "minimum": _nan_has_no_largest, "hypot": _a_corner_as_that_of_abs}


@pytest.mark.parametrize("name", [*TWO, "pow", "maximum", "minimum", "logsumexp"])
def test_two_input_operations_equal_pytorch_at_every_pair_of_points(name: str) -> None:
    torch = pytest.importorskip("torch")
    functions = {
        "leaky_relu": lambda a, b: torch.nn.functional.prelu(a.reshape(1), b.reshape(1))[0],
        "logsumexp": lambda a, b: torch.logsumexp(torch.stack([a, b]), 0),
    }
    theirs = functions.get(name) or getattr(torch, name)
    differences = []
    points = [*SPECIAL, 0.5, -0.5, 1.0, -1.0, 2.0, -3.0, 1 / 3, -8.0, 710.0, -710.0, 1000.0, -1000.0]
    for a, b in itertools.product(points, repeat=2):
        if name == "logsumexp" and any(map(math.isinf, (a, b))):
            continue  # held by a test of its own
        s, t = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (a, b))
        y = theirs(s, t)
        ga, gb = torch.autograd.grad(y, (s, t))
        p, q = Value(a), Value(b)
        z = apply(name, p, q)
        z.backward()
        why = DIFFERENT_TWO[name](a, b) if name in DIFFERENT_TWO else None
        equal = same(z.data, y.item()) and same(p.grad, ga.item()) and same(q.grad, gb.item())
        if equal != (why is None):
            differences.append(((a, b), (z.data, p.grad, q.grad), (y.item(), ga.item(), gb.item())))
    assert differences == []
