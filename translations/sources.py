"""Every text that is translated: where its words stand, in which catalogue, and what is made from both."""

from __future__ import annotations

import gettext
import io
import json
import operator
import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog

from autograd.messages import MESSAGES
from translations import catalogue, markdown, notebook, page
from translations.catalogue import Text

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = {"zh": "zh-CN"}  # the folder's name, and the readme's


class Source(NamedTuple):
    """A text, its catalogue, and the file that is made from both; pages of the site are made with the site."""

    name: str
    texts: list[Text]
    po: Path
    file: Path | None
    made: Callable[[Catalog], bytes]
    same: Callable[[bytes, bytes], bool] = operator.eq  # what was made before, and what is made now

    def is_made(self, found: Catalog) -> bool:
        return self.file is None or (self.file.exists() and self.same(self.file.read_bytes(), self.made(found)))


def sources(language: str) -> Iterator[Source]:
    """Everything that is translated."""
    folder = ROOT / "translations" / language
    packaged = ROOT / "autograd" / "locale" / language / "LC_MESSAGES" / "chainrule.po"
    said = [Text(words, key) for key, words in MESSAGES.items()]
    yield Source("messages", said, packaged, packaged.with_suffix(".mo"), catalogue.compiled, _same_words)

    readme = (ROOT / "README.md").read_text("utf-8")
    paragraphs = [Text(piece, "README.md") for message, piece in markdown.parts(readme) if message]

    def made_readme(found: Catalog) -> bytes:
        made = markdown.translated(readme, catalogue.translator(found, language))
        return re.sub(r"\]\(notebooks/(?=\d)", f"](notebooks/{language}/", made).encode()

    file = ROOT / f"README.{LANGUAGES[language]}.md"
    yield Source("README.md", paragraphs, folder / "README.po", file, made_readme)

    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb")):

        def made_notebook(found: Catalog, path: Path = path) -> bytes:
            return notebook.translated(path, catalogue.translator(found, language), language)

        yield Source(
            f"notebooks/{path.name}", list(notebook.texts(path)), folder / "notebooks" / f"{path.stem}.po",
            ROOT / "notebooks" / language / path.name, made_notebook, _same_cells,
        )  # fmt: skip

    yield from pages(language)


def pages(language: str) -> Iterator[Source]:
    """The pages of the site, and the words that programs write into them; a page without a catalogue stays English."""
    folder = ROOT / "translations" / language / "docs"
    words = runpy.run_path(str(ROOT / "docs" / "words.py"))["WORDS"]
    said = [Text(words, "docs/words.py") for words in words]
    yield Source("docs/words.py", said, folder / "words.po", None, catalogue.compiled)
    for path in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]:
        text = path.read_text("utf-8")

        def made_page(found: Catalog, text: str = text) -> bytes:
            return page.translated(text, catalogue.translator(found, language)).encode()

        name = path.relative_to(ROOT).as_posix()
        texts = [Text(piece, name) for message, piece in page.parts(text) if message]
        yield Source(name, texts, folder / f"{path.stem}.po", None, made_page)


def _same_words(before: bytes, now: bytes) -> bool:
    tables = [gettext.GNUTranslations(io.BytesIO(content)) for content in (before, now)]
    return all(tables[0].gettext(words) == tables[1].gettext(words) for words in MESSAGES.values())


def _same_cells(before: bytes, now: bytes) -> bool:
    """Outputs are those of a run, and are compared where the notebooks are run."""
    sources = [["".join(cell["source"]) for cell in json.loads(content)["cells"]] for content in (before, now)]
    return sources[0] == sources[1]


def in_language(language: str) -> tuple[dict[str, str], Callable[[str], str]]:
    """The pages of the site that have a catalogue, by their files' names, and what programs say on those they write."""
    found = {source.name: source for source in pages(language) if source.po.exists()}
    programs = catalogue.read(found.pop("docs/words.py").po, language)
    made = {name: source.made(catalogue.read(source.po, language)).decode() for name, source in found.items()}
    return made, catalogue.translator(programs, language)
