"""Curves: training epoch by epoch, a function with its derivative, a fit through examples."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from autograd import SHEET, Value, leaky_relu
from autograd.forward import apply
from autograd.hints import did_you_mean
from autograd.reals import is_real

from .asking import at_once, one_by_one, question
from .figures import (
    COLOURS,
    LINES,
    MARKERS,
    QUIET,
    Array,
    axes_for,
    dressed,
    legend_above,
    numbers,
    pyplot,
    room,
    said,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@styled
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
    columns = _recorded(history)
    losses = [name for name in ("loss", "val_loss") if name in columns]
    metrics = [name for name in columns if name not in ("epoch", "loss", "val_loss", "lr")]
    if log and any((columns[name] <= 0.0).any() for name in losses):
        raise ValueError("a logarithmic scale has no place for a loss of 0 or below; draw it with log=False")

    figure: Figure | None = None
    if ax is None and metrics:
        figure, both = pyplot().subplots(2, 1, figsize=(5.6, 5.2), layout="constrained", sharex=True)
        top, bottom = map(dressed, both)
    else:
        top = axes_for(ax, (5.6, 3.6))
        bottom = _twin(top) if metrics else top
    panels = [top] * len(losses) + [bottom] * len(metrics)
    drawn = _lines(columns, [*losses, *metrics], panels)
    if log:
        top.set_yscale("log")
    drawn += _best(columns, getattr(history, "best_epoch", None), top, [bottom, top] if figure else [top])

    compiled = getattr(history, "compiled", None)
    how = "training" if compiled is None else "compiled" if compiled else "eager"
    top.set(ylabel=said("loss"), title=said(how, backend=compiled))
    bottom.set_xlabel(said("epoch"))
    bottom.locator_params(axis="x", integer=True)
    if metrics:
        bottom.set_ylabel(", ".join(name for name in metrics if not name.startswith("val_")) or said("metric"))
    if figure is not None:
        for panel in (top, bottom):
            legend_above(panel, [line for line in drawn if line.axes is panel])
        return figure
    top.set_xlabel(said("epoch"))
    legend_above(top, drawn)
    return top


def _recorded(history: Any) -> dict[str, Array]:
    """The numbers of a history by their names, its epochs always among them."""
    if not isinstance(history, Mapping):
        raise TypeError(f"history must be what fit() returns, or a dict of lists, but got {type(history).__name__}")
    if "loss" not in history:
        raise ValueError(
            f'a history has the losses under "loss", but this one has only {", ".join(history) or "nothing"}'
        )
    columns = {name: numbers(column, f"history[{name!r}]") for name, column in history.items()}
    count = len(columns["loss"])
    for name, column in columns.items():
        if column.shape != (count,):
            raise ValueError(f'"loss" has {count} numbers, but {name!r} has the shape {column.shape}')
    return {"epoch": np.arange(1, count + 1), **columns}


def _lines(columns: dict[str, Array], names: list[str], panels: list[Axes]) -> list[Any]:
    """A line for each name, on its panel; few epochs are marked one by one."""
    drawn = []
    for k, (name, panel) in enumerate(zip(names, panels, strict=True)):
        drawn += panel.plot(
            columns["epoch"],
            columns[name],
            color=COLOURS[k % len(COLOURS)],
            linestyle=LINES[k % len(LINES)],
            marker=MARKERS[k % len(MARKERS)] if len(columns["epoch"]) <= 15 else None,
            markersize=4,
            label=_told(name),
        )
    return drawn


def _best(columns: dict[str, Array], best: Any, top: Axes, panels: list[Axes]) -> list[Any]:
    """A line through the panels at the best epoch, if there is one, a star at its loss, and what the legend shows."""
    epochs = columns["epoch"].tolist()
    if best is None or best not in epochs:
        return []
    marks = [one.axvline(best, color=QUIET, linewidth=1.0, linestyle=(0, (2, 2)), zorder=1) for one in panels]
    marks[-1].set_label(said("best", epoch=best))
    if "val_loss" in columns:
        height = columns["val_loss"][epochs.index(best)]
        top.plot([best], [height], marker="*", markersize=12, color="black", linestyle="none", zorder=4)
    return marks[-1:]


def _twin(ax: Any) -> Axes:
    """An axis at the right, for heights of another kind."""
    other = ax.twinx()
    other.tick_params(labelsize=9, color="#888888")
    other.spines[["top", "left"]].set_visible(False)
    other.spines["right"].set_color("#888888")
    return cast("Axes", other)


def _told(name: str) -> str:
    if name == "loss":
        return said("training-loss")
    if not name.startswith("val_"):
        return name
    return said("validation", name=said("loss") if name == "val_loss" else name[4:])


@styled
def plot_activation(
    f: Callable[[Any], Any] | str,
    *,
    ax: Axes | None = None,
    interval: tuple[float, float] = (-5.0, 5.0),
    label: str | None = None,
) -> Axes:
    """A function of one number and its derivative, the derivative by backpropagation.

    Args:
        f: made of Values, such as ``autograd.tanh`` or ``nn.activations.PReLU()``; or the name of an operation of one
            number in the derivative sheet, such as "tanh". Where it has no value there is a gap; where it
            or its derivative jumps, the two sides are not joined.
        interval: from where to where.
        label: what to call it; its own name, if not given. Draw several on one ``ax``: each takes the next colour
            and marker.

    Raises:
        ValueError: for an interval that does not go from a number to a larger one, or a function without a finite value
            in it.
        TypeError: if f cannot be called with a Value, or returns something else than a number.
    """
    function, label = _function(f, label)
    low, high = _interval(interval)
    places = np.linspace(low, high, 401).tolist()
    heights, slopes = _unjoined(places, lambda x: _with_slope(function, x))
    if not any(math.isfinite(y) for _, y in heights):
        raise ValueError(f"the function has no finite value between {low:g} and {high:g}; choose another interval")
    ax = axes_for(ax)
    k = sum(line.get_gid() == "chainrule-function" for line in ax.lines)
    name = label or getattr(function, "__name__", type(function).__name__)
    name = "f" if name == "<lambda>" else name
    first, second = 2 * k % len(COLOURS), (2 * k + 1) % len(COLOURS)
    ax.axhline(0.0, color="#AAAAAA", linewidth=0.8, zorder=1)
    marks: dict[str, Any] = {"marker": MARKERS[k % len(MARKERS)] if k else None, "markevery": 50, "markersize": 5}
    ax.plot(*zip(*heights, strict=True), color=COLOURS[first], linestyle="-", linewidth=2.2 - 0.5 * (k % 3), **marks,
            label=name, gid="chainrule-function")  # fmt: skip
    ax.plot(*zip(*slopes, strict=True), color=COLOURS[second], linestyle=LINES[1 + k % (len(LINES) - 1)], **marks,
            label=said("derivative", name=name))  # fmt: skip
    ax.set(xlim=(low, high), xlabel="z", ylabel="f(z), f′(z)")
    everything = np.array([y for _, y in [*heights, *slopes] if math.isfinite(y)])
    bulk = np.percentile(everything, [4, 96])
    if np.ptp(everything) > 20.0 * np.ptp(bulk) > 0.0:  # a pole: show the rest, not one point far away
        ax.set_ylim(*room(*bulk))
    legend_above(ax)
    return ax


def _function(f: Any, label: str | None) -> tuple[Callable[[Any], Any], str | None]:
    """The function that is meant, and what to call it."""
    if isinstance(f, str):
        word = {"linear": "identity", "leaky-relu": "leaky_relu", "leakyrelu": "leaky_relu"}.get(f.lower(), f.lower())
        known = sorted(name for name, op in SHEET.items() if op.arity == 1)
        built_in = [name for name in known if not SHEET[name].custom]
        if word == "leaky_relu":
            return leaky_relu, label or f
        if word not in known:
            raise ValueError(
                f"{f!r} is no operation of one number{did_you_mean(f, known)}; those are {', '.join(built_in)}, "
                "and f may be any function of one Value"
            )
        return lambda z: apply(word, z), label or f
    if isinstance(f, type):
        raise TypeError(f"f must be a function of one Value, but {f.__name__} is a class: make one, {f.__name__}()")
    if not callable(f):
        raise TypeError(f"f must be a function of one Value, such as autograd.tanh or 'tanh', but got {f!r}")
    return f, label


def _interval(interval: Any) -> tuple[float, float]:
    ends = numbers(interval, "interval")
    if ends.shape != (2,) or not ends[0] < ends[1]:
        raise ValueError(f"an interval is a pair (low, high) with low < high, but got {interval!r}")
    return float(ends[0]), float(ends[1])


def _with_slope(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
    z = Value(x)
    try:
        y = f(z)
        if is_real(y):  # a constant, or a step
            if 0.0 < abs(float(f(Value(x + 1e-6))) - float(y)) < 1e-3:
                raise TypeError(
                    "f gives plain numbers that change with its input, so their slope is lost; "
                    "in place of math.tanh(z.data) write autograd.tanh(z), and so on"
                )
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


@styled
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
            number, then compiled, then asked row by row, then number by number, whichever works first.
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
    places = np.linspace(xs.min(), xs.max(), 201) if xs.min() < xs.max() else np.array(room(xs[0], xs[0]))
    curves = {str(name): _curve(one, places) for name, one in fits.items()}
    ax = axes_for(ax)
    if truth is not None:
        heights = _curve(truth, places)
        if band is not None:
            ax.fill_between(places, heights - band, heights + band, color="#DDDDDD", linewidth=0, zorder=0,
                            label=said("truth-band", band=f"{band:g}"))  # fmt: skip
        ax.plot(places, heights, color=QUIET, linestyle=":", linewidth=1.6, label=said("truth"), zorder=2)
    ax.scatter(xs, ys, s=16, facecolors="white", edgecolors="#555555", linewidths=0.9, label=said("examples"), zorder=1)
    for k, (name, heights) in enumerate(curves.items()):
        style = [line for line in LINES if line != ":"]
        ax.plot(places, heights, color=COLOURS[k % len(COLOURS)], linestyle=style[k % len(style)], linewidth=2.2,
                label=name, zorder=3)  # fmt: skip
    ax.set(xlabel="x", ylabel="y")
    legend_above(ax)
    return ax


def _column(a: Any, what: str) -> Array:
    found = numbers(a, what)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1:
        raise ValueError(f"{what} must be one number for each example, but has the shape {found.shape}")
    return found


def _curve(predict: Any, places: Array) -> Array:
    ask, _ = question(predict)
    rows = places[:, None]
    answers = at_once(ask, rows)
    if answers is None or answers.size != len(places):
        try:
            answers = one_by_one(ask, rows)
        except TypeError:  # a function of a number, not of a list with one number in it
            answers = one_by_one(ask, places)
    if answers.size != len(places):
        raise ValueError(f"a fit gives one number for each x, but this one gives the shape {answers.shape[1:]}")
    return numbers(answers.reshape(-1), "the fitted curve")
