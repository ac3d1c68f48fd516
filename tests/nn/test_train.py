"""The training loop (B10, B18): what it does, what it remembers, how it stops, and what it refuses."""

from __future__ import annotations

import math
import re
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import GradientError, NonFiniteError, Value, register
from nn import (
    MLP,
    SGD,
    Adam,
    AdamW,
    Flatten,
    Layer,
    Module,
    Neuron,
    accuracy,
    confusion_matrix,
    data,
    fit,
    mean_loss,
    predict,
    schedules,
)
from nn.lessons import LogisticRegression, Perceptron, checklist
from nn.optim import Newton
from nn.training import EpochEnd, History, NonFiniteLossError, total_loss
from nn.training.examples import as_examples, as_rows, as_targets, shape_of

X4, Y4 = [[0.2, 0.9], [0.8, -0.4], [-0.5, 0.3], [0.1, 0.1]], [0.3, -0.6, 0.9, 0.0]


def line(w: float = 0.0, b: float = 0.0) -> Neuron:
    """A linear neuron with one input: what it does can be worked out by hand."""
    model = Neuron(1, "linear", "zeros")
    model.w[0].data, model.b.data = w, b
    return model


def quiet(model: Module, X: Any, y: Any, **options: Any) -> History:
    return fit(model, X, y, progress=False, **options)


# --- the loop itself


@pytest.mark.parametrize("batch_size", [None, 1, 2, 3])
def test_fit_equals_a_loop_in_numpy_for_batch_stochastic_and_mini_batch(batch_size: int | None) -> None:
    xs, ts = [0.5, -1.0, 2.0, 0.25], [1.0, 0.0, 3.0, -1.0]
    model = line(0.3, -0.2)
    history = quiet(model, xs, ts, optimizer=SGD(lr=0.1), epochs=3, batch_size=batch_size, shuffle=False, l2=0.05)
    theta = np.array([0.3, -0.2])
    size = batch_size or 4
    for epoch in range(3):
        epoch_loss = 0.0
        for start in range(0, 4, size):
            x, t = np.array(xs[start : start + size]), np.array(ts[start : start + size])
            r = theta[0] * x + theta[1] - t
            epoch_loss += len(x) * (0.5 * np.mean(r * r) + 0.025 * theta[0] ** 2)
            theta = theta - 0.1 * np.array([np.mean(r * x) + 0.05 * theta[0], np.mean(r)])
        assert history["loss"][epoch] == pytest.approx(epoch_loss / 4, rel=1e-13)
    assert [p.data for p in model.parameters()] == pytest.approx(theta.tolist(), rel=1e-13)


def test_training_a_small_mlp_with_adamw_gives_pytorchs_losses() -> None:
    """100 full-batch steps, every loss to 1e-9: the check that EurekaLabs' micrograd lesson makes."""
    torch = pytest.importorskip("torch")
    X, y = data.spirals(45, classes=3, seed=2)
    model = MLP(2, [8, 3], activation="tanh", seed=4)
    net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)).double()
    with torch.no_grad():
        for linear, layer in zip((net[0], net[2]), model.layers, strict=True):
            linear.weight.copy_(torch.tensor([[w.data for w in n.w] for n in layer.neurons], dtype=torch.float64))
            linear.bias.copy_(torch.tensor([n.b.data for n in layer.neurons]))
    theirs = torch.optim.AdamW(net.parameters(), lr=0.05, weight_decay=0.02)
    tx, ty, losses = torch.tensor(X, dtype=torch.float64), torch.tensor(y), []
    for _ in range(100):
        theirs.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(tx), ty)
        loss.backward()
        theirs.step()
        losses.append(loss.item())
    history = quiet(model, X, y, loss="cross_entropy", optimizer=AdamW(lr=0.05, weight_decay=0.02), epochs=100)
    assert losses[-1] < 0.5 * losses[0]
    assert np.abs(np.subtract(history["loss"], losses)).max() < 1e-9


def test_the_first_loss_of_a_batch_run_is_the_mean_loss_before_training() -> None:
    model = MLP(2, [3, 1], seed=0)
    before = mean_loss(model, X4, Y4, l2=0.1)
    assert quiet(model, X4, Y4, epochs=1, l2=0.1)["loss"] == [pytest.approx(before.data, rel=1e-14)]


def test_newtons_method_trains_a_linear_model_in_one_step() -> None:
    xs, ts = [0.0, 1.0, 2.0, 3.0], [1.1, 2.9, 5.2, 6.8]
    model = line()
    quiet(model, xs, ts, optimizer=Newton(), epochs=1)
    slope, intercept = np.polyfit(xs, ts, 1)
    assert (model.w[0].data, model.b.data) == pytest.approx((slope, intercept), abs=1e-12)


def seen_orders(**options: Any) -> list[list[float]]:
    """The order in which fit goes through the examples 0…5, epoch by epoch."""
    orders: list[list[float]] = []
    current: list[float] = []

    def spy(output: Any, target: Any) -> Any:
        current.append(target)
        return 0.0 * output

    def close(event: EpochEnd) -> None:
        orders.append(current[-6:])  # before the first epoch, fit tries the loss on one example
        current.clear()

    quiet(
        line(),
        [[float(i)] for i in range(6)],
        list(range(6)),
        loss=spy,
        epochs=4,
        batch_size=2,
        callbacks=close,
        compiled=False,  # the spy wants to see every example
        **options,
    )
    return orders


