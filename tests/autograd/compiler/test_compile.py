"""What `compile` gives back, what it refuses, and what it says."""

from __future__ import annotations

import copy
import inspect
import math
import pickle
import random
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import SHEET, TracingError, Value, logsumexp, register, relu, softmax
from autograd.compiler.check import only_rounding
from tests.autograd.compiler.models import CASES, Source, batch_of, cross_entropy, eager, mlp, one_hot, strict_error


def small(seed: int = 0) -> tuple[Any, list[Any], Source]:
    source = Source(seed)
    f, example = CASES["MLP with softmax cross-entropy"](source)
    return f, example, source


# --- calling


def test_a_step_gives_the_mean_and_leaves_the_gradient() -> None:
    f, example, source = small()
    step = autograd.compile(f, *example)
    batch = batch_of(example, 5)
    loss, _ = eager(f, source.parameters, batch)
    assert step(*batch) == pytest.approx(loss, rel=1e-14)
    assert isinstance(step(*batch), float)
    assert step.theta.shape == step.gradient.shape == (len(source.parameters),)
    assert set(step.parameters) == set(source.parameters)


def test_theta_is_trained_in_place_and_pushed_back() -> None:
    f, example, source = small()
    step = autograd.compile(f, *example, backend="numpy")
    batch = batch_of(example, 20)
    first = step(*batch)
    theta = step.theta
    for _ in range(30):
        step(*batch)
        theta -= 0.1 * step.gradient
    assert step(*batch) < first
    assert source.parameters[0].data == pytest.approx(source.parameters[0].data)
    step.push(gradient=True)
    loss, _gradient = eager(f, source.parameters, batch)
    assert step(*batch) == pytest.approx(loss, rel=1e-12)
    for p in source.parameters:
        p.data = 0.25
    step.pull()
    assert (step.theta == 0.25).all()


def test_theta_can_be_assigned() -> None:
    w = Value(3.0)
    step = autograd.compile(lambda x: w * x, 1.0)
    theta = step.theta
    step.theta = step.theta - 1.0
    assert step.theta is theta and step([5.0]) == 10.0
    with pytest.raises(AttributeError):
        step.gradient = theta  # type: ignore[misc]


def test_push_can_write_the_gradient_into_the_values() -> None:
    w = Value(3.0)
    step = autograd.compile(lambda x: w * w * x, 1.0)
    step([2.0])
    step.push(gradient=True)
    assert (w.data, w.grad) == (3.0, 12.0)


def test_several_batch_sizes_and_only_the_last_eight_are_kept() -> None:
    f, example, source = small()
    step = autograd.compile(f, *example, backend="numpy")
    for n in [*range(1, 12), 3, 1]:
        batch = batch_of(example, n, n)
        assert step(*batch) == pytest.approx(eager(f, source.parameters, batch)[0], rel=1e-13)
    assert len(step._run_by("numpy").bound) == 8


def test_a_model_gives_the_outputs_of_each_sample() -> None:
    source = Source(0)
    model = mlp(source, [4, 5, 3], relu)
    predict = autograd.compile(model, [0.0] * 4)
    X = np.random.default_rng(0).normal(size=(6, 4))
    for backend in ("numpy", "python"):
        predict = autograd.compile(model, [0.0] * 4, backend=backend)
        expected = [[z.data for z in model([Value(v) for v in x])] for x in X.tolist()]
        assert predict(X).shape == (6, 3)
        assert np.allclose(predict(X), expected, rtol=1e-14, atol=0)


def test_outputs_of_a_loss_are_per_sample_and_mean_false_asks_for_them() -> None:
    w = Value(2.0)
    step = autograd.compile(lambda x: w * x, 1.0)
    assert step.outputs([1.0, 3.0]).tolist() == [2.0, 6.0]
    assert autograd.compile(lambda x: w * x, 1.0, mean=False)([1.0, 3.0]).tolist() == [2.0, 6.0]
    assert step([1.0, 3.0]) == 4.0


