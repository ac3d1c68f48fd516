"""Plots of training, decisions, fits and descents, drawn by Matplotlib, the extra ``chainrule[plots]``.

Every function draws plain numbers, or objects that are asked for no more than named attributes. It draws on ``ax``
where one is given, and makes a figure where not; it returns the `Axes`, or the `Figure` where it made several. A class,
optimiser or curve differs by line style, marker or hatch as well as by colour, so that a page in greyscale says the
same. The style holds while a function of ours draws; the reader's own rcParams stay as they were.

The colours are those of M. Okabe and K. Ito, Color Universal Design (2008).
"""

from __future__ import annotations

import functools
import hashlib
import html
import io
import math
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from autograd import Value, no_grad

from .drawing import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]
P = ParamSpec("P")
R = TypeVar("R")

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
LINES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (9, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
TINTS = ("#FFFFFF", "#D4D4D4", "#EFEFEF", "#BDBDBD", "#E2E2E2", "#C8C8C8", "#F7F7F7")  # grounds of the classes
HATCHES = ("", "////", "....", "\\\\\\\\", "xxx", "++", "oo")
STYLE: dict[Any, Any] = {
    "font.size": 10.0,
    "axes.titlesize": 11.0,
    "axes.labelsize": 10.0,
    "axes.axisbelow": True,
    "lines.linewidth": 1.8,
    "legend.frameon": True,
    "legend.framealpha": 0.9,
    "legend.edgecolor": "#CCCCCC",
    "legend.fontsize": 9.0,
    "hatch.color": "#9A9A9A",
    "hatch.linewidth": 0.5,
    "svg.hashsalt": "chainrule",
}
_QUIET = "#666666"
BATCH, ROW_BY_ROW = 200, 60  # points along each side of a decision region's grid


# --- what all of them share


def _matplotlib() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError('plots are drawn by Matplotlib: pip install "chainrule[plots]"') from None
    return plt


@contextmanager
def _style() -> Iterator[None]:
    """Our settings for a while. Not by `rc_context`, which resets all of them, those too that others set meanwhile: a
    notebook's backend is loaded with the first figure, perhaps in here, and says then that figures are to be shown."""
    from matplotlib import rcParams

    before = {key: rcParams[key] for key in STYLE}
    rcParams.update(STYLE)
    try:
        yield
    finally:
        rcParams.update(before)


def _styled(function: Callable[P, R]) -> Callable[P, R]:
    """The function in our style; it finds Matplotlib, or says how to get it, before it does anything."""

    @functools.wraps(function)
    def drawing(*args: P.args, **kwargs: P.kwargs) -> R:
        _matplotlib()
        with _style():
            return function(*args, **kwargs)

    return drawing


def _axes(ax: Any, size: tuple[float, float] = (5.2, 3.8)) -> Axes:
    """The axes to draw on: those given, or those of a new figure."""
    if ax is None:
        _, made = _matplotlib().subplots(figsize=size, layout="constrained")
        return _dressed(made)
    if not hasattr(ax, "plot") or not hasattr(ax, "set_xlabel"):
        raise TypeError(f"ax must be one Axes of Matplotlib, as plt.subplots() makes, but got {type(ax).__name__}")
    return _dressed(ax)


def _dressed(ax: Any, grid: bool = True) -> Axes:
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color("#888888")
    ax.tick_params(labelsize=9, color="#888888")  # ticks are made when the figure is shown, long after we return
    if grid:
        ax.grid(True, color="#E3E3E3", linewidth=0.6)
    dressed: Axes = ax
    return dressed


def _panels(count: int, columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    columns = 2 if count == 4 else min(columns, count)
    rows = math.ceil(count / columns)
    figure, grid = _matplotlib().subplots(
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
    return figure, [_dressed(ax) for ax in flat[:count]]


def _numbers(x: Any, what: str) -> Array:
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


def _plane(X: Any, what: str = "X") -> Array:
    points = _numbers(X, what)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(
            f"{what} must be points of a plane, rows of 2 numbers, but has the shape {points.shape}; "
            "choose two of the features"
        )
    return points


def _classes_of(y: Any, count: int, what: str = "y") -> Array:
    if hasattr(y, "to_numpy"):
        y = y.to_numpy()
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(f"{what} must be one class label for each example, but has the shape {labels.shape}")
    if len(labels) != count:
        raise ValueError(f"{count} examples need {count} labels, but {what} has {len(labels)}")
    if labels.dtype.kind == "f":
        _numbers(labels, what)
        if (labels == labels.astype(int)).all():
            labels = labels.astype(int)
    return labels


def _room(low: Any, high: Any, part: float = 0.08) -> tuple[float, float]:
    """An interval with a margin on both sides, one that has a length even where the data have none."""
    margin = (float(high) - float(low)) * part or max(1.0, abs(float(low))) * part
    return float(low) - margin, float(high) + margin


def _plain(y: Any) -> Any:
    """A Value's number, also inside lists."""
    if isinstance(y, Value):
        return y.data
    return [_plain(one) for one in y] if isinstance(y, (list, tuple)) else y


def _asked(ask: Callable[[Any], Any], rows: Array) -> Array | None:
    """The answers to all rows at once; None from a function that takes one row at a time."""
    try:
        with no_grad():
            answer = np.asarray(_plain(ask(rows)))
    except Exception:  # whatever it did not like, it is asked again row by row, and may complain then
        return None
    return answer if answer.ndim in (1, 2) and len(answer) == len(rows) and answer.dtype != object else None


def _asked_each(ask: Callable[[Any], Any], rows: Array) -> Array:
    with no_grad():
        return np.asarray([_plain(ask(row)) for row in rows.tolist()])


def _question(predict: Any) -> tuple[Callable[[Any], Any], bool]:
    """What to call with examples, and whether it answers with labels."""
    method = getattr(predict, "predict", None)
    if callable(method):
        return method, True
    if callable(predict):
        return predict, False
    raise TypeError(
        f"predict must be a function of examples, or a model with .predict, but got {type(predict).__name__}"
    )


def _scatter(ax: Axes, points: Array, labels: Array, classes: Sequence[Any], size: float = 34.0) -> None:
    for k, c in enumerate(classes):
        mine = points[labels == c]
        ax.scatter(
            mine[:, 0],
            mine[:, 1],
            s=size,
            marker=MARKERS[k % len(MARKERS)],
            color=COLOURS[k % len(COLOURS)],
            edgecolors="white",
            linewidths=0.7,
            label=f"class {c}",
            zorder=3,
        )


# --- training


@_styled
def plot_history(history: Mapping[str, Sequence[float]], *, ax: Axes | None = None, log: bool = False) -> Axes | Figure:
    """The loss epoch by epoch, in training and, where there was one, in validation; a metric such as the accuracy too.

    Args:
        history: what `nn.fit` returns, or a mapping with "loss", and maybe "epoch", "val_loss", metrics by their names
            and "val_" + name, all lists of equal length. Its ``best_epoch`` is marked; its ``compiled`` is told.
        ax: where to draw. The metric then has an axis of its own at the right.
        log: the losses on a logarithmic scale.

    Returns:
        The Axes of the losses; without ``ax``, and with a metric, the Figure with a panel for each.

    Raises:
        ValueError: without losses, for lists of different lengths, numbers that are not finite, or a loss that is not
            above 0 on a logarithmic scale.
        TypeError: if it is no mapping.
    """
    if not isinstance(history, Mapping):
        raise TypeError(f"history must be what fit() returns, or a dict of lists, but got {type(history).__name__}")
    if "loss" not in history:
        raise ValueError(
            f'a history has the losses under "loss", but this one has only {", ".join(history) or "nothing"}'
        )
    columns = {name: _numbers(column, f"history[{name!r}]") for name, column in history.items()}
    count = len(columns["loss"])
    for name, column in columns.items():
        if column.shape != (count,):
            raise ValueError(f'"loss" has {count} numbers, but {name!r} has the shape {column.shape}')
    epochs = columns.get("epoch", np.arange(1, count + 1))
    losses = [name for name in ("loss", "val_loss") if name in columns]
    metrics = [name for name in columns if name not in ("epoch", "loss", "val_loss", "lr")]
    if log and any((columns[name] <= 0.0).any() for name in losses):
        raise ValueError("a logarithmic scale has no place for a loss of 0 or below; draw it with log=False")

    figure: Figure | None = None
    if ax is None and metrics:
        figure, both = _matplotlib().subplots(2, 1, figsize=(5.6, 5.2), layout="constrained", sharex=True)
        top, bottom = _dressed(both[0]), _dressed(both[1])
    else:
        top = bottom = _axes(ax, (5.6, 3.6))
        if metrics:
            bottom = _twin(top)

    few = count <= 30
    drawn = []
    for k, name in enumerate([*losses, *metrics]):
        is_loss = name in losses
        (line,) = (top if is_loss else bottom).plot(
            epochs,
            columns[name],
            color=COLOURS[k % len(COLOURS)],
            linestyle=LINES[k % len(LINES)],
            marker=MARKERS[k % len(MARKERS)] if few else None,
            markersize=4,
            label=_told(name),
        )
        drawn.append(line)
    if log:
        top.set_yscale("log")
    best = getattr(history, "best_epoch", None)
    if best is not None and best in epochs:
        for one in (bottom, top) if figure else (top,):
            mark = one.axvline(best, color=_QUIET, linewidth=1.0, linestyle=(0, (2, 2)), zorder=1)
        mark.set_label(f"best epoch: {best}")
        drawn.append(mark)
        if "val_loss" in columns:
            height = columns["val_loss"][list(epochs).index(best)]
            top.plot([best], [height], marker="*", markersize=12, color="black", linestyle="none", zorder=4)

    top.set_ylabel("loss")
    compiled = getattr(history, "compiled", None)
    how = "" if compiled is None else f" (compiled, {compiled})" if compiled else " (eager)"
    top.set_title(f"training{how}")
    bottom.set_xlabel("epoch")
    bottom.locator_params(axis="x", integer=True)
    if metrics:
        bottom.set_ylabel(", ".join(name for name in metrics if not name.startswith("val_")) or "metric")
    if figure is not None:
        top.legend(handles=[line for line in drawn if line.axes is top])
        bottom.legend(handles=[line for line in drawn if line.axes is bottom])
        return figure
    top.set_xlabel("epoch")
    if metrics:  # a row above the plot: between two axes' curves there is seldom a free corner
        top.set_title(top.get_title(), pad=26)
        top.legend(handles=drawn, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(drawn), frameon=False,
                   columnspacing=1.0, handlelength=1.6, fontsize=8)  # fmt: skip
    else:
        top.legend(handles=drawn)
    return top


def _twin(ax: Any) -> Axes:
    """An axis at the right, for heights of another kind."""
    other = ax.twinx()
    other.tick_params(labelsize=9, color="#888888")
    other.spines[["top", "left"]].set_visible(False)
    other.spines["right"].set_color("#888888")
    twin: Axes = other
    return twin


def _told(name: str) -> str:
    if name == "loss":
        return "training loss"
    if name.startswith("val_"):
        return f"validation {name[4:]}"
    return name


@_styled
def plot_decision_regions(
    predict: Any,
    X: Any,
    y: Any,
    *,
    ax: Axes | None = None,
    threshold: float | None = None,
    resolution: int | None = None,
    names: tuple[str, str] = ("x₁", "x₂"),
) -> Axes:
    """Which class a model gives to each point of the plane, and the examples.

    What an answer means:

    - A model with a method ``predict`` answers with labels; so does a function whose answers are integers or strings.
    - Several numbers are a score for each class: the largest wins. Output k stands for the class k if the labels are
      0, 1, 2, …, else for the k-th label in order.
    - One number is a score for the higher of two labels: above ``threshold`` it wins.

    Args:
        predict: called with an array of rows first and, if it cannot take it, with one row, a list of 2 floats, at a
            time, as a `Module` is. Quicker for a Module: ``lambda rows: nn.predict(model, rows)``, which compiles it.
        X: n points, rows of 2 numbers.
        y: n class labels.
        threshold: 0 for a logit or a score of ±1, 0.5 for a probability; 0 if not given.
        resolution: how many points along each side are asked; 200, or 60 for a model that takes one row at a time.
        names: of the two features.

    Raises:
        ValueError: if X is not a list of points of the plane, y is not as long, a number is not finite, the answers do
            not fit the labels, or they look like probabilities (all within [0, 1]) and no ``threshold`` was given.
        TypeError: if ``predict`` cannot be asked.
    """
    points = _plane(X)
    labels = _classes_of(y, len(points))
    ask, gives_labels = _question(predict)
    if resolution is not None and (not isinstance(resolution, int) or resolution < 2):
        raise ValueError(f"resolution must be a whole number from 2 up, but got {resolution!r}")
    (left, right), (low, high) = (_room(points[:, j].min(), points[:, j].max(), 0.12) for j in (0, 1))

    def grid(side: int) -> tuple[Array, Array, Array]:
        across, up = np.linspace(left, right, side), np.linspace(low, high, side)
        return across, up, np.stack([a.ravel() for a in np.meshgrid(across, up)], axis=1)

    across, up, rows = grid(resolution or BATCH)
    answers = _asked(ask, rows)
    if answers is None:
        across, up, rows = grid(resolution or ROW_BY_ROW)
        answers = _asked_each(ask, rows)
    classes, margins = _margins(answers, labels, gives_labels, threshold)

    ax = _dressed(_axes(ax, (5.0, 4.2)), grid=False)
    ax.grid(False)
    for k, margin in enumerate(margins):
        sheet = margin.reshape(len(up), len(across))
        if not (sheet >= 0.0).any():
            continue
        ax.contourf(across, up, sheet, levels=[0.0, np.inf], colors=[TINTS[k % len(TINTS)]],
                    hatches=[HATCHES[k % len(HATCHES)]], zorder=0)  # fmt: skip
        if (sheet < 0.0).any() and k < len(margins) - (len(margins) == 2):
            ax.contour(across, up, sheet, levels=[0.0], colors=["#333333"], linewidths=1.2, linestyles="-", zorder=1)
    _scatter(ax, points, labels, classes)
    ax.set(xlim=(left, right), ylim=(low, high), xlabel=names[0], ylabel=names[1])
    ax.legend()
    return ax


def _margins(
    answers: Array, labels: Array, gives_labels: bool, threshold: float | None
) -> tuple[list[Any], list[Array]]:
    """The classes, and for each by how much it wins (above 0) or loses (below 0) at each point asked."""
    known = np.unique(labels).tolist()
    if answers.ndim == 2 and answers.shape[1] == 1:
        answers = answers[:, 0]
    if answers.ndim == 1 and (gives_labels or answers.dtype.kind in "iubUS"):
        classes = sorted({*known, *answers.tolist()})
        return classes, [np.where(answers == c, 0.5, -0.5) for c in classes]
    if answers.dtype.kind not in "iuf" or answers.ndim not in (1, 2):
        raise TypeError("predict must answer with a label, a score, or a list of scores for each example")
    if not np.isfinite(answers).all():
        raise ValueError("predict answers with inf or nan at some points of the plane; a region needs a finite score")
    if answers.ndim == 2:
        outputs = answers.shape[1]
        counted = all(isinstance(c, int) and 0 <= c < outputs for c in known)
        if not counted and len(known) != outputs:
            raise ValueError(f"predict gives scores for {outputs} classes, but y has the {len(known)} labels {known}")
        best = [answers[:, k] - np.delete(answers, k, axis=1).max(axis=1) for k in range(outputs)]
        return (list(range(outputs)) if counted else known), best
    if len(known) > 2:
        raise ValueError(f"one score tells 2 classes apart, but y has the {len(known)} labels {known}")
    if threshold is None and answers.min() >= 0.0 and answers.max() <= 1.0:
        raise ValueError(
            "every score lies between 0 and 1, as a probability does; say which answer means yes: threshold=0.5 for "
            "probabilities, threshold=0 for scores"
        )
    if len(known) == 1:
        known = [-1, 1] if known[0] in (-1,) else [0, 1] if known[0] in (0, 1) else [known[0], f"not {known[0]}"]
    score = answers - (threshold or 0.0)
    return known, [-score, score]


# --- functions of one number


@_styled
def plot_activation(
    f: Callable[[Any], Any],
    *,
    ax: Axes | None = None,
    interval: tuple[float, float] = (-5.0, 5.0),
    label: str | None = None,
) -> Axes:
    """A function of one number and its derivative, the derivative by backpropagation.

    Args:
        f: made of Values, such as ``autograd.tanh`` or ``nn.PReLU()``. Where it has no value there is a gap; where it
            or its derivative jumps, the two sides are not joined.
        interval: from where to where.
        label: what to call it; its own name, if not given. Draw several on one ``ax``: each takes the next colour.

    Raises:
        ValueError: for an interval that does not go from a number to a larger one, or a function without a finite value
            in it.
        TypeError: if f cannot be called with a Value, or returns something else than a number.
    """
    if not callable(f):
        raise TypeError(f"f must be a function of one Value, such as autograd.tanh, but got {f!r}")
    low, high = _interval(interval)
    places = np.linspace(low, high, 401).tolist()
    heights, slopes = _unjoined(places, lambda x: _with_slope(f, x))
    if not any(math.isfinite(y) for _, y in heights):
        raise ValueError(f"the function has no finite value between {low:g} and {high:g}; choose another interval")
    ax = _axes(ax)
    k = sum(line.get_gid() == "chainrule-function" for line in ax.lines)
    name = label or getattr(f, "__name__", type(f).__name__)
    name = "f" if name == "<lambda>" else name
    first, second = 2 * k % len(COLOURS), (2 * k + 1) % len(COLOURS)
    ax.axhline(0.0, color="#AAAAAA", linewidth=0.8, zorder=1)
    ax.plot(*zip(*heights, strict=True), color=COLOURS[first], linestyle="-", linewidth=2.2 - 0.5 * (k % 3),
            label=name, gid="chainrule-function")  # fmt: skip
    ax.plot(*zip(*slopes, strict=True), color=COLOURS[second], linestyle=LINES[1 + k % (len(LINES) - 1)],
            label=f"{name}, derivative")  # fmt: skip
    ax.set(xlim=(low, high), xlabel="z", ylabel="f(z), f′(z)")
    everything = np.array([y for _, y in [*heights, *slopes] if math.isfinite(y)])
    bulk = np.percentile(everything, [4, 96])
    if np.ptp(everything) > 20.0 * np.ptp(bulk) > 0.0:  # a pole: show the rest, not one point far away
        ax.set_ylim(*_room(*bulk))
    ax.legend()
    return ax


def _interval(interval: Any) -> tuple[float, float]:
    ends = _numbers(interval, "interval")
    if ends.shape != (2,) or not ends[0] < ends[1]:
        raise ValueError(f"an interval is a pair (low, high) with low < high, but got {interval!r}")
    return float(ends[0]), float(ends[1])


def _with_slope(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
    z = Value(x)
    try:
        y = f(z)
        if isinstance(y, (int, float)):
            return float(y), 0.0
        if not isinstance(y, Value):
            raise TypeError(f"f must return one Value, but returned {type(y).__name__}")
        (z if y is z else y).backward()
    except (ValueError, ArithmeticError):  # no value here, such as the logarithm of a negative number
        return math.nan, math.nan
    return y.data, z.grad


Curve = list[tuple[float, float]]


def _unjoined(places: list[float], f: Callable[[float], tuple[float, float]]) -> tuple[Curve, Curve]:
    """The points of both curves, with nan where a jump or a pole is: a line must not lead across it."""
    found = [f(x) for x in places]
    curves: tuple[Curve, Curve] = ([], [])
    for which, curve in enumerate(curves):
        finite = [y[which] for y in found if math.isfinite(y[which])]
        if not finite:
            curve.extend((x, math.nan) for x in places)
            continue
        typical = float(np.subtract(*np.percentile(finite, [95, 5]))) or 1.0
        for i, x in enumerate(places):
            y = found[i][which]
            if i:
                gap = _jump(f, which, places[i - 1], x, found[i - 1][which], y, 0.02 * typical)
                if gap is not None:
                    (a, fa), (b, fb) = gap
                    curve.extend([(a, fa), ((a + b) / 2, math.nan), (b, fb)])
            curve.append((x, y if math.isfinite(y) else math.nan))
    return curves


def _jump(
    f: Callable[[float], tuple[float, float]], which: int, a: float, b: float, fa: float, fb: float, small: float
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Both sides of a jump between a and b; None if the curve is continuous there, as far as 40 halvings can tell."""
    if not (math.isfinite(fa) and math.isfinite(fb)) or abs(fb - fa) <= small:
        return None
    for _ in range(40):
        middle = (a + b) / 2
        if middle in (a, b):
            break
        fm = f(middle)[which]
        if not math.isfinite(fm):
            return (a, fa), (b, fb)
        if abs(fm - fa) >= abs(fb - fm):
            b, fb = middle, fm
        else:
            a, fa = middle, fm
        if abs(fb - fa) <= small:
            return None
    return (a, fa), (b, fb)


@_styled
def plot_fit(
    predict: Any,
    x: Any,
    y: Any,
    *,
    truth: Callable[[float], float] | None = None,
    band: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Fitted curves through examples with one feature.

    Args:
        predict: a model or function, or a dict of several, label → predict. Each is asked with an array of rows of one
            number, then row by row, then number by number, whichever it takes first.
        x, y: n numbers each (rows of one number are as good).
        truth: the function that the examples were made from.
        band: half the width of a grey band about the truth: how far the noise goes.

    Raises:
        ValueError: if x and y differ in length, have more than one feature, or a number is not finite; for a band
            without a truth, or one that is not above 0.
        TypeError: if ``predict`` cannot be asked.
    """
    xs, ys = (_column(a, what) for a, what in ((x, "x"), (y, "y")))
    if len(xs) != len(ys):
        raise ValueError(f"x and y must be equally long, but have {len(xs)} and {len(ys)} numbers")
    if band is not None and truth is None:
        raise ValueError("band is drawn about the truth; give truth=, too")
    if band is not None and not (isinstance(band, (int, float)) and 0.0 < band < math.inf):
        raise ValueError(f"band must be a number above 0, half the band's width, but got {band!r}")
    fits = predict if isinstance(predict, Mapping) else {"fit": predict}
    if not fits:
        raise ValueError("predict is an empty dict; there is nothing to draw")
    places = np.linspace(xs.min(), xs.max(), 201) if xs.min() < xs.max() else np.array(_room(xs[0], xs[0]))
    curves = {str(name): _curve(one, places) for name, one in fits.items()}
    ax = _axes(ax)
    if truth is not None:
        heights = _curve(truth, places)
        if band is not None:
            ax.fill_between(places, heights - band, heights + band, color="#DDDDDD", linewidth=0, zorder=0,
                            label=f"truth ± {band:g}")  # fmt: skip
        ax.plot(places, heights, color=_QUIET, linestyle=":", linewidth=1.6, label="truth", zorder=2)
    ax.scatter(xs, ys, s=16, facecolors="white", edgecolors="#555555", linewidths=0.9, label="examples", zorder=1)
    for k, (name, heights) in enumerate(curves.items()):
        style = [line for line in LINES if line != ":"]
        ax.plot(places, heights, color=COLOURS[k % len(COLOURS)], linestyle=style[k % len(style)], linewidth=2.2,
                label=name, zorder=3)  # fmt: skip
    ax.set(xlabel="x", ylabel="y")
    ax.legend()
    return ax


def _column(a: Any, what: str) -> Array:
    found = _numbers(a, what)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1:
        raise ValueError(f"{what} must be one number for each example, but has the shape {found.shape}")
    return found


def _curve(predict: Any, places: Array) -> Array:
    ask, _ = _question(predict)
    rows = places[:, None]
    answers = _asked(ask, rows)
    if answers is None or answers.size != len(places):
        try:
            answers = _asked_each(ask, rows)
        except TypeError:  # a function of a number, not of a list with one number in it
            answers = _asked_each(ask, places)
    if answers.size != len(places):
        raise ValueError(f"a fit gives one number for each x, but this one gives the shape {answers.shape[1:]}")
    return _numbers(answers.reshape(-1), "the fitted curve")


# --- descents


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
    return {
        str(name): _plane(getattr(one, "points", one), f"the path of {str(name)!r}") for name, one in traces.items()
    }


def _bounds(paths: Mapping[str, Array], bounds: Any, minimum: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    if bounds is not None:
        given = _numbers(bounds, "bounds")
        if given.shape != (2, 2) or not (given[:, 0] < given[:, 1]).all():
            raise ValueError(f"bounds are ((left, right), (low, high)), but got {bounds!r}")
        return (float(given[0, 0]), float(given[0, 1])), (float(given[1, 0]), float(given[1, 1]))
    everything = np.concatenate([*paths.values(), *([] if minimum is None else [_plane([minimum], "minimum")])])
    sides = []
    longest = float(np.ptp(everything, axis=0).max()) or 1.0
    for j in (0, 1):
        low, high = _room(everything[:, j].min(), everything[:, j].max(), 0.15)
        short = max(0.0, 0.4 * longest - (high - low)) / 2  # a straight path still needs some land on both sides
        sides.append((low - short, high + short))
    return sides[0], sides[1]


def _surface(ax: Axes, f: Callable[[Any], Any], sides: Any, levels: int, log: bool, side: int = 120) -> None:
    across, up = (np.linspace(low, high, side) for low, high in sides)
    heights = np.empty((side, side))
    with no_grad():
        for i, b in enumerate(up.tolist()):
            for j, a in enumerate(across.tolist()):
                try:
                    heights[i, j] = float(_plain(f([a, b])))
                except (ArithmeticError, ValueError):
                    heights[i, j] = math.nan
                except TypeError:
                    raise TypeError("f must take a pair [x, y] and return one number, its height there") from None
    finite = heights[np.isfinite(heights)]
    if not finite.size:
        raise ValueError("f has no finite value within the bounds; choose other bounds")
    lowest, highest = float(finite.min()), float(finite.max())
    if not lowest < highest:
        ax.set(xlim=sides[0], ylim=sides[1])
        return  # level everywhere: no contours to draw
    if log:
        # distances above the lowest point seen, over at most six powers of ten
        steps = np.geomspace(
            max((highest - lowest) * 1e-6, np.quantile(finite - lowest, 0.002)), highest - lowest, levels + 1
        )
        cuts = lowest + steps[:-1]
    else:
        cuts = np.linspace(lowest, highest, levels + 2)[1:-1]
    cuts = np.unique(cuts)
    sheet = np.ma.masked_invalid(heights)
    bands = [lowest, *cuts.tolist(), highest] if cuts[0] > lowest else [*cuts.tolist(), highest]
    greys = [str(0.80 + 0.18 * i / max(1, len(bands) - 2)) for i in range(len(bands) - 1)]  # low is darker
    ax.contourf(across, up, sheet, levels=bands, colors=greys, zorder=0)
    ax.contour(across, up, sheet, levels=cuts, colors=["#A8A8A8"], linewidths=0.5, linestyles="-", zorder=1)
    ax.set(xlim=sides[0], ylim=sides[1])


def _path(ax: Axes, name: str, points: Array, k: int) -> None:
    every = max(1, len(points) // 12)
    ax.plot(points[:, 0], points[:, 1], color=COLOURS[k % len(COLOURS)], linestyle=LINES[k % len(LINES)], linewidth=1.8,
            marker=MARKERS[k % len(MARKERS)], markersize=5, markevery=every, markeredgecolor="white",
            markeredgewidth=0.6, label=name, zorder=3)  # fmt: skip
    _end(ax, points[-1], k)


def _end(ax: Axes, point: Array, k: int) -> None:
    ax.plot(*point, marker=MARKERS[k % len(MARKERS)], markersize=10, color=COLOURS[k % len(COLOURS)], linestyle="none",
            markeredgecolor="black", markeredgewidth=1.3, zorder=5)  # fmt: skip


def _landmarks(ax: Axes, starts: Sequence[Array], minimum: Any) -> None:
    for i, point in enumerate(np.unique(np.array(starts), axis=0)):
        ax.plot(*point, marker="o", markersize=10, markerfacecolor="white", markeredgecolor="black",
                markeredgewidth=1.6, linestyle="none", label="start" if i == 0 else None, zorder=4)  # fmt: skip
    if minimum is not None:
        ax.plot(*minimum, marker="*", markersize=14, color="black", markeredgecolor="white", linestyle="none",
                label="minimum", zorder=4)  # fmt: skip


@_styled
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
        f: the height at a pair [x, y], of numbers or Values, such as ``nn.minimize.rosenbrock``.
        traces: a dict, name → `nn.Trace` or array of points, rows of 2 numbers; or a list of traces.
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
    if not callable(f):
        raise TypeError(f"f must be a function of a pair, the height of the surface, but got {type(f).__name__}")
    if ax is not None and side_by_side:
        raise ValueError("side_by_side makes a figure with a panel for each path; leave out ax, or side_by_side")
    if isinstance(levels, bool) or not isinstance(levels, int) or levels < 1:
        raise ValueError(f"levels must be a whole number from 1 up, but got {levels!r}")
    paths = _paths(traces)
    sides = _bounds(paths, bounds, minimum)
    if not side_by_side:
        ax = _dressed(_axes(ax, (5.6, 4.4)), grid=False)
        ax.grid(False)
        _surface(ax, f, sides, levels, log)
        for k, (name, points) in enumerate(paths.items()):
            _path(ax, name, points, k)
        _landmarks(ax, [points[0] for points in paths.values()], minimum)
        ax.set(xlabel="x", ylabel="y")
        ax.legend()
        return ax
    figure, panels = _panels(len(paths), 3, (3.2, 2.9))
    for k, (panel, (name, points)) in enumerate(zip(panels, paths.items(), strict=True)):
        panel.grid(False)
        _surface(panel, f, sides, levels, log)
        _path(panel, name, points, k)
        _landmarks(panel, [points[0]], minimum)
        panel.set(title=f"{name}, {len(points) - 1} steps", xlabel="x", ylabel="y")
        panel.label_outer()
    return figure


class DescentAnimation:
    """Several descents, step by step: an SVG picture that moves by itself.

    In a notebook it shows itself. It moves once; point at it for the whole paths, and away to see it again. Readers who
    asked their system for less motion see the whole paths at once.

    Attributes:
        ax: the Axes that the surface is drawn on; ``ax.figure`` is the Figure.
        paths: the points by name.
        svg: the moving picture, the same bytes each time.
    """

    def __init__(self, ax: Axes, paths: dict[str, Array], seconds: float) -> None:
        self.ax = ax
        self.paths = paths
        self.seconds = seconds
        self.svg = self._written()

    def __repr__(self) -> str:
        return f"DescentAnimation({', '.join(self.paths)}; {self._steps} steps)"

    def _repr_html_(self) -> str:
        return self.svg

    @property
    def _steps(self) -> int:
        return max(len(points) for points in self.paths.values()) - 1

    def _written(self) -> str:
        """The still picture by Matplotlib; over it each path as one line that CSS uncovers, with a disc at its tip."""
        figure: Any = self.ax.figure
        text = io.StringIO()
        with _style():
            figure.savefig(text, format="svg", dpi=72, metadata={"Date": None, "Creator": None})
        still = text.getvalue()
        still = still[still.index("<svg") :]
        still = re.sub(r' d="[^"]*"', lambda found: _rounded(found.group()), still)  # a third of the bytes
        _, height = figure.get_size_inches() * 72
        rules, shapes = [], []
        key = hashlib.sha256(still.encode()).hexdigest()[:8]  # two pictures on one page must not share names
        last = max(1, self._steps)
        box = self.ax.get_window_extent()
        scale = 72 / figure.dpi
        for k, points in enumerate(self.paths.values()):
            places = self.ax.transData.transform(points) * scale
            places[:, 1] = height - places[:, 1]
            places = np.round(places, 1)
            walked = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(places, axis=0).T))])
            length = round(float(walked[-1]), 1) + 1.0
            name, colour = f"d{key}-{k}", COLOURS[k % len(COLOURS)]
            line, tip = [], []
            for i, (x, y) in enumerate(places.tolist()):
                at = f"{100 * i / last:.4g}%" + (",100%" if i == len(places) - 1 and i < last else "")
                line.append(f"{at}{{stroke-dashoffset:{length - walked[i]:.1f}}}")
                tip.append(f"{at}{{transform:translate({x}px,{y}px)}}")
            rules.append(f"@keyframes {name}l{{{''.join(line)}}}@keyframes {name}t{{{''.join(tip)}}}")
            rules.append(f".{name}l{{animation:{name}l {self.seconds:g}s linear 1 both}}")
            rules.append(f".{name}t{{animation:{name}t {self.seconds:g}s linear 1 both}}")
            way = "M" + " ".join(f"{x},{y}" for x, y in places.tolist())
            x, y = places[-1].tolist()
            shapes.append(
                f'<path class="{name}l m{key}" d="{way}" fill="none" stroke="{colour}" stroke-width="2" '
                f'stroke-dasharray="{length:g}" stroke-linejoin="round"/>'
                f'<g class="{name}t m{key}" transform="translate({x},{y})">{_tip(k, colour)}</g>'
            )
        style = (
            f"<style>{''.join(rules)}#c{key}:hover .m{key}{{animation:none}}"
            f"@media (prefers-reduced-motion:reduce){{.m{key}{{animation:none}}}}</style>"
        )
        x0, y0 = box.x0 * scale, height - box.y1 * scale
        clip = (
            f'<clipPath id="k{key}"><rect x="{x0:.1f}" y="{y0:.1f}" width="{box.width * scale:.1f}" '
            f'height="{box.height * scale:.1f}"/></clipPath>'
        )
        moving = f'{style}{clip}<g clip-path="url(#k{key})">{"".join(shapes)}</g>'
        title = f"<title>The paths of {html.escape(', '.join(self.paths))} over a surface</title>"
        still = re.sub(r"<svg ", f'<svg id="c{key}" role="img" ', still, count=1)
        opening = still.index(">", still.index("<svg")) + 1
        closing = still.rindex("</svg>")
        return still[:opening] + title + still[opening:closing] + moving + still[closing:]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the animation: ``.svg``, or ``.gif`` for where an SVG cannot move (by Pillow, which Matplotlib brings).

        Raises:
            ValueError: for another ending.
            FileNotFoundError: if the folder is not there.
        """
        target = Path(path)
        ending = target.suffix.lower()
        if ending == ".svg":
            write_whole(target, self.svg.encode("utf-8"))
        elif ending == ".gif":
            write_whole(target, self._gif())
        else:
            raise ValueError(f"an animation can be written as .svg or .gif, but got {target.name!r}")
        return target

    def _gif(self) -> bytes:
        from matplotlib.animation import FuncAnimation, PillowWriter

        frames = np.unique(np.linspace(0, self._steps, min(self._steps + 1, 60)).round().astype(int))
        movers: list[Any] = []
        for k, name in enumerate(self.paths):
            (line,) = self.ax.plot([], [], color=COLOURS[k % len(COLOURS)], linestyle=LINES[k % len(LINES)], zorder=6,
                                   label=f"_{name}")  # fmt: skip
            (tip,) = self.ax.plot([], [], color=COLOURS[k % len(COLOURS)], marker=MARKERS[k % len(MARKERS)],
                                  markeredgecolor="black", markersize=9, zorder=7, label=f"_{name}")  # fmt: skip
            movers.append((line, tip))

        def show(step: int) -> list[Any]:
            for (line, tip), points in zip(movers, self.paths.values(), strict=True):
                line.set_data(*points[: step + 1].T)
                tip.set_data(*points[min(step, len(points) - 1)][:, None])
            return [artist for both in movers for artist in both]

        figure: Any = self.ax.figure
        try:
            film = FuncAnimation(figure, show, frames=frames.tolist(), blit=False)
            with tempfile.TemporaryDirectory() as folder, _style():
                film.save(Path(folder) / "film.gif", writer=PillowWriter(fps=max(1, round(len(frames) / self.seconds))))
                return (Path(folder) / "film.gif").read_bytes()
        finally:
            for both in movers:
                for artist in both:
                    artist.remove()


def _rounded(way: str) -> str:
    return re.sub(r"-?\d+\.\d{2,}", lambda number: f"{float(number.group()):.1f}", way)


def _tip(k: int, colour: str) -> str:
    """The marker at a path's tip, of the same shape as in the legend."""
    from matplotlib.markers import MarkerStyle

    marker = MarkerStyle(MARKERS[k % len(MARKERS)])
    polygons: Any = marker.get_path().transformed(marker.get_transform()).to_polygons()
    corners = (np.asarray(polygons[0]) * (11.0, -11.0)).tolist()
    outline = "M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in corners) + "Z"
    return f'<path d="{outline}" fill="{colour}" stroke="#000" stroke-width="1"/>'


@_styled
def animate_descent(
    f: Callable[[Any], Any],
    traces: Any,
    *,
    ax: Axes | None = None,
    seconds: float = 5.0,
    log: bool = True,
    levels: int = 14,
    bounds: Any = None,
    minimum: Sequence[float] | None = None,
) -> DescentAnimation:
    """Several optimisers on one surface, moving at the same pace, one step after the other.

    Args:
        seconds: how long the longest path takes.
        f, traces, ax, log, levels, bounds, minimum: as for `plot_descent`.

    Returns:
        A `DescentAnimation`: it shows itself in a notebook, and ``.save("paths.svg")`` or ``.save("paths.gif")`` writes
        it. Its ``ax`` is the Axes.

    Raises:
        ValueError, TypeError: as `plot_descent`; also for seconds that are not above 0.
    """
    if not callable(f):
        raise TypeError(f"f must be a function of a pair, the height of the surface, but got {type(f).__name__}")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0.0 < seconds < math.inf:
        raise ValueError(f"seconds must be a number above 0, but got {seconds!r}")
    if isinstance(levels, bool) or not isinstance(levels, int) or levels < 1:
        raise ValueError(f"levels must be a whole number from 1 up, but got {levels!r}")
    paths = _paths(traces)
    sides = _bounds(paths, bounds, minimum)
    own = ax is None
    ax = _dressed(_axes(ax, (5.6, 4.4)), grid=False)
    ax.grid(False)
    _surface(ax, f, sides, levels, log, side=60)
    for k, name in enumerate(paths):
        ax.plot([], [], color=COLOURS[k % len(COLOURS)], marker=MARKERS[k % len(MARKERS)], markeredgecolor="black",
                markersize=7, label=name)  # fmt: skip
    _landmarks(ax, [points[0] for points in paths.values()], minimum)
    ax.set(xlabel="x", ylabel="y")
    ax.legend()
    animation = DescentAnimation(ax, paths, float(seconds))
    if own:
        _matplotlib().close(ax.figure)  # else a notebook shows the still picture, too
    return animation


# --- classifiers


@_styled
def plot_perceptron(corrections: Any, X: Any, y: Any, *, ax: Axes | None = None, most: int = 9) -> Axes | Figure:
    """A perceptron's corrections one by one: the line before (dashed) and after, and the mistaken points in rings.

    Args:
        corrections: what `Perceptron.fit` returns, or the list of its corrections: each with ``w``, ``b`` and
            ``examples``, the places in X of what was on the wrong side.
        X: n points, rows of 2 numbers.
        y: n targets, -1 or +1.
        ax: where to draw all lines on top of each other, the later the darker.
        most: how many corrections to draw; of more, the first, the last, and some between.

    Returns:
        The Figure, with a panel for each correction; the Axes, if one is given.

    Raises:
        ValueError: if there are none, X is not in the plane, y is not as long, or the corrections belong to other data.
    """
    steps = list(getattr(corrections, "corrections", corrections))
    points = _plane(X)
    labels = _classes_of(y, len(points))
    classes = np.unique(labels).tolist()
    if not steps:
        raise ValueError("there are no corrections to draw: the perceptron made no mistake")
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise ValueError(f"most must be a whole number from 1 up, but got {most!r}")
    for i, step in enumerate(steps):
        if len(step.w) != 2 or any(not 0 <= e < len(points) for e in step.examples):
            raise ValueError(f"correction {i + 1} does not belong to these {len(points)} points of the plane")
    chosen = np.unique(np.linspace(0, len(steps) - 1, min(most, len(steps))).round().astype(int)).tolist()
    box = tuple(_room(points[:, j].min(), points[:, j].max(), 0.15) for j in (0, 1))

    def line(on: Axes, step: Any, **look: Any) -> bool:
        ends = _across(step.w, step.b, box)
        if ends is not None:
            on.plot(ends[:, 0], ends[:, 1], **look)
        return ends is not None

    def rings(on: Axes, examples: Sequence[int], label: str | None = None) -> None:
        ringed = points[list(examples)]
        on.scatter(ringed[:, 0], ringed[:, 1], s=170, facecolors="none", edgecolors="black", linewidths=1.6, zorder=4,
                   label=label)  # fmt: skip

    if ax is not None:
        ax = _axes(ax)
        _scatter(ax, points, labels, classes)
        for i in chosen:
            part = (i + 1) / len(steps)
            last = i == len(steps) - 1
            name = f"after correction {i + 1}" if last or i == 0 else None
            line(ax, steps[i], color=str(0.8 * (1 - part)), linestyle="-" if last else "--",
                 linewidth=2.4 if last else 1.0, label=name)  # fmt: skip
        rings(ax, sorted({e for i in chosen for e in steps[i].examples}), "mistaken once")
        ax.set(xlim=box[0], ylim=box[1], xlabel="x₁", ylabel="x₂")
        ax.legend()
        return ax

    figure, panels = _panels(len(chosen), 3, (4.4, 3.4) if len(chosen) == 1 else (2.9, 2.7))
    for panel, i in zip(panels, chosen, strict=True):
        _scatter(panel, points, labels, classes, 26.0)
        if i:
            line(panel, steps[i - 1], color="#777777", linestyle="--", linewidth=1.2, label="line before")
        if not line(panel, steps[i], color="black", linestyle="-", linewidth=2.0, label="line after"):
            where = "its line is outside" if any(steps[i].w) else "no line: w = 0"
            panel.text(0.5, 0.03, where, transform=panel.transAxes, ha="center", fontsize=8, color=_QUIET)
        rings(panel, steps[i].examples, "corrected for")
        panel.set(title=f"correction {i + 1} of {len(steps)}", xlim=box[0], ylim=box[1], xlabel="x₁", ylabel="x₂")
        panel.label_outer()
    found: dict[str, Any] = {}
    for panel in panels:
        for handle, name in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(name, handle)
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=min(5, 2 * len(panels)))
    return figure


def _across(w: Sequence[float], b: float, box: Any) -> Array | None:
    """Where the line w·x + b = 0 enters and leaves a box; None if it misses it, or there is no line (w = 0)."""
    found = []
    for j, other in ((0, 1), (1, 0)):
        if w[other] == 0.0:
            continue
        for edge in box[j]:
            place = -(w[j] * edge + b) / w[other]
            if box[other][0] <= place <= box[other][1]:
                found.append((edge, place) if j == 0 else (place, edge))
    if len(found) < 2:
        return None
    ends = np.array(sorted(found))
    return ends[[0, -1]]


@_styled
def plot_confusion(
    y_true: Any, y_pred: Any, *, labels: Sequence[Any] | None = None, ax: Axes | None = None, normalise: bool = False
) -> Axes:
    """How many examples of class i (row) were taken for class j (column).

    Args:
        y_true, y_pred: n class labels each.
        labels: which classes, in which order; all that occur, sorted, if not given.
        normalise: shares of each row instead of counts.

    Raises:
        ValueError: if the two differ in length, are empty, or a label is not among ``labels``.
    """
    true = _classes_of(y_true, len(y_true), "y_true")
    guess = _classes_of(y_pred, len(true), "y_pred")
    if not len(true):
        raise ValueError("y_true is empty; there is nothing to draw")
    classes = list(labels) if labels is not None else sorted({*true.tolist(), *guess.tolist()})
    place = {c: k for k, c in enumerate(classes)}
    if len(place) < len(classes):
        raise ValueError(f"labels names a class twice: {classes}")
    table = np.zeros((len(classes), len(classes)))
    for t, p in zip(true.tolist(), guess.tolist(), strict=True):
        for one in (t, p):
            if one not in place:
                raise ValueError(f"the label {one!r} is not among labels, {classes}")
        table[place[t], place[p]] += 1
    if normalise:
        table = table / np.maximum(table.sum(axis=1, keepdims=True), 1.0)
    side = max(3.6, 0.48 * len(classes) + 1.2)
    ax = _dressed(_axes(ax, (side + 0.3, side)), grid=False)
    ax.grid(False)
    top = float(table.max())
    ax.imshow(table, cmap="Greys", vmin=0.0, vmax=top * 1.15)
    for (i, j), n in np.ndenumerate(table):
        ax.text(j, i, f"{n:.2f}" if normalise else f"{n:.0f}", ha="center", va="center", fontsize=9,
                color="white" if n > 0.55 * top else "black" if n else "#8A8A8A",
                fontweight="bold" if i == j else "normal")  # fmt: skip
    ax.set_xticks(range(len(classes)), [str(c) for c in classes])
    ax.set_yticks(range(len(classes)), [str(c) for c in classes])
    ax.set_xticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    ax.grid(True, which="minor", color="#CCCCCC", linewidth=0.6)
    ax.tick_params(which="both", length=0)
    ax.set(xlabel="predicted class", ylabel="true class")
    right = float(np.mean([t == p for t, p in zip(true.tolist(), guess.tolist(), strict=True)]))
    ax.set_title(f"{right:.1%} of {len(true):,} right")
    return ax


@_styled
def show_digits(
    images: Any,
    labels: Any = None,
    predicted: Any = None,
    *,
    ax: Axes | None = None,
    shape: tuple[int, int] | None = None,
    columns: int = 8,
) -> Axes:
    """Small grey images in a grid, with their labels; a wrong prediction has a heavy frame and a cross.

    Args:
        images: n rows of pixels, or an array of n images; the largest number is black.
        labels: n labels, the true ones.
        predicted: n labels that a model gave.
        shape: (height, width) of an image; a square, if not given.
        columns: how many in a row.

    Raises:
        ValueError: if there are none, a pixel is not finite, the pixels do not make the shape, or the labels are not as
            many as the images.
    """
    pixels = _numbers(images, "images")
    if pixels.ndim == 1:
        pixels = pixels[None]
    if pixels.ndim == 2 and shape is None and math.isqrt(pixels.shape[1]) ** 2 != pixels.shape[1]:
        raise ValueError(f"{pixels.shape[1]} pixels do not make a square image; give shape=(height, width)")
    if isinstance(columns, bool) or not isinstance(columns, int) or columns < 1:
        raise ValueError(f"columns must be a whole number from 1 up, but got {columns!r}")
    count = len(pixels)
    if shape is None:
        shape = pixels.shape[1:3] if pixels.ndim == 3 else (math.isqrt(pixels.shape[1]),) * 2
    if pixels.ndim > 3 or pixels[0].size != shape[0] * shape[1]:
        raise ValueError(
            f"an image of the shape {shape} has {shape[0] * shape[1]} pixels, but these are {pixels.shape[1:]}"
        )
    stack = pixels.reshape(count, *shape)
    true = None if labels is None else _classes_of(labels, count, "labels").tolist()
    guess = None if predicted is None else _classes_of(predicted, count, "predicted").tolist()

    columns = min(columns, count)
    rows = math.ceil(count / columns)
    caption = 0.0 if true is None and guess is None else 0.32
    ax = _axes(ax, (0.8 * columns + 0.2, (0.8 * shape[0] / shape[1] + 0.8 * caption) * rows + 0.4))
    ax.grid(False)
    tall, wide = shape[0] / shape[1], 0.88
    low, high = float(stack.min()), float(stack.max())
    for i, image in enumerate(stack):
        x, y = i % columns, (i // columns) * (tall + caption)
        ax.imshow(image, cmap="Greys", vmin=low, vmax=high if high > low else low + 1.0, interpolation="nearest",
                  extent=(x, x + wide, y + wide * tall, y))  # fmt: skip
        wrong = true is not None and guess is not None and true[i] != guess[i]
        ax.add_patch(_frame(x, y, wide, wide * tall, wrong))
        if caption:
            text = f"✗ {true[i]} → {guess[i]}" if wrong and true and guess else str((true or guess or [])[i])
            ax.text(x + wide / 2, y + wide * tall + 0.04, text, ha="center", va="top", fontsize=9,
                    fontweight="bold" if wrong else "normal")  # fmt: skip
    ax.set(xlim=(-0.06, columns - 0.06), ylim=(rows * (tall + caption), -0.06), aspect="equal", xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)
    if true is not None and guess is not None:
        missed = sum(t != p for t, p in zip(true, guess, strict=True))
        ax.set_xlabel(f"{missed} of {count} wrong: ✗ true → predicted" if missed else f"all {count} right")
    else:
        ax.set_xlabel(f"{count} image{'s' * (count > 1)} of {shape[0]}×{shape[1]} pixels")
    return ax


def _frame(x: float, y: float, width: float, height: float, wrong: bool) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, fill=False, edgecolor=COLOURS[1] if wrong else "#BBBBBB",
                     linewidth=2.6 if wrong else 0.6, zorder=3)  # fmt: skip


__all__ = [
    "DescentAnimation",
    "animate_descent",
    "plot_activation",
    "plot_confusion",
    "plot_decision_regions",
    "plot_descent",
    "plot_fit",
    "plot_history",
    "plot_perceptron",
    "show_digits",
]
