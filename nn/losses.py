"""Losses: how wrong one example's outputs are. Training takes the mean over examples.

Each takes ``(output, target)``: a model's output as it comes (a Value, or a list of them) and the example's target. All
run on plain numbers too, and then give a float.

| loss                 | output      | target                            | formula              | ∂/∂output      |
|----------------------|-------------|-----------------------------------|----------------------|----------------|
| squared_error        | one or many | a number for each                 | ½ Σ (t - y)²         | y - t          |
| binary_cross_entropy | logit z     | 0, 1, or between                  | log(1 + e^z) - t·z   | σ(z) - t       |
| cross_entropy        | K logits    | a class 0…K-1, or K probabilities | log Σ e^zⱼ - Σ tᵢ·zᵢ | softmax(z) - t |
| hinge                | score(s)    | -1 or +1; a class for K scores    | max(0, 1 - t·s)      | -t or 0        |
| perceptron           | score       | -1 or +1                          | max(0, -t·s)         | -t or 0        |

Both cross-entropies start from logits, the numbers before sigmoid or softmax. log(softmax(z)) would take the logarithm
of a number that has already been rounded to 0 or 1; from the logits the same loss is safe at ±1000, where softmax is
exactly 0 and 1 in floats, and its logarithm would be -inf.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from typing import Any, Protocol, overload

from autograd import Index, Value, functions
from autograd.reals import is_real

from .checks import named, not_negative
from .layers import Numbers, as_list, left_to_right
from .module import Module

Loss = Callable[[Any, Any], Any]
Plain = float | Sequence[float]


class OfOutputs(Protocol):
    """One example's loss, from its outputs and its target: a Value, or a float if all of them are plain numbers."""

    __name__: str

    @overload
    def __call__(self, output: Plain, target: Plain) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, output: Numbers, target: Numbers) -> Value: ...


def of_outputs(loss: Callable[..., Any]) -> OfOutputs:
    """For type checkers only, who learn from it what a loss gives: the function itself."""
    return loss


@of_outputs
def squared_error(output: Numbers, target: Numbers) -> Any:
    """½ Σ (t - y)² over the outputs.

    Raises:
        ValueError: if there are not as many targets as outputs.
    """
    ys, ts = _outputs(output), as_list(target)
    if len(ys) != len(ts):
        raise ValueError(f"squared_error needs a target for each output, but got {len(ts)} for {len(ys)}")
    if not ys:
        raise ValueError("squared_error of no outputs is not defined")
    errors = [t - y for y, t in zip(ys, ts, strict=True)]
    # of floats, ** would raise where * gives inf
    return 0.5 * left_to_right(e**2 if isinstance(e, Value) else e * e for e in errors)


@of_outputs
def binary_cross_entropy(output: Numbers, target: Numbers) -> Any:
    """-t·log σ(z) - (1-t)·log(1 - σ(z)) of a logit z, as log(1 + e^z) - t·z; summed if there are several logits.

    For t = 1 that is log(1 + e^-z), and is computed so: no digits are lost however sure the model is.

    Raises:
        ValueError: if a target is not between 0 and 1, or there are not as many targets as logits.
    """
    zs, ts = _outputs(output), as_list(target)
    if len(zs) != len(ts):
        raise ValueError(f"binary_cross_entropy needs a target for each logit, but got {len(ts)} for {len(zs)}")
    if not zs:
        raise ValueError("binary_cross_entropy of no logits is not defined")
    return left_to_right(_of_logit(z, t) for z, t in zip(zs, ts, strict=True))


def _of_logit(z: Any, t: Any) -> Any:
    """log(1 + e^z) - t·z, for t = 1 as log(1 + e^-z)."""
    if isinstance(t, Value):
        return functions.softplus(z) - t * z
    if not is_real(t) or not 0.0 <= float(t) <= 1.0:
        raise ValueError(f"binary_cross_entropy needs a target between 0 and 1, but got {t!r}")
    if t in (0.0, 1.0):
        return functions.softplus(z if t == 0.0 else -z)
    return functions.softplus(z) - float(t) * z


@of_outputs
def cross_entropy(output: Numbers, target: Numbers) -> Any:
    """-Σ tᵢ·log softmax(z)ᵢ of K logits z, as log Σ e^zⱼ - Σ tᵢ·zᵢ.

    For a class k that is log Σ e^(zⱼ - z_k), and is computed so: no digits are lost however sure the model is. (A
    program of `compile` on arrays is right to 1e-16 of the largest term, not of the loss: there 4e-18 may be 0.)

    Args:
        output: the logits, K ≥ 2 of them.
        target: the right class, an int 0…K-1, or a probability for each class (one-hot, for instance).

    Raises:
        ValueError: for a class out of range, or K probabilities that are negative or do not sum to 1.
    """
    zs = _outputs(output)
    if len(zs) < 2:
        raise ValueError(
            f"cross_entropy needs a logit for each of at least 2 classes, but got {len(zs)}; "
            "for a single logit use binary_cross_entropy"
        )
    if isinstance(target, (list, tuple)) or getattr(target, "ndim", 0) != 0:
        ts = as_list(target)
        if len(ts) != len(zs):
            raise ValueError(f"cross_entropy needs a probability for each of {len(zs)} classes, but got {len(ts)}")
        numbers = [t for t in ts if not isinstance(t, Value)]
        if any(not is_real(t) or not float(t) >= 0.0 for t in numbers):
            raise ValueError(f"cross_entropy needs probabilities, none below 0, but got {ts!r}")
        if len(numbers) == len(ts) and abs(sum(numbers) - 1.0) > 1e-6:
            raise ValueError(f"cross_entropy needs probabilities that sum to 1, but these sum to {sum(numbers)!r}")
        if 1.0 not in numbers or numbers.count(0.0) < len(ts) - 1:
            total = functions.logsumexp(zs)
            for t, z in zip(ts, zs, strict=True):
                if isinstance(t, Value) or t != 0.0:
                    total = total - (t if isinstance(t, Value) else float(t)) * z
            return total
        target = numbers.index(1.0)
    if isinstance(target, Index):
        return functions.logsumexp(zs) - zs[target]
    k = _class(target, len(zs), "cross_entropy")
    return functions.logsumexp([0.0 if j == k else z - zs[k] for j, z in enumerate(zs)])


