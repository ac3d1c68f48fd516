"""What computes or plays on a page: its data, its style and its script, put together from the files in ``web``."""

from __future__ import annotations

import hashlib
import html
import json
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograd.files import write_whole

from ..lettering import caption_in_html
from ..markup import DARK, LIGHT, Rules, relevant
from ..mistakes import Taught, explained
from ..picture import KEYS_ARE_OURS, html_page
from . import languages, scripts
from .stage import stylesheet

ROOT = "cr-root"  # the class of what holds a page's script, its data and its style


def piece(data: dict[str, Any], rules: Rules, theme: str, fallback: str = "") -> str:
    """A player as a piece of HTML: ``rules`` are those of its picture, ``fallback`` is for where no script runs."""
    text = as_json(data)
    instead = fallback or f"<p>{data['messages']['steps-no-script']}</p>"
    style = _nested(relevant(stylesheet(".cr-player", rules), "class='cr-player'" + text))
    style += scripts.style(("theme.css", "player.css"), "player.js", ROOT + " cr-player")
    attributes = f'class="{ROOT} cr-player" data-chainrule-player'
    return framed(attributes, theme, _with_its_colours(style), instead, text, scripts.bundle("player.js"))


def framed(attributes: str, theme: str, style: str, instead: str, data: str, script: str) -> str:
    """An element with these attributes, with what a script needs; ``instead`` is for where none runs."""
    style += scripts.bundle("around.css") if theme == "auto" else ""
    fixed = "" if theme == "auto" else f' style="color-scheme:{theme}"'
    return (
        f'<div {attributes} data-theme="{theme}"{fixed}>\n<style>\n{style}</style>\n'
        f'<div class="cr-instead">{instead}</div>\n'
        f'<script type="application/json">{data}</script>\n<script>\n{script}\n</script>\n</div>\n'
    )


class LivePage(Taught):
    """What is one page. It shows itself in a notebook; `save` writes it to a file. How it looks is up to a subclass."""

    _only_a_page: str  # what is said of another ending than .html, with the file's name as {name}

    @explained
    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page, which needs nothing else: no other file, no network. It is written whole or not at all.

        Raises:
            ValueError: for another ending than .html.
            OSError: if the file cannot be written.
        """
        target = Path(path)
        if target.suffix.lower() not in (".html", ".htm"):
            raise ValueError(self._only_a_page.format(name=repr(target.name)))
        write_whole(target, self.to_html().encode())
        return target

    def to_html(self, *, page: bool = True) -> str:
        """HTML: a whole page, or with ``page=False`` a piece to be put into a page of one's own."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        """For notebooks: it computes where scripts may run, and is a picture where not."""
        return self.to_html(page=False)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}


# the classes that scripts write
_CHANGING = '<g class="cr-player value gradient label local bad first-bad flow ring now forward backward">'


def live(kind: str, data: dict[str, Any], sheet: str, theme: str, rules: Rules, fallback: str) -> str:
    """A page's piece that computes by itself: ``kind`` is the script that runs it, ``sheet`` are its rules."""
    script = f"{kind}.js"
    boxes = any(key in view for view in data["views"] for key in ("opens", "folds", "unfolds"))
    unsaid = () if boxes else ("fold", "unfold", "open-box", "close-box", "a-box")
    said = {k: told for k, told in data["messages"].items() if k not in unsaid and scripts.speaks(script, k)}
    data = {**data, "messages": said}
    shown = fallback + "".join(view["still"] for view in data["views"])
    more = {"drawn": drawn} if (drawn := languages.drawn(shown, data["lang"])) else {}
    data["other"] = {**data["other"], **more, "messages": [data["other"]["messages"][key] for key in said]}
    text = as_json(data)
    markup = re.sub(r"class=([\w-]+)", r"class='\1'", shown) + _CHANGING  # the quotes that `_unquoted` took
    key = hashlib.sha256((kind + theme + text).encode()).hexdigest()[:12]
    style = _nested(relevant(stylesheet(".cr-player", rules), markup))
    style += scripts.style(("theme.css", "player.css", "live.css"), script, ROOT + " cr-player cr-live cr-instead")
    attributes = f'class="{ROOT} cr-player cr-live" data-chainrule-live="{key}"'
    program = scripts.program(key, sheet, script)
    return framed(attributes, theme, _with_its_colours(style), fallback, text, program)


