"""A notebook's messages, and the notebook in another language: markdown by paragraphs, code by comments and strings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from translations import code, markdown
from translations.catalogue import Text

SET_LANGUAGE = """

import os

os.environ["CHAINRULE_LANG"] = "{}\""""
LABELS = """

from viz import chinese_labels

{} = chinese_labels()"""
Cell = dict[str, Any]


def cells(path: Path) -> list[Cell]:
    """The cells of a notebook, the source of each as one string."""
    return [{**cell, "source": "".join(cell["source"])} for cell in json.loads(path.read_text("utf-8"))["cells"]]


def labels(cells: list[Cell]) -> frozenset[str]:
    """What `translations.code.labels` finds in the code of all cells."""
    return code.labels("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def texts(path: Path) -> Iterator[Text]:
    """Every message of a notebook, with its cell."""
    also = labels(cells(path))
    for number, cell in enumerate(cells(path), 1):
        if cell["cell_type"] == "markdown":
            yield from (Text(piece, f"cell-{number}") for message, piece in markdown.parts(cell["source"]) if message)
        else:
            yield from (Text(piece.message, f"cell-{number}:code") for piece in code.pieces(cell["source"], also=also))


def translated(path: Path, translate: Callable[[str], str], language: str) -> bytes:
    """The notebook in other words, without outputs: these are another run's.

    Its first cell sets the language of what pictures and pages say; nothing else is added.

    Raises:
        ValueError: where a translation would change a program.
    """
    made = json.loads(path.read_text("utf-8"))
    plots = any("matplotlib" in "".join(cell["source"]) for cell in made["cells"] if cell["cell_type"] == "code")
    also = labels(made["cells"])
    for number, cell in enumerate(made["cells"], 1):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            source = markdown.translated(source, translate)
        else:
            cell["outputs"], cell["execution_count"] = [], None
            try:
                source = code.translated(source, translate, plots, language, also)
            except ValueError as error:
                raise ValueError(f"{path.name}, cell {number}: {error}") from None
        if number == 1:
            source += SET_LANGUAGE.format(language) + (LABELS.format(language) if plots else "")
        cell["source"] = source.splitlines(keepends=True)
    return (json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()
