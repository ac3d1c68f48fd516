"""Where a graph goes on in the same way: steps of one form, one after the other, or scopes of one form side by side.

Time steps of an unrolled network, a loop that was written out, fifty neurons of a layer. The graph is read as a
sequence of units, each after those that feed it; a unit is an operation, or a box that is folded already. Steps have
the same form if their units are of one form and use each other in the same places; what they use of earlier steps, of
leaves and of other nodes does not matter, but each must use something of the step before, or be a scope of its own. Of
four steps or more, the first and the last are drawn, or the first alone; the others go into one box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import eq

LEAST = 4  # so many steps are a run
LONGEST = 128  # units in a step
MOST = 20_000  # units; longer sequences are not searched

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """The number of its form, the scope that it stands in, and the places of the units that feed it."""

    form: int
    path: Path
    feeds: Sequence[int]


@dataclass(frozen=True, slots=True)
class Run:
    """The steps of a run that go into a box: the place of their first unit, and how many there are."""

    start: int
    length: int  # of a step, in units
    steps: int

    @property
    def stop(self) -> int:
        return self.start + self.steps * self.length


def runs(units: Sequence[Unit], ends: int = 2) -> list[Run]:
    """The runs in a sequence of units, those that hide most first; none overlaps another.

    With two ``ends`` the first and the last step of each are not in it, with one the first.
    """
    if len(units) > MOST:
        return []
    forms = [unit.form for unit in units]
    found: list[tuple[int, int, int]] = []  # where a run begins, the length of a step, and how many steps there are
    for length in range(1, min(LONGEST, len(units) // LEAST) + 1):
        as_later = bytes(map(eq, forms, forms[length:]))  # whether the unit one step later is of the same form
        least = b"\1" * (length * (LEAST - 1))
        start = as_later.find(least)
        while start >= 0:
            end = as_later.find(b"\0", start)
            stop = (end if end >= 0 else len(as_later)) + length
            if not any(length % n == 0 and at <= start and stop <= at + k * n for at, n, k in found):
                found += _stretches(units, start, stop, length)
            start = as_later.find(least, stop - length)
    found.sort(key=lambda run: (-run[1] * (run[2] - 2), run))
    taken = bytearray(len(units))
    result = []
    for at, length, steps in found:
        stop = at + steps * length
        if not any(taken[at:stop]):
            taken[at:stop] = b"\1" * (stop - at)
            result.append(Run(at + length, length, steps - ends))
    return result


def _stretches(units: Sequence[Unit], start: int, stop: int, length: int) -> list[tuple[int, int, int]]:
    """The runs of steps of this length between two places, cut where a step begins."""
    cuts = range(start, min(start + length, stop - LEAST * length + 1))
    # should several cuts be as good: a loop often begins out of the ordinary, and seldom ends so
    first = min(cuts, key=lambda cut: (*_carried(units, cut + length, length), (stop - cut) % length, cut))
    places = range(first, stop - length + 1, length)
    steps = [_inside(units, at, length) for at in places]
    found = []
    begin, levels = 0, -1  # levels of scopes that this run's cuts go through
    for k in range(1, len(steps) + 1):
        if k < len(steps) and steps[k] == steps[k - 1] and _goes_on(units, places[k], length):
            cut = _carried(units, places[k], length)[0]
            if levels in (-1, cut):
                levels = cut
                continue
        if k - begin >= LEAST:
            found.append((places[begin], length, k - begin))
        begin, levels = k, -1
    return found


def _carried(units: Sequence[Unit], cut: int, length: int) -> tuple[int, int]:
    """What a cut goes through: levels of scopes, and numbers that the next step needs of the last."""
    before, after = units[cut - 1].path, units[cut].path
    shared = sum(1 for k in range(min(len(before), len(after))) if before[: k + 1] == after[: k + 1])
    return shared, len({i for unit in units[cut : cut + length] for i in unit.feeds if cut - length <= i < cut})


def _inside(units: Sequence[Unit], at: int, length: int) -> list[list[int]]:
    """Which units of a step feed each of them."""
    return [[i - at for i in unit.feeds if i >= at] for unit in units[at : at + length]]


def _goes_on(units: Sequence[Unit], at: int, length: int) -> bool:
    """Whether a step uses the one before, or each of the two stands in a scope of its own."""
    if any(at - length <= i < at for unit in units[at : at + length] for i in unit.feeds):
        return True
    scopes = [{unit.path for unit in units[k : k + length]} for k in (at - length, at)]
    return () not in scopes[0] | scopes[1] and scopes[0].isdisjoint(scopes[1])
