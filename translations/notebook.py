"""A notebook's messages, and the notebook in another language: markdown by paragraphs, code by comments and strings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from translations import code, markdown
from translations.catalogue import Text


def texts(notebook: Any) -> Iterator[Text]:
    """Every message of a notebook, with its cell."""
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown":
            for message, piece in markdown.parts(cell.source):
                if message:
                    yield Text(piece, f"cell-{number}")
        else:
            for found in code.pieces(cell.source):
                yield Text(found.message, f"cell-{number}:code")


def translated(notebook: Any, translate: Callable[[str], str]) -> Any:
    """The notebook in other words, without outputs: these are another run's.

    Raises:
        ValueError: where a translation would change a program.
    """
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown":
            cell.source = markdown.translated(cell.source, translate)
            continue
        cell.outputs, cell.execution_count = [], None
        try:
            cell.source = code.translated(cell.source, translate)
        except ValueError as error:
            raise ValueError(f"cell {number}: {error}") from None
    return notebook
