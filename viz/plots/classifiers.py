"""Classifiers: the regions that they decide for, a perceptron's corrections, what they take for what."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..checks import at_least
from .asking import at_once, one_by_one, question
from .figures import (
    COLOURS,
    HATCHES,
    MARKERS,
    QUIET,
    TINTS,
    Array,
    axes_for,
    legend_above,
    numbers,
    panels_for,
    plane,
    room,
    said,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BATCH, ROW_BY_ROW = 200, 60  # points along each side of a decision region's grid


@styled
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

    A region has the colour of its class, the stronger the surer the model is: there are steps where the probability of
    the class, against that of the next best, is 60, 70, 80 and 90 %. Without colours, regions differ by their lightness
    and hatching, and examples by their markers. What an answer means:

    - A model with a method ``predict`` answers with labels; so does a function whose answers are integers or strings.
      How sure it is only a method ``predict_proba`` can tell, as scikit-learn's models have it.
    - Several numbers are a score for each class: the largest wins. Output k stands for the class k if the labels are
      0, 1, 2, …, else for the k-th label in order.
    - One number is a score for the higher of two labels: above ``threshold`` it wins.
    - Scores within [0, 1] are taken for probabilities, others for their logits: log-odds, or what softmax is given.

    Args:
        predict: called with an array of rows first. If it cannot take it, it is compiled, as a `Module` can be; if that
            fails, it is called with one row, a list of 2 floats, at a time.
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
    points = plane(X)
    labels = _classes_of(y, len(points))
    ask, gives_labels = question(predict)
    if resolution is not None:
        at_least(2, "resolution", resolution)
    sides = _sides(points, 0.12)
    across, up, answers = _ask_grid(ask, sides, resolution)
    classes, margins = _margins(answers, labels, gives_labels, threshold)
    steps = [_steps(answers, threshold, k) for k in range(len(classes))]
    if gives_labels:
        margins, steps = _by_probability(predict, across, up, answers, classes) or (margins, [(0.0,)] * len(classes))

    ax = axes_for(ax, (5.0, 4.2), grid=False)
    for k, margin in enumerate(margins):
        shown = margin.reshape(len(up), len(across))
        _region(ax, across, up, shown, steps[k], k, k < len(margins) - (len(margins) == 2))
    _scatter(ax, points, labels, classes)
    ax.set(xlim=sides[0], ylim=sides[1], xlabel=names[0], ylabel=names[1])
    legend_above(ax, lines=False)
    return ax


def _ask_grid(ask: Callable[[Any], Any], sides: Any, resolution: int | None) -> tuple[Array, Array, Array]:
    """The places of a grid across and up, and the answers there: all at once if possible, else of a coarser grid."""
    for side, way in ((resolution or BATCH, at_once), (resolution or ROW_BY_ROW, one_by_one)):
        across, up = (np.linspace(low, high, side) for low, high in sides)
        answers = way(ask, np.stack([a.ravel() for a in np.meshgrid(across, up)], axis=1))
        if answers is not None:
            break
    return across, up, cast(Array, answers)


def _region(ax: Axes, across: Array, up: Array, margins: Array, steps: Sequence[float], k: int, outlined: bool) -> None:
    """The ground where class k wins, stronger from step to step, and its border."""
    if (margins >= 0.0).any():
        strengths = np.linspace(0.4, 1.0, len(steps)) if len(steps) > 1 else [1.0]
        grounds = [(COLOURS[k % len(COLOURS)], TINTS[k % len(TINTS)] * strength) for strength in strengths]
        ax.contourf(across, up, margins, levels=[*steps, np.inf], colors=grounds,
                    hatches=[HATCHES[k % len(HATCHES)]], zorder=0)  # fmt: skip
        if outlined and (margins < 0.0).any():
            ax.contour(across, up, margins, levels=[0.0], colors=["#333333"], linewidths=1.2, linestyles="-", zorder=1)


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
        return (list(range(outputs)) if counted else known), _leads(answers)
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


def _steps(answers: Array, threshold: float | None, k: int) -> tuple[float, ...]:
    """By how much class k leads where its ground gets stronger: where its probability is 60, 70, 80 and 90 %.

    One score that is a probability leads by p − ``threshold``, several by the difference to the next best; a logit, or
    the difference of two, is log(p / (1 − p)) for two classes.
    """
    if answers.dtype.kind != "f":
        return (0.0,)
    if answers.min() < 0.0 or answers.max() > 1.0:
        return (0.0, *(math.log(p / (1.0 - p)) for p in (0.6, 0.7, 0.8, 0.9)))
    several = answers.ndim == 2 and answers.shape[1] > 1
    most = 1.0 if several else 1.0 - (threshold or 0.0) if k else threshold or 0.0
    return tuple(part * most for part in (0.0, 0.2, 0.4, 0.6, 0.8)) if most else (0.0,)


def _by_probability(
    model: Any, across: Array, up: Array, answers: Array, classes: Sequence[Any]
) -> tuple[list[Array], list[tuple[float, ...]]] | None:
    """Margins and steps from a model's probabilities, if it has any and its labels are those of the most probable."""
    known = getattr(model, "classes_", None)
    if known is None or not callable(getattr(model, "predict_proba", None)):
        return None
    found = at_once(model.predict_proba, np.stack([a.ravel() for a in np.meshgrid(across, up)], axis=1))
    if found is None or found.ndim != 2 or found.shape[1] != len(known) or len(known) < 2:
        return None
    place = {c: k for k, c in enumerate(np.asarray(known).tolist())}
    if not set(place) <= set(classes) or not np.array_equal(np.asarray(known)[found.argmax(axis=1)], answers):
        return None
    leads = _leads(found)
    margins = [leads[place[c]] if c in place else np.full(len(found), -1.0) for c in classes]
    return margins, [_steps(found, None, k) for k in range(len(classes))]


