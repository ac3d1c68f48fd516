"""What the plots share: one style, axes to draw on, a legend that covers nothing, and numbers that can be drawn.

A class, optimiser or curve differs by line style, marker or hatch as well as by colour, so that a page in greyscale
says the same. The style holds while a function of ours draws; the reader's own rcParams stay as they were.

The colours are those of M. Okabe and K. Ito, Color Universal Design (2008), the two lightest darkened: as thin lines on
white they have to be seen, too.
"""

from __future__ import annotations

import functools
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numpy as np

from autograd.messages import messages
from autograd.needs import needed

from ..mistakes import explained

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]
P = ParamSpec("P")
R = TypeVar("R")

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#B37B00", "#2F8FC4")
LINES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (6, 2, 2, 2)), (0, (9, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# How opaque each colour is as the ground of its class. Over white they have a lightness (CIE L*) of 89, 76, 83, 71, 86,
# 73 and 80, so that they differ in greyscale, too, and those of the first classes most.
TINTS = (0.2, 0.5, 0.38, 0.74, 0.16, 0.6, 0.45)
HATCHES = ("", "////", "....", "\\\\\\\\", "xxx", "++", "oo")
STYLE: dict[Any, Any] = {
    "font.size": 10.0,
    "axes.titlesize": 11.0,
    "axes.labelsize": 10.0,
    "axes.axisbelow": True,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "hatch.color": "#9A9A9A",
    "hatch.linewidth": 0.5,
    "svg.hashsalt": "chainrule",
}
QUIET = "#666666"
# Families with Chinese letters, and most of those of Japan and Korea, as they come with Linux, Windows and macOS.
CHINESE = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Noto Sans CJK JP", "Source Han Sans SC", "Source Han Sans CN"),
    *("WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback", "Microsoft YaHei", "SimHei", "SimSun"),
    *("PingFang SC", "Hiragino Sans GB", "Heiti SC", "Heiti TC", "STHeiti", "Songti SC", "Arial Unicode MS"),
)
_CHINESE_FILES = re.compile(r"cjk|notosanssc|sourcehan|wqy|droidsansfallback|msyh|simhei|simsun|pingfang|heiti", re.I)
_SPACER = "chainrule-spacer"


def pyplot() -> Any:
    return needed("matplotlib.pyplot", "plots are drawn by Matplotlib", "matplotlib")


@contextmanager
def style() -> Iterator[None]:
    """Our settings for a while. Not by `rc_context`, which resets all of them, those too that others set meanwhile: a
    notebook's backend is loaded with the first figure, perhaps in here, and says then that figures are to be shown."""
    from matplotlib import rcParams

    ours = STYLE | {"font.family": _with_chinese(rcParams["font.family"])}
    before = {key: rcParams[key] for key in ours}
    rcParams.update(ours)
    try:
        yield
    finally:
        rcParams.update(before)


@functools.cache
def chinese_fonts() -> tuple[str, ...]:
    """The first family of `CHINESE` that is installed; none if there is none.

    Matplotlib keeps a list of the fonts that were there when it first looked. Where that has none, we look again.
    """
    from matplotlib import font_manager

    fonts = font_manager.fontManager.ttflist
    if not any(font.name in CHINESE for font in fonts):
        for path in sorted(font_manager.findSystemFonts()):
            if _CHINESE_FILES.search(os.path.basename(path)):
                with suppress(OSError, RuntimeError):  # a file that is no font after all
                    font_manager.fontManager.addfont(path)
    family = next((name for name in CHINESE if any(font.name == name for font in fonts)), None)
    if family is None:
        return ()
    # some come in one weight, and no warning is wanted each time that it stands in for another
    drawn = {font.weight: font for font in fonts if font.name == family}
    for weight in {400, 700}.difference(drawn):
        fonts.append(replace(drawn.get(400) or next(iter(drawn.values())), weight=weight))
    return (family,)


def said(key: str, **slots: object) -> str:
    """The label of that name: in the language of the environment where its letters can be drawn, else in English."""
    words = messages() if chinese_fonts() else messages("en")
    return words[f"plot-{key}"].format_map(slots)


def chinese_labels() -> Callable[[str, str], str]:
    """A function of a label in Chinese and in English: the Chinese where a font for it is installed, else the English.

    From this call on Matplotlib takes letters from that font, too, where its own has not got them: call it before
    the first figure.

    >>> zh = chinese_labels()
    >>> zh("学习率", "learning rate") in ("学习率", "learning rate")
    True
    """
    from matplotlib import rcParams

    rcParams["font.family"] = _with_chinese(rcParams["font.family"])
    place = 0 if chinese_fonts() else 1
    return lambda chinese, english: (chinese, english)[place]


def _with_chinese(family: Sequence[str]) -> list[str]:
    """These families, and after them one that has Chinese letters: what the first ones lack is taken from there."""
    return list(dict.fromkeys([*family, *chinese_fonts()]))


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """The function in our style; it finds Matplotlib, or says how to get it, before it does anything."""

    function = explained(function)

    @functools.wraps(function)
    def drawing(*args: P.args, **kwargs: P.kwargs) -> R:
        pyplot()
        with style():
            return function(*args, **kwargs)

    return drawing


def axes_for(ax: Any, size: tuple[float, float] = (5.2, 3.8), *, grid: bool = True) -> Axes:
    """The axes to draw on: those given, or those of a new figure."""
    if ax is None:
        _, made = pyplot().subplots(figsize=size, layout="constrained")
        return dressed(made, grid)
    if not hasattr(ax, "plot") or not hasattr(ax, "set_xlabel"):
        raise TypeError(f"ax must be one Axes of Matplotlib, as plt.subplots() makes, but got {type(ax).__name__}")
    return dressed(ax, grid)


def dressed(ax: Any, grid: bool = True) -> Axes:
    from matplotlib import rcParams

    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color("#888888")
    for text in (ax.title, ax.xaxis.label, ax.yaxis.label):  # of axes that were there before us
        text.set_fontfamily(_with_chinese(text.get_fontfamily()))
    # ticks are made when the figure is shown, long after we return
    ax.tick_params(labelsize=9, color="#888888", labelfontfamily=_with_chinese(rcParams["font.family"]))
    ax.grid(grid, **({"color": "#E3E3E3", "linewidth": 0.6} if grid else {}))
    return cast("Axes", ax)


def legend_above(ax: Any, handles: Sequence[Any] | None = None, lines: bool = True) -> None:
    """A legend above the axes, where it covers nothing; a title, set before or after, stands above it.

    Without ``lines`` there is less room for each sample, enough for a marker.
    """
    found = ax.get_legend_handles_labels()[0] if handles is None else list(handles)
    for columns in range(min(len(found), 5), 0, -1):  # as many side by side as are not wider than the axes
        rows = math.ceil(len(found) / columns)
        legend = ax.legend(handles=found, ncols=math.ceil(len(found) / rows), loc="lower center",
                           bbox_to_anchor=(0.5, 1.0), columnspacing=1.0, handlelength=2.4 if lines else 1.0,
                           borderaxespad=0.2)  # fmt: skip
        if legend.get_window_extent().width <= ax.get_window_extent().width:
            break
    if not any(one.get_gid() == _SPACER for one in ax.child_axes):  # titles give way to axes, but not to legends
        spacer = ax.inset_axes((0.0, 1.0, 1.0, 0.0), gid=_SPACER)
        spacer.set_axes_locator(functools.partial(_place_of_legend, ax))
        spacer.axis("off")


def _place_of_legend(ax: Any, _: Any, renderer: Any) -> Any:
    legend = ax.get_legend()
    box = ax.get_window_extent(renderer) if legend is None else legend.get_window_extent(renderer)
    return box.transformed(ax.figure.transSubfigure.inverted())


def panels_for(count: int, columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    columns = 2 if count == 4 else min(columns, count)
    rows = math.ceil(count / columns)
    figure, grid = pyplot().subplots(
        rows,
        columns,
        figsize=(size[0] * columns, size[1] * rows),
        layout="constrained",
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    flat = list(grid.flat)
    for spare in flat[count:]:
        spare.remove()
    for above in flat[max(0, count - columns) : count]:
        above.tick_params(labelbottom=True)  # the lowest of its column, even where the last row is short
    return figure, [dressed(ax) for ax in flat[:count]]


def numbers(x: Any, what: str) -> Array:
    """Numbers as an array of floats, all of them finite."""
    if hasattr(x, "to_numpy"):
        x = x.to_numpy()
    try:
        found: Array = np.asarray(x, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"{what} must be numbers, in a list or an array whose rows are equally long") from None
    if found.size == 0:
        raise ValueError(f"{what} is empty; there is nothing to draw")
    bad = np.argwhere(~np.isfinite(found))
    if len(bad):
        place = "".join(f"[{i}]" for i in bad[0])
        raise ValueError(f"{what}{place} is {found[tuple(bad[0])]}; only finite numbers have a place in a plot")
    return found


def plane(X: Any, what: str = "X") -> Array:
    points = numbers(X, what)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(
            f"{what} must be points of a plane, rows of 2 numbers, but has the shape {points.shape}; "
            "choose two of the features"
        )
    return points


def room(low: Any, high: Any, part: float = 0.08) -> tuple[float, float]:
    """An interval with a margin on both sides, one that has a length even where the data have none."""
    margin = (float(high) - float(low)) * part or max(1.0, abs(float(low))) * part
    return float(low) - margin, float(high) + margin
