"""Programs: a model, or a model with its loss, as a program on arrays.

    program = Program(compile(lambda x, t: loss(model(x), t), x, t), parameters)
    mean, gradient = program.mean(chosen, X, Y)

A target that is a class chooses one of the outputs, so the loss is traced with an `Index` in its place (`forms`).
"""

from __future__ import annotations

import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import Index, TracingError, Value, functions
from autograd.compiler import compile as compile_function
from autograd.compiler.compiled import Compiled
from autograd.modes import collector_resting, watching
from autograd.ops import SHEET

from .. import losses
from ..layers import as_list, left_to_right
from ..module import Module
from .examples import Array
from .structure import Same, Structure, structure_of

AT_ONCE = 1024  # examples in one call of the program: larger batches are added up in pieces, so that memory is bounded
FAMILIAR, STRANGE = 2, 32  # examples on which a program is compared with the scalar code
KEPT, FORMS = 8, 16  # programs kept with one model, and for all models of their forms


class NotCompiled(Exception):
    """Why training stays eager. ``loud`` says whether the user should be warned."""

    def __init__(self, reason: str, loud: bool = True) -> None:
        super().__init__(reason)
        self.loud = loud


# --- losses in the form in which they can be traced


def signed_binary_cross_entropy(output: Any, target: Any) -> Any:
    """binary_cross_entropy for s = 1 - 2t, that is -1 for yes and +1 for no: Σ log(1 + e^(s·z))."""
    return left_to_right(functions.softplus(s * z) for z, s in zip(as_list(output), as_list(target), strict=True))


class Form(NamedTuple):
    """A loss that can be traced, how its targets are written as an array, and what stands for one that is a class."""

    loss: losses.Loss
    as_array: Callable[[Any], Array]
    classes: Index | None = None  # None for a target of numbers


def forms(loss: losses.Loss, outputs: int, targets: Sequence[Any]) -> list[Form]:
    """The forms in which a loss may be traced, the likeliest first."""
    arrays = [np.asarray(ts, dtype=float) for ts in targets]
    if loss is losses.binary_cross_entropy and all(np.isin(ts, (0.0, 1.0)).all() for ts in arrays):
        return [Form(signed_binary_cross_entropy, lambda ts: 1.0 - 2.0 * np.asarray(ts, dtype=float))]
    plain = Form(loss, lambda ts: np.asarray(ts, dtype=float))
    whole = all(ts.ndim == 1 and ((ts == np.floor(ts)) & (ts >= 0) & (ts < outputs)).all() for ts in arrays)
    if outputs < 2 or not whole:
        return [plain]
    classes = Form(loss, lambda ts: np.asarray(ts).astype(np.intp), Index(outputs))
    return [classes] if loss in (losses.cross_entropy, losses.hinge) else [classes, plain]


# --- one function of the parameters, compiled


def places_of(some: Sequence[Value], among: Sequence[Value]) -> Array:
    """Where each of some Values is among others; -1 where it is not. (A dict would take 100 bytes for each.)"""
    there, wanted = (np.fromiter(map(id, values), np.intp, len(values)) for values in (among, some))
    if not len(there):
        return np.full(len(wanted), -1)
    order = np.argsort(there)
    places = order.take(np.searchsorted(there, wanted, sorter=order), mode="clip")
    places[there[places] != wanted] = -1
    return places


class Program:
    """A compiled function whose parameters are handed in as an array in an order of ours."""

    def __init__(self, step: Compiled[Any], parameters: Sequence[Value]) -> None:
        self.step = step
        places = places_of(parameters, step.parameters)
        used = np.flatnonzero(places >= 0)
        self.count = len(parameters)
        self.into = places[used]
        self.exact = len(used) == self.count == len(step.parameters)  # the same parameters: a permutation
        self.back = np.argsort(self.into) if self.exact else used

    def load(self, w: Array) -> None:
        """Set the parameters. Those that are not trained stay as `Compiled.pull` found them."""
        theta = self.step.theta
        if self.exact:
            np.take(w, self.back, out=theta, mode="clip")  # twice as fast as indexing
        else:
            theta[self.into] = w[self.back]

    def gradient(self) -> Array:
        if self.exact:
            return np.take(self.step.gradient, self.into, mode="clip")
        g = np.zeros(self.count)
        g[self.back] = self.step.gradient[self.into]
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

# Keys are compared by code of ours; an OrderedDict that another thread changes meanwhile takes the process down.
_lock = threading.Lock()
_of_forms: OrderedDict[Any, tuple[Compiled[Any], Array]] = OrderedDict()  # with the places of their parameters
Key = tuple[Any, ...]


def key_of(function: Any, *tables: Array) -> Key:
    """What tells the programs of one model apart: the function, the shape of an example, and the sheet's rules."""
    return (function, *[table.shape[1:] for table in tables], Same(SHEET.values()))


def kept(structure: Structure, key: Key) -> Compiled[Any] | None:
    """The program that is kept, with the model or for all of its form; None if there is none.

    Of the model's own there is one: who takes it puts it back with `keep`, and has it alone meanwhile.
    """
    with _lock:
        own: Compiled[Any] | None = structure.programs.pop(key, None)
        found = _of_forms.get((structure.form, key)) if own is None and structure.plain else None
        if found is not None:
            structure.offered.add(key)
    if own is not None:
        own.pull()
        return own
    if found is None:
        return None
    return found[0].with_parameters([structure.values[k] for k in found[1].tolist()])


def keep(structure: Structure, key: Key, step: Compiled[Any]) -> None:
    """Put a program (back) for the next time, of this model or of another; of many the oldest goes."""
    if not structure.plain:
        return
    with _lock:
        structure.programs[key] = step
        if len(structure.programs) > KEPT:
            structure.programs.popitem(last=False)
        if key in structure.offered:  # (to look a form up takes longer than many a program)
            return
        structure.offered.add(key)
    places = places_of(step.parameters, structure.values)
    if (places >= 0).all():
        nobodys = step.with_parameters([Value(0.0)] * len(places))
        with _lock:
            _of_forms[structure.form, key] = nobodys, places
            if len(_of_forms) > FORMS:
                _of_forms.popitem(last=False)


def forget(structure: Structure, key: Key) -> None:
    """A program has turned out wrong: trace the model anew."""
    with _lock:
        structure.offered.discard(key)
        _of_forms.pop((structure.form, key), None)


# --- a model's outputs


def output_program(model: Module, x: Any, ours: bool) -> Compiled[Any]:
    """The program of a model's outputs.

    `compile` would check it with the parameters moved, in the middle of which another thread may ask the model
    something. Modules of ours do the same for every sample, and are compared where they stand.
    """
    with collector_resting():
        return compile_function(model, x, mean=False, check=not ours)


def predictions(model: Module, table: Array) -> Array | None:
    """The outputs of a model for many examples; None if it cannot be compiled."""
    if watching():  # for inf and nan: only the scalar code can say where they came up
        return None
    try:
        structure, key = structure_of(model), key_of("outputs", table)
        known = kept(structure, key)
        step = known or output_program(model, table[0].tolist(), structure.ours)
        found = outputs(step, range(len(table)), table)
        if known is None:
            few = spread(range(len(table)), FAMILIAR if structure.ours else STRANGE)
            expected = np.array([[float(y.data) for y in as_list(model(table[i].tolist()))] for i in few])
            if found.ndim > 2 or not agree(found[few].reshape(expected.shape), expected):
                return None
        keep(structure, key, step)
    except Exception:  # whatever it is, the scalar code will say it better
        return None
    return found


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
