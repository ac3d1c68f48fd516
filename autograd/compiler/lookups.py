"""Pass 1 for functions with an `Index`: which list does an index look into, and where does what it finds go?

While the function is traced, a `Chosen` stands for the index. All that one can do with it is to write it between
brackets, ``table[token]``: Python then asks for a plain number (``__index__``), and gets one; everything else that
would ask for a number is refused. A plain list tells nobody that something was taken out of it. So at each look-up

1. the list is found: the line of source that runs is known to the column, and what stands before the brackets, if it
   is no more than a name, an attribute or an entry, is looked up once more;
2. the function is traced twice (more often if there are many look-ups into few entries), and each look-up gives
   another entry each time, such that no two look-ups into one list have the same pair.

Then the two graphs are walked side by side. They have the same shape, since nothing else depends on an index; and where
the one has entry 3 of a list, and the other entry 8 of that list, there stands what the look-up found. For two tokens,

    x = table[a][0] * table[b][0]      first trace    table[0][0] * table[1][0]
                                       second trace   table[1][0] * table[2][0]

the left operand is what a found, (0, 1), and the right one what b found, (1, 2). In their place comes a node of the
operation `TAKE`, whose inputs are the index and all entries of the list; `Trace.indices` says which inputs are indices.
What fits nothing is refused: the two graphs differ for some other reason, and no program would be right.
"""

from __future__ import annotations

import ast
import builtins
import dis
import itertools
import linecache
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

from ..graph import MANY
from ..modes import TracingError
from ..ops import CONSTANT
from ..transforms import flatten
from ..value import Value
from .index import TAKE, Index
from .trace import Trace, Tracer, call_traced, lift, recorded
from .trace import trace as trace_numbers

INSTEAD = (
    "The same program runs for every sample, so all that an Index may do is to choose an entry of a list of Values, as "
    "in table[token] or logits[target]. In place of `if token == 3` put both results into a list and choose from it; a "
    "number to calculate with is given as an argument of its own"
)
OTHERWISE = (
    "what this function computes depends on an Index in another way than by an entry that it chooses, as in "
    f"table[token], or it is not the same each time that it is called. {INSTEAD}"
)
A_NAME = "Give the list a name on a line of its own, as in `logits = model(x)`, and then write logits[target]"


