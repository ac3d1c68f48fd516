"""Pictures of feature maps: every number where it belongs, the window framed, the sum right, readable by everyone."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from autograd import Value, dot
from viz import MapDrawing, draw_maps, step_maps
from viz.graph.diagram import OUTDATED
from viz.markup import DARK, LIGHT

from .reading import SVG, Box, outside, read

ROOT = Path(__file__).resolve().parents[2]
X = [[1, 2, 0, 1, 3], [0, 1, -2, 3, 1], [2, 1, 0, 0, 1], [1, -1, 2, 1, 0], [0, 2, 1, 0, 1]]
W = [[1, 0, -1], [2, 0, -2], [1, 0, -1]]


def cells(drawing: MapDrawing) -> list[Box]:
    return [box for box in read(drawing.svg).texts if box.kind == "cell"]


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def numbers(drawing: MapDrawing) -> list[float]:
    return [number(box.text) for box in cells(drawing)]


def framed(drawing: MapDrawing) -> list[list[float]]:
    """The numbers inside each frame."""
    frames = read(drawing.svg).gates("window")
    return [
        [number(c.text) for c in cells(drawing)
         if f.left < c.middle < f.right and f.top < (c.top + c.bottom) / 2 < f.bottom]
        for f in frames
    ]  # fmt: skip


def flat(grid: Any) -> list[float]:
    return [float(x) for x in np.asarray(grid, dtype=float).ravel()]


# --- what is drawn


def test_maps_are_drawn_with_every_number_in_the_order_of_reading() -> None:
    assert numbers(draw_maps(X)) == flat(X)
    assert numbers(draw_maps([X, X[::-1]])) == flat(X) + flat(X[::-1])


def test_a_filter_is_drawn_between_the_image_and_the_correlation_of_the_two() -> None:
    expected = signal.correlate2d(X, W, "valid")
    assert numbers(draw_maps(X, kernel=W)) == flat(X) + flat(W) + flat(expected)


@pytest.mark.parametrize(("i", "j"), [(0, 0), (1, 2), (2, 1)])
def test_the_window_the_filter_and_the_cell_that_they_make_are_framed(i: int, j: int) -> None:
    found = framed(draw_maps(X, kernel=W, window=(i, j)))
    seen = np.array(X)[i : i + 3, j : j + 3]
    assert found == [flat(seen), flat(W), [float((seen * np.array(W)).sum())]]


def test_a_stride_moves_the_window_further() -> None:
    found = framed(draw_maps(X, kernel=W, window=(1, 1), stride=2))
    assert found[0] == flat(np.array(X)[2:5, 2:5])
    assert len(numbers(draw_maps(X, kernel=W, stride=(2, 1)))) == 25 + 9 + 2 * 3


def test_a_filter_of_several_channels_sums_over_all_of_them() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.integers(-3, 4, size=(3, 4, 5)), rng.integers(-2, 3, size=(3, 2, 2))
    total = sum(signal.correlate2d(a, b, "valid") for a, b in zip(x, w, strict=True))
    drawing = draw_maps(x, kernel=w, window=(2, 3), labels=["red", "green", "blue"])
    assert numbers(drawing) == flat(x) + flat(w) + flat(total)
    assert len(framed(drawing)) == 3 + 3 + 1
    assert [b.text for b in read(drawing.svg).texts if b.kind == "name"] == [
        "red", "green", "blue", "w[0]", "w[1]", "w[2]", "y",
    ]  # fmt: skip


def test_pooling_is_drawn_with_a_result_for_each_map() -> None:
    x = np.arange(32.0).reshape(2, 4, 4)
    y = x.reshape(2, 2, 2, 2, 2).max(axis=(2, 4))
    drawing = draw_maps(x, size=2, result=y, window=(0, 1))
    assert numbers(drawing) == flat(x) + flat(y)
    assert framed(drawing) == [[2.0, 3.0, 6.0, 7.0], [18.0, 19.0, 22.0, 23.0], [7.0], [23.0]]
    assert drawing.caption == "y[0][1]: from 2, 3, 6, 7; 18, 19, 22, 23 to 7 and 23"


def test_the_sum_below_is_the_one_that_gives_the_cell() -> None:
    for k, frame in enumerate(step_maps(X, kernel=W).frames):
        assert draw_maps(X, kernel=W, window=divmod(k, 3)).caption == frame.text
        name, sum_, total = frame.text.split(" = ")
        i, j = map(int, re.findall(r"\d", name))
        worked_out = eval(sum_.replace("−", "-").replace("·", "*"))
        assert worked_out == number(total) == signal.correlate2d(X, W, "valid")[i, j]


def test_a_result_with_bias_and_activation_is_told_apart_from_the_sum() -> None:
    relu = np.maximum(signal.correlate2d(X, W, "valid"), 0)
    drawing = draw_maps(X, kernel=W, window=(1, 2), result=relu)
    assert drawing.caption.endswith(" = −3; y[1][2] is 0, as after a bias or an activation")
    assert framed(drawing)[2] == [0.0]


def test_values_are_drawn_as_their_data() -> None:
    as_values = [[Value(float(x)) for x in row] for row in X]
    weights = [[Value(float(w)) for w in row] for row in W]
    assert draw_maps(as_values, kernel=weights, window=(0, 0)).svg == draw_maps(X, kernel=W, window=(0, 0)).svg
    assert draw_maps(np.array(X)).svg == draw_maps(X).svg == draw_maps(tuple(map(tuple, X))).svg


def test_numbers_beyond_a_float_are_summed_as_ieee_754_says() -> None:
    drawing = draw_maps([[float("inf"), 1e308, 1e308]], kernel=[[-1.0, 10.0]])
    assert [box.text for box in cells(drawing)][-2:] == ["nan", "inf"]


# --- steps


def test_steps_visit_every_place_and_fill_the_result_cell_by_cell() -> None:
    player = step_maps(X, kernel=W)
    expected = flat(signal.correlate2d(X, W, "valid"))
    assert len(player) == 9
    for k, frame in enumerate(player.frames):
        assert (frame.kind, frame.title) == ("place", f"Place {k + 1} of 9")
        texts = [text.text or "" for text in ET.fromstring(frame.svg).iter(f"{SVG}text")]
        drawn = [number(text) for text in texts if text not in ("x", "w", "y", "×", "Σ")]
        assert sorted(drawn) == sorted(flat(X) + flat(W) + expected[: k + 1])
    assert len({re.search('viewBox="[^"]*"', frame.svg)[0] for frame in player.frames}) == 1  # type: ignore[index]
    assert len({frame.svg for frame in player.frames}) == 9


def rectangles(markup: str) -> set[tuple[str, ...]]:
    """What lies around the frames that are drawn in ``markup``."""
    return {
        tuple(re.findall(r"(?<= )(?:x|y|width|height)=.([0-9.]+)", tag)) for tag in re.findall("<rect [^>]*>", markup)
    }


def test_steps_frame_what_the_picture_of_their_place_frames() -> None:
    frames = step_maps([X, X], kernel=[W, W], stride=2).frames
    for frame, place in zip(frames, [(0, 0), (0, 1), (1, 0), (1, 1)], strict=True):
        picture = draw_maps([X, X], kernel=[W, W], stride=2, window=place).svg
        around = "".join(re.findall('<rect class="window"[^>]*>', picture))
        assert len(rectangles(around)) == 5
        assert rectangles(frame.lights + frame.changes[4]) == rectangles(around)


def test_pooling_has_steps_too() -> None:
    player = step_maps(X[:4], size=2, result=[[2.0, 3.0], [2.0, 2.0]])
    assert [frame.text for frame in player.frames] == [
        "y[0][0]: from 1, 2, 0, 1 to 2", "y[0][1]: from 0, 1, −2, 3 to 3",
        "y[1][0]: from 2, 1, 1, −1 to 2", "y[1][1]: from 0, 0, 2, 1 to 2",
    ]  # fmt: skip
    assert player.frames[3].words == "The window begins in row 2 and column 2; what it sees becomes one number"
    assert len(step_maps(X, size=2).frames) == 4  # no result: only the window moves


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_steps_are_shown_in_the_colours_of_a_theme(theme: str) -> None:
    picture = step_maps(X, kernel=W, theme=theme).frames[0].svg
    assert (LIGHT["gradient"] in picture) == (theme != "dark") and (DARK["gradient"] in picture) == (theme != "light")


def test_steps_show_themselves_and_are_saved_as_a_page(tmp_path: Path) -> None:
    player = step_maps(X, kernel=W)
    shown = player._repr_mimebundle_()["text/html"]
    assert shown.count("<details") == shown.count("<img") == 9  # for where no script runs
    assert "y[0][0] = 1·1 + 0·2 + (−1)·0" in shown
    page = player.save(tmp_path / "maps.html").read_text(encoding="utf-8")
    assert "<title>A map of 5×5, a filter of 3×3, and the result of 3×3, step by step</title>" in page
    assert len(page.encode()) < 60_000


# --- how it looks


@given(
    st.integers(1, 4), st.integers(1, 6), st.integers(1, 6), st.integers(1, 3), st.integers(1, 3), st.booleans(),
    st.integers(0, 2**32 - 1), st.sampled_from([1.0, 1e-4, 1e7]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_nothing_overlaps_and_nothing_sticks_out(
    channels: int, m: int, n: int, k1: int, k2: int, with_kernel: bool, seed: int, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(channels, m, n)) * scale
    options: Any = {}
    if with_kernel:
        options = {"kernel": rng.normal(size=(channels, min(k1, m), min(k2, n))), "window": (0, 0)}
    page = read(draw_maps(x, **options).svg)
    assert not outside(page)
    texts = page.texts
    assert not [(a.text, b.text) for a, b in combinations(texts, 2) if a.overlaps(b)]
    boards = [t for t in texts if t.kind == "cell"]
    assert len(boards) >= x.size


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize(("kind", "depth"), [("tag-rim", 0.75), ("gradient", 0.5)])
def test_the_numbers_stand_out_from_the_deepest_shade(colours: dict[str, str], kind: str, depth: float) -> None:
    """The contrast that WCAG 2 asks of text, 4.5 to 1."""

    def channels(colour: str) -> np.ndarray:
        return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])

    def luminance(rgb: np.ndarray) -> float:
        return float(np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])

    shade = depth * channels(colours[kind]) + (1 - depth) * channels(colours["card"])
    darker, lighter = sorted([luminance(shade), luminance(channels(colours["ink"]))])
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_the_largest_number_has_the_deepest_shade_and_zero_has_none() -> None:
    root = ET.fromstring(draw_maps([[2.0, -4.0, 0.0, 1.0]]).svg)
    shades = [(e.get("class"), e.get("fill-opacity")) for e in root.iter(f"{SVG}rect") if e.get("fill-opacity")]
    assert shades == [("positive", "0.38"), ("negative", "0.50"), ("positive", "0.19")]


def test_the_sign_is_shown_by_more_than_a_colour() -> None:
    drawing = draw_maps([[2.0, -4.0], [0.0, -1.0]])
    notches = [e for e in ET.fromstring(drawing.svg).iter(f"{SVG}path") if e.get("class") == "negative"]
    assert len(notches) == 2
    assert [box.text for box in cells(drawing)] == ["2", "−4", "0", "−1"]


def test_numbers_that_are_not_finite_are_marked_and_leave_the_shades_of_the_others() -> None:
    drawing = draw_maps([[float("nan"), float("inf"), 1.0]])
    assert len(read(drawing.svg).gates("bad")) == 2
    assert 'class="positive" fill-opacity="0.75"' in drawing.svg


def test_light_dark_and_both() -> None:
    light, dark, both = (draw_maps(X, kernel=W, theme=theme).svg for theme in ("light", "dark", "auto"))
    assert LIGHT["card"] in light and DARK["card"] not in light and "@media" not in light
    assert DARK["card"] in dark and LIGHT["card"] not in dark
    assert LIGHT["card"] in both and DARK["card"] in both.split("@media (prefers-color-scheme:dark)")[1]


def test_a_picture_says_what_it_shows_to_who_cannot_see_it() -> None:
    root = ET.fromstring(draw_maps(X, kernel=W, window=(1, 2)).svg)
    assert root.get("role") == "img"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and description is not None
    assert title.text == "A map of 5×5, a filter of 3×3, and the result of 3×3"
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert "y[1][2] = 1·(−2)" in (description.text or "") and "w: 1 0 −1; 2 0 −2; 1 0 −1" in (description.text or "")


def test_names_and_ids_do_not_touch_other_pictures_on_the_page() -> None:
    a, b = draw_maps(X).svg, draw_maps(W).svg
    assert set(re.findall(r'id="([^"]+)"', a)).isdisjoint(re.findall(r'id="([^"]+)"', b))
    assert "&lt;b&gt;" in draw_maps(X, labels=["<b>"]).svg


def test_the_same_maps_give_the_same_bytes_in_every_process() -> None:
    code = f"from viz import draw_maps; print(end=draw_maps({X}, kernel={W}, window=(1, 1)).svg)"
    found = []
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)}
        found.append(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment))
    assert found[0].stdout == found[1].stdout == draw_maps(X, kernel=W, window=(1, 1)).svg.encode()


def test_maps_of_values_say_when_they_are_older_than_the_data_of_a_leaf() -> None:
    x = [[Value(float(i + j)) for j in range(3)] for i in range(3)]
    w = [[Value(1.0), Value(2.0)], [Value(0.0), Value(-1.0)]]
    y = [[dot([*x[i][j : j + 2], *x[i + 1][j : j + 2]], [*w[0], *w[1]]) for j in range(2)] for i in range(2)]
    told = {"kernel": w, "result": y}
    assert "new data" not in draw_maps(x, window=(0, 0), **told).svg + draw_maps(y).svg + step_maps(x, **told).to_html()
    x[0][0].data = 9.0
    drawing = draw_maps(x, window=(0, 0), **told)
    assert drawing.caption == "1·9 + 2·1 + 0·1 + (−1)·2 = 9; y[0][0] is 0"
    for one in (drawing, draw_maps(y)):
        notes = " ".join(box.text for box in read(one.svg).texts if box.kind == "note")
        assert notes.endswith(OUTDATED)
        assert not outside(read(one.svg))
    assert OUTDATED in step_maps(x, **told).to_html()


# --- in notebooks and files


def test_a_picture_shows_itself_and_is_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    drawing = draw_maps(X)
    assert drawing._repr_mimebundle_()["image/svg+xml"] == drawing.svg
    assert drawing.save(tmp_path / "maps.svg").read_text(encoding="utf-8") == drawing.svg
    page = drawing.save(tmp_path / "maps.html").read_text(encoding="utf-8")
    assert drawing.svg in page and "<title>" in page
    with pytest.raises(ValueError, match=r"\.svg, \.html, \.png or \.pdf, but got 'maps.dot'"):
        drawing.save(tmp_path / "maps.dot")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["maps.html", "maps.svg"]
    assert repr(drawing) == "<MapDrawing of a map of 5×5; .save('maps.svg') writes it to a file>"


def test_a_picture_is_saved_as_dots_in_light_colours(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    assert draw_maps(X).save(tmp_path / "maps.png").read_bytes().startswith(b"\x89PNG")


# --- lessons


def test_the_whole_numbers_and_the_ranges_of_an_array_program_are_taken_as_they_are() -> None:
    two, place = np.int64(2), np.array([0, 1])
    assert draw_maps(X, size=two, window=place).svg == draw_maps(X, size=2, window=(0, 1)).svg
    assert draw_maps(X, kernel=W, stride=(two, two)).svg == draw_maps(X, kernel=W, stride=2).svg
    assert draw_maps([range(3)]).svg == draw_maps([[0, 1, 2]]).svg


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: draw_maps([1, 2, 3]), TypeError, "rows × columns of numbers, .* got 1 level of lists"),
        (lambda: draw_maps(3.0), TypeError, "the maps are rows × columns .* got float"),
        (lambda: draw_maps([[[[1]]]]), TypeError, "4 levels of lists"),
        (lambda: draw_maps([[1, 2], [3]]), ValueError, "has 2 numbers, but channel 0 has another shape in row 1"),
        (lambda: draw_maps([[[1, 2]], [[1]]]), ValueError, "channel 1"),
        (lambda: draw_maps([["a"]]), TypeError, "hold numbers or Values, but got str: 'a'"),
        (lambda: draw_maps([[]]), (TypeError, ValueError), "the maps"),
        (lambda: draw_maps(X, kernel=[W, W]), ValueError, "1 maps and 2 grids; draw one filter at a time"),
        (lambda: draw_maps(W, kernel=X), ValueError, "window of 5×5 does not fit into maps of 3×3"),
        (lambda: draw_maps(X, window=(0, 0)), ValueError, "a window needs a size"),
        (lambda: draw_maps(X, kernel=W, window=(3, 0)), ValueError, r"rows 0…2 and columns 0…2, but got \(3, 0\)"),
        (lambda: draw_maps(X, kernel=W, window=(-1, 0)), ValueError, "rows 0…2"),
        (lambda: draw_maps(X, kernel=W, window=4), TypeError, r"such as \(0, 1\), but got 4"),
        (lambda: draw_maps(X, kernel=W, window=(0.0, 1)), TypeError, r"such as \(0, 1\), but got \(0.0, 1\)"),
        (lambda: draw_maps(X, size=2.5), ValueError, "the size of a window is a whole number .* but got 2.5"),
        (lambda: draw_maps(X, kernel=W, size=2), ValueError, "size is for pooling"),
        (lambda: draw_maps(X, kernel=W, stride=0), ValueError, "the stride is a whole number of at least 1"),
        (lambda: draw_maps(X, stride=2), ValueError, "a stride needs a window"),
        (lambda: draw_maps(X, result=X), ValueError, "a result needs a window"),
        (lambda: draw_maps(X, kernel=W, result=X), ValueError, "3×3 places .* the result is 5×5; .* padding"),
        (lambda: draw_maps(X, kernel=W, result=[W, W]), ValueError, "1 map here, but has 2"),
        (lambda: draw_maps(X, labels=["a", "b"]), ValueError, "a name for each of the 1 maps"),
        (lambda: draw_maps(X, theme="blue"), ValueError, "theme must be one of"),
        (lambda: draw_maps(X, fmt="d"), ValueError, "fmt must be a format spec"),
        (lambda: draw_maps(np.zeros((70, 70))), ValueError, "4,900 cells, and more than 4,000"),
        (lambda: step_maps(X), ValueError, "steps need a window that moves"),
        (lambda: step_maps(np.zeros((28, 28)), kernel=W), ValueError, "676 places, and 100 pictures are enough"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_told_with_what_was_expected(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call()
