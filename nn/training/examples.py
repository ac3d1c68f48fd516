"""What comes in: examples, targets and weights, each from arrays or lists to one checked form.

An array stays an array: of the examples one table is kept, n first, and where a model or a loss wants lists they are
made of the one example that it is given (`Examples.row`). What is set aside for validation, shuffled or put in order
are the places in that table, never the examples themselves.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from autograd import Value
from autograd.needs import needs_numpy
from autograd.reals import is_real

if TYPE_CHECKING:  # NumPy is imported by what needs it: `import nn` is twice as quick without
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"
Example = list[Any]  # numbers, or lists of them, nested to any depth


def as_table(X: Any, what: str = "X") -> Array:
    """Examples as an array of floats, n first; a flat list of numbers is a column of single features.

    An array of floats, in rows one after another, is taken as it is, and not copied.

    Raises:
        ValueError: if there are none, their shapes differ, or a number is inf or nan; the message names the place.
        TypeError: for an entry that is not a number.
        ImportError: where there is no NumPy, as in some browsers.
    """
    needs_numpy("a table of examples, to train on or to be measured by,")
    import numpy as np

    X = X.to_numpy() if hasattr(X, "to_numpy") else X  # a pandas table
    table = _numeric(X)
    if table is not None and table.ndim and table.size:
        table = np.ascontiguousarray(table if table.ndim > 1 else table.reshape(-1, 1), dtype=float)
        if math.isfinite(table.min()) and math.isfinite(table.max()):
            return table
    return np.array(_one_by_one(X, what))


def _numeric(X: Any) -> Array | None:
    """What NumPy reads as a table of real numbers; None if it does not, or might read into it what is not there."""
    import numpy as np

    try:
        array = np.asarray(X) if isinstance(X, (np.ndarray, list, tuple)) else None
    except ValueError:  # lists of different lengths
        return None
    return array if array is not None and array.dtype.kind in "fiu" else None


def as_examples(X: Any, what: str = "X") -> list[Example]:
    """Examples as nested lists of floats, all of one shape; a flat list of numbers is a column of single features.

    An example may be nested to any depth: a list of features, a sequence as a list of time steps, an image as a list of
    rows or of channels.

    Raises:
        ValueError, TypeError: as `as_table`.
    """
    return list(as_table(X, what).tolist())


def as_rows(X: Any, what: str = "X") -> list[list[float]]:
    """Examples as flat lists of features, for a model that takes nothing else; errors as of `as_matrix`."""
    return list(as_matrix(X, what).tolist())


def as_matrix(X: Any, what: str = "X") -> Array:
    """Examples as an array of shape (n, features).

    Raises:
        ValueError: for examples that are nested; otherwise as `as_table`.
        TypeError: as `as_table`.
    """
    table = as_table(X, what)
    if table.ndim > 2:
        raise ValueError(
            f"each example should be one flat list of numbers, but {what}[0] is {in_words(table.shape[1:])}; "
            f"of an array X, X.reshape(len(X), -1) is flat"
        )
    return table


def _one_by_one(X: Any, what: str) -> list[Example]:
    """Examples as lists, each entry looked at by itself: for what is no plain table, and to say where it is wrong."""
    rows = _listed(X)
    if isinstance(rows, (str, bytes, dict, set, frozenset)) or not isinstance(rows, Iterable):
        raise TypeError(f"{what} must be a list of examples, each a list of numbers, but got {type(X).__name__}")
    rows = [_listed(row) for row in rows]
    rows = [[row] if is_real(row) else row for row in rows]
    if not rows:
        raise ValueError(f"{what} is empty; there is nothing to learn from")
    if not isinstance(rows[0], (list, tuple)):
        raise TypeError(f"{what}[0] must be a list of numbers, but is {type(rows[0]).__name__}: {rows[0]!r}")
    shape = shape_of(rows[0])
    if 0 in shape:
        raise ValueError(f"the examples in {what} have no numbers in them")
    return [_shaped(row, shape, f"{what}[{i}]") for i, row in enumerate(rows)]


def shape_of(example: Any) -> tuple[int, ...]:
    """The lengths of nested lists, outermost first; of a number (). Where they are ragged, the first entry counts."""
    example = _listed(example)
    if not isinstance(example, (list, tuple)):
        return ()
    return (len(example), *(shape_of(example[0]) if example else ()))


def in_words(shape: tuple[int, ...]) -> str:
    """(6, 2) as "a list of 6 lists of 2 numbers"."""
    if not shape:
        return "a number"
    kinds = ["list"] * (len(shape) - 1) + ["number"]
    return "a list of " + " of ".join(f"{n} {kind}{'s' * (n != 1)}" for n, kind in zip(shape, kinds, strict=True))


def _shaped(x: Any, shape: tuple[int, ...], where: str) -> Any:
    """An example, or a part of one, as lists of floats of this shape."""
    x = _listed(x)
    length = len(x) if isinstance(x, (list, tuple)) else None
    if length != (shape[0] if shape else None):
        known = length is not None or is_real(x)
        found = in_words(shape_of(x)) if known else f"{type(x).__name__}: {x!r}"
        first = re.sub(r"\[\d+]", "[0]", where)
        raise (ValueError if known else TypeError)(
            f"{where} should be {in_words(shape)}, as {first} is, but is {found}; every example needs the same shape"
        )
    if length is None:
        return _number(x, where)
    return [_shaped(entry, shape[1:], f"{where}[{i}]") for i, entry in enumerate(x)]


def _listed(x: Any) -> Any:
    """An array as nested lists; anything else as it is."""
    return x.tolist() if hasattr(x, "tolist") else x


def as_targets(y: Any, count: int, what: str = "y") -> list[Any]:
    """Targets as a list of floats and ints, or of lists of them: one for each of ``count`` examples.

    Raises:
        ValueError: if there are more or fewer, they differ in length, or one is inf or nan.
        TypeError: for an entry that is not a number.
    """
    return list(_listed(_targets(y, count, what)))


def of_two_classes(
    X: Any, y: Any, nin: int, words: str, classes: tuple[float, float]
) -> tuple[list[list[float]], list[float]]:
    """Rows of ``nin`` features, and targets that are one of two numbers, ``words`` in messages.

    Raises:
        ValueError: for another number of features, or another target; otherwise as `as_matrix` and `as_targets`.
        TypeError: as these two.
    """
    rows = as_rows(X)
    if len(rows[0]) != nin:
        raise ValueError(f"this model takes {nin} inputs, but the examples have {len(rows[0])}")
    targets = as_targets(y, len(rows))
    for i, t in enumerate(targets):
        if t not in classes:
            raise ValueError(f"this model's targets are {words}, but y[{i}] is {t!r}")
    return rows, [float(t) for t in targets]


def _targets(y: Any, count: int, what: str) -> Array | list[Any]:
    """As `as_targets`, but an array of numbers stays one."""
    import numpy as np

    y = y.to_numpy() if hasattr(y, "to_numpy") else y
    if (
        (isinstance(y, np.ndarray) and y.dtype.kind in "fiu" and y.ndim in (1, 2) and y.size and len(y) == count)
        and math.isfinite(y.min())
        and math.isfinite(y.max())
    ):
        return y if y.ndim == 1 else y.astype(float, copy=False)
    targets = _listed(y)
    if isinstance(targets, (str, bytes, dict)) or not isinstance(targets, Iterable):
        raise TypeError(f"{what} must be a list with a target for each example, but got {type(y).__name__}")
    result: list[Any] = []
    for i, t in enumerate(map(_listed, targets)):
        if isinstance(t, (list, tuple)):
            here: Any = [_number(x, f"{what}[{i}][{j}]") for j, x in enumerate(t)]
        else:
            number = _number(t, f"{what}[{i}]")
            here = t if isinstance(t, (int, float)) else number
        if result and shape_of(result[0]) != shape_of(here):
            kinds = [f"{len(t)} numbers" if isinstance(t, list) else "a single number" for t in (result[0], here)]
            kinds[1] = kinds[1].replace("single number", "single one")
            raise ValueError(
                f"every target needs the same shape: {what}[0] is {kinds[0]}, but {what}[{i}] is {kinds[1]}"
            )
        result.append(here)
    if len(result) != count:
        raise ValueError(f"{count} examples need {count} targets, but {what} has {len(result)}")
    return result


def _number(x: Any, where: str) -> float:
    if isinstance(x, Value):
        raise TypeError(f"{where} must be a number, but is a Value; use its .data")
    if not is_real(x):
        raise TypeError(f"{where} must be a number, but is {type(x).__name__}: {x!r}")
    try:
        number = float(x)
    except OverflowError:
        raise ValueError(f"{where} is too large for a float (the largest is about 1.8e308)") from None
    if not math.isfinite(number):
        raise ValueError(f"{where} is {number!r}; every number must be finite")
    return number


@dataclass
class Examples:
    """Examples with their targets, and which of them are meant.

    Attributes:
        X: the table of all examples, n first.
        y: their targets, a list or an array.
        weights: how much each counts; None if all count alike.
        places: the rows of the table that belong to this part, in their first order.
    """

    X: Array
    y: Array | list[Any]
    weights: Array | None
    places: Sequence[int]

    @classmethod
    def of(cls, X: Any, y: Any, weights: Any = None, who: str = "") -> Examples:
        """The checked form of what a user gave; ``who`` comes before X and y in messages."""
        table = as_table(X, f"{who}X")
        count = len(table)
        return cls(table, _targets(y, count, f"{who}y"), _weights(weights, count), range(count))

    def __len__(self) -> int:
        return len(self.places)

    def row(self, i: int) -> Example:
        """Row i of the table, as the lists of floats that a model is called with."""
        return list(self.X[i].tolist())

    def target(self, i: int) -> Any:
        """The target of row i: a number, or a list of them."""
        return _listed(self.y[i])

    def weight(self, i: int) -> float:
        return 1.0 if self.weights is None else float(self.weights[i])

    def part(self, places: Sequence[int]) -> Examples:
        """Some of the examples: the table stays, the places change."""
        return Examples(self.X, self.y, self.weights, places)


def _weights(sample_weight: Any, count: int) -> Array | None:
    """One number for each example; None if all count alike."""
    import numpy as np

    if sample_weight is None:
        return None
    weights = as_targets(sample_weight, count, "sample_weight")
    for i, w in enumerate(weights):
        if isinstance(w, list) or not w >= 0.0:
            raise ValueError(f"sample_weight needs one number of 0 or more for each example, but has {w!r} for X[{i}]")
    return _not_all_zero(np.array(weights, dtype=float))


def _not_all_zero(weights: Array) -> Array:
    if not weights.any():
        raise ValueError("sample_weight is 0 for every example, so nothing would be learned")
    return weights


def set_aside(examples: Examples, validation: Any, rng: random.Random) -> tuple[Examples, Examples | None]:
    """The examples to train on, and those to measure on: a pair (X, y) of its own, or a fraction of the examples."""
    if validation is None:
        return examples, None
    count = len(examples)
    if is_real(validation) and not isinstance(validation, bool):
        out = round(count * float(validation)) if 0.0 < validation < 1.0 else 0
        if not 0.0 < validation < 1.0 or not 0 < out < count:
            raise ValueError(
                f"validation as a fraction must leave examples on both sides, but got {validation!r} of {count}"
            )
        mixed = list(range(count))
        rng.shuffle(mixed)
        kept = sorted(mixed[out:])
        if examples.weights is not None:
            _not_all_zero(examples.weights[kept])
        return examples.part(kept), examples.part(mixed[:out])
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise TypeError(f"validation is a pair (X, y) or a fraction, but got {type(validation).__name__}")
    held_out = Examples.of(validation[0], validation[1], who="validation ")
    shapes = examples.X.shape[1:], held_out.X.shape[1:]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"validation X needs examples of the same shape as X: X[0] is {in_words(shapes[0])}, "
            f"but validation X[0] is {in_words(shapes[1])}"
        )
    return examples, held_out


def in_order(order: Callable[[Example, Any], float] | Sequence[int] | None, examples: Examples) -> list[int] | None:
    """The places from the easiest example to the hardest, as `fit` was told; None if it was not."""
    if order is None:
        return None
    if callable(order):
        return sorted(examples.places, key=lambda i: order(examples.row(i), examples.target(i)))
    indices, count = list(order), len(examples)
    if sorted(indices) != list(range(count)):
        raise ValueError(
            f"order as a list must name each of the {count} examples, 0…{count - 1}, once, "
            f"but got {len(indices)} entries that do not"
        )
    return [examples.places[i] for i in indices]
