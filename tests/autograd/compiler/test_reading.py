"""A number that is read while tracing is a number that is frozen: losses that branch on one are refused, or equal.

Each loss below takes the output o of a line w·x + b and a target t, and is another function on one side of some border
than on the other. `compile` must refuse it, naming the line, or compute what the scalar code does; `fit` must train as
it does without the compiler. The oracle is the scalar code itself, on 200 samples.
"""

from __future__ import annotations

import copy
import inspect
import json
import math
import pickle
import statistics
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import TracingError, Value, detach, grad, maximum, minimum, softplus, where
from nn.training import metrics
from tests.autograd.compiler.models import sign_of

W, B = Value(0.8, "w"), Value(-0.1, "b")
CHANGING = Value(0.5)  # somebody else's Value: another parameter, as far as the compiler knows

Loss = Callable[[Any, Any], Any]


def by_data(o: Any, t: Any) -> Any:
    return (o - t) ** 2 * (1.0 if o.data < 0.9 else 3.0)


def huber_by_data(o: Any, t: Any) -> Any:
    d = o - t
    return 0.5 * d**2 if math.fabs(d.data) < 1 else abs(d) - 0.5


def by_argmax(o: Any, t: Any) -> Any:
    scores = [o, 0.5 - o, o * o - 1.0]
    best = max(range(3), key=lambda k: scores[k].data)
    return scores[best] - t


def by_round(o: Any, t: Any) -> Any:
    return (o - round(o.data)) ** 2


def by_round_of_the_value(o: Any, t: Any) -> Any:
    try:
        return (o - round(o)) ** 2
    except TypeError:  # as it is outside of tracing
        return (o - t) ** 2


def by_copysign(o: Any, t: Any) -> Any:
    return o * math.copysign(1.0, o.data) + t


def by_int(o: Any, t: Any) -> Any:
    return o * int(o.data * 2) + t


def by_index(o: Any, t: Any) -> Any:
    return o * [1.0, 2.0, 3.0][min(2, int(math.fabs(o.data)))]


def by_softplus_branch(o: Any, t: Any) -> Any:
    return softplus(-o) if o.data > 0 else softplus(o)


def by_stable_softmax(o: Any, t: Any) -> Any:
    logits = [900.0 * o, -900.0 * o]
    top = max(v.data for v in logits)
    e = [(v - top).exp() for v in logits]
    return -(e[0] / (e[0] + e[1]) + 0.01).log()


def by_sorting(o: Any, t: Any) -> Any:
    first, second = sorted([o, 1.0 - o], key=lambda v: v.data)
    return first * 2.0 + second


def by_membership(o: Any, t: Any) -> Any:
    return o * (2.0 if round(o.data) in (0, 1) else -1.0)


def by_equality(o: Any, t: Any) -> Any:
    return o * (5.0 if round(o.data, 0) == 1.0 else 1.0)


def by_truth(o: Any, t: Any) -> Any:
    return o * (3.0 if (o - t).relu() else 1.0)


def by_and(o: Any, t: Any) -> Any:
    return o.relu() and o * 2.0 + t


def by_dict(o: Any, t: Any) -> Any:
    return o * {True: 1.0, False: 4.0}[o.data > 0.3]


def by_floor(o: Any, t: Any) -> Any:
    return o - math.floor(o.data)


def by_a_guess_when_refused(o: Any, t: Any) -> Any:
    try:
        factor = 1.0 if o.data > 0.2 else 2.0
    except Exception:
        factor = 1.0
    return o * factor


def by_a_helper_elsewhere(o: Any, t: Any) -> Any:
    return o * sign_of(o)


def by_our_own_helper(o: Any, t: Any) -> Any:
    return o * (1.0 + metrics.decide(o))


def by_a_loop(o: Any, t: Any) -> Any:
    y = o * o
    while y.data > 0.05:
        y = y * 0.5
    return y


