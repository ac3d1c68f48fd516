"""Functions that make functions: `grad`, `value_and_grad`, `jacobian`, `hessian`.

``grad(f)`` is itself a function of numbers or Values, so it can be differentiated again, to any order. Nothing here
touches a ``.grad``. The argument that is differentiated by may be a number, a (nested) list or tuple of numbers, or a
NumPy array; the gradient comes back in the same shape.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from .graph import topological_order
from .modes import recording, recording_again, watching
from .ops import CUT, SHEET
from .steps import check_backward
from .value import Value, constant, is_constant, record, to_float


class _Depth(threading.local):
    """How many transforms are running around this one. Inside another, a gradient must stay a graph."""

    level = 0


_depth = _Depth()


# --- the two sweeps


def numeric_adjoints(root: Value, seed: float = 1.0) -> dict[Value, float]:
    """∂root/∂node for every node, from the recorded local derivatives; leaves every ``.grad`` as it is."""
    if watching():
        check_backward(root, seed)
    adjoint: dict[Value, float] = {root: seed}
    for node in reversed(topological_order(root)):
        upstream = adjoint.get(node)
        if upstream is not None:
            for x, partial in zip(node.inputs, node.local_derivatives, strict=True):
                if partial is not None:
                    adjoint[x] = adjoint.get(x, 0.0) + (0.0 if partial is CUT else upstream * partial)
    return adjoint


def graph_adjoints(root: Value, wanted: Sequence[Value]) -> dict[Value, Any]:
    """∂root/∂node as Values, for nodes on a path from ``wanted``: the derivative sheet, run on Values.

    The result is a new graph in terms of the old one's nodes, and can be differentiated again.
    """
    order = topological_order(root)
    depends = set(wanted)  # the nodes between `wanted` and the root: nobody needs an adjoint elsewhere
    for node in order:
        if node not in depends and any(x in depends for x in node.inputs):
            depends.add(node)
    adjoint: dict[Value, Any] = {root: 1.0}
    for node in reversed(order):
        upstream = adjoint.get(node)
        if upstream is None or node not in depends or not node.inputs:
            continue
        # constants enter a rule as plain numbers, so that (b - 1) in the power rule does not become a node
        operands = [x.data if is_constant(x) else x for x in node.inputs]
        partials = SHEET[node.op].partials(node, *operands)
        for x, partial, recorded in zip(node.inputs, partials, node.local_derivatives, strict=True):
            if x in depends and recorded is not None:  # it is None to a constant, and out of a detach
                contribution = _passed(upstream, partial)
                before = adjoint.get(x)
                adjoint[x] = contribution if before is None or _is(before, 0.0) else before + contribution
    return adjoint


def _passed(upstream: Any, partial: Any) -> Any:
    """upstream · partial, and 0 where the path is cut; if the choice is a recorded one, so is this."""
    if partial is CUT:
        return 0.0
    if isinstance(partial, Value) and _may_be_cut(partial):
        choice, *branches = partial.inputs
        return record("where", choice, *[_passed(upstream, x.data if is_constant(x) else x) for x in branches])
    return partial if _is(upstream, 1.0) else upstream if _is(partial, 1.0) else upstream * partial


def _may_be_cut(partial: Any) -> bool:
    """Whether CUT is one of the numbers that a recorded choice chooses from."""
    if is_constant(partial):
        return (partial.data if isinstance(partial, Value) else partial) is CUT
    return partial.op == "where" and any(map(_may_be_cut, partial.inputs[1:]))


def _is(x: Any, number: float) -> bool:
    return not isinstance(x, Value) and bool(x == number)


# --- arguments of any shape


def flatten(x: Any) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
    """The numbers in a scalar, nested list or array, in order; and the function that puts others in their places."""
    if isinstance(x, (list, tuple)):
        parts = [flatten(entry) for entry in x]
        flat = [leaf for leaves, _ in parts for leaf in leaves]

        def rebuild(values: Sequence[Any]) -> Any:
            built, start = [], 0
            for leaves, rebuild_part in parts:
                built.append(rebuild_part(values[start : start + len(leaves)]))
                start += len(leaves)
            return tuple(built) if isinstance(x, tuple) else built

        return flat, rebuild
    if hasattr(x, "reshape") and getattr(x, "shape", None):
        import numpy

        shape = x.shape

        def rebuild_array(values: Sequence[Any]) -> Any:
            kind = object if any(isinstance(v, (Value, list, numpy.ndarray)) for v in values) else float
            array = numpy.empty(len(values), dtype=kind)
            for i, v in enumerate(values):
                array[i] = v
            return array.reshape(shape)

        return list(x.reshape(-1)), rebuild_array
    return [x], lambda values: values[0]


# --- the transforms


def value_and_grad(f: Callable[..., Any], argnum: int | tuple[int, ...] = 0) -> Callable[..., tuple[Any, Any]]:
    """The function that gives f's value and its gradient together, for the price of one pass each way.

    Args:
        f: a function that returns one number (a Value).
        argnum: which argument to differentiate by; a tuple of them gives a tuple of gradients.
    """
    _check_function(f, argnum)

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        y, (gradient,), numeric = _differentiate(f, argnum, args, kwargs, one_output=True)
        return (y.data if numeric and isinstance(y, Value) else y), gradient

    value_and_gradient.__name__ = f"value_and_grad_{getattr(f, '__name__', 'f')}"
    return value_and_gradient


def grad(f: Callable[..., Any], argnum: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The gradient of f with respect to one argument, as a function of all of them.

    >>> grad(lambda x: x ** 3)(2.0)
    12.0
    >>> grad(grad(lambda x: x ** 3))(2.0)
    12.0
    >>> grad(lambda w: w[0] * w[1])([3.0, 4.0])
    [4.0, 3.0]

    Called with numbers it returns floats; with Values, Values that can be differentiated again.

    Args:
        f: a function that returns one number (a Value).
        argnum: which argument to differentiate by; a tuple of them gives a tuple of gradients.

    Raises:
        TypeError: if f does not return one number, or an argument is not made of numbers.
    """
    both = value_and_grad(f, argnum)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    gradient.__name__ = f"grad_{getattr(f, '__name__', 'f')}"
    return gradient


