"""The README shows what is true: its pictures, its commands and its examples."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import warnings
from pathlib import Path
from types import ModuleType

import pytest

from .conftest import ROOT

RUN = 'python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/chainrule "(x + y) * z" x=-2 y=5 z=-4'
TEST = 'python3 -m venv .venv && .venv/bin/pip install -e ".[test]" && .venv/bin/python -m pytest'


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)


def test_the_run_and_test_commands_come_first_and_stand_there_as_they_are() -> None:
    assert [block.strip() for block in blocks("README.md", "sh")[:2]] == [RUN, TEST]


def test_the_examples_run_and_print_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "README"}
    for example in blocks("README.md", "python"):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", ResourceWarning)  # Jupyter's, from tests of notebooks before this one
            exec(compile(example, "README.md", "exec"), names)
        # a comment after a print says what it prints
        for line in re.findall(r"^ *print\(.*\)  # (.+)$", example, re.MULTILINE):
            assert line in printed.getvalue().splitlines()
    assert (tmp_path / "graph.svg").read_bytes().startswith(b"<svg")


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_the_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)]+)\)", text_of(page))
    gone = [link for link in links if "://" not in link and not (ROOT / link.partition("#")[0]).exists()]
    assert not gone


def load_pictures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_pictures", ROOT / "docs" / "make_pictures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pictures_are_those_that_the_package_draws_today() -> None:
    pictures = load_pictures().pictures()
    folder = ROOT / "docs" / "pictures"
    assert {path.name for path in folder.iterdir()} == {*pictures, "house.svg"}  # which tests/docs/test_pages.py draws
    for name, svg in pictures.items():
        assert (folder / name).read_bytes() == svg.encode(), f"draw {name} again: python docs/make_pictures.py"
        assert f"docs/pictures/{name}" in text_of("README.md")


def test_the_pictures_show_the_figures_of_the_lecture() -> None:
    drawn = load_pictures().pictures()
    for number in ("−12", "−4", "3"):
        assert f">{number}<" in drawn["product_of_a_sum.svg"]
    for number in ("0.7311", "−0.1966", "0.3932", "−0.3932", "−0.5898", "0.1966"):
        assert f">{number}<" in drawn["sigmoid_gate.svg"]
