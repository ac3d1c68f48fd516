"""The numpy backend: the in-place program, bound to memory for each batch size that is in use.

A batch size that was met before finds its workspaces ready: every array and every view of it is bound once, and a call
is nothing but NumPy operations into memory that is already there. The eight batch sizes that were used last are kept.
"""

from __future__ import annotations

import functools
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import error_function
from ...ops import BUILT_IN
from ..index import TAKE
from ..normalise import LINEAR
from ..plan import Plan
from ..standalone import standalone
from .base import Array, mean_one_by_one

KEPT = 8  # workspaces
FEW = 16  # samples up to which `dot` makes a product with a row for each of them sooner than `matmul` does
MORE = 256  # the same where rows are short
MOST_PRODUCTS = 1 << 20  # that are in memory at once, where they are added one by one
CHOICES = {"less", "less_equal", "equal", "where", "pow"}  # rules that may give a number for a nan
Bound = tuple[Callable[..., Array], Callable[..., Array]]  # forward only, and there and back


def _sigmoid(x: Array, out: Array) -> None:
    """1 / (1 + e^-x) in the two branches of `ieee.sigmoid`: e is only ever raised to a negative power."""
    positive = x >= 0.0
    np.copysign(x, -1.0, out)
    np.exp(out, out)
    below = out + 1.0
    np.copyto(out, 1.0, where=positive)
    np.divide(out, below, out)


def _half_power(x: Array, out: Array) -> None:
    """x ** 0.5, for which NumPy takes sqrt; C99's pow differs at -inf and -0.0, where it gives inf and 0.0."""
    infinite = x == -np.inf
    np.sqrt(x, out)
    np.add(out, 0.0, out)
    np.copyto(out, np.inf, where=infinite)


def masked_matmul(a: Array, b: Array, mask: Array, out: Array | None = None) -> Array:
    """a @ b without the products that the mask over a leaves out: 0 in their places would do, but 0·inf is nan."""
    return careful_matmul(np.where(mask, a, 0.0), b, out, mask)


