"""The grouped program as JavaScript: what it computes on Node.js is what NumPy computes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd import Value, detach, dot, erf, logsumexp, maximum, relu, where
from autograd import compile as compile_function
from autograd.compiler.backends.javascript import JavaScript, Node
from benchmarks.programs import randomly, unlike
from tests.autograd.compiler.models import CASES, Source, batch_of, random_dag, strict_error

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js")


UNLIKE = [
    "MLP with softmax cross-entropy", "norm penalty", "pre-activation residual", "convolution with max pooling",
    "LSTM", "tied weights", "attention", "second derivatives of a power", "ties", "odd shapes",
]  # fmt: skip


def both(f: Any, example: list[Any], batch: list[Any]) -> tuple[Any, Any]:
    """The program on NumPy and the one in JavaScript, called with the batch: (mean, gradient) of each."""
    steps = [compile_function(f, *example, backend=name, check=False) for name in ("numpy", "javascript")]
    ours, theirs = [(step(*batch), step.gradient.copy()) for step in steps]
    return ours, theirs


@needs_node
@pytest.mark.parametrize("name", UNLIKE)
def test_mean_and_gradient_are_those_of_numpy(name: str) -> None:
    f, example = CASES[name](Source(1))
    (mean, gradient), (found, slopes) = both(f, example, batch_of(example, 3))
    assert found == pytest.approx(mean, rel=1e-13)
    assert abs(slopes - gradient).max() <= 1e-13 * abs(gradient).max()


@needs_node
def test_an_irregular_graph_of_thousands_of_nodes() -> None:
    f, example = random_dag(Source(3), 600)
    (mean, gradient), (found, slopes) = both(f, example, batch_of(example, 2))
    assert found == pytest.approx(mean, rel=1e-12)
    assert abs(slopes - gradient).max() <= 1e-11 * abs(gradient).max()


@needs_node
def test_what_is_cut_and_what_is_not_finite_are_as_on_numpy() -> None:
    """0·inf would be nan: where a path is cut, what lies behind it is not multiplied."""
    w, v = Value(0.0), Value(2.0)
    batch = [np.array([[1.0, 0.5], [2.0, -1.0]])]

    def cut(x: Any) -> Any:
        return relu(w * v - 1.0 / x[0] ** 2) / w + detach(1.0 / w) * 0.0 + erf(v) * x[1] + maximum(w**0.5, v * x[0])

    def chosen(x: Any) -> Any:
        return where(x[1] > 0.0, v / x[1], abs(w) * x[0]) + logsumexp([v * x[0], w, 1e308 * x[0] * v])

    for loss in (cut, chosen):
        (_, gradient), (_, slopes) = both(loss, [[1.0, 2.0]], batch)
        assert strict_error(slopes, gradient) < 1e-13


@needs_node
def test_outputs_of_every_sample_and_the_compilers_own_check() -> None:
    a, b = Value(0.5), Value(-1.5)
    f = compile_function(lambda x: [a * x[0] + b, (b * x[1]).tanh(), x[0]], [0.3, 0.4], backend="javascript")
    X = np.random.default_rng(0).normal(size=(4, 2))
    expected = np.stack([0.5 * X[:, 0] - 1.5, np.tanh(-1.5 * X[:, 1]), X[:, 0]], 1)
    np.testing.assert_allclose(f(X), expected, rtol=1e-14)
    assert f.backend == "javascript"


@needs_node
def test_inf_and_nan_come_through() -> None:
    w = Value(1.0)
    f = compile_function(lambda x: w / x, 1.0, mean=False, backend="javascript", check=False)
    found = f(np.array([0.0, -0.0, np.inf, np.nan]))
    assert found[:3].tolist() == [np.inf, -np.inf, 0.0] and np.isnan(found[3])


@needs_node
def test_a_sum_of_one_product_keeps_the_sign_of_zero() -> None:
    w = Value(-0.0)
    step = compile_function(lambda x: (w * x) ** -1, 1.0, params=[w], backend="javascript", check=False)
    assert step([5.0]) == -np.inf


def test_the_program_of_a_layer_is_as_long_whatever_its_width() -> None:
    lengths = []
    for width in (3, 300):
        w = [[Value(0.1 * k) for k in range(width)] for _ in range(width)]

        def loss(x: Any, w: Any = w) -> Any:
            h = [sum((a * b for a, b in zip(row, x, strict=True)), 0.0) for row in w]
            return sum(z.tanh() for z in h)

        step = compile_function(loss, [0.5] * width, check=False)
        source = JavaScript(step.plan).source
        lengths.append(len(source.replace("300", "3")))
        assert source.count("for (let") <= 8
    assert lengths[1] < lengths[0] + 120


def test_single_precision_is_refused() -> None:
    w = Value(1.0)
    step = compile_function(lambda x: w * x, 1.0, dtype="float32", check=False)
    with pytest.raises(ValueError, match="float64 only"):
        JavaScript(step.plan)


def a_task(source: str) -> str:
    """What Node.js is asked to run: one number, and no parameters."""
    return json.dumps({"source": source, "theta": "", "samples": "", "width": 0, "count": 1, "mean": False})


def a_program(number: float) -> str:
    facts = f"memory: 1, parameters: 0, constants: [{number}], sample: 1, adjoints: [0, 1], outputs: [0]"
    return a_task(f"const f = () => 0; return {{ {facts}, shared: f, forward: f, backward: f, settle: f }};")


@pytest.fixture
def node() -> Iterator[Node]:
    found = Node(shutil.which("node") or "")
    yield found
    found.end()


HALF = "000000000000e03f"


@needs_node
def test_one_process_runs_programs_one_after_the_other_whatever_became_of_the_last(node: Node) -> None:
    assert node.answer(a_program(0.5)).strip() == HALF
    first = node.process
    for bad in (a_task("throw new Error('a line\\nand another')"), a_task("return (;"), "no JSON"):
        with pytest.raises(RuntimeError, match="could not run the program: .*(a line and another|SyntaxError)"):
            node.answer(bad)
        assert node.answer(a_program(0.5)).strip() == HALF
    assert node.process is first
    for end in ("process.exit(1)", "process.stderr.write('out of something'); process.exit(1)"):
        with pytest.raises(RuntimeError, match="could not run the program: (out of something|it ended too early)"):
            node.answer(a_task(end))
        assert node.answer(a_program(0.5)).strip() == HALF
    second = node.process
    assert second is not None and second is not first
    second.kill()
    second.wait()
    assert node.answer(a_program(0.5)).strip() == HALF


@needs_node
def test_after_ctrl_c_no_answer_is_taken_for_that_to_another_program(node: Node) -> None:
    class Stopped:
        def __init__(self, real: Any) -> None:
            self.real = real

        def readline(self) -> str:
            raise KeyboardInterrupt

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

    node.answer(a_program(0.5))
    process: Any = node.process
    process.stdout = Stopped(process.stdout)
    with pytest.raises(KeyboardInterrupt):
        node.answer(a_program(1.0))
    assert node.answer(a_program(0.5)).strip() == HALF


@needs_node
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_process_that_was_forked_has_a_node_of_its_own() -> None:
    code = """
