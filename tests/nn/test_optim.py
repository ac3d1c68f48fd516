"""Optimisers and schedules: each rule against PyTorch and against a reference of its own, over 100 steps (B11)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from autograd import Value
from nn import MLP, SGD, Adagrad, Adam, AdamW, NAdam, Optimizer, RMSprop, clip_grad_norm, optim, schedules
from nn.optim import Newton

Array = np.ndarray[Any, np.dtype[np.float64]]
STEPS = 100

# A random problem that is neither quadratic nor separable: ½‖A·tanh(w) - c‖² with a bent slope.
_rng = np.random.default_rng(3)
A, C, START = _rng.normal(size=(6, 5)), _rng.normal(size=6), _rng.normal(size=5)


def gradient(w: Array) -> Array:
    t = np.tanh(w)
    return np.asarray((A.T @ (A @ t - C)) * (1 - t * t) + 0.1 * w)


def torch_loss(w: Any) -> Any:
    torch = pytest.importorskip("torch")
    r = torch.tensor(A) @ torch.tanh(w) - torch.tensor(C)
    return 0.5 * (r * r).sum() + 0.05 * (w * w).sum()


def value_loss(w: list[Value]) -> Value:
    total: Any = 0.0
    t = [x.tanh() for x in w]
    for row, c in zip(A.tolist(), C.tolist(), strict=True):
        r = sum(a * x for a, x in zip(row, t, strict=True)) - c
        total = total + 0.5 * r * r
    for x in w:
        total = total + 0.05 * x * x
    return total  # type: ignore[no-any-return]


def walk_values(optimizer: Optimizer, steps: int = STEPS) -> Array:
    w = [Value(x) for x in START.tolist()]
    optimizer.bind(w)
    points = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = value_loss(w)
        loss.backward()
        optimizer.step(loss)
        points.append([x.data for x in w])
    return np.array(points)


def walk_arrays(optimizer: Optimizer, steps: int = STEPS) -> Array:
    w = START.copy()
    points = []
    for _ in range(steps):
        w = optimizer.step_arrays(w, gradient(w))
        points.append(w)
    return np.array(points)


# --- references, written once more from the papers, on arrays and with the whole history at hand


def reference(step: Callable[[int, Array, list[Array]], Array]) -> Array:
    w, gs, points = START.copy(), [], []
    for t in range(1, STEPS + 1):
        gs.append(gradient(w))
        w = step(t, w, gs)
        points.append(w)
    return np.array(points)


def fading(gs: list[Array], beta: float, power: int = 1) -> Array:
    """(1-β) Σ β^(t-i)·gᵢ^power: the fading mean in closed form."""
    n = len(gs)
    return np.asarray(sum((1 - beta) * beta ** (n - 1 - i) * g**power for i, g in enumerate(gs)))


def momentum(gs: list[Array], mu: float) -> Array:
    n = len(gs)
    return np.asarray(sum(mu ** (n - 1 - i) * g for i, g in enumerate(gs)))


def nadam(t: int, w: Array, gs: list[Array]) -> Array:
    def mu(k: int) -> float:
        return 0.9 * (1 - 0.5 * 0.96 ** (k * 0.004))

    product = math.prod(mu(k) for k in range(1, t + 1))
    m, v = fading(gs, 0.9), fading(gs, 0.999, 2) / (1 - 0.999**t)
    m_hat = mu(t + 1) * m / (1 - product * mu(t + 1)) + (1 - mu(t)) * gs[-1] / (1 - product)
    return np.asarray(w - 0.05 * m_hat / (np.sqrt(v) + 1e-8))


def adam(t: int, w: Array, gs: list[Array], lr: float = 0.05) -> Array:
    m, v = fading(gs, 0.9) / (1 - 0.9**t), fading(gs, 0.999, 2) / (1 - 0.999**t)
    return np.asarray(w - lr * m / (np.sqrt(v) + 1e-8))


def amsgrad(t: int, w: Array, gs: list[Array]) -> Array:
    largest = np.max([fading(gs[: k + 1], 0.999, 2) for k in range(t)], axis=0)
    return np.asarray(w - 0.05 * fading(gs, 0.9) / (1 - 0.9**t) / (np.sqrt(largest / (1 - 0.999**t)) + 1e-8))


def uncorrected(t: int, w: Array, gs: list[Array]) -> Array:
    return np.asarray(w - 0.01 * fading(gs, 0.9) / (np.sqrt(fading(gs, 0.999, 2)) + 1e-8))


def adagrad(t: int, w: Array, gs: list[Array]) -> Array:
    return np.asarray(w - 0.1 * gs[-1] / (np.sqrt(np.sum(np.square(gs), axis=0)) + 1e-10))


REFERENCES: dict[str, tuple[Callable[[], Optimizer], Callable[[int, Array, list[Array]], Array]]] = {
    "gradient descent": (lambda: SGD(lr=0.02), lambda t, w, gs: w - 0.02 * gs[-1]),
    "momentum": (lambda: SGD(lr=0.02, momentum=0.9), lambda t, w, gs: w - 0.02 * momentum(gs, 0.9)),
    "Nesterov": (
        lambda: SGD(lr=0.02, momentum=0.9, nesterov=True),
        lambda t, w, gs: w - 0.02 * (gs[-1] + 0.9 * momentum(gs, 0.9)),
    ),
    "Adagrad": (lambda: Adagrad(lr=0.1), adagrad),
    "RMSprop": (
        lambda: RMSprop(lr=0.01),
        lambda t, w, gs: w - 0.01 * gs[-1] / (np.sqrt(fading(gs, 0.99, 2)) + 1e-8),
    ),
    "Adam": (lambda: Adam(lr=0.05), adam),
    "Adam without bias correction": (lambda: Adam(lr=0.01, bias_correction=False), uncorrected),
    "AMSGrad": (lambda: Adam(lr=0.05, amsgrad=True), amsgrad),
    "AdamW": (lambda: AdamW(lr=0.05, weight_decay=0.1), lambda t, w, gs: adam(t, w * (1 - 0.05 * 0.1), gs)),
    "NAdam": (lambda: NAdam(lr=0.05), nadam),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_100_steps_equal_the_papers_formulas_b11(name: str) -> None:
    make, step = REFERENCES[name]
    expected = reference(step)
    assert np.abs(expected[-1] - START).max() > 0.1  # it went somewhere
    assert np.allclose(walk_values(make()), expected, rtol=0, atol=1e-10)


TORCH: dict[str, tuple[Callable[[], Optimizer], Callable[[Any, list[Any]], Any]]] = {
    "SGD": (lambda: SGD(lr=0.02), lambda o, p: o.SGD(p, lr=0.02)),
    "SGD, decay": (lambda: SGD(lr=0.02, weight_decay=0.1), lambda o, p: o.SGD(p, lr=0.02, weight_decay=0.1)),
    "momentum": (
        lambda: SGD(lr=0.02, momentum=0.9, weight_decay=0.1),
        lambda o, p: o.SGD(p, lr=0.02, momentum=0.9, weight_decay=0.1),
    ),
    "Nesterov": (
        lambda: SGD(lr=0.02, momentum=0.9, nesterov=True, weight_decay=0.1),
        lambda o, p: o.SGD(p, lr=0.02, momentum=0.9, nesterov=True, weight_decay=0.1),
    ),
    "Adagrad": (
        lambda: Adagrad(lr=0.1, weight_decay=0.1),
        lambda o, p: o.Adagrad(p, lr=0.1, weight_decay=0.1),
    ),
    "RMSprop": (
        lambda: RMSprop(lr=0.01, weight_decay=0.1),
        lambda o, p: o.RMSprop(p, lr=0.01, weight_decay=0.1),
    ),
    "Adam": (lambda: Adam(), lambda o, p: o.Adam(p)),
    "Adam, decay": (
        lambda: Adam(lr=0.05, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1),
        lambda o, p: o.Adam(p, lr=0.05, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1),
    ),
    "AMSGrad": (lambda: Adam(lr=0.05, amsgrad=True), lambda o, p: o.Adam(p, lr=0.05, amsgrad=True)),
    "AdamW": (lambda: AdamW(), lambda o, p: o.AdamW(p)),
    "AdamW, AMSGrad": (
        lambda: AdamW(lr=0.05, amsgrad=True, weight_decay=0.2),
        lambda o, p: o.AdamW(p, lr=0.05, amsgrad=True, weight_decay=0.2),
    ),
    "NAdam": (lambda: NAdam(), lambda o, p: o.NAdam(p)),
    "NAdam, decay": (
        lambda: NAdam(lr=0.05, weight_decay=0.1),
        lambda o, p: o.NAdam(p, lr=0.05, weight_decay=0.1),
    ),
}


@pytest.mark.parametrize("name", TORCH)
def test_100_steps_equal_pytorchs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    make, make_torch = TORCH[name]
    # Otherwise NAdam keeps its product of momenta in 32 bits, even for parameters of 64.
    monkeypatch.setattr(torch, "get_default_dtype", lambda: torch.float64)
    w = torch.tensor(START, requires_grad=True)
    theirs = make_torch(torch.optim, [w])
    points = []
    for _ in range(STEPS):
        theirs.zero_grad()
        torch_loss(w).backward()
        theirs.step()
        points.append(w.detach().numpy().copy())
    assert np.allclose(walk_values(make()), points, rtol=0, atol=1e-10)


ALL = {**{k: v[0] for k, v in REFERENCES.items()}, "clipped": lambda: Adam(lr=0.05, clip_norm=0.5, noise=(0.01, 0.55))}


@pytest.mark.parametrize("name", ALL)
def test_the_same_rule_runs_on_arrays(name: str) -> None:
    assert np.allclose(walk_arrays(ALL[name]()), walk_values(ALL[name]()), rtol=0, atol=1e-12)


def test_a_rule_runs_on_values_so_that_a_step_can_be_drawn() -> None:
    w, g, v = Value(1.0, "w"), Value(0.5, "g"), Value(0.2, "v")
    new, velocity = SGD(lr=0.1, momentum=0.9).rule(w, g, 0.1, 1, v)
    new.backward()
    assert new.data == pytest.approx(1.0 - 0.1 * (0.9 * 0.2 + 0.5))
    assert (w.grad, g.grad, v.grad) == pytest.approx((1.0, -0.1, -0.09))
    assert velocity.op == "add"
    Adam().rule(w, g, 0.1, 1, v, v)[0].backward()


@pytest.mark.parametrize("name", ALL)
def test_state_saved_half_way_and_restored_gives_the_same_second_half(name: str) -> None:
    whole = walk_values(ALL[name]())
    first, second = ALL[name](), ALL[name]()
    w = [Value(x) for x in START.tolist()]
    first.bind(w)
    second.bind(w)
    for k in range(40):
        optimizer = first if k < 20 else second
        if k == 20:
            second.load_state_dict(json.loads(json.dumps(first.state_dict())))
        optimizer.zero_grad()
        value_loss(w).backward()
        optimizer.step()
        assert [x.data for x in w] == whole[k].tolist()


def test_state_moves_between_values_and_arrays() -> None:
    whole = walk_values(Adam(lr=0.05), 20)
    optimizer = Adam(lr=0.05)
    w = [Value(x) for x in START.tolist()]
    optimizer.bind(w)
    for k in range(20):
        if k % 2:
            optimizer.zero_grad()
            value_loss(w).backward()
            optimizer.step()
        else:
            at = np.array([x.data for x in w])
            for x, number in zip(w, optimizer.step_arrays(at, gradient(at)), strict=True):
                x.data = number
    assert np.allclose([x.data for x in w], whole[-1], rtol=0, atol=1e-12)
    assert optimizer.t == 20


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({}, "needs kind, t, memory and noise"),
        (SGD([Value(1.0)]).state_dict(), "the state of SGD, but this optimiser is Adam"),
        (Adam([Value(1.0)], amsgrad=True).state_dict(), r"expected the memory \['m', 'v'\]"),
        (Adam([Value(1.0), Value(2.0)]).state_dict(), "m has 2 entries, but there are 1 parameters"),
    ],
)
def test_a_state_that_does_not_fit_says_why(state: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Adam([Value(1.0)]).load_state_dict(state)


# --- Newton (B12)


def test_newton_solves_a_quadratic_in_one_step_b12() -> None:
    w = [Value(3.0), Value(-2.0)]
    loss = 2.0 * w[0] * w[0] + w[0] * w[1] + 1.5 * w[1] * w[1] - 4.0 * w[0] + 7.0
    optimizer = Newton(w)
    optimizer.step(loss)
    assert [x.data for x in w] == pytest.approx(
        np.linalg.solve([[4.0, 1.0], [1.0, 3.0]], [4.0, 0.0]).tolist(), abs=1e-14
    )


def test_newton_converges_quadratically() -> None:
    w = [Value(2.5)]
    errors = []
    for _ in range(6):
        loss = w[0].exp() - 2.0 * w[0]
        Newton(w).step(loss)
        errors.append(abs(w[0].data - math.log(2.0)))
    assert errors[-1] < 1e-12
    assert all(b < 0.6 * a * a for a, b in pairwise(errors) if 1e-7 < a < 1)


def test_newton_needs_the_loss_and_says_when_the_hessian_is_singular() -> None:
    w = [Value(3.0), Value(-2.0)]
    with pytest.raises(TypeError, match=r"call optimizer\.step\(loss\)"):
        Newton(w).step()
    with pytest.raises(ValueError, match="2×2 Hessian is singular"):
        Newton(w).step((w[0] + w[1]) ** 2)
    Newton(w, damping=1e-6).step((w[0] + w[1]) ** 2)
    assert abs(w[0].data + w[1].data) < 1e-5
    with pytest.raises(TypeError, match="needs the loss"):
        Newton().step_arrays(START, START)


# --- around the rules


def test_clipping_scales_a_long_gradient_and_leaves_a_short_one_as_pytorch_does() -> None:
    torch = pytest.importorskip("torch")
    for max_norm in (1.0, 100.0):
        values = [Value(1.0) for _ in range(3)]
        tensor = torch.ones(3, dtype=torch.float64, requires_grad=True)
        for v, g in zip(values, (3.0, -4.0, 12.0), strict=True):
            v.grad = g
        tensor.grad = torch.tensor([3.0, -4.0, 12.0], dtype=torch.float64)
        assert clip_grad_norm(values, max_norm) == 13.0
        torch.nn.utils.clip_grad_norm_([tensor], max_norm)
        assert [v.grad for v in values] == pytest.approx(tensor.grad.tolist(), rel=1e-12)
        assert (math.hypot(*[v.grad for v in values]) <= max_norm) or max_norm > 13.0


def test_an_optimiser_clips_before_it_steps() -> None:
    w = [Value(0.0), Value(0.0)]
    w[0].grad, w[1].grad = 30.0, 40.0
    SGD(w, lr=1.0, clip_norm=1.0).step()
    assert [x.data for x in w] == pytest.approx([-0.6, -0.8], abs=1e-6)


def test_gradient_noise_has_the_variance_of_its_schedule_and_follows_its_seed() -> None:
    def steps(seed: int, t: int) -> list[float]:
        w = [Value(0.0) for _ in range(4000)]
        optimizer = SGD(w, lr=1.0, noise=(0.5, 0.55), seed=seed)
        optimizer.t = t
        optimizer.step()
        return [x.data for x in w]

    for t in (0, 99):
        noise = steps(0, t)
        assert np.var(noise) == pytest.approx(0.5 / (1 + t) ** 0.55, rel=0.1)
        assert abs(np.mean(noise)) < 5 * np.std(noise) / math.sqrt(4000)
    assert steps(0, 0) == steps(0, 0) != steps(1, 0)


def test_a_parameter_without_a_gradient_counts_as_gradient_zero() -> None:
    used, idle = Value(1.0), Value(5.0)
    (used * 2.0).backward()
    SGD([used, idle], lr=0.5).step()
    assert (used.data, idle.data) == (0.0, 5.0)


def test_ctrl_c_in_the_middle_of_a_step_finishes_the_step() -> None:
    class Interrupting(Value):
        """A parameter that is interrupted once when it is set."""

        __slots__ = ("armed",)

        @property
        def data(self) -> float:
            return self._data

        @data.setter
        def data(self, number: float) -> None:
            if getattr(self, "armed", False):
                self.armed = False
                raise KeyboardInterrupt
            self._data = number

    w = [Interrupting(1.0) for _ in range(3)]
    for x in w:
        x.grad = 1.0
    optimizer = SGD(w, lr=0.5, momentum=0.9)
    w[1].armed = True
    with pytest.raises(KeyboardInterrupt):
        optimizer.step()
    assert [x.data for x in w] == [0.5, 0.5, 0.5]
    assert (optimizer.t, optimizer.memory) == (1, [[1.0, 1.0, 1.0]])


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: SGD(lr=-1.0), ValueError, "a learning rate must be a number from 0 up, or a schedule, but got -1.0"),
        (lambda: SGD(lr="fast"), ValueError, "but got 'fast'"),
        (lambda: SGD(momentum=1.0), ValueError, "momentum must be at least 0 and below 1, but got 1.0"),
        (lambda: SGD(nesterov=True), ValueError, "needs momentum > 0"),
        (lambda: SGD(weight_decay=-0.1), ValueError, "weight_decay must not be negative, but got -0.1"),
        (lambda: Adam(betas=(0.9, 1.0)), ValueError, r"betas\[1\] must be at least 0 and below 1, but got 1.0"),
        (lambda: Adam(eps=0.0), ValueError, "eps must be above 0, but got 0.0"),
        (lambda: SGD(clip_norm=0.0), ValueError, "clip_norm must be above 0, but got 0.0"),
        (lambda: SGD(noise=(-1.0, 0.5)), ValueError, "noise is a pair"),
        (
            lambda: SGD(momentum="0.9"),
            TypeError,
            "momentum must be a number, but got str: '0.9'; without the quotes",
        ),
        (lambda: SGD(momentum=None), TypeError, "momentum must be a number, but got NoneType: None$"),
        (lambda: SGD(weight_decay=True), TypeError, "weight_decay must be a number, but got bool: True"),
        (lambda: SGD(clip_norm="long"), TypeError, "clip_norm must be a number, but got str: 'long'$"),
        (lambda: SGD(noise=0.1), TypeError, "noise is a pair of numbers, but got float: 0.1"),
        (lambda: SGD(noise=("a", 0.55)), TypeError, r"noise\[0\] must be a number, but got str: 'a'"),
        (
            lambda: Adagrad(eps="1e-8"),
            TypeError,
            "eps must be a number, but got str: '1e-8'; without",
        ),
        (lambda: RMSprop(alpha=[0.9]), TypeError, r"alpha must be a number, but got list: \[0.9\]"),
        (lambda: Adam(betas=0.9), TypeError, "betas is a pair of numbers, but got float: 0.9"),
        (lambda: AdamW(betas=(0.9,)), ValueError, r"betas is a pair of numbers, but got 1: \(0.9,\)"),
        (lambda: NAdam(betas=("0.9", 0.99)), TypeError, r"betas\[0\] must be a number, but got str"),
        (lambda: NAdam(momentum_decay=-1.0), ValueError, "momentum_decay must not be negative, but got -1.0"),
        (lambda: Newton(damping="1"), TypeError, "damping must be a number, but got str: '1'; without the quotes: 1.0"),
        (lambda: clip_grad_norm([Value(1.0)], "1"), TypeError, "max_norm must be a number, but got str"),
        (lambda: clip_grad_norm([Value(1.0)], -1.0), ValueError, "max_norm must be above 0, but got -1.0"),
        (lambda: schedules.constant("0.1"), TypeError, "a learning rate must be a number, but got str: '0.1'"),
        (lambda: schedules.step(0.1, 5, "half"), TypeError, "factor must be a number, but got str: 'half'"),
        (lambda: schedules.exponential(0.1, None), TypeError, "decay must be a number, but got NoneType"),
        (lambda: schedules.cosine(0.1, 5, "0"), TypeError, "floor must be a number, but got str: '0'"),
        (lambda: schedules.warmup(5, "0.1"), TypeError, "then must be a number, but got str: '0.1'"),
        (lambda: SGD([1.0]), TypeError, "moves Values, but got float: 1.0"),
        (lambda: SGD([]), ValueError, "at least one parameter, but got none"),
        (lambda: SGD([Value(1.0)] * 2), ValueError, "comes twice"),
        (lambda: SGD().step(), ValueError, r"this SGD has no parameters yet; give it model.parameters\(\)"),
        (lambda: Adam([Value(1.0)]).step_arrays(np.zeros(3), np.zeros(3)), ValueError, "has 1 parameters, but got 3"),
        (lambda: optim.find("adamm"), ValueError, "an optimiser is one of sgd, .*but got 'adamm'"),
        (lambda: optim.find(Adam), TypeError, r"but got Adam itself; write Adam\(\)"),
        (lambda: optim.find(Adam(), 0.1), ValueError, "give the learning rate to the optimiser itself"),
    ],
)
def test_settings_out_of_range_say_what_was_expected_and_what_came(
    build: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        build()


def test_an_optimiser_takes_a_module() -> None:
    model = MLP(2, [3, 1], seed=0)
    assert SGD(model).parameters == model.parameters()
    assert repr(Adam(model)) == "Adam(lr=0.001, 13 parameters, 0 steps taken)"


# --- schedules


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (schedules.constant(0.1), {0: 0.1, 7: 0.1}),
        (schedules.inverse_sqrt(0.1), {0: 0.1, 3: 0.05, 99: 0.01}),
        (schedules.step(0.1, 10, 0.5), {0: 0.1, 9: 0.1, 10: 0.05, 25: 0.025}),
        (schedules.exponential(0.1, 0.9), {0: 0.1, 2: 0.081}),
        (schedules.cosine(0.1, 100, 0.02), {0: 0.1, 50: 0.06, 100: 0.02, 200: 0.02}),
        (schedules.warmup(4, 0.1), {0: 0.025, 1: 0.05, 3: 0.1, 4: 0.1, 50: 0.1}),
        (schedules.warmup(2, schedules.inverse_sqrt(0.1)), {0: 0.05, 1: 0.1, 2: 0.1, 5: 0.05}),
    ],
)
def test_schedules_follow_their_formulas(schedule: Any, expected: dict[int, float]) -> None:
    assert {t: schedule(t) for t in expected} == pytest.approx(expected, rel=1e-14)


def test_an_optimiser_asks_its_schedule_at_every_step() -> None:
    w = [Value(0.0)]
    optimizer = SGD(w, lr=schedules.inverse_sqrt(1.0))
    for _ in range(4):
        w[0].grad = 1.0
        optimizer.step()
    assert w[0].data == pytest.approx(-sum(1 / math.sqrt(t + 1) for t in range(4)), rel=1e-15)
    assert optimizer.learning_rate == 1 / math.sqrt(5)


@pytest.mark.parametrize(
    "build", [lambda: schedules.constant(0.0), lambda: schedules.step(0.1, 0), lambda: schedules.cosine(0.1, -5)]
)
def test_schedules_refuse_what_makes_no_sense(build: Any) -> None:
    with pytest.raises(ValueError, match="but got"):
        build()


# --- loaded state, steps that leave the finite numbers, and what is easily mistyped


def _line() -> tuple[list[Value], Any]:
    w = [Value(0.5, "w"), Value(-1.0, "b")]

    def step(optimizer: Optimizer) -> None:
        optimizer.zero_grad()
        (2.0 * w[0] * w[0] + w[1] * w[1] * w[1]).backward()
        optimizer.step()

    return w, step


def test_a_state_loaded_before_there_are_parameters_is_kept_by_the_first_bind() -> None:
    w, step = _line()
    first = Adam(w, lr=0.1)
    for _ in range(5):
        step(first)
    numbers, state = [p.data for p in w], first.state_dict()
    step(first)
    expected = [p.data for p in w]

    for p, x in zip(w, numbers, strict=True):
        p.data = x
    second = Adam(lr=0.1)
    second.load_state_dict(state)
    second.bind(w)
    assert second.t == 5
    step(second)
    assert [p.data for p in w] == expected


def test_fit_carries_on_with_a_loaded_optimiser() -> None:
    from nn import fit

    X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    whole, half = MLP(1, [2, 1], seed=1), MLP(1, [2, 1], seed=1)
    fit(whole, X, y, optimizer=Adam(lr=0.05), epochs=6, shuffle=False, progress=False)
    first = Adam(lr=0.05)
    fit(half, X, y, optimizer=first, epochs=3, shuffle=False, progress=False)
    restored = Adam(lr=0.05)
    restored.load_state_dict(json.loads(json.dumps(first.state_dict())))
    fit(half, X, y, optimizer=restored, epochs=3, shuffle=False, progress=False)
    assert half.state_dict() == whole.state_dict()


def test_binding_the_same_parameters_again_keeps_the_memory_and_others_begin_anew() -> None:
    w, step = _line()
    optimizer = Adam(w, lr=0.1)
    step(optimizer)
    memory = [list(m) for m in optimizer.memory]
    optimizer.bind(w)
    assert (optimizer.t, optimizer.memory) == (1, memory)
    optimizer.bind(w[::-1])
    assert optimizer.t == 0
    assert optimizer.memory == [[0.0, 0.0], [0.0, 0.0]]


def test_a_loaded_state_of_another_length_is_refused_by_bind_and_stays() -> None:
    w, step = _line()
    first = Adam(w, lr=0.1)
    step(first)
    second = Adam()
    second.load_state_dict(first.state_dict())
    with pytest.raises(ValueError, match="m has 2 entries, but there are 3 parameters"):
        second.bind([*w, Value(1.0)])
    assert second.parameters == []
    second.bind(w)
    assert second.t == 1


def test_the_state_of_an_optimiser_that_was_never_used_can_be_loaded() -> None:
    fresh = Adam()
    fresh.load_state_dict(Adam().state_dict())
    fresh.bind([Value(1.0)])
    assert fresh.memory == [[0.0], [0.0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"t": -1}, "t, the number of steps taken, must be a whole number from 0 up, but is -1"),
        ({"t": None}, "but is None"),
        ({"t": True}, "but is True"),
        ({"t": 1.5}, "but is 1.5"),
        ({"memory": None}, "the memory must be a dict of lists, but is None"),
        ({"memory": {"m": None, "v": [0.0, 0.0]}}, "the memory 'm' must be a list of numbers, but is None"),
        ({"memory": {"m": [0.0, "x"], "v": [0.0, 0.0]}}, "the memory 'm' must be a list of numbers"),
        ({"noise": None}, "noise must be the state of a random generator"),
        ({"noise": [3, [1, 2], None]}, "noise must be the state of a random generator"),
    ],
)
def test_a_damaged_state_is_refused_and_changes_nothing(change: dict[str, Any], message: str) -> None:
    w, step = _line()
    optimizer = Adam(w)
    step(optimizer)
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict({**before, **change})
    assert optimizer.state_dict() == before


def test_a_state_with_lists_of_different_lengths_is_refused_without_parameters_too() -> None:
    state = {**Adam([Value(1.0)]).state_dict(), "memory": {"m": [0.0], "v": [0.0, 0.0]}}
    with pytest.raises(ValueError, match="v has 2 entries"):
        Adam().load_state_dict(state)


def test_state_dict_after_steps_on_arrays_of_any_shape_is_flat() -> None:
    optimizer = Adam(lr=0.1)
    optimizer.step_arrays(np.ones((2, 3)), np.ones((2, 3)))
    state = optimizer.state_dict()
    assert [len(m) for m in state["memory"].values()] == [6, 6]
    assert json.loads(json.dumps(state)) == state


def test_a_step_to_inf_or_nan_is_an_error_that_moves_nothing() -> None:
    a, b = Value(1.0, "a"), Value(1e308, "b")
    optimizer = SGD([a, b], lr=1.0, momentum=0.5)
    a.grad, b.grad = 1.0, -1e308
    with pytest.raises(ArithmeticError, match=r"step 1 of SGD would move b from 1e\+308 to inf .* no parameter was"):
        optimizer.step()
    assert (a.data, b.data, optimizer.t, optimizer.memory) == (1.0, 1e308, 0, [[0.0, 0.0]])
    w = np.array([1.0, 2.0])
    with pytest.raises(ArithmeticError, match="would move parameter 1 from 2 to nan"):
        optimizer.step_arrays(w, np.array([1.0, math.nan]))
    assert optimizer.t == 0
    assert optimizer.state_dict()["memory"] == {"velocity": [0.0, 0.0]}


def test_a_walk_ends_where_a_step_leaves_the_finite_numbers() -> None:
    from nn.training import descent_trace

    trace = descent_trace(lambda p: p[0] * p[0] * p[0] * p[0], [10.0], SGD(lr=10.0), steps=100)
    assert 1 < len(trace.points) < 101
    assert all(math.isfinite(x) for point in trace.points for x in point)


def test_the_weight_decay_of_adamw_is_where_one_looks_for_it() -> None:
    assert AdamW().weight_decay == 0.01
    optimizer = AdamW([Value(1.0)], lr=0.1, weight_decay=0.5)
    optimizer.step()
    assert optimizer.parameters[0].data == pytest.approx(1.0 - 0.1 * 0.5)
    with pytest.raises(ValueError, match="weight_decay must not be negative"):
        AdamW(weight_decay=-1.0)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SGD(0.1), "first argument of SGD is the parameters, but got 0.1; .* write lr=0.1"),  # type: ignore[arg-type]
        (lambda: Adam(MLP(1, [1]).parameters), "Adam got the method itself; call it: model.parameters\\(\\)"),  # type: ignore[arg-type]
        (lambda: Adam(math.sin), "but got the function sin"),  # type: ignore[arg-type]
        (lambda: SGD(Value(1.0)), "put this one in brackets"),  # type: ignore[arg-type]
        (lambda: SGD(object()), "takes a list of Values"),  # type: ignore[arg-type]
    ],
)
def test_what_is_easily_mistaken_for_parameters_gets_a_hint(build: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        build()


def test_a_learning_rate_of_numpys_becomes_a_float() -> None:
    w = Value(1.0)
    optimizer = SGD([w], lr=np.float32(0.1))  # type: ignore[arg-type]
    assert type(optimizer.lr) is float
    w.grad = 1.0
    optimizer.step()
    assert type(w.data) is float


@pytest.mark.parametrize(
    ("lr", "expected"),
    [
        (0.1, "SGD(lr=0.1, 0 parameters, 0 steps taken)"),
        (schedules.cosine(0.1, 500), "SGD(lr=cosine(0.1, 500, 0.0), 0 parameters, 0 steps taken)"),
        (schedules.warmup(5, schedules.constant(0.1)), "SGD(lr=warmup(5, constant(0.1)), 0 parameters, 0 steps taken)"),
        (schedules.warmup(5, 0.1), "SGD(lr=warmup(5, 0.1), 0 parameters, 0 steps taken)"),
        (lambda t: 0.1, "SGD(lr=<lambda>, 0 parameters, 0 steps taken)"),
    ],
)
def test_repr_names_the_schedule(lr: Any, expected: str) -> None:
    assert repr(SGD(lr=lr)) == expected


def test_a_misspelt_optimiser_gets_a_suggestion() -> None:
    with pytest.raises(ValueError, match="did you mean 'adam'"):
        optim.find("Adm")
    assert isinstance(optim.find("AdamW"), AdamW)
