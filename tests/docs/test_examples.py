"""The examples in docstrings, as `help()` and the reference show them, run as they stand and give what they say."""

from __future__ import annotations

import contextlib
import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WITH_EXAMPLES = [
    path.relative_to(ROOT).with_suffix("")
    for package in ("autograd", "nn", "viz")
    for path in sorted((ROOT / package).rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=str)
def test_examples_of_docstrings_say_what_happens(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with the names of its own file, as its reader has just seen them; ``...`` stands for what is left out."""
    monkeypatch.chdir(tmp_path)
    settings: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if path.parts[:2] == ("viz", "plots"):
        settings = pytest.importorskip("matplotlib").rc_context()  # what an example sets is not for other tests
    module = importlib.import_module(".".join(path.parts).removesuffix(".__init__"))
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    written = 0
    with settings:
        for test in doctest.DocTestFinder().find(module):
            runner.run(test, out=said.append)
            written += len(test.examples)
    assert said == []
    # each is found, one in a property or in a private helper, too; a line of code with ">>> " has quotes around it
    assert written >= len([line for line in _lines(ROOT / f"{path}.py") if line.lstrip().startswith(">>> ")])


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_no_example_is_passed_over() -> None:
    assert len(WITH_EXAMPLES) > 25
    assert [path for path in WITH_EXAMPLES if "doctest: +SKIP" in (ROOT / f"{path}.py").read_text("utf-8")] == []
