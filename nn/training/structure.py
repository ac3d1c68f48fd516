"""What a model is made of, and the programs that are kept with it for as long as it stays so.

Tracing a network of 80,000 weights takes a few seconds, as long as some epochs. So what was traced is kept, beside the
model and not in it, by the form of the loss and the shapes. It is taken up again only if the model is made of the very
same objects as it was then, and only for models that are made of this package's own parts, whose outputs follow from
these objects and from nothing else. Anything else, a module or an activation or a loss of the user's own, is traced
anew each time: what a closure refers to, no identity shows.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import is_
from types import FunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary

from autograd import Value, functions

from ..activations import FUNCTIONS
from ..module import Module

KEPT = 8  # programs kept with one model
_FUNCTIONS: tuple[Any, ...] = (
    *FUNCTIONS.values(),
    functions.softmax,
)  # as they were at first: anybody may add to the table
_OURS = {id(function) for function in _FUNCTIONS}
_NOTES = {"_shelves", "_seen_at", "_parts_set"}  # what modules note for themselves: nothing is computed from it


@contextmanager
def collector_resting() -> Iterator[None]:
    """Let Python's cycle collector rest while graphs are built and dropped.

    A graph has no cycles and is freed by reference counts, but the collector cannot know, and walks over every node two
    or three times: measured, 37 ms instead of 14 ms to build one example's graph of a 64-100-10 network. Between
    batches, when the graphs are gone, it may run again.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Structure:
    """What a model is made of: each part with the objects inside it, to see whether they are still the same ones.

    Attributes:
        plain: whether all of it is this package's own: modules, their parameters, numbers and texts, lists of those,
            and activations from the table. Only then do the outputs follow from the parts and the parameters' numbers.
        ours: whether all modules are this package's own; they ask no questions such as x == 0, which no trace shows.
        parameters: the model's.
        facts: what `fit` found out about a loss and a shape of examples: how outputs look, a parameter it depends on.
        programs: what was compiled of it. Who uses one takes it out, so that nobody else has it meanwhile, be it a
            callback or another thread.
    """

    def __init__(self, model: Module) -> None:
        self.programs: OrderedDict[Any, Any] = OrderedDict()
        self.parts: list[tuple[Any, Sequence[Any]]] = []
        self.parameters = model.parameters()
        self.facts: dict[Any, tuple[Any, Value]] = {}
        self.plain = self.ours = True
        seen: dict[int, Any] = {}
        waiting: list[Any] = [model]
        for part in waiting:  # which grows meanwhile
            if id(part) in seen:
                self.plain &= part is not model  # one that holds itself would never be let go
                continue
            seen[id(part)] = part
            inside = tuple(_inside(part))
            self.parts.append((None if part is model else part, inside))
            self.ours &= not isinstance(part, Module) or type(part).__module__.startswith("nn.")
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

    def keep(self, key: Any, step: Any) -> None:
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
        found = None
    if found is None or not found.same(model):
        found = Structure(model)
        if found.plain:  # what else is in a model may refer back to it, and would keep it alive
            _structures[model] = found
    return found


__all__ = ["Structure", "collector_resting", "structure_of"]
