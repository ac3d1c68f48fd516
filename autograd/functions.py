"""Functions of Values and of plain numbers alike: ``exp(x)`` records on a Value, and on a float it is just a number.

Each takes Values, ints, floats and NumPy scalars. Given only plain numbers it returns a ``float`` and records nothing.
The formulas and their derivatives are in the derivative sheet, `autograd.ops`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from typing import Any

from . import ops
from .value import Operand, Value, _rule_number, record, to_float

__all__ = [
    "abs",
    "add",
    "cos",
    "detach",
    "div",
    "dot",
    "exp",
    "leaky_relu",
    "log",
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
    "softmax",
    "softplus",
    "sqrt",
    "sub",
    "tanh",
]


def apply(name: str, *operands: Any) -> Any:
    """Apply an operation of the sheet: record it if any operand is a Value, else compute the number."""
    for x in operands:
        if isinstance(x, Value):
            return record(name, *operands)
    op = ops.SHEET[name]
    wrong_count = op.input_count_error(len(operands))
    if wrong_count:
        raise ValueError(wrong_count)
    return _rule_number(op.forward(*[to_float(x) for x in operands]), name, "forward")


def exp(x: Any) -> Any:
    """e to the power x; inf above 709.78. Its derivative is itself."""
    return x.exp() if isinstance(x, Value) else apply("exp", x)


def log(x: Any) -> Any:
    """The natural logarithm; log(0) is -inf, below 0 it is nan. Derivative 1/x."""
    return x.log() if isinstance(x, Value) else apply("log", x)


def sqrt(x: Any) -> Any:
    """The square root; below 0 it is nan. Derivative 1/(2√x), inf at 0."""
    return x.sqrt() if isinstance(x, Value) else apply("sqrt", x)


def sin(x: Any) -> Any:
    """The sine of x in radians. Derivative cos x."""
    return x.sin() if isinstance(x, Value) else apply("sin", x)


def cos(x: Any) -> Any:
    """The cosine of x in radians. Derivative -sin x."""
    return x.cos() if isinstance(x, Value) else apply("cos", x)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent, y. Derivative 1 - y²."""
    return x.tanh() if isinstance(x, Value) else apply("tanh", x)


def sigmoid(x: Any) -> Any:
    """σ(x) = 1/(1 + e^-x), exact at ±1000. Derivative σ(1 - σ)."""
    return x.sigmoid() if isinstance(x, Value) else apply("sigmoid", x)


def relu(x: Any) -> Any:
    """max(0, x). Derivative 1 above 0, else 0."""
    return x.relu() if isinstance(x, Value) else apply("relu", x)


def softplus(x: Any) -> Any:
    """log(1 + e^x), exact at ±1000. Derivative σ(x)."""
    return x.softplus() if isinstance(x, Value) else apply("softplus", x)


def reciprocal(x: Any) -> Any:
    """1/x; 1/0 is inf. Derivative -1/x²."""
    return x.reciprocal() if isinstance(x, Value) else apply("reciprocal", x)


def leaky_relu(x: Any, alpha: Any = 0.01) -> Any:
    """x above 0, else alpha·x. With a Value as alpha, alpha is learned (the parametric ReLU; He et al., 2015)."""
    return apply("leaky_relu", x, alpha)


def detach(x: Any) -> Any:
    """x itself, as a constant: the value goes on, the gradient stops. Its local derivative is taken as 0.

    A node, and not ``Value(x.data)``: the graph shows where the gradient stops, and `autograd.compile` computes the
    number anew for every sample.
    """
    return apply("detach", x)


def neg(x: Any) -> Any:
    """-x. Derivative -1."""
    return -x if isinstance(x, Value) else apply("neg", x)


def abs(x: Any) -> Any:
    """|x|. Derivative the sign of x, taken as 0 at 0."""
    return x.__abs__() if isinstance(x, Value) else apply("abs", x)


def add(a: Any, b: Any) -> Any:
    """a + b. Derivatives 1 and 1."""
    return apply("add", a, b)


def sub(a: Any, b: Any) -> Any:
    """a - b. Derivatives 1 and -1."""
    return apply("sub", a, b)


def mul(a: Any, b: Any) -> Any:
    """a · b. Derivatives b and a."""
    return apply("mul", a, b)


def div(a: Any, b: Any) -> Any:
    """a / b, with 1/0 inf and 0/0 nan. Derivatives 1/b and -a/b²."""
    return apply("div", a, b)


def pow(a: Any, b: Any) -> Any:
    """a to the power b, never complex. Derivatives b·a^(b-1) and a^b·log a."""
    return apply("pow", a, b)


def maximum(*xs: Any) -> Any:
    """The largest of the arguments, or of one list of them. k inputs that tie get 1/k of the gradient each."""
    return apply("maximum", *_spread("maximum", xs))


def minimum(*xs: Any) -> Any:
    """The smallest of the arguments, or of one list of them. k inputs that tie get 1/k of the gradient each."""
    return apply("minimum", *_spread("minimum", xs))


def logsumexp(*xs: Any) -> Any:
    """log(Σ exp(xᵢ)) of the arguments, or of one list, shifted so that it cannot overflow. Derivatives softmax(x)ᵢ."""
    return apply("logsumexp", *_spread("logsumexp", xs))


def softmax(*xs: Any) -> list[Any]:
    """exp(xᵢ) / Σ exp(xⱼ) for each of the arguments, or of one list: a list of numbers that sum to 1.

    Built as exp(xᵢ - logsumexp(x)), so that logits of ±1000 are as safe as any. ∂pᵢ/∂xⱼ = pᵢ([i = j] - pⱼ).
    """
    logits = _spread("softmax", xs)
    total = logsumexp(logits)
    return [exp(x - total) if isinstance(total, Value) else exp(to_float(x) - total) for x in logits]


def dot(xs: Iterable[Operand], ws: Iterable[Operand]) -> Any:
    """The dot product Σ xᵢ·wᵢ of two lists of the same length, as one node. Derivatives wᵢ and xᵢ.

    Raises:
        ValueError: if the lists differ in length.
    """
    left, right = list(xs), list(ws)
    if len(left) != len(right):
        raise ValueError(f"dot needs two lists of the same length, but got {len(left)} and {len(right)} numbers")
    return apply("dot", *left, *right) if left else 0.0


def _spread(name: str, xs: tuple[Any, ...]) -> Sequence[Any]:
    """The operands, whether they came as several arguments or as one list."""
    if len(xs) == 1 and not isinstance(xs[0], (Value, Real)):
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
) -> Callable[..., Any]:
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

    def operation(*operands: Operand) -> Any:
        return apply(name, *operands)

    operation.__name__ = operation.__qualname__ = name
    operation.__doc__ = f"{op.formula.format(a='a', b='b', y='y')}, a registered operation."
    return operation
