"""Finding minima and roots of functions: by SciPy's methods fed with our gradients, by Newton's own, and step by step.

`minimize` is for functions that one wants the minimum of; `descent_trace` is for seeing how an optimiser gets there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from autograd import NonFiniteError, Value, hessian, value_and_grad
from autograd.backward import numeric_adjoints
from autograd.needs import needed, needs_numpy
from autograd.signatures import Number
from autograd.transforms import flatten

from ..checks import not_negative, one_of, whole
from ..module import Module, put
from ..optim import Newton, Optimizer, derivatives, solve

_METHODS = {"bfgs": "BFGS", "l-bfgs": "L-BFGS-B", "cg": "CG", "newton-cg": "Newton-CG", "trust-exact": "trust-exact"}
_WITH_HESSIAN = ("newton-cg", "trust-exact")
X = TypeVar("X")


@dataclass(frozen=True)
class Minimum(Generic[X]):
    """What `minimize` found.

    Attributes:
        x: where, in the shape of x0 (for a `Module`, its state_dict; it then holds these numbers, too).
        value: f there.
        gradient_norm: the length of the gradient there.
        steps, evaluations: how many steps were taken, and how often f and its gradient were computed.
        converged: whether the method met its own criterion.
        message: what it says about that.
        path: the points after each step as flat lists, the start first.
    """

    x: X
    value: float
    gradient_norm: float
    steps: int
    evaluations: int
    converged: bool
    message: str
    path: list[list[float]]


@overload
def minimize(
    f: Callable[[], Any],
    x0: Module,
    method: str = "bfgs",
    *,
    max_steps: int | None = None,
    tolerance: float | None = None,
) -> Minimum[dict[str, float]]: ...
@overload
def minimize(
    f: Callable[[Any], Any],
    x0: X,
    method: str = "bfgs",
    *,
    max_steps: int | None = None,
    tolerance: float | None = None,
) -> Minimum[X]: ...
def minimize(
    f: Callable[..., Any],
    x0: Any,
    method: str = "bfgs",
    *,
    max_steps: int | None = None,
    tolerance: float | None = None,
) -> Minimum[Any]:
    """Minimise f from x0 on, with gradients by backpropagation.

    Args:
        f: a function of one argument in the shape of x0, made of Values, that returns one Value. If x0 is a `Module`, a
            function without arguments that computes a loss from it.
        x0: a number, a (nested) list or array of numbers, or a `Module`.
        method: "newton" (x - H⁻¹∇f, which takes one step on a quadratic; no SciPy needed), or through SciPy "bfgs",
            "l-bfgs", "cg" (conjugate gradient), and with our Hessian "newton-cg" and "trust-exact".
            Capitals make no difference.
        max_steps: when to give up.
        tolerance: on the gradient; the method's own, if not given.

    Raises:
        ImportError: without SciPy, for a method that needs it; the message says how to get it.
        ValueError: for an unknown method, or (newton) a Hessian that cannot be inverted.
        TypeError: if f is no function, or does not return one number.

    Source: J. Nocedal and S. Wright, Numerical Optimization (2006), chapters 3, 5, 6 and 7.
    """
    if not callable(f):
        raise TypeError(
            f"minimize takes a function first, and then where it starts, but got {type(f).__name__}: {f!r:.60}"
        )
    method = method.lower() if isinstance(method, str) else method
    one_of("method", method, (*_METHODS, "newton"))
    if tolerance is not None:
        not_negative("tolerance", tolerance)
    if max_steps is not None:
        max_steps = whole("max_steps", max_steps, 0)
    both, second, start, finish = _flat(f, x0)
    if method == "newton":
        return _newton(both, second, start, finish, 100 if max_steps is None else max_steps, tolerance)
    return _by_scipy(both, second, start, finish, method, max_steps, tolerance)


Derivatives = Callable[[list[float]], tuple[Any, list[float]]]
SecondDerivatives = Callable[[list[float]], list[list[float]]]


def _flat(
    f: Callable[..., Any], x0: Any
) -> tuple[Derivatives, SecondDerivatives, list[float], Callable[[list[float]], Any]]:
    """f with its gradient, and its Hessian, as functions of a flat list; the start; the way back to the shape of x0."""
    if not isinstance(x0, Module):
        entries, rebuild = flatten(x0)

        def of_flat(flat: list[Any]) -> Any:
            return f(rebuild(flat))

        return value_and_grad(of_flat), hessian(of_flat), [float(x) for x in entries], rebuild
    model = x0
    slots = model.parameters()

    def loss_at(numbers: list[float]) -> Value:
        put(slots, numbers)
        loss = f()
        if not isinstance(loss, Value):
            raise TypeError(f"f must compute a loss from the model, a Value, but returned {type(loss).__name__}")
        return loss

    def loss_and_gradient(numbers: list[float]) -> tuple[float, list[float]]:
        loss = loss_at(numbers)
        adjoints = numeric_adjoints(loss)
        return loss.data, [adjoints.get(p, 0.0) for p in slots]

    def finish(numbers: list[float]) -> dict[str, float]:
        put(slots, numbers)
        return model.state_dict()

    return loss_and_gradient, lambda x: derivatives(loss_at(x), slots)[1], [p.data for p in slots], finish


def _by_scipy(
    both: Derivatives,
    second: SecondDerivatives,
    start: list[float],
    finish: Callable[[list[float]], Any],
    method: str,
    max_steps: int | None,
    tolerance: float | None,
) -> Minimum[Any]:
    optimize = needed("scipy.optimize", f"minimize(method={method!r}) runs SciPy's", "scipy")
    import numpy

    path = [list(start)]

    def value_and_gradient(x: Any) -> tuple[float, Any]:
        value, gradient = both(x.tolist())
        return float(value), numpy.array(gradient, dtype=float)

    found = optimize.minimize(
        value_and_gradient,
        numpy.array(start),
        jac=True,
        hess=(lambda x: numpy.array(second(x.tolist()), dtype=float)) if method in _WITH_HESSIAN else None,
        method=_METHODS[method],
        tol=tolerance,
        callback=lambda x: path.append(x.tolist()),
        options={} if max_steps is None else {"maxiter": max_steps},
    )
    at = found.x.tolist()
    value, gradient = both(at)
    norm, steps, evaluations = math.hypot(*gradient), int(found.nit), int(found.nfev)
    return Minimum(finish(at), float(value), norm, steps, evaluations, bool(found.success), str(found.message), path)


def _newton(
    both: Derivatives,
    second: SecondDerivatives,
    start: list[float],
    finish: Callable[[list[float]], Any],
    max_steps: int,
    tolerance: float | None,
) -> Minimum[Any]:
    needs_numpy("minimize(method='newton')")
    x, path = list(start), [list(start)]
    enough = 1e-8 if tolerance is None else tolerance
    value, gradient = both(x)
    for step in range(max_steps + 1):
        norm = math.hypot(*gradient)
        if norm <= enough or step == max_steps:
            break
        direction = solve(second(x), gradient)
        x = [a - d for a, d in zip(x, direction, strict=True)]
        path.append(x)
        value, gradient = both(x)
    flat = norm <= enough
    objection = _kind_of_point(second(x)) if flat else ""
    converged, message = flat and not objection, f"the gradient is {norm:.3g} after {step} steps{objection}"
    return Minimum(finish(x), float(value), norm, step, step + 1, converged, message, path)


def _kind_of_point(matrix: list[list[float]]) -> str:
    """What is at a point without slope, from the Hessian there: "" for a minimum, else words that say what."""
    import numpy

    curvatures = numpy.linalg.eigvalsh(numpy.array(matrix, dtype=float))
    lowest, highest = float(curvatures[0]), float(curvatures[-1])
    enough = 1e-8 * max(abs(lowest), abs(highest))  # a flat direction, whose curvature is rounding, is no objection
    if lowest >= -enough:
        return ""
    what = "a saddle" if highest > enough else "a maximum"
    return f", but this is {what}, not a minimum: the Hessian has the eigenvalue {lowest:.3g}; start elsewhere"


def newton_root(f: Callable[[Any], Any], x0: float, *, tolerance: float = 1e-12, max_steps: int = 100) -> list[float]:
    """The way of Newton's method to a root of f: x ← x - f(x)/f′(x), the start first, the root last.

    Raises:
        ValueError: if f′ is 0 on the way, or there is no root within ``max_steps``; the message says where it was.
    """
    not_negative("tolerance", tolerance)
    whole("max_steps", max_steps, 0)
    both = value_and_grad(f)
    path = [float(x0)]
    for _ in range(max_steps):
        value, slope = both(path[-1])
        if abs(value) <= tolerance:
            return path
        if slope == 0.0 or not math.isfinite(value) or not math.isfinite(slope):
            raise ValueError(f"Newton's method is stuck at x = {path[-1]!r}: f = {value!r}, f′ = {slope!r}")
        path.append(path[-1] - value / slope)
    raise ValueError(f"no root within {max_steps} steps; the last x is {path[-1]!r}, with f = {both(path[-1])[0]!r}")


@dataclass(frozen=True)
class Trace:
    """The way of an optimiser over a surface, as data: point k, f there and the gradient there, the start first."""

    name: str
    points: list[list[float]]
    values: list[float]
    gradients: list[list[float]]


def descent_trace(
    f: Callable[[list[Any]], Any], start: Sequence[float], optimizer: Optimizer, steps: int = 100, name: str = ""
) -> Trace:
    """Let an optimiser walk over a surface, and note where it was.

    Args:
        f: the height at a point, a list of Values.
        start: where to begin, usually a pair of numbers.
        optimizer: an optimiser without parameters of its own, such as ``SGD(lr=0.01, momentum=0.9)``; it begins anew.
        steps: how many steps. The walk ends earlier if it leaves the finite numbers.
        name: for a legend; the optimiser's class, if not given.
    """
    place = [Value(x, f"x{i + 1}") for i, x in enumerate(start)]
    optimizer.bind(place)
    trace = Trace(name or type(optimizer).__name__, [], [], [])
    for k in range(steps + 1):
        optimizer.zero_grad()
        height = f(place)
        height.backward()
        point = [p.data for p in place]
        if not all(map(math.isfinite, (*point, height.data, *(p.grad for p in place)))):
            break
        trace.points.append(point)
        trace.values.append(height.data)
        trace.gradients.append([p.grad for p in place])
        if k < steps:
            try:
                optimizer.step(height if isinstance(optimizer, Newton) else None)
            except NonFiniteError:
                break
    return trace


# --- surfaces to walk on: a function of a pair, and where its lowest point is


def bowl(p: Sequence[Number]) -> Number:
    """½(x² + 10y²): a long valley. Lowest at (0, 0)."""
    return 0.5 * (p[0] ** 2 + 10.0 * p[1] ** 2)


def rosenbrock(p: Sequence[Number]) -> Number:
    """(1 - x)² + 100(y - x²)²: a bent valley with a nearly flat floor. Lowest at (1, 1) (Rosenbrock, 1960)."""
    return (1.0 - p[0]) ** 2 + 100.0 * (p[1] - p[0] ** 2) ** 2


def beale(p: Sequence[Number]) -> Number:
    """(1.5 - x + xy)² + (2.25 - x + xy²)² + (2.625 - x + xy³)². Lowest at (3, ½) (Beale, 1958)."""
    x, y = p
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def saddle(p: Sequence[Number]) -> Number:
    """x² - y²: no lowest point; along y = 0 the gradient leads into (0, 0), where it vanishes."""
    return p[0] ** 2 - p[1] ** 2


SURFACES: dict[str, tuple[Callable[[Sequence[Any]], Any], tuple[float, float] | None]] = {
    "bowl": (bowl, (0.0, 0.0)),
    "rosenbrock": (rosenbrock, (1.0, 1.0)),
    "beale": (beale, (3.0, 0.5)),
    "saddle": (saddle, None),
}
