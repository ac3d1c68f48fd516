"""What a package index shows of this project: the README with links that lead somewhere, and where the project lives.

In the README links lead to files beside it. An index has the text alone. Once `address` in pyproject.toml says where
the project is to be found, each link and picture is given its place there; as long as it is "", links become the words
that they are set in, and pictures what they are described as.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# Code, which is left alone; [words](path) and ![description](path), where the path is neither an address nor a place
# on the same page.
_LINK = re.compile(r"^```.*?^```|`[^`\n]+`|(!?)\[([^\]]*)\]\((?!\w+:|#)([^)\s]+)\)", re.MULTILINE | re.DOTALL)
# Pages of the project, by what an index calls them; an empty path is the address itself.
URLS = {
    "Homepage": "",
    "Documentation": "docs/gallery.md",
    "Changelog": "CHANGELOG.md",
    "Contributing": "CONTRIBUTING.md",
}


class Hook(MetadataHookInterface):
    """Fills in ``readme`` and ``urls``, which pyproject.toml calls dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        root = Path(self.root)
        address = str(self.config["address"]).rstrip("/")
        engine = (root / "autograd" / "__init__.py").read_text(encoding="utf-8")
        version = re.search(r'^__version__ = "(.+)"$', engine, re.MULTILINE)
        if version is None:
            raise ValueError('autograd/__init__.py has no line such as: __version__ = "1.2.3"')
        text = (root / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": for_an_index(text, address, version[1])}
        metadata["urls"] = {name: place(address, version[1], path) for name, path in URLS.items()} if address else {}


def for_an_index(readme: str, address: str, version: str) -> str:
    """The README as it can stand alone."""

    def link(found: re.Match[str]) -> str:
        picture, words, path = found[1], found[2], found[3]
        if path is None:
            return found[0]
        if address:
            return f"{picture}[{words}]({place(address, version, path, raw=bool(picture))})"
        return f"*{words}*" if picture else words

    return _LINK.sub(link, readme)


def place(address: str, version: str, path: str, *, raw: bool = False) -> str:
    """Where a file of a release is found, on GitHub and on GitLab."""
    return f"{address}/{'raw' if raw else 'blob'}/v{version}/{path}" if path else address
