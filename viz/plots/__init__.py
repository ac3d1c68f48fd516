"""Plots of training, decisions, fits and descents, drawn by Matplotlib, the extra ``chainrule[plots]``.

Every function draws plain numbers, or objects that are asked for no more than named attributes. It draws on ``ax``
where one is given, and makes a figure where not; it returns the `Axes`, or the `Figure` where it made several. How they
look is in `figures`.
"""

from __future__ import annotations

from .classifiers import plot_confusion, plot_decision_regions, plot_perceptron, show_digits
from .curves import plot_activation, plot_fit, plot_history
from .descents import DescentAnimation, animate_descent, plot_descent
from .figures import COLOURS, HATCHES, LINES, MARKERS, STYLE, TINTS, chinese_labels

__all__ = [
    "COLOURS",
    "HATCHES",
    "LINES",
    "MARKERS",
    "STYLE",
    "TINTS",
    "DescentAnimation",
    "animate_descent",
    "chinese_labels",
    "plot_activation",
    "plot_confusion",
    "plot_decision_regions",
    "plot_descent",
    "plot_fit",
    "plot_history",
    "plot_perceptron",
    "show_digits",
]
