"""What a model is made of, and the programs that are kept with it for as long as it stays so.

Tracing a network of 80,000 weights takes as long as some epochs. So what was traced is kept, beside the model and not
in it, by the form of the loss and the shapes. It is taken up again if the model is made of the very same objects as it
was then; and by another model of the same *form*, which is what `Structure.form` says without naming a parameter. Both
only for models that are made of this package's own parts, whose outputs follow from these parts and from nothing else.
Anything else, a module or an activation or a loss of the user's own, is traced anew each time: what a closure refers
to, no identity shows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from operator import is_
from types import FunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary

from autograd import Value, functions

from .. import losses
from ..activations import FUNCTIONS
from ..module import Module

# as they were at first: anybody may add to the tables
_OURS = frozenset([*map(id, FUNCTIONS.values()), id(functions.softmax)])
_LOSSES = frozenset(map(id, losses.LOSSES.values()))
# what modules note for themselves, and `copy` on their classes: nothing is computed from it
_NOTES = {"_shelves", "_seen_at", "_parts_set", "__slotnames__"}


def known(loss: losses.Loss) -> bool:
    """Whether a loss is this package's own, so that it does the same every time."""
    return id(loss) in _LOSSES


class Same(tuple[Any, ...]):
    """Objects, as part of a key: equal to nothing but the very same objects."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and len(self) == len(other) and all(map(is_, self, other))

    def __hash__(self) -> int:
        return hash(tuple(map(id, self)))


class Structure:
    """What a model is made of: each part with the objects inside it, to see whether they are still the same ones.

    Attributes:
        plain: whether all of it is this package's own: modules, their parameters, numbers and texts, lists of those,
            and activations from the table. Only then do the outputs follow from the parts and the parameters' numbers.
        ours: whether all modules are this package's own; they ask no questions such as x == 0, which no trace shows.
        parameters: the model's.
        values: all Values in it, in the order in which they are met.
        form: the parts in order, with their classes, settings and activations, the Values by number and parts that
            occur twice by theirs. Plain models of one form do the same with their Values, place by place.
        facts: what `fit` found out about a loss and a shape of examples: how outputs look, a parameter it depends on.
        offered: the keys of the programs that models of the same form are offered, too.
        programs: what was compiled of it. Who uses one takes it out, so that nobody else has it meanwhile, be it a
            callback or another thread.
    """

    def __init__(self, model: Module) -> None:
        self.programs: OrderedDict[Any, Any] = OrderedDict()
        self.offered: set[Any] = set()
        self.facts: dict[Any, tuple[Any, Value]] = {}
        self.parts: list[tuple[Any, Sequence[Any]]] = []
        self.parameters = model.parameters()
        self.plain = self.ours = True
        waiting: list[Any] = [model]
        numbers, places, known = {id(model): 0}, dict[Value, int](), {*self.parameters}  # (of the parts by their id)
        form: list[Any] = []
        for part in waiting:  # which grows meanwhile
            inside = tuple(_inside(part))
            self.parts.append((None if part is model else part, inside))
            if isinstance(part, Module):
                self.ours &= type(part).__module__.startswith("nn.")
            elif isinstance(part, type):
                self.plain &= all(map(_method, inside))
                form.append(Same(inside))
                continue
            else:
                self.plain &= type(part) in (list, tuple, dict)
            if (row := _newcomers(inside, known, places)) is not None:
                form.append((type(part), row))
                continue
            described = [
                places.setdefault(entry, len(places))
                if type(entry) is Value and entry.op == ""
                else self._described(entry, waiting, numbers)
                for entry in inside
            ]
            form.append((type(part), *described))
        self.form = tuple(form)
        self.values = [*places]
        self.plain &= self.ours

    def _described(self, entry: Any, waiting: list[Any], numbers: dict[int, int]) -> Any:
        """What stands in the form for something inside a part, but for a parameter; a part of its own waits."""
        kind = type(entry)
        if kind is str:
            return entry
        if entry is None or kind in (bool, int, float):
            return kind, repr(entry)
        if kind is MethodType:
            self.plain &= _method(entry.__func__)
            return entry.__func__, self._described(entry.__self__, waiting, numbers)
        if isinstance(entry, (Module, list, tuple, dict, type)):
            for part in entry.__mro__[:-1] if isinstance(entry, type) else (entry,):
                if numbers.setdefault(id(part), len(waiting)) == len(waiting):
                    waiting.append(part)
            self.plain &= entry is not waiting[0]  # one that holds itself would never be let go
            return "part", numbers[id(entry)]
        self.plain &= id(entry) in _OURS
        return entry

    def same(self, model: Module) -> bool:
        """Whether a model is still made of the same objects."""
        for part, before in self.parts:
            now = _inside(model if part is None else part)
            if len(now) != len(before) or not all(map(is_, now, before)):
                return False
        return True


def _newcomers(inside: Sequence[Any], parameters: set[Value], places: dict[Value, int]) -> range | None:
    """The numbers in a row of a list of parameters that are met for the first time; None for any other."""
    if {*map(type, inside)} != {Value} or not parameters.issuperset(inside):
        return None
    if len({*inside}) < len(inside) or not places.keys().isdisjoint(inside):
        return None
    row = range(len(places), len(places) + len(inside))
    places.update(zip(inside, row, strict=True))
    return row


def _inside(part: Any) -> Sequence[Any]:
    """The objects that a part is made of, with their names; of a module also its class."""
    if isinstance(part, (list, tuple)):
        return part
    named = part if isinstance(part, dict) else vars(part)
    if not _NOTES.isdisjoint(named):
        named = {name: entry for name, entry in named.items() if name not in _NOTES}
    return [type(part), *named, *named.values()] if isinstance(part, Module) else [*named, *named.values()]


def _method(x: Any) -> bool:
    """Whether what stands in a class is nothing that somebody has put there from outside."""
    if isinstance(x, property):
        return all(_method(f) for f in (x.fget, x.fset) if f is not None)
    function = x.__func__ if isinstance(x, (classmethod, staticmethod)) else x
    if isinstance(function, FunctionType):  # where it was written: `functools.wraps` changes what it says of itself
        return str(function.__globals__.get("__name__")).startswith(("nn.", "autograd.", "typing"))
    return type(function).__module__.partition(".")[0] in ("builtins", "nn", "autograd", "typing", "functools", "abc")


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
