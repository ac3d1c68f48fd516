"""The live pages, used as a person uses them: in Chromium, with the mouse, the keyboard, and fingers."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from autograd import SHEET, Value, format_number, leaves, maximum, parse, recompute, register, topological_order
from autograd.backward import numeric_adjoints
from autograd.graph import names_in_order
from nn import MLP, LSTMCell, unroll
from nn.attention import GPT
from nn.losses import cross_entropy
from viz import draw_derivation, explore, step_through

from .graphs import doubled, network, product_of_a_sum, sigmoid_gate, strange_names

if TYPE_CHECKING:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import Locator, Page

Opener = Callable[..., "Page"]


@pytest.fixture
def opened(watched: Opener, tmp_path: Path) -> Opener:
    """Opens a live page, or HTML; see `watched`."""
    number = count()

    def go(content: Any, **context: Any) -> Page:
        file = tmp_path / f"page{next(number)}.html"
        file.write_text(content if isinstance(content, str) else content.to_html(), encoding="utf-8")
        return watched(file, **{"reduced_motion": "reduce", **context})

    return go


def settle(page: Page) -> None:
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def spin(page: Page | Locator, name: str) -> Locator:
    return page.get_by_role("spinbutton", name=name, exact=True)


def caption(page: Page) -> str:
    return page.locator(".cr-caption .cr-text").inner_text()


def type_in(page: Page, name: str, text: str) -> None:
    spin(page, name).focus()
    page.keyboard.press("Enter")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    settle(page)


def numbers(page: Page) -> dict[str, tuple[str, str]]:
    found = page.evaluate(
        "[...document.querySelectorAll('[data-part][data-name]')].map((e) => "
        "[e.dataset.name, e.dataset.value, e.dataset.gradient])"
    )
    return {name: (value, gradient) for name, value, gradient in found}


def assert_numbers_are(page: Page, root: Value) -> None:
    """Every number on the page, against the engine's; exact but for what another library rounds otherwise."""
    recompute(root)
    order = topological_order(root)
    names, adjoint = names_in_order(order), numeric_adjoints(root)
    on_page = numbers(page)
    size = max([1.0, *(abs(g) for g in adjoint.values() if math.isfinite(g))])
    for node in order:
        if node.op != "const":
            value, gradient = on_page[names[node]]
            assert float(value) == pytest.approx(node.data, rel=1e-13, nan_ok=True)
            assert float(gradient or 0.0) == pytest.approx(adjoint.get(node, 0.0), abs=1e-12 * size, nan_ok=True)


def test_keys_typing_and_dragging_change_a_number_and_everything_follows(opened: Opener) -> None:
    root = sigmoid_gate()
    w0, x0, *_ = leaves(root)
    page = opened(explore(root))
    assert_numbers_are(page, root)
    spin(page, "w0").focus()
    for key, expected in [
        ("ArrowUp", "2.1"),
        ("Shift+ArrowUp", "3.1"),
        ("Alt+ArrowDown", "3.09"),
        ("ArrowRight", "3.19"),
    ]:
        page.keyboard.press(key)
        settle(page)
        assert spin(page, "w0").get_attribute("data-value") == expected, key
    w0.data = 3.19
    assert_numbers_are(page, root)
    type_in(page, "x0", "−1e-3")
    x0.data = -1e-3
    assert_numbers_are(page, root)
    box = spin(page, "w0").bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 8)
    page.mouse.down()
    for dx in (10, 25, 60):
        page.mouse.move(box["x"] + 20 + dx, box["y"] + 8)
    settle(page)
    page.mouse.up()
    w0.data = float(spin(page, "w0").get_attribute("data-value") or 0.0)
    assert w0.data == pytest.approx(3.19 + 60 * 0.01)
    assert_numbers_are(page, root)
    spin(page, "w0").dblclick()
    settle(page)
    assert spin(page, "w0").get_attribute("data-value") == "2.0"


def test_captions_and_the_derivation_of_the_chosen_leaf_follow(opened: Opener) -> None:
    root = product_of_a_sum()
    x = leaves(root)[0]
    page = opened(explore(root))
    type_in(page, "x", "4")
    x.data = 4.0
    recompute(root)
    assert page.locator(".cr-derivation").inner_text().strip() == str(draw_derivation(root, x)).strip()
    assert caption(page) == "x = 4, ∂f/∂x = −4"
    page.get_by_role("option", name="q", exact=True).focus()
    assert caption(page) == "q = x + y = 4 + 5 = 9"


