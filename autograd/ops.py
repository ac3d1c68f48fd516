"""The derivative sheet: every operation's forward formula beside its local derivatives.

This is the only place where a derivative is written down. Each rule is plain arithmetic over the names imported and
defined at the top, so the same line can be read in several ways:

* on floats, when a graph is built (`autograd.value`);
* on Values, when a derivative is differentiated again (`autograd.transforms`);
* on numbers that carry their slope along, in forward mode (`autograd.forward`);
* on symbols, from which the engine's fast methods (`autograd.kernels`), the programs of `autograd.compiler` and the
  derivatives that people read (`autograd.formulas`) are printed;
* on NumPy arrays.

A rule has two halves. ``forward(a, b)`` gives the value y. ``partials(y, a, b)`` gives one local derivative per input,
∂y/∂a and ∂y/∂b; it may use y, because many derivatives are shortest in terms of the result (exp' = y).

To add an operation, copy a paragraph of the sheet below, or call `register` from your own code; CONTRIBUTING.md shows
both in one page.
"""

from __future__ import annotations

import inspect
import keyword
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any

from . import ieee
from .formulas import printed
from .reals import CUT as CUT
from .reals import is_real, short

# --------------------------------------------------------------------------------------------------------------------
# The vocabulary of the rules. Each word works on floats and on anything that has a method of the same name
# (Values and the symbols of `kernels`); what is left is an array, and NumPy's own function is used. A word of two
# numbers asks whichever of them has a method `_of_two`.


def _word(name: str, on_arrays: Callable[[Any, Any], Any] | None = None) -> Callable[[Any], Any]:
    on_floats = getattr(ieee, name)

    def word(x: Any) -> Any:
        if isinstance(x, (float, int)):
            return on_floats(x)
        method = getattr(x, name, None)
        if method is not None:
            return method()
        import numpy

        with numpy.errstate(all="ignore"):
            return getattr(numpy, name)(x) if on_arrays is None else on_arrays(numpy, x)

    word.__name__ = name
    return word


exp, log, sqrt, sin, cos, tan, tanh, sinh, cosh, log1p, expm1 = map(  # as NumPy calls them, too
    _word, ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sinh", "cosh", "log1p", "expm1")
)
asin = _word("asin", lambda np, x: np.arcsin(x))
acos = _word("acos", lambda np, x: np.arccos(x))
atan = _word("atan", lambda np, x: np.arctan(x))
sigmoid = _word("sigmoid", lambda np, x: np.exp(-np.logaddexp(0.0, -x)))
softplus = _word("softplus", lambda np, x: np.logaddexp(0.0, x))
erf = _word("erf", lambda np, x: _erf_on_arrays("erf", x))
erfc = _word("erfc", lambda np, x: _erf_on_arrays("erfc", x))


def _erf_on_arrays(name: str, x: Any) -> Any:
    from . import error_function  # needs NumPy

    return getattr(error_function, name)(x)


def _word_of_two(name: str, on_arrays: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any], Any]:
    on_floats = getattr(ieee, name)

    def word(a: Any, b: Any) -> Any:
        if _number(a) and _number(b):
            return on_floats(a, b)
        for x in (a, b):  # a plain number may stand first
            method = getattr(x, "_of_two", None)
            if method is not None:
                return method(name, a, b)
        import numpy

        with numpy.errstate(all="ignore"):
            return on_arrays(numpy, a, b)

    word.__name__ = name
    return word


atan2 = _word_of_two("atan2", lambda np, a, b: np.arctan2(a, b))
hypot = _word_of_two("hypot", lambda np, a, b: np.hypot(a, b))


def _number(x: Any) -> bool:
    return isinstance(x, (float, int))


def div(a: Any, b: Any) -> Any:
    """a / b, with IEEE 754's answer where Python's floats would raise."""
    return ieee.div(a, b) if _number(a) and _number(b) else a / b


def power(a: Any, b: Any) -> Any:
    """a ** b, never complex."""
    return ieee.pow(a, b) if _number(a) and _number(b) else a**b


def where(condition: Any, yes: Any, no: Any) -> Any:
    """``yes`` where the condition holds, else ``no``."""
    if isinstance(condition, int):  # a bool; a comparison of Values has the method, and the derivative is that branch's
        return yes if condition else no
    method = getattr(condition, "where", None)
    if method is not None:
        return method(yes, no)
    import numpy

    return numpy.where(condition, yes, no)


