"""The documentation's site. Building it (`docs/build_site.py`) runs the gallery; here is what a build cannot see."""

from __future__ import annotations

import ast
import importlib
import os
import re
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

import autograd
from autograd import Value
from viz import draw_graph

if TYPE_CHECKING:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import Browser

DOCS = Path(__file__).resolve().parents[2] / "docs"
Script = Callable[[str], Any]  # the name of one of the site's scripts → the module
CURRICULUM = [f"{part}{k}" for part, count in (("A", 10), ("B", 18), ("C", 7)) for k in range(1, count + 1)]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    """Imports one of the site's scripts by name."""
    monkeypatch.syspath_prepend(str(DOCS))

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    return load


@pytest.fixture
def lessons(script: Script) -> list[Any]:
    return list(script("gallery").lessons((DOCS / "gallery.md").read_text(encoding="utf-8")))


def test_every_lesson_of_the_curriculum_is_in_the_gallery_once_and_in_order(lessons: list[Any]) -> None:
    beyond = ["D1", "D2", "D3", "E1", "E2", "E3", "E4"]  # how networks are drawn; what the lectures do not have
    assert [lesson.row for lesson in lessons] == [*CURRICULUM, *beyond]


def test_every_lesson_says_what_it_is_about_shows_a_picture_and_asserts_its_figures(lessons: list[Any]) -> None:
    for lesson in lessons:
        words = lesson.text.partition("[notebook]")[0]
        assert len(re.findall(r"[.:?!](?:\s|$)", words)) >= 2, f"{lesson.row}: two sentences"
        assert re.search(r"\[notebook\]\(\.\./notebooks/\d\d-[a-z0-9-]+\.ipynb\)", lesson.text), lesson.row
        assert len(lesson.alt) > 30, f"{lesson.row}: what the picture shows, for whoever cannot see it"
        assert any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(lesson.code))), lesson.row


def test_a_lesson_whose_figure_is_wrong_stops_the_build(script: Script) -> None:
    gallery = script("gallery")
    wrong = gallery.Lesson("A0", "Wrong", "<!-- picture: none -->\n```python\nx = 1\nassert x == 2\nx\n```\n")
    with pytest.raises(AssertionError) as caught:
        gallery.run(wrong)
    assert caught.value.__notes__ == ["in gallery.md, lesson A0"]
    shown, printed = gallery.run(gallery.Lesson("A0", "", "```python\nprint('seen')\n6 * 7\n```\n"))
    assert (shown, printed) == ({"en": 42}, "seen\n")


def test_a_lesson_without_a_picture_or_with_two_programs_is_refused(script: Script) -> None:
    gallery = script("gallery")
    with pytest.raises(ValueError, match="A0 .* must have one place for a picture"):
        _ = gallery.Lesson("A0", "", "words").alt
    with pytest.raises(ValueError, match="A0 .* must have one block of Python, but has 2"):
        _ = gallery.Lesson("A0", "", "```python\n1\n```\n```python\n2\n```\n").code
    with pytest.raises(ValueError, match="must end in the picture"):
        gallery.run(gallery.Lesson("A0", "", "```python\nx = 1\n```\n"))


def test_a_drawing_becomes_a_light_and_a_dark_picture(script: Script) -> None:
    themes = script("themes")
    x = Value(2.0, label="x")
    both = themes.both_themes("folder/name.svg", draw_graph(x * x).svg)
    assert list(both) == ["folder/name.light.svg", "folder/name.dark.svg"]
    light, dark = both.values()
    assert "@media" not in light
    assert "@media" not in dark
    assert themes.DARK["card"] not in light
    assert dark.index(themes.LIGHT["card"]) < dark.index(themes.DARK["card"])  # the rules that come last hold


