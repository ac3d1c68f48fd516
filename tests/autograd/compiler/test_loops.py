"""What is repeated becomes an axis or a loop: programs do not grow with it; slices and products are what they say."""

from __future__ import annotations

import ast
import itertools
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, error_function
from autograd.compiler.backends.jax import array_words
from autograd.compiler.contract import Contractor, Label, Tensor
from autograd.compiler.symbols import Symbol, leaf
from autograd.compiler.views import View, contiguous, even_steps, view_of
from autograd.compiler.write import Constants, expression_text
from benchmarks.programs import randomly, scalars
from viz.graph import program

ROOT = Path(__file__).parents[3]


def source(case: scalars.Case) -> str:
    text = autograd.compile(case.loss, *case.example, backend="numpy", check=False).source
    return text[text.index("def program(") :]


def statements(text: str) -> int:
    """Those in loops are counted once; the `def` itself is none."""
    return sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(text))) - 1


def test_a_recurrence_is_a_loop_of_the_same_statements_for_any_number_of_steps() -> None:
    for cell, least in ((scalars.rnn, 30), (scalars.lstm, 40)):
        texts = [source(cell(steps)) for steps in (5, 12)]
        assert statements(texts[0]) == statements(texts[1]) <= least
        assert texts[0].count("for turn in") == 2  # there and back
        assert "for turn in reversed(range(12)):" in texts[1]


@pytest.mark.parametrize(
    "make", [scalars.moving_averages, scalars.pendulum, scalars.runge_kutta, scalars.of_the_two_before]
)
def test_steps_of_single_numbers_are_a_loop_too(make: Any) -> None:
    """The 1 - a of a moving average is written in each step anew; Runge and Kutta's steps have four parts unlike."""
    texts = [source(make(steps)) for steps in (20, 60)]
    assert statements(texts[0]) == statements(texts[1])
    assert all(text.count("for turn in") == 2 for text in texts)


@pytest.mark.parametrize(
    ("make", "first", "second"),
    [
        (scalars.kalman, 30, 90),  # how sure the filter is depends on parameters alone
        (scalars.kalman_in_the_plane, 30, 60),
        (scalars.alignment, 30, 60),  # the rows that are added up are of one, two or three of the states before
        (scalars.bodies, 12, 24),
    ],
)
def test_a_step_may_read_its_states_in_any_order(make: Any, first: int, second: int) -> None:
    """What does not lie in even steps is gathered in each turn, and what comes back is sent where it belongs."""
    cases = [make(steps) for steps in (first, second)]
    texts = [source(case) for case in cases]
    assert statements(texts[0]) == statements(texts[1])
    assert all(" for turn in" in text for text in texts)
    batch = [np.random.default_rng(0).normal(size=(2, *np.shape(argument))) for argument in cases[0].example]
    step = autograd.compile(cases[0].loss, *cases[0].example, backend="numpy", check=False)
    loss, gradient = randomly.eager(cases[0], *batch)
    assert step(*batch) == pytest.approx(loss, rel=1e-12)
    found = dict(zip(cases[0].parameters, gradient, strict=True))
    assert step.gradient == pytest.approx([found[p] for p in step.parameters], rel=1e-10, abs=1e-12)


def test_a_long_sum_over_parameters_takes_no_turns() -> None:
    """It is computed once, and not for each sample."""
    w = [Value(0.1 * k) for k in range(40)]
    text = source(scalars.Case(lambda x: (x * sum(v * v for v in w)).tanh(), [0.1], w))
    assert " for turn" not in text and "broadcast_to" not in text


