"""Docstrings are plain text for `help()` first: x**2 is a power there, not bold, and J[i][j] is no link."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

_MARKUP = re.compile(r"(?<=\S)(\*+)(?=\S)|(?<=\S)(\[)")


def escaped(docstring: str) -> str:
    """The docstring with stars and brackets that Markdown leaves alone; code stays as it is."""
    pieces = re.split(r"(``[^`]*``|`[^`\n]*`|^ *(?:>>>|\.\.\.) .*$)", docstring, flags=re.MULTILINE)
    return "".join(
        piece if k % 2 else _MARKUP.sub(lambda m: "".join("\\" + c for c in m[0]), piece)
        for k, piece in enumerate(pieces)
    )


class PlainDocstrings(Extension):
    """Escapes the docstring of every object that is read."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = escaped(obj.docstring.value)
