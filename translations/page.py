"""A page of the site's messages, and the page in another language.

Paragraphs are cut as `translations.markdown` cuts them. A page has more: each row of a table is a message, since tables
of pages are long and grow by rows; so are the comments of its code, the titles in a list of pages, what a picture shows
that is made with the site, and whatever stands inside a container.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from translations import code, markdown

_PICTURE = re.compile(r"(<!-- picture: )(.*?)( -->\s*)\Z", re.DOTALL)
_FENCE = re.compile(
    r"(?P<open>(?P<mark>```+|:::+)(?P<kind>[^\n]*)\n)(?P<body>.*?)(?P<close>^(?P=mark)\s*)\Z", re.DOTALL | re.MULTILINE
)
_ENTRY = re.compile(r"^([^\n<:]+?)(?= <[^>\n]+>$)", re.MULTILINE)
_SHELL = re.compile(r"(?<=# )\S.*$", re.MULTILINE)
_ROW = re.compile(r"^\|.*\n?", re.MULTILINE)


def parts(text: str) -> Iterator[tuple[bool, str]]:
    """The page cut into pieces, as (is a message, piece); the pieces joined are the page again."""
    for message, piece in markdown.parts(text):
        if message and piece.startswith("|"):
            yield from _rows(piece)
        elif message:
            yield True, piece
        elif picture := _PICTURE.match(piece):
            yield from _cut(piece, [picture.span(2)])
        elif fence := _FENCE.match(piece):
            yield False, fence["open"]
            yield from _inside(fence["kind"], fence["body"])
            yield False, fence["close"]
        else:
            yield False, piece


def translated(text: str, translate: Callable[[str], str]) -> str:
    """The page with every message in the words that ``translate`` gives for it.

    Code stays what it is: of a comment of several lines each line is a message of its own here.
    """
    return "".join(translate(piece) if message else piece for message, piece in parts(text))


def _inside(kind: str, body: str) -> Iterator[tuple[bool, str]]:
    """What stands between fences: code, a list of pages, or more text."""
    if kind == "{toctree}":
        yield from _cut(body, [found.span(1) for found in _ENTRY.finditer(body)])
    elif kind.startswith("{container}"):
        yield from parts(body)
    elif kind == "python":
        yield from _cut(body, list(code.comments(body)))
    elif kind in ("sh", "bash", "powershell"):
        yield from _cut(body, [found.span() for found in _SHELL.finditer(body)])
    else:
        yield False, body


def _rows(table: str) -> Iterator[tuple[bool, str]]:
    for row in _ROW.findall(table):
        line = row.rstrip("\n")
        yield from markdown.parts(line)
        yield False, row[len(line) :]


def _cut(text: str, messages: list[tuple[int, int]]) -> Iterator[tuple[bool, str]]:
    """A text cut at the places where its messages stand."""
    end = 0
    for start, stop in messages:
        yield False, text[end:start]
        yield True, text[start:stop]
        end = stop
    yield False, text[end:]
