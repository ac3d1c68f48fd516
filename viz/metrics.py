"""How much room a text takes: widths of sans-serif letters, in units of the font size.

A drawing must look the same on every machine, so we cannot ask a font. The table is that of DejaVu Sans, one of the
widest fonts that a browser may fall back to: with any other the text takes a little less room than was kept for it.
"""

from __future__ import annotations

import html
import math
import re
import unicodedata
from functools import lru_cache

# Some programs look for the first family alone. Those for Chinese stand last, for programs that do not look further.
FONT = (
    "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', "
    "'WenQuanYi Zen Hei', sans-serif"
)
NAME_SIZE = SYMBOL_SIZE = 15.0
NUMBER_SIZE = 13.0
TITLE_SIZE = 12.0
BOLD = 1.16  # how much wider bold letters are, at most

_LETTERS = {
    0.3: "ijl'", 0.33: " .,·I", 0.35: ":;/|", 0.38: "f-", 0.4: "()[]!", 0.42: "t", 0.43: "r", 0.46: "⁰¹²³⁴⁵⁶⁷⁸⁹",
    0.53: "∂⁻", 0.57: "–", 0.65: "0123456789",
    0.68: "σ√Σα", 0.73: "ABCEFKLPRSTVXYZ", 0.8: "DGHNOQU&", 0.84: "w−+×÷=^<>#~∞≤≈", 0.88: "M",
    0.98: "m", 1.0: "W%…", 1.05: "@æœ",
}  # fmt: skip
_WIDTHS = {c: width for width, letters in _LETTERS.items() for c in letters}
_LATIN, _GREEK, _FOREIGN = 0.65, 0.86, 1.12


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """The width of ``text`` in pixels at a font size in pixels; never less than what a browser will need."""
    return _ems(text) * size * (BOLD if bold else 1.0)


@lru_cache(maxsize=4096)
def _ems(text: str) -> float:
    """The width of a text in units of the font size: each is asked for several times while it finds its place."""
    width = 0.0
    for c in text:
        if c in _WIDTHS:
            width += _WIDTHS[c]
        elif c < "\u0250":  # what is left of Latin
            width += _LATIN if c.islower() or c < "\x7f" else 1.02
        elif "\u0391" <= c <= "\u03c9":  # Greek
            width += _GREEK
        elif unicodedata.category(c) not in ("Mn", "Me", "Cf"):  # Cyrillic to Chinese, and emoji: up to a full square
            width += _FOREIGN
    return width


def columns(text: str) -> int:
    """How many columns a text takes on a terminal: a Chinese letter takes two, an accent that combines none."""
    return len(text) if text.isascii() else sum([1 if c < "\x80" else _columns_of(c) for c in text])


@lru_cache(maxsize=1024)
def _columns_of(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return int(unicodedata.east_asian_width(letter) in "WF")
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def fitting(text: str, size: float, room: float) -> float:
    """The font size at which a text fits into a room: ``size``, or the next smaller one, in steps of half a pixel."""
    width = text_width(text, 1.0)
    return size if width * size <= room else math.floor(2 * room / width + 1e-6) / 2


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str) -> str:
    """Text without the control characters that XML cannot hold: a question mark in a diamond stands for each."""
    return text if text.isprintable() else _NOT_XML.sub("\ufffd", text)


def escape(text: str) -> str:
    """Text as it stands between tags."""
    return html.escape(printable(text), quote=False)


def one_line(text: str) -> str:
    """A name as it can be drawn."""
    return " ".join(printable(text).split())


def clip(text: str, limit: int = 24) -> str:
    """A long name, cut in the middle so that both ends can still be read."""
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[-(limit - limit // 2 - 1) :]}"