def by_numpy(o: Any, t: Any) -> Any:
    return o * float(np.sign(o.data))


def by_numpy_argmax(o: Any, t: Any) -> Any:
    scores = [o, 0.5 - o]
    return scores[int(np.argmax([v.data for v in scores]))]


def by_numpy_argmax_of_values(o: Any, t: Any) -> Any:
    scores = [o, 0.5 - o]
    return scores[int(np.argmax(np.array(scores)))]


def by_counting(o: Any, t: Any) -> Any:
    return o * sum(v > 0.1 for v in (o, o - 0.5, o - 1.0))


def by_multiplying_with_a_comparison(o: Any, t: Any) -> Any:
    return (o > 0.1) * o


def by_a_comparison_as_a_key(o: Any, t: Any) -> Any:
    return o * {True: 2.0}.get(o > 0.1, 3.0)


def by_max_of_values(o: Any, t: Any) -> Any:
    return max(o, 1.0 - o)


def by_statistics(o: Any, t: Any) -> Any:
    return o * (1.0 if statistics.median([o.data, 0.1, 0.3]) > 0.1 else 2.0)


def by_gradient(o: Any, t: Any) -> Any:
    inner = o * o * o
    before = o.grad
    inner.backward()
    return o * (o.grad - before)


def by_local_derivative(o: Any, t: Any) -> Any:
    return o * (1.0 if o.relu().local_derivatives[0] else 2.0)


def by_a_parameter(o: Any, t: Any) -> Any:
    return o * (1.0 if CHANGING.data > 0.0 else 2.0)


def by_setting_a_parameter(o: Any, t: Any) -> Any:
    CHANGING.data = 0.5
    return o * CHANGING


def by_a_copy(o: Any, t: Any) -> Any:
    return o * copy.deepcopy(o)


def by_a_pickle(o: Any, t: Any) -> Any:
    return o * pickle.loads(pickle.dumps(CHANGING))


def by_json(o: Any, t: Any) -> Any:
    return o * json.loads(autograd.dumps(o))["nodes"][-1]["data"]


def by_printing(o: Any, t: Any) -> Any:
    return o * (-1.0 if f"{o:.3f}".startswith("-") else 2.0)


def by_type(o: Any, t: Any) -> Any:
    return o * (2.0 if isinstance(t, float) else 1.0)


def by_a_look_up(o: Any, t: Any) -> Any:
    return o * {0.2: 3.0, 0.5: 2.0, 1.0: 2.0}.get(t, 1.0)


def by_a_compiled_function(o: Any, t: Any) -> Any:
    return o * COMPILED([1.0])


COMPILED = autograd.compile(lambda x: CHANGING * x, 1.0)

LOSSES = [f for name, f in list(globals().items()) if name.startswith(("by_", "huber_"))]
NOT_SEEN = [by_printing, by_type, by_a_look_up]  # not watched: these are for the check, which names the function


def of_a_line(loss: Loss) -> Callable[[Any, Any], Any]:
    def f(x: Any, t: Any) -> Any:
        return loss(W * x + B, t)

    return f


def samples(n: int = 200) -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    return generator.normal(size=n) * 2.0, generator.normal(size=n)


