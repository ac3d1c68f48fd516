"""How many digits are right: every operation of the sheet over ±300 and its first derivatives, against mpmath.

What a formula can be asked for is a relative error of some roundings, times what a rounding of its *input* would do to
it: the condition number κ = Σ |xᵢ · ∂f/∂xᵢ| / |f|. The bound is 1e-13 · (1 + κ), for the value and, with the derivative
in place of f, for each derivative. Exceptions would stand in `EXCEPTIONS`, and in the sheet.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import mpmath as mp
import pytest

import autograd as ag
import nn
from autograd import Value
from autograd.ops import BUILT_IN

BOUND = 1e-13
DIGITS = 300  # 1 - tanh(300)² begins at digit 260
LARGEST, SMALLEST = 1.7e308, 1e-300  # beyond these a result is inf, or has lost digits to underflow

LINE = [
    s * x for x in (1e-12, 1e-5, 0.01, 0.3, 1.0, 1.5, 2.6, 3.3, 7.0, 15.0, 20.0, 36.9, 99.5, 300.0) for s in (1, -1)
]
PLANE = list(itertools.product([-300.0, -26.4, -1.5, -1e-3, 1e-9, 0.7, 1.0, 3.0, 25.5, 300.0], repeat=2))
_random = random.Random(0)
ROWS = [(0.0, -26.4), (-26.4, 0.0, -30.0), (0.5,), (1e-9, -40.0), (0.0, -0.1), (-1.0, 1.0), (300.0, -300.0)]
ROWS += [tuple(_random.uniform(-s, s) for _ in range(n)) for n in (2, 3) for s in (1.0, 10.0, 300.0) for _ in range(2)]
PAIRED = [row for row in ROWS if len(row) % 2 == 0]


def not_below_zero(x: Any) -> bool:
    return bool(x > 0)


def dot(*xs: Any) -> Any:
    n = len(xs) // 2
    return mp.fsum(x * w for x, w in zip(xs[:n], xs[n:], strict=True))


def logsumexp(*xs: Any) -> Any:
    return mp.log(mp.fsum(mp.exp(x) for x in xs))


def everywhere(*_: Any) -> bool:
    return True


# op: mpmath's function, the points, and which of them it is smooth and real at
Oracle = tuple[Callable[..., Any], Iterable[Any], Callable[..., bool]]
ORACLES: dict[str, Oracle] = {
    "neg": (lambda x: -x, LINE, everywhere),
    "identity": (lambda x: x, LINE, everywhere),
    "detach": (lambda x: x, LINE, everywhere),
    "abs": (abs, LINE, everywhere),
    "reciprocal": (lambda x: 1 / x, LINE, everywhere),
    "exp": (mp.exp, LINE, everywhere),
    "log": (mp.log, LINE, not_below_zero),
    "sqrt": (mp.sqrt, LINE, not_below_zero),
    "sin": (mp.sin, LINE, everywhere),
    "cos": (mp.cos, LINE, everywhere),
    "tanh": (mp.tanh, LINE, everywhere),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), LINE, everywhere),
    "relu": (lambda x: max(x, 0), LINE, everywhere),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), LINE, everywhere),
    "add": (lambda a, b: a + b, PLANE, everywhere),
    "sub": (lambda a, b: a - b, PLANE, everywhere),
    "mul": (lambda a, b: a * b, PLANE, everywhere),
    "div": (lambda a, b: a / b, PLANE, everywhere),
    "pow": (lambda a, b: a**b, PLANE, lambda a, b: a > 0),
    "leaky_relu": (lambda a, b: a if a > 0 else a * b, PLANE, everywhere),
    "maximum": (lambda *xs: max(xs), ROWS, everywhere),
    "minimum": (lambda *xs: min(xs), ROWS, everywhere),
    "logsumexp": (logsumexp, ROWS, everywhere),
    "dot": (dot, PAIRED, everywhere),
}

# op: how many numbers miss the bound, and why
EXCEPTIONS: dict[str, tuple[int, str]] = {}


def partial(f: Callable[..., Any], xs: Sequence[Any], *along: int) -> Any:
    """∂f/∂xᵢ, or ∂²f/∂xᵢ∂xⱼ."""
    orders = tuple(along.count(k) for k in range(len(xs)))
    return mp.diff(f, tuple(xs) if len(xs) > 1 else xs[0], orders if len(xs) > 1 else orders[0])


def is_right(ours: float, exact: Any, effect: Any) -> bool:
    """Whether a number is good enough; ``effect`` is Σ |xᵢ · ∂exact/∂xᵢ|."""
    if abs(exact) > LARGEST:
        return math.isinf(ours) and (ours > 0) == (exact > 0)
    return bool(abs(ours - exact) <= BOUND * (abs(exact) + effect) + SMALLEST)


def test_every_operation_has_an_oracle() -> None:
    assert set(ORACLES) == BUILT_IN


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_values_and_derivatives_have_all_their_digits(name: str) -> None:
    f, points, smooth = ORACLES[name]
    missed = []
    with mp.workdps(DIGITS):
        for point in points:
            numbers = point if isinstance(point, tuple) else (point,)
            if not smooth(*numbers):
                continue
            xs = [mp.mpf(x) for x in numbers]
            leaves = [Value(x) for x in numbers]
            y = ag.functions.apply(name, *leaves)
            y.backward()
            exact = f(*xs)
            slopes = [mp.mpf(0) if name == "detach" else partial(f, xs, i) for i in range(len(xs))]
            effect = mp.fsum(abs(x * slope) for x, slope in zip(xs, slopes, strict=True))
            if not is_right(y.data, exact, effect):
                missed.append((numbers, y.data, float(exact)))
            for i, leaf in enumerate(leaves):
                effect = mp.fsum(abs(x * partial(f, xs, i, j)) for j, x in enumerate(xs))
                if not is_right(leaf.grad, slopes[i], effect):
                    missed.append((numbers, f"∂{i}", leaf.grad, float(slopes[i])))
    assert len(missed) == EXCEPTIONS.get(name, (0, ""))[0], missed


def test_the_bound_notices_digits_that_are_lost() -> None:
    with mp.workdps(DIGITS):
        slope = mp.sech(15) ** 2
        assert not is_right(1.0 - math.tanh(15.0) ** 2, slope, 30 * slope)
        assert is_right(ag.grad(ag.tanh)(15.0), slope, 30 * slope)
        assert not is_right(math.log(1.0 + math.exp(-26.4)), mp.log1p(mp.exp(-26.4)), mp.mpf("26.4") * mp.exp(-26.4))


def test_the_operations_that_lose_digits_on_arrays_only_are_those_the_sheet_names() -> None:
    """1 − y² and log Σ are what an array program computes; its error is then a rounding of 1, not of the result."""
    np = pytest.importorskip("numpy")
    for name, x in (("tanh", [15.0]), ("logsumexp", [0.0, -26.4])):
        assert "programs on arrays" in ag.SHEET[name].singular
        w = Value(1.0)
        step = ag.compile(lambda v, name=name, w=w: ag.functions.apply(name, *[w * a for a in v]), x, backend="numpy")
        eager = ag.functions.apply(name, *[Value(a) for a in x]).data
        assert abs(step(np.array([x])) - eager) <= 1e-15


@pytest.mark.parametrize("target", [0, [1, 0, 0], [1.0, 0.0, 0.0]])
def test_cross_entropy_of_a_sure_model_keeps_its_digits(target: Any) -> None:
    logits = [Value(40.0), Value(0.0), Value(-1.0)]
    loss = nn.cross_entropy(logits, target)
    loss.backward()
    with mp.workdps(DIGITS):
        rest = mp.exp(-40) + mp.exp(-41)
        assert is_right(loss.data, mp.log1p(rest), 0)
        for leaf, slope in zip(
            logits, (-rest / (1 + rest), mp.exp(-40) / (1 + rest), mp.exp(-41) / (1 + rest)), strict=True
        ):
            assert is_right(leaf.grad, slope, 0)
    assert nn.cross_entropy([40.0, 0.0], 0) == pytest.approx(4.248354255291589e-18, rel=1e-13)


def test_the_swish_of_the_docstring_has_a_slope_of_one_far_out() -> None:
    source = ag.register.__doc__ or ""
    assert "sigmoid(x) * (1 + x * sigmoid(-x))" in source
    swish = ag.register(
        "swish_of_the_docstring",
        forward=lambda x: x * ag.sigmoid(x),
        partials=lambda y, x: (ag.sigmoid(x) * (1 + x * ag.sigmoid(-x)),),
    )
    assert (ag.grad(swish)(1e17), ag.grad(swish)(-1e17)) == (1.0, 0.0)
    assert ag.gradcheck(swish, 2.0)
