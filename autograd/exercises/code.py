"""Exercises in code: a class `Value` of one's own, a backward pass, a local derivative. The first step that is wrong is
told, and the classic fault that gives just these numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..graph import format_number, names_in_order, topological_order
from ..mistakes import misremembered
from ..ops import LEAF, SHEET
from ..reals import CUT, is_real
from ..value import Value
from .feedback import Feedback, said, told_slips
from .paper import ByHand

Build = Callable[..., Any]  # from leaves to the end of a graph

OPERATIONS: dict[str, tuple[str, Build]] = {
    "add": ("a + b", lambda a, b: a + b),
    "mul": ("a * b", lambda a, b: a * b),
    "sub": ("a - b", lambda a, b: a - b),
    "div": ("a / b", lambda a, b: a / b),
    "neg": ("-a", lambda a, b: -a),
    "pow": ("a**3", lambda a, b: a**3),
    "tanh": ("a.tanh()", lambda a, b: a.tanh()),
    "exp": ("a.exp()", lambda a, b: a.exp()),
    "relu": ("a.relu()", lambda a, b: a.relu()),
    "sigmoid": ("a.sigmoid()", lambda a, b: a.sigmoid()),
}
# with a plain number, on the right and on the left
WITH_NUMBERS: dict[str, tuple[tuple[str, Build], ...]] = {
    "add": (("a + 2", lambda a, b: a + 2), ("2 + a", lambda a, b: 2 + a)),
    "mul": (("a * 3", lambda a, b: a * 3), ("3 * a", lambda a, b: 3 * a)),
    "sub": (("a - 2", lambda a, b: a - 2), ("2 - a", lambda a, b: 2 - a)),
    "div": (("a / 2", lambda a, b: a / 2), ("3 / a", lambda a, b: 3 / a)),
}
# graphs on which the classic faults of a backward pass show, from the simplest on; each with the operations it needs
GRAPHS: tuple[tuple[str, str, Build], ...] = (
    ("mul add", "(a + b) * a", lambda a, b: (a + b) * a),
    ("add", "a + a", lambda a, b: a + a),
    ("mul", "a * a", lambda a, b: a * a),
    ("add", "c + c, where c = a + a", lambda a, b: twice(a + a)),
    ("add", "c + a + c, where c = a + b", lambda a, b: around(a + b, a)),
    ("add mul", "c * c + c, where c = a * b", lambda a, b: late(a * b)),
    ("add mul", "c + c * c, where c = a * b", lambda a, b: soon(a * b)),
    ("add mul", "d * a + d, where d = c + c * b and c = a * b", lambda a, b: deep(a, b)),
)


def twice(c: Any) -> Any:
    return c + c


def around(c: Any, a: Any) -> Any:
    return c + a + c


def late(c: Any) -> Any:
    return c * c + c


def soon(c: Any) -> Any:
    return c + c * c


def deep(a: Any, b: Any) -> Any:
    c = a * b
    d = c + c * b
    return d * a + d


def check_class(student: type, operations: Sequence[str] = ("add", "mul", "tanh", "pow")) -> Feedback:
    """Check a class ``Value`` that a student wrote: its data, each operation forward and backward, then whole graphs.

    The class is made from a number, has ``data`` and ``grad``, the operators, and ``backward()``. The first thing that
    is wrong is told, and what comes after it is not tried.

    >>> check_class(Value)
    All 17 are right.

    Args:
        student: the class.
        operations: what it can do, in the order in which it is tried: "add", "mul", "sub", "div", "neg", "pow",
            "tanh", "exp", "relu", "sigmoid". Of the first four plain numbers are tried, too, on either side.

    Raises:
        TypeError: if it is no class.
        ValueError: for an operation that is not one of those.
    """
    if not isinstance(student, type):
        raise TypeError(f"check_class takes the class itself, as in check_class(Value), but got {student!r}")
    unknown = [name for name in operations if name not in OPERATIONS]
    if unknown:
        raise ValueError(f"operations can be {', '.join(OPERATIONS)}, but got {unknown[0]!r}")
    steps = list(_steps(operations))
    wrong = _wrong_leaf(student)
    if wrong:
        return _failed(wrong, 0, len(steps) + 1)
    for done, (text, build) in enumerate(steps, 1):
        wrong = _wrong_step(student, text, build)
        if wrong:
            return _failed(wrong, done, len(steps) + 1)
    return Feedback((said("answer-all", n=len(steps) + 1),), True, counted=len(steps) + 1, asked=len(steps) + 1)


class _Wrong(NamedTuple):
    """What is wrong first: the step, what is said, and the slips or faults by which it may have come about."""

    step: str
    told: str
    slips: tuple[str, ...] = ()


def _failed(wrong: _Wrong, done: int, of: int) -> Feedback:
    lines = (wrong.told, said("answer-score", n=done, of=of))
    return Feedback(lines, False, wrong.step, wrong.slips, done, of)


def _steps(operations: Sequence[str]) -> Iterator[tuple[str, Build]]:
    for name in operations:
        yield OPERATIONS[name]
    for name in operations:
        yield from WITH_NUMBERS.get(name, ())
    for needed, text, build in GRAPHS:
        if set(needed.split()) <= set(operations):
            yield text, build


def _wrong_leaf(student: type) -> _Wrong | None:
    """Whether a number becomes a node with the slots that one reads."""
    step = f"{student.__name__}(3.0)"
    try:
        made = student(3.0)
        data, grad = made.data, made.grad
    except Exception as error:  # whatever a student's class does
        return _Wrong(step, said("code-raised", step=step, error=_error(error)))
    for slot, x, right in (("data", data, 3.0), ("grad", grad, 0.0)):
        if not _same(x, right):
            return _Wrong(f"{step}.{slot}", said("code-leaf", step=step, slot=slot, right=right, got=repr(x)))
    return None


def _wrong_step(student: type, text: str, build: Build) -> _Wrong | None:
    """Whether one expression has the right value, and its leaves the right gradients."""
    numbers = (0.5, -2.0)
    ours = [Value(x, label=name) for x, name in zip(numbers, "ab", strict=True)]
    root = build(*ours)
    try:
        theirs = [student(x) for x in numbers]
        result = build(*theirs)
        data = result.data
    except Exception as error:
        return _Wrong(text, said("code-raised", step=text, error=_error(error)))
    if not _same(data, root.data):
        return _Wrong(text, said("code-value", step=text, at=_where(ours, root), **_both(data, root.data)))
    try:
        result.backward()
        got = [x.grad for x in theirs]
    except Exception as error:
        return _Wrong(text, said("code-raised", step=f"({text}).backward()", error=_error(error)))
    root.backward()
    gradients = {x: g for x, g in zip(ours, got, strict=True) if x.has_grad}
    if all(_same(g, x.grad) for x, g in gradients.items()):
        return None
    if _same(getattr(result, "grad", None), 1.0):  # it is not asked for, but tells a pass that did begin
        gradients[root] = 1.0
    return _explained(text, root, gradients)


def _where(leaves: Sequence[Value], root: Value) -> str:
    """The numbers of those leaves that are in the graph: a = 0.5, b = −2."""
    order = topological_order(root)
    return ", ".join(f"{x.label} = {format_number(x.data)}" for x in leaves if x in order)


def _both(got: object, right: float) -> dict[str, str]:
    return {"got": _short(got), "right": format_number(right)}


# --- a backward pass


def check_backward(student: Callable[[Value], object], operations: Sequence[str] | None = None) -> Feedback:
    """Check a backward pass that a student wrote: a function that takes the end of a graph of Values.

    It may return the gradients, a dictionary with the nodes as keys, or put them into ``node.grad``. A node has
    ``inputs`` and ``local_derivatives``, one for each input. The first graph on which a gradient is wrong is told.

    >>> from autograd import topological_order
    >>> def forgetful(root):
    ...     gradients = {root: 1.0}
    ...     for node in reversed(topological_order(root)):
    ...         for x, local in zip(node.inputs, node.local_derivatives):
    ...             gradients[x] = gradients[node] * local
    ...     return gradients
    >>> check_backward(forgetful, ["add"]).slips
    ('overwrites',)

    Args:
        student: the function.
        operations: those that the graphs may have; ["add"] for a pass that only knows sums. All if left out.

    Raises:
        TypeError: if it is no function.
    """
    if not callable(student):
        raise TypeError(f"check_backward takes a function, as in check_backward(my_backward), but got {student!r}")
    allowed = tuple(operations) if operations is not None else tuple(OPERATIONS)
    steps = [OPERATIONS[name] for name in allowed if name in OPERATIONS]
    steps += [(text, build) for needed, text, build in GRAPHS if set(needed.split()) <= set(allowed)]
    for done, (text, build) in enumerate(steps):
        root = build(Value(0.5, label="a"), Value(-2.0, label="b"))
        wrong = _wrong_pass(student, text, root)
        if wrong:
            return _failed(wrong, done, len(steps))
    return Feedback((said("answer-all", n=len(steps)),), True, counted=len(steps), asked=len(steps))


def _wrong_pass(student: Callable[[Value], object], text: str, root: Value) -> _Wrong | None:
    order = topological_order(root)
    try:
        returned = student(root)
    except Exception as error:
        return _Wrong(text, said("code-raised", step=text, error=_error(error)))
    asked = [node for node in order if node.inputs or node.op == ""]
    if isinstance(returned, Mapping):
        got = {node: returned.get(node, 0.0) for node in asked}
    else:
        got = {node: node.grad for node in asked}
    root.zero_grad()
    root.backward()
    if all(_same(got[node], node.grad) for node in asked):
        return None
    return _explained(text, root, got)


def check_derivative(op: str, student: Callable[..., object]) -> Feedback:
    """Check a local derivative that a student wrote: of each input of an operation, from its inputs.

    >>> check_derivative("mul", lambda a, b: (b, a))
    All 3 are right.

    Args:
        op: the operation's name in the derivative sheet, such as "tanh".
        student: a function of the inputs; it returns the derivative, or one for each input.

    Raises:
        ValueError: for an operation that the sheet does not have.
    """
    if op not in SHEET:
        raise ValueError(f"the derivative sheet has no {op!r}; it has {', '.join(SHEET)}")
    rule = SHEET[op]
    points = [(-1.5, 2.0), (0.5, -0.5), (2.0, 3.0)]
    if op in ("log", "sqrt", "pow", "div"):
        points = [(1.5, 2.0), (0.5, -0.5), (2.0, 3.0)]
    for done, point in enumerate(points):
        numbers = point[: rule.arity or 2]
        at = ", ".join(f"{n} = {format_number(x)}" for n, x in zip("xy", numbers, strict=False))
        y = rule.value(numbers)
        right = [0.0 if d is None or d is CUT else d for d in rule.local_derivatives(y, numbers)]
        what = f"the derivative of {op} at {at}"
        try:
            given = student(*numbers)
        except Exception as error:
            return _failed(_Wrong(what, said("code-raised", step=what, error=_error(error))), done, len(points))
        if given is ...:  # nothing is written yet
            return Feedback((said("answer-blank", names=what),), False, asked=len(points))
        got = list(given) if isinstance(given, (tuple, list)) else [given]
        if len(got) != len(right):
            told = said("code-count", what=what, n=len(right), got=len(got))
            return _failed(_Wrong(what, told), done, len(points))
        odd = [x for x in got if not is_real(x)]
        if odd:
            told = said("code-no-number", what=what, got=repr(odd[0])[:60])
            return _failed(_Wrong(what, told), done, len(points))
        for k, (x, d) in enumerate(zip(got, right, strict=True)):
            if not _same(x, d):
                which = what if len(right) == 1 else f"{what}, by input {k + 1}"
                slips = _slips_of_local(x, d, right, k, misremembered(op, y, numbers)[k])
                line = f"{said('first-wrong', what=which, guess=_short(x))} {told_slips(slips)}"
                return Feedback((line,), False, which, tuple(slips), done, len(points))
    return Feedback((said("answer-all", n=len(points)),), True, counted=len(points), asked=len(points))


def _slips_of_local(x: object, right: float, all_: Sequence[float], k: int, misread: Sequence[float]) -> list[str]:
    found = ["swapped"] if len(all_) == 2 and _same(x, all_[1 - k]) else []
    found += ["sign"] if _same(x, -right) else []
    return found + (["formula"] if any(_same(x, d) for d in misread) else [])


# --- the classic faults of a backward pass: each is played through, and whose numbers are the student's is named

Gradients = dict[Value, float]


def _explained(text: str, root: Value, got: Mapping[Value, object]) -> _Wrong:
    """The first gradient that is wrong, going backward, and the fault or the slip that gives it."""
    order = topological_order(root)
    names = names_in_order(order)
    first = next(node for node in reversed(order) if node in got and not _same(got[node], node.grad))
    what = f"∂f/∂{names[first]}" if first is not root else "∂f/∂f"
    at = _where([node for node in order if node.op == LEAF], root)
    line = said("code-gradient", step=text, at=at, what=what, **_both(got[first], first.grad))
    one = not any(x.inputs for x in root.inputs) and len({*root.inputs}) == len(root.inputs)
    walks = FAULTS_OF_ONE + FAULTS if one else FAULTS
    fitting = dict.fromkeys(fault for fault, walk in walks if _fits(walk(root), got))
    if "unseeded" in fitting:  # only the result's own gradient, which is not known here, would tell the two apart
        fitting.pop("kept", None)
    faults = tuple(fitting)
    if faults:
        return _Wrong(f"{what} in {text}", f"{line} {told_slips(faults, 'fault')}", faults)
    guess = got[first]
    slips: tuple[str, ...] = ()
    if is_real(guess) and first is not root:
        names_of_both = [f"∂{names[first]}"]
        slips = ByHand(root, names_of_both).check({first: float(guess)}).slips  # type: ignore[arg-type]
    return _Wrong(f"{what} in {text}", f"{line} {told_slips(slips)}", slips)


def _fits(wrong: Gradients, got: Mapping[Value, object]) -> bool:
    return all(_same(x, wrong.get(node, 0.0)) for node, x in got.items())


def _shares(node: Value, gradient: float) -> Iterator[tuple[Value, float]]:
    for x, local in zip(node.inputs, node.local_derivatives, strict=True):
        if local is not None:
            yield x, 0.0 if local is CUT else gradient * local


def _leaves_out(root: Value, place: int) -> Gradients:
    """An operation has a line for one of its inputs, and none for the other."""
    shares = list(_shares(root, 1.0))
    return dict([(root, 1.0), *shares[:place], *shares[place + 1 :]])


def _overwrites(root: Value) -> Gradients:
    """= where += is needed."""
    gradients = {root: 1.0}
    for node in reversed(topological_order(root)):
        for x, share in _shares(node, gradients.get(node, 0.0)):
            gradients[x] = share
    return gradients


def _speaks_early(root: Value) -> Gradients:
    """Recursion: whoever is told something hands on all that it has, again and again."""
    gradients: Gradients = {}

    def tell(node: Value, arriving: float) -> None:
        gradients[node] = gradients.get(node, 0.0) + arriving
        for x, share in _shares(node, gradients[node]):
            tell(x, share)

    tell(root, 1.0)
    return gradients


def _speaks_again(root: Value) -> Gradients:
    """Recursion along the paths: a node that is reached by two of them passes all that it has on twice."""
    gradients = {root: 1.0}

    def visit(node: Value) -> None:
        for x, share in _shares(node, gradients.get(node, 0.0)):
            gradients[x] = gradients.get(x, 0.0) + share
        for x in node.inputs:
            visit(x)

    visit(root)
    return gradients


def _in_order(order: Sequence[Value], root: Value) -> Gradients:
    gradients = {root: 1.0}
    for node in order:
        for x, share in _shares(node, gradients.get(node, 0.0)):
            gradients[x] = gradients.get(x, 0.0) + share
    return gradients


def _visits_once(root: Value, take: int) -> Gradients:
    """Each node once, but in the order in which it is met: breadth first (take 0), or depth first (take -1)."""
    order: list[Value] = []
    waiting = [root]
    while waiting:
        node = waiting.pop(take)
        if node not in order:
            order.append(node)
            waiting += node.inputs
    return _in_order(order, root)


def _down_first(root: Value) -> Gradients:
    """Each node once, itself before its inputs, and from the left."""
    order: list[Value] = []

    def visit(node: Value) -> None:
        if node not in order:
            order.append(node)
            for x in node.inputs:
                visit(x)

    visit(root)
    return _in_order(order, root)


FAULTS_OF_ONE: tuple[tuple[str, Callable[[Value], Gradients]], ...] = (
    ("left-out", lambda root: _leaves_out(root, 0)),
    ("left-out", lambda root: _leaves_out(root, 1)),
)
FAULTS: tuple[tuple[str, Callable[[Value], Gradients]], ...] = (
    ("unseeded", lambda root: {}),
    ("kept", lambda root: {root: 1.0}),
    ("last-only", lambda root: _in_order([root], root)),
    ("overwrites", _overwrites),
    ("recursion", _speaks_early),
    ("recursion", _speaks_again),
    ("order", lambda root: _visits_once(root, 0)),
    ("order", lambda root: _visits_once(root, -1)),
    ("order", _down_first),
    ("order", lambda root: _in_order(topological_order(root), root)),
)


# --- numbers and errors of a student


def _same(x: object, right: float) -> bool:
    """Whether a computed number is right: to eight digits, since nobody rounded it."""
    if not is_real(x):
        return False
    got = float(x)  # type: ignore[arg-type]
    return math.isclose(got, right, rel_tol=1e-8, abs_tol=1e-10) or (got != got and right != right)


def _short(x: object) -> str:
    return format_number(float(x)) if is_real(x) else repr(x)[:60]  # type: ignore[arg-type]


def _error(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


__all__ = ["check_backward", "check_class", "check_derivative"]
