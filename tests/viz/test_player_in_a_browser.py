"""The player, used as a person uses it: in Chromium, with the mouse and with keys."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from autograd import BackwardStep, Value, backward_steps, exp, format_number, reciprocal, topological_order
from viz import step_maps, step_through

from .graphs import SAMPLES, doubled, network, neuron, product_of_a_sum

if TYPE_CHECKING:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import Locator, Page


def by_hand() -> Value:
    """The sigmoid gate of the lecture, of six kinds of gates."""
    w0, x0, w1, x1, w2 = (Value(v, n) for n, v in {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}.items())
    return reciprocal(1 + exp(-(w0 * x0 + w1 * x1 + w2)))


Opener = Callable[..., "Page"]


@pytest.fixture
def opened(watched: Opener, tmp_path: Path) -> Opener:
    """Opens the page of a player, or HTML; see `watched`."""
    number = itertools.count()

    def go(content: Value | str, *, theme: str = "auto", **context: Any) -> Page:
        file = tmp_path / f"page{next(number)}.html"
        if isinstance(content, Value):
            step_through(content, theme=theme).save(file)
        else:
            file.write_text(content, encoding="utf-8")
        return watched(file, **context)

    return go


def count(player: Page | Locator) -> str:
    return player.locator(".cr-count").inner_text()


def text(player: Page | Locator) -> str:
    return " ".join((player.locator(".cr-caption .cr-text").text_content() or "").split())


def slide(player: Page | Locator, to: int) -> None:
    player.get_by_role("slider").fill(str(to))


@pytest.mark.parametrize("make", [product_of_a_sum, by_hand, neuron, doubled])
def test_the_numbers_on_every_frame_are_those_of_the_backward_pass(make: Callable[[], Value], opened: Opener) -> None:
    root = make()
    page = opened(root)
    order = [node for node in topological_order(root) if node.op != "const"]
    events = list(backward_steps(root))
    first = int(page.get_by_role("slider").get_attribute("max") or 0) + 1 - len(events)
    total = {root: 1.0}
    for event in events:
        assert isinstance(event, BackwardStep)
        total[event.input] = event.total
        slide(page, first + event.index)
        assert text(page) == event.text
        assert page.locator(".cr-caption .cr-words").inner_text() == f"{event.words}."
        expected = [format_number(total[node]) if node in total else "–" for node in order]
        assert page.locator("[data-part] .gradient").all_text_contents() == expected
        lit = page.locator(".cr-lights")
        assert (lit.locator(".flow").count(), lit.locator(".ring").count(), lit.locator(".now").count()) == (1, 1, 1)


def test_slider_buttons_and_keys_move_it(opened: Opener) -> None:
    page = opened(by_hand())
    assert count(page) == "1 / 22"
    slide(page, 4)
    assert count(page) == "5 / 22"
    page.get_by_role("button", name="Next step").click()
    assert count(page) == "6 / 22"
    page.get_by_role("button", name="Previous step").click()
    assert count(page) == "5 / 22"
    for focused in ("slider", "button"):
        page.get_by_role(focused).first.focus()  # type: ignore[arg-type]
        for key, expected in [("End", 22), ("ArrowRight", 22), ("ArrowLeft", 21), ("Home", 1), ("ArrowLeft", 1),
                              ("ArrowRight", 2)]:  # fmt: skip
            page.keyboard.press(key)
            assert count(page) == f"{expected} / 22", (focused, key)
    page.keyboard.press("Alt+ArrowRight")  # the browser's own
    assert count(page) == "2 / 22"
    assert page.get_by_role("slider").input_value() == "1"


def test_alone_on_its_page_it_need_not_be_chosen_first(opened: Opener) -> None:
    page = opened(product_of_a_sum())
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert count(page) == "3 / 8"


def test_the_ends_are_told(opened: Opener) -> None:
    page = opened(product_of_a_sum())
    previous, following = (page.get_by_role("button", name=f"{which} step") for which in ("Previous", "Next"))
    assert (previous.get_attribute("aria-disabled"), following.get_attribute("aria-disabled")) == ("true", "false")
    page.keyboard.press("End")
    assert (previous.get_attribute("aria-disabled"), following.get_attribute("aria-disabled")) == ("false", "true")


def test_play_goes_to_the_end_and_stops_there(opened: Opener) -> None:
    page = opened(doubled())
    page.clock.install(time=0)  # time passes only when the test says so
    page.clock.pause_at(1_000)
    page.get_by_role("button", name="Play").click()
    assert page.get_by_role("button", name="Pause").count() == 1
    assert count(page) == "1 / 5"
    page.clock.run_for(2_000)
    assert count(page) == "2 / 5"
    page.clock.run_for(20_000)
    assert count(page) == "5 / 5"
    page.get_by_role("button", name="Play").click()  # from the beginning
    assert count(page) == "1 / 5"
    page.clock.run_for(2_000)
    assert count(page) == "2 / 5"
    page.get_by_role("button", name="Next step").click()  # whoever moves it by hand has stopped it
    assert page.get_by_role("button", name="Play").count() == 1
    page.clock.run_for(20_000)
    assert count(page) == "3 / 5"
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(20_000)
    assert count(page) == "3 / 5"


def test_two_players_do_not_know_of_each_other(opened: Opener) -> None:
    pieces = [
        step_through(f(), theme=t).to_html(page=False)
        for f, t in ((doubled, "light"), (by_hand, "dark"), (doubled, "auto"))
    ]
    page = opened(f"<!DOCTYPE html><meta charset=utf-8><main>{''.join(pieces)}</main>")
    players = page.locator("[data-chainrule-live]").all()
    assert [count(p) for p in players] == ["1 / 5", "1 / 22", "1 / 5"]
    players[1].get_by_role("slider").focus()
    page.keyboard.press("End")
    assert [count(p) for p in players] == ["1 / 5", "22 / 22", "1 / 5"]
    players[0].get_by_role("button", name="Next step").click()
    assert [count(p) for p in players] == ["2 / 5", "22 / 22", "1 / 5"]
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    assert [count(p) for p in players] == ["2 / 5", "22 / 22", "1 / 5"]
    assert all(p.locator(".cr-box").count() == 1 for p in players)  # three scripts have run, and made each once


def test_what_is_said_to_whoever_cannot_see_it(opened: Opener) -> None:
    page = opened(product_of_a_sum())
    live = page.locator("[aria-live=polite]")
    slide(page, 6)
    assert "∂f/∂x += ∂f/∂q · ∂q/∂x = −4 × 1 = −4" in " ".join((live.text_content() or "").split())
    assert "q passes its gradient −4 on to x" in live.inner_text()
    spoken = page.get_by_role("slider").get_attribute("aria-valuetext") or ""
    assert spoken.startswith("7 of 8. Backward pass, step 3 of 4: ∂f/∂x +=")
    assert "∂f/∂x" in (page.locator(".cr-stage").get_attribute("aria-label") or "")
    assert page.locator(".cr-ghost:not([aria-hidden=true])").count() == 0


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_jumps(width: int, opened: Opener) -> None:
    page = opened(SAMPLES["skip connections"](), viewport={"width": width, "height": 900})
    sizes = page.evaluate("""() => {
        const slider = document.querySelector('input'), found = new Set();
        for (slider.value = 0; ; slider.value++) {
            slider.dispatchEvent(new Event('input'));
            const [box, bar] = ['.cr-box', '.cr-bar'].map(c => document.querySelector(c).getBoundingClientRect());
            found.add([box.height, bar.y, document.documentElement.scrollWidth].join());
            if (slider.value === slider.max) return [...found];
        }
    }""")
    assert len(sizes) == 1
    assert float(sizes[0].split(",")[-1]) <= width


def test_what_is_lit_comes_into_sight(opened: Opener) -> None:
    page = opened(by_hand(), viewport={"width": 400, "height": 800}, reduced_motion="reduce")
    for k in (1, 5, 8, 10, 15, 21):
        slide(page, k)
        box = page.locator(".cr-lights .ring").bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 400, k
    page = opened(neuron(), viewport={"width": 400, "height": 800}, reduced_motion="reduce")
    for k in (3, 13, 16, 21):  # some wires are longer than that
        slide(page, k)
        box = page.locator(".cr-lights .now").bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 400, k


def test_feature_maps_are_stepped_through_beside_a_graph(opened: Opener) -> None:
    maps = step_maps([[1, 2, 0], [0, -3, 1]], kernel=[[2, -1]], theme="light")
    page = opened(
        f"<!DOCTYPE html><main>{maps.to_html(page=False)}{step_through(doubled()).to_html(page=False)}</main>"
    )
    player, graph = (page.locator(f"[data-chainrule-{kind}]") for kind in ("player", "live"))
    assert (count(player), count(graph)) == ("1 / 4", "1 / 5")
    found = []
    for k in range(4):
        slide(player, k)
        found.append(player.locator("[data-part] .cell").all_text_contents())
        assert player.locator(".cr-lights .window").count() == 2  # the window, and the filter
        assert player.locator("[data-part] .window").count() == 1  # the cell that they make
    assert found[-1] == ["0", "4", "3", "−7"] and found[1] == ["0", "4"]
    assert text(player) == "y[1][1] = 2·(−3) + (−1)·1 = −7"
    negative = player.locator("[data-part] rect.negative").evaluate("e => getComputedStyle(e).fill")
    assert negative == "rgb(184, 68, 0)"
    assert count(graph) == "1 / 5"


def test_the_first_step_is_in_sight_from_the_start(opened: Opener) -> None:
    page = opened(step_through(by_hand(), forward=False).to_html(), viewport={"width": 400, "height": 800})
    assert count(page) == "1 / 13"
    box = page.locator(".cr-lights .now").bounding_box()  # the seed, at the right end
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 400


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_reduced_motion_is_respected(wish: str, opened: Opener) -> None:
    page = opened(by_hand(), reduced_motion=wish)
    slide(page, 3)
    moving = page.evaluate("document.getAnimations().length + (getComputedStyle("
                           "document.querySelector('.cr-lights > g')).animationName === 'none' ? 0 : 1)")  # fmt: skip
    assert (moving == 0) == (wish == "reduce")


@pytest.mark.parametrize(
    ("theme", "system", "host", "dark"),
    [
        ("auto", "light", "", False),
        ("auto", "dark", "", True),
        ("light", "dark", "", False),
        ("dark", "light", "", True),
        ("auto", "light", 'data-jp-theme-light="false"', True),  # JupyterLab in the dark
        ("auto", "dark", 'data-jp-theme-light="true"', False),
        ("light", "light", 'data-jp-theme-light="false"', False),
    ],
)
def test_the_theme_is_followed(theme: str, system: str, host: str, dark: bool, opened: Opener) -> None:
    piece = step_through(product_of_a_sum(), theme=theme).to_html(page=False)
    page = opened(f"<!DOCTYPE html><meta charset=utf-8><body {host}><main>{piece}</main>", color_scheme=system)
    colour = "getComputedStyle(document.querySelector('{}')).{}"
    assert page.evaluate(colour.format(".cr-box", "backgroundColor")) == (
        "rgb(20, 24, 31)" if dark else "rgb(255, 255, 255)"
    )
    assert page.evaluate(colour.format(".value", "fill")) == ("rgb(53, 201, 160)" if dark else "rgb(0, 115, 79)")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["sigmoid", "network", "maps"])
def test_axe_finds_nothing(name: str, theme: str, opened: Opener, axe: Axe) -> None:
    # without motion, as a light that is half on has another contrast
    maps = step_maps([list(range(-7, 7))], kernel=[[2, -1]]).to_html()
    content = {"sigmoid": by_hand(), "network": network(4, 4, 1), "maps": maps}[name]
    page = opened(content, color_scheme=theme, reduced_motion="reduce")
    for k in (0, 5, 12):
        slide(page, k)
        found = axe.run(page).response["violations"]
        assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == [], k


def test_without_scripts_the_steps_can_be_opened(opened: Opener) -> None:
    page = opened(
        f"<!DOCTYPE html><meta charset=utf-8><body>{step_through(product_of_a_sum())._repr_mimebundle_()['text/html']}",
        java_script_enabled=False,
    )
    assert page.locator("details").count() == 8
    assert page.locator("img:visible").count() == 1  # the graph
    page.get_by_text("Backward pass, step 2 of 4").click()
    picture = page.locator("details[open] img").nth(1)
    box = picture.bounding_box()
    assert box and box["width"] > 300 and box["height"] > 100
    size = re.search(r"width='(\d+)'", step_through(product_of_a_sum()).frames[5].image())
    assert size and box["width"] == float(size[1])  # a broken picture would have another


def test_with_scripts_the_steps_give_way_to_the_player(opened: Opener) -> None:
    page = opened(
        f"<!DOCTYPE html><meta charset=utf-8><body>{step_through(doubled())._repr_mimebundle_()['text/html']}"
    )
    assert page.get_by_role("slider").is_visible()
    assert not page.locator("details").first.is_visible()


def test_a_derivative_is_seen_as_a_fraction_and_names_as_mathematics_and_nothing_else_is_markup(opened: Opener) -> None:
    x, w = Value(3.0, r"\hat{x}_{12}"), Value(2.0, "<b onclick=run()>w & 1</b>")
    f = x * w
    f.label = "L^2"
    page = opened(f)
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert text(page) == "∂L2/∂x̂12 += ∂L2/∂L2 · ∂L2/∂x̂12 = 1 × 2 = 2"
    caption = page.locator(".cr-caption")
    whole, under, stroke = (caption.locator(f".cr-text var {part}").first for part in ("sup", "b", "i"))
    above, below, between = (part.bounding_box() for part in (whole, under, stroke))
    assert above and below and above["y"] + above["height"] <= below["y"] + 1  # ∂L² stands over ∂x̂₁₂
    assert not between or between["width"] < 0.1
    assert caption.locator("sub").first.inner_text() == "12"
    assert "<b onclick=run()>w & 1</b> = 2" in (caption.locator(".cr-more").text_content() or "")
    assert page.locator("[onclick]").count() == 0
