"""What a playground trains: the examples, the programs of the loss and of the model, and the optimisers' rules.

Everything comes in as functions and objects: a model is called with one example and has ``parameters()``, a loss is
called with outputs and a target, an optimiser has ``rule``, ``memory_starts`` and ``lr``. Nothing here knows of `nn`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from autograd import TracingError, Value
from autograd.javascript import statements
from autograd.symbols import Symbol, leaf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autograd.compiler.compiled import Compiled

MOST_CLASSES = 10  # of the whole numbers that one output is asked for: more are numbers, and no classes
_OF_AN_OPTIMIZER = ("rule", "memory_starts", "lr", "parameters")
_STATE = ("parameters", "memory", "memory_starts", "t")  # of one; all else that it holds are settings
_LOOKED_AT = 8  # examples on which a form of the loss is compared with the loss itself


@dataclass
class Examples:
    """What is learned from.

    Attributes:
        X: the examples, n first.
        targets: what the loss gets with each: a number, or a list of them.
        shown: the class of each (its place in ``classes``), or the number; None if there are several numbers.
        classes: the different targets, if they are classes; else empty.
    """

    X: NDArray[Any]
    targets: list[Any]
    shown: list[float] | None
    classes: list[Any]

    @property
    def flat(self) -> list[list[float]]:
        rows: list[list[float]] = self.X.reshape(len(self.X), -1).tolist()
        return rows

    @property
    def numbers(self) -> list[float]:
        """The targets, if each is one number, or a list of one."""
        return [float(t[0] if isinstance(t, list) else t) for t in self.targets]


def examples_of(X: Any, y: Any) -> Examples:
    """The checked form of what a user gave.

    Raises:
        ValueError: if there are none, a number is not finite, or y is not as long as X.
        TypeError: for what is no table of numbers.
    """
    import numpy as np

    table = _numbers(X, "X")
    if table.ndim == 1:
        table = table.reshape(-1, 1)
    targets = _numbers(y, "y")
    if targets.ndim > 2:
        raise ValueError(f"y holds a number or a list of numbers for each example, but has shape {targets.shape}")
    if len(targets) != len(table):
        raise ValueError(f"{len(table)} examples need {len(table)} targets, but y has {len(targets)}")
    whole = bool((targets == np.round(targets)).all())
    if targets.ndim == 1 or targets.shape[1] == 1:
        numbers = [int(t) if whole else float(t) for t in targets.ravel().tolist()]
        kept = numbers if targets.ndim == 1 else targets.tolist()
        classes = sorted(set(numbers)) if whole else []
        if not 2 <= len(classes) <= MOST_CLASSES:
            return Examples(table, kept, [float(t) for t in numbers], [])
        return Examples(table, kept, [float(classes.index(t)) for t in numbers], classes)
    one_hot = whole and (np.sort(targets, 1) == np.eye(targets.shape[1])[-1]).all()
    shown = targets.argmax(1).astype(float).tolist() if one_hot else None
    return Examples(table, targets.tolist(), shown, np.eye(targets.shape[1]).tolist() if one_hot else [])


def _with_all_classes(examples: Examples, outputs: int) -> Examples:
    """Of a model with several outputs whole numbers are classes, an output for each, whether an example has it or not.

    Raises:
        ValueError: for a class that there is no output for.
    """
    classes = [t for t in examples.targets if isinstance(t, int)]
    if outputs < 2 or len(classes) < len(examples.targets):
        return examples
    if not all(0 <= c < outputs for c in classes):
        told = ", ".join(map(str, sorted(set(classes))[:MOST_CLASSES]))
        raise ValueError(
            f"the model has {outputs} outputs, one for each of the classes 0…{outputs - 1}, "
            f"but y has the classes {told}{', …' if len(set(classes)) > MOST_CLASSES else ''}"
        )
    return replace(examples, shown=[float(t) for t in classes], classes=[*range(outputs)])


def _numbers(x: Any, name: str) -> NDArray[Any]:
    import numpy as np

    try:
        array = np.asarray(x.to_numpy() if hasattr(x, "to_numpy") else x)
    except ValueError:
        raise ValueError(f"{name} needs examples of one shape, but its lists are not all as long") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, such as [[0.5, -1.0], ...], but got {_short(x)}")
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} must hold a row for each of at least one example, but got {_short(x)}")
    if not np.isfinite(array).all():
        place = int(np.argwhere(~np.isfinite(array))[0][0])
        raise ValueError(f"every number must be finite, but {name}[{place}] is {array[place].tolist()!r}")
    return array.astype(float)


def _short(x: Any) -> str:
    text = repr(x).replace("\n", " ")
    return text if len(text) <= 60 else f"{text[:57]}..."


# --- the loss as a program


Form = Callable[[Any, Any], Any]


def compiled(
    model: Any, loss: Any, examples: Examples
) -> tuple[Compiled[Any], Compiled[Any], list[list[float]], Examples]:
    """The program of the model, that of the loss, the targets as the loss's program takes them, and the examples, with
    a class for each of several outputs.

    A class may be asked for as a number (``if t == 1``, ``outputs[t]``), and a program cannot be asked. So a loss of
    classes is tried in the forms that a program may have: with the class as it is, as a one-hot list, and as
    Σ tₖ·loss(output, class k). The first that gives what the loss gives is taken.

    Raises:
        TracingError: with the compiler's reason, if the model or the loss does not compile.
        TypeError: for what is no model or no loss.
    """
    from autograd.compiler import compile as compile_function  # it takes NumPy

    x = examples.X[0].tolist()
    try:
        outputs = compile_function(model, x, mean=False)
    except TracingError as error:
        raise TracingError(f"a playground needs a model that compiles, and this one does not: {error}") from None
    if not outputs.plan.theta.size:
        raise ValueError("this model has no parameters, so there is nothing to train")
    shape = outputs.outputs(examples.X[:1]).shape
    count = 0 if len(shape) == 1 else shape[1]
    examples = _with_all_classes(examples, count)
    first: Exception | None = None
    for form, rows in _forms(loss, examples, count):
        try:
            step = compile_function(lambda x, t, form=form: form(model(x), t), x, rows[0], mean=True)
            if not step.plan.backward:
                raise ValueError("the loss does not depend on any parameter of the model, so nothing could be learned")
            if why := _differs(step, model, loss, examples, rows):
                raise TracingError(why)
            return outputs, step, [row if isinstance(row, list) else [row] for row in rows], examples
        except Exception as error:
            first = first or error
    assert first is not None
    if isinstance(first, TracingError):
        raise TracingError(f"a playground needs a loss that compiles, and this one does not: {first}") from None
    raise first


def _forms(loss: Any, examples: Examples, outputs: int) -> Iterable[tuple[Form, list[Any]]]:
    """The loss as a program may have it, and the targets for it; ``outputs`` is 0 for a model that gives one Value."""
    plain = [float(t) if isinstance(t, int) else t for t in examples.targets]
    classes = examples.classes if isinstance(examples.targets[0], int) else []
    if classes and outputs > 1:
        yield loss, [[float(k == t) for k in range(outputs)] for t in examples.targets]
    else:
        yield loss, plain
    if 0 < len(classes) <= MOST_CLASSES:

        def of_classes(output: Any, t: Any) -> Any:
            terms = [weight * loss(output, c) for weight, c in zip(t, classes, strict=True)]
            return sum(terms[1:], terms[0])

        yield of_classes, [[float(c == t) for c in classes] for t in examples.targets]


def _differs(step: Compiled[Any], model: Any, loss: Any, examples: Examples, rows: list[Any]) -> str:
    """Where the program's loss differs from the loss itself, on one example of each target; "" if nowhere."""
    first = {repr(t): i for i, t in reversed([*enumerate(examples.targets)])}
    chosen = sorted(first.values())[: max(_LOOKED_AT, len(examples.classes))]
    found = step.outputs(examples.X[chosen], [rows[i] for i in chosen])
    for i, got in zip(chosen, found.tolist(), strict=True):
        y = loss(model(examples.X[i].tolist()), examples.targets[i])
        wanted = y.data if isinstance(y, Value) else float(y)
        if not math.isclose(got, wanted, rel_tol=1e-9, abs_tol=1e-9) and math.isfinite(wanted):
            return f"its program gives {got:.10g} for example {i}, but it gives {wanted:.10g} itself"
    return ""


