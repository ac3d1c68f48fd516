"""The playground without a page: its losses are those of `fit`, its shuffle is Python's, bad input is refused."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import numpy as np
import pytest

import nn
from autograd import TracingError, Value, exp
from autograd.ops import where
from nn import MLP, data, losses, optim
from tests.viz.javascript import NODE, joined, run
from viz import playground
from viz.live import playgrounds as room
from viz.live.training import border, names_of
from viz.live.units import Units

MODULES = ("ieee", "format", "playground-training", "playground-plots")


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> Any:
    return None if NODE else request.getfixturevalue("chromium")


def engine(made: Any) -> str:
    """The scripts of a playground, without its page."""
    return joined(*MODULES) + made._task.script


def trained(made: Any, epochs: int, browser: Any = None) -> list[float]:
    """The loss of each epoch, as the page computes it."""
    script = engine(made) + (
        "const trainer = new Trainer(PROGRAMS.loss, PROGRAMS.rules, DATA[0]); const losses = [];"
        "while (losses.length < DATA[1] && !trainer.stopped) if (trainer.step()) losses.push(trainer.loss);"
        "return losses;"
    )
    found: list[float] = run(script, [made._task.data(), epochs], browser)
    return found


MOONS = tuple(map(np.array, data.moons(60, seed=0)))
RULES: list[Any] = [
    lambda: optim.SGD(lr=0.1),
    lambda: optim.SGD(lr=0.03, momentum=0.9, nesterov=True, weight_decay=1e-3),
    lambda: optim.Adagrad(lr=0.05),
    lambda: optim.RMSprop(lr=0.01),
    lambda: optim.Adam(lr=0.02, amsgrad=True),
    lambda: optim.AdamW(lr=0.02),
    lambda: optim.NAdam(lr=0.02, weight_decay=1e-3),
    lambda: optim.Adam(lr=0.05, clip_norm=0.05),
]


@pytest.mark.parametrize("rule", range(len(RULES)))
def test_the_losses_of_fifty_epochs_are_those_of_fit(rule: int, browser: Any) -> None:
    X, y = MOONS
    model = MLP(2, [8, 8, 1], seed=rule)
    made = playground(model, X, y, loss=losses.binary_cross_entropy, optimizer=RULES[rule](), seed=rule)
    before = [p.data for p in model.parameters()]
    found = trained(made, 50, browser)
    assert [p.data for p in model.parameters()] == before  # the page has parameters of its own
    history = nn.fit(model, X, y, loss="binary_cross_entropy", optimizer=RULES[rule](), epochs=50, batch_size=10,
                     seed=rule, progress=False)  # fmt: skip
    assert np.abs(np.array(found) - history["loss"]).max() <= 1e-9
    assert found[-1] < found[0]


def several() -> list[tuple[str, Any, Any, Any, Any]]:
    """Unlike cases: name, model, X, y, loss."""
    rng, mean_square = np.random.default_rng(0), losses.squared_error
    plane, line = rng.normal(size=(33, 2)), np.linspace(-2, 2, 31)
    three = rng.integers(0, 3, 33)
    conv = nn.Sequential(nn.Conv2d(1, 2, 3, activation="relu", seed=0), nn.Flatten(), nn.Layer(8, 3, seed=1))
    return [
        ("classes by cross-entropy", MLP(2, [5, 3], seed=0), plane, three, losses.cross_entropy),
        ("classes by hinge", MLP(2, [5, 3], activation="relu", seed=0), plane, three, losses.hinge),
        ("±1 by hinge", MLP(2, [4, 1], seed=0), plane, np.sign(plane[:, 0]), losses.hinge),
        ("one-hot", MLP(2, [4, 3], output="sigmoid", seed=0), plane, np.eye(3)[three], losses.squared_error),
        ("a curve", MLP(1, [6, 1], seed=0), line, np.sin(line), losses.squared_error),
        ("several numbers", MLP(3, [4, 2], seed=0), rng.normal(size=(20, 3)), rng.normal(size=(20, 2)), mean_square),
        ("images", conv, rng.normal(size=(12, 1, 4, 4)), three[:12], losses.cross_entropy),
    ]  # fmt: skip


@pytest.mark.parametrize("case", range(7))
def test_so_they_are_for_other_tasks_and_batches(case: int, browser: Any) -> None:
    _, model, X, y, loss = several()[case]
    size = [None, 1, 7, 10, 31, 8, 5][case]
    made = playground(model, X, y, loss=loss, optimizer=optim.SGD(lr=0.05), batch_size=size, seed=10**12 + case)
    found = trained(made, 8, browser)
    history = nn.fit(model, X, y, loss=loss, optimizer=optim.SGD(lr=0.05), epochs=8, batch_size=size,
                     seed=10**12 + case, progress=False)  # fmt: skip
    np.testing.assert_allclose(found, history["loss"], rtol=0, atol=1e-11)


def test_any_model_that_compiles_will_do_and_any_optimiser_with_a_rule(browser: Any) -> None:
    """Neither is of `nn`: a curve by hand, learned by a rule that is written here."""
    a, b = Value(0.5), Value(0.1)

    def bump(x: Any) -> Value:
        return a * exp(-((x[0] - b) ** 2))

    class Signs:
        """Steps of one length, by the sign of the gradient."""

        lr, parameters, memory_starts = 0.05, (a, b), dict[str, float]()

        def rule(self, w: Any, g: Any, lr: float, t: int) -> tuple[Any, ...]:
            return (w - lr * where(g > 0.0, 1.0, -1.0),)

    x = np.linspace(-2, 2, 21)
    y = 2.0 * np.exp(-((x - 1.0) ** 2))
    made = playground(bump, x, y, loss=lambda out, t: (out - t) ** 2, optimizer=Signs(), batch_size=None)
    found = trained(made, 40, browser)
    a1, b1, expected = 0.5, 0.1, []
    for _ in range(40):  # the same by hand
        e = np.exp(-((x - b1) ** 2))
        r = a1 * e - y
        expected.append((r**2).mean())
        ga, gb = (2 * r * e).mean(), (2 * r * a1 * e * 2 * (x - b1)).mean()
        a1, b1 = a1 - 0.05 * np.where(ga > 0, 1, -1), b1 - 0.05 * np.where(gb > 0, 1, -1)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-25)


def test_an_optimiser_that_is_bound_to_some_parameters_moves_only_these(browser: Any) -> None:
    X, y = MOONS
    model = MLP(2, [4, 1], seed=0)
    some = model.parameters()[3:9]
    made = playground(model, X, y, loss=losses.binary_cross_entropy, optimizer=optim.SGD(some, lr=0.1))
    found = trained(made, 5, browser)
    history = nn.fit(model, X, y, loss="binary_cross_entropy", optimizer=optim.SGD(some, lr=0.1), epochs=5,
                     batch_size=10, progress=False)  # fmt: skip
    np.testing.assert_allclose(found, history["loss"], rtol=0, atol=1e-12)


def test_the_shuffle_is_pythons_own(browser: Any) -> None:
    seeds = [0, 1, 7, 2**31, 2**32, 2**32 + 5, 2**52 + 1, -3]
    script = joined("playground-training") + (
        "return DATA.map((seed) => { const random = new Twister(seed); return [1, 2, 3, 10, 200, 1000].map((n) => {"
        "const list = Int32Array.from({ length: n }, (_, i) => i); random.shuffle(list); return [...list]; }); });"
    )
    found = run(script, seeds, browser)
    for seed, lists in zip(seeds, found, strict=True):
        generator = random.Random(seed)
        for n, got in zip([1, 2, 3, 10, 200, 1000], lists, strict=True):
            wanted = list(range(n))
            generator.shuffle(wanted)
            assert got == wanted, (seed, n)


def test_what_is_not_finite_stops_it_and_moves_nothing(browser: Any) -> None:
    X, y = MOONS
    made = playground(MLP(2, [4, 1], seed=0), X, y * 2.0 - 1, loss=losses.squared_error, optimizer=optim.SGD(lr=1e200))
    script = engine(made) + (
        "const trainer = new Trainer(PROGRAMS.loss, PROGRAMS.rules, DATA);"
        "for (let k = 0; k < 9 && !trainer.stopped; k += 1) trainer.step();"
        "return [trainer.stopped, trainer.w.every(Number.isFinite)];"
    )
    stopped, finite = run(script, made._task.data(), browser)
    assert stopped in ("loss", "step") and finite


# --- what is shown of the network


def test_the_units_and_weights_are_those_of_the_layers() -> None:
    X, y = MOONS
    model = MLP(2, [3, 4, 1], seed=0)
    task = playground(model, X, y, loss=losses.binary_cross_entropy, optimizer=optim.SGD())._task
    layers = task.units.layers
    assert [len(layer) for layer in layers] == [2, 3, 4, 1]
    assert [layer[0].name for layer in layers] == ["", "tanh", "tanh", ""]
    theta = task.outputs.theta
    for layer, units in zip(model.layers, layers[1:], strict=True):
        for neuron, unit in zip(layer.neurons, units, strict=True):
            assert [theta[at] for _, at in unit.weights] == [w.data for w in neuron.w]
            assert theta[unit.bias] == neuron.b.data
    assert [source for source, _ in layers[2][0].weights] == [2, 3, 4]


def test_a_skip_connection_leads_past_the_layer() -> None:
    w, v = [Value(0.5), Value(-0.4)], [Value(0.3), Value(0.2)]

    def model(x: Any) -> Any:
        h = [x[k] + (w[k] * x[0] + w[1 - k] * x[1]).tanh() for k in (0, 1)]
        return v[0] * h[0] + v[1] * h[1]

    task = playground(model, np.eye(2), [0.5, 1.5], loss=losses.squared_error, optimizer=optim.SGD())._task
    assert [len(layer) for layer in task.units.layers] == [2, 2, 1]
    assert {s for s, _ in task.units.all[-1].weights} == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("loss", "classes", "expected"),
    [
        (losses.binary_cross_entropy, (0, 1), (0.0, 0.5)),
        (losses.squared_error, (0, 1), (0.5, 2.0)),
        (losses.squared_error, (-1, 1), (0.0, 1.0)),
        (losses.hinge, (-1, 1), (0.0, 1.0)),
        (losses.perceptron, (-1, 1), (0.0, 1.0)),
        (lambda s, t: abs(s - t), (3, 7), (5.0, 0.5)),
    ],
)
def test_two_classes_meet_where_their_losses_are_equal(loss: Any, classes: Any, expected: Any) -> None:
    assert border(loss, classes) == pytest.approx(expected)


def test_optimisers_of_one_kind_are_told_apart() -> None:
    several = [
        optim.SGD(lr=0.1),
        optim.SGD(lr=0.01, momentum=0.9),
        optim.Adam(),
        optim.RMSprop(lr=0.1),
        optim.RMSprop(),
    ]
    names = names_of(several)
    assert names[0] == "SGD" and names[1] == "SGD, momentum 0.9" and names[2] == "Adam"
    assert len(set(names)) == 5


# --- what is refused


X, Y = MOONS


@pytest.mark.parametrize(
    ("changes", "kind", "told"),
    [
        ({"y": Y[:-1]}, ValueError, "60 examples need 60 targets, but y has 59"),
        ({"X": []}, ValueError, "X must hold a row for each of at least one example"),
        ({"X": [[1.0, 2.0], [3.0]]}, ValueError, "its lists are not all as long"),
        ({"X": [["a", "b"]] * 60}, TypeError, "X must hold real numbers"),
        ({"X": np.where(X > 1.5, np.nan, X)}, ValueError, r"every number must be finite, but X\["),
        ({"y": list("ab" * 30)}, TypeError, "y must hold real numbers"),
        ({"loss": "cross_entropy"}, TypeError, "a loss is a function .* but got 'cross_entropy'"),
        ({"optimizer": "adam"}, TypeError, "an optimiser is an object, such as .* but got 'adam'"),
        ({"optimizer": optim.Adam}, TypeError, "but got Adam"),
        ({"optimizer": []}, ValueError, "at least one optimiser"),
        ({"optimizer": optim.SGD(lr=lambda t: 0.1)}, ValueError, "not a schedule"),
        ({"optimizer": optim.SGD(noise=(0.1, 0.5))}, ValueError, "without noise"),
        ({"optimizer": optim.Newton()}, ValueError, "Newton has no rule"),
        ({"optimizer": optim.SGD(MLP(2, [1], seed=0).parameters())}, ValueError, "parameters of another model"),
        ({"model": 3}, TypeError, "a model that can be called"),
        ({"model": lambda x: x[0] * 2.0}, ValueError, "no parameters"),
        ({"loss": lambda output, t: (t - 1.0) ** 2}, ValueError, "does not depend on any parameter"),
        ({"batch_size": 0}, ValueError, "batch_size must be an int of at least 1"),
        ({"seed": 1.5}, TypeError, "seed must be a whole number"),
        ({"names": ["x"]}, ValueError, "a name for each of the 2 inputs"),
        ({"labels": "ab"}, ValueError, "a name for each of the 2 classes"),
        ({"theme": "blue"}, ValueError, "theme must be one of"),
        ({"model": MLP(2, [3, 2], seed=0), "loss": losses.cross_entropy, "y": Y + 1}, ValueError, "the classes 1, 2"),
        ({"epochs": 3}, TypeError, "playground has no option epochs=3"),
    ],
)  # fmt: skip
def test_bad_input_is_told(changes: dict[str, Any], kind: type[Exception], told: str) -> None:
    given = {"model": MLP(2, [2, 1], seed=0), "X": X, "y": Y, "loss": losses.binary_cross_entropy,
             "optimizer": optim.SGD()} | changes  # fmt: skip
    with pytest.raises(kind, match=told):
        playground(given.pop("model"), given.pop("X"), given.pop("y"), **given)


def test_a_model_that_does_not_compile_is_told_with_the_compilers_reason() -> None:
    w = Value(1.0)

    def model(x: Any) -> Any:
        return w * x[0] if x[0] > x[1] else w

    with pytest.raises(TracingError, match=r"needs a model that compiles.*test_playground.py:\d+.*use where"):
        playground(model, X, Y, loss=losses.squared_error, optimizer=optim.SGD())


@pytest.mark.parametrize(
    ("outputs", "classes"), [(3, [1]), (3, [1] * 20), (12, [k % 12 for k in range(24)]), (30, [3, 29, 3, 7])],
    ids=["one example", "one class", "twelve classes", "thirty"],
)  # fmt: skip
def test_with_several_outputs_each_is_a_class_whatever_the_examples_show(
    outputs: int, classes: list[int], browser: Any
) -> None:
    rng = random.Random(0)
    points = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in classes]
    model = MLP(2, [3, outputs], seed=0)
    made = playground(model, points, classes, loss=losses.cross_entropy, optimizer=optim.SGD(lr=0.1))
    history = nn.fit(model, points, classes, loss=losses.cross_entropy, optimizer=optim.SGD(lr=0.1), epochs=3,
                     batch_size=10, progress=False)  # fmt: skip
    np.testing.assert_allclose(trained(made, 3, browser), history["loss"], rtol=1e-9)
    data = made._task.data()
    assert data["kind"] == "plane" and data["labels"] == [str(k) for k in range(outputs)]
    assert data["shown"] == classes and data["targets"][0] == [1.0] + [0.0] * (outputs - 1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_colours_of_many_classes_are_unlike(theme: str) -> None:
    def parts(text: str) -> np.ndarray[Any, Any]:
        return np.array([int(text[k : k + 2], 16) for k in (1, 3, 5)], dtype=float)

    colours = [parts(room.colour(k, theme)) for k in range(40)]
    for k, one in enumerate(colours):
        for other in colours[k + 1 : k + 4]:  # neighbours differ clearly
            assert np.abs(one - other).sum() > 60, k
    assert len({tuple(c) for c in colours}) == 40


@pytest.mark.parametrize("width", [1, 2])
def test_a_column_of_targets_is_seen_as_a_list_of_them_is(width: int, browser: Any) -> None:
    points = X[:, :width]
    for loss, y in ((losses.squared_error, points[:, 0] * 1.5), (losses.binary_cross_entropy, Y)):
        flat, column = (
            playground(MLP(width, [3, 1], seed=0), points, t, loss=loss, optimizer=optim.SGD(lr=0.05))
            for t in (y, y.reshape(-1, 1))
        )
        seen = [{key: made._task.data()[key] for key in ("kind", "style", "shown", "box", "border", "labels")}
                for made in (flat, column)]  # fmt: skip
        assert seen[0] == seen[1] and seen[0]["kind"] == ("plane" if width == 2 else "line")
        np.testing.assert_allclose(trained(column, 2, browser), trained(flat, 2, browser), rtol=1e-12)


def test_a_loss_that_asks_for_the_class_is_written_out_for_each_class(browser: Any) -> None:
    """A program cannot ask `if t == 1`, and a Value's answer would be no for all: that must not go unseen."""

    def loss(output: Any, t: Any) -> Any:
        return (output - 3.0) ** 2 if t == 1 else (output + 1.0) ** 2

    model = MLP(2, [3, 1], seed=0)
    made = playground(model, X, Y, loss=loss, optimizer=optim.SGD(lr=0.01))
    found = trained(made, 3, browser)
    history = nn.fit(model, X, Y, loss=loss, optimizer=optim.SGD(lr=0.01), epochs=3, batch_size=10, compiled=False,
                     progress=False)  # fmt: skip
    np.testing.assert_allclose(found, history["loss"], rtol=1e-12)


