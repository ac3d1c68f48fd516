"""Texts that come with the package. Both were written for it and are under its licence (MIT).

* village.txt: the diary of a village, made by docs/make_village.py out of patterns; one sentence to a line.
* letters_to_sounds.txt: about a thousand common English words, each with its sounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from autograd.needs import needs_numpy

from ...checks import whole
from ...training.examples import Array

LETTERS = "_abcdefghijklmnopqrstuvwxyz"  # "_" for what lies before and behind a word
SOUNDS = "-@abcdefghijklmnopqrstuvwxyzACDEINOQSTUWXY3"  # "-" for silence; the file's head says how each one sounds


def village() -> list[list[str]]:
    """The diary of a village: 350 short sentences, each a list of words. Their order means nothing."""
    return [line.split() for line in _lines("village.txt")]


def letters_to_sounds() -> tuple[list[str], list[str]]:
    """Words, and for each its sounds, one of `SOUNDS` under every letter: ("ship", "S-ip"). By the alphabet.

    >>> import nn
    >>> words, sounds, test_words, test_sounds = nn.data.split(*letters_to_sounds())
    """
    pairs = [line.split() for line in _lines("letters_to_sounds.txt")]
    return [word for word, _ in pairs], [sounds for _, sounds in pairs]


def letter_windows(words: Sequence[str], sounds: Sequence[str], width: int = 7) -> tuple[Array, list[int]]:
    """(X, y) for `fit`: for each letter it and its neighbours, one-hot, and the place of its sound in `SOUNDS`.

    NETtalk looked at words through a window of seven letters (Sejnowski and Rosenberg, 1987): three before the letter,
    the letter, three after it. A row of X is ``width`` one-hot vectors of 27 numbers one behind another.

    Raises:
        ValueError: for an even width, which has no middle; for a word that is not as long as its sounds, or has other
            letters than a…z.
        TypeError: for one word in place of a list of words; for a width that is not a whole number.
    """
    needs_numpy("letter_windows")
    import numpy

    width = whole("the width of a window", width, 1)
    if width % 2 == 0:
        raise ValueError(f"a window has a letter in its middle, so its width must be 1, 3, 5, 7, …, but got {width!r}")
    for texts in (words, sounds):
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise TypeError(
                f'words and sounds are lists of strings, such as ["ship"] and ["S-ip"], but got {texts!r:.60}'
            )
    if len(words) != len(sounds):
        raise ValueError(f"each word needs its sounds, but there are {len(words)} words and {len(sounds)} sounds")
    margin = LETTERS[0] * (width // 2)
    rows: list[list[int]] = []
    targets: list[int] = []
    for word, heard in zip(words, sounds, strict=True):
        if len(word) != len(heard):
            raise ValueError(f"{word!r} has {len(word)} letters, but {heard!r} {len(heard)} sounds; '-' is silence")
        for what, text, known in (("letter", word, LETTERS[1:]), ("sound", heard, SOUNDS)):
            strange = [c for c in text if c not in known]
            if strange:
                raise ValueError(f"{strange[0]!r} in {text!r} is no {what}; those are {known}")
        padded = [LETTERS.index(c) for c in margin + word + margin]
        rows += [padded[i : i + width] for i in range(len(word))]
        targets += [SOUNDS.index(c) for c in heard]
    if not rows:
        raise ValueError("there are no words to look at")
    return numpy.eye(len(LETTERS))[rows].reshape(len(rows), -1), targets


def _lines(name: str) -> list[str]:
    """The lines of a text, without the comments that say where it comes from."""
    lines = (files(__name__) / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


__all__ = ["LETTERS", "SOUNDS", "letter_windows", "letters_to_sounds", "village"]
