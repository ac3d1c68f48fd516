"""Where a graph repeats itself: sums, products, maxima of many terms of one form, such as fifty squared errors.

A tree of one operation is read as one operation on many terms, as in a + b + c. Terms have the same form if the same
operations, in the same scopes, stand in the same places over what belongs to the term alone; which numbers, leaves and
shared nodes they are applied to does not matter (but an exponent does). Of three terms or more, the first can be drawn
and stand for the others: these, and the operations that join them, go into one box.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autograd import Value
from autograd.ops import CONSTANT

LEAST = 3  # so many terms are a repetition
LEAST_LEAVES = 8  # and so many, where each is a leaf
MOST = 100_000  # larger graphs are not searched
JOINING = {"add": "+", "mul": "×", "maximum": "max", "minimum": "min"}


@dataclass(frozen=True, slots=True)
class Repetition:
    """Terms of one form. ``hidden`` are the nodes of all but the first of them, and the operations that join them."""

    symbol: str
    terms: int
    hidden: list[int]


def repetitions(order: Sequence[Value], sources: Sequence[Sequence[int]]) -> list[Repetition]:
    """The repetitions in a graph, from the root on; none inside what another one hides."""
    if len(order) > MOST:
        return []
    users = [0] * len(order)
    joined = [False] * len(order)  # by the one operation that uses it, which is of the same kind
    for node, mine in zip(order, sources, strict=True):
        for i in mine:
            users[i] += 1
            joined[i] = node.op in JOINING and order[i].op == node.op and not (node.scope or order[i].scope)
    found = []
    gone = bytearray(len(order))
    for top in range(len(order) - 1, -1, -1):
        node = order[top]
        if gone[top] or node.op not in JOINING or node.scope or (joined[top] and users[top] == 1):
            continue
        joints, terms = _terms(top, sources, users, joined)
        if len(terms) < LEAST:
            continue
        owned = _owned(terms, joints, sources, users)
        forms = [_form(term, mine, order, sources) for term, mine in zip(terms, owned, strict=True)]
        (form, n), *_ = Counter(forms).most_common(1)
        if form is None or n < (LEAST_LEAVES if form == BARE else LEAST) or 2 * n < len(terms):
            continue
        alike = [mine for mine, one in zip(owned, forms, strict=True) if one == form]
        hidden = sorted([*joints, *(i for mine in alike[1:] for i in mine)])
        for i in hidden:
            gone[i] = True
        found.append(Repetition(JOINING[node.op], n, hidden))
    return found


def _terms(
    top: int, sources: Sequence[Sequence[int]], users: Sequence[int], joined: Sequence[bool]
) -> tuple[list[int], list[int]]:
    """The nodes of a tree of one operation, and its terms from left to right."""
    joints, terms, stack = [], [], [top]
    while stack:
        i = stack.pop()
        if i == top or (joined[i] and users[i] == 1):
            joints.append(i)
            stack += reversed(sources[i])
        else:
            terms.append(i)
    return joints, terms


def _owned(
    terms: Sequence[int], joints: Sequence[int], sources: Sequence[Sequence[int]], users: Sequence[int]
) -> list[list[int]]:
    """For each term the nodes that serve nothing else, in descending order; none if the term itself is used twice."""
    owner: dict[int, int] = {}  # the term of a node; -1 if it serves several
    seen: Counter[int] = Counter()  # how many of a node's users were met
    owned: list[list[int]] = [[] for _ in terms]
    for k, term in enumerate(terms):
        owner[term] = -1 if term in owner else k
        seen[term] += 1
    heap = [-term for term in set(terms)]
    heapq.heapify(heap)
    while heap:
        i = -heapq.heappop(heap)
        k = owner[i]
        if k < 0 or seen[i] < users[i]:
            continue
        owned[k].append(i)
        for source in sources[i]:
            if source not in owner:
                owner[source] = k
                heapq.heappush(heap, -source)
            elif owner[source] != k:
                owner[source] = -1
            seen[source] += 1
    return owned


Form = tuple[object, ...]
BARE: tuple[Form, ...] = (("leaf",),)


def _form(
    term: int, owned: Sequence[int], order: Sequence[Value], sources: Sequence[Sequence[int]]
) -> tuple[Form, ...] | None:
    """What two terms of one form have in common: their operations, each with the places of its operands."""
    if not owned:
        return None
    if not sources[term]:
        return BARE if order[term].op != CONSTANT else None
    place = {i: k for k, i in enumerate(owned)}
    form: list[Form] = []
    for i in owned:
        node = order[i]
        if node.op == CONSTANT:
            form.append((node.op,))
        else:
            exponent = node.inputs[1].data if node.op == "pow" and node.inputs[1].op == CONSTANT else None
            form.append((node.op, node.scope, exponent, *(place.get(j, -1) for j in sources[i])))
    return tuple(form)
