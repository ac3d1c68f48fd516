"""Python in the reader's browser: the site's JupyterLite with the network cut, and its Python by itself, in Node.js.

The browser of these tests knows no host but this machine (see `tests/conftest.py`).
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import nn
import viz
from autograd import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WITHOUT_NUMPY = LESSONS[:4]
FIRST_OUTPUT = 30.0  # seconds from opening a lesson to the first thing that it shows, on a machine that is not busy
WHOLE_LESSON = 180_000  # milliseconds: no more than a limit, for a busy machine


# --- JupyterLite


@pytest.fixture
def opened(lite: Path, address: str, chromium: Browser) -> Iterator[Any]:
    """Opens a lesson in a browser that has never seen the site, and gives the page and the moment when that began."""
    pages, asked = [], []

    def go(lesson: Path) -> tuple[Page, float]:
        context = chromium.new_context(viewport={"width": 1280, "height": 720})
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        pages.append(page)
        began = time.monotonic()
        page.goto(f"{address}lite/notebooks/index.html?path={lesson.name}")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        return page, began

    yield go
    for page in pages:
        page.context.close()
    assert asked
    host = "/".join(address.split("/")[:3])  # JupyterLite's own worker is asked at its root whether it is there
    assert [url for url in asked if not url.startswith((f"{host}/", "data:", "blob:"))] == []


def run_all(page: Page) -> None:
    page.locator(".lm-MenuBar-item", has_text="Run").click()
    page.locator(".lm-Menu-item", has_text="Run All Cells").first.click()


@pytest.mark.parametrize("lesson", WITHOUT_NUMPY, ids=lambda path: path.stem)
def test_lessons_without_numpy_run_to_their_end_with_the_network_cut(lesson: Path, opened: Any) -> None:
    page, began = opened(lesson)
    run_all(page)
    page.wait_for_selector(".jp-Notebook .jp-OutputArea-output", timeout=WHOLE_LESSON)
    others = os.getloadavg()[0] / (os.cpu_count() or 1)  # how many ask for each of the machine's processors
    assert time.monotonic() - began < FIRST_OUTPUT * max(1.0, others)
    cells = [one for one in json.loads(lesson.read_text(encoding="utf-8"))["cells"] if one["cell_type"] == "code"]
    count = len(cells)
    # every cell has run, and in order; after an error those that follow it have no number
    page.wait_for_selector(f'.jp-InputPrompt:text-is("[{count}]:")', timeout=WHOLE_LESSON)
    prompts = page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").all_text_contents()
    assert prompts == [f"[{k}]:" for k in range(1, count + 1)]
    assert page.locator("[data-mime-type$=stderr], [data-mime-type$='jupyter.error']").count() == 0
    drawings = sum("text/html" in output.get("data", {}) for cell in cells for output in cell["outputs"])
    assert page.locator(".jp-OutputArea-output svg, .jp-OutputArea-output img").count() >= drawings > 0


def test_a_lesson_that_needs_numpy_says_so_and_goes_no_further(opened: Any) -> None:
    page, _ = opened(LESSONS[len(WITHOUT_NUMPY)])
    run_all(page)
    error = page.locator(".jp-OutputArea-output", has_text="this lesson needs numpy and matplotlib")
    error.wait_for(state="attached", timeout=WHOLE_LESSON)
    prompts = page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").all_text_contents()
    assert set(prompts[1:]) == {"[ ]:"}  # not run
    assert page.locator(".jp-Notebook .jp-OutputArea-output").count() == 1


@pytest.mark.parametrize("how", ["by a click", "by Shift+Enter"])
def test_from_the_start_page_the_first_cell_of_the_first_lesson_is_two_clicks_away(
    lite: Path, address: str, chromium: Browser, how: str
) -> None:
    """On a slow machine, and at once: what is run before Python has come is kept, and a line says that it is coming."""
    page = chromium.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    slow = page.context.new_cdp_session(page)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.goto(address)
    page.get_by_role("link", name="Run the first lesson here").click()  # one
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=WHOLE_LESSON)
    if how == "by a click":
        page.locator(".jp-NotebookPanel-toolbar [data-jp-item-name=run]").click(timeout=WHOLE_LESSON)  # two
    else:
        page.wait_for_function("document.activeElement.closest('.jp-Notebook')", timeout=WHOLE_LESSON)
        page.keyboard.press("Shift+Enter")
    coming = page.get_by_role("status").filter(has_text="Python is on its way")
    assert coming.is_visible()
    slow.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    page.wait_for_selector('.jp-InputPrompt:text-is("[1]:")', timeout=WHOLE_LESSON)
    assert page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").first.text_content() == "[1]:"
    assert coming.count() == 0
    page.close()
    assert wrong == []  # as when a second Python is started, and both are ended


def test_every_lesson_can_be_opened_from_the_list_and_none_has_outputs_yet(lite: Path) -> None:
    listed = json.loads((lite / "api/contents/all.json").read_text(encoding="utf-8"))["content"]
    assert [one["name"] for one in listed] == [path.name for path in LESSONS]
    for path in LESSONS:
        notebook = json.loads((lite / "files" / path.name).read_text(encoding="utf-8"))
        assert not any(cell.get("outputs") for cell in notebook["cells"])


# --- its Python


@pytest.fixture(scope="module")
def in_pyodide(lite: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs programs in the site's Python, by Node.js; gives what each printed, and its error or None."""
    if (node := shutil.which("node")) is None:
        pytest.skip("there is no Node.js to run Pyodide")
    folder = tmp_path_factory.mktemp("programs")

    def run(*programs: str) -> list[dict[str, str | None]]:
        files = [folder / f"{k}.py" for k in range(len(programs))]
        for file, program in zip(files, programs, strict=True):
            file.write_text(program, encoding="utf-8")
        command = [node, Path(__file__).with_name("in_pyodide.mjs"), lite / "static/pyodide", *files]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))

    return run


