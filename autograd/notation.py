"""A name as mathematics: which of its letters is Greek, what stands below the line, what above it, and which accent.

A name is set as mathematics if it is one letter, Latin or Greek, perhaps with one subscript and one superscript:
``w_1``, ``W_xh``, ``x^2``, ``h_{t-1}``, ``w_{ij}^{(2)}``. A script is a run of letters and digits, or what stands in
braces. A Greek letter may be typed as itself, as LaTeX's command or by its name: ``σ``, ``\\sigma``, ``sigma``. An
accent stands over one letter: ``\\hat{y}``, and so do ``\\bar``, ``\\tilde``, ``\\vec``, ``\\dot`` and ``\\ddot``.
Every other name stands as it was typed: ``w0``, ``loss_1``, ``my_var``, ``a_b_c``, ``\\foo{x}``, ``x_{1``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_GREEK = dict(
    zip(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
        "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega varepsilon varphi".split(),
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩεφ",
        strict=True,
    )
)
_COMMANDS = {letter: name for name, letter in reversed(_GREEK.items())}
_ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "vec": "\u20d7", "dot": "\u0307", "ddot": "\u0308"}

_GREEK_LETTERS = "".join(_COMMANDS)
_LETTER = rf"\\?(?:{'|'.join(_GREEK)})|[A-Za-z{_GREEK_LETTERS}]"
_SCRIPT = rf"\{{\s*[^{{}}\s][^{{}}]*\}}|\\[A-Za-z]+|-?[A-Za-z0-9{_GREEK_LETTERS}]+|\*"
_NAME = re.compile(
    rf"(?:\\({'|'.join(_ACCENTS)})(?:\{{({_LETTER})\}}|(?=[ \\]) ?({_LETTER}))|({_LETTER}))"
    rf"(?:_({_SCRIPT}))?(?:\^({_SCRIPT}))?(?:_({_SCRIPT}))?(?: (\(\d+\)))?"
)
_IN_SCRIPT = re.compile(rf"(?:\\(?:{'|'.join(_GREEK)})(?![A-Za-z])|[A-Za-z0-9{_GREEK_LETTERS} +\-*/=.,;:()\[\]|'])+")
_WORD = re.compile(rf"\\?([A-Za-z]+)|([{_GREEK_LETTERS}])")


class Notation(NamedTuple):
    """A name that is set as mathematics: its letter, what stands below and above the line, and the same as LaTeX.

    ``nth`` is the number that tells a name from an equal one in the same graph, as in "w_1 (2)"; each is "" if there is
    none. The texts are of Unicode's letters, an accent is a combining one.
    """

    base: str
    sub: str
    sup: str
    nth: str
    latex: str


@lru_cache(maxsize=4096)
def notation(name: str) -> Notation | None:
    r"""How a name is set as mathematics; None if it stands as it was typed.

    >>> notation(r"\hat{y}_1").latex
    '\\hat{y}_{1}'
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    accent, *letters, before, sup, after, nth = match.groups(default="")
    scripts = [s.strip("{} ").replace("−", "-") for s in (before or after, sup)]
    if (before and after) or any(typed and not _IN_SCRIPT.fullmatch(typed) for typed in scripts):
        return None
    letter = "".join(letters)
    sub, sup = (_unicode(typed).replace("-", "−") for typed in scripts)
    latex = f"\\{accent}{{{_latex(letter)}}}" if accent else _latex(letter)
    below = r"\,".join(filter(None, [_latex(scripts[0]), nth]))
    latex += f"_{{{below}}}" * bool(below) + f"^{{{_latex(scripts[1])}}}" * bool(sup)
    return Notation(_unicode(letter) + _ACCENTS.get(accent, ""), sub, sup, nth, latex)


def _unicode(typed: str) -> str:
    """Names and commands of Greek letters as these letters."""
    return _WORD.sub(lambda word: _GREEK.get(word[1], word[0]), typed)


def _latex(typed: str) -> str:
    """Names of Greek letters, and these letters, as commands."""

    def command(word: re.Match[str]) -> str:
        name = word[1] if word[1] in _GREEK else _COMMANDS.get(word[2])
        return f"\\{name} " if name else word[0]

    return _WORD.sub(command, typed).strip()


__all__ = ["Notation", "notation"]