def test_every_epoch_is_shuffled_anew_and_the_seed_decides() -> None:
    orders = seen_orders(seed=1)
    assert all(sorted(order) == list(range(6)) for order in orders)
    assert len({tuple(order) for order in orders}) > 1
    assert orders == seen_orders(seed=1) != seen_orders(seed=2)
    assert seen_orders(shuffle=False) == [list(range(6))] * 4


def test_a_curriculum_goes_from_easy_to_hard() -> None:
    assert seen_orders(order=lambda x, t: abs(t - 3)) == [[3, 2, 4, 1, 5, 0]] * 4
    assert seen_orders(order=[5, 4, 3, 2, 1, 0]) == [[5, 4, 3, 2, 1, 0]] * 4
    with pytest.raises(ValueError, match=r"each of the 6 examples, 0…5, once, but got 5 entries"):
        seen_orders(order=[0, 1, 2, 3, 4])


def test_the_learning_rate_follows_its_schedule_by_epoch_and_is_recorded() -> None:
    history = quiet(line(), [1.0, 2.0], [1.0, 2.0], optimizer="sgd", schedule=schedules.inverse_sqrt(0.1), epochs=4)
    assert history["lr"] == pytest.approx([0.1 / math.sqrt(t + 1) for t in range(4)])


def test_a_learning_rate_may_be_given_beside_a_name() -> None:
    assert quiet(line(), [1.0], [1.0], optimizer="sgd", lr=0.25, epochs=1)["lr"] == [0.25]


def test_training_twice_with_one_seed_gives_the_same_history_to_the_last_bit() -> None:
    def once() -> History:
        X, y = data.moons(30, seed=3)
        model = MLP(2, [4, 1], seed=1)
        return quiet(
            model, X, y, loss="binary_cross_entropy", metric="accuracy", batch_size=8, epochs=5, validation=0.3
        )

    assert once() == once()


# --- stopping


def test_training_stops_when_the_loss_changes_by_less_than_the_tolerance() -> None:
    history = quiet(line(), [1.0, 2.0], [1.0, 2.0], optimizer=SGD(lr=0.1), epochs=1000, tolerance=1e-3)
    changes = np.abs(np.diff(history["loss"]))
    assert history.stopped == "tolerance"
    assert changes[-1] < 1e-3 <= changes[:-1].min()


def test_early_stopping_waits_for_its_patience_and_restores_the_best_weights() -> None:
    # The validation set pulls towards w = 1 and the training set towards w = 3: the validation loss falls, then rises.
    model = line()
    history = quiet(
        model, [1.0, 2.0], [3.0, 6.0], optimizer=SGD(lr=0.02), epochs=500, validation=([1.0], [1.0]), patience=5
    )
    best = int(np.argmin(history["val_loss"]))
    assert history.stopped == "patience"
    assert history.best_epoch == best + 1
    assert len(history["loss"]) == best + 1 + 5
    assert mean_loss(model, [1.0], [1.0]).data == history["val_loss"][best]


def test_a_callback_sees_every_epoch_and_may_stop() -> None:
    epochs: list[int] = []

    def watch(event: EpochEnd) -> bool:
        epochs.append(event.epoch)
        assert len(event.history["loss"]) == event.epoch
        return event.epoch == 3

    other: list[int] = []
    history = quiet(line(), [1.0], [1.0], epochs=10, callbacks=[watch, lambda e: other.append(e.epoch)])
    assert epochs == other == [1, 2, 3]
    assert history.stopped == "callback"
    assert quiet(line(), [1.0], [1.0], epochs=10, callbacks=lambda e: e.stop())["epoch"] == [1]


