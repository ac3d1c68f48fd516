"""What is not there everywhere: who needs it says how to get it.

NumPy comes with chainrule, but not into every browser: what needs it says so before anything is begun.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def needed(module: str, what: str, install: str) -> Any:
    """The module, which chainrule can do without.

    Args:
        module: its dotted name.
        what: who needs it, for the message: "plots are drawn by Matplotlib".
        install: what pip is to install; what else can be done may follow in brackets.

    Raises:
        ImportError: where it cannot be imported, with how to get it.
    """
    try:
        return import_module(module)
    except ImportError:
        raise ImportError(f"{what}: {sys.executable} -m pip install {install}") from None


def needs_numpy(what: str, install: str = "numpy") -> None:
    """Does nothing where there is NumPy.

    Args:
        what: who needs it, to begin a sentence with: "compile".
        install: what else is needed, and brings NumPy along.

    Raises:
        ImportError: where there is none, with how to get it.
    """
    if sys.modules.get("numpy"):
        return
    from importlib.util import find_spec  # only once, as a rule

    if find_spec("numpy") is not None:
        return
    if sys.platform == "emscripten":
        how = (
            f"Python in the browser starts without it. Where a page may ask other hosts, %pip install {install} in a "
            f"cell brings it; elsewhere run this on your own computer, after pip install {install}"
        )
    else:
        how = f"this Python has not got it. Install it by: {sys.executable} -m pip install {install}"
    raise ImportError(f"{what} needs NumPy, and {how}")


__all__ = ["needed", "needs_numpy"]
