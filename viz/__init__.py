"""chainrule's pictures of computation graphs.

>>> from autograd import Value
>>> from viz import draw_graph, step_through
>>> x, y, z = Value(-2.0, label="x"), Value(5.0, label="y"), Value(-4.0, label="z")
>>> f = (x + y) * z
>>> f.backward()
>>> drawing = draw_graph(f).save("graph.svg")
>>> page = step_through(f).save("steps.html")
"""

from __future__ import annotations

from . import _ctrl_c as _ctrl_c  # before all that takes time

# isort: split
from typing import TYPE_CHECKING

from . import _guard as _guard  # first of all: is `autograd` ours?
from .derivation import Derivation, draw_derivation
from .dot import EngineError
from .drawing import Drawing, draw_dot, draw_graph
from .homework import Assignment, Code, assignment
from .live.exploring import Explorer, explore
from .live.player import Player
from .live.stepping import step_through
from .maps import MapDrawing, draw_maps, step_maps
from .sheets import Booklet, Worksheet, worksheet, worksheets

if TYPE_CHECKING:
    from .live.playgrounds import Playground, playground
    from .plots import (
        DescentAnimation,
        animate_descent,
        chinese_labels,
        plot_activation,
        plot_confusion,
        plot_decision_regions,
        plot_descent,
        plot_fit,
        plot_history,
        plot_perceptron,
        show_digits,
    )

__all__ = [
    "Assignment",
    "Booklet",
    "Code",
    "Derivation",
    "DescentAnimation",
    "Drawing",
    "EngineError",
    "Explorer",
    "MapDrawing",
    "Player",
    "Playground",
    "Worksheet",
    "animate_descent",
    "assignment",
    "chinese_labels",
    "draw_derivation",
    "draw_dot",
    "draw_graph",
    "draw_maps",
    "explore",
    "playground",
    "plot_activation",
    "plot_confusion",
    "plot_decision_regions",
    "plot_descent",
    "plot_fit",
    "plot_history",
    "plot_perceptron",
    "show_digits",
    "step_maps",
    "step_through",
    "worksheet",
    "worksheets",
]


if not TYPE_CHECKING:  # by a __getattr__ that they see, type checkers would take every name for known

    def __getattr__(name: str) -> object:
        """The plots and the playground, at their first use: `import viz` needs neither NumPy nor Matplotlib."""
        from autograd.needs import needs_numpy

        if name in ("Playground", "playground"):
            needs_numpy(name)
            from .live import playgrounds as room

            return getattr(room, name)
        if name in __all__:
            needs_numpy(f"{name}, which Matplotlib draws,", "matplotlib")
            from . import plots

            return getattr(plots, name)
        from autograd.hints import no_such_name

        elsewhere = {
            "make_dot": "write draw_graph(f)",
            "draw": "write draw_graph(f)",
            "trace": "write step_through(f)",
            **{name: f"it is in autograd: from autograd import {name}" for name in ("Value", "parse", "grad")},
            **{name: f"it is in nn: from nn import {name}" for name in ("MLP", "fit")},
        }
        raise no_such_name("viz", name, __all__, elsewhere)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