def test_a_plot_is_turned_dark_without_touching_its_colours(script: Script) -> None:
    themes = script("themes")
    card, ink = themes.DARK["card"], themes.DARK["ink"]
    light = f'<svg ><path style="fill: {themes.LIGHT["value"].upper()}; stroke: #0072b2"/><path style="fill: #000000"/>'
    assert themes.recolour(light) == (
        f'<svg fill="{ink}" ><path style="fill: {themes.DARK["value"]}; stroke: #0072b2"/><path style="fill: {ink}"/>'
    )
    assert themes.recolour("#FFFFFF") == card
    between = [
        int(a, 16) + int(b, 16) for a, b in zip(re.findall("..", card[1:]), re.findall("..", ink[1:]), strict=True)
    ]
    grey = themes.recolour("#808080")
    assert [int(c, 16) for c in re.findall("..", grey[1:])] == pytest.approx([x / 2 for x in between], abs=1)


def test_the_sheets_page_has_every_operation_with_its_formulas_and_a_picture(script: Script) -> None:
    pytest.importorskip("latex2mathml")
    pytest.importorskip("docutils")
    made: dict[str, str] = {}
    page = script("sheet").page(made)
    for name in autograd.ops.BUILT_IN:
        section = re.search(rf"^\({name}\)=\n## {name}\n(.*?)(?=^\(\w+\)=\n## |\Z)", page, re.MULTILINE | re.DOTALL)
        assert section is not None, name
        assert section[1].count("<math") == 1 + len(autograd.SHEET[name].partial_latex)
        assert f'Op(\n    "{name}",' in section[1]
        assert f"(sheet/{name}.svg)" in section[1]
        assert {f"sheet/{name}.light.svg", f"sheet/{name}.dark.svg"} <= set(made)
        assert f"](#{name})" in page
    assert "\\" not in re.sub(r"```.*?```", "", page, flags=re.DOTALL).replace("\\*", "")  # no LaTeX is left over


def test_a_plot_breaks_its_line_at_a_jump_and_dots_what_is_taken_there(script: Script) -> None:
    pytest.importorskip("latex2mathml")
    pytest.importorskip("docutils")
    sheet = script("sheet")
    relu = sheet.picture(autograd.SHEET["relu"])
    assert path(relu, "slope").count("M") == 2
    assert path(relu, "value").count("M") == 1
    assert relu.count('class="dot"') == 1
    assert f'cx="{sheet._x(0):g}" cy="{sheet._y(0):g}"' in relu
    reciprocal = sheet.picture(autograd.SHEET["reciprocal"])
    assert path(reciprocal, "value").count("M") == 2
    assert re.fullmatch(r"[ML\d.,]+", path(reciprocal, "slope"))


def path(svg: str, kind: str) -> str:
    return re.search(f'class="{kind}" d="([^"]+)"', svg)[1]


@pytest.mark.parametrize("package", ["autograd", "nn", "viz"])
def test_the_reference_has_every_public_name(script: Script, package: str) -> None:
    module = importlib.import_module(package)
    page = script("reference").page(module)
    for name in module.__all__:
        thing = getattr(module, name)
        for public in getattr(thing, "__all__", ()) if isinstance(thing, ModuleType) else [name]:
            pattern = rf"^\.\. auto(function|class|exception|data|module):: {package}(\.\w+)*\.{public}$"
            assert re.search(pattern, page, re.MULTILINE), f"{package}.{name}: {public}"


def test_docstrings_mean_what_they_say(script: Script) -> None:
    docstrings = script("docstrings")
    escaped = docstrings.escaped
    assert escaped("x**2 and y**2, not `x**2`") == r"x\*\*2 and y\*\*2, not ``x**2``"
    assert escaped("|x| and the name x_, ``as_it_is_``") == r"\|x\| and the name x\_, ``as_it_is_``"
    assert escaped("* a list, 2*3") == r"* a list, 2\*3"
    assert docstrings.converted(["As in", "", "    y = x**2", "", "x**2"]) == [
        "As in",
        "",
        "::",
        "",
        "    y = x**2",
        "",
        r"x\*\*2",
    ]
    assert docstrings.converted(["Args:", "    x: x**2", "", "        a table*"])[1:] == [
        r"    x: x\*\*2",
        "",
        r"        a table\*",
    ]


