"""`MLPClassifier` and `MLPRegressor`: `MLP` and `fit` behind scikit-learn's interface.

They train on the compiled program, and predict with it where there are many examples.

Where scikit-learn is installed they are its estimators, and work in its pipelines, grid searches and cross-validation;
its own `check_estimator` holds them to that. Without it they have the same methods.
"""

from __future__ import annotations

import copy
import inspect
import math
import random
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from autograd.hints import explains
from autograd.modes import collector_resting

from ..activations import Function
from ..init import Initialiser
from ..layers import MLP
from ..optim import Optimizer
from ..schedules import Schedule
from . import compiled as _compiled  # noqa: F401  # the first `fit` need not wait for the compiler's files
from .examples import as_matrix, as_targets
from .history import History
from .metrics import outputs_of
from .train import fit

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d

    try:
        from sklearn.utils.validation import validate_data
    except ImportError:  # before scikit-learn 1.6

        def validate_data(estimator: Any, X: Any, y: Any = "no_validation", **checks: Any) -> Any:
            """Check X, or X and y, and note the number of features on the estimator."""
            return estimator._validate_data(X, y, **checks)

    HAS_SKLEARN = True
except ImportError:
    HAS_SKLEARN = False

    class BaseEstimator:  # type: ignore[no-redef]
        """What scikit-learn's class of this name does for an estimator: settings are the constructor's arguments."""

        def get_params(self, deep: bool = True) -> dict[str, Any]:
            """The settings by name."""
            return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

        def set_params(self, **params: Any) -> Self:
            """Change settings by name; returns the estimator.

            Raises:
                ValueError: for a name that is not a setting.
            """
            known = self.get_params()
            for name, setting in params.items():
                if name not in known:
                    raise ValueError(f"{type(self).__name__} has no setting {name!r}; it has {', '.join(known)}")
                setattr(self, name, setting)
            return self

        def __repr__(self) -> str:
            return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_params().items())})"

    class ClassifierMixin:  # type: ignore[no-redef]
        """Accuracy as the score."""

        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
            """The share of examples whose class is predicted right, each counted by its weight."""
            right = np.asarray(self.predict(X)) == np.asarray(y)  # type: ignore[attr-defined]
            return float(np.average(right, weights=sample_weight))

    class RegressorMixin:  # type: ignore[no-redef]
        """R² as the score."""

        def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
            """R² = 1 - Σ(y - ŷ)²/Σ(y - ȳ)²: 1 is perfect, 0 no better than the mean; with weights, all sums have them.

            Of several outputs the mean of their R². Where y is constant R² is 1 if every number is hit, else 0.
            """
            t = np.asarray(y, dtype=float).reshape(len(y), -1)
            p = np.asarray(self.predict(X)).reshape(len(t), -1)  # type: ignore[attr-defined]
            if t.shape != p.shape:
                raise ValueError(f"y has {t.shape[1]} targets for each example, but the model {p.shape[1]} outputs")
            w = np.ones(len(t)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
            middle = np.average(t, axis=0, weights=w)
            sums = zip(w @ (t - p) ** 2, w @ (t - middle) ** 2, strict=True)
            return float(np.mean([1.0 - off / spread if spread else float(off == 0.0) for off, spread in sums]))


class _Estimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no type information
    """What the classifier and the regressor share.

    Args:
        hidden: the sizes of the hidden layers.
        activation: of the hidden layers.
        init: where the weights start.
        optimizer: a name, or an optimiser without parameters of its own.
        lr: the learning rate, if the optimiser is given by name.
        epochs: how often to go through the examples, at most.
        batch_size: examples per step; None for all.
        l2: λ of the penalty λ/2·Σw² on weights.
        validation: the fraction of the examples to set aside, or None.
        patience: epochs without a better validation loss before training stops; needs ``validation``.
        random_state: an int for the same result every time.

    Attributes (after ``fit``):
        model_ (MLP): the network.
        history_ (History): how training went.
        n_features_in_ (int): the number of features.
        n_iter_ (int): how many epochs were trained.
    """

    @explains(
        hidden_layer_sizes="write hidden=(16, 16)",
        learning_rate="write lr",
        learning_rate_init="write lr",
        max_iter="write epochs",
        n_epochs="write epochs",
        alpha="the penalty on weights is l2",
        solver="write optimizer",
        seed="write random_state, as scikit-learn does",
    )
    def __init__(
        self,
        hidden: Sequence[int] = (16,),
        activation: str | Function = "tanh",
        init: str | Initialiser = "xavier",
        optimizer: str | Optimizer = "adam",
        lr: float | Schedule | None = 0.01,
        epochs: int = 100,
        batch_size: int | None = 32,
        l2: float = 0.0,
        validation: float | None = None,
        patience: int | None = None,
        random_state: Any = None,
    ) -> None:
        settings = {name: setting for name, setting in locals().items() if name != "self"}
        self.__dict__.update(settings)  # each under its name and as it came, as scikit-learn wants it

    def _train(self, X: Any, y: Any, outputs: int, loss: str, sample_weight: Any) -> Self:
        if sample_weight is not None and HAS_SKLEARN:
            sample_weight = _check_sample_weight(sample_weight, X)
        seed = self._seed()
        if not isinstance(self.hidden, Iterable) or isinstance(self.hidden, str):
            raise TypeError(
                "hidden is a list with the size of each hidden layer, such as (16, 16), but got "
                f"{self.hidden!r}; for a single layer write hidden=({self.hidden},)"
            )
        with collector_resting():
            self.model_ = MLP(X.shape[1], [*self.hidden, outputs], self.activation, "linear", self.init, seed)
        optimizer = self.optimizer
        if isinstance(optimizer, Optimizer):  # each fit begins anew, and leaves the setting as it was given
            optimizer = copy.deepcopy(optimizer)
            optimizer.parameters, optimizer._loaded = [], False
        self.history_: History = fit(
            self.model_,
            X,
            y,
            loss=loss,
            optimizer=optimizer,
            lr=self.lr if isinstance(optimizer, str) else None,
            epochs=self.epochs,
            batch_size=None if self.batch_size is None else min(self.batch_size, len(X)),
            l2=self.l2,
            sample_weight=sample_weight,
            validation=self.validation,
            patience=self.patience,
            seed=seed,
            progress=False,
        )
        self.n_iter_ = len(self.history_["epoch"])
        return self

    def _seed(self) -> int:
        state = self.random_state
        if state is None:
            return random.SystemRandom().randrange(2**31)
        if hasattr(state, "randint"):  # one of NumPy's RandomStates, as scikit-learn hands on
            return int(state.randint(2**31 - 1))
        return int(state)

    def _outputs(self, X: Any) -> NDArray[np.float64]:
        """The model's outputs for examples, which are checked."""
        if HAS_SKLEARN:
            check_is_fitted(self, "model_")
            X = validate_data(self, X, reset=False, dtype="numeric")
        elif not hasattr(self, "model_"):
            raise ValueError(f"this {type(self).__name__} is not fitted yet; call fit(X, y) first")
        rows = as_matrix(X)
        if rows.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {rows.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} features"
            )
        return np.asarray(outputs_of(self.model_, rows))