def jacobian(f: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """The Jacobian J[i][j] = ∂fᵢ/∂xⱼ of a function that returns a list (or array) of numbers.

    The outer shape is that of f's result, the inner one that of the argument. One backward pass per output.

    >>> jacobian(lambda x: [relu(x[0]), relu(x[1])])([1.0, -2.0])
    [[1.0, 0.0], [0.0, 0.0]]
    """
    _check_function(f, argnum)

    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        outputs, rows, _ = _differentiate(f, argnum, args, kwargs, one_output=False)
        is_array = hasattr(outputs, "reshape") and getattr(outputs, "shape", None)
        if is_array and all(hasattr(row, "shape") for row in rows):
            import numpy

            return numpy.stack(rows).reshape(outputs.shape + rows[0].shape)
        return flatten(outputs)[1](rows)

    jacobian_of_f.__name__ = f"jacobian_{getattr(f, '__name__', 'f')}"
    return jacobian_of_f


def hessian(f: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """The Hessian H[i][j] = ∂²f/∂xᵢ∂xⱼ of a function that returns one number: the Jacobian of its gradient.

    It is by one argument, the first if ``argnum`` does not say otherwise; so put all variables into one list.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    """
    return jacobian(grad(f, argnum), argnum)


def _check_function(f: Any, argnum: Any) -> None:
    if not callable(f):
        hint = "; for a Value that is already computed, call its backward()" if isinstance(f, Value) else ""
        raise TypeError(f"expected a function to differentiate, but got {type(f).__name__}{hint}")
    for n in argnum if isinstance(argnum, tuple) else (argnum,):
        if not isinstance(n, int) or isinstance(n, bool):
            raise TypeError(f"argnum is the number of an argument, such as 0, but got {n!r}")


def _differentiate(
    f: Callable[..., Any],
    argnum: int | tuple[int, ...],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    one_output: bool,
) -> tuple[Any, list[Any], bool]:
    """f's result, its gradient for each output, and whether these are plain numbers rather than a graph."""
    chosen = argnum if isinstance(argnum, tuple) else (argnum,)
    for n in chosen:
        if not -len(args) <= n < len(args):
            by_name = f"; give {', '.join(kwargs)} by place, not by name" if kwargs else ""
            raise TypeError(f"argnum {n} asks for argument number {n}, but the call has {len(args)} by place{by_name}")
    detached = not recording()  # within no_grad this derivative is computed, but its result has no history
    fresh: list[Value] = []
    starts: list[tuple[int, Callable[[Sequence[Any]], Any]]] = []
    lifted = list(args)
    numeric = _depth.level == 0
    for n in chosen:
        flat, rebuild = flatten(args[n])
        # A Value that comes in gets a node of its own, so that this derivative is by the argument alone, not by other
        # uses of the same Value that f may reach in another way.
        mine = [record("identity", x) if isinstance(x, Value) else Value(to_float(x)) for x in flat]
        numeric = numeric and not any(isinstance(x, Value) for x in flat)
        starts.append((len(fresh), rebuild))
        fresh += mine
        lifted[n] = rebuild(mine)
    _depth.level += 1
    try:
        with recording_again():
            result = f(*lifted, **kwargs)
        outputs, rebuild_result = flatten(result)
        for y in outputs:
            if not isinstance(y, Value):
                _check_output(y, one_output)
        if one_output and (len(outputs) != 1 or isinstance(result, (list, tuple))):
            raise TypeError(
                f"grad needs a function that returns one number, but this one returned {len(outputs)} of them; "
                "use jacobian, or return their sum"
            )
        rows = []
        for y in outputs:
            if not isinstance(y, Value):
                adjoints: dict[Value, Any] = {}  # a plain number does not depend on anything
            elif numeric:
                adjoints = numeric_adjoints(y)
            else:
                with recording_again():
                    adjoints = graph_adjoints(y, fresh)
            flat_row = [adjoints.get(x, 0.0) for x in fresh]
            if not numeric:
                flat_row = [d if isinstance(d, Value) else constant(float(d)) for d in flat_row]
            if detached and not numeric:
                flat_row = [Value(d.data) for d in flat_row]
            parts = []
            for i, (start, rebuild) in enumerate(starts):
                end = starts[i + 1][0] if i + 1 < len(starts) else len(fresh)
                parts.append(rebuild(flat_row[start:end]))
            rows.append(tuple(parts) if isinstance(argnum, tuple) else parts[0])
        if detached:
            result = rebuild_result([Value(y.data) if isinstance(y, Value) else y for y in outputs])
    finally:
        _depth.level -= 1
    return result, rows, numeric


def _check_output(y: Any, one_output: bool) -> None:
    try:
        to_float(y)
    except TypeError:
        wanted = "one number" if one_output else "numbers"
        raise TypeError(
            f"a function to differentiate must return {wanted}, but this one returned {type(y).__name__}"
            + ("; did it forget to return?" if y is None else "")
        ) from None


__all__ = ["grad", "hessian", "jacobian", "value_and_grad"]