@pytest.mark.parametrize("backend", ["numpy", "python", "jax", "numba"])
def test_a_loss_that_branches_on_a_number_is_refused_or_equal(backend: str) -> None:
    if backend in ("jax", "numba"):
        pytest.importorskip(backend)
    if backend == "jax":
        pytest.importorskip("jax").config.update("jax_enable_x64", True)
    assert len(LOSSES) >= 20
    X, T = samples()
    refused = {}
    for loss in LOSSES:
        f = of_a_line(loss)
        try:
            found = autograd.compile(f, 0.7, 0.2, backend=backend).outputs(X, T)
        except TracingError as error:
            refused[loss] = str(error)
        else:
            expected = [f(Value(float(x)), Value(float(t))).data for x, t in zip(X, T, strict=True)]
            assert np.allclose(found, expected, 1e-9, 1e-9), loss
    for loss, message in refused.items():
        if loss in NOT_SEEN:
            assert "It does not do the same for every sample: does it read a number from text" in message
            continue
        assert "where(a > b, x, y)" in message
        assert "detach(x) in place of x.data" in message
        writer = sign_of if loss is by_a_helper_elsewhere else loss
        lines, first = inspect.getsourcelines(writer)
        place = message.removeprefix(f"{inspect.getsourcefile(writer)}:").split(":")[0]
        assert first < int(place) < first + len(lines), message
    assert {by_data, huber_by_data, by_round, by_stable_softmax, *NOT_SEEN} <= set(refused)
    assert (W.data, B.data, CHANGING.data) == (0.8, -0.1, 0.5)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda f: f.__name__)
def test_fit_goes_on_eagerly_and_says_why_once(loss: Loss) -> None:
    generator = np.random.default_rng(1)
    X = generator.normal(size=(24, 1)).tolist()
    y = [round(0.5 * x[0] - 0.2, 1) for x in X]

    def run(compiled: bool) -> tuple[Any, Any]:
        model = nn.Neuron(1, "linear", seed=3)
        options: dict[str, Any] = {"loss": loss, "epochs": 3, "batch_size": 8, "optimizer": nn.SGD(lr=0.002)}
        return nn.fit(model, X, y, progress=False, compiled=compiled, **options), model.state_dict()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history, numbers = run(True)
    expected, same = run(False)
    assert history == expected and numbers == pytest.approx(same, rel=1e-9)
    assert history.compiled is False and len(caught) == 1
    assert history.why in str(caught[0].message) and caught[0].filename == __file__
    if loss is by_a_helper_elsewhere:
        assert f"{inspect.getsourcefile(sign_of)}:" in history.why
    else:
        assert __file__ in history.why or loss in NOT_SEEN


# --- what to write instead


def huber(d: Any) -> Any:
    return where(abs(d) < 1, 0.5 * d**2, abs(d) - 0.5)


def instead(x: Any, t: Any) -> list[Any]:
    """The losses above that have a meaning, as they are to be written."""
    o = W * x + B
    scores = [o, 0.5 - o, o * o - 1.0]
    logits = [900.0 * o, -900.0 * o]
    top = detach(maximum(logits))
    e = [(v - top).exp() for v in logits]
    return [
        (o - t) ** 2 * where(o < 0.9, 1.0, 3.0),
        huber(o - t),
        maximum(scores) - t,
        o * where(o >= 0, 1.0, -1.0),
        where(t > 0, softplus(-o), softplus(o)),
        e[0] / (e[0] + e[1]),
        minimum(o, 1.0 - o) * 2.0 + maximum(o, 1.0 - o),
        where((o > 0.1) & (o < 0.9), o, t),
        where((o > 0.9) | (o <= 0.1) | ~(t > 0), o, t * t),
        where(o.relu().equals(0.0), -o, where(o <= t, o * t, W)),
        where(True, o, t) + where(False, 1.0, 2.0) * o + where(np.bool_(False), o, 3.0),
        where(o > 0.0, 1.0, where(W > B, 2.0, B)),
        grad(lambda v: where(v > 0.5, v**3, v * o))(o),
        grad(lambda v: W * v * v)(2.0) * o,
    ]


