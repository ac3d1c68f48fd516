"""The scripts and styles of the live pages, as pages carry them.

What a person reads lies in ``web``; ``bundles`` has the same made small (scripts/js/bundle.mjs), each script with all
that it imports. A page is a single file and needs no server. Only the derivative sheet and its words are put together
here, as each page has those that its graph needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from autograd.javascript import misread, rule


@cache
def bundle(name: str) -> str:
    """A script or a style sheet of ``bundles``."""
    from importlib.resources import files  # which takes a while, and only pages need it

    return files(__package__).joinpath("bundles", name).read_text(encoding="utf-8").strip()


def program(key: str, before: str, script: str) -> str:
    """A script as a page has it: behind the key and what else it finds there, in a block that hides its names."""
    return f'{{\nconst KEY="{key}";{before}{bundle(script)}\n}}'


@cache
def speaks(script: str, key: str) -> bool:
    """Whether a script may say a sentence of this name: it has it as a text, or puts it together (`slip-${…}`)."""
    whole = any(f"{quote}{key}{quote}" in bundle(script) for quote in "\"'`")
    return whole or f"`{key.split('-')[0]}-${{" in bundle(script)


@cache
def style(sheets: tuple[str, ...], script: str, own: str) -> str:
    """Some style sheets without the rules for classes cr-... that neither the script nor ``own`` mentions."""
    known = {*re.findall("cr-[a-z-]+", bundle(script)), *own.split()}
    kept, depth = "", 0  # how many rules that are left out are open
    for piece in re.findall("[^{};]*[{};]", "".join(map(bundle, sheets))):
        if piece.endswith("{"):
            wanted = any(known.issuperset(re.findall(r"\.(cr-[a-z-]+)", s)) for s in piece.split(","))
            depth += bool(depth) or not wanted
        if not depth:
            kept += piece
        elif piece.endswith("}"):
            depth -= 1
    return kept


def words(program: str) -> str:
    """The words of the sheet (web/ieee.js) that a program calls; and the error function, which few need."""
    more = bundle("erf.js").partition(";")[2].replace("export const", "const") if "erf" in program else ""
    program += more
    needed, before = set[str](), -1
    while len(needed) > before:  # a word may call others
        before = len(needed)
        called = set(re.findall(r"\w+", program)) | {w for x in needed for w in re.findall(r"\w+", _words()[x])}
        needed |= called & _words().keys()
    return "".join(f"const {_words()[word]};" for word in _words() if word in needed) + more


@cache
def _words() -> dict[str, str]:
    """For each word of the sheet the text that declares it."""
    found = {}
    for declared in bundle("ieee.js").removeprefix("export const").rstrip(";").split(";export const"):
        names = re.match(r"\{([\w,]+)\}=Math$", declared)
        for name in names[1].split(",") if names else ():
            found[name] = f"{{{name}}}=Math"
        if not names:
            found[declared.split("=")[0].strip()] = declared.strip()
    return found


def sheet(used: Iterable[tuple[str, int]], *, asks: bool = False) -> str:
    """The lines of the derivative sheet for some operations and their numbers of inputs, as a JavaScript object, behind
    the words that they call. A page that ``asks`` for numbers has wrong derivatives, too, that one may take for them.

    Raises:
        ValueError: for an operation that cannot be written as JavaScript.
    """
    lines = []
    for op, count in sorted(set(used)):
        forward, partials = rule(op, count)
        wrong = misread(op, count) if asks else ""
        lines.append(f'"{key(op, count)}":[{",".join(filter(None, [forward, partials, wrong]))}]')
    text = re.sub(r" ?([=<>?:*/,;{}]+) (?!-)", r"\1", f"const SHEET = {{{','.join(lines)}}};")
    return f"{words(text)}{text}\n"


def key(op: str, count: int) -> str:
    """What a line is called on the page: operations on three inputs and on four have each a line of their own."""
    return f"{op}/{count}"
