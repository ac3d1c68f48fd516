"""Write the pictures of the README into docs/pictures. Run it from anywhere: ``python docs/make_pictures.py``.

A test draws them again and compares them byte by byte, so that the README shows what the package draws today.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))  # draw with the source tree beside this file, installed or not

from autograd import Value, exp, reciprocal  # noqa: E402
from viz import draw_graph  # noqa: E402

FOLDER = ROOT / "docs" / "pictures"


def product_of_a_sum() -> Value:
    """f = (x + y) · z, the first graph of the lecture."""
    x, y, z = Value(-2.0, label="x"), Value(5.0, label="y"), Value(-4.0, label="z")
    q = x + y
    q.label = "q"
    f = q * z
    f.label = "f"
    return f


def sigmoid_gate() -> Value:
    """σ(w0·x0 + w1·x1 + w2), taken apart into multiply, add, negate, exp, +1 and 1/x."""
    w0, x0 = Value(2.0, label="w0"), Value(-1.0, label="x0")
    w1, x1 = Value(-3.0, label="w1"), Value(-2.0, label="x1")
    w2 = Value(-3.0, label="w2")
    f = reciprocal(exp(-(w0 * x0 + w1 * x1 + w2)) + 1)
    f.label = "f"
    return f


def pictures() -> dict[str, str]:
    """The file names, and the SVG text that belongs into each."""
    drawn = {}
    for name, root in (("product_of_a_sum.svg", product_of_a_sum()), ("sigmoid_gate.svg", sigmoid_gate())):
        root.backward()
        drawn[name] = draw_graph(root).svg
    return drawn


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, svg in pictures().items():
        (FOLDER / name).write_bytes(svg.encode())
        print(f"wrote {FOLDER / name}")
