"""chainrule's pictures of computation graphs.

>>> from autograd import Value
>>> from viz import draw_graph
>>> x, y, z = Value(-2.0, label="x"), Value(5.0, label="y"), Value(-4.0, label="z")
>>> f = (x + y) * z
>>> f.backward()
>>> draw_graph(f).save("graph.svg")
"""

from __future__ import annotations

from . import _guard as _guard  # first of all: is `autograd` ours?
from .derivation import Derivation, draw_derivation
from .dot import EngineError
from .drawing import Drawing, draw_dot, draw_graph

__all__ = ["Derivation", "Drawing", "EngineError", "draw_derivation", "draw_dot", "draw_graph"]
