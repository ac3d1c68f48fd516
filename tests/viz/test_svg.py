"""The SVG text: well formed, readable, accessible, and the same everywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value
from autograd.notation import notation
from viz import draw_graph
from viz.markup import DARK, LIGHT
from viz.metrics import clip, one_line, text_width

from .graphs import (
    SAMPLES,
    doubled,
    many_operations,
    network,
    product_of_a_sum,
    random_graphs,
    sigmoid_gate,
    strange_names,
    tangle,
)
from .reading import SVG, Box, read

ROOT = Path(__file__).resolve().parents[2]


def text_of(svg: str, kind: str) -> list[Box]:
    return [box for box in read(svg).texts if kind in box.kind.split()]


@given(random_graphs())
@settings(max_examples=40, deadline=None)
def test_every_drawing_is_well_formed(root: Value) -> None:
    page = read(draw_graph(root, local=True).svg)
    assert page.root.tag == f"{SVG}svg"


@given(st.text(), st.text())
@settings(max_examples=60, deadline=None)
def test_any_label_can_be_drawn(label: str, other: str) -> None:
    x, y = Value(1.0, label), Value(2.0, other)
    f = x * y
    f.label = label + other
    svg = draw_graph(f).svg
    drawn = {box.text for box in read(svg).texts}
    assert clip(one_line(label)) in drawn or not one_line(label) or notation(one_line(label))


def test_labels_that_look_like_markup_are_text() -> None:
    svg = draw_graph(strange_names()).svg
    assert "<script" not in svg
    assert "<script>&\"'" in {box.text for box in read(svg).texts}
    assert "\x00" not in svg
    assert "\ud800" not in svg


def test_a_label_of_ten_thousand_letters_is_cut_and_kept_in_full_in_the_tooltip() -> None:
    svg = draw_graph(Value(1.0, "n" * 10_000) * 2).svg
    assert read(svg).width < 1_000
    assert "n" * 10_000 + " = 1.0" in svg


def test_a_right_to_left_name_does_not_turn_the_number_beside_it_around() -> None:
    f = Value(2.0, "x") * 3
    f.label = "مرحبا"
    (value,) = text_of(draw_graph(f + 1).svg, "value")[1:2]
    (name,) = text_of(draw_graph(f + 1).svg, "label")
    assert (name.text, value.text) == ("\u2068مرحبا\u2069", "6")
    assert name.right < value.left


def test_it_is_an_image_with_a_title_and_a_description() -> None:
    root = read(draw_graph(product_of_a_sum()).svg).root
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text == "Computation graph of f"
    assert description.text == (
        "5 nodes. x −2 gradient −4; y 5 gradient −4; q (+) 3 gradient −4; z −4 gradient 3; f (×) −12 gradient 1"
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_all_ids_and_rules_belong_to_this_drawing(name: str) -> None:
    svg = draw_graph(SAMPLES[name]()).svg
    page = read(svg)
    identity = page.root.attrib["id"]
    assert re.fullmatch(r"chainrule-[0-9a-f]{10}", identity)
    assert all(e.attrib["id"].startswith(identity) for e in page.root.iter() if "id" in e.attrib)
    for line in (page.root.findtext(f"{SVG}style") or "").split("\n"):
        assert line == "" or line == "}" or line.startswith((f"#{identity} ", "@media"))


def test_two_different_drawings_share_no_id() -> None:
    drawings = [draw_graph(f()).svg for f in SAMPLES.values()]
    drawings += [draw_graph(product_of_a_sum(), theme=theme).svg for theme in ("dark", "light")]
    drawings += [draw_graph(product_of_a_sum(), rankdir=rankdir).svg for rankdir in ("TB", "RL", "BT")]
    ids = [found for svg in drawings for found in re.findall(r' id="([^"]+)"', svg)]
    assert len(ids) == len(set(ids))


def test_value_stands_above_gradient_or_left_of_it() -> None:
    for rankdir in ("LR", "RL"):
        svg = draw_graph(sigmoid_gate(), rankdir=rankdir).svg
        for value, gradient in zip(text_of(svg, "value"), text_of(svg, "gradient"), strict=True):
            assert value.bottom < gradient.top
            assert abs(value.middle - gradient.middle) < 0.1
    for rankdir in ("TB", "BT"):
        svg = draw_graph(sigmoid_gate(), rankdir=rankdir).svg
        for value, gradient in zip(text_of(svg, "value"), text_of(svg, "gradient"), strict=True):
            assert value.right < gradient.left
            assert value.top == gradient.top


@pytest.mark.parametrize(
    ("rankdir", "axis", "sign"), [("LR", "left", 1), ("RL", "left", -1), ("TB", "top", 1), ("BT", "top", -1)]
)
def test_the_computation_runs_where_it_should(rankdir: str, axis: str, sign: int) -> None:
    names = {box.text: box for box in text_of(draw_graph(product_of_a_sum(), rankdir=rankdir).svg, "name")}
    x, f = getattr(names["x"], axis), getattr(names["f"], axis)
    assert (f - x) * sign > 50


def test_figures_of_the_first_lecture() -> None:
    svg = draw_graph(product_of_a_sum()).svg
    assert [box.text for box in text_of(svg, "value")] == ["−2", "5", "3", "−4", "−12"]
    assert [box.text for box in text_of(svg, "label")] == ["q"]
    assert [box.text for box in text_of(svg, "gradient")] == ["−4", "−4", "−4", "3", "1"]
    assert [box.text for box in text_of(svg, "symbol")] == ["+", "×"]


def test_two_wires_run_from_an_operand_that_is_used_twice() -> None:
    page = read(draw_graph(doubled()).svg)
    assert len(page.wires()) == 2
    assert len(set(page.wires())) == 2


def test_local_derivatives_are_shown_on_request() -> None:
    assert not text_of(draw_graph(product_of_a_sum()).svg, "local")
    svg = draw_graph(product_of_a_sum(), local=True).svg
    assert [box.text for box in text_of(svg, "local")] == ["∂ 1", "∂ 1", "∂ −4", "∂ 3"]


def test_gradients_can_be_left_out() -> None:
    svg = draw_graph(product_of_a_sum(), show_grad=False).svg
    assert not text_of(svg, "gradient")
    assert len(text_of(svg, "value")) == 5


@pytest.mark.parametrize("fmt", [".4g", ".3E", "G", ".2f"])
def test_numbers_that_are_not_finite_are_boxed(fmt: str) -> None:
    page = read(draw_graph(many_operations(), fmt=fmt).svg)
    texts = [box for box in page.texts if box.kind in ("value", "gradient")]
    wrong = [box for box in texts if "inf" in box.text.lower() or "nan" in box.text.lower()]
    boxes = page.gates("bad")
    assert len(wrong) == len(boxes) > 5
    for text, box in zip(wrong, boxes, strict=True):
        assert box.left <= text.left
        assert text.right <= box.right
        assert box.top < text.top
        assert text.bottom < box.bottom
    assert len(page.gates("first-bad")) == 1


def test_no_text_is_smaller_than_ten_pixels() -> None:
    for make in (many_operations, lambda: network(3, 2), lambda: tangle(1_000)):
        svg = draw_graph(make(), local=True).svg
        sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', svg)]
        assert len(sizes) > 5
        assert min(sizes) >= 10
        page = read(svg)
        assert all(page.style(box.kind, "font-size") for box in page.texts)


def test_the_picture_is_never_shrunk() -> None:
    root = read(draw_graph(tangle(300), depth="all").svg).root
    assert root.attrib["viewBox"] == f"0 0 {root.attrib['width']} {root.attrib['height']}"
    assert "max-width:none" in root.attrib["style"]


def luminance(colour: str) -> float:
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "backgrounds"),
    [
        ("ink", ["card", "tint", "gate", "tag", "bad-tint"]),
        ("muted", ["card", "tint", "gate"]),
        ("value", ["card", "tint", "bad-tint"]),
        ("gradient", ["card", "tint", "bad-tint"]),
        ("local", ["card", "tint"]),
    ],
)
def test_text_can_be_read_on_every_background(colours: dict[str, str], text: str, backgrounds: list[str]) -> None:
    for background in backgrounds:
        bright, dim = sorted((luminance(colours[text]), luminance(colours[background])), reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= 4.5, (text, background)  # WCAG 2.2, 1.4.3


def test_each_theme_has_its_colours() -> None:
    svgs = {theme: draw_graph(product_of_a_sum(), theme=theme).svg for theme in ("auto", "light", "dark")}
    assert LIGHT["value"] in svgs["light"]
    assert DARK["value"] not in svgs["light"]
    assert DARK["value"] in svgs["dark"]
    assert LIGHT["value"] not in svgs["dark"]
    before, dark, after = re.split("@media [(]prefers-color-scheme:dark[)]|</style>", svgs["auto"])
    assert LIGHT["value"] in after
    assert DARK["value"] in dark
    assert not set(DARK.values()) & set(re.findall("#[0-9a-f]{6}", before + after))
    assert "<style" not in svgs["light"] + svgs["dark"]


def test_the_bytes_do_not_depend_on_the_process() -> None:
    program = (
        "import sys; sys.path[:0] = ['.', 'tests/viz']\n"
        "import hashlib, graphs\nfrom viz import draw_graph\n"
        "for name, make in graphs.SAMPLES.items():\n"
        "    for depth in ('auto', 0) if name != 'a summary' else ('auto',):\n"
        "        print(name, hashlib.sha256(draw_graph(make(), depth=depth, local=True).svg.encode()).hexdigest())\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(printed) == 1
    assert len(printed.pop().splitlines()) > 20


def test_parts_carry_their_number_and_their_full_values() -> None:
    parts = read(draw_graph(Value(1 / 3, "x") * 3.0).svg).parts()
    assert [part.get("data-part") for part in parts] == ["0", "1"]
    assert (parts[0].findtext(f"{SVG}title") or "") == f"x = {1 / 3!r}"


def test_frame_titles_keep_clear_of_the_wires_that_come_in() -> None:
    page = read(draw_graph(network(1, inputs=2), rankdir="TB").svg)
    (title,) = [box for box in page.texts if box.kind == "frame-title"]
    verticals = []
    for wire in page.wires():
        points = [tuple(map(float, point.split(","))) for point in re.findall(r"[-\d.]+,[-\d.]+", wire)]
        verticals += [a[0] for a, b in pairwise(points) if a[0] == b[0] and a[1] < title.top < b[1]]
    assert verticals
    assert all(not title.left - 2 < x < title.right + 2 for x in verticals)


def test_widths_are_those_of_a_wide_font() -> None:
    assert text_width("", 10) == 0
    assert text_width("W", 10) > text_width("w", 10) > text_width("n", 10) > text_width("i", 10)
    assert text_width("x", 10, bold=True) > text_width("x", 10)
    assert text_width("日本", 10) == 2 * text_width("日", 10) > 20
    assert text_width("e\u0301", 10) == text_width("e", 10)


def test_a_long_name_is_cut_in_the_middle() -> None:
    assert clip("x" * 24) == "x" * 24
    assert clip("start" + "x" * 50 + "end") == "startxxxxxxx…xxxxxxxxend"
    assert one_line(" a\tb\n\nc\x00 ") == "a b c\ufffd"


def test_every_element_is_plain_svg() -> None:
    tags = {
        element.tag.removeprefix(SVG) for element in ET.fromstring(draw_graph(network(3, 2), local=True).svg).iter()
    }
    assert tags <= {"svg", "title", "desc", "style", "rect", "circle", "path", "text", "tspan", "g"}


def test_a_format_of_a_billion_places_is_refused_before_it_is_tried() -> None:
    for fmt in ("1000000000.3f", ".1000000000g"):
        with pytest.raises(ValueError, match="fmt must be a format spec"):
            draw_graph(Value(1.0) * 2, fmt=fmt)


def test_every_node_carries_its_name_and_its_numbers_with_all_their_digits() -> None:
    x = Value(1 / 3, 'a "name" & more')
    y = x * 3.0
    texts = draw_graph(y).svg
    y.backward(0.1)
    drawn = read(draw_graph(y).svg)
    found = [(p.get("data-name"), p.get("data-value"), p.get("data-gradient")) for p in drawn.parts()]
    assert found == [('a "name" & more', repr(1 / 3), repr(x.grad)), ("f", repr(y.data), "0.1")]
    assert "data-gradient" not in texts and "data-value" in texts
