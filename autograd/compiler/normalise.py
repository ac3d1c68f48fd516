"""Pass 2, normalise: constants fold, ranks are found, and sums become linear nodes.

**Rank**: a node is constant, shared (it depends on parameters only), or batched (it depends on the sample). What is
computed of parameters alone is computed once, however often it is written: the 1 - a of a moving average's every step
is one node, and only then can the next pass see that each step has the same weights. What follows from itself in a long
row of steps, of parameters alone, counts as batched: see `_taking_turns`; and so does, in a function without arguments,
what reads its data: see `_batched_with_data`.

**Linear nodes**: a tree of + - negations and products with something shared, each used once, becomes one node

    bias + Σ c·w·x        c a number, w a shared or batched node or nothing, x a batched node

so for two neurons ``w1*x + b1`` and ``w2*x + b2`` the trace's mul and add are gone, and two linear nodes are left,
each with the one term (1.0, w, x) and the bias b, which the next pass can see are two rows of one matrix. A product
with a number and no w is a *bare* term: skip connections and pooling are made of these, and they stay out of the dot.
A product of two batched nodes that one sum alone uses is a term of it, too: a score of attention is Σ q·k, one linear
node.

Each of three time steps of a recurrent network, w·x + u·h with the h of the step before, is one linear node for each
row; a state that starts at 0 leaves the number 0 where later steps have an h, and 0·x stays a product for that reason.

What is linear is not listed here but read off the derivative sheet: an operation whose local derivatives are all
numbers (add: 1, 1; sub: 1, -1; x / 4: 0.25) is the sum of its inputs times those numbers, and one whose local
derivatives are its own inputs crosswise (mul, dot) is a sum of products. Chains of maximum are left as they are: three
numbers that tie share the gradient ½·½, ½·½, ½ in a chain, and not ⅓ each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..ops import BUILT_IN, CONSTANT, SHEET
from .index import TAKE
from .symbols import leaf, partials
from .trace import INPUT, PARAMETER, Trace

CONST, SHARED, BATCHED = 0, 1, 2
LINEAR = "linear"
LEAVES = INPUT, PARAMETER, CONSTANT
FAR = 2.0**256  # numbers beyond it, or below 1/FAR, are not combined: (x·1e200)·1e-200 is inf for an x of 1e150
# What may be computed once for several: not an operation whose slope may be infinite while its number is not, since
# inf·a - inf·b is not inf·(a - b); nor with such numbers: a weight times 0, at an image's edge, stays with its window.
MERGED = BUILT_IN - {"acos", "asin", "atan2", "hypot", "pow", "sqrt"}
UNMERGED = {number.hex() for number in (0.0, -0.0, math.inf, -math.inf, math.nan)}
DEEP, NARROW = 16, 32  # see `_taking_turns`
MANY_NUMBERS, LABELS = 8, (-1.0, 0.0, 1.0)  # so many in one place are data
MAX_COPIED = 64  # a long sum under a minus sign stays a node of its own, so that this pass takes linear time


# One summand of a linear node: the number c, times the shared node ``weight``, if any, times the node x. A plain tuple:
# there is one for each product in the function, and one with names takes five times as long to make.
Term = tuple[float, int | None, int]


@dataclass
class Graph:
    """The trace after normalising. Nodes keep their numbers; those that were absorbed are not in ``order``."""

    ops: list[str]
    inputs: list[tuple[int, ...]]
    numbers: list[float]
    rank: list[int]
    active: list[bool]  # does it depend on a parameter, so that it needs an adjoint?
    terms: dict[int, list[Term]] = field(default_factory=dict)  # of linear nodes
    bias: dict[int, int] = field(default_factory=dict)  # node -> shared or constant node
    order: list[int] = field(default_factory=list)  # the computed nodes that are left, inputs first
    outputs: list[int] = field(default_factory=list)
    indices: dict[int, int] = field(default_factory=dict)  # inputs that are an `Index` -> the number of their argument
    data: dict[tuple[str, int], set[float]] = field(default_factory=dict)  # see `_data_of_operands`

    def is_data(self, op: str, place: int, x: int) -> bool:
        """Whether the constant x is data where it is that operand of an operation."""
        return self.numbers[x] in self.data.get((op, place), ())

    def add(self, op: str, inputs: tuple[int, ...], number: float, rank: int, active: bool) -> int:
        """A new node; returns its number."""
        self.ops.append(op)
        self.inputs.append(inputs)
        self.numbers.append(number)
        self.rank.append(rank)
        self.active.append(active)
        return len(self.ops) - 1


def linear_form(op: str, count: int) -> tuple[str, tuple[float, ...]]:
    """How the sheet says that an operation of ``count`` unknown inputs is linear.

    ("sum", coefficients), ("products", ()) for y = Σ aᵢ·bᵢ with the a in the first half and the b in the second, or
    ("", ()) if it is neither.
    """
    if op not in BUILT_IN:  # a rule of one's own may state a derivative that is not the forward formula's
        return "", ()
    xs = [leaf(i, ()) for i in range(count)]
    y = leaf("y", ())
    found = [p for p in partials(op, y, *xs) if p is not None]
    if len(found) < count:  # a step, or a detach: what goes forward does not go back
        return "", ()
    if all(p.operator == "number" for p in found):
        return "sum", tuple(p.detail for p in found)
    half = count // 2
    if count == 2 * half and all(p is xs[(i + half) % count] for i, p in enumerate(found)):
        return "products", ()
    return "", ()


def may_scale(c: float, terms: list[Term]) -> bool:
    """Whether c·(Σ cᵢ·wᵢ·xᵢ) may be written as Σ (c·cᵢ)·wᵢ·xᵢ."""
    if len(terms) > MAX_COPIED:
        return False
    far = [abs(number) for own, _, _ in terms for number in (c, own) if number != 0.0]
    return abs(c) == 1.0 or all(1.0 / FAR <= number <= FAR for number in far)


def normalise(trace: Trace) -> Graph:
    ops, inputs, numbers = list(trace.ops), list(trace.inputs), list(trace.numbers)
    n = len(ops)
    rank, active, uses = [CONST] * n, [False] * n, [0] * n
    for i in trace.parameter_nodes:
        rank[i], active[i] = SHARED, True
    for nodes in trace.arguments:
        for i in nodes:
            rank[i] = BATCHED
    shared: list[int] = []  # computed of parameters alone
    known: dict[tuple[str | int, ...], int] = {}
    twins: dict[int, int] = {}  # shared node -> an earlier one, the same operation on the same operands
    for i, own in enumerate(inputs):
        if own or ops[i] not in LEAVES:
            if twins:
                own = inputs[i] = tuple([twins.get(x, x) for x in own])
            r, reached = CONST, False
            for x in own:
                if rank[x] > r:
                    r = rank[x]
                reached = reached or active[x]
            rank[i], active[i] = r, reached
            if r == SHARED and ops[i] in MERGED:
                key = (ops[i], *[x if rank[x] else numbers[x].hex() for x in own])
                if UNMERGED.isdisjoint(key) and known.setdefault(key, i) != i:
                    twins[i] = known[key]
            if r == SHARED and i not in twins:
                shared.append(i)
            if r == CONST or i in twins:  # its number is known, whatever the operation; or another node has it
                ops[i], inputs[i] = CONSTANT, ()
            for x in inputs[i]:
                uses[x] += 1
    graph = Graph(ops, inputs, numbers, rank, active)
    graph.indices = {i: k for k, nodes in enumerate(trace.arguments) for i in nodes if i in trace.indices}
    outputs = [twins.get(y, y) for y in trace.outputs]
    for y in outputs:
        uses[y] += 2  # an output is a node of its own
    builder = _Linear(graph, uses)
    if not any(trace.arguments):
        shared = _batched_with_data(graph, shared, builder)
    else:
        graph.data = _data_of_operands(graph, builder)
    for i in _taking_turns(graph, shared, builder):
        rank[i] = BATCHED
    builder.visit(n)
    graph.outputs = [builder.output(y) for y in outputs]
    builder.finish(n)
    return graph


def _batched_with_data(graph: Graph, shared: list[int], sheet: _Linear) -> list[int]:
    """A function without arguments may have its data inside, as a loss written over all samples has: there many
    numbers, not all the same, meet one and the same node. What reads them, and what follows, counts as batched, of one
    sample, since only of such nodes rows become a matrix. Returns the others."""
    met: dict[Any, list[float]] = {}
    found: list[tuple[int, Any]] = []
    for i in shared:
        for where, number in _met(graph, i, sheet):
            met.setdefault(where, []).append(number)
            found.append((i, where))
    data = {where for where, numbers in met.items() if len(numbers) >= MANY_NUMBERS and len(set(numbers)) > 1}
    sheet.data = {i for i, where in found if where in data}
    if not sheet.data:
        return shared
    rank = graph.rank
    for i in shared:
        if i in sheet.data or any(rank[x] == BATCHED for x in graph.inputs[i]):
            rank[i] = BATCHED
    graph.data = _data_of_operands(graph, sheet)
    return [i for i in shared if rank[i] == SHARED]


def _met(graph: Graph, i: int, sheet: _Linear) -> Iterator[tuple[Any, float]]:
    """The numbers that a node multiplies, or combines in another way that is not linear, and with what."""
    rank, numbers, op, operands = graph.rank, graph.numbers, graph.ops[i], graph.inputs[i]
    kind, half = sheet.form(op, len(operands))[0], len(operands) // 2
    if kind != "products" and (kind == "sum" or len(operands) != 2):
        return
    for a, b in zip(operands[:half], operands[half:], strict=True):
        if rank[a] == CONST:
            yield (b, "" if kind else op, 0), numbers[a]
        elif rank[b] == CONST and (kind or sheet.scale(op, numbers[b]) is None):
            yield (a, "" if kind else op, int(not kind)), numbers[b]


def _data_of_operands(graph: Graph, sheet: _Linear) -> dict[tuple[str, int], set[float]]:
    """Per operation, and which operand of it, the numbers that are data: all, if there are many different ones, such as
    a series that a loop reads; but beside arguments those that come again and again are a formula's. In a function
    without arguments so are the labels -1, 0 and 1, if two of them stand there, many times in all."""
    met: dict[tuple[str, int], list[float]] = {}
    rank = graph.rank
    for i, operands in enumerate(graph.inputs):
        if len(operands) != 2 or (rank[operands[0]] and rank[operands[1]]) or rank[i] != BATCHED:  # as most are
            continue
        for k, x in enumerate(operands):
            if rank[x] == CONST and (i not in sheet.data or sheet.form(graph.ops[i], 2)[0] != "products"):
                met.setdefault((graph.ops[i], k), []).append(graph.numbers[x])
    data: dict[tuple[str, int], set[float]] = {}
    for place, numbers in met.items():
        labels = [number for number in numbers if number in LABELS]
        if len(set(numbers)) >= MANY_NUMBERS and (sheet.data or 2 * len(set(numbers)) >= len(numbers)):
            data[place] = set(numbers)
        elif sheet.data and len(labels) >= MANY_NUMBERS and len(set(labels)) > 1:
            data[place] = set(labels)
    return data


def _taking_turns(graph: Graph, shared: list[int], sheet: _Linear) -> list[int]:
    """Of the nodes that parameters alone decide, those that follow from each other step by step: the variance in a
    Kalman filter. They are computed for each sample, since only what is takes turns in a loop.

    Steps are counted in operations that are not linear, so that a long sum is none. It has to be single numbers:
    ``NARROW`` nodes to a step at most.
    """
    rank, step = graph.rank, dict.fromkeys(shared, 0)
    for i in shared:
        op, operands = graph.ops[i], graph.inputs[i]
        found = (
            sum(rank[x] == SHARED for x in operands) > 1 if op == "mul" else sheet.form(op, len(operands))[0] != "sum"
        )
        step[i] = found + max([step.get(x, 0) for x in operands])
    deepest = max(step.values(), default=0)
    if deepest < DEEP or len(shared) > NARROW * deepest:
        return []
    return [i for i, own in step.items() if own > 1]


class _Linear:
    """Collects linear nodes. ``sums[i]`` holds the terms of a sum that may still be absorbed by its one consumer."""

    def __init__(self, graph: Graph, uses: list[int]) -> None:
        self.graph, self.uses = graph, uses
        self.forms: dict[tuple[str, int], tuple[str, tuple[float, ...]]] = {}
        self.sums: dict[int, list[Term]] = {}
        self.absorbed: set[int] = set()
        self.data: set[int] = set()  # what reads data: see `_batched_with_data`
        self.constants: dict[str, int] = {}
        self.scales: dict[tuple[float, int], int] = {}
        self.added: list[tuple[int, int]] = []  # (new node, the node that it must come before)

    def node(self, op: str, inputs: tuple[int, ...], number: float, rank: int, active: bool) -> int:
        self.uses.append(1)
        return self.graph.add(op, inputs, number, rank, active)

    def constant(self, number: float) -> int:
        key = number.hex()
        if key not in self.constants:
            self.constants[key] = self.node(CONSTANT, (), number, CONST, False)
        return self.constants[key]

    def visit(self, n: int) -> None:
        """All nodes in their order. A large network is sums and products of two, so these are told apart at once."""
        g, sums, rank, chained = self.graph, self.sums, self.graph.rank, self.chained
        kinds = dict.fromkeys((*LEAVES, TAKE), "leaf")
        for i in range(n):
            op = g.ops[i]
            kind = kinds.get(op)
            if kind is None:
                kind, coefficients = self.form(op, 2) if op in SHEET and SHEET[op].arity == 2 else ("", ())
                kinds[op] = kind = "chain" if coefficients == (1.0, 1.0) else kind if kind == "products" else "other"
            if kind == "leaf":
                continue
            if kind == "products":
                a, b = g.inputs[i]
                if rank[a] > rank[b]:
                    a, b = b, a
                if CONST < rank[a] < rank[b]:
                    sums[i] = [(1.0, a, b)]
                    continue
            elif kind == "chain" and chained(i, *g.inputs[i]):
                continue
            self._visit(i)

    def form(self, op: str, count: int) -> tuple[str, tuple[float, ...]]:
        key = op, count
        if key not in self.forms:
            self.forms[key] = linear_form(op, count)
        return self.forms[key]

    def _visit(self, i: int) -> None:
        g = self.graph
        op, operands = g.ops[i], g.inputs[i]
        kind, coefficients = self.form(op, len(operands))
        terms: list[Term] | None
        if kind == "sum":
            terms = [(c, None, x) for c, x in zip(coefficients, operands, strict=True)]
        elif kind == "products":
            half = len(operands) // 2
            terms = self.products(i, operands[:half], operands[half:])
        elif len(operands) == 2 and g.rank[operands[1]] == CONST and g.rank[operands[0]] != CONST:
            scale = self.scale(op, g.numbers[operands[1]])  # x / 4 is linear, too
            terms = None if scale is None else [(scale, None, operands[0])]
            if scale is not None and g.is_data(op, 1, operands[1]):
                terms = [(1.0, self.constant(scale), operands[0])]
        else:
            terms = None
        if terms is not None:
            self.sums[i] = self.flatten(terms)

    def chained(self, i: int, a: int, b: int) -> bool:
        """The common case of `flatten`, a link in a chain of additions, written out because there are so many."""
        sums, uses = self.sums, self.uses
        inner = sums.get(a)
        if inner is None or uses[a] != 1:
            return False
        other = sums.get(b) if uses[b] == 1 else None
        if other is None:
            inner.append((1.0, None, b))
        elif len(other) <= len(inner):
            inner += other
            del sums[b]
            self.absorbed.add(b)
        else:
            return False
        del sums[a]
        self.absorbed.add(a)
        sums[i] = inner
        return True

    def scale(self, op: str, second: float) -> float | None:
        """c if op(x, second) is c·x for every x, as the sheet's local derivative says: division is, a power is not."""
        key = (op + " " + second.hex(), 2)
        if key not in self.forms:
            if SHEET[op].arity != 2 or op not in BUILT_IN:
                self.forms[key] = "", ()
            else:
                x, y = leaf("x", ()), leaf("y", ())
                p = partials(op, y, x, second)[0]
                is_number = p is not None and p.operator == "number" and math.isfinite(p.detail) and p.detail != 0.0
                proper = is_number and SHEET[op].forward(0.0, second) == 0.0
                self.forms[key] = ("sum", (p.detail,)) if p is not None and proper else ("", ())
        kind, coefficients = self.forms[key]
        return coefficients[0] if kind else None

    def products(self, i: int, left: tuple[int, ...], right: tuple[int, ...]) -> list[Term] | None:
        """The terms of Σ aᵢ·bᵢ; a product of two batched nodes (or two shared ones) becomes a node of its own.

        So does one with inf: inf·x - inf·y is nan, and inf·(x - y) is not.
        """
        rank, op = self.graph.rank, self.graph.ops[i]
        terms: list[Term] = []
        for a, b in zip(left, right, strict=True):
            place = int(rank[a] > rank[b])
            if place:
                a, b = b, a
            if rank[a] == CONST and (i in self.data if rank[b] == SHARED else self.graph.is_data(op, place, a)):
                number = self.constant(self.graph.numbers[a])
                terms.append((1.0, b, number) if rank[b] == SHARED else (1.0, number, b))
            elif rank[a] == CONST and math.isfinite(self.graph.numbers[a]):
                terms.append((self.graph.numbers[a], None, b))
            elif CONST < rank[a] < rank[b]:
                terms.append((1.0, a, b))
            elif len(left) == 1 and op == "mul":
                return None
            elif rank[a] == rank[i]:
                terms.append((1.0, a, b))
            else:
                g = self.graph
                new = self.node("mul", (a, b), g.numbers[a] * g.numbers[b], rank[b], g.active[a] or g.active[b])
                self.added.append((new, i))
                terms.append((1.0, None, new))
        return terms

    def flatten(self, terms: list[Term]) -> list[Term]:
        """Put the terms of sums that are used here only in their place. Plain additions extend the longest list."""
        if len(terms) > 2:
            return self._extended([], terms)
        # steal the list of the longer inner sum: a chain of additions must not be copied each time
        first, best = -1, 0
        for k, (c, w, x) in enumerate(terms):
            inner = self.sums.get(x)
            if c == 1.0 and w is None and inner is not None and self.uses[x] == 1 and len(inner) > best:
                first, best = k, len(inner)
        if first < 0:
            return self._extended([], terms)
        x = terms.pop(first)[2]
        result = self.sums.pop(x)
        self.absorbed.add(x)
        if first == 1 and len(result) <= MAX_COPIED:  # keep the order in which they were written
            return self._extended([], terms) + result
        return self._extended(result, terms)

    def _extended(self, result: list[Term], terms: list[Term]) -> list[Term]:
        sums, uses = self.sums, self.uses
        for term in terms:
            c, w, x = term
            if w is None and uses[x] == 1 and x in sums and (c == 1.0 or may_scale(c, sums[x])):
                inner = sums.pop(x)
                self.absorbed.add(x)
                result += inner if c == 1.0 else [(c * own, w, x) for own, w, x in inner]
            else:
                result.append(term)
        return result

    def output(self, y: int) -> int:
        """An output is always a computed, batched node."""
        g = self.graph
        if g.rank[y] == BATCHED and g.ops[y] != INPUT:
            return y
        new = self.node(LINEAR, (), g.numbers[y], BATCHED, g.active[y])
        self.sums[new] = [(1.0, None, y)]
        self.added.append((new, len(g.ops)))
        return new

    def finish(self, n: int) -> None:
        """Split every sum that is left into bias and terms, and list the nodes in order."""
        g = self.graph
        for i, terms in self.sums.items():
            products = [k for k, (_, w, x) in enumerate(terms) if w is None and self.is_own_product(i, x)]
            if not products:
                continue
            zeros = sum(c == 0.0 for c, _, _ in terms)  # products with a state that starts at 0
            if len(products) + zeros > 1 or len(terms) == 1:
                for k in products:
                    c, _, x = terms[k]
                    a, b = g.inputs[x]
                    terms[k] = c, a, b
                    self.absorbed.add(x)
        before: dict[int, list[int]] = {}
        last: list[int] = []
        for new, i in self.added:
            (before.setdefault(i, []) if i < n else last).append(new)
        for i in range(n):
            g.order += before.get(i, ())
            if g.ops[i] not in LEAVES and i not in self.absorbed:
                if i in self.sums:
                    self._split(i)
                g.order.append(i)
        for i in last:
            self._split(i)
            g.order.append(i)

    def is_own_product(self, i: int, x: int) -> bool:
        """Whether x is a product of two nodes of the rank of the sum i, which alone uses it."""
        g = self.graph
        if g.ops[x] != "mul" or self.uses[x] != 1 or x in self.sums:
            return False
        a, b = g.inputs[x]
        return g.rank[a] == g.rank[b] == g.rank[i]

    def scaled(self, c: float, w: int) -> int:
        """The shared node c·w, so that weights in a product need no number beside them."""
        node = self.scales.get((c, w))
        if node is None:
            node = self.scales[c, w] = self.node(LINEAR, (), 0.0, SHARED, self.graph.active[w])
            self.graph.terms[node] = [(c, None, w)]
            self.graph.order.append(node)
        return node

    def _split(self, i: int) -> None:
        g, rank = self.graph, self.graph.rank
        number, shared, terms = 0.0, [], []
        window = rank[i] == BATCHED and any(w is not None and rank[w] != BATCHED for _, w, _ in self.sums[i])
        for term in self.sums[i]:
            c, w, x = term
            if w is not None and (rank[w] == rank[x] == rank[i] or (c == 1.0 and rank[w] == SHARED)):  # as most are
                terms.append(term)
            elif w is not None and rank[x] == CONST and may_scale(c, [(g.numbers[x], None, x)]):
                terms.append((1.0, w, self.constant(c * g.numbers[x])))
            elif w is not None and rank[w] == SHARED:
                terms.append((1.0, self.scaled(c, w), x))
            elif rank[x] == CONST:
                number += c * g.numbers[x]
            elif c == 0.0 and w is None and rank[x] == rank[i]:  # the first turn of a loop: a state that starts at 0
                terms.append((1.0, x, self.constant(c)))
            elif rank[i] == BATCHED and rank[x] == SHARED:
                if window and c != 1.0:  # a weight that meets a number: the padding of an image
                    terms.append((1.0, x, self.constant(c)))
                else:
                    shared.append(term)
            else:
                terms.append(term)
        if shared and (len(shared) > 1 or shared[0][0] != 1.0 or number != 0.0):
            bias = self.node(LINEAR, (), 0.0, SHARED, True)
            g.terms[bias] = shared
            if number != 0.0:
                g.bias[bias] = self.constant(number)
            g.order.append(bias)
            g.bias[i] = bias
        elif shared:
            g.bias[i] = shared[0][2]
        elif number != 0.0 or not terms:
            g.bias[i] = self.constant(number)
        if len(terms) == 1 and i not in g.bias and terms[0][0] == 1.0:
            _, a, b = terms[0]
            if a is not None and rank[a] == rank[i] and g.ops[i] == "mul":  # 0.0·x, as any product
                g.inputs[i] = a, b
                return
        g.ops[i] = LINEAR
        g.terms[i] = terms
