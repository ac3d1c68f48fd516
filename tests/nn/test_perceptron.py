"""The perceptron (B1), logistic regression (B2) and gates (B3, B4)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value
from nn import data
from nn.lessons import LogisticRegression, Perceptron, gates

# --- B1


def separable(seed: int, n: int = 30) -> tuple[list[list[float]], list[int], float, float]:
    """Points with a margin to a random line; with the margin and the largest norm (of the point and a 1)."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=2)
    normal /= np.linalg.norm(normal)
    X: list[list[float]] = []
    y: list[int] = []
    while len(X) < n:
        x = rng.uniform(-1, 1, 2)
        if abs(x @ normal - 0.1) > 0.05:
            X.append(x.tolist())
            y.append(1 if x @ normal > 0.1 else -1)
    margin = min(t * (np.array(x) @ normal - 0.1) for x, t in zip(X, y, strict=True)) / math.sqrt(1.01)
    return X, y, float(margin), max(math.sqrt(a * a + b * b + 1) for a, b in X)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6))
def test_the_algorithm_ends_on_separable_data_within_novikoffs_bound(seed: int) -> None:
    X, y, margin, radius = separable(seed)
    model = Perceptron(2)
    report = model.fit(X, y, max_passes=5000)
    assert report.separated
    assert [model.predict(x) for x in X] == y
    assert len(report.corrections) <= (radius / margin) ** 2


@pytest.mark.parametrize("mode", ["batch", "stochastic"])
def test_both_forms_separate_and_say_so(mode: str) -> None:
    X, y, _, _ = separable(1)
    model = Perceptron(2)
    report = model.fit(X, y, mode=mode)
    assert report.separated
    assert report.mistakes == 0
    assert (
        report.message == f"separated: pass {report.passes} met no mistake, after {len(report.corrections)} corrections"
    )
    assert [model.predict(x) for x in X] == y


def test_corrections_are_those_of_a_loop_in_numpy() -> None:
    X, y, _, _ = separable(2)
    report = Perceptron(2).fit(X, y)
    w, b, expected = np.zeros(2), 0.0, []
    for passed in range(1, report.passes + 1):
        for i, (x, t) in enumerate(zip(X, y, strict=True)):
            if t * (w @ np.array(x) + b) <= 0:
                w, b = w + t * np.array(x), b + t
                expected.append((passed, (i,), tuple(w.tolist()), b))
    assert [(c.passed, c.examples, c.w, c.b) for c in report.corrections] == expected


def test_the_batch_form_corrects_all_mistakes_of_a_pass_together() -> None:
    X, y, _, _ = separable(2)
    report = Perceptron(2).fit(X, y, mode="batch", lr=0.5)
    assert report.corrections[0].examples == tuple(range(30))  # with zero weights every point is on the line
    assert report.corrections[0].w == pytest.approx((0.5 * np.array(y) @ np.array(X)).tolist())
    assert [c.passed for c in report.corrections] == list(range(1, report.passes))


@pytest.mark.parametrize("mode", ["batch", "stochastic"])
def test_xor_is_reported_as_not_separable_within_the_passes(mode: str) -> None:
    X, y = data.xor(signs=True)
    report = Perceptron(2).fit(X, y, mode=mode, max_passes=50)
    assert not report.separated
    assert report.passes == 50
    assert report.mistakes > 0
    assert report.message.startswith("not separable within 50 passes")


def test_the_loss_sums_over_the_misclassified_and_its_gradient_is_minus_their_sum() -> None:
    model = Perceptron(2)
    model.w[0].data, model.w[1].data, model.b.data = 1.0, 0.0, 0.0
    X, y = [[2.0, 1.0], [-1.0, 3.0], [3.0, 1.0]], [1, 1, -1]  # the second and the third are wrong
    loss = model.loss(X, y)
    loss.backward()
    assert loss.data == 1.0 + 3.0
    assert [p.grad for p in model.parameters()] == [1.0 + 3.0, -3.0 + 1.0, -1.0 + 1.0]
    assert model.loss([[2.0, 1.0]], [1]).data == 0.0


