"""Descents: the paths of several optimisers over one surface, at rest and moving."""

from __future__ import annotations

import base64
import html
import io
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import no_grad
from autograd.files import save_as
from autograd.messages import language, messages

from ..checks import at_least
from ..mistakes import Taught, shown_by
from .asking import plain
from .figures import (
    COLOURS,
    LINES,
    MARKERS,
    Array,
    axes_for,
    legend_above,
    numbers,
    panels_for,
    plane,
    pyplot,
    room,
    said,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Sides = tuple[tuple[float, float], tuple[float, float]]
GRID = 80  # heights along each side of a surface
FRAMES_PER_SECOND, MOST_FRAMES = 6, 60


def _paths(traces: Any) -> dict[str, Array]:
    """Paths by their names: from a dict, one trace, or a list of traces that have names."""
    if hasattr(traces, "points"):
        traces = [traces]
    if isinstance(traces, (list, tuple)) and traces and all(hasattr(one, "points") for one in traces):
        named: dict[str, Any] = {}
        for one in traces:
            if one.name in named:
                raise ValueError(f"two traces have the name {one.name!r}; give them as a dict, name → trace")
            named[one.name] = one
        traces = named
    if not isinstance(traces, Mapping):
        raise TypeError(f"traces must be a dict, name → trace or array of points, but got {type(traces).__name__}")
    if not traces:
        raise ValueError("traces is empty; there is no path to draw")
    return {str(name): plane(getattr(one, "points", one), f"the path of {str(name)!r}") for name, one in traces.items()}


def _bounds(paths: Mapping[str, Array], bounds: Any, minimum: Any) -> Sides:
    if bounds is not None:
        given = numbers(bounds, "bounds")
        if given.shape != (2, 2) or not (given[:, 0] < given[:, 1]).all():
            raise ValueError(f"bounds are ((left, right), (low, high)), but got {bounds!r}")
        return (float(given[0, 0]), float(given[0, 1])), (float(given[1, 0]), float(given[1, 1]))
    everything = np.concatenate([*paths.values(), *([] if minimum is None else [plane([minimum], "minimum")])])
    sides = []
    longest = float(np.ptp(everything, axis=0).max()) or 1.0
    for j in (0, 1):
        low, high = room(everything[:, j].min(), everything[:, j].max(), 0.15)
        short = max(0.0, 0.4 * longest - (high - low)) / 2  # a straight path still needs some land on both sides
        sides.append((low - short, high + short))
    return sides[0], sides[1]


@dataclass(frozen=True)
class _Surface:
    """Heights over a grid of the plane, and at which of them the contours are."""

    sides: Sides
    heights: Array
    cuts: Array

    def draw(self, ax: Axes, smooth: bool = True) -> None:
        """Contours; in small panels lines without soft edges, which take half of a picture's bytes."""
        ax.set(xlim=self.sides[0], ylim=self.sides[1], xlabel="x", ylabel="y")
        if not self.cuts.size:  # level everywhere
            return
        across, up = (np.linspace(*side, len(self.heights)) for side in self.sides)
        sheet = np.ma.masked_invalid(self.heights)
        bands = np.unique([sheet.min(), *self.cuts, sheet.max()])
        greys = [str(0.80 + 0.18 * i / max(1, len(bands) - 2)) for i in range(len(bands) - 1)]  # low is darker
        ax.contourf(across, up, sheet, levels=bands, colors=greys, zorder=0)
        ax.contour(across, up, sheet, levels=self.cuts, colors=["#A8A8A8" if smooth else "#BBBBBB"], linewidths=0.5,
                   linestyles="-", antialiased=smooth, zorder=1)  # fmt: skip


def _surface(f: Callable[[Any], Any], sides: Sides, levels: int, log: bool) -> _Surface:
    if not callable(f):
        raise TypeError(f"f must be a function of a pair, the height of the surface, but got {type(f).__name__}")
    at_least(1, "levels", levels)
    across, up = (np.linspace(low, high, GRID).tolist() for low, high in sides)

    def height(x: float, y: float) -> float:
        try:
            return float(plain(f([x, y])))
        except (ArithmeticError, ValueError):
            return math.nan
        except TypeError:
            raise TypeError("f must take a pair [x, y] and return one number, its height there") from None

    with no_grad():
        heights = np.array([[height(x, y) for x in across] for y in up])
    finite = heights[np.isfinite(heights)]
    if not finite.size:
        raise ValueError("f has no finite value within the bounds; choose other bounds")
    lowest, highest = float(finite.min()), float(finite.max())
    if not lowest < highest:
        cuts = np.array([])
    elif log:  # distances above the lowest point seen, over at most six powers of ten
        least = max((highest - lowest) * 1e-6, np.quantile(finite - lowest, 0.002))
        cuts = lowest + np.geomspace(least, highest - lowest, levels + 1)[:-1]
    else:
        cuts = np.linspace(lowest, highest, levels + 2)[1:-1]
    return _Surface(sides, heights, np.unique(cuts))


def _look(k: int, points: Array) -> dict[str, Any]:
    return {"color": COLOURS[k % len(COLOURS)], "linestyle": LINES[k % len(LINES)], "linewidth": 1.8,
            "marker": MARKERS[k % len(MARKERS)], "markersize": 5, "markeredgecolor": "white",
            "markeredgewidth": 0.6, "markevery": max(1, len(points) // 12)}  # fmt: skip


def _path(ax: Axes, name: str, points: Array, k: int) -> None:
    ax.plot(*points.T, **_look(k, points), label=name, zorder=3)
    _end(ax, points[-1], k)


def _end(ax: Axes, point: Any, k: int, animated: bool = False) -> Any:
    (end,) = ax.plot([point[0]], [point[1]], marker=MARKERS[k % len(MARKERS)], markersize=10, linestyle="none",
                     color=COLOURS[k % len(COLOURS)], markeredgecolor="black", markeredgewidth=1.3, zorder=5,
                     animated=animated)  # fmt: skip
    return end


def _landmarks(ax: Axes, starts: Sequence[Array], minimum: Any) -> None:
    for i, point in enumerate(np.unique(np.array(starts), axis=0)):
        ax.plot(*point, marker="o", markersize=10, markerfacecolor="white", markeredgecolor="black",
                markeredgewidth=1.6, linestyle="none", label=said("start") if i == 0 else None, zorder=4)  # fmt: skip
    if minimum is not None:
        ax.plot(*minimum, marker="*", markersize=14, color="black", markeredgecolor="white", linestyle="none",
                label=said("minimum"), zorder=4)  # fmt: skip


@styled
def plot_descent(
    f: Callable[[Any], Any],
    traces: Any,
    *,
    ax: Axes | None = None,
    side_by_side: bool = False,
    log: bool = True,
    levels: int = 14,
    bounds: Any = None,
    minimum: Sequence[float] | None = None,
) -> Axes | Figure:
    """The ways of several optimisers over one surface, drawn on its contours.

    A white disc is a start; the large marker with a black edge is where a path ends. Darker ground is lower.

    Args:
        f: the height at a pair [x, y], of numbers or Values, such as ``nn.training.minimisation.rosenbrock``.
        traces: a dict, name → `nn.training.Trace` or array of points, rows of 2 numbers; or a list of traces.
        ax: where to draw all of them on top of each other.
        side_by_side: a panel for each instead.
        log: contours at heights above the lowest that grow by a factor, not by a difference: a valley's floor shows.
        levels: how many contours.
        bounds: ((left, right), (low, high)); what the paths need, if not given.
        minimum: the lowest point, if it is to be marked.

    Returns:
        The Axes, or the Figure with ``side_by_side``.

    Raises:
        ValueError: for a path that is empty, not finite or not in the plane, bounds that are not, or both ``ax`` and
            ``side_by_side``.
        TypeError: if f or the traces are something else.
    """
    if ax is not None and side_by_side:
        raise ValueError("side_by_side makes a figure with a panel for each path; leave out ax, or side_by_side")
    paths = _paths(traces)
    surface = _surface(f, _bounds(paths, bounds, minimum), levels, log)
    if not side_by_side:
        ax = axes_for(ax, (5.2, 4.2), grid=False)
        surface.draw(ax)
        for k, (name, points) in enumerate(paths.items()):
            _path(ax, name, points, k)
        _landmarks(ax, [points[0] for points in paths.values()], minimum)
        legend_above(ax)
        return ax
    figure, panels = panels_for(len(paths), 3, (2.4, 2.1))
    for k, (panel, (name, points)) in enumerate(zip(panels, paths.items(), strict=True)):
        panel.grid(False)
        surface.draw(panel, smooth=False)
        _path(panel, name, points, k)
        _landmarks(panel, [points[0]], minimum)
        panel.set_title(said("steps", name=name, n=len(points) - 1), fontsize=9)
        panel.label_outer()
    return figure


class DescentAnimation(Taught):
    """Several descents, step by step, as a film that shows itself in a notebook.

    It is an ``<img>``, which an untrusted notebook shows, too. Readers who asked their system for less motion see the
    whole paths at once.

    Attributes:
        ax: the Axes that the surface is drawn on; ``ax.figure`` is the Figure.
        paths: the points by name.
        gif: the film.
        png: its last picture: the whole paths.
    """

    _to_see = shown_by("film", "descent.html")
    _to_write = ".save('descent.gif') writes it"

    def __init__(self, ax: Axes, paths: dict[str, Array], seconds: float, repeat: bool) -> None:
        self.ax = ax
        self.paths = paths
        self._steps = max(len(points) for points in paths.values()) - 1
        self.gif, self.png = self._film(seconds, repeat)

    def __repr__(self) -> str:
        return f"DescentAnimation({', '.join(self.paths)}; {self._steps} steps)"

    def _repr_html_(self) -> str:
        film, still = (base64.b64encode(data).decode() for data in (self.gif, self.png))
        names = ", ".join(self.paths)
        alt = html.escape(messages()["plot-paths"].format(names=names, n=self._steps))
        return (
            '<picture data-painted="matplotlib">'
            f'<source media="(prefers-reduced-motion: reduce)" srcset="data:image/png;base64,{still}">'
            f'<img alt="{alt}" style="max-width:100%" src="data:image/gif;base64,{film}"></picture>'
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the film as ``.gif``, as a page around it, ``.html``, or its last picture alone, ``.png``.

        Raises:
            ValueError: for another ending.
            FileNotFoundError: if the folder is not there.
        """
        page = (
            f'<!DOCTYPE html>\n<html lang="{html.escape(language())}">\n'
            f'<head><meta charset="utf-8"><title>{messages()["plot-descent"]}</title>\n'
            '<meta name="viewport" content="width=device-width"></head>\n'
            f"<body>\n<main>{self._repr_html_()}</main>\n</body>\n</html>\n"
        )
        kinds = {".gif": lambda: self.gif, ".png": lambda: self.png, ".html": page.encode}
        return save_as(path, kinds, "an animation is written as .gif, .html, or .png (the whole paths, at rest)")

    def _film(self, seconds: float, repeat: bool) -> tuple[bytes, bytes]:
        from PIL import Image

        frames = list(self._frames(min(self._steps + 1, math.ceil(FRAMES_PER_SECOND * seconds), MOST_FRAMES)))
        few = [frame.quantize(palette=self._palette(), dither=Image.Dither.NONE) for frame in frames]
        film, still = io.BytesIO(), io.BytesIO()
        pause = max(20, round(1000 * seconds / max(1, len(few) - 1)))
        times = [pause] * (len(few) - 1) + [max(pause, 2000)]
        again = {"loop": 0} if repeat else {}
        few[0].save(
            film, "gif", save_all=True, append_images=few[1:], duration=times, disposal=1, optimize=True, **again
        )
        few[-1].save(still, "png", optimize=True)
        return film.getvalue(), still.getvalue()

    def _palette(self) -> Any:
        """One table of colours for all frames: greys, and those of the paths, paler ones for their soft edges."""
        from matplotlib.colors import to_rgb
        from PIL import Image

        greys = np.concatenate([np.linspace(0, 190, 8), np.arange(200, 250, 6), [255]])  # the ground is light
        paths = np.array([to_rgb(COLOURS[k]) for k in range(min(len(self.paths), len(COLOURS)))])
        shades = np.concatenate([share * paths + (1 - share) * 0.9 for share in (1.0, 0.7, 0.35)])
        table = Image.new("P", (1, 1))
        table.putpalette(np.concatenate([greys.repeat(3), 255 * shades.ravel()]).round().astype(int).tolist())
        return table

    def _frames(self, count: int) -> Iterator[Any]:
        """Pictures from the first to the last step; the ground is painted once, as it is the same in all."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from PIL import Image

        figure: Any = self.ax.figure.canvas.figure
        before = figure.canvas
        moving: list[tuple[Any, Any]] = []
        for k, points in enumerate(self.paths.values()):
            (line,) = self.ax.plot([], [], **_look(k, points), zorder=3, animated=True)
            moving.append((line, _end(self.ax, (math.nan, math.nan), k, animated=True)))
        canvas: Any = FigureCanvasAgg(figure)
        try:
            canvas.draw()
            ground = canvas.copy_from_bbox(figure.bbox)
            for step in np.linspace(0, self._steps, count).round().astype(int).tolist():
                canvas.restore_region(ground)
                for (line, end), points in zip(moving, self.paths.values(), strict=True):
                    line.set_data(*points[: step + 1].T)
                    end.set_data(*points[: step + 1][-1:].T)
                    self.ax.draw_artist(line)
                for _, end in moving:
                    self.ax.draw_artist(end)
                yield Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
        finally:
            for both in moving:
                for artist in both:
                    artist.remove()
            figure.set_canvas(before)


@styled
def animate_descent(
    f: Callable[[Any], Any],
    traces: Any,
    *,
    ax: Axes | None = None,
    seconds: float = 5.0,
    repeat: bool = False,
    log: bool = True,
    levels: int = 14,
    bounds: Any = None,
    minimum: Sequence[float] | None = None,
) -> DescentAnimation:
    """Several optimisers on one surface, moving at the same pace, one step after the other.

    Args:
        seconds: how long the longest path takes.
        repeat: again and again, as for a slide; else the film stops at the whole paths, and nothing moves beside what
            one reads.
        f, traces, ax, log, levels, bounds, minimum: as for `plot_descent`.

    Returns:
        A `DescentAnimation`: it shows itself in a notebook, and ``.save("paths.gif")`` or ``.save("paths.html")``
        writes it. Its ``ax`` is the Axes.

    Raises:
        ValueError, TypeError: as `plot_descent`; also for seconds that are not above 0.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0.0 < seconds < math.inf:
        raise ValueError(f"seconds must be a number above 0, but got {seconds!r}")
    paths = _paths(traces)
    surface = _surface(f, _bounds(paths, bounds, minimum), levels, log)
    own = ax is None
    ax = axes_for(ax, (4.8, 3.8), grid=False)  # small pictures make a small film
    surface.draw(ax)
    looks = [ax.plot([], [], **_look(k, points), label=name)[0] for k, (name, points) in enumerate(paths.items())]
    _landmarks(ax, [points[0] for points in paths.values()], minimum)
    legend_above(ax)
    for look in looks:  # they were for the legend
        look.remove()
    animation = DescentAnimation(ax, paths, float(seconds), repeat)
    if own:
        pyplot().close(ax.figure)  # else a notebook shows the still picture, too
    return animation
