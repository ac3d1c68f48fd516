"""`fit` with weights: a batch's loss is Σ wᵢ·lossᵢ / Σ wᵢ, on graphs and on the compiled program alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value
from nn import MLP, Module, fit
from nn.training.examples import as_rows

X = [[0.5, -1.0], [2.0, 0.25], [-0.5, 1.5], [1.0, 1.0], [-1.0, -0.5]]
Y = [1, 0, 1, 1, 0]
W = [2.0, 0.0, 1.0, 3.0, 0.5]


class Line(Module):
    def __init__(self) -> None:
        self.w, self.b = Value(0.3), Value(-0.2)

    def forward(self, x: Any) -> Value:
        return self.w * x[0] + self.b


@pytest.mark.parametrize("compiled", [False, True])
def test_one_step_follows_the_weighted_mean(compiled: bool) -> None:
    x, t, w = np.array([0.5, 2.0, -1.0]), np.array([1.0, 0.0, 0.5]), np.array([2.0, 0.5, 3.0])
    model = Line()
    options: Any = {"optimizer": "sgd", "lr": 0.1, "epochs": 1, "progress": False, "compiled": compiled}
    history = fit(model, x, t, sample_weight=w, **options)  # the loss is (output - target)²/2
    r = 0.3 * x - 0.2 - t
    assert history["loss"] == [pytest.approx((w * r * r / 2).sum() / w.sum())]
    assert type(history["loss"][0]) is float
    assert model.w.data == pytest.approx(0.3 - 0.1 * (w * r * x).sum() / w.sum())
    assert model.b.data == pytest.approx(-0.2 - 0.1 * (w * r).sum() / w.sum())


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "hinge", "squared_error"])
@pytest.mark.parametrize("batch_size", [None, 2, 1])
def test_eager_and_compiled_training_agree(loss: str, batch_size: int | None) -> None:
    targets = [2 * t - 1 for t in Y] if loss == "hinge" else Y
    found = []
    for compiled in (False, True):
        model = MLP(2, [3, 1], seed=0)
        history = fit(
            model, X, targets, loss=loss, sample_weight=W, batch_size=batch_size, epochs=5, l2=0.01, metric="accuracy",
            validation=0.2, lr=0.05, callbacks=lambda event: None, progress=False, compiled=compiled,
        )  # fmt: skip
        found.append((history["loss"], history["val_loss"], history["accuracy"], list(model.state_dict().values())))
        assert bool(history.compiled) is compiled
    for eager, fast in zip(*found, strict=True):
        assert eager == pytest.approx(fast, rel=1e-9)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_integer_weights_are_repeated_examples(loss: str, compiled: bool) -> None:
    weights, losses = [2, 0, 1, 3, 1], []
    targets: list[Any] = [0, 1, 2, 1, 0] if loss == "cross_entropy" else [[0.1, t, -t] for t in Y]
    options: dict[str, Any] = {"loss": loss, "epochs": 8, "lr": 0.05, "progress": False, "compiled": compiled}
    for repeat in (False, True):
        model = MLP(2, [3, 3], seed=0)
        if repeat:
            chosen = [i for i, w in enumerate(weights) for _ in range(w)]
            history = fit(model, [X[i] for i in chosen], [targets[i] for i in chosen], **options)
        else:
            history = fit(model, X, targets, sample_weight=weights, **options)
        losses.append((history["loss"], list(model.state_dict().values())))
    for weighted, repeated in zip(*losses, strict=True):
        assert weighted == pytest.approx(repeated, rel=1e-9)


def test_newtons_method_minimises_the_weighted_mean() -> None:
    x, t, w = np.array([0.5, 2.0, -1.0]), np.array([1.0, 0.0, 0.5]), np.array([2.0, 0.5, 3.0])
    model = Line()
    fit(model, x, t, sample_weight=w, optimizer=nn.optim.Newton(lr=1.0), epochs=1, progress=False)
    A = np.stack([x, np.ones(3)], axis=1)
    assert [model.w.data, model.b.data] == pytest.approx(np.linalg.solve(A.T @ (w[:, None] * A), A.T @ (w * t)))


@pytest.mark.parametrize("compiled", [False, True])
def test_a_batch_in_which_nothing_counts_takes_no_step(compiled: bool) -> None:
    weights = [0.0, 0.0, 1.0, 1.0, 1.0]
    model, taken = MLP(2, [1], seed=0), nn.Adam(lr=0.1)
    history = fit(
        model, X, Y, loss="binary_cross_entropy", sample_weight=weights, optimizer=taken, batch_size=2, epochs=3,
        shuffle=False, metric="accuracy", progress=False, compiled=compiled,
    )  # fmt: skip
    assert taken.t == 6  # two of the three batches, three times
    assert all(map(math.isfinite, history["loss"] + history["accuracy"]))


@pytest.mark.parametrize(
    ("weights", "kind", "message"),
    [
        ([1.0, 1.0], ValueError, "5 examples need 5 targets, but sample_weight has 2"),
        ([1.0, -1.0, 1.0, 1.0, 1.0], ValueError, r"0 or more for each example, but has -1.0 for X\[1\]"),
        ([0.0] * 5, ValueError, "0 for every example"),
        ([1.0, math.nan, 1.0, 1.0, 1.0], ValueError, r"sample_weight\[1\] is nan"),
        ([[1.0]] * 5, ValueError, "one number"),
        (["1"] * 5, TypeError, r"sample_weight\[0\] must be a number, but is str"),
        ([1j] * 5, TypeError, "complex"),
        (2.0, TypeError, "sample_weight must be a list"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights: Any, kind: type[Exception], message: str) -> None:
    model = MLP(2, [1], seed=0)
    before = model.state_dict()
    with pytest.raises(kind, match=message):
        fit(model, X, Y, sample_weight=weights, epochs=1, progress=False)
    assert model.state_dict() == before


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        ([[1j, 1.0]], TypeError), ([["1", "2"]], TypeError), (np.array([["1", "2"]]), TypeError),
        (np.ones((1, 2)) * 1j, TypeError), ([[None, 1.0]], TypeError), ([[Value(1.0), 1.0]], TypeError),
        ([[1.0, 2.0], [1.0]], ValueError), (np.array([["2020-01-01", "2020-01-02"]], dtype="M8[D]"), TypeError),
    ],
)  # fmt: skip
def test_examples_and_targets_that_are_no_real_numbers_are_refused(bad: Any, kind: type[Exception]) -> None:
    model = MLP(2, [2], seed=0)
    with pytest.raises(kind, match=r"X\[\d\]"):
        fit(model, bad, [[0.0, 1.0]] * len(bad), epochs=1, progress=False)
    with pytest.raises(kind, match=r"X\[\d\]"):
        nn.predict(model, bad)
    with pytest.raises(kind, match=r"y\[\d\]"):
        fit(model, [[0.0, 1.0]] * len(bad), bad, epochs=1, progress=False)


def test_bools_of_numpy_are_numbers() -> None:
    assert as_rows([[np.True_, 2], [np.False_, 3]]) == [[1.0, 2.0], [0.0, 3.0]]
    model = MLP(2, [1], seed=0)
    assert model([np.True_, 0.5]).data == model([1.0, 0.5]).data
    for loss in (nn.binary_cross_entropy, nn.squared_error):
        assert loss(Value(0.5), np.True_).data == loss(Value(0.5), 1.0).data