def _leads(scores: Array) -> list[Array]:
    """By how much each class leads the best of the others, in each row of scores."""
    return [scores[:, k] - np.delete(scores, k, axis=1).max(axis=1) for k in range(scores.shape[1])]


@styled
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
    points = plane(X)
    labels = _classes_of(y, len(points))
    if not steps:
        raise ValueError("there are no corrections to draw: the perceptron made no mistake")
    at_least(1, "most", most)
    for i, step in enumerate(steps):
        if len(step.w) != 2 or any(not 0 <= e < len(points) for e in step.examples):
            raise ValueError(f"correction {i + 1} does not belong to these {len(points)} points of the plane")
    chosen = np.unique(np.linspace(0, len(steps) - 1, min(most, len(steps))).round().astype(int)).tolist()
    drawn = _Corrections(steps, points, labels, _sides(points, 0.15))
    return drawn.beside_each_other(chosen) if ax is None else drawn.on_each_other(axes_for(ax), chosen)


@dataclass(frozen=True)
class _Corrections:
    """A perceptron's corrections and the examples that they were made for, in a box of the plane."""

    steps: list[Any]
    points: Array
    labels: Array
    box: Any

    def on_each_other(self, ax: Axes, chosen: list[int]) -> Axes:
        self._dress(ax)
        for i in chosen:
            last = i == len(self.steps) - 1
            name = said("after", k=i + 1) if last or i == 0 else None
            self._line(ax, i, color=str(0.8 * (1 - (i + 1) / len(self.steps))), linestyle="-" if last else "--",
                       linewidth=2.4 if last else 1.0, label=name)  # fmt: skip
        self._rings(ax, sorted({e for i in chosen for e in self.steps[i].examples}), said("mistaken"))
        legend_above(ax)
        return ax

    def beside_each_other(self, chosen: list[int]) -> Figure:
        figure, panels = panels_for(len(chosen), 3, (4.4, 3.4) if len(chosen) == 1 else (2.9, 2.7))
        found: dict[str, Any] = {}
        for panel, i in zip(panels, chosen, strict=True):
            self._dress(panel, 26.0)
            if i:
                self._line(panel, i - 1, color="#777777", linestyle="--", linewidth=1.2, label=said("line-before"))
            if not self._line(panel, i, color="black", linestyle="-", linewidth=2.0, label=said("line-after")):
                where = said("outside" if any(self.steps[i].w) else "no-line")
                panel.text(0.5, 0.03, where, transform=panel.transAxes, ha="center", fontsize=8, color=QUIET)
            self._rings(panel, self.steps[i].examples, said("corrected"))
            panel.set_title(said("correction", k=i + 1, n=len(self.steps)))
            panel.label_outer()
            for handle, name in zip(*panel.get_legend_handles_labels(), strict=True):
                found.setdefault(name, handle)
        figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=min(5, 2 * len(panels)))
        return figure

    def _dress(self, ax: Axes, size: float = 34.0) -> None:
        _scatter(ax, self.points, self.labels, np.unique(self.labels).tolist(), size)
        ax.set(xlim=self.box[0], ylim=self.box[1], xlabel="x₁", ylabel="x₂")

    def _line(self, ax: Axes, i: int, **look: Any) -> bool:
        """Draw the line after correction i, if it crosses the box."""
        ends = _across(self.steps[i].w, self.steps[i].b, self.box)
        if ends is not None:
            ax.plot(*ends.T, **look)
        return ends is not None

    def _rings(self, ax: Any, examples: Sequence[int], label: str) -> None:
        ax.scatter(*self.points[list(examples)].T, s=170, facecolors="none", edgecolors="black", linewidths=1.6,
                   zorder=4, label=label)  # fmt: skip


def _across(w: Sequence[float], b: float, box: Any) -> Array | None:
    """Where the line w·x + b = 0 enters and leaves a box; None if it misses it, or there is no line (w = 0)."""
    found = []
    for j, other in ((0, 1), (1, 0)):
        for edge in box[j] if w[other] else ():
            place = -(w[j] * edge + b) / w[other]
            if box[other][0] <= place <= box[other][1]:
                found.append((edge, place) if j == 0 else (place, edge))
    return None if len(found) < 2 else np.array(sorted(found))[[0, -1]]


