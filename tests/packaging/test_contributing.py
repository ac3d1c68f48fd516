"""CONTRIBUTING.md says how to add an operation; here somebody follows it, in a copy of the package."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from .conftest import ROOT, run

# where step 1, 2 and 3 put their text: before this line of the file
BEFORE = {
    "autograd/ops.py": "# --- operations on many inputs",
    "autograd/value.py": "    # --- comparison",
    "autograd/functions.py": "def register(",
}


def insert(file: Path, before: str, text: str) -> None:
    content = file.read_text(encoding="utf-8")
    head, found, tail = content.partition(f"\n{before}")
    assert found, f"{file.name} has no line {before!r}"
    file.write_text(f"{head}\n{text}\n{found}{tail}", encoding="utf-8")


def test_the_page_on_adding_an_operation_works_as_it_stands_there(tmp_path: Path) -> None:
    for package in ("autograd", "viz"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Add an operation")[2]
    steps = re.findall(r"^\*\*\d\. .*?`([\w/]+\.py)`.*?^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert [file for file, _ in steps] == [*BEFORE, "tests/autograd/test_gaussian.py"]
    for file, text in steps:
        if file in BEFORE:
            insert(tmp_path / file, BEFORE[file], text)
        else:
            (tmp_path / file).parent.mkdir(parents=True)
            (tmp_path / file).write_text(text, encoding="utf-8")
    for file, before in (  # the lists of names
        ("autograd/functions.py", '    "leaky_relu",'),
        ("autograd/__init__.py", '    "leaky_relu",'),
        ("autograd/__init__.py", "    leaky_relu,"),
    ):
        insert(tmp_path / file, before, before.replace("leaky_relu", "gaussian"))

    new_test = tmp_path / steps[-1][0]
    options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", f"--rootdir={tmp_path}"]
    done = run([sys.executable, "-m", "pytest", *options, new_test], cwd=tmp_path)
    assert "6 passed" in done.stdout
    code = f"import autograd; assert autograd.__file__.startswith({str(tmp_path)!r})"
    run([sys.executable, "-c", code], cwd=tmp_path)
    shown = run([sys.executable, "-m", "viz.cli", "gaussian(x)", "x=0.5"], cwd=tmp_path).stdout
    assert "0.7788" in shown
    assert "bump" in (tmp_path / "graph.svg").read_text(encoding="utf-8")
