"""The paragraphs of a Markdown text: what a translator gets to see, one message each.

A message is a paragraph, a heading, an item of a list, or a table. Between them stand what is not translated: code
between fences or indented, formulas that stand alone, HTML comments, empty lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_ITEM = re.compile(r" {0,3}([-*+]|\d+[.)])\s")
_HEADING = re.compile(r"#{1,6}\s")
_FENCE = re.compile(r"\s*(```+|~~~+|:::+)")
_KEPT = re.compile(
    r"""(?P<code>(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))  # `code`
      | (?P<formula>\$\$.+?\$\$|\$(?!\s)[^$\n]+?(?<!\s)\$)          # $formula$
      | (?P<target>(?<=\]\()[^)\s]+)                                # ](target)
      | (?P<tag></?[a-zA-Z][^<>]*>)                                 # <tag>
    """,
    re.VERBOSE | re.DOTALL,
)


def parts(text: str) -> Iterator[tuple[bool, str]]:
    """The text cut into pieces, as (is a message, piece); the pieces joined are the text again."""
    for block in _blocks(text.splitlines(keepends=True)):
        piece = "".join(block)
        body = piece.rstrip("\n")
        if _is_prose(body):
            yield True, body
            if piece != body:
                yield False, piece[len(body) :]
        else:
            yield False, piece


def translated(text: str, translate: Callable[[str], str]) -> str:
    """The text with every message in the words that ``translate`` gives for it."""
    return "".join(translate(piece) if message else piece for message, piece in parts(text))


def kept(message: str) -> set[str]:
    """What a translation has to keep, letter by letter: code, formulas, the targets of links, HTML tags."""
    found = {match.group(0) for match in _KEPT.finditer(message)}
    return {_without_words(piece) for piece in found}


def _without_words(piece: str) -> str:
    """A formula without the words inside ``\\text{...}``, which are translated, and the room around them."""
    if not piece.startswith("$") or "\\text" not in piece:
        return " ".join(piece.split())
    return re.sub(r"\\text(?:rm|bf|it)?\{[^{}]*\}|\\[;,:! ]|\s", "", piece)


def _is_prose(block: str) -> bool:
    if _FENCE.match(block) or block.startswith("    ") or block.lstrip().startswith("<!--"):
        return False
    return bool(re.search(r"[^\W\d_]{2}", _KEPT.sub("", block))) or "\\text{" in block


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Runs of lines: a fenced block whole, a formula that stands alone, one item of a list, one paragraph."""
    block: list[str] = []
    fence = ""
    for line in lines:
        if fence:
            block.append(line)
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                yield block
                block, fence = [], ""
            continue
        opening = _FENCE.match(line)
        starts = opening or _ITEM.match(line) or _HEADING.match(line)
        follows_a_heading = block and _HEADING.match(block[0])
        follows_a_gap = block and not block[-1].strip() and line.strip()
        if block and (starts or follows_a_heading or follows_a_gap):
            yield block
            block = []
        block.append(line)
        if opening:
            fence = opening.group(1)
    if block:
        yield block
