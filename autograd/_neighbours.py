"""Another distribution, HIPS `autograd`, installs files under the same import name, and pip overwrites silently."""

from __future__ import annotations

import warnings
from pathlib import Path

ADVICE = (
    "Both distributions install a package named `autograd`, and one has overwritten files of the other. "
    "Give chainrule an environment of its own: python3 -m venv .venv, then .venv/bin/pip install chainrule"
)


def warn_of_hips() -> None:
    """Warn when files of HIPS autograd lie beside this one (its ``numpy`` folder is the sign)."""
    if (Path(__file__).parent / "numpy").is_dir():
        warnings.warn(f"HIPS autograd is installed in the same environment as chainrule. {ADVICE}", stacklevel=3)
