"""What the arguments of every picture must be: the words that an option knows, and a check for each kind of option."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, TypeGuard

from autograd import format_number

if TYPE_CHECKING:
    from autograd.compiler.compiled import Compiled

RANKDIRS = ("LR", "TB", "RL", "BT")
THEMES = ("auto", "light", "dark")
ENGINES = ("layered", "dot")
MAX_NODES = 200  # parts of a picture; more are folded


def is_program(x: object) -> TypeGuard[Compiled[Any]]:
    """Whether ``x`` is a compiled function. Before one was made there is no class to ask: nothing is imported here."""
    run = sys.modules.get("autograd.compiler.compiled")
    return run is not None and isinstance(x, run.Compiled)


def one_of(option: str, given: object, allowed: tuple[str, ...]) -> None:
    """Raises ValueError if what was ``given`` is not one of the words; one that differs in case only is named."""
    if given not in allowed:
        near = [word for word in allowed if isinstance(given, str) and word.lower() == given.lower()]
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{option} must be one of {', '.join(allowed)}, but got {given!r}{hint}")


def at_least(least: int, option: str, given: object) -> None:
    """Raises ValueError if what was ``given`` is no int, or a smaller one."""
    if isinstance(given, bool) or not isinstance(given, int) or given < least:
        raise ValueError(f"{option} must be an int of at least {least}, but got {given!r}")


def check_background(given: object) -> None:
    """Raises ValueError if what was ``given`` is neither "card" nor "none" nor a colour in hexadecimal digits."""
    if given in ("card", "none") or (isinstance(given, str) and re.fullmatch("#([0-9a-fA-F]{3}){1,2}", given)):
        return
    instead = {"transparent": "none", "white": "#ffffff", "black": "#000000"}.get(str(given).lower())
    hint = f"; did you mean {instead!r}?" if instead else ""
    raise ValueError(
        f"background must be 'card', 'none' for a picture without paper, or a colour such as '#fff8e7', "
        f"but got {given!r}{hint}"
    )


def check_fmt(fmt: str, examples: str) -> None:
    """Raises ValueError if no number can be written so, or only in a hundred places or more."""
    try:
        if re.search(r"\d{3}", fmt):  # a billion places take the machine's memory
            raise ValueError
        format_number(1.5, fmt)
    except (ValueError, TypeError):
        raise ValueError(f"fmt must be a format spec for numbers, such as {examples}, but got {fmt!r}") from None


def check_depth(depth: object) -> None:
    """Raises ValueError if ``depth`` says of no scope whether it is open."""
    levels = isinstance(depth, int) and not isinstance(depth, bool) and depth >= 0
    if not (levels or depth is None or (isinstance(depth, str) and depth in ("auto", "all"))):
        raise ValueError(f"depth must be 'auto', 'all', or how many levels to open (0, 1, 2, ...), but got {depth!r}")
