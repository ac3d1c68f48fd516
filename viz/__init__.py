"""chainrule's pictures of computation graphs.

>>> from autograd import Value
>>> from viz import draw_graph, step_through
>>> x, y, z = Value(-2.0, label="x"), Value(5.0, label="y"), Value(-4.0, label="z")
>>> f = (x + y) * z
>>> f.backward()
>>> draw_graph(f).save("graph.svg")
>>> step_through(f).save("steps.html")
"""

from __future__ import annotations

from . import _guard as _guard  # first of all: is `autograd` ours?
from .derivation import Derivation, draw_derivation
from .dot import EngineError
from .drawing import Drawing, draw_dot, draw_graph
from .player import Player, step_through

__all__ = [
    "Derivation",
    "Drawing",
    "EngineError",
    "Player",
    "draw_derivation",
    "draw_dot",
    "draw_graph",
    "step_through",
]
