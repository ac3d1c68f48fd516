"""What pages carry is made of what people read: the bundles of viz/live/bundles, of the files in viz/live/web."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from viz.live import scripts

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
