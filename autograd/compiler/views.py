"""Views: the text by which some places of an array are read as they lie, as slices, without a copy.

Places that go in even steps along each axis of a box, offset + Σ stride·i, are a view of the array that holds them: row
12h + d of a matrix [48, T] at h < 4, d < 4 is ``a.reshape(4, 12, T)[:, :4]``. Whatever does not go in even steps has to
be gathered. For the two neurons the window [x] and the rows are arrays as they are; at time step t of three, the step
before is ``h1[0:3]``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .symbols import BATCH

Places = NDArray[np.intp]
MANY = 1_000_003  # stands for the number of samples where strides are compared: a prime, larger than any size


@dataclass(frozen=True)
class View:
    """An array, or a part of it, as text, with its shape (BATCH for the samples) and its strides in entries."""

    base: str
    text: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    in_turns: bool = False  # the text has a turn in it
    before: View | None = None  # what the last step was made from, and
    moved: tuple[int, ...] | None = None  # the order of its axes, if that was a permutation; else it was a reshape

    # --- what comes after the text

    def indexed(self, index: Sequence[slice | int | None]) -> View:
        """The view at this index: a slice for each axis, a number that takes one, or None for an axis of size 1."""
        texts: list[str] = []
        shape: list[int] = []
        strides: list[int] = []
        axis = 0
        plain = True
        taken = sum(part is not None for part in index)
        for part in [*index, *[slice(None)] * (len(self.shape) - taken)]:
            if part is None:
                texts.append("None")
                shape.append(1)
                strides.append(0)
                plain = False
                continue
            size, stride = self.shape[axis], self.strides[axis]
            axis += 1
            if isinstance(part, int):
                texts.append(str(part))
                plain = False
                continue
            low, high, step = part.start or 0, size if part.stop is None else part.stop, part.step or 1
            count = size if size < 0 else len(range(low, high, step))
            if size < 0 or (low, high, step) == (0, size, 1):
                texts.append(":")
            else:
                texts.append(f"{low}:{high}{f':{step}' if step > 1 else ''}")
                plain = False
            shape.append(count)
            strides.append(stride * step)
        if plain:
            return self
        while texts and texts[-1] == ":":
            texts.pop()
        if not shape:
            texts.append("...")  # an array without axes, and not a number: it can be written into
        return View(self.base, f"{self.text}[{', '.join(texts)}]", tuple(shape), tuple(strides), self.in_turns)

    def at_turn(self, axis: int) -> View:
        """The view at turn t of a loop, which ``axis`` counts."""
        if self.before is not None and self.moved is not None:  # the turn first, and then the others in their order
            own = self.moved[axis]
            return self.before.at_turn(own).permuted([a - (a > own) for a in self.moved if a != own])
        shape, strides = (s[:axis] + s[axis + 1 :] for s in (self.shape, self.strides))
        text, low = self.text, 0
        front = ":, " * axis
        head = f"[{front}"
        cut = text.rfind("[")
        inner = text[cut + len(head) : -1] if cut >= 0 and text.endswith("]") and text[cut:].startswith(head) else ""
        first, colon, rest = inner.partition(":")
        if colon and first.isdigit() and rest.isdigit():  # h[:, 1:6] at turn t is h[:, t + 1]
            text, low = text[:cut], int(first)
        index = f"{front}turn{f' + {low}' if low else ''}{'' if shape else ', ...'}"  # see `indexed`
        return View(self.base, f"{text}[{index}]", shape, strides, in_turns=True)

    def permuted(self, order: Sequence[int]) -> View:
        if self.before is not None and self.moved is not None:
            return self.before.permuted([self.moved[a] for a in order])
        if list(order) == list(range(len(order))):
            return self
        shape, strides = (tuple(s[a] for a in order) for s in (self.shape, self.strides))
        return View(self.base, permuted_text(self.text, order), shape, strides, self.in_turns, self, tuple(order))

    def reshaped(self, shape: Sequence[int]) -> View | None:
        """Seen in another shape; None if that takes a copy."""
        shape = tuple(shape)
        if shape == self.shape:
            return self
        if self.before is not None and self.moved is None:
            return self.before.reshaped(shape)
        strides = _reshaped_strides(self.shape, self.strides, shape)
        if strides is None:
            return None
        sizes = [str(s) if s > 0 else "-1" for s in shape]
        return View(self.base, f"{self.text}.reshape({', '.join(sizes) or '()'})", shape, strides, self.in_turns, self)


def permuted_text(text: str, order: Sequence[int]) -> str:
    """What has its axes in another order, as NumPy says it shortest."""
    moved = [k for k, a in enumerate(order) if k != a]
    if len(order) == 2:
        return f"{text}.T"
    if len(moved) == 2:
        return f"{text}.swapaxes({moved[0]}, {moved[1]})"
    return f"{text}.transpose({', '.join(map(str, order))})"


def size_of(size: int) -> int:
    """A size as a number: -1 is the number of samples, -p is p times as many."""
    return size if size > 0 else -size * MANY


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    strides: list[int] = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= size_of(size)
    return tuple(reversed(strides))


def in_memory(shape: Sequence[int], takes_turns: bool) -> tuple[int, ...]:
    """The strides of an array; one that ``takes_turns`` has the turns first in memory, also if it is [samples, turns,
    ...]."""
    if not takes_turns or shape[0] != BATCH:
        return contiguous(shape)
    samples, turns, *rest = shape
    outer, inner, *others = contiguous([turns, samples, *rest])
    return (inner, outer, *others)


def _reshaped_strides(old: Sequence[int], strides: Sequence[int], new: Sequence[int]) -> tuple[int, ...] | None:
    """The strides after a reshape that needs no copy, or None: axes are merged where they lie one after the other."""
    blocks: list[tuple[int, int]] = []  # (size, stride) of what lies in even steps
    for size, stride in zip(map(size_of, old), strides, strict=True):
        if size == 1:
            continue
        if blocks and blocks[-1][1] == stride * size:
            blocks[-1] = blocks[-1][0] * size, stride
        else:
            blocks.append((size, stride))
    result: list[int] = []
    for size in reversed([size_of(s) for s in new]):
        if size == 1:
            result.append(0)
            continue
        if not blocks or blocks[-1][0] % size:
            return None
        left, stride = blocks[-1]
        result.append(stride)
        blocks[-1] = left // size, stride * size
        if left == size:
            blocks.pop()
    return tuple(reversed(result))


# --- places in even steps


@dataclass(frozen=True)
class Steps:
    """Places offset + Σ stride·i for i along each axis; stride 0 where there is one place, or nothing is known."""

    offset: int
    strides: tuple[int, ...]

    def places(self, sizes: Sequence[int]) -> Places:
        """All of them, in a box of these sizes."""
        along = np.indices(tuple(sizes), dtype=np.intp, sparse=True)
        return np.asarray(self.offset + sum(s * i for s, i in zip(self.strides, along, strict=True)), dtype=np.intp)


def even_steps(places: Places, real: NDArray[np.bool_] | None, size: int) -> Steps | None:
    """The steps in which these places go, if they are even; ``real`` says which count, if not all do.

    Those that do not count get places, too, and all of them have to lie in an array of ``size``.
    """
    strides: list[int] = []
    for axis in range(places.ndim):
        if places.shape[axis] == 1:
            strides.append(0)
            continue
        steps = np.diff(places, axis=axis)
        if real is not None:
            both = np.logical_and(
                np.take(real, range(1, places.shape[axis]), axis), np.take(real, range(places.shape[axis] - 1), axis)
            )
            steps = steps[both]
        steps = steps.reshape(-1)
        stride = int(steps[0]) if len(steps) else 0
        if stride < 0 or (steps != stride).any():
            return None
        strides.append(stride)
    at = (0,) * places.ndim if real is None else tuple(int(x) for x in np.argwhere(real)[0])
    offset = int(places[at]) - sum(s * i for s, i in zip(strides, at, strict=True))
    last = offset + sum(s * (n - 1) for s, n in zip(strides, places.shape, strict=True))
    if offset < 0 or last >= size:
        return None
    found = Steps(offset, tuple(strides))
    if real is not None and ((found.places(places.shape) != places) & real).any():
        return None
    return found


def view_of(
    name: str,
    shape: Sequence[int],
    steps: Steps,
    sizes: Sequence[int],
    batch: int | None,
    text: str = "",
    takes_turns: bool = False,
) -> View | None:
    """The view of an array of this ``shape`` (without the samples) that these steps over axes ``sizes`` make.

    ``batch`` is 0 or -1: the samples are the first axis or the last one, of the array and of the view; None: there are
    none. Axes of one place are there with size 1. ``takes_turns``: see `in_memory`.
    """
    axes = [(a, steps.strides[a]) for a, size in enumerate(sizes) if size > 1]
    if any(stride == 0 for _, stride in axes):
        return None
    whole = list(shape)
    found = _decomposed(whole, steps.offset, axes, sizes)
    if found is None and len(whole) > 1:
        whole = [shape[0], math.prod(shape[1:])] if takes_turns else [math.prod(shape)]
        found = _decomposed(whole, steps.offset, axes, sizes)
    if found is None:
        return None
    full = _with_samples(tuple(shape), batch)
    view = View(name, text or name, full, in_memory(full, takes_turns))
    reshaped = view.reshaped(_with_samples(tuple(whole), batch))
    if reshaped is None:
        return None
    front, back = ([slice(None)] if batch == 0 else []), ([slice(None)] if batch == -1 else [])
    view = reshaped.indexed([*front, *found.outer, *back])
    reshaped = view.reshaped(_with_samples(tuple(found.digits), batch))
    if reshaped is None:
        return None
    view = reshaped.indexed([*front, *found.inner, *back])
    places = {a: k for k, a in enumerate(found.axes)}
    shift = len(front)
    order = [*range(shift), *[places[a] + shift for a, _ in axes], *([len(axes) + shift] if back else [])]
    view = view.permuted(order)
    index: list[slice | None] = [*front]
    index += [slice(None) if size > 1 else None for size in sizes]
    return view.indexed([*index, *back])


def _with_samples(shape: tuple[int, ...], batch: int | None) -> tuple[int, ...]:
    return shape if batch is None else (BATCH, *shape) if batch == 0 else (*shape, BATCH)


@dataclass
class _Decomposed:
    outer: list[slice | int]  # per axis of the array
    digits: list[int]  # the shape that what is left is then seen in
    inner: list[slice]  # per digit
    axes: list[int]  # the reader's axis that each digit is


def _decomposed(
    shape: Sequence[int], offset: int, axes: Sequence[tuple[int, int]], sizes: Sequence[int]
) -> _Decomposed | None:
    found = _Decomposed([], [], [], [])
    left = sorted(axes, key=lambda a: -a[1])
    stride = int(math.prod(shape))
    for size in shape:
        above, stride = stride, stride // size
        low = offset // stride % size if stride else 0
        mine = [(a, s) for a, s in left if stride <= s < above]
        left = [(a, s) for a, s in left if not stride <= s < above]
        if any(s % stride for _, s in mine):
            return None
        if not mine:
            found.outer.append(low if size > 1 else 0)
            continue
        steps = [s // stride for _, s in mine]
        counts = [sizes[a] for a, _ in mine]
        last = steps[-1]
        if any(s % last for s in steps):
            return None
        if len(mine) == 1:
            high = low + last * (counts[0] - 1) + 1
            if high > size:
                return None
            found.outer.append(slice(low, size if high == size else high, last))
            found.digits.append(counts[0])
            found.inner.append(slice(None))
            found.axes.append(mine[0][0])
            continue
        radices = [a // b for a, b in itertools.pairwise(steps)]
        if any(a % b for a, b in itertools.pairwise(steps)):
            return None
        if any(count > radix for count, radix in zip(counts[1:], radices, strict=True)):
            return None
        low_digit = low % steps[0]
        high = low + steps[0] * counts[0]
        inner_low = 0
        if high > size:  # begin at a whole digit, and take the rest off inside
            low, high = low - low_digit, low - low_digit + steps[0] * counts[0]
            inner_low = low_digit
            if high > size or inner_low // last + counts[1] > radices[0] or len(mine) > 2 or inner_low % last:
                return None
        found.outer.append(slice(low, high, last))
        found.digits += [counts[0], *radices]
        found.inner.append(slice(None))
        for k, (count, radix) in enumerate(zip(counts[1:], radices, strict=True)):
            start = inner_low // last if k == 0 else 0
            found.inner.append(slice(start, radix if start + count == radix else start + count))
        found.axes += [a for a, _ in mine]
    return None if left else found