def border(loss: Any, classes: Sequence[Any]) -> tuple[float, float]:
    """Where a single output turns from the first of two classes to the second, and how steeply it is coloured there.

    That is where the loss of both is the same: 0 for a logit or a score, half-way for a squared error.
    """

    def lead(s: float) -> float:
        a, b = (loss(Value(s), c) for c in classes)
        return float(a.data if isinstance(a, Value) else a) - float(b.data if isinstance(b, Value) else b)

    low, high = -64.0, 64.0
    middle = 0.5 * (float(classes[0]) + float(classes[1]))
    try:
        if not lead(low) < 0.0 < lead(high):
            return middle, 1.0
        for _ in range(60):
            at = 0.5 * (low + high)
            low, high = (at, high) if lead(at) < 0.0 else (low, at)
    except Exception:  # a loss may refuse such an output
        return middle, 1.0
    at = round(0.5 * (low + high), 9)
    a, b = float(classes[0]), float(classes[1])
    return at, 2.0 / (b - a) if a < at < b else 0.5


# --- the optimisers


def optimizers_of(given: Any) -> list[Any]:
    """One optimiser or several, checked.

    Raises:
        TypeError: for what is no optimiser.
        ValueError: for one that a page cannot run: with noise, with a schedule, or that has taken steps before.
    """
    chosen = list(given) if isinstance(given, (list, tuple)) else [given]
    if not chosen:
        raise ValueError("a playground needs at least one optimiser, such as nn.SGD(lr=0.1), but the list is empty")
    for optimizer in chosen:
        name = type(optimizer).__name__
        if isinstance(optimizer, (str, type)) or not all(map(partial(hasattr, optimizer), _OF_AN_OPTIMIZER)):
            came = repr(optimizer) if isinstance(optimizer, str) else getattr(optimizer, "__name__", name)
            raise TypeError(f"an optimiser is an object, such as nn.Adam(lr=0.01), or a list of them, but got {came}")
        if callable(optimizer.lr):
            raise ValueError(
                f"in a playground the learning rate is chosen by hand: give {name} a number for lr, not a schedule"
            )
        if getattr(optimizer, "noise", None) is not None:
            raise ValueError(f"a playground adds no noise to gradients: make this {name} without noise")
        if getattr(optimizer, "t", 0):
            raise ValueError(f"this {name} has taken {optimizer.t} steps already; a playground begins with a new one")
    return chosen


