"""Docstrings are plain text for `help()` first: x**2 is a power there, not bold, and an indented line is code."""

from __future__ import annotations

import re
from typing import Any

_CODE = re.compile(r"``[^`]+``|`[^`\n]+`")
_SECTION = re.compile(r"^\s*(Args|Returns|Raises|Attributes|Yields|Example|Examples|Note|Source|Warns):\s*$")
_BULLET = re.compile(r"^\s*\* ")
_MARK = re.compile(r"[\\*|]|(?<=\w)_(?=\W|$)")


def as_restructured_text(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Rewrite the lines of a docstring in place, as Sphinx asks for it."""
    own = getattr(thing, "__doc__", None) != type(thing).__doc__  # a table says of itself what any dict says
    lines[:] = converted(lines) if own or what != "data" else []


def converted(lines: list[str]) -> list[str]:
    """Lines in which stars and bars mean nothing, `names` are code, and an indented paragraph is code as well."""
    result: list[str] = []
    inside = 0  # how far the lines of the section that we are in are indented
    code: int | None = None  # and those of the code that we are in
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            result.append(line)
            continue
        if code is not None and indent >= code:
            result.append(line)
            continue
        code = None
        if _SECTION.match(line):
            inside = indent + 4
        elif indent == 0:
            inside = 0
        previous = result[-1] if result else ""
        if line.lstrip().startswith(">>>"):
            code = indent
        elif indent > inside and not previous.strip() and result and inside == 0:
            result += ["::", ""]
            code = indent
        result.append(line if code is not None else escaped(line))
    return result


def escaped(line: str) -> str:
    """A line of words."""
    bullet = _BULLET.match(line)
    end = bullet.end() if bullet else 0
    pieces = [line[:end]]
    for found in _CODE.finditer(line):
        pieces += [_plain(line[end : found.start()]), f"``{found[0].strip('`')}``"]
        end = found.end()
    return "".join([*pieces, _plain(line[end:])])


def _plain(words: str) -> str:
    return _MARK.sub(lambda m: "\\" + m[0], words)


__all__ = ["as_restructured_text", "converted", "escaped"]
