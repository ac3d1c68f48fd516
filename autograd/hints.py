"""A word that nobody knows is mostly a slip of the fingers, or another library's: say which known word is meant."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

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
    word = word.lower()
    close = [elsewhere[word]] if elsewhere and word in elsewhere else near(word, known)
    return f"; did you mean {close[0]!r}?" if close else ""


def near(word: str, known: Iterable[str]) -> list[str]:
    """The known word that comes nearest to this one, whatever its capitals, or none."""
    import difflib  # only when there is an error to explain

    if word.lower() in WRITTEN_OUT:
        return []
    words = {name.lower(): name for name in known}
    swapped = [name for name in words if sorted(name) == sorted(word.lower())]  # tahn is nearer to tanh than to tan
    return [words[name] for name in swapped[:1] or difflib.get_close_matches(word.lower(), words, 1)]


def written_out(name: str) -> str:
    """The end of an error message for a function that has no name here, "; silu(x) is x*sigmoid(x)"; else ""."""
    name = name.lower()
    return f"; {name}(x) is {WRITTEN_OUT[name]}" if name in WRITTEN_OUT else ""


# --- attributes


class Elsewhere:
    """An attribute that another library has; to ask for it is an AttributeError that says what stands for it here.

    (A ``__getattr__`` would do for all names at once. But where a class has one, CPython 3.11 looks up every attribute
    by the slow way: measured, forward and backward of a graph take 1.7 times as long. From 3.12 on it makes no odds.)
    """

    def __init__(self, name: str, advice: str) -> None:
        self.name, self.advice = name, advice
        self.__doc__ = f"Elsewhere; {advice}."  # for `help`

    def __get__(self, thing: object, kind: type) -> NoReturn:
        raise AttributeError(f"{kind.__name__} has no .{self.name}; {self.advice}", name=self.name, obj=thing)


class ReadOnly(Elsewhere):
    """The same, and it cannot be set either."""

    def __set__(self, thing: object, value: object) -> NoReturn:
        self.__get__(thing, type(thing))


def add_elsewhere(kind: type, words: Mapping[str, str], attribute: type[Elsewhere] = Elsewhere) -> None:
    """Give a class these attributes; in ``dir`` and in completions they do not show, and type checkers know nothing."""
    for name, advice in words.items():
        setattr(kind, name, attribute(name, advice))

    def names(thing: object) -> list[str]:
        return [name for name in object.__dir__(thing) if name not in words or hasattr(thing, name)]

    kind.__dir__ = names  # type: ignore[method-assign, assignment]


# --- arguments


def explains(**elsewhere: str) -> Callable[[F], F]:
    """Decorate a function, so that a named argument that it does not have is explained.

    ``elsewhere`` maps names that other libraries use to the advice; for any other the nearest argument is named.
    """

    def decorate(f: F) -> F:
        @functools.wraps(f)
        def asked(*args: Any, **named: Any) -> Any:
            try:
                return f(*args, **named)
            except TypeError:
                message = _unknown_argument(f, args, named, elsewhere)
                if not message:
                    raise
            raise TypeError(message)

        return asked  # type: ignore[return-value]

    return decorate


def _unknown_argument(
    f: Callable[..., Any], args: tuple[Any, ...], named: Mapping[str, Any], elsewhere: Mapping[str, str]
) -> str:
    """What is wrong with the names of these arguments; "" if it is not the names."""
    import inspect

    parameters = inspect.signature(f).parameters
    unknown = [word for word in named if word not in parameters]
    if not unknown or any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return ""
    word, known = unknown[0], [name for name in parameters if name != "self"]
    who = type(args[0]).__name__ if f.__name__ == "__init__" and args else f"{f.__name__}()"
    if word in elsewhere:
        return f"{who} has no argument {word!r}; {elsewhere[word]}"
    hint = did_you_mean(word, known) or f"; its arguments are {', '.join(known)}"
    return f"{who} has no argument {word!r}{hint}"


# --- names in a module


def no_such_name(module: str, name: str, known: Iterable[str], elsewhere: Mapping[str, str]) -> Exception:
    """What a module's ``__getattr__`` is to raise: an AttributeError, as ``hasattr`` expects.

    Where the caller's line is ``from module import name``, Python would put its own words in place of that error's;
    then it is an ImportError, whose words stay.
    """
    close = near(name, known)
    hint = elsewhere.get(name) or (f"did you mean {close[0]!r}?" if close else written_out(name).removeprefix("; "))
    message = f"{module} has no {name!r}" + (f"; {hint}" if hint else "")
    # a part of the package that is still being imported: Python finds it in sys.modules, if it gets its AttributeError
    if (name in elsewhere or f"{module}.{name}" not in sys.modules) and _importing_from():
        return ImportError(message, name=module)
    return AttributeError(message, name=name)


def _importing_from() -> bool:
    """Whether the line that asks a module for a name, three frames up from here, is ``from module import name``."""
    import dis

    frame = sys._getframe(3)
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM"