def test_what_is_no_number_is_told_and_changes_nothing(opened: Opener) -> None:
    page = opened(explore(product_of_a_sum()))
    type_in(page, "x", "two")
    assert "two is no number" in caption(page)
    assert page.locator("input.cr-edit[aria-invalid=true]").count() == 1
    page.keyboard.press("Escape")
    assert numbers(page)["x"][0] == "-2.0"


@pytest.mark.parametrize(
    ("text", "number"),
    [("0,125", 0.125), ("-2,5", -2.5), ("1234,5", 1234.5), ("1000", 1000.0), ("1,000", None), ("-12,345", None),
     ("1,000,000", None), ("1,000.5", None)],
)  # fmt: skip
def test_a_comma_is_a_decimal_one_or_refused_where_it_could_be_another(
    text: str, number: float | None, opened: Opener
) -> None:
    page = opened(explore(parse("x * 2", x=7)))
    type_in(page, "x", text)
    assert float(numbers(page)["x"][0]) == (7.0 if number is None else number)
    if number is None:
        assert caption(page) == f"{text} is no number; write one such as -1.5, 1000 or 1e-3"


def test_nothing_moves_while_numbers_change(opened: Opener) -> None:
    page = opened(explore(sigmoid_gate()))
    where = """[...document.querySelectorAll('.cr-hit, .cr-gate, .cr-sheet > svg:first-of-type *, .value, .gradient')]
        .map((e) => [e.getAttribute('x'), e.getAttribute('y'), e.getAttribute('d')].join())"""
    before = page.evaluate(where), page.locator(".cr-stage").bounding_box()
    for text in ("-1.234e-5", "1e300", "7"):
        type_in(page, "w0", text)
        assert (page.evaluate(where), page.locator(".cr-stage").bounding_box()) == before


def test_inf_and_nan_are_marked_where_they_arose(opened: Opener) -> None:
    page = opened(explore(parse("log(x) * y", x=1, y=2)))
    assert page.locator(".bad, .first-bad").count() == 0
    type_in(page, "x", "-1")
    assert page.locator("[data-name=v1]").get_attribute("data-value") == "nan"
    assert page.locator(".first-bad").count() == 1 and page.locator(".bad").count() >= 2
    type_in(page, "x", "1")
    assert page.locator(".bad, .first-bad").count() == 0


def test_a_wire_tells_every_path_from_it_to_the_end_with_its_product(opened: Opener) -> None:
    x, y = Value(3.0, "x"), Value(2.0, "y")
    q = x * y
    q.label = "q"
    page = opened(explore(q * q + q))
    page.get_by_role("option", name="x → q").focus()
    assert caption(page) == "The wire from x to q: ∂q/∂x = y = 2"
    paths = page.locator(".cr-caption .cr-words").all_inner_texts()
    assert sorted(paths) == [
        "x → q → f: 1 × 2 = 2",
        "x → q → v1 → f: 1 × 6 × 2 = 12",
        "x → q → v1 → f: 1 × 6 × 2 = 12",
    ]
    assert page.locator(".cr-lights .flow").count() == 1
    page.keyboard.press("ArrowRight")
    assert "y → q" in (page.evaluate("document.activeElement.getAttribute('aria-label')") or "")


def test_numbers_out_of_sight_are_written_when_the_hand_rests_or_they_come_into_sight(opened: Opener) -> None:
    y = Value(0.5, "x0")
    for k in range(1, 45):
        y = (y * Value(1.0 + 0.001 * k, f"x{k}")).tanh()
    page = opened(explore(y, depth="all"))
    unlike = """() => [...document.querySelectorAll('[data-name] .value')].filter((text) =>
        Math.abs(Number(text.lastChild.textContent.replace('−', '-')) - Number(text.parentNode.dataset.value)) > 1e-3
    ).length"""
    page.evaluate(
        "window.real = setTimeout, window.setTimeout = () => 0"
    )  # the hand does not rest, however long it takes
    type_in(page, "x0", "-0.7")
    assert page.evaluate(unlike) > 10  # their attributes are new, their texts are not
    in_sight = page.locator("[data-name=f]")
    page.evaluate("window.setTimeout = window.real")
    in_sight.evaluate("e => e.scrollIntoView()")
    settle(page)
    assert in_sight.locator(".value").text_content() == format_number(recomputed(y, -0.7))
    page.wait_for_function(f"({unlike})() === 0")
    assert_numbers_are(page, y)


def recomputed(root: Value, x: float) -> float:
    leaves(root)[0].data = x
    recompute(root)
    return root.data