def test_outputs_keep_their_nesting() -> None:
    w = Value(2.0)

    def f(x: Any) -> Any:
        return [[w * x[0][0], x[0][1], 7.0], [w, x[1][0] + x[1][1], w * w]]

    predict = autograd.compile(f, [[1.0, 2.0], [3.0, 4.0]])
    X = np.arange(8.0).reshape(2, 2, 2)
    assert predict(X).tolist() == [[[0.0, 1.0, 7.0], [2.0, 5.0, 4.0]], [[8.0, 5.0, 7.0], [2.0, 13.0, 4.0]]]


def test_uneven_outputs_come_as_a_tuple() -> None:
    w = Value(2.0)
    predict = autograd.compile(lambda x: [w * x, [x, x + w]], 1.0)
    one, two = predict([1.0, 5.0])
    assert one.tolist() == [2.0, 10.0] and two.tolist() == [[1.0, 3.0], [5.0, 7.0]]


def test_arguments_of_several_shapes() -> None:
    w = Value(0.5)

    def f(image: Any, scale: Any, pair: Any) -> Any:
        return sum(v for row in image for v in row) * scale * w + pair[0] * pair[1][1]

    step = autograd.compile(f, np.ones((2, 3)), 1.0, (1.0, [2.0, 3.0]))
    generator = np.random.default_rng(0)
    images, scales = generator.normal(size=(4, 2, 3)), generator.normal(size=4)
    pairs = [(1.0, [2.0, float(k)]) for k in range(4)]
    expected = np.mean(images.sum(axis=(1, 2)) * scales * 0.5 + np.arange(4.0))
    assert step(images, scales, pairs) == pytest.approx(expected)
    with pytest.raises(ValueError, match=r"image must have shape \(N, 2, 3\)"):
        step(images[:, :1], scales, pairs)
    with pytest.raises(ValueError, match="image has 4 samples, but scale has 3"):
        step(images, scales[:3], pairs)
    with pytest.raises(TypeError, match="expected 3 arguments"):
        step(images)


def test_a_loss_without_arguments_and_one_without_parameters() -> None:
    ws = [Value(float(k)) for k in range(5)]
    step = autograd.compile(lambda: sum(w * w for w in ws))
    for backend in ("numpy", "python"):
        step = autograd.compile(lambda: sum(w * w for w in ws), backend=backend)
        assert step() == 30.0
        assert sorted(step.gradient.tolist()) == [0.0, 2.0, 4.0, 6.0, 8.0]
        still = autograd.compile(lambda x: x * x, 2.0, backend=backend)
        assert still([2.0, 4.0]) == 10.0 and still.gradient.shape == (0,)


@pytest.mark.parametrize("backend", ["numpy", "python"])
def test_outputs_that_are_leaves(backend: str) -> None:
    w = Value(4.0)
    step = autograd.compile(lambda x: w, 1.0, backend=backend)
    assert step([1.0, 2.0]) == 4.0 and step.gradient.tolist() == [1.0]
    step = autograd.compile(lambda x: x, 1.0, backend=backend)
    assert step([1.0, 2.0]) == 1.5


def test_params_chooses_what_is_trained() -> None:
    a, b, unused = Value(2.0), Value(3.0), Value(1.0)
    for backend in ("numpy", "python"):
        step = autograd.compile(lambda x: a * b * x, 1.0, params=[unused, b], backend=backend)
        assert step([1.0]) == 6.0
        assert dict(zip(step.parameters, step.gradient.tolist(), strict=True)) == {b: 2.0, unused: 0.0}
    with pytest.raises(TypeError, match="params must be Values"):
        autograd.compile(lambda x: a * x, 1.0, params=[1.0])  # type: ignore[list-item]


def test_values_made_inside_the_function_are_constants() -> None:
    w = Value(2.0)
    step = autograd.compile(lambda x: w * x + Value(5.0), 1.0)
    assert step.parameters == [w]


