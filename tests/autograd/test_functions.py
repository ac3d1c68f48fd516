"""The functions work on Values and plain numbers alike."""

from __future__ import annotations

import math
from typing import Any

import pytest

import autograd as ag
from autograd import Value

ONE = "exp log sqrt sin cos tanh sigmoid relu softplus reciprocal neg abs detach".split()
ONE += "tan asin acos atan sinh cosh log1p expm1 erf erfc gelu".split()


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("x", [0.7, -0.7, 2, True, 0.0, 1000.0, -1000.0])
def test_a_function_of_a_number_is_the_same_float_as_the_method_of_a_value(name: str, x: Any) -> None:
    number = getattr(ag, name)(x)
    assert type(number) is float
    node = getattr(ag, name)(Value(x))
    assert (node.op, repr(node.data)) == (name, repr(number))


@pytest.mark.parametrize(
    "name", ["add", "sub", "mul", "div", "pow", "maximum", "minimum", "logsumexp", "leaky_relu", "atan2", "hypot"]
)
def test_functions_of_two_mix_values_and_numbers(name: str) -> None:
    f = getattr(ag, name)
    plain = f(3.0, 2)
    assert type(plain) is float
    for a, b in ((Value(3.0), 2), (3, Value(2.0)), (Value(3.0), Value(2.0))):
        assert f(a, b).data == plain
        assert f(a, b).op == name


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("thing", ["1", None, 1j, [1.0]])
def test_a_function_of_something_else_is_a_type_error(name: str, thing: Any) -> None:
    with pytest.raises(TypeError):
        getattr(ag, name)(thing)


def test_extremes_take_one_list_or_several_arguments_and_not_nothing() -> None:
    x = Value(2.0)
    for f in (ag.maximum, ag.minimum, ag.logsumexp):
        assert f([x, 1.0]).data == f(x, 1.0).data == f(iter([x, 1.0])).data
        for nothing in ((), ([],)):
            with pytest.raises(ValueError, match="at least one number"):
                f(*nothing)
        with pytest.raises(TypeError):
            f("abc")
    assert len(ag.softmax(x, 1.0, 2)) == 3
    with pytest.raises(ValueError, match="at least one number"):
        ag.softmax([])


def test_softmax_sums_to_one_and_its_gradients_to_zero() -> None:
    logits = [Value(v) for v in (1000.0, 999.0, -1000.0, 0.0)]
    p = ag.softmax(logits)
    assert math.fsum(q.data for q in p) == pytest.approx(1.0, abs=1e-13)
    p[1].backward()
    assert math.fsum(x.grad for x in logits) == pytest.approx(0.0, abs=1e-13)


def test_leaky_relu_learns_its_slope() -> None:
    x, alpha = Value(-2.0), Value(0.25)
    y = ag.leaky_relu(x, alpha)
    y.backward()
    assert (y.data, x.grad, alpha.grad) == (-0.5, 0.25, -2.0)
    assert Value(-2.0).leaky_relu().data == -0.2
    assert Value(-2.0).leaky_relu(0.01).data == -0.02
    assert ag.leaky_relu(-2.0) == -0.2


def test_star_import_leaves_pythons_own_abs_and_pow_alone() -> None:
    names: dict[str, Any] = {}
    exec("from autograd import *", names)
    assert "abs" not in names and "pow" not in names
    assert names["Value"] is Value
    assert names["relu"] is ag.relu