@pytest.mark.parametrize("width", [1280, 390])
def test_local_derivatives_stand_on_their_wires_if_they_are_asked_for(width: int, opened: Opener) -> None:
    page = opened(explore(parse("x * y + x", x=3, y=2), local=True), viewport={"width": width, "height": 720})
    assert sorted(page.locator(".local").all_text_contents()) == ["∂ 1", "∂ 1", "∂ 2", "∂ 3"]
    type_in(page, "y", "5")
    assert sorted(page.locator(".local").all_text_contents()) == ["∂ 1", "∂ 1", "∂ 3", "∂ 5"]
    boxes = [text.bounding_box() for text in page.locator(".local").all()]
    assert all(box and box["width"] > 5 for box in boxes)


def test_a_nudge_shows_what_the_gradient_promised_and_steps_go_down(opened: Opener) -> None:
    page = opened(explore(parse("(x - 3)**2", x=1)))
    spin(page, "x").focus()
    page.locator("[data-act=nudge]").click()
    assert caption(page) == "x by 0.01: f changed by −0.0399, and the gradient promised −0.04"
    page.locator("[data-act=reset]").click()
    for _ in range(3):
        page.locator("[data-act=step]").click()
    assert caption(page).startswith("Step 3, each chosen number down its gradient times 0.1: f is 1.049")
    assert page.locator(".cr-course polyline").get_attribute("points").count(" ") == 3  # type: ignore[union-attr]
    assert "from 4 to 1.049; steps: 3" in page.locator(".cr-course").inner_text()


def test_boxes_open_and_fold_by_click_and_by_key(opened: Opener) -> None:
    root = network(4, 4, 1)
    page = opened(explore(root, depth=1))
    parts = page.locator("[data-part]")
    before = parts.count()
    page.get_by_role("button", name="layers.0.neurons.1: open it").press("Enter")
    assert parts.count() > before
    weight = page.get_by_role("spinbutton").last.get_attribute("aria-label") or ""
    type_in(page, weight, "0.5")
    names = names_in_order(topological_order(root))
    next(node for node, name in names.items() if name == weight).data = 0.5
    recompute(root)
    assert float(numbers(page)["f"][0]) == pytest.approx(root.data, rel=1e-13)
    page.get_by_role("button", name="layers.0.neurons.1: fold it").click()
    assert parts.count() == before
    page.locator("[data-act=unfold]").click()
    assert_numbers_are(page, root)
    page.locator("[data-act=fold]").click()
    page.locator("[data-act=fold]").click()
    box = page.get_by_role("button", name="layers.0: open it")
    assert box.count() == 1
    layer = page.locator("[data-part]").evaluate_all("all => all.map((e) => e.dataset.part)")
    assert len(layer) > len(set(layer))  # a box with several results has a number for each


def test_steps_of_one_form_are_folded_at_first_and_a_click_opens_what_is_inside(opened: Opener) -> None:
    w, u, h = Value(0.5, "w"), Value(-0.3, "u"), Value(0.1, "h")
    for k in range(12):
        h = (w * Value(0.1 * k, f"x{k}") + u * h).tanh()
    end = names_in_order(topological_order(h))[h]
    for width in (1280, 400):
        page = opened(explore(h), viewport={"width": width, "height": 800})
        assert "At first some of it is folded" in page.locator(".cr-note").inner_text()
        assert spin(page, "x5").count() == 0
        type_in(page, "w", "0.7")
        w.data = 0.7
        recompute(h)
        assert float(numbers(page)[end][0]) == pytest.approx(h.data, rel=1e-13)
        page.locator("[data-act=open-box]").first.click()
        type_in(page, "x5", "2")
        next(leaf for leaf in leaves(h) if leaf.label == "x5").data = 2.0
        assert_numbers_are(page, h)
        page.locator("[data-act=fold]").click()
        assert spin(page, "x5").count() == 0 and float(numbers(page)[end][0]) == pytest.approx(h.data, rel=1e-13)


