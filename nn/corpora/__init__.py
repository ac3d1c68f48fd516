"""Texts that come with the package. Both were written for it and are under its licence.

* village.txt: the diary of a village, made by make_village.py out of hand-written patterns; one sentence to a line.
* letters_to_sounds.txt: common English words, each with its sounds (`letters_to_sounds`).
"""

from __future__ import annotations

from importlib.resources import files


def village() -> list[list[str]]:
    """The diary of a village: 350 short sentences, each a list of words, in no order that matters."""
    return [line.split() for line in _read("village.txt").splitlines()]


def _read(name: str) -> str:
    return (files(__name__) / name).read_text(encoding="utf-8")


__all__ = ["village"]
