"""How numbers are written in a picture, and how much room is kept for one: boxes must not move when a number changes.

The room follows from the format alone. Formats such as ".4g" write any number in a bounded width: "−1.234e−300" is the
widest. One such as ".2f" has a place for every digit before the point, so what has more than 7 of them is written with
an exponent, "1.00e+300". The widest texts are rare: they are set in letters that are smaller by a fifth.
"""

from __future__ import annotations

import re
from functools import lru_cache

from autograd import format_number

from ..metrics import NUMBER_SIZE, text_width

_SQUEEZED = 0.8  # of the size of the letters, if a number is as wide as can be
_DIGITS = 1.2345678901234567  # as many as a float has
_EVERYDAY = range(-6, 7)  # powers of ten
_EXTREME = (-300, -100, -30, -10, 10, 16, 17, 30, 100, 300)
_WIDEST_LETTER = 1.12  # in units of the font size
_EXPONENT = 5.0  # in units of the font size: what "e−300" may add to an everyday number, and some to spare


def written(x: float, fmt: str) -> str:
    """A number as it is drawn, never wider than `widest`."""
    text, most = format_number(x, fmt), _width(fmt)
    if len(text) * _WIDEST_LETTER > most and text_width(text, 1.0) > most:
        return format_number(x, _with_exponent(fmt))
    return text


@lru_cache(maxsize=64)
def room(fmt: str, before: str = "") -> float:
    """How many pixels are kept for any number with a few letters before it, such as "∂ "."""
    return (_width(fmt) + text_width(before, 1.0)) * NUMBER_SIZE * _SQUEEZED


@lru_cache(maxsize=64)
def _width(fmt: str) -> float:
    return text_width(widest(fmt), 1.0)


@lru_cache(maxsize=64)
def widest(fmt: str) -> str:
    """The widest text that `written` gives for any number."""
    texts = _texts(fmt, _EVERYDAY) + [format_number(float(word), fmt) for word in ("inf", "-inf", "nan", "-0.0")]
    most = max(text_width(text, 1.0) for text in texts) + _EXPONENT
    extreme = _texts(fmt, _EXTREME)
    if any(text_width(text, 1.0) > most for text in extreme):
        extreme = _texts(_with_exponent(fmt), (-300, 300))
    return max(texts + extreme, key=lambda text: text_width(text, 1.0))


def _texts(fmt: str, powers: range | tuple[int, ...]) -> list[str]:
    return [format_number(sign * _DIGITS * 10.0**k, fmt) for k in powers for sign in (1.0, -1.0)]


def _with_exponent(fmt: str) -> str:
    digits = re.search(r"\.(\d+)", fmt)
    return f".{digits[1]}e" if digits else ".6e"
