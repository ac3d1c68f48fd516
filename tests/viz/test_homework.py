"""Exercises for nbgrader: its metadata, no answer in the file, and its own commands."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autograd import format_number
from viz import Assignment, Code, assignment, worksheet

ROOT = Path(__file__).parents[2]
SHEETS = [worksheet("q = x + y; f = q * z", seed=3), worksheet("f = sigmoid(w_1*x + b) / 2", "both", seed=1)]
SLOPE = Code("Write `slope(x)`.", 'check_derivative("tanh", slope)', "def slope(x):\n    return ...", points=3)


def made() -> Assignment:
    return assignment([*SHEETS, SLOPE], title="Week 1")


def cells(there: Assignment, tag: str) -> list[dict[str, Any]]:
    return [cell for cell in there.notebook["cells"] if tag in cell["metadata"].get("tags", ())]


def test_the_cells_are_marked_as_nbgrader_marks_them() -> None:
    there = made()
    grading, solutions = cells(there, "check"), cells(there, "answer")
    assert [cell["metadata"]["nbgrader"]["points"] for cell in grading] == [4, 10, 3]
    assert there.points == 17
    for cell in grading:
        marks = cell["metadata"]["nbgrader"]
        assert (marks["grade"], marks["solution"], marks["locked"], marks["schema_version"]) == (True, False, True, 3)
    assert len(solutions) == 3 and not any("nbgrader" in cell["metadata"] for cell in solutions)
    marked = [cell["metadata"]["nbgrader"] for cell in there.notebook["cells"] if "nbgrader" in cell["metadata"]]
    assert len({marks["grade_id"] for marks in marked}) == len(marked) == 6
    json.dumps(there.notebook)


def test_no_answer_is_in_the_file(tmp_path: Path) -> None:
    text = made().save(tmp_path / "hw.ipynb").read_text(encoding="utf-8")
    data = json.loads(text)
    assert not any(cell.get("outputs") for cell in data["cells"])
    pictures = [c["attachments"]["graph.svg"]["image/svg+xml"] for c in data["cells"] if "attachments" in c]
    texts = [base64.b64decode(picture).decode() for picture in pictures]
    shown = [set(re.findall(r">(−?[\d.]+)</text>", picture)) for picture in texts]
    given = [{format_number(x) for x in sheet.numbers.values()} | {"1"} for sheet in SHEETS]
    assert shown == [given[0] | {"−3.5", "1.75"}, given[1] | set("123")]  # and indices
    key = SHEETS[1].exercise.key()
    rounded = [x for x in key.values() if len(repr(x)) > 6]
    assert len(rounded) >= 6
    for right in rounded:
        assert repr(right) not in texts[1] + text and format_number(right) not in texts[1] + text


def test_what_the_cells_say_runs_and_the_blanks_are_open() -> None:
    names: dict[str, Any] = {}
    for cell in made().notebook["cells"]:
        if cell["cell_type"] == "code":
            exec(cell["source"].replace("return ...", "return 1 - x"), names)
    assert [names[f"result_{k}"].counted for k in (1, 2, 3)] == [0, 0, 0]
    assert "Still open" in str(names["result_1"])
    key = SHEETS[1].exercise.key()
    values = {name: key[name] for name in SHEETS[1].exercise.values}
    gradients = {name: key[f"∂f/∂{name}"] for name in SHEETS[1].exercise.gradients}
    assert names["task_2"].check(values=values, gradients=gradients).passed  # the formula is the sheet's graph


def test_what_is_no_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="a task is a worksheet"):
        assignment(["f = x"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="at least one task"):
        assignment([])
    with pytest.raises(ValueError, match="its ending must be .ipynb"):
        made().save(tmp_path / "hw.html")
    assert not list(tmp_path.iterdir())


def filled(notebook: dict[str, Any]) -> None:
    """As a student would: the first task with one slip, the second not at all, the third right."""
    key = SHEETS[0].exercise.key()
    numbers = {name: round(key[f"∂f/∂{name}"], 3) for name in SHEETS[0].exercise.gradients}
    numbers["z"] *= -1
    for cell in notebook["cells"]:
        if cell["id"] == "answer-1":
            for name, number in numbers.items():
                blanks = "".join(cell["source"])
                assert f"'{name}': ..." in blanks
                cell["source"] = blanks.replace(f"'{name}': ...", f"'{name}': {number}")
        if cell["id"] == "answer-3":
            slope = "".join(cell["source"])
            assert slope == SLOPE.start
            cell["source"] = "import math\n" + slope.replace("...", "1 - math.tanh(x) ** 2")


@pytest.mark.slow
def test_nbgrader_releases_and_grades_it(tmp_path: Path) -> None:
    if importlib.util.find_spec("nbgrader") is None:
        pytest.skip("nbgrader is not installed")
    source = tmp_path / "source" / "week1"
    source.mkdir(parents=True)
    made().save(source / "hw.ipynb")
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'c'\n")
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"  # nbgrader calls alembic
    around = {**os.environ, "PYTHONPATH": str(ROOT), "JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "PATH": programs}

    def run(*words: str) -> str:
        command = [sys.executable, "-m", "nbgrader", *words]
        done = subprocess.run(command, cwd=tmp_path, env=around, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("generate_assignment", "week1", "--create")
    released = json.loads((tmp_path / "release" / "week1" / "hw.ipynb").read_text(encoding="utf-8"))
    filled(released)
    handed_in = tmp_path / "submitted" / "ada" / "week1"
    handed_in.mkdir(parents=True)
    (handed_in / "hw.ipynb").write_text(json.dumps(released), encoding="utf-8")
    run("autograde", "week1", "--create")
    run("export", "--to", "grades.csv")
    heads, row = (line.split(",") for line in (tmp_path / "grades.csv").read_text().splitlines())
    grades = dict(zip(heads, row, strict=True))
    assert float(grades["max_score"]) == 17.0
    assert float(grades["score"]) == 3.0 + 0.0 + 3.0
