"""What the site makes of the files in this folder while it is built (`mkdocs build --strict`).

Nothing on it is typed a second time. The first page is the README, the gallery's code is run for its pictures, the
derivative sheet is read from `autograd.SHEET`, and the reference from the packages' own ``__all__`` and docstrings.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the source tree beside this folder, installed or not

import gallery  # noqa: E402
import reference  # noqa: E402
import sheet  # noqa: E402
import themes  # noqa: E402

# Files of the project that are pages of the site.
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages and pictures that are made here."""
    if str(ROOT) not in sys.path:  # MkDocs has put the path back as it was, once it had read this file
        sys.path.insert(0, str(ROOT))
    made: dict[str, str | bytes] = {}
    site = _Links(made, {file.src_uri for file in files.documentation_pages()})
    index = files.get_file_from_path("index.md")
    made["index.md"] = index.content_string.replace("<!-- README.md -->", site.included("README.md", heading=False))
    made["contributing.md"] = site.included("CONTRIBUTING.md")
    made["changelog.md"] = site.included("CHANGELOG.md")
    made["architecture.md"] = site.in_docs("architecture.md")
    made["license.md"] = "# Licence\n\n" + (ROOT / "LICENSE").read_text(encoding="utf-8")

    made["gallery.md"] = site.notebooks(gallery.page(made, files.get_file_from_path("gallery.md").content_string))
    made["sheet.md"] = sheet.page(made)
    for package, text in reference.pages():
        made[f"api/{package}.md"] = text
    for drawing in sorted((ROOT / "docs" / "pictures").glob("*.svg")):
        made |= themes.both_themes(f"pictures/{drawing.name}", drawing.read_text(encoding="utf-8"))

    for name, content in made.items():
        old = files.get_file_from_path(name)
        if old is not None:
            files.remove(old)
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """An image that was drawn in two themes is shown in that of the page; a page on its own needs no list of pages."""
    if page.parent is None:
        page.meta.setdefault("hide", ["navigation"])
    return themes.show_both_themes(markdown, page.file.src_uri, files)


class _Links:
    """The project's own pages lead to files; on the site each of those is a page, too."""

    def __init__(self, made: dict[str, str | bytes], pages: set[str]) -> None:
        self.made, self.pages = made, pages

    def included(self, name: str, *, heading: bool = True) -> str:
        text = (ROOT / name).read_text(encoding="utf-8")
        if not heading:
            text = re.sub(r"\A# .*\n", "", text)
        return re.sub(r"\]\(([^):#]+)(#[^)]*)?\)", lambda m: f"]({self.target(m[1])}{m[2] or ''})", text)

    def in_docs(self, name: str) -> str:
        """A page of this folder whose links lead out of it."""
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        return re.sub(r"\]\(\.\./([^):#]+)\)", lambda m: f"]({self.target(m[1])})", text)

    def target(self, path: str) -> str:
        if path in PAGES:
            return PAGES[path]
        if path == "LICENSE":
            return "license.md"
        if path.startswith("docs/") and path.endswith(".md"):
            return path.removeprefix("docs/")
        if path.endswith(".ipynb"):
            self.made[path] = (ROOT / path).read_bytes()
            return path
        if (ROOT / path).is_dir():
            return f"api/{path.split('/')[0]}.md"
        page = f"source/{path.removesuffix('.py')}.md"
        code = (ROOT / path).read_text(encoding="utf-8")
        self.made[page] = f'# {path}\n\n``````{{ .python linenums="1" }}\n{code}``````\n'
        return page

    def notebooks(self, text: str) -> str:
        """Links to notebooks lead to copies of them."""

        def link(found: re.Match[str]) -> str:
            return f"[Notebook {found[1][:2]}]({self.target(f'notebooks/{found[1]}')}){{ .notebook download }}"

        return re.sub(r"\[[^\]]*\]\(\.\./notebooks/([^)]+)\)", link, text)
