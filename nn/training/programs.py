"""Programs: a model, or a model with its loss, traced once and kept with the model for as long as it stays as it is.

    program = Program(compile(lambda x, t: loss(model(x), t), x, t), parameters)
    mean, gradient = program.mean(chosen, X, Y)

Tracing a network of 80,000 weights takes a few seconds, as long as some epochs. So what was traced is kept,
beside the model and not in it, by the form of the loss and the shapes. It is taken up again only if the model is made
of the very same objects as it was then (`Structure`), and only for models that are made of this package's own parts,
whose outputs follow from these objects and from nothing else. Anything else, a module or an activation or a loss of the
user's own, is traced anew each time: what a closure refers to, no identity shows.

A class index would be an index into a list of Values, which cannot be recorded; the losses that take one are traced on
a one-hot list instead (`forms`).
"""

from __future__ import annotations

import traceback
from collections import OrderedDict
from collections.abc import Callable, Sequence
from operator import is_
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

import autograd
from autograd import TracingError, Value, functions
from autograd.compiler import compile as compile_function
from autograd.compiler.compiled import Compiled
from autograd.modes import watching

from .. import losses
from ..activations import FUNCTIONS
from ..layers import as_list
from ..module import Module
from .examples import Array

AT_ONCE = 1024  # examples in one call of the program: larger batches are added up in pieces, so that memory is bounded
FAMILIAR, STRANGE = 4, 32  # examples on which a program is compared with the scalar code
KEPT = 8  # programs kept with one model


class NotCompiled(Exception):
    """Why training stays eager. ``loud`` says whether the user should be warned."""

    def __init__(self, reason: str, loud: bool = True) -> None:
        super().__init__(reason)
        self.loud = loud


# --- losses in the form in which they can be traced


def signed_binary_cross_entropy(output: Any, target: Any) -> Any:
    """binary_cross_entropy for s = 1 - 2t, that is -1 for yes and +1 for no: Σ log(1 + e^(s·z))."""
    total = None
    for z, s in zip(as_list(output), as_list(target), strict=True):
        loss = functions.softplus(s * z)
        total = loss if total is None else total + loss
    return total


def one_hot_hinge(output: Any, target: Any) -> Any:
    """hinge for K scores and a one-hot target: Σ (1 - tⱼ)·max(0, 1 + sⱼ - Σ tᵢsᵢ)."""
    scores = as_list(output)
    right = sum((t * s for t, s in zip(target[1:], scores[1:], strict=True)), target[0] * scores[0])
    terms = [(1.0 - t) * functions.relu(1.0 + (s - right)) for t, s in zip(target, scores, strict=True)]
    return sum(terms[1:], terms[0])


def forms(loss: losses.Loss, outputs: int, targets: Sequence[Any]) -> tuple[losses.Loss, Callable[[Any], Array]]:
    """A loss that can be traced, and how its targets are written as an array."""
    if outputs > 1 and loss in (losses.cross_entropy, losses.hinge):
        return (one_hot_hinge if loss is losses.hinge else loss), lambda ts: _one_hot(ts, outputs)
    if loss is losses.binary_cross_entropy and all(np.isin(np.asarray(ts, float), (0.0, 1.0)).all() for ts in targets):
        return signed_binary_cross_entropy, lambda ts: 1.0 - 2.0 * np.asarray(ts, dtype=float)
    return loss, lambda ts: np.asarray(ts, dtype=float)


def _one_hot(targets: Any, count: int) -> Array:
    classes = np.asarray(targets, dtype=float)
    return classes if classes.ndim > 1 else np.eye(count)[classes.astype(int)]


# --- one function of the parameters, compiled