def two_forms(condition: Any, near: Any, far: Any) -> Any:
    """``near`` where the condition holds, else ``far``: one and the same number, but ``far`` keeps the digits that
    ``near`` loses there.

    An array would compute both for every entry, to choose one; so programs on arrays take ``near``, whose error is
    that of rounding, though not relative to a result that is tiny. So does a derivative that is differentiated again.
    """
    if condition is True or condition is False:
        return near if condition else far
    method = getattr(condition, "two_forms", None)
    return near if method is None else method(near, far)


def equal(a: Any, b: Any) -> Any:
    """Whether two numbers are equal. (``==`` between Values asks whether they are the same node.)"""
    if not _number(a):
        method = getattr(a, "equals", None)
        return method(b) if method is not None else a == b
    return a == b if _number(b) else equal(b, a)


def _slope_of_power(a: Any, b: Any) -> Any:
    """b·a^(b-1), the derivative of a^b by a. a^0 is 1 whatever a is: nothing goes back.

    When this is differentiated again, an exponent that is a node and happens to be 0 stays in the formula, since the
    derivative by it is not 0.
    """
    if _number(b) and b == 0.0 and not _number(a):
        return CUT
    slope = b * power(a, b - 1.0)
    goes_on = hasattr(b, "backward")  # b is a Value
    return where(equal(b, 0.0), where(abs(a) > 1e-100, slope, CUT) if goes_on else CUT, slope)


_TWO_BY_ROOT_PI = 2.0 / math.sqrt(math.pi)
_ONE_BY_ROOT_TWO_PI = 1.0 / math.sqrt(2.0 * math.pi)


def _slopes_of_angle(a: Any, b: Any, radius: Any) -> tuple[Any, Any]:
    """b/r² and -a/r², divided one r at a time, since r² may overflow or vanish where r does not; 0 at the origin."""
    at_origin = equal(radius, 0.0)
    by_a, by_b = div(div(b, radius), radius), div(div(-a, radius), radius)
    return where(at_origin, 0.0, by_a), where(at_origin, 0.0, by_b)


def _normal_cdf(a: Any) -> Any:
    """Φ(a), by erfc, so that it keeps its digits where it is small."""
    return 0.5 * erfc(-math.sqrt(0.5) * a)


# The next two words fold many inputs into one. The compiler gives a rule one symbol that stands for a whole row of
# inputs (one axis of an array); such a symbol knows how to fold itself.


def _largest(xs: Sequence[Any]) -> Any:
    if all(map(_number, xs)):
        return ieee.maximum(xs)
    fold = getattr(xs[0], "fold_largest", None)
    if fold is not None:
        return fold()
    top = xs[0]
    for x in xs[1:]:
        top = where(top >= x, top, where(equal(top, top), x, top))  # a nan stays
    return top


def _total(xs: Sequence[Any]) -> Any:
    fold = getattr(xs[0], "fold_total", None)
    if fold is not None:
        return fold()
    total: Any = 0.0
    for x in xs:
        total = total + x
    return total


def _shares(is_extreme: Sequence[Any], is_not: Sequence[Any]) -> tuple[Any, ...]:
    """1 for the one extreme input, nothing for the others; k inputs that tie get 1/k each, and nan if one is nan."""
    ties = _total([where(extreme, 1.0, 0.0) for extreme in is_extreme])
    share = div(ties, ties * ties)  # 1/ties, and nan where there are none: beside a nan nobody is the largest
    return tuple(where(beaten, CUT, share) for beaten in is_not)


def _logsumexp(xs: Sequence[Any]) -> Any:
    if all(map(_number, xs)):
        return ieee.logsumexp(xs)
    top = _largest(xs)
    shift = where(abs(top) < ieee.INF, top, 0.0)  # inf - inf would be nan
    powers = [exp(x - shift) for x in xs]
    y = shift + log(_total(powers))
    # The largest power is 1, and beside it a small rest loses its digits: so here the ones are counted apart.
    rest = _total([where(equal(p, 1.0), 0.0, p) for p in powers])
    ones = _total([where(equal(p, 1.0), 1.0, 0.0) for p in powers])
    return two_forms(abs(y) > 0.01, y, shift + log1p(rest + (ones - 1.0)))


