"""Names as they are written: in a picture, in a caption, and how much room they take.

`autograd.notation` says which names are set as mathematics; every other one stands as it was typed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from autograd.notation import Notation, notation

from .metrics import clip, escape, text_width

SMALL = {15.0: 11.0, 13.0: 10.0}  # the size of a script, for that of the letters
DOWN, UP = 0.22, 0.4  # of the size: how far a subscript stands below the line, and a superscript above it
NARROW = 0.88  # of the room that is kept for a text, what it takes in the font that most readers see
LONGEST = 24  # letters of a name in a picture

# An accent that combines is drawn at its place over Latin letters by every font, but over Greek ones by few, and an
# arrow by none. In their place stand accents that do not combine, of these widths. All widths are those of Arial, which
# the fonts of other systems were made to fit.
_OVER_GREEK = dict(zip("\u0302\u0304\u0303\u0307\u0308", "ˆˉ˜˙¨", strict=True))
_ARROW, _ARROW_SIZE, _ARROW_UP = "\u20d7", 0.73, 0.48
_WIDTHS = {
    c: width
    for width, letters in {0.3: "ijlItfrι", 0.46: "εζξτz", 0.74: "πσφψω", 0.85: "mwMWQOGΘΩΦΨ"}.items()
    for c in letters
}
_HIGH, _HIGHER = "bdfhklβδζθλξ", 0.19  # letters as high as capitals


class Piece(NamedTuple):
    """A text of a name: how far it stands to the right of the letter's end, and below the line; its size and anchor."""

    text: str
    right: float
    below: float
    size: float
    anchor: str


def _set(name: str) -> Notation | None:
    """How a name is set; None if it stands as it was typed, as one must that is too long to be drawn whole."""
    found = notation(name)
    return found if found and sum(map(len, found[:4])) <= LONGEST else None


def _accented(base: str) -> tuple[str, str]:
    """A letter, and the accent that must be placed over it; "" if there is none, or the font places it."""
    letter, mark = base[0], base[1:]
    accent = "→" if mark == _ARROW else "" if letter.isascii() else _OVER_GREEK.get(mark, "")
    return (letter, accent) if accent else (unicodedata.normalize("NFC", base), "")


def _width(letter: str) -> float:
    return _WIDTHS.get(letter, 0.7 if letter.isupper() else 0.58)


def _over(letter: str, accent: str) -> tuple[float, float]:
    """How far an accent is raised to stand over a letter, and its size."""
    up, size = (_ARROW_UP, _ARROW_SIZE) if accent == "→" else (0.0, 1.0)
    return up + (_HIGHER if letter.isupper() or letter in _HIGH else 0.0), size


def _after(found: Notation, size: float, narrow: float) -> tuple[float, float]:
    """How wide the scripts of a name are, and what comes after them."""
    scripts = max(text_width(text, SMALL[size], bold=True) for text in (found.sub, found.sup))
    return narrow * scripts, narrow * text_width(f" {found.nth}" if found.nth else "", size, bold=True)


def name_width(name: str, size: float) -> float:
    """The room that a name takes, in pixels, in bold letters of this size; what is too long is cut in its middle."""
    found = _set(name)
    if found is None:
        return text_width(clip(name, LONGEST), size, bold=True)
    return text_width(found.base, size, bold=True) + sum(_after(found, size, 1.0))


def pieces_of(name: str, size: float) -> tuple[list[Piece], float, float]:
    """The texts that a name is set from; how wide its letter is, and all after it, in the font of most readers.

    They are placed so that none must know how wide the others are, for no two programs agree on that: the letter ends
    where the scripts begin, one below the other, and an accent stands over the letter's middle. A name that is one text
    gives no pieces.
    """
    found = _set(name)
    if found is None:
        return [], 0.0, 0.0
    letter, accent = _accented(found.base)
    if not (accent or found.sub or found.sup):
        return [], 0.0, 0.0
    width, (scripts, nth) = _width(letter[0]) * size, _after(found, size, NARROW)
    pieces = [Piece(letter, 0.0, 0.0, size, "end")]
    if accent:
        up, factor = _over(letter, accent)
        pieces.append(Piece(accent, -width / 2, -up * size, size if factor == 1.0 else SMALL[size], "middle"))
    pieces.append(Piece(found.sub, 0.5, DOWN * size, SMALL[size], "start"))
    pieces.append(Piece(found.sup, 0.5, -UP * size, SMALL[size], "start"))
    pieces.append(Piece(f"{found.nth}", scripts + 0.3 * size, 0.0, size, "start"))
    return [piece for piece in pieces if piece.text], width, scripts + nth


