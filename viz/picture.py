"""`Picture`: an SVG that shows itself in a notebook, and is saved as a file of any kind; and the page around it."""

from __future__ import annotations

import base64
import html
import os
import re
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autograd.files import save_as

from .mistakes import Taught, explained

# JupyterLab takes no key for its own where the element that has the focus says so; on one around it, it would be late:
# its `d d` is for any ":focus" in a notebook, and deletes the cell.
KEYS_ARE_OURS = "data-lm-suppress-shortcuts"
NARROW = 900  # pixels, which most notebooks and pages have room for
_WIDTH = re.compile(r'<svg[^>]*? width="([\d.]+)')
_FOR_READERS = re.compile(
    r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`)"""  # texts stay as they are;
    r"|/\*.*?\*/|//[^\n]*"  # comments go,
    r"|\s*([{};,=>])\s*|(?<=:) ",  # and the spaces around signs, which mean nothing there
    re.DOTALL,
)


@cache
def web_file(name: str) -> str:
    """A style sheet or a script of this package, without the comments and spaces that are for whoever reads the file.

    It must have a semicolon after each statement and declaration, and no regular expression with a quote in it.
    """
    from importlib.resources import files  # which takes a while, and only pages need it

    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return re.sub(r"^\s+", "", _FOR_READERS.sub(r"\1\2", text), flags=re.MULTILINE)


def html_page(title: str, theme: str, style: str, body: str, lang: str = "en") -> str:
    """A whole page of HTML; ``lang`` is the language of its words."""
    scheme = "light dark" if theme == "auto" else theme
    return (
        f'<!DOCTYPE html>\n<html lang="{html.escape(lang)}">\n'
        f'<head><meta charset="utf-8"><title>{html.escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<style>:root{{color-scheme:{scheme}}}\n{style}</style></head>\n<body>\n{body}</body>\n</html>\n"
    )


class Picture(Taught):
    """An SVG that shows itself in a notebook, and that `save` writes to a file. What it shows is up to a subclass."""

    _svg: str
    _theme: str
    _title: str  # what a page and a screen reader call it
    _lang = "en"  # the language of its words
    _endings = ".svg, .html, .png or .pdf"

    @property
    def svg(self) -> str:
        """The picture, as SVG text of its own."""
        return self._svg

    @explained
    def save(self, path: str | os.PathLike[str], *, scale: float = 2.0) -> Path:
        """Write the picture to a file; the ending says how: .svg, .html, .png or .pdf; that of a graph also as .dot.

        The file is written whole or not at all, as `autograd.files.write_whole` says. PNG and PDF need the extra
        ``chainrule[png]``.

        Args:
            path: where to.
            scale: of a PNG, how many dots per pixel.

        Raises:
            ValueError: for another ending.
            ImportError: for .png and .pdf without the extra.
            OSError: if the file cannot be written.
        """
        return save_as(path, self._kinds(scale), f"the file's ending must be {self._endings}")

    def _kinds(self, scale: float) -> dict[str, Callable[[], bytes]]:
        """For each ending of a file, what makes its content."""
        from .raster import to_pdf, to_png

        return {
            ".svg": lambda: self.svg.encode(),
            ".html": lambda: self.to_html().encode(),
            ".png": lambda: to_png(self._fixed_theme(), scale),
            ".pdf": lambda: to_pdf(self._fixed_theme()),
        }

    def _fixed_theme(self) -> str:
        """The SVG with its colours decided: a file of dots cannot follow the reader's system."""
        raise NotImplementedError

    def to_html(self, *, page: bool = True) -> str:
        """The picture as HTML: a whole page, or with ``page=False`` a piece to be put into a page of one's own.

        The piece is an ``<img>``, which is as wide as its place at the most; below one that may be shrunk the full size
        can be opened. It needs no script, so that it is shown wherever pieces of HTML are, with ``_repr_html_``
        by Streamlit, Gradio and marimo, too.
        """
        if page:
            return html_page(
                self._title, self._theme, web_file("picture.css"), f"<main>\n{self.svg}</main>\n", self._lang
            )
        data = base64.b64encode(self.svg.encode()).decode()
        image = f'<img alt="{html.escape(self._title)}" src="data:image/svg+xml;base64,{data}" style="max-width:'
        piece = f'<div style="overflow-x:auto" {KEYS_ARE_OURS}>'  # what can be scrolled can have the focus
        piece += f'{image}100%;height:auto"></div>'
        if float(_WIDTH.findall(self.svg)[0]) > NARROW:
            full = f'<div style="overflow-x:auto" {KEYS_ARE_OURS}>{image}none"></div>'
            piece += f"<details><summary {KEYS_ARE_OURS}>Full size</summary>{full}</details>"
        return piece

    def _repr_html_(self) -> str | None:
        return self.to_html(page=False)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """For notebooks: as an <img>, which survives an untrusted notebook and an export, where inline SVG does not.

        With the extra ``png`` also as PDF, for an export to LaTeX, which would otherwise need Inkscape.
        """
        bundle = {"text/html": self.to_html(page=False), "image/svg+xml": self.svg, "text/plain": repr(self)}
        if find_spec("vl_convert"):
            from .raster import to_pdf

            bundle["application/pdf"] = base64.b64encode(to_pdf(self._fixed_theme())).decode()
        return bundle