@pytest.mark.parametrize("backend", ["numpy", "python", "jax", "numba"])
def test_where_is_the_same_on_every_backend_forward_and_backward(backend: str) -> None:
    if backend in ("jax", "numba"):
        pytest.importorskip(backend)
    if backend == "jax":
        pytest.importorskip("jax").config.update("jax_enable_x64", True)
    X, T = samples()
    X[0], T[0] = 1.1 / 0.8, 0.0  # d = 1: the border of huber
    whole = autograd.compile(lambda x, t: sum(instead(x, t)[1:], instead(x, t)[0]), 0.7, 0.2, backend=backend)
    expected = []
    for p in (W, B):
        p.grad = 0.0
    for x, t in zip(X, T, strict=True):
        row = instead(Value(float(x)), Value(float(t)))
        expected.append([y.data for y in row])
        sum(row[1:], row[0]).backward(1.0 / len(X))
    if backend in ("numpy", "python"):
        each = autograd.compile(instead, 0.7, 0.2, backend=backend)
        assert np.allclose(each(X, T), expected, 1e-12, 1e-12)
    assert np.allclose(whole.outputs(X, T), np.sum(expected, axis=1), 1e-12, 1e-12)
    assert whole(X, T) == pytest.approx(np.sum(expected) / len(X), rel=1e-12)
    found = dict(zip(whole.parameters, whole.gradient.tolist(), strict=True))
    assert [found[W], found[B]] == pytest.approx([W.grad, B.grad], rel=1e-9)
    for p in (W, B):
        p.grad = None


def test_huber_in_one_line_trains_compiled_as_it_does_eagerly() -> None:
    X = [[0.1 * k] for k in range(-20, 21)]
    y = [2.0 * x[0] + (9.0 if k == 20 else 0.0) for k, x in enumerate(X)]

    def run(compiled: bool) -> Any:
        model = nn.Neuron(1, "linear", seed=0)
        loss = lambda o, t: huber(o - t)  # noqa: E731
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return nn.fit(model, X, y, loss=loss, epochs=20, batch_size=8, progress=False, compiled=compiled)

    fast, slow = run(True), run(False)
    assert fast.compiled and fast["loss"] == pytest.approx(slow["loss"], rel=1e-12)


# --- what may be done while tracing


def test_looking_never_raises(capsys: pytest.CaptureFixture[str]) -> None:
    def f(x: Any) -> Any:
        y = W * x
        print(x, y > 1, y, repr(y), f"{y} {y:.3f}", [y])
        return y

    step = autograd.compile(f, 2.0, check=False)
    assert "1.600 [Value(data=1.6, grad=0.0)]" in capsys.readouterr().out
    assert step([1.0]) == 0.8


def test_numbers_that_do_not_depend_on_the_sample_or_a_parameter_may_be_read() -> None:
    def f(x: Any) -> Any:
        half = Value(0.25) + 0.25
        factor = 2.0 if half.data > 0.3 and half > 0.3 and half else 3.0
        return x * factor * CHANGING.data * copy.deepcopy(half) * autograd.loads(autograd.dumps(half)) * W

    step = autograd.compile(f, 1.0, params=[W])  # every other Value is a constant then
    assert step([1.0]) == pytest.approx(2.0 * 0.5 * 0.25 * 0.8)
    assert step.parameters == [W]
    free = lambda x: x * copy.copy(Value(2.0)) * W  # noqa: E731
    assert autograd.compile(free, 1.0).parameters == [W]
    with pytest.raises(TracingError):
        autograd.compile(f, 1.0)
    with pytest.raises(TracingError):
        autograd.compile(lambda x: x * W.data, 1.0, params=[W])


def test_other_threads_read_what_they_like_while_one_is_tracing() -> None:
    import threading

    seen: list[Any] = []

    def f(x: Any) -> Any:
        def work() -> None:
            seen.extend([W.data, W > 0.5, bool(W)])

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return x * W

    autograd.compile(f, 1.0, check=False)
    assert seen == [0.8, True, True]


def test_a_deep_graph_is_asked_without_recursion_and_once() -> None:
    def f(x: Any) -> Any:
        free, bound = Value(1.0), x
        for _ in range(20_000):
            free, bound = free * 1.0, bound + 0.0
            assert free.data == 1.0
        return where(bound > free, bound, free)

    assert autograd.compile(f, 2.0, check=False).outputs([3.0, 0.5]).tolist() == [3.0, 1.0]