import os
from autograd import Value, compile
w = Value(2.0)
f = compile(lambda x: w * x, 1.0, mean=False, backend="javascript", check=False)
print(f([1.0]), flush=True)
child = os.fork()
for k in range(50):
    assert f([k + 0.5 * (child == 0)])[0] == 2 * k + (child == 0)
if child:
    print(os.waitpid(child, 0)[1], f([2.0]))
"""
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split("\n")) == (0, ["[2.]", "0 [4.]", ""]), done.stderr


@needs_node
@pytest.mark.parametrize(
    "spans", [[(0, 4), (0, 3), (1, 3), (1, 3)], [(0, 4), (0, 4), (1, 3), (1, 4)], [(0, 3), (0, 1)]]
)
def test_rows_of_the_same_numbers_may_be_of_different_lengths(spans: list[tuple[int, int]]) -> None:
    """They share their addresses; only the mask says which row ends where."""
    gains = [Value(0.5 + 0.1 * k) for k in range(4)]

    def loss(xs: Any) -> Any:
        ys = [[g * x + x for x in row] for g, row in zip(gains, xs, strict=True)]
        columns = [[ys[t][i] for t in range(low, high)] for low, high in spans for i in range(3)]
        return sum((dot(column, column) - 0.3) ** 2 for column in columns)

    X = np.random.default_rng(0).normal(size=(2, 4, 3))
    (mean, gradient), (found, slopes) = both(loss, [X[0]], [X])
    assert found == pytest.approx(mean, rel=1e-13)
    assert slopes == pytest.approx(gradient, rel=1e-12)


@needs_node
def test_random_programs_of_either_stream() -> None:
    for stream in (randomly.FIRST, unlike.SECOND):
        verdicts = [randomly.compare(seed, ["javascript"], stream) for seed in range(200, 205)]
        assert [told for verdict, told in verdicts if verdict == "WRONG"] == []


def test_without_node_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    w = Value(1.0)
    step = compile_function(lambda x: w * x, 1.0, backend="javascript", check=False)
    assert "forward" in step.source
    with pytest.raises(ImportError, match="no `node` on this machine"):
        step(np.array([1.0]))
