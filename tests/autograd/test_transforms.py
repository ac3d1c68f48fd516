"""grad, value_and_grad, jacobian, hessian: nested to any order, over arguments of any shape."""

from __future__ import annotations

import math
from typing import Any

import mpmath as mp
import pytest

import autograd as ag
from autograd import Value, dot, exp, grad, gradcheck, hessian, jacobian, register, sigmoid, tanh, value_and_grad


def test_grad_of_numbers_is_a_float_and_of_values_a_value() -> None:
    g = grad(lambda x: x**3)
    assert g(2.0) == 12.0 and type(g(2.0)) is float
    x = Value(2.0)
    y = g(x)
    assert isinstance(y, Value) and y.data == 12.0
    y.backward()
    assert x.grad == 12.0


@pytest.mark.parametrize(
    ("f", "reference"),
    [
        (lambda x: exp(x) * x**3, lambda x: mp.exp(x) * x**3),
        (tanh, mp.tanh),
        (sigmoid, lambda x: 1 / (1 + mp.exp(-x))),
        (lambda x: x**2.5 / (1 + x * x), lambda x: x**2.5 / (1 + x * x)),
        (lambda x: ag.log(x) * ag.sin(x), lambda x: mp.log(x) * mp.sin(x)),
        (lambda x: ag.sqrt(x) - ag.softplus(x) * ag.cos(x), lambda x: mp.sqrt(x) - mp.log1p(mp.exp(x)) * mp.cos(x)),
        (lambda x: x**x, lambda x: x**x),
        (lambda x: 2**x * ag.reciprocal(x), lambda x: 2**x / x),
        (lambda x: ag.logsumexp(x, x * x, 1.0), lambda x: mp.log(mp.exp(x) + mp.exp(x * x) + mp.e)),
        (lambda x: dot([x, x, 2.0], [x.exp(), x, x]), lambda x: x * mp.exp(x) + x * x + 2 * x),
    ],
)
def test_derivatives_to_fifth_order_equal_mpmath(f: Any, reference: Any) -> None:
    g = f
    with mp.workdps(50):
        for order in range(1, 6):
            g = grad(g)
            for x in (0.4, 1.3):
                expected = float(mp.diff(reference, mp.mpf(x), order))
                assert abs(g(x) - expected) <= 1e-11 * max(1.0, abs(expected)), (order, x)


def test_perturbation_confusion_does_not_happen() -> None:
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert grad(lambda x: grad(lambda y: y * grad(lambda z: x * y * z)(1.0))(x))(2.0) == 8.0  # d/dx 2x·x
    assert grad(lambda x: x * grad(lambda x: x * x)(x))(3.0) == 12.0
    # the same Value as argument and in the closure
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(3.0) == 12.0  # y' of x·y² at y=x is 2x², whose slope is 4x


def test_closures_are_constants_for_the_inner_derivative_and_variables_for_the_outer() -> None:
    a = Value(5.0, "a")
    a.grad = 0.125
    assert grad(lambda x: a * x * x)(3.0) == 30.0
    assert a.grad == 0.125, "a closed-over Value's gradient is untouched"
    y = grad(lambda x: a * x * x)(Value(3.0))
    y.backward()
    assert a.grad == 0.125 + 6.0


def test_arguments_that_come_in_keep_their_gradients() -> None:
    x = Value(2.0)
    x.grad = 9.0
    grad(lambda v: v * v * x)(x)
    value_and_grad(lambda v: v * v)(x)
    hessian(lambda v: v[0] * v[1] * x)([x, x])
    gradcheck(lambda v: v * v, [x])
    assert (x.grad, x.data, x.inputs) == (9.0, 2.0, ())


def test_argnum_chooses_and_a_tuple_gives_a_tuple() -> None:
    def f(x: Any, y: Any, *, scale: float = 1.0) -> Any:
        return scale * x * x * y

    assert grad(f)(3.0, 5.0) == 30.0
    assert grad(f, 1)(3.0, 5.0) == 9.0
    assert grad(f, -1)(3.0, 5.0) == 9.0
    assert grad(f, (0, 1))(3.0, 5.0, scale=2.0) == (60.0, 18.0)
    assert grad(f, (1, 0))(3.0, 5.0) == (9.0, 30.0)
    assert grad(f, (0,))(3.0, 5.0) == (30.0,)
    assert value_and_grad(f, (0, 1))(3.0, 5.0) == (45.0, (30.0, 9.0))
    assert grad(grad(f, 0), 1)(3.0, 5.0) == 6.0
    with pytest.raises(TypeError, match="argnum 2"):
        grad(f, 2)(1.0, 2.0)
    with pytest.raises(TypeError, match="argnum"):
        grad(f, "x")  # type: ignore[arg-type]


def test_gradients_come_back_in_the_shape_of_the_argument() -> None:
    def f(p: Any) -> Any:
        (a, b), c = p
        return a * b[0] * c[0][0] + b[1] ** 2

    assert grad(f)(((2.0, [3.0, 4.0]), [[5.0], []])) == ((15.0, [10.0, 8.0]), [[6.0], []])


