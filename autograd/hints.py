"""A word that nobody knows is mostly a slip of the fingers: say which known word it comes near to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def did_you_mean(word: str, known: Iterable[str], elsewhere: Mapping[str, str] | None = None) -> str:
    """The end of an error message, "; did you mean 'sigmoid'?", or "" if no known word is near.

    ``elsewhere`` maps names that other libraries use to ours.
    """
    import difflib  # only when there is an error to explain

    word = word.lower()
    close = [elsewhere[word]] if elsewhere and word in elsewhere else difflib.get_close_matches(word, known, 1)
    return f"; did you mean {close[0]!r}?" if close else ""