def _dot(xs: Sequence[Any]) -> Any:
    n = len(xs) // 2
    pairs = zip(xs[:n], xs[n:], strict=True)
    if type(xs[0]) is type(xs[n]) is float:
        total: Any = 0.0
        for x, w in pairs:
            total += x * w
        return total
    return _total([x * w for x, w in pairs])


# --------------------------------------------------------------------------------------------------------------------
_PARTIALS = {float, type(None)}


@dataclass(frozen=True)
class Op:
    """One line of the derivative sheet.

    ``arity`` is the number of inputs, or None for as many as are given. In the formulas, ``{y}`` is the result, and
    ``{a}``, ``{b}`` and ``{c}`` are the inputs; where the arity is None, ``{a}`` is the input at hand and ``{b}`` its
    partner (in a dot product, the number it is multiplied by).

    ``partial_formulas`` and ``partial_latex`` are the local derivatives, one per input, as text and as LaTeX. They are
    printed from the rule (`autograd.formulas`) unless somebody has said it better: in ``by_hand``.
    """

    name: str
    arity: int | None
    forward: Callable[..., Any]
    partials: Callable[..., Sequence[Any]]
    symbol: str  # what a drawing writes in the gate
    formula: str  # the forward formula as text
    latex: str
    singular: str = ""  # where the derivative is not defined, and what is taken there
    # the local derivatives as text and as LaTeX, only where the printed ones would not be what a person says
    by_hand: tuple[tuple[str, str], ...] = ()
    custom: bool = False

    @cached_property
    def _derivatives(self) -> tuple[tuple[str, str], ...]:
        return self.by_hand or tuple(printed(self.forward, self.partials, self.arity))

    @property
    def partial_formulas(self) -> tuple[str, ...]:
        return tuple(text for text, _ in self._derivatives)

    @property
    def partial_latex(self) -> tuple[str, ...]:
        return tuple(latex for _, latex in self._derivatives)

    def input_count_error(self, count: int) -> str | None:
        """What is wrong with this number of inputs, or None if it fits."""
        if self.arity is not None and count != self.arity:
            return f"{self.name} takes {self.arity} input{'s' * (self.arity != 1)}, but got {count}"
        if self.arity is None and count == 0:
            return f"{self.name} needs at least one input"
        if self.name == "dot" and count % 2:
            return f"dot takes two lists of the same length, but got {count} numbers in all"
        return None

    def value(self, numbers: Sequence[float]) -> float:
        """y at these numbers, checked: a float."""
        return self._number(self.forward(*numbers), "forward")

    def local_derivatives(self, y: float, numbers: Sequence[float]) -> list[float | None]:
        """The local derivatives at these numbers, checked: a float for each input, or None for no gradient."""
        partials = self.partials(y, *numbers)
        if isinstance(partials, Real) or not isinstance(partials, Iterable):
            raise TypeError(
                f"partials of {self.name!r} must give a tuple with one local derivative per input, but gave "
                f"{short(partials)}; for a single one write (d,) with a comma"
            )
        partials = list(partials)
        if len(partials) != len(numbers):
            raise ValueError(
                f"partials of {self.name!r} must give one local derivative per input, {len(numbers)} in all, "
                f"but gave {len(partials)}"
            )
        if {*map(type, partials)} <= _PARTIALS:
            return partials
        return [d if type(d) is float or d is None else self._number(d, "partials") for d in partials]

    def _number(self, x: Any, half: str) -> float:
        if type(x) is float:
            return x
        if is_real(x):
            return float(x)
        raise TypeError(
            f"{half} of {self.name!r} must give a real number for numbers, but gave {type(x).__name__}: {short(x)}"
        )


# The slope below 0 where none is given: the lecture's, which one can see in a plot. (Maas, Hannun and Ng, 2013, and
# PyTorch take 0.01.)
LEAKY_SLOPE = 0.1

