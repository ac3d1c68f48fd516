"""The scripts of the live pages, put together from the modules in ``web``: one after the other, in one function.

A page is a single file and needs no server; so what the modules import and export is dropped, and their names are
those of one scope: no two modules may share one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from autograd.javascript import rule

from ..picture import web_file

_IMPORT = re.compile(r"(?:^|(?<=[;}\n]))import\b[^;]*;")
_EXPORT = re.compile(r"(?:^|(?<=[;}\n]))export (?=const|class)")
_TEXT = r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`"""
# a regular expression follows one of these signs
_SEARCHED = r"(?:(?<=[(,=>:!?&|])|(?<=[(,=>:!?&|] )(?=/[^ ]))/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n])+/"
_SPACED = re.compile(rf"({_TEXT}|{_SEARCHED})| ?([*<>?:|&%=()]+|[-+]=?(?! ?[-+])|(?<= )/(?= )) ?", re.DOTALL)


@cache
def module(name: str) -> str:
    """A module of ``web``, without its imports and the word export, nor spaces around signs."""
    return _SPACED.sub(r"\1\2", _EXPORT.sub("", _IMPORT.sub("", web_file(f"live/web/{name}.js"))))


def joined(*names: str) -> str:
    """Several modules, each behind those that it needs."""
    return "".join(map(module, names))


def sheet(used: Iterable[tuple[str, int]]) -> str:
    """The lines of the derivative sheet for some operations and their numbers of inputs, as a JavaScript object.

    The error function, which few graphs need, comes with it if one of them does.

    Raises:
        ValueError: for an operation that cannot be written as JavaScript.
    """
    lines = []
    for op, count in sorted(set(used)):
        forward, partials = rule(op, count)
        lines.append(f'"{key(op, count)}":[{forward},{partials}]')
    text = re.sub(r" ?([=<>?:*/,;{}]+) (?!-)", r"\1", f"const SHEET = {{{','.join(lines)}}};")
    return (module("erf") if "erf" in text else "") + f"{text}\n"


def key(op: str, count: int) -> str:
    """What a line is called on the page: operations on three inputs and on four have each a line of their own."""
    return f"{op}/{count}"
