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

from . import functions as _functions
from ._neighbours import warn_of_hips as _warn_of_hips
from .checking import Disagreement, GradientError, gradcheck
from .compile import TracingError, compile
from .expression import ExpressionError, parse
from .functions import (
    abs,
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
    pow,
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
)
from .graph import Statistics, format_number, leaves, names, recompute, statistics, topological_order
from .modes import NonFiniteError, detect_anomaly, no_grad, scope
from .ops import SHEET, Op
from .steps import BackwardStep, ForwardStep, backward_steps, forward_steps
from .storage import GraphFormatError, dumps, loads
from .transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .value import Value

DISTRIBUTION = "chainrule"  # how `nn` and `viz` know that this `autograd` is ours
__version__ = "0.1.0"

# `from autograd import *` leaves Python's own abs, compile and pow alone.
__all__ = [
    "SHEET",
    "BackwardStep",
    "Disagreement",
    "ExpressionError",
    "ForwardStep",
    "GradientError",
    "GraphFormatError",
    "NonFiniteError",
    "Op",
    "Statistics",
    "TracingError",
    "Value",
    "backward_steps",
    "detect_anomaly",
    "dumps",
    "format_number",
    "forward_steps",
    "grad",
    "gradcheck",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "leaves",
    "loads",
    "names",
    "no_grad",
    "parse",
    "recompute",
    "scope",
    "statistics",
    "topological_order",
    "value_and_grad",
    "vjp",
    *(name for name in _functions.__all__ if name not in ("abs", "pow")),
]

_warn_of_hips()
