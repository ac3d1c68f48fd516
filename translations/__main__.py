"""``python -m translations update|check|make|leave``; see the package's own words."""

from __future__ import annotations

import argparse
import gettext
import io
import json
import operator
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog

from autograd.messages import MESSAGES
from translations import catalogue, markdown, notebook, page
from translations.catalogue import Text

ROOT = Path(__file__).resolve().parent.parent
TOLD = 20  # problems of one catalogue
LANGUAGES = {"zh": "zh-CN"}  # the folder's name, and the readme's
WHO = (
    "Anyone who reads the language may resolve these: write the translation into the PO file, and remove its line "
    f"“# {catalogue.LEFT}”. CONTRIBUTING.md, “Translations”, says how."
)


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

    yield from _pages(language)


def _pages(language: str) -> Iterator[Source]:
    """The pages of the site, but for the reference and those that a program writes whole."""
    folder = ROOT / "translations" / language / "docs"
    files = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
    for path in files:
        if path.name == "reference.md":
            continue
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


def update(language: str, names: list[str]) -> int:
    for source in _chosen(language, names, new=bool(names)):
        found = catalogue.updated(catalogue.read(source.po, language), source.texts, language)
        catalogue.write(source.po, found)
    return 0


def check(language: str, names: list[str]) -> int:
    wrong = 0
    for source in _chosen(language, names):
        found = catalogue.read(source.po, language)
        problems = list(catalogue.problems(source.po.relative_to(ROOT), found, source.texts))
        wrong += len(problems)
        for problem in problems[:TOLD]:
            print(problem, file=sys.stderr)
        if len(problems) > TOLD:
            print(f"{source.po.relative_to(ROOT)}: and {len(problems) - TOLD} more", file=sys.stderr)
        if waiting := catalogue.left(found):
            print(f"{source.po.relative_to(ROOT)}: {len(waiting)} paragraphs stand in English. {WHO}")
        if not problems and source.file and not source.is_made(found):
            print(f"{source.file.relative_to(ROOT)} is not what its catalogue says: make it anew", file=sys.stderr)
            wrong += 1
    if wrong:
        print(
            f"{wrong} texts need a translator. “python -m translations update” brings the catalogues up to date; who "
            "cannot write the language may leave what is open in English, marked: “python -m translations leave FILE”.",
            file=sys.stderr,
        )
    return int(wrong > 0)


def make(language: str, names: list[str]) -> int:
    for source in _chosen(language, names):
        found = catalogue.read(source.po, language)
        if source.file and not source.is_made(found):  # a notebook that says the same keeps its outputs
            source.file.parent.mkdir(parents=True, exist_ok=True)
            source.file.write_bytes(source.made(found))
    return 0


def leave(language: str, names: list[str]) -> int:
    if not names:
        raise SystemExit("leave: name the files whose open paragraphs stay in English, such as README.md")
    for source in _chosen(language, names, new=True):
        found = catalogue.updated(catalogue.read(source.po, language), source.texts, language)
        count = catalogue.leave(found)
        catalogue.write(source.po, found)
        print(f"{source.name}: {count} paragraphs stay in English for now")
    return 0


def _chosen(language: str, names: list[str], new: bool = False) -> list[Source]:
    """The sources whose names hold one of ``names``; with ``new``, those without a catalogue, too."""
    every = list(sources(language))
    for name in names:
        if not any(name in source.name for source in every):
            raise SystemExit(f"no text is called {name!r}; there are: {', '.join(source.name for source in every)}")
    there = [source for source in every if new or source.po.exists()]
    return [source for source in there if not names or any(name in source.name for name in names)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m translations", description=__doc__)
    parser.add_argument("what", choices=["update", "check", "make", "leave"])
    parser.add_argument("file", nargs="*", help="parts of names, such as README or 06; all when left out")
    parser.add_argument("--language", choices=sorted(LANGUAGES), default="zh")
    options = parser.parse_args(arguments)
    work = {"update": update, "check": check, "make": make, "leave": leave}[options.what]
    return work(options.language, options.file)


if __name__ == "__main__":
    sys.exit(main())
