"""Functions that make functions, `grad`, `value_and_grad`, `jacobian`, `hessian`, and products with derivatives, `jvp`,
`vjp`, `hvp`.

``grad(f)`` is itself a function of numbers or Values, so it can be differentiated again, to any order. Nothing here
touches a ``.grad``. The argument that is differentiated by may be a number, a (nested) list or tuple of numbers, or a
NumPy array; the gradient comes back in the same shape.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal, overload

from .backward import numeric_adjoints
from .forward import Dual, apply, is_number, levels, parts, passed
from .graph import topological_order
from .hints import explains
from .modes import STATE, recording, recording_again
from .ops import CONSTANT, DETACH, SHEET
from .reals import CUT, to_float
from .signatures import Curvature, Gradient, GradientBySecond, Rows, ValueAndGradient
from .value import Value, constant, record, unrecorded


class _Depth(threading.local):
    """How many transforms are running around this one. Inside another, a gradient must stay a graph."""

    level = 0

    def __enter__(self) -> None:
        self.level += 1

    def __exit__(self, *error: object) -> None:
        self.level -= 1


_depth = _Depth()


# --- the backward pass as a graph of its own


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
        if upstream is None or node not in depends or not node.inputs or node._tag[0] == DETACH:
            continue
        # constants enter a rule as plain numbers, so that (b - 1) in the power rule does not become a node
        inputs = node.inputs
        operands = [x._data if x._tag[0] == CONSTANT else x for x in inputs]
        partials = SHEET[node.op].partials(node, *operands)
        for x, partial in zip(inputs, partials, strict=True):
            if x in depends and x._tag[0] != CONSTANT and partial is not None:
                contribution = passed(upstream, partial)
                before = adjoint.get(x)
                adjoint[x] = contribution if before is None or is_number(before, 0.0) else before + contribution
    return adjoint


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
            if len(values) and all(isinstance(v, numpy.ndarray) and v.shape == values[0].shape for v in values):
                return numpy.stack(values).reshape(shape + values[0].shape)
            kind = object if any(isinstance(v, (Value, Dual, list, numpy.ndarray)) for v in values) else float
            array = numpy.empty(len(values), dtype=kind)
            for i, v in enumerate(values):
                array[i] = v
            return array.reshape(shape)

        return list(x.reshape(-1)), rebuild_array
    return [x], lambda values: values[0]


# --- calling a function on nodes of our own


class _Call:
    """One call of f, with the chosen arguments' numbers replaced by nodes, and what a sweep over its graph gives."""

    def __init__(
        self, f: Callable[..., Any], chosen: Sequence[int], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.detached = not recording()  # within no_grad a derivative is computed, but its result has no history
        self.fresh: list[Value] = []
        self.places: list[tuple[int, int, Callable[[Sequence[Any]], Any]]] = []
        lifted = list(args)
        self.plain = _plain(())  # a derivative at these numbers is plain numbers, too
        for n in chosen:
            flat, rebuild = flatten(args[n])
            self.plain = self.plain and _plain(flat)
            start = len(self.fresh)
            lifted[n] = rebuild([self._lift(x) for x in flat])
            self.places.append((start, len(self.fresh), rebuild))
        with _depth, recording_again():
            self.result = f(*lifted, **kwargs)
        self.outputs, self.rebuild = flatten(self.result)

    def _lift(self, x: Any) -> Any:
        """A node for a number. Of a Dual, whose slope in its own direction does not change, the first part gets one."""
        if isinstance(x, Dual):
            return Dual(self._lift(x.primal), x.tangent, x.level)
        # A Value that comes in gets a node of its own, so that this derivative is by the argument alone, not by other
        # uses of the same Value that f may reach in another way.
        node = record("identity", x) if isinstance(x, Value) else Value(to_float(x))
        self.fresh.append(node)
        return node

    def check_outputs(self, one_output: bool) -> None:
        _check_outputs(self.outputs, one_output)
        if one_output and (len(self.outputs) != 1 or isinstance(self.result, (list, tuple))):
            raise TypeError(
                f"grad needs a function that returns one number, but this one returned {len(self.outputs)} of them; "
                "use jacobian, or return their sum"
            )

    def value(self) -> Any:
        """f's result, as plain numbers if everything was plain numbers."""
        if self.plain:
            return self.rebuild([parts(y, _as_number) for y in self.outputs])
        if self.detached:
            return self.rebuild(
                [parts(y, lambda node: unrecorded(node.data, node.op or "identity")) for y in self.outputs]
            )
        return self.result

    def gradient(self, y: Any, plain: bool) -> tuple[Any, ...]:
        """The derivatives of one output by the chosen arguments, each in its argument's shape: one sweep.

        (One for each part of a Dual: the order of differentiating by x and along a direction may be exchanged.)
        """
        with _depth:
            slopes = self._slopes(y, plain)
        return tuple(rebuild(slopes[start:end]) for start, end, rebuild in self.places)

    def _slopes(self, y: Any, plain: bool) -> list[Any]:
        if isinstance(y, Dual):
            pairs = zip(self._slopes(y.primal, plain), self._slopes(y.tangent, plain), strict=True)
            return [Dual(primal, tangent, y.level) for primal, tangent in pairs]
        numeric = plain and STATE.tracer is None
        adjoints: dict[Value, Any] = {}  # a plain number does not depend on anything
        if isinstance(y, Value) and numeric:
            adjoints = numeric_adjoints(y)
        elif isinstance(y, Value):
            with recording_again():
                adjoints = graph_adjoints(y, self.fresh)
        slopes = [adjoints.get(x, 0.0) for x in self.fresh]
        if not numeric:
            slopes = [d if isinstance(d, (Value, Dual)) else constant(float(d)) for d in slopes]
            if plain or self.detached:
                slopes = [parts(d, _as_number if plain else lambda node: unrecorded(node.data, "grad")) for d in slopes]
        return slopes


def _plain(numbers: Sequence[Any]) -> bool:
    """Whether a derivative at these numbers may be plain numbers, too: nobody around will differentiate it again."""
    return _depth.level == 0 and not any(map(_has_history, numbers))


def _as_number(node: Value) -> Any:
    """The number in a node; in a function that is being compiled, a node that is cut off as a number is."""
    return node.data if STATE.tracer is None else record("detach", node)


def _has_history(x: Any) -> bool:
    return _has_history(x.primal) or _has_history(x.tangent) if isinstance(x, Dual) else isinstance(x, Value)


def _check_outputs(outputs: Sequence[Any], one_output: bool) -> None:
    for y in outputs:
        try:
            to_float(0.0 if isinstance(y, (Value, Dual)) else y)
        except TypeError:
            wanted = "one number" if one_output else "numbers"
            raise TypeError(
                f"a function to differentiate must return {wanted}, but this one returned {type(y).__name__}"
                + ("; did it forget to return?" if y is None else "")
            ) from None


def _check(f: Any, argnum: Any = ()) -> None:
    if not callable(f):
        hint = "; for a Value that is already computed, call its backward()" if isinstance(f, Value) else ""
        raise TypeError(f"expected a function to differentiate, but got {type(f).__name__}{hint}")

    for n in argnum if isinstance(argnum, tuple) else (argnum,):
        if not isinstance(n, int) or isinstance(n, bool):
            raise TypeError(
                f"argnum is the number of an argument, such as 0, or a tuple of them, such as (0, 1), but got {n!r}"
            )


def _chosen(argnum: int | tuple[int, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[int]:
    """The numbers of the arguments to differentiate by, counted from the front."""
    chosen = []
    for n in argnum if isinstance(argnum, tuple) else (argnum,):
        if not -len(args) <= n < len(args):
            by_name = f"; give {', '.join(kwargs)} by place, not by name" if kwargs else ""
            raise TypeError(f"argnum {n} asks for argument number {n}, but the call has {len(args)} by place{by_name}")
        if n % len(args) in chosen:
            raise ValueError(f"argnum {argnum} names argument number {n % len(args)} twice; once is enough")
        chosen.append(n % len(args))
    return chosen


# --- the transforms

_one_argnum = explains(argnums="write argnum, with one number or a tuple of them, as in grad(f, argnum=(0, 1))")


@overload
def value_and_grad(f: Callable[..., Value | float], argnum: Literal[0] = 0) -> ValueAndGradient: ...
@overload
def value_and_grad(
    f: Callable[..., Value | float], argnum: int | tuple[int, ...]
) -> Callable[..., tuple[Value | float, Any]]: ...
@_one_argnum
def value_and_grad(f: Callable[..., Any], argnum: int | tuple[int, ...] = 0) -> Callable[..., tuple[Any, Any]]:
    """The function that gives f's value and its gradient together, for the price of one pass each way.

    Args:
        f: a function that returns one number (a Value).
        argnum: which argument to differentiate by; a tuple of them gives a tuple of gradients.
    """
    _check(f, argnum)

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        call = _Call(f, _chosen(argnum, args, kwargs), args, kwargs)
        call.check_outputs(one_output=True)
        gradient = call.gradient(call.outputs[0], call.plain)
        return call.value(), gradient if isinstance(argnum, tuple) else gradient[0]

    value_and_gradient.__name__ = f"value_and_grad_{getattr(f, '__name__', 'f')}"
    return value_and_gradient


@overload
def grad(f: Callable[..., Value | float], argnum: Literal[0] = 0) -> Gradient: ...
@overload
def grad(f: Callable[..., Value | float], argnum: Literal[1]) -> GradientBySecond: ...
@overload
def grad(f: Callable[..., Value | float], argnum: tuple[int, ...]) -> Callable[..., tuple[Any, ...]]: ...
@overload
def grad(f: Callable[..., Value | float], argnum: int) -> Callable[..., Any]: ...
@_one_argnum
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


@overload
def jacobian(f: Callable[..., list[Value]], argnum: Literal[0] = 0) -> Rows: ...
@overload
@_one_argnum
def jacobian(f: Callable[..., Any], argnum: int | tuple[int, ...] = 0) -> Callable[..., Any]: ...
@_one_argnum
def jacobian(f: Callable[..., Any], argnum: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The Jacobian J[i][j] = ∂fᵢ/∂xⱼ of a function that returns a list (or array) of numbers.

    The outer shape is that of f's result, the inner one that of the argument. One backward pass per output. With a
    tuple as ``argnum``, a tuple of Jacobians, one for each of these arguments.

    >>> from autograd import relu
    >>> jacobian(lambda x: [relu(x[0]), relu(x[1])])([1.0, -2.0])
    [[1.0, 0.0], [0.0, 0.0]]
    """
    _check(f, argnum)

    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        chosen = _chosen(argnum, args, kwargs)
        call = _Call(f, chosen, args, kwargs)
        call.check_outputs(one_output=False)
        rows = [call.gradient(y, call.plain) for y in call.outputs]
        jacobians = tuple(call.rebuild([row[k] for row in rows]) for k in range(len(chosen)))
        return jacobians if isinstance(argnum, tuple) else jacobians[0]

    jacobian_of_f.__name__ = f"jacobian_{getattr(f, '__name__', 'f')}"
    return jacobian_of_f


@overload
def hessian(f: Callable[..., Value | float], argnum: Literal[0] = 0) -> Curvature: ...
@overload
def hessian(f: Callable[..., Value | float], argnum: int | tuple[int, ...]) -> Callable[..., Any]: ...
@_one_argnum
def hessian(f: Callable[..., Any], argnum: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The Hessian H[i][j] = ∂²f/∂xᵢ∂xⱼ of a function that returns one number: the Jacobian of its gradient.

    It is by one argument, the first if ``argnum`` does not say otherwise. With a tuple as ``argnum``, it is a tuple of
    tuples: H[0][1] holds the derivatives by the first of these arguments and then by the second.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    >>> hessian(lambda x, y: x ** 2 * y, argnum=(0, 1))(3.0, 5.0)
    ((10.0, 6.0), (6.0, 0.0))
    """
    jacobian_of_gradient = jacobian(grad(f, argnum), argnum)
    if not isinstance(argnum, tuple):
        return jacobian_of_gradient

    def hessian_of_f(*args: Any, **kwargs: Any) -> Any:
        # the Jacobian has for each second argument a tuple over the first ones
        return tuple(zip(*jacobian_of_gradient(*args, **kwargs), strict=True))

    return hessian_of_f


# --- products with derivatives


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """f's value and its slope in one direction: f(x) and J·v (Jacobian-vector product), in one pass forward.

    Every number of the arguments is given a slope of its own, and the slopes are carried along by the chain rule while
    f computes (`autograd.forward`). There is no graph and no backward pass. One call gives one column of the Jacobian,
    or a sum of columns, for all outputs at once; a backward pass gives one row, for all inputs at once.

    >>> from autograd import exp
    >>> jvp(lambda x, y: [x * y, exp(x)], (0.0, 3.0), (1.0, 0.0))
    ([0.0, 1.0], [3.0, 1.0])

    Called with numbers it returns floats. What f reaches in another way (the parameters of a model) is a constant to
    it; with Values among ``primals`` or ``tangents``, or inside another transform, the results are Values or Duals that
    depend on those, too.

    Args:
        f: a function of numbers, lists or arrays of them, that returns numbers likewise.
        primals: its arguments, as a tuple.
        tangents: the direction: for each argument a number, list or array of the same shape.

    Raises:
        TypeError: if ``primals`` or ``tangents`` is not a tuple (or list) of arguments, or f does not return numbers.
        ValueError: if the shapes differ.

    Source: Wengert, "A simple automatic derivative evaluation program" (1964). The signature is JAX's.
    """
    _check(f)
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, (tuple, list)):
            raise TypeError(
                f"{name} is a tuple with one entry for each argument of f, as in jvp(f, (x,), (v,)), "
                f"but got {type(given).__name__}"
            )
    if len(primals) != len(tangents):
        raise ValueError(
            f"f has {len(primals)} arguments here, and their direction {len(tangents)}; it needs one for each"
        )
    level = next(levels)
    plain, has_values = _plain(()), False
    arguments = []
    for k, (primal, tangent) in enumerate(zip(primals, tangents, strict=True)):
        (xs, rebuild), (vs, _) = flatten(primal), flatten(tangent)
        if len(xs) != len(vs):
            raise ValueError(f"argument number {k} has {len(xs)} numbers, but its direction has {len(vs)}")
        xs, vs = ([x if isinstance(x, (Value, Dual)) else to_float(x) for x in numbers] for numbers in (xs, vs))
        plain = plain and _plain(xs + vs)
        has_values = has_values or any(isinstance(x, Value) for x in xs + vs)
        arguments.append(rebuild([Dual(x, v, level) for x, v in zip(xs, vs, strict=True)]))
    detached = not recording()  # what f itself does inside no_grad has no slope, but all of it may stand in one
    with recording_again():
        outputs, rebuild_result = flatten(f(*arguments))
    _check_outputs(outputs, one_output=False)
    ours = [isinstance(y, Dual) and y.level == level for y in outputs]
    values = [y.primal if mine else y for y, mine in zip(outputs, ours, strict=True)]
    slopes = [y.tangent if mine and y.tangent is not CUT else 0.0 for y, mine in zip(outputs, ours, strict=True)]
    if plain:
        values, slopes = ([parts(x, _as_number) for x in numbers] for numbers in (values, slopes))
    elif has_values:
        values, slopes = ([x if _has_history(x) else constant(to_float(x)) for x in xs] for xs in (values, slopes))
    if detached and not plain:
        values, slopes = ([parts(x, lambda y: unrecorded(y.data, "jvp")) for x in xs] for xs in (values, slopes))
    return rebuild_result(values), rebuild_result(slopes)


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """f's value, and the function that goes back through it: v ↦ vᵀ·J (vector-Jacobian product).

    f is called once. Each call of the second result is one backward pass over the graph of that call, however many
    inputs f has: it takes a number for each output, in the shape of f's result, and gives a tuple with one gradient for
    each argument. ``backward(gradient)`` is this for a single output.

    >>> value, pullback = vjp(lambda x, y: [x * y, x + y], 2.0, 3.0)
    >>> value, pullback([1.0, 10.0])
    ([6.0, 5.0], (13.0, 12.0))

    Raises:
        TypeError: if f does not return numbers.
        ValueError: from the second result, if it is not given one number for each output.

    The signature is JAX's.
    """
    _check(f)
    call = _Call(f, range(len(primals)), primals, {})
    call.check_outputs(one_output=False)

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        vs, _ = flatten(cotangent)
        if len(vs) != len(call.outputs):
            raise ValueError(f"f has {len(call.outputs)} outputs, so this takes as many numbers, but got {len(vs)}")
        plain = call.plain and _plain(vs)
        # the derivative of Σ vᵢ·yᵢ by yᵢ is vᵢ: so one sweep from that sum starts with v at the outputs
        with recording_again():
            total = apply("dot", *call.outputs, *vs) if vs else 0.0
        return call.gradient(total, plain)

    return call.value(), pullback


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """H·v, the product of f's Hessian at x with a vector, in the shape of x: without the Hessian.

    It is the gradient of f's slope in the direction v: one pass forward with slopes, and one backward pass, however
    many numbers x has; the whole Hessian costs one for each of them (Pearlmutter, 1994, "Fast exact multiplication by
    the Hessian"). ``jvp(grad(f), (x,), (v,))`` gives the same, and the gradient with it.

    >>> hvp(lambda x: x[0] ** 2 * x[1], [3.0, 5.0], [1.0, 0.0])
    [10.0, 6.0]

    Args:
        f: a function of one argument that returns one number.
        x: the argument: a number, a list or an array.
        v: the direction, in the shape of x.
    """
    return grad(lambda y: jvp(f, (y,), (v,))[1])(x)