def test_the_same_site_is_packed_into_the_same_archive(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("myst_nb")
    pack = script("build_site").pack
    archives = []
    for k, order in enumerate((["index.html", "a/b.wasm"], ["a/b.wasm", "index.html"])):
        folder = tmp_path / f"site{k}"
        for name in order:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(name.encode())
            os.utime(folder / name, (k * 10**9, k * 10**9))
        (tmp_path / str(k)).mkdir()
        archives.append(tmp_path / str(k) / "campus.zip")
        pack(folder, archives[-1])
    first, second = archives
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as packed:  # in a folder of its own, readable for everybody
        assert packed.namelist() == ["campus/a/b.wasm", "campus/index.html"]
        assert packed.read("campus/index.html") == b"index.html"
        assert {info.external_attr >> 16 for info in packed.infolist()} == {0o644}


# --- the built site


class Page(HTMLParser):
    """What a page refers to, and the places in it that others can refer to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in ("script", "img", "iframe", "source", "video", "audio", "object", "embed"):
            self.loaded.append(given.get("src") or given.get("data", ""))
        elif tag == "link" and given.get("rel") not in ("canonical", "search", "next", "prev", "index", "author"):
            self.loaded.append(given.get("href", ""))


@pytest.mark.slow
def test_every_link_leads_somewhere_and_nothing_is_loaded_from_another_host(site: Path) -> None:
    pages = {path: Page(path) for path in site.rglob("*.html") if "_static" not in path.parts}
    assert len(pages) > 40
    for path, page in pages.items():
        for link in [*page.links, *page.loaded]:
            where = urlsplit(link)
            if where.scheme in ("http", "https") or where.netloc:
                assert link not in page.loaded, f"{path} loads {link}"
                continue
            if where.scheme in ("data", "mailto") or not link:
                continue
            target = (path.parent / unquote(where.path)).resolve() if where.path else path
            assert target.exists(), f"{path}: {link}"
            if where.fragment and target in pages:
                assert unquote(where.fragment) in pages[target].places, f"{path}: {link}"


@pytest.mark.slow
def test_lessons_are_pages_with_what_they_show(site: Path) -> None:
    for notebook in (DOCS.parent / "notebooks").glob("*.ipynb"):
        page = (site / "lessons" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        assert "is missing it is installed" not in page  # the cell that installs is for those who run it
        assert "cell_output" in page


def test_no_page_has_a_list_of_its_neighbours_in_which_nothing_stands(site: Path) -> None:
    pages = [path for path in site.rglob("*.html") if "lite" not in path.relative_to(site).parts]
    assert len(pages) > 60
    empty = '<div class="bd-toc-item navbar-nav"></div>'
    assert [str(path.relative_to(site)) for path in pages if empty in path.read_text(encoding="utf-8")] == []


NOT_CHINESE = re.compile(r"api/|source/|lite/|_static/|license|genindex|py-modindex")
ALTERNATE = re.compile(r'<link rel="alternate" hreflang="([\w-]+)" href="([^"]+)"/>')


def test_every_page_but_the_reference_and_the_source_is_there_in_chinese_and_the_two_lead_to_each_other(
    site: Path,
) -> None:
    names = [path.relative_to(site).as_posix() for path in site.rglob("*.html")]
    english = [name for name in names if not name.startswith("zh/") and not NOT_CHINESE.match(name)]
    assert len(english) > 40
    for name in english:
        pages = {"en": site / name, "zh-CN": site / "zh" / name}
        for language, path in pages.items():
            page = path.read_text(encoding="utf-8")
            assert f'<html lang="{language}"' in page, path
            told = {code: (path.parent / address).resolve() for code, address in ALTERNATE.findall(page)}
            assert told == {code: other.resolve() for code, other in pages.items()}, path
            switches = set(
                re.findall(r'class="edition nav-link" href="[^"]+" hreflang="([\w-]+)" lang="\1">(\w+)', page)
            )
            assert switches == {("en", "English") if language == "zh-CN" else ("zh-CN", "中文")}
    for name in (site / "api").glob("*.html"):
        assert not ALTERNATE.findall(name.read_text(encoding="utf-8"))


def test_chinese_pages_have_chinese_words_in_all_their_parts(site: Path) -> None:
    first, lesson, sheet, gallery = (
        (site / "zh" / f"{name}.html").read_text(encoding="utf-8")
        for name in ("index", "lessons/01-a-graph-by-hand", "sheet", "gallery")
    )
    for word in ("导数表", "更多", "搜索", "轻推一下", "学习率"):  # lists, theme, live picture, playground
        assert word in first
    assert "要点" in lesson and "CHAINRULE_LANG" not in lesson
    assert "注意：在 0 处导数取 0。" in sheet and "它打印出" in gallery
    assert 'href="../source/autograd/ops.html"' in sheet  # what is there in English only


def test_a_place_on_a_chinese_page_is_called_as_on_the_english_one(site: Path) -> None:
    english, chinese = Page(site / "compile.html"), Page(site / "zh" / "compile.html")
    assert {"what-it-writes", "how-fast"} <= english.places & chinese.places
    assert "a1--a-graph-by-hand" in Page(site / "zh" / "gallery.html").places


def test_a_heading_that_stands_for_two_is_refused(script: Script) -> None:
    for needed in ("babel", "docutils", "latex2mathml", "matplotlib"):
        pytest.importorskip(needed)
    pages = script("pages")
    english: dict[str, Any] = {"a.md": "# One\n\n```python\n# no heading\n```\n", "b.md": "# `Two`\n"}
    assert pages.english_headings({"a.md": "# 一\n", "b.md": "# 二\n"}, english) == {"一": "One", "二": "Two"}
    with pytest.raises(ValueError, match="“一” stands for “Two” and for “One”"):
        pages.english_headings({"a.md": "# 一\n", "b.md": "# 一\n"}, english)


@pytest.mark.slow
@pytest.mark.parametrize("words", ["反向传播", "梯度", "softmax"])
def test_chinese_pages_are_found_by_chinese_words(address: str, chromium: Browser, words: str) -> None:
    page = chromium.new_page()
    page.goto(f"{address}zh/search.html?q={words}")
    page.get_by_text("搜索完成").first.wait_for()
    assert page.locator("#search-results li").count() > 9
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["index", "compile", "teaching", "sheet", "conventions"])
def test_nothing_of_a_chinese_page_hangs_over_the_edge_of_a_phone(address: str, chromium: Browser, name: str) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{address}zh/{name}.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_pass_axe_and_load_nothing_from_elsewhere(site: Path, chromium: Browser, axe: Axe, scheme: Any) -> None:
    names = "index readme gallery sheet compile lessons reference project conventions api/autograd".split()
    names += ["zh/index", "zh/sheet", "zh/project"]
    page = chromium.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in [*names, "lessons/01-a-graph-by-hand"]:
        page.goto((site / f"{name}.html").as_uri())
        found = axe.run(page).response["violations"]
        assert not found, (name, [(v["id"], v["nodes"][0]["html"][:200]) for v in found])
    page.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


# --- the site as a server gives it out, to a browser that reaches nothing else

IMAGES = """async () => {
    const images = [...document.images].filter((image) => image.checkVisibility());
    for (const image of images) image.loading = "eager";
    await Promise.all(images.map((image) => image.decode().catch(() => {})));
    return images.filter((image) => !image.naturalWidth).map((image) => image.src.slice(0, 200));
}"""


@pytest.mark.slow
def test_every_page_works_with_the_network_cut(site: Path, address: str, chromium: Browser) -> None:
    """Every picture is shown, every script runs, and nothing is asked for that the site has not got."""
    page = chromium.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    page.on("response", lambda got: wrong.append(f"{got.status} {got.url}") if got.status >= 400 else None)
    # what is still on its way when the next page is opened is given up: that is no failure
    given_up = "net::ERR_ABORTED"
    page.on("requestfailed", lambda a: None if a.failure == given_up else wrong.append(f"{page.url} asks for {a.url}"))
    paths = sorted(path for path in site.rglob("*.html") if not {"_static", "lite"} & set(path.parts))
    assert len(paths) > 40
    for path in paths:
        page.goto(address + path.relative_to(site).as_posix(), wait_until="load")
        assert page.evaluate(IMAGES) == [], path
    page.close()
    assert wrong == []


@pytest.mark.slow
def test_live_pictures_in_lessons_work_too(address: str, chromium: Browser) -> None:
    page = chromium.new_page()
    page.goto(f"{address}lessons/01-a-graph-by-hand.html")
    player = page.locator(".cr-player").first
    before = player.inner_text()
    player.get_by_role("button", name="Next step").click()
    assert player.inner_text() != before
    page.close()


START = """
new MutationObserver((_, observer) => {
    if (!document.querySelector(".cr-player [role=spinbutton]")) return;
    window.aliveAt = performance.now();
    observer.disconnect();
}).observe(document, { childList: true, subtree: true });
"""


@pytest.mark.slow
def test_the_first_live_picture_is_there_at_once_and_the_start_page_is_small(address: str, chromium: Browser) -> None:
    ours = {path.name for path in (DOCS / "static").iterdir()}
    page = chromium.new_page(viewport={"width": 1280, "height": 720})
    page.add_init_script(START)
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(address, wait_until="networkidle")
    sizes = {urlsplit(answer.url).path: len(answer.body()) for answer in answers}
    own = {path: size for path, size in sizes.items() if "/_static/" not in path or Path(path).name in ours}
    assert any(path.endswith(".css") for path in own)
    assert sum(own.values()) < 200_000, own
    loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert page.evaluate("window.aliveAt") - loaded < 1000  # milliseconds
    box = page.locator(".cr-player svg").first.bounding_box()
    assert box is not None and box["y"] + box["height"] < 720  # on the first screen, whole
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_on_the_start_page_a_number_is_dragged_without_a_click_before(
    address: str, chromium: Browser, width: int
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 720})
    page.goto(address)
    leaf, values = page.locator(".cr-player [role=spinbutton]").first, page.locator(".cr-player .value")
    before = values.all_text_contents()
    leaf.scroll_into_view_if_needed()
    box = leaf.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=4)
    page.mouse.up()
    changed = [values.nth(k).filter(has_not_text=re.compile(f"^{before[k]}$")) for k in (0, -1)]
    for value in changed:  # the number, and the result
        value.wait_for(state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= width  # nothing hangs over the edge
    page.close()


@pytest.mark.slow
def test_on_the_start_page_a_network_learns_after_one_click(address: str, chromium: Browser) -> None:
    page = chromium.new_page()
    page.goto(address)
    page.locator(".cr-playground [data-act=play]").click()
    page.locator(".cr-playground[data-epoch]:not([data-epoch='0']):not([data-epoch='1'])").wait_for(state="attached")
    page.close()


@pytest.mark.slow
def test_opened_as_a_file_a_page_says_how_lessons_run(site: Path, lite: Path, chromium: Browser) -> None:
    assert lite.is_dir()
    page = chromium.new_page()
    page.goto((site / "lessons/01-a-graph-by-hand.html").as_uri())
    assert page.locator(".run-here a").count() == 0
    assert "python3 -m http.server" in page.locator(".run-here").inner_text()
    page.close()
