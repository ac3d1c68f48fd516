"""The axes of expressions: another order, another shape, one less, in the fewest steps.

Where an expression is a leaf, a `View` of an array, it stays one as far as it can: the transpose of w1 is the leaf
``w1.T``, and for the two neurons dh = w1.T @ dz reads it where it lies. Everything else gets a step of its own, two of
which become one. A fold over the rows of a recurrent network, whose axis is first, moves inside to where that axis is
in memory (`with_row_at`), so that none of its three time steps is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .symbols import Shape, Symbol, broadcast, leaf, number

# operators of which the axes of the result are not those of the operands
WHOLE = {"leaf", "reshape", "transpose", "stretch", "sum", "max", "@", "gather", "part"}
WHOLE |= {"take", "take_along", "placed", "add_at"}


def mapped(x: Symbol, change: Callable[[Symbol, Symbol], Symbol]) -> Symbol:
    """A tree in which ``change(old, new)`` takes every symbol's place, where ``new`` is the old one with its arguments
    changed; what occurs more than once is changed once."""
    done: dict[int, Symbol] = {}

    def walk(s: Symbol) -> Symbol:
        if id(s) not in done:
            arguments = tuple(map(walk, s.arguments))
            as_it_was = all(a is b for a, b in zip(arguments, s.arguments, strict=True))
            done[id(s)] = change(s, s if as_it_was else Symbol(s.operator, arguments, s.shape, s.detail, s.row))
        return done[id(s)]

    return walk(x)


def without_missing(x: Symbol, mask: Symbol) -> Symbol:
    """A rule's tree with masked folds: of a sum 0 is left out, of a maximum -inf."""
    neutral = {"sum": number(0.0), "max": number(float("-inf"))}

    def change(_: Symbol, s: Symbol) -> Symbol:
        if s.operator not in neutral:
            return s
        chosen = mask.where(s.arguments[0], neutral[s.operator])
        return Symbol(s.operator, (chosen,), s.shape, s.detail, s.row)

    return mapped(x, change)


def is_plain(x: Symbol) -> bool:
    """Whether an expression has numbers and n in it only, no arrays."""
    return x.detail.base == "n" if x.operator == "leaf" else x.operator != "gather" and all(map(is_plain, x.arguments))


def is_one(x: Symbol) -> bool:
    return bool(x.operator == "number" and x.detail == 1.0)


def reshape(x: Symbol, shape: Shape) -> Symbol:
    if x.shape == shape:
        return x
    if x.operator == "reshape" and x.arguments[0].operator == "add_at":
        return reshape(x.arguments[0], shape)
    if x.operator == "leaf":
        view = x.detail.reshaped(shape)
        if view is not None:
            return leaf(view, shape)
    return Symbol("reshape", (x,), shape)


def transposed(e: Symbol, order: Sequence[int]) -> Symbol:
    """e with its axes in another order; two such steps are one, and one that changes nothing is none."""
    if e.operator == "transpose":
        order = [e.detail[a] for a in order]
        (e,) = e.arguments
    if list(order) == list(range(len(order))):
        return e
    if e.operator == "leaf":
        view = e.detail.permuted(order)
        return leaf(view, view.shape)
    return Symbol("transpose", (e,), tuple(e.shape[a] for a in order), tuple(order))


def with_row_at(x: Symbol, place: int, count: int, done: dict[int, Symbol]) -> Symbol:
    """A tree over rows, whose axis is the first of ``count``, with that axis at another place. What has no such axis, a
    fold above all, gets one of size 1 there."""
    if id(x) in done:
        return done[id(x)]
    if x.shape == ():
        found = x
    elif len(x.shape) == count and x.operator in ("leaf", "reshape", "transpose", "stretch"):
        found = transposed(x, [*range(1, place + 1), 0, *range(place + 1, count)])
    elif x.operator in ("sum", "max") and len(x.arguments[0].shape) == count and x.detail == (0, False):
        inner = with_row_at(x.arguments[0], place, count, done)
        shape = (*inner.shape[:place], 1, *inner.shape[place + 1 :])
        found = Symbol(x.operator, (inner,), shape, (place, True))
    elif x.operator in WHOLE:
        shape = (*(1,) * (count - 1 - len(x.shape)), *x.shape)
        found = reshape(x, (*shape[:place], 1, *shape[place:]))
    else:
        arguments = tuple(with_row_at(a, place, count, done) for a in x.arguments)
        found = Symbol(x.operator, arguments, broadcast(*[a.shape for a in arguments]), x.detail)
    done[id(x)] = found
    return found


def dropped(e: Symbol, axis: int) -> Symbol:
    """e without an axis of size 1."""
    shape = e.shape[:axis] + e.shape[axis + 1 :]
    if e.operator == "sum" and e.detail[1]:
        axes = e.detail[0]
        if axes == (axis,):
            return Symbol("sum", e.arguments, shape, ((axis,), False))
    if e.operator == "leaf":
        return leaf(e.detail.indexed([0 if a == axis else slice(None) for a in range(len(e.shape))]), shape)
    return Symbol("reshape", (e,), shape)


def stretched(e: Symbol, shape: Shape) -> Symbol:
    """e written out to a shape that it stretches to."""
    return e if e.shape == shape else Symbol("stretch", (e,), shape)
