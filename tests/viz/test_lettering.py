"""Names in pictures and captions: what is shown, what room it takes, and that nothing in them is taken for markup."""

from __future__ import annotations

import html
import math
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, sigmoid
from viz import draw_derivation, draw_graph, draw_maps, step_through
from viz.lettering import caption_in_html, name_in_svg, name_width
from viz.metrics import text_width

from .reading import SVG, overlaps, read

NAMES = st.text(alphabet=r"xσ_^{}\ 12<&>'" + '"权', max_size=12) | st.sampled_from(
    [r"\hat{y}", r"\hat\theta", r"\vec{x}_1", "w_{ij}^{(2)}", "alpha", "x_<b>", "<script>alert(1)</script>", "]]>"]
)


def spans(name: str, size: float = 15.0) -> list[tuple[str, float, float]]:
    """The pieces of a name: each with how far below the line it stands, and its size."""
    markup, end = name_in_svg(name, size)
    root = ET.fromstring(f"<text>{markup}</text>")
    found, line = [(root.text or "", 0.0, size)], 0.0
    for span in root:
        line += float(span.get("dy", 0))
        assert not span.tail
        found.append((span.text or "", round(line, 1), float(span.get("font-size", size))))
    assert end == pytest.approx(line, abs=0.06)
    return [piece for piece in found if piece[0]]


def test_scripts_are_smaller_and_stand_below_and_above_the_line() -> None:
    (letter, at, size), (sub, below, small), (sup, above, smaller) = spans("w_{ij}^{(2)}")
    assert (letter, sub, sup) == ("w", "ij", "(2)")
    assert (at, size) == (0.0, 15.0) and below > 2.0 and above < -4.0
    assert 10.0 <= small == smaller < 12.0
    assert spans("w_1 (2)") == [("w", 0.0, 15.0), ("1", 3.3, 11.1), (" (2)", 0.0, 15.0)]


def test_accents_over_latin_letters_are_the_fonts_and_others_are_placed() -> None:
    assert [text for text, *_ in spans(r"\hat{y}_1")] == ["ŷ", "1"]
    for name, accent in ((r"\hat{\theta}", "ˆ"), (r"\bar\sigma_0", "ˉ"), (r"\vec{x}", "→")):
        letter, mark, *rest = spans(name)
        assert mark[0] == accent and mark[1] <= 0.0
        assert name_width(name, 15.0) == pytest.approx(sum(text_width(t, s, bold=True) for t, _, s in [letter, *rest]))


def test_a_name_that_is_no_mathematics_is_as_wide_and_as_cut_as_ever() -> None:
    assert name_in_svg("snake_case_name", 15.0) == ("snake_case_name", 0.0)
    assert name_width("w0", 15.0) == text_width("w0", 15.0, bold=True)
    assert len(name_in_svg("n" * 99, 15.0)[0]) == 24
    assert len(name_in_svg("x_{" + "1" * 99 + "}", 15.0)[0]) == 24
    assert name_width("w_1", 15.0) < text_width("w_1", 15.0, bold=True)  # no underscore, and a smaller 1
    assert spans(r"\hat{\theta}_{t-1}^{(i)}")[-1][0] == "(i)"  # long as it was typed, but not as it is shown


@given(NAMES, NAMES)
def test_whatever_a_name_is_it_opens_no_tag(one: str, other: str) -> None:
    spans(one)
    for fractions in (False, True):
        said = caption_in_html(f"∂{one}/∂{other} += {one} · {other} = 2", [one, other], fractions=fractions)
        assert set(re.findall("<(/?[^ >]*)", said)) <= {
            t + k for t in ("", "/") for k in "var i b sub sup span".split()
        }
        ET.fromstring(f"<p>{said}</p>")


def test_a_caption_is_read_in_one_line_as_it_was_before() -> None:
    text = "∂L/∂w_1 += ∂L/∂my_var · ∂my_var/∂w_1 = 2 × (−1)^w_1; not w_12, 2·w_1²"
    said = caption_in_html(text, ["L", "w_1", "my_var"], fractions=True)
    assert said.count("<var>") == 3 and said.startswith("<var>∂L<i>/</i><b>∂w<sub>1</sub></b></var> +=")
    assert html.unescape(re.sub("<[^>]*>", "", said)) == re.sub(r"w_1(?!2)", "w1", text)
    linear = caption_in_html(text, ["L", "w_1", "my_var"])
    assert linear.startswith("∂L/∂w<sub>1</sub> += ∂L/∂my_var")
    assert caption_in_html("a < b", []) == "a &lt; b"
    assert caption_in_html("exp(alpha) and alphabet", ["alpha"]) == "exp(α) and alphabet"


def a_neuron() -> Value:
    w, x = Value(2.0, "w_{12}"), Value(-1.0, r"\vec{x}")
    z = w * x + Value(0.5, "theta")
    z.label = "z_t^2"
    f = sigmoid(z) * Value(1.5, "my_var")
    f.label = r"\hat{y}"
    f.backward()
    return f


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
def test_in_a_drawing_names_are_set_and_keep_their_room(rankdir: str) -> None:
    page = read(draw_graph(a_neuron(), rankdir=rankdir).svg)
    texts = [box.text for box in page.texts]
    assert {"w12", "x→", "θ", "my_var", "ŷ"} <= set(texts)
    assert "zt2  −1.5" in texts
    assert not overlaps(page)
    (value,) = [e for e in page.root.iter(f"{SVG}text") if "".join(e.itertext()) == "zt2  −1.5"]
    assert sum(float(span.get("dy", 0)) for span in value.iter(f"{SVG}tspan")) == pytest.approx(0.0, abs=0.11)
    assert value[-1].text == "  −1.5"


def test_where_names_are_looked_up_or_told_they_stay_as_typed() -> None:
    drawing = draw_graph(a_neuron())
    assert r"Computation graph of \hat{y}" in drawing.svg and "w_{12} 2 gradient" in drawing.svg
    assert "<title>w_{12} = 2.0" in drawing.svg
    assert "w_{12}" in drawing.to_text() and "w_{12}" in drawing.to_dot().source
    derivation = draw_derivation(a_neuron(), "w_{12}")
    y = 1 / (1 + math.exp(1.5))
    assert derivation.value == pytest.approx(-1.5 * y * (1 - y))
    assert r"\frac{\partial \hat{y}}{\partial w_{12}}" in derivation.to_latex()
    assert any(frame.text.startswith(r"∂\hat{y}/∂w_{12} += ") for frame in step_through(a_neuron()).frames)


def test_the_name_of_a_map_is_set_too() -> None:
    (name,) = [box.text for box in read(draw_maps([[1.0, 2.0]], labels=["W_1"]).svg).texts if box.kind == "name"]
    assert name == "W1"
