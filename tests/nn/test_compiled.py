"""`fit` on the compiled program: the same history as eager training, and what happens where it cannot be compiled."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Value, maximum
from nn import (
    MLP,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    MLPClassifier,
    MLPRegressor,
    Module,
    NAdam,
    Neuron,
    RMSprop,
    accuracy,
    confusion_matrix,
    data,
    fit,
    predict,
    schedules,
    squared_error,
)
from nn.lessons import LogisticRegression
from nn.optim import Newton, Optimizer
from nn.training import EpochEnd, History, NonFiniteLossError


def both(model: Callable[[], Module], X: Any, y: Any, **options: Any) -> tuple[History, History, Module, Module]:
    """Train twins eagerly and compiled; options that keep state are functions that make it."""
    found: list[Any] = []
    models = []
    for compiled in (False, True):
        fresh = {key: x() if key == "optimizer" and callable(x) else x for key, x in options.items()}
        models.append(model())
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found.append(fit(models[-1], X, y, progress=False, compiled=compiled, **fresh))
    return found[0], found[1], models[0], models[1]


def same(eager: History, fast: History, first: Module, second: Module) -> None:
    assert eager.compiled is False
    assert fast.compiled in ("numpy", "python")
    assert fast.why == ""
    assert list(eager) == list(fast)
    for name in eager:
        assert np.abs(np.subtract(eager[name], fast[name])).max() < 1e-9, name
    assert (eager.stopped, eager.best_epoch) == (fast.stopped, fast.best_epoch)
    ours, theirs = first.state_dict(), second.state_dict()
    assert max(abs(ours[name] - theirs[name]) for name in ours) < 1e-9


def three_classes() -> tuple[Any, Any]:
    return data.blobs(33, 3, spread=1.0, seed=1)


X2, Y2 = data.moons(33, noise=0.1, seed=0)
SIGNS = [2 * t - 1 for t in Y2]


@pytest.mark.parametrize(
    ("loss", "outputs", "y"),
    [
        ("squared_error", 1, Y2),
        ("squared_error", 2, [[t, 1.5 - t] for t in Y2]),
        ("binary_cross_entropy", 1, Y2),
        ("binary_cross_entropy", 1, [[t] for t in Y2]),
        ("binary_cross_entropy", 1, [0.9 * t + 0.05 for t in Y2]),
        ("binary_cross_entropy", 2, [[t, 1 - t] for t in Y2]),
        ("cross_entropy", 3, three_classes()[1]),
        ("cross_entropy", 3, [float(t) for t in three_classes()[1]]),
        ("cross_entropy", 3, data.one_hot(three_classes()[1])),
        ("cross_entropy", 3, [[0.5, 0.25, 0.25] if t else [0.0, 1.0, 0.0] for t in Y2]),
        ("hinge", 1, SIGNS),
        ("hinge", 3, three_classes()[1]),
        ("perceptron", 1, SIGNS),
        (lambda output, t: maximum(output - t, 0.5 * (t - output)), 1, Y2),
    ],
)
def test_every_loss_gives_the_eager_history(loss: Any, outputs: int, y: Any) -> None:
    X = three_classes()[0] if outputs == 3 else X2
    options: dict[str, Any] = {"loss": loss, "epochs": 4, "batch_size": 8, "lr": 0.03, "l2": 0.01, "validation": 0.2}
    same(*both(lambda: MLP(2, [5, outputs], seed=0), X, y, **options))
    if outputs == 3:
        same(*both(lambda: MLP(2, [5, outputs], seed=0), X, y, metric="accuracy", **options))


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: SGD(lr=0.1),
        lambda: SGD(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        lambda: Adagrad(lr=0.1),
        lambda: RMSprop(lr=0.01),
        lambda: Adam(lr=0.01, amsgrad=True),
        lambda: Adam(lr=schedules.inverse_sqrt(0.05), clip_norm=0.1),
        lambda: AdamW(lr=0.01, weight_decay=0.1),
        lambda: NAdam(lr=0.01),
        lambda: SGD(lr=0.1, noise=(0.1, 0.55), clip_norm=0.5, seed=3),
    ],
)
def test_every_optimiser_gives_the_eager_history(optimizer: Any) -> None:
    options: dict[str, Any] = {"loss": "binary_cross_entropy", "optimizer": optimizer, "batch_size": 8, "epochs": 4}
    same(*both(lambda: MLP(2, [6, 4, 1], seed=0), X2, Y2, metric="accuracy", validation=(X2, Y2), **options))


@pytest.mark.parametrize(
    "options",
    [
        {"shuffle": False},
        {"order": lambda x, t: x[0]},
        {"schedule": schedules.cosine(0.1, 4)},
        {"batch_size": 1},
        {"batch_size": None, "tolerance": 0.05, "epochs": 50},
        {"metric": lambda output, t: abs(output.data - t)},
        {"check_gradients": True},
        {"callbacks": lambda event: event.epoch == 3},
    ],
)
def test_every_option_gives_the_eager_history(options: dict[str, Any]) -> None:
    same(*both(lambda: MLP(2, [4, 1], "prelu", seed=0), X2, Y2, **{"epochs": 4, "batch_size": 8, **options}))


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "leaky_relu", "prelu", "softplus"])
def test_every_activation_gives_the_eager_history(activation: str) -> None:
    X, y = three_classes()
    same(*both(lambda: MLP(2, [5, 3], activation, "softmax", seed=0), X, data.one_hot(y), epochs=3, batch_size=10))


def test_logits_of_a_thousand_are_exact() -> None:
    def sure() -> Neuron:
        model = Neuron(1, "linear", "zeros")
        model.w[0].data = 1000.0
        return model

    for y in ([1, 0, 0, 1], [0.5, 0.0, 1.0, 0.25]):
        options: dict[str, Any] = {"loss": "binary_cross_entropy", "optimizer": lambda: SGD(lr=0.5)}
        same(*both(sure, [1.0, -1.0, 0.04, -0.03], y, epochs=3, **options))


def test_early_stopping_restores_the_best_weights() -> None:
    options: dict[str, Any] = {"validation": ([1.0], [1.0]), "patience": 5, "epochs": 500}
    twins = both(
        lambda: Neuron(1, "linear", "zeros"), [1.0, 2.0], [3.0, 6.0], optimizer=lambda: SGD(lr=0.02), **options
    )
    same(*twins)
    assert twins[1].stopped == "patience"
    assert twins[1].best_epoch is not None
    best = twins[1]["val_loss"][twins[1].best_epoch - 1]
    assert squared_error(twins[3]([1.0]).data, 1.0) == pytest.approx(best, rel=1e-12)


def test_a_large_batch_is_added_up_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nn.training.programs.AT_ONCE", 10)
    options: dict[str, Any] = {"loss": "binary_cross_entropy", "metric": "accuracy", "validation": (X2, Y2)}
    same(*both(lambda: MLP(2, [4, 1], seed=0), X2, Y2, epochs=5, l2=0.1, **options))


def test_only_the_parameters_of_the_optimiser_move() -> None:
    def part(model: MLP) -> Adam:
        return Adam(model.layers[1].parameters(), lr=0.05)

    def train(compiled: bool) -> tuple[History, MLP]:
        model = MLP(2, [4, 1], seed=0)
        return fit(model, X2, Y2, optimizer=part(model), l2=0.1, epochs=3, progress=False, compiled=compiled), model

    (eager, first), (fast, second) = train(False), train(True)
    same(eager, fast, first, second)
    assert second.layers[0].neurons[0].w[0].data == MLP(2, [4, 1], seed=0).layers[0].neurons[0].w[0].data


def test_parameters_that_the_loss_does_not_use_are_moved_by_decay_alone() -> None:
    class Idle(Module):
        def __init__(self) -> None:
            self.used, self.idle = Neuron(2, seed=0), Neuron(2, seed=1)

        def forward(self, x: Any) -> Any:
            return self.used(x)

    twins = both(Idle, X2, Y2, optimizer=lambda: SGD(lr=0.1, weight_decay=0.5), epochs=3, l2=0.1)
    same(*twins)
    assert twins[3].state_dict()["idle.w.0"] != Idle().state_dict()["idle.w.0"]


def test_the_optimiser_and_its_memory_go_on_from_one_way_to_the_other() -> None:
    straight, model, optimizer = MLP(2, [3, 1], seed=0), MLP(2, [3, 1], seed=0), Adam(lr=0.02)
    fit(
        straight,
        X2,
        Y2,
        optimizer=Adam(lr=0.02),
        epochs=9,
        batch_size=10,
        shuffle=False,
        progress=False,
        compiled=False,
    )
    for compiled in (True, False, True):
        fit(
            model,
            X2,
            Y2,
            optimizer=optimizer,
            epochs=3,
            batch_size=10,
            shuffle=False,
            progress=False,
            compiled=compiled,
        )
    assert optimizer.t == 9 * 4
    for p, q in zip(straight.parameters(), model.parameters(), strict=True):
        assert p.data == pytest.approx(q.data, abs=1e-9)
    assert Adam(straight).state_dict()["memory"].keys() == optimizer.state_dict()["memory"].keys()


# --- callbacks


def test_callbacks_see_the_model_and_its_gradients_and_may_change_them() -> None:
    seen: dict[bool, list[float]] = {}
    for compiled in (False, True):
        model, numbers = MLP(2, [3, 1], seed=0), seen.setdefault(compiled, [])

        def halve(event: EpochEnd, numbers: list[float] = numbers) -> None:
            p = event.model.parameters()[0]
            numbers += [p.data, p.grad]
            p.data *= 0.5

        fit(model, X2, Y2, epochs=4, batch_size=10, lr=0.05, callbacks=halve, progress=False, compiled=compiled)
    assert seen[True] == pytest.approx(seen[False], abs=1e-9)
    assert len(set(seen[True])) == 8


class Warm(Module):
    """A model with a plain number in it, which the program takes for a constant."""

    def __init__(self) -> None:
        self.inner, self.temperature = MLP(2, [3, 1], seed=0), 1.0

    def forward(self, x: Any) -> Any:
        return self.inner(x) * self.temperature


def test_a_callback_may_change_what_the_program_took_for_a_constant() -> None:
    def cool(event: EpochEnd) -> None:
        assert isinstance(event.model, Warm)
        event.model.temperature *= 0.5

    same(*both(Warm, X2, Y2, epochs=4, callbacks=cool, metric="accuracy", validation=0.3))


def test_an_error_in_a_callback_leaves_the_model_as_of_the_last_step() -> None:
    def fail(event: EpochEnd) -> None:
        raise RuntimeError("enough")

    models = [MLP(2, [3, 1], seed=0) for _ in range(2)]
    for model, compiled in zip(models, (False, True), strict=True):
        with pytest.raises(RuntimeError, match="enough"):
            fit(model, X2, Y2, callbacks=fail, batch_size=7, progress=False, compiled=compiled)
    assert list(models[0].state_dict().values()) == pytest.approx(list(models[1].state_dict().values()), abs=1e-9)


# --- what cannot be compiled


def absolute(output: Any, target: Any) -> Any:
    return output - target if output.data > target else target - output


def branching(output: Any, target: Any) -> Any:
    return output - target if output > target else target - output


def by_class(output: Any, target: Any) -> Any:
    return output**2 if target == 0 else (1.0 - output) ** 2


def by_kind(output: Any, target: Any) -> Any:
    return (output - target) ** 2 if isinstance(target, int) else (output - target) ** 4


@pytest.mark.parametrize(
    ("loss", "why"),
    [
        (branching, r"test_compiled\.py:\d+: this line asks for whether one Value is larger than another"),
        (absolute, r"test_compiled\.py:\d+"),
        (by_class, r"test_compiled\.py:\d+: TypeError: == asks whether two Values are the same node"),
        (by_kind, r"the program gives \S+ for the loss of example \d+, but the scalar code gives"),
    ],
)
def test_a_loss_that_cannot_be_compiled_gives_one_warning_and_trains(loss: Any, why: str) -> None:
    model, twin = MLP(2, [3, 1], seed=0), MLP(2, [3, 1], seed=0)
    with pytest.warns(RuntimeWarning, match="training goes on without the compiler") as caught:
        history = fit(model, X2, Y2, loss=loss, epochs=3, progress=False)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert history.compiled is False
    assert pytest.importorskip("re").search(why, history.why)
    assert history == fit(twin, X2, Y2, loss=loss, epochs=3, progress=False, compiled=False)
    assert model.state_dict() == twin.state_dict()


def test_a_model_with_randomness_of_its_own_stays_eager() -> None:
    import random

    rng = random.Random(0)

    class Dropout(Module):
        def __init__(self) -> None:
            self.inner = MLP(2, [4, 1], seed=0)

        def forward(self, x: Any) -> Any:
            return self.inner(x) * (2.0 * (rng.random() < 0.5) + rng.random())

    with pytest.warns(RuntimeWarning, match="random numbers"):
        history = fit(Dropout(), X2, Y2, epochs=2, progress=False)
    assert history.compiled is False


def test_newton_and_optimisers_with_a_step_of_their_own_stay_eager_and_say_so() -> None:
    class Own(SGD):
        def step(self, loss: Value | None = None) -> None:
            super().step(loss)

    class Scalar(Optimizer):
        def rule(self, w: Any, g: Any, lr: float, t: int, *memory: Any) -> tuple[Any, ...]:
            return (w - math.copysign(lr, g),)

    class Rows(Optimizer):
        def rule(self, w: Any, g: Any, lr: float, t: int, *memory: Any) -> tuple[Any, ...]:
            return (w - lr * g,)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for optimizer, why in (
            (Newton(damping=1.0), "Newton's method"),
            (Own(), "Own has a step of its own"),
            (Scalar(), "the rule of Scalar does not run on arrays"),
        ):
            history = fit(MLP(2, [2, 1], seed=0), X2, Y2, optimizer=optimizer, epochs=2, progress=False)
            assert history.compiled is False
            assert why in history.why
        assert fit(MLP(2, [2, 1], seed=0), X2, Y2, optimizer=Rows(), epochs=2, progress=False).compiled
        assert fit(MLP(2, [2, 1], seed=0), X2, Y2, epochs=1, progress=False, compiled=False).why == "compiled=False"


# --- numbers that run away


def test_a_loss_that_is_not_finite_is_blamed_on_the_same_node_and_step() -> None:
    def run(compiled: bool) -> tuple[NonFiniteLossError, dict[str, float]]:
        model = MLP(1, [2, 1], activation=lambda z: z.exp(), init="uniform", seed=0)
        with pytest.raises(NonFiniteLossError) as caught:
            fit(
                model, [0.5, 900.0, 3.0], [1.0, 2.0, 3.0], optimizer=SGD(lr=10.0), batch_size=1, shuffle=False,
                progress=False, compiled=compiled,
            )  # fmt: skip
        return caught.value, model.state_dict()

    (first, before), (second, after) = run(False), run(True)
    assert (first.epoch, first.batch) == (second.epoch, second.batch)
    assert first.node is not None and second.node is not None
    assert (first.node.op, first.node.scope) == (second.node.op, second.node.scope)
    assert "the first node that is not finite is" in str(second)
    assert list(before.values()) == pytest.approx(list(after.values()), rel=1e-9)


def test_an_overflow_that_the_eager_pass_does_not_have_is_stepped_over_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from nn.training.programs import Program

    original, calls = Program.mean, 0

    def sometimes(self: Any, *batch: Any) -> Any:
        nonlocal calls
        calls += 1
        mean, g = original(self, *batch)
        return (math.inf, g) if calls % 3 == 0 else (mean, g)

    monkeypatch.setattr(Program, "mean", sometimes)
    same(*both(lambda: MLP(2, [3, 1], seed=0), X2, Y2, batch_size=8, epochs=3))
    assert calls == 15


# --- answers


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_predictions_for_many_examples_are_those_for_each(outputs: int) -> None:
    X, y = data.blobs(150, max(2, outputs), spread=1.0, seed=0)
    model = MLP(2, [5, outputs], seed=1)
    one_by_one = [predict(model, [x])[0] for x in X]
    assert np.allclose(predict(model, X), one_by_one, rtol=1e-12, atol=1e-12)
    assert np.array(confusion_matrix(model, X, y)).sum() == 150
    assert accuracy(model, X, y) == pytest.approx(
        np.mean([accuracy(model, [x], [t]) for x, t in zip(X, y, strict=True)])
    )


def test_predictions_of_a_model_that_asks_questions_are_eager() -> None:
    class Step(Module):
        def __init__(self) -> None:
            self.w = Value(1.0)

        def forward(self, x: Any) -> Any:
            return self.w * 1.0 if x[0] > 0 else self.w * 0.0

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert predict(Step(), [(-1.0) ** i for i in range(200)]) == [0.0 if i % 2 else 1.0 for i in range(200)]


def test_the_estimators_train_and_predict_compiled() -> None:
    X, y = data.blobs(120, 3, spread=0.4, seed=0)
    model = MLPClassifier((8,), epochs=20, random_state=0).fit(np.array(X), np.array(y))
    assert model.history_.compiled == "numpy"
    assert model.score(np.array(X), np.array(y)) > 0.97
    line = MLPRegressor((4,), epochs=20, random_state=0).fit(np.array(X), np.array(X)[:, 0])
    assert line.history_.compiled in ("numpy", "python")


def test_logistic_regression_is_a_module_like_any_other() -> None:
    same(*both(lambda: LogisticRegression(2), X2, Y2, metric="accuracy", epochs=3))
