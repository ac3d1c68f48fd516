"""The tape and its interpreter compute what `backward` does. Few cases: Numba takes a second or two for each."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value
from autograd.compiler.backends.numba import Rules, Tape, interpreter
from tests.autograd.compiler.models import CASES, Source, batch_of, eager, random_dag, strict_error

pytestmark = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="Numba is not installed")


@pytest.mark.parametrize("name", ["LSTM", "second derivatives of relu", "repeated operands", "random"])
def test_the_tape_computes_what_backward_does(name: str) -> None:
    source = Source(1)
    f, example = random_dag(source, 2000) if name == "random" else CASES[name](source)
    batch = batch_of(example, 3)
    loss, gradient = eager(f, source.parameters, batch)
    step = autograd.compile(f, *example, backend="numba")
    index = {p: k for k, p in enumerate(source.parameters)}
    for _ in range(2):
        assert strict_error(step(*batch), loss) <= 1e-10
        assert strict_error(step.gradient, [gradient[index[p]] for p in step.parameters]) <= 1e-10
    assert "rule == 0" in step.source
    assert step.outputs(*batch).shape == (3,)


def test_singular_points_on_the_tape() -> None:
    w = Value(1.0)
    step = autograd.compile(lambda x: (w * x).log() + 1.0 / x + (w * x).exp() + x**w, 0.5, backend="numba")
    for x in (0.0, -1.0, 1000.0, math.inf, -math.inf, math.nan):
        w.grad = None
        y = (w * x).log() + 1.0 / Value(x) + (w * x).exp() + Value(x) ** w
        y.backward()
        assert strict_error(step([x]), y.data) <= 1e-10
        assert strict_error(step.gradient, [w.grad]) <= 1e-10


def test_operations_on_any_number_of_inputs_are_loops_on_the_tape() -> None:
    ws = [Value(0.1 * k - 0.5) for k in range(20)]

    def loss(x: Any) -> Any:
        xs = [w * v for w, v in zip(ws, x, strict=True)]
        total = autograd.dot(ws, x) + autograd.dot([*xs[:10], 2.0], xs[9:])
        for count in (1, 2, 20):
            total = total + autograd.maximum(xs[:count]) * autograd.minimum(xs[:count]) + autograd.logsumexp(xs[:count])
        return total + autograd.maximum(xs[3], xs[3], -9.0)

    X = np.array([[math.sin(k + n) for k in range(20)] for n in range(3)])
    value, gradient = eager(loss, ws, [X])
    step = autograd.compile(loss, X[0], backend="numba", params=ws)
    assert step(X) == pytest.approx(value, rel=1e-12)
    index = {w: k for k, w in enumerate(ws)}
    assert strict_error(step.gradient, [gradient[index[w]] for w in step.parameters]) <= 1e-10
    assert "for j in range(s, s + count):" in step.source


def test_graphs_of_the_same_rules_have_one_interpreter_whatever_their_constants() -> None:
    """It is compiled once; and one that several tapes share is compiled anew when there are new rules."""
    w, rules, column = Value(0.5), Rules(), [np.array([[1.0, 2.0]])]
    losses: list[Callable[..., Any]] = [
        lambda x: 3.0 * (w * x),
        lambda x: sum(0.1 * k * (w * x) for k in range(40)),
        lambda x: (w * x).sin() + x,
    ]
    plans = [autograd.compile(f, 1.0, backend="python", check=False).plan for f in losses]
    tapes = [Tape(plans[0]), Tape(plans[0], rules), Tape(plans[1], rules)]
    assert tapes[0].mean(column, 2) == 2.25 and plans[0].gradient.tolist() == [4.5]
    assert tapes[0].rules.function is interpreter(tapes[0].source)
    tapes.append(Tape(plans[2], rules))
    assert len(rules.numbers) <= 4  # a product with a constant, one with a number, a sum, a sine
    assert tapes[1].mean(column, 2) == 2.25
    assert tapes[2].mean(column, 2) == pytest.approx(78.0 * 0.75, rel=1e-14)
    assert plans[1].gradient == pytest.approx([78.0 * 1.5], rel=1e-14)
    assert tapes[3].mean(column, 2) == pytest.approx((math.sin(0.5) + math.sin(1.0) + 3.0) / 2.0, rel=1e-14)
    assert plans[2].gradient == pytest.approx([(math.cos(0.5) + 2.0 * math.cos(1.0)) / 2.0], rel=1e-14)


def test_what_does_not_fit_on_the_tape_is_told() -> None:
    w = Value(1.0)
    total = autograd.register("total_of_many", lambda *xs: sum(xs), lambda y, *xs: [1.0] * len(xs))
    with pytest.raises(autograd.TracingError, match="more than 16 inputs"):
        autograd.compile(lambda x: total(*[w * v for v in x]), [0.1] * 20, backend="numba")([[0.1] * 20])
