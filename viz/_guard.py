"""Imported before anything else: is the `autograd` that Python finds the one that belongs to chainrule?

Another project, HIPS autograd, has the same import name, and pip lets whichever of the two is installed later overwrite
``autograd/__init__.py`` without a word. What follows would be an odd error somewhere else, so this says what happened.

The file stands in `nn` and in `viz`, word for word (a test compares them): neither imports the other, and the folder
`autograd` may not be ours.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import autograd

HOW_TO_MEND = """
Best give chainrule an environment of its own:
    python3 -m venv .venv
    .venv/bin/pip install PATH_OF_CHAINRULE
Or mend this one:
    python3 -m pip uninstall autograd
    python3 -m pip install --force-reinstall --no-deps PATH_OF_CHAINRULE"""


def what_happened(engine: ModuleType) -> str:
    """Which files took the place of chainrule's `autograd`, and what to do about it."""
    if getattr(engine, "__file__", None) is None:
        folder = ", ".join(getattr(engine, "__path__", [])) or "autograd"
        return (
            f"the file __init__.py of chainrule's `autograd` is missing from {folder}. HIPS autograd, a different "
            "project, has a file of the same name; when it is uninstalled, pip takes chainrule's away." + HOW_TO_MEND
        )
    found = Path(str(engine.__file__))
    if not (found.parent / "numpy").is_dir() and not (found.parent / "core.py").is_file():
        return (
            f"`import autograd` finds {found}, which is not chainrule's `autograd`. "
            "If the file is yours, give it another name."
        )
    if (found.parent / "ops.py").is_file():
        return (
            f"HIPS autograd, a different project with the same import name, was installed after chainrule and has "
            f"overwritten chainrule's {found}." + HOW_TO_MEND
        )
    return (
        f"`import autograd` finds HIPS autograd, a different project with the same import name, in {found.parent}, "
        "which comes before chainrule's on Python's search path." + HOW_TO_MEND
    )


if getattr(autograd, "DISTRIBUTION", None) != "chainrule":
    raise ImportError(what_happened(autograd), name="autograd", path=getattr(autograd, "__file__", None))