def test_numpy_arrays_come_back_as_arrays() -> None:
    numpy = pytest.importorskip("numpy")
    W, x = numpy.array([[0.1, 0.5], [-0.3, 0.8]]), numpy.array([0.2, 0.4])

    def f(W: Any, x: Any) -> Any:
        return ((W @ x) ** 2).sum()

    dW, dx = grad(f, (0, 1))(W, x)
    assert dW.dtype == float and dW.shape == (2, 2)
    numpy.testing.assert_allclose(dW, 2 * numpy.outer(W @ x, x), atol=1e-15)
    numpy.testing.assert_allclose(dx, 2 * W.T @ W @ x, atol=1e-15)
    numpy.testing.assert_allclose(hessian(f, 1)(W, x), 2 * W.T @ W, atol=1e-15)
    J = jacobian(lambda x: W @ x)(x)
    assert J.shape == (2, 2)
    numpy.testing.assert_allclose(J, W)
    assert jacobian(lambda W: W @ x)(W).shape == (2, 2, 2)


def test_jacobian_has_the_outer_shape_of_the_result_and_the_inner_of_the_argument() -> None:
    J = jacobian(lambda v: [v[0] * v[1], v[0] + 3.0 * v[1], 7.0])([2.0, 5.0])
    assert J == [[5.0, 2.0], [1.0, 3.0], [0.0, 0.0]]
    assert jacobian(lambda x: (x, [x * x]))(3.0) == (1.0, [6.0])
    assert jacobian(lambda v: v[0] * v[1])([2.0, 5.0]) == [5.0, 2.0]


def test_hessian_of_a_logistic_loss_equals_its_closed_form() -> None:
    X, y = [(1.0, 0.5), (-0.3, 2.0), (0.7, -1.1)], [1.0, 0.0, 1.0]

    def loss(w: Any) -> Any:
        total: Any = 0.0
        for x, t in zip(X, y, strict=True):
            z = dot(x, w)
            total = total + ag.softplus(z) - t * z
        return total

    w = [0.2, -0.4]
    p = [1 / (1 + math.exp(-(x[0] * w[0] + x[1] * w[1]))) for x in X]
    for i, row in enumerate(hessian(loss)(w)):
        for j, entry in enumerate(row):
            expected = sum(x[i] * x[j] * q * (1 - q) for x, q in zip(X, p, strict=True))
            assert entry == pytest.approx(expected, abs=1e-14)


def test_hessian_of_a_power_is_symmetric_where_the_exponent_happens_to_be_zero() -> None:
    H = hessian(lambda v: v[0] ** v[1])([2.0, 0.0])  # ∂²/∂a∂b = a^(b-1)·(1 + b·log a)
    assert H[0] == [0.0, 0.5]
    assert H[1] == [0.5, pytest.approx(math.log(2) ** 2, abs=1e-15)]


def test_values_of_values_and_nothing_to_differentiate() -> None:
    assert grad(lambda x: 5.0)(1.0) == 0.0
    assert grad(lambda x: x)(1.0) == 1.0
    assert grad(grad(lambda x: 3 * x))(1.0) == 0.0
    assert value_and_grad(lambda x: 5)(1.0) == (5, 0.0)
    assert isinstance(grad(lambda x: 3 * x)(Value(1.0)), Value)


