"""The pages of the site, made from the files of this project, in a folder that Sphinx then reads.

Nothing on it is typed a second time. The README is a page, the lessons are the notebooks with what they store,
the gallery's code is run for its pictures, the derivative sheet is read from `autograd.SHEET`, and the reference from
the packages' own ``__all__`` and docstrings.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import gallery
import inventories
import reference
import sheet
import themes

from autograd import parse
from nn import MLP, SGD, Adam, binary_cross_entropy, data
from viz import explore, playground
from viz.live.exploring import Explorer
from viz.live.playgrounds import Playground

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
# Files of the project that are pages of the site.
PAGES = {
    "README.md": "readme.md",
    "README.zh-CN.md": "readme.zh.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
_LINK = re.compile(r"\]\(([^):#\s]+)(#[^)]*)?\)")
JUPYTERLITE = "lite"  # the folder of the site in which the lessons run, see in_browser.py
_MARGIN = "---\norphan: true\n---\n\n"  # for a page that no list of pages has


def stage(folder: Path, *, in_browser: bool = False) -> None:
    """Write everything that Sphinx needs into a folder; ``in_browser`` adds the doors to the lessons that run there."""
    pages = Pages()
    made: dict[str, str | bytes] = {"license.md": "# Licence\n\n" + (ROOT / "LICENSE").read_text(encoding="utf-8")}
    first = (DOCS / "index.md").read_text(encoding="utf-8")
    parts = {
        "live picture": raw(live_picture().to_html(page=False)),
        "playground": raw(moons().to_html(page=False)),
        "first lesson": raw(door(next(notebooks()), "Run the first lesson here")) if in_browser else "",
    }
    for name, text in parts.items():
        first = first.replace(f"<!-- {name} -->", text)
    made["index.md"] = first
    for name, page in PAGES.items():
        made[page] = pages.of_the_project(name)
    for path in sorted(DOCS.glob("*.md")):
        if path.name not in ("index.md", "gallery.md"):
            made[path.name] = pages.of_docs(path.read_text(encoding="utf-8"))
    made["gallery.md"] = pages.of_docs(gallery.page(made, (DOCS / "gallery.md").read_text(encoding="utf-8")))
    made["sheet.md"] = pages.of_docs(sheet.page(made))
    for package, text in reference.pages():
        made[f"api/{package}.rst"] = text
    made |= pages.sources
    made |= inventories.files()
    for drawing in sorted((DOCS / "pictures").glob("*.svg")):
        made |= themes.both_themes(f"pictures/{drawing.name}", drawing.read_text(encoding="utf-8"))
    for notebook in notebooks():
        made[f"lessons/{notebook.name}"] = lesson(notebook, in_browser=in_browser)
    for notebook in notebooks("zh"):
        made[f"lessons/zh/{notebook.name}"] = lesson(notebook, in_browser=False)
    for name, content in made.items():
        if name.endswith(".md"):
            content = themes.show_both_themes(str(content), made)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    shutil.copytree(DOCS / "static", folder / "static")


def live_picture() -> Explorer:
    """The first picture of the lecture, for the first page."""
    return explore(parse("(x + y) * z", x=-2, y=5, z=-4))


def moons() -> Playground:
    """The first page's playground: two half moons, and a network that has to part them."""
    X, y = data.moons(200, noise=0.1, seed=0)
    model = MLP(2, [8, 8, 1], seed=0)
    optimizers = [Adam(lr=0.03), SGD(lr=0.3)]
    return playground(model, X, y, loss=binary_cross_entropy, optimizer=optimizers)


def raw(html: str) -> str:
    """HTML as it stands, in Markdown."""
    return f"````{{raw}} html\n{html}\n````"


def notebooks(language: str = "") -> Iterator[Path]:
    """The lessons, in order."""
    yield from sorted((ROOT / "notebooks" / language).glob("*.ipynb"))


def lesson(path: Path, *, in_browser: bool) -> str:
    """A notebook without its first cell, which only those need who run it, and with a door to where it runs."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    first = notebook["cells"].pop(0)
    if 'find_spec("viz") is None' not in "".join(first["source"]):
        raise ValueError("the first cell of a notebook installs chainrule where it is missing")
    if in_browser and "raise ImportError" not in "".join(first["source"]):  # it needs no more than chainrule
        here = door(path, "Run this lesson here", up="../")
        notebook["cells"].insert(1, {"cell_type": "markdown", "id": "run-here", "metadata": {}, "source": here})
    return json.dumps(notebook)


def door(path: Path, words: str, up: str = "") -> str:
    """A link to the place where a lesson runs, from a page of the site; ``up`` leads to the site's root."""
    href = f"{up}{JUPYTERLITE}/notebooks/index.html?path={path.name}"
    return f'<p class="run-here"><a href="{href}">{words}</a> in your browser; nothing is installed.</p>'


class Pages:
    """The project's own pages lead to files; on the site each of those is a page, too.

    Attributes:
        sources: the pages of source code that others lead to.
    """

    def __init__(self) -> None:
        self.sources: dict[str, str | bytes] = {}

    def of_the_project(self, name: str) -> str:
        """A page that stands in the project's folder."""
        text = (ROOT / name).read_text(encoding="utf-8")
        if name == "README.md":
            text = re.sub(r"\A# .*", "# Read me", text)
        return _LINK.sub(lambda m: f"]({self.target(m[1])}{m[2] or ''})", text)

    def of_docs(self, text: str) -> str:
        """A page of this folder: what leads out of it leads to a page, too."""
        text = re.sub(r"\]\(\.\./([^):#\s]+)(#[^)]*)?\)", lambda m: f"]({self.target(m[1])}{m[2] or ''})", text)
        return re.sub(r"\]\(source/([\w/]+)\.md\)", lambda m: f"]({self.target(m[1] + '.py')})", text)

    def target(self, path: str) -> str:
        """Where a path of the project leads to on the site."""
        if path in PAGES:
            return PAGES[path]
        if path == "LICENSE":
            return "license.md"
        if path.startswith("docs/") and not path.endswith((".py", ".js")):
            return path.removeprefix("docs/")
        if path.endswith(".ipynb"):
            return f"lessons/{path.removeprefix('notebooks/')}"
        if (ROOT / path).is_dir():
            return f"api/{path.split('/')[0]}.rst"
        page = f"source/{path.removesuffix('.py')}.md"
        code = (ROOT / path).read_text(encoding="utf-8")
        language = {".js": "javascript", ".css": "css"}.get(Path(path).suffix, "python")
        self.sources[page] = f"{_MARGIN}# {path}\n\n``````{{code-block}} {language}\n:linenos:\n\n{code}``````\n"
        return page
