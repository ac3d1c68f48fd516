"""The other language of a page: what is said there in both, so that a switch can turn from one to the other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from html import unescape
from typing import Any

from autograd.messages import messages

_IN_BOXES = ("box-", "one-", "many-")  # the sentences that pictures have in their boxes


def other_than(lang: str) -> str:
    """The language that a page can be switched to."""
    return "zh" if lang == "en" else "en"


def both(lang: str) -> dict[str, Any]:
    """For a page's data its language, all that may be said in it, and the same of the ``other`` one."""

    def one(lang: str) -> dict[str, Any]:
        said = messages(lang)
        return {"lang": lang, "name": said["own-name"], "messages": dict(said)}

    return {**one(lang), "other": one(other_than(lang))}


def retold(text: str, lang: str, keys: Iterable[str] | None = None) -> str:
    """A sentence of the table, of some ``keys`` or any, in the other language; what is none of them stays as it is.

    Where several templates fit, it is taken for one of that with the most words of its own.
    """
    theirs = messages(other_than(lang))
    for length, key, pattern in _patterns(lang):
        found = pattern.fullmatch(text) if length and (keys is None or key in keys) else None
        if found:
            return theirs[key].format(**found.groupdict())
    return text


@cache
def _patterns(lang: str) -> Sequence[tuple[int, str, re.Pattern[str]]]:
    patterns = []
    for key, template in messages(lang).items():
        words = re.split(r"\{(\w+)\}", template)
        seen = set[str]()
        for k in range(1, len(words), 2):
            slot = words[k]
            words[k] = f"(?P={slot})" if slot in seen else f"(?P<{slot}>.*)"
            seen.add(slot)
        words[::2] = map(re.escape, words[::2])
        length = len(re.sub(r"\{\w+\}|\W", "", template))
        patterns.append((length, key, re.compile("".join(words), re.DOTALL)))
    return sorted(patterns, key=lambda one: -one[0])


def drawn(pictures: str, lang: str) -> dict[str, str]:
    """The words in the boxes of some pictures, each with what it is in the other language."""
    keys = {key for key in messages(lang) if key.startswith(_IN_BOXES)}
    texts = set(map(unescape, re.findall("<text class='?folded-text[^>]*>([^<]*)", pictures)))
    pairs = {text: retold(text, lang, keys) for text in sorted(texts)}
    return {text: told for text, told in pairs.items() if told != text}
