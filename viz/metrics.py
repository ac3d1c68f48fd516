"""How much room a text takes: widths of sans-serif letters, in units of the font size.

A drawing must look the same on every machine, so we cannot ask a font. The table is that of DejaVu Sans, one of the
widest fonts that a browser may fall back to: with any other the text takes a little less room than was kept for it.
"""

from __future__ import annotations

FONT = "'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', 'Liberation Sans', sans-serif"

_WIDTHS = {
    " ": 0.32, ".": 0.32, ",": 0.32, ":": 0.34, ";": 0.34, "'": 0.28, "|": 0.34, "!": 0.4, "i": 0.28, "j": 0.28,
    "l": 0.28, "I": 0.3, "f": 0.36, "t": 0.4, "r": 0.42, "(": 0.39, ")": 0.39, "[": 0.39, "]": 0.39, "-": 0.37,
    "m": 0.98, "w": 0.82, "M": 0.87, "W": 0.99, "%": 0.95, "@": 1.0, "−": 0.84, "+": 0.84, "×": 0.84, "÷": 0.84,
    "=": 0.84, "–": 0.5, "·": 0.32, "…": 1.0, "∂": 0.52, "Σ": 0.64, "σ": 0.64, "√": 0.64, "/": 0.34, "^": 0.84,
    "⁻": 0.53,
}  # fmt: skip
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"


def text_width(text: str, size: float) -> float:
    """The width of ``text`` in pixels at a font size in pixels; never less than what a browser will need."""
    width = 0.0
    for c in text:
        if c in _WIDTHS:
            width += _WIDTHS[c]
        elif c in _SUPERSCRIPTS:
            width += 0.42
        elif c.isdigit():
            width += 0.64
        elif ord(c) > 0x2E80:  # Chinese, Japanese, Korean, emoji: a full square
            width += 1.05
        else:
            width += 0.72 if c.isupper() else 0.62
    return width * size


def clip(text: str, limit: int = 24) -> str:
    """A long name, cut in the middle so that both ends can still be read."""
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[-(limit - limit // 2 - 1) :]}"
