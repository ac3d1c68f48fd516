"""The check: does the recorded program do what the scalar code does, for other samples and other parameters?"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..modes import TracingError
from ..reals import to_float
from ..transforms import flatten
from ..value import Value
from .arguments import too_large
from .index import Index, Picked, picked
from .trace import lift

if TYPE_CHECKING:
    from .compiled import Compiled

Array = NDArray[Any]
Ranges = tuple[float, float, float, float]  # a number times one between the first two, plus one between the others


@dataclass(frozen=True)
class Move:
    """How the check moves a sample's entries and the parameters."""

    entries: Ranges
    parameters: Ranges
    far: bool


def moved(numbers: Iterable[float], ranges: Ranges, generator: random.Random) -> list[float]:
    """Each number times one between the first two, plus one between the others; there may be a million of them."""
    a, b, c, d = ranges
    factor, shift, drawn = b - a, d - c, generator.random
    return [x * (a + factor * drawn()) + (c + shift * drawn()) for x in numbers]


def only_rounding(
    scalar: Callable[[Callable[[float], float] | None], Array], found: Array, expected: Array, wrong: Any, eps: float
) -> bool:
    """Whether the scalar code itself moves as far as it is ``wrong`` when its numbers are nudged by rounding errors.

    Then it is all rounding there: a long recurrence, two sums that cancel, or a choice just at its border. A number
    that is not finite has to be what one of the nudged runs gives, as sqrt(x - 1) gives nan beside 1. But if the scalar
    code gives something else for the very same numbers, it uses random numbers.

    Args:
        scalar: what the scalar code gives, after a function, if any, was applied to each number that goes into it.
        eps: the relative size of one rounding error.
    """
    if not np.array_equal(scalar(None), expected, equal_nan=True):
        return False
    generator = random.Random(1)
    nudged = [scalar(lambda x: x * (1.0 + 64.0 * eps * generator.uniform(-1.0, 1.0))) for _ in range(4)]
    runs = np.array(nudged)
    one = np.take_along_axis(runs, np.isfinite(runs).argmax(0)[None], 0)[0]  # a finite one, if there is any
    with np.errstate(all="ignore"):
        centre = np.where(np.isfinite(expected), expected, one)
        away = np.abs(runs - centre)
        near = np.abs(found - centre) <= 10.0 * np.where(np.isfinite(away), away, 0.0).max(0)
        alike = ((runs == found) | (np.isnan(runs) & np.isnan(found))).any(0)
        return bool(np.all((near | alike)[wrong]))


FAR: Ranges = (-3.0, 3.0, -1.0, 1.0)
MOVES = (
    Move((0.8, 1.2, 0.01, 0.1), (0.97, 1.03, -0.01, 0.01), far=False),
    Move((-1.2, -0.8, -0.1, 0.1), FAR, far=True),  # signs flipped, parameters moved far
    Move((-30.0, 30.0, -3.0, 3.0), (-1.2, -0.8, -0.1, 0.1), far=True),  # large, and parameters' signs flipped
)
FEW = 20_000  # nodes that are computed while each number of an `Index` is tried once
MANY = 1_000  # samples, which may be run by another program than the two of the check
LARGE = 50_000  # nodes from which on the check keeps to two samples, because each costs a run of the scalar code


def check(step: Compiled[Any], f: Callable[..., Any], example: Sequence[Any]) -> None:
    """Compare with the scalar code at other samples and other parameters, near by and far off.

    Raises:
        TracingError: where they differ by more than rounding.
    """
    checker = _Checker(step, f, example)
    generator, asked = random.Random(0), step._asked
    try:
        for move in MOVES if checker.is_small else MOVES[:2]:
            checker.check_at(move, generator)
        for number in range(checker.numbers):
            checker.check_at(MOVES[0], generator, number)
        if example and step._choose(MANY) != step._choose(2):
            step._asked = step._choose(MANY)
            checker.check_at(MOVES[0], generator)
    finally:
        step._asked = asked
        checker.set(checker.before)
        step._last = 1


