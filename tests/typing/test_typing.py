"""What type checkers see: no error and no Any in a user's script, and every mistake in its careless twin."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from . import check

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("checker", [check.mypy, check.pyright], ids=["mypy", "pyright"])
def test_a_users_script_has_no_error_and_no_any_and_its_misspelt_twin_is_caught(checker: check.Checker) -> None:
    pytest.importorskip(checker.__name__, reason=f"{checker.__name__} is in the extra `dev`")
    assert check.complaints(checker) == []


def test_no_getattr_hides_a_misspelt_name_from_type_checkers() -> None:
    """A `__getattr__` that they see makes every name known, so each stands behind `if not TYPE_CHECKING`."""
    # asked any word of the sheet
    exempt = {"autograd/kernels.py", "autograd/symbols.py", "autograd/forward.py"}
    seen = set()
    for package in ("autograd", "nn", "viz"):
        for file in (ROOT / package).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            if "__getattr__" not in text:
                continue
            tree = ast.parse(text)
            hidden = {
                id(inner)
                for node in ast.walk(tree)
                if isinstance(node, ast.If) and ast.unparse(node.test) == "not TYPE_CHECKING"
                for inner in ast.walk(node)
            }
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef) and node.name == "__getattr__":
                    name = file.relative_to(ROOT).as_posix()
                    seen.add(name)
                    assert id(node) in hidden or name in exempt, name
    assert {"autograd/__init__.py", "nn/__init__.py", "viz/__init__.py"} <= seen


@pytest.mark.parametrize("package", ["autograd", "nn", "viz"])
def test_the_package_says_that_it_has_types(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_the_list_of_exports_is_one_that_can_be_read_and_is_complete() -> None:
    import autograd
    from autograd import functions

    tree = ast.parse((ROOT / "autograd" / "__init__.py").read_text(encoding="utf-8"))
    listed = next(
        ast.literal_eval(node.value)  # a list of strings and nothing else
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    assert set(functions.__all__) - {"abs", "pow"} <= set(listed)
    assert not {"abs", "compile", "pow"} & set(listed)  # Python's own stay what they are after `import *`
    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    public = {name for name in imported if not name.startswith("_") and name not in ("annotations", "TYPE_CHECKING")}
    assert public == {*listed, "abs", "compile", "pow"}
    assert autograd.abs(-2.0) == 2.0
