"""`step.source`, saved as a file: it runs with NumPy alone, and says at its top what it computes."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value, maximum
from autograd.compiler.standalone import as_text
from benchmarks.programs import randomly, scalars, unlike
from tests.autograd.compiler.models import CASES, Source, batch_of, strict_error

# what whoever has only the files does with them: the samples are columns, as each file says
CALL = """
import importlib, os, sys
sys.path.insert(0, os.getcwd())
sys.modules["autograd"] = sys.modules["nn"] = None
import numpy as np
for name in sys.argv[1:]:
    program = importlib.import_module(name).program
    given = np.load(f"{name}_given.npz")
    batch = [given[x].reshape(len(given[x]), -1).T for x in sorted(given) if x != "theta"]
    mean, gradient = program(given["theta"], *batch)
    np.savez(f"{name}_found.npz", mean=mean, gradient=gradient)
"""

UNLIKE = {
    "MLP": lambda: CASES["MLP with softmax cross-entropy"](Source(1)),
    "sigmoid": lambda: CASES["sigmoid MLP"](Source(1)),
    "convolution": lambda: CASES["convolution with max pooling"](Source(1)),
    "odd_shapes": lambda: CASES["odd shapes"](Source(1)),
    "GPT": lambda: scalars.gpt()[:2],
    "LSTM": lambda: scalars.lstm()[:2],
    "prefix_sums": lambda: scalars.prefix_sums()[:2],
    "alignment": lambda: scalars.alignment(20)[:2],
    "bodies": lambda: scalars.bodies(12)[:2],
    "penalty": lambda: (penalty([Value(0.1 * k - 0.2) for k in range(3)]), [0.1]),
}


def penalty(ws: Any) -> Any:
    """A loss to which parameters send the number of samples alone, a whole one, and then what is none."""

    def loss(x: Any) -> Any:
        rates = [w.exp() for w in ws]
        return sum(rates) + (rates[0] * x).tanh()

    return loss


def test_the_source_saved_as_a_file_runs_with_numpy_alone(tmp_path: Path) -> None:
    steps: dict[str, Any] = {}
    means: dict[str, float] = {}
    for name, make in UNLIKE.items():
        f, example = make()
        step = steps[name] = autograd.compile(f, *example, backend="numpy", check=False)
        batch = batch_of(example, 3)
        means[name] = step(*batch)
        (tmp_path / f"{name}.py").write_text(step.source, encoding="utf-8")
        np.savez(tmp_path / f"{name}_given.npz", theta=step.theta, **{f"x{k}": X for k, X in enumerate(batch)})
    subprocess.run([sys.executable, "-I", "-c", CALL, *UNLIKE], cwd=tmp_path, check=True, capture_output=True)
    for name, step in steps.items():
        with np.load(tmp_path / f"{name}_found.npz") as found:
            assert strict_error(found["mean"], means[name]) <= 1e-10
            assert strict_error(found["gradient"], step.gradient) <= 1e-10
        heading = ast.get_docstring(ast.parse(step.source)) or ""
        assert "theta" in heading and "gradient" in heading
        assert all(argument in heading for argument in step._arguments.names)
        assert step.source.isascii()  # the same in every encoding


def test_the_straight_line_program_runs_with_the_standard_library_alone(tmp_path: Path) -> None:
    ws = [autograd.Value(0.5), autograd.Value(-1.5)]

    def loss(x: Any, y: Any) -> Any:
        z = ws[0] * x[0] + ws[1] * x[1]
        return z.sigmoid() * y + (-z).softplus() + z.erf() / (z * z + 1.0).sqrt()

    step = autograd.compile(loss, [0.5, 2.0], 1.0, backend="python")
    step([[0.25, -3.0]], [0.5])
    (tmp_path / "straight.py").write_text(step.source, encoding="utf-8")
    call = (
        "import sys; sys.path.insert(0, '.'); sys.modules['autograd'] = sys.modules['numpy'] = None; import straight; "
        f"print(straight.program({step.theta.tolist()}, [0.25, -3.0, 0.5]))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", call], cwd=tmp_path, check=True, capture_output=True, text=True)
    outputs, slopes = ast.literal_eval(done.stdout)
    assert strict_error(outputs, step.outputs([[0.25, -3.0]], [0.5])) <= 1e-12
    assert strict_error(slopes, step.gradient) <= 1e-12
    heading = ast.get_docstring(ast.parse(step.source)) or ""
    assert "2 numbers, in the order of" in heading and "those of x, then y" in heading


def test_tables_of_numbers_are_written_as_formulas_where_there_are_any() -> None:
    tables = {
        "arange(3, 12, 4)": np.array([3, 7, 11]),
        "arange(3)": np.arange(3),
        "arange(2, -1, -1)": np.array([2, 1, 0]),
        "arange(0, 11, 5)[:, None] + arange(4)": np.add.outer(np.arange(0, 15, 5), np.arange(4)),
        "tri(4, 4, dtype=bool)": np.tri(4, dtype=bool),
        "tri(4, 4, -1, dtype=bool).T": np.tri(4, k=-1, dtype=bool).T,
        "broadcast_to(tri(9, 9, dtype=bool).reshape(9, 1, 9), (9, 5, 9))": np.tri(9, dtype=bool)[:, None].repeat(5, 1),
        "r_[7, 0:5, 9:18:2]": np.array([7, 0, 1, 2, 3, 4, 9, 11, 13, 15, 17]),
        "array([0.1, inf, nan])": np.array([0.1, np.inf, np.nan]),
        "array([1, 0, 1, 0, 1, 0], dtype=bool).reshape(2, 3)": np.array([[1, 0, 1], [0, 1, 0]], bool),
    }
    for text, array in tables.items():
        assert as_text(array) == text
        found = eval(as_text(array), vars(np).copy())
        assert found.dtype == array.dtype and np.array_equal(found, array, equal_nan=array.dtype.kind == "f")
    r = np.random.default_rng(0)
    for shape in ((30,), (2, 3), (4, 1, 5), (1,), ()):
        for array in (r.integers(0, 50, shape), r.random(shape) < 0.5, r.normal(size=shape)):
            assert np.array_equal(eval(as_text(np.asarray(array)), vars(np).copy()), array)


def test_what_several_places_send_to_one_number_is_added_up_along_its_samples() -> None:
    """Samples come first in this program, and the adjoint that they are added to is one number for each of them."""
    case, _ = randomly.random_program(80023)
    batch = randomly.random_batch(case, 80023, 3)
    step = autograd.compile(case.loss, *case.example, params=case.parameters, backend="numpy", check=False)
    mean = step(*batch)
    alone: dict[str, Any] = {}
    exec(step.source, alone)
    with np.errstate(all="ignore"):
        found, gradient = alone["program"](step.theta, *[X.reshape(3, -1).T for X in batch])
    assert strict_error(found, mean) <= 1e-10
    assert np.allclose(gradient, step.gradient, 1e-10, 1e-12, equal_nan=True)


def test_a_view_of_a_view_of_an_argument_is_taken_on_every_call() -> None:
    """The largest of each row of the argument itself, beside products for each sample: the rows are turned round."""
    w = [[Value(0.3), Value(-0.2)], [Value(0.1), Value(0.4)]]

    def loss(xs: Any) -> Any:
        h: Any = [0.0, 0.0]
        for row in xs:
            top = maximum(row)
            h = [(sum(a * v for a, v in zip(u, h, strict=True)) + top).tanh() for u in w]
        return h[0] + h[1]

    step = autograd.compile(loss, [[0.1, 0.2]] * 4, backend="numpy", check=False)
    for seed in range(2):
        X = np.random.default_rng(seed).normal(size=(3, 4, 2))
        expected = [loss([[Value(v) for v in row] for row in sample]).data for sample in X]
        assert step.outputs(X) == pytest.approx(expected, rel=1e-13)


def test_an_adjoint_that_is_a_number_of_the_batch_alone_is_an_array_all_the_same() -> None:
    """n · 0.01, what a penalty sends to the sum of squares of all parameters: a float has no axes to add."""
    drawn = randomly.Drawn(40002, unlike.SECOND)
    step = drawn.compiled("numpy", check=False)
    assert "broadcast_to(n * 0.01, ())" in step.source
    assert randomly.otherwise(drawn, step) == ""


@pytest.mark.parametrize("sign", [1, -1])
def test_an_adjoint_that_begins_as_the_number_of_samples_is_not_cut_to_whole_numbers(sign: int) -> None:
    w = [Value(0.3), Value(-0.2), Value(0.5)]

    def loss(x: Any) -> Any:
        penalty = sum(autograd.exp(v) for v in w)
        return (autograd.exp(w[0]) * x).tanh() + (penalty if sign > 0 else -penalty)

    step, X = autograd.compile(loss, 0.5, backend="numpy", check=False), np.array([0.3, 0.7, -0.2])
    step(X)
    alone: dict[str, Any] = {}
    exec(step.source, alone)
    assert alone["program"](step.theta, X[None])[1] == pytest.approx(step.gradient, rel=1e-12)


def test_a_look_up_that_feeds_a_fold_over_rows_compiles() -> None:
    assert randomly.compare(91281, ["numpy", "python"]) == ("right", "")
