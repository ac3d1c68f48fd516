"""The gallery: the code of each lesson in ``gallery.md`` is run, and what it leaves is put beside it.

A lesson is a heading such as "### A1 · ...", some words, a place for the picture with its description, and one block of
Python. As in a notebook, the last line of the code is what is shown; what it prints stands below. The code asserts the
figures of the lesson, so a gallery that is built is a gallery that is right.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

import themes
import words

OTHERS = ("zh",)  # languages of the site beside English

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


@dataclass(frozen=True)
class Shown:
    """What the code of a lesson leaves: its picture, which may have words in it, by language, and what it prints."""

    pictures: dict[str, dict[str, str]]
    printed: str


def run_all(markdown: str) -> dict[str, Shown]:
    """Each lesson's row in the curriculum, and what its code leaves."""
    import matplotlib

    matplotlib.use("Agg")  # no window
    found = {}
    for lesson in lessons(markdown):
        with matplotlib.rc_context(themes.STYLE):
            shown, printed = run(lesson)
            pictures = {language: themes.of_picture(name_of(lesson), one) for language, one in shown.items()}
        found[lesson.row] = Shown(pictures, printed)
    return found


def page(
    made: dict[str, str | bytes], markdown: str, results: Mapping[str, Shown], language: str, say: Callable[[str], str]
) -> str:
    """The gallery's page in a language; its pictures are added to the files that are made."""
    for lesson in lessons(markdown):
        shown = results[lesson.row]
        made |= shown.pictures.get(language, shown.pictures["en"])
        text = _PICTURE.sub(lambda _, lesson=lesson: f"![{lesson.alt}]({name_of(lesson)})", lesson.text)
        if shown.printed:
            prints = f"{say(words.PRINTS)}\n\n```text\n{shown.printed}```\n"
            text = _CODE.sub(lambda code, prints=prints: f"{code[0]}\n{prints}", text)
        head = f"### {lesson.row} · {lesson.title}"
        markdown = markdown.replace(f"{head}\n{lesson.text}", f"({lesson.row.lower()})=\n{head}\n{text}")
    return markdown


def name_of(lesson: Lesson) -> str:
    return f"gallery/{lesson.row.lower()}.svg"


def run(lesson: Lesson) -> tuple[dict[str, Any], str]:
    """The value of the last line of a lesson's code, by language, and what was printed on the way.

    A drawing of ours is made once more for each language that our words are in; any other picture is the same in all.
    """
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
            made = compile(ast.Expression(last.value), where, "eval")
            shown = {"en": eval(made, names)}
        if hasattr(shown["en"], "svg"):
            shown |= {language: _in_language(language, made, names) for language in OTHERS}
    except Exception as error:
        error.add_note(f"in {where}")
        raise
    return shown, printed.getvalue()


def _in_language(language: str, made: CodeType, names: dict[str, Any]) -> Any:
    before = os.environ.get("CHAINRULE_LANG")
    os.environ["CHAINRULE_LANG"] = language
    try:
        return eval(made, names)
    finally:
        os.environ.pop("CHAINRULE_LANG")
        if before is not None:
            os.environ["CHAINRULE_LANG"] = before