def test_ctrl_c_leaves_the_model_as_of_the_last_full_step(capsys: pytest.CaptureFixture[str]) -> None:
    xs, ts = [0.5, -1.0, 2.0], [1.0, 0.0, 3.0]
    calls = 0

    def interrupted(output: Any, target: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 8:  # the second example of the third epoch
            raise KeyboardInterrupt
        return 0.5 * (output - target) ** 2

    model, twin = line(0.3, -0.2), line(0.3, -0.2)
    history = quiet(model, xs, ts, loss=interrupted, optimizer=SGD(lr=0.1), shuffle=False, compiled=False)
    quiet(twin, xs, ts, optimizer=SGD(lr=0.1), epochs=2, shuffle=False, compiled=False)
    assert model.state_dict() == twin.state_dict()
    assert history.stopped == "interrupted"
    assert len(history["loss"]) == 2
    assert "after 2 steps" in capsys.readouterr().out
    quiet(model, xs, ts, epochs=1)  # and it can go on


# --- validation, metrics, history


def test_validation_as_a_fraction_sets_examples_aside() -> None:
    seen: list[float] = []

    def spy(output: Any, target: Any) -> Any:
        if target not in seen:
            seen.append(target)
        return 0.0 * output

    X, y = [[float(i)] for i in range(10)], list(range(10))
    history = quiet(line(), X, y, loss=spy, epochs=1, validation=0.3, compiled=False)
    assert sorted(seen) == list(range(10))
    assert set(history) == {"epoch", "loss", "lr", "val_loss"}


def test_metrics_are_averaged_over_examples() -> None:
    def off(output: Any, target: Any) -> float:
        return abs(float(output.data) - target)

    history = quiet(line(), [1.0, 2.0], [1.0, 3.0], metric=off, epochs=1, validation=([1.0], [5.0]))
    assert history["off"] == [2.0]
    assert set(history) == {"epoch", "loss", "off", "lr", "val_loss", "val_off"}


def test_a_bar_shows_loss_and_metric(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    X, y = data.xor()
    fit(MLP(2, [2, 1], seed=0), X, y, loss="binary_cross_entropy", metric="accuracy", epochs=2)
    shown = capsys.readouterr().err
    assert "2/2" in shown
    assert "loss=" in shown
    assert "accuracy=" in shown


def test_nothing_is_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    fit(line(), [1.0], [1.0], epochs=2)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


# --- gradient check


def test_the_gradient_check_before_training_catches_a_wrong_rule() -> None:
    wrong = register("wrong_square", lambda x: x * x, lambda y, x: (3.0 * x,))
    model = Neuron(1, wrong, seed=0)
    before = model.state_dict()
    with pytest.raises(GradientError, match="disagree"):
        quiet(model, [1.0], [1.0], check_gradients=True)
    assert model.state_dict() == before
    quiet(MLP(2, [3, 1], seed=0), X4, Y4, check_gradients=True, epochs=1)


# --- numbers that run away


def test_a_loss_that_is_not_finite_names_epoch_batch_and_node() -> None:
    model = MLP(1, [2, 1], activation=lambda z: z.exp(), init="uniform", seed=0)
    model.layers[0].neurons[1].b.data = 1000.0
    with pytest.raises(NonFiniteLossError) as caught:
        quiet(model, [0.5, 0.25], [1.0, 2.0], batch_size=1, shuffle=False)
    error = caught.value
    assert (error.epoch, error.batch) == (1, 1)
    assert error.node is not None
    assert error.node.op == "exp"
    assert "example 0 is inf in epoch 1, batch 1" in str(error)
    assert "first node that is not finite is exp(" in str(error)
    assert "in layers.0.neurons.1" in str(error)
    assert isinstance(error, NonFiniteError)


def test_divergence_names_the_epoch_it_happened_in_and_keeps_the_history() -> None:
    model = line(1.0)
    with pytest.raises(NonFiniteLossError, match=r"is inf in epoch \d+, batch 1.*smaller learning rate") as caught:
        quiet(model, [100.0], [1.0], optimizer=SGD(lr=1.0), epochs=100)
    assert len(caught.value.history["loss"]) == caught.value.epoch - 1 > 5
    assert all(math.isfinite(p.data) for p in model.parameters())


def test_a_parameter_that_is_not_finite_is_named() -> None:
    model = MLP(1, [1], seed=0)
    model.layers[0].neurons[0].b.data = math.nan
    with pytest.raises(NonFiniteLossError, match=r"the parameter layers\.0\.neurons\.0\.b = nan"):
        quiet(model, [1.0], [1.0])


def test_a_gradient_that_is_not_finite_stops_before_the_step() -> None:
    class Root(Module):
        def __init__(self) -> None:
            self.w = Value(0.0, "w")

        def forward(self, x: Any) -> Any:
            return self.w.sqrt()  # value 0, derivative inf

    model = Root()
    with pytest.raises(NonFiniteLossError, match=r"the gradient of the parameter w = 0 is -?inf in epoch 1, batch 1"):
        quiet(model, [1.0], [1.0])
    assert model.w.data == 0.0


# --- answers


def test_a_model_without_parameters_is_told_what_one_is() -> None:
    class Hidden(Module):
        def __init__(self) -> None:
            self._w = Value(0.5)

        def forward(self, x: Any) -> Any:
            return self._w * x[0]

    with pytest.raises(ValueError, match="has no parameters, so nothing could be learned; a parameter is a Value"):
        quiet(Hidden(), X4, Y4)


def test_a_fraction_for_validation_may_be_any_real_number() -> None:
    for half in (np.float32(0.5), Fraction(1, 2)):
        assert "val_loss" in quiet(MLP(2, [1], seed=0), X4, Y4, validation=half, epochs=1)


def test_predict_tells_a_flat_list_from_one_example() -> None:
    with pytest.raises(ValueError, match=r"2 inputs, but got 1; a flat list is taken as 2 examples of .* \[x\]\)"):
        predict(MLP(2, [1], seed=0), [0.5, 0.2])
    with pytest.raises(ValueError, match="takes 2 inputs, but got 3$"):
        predict(MLP(2, [1], seed=0), [[0.5, 0.2, 0.1]])


def test_predict_gives_plain_numbers() -> None:
    model = MLP(2, [3, 1], seed=0)
    assert predict(model, X4) == [model(x).data for x in X4]
    assert predict(MLP(2, [3, 2], seed=0), np.array(X4)) == [[y.data for y in MLP(2, [3, 2], seed=0)(x)] for x in X4]


@pytest.mark.parametrize("targets", [[1, 0, 0, 1], [1, -1, -1, 1], [1.0, 0.0, 0.0, 1.0], [True, False, False, True]])
def test_accuracy_of_one_output_knows_zeros_and_ones_and_signs(targets: list[Any]) -> None:
    model = line(1.0)
    assert accuracy(model, [3.0, -2.0, 1.0, 0.5], targets) == 0.75


def test_accuracy_of_a_probability_is_cut_at_one_half() -> None:
    model = MLP(1, [1], output="sigmoid", seed=0)
    model.layers[0].neurons[0].w[0].data = 1.0
    assert accuracy(model, [3.0, -2.0], [1, 0]) == 1.0
    assert accuracy(model, [3.0, -2.0], [1, 0], threshold=0.99) == 0.5


def test_accuracy_and_confusion_of_several_outputs() -> None:
    model = MLP.from_arrays([([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], [0.0, 0.0, 0.0])])
    X, y = [[2.0, 0.0], [0.0, 3.0], [-1.0, -1.0], [1.0, 2.0]], [0, 1, 2, 0]
    assert accuracy(model, X, y) == 0.75
    assert accuracy(model, X, data.one_hot(y)) == 0.75
    assert confusion_matrix(model, X, y) == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert confusion_matrix(line(1.0), [1.0, -1.0, 2.0], [1, 1, 0]) == [[0, 1], [1, 1]]
    with pytest.raises(ValueError, match=r"y\[0\] must be a class 0…2 for 3 outputs, but is 7"):
        confusion_matrix(model, X, [7, 1, 2, 0])


def test_confusion_matrix_agrees_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    X, y = data.blobs(60, 3, spread=1.5, seed=1)
    model = MLP(2, [4, 3], seed=1)
    guesses = [int(np.argmax(row)) for row in predict(model, X)]
    assert confusion_matrix(model, X, y) == metrics.confusion_matrix(y, guesses).tolist()
    assert accuracy(model, X, y) == pytest.approx(metrics.accuracy_score(y, guesses))


# --- what it refuses


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([], [], "X is empty; there is nothing to learn from"),
        ([[]], [1.0], "have no numbers in them"),
        (
            [[1.0, 2.0], [1.0]],
            [1.0, 2.0],
            r"X\[1\] should be a list of 2 numbers, as X\[0\] is, but is a list of 1 num",
        ),
        ([[1.0, math.nan]], [1.0], r"X\[0\]\[1\] is nan; every number must be finite"),
        ([[1.0, 2.0], [math.inf, 0.0]], [1.0, 2.0], r"X\[1\]\[0\] is inf"),
        ([[1.0, 2.0]], [1.0, 2.0], "1 examples need 1 targets, but y has 2"),
        ([[1.0, 2.0]], [math.nan], r"y\[0\] is nan"),
        ([[1.0, 2.0], [3.0, 4.0]], [[1.0], [1.0, 2.0]], r"y\[0\] is 1 numbers, but y\[1\] is 2 numbers"),
        ([[1.0, 2.0], [3.0, 4.0]], [[1.0], 2.0], r"y\[0\] is 1 numbers, but y\[1\] is a single one"),
        ([[1.0, 2.0], [3.0, 4.0]], [1.0, [2.0]], r"y\[0\] is a single number, but y\[1\] is 1 numbers"),
        ([[1.0, 2.0, 3.0]], [1.0], "this MLP takes 2 inputs, but got 3"),
        (
            np.zeros((1, 2, 2)),
            [1.0],
            r"this MLP takes a flat list of 2 numbers, but got a list of lists; .* with nn.Flatten\(\)",
        ),
        ([[10**400, 2.0]], [1.0], r"X\[0\]\[0\] is too large for a float"),
        ([[1.0, 2.0]], [10**400], r"y\[0\] is too large for a float"),
        ({1.0, 2.0}, [1.0, 2.0], "X must be a list of examples, each a list of numbers, but got set"),
        ([["a", 2.0]], [1.0], r"X\[0\]\[0\] must be a number, but is str: 'a'"),
        ([[Value(1.0), 2.0]], [1.0], r"X\[0\]\[0\] must be a number, but is a Value; use its \.data"),
        ("words", [1.0], "X must be a list of examples, each a list of numbers, but got str"),
        ([[1.0, 2.0]], None, "y must be a list with a target for each example, but got NoneType"),
        ([None], [1.0], r"X\[0\] must be a list of numbers, but is NoneType"),
        ([[1.0, 2.0], None], [1.0, 2.0], r"X\[1\] should be a list of 2 numbers, as X\[0\] is, but is NoneType: None"),
    ],
)
def test_bad_data_gets_one_clear_error_and_leaves_the_model_alone(X: Any, y: Any, message: str) -> None:
    model = MLP(2, [2, 1], seed=0)
    before = model.state_dict()
    with pytest.raises((ValueError, TypeError), match=message):
        quiet(model, X, y)
    assert model.state_dict() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, but got 0"),
        ({"epochs": 2.5}, "epochs must be a whole number, but got float: 2.5"),
        ({"batch_size": 0}, "batch_size must be at least 1, but got 0"),
        ({"loss": "mse"}, "a loss is one of"),
        ({"optimizer": "sdg"}, "an optimiser is one of"),
        ({"metric": "f1"}, 'a metric is "accuracy" or a function'),
        ({"patience": 3}, "give validation="),
        ({"patience": 0, "validation": 0.5}, "patience must be at least 1, but got 0"),
        ({"validation": 1.5}, "leave examples on both sides, but got 1.5 of 4"),
        ({"validation": 0.01}, "leave examples on both sides, but got 0.01 of 4"),
        ({"validation": "all"}, "a pair \\(X, y\\) or a fraction, but got str"),
        (
            {"validation": ([[1.0]], [1.0])},
            r"X\[0\] is a list of 2 numbers, but validation X\[0\] is a list of 1 number$",
        ),
        ({"validation": ([[1.0, 2.0]], [1.0, 2.0])}, "1 examples need 1 targets, but validation y has 2"),
        ({"tolerance": 0.0}, "tolerance must be above 0, but got 0.0"),
        ({"tolerance": "1e-3"}, "tolerance must be a number, but got str: '1e-3'; without the quotes: 0.001"),
        ({"l2": -1.0}, "l2 must not be negative, but got -1.0"),
        ({"l2": "0"}, "l2 must be a number, but got str: '0'"),
        ({"optimizer": Adam(), "lr": 0.1}, "give the learning rate to the optimiser itself"),
        (
            {"loss": lambda output, target: None},
            "one number for each example, but this one gave NoneType; did it forget",
        ),
        ({"loss": lambda output, target: [output]}, "one number for each example, but this one gave list; add them up"),
        ({"metric": accuracy}, 'as a metric write metric="accuracy"'),
        ({"callbacks": 3}, "callbacks are functions that are called after each epoch, but got 3"),
        ({"callbacks": [print, "stop"]}, "called after each epoch, but got 'stop'"),
        ({"loss": "hinge"}, r"y\[0\]: hinge needs a target of -1 or \+1, but got 0.3"),
    ],
)
def test_bad_settings_get_one_clear_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        quiet(MLP(2, [2, 1], seed=0), X4, Y4, **options)


