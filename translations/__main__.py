"""``python -m translations update|check|make|leave``; see the package's own words."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat

from autograd.messages import MESSAGES
from translations import catalogue, markdown, notebook
from translations.catalogue import Text

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = {"zh": "zh-CN"}  # the folder's name, and the readme's
WHO = (
    "Anyone who reads the language may resolve these: write the translation into the PO file, and remove its line "
    f"“# {catalogue.LEFT}”. CONTRIBUTING.md, “Translations”, says how."
)


class Source(NamedTuple):
    """A text and its catalogue: what stands in it, and how it is made in another language."""

    name: str
    texts: list[Text]
    path: Path  # of the catalogue
    make: Callable[[catalogue.Catalog], None]


def sources(language: str) -> Iterator[Source]:
    """Everything that is translated."""
    folder = ROOT / "translations" / language
    packaged = ROOT / "autograd" / "locale" / language / "LC_MESSAGES" / "chainrule.po"
    said = [Text(words, key) for key, words in MESSAGES.items()]
    yield Source(
        "messages", said, packaged,
        lambda found: _write(packaged.with_suffix(".mo"), catalogue.compiled(found)),
    )  # fmt: skip

    readme = (ROOT / "README.md").read_text("utf-8")
    words = [Text(piece, "README.md") for message, piece in markdown.parts(readme) if message]
    yield Source(
        "README.md", words, folder / "README.po",
        lambda found: _write(
            ROOT / f"README.{LANGUAGES[language]}.md",
            markdown.translated(readme, catalogue.translator(found, language)).encode(),
        ),
    )  # fmt: skip

    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb")):
        english = nbformat.read(path, as_version=4)

        def make(found: catalogue.Catalog, path: Path = path) -> None:
            cells = notebook.translated(nbformat.read(path, as_version=4), catalogue.translator(found, language))
            _write_notebook(ROOT / "notebooks" / language / path.name, cells)

        yield Source(
            f"notebooks/{path.name}", list(notebook.texts(english)), folder / "notebooks" / f"{path.stem}.po", make
        )


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _write_notebook(path: Path, made: nbformat.NotebookNode) -> None:
    """Write it; outputs that are stored stay where the code is the same as it was."""
    if path.exists():
        stored = nbformat.read(path, as_version=4)
        if [cell.source for cell in stored.cells] == [cell.source for cell in made.cells]:
            return
    _write(path, (json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode())


def update(language: str, names: list[str]) -> int:
    for source in _chosen(language, names, new=True):
        found = catalogue.updated(catalogue.read(source.path, language), source.texts, language)
        catalogue.write(source.path, found)
    return 0


def check(language: str, names: list[str]) -> int:
    wrong = 0
    for source in _chosen(language, names):
        found = catalogue.read(source.path, language)
        for problem in catalogue.problems(source.path.relative_to(ROOT), found, source.texts):
            print(problem, file=sys.stderr)
            wrong += 1
        if waiting := catalogue.left(found):
            print(f"{source.path.relative_to(ROOT)}: {len(waiting)} paragraphs stand in English. {WHO}")
    if wrong:
        print(
            f"{wrong} texts are not translated. “python -m translations update” brings the catalogues up to date; who "
            "cannot write the language may leave what is open in English, marked: “python -m translations leave FILE”.",
            file=sys.stderr,
        )
    return int(wrong > 0)


def make(language: str, names: list[str]) -> int:
    for source in _chosen(language, names):
        source.make(catalogue.read(source.path, language))
    return 0


def leave(language: str, names: list[str]) -> int:
    if not names:
        raise SystemExit("leave: name the files whose open paragraphs stay in English, such as README.md")
    for source in _chosen(language, names, new=True):
        found = catalogue.updated(catalogue.read(source.path, language), source.texts, language)
        count = catalogue.leave(found)
        catalogue.write(source.path, found)
        print(f"{source.name}: {count} paragraphs stay in English for now")
    return 0


def _chosen(language: str, names: list[str], new: bool = False) -> list[Source]:
    """The sources whose names hold one of ``names``; with ``new``, those without a catalogue, too."""
    every = list(sources(language))
    for name in names:
        if not any(name in source.name for source in every):
            raise SystemExit(f"no text is called {name!r}; there are: {', '.join(source.name for source in every)}")
    there = [source for source in every if new or source.path.exists()]
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
