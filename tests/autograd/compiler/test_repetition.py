"""Programs in which something is repeated: their gradients are those of `backward`, infinities and nan included."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value
from autograd.compiler.compiled import Compiled
from benchmarks.programs import randomly, scalars, steps, unlike
from tests.autograd.compiler.models import batch_of, eager, strict_error

BACKENDS = ("numpy", "python")


def in_order(step: Any, case: scalars.Case, gradient: list[float]) -> list[float]:
    found = dict(zip(case.parameters, gradient, strict=True))
    return [found[p] for p in step.parameters]


@pytest.mark.parametrize("name", scalars.CASES)
def test_gradients_are_those_of_backward(name: str) -> None:
    case = scalars.CASES[name]()
    steps = [autograd.compile(case.loss, *case.example, backend=backend, check=False) for backend in BACKENDS]
    for n in (1, 2):
        batch = batch_of(case.example, n, seed=n)
        loss, gradient = eager(case.loss, case.parameters, batch)
        for step in steps:
            assert strict_error(step(*batch), loss) <= 1e-10
            assert strict_error(step.gradient, in_order(step, case, gradient)) <= 1e-10, step.backend


LAST_IS_ITS_OWN = ("prefix sums", "causal attention", "ragged maxima", "moving averages")


@pytest.mark.parametrize("name", LAST_IS_ITS_OWN)
@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_stays_in_the_rows_that_see_it(name: str, bad: float) -> None:
    case = scalars.CASES[name]()
    steps = [autograd.compile(case.loss, *case.example, backend=backend, check=False) for backend in BACKENDS]
    (x,) = batch_of(case.example, 2, seed=5)
    for place in (-1, 2):
        spoilt = x.copy()
        spoilt[0, place] = bad
        loss, gradient = eager(case.loss, case.parameters, [spoilt])
        for step in steps:
            assert strict_error(step(spoilt), loss) <= 1e-10
            assert strict_error(step.gradient, in_order(step, case, gradient)) <= 1e-10, (step.backend, place)
    assert place == 2 and not np.isfinite(gradient).all()


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU", "repeated operands", "choices in a loop"])
@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_a_recurrence_carries_what_is_not_finite_as_far_as_the_scalar_code_does(name: str, bad: float) -> None:
    case = scalars.CASES[name]()
    steps = [autograd.compile(case.loss, *case.example, backend=backend, check=False) for backend in BACKENDS]
    batch = batch_of(case.example, 1, seed=7)
    batch[0][0, -1] = bad
    loss, gradient = eager(case.loss, case.parameters, batch)
    for step in steps:
        assert strict_error(step(*batch), loss) <= 1e-10
        assert strict_error(step.gradient, in_order(step, case, gradient)) <= 1e-10, step.backend


@pytest.mark.parametrize(("count", "dtype"), [(4, "float32"), (8, "float64")])
def test_a_column_of_an_array_changes_its_sign(count: int, dtype: str) -> None:
    """1 - σ(p) beside some σ(p): NumPy's `negative`, from a column into a column of four float32, gets it wrong."""
    ps = [Value(0.1 * k - 0.3) for k in range(5)]

    def loss(x: Any) -> Any:
        return sum(sum(x * p.sigmoid() for _ in range(count - 1)).sin() + ((1.0 - p.sigmoid()) * x).sin() for p in ps)

    X = np.array([0.3, 0.7, -0.4])
    value, gradient = eager(loss, ps, [X])
    step = autograd.compile(loss, 0.5, params=ps, backend="numpy", dtype=dtype, check=False)
    assert step(X) == pytest.approx(value, rel=1e-5)
    found = dict(zip(ps, gradient, strict=True))
    assert step.gradient == pytest.approx([found[p] for p in step.parameters], rel=1e-5)


@pytest.mark.parametrize("first", range(100, 160, 10))
def test_random_programs_with_repetition_in_them(first: int) -> None:
    """`python benchmarks/fuzz.py --programs 3000` tries more of them, and other backends."""
    verdicts = [randomly.compare(seed, BACKENDS) for seed in range(first, first + 10)]
    assert [told for _, told in verdicts if told] == []