def test_lists_and_integers_will_do_and_the_arguments_are_left_alone() -> None:
    f, example, _ = small()
    step = autograd.compile(f, *example, backend="numpy")
    X, Y = batch_of(example, 3)
    X0, Y0 = X.copy(), Y.copy()
    a = step(X.tolist(), Y.tolist())
    assert a == step(X, Y) == step(np.asfortranarray(X), Y[:, :])
    assert step(X[::2], Y[::2]) == step(X[::2].copy(), Y[::2].copy())
    assert (X == X0).all() and (Y == Y0).all()
    assert autograd.compile(lambda x: x * Value(2.0), 1)([1, 2]) == 3.0


def test_threads_take_turns() -> None:
    f, example, _ = small()
    step = autograd.compile(f, *example, backend="numpy")
    batch = batch_of(example, 8)
    expected, wrong = step(*batch), []

    def work() -> None:
        for _ in range(50):
            if step(*batch) != expected:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


# --- the program


def test_the_source_does_not_grow_with_the_network() -> None:
    texts = []
    for sizes in ([4, 5, 3], [16, 32, 10]):
        model = mlp(Source(0), sizes, lambda z: z.tanh())
        step = autograd.compile(
            lambda x, y, model=model: cross_entropy(model(x), y),
            [0.1] * sizes[0],
            one_hot(sizes[-1], 0),
            backend="numpy",
        )
        texts.append(step.source)
    assert texts[0].count("\n") == texts[1].count("\n") <= 40
    for line in (
        "z1 = w1 @ x + b1[:, None]",
        "h1 = tanh(z1)",
        "z2 = w2 @ h1 + b2[:, None]",
        "dz2 = exp(z2 - logsumexp_1) - y",
        "dw2 = dz2 @ h1.T",
        "dz1 = w2.T @ dz2 * (1.0 - h1 * h1)",
        "dw1 = dz1 @ x.T",
    ):
        assert f"    {line}\n" in texts[1]


def test_the_documentation_shows_the_program() -> None:
    page = Path(__file__).parents[3] / "docs" / "compile.md"
    shown = page.read_text(encoding="utf-8").split("<!-- source -->\n```python\n")[1].split("```")[0]
    model = mlp(Source(0), [64, 32, 10], lambda z: z.tanh())
    step = autograd.compile(lambda x, y: cross_entropy(model(x), y), [0.1] * 64, one_hot(10, 0), backend="numpy")
    assert step.source.endswith(f"\n{shown}")


def test_no_layer_is_named_but_layers_are_found() -> None:
    source = Source(0)
    f, example = CASES["padded convolution"](source)
    step = autograd.compile(f, *example, backend="numpy")
    products = [g for g in step.groups if "@" in g.formula and not g.backward]
    assert [g.name for g in products] == ["z1", "z2"]
    assert step._plan.readable.source.count("\n") <= 40


def test_groups_say_what_they_are() -> None:
    f, example, _ = small()
    step = autograd.compile(f, *example, backend="numpy")
    groups = {g.name: g for g in step.groups}
    assert groups["w1"].op == "parameter" and groups["w1"].shape == (5, 6)
    assert groups["x"].op == "argument" and groups["x"].shape == (6, "N")
    assert groups["z1"].op == "linear" and set(groups["z1"].inputs) == {"w1", "x", "b1"} and groups["z1"].nodes == 5
    assert groups["h1"].op == "tanh" and groups["h1"].shape == (5, "N")
    assert groups["dz1"].backward and not groups["z1"].backward
    for g in step.groups:
        assert set(g.inputs) <= set(groups)


