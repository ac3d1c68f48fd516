"""Programs that are kept with their model: taken up again while nothing changed, and never once anything did."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autograd import SHEET, NonFiniteError, Value, detect_anomaly, functions
from nn import MLP, SGD, Adam, Conv2d, Flatten, Layer, Module, Neuron, Pool2d, Sequential, data, fit, losses, predict
from nn.activations import PReLU
from nn.training import EpochEnd, compiled, programs
from nn.training.structure import Same

X, Y = data.moons(120, noise=0.1, seed=0)
TABLE = np.array(X)
FEW = slice(None, None, 3)  # to train on; to predict it takes a hundred examples before a program is asked


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was compiled meanwhile."""
    made: list[Any] = []

    def counted(f: Any, *example: Any, **options: Any) -> Any:
        made.append(f)
        return original(f, *example, **options)

    original = programs.compile_function
    monkeypatch.setattr(programs, "compile_function", counted)
    monkeypatch.setattr(compiled, "compile_function", counted)
    monkeypatch.setattr(programs, "_of_forms", OrderedDict())
    return made


def eager(model: Callable[[Any], Any]) -> Any:
    return [programs.np.ravel([getattr(y, "data", y) for y in np.atleast_1d(np.array(model(x), object))]) for x in X]


def agrees(model: Any) -> bool:
    return bool(np.allclose(np.array(predict(model, TABLE)).reshape(len(X), -1), eager(model), 1e-12, 1e-12))


def train(model: Module, compiled: bool = True, **options: Any) -> Any:
    options = {"loss": "binary_cross_entropy", "epochs": 2, "batch_size": 16, "lr": 0.05, **options}
    return fit(model, TABLE[FEW], Y[FEW], progress=False, compiled=compiled, **options)


def calls_of_the_scalar_code(do: Callable[[], Any]) -> int:
    """How often an MLP is called meanwhile. (To put another function in its place would make it another model.)"""
    found = []
    sys.setprofile(lambda frame, event, _: found.append(event) if frame.f_code is MLP.forward.__code__ else None)
    try:
        do()
    finally:
        sys.setprofile(None)
    return found.count("call")


def test_the_first_fit_asks_the_scalar_code_three_times_and_the_next_ones_once(traced: list[Any]) -> None:
    for loss, outputs in (("binary_cross_entropy", 1), ("squared_error", 1), ("cross_entropy", 2)):
        model, other = MLP(2, [3, outputs], seed=0), MLP(2, [3, outputs], seed=1)
        # at the first example, which is also a trial of the arguments; to be traced; and far from where it begins
        assert calls_of_the_scalar_code(lambda m=model, s=loss: train(m, loss=s)) == 3
        assert calls_of_the_scalar_code(lambda m=model, s=loss: train(m, loss=s)) == 1
        assert calls_of_the_scalar_code(lambda m=other, s=loss: train(m, loss=s)) == 1
    assert len(traced) == 3


def small(activation: Any = "tanh") -> MLP:
    return MLP(2, [4, 3, 1], activation, seed=0)


def test_a_model_is_traced_once_for_training_and_once_for_its_outputs(traced: list[Any]) -> None:
    model, twin = small(), small()
    for epochs in (1, 2):
        train(model, epochs=epochs, metric="accuracy")
        train(twin, epochs=epochs, metric="accuracy", compiled=False)
        assert agrees(model)
    predict(model, TABLE[:110])
    assert len(traced) == 2
    assert list(model.state_dict().values()) == pytest.approx(list(twin.state_dict().values()), abs=1e-9)
    train(model, loss="squared_error")
    fit(model, TABLE, Y, loss="binary_cross_entropy", sample_weight=np.ones(len(Y)), epochs=1, progress=False)
    fit(model, TABLE, 0.5 * np.array(Y), loss="binary_cross_entropy", epochs=1, progress=False)
    assert len(traced) == 5  # another loss, weights, targets between 0 and 1: each is another program


def append_layer(model: MLP) -> None:
    model.layers.append(Layer(1, 1, seed=5))


def shared_weight(model: MLP) -> None:
    model.layers[0].neurons[0].w[1] = model.layers[0].neurons[0].w[0]


