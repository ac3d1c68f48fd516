"""no_grad, detect_anomaly and scopes."""

from __future__ import annotations

import math
import threading

import pytest

import autograd as ag
from autograd import NonFiniteError, Value, detect_anomaly, grad, gradcheck, hessian, no_grad, scope
from autograd.kernels import CURRENT, ROOT


def test_no_grad_computes_without_recording() -> None:
    x = Value(3.0)
    with no_grad():
        y = x * x + ag.maximum(x, 1.0)
        assert (y.data, y.op, y.inputs) == (12.0, "", ())
    assert (x * x).inputs == (x, x)


def test_what_no_grad_computed_says_by_what_and_backward_says_why_it_has_nowhere_to_go() -> None:
    x = Value(3.0)
    with no_grad():
        made = [x * x, x.exp(), ag.dot([x], [x]), grad(lambda a: a**3)(x)]
        assert [y.unrecorded_op for y in made] == ["mul", "exp", "dot", "grad"]
        assert [Value(1.0).unrecorded_op, (+x).unrecorded_op] == ["", ""]
    y = made[0]
    with pytest.raises(RuntimeError, match=r"this Value was computed by 'mul' inside no_grad\(\).*outside of no_grad"):
        y.backward()
    assert not (y.has_grad or x.has_grad)
    assert [n.unrecorded_op for n in (x, x * x, (x * 2).inputs[1])] == ["", "", ""]


def test_what_no_grad_computed_takes_part_in_a_graph_as_a_leaf_does() -> None:
    x = Value(3.0)
    with no_grad():
        y = x * x
    (y * x).backward()
    (y * x).backward()
    assert (x.grad, y.grad, y.has_accumulated_grad, ag.leaves(y * x)) == (18.0, 6.0, True, [y, x])


def test_no_grad_nests_and_ends_with_an_exception() -> None:
    x = Value(1.0)
    with pytest.raises(RuntimeError), no_grad(), no_grad():
        raise RuntimeError
    with no_grad():
        with no_grad():
            pass
        assert not (x + 1).inputs
    assert (x + 1).inputs
    assert CURRENT.get() is ROOT, "the fast methods must be back"


def test_no_grad_is_a_decorator_too() -> None:
    @no_grad()
    def step(x: Value) -> Value:
        return x * 2

    assert not step(Value(1.0)).inputs
    assert step(Value(1.0)).data == 2.0
    assert (Value(1.0) * 2).inputs


def test_no_grad_in_one_thread_leaves_another_alone() -> None:
    inside, seen = threading.Event(), threading.Event()
    recorded: list[bool] = []

    def other() -> None:
        inside.wait(10)
        x = Value(1.0)
        recorded.append(bool((x * 2).inputs) and bool(ag.dot([x], [x]).inputs))
        seen.set()

    thread = threading.Thread(target=other)
    thread.start()
    with no_grad():
        inside.set()
        assert seen.wait(10)
        assert not (Value(1.0) * 2).inputs
    thread.join()
    assert recorded == [True]


def test_derivatives_are_the_same_inside_no_grad() -> None:
    with no_grad():
        assert grad(lambda x: x**3)(2.0) == 12.0
        assert grad(grad(lambda x: x**3))(2.0) == 12.0
        assert hessian(lambda v: v[0] ** 2 * v[1])([3.0, 5.0]) == [[10.0, 6.0], [6.0, 0.0]]
        assert gradcheck(lambda x: x.tanh(), [0.3])
        y = grad(lambda x: x**3)(Value(2.0))
        assert (y.data, y.inputs) == (12.0, ()), "right, and without a history"
        assert not (Value(1.0) * 2).inputs, "no_grad is still on"


def test_no_grad_inside_the_function_cuts_its_derivative() -> None:
    def f(x: Value) -> Value:
        with no_grad():
            frozen = x * x
        return frozen * x

    assert grad(f)(3.0) == 9.0


def test_anomalies_going_forward_are_named() -> None:
    x = Value(0.0, "x")
    with detect_anomaly():
        with pytest.raises(NonFiniteError, match=r"log gave -inf going forward; its input was x = 0"):
            x.log()
        with pytest.raises(NonFiniteError, match="div gave inf"):
            1 / x
        with pytest.raises(NonFiniteError, match="dot gave nan"):
            ag.dot([x], [math.inf])
        with pytest.raises(NonFiniteError), no_grad():
            x.log()
        assert (x + 1).data == 1.0
    assert x.log().data == -math.inf


def test_anomalies_going_backward_are_named_and_change_no_gradient() -> None:
    x = Value(0.0, "x")
    x.grad = 5.0
    y = x.sqrt() * 2
    with detect_anomaly():
        with pytest.raises(NonFiniteError, match=r"sqrt gave inf going backward, to its input x = 0"):
            y.backward()
        assert x.grad == 5.0 and not y.has_grad
        with pytest.raises(NonFiniteError, match="backward"):
            grad(lambda v: v.sqrt())(0.0)
    y.backward()
    assert x.grad == math.inf


def test_anomaly_detection_holds_for_its_own_thread() -> None:
    results: list[float] = []
    with detect_anomaly():
        thread = threading.Thread(target=lambda: results.append(Value(0.0).log().data))
        thread.start()
        thread.join()
    assert results == [-math.inf]


def test_scopes_nest_with_dots_and_end_with_an_exception() -> None:
    x = Value(1.0)
    with scope("layers"):
        with scope("0"):
            inner = x * 2
            leaf = Value(1.0)
            many = ag.logsumexp(x, inner)
        outer = x * 3
    assert (inner.scope, leaf.scope, many.scope, outer.scope, (x * 4).scope) == (
        "layers.0",
        "layers.0",
        "layers.0",
        "layers",
        "",
    )
    with pytest.raises(RuntimeError), scope("broken"):
        raise RuntimeError
    assert (x + 1).scope == ""
    with pytest.raises(ValueError, match="needs a name"), scope(""):
        pass


def test_scopes_hold_in_the_careful_path_too() -> None:
    x = Value(1.0)
    with scope("a"), detect_anomaly():
        assert (x * 2).scope == "a"
    swish = ag.register("swish_in_scope", lambda x: x * ag.sigmoid(x), lambda y, x: (y + ag.sigmoid(x) * (1 - y),))
    with scope("b"):
        assert swish(x).scope == "b"
