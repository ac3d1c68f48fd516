"""What a backend is: one class, made from a plan, and found by its name in one table."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value
from autograd.compiler import compiled
from autograd.compiler.plan import Plan, samples_of


class Eager:
    """A backend in twenty lines: it walks the trace with the sheet's forward rules, and has no gradient."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @property
    def source(self) -> str:
        return "\n".join(self.plan.trace.ops)

    def mean(self, columns: list[Any], n: int) -> float:
        self.plan.gradient[:] = 0.0
        return float(self.outputs(columns, n)[0].mean())

    def outputs(self, columns: list[Any], n: int) -> Any:
        trace = self.plan.trace
        rows = []
        for sample in samples_of(columns).tolist():
            numbers = list(trace.numbers)
            for i, x in zip([i for argument in trace.arguments for i in argument], sample, strict=True):
                numbers[i] = x
            for i, x in zip(trace.parameter_nodes, self.plan.given_order(self.plan.theta), strict=True):
                numbers[i] = x
            for i, op in enumerate(trace.ops):
                if trace.inputs[i]:
                    numbers[i] = autograd.SHEET[op].forward(*[numbers[x] for x in trace.inputs[i]])
            rows.append([numbers[y] for y in trace.outputs])
        return np.array(rows).T


def test_one_more_class_is_one_more_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(compiled.BACKENDS, "eager", Eager)
    w, b = Value(2.0), Value(-1.0)

    def loss(x: Any, t: Any) -> Any:
        return (w * x[0] + b * x[1].tanh() - t) ** 2

    X, T = np.random.default_rng(0).normal(size=(5, 2)), np.arange(5.0)
    step = autograd.compile(loss, X[0], T[0], backend="eager")
    assert step.backend == "eager" and step.source.startswith("input")
    assert step(X, T) == pytest.approx(autograd.compile(loss, X[0], T[0])(X, T), rel=1e-12)


def test_an_unknown_backend_is_told_the_names_of_the_table() -> None:
    with pytest.raises(ValueError, match="'numba', 'javascript', but got 'fortran'"):
        autograd.compile(lambda x: x * 2.0, 1.0, backend="fortran")


@pytest.mark.parametrize("backend", ["numpy", "python", "jax", "numba"])
def test_every_backend_gives_the_mean_its_gradient_and_the_outputs(backend: str) -> None:
    if backend in ("jax", "numba") and importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    w = Value(0.5)
    X = np.array([0.3, -0.7, 1.1], dtype=np.float32)
    step = autograd.compile(lambda x: (w * x).sin() ** 2, 0.3, backend=backend, dtype="float32")
    assert step(X) == pytest.approx(float((np.sin(0.5 * X) ** 2).mean()), rel=1e-5)
    assert step.gradient == pytest.approx([float((X * np.sin(X)).mean())], rel=1e-5)
    assert step.outputs(X) == pytest.approx(np.sin(0.5 * X) ** 2, rel=1e-5)
    still = autograd.compile(lambda x: x * x, 2.0, backend=backend, dtype="float32")
    assert still([1.0, 3.0]) == 5.0 and len(still.gradient) == 0


def test_statements_say_what_they_read_what_they_serve_and_what_is_returned() -> None:
    w = [Value(0.1), Value(0.2)]
    step = autograd.compile(lambda x: (w[0] * x[0] + w[1] * x[1]).tanh(), [1.0, 2.0], backend="numpy")
    found = {s.name: s for s in step.groups}
    assert found["z1"].inputs == ("w1", "x") and [t.operator for t in found["z1"].terms] == ["@"]
    assert found["w1"].gradient == "dw1" and found["dw1"].backward and found["x"].gradient == ""
    assert [s.name for s in step.groups if s.is_result] == ["h1"]
