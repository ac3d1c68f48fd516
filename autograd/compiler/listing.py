"""Python's own compile for written programs, whose lines a traceback can show for as long as they live."""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections import deque
from contextlib import suppress
from types import CodeType

_numbers = itertools.count(1)
_gone: deque[str] = deque()  # programs whose functions are gone


def code_of(text: str, name: str) -> CodeType:
    """The code of a program of one or more functions, with its text where tracebacks look for it.

    `linecache` keeps what is put there for ever; so the text is taken out again when the functions are gone: with the
    next program, as the collector may run at any moment, also while `linecache` goes through all that it has.
    """
    with suppress(IndexError):  # until none is left: to look first would not do, as another thread may take the last
        while True:
            linecache.cache.pop(_gone.popleft(), None)
    filename = f"<compiled by chainrule: {name} {next(_numbers)}>"
    code = compile(text, filename, "exec")
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    function = next(part for part in code.co_consts if isinstance(part, CodeType))  # it lives as long as any caller
    weakref.finalize(function, _gone.append, filename).atexit = False
    return code
