"""Functions of Values and of plain numbers alike: ``exp(x)`` records on a Value, and on a float it is just a number.

Each takes Values, ints, floats and NumPy scalars. Given only plain numbers it returns a ``float`` and records nothing.
The formulas and their derivatives are in the derivative sheet, `autograd.ops`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast, overload

from . import ops
from .comparisons import Comparison
from .forward import Dual, apply
from .reals import is_real, short, to_float
from .signatures import Number, OfMany, OfOne, OfTwo, Operation, of_many_each
from .value import Operand, Value, as_node

__all__ = [
    "abs",
    "acos",
    "add",
    "asin",
    "atan",
    "atan2",
    "cos",
    "cosh",
    "detach",
    "div",
    "dot",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "gelu",
    "hypot",
    "leaky_relu",
    "log",
    "log1p",
    "logsumexp",
    "maximum",
    "minimum",
    "mul",
    "neg",
    "pow",
    "reciprocal",
    "register",
    "relu",
    "sigmoid",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sqrt",
    "sub",
    "tan",
    "tanh",
    "where",
]


def of_one(method: Callable[[Value], Value]) -> OfOne:
    """A method of Value as a function that takes plain numbers, too; name and docstring are the method's."""
    name = method.__name__.strip("_")

    def function(x: Number) -> Number:
        return method(x) if type(x) is Value else apply(name, x)

    return cast(OfOne, _called(name, function, method.__doc__))


def of_two(name: str, words: str) -> OfTwo:
    """An operation of two numbers."""

    def function(a: Operand, b: Operand) -> Value | float:
        return apply(name, a, b)

    return cast(OfTwo, _called(name, function, words))


def of_many(name: str, words: str) -> OfMany[float, Value]:
    """An operation of any number of numbers."""

    def function(*xs: Operand | Iterable[Operand]) -> Value | float:
        return apply(name, *_spread(name, xs))

    return cast("OfMany[float, Value]", _called(name, function, words))


def _called(name: str, function: Any, words: str | None) -> Any:
    function.__name__, function.__qualname__, function.__doc__ = name, name, words
    return function


exp = of_one(Value.exp)
log = of_one(Value.log)
sqrt = of_one(Value.sqrt)
sin = of_one(Value.sin)
cos = of_one(Value.cos)
tan = of_one(Value.tan)
asin = of_one(Value.asin)
acos = of_one(Value.acos)
atan = of_one(Value.atan)
sinh = of_one(Value.sinh)
cosh = of_one(Value.cosh)
log1p = of_one(Value.log1p)
expm1 = of_one(Value.expm1)
erf = of_one(Value.erf)
erfc = of_one(Value.erfc)
gelu = of_one(Value.gelu)
tanh = of_one(Value.tanh)
sigmoid = of_one(Value.sigmoid)
relu = of_one(Value.relu)
softplus = of_one(Value.softplus)
reciprocal = of_one(Value.reciprocal)
neg = of_one(Value.__neg__)
abs = of_one(Value.__abs__)
atan2 = of_two(
    "atan2",
    "The angle of the point (x, y), from -π to π, for (y, x). Derivatives x/r² and -y/r², r² = x² + y²; at (0, 0) 0.",
)
hypot = of_two("hypot", "√(a² + b²) = r, without overflow on the way. Derivatives a/r and b/r; at (0, 0) both 0.")
add = of_two("add", "a + b. Derivatives 1 and 1.")
sub = of_two("sub", "a - b. Derivatives 1 and -1.")
mul = of_two("mul", "a · b. Derivatives b and a.")
div = of_two("div", "a / b, with 1/0 inf and 0/0 nan. Derivatives 1/b and -a/b².")
pow = of_two("pow", "a to the power b, never complex. Derivatives b·a^(b-1) and a^b·log a.")
maximum = of_many(
    "maximum", "The largest of the arguments, or of one list of them. k inputs that tie get 1/k of the gradient each."
)
minimum = of_many(
    "minimum", "The smallest of the arguments, or of one list of them. k inputs that tie get 1/k of the gradient each."
)
logsumexp = of_many(
    "logsumexp",
    "log(Σ exp(xᵢ)) of the arguments, or of one list, shifted so that it cannot overflow. Derivatives softmax(x)ᵢ.",
)


@overload
def leaky_relu(x: Value, alpha: Operand = ops.LEAKY_SLOPE) -> Value: ...
@overload
def leaky_relu(x: Operand, alpha: Value) -> Value: ...
@overload
def leaky_relu(x: float, alpha: float = ops.LEAKY_SLOPE) -> float: ...
def leaky_relu(x: Operand, alpha: Operand = ops.LEAKY_SLOPE) -> Value | float:
    """x above 0, else alpha·x. With a Value as alpha, alpha is learned (the parametric ReLU; He et al., 2015)."""
    return apply("leaky_relu", x, alpha)


def detach(x: Number) -> Number:
    """x itself, as a constant: the value goes on, the gradient stops. Its local derivative is taken as 0.

    A node, and not ``Value(x.data)``: the graph shows where the gradient stops, and `autograd.compile` computes the
    number anew for every sample.
    """
    return apply("detach", x)


@of_many_each
def softmax(*xs: Operand | Iterable[Operand]) -> list[Any]:
    """exp(xᵢ) / Σ exp(xⱼ) for each of the arguments, or of one list: a list of numbers that sum to 1.

    Built as exp(xᵢ - logsumexp(x)), so that logits of ±1000 are as safe as any. ∂pᵢ/∂xⱼ = pᵢ([i = j] - pⱼ).
    """
    logits: Sequence[Any] = _spread("softmax", xs)
    total: Value | float = logsumexp(logits)
    return [exp(x - total) if isinstance(total, (Value, Dual)) else exp(to_float(x) - total) for x in logits]


