"""Worksheets: empty boxes on A4 in black and white, the key, many different ones, and the same sheet on a screen."""

from __future__ import annotations

import doctest
import importlib
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from autograd import Value, format_number, parse, tanh
from nn import MLP
from viz import Worksheet, worksheet, worksheets
from viz.cli import main

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PRODUCT = "q = x + y; f = q * z"
GATE = "1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))"
DIAMOND = "z1=w1*x+b1; a=tanh(z1); z2=w2*a+b2; z3=w3*a+b3; f=tanh(w4*tanh(z2)+w5*tanh(z3)+b)"


def texts(svg: str) -> list[str]:
    return ["".join(e.itertext()) for e in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def boxes(svg: str) -> int:
    return svg.count('class="blank"')


# --- what is on a sheet


@pytest.mark.parametrize("blank", ["gradients", "values", "both"])
@pytest.mark.parametrize("formula", [PRODUCT, GATE, DIAMOND])
def test_there_is_a_box_for_each_blank_and_an_answer_in_each_box_of_the_key(formula: str, blank: str) -> None:
    sheet = worksheet(formula, blank, seed=1)
    asked = [*sheet.exercise.values, *sheet.exercise.gradients]
    assert boxes(sheet.svg) == boxes(sheet.key.svg) == len(asked) > 0
    answers = re.findall(r'<text class="(?:answer|slope)"[^>]*>([^<]*)</text>', sheet.key.svg)
    assert sorted(answers) == sorted(format_number(x) for x in sheet.exercise.key().values())
    assert not re.findall(r'class="(?:answer|slope)"', sheet.svg)


def test_no_answer_is_in_the_sheets_file() -> None:
    sheet = worksheet(GATE, "both", seed=4)
    given = {format_number(x) for x in sheet.numbers.values()}
    for x in sheet.exercise.key().values():
        if format_number(x) not in given:
            assert format_number(x) not in texts(sheet.svg) and (repr(x) not in sheet.svg or len(repr(x)) < 6)
    assert "data-value" not in sheet.svg and "data-gradient" not in sheet.svg


def test_where_the_values_are_asked_for_no_gradient_is_told() -> None:
    assert not re.findall('class="(gradient|slope)"', worksheet(GATE, "values", seed=1).key.svg)


def test_names_choose_the_boxes_and_the_rest_stands_there() -> None:
    sheet = worksheet(PRODUCT, ["q", "∂x"], x=-2, y=5, z=-4)
    assert boxes(sheet.svg) == 3
    assert {"−12", "5", "−2"} <= {*texts(sheet.svg)}  # f, and the leaves
    assert "3" in texts(sheet.svg) and texts(sheet.svg).count("−4") == 2  # ∂f/∂z; z, and ∂f/∂y
    with pytest.raises(ValueError, match="no wire is called 'p'"):
        worksheet(PRODUCT, ["p"], seed=1)
    with pytest.raises(ValueError, match="must be 'gradients', 'values', 'both' or a list of names"):
        worksheet(PRODUCT, "everything", seed=1)


def test_it_is_printed_in_black_and_grey_on_white() -> None:
    for page in (worksheet(DIAMOND, seed=1), worksheet(DIAMOND, seed=1).key):
        colours = set(re.findall(r"#[0-9a-f]{6}\b", page.svg))
        assert all(colour[1:3] == colour[3:5] == colour[5:7] for colour in colours), colours
        assert "prefers-color-scheme" not in page.svg


@pytest.mark.parametrize("formula", [PRODUCT, GATE, DIAMOND, "z = w_1*x_1 + b; f = tanh(z)"])
@pytest.mark.parametrize("blank", ["gradients", "both"])
def test_nothing_stands_outside_of_the_margins_and_boxes_are_large_enough_to_write_in(formula: str, blank: str) -> None:
    sheet = worksheet(formula, blank, seed=2)
    for page in (sheet.svg, sheet.key.svg):
        width, height = map(float, re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', page)[0])
        assert {width, height} == {793.7, 1122.5}
        moves = re.findall(r"translate\(([\d.]+) ([\d.]+)\) scale\(([\d.]+)\)", page)
        (left, top, scale) = map(float, moves[0])
        inside = page[page.index("translate(") :].split("</g>\n<g transform", 1)[0]
        found = re.findall(r'class="blank" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', inside)
        assert found
        for x, y, w, h in (map(float, box) for box in found):
            assert left + scale * x >= 50 and left + scale * (x + w) <= width - 50
            assert top + scale * y >= 50 and top + scale * (y + h) <= height - 50
            if page is sheet.svg:
                assert scale * w >= 45 and scale * h >= 15.5  # 12 and 4 mm


def test_names_are_set_in_every_line_as_they_are_in_the_drawing_and_no_line_parts_a_name_from_its_number() -> None:
    x, y = Value(2.0, label=r"\alpha_{1}^2"), Value(-3.0, label="x_{12}")
    f = x * y
    f.label = "f<1>"
    sheet = worksheet(f, "both", title="Week <1>")
    for page in (sheet, sheet.key):
        assert "alpha" not in page.svg.partition("</desc>")[2] and "₁" not in page.svg
        lines = [line for line in texts(page.svg) if "=" in line]
        assert any("α12" in line and "x12" in line for line in lines) and not re.search(r"[_^{}\\]", "".join(lines))
    given = texts(worksheet(DIAMOND, seed=3).key.svg)
    assert not any(line.endswith(("=", "=,")) or re.match(r"−?[\d.]+,", line) for line in given)


def test_the_paper_is_white_also_where_a_file_is_shown_on_a_dark_screen() -> None:
    sheet = worksheet(PRODUCT, seed=3)
    for page in (sheet, sheet.key):
        _, _, painted = page.svg.partition("</desc>")
        assert painted.lstrip().startswith('<path d="M0,0 H793.7 V1122.5 H0 Z" fill="#ffffff"/>')


def test_boxes_touch_no_other_box() -> None:
    for blank in ("gradients", "both"):
        found = re.findall(
            r'class="blank" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"',
            worksheet(DIAMOND, blank, seed=2).svg,
        )
        places = [tuple(map(float, box)) for box in found]
        for k, (x, y, w, h) in enumerate(places):
            for x2, y2, w2, h2 in places[:k]:
                assert x + w < x2 or x2 + w2 < x or y + h < y2 or y2 + h2 < y


def test_the_graph_that_it_is_made_of_stays_as_it_is() -> None:
    x, w = Value(0.5, label="x"), Value(-3.0, label="w")
    f = tanh(w * x) * w
    sheet = worksheet(f, seed=1)
    assert (x.data, w.data, f.has_grad, f.label) == (0.5, -3.0, False, "")
    assert set(sheet.numbers) == {"x", "w"} and sheet.numbers["w"] != -3.0
    assert worksheet(f).numbers == {"w": -3.0, "x": 0.5}


def test_the_formula_of_a_sheet_is_its_graph() -> None:
    sheet = worksheet("-(x / y)**2 + max(x, 3*y) - sigmoid(x)", "both", seed=5)
    again = worksheet(sheet.formula, "both", **sheet.numbers)
    assert again.exercise.key() == pytest.approx(sheet.exercise.key())
    with pytest.raises(ValueError, match="plain names such as w_1"):
        _ = worksheet(Value(2.0, label="my weight") * 3).formula


def test_what_has_no_room_on_a_sheet_is_refused() -> None:
    model = MLP(4, [8, 1], seed=0)
    with pytest.raises(ValueError, match="a sheet of paper has room for 60"):
        worksheet(model([1.0, 2.0, 3.0, 4.0]))
    long = " + ".join(f"w_{i}*x_{i}" for i in range(1, 11))
    with pytest.raises(ValueError, match="boxes of this graph of 40 nodes would be too small to write in"):
        worksheet(f"tanh({long})", seed=1)
    with pytest.raises(TypeError, match="worksheet draws the graph of a Value"):
        worksheet(3.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a graph has its own"):
        worksheet(Value(2.0) * 3, x=2)


def test_a_leaf_may_be_called_f_and_a_title_is_text() -> None:
    assert worksheet("f*x", f=2, x=3).numbers == {"f": 2.0, "x": 3.0}
    assert set(worksheet("count*f", seed=1).numbers) == {"count", "f"}
    with pytest.raises(TypeError, match="the title of a sheet is text, but got int: 3"):
        worksheet("x*y", seed=1, title=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"worksheet takes f and blank by place and no more"):
        worksheet("x*y", "values", "sheet")  # type: ignore[call-arg]


def test_answers_that_are_typed_are_checked() -> None:
    sheet = worksheet(PRODUCT, x=-2, y=5, z=-4)
    assert sheet.check(q=-4, x=-4, y=-4, z=3).passed
    assert sheet.check(q=4, x=4, y=4, z=3).first_wrong == "∂f/∂q"


def test_the_examples_in_the_docstrings_are_right() -> None:
    names = {"worksheet": worksheet, **vars(importlib.import_module("viz"))}
    for room in ("sheets", "homework"):
        assert doctest.testmod(importlib.import_module(f"viz.{room}"), extraglobs=names).failed == 0


# --- many sheets


def test_sheets_of_one_graph_differ_in_their_numbers_and_stand_alike() -> None:
    booklet = worksheets(GATE, 30)
    assert len({tuple(sheet.numbers.items()) for sheet in booklet}) == 30
    moves = [re.findall(r"<path[^>]*>|<circle[^>]*>|<rect[^>]*>", sheet.drawing) for sheet in booklet]
    assert all(there == moves[0] for there in moves)
    assert booklet[7].svg == worksheet(GATE, seed=7).svg  # each is that of its seed
    page = booklet[:3].to_html()
    assert page.count("<svg") == 3 and "break-before:page" in page and "@page{size:A4" in page


def test_the_same_seed_gives_the_same_sheet_byte_for_byte() -> None:
    assert worksheet(PRODUCT, seed=3).svg == worksheet(PRODUCT, seed=3).svg != worksheet(PRODUCT, seed=4).svg


def test_more_sheets_than_there_are_is_an_error() -> None:
    with pytest.raises(ValueError, match="1000 different sheets of this graph were asked for, but only"):
        worksheets("2 * x", 1000)
    with pytest.raises(ValueError, match="count must be an int of at least 1"):
        worksheets(PRODUCT, 0)


@pytest.mark.slow
def test_a_thousand_different_sheets_take_ten_seconds() -> None:
    start = time.process_time()
    booklet = worksheets(GATE, 1000)
    assert len({sheet.svg for sheet in booklet}) == 1000
    assert time.process_time() - start < 10.0


# --- files


def test_a_sheet_is_saved_as_html_svg_and_pdf_of_the_size_of_a4(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    sheet = worksheet(PRODUCT, seed=3)
    assert sheet.save(tmp_path / "sheet.svg").read_text(encoding="utf-8") == sheet.svg
    assert "@page{size:A4 portrait" in sheet.save(tmp_path / "sheet.html").read_text(encoding="utf-8")
    for page in (sheet, sheet.key):
        pdf = page.save(tmp_path / "sheet.pdf").read_bytes()
        width, height = map(float, re.findall(rb"/MediaBox \[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", pdf)[0])
        assert (width, height) == pytest.approx((595.3, 841.9), abs=1)
    with pytest.raises(ValueError, match="booklet's ending must be .html"):
        worksheets(PRODUCT, 2).save(tmp_path / "all.svg")
    assert worksheets(PRODUCT, 2).save(tmp_path / "keys.html", key=True).read_text(encoding="utf-8").count("<svg") == 2


def test_a_booklet_is_one_pdf_with_a_page_for_each_sheet_in_their_order(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    booklet = worksheets(PRODUCT, 3, "both")
    pdf = booklet.save(tmp_path / "keys.pdf", key=True).read_bytes()
    table = pdf[int(pdf.rpartition(b"startxref")[2].split()[0]) :]
    places = [int(place) for place in re.findall(rb"(\d{10}) \d{5} [nf]", table)]
    assert table.startswith(b"xref\n0 %d\n" % len(places)) and b"/Size %d " % len(places) in table
    for number, place in enumerate(places[1:], 1):
        assert pdf[place:].startswith(b"%d 0 obj" % number)
    kids = re.findall(rb"/Kids \[([^\]]*)\]", pdf)
    assert re.findall(rb"/Count (\d+)", pdf).count(b"1") == 3 and len(re.findall(rb"\d+ 0 R", kids[0])) == 3
    seen = []
    for branch in re.findall(rb"(\d+) 0 R", kids[0]):
        [child] = re.findall(rb"/Kids \[\s*(\d+) 0 R\s*\]", pdf[places[int(branch)] :][:200])
        page = pdf[places[int(child)] :].partition(b"endobj")[0]
        assert b"/Parent %s 0 R" % branch in page and b"/Type /Page\n" in page
        [width, height] = re.findall(rb"/MediaBox \[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", page)[0]
        assert (float(width), float(height)) == pytest.approx((595.3, 841.9), abs=1)
        [content] = re.findall(rb"/Contents (\d+) 0 R", page)
        seen.append(pdf[places[int(content)] :].partition(b"stream\n")[2].partition(b"\nendstream")[0])
    alone = [sheet.key.save(tmp_path / "key.pdf").read_bytes() for sheet in booklet]
    assert all(content in one for content, one in zip(seen, alone, strict=True)) and len({*seen}) == 3


@pytest.mark.parametrize("formula", [PRODUCT, "z = w_1*x_1 + w_2*x_2 + b; f = sigmoid(z)"])
def test_a_browser_prints_each_sheet_on_one_page_of_a4(formula: str, chromium: Browser, tmp_path: Path) -> None:
    booklet = worksheets(formula, 3, "both")
    page = chromium.new_page()
    page.goto(booklet.save(tmp_path / "sheets.html").as_uri())
    pdf = page.pdf(prefer_css_page_size=True)
    page.close()
    sizes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", pdf)
    assert len(sizes) == 3
    for size in sizes:
        assert sorted(map(float, size)) == pytest.approx([595, 842], abs=1)


# --- the same on a screen

Opener = Callable[..., "Page"]


def test_the_live_page_asks_for_the_blanks_of_the_sheet_and_for_nothing_else(watched: Opener, tmp_path: Path) -> None:
    sheet = worksheet(PRODUCT, ["q", "x", "∂y"], x=-2, y=5, z=-4)
    key = {what: format_number(x).replace("−", "-") for what, x in sheet.exercise.key().items()}
    page = watched(sheet.live().save(tmp_path / "sheet.html"))
    asked: dict[str, Any] = {}
    for _ in range(int(page.get_by_role("slider").get_attribute("max") or 0)):
        page.locator("[data-act=next]").click()
        if page.locator(".cr-caption form").count():
            label = page.locator(".cr-caption label").inner_text().strip()
            what = label.removeprefix("What is ").removesuffix("?")
            page.locator(".cr-caption input").fill("99")
            page.locator("[data-act=check]").click()
            assert "99 is not" in page.get_by_role("status").inner_text()
            page.locator(".cr-caption input").fill(key[what])
            page.locator("[data-act=check]").click()
            asked[what] = page.locator(".cr-caption form").count()
    assert asked == dict.fromkeys(sheet.exercise.key(), 0)  # each was asked for, and its key taken


def test_a_derivative_that_was_remembered_wrongly_is_named_on_the_page(watched: Opener, tmp_path: Path) -> None:
    sheet = worksheet("z = w * x; f = tanh(z)", ["∂z"], w=0.5, x=2)
    page = watched(sheet.live().save(tmp_path / "sheet.html"))
    page.locator("[data-act=next]").click()
    page.locator(".cr-caption input").fill("0.238")  # 1 − tanh(1), without the square
    page.locator("[data-act=check]").click()
    assert "the local derivative of another formula was taken" in page.get_by_role("status").inner_text()


# --- the command


def test_the_command_writes_a_sheet_and_its_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([PRODUCT, "--seed", "3", "--worksheet", "sheet.html", "--key", "key.svg"]) == 0
    told = capsys.readouterr().out
    assert "wrote sheet.html and key.svg" in told and "gradient  " not in told  # no table with the answers
    sheet = worksheet(PRODUCT, seed=3)
    assert sheet.svg in Path("sheet.html").read_text(encoding="utf-8")
    assert Path("key.svg").read_text(encoding="utf-8") == sheet.key.svg
    assert main([PRODUCT, "x=-2", "y=5", "z=-4", "--blank", "q,∂x", "--worksheet", "sheet.html", "--out", "g.svg"]) == 0
    assert boxes(Path("sheet.html").read_text(encoding="utf-8")) == 3
    assert not Path("graph.svg").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--seed", "3"], "--seed is for a worksheet"),
        (["x=1", "y=2", "z=3", "--blank", "values"], "--blank is for a worksheet"),
        (["--seed", "3", "--worksheet", "sheet.txt"], "--worksheet must end in .html .svg .pdf .png"),
        (["--worksheet", "sheet.html"], "have no values"),
        (["--seed", "3", "--worksheet", "a.html", "--key", "a.html"], "--worksheet and --key are both a.html"),
        (["--seed", "3", "--worksheet", "a.html", "--blank", "w"], "no wire is called 'w'"),
    ],
)
def test_the_command_says_what_it_cannot_do_and_writes_nothing(
    words: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([PRODUCT, *words]) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_sheet_shows_itself_in_a_notebook_and_says_what_it_is() -> None:
    sheet = worksheet(parse(PRODUCT, x=-2, y=5, z=-4))
    assert isinstance(sheet, Worksheet) and sheet._repr_html_()
    assert repr(sheet).startswith("<Worksheet of f;") and repr(sheet.key).startswith("<The gradients of f: the key")


def test_a_sheet_in_chinese_speaks_it_and_breaks_lines_where_chinese_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_LANG", "zh")
    sheet = worksheet("q = x + y; f = q * z", seed=3)
    assert "手算" in str(sheet.exercise)
    _, *lines = re.findall(r'<text[^>]*class="task"[^>]*>([^<]*)</text>', sheet.svg)
    assert len(lines) > 1 and not any(line[0] in "，。；：" or "。 " in line for line in lines)


def test_on_a_screen_the_paper_is_white() -> None:
    assert "svg{background:#fff" in worksheet("q = x + y; f = q * z", seed=3).to_html()
