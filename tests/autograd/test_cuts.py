"""A path that is cut passes nothing: not a product with 0, which would be nan where inf comes from above."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest

import autograd as ag
from autograd import Value, backward_steps, dumps, grad, jvp, loads, recompute
from autograd.forward import apply
from autograd.ops import CHOICES, CUT, SHEET, where
from autograd.transforms import numeric_adjoints
from autograd.value import record
from viz import draw_derivation, draw_graph

INF = math.inf

# f(x): where to look, and its first and second derivative there; sqrt passes inf up to what was not chosen
CUTS: dict[str, tuple[Callable[[Any], Any], float, float, float]] = {
    "detach": (lambda x: ag.sqrt(ag.detach(x)) + x, 0.0, 1.0, 0.0),
    "relu below 0": (lambda x: ag.sqrt(ag.relu(x)) + x, -1.0, 1.0, 0.0),
    "relu at 0": (lambda x: ag.sqrt(ag.relu(x)) + x, 0.0, 1.0, 0.0),
    "maximum": (lambda x: ag.sqrt(ag.maximum(x, 0.0)) + x, -1.0, 1.0, 0.0),
    "maximum of three": (lambda x: ag.sqrt(ag.maximum(x, 0.0, x - 1.0)) + x * x, -1.0, -2.0, 2.0),
    "minimum": (lambda x: ag.sqrt(ag.minimum(x, 0.0)) + x, 2.0, 1.0, 0.0),
    "leaky relu's alpha": (lambda x: ag.sqrt(apply("leaky_relu", 1.0, x) - 1.0) + x, 3.0, 1.0, 0.0),
    "the power 0": (lambda x: ag.sqrt(x**0 - 1.0) + x, 2.0, 1.0, 0.0),
    "where, the first": (lambda x: ag.sqrt(apply("where", Value(1.0), Value(0.0), x)) + x, 2.0, 1.0, 0.0),
    "where, the second": (lambda x: ag.sqrt(apply("where", Value(0.0), x, Value(0.0))) + x, 2.0, 1.0, 0.0),
}


@pytest.mark.parametrize("name", CUTS)
def test_what_was_not_chosen_gets_nothing_in_every_sweep(name: str) -> None:
    f, at, first, second = CUTS[name]
    x = Value(at)
    y = f(x)
    y.backward()
    assert x.grad == first
    assert numeric_adjoints(y)[x] == first
    assert grad(f)(at) == first
    assert grad(grad(f))(at) == second
    assert jvp(f, (at,), (1.0,)) == (y.data, first)
    totals: dict[Value, float] = {}
    for step in backward_steps(y):
        totals[step.input] = step.total
    assert totals[x] == first
    assert draw_derivation(y, x).value == first


def test_a_zero_that_was_computed_is_a_number_and_0_times_inf_is_nan() -> None:
    for f in (lambda x: ag.sqrt(x * 0.0) + x, lambda x: ag.sqrt(abs(x)) + x):
        x = Value(0.0)
        f(x).backward()
        assert math.isnan(x.grad)


def test_it_is_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    theirs: dict[str, Callable[[Any], Any]] = {
        "relu below 0": lambda t: torch.sqrt(torch.relu(t)) + t,
        "relu at 0": lambda t: torch.sqrt(torch.relu(t)) + t,
        "maximum": lambda t: torch.sqrt(torch.maximum(t, torch.zeros_like(t))) + t,
        "minimum": lambda t: torch.sqrt(torch.minimum(t, torch.zeros_like(t))) + t,
        "detach": lambda t: torch.sqrt(t.detach()) + t,
        "the power 0": lambda t: torch.sqrt(t**0 - 1.0) + t,
    }
    for name, g in theirs.items():
        f, at, first, _ = CUTS[name]
        t = torch.tensor(at, dtype=torch.float64, requires_grad=True)
        g(t).backward()
        assert t.grad.item() == first == grad(f)(at), name


def test_the_input_of_a_detach_is_not_walked_and_a_dead_relus_is() -> None:
    x = Value(-1.0)
    dead, cut = x.relu(), ag.detach(x * 2.0)
    (dead + cut).backward()
    assert x.has_grad and x.grad == 0.0
    behind = cut.inputs[0]
    assert not behind.has_grad and cut.local_derivatives == (None,)
    assert dead.local_derivatives[0] is CUT
    y = Value(3.0)
    ag.detach(y).backward()
    assert not y.has_grad
    assert "–" in draw_graph(ag.detach(y)).to_text()


def test_a_nan_at_a_node_without_leaves_is_not_made_either() -> None:
    below = ag.detach(Value(-1.0))
    root = ag.sqrt(ag.relu(below))
    root.backward()
    assert below.grad == 0.0
    assert ag.relu(-INF) == 0.0
    constant = record("neg", 1.0)
    ag.sqrt(ag.relu(constant)).backward()
    assert constant.grad == 0.0


def test_a_cut_stops_inf_as_a_seed_and_leaves_what_a_leaf_held() -> None:
    x = Value(-1.0)
    x.grad = math.nan
    x.relu().backward(INF)
    assert math.isnan(x.grad)
    x.grad = 2.0
    x.relu().backward(INF)
    assert x.grad == 2.0


def test_behind_a_cut_a_zero_is_passed_on_and_times_inf_is_nan_as_in_pytorch() -> None:
    """The gradient of log's output is 0 here, and log passes 0/0 on: the well-known trap of where()."""

    def f(x: Any) -> Any:
        return ag.relu(ag.log(x)) + x

    x = Value(0.0)
    y = f(x)
    y.backward()
    assert math.isnan(x.grad) and math.isnan(grad(f)(0.0))
    assert math.isnan(draw_derivation(y, x).value)
    second = grad(lambda v: grad(f)(v))
    assert math.isnan(second(0.0))
    assert grad(f)(0.5) == 1.0
    torch = pytest.importorskip("torch")
    t = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    (torch.relu(torch.log(t)) + t).backward()
    assert torch.isnan(t.grad)


