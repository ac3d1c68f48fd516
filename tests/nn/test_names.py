"""What is where: the names at the top of `nn`, those of its rooms, and one home for what checks arguments."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import nn
from nn.checks import index, rows_and_columns, whole
from nn.elsewhere import ROOMS

np = pytest.importorskip("numpy")
FILES = sorted(Path(nn.__file__).parent.rglob("*.py"))


def test_import_nn_leaves_the_lessons_and_scikit_learn_alone_until_they_are_asked_for() -> None:
    code = (
        "import sys, nn\n"
        "early = [m for m in sys.modules if m.startswith(('nn.lessons', 'sklearn', 'scipy', 'torch'))]\n"
        "print(early, nn.lessons.Perceptron.__name__, nn.training.MLPClassifier.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[] Perceptron MLPClassifier"


@pytest.mark.parametrize("room", ["nn", *(f"nn.{room}" for room in ROOMS)])
def test_a_room_has_every_name_that_it_lists_and_lists_it_once(room: str) -> None:
    module = importlib.import_module(room)
    assert len(set(module.__all__)) == len(module.__all__)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize(
    ("name", "room"),
    [
        ("Perceptron", "nn.lessons"),
        ("gates", "nn.lessons"),
        ("History", "nn.training"),
        ("convolve2d", "nn.conv"),
        ("gradient_by_distance", "nn.recurrent"),
        ("Newton", "nn.optim"),
        ("PReLU", "nn.activations"),
        ("ModelFormatError", "nn.module"),
        ("perceptron", "nn.losses"),
    ],
)
def test_a_name_of_a_room_is_asked_for_at_the_top_and_the_room_is_told(name: str, room: str) -> None:
    with pytest.raises(ImportError, match=f"^nn has no '{name}'; write from {room} import {name}$"):
        exec(f"from nn import {name}")
    exec(f"from {room} import {name}")


def test_help_tells_the_floors_and_every_file_that_they_name_is_there() -> None:
    words = inspect.getdoc(nn) or ""
    for file in FILES:
        name = file.parent.name if file.name == "__init__.py" else file.stem
        if file.parent == FILES[0].parent and not name.startswith("_") and name not in ("nn", "elsewhere"):
            assert f" {name} " in words, name
    for room in (nn.lessons, nn.training):
        listed = inspect.getdoc(room) or ""
        missing = [f.stem for f in Path(room.__file__ or "").parent.glob("*.py") if f.stem not in f"__init__ {listed}"]
        assert missing == []


def test_one_hot_is_written_once() -> None:
    found = [
        file
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name == "one_hot" and not node.decorator_list
    ]
    assert [file.name for file in found] == ["data.py"]


@pytest.mark.parametrize("x", [3, 3.0, np.int64(3), np.array(3), np.float32(3)])
def test_a_whole_number_may_come_from_numpy_or_as_a_float(x: object) -> None:
    assert (whole("n", x), type(whole("n", x))) == (3, int)
    assert rows_and_columns("size", x) == rows_and_columns("size", [x, 3.0]) == (3, 3)


@pytest.mark.parametrize("x", [2.5, "3", None, True, float("nan"), float("inf"), [3], np.bool_(True)])
def test_what_is_no_whole_number_is_refused(x: object) -> None:
    with pytest.raises(TypeError, match="^n must be a whole number, but got "):
        whole("n", x)
    with pytest.raises(TypeError, match="must be a whole number 0…4, but got "):
        index("n", x, 5)


def test_a_whole_number_has_a_least_and_a_pair_has_two() -> None:
    with pytest.raises(ValueError, match="^n must be at least 1, but got 0$"):
        whole("n", 0)
    assert whole("n", 0, 0) == 0
    with pytest.raises(ValueError, match=r"^size is one number, or a pair \(rows, columns\), but got \(1, 2, 3\)$"):
        rows_and_columns("size", (1, 2, 3))
