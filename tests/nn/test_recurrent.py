"""Recurrent cells, unrolling in time, truncated backpropagation, and the tasks that need a memory."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, gradcheck, topological_order
from nn import Adam, GRUCell, Layer, LSTMCell, Recurrent, RNNCell, accuracy, data, fit, predict, unroll
from nn.lessons import sequences
from nn.module import ModelFormatError
from nn.recurrent import Cell, gradient_by_distance
from viz import draw_graph

CELLS = [RNNCell, LSTMCell, GRUCell]
Make = Callable[..., Cell]


def random_biases(cell: Cell, seed: int) -> None:
    """So that a bias that is forgotten, or added in the wrong place, shows."""
    rng = random.Random(seed)
    for name, p in cell.named_parameters():
        if name.endswith(".b"):
            p.data = rng.uniform(-1.0, 1.0)


def numbers(rng: random.Random, n: int) -> list[float]:
    return [rng.uniform(-1.0, 1.0) for _ in range(n)]


def arrays(layer: Any) -> tuple[Any, Any]:
    neurons = layer.neurons
    return np.array([[w.data for w in n.w] for n in neurons]), np.array([n.b.data for n in neurons])


def sigmoid(z: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-z))


# --- the formulas


def numpy_step(cell: Cell, x: Any, state: Any) -> Any:
    """The formulas of the module's docstring, on arrays."""
    if isinstance(cell, RNNCell):
        w, b = arrays(cell)
        return np.tanh(w @ np.concatenate([x, state]) + b)
    if isinstance(cell, LSTMCell):
        h, c = state
        both = np.concatenate([x, h])
        i, f, g, o = (w @ both + b for w, b in map(arrays, (cell.input, cell.forget, cell.content, cell.output)))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    assert isinstance(cell, GRUCell)
    both = np.concatenate([x, state])
    (wr, br), (wz, bz), (w, b), (u, d) = map(arrays, (cell.reset, cell.update, cell.content, cell.memory))
    r, z = sigmoid(wr @ both + br), sigmoid(wz @ both + bz)
    n = np.tanh(w @ x + b + r * (u @ state + d))
    return (1.0 - z) * n + z * state


@pytest.mark.parametrize("make", CELLS)
def test_a_cell_computes_its_formula_step_after_step_from_a_state_of_zeros(make: Make) -> None:
    cell = make(2, 3, seed=1)
    random_biases(cell, 2)
    xs = [numbers(random.Random(t), 2) for t in range(6)]
    outputs, last = unroll(cell, xs)
    state: Any = (np.zeros(3), np.zeros(3)) if make is LSTMCell else np.zeros(3)
    for x, h in zip(xs, outputs, strict=True):
        state = numpy_step(cell, np.array(x), state)
        assert np.allclose([v.data for v in h], state[0] if make is LSTMCell else state, rtol=0, atol=1e-14)
    if make is LSTMCell:
        assert last[0] is outputs[-1]
        assert np.allclose([v.data for v in last[1]], state[1], rtol=0, atol=1e-14)
    else:
        assert last is outputs[-1]


@pytest.mark.parametrize("make", CELLS)
def test_gradients_through_time_agree_with_central_differences(make: Make) -> None:
    cell = make(2, 2, seed=3)
    xs = [numbers(random.Random(t), 2) for t in range(4)]

    def loss(*parameters: Value) -> Value:
        outputs, _ = unroll(cell, xs)
        return sum((h[0] * h[1] + h[0] for h in outputs[1:]), outputs[0][1] * 1.0)

    assert gradcheck(loss, cell.parameters())


def copy_from_torch(theirs: Any, ours: Cell) -> None:
    """PyTorch stacks its gates' weights; the two biases of a gate are added, except in the GRU's new content."""
    w, u = theirs.weight_ih.detach().numpy(), theirs.weight_hh.detach().numpy()
    b, d = theirs.bias_ih.detach().numpy(), theirs.bias_hh.detach().numpy()
    n = ours.hidden_size

    def put(layer: Any, weights: Any, biases: Any) -> None:
        for neuron, row, bias in zip(layer.neurons, weights, biases, strict=True):
            neuron.b.data = bias
            for p, x in zip(neuron.w, row, strict=True):
                p.data = x

    for k, layer in enumerate(gates(ours)):
        rows = slice(k * n, (k + 1) * n)
        put(layer, np.hstack([w[rows], u[rows]]), b[rows] + d[rows])
    if isinstance(ours, GRUCell):
        put(ours.content, w[2 * n :], b[2 * n :])
        put(ours.memory, u[2 * n :], d[2 * n :])


