"""Pictures in other programs than a browser: slides, converters, exports of notebooks, and files of every kind."""

from __future__ import annotations

import base64
import importlib.util
import io
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from autograd import Value
from viz import draw_derivation, draw_graph, draw_maps, step_maps, step_through
from viz.markup import DARK, LIGHT, with_attributes
from viz.picture import NARROW, Picture

from .graphs import SAMPLES, many_operations, network, product_of_a_sum, sigmoid_gate
from .reading import SVG

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]


def maps(**options: Any) -> Picture:
    return draw_maps([[1.0, -2.0, 3.0], [0.0, float("nan"), 1.0]], kernel=[[1.0, -1.0]], window=(0, 1), **options)


def pictures(**options: Any) -> dict[str, str]:
    """A picture of each kind."""
    drawn = {
        "a graph": draw_graph(product_of_a_sum(), **options),
        "all kinds of parts": draw_graph(many_operations(), local=True, **options),
        "frames": draw_graph(network(3, 2), rankdir="TB", **options),
        "folded": draw_graph(network(3, 2), depth=1, **options),
        "maps": maps(**options),
        "a derivation": draw_derivation(product_of_a_sum(), "x", **options),
        "a step": step_through(product_of_a_sum(), **options).frames[5],
        "a step of maps": step_maps([[1.0, -2.0]], kernel=[[2.0]], **options).frames[1],
    }
    return {name: picture.svg for name, picture in drawn.items()}


def few(drawn: dict[str, str]) -> dict[str, str]:
    """Small ones, and no two of a kind: a browser and another program take their time."""
    return {name: drawn[name] for name in ("a graph", "maps", "a derivation", "a step")}


# --- what stands in the SVG


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_each_part_says_its_own_colours_and_sizes(theme: str) -> None:
    colours = DARK if theme == "dark" else LIGHT
    for name, svg in pictures(theme=theme).items():
        root = ET.fromstring(svg)
        assert root.get("font-family") and root.get("font-size")
        around = {child: parent for parent in root.iter() for child in parent}
        for element in root.iter():
            kind = element.tag.removeprefix(SVG)
            if kind in ("rect", "circle", "path"):
                given = {**(around[element].attrib if kind == "path" else {}), **element.attrib}
                assert {given["fill"], given.get("stroke", "none")} <= {*colours.values(), "none"}, name
            elif kind == "text":
                assert element.get("fill") in colours.values(), name
        assert "dominant-baseline" not in svg and "paint-order" not in svg


def test_no_rule_for_the_dark_can_be_taken_for_another_by_who_does_not_know_media_queries() -> None:
    for svg in pictures().values():
        (style,) = re.findall("<style>\n(.*?)</style>", svg, re.DOTALL)
        first, *rules, end, rest = style.split("\n")
        assert (first, end, rest) == ("@media (prefers-color-scheme:dark){", "}", "")
        assert rules and all(re.match(r'#chainrule-\w+ \[(fill|stroke)="#\w{6}"\]\{', rule) for rule in rules)


def test_no_two_parts_share_a_light_colour_and_differ_in_the_dark() -> None:
    assert len(set(LIGHT.values())) == len(LIGHT) == len(DARK)


def test_a_text_of_several_pieces_begins_at_a_place_of_its_own() -> None:
    """As some programs centre each piece by itself."""
    rules = " text{fill:#000}\n .name{font-size:10px}\n"
    named = '<text class="v" x="50" y="9" text-anchor="end"><tspan>q  </tspan>12</text>'
    before, after = ET.fromstring(f"<a>{with_attributes(named, rules)}</a>")
    assert (before.text, before.get("text-anchor"), after.text, after.get("text-anchor")) == ("q", "end", "12", "end")
    assert float(before.attrib["x"]) < 50 - 13 and after.get("x") == "50"
    middle = '<text class="name" x="50" y="9" text-anchor="middle">w<tspan dy="3">12</tspan></text>'
    (index,) = ET.fromstring(f"<a>{with_attributes(middle, rules)}</a>")
    assert (index.get("text-anchor"), index.get("y")) == ("start", "12.5")
    assert 38 < float(index.attrib["x"]) < 46