def test_a_cut_is_kept_by_files_copies_and_recomputing() -> None:
    x = Value(-1.0, "x")
    y = ag.sqrt(x.relu()) + ag.detach(x) + x
    twins = [loads(dumps(y)), copy.deepcopy(y), loads(dumps(copy.deepcopy(y)))]
    for twin in [*twins, recompute(y)]:
        twin.zero_grad()
        twin.backward()
        (leaf,) = [node for node in ag.leaves(twin) if node.label == "x"]
        assert leaf.grad == 1.0
    assert dumps(loads(dumps(y))) == dumps(y)
    assert '"partials":["cut"]' in dumps(y) and '"partials":[null]' in dumps(y)
    with pytest.raises(ag.GraphFormatError, match="must be a number"):
        loads(dumps(y).replace('"cut"', '"off"'))
    with pytest.raises(ag.GraphFormatError, match="null for a constant"):
        loads(dumps(y).replace('["cut"]', "[null]"))


def test_a_learner_is_told_that_a_path_is_cut_where_the_numbers_would_say_nan() -> None:
    x = Value(-1.0, "x")
    r = x.relu()
    r.label = "r"
    y = ag.sqrt(r)
    y.label = "y"
    last = list(backward_steps(y))[-1]
    assert (last.upstream, last.local, last.contribution, last.total) == (INF, 0.0, 0.0, 0.0)
    assert "passes nothing" in last.words and "not chosen" in last.text and "cut" in last.latex
    assert "inf × 0 (cut)" in str(draw_derivation(y, x)) and r"\text{cut}" in draw_derivation(y, x).to_latex()
    ordinary = list(backward_steps(r * 2.0))[-1]
    assert ordinary.text == "∂f/∂x += ∂f/∂r · ∂r/∂x = 2 × 0 = 0".replace("∂f", f"∂{ordinary.text[1]}")
    assert "cut" not in str(draw_derivation(r * 2.0, x))


def test_an_operation_of_ones_own_can_cut() -> None:
    name = "larger_of_ones_own"
    larger = ag.register(
        name,
        forward=lambda a, b: where(a > b, a, b),
        partials=lambda y, a, b: (where(a > b, 1.0, CUT), where(a > b, CUT, 1.0)),
    )
    ignores = ag.register("ignores_of_ones_own", forward=lambda a, b: a, partials=lambda y, a, b: (1.0, None))
    for f in (larger, ignores):
        a, b = Value(0.0), Value(-1.0)
        y = ag.sqrt(f(a, b))
        (y + b).backward()
        assert (a.grad, b.grad) == (INF, 1.0)
        twin = loads(dumps(y + b))
        twin.zero_grad()
        twin.backward()
        assert sorted(leaf.grad for leaf in ag.leaves(twin)) == [1.0, INF]
        assert grad(grad(lambda v, f=f: ag.sqrt(f(4.0, v)) + v * v))(-1.0) == 2.0


# --------------------------------------------------------------------------------------------------------------------
# compiled

BACKENDS = ("python", "numpy", "jax", "numba")
COMPILED: dict[str, Callable[[Any, Any], Any]] = {
    "detach": lambda x, w: ag.sqrt(ag.detach(w * x)) + w,
    "relu": lambda x, w: ag.sqrt(ag.relu(w * x)) + w,
    "maximum": lambda x, w: ag.sqrt(ag.maximum(w * x, 0.0)) + w,
    "minimum": lambda x, w: ag.sqrt(-ag.minimum(w * x, w * 0.0 + x, 0.0)) + w,
    "alpha": lambda x, w: ag.sqrt(ag.leaky_relu(x, w)) + w,
    "the power 0": lambda x, w: ag.sqrt((w * x) ** 0 - 1.0) + w,
    "both": lambda x, w: ag.sqrt(ag.relu(w * x) + ag.relu(-(w * x) - 4.0)) * ag.relu(w) + w,
    "a derivative": lambda x, w: ag.sqrt(grad(lambda v: ag.relu(v) * v)(w * x)) + w,
    "a derivative of sqrt": lambda x, w: grad(lambda v: ag.sqrt(ag.relu(v)) + v * v)(w * x) + w,
}
POINTS = [-1.0, 0.0, 2.0, -INF, INF]


