"""Names in pictures and captions: what is shown, what room it takes, and that nothing in them is taken for markup."""

from __future__ import annotations

import html
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import Value, sigmoid
from viz import draw_derivation, draw_graph, draw_maps, step_through
from viz.lettering import caption_in_html, name_width, pieces_of, shown_name
from viz.markup import name_at
from viz.metrics import NAME_SIZE, NUMBER_SIZE, text_width

from .reading import SVG, overlaps, read

NAMES = st.text(alphabet=r"xσ_^{}\ 12<&>'" + '"权', max_size=12) | st.sampled_from(
    [r"\hat{y}", r"\hat\theta", r"\vec{x}_1", "w_{ij}^{(2)}", "alpha", "x_<b>", "<script>alert(1)</script>", "]]>"]
)


def test_scripts_are_smaller_and_stand_below_and_above_the_line_where_the_letter_ends() -> None:
    letter, sub, sup = pieces_of("w_{ij}^{(2)}", NAME_SIZE)[0]
    assert [piece.text for piece in (letter, sub, sup)] == ["w", "ij", "(2)"]
    assert (letter.anchor, sub.anchor, sup.anchor) == ("end", "start", "start")
    assert letter.right == letter.below == 0.0 and 0.0 < sub.right == sup.right < 1.0
    assert sub.below > 2.0 and sup.below < -4.0 and 10.0 <= sub.size == sup.size < 0.8 * letter.size
    letter, sub, nth = pieces_of("w_1 (2)", NAME_SIZE)[0]
    assert nth.text == "(2)" and nth.below == 0.0 and nth.right > sub.right + 5.0
    assert all(piece.size >= 10.0 for piece in pieces_of("w_1^2", NUMBER_SIZE)[0])


def test_accents_over_latin_letters_are_the_fonts_and_others_stand_over_the_middle_of_the_letter() -> None:
    assert [piece.text for piece in pieces_of(r"\hat{y}_1", NAME_SIZE)[0]] == ["ŷ", "1"]
    assert pieces_of(r"\hat{y}", NAME_SIZE)[0] == [] and shown_name(r"\hat{y}") == "ŷ"
    for name, accent in ((r"\hat{\omega}", "ˆ"), (r"\bar\sigma_0", "ˉ"), (r"\vec{x}", "→")):
        pieces, letter, _ = pieces_of(name, NAME_SIZE)
        assert pieces[1].text == accent and pieces[1].anchor == "middle" and pieces[1].right == -letter / 2
        assert name_width(name, NAME_SIZE) >= letter
    low, high = (pieces_of(name, NAME_SIZE)[0][1].below for name in (r"\hat\omega", r"\hat\Omega"))
    assert high < low - 2.0  # capitals are higher


def test_a_name_that_is_no_mathematics_is_as_wide_and_as_cut_as_ever() -> None:
    for name in ("snake_case_name", "w0", "q"):
        assert pieces_of(name, NAME_SIZE)[0] == [] and shown_name(name) == name
        assert name_width(name, NAME_SIZE) == text_width(name, NAME_SIZE, bold=True)
    assert shown_name("n" * 99) == "nnnnnnnnnnnn…nnnnnnnnnnn"
    assert len(shown_name("x_{" + "1" * 99 + "}")) == 24
    assert name_width("w_1", NAME_SIZE) < text_width("w_1", NAME_SIZE, bold=True)  # no underscore, and a smaller 1
    assert pieces_of(r"\hat{\theta}_{t-1}^{(i)}", NAME_SIZE)[0]  # long as it was typed, but not as it is shown


@given(NAMES, NAMES)
def test_whatever_a_name_is_it_opens_no_tag(one: str, other: str) -> None:
    drawn = ET.fromstring(f"<svg>{name_at(0.0, 0.0, one)}</svg>")
    assert all(text.tag == "text" and len(text) == 0 for text in drawn)
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


@pytest.mark.parametrize("rankdir", ["LR", "RL", "TB"])
def test_in_a_drawing_names_are_set_and_keep_their_room(rankdir: str) -> None:
    page = read(draw_graph(a_neuron(), rankdir=rankdir).svg)
    texts = page.texts
    assert {"x", "→", "θ", "my_var", "ŷ"} <= {box.text for box in texts if box.kind.startswith("name")}
    assert not {"_", "^", "{", "\\"} & set("".join(box.text for box in texts if box.text != "my_var"))
    assert not overlaps(replace(page, root=without_accents(page.root)))
    letter, below, above = (next(b for b in texts if "label" in b.kind and b.text == t) for t in "zt2")
    (number,) = [box for box in texts if box.kind == "value" and box.text == "−1.5"]
    assert below.left == above.left == pytest.approx(letter.right, abs=1.0) and above.bottom < below.top
    assert number.left > above.right and number.top == pytest.approx(letter.top, abs=0.11)


def without_accents(root: ET.Element) -> ET.Element:
    for part in root.iter(f"{SVG}g"):
        for text in [e for e in part if (e.text or "") in tuple("ˆˉ˜˙¨→")]:
            part.remove(text)
    return root


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
    texts = read(draw_maps([[1.0, 2.0]], labels=["W_1"]).svg).texts
    assert [box.text for box in texts if box.kind.startswith("name")] == ["W", "1"]
