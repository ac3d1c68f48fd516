"""Reads a drawing back: what stands where on the page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from itertools import combinations

from viz.metrics import text_width

SVG = "{http://www.w3.org/2000/svg}"


@dataclass
class Box:
    kind: str
    text: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    def overlaps(self, other: Box, slack: float = 0.6) -> bool:
        return (
            self.left < other.right - slack
            and other.left < self.right - slack
            and self.top < other.bottom - slack
            and other.top < self.bottom - slack
        )


@dataclass
class Page:
    root: ET.Element
    styles: dict[str, dict[str, str]]  # class -> property -> value, in the first theme of the style sheet
    width: float
    height: float

    @property
    def texts(self) -> list[Box]:
        return [self.text_box(element) for element in self.root.iter(f"{SVG}text")]

    def gates(self, *kinds: str) -> list[Box]:
        """The bodies: circles and rectangles of these classes."""
        kinds = kinds or ("gate", "folded", "constant", "tag")
        found = []
        for element in self.root.iter():
            kind = element.get("class", "")
            if kind not in kinds:
                continue
            if element.tag == f"{SVG}circle":
                x, y, r = (float(element.attrib[k]) for k in ("cx", "cy", "r"))
                found.append(Box(kind, "", x - r, y - r, x + r, y + r))
            elif element.tag == f"{SVG}rect":
                x, y, w, h = (float(element.attrib[k]) for k in ("x", "y", "width", "height"))
                found.append(Box(kind, "", x, y, x + w, y + h))
        return found

    def parts(self) -> list[ET.Element]:
        return [g for g in self.root.iter(f"{SVG}g") if g.get("data-part") is not None]

    def wires(self) -> list[str]:
        """The wires between parts, as paths: those that stand in no part."""
        return [e.attrib["d"] for e in self.root.findall(f"{SVG}path")]

    def style(self, classes: str, name: str) -> str:
        for kind in reversed(classes.split()):
            if name in self.styles.get(kind, {}):
                return self.styles[kind][name]
        return ""

    def text_box(self, element: ET.Element) -> Box:
        kind = element.attrib["class"]
        smaller = element.get("style", "").removeprefix("font-size:")  # as a long number is set
        size = float((smaller or self.style(kind, "font-size")).removesuffix("px"))
        bold = self.style(kind, "font-weight") == "600"
        x, y = float(element.attrib["x"]), float(element.attrib["y"])
        width = text_width(element.text or "", size, bold=bold)
        for span in element.iter(f"{SVG}tspan"):
            own = self.style(span.attrib["class"], "font-size").removesuffix("px")
            heavy = self.style(span.attrib["class"], "font-weight") == "600"
            width += text_width(span.text or "", float(own or size), bold=heavy)
            width += text_width(span.tail or "", size, bold=bold)
        anchor = element.get("text-anchor") or self.style(kind, "text-anchor") or "start"
        left = {"start": x, "middle": x - width / 2, "end": x - width}[anchor]
        height = 0.36 * size  # to either side: capitals and digits, which have no descenders
        return Box(kind, "".join(element.itertext()), left, y - height, left + width, y + height)


def read(svg: str) -> Page:
    root = ET.fromstring(svg)
    sheet = root.findtext(f"{SVG}style") or ""
    styles: dict[str, dict[str, str]] = {}
    for selector, body in re.findall(r"([^{}\n]+)\{([^{}]*)\}", sheet.split("@media")[0]):
        rules = dict(rule.split(":", 1) for rule in body.split(";") if rule)
        styles.setdefault(selector.split()[-1].removeprefix("."), {}).update(rules)
    return Page(root, styles, float(root.attrib["width"]), float(root.attrib["height"]))


def overlaps(page: Page) -> list[tuple[Box, Box]]:
    """Texts that run into each other or into a gate that is not theirs."""
    texts = [t for t in page.texts if t.text.strip()]
    wrong = [(a, b) for a, b in combinations(texts, 2) if a.overlaps(b)]
    own = ("symbol", "folded-text", "name")  # these stand inside their bodies
    for text in texts:
        for gate in page.gates():
            inside = gate.left - 1 <= text.left and text.right <= gate.right + 1 and text.kind.startswith(own)
            if text.overlaps(gate) and not inside:
                wrong.append((text, gate))
    return wrong


def outside(page: Page) -> list[Box]:
    return [
        b
        for b in page.texts + page.gates()
        if b.left < 1 or b.top < 1 or b.right > page.width - 1 or b.bottom > page.height - 1
    ]