def test_labels_out_of_range_are_named_before_training_starts() -> None:
    model = MLP(2, [2, 3], seed=0)
    before = model.state_dict()
    with pytest.raises(ValueError, match=r"y\[2\]: cross_entropy needs a class 0…2 for 3 outputs, but got 3"):
        quiet(model, X4, [0, 1, 3, 2], loss="cross_entropy", batch_size=1, shuffle=False)
    assert model.state_dict() == before


@pytest.mark.parametrize(
    ("output", "loss", "sizes"), [("softmax", "cross_entropy", [3]), ("sigmoid", "binary_cross_entropy", [1])]
)
def test_applying_softmax_or_sigmoid_twice_is_an_error(output: str, loss: str, sizes: list[int]) -> None:
    with pytest.raises(ValueError, match=f'{loss} takes logits and applies {output} itself.*output="linear"'):
        quiet(MLP(2, sizes, output=output), X4, [0, 1, 1, 0], loss=loss)


def test_only_modules_can_be_trained() -> None:
    with pytest.raises(TypeError, match="fit needs a Module, with parameters of its own, but got function"):
        quiet(lambda x: x, X4, Y4)  # type: ignore[arg-type]


# --- the checklist (B18)


@pytest.mark.parametrize("classes", [2, 4, 10])
def test_the_initial_loss_of_k_classes_is_about_ln_k_b18(classes: int) -> None:
    X, y = data.blobs(40, classes, seed=0)
    model = MLP(2, [8, classes], init="normal", seed=0)
    assert checklist.check_initial_loss(model, X, y) == pytest.approx(math.log(classes), abs=1e-2)
    assert checklist.check_initial_loss(MLP(2, [8, classes], init="zeros"), X, y) == pytest.approx(math.log(classes))


