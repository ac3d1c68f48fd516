"""Pictures in two themes: our SVGs follow the reader's system, but a page has a switch of its own.

An SVG of theme "auto" holds the light rules, and the dark ones in an ``@media`` block; from one such file come two, and
the page shows the one that fits.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

from viz.markup import DARK, LIGHT
from viz.plots import COLOURS

_DARK_RULES = re.compile(r"@media \(prefers-color-scheme: ?dark\) ?\{\n?(.*?\n?)\}\n?(?=</style>)", re.DOTALL)
_DARK_FOR = {LIGHT[part]: DARK[part] for part in LIGHT}
_COLOUR = re.compile("#[0-9a-fA-F]{6}(?![0-9a-fA-F])")
# matplotlib's own plots look like those of `viz.plots`, on a card as the drawings have it
STYLE = {
    "figure.facecolor": LIGHT["card"],
    "axes.facecolor": LIGHT["card"],
    "axes.edgecolor": LIGHT["wire"],
    "axes.labelcolor": LIGHT["ink"],
    "text.color": LIGHT["ink"],
    "xtick.color": LIGHT["muted"],
    "ytick.color": LIGHT["muted"],
    "legend.edgecolor": LIGHT["edge"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": f"cycler('color', {list(COLOURS)})",
    "svg.hashsalt": "chainrule",
}
_IMAGE = re.compile(r"^!\[(.*)\]\(([^)]+)\.svg\)(（.*）)?$", re.MULTILINE)  # with a translator's mark, perhaps


def both_themes(name: str, svg: str) -> dict[str, str]:
    """The light and the dark picture, by the names of their files; a picture without dark rules is itself both."""
    stem = name.removesuffix(".svg")
    return {
        f"{stem}.light.svg": _DARK_RULES.sub("", svg),
        f"{stem}.dark.svg": _DARK_RULES.sub(lambda rules: rules[1], svg),
    }


def show_both_themes(markdown: str, made: Mapping[str, str | bytes]) -> str:
    """Each image on a line of its own that there are two themes of becomes two, of which the page shows one."""

    def pair(found: re.Match[str]) -> str:
        alt, stem = found[1], found[2]
        if f"{stem}.light.svg" not in made:
            return found[0]
        width = re.search(r'<svg[^>]*? width="([\d.]+)', str(made[f"{stem}.light.svg"]))
        wide = " wide" if width is not None and float(width[1]) > 800 else ""
        images = [
            f"```{{image}} {stem}.{theme}.svg\n:alt: {alt}\n:class: only-{theme}{wide}\n:loading: lazy\n```"
            for theme in ("light", "dark")
        ]
        return "\n".join(["::::{container} picture", *images, "::::", found[3] or ""])

    return _IMAGE.sub(pair, markdown)


def of_picture(name: str, shown: Any) -> dict[str, str]:
    """Both themes of anything that shows itself as a picture: a drawing of ours, or a figure of matplotlib."""
    if isinstance(getattr(shown, "svg", None), str):
        return both_themes(name, shown.svg)
    figure = getattr(shown, "figure", shown)
    if not hasattr(figure, "savefig"):
        raise TypeError(f"{name} should be a picture, but is a {type(shown).__name__}")
    svg = _figure(figure)
    stem = name.removesuffix(".svg")
    return {f"{stem}.light.svg": svg, f"{stem}.dark.svg": recolour(svg)}


def _figure(figure: Any) -> str:
    """A figure of matplotlib as SVG, the same text at every build."""
    from matplotlib import pyplot

    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None}, bbox_inches="tight")
    pyplot.close(figure)
    svg = text.getvalue()
    return re.sub(r'width="([\d.]+)pt" height="([\d.]+)pt"', _in_pixels, svg[svg.index("<svg") :], count=1)


def _in_pixels(size: re.Match[str]) -> str:
    return f'width="{float(size[1]) * 4 / 3:.0f}" height="{float(size[2]) * 4 / 3:.0f}"'


def recolour(svg: str) -> str:
    """A picture painted in our light colours, in our dark ones; of any other colours, greys are turned around."""

    def dark(colour: re.Match[str]) -> str:
        light = colour[0].lower()
        return _DARK_FOR.get(light) or (_turned(light) if _is_grey(light) else light)

    return _COLOUR.sub(dark, svg.replace("<svg ", '<svg fill="#000000" ', 1))  # black is what nothing is said of


def _channels(colour: str) -> list[int]:
    return [int(colour[k : k + 2], 16) for k in (1, 3, 5)]


def _is_grey(colour: str) -> bool:
    return max(_channels(colour)) - min(_channels(colour)) < 8


def _turned(grey: str) -> str:
    """White becomes the card, black the ink, and what is between stays as far from both as it was."""
    white = _channels(grey)[0] / 255
    ends = zip(_channels(DARK["card"]), _channels(DARK["ink"]), strict=True)
    return "#" + "".join(f"{round(card * white + ink * (1 - white)):02x}" for card, ink in ends)
