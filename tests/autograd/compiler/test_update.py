"""`step.update(optimizer, ...)`: gradient and optimiser on flat arrays, as `optimizer.step()` does on Values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import NonFiniteError, Value
from nn import MLP, SGD, Adagrad, Adam, AdamW, NAdam, RMSprop

X = np.random.default_rng(0).normal(size=(20, 3))
Y = X[:, 0] * X[:, 1]


def model_and_loss(seed: int = 0) -> tuple[MLP, Callable[..., Any]]:
    model = MLP(3, [5, 1], seed=seed)
    return model, lambda x, t: (model(x) - t) ** 2


def eager(optimizer: Any, model: MLP, loss: Callable[..., Any], steps: int) -> list[float]:
    """The same training, node by node."""
    means = []
    for _ in range(steps):
        model.zero_grad()
        mean = sum((loss(x, t) for x, t in zip(X.tolist(), Y.tolist(), strict=True)), Value(0.0)) / len(X)
        mean.backward()
        optimizer.step()
        means.append(mean.data)
    return means


@pytest.mark.parametrize(
    "make",
    [
        lambda p: SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        Adam,
        lambda p: AdamW(p, weight_decay=0.1),
        NAdam,
        RMSprop,
        Adagrad,
        lambda p: Adam(p, clip_norm=0.5),
    ],
)
def test_losses_and_parameters_are_those_of_training_node_by_node(make: Any) -> None:
    model, loss = model_and_loss()
    expected = eager(make(model), model, loss, 6)
    other, its_loss = model_and_loss()
    step = autograd.compile(its_loss, X[0], Y[0])
    optimizer = make(other)  # its parameters stand in another order than the program's
    assert optimizer.parameters != step.parameters
    assert [step.update(optimizer, X, Y) for _ in range(6)] == pytest.approx(expected, rel=1e-10)
    step.push()
    assert [p.data for p in other.parameters()] == pytest.approx([p.data for p in model.parameters()], rel=1e-9)


def test_an_optimiser_without_parameters_takes_the_programs() -> None:
    _, loss = model_and_loss()
    step = autograd.compile(loss, X[0], Y[0])
    optimizer = Adam(lr=0.01)
    losses = [step.update(optimizer, X, Y) for _ in range(50)]
    assert optimizer.parameters == step.parameters and optimizer.t == 50 and losses[-1] < losses[0]


def test_steps_on_arrays_and_on_values_may_take_turns() -> None:
    model, loss = model_and_loss()
    step, optimizer = autograd.compile(loss, X[0], Y[0]), Adam(model)
    found = []
    for _ in range(3):
        found.append(step.update(optimizer, X, Y))
        found.append(step(X, Y))
        step.push(gradient=True)
        optimizer.step()
        step.pull()
    again, its_loss = model_and_loss()
    assert found == pytest.approx(eager(Adam(again), again, its_loss, 6), rel=1e-10)


def test_parameters_that_the_optimiser_has_not_stay_and_those_the_program_reads_not_get_a_gradient_of_0() -> None:
    w, b, stranger = Value(1.0), Value(2.0), Value(10.0)
    step = autograd.compile(lambda x: (w * x + b) ** 2, 1.0)
    optimizer = AdamW([stranger, w], lr=0.1, weight_decay=0.5)
    step.update(optimizer, [1.0, 2.0])
    step.push()
    assert b.data == 2.0 and w.data != 1.0
    assert stranger.data == pytest.approx(10.0 * (1.0 - 0.1 * 0.5))


def test_nothing_is_moved_when_a_parameter_would_become_infinite() -> None:
    w, other = Value(1e200), Value(3.0)
    step = autograd.compile(lambda x: w * w * x + other, 1.0)
    for optimizer in (SGD([other, w], lr=1e200), SGD(lr=1e200)):
        before = step.theta.copy()
        with pytest.raises(NonFiniteError):
            step.update(optimizer, [1.0])
        assert step.theta.tolist() == before.tolist() and (w.data, other.data) == (1e200, 3.0)


def test_a_program_of_outputs_has_nothing_to_step_by() -> None:
    w = Value(1.0)
    step = autograd.compile(lambda x: [w * x], 1.0)
    with pytest.raises(TypeError, match="needs a gradient"):
        step.update(Adam([w]), [1.0])


def test_numbers_that_float32_cannot_hold_move_nothing() -> None:
    for bound in (True, False):
        w, other = Value(1.0), Value(3.0)
        step = autograd.compile(lambda x, w=w, other=other: w * w * x + other, 1.0, dtype="float32")
        before = step.theta.copy()
        with pytest.raises(NonFiniteError, match="parameter"):
            step.update(SGD([other, w] if bound else None, lr=1e39), [1.0])
        assert step.theta.tolist() == before.tolist()


def test_what_is_no_optimiser_or_has_other_parameters_is_said() -> None:
    w = Value(1.0)
    step = autograd.compile(lambda x: w * x, 1.0)
    for wrong in ([1.0], "adam", Adam, None):
        with pytest.raises(TypeError, match="takes an optimiser first"):
            step.update(wrong, [1.0])
    with pytest.raises(ValueError, match="none of the optimiser's parameters"):
        step.update(Adam([Value(2.0)]), [1.0])
