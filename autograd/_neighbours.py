"""Another project, HIPS autograd, installs files under the same import name, and pip overwrites silently.

The two share one file name, ``autograd/__init__.py``. If HIPS came last, that file is theirs and this module never
runs: then `nn` and `viz` say so when they are imported. If chainrule came last, the file is ours, and HIPS's other
files lie around it.
"""

from __future__ import annotations

import os.path
import warnings


def warn_of_hips() -> None:
    """Warn when files of HIPS autograd lie beside this one (its ``numpy`` folder is the sign)."""
    folder = os.path.dirname(__file__)  # not pathlib: it would take a sixth of the time of `import autograd`
    if os.path.isdir(os.path.join(folder, "numpy")):
        warnings.warn(
            f"HIPS autograd, a different project with the same import name, is installed in {folder} too. "
            "chainrule has replaced its __init__.py: chainrule works here, HIPS autograd does not, and uninstalling "
            "either one breaks the other. Best give chainrule an environment of its own: "
            "python3 -m venv .venv, then .venv/bin/pip install PATH_OF_CHAINRULE",
            stacklevel=3,
        )
