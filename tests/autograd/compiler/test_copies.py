"""A compiled function can be copied and pickled, and leaves nothing behind when it is let go of."""

from __future__ import annotations

import copy
import gc
import linecache
import pickle
import subprocess
import sys
import traceback
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value
from autograd.compiler import listing

ROOT = Path(__file__).parents[3]
WAYS: list[Callable[[Any], Any]] = [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
X, Y = np.array([[0.5, -1.0], [2.0, 0.25], [-0.5, 1.5]]), np.array([1.0, 0.0, 0.5])


def network() -> tuple[list[Value], Callable[[Any, Any], Any]]:
    w = [Value(0.1 * k - 0.3, f"w{k}") for k in range(8)]

    def loss(x: Any, t: Any) -> Any:
        hidden = [(w[3 * k] * x[0] + w[3 * k + 1] * x[1] + w[3 * k + 2]).tanh() for k in range(2)]
        return (w[6] * hidden[0] + w[7] * hidden[1] - t) ** 2

    return w, loss


def backends() -> list[Any]:
    return ["auto", "numpy", "python", *[pytest.param(name, marks=pytest.mark.slow) for name in ("numba",)]]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("backend", backends())
def test_a_copy_computes_the_same_and_shares_nothing(backend: str, way: Callable[[Any], Any]) -> None:
    if backend == "numba":
        pytest.importorskip("numba")
    w, loss = network()
    step = ag.compile(loss, X[0], Y[0], backend=backend)
    step.theta = step.theta * 2.0  # not what the Values hold
    mean, gradient = step(X, Y), step.gradient.copy()
    twin = way(step)
    assert twin.theta.tolist() == step.theta.tolist() and twin.gradient.tolist() == gradient.tolist()
    assert twin(X, Y) == mean and twin.gradient.tolist() == gradient.tolist()
    assert twin.source == step.source and twin.groups == step.groups
    assert [p.label for p in twin.parameters] == [p.label for p in step.parameters]
    assert not set(twin.parameters) & set(w)
    twin.theta = 0.0 * twin.theta
    twin.push(gradient=True)
    assert step(X, Y) == mean and [p.data for p in w] == [0.1 * k - 0.3 for k in range(8)]
    with pytest.raises(TypeError, match="expected 2 arguments"):
        twin(X)


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_stays_with_the_parameters_that_are_copied_with_it(way: Callable[[Any], Any]) -> None:
    w, loss = network()
    v, twin = way((w, ag.compile(loss, X[0], Y[0])))
    v[0].data = 5.0
    twin.pull()
    assert 5.0 in twin.theta.tolist() and w[0].data != 5.0
    assert set(twin.parameters) == set(v)


@pytest.mark.parametrize("way", WAYS)
def test_a_copied_prediction_has_the_shape_of_the_original(way: Callable[[Any], Any]) -> None:
    a = Value(2.0)
    for f in (
        lambda x: [a * x[0], (x[1], [x[0] * x[1], 3.0])],
        lambda x: np.array([[a * x[0], x[1]], [x[0], x[1]]], dtype=object),
        lambda x: ((a * x[0], x[1]), (x[0], a)),
    ):
        step = ag.compile(f, X[0], mean=False, dtype="float32")
        found, expected = way(step)(X), step(X)
        assert type(found) is type(expected) and str(found) == str(expected)


def test_a_shallow_copy_has_memory_of_its_own_for_the_same_parameters() -> None:
    _, loss = network()
    step = ag.compile(loss, X[0], Y[0])
    twin = copy.copy(step)
    assert twin.parameters == step.parameters
    before = step(X, Y)
    twin.theta = 0.0 * twin.theta
    assert step(X, Y) == before != twin(X, Y)


def test_a_pickled_step_runs_in_another_process_whatever_its_hash_seed(tmp_path: Path) -> None:
    _, loss = network()
    step = ag.compile(loss, X[0], Y[0], backend="numpy")
    file = tmp_path / "step.pickle"
    file.write_bytes(pickle.dumps((step, X, Y)))
    code = (
        f"import pickle; s, X, Y = pickle.load(open({str(file)!r}, 'rb')); "
        "print(s(X, Y).hex(), *[g.hex() for g in s.gradient.tolist()])"
    )
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True
        )
        assert run.stdout.split() == [step(X, Y).hex(), *[g.hex() for g in step.gradient.tolist()]], run.stderr


def test_a_pickled_step_asks_for_the_operation_that_it_needs() -> None:
    swish = ag.register("swish_to_pickle", lambda x: x * ag.sigmoid(x), lambda y, x: (y + ag.sigmoid(x) * (1 - y),))
    text = pickle.dumps(ag.compile(lambda x: swish(x), 0.5))
    assert pickle.loads(text)([1.0]) == pytest.approx(swish(1.0))
    del ag.SHEET["swish_to_pickle"]
    with pytest.raises(ValueError, match="your operation 'swish_to_pickle': register it"):
        pickle.loads(text)


# --- nothing is left behind