def test_the_rules_come_from_the_sheet_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Change a rule in the sheet, and the compiled gradient changes with it."""
    import dataclasses

    line = SHEET["sin"]
    monkeypatch.setitem(SHEET, "sin", dataclasses.replace(line, partials=lambda y, a: (123.0 * y,)))
    w = Value(0.5)
    for backend in ("numpy", "python"):
        step = autograd.compile(lambda x: (w * x).sin(), 1.0, backend=backend)
        step([1.0])
        assert step.gradient[0] == pytest.approx(123.0 * np.sin(0.5))


def test_argument_names_of_the_function_are_used_and_never_clash() -> None:
    w = Value(2.0)
    step = autograd.compile(lambda n, theta: w * n + theta, 1.0, 2.0, backend="numpy")
    assert step([1.0], [5.0]) == 7.0
    assert "def program(theta, n_, theta_):" in step.source
    step = autograd.compile(lambda *xs: w * xs[0] + xs[1], 1.0, 2.0, backend="numpy")
    assert step([1.0], [5.0]) == 7.0


def test_auto_chooses_by_shape() -> None:
    source = Source(0)
    model = mlp(source, [64, 32, 10], relu)
    wide = autograd.compile(lambda x, y: cross_entropy(model(x), y), [0.1] * 64, one_hot(10, 0))
    assert wide.backend == "numpy"
    w = Value(2.0)
    narrow = autograd.compile(lambda x: (w * x - 1.0).tanh() ** 2, 1.0)
    assert narrow.backend == "python"
    a = narrow([0.5])
    narrow(np.full(1000, 0.5))
    assert narrow.backend == "numpy"
    assert narrow([0.5]) == pytest.approx(a, rel=1e-15)


# --- guards


def line_of(f: Any, offset: int) -> str:
    return f"{__file__}:{inspect.getsourcelines(f)[1] + offset}"


def with_if(x: Any) -> Any:
    if x[0] > 0:
        return x[0]
    return x[1]


def with_max(x: Any) -> Any:
    return max(x)


def with_float(x: Any) -> Any:
    return x[0] * float(x[1])


def with_int(x: Any) -> Any:
    return x[int(x[0])]


def with_truth(x: Any) -> Any:
    return x[0] or x[1]


def with_index(x: Any) -> Any:
    return [x[0], x[1]][x[0]]


def with_no_grad(x: Any) -> Any:
    with autograd.no_grad():
        return x[0] * 2.0


@pytest.mark.parametrize("example", [(), (1.0, 2.0)])
def test_without_an_example_of_each_argument_the_error_asks_for_one(example: Any) -> None:
    with pytest.raises(TypeError, match=r"give one sample, .* as in compile\(f, X\[0\], y\[0\]\): .*argument"):
        autograd.compile(lambda x: x * x, *example)


@pytest.mark.parametrize("f", [with_if, with_max, with_float, with_int, with_truth, with_index, with_no_grad])
def test_what_depends_on_a_number_is_refused_with_its_line(f: Any) -> None:
    with pytest.raises(TracingError) as caught:
        autograd.compile(f, [1.0, 2.0])
    offset = 2 if f is with_no_grad else 1
    assert line_of(f, offset) in str(caught.value)
    assert "relu, maximum" in str(caught.value)
    assert "in place of math.exp, math.log, ... use autograd.exp, autograd.log" in str(caught.value)
    assert Value(1.0) > 0  # and nothing is left switched on


def test_compiles_inside_no_grad_too() -> None:
    """Nothing is recorded there, but what the caller asks for is a program, and that needs the graph."""
    w = Value(2.0, label="w")
    with autograd.no_grad():
        step = autograd.compile(lambda x: (w * x[0]) ** 2, [1.0])
        assert (w * 3.0).inputs == ()
    assert step(np.array([[3.0]])) == 36.0
    assert step.gradient.tolist() == [36.0]


def test_frozen_data_and_randomness_are_caught() -> None:
    w = Value(2.0)
    for f in (lambda x: w * x[0] * x[1].data, lambda x: w.data * x[0] + w):
        for check in (True, False):
            with pytest.raises(TracingError, match=r"this line asks for the number in a Value, \.data") as caught:
                autograd.compile(f, [1.0, 2.0], check=check)
            assert f"{__file__}:" in str(caught.value)
    with pytest.raises(TracingError, match="second sample") as caught:
        autograd.compile(lambda x: w * x[0] * random.random(), [1.0, 2.0])
    assert f"{__file__}:" in str(caught.value)
    autograd.compile(lambda x: w * x[0] * random.random(), [1.0, 2.0], check=False)
    assert w.data == 2.0


@pytest.mark.parametrize(
    ("f", "found", "excused"),
    [
        (lambda x: x - 1.0, 1e-14, True),  # two numbers that cancel
        (lambda x: x - 1.0, 1e-6, False),
        (lambda x: x - 1.0, math.nan, False),  # a rounding error does not make a nan of it,
        (lambda x: math.sqrt(x - 1.0) if x >= 1.0 else math.nan, math.nan, True),  # and here it does
        (lambda x: math.sqrt(x - 1.0) if x >= 1.0 else math.nan, 1e-7, True),
        (lambda x: math.sqrt(x - 1.0) if x >= 1.0 else math.nan, 5.0, False),
        (lambda x: 0.0 if x == 1.0 else math.inf, math.inf, True),
        (lambda x: 0.0 if x == 1.0 else math.inf, -math.inf, False),
        (lambda x: math.nan if x == 1.0 else x, 1.0, True),
        (lambda x: math.nan if x == 1.0 else x, 2.0, False),
        (lambda x: math.nan, 2.0, False),
    ],
)
def test_a_difference_is_excused_only_as_what_rounding_errors_make_of_the_scalar_code(
    f: Any, found: float, excused: bool
) -> None:
    """Beside a number that is as it should be, which does not have to be excused."""
    expected = np.array([f(1.0), 1.0])
    wrong = np.array([True, False])

    def scalar(how: Any) -> Any:
        return np.array([f(how(1.0) if how else 1.0), 1.0])

    given = only_rounding(scalar, np.array([found, 1.0]), expected, wrong, 2.0**-52)
    assert given == excused


def test_other_mistakes_are_told() -> None:
    with pytest.raises(TypeError, match="expected a function"):
        autograd.compile(Value(1.0))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="did it forget to return"):
        autograd.compile(lambda x: None, 1.0)
    with pytest.raises(ValueError, match="backend must be"):
        autograd.compile(lambda x: x, 1.0, backend="cuda")
    with pytest.raises(ValueError, match="dtype must be"):
        autograd.compile(lambda x: x, 1.0, dtype="int8")
    with pytest.raises(TypeError, match="one Value"):
        autograd.compile(lambda x: [x, x], 1.0, mean=True)
    with pytest.raises(ValueError, match="at least one sample"):
        autograd.compile(lambda x: x * 2.0, 1.0)(np.zeros(0))


LARGE = Value(0.5)


@pytest.mark.parametrize("backend", ["numpy", "python"])
@pytest.mark.parametrize(
    ("f", "number"),
    [
        (lambda x: LARGE * x + 1e200, "1e+200"),
        (lambda x: LARGE * x * -1e39, "-1e+39"),
        (lambda x: LARGE * x + Value(1e100) * Value(1e100), "1e+200"),
        (lambda x: autograd.maximum(LARGE * x, -1e200), "-1e+200"),
        (lambda x: (LARGE * x) ** 1e200, "1e+200"),
        (lambda x: x / 1e-60 * LARGE, "1e+60"),
    ],
)
def test_a_constant_that_float32_has_not_is_refused_and_infinity_itself_is_not(
    f: Any, number: str, backend: str
) -> None:
    with pytest.raises(
        ValueError, match=f"constants of this function come to {re.escape(number)}, but float32 goes up"
    ):
        autograd.compile(f, 0.3, dtype="float32", backend=backend, check=False)
    autograd.compile(f, 0.3, backend=backend, check=False)


@pytest.mark.filterwarnings("error")
def test_a_number_that_float32_has_not_is_refused_wherever_it_comes_from() -> None:
    w = Value(0.5)
    step = autograd.compile(
        lambda x: autograd.maximum(w * x, -math.inf) + Value(1e200) * Value(1e-200), 3e37, dtype="float32"
    )
    assert step([1.0, math.inf]) == math.inf
    with pytest.raises(ValueError, match=r"x must hold numbers that float32 has, up to 3.40282e\+38, but .* 1e\+200"):
        step([1.0, 1e200])
    with pytest.raises(ValueError, match="theta must hold numbers that float32 has"):
        step.theta = [1e300]
    w.data = -1e39
    with pytest.raises(ValueError, match=r"theta must hold numbers that float32 has.* -1e\+39"):
        step.pull()
    assert step.theta.tolist() == [0.5]


def test_custom_operations_compile_when_their_rules_are_plain_arithmetic() -> None:
    import math

    swish = register(
        "swish_c",
        lambda x: x * autograd.sigmoid(x) if isinstance(x, Value) else x * autograd.ops.sigmoid(x),
        lambda y, x: (y + autograd.ops.sigmoid(x) * (1 - y),),
    )
    hypot = register("hypot_c", lambda a, b: math.hypot(a, b), lambda y, a, b: (a / y, b / y))
    sum_of_squares = register("squares_c", lambda *xs: sum(x * x for x in xs), lambda y, *xs: [2.0 * x for x in xs])
    try:
        w, v = Value(0.7), Value(0.3)

        def loss(x: Any) -> Any:
            return swish(w * x) + sum_of_squares(w, x, v)

        batch = [np.array([0.5, -1.0, 2.0])]
        expected, gradient = eager(loss, [w, v], batch)
        for backend in ("numpy", "python"):
            step = autograd.compile(loss, 0.5, backend=backend)
            assert strict_error(step(*batch), expected) <= 1e-12
            found = dict(zip(step.parameters, step.gradient.tolist(), strict=True))
            assert strict_error([found[w], found[v]], gradient) <= 1e-10
        with pytest.raises(TracingError, match="'hypot_c' cannot be compiled"):
            autograd.compile(lambda x: hypot(w * x, v), 0.5, backend="numpy")([1.0])
        step = autograd.compile(lambda x: hypot(w * x, v), 0.5, backend="python")  # called as it is
        assert step([1.0]) == math.hypot(0.7, 0.3)
    finally:
        for name in ("swish_c", "hypot_c", "squares_c"):
            SHEET.pop(name)


def test_a_straight_through_rule_is_not_taken_for_a_linear_one() -> None:
    step_up = register("step_c", lambda x: autograd.ops.where(x > 0.0, 1.0, 0.0), lambda y, x: (1.0,))
    try:
        w = Value(0.7)
        step = autograd.compile(lambda x: step_up(w * x) + 1.0, 0.5, backend="numpy")
        assert step([2.0, -2.0]) == 1.5 and step.gradient.tolist() == [0.0]
        assert step([2.0]) == 2.0 and step.gradient.tolist() == [2.0]
    finally:
        SHEET.pop("step_c")


def test_comparisons_outside_tracing_are_as_before() -> None:
    a, b = Value(1.0), Value(2.0)
    assert (a < b, a <= b, a > b, a >= b, a.equals(1.0), bool(a)) == (True, True, False, False, True, True)
    assert [repr(a < b), str(a > b), f"{a >= b}"] == ["True", "False", "False"]
    assert sum(x > 1.5 for x in (a, b)) == 1
    assert (["no", "yes"][a < b], {True: 1}[a < b]) == ("yes", 1)
    assert sorted([b, a]) == [a, b]
    assert max(a, b) is b
    assert type(pickle.loads(pickle.dumps(a < b))) is bool
    assert type(copy.deepcopy(a < b)) is bool
    assert (a < np.array([0.0, 2.0])).tolist() == [False, True]
    assert ((a < b) & (b > 5), (a < b) | False, True & (a < b), ~(a < b), (a < b) + 1) == (False, True, True, False, 2)


def test_importing_autograd_needs_no_numpy_and_compile_is_a_function() -> None:
    code = (
        "import sys, autograd; assert 'numpy' not in sys.modules; assert callable(autograd.compile)\n"
        "from autograd.compiler.trace import trace; assert callable(autograd.compile)\n"
        "from autograd import *; assert compile('1', '', 'eval')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_labels_and_numbers_of_the_values_are_untouched() -> None:
    w = Value(0.1 + 0.2, label="w")
    w.grad = 7.0
    autograd.compile(lambda x: logsumexp(w * x, x), 1.0)
    assert (w.data, w.grad, w.label) == (0.1 + 0.2, 7.0, "w")


@pytest.mark.parametrize("a", [-np.inf, -800.0, -710.0, -40.0, 0.0, 40.0, 800.0, np.inf, np.nan])
def test_sigmoid_in_place_equals_eager_where_its_power_overflows(a: float) -> None:
    x, w = Value(a), Value(0.7)
    y = x.sigmoid() * w + autograd.softplus(x) * w
    y.backward()
    step = autograd.compile(lambda: x.sigmoid() * w + autograd.softplus(x) * w, backend="python", check=False)
    for _ in range(2):  # once with the first generator, once with the next
        np.testing.assert_allclose(step(), y.data, rtol=1e-12)
        np.testing.assert_allclose(step.gradient, [p.grad for p in step.parameters], rtol=1e-12)


def test_a_rule_whose_parts_are_shared_is_written_out_in_a_moment() -> None:
    """The largest of sixteen, as nested comparisons: few parts, but 2¹⁶ ways through them."""
    weights = [Value(0.1 * k) for k in range(16)]
    step = autograd.compile(lambda: logsumexp(weights), backend="python", check=False)
    loss = logsumexp(weights)
    loss.backward()
    assert step() == pytest.approx(loss.data, rel=1e-14)
    np.testing.assert_allclose(step.gradient, [p.grad for p in step.parameters], rtol=1e-12)


def test_a_straight_line_program_may_run_in_several_threads_at_once() -> None:
    w = [Value(0.1 * k) for k in range(30)]
    step = autograd.compile(lambda: logsumexp([x.tanh() for x in w[:12]]) * w[20], backend="python", check=False)
    loss = step()
    theta, run, results = step.theta.tolist(), step._run_by("python").run, []

    def many() -> None:
        results.extend(run(theta, (), True)[0][0] for _ in range(200))

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [loss] * 800


@pytest.mark.parametrize("name", ["t1", "g1", "i1", "dz1", "buffer1", "ones", "multiply", "inf", "copyto", "q_1"])
def test_an_argument_may_have_a_name_that_the_program_gives_itself(name: str) -> None:
    ws = [Value(0.1 * k - 0.4) for k in range(9)]
    text = f"""def f({name}, x):
    z = [sum(w * v for w, v in zip(ws[k : k + 3], {name})) for k in (0, 3, 6)]
    return sum(s * s for s in softmax(z)) + sum(a * b for a, b in zip({name}, x)) * ws[0] + logsumexp([z[0], x[2]])"""
    space: dict[str, Any] = {"ws": ws, "softmax": softmax, "logsumexp": autograd.logsumexp}
    exec(text, space)
    batch = [[[0.1, 0.2, 0.3], [1.0, 2.0, 3.0]], [[0.4, 0.5, 0.6], [3.0, 2.0, 1.0]]]
    step = autograd.compile(space["f"], batch[0][0], batch[1][0], backend="numpy", check=False)
    for _ in range(2):
        assert step(*batch) == pytest.approx(sum(space["f"](*pair).data for pair in zip(*batch, strict=True)) / 2)
