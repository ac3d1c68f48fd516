"""Pass 6, second part: each group as one definition, forward.

The derivative sheet is run on symbols that stand for whole arrays, and a linear group is a sum of contractions
(`autograd.compiler.contract`). The two neurons, with h summed to the loss:

    z1 = w1 @ x + b1[:, None]
    h1 = tanh(z1)
    s1 = sum(h1, 0)

**Loops.** What takes turns is written once, for turn t; what no turn needs, such as the product with the inputs, is
done before, for all turns at once. Of a recurrent network over three time steps:

    t1 = w1 @ x.reshape(3, 2, -1)
    for turn in range(3):
        z1[turn] = w2 @ h1[turn] + t1[turn]
        h1[turn + 1] = tanh(z1[turn])

**Padding.** Places of a box without a node hold anything, nan and inf, too. So whoever adds up over them leaves them
out (`where` with a mask, not a product with 0: 0·inf is nan).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .axes import dropped, stretched, with_row_at, without_missing
from .classes import Unrollable
from .contract import Label, Tensor
from .finding import Finder
from .groups import Group, Part
from .index import TAKE
from .layout import Layout
from .normalise import BATCHED, LINEAR
from .program import Definition, Mask, Put, Turns
from .reading import SAMPLES, TERM, Reader
from .shares import Shares
from .symbols import BATCH, NO_ROW, ROWS, Symbol, forward, leaf, total


class Forward(Reader):
    """Writes what computes the groups."""

    def __init__(self, layout: Layout, groups: Sequence[Group]) -> None:
        super().__init__(layout)
        self.shares = Shares(self, groups)
        self.ragged: set[int] = set()  # the numbers of arrays that are read in rows of different lengths
        for part in [part for group in groups for part in group.parts if part.real is not None]:
            for nodes in (part.x, part.weights):
                if nodes is not None and (nodes < 0).any():
                    self.ragged |= self.owners(nodes)

    def define(self, group: Group) -> None:
        array, batched = self.layout.by_group[group], group.rank == BATCHED
        if self.shares.total_of(group) is not None:  # a difference that is written where it is read
            return
        found = Finder(self, group).found() if group.op == TAKE else self.computed(group, batched)
        expression = self._zeroed(group, found)
        memory = ("batched" if batched else "shared", array.start)
        self.statements.append(Definition(array.name, self.full(array.shape, batched), expression, memory=memory))

    def computed(self, group: Group, batched: bool) -> Symbol:
        return self.linear(group, batched) if group.op == LINEAR else self._ruled(group, batched)

    def _zeroed(self, group: Group, expression: Symbol) -> Symbol:
        """What a group computes, with 0 where it has no node, if it is read in rows of different lengths."""
        array, real = self.layout.by_group[group], self.real(group)
        if real is None or self.number[array] not in self.ragged:
            return expression
        self.zeroed.add(array.name)
        if expression.operator == "exp" and expression.detail is not None:  # a quotient, of 0 there
            return expression
        return self.masked(real, expression, group.rank == BATCHED, 0.0)

    def _ruled(self, group: Group, batched: bool) -> Symbol:
        """The rule of a group's operation; in rows of different lengths, folds leave out what is missing."""
        inner = self.shares.inside(group)
        if inner is not None:
            difference = self.linear(inner, batched)
            return Symbol("exp", (difference,), difference.shape, self.shares.total_of(inner))
        expression = forward(group.op, *self.operands(group, batched))
        if group.row:
            (nodes,) = (x for x in group.operands if not isinstance(x, float))
            if group.op == "logsumexp" and (nodes < 0).any():
                expression = without_missing(expression, self.mask(self.one_turn(nodes >= 0, 1), batched, ROWS))
            place = self.row_axis(nodes, batched)
            if place:
                count = len(self.full(self.sizes(group), batched)) + 1
                expression = dropped(with_row_at(expression, place, count, {}), place)
        return self.shares.with_total(group, self.shared_once(expression))

    # --- sums of products

    def linear(self, group: Group, batched: bool) -> Symbol:
        terms: list[Symbol] = []
        for part in sorted(group.parts, key=lambda p: (p.weights is None, -p.c)):
            terms.append(self._summand(group, part, batched) * part.c)
        if group.bias is not None:
            terms.append(self.read(group.bias, batched))
        return sum(terms[1:], terms[0])

    def _summand(self, group: Group, part: Part, batched: bool) -> Symbol:
        count = len(part.x)
        if part.weights is None:
            if count == 1:
                return self.read(part.x[0], batched)
            x = self.read(part.x, batched, ROWS)
            if part.real is not None:
                x = self.masked(self.one_turn(part.real, 1), x, batched, 0.0, ROWS)
            return total(Symbol(x.operator, x.arguments, x.shape, x.detail, NO_ROW), 0)
        a, b, frame = self.tensor(part.weights), self.tensor(part.x), self.frame(group, batched)
        if count > 1 and TERM not in a.labels and TERM not in b.labels:  # the same product, several times
            return self.contractor.product(a, b, frame, None) * float(count)
        real = None if part.real is None else self.one_turn(part.real, 1)
        return self.contractor.product(a, b, frame, self.terms_mask(real))

    def frame(self, group: Group, batched: bool) -> dict[Label, int]:
        """The axes of a group, and of its samples, with their sizes."""
        sizes = self.sizes(group)
        return {a: BATCH if a == SAMPLES else sizes[int(a)] for a in self.labels(range(len(sizes)), batched)}

    def terms_mask(self, real: Mask | None) -> tuple[Tensor, Mask] | None:
        """A mask over [k, axes] as a tensor."""
        if real is None:
            return None
        keep = [a for a, size in enumerate(real.shape) if size > 1]
        small = real.reshape([real.shape[a] for a in keep])
        symbol = self.mask(small, False)
        return Tensor(symbol.detail, [TERM if a == 0 else a - 1 for a in keep]), small

    # --- loops

    def define_loop(self, groups: Sequence[Group]) -> None:
        """The turns of a loop. What they need not do each time, products of what comes from outside, is done before."""
        if any(g.op == TAKE for g in groups):
            raise Unrollable
        arrays = [self.layout.by_group[g] for g in groups]
        inside = {self.number[a] for a in arrays}
        ready = {group: done for group in groups if (done := self._done_before(group, inside)) is not None}
        begin: list[Put] = []
        for group, array in zip(groups, arrays, strict=True):
            shape = self.full(array.shape, True)
            first = None if group.initial is None else self.read(group.initial, True)
            zeros = first is not None and first.operator == "number" and first.detail == 0.0
            self.statements.append(Definition(array.name, shape, None, [], ("batched", array.start), zeros, True))
            if first is not None and not zeros:
                view = self.from_axis(self.all_of(array, array.name), 0)
                begin.append(Put(view, first))
        self.statements += begin
        body = self.begin(inside)
        for group, array in zip(groups, arrays, strict=True):
            if group in ready:
                done = ready[group].detail.at_turn(self.axis)
                expression = leaf(done, done.shape)
                rest = self._of_parts(group, inside, ahead=False)
                if rest.parts or rest.bias is not None:
                    expression = self.linear(rest, True) + expression
            else:
                expression = self.computed(group, True)
            self.statements.append(Put(self.whole(array).detail, self._zeroed(group, expression)))
        loop = groups[0].loop
        assert loop is not None
        self.end(Turns(loop.count, body))

    def _done_before(self, group: Group, inside: set[int]) -> Symbol | None:
        """The products of a group of a loop that none of its turns is needed for, under a name, if there are any."""
        ahead = self._of_parts(group, inside, ahead=True)
        if not any(len(part.x) > 1 and part.weights is not None for part in ahead.parts):
            return None
        return self.named(stretched(self.linear(ahead, True), self.full(group.computed.shape, True)))

    def _of_parts(self, group: Group, inside: set[int], ahead: bool) -> Group:
        """A group with the parts, and perhaps the bias, that a loop's turns are not needed for, or with the others."""

        def is_asked(part: Part) -> bool:
            found = self.owners(part.x) if part.weights is None else self.owners(part.x) | self.owners(part.weights)
            return bool(found & inside) != ahead

        biased = group.bias is not None and bool(self.owners(group.bias) & inside) != ahead
        return replace(group, parts=[p for p in group.parts if is_asked(p)], bias=group.bias if biased else None)
