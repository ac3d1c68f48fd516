"""`draw_graph`, the files that it writes, and what stays as it was."""

from __future__ import annotations

import base64
import gc
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from autograd import Value, dumps, no_grad, scope, topological_order
from viz import Drawing, draw_dot, draw_graph
from viz.drawing import to_text
from viz.graph.diagram import ACCUMULATED, UNRECORDED

from .graphs import SAMPLES, chain, many_operations, network, product_of_a_sum, sigmoid_gate, tangle
from .reading import SVG, read


def test_a_drawing_is_a_snapshot(tmp_path: Path) -> None:
    root = product_of_a_sum()
    drawing = draw_graph(root)

    def shown() -> list[object]:
        files = [drawing.save(tmp_path / f"f{ending}").read_bytes() for ending in (".svg", ".html", ".dot")]
        return [drawing.svg, drawing.to_text(), drawing.to_dot().source, drawing._repr_mimebundle_(), *files]

    before = shown()
    for node in topological_order(root):
        node.data, node.grad, node.label = 99.0, 98.0, "changed"
    assert shown() == before
    assert draw_graph(root).svg != drawing.svg


@pytest.mark.parametrize("name", SAMPLES)
def test_drawing_leaves_the_graph_as_it_was(name: str) -> None:
    root = SAMPLES[name]()
    nodes = topological_order(root)
    before = dumps(root), [(n.data, n.grad, n.has_grad, n.op, n.label, n.scope, n.inputs) for n in nodes]
    drawing = draw_graph(root, local=True)
    drawing.to_dot(), drawing.to_text()
    after = dumps(root), [(n.data, n.grad, n.has_grad, n.op, n.label, n.scope, n.inputs) for n in nodes]
    assert repr(after) == repr(before)  # nan is not equal to itself


def test_the_same_graph_gives_the_same_text() -> None:
    assert draw_graph(many_operations()).svg == draw_graph(many_operations()).svg


# --- options


