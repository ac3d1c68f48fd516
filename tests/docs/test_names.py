"""Names that pages and docstrings speak of, such as `nn.fit`, are there."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"`((?:autograd|nn|viz)(?:\.\w+)+)(?=[(`\[ ])")
OF_ANOTHER = {("conventions.md", "nn.Parameter")}  # PyTorch's


def exists(name: str) -> bool:
    """Whether a dotted name of ours can be imported."""
    rooms, rest = name.split("."), []
    while True:
        try:
            thing = importlib.import_module(".".join(rooms))
            break
        except ModuleNotFoundError:
            rest.insert(0, rooms.pop())
    for part in rest:
        if not hasattr(thing, part):
            return False
        thing = getattr(thing, part)
    return True


def pages() -> Iterator[tuple[str, str]]:
    for path in (*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        yield path.name, path.read_text(encoding="utf-8")


def docstrings() -> Iterator[tuple[str, str]]:
    for package in ("autograd", "nn", "viz"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
                    yield f"{path.relative_to(ROOT)}, {getattr(node, 'name', 'at its top')}", text


def test_every_name_of_ours_that_a_page_or_a_docstring_speaks_of_is_there() -> None:
    spoken = [(where, name) for where, text in (*pages(), *docstrings()) for name in NAME.findall(text)]
    assert len(spoken) > 80
    assert [one for one in spoken if one not in OF_ANOTHER and not exists(one[1])] == []


def test_a_name_that_is_not_there_is_noticed() -> None:
    assert exists("nn.fit") and exists("viz.plots.curves") and exists("autograd.Value.backward")
    assert not exists("nn.fitt") and not exists("viz.plots.curved") and not exists("autograd.Value.forwards")


def test_in_the_reference_only_names_without_an_entry_of_their_own_may_lead_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("latex2mathml")
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    let_go = importlib.import_module("conf").nitpick_ignore_regex

    def checked(kind: str, name: str) -> bool:
        return not any(re.fullmatch(a, kind) and re.fullmatch(b, name) for a, b in let_go)

    for name in ("autograd.Value", "autograd.Valeu", "nn.MLP", "nn.data.moons", "viz.Drawing", "pathlib.Path", "Value"):
        assert checked("py:class", name) and checked("py:obj", name), name
    assert checked("py:func", "autograd.signatures.Number")


def test_the_list_of_other_projects_names_is_one_that_sphinx_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    inventory_file = pytest.importorskip("sphinx.util.inventory").InventoryFile
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    inventories = importlib.import_module("inventories")
    files = inventories.files()
    assert {file for _, file in inventories.mapping().values()} == set(files)
    names = inventory_file.loads(files["inventories/python.inv"], uri="https://docs.python.org/3/").data["py:class"]
    assert names["pathlib.Path"].uri == "https://docs.python.org/3/library/pathlib.html#pathlib.Path"
    for project, (_, known) in inventories.PROJECTS.items():
        for name in known:
            module, _, last = name.rpartition(".")
            owner = pytest.importorskip(module) if project != "python" else importlib.import_module(module)
            assert isinstance(getattr(owner, last), type) or callable(getattr(owner, last)), name