def own_forward(model: MLP) -> None:
    inner = model.forward
    model.forward = lambda x: inner(x) * 2.0  # type: ignore[method-assign, assignment, operator]


def other_class(model: MLP) -> None:
    class Doubled(MLP):
        def forward(self, x: Any) -> Any:
            return super().forward(x) * 2.0  # type: ignore[operator]

    model.__class__ = Doubled


def activation_of_a_neuron(model: MLP) -> None:
    model.layers[0].neurons[1]._activate = functions.sigmoid


CHANGES: dict[str, Callable[[MLP], Any]] = {
    "a parameter moved": lambda m: setattr(m.parameters()[3], "data", 2.5),
    "a state loaded": lambda m: m.load_state_dict(MLP(2, [4, 3, 1], seed=7).state_dict()),
    "a parameter replaced": lambda m: setattr(m.layers[0].neurons[0], "b", Value(3.0, "b")),
    "a weight replaced in its list": lambda m: m.layers[1].neurons[0].w.__setitem__(1, Value(-2.0)),
    "a parameter that is a constant now": lambda m: m.layers[1].neurons[0].w.__setitem__(1, 1.25),
    "weights tied": shared_weight,
    "a layer appended": append_layer,
    "a layer replaced": lambda m: m.layers.__setitem__(1, Layer(4, 3, "relu", seed=3)),
    "a layer taken out": lambda m: (m.layers.pop(), m.layers.append(Layer(3, 1, "linear", seed=9))),
    "neurons in another order": lambda m: m.layers[0].neurons.reverse(),
    "all layers a new list": lambda m: setattr(m, "layers", [Layer(2, 1, seed=4)]),
    "another activation": activation_of_a_neuron,
    "an activation of one's own": lambda m: setattr(m.layers[0].neurons[0], "_activate", lambda z: z * z * 3.0),
    "a softmax taken up": lambda m: setattr(m.layers[1], "_softmax", functions.softmax),
    "forward replaced by hand": own_forward,
    "another class": other_class,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_after_a_change_the_program_is_the_changed_models(change: Callable[[MLP], Any]) -> None:
    model, twin = small(), small()
    for one, way in ((model, True), (twin, False)):
        train(one, way, metric="accuracy")
    assert agrees(model)
    change(model)
    change(twin)
    assert agrees(model)
    histories = [train(one, way, metric="accuracy") for one, way in ((model, True), (twin, False))]
    assert histories[0]["loss"] == pytest.approx(histories[1]["loss"], abs=1e-9)
    assert list(model.state_dict().values()) == pytest.approx(list(twin.state_dict().values()), abs=1e-9)
    assert agrees(model)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_callback_may_make_the_same_changes(change: Callable[[MLP], Any]) -> None:
    def after_the_first(event: EpochEnd) -> None:
        if event.epoch == 1:
            change(event.model)  # type: ignore[arg-type]

    model, twin = small(), small()
    histories = [train(one, way, callbacks=after_the_first, epochs=3) for one, way in ((model, True), (twin, False))]
    assert histories[0]["loss"] == pytest.approx(histories[1]["loss"], abs=1e-9)
    assert agrees(model)


def test_a_class_whose_method_is_replaced_is_traced_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    assert agrees(model)
    before = MLP.forward
    monkeypatch.setattr(MLP, "forward", lambda self, x: before(self, x) * 3.0)
    assert agrees(model)
    monkeypatch.undo()
    assert agrees(model)


def test_what_a_closure_refers_to_may_change(traced: list[Any]) -> None:
    steepness = [1.0]
    model = Sequential(Layer(2, 3, seed=0), lambda h: [steepness[0] * y for y in h])
    assert agrees(model)
    steepness[0] = -2.0
    assert agrees(model)
    mine = MLP(2, [3, 1], lambda z: functions.tanh(steepness[0] * z), seed=0)
    train(mine)
    steepness[0] = 0.5
    assert agrees(mine)

    class Scaled(Module):
        def __init__(self) -> None:
            self.inner, self.by = MLP(2, [3, 1], seed=0), np.array([2.0])

        def forward(self, x: Any) -> Any:
            return self.inner(x) * float(self.by[0])

    scaled = Scaled()
    assert agrees(scaled)
    scaled.by[0] = 5.0  # in place: no identity shows it
    assert agrees(scaled)
    assert len(traced) == 6


def test_a_loss_of_ones_own_may_change_what_it_refers_to() -> None:
    factor = [1.0]

    def loss(output: Any, target: Any) -> Any:
        return factor[0] * (output - target) ** 2

    models = small(), small()
    for factor[0] in (1.0, 3.0):
        eager_history, history = (train(m, way, loss=loss) for m, way in zip(models, (False, True), strict=True))
        assert history["loss"] == pytest.approx(eager_history["loss"], abs=1e-9)


def test_other_parameters_may_be_trained_with_the_same_program(traced: list[Any]) -> None:
    model, twin = small("prelu"), small("prelu")
    for one, way in ((model, True), (twin, False)):
        train(one, way)
        train(one, way, optimizer=SGD(one.layers[1].parameters(), lr=0.1), lr=None)
        train(one, way, optimizer=Adam(list(reversed(one.parameters())), lr=0.1), lr=None, l2=0.1)
    assert len(traced) == 1
    assert list(model.state_dict().values()) == pytest.approx(list(twin.state_dict().values()), abs=1e-9)


def test_what_is_kept_keeps_no_model_alive_and_does_not_travel_with_it() -> None:
    model = small()
    train(model, metric="accuracy")
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        for p in other.parameters():
            p.data *= 0.5
        assert agrees(other) and agrees(model)
    there = weakref.ref(model)
    del model, other
    gc.collect()
    assert there() is None


def test_a_model_that_holds_itself_is_let_go() -> None:
    model = small()
    model.layers[0].parent = [model]  # type: ignore[attr-defined]
    assert agrees(model)
    there = weakref.ref(model)
    del model
    gc.collect()
    assert there() is None


def test_examples_of_another_shape_have_a_program_of_their_own(traced: list[Any]) -> None:
    model = Sequential(Flatten(), Layer(4, 2, seed=0), Neuron(2, seed=1))
    flat = np.random.default_rng(0).normal(size=(150, 4))
    found = [predict(model, flat.reshape(shape)) for shape in ((150, 2, 2), (150, 4), (150, 1, 4), (150, 2, 2))]
    assert all(np.allclose(found[0], other) for other in found[1:])
    assert len(traced) == 3


def test_callbacks_and_threads_that_predict_get_the_model_as_it_is() -> None:
    model, seen = small(), []

    def look(event: EpochEnd) -> None:
        seen.append(agrees(event.model))
        train(event.model, epochs=1, metric="accuracy")
        seen.append(agrees(event.model))

    train(model, callbacks=look, epochs=3, metric="accuracy")
    threads = [threading.Thread(target=lambda: seen.extend(agrees(model) for _ in range(5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 26
    assert all(seen)


def test_threads_that_take_a_program_at_the_same_time_do_not_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = Same.__eq__

    def slowly(self: Same, other: object) -> bool:
        time.sleep(0.0)  # another thread's turn, in the middle of looking a key up
        return compared(self, other)

    model, found = small(), list[Any]()
    monkeypatch.setattr(Same, "__eq__", slowly)

    def ask() -> None:
        found.extend(predict(model, TABLE) for _ in range(50))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 400
    assert all(one == found[0] for one in found)


def test_inf_is_named_also_where_a_program_is_kept() -> None:
    model = MLP(1, [2, 1], functions.softplus, seed=0)
    predict(model, np.ones(150))
    model.layers[1].neurons[0].b.data = np.inf
    with detect_anomaly(), pytest.raises(NonFiniteError):
        predict(model, np.ones(150))


def test_an_array_is_neither_copied_nor_changed() -> None:
    import tracemalloc

    rng = np.random.default_rng(0)
    table, y = rng.normal(size=(20_000, 60)), rng.integers(0, 2, 20_000)
    before, model = table.copy(), MLP(60, [2, 1], seed=0)
    options: dict[str, Any] = {"loss": "binary_cross_entropy", "metric": "accuracy", "batch_size": 500, "epochs": 1}
    fit(model, table, y, progress=False, **options)
    tracemalloc.start()
    fit(model, table, y, progress=False, validation=0.2, **options)
    predict(model, table)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.5 * table.nbytes
    assert (table == before).all()


def test_a_learned_slope_is_pulled_with_the_rest() -> None:
    model = Sequential(Layer(2, 2, "linear", seed=0), lambda h: h[0] * h[1])
    slope = PReLU(0.5)
    kinked = MLP(2, [3, 1], slope, seed=0)
    assert agrees(model) and agrees(kinked)
    slope.alpha.data = 0.9
    assert agrees(kinked)


# --- one program for all models of one form


def conv(kind: str = "mean", padding: int = 0, stride: int = 1) -> Callable[[], Any]:
    size = (4 + 2 * padding - 3) // stride + 1
    return lambda: Sequential(
        Conv2d(1, 1, 3, stride, padding, "tanh", seed=0), Pool2d(2, kind), Flatten(), Neuron((size // 2) ** 2, seed=1)
    )


def slopes(shared: bool) -> Callable[[], Any]:
    def make() -> Any:
        first = PReLU(0.5)
        return MLP(2, [3, 3, 1], [first, first if shared else PReLU(0.5)], seed=0)

    return make


def changed(change: Callable[[MLP], Any]) -> MLP:
    model = small()
    change(model)
    return model


def untrained_weight() -> MLP:
    return changed(lambda m: m.layers[0].neurons[0].w.__setitem__(0, 0.5))  # type: ignore[call-overload]


# models that differ in one thing: the program of the first must not be taken for the second
PAIRS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "activation": (small, lambda: small("relu")),
    "activation of the output": (small, lambda: MLP(2, [4, 3, 1], output="sigmoid", seed=0)),
    "sizes": (lambda: MLP(2, [4, 2, 1], seed=0), lambda: MLP(2, [2, 4, 1], seed=0)),
    "a weight that is a number": (small, untrained_weight),
    "that number": (untrained_weight, lambda: changed(lambda m: m.layers[0].neurons[0].w.__setitem__(0, 2.0))),
    "tied weights": (small, lambda: changed(shared_weight)),
    "which weights are tied": (lambda: changed(shared_weight), lambda: changed(tie_others)),
    "one slope or two": (slopes(True), slopes(False)),
    "class": (lambda: Sequential(Layer(2, 1, seed=0)), lambda: Sequential(Neuron(2, seed=0))),
    "class of one's own": (small, lambda: changed(other_class)),
    "method of one's own": (small, lambda: changed(own_forward)),
    "activation of one's own": (small, lambda: MLP(2, [4, 3, 1], lambda z: z * z, seed=0)),
    "kind of pooling": (conv(), conv("max")),
    "padding": (conv(), conv(padding=1)),
    "stride": (conv(padding=1), conv(padding=1, stride=2)),
    "order of layers": (
        lambda: Sequential(Layer(2, 2, "tanh", seed=0), Layer(2, 2, "relu", seed=1), Neuron(2, seed=2)),
        lambda: Sequential(Layer(2, 2, "relu", seed=0), Layer(2, 2, "tanh", seed=1), Neuron(2, seed=2)),
    ),
}


def tie_others(model: MLP) -> None:
    model.layers[0].neurons[1].w[1] = model.layers[0].neurons[0].w[0]


def examples_for(model: Any) -> Any:
    images = isinstance(model, Sequential) and isinstance(model.layers[0], Conv2d)
    return np.random.default_rng(0).normal(size=(120, 1, 4, 4)) if images else TABLE


def trained(model: Any, compiled: bool = True, **options: Any) -> tuple[list[float], list[float], Any]:
    """The losses, the parameters and the outputs afterwards."""
    options = {"loss": "squared_error", "epochs": 2, "batch_size": 16, "lr": 0.05, "metric": "accuracy", **options}
    table = examples_for(model)
    history = fit(model, table[FEW], Y[FEW], progress=False, compiled=compiled, **options)
    outputs = predict(model, table) if compiled else [plain(model(x)) for x in table.tolist()]
    return history["loss"], list(model.state_dict().values()), np.array(outputs).reshape(len(Y), -1)


def plain(output: Any) -> Any:
    return [y.data for y in output] if isinstance(output, list) else output.data


def assert_alike(found: Any, expected: Any) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize(("first", "second"), PAIRS.values(), ids=PAIRS.keys())
def test_models_that_differ_have_programs_of_their_own(
    first: Callable[[], Any], second: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong: list[Any] = []  # programs that were taken up and did not agree: `fit` sees it, but it should not happen
    monkeypatch.setattr(compiled, "forget", lambda structure, key: wrong.append(key))
    for make in (first, second, first):
        assert_alike(trained(make()), trained(make(), compiled=False))
    assert not wrong


def test_a_second_model_of_the_same_form_is_not_traced(traced: list[Any]) -> None:
    for seed, epochs in enumerate((1, 3, 2)):
        model, twin = (MLP(2, [4, 3, 1], slopes(True)().layers[0].activation, seed=seed) for _ in range(2))
        assert_alike(trained(model, epochs=epochs), trained(twin, compiled=False, epochs=epochs))
        copied = copy.deepcopy(model)
        copied.parameters()[0].data = 0.25
        assert agrees(copied) and agrees(model)
    assert len(traced) == 2


@pytest.mark.parametrize(
    "options", [{"loss": "binary_cross_entropy"}, {"sample_weight": np.linspace(0.5, 2.0, len(Y[FEW]))}]
)
def test_another_loss_is_another_program(traced: list[Any], options: dict[str, Any]) -> None:
    trained(small())
    assert_alike(trained(small(), **options), trained(small(), compiled=False, **options))
    assert len(traced) == 3


def test_a_loss_that_stands_in_the_table_of_losses_may_still_be_somebodys_own(monkeypatch: pytest.MonkeyPatch) -> None:
    factor = [1.0]
    monkeypatch.setitem(losses.LOSSES, "mine", lambda output, target: factor[0] * (output - target) ** 2)
    for factor[0] in (1.0, 3.0):
        assert_alike(trained(small(), loss="mine"), trained(small(), compiled=False, loss="mine"))


def test_a_rule_that_is_replaced_in_the_sheet_is_traced_anew(
    traced: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small()
    trained(model)
    monkeypatch.setitem(SHEET, "tanh", replace(SHEET["tanh"]))
    trained(model)
    trained(small())
    assert len(traced) == 4


def test_parameters_that_are_not_trained_stay_where_they_are() -> None:
    for model, twin in ((small(), small()), (small(), small())):
        for one, way in ((model, True), (twin, False)):
            some = one.layers[1].parameters()
            trained(one, way, optimizer=SGD(some, lr=0.1), lr=None)
        assert_alike([list(model.state_dict().values())], [list(twin.state_dict().values())])


def test_a_program_that_turns_out_wrong_is_forgotten(traced: list[Any]) -> None:
    trained(small())
    ((key, (_, places)),) = [entry for entry in programs._of_forms.items() if entry[0][1][0] != "outputs"]
    trained(small("relu"))
    wrong = next(step for other, (step, _) in programs._of_forms.items() if other[1] == key[1] and other != key)
    programs._of_forms[key] = wrong, places
    before = len(traced)
    assert_alike(trained(small()), trained(small(), compiled=False))
    assert len(traced) == before + 1
    assert programs._of_forms[key][0] is not wrong


def test_models_of_one_form_are_trained_side_by_side() -> None:
    expected = [trained(MLP(2, [4, 3, 1], seed=seed), compiled=False) for seed in range(4)]
    found: list[Any] = [None] * 4

    def work(seed: int) -> None:
        found[seed] = trained(MLP(2, [4, 3, 1], seed=seed))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(found, expected, strict=True):
        assert_alike(one, other)


def test_what_is_kept_for_a_form_is_little_and_holds_no_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_of_forms", OrderedDict())
    for size in range(1, programs.FORMS + 3):
        predict(MLP(2, [size], seed=0), TABLE)
    assert len(programs._of_forms) == programs.FORMS
    model = small()
    trained(model)
    p = model.parameters()[0]
    del model
    gc.collect()
    assert sys.getrefcount(p) == 2