def test_distance_to_the_hyperplane() -> None:
    model = Perceptron(2)
    with pytest.raises(ValueError, match="there is no hyperplane"):
        model.distance([1.0, 1.0])
    model.w[0].data, model.w[1].data, model.b.data = 3.0, 4.0, -5.0
    assert model.distance([3.0, 4.0]) == 4.0
    assert model.distance([0.0, 0.0]) == -1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: p.fit([[1.0, 2.0]], [0]), r"targets are -1 and \+1, but y\[0\] is 0"),
        (lambda p: p.fit([[1.0]], [1]), "takes 2 inputs, but the examples have 1"),
        (lambda p: p.fit([[1.0, 2.0]], [1], mode="online"), "but got 'online'"),
        (lambda p: p.fit([[1.0, 2.0]], [1], max_passes=0), "max_passes must be at least 1, but got 0"),
        (lambda p: p.fit([], []), "X is empty"),
    ],
)
def test_the_perceptron_says_what_it_expected(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(Perceptron(2))


# --- B2


def overlapping(seed: int) -> tuple[list[list[float]], list[int]]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(80, 3)) * [1.0, 2.0, 0.5]
    p = 1 / (1 + np.exp(-(X @ [1.0, -0.5, 2.0] + 0.3)))
    return X.tolist(), (rng.uniform(size=80) < p).astype(int).tolist()


@pytest.mark.filterwarnings("ignore::FutureWarning")  # scikit-learn is renaming penalty=None
@pytest.mark.parametrize("seed", range(3))
def test_coefficients_agree_with_scikit_learns_unpenalised_fit_b2(seed: int) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    X, y = overlapping(seed)
    model = LogisticRegression(3).fit(X, y)
    theirs = linear_model.LogisticRegression(penalty=None, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(X, y)
    assert model.coefficients == pytest.approx(theirs.coef_[0].tolist(), rel=1e-7)
    assert model.intercept == pytest.approx(theirs.intercept_[0], rel=1e-7)
    assert [model.predict(x) for x in X] == theirs.predict(X).tolist()
    assert model.probability(X[0]) == pytest.approx(theirs.predict_proba(X[:1])[0, 1], rel=1e-7)


def test_at_the_solution_the_residuals_are_orthogonal_to_the_features() -> None:
    X, y = overlapping(5)
    model = LogisticRegression(3).fit(X, y)
    residuals = np.array([model.probability(x) for x in X]) - y
    assert abs(residuals.sum()) < 1e-8
    assert np.abs(residuals @ np.array(X)).max() < 1e-8


def test_log_odds_are_linear_and_the_log_of_the_odds() -> None:
    X, y = overlapping(1)
    model = LogisticRegression(3).fit(X, y)
    for x in X[:5]:
        p = model.probability(x)
        assert model.log_odds(x).data == pytest.approx(math.log(p / (1 - p)), rel=1e-10)
        assert model.log_odds(x).data == pytest.approx(np.dot(model.coefficients, x) + model.intercept, rel=1e-12)
    moved = [X[0][0] + 1.0, *X[0][1:]]
    odds = math.exp(model.log_odds(moved).data - model.log_odds(X[0]).data)
    assert model.odds_ratios()[0] == pytest.approx(odds, rel=1e-12)


def test_a_single_binary_feature_recovers_the_log_odds_ratio_of_its_table() -> None:
    X = [[0.0]] * 10 + [[1.0]] * 10
    y = [1] * 3 + [0] * 7 + [1] * 8 + [0] * 2
    model = LogisticRegression(1).fit(X, y)
    assert model.intercept == pytest.approx(math.log(3 / 7), abs=1e-9)
    assert model.coefficients == pytest.approx([math.log(8 / 2) - math.log(3 / 7)], abs=1e-9)


def test_separable_data_have_no_solution_without_a_penalty() -> None:
    X, y = [-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1]
    with pytest.raises(
        ValueError, match="separable, so the likelihood grows with the weights without end; give l2 > 0"
    ):
        LogisticRegression(1).fit(X, y)
    model = LogisticRegression(1).fit(X, y, l2=0.1)
    p = np.array([model.probability([x]) for x in X])
    assert np.mean((p - y) * X) + 0.1 * model.coefficients[0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([1.0, 2.0], [0, 2], r"targets are 0 and 1, but y\[1\] is 2"),
        ([1.0, 2.0], [1, 1], "examples of both classes, but every target is 1"),
        ([[1.0, 2.0]], [1], "takes 1 inputs, but the examples have 2"),
    ],
)
def test_logistic_regression_says_what_it_expected(X: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LogisticRegression(1).fit(X, y)


# --- B3 and B4

TABLES = {
    "AND": [0, 0, 0, 1],
    "OR": [0, 1, 1, 1],
    "NOT": [1, 0],
    "NOR": [1, 0, 0, 0],
    "XOR": [0, 1, 1, 0],
    "XNOR": [1, 0, 0, 1],
}


@pytest.mark.parametrize("name", TABLES)
def test_truth_tables_of_mcculloch_pitts_and_logistic_gates_b3_b4(name: str) -> None:
    n = 1 if name == "NOT" else 2
    assert gates.answers(gates.MCP_GATES[name], n) == TABLES[name]
    assert gates.answers(gates.LogisticGate(name), n) == TABLES[name]


def test_xor_by_hand_from_three_threshold_neurons_b3() -> None:
    left, right, either = gates.MCP(2, 1, inhibitory=[0]), gates.MCP(2, 1, inhibitory=[1]), gates.MCP(2, 1)
    assert gates.answers(lambda a, b: either(left(a, b), right(a, b))) == [0, 1, 1, 0]


def test_logistic_gates_have_the_lectures_weights_and_are_sure_b4() -> None:
    assert gates.LOGISTIC_WEIGHTS["AND"] == [[[-30, 20, 20]]]
    assert gates.LOGISTIC_WEIGHTS["OR"] == [[[-10, 20, 20]]]
    assert gates.LOGISTIC_WEIGHTS["NOT"] == [[[10, -20]]]
    assert gates.LOGISTIC_WEIGHTS["NOR"] == [[[10, -20, -20]]]
    for name in TABLES:
        n = 1 if name == "NOT" else 2
        gate = gates.LogisticGate(name)
        for bits, answer in gates.truth_table(gate, n):
            assert abs(gate(*bits).data - answer) < 1e-4


def test_a_logistic_gate_is_a_graph() -> None:
    x1, x2 = Value(1.0, "x1"), Value(0.0, "x2")
    y = gates.LogisticGate("XNOR")(x1, x2)
    y.backward()
    assert y.scope == "layers.1.neurons.0"
    assert x1.has_grad


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gates.LogisticGate("NAND"), "a gate is one of AND, OR, NOT, NOR, XNOR, XOR, but got 'NAND'"),
        (lambda: gates.MCP(2, 1)(1), "takes 2 inputs, but got 1"),
        (lambda: gates.MCP(1, 1)(2), "are 0 or 1, but got"),
        (lambda: gates.MCP(2, 1, [2]), r"places 0…1, but got \[2\]"),
        (lambda: gates.MCP(0, 1), "nin must be at least 1, but got 0"),
    ],
)
def test_gates_say_what_they_expected(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("X", "y"),
    [
        ([[0], [0], [0], [1], [1], [1]], [0, 1, 0, 1, 1, 1]),
        ([[0.0], [0.0], [1.0], [-1.0]], [0, 1, 1, 0]),
        ([[0, 5], [0, -3], [0, 5], [0, -3], [1000, 1], [1200, -1]], [0, 1, 1, 0, 1, 1]),
    ],
)
def test_data_that_are_separable_but_for_points_on_the_line_have_no_solution_either(X: Any, y: Any) -> None:
    model = LogisticRegression(len(X[0]))
    before = model.state_dict()
    for _ in range(2):
        with pytest.raises(ValueError, match="these data are separable"):
            model.fit(X, y)
        assert model.state_dict() == before
    model.fit(X, y, l2=0.01)