@dataclass(eq=False)
class Lookup:
    """One ``list[index]`` of one run: the index, the list, and its entries as flat rows of Values.

    The rows differ in some columns; those at ``places`` are all different there. ``turn`` counts the look-ups into the
    same entries before.
    """

    index: Chosen
    container: Any
    rows: list[list[Value]]
    columns: list[int]
    places: list[int]
    turn: int = 0
    taken: int = 0

    def take(self, run: int, runs: int) -> int:
        """The entry that a run finds, such that all runs together tell the turns apart, and no turn finds the same in
        all of them: the turn in digits of base len(places), of which the first changes fastest."""
        base = len(self.places)
        rest, first = divmod(self.turn, base)
        rest += rest >= first * sum(base**k for k in range(runs - 1))  # the number in which all digits are the first
        self.taken = self.places[first if run == 0 else rest // base ** (run - 1) % base]
        return self.taken

    @property
    def row(self) -> list[Value]:
        """What was found."""
        return self.rows[self.taken]

    @property
    def signature(self) -> tuple[Any, ...]:
        """What is the same in every run."""
        return self.index.entry, self.columns, self.places, len(self.row)


def runs_for(base: int, turn: int) -> int:
    """How many runs tell this turn from all before it."""
    runs = 2
    while base > 1 and turn // base + 2 > base ** (runs - 1):
        runs += 1
    return runs


class Run:
    """One call of the function, the ``number``-th of ``count``, and the look-ups that it makes: the ``known`` ones
    again, if it is not the first."""

    def __init__(self, number: int, count: int, known: Sequence[Lookup], tracer: Tracer) -> None:
        self.number, self.count, self.known, self.tracer = number, count, known, tracer
        self.lookups: list[Lookup] = []
        self.turns: dict[Value, int] = {}  # how many look-ups there were into a list with this Value
        self.latest: dict[tuple[int, int], Lookup] = {}  # what an index found last in each list

    def refusal(self, what: str, instead: str = INSTEAD) -> TracingError:
        return self.tracer.refusal(what, instead)

    def look_up(self, index: Chosen, frame: FrameType) -> int:
        """The number that an index gives to what asks for it."""
        container, key = self._container(index, frame)
        rows = self._rows(index, container, key)
        entries = [x for row in rows for x in row]
        self.tracer.known.update(dict.fromkeys(entries, True))  # what is chosen from may not be read
        places = sorted({tuple(map(id, row)): k for k, row in enumerate(rows)}.values())
        differ = [len({id(row[c]) for row in rows}) for c in range(len(rows[0]))]
        if set(differ) - {1, len(places)}:
            raise self.refusal("an entry of a list in which some Values stand twice, so that it cannot be told which")
        columns = [c for c, different in enumerate(differ) if different > 1]
        found = Lookup(index, container, rows, columns, places)
        if self.number:
            known = self.known[len(self.lookups)] if len(self.lookups) < len(self.known) else None
            if known is None or known.signature != found.signature:
                raise self.refusal("another entry of another list when the function is called again")
            found.turn = known.turn
        else:
            found.turn = max((self.turns.get(x, 0) for x in entries), default=0)
            self.turns.update(dict.fromkeys(entries, found.turn + 1))
        self.lookups.append(found)
        self.latest[id(index), id(container)] = found
        return found.take(self.number, self.count)

    def _container(self, index: Chosen, frame: FrameType) -> tuple[Any, Any]:
        """What is looked into, and by what: the two parts of ``list[key]`` at the place where a frame is."""
        node = _expression(frame)
        if node is None:
            raise self.refusal(
                "an entry by an Index in code whose source cannot be found", "Write the function in a file"
            )
        operation = dis.opname[frame.f_code.co_code[frame.f_lasti]]
        if not isinstance(node, ast.Subscript) or not operation.startswith("BINARY"):
            raise self.refusal("the number of an Index")
        try:
            container = self._value(node.value, frame)
        except Exception:
            what = f"an entry of `{ast.unparse(node.value)}` by an Index, and that list has no name"
            raise self.refusal(what, A_NAME) from None
        try:
            key = self._value(node.slice, frame)
        except Exception:  # it is computed there, and what came out is this index
            key = index
        return container, key

    def _rows(self, index: Chosen, container: Any, key: Any) -> list[list[Any]]:
        """What each number of the index would find, as flat lists of Values, all of one form."""
        if key is not index and not (isinstance(key, tuple) and any(x is index for x in key)):
            raise self.refusal("more than one entry of a list, by an Index")
        rows, forms = [], set()
        for k in range(index.count):
            try:
                entry = container[tuple(k if x is index else x for x in key) if isinstance(key, tuple) else k]
            except IndexError:
                raise self.refusal(
                    f"an entry by an {index!r}, 0…{index.count - 1}, of a list that has {len(container)}"
                ) from None
            flat, _ = flatten(entry)
            rows.append(flat)
            forms.add(_form(entry))
        if len(forms) > 1:
            raise self.refusal("an entry by an Index of a list whose entries are not all of one shape")
        other = next((x for row in rows for x in row if not isinstance(x, Value)), None)
        if other is not None:
            instead = "Make Values of them inside the function, as in `rates = [Value(r) for r in table]`"
            raise self.refusal(f"an entry by an Index of a list of {type(other).__name__}, not of Values", instead)
        return rows

    def _value(self, node: ast.expr, frame: FrameType) -> Any:
        """What a name, an attribute or an entry is, without calling anything."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            for names in (frame.f_locals, frame.f_globals, vars(builtins)):
                if node.id in names:
                    return names[node.id]
        elif isinstance(node, ast.Attribute):
            return getattr(self._value(node.value, frame), node.attr)
        elif isinstance(node, ast.Tuple):
            return tuple(self._value(x, frame) for x in node.elts)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self._value(node.operand, frame)
        elif isinstance(node, ast.Slice):
            return slice(*[x and self._value(x, frame) for x in (node.lower, node.upper, node.step)])
        elif isinstance(node, ast.Subscript):
            container, key = self._value(node.value, frame), self._value(node.slice, frame)
            return container[self.latest[id(key), id(container)].taken if isinstance(key, Chosen) else key]
        raise LookupError("an expression that would have to be computed")


def _form(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return (*map(_form, x),)
    return getattr(x, "shape", ())


def _expression(frame: FrameType) -> ast.expr | None:
    """The expression that a frame is computing, from its source."""
    code = frame.f_code
    line, last, start, end = next(itertools.islice(code.co_positions(), frame.f_lasti // 2, None), (None,) * 4)
    if line is None or last is None or start is None or end is None:
        return None
    lines = [x.encode() for x in linecache.getlines(code.co_filename, frame.f_globals)[line - 1 : last]]
    if len(lines) != last - line + 1:
        return None
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    try:
        return ast.parse(b"(" + b"".join(lines) + b")", mode="eval").body
    except SyntaxError:
        return None


class Chosen(Index):
    """What stands for an index while a function is traced."""

    __slots__ = ("entry", "leaf", "run")

    def __init__(self, index: Index, entry: int, leaf: Value, run: Run) -> None:
        super().__init__(index.count)
        self.entry, self.leaf, self.run = entry, leaf, run

    def __index__(self) -> int:
        return self.run.look_up(self, sys._getframe(1))

    def _refused(self, *args: Any) -> NoReturn:
        raise self.run.refusal("the number of an Index")

    __bool__ = __int__ = __float__ = __hash__ = __eq__ = __ne__ = _refused
    __lt__ = __le__ = __gt__ = __ge__ = __neg__ = __abs__ = __round__ = __invert__ = _refused
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refused
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __and__ = __or__ = __xor__ = _refused


# --- the traces side by side

Slot = tuple[Any, int]  # an operand: the node, or the column of a look-up, or None for an output; and which of them
Column = tuple[int, int]  # of a look-up's rows: the look-up's number, and the place in each row


class Comparison:
    """A walk over the graphs of two runs side by side.

    ``found`` are the operands at which they differ, each with the columns of look-ups from which it may have been
    taken. ``partner[u]`` is what stands in the other graph in the place of u, unless u is also what some look-up found:
    those are in ``others``, so that `_walk` need not ask which.
    """

    def __init__(self, first: Run, other: Run) -> None:
        self.first, self.other = first, other
        self.found: dict[Slot, set[Column]] = {}
        self.partner: dict[Any, Value] = {}
        self.others: dict[Value, Value] = {}
        self.seen: set[Column] = set()
        self.rest: list[tuple[Value, Value]] = []  # pairs of nodes, of which the operands are still to be compared
        self.later: list[tuple[Any, int, Any, Any]] = []  # and what look-ups chose from
        self.columns: dict[Value, list[Column]] = {}  # what the first run found
        for e, lookup in enumerate(first.lookups):
            for c in lookup.columns:
                self.columns.setdefault(lookup.row[c], []).append((e, c))

    def of(self, outputs: Sequence[Any], others: Sequence[Any]) -> dict[Slot, set[Column]]:
        """``found``, from what both runs returned.

        Raises:
            TracingError: where the two graphs differ for some other reason.
        """
        self.later += [(None, k, u, v) for k, (u, v) in enumerate(zip(outputs, others, strict=True))]
        self._walk()
        return self.found

    def _walk(self) -> None:
        partner, rest, meet = self.partner.get, self.rest, self._meet
        while rest or self.later:
            while self.later:
                meet(*self.later.pop())
            if not rest:
                return
            u, v = rest.pop()
            a, b = u._a, v._a
            if a is MANY or b is MANY:
                left, right = operands(u), operands(v)
                if len(left) != len(right):
                    raise TracingError(OTHERWISE)
                for k, (a, b) in enumerate(zip(left, right, strict=True)):
                    meet(u, k, a, b)
                continue
            if a is not b and partner(a) is not b:  # most operands are parameters, or have been met before
                meet(u, 0, a, b)
            a, b = u._b, v._b
            if a is not b and (b is None or partner(a) is not b):
                meet(u, 1, a, b)

    def _meet(self, owner: Any, k: int, u: Any, v: Any) -> None:
        """Two operands that are what some look-up found, or else have to be the same."""
        columns = self.columns.get(u)
        fits = columns and [(e, c) for e, c in columns if self._taken(e, c, v)]
        if fits:
            self.found[owner, k] = set(fits)
            for e, c in fits:
                if (e, c) not in self.seen:
                    self.seen.add((e, c))
                    mine, theirs = self.first.lookups[e].rows, self.other.lookups[e].rows
                    for i, (a, b) in enumerate(zip(mine, theirs, strict=True)):
                        self.later.append(((e, c), i, a[c], b[c]))
            return
        known = self.others if columns else self.partner
        if u is v or (isinstance(u, Value) and known.get(u) is v):
            return
        if isinstance(u, Value) and isinstance(v, Value) and u not in known and u._tag[0] == v._tag[0]:
            known[u] = v
            if u._a is not None and v._a is not None:
                self.rest.append((u, v))
                return
            if u._a is None and v._a is None and self._are_constants(u, v):
                return
        elif type(u) is float and type(v) is float and u.hex() == v.hex():
            return
        raise TracingError(OTHERWISE)

    def _taken(self, e: int, c: int, v: Any) -> bool:
        """Whether v is what the other run took where the first one took something else from the same column."""
        lookup = self.other.lookups[e]
        return lookup.taken != self.first.lookups[e].taken and lookup.row[c] is v

    def _are_constants(self, u: Value, v: Value) -> bool:
        """Whether two leaves are one number, and the function itself made them."""
        constant = u._tag[0] == CONSTANT or (u in self.first.tracer.leaves and v in self.other.tracer.leaves)
        return constant and u._data.hex() == v._data.hex()


def operands(x: Value) -> tuple[Any, ...]:
    if x._a is None:
        return ()
    if x._a is MANY:
        many: tuple[Any, ...] = x._b
        return many
    return (x._a,) if x._b is None else (x._a, x._b)


def settled(runs: Sequence[Run], found: Sequence[dict[Slot, set[Column]]]) -> dict[Slot, Column]:
    """For each operand that a look-up found, its column: the only one that fits all runs."""
    first = runs[0]
    result: dict[Slot, Column] = {}
    for slot in {slot: None for each in found for slot in each}:
        fits = set.union(*[each.get(slot, set()) for each in found])
        for other, each in zip(runs[1:], found, strict=True):
            fits &= each.get(slot) or {(e, c) for e, c in fits if other.lookups[e].taken == first.lookups[e].taken}
        if len(fits) != 1:
            raise TracingError(f"it cannot be told which of its lists this function looks into. {INSTEAD}")
        (result[slot],) = fits
    return result


def put_in_place(outputs: list[Any], lookups: Sequence[Lookup], chosen: dict[Slot, Column]) -> None:
    """Write into the graph, in place of what a look-up found, the look-up with all that it could find."""
    made: dict[Any, Value] = {}
    for (owner, k), column in chosen.items():
        new = _choice(column, lookups, chosen, made)
        if owner is None:
            outputs[k] = new
        elif isinstance(owner, Value):
            if owner._a is MANY:
                owner._b = (*owner._b[:k], new, *owner._b[k + 1 :])
            elif k == 0:
                owner._a = new
            else:
                owner._b = new


def _choice(column: Column, lookups: Sequence[Lookup], chosen: Mapping[Slot, Column], made: dict[Any, Value]) -> Value:
    """The node for what a column of a look-up found. (Inside `put_in_place` it would refer to itself, and keep the
    whole graph until the collector comes.)

    Args:
        made: those that there are, by their columns, and by their index and entries: who looks up the same twice gets
            one node.
    """
    if column not in made:
        e, c = column
        entries = [
            _choice(chosen[column, k], lookups, chosen, made) if (column, k) in chosen else row[c]
            for k, row in enumerate(lookups[e].rows)
        ]
        index = lookups[e].index.leaf
        key = index, *map(id, entries)
        if key not in made:
            made[key] = _taken(index, entries)
        made[column] = made[key]
    return made[column]


def _taken(index: Value, entries: Sequence[Value]) -> Value:
    """The node that stands for ``entries[index]``, at index 0."""
    node = Value(entries[0]._data)
    node._tag = TAKE, *node._tag[1:]
    node._a, node._b = MANY, (index, *entries)
    return node


# --- the whole


def trace(f: Callable[..., Any], example: Sequence[Any], params: Sequence[Value] | None) -> Trace:
    """`trace.trace`, of a function whose example may have an `Index` among its numbers.

    Raises:
        TracingError: for what `trace.trace` refuses, and where an Index does anything but choose an entry of a list.
    """
    entries = [flatten(argument) for argument in example]
    if not any(isinstance(x, Index) for flat, _ in entries for x in flat):
        return trace_numbers(f, example, params)
    leaves = [[Value(0.0) if isinstance(x, Index) else lift([x])[1][0][0] for x in flat] for flat, _ in entries]
    known = [x for own in leaves for x in own]
    runs: list[Run] = []
    results: list[list[Any]] = []
    count = 2
    while len(runs) < count:
        run = Run(len(runs), count, runs[0].lookups if runs else [], Tracer(known, params))
        numbered = itertools.count()
        arguments = [
            rebuild(
                [
                    Chosen(i, next(numbered), x, run) if isinstance(i, Index) else x
                    for i, x in zip(flat, own, strict=True)
                ]
            )
            for (flat, rebuild), own in zip(entries, leaves, strict=True)
        ]
        outputs, form = flatten(call_traced(f, arguments, run.tracer))
        if not runs:
            count = max((runs_for(len(x.places), x.turn) for x in run.lookups), default=1)
        elif len(outputs) != len(results[0]) or len(run.lookups) != len(runs[0].lookups):
            raise TracingError(OTHERWISE)
        runs.append(run)
        results.append(outputs)
    pairs = zip(runs[1:], results[1:], strict=True)
    found = [Comparison(runs[0], run).of(results[0], outputs) for run, outputs in pairs]
    put_in_place(results[0], runs[0].lookups, settled(runs, found))
    result = recorded(form(results[0]), leaves, runs[0].tracer, params)
    for run in runs:  # it and what chooses in it refer to each other, and would keep the graphs, too
        vars(run).clear()
    for nodes, (flat, _) in zip(result.arguments, entries, strict=True):
        result.indices.update({i: x.count for i, x in zip(nodes, flat, strict=True) if isinstance(x, Index)})
    return result