@pytest.mark.parametrize("back", [2, 3, 4])
def test_a_loop_may_read_what_was_made_some_turns_before(back: int) -> None:
    """As many turns are one: the program is longer, but for any number of steps the same."""
    rng = np.random.default_rng(back)
    u, *ws = ([[Value(v) for v in row] for row in rng.normal(0.0, 0.4, (3, 3))] for _ in range(1 + back))

    def loss(xs: Any) -> Any:
        states: Any = [[0.0] * 3] * back  # the last one first
        for x in xs:
            parts = list(zip([u, *ws], [x, *states], strict=True))
            z = [sum(sum(a * b for a, b in zip(w[i], v, strict=True)) for w, v in parts) for i in range(3)]
            states = [[y.tanh() for y in z], *states[:-1]]
        return sum(y * y for y in states[0])

    steps = [autograd.compile(loss, np.zeros((3 * back + back * k, 3)), backend="numpy", check=False) for k in (1, 4)]
    assert [step.source.count("for turn in") for step in steps] == [2, 2]
    assert statements(steps[0].source) == statements(steps[1].source)
    X = rng.normal(size=(2, 7 * back, 3))
    found = steps[1](X)
    expected = sum([loss(x.tolist()) for x in X]) / 2.0
    expected.backward()
    assert found == pytest.approx(expected.data, rel=1e-12)
    assert steps[1].gradient == pytest.approx([p.grad for p in steps[1].parameters], rel=1e-9, abs=1e-12)


def test_of_one_sample_a_long_loop_is_run_straight_on_and_shown_as_the_loop() -> None:
    """For one number at a time, Python is ten times as fast as NumPy; and the text of it is a line for each node."""
    case = scalars.pendulum(60)
    step = autograd.compile(case.loss, *case.example, check=False)
    step(np.ones((1, 2)))
    assert step.backend == "python" and "for turn in" in step.source
    step(np.ones((500, 2)))
    assert step.backend == "numpy"


def test_a_drawing_of_a_loop_has_no_wire_back_but_says_what_is_read() -> None:
    case = scalars.rnn(5)
    step = autograd.compile(case.loss, *case.example, backend="numpy", check=False)
    parts = {part.name: part for part in program.build(step).parts}
    assert "reads h1 of the turn before" in parts["z1"].tooltip
    assert [s.shape for s in step.groups if s.name == "z1"] == [(5, 3, "N")]


def test_samples_come_first_in_a_loop_that_is_mostly_one_wide_product() -> None:
    narrow, wide, gates = (
        autograd.compile(case.loss, *case.example, backend="numpy", check=False).source
        for case in (scalars.rnn(6, 2, 16), scalars.rnn(6, 2, 17), scalars.lstm(6, 2, 17))
    )
    assert "z1[turn] = w2 @ h1[turn]" in narrow and "z1[:, turn] = h1[:, turn] @ w2.T" in wide
    assert "[:, turn" not in gates


def test_a_gpt_is_as_long_for_any_number_of_tokens_and_of_heads() -> None:
    counts = {statements(source(scalars.gpt(length, heads))) for length, heads in ((3, 1), (3, 2), (5, 2), (6, 1))}
    assert len(counts) == 1 and max(counts) <= 65


def test_blocks_of_one_form_are_turns() -> None:
    counts = {statements(source(scalars.gpt(3, 2, blocks))) for blocks in (2, 3)}
    assert len(counts) == 1 and max(counts) <= 95


def test_two_processes_with_two_hash_seeds_write_the_same_source() -> None:
    code = (
        "import autograd\n"
        "from benchmarks.programs import scalars\n"
        "for case in (scalars.gpt(3, 2, 2), scalars.lstm(4), scalars.attention_over_rnn()):\n"
        "    step = autograd.compile(case.loss, *case.example, backend='numpy', check=False)\n"
        "    print(step.source, step.source_in_place, step._plan.order.tolist())\n"
    )
    texts = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert len(texts[0]) > 1000 and texts[0] == texts[1]


@pytest.mark.parametrize("start", [0.0, 0.5])
def test_a_state_of_one_number_begins_with_the_constant_that_it_was_given(start: float) -> None:
    """Nothing else reads this constant: the cell of an LSTM of one unit began with what the last call had left."""
    w = [Value(0.1 * k - 0.2) for k in range(12)]

    def loss(xs: Any) -> Any:
        h: Any = start
        c: Any = start
        for x in xs:
            i, o, f, g = (w[k] * x + w[4 + k] * h + w[8 + k] for k in range(4))
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        return 2.0 * h

    X = np.random.default_rng(0).normal(size=(2, 4))
    expected = [loss([Value(x) for x in row]).data for row in X]
    step = autograd.compile(loss, X[0], backend="numpy", check=False)
    for _ in range(2):
        assert step.outputs(X) == pytest.approx(expected, rel=1e-13)
    assert "for turn in" in step.source


