"""What is written first, by habit or by guess, and what to write instead: the errors of this package.

An error is a small lesson: what was expected, what came, what to write. `explained` is for a call with arguments that a
function does not have, `Taught` for a method that an object does not have, and `only_a_value` for what is no Value.
"""

from __future__ import annotations

import functools
import inspect
import os
import re
from collections.abc import Callable
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, TypeVar

from autograd import Value
from autograd.expression import known_functions
from autograd.hints import did_you_mean
from autograd.reals import short

from .checks import RANKDIRS, is_program

P = ParamSpec("P")
R = TypeVar("R")

# --- a call with arguments that the function does not have

_WRITTEN = {  # how what a function returns is written to a file
    "Drawing": ".save('graph.svg')",
    "MapDrawing": ".save('maps.svg')",
    "Player": ".save('steps.html')",
    "Explorer": ".save('live.html')",
    "Playground": ".save('playground.html')",
    "Derivation": ".to_latex()",
    "DescentAnimation": ".save('descent.gif')",
    "Worksheet": ".save('sheet.html')",
    "Booklet": ".save('sheets.html')",
    "Assignment": ".save('week1.ipynb')",
}
_PLOT = ".figure.savefig('plot.png')"
_OF_FILES = set("filename file fname path out outfile output save save_as directory format cleanup dpi".split())
_OF_WINDOWS = {"view", "show", "open", "display", "block"}
_CALLED = {  # our options, and what other libraries call them, or one might
    "rankdir": "direction orientation dir vertical",
    "theme": "dark mode style color_scheme",
    "fmt": "digits precision decimals number_format",
    "show_grad": "grad grads gradients",
    "local": "locals local_derivatives show_local",
    "depth": "level levels",
    "max_nodes": "limit",
    "engine": "layout renderer",
    "leaf": "wrt",
    "kernel": "filter weights",
    "size": "kernel_size pool pool_size",
    "labels": "names titles",
    "interval": "range xlim domain",
    "label": "name title",
    "ax": "axes axis",
    "scale": "dpi",
}


def explained(function: Callable[P, R]) -> Callable[P, R]:
    """The same function; where it has no such arguments, the error says what to write."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(_lesson(function.__name__, signature, args, kwargs, error)) from None
        return function(*args, **kwargs)

    return checked


def _lesson(
    name: str, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any], error: TypeError
) -> str:
    parameters = list(signature.parameters.values())
    by_place = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    options = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY or p.default is not p.empty]
    if by_place[:1] == ["self"]:
        by_place, args = by_place[1:], args[1:]
    call = f"{name}({', '.join(by_place[:1])})"
    written = _WRITTEN.get(signature.return_annotation, _PLOT)
    for word, given in kwargs.items():
        if word not in signature.parameters:
            return f"{name} has no option {word}={short(given)}" + _instead(word, given, options, call, written)
    if len(args) > len(by_place):
        extra = args[len(by_place)]
        told = f"{name} takes {' and '.join(by_place)} by place and no more, but got {short(extra)}, too"
        if _is_file(extra):
            return told + _writing(call, written, extra)
        if options:
            turned = "rankdir" in options and str(extra).upper() in RANKDIRS
            example = f"rankdir={str(extra).upper()!r}" if turned else f"{options[-1]}=..."
            told += f"; options are given by name, such as {call[:-1]}, {example})"
        return told
    return f"{name}({', '.join(by_place)}): {error}"


def _instead(word: str, given: object, options: list[str], call: str, written: str) -> str:
    for option in options:
        if word.lower() in _CALLED.get(option, "").split():
            return f"; did you mean {option!r}?"
    if call != "save(path)":
        if word in _OF_FILES:
            return _writing(call, written, given)
        if word in _OF_WINDOWS:
            return "; in a notebook the last line of a cell is shown by itself" + _writing(call, written, None, "and ")
    return did_you_mean(word, options) or (f"; its options are {', '.join(options)}" if options else "; it has none")


def _writing(call: str, written: str, given: object, link: str = "it makes the picture, and ") -> str:
    """How to get a file: the one that was asked for, if the method that writes takes such a name."""
    if written.endswith("')") and _is_file(given):
        written = re.sub(r"'.*'", lambda _: repr(os.fspath(given)), written)  # type: ignore[call-overload]
    return f"; {link}{call}{written} writes a file" if "(" in written[:-2] else f"; {link}{call}{written} is the text"


def _is_file(x: object) -> bool:
    return isinstance(x, os.PathLike) or (isinstance(x, str) and re.search(r"\w\.[a-z]{2,4}$", x, re.I) is not None)


# --- a method that the object does not have

_SHOW = {"show", "view", "display", "open", "plot"}
_WRITE = {"render", "write", "savefig", "write_html", "write_image", "export", "to_file", "pipe", "dump", "to_svg"}


class Taught:
    """Says what to write in place of the methods that other libraries' pictures have."""

    _to_see: ClassVar[str]  # how it is seen
    _to_write: ClassVar[str]  # how it is written to a file
    _instead: ClassVar[dict[str, str]] = {}  # in place of other names

    if not TYPE_CHECKING:  # or type checkers would take every name for known

        def __getattr__(self, name: str) -> Any:
            kind = type(self).__name__
            missing = f"{kind!r} object has no attribute {name!r}"
            if name.startswith("_"):
                raise AttributeError(missing)
            told = self._to_see if name in _SHOW else self._to_write if name in _WRITE else self._instead.get(name)
            if told:
                raise AttributeError(f"a {kind} has no {name}: {told}")
            raise AttributeError(missing + did_you_mean(name, [word for word in dir(self) if not word.startswith("_")]))