_LINES = (
    # --- arithmetic
    Op(
        "add",
        2,
        lambda a, b: a + b,
        lambda y, a, b: (1.0, 1.0),
        symbol="+",
        formula="{a} + {b}",
        latex="{a} + {b}",
    ),
    Op(
        "sub",
        2,
        lambda a, b: a - b,
        lambda y, a, b: (1.0, -1.0),
        symbol="−",
        formula="{a} − {b}",
        latex="{a} - {b}",
    ),
    Op(
        "mul",
        2,
        lambda a, b: a * b,
        lambda y, a, b: (b, a),
        symbol="×",
        formula="{a} × {b}",
        latex=r"{a} \cdot {b}",
    ),
    Op(
        "div",
        2,
        lambda a, b: div(a, b),
        lambda y, a, b: (div(1.0, b), div(-y, b)),
        symbol="÷",
        formula="{a} / {b}",
        latex=r"\frac{{{a}}}{{{b}}}",
        singular="1/0 is inf and 0/0 is nan, as IEEE 754 says",
    ),
    Op(
        "pow",
        2,
        lambda a, b: power(a, b),
        lambda y, a, b: (
            _slope_of_power(a, b),
            where(equal(a, 0.0), where(b >= 0.0, 0.0, y * log(a)), y * log(a)),
        ),
        symbol="x^n",
        formula="{a}^{b}",
        latex="{a}^{{{b}}}",
        singular="0**0 is 1 with gradient 0; the derivative by the exponent of 0**y is 0 for y ≥ 0, "
        "and nan for a negative base",
    ),
    Op(
        "neg",
        1,
        lambda a: -a,
        lambda y, a: (-1.0,),
        symbol="−x",
        formula="−{a}",
        latex="-{a}",
    ),
    Op(
        "reciprocal",
        1,
        lambda a: div(1.0, a),
        lambda y, a: (-y * y,),
        symbol="1/x",
        formula="1/{a}",
        latex=r"\frac{{1}}{{{a}}}",
        singular="1/0 is inf with derivative -inf",
    ),
    Op(
        "abs",
        1,
        lambda a: abs(a),
        lambda y, a: (where(a > 0.0, 1.0, where(a < 0.0, -1.0, 0.0)),),
        symbol="|x|",
        formula="|{a}|",
        latex="|{a}|",
        by_hand=(("sign {a}", r"\operatorname{{sign}} {a}"),),
        singular="the derivative at 0 is taken as 0",
    ),
    # --- exponentials, logarithms, roots, trigonometry
    Op(
        "exp",
        1,
        lambda a: exp(a),
        lambda y, a: (y,),
        symbol="exp",
        formula="exp({a})",
        latex="e^{{{a}}}",
    ),
    Op(
        "log",
        1,
        lambda a: log(a),
        lambda y, a: (div(1.0, a),),
        symbol="log",
        formula="log({a})",
        latex=r"\ln {a}",
        singular="log(0) is -inf with derivative inf; below 0 the value is nan and the derivative stays 1/a",
    ),
    Op(
        "sqrt",
        1,
        lambda a: sqrt(a),
        lambda y, a: (div(0.5, y),),
        symbol="√",
        formula="√{a}",
        latex=r"\sqrt{{{a}}}",
        singular="the derivative at 0 is inf; below 0 both are nan",
    ),
    Op(
        "sin",
        1,
        lambda a: sin(a),
        lambda y, a: (cos(a),),
        symbol="sin",
        formula="sin({a})",
        latex=r"\sin {a}",
    ),
    Op(
        "cos",
        1,
        lambda a: cos(a),
        lambda y, a: (-sin(a),),
        symbol="cos",
        formula="cos({a})",
        latex=r"\cos {a}",
    ),
    # --- more functions of a calculator
    Op(
        "tan",
        1,
        lambda a: tan(a),
        lambda y, a: (1.0 + y * y,),
        symbol="tan",
        formula="tan({a})",
        latex=r"\tan({a})",
        singular="π/2 is no float, so tan is nowhere infinite: tan(π/2) is 1.6e16",
    ),
    Op(
        "asin",
        1,
        lambda a: asin(a),
        # (1 - a)(1 + a) and not 1 - a², which loses digits where a is close to ±1
        lambda y, a: (div(1.0, sqrt((1.0 - a) * (1.0 + a))),),
        symbol="asin",
        formula="asin({a})",
        latex=r"\arcsin({a})",
        singular="the derivative at ±1 is inf; beyond, both are nan",
    ),
    Op(
        "acos",
        1,
        lambda a: acos(a),
        lambda y, a: (div(-1.0, sqrt((1.0 - a) * (1.0 + a))),),
        symbol="acos",
        formula="acos({a})",
        latex=r"\arccos({a})",
        singular="the derivative at ±1 is -inf; beyond, both are nan",
    ),
    Op(
        "atan",
        1,
        lambda a: atan(a),
        lambda y, a: (div(1.0, 1.0 + a * a),),
        symbol="atan",
        formula="atan({a})",
        latex=r"\arctan({a})",
    ),
    Op(
        "atan2",
        2,
        lambda a, b: atan2(a, b),
        lambda y, a, b: _slopes_of_angle(a, b, hypot(a, b)),
        symbol="atan2",
        formula="atan2({a}, {b})",
        latex=r"\operatorname{{atan2}}({a}, {b})",
        singular="the angle of the point (b, a), from -π to π; at (0, 0) it is what C99 says, and the derivatives are "
        "taken as 0",
    ),
    Op(
        "hypot",
        2,
        lambda a, b: hypot(a, b),
        lambda y, a, b: (where(equal(y, 0.0), 0.0, div(a, y)), where(equal(y, 0.0), 0.0, div(b, y))),
        symbol="hypot",
        formula="√({a}² + {b}²)",
        latex=r"\sqrt{{{a}^2 + {b}^2}}",
        singular="no square on the way overflows; at (0, 0) the derivatives are taken as 0, as that of |x| is",
    ),
    Op(
        "sinh",
        1,
        lambda a: sinh(a),
        lambda y, a: (cosh(a),),
        symbol="sinh",
        formula="sinh({a})",
        latex=r"\sinh({a})",
    ),
    Op(
        "cosh",
        1,
        lambda a: cosh(a),
        lambda y, a: (sinh(a),),
        symbol="cosh",
        formula="cosh({a})",
        latex=r"\cosh({a})",
    ),
    Op(
        "log1p",
        1,
        lambda a: log1p(a),
        lambda y, a: (div(1.0, 1.0 + a),),
        symbol="log1p",
        formula="log(1 + {a})",
        latex=r"\ln(1 + {a})",
        singular="exact for a tiny a; at -1 it is -inf with derivative inf; below, the value is nan and the derivative "
        "stays 1/(1 + a)",
    ),
    Op(
        "expm1",
        1,
        lambda a: expm1(a),
        lambda y, a: (exp(a),),  # and not 1 + y, which is 0 below -37
        symbol="expm1",
        formula="exp({a}) − 1",
        latex="e^{{{a}}} - 1",
        singular="exact for a tiny a",
    ),
    Op(
        "erf",
        1,
        lambda a: erf(a),
        lambda y, a: (_TWO_BY_ROOT_PI * exp(-a * a),),
        symbol="erf",
        formula="erf({a})",
        latex=r"\operatorname{{erf}}({a})",
    ),
    Op(
        "erfc",
        1,
        lambda a: erfc(a),
        lambda y, a: (-_TWO_BY_ROOT_PI * exp(-a * a),),
        symbol="erfc",
        formula="erfc({a})",
        latex=r"\operatorname{{erfc}}({a})",
        singular="1 - erf(a), with all digits where it is small",
    ),
    Op(
        "gelu",  # an activation, made of the line before
        1,
        lambda a: a * _normal_cdf(a),
        lambda y, a: (_normal_cdf(a) + a * (_ONE_BY_ROOT_TWO_PI * exp(-0.5 * a * a)),),
        symbol="GELU",
        formula="{a}·Φ({a})",
        latex=r"{a}\,\Phi({a})",
        by_hand=(("Φ({a}) + {a}·φ({a})", r"\Phi({a}) + {a}\,\varphi({a})"),),
        singular="Φ is the normal distribution's function, (1 + erf(a/√2))/2, and φ its bell curve: the exact GELU, "
        "not the one by tanh; at -inf both are nan, and at inf the derivative, as 0·inf is",
    ),
    # --- activations
    Op(
        "tanh",
        1,
        lambda a: tanh(a),
        # 1 - y² loses its digits where y is close to ±1; 1/cosh² is 4·σ(2a)·σ(-2a), too
        lambda y, a: (two_forms(y * y < 0.98, 1.0 - y * y, 4.0 * sigmoid(2.0 * a) * sigmoid(-2.0 * a)),),
        symbol="tanh",
        formula="tanh({a})",
        latex=r"\tanh {a}",
        singular="where 1 − y² would lose its digits it is computed as 4·σ(2a)·σ(−2a); except in programs on arrays",
    ),
    Op(
        "sigmoid",
        1,
        lambda a: sigmoid(a),
        # σ(-a) is 1 - σ(a), without losing the digits that 1 - σ(a) loses where σ(a) is close to 1
        lambda y, a: (y * sigmoid(-a),),
        symbol="σ",
        formula="σ({a})",
        latex=r"\sigma({a})",
        singular="two branches, so that nothing overflows: at ±1000 the value is rounded to 1 and 0",
    ),
    Op(
        "relu",
        1,
        lambda a: where(a <= 0.0, 0.0, a),
        lambda y, a: (where(a <= 0.0, CUT, 1.0),),
        symbol="ReLU",
        formula="max(0, {a})",
        latex=r"\max(0, {a})",
        singular="the derivative at 0 is taken as 0",
    ),
    Op(
        "leaky_relu",
        2,
        lambda a, alpha: where(a > 0.0, a, alpha * a),
        lambda y, a, alpha: (where(a > 0.0, 1.0, alpha), where(a > 0.0, CUT, a)),
        symbol="leaky",
        formula="{a} if {a} > 0 else {b}·{a}",
        latex=r"\max({a}, {b}\,{a})",
        singular="the derivative at 0 is taken as alpha",
    ),
    Op(
        "softplus",
        1,
        lambda a: softplus(a),
        lambda y, a: (sigmoid(a),),
        symbol="softplus",
        formula="log(1 + exp({a}))",
        latex=r"\ln(1 + e^{{{a}}})",
        singular="two branches, so that nothing overflows: at ±1000 the value is rounded to 1000 and 0",
    ),
    # --- operations on many inputs
    Op(
        "maximum",
        None,
        lambda *xs: _largest(xs),
        lambda y, *xs: _shares([x >= y for x in xs], [x < y for x in xs]),
        symbol="max",
        formula="max(…)",
        latex=r"\max(\ldots)",
        by_hand=(("1 if {a} is the largest else 0", r"\mathbf{{1}}[{a} = {y}]"),),
        singular="k inputs that tie for the largest get 1/k each",
    ),
    Op(
        "minimum",
        None,
        lambda *xs: -_largest([-x for x in xs]),
        lambda y, *xs: _shares([x <= y for x in xs], [x > y for x in xs]),
        symbol="min",
        formula="min(…)",
        latex=r"\min(\ldots)",
        by_hand=(("1 if {a} is the smallest else 0", r"\mathbf{{1}}[{a} = {y}]"),),
        singular="k inputs that tie for the smallest get 1/k each",
    ),
    Op(
        "logsumexp",
        None,
        lambda *xs: _logsumexp(xs),
        lambda y, *xs: [exp(x - y) for x in xs],
        symbol="LSE",
        formula="log Σ exp(…)",
        latex=r"\ln \sum_i e^{{x_i}}",
        singular="shifted by the largest input, so that nothing overflows; a small result is log1p of what the others "
        "add to e⁰ = 1, except in programs on arrays and on Numba's tape",
    ),
    Op(
        "dot",
        None,
        lambda *xs: _dot(xs),
        lambda y, *xs: (*xs[len(xs) // 2 :], *xs[: len(xs) // 2]),
        symbol="dot",
        formula="Σ xᵢ·wᵢ",
        latex=r"\sum_i x_i w_i",
    ),
    Op(
        "identity",
        1,
        lambda a: a,
        lambda y, a: (1.0,),
        symbol="=",
        formula="{a}",
        latex="{a}",
    ),
    Op(
        "detach",
        1,
        lambda a: a,
        lambda y, a: (CUT,),
        symbol="detach",
        formula="{a}",
        latex="{a}",
        singular="not a derivative but a decision: the value goes on, the gradient stops (truncated backpropagation "
        "through time, targets that must not move)",
    ),
    # --- choices. A comparison is 1 or 0, and flat wherever it has a derivative; `where` chooses by one. In the rules
    # above a comparison of Values picks a branch at once, except while a function is being compiled: then the choice
    # must be made anew for every sample, and these lines record it.
    Op(
        "less",
        2,
        lambda a, b: where(a < b, 1.0, 0.0),
        lambda y, a, b: (None, None),
        symbol="<",
        formula="1 if {a} < {b} else 0",
        latex=r"\mathbf{{1}}[{a} < {b}]",
        singular="a step: the derivative is taken as 0 everywhere",
    ),
    Op(
        "less_equal",
        2,
        lambda a, b: where(a <= b, 1.0, 0.0),
        lambda y, a, b: (None, None),
        symbol="≤",
        formula="1 if {a} ≤ {b} else 0",
        latex=r"\mathbf{{1}}[{a} \le {b}]",
        singular="a step: the derivative is taken as 0 everywhere",
    ),
    Op(
        "equal",
        2,
        lambda a, b: where(equal(a, b), 1.0, 0.0),
        lambda y, a, b: (None, None),
        symbol="=?",
        formula="1 if {a} = {b} else 0",
        latex=r"\mathbf{{1}}[{a} = {b}]",
        singular="a step: the derivative is taken as 0 everywhere",
    ),
    Op(
        "where",
        3,
        lambda c, a, b: where(c > 0.0, a, b),
        lambda y, c, a, b: (None, where(c > 0.0, 1.0, CUT), where(c > 0.0, CUT, 1.0)),
        symbol="where",
        formula="{b} if {a} else {c}",
        latex=r"{b}\ \text{{if}}\ {a}\ \text{{else}}\ {c}",
        by_hand=(
            ("0", "0"),
            ("1 if {a} else 0", r"\mathbf{{1}}[{a}]"),
            ("0 if {a} else 1", r"\mathbf{{1}}[\lnot {a}]"),
        ),
        singular="the input that was chosen gets the gradient, the condition gets none",
    ),
)
SHEET: dict[str, Op] = {op.name: op for op in _LINES}
CHOICES = ("less", "less_equal", "equal", "where")  # they are written as a < b and where(...), not as methods

BUILT_IN = frozenset(SHEET)

LEAF = ""  # the `op` of a Value that was not computed
DETACH = "detach"  # the operation out of which no gradient goes back
CONSTANT = "const"  # the `op` of a plain number that met a Value: it has no gradient


# --------------------------------------------------------------------------------------------------------------------
def _positional_count(function: Callable[..., Any]) -> int | None:
    """How many positional arguments a function takes; None if as many as you like."""
    kinds = [parameter.kind.name for parameter in inspect.signature(function).parameters.values()]
    by_place = kinds.count("POSITIONAL_ONLY") + kinds.count("POSITIONAL_OR_KEYWORD")
    return None if "VAR_POSITIONAL" in kinds else by_place


def add_to_sheet(
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
) -> Op:
    """Check a custom operation and write it into the sheet. `autograd.register` is the public door to this."""
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"an operation's name must be a plain word such as 'swish', but got {name!r}")
    if name in BUILT_IN or name == CONSTANT:
        raise ValueError(f"{name!r} is a built-in operation; please choose another name for yours")
    for role, function in (("forward", forward), ("partials", partials)):
        if not callable(function):
            raise TypeError(f"{role} of {name!r} must be a function, but got {type(function).__name__}")
    arity = _positional_count(forward)
    if arity == 0:
        raise ValueError(f"forward of {name!r} takes no inputs; an operation needs at least one")
    given = _positional_count(partials)
    if arity is not None and given is not None and given != arity + 1:
        raise ValueError(
            f"partials of {name!r} must take the result y and then the inputs, {arity + 1} in all, but it takes {given}"
        )
    width = 1 if arity is None else arity
    arguments = {None: "…", 1: "{a}", 2: "{a}, {b}"}.get(arity, "{a}, …")
    texts = tuple(partial_formulas) if partial_formulas is not None else (f"∂{name}/∂{{a}}",) * width
    latexes = (
        tuple(partial_latex)
        if partial_latex is not None
        else (rf"\frac{{{{\partial\,\mathrm{{{{{name}}}}}}}}}{{{{\partial {{a}}}}}}",) * width
    )
    for role, parts in (("partial_formulas", texts), ("partial_latex", latexes)):
        if len(parts) != width:
            raise ValueError(f"{role} of {name!r} needs {width} entries, one per input, but got {len(parts)}")
    op = SHEET[name] = Op(
        name=name,
        arity=arity,
        forward=forward,
        partials=partials,
        symbol=name if symbol is None else symbol,
        formula=f"{name}({arguments})" if formula is None else formula,
        latex=rf"\mathrm{{{{{name}}}}}({arguments})".replace("…", r"\ldots") if latex is None else latex,
        singular=singular,
        by_hand=tuple(zip(texts, latexes, strict=True)),
        custom=True,
    )
    return op