def test_a_step_that_does_not_repeat_is_written_out_beside_the_loop() -> None:
    """The third step of five has an operation of its own: whatever is made of it, the numbers are right."""
    w, u = Value(0.7), Value(-0.4)

    def loss(xs: Any) -> Any:
        h: Any = 0.0
        for k, x in enumerate(xs):
            h = (w * x + u * h).tanh()
            if k == 2:
                h = h.sin()
        return h

    step = autograd.compile(loss, [0.1] * 5, backend="numpy")
    X = np.random.default_rng(0).normal(size=(3, 5))
    expected = 0.0
    for p in (w, u):
        p.grad = 0.0
    for row in X.tolist():
        y = loss([Value(x) for x in row])
        y.backward(1.0 / 3.0)
        expected += y.data / 3.0
    assert step(X) == pytest.approx(expected, rel=1e-13)
    assert step.gradient == pytest.approx([p.grad for p in step.parameters], rel=1e-12)
    for p in (w, u):
        p.grad = None


def test_a_weight_of_each_turn_is_read_when_the_turn_comes() -> None:
    """One number of an array is a copy in NumPy unless it is asked for as an array: a bound view would be stale."""
    assert randomly.compare(10030, ["numpy"]) == ("right", "")


@pytest.mark.parametrize("seed", range(40))
def test_a_view_reads_the_places_that_it_stands_for(seed: int) -> None:
    r = random.Random(seed)
    shape = tuple(r.randint(1, 6) for _ in range(r.randint(1, 3)))
    places = np.arange(int(np.prod(shape))).reshape(shape)
    for axis in range(places.ndim):  # some of it: slices with steps, in another order, seen in other shapes
        places = np.moveaxis(places, axis, 0)[r.randint(0, 1) :: r.randint(1, 2)]
    places = places.transpose(r.sample(range(places.ndim), places.ndim))
    if places.size == 0:
        return
    if r.random() < 0.5 and places.shape[0] % 2 == 0:
        places = places.reshape(2, -1, *places.shape[1:])
    steps = even_steps(places, None, int(np.prod(shape)))
    assert steps is None or steps.offset == places.flat[0]
    for batch, n in ((None, 1), (0, 3), (-1, 3)):
        view = None if steps is None else view_of("a", shape, steps, places.shape, batch)
        if view is None:
            continue
        memory = np.arange(int(np.prod(shape)) * n)
        a = memory.reshape(shape if batch is None else (n, *shape) if batch == 0 else (*shape, n))
        flat = a.reshape(-1, 1) if batch is None else a.reshape(n, -1).T if batch == 0 else a.reshape(-1, n)
        found = eval(view.text, {"a": a})
        expected = flat[places]
        expected = expected[..., 0] if batch is None else np.moveaxis(expected, -1, 0) if batch == 0 else expected
        assert np.array_equal(found, expected) and np.shares_memory(found, memory)


