"""The tape and its interpreter compute what `backward` does. Few cases: Numba takes a second or two for each."""

from __future__ import annotations

import importlib.util
import math

import pytest

import autograd
from autograd import Value
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


def test_what_does_not_fit_on_the_tape_is_told() -> None:
    math_only = autograd.register("only_floats", lambda x: math.floor(x) * 1.0, lambda y, x: (0.0,))
    w = Value(1.0)
    with pytest.raises(autograd.TracingError, match="only_floats.*cannot go on the numba backend's tape"):
        autograd.compile(lambda x: math_only(w * x), 0.1, backend="numba")([0.1])
