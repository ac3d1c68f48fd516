"""Part A of the curriculum: one graph, by hand. Every figure is the lecture's own, or worked out on paper here."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

import autograd as ag
from autograd import GradientError, Value, grad, gradcheck, hessian, jacobian, register, relu, sigmoid


def test_a1_the_first_graph() -> None:
    x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
    q = x + y
    f = q * z
    f.backward()
    assert (q.data, f.data) == (3.0, -12.0)
    assert (q.grad, x.grad, y.grad, z.grad) == (-4.0, -4.0, -4.0, 3.0)


W0, X0, W1, X1, W2 = 2.0, -1.0, -3.0, -2.0, -3.0
A2 = [-0.1966119332, 0.3932238665, -0.3932238665, -0.5898357997, 0.1966119332]


def gates(w0: Value, x0: Value, w1: Value, x1: Value, w2: Value) -> Value:
    z = w0 * x0 + w1 * x1 + w2
    return ag.reciprocal((-z).exp() + 1)


def fused(w0: Value, x0: Value, w1: Value, x1: Value, w2: Value) -> Value:
    return (w0 * x0 + w1 * x1 + w2).sigmoid()


def test_a2_the_sigmoid_gate_by_gate() -> None:
    leaves = [Value(v) for v in (W0, X0, W1, X1, W2)]
    f = gates(*leaves)
    f.backward()
    assert f.data == pytest.approx(0.7310585786, abs=5e-11)
    for leaf, expected in zip(leaves, A2, strict=True):
        assert leaf.grad == pytest.approx(expected, abs=5e-11)


def test_a2_every_wire_of_the_picture() -> None:
    z = Value(1.0)
    a = -z
    b = a.exp()
    c = b + 1
    f = c.reciprocal()
    f.backward()
    e = math.exp(-1.0)
    expected = [(c, 1 + e, -1 / (1 + e) ** 2), (b, e, -1 / (1 + e) ** 2), (a, -1.0, -e / (1 + e) ** 2)]
    expected.append((z, 1.0, e / (1 + e) ** 2))
    for node, data, gradient in expected:
        assert node.data == pytest.approx(data, abs=1e-15)
        assert node.grad == pytest.approx(gradient, abs=1e-15)


def test_a3_the_fused_sigmoid_has_the_same_gradients() -> None:
    one, other = [Value(v) for v in (W0, X0, W1, X1, W2)], [Value(v) for v in (W0, X0, W1, X1, W2)]
    f, g = gates(*one), fused(*other)
    f.backward()
    g.backward()
    assert g.data == pytest.approx(f.data, abs=1e-15)
    for a, b in zip(one, other, strict=True):
        assert a.grad == pytest.approx(b.grad, abs=1e-15)
    z = g.inputs[0]
    assert z.data == 1.0
    assert z.grad == pytest.approx(g.data * (1 - g.data), abs=1e-15)


@pytest.mark.parametrize("x", [-3.0, -0.5, 0.25, 1.0, 4.0])
def test_a4_elementary_gates(x: float) -> None:
    a = c = 1.75
    table: list[tuple[Callable[[Value], Value], float]] = [
        (lambda v: v.exp(), math.exp(x)),
        (lambda v: a * v, a),
        (lambda v: c + v, 1.0),
        (lambda v: 1 / v, -1 / x**2),
        (lambda v: v.reciprocal(), -1 / x**2),
    ]
    for gate, local in table:
        v = Value(x)
        y = gate(v)
        y.backward()
        assert v.grad == pytest.approx(local, abs=1e-12)
        assert [d for d in y.local_derivatives if d is not None] == [v.grad]


def test_a5_a_path_multiplies_and_several_paths_add() -> None:
    s = Value(0.7)
    y = s.sin().exp()
    y.backward()
    assert s.grad == pytest.approx(math.exp(math.sin(0.7)) * math.cos(0.7), abs=1e-15)
    s = Value(0.7)
    gx, hy = s * s, s.exp()
    z = gx * hy  # dz/ds = (∂z/∂x)(dx/ds) + (∂z/∂y)(dy/ds)
    z.backward()
    first, second = math.exp(0.7) * 2 * 0.7, 0.7**2 * math.exp(0.7)
    assert s.grad == pytest.approx(first + second, abs=1e-14)
    assert (gx.grad, hy.grad) == (hy.data, gx.data)


def slope(a: float) -> float:
    return a * (1 - a)


def test_a6_the_chain_and_its_deltas() -> None:
    w1, w2, w3, x, b = (Value(v) for v in (0.5, -1.25, 2.0, 0.8, 0.1))
    z1 = w1 * x + b
    a1 = z1.sigmoid()
    z2 = w2 * a1
    a2 = z2.tanh()
    z3 = w3 * a2
    l = z3.exp()
    l.backward()
    d3 = math.exp(z3.data)
    d2 = d3 * w3.data * (1 - a2.data**2)
    d1 = d2 * w2.data * slope(a1.data)
    for node, expected in [
        (z3, d3),
        (z2, d2),
        (z1, d1),
        (w3, d3 * a2.data),
        (w2, d2 * a1.data),
        (w1, d1 * x.data),
        (b, d1),
    ]:
        assert node.grad == pytest.approx(expected, rel=1e-14)


def test_a6_the_diamond_and_its_deltas() -> None:
    w1, w2, w3, w4, w5 = (Value(v) for v in (0.4, -0.7, 1.3, 0.9, -1.1))
    x, b1, b2, b3, b = (Value(v) for v in (1.5, 0.2, -0.3, 0.05, 0.6))
    z1 = w1 * x + b1
    a1 = z1.sigmoid()
    z2, z3 = w2 * a1 + b2, w3 * a1 + b3
    a2, a3 = z2.sigmoid(), z3.sigmoid()
    z = w4 * a2 + w5 * a3 + b
    l = z.sigmoid()
    l.backward()
    d = slope(l.data)
    d2, d3 = d * w4.data * slope(a2.data), d * w5.data * slope(a3.data)
    d1 = (d2 * w2.data + d3 * w3.data) * slope(a1.data)
    expected = [(z, d), (z2, d2), (z3, d3), (z1, d1), (w4, d * a2.data), (w5, d * a3.data), (w2, d2 * a1.data)]
    expected += [(w3, d3 * a1.data), (w1, d1 * x.data), (b1, d1), (b2, d2), (b3, d3), (b, d), (x, d1 * w1.data)]
    for node, gradient in expected:
        assert node.grad == pytest.approx(gradient, rel=1e-14)


def test_a7_the_jacobian_of_relu_is_a_diagonal_of_zeros_and_ones() -> None:
    J = jacobian(lambda v: [relu(x) for x in v])([1.0, -2.0, 0.0, 3.0])
    assert J == [[1.0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1.0]]


def squared_norm(W: list[list[Value]], x: list[Value]) -> Value:
    return sum(ag.dot(row, x) ** 2 for row in W)  # type: ignore[return-value]


def test_a8_the_squared_norm_of_a_matrix_times_a_vector() -> None:
    W, x = [[0.1, 0.5], [-0.3, 0.8]], [0.2, 0.4]
    q = [ag.dot(row, x) for row in W]
    assert q == pytest.approx([0.22, 0.26], abs=1e-15)
    assert squared_norm(W, x) == pytest.approx(0.116, abs=1e-15)  # type: ignore[arg-type]
    dW, dx = grad(squared_norm, argnum=(0, 1))(W, x)
    assert sum(dW, []) == pytest.approx([0.088, 0.176, 0.104, 0.208], abs=1e-15)
    assert dx == pytest.approx([-0.112, 0.636], abs=1e-15)
    assert sum(dW, []) == pytest.approx([2 * q[i] * x[j] for i in range(2) for j in range(2)], abs=1e-15)


def test_a9_the_gradient_check_agrees_over_an_unrolled_parameter_vector() -> None:
    def cost(theta: list[Value]) -> Value:
        hidden = [(theta[0] * 0.5 + theta[1] * -1.2 + theta[2]).tanh(), (theta[3] * 0.5 + theta[4] * -1.2).sigmoid()]
        return (theta[5] * hidden[0] + theta[6] * hidden[1] - 0.3) ** 2 / 2

    theta = [0.3, -0.2, 0.1, 0.8, 0.5, -0.6, 1.1]
    assert gradcheck(cost, [theta])
    analytic = grad(cost)(theta)
    for i, t in enumerate(theta):  # the formula of the lecture itself
        up, down = [*theta], [*theta]
        up[i], down[i] = t + 1e-4, t - 1e-4

        def J(p: list[float]) -> float:
            a = math.tanh(p[0] * 0.5 + p[1] * -1.2 + p[2])
            c = 1 / (1 + math.exp(-(p[3] * 0.5 + p[4] * -1.2)))
            return (p[5] * a + p[6] * c - 0.3) ** 2 / 2

        assert (J(up) - J(down)) / 2e-4 == pytest.approx(analytic[i], abs=1e-7)


def test_a9_the_gradient_check_catches_a_wrong_rule() -> None:
    square = register("square_with_a_slip", forward=lambda x: x * x, partials=lambda y, x: (3 * x,))
    with pytest.raises(GradientError) as caught:
        gradcheck(lambda x, y: square(x) + y * square(y), [2.0, 3.0])
    assert [(d.output, d.input) for d in caught.value.disagreements] == [(0, 0), (0, 1)]
    assert caught.value.disagreements[0].analytic == 6.0
    assert caught.value.disagreements[0].numeric == pytest.approx(4.0, abs=1e-6)


def test_a10_hessians_of_closed_forms() -> None:
    def rosenbrock(v: list[Value]) -> Value:
        x, y = v
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2

    x, y = -1.2, 1.0
    assert hessian(rosenbrock)([x, y]) == [[pytest.approx(2 - 400 * (y - 3 * x**2)), pytest.approx(-400 * x)],
                                           [pytest.approx(-400 * x), pytest.approx(200.0)]]  # fmt: skip

    def quadratic(v: list[Value]) -> Value:
        return 1.5 * v[0] ** 2 - 2 * v[0] * v[1] + 4 * v[1] ** 2 + v[0] * v[2]

    assert hessian(quadratic)([0.3, -2.0, 7.0]) == [[3.0, -2.0, 1.0], [-2.0, 8.0, 0.0], [1.0, 0.0, 0.0]]


@pytest.mark.parametrize("x", [-2.0, -0.3, 0.0, 1.7])
def test_a10_second_derivatives_of_closed_forms(x: float) -> None:
    s = 1 / (1 + math.exp(-x))
    assert grad(grad(sigmoid))(x) == pytest.approx(s * (1 - s) * (1 - 2 * s), abs=1e-15)
    assert grad(grad(ag.sin))(x) == pytest.approx(-math.sin(x), abs=1e-15)
    assert grad(grad(lambda v: v.exp() * v))(x) == pytest.approx((x + 2) * math.exp(x), abs=1e-13)
