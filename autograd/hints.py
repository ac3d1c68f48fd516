"""A word that nobody knows is mostly a slip of the fingers: say which known word it comes near to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# Functions that the field knows and that have no name here: they are no slips, so "silu" is not a misspelt "relu".
WRITTEN_OUT = {
    "acosh": "log(x + sqrt(x*x - 1))",
    "asinh": "log(x + hypot(x, 1))",
    "atanh": "(log1p(x) - log1p(-x))/2",
    "cbrt": "x/abs(x) * abs(x)**(1/3)",
    "celu": "relu(x) + min(expm1(x), 0)",
    "cot": "1/tan(x)",
    "csc": "1/sin(x)",
    "elu": "relu(x) + min(expm1(x), 0)",
    "exp2": "2**x",
    "hardsigmoid": "min(max(x/6 + 1/2, 0), 1)",
    "hardswish": "x*min(max(x/6 + 1/2, 0), 1)",
    "hardtanh": "min(max(x, -1), 1)",
    "log10": "log(x)/log(10)",
    "log2": "log(x)/log(2)",
    "logit": "log(x) - log1p(-x)",
    "logsigmoid": "-softplus(-x)",
    "mish": "x*tanh(softplus(x))",
    "relu6": "min(relu(x), 6)",
    "sec": "1/cos(x)",
    "selu": "1.0507009873554805*(relu(x) + 1.6732632423543772*min(expm1(x), 0))",
    "sign": "x/abs(x)",
    "silu": "x*sigmoid(x)",
    "sinc": "sin(pi*x)/(pi*x)",
    "softsign": "x/(1 + abs(x))",
    "square": "x**2",
    "swish": "x*sigmoid(x)",
    "tanhshrink": "x - tanh(x)",
}


def did_you_mean(word: str, known: Iterable[str], elsewhere: Mapping[str, str] | None = None) -> str:
    """The end of an error message, "; did you mean 'sigmoid'?", or "" if no known word is near.

    ``elsewhere`` maps names that other libraries use to ours.
    """
    import difflib  # only when there is an error to explain

    word = word.lower()
    close = [elsewhere[word]] if elsewhere and word in elsewhere else difflib.get_close_matches(word, known, 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def written_out(name: str) -> str:
    """The end of an error message for a function that has no name here, "; silu(x) is x*sigmoid(x)"; else ""."""
    name = name.lower()
    return f"; {name}(x) is {WRITTEN_OUT[name]}" if name in WRITTEN_OUT else ""
