"""The jax backend: the readable program, run on `jax.numpy`.

The program has no side effects, so it is already a function that JAX can trace: ``jax.jit(step.function)`` compiles it,
and with the batch axis of the arguments sharded over devices XLA puts in the one sum over devices that the gradient
needs. Nothing here knows what the program computes.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..plan import Plan
from ..write import Text, readable
from .base import Array
from .numpy import NUMPY_NAMES, InPlace
from .numpy import masked_matmul as in_numpy


class Jax:
    """See `Backend`. ``by_numpy`` counts the calls that NumPy computed: see `_is_tame`."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.jax = plan, _jax(plan.dtype)
        self.by_numpy = 0

    @property
    def source(self) -> str:
        return self.plan.functional.source

    def mean(self, columns: list[Array], n: int) -> float:
        if self._is_tame(columns):
            loss, self.plan.gradient[:] = self._there_and_back(self.plan.theta, *[c.T for c in columns])
            if np.isfinite(loss) and np.isfinite(self.plan.gradient).all():
                return float(loss)
        self.by_numpy += 1
        return self._in_numpy.mean(columns, n)

    def outputs(self, columns: list[Array], n: int) -> Array:
        if self._is_tame(columns):
            found = np.asarray(self._forward(self.plan.theta, *[c.T for c in columns]))
            if np.isfinite(found).all():
                return found
        self.by_numpy += 1
        return self._in_numpy.outputs(columns, n)

    def _is_tame(self, columns: list[Array]) -> bool:
        """Whether no number is so large that powers of it are infinite, or so small that XLA takes it for 0.

        XLA multiplies and adds in one step, so -inf + 1e200² is -inf there, where scalar code, which rounds the product
        first, has nan. And of 1e-310, which has fewer digits than others (a subnormal number), it may make 0, where
        relu has another slope. Such a sample is computed by NumPy, and so is one of which the result is not finite.
        """
        info = np.finfo(self.plan.dtype)
        limit, least = float(info.max) ** 0.25, float(info.tiny)
        sizes = (np.abs(x) for x in (self.plan.theta, *columns) if x.size)
        return all(bool(size.max() <= limit) and not ((size < least) & (size > 0.0)).any() for size in sizes)

    @functools.cached_property
    def _in_numpy(self) -> InPlace:
        return InPlace(self.plan)

    @functools.cached_property
    def function(self) -> Callable[..., Any]:
        """What `Compiled.function` gives."""
        return self._function(self.plan.functional)

    @functools.cached_property
    def _there_and_back(self) -> Any:
        return self.jax.jit(self.function)

    @functools.cached_property
    def _forward(self) -> Any:
        return self.jax.jit(self._function(readable(self.plan.program, self.plan.names, mean=False, functional=True)))

    def _function(self, text: Text) -> Callable[..., Any]:
        numpy = self.jax.numpy
        words = array_words(numpy, importlib.import_module("jax.scipy.special"))
        words["fori_loop"] = importlib.import_module("jax.lax").fori_loop  # a scan, since the number of turns is known
        arrays = {  # JAX's own, for a turn of a loop cannot index NumPy's
            name: numpy.asarray(array, self.plan.dtype if array.dtype.kind == "f" else None)
            for name, array in text.constants.items()
        }
        program = replace(text, constants=arrays).load("program", words)
        whole = [array.whole for array in self.plan.layout.arrays if array.bank == "argument"]

        def run(theta: Any, *batch: Any) -> Any:
            columns = [numpy.asarray(X).reshape(X.shape[0], -1).T for X in batch]
            return program(theta, *[X.astype(int) if w else X for X, w in zip(columns, whole, strict=True)])

        return run


def array_words(np: Any, erf: Any) -> dict[str, Any]:
    """The vocabulary of the readable programs, for NumPy or for jax.numpy; ``erf`` is where erf and erfc come from."""

    def add_at(array: Any, index: Any, x: Any, axis: int) -> Any:
        shape = (*array.shape[:axis], *index.shape, *array.shape[axis + 1 :])
        rows = np.broadcast_to(x, shape).reshape((*array.shape[:axis], index.size, *array.shape[axis + 1 :]))
        where = (slice(None),) * axis + (index.reshape(-1),)
        if hasattr(array, "at"):
            return array.at[where].add(rows)
        result = array.copy()
        np.add.at(result, where, rows)
        return result

    def add_at_turn(array: Any, turn: Any, index: Any, x: Any, axis: int) -> Any:
        """array [n, turns, *sizes], or with ``axis`` 0 [turns, *sizes, n], with x added to ``index`` of one turn."""
        if axis:
            n, turns, *_ = array.shape
            rows = np.broadcast_to(x, (n, *index.shape)).reshape(n, -1)
            return array.reshape(n, turns, -1).at[:, turn, index.reshape(-1)].add(rows).reshape(array.shape)
        turns, *_, n = array.shape
        rows = np.broadcast_to(x, (*index.shape, n)).reshape(-1, n)
        return array.reshape(turns, -1, n).at[turn, index.reshape(-1)].add(rows).reshape(array.shape)

    def masked_matmul(a: Any, b: Any, mask: Any) -> Any:
        if np.__name__ == "numpy":
            return in_numpy(a, b, mask)
        y = np.where(mask, a, 0.0) @ b
        products = np.where(mask[..., None], a[..., None] * b[..., None, :, :], 0.0)
        return np.where(np.isfinite(y).all(), y, products.sum(-2))

    return {
        **{name: getattr(np, name) for name in "exp log sqrt sin cos tanh where zeros sum max abs arange".split()},
        "take_along_axis": np.take_along_axis,
        "int": int,
        **{name: getattr(np, name) for name in "tan sinh cosh log1p expm1 hypot".split()},
        **{ours: getattr(np, theirs) for ours, theirs in NUMPY_NAMES.items()},
        "erf": erf.erf,
        "erfc": erf.erfc,
        "sigmoid": lambda x: np.where(x >= 0.0, 1.0, np.exp(-abs(x))) / (1.0 + np.exp(-abs(x))),
        "softplus": lambda x: np.logaddexp(0.0, x),
        "take": lambda x, index, axis: np.take(x, index, axis=axis),
        "concatenate": np.concatenate,
        "masked_matmul": masked_matmul,
        "add_at_turn": add_at_turn,
        "empty": np.empty,
        "add_at": add_at,
        "broadcast_to": np.broadcast_to,
        "float": float,
    }


def _jax(dtype: Any) -> Any:
    try:
        import jax
    except ImportError as error:
        raise ImportError("the jax backend needs JAX: pip install 'chainrule[jax]'") from error
    if str(dtype) == "float64" and jax.dtypes.canonicalize_dtype("float64") != "float64":
        raise ValueError(
            "JAX computes in float32 unless told otherwise: call jax.config.update('jax_enable_x64', True) at the "
            "start, or compile with dtype='float32'"
        )
    return jax