def test_a_program_beyond_a_megabyte_is_refused_and_the_reason_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_BYTES", 3_000)
    with pytest.raises(
        ValueError, match=r"the program of this model is 0\.0 MB long.*repeat too little to become loops"
    ):
        playground(MLP(2, [8, 8, 1], seed=0), X, Y, loss=losses.binary_cross_entropy, optimizer=optim.SGD())


def test_the_width_of_a_layer_costs_no_program() -> None:
    scripts = []
    for width in (4, 64):
        model = MLP(2, [width, width, 1], seed=0)
        script = playground(model, X, Y, loss=losses.binary_cross_entropy, optimizer=optim.SGD())._task.script
        scripts.append(re.sub(r"\d+", "0", script))  # what differs are sizes and places
    assert scripts[0] == scripts[1]
    assert len(script) < 7_000


# --- where no script runs


def test_nothing_in_names_and_labels_gets_out_of_its_place() -> None:
    attack = "</script><script>alert(1)</script><!--<script>\"'&]]>"
    model = MLP(2, [2, 1], seed=0)
    made = playground(model, X, Y, loss=losses.binary_cross_entropy, optimizer=optim.SGD(), names=[attack, attack],
                      labels=[attack, attack], title=attack)  # fmt: skip
    html = made.to_html()
    assert html.count("<script") == html.count("</script>") == 2
    assert "alert(1)</script>" not in html
    data = html.split('<script type="application/json">')[1].split("</script>")[0]
    assert json.loads(data)["labels"] == [attack, attack]


