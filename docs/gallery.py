"""The gallery: the code of each lesson in ``gallery.md`` is run, and what it leaves is put beside it.

A lesson is a heading such as "### A1 · ...", some words, a place for the picture with its description, and one block of
Python. As in a notebook, the last line of the code is what is shown; what it prints stands below. The code asserts the
figures of the lesson, so a gallery that is built is a gallery that is right.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import themes

_LESSON = re.compile(r"^### ([A-E]\d+) · (.+?)$\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"<!-- picture: (.*?) -->", re.DOTALL)
_CODE = re.compile(r"^```python\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Lesson:
    """One section of the gallery: its row in the curriculum, title, description of the picture, and code."""

    row: str
    title: str
    text: str

    @property
    def alt(self) -> str:
        return " ".join(self._only(_PICTURE, "place for a picture: <!-- picture: what it shows -->").split())

    @property
    def code(self) -> str:
        return self._only(_CODE, "block of Python")

    def _only(self, pattern: re.Pattern[str], what: str) -> str:
        found = pattern.findall(self.text)
        if len(found) != 1:
            raise ValueError(f"lesson {self.row} of the gallery must have one {what}, but has {len(found)}")
        return str(found[0])


def lessons(markdown: str) -> Iterator[Lesson]:
    """The lessons of the gallery, in order."""
    for found in _LESSON.finditer(markdown):
        yield Lesson(found[1], found[2], found[3])


def page(made: dict[str, str | bytes], markdown: str) -> str:
    """The gallery's page; its pictures are added to the files that are made."""
    import matplotlib

    matplotlib.use("Agg")  # no window
    for lesson in lessons(markdown):
        name = f"gallery/{lesson.row.lower()}.svg"
        with matplotlib.rc_context(themes.STYLE):
            shown, printed = run(lesson)
            made |= themes.of_picture(name, shown)
        text = _PICTURE.sub(lambda _, alt=lesson.alt, name=name: f"![{alt}]({name})", lesson.text)
        if printed:
            text = _CODE.sub(lambda code, out=printed: f"{code[0]}\nIt prints\n\n```text\n{out}```\n", text)
        head = f"### {lesson.row} · {lesson.title}"
        markdown = markdown.replace(f"{head}\n{lesson.text}", f"({lesson.row.lower()})=\n{head}\n{text}")
    return markdown


def run(lesson: Lesson) -> tuple[Any, str]:
    """The value of the last line of a lesson's code, and what was printed on the way."""
    tree = ast.parse(lesson.code)
    last = tree.body.pop()
    if not isinstance(last, ast.Expr):
        raise ValueError(f"the code of lesson {lesson.row} must end in the picture that it makes")
    names: dict[str, Any] = {"__name__": lesson.row}
    printed = io.StringIO()
    where = f"gallery.md, lesson {lesson.row}"
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(tree, where, "exec"), names)
            shown = eval(compile(ast.Expression(last.value), where, "eval"), names)
    except Exception as error:
        error.add_note(f"in {where}")
        raise
    return shown, printed.getvalue()
