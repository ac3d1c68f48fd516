"""The style sheet of a page is a file; in the page it is the same but for comments and spaces."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from viz.picture import web_file

if TYPE_CHECKING:
    from playwright.sync_api import Browser

VIZ = Path(__file__).parents[2] / "viz"
SHEETS = sorted(str(file.relative_to(VIZ)) for file in VIZ.glob("*.css"))  # those of live pages are bundles


def test_there_are_files_to_look_at() -> None:
    assert SHEETS


@pytest.mark.parametrize("name", SHEETS)
def test_comments_go_and_texts_stay(name: str) -> None:
    whole, short = (VIZ / name).read_text(encoding="utf-8"), web_file(name)
    code = re.sub(r"/\*.*?\*/|^ *//[^\n]*|(?<=[;{]) +//[^\n]*", "", whole, flags=re.DOTALL | re.MULTILINE)
    assert "/*" in whole and "/*" not in short and not re.search(r"^//|[;{] *//", short, re.MULTILINE)
    assert re.findall("'[^'\n]*'|\"[^\"\n]*\"", short) == re.findall("'[^'\n]*'|\"[^\"\n]*\"", code)
    assert re.findall(r"[\w.#$@-]+", short) == re.findall(r"[\w.#$@-]+", code)


@pytest.mark.parametrize("name", SHEETS)
def test_a_browser_reads_the_same_rules(name: str, chromium: Browser) -> None:
    rules = "text => {const s = new CSSStyleSheet(); s.replaceSync(text); return [...s.cssRules].map(r => r.cssText)}"
    page = chromium.new_page()
    whole = page.evaluate(rules, (VIZ / name).read_text(encoding="utf-8"))
    short = page.evaluate(rules, web_file(name))
    assert [rule.replace(", ", ",") for rule in short] == [rule.replace(", ", ",") for rule in whole] and whole
    page.close()


@pytest.mark.parametrize("file", sorted(VIZ.rglob("*.py")), ids=lambda file: str(file.relative_to(VIZ)))
def test_no_script_is_a_string_of_python(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not re.search(r"=> ?[{(]|addEventListener|querySelector|document\.", node.value), node.lineno