@overload
def where(condition: Any, x: Value, y: Operand) -> Value: ...
@overload
def where(condition: Any, x: Operand, y: Value) -> Value: ...
@overload
def where(condition: bool, x: float, y: float) -> float: ...
def where(condition: Any, x: Operand, y: Operand) -> Value | float:
    """x where the condition holds, else y: the choice that a derivative can go through. The one chosen gets it all.

    >>> def huber(d):
    ...     return where(abs(d) < 1, 0.5 * d**2, abs(d) - 0.5)

    Write it for ``x if a > b else y``. The comparison becomes a node of the graph, so the choice is made again in
    `recompute`, and for every sample in what `autograd.compile` writes. Both x and y are computed, whichever is chosen:
    keep both slopes finite, as in ``sqrt(where(x > 0, x, 1))``, or 0·inf makes the gradient nan, as in PyTorch.

    Args:
        condition: a comparison, ``a < b``, ``a <= b``, ``a > b``, ``a >= b`` or ``a.equals(b)``, or several combined by
            ``&`` (and), ``|`` (or), ``~`` (not), each in brackets. A plain bool chooses once and for all.
        x, y: Values or numbers. If all three are plain, so is the result.

    Raises:
        TypeError: for a condition that is no comparison.
    """
    if isinstance(condition, Comparison):
        return apply("where", as_node(condition), x, y)
    if hasattr(condition, "as_node"):  # a comparison while the compiler traces
        node: Value = condition.as_node()
        return apply("where", node, x, y)
    if isinstance(condition, bool) or (hasattr(condition, "dtype") and condition.dtype == bool and condition.ndim == 0):
        return apply("where", float(condition), x, y)
    raise TypeError(
        "where chooses by a comparison, as in where(a > 0, x, y), "
        f"but its condition is {type(condition).__name__}: {short(condition)}"
    )


@overload
def dot(xs: Iterable[Value], ws: Iterable[Operand]) -> Value: ...
@overload
def dot(xs: Iterable[Operand], ws: Iterable[Value]) -> Value: ...
@overload
def dot(xs: Iterable[float], ws: Iterable[float]) -> float: ...
def dot(xs: Iterable[Operand], ws: Iterable[Operand]) -> Value | float:
    """The dot product Σ xᵢ·wᵢ of two lists of the same length, as one node. Derivatives wᵢ and xᵢ.

    Raises:
        ValueError: if the lists differ in length.
    """
    left, right = list(xs), list(ws)
    if len(left) != len(right):
        raise ValueError(f"dot needs two lists of the same length, but got {len(left)} and {len(right)} numbers")
    return apply("dot", *left, *right) if left else 0.0


def _spread(name: str, xs: Sequence[Any]) -> Sequence[Operand]:
    """The operands, whether they came as several arguments or as one list."""
    if len(xs) == 1 and not isinstance(xs[0], (Value, Dual)) and not is_real(xs[0]):
        if isinstance(xs[0], str) or not isinstance(xs[0], Iterable):
            raise TypeError(f"{name} takes numbers, Values, or one list of them, but got {type(xs[0]).__name__}")
        xs = tuple(xs[0])
    if not xs:
        raise ValueError(f"{name} of nothing is not defined; give it at least one number")
    return xs


def register(
    name: str,
    forward: Callable[..., Any],
    partials: Callable[..., Sequence[Any]],
    *,
    symbol: str | None = None,
    formula: str | None = None,
    partial_formulas: Sequence[str] | None = None,
    latex: str | None = None,
    partial_latex: Sequence[str] | None = None,
    singular: str = "",
) -> Operation:
    """Add an operation of your own to the derivative sheet; returns the function that applies it.

    >>> swish = register("swish", forward=lambda x: x * sigmoid(x),
    ...                  partials=lambda y, x: (sigmoid(x) * (1 + x * sigmoid(-x)),))
    >>> swish(Value(2.0)).backward()

    Drawing, stepping, `gradcheck`, saving and higher derivatives then know it. For higher derivatives ``partials`` is
    run on Values, so use ``autograd.exp``, not ``math.exp``, inside it. Registering a name again replaces your rule.

    A rule that chooses between its inputs gives `autograd.ops.CUT` as the local derivative by an input that it did not
    choose, as in ``where(a > b, CUT, 1.0)``: then nothing goes back to it, where 0 · inf would be nan. ``None`` is for
    an input to which nothing ever goes back.

    Args:
        name: a plain word; it must not be a built-in operation's.
        forward: the value, from as many numbers as the operation has inputs (``*xs`` for any number).
        partials: the local derivatives, one per input, from the result and then the inputs.
        symbol: what a drawing writes in the gate; the name, if not given.
        formula, latex: the forward formula for step-by-step text, with ``{a}`` and ``{b}`` for the inputs.
        partial_formulas, partial_latex: the local derivatives likewise, one per input; ``{y}`` is the result.
        singular: a note on where the derivative is not defined, and what is taken there.

    Raises:
        ValueError: for a name that is taken or not a word, or halves that disagree on the number of inputs.
        TypeError: if a half is not a function.
    """
    op = ops.add_to_sheet(
        name,
        forward,
        partials,
        symbol=symbol,
        formula=formula,
        partial_formulas=partial_formulas,
        latex=latex,
        partial_latex=partial_latex,
        singular=singular,
    )

    def operation(*operands: Operand) -> Any:  # Value or float, as `Operation` says
        return apply(name, *operands)

    words = f"{op.formula.format(a='a', b='b', y='y')}, a registered operation."
    return cast(Operation, _called(name, operation, words))
