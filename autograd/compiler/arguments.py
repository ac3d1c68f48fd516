"""The arguments of a compiled function: from what a caller gives to columns of numbers, and the results back."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..modes import STATE
from ..reals import is_real, to_float
from ..transforms import flatten
from ..value import Value
from .index import Index
from .layout import safe_names

Array = NDArray[Any]


class Arguments:
    """What the example says about every batch: per argument a name, a sample's shape, and how many numbers it has."""

    def __init__(self, f: Callable[..., Any], example: Sequence[Any], dtype: str) -> None:
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.names = safe_names(_argument_names(f, len(example)))
        self.shapes = [_shape_of(argument) for argument in example]
        entries = [flatten(argument)[0] for argument in example]
        self.sizes = [len(flat) for flat in entries]
        counts = [[x.count if isinstance(x, Index) else 0 for x in flat] for flat in entries]
        self.indices = [Indices(each) if any(each) else None for each in counts]

    def columns(self, batch: tuple[Any, ...]) -> tuple[list[Array], int]:
        """Each argument as [entries, N]: a transposed view where the caller's array already has the right type."""
        if STATE.tracer is not None:  # what comes out are numbers, and they follow from this program's parameters
            raise STATE.tracer.refusal("the numbers that a compiled function gives")
        if len(batch) != len(self.shapes):
            raise TypeError(f"expected {len(self.shapes)} arguments ({', '.join(self.names)}), but got {len(batch)}")
        columns = []
        parts = zip(batch, self.shapes, self.names, self.sizes, self.indices, strict=True)
        for X, shape, name, size, indices in parts:
            if indices and shape is not None and indices.whole:
                X = as_whole(X)
            if shape is None:  # an example of uneven lists: flatten sample by sample
                X = as_numbers([flatten(sample)[0] for sample in X], self.dtype, name)
                if X.shape[1:] != (size,):
                    raise ValueError(f"{name} must have samples of {size} numbers, nested like the example")
            else:
                X = X if type(X) is np.ndarray and X.dtype == np.intp else as_numbers(X, self.dtype, name)
                if X.shape[1:] != shape or X.ndim == 0:
                    wanted = f"(N, {', '.join(map(str, shape))})" if shape else "(N,)"
                    raise ValueError(f"{name} must have shape {wanted}, N samples like the example, but has {X.shape}")
                if X.ndim != 2:
                    X = X.reshape(X.shape[0], size)
            columns.append(indices.checked(X, name).T if indices else X.T)
        n = columns[0].shape[1] if columns else 1
        for column, name in zip(columns, self.names, strict=True):
            if column.shape[1] != n:
                raise ValueError(f"{self.names[0]} has {n} samples, but {name} has {column.shape[1]}")
        if n == 0:
            raise ValueError("a batch needs at least one sample")
        return columns, n


def as_numbers(x: Any, dtype: Any, name: str) -> Array:
    """An argument as an array of real numbers.

    NumPy's own conversion drops imaginary parts, reads texts as numbers, takes None for nan, and makes inf of a number
    that is too large for ``dtype``.

    Raises:
        TypeError: for an entry that is not a real number.
        ValueError: if the lists are not all as long, or for a finite number that the type has not.
    """
    if type(x) is np.ndarray and x.dtype == dtype:
        return x
    try:
        array = np.asarray(x)
        if array.dtype.kind in "fiub":
            if array.dtype == dtype or np.can_cast(array.dtype, dtype):
                return array.astype(dtype, copy=False)
            with np.errstate(over="raise"):
                return array.astype(dtype)
    except FloatingPointError:
        raise ValueError(
            f"{name} must hold numbers that {np.dtype(dtype)} has, up to {np.finfo(dtype).max:.6g}, but there is "
            f"{too_large(array.flat, dtype):.6g}: compile with dtype='float64', or give inf where that is meant"
        ) from None
    except ValueError:  # lists of different lengths
        array = np.array([], object)
    entries, _ = flatten(x)
    for entry in entries:
        if isinstance(entry, Value):
            raise TypeError(f"{name} must hold numbers, but there is a Value in it: {entry!r}; use its .data")
        if not is_real(entry):
            text = repr(entry) if len(repr(entry)) <= 60 else f"{entry!r:.57}..."
            hint = "; a program computes with real numbers only" if isinstance(entry, complex) else ""
            raise TypeError(f"{name} must hold real numbers, but got {type(entry).__name__}: {text}{hint}")
    if array.size != len(entries):
        raise ValueError(f"{name} must have samples of one shape, but its lists are not all as long")
    return as_numbers(np.array([to_float(entry) for entry in entries], float).reshape(array.shape), dtype, name)


