"""Local derivatives as a person writes them: a rule of the sheet, run on symbols and printed as text and as LaTeX.

Paper has conventions that a program does not need, and they are all here. A product is a fraction of powers,
``(-(a / b)) / b`` is −a/b². What is taken at a single point is told in words, not in the formula. The result y is
written as y where that is the shortest (1 − y²), and written out where its formula is as short (exp(a)).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from .symbols import Symbol, is_number, leaf, lift, number

AN_ARRAY = (1,)  # the shape of the symbols: a rule in two forms then gives the nearer one, which is the shorter
AS_SHORT_AS_Y = ("/", "exp", "sqrt", "pow")
NAMED = {2.0 / math.sqrt(math.pi): ("2/√π", r"\frac{{2}}{{\sqrt{{\pi}}}}")}
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def printed(
    forward: Callable[..., Any], partials: Callable[..., Sequence[Any]], arity: int | None
) -> list[tuple[str, str]]:
    """The local derivatives as text and as LaTeX, with ``{a}``, ``{b}`` and ``{y}`` for the inputs and the result.

    Of an operation on any number of inputs, one: by ``{a}``, whose partner is ``{b}``.
    """
    inputs = [leaf(name, AN_ARRAY) for name in ("{a}", "{b}", "{c}")[: arity or 2]]
    y = leaf("{y}", AN_ARRAY)
    result = lift(forward(*inputs)) if arity else y
    written = partials(result if result.operator in AS_SHORT_AS_Y else y, *inputs)
    trees = [number(0.0) if d is None else tidy(lift(d), result, y) for d in written]
    return [(Text().write(d), Latex().write(d)) for d in trees[: arity or 1]]


def tidy(x: Symbol, result: Symbol, y: Symbol) -> Symbol:
    """The same derivative as one would leave it on paper."""
    if x.operator == "where" and x.arguments[0].operator == "==":  # a single point
        return tidy(x.arguments[2], result, y)
    arguments = tuple(tidy(part, result, y) for part in x.arguments)
    x = Symbol(x.operator, arguments, x.shape, x.detail)
    if x.operator == "sigmoid" and arguments[0].operator == "neg":  # σ(−a) = 1 − σ(a)
        return 1.0 - tidy(arguments[0].arguments[0].sigmoid(), result, y)
    if x.operator == "*" and [part.operator for part in arguments] == ["-", "+"]:  # (1 − a)·(1 + a) = 1 − a²
        (p, q), (r, s) = (part.arguments for part in arguments)
        return p * p - q * q if same(p, r) and same(q, s) else x
    return y if same(x, result) and x.operator not in AS_SHORT_AS_Y else x


def same(x: Symbol, z: Symbol) -> bool:
    """Whether two trees are equal in every part."""
    if (x.operator, x.detail, len(x.arguments)) != (z.operator, z.detail, len(z.arguments)):
        return False
    return all(map(same, x.arguments, z.arguments))


def factors(x: Symbol) -> tuple[float, list[tuple[Symbol, int]]]:
    """A product as a plain number and powers: (-a / b) / b is -1, a¹ and b⁻²."""
    if x.operator == "number":
        return x.detail, []
    if x.operator == "neg":
        coefficient, powers = factors(x.arguments[0])
        return -coefficient, powers
    if x.operator not in ("*", "/"):
        return 1.0, [(x, 1)]
    (c, left), (d, right) = map(factors, x.arguments)
    powers = list(left)
    for base, exponent in right:
        exponent = exponent if x.operator == "*" else -exponent
        k = next((k for k, (other, _) in enumerate(powers) if same(base, other)), None)
        if k is None:
            powers.append((base, exponent))
        else:
            powers[k] = base, powers[k][1] + exponent
    return c * d if x.operator == "*" else c / d, powers


class Text:
    """Formulas in Unicode."""

    column = 0  # of NAMED
    minus, squared = "−", "²"
    signs: ClassVar[dict[str, str]] = {"<": "<", "<=": "≤", ">": ">", ">=": "≥"}
    words: ClassVar[dict[str, str]] = {"sigmoid": "σ"}

    def write(self, x: Symbol) -> str:
        if x.operator == "where":
            return self.choice(*x.arguments)
        if x.operator not in ("+", "-"):
            return self.product(x)
        left, right = map(self.write, x.arguments)
        return f"{left} {'+' if x.operator == '+' else self.minus} {right}"

    def product(self, x: Symbol) -> str:
        coefficient, powers = factors(x)
        sign, size = self.minus if coefficient < 0 else "", abs(coefficient)
        above = [self.power(base, n) for base, n in powers if n > 0]
        below = [self.power(base, -n) for base, n in powers if n < 0]
        if size in NAMED:
            above.insert(0, NAMED[size][self.column])
        elif 0 < size < 1 and (1 / size).is_integer():
            below.insert(0, f"{1 / size:g}")
        elif size != 1:
            above.insert(0, f"{size:g}")
        return sign + (self.fraction(above or ["1"], below) if below else self.side_by_side(above or ["1"]))

    def side_by_side(self, factors: list[str]) -> str:
        return "·".join(factors)

    def power(self, base: Symbol, exponent: int) -> str:
        if base.operator == "hypot" and exponent == 2:
            a, b = base.arguments
            return self.bracketed(a * a + b * b)
        written = self.function(base)
        return written if exponent == 1 else f"{written}{self.squared}"

    def function(self, x: Symbol) -> str:
        """A factor: a name, a function of something, or a sum in brackets."""
        if x.operator == "leaf":
            return str(x.detail)
        if x.operator == "pow":
            base, exponent = x.arguments
            return self.to_the(self.bracketed(base), self.write(exponent).replace(" ", ""))
        if x.operator.isalnum() and x.operator != "where":
            return self.call(x.operator, ", ".join(map(self.write, x.arguments)), x.arguments[0].operator == "leaf")
        return f"({self.write(x)})"

    def bracketed(self, x: Symbol) -> str:
        return self.write(x) if x.operator == "leaf" else f"({self.write(x)})"

    def choice(self, condition: Symbol, yes: Symbol, no: Symbol) -> str:
        if is_number(yes, 0.0):  # nothing, unless the opposite holds
            condition, yes, no = Symbol(OPPOSITE[condition.operator], condition.arguments, condition.shape), no, yes
        return f"{self.write(yes)} if {self.compared(condition)} else {self.write(no)}"

    def compared(self, condition: Symbol) -> str:
        left, right = map(self.write, condition.arguments)
        return f"{left} {self.signs[condition.operator]} {right}"

    def call(self, word: str, x: str, is_name: bool) -> str:
        if word == "sqrt":
            return f"√{x}" if is_name else f"√({x})"
        if word == "abs":
            return f"|{x}|"
        return f"{self.words.get(word, word)}({x})"

    def to_the(self, base: str, exponent: str) -> str:
        return f"{base}^{exponent}" if exponent.startswith("{") and exponent.endswith("}") else f"{base}^({exponent})"

    def fraction(self, above: list[str], below: list[str]) -> str:
        whole = below[0] if len(below) == 1 else f"({self.side_by_side(below)})"
        return f"{self.side_by_side(above)}/{whole}"


class Latex(Text):
    """Formulas in LaTeX; braces are doubled, since what stands in single ones is a name to be filled in."""

    column = 1
    minus, squared = "-", "^2"
    signs: ClassVar[dict[str, str]] = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge"}
    words: ClassVar[dict[str, str]] = {
        "log": "ln",
        "acos": "arccos",
        "asin": "arcsin",
        "atan": "arctan",
        "sigmoid": "sigma",
    }
    commands: ClassVar[frozenset[str]] = frozenset({*words, "sin", "cos", "tan", "sinh", "cosh", "tanh"})

    def choice(self, condition: Symbol, yes: Symbol, no: Symbol) -> str:
        """By indicators: p·1[a > 0] + q·1[a ≤ 0]."""
        opposite = Symbol(OPPOSITE[condition.operator], condition.arguments, condition.shape)
        terms = []
        for size, when in ((yes, condition), (no, opposite)):
            if not is_number(size, 0.0):
                indicator = rf"\mathbf{{{{1}}}}[{self.compared(when)}]"
                terms.append(indicator if is_number(size, 1.0) else rf"{self.function(size)}\,{indicator}")
        return " + ".join(terms)

    def call(self, word: str, x: str, is_name: bool) -> str:
        if word == "sqrt":
            return rf"\sqrt{{{{{x}}}}}"
        if word == "exp":
            return f"e^{{{{{x}}}}}"
        if word == "abs":
            return rf"\lvert {x} \rvert"
        if word not in self.commands:
            return rf"\operatorname{{{{{word}}}}}({x})"
        return rf"\{self.words.get(word, word)}" + (f" {x}" if is_name and word != "sigmoid" else f"({x})")

    def side_by_side(self, factors: list[str]) -> str:
        product = factors[0]
        for before, factor in pairwise(factors):  # a thin space where one name would run into the next
            product += factor if before.isdigit() or factor.startswith(("(", "\\")) else rf"\,{factor}"
        return product

    def to_the(self, base: str, exponent: str) -> str:
        return f"{base}^{{{{{exponent}}}}}"

    def fraction(self, above: list[str], below: list[str]) -> str:
        top, bottom = map(self.side_by_side, (above, below))
        if len(below) == 1 and bottom.startswith("(") and bottom.endswith(")"):
            bottom = bottom[1:-1]
        return rf"\frac{{{{{top}}}}}{{{{{bottom}}}}}"
