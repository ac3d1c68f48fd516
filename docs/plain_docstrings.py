"""Docstrings are plain text for `help()` first: x**2 is a power there, not bold, and J[i][j] is no link."""

from __future__ import annotations

import inspect
import pydoc
import re
from typing import Any

from griffe import Docstring, Extension, Object

_CODE = re.compile(
    r"((?:(?<=\n\n)|\A)(?: {4}.*(?:\n|\Z))+"  # a paragraph that is indented
    r"|``[^`]*``|`[^`\n]*`|^ *(?:>>>|\.\.\.) .*$)",
    re.MULTILINE,
)
_POWER = re.compile(r"(?<=\S)\*+(?=\S)")
_INDEX = re.compile(r"\](?=\[)")
_SESSION = re.compile(r"^( *)>>> .*(?:\n *\S.*)*", re.MULTILINE)


def escaped(docstring: str) -> str:
    """The docstring in Markdown: its stars and brackets mean nothing, what is typed at ``>>>`` is code."""
    pieces = _CODE.split(docstring)
    for k in range(0, len(pieces), 2):
        pieces[k] = _INDEX.sub(r"]\\", _POWER.sub(lambda stars: r"\*" * len(stars[0]), pieces[k]))
    return _SESSION.sub(lambda lines: f"{lines[1]}```pycon\n{lines[0]}\n{lines[1]}```", "".join(pieces))


class PlainDocstrings(Extension):
    """Escapes the docstring of every object that is read; Griffe does not count a package among its objects."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring is None and obj.is_attribute and obj.parent is not None:
            thing = getattr(pydoc.locate(obj.parent.path), obj.name, None)
            if inspect.isfunction(thing) and thing.__doc__:  # a function that was made by another, with its words
                obj.docstring = Docstring(inspect.cleandoc(thing.__doc__), parent=obj)
        if obj.docstring is not None:
            obj.docstring.value = escaped(obj.docstring.value)

    def on_package(self, *, pkg: Object, **_: Any) -> None:
        self.on_object(obj=pkg)
