"""What pages carry is made of what people read: the bundles of viz/live/bundles, of the files in viz/live/web."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from autograd.messages import MESSAGES
from nn import MLP, SGD, losses
from viz import explore, playground, step_through
from viz.live import network, scripts

from .graphs import tangle

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LIVE = Path(__file__).parents[2] / "viz" / "live"
SHEETS = sorted(file.name for file in (LIVE / "web").glob("*.css"))
RULES = "text => {const s = new CSSStyleSheet(); s.replaceSync(text); return [...s.cssRules].map(r => r.cssText)}"


def test_the_bundles_are_made_of_the_sources_as_they_are_now() -> None:
    """Whoever has changed a source and sees this fail: scripts/check-js --write makes them anew."""
    made_of = dict(line.split("  ")[::-1] for line in (LIVE / "bundles" / "sources.txt").read_text().splitlines())
    assert made_of == {
        file.name: hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        for file in (LIVE / "web").iterdir()
        if file.is_file()
    }


def test_no_name_that_is_made_short_is_one_of_the_data() -> None:
    """Names of the browser's own are missed on every page; but data come from Python, where nothing is made short."""

    def keys(data: Any) -> set[str]:
        inside = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
        return (set(data) if isinstance(data, dict) else set()).union(*map(keys, inside))

    text = (LIVE.parents[1] / "scripts" / "js" / "bundle.mjs").read_text(encoding="utf-8")
    ours = set(re.findall(r"const OURS = `([^`]*)`", text)[0].split())
    assert len(ours) > 50
    model, examples = MLP(2, [2, 1], seed=0), ([[0.0, 1.0], [1.0, 0.5]], [0, 1])
    trained = playground(model, *examples, loss=losses.binary_cross_entropy, optimizer=SGD())
    many = tangle(network.MOST_NODES + 1)  # its numbers stand still
    pages = [explore(model([1.0, 2.0])), step_through(model([1.0, 2.0])), trained, explore(many)]
    for page in pages:
        found = re.findall(r'<script type="application/json">(.*?)</script>', page.to_html(), re.DOTALL)
        assert not ours & keys([json.loads(data) for data in found]) - MESSAGES.keys()
        assert page is not trained or not ours & json.loads(found[0])["messages"].keys()  # it has them as words.name


@pytest.mark.parametrize("name", SHEETS)
def test_a_browser_reads_the_same_rules_in_a_bundle(name: str, chromium: Browser) -> None:
    def plain(rules: list[str]) -> list[str]:
        return [re.sub(r"\s", "", rule).replace("from{", "0%{").replace("font:0.", "font:.") for rule in rules]

    page = chromium.new_page()
    whole = page.evaluate(RULES, (LIVE / "web" / name).read_text(encoding="utf-8"))
    assert plain(page.evaluate(RULES, scripts.bundle(name))) == plain(whole) and whole
    page.close()


def test_a_page_has_only_the_words_and_the_rules_that_it_needs() -> None:
    text = scripts.sheet([("sigmoid", 1)])
    assert "const {exp}=Math;" in text and "const {abs}=Math;" in text and "sigmoid=" in text
    assert not re.search("softplus|largest|logsumexp|tanh|erf", text)
    assert all(word in scripts.sheet([("logsumexp", 3)]) for word in ("largest=", "total=", "{log1p}=Math"))
    assert "tail=" in scripts.sheet([("erf", 1)]) and "export" not in scripts.sheet([("erf", 1)])
    style = scripts.style(("player.css", "live.css"), "explore.js", "cr-player cr-live")
    assert ".cr-derivation" in style and ".cr-ghost" not in style and style.count("{") == style.count("}")