class _Checker:
    def __init__(self, step: Compiled[Any], f: Callable[..., Any], example: Sequence[Any]) -> None:
        self.step, self.f = step, f
        self.flat = [flatten(argument) for argument in example]
        self.before = [p._data for p in step.parameters]
        self.is_small = step._plan.nodes + len(step.parameters) <= LARGE
        most = max((x.count for numbers, _ in self.flat for x in numbers if isinstance(x, Index)), default=0)
        self.numbers = most if step._plan.nodes * most <= FEW else 0  # of indices that are tried one by one

    def check_at(self, move: Move, generator: random.Random, number: int | None = None) -> None:
        """Compare at a sample; its indices are random, or they are ``number`` and what follows it."""
        step, flat = self.step, self.flat
        following = itertools.repeat(None) if number is None else itertools.count(number)
        samples = [[_moved(x, move.entries, generator, following) for x in numbers] for numbers, _ in flat]
        weights = moved(self.before, move.parameters, generator)
        if too_large(itertools.chain(weights, *samples), step.dtype) is not None:
            return  # the program's type has no such number

        def scalar(how: Callable[[float], float] | None) -> Array:
            """What the scalar code gives after every number was changed by ``how``."""
            for p, number in zip(step.parameters, map(how, weights) if how else weights, strict=True):
                p._data = number
            given = [
                rebuild([x if how is None or isinstance(x, Picked) else how(x) for x in sample])
                for (_, rebuild), sample in zip(flat, samples, strict=True)
            ]
            return self.called(lift(given)[0])

        with np.errstate(all="ignore"):
            try:
                expected = scalar(None)
            except Exception:
                if move.far:  # a rule of one's own need not know what to do so far off
                    return
                raise
            step.pull()
            batch = []
            for (numbers, rebuild), sample, shape in zip(flat, samples, step._arguments.shapes, strict=True):
                pair = [rebuild([_plain(x) for x in numbers]), rebuild(sample)]
                batch.append(pair if shape is None else np.array(pair, dtype=float))
            itself, found = self.both(batch)
            wrong = self.wrong(found, expected, move.far)
            eps = float(np.finfo(step.dtype).eps)
            if wrong is None or (wrong.any() and not only_rounding(scalar, found, expected, wrong, eps)):
                self.refuse(found, expected, "for a second sample")
            if move.far or not batch or not self.is_small:
                return
            # as plain numbers, since a loss may be called like that elsewhere: the example as given, and the moved one
            given = [[_number(picked(x)) for x in numbers] for numbers, _ in flat]
            for numbers, outputs in ((given, itself), (samples, found)):
                try:
                    plain = self.called([rebuild(x) for (_, rebuild), x in zip(flat, numbers, strict=True)])
                except Exception:  # code for Values alone: x.tanh() of a float, a division by zero
                    return
                wrong = self.wrong(outputs, plain, True)
                if wrong is not None and wrong.any():
                    self.refuse(outputs, plain, "for a sample that comes as plain numbers")

    def called(self, arguments: list[Any]) -> Array:
        return np.array([_plain(y) for y in flatten(self.f(*arguments))[0]])

    def set(self, numbers: list[float]) -> None:
        for p, number in zip(self.step.parameters, numbers, strict=True):
            p._data = number
        self.step.pull()

    def wrong(self, found: Array, expected: Array, far: bool) -> Any:
        """Which outputs differ; None if there are more or fewer. Far off, the scalar code need not be finite."""
        if len(found) != len(expected):
            return None
        tolerance = 1e-6 if self.step.dtype == np.float64 else 1e-3
        wrong = ~np.isclose(found, expected, tolerance, tolerance, equal_nan=True)
        if far:
            wrong &= np.isfinite(expected)
            if self.step.dtype != np.float64:  # what is finite in float64 may overflow there
                wrong &= np.isfinite(found)
        return wrong

    def refuse(self, found: Array, expected: Array, where: str) -> NoReturn:
        f = self.f
        name = getattr(f, "__qualname__", "the function")
        code = getattr(f, "__code__", None)
        place = f"{code.co_filename}:{code.co_firstlineno}: " if code else ""
        raise TracingError(
            f"{place}the program recorded from {name} gives {_few(found)} {where}, where {name} itself gives "
            f"{_few(expected)}. It does not do the same for every sample: does it read a number from text, use random "
            "numbers, ask for the type of its arguments, look one up in a set or a dict, or change what it uses? "
            "With check=False the recorded program is used all the same"
        )

    def both(self, batch: list[Any]) -> tuple[Array, Array]:
        """The program's outputs for the example and for the second sample; without arguments they are one."""
        rows = self.step.outputs(*batch)
        if not batch:
            return (outputs := np.array(flatten(rows)[0])), outputs
        if self.step._trace.single:
            return np.array([rows[0]]), np.array([rows[1]])
        first, second = (np.array(list(flatten(_sample(rows, k))[0]), dtype=float) for k in (0, 1))
        return first, second


def _sample(rows: Any, k: int) -> Any:
    return tuple(_sample(r, k) for r in rows) if isinstance(rows, tuple) else rows[k].tolist()


def _moved(entry: Any, ranges: Ranges, generator: random.Random, following: Iterator[int | None]) -> float:
    """Another number for an entry of the example; for an `Index` the one that follows, or any that it can choose."""
    if isinstance(entry, Index):
        number = next(following)
        return Picked(generator.randrange(entry.count) if number is None else number % entry.count)
    return moved([_plain(entry)], ranges, generator)[0]


def _number(x: Any) -> Any:
    """A plain number as it is; Python's own, because NumPy's may round to fewer digits."""
    return x if type(x) in (int, float, Picked) else _plain(x)


def _plain(x: Any) -> float:
    x = picked(x)
    return x.data if isinstance(x, Value) else to_float(x)


def _few(numbers: Any) -> str:
    texts = [f"{x:.10g}" for x in list(numbers)[:3]]
    return ", ".join(texts) + (", ..." if len(numbers) > 3 else "")
