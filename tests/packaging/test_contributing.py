"""CONTRIBUTING.md has recipes; here somebody follows each to the letter, in a copy of the source tree.

A change of that kind can break other things, too: the tests that go over all operations, exports and rooms are run in
the copy. `.ci/run` goes further, and runs in such a copy all that the page tells a contributor to run.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from . import contributor
from .conftest import ROOT, run

COPIED = ["autograd", "nn", "viz", "tests", "pyproject.toml", "README.md", "CONTRIBUTING.md"]
OVER_ALL = [
    "tests/autograd/test_ops.py::test_every_operation_of_the_sheet_is_in_these_tests_or_has_a_file_of_its_own",
    "tests/autograd/test_accuracy.py::test_every_operation_has_an_oracle",
    "tests/autograd/test_accuracy.py::test_values_and_derivatives_have_all_their_digits[gaussian]",
    "tests/autograd/test_graph.py::test_every_operation_has_a_formula_for_each_step",
    "tests/typing/test_typing.py::test_the_list_of_exports_is_one_that_can_be_read_and_is_complete",
    "tests/viz/test_plots.py::test_every_name_that_viz_exports_is_there",
    "tests/test_architecture.py::test_nothing_climbs",
]


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A copy of the source tree in which every recipe was followed, and the tests that were added."""
    if '"gaussian"' in (ROOT / "autograd" / "ops.py").read_text(encoding="utf-8"):
        pytest.skip("the recipes were followed in this tree already, and once is enough")
    copy = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    return copy, contributor.follow(copy)


def test_every_recipe_works_as_it_stands_there(followed: tuple[Path, list[str]]) -> None:
    copy, added = followed
    assert len(added) == len(contributor.PLACES)
    options = ["-q", "-p", "no:cacheprovider", f"--rootdir={copy}"]
    run([sys.executable, "-m", "pytest", *options, *added, *OVER_ALL], cwd=copy)


def test_what_was_added_is_in_the_package_and_on_the_command_line(followed: tuple[Path, list[str]]) -> None:
    copy, _ = followed
    code = f"import autograd; assert autograd.__file__.startswith({str(copy)!r})"
    run([sys.executable, "-c", code], cwd=copy)
    assert "0.7788" in run([sys.executable, "-m", "viz.cli", "gaussian(x)", "x=0.5"], cwd=copy).stdout
    assert "bump" in (copy / "graph.svg").read_text(encoding="utf-8")


def test_what_was_added_is_formatted_as_the_rest_is(followed: tuple[Path, list[str]]) -> None:
    if importlib.util.find_spec("ruff") is None:
        pytest.skip("ruff is in the extra `dev`")
    copy, _ = followed
    run([sys.executable, "-m", "ruff", "check", "--no-cache", "."], cwd=copy)
    run([sys.executable, "-m", "ruff", "format", "--no-cache", "--check", "."], cwd=copy)


def test_a_recipe_that_has_changed_is_noticed(tmp_path: Path) -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (tmp_path / "CONTRIBUTING.md").write_text(page.replace("`nn/losses.py`", "`nn/loss.py`", 1), encoding="utf-8")
    with pytest.raises(ValueError, match="has other steps"):
        contributor.follow(tmp_path)