def test_what_is_too_large_to_be_opened_by_a_click_says_how_it_is_opened() -> None:
    x = Value(0.5, "x")
    y, z = x, x
    for k in range(430):
        y = y.tanh()
        z = (z.tanh(), z.sin(), -z, z * y, z + y)[(k * k * 7 + k // 3) % 5]
    for root in (y, z):
        page = explore(root).to_html()
        assert "What is folded is too much for one picture: explore(…, depth='all') opens everything" in page
        assert len(page.encode()) < 100_000
    assert "What is folded is too much" not in explore(y, depth="all").to_html()


def test_from_an_open_box_a_neighbour_opens_and_the_picture_is_right(opened: Opener) -> None:
    root = network(3, 2, 1)
    page = opened(explore(root, depth=1))
    closed = set(page.get_by_role("spinbutton").evaluate_all("all => all.map((e) => e.dataset.name)"))
    nodes = {name: node for node, name in names_in_order(topological_order(root)).items()}
    shown = []
    for box in ("layers.0.neurons.0", "layers.0.neurons.2", "layers.1.neurons.1"):
        page.get_by_role("button", name=f"{box}: open it").click()
        assert page.get_by_role("button", name=f"{box}: fold it").count() == 1
        assert page.locator("[data-act=close-box]").count() == 1  # the one before has folded
        inside = set(page.get_by_role("spinbutton").evaluate_all("all => all.map((e) => e.dataset.name)")) - closed
        shown.append(inside)
        type_in(page, min(inside), "0.25")
        nodes[min(inside)].data = 0.25
        recompute(root)
        assert all(float(value) == pytest.approx(nodes[name].data) for name, (value, _) in numbers(page).items())
    assert all(nodes[name].scope.startswith("layers.0.neurons.2") for name in shown[1])
    assert not shown[0] & shown[1] and not shown[1] & shown[2]
    page.locator("[data-act=unfold]").click()
    assert_numbers_are(page, root)


def test_names_that_are_mathematics_are_set_so_wherever_they_are_seen_and_spoken_as_typed(opened: Opener) -> None:
    x, w, k = Value(2.0, r"\hat{x}_1"), Value(3.0, "my_var"), Value(-1.0, "<i>&")
    z = x * w
    z.label = "z_{12}^{(2)}"
    f = z + k
    f.label = "L^2"
    page = opened(explore(f))
    type_in(page, r"\hat{x}_1", "4")
    assert caption(page) == "x̂1 = 4, ∂L2/∂x̂1 = 3"
    assert page.locator(".cr-caption sub").count() == 2
    derived = page.locator(".cr-derivation")
    assert "z12(2) = x̂1 × my_var = 4 × 3 = 12\nL2 = z12(2) + <i>& = 12 + (−1) = 11" in (derived.text_content() or "")
    sides = derived.evaluate(
        "e => [...e.querySelectorAll('i')].map((gap) => gap.getBoundingClientRect().right - "
        "gap.getBoundingClientRect().left)"
    )
    assert len(sides) == 3 and max(sides) - min(sides) < 0.1  # as wide as the left side, so the equals signs align
    label = page.locator("[data-name='z_{12}^{(2)}'] .value")
    assert label.text_content() == "z12(2)12"
    letter, below, above, number = (label.locator("tspan").nth(i).bounding_box() for i in range(4))
    assert letter and below and above and number
    assert above["y"] < below["y"] and abs(above["x"] - below["x"]) < 3  # one below the other
    assert letter["x"] + letter["width"] <= min(above["x"], below["x"]) + 2
    assert below["x"] + below["width"] < number["x"]
    page.get_by_text("Which numbers").click()
    assert page.get_by_role("checkbox", name=r"\hat{x}_1", exact=True).count() == 1
    assert page.get_by_role("checkbox", name="<i>&", exact=True).count() == 1


def test_labels_that_attack_stay_names_and_ten_graphs_do_not_know_of_each_other(opened: Opener) -> None:
    attack = Value(2.0, "</script><img src=x onerror=alert(1)>]]>\"'{q}${1}`") * Value(3.0, "<!--<script>")
    graphs = [attack, strange_names(), *(parse("x * y", x=k, y=2) for k in range(8))]
    pieces = "".join(explore(f).to_html(page=False) for f in graphs)
    page = opened(f"<!DOCTYPE html><meta charset=utf-8><main>{pieces}</main>")
    assert page.locator(".cr-box").count() == 10
    assert page.evaluate("document.querySelectorAll('.cr-box img, .cr-box script').length") == 0
    roots = page.locator("[data-chainrule-live]").all()
    spin(roots[5], "x").focus()
    page.keyboard.press("ArrowUp")
    settle(page)
    shown = [root.locator("[data-name=f]").get_attribute("data-value") for root in roots[2:]]
    assert shown == ["0.0", "2.0", "4.0", "6.2", "8.0", "10.0", "12.0", "14.0"]
    first = roots[0].get_by_role("spinbutton").first
    assert (first.get_attribute("aria-label") or "").startswith("</script><img src=x")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["sigmoid", "network"])
def test_axe_finds_nothing(name: str, theme: str, opened: Opener, axe: Axe) -> None:
    root = sigmoid_gate() if name == "sigmoid" else network(4, 4, 1)
    page = opened(explore(root, depth=1), color_scheme=theme)
    page.get_by_role("spinbutton").first.focus()
    page.locator("[data-act=step]").click()
    page.get_by_text("Which numbers").click()
    found = axe.run(page).response["violations"]
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == []


@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_is_never_wider_than_its_window_and_a_phone_has_the_graph_from_top_to_bottom(
    width: int, opened: Opener
) -> None:
    page = opened(explore(sigmoid_gate()), viewport={"width": width, "height": 720}, has_touch=width < 600)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".cr-tall").count() == (width < 600)
    assert page.evaluate("((e) => e.scrollWidth - e.clientWidth)(document.querySelector('.cr-stage'))") <= 0
    texts = page.locator(".cr-sheet .value").evaluate_all("es => es.map((e) => e.getBoundingClientRect().height)")
    assert min(texts) > 8  # pixels


