"""Drawings, players and derivations in a real JupyterLab, trusted or not, and in an export: what a reader sees there.

One server and one browser serve the whole file. The server has folders of its own for all that Jupyter keeps, so that
neither the settings nor the signatures of whoever runs the tests play a part.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import viz
from viz import draw_derivation, draw_graph, step_through

from .graphs import product_of_a_sum

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

_MISSING = [name for name in ("jupyterlab", "ipykernel", "nbconvert", "playwright") if find_spec(name) is None]
if _MISSING and os.environ.get("CHAINRULE_NEEDS_BROWSER") != "1":
    pytest.skip(f"not installed: pip install {' '.join(_MISSING)}", allow_module_level=True)

SOURCE = """\
from autograd import Value
from viz import draw_derivation, draw_graph, step_through

x, y, z = Value(-2.0, "x"), Value(5.0, "y"), Value(-4.0, "z")
q = x + y
q.label = "q"
f = q * z
f.label = "f"
f.backward()
"""
CELLS: dict[str, Callable[[Any], Any]] = {
    "draw_graph(f)": draw_graph,
    "step_through(f)": step_through,
    'draw_derivation(f, "x")': lambda f: draw_derivation(f, "x"),
}
TOKEN = "a-token-for-the-tests"
PATIENCE = 60_000  # milliseconds: how long anything may take on a busy machine
TALL = {"width": 1300, "height": 2400}  # Lab keeps cells out of the page that are not in sight
# the values' green and the gradients' orange red, as they are on a light and on a dark ground
COLOURS = {"light": ("#00734f", "#b84400"), "dark": ("#35c9a0", "#ff8f5a")}


def notebook(remark: str, *, outputs: bool = True) -> Any:
    """A notebook with a cell for each thing to be shown; what it shows is stored in it, or still to come.

    Trust goes by content, so the remark keeps a notebook from being taken for another that is trusted.
    """
    from nbformat import v4

    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = v4.new_notebook(metadata={"kernelspec": kernel})
    book.cells.append(v4.new_code_cell(f"# {remark}\n{SOURCE}"))
    f = product_of_a_sum()
    for source, make in CELLS.items():
        cell = v4.new_code_cell(source)
        if outputs:
            data = make(f)._repr_mimebundle_()
            cell.outputs.append(v4.new_output("execute_result", data=data, execution_count=1))
        book.cells.append(cell)
    return book


# --- a JupyterLab of our own


@dataclass
class Lab:
    url: str
    browser: BrowserContext
    notebook: Path
    themes: Path
    signatures: Path

    def open(self, book: Any, *, theme: str = "light", trusted: bool = False) -> Page:
        """Write a notebook, and open it. Lab is told its theme; the browser prefers the same."""
        import nbformat
        from nbformat.sign import NotebookNotary

        if trusted:
            NotebookNotary(data_dir=str(self.signatures)).sign(book)
        nbformat.write(book, self.notebook)  # always the same one: its kernel runs on
        self.themes.write_text(json.dumps({"theme": f"JupyterLab {theme.title()}", "adaptive-theme": False}))
        page = self.browser.new_page()
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.goto(f"{self.url}lab/tree/{self.notebook.name}?reset&token={TOKEN}")
        page.locator(".jp-CodeCell").nth(len(CELLS)).wait_for()
        return page


@pytest.fixture(scope="module")
def lab(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A running JupyterLab. Its kernel is this very Python, and imports this very package."""
    home = tmp_path_factory.mktemp("jupyter")
    places = {name: home / name for name in ("config", "data", "runtime", "ipython", "notebooks", "settings")}
    for place in places.values():
        place.mkdir()
    themes = places["settings"] / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
    themes.parent.mkdir(parents=True)
    news = {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True}
    themes.with_name("notification.jupyterlab-settings").write_text(json.dumps(news))
    source = str(Path(viz.__file__).parents[1])
    environment = os.environ | {
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(places["config"]),
        "JUPYTER_DATA_DIR": str(places["data"]),
        "JUPYTER_RUNTIME_DIR": str(places["runtime"]),
        "JUPYTER_NO_CONFIG": "1",
        "IPYTHONDIR": str(places["ipython"]),
        "PYTHONPATH": os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")])),
    }
    with socket.socket() as probe:  # the server can choose a port, but not tell which; a taken one it passes over
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.root_dir": places["notebooks"],
        "ServerApp.terminals_enabled": False,
        "ServerApp.allow_root": True,
        "IdentityProvider.token": TOKEN,
        "LabApp.open_browser": False,
        "LabApp.user_settings_dir": places["settings"],
        "LabApp.workspaces_dir": home / "workspaces",
        "LabApp.news_url": "None",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    log = home / "log.txt"
    command = [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]
    with log.open("wb") as stream:
        server = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream, cwd=home)
    try:
        url = _address(server, places["runtime"], log)
        browser = chromium.new_context(viewport=TALL)  # one, so that Lab's scripts are fetched once
        browser.set_default_timeout(PATIENCE)
        yield Lab(url, browser, places["notebooks"] / "notebook.ipynb", themes, places["data"])
        browser.close()
    finally:
        server.terminate()  # the kernels end with it
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _address(server: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """Where the server listens, as soon as it does."""
    end = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < end and server.poll() is None:
        for file in runtime.glob(f"jpserver-{server.pid}.json"):
            try:
                return str(json.loads(file.read_text())["url"])
            except json.JSONDecodeError:  # it is being written
                pass
        time.sleep(0.05)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


# --- looking


def painted(where: Locator) -> dict[str, int]:
    """How many dots of each theme's two colours are to be seen, in a screenshot of ``where``.

    ``light green`` and so on are the keys. The picture is read by the browser, which has a decoder at hand.
    """
    where.scroll_into_view_if_needed()
    wanted = {f"{t} {n}": c for t, cs in COLOURS.items() for n, c in zip(("value", "gradient"), cs, strict=True)}
    found: dict[str, int] = where.page.evaluate(_COUNT, [base64.b64encode(where.screenshot()).decode(), wanted])
    return found


_COUNT = """async ([png, wanted]) => {
  const bytes = Uint8Array.from(atob(png), c => c.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], {type: 'image/png'}));
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const dots = context.getImageData(0, 0, image.width, image.height).data, found = {};
  for (const name in wanted) {
    const [r, g, b] = [1, 3, 5].map(i => parseInt(wanted[name].slice(i, i + 2), 16));
    found[name] = 0;
    for (let i = 0; i < dots.length; i += 4)  // inside a letter's stem, where its edges are not blended in
      if (Math.abs(dots[i] - r) + Math.abs(dots[i + 1] - g) + Math.abs(dots[i + 2] - b) < 24) found[name]++;
  }
  return found;
}"""


def see(picture: Locator, theme: str) -> None:
    """The image is loaded, has room, lies within the window, and its numbers are there in the theme's colours."""
    from playwright.sync_api import expect

    expect(picture).to_be_visible()
    picture.scroll_into_view_if_needed()
    picture.evaluate("image => image.decode ? image.decode() : null")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 100 && image.naturalHeight > 50")
    expect(picture).to_be_in_viewport(ratio=0.9)
    seen = painted(picture)
    assert seen[f"{theme} value"] > 20 and seen[f"{theme} gradient"] > 20, seen


def output(page: Page, k: int) -> Locator:
    """What the cell of `CELLS` number ``k`` shows."""
    return page.locator(".jp-CodeCell").nth(1 + k).locator(".jp-OutputArea-output")


# --- JupyterLab


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_in_an_untrusted_notebook_pictures_are_seen_and_steps_can_be_opened(lab: Lab, theme: str) -> None:
    page = lab.open(notebook("untrusted"), theme=theme)
    see(output(page, 0).locator("img"), theme)
    steps_are_seen(output(page, 1), theme)
    formulas_are_typeset(output(page, 2))
    page.close()


def test_in_a_trusted_notebook_the_player_plays(lab: Lab) -> None:
    page = lab.open(notebook("trusted"), trusted=True)
    see(output(page, 0).locator("img"), "light")
    the_player_plays(output(page, 1), "light")
    formulas_are_typeset(output(page, 2))
    page.close()


LETTERS = [
    "d",
    "d",
    "x",
    "a",
    "b",
    "m",
    "y",
    "0",
    "0",
    "i",
    "i",
]  # delete, cut, new cells, Markdown, restart, interrupt


def test_jupyterlabs_own_keys_do_nothing_to_the_notebook_while_a_player_or_a_picture_has_the_focus(lab: Lab) -> None:
    page = lab.open(notebook("trusted keys"), trusted=True)
    before = cells_of(page)
    box = output(page, 0).locator("div[style*=overflow]")
    box.evaluate("box => { box.tabIndex = 0; }")  # as a browser does by itself with one that can be scrolled
    player = output(page, 1)
    player.get_by_role("slider").wait_for()
    reached = [*player.locator("button, input, [tabindex]").all(), box]
    assert len(reached) == 22
    for element in reached:
        element.focus()
        for letter in LETTERS:
            page.keyboard.press(letter)
        if element.get_attribute("role") == "spinbutton":  # a digit begins a new number, in a field of its own
            page.keyboard.press("Escape")
        assert element.evaluate("element => element === document.activeElement"), element
        assert page.locator(".jp-Dialog").count() == 0, element
        assert cells_of(page) == before, element
    following = player.get_by_role("button", name="Next step")
    following.evaluate("button => button.removeAttribute('data-lm-suppress-shortcuts')")
    following.press("d")  # and this is what they would do
    following.press("d")
    page.wait_for_function("n => document.querySelectorAll('.jp-Cell').length === n", arg=len(before) - 1)
    page.close()


def test_steps_that_open_without_a_script_keep_jupyterlabs_keys_away_where_an_attribute_may_stand(lab: Lab) -> None:
    book = notebook("steps alone")
    html = book.cells[2].outputs[0].data["text/html"]
    start = html.index("<details")
    book.cells[2].outputs[0].data["text/html"] = html[start : html.rindex("</details>") + 10]
    page = lab.open(book, trusted=True)
    before = cells_of(page)
    for summary in output(page, 1).locator("summary").all()[:2]:
        summary.focus()
        for letter in LETTERS:
            page.keyboard.press(letter)
        assert page.locator(".jp-Dialog").count() == 0
        assert cells_of(page) == before
    page.close()


def cells_of(page: Page) -> list[str]:
    """The kind and the text of each cell."""
    look = "all => all.map(c => c.className.match(/jp-[A-Z][a-z]+Cell/) + c.querySelector('.cm-content').innerText)"
    found: list[str] = page.locator(".jp-Cell").evaluate_all(look)
    return found


def test_cells_that_are_run_show_the_same(lab: Lab) -> None:
    page = lab.open(notebook("to be run", outputs=False), theme="dark")
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()  # the kernel is there
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    output(page, len(CELLS) - 1).first.wait_for()
    see(output(page, 0).locator("img"), "dark")
    the_player_plays(output(page, 1), "dark")
    formulas_are_typeset(output(page, 2))
    page.close()


def test_an_export_shows_the_same_without_a_server(chromium: Browser, tmp_path: Path) -> None:
    from nbconvert import HTMLExporter

    file = tmp_path / "export.html"
    file.write_text(HTMLExporter().from_notebook_node(notebook("exported"))[0], encoding="utf-8")
    page = chromium.new_page(viewport=TALL, offline=True)
    page.goto(file.as_uri())
    see(output(page, 0).locator("img"), "light")
    the_player_plays(output(page, 1), "light")
    latex = draw_derivation(product_of_a_sum(), "x").to_latex()
    assert latex in (output(page, 2).text_content() or "")  # for MathJax, which an export fetches from the net
    page.close()


def test_an_export_without_scripts_has_steps_to_be_opened(chromium: Browser, tmp_path: Path) -> None:
    from nbconvert import HTMLExporter

    file = tmp_path / "export.html"
    file.write_text(HTMLExporter().from_notebook_node(notebook("exported"))[0], encoding="utf-8")
    page = chromium.new_page(viewport=TALL, offline=True, java_script_enabled=False)
    page.goto(file.as_uri())
    steps_are_seen(output(page, 1), "light")
    page.close()


@pytest.mark.parametrize("trusted", [True, False])
def test_a_playground_trains_where_scripts_may_run_and_is_a_picture_where_not(lab: Lab, trusted: bool) -> None:
    from nbformat import v4
    from playwright.sync_api import expect

    from nn import MLP, data, losses, optim

    made = viz.playground(
        MLP(2, [3, 1], seed=0), *data.moons(40, seed=0), loss=losses.binary_cross_entropy, optimizer=optim.SGD(lr=0.1)
    )
    book = notebook(f"a playground, {trusted}", outputs=False)
    shown = v4.new_output("execute_result", data=made._repr_mimebundle_(), execution_count=1)
    book.cells.append(v4.new_code_cell("playground(...)", outputs=[shown]))
    page = lab.open(book, trusted=trusted)
    ground = output(page, len(CELLS))
    picture = ground.locator("img")
    if trusted:
        ground.locator("[data-act=epoch]").click()
        expect(ground.locator(".cr-epoch b")).to_have_text("1")
        expect(picture).not_to_be_visible()
        ground.locator(".cr-ground").press("d")
        ground.locator(".cr-ground").press("d")
        expect(page.locator(".jp-Cell")).to_have_count(len(CELLS) + 2)
    else:
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.complete && image.naturalWidth > 100")
    page.close()


def steps_are_seen(player: Locator, theme: str) -> None:
    """The player as one step after the other, each to be opened."""
    from playwright.sync_api import expect

    steps = player.locator("details")
    expect(steps).to_have_count(len(step_through(product_of_a_sum())))
    expect(player.get_by_role("slider")).to_have_count(0)
    expect(steps.last.locator("img")).not_to_be_visible()
    steps.last.locator("summary").click()
    see(steps.last.locator("img"), theme)


def the_player_plays(player: Locator, theme: str) -> None:
    """The player with its slider, and without the steps that stand in for it."""
    from playwright.sync_api import expect

    slider = player.get_by_role("slider")
    expect(slider).to_be_visible()
    expect(player.locator("details:visible")).to_have_count(0)
    last = len(step_through(product_of_a_sum())) - 1
    slider.press("End")
    expect(slider).to_have_js_property("value", str(last))
    expect(player.locator(".cr-caption")).to_contain_text(f"Backward pass, step {last - 3} of {last - 3}")
    slider.press("ArrowLeft")
    expect(slider).to_have_js_property("value", str(last - 1))
    seen = painted(player.locator(".cr-stage"))
    assert seen[f"{theme} value"] > 20 and seen[f"{theme} gradient"] > 20, seen


def formulas_are_typeset(derivation: Locator) -> None:
    """Fractions and aligned lines, and not the text between dollar signs."""
    from playwright.sync_api import expect

    formula = derivation.locator("mjx-container").first
    expect(formula).to_be_visible()
    expect(derivation.locator("mjx-mfrac").first).to_be_visible()
    expect(derivation.locator("mjx-merror")).to_have_count(0)
    box = formula.bounding_box()
    assert box and box["width"] > 100 and box["height"] > 100