DRAWS = """
import importlib.util, sys
assert importlib.util.find_spec("numpy") is None and importlib.util.find_spec("matplotlib") is None
import json
import autograd, nn, viz

f = autograd.parse("(x + y) * z", x=-2, y=5, z=-4)
f.backward()
y = nn.MLP(2, [3, 1], activation="relu", seed=0)([1.0, 2.0])
y.backward()
shown = [viz.draw_graph(f), viz.step_through(f), viz.explore(f), viz.draw_derivation(f, "x"), viz.draw_graph(y)]
print(json.dumps([one.to_html() for one in shown]))
assert "numpy" not in sys.modules
"""


def test_drawings_players_and_live_pages_are_those_of_any_other_python_without_numpy(in_pyodide: Any) -> None:
    [result] = in_pyodide(DRAWS)
    assert result["error"] is None
    f = parse("(x + y) * z", x=-2, y=5, z=-4)
    f.backward()
    y = nn.MLP(2, [3, 1], activation="relu", seed=0)([1.0, 2.0])
    y.backward()
    shown = [viz.draw_graph(f), viz.step_through(f), viz.explore(f), viz.draw_derivation(f, "x"), viz.draw_graph(y)]
    assert json.loads(result["printed"]) == [one.to_html() for one in shown]


def test_a_playground_says_that_numpy_is_missing_and_how_to_get_it(in_pyodide: Any) -> None:
    """As everything that needs it does (see tests/test_without_numpy.py), here in a Python that really has none."""
    asks = ["import viz; viz.playground(None, [], [], loss=None, optimizer=None)", "from viz import playground"]
    for result in in_pyodide(*asks):
        assert result["error"].startswith("ImportError: playground needs NumPy, and Python in the browser starts")
        assert "%pip install numpy" in result["error"] and "on your own computer" in result["error"]


def test_every_other_lesson_stops_at_its_first_cell_and_says_what_it_needs(in_pyodide: Any) -> None:
    """As IPython would run it: the cell is read by IPython, and then by Python."""
    run = """
from IPython.core.inputtransformer2 import TransformerManager

for cell in {!r}:
    try:
        exec(TransformerManager().transform_cell(cell), {{}})
        print("nothing missing")
    except ImportError as error:
        print(error)
"""
    firsts = ["".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"]) for path in LESSONS]
    [result] = in_pyodide(run.format(firsts))
    assert result["error"] is None
    said = str(result["printed"]).splitlines()
    assert said[:4] == ["nothing missing"] * 4
    assert all(one.startswith("this lesson needs numpy and matplotlib") for one in said[4:]), said
    assert len(said) == len(LESSONS)


# --- what it is put together from


def test_the_list_of_packages_has_every_wheel_its_hash_and_nothing_that_is_not_there(lite: Path) -> None:
    folder = lite / "static/pyodide"
    listed = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]
    assert {one["file_name"] for one in listed.values()} == {path.name for path in folder.glob("*.whl")}
    assert all(set(one["depends"]) <= set(listed) for one in listed.values())
    assert listed["chainrule"]["imports"] == ["autograd", "nn", "viz"]
    assert {"ipython", "jedi", "comm", "pyodide-kernel", "piplite"} <= set(listed)


def test_no_file_of_jupyterlite_names_another_host_as_a_place_of_pyodide(lite: Path) -> None:
    settings = json.loads((lite / "jupyter-lite.json").read_text(encoding="utf-8"))["jupyter-config-data"]
    kernel = settings["litePluginSettings"]["@jupyterlite/pyodide-kernel-extension:kernel"]
    assert kernel["pyodideUrl"] == "./static/pyodide/pyodide.mjs"
    assert kernel["disablePyPIFallback"] is True
    assert all(url.startswith("./") for url in kernel.get("pipliteUrls", []))


@functools.cache
def pins(name: str) -> list[str]:
    lines = (ROOT / "docs/pins" / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("name", ["tools.txt", "wheels.txt"])
def test_everything_that_is_fetched_is_fetched_by_its_version_and_hash(name: str) -> None:
    for line in pins(name):
        package, _, digest = line.partition(" --hash=sha256:")
        assert "==" in package and len(digest) == 64, line
    locked = json.loads((ROOT / "docs/pins/package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all(one["integrity"].startswith("sha512-") for path, one in locked.items() if path)


def test_where_the_parts_cannot_be_fetched_the_pages_are_built_alone_and_a_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("myst_nb")
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    build_site = importlib.import_module("build_site")
    monkeypatch.setenv("PATH", "")
    built = []
    monkeypatch.setattr(build_site, "build", lambda folder, **options: built.append(options) or 0)
    assert build_site.main([str(tmp_path / "site"), "--in-browser"]) == 0
    assert built == [{"with_doors": False}]
    assert "built without lessons that run in the browser: there is no npm" in capsys.readouterr().err