def test_a_finger_moves_a_number(opened: Opener) -> None:
    page = opened(explore(product_of_a_sum()), viewport={"width": 390, "height": 720}, has_touch=True)
    leaf = spin(page, "y")
    leaf.scroll_into_view_if_needed()
    for kind, dx in (("pointerdown", 0), ("pointermove", 30), ("pointerup", 30)):
        # a pointer that the test makes cannot be captured
        page.evaluate("Element.prototype.setPointerCapture = () => {}")
        event = {"pointerId": 7, "pointerType": "touch", "clientX": 100 + dx, "clientY": 100, "button": 0}
        leaf.dispatch_event(kind, event)
    settle(page)
    assert leaf.get_attribute("data-value") == "5.3"
    assert page.evaluate("getComputedStyle(document.querySelector('.cr-leaf')).touchAction") == "none"


def test_without_scripts_there_are_a_picture_and_the_steps_in_words(opened: Opener) -> None:
    page = opened(explore(product_of_a_sum()), java_script_enabled=False)
    assert page.locator("svg:visible .value").all_text_contents() == ["−2", "5", "q  3", "−4", "−12"]
    page.locator("summary").nth(1).click()
    assert page.locator("li:visible").count() == 4
    notebook = opened(explore(product_of_a_sum())._repr_mimebundle_()["text/html"], java_script_enabled=False)
    assert notebook.locator("img:visible").count() == 1


def test_a_rule_that_cannot_be_written_as_javascript_leaves_the_numbers_where_they_are(opened: Opener) -> None:
    half = register("half_of_sine", lambda a: math.sin(a) / 2, lambda y, a: (math.cos(a) / 2,))
    try:
        x = Value(1.0, "x")
        f = half(x) * x
        page = opened(explore(f))
        assert page.get_by_role("spinbutton").count() == 0
        assert "'half_of_sine' cannot be written as JavaScript" in page.locator(".cr-note").inner_text()
        assert_numbers_are(page, f)
        assert "'half_of_sine' cannot be" in step_through(f).to_html()
    finally:
        del SHEET["half_of_sine"]


def test_old_numbers_are_brought_up_to_date_and_it_says_so(opened: Opener) -> None:
    root = product_of_a_sum()
    leaves(root)[0].data = 7.0
    page = opened(explore(root))
    assert "this page shows the numbers of the new data" in page.locator(".cr-note").inner_text()
    assert_numbers_are(page, root)


# --- stepping and predicting


def test_a_leaf_may_be_changed_at_any_step(opened: Opener) -> None:
    root = product_of_a_sum()
    page = opened(step_through(root), viewport={"width": 1280, "height": 720})
    for key in ("PageDown", "PageDown", "PageDown", "PageDown"):
        page.keyboard.press(key)
    type_in(page, "y", "10")
    leaves(root)[1].data = 10.0
    frames = step_through(recompute(root)).frames
    for k in range(4, 8):
        shown = " ".join(page.locator(".cr-caption .cr-text").inner_text().split())
        assert shown == frames[k].text
        told = page.locator(".cr-caption").inner_text()
        assert f"{frames[k].words}." in told and frames[k].note in told
        page.keyboard.press("PageDown")
    page.keyboard.press("PageUp")
    assert page.locator(".cr-count").inner_text() == "7 / 8"
    assert page.evaluate("document.querySelector('.cr-box').getBoundingClientRect().bottom") <= 720


def test_the_space_bar_plays_at_the_chosen_speed_and_stops(opened: Opener) -> None:
    page = opened(step_through(doubled()))
    page.clock.install(time=0)
    page.clock.pause_at(1_000)
    page.get_by_label("Speed").select_option("fast")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(" ")
    page.clock.run_for(1_500)
    assert page.locator(".cr-count").inner_text() == "3 / 5"
    page.keyboard.press(" ")
    page.clock.run_for(9_000)
    assert page.locator(".cr-count").inner_text() == "3 / 5"


