"""Live pages in Streamlit, Gradio and marimo, and in what nbconvert exports: what a visitor sees there.

Each app shows a live page twice: as a piece among its own, where Streamlit and Gradio run no script, so that the
picture stands (marimo puts it into a frame by itself), and as a whole page in a frame, where it computes.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import viz
from viz import explore

from .graphs import product_of_a_sum

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FrameLocator, Page

PATIENCE = 90  # seconds: how long an app may take to start on a busy machine
GRAPH = "from autograd import parse\nfrom viz import explore\nlive = explore(parse('(x + y) * z', x=-2, y=5, z=-4))\n"
APPS = {
    "streamlit": """\
import streamlit as st
import streamlit.components.v1 as components
st.html(live)
components.html(live.to_html(), height=700)
""",
    "gradio": """\
import html, sys
import gradio as gr
with gr.Blocks() as app:
    gr.HTML(live.to_html(page=False))
    gr.HTML(f'<iframe srcdoc="{html.escape(live.to_html())}" style="width:100%;height:700px;border:0"></iframe>')
app.launch(server_port=int(sys.argv[1]), quiet=True)
""",
    "marimo": """\
import marimo
app = marimo.App()
@app.cell
def _():
    import marimo as mo
    GRAPH
    return live, mo
@app.cell
def _(live, mo):
    mo.vstack([live, mo.iframe(live.to_html())])
    return
""",
}
COMMANDS = {
    "streamlit": "-m streamlit run {app} --server.headless true --server.port {port} --browser.gatherUsageStats false "
    "--global.developmentMode false",  # which it takes itself for where it is not in site-packages
    "gradio": "{app} {port}",
    "marimo": "-m marimo run {app} --headless --port {port} --no-token",
}


@contextmanager
def running(name: str, folder: Path) -> Iterator[str]:
    """The address of an app in a process of its own."""
    app = folder / "app.py"
    source = APPS[name].replace("GRAPH", GRAPH.rstrip().replace("\n", "\n    "))
    app.write_text(source if name == "marimo" else GRAPH + source, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "HOME": str(folder),
        "PYTHONPATH": os.pathsep.join([str(Path(viz.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
        "GRADIO_ANALYTICS_ENABLED": "False",
    }
    command = COMMANDS[name].format(app=app, port=port).split()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, *command], env=environment, stdout=log, stderr=log, cwd=folder)
    address, end = f"http://127.0.0.1:{port}/", time.monotonic() + PATIENCE
    try:
        while True:
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < end, (folder / "log").read_text()[-2000:]
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE)


def assert_it_computes(place: Page | FrameLocator) -> None:
    leaf = place.get_by_role("spinbutton", name="x", exact=True)
    leaf.focus()
    leaf.press("Delete")  # takes it back
    leaf.press("ArrowUp")
    place.locator("[data-name=x][data-value='-1.9']").wait_for()
    place.locator(f"[data-name=f][data-value='{(-1.9 + 5) * -4!r}']").wait_for()


def assert_it_is_painted(picture: Any) -> None:
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    assert box and box["width"] > 200 and box["height"] > 50
    assert len(picture.screenshot()) > 5_000  # a blank one takes less


@pytest.mark.parametrize("name", APPS)
def test_an_app_shows_the_picture_among_its_own_and_the_live_page_in_a_frame(
    name: str, chromium: Browser, tmp_path: Path
) -> None:
    pytest.importorskip(name)
    with running(name, tmp_path) as address:
        page = chromium.new_page(viewport={"width": 1280, "height": 1400})
        page.set_default_timeout(PATIENCE * 1000)
        page.goto(address)
        for frame in (page.frame_locator("iframe").first, page.frame_locator("iframe").last):
            frame.locator(".cr-box").wait_for()
            assert_it_computes(frame)
            assert_it_is_painted(frame.locator(".cr-sheet"))
        if name != "marimo":
            assert_it_is_painted(page.locator(".cr-root .cr-instead img"))
        page.close()


@pytest.mark.skipif(find_spec("nbconvert") is None, reason="nbconvert is not installed")
def test_an_export_by_nbconvert_computes(chromium: Browser, tmp_path: Path) -> None:
    from nbconvert import HTMLExporter
    from nbformat import v4

    output = v4.new_output("execute_result", data=explore(product_of_a_sum())._repr_mimebundle_(), execution_count=1)
    book = v4.new_notebook(cells=[v4.new_code_cell("explore(f)", outputs=[output])])
    target = tmp_path / "book.html"
    target.write_text(HTMLExporter().from_notebook_node(book)[0], encoding="utf-8")
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    page.goto(target.as_uri())
    assert_it_computes(page)
    assert_it_is_painted(page.locator(".cr-sheet"))
    page.close()
