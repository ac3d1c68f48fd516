"""The scikit-learn-style estimators: by scikit-learn's own checks, and without scikit-learn."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value
from nn import Adam, data

SMALL: dict[str, Any] = {"hidden": (4,), "epochs": 15, "lr": 0.05, "batch_size": 16}
WHOLE = SMALL | {"batch_size": None}  # so that a weight of 2 is the same as an example given twice


@pytest.mark.filterwarnings("ignore")  # the checks provoke warnings of scikit-learn's own
@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_scikit_learns_own_checks_pass(name: str) -> None:
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    try:
        results = checks.check_estimator(getattr(nn, name)(**WHOLE), on_fail=None, on_skip=None)
    except TypeError:  # before scikit-learn 1.6 it returned nothing, and raised at the first failure
        checks.check_estimator(getattr(nn, name)(**WHOLE))
        return
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] not in ("passed", "skipped")}
    assert failed == {}
    assert sum(r["status"] == "passed" for r in results) >= 40


def test_the_estimators_work_in_a_pipeline_with_a_grid_search() -> None:
    pipeline = pytest.importorskip("sklearn.pipeline")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    selection = pytest.importorskip("sklearn.model_selection")
    X, y = data.blobs(60, 3, spread=0.5, seed=0)
    names = np.array(["red", "green", "blue"])[y]
    search = selection.GridSearchCV(
        pipeline.make_pipeline(preprocessing.StandardScaler(), nn.MLPClassifier(random_state=0, epochs=15)),
        {"mlpclassifier__hidden": [(2,), (6,)]},
        cv=2,
    ).fit(X, names)
    assert search.score(X, names) > 0.95
    assert set(search.predict(X)) == {"red", "green", "blue"}


@pytest.fixture(params=["with scikit-learn", "without scikit-learn"])
def estimators(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """`nn.training.estimators`, as it is where scikit-learn is installed and where it is not."""
    if request.param == "with scikit-learn":
        pytest.importorskip("sklearn")
        yield importlib.import_module("nn.training.estimators")
        return
    for name in ("sklearn", "sklearn.base", "sklearn.utils.multiclass", "sklearn.utils.validation"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "nn.training.estimators", raising=False)
    module = importlib.import_module("nn.training.estimators")
    assert module.HAS_SKLEARN is False
    yield module
    sys.modules.pop("nn.training.estimators", None)
    vars(nn).pop("estimators", None)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_classifier_learns_labels_of_any_kind(estimators: ModuleType, classes: int) -> None:
    X, y = data.blobs(60, classes, spread=0.4, seed=0)
    labels = np.array(["red", "green", "blue"])[y]
    model = estimators.MLPClassifier(random_state=0, epochs=20).fit(X, labels)
    assert model.classes_.tolist() == sorted(set(labels))
    assert model.score(X, labels) > 0.95
    p = model.predict_proba(X)
    assert p.shape == (60, classes)
    assert np.allclose(p.sum(axis=1), 1.0, atol=1e-12)
    assert np.array_equal(model.classes_[p.argmax(axis=1)], model.predict(X))
    assert model.n_iter_ == 20
    assert model.n_features_in_ == 2


def test_a_regressor_fits_one_number_or_several(estimators: ModuleType) -> None:
    X, y = data.noisy_curve(60, seed=0)
    X = [[4.0 * x - 2.0] for (x,) in X]
    model = estimators.MLPRegressor(random_state=0, epochs=150, lr=0.02, batch_size=8).fit(X, y)
    assert model.predict(X).shape == (60,)
    assert model.score(X, y) > 0.8
    both = np.column_stack([y, -np.array(y)])
    model.set_params(epochs=60).fit(X, both)
    assert model.predict(X).shape == (60, 2)
    assert model.score(X, both) > 0.8


def test_settings_are_got_and_set_by_name(estimators: ModuleType) -> None:
    model = estimators.MLPClassifier(hidden=(3, 2))
    assert model.get_params()["hidden"] == (3, 2)
    assert model.set_params(lr=0.5) is model
    assert model.lr == 0.5
    with pytest.raises(ValueError, match="depth"):
        model.set_params(depth=3)
    assert "hidden=(3, 2)" in repr(model)


def test_the_same_random_state_gives_the_same_model(estimators: ModuleType) -> None:
    X, y = data.blobs(30, 2, seed=0)

    def fitted(state: Any) -> Any:
        return estimators.MLPClassifier(**SMALL, random_state=state).fit(X, y).predict_proba(X)

    assert np.array_equal(fitted(3), fitted(3))
    assert not np.array_equal(fitted(3), fitted(4))
    assert np.array_equal(fitted(np.random.RandomState(3)), fitted(np.random.RandomState(3)))


def test_an_optimiser_given_as_an_object_is_left_as_it_was(estimators: ModuleType) -> None:
    X, y = data.blobs(30, 2, seed=0)
    optimizer = Adam(lr=0.05)
    model = estimators.MLPClassifier(hidden=(3,), epochs=3, optimizer=optimizer, lr=None, random_state=0)
    first = model.fit(X, y).predict_proba(X)
    assert (optimizer.t, optimizer.parameters) == (0, [])
    assert np.array_equal(model.fit(X, y).predict_proba(X), first)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda e: e.MLPClassifier().predict([[1.0]]), "not fitted yet"),
        (lambda e: e.MLPRegressor().predict([[1.0]]), "not fitted yet"),
        (lambda e: e.MLPClassifier().fit([[1.0], [2.0]], [1, 1]), "1 class"),
        (lambda e: e.MLPClassifier().fit([[np.nan], [2.0]], [0, 1]), "(?i)nan"),
        (lambda e: e.MLPRegressor().fit([[np.inf], [2.0]], [0, 1]), "(?i)inf"),
        (lambda e: e.MLPRegressor(epochs=1).fit([[1.0], [2.0]], [0, 1]).predict([[1.0, 2.0]]), "expecting 1 features"),
        (lambda e: e.MLPRegressor().fit([[1.0], [2.0]], [0, 1, 2]), "2.*3"),
    ],
)
def test_estimators_say_what_is_wrong(estimators: ModuleType, call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(estimators)


def test_importing_nn_does_not_import_scikit_learn() -> None:
    import subprocess
    from pathlib import Path

    code = "import sys, nn; sys.exit('sklearn' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(nn.__file__).parent.parent).returncode == 0


def test_the_score_of_a_regressor_is_scikit_learns_r2(estimators: ModuleType) -> None:
    r2_score = pytest.importorskip("sklearn").metrics.r2_score if estimators.HAS_SKLEARN else None
    X = [[0.0], [1.0], [2.0], [3.0]]
    y = np.array([[0.0, 5.0, 1.0], [10.0, 5.0, -1.0], [20.0, 5.0, 1.0], [31.0, 5.0, 0.5]])
    model = estimators.MLPRegressor(hidden=(3,), epochs=3, random_state=0).fit(X, y)
    p = model.predict(X)
    by_hand = [1 - ((y[:, k] - p[:, k]) ** 2).sum() / ((y[:, k] - y[:, k].mean()) ** 2).sum() for k in (0, 2)]
    assert model.score(X, y) == pytest.approx((by_hand[0] + 0.0 + by_hand[1]) / 3)  # y is constant in the middle
    if r2_score is not None:
        assert model.score(X, y) == pytest.approx(r2_score(y, p))


def test_the_score_on_a_constant_target_is_1_if_every_number_is_hit_and_else_0(estimators: ModuleType) -> None:
    X = [[0.0], [1.0]]
    model = estimators.MLPRegressor(hidden=(2,), epochs=1, random_state=0).fit(X, [1.0, 1.0])
    assert model.score(X, [7.0, 7.0]) == 0.0
    for p in model.model_.parameters():
        p.data = 0.0
    assert model.score(X, [0.0, 0.0]) == 1.0


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0.0, np.nan, 1.0], "(?i)nan"),
        ([0.5, 1.25, 2.0], "(?i)continuous"),
        ([[0, 1], [1, 0], [0, 1]], "(?i)shape|multilabel"),
    ],
)
def test_a_classifier_refuses_what_is_no_class(estimators: ModuleType, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimators.MLPClassifier(hidden=(2,), epochs=1).fit([[0.0], [1.0], [2.0]], y)


def test_an_estimator_begins_anew_with_an_optimiser_that_holds_a_loaded_state(estimators: ModuleType) -> None:
    used = Adam([Value(1.0)])
    used.step()
    optimizer = Adam(lr=0.05)
    optimizer.load_state_dict(used.state_dict())
    X, y = data.blobs(12, 2, seed=0)
    estimators.MLPClassifier(hidden=(2,), epochs=1, optimizer=optimizer, lr=None, random_state=0).fit(X, y)
    assert optimizer.t == 1


# --- weights, and what a classifier answers


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_a_weight_of_2_is_the_same_as_an_example_given_twice(estimators: ModuleType, name: str, classes: int) -> None:
    X, y = (np.array(part) for part in data.blobs(20, classes, seed=0))
    w = np.random.default_rng(0).integers(0, 4, 20)
    kind = getattr(estimators, name)
    weighted = kind(**WHOLE, random_state=0).fit(X, y, sample_weight=w)
    repeated = kind(**WHOLE, random_state=0).fit(X.repeat(w, axis=0), y.repeat(w))
    unweighted = kind(**WHOLE, random_state=0).fit(X, y)
    ask = "decision_function" if name == "MLPClassifier" else "predict"
    found = getattr(weighted, ask)(X)
    assert np.allclose(found, getattr(repeated, ask)(X), rtol=1e-9, atol=1e-9)
    assert not np.allclose(found, getattr(unweighted, ask)(X), atol=1e-3)
    assert weighted.history_["loss"] == pytest.approx(repeated.history_["loss"])
    assert weighted.score(X, y, w) == pytest.approx(repeated.score(X.repeat(w, axis=0), y.repeat(w)))
    same = kind(**SMALL, random_state=0).fit(X, y, np.full(20, 0.5)), kind(**SMALL, random_state=0).fit(X, y)
    assert np.allclose(getattr(same[0], ask)(X), getattr(same[1], ask)(X))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0], "(?i)shape|need 3 targets|has 1"),
        ([1.0, -1.0, 1.0], "(?i)0 or more|negative"),
        ([0.0, 0.0, 0.0], "0 for every example|at least one non-zero"),
        ([1.0, np.nan, 1.0], "(?i)nan"),
        ([[1.0], [1.0], [1.0]], "(?i)one number|1D"),
    ],
)
def test_weights_that_make_no_sense_are_refused(estimators: ModuleType, weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimators.MLPRegressor(hidden=(2,), epochs=1).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0], weights)


@pytest.mark.parametrize("classes", [2, 3])
def test_logits_and_log_probabilities_agree_with_the_probabilities(estimators: ModuleType, classes: int) -> None:
    mpmath = pytest.importorskip("mpmath")
    X, y = data.blobs(30, classes, seed=0)
    model = estimators.MLPClassifier(**SMALL, random_state=0).fit(X, y)
    z, logs, p = model.decision_function(X), model.predict_log_proba(X), model.predict_proba(X)
    assert z.shape == ((30,) if classes == 2 else (30, 3))
    assert logs.shape == p.shape == (30, classes)
    assert np.allclose(p.sum(axis=1), 1.0, atol=1e-12)
    chosen = (z > 0).astype(int) if classes == 2 else z.argmax(axis=1)
    assert np.array_equal(model.predict(X), model.classes_[chosen])
    for weight in model.model_.parameters():
        weight.data *= 600.0  # so that probabilities are too small for a float
    z, logs, p = model.decision_function(X), model.predict_log_proba(X), model.predict_proba(X)
    assert (p == 0.0).any() and np.isfinite(logs).all()
    for row, found in zip(z[:5], logs[:5], strict=True):
        with mpmath.workdps(4000):
            logits = [mpmath.mpf(0), mpmath.mpf(row)] if classes == 2 else [mpmath.mpf(entry) for entry in row]
            total = mpmath.log(mpmath.fsum(map(mpmath.exp, logits)))
            expected = [float(entry - total) for entry in logits]
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("bad", [[["1"], ["2"], ["3"]], [[1j], [2.0], [3.0]], [[None], [1.0], [2.0]]])
def test_estimators_refuse_what_is_no_real_number(estimators: ModuleType, bad: Any) -> None:
    model = estimators.MLPRegressor(hidden=(2,), epochs=1)
    words = "(?i)number|numeric|string|complex|nan"
    with pytest.raises((TypeError, ValueError), match=words):
        model.fit(bad, [0.0, 1.0, 2.0])
    with pytest.raises((TypeError, ValueError), match=words):
        model.fit([[0.0], [1.0], [2.0]], [row[0] for row in bad])
    with pytest.raises((TypeError, ValueError), match=words):
        model.fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0]).predict(bad)