def test_a_wrong_prediction_hears_which_slip_it_looks_like(opened: Opener) -> None:
    page = opened(step_through(parse("(x * y) * x", x=3, y=2), forward=False))
    page.locator("[data-act=predict]").click()
    page.keyboard.press("Tab")
    status = page.get_by_role("status")

    def asked() -> str:
        return page.locator(".cr-caption label").inner_text().strip()

    def answer(text: str) -> None:
        page.locator(".cr-caption input").fill(text)
        page.locator("[data-act=check]").click()

    page.locator("[data-act=next]").click()  # ∂f/∂v1 = x = 3; the other input is v1 = 6
    assert asked() == "What is ∂f/∂v1?"
    assert page.locator("[data-name=v1] .gradient").text_content() == "–"
    answer("6")
    assert "it looks like this slip: the two inputs were swapped" in status.inner_text()
    answer("-3")
    assert "this slip: the sign" in status.inner_text()
    answer("nonsense")
    assert "is no number" in status.inner_text()
    answer("3")
    assert "∂f/∂v1 += ∂f/∂f · ∂f/∂v1 = 1 × 3 = 3" in " ".join(page.locator(".cr-caption").inner_text().split())
    page.locator("[data-act=next]").click()  # ∂f/∂x = 6 so far
    page.locator("[data-act=reveal]").click()
    page.locator("[data-act=next]").click()  # ∂f/∂x = 6 + 3·2 = 12
    answer("6")
    told = status.inner_text()
    assert "one of these slips" in told and "the other path was not added" in told


def test_where_the_local_derivative_is_1_nothing_is_asked(opened: Opener) -> None:
    page = opened(step_through(parse("x + y", x=3, y=2), forward=False))
    page.locator("[data-act=predict]").click()
    page.locator("[data-act=next]").click()
    assert page.locator(".cr-caption form").count() == 0


@pytest.mark.parametrize("make", [explore, step_through])
def test_a_policy_that_allows_the_one_script_by_its_hash_is_enough(
    make: Callable[[Value], Any], opened: Opener
) -> None:
    html = make(sigmoid_gate()).to_html()
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:"
    page = opened(html.replace("<head>", f'<head><meta http-equiv="Content-Security-Policy" content="{policy}">'))
    type_in(page, "w0", "1")
    assert float(numbers(page)["w0"][0]) == 1.0


@pytest.mark.parametrize("make", [explore, step_through])
def test_the_sigmoid_gate_fits_a_projector_and_looks_as_it_does_in_its_drawing(
    make: Callable[[Value], Any], opened: Opener
) -> None:
    page = opened(make(sigmoid_gate()), viewport={"width": 1280, "height": 720})
    assert page.locator(".cr-stage").evaluate("e => e.scrollWidth <= e.clientWidth")
    looks = page.evaluate("""['gate', 'wire', 'sign', 'value'].map((kind) =>
        ['fill', 'stroke'].map((what) => getComputedStyle(document.querySelector(`.cr-sheet .${kind}`))[what]))""")
    assert looks == [["rgb(241, 244, 248)", "rgb(75, 85, 99)"], ["none", "rgb(123, 132, 145)"],
                     ["rgb(31, 35, 40)", "none"], ["rgb(0, 115, 79)", "none"]]  # fmt: skip


def test_the_heading_has_names_as_mathematics(opened: Opener) -> None:
    x = Value(2.0, "x_1")
    f = x * x
    f.label = "f^2"
    for make in (explore, step_through):
        assert opened(make(f)).locator("h1 sup").inner_text() == "2"


def test_pages_are_small() -> None:
    assert len(explore(sigmoid_gate()).to_html().encode()) <= 45_000
    assert len(explore(network(4, 4, 1, inputs=3)).to_html().encode()) <= 206_000


def test_of_a_very_large_graph_the_last_operations_are_live_and_it_says_so(opened: Opener) -> None:
    y = Value(0.5, "x")
    for k in range(10_100):
        y = (y + Value(1e-4 * (k % 7), f"b{k}")).tanh()
    for live in (explore(y), step_through(y)):
        html = live.to_html()
        assert len(html) < 1_000_000
        page = opened(html)
        assert "30,301 nodes are too many for a page" in page.locator(".cr-note").inner_text()
        assert page.locator("[data-name=f]").get_attribute("data-value") == repr(y.data)


# --- hands: a clicker, a phone, keys alone


