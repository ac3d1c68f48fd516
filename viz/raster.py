"""SVG to PNG, GIF and PDF, through the extra ``chainrule[png]``.

vl-convert was chosen because its wheel works on a bare machine: it brings its renderer (resvg) and its fonts along and
needs no system library, where CairoSVG needs libcairo and most others need fonts that a bare machine does not have.
"""

from __future__ import annotations

import io
import itertools
import math
import re
import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from autograd.needs import needed

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
    install = "vl-convert-python pillow (or save as .html instead)"
    Image = needed("PIL.Image", "writing GIF needs the extra png", install)
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
    return bytes(converter.svg_to_pdf(svg))


def joined(pdfs: Sequence[bytes]) -> bytes:
    """Documents of `to_pdf` as one: the pages of each after those of the one before.

    A document of the renderer is a list of objects, with a table of where each of them begins. They get new numbers,
    and the tree of pages of each document becomes a branch of a new one (PDF 32000-1:2008, 7.5 and 7.7.3).
    """
    objects, branches = list[bytes](), list[bytes]()
    for pdf in pdfs:
        before = 2 + len(objects)  # 1 is the catalogue, and 2 the tree
        table = int(pdf.rpartition(b"startxref")[2].split()[0])
        places = [int(place) for place in re.findall(rb"(\d{10}) \d{5} n", pdf[table:])]
        ends = dict(itertools.pairwise([*sorted(places), table]))
        for number, place in enumerate(places, before + 1):
            told, stream, data = pdf[place : ends[place]].partition(b"stream\n")
            told = _renumbered(told, before)
            if b"/Type /Pages" in told:
                told = told.replace(b"/Type /Pages", b"/Type /Pages\n  /Parent 2 0 R")
                branches.append(b"%d 0 R" % number)
            objects.append(told + stream + data)
    tree = b"2 0 obj\n<< /Type /Pages /Count %d /Kids [%s] >>\nendobj\n" % (len(branches), b" ".join(branches))
    objects[:0] = [b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n", tree]
    written, entries = bytearray(b"%PDF-1.7\n%\x80\x80\x80\x80\n"), [b"0000000000 65535 f\r\n"]
    for text in objects:
        entries.append(b"%010d 00000 n\r\n" % len(written))
        written += text
    size = len(entries)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n%% %s\n" % (size, len(written), SIGN)
    return bytes(written) + b"xref\n0 %d\n" % size + b"".join(entries) + trailer


def _renumbered(told: bytes, by: int) -> bytes:
    """What an object of a PDF says, with every number of an object, its own and those it refers to, raised."""
    return re.sub(rb"(\d+) 0 (obj|R)\b", lambda found: b"%d 0 %s" % (int(found[1]) + by, found[2]), told)


def _with_bundled_font(svg: str) -> str:
    svg = svg.replace('font-family="Helvetica,sans-Serif"', f'font-family="{BUNDLED_FONT}"')  # as Graphviz writes it
    return svg.replace(FONT, f"{BUNDLED_FONT}, {FONT}")  # the others are for letters that it does not have


def _converter(kind: str) -> Any:
    install = "vl-convert-python (or save as .svg instead)"
    return needed("vl_convert", f"writing {kind} needs the extra png", install)
