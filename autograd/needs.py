"""NumPy comes with chainrule, but not into every browser: what needs it says so before anything is begun."""

from __future__ import annotations

import sys


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


__all__ = ["needs_numpy"]
