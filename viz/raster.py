"""SVG to PNG, GIF and PDF, through the extra ``chainrule[png]``.

vl-convert was chosen because its wheel works on a bare machine: it brings its renderer (resvg) and its fonts along and
needs no system library, where CairoSVG needs libcairo and most others need fonts that a bare machine does not have.
"""

from __future__ import annotations

import io
import math
import re
import struct
import sys
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from .metrics import FONT

LONGEST = 16_000  # dots; beyond that the renderer takes gigabytes, and viewers give up
SIGN = b"chainrule-graph"  # by which the command knows a file of ours
_SIZE = re.compile(r'width="([\d.]+)[a-z]*" height="([\d.]+)')
SECONDS = 1.5  # that each picture of a GIF is shown
BUNDLED_FONT = "'Liberation Sans'"  # as wide as Helvetica and Arial; the renderer brings it, upright and italic


def to_png(svg: str, scale: float = 2.0) -> bytes:
    """The picture as PNG, ``scale`` dots to the pixel.

    Raises:
        ValueError: if the scale is not a positive number, or the picture would have a side of more than LONGEST dots.
        ImportError: without the extra.
    """
    if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not 0 < scale < math.inf:
        raise ValueError(f"scale must be a positive number, such as 2, but got {scale!r}")
    converter = _converter("PNG")
    longest = max(map(float, _SIZE.findall(svg)[0])) * scale
    if longest > LONGEST:
        raise ValueError(
            f"as PNG this picture would be {longest:,.0f} dots long; save it as .svg, or with a smaller scale"
        )
    png: bytes = converter.svg_to_png(_with_bundled_font(svg), scale=scale)
    text = b"tEXtSoftware\0" + SIGN
    end = 8 + 25  # after the signature and the header: https://www.w3.org/TR/png/#5ChunkOrdering
    return png[:end] + struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text)) + png[end:]


def to_gif(svgs: Sequence[str], paper: str, scale: float = 2.0) -> bytes:
    """The pictures one after the other, on ``paper``, again and again; the last one stands twice as long.

    Raises:
        ValueError, ImportError: as `to_png`.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            f"writing GIF needs the extra png: {sys.executable} -m pip install vl-convert-python pillow "
            "(or save as .html instead)"
        ) from None
    pictures = []
    for svg in svgs:
        shown = Image.open(io.BytesIO(to_png(svg, scale)))
        whole = Image.new("RGB", shown.size, paper)  # a GIF has no half transparent corners
        whole.paste(shown, mask=shown)
        pictures.append(whole.quantize(128))
    gif, times = io.BytesIO(), [1000 * SECONDS] * (len(pictures) - 1) + [2000 * SECONDS]
    first, *others = pictures
    first.save(gif, "GIF", save_all=True, append_images=others, duration=times, loop=0, comment=SIGN)
    return gif.getvalue()


def to_pdf(svg: str) -> bytes:
    """The picture as one page of PDF; text stays text.

    Raises:
        ImportError: without the extra.
    """
    return _to_pdf(_converter("PDF"), _with_bundled_font(svg)) + b"\n% " + SIGN + b"\n"  # a comment after the end


@lru_cache(8)  # the fonts are listed in any order: while Python runs one picture shall be one file
def _to_pdf(converter: Any, svg: str) -> bytes:
    pdf: bytes = converter.svg_to_pdf(svg)
    return pdf


def _with_bundled_font(svg: str) -> str:
    svg = svg.replace('font-family="Helvetica,sans-Serif"', f'font-family="{BUNDLED_FONT}"')  # as Graphviz writes it
    return svg.replace(FONT, f"{BUNDLED_FONT}, {FONT}")  # the others are for letters that it does not have


def _converter(kind: str) -> Any:
    try:
        import vl_convert
    except ImportError:
        raise ImportError(
            f"writing {kind} needs the extra png: {sys.executable} -m pip install vl-convert-python "
            "(or save as .svg instead)"
        ) from None
    return vl_convert
