"""jvp, vjp, hvp: forward mode against reverse mode and closed forms, nested in every way."""

from __future__ import annotations

import itertools
import math
from typing import Any

import mpmath as mp
import pytest

import autograd as ag
from autograd import Value, exp, functions, grad, hessian, hvp, jacobian, jvp, no_grad, value_and_grad, vjp
from autograd import transforms as engine
from autograd.forward import Dual
from autograd.ops import BUILT_IN


def slope(f: Any) -> Any:
    """d/dx by forward mode."""
    return lambda x: jvp(f, (x,), (1.0,))[1]


def f(x: Any) -> Any:
    return x[0] ** 2 * x[1] + ag.sin(x[0] * x[2]) + ag.log1p(x[1] * x[1]) * x[2]


X, V = [1.1, 0.7, -0.4], [0.3, -1.0, 0.5]


def dot(xs: Any, ys: Any) -> float:
    return math.fsum(x * y for x, y in zip(xs, ys, strict=True))


def test_jvp_gives_the_value_and_one_directional_derivative() -> None:
    assert jvp(lambda x, y: [x * y, exp(x)], (0.0, 3.0), (1.0, 0.0)) == ([0.0, 1.0], [3.0, 1.0])
    value, tangent = jvp(f, (X,), (V,))
    assert type(value) is float and type(tangent) is float
    assert value == value_and_grad(f)(X)[0]
    assert tangent == pytest.approx(dot(grad(f)(X), V), rel=1e-14)


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_operation_has_the_same_slope_forward_and_backward(name: str) -> None:
    count = ag.SHEET[name].arity or 4
    numbers, direction = [0.6, 0.35, -0.8, 0.1][:count], [1.5, -2.0, 0.25, 3.0][:count]
    if name == "pow":
        numbers[1] = 2.5

    def g(*xs: Any) -> Any:
        return functions.apply(name, *xs)

    value, tangent = jvp(g, tuple(numbers), tuple(direction))
    y, gradient = value_and_grad(g, tuple(range(count)))(*numbers)
    assert value == y and tangent == pytest.approx(dot(gradient, direction), rel=1e-14, abs=1e-15)
    assert jvp(g, tuple(map(Value, numbers)), tuple(direction))[1].data == tangent


def test_jvp_builds_no_graph_and_makes_no_backward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a graph, or a sweep")

    for module, names in ((engine, ("numeric_adjoints", "graph_adjoints")), (ag.forward, ("record",))):
        for name in names:
            monkeypatch.setattr(module, name, never)
    monkeypatch.setattr(Value, "__init__", never)
    assert jvp(f, (X,), (V,))[1] == pytest.approx(0.21627020133776, rel=1e-12)


@pytest.mark.parametrize("orders", list(itertools.product([grad, slope], repeat=3)))
def test_forward_and_reverse_nest_in_every_order(orders: tuple[Any, ...]) -> None:
    def g(x: Any) -> Any:
        return exp(x) * x**3 + ag.tanh(x) * ag.atan2(x, 2.0) + ag.maximum(x, 0.1) / ag.hypot(1.0, x)

    def reference(x: Any) -> Any:
        return mp.exp(x) * x**3 + mp.tanh(x) * mp.atan2(x, 2) + x / mp.hypot(1, x)

    h: Any = g
    for transform in orders:
        h = transform(h)
    with mp.workdps(40):
        assert h(0.7) == pytest.approx(float(mp.diff(reference, mp.mpf(0.7), 3)), rel=1e-13)
    assert type(h(0.7)) is float
    y = h(Value(0.7))
    assert isinstance(y, Value) and y.data == pytest.approx(h(0.7), rel=1e-14)