@pytest.mark.parametrize("seed", range(40))
def test_a_contraction_is_that_of_einsum(seed: int) -> None:
    r = random.Random(seed)
    sizes: dict[Label, int] = {label: r.randint(2, 4) for label in ("k", 0, 1, 2)}
    letters = dict(zip(sizes, "kabc", strict=True))
    tensors, arrays, space = [], [], {}
    statements_: list[str] = []

    def named(x: Symbol, shape: Any = None) -> Symbol:
        name = f"t{len(statements_)}"
        statements_.append(f"{name} = {expression_text(x, Constants())}")
        return leaf(View(name, name, x.shape, contiguous(x.shape)), x.shape)

    for name in "xy":
        labels = r.sample([*sizes], r.randint(1, 4))
        shape = tuple(sizes[label] for label in labels)
        space[name] = np.random.default_rng(seed).normal(size=shape)
        tensors.append(Tensor(View(name, name, shape, contiguous(shape)), labels))
        arrays.append("".join(letters[label] for label in labels))
    present = [label for label in sizes if any(label in t.labels for t in tensors)]
    out = r.sample(present, r.randint(0, len(present)))
    words = array_words(np, error_function)
    for first in (False, True):
        statements_.clear()
        contractor = Contractor(named, lambda view: named(leaf(view, view.shape)).detail, first)
        e = contractor.product(tensors[0], tensors[1], {label: sizes[label] for label in out}, None)
        text = expression_text(e, Constants())
        names: dict[str, Any] = {**words, **space}
        exec("\n".join(statements_), names)
        found = eval(text, names)
        expected = np.einsum(f"{arrays[0]},{arrays[1]}->{''.join(letters[a] for a in out)}", space["x"], space["y"])
        assert np.allclose(np.broadcast_to(found, expected.shape), expected, rtol=1e-12, atol=1e-13)


def test_infinities_in_padding_do_not_leak_whatever_chooses_by_them() -> None:
    """A comparison would hide a nan: so with one in the program, products leave out what is empty one by one."""
    w = [[Value(0.3 * (i - j)) for j in range(2)] for i in range(2)]

    def loss(xs: Any) -> Any:
        vs = [[sum(a * b for a, b in zip(row, x, strict=True)) for row in w] for x in xs]
        total: Any = 0.0
        for t, q in enumerate(vs):
            p = autograd.softmax([sum(a * b for a, b in zip(q, k, strict=True)) for k in vs[: t + 1]])
            mixed = [sum(p[s] * vs[s][j] for s in range(t + 1)) for j in range(2)]
            total = total + sum(autograd.where(m > 0.0, m, 0.1) for m in mixed)
        return total

    step = autograd.compile(loss, np.zeros((4, 2)), backend="numpy", check=False)
    X = np.random.default_rng(1).normal(size=(2, 4, 2))
    for place, bad in itertools.product((3, 1), (np.inf, np.nan)):
        spoilt = X.copy()
        spoilt[0, place, 0] = bad
        expected = [loss([[Value(v) for v in x] for x in sample]).data for sample in spoilt.tolist()]
        assert np.allclose(step.outputs(spoilt), expected, rtol=1e-12, equal_nan=True)


@pytest.mark.parametrize("make", [lambda: scalars.rnn(5), lambda: scalars.lstm(5), lambda: scalars.gpt(3, 2, 3)])
def test_a_turn_lies_in_one_piece_so_that_nothing_is_copied_in_a_loop(make: Any) -> None:
    case = make()
    step = autograd.compile(case.loss, *case.example, backend="numpy", check=False)
    text = step.source_in_place
    assert ".swapaxes(0, 1)\n" in text
    body = text[text.index("def run(") :].splitlines()
    products = [k for k, line in enumerate(body) if line.startswith("        matmul(")]
    assert products
    whole = [body[k - 1] for k in products if body[k - 1].startswith("        copyto(t")]  # what a product reads
    assert not whole


def test_all_states_of_a_loop_are_outputs_as_the_scalar_code_gives_them() -> None:
    ws = [Value(0.5), Value(-0.7), Value(0.3), Value(0.2)]

    def states(xs: Any) -> list[Any]:
        h, found = [0.0, 0.0], []
        for x in xs:
            h = [(ws[0] * h[0] + ws[1] * h[1] + x).tanh(), (ws[2] * h[0] + ws[3] * h[1] + x).tanh()]
            found.append([h[1], h[0]])
        return found[::2]

    step = autograd.compile(states, [0.0] * 6, backend="numpy", check=False)
    X = np.random.default_rng(0).normal(size=(4, 6))
    for _ in range(2):  # the second call finds memory that was used
        for n in (4, 1, 3):
            expected = [[[float(v.data) for v in pair] for pair in states(x)] for x in X[:n].tolist()]
            assert np.allclose(step(X[:n]), expected, 1e-12, 1e-14)
        X = -2.0 * X
