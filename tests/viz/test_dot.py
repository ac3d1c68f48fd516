"""DOT text for everyone, and Graphviz's own drawing where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from autograd import Value
from viz import EngineError, draw_graph

from .graphs import SAMPLES, doubled, product_of_a_sum, strange_names

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


def test_it_is_a_digraph_of_the_graphviz_package() -> None:
    graphviz = pytest.importorskip("graphviz")
    dot = draw_graph(product_of_a_sum(), rankdir="TB").to_dot()
    assert isinstance(dot, graphviz.Digraph)
    assert "rankdir=TB" in dot.source
    assert dot.source.count("->") == 4


def test_an_operand_that_is_used_twice_has_two_edges() -> None:
    assert draw_graph(doubled()).to_dot().source.count("n0 -> n1") == 2


def test_local_derivatives_stand_on_the_edges() -> None:
    assert "∂ −4" in draw_graph(product_of_a_sum(), local=True).to_dot().source
    assert "∂" not in draw_graph(product_of_a_sum()).to_dot().source


def test_styling_one_digraph_leaves_the_drawing_alone() -> None:
    drawing = draw_graph(product_of_a_sum())
    before = drawing.to_dot().source
    drawing.to_dot().attr("node", shape="star")
    assert drawing.to_dot().source == before


def test_it_shows_the_numbers_of_when_it_was_drawn() -> None:
    root = product_of_a_sum()
    drawing = draw_graph(root)
    before = drawing.to_dot().source
    root.data = 77.0
    root.zero_grad()
    assert drawing.to_dot().source == before


@needs_dot
@pytest.mark.parametrize("name", SAMPLES)
def test_graphviz_reads_what_is_written(name: str) -> None:
    source = draw_graph(SAMPLES[name](), local=True).to_dot().source
    done = subprocess.run(["dot", "-Tcanon"], input=source.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"syntax" not in done.stderr.lower()


@needs_dot
@pytest.mark.parametrize(
    "label", ["<", "<b>", "a\\nb", '"', "\\", "&amp;", "<<TABLE>>", "\\N", "]]>", "\x07", "-->", "{a|b}"]
)
def test_graphviz_draws_any_label_as_it_is(label: str) -> None:
    svg = draw_graph(Value(1.0, label) * 2, engine="dot").svg
    texts = [
        (element.text or "").replace("\u2060", "")
        for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert label.replace("\x07", "\ufffd") in texts


@needs_dot
def test_the_other_engine_draws_too() -> None:
    drawing = draw_graph(strange_names(), engine="dot", theme="dark")
    assert drawing.svg.startswith("<svg")
    assert "chainrule-graph" in drawing.svg
    ET.fromstring(drawing.svg)


def test_without_graphviz_one_message_names_both_ways_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(EngineError, match=r"chainrule\[graphviz\].*apt install graphviz") as caught:
        draw_graph(product_of_a_sum(), engine="dot")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell script")
def test_a_graphviz_that_fails_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "dot").write_text("#!/bin/sh\necho 'Error: out of paper' >&2\nexit 3\n")
    (folder / "dot").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(EngineError, match="Graphviz could not draw this graph: Error: out of paper"):
        draw_graph(product_of_a_sum(), engine="dot")


@needs_dot
def test_the_renderer_of_png_and_pdf_has_the_font() -> None:
    from viz.raster import _with_bundled_font

    svg = draw_graph(product_of_a_sum(), engine="dot").svg
    texts = svg.count("<text")
    assert texts and _with_bundled_font(svg).count("font-family=\"'Liberation Sans'\"") == texts