def test_a_strong_but_imperfect_rule_still_has_a_solution() -> None:
    X = [[0.0]] * 1000 + [[1.0]] * 1000
    model = LogisticRegression(1).fit(X, [1] + [0] * 999 + [0] + [1] * 999)
    assert model.intercept == pytest.approx(-math.log(999))
    assert model.coefficients[0] == pytest.approx(2 * math.log(999))


def test_logistic_regression_refuses_a_negative_penalty() -> None:
    with pytest.raises(ValueError, match="l2 must not be negative, but got -1"):
        LogisticRegression(1).fit([[0.0], [1.0]], [0, 1], l2=-1)


def test_the_report_prints_without_every_correction() -> None:
    report = Perceptron(2).fit([[0, 0], [0, 1], [1, 0], [1, 1]], [-1, 1, 1, -1], max_passes=50)
    assert repr(report).startswith("PerceptronReport(not separable within 50 passes")
    assert len(repr(report)) < 150


def test_separable_data_are_told_as_a_linear_program_tells_them() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(0)
    answers = []
    for k in range(60):
        m, d = int(rng.integers(4, 14)), int(rng.integers(1, 3))
        X, y = rng.integers(-2, 3, size=(m, d)).astype(float), rng.integers(0, 2, size=m)
        X[0] *= 1000.0 if k % 3 == 0 else 1.0
        inputs = np.column_stack([X, np.ones(m)])
        if len(set(y.tolist())) < 2 or np.linalg.matrix_rank(inputs) <= d:
            continue
        signed = inputs * (2 * y - 1)[:, None]  # separable: some direction gains on an example, and loses on none
        best = optimize.linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(m), bounds=[(-1, 1)] * (d + 1))
        try:
            LogisticRegression(d).fit(X, y)
            found = False
        except ValueError as error:
            found = "these data are separable" in str(error)
        assert found == (-best.fun > 1e-9)
        answers.append(found)
    assert {True, False} == set(answers)
