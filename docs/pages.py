"""The pages of the site, made from the files of this project, in a folder that Sphinx then reads.

Nothing on it is typed a second time. The README is a page, the lessons are the notebooks with what they store,
the gallery's code is run for its pictures, the derivative sheet is read from `autograd.SHEET`, and the reference from
the packages' own ``__all__`` and docstrings.

The site has two editions, each a folder of pages that Sphinx reads by itself. The Chinese one has the same pages under
the same names, made from the same files and their catalogues, and leads to the English one for what it has not got: the
reference and the source code.
"""

from __future__ import annotations

import json
import posixpath
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import gallery
import inventories
import reference
import sheet
import themes
import words

from autograd import parse
from nn import MLP, SGD, Adam, binary_cross_entropy, data
from translations import markdown
from translations.sources import in_language
from viz import explore, playground

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
# Files of the project that are pages of the site.
PAGES = {"README.md": "readme.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
CHINESE_README = "README.zh-CN.md"
_LINK = re.compile(r"\]\(([^):#\s]+)(#[^)]*)?\)")
_LIST_OF_PAGES = re.compile(r"^```\{toctree\}\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
ELSEWHERE = "site"  # how an address begins that leads to the other edition, see conf.py
JUPYTERLITE = "lite"  # the folder of the site in which the lessons run, see in_browser.py
_MARGIN = "---\norphan: true\n---\n\n"  # for a page that no list of pages has
Files = dict[str, str | bytes]


def stage(folder: Path, *, in_browser: bool = False) -> None:
    """Write what Sphinx needs for each edition into a folder of its own, ``en`` and ``zh``.

    ``in_browser`` adds the doors to the lessons that run there.
    """
    results = gallery.run_all((DOCS / "gallery.md").read_text(encoding="utf-8"))
    english = Pages(english_texts())
    chinese = Pages(*chinese_texts(), elsewhere=english)
    made = {pages.language: pages.made(results, in_browser=in_browser) for pages in (english, chinese)}
    known = {
        "both": sorted(
            {page_of(name) for name in made["en"]} & {page_of(name) for name in made["zh"]} - {""} | {"search"}
        ),
        "headings": english_headings(made["zh"], made["en"]),
    }
    for pages in (english, chinese):
        language, files = pages.language, made[pages.language]
        said = {
            "copyright": pages.say(words.COPYRIGHT),
            "search": pages.say(words.SEARCH),
            "more": pages.say(words.MORE),
        }
        files["editions.json"] = json.dumps({**known, "language": language, "said": said})
        for name, content in files.items():
            if name.endswith(".md"):
                content = themes.show_both_themes(str(content), files)
            path = folder / language / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        shutil.copytree(DOCS / "static", folder / language / "static")


def english_texts() -> dict[str, str]:
    """The Markdown files that are pages, by their paths in the project."""
    paths = [*(ROOT / name for name in PAGES), *sorted(DOCS.glob("*.md"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def chinese_texts() -> tuple[dict[str, str], str, Callable[[str], str]]:
    """Those of them that there are in Chinese, the language, and the Chinese of the words that programs write."""
    texts, say = in_language("zh")
    return {"README.md": (ROOT / CHINESE_README).read_text(encoding="utf-8"), **texts}, "zh", say


def english_headings(chinese: Files, english: Files) -> dict[str, str]:
    """What each heading is in English.

    Raises:
        ValueError: if one stands for two, so that nobody knows where a link to it leads.
    """
    found: dict[str, str] = {}
    for name in [name for name in chinese if name.endswith(".md") and name in english]:
        for there, here in zip(headings(str(chinese[name])), headings(str(english[name])), strict=True):
            if found.setdefault(there, here) != here:
                raise ValueError(f"{name}: “{there}” stands for “{here}” and for “{found[there]}”: name them apart")
    return found


def headings(text: str) -> list[str]:
    """The headings of a page, without marks such as those of code."""
    pieces = (piece for _, piece in markdown.parts(text) if re.match("#{1,6} ", piece))
    return [re.sub(r"^#+ |[`*\\]", "", piece).strip() for piece in pieces]


def page_of(file: str) -> str:
    """What Sphinx calls the page of a file; nothing for what is no page."""
    stem, _, end = file.rpartition(".")
    return stem if end in ("md", "rst", "ipynb") else ""


def live_picture(language: str) -> str:
    """The first picture of the lecture, for the first page."""
    return explore(parse("(x + y) * z", x=-2, y=5, z=-4), lang=language).to_html(page=False)


def moons(language: str) -> str:
    """The first page's playground: two half moons, and a network that has to part them."""
    X, y = data.moons(200, noise=0.1, seed=0)
    model = MLP(2, [8, 8, 1], seed=0)
    optimizers = [Adam(lr=0.03), SGD(lr=0.3)]
    ground = playground(model, X, y, loss=binary_cross_entropy, optimizer=optimizers, lang=language)
    return ground.to_html(page=False)


def raw(html: str) -> str:
    """HTML as it stands, in Markdown."""
    return f"````{{raw}} html\n{html}\n````"


def notebooks(language: str = "en") -> Iterator[Path]:
    """The lessons, in order."""
    yield from sorted((ROOT / "notebooks" / ("" if language == "en" else language)).glob("*.ipynb"))


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
    """The pages of one language. The project's files lead to files; on the site each of those is a page, too.

    Attributes:
        texts: the Markdown of each page, by the path of its file.
        language: the language, ``en`` or ``zh``.
        say: from English words to those of the language.
        elsewhere: the English pages, for those in another language: where theirs lead if they have no such page.
        files: what Sphinx reads: pages and pictures, by their names.
    """

    def __init__(
        self,
        texts: Mapping[str, str],
        language: str = "en",
        say: Callable[[str], str] = str,
        elsewhere: Pages | None = None,
    ) -> None:
        self.texts, self.language, self.say, self.elsewhere = texts, language, say, elsewhere
        self.names = {PAGES.get(name, name.removeprefix("docs/")) for name in texts} | {"sheet.md"}
        self.files: Files = {}

    def made(self, results: Mapping[str, gallery.Shown], *, in_browser: bool = False) -> Files:
        """All files, in this language; ``results`` are those of the gallery's code."""
        files = self.files
        for name, text in self.texts.items():
            files[PAGES.get(name, name.removeprefix("docs/"))] = self.linked(name, text)
        for name in ("index.md", "lessons.md"):
            files[name] = self.with_parts(str(files[name]), in_browser=in_browser and self.elsewhere is None)
        files["gallery.md"] = gallery.page(files, str(files["gallery.md"]), results, self.language, self.say)
        files["sheet.md"] = self.linked("docs/sheet.md", sheet.page(files, self.say))
        for drawing in sorted((DOCS / "pictures").glob("*.svg")):
            files |= themes.both_themes(f"pictures/{drawing.name}", drawing.read_text(encoding="utf-8"))
        for notebook in notebooks(self.language):
            files[f"lessons/{notebook.name}"] = lesson(notebook, in_browser=in_browser and self.elsewhere is None)
        if self.elsewhere is None:
            files["license.md"] = "# Licence\n\n" + (ROOT / "LICENSE").read_text(encoding="utf-8")
            files |= {f"api/{package}.rst": text for package, text in reference.pages()}
        else:
            for name in self.names:
                files[name] = _LIST_OF_PAGES.sub(self._list_of_pages, str(files[name]))
            theme = ROOT / "translations" / self.language / "docs" / "theme.po"
            files["locales/zh_CN/LC_MESSAGES/sphinx.po"] = theme.read_bytes()
        return files | inventories.files()

    def with_parts(self, text: str, *, in_browser: bool) -> str:
        """A page with what stands in it as ``<!-- name -->``."""
        parts: dict[str, Callable[[], str]] = {
            "live picture": lambda: raw(live_picture(self.language)),
            "playground": lambda: raw(moons(self.language)),
            "first lesson": lambda: raw(door(next(notebooks()), "Run the first lesson here")) if in_browser else "",
        }
        return re.sub(r"<!-- ([\w ]+) -->", lambda found: parts[found[1]](), text)

    def linked(self, name: str, text: str) -> str:
        """A page whose links lead to pages; ``name`` is its place in the project."""
        if name == "README.md":
            text = re.sub(r"\A# .*", self.say(words.READ_ME), text)

        def target(found: re.Match[str]) -> str:
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), found[1]))
            if name.startswith("docs/") and not (ROOT / path).exists():
                return found[0]  # code that looks like a link, or a place on the site
            return f"]({self.target(path)}{found[2] or ''})"

        return _LINK.sub(target, text)

    def target(self, path: str) -> str:
        """Where a path of the project leads to on the site."""
        if path == CHINESE_README:
            return "readme.md" if self.elsewhere else f"{ELSEWHERE}:zh/readme.html"
        if self.elsewhere is None:
            return self._page(path)
        page = self.elsewhere.target(path)
        has_it = page in self.names or page.startswith(("lessons/", "pictures/"))
        return page if has_it else f"{ELSEWHERE}:../{page_of(page)}.html"

    def _page(self, path: str) -> str:
        if path in PAGES:
            return PAGES[path]
        if path == "LICENSE":
            return "license.md"
        if path.startswith("docs/") and not path.endswith((".py", ".js")):
            return path.removeprefix("docs/")
        if path.endswith(".ipynb"):
            return f"lessons/{path.removeprefix('notebooks/').removeprefix('zh/')}"
        if (ROOT / path).is_dir():
            return f"api/{path.split('/')[0]}.rst"
        page = f"source/{path.removesuffix('.py')}.md"
        code = (ROOT / path).read_text(encoding="utf-8")
        language = {".js": "javascript", ".css": "css"}.get(Path(path).suffix, "python")
        self.files[page] = f"{_MARGIN}# {path}\n\n``````{{code-block}} {language}\n:linenos:\n\n{code}``````\n"
        return page

    def _list_of_pages(self, found: re.Match[str]) -> str:
        """A list of pages without those that there are in English only; these follow behind it, as links."""
        entries = found[1].split("\n")
        gone = [entry for entry in entries if re.fullmatch(r"[\w/-]+", entry) and f"{entry}.md" not in self.names]
        here = [entry for entry in entries if entry not in gone]
        listed = "\n".join(["```{toctree}", *here, "```"]) if here else ""
        return "\n".join([listed, "", *(f"- [{page}]({ELSEWHERE}:../{page}.html)" for page in gone)])
