"""What a player is on a page: its data, its style and its script, put together from the files in ``web``."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from ..markup import DARK, LIGHT, Rules, relevant
from ..metrics import FONT
from ..picture import KEYS_ARE_OURS, html_page, web_file
from .stage import stylesheet


def piece(data: dict[str, Any], rules: Rules, theme: str, fallback: str = "") -> str:
    """A player as a piece of HTML: ``rules`` are those of its picture, ``fallback`` is for where no script runs."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # nothing in the text may end the script element, or begin another inside it
    text = re.sub(r"<(?=!|script)", r"\\u003c", text, flags=re.IGNORECASE).replace("</", "<\\/")
    instead = fallback or "<p>The steps need JavaScript, which is switched off here.</p>"
    style = relevant(stylesheet(".cr-player", rules), "class='cr-player'" + text) + web_file("live/web/player.css")
    script = web_file("live/web/player.js")
    return (
        f'<div class="cr-player" data-chainrule-player data-theme="{theme}">\n'
        f'<style>\n{style}</style>\n<div class="cr-instead">{instead}</div>\n'
        f'<script type="application/json">{text}</script>\n<script>\n{script}</script>\n</div>\n'
    )


def step(title: str, text: str, words: str, more: str, picture: str, *, is_open: bool) -> str:
    """A step that opens without a script; ``text``, ``words`` and ``more`` are HTML."""
    paragraphs = "".join(f"<p>{told}.</p>" for told in (words, more) if told)
    head = f"<summary {KEYS_ARE_OURS}>{html.escape(title)}: {text}</summary>"
    return f"<details{' open' if is_open else ''}>{head}{paragraphs}{picture}</details>\n"


def page(piece: str, title: str, theme: str) -> str:
    """A whole page around a player."""
    name = f"{title}, step by step"
    style = f":root{{--font:{FONT};--muted:light-dark({LIGHT['muted']},{DARK['muted']})}}\n"
    body = f"<main data-page>\n<h1>{html.escape(name)}</h1>\n{piece}</main>\n"
    return html_page(name, theme, style + web_file("live/web/page.css"), body)
