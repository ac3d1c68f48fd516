"""Build the site: ``python docs/build_site.py [FOLDER]``, into ./site unless another folder is named.

It needs ``pip install "chainrule[docs]"``. The gallery's code is run, and every warning is an error: a link that leads
nowhere, a name that the reference has not, a figure of a lesson that is not what the page says.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent), str(DOCS)]  # the source tree beside this folder, installed or not

import pages  # noqa: E402
from sphinx.cmd.build import build_main  # noqa: E402


def build(folder: Path, builder: str = "html") -> int:
    """The site in a folder; returns Sphinx's exit status."""
    with tempfile.TemporaryDirectory(prefix="chainrule-site") as work:
        source = Path(work) / "source"
        pages.stage(source)
        strict = ["--fail-on-warning", "--nitpicky", "--keep-going", "--quiet"]
        return build_main(["-b", builder, "-c", str(DOCS), "-d", f"{work}/doctrees", *strict, str(source), str(folder)])


if __name__ == "__main__":
    where = Path(sys.argv[1] if len(sys.argv) > 1 else "site")
    status = build(where)
    if status == 0:
        print(f"{where / 'index.html'}: open it in a browser")
    raise SystemExit(status)
