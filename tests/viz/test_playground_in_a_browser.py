"""The playground, used as a person uses it: in Chromium, with the mouse and with keys."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import nn
from nn import MLP, data, losses, optim
from viz import Playground, playground

if TYPE_CHECKING:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import Locator, Page

Opener = Callable[..., "Page"]
X, Y = (np.array(part) for part in data.moons(60, seed=0))


def moons(seed: int = 0, **options: Any) -> Playground:
    chosen = {"loss": losses.binary_cross_entropy, "optimizer": [optim.SGD(lr=0.1), optim.Adam(lr=0.02)], **options}
    return playground(MLP(2, [4, 3, 1], seed=seed), X, Y, **chosen)


def curve(**options: Any) -> Playground:
    x = np.linspace(-2, 2, 25)
    return playground(MLP(1, [5, 1], seed=0), x, np.sin(x), loss=losses.squared_error, optimizer=optim.Adam(lr=0.02))


def digits() -> Playground:
    rng = np.random.default_rng(0)
    model = MLP(64, [32, 10], seed=0)
    return playground(model, rng.random((40, 64)), np.arange(40) % 10, loss=losses.cross_entropy, optimizer=optim.SGD())


def three() -> Playground:
    points, classes = data.blobs(30, centers=3, seed=0)
    model = MLP(2, [4, 3], seed=0)
    return playground(model, points, classes, loss=losses.cross_entropy, optimizer=optim.Adam(lr=0.05))


@pytest.fixture
def opened(watched: Opener, tmp_path: Path) -> Opener:
    """Opens a playground, or HTML; see `watched`."""
    number = count()

    def go(content: Playground | str, **context: Any) -> Page:
        file = tmp_path / f"page{next(number)}.html"
        file.write_text(content if isinstance(content, str) else content.to_html(), encoding="utf-8")
        return watched(file, **context)

    return go


def act(page: Page | Locator, what: str) -> Locator:
    return page.locator(f"[data-act={what}]")


def state(page: Page | Locator, name: str) -> str:
    return page.locator(".cr-playground").first.get_attribute(f"data-{name}") or ""


def dots(page: Page, selector: str) -> str:
    """What is painted on a canvas."""
    return str(page.locator(selector).first.evaluate("(canvas) => canvas.toDataURL()"))


def test_epoch_by_epoch_its_losses_are_those_of_fit(opened: Opener) -> None:
    page = opened(moons(seed=3))
    found = []
    for _ in range(6):
        act(page, "epoch").click()
        found.append(float(state(page, "loss")))
    assert state(page, "epoch") == "6" and page.locator(".cr-epoch b").inner_text() == "6"
    model = MLP(2, [4, 3, 1], seed=3)
    history = nn.fit(model, X, Y, loss="binary_cross_entropy", optimizer=optim.SGD(lr=0.1), epochs=6, batch_size=10,
                     metric="accuracy", progress=False)  # fmt: skip
    np.testing.assert_allclose(found, history["loss"], rtol=0, atol=1e-9)
    assert float(state(page, "accuracy")) == pytest.approx(nn.accuracy(model, X, Y))
    act(page, "reset").click()
    assert (state(page, "epoch"), state(page, "loss")) == ("0", "nan")
    act(page, "epoch").click()
    assert float(state(page, "loss")) == found[0]


def test_one_batch_is_one_step_and_the_choices_count(opened: Opener) -> None:
    page = opened(moons())
    for k in range(1, 7):
        act(page, "step").click()
        assert (state(page, "steps"), state(page, "epoch")) == (str(k), "1" if k == 6 else "0")
    act(page, "optimizer").select_option(label="Adam")
    assert act(page, "rate").input_value() == "0.02"
    act(page, "size").select_option(label="all 60")
    act(page, "rate").select_option("0.1")
    act(page, "epoch").click()
    assert (state(page, "steps"), state(page, "epoch")) == ("1", "2")  # Adam's own first step, and one batch of all
    model = MLP(2, [4, 3, 1], seed=0)
    nn.fit(
        model, X, Y, loss="binary_cross_entropy", optimizer=optim.SGD(lr=0.1), epochs=1, batch_size=10, progress=False
    )
    after = nn.fit(model, X, Y, loss="binary_cross_entropy", optimizer=optim.Adam(lr=0.1), epochs=1, progress=False)
    assert float(state(page, "loss")) == pytest.approx(after["loss"][0], abs=1e-9)


@pytest.mark.parametrize("make", [moons, curve, digits, three])
def test_it_plays_and_pauses_and_what_is_seen_changes(make: Callable[[], Playground], opened: Opener) -> None:
    page = opened(make())
    seen = (
        ".cr-ground canvas:nth-of-type(2)"
        if make is curve
        else ".cr-tiles canvas"
        if make is digits
        else ".cr-ground canvas"
    )
    before, course = dots(page, seen), dots(page, ".cr-course canvas")
    act(page, "speed").select_option("Infinity")
    act(page, "play").click()
    assert act(page, "play").get_attribute("aria-label") == "Pause"
    page.wait_for_function("Number(document.querySelector('.cr-playground').dataset.epoch) > 5")
    act(page, "play").click()
    assert act(page, "play").get_attribute("aria-label") == "Play"
    stopped = state(page, "steps")
    assert dots(page, seen) != before and dots(page, ".cr-course canvas") != course
    page.wait_for_timeout(120)
    assert state(page, "steps") == stopped


def test_a_click_adds_an_example_of_the_chosen_class_and_it_can_be_taken_back(opened: Opener) -> None:
    page = opened(moons(labels=["left", "right"]))
    assert act(page, "undo").is_hidden()
    page.get_by_role("radio", name="right").check()
    page.locator(".cr-ground").click(position={"x": 30, "y": 40})
    assert state(page, "examples") == "61"
    act(page, "undo").click()
    assert state(page, "examples") == "60" and act(page, "undo").is_hidden()
    page.locator(".cr-ground").click(position={"x": 200, "y": 250})
    act(page, "epoch").click()
    assert state(page, "steps") == "7"  # the batch of the one that was added


def test_a_point_is_added_where_the_click_was(opened: Opener) -> None:
    """On a curve the click is the target, too: a model that is one constant learns the mean of them."""
    from autograd import Value

    c = Value(0.0)
    made = playground(lambda x: c + 0.0 * x[0], [-1.0, 1.0], [0.0, 2.0], loss=losses.squared_error,
                      optimizer=optim.SGD(lr=1.0), batch_size=None)  # fmt: skip
    page = opened(made)
    box = page.locator(".cr-ground").bounding_box()
    assert box
    page.locator(".cr-ground").click(position={"x": box["width"] / 2, "y": 0.25 * box["height"]})
    for _ in range(2):
        act(page, "epoch").click()
    low, high = -0.28, 2.28
    added = high - (high - low) * 0.25
    mean = (0.0 + 2.0 + added) / 3
    expected = sum((t - mean) ** 2 for t in (0.0, 2.0, added)) / 6
    assert float(state(page, "loss")) == pytest.approx(expected, rel=0.02)


def test_with_keys_alone(opened: Opener) -> None:
    page = opened(moons())

    def tab_to(selector: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("(s) => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(selector)

    tab_to("[data-act=play]")
    page.keyboard.press("Space")
    page.wait_for_function("Number(document.querySelector('.cr-playground').dataset.steps) > 0")
    page.keyboard.press("Enter")
    assert state(page, "playing") == "false"
    tab_to("[data-act=rate]")
    page.keyboard.press("ArrowDown")
    assert act(page, "rate").input_value() == "0.3"
    tab_to(".cr-ground")
    for key in ("ArrowLeft", "Shift+ArrowUp", "Enter"):
        page.keyboard.press(key)
    assert state(page, "examples") == "61"
    tab_to("[data-unit='3']")
    assert "Unit 2 of layer 1" in page.locator(".cr-told").inner_text()


def test_the_space_bar_plays_where_nothing_is_chosen(opened: Opener) -> None:
    page = opened(moons())
    page.locator("[data-act=language]").click()  # the page before has let go of the keys
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    assert state(page, "playing") == "true" and page.evaluate("scrollY") == 0
    page.keyboard.press("Space")
    assert state(page, "playing") == "false"
    page.locator("[data-act=rate]").focus()
    page.keyboard.press("Space")  # it is the choice's own
    assert state(page, "playing") == "false"


def test_a_unit_that_is_pointed_at_is_seen_large_and_a_weight_in_numbers(opened: Opener) -> None:
    made = moons()
    page = opened(made)
    whole = dots(page, ".cr-ground canvas")
    page.locator("[data-unit='0']").hover()
    assert dots(page, ".cr-ground canvas") != whole
    assert page.locator(".cr-plot .cr-title").inner_text() == "Input x₁"
    page.locator("[data-unit='2']").hover()
    assert "Unit 1 of layer 1" in page.locator(".cr-told").inner_text()
    page.mouse.move(1, 1)
    assert dots(page, ".cr-ground canvas") == whole
    assert page.locator("path[data-line]").count() == 2 * 4 + 4 * 3 + 3
    weights = made._task.units.data()["lines"]
    theta = made._task.outputs.theta
    for k, (_, _, at) in enumerate(weights):
        assert page.locator(f"path[data-line='{k}']").get_attribute("class") == (
            "cr-below" if theta[at] < 0 else "cr-above"
        )


def test_a_loss_that_is_not_finite_stops_it_and_says_so(opened: Opener) -> None:
    page = opened(moons(loss=losses.squared_error, optimizer=optim.SGD(lr=1e300)))
    act(page, "play").click()
    page.wait_for_function("document.querySelector('.cr-alert').textContent")
    assert "smaller learning rate" in page.get_by_role("alert").inner_text()
    assert state(page, "playing") == "false"
    act(page, "reset").click()
    assert not page.locator(".cr-alert").inner_text()


def test_several_on_one_page_know_nothing_of_each_other(opened: Opener) -> None:
    one, other = moons(), digits()
    pieces = "".join(made.to_html(page=False) for made in (one, other, one))
    page = opened(f"<!DOCTYPE html><title>three</title>{pieces}")
    roots = page.locator(".cr-playground[data-ready]")
    assert roots.count() == 3
    act(roots.nth(2), "epoch").click()
    act(roots.nth(1), "epoch").click()
    act(roots.nth(1), "epoch").click()
    assert [roots.nth(k).get_attribute("data-epoch") for k in range(3)] == ["0", "2", "1"]
    names = "PROGRAMS play Playground Trainer exp pow format".split()
    assert not page.evaluate("(names) => names.some((name) => name in window)", names)
    assert page.locator("[id]").count() == 0


def test_a_page_that_was_saved_while_it_was_used_begins_again(opened: Opener) -> None:
    page = opened(moons())
    act(page, "epoch").click()
    again = opened(page.content())
    assert again.locator(".cr-box").count() == 1 and state(again, "epoch") == "0"
    act(again, "epoch").click()
    assert state(again, "loss") == state(page, "loss")


def test_nothing_in_a_name_runs(opened: Opener) -> None:
    attack = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'>]]>"
    page = opened(moons(names=[attack, attack], labels=[attack, "b"], title=attack))
    page.locator("[data-unit='0']").hover()
    assert attack in page.locator(".cr-told").inner_text()
    assert page.get_by_role("radio").count() == 2 and page.locator("img[src='x']").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_of_many_classes_has_a_colour_of_its_own(scheme: str, opened: Opener) -> None:
    points = [[math.cos(k), math.sin(k)] for k in range(28)]
    model = MLP(2, [4, 14], seed=0)
    made = playground(
        model, points, [k % 14 for k in range(28)], loss=losses.cross_entropy, optimizer=optim.SGD(lr=0.1)
    )
    page = opened(made.to_html(), color_scheme=scheme)
    colours = page.evaluate("""[...document.querySelectorAll('.cr-add canvas')].map((canvas) =>
        [...canvas.getContext('2d').getImageData(9, 9, 1, 1).data].join())""")
    assert len(colours) == len(set(colours)) == 14


def test_a_policy_that_allows_its_one_script_by_its_hash_is_enough(opened: Opener) -> None:
    html = moons().to_html()
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:"
    page = opened(html.replace("<head>", f'<head><meta http-equiv="Content-Security-Policy" content="{policy}">'))
    act(page, "epoch").click()
    assert state(page, "epoch") == "1"


def test_without_scripts_there_is_a_picture(opened: Opener) -> None:
    page = opened(moons(), java_script_enabled=False)
    assert page.locator(".cr-instead img").is_visible()
    assert "scripts must be allowed" in page.locator(".cr-instead p").inner_text()


@pytest.mark.parametrize(("make", "scheme"), [(moons, "light"), (digits, "dark")])
def test_axe_finds_nothing(make: Callable[[], Playground], scheme: str, opened: Opener, axe: Axe) -> None:
    page = opened(make(), color_scheme=scheme)
    act(page, "epoch").click()
    found = axe.run(page)
    assert not found.response["violations"], found.generate_report()


@pytest.mark.parametrize("make", [moons, curve, digits])
def test_it_fits_on_a_phone_and_on_a_projector(make: Callable[[], Playground], opened: Opener) -> None:
    page = opened(make(), viewport={"width": 1280, "height": 720})
    size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    assert page.evaluate(size) == [1280, 720]
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.documentElement.scrollWidth === 390")


def test_the_theme_follows_the_reader_also_later(opened: Opener) -> None:
    page = opened(moons(), color_scheme="light")
    light = dots(page, ".cr-ground canvas")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("getComputedStyle(document.querySelector('.cr-box')).backgroundColor === 'rgb(20, 24, 31)'")
    page.wait_for_timeout(50)
    assert dots(page, ".cr-ground canvas") != light


def test_with_reduced_motion_it_paints_a_few_times_a_second(opened: Opener) -> None:
    page = opened(moons(), reduced_motion="reduce")
    page.evaluate(
        "window.seen = 0; new MutationObserver(() => { window.seen += 1; })"
        ".observe(document.querySelector('.cr-playground'), { attributeFilter: ['data-steps'] })"
    )
    act(page, "play").click()
    page.wait_for_timeout(900)
    act(page, "play").click()
    assert 1 <= page.evaluate("window.seen") <= 8
    assert int(state(page, "steps")) > 20