# --- the second net


def test_a_long_recurrence_is_not_taken_for_a_frozen_number() -> None:
    """r·x·(1 − x), sixty times, is chaos: rounding errors grow until nothing is left but them."""

    def f(x: Any) -> Any:
        y = x * 0.5
        for _ in range(60):
            y = R * y * (1.0 - y)
        return y

    R = Value(3.9)
    for backend in ("numpy", "python"):
        assert autograd.compile(f, 0.4, backend=backend)([0.4]) == pytest.approx(f(Value(0.4)).data, rel=1e-3)


def test_losses_that_are_not_finite_far_off_compile() -> None:
    for f in (lambda x: (W * x).exp().exp(), lambda x: (W * x).log(), lambda x: (1.0 - x * x * W).sqrt() / (x - x)):
        for dtype in ("float64", "float32"):
            autograd.compile(f, 0.7, dtype=dtype, backend="numpy")


def test_a_rule_that_raises_far_off_compiles_all_the_same() -> None:
    log1p = autograd.register("log1p_r", lambda x: math.log1p(x), lambda y, x: (1.0 / (1.0 + x),))
    try:
        step = autograd.compile(lambda x: log1p(W * x), 0.5, backend="python")
        assert step([2.0]) == math.log1p(1.6)
    finally:
        del autograd.SHEET["log1p_r"]


def test_fit_compares_again_after_the_first_epoch_and_begins_anew() -> None:
    """A model that counts its calls, and is another one from some call on."""

    class Tiring(nn.Module):
        def __init__(self) -> None:
            self.inner, self.calls = nn.Neuron(1, "linear", seed=0), 0

        def forward(self, x: Any) -> Any:
            self.calls += 1
            return self.inner(x) * (1.0 if self.calls < 60 else 0.5)

    X = [[0.1 * k] for k in range(16)]
    y = [x[0] for x in X]
    metric_calls = []

    def metric(output: Any, target: Any) -> float:
        metric_calls.append(model.calls)
        model.calls = 100  # so that it changes within the first epoch
        return 0.0

    model = Tiring()
    options: dict[str, Any] = {"epochs": 3, "batch_size": 4, "progress": False, "shuffle": False}
    with pytest.warns(RuntimeWarning, match="after the first epoch, the program gives") as caught:
        history = nn.fit(model, X, y, optimizer=nn.Adam(lr=0.01), metric=metric, **options)
    assert len(caught) == 1 and history.compiled is False
    twin = Tiring()
    twin.calls = 100
    expected = nn.fit(twin, X, y, optimizer=nn.Adam(lr=0.01), compiled=False, **options)
    assert history["loss"] == expected["loss"]
    assert model.state_dict() == twin.state_dict()


def test_a_number_that_is_rounded_when_it_comes_plain_is_found_whatever_the_example() -> None:
    w = Value(0.7)
    for example in (0.9, 2.0, -1.5, 0.123):
        with pytest.raises(TracingError, match="plain numbers"):
            autograd.compile(lambda x: w * round(x, 1) if isinstance(x, float) else w * x, example)


@pytest.mark.parametrize(
    "f", [lambda x: x ** (x > 1), lambda x: sum(range(x)) * x, lambda x: x * abs(x > 0), lambda x: x % (x > 0)]
)
def test_what_asks_a_choice_or_a_value_for_a_number_is_refused_with_its_line(f: Any) -> None:
    with pytest.raises(TracingError, match=r"test_reading\.py:\d+: "):
        autograd.compile(f, 2.0)


def test_a_comparison_may_be_printed_while_tracing(capsys: pytest.CaptureFixture[str]) -> None:
    def f(x: Any) -> Any:
        print(f"{x > 1:>2} {x > 1!r} {x:.1f}")
        return x * 2

    autograd.compile(f, 2.0, check=False)
    assert capsys.readouterr().out == " 1 True 2.0\n"