def _with_its_colours(style: str) -> str:
    """A style sheet without the colours that none of its rules is in."""
    return re.sub(r"--([\w-]+):[^;}]*;", lambda one: one[0] if f"var(--{one[1]})" in style else "", style)


def _nested(style: str) -> str:
    """The rules for what stands in a player's picture, which say only once where that is."""
    prefix, rules = ".cr-player svg ", style.splitlines()
    inner = "".join(rule.replace(prefix, "") for rule in rules if rule.startswith(prefix))
    return "".join(rule for rule in rules if not rule.startswith(prefix)) + f"{prefix.strip()}{{{inner}}}\n"


def lent(data: dict[str, Any], title: str, numbers: str) -> tuple[dict[str, Any], str]:
    """The first picture as it is shown where no script runs, which lends its still part to the script; and the data
    without it."""
    first = data["views"][data["start"]]
    views = [{**view, "still": "" if view is first else _unquoted(view["still"])} for view in data["views"]]
    picture = (
        f'<svg viewBox="0 0 {first["width"]} {first["height"]}" role="img" aria-label="{html.escape(title)}" '
        f'text-anchor="middle"><g data-still>{_unquoted(first["still"])}</g>{_unquoted(numbers)}</svg>\n'
    )
    return {**data, "views": views}, picture


def _unquoted(markup: str) -> str:
    """The same as HTML has it: what is one word needs no quotes."""
    return re.sub(r"='([\w.,-]+)'(?=[ >])", r"=\1", markup)


def as_json(data: dict[str, Any]) -> str:
    """Data as a script element can hold it: nothing in it may end that element, or begin another inside it."""
    text = json.dumps(_short(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return re.sub(r"<(?=!|script)", r"\\u003c", text, flags=re.IGNORECASE).replace("</", "<\\/")


def _short(data: Any) -> Any:
    """The same data, with 2.0 as 2."""
    if isinstance(data, float):
        return int(data) if data.is_integer() and abs(data) < 1e15 and (data or math.copysign(1.0, data) > 0) else data
    if isinstance(data, dict):
        return {k: _short(x) for k, x in data.items()}
    return [_short(x) for x in data] if isinstance(data, (list, tuple)) else data


def image(svg: str) -> str:
    """An SVG as an address, for an attribute in double quotes. Only what would be misread there is escaped, as that is
    shorter than base64: > is not, but < is, since Streamlit throws an attribute away that has </style> in it."""
    return "data:image/svg+xml," + svg.translate(_ESCAPED)


_ESCAPED = str.maketrans({c: f"%{ord(c):02X}" for c in '%#<"&'})


def step(title: str, text: str, words: str, more: str, picture: str, *, is_open: bool) -> str:
    """A step that opens without a script; ``text``, and ``words`` and ``more``, which are sentences, are HTML."""
    paragraphs = "".join(f"<p>{told}</p>" for told in (words, more) if told)
    head = f"<summary {KEYS_ARE_OURS}>{html.escape(title)}: {text}</summary>"
    return f"<details{' open' if is_open else ''}>{head}{paragraphs}{picture}</details>\n"


def page(piece: str, name: str, theme: str, lang: str, names: Sequence[str] = ()) -> str:
    """A whole page around a player. In its heading, the ``name``, the ``names`` are set as mathematics."""
    style = f":root{{--font:Helvetica,Arial,sans-serif;--muted:light-dark({LIGHT['muted']},{DARK['muted']})}}\n"
    piece = piece.replace(scripts.bundle("around.css"), "", 1).replace(f" {KEYS_ARE_OURS}", "")  # nothing is around it
    body = f"<main data-page>\n<h1>{caption_in_html(name, names)}</h1>\n{piece}</main>\n"
    return html_page(name, theme, style + scripts.bundle("page.css"), body, lang)
