"""PO files: what stands in them, what they lack, and how they follow the English texts. Babel reads and writes them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from translations import markdown

LEFT = "left in English"
MARK = {"zh": "（英文原文，待译）"}
_SLOT = re.compile(r"(?<![\\A-Za-z0-9^_{$])\{\w+\}")  # not the braces of a formula
_DATE = datetime(2000, 1, 1, tzinfo=UTC)  # dates of their own would make every update a conflict


class Text(NamedTuple):
    """An English text that is read: its words, and where it stands (``cell-3``)."""

    words: str
    place: str


class Open(NamedTuple):
    """A message that a language lacks."""

    catalogue: Path
    place: str
    words: str
    why: str

    def __str__(self) -> str:
        first = self.words.strip().splitlines()[0]
        return f"{self.catalogue}: {self.place}: {self.why}: “{first[:90]}{'…' if len(first) > 90 else ''}”"


def read(path: Path, language: str) -> Catalog:
    """The catalogue in a file; an empty one where there is no file."""
    if path.exists():
        with path.open("rb") as file:
            return read_po(file, locale=language)
    return _new(language)


def write(path: Path, catalogue: Catalog) -> None:
    out = io.BytesIO()
    write_po(out, catalogue, width=0, ignore_obsolete=True, include_lineno=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(out.getvalue())


def updated(catalogue: Catalog, texts: Iterable[Text], language: str) -> Catalog:
    """The catalogue with the messages of these texts and no others.

    What has a translation keeps it; a text like one that was there gets that one's translation, marked as fuzzy, for a
    person to look at.
    """
    template = _new(language)
    for text in texts:
        template.add(text.words, locations=[(text.place, 0)])
    catalogue.update(template, update_creation_date=False)
    catalogue.obsolete.clear()
    for message in _messages(catalogue):
        if message.fuzzy and LEFT in message.user_comments:
            message.user_comments.remove(LEFT)
    return catalogue


def problems(path: Path, catalogue: Catalog, texts: Iterable[Text]) -> Iterator[Open]:
    """What this language lacks or has wrong, message by message."""
    known = {str(message.id): message for message in _messages(catalogue)}
    wanted = {text.words: text for text in texts}
    for words, text in wanted.items():
        message = known.get(words)
        if message is None:
            why = "new or changed in English, and not in the catalogue"
        elif message.fuzzy:
            why = "changed in English: its translation is marked fuzzy"
        elif not message.string and LEFT not in message.user_comments:
            why = "not translated"
        elif message.string and (lost := _kept(words) ^ _kept(str(message.string))):
            why = f"the translation does not keep {' and '.join(sorted(lost)[:3])}"
        else:
            continue
        yield Open(path, text.place, words, why)
    for words in known.keys() - wanted.keys():
        yield Open(path, "nowhere", words, "no text says this any more")


def _kept(words: str) -> set[str]:
    """What both languages have: slots such as ``{x}``, code, formulas, targets of links."""
    return markdown.kept(words) | set(_SLOT.findall(words))


def left(catalogue: Catalog) -> list[Message]:
    """The messages that stand in English for the time being."""
    return [message for message in _messages(catalogue) if LEFT in message.user_comments and not message.string]


def leave(catalogue: Catalog) -> int:
    """Leave what is open in English, with a mark; returns how many messages."""
    count = 0
    for message in _messages(catalogue):
        if (message.fuzzy or not message.string) and LEFT not in message.user_comments:
            message.flags.discard("fuzzy")
            message.string = ""
            message.user_comments.append(LEFT)
            count += 1
    return count


def translator(catalogue: Catalog, language: str) -> Callable[[str], str]:
    """From English words to those of the catalogue; what it lacks stays English, and says so."""
    table = {message.id: message for message in _messages(catalogue)}

    def translate(words: str) -> str:
        message = table.get(words)
        if message is not None and message.string and not message.fuzzy:
            return str(message.string)
        return words + MARK[language]

    return translate


def compiled(catalogue: Catalog) -> bytes:
    """The catalogue as the standard library's gettext reads it."""
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def _messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def _new(language: str) -> Catalog:
    authors = "the authors of chainrule"
    return Catalog(
        locale=language, project="chainrule", version="0", charset="utf-8", fuzzy=False,
        header_comment="# The words of chainrule in another language.",
        creation_date=_DATE, revision_date=_DATE, last_translator=authors, language_team=authors,
        msgid_bugs_address=authors,
    )  # fmt: skip