def wrong_in(stream: randomly.Stream, seeds: range) -> list[str]:
    """What is wrong with random programs, in all their trials and the other ways to use them."""
    found = []
    for seed in seeds:
        drawn = randomly.Drawn(seed, stream)
        for backend in BACKENDS:
            try:
                step = drawn.compiled(backend, check=False)
            except autograd.TracingError:  # an operation of one's own that is not arithmetic
                assert "no arithmetic" in str(drawn.told)
                continue
            found += [drawn.difference(step, range(len(drawn.trials))), randomly.otherwise(drawn, step)]
    return [told for told in found if told]


@pytest.mark.parametrize("first", range(100, 130, 10))
def test_random_programs_of_what_else_people_write(first: int) -> None:
    """`python benchmarks/fuzz.py --programs 3000` tries more of them, and other backends."""
    assert wrong_in(unlike.SECOND, range(first, first + 10)) == []


@pytest.mark.parametrize("first", range(100, 124, 8))
def test_random_steps_that_are_done_many_times_over(first: int) -> None:
    """`python benchmarks/fuzz.py --programs 3000 --stream 3` tries more of them, and other backends."""
    assert wrong_in(steps.THIRD, range(first, first + 8)) == []


def test_shares_of_parameters_that_only_their_products_with_data_are_batched() -> None:
    """A softmax of parameters is one for all samples; that of what meets the data is not."""
    assert wrong_in(unlike.SECOND, range(420530, 420531)) == []


def test_memory_is_not_taken_from_what_a_part_of_the_same_adjoint_reads_yet() -> None:
    assert wrong_in(unlike.SECOND, range(862161, 862162)) == []


def test_a_loop_whose_turns_have_nothing_to_do_on_the_way_back() -> None:
    assert wrong_in(steps.THIRD, range(170162, 170163)) == []


@pytest.mark.parametrize("name", ["GPT", "GPT of three blocks", "attention over an RNN", "ResNet", "tied layers"])
def test_the_way_back_takes_the_memory_of_what_is_not_read_any_more(name: str) -> None:
    case = scalars.CASES[name]()
    step = autograd.compile(case.loss, *case.example, backend="numpy", check=False)
    lines = step.source.splitlines()
    heirs = re.findall(r"^(\w+) = (\w+)\.reshape\(", step.source_in_place, re.MULTILINE)
    found = {name: k for k, line in reversed([*enumerate(lines)]) for name in re.findall(r"^    (\w+)\b", line)}
    heirs = [(heir, other) for heir, other in heirs if heir in found]
    assert heirs
    for heir, other in heirs:
        begin = found[heir]
        one_step = rf"    {heir} = ({other} \* [-\d.]+|[-\d.]+ \* {other})"  # which goes entry by entry
        begin += re.fullmatch(one_step, lines[begin]) is not None
        assert not [line for line in lines[begin:] if re.search(rf"\b{other}\b", line)]


def test_a_wrong_program_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    gradient = Compiled.gradient.fget
    monkeypatch.setattr(Compiled, "gradient", property(lambda step: gradient(step) * (1.0 + 1e-6)))
    verdicts = [randomly.compare(seed, ["numpy"])[0] for seed in range(100, 105)]
    assert verdicts.count("WRONG") >= 3  # some have a gradient of zero, or of nan


def test_a_graph_that_is_shaken_without_errors_gives_what_it_gave() -> None:
    for seed in (60000, 60003):
        drawn = randomly.Drawn(seed, unlike.SECOND)
        for trial, (loss, gradient) in zip(drawn.trials, drawn.expected, strict=True):
            with drawn.moved(trial.scale), np.errstate(all="ignore"):
                found = randomly.eager_shaken(drawn.case, 0.0, 0, *trial.batch)
            assert np.allclose(found[0], loss, 1e-12, 1e-300, equal_nan=True)
            assert np.allclose(found[1], gradient, 1e-12, 1e-300, equal_nan=True)


def test_digits_that_a_huge_number_takes_with_it_are_chance_and_others_are_not() -> None:
    w = Value(0.5)

    def loss(xs: Any) -> Any:
        return (w * xs[0] + w * xs[1]) + w * xs[2]

    case = scalars.Case(loss, [[0.1, 0.2, 0.3]], [w])
    for xs, excused in (([1e200, -1e200, 3.0], math.inf), ([10.0, -10.0, 3.0], 1e-9)):
        X = np.array([xs])
        expected = randomly.eager(case, X)
        _, (slack,) = randomly.rounding(case, X, expected=expected)
        assert slack < 1e-9 if excused < 1.0 else slack > 1e180
        assert randomly.wrong(expected[1] + 1e-6, expected[1], slack) == (excused < 1.0)