def test_the_focus_stays_at_a_box_that_is_opened_or_folded(opened: Opener) -> None:
    page = opened(explore(network(3, 2, 1), depth=1))
    focus = "document.activeElement.getAttribute('aria-label') + ' ' + document.activeElement.ariaExpanded"
    for box in ("layers.0.neurons.1", "layers.0.neurons.2"):  # the second from the state in which the first is open
        page.get_by_role("button", name=f"{box}: open it").focus()
        page.keyboard.press("Enter")
        assert page.evaluate(focus) == f"{box}: fold it true"
    page.keyboard.press("Space")
    assert page.evaluate(focus) == "layers.0.neurons.2: open it false"
    page.get_by_role("button", name="layers.0.neurons.1: open it").click()
    assert page.evaluate(focus) == "layers.0.neurons.1: fold it true"
    w, u, h = Value(0.5, "w"), Value(-0.3, "u"), Value(0.1, "h")
    for k in range(12):
        h = (w * Value(0.1 * k, f"x{k}") + u * h).tanh()
    page = opened(explore(h))
    page.locator("[data-act=open-box]").first.press("Enter")  # all open, and no box is there any more
    assert page.evaluate("document.activeElement.className") == "cr-stage"


def test_a_double_click_takes_a_number_back_and_opens_no_field(opened: Opener) -> None:
    page = opened(explore(product_of_a_sum()))
    for _ in range(2):  # the second time it has the focus before
        type_in(page, "x", "4")
        spin(page, "x").dblclick()
        page.wait_for_timeout(400)  # longer than a press waits for a second one
        assert page.locator("input.cr-edit").count() == 0
        assert numbers(page)["x"][0] == "-2.0"


@pytest.mark.parametrize("make", [explore, step_through])
def test_what_was_done_last_is_taken_back_step_by_step(make: Callable[[Value], Any], opened: Opener) -> None:
    page = opened(make(product_of_a_sum()))
    page.keyboard.press("End")
    before = numbers(page)
    type_in(page, "y", "10")
    page.wait_for_timeout(600)  # what is done at once is taken back at once
    type_in(page, "x", "inf")
    page.wait_for_timeout(600)
    page.locator("[data-act=reset]").click()
    settle(page)
    for expected in (("inf", "10.0"), ("-2.0", "10.0"), ("-2.0", "5.0"), ("-2.0", "5.0")):
        page.keyboard.press("Control+z")
        settle(page)
        assert (numbers(page)["x"][0], numbers(page)["y"][0]) == expected
    assert numbers(page) == before


def test_a_graph_of_constants_has_nothing_to_nudge(opened: Opener) -> None:
    three = (Value(2.0) * 3).inputs[1]
    page = opened(explore(three * three))
    assert page.locator("[data-act=nudge], [data-act=step]").count() == 0
    assert page.get_by_role("spinbutton").count() == 0
    single = opened(explore(Value(3.0, "x")))
    single.locator("[data-act=nudge]").click()
    assert caption(single) == "x by 0.01: x changed by 0.01, and the gradient promised 0.01"


def test_a_clicker_alone_reveals_what_is_asked_and_goes_on(opened: Opener) -> None:
    page = opened(step_through(parse("(x * y) * x", x=3, y=2)), viewport={"width": 1280, "height": 720})
    page.locator("[data-act=predict]").click()
    seen = []
    for _ in range(16):
        page.keyboard.press("PageDown")
        seen.append((page.locator(".cr-count").inner_text(), page.locator(".cr-caption form").count()))
    assert seen[:4] == [("2 / 8", 1), ("2 / 8", 0), ("3 / 8", 1), ("3 / 8", 0)]
    assert seen[-1] == ("8 / 8", 0)
    page.keyboard.press("PageUp")
    assert page.locator(".cr-count").inner_text() == "7 / 8"


def test_in_full_screen_the_space_bar_plays_and_all_of_it_is_seen(opened: Opener) -> None:
    page = opened(step_through(sigmoid_gate()), viewport={"width": 1280, "height": 720})
    page.locator("[data-act=full]").click()
    page.wait_for_function("document.fullscreenElement")
    page.keyboard.press("Space")
    assert page.locator("[data-act=play]").get_attribute("aria-label") == "Pause"
    assert page.evaluate("document.fullscreenElement !== null")
    page.keyboard.press("PageDown")
    assert page.locator(".cr-count").inner_text().startswith("2 /")
    assert page.evaluate("document.querySelector('.cr-box').getBoundingClientRect().bottom") <= 720


def phone(opened: Opener, content: Any, **context: Any) -> Page:
    return opened(content, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, **context)


