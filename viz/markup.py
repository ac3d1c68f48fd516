"""What every picture is written in: the colours of the two themes, texts and coordinates, and the SVG around them all.

Every id and every style rule is prefixed by a hash of the content, so that several drawings in one page never touch
each other, and the text is the same, byte for byte, on every machine.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable

from .metrics import TITLE_SIZE, printable, text_width

MARGIN = 18.0

LIGHT = {
    "card": "#ffffff", "edge": "#d8dce2", "ink": "#1f2328", "muted": "#5b6472", "wire": "#7b8491", "gate": "#f1f4f8",
    "rim": "#4b5563", "value": "#00734f", "gradient": "#b84400", "local": "#5b3fa8", "tag": "#e3ebfb",
    "tag-rim": "#8ba3d4", "frame": "#aab3c0", "tint": "#f8f9fb", "bad": "#c1121f", "bad-tint": "#fdecec",
}  # fmt: skip
DARK = {
    "card": "#14181f", "edge": "#2f3743", "ink": "#e6e9ee", "muted": "#a3adbb", "wire": "#8b95a5", "gate": "#232a36",
    "rim": "#a5afbd", "value": "#35c9a0", "gradient": "#ff8f5a", "local": "#c0aaff", "tag": "#26324a",
    "tag-rim": "#5f7cb5", "frame": "#566072", "tint": "#1a1f28", "bad": "#ff6b6b", "bad-tint": "#3a1d20",
}  # fmt: skip

Rules = Callable[[str, dict[str, str]], str]  # the style sheet for what stands in an element, in the colours of a theme


def document(body: str, width: float, height: float, kind: str, told: tuple[str, str], rules: Rules, theme: str) -> str:
    """An SVG of its own around ``body``; ``told`` is its title, and a description for whoever cannot see it."""
    digest = hashlib.sha256((theme + body).encode()).hexdigest()[:10]
    identity = f"chainrule-{digest}"
    size = f'width="{px(width)}" height="{px(height)}"'
    title, description = told
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{identity}" class="{kind}" role="img" '
        f'aria-labelledby="{identity}-title {identity}-desc" {size} '
        f'viewBox="0 0 {px(width)} {px(height)}" style="max-width:none">\n'
        f'<title id="{identity}-title">{escape(title)}</title>\n'
        f'<desc id="{identity}-desc">{escape(description)}</desc>\n'
        f"<style>\n{_stylesheet('#' + identity, rules, theme)}</style>\n{body}</svg>\n"
    )


def relevant(rules: str, body: str) -> str:
    """Those of the rules that apply to something in ``body``."""
    used = {name for names in re.findall("class=[\"']([^\"']*)", body) for name in names.split()}
    kept = ""
    for rule in rules.splitlines():
        selectors, _, declarations = rule.partition("{")
        needed = [s for s in selectors.split(",") if set(re.findall(r"\.([a-z-]+)", s)) <= used]
        if needed:
            kept += ",".join(needed) + "{" + declarations + "\n"
    return kept


def _stylesheet(identity: str, rules: Rules, theme: str) -> str:
    """The rules in the colours of one theme, or of both: then the reader's system decides."""
    light, dark = rules(identity, LIGHT), rules(identity, DARK)
    if theme != "auto":
        return dark if theme == "dark" else light
    # only what differs in the dark
    differing = [new for new, old in zip(dark.splitlines(), light.splitlines(), strict=True) if new != old]
    return light + "@media (prefers-color-scheme:dark){\n" + "\n".join(differing) + "\n}\n"


def wrap(text: str, width: float) -> list[str]:
    """A note in lines of at most this width, if no word is longer."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, TITLE_SIZE) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def text_at(kind: str, x: float, y: float, text: str, *, anchor: str = "", style: str = "") -> str:
    """A text of one line; ``kind`` is its class, and x, y its beginning (or what the anchor says), half-way up."""
    where = (f' text-anchor="{anchor}"' if anchor else "") + style
    return f'<text class="{kind}" x="{px(x)}" y="{px(y)}"{where}>{escape(text)}</text>\n'


def escape(text: str) -> str:
    """Text as it stands between tags."""
    return html.escape(printable(text), quote=False)


def card(width: float, height: float) -> str:
    """The paper that all stands on."""
    return rectangle("card", 0.5, 0.5, width - 1, height - 1, 10)


def rectangle(kind: str, x: float, y: float, width: float, height: float, radius: float) -> str:
    """A rectangle with round corners; ``kind`` is its class, and x, y its upper left corner."""
    size = f'width="{px(width)}" height="{px(height)}" rx="{px(radius)}"'
    return f'<rect class="{kind}" x="{px(x)}" y="{px(y)}" {size}/>\n'


def px(x: float) -> str:
    """A coordinate: at most one decimal, and no trailing zero."""
    text = f"{x:.1f}"
    return text[:-2] if text.endswith(".0") else text


def point(at: tuple[float, float]) -> str:
    """A place in a path."""
    return f"{px(at[0])},{px(at[1])}"