@pytest.mark.parametrize("root", [None, 3.0, "x", [Value(1.0)], (Value(1.0), Value(2.0))])
def test_only_a_value_has_a_graph(root: object) -> None:
    with pytest.raises(TypeError, match="draw_graph draws the graph of a Value, but got") as caught:
        draw_graph(root)  # type: ignore[arg-type]
    assert ("their sum" in str(caught.value)) == isinstance(root, (list, tuple))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rankdir": "XY"}, "rankdir must be one of LR, TB, RL, BT, but got 'XY'"),
        ({"rankdir": "lr"}, "rankdir must be one of LR"),
        ({"rankdir": None}, "rankdir must be one of LR"),
        ({"theme": "solarized"}, "theme must be one of auto, light, dark, but got 'solarized'"),
        ({"engine": "neato"}, "engine must be one of layered, dot, but got 'neato'"),
        ({"max_nodes": 1}, "max_nodes must be an int of at least 2, but got 1"),
        ({"max_nodes": -5}, "max_nodes must be an int"),
        ({"max_nodes": 10.5}, "max_nodes must be an int"),
        ({"max_nodes": True}, "max_nodes must be an int"),
        ({"max_nodes": "200"}, "max_nodes must be an int"),
        ({"depth": -1}, r"depth must be 'auto', 'all', or how many levels to open"),
        ({"depth": "some"}, "depth must be"),
        ({"depth": 1.5}, "depth must be"),
        ({"depth": True}, "depth must be"),
        ({"depth": [0]}, "depth must be"),
        ({"fmt": "hello"}, "fmt must be a format spec for numbers, such as '.4g' or '.2f', but got 'hello'"),
        ({"fmt": "s"}, "fmt must be a format spec"),
        ({"fmt": "d"}, "fmt must be a format spec"),
        ({"fmt": 4}, "fmt must be a format spec"),
        ({"fmt": None}, "fmt must be a format spec"),
    ],
)
def test_a_wrong_option_is_one_clear_error(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        draw_graph(Value(1.0), **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_wrong_scale_is_one_clear_error(tmp_path: Path) -> None:
    for scale in (0, -1.0, float("nan"), float("inf"), "2", True):
        with pytest.raises(ValueError, match="scale must be a positive number"):
            draw_graph(Value(1.0)).save(tmp_path / "f.png", scale=scale)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


# --- files

PICTURES = {".svg": b"<svg ", ".html": b"<!DOCTYPE html>", ".dot": b"digraph", ".gv": b"digraph", ".SVG": b"<svg "}


@pytest.mark.parametrize(("ending", "start"), PICTURES.items())
def test_the_ending_says_what_is_written(ending: str, start: bytes, tmp_path: Path) -> None:
    target = draw_graph(product_of_a_sum()).save(str(tmp_path / f"a b{ending}"))
    assert isinstance(target, Path)
    assert target.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(("ending", "start"), [(".png", b"\x89PNG\r\n"), (".PNG", b"\x89PNG\r\n"), (".pdf", b"%PDF-")])
@pytest.mark.parametrize("theme", ["auto", "dark"])
def test_dots_and_paper(ending: str, start: bytes, theme: str, tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    content = draw_graph(product_of_a_sum(), theme=theme).save(tmp_path / f"f{ending}").read_bytes()
    assert content.startswith(start)
    assert b"chainrule-graph" in content
    assert len(content) > 2_000


def test_a_picture_of_a_hundred_thousand_dots_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    drawing = draw_graph(product_of_a_sum())
    with pytest.raises(ValueError, match="dots long"):
        drawing.save(tmp_path / "f.png", scale=1_000)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", [".png", ".pdf"])
def test_without_the_extra_the_error_says_what_to_install(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ImportError, match="vl-convert-python"):
        draw_graph(product_of_a_sum()).save(tmp_path / f"f{ending}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["f.txt", "f", "f.svg.gz", ".svg", "f.jpeg"])
def test_another_ending_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ending must be \.svg, \.html, \.dot, \.png or \.pdf, but got"):
        draw_graph(Value(1.0)).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no folder .*nowhere.* to write 'f.svg' into"):
        draw_graph(Value(1.0)).save(tmp_path / "nowhere" / "f.svg")


def test_a_failure_in_the_middle_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "f.svg"
    target.write_text("old")

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="the disk is full"):
        draw_graph(Value(1.0)).save(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_drawing_saved_to_a_fifo_goes_to_its_reader(tmp_path: Path) -> None:
    fifo = tmp_path / "f.svg"
    os.mkfifo(fifo)
    drawing = draw_graph(product_of_a_sum())
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)  # the picture is smaller than what a FIFO holds
    try:
        assert drawing.save(fifo) == fifo
        assert os.read(reader, 1_000_000).decode() == drawing.svg
    finally:
        os.close(reader)
    assert fifo.is_fifo()


def test_a_page_holds_the_picture_and_follows_the_theme(tmp_path: Path) -> None:
    for theme, scheme in (("auto", "light dark"), ("dark", "dark")):
        drawing = draw_graph(product_of_a_sum(), theme=theme)
        page = drawing.save(tmp_path / "f.html").read_text(encoding="utf-8")
        assert drawing.svg in page
        assert "<title>Computation graph of f</title>" in page
        assert f"color-scheme:{scheme}}}" in page


# --- notebooks and text


def test_a_notebook_gets_an_image_that_survives_an_export() -> None:
    drawing = draw_graph(product_of_a_sum())
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) - {"application/pdf"} == {"text/html", "image/svg+xml", "text/plain"}
    assert ("application/pdf" in bundle) == bool(find_spec("vl_convert"))
    assert bundle["image/svg+xml"] == drawing.svg
    (data,) = re.findall(r'<img [^>]*src="data:image/svg\+xml;base64,([^"]+)"', bundle["text/html"])
    assert base64.b64decode(data).decode() == drawing.svg
    assert 'alt="Computation graph of f"' in bundle["text/html"]
    assert bundle["text/plain"] == repr(drawing) == "<Drawing of 5 nodes; .save('graph.svg') writes it to a file>"


def test_the_table_is_aligned() -> None:
    assert draw_graph(product_of_a_sum()).to_text().split("\n") == [
        "node  op  inputs  value  gradient",
        "────  ──  ──────  ─────  ────────",
        "x                    −2        −4",
        "y                     5        −4",
        "q     +   x, y        3        −4",
        "z                    −4         3",
        "f     ×   q, z      −12         1",
    ]


def test_the_table_is_aligned_whatever_letters_names_have_and_each_node_has_one_line() -> None:
    root = (Value(2.0, "学习率") * Value(3.0, "a\nb")).tanh() + Value(1.0, "e\u0301")
    assert to_text(root).split("\n") == [
        "node    op    inputs       value  gradient",
        "──────  ────  ───────────  ─────  ────────",
        "学习率                         2         –",
        "a b                            3         –",
        "v1      ×     学习率, a b      6         –",
        "v2      tanh  v1               1         –",
        "e\u0301                              1         –",
        "f       +     v2, e\u0301            2         –",
    ]


def test_the_table_names_constants_by_their_numbers_and_shows_what_is_not_set() -> None:
    lines = to_text(Value(2.0, "x") * 3, ".2f").split("\n")
    assert lines[2].split() == ["x", "2.00", "–"]
    assert lines[3].split() == ["f", "×", "x,", "3", "6.00", "–"]


def test_the_table_the_picture_and_dot_say_when_leaves_have_added_up() -> None:
    root = product_of_a_sum()
    root.backward()
    drawing = draw_graph(root)
    notes = " ".join(box.text for box in read(drawing.svg).texts if box.kind == "note")
    assert notes == ACCUMULATED
    assert notes in (read(drawing.svg).root.findtext(f"{SVG}desc") or "")
    assert drawing.to_text().endswith(f"         1\n\n{ACCUMULATED}")
    assert ACCUMULATED in drawing.to_dot().source.replace("\\l", " ")
    assert not [box for box in read(draw_graph(root, show_grad=False).svg).texts if box.kind == "note"]


def test_what_no_grad_computed_is_dashed_and_says_so_everywhere() -> None:
    x = Value(2.0, "x")
    with no_grad():
        y = x * 3
    drawing = draw_graph(y * x)
    page = read(drawing.svg)
    (box,) = page.gates("constant")
    assert page.style("constant", "stroke-dasharray") and box.right - box.left > 90
    assert "× in no_grad" in [box.text for box in page.texts]
    assert drawing.to_text().split("\n")[2].split() == ["v1", "×", "in", "no_grad", "6", "–"]
    assert drawing.to_text().endswith(UNRECORDED)
    assert "× in no_grad" in drawing.to_dot().source and 'style="rounded,dashed"' in drawing.to_dot().source


def test_the_table_lists_every_node_of_a_summary() -> None:
    root = tangle(1_000)
    nodes = [node for node in topological_order(root) if node.op != "const"]
    assert len(draw_graph(root).to_text().split("\n")) == len(nodes) + 2


def test_draw_dot_is_micrograds_name_for_it() -> None:
    root = product_of_a_sum()
    assert isinstance(draw_dot(root), Drawing)
    assert draw_dot(root, rankdir="TB").svg == draw_graph(root, rankdir="TB").svg
    assert draw_dot(root, format="png").svg == draw_dot(root).svg
    with pytest.raises(ValueError, match="format must be 'svg' or 'png', but got 'gif'"):
        draw_dot(root, format="gif")


# --- size


def test_a_folded_drawing_says_so_on_the_picture() -> None:
    svg = draw_graph(network(16, 16, 1)).svg
    notes = " ".join(box.text for box in read(svg).texts if box.kind == "note")
    assert notes.startswith("Folded. draw_graph(…, depth=1) opens one level more")
    assert not [box for box in read(draw_graph(sigmoid_gate()).svg).texts if box.kind == "note"]


def test_five_thousand_nodes_are_summed_up_in_a_small_picture() -> None:
    page = read(draw_graph(tangle(5_000)).svg)
    assert 3 <= len(page.parts()) <= 25
    assert page.width < 1_350 and page.height < 850


@pytest.mark.slow
def test_a_chain_of_a_million_draws_a_summary() -> None:
    gc.disable()  # as the README advises for graphs of this size
    try:
        with scope("chain"):
            root = chain(1_000_000)
        assert "1,000,001 nodes" in draw_graph(root).svg
    finally:
        gc.enable()
