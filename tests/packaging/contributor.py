"""Follow CONTRIBUTING.md to the letter in a copy of the source tree: ``python tests/packaging/contributor.py COPY``.

The page says in words where each piece goes ("behind a layer of its kind"); here stands the place that this contributor
chooses. A recipe with a step that is not listed here, or a place that is no longer there, is an error.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

NEW = ""  # a file of its own

# recipe → the file of each step that has code, and the line that the code is put before
PLACES: dict[str, list[tuple[str, str]]] = {
    "An operation": [
        ("autograd/ops.py", "    # --- operations on many inputs"),
        ("autograd/value.py", "    gelu = _of_one("),
        ("autograd/functions.py", "gelu = of_one("),
        ("tests/autograd/test_accuracy.py", '    "atan2": ('),
        ("tests/autograd/test_gaussian.py", NEW),
    ],
    "A layer": [("nn/layers.py", "class Sequential("), ("tests/nn/test_scale.py", NEW)],
    "A loss": [("nn/losses.py", "def l2_penalty("), ("tests/nn/test_huber.py", NEW)],
    "A plot": [("viz/plots/curves.py", "@styled\ndef plot_activation("), ("tests/viz/test_residuals.py", NEW)],
}

# the lists that a name is added to: the file, what stands there, and what goes before it
LISTS = [
    ("autograd/functions.py", '    "gelu",\n', '    "gaussian",\n'),
    ("autograd/__init__.py", '    "gelu",\n', '    "gaussian",\n'),
    ("autograd/__init__.py", "    gelu,\n", "    gaussian,\n"),
    ("nn/layers.py", '    "Sequential",\n', '    "Scale",\n'),
    (
        "nn/losses.py",
        "| perceptron ",
        "| huber                | one or many | a number for each    "
        "             | ½d², or abs(d) - ½   | y - t, or ±1   |\n",
    ),
    ("nn/losses.py", '    "perceptron": perceptron,\n', '    "huber": huber,\n'),
    ("nn/losses.py", '    "l2_penalty",\n', '    "huber",\n'),
    ("viz/plots/__init__.py", '    "show_digits",\n', '    "plot_residuals",\n'),
    ("viz/plots/__init__.py", "\nfrom .descents import ", ", plot_residuals"),
    ("viz/__init__.py", "        show_digits,\n", "        plot_residuals,\n"),
    ("viz/__init__.py", '    "show_digits",\n', '    "plot_residuals",\n'),
]


def recipes(page: str) -> dict[str, list[tuple[str, str]]]:
    """Recipe → (file, code) of each step, in the order of the page."""
    found = {}
    for part in re.split(r"^### ", page.partition("## Four recipes")[2], flags=re.MULTILINE)[1:]:
        steps = re.split(r"^\*\*\d\. ", part, flags=re.MULTILINE)
        found[steps[0].partition("\n")[0]] = [
            (file[1], code[1])
            for step in steps[1:]
            if (file := re.search(r"`([\w/]+\.py)`", step))
            and (code := re.search(r"^```python\n(.*?)^```$", step, re.MULTILINE | re.DOTALL))
        ]
    return found


def insert(file: Path, before: str, text: str) -> None:
    content = file.read_text(encoding="utf-8")
    head, found, tail = content.partition(before)
    if not found:
        raise ValueError(f"{file} has no line {before!r}")
    file.write_text(f"{head}{text}{found}{tail}", encoding="utf-8")


def follow(copy: Path) -> list[str]:
    """Do what the page of this copy says; the new tests' paths."""
    told = recipes((copy / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    if {name: [file for file, _ in steps] for name, steps in told.items()} != {
        name: [file for file, _ in places] for name, places in PLACES.items()
    }:
        raise ValueError(f"CONTRIBUTING.md has other steps: {told}")
    made = []
    for name, places in PLACES.items():
        for (file, code), (_, before) in zip(told[name], places, strict=True):
            if before == NEW:
                (copy / file).write_text(code, encoding="utf-8")
                made.append(file)
            else:
                in_a_list = code.startswith("    ") or code.count("\n") == 1
                gap = 2 if code.startswith(("class ", "def ", "@")) else 0 if in_a_list else 1
                insert(copy / file, before, code + gap * "\n")
    for file, before, entry in LISTS:
        insert(copy / file, before, entry)
    return made


if __name__ == "__main__":
    print(*follow(Path(sys.argv[1])), sep="\n")
