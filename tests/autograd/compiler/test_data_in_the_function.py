"""A function without arguments that has its data inside, such as a loss over all samples, becomes rows of matrices."""

from __future__ import annotations

import math
import random
import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, dot, exp, log, logsumexp, maximum, where

BACKENDS = ["numpy", "python", *(["javascript"] if shutil.which("node") else [])]
Loss = Callable[[], Value]


def weights(*shape: int, seed: int = 0) -> Any:
    """Nested lists of parameters."""
    generator = random.Random(seed)

    def made(sizes: tuple[int, ...]) -> Any:
        return [made(sizes[1:]) for _ in range(sizes[0])] if sizes else Value(generator.gauss(0.0, 0.5))

    return made(shape)


def data(count: int, width: int = 3) -> list[tuple[list[float], float]]:
    generator = random.Random(7)
    return [([generator.gauss(0.0, 1.0) for _ in range(width)], generator.gauss(0.0, 1.0)) for _ in range(count)]


def network(x: list[float], hidden: Any, last: Any) -> Any:
    return dot(last, [dot(row, x).tanh() for row in hidden])


def regression(count: int) -> Loss:
    w, b = weights(3), Value(0.1)
    return lambda: sum((dot(w, x) + b - y) ** 2 for x, y in data(count)) / count


def multilayer(count: int) -> Loss:
    hidden, last = weights(4, 3), weights(4, seed=1)
    return lambda: sum((network(x, hidden, last) - y) ** 2 for x, y in data(count)) / count


def hinge(count: int) -> Loss:
    """The lecture's demonstration: a margin of 1 for classes of 1 and -1, and a penalty."""
    hidden, last = weights(4, 3), weights(4, seed=1)

    def loss() -> Any:
        margins = [(1 - math.copysign(1.0, y) * network(x, hidden, last)).relu() for x, y in data(count)]
        return sum(margins) / count + 1e-4 * sum(w * w for row in [*hidden, last] for w in row)

    return loss


def weighed_margins(count: int) -> Loss:
    hidden, last = weights(4, 3), weights(4, seed=1)
    return lambda: sum((1 - y * network(x, hidden, last)).relu() for x, y in data(count))


def classes(count: int) -> Loss:
    hidden, last = weights(4, 3), weights(3, 4, seed=1)

    def loss() -> Any:
        total = 0.0
        for k, (x, _) in enumerate(data(count)):
            logits = [dot(row, [dot(r, x).tanh() for r in hidden]) for row in last]
            total = total + logsumexp(logits) - logits[k % 3]
        return total / count

    return loss


def mixture(count: int) -> Loss:
    mean, spread, share = weights(3), weights(3, seed=1), weights(3, seed=2)
    return lambda: (
        -sum(
            logsumexp([a - 0.5 * ((y - m) / exp(s)) ** 2 - s for a, m, s in zip(share, mean, spread, strict=True)])
            for _, y in data(count)
        )
    )


def powers_and_quotients(count: int) -> Loss:
    w, v = Value(0.7), Value(1.3)
    return lambda: sum(exp(w) ** y + y / (v * v + y * y * exp(w)) for _, y in data(count))


def volatility(count: int) -> Loss:
    """GARCH(1, 1) (Bollerslev, 1986): the variance of each day follows from the day before."""
    a, b, c = Value(-1.0), Value(-2.0), Value(0.5)

    def loss() -> Any:
        variance, total = Value(1.0), Value(0.0)
        for _, y in data(count):
            total = total + log(variance) + y * y / variance
            variance = exp(a) + exp(b) * y * y + c * variance
        return total

    return loss


def recurrent(count: int) -> Loss:
    inputs, back = weights(4, 3), weights(4, 4, seed=1)

    def loss() -> Any:
        h: list[Any] = [0.0] * 4
        for x, _ in data(count):
            h = [(dot(a, x) + dot(b, h)).tanh() for a, b in zip(inputs, back, strict=True)]
        return sum(v * v for v in h)

    return loss