def test_the_slopes_of_one_call_are_not_taken_for_those_of_another() -> None:
    assert jvp(lambda x: x * slope(lambda y: x + y)(1.0), (1.0,), (1.0,)) == (1.0, 1.0)
    assert slope(lambda x: x * slope(lambda y: x * y)(2.0))(3.0) == 6.0
    assert slope(lambda x: x * grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert grad(lambda x: x * slope(lambda y: x * y)(2.0))(3.0) == 6.0
    assert slope(lambda x: slope(lambda y: y * slope(lambda z: x * y * z)(1.0))(x))(2.0) == 8.0
    assert slope(lambda x: slope(lambda y: x * y * y)(x))(3.0) == 12.0


def test_arguments_and_results_of_any_shape() -> None:
    numpy = pytest.importorskip("numpy")
    value, tangent = jvp(lambda p, s: (s * p[0], [p[1][0] * p[0]]), ((2.0, [3.0]), 5), ((1.0, [0.0]), 0.0))
    assert (value, tangent) == ((10.0, [6.0]), (5.0, [3.0]))
    W, x, v = numpy.array([[0.1, 0.5], [-0.3, 0.8]]), numpy.array([0.2, 0.4]), numpy.array([1.0, -2.0])
    value, tangent = jvp(lambda x: numpy.tanh(W @ x), (x,), (v,))
    assert value.dtype == tangent.dtype == float
    numpy.testing.assert_allclose(tangent, (1 - numpy.tanh(W @ x) ** 2) * (W @ v), rtol=1e-14)
    assert jvp(lambda x: 3.0, (1.0,), (1.0,)) == (3.0, 0.0)
    assert jvp(lambda: 3.0, (), ()) == (3.0, 0.0)
    assert jvp(lambda x: x.relu() + x.leaky_relu() + x.arctan(), (-1.0,), (1.0,))[1] == 0.6


def test_what_a_function_reaches_in_another_way_is_a_constant_of_the_inner_and_a_variable_of_the_outer_derivative() -> (
    None
):
    w = Value(2.0, "w")
    assert jvp(lambda x: w * x * x, (3.0,), (1.0,)) == (18.0, 12.0)
    value, tangent = jvp(lambda x: w * x * x, (Value(3.0),), (1.0,))
    tangent.backward()
    assert (value.data, tangent.data, w.grad) == (18.0, 12.0, 6.0)
    assert grad(lambda a: slope(lambda x: a * x * x)(3.0))(2.0) == 6.0


def test_a_model_can_be_differentiated_forward_by_its_inputs() -> None:
    pytest.importorskip("nn")
    from nn import MLP, losses

    model = MLP(2, [4, 3], activation="gelu", output="softmax", seed=0)

    def loss(x: Any) -> Any:
        return losses.cross_entropy(model(x), 1)

    x, v = [0.3, 0.4], [1.0, -0.5]
    assert jvp(loss, (x,), (v,))[1] == pytest.approx(dot(grad(loss)(x), v), rel=1e-13)
    assert hvp(loss, x, v) == pytest.approx([dot(row, v) for row in hessian(loss)(x)], rel=1e-12)
    assert all(p.grad == 0.0 for p in model.parameters())


@pytest.mark.parametrize(
    ("primals", "tangents", "error", "says"),
    [
        (2.0, 1.0, TypeError, r"primals is a tuple .* as in jvp\(f, \(x,\), \(v,\)\), but got float"),
        ((2.0,), 1.0, TypeError, "tangents is a tuple"),
        ((1.0,), (1.0, 2.0), ValueError, "1 arguments here, and their direction 2"),
        (([1.0, 2.0],), ([1.0],), ValueError, "argument number 0 has 2 numbers, but its direction has 1"),
        (("a",), (1.0,), TypeError, "str"),
    ],
)
def test_wrong_arguments_are_clear_errors(primals: Any, tangents: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        jvp(lambda x: x, primals, tangents)


@pytest.mark.parametrize(
    ("function", "error", "says"),
    [
        (lambda x: math.exp(x), TypeError, r"autograd\.exp"),
        (lambda x: x.data, AttributeError, r"write x\.primal"),
        (lambda x: None, TypeError, "forget to return"),
        (lambda x: "text", TypeError, "str"),
        (lambda x: x + "1", TypeError, "unsupported operand"),
    ],
)
def test_wrong_functions_are_clear_errors(function: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        jvp(function, (1.0,), (1.0,))


def test_a_dual_compares_by_its_number_and_shows_both_parts() -> None:
    x, y = Dual(1.0, 5.0, 1), Dual(2.0, 0.0, 2)
    assert x < y and x <= 1 and y > 1.5 and y >= x and x.equals(1.0) and bool(x) and not Dual(0.0, 1.0, 1)
    assert repr(x + 1) == "Dual(primal=2.0, tangent=5.0)" and +x is x
    assert repr((2 - x) / 4 + abs(-x) ** 2 - 2**x) == repr(Dual(-0.75, 8.75 - 2 * math.log(2) * 5, 1))


def test_branches_are_taken_by_the_number() -> None:
    assert jvp(lambda x: x * x if x > 0 else -x, (-3.0,), (1.0,)) == (3.0, -1.0)


# --- vjp


def test_vjp_goes_back_from_all_outputs_at_once_and_as_often_as_one_likes() -> None:
    calls = []

    def g(x: Any, y: Any) -> list[Any]:
        calls.append(x)
        return [x * y, x + y, 4.0]

    value, pullback = vjp(g, 2.0, 3.0)
    assert value == [6.0, 5.0, 4.0]
    assert pullback([1.0, 10.0, 100.0]) == (13.0, 12.0)
    assert pullback([0.0, 1.0, 0.0]) == (1.0, 1.0)
    assert len(calls) == 1
    with pytest.raises(ValueError, match="3 outputs, so this takes as many numbers, but got 1"):
        pullback(1.0)


def test_vjp_equals_vectors_times_the_jacobian_in_the_shapes_of_the_arguments() -> None:
    numpy = pytest.importorskip("numpy")
    W, x, v = numpy.array([[0.1, 0.5], [-0.3, 0.8]]), numpy.array([0.2, 0.4]), numpy.array([1.0, -2.0])
    value, pullback = vjp(lambda W, x: numpy.tanh(W @ x), W, x)
    dW, dx = pullback(v)
    numpy.testing.assert_allclose(value, numpy.tanh(W @ x), rtol=1e-15)
    numpy.testing.assert_allclose(dx, v @ jacobian(lambda x: numpy.tanh(W @ x))(x), rtol=1e-14)
    numpy.testing.assert_allclose(dW, numpy.tensordot(v, jacobian(lambda W: numpy.tanh(W @ x))(W), 1), rtol=1e-14)


def test_one_pullback_is_one_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    sweeps = []
    real = engine.numeric_adjoints
    monkeypatch.setattr(engine, "numeric_adjoints", lambda *args: sweeps.append(args) or real(*args))
    _, pullback = vjp(lambda x: [x[0] * x[1], x[0], x[1] ** 2], [2.0, 3.0])
    assert sweeps == []
    assert pullback([1.0, 1.0, 1.0]) == ([4.0, 8.0],) and len(sweeps) == 1


def test_a_pullback_can_be_differentiated() -> None:
    _, pullback = vjp(lambda x: [x**2, x**3], 2.0)
    assert grad(lambda v: pullback([v * v, 0.0])[0])(3.0) == 24.0
    assert jvp(lambda v: pullback([v * v, 0.0])[0], (3.0,), (1.0,)) == (36.0, 24.0)
    assert grad(lambda a: vjp(lambda x: a * x * x, 3.0)[1](1.0)[0])(2.0) == 6.0
    assert slope(lambda a: vjp(lambda x: a * x * x, 3.0)[1](1.0)[0])(2.0) == 6.0


# --- hvp


def test_hvp_is_the_hessian_times_the_vector_whichever_way_it_is_computed() -> None:
    expected = [dot(row, V) for row in hessian(f)(X)]
    assert hvp(f, X, V) == pytest.approx(expected, rel=1e-14)
    gradient, along = jvp(grad(f), (X,), (V,))
    assert along == pytest.approx(expected, rel=1e-14)
    assert gradient == grad(f)(X)
    assert grad(lambda x: dot_of(grad(f)(x), V))(X) == pytest.approx(expected, rel=1e-14)
    assert vjp(grad(f), X)[1](V)[0] == pytest.approx(expected, rel=1e-14)
    assert all(type(x) is float for x in hvp(f, X, V))


def dot_of(xs: Any, ys: Any) -> Any:
    return ag.dot(xs, ys)


def test_hvp_takes_one_backward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    sweeps = []
    real = engine.numeric_adjoints
    monkeypatch.setattr(engine, "numeric_adjoints", lambda *args: sweeps.append(args) or real(*args))
    hvp(f, X, V)
    assert len(sweeps) == 1


def test_products_within_no_grad_are_the_same_numbers() -> None:
    with ag.no_grad():
        assert jvp(f, (X,), (V,)) == pytest.approx((0.26155008695105, 0.21627020133776), rel=1e-12)
        inside = hvp(f, X, V)
        assert vjp(lambda x: x * x, 3.0)[1](1.0) == (6.0,)
    assert inside == hvp(f, X, V)


def test_pytorch_agrees_on_all_three() -> None:
    torch = pytest.importorskip("torch")

    def g(x: Any, lib: Any) -> Any:
        return lib.erf(x[0] * x[1]) * lib.sinh(x[2]) + lib.atan(x[1] / x[2]) * lib.expm1(x[0])

    x, v = (torch.tensor(numbers, dtype=torch.float64) for numbers in (X, V))
    value, tangent = torch.autograd.functional.jvp(lambda t: g(t, torch), x, v)
    assert jvp(lambda t: g(t, ag), (X,), (V,)) == pytest.approx((value.item(), tangent.item()), rel=1e-13)
    theirs = torch.autograd.functional.vjp(lambda t: g(t, torch), x, torch.tensor(2.0, dtype=torch.float64))[1]
    assert vjp(lambda t: g(t, ag), X)[1](2.0)[0] == pytest.approx(theirs.tolist(), rel=1e-13)
    theirs = torch.autograd.functional.hvp(lambda t: g(t, torch), x, v)[1]
    assert hvp(lambda t: g(t, ag), X, V) == pytest.approx(theirs.tolist(), rel=1e-12)


# --- argnum


def test_jacobians_and_hessians_by_several_arguments() -> None:
    def g(x: Any, y: Any, scale: float = 1.0) -> list[Any]:
        return [scale * x * y[0], x + y[1]]

    assert jacobian(g, (0, 1))(2.0, [3.0, 4.0]) == ([3.0, 1.0], [[2.0, 0.0], [0.0, 1.0]])
    assert jacobian(g, argnum=(1, 0))(2.0, [3.0, 4.0], scale=2.0) == ([[4.0, 0.0], [0.0, 1.0]], [6.0, 1.0])
    assert jacobian(g, (0,))(2.0, [3.0, 4.0]) == ([3.0, 1.0],)
    H = hessian(lambda x, y: x**2 * y[0] * y[1], (0, 1))(2.0, [3.0, 5.0])
    assert H == ((30.0, [20.0, 12.0]), ([20.0, 12.0], [[0.0, 4.0], [4.0, 0.0]]))
    assert hessian(lambda x, y: x**3 * y, (-1, 0))(2.0, 3.0) == ((0.0, 12.0), (12.0, 36.0))


def test_jacobians_and_hessians_by_several_arrays() -> None:
    numpy = pytest.importorskip("numpy")
    W, x = numpy.array([[0.1, 0.5], [-0.3, 0.8]]), numpy.array([0.2, 0.4])
    by_W, by_x = jacobian(lambda W, x: W @ x, (0, 1))(W, x)
    assert by_W.shape == (2, 2, 2)
    numpy.testing.assert_allclose(by_x, W)
    H = hessian(lambda W, x: ((W @ x) ** 2).sum(), (0, 1))(W, x)
    assert [[block.shape for block in row] for row in H] == [[(2, 2, 2, 2), (2, 2, 2)], [(2, 2, 2), (2, 2)]]
    numpy.testing.assert_allclose(H[1][1], 2 * W.T @ W, atol=1e-15)
    numpy.testing.assert_allclose(H[0][1].reshape(4, 2), H[1][0].reshape(2, 4).T, atol=1e-15)


def test_an_argument_is_named_once() -> None:
    with pytest.raises(ValueError, match=r"argnum \(0, -2\) names argument number 0 twice"):
        grad(lambda x, y: x * y, (0, -2))(1.0, 2.0)
    with pytest.raises(TypeError, match=r"a tuple of them, such as \(0, 1\), but got 0.5"):
        grad(lambda x: x, 0.5)  # type: ignore[arg-type]


def test_what_no_grad_computed_inside_has_no_slope() -> None:
    def f(x: Any) -> Any:
        with no_grad():
            y = x * x
        return y * x

    assert jvp(f, (3.0,), (1.0,)) == (27.0, 9.0)
    with no_grad():
        assert jvp(lambda x: x * x, (3.0,), (1.0,)) == (9.0, 6.0)


def test_a_number_is_not_compared_with_a_dual_by_two_equals_signs() -> None:
    with pytest.raises(TypeError, match=r"write x\.equals\(0\)"):
        jvp(lambda x: 1.0 if x == 0 else x * 1, (0.0,), (1.0,))
    assert jvp(lambda x: x * 2 if x.equals(0) else x, (0.0,), (1.0,)) == (0.0, 2.0)