def spans_of(name: str, size: float, gap: float) -> list[list[str | float]]:
    """The texts of a name in one line, for a browser, which knows how wide they are, and where what follows begins.

    Each is a text, how far it is moved to the right and down from where the one before ended, and its size; zeros at
    the end are left out. The last one is empty: it is for what follows, a gap away.
    """
    found, small = _set(name), SMALL.get(size) or round(0.76 * size, 1)
    if found is None:
        return [[shown_name(name)], ["", gap]]
    below, above = (0.75 * text_width(text, small, bold=True) for text in (found.sub, found.sup))  # in Arial
    spans: list[list[str | float]] = [[unicodedata.normalize("NFC", found.base)]]
    down = 0.0  # of the line that the last one stands on
    if found.sub:
        spans.append([found.sub, 0.5, down := round(DOWN * size, 1), small])
    if found.sup:
        spans.append([found.sup, round(0.5 - below, 1), round(-UP * size - down, 1), small])
        down = round(-UP * size, 1)
    after = round(max(0.0, below - above), 1) if found.sup else 0.0
    if found.nth:
        spans += [[f"{found.nth}", round(after + 0.3 * size, 1), -down]]
        after = down = 0.0
    return [*spans, ["", round(gap + after, 1), -down]]


def shown_name(name: str) -> str:
    """A name that is one text, as it is shown: a Greek letter, or as it was typed, cut if it is long."""
    found = _set(name)
    if found is None:
        return clip(name, LONGEST)
    return _accented(found.base)[0] + (f" {found.nth}" if found.nth else "")


def name_in_html(name: str) -> str:
    """A name as a piece of HTML."""
    found = notation(name)
    if found is None:
        return escape(name)
    letter, accent = _accented(found.base)
    if accent:
        up, size = _over(letter, accent)
        width, room = _width(letter), size if accent == "→" else 0.33
        place = (
            f"top:{-up / size:.2f}em;margin:0 {(width - room) / 2 / size:.2f}em 0 {-(width + room) / 2 / size:.2f}em"
        )
        letter += f'<span style="position:relative;font-size:{size:g}em;{place}">{accent}</span>'
    sub, sup = (
        f"<{tag}>{escape(text)}</{tag}>" if text else "" for tag, text in (("sub", found.sub), ("sup", found.sup))
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
    known = _any_of(names)
    if not known:
        return escape(text)
    sought = rf"∂(?P<of>{known})/∂(?P<by>{known})(?![A-Za-z0-9_])|{_ALONE.format(known)}"
    found, at = "", 0
    for match in re.finditer(sought, text):
        of, by, name = (one and name_in_html(one) for one in match.group("of", "by", "name"))
        if not name:
            name = f"∂{of}/∂{by}"
            if fractions:
                name = f"<var>∂{of}<i>/</i><b>∂{by}</b></var>"
        found += escape(text[at : match.start()]) + name
        at = match.end()
    return found + escape(text[at:])


_ALONE = r"(?<![A-Za-z0-9_\\])(?P<name>{})(?![A-Za-z0-9_])"


def _any_of(names: Iterable[str]) -> str:
    """A pattern that finds the names, the longer ones first; "" if there are none."""
    return "|".join(map(re.escape, sorted({*names} - {""}, key=len, reverse=True)))


def spans_in(text: str, names: Iterable[str], size: float) -> list[list[str | float]]:
    """The pieces of a line in which the names among ``names`` are set as mathematics, as those of `spans_of` are."""
    known = _any_of(name for name in names if notation(name))
    spans: list[list[str | float]] = []
    at, moved = 0, list[str | float]()
    for match in re.finditer(_ALONE.format(known), text) if known else ():
        before = text[at : match.start()]
        first, *scripts, last = spans_of(match["name"], size, 0.0)
        spans += [[before, *moved], first] if before else [[*first, *moved]]
        spans += scripts
        moved, at = last[1:], match.end()
    return [*spans, [text[at:], *moved]] if text[at:] or not spans else spans