@styled
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
    ax = axes_for(ax, (side + 0.3, side), grid=False)
    top = float(table.max())
    ax.imshow(table, cmap="Greys", vmin=0.0, vmax=top * 1.15)
    for (i, j), n in np.ndenumerate(table):
        ax.text(j, i, f"{n:.2f}" if normalise else f"{n:.0f}", ha="center", va="center", fontsize=9,
                color="white" if n > 0.55 * top else "black" if n else "#8A8A8A",
                fontweight="bold" if i == j else "normal")  # fmt: skip
    for set_ticks in (ax.set_xticks, ax.set_yticks):
        set_ticks(range(len(classes)), [str(c) for c in classes])
        set_ticks(np.arange(len(classes) + 1) - 0.5, minor=True)
    ax.grid(True, which="minor", color="#CCCCCC", linewidth=0.6)
    ax.tick_params(which="both", length=0)
    ax.set(xlabel=said("predicted"), ylabel=said("true"))
    right = float(np.mean([t == p for t, p in zip(true.tolist(), guess.tolist(), strict=True)]))
    ax.set_title(f"{right:.1%} of {len(true):,} right")
    return ax


@styled
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
    stack = _pixels(images, shape)
    count, (height, width) = len(stack), stack.shape[1:]
    at_least(1, "columns", columns)
    columns = min(columns, count)
    true = None if labels is None else _classes_of(labels, count, "labels").tolist()
    guess = None if predicted is None else _classes_of(predicted, count, "predicted").tolist()
    told = true or guess
    missed = [t != p for t, p in zip(true, guess, strict=True)] if true and guess else [False] * count

    rows = math.ceil(count / columns)
    caption = 0.32 if told else 0.0
    tall = height / width
    ax = axes_for(ax, (0.8 * columns + 0.2, (0.8 * tall + 0.8 * caption) * rows + 0.4))
    ax.grid(False)
    low, high = float(stack.min()), float(stack.max())
    greys = {"cmap": "Greys", "vmin": low, "vmax": high if high > low else low + 1.0}
    for i, (image, wrong) in enumerate(zip(stack, missed, strict=True)):
        text = f"✗ {true[i]} → {guess[i]}" if wrong and true and guess else str(told[i]) if told else ""
        _show(ax, image, greys, i % columns, (i // columns) * (tall + caption), text, wrong)
    ax.set(xlim=(-0.06, columns - 0.06), ylim=(rows * (tall + caption), -0.06), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    if true and guess:
        ax.set_xlabel(f"{sum(missed)} of {count} wrong: ✗ true → predicted" if any(missed) else f"all {count} right")
    else:
        ax.set_xlabel(f"{count} image{'s' * (count > 1)} of {height}×{width} pixels")
    return ax


def _pixels(images: Any, shape: tuple[int, int] | None) -> Array:
    """The images as an array of their heights and widths."""
    pixels = numbers(images, "images")
    if pixels.ndim == 1:
        pixels = pixels[None]
    if pixels.ndim == 2 and shape is None and math.isqrt(pixels.shape[1]) ** 2 != pixels.shape[1]:
        raise ValueError(f"{pixels.shape[1]} pixels do not make a square image; give shape=(height, width)")
    if shape is None:
        shape = pixels.shape[1:3] if pixels.ndim == 3 else (math.isqrt(pixels.shape[1]),) * 2
    if pixels.ndim > 3 or pixels[0].size != shape[0] * shape[1]:
        raise ValueError(
            f"an image of the shape {shape} has {shape[0] * shape[1]} pixels, but these are {pixels.shape[1:]}"
        )
    return pixels.reshape(len(pixels), *shape)


def _show(ax: Axes, image: Array, greys: dict[str, Any], x: float, y: float, text: str, wrong: bool) -> None:
    """One image with its left upper corner at (x, y), in a frame, over its text."""
    from matplotlib.patches import Rectangle

    width = 0.88
    height = width * (image.shape[0] / image.shape[1])
    ax.imshow(image, interpolation="nearest", extent=(x, x + width, y + height, y), **greys)
    ax.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=COLOURS[1] if wrong else "#BBBBBB",
                           linewidth=2.6 if wrong else 0.6, zorder=3))  # fmt: skip
    if text:
        ax.text(x + width / 2, y + height + 0.04, text, ha="center", va="top", fontsize=9,
                fontweight="bold" if wrong else "normal")  # fmt: skip


# --- examples and their labels


def _sides(points: Array, part: float) -> Any:
    """The box around points of the plane, with some room: (left, right), (low, high)."""
    return tuple(room(low, high, part) for low, high in zip(points.min(axis=0), points.max(axis=0), strict=True))


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
        numbers(labels, what)
        if (labels == labels.astype(int)).all():
            labels = labels.astype(int)
    return labels


def _scatter(ax: Any, points: Array, labels: Array, classes: Sequence[Any], size: float = 34.0) -> None:
    for k, c in enumerate(classes):
        ax.scatter(
            *points[labels == c].T,
            s=size,
            marker=MARKERS[k % len(MARKERS)],
            color=COLOURS[k % len(COLOURS)],
            edgecolors="white",
            linewidths=0.7,
            label=said("class", name=c),
            zorder=3,
        )