def test_without_a_script_there_is_a_picture_of_the_examples_and_the_regions() -> None:
    model = MLP(2, [2, 1], seed=0)
    made = playground(model, X, Y, loss=losses.binary_cross_entropy, optimizer=optim.SGD())
    svg = made._task.still("light")
    assert (svg.count("<circle"), svg.count(' at" x=')) == (30, 30)
    assert {"k0", "k1"} <= {part.split('"')[0] for part in svg.split('<rect class="')}
    bundle = made._repr_mimebundle_()
    assert 'src="data:image/svg+xml,' in bundle["text/html"]
    assert "2 → 2 → 1 of 9 parameters, and 60 examples" in bundle["text/plain"]


def test_it_is_saved_as_a_page_and_as_nothing_else(tmp_path: Any) -> None:
    made = playground(MLP(2, [1], seed=0), X, Y, loss=losses.binary_cross_entropy, optimizer=optim.SGD())
    assert made.save(tmp_path / "page.html").read_text(encoding="utf-8") == made.to_html()
    with pytest.raises(ValueError, match=r"must be \.html"):
        made.save(tmp_path / "page.png")
    with pytest.raises(AttributeError, match="a Playground has no show"):
        made.show  # noqa: B018


def test_of_many_units_there_is_a_summary_and_of_images_the_weights_as_images() -> None:
    rng = np.random.default_rng(0)
    model = MLP(64, [32, 10], seed=0)
    task = playground(model, rng.random((20, 64)), rng.integers(0, 10, 20), loss=losses.cross_entropy,
                      optimizer=optim.SGD())._task  # fmt: skip
    data = task.data()
    assert data["network"] is None and data["kind"] == "other" and len(data["labels"]) == 10
    assert [(layer["units"], layer["weights"]) for layer in data["layers"]] == [(64, 0), (32, 2048), (10, 320)]
    assert [task.outputs.theta[at] for at in data["layers"][1]["tiles"][3]] == [
        w.data for w in model.layers[0].neurons[3].w
    ]
    assert isinstance(task.units, Units)


def test_of_a_wide_network_on_the_plane_there_is_what_its_units_see() -> None:
    model = MLP(2, [70, 5, 1], seed=0)
    task = playground(model, X, Y, loss=losses.binary_cross_entropy, optimizer=optim.SGD())._task
    assert task.data()["network"] is None
    assert [len(layer.get("at", [])) for layer in task.data()["layers"]] == [0, 64, 5, 1]