def test_weights_that_are_too_large_fail_the_initial_loss_check() -> None:
    X, y = data.blobs(40, 4, seed=0)
    model = MLP(2, [8, 4], seed=0)
    for p in model.weights():
        p.data *= 50
    with pytest.raises(AssertionError, match=r"should be about ln 4 = 1\.3863, but is"):
        checklist.check_initial_loss(model, X, y)


def test_a_handful_of_examples_can_be_learned_by_heart_b18() -> None:
    X, y = data.blobs(6, 3, spread=2.0, seed=0)
    model = MLP(2, [8, 3], seed=0)
    before = model.state_dict()
    assert checklist.check_overfit(model, X, y, "cross_entropy") < 0.01
    assert model.state_dict() == before
    with pytest.raises(AssertionError, match=r"on 6 examples should fall below 0\.01, but ended at"):
        checklist.check_overfit(MLP(2, [3], init="zeros"), X, y, "cross_entropy", epochs=2)


def test_the_gradient_check_counts_what_it_compared_b18() -> None:
    X, y = data.blobs(6, 3, seed=0)
    assert checklist.check_gradients(MLP(2, [4, 3], seed=0), X, y, "cross_entropy") == 27
    assert checklist.check_gradients(MLP(2, [40, 3], seed=0), X, y, "cross_entropy", parameters=10) == 10
    wrong = register("wrong_cube", lambda x: x * x * x, lambda y, x: (x * x,))
    with pytest.raises(GradientError):
        checklist.check_gradients(MLP(2, [4, 3], activation=wrong, seed=0), X, y, "cross_entropy")