@pytest.mark.parametrize("make", [explore, step_through])
def test_a_number_at_the_edge_of_a_phone_is_typed_in_sight_and_may_be_negative(
    make: Callable[[Value], Any], opened: Opener
) -> None:
    page = phone(opened, make(sigmoid_gate()))
    for leaf in page.get_by_role("spinbutton").all():
        leaf.focus()
        page.keyboard.press("Enter")
        field = page.locator("input.cr-edit")
        box, place = field.bounding_box(), page.locator(".cr-place").bounding_box()
        assert box and place
        assert place["x"] <= box["x"] and box["x"] + box["width"] <= place["x"] + place["width"]
        assert field.get_attribute("inputmode") is None  # that of numbers has no minus on an iPhone
        page.keyboard.press("Escape")


def in_a_row() -> Value:
    """A recurrent cell with gates, over three steps."""
    return sum_of(unroll(LSTMCell(1, 2, seed=0), [[Value(0.1 * k, f"x{k}")] for k in range(3)])[0][-1])


def four_samples() -> Value:
    model: Any = MLP(2, [2, 1], seed=0)
    return sum_of((model([a, b]) - (a ^ b)) ** 2 for a in (0, 1) for b in (0, 1))


def language_model() -> Value:
    return sum_of([cross_entropy(GPT(6, 4, 4, heads=2, seed=0)([1, 2, 3])[-1], 2)])


def sum_of(values: Iterable[Any]) -> Value:
    first, *others = values
    total: Value = sum(others, first)
    return total


@pytest.mark.parametrize("make", [explore, step_through])
@pytest.mark.parametrize(
    "root", [lambda: network(4, 4, 1, inputs=3), lambda: network(8, 8, 1), in_a_row, four_samples, language_model]
)
def test_on_a_phone_networks_are_folded_until_nothing_is_wider_than_it(
    root: Callable[[], Value], make: Callable[[Value], Any], opened: Opener
) -> None:
    page = phone(opened, make(root()))
    assert page.locator(".cr-tall").count() == 1
    assert page.evaluate("((e) => e.scrollWidth - e.clientWidth)(document.querySelector('.cr-stage'))") <= 0
    boxes = page.locator(".cr-sheet .value:not(:empty), .cr-sheet .gradient:not(:empty), .cr-sheet .folded-text")
    places = boxes.evaluate_all(
        "all => all.map((e) => e.getBoundingClientRect()).map((r) => [r.left, r.top, r.right, r.bottom])"
    )
    assert len(places) > 3 and all(bottom - top > 8 for _, top, _, bottom in places)
    overlap = [
        (one, two)
        for k, one in enumerate(places)
        for two in places[:k]
        if min(one[2], two[2]) - max(one[0], two[0]) > 1 and min(one[3], two[3]) - max(one[1], two[1]) > 4
    ]
    assert not overlap  # letters reach less high and deep than their lines


def test_on_a_phone_a_layer_is_opened_by_a_finger_and_its_numbers_are_right(opened: Opener) -> None:
    root = network(4, 4, 1, inputs=3)
    page = phone(opened, explore(root))
    page.get_by_role("button", name="layers.1: open it").tap()
    assert page.get_by_role("button", name="layers.1: fold it").count() == 1
    page.get_by_role("button", name="layers.1: fold it").tap()
    type_in(page, "x1", "0.5")
    next(leaf for leaf in leaves(root) if leaf.label == "x1").data = 0.5
    recompute(root)
    names = {name: node for node, name in names_in_order(topological_order(root)).items()}
    assert all(float(value) == pytest.approx(names[name].data) for name, (value, _) in numbers(page).items())


@pytest.mark.parametrize("make", [explore, step_through])
def test_names_that_mean_something_to_javascript_stay_names(make: Callable[[Value], Any], opened: Opener) -> None:
    a, b, c = Value(2.0, "__proto__"), Value(3.0, "constructor"), Value(-1.0, "toString")
    page = opened(make((a * b + c).tanh()))
    texts = set(page.locator(".cr-sheet svg:first-child text").all_text_contents())
    assert {"__proto__", "constructor", "toString"} <= texts and not any("[" in text for text in texts)
    type_in(page, "constructor", "1")
    assert float(numbers(page)["f"][0]) == pytest.approx(math.tanh(1.0))


def test_numbers_stand_in_the_middle_of_their_places(opened: Opener) -> None:
    x = Value(2.0, "x")
    page = opened(explore(maximum(x, 0.5) + maximum(x, 0.5, 3.0)))
    places = (".constant", ".symbol.value", ".cr-hit", ".cr-leaf .value", ".cr-leaf .gradient")
    found = (page.locator(f".cr-sheet {place}").first.bounding_box() for place in places)
    middles = (place["y"] + place["height"] / 2 for place in found if place)
    box, constant, leaf, value, gradient = middles
    assert constant == pytest.approx(box, abs=2)
    assert (value + gradient) / 2 == pytest.approx(leaf, abs=2)