def _check_classes(y: Any, count: int) -> None:
    """What scikit-learn checks about class labels, where it is not there to do it."""
    if y.ndim != 1:
        raise ValueError(f"y must be a list with one class label for each example, but has the shape {y.shape}")
    if len(y) != count:
        raise ValueError(f"{count} examples need {count} targets, but y has {len(y)}")
    numbers = [x for x in y.tolist() if isinstance(x, float)]
    if not all(map(math.isfinite, numbers)):
        raise ValueError("y contains nan or inf, which is no class")
    fraction = next((x for x in numbers if not x.is_integer()), None)
    if fraction is not None:
        raise ValueError(f"a classifier needs classes, but y has the continuous value {fraction!r}; use MLPRegressor")


class MLPClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    __doc__ = f"""A multi-layer perceptron that tells classes apart, by cross-entropy.

    {(_Estimator.__doc__ or "").partition(chr(10))[2].strip()}
        classes_ (array): the class labels, of whatever kind y had.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on examples X of shape (n, features) with class labels y of shape (n,); returns the estimator.

        ``sample_weight`` says how much each example counts, n numbers of 0 or more: see `nn.fit`.

        Raises:
            ValueError: for data that are not finite, ragged or empty, or of one class only, and for weights below 0.
        """
        if HAS_SKLEARN:
            X, y = validate_data(self, X, y, dtype="numeric")
            check_classification_targets(y)
        X, y = as_matrix(X), np.asarray(y)
        self.n_features_in_ = X.shape[1]
        if not HAS_SKLEARN:
            _check_classes(y, len(X))
        self.classes_, indices = np.unique(y, return_inverse=True)
        count = len(self.classes_)
        if count < 2:
            raise ValueError(
                f"a classifier needs examples of at least 2 classes, but y has only 1 class: {self.classes_[0]!r}"
            )
        if count == 2:
            return self._train(X, indices, 1, "binary_cross_entropy", sample_weight)
        return self._train(X, indices, count, "cross_entropy", sample_weight)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """The logits, an array of shape (n, classes); of two classes the second one's alone, of shape (n,)."""
        return self._outputs(X)

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """The logarithm of `predict_proba`, exact where a probability is too small for a float."""
        z = self.decision_function(X)
        if z.ndim == 1:  # log σ(z) = -log(1 + e^-z)
            return -np.logaddexp(0.0, np.stack([z, -z], axis=1))
        return z - np.logaddexp.reduce(z, axis=1, keepdims=True)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """The probability of each class (in the order of ``classes_``), an array of shape (n, classes)."""
        return np.asarray(np.exp(self.predict_log_proba(X)))

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class label of each example, an array of shape (n,)."""
        z = self.decision_function(X)
        return np.asarray(self.classes_[(z > 0.0).astype(int) if z.ndim == 1 else z.argmax(axis=1)])


class MLPRegressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    __doc__ = f"""A multi-layer perceptron that fits numbers, by squared error.

    {(_Estimator.__doc__ or "").partition(chr(10))[2].strip()}
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on examples X of shape (n, features) with targets y of shape (n,) or (n, outputs).

        ``sample_weight`` says how much each example counts, n numbers of 0 or more: see `nn.fit`.

        Raises:
            ValueError: for data that are not finite, ragged or empty, and for weights below 0.
        """
        if HAS_SKLEARN:
            X, y = validate_data(self, X, y, dtype="numeric", multi_output=True, y_numeric=True)
            if y.ndim == 2 and y.shape[1] == 1:
                y = column_or_1d(y, warn=True)
        X = as_matrix(X)
        self.n_features_in_ = X.shape[1]
        y = np.array(as_targets(y, len(X)), dtype=float)
        return self._train(X, y, 1 if y.ndim == 1 else y.shape[1], "squared_error", sample_weight)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """The fitted number for each example, an array of shape (n,) or (n, outputs)."""
        return self._outputs(X)
