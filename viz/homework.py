"""`assignment`: exercises as a notebook for nbgrader (Jupyter et al., 2019), which collects and grades them.

The notebook holds the questions, the cells to be filled in, and the cells that grade; the answers are not in it: they
are computed when it is graded.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograd.files import save_as

from .mistakes import explained
from .sheets import Worksheet

SCHEMA = 3  # of nbgrader's metadata
_IMPORTS = "from autograd.exercises import by_hand, check_backward, check_class, check_derivative, check_number"


@dataclass(frozen=True, slots=True)
class Code:
    """A task in code.

    Attributes:
        question: what is to be written, as Markdown.
        check: the expression that checks it, such as ``check_class(Value)``: it gives a `Feedback`.
        start: the code that the student begins with.
        points: what it is worth; part of them for what counts before the first mistake.
    """

    question: str
    check: str
    start: str = "..."
    points: int = 1


@explained
def assignment(tasks: Sequence[Worksheet | Code] | Worksheet | Code, *, title: str = "Exercises") -> Assignment:
    """Exercises as a notebook for nbgrader, with its metadata, and with no answer in the file.

    A worksheet is worth a point for each blank, and those that count give part of them.

    >>> from viz import Code, assignment, worksheet
    >>> tasks = [worksheet("q = x + y; f = q * z", seed=3), Code("Write `Value`.", "check_class(Value)", points=10)]
    >>> assignment(tasks, title="Week 1").points
    14

    Args:
        tasks: worksheets, or tasks in code.
        title: the notebook's heading.

    Raises:
        TypeError: for a task that is neither.
        ValueError: without a task; for a worksheet whose graph cannot be written as a formula.
    """
    several = [tasks] if isinstance(tasks, (Worksheet, Code)) else list(tasks)
    if not several:
        raise ValueError("an assignment needs at least one task, such as worksheet('q = x + y; f = q * z', seed=3)")
    for task in several:
        if not isinstance(task, (Worksheet, Code)):
            raise TypeError(f"a task is a worksheet(…) or a Code(…), but got {type(task).__name__}")
    return Assignment(several, title)


class Assignment:
    """A notebook for nbgrader; see `assignment`. `save` writes it to a file.

    Attributes:
        notebook: the notebook, as nbformat 4.5 has it.
        points: what all of it is worth.
    """

    def __init__(self, tasks: Sequence[Worksheet | Code], title: str) -> None:
        cells = [_text("title", f"# {title}"), _code("set-up", _IMPORTS)]
        self.points = 0
        for k, task in enumerate(tasks, 1):
            made, points = _by_hand(k, task) if isinstance(task, Worksheet) else _in_code(k, task)
            cells += made
            self.points += points
        self.notebook: dict[str, Any] = {
            "cells": cells,
            "metadata": {
                "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                "language_info": {"name": "python"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the notebook, whole or not at all: in the folder ``source/week1`` of a course nbgrader finds it.

        Raises:
            ValueError: for another ending than .ipynb.
            OSError: if the file cannot be written.
        """
        text = json.dumps(self.notebook, ensure_ascii=False, indent=1) + "\n"
        return save_as(path, {".ipynb": text.encode}, "an assignment is a notebook: its ending must be .ipynb")

    def __repr__(self) -> str:
        return f"<Assignment of {self.points} points; .save('week1.ipynb') writes it for nbgrader>"


def _by_hand(k: int, sheet: Worksheet) -> tuple[list[dict[str, Any]], int]:
    """A worksheet: its picture, the cell for the answers, and the one that grades them."""
    exercise = sheet.exercise
    asked = [*(f"{name} =" for name in exercise.values), *(f"∂{name}" for name in exercise.gradients)]
    picture = _text(f"task-{k}", f"## Task {k}\n\n{_escaped(str(exercise))}\n\n![The graph](attachment:graph.svg)")
    picture["attachments"] = {"graph.svg": {"image/svg+xml": base64.b64encode(sheet.drawing.encode()).decode()}}
    given = f"task_{k} = by_hand(\n    {sheet.formula!r},\n    {asked!r},\n    **{sheet.numbers!r},\n)"
    blanks, arguments = "", []
    for kind, names in (("values", exercise.values), ("gradients", exercise.gradients)):
        if names:
            blanks += f"{kind}_{k} = {{{', '.join(f'{name!r}: ...' for name in names)}}}\n"
            arguments.append(f"{kind}={kind}_{k}")
    call = f"task_{k}.check({', '.join(arguments)})"
    points = len(asked)
    cells = [
        picture,
        _code(f"given-{k}", given),
        _open(f"answer-{k}", f"# Write a number in place of each ... and run the cell.\n{blanks}{call}"),
        _grader(k, call, points),
    ]
    return cells, points


def _in_code(k: int, task: Code) -> tuple[list[dict[str, Any]], int]:
    cells = [
        _text(f"task-{k}", f"## Task {k}\n\n{task.question}"),
        _open(f"answer-{k}", task.start),
        _grader(k, task.check, task.points),
    ]
    return cells, task.points


def _grader(k: int, call: str, points: int) -> dict[str, Any]:
    """The cell that grades: it ends with the points, which nbgrader reads."""
    text = f"result_{k} = {call}\nprint(result_{k})\n{points} * result_{k}.counted / result_{k}.asked"
    return _code(f"check-{k}", text, points=points)


def _text(name: str, source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}


def _open(name: str, source: str) -> dict[str, Any]:
    """The cell that the student fills in. nbgrader has no mark for it: a cell that is marked as a solution it empties
    before it hands the notebook out, and its blanks would be gone."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {"tags": ["answer"]},
        "outputs": [],
        "source": source,
    }


def _code(name: str, source: str, *, points: int | None = None) -> dict[str, Any]:
    """A locked cell, with nbgrader's metadata: https://nbgrader.readthedocs.io, "Format of nbgrader metadata"."""
    marks: dict[str, Any] = {
        "grade": points is not None,
        "grade_id": name,
        "locked": True,
        "schema_version": SCHEMA,
        "solution": False,
        "task": False,
    }
    if points is not None:
        marks["points"] = points
    tags = ["check" if points is not None else "given"]
    return _open(name, source) | {"metadata": {"nbgrader": marks, "tags": tags}}


def _escaped(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return "".join(f"\\{c}" if c in "\\*_`[]<>#" else c for c in text)


__all__ = ["Assignment", "Code", "assignment"]
