"""Live pages in two languages: the switch says everything in the other one, at the same numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from autograd import Value, where
from nn import MLP, SGD, Adam, losses
from viz import explore, playground, step_through
from viz.live import languages

from .graphs import network, product_of_a_sum, sigmoid_gate

if TYPE_CHECKING:
    from playwright.sync_api import Page

Opener = Callable[..., "Page"]
MOONS = [[0.0, 1.0], [1.0, 0.5], [0.3, -1.0], [0.9, 0.2]], [0, 1, 1, 0]

# everything that is said: texts, what is heard instead of them, the title, and the language
SAID = """() => {
  const all = [...document.querySelector('[data-ready]').querySelectorAll('.cr-box, .cr-box *')];
  const told = ['aria-label', 'aria-valuetext', 'title', 'data-name', 'data-value'];
  return [document.title, document.documentElement.lang, document.querySelector('h1').innerHTML, ...all.flatMap((e) => [
    ...[...e.childNodes].filter((n) => n.nodeType === 3 && n.data.trim()).map((n) => n.data),
    ...told.flatMap((name) => e.hasAttribute(name) ? [`${name}: ${e.getAttribute(name)}`] : [])])];
}"""


@pytest.fixture
def opened(watched: Opener, tmp_path: Path) -> Opener:
    number = count()

    def go(content: Any, **context: Any) -> Page:
        file = tmp_path / f"page{next(number)}.html"
        file.write_text(content.to_html(), encoding="utf-8")
        return watched(file, **{"reduced_motion": "reduce", **context})

    return go


def old() -> Value:
    x = Value(1.0, "x")
    f = x * x
    x.data = 2.0
    return f


def many_terms() -> Value:
    return sum((Value(float(k), f"x{k}") ** 2 for k in range(50)), Value(0.0))


def cut() -> Value:
    x = Value(1.0, "x_1")
    return where(x > 0, x / 0.0, x)


PAGES: dict[str, Callable[[str], Any]] = {
    "boxes": lambda lang: explore(network(2, 2, inputs=2), lang=lang, depth=1),
    "repeated": lambda lang: explore(many_terms(), lang=lang),
    "old": lambda lang: explore(old(), lang=lang),
    "cut": lambda lang: step_through(cut(), lang=lang),
    "constants": lambda lang: step_through(Value(2.0), lang=lang),
    "parameters": lambda lang: step_through(MLP(3, [3, 1], seed=0)([1.0, 2.0, 3.0]), lang=lang),
}


def said(page: Page) -> list[str]:
    found: list[str] = page.evaluate(SAID)
    return found


def switch(page: Page) -> None:
    page.locator("[data-act=language]").click()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_was_switched_says_what_a_page_of_that_language_says(name: str, opened: Opener) -> None:
    english, chinese = (opened(PAGES[name](lang)) for lang in ("en", "zh"))
    before, there = said(english), said(chinese)
    for page, first, other in ((english, before, there), (chinese, there, before)):
        switch(page)
        assert said(page) == other
        switch(page)
        assert said(page) == first


def test_the_switch_keeps_the_numbers_and_the_place(opened: Opener) -> None:
    page = opened(explore(sigmoid_gate()))
    w0 = page.get_by_role("spinbutton", name="w0")
    w0.focus()
    page.keyboard.press("ArrowUp")
    page.get_by_role("button", name="Step down").click()
    page.get_by_label("h", exact=True).fill("0.5")
    page.locator("[data-act=zoom-in]").click()
    values = "[...document.querySelectorAll('[data-value]')].map((e) => [e.dataset.value, e.dataset.gradient])"
    size = "document.querySelector('.cr-sheet').style.width"
    before = page.evaluate(values), page.evaluate(size), page.locator("polyline").get_attribute("points")
    switch(page)
    after = page.evaluate(values), page.evaluate(size), page.locator("polyline").get_attribute("points")
    assert after == before
    assert page.get_by_label("h", exact=True).input_value() == "0.5"
    assert page.evaluate("document.activeElement.dataset.act") == "language"
    page.get_by_role("button", name="所有的数恢复原样").click()
    page.wait_for_function("document.querySelector('[data-name=w0]').dataset.value === '2.0'")


def test_steps_stay_where_they_are_and_answer_in_the_other_language(opened: Opener) -> None:
    page = opened(step_through(product_of_a_sum(), predict="gradients"))
    for _ in range(5):
        page.locator("[data-act=next]").click()
    switch(page)
    assert page.locator(".cr-count").inner_text() == "6 / 8"
    page.get_by_role("textbox").fill("7")
    page.keyboard.press("Enter")
    told = page.get_by_role("status").inner_text()
    assert re.search("不是 7", told) and told.endswith("。")
    page.locator("h1").click()
    page.keyboard.press("ArrowRight")  # the page before has let go of the keys: one step, not two
    assert page.locator(".cr-count").inner_text() == "7 / 8"


def test_a_training_goes_on_in_the_other_language(opened: Opener) -> None:
    make = lambda lang: playground(  # noqa: E731
        MLP(2, [3, 1], seed=0), *MOONS, loss=losses.binary_cross_entropy, optimizer=[SGD(lr=0.1), Adam()], lang=lang
    )
    page, there = opened(make("en")), opened(make("zh"))
    assert len(said(page)) == len(said(there))
    switch(page)
    assert said(page) == said(there)
    switch(page)
    page.locator("[data-act=optimizer]").select_option(label="Adam")
    page.locator("[data-act=epoch]").click()
    root = page.locator("[data-ready]")
    loss = root.get_attribute("data-loss")
    switch(page)
    assert root.get_attribute("data-loss") == loss and root.get_attribute("data-epoch") == "1"
    assert page.locator("[data-act=optimizer] option:checked").inner_text() == "Adam"
    page.locator("[data-act=play]").click()
    switch(page)  # while it trains
    page.wait_for_function("Number(document.querySelector('[data-ready]').dataset.epoch) > 3")
    page.locator("[data-act=play]").click()
    assert root.get_attribute("data-playing") == "false"


def test_a_title_of_ones_own_is_not_translated(opened: Opener) -> None:
    task = {"loss": losses.binary_cross_entropy, "optimizer": SGD()}
    page = opened(playground(MLP(2, [1], seed=0), *MOONS, title="Step <b>", **task))
    switch(page)
    assert page.locator("h1").inner_text() == page.title() == "Step <b>"


def test_a_piece_says_its_language_and_leaves_the_page_around_alone(watched: Opener, tmp_path: Path) -> None:
    piece = explore(product_of_a_sum()).to_html(page=False)
    file = tmp_path / "around.html"
    file.write_text(f"<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Mine</title><h1>Mine</h1>{piece}")
    page = watched(file)
    switch(page)
    assert (page.title(), page.locator("h1").inner_text(), page.locator("html").get_attribute("lang")) == (
        *("Mine", "Mine", "en"),
    )
    assert page.locator("[data-ready]").get_attribute("lang") == "zh"


def test_sentences_are_found_by_their_templates() -> None:
    assert languages.retold("3 nodes", "en") == "3 个节点"
    assert languages.retold("3 个节点", "zh") == "3 nodes"
    assert languages.retold("layers.0", "en") == "layers.0"
    assert languages.retold("3 nodes", "en", {"one-node"}) == "3 nodes"
    assert languages.retold(languages.messages("en")["outdated"], "en") == languages.messages("zh")["outdated"]
