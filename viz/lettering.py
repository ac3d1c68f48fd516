"""Names as they are written: in a picture, in a caption, and how much room they take.

`autograd.notation` says which names are set as mathematics; every other one stands as it was typed.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from autograd.notation import Notation, notation

from .metrics import clip, printable, text_width

SMALL = 0.74  # of the size of the letters: a script's; but never below SMALLEST pixels
SMALLEST = 10.0
DOWN, UP = 0.22, 0.38  # of the size: how far a subscript stands below the line, and a superscript above it
LONGEST = 24  # letters of a name in a picture

# An accent that combines is drawn at its place over Latin letters by every font, but over Greek ones by few, and an
# arrow by none. In their place stand accents that do not combine, of these widths. All widths are those of Arial, which
# the fonts of other systems were made to fit.
_PLACED = "ˆˉ˜˙¨→"
_OVER_GREEK = dict(zip("\u0302\u0304\u0303\u0307\u0308", _PLACED, strict=False))
_ARROW, _ARROW_SIZE, _ARROW_UP = "\u20d7", 0.7, 0.5
_WIDTHS = {
    c: width
    for width, letters in {0.3: "ijlItfrι", 0.46: "εζξτz", 0.74: "πσφψω", 0.85: "mwMWQOGΘΩΦΨ"}.items()
    for c in letters
}
_HIGH, _HIGHER = "bdfhklβδζθλξ", 0.19  # letters as high as capitals


class _Piece(NamedTuple):
    """A text of a name: how far below the line it stands, its size, and how far to the right of the last one's end."""

    text: str
    below: float
    size: float
    right: float = 0.0


def _set(name: str) -> Notation | None:
    """How a name is set; None if it stands as it was typed, as one must that is too long to be drawn whole."""
    found = notation(name)
    return found if found and sum(map(len, found[:4])) <= LONGEST else None


def _accented(base: str) -> tuple[str, str]:
    """A letter, and the accent that must be placed over it; "" if there is none, or the font places it."""
    letter, mark = base[0], base[1:]
    accent = "→" if mark == _ARROW else "" if letter.isascii() else _OVER_GREEK.get(mark, "")
    return (letter, accent) if accent else (unicodedata.normalize("NFC", base), "")


def _over(letter: str, accent: str, size: float) -> tuple[_Piece, float]:
    """An accent over the letter before it, and how far from its end to that of the letter."""
    factor, up = (_ARROW_SIZE, _ARROW_UP) if accent == "→" else (1.0, 0.0)
    up += _HIGHER if letter.isupper() or letter in _HIGH else 0.0
    width = _WIDTHS.get(letter, 0.7 if letter.isupper() else 0.58)
    room = factor if accent == "→" else 0.33
    return _Piece(accent, -up * size, factor * size, -(width + room) / 2 * size), (width - room) / 2 * size


def _pieces(found: Notation, size: float) -> list[_Piece]:
    """The texts of a name in their order."""
    letter, accent = _accented(found.base)
    small = max(SMALLEST, round(SMALL * size, 1))
    nth = f" {found.nth}" if found.nth else ""
    scripts = [_Piece(found.sub, DOWN * size, small), _Piece(found.sup, -UP * size, small), _Piece(nth, 0.0, size)]
    pieces = [piece for piece in scripts if piece.text]
    if accent:
        above, back = _over(letter, accent, size)
        pieces = [above, *(piece._replace(right=back) for piece in pieces[:1]), *pieces[1:]]
    return [_Piece(letter, 0.0, size), *pieces]


def name_width(name: str, size: float) -> float:
    """The room that a name takes, in pixels, in bold letters of this size; what is too long is cut in its middle."""
    found = _set(name)
    if found is None:
        return text_width(clip(name, LONGEST), size, bold=True)
    return sum(text_width(p.text, p.size, bold=True) for p in _pieces(found, size) if p.text not in _PLACED)


def name_in_svg(name: str, size: float) -> tuple[str, float]:
    """What stands in a <text> for a name, and how far below the line it ends: what follows must go up by as much.

    Scripts are moved by ``dy``, which every program knows, where ``baseline-shift`` is for some of them only.
    """
    found = _set(name)
    if found is None:
        return _escape(clip(name, LONGEST)), 0.0
    markup, line = "", 0.0
    for text, below, letters, right in _pieces(found, size):
        moved = {"dx": round(right, 1), "dy": round(below - line, 1), "font-size": letters if letters != size else 0.0}
        told = "".join(f' {name}="{x:g}"' for name, x in moved.items() if x)
        markup += f"<tspan{told}>{_escape(text)}</tspan>" if told else _escape(text)
        line += moved["dy"]
    return markup, line


def name_in_html(name: str) -> str:
    """A name as a piece of HTML."""
    found = notation(name)
    if found is None:
        return _escape(name)
    letter, accent = _accented(found.base)
    if accent:
        above, back = _over(letter, accent, 1.0)
        em = 1 / above.size  # its own, for an em of the letter
        place = f"top:{above.below * em:.2f}em;margin:0 {back * em:.2f}em 0 {above.right * em:.2f}em"
        letter += f'<span style="position:relative;font-size:{above.size:g}em;{place}">{accent}</span>'
    sub, sup = (
        f"<{tag}>{_escape(text)}</{tag}>" if text else "" for tag, text in (("sub", found.sub), ("sup", found.sup))
    )
    return letter + sub + sup + (f" {found.nth}" if found.nth else "")


def caption_in_html(text: str, names: Iterable[str], *, fractions: bool = False) -> str:
    """A caption as a piece of HTML: the names in it set as mathematics.

    Args:
        text: what is said.
        names: those of the nodes that it speaks of; the caption is searched for no others.
        fractions: whether ∂f/∂q is written as a fraction. Whoever hears or copies the words finds them in one line,
            with the stroke, which is there but not seen.
    """
    known = "|".join(map(re.escape, sorted({*names} - {""}, key=len, reverse=True)))
    if not known:
        return _escape(text)
    sought = rf"∂(?P<of>{known})/∂(?P<by>{known})(?![A-Za-z0-9_])|(?<![A-Za-z0-9_\\])(?P<name>{known})(?![A-Za-z0-9_])"
    found, at = "", 0
    for match in re.finditer(sought, text):
        of, by, name = (one and name_in_html(one) for one in match.group("of", "by", "name"))
        if not name:
            name = f"∂{of}/∂{by}"
            if fractions:
                name = f"<var>∂{of}<i>/</i><b>∂{by}</b></var>"
        found += _escape(text[at : match.start()]) + name
        at = match.end()
    return found + _escape(text[at:])


def _escape(text: str) -> str:
    return html.escape(printable(text), quote=False)


__all__ = ["caption_in_html", "name_in_html", "name_in_svg", "name_width"]
