"""NumPy's scalars and arrays beside Values; and life without NumPy."""

from __future__ import annotations

import math
from typing import Any

import pytest

import autograd as ag
from autograd import Value, topological_order

np = pytest.importorskip("numpy")

SCALARS = [np.float64(2.5), np.float32(2.5), np.float16(2.5), np.int64(2), np.int8(2), np.uint16(2)]


@pytest.mark.parametrize("s", SCALARS, ids=lambda s: type(s).__name__)
def test_numpy_scalars_mix_with_values_in_both_orders(s: Any) -> None:
    c = float(s)
    for ours, x_slope in [
        (lambda x: s + x, 1.0),
        (lambda x: x + s, 1.0),
        (lambda x: s - x, -1.0),
        (lambda x: x - s, 1.0),
        (lambda x: s * x, c),
        (lambda x: x * s, c),
        (lambda x: s / x, -c / 9),
        (lambda x: x / s, 1 / c),
        (lambda x: x**s, c * 3.0 ** (c - 1)),
        (lambda x: s**x, c**3 * math.log(c)),
    ]:
        x = Value(3.0)
        y = ours(x)
        assert type(y) is Value
        y.backward()
        assert x.grad == pytest.approx(x_slope, rel=1e-14)
        assert all(type(n.data) is float and type(n.grad) is float for n in topological_order(y))
    assert type(Value(s).data) is float
    assert type(ag.exp(s)) is float
    assert s < Value(3.0) and Value(3.0) > s


def test_numpy_functions_of_a_value_are_ours() -> None:
    for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "negative", "absolute", "reciprocal"):
        y = getattr(np, name)(Value(0.5))
        assert isinstance(y, Value), name
        assert y.data == pytest.approx(float(getattr(np, name)(0.5)), rel=1e-15)
    for name in ("tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "log1p", "expm1"):
        y = getattr(np, name)(Value(0.5))
        assert isinstance(y, Value), name
        assert y.data == pytest.approx(float(getattr(np, name)(0.5)), rel=1e-15)
        assert getattr(np, name)(np.array([Value(0.5)]))[0].data == y.data


def test_numpy_functions_of_two_numbers_of_which_the_first_is_a_value_are_ours() -> None:
    for name in ("arctan2", "hypot"):
        f = getattr(np, name)
        for other in (2.0, Value(2.0)):
            y = f(Value(0.5), other)
            assert isinstance(y, Value) and y.data == pytest.approx(float(f(0.5, 2.0)), rel=1e-15)
        column = f(np.array([Value(0.5), Value(-3.0)]), [2.0, 4.0])
        assert [v.data for v in column] == pytest.approx(f([0.5, -3.0], [2.0, 4.0]).tolist(), rel=1e-15)


def test_object_arrays_add_multiply_and_reduce() -> None:
    W = np.array([[Value(0.1), Value(0.5)], [Value(-0.3), Value(0.8)]])
    x = np.array([Value(0.2), Value(0.4)])
    q = W @ x
    f = (q**2).sum()
    f.backward()
    assert [v.data for v in q] == pytest.approx([0.22, 0.26], abs=1e-15)
    assert f.data == pytest.approx(0.116, abs=1e-15)
    assert [w.grad for w in W.flat] == pytest.approx([0.088, 0.176, 0.104, 0.208], abs=1e-15)
    assert [v.grad for v in x] == pytest.approx([-0.112, 0.636], abs=1e-15)
    assert np.exp(x)[0].op == "exp"
    assert (np.array([1.0, 2.0]) * x)[1].data == 0.8
    assert (Value(3.0) * np.array([1.0, 2.0]))[1].data == 6.0
    assert (np.array([1.0, 2.0]) * Value(3.0))[1].data == 6.0
    assert np.dot(x, [1.0, 2.0]).data == 1.0
    assert np.mean(x).data == pytest.approx(0.3)
    assert np.max(x) is x[1]
    assert ag.maximum(x).data == 0.4
    assert ag.dot(W[0], x).data == pytest.approx(0.22)


def test_comparisons_in_an_array_are_a_mask() -> None:
    xs = [Value(-1.0), Value(2.0), Value(3.0)]
    mask = np.array([x > 0 for x in xs])
    rows = np.array([10.0, 20.0, 30.0])
    assert mask.dtype == bool
    assert (rows[mask].tolist(), rows[~mask].tolist()) == ([20.0, 30.0], [10.0])
    assert (np.sum([x > 0 for x in xs]), np.mean([x > 0 for x in xs])) == (2, 2 / 3)
    assert np.asarray(xs[1] > 0, float) == 1.0
    assert (rows * (xs[1] > 0)).tolist() == rows.tolist()
    assert np.float64(2.0) * (xs[1] > 0) == 2.0


def test_arrays_of_floats_refuse_values_and_values_refuse_arrays() -> None:
    with pytest.raises(TypeError):
        np.array([Value(1.0)], dtype=float)
    with pytest.raises(TypeError):
        np.zeros(2)[0:1] = Value(1.0)
    with pytest.raises(TypeError, match="one Value for each"):
        Value(np.array([1.0, 2.0]))


def test_the_sheet_reads_on_arrays() -> None:
    a, b = np.array([-1.5, 0.0, 0.25, 2.0, 1000.0]), np.array([2.0, 3.0, 0.5, -1.0, 0.5])
    with np.errstate(all="ignore"):
        for name, op in ag.SHEET.items():
            if op.arity is None:
                continue
            inputs = [a, b, a * b][: op.arity]
            y = op.forward(*inputs)
            partials = op.partials(y, *inputs)
            for i in range(len(a)):
                numbers = [float(x[i]) for x in inputs]
                expected = op.forward(*numbers)
                assert np.allclose(np.broadcast_to(y, a.shape)[i], expected, rtol=1e-12, atol=1e-300, equal_nan=True), (
                    name
                )
                for ours, d in zip(partials, op.partials(expected, *numbers), strict=True):
                    if d is None:  # nothing ever goes back here
                        assert ours is None
                        continue
                    got = np.broadcast_to(ours, a.shape)[i]
                    assert np.allclose(got, d, rtol=1e-12, atol=1e-300, equal_nan=True), (name, numbers)