@pytest.mark.parametrize(
    ("f", "x", "says"),
    [
        (lambda x: None, 1.0, "forget to return"),
        (lambda x: [x, x], 1.0, "use jacobian"),
        (lambda x: "text", 1.0, "str"),
        (lambda x: x, "text", "str"),
        (lambda x: x, None, "NoneType"),
    ],
)
def test_a_wrong_function_or_argument_is_a_clear_type_error(f: Any, x: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        grad(f)(x)
    assert grad(lambda v: v * v)(3.0) == 6.0, "an error leaves nothing behind"
    assert type(grad(lambda v: v * v)(3.0)) is float


def test_a_computed_value_is_not_a_function() -> None:
    with pytest.raises(TypeError, match="backward"):
        grad(Value(1.0) * 2)  # type: ignore[arg-type]


# --- custom operations


def test_a_custom_operation_has_first_and_second_derivatives() -> None:
    swish = register(
        "swish", forward=lambda x: x * sigmoid(x), partials=lambda y, x: (y + sigmoid(x) * (1 - y),), symbol="swish"
    )
    for x in (-3.0, 0.0, 0.7, 5.0):
        with mp.workdps(50):

            def reference(t: Any) -> Any:
                return t / (1 + mp.exp(-t))

            assert swish(x) == pytest.approx(float(reference(mp.mpf(x))), abs=1e-15)
            g: Any = swish
            for order in (1, 2, 3):
                g = grad(g)
                assert g(x) == pytest.approx(float(mp.diff(reference, mp.mpf(x), order)), abs=1e-12)
    assert gradcheck(swish, [0.3])
    y = swish(Value(0.3))
    assert ag.loads(ag.dumps(y)).op == "swish"
    assert next(ag.backward_steps(y)).local == y.local_derivatives[0]


def test_a_custom_operation_of_many_inputs() -> None:
    norm = register(
        "norm",
        forward=lambda *xs: ag.sqrt(sum(x * x for x in xs)),
        partials=lambda y, *xs: [x / y for x in xs],
    )
    assert grad(lambda v: norm(*v))([3.0, 4.0]) == [0.6, 0.8]
    H = hessian(lambda v: norm(*v))([3.0, 4.0])
    assert sum(H, []) == pytest.approx([16 / 125, -12 / 125, -12 / 125, 9 / 125], abs=1e-15)


def test_a_wrong_number_of_partials_or_a_rule_without_numbers_is_an_error() -> None:
    two = register("two_for_one", lambda x: x, lambda y, x: (1.0, 2.0))
    with pytest.raises(ValueError, match="one local derivative per input"):
        two(Value(1.0))
    words = register("words", lambda x: "one", lambda y, x: (1.0,))
    with pytest.raises(TypeError, match="must give a real number"):
        words(Value(1.0))
    with pytest.raises(TypeError, match="must give a real number"):
        register("cplx", lambda x: x + 1j, lambda y, x: (1.0,))(Value(1.0))


@pytest.mark.parametrize(
    ("name", "forward", "partials", "error"),
    [
        ("add", lambda x: x, lambda y, x: (1.0,), "built-in"),
        ("const", lambda x: x, lambda y, x: (1.0,), "built-in"),
        ("two words", lambda x: x, lambda y, x: (1.0,), "plain word"),
        ("lambda", lambda x: x, lambda y, x: (1.0,), "plain word"),
        ("f", lambda: 1.0, lambda y: (), "takes no inputs"),
        ("f", lambda a, b: a, lambda y, a: (1.0,), "3 in all"),
    ],
)
def test_registering_nonsense_is_an_error(name: str, forward: Any, partials: Any, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        register(name, forward, partials)


# --- gradcheck


def test_gradcheck_reports_every_disagreeing_entry_and_only_those() -> None:
    wrong = register("wrong_product", lambda a, b: a * b, lambda y, a, b: (b, -a))
    with pytest.raises(ag.GradientError) as caught:
        gradcheck(lambda v, s: [wrong(v[0], v[1]), v[0] * s, wrong(s, v[0])], [[2.0, 3.0], 5.0])
    entries = [(d.output, d.input) for d in caught.value.disagreements]
    assert entries == [(0, 1), (2, 0)]
    first = caught.value.disagreements[0]
    assert (first.at, first.analytic) == (3.0, -2.0)
    assert first.numeric == pytest.approx(2.0, abs=1e-8)
    assert "2 of 9 derivatives disagree" in str(caught.value)
    assert str(caught.value).count("central differences say") == 2


def test_gradcheck_puts_values_back_even_after_an_error() -> None:
    x = Value(2.0)
    x.grad = 4.0
    calls = []

    def fails_later(v: Value) -> Value:
        calls.append(v.data)
        if len(calls) > 1:
            raise RuntimeError
        return v * v

    with pytest.raises(RuntimeError):
        gradcheck(fails_later, [x])
    assert (x.data, x.grad) == (2.0, 4.0)


def test_gradcheck_next_to_where_a_function_ends_takes_a_shorter_step_and_lets_no_wrong_rule_pass() -> None:
    """log(1e-6 - 1e-6) is -inf, and with a quotient that is inf any derivative agreed."""
    assert gradcheck(ag.log, [1e-6]) and gradcheck(ag.sqrt, [1e-7]) and gradcheck(ag.exp, [709.7827])
    wrong = register("wrong_log", lambda x: ag.log(x), lambda y, x: (3.0,))
    for at in (1e-6, 1e-8, 0.0, 2.0):
        with pytest.raises(ag.GradientError, match="backpropagation says 3"):
            gradcheck(wrong, [at])


def test_gradcheck_finds_a_missing_and_a_nan_derivative() -> None:
    cut = register("cut", lambda x: x * x, lambda y, x: (0.0,))
    with pytest.raises(ag.GradientError):
        gradcheck(cut, [3.0])
    nan = register("nan_rule", lambda x: x * x, lambda y, x: (math.nan,))
    with pytest.raises(ag.GradientError):
        gradcheck(nan, [3.0])
    with pytest.raises(ag.GradientError):
        gradcheck(lambda x: Value(x.data) * 2, [3.0])
    assert gradcheck(lambda x: x * 1e6 + 1e9, [1e3])
    assert gradcheck(lambda x: [], [1.0])
    with pytest.raises(ValueError, match="at least one input"):
        gradcheck(lambda: 1.0, [])