def gates(cell: Cell) -> list[Any]:
    """In PyTorch's order."""
    if isinstance(cell, LSTMCell):
        return [cell.input, cell.forget, cell.content, cell.output]
    return [cell.reset, cell.update] if isinstance(cell, GRUCell) else [cell]


def gradients_in_torchs_order(cell: Cell) -> tuple[Any, Any, Any, Any]:
    def grads(layer: Any) -> tuple[Any, Any]:
        return np.array([[p.grad for p in n.w] for n in layer.neurons]), np.array([n.b.grad for n in layer.neurons])

    w, b = map(np.concatenate, zip(*map(grads, gates(cell)), strict=True))
    w, u, d = w[:, : cell.input_size], w[:, cell.input_size :], b
    if isinstance(cell, GRUCell):
        (wn, bn), (un, dn) = grads(cell.content), grads(cell.memory)
        w, u, b, d = np.vstack([w, wn]), np.vstack([u, un]), np.append(b, bn), np.append(d, dn)
    return w, u, b, d


@pytest.mark.parametrize("make", CELLS)
def test_values_and_gradients_over_20_steps_agree_with_pytorch(make: Make) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(4)
    ours = make(3, 4)
    theirs = getattr(torch.nn, type(ours).__name__)(3, 4, dtype=torch.float64)
    copy_from_torch(theirs, ours)
    rng = np.random.default_rng(5)
    X, weights = rng.normal(size=(20, 3)), rng.normal(size=(20, 4))
    start = [rng.normal(size=4) for _ in range(1 + (make is LSTMCell))]

    tx = torch.tensor(X, requires_grad=True)
    ts = [torch.tensor(s, requires_grad=True) for s in start]
    state: Any = tuple(s[None] for s in ts) if make is LSTMCell else ts[0][None]
    expected, loss = [], torch.zeros((), dtype=torch.float64)
    for t in range(20):
        state = theirs(tx[t][None], state)
        h = (state[0] if make is LSTMCell else state)[0]
        expected.append(h.detach().numpy())
        loss = loss + (torch.tensor(weights[t]) * h).sum()
    loss.backward()

    xs = [[Value(x) for x in row] for row in X]
    parts = [[Value(x) for x in s] for s in start]
    outputs, _ = unroll(ours, xs, tuple(parts) if make is LSTMCell else parts[0])
    assert np.allclose([[v.data for v in h] for h in outputs], expected, rtol=0, atol=1e-10)
    total = sum(weights[t][k] * outputs[t][k] for t in range(20) for k in range(4))
    total.backward()
    found = gradients_in_torchs_order(ours)
    for mine, p in zip(found, (theirs.weight_ih, theirs.weight_hh, theirs.bias_ih, theirs.bias_hh), strict=True):
        assert np.allclose(mine, p.grad.numpy(), rtol=0, atol=1e-10)
    assert np.allclose([[v.grad for v in row] for row in xs], tx.grad.numpy(), rtol=0, atol=1e-10)
    for part, s in zip(parts, ts, strict=True):
        assert np.allclose([v.grad for v in part], s.grad.numpy(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("make", CELLS)
def test_weights_start_uniform_in_one_over_the_root_of_the_hidden_size_and_follow_the_seed(make: Make) -> None:
    cell = make(3, 16, seed=7)
    weights = [p.data for p in cell.weights()]
    assert max(map(abs, weights)) <= 0.25
    assert np.var(weights) == pytest.approx(0.25**2 / 3, rel=0.15)
    assert cell.state_dict() == make(3, 16, seed=7).state_dict() != make(3, 16, seed=8).state_dict()
    others = [p.data for name, p in cell.named_parameters() if name.endswith(".b") and "forget" not in name]
    assert set(others) == {0.0}


def test_the_forget_gates_bias_starts_where_one_says() -> None:
    assert {n.b.data for n in LSTMCell(1, 4).forget.neurons} == {1.0}
    cell = LSTMCell(1, 4, forget_bias=-2.0)
    assert {n.b.data for n in cell.forget.neurons} == {-2.0}
    assert {n.b.data for n in cell.input.neurons} == {0.0}


def test_only_the_sizes_of_a_cell_go_by_place() -> None:
    """The third argument would be another one in each cell."""
    for cell in (RNNCell, LSTMCell, GRUCell):
        with pytest.raises(TypeError, match="positional"):
            cell(2, 3, 0)  # type: ignore[misc]


def test_a_cell_has_the_number_of_parameters_that_its_formula_says() -> None:
    assert len(RNNCell(3, 5).parameters()) == 5 * (3 + 5 + 1)
    assert len(LSTMCell(3, 5).parameters()) == 4 * 5 * (3 + 5 + 1)
    assert len(GRUCell(3, 5).parameters()) == 3 * 5 * (3 + 5 + 1) + 5


# --- unrolling


@pytest.mark.parametrize("make", CELLS)
def test_a_sequence_in_two_parts_goes_on_from_the_state_of_the_first(make: Make) -> None:
    cell = make(1, 3, seed=0)
    xs = numbers(random.Random(1), 7)
    whole, _ = unroll(cell, xs)
    first, state = unroll(cell, xs[:4])
    second, _ = unroll(cell, xs[4:], state)
    assert [[v.data for v in h] for h in first + second] == [[v.data for v in h] for h in whole]


def test_any_function_of_an_input_and_a_state_can_be_unrolled() -> None:
    outputs, last = unroll(lambda x, s: [s[0] + x, s[1] * x], [1.0, 2.0, 3.0], [Value(0.0), Value(1.0)])
    assert [[v.data for v in h] for h in outputs] == [[1.0, 1.0], [3.0, 2.0], [6.0, 6.0]]
    assert [v.data for v in last] == [6.0, 6.0]


def test_the_nodes_of_a_step_are_filed_under_its_time_and_the_parameters_under_the_cell() -> None:
    model = Recurrent(LSTMCell(1, 2, seed=0), Layer(2, 1, "linear", seed=0))
    y = model([1.0, 2.0, 3.0])
    scopes = {node.scope.split(".neurons")[0] for node in topological_order(y) if node.inputs}
    expected = {f"time.{t}" for t in range(3)}
    expected |= {f"time.{t}.{gate}" for t in range(3) for gate in ("input", "forget", "content", "output")} | {"head"}
    assert scopes == expected
    assert {p.scope for p in model.cell.parameters()} == {
        f"cell.{gate}.neurons.{k}" for gate in ("input", "forget", "content", "output") for k in range(2)
    }


def test_the_unrolled_picture_is_framed_by_time_step_and_folds_into_one_box_per_step() -> None:
    outputs, _ = unroll(RNNCell(1, 2, seed=0), [1.0, 0.5, -0.3])
    root = outputs[-1][0] + outputs[-1][1]
    picture = draw_graph(root).svg
    for t in range(3):
        assert f">time.{t}<" in picture
    folded = draw_graph(root, depth=0).svg
    for t in range(3):
        assert re.search(rf">time\.{t}<.*\n.*>2 neurons<.*\n.*>14 nodes<", folded)
    single, _ = unroll(RNNCell(1, 1, seed=0), [Value(1.0, "x0"), Value(0.5, "x1"), Value(-0.3, "x2")])
    picture = draw_graph(single[-1][0]).svg
    for t in range(3):
        assert f">time.{t}.neurons.0<" in picture


# --- truncated backpropagation through time


@pytest.mark.parametrize("make", CELLS)
def test_truncation_leaves_the_numbers_and_cuts_the_gradient_as_a_fresh_start_would(make: Make) -> None:
    cell = make(1, 3, seed=1)
    xs = [Value(x) for x in numbers(random.Random(2), 8)]
    whole, _ = unroll(cell, xs)
    cut, _ = unroll(cell, xs, truncate=3)
    assert [[v.data for v in h] for h in cut] == [[v.data for v in h] for h in whole]
    sum(v for h in cut for v in h).backward()
    found, by_input = [p.grad for p in cell.parameters()], [x.grad for x in xs]
    cell.zero_grad()
    state, fresh = None, [Value(x.data) for x in xs]
    for start in (0, 3, 6):  # each part on its own, from the numbers with which the one before ended
        if state is not None:
            lists = state if make is LSTMCell else (state,)
            lists = tuple([Value(v.data) for v in part] for part in lists)
            state = lists if make is LSTMCell else lists[0]
        outputs, state = unroll(cell, fresh[start : start + 3], state)
        sum(v for h in outputs for v in h).backward()
    assert np.allclose(found, [p.grad for p in cell.parameters()], rtol=0, atol=1e-14)
    assert np.allclose(by_input, [x.grad for x in fresh], rtol=0, atol=1e-14)


def test_with_a_loss_at_the_end_only_the_last_part_gets_a_gradient() -> None:
    xs = [Value(x) for x in numbers(random.Random(3), 7)]
    outputs, _ = unroll(RNNCell(1, 2, seed=0), xs, truncate=3)
    outputs[-1][0].backward()
    assert [x.grad != 0.0 for x in xs] == [False] * 6 + [True]
    assert sum(node.op == "detach" for node in topological_order(outputs[-1][0])) == 4
    outputs, _ = unroll(RNNCell(1, 2, seed=0), xs, truncate=7)
    assert not any(node.op == "detach" for node in topological_order(outputs[-1][0]))


@pytest.mark.parametrize("backend", ["numpy", "python"])
@pytest.mark.parametrize("make", CELLS)
def test_a_truncated_network_compiles_and_its_gradients_stop_there_too(make: Make, backend: str) -> None:
    model = Recurrent(make(1, 2, seed=0), Layer(2, 1, "linear", seed=1), truncate=4)
    X = [[[x] for x, _ in sequence] for sequence in sequences.adding(5, 10, seed=2)[0]]
    y = [sequence[0][0] for sequence in X]
    step = ag.compile(lambda x, t: (model(x) - t) ** 2, X[0], y[0], backend=backend)
    step(X, y)
    for x, t in zip(X, y, strict=True):
        ((model(x) - t) ** 2).backward(1 / 5)
    assert np.allclose([p.grad for p in step.parameters], step.gradient, rtol=0, atol=1e-14)


def test_a_state_that_is_cut_by_hand_would_be_frozen_and_is_refused_by_the_compiler() -> None:
    cell, x = RNNCell(1, 2, seed=0), [0.3, -0.2]

    def by_hand(xs: Any) -> Any:
        _, state = unroll(cell, xs[:1])
        outputs, _ = unroll(cell, xs[1:], [Value(h.data) for h in state])
        return outputs[-1][0]

    with pytest.raises(ag.TracingError):
        ag.compile(by_hand, x, backend="numpy")


@pytest.mark.parametrize("make", [RNNCell, GRUCell])
def test_the_state_may_be_given_by_its_name(make: Make) -> None:
    cell, h = make(1, 2, seed=0), [0.5, -0.25]
    assert [s.data for s in cell([1.0], state=h)] == [s.data for s in cell([1.0], h)]


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("make", CELLS)
def test_each_step_has_its_frame_and_inputs_stand_out_of_their_way(make: Make, labelled: bool) -> None:
    xs = [[Value(0.5, f"x{t}" if labelled else "")] for t in range(3)]
    outputs, _ = unroll(make(1, 2, seed=0), xs)
    for depth in (1, 2):
        svg = draw_graph(outputs[-1][0] + outputs[-1][1], depth=depth).svg
        assert [f"time.{t}" for t in range(3) if f">time.{t}</text>" in svg] == ["time.0", "time.1", "time.2"]


# --- compiled


def test_20_steps_compile_to_one_matrix_product_per_step_whatever_the_width() -> None:
    lines = {}
    for width in (3, 12):
        model = Recurrent(RNNCell(2, width, seed=0), Layer(width, 1, "linear", seed=1))
        X, y = sequences.adding(6, 20, seed=3)
        step = ag.compile(lambda x, t, model=model: (model(x) - t) ** 2, X[0], y[0], backend="numpy")
        loss = step(X, y)
        eager = [(model(x) - t) ** 2 for x, t in zip(X, y, strict=True)]
        assert loss == pytest.approx(sum(e.data for e in eager) / 6, rel=1e-13)
        for e in eager:
            e.backward(1 / 6)
        assert np.allclose([p.grad for p in step.parameters], step.gradient, rtol=0, atol=1e-13)
        lines[width] = step.source.count("\n")
    assert lines[3] == lines[12] <= 6 * 20


# --- the vanishing gradient


@settings(deadline=None, max_examples=50)
@given(st.floats(-2.0, 2.0), st.integers(1, 12))
def test_in_a_linear_network_of_one_unit_the_gradient_is_the_weight_to_the_power_of_the_distance(
    w: float, length: int
) -> None:
    cell = RNNCell(1, 1, activation="linear", seed=0)
    cell.neurons[0].w[1].data = w
    found = gradient_by_distance(cell, [0.5] * length)
    assert found == pytest.approx([abs(w) ** d for d in range(length)], rel=1e-12, abs=1e-300)


def test_in_a_tanh_network_each_step_back_multiplies_by_the_weight_and_the_slope() -> None:
    cell = RNNCell(1, 1, activation="tanh", seed=0)
    w, u = 0.7, 0.9
    cell.neurons[0].w[0].data, cell.neurons[0].w[1].data = w, u
    xs = numbers(random.Random(0), 30)
    h, slopes = 0.0, []
    for x in xs:
        h = math.tanh(w * x + u * h)
        slopes.append(1.0 - h * h)
    expected = [1.0]
    for slope in reversed(slopes[1:]):
        expected.append(expected[-1] * abs(u) * slope)
    found = gradient_by_distance(cell, xs)
    assert found == pytest.approx(expected, rel=1e-12)
    assert found[29] <= 0.9**29, "at least as fast as the weight alone"


def test_in_an_lstm_the_gradient_lasts_longer_the_more_it_remembers() -> None:
    xs = numbers(random.Random(1), 40)
    left = {}
    for name, cell in {
        "rnn": RNNCell(1, 8, seed=0),
        "forgetful": LSTMCell(1, 8, forget_bias=-1.0, seed=0),
        "usual": LSTMCell(1, 8, seed=0),  # forget_bias=1
        "careful": LSTMCell(1, 8, forget_bias=4.0, seed=0),
    }.items():
        norms = gradient_by_distance(cell, xs)
        left[name] = norms[39] / norms[1]
    assert left["rnn"] < 1e-9  # 2.6e-11: nothing is left after 38 steps
    assert left["forgetful"] < 1e-12  # 1.6e-15, with f near σ(-1) = 0.27
    assert left["usual"] > 1e-3  # 4.4e-3, with f near σ(1) = 0.73
    assert left["careful"] > 1.0  # 60, with f near σ(4) = 0.98: the units' contributions add up along the way


def test_measuring_leaves_the_parameters_gradients_alone_and_takes_any_loss() -> None:
    cell = GRUCell(1, 2, seed=0)
    for p in cell.parameters():
        p.grad = 7.0
    ones = gradient_by_distance(cell, [1.0, 2.0, 3.0])
    threefold = gradient_by_distance(cell, [1.0, 2.0, 3.0], lambda h: 3.0 * (h[0] + h[1]))
    assert threefold == pytest.approx([3.0 * g for g in ones], rel=1e-14)
    assert {p.grad for p in cell.parameters()} == {7.0}
    assert ones[0] == pytest.approx(math.sqrt(2.0))
    with pytest.raises(TypeError, match="the loss must be a Value"):
        gradient_by_distance(cell, [1.0], lambda h: h[0].data)


# --- tasks with a known answer


def test_the_sequences_have_the_answers_and_the_baselines_that_they_promise() -> None:
    X, y = sequences.adding(2000, 9, seed=1)
    for sequence, t in zip(X, y, strict=True):
        marks = [step[1] for step in sequence]
        assert sum(marks[:4]) == sum(marks[4:]) == 1.0 and set(marks) == {0.0, 1.0}
        assert t == pytest.approx(sum(x * mark for x, mark in sequence), abs=1e-15)
    assert np.mean((np.array(y) - 1.0) ** 2) == pytest.approx(1 / 6, rel=0.1)
    assert {len(sequence) for sequence in X} == {9}
    assert sequences.adding(3, 4, seed=5) == sequences.adding(3, 4, seed=5) != sequences.adding(3, 4, seed=6)
    with pytest.raises(ValueError, match="length must be at least 2"):
        sequences.adding(3, 1)
    with pytest.raises(TypeError, match="length must be a whole number"):
        sequences.adding(3, 1.5)  # type: ignore[arg-type]


def adding_error(cell: Cell, length: int) -> float:
    """The mean squared error on unseen sequences after 60 epochs on 512; saying 1 always gives 0.167."""
    X, y = sequences.adding(512, length, seed=0)
    model = Recurrent(cell, Layer(8, 1, "linear", seed=1))
    optimizer = Adam(model.parameters(), lr=0.01)
    history = fit(model, X, y, loss="squared_error", optimizer=optimizer, epochs=60, batch_size=32,
                  seed=0, progress=False)  # fmt: skip
    assert history.compiled == "numpy"
    X, y = sequences.adding(400, length, seed=1)
    return float(np.mean((np.array(predict(model, X)) - np.array(y)) ** 2))


@pytest.mark.parametrize("seed", [0, 1])
def test_a_plain_network_learns_to_add_over_6_steps_but_not_over_30(seed: int) -> None:
    assert adding_error(RNNCell(2, 8, seed=seed), 6) < 0.03
    assert adding_error(RNNCell(2, 8, seed=seed), 30) > 0.12


@pytest.mark.parametrize("seed", [0, 1])
def test_an_lstm_learns_to_add_over_30_steps_with_the_same_budget(seed: int) -> None:
    assert adding_error(LSTMCell(2, 8, seed=seed), 30) < 0.015


def test_a_cell_on_one_hot_letters_learns_which_letter_comes_next() -> None:
    text, letters = "hello hello hello hello ", "helo "
    codes = data.one_hot([letters.index(c) for c in text])
    X = [codes[i : i + 4] for i in range(len(text) - 4)]
    y = [letters.index(text[i + 4]) for i in range(len(text) - 4)]
    model = Recurrent(GRUCell(5, 6, seed=0), Layer(6, 5, "linear", seed=1))
    fit(model, X, y, loss="cross_entropy", optimizer=Adam(model.parameters(), lr=0.05), epochs=60, seed=0,
        progress=False)  # fmt: skip
    assert accuracy(model, X, y) == 1.0  # "l" is followed by "l" or "o": the letter alone does not tell
    answer = model(data.one_hot([letters.index(c) for c in "o he"], 5))
    assert letters[max(range(5), key=lambda k: answer[k].data)] == "l"


# --- the model for fit


@pytest.mark.parametrize("make", CELLS)
def test_training_is_the_same_compiled_and_eager(make: Make) -> None:
    histories = []
    for compiled in (True, False):
        X, y = sequences.adding(20, 5, seed=0)
        model = Recurrent(make(2, 3, seed=0), Layer(3, 1, "linear", seed=1), truncate=2)
        optimizer = Adam(model.parameters(), lr=0.05)
        options = {"loss": "squared_error", "optimizer": optimizer, "epochs": 4, "batch_size": 8, "compiled": compiled}
        histories.append(fit(model, X, y, seed=0, progress=False, **options))
    assert histories[0].compiled and not histories[1].compiled
    assert histories[0]["loss"] == pytest.approx(histories[1]["loss"], rel=1e-10)


def test_a_sequence_is_a_list_or_an_array_of_steps_and_a_flat_one_where_a_step_is_one_number() -> None:
    model = Recurrent(RNNCell(2, 3, seed=0))
    nested, array = model([[1.0, 2.0], [3.0, 4.0]]), model(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert [v.data for v in nested] == [v.data for v in array] and len(nested) == 3
    with pytest.raises(ValueError, match="each step of this RNNCell takes 2 inputs, but got 1"):
        model([1.0, 2.0, 3.0, 4.0])
    single = Recurrent(RNNCell(1, 3, seed=0))
    assert [v.data for v in single([1.0, 2.0])] == [v.data for v in single([[1.0], [2.0]])]


@pytest.mark.parametrize("compiled", [True, False])
def test_sequences_of_another_length_are_refused_by_their_place(compiled: bool) -> None:
    X, y = sequences.adding(4, 6, seed=0)
    model = Recurrent(RNNCell(2, 2, seed=0), Layer(2, 1, seed=0))
    with pytest.raises(
        ValueError, match=r"X\[0\] is a list of 6 lists of 2.*validation X\[0\] is a list of 5 lists of 2"
    ):
        fit(model, X, y, validation=sequences.adding(4, 5), compiled=compiled, progress=False)
    X[2].pop()
    with pytest.raises(ValueError, match=r"X\[2\] should be a list of 6 lists.*but is a list of 5 lists of 2 numbers"):
        fit(model, X, y, compiled=compiled, progress=False)


def test_an_output_at_every_step_is_the_head_on_each_hidden_state() -> None:
    cell, head = RNNCell(1, 2, seed=0), Layer(2, 1, "sigmoid", seed=1)
    model = Recurrent(cell, head, every_step=True)
    outputs, _ = unroll(cell, [1.0, 2.0, 3.0])
    found = model([1.0, 2.0, 3.0])
    assert [y.data for y in found] == [head(h)[0].data for h in outputs]
    assert found[1].scope == "time.1.head.neurons.0"
    running = [[x1, (x1 + x2) / 2, (x1 + x2 + x3) / 3] for x1, x2, x3 in ([0.1, 0.5, 0.9], [0.8, 0.2, 0.6])]
    history = fit(model, [[0.1, 0.5, 0.9], [0.8, 0.2, 0.6]], running, loss="squared_error", epochs=30, progress=False)
    assert history["loss"][-1] < history["loss"][0]


def test_a_model_says_what_it_is_and_is_saved_for_its_own_architecture_only(tmp_path: Path) -> None:
    model = Recurrent(RNNCell(1, 2, seed=0), Layer(2, 1, "linear", seed=1), truncate=5)
    assert repr(model).splitlines() == [
        "Recurrent(last step, truncated after 5, 11 parameters)",
        "  cell: RNNCell(1 → 2, tanh, 8 parameters)",
        "  head: Layer(2 → 1, linear, 3 parameters)",
    ]
    model.save(tmp_path / "model.json")
    twin = Recurrent(RNNCell(1, 2, seed=5), Layer(2, 1, "linear", seed=6), truncate=5)
    assert twin.load(tmp_path / "model.json")([1.0, 2.0]).data == model([1.0, 2.0]).data
    with pytest.raises(ModelFormatError, match="relu"):
        Recurrent(RNNCell(1, 2, activation="relu"), Layer(2, 1, "linear"), truncate=5).load(tmp_path / "model.json")


# --- what is refused


def test_what_is_no_cell_or_head_is_refused_at_once() -> None:
    for wrong in (None, RNNCell):
        with pytest.raises(TypeError, match="unroll needs a cell"):
            unroll(wrong, [1.0])  # type: ignore[arg-type]
    for head in ("linear", 1, Layer):
        with pytest.raises(TypeError, match=r'a head is a module, such as Layer\(2, 1, "linear"\)'):
            Recurrent(RNNCell(1, 2), head)  # type: ignore[arg-type]


def test_the_state_of_a_function_may_be_a_named_tuple_or_a_single_value() -> None:
    class Pair(NamedTuple):
        h: list[Value]
        c: list[Value]

    def step(x: float, state: Pair | None) -> Pair:
        c = [Value(x)] if state is None else [x + 0.5 * state.c[0]]
        return Pair([2.0 * c[0]], c)

    _, last = unroll(step, [1.0, 2.0, 3.0], truncate=2)
    assert (last.h[0].data, last.c[0].data) == (8.5, 4.25)
    assert gradient_by_distance(lambda x, h: Value(x) if h is None else 0.5 * h + x, [1.0, 2.0, 3.0]) == [
        1.0,
        0.5,
        0.25,
    ]


def test_what_does_not_fit_is_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match="each step of this RNNCell takes 2 inputs, but got 3"):
        unroll(RNNCell(2, 3), [[1.0, 2.0], [1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match="the hidden state of this GRUCell takes 3 inputs, but got 2"):
        GRUCell(2, 3)([1.0, 2.0], [0.0, 0.0])
    with pytest.raises(ValueError, match="the memory c of this LSTMCell takes 3 inputs, but got 1"):
        LSTMCell(2, 3)([1.0, 2.0], ([0.0] * 3, [0.0]))
    with pytest.raises(TypeError, match=r"state of an LSTMCell is a pair \(h, c\) of lists of 3"):
        LSTMCell(2, 3)([1.0, 2.0], [0.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="at least one time step"):
        unroll(RNNCell(1, 1), [])
    with pytest.raises(TypeError, match="a sequence is a list with one entry per time step, but got str"):
        unroll(RNNCell(1, 1), "abc")
    with pytest.raises(ValueError, match="truncate.* must be at least 1, but got 0"):
        unroll(RNNCell(1, 1), [1.0], truncate=0)
    with pytest.raises(TypeError, match="truncate.* must be a whole number"):
        Recurrent(RNNCell(1, 1), truncate=2.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Recurrent needs a cell, such as LSTMCell"):
        Recurrent(Layer(1, 1))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the number of hidden units of a cell must be at least 1"):
        LSTMCell(1, 0)
    with pytest.raises(ValueError, match="an activation is one of"):
        RNNCell(1, 1, activation="tanhh")