def same(a: float, b: float, tolerance: float = 1e-12) -> bool:
    return a == b or abs(a - b) < tolerance or (math.isnan(a) and math.isnan(b))


def loss_and_slope(f: Callable[[Any, Any], Any], x: float) -> tuple[float, float]:
    w = Value(1.0)
    y = f(Value(x), w)
    y.backward()
    return y.data, w.grad


def backends() -> list[Any]:
    marks = {"jax": lambda: pytest.importorskip("jax"), "numba": lambda: pytest.importorskip("numba")}
    return [pytest.param(b, marks.get(b, lambda: None), id=b) for b in BACKENDS]


@pytest.mark.parametrize(("backend", "needs"), backends())
def test_what_was_not_chosen_gets_nothing_on_every_backend(backend: str, needs: Callable[[], Any]) -> None:
    np = pytest.importorskip("numpy")
    needs()
    dtype, tolerance = ("float32", 1e-5) if backend == "jax" else ("float64", 1e-12)
    for name, f in COMPILED.items():
        w = Value(1.0)
        step = ag.compile(lambda x, f=f, w=w: f(x, w), 0.5, backend=backend, params=[w], check=False, dtype=dtype)
        for x in POINTS:
            value, slope = loss_and_slope(f, x)
            assert same(step(np.array([x])), value, tolerance), (name, x)
            assert same(float(step.gradient[0]), slope, tolerance), (name, x, step.gradient, slope)
        pairs = [(-1.0, 2.0), (2.0, -1.0), (0.0, 0.0)]
        for a, b in pairs:
            slope = (loss_and_slope(f, a)[1] + loss_and_slope(f, b)[1]) / 2
            step(np.array([a, b]))
            assert same(float(step.gradient[0]), slope, tolerance), (name, a, b)


def test_many_units_are_cut_at_once_in_place_and_in_the_readable_program() -> None:
    """Rows of more than one unit take another way in place than a single one."""
    np = pytest.importorskip("numpy")
    from autograd import error_function
    from autograd.compiler.backends.jax import array_words

    ws = [Value(k - 2.5) for k in range(6)]

    def loss(x: Any) -> Any:
        hidden = [ag.sqrt(ag.relu(w * x)) for w in ws]
        pooled = [ag.sqrt(ag.maximum(ws[k] * x, ws[k + 1] * x, 0.0)) for k in range(4)]
        chosen = [grad(lambda v: ag.relu(v) * v)(w * x) for w in ws]
        total: Any = 0.0
        for k, (h, w) in enumerate(zip(itertools.chain(hidden, pooled, chosen), itertools.cycle(ws))):
            total = total + h * (k + 1.0) + w
        return total

    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-4)):
        step = ag.compile(loss, 0.5, backend="numpy", check=False, dtype=dtype)
        X = np.array([1.0, -1.0, 0.5, -3.0])
        value = step(X)
        assert "<= 0.0, 0.0, " in step.source and "bitwise_and" in step.source_in_place
        expected = 0.0
        for w in ws:
            w.grad = None
        for x in X.tolist():
            y = loss(Value(x))
            y.backward(1.0 / len(X))
            expected += y.data / len(X)
        slopes = np.array([w.grad for w in step.parameters])
        assert np.isfinite(slopes).all()
        assert abs(value - expected) <= tolerance * abs(expected)
        assert np.abs(step.gradient - slopes).max() <= tolerance * np.abs(slopes).max()
        if dtype == "float64":
            with np.errstate(all="ignore"):
                found, gradient = step._plan.readable.load("program", array_words(np, error_function))(
                    step.theta, X[None]
                )
            assert abs(found - expected) <= tolerance * abs(expected)
            assert np.abs(gradient - slopes).max() <= tolerance * np.abs(slopes).max()


def test_every_operation_of_the_sheet_says_for_each_input_what_goes_back() -> None:
    """A number, CUT where nothing does for these numbers, None where nothing ever does."""
    for name, op in SHEET.items():
        inputs = [0.7, -0.3, 0.2][: op.arity or 2]
        partials = list(op.partials(op.forward(*inputs), *inputs))
        assert len(partials) == len(inputs)
        assert all(d is None or type(d) is float for d in partials)
        assert (None in partials) == (name in CHOICES or (op.custom and "ignores" in name))