def careful_matmul(a: Array, b: Array, out: Array | None = None, mask: Array | None = None) -> Array:
    """a @ b; where it is not finite, each product is rounded before it is added, as in scalar code.

    Libraries for linear algebra multiply and add in one step: -inf + 1e200·1e200 is -inf there, where scalar code has
    -inf + inf, which is nan.
    """
    result: Array = np.matmul(a, b, out)
    if np.isfinite(result).all():
        return result
    count, size = a.shape[-1], max(result.size, 1)
    total, shape = 0.0, result.shape
    if a.ndim == 1:  # a row
        a = a[None]
    if b.ndim == 1:  # a column
        b = b[:, None]
    for k in range(0, count, max(MOST_PRODUCTS // size, 1)):
        some = slice(k, k + max(MOST_PRODUCTS // size, 1))
        products = a[..., some, None] * b[..., None, some, :]
        if mask is not None:
            products = np.where(mask[..., some, None], products, 0.0)
        total = total + products.sum(-2)
    result[...] = np.reshape(total, shape)
    return result


def zeroed_matmul(a: Array, b: Array, mask: Array, out: Array) -> Array:
    """`masked_matmul` where ``a`` is 0 wherever the mask is; whoever calls it sees to it that no 0·inf stays unseen."""
    return np.matmul(a, b, out)


def _flat(array: Array) -> Array:
    """The entries of an array as they lie in memory, where an array of a loop has its turns before its samples."""
    return array.transpose(np.argsort([-step for step in array.strides], kind="stable")).reshape(-1)


def _places(array: Array, see: Callable[[Array], Array], shape: tuple[int, ...]) -> Array:
    """At which places of an array, counted as they lie in memory, a view of it looks."""
    numbers = np.empty_like(array, np.intp)  # with its axes in the same order in memory
    _flat(numbers)[...] = np.arange(array.size)
    return np.array(np.broadcast_to(see(numbers), shape))


def _add_up(x: Array, index: Array, out: Array) -> None:
    """The sum of what goes to each row of a table: out[k] = Σ x[i] for all i with index[i] = k."""
    size = out.size // len(out)
    places = index if size == 1 else (index * size)[..., None] + np.arange(size)
    out[...] = np.bincount(places.reshape(-1), x.reshape(-1), out.size).reshape(out.shape)


def _is_finite(x: Array) -> bool:
    """Whether all entries are finite; if in doubt, because their squares are not, no."""
    flat = x if x.ndim == 1 else np.ravel(x, "K")
    return math.isfinite(flat.dot(flat))


def exp_of_difference(each: Array, whole: Array, x: Array, y: Array, out: Array) -> Array:
    """exp(x - y), for y = logsumexp(x)."""
    np.subtract(x, y, out)
    return np.exp(out, out)


def quotient(each: Array, whole: Array, x: Array, y: Array, out: Array) -> Array:
    """The same from each exp(x - t) and their sum; another number only where that is nan, beside an x of infinity."""
    return np.divide(each, whole, out)


NUMPY_NAMES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2"}  # the others are called alike

# the vocabulary of the in-place programs
IN_PLACE: dict[str, Any] = {
    name: getattr(np, name)
    for name in "add subtract multiply divide power negative absolute maximum less less_equal greater greater_equal "
    "equal bitwise_and bitwise_or where exp log sqrt sin cos tanh tan sinh cosh log1p expm1 hypot matmul dot copyto "
    "array empty ones zeros".split()
}
IN_PLACE |= {ours: getattr(np, theirs) for ours, theirs in NUMPY_NAMES.items()}
IN_PLACE |= {
    "half_power": _half_power,
    "masked_matmul": masked_matmul,
    "flat": _flat,
    "places": _places,
    "add_up": _add_up,
    "intp": np.intp,
    "zeroed_matmul": zeroed_matmul,
    "quotient": quotient,
    "sigmoid": _sigmoid,
    "softplus": lambda x, out: np.logaddexp(0.0, x, out),
    "erf": error_function.erf,
    "erfc": error_function.erfc,
    "inf": np.inf,
    "nan": np.nan,
    "bool": np.bool_,
    "int8": np.int8,
}

# what stands for these where a number is not finite
CAREFUL: dict[str, Any] = {
    **dict.fromkeys(("matmul", "dot", "product", "narrow_product"), careful_matmul),
    "zeroed_matmul": masked_matmul,
    "quotient": exp_of_difference,
}


class InPlace:
    """See `Backend`. The program's two functions give the outputs, [count, N].

    If some number is not finite, another one, with ``exactly``, computes the call once more: it multiplies and adds as
    scalar code does, takes no factor out of a sum, leaves out what is empty one by one, and if need be takes one sample
    after the other. An infinity that comes from finite numbers raises a flag of the processor, whatever becomes of it
    (tanh makes it 1); one that was given shows in the gradient, and is looked for where there is none.
    """

    def __init__(self, plan: Plan, exactly: bool = False) -> None:
        self.plan = plan
        self.text, self.code = plan.in_place_exactly if exactly else plan.in_place
        plan.write_constants()
        self.words = {**IN_PLACE, **self.text.constants}
        self.shared_adjoint = np.zeros_like(plan.shared)
        self.bound: OrderedDict[int, Bound] = OrderedDict()
        # A 0·inf at an empty place of a product is a nan, and shows in what comes out, unless a choice may drop it.
        ops = {g.op for g in plan.groups if g.op != "pow" or not isinstance(g.operands[1], float)}
        inexact = plan.program.factored or plan.shares_slopes or any(f"{word}(" in self.text.source for word in CAREFUL)
        if ops & CHOICES or any(op not in (LINEAR, TAKE) and op not in BUILT_IN for op in ops):
            self.words |= {word: CAREFUL[word] for word in ("zeroed_matmul", "quotient")}
        if exactly:
            self.words |= CAREFUL
        self.exactly, self.guarded = exactly, inexact and not exactly

    @functools.cached_property
    def source(self) -> str:
        return standalone(self.plan, self.plan.readable)

    def mean(self, columns: list[Array], n: int) -> float:
        plan = self.plan
        program, gradient = self.bind(n)[1], plan.gradient
        plan.alarm.raised = False
        total = float(np.add.reduce(program(*columns)[0]))
        if self.guarded and (plan.alarm.raised or not math.isfinite(total) or not _is_finite(gradient)):
            return self._exact.mean(columns, n)
        if self.exactly and n > 1 and plan.shares_slopes and not (math.isfinite(total) and _is_finite(gradient)):
            return mean_one_by_one(self, columns, n)
        if n != 1:
            np.multiply(gradient, 1.0 / n, gradient)
        return total / n

    def outputs(self, columns: list[Array], n: int) -> Array:
        plan, program = self.plan, self.bind(n)[0]
        plan.alarm.raised = False
        results = program(*columns)
        if self.guarded and (plan.alarm.raised or not all(map(_is_finite, (results, *columns, plan.theta)))):
            return self._exact.outputs(columns, n)
        return results.copy()  # the next call writes there

    @functools.cached_property
    def _exact(self) -> InPlace:
        return InPlace(self.plan, exactly=True)

    def bind(self, n: int) -> Bound:
        found = self.bound.get(n)
        if found is None:
            plan = self.plan
            places = plan.layout.sizes.get("batched", 0)
            space: dict[str, Any] = {
                "product": np.dot if n <= FEW else np.matmul,
                "narrow_product": np.dot if n <= MORE else np.matmul,
                **self.words,  # which have others, if they are the careful ones
                "n": n,
                "dtype": plan.dtype,
                "bits": np.dtype(f"int{8 * plan.dtype.itemsize}"),
                "shared": plan.shared,
                "gradient": plan.gradient,
                "shared_adjoint": self.shared_adjoint,
                "batched": np.zeros(places * n, plan.dtype),
                "adjoint": np.zeros(places * n if plan.mean else 0, plan.dtype),
            }
            exec(self.code, space)
            found = self.bound[n] = space["predict"], space["run"]
            if len(self.bound) > KEPT:
                self.bound.popitem(last=False)
        else:
            self.bound.move_to_end(n)
        return found
