"""Do other programs show our pictures as Chromium does?  Usage: python scripts/render_elsewhere.py [PICTURE.svg...]

The pictures that are named, and one of each kind that is drawn here, are painted by Chromium and by every program of
`PROGRAMS` that this machine has. Fonts and smoothing differ a little; so each picture is taken apart. Of its shapes,
the share of pixels that differ by more than 32 of 255 is told; of its texts, how far the one that moved most has moved.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the source tree beside this folder, installed or not

import matplotlib.image
import numpy as np

import viz
from autograd import Value, sigmoid
from nn import MLP
from viz.metrics import text_width
from viz.raster import to_png

MOST_PIXELS = 0.015  # the share that may differ
MOST_SHIFT = 2.0  # pixels
PART = {"start": 0.0, "middle": 0.5, "end": 1.0}  # of a text, what stands before the place of its anchor
SVG = "{http://www.w3.org/2000/svg}"
Picture = np.ndarray


def pictures() -> dict[str, str]:
    """One picture of each kind."""
    x, y, z = Value(-2.0, "x"), Value(5.0, "y"), Value(-4.0, "z")
    product = (x + y) * z
    gate = sigmoid(Value(2.0, "w0") * Value(-1.0, "x0") + Value(-3.0, "w1") * Value(-2.0, "x1"))
    network = MLP(3, [4, 4, 1], seed=0)([1.0, 2.0, 3.0])
    for root in (product, gate, network):
        root.backward()
    player = viz.step_through(product)
    image, kernel = [[1.0, -2.0, 3.0], [0.0, 1.5, -1.0], [2.0, 2.0, float("nan")]], [[1.0, 0.0], [-1.0, 2.0]]
    return {
        "product": viz.draw_graph(product).svg,
        "product, dark": viz.draw_graph(product, theme="dark").svg,
        "product, no paper": viz.draw_graph(product, background="none").svg,
        "sigmoid gate": viz.draw_graph(gate, local=True).svg,
        "sigmoid gate, downwards": viz.draw_graph(gate, rankdir="TB").svg,
        "MLP": viz.draw_graph(network, depth="all").svg,
        "MLP, folded": viz.draw_graph(network, depth=1).svg,
        "maps": viz.draw_maps(image, kernel=kernel, window=(0, 1), labels=["image"]).svg,
        "derivation": viz.draw_derivation(product, x).svg,
        "frame": player.frames[-2].svg,
    }


# --- who paints: each makes a .png beside each .svg


def chromium(program: str, files: list[Path]) -> None:
    for file in files:
        wide, high = (int(size) + 1 for size in size_of(file))
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={wide},{high}"]
        run(program, *options, f"--screenshot={file.with_suffix('.png')}", file.as_uri())


def libreoffice(program: str, files: list[Path]) -> None:
    settings = f"-env:UserInstallation={(files[0].parent / 'settings').as_uri()}"
    wide = [file for file in files if size_of(file)[0] > 2000]  # it would make these smaller, if it is not told
    for some in [[file for file in files if file not in wide], *([file] for file in wide)]:
        size = zip(("PixelWidth", "PixelHeight"), size_of(some[0]), strict=True)
        told = {name: {"type": "long", "value": str(int(value) + 1)} for name, value in size}
        kind = f"png:draw_png_Export:{json.dumps(told)}" if some[0] in wide else "png"
        run(program, settings, "--headless", "--convert-to", kind, "--outdir", str(some[0].parent), *map(str, some))


def inkscape(program: str, files: list[Path]) -> None:
    run(program, "--export-type=png", *map(str, files))


def librsvg(program: str, files: list[Path]) -> None:
    for file in files:
        run(program, "--output", str(file.with_suffix(".png")), str(file))


def ours(_: str, files: list[Path]) -> None:
    for file in files:
        file.with_suffix(".png").write_bytes(to_png(file.read_text(encoding="utf-8"), 1.0))


PROGRAMS: dict[str, tuple[tuple[str, ...], Callable[[str, list[Path]], None]]] = {
    "Chromium": (("chromium", "chromium-browser", "google-chrome"), chromium),
    "LibreOffice": (("soffice", "libreoffice"), libreoffice),
    "Inkscape": (("inkscape",), inkscape),
    "librsvg": (("rsvg-convert",), librsvg),
    "save('.png')": ((sys.executable,), ours),
}


def run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=300, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def size_of(file: Path) -> tuple[float, float]:
    root = ET.parse(file).getroot()
    return float(root.attrib["width"]), float(root.attrib["height"])


# --- what is compared


def shapes(svg: str) -> str:
    """The picture without its texts."""
    return re.sub("<text.*?</text>", "", svg, flags=re.DOTALL)


def texts(svg: str) -> str:
    """The texts alone, in black."""
    alone = re.sub("<style>.*?</style>|<(rect|path|circle)[^<>]*/>", "", svg, flags=re.DOTALL)
    paper = '<rect width="100%" height="100%" fill="#ffffff"/>'  # LibreOffice cuts a page without one to its texts
    return re.sub("(?=<g|<text)", paper, re.sub('fill="(?!none)[^"]*"', 'fill="#000000"', alone), count=1)


def read(file: Path) -> Picture:
    """Rows × columns × red, green, blue from 0 to 1, on white paper."""
    picture = matplotlib.image.imread(file.with_suffix(".png"))
    if picture.ndim == 2:
        picture = np.stack([picture] * 3, axis=2)
    return picture if picture.shape[2] == 3 else picture[..., :3] * picture[..., 3:] + (1 - picture[..., 3:])


def differing(a: Picture, b: Picture) -> tuple[float, tuple[int, int]]:
    """The share of pixels that differ, and by how much ``b`` is to be moved first: by a pixel at the most."""
    rows, columns = min(len(a), len(b)) - 2, min(a.shape[1], b.shape[1]) - 2
    best = np.inf
    for i, j in itertools.product((1, 0, 2), repeat=2):
        other = np.abs(a[1 : rows + 1, 1 : columns + 1] - b[i : rows + i, j : columns + j]).max(axis=2)
        if (share := float((other > 32 / 255).mean())) < best:
            best, place = share, (i - 1, j - 1)
    return best, place


def chunks(root: ET.Element) -> Iterator[tuple[str, float, float, float, float]]:
    """Each text, or each piece of one that has a place of its own: its anchor, place, size and the room that it has."""
    for text in root.iter(f"{SVG}text"):
        pieces = [piece for piece in text.iter(f"{SVG}tspan") if "x" in piece.attrib] or [text]
        for piece in pieces:
            look = {"text-anchor": "start", **root.attrib, **text.attrib, **piece.attrib}
            size = float(look["font-size"])
            wide = text_width("".join(piece.itertext()).strip(), size, bold=look.get("font-weight") == "600")
            yield look["text-anchor"], float(look["x"]), float(look["y"]), size, wide


def shift(svg: str, a: Picture, b: Picture) -> float:
    """How far a text has moved, at most: the place that it is anchored at, its upper and its lower edge."""
    most = 0.0
    for anchor, x, y, size, wide in chunks(ET.fromstring(svg)):
        left = x - wide * PART[anchor]
        window = np.s_[
            max(0, int(y - 0.75 * size - 2)) : int(y + 0.25 * size + 2), max(0, int(left - 4)) : int(left + wide + 5)
        ]
        before, after = ink(a[window]), ink(b[window])
        if before is None or after is None:
            most = max(most, 0.0 if before is after else np.inf)
            continue
        places = [(1 - PART[anchor]) * l + PART[anchor] * r for l, r, _, _ in (before, after)]
        most = max(most, abs(places[0] - places[1]), abs(before[2] - after[2]), abs(before[3] - after[3]))
    return most


def ink(picture: Picture) -> tuple[int, int, int, int] | None:
    """Left, right, top and bottom of what is dark; None if nothing is."""
    dark = picture.mean(axis=2) < 0.75
    if not dark.any():
        return None
    columns, rows = np.flatnonzero(dark.any(axis=0)), np.flatnonzero(dark.any(axis=1))
    return int(columns[0]), int(columns[-1]), int(rows[0]), int(rows[-1])


def main(paths: list[str]) -> bool:
    found = {name: next(filter(None, map(shutil.which, commands)), "") for name, (commands, _) in PROGRAMS.items()}
    for name, program in found.items():
        if not program:
            print(f"note: {name} is not on this machine, so it was not tried")
    if not found["Chromium"]:
        return True
    drawn = {Path(path).name: Path(path).read_text(encoding="utf-8") for path in paths} | pictures()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        painted: dict[str, list[Path]] = {}
        for name in filter(found.get, PROGRAMS):
            painted[name] = []
            for k, svg in enumerate(drawn.values()):
                for what, part in (("shapes", shapes(svg)), ("texts", texts(svg))):
                    file = Path(folder, re.sub(r"\W", "", name), f"{k}-{what}.svg")
                    file.parent.mkdir(exist_ok=True)
                    file.write_text(part, encoding="utf-8")
                    painted[name].append(file)
            PROGRAMS[name][1](found[name], painted[name])
        for k, (picture, svg) in enumerate(drawn.items()):
            a = [read(file) for file in painted["Chromium"][2 * k : 2 * k + 2]]
            for name in list(painted)[1:]:
                b = [read(file) for file in painted[name][2 * k : 2 * k + 2]]
                share, (down, right) = differing(a[0], b[0])
                moved = shift(svg, a[1], np.roll(b[1], (-down, -right), axis=(0, 1)))
                print(f"{picture:24} {name:14} {share:7.2%} of the pixels differ, texts move by {moved:g} px")
                good &= share <= MOST_PIXELS and moved <= MOST_SHIFT
    return good


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