class Program:
    """A compiled function whose parameters are handed in as an array in an order of ours."""

    def __init__(self, step: Compiled[Any], parameters: Sequence[Value]) -> None:
        self.step = step
        place = {p: k for k, p in enumerate(step.parameters)}
        used = [k for k, p in enumerate(parameters) if p in place]
        self.count = len(parameters)
        self.used = np.array(used, dtype=np.intp)
        self.into = np.array([place[parameters[k]] for k in used], dtype=np.intp)
        self.exact = len(used) == len(parameters) == len(place)  # the same parameters: a permutation
        self.back = np.argsort(self.into) if self.exact else self.into

    def load(self, w: Array) -> None:
        """Set the parameters. Those that are not trained stay as `Compiled.pull` found them."""
        theta = self.step.theta
        if self.exact:
            np.take(w, self.back, out=theta, mode="clip")  # twice as fast as indexing
        else:
            theta[self.into] = w[self.used]

    def gradient(self) -> Array:
        if self.exact:
            return np.take(self.step.gradient, self.into, mode="clip")
        g = np.zeros(self.count)
        g[self.used] = self.step.gradient[self.into]
        return g

    def mean(self, chosen: Array, *tables: Array) -> tuple[float, Array]:
        """The mean loss over the chosen rows of some tables, and its gradient."""
        n = len(chosen)
        if n <= AT_ONCE:
            return self.step(*[table.take(chosen, axis=0) for table in tables]), self.gradient()
        total, g = 0.0, np.zeros(self.count)
        for k in range(0, n, AT_ONCE):
            piece = chosen[k : k + AT_ONCE]
            mean, slope = self.mean(piece, *tables)
            total += mean * len(piece)
            g += slope * len(piece)
        return total / n, g / n


def outputs(step: Compiled[Any], chosen: Any, *tables: Array) -> Array:
    """What a compiled function returns for each of the chosen rows of some tables."""
    cuts = [chosen[k : k + AT_ONCE] for k in range(0, len(chosen), AT_ONCE)]
    pieces = [step.outputs(*[table[_index(cut)] for table in tables]) for cut in cuts]
    if isinstance(pieces[0], tuple):
        raise NotCompiled("the model returns lists of different lengths")
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def _index(places: Any) -> Any:
    """Places as an index into an array: of a range a slice, which copies nothing."""
    return slice(places.start, places.stop) if isinstance(places, range) else places


# --- programs that are kept

_FUNCTIONS: tuple[Any, ...] = (
    *FUNCTIONS.values(),
    functions.softmax,
)  # as they were at first: anybody may add to the table
_OURS = {id(function) for function in _FUNCTIONS}
_NOTES = {"_shelves", "_seen_at", "_parts_set"}  # what modules note for themselves: nothing is computed from it


class Structure:
    """What a model is made of: each part with the objects inside it, to see whether they are still the same ones.

    Attributes:
        plain: whether all of it is this package's own: modules, their parameters, numbers and texts, lists of those,
            and activations from the table. Only then do the outputs follow from the parts and the parameters' numbers.
        programs: what was compiled of it. Who uses one takes it out, so that nobody else has it meanwhile, be it a
            callback or another thread.
    """

    def __init__(self, model: Module) -> None:
        self.programs: OrderedDict[Any, Compiled[Any]] = OrderedDict()
        self.parts: list[tuple[Any, Sequence[Any]]] = []
        self.plain = True
        seen: dict[int, Any] = {}
        waiting: list[Any] = [model]
        for part in waiting:  # which grows meanwhile
            if id(part) in seen:
                self.plain &= part is not model  # one that holds itself would be kept alive by what is kept with it
                continue
            seen[id(part)] = part
            inside = tuple(_inside(part))
            self.parts.append((None if part is model else part, inside))
            if isinstance(part, type):
                self.plain &= all(map(_method, inside))
                continue
            for entry in inside:
                entry = entry.__self__ if isinstance(entry, MethodType) else entry
                if isinstance(entry, (Module, list, tuple, dict)):
                    waiting.append(entry)
                elif isinstance(entry, type):
                    waiting += entry.__mro__[:-1]
                else:
                    self.plain &= _plain(entry)

    def same(self, model: Module) -> bool:
        """Whether a model is still made of the same objects."""
        for part, before in self.parts:
            now = _inside(model if part is None else part)
            if len(now) != len(before) or not all(map(is_, now, before)):
                return False
        return True

    def keep(self, key: Any, step: Compiled[Any]) -> None:
        """Put a program (back) for the next time; of many the oldest goes."""
        if self.plain:
            self.programs[key] = step
            if len(self.programs) > KEPT:
                self.programs.popitem(last=False)