def names_of(optimizers: Sequence[Any]) -> list[str]:
    """What each is called: its class, and where two are of one class the settings in which they differ."""
    kinds = [type(o).__name__ for o in optimizers]
    names: list[str] = []
    for optimizer, kind in zip(optimizers, kinds, strict=True):
        twins = [o for o in optimizers if type(o).__name__ == kind]
        settings = {k: v for k, v in vars(optimizer).items() if k[0] != "_" and k not in _STATE}
        apart = {k: v for k, v in settings.items() if any(vars(o).get(k) != v for o in twins)}
        told = [f"{k} {v}" for k, v in apart.items() if v and (k != "lr" or len(apart) == 1)]
        names.append(", ".join([kind, *told]))
    return names


def rule_text(optimizer: Any) -> str:
    """An optimiser's rule as a JavaScript function: see `Rule` in playground-training.js.

    The rule is run on symbols. What depends on lr and t alone is computed once, in front of the loop.

    Raises:
        ValueError: if the rule is not plain arithmetic.
    """
    memory = [f"m{k}" for k in range(len(optimizer.memory_starts))]
    w, g, lr, t, *m = (leaf(name, ()) for name in ("w", "g", "lr", "t", *memory))
    name = type(optimizer).__name__
    try:
        results = optimizer.rule(w, g, lr, t, *m)
    except NotImplementedError:
        raise ValueError(f"{name} has no rule for one parameter alone, which is what a playground runs") from None
    except Exception as error:
        raise ValueError(f"the rule of {name} cannot be written as JavaScript: {error}") from None
    before, moving = _set_apart(results, {"lr", "t"})
    once, fixed = statements([x for x, _ in before])
    lines = [*once, *[f"const {called} = {text};" for text, (_, called) in zip(fixed, before, strict=True)]]
    inner, texts = statements(moving)
    reads = ["const w = W[i], g = G[i]", *[f"{name} = M[{k}][i]" for k, name in enumerate(memory)]]
    goals = ["newW[i]", *[f"newM[{k}][i]" for k in range(len(memory))]]
    writes = [f"{goal} = {text};" for goal, text in zip(goals, texts, strict=True)]
    body = " ".join([f"{', '.join(reads)};", *inner, *writes])
    return f"function (W, G, M, newW, newM, at, lr, t) {{ {' '.join(lines)} for (const i of at) {{ {body} }} }}"


def _set_apart(results: Sequence[Any], fixed: set[str]) -> tuple[list[tuple[Symbol, str]], list[Symbol]]:
    """The parts that depend on nothing but ``fixed``, each with a name, and the results with these names in them."""
    apart: dict[int, tuple[Symbol, str]] = {}
    done: dict[int, Symbol] = {}

    def is_fixed(s: Symbol) -> bool:
        if s.operator == "leaf":
            return s.detail in fixed
        return all(map(is_fixed, s.arguments))

    def rebuilt(s: Symbol) -> Symbol:
        if s.arguments and id(s) not in done:
            if is_fixed(s):
                apart[id(s)] = s, f"c{len(apart)}"
                done[id(s)] = leaf(apart[id(s)][1], ())
            else:
                done[id(s)] = Symbol(s.operator, tuple(map(rebuilt, s.arguments)), s.shape, s.detail, s.row)
        return done.get(id(s), s)

    moving = [rebuilt(x) if isinstance(x, Symbol) else x for x in results]
    return [*apart.values()], moving
