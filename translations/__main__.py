"""``python -m translations update|check|make|leave``; see the package's own words."""

from __future__ import annotations

import argparse
import sys

from translations import catalogue
from translations.sources import LANGUAGES, ROOT, Source, sources

TOLD = 20  # problems of one catalogue
WHO = (
    "Anyone who reads the language may resolve these: write the translation into the PO file, and remove its line "
    f"“# {catalogue.LEFT}”. CONTRIBUTING.md, “Translations”, says how."
)


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
