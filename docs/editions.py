"""The site in two languages: what is called how, and where the same page stands in the other one.

Both editions are folders of the same pages under the same names, English at the root of the site and Chinese in
``zh/``, so that a link of one page to another is the same in both. A place on a page has the same address, too: a
heading's anchor is made from its English words.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from myst_parser.mdit_to_docutils.base import default_slugify
from sphinx.search.zh import SearchChinese as SearchZH

FILE = "editions.json"  # beside the pages of an edition, written by pages.py
CODES = {"en": "en", "zh": "zh-CN"}
NAMES = {"en": "English", "zh": "中文"}
FOLDERS = {"en": "", "zh": "zh/"}

_known: dict[str, Any] = {"language": "en", "both": [], "headings": {}}


def read(folder: Path) -> dict[str, str]:
    """Learn of an edition what `pages.stage` wrote beside its pages; gives the words for Sphinx's settings."""
    _known.update(json.loads((folder / FILE).read_text(encoding="utf-8")))
    return dict(_known["said"])


def slug(heading: str) -> str:
    """The anchor of a heading: that of the English one."""
    return str(default_slugify(_known["headings"].get(heading, heading)))


def of_page(page: str) -> list[dict[str, Any]]:
    """The editions of a page, this one among them, for its template; none where it stands in one only."""
    if page not in _known["both"]:
        return []
    here = _known["language"]
    root = "../" * (page.count("/") + FOLDERS[here].count("/"))
    return [
        {
            "code": CODES[language],
            "name": NAMES[language],
            "address": f"{root}{FOLDERS[language]}{page}.html",
            "here": language == here,
        }
        for language in CODES
    ]


class Chinese(SearchZH):
    """Search without a dictionary: a text is found by its runs, and by each two letters that stand side by side."""

    runs = re.compile(r"[\u3400-\u9fff]+")

    def split(self, input: str) -> list[str]:
        found = self.runs.findall(input)
        pairs = [run[k : k + 2] for run in found for k in range(len(run) - 1)]
        return [*found, *pairs, *self.latin1_letters.findall(input)]
