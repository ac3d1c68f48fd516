"""Losses: closed forms at 50 digits, gradients, extreme logits, and what they refuse."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value, gradcheck
from nn import MLP, losses
from nn.losses import binary_cross_entropy, cross_entropy, hinge, l2_penalty, perceptron, squared_error

logits = st.lists(st.floats(-1000, 1000), min_size=2, max_size=6)


def exact_softmax(z: list[float]) -> list[Any]:
    powers = [mpmath.exp(mpmath.mpf(x)) for x in z]
    return [p / mpmath.fsum(powers) for p in powers]


def values(numbers: list[float]) -> list[Value]:
    return [Value(x) for x in numbers]


# --- cross-entropy (B7)


@settings(deadline=None)
@given(logits, st.data())
def test_cross_entropy_and_its_gradient_follow_the_closed_form(z: list[float], data: st.DataObject) -> None:
    k = data.draw(st.integers(0, len(z) - 1))
    nodes = values(z)
    loss = cross_entropy(nodes, k)
    loss.backward()
    with mpmath.workdps(50):
        p = exact_softmax(z)
        assert loss.data == pytest.approx(float(-mpmath.log(p[k])), rel=1e-12, abs=1e-12)
        for i, node in enumerate(nodes):  # ∂CE/∂logit_i = y_i - t_i
            assert node.grad == pytest.approx(float(p[i] - (i == k)), abs=1e-12)


@settings(deadline=None)
@given(logits, st.data())
def test_cross_entropy_with_a_distribution_is_the_mean_over_its_classes(z: list[float], data: st.DataObject) -> None:
    raw = [data.draw(st.floats(0, 1)) for _ in z]
    total = sum(raw)
    if total < 1e-3:
        return
    t = [r / total for r in raw]
    nodes = values(z)
    loss = cross_entropy(nodes, t)
    loss.backward()
    with mpmath.workdps(50):
        p = exact_softmax(z)
        exact = -mpmath.fsum(mpmath.mpf(a) * mpmath.log(b) for a, b in zip(t, p, strict=True))
        assert loss.data == pytest.approx(float(exact), rel=1e-12, abs=2e-12)
        for node, a, b in zip(nodes, t, p, strict=True):
            assert node.grad == pytest.approx(float(b - a), abs=1e-12)


def test_cross_entropy_is_exact_at_logits_of_a_thousand_b7() -> None:
    z = values([1000.0, -1000.0, 0.0])
    loss = cross_entropy(z, 1)
    loss.backward()
    assert loss.data == 2000.0
    assert [x.grad for x in z] == [1.0, -1.0, 0.0]
    assert cross_entropy(values([1000.0, -1000.0, 0.0]), 0).data == 0.0


def test_one_hot_and_index_targets_are_the_same() -> None:
    a, b = values([0.3, -1.2, 2.0]), values([0.3, -1.2, 2.0])
    x, y = cross_entropy(a, 2), cross_entropy(b, [0, 0, 1])
    x.backward()
    y.backward()
    assert x.data == y.data
    assert [v.grad for v in a] == [v.grad for v in b]
    assert cross_entropy(values([0.3, -1.2, 2.0]), np.array([0.0, 0.0, 1.0])).data == x.data
    assert cross_entropy(values([0.3, -1.2, 2.0]), np.int64(2)).data == x.data
    assert cross_entropy(values([0.3, -1.2, 2.0]), 2.0).data == x.data


def test_targets_may_be_values_and_then_have_gradients() -> None:
    z, t = values([0.3, -1.2]), values([0.25, 0.75])
    assert gradcheck(lambda *v: cross_entropy(list(v[:2]), list(v[2:])), [*z, *t])
    assert gradcheck(lambda z, t: binary_cross_entropy(z, t), [Value(0.4), Value(0.3)])


# --- binary cross-entropy


@settings(deadline=None)
@given(st.floats(-1000, 1000), st.sampled_from([0, 1, 0.0, 1.0, 0.3, 0.9]))
def test_binary_cross_entropy_and_its_gradient_follow_the_closed_form(z: float, t: float) -> None:
    node = Value(z)
    loss = binary_cross_entropy(node, t)
    loss.backward()
    with mpmath.workdps(500):
        p = 1 / (1 + mpmath.exp(-mpmath.mpf(z)))
        exact = mpmath.mpf(0)
        if t > 0:
            exact -= mpmath.mpf(t) * mpmath.log(p)
        if t < 1:
            exact -= (1 - mpmath.mpf(t)) * mpmath.log(1 - p)
        sure = t in (0, 1)  # then not even tiny losses lose digits
        assert loss.data == pytest.approx(float(exact), rel=1e-13, abs=0.0 if sure else 1e-12)
        assert node.grad == pytest.approx(
            float(p - mpmath.mpf(t)), rel=1e-13 if sure else 0.0, abs=0.0 if sure else 1e-15
        )


def test_binary_cross_entropy_is_the_cross_entropy_of_two_logits() -> None:
    for z in (-3.0, 0.5, 40.0):
        for t in (0, 1):
            expected = cross_entropy([0.0, z], t)
            assert binary_cross_entropy(z, t) == pytest.approx(expected, abs=1e-14)


def test_several_logits_add_up() -> None:
    assert binary_cross_entropy([0.5, -1.0], [1, 0]) == binary_cross_entropy(0.5, 1) + binary_cross_entropy(-1.0, 0)


# --- the others (B8)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=1, max_size=5))
def test_squared_error_is_half_the_sum_of_squares(pairs: list[tuple[float, float]]) -> None:
    ys = values([y for y, _ in pairs])
    loss = squared_error(ys, [t for _, t in pairs])
    loss.backward()
    assert loss.data == pytest.approx(0.5 * math.fsum((t - y) ** 2 for y, t in pairs), rel=1e-13)
    for node, (y, t) in zip(ys, pairs, strict=True):
        assert node.grad == pytest.approx(y - t, rel=1e-15)


@pytest.mark.parametrize(
    ("t", "s", "loss", "slope"), [(1, 0.25, 0.75, -1.0), (1, 2.0, 0.0, 0.0), (-1, 0.25, 1.25, 1.0)]
)
def test_hinge_asks_for_a_margin_of_one(t: int, s: float, loss: float, slope: float) -> None:
    node = Value(s)
    y = hinge(node, t)
    y.backward()
    assert (y.data, node.grad) == (loss, slope)


def test_hinge_over_classes_sums_what_comes_too_close() -> None:
    s = values([1.0, 0.5, -3.0])
    y = hinge(s, 0)
    y.backward()
    assert y.data == 0.5
    assert [v.grad for v in s] == [-1.0, 1.0, 0.0]


@pytest.mark.parametrize(("t", "s", "loss"), [(1, 0.25, 0.0), (-1, 0.25, 0.25), (1, -2.0, 2.0)])
def test_perceptron_loss_counts_only_the_wrong_side(t: int, s: float, loss: float) -> None:
    assert perceptron(Value(s), t).data == loss


@pytest.mark.parametrize(
    ("loss", "outputs", "target"),
    [
        (squared_error, [0.3, -0.7], [1.0, 2.0]),
        (binary_cross_entropy, [0.3], [1]),
        (binary_cross_entropy, [0.3, -2.0], [0, 0.4]),
        (cross_entropy, [0.3, -0.7, 1.1], 1),
        (cross_entropy, [0.3, -0.7, 1.1], [0.2, 0.3, 0.5]),
        (hinge, [0.3], 1),
        (hinge, [0.3, 0.2, -3.0], 1),
        (perceptron, [-0.3], 1),
    ],
)
def test_gradients_of_every_loss_agree_with_central_differences(loss: Any, outputs: list[float], target: Any) -> None:
    assert gradcheck(lambda *z: loss(list(z), target), values(outputs))


def test_every_loss_agrees_with_pytorch() -> None:
    torch = pytest.importorskip("torch")
    f = torch.nn.functional
    z = [0.3, -0.7, 1.1]
    cases: list[tuple[Any, list[float], Any, Any]] = [
        (squared_error, z, [1.0, 2.0, -1.0], lambda v: 0.5 * f.mse_loss(
            v, v.new_tensor([1.0, 2.0, -1.0]), reduction="sum")),
        (binary_cross_entropy, z, [1, 0, 0.3], lambda v: f.binary_cross_entropy_with_logits(
            v, v.new_tensor([1, 0, 0.3]), reduction="sum")),
        (cross_entropy, z, 2, lambda v: f.cross_entropy(v, torch.tensor(2))),
        (cross_entropy, z, [0.2, 0.3, 0.5], lambda v: f.cross_entropy(v, v.new_tensor([0.2, 0.3, 0.5]))),
        (hinge, z, 1, lambda v: 3 * f.multi_margin_loss(v, torch.tensor(1))),
        (hinge, [0.3], -1, lambda v: f.margin_ranking_loss(v, v.new_zeros(1), v.new_tensor([-1.0]), margin=1.0)),
        (perceptron, [0.3], -1, lambda v: f.margin_ranking_loss(v, v.new_zeros(1), v.new_tensor([-1.0]))),
    ]  # fmt: skip
    for loss, outputs, target, reference in cases:
        nodes, tensor = values(outputs), torch.tensor(outputs, dtype=torch.float64, requires_grad=True)
        mine, theirs = loss(nodes, target), reference(tensor)
        mine.backward()
        theirs.backward()
        assert mine.data == pytest.approx(theirs.item(), abs=1e-10)
        assert [v.grad for v in nodes] == pytest.approx(tensor.grad.tolist(), abs=1e-10)


def test_losses_of_plain_numbers_are_plain_numbers() -> None:
    assert squared_error(3.0, 1.0) == 2.0
    assert cross_entropy([0.0, 0.0], 1) == math.log(2)
    assert binary_cross_entropy(0.0, 1) == math.log(2)
    assert hinge(0.0, 1) == 1.0
    assert perceptron(-2.0, 1) == 2.0


# --- L2


def test_l2_penalty_is_half_lambda_times_the_squares_of_weights_only() -> None:
    model = MLP(2, [3, 1], seed=0)
    for p in model.parameters():
        p.data = 2.0
    penalty = l2_penalty(model, 0.1)
    penalty.backward()
    assert penalty.data == pytest.approx(0.05 * 4.0 * 9, rel=1e-15)
    assert {round(p.grad, 15) for p in model.weights()} == {0.2}
    assert not any(n.b.has_grad for layer in model.layers for n in layer.neurons)


def test_a_step_on_the_l2_penalty_alone_shrinks_weights_by_one_minus_lr_lambda() -> None:
    from nn import SGD

    model = MLP(2, [3, 1], seed=0)
    before = [p.data for p in model.weights()]
    l2_penalty(model, 0.1).backward()
    SGD(model, lr=0.5).step()
    assert [p.data for p in model.weights()] == pytest.approx([0.95 * w for w in before], rel=1e-15)


# --- what they refuse


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cross_entropy([0.0, 1.0], 2), "needs a class 0…1 for 2 outputs, but got 2"),
        (lambda: cross_entropy([0.0, 1.0], -1), "but got -1"),
        (lambda: cross_entropy([0.0, 1.0], 0.5), "a whole number 0…1, but got 0.5"),
        (lambda: cross_entropy([0.0, 1.0], True), "but got True"),
        (lambda: cross_entropy([0.0, 1.0], float("nan")), "but got nan"),
        (lambda: cross_entropy([0.0, 1.0], [0.5, 0.6]), "sum to 1, but these sum to 1.1"),
        (lambda: cross_entropy([0.0, 1.0], [1.5, -0.5]), "none below 0"),
        (lambda: cross_entropy([0.0, 1.0], [1.0]), "each of 2 classes, but got 1"),
        (lambda: cross_entropy(Value(0.0), 0), "for a single logit use binary_cross_entropy"),
        (lambda: binary_cross_entropy(0.0, 2), "between 0 and 1, but got 2"),
        (lambda: binary_cross_entropy(0.0, -1), "between 0 and 1, but got -1"),
        (lambda: binary_cross_entropy([0.0, 1.0], [1]), "but got 1 for 2"),
        (lambda: squared_error([0.0, 1.0], 1.0), "but got 1 for 2"),
        (lambda: squared_error([], []), "of no outputs is not defined"),
        (lambda: hinge(0.5, 0), "a target of -1 or \\+1, but got 0"),
        (lambda: hinge([0.5, 0.1], 2), "but got 2"),
        (lambda: perceptron(0.5, "yes"), "but got 'yes'"),
        (lambda: perceptron([0.5, 0.1], 1), "takes one score, but got 2"),
        (lambda: l2_penalty(MLP(1, [1]), -1.0), "must not be negative, but got -1.0"),
        (lambda: losses.find("mse"), "a loss is one of squared_error, .*but got 'mse'"),
        (lambda: losses.find("crossentropy"), "did you mean 'cross_entropy'"),
    ],
)
def test_targets_that_do_not_fit_say_what_was_expected_and_what_came(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("loss", [squared_error, binary_cross_entropy, cross_entropy, hinge, perceptron])
def test_feature_maps_are_to_be_flattened_first(loss: Any) -> None:
    with pytest.raises(TypeError, match=r"end the model with nn.Flatten\(\)"):
        loss([[Value(0.5), Value(1.0)], [Value(0.5), Value(1.0)]], [1, 0])


@pytest.mark.parametrize(
    ("name", "suggested"),
    [("mse", "squared_error"), ("MSE", "squared_error"), ("bce", "binary_cross_entropy"), ("hing", "hinge")],
)
def test_names_from_elsewhere_get_a_suggestion(name: str, suggested: str) -> None:
    with pytest.raises(ValueError, match=f"got '{name}'; did you mean '{suggested}'"):
        losses.find(name)


def test_names_of_losses_may_be_in_capitals() -> None:
    assert losses.find("Hinge") is losses.hinge


def test_the_perceptron_loss_is_reached_by_its_name() -> None:
    import nn

    assert nn.losses.perceptron is losses.perceptron
    assert nn.losses.perceptron(-0.3, 1) == 0.3
    assert nn.losses.perceptron(0.3, 1) == 0.0
    assert nn.lessons.Perceptron(1).predict([0.0]) == -1
