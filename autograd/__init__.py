"""chainrule's engine: scalar reverse-mode automatic differentiation.

Every number is a `Value` that remembers how it was computed; `Value.backward` multiplies and adds the local derivatives
along the way back. Start reading at `autograd.value`, with the derivative sheet `autograd.ops` beside it.

>>> from autograd import Value
>>> x, y, z = Value(-2.0, label="x"), Value(5.0, label="y"), Value(-4.0, label="z")
>>> f = (x + y) * z
>>> f.backward()
>>> x.grad
-4.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._neighbours import warn_of_hips as _warn_of_hips
from .backward import backward_by_the_book
from .checking import Disagreement, GradientError, gradcheck
from .compiler import Index, TracingError
from .compiler import compile as compile
from .expression import ExpressionError, parse
from .functions import abs as abs
from .functions import (
    acos,
    add,
    asin,
    atan,
    atan2,
    cos,
    cosh,
    detach,
    div,
    dot,
    erf,
    erfc,
    exp,
    expm1,
    gelu,
    hypot,
    leaky_relu,
    log,
    log1p,
    logsumexp,
    maximum,
    minimum,
    mul,
    neg,
    reciprocal,
    register,
    relu,
    sigmoid,
    sin,
    sinh,
    softmax,
    softplus,
    sqrt,
    sub,
    tan,
    tanh,
    where,
)
from .functions import pow as pow
from .graph import Statistics, format_number, leaves, names, statistics, topological_order
from .modes import NonFiniteError, detect_anomaly, no_grad, scope
from .ops import SHEET, Op
from .recomputing import recompute
from .steps import BackwardStep, ForwardStep, backward_steps, forward_steps
from .storage import GraphFormatError, dumps, loads
from .transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .value import Value

DISTRIBUTION = "chainrule"  # how `nn` and `viz` know that this `autograd` is ours
__version__ = "0.1.0"

# `from autograd import *` leaves Python's own abs, compile and pow alone; type checkers take `abs as abs` for exported.
__all__ = [
    "SHEET",
    "BackwardStep",
    "Disagreement",
    "ExpressionError",
    "ForwardStep",
    "GradientError",
    "GraphFormatError",
    "Index",
    "NonFiniteError",
    "Op",
    "Statistics",
    "TracingError",
    "Value",
    "acos",
    "add",
    "asin",
    "atan",
    "atan2",
    "backward_by_the_book",
    "backward_steps",
    "cos",
    "cosh",
    "detach",
    "detect_anomaly",
    "div",
    "dot",
    "dumps",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "format_number",
    "forward_steps",
    "gelu",
    "grad",
    "gradcheck",
    "hessian",
    "hvp",
    "hypot",
    "jacobian",
    "jvp",
    "leaky_relu",
    "leaves",
    "loads",
    "log",
    "log1p",
    "logsumexp",
    "maximum",
    "minimum",
    "mul",
    "names",
    "neg",
    "no_grad",
    "parse",
    "reciprocal",
    "recompute",
    "register",
    "relu",
    "scope",
    "sigmoid",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sqrt",
    "statistics",
    "sub",
    "tan",
    "tanh",
    "topological_order",
    "value_and_grad",
    "vjp",
    "where",
]

globals().pop("backward", None)  # the file, which nobody asks for by that name: see `elsewhere.ENGINE`

if not TYPE_CHECKING:  # by a __getattr__ that they see, type checkers would take every name for known

    def __getattr__(name: str) -> object:
        from .elsewhere import ENGINE
        from .hints import no_such_name

        raise no_such_name("autograd", name, [*__all__, "abs", "compile", "pow"], ENGINE)


_warn_of_hips()
