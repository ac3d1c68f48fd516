"""The site, built once for all tests that look at it, and a small server that gives it out."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PLACE = "courses/chainrule"  # a site must work at any path of a server


@pytest.fixture(scope="session")
def site(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """The site, built by the command that builds it; a warning of Sphinx would fail here.

    CHAINRULE_SITE may name a folder in which it has been built already.
    """
    if built := os.environ.get("CHAINRULE_SITE"):
        return made_once("server", lambda server: shutil.copytree(built, server / PLACE)) / PLACE
    pytest.importorskip("myst_nb")
    pytest.importorskip("pydata_sphinx_theme")

    def build(server: Path) -> None:
        command = [sys.executable, DOCS / "build_site.py", server / PLACE, "--in-browser"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr + done.stdout
        (server / PLACE).with_name("said.txt").write_text(done.stderr, encoding="utf-8")

    return made_once("server", build) / PLACE


@pytest.fixture(scope="session")
def lite(site: Path) -> Path:
    """JupyterLite in the site; where its parts could not be fetched the test is skipped."""
    if not (site / "lite").is_dir():
        said = site.parent / "said.txt"
        pytest.skip(said.read_text(encoding="utf-8").strip() if said.exists() else "the site has no JupyterLite")
    return site / "lite"


class Quiet(SimpleHTTPRequestHandler):
    extensions_map: ClassVar[dict[str, str]] = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """The site's address on this machine, with a / at its end."""
    root = site.parents[len(Path(PLACE).parts) - 1]
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/{PLACE}/"
    server.shutdown()