@pytest.mark.parametrize("backend", ["numpy", "python"])
def test_programs_that_are_gone_leave_nothing_in_memory(backend: str) -> None:
    def work(count: int) -> None:
        for k in range(count):
            w = Value(float(k))
            step = ag.compile(lambda x, w=w: (w * x - 1.0) ** 2, 0.5, backend=backend, check=False)
            step([3.0])
            assert step.source

    work(20)
    gc.collect()
    work(1)  # takes out the texts of those before it
    lines, blocks = len(linecache.cache), sys.getallocatedblocks()
    work(300)
    gc.collect()
    work(1)
    assert len(linecache.cache) <= lines
    assert sys.getallocatedblocks() - blocks < 300  # a program takes some hundreds


@pytest.mark.parametrize("backend", ["numpy", "python"])
def test_a_traceback_shows_the_line_of_a_program_that_is_alive(backend: str) -> None:
    step = ag.compile(lambda x: x[0] * x[1] ** 2, [0.5, 1.0], backend=backend)
    step([[1.0, 2.0]])
    gc.collect()
    made: Any = step._run_by(backend)
    program = made.bind(1)[0] if backend == "numpy" else made.program(False, True)
    with pytest.raises(TypeError) as caught:
        program(*[None] * program.__code__.co_argcount)
    inside = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert inside.filename.startswith("<compiled by chainrule") and inside.line
    filename = inside.filename
    del step, made, program, caught
    gc.collect()
    # not at once: the collector may have run while somebody, such as a debugger, goes through all texts
    assert filename in linecache.cache
    ag.compile(lambda x: x + 1.0, 0.5)([1.0])
    assert filename not in linecache.cache


def test_another_thread_may_take_the_text_of_the_last_program_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    class TakenJustNow(deque[str]):  # as another thread leaves it: there was something, and now there is not
        def __bool__(self) -> bool:
            return True

    monkeypatch.setattr(listing, "_gone", TakenJustNow())
    assert ag.compile(lambda x: x + 1.0, 0.5)([1.0]) == 2.0


# --- what is not a real number


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ([[1.0, 2j]], r"x must hold real numbers, but got complex: 2j"),
        (np.ones((2, 2)) * 1j, r"x must hold real numbers, but got complex128"),
        ([["1", "2"]], r"x must hold real numbers, but got str: '1'"),
        (np.array([["1", "2"]]), r"x must hold real numbers, but got str_"),
        ([[1.0, "2"]], r"but got str: '2'"),
        ([[b"1", b"2"]], "bytes"),
        ([[Value(1.0), 2.0]], r"there is a Value in it: .*; use its \.data"),
        ([[1.0, None]], "NoneType"),
        (np.array([["2020-01-01", "2020-01-02"]], dtype="M8[D]"), "datetime64"),
        (np.array([[1.0, "2"]], dtype=object), "str"),
        ("12", "str"),
    ],
)
@pytest.mark.parametrize("backend", ["numpy", "python"])
def test_a_batch_of_what_are_no_real_numbers_is_refused(backend: str, batch: Any, message: str) -> None:
    step = ag.compile(lambda x, t: (x[0] - x[1] * t) ** 2, [1.0, 2.0], 0.5, backend=backend)
    with pytest.raises(TypeError, match=message):
        step(batch, [0.5] * len(batch))
    with pytest.raises(TypeError, match=message):
        step.outputs(batch, [0.5] * len(batch))


def test_uneven_batches_are_refused_in_words() -> None:
    step = ag.compile(lambda x, t: (x[0] - x[1] * t) ** 2, [1.0, 2.0], 0.5)
    with pytest.raises(ValueError, match="x must have samples of one shape, but its lists are not all as long"):
        step([[1.0, 2.0], [3.0]], [0.5, 0.5])
    uneven = ag.compile(lambda x: x[0] * x[1][0] + x[1][1], [1.0, [2.0, 3.0]])
    assert uneven([[1.0, [2.0, 3.0]], [True, [2, np.True_]]]) == 4.0
    for sample, kind, message in (
        ([1.0, [2.0]], ValueError, "x must have samples of 3 numbers"),
        ([1.0, ["2", 3.0]], TypeError, "str: '2'"),
        ([1.0, [2j, 3.0]], TypeError, "complex"),
    ):
        with pytest.raises(kind, match=message):
            uneven([sample])


@pytest.mark.parametrize(
    "batch",
    [
        [[1, 0]],
        [[True, False]],
        np.array([[True, False]]),
        [[np.True_, np.int8(0)]],
        np.array([[1, 0]], dtype=np.float16),
        np.array([[1, 0]], dtype=object),
        ((1.0, 0.0),),
    ],
)
def test_real_numbers_of_every_kind_are_taken(batch: Any) -> None:
    step = ag.compile(lambda x: (x[0] + 3.0 * x[1]) ** 2, [1.0, 2.0])
    assert step(batch) == 1.0


def test_theta_refuses_complex_numbers() -> None:
    w = Value(1.0)
    step = ag.compile(lambda x: w * x, 0.5)
    with pytest.raises(TypeError, match="theta must hold real numbers"):
        step.theta = np.array([1j])
