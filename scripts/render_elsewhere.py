"""Do other programs show our pictures as we do?  Usage: python scripts/render_elsewhere.py PICTURE.svg...

Each picture is painted by vl-convert (the extra `png`), in light, and by every program of `PROGRAMS` that this machine
has. Fonts and smoothing differ; what must not is where there is ink. So both pictures are cut into cells of 12 by 12
pixels, and a cell counts as different if one picture is empty there, and empty all around, where the other has ink.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.image
import numpy as np
import vl_convert

CELL = 12
MOST = 0.01  # the share of cells that may differ
Picture = np.ndarray

PROGRAMS = {
    "rsvg-convert": lambda svg, png, wide: ["rsvg-convert", f"--width={wide}", "--output", png, svg],
    "inkscape": lambda svg, png, wide: ["inkscape", f"--export-width={wide}", f"--export-filename={png}", svg],
    "magick": lambda svg, png, wide: ["magick", "-background", "none", svg, "-resize", f"{wide}x", png],
}


def ink(picture: Picture) -> Picture:
    """Which cells hold something that is not the ground, the colour that is most frequent."""
    colours = picture[..., :3] * picture[..., 3:] + (1 - picture[..., 3:]) if picture.shape[2] == 4 else picture
    grey = colours.mean(axis=2).round(2)
    shades, counts = np.unique(grey, return_counts=True)
    marked = np.abs(grey - shades[counts.argmax()]) > 0.15
    high, wide = (size // CELL * CELL for size in marked.shape)
    return marked[:high, :wide].reshape(high // CELL, CELL, wide // CELL, CELL).any(axis=(1, 3))


def around(cells: Picture) -> Picture:
    """The cells and their neighbours."""
    wide = np.pad(cells, 1)
    rows, columns = cells.shape
    return np.any([wide[i : i + rows, j : j + columns] for i in range(3) for j in range(3)], axis=0)


def difference(ours: Picture, theirs: Picture) -> float:
    a, b = ink(ours), ink(theirs)
    rows, columns = min(len(a), len(b)), min(a.shape[1], b.shape[1])
    a, b = a[:rows, :columns], b[:rows, :columns]
    return float(((a & ~around(b)) | (b & ~around(a))).mean())


def main(paths: list[str]) -> bool:
    found = [name for name in PROGRAMS if shutil.which(name)]
    if not found:
        print(f"note: none of {', '.join(PROGRAMS)} is on this machine, so nothing was compared")
    right = True
    for path in map(Path, paths):
        ours = matplotlib.image.imread(io.BytesIO(vl_convert.svg_to_png(path.read_text(encoding="utf-8"), scale=2.0)))
        for name in found:
            with tempfile.TemporaryDirectory() as folder:
                png = Path(folder) / "theirs.png"
                subprocess.run(PROGRAMS[name](str(path), str(png), str(ours.shape[1])), check=True, timeout=120)
                share = difference(ours, matplotlib.image.imread(png))
            print(f"{path.name} by {name}: {share:.2%} of the cells differ")
            right &= share <= MOST
    return right


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