def bits(count: int) -> Loss:
    hidden, last = weights(4, 2), weights(4, seed=1)
    rows = [([float(k & 1), float(k // 2 & 1)], float(k % 3 == 0)) for k in range(count)]
    return lambda: sum((network(x, hidden, last) - y) ** 2 for x, y in rows)


LOSSES = [
    regression, multilayer, hinge, weighed_margins, classes, mixture, powers_and_quotients, volatility, recurrent, bits,
]  # fmt: skip


SERIES = [y for _, y in data(400)]


def variance(count: int) -> Callable[[Any], Any]:
    """`volatility` from a first variance that is an argument."""
    a, b, c = Value(-1.0), Value(-2.0), Value(0.5)

    def loss(v: Any) -> Any:
        total = 0.0
        for y in SERIES[:count]:
            total = total + log(v) + y * y / v
            v = exp(a) + exp(b) * y * y + c * v
        return total

    return loss


def driven(count: int) -> Callable[[Any], Any]:
    """A state that is multiplied by a number of each step, and pushed by it."""
    a, b, c = weights(3)

    def loss(x: Any) -> Any:
        for y in SERIES[:count]:
            x = (a * x * y + b * y + c).tanh()
        return x * x

    return loss


def discounted(count: int) -> Callable[[Any], Any]:
    a, b = weights(2)

    def loss(x: Any) -> Any:
        total, state = 0.0, x
        for k in range(count):
            state = (a * state + b).tanh()
            total = total + 0.99**k * state / (1.0 + k)
        return total

    return loss


STEPS: dict[str, Callable[[Any, float, Any], Any]] = {
    "a numerator": lambda w, a, s: (w * s + a / s).tanh(),
    "a maximum, and a numerator": lambda w, a, s: (maximum(w, a) + a / s).tanh(),
    "a quotient of both": lambda w, a, s: (a * w / (a / s)).tanh(),
    "powers": lambda w, a, s: (w**a * s**a).tanh(),
    "an exponent": lambda w, a, s: (a * w + s**a).tanh(),
    "a base": lambda w, a, s: (a**w / (a / s)).tanh(),
}


def body(step: Any) -> str:
    text: str = step.source
    return text[text.index("def program") :]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("made", LOSSES, ids=lambda f: f.__name__)
def test_it_gives_what_the_scalar_code_gives(made: Callable[[int], Loss], backend: str) -> None:
    loss = made(30)
    step = autograd.compile(loss, backend=backend)
    for _ in range(2):
        found = step()
    y = loss()
    y.backward()
    assert found == pytest.approx(y.data, rel=1e-12)
    assert step.gradient == pytest.approx([p.grad for p in step.parameters], rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("made", LOSSES[:-1], ids=lambda f: f.__name__)
def test_its_program_is_as_long_for_a_few_samples_as_for_many(made: Callable[[int], Loss]) -> None:
    few, many = (body(autograd.compile(made(n), backend="numpy", check=False)).count("\n") for n in (90, 180))
    assert few == many <= 60


def test_a_loss_over_rows_reads_as_a_product_with_the_matrix_of_data() -> None:
    step = autograd.compile(multilayer(12), backend="numpy")
    assert "(w1 @ c1[0:36].reshape(12, 3).T)" in body(step)
    assert "dw1 = t1 @ c1[0:36].reshape(12, 3)" in body(step)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("made", [variance, driven, discounted], ids=lambda f: f.__name__)
def test_a_series_beside_an_argument_is_read_by_the_turns_of_a_loop(
    made: Callable[[int], Callable[[Any], Any]], backend: str
) -> None:
    loss, X = made(40), np.array([0.5, 1.5, 0.7])
    step = autograd.compile(loss, 1.0, backend=backend)
    y = sum(loss(Value(x)) for x in X.tolist()) / len(X)
    y.backward()
    assert step(X) == pytest.approx(y.data, rel=1e-12)
    assert step.gradient == pytest.approx([p.grad for p in step.parameters], rel=1e-10, abs=1e-12)
    few, many = (body(autograd.compile(made(n), 1.0, backend="numpy", check=False)) for n in (100, 300))
    assert "for turn in" in few and few.count("\n") == many.count("\n") < 40


@pytest.mark.parametrize("given", [False, True], ids=["no argument", "an argument"])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", STEPS)
def test_each_turn_of_a_loop_reads_its_own_number(name: str, backend: str, given: bool) -> None:
    w = Value(0.7)

    def loss(*x: Any) -> Any:
        state, total = x[0] if x else Value(0.5), Value(0.0)
        for k in range(12):
            state = STEPS[name](w, 0.75 + 0.1 * k, state)
            total = total + state
        return total

    step = autograd.compile(loss, *([0.6] if given else []), backend=backend)
    X = [0.4, 0.9, 0.6]
    y = sum(loss(Value(x)) for x in X) / 3 if given else loss()
    y.backward()
    assert (step(X) if given else step()) == pytest.approx(y.data, rel=1e-12)
    assert step.gradient == pytest.approx([w.grad], rel=1e-9)


def test_the_check_runs_what_large_batches_are_run_by(monkeypatch: pytest.MonkeyPatch) -> None:
    from autograd.compiler.backends.numpy import InPlace

    outputs = InPlace.outputs
    monkeypatch.setattr(InPlace, "outputs", lambda self, columns, n: outputs(self, columns, n) * 1.01)
    w = Value(0.7)
    assert autograd.compile(lambda x: (w * x).tanh() + x, 0.5, check=False).backend == "python"
    with pytest.raises(autograd.TracingError, match="gives"):
        autograd.compile(lambda x: (w * x).tanh() + x, 0.5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_zero_keeps_its_sign(backend: str) -> None:
    w, u = Value(0.7), Value(1.3)
    losses: list[Loss] = [
        lambda: sum(u / (k * w) for k in [-0.0, -0.0]),
        lambda: sum(u / (k * w) for k in [-0.0] * 4 + [0.3] * 5),
        lambda: sum((w / where(k > -u, k, u)).tanh() for k in [0.0, -0.0, -0.0] * 3),
    ]
    for loss in losses:
        step = autograd.compile(loss, params=[w, u], backend=backend, check=False)
        with np.errstate(all="ignore"):
            assert step() == loss().data


def test_it_trains_as_the_scalar_code_does() -> None:
    loss, again = multilayer(20), multilayer(20)
    step, other = autograd.compile(loss), again()
    for _ in range(5):
        step()
        step.theta = step.theta - 0.1 * step.gradient
        other = again()
        other.backward()
        leaves = [v for v in autograd.topological_order(other) if v.op == "" and v.grad is not None]
        for p in leaves:
            p.data, p.grad = p.data - 0.1 * (p.grad or 0.0), None
    assert step() == pytest.approx(again().data, rel=1e-9)


@pytest.mark.parametrize("number", [0.0, -0.0, 1e-300, -1.5, 2.0, math.inf, math.nan])
@pytest.mark.parametrize("backend", BACKENDS)
def test_singular_points_are_those_of_the_scalar_code(number: float, backend: str) -> None:
    w, u = Value(number), Value(0.5)
    ks = [0.0, 1.0, -1.0, 2.0, 2.5, 3.0, -2.0, 0.5, 4.0, -0.0]
    losses: list[Loss] = [
        lambda: sum(w**k for k in ks),
        lambda: sum((w * d + u) ** k for d, k in enumerate(ks)),
        lambda: sum(k / w for k in ks),
        lambda: sum((w * k) / (k + 0.25) for k in ks),
        lambda: sum(maximum(w * k, k) for k in ks),
        lambda: sum(where(w * k > u * k * k, w * k, u + k) for k in ks),
        lambda: sum((w * k + u).tanh() for k in [*ks, math.inf, math.nan]),
        lambda: sum(w * k + u * k for k in [*ks, math.inf]),
    ]
    for loss in losses:
        w.grad = u.grad = None
        y = loss()
        y.backward()
        step = autograd.compile(loss, params=[w, u], backend=backend, check=False)
        with np.errstate(all="ignore"):
            found = step()
        assert found == pytest.approx(y.data, rel=1e-12, nan_ok=True)
        grads = [{w: w.grad, u: u.grad}[p] or 0.0 for p in step.parameters]
        assert step.gradient == pytest.approx(grads, rel=1e-10, nan_ok=True)


def test_numbers_of_the_formula_stay_numbers_where_there_is_no_data() -> None:
    w = weights(3)
    step = autograd.compile(lambda: 0.5 * w[0] + 2.0 * w[1] ** 2 + 0.25 * w[2] ** 3, backend="numpy")
    assert "c1" not in body(step)
