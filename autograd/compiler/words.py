"""The words of a program that NumPy does not have: functions that a program, saved as a file, carries along.

Their texts are plain ASCII, so that the file is the same in every encoding.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x), in two branches: e is only ever raised to a negative power."""
    return np.where(x >= 0.0, 1.0, np.exp(-abs(x))) / (1.0 + np.exp(-abs(x)))


def softplus(x: Any) -> Any:
    """log(1 + e^x)."""
    return np.logaddexp(0.0, x)


def erf(x: Any) -> Any:
    """2/sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
    return np.vectorize(math.erf, otypes=[float])(x)


def erfc(x: Any) -> Any:
    """1 - erf(x), with all digits where it is small."""
    return np.vectorize(math.erfc, otypes=[float])(x)


def add_at(array: Any, index: Any, x: Any, axis: int) -> Any:
    """The array with x added at these places along an axis; what goes to one place is added up there."""
    shape = (*array.shape[:axis], *index.shape, *array.shape[axis + 1 :])
    rows = np.broadcast_to(x, shape).reshape((*array.shape[:axis], index.size, *array.shape[axis + 1 :]))
    result = array.copy()
    np.add.at(result, (slice(None),) * axis + (index.reshape(-1),), rows)
    return result


def masked_matmul(a: Any, b: Any, mask: Any) -> Any:
    """a @ b without the products that the mask over a leaves out: 0 in their places would do, but 0 * inf is nan."""
    result = np.where(mask, a, 0.0) @ b
    if np.isfinite(result).all():
        return result
    return np.where(mask[..., None], a[..., None] * b[..., None, :, :], 0.0).sum(-2)