def test_accuracy_of_a_logistic_regression_is_cut_at_one_half() -> None:
    from nn.lessons import LogisticRegression

    model = LogisticRegression(1)
    model.w[0].data = 1.0
    assert accuracy(model, [3.0, -2.0, 0.5], [1, 0, 1]) == 1.0


@pytest.mark.parametrize(
    ("outputs", "targets", "message"),
    [
        (1, [0, 2], r"y\[1\] must be 0 or 1 \(or -1 or \+1\) for a single output, but is 2"),
        (3, [0, 2.5], r"y\[1\] must be a class 0…2 for 3 outputs, but is 2\.5"),
        (3, [[1, 0], [0, 1]], r"y\[0\] must be 3 numbers for 3 outputs, but is 2"),
    ],
)
def test_accuracy_refuses_targets_that_are_no_class(outputs: int, targets: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        accuracy(MLP(1, [outputs], seed=0), [1.0, 2.0], targets)
    with pytest.raises(ValueError, match=message):
        quiet(MLP(1, [outputs], seed=0), [1.0, 2.0], targets, loss=lambda o, t: Value(0.0), metric="accuracy")


@pytest.mark.parametrize("compiled", [False, True])
def test_ctrl_c_at_any_moment_leaves_the_model_as_of_some_full_step(compiled: bool) -> None:
    import random
    import sys
    from types import FrameType

    from autograd.modes import current_scope

    X, y = data.moons(20, seed=0)
    options: dict[str, Any] = {"loss": "binary_cross_entropy", "batch_size": 5, "epochs": 6, "compiled": compiled}
    trail: list[list[float]] = []

    class Recording(Adam):
        def step(self, loss: Value | None = None) -> None:
            super().step(loss)
            trail.append([p.data for p in twin.parameters()])

        def step_arrays(self, w: Any, g: Any) -> Any:
            new = super().step_arrays(w, g)
            trail.append(new.tolist())
            return new

    twin = MLP(2, [4, 1], seed=0)
    trail.append([p.data for p in twin.parameters()])
    history = quiet(twin, X, y, optimizer=Recording(lr=0.01), **options)
    assert bool(history.compiled) == compiled

    lines = 0  # of nn's own code that have run

    def strike_at(moment: int) -> Any:
        """A tracer that presses Ctrl-C before a line of nn's own code: a moment that comes again in every run."""

        def tracer(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal lines
            if "nn" not in Path(frame.f_code.co_filename).parts[-2:-1]:
                return None
            if event == "line":
                lines += 1
                if lines == moment:
                    raise KeyboardInterrupt  # Python takes the tracer away when it raises
            return tracer

        return tracer

    def run(moment: int) -> str:
        nonlocal lines
        lines = 0
        model, optimizer = MLP(2, [4, 1], seed=0), Adam(lr=0.01)
        previous = sys.gettrace()
        sys.settrace(strike_at(moment))
        try:
            stopped = quiet(model, X, y, optimizer=optimizer, **options).stopped
        except KeyboardInterrupt:  # it came before the loop began, or after it ended
            stopped = "outside"
        finally:
            sys.settrace(previous)
        assert [p.data for p in model.parameters()] == trail[optimizer.t]
        assert current_scope() == ""
        return stopped

    run(0)  # never: counts the lines
    rng = random.Random(0)
    total = lines
    outcomes = [run(rng.randrange(1, total)) for _ in range(16)]
    assert "interrupted" in outcomes


def test_the_collector_is_as_it_was_after_training_and_after_an_error() -> None:
    import gc

    assert gc.isenabled()
    quiet(line(), [1.0], [1.0], epochs=2)
    assert gc.isenabled()
    with pytest.raises(NonFiniteLossError):
        quiet(line(math.inf), [1.0], [1.0])
    assert gc.isenabled()
    gc.disable()
    try:
        quiet(line(), [1.0], [1.0], epochs=2)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_tables_of_numpy_and_pandas_are_read_as_lists_are() -> None:
    assert as_rows(np.array([[1, 2], [3, 4]])) == as_rows([[1, 2], [3, 4]]) == [[1.0, 2.0], [3.0, 4.0]]
    assert as_rows(np.array([1.0, 2.0], dtype=np.float32)) == as_rows([1.0, 2.0]) == [[1.0], [2.0]]
    with pytest.raises(ValueError, match=r"X\[1\]\[0\] is nan"):
        as_rows(np.array([[1.0], [np.nan]]))

    class Table:
        """As much of a pandas DataFrame as matters."""

        def __init__(self, array: Any) -> None:
            self.array = np.array(array)

        def to_numpy(self) -> Any:
            return self.array

        def __iter__(self) -> Any:
            return iter(["name", "of", "column"])

    assert as_rows(Table([[1.0, 2.0]])) == [[1.0, 2.0]]
    assert as_targets(Table([1, 0]), 2) == [1, 0]


@given(st.lists(st.integers(1, 3), min_size=2, max_size=5), st.integers(0, 2**31))
def test_nested_examples_of_any_depth_are_read_the_same_from_arrays_and_lists(shape: list[int], seed: int) -> None:
    array = np.random.default_rng(seed).normal(size=shape)
    assert as_examples(array) == as_examples(array.tolist()) == as_examples(list(array)) == array.tolist()
    assert shape_of(as_examples(array)[0]) == tuple(shape[1:])
    whole = np.rint(array).astype(int)
    assert np.array(as_examples(whole.tolist())).dtype == float and as_examples(whole) == whole.tolist()
    array.flat[-1] = np.nan
    last = "".join(f"[{n - 1}]" for n in shape)
    for X in (array, array.tolist()):
        with pytest.raises(ValueError, match=re.escape(f"X{last} is nan; every number must be finite")):
            as_examples(X)


@pytest.mark.parametrize(
    ("place", "entry", "message"),
    [
        (
            (3,),
            [[1.0, 2.0]],
            "X[3] should be a list of 3 lists of 2 numbers, as X[0] is, but is a list of 1 list of 2 n",
        ),
        (
            (3, 1),
            [1.0],
            "X[3][1] should be a list of 2 numbers, as X[0][0] is, but is a list of 1 number; every example",
        ),
        ((3, 1), 5.0, "X[3][1] should be a list of 2 numbers, as X[0][0] is, but is a number; every example needs"),
        ((3, 1), "ab", "X[3][1] should be a list of 2 numbers, as X[0][0] is, but is str: 'ab'; every example needs"),
        ((3, 1, 0), [1.0, 2.0], "X[3][1][0] should be a number, as X[0][0][0] is, but is a list of 2 numbers"),
        ((3, 1, 0), [], "X[3][1][0] should be a number, as X[0][0][0] is, but is a list of 0 numbers"),
        ((3, 1, 0), None, "X[3][1][0] must be a number, but is NoneType: None"),
        ((3, 1, 0), Value(1.0), "X[3][1][0] must be a number, but is a Value; use its .data"),
        ((0, 1), [1.0], "X[0][1] should be a list of 2 numbers, as X[0][0] is, but is a list of 1 number"),
        ((0, 0), [], "the examples in X have no numbers in them"),
    ],
)
def test_an_example_of_another_shape_is_refused_with_its_place(
    place: tuple[int, ...], entry: Any, message: str
) -> None:
    X: Any = np.zeros((5, 3, 2)).tolist()
    *way, last = place
    part = X
    for i in way:
        part = part[i]
    part[last] = entry
    with pytest.raises((ValueError, TypeError), match="^" + re.escape(message)):
        as_examples(X)


@pytest.mark.parametrize("shape", [(6,), (3, 2), (2, 3, 1)])
@pytest.mark.parametrize("compiled", [True, False])
def test_nested_examples_reach_the_model_as_they_are_and_train_it_as_flat_ones_do(
    shape: tuple[int, ...], compiled: bool
) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, *shape)), rng.normal(size=120)
    seen = set()

    class Watching(Module):
        def __init__(self) -> None:
            self.inner = Layer(6, 1, "tanh", seed=0)

        def forward(self, x: Any) -> Any:
            seen.add(shape_of(x))
            return self.inner(Flatten()(x))[0]

    model, flat = Watching(), MLP(6, [1], output="tanh", seed=0)
    flat.load_state_dict(dict(zip(flat.state_dict(), model.state_dict().values(), strict=True)))
    options = {"epochs": 5, "batch_size": 40, "compiled": compiled, "validation": 0.25, "metric": "accuracy"}
    y = np.where(y > 0, 1.0, 0.0)
    history = quiet(model, X, y, **options)
    assert history == quiet(flat, X.reshape(120, -1), y, **options)
    assert bool(history.compiled) is compiled and seen == {shape}
    assert predict(model, X) == predict(flat, X.reshape(120, -1))
    assert predict(model, X.tolist()[:5]) == pytest.approx(predict(model, X)[:5], rel=1e-12)
    assert accuracy(model, X, y) == accuracy(flat, X.reshape(120, -1), y)