@of_outputs
def hinge(output: Numbers, target: Numbers) -> Any:
    """max(0, 1 - t·s) of a score s with t = ±1: no loss once an example is right by a margin of 1.

    With K scores and a class k it is Σ max(0, 1 + sⱼ - s_k) over j ≠ k (Weston and Watkins, 1999).

    Raises:
        ValueError: for a target that is not -1 or +1, or a class out of range.
    """
    scores = _outputs(output)
    if len(scores) == 1:
        return functions.relu(1.0 - _sign(target, "hinge") * scores[0])
    if isinstance(target, Index):  # the term of the right class is 1, whatever its score
        right = scores[target]
        return left_to_right(functions.relu(1.0 + (s - right)) for s in scores) - 1.0
    k = _class(target, len(scores), "hinge")
    return left_to_right(functions.relu(1.0 + (s - scores[k])) for j, s in enumerate(scores) if j != k)


@of_outputs
def perceptron(output: Numbers, target: Numbers) -> Any:
    """max(0, -t·s) of a score s with t = ±1: no loss for an example on the right side (Rosenblatt, 1958).

    Raises:
        ValueError: for a target that is not -1 or +1, or more than one score.
    """
    scores = _outputs(output)
    if len(scores) != 1:
        raise ValueError(f"the perceptron loss takes one score, but got {len(scores)}")
    return functions.relu(-_sign(target, "perceptron") * scores[0])


def l2_penalty(model: Module | Iterable[Value], lam: float) -> Value | float:
    """λ/2 · Σ w² over the weights of a model, not its biases. Its gradient λ·w shrinks every weight a little.

    Args:
        model: a `Module`, or the weights themselves.
        lam: λ.

    Raises:
        ValueError, TypeError: if λ is negative, or not a number.
    """
    not_negative("the strength λ of an L2 penalty", lam)
    squares = [w * w for w in (model.weights() if isinstance(model, Module) else model)]
    return 0.5 * lam * left_to_right(squares) if squares else 0.0


def _class(target: Any, count: int, who: str) -> int:
    """A class index as an int. A float such as 2.0 will do, since labels are often read from a table of floats."""
    if isinstance(target, bool) or not isinstance(target, Real) or target % 1 != 0:  # which of inf and nan is nan
        raise ValueError(f"{who} needs a class, a whole number 0…{count - 1}, but got {target!r:.60}")
    if not 0 <= target < count:  # type: ignore[operator]
        raise ValueError(f"{who} needs a class 0…{count - 1} for {count} outputs, but got {target!r:.60}")
    return int(float(target))


def _outputs(output: Any) -> list[Any]:
    """The outputs that a loss looks at, in one list."""
    flat = as_list(output)
    if any(isinstance(y, (list, tuple)) for y in flat):
        raise TypeError(
            "a loss takes an output, or a flat list of them, but these are nested, as feature maps are; "
            "end the model with nn.Flatten()"
        )
    return flat


def _sign(target: Any, who: str) -> Any:
    target = target[0] if isinstance(target, (list, tuple)) and len(target) == 1 else target
    if isinstance(target, Value):
        return target
    if not is_real(target) or target not in (-1, 1):
        raise ValueError(f"{who} needs a target of -1 or +1, but got {target!r}")
    return float(target)


LOSSES: dict[str, Loss] = {
    "squared_error": squared_error,
    "binary_cross_entropy": binary_cross_entropy,
    "cross_entropy": cross_entropy,
    "hinge": hinge,
    "perceptron": perceptron,
}


# What other libraries call them. squared_error has a factor ½ and sums over outputs, so it is suggested, not taken.
_ELSEWHERE = {
    "mse": "squared_error",
    "mean_squared_error": "squared_error",
    "bce": "binary_cross_entropy",
    "binary_crossentropy": "binary_cross_entropy",
    "bce_with_logits": "binary_cross_entropy",
    "log_loss": "binary_cross_entropy",
    "ce": "cross_entropy",
    "nll": "cross_entropy",
    "categorical_crossentropy": "cross_entropy",
    "softmax": "cross_entropy",
    "svm": "hinge",
}


def find(loss: str | Loss) -> Loss:
    """The loss of this name, or the function itself; errors as of `nn.checks.named`."""
    return named("a loss", "(output, target)", loss, LOSSES, _ELSEWHERE)


__all__ = [
    "LOSSES",
    "Loss",
    "binary_cross_entropy",
    "cross_entropy",
    "find",
    "hinge",
    "l2_penalty",
    "perceptron",
    "squared_error",
]
