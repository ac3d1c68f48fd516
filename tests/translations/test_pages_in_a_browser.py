"""What the Chinese edition looks like in a browser: nothing overflows, no glyph is missing, no English is left.

Each picture and page is shown in Chinese on a light and on a dark screen and on a phone, and measured there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import autograd
from autograd import SHEET, Value, parse
from autograd.messages import messages
from nn import MLP, SGD, Adam, losses
from viz import draw_graph, explore, playground, step_maps, step_through, worksheet

if TYPE_CHECKING:
    from playwright.sync_api import Page

Opener = Callable[..., "Page"]

LOOKS = {
    "light": ({"width": 1280, "height": 720}, "light"),
    "dark": ({"width": 1280, "height": 720}, "dark"),
    "phone": ({"width": 390, "height": 844}, "light"),
}
FORMULA = "1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))"
NUMBERS = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}


def gate() -> Value:
    return parse(FORMULA, **NUMBERS)


def old() -> Value:
    """Of a model whose leaf has new data, so that there is a note."""
    model = MLP(3, [4, 4, 1], seed=0)
    f = model([1.0, -2.0, 0.5])
    model.parameters()[0].data = 0.25
    return f


def trained() -> Any:
    X, y = [[0.0, 1.0], [1.0, 0.5], [0.3, -1.0], [0.9, 0.2]], [0, 1, 1, 0]
    optimizers = [SGD(lr=0.1), Adam()]
    return playground(MLP(2, [4, 1], seed=0), X, y, loss=losses.binary_cross_entropy, optimizer=optimizers)


MADE: dict[str, Callable[[], Any]] = {
    "picture": lambda: draw_graph(old(), depth=1),
    "program": lambda: draw_graph(autograd.compile(MLP(2, [3, 1], seed=0), [1.0, 2.0])),
    "maps": lambda: step_maps([[1, 2, 3], [4, 5, 6]], kernel=[[1, 0], [0, 1]]),
    "player": lambda: step_through(gate()),
    "by layer": lambda: step_through(old()),
    "explore": lambda: explore(gate()),
    "boxes": lambda: explore(old(), depth=1),
    "playground": trained,
    "worksheet": lambda: worksheet(FORMULA, seed=3),
    "key": lambda: worksheet(FORMULA, seed=3).key,
}
CODE = {"program": {"mean", "dw", "db", "dz"}}  # what arrays are called
# what a person would do first, so that more is said
USE: dict[str, list[str]] = {
    "player": ["[data-act=next]"] * 12 + ["[data-act=predict]"],
    "by layer": ["[data-act=next]"] * 5,
    "explore": ["[data-act=nudge]", "[data-act=step]", ".cr-box summary"],
    "playground": ["[data-act=epoch]"],
}

# what is wrong with how it looks: elements that overflow, words of a picture outside of it, or of a box beside it
WRONG = """() => {
  const wrong = [];
  const seen = (e) => e.checkVisibility({visibilityProperty: true}) && !e.closest('[aria-hidden=true].cr-ghost');
  const name = (e) => `${e.tagName}.${e.getAttribute('class') ?? ''} ${(e.textContent ?? '').trim().slice(0, 30)}`;
  const rolls = (e) => e && (/auto|scroll/.test(getComputedStyle(e).overflowX) || rolls(e.parentElement));
  if (document.documentElement.scrollWidth > innerWidth && !rolls(document.body)) wrong.push('wider than the window');
  for (const e of document.body.querySelectorAll('*')) {
    if (!seen(e) || e.closest('svg') || !e.clientWidth) continue;
    if (!rolls(e) && e.scrollWidth > e.clientWidth + 1) wrong.push(`${name(e)}: ${e.scrollWidth} in ${e.clientWidth}`);
  }
  for (const text of document.querySelectorAll('svg text')) {
    if (!seen(text) || !text.textContent.trim()) continue;
    const [is, frame] = [text, text.ownerSVGElement].map((e) => e.getBoundingClientRect());
    const out = Math.max(frame.left - is.left, is.right - frame.right, frame.top - is.top, is.bottom - frame.bottom);
    if (out > 1.5) wrong.push(`${name(text)}: ${out.toFixed(1)} outside of its picture`);
  }
  for (const text of document.querySelectorAll('svg text.folded-text, svg .folded-text text')) {
    if (!seen(text)) continue;
    const is = text.getBoundingClientRect();
    const [x, y] = [(is.left + is.right) / 2, (is.top + is.bottom) / 2];
    const holds = (r) => r.left <= x && x <= r.right && r.top <= y && y <= r.bottom;
    const boxes = [...text.ownerSVGElement.querySelectorAll('rect:not(.card)')].map((e) => e.getBoundingClientRect());
    const least = boxes.filter(holds).sort((a, b) => a.width - b.width)[0];
    if (!least || is.left < least.left - 1 || is.right > least.right + 1) wrong.push(`${name(text)} leaves its box`);
  }
  return wrong;
}"""
# all that is read or heard, with the font that it stands in
READ = """() => {
  const found = [[document.title, '']];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const {data, parentElement: e} = walk.currentNode;
    if (!data.trim() || !e.checkVisibility({visibilityProperty: true}) || e.closest('script, style')) continue;
    found.push([data, getComputedStyle(e).fontFamily]);
  }
  for (const e of document.querySelectorAll('[aria-label], [title], [alt]'))
    if (e.checkVisibility() && e.lang !== 'en')
      found.push(...['aria-label', 'title', 'alt'].map((name) => [e.getAttribute(name) ?? '', '']));
  return found;
}"""
# the characters that are drawn as one is that no font has
MISSING = """(read) => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 40, height: 40});
  const context = canvas.getContext('2d', {willReadFrequently: true});
  const drawn = (letter, font) => {
    context.clearRect(0, 0, 40, 40);
    context.font = `24px ${font}`;
    context.fillText(letter, 8, 28);
    return context.getImageData(0, 0, 40, 40).data.join();
  };
  const missing = new Set();
  for (const font of new Set(read.map(([, font]) => font).filter(Boolean))) {
    const none = drawn('\\u{10ffff}', font);
    const letters = new Set(read.filter((one) => one[1] === font).flatMap(([text]) => [...text.replace(/\\s/g, '')]));
    for (const letter of letters) if (drawn(letter, font) === none) missing.add(letter);
  }
  return [...missing];
}"""


def words_of(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z][A-Za-z_]+", text))


def known() -> set[str]:
    """The words in Latin letters that stand in a Chinese page: code, operations, names, and what the catalogue has."""
    catalogue = " ".join(re.sub(r"\{\w+\}", "", text) for text in messages("zh").values())
    sheet = " ".join(f"{op} {rule.symbol} {rule.formula}" for op, rule in SHEET.items())
    return words_of(f"{catalogue} {sheet} English layers neurons SGD Adam inf nan")


@pytest.mark.parametrize("name", MADE)
def test_a_page_in_chinese_has_room_and_glyphs_and_no_english(
    name: str, watched: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINRULE_LANG", "zh")
    target = tmp_path / "page.html"
    MADE[name]().save(target)
    page = watched(target, viewport=LOOKS["light"][0], reduced_motion="reduce")
    assert page.locator("html").get_attribute("lang") == "zh"
    for act in USE.get(name, []):
        page.locator(act).first.click()
    for look, (size, scheme) in LOOKS.items():
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate(WRONG) == [], look
    read = page.evaluate(READ)
    left = {word for text, _ in read for word in words_of(text)} - known() - CODE.get(name, set())
    assert not left, f"not translated: {left}"
    if page.evaluate(MISSING, [["汉字", "sans-serif"]]):
        pytest.skip("there is no font with Chinese characters on this machine")
    assert page.evaluate(MISSING, read) == []


def test_what_is_looked_for_would_be_found(watched: Opener, tmp_path: Path) -> None:
    target = tmp_path / "wrong.html"
    target.write_text(
        '<!DOCTYPE html><meta charset=utf-8><body><p style="width:40px;overflow:hidden">unbreakable</p>\U000f1234'
        '<svg width=50 height=50><rect width=30 height=20 /><text class="folded-text" x=-5 y=10>Step down</text></svg>',
        encoding="utf-8",
    )
    page = watched(target)
    wrong = page.evaluate(WRONG)
    assert any("unbreakable" in one for one in wrong) and any("outside" in one for one in wrong)
    assert any("leaves its box" in one for one in wrong)
    read = page.evaluate(READ)
    assert {"Step", "down"} <= {word for text, _ in read for word in words_of(text)} - known()
    assert page.evaluate(MISSING, read) == ["\U000f1234"]
