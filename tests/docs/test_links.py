"""Where the project leads to on other hosts. Whether it is there is asked by scripts/check-all, not by a test."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("autograd", "nn", "viz", "docs", "notebooks", "scripts", "translations")
KINDS = {".py", ".md", ".ipynb", ".js", ".css", ".html", ".svg", ".po", ".toml", ".cff", ""}
# Hosts that somebody has looked at. Another one is added here, when its page has been read.
HOSTS = set(
    "docs.python.org github.com graphviz.org keepachangelog.com nbgrader.readthedocs.io numpy.org pyodide.org "
    "scikit-learn.org semver.org www.w3.org".split()
)
NAMES = {"http://www.w3.org/2000/svg"}  # of a language, and no place
HERE = {"http://localhost:8000"}  # the reader's own machine


def files() -> list[Path]:
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    found = [path for path in [*inside, *ROOT.iterdir()] if path.is_file() and path.suffix in KINDS]
    return [path for path in found if not {"node_modules", "__pycache__", "corpora"} & set(path.parts)]


def addresses() -> dict[str, Path]:
    """Each address of another host, and a file that names it."""
    found: dict[str, Path] = {}
    for path in files():
        text = path.read_text(encoding="utf-8")
        for address in re.findall(r"\bhttps?://[^\s\"'`<>()\[\]{}\\,;]+", text):
            found.setdefault(address.rstrip("."), path)
    return {address: path for address, path in found.items() if address not in NAMES | HERE}


def test_every_address_is_https_and_of_a_host_that_somebody_has_looked_at() -> None:
    assert len(addresses()) >= len(HOSTS)
    for address, path in addresses().items():
        parts = urlsplit(address)
        assert parts.scheme == "https", f"{path}: {address}"
        assert parts.hostname in HOSTS, f"{path}: {address}"
    assert {urlsplit(address).hostname for address in addresses()} == HOSTS  # and none is there for nothing


@pytest.mark.parametrize("wrong", ["http://numpy.org/doc/stable/", "https://nunpy.org/"])
def test_an_address_that_is_not_is_found(wrong: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"See [this]({wrong}).", encoding="utf-8")
    monkeypatch.setitem(globals(), "files", lambda: [page])
    assert list(addresses()) == [wrong]