# --- how it looks


def seen(page: Page, svg: str) -> bytes:
    root = ET.fromstring(svg)
    page.set_viewport_size({k: int(float(root.attrib[k])) + 1 for k in ("width", "height")})  # type: ignore[arg-type]
    page.set_content(f"<style>body{{margin:0}}</style>{svg}")
    return page.screenshot()


def test_in_the_light_a_browser_needs_no_rule(chromium: Browser) -> None:
    page = chromium.new_page(color_scheme="light")
    for name, svg in pictures().items():
        assert seen(page, svg) == seen(page, re.sub("<style>.*?</style>", "", svg, flags=re.DOTALL)), name
    page.close()


def test_in_the_dark_a_browser_shows_what_the_dark_theme_is(chromium: Browser) -> None:
    page = chromium.new_page(color_scheme="dark")
    dark = pictures(theme="dark")
    for name, svg in few(pictures()).items():
        assert seen(page, svg) == seen(page, dark[name]), name
    page.close()


@pytest.fixture(scope="module")
def elsewhere() -> ModuleType:
    pytest.importorskip("matplotlib")
    spec = importlib.util.spec_from_file_location("render_elsewhere", ROOT / "scripts" / "render_elsewhere.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("program", ["rsvg-convert", "vl_convert"])
def test_another_program_shows_what_a_browser_shows(
    program: str, chromium: Browser, elsewhere: ModuleType, tmp_path: Path
) -> None:
    if program == "vl_convert":
        pytest.importorskip("vl_convert")
    elif not shutil.which(program):
        pytest.skip("rsvg-convert is not installed")
    page = chromium.new_page(color_scheme="light")
    for name, svg in few(pictures()).items():
        ours, theirs = [], []
        for what in (elsewhere.shapes, elsewhere.texts):
            file = tmp_path / "picture.svg"
            file.write_text(what(svg), encoding="utf-8")
            (elsewhere.ours if program == "vl_convert" else elsewhere.librsvg)(program, [file])
            theirs.append(elsewhere.read(file))
            file.with_suffix(".png").write_bytes(seen(page, what(svg)))
            ours.append(elsewhere.read(file))
        assert elsewhere.differing(ours[0], theirs[0])[0] <= elsewhere.MOST_PIXELS, name
        assert elsewhere.shift(svg, ours[1], theirs[1]) <= elsewhere.MOST_SHIFT, name
    page.close()


# --- paper


def test_a_picture_can_do_without_its_paper_or_have_another(tmp_path: Path) -> None:
    for draw in (lambda **given: draw_graph(product_of_a_sum(), **given), maps):
        card, none, cream, night = (draw(background=b) for b in ("card", "none", "#fff8e7", "#123"))
        assert card.svg == draw().svg
        assert 'class="card"' in card.svg and 'class="card"' not in none.svg + cream.svg + night.svg
        assert none.svg.count("<rect") == card.svg.count("<rect") - 1
        assert re.search('<rect class="paper"[^>]* fill="#fff8e7" stroke="#d8dce2"/>', cream.svg)
        assert f'fill="{LIGHT["ink"]}"' in cream.svg and f'fill="{DARK["ink"]}"' in night.svg
        assert "@media" not in cream.svg + night.svg and "@media" in none.svg  # what can be read is decided
        assert none.svg == none.save(tmp_path / "f.svg").read_text(encoding="utf-8")
        assert 'class="card"' not in none._fixed_theme()
    assert "bgcolor=transparent" in draw_graph(product_of_a_sum(), background="none").to_dot().source
    assert draw_graph(product_of_a_sum(), background="#123", theme="light").svg.count(DARK["ink"]) == 0


@pytest.mark.parametrize("given", ["white", "transparent", "#12345", "#ggg", "", None, 3, "url(x)", '#fff" onload="x'])
def test_a_background_that_is_no_colour_is_one_clear_error(given: Any) -> None:
    with pytest.raises(ValueError, match="background must be 'card', 'none' for a picture without paper, or") as caught:
        draw_graph(Value(1.0), background=given)
    if given == "transparent":
        assert str(caught.value).endswith("but got 'transparent'; did you mean 'none'?")
    with pytest.raises(ValueError, match="background must be"):
        maps(background=given)


# --- files


def test_a_player_is_saved_as_a_film(tmp_path: Path) -> None:
    Image = pytest.importorskip("PIL.Image")
    pytest.importorskip("vl_convert")
    player = step_through(product_of_a_sum())
    file = player.save(tmp_path / "steps.gif", scale=1)
    film = Image.open(file)
    assert (film.n_frames, film.info["loop"]) == (len(player), 0)
    width, height = (float(n) for n in re.findall(r'(?:width|height)="([\d.]+)"', player.frames[0].svg)[:2])
    assert abs(film.width - width) <= 1 and abs(film.height - height) <= 1
    shown = set()
    for k in range(film.n_frames):
        film.seek(k)
        shown.add(film.convert("RGB").tobytes())
    assert len(shown) == len(player)
    assert player.save(tmp_path / "again.gif", scale=1).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_a_player_is_saved_as_a_picture_of_each_frame(kind: str, start: bytes, tmp_path: Path) -> None:
    if kind != "svg":
        pytest.importorskip("vl_convert")
    player = step_through(sigmoid_gate())
    first = player.save(tmp_path / f"steps.{kind}")
    files = sorted(tmp_path.iterdir())
    assert first == files[0] == tmp_path / f"steps-00.{kind}" and len(files) == len(player) > 10
    assert all(file.read_bytes().startswith(start) for file in files)
    assert len({file.read_bytes() for file in files}) == len(player)


def test_a_frame_and_a_derivation_are_pictures_like_others(tmp_path: Path) -> None:
    frame, derivation = step_through(product_of_a_sum()).frames[6], draw_derivation(product_of_a_sum(), "x")
    for picture in (frame, derivation):
        assert isinstance(picture, Picture)
        assert picture.save(tmp_path / "f.svg").read_text(encoding="utf-8") == picture.svg
        assert picture.svg in picture.save(tmp_path / "f.html").read_text(encoding="utf-8")
        assert "<img" in (picture._repr_html_() or "")
    texts = ["".join(text.itertext()) for text in ET.fromstring(derivation.svg).iter(f"{SVG}text")]
    assert texts == [
        "x = −2, y = 5, z = −4", "q = x + y = −2 + 5 = 3", "f = q × z = 3 × (−4) = −12",
        "=", "∂f/∂q · ∂q/∂x", "∂f/∂x", "=", "z · 1", "=", "−4 × 1", "=", "−4",
    ]  # fmt: skip
    pytest.importorskip("vl_convert")
    assert derivation.save(tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")


def test_a_derivation_by_the_root_itself_has_a_picture_too() -> None:
    x = Value(3.0, "x")
    assert "∂x/∂x" in draw_derivation(x, x).svg


@pytest.mark.parametrize("missing", ["vl_convert", "PIL.Image"])
def test_without_the_extra_a_film_is_one_clear_error(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match="needs the extra png: .* -m pip install vl-convert-python"):
        step_through(product_of_a_sum()).save(tmp_path / "steps.gif")
    assert not list(tmp_path.iterdir())


def test_a_pdf_is_the_same_each_time(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    assert len({draw_graph(product_of_a_sum()).save(tmp_path / "f.pdf").read_bytes() for _ in range(6)}) == 1


def test_chinese_names_are_letters_and_no_boxes_where_there_is_a_font(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    Image = pytest.importorskip("PIL.Image")
    lister = shutil.which("fc-list")
    if lister is None or not subprocess.run([lister, ":lang=zh"], capture_output=True, check=True).stdout:
        pytest.skip("no font for Chinese is installed")

    def ink(name: str) -> bytes:
        picture = Image.open(io.BytesIO(draw_graph(Value(1.0, name)).save(tmp_path / "f.png").read_bytes()))
        return bytes(picture.convert("L").tobytes())

    assert len({ink(name) for name in ("你好", "权重", "输出")}) == 3  # boxes for what is not known all look the same


# --- where pieces of HTML are shown


@pytest.mark.parametrize("wide", [False, True])
def test_a_piece_fits_its_place_and_has_a_way_to_the_full_size(wide: bool, chromium: Browser) -> None:
    drawing = draw_graph(sigmoid_gate() if wide else product_of_a_sum(), local=True)
    width = float(ET.fromstring(drawing.svg).attrib["width"])
    assert (width > NARROW) == wide
    page = chromium.new_page(viewport={"width": 700, "height": 900})
    page.set_content(drawing._repr_html_() or "")
    images = page.locator("img")
    images.first.evaluate("image => image.decode()")
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    box = images.first.bounding_box()
    assert box and box["width"] == pytest.approx(min(width, 700 - 16), abs=1)
    assert images.count() == 1 + wide and page.locator("details").count() == wide
    if wide:
        page.get_by_text("Full size").click()
        full = images.nth(1).bounding_box()
        assert full and full["width"] == pytest.approx(width, abs=1)
    page.close()


def test_everything_that_is_shown_has_html_as_a_page_and_as_a_piece() -> None:
    root = product_of_a_sum()
    players = step_through(root), step_maps([[1.0]], kernel=[[2.0]])
    for shown in (*players, draw_graph(root), maps(), draw_derivation(root, "x")):
        assert shown.to_html().startswith("<!DOCTYPE html>")
        piece = shown.to_html(page=False)
        assert shown._repr_html_() == piece and "<img" in piece and "<html" not in piece


def test_an_export_to_latex_asks_nobody_to_convert_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("vl_convert")
    pytest.importorskip("nbconvert")
    from nbconvert import LatexExporter
    from nbconvert.preprocessors import SVG2PDFPreprocessor
    from nbformat import v4

    asked: list[object] = []
    monkeypatch.setattr(SVG2PDFPreprocessor, "convert_figure", lambda *given: asked.append(given) or "")
    root = product_of_a_sum()
    book = v4.new_notebook()
    for shown in (draw_graph(root), maps(), draw_derivation(root, "x"), step_through(root)):
        data = shown._repr_mimebundle_()  # type: ignore[attr-defined]
        book.cells.append(v4.new_code_cell("f", outputs=[v4.new_output("display_data", data=data)]))
    latex, resources = LatexExporter().from_notebook_node(book)
    assert not asked
    files = [name for name in resources["outputs"] if name.endswith(".pdf")]
    assert len(files) == 2 and all(name in latex for name in files)
    assert all(resources["outputs"][name].startswith(b"%PDF") for name in files)
    assert r"\frac{\partial f}{\partial q}" in latex
    drawing = draw_graph(root)._repr_mimebundle_()
    assert base64.b64decode(drawing["application/pdf"]) == resources["outputs"][files[0]]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_picture_is_not_much_larger_for_all_that(name: str) -> None:
    """Attributes take room; they must not make a picture half as large again as one that has its style in rules."""
    svg = draw_graph(SAMPLES[name]()).svg
    bare = re.sub(r' (fill|stroke|stroke-width|stroke-dasharray|font-size|font-weight|font-style)="[^"]*"', "", svg)
    assert len(svg) < 1.5 * len(re.sub("<style>.*?</style>", "", bare, flags=re.DOTALL)) + 1_800