def test_a_model_that_takes_flat_rows_only_says_how_to_make_them() -> None:
    for take in (lambda X: Perceptron(4).fit(X, [1, -1, 1]), lambda X: LogisticRegression(4).fit(X, [0, 1, 1])):
        with pytest.raises(ValueError, match=r"X\[0\] is a list of 2 lists of 2 numbers; .*X.reshape\(len\(X\), -1\)"):
            take(np.ones((3, 2, 2)))


def test_the_slope_of_a_parametric_relu_is_trained() -> None:
    # The target is a ReLU whose left side has the slope 0.5.
    xs = [i / 5 - 2.0 for i in range(21)]
    model = Neuron(1, "prelu", "zeros")
    model.w[0].data = 1.0
    quiet(model, xs, [x if x > 0 else 0.5 * x for x in xs], optimizer=SGD(lr=0.3), epochs=200)
    assert model.activation.alpha.data == pytest.approx(0.5, abs=0.02)  # type: ignore[union-attr]


def test_an_optimiser_of_another_model_is_refused_and_one_of_this_model_goes_on() -> None:
    optimizer = Adam(lr=0.01)
    first, second = line(), line()
    quiet(first, [1.0], [1.0], optimizer=optimizer, epochs=2)
    with pytest.raises(ValueError, match="this Adam is bound to the parameters of another model; make a new one"):
        quiet(second, [1.0], [1.0], optimizer=optimizer)
    assert second.w[0].data == 0.0
    quiet(first, [1.0], [1.0], optimizer=optimizer, epochs=3)
    assert optimizer.t == 5


