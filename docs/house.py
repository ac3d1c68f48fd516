"""Draw the plan of the house, docs/pictures/house.svg: ``python docs/house.py``.

The plan is `FLOORS` in tests/test_architecture.py, which the tests hold the source to: what is drawn is what is so. The
picture is 380 wide, so that a telephone shows it at its own size.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "pictures" / "house.svg"
WIDTH, GAP, LINE, LETTER = 380.0, 6.0, 16.0, 6.3  # pixels; a letter of the text's 12 pixels is 6.3 wide, or less
IDEAS = {
    "autograd": "a number that remembers",
    "autograd.compiler": "scalars back to arrays",
    "nn": "networks of such numbers",
    "nn.training": "learning",
    "nn.lessons": "what the lectures build",
    "viz": "pictures of them",
    "viz.layout": "where boxes stand",
    "viz.graph": "a graph as a drawing",
    "viz.live": "pages to step through",
    "viz.plots": "curves, by Matplotlib",
}
FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
# colours stand in attributes, which every program knows, and are exchanged where the reader's system is dark
LOOK = {
    "": 'fill="#1f2328"',
    "name": 'fill="#1f2328" font-weight="600"',
    "idea": 'fill="#57606a"',
    "card": 'fill="#ffffff"',
    "house": 'fill="#f3f6f9" stroke="#8c959f"',
    "floor": 'fill="#ffffff" stroke="#d0d7de"',
    "room": 'fill="#e4f1ea" stroke="#00734f"',
}
STYLE = """\
@media (prefers-color-scheme: dark) {
[fill="#1f2328"]{fill:#e6edf3}[fill="#57606a"]{fill:#9da7b3}[fill="#ffffff"]{fill:#0d1117}
[fill="#f3f6f9"]{fill:#161b22}[stroke="#8c959f"]{stroke:#6e7681}[stroke="#d0d7de"]{stroke:#30363d}
[fill="#e4f1ea"]{fill:#10291f}[stroke="#00734f"]{stroke:#35c9a0}
}
"""


def plan() -> dict[str, list[str]]:
    """Folder → its floors, the lowest first, as the test has them."""
    tree = ast.parse((ROOT / "tests" / "test_architecture.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FLOORS":
            floors: dict[str, list[str]] = ast.literal_eval(node.value)
            return floors
    raise ValueError("tests/test_architecture.py has no FLOORS")


@dataclass
class Painter:
    floors: dict[str, list[str]]
    made: list[str]

    def text(self, x: float, y: float, words: str, kind: str = "") -> None:
        self.made.append(f'<text {LOOK[kind]} x="{x:g}" y="{y:g}">{escape(words)}</text>')

    def box(self, kind: str, x: float, y: float, wide: float, high: float) -> int:
        """A box, and its place in the list: it is painted before what it holds, when its height is not known yet."""
        self.made.append(f'<rect {LOOK[kind]} x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" rx="4"/>')
        return len(self.made) - 1

    def lines(self, x: float, y: float, wide: float, words: list[str]) -> float:
        """Words with dots between them, in as many lines as it takes; where the next line would begin."""
        line = ""
        for word in words:
            longer = f"{line} · {word}" if line else word
            if line and len(longer) * LETTER > wide:
                self.text(x, y + 12, line)
                line, y = word, y + LINE
            else:
                line = longer
        self.text(x, y + 12, line)
        return y + LINE

    def folder(self, name: str, x: float, y: float, wide: float, kind: str = "house") -> float:
        """A folder with its floors, the highest first; where it ends."""
        top, place = y, self.box(kind, x, y, wide, 0)
        self.text(x + GAP, y + 15, name.rpartition(".")[2], "name")
        y += 20
        if idea := IDEAS.get(name, ""):
            self.text(x + GAP, y + 11, idea, "idea")
            y += LINE
        y += 3
        for floor in reversed(self.floors[name]):
            y = self.floor(name, floor.split(), x + GAP, y, wide - 2 * GAP) + 3
        y += GAP - 3
        self.made[place] = self.made[place].replace('height="0"', f'height="{y - top:g}"')
        return y

    def floor(self, folder: str, rooms: list[str], x: float, y: float, wide: float) -> float:
        """One floor: its folders as houses of their own, its files in a row."""
        deep = folder.count(".") >= 1
        for room in rooms:
            inner = f"{folder}.{room}"
            if inner in self.floors and not deep:
                y = self.folder(inner, x, y, wide, "room") + 3
        files = [room for room in rooms if f"{folder}.{room}" not in self.floors or deep]
        if not files:
            return y - 3
        top, place = y, self.box("floor", x, y, wide, 0)
        y = self.lines(x + GAP, y + 3, wide - 2 * GAP, files) + 3
        self.made[place] = self.made[place].replace('height="0"', f'height="{y - top:g}"')
        return y


def svg() -> str:
    """The picture: `viz` and `nn` side by side, which know nothing of each other, and both on top of `autograd`."""
    floors, half = plan(), (WIDTH - 3 * GAP) / 2
    heights = {name: Painter(floors, []).folder(name, 0, 0, half) for name in ("nn", "viz")}
    painter, ground = Painter(floors, []), max(heights.values()) + GAP
    for k, (name, height) in enumerate(heights.items()):
        painter.folder(name, GAP + k * (half + GAP), ground - height, half)
    high = painter.folder("autograd", GAP, ground + GAP, WIDTH - 2 * GAP) + GAP
    told = "nn and viz stand side by side on autograd. In each, every file imports files of lower floors only."
    body = "\n".join(painter.made)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH:g}" height="{high:g}" viewBox="0 0 {WIDTH:g} {high:g}" '
        f'font-family="{FONT}" font-size="12" role="img" aria-labelledby="house-title house-told">\n'
        '<title id="house-title">The plan of the house</title>\n'
        f'<desc id="house-told">{told}</desc>\n<style>\n{STYLE}</style>\n'
        f'<rect {LOOK["card"]} width="{WIDTH:g}" height="{high:g}"/>\n{body}\n</svg>\n'
    )


if __name__ == "__main__":
    PICTURE.write_bytes(svg().encode())
    print(f"wrote {PICTURE}")