def too_large(numbers: Iterable[float], dtype: Any) -> float | None:
    """The first finite number that would be infinite in this type; None if there is none, as of Python's own floats."""
    largest = float(np.finfo(dtype).max)
    if largest == sys.float_info.max:
        return None
    return next((float(x) for x in numbers if largest < abs(x) < math.inf), None)


def as_whole(x: Any) -> Any:
    """An argument as an array of whole numbers, if it is one of any kind; else as it is."""
    try:
        array = np.asarray(x)
    except ValueError:
        return x
    return array.astype(np.intp, copy=False) if array.dtype.kind in "iu" else x


class Indices:
    """Where samples [N, entries] have whole numbers, and in which range.

    Args:
        counts: for each entry from how many it chooses, or 0 for a number, which is what it is.
    """

    def __init__(self, counts: Sequence[int]) -> None:
        self.counts = np.array(counts, dtype=np.uintp)
        self.numbers = np.flatnonzero(self.counts == 0)
        self.whole = not len(self.numbers)

    def checked(self, X: Array, name: str) -> Array:
        """The samples, as whole numbers if all of their entries are.

        Raises:
            ValueError: for an index that is not a whole number in its range.
        """
        whole: Array = X.astype(np.intp, copy=False)
        right = whole.view(np.uintp) < self.counts  # below 0 it is a very large one
        if whole is not X:
            right &= whole == X
        if len(self.numbers):
            right[:, self.numbers] = True
        if np.count_nonzero(right) != right.size:
            self._refuse(X, ~right, name)
        return whole if self.whole else X

    def _refuse(self, X: Array, wrong: Array, name: str) -> NoReturn:
        n, k = np.argwhere(wrong)[0]
        where, count = f", entry {k}," if len(self.counts) > 1 else "", int(self.counts[k])
        raise ValueError(
            f"{name} must have a whole number 0…{count - 1} where its example has Index({count}), "
            f"but sample {n}{where} has {X[n, k]:.10g}"
        )


def arranged(form: Any, rows: Array) -> Any:
    """The rows of outputs [outputs, N] in the form in which the function returned them, samples first."""
    return _stacked(_filled(form, rows))


def _filled(form: Any, rows: Any) -> Any:
    return [_filled(part, rows) for part in form] if isinstance(form, list) else rows[form]


def _stacked(built: Any) -> Any:
    """A nested list of [N] arrays as one array (N, *shape); uneven lists stay lists, as a tuple of arrays."""
    try:
        array = np.array(built)
    except ValueError:
        return tuple(_stacked(part) for part in built)
    if array.dtype == object:
        array = array.astype(float)
    return np.moveaxis(array, -1, 0)


def _shape_of(argument: Any) -> tuple[int, ...] | None:
    """The shape of an example's argument; None for lists that are not rectangular."""
    if isinstance(argument, (list, tuple)):
        shapes = [_shape_of(part) for part in argument]
        first = shapes[0] if shapes else ()
        return None if first is None or any(s != first for s in shapes) else (len(shapes), *first)
    return tuple(getattr(argument, "shape", ()))


def _argument_names(f: Callable[..., Any], count: int) -> list[str]:
    try:
        names = [
            p.name
            for p in inspect.signature(f).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        names = []
    return names[:count] + [f"x{k + 1}" for k in range(len(names), count)]