def test_a_notebook_shows_the_bar_although_it_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tqdm")
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    fit(line(), [1.0], [1.0], epochs=2)
    assert "2/2" in capsys.readouterr().err


@pytest.mark.parametrize("compiled", [False, True])
def test_a_validation_loss_that_is_not_finite_stops_training_with_its_example(compiled: bool) -> None:
    validation = ([1.0, 2.0], [1.0, 1e200])
    with pytest.raises(NonFiniteLossError, match="the loss of validation example 1 is inf in epoch 1"):
        quiet(line(), [1.0], [1.0], validation=validation, patience=3, compiled=compiled)


@pytest.mark.parametrize("output", ["tanh", "softplus", "linear"])
@pytest.mark.parametrize("compiled", [False, True])
def test_accuracy_in_fit_is_cut_halfway_between_the_targets_of_squared_error(output: str, compiled: bool) -> None:
    model = MLP(2, [8, 1], output=output, seed=3)
    X, y = data.xor()
    history = quiet(model, X, y, metric="accuracy", epochs=400, lr=0.05, compiled=compiled)
    wanted = sum((p > 0.5) == bool(t) for p, t in zip(predict(model, X), y, strict=True)) / 4
    assert history["accuracy"][-1] == pytest.approx(wanted, abs=0.26)  # measured one step before
    assert history["accuracy"][-1] > 0.7


def test_a_metric_may_give_a_value_and_may_not_hide_a_column() -> None:
    def squared(output: Any, target: Any) -> Any:
        return (output - target) ** 2

    history = quiet(line(), [1.0], [1.0], metric=squared, epochs=2)
    assert all(type(x) is float for x in history["squared"])

    def loss(output: Any, target: Any) -> float:
        return 7.0

    with pytest.raises(ValueError, match="a metric named 'loss' would hide"):
        quiet(line(), [1.0], [1.0], metric=loss)


def test_a_loss_outside_the_graph_is_refused() -> None:
    with pytest.raises(ValueError, match="does not depend on any parameter"):
        quiet(line(), [1.0], [2.0], loss=lambda output, target: (output.data - target) ** 2)


def test_a_schedule_is_checked_and_the_optimisers_own_rate_comes_back() -> None:
    mover = SGD(lr=0.25)
    quiet(line(), [1.0], [1.0], optimizer=mover, schedule=lambda epoch: 0.1 / (1 + epoch), epochs=3)
    assert mover.lr == 0.25
    for wrong in (math.nan, -0.1, "fast"):
        with pytest.raises(ValueError, match="the schedule must give a learning rate of 0 or more"):
            quiet(line(), [1.0], [1.0], schedule=lambda epoch, rate=wrong: rate)
    with pytest.raises(TypeError, match="schedule is a function of the epoch"):
        quiet(line(), [1.0], [1.0], schedule="cosine")


@pytest.mark.parametrize("compiled", [False, True])
def test_a_step_to_infinity_stops_training_with_its_epoch_and_batch(compiled: bool) -> None:
    model = line()
    before = [p.data for p in model.parameters()]
    with pytest.raises(NonFiniteLossError, match=r"in epoch 1, batch 1"):
        quiet(model, [1.0], [1e3], optimizer="sgd", lr=1e308, epochs=1, compiled=compiled)
    assert [p.data for p in model.parameters()] == before


def test_the_gradient_check_passes_on_a_fresh_relu_network_that_stands_on_its_kink() -> None:
    model = MLP(2, [4, 1], activation="relu", init="he", seed=0)
    before = [p.data for p in model.parameters()]
    quiet(model, *data.xor(), check_gradients=True, epochs=1, lr=0.0)
    assert [p.data for p in model.parameters()] == before


def test_total_loss_is_the_sum_and_mean_loss_the_mean() -> None:
    model = MLP(2, [3, 1], seed=0)
    X, y = data.moons(10, seed=0)
    one_by_one = [total_loss(model, [x], [t]).data for x, t in zip(X, y, strict=True)]
    assert total_loss(model, X, y).data == pytest.approx(math.fsum(one_by_one), rel=1e-12)
    assert mean_loss(model, X, y).data == pytest.approx(math.fsum(one_by_one) / 10, rel=1e-12)


def test_a_sweep_of_learning_rates_finds_the_rate_that_lands_on_a_parabolas_lowest_point():
    # one weight, no bias that matters: ½(w·1 + b)², with curvature 2 along (1, 1), so that a step of ½ lands at once
    model = MLP(1, [1], seed=0)
    before = model.state_dict()
    found = checklist.sweep_learning_rates(model, [[1.0]], [0.0], "squared_error", rates=[0.01, 0.5, 1.5], epochs=5)
    start = model([1.0]).data
    for rate, ended in found.items():
        assert ended == pytest.approx(0.5 * (start * (1 - 2 * rate) ** 5) ** 2, abs=1e-12)
    assert min(found, key=found.get) == 0.5
    assert model.state_dict() == before


def test_a_sweep_says_inf_where_training_left_the_finite_numbers():
    found = checklist.sweep_learning_rates(
        MLP(1, [1], seed=0), [[1.0]], [0.0], "squared_error", rates=[1e200], epochs=5
    )
    assert found == {1e200: math.inf}