def shown_by(name: str, file: str) -> str:
    """How something is seen that shows itself in a notebook, and is written as a page."""
    return (
        f"in a notebook it shows itself as the last line of a cell, and display({name}) shows it anywhere in one; "
        f"elsewhere .save('{file}') writes a page that any browser opens"
    )


# --- what is no Value


def only_a_value(what: str, root: object) -> None:
    """Raises TypeError for all but a Value; ``what`` is the function's name, and what it does with one."""
    if not isinstance(root, Value):
        came = "None" if root is None else type(root).__name__
        raise TypeError(f"{what}, but got {came}{_instead_of(root, what.split()[0])}")


def _instead_of(x: object, function: str) -> str:
    """What to write in place of ``function(x)``, where x should have been a Value; "" if nothing comes to mind."""
    if isinstance(x, str):
        return _of_text(x, function)
    library = type(x).__module__.partition(".")[0]
    theirs = library in ("torch", "jax", "jaxlib", "tensorflow") or type(x).__name__ == "Value"
    cases = [
        (x is None, "backward() gives nothing back: call f.backward() first, and then {draw}(f)"),
        (isinstance(x, Real), "a plain number has no history: begin with x = Value({x!r}), and compute with x"),
        (isinstance(x, type), "{x.__name__} is a class: make one, compute with it, and hand the result over"),
        (
            is_program(x),
            "a compiled function has arrays: hand over what the function that was compiled returns for Values",
        ),
        (
            callable(x) and hasattr(x, "parameters"),
            "a model has a graph for each input: {draw}(model(x)) takes that of its result",
        ),
        (isinstance(x, Taught), "this is made already, and shows itself in a notebook"),
        (theirs, "this is one of {library}'s: only what is computed from autograd's own Values has a graph here"),
        (callable(x), "a function has a graph for each input: {draw}(f(x)), with x a Value, takes that of its result"),
        (
            isinstance(x, (list, tuple)) or hasattr(x, "shape"),
            "for several results draw one of them, or their sum",
        ),
        (isinstance(x, dict), "hand over one of the Values in it"),
    ]
    words = next((f"; {words}" for fits, words in cases if fits), "")
    return words.format(draw=function, x=x, library=library)


def _of_text(text: str, function: str) -> str:
    if _is_file(text):
        return f"; the Value comes first, and .save writes the file: {function}(f).save({text!r})"
    names = dict.fromkeys(re.findall(r"[^\W\d]\w*", text))
    numbers = "".join(f", {name}=..." for name in names if name not in {"pi", *known_functions()})
    return f"; autograd.parse makes one of a formula: {function}(parse({short(text)}{numbers}))"