def _inside(part: Any) -> Sequence[Any]:
    """The objects that a part is made of, with their names; of a module also its class."""
    if isinstance(part, (list, tuple)):
        return part
    named = part if isinstance(part, dict) else vars(part)
    pairs = [x for pair in named.items() if pair[0] not in _NOTES for x in pair]
    return [type(part), *pairs] if isinstance(part, Module) else pairs


def _plain(x: Any) -> bool:
    return x is None or type(x) in (bool, int, float, str) or (type(x) is Value and x.op == "") or id(x) in _OURS


def _method(x: Any) -> bool:
    """Whether what stands in a class is no function that somebody has put there from outside."""
    return not isinstance(x, FunctionType) or x.__module__.startswith(("nn.", "autograd.", "typing"))


_structures: WeakKeyDictionary[Module, Structure] = WeakKeyDictionary()


def structure_of(model: Module) -> Structure:
    """What a model is made of now, with the programs that are kept if it was made of the same before."""
    try:
        found = _structures.get(model)
    except TypeError:  # a class with an == of its own, and without a hash
        return Structure(model)
    if found is None or not found.same(model):
        found = _structures[model] = Structure(model)
    return found


def predictions(model: Module, table: Array) -> Array | None:
    """The outputs of a model for many examples; None if it cannot be compiled."""
    if watching():  # for inf and nan: only the scalar code can say where they came up
        return None
    try:
        structure, key = structure_of(model), ("outputs", table.shape[1:])
        kept = structure.programs.pop(key, None)
        step: Any = kept or compile_function(model, table[0].tolist(), mean=False)
        step.pull()
        found = outputs(step, range(len(table)), table)
        if kept is None:
            few = spread(range(len(table)), FAMILIAR if familiar(model) else STRANGE)
            expected = np.array([[float(y.data) for y in as_list(model(table[i].tolist()))] for i in few])
            if found.ndim > 2 or not agree(found[few].reshape(expected.shape), expected):
                return None
        structure.keep(key, step)
    except Exception:  # whatever it is, the scalar code will say it better
        return None
    return found


def familiar(model: Any) -> bool:
    """Whether all modules in a model are ours; they ask no questions such as x == 0, which a trace does not see."""
    return isinstance(model, Module) and all(type(m).__module__.startswith("nn.") for _, m in model.modules())


def spread(places: Sequence[int], count: int) -> list[int]:
    """A few of the places, from the first to the last."""
    n = len(places)
    return [places[j] for j in sorted({round(k * (n - 1) / max(1, count - 1)) for k in range(min(n, count))})]


def agree(found: Any, expected: Any) -> bool:
    return bool(np.allclose(found, expected, 1e-9, 1e-9, equal_nan=True))


def reason(error: Exception) -> str:
    """What went wrong, with the user's line: a `TracingError` names it, for others it is looked up."""
    if isinstance(error, TracingError):
        return str(error)
    engine = str(Path(autograd.__file__).parent)
    here = str(Path(__file__).parent.parent)
    frames = traceback.extract_tb(error.__traceback__)
    users = [f for f in frames if not f.filename.startswith((engine, here))] or frames
    return f"{users[-1].filename}:{users[-1].lineno}: {type(error).__name__}: {error}"


__all__ = ["NotCompiled", "Program", "Structure", "forms", "outputs", "predictions", "structure_of"]
