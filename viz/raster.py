"""SVG to PNG and PDF, through the extra ``chainrule[png]``.

vl-convert was chosen because its wheel works on a bare machine: it brings its renderer (resvg) and its fonts along and
needs no system library, where CairoSVG needs libcairo and most others need fonts that a bare machine does not have.
"""

from __future__ import annotations

from types import ModuleType

from .metrics import FONT

BUNDLED_FONT = "'Liberation Sans'"  # as wide as Helvetica and Arial; the renderer brings it, upright and italic


def to_png(svg: str, scale: float = 2.0) -> bytes:
    """The picture as PNG, ``scale`` dots to the pixel."""
    converter = _converter("PNG")
    png: bytes = converter.svg_to_png(_with_bundled_font(svg), scale=scale)
    return png


def to_pdf(svg: str) -> bytes:
    """The picture as one page of PDF; text stays text."""
    converter = _converter("PDF")
    pdf: bytes = converter.svg_to_pdf(_with_bundled_font(svg))
    return pdf


def _with_bundled_font(svg: str) -> str:
    return svg.replace(FONT, BUNDLED_FONT)


def _converter(kind: str) -> ModuleType:
    try:
        import vl_convert
    except ImportError:
        raise ImportError(
            f"writing {kind} needs the extra png: python3 -m pip install vl-convert-python (or save as .svg instead)"
        ) from None
    module: ModuleType = vl_convert
    return module
