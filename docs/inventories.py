"""Where other projects explain the names that our signatures use.

Sphinx can ask each project's site for such a list. Ours stands here, so that a build asks no other host; it is short,
because few names of others are used.
"""

from __future__ import annotations

import zlib

PYTHON = "https://docs.python.org/3/"
NUMPY = "https://numpy.org/doc/stable/"
SKLEARN = "https://scikit-learn.org/stable/"
# project → (its site, name of a class → page, where the place on the page is called as the name is)
PROJECTS: dict[str, tuple[str, dict[str, str]]] = {
    "python": (
        PYTHON,
        {
            f"collections.abc.{name}": "library/collections.abc.html"
            for name in "Callable Iterable Iterator Mapping Sequence".split()
        }
        | {
            "numbers.Real": "library/numbers.html",
            "os.PathLike": "library/os.html",
            "pathlib.Path": "library/pathlib.html",
            "random.Random": "library/random.html",
        },
    ),
    "numpy": (
        NUMPY,
        {f"numpy.{name}": "reference/arrays.scalars.html" for name in ("float64", "int64")}
        | {f"numpy.{name}": f"reference/generated/numpy.{name}.html" for name in ("ndarray", "dtype")},
    ),
    "sklearn": (
        SKLEARN,
        {
            f"sklearn.base.{name}": f"modules/generated/sklearn.base.{name}.html"
            for name in ("ClassifierMixin", "RegressorMixin")
        },
    ),
}


def mapping() -> dict[str, tuple[str, str]]:
    """For Sphinx: each project's site, and the file with its names."""
    return {project: (site, file_of(project)) for project, (site, _) in PROJECTS.items()}


def files() -> dict[str, bytes]:
    """These files: an inventory of version 2, as Sphinx writes and reads it."""
    return {file_of(project): inventory(project, names) for project, (_, names) in PROJECTS.items()}


def file_of(project: str) -> str:
    return f"inventories/{project}.inv"


def inventory(project: str, names: dict[str, str]) -> bytes:
    head = f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n# The rest is compressed using zlib.\n"
    lines = "".join(f"{name} py:class 1 {page}#$ -\n" for name, page in sorted(names.items()))
    return head.encode() + zlib.compress(lines.encode(), 9)


__all__ = ["files", "mapping"]
