"""Values and gradients of a graph by hand: each answer is judged in the order in which one works, and by the student's
own numbers, so that what follows rightly from a slip counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..expression import parse
from ..graph import format_number, names_in_order, topological_order
from ..mistakes import (
    Passed,
    close,
    misremembered,
    other_values,
    slips_of_a_sum,
    slips_of_a_value,
)
from ..ops import CONSTANT, SHEET
from ..reals import CUT
from ..recomputing import outdated
from ..steps import fill, partial_formula
from ..value import Value
from .feedback import Answer, Feedback, number_in, said, told_slips

Answers = Mapping["str | Value", "Answer"]


def by_hand(root: Value | str, /, ask: str | Sequence[str] = "gradients", **numbers: float) -> ByHand:
    """An exercise: work out the values or the gradients of a graph by hand.

    >>> task = by_hand("(x + y) * z", x=-2, y=5, z=-4)
    >>> task.check(x=-4, y=-4, z=3)
    All 3 are right.

    Args:
        root: the end of the graph, or a formula with its numbers, as `autograd.parse` takes them.
        ask: "gradients", "values" or "both", of all that have a name; or the names of what is asked for, such as
            ["x", "q"]: of a computed number its value and its gradient, of a leaf its gradient; "∂q" asks for the
            gradient alone, and "q =" for the value.
        numbers: the numbers in the formula.

    Raises:
        TypeError: if root is neither.
        ValueError: for another ``ask``, a name that the graph does not have, or a graph in which nothing is to be
            asked for.
    """
    if isinstance(root, str):
        root = parse(root, numbers)
    elif numbers:
        raise TypeError(f"{', '.join(numbers)}: numbers are for a formula given as text; a graph has its own")
    return ByHand(root, ask)


@dataclass(slots=True)
class _Judged:
    """One blank, and what was found."""

    what: str
    right: float
    guess: float | None = None
    verdict: str = "blank"  # or "right", "follows", "wrong"
    slips: list[str] = field(default_factory=list)
    source: str = ""  # of what follows: the slip that it follows from
    hint: str = ""  # the local derivative, where that is in doubt


class ByHand:
    """The values and gradients of a graph, to be worked out by hand; see `by_hand`.

    Attributes:
        values: the names of the wires whose values are asked for, in the order of the forward pass.
        gradients: the names of those whose gradients are asked for, in the order of the backward pass.
    """

    def __init__(self, root: Value, ask: str | Sequence[str] = "gradients") -> None:
        self._order = topological_order(root)
        self._root = root
        if outdated(self._order):
            raise ValueError(
                "a leaf has new data since the graph was computed, so its numbers do not fit together: "
                "autograd.recompute(root) brings them up to date"
            )
        self._names = names_in_order(self._order)
        self._called = {name: node for node, name in self._names.items() if node.op != CONSTANT}
        self._users: dict[Value, list[tuple[Value, int]]] = {node: [] for node in self._order}
        for node in reversed(self._order):
            for k, x in enumerate(node.inputs):
                self._users[x].append((node, k))
        values, gradients = self._asked(ask)
        self.values = tuple(name for name, node in self._called.items() if node in values)
        self.gradients = tuple(name for name, node in reversed(self._called.items()) if node in gradients)
        if not self.values + self.gradients:
            raise ValueError(f"there is nothing to ask for in the graph of {self._names[root]}: it has no operation")

    def _asked(self, ask: str | Sequence[str]) -> tuple[set[Value], set[Value]]:
        computed = {x for x in self._order if x.inputs}
        reached = {
            x
            for x in self._order
            if x is not self._root and any(u.local_derivatives[k] is not None for u, k in self._users[x])
        }
        if isinstance(ask, str):
            if ask not in ("gradients", "values", "both"):
                raise ValueError(
                    f"what is asked for must be 'gradients', 'values', 'both' or a list of names, but got {ask!r}"
                )
            named = {x for x in self._order if x.label or x is self._root}
            values = computed & named if ask != "gradients" else set()
            return values, reached & named if ask != "values" else set()
        values, gradients = set(), set()
        for name in ask:
            node = self._node(name.removeprefix("∂").removesuffix(" ="))
            if not name.startswith("∂"):
                values.add(node)
            if not name.endswith(" ="):
                gradients.add(node)
        return values & computed, gradients & reached

    def _node(self, name: str | Value) -> Value:
        if isinstance(name, Value):
            if name not in self._names:
                raise ValueError(f"{name.label or 'this Value'} is not in the graph of {self._names[self._root]}")
            return name
        if name not in self._called:
            raise ValueError(f"no wire is called {name!r}; there are {', '.join(self._called)}")
        return self._called[name]

    # --- what is asked

    def __str__(self) -> str:
        names = self._names
        computed = [x for x in self._order if x.inputs]
        formulas = [f"{names[x]} = {fill(SHEET[x.op].formula, [names[i] for i in x.inputs])}" for x in computed]
        given = [f"{name} = {format_number(x.data)}" for name, x in self._called.items() if not x.inputs]
        blanks = [*self.values, *map(self._slope_of, self.gradients)]
        return said("exercise-asks", names=", ".join(blanks), formulas=", ".join(formulas), numbers=", ".join(given))

    __repr__ = __str__

    def _slope_of(self, name: str) -> str:
        return f"∂{self._names[self._root]}/∂{name}"

    def key(self) -> dict[str, float]:
        """The right answers, the values under their names and the gradients as "∂f/∂x"."""
        return {blank.what: blank.right for blank in self._judge({}, {})}

    # --- what is answered

    def check(
        self,
        answers: Answers | None = None,
        /,
        *,
        values: Answers | None = None,
        gradients: Answers | None = None,
        **named: Answer,
    ) -> Feedback:
        """Look at the answers; ``...`` or None stands for one that is still open.

        If only values or only gradients are asked for, they are given by name: ``check(x=-4, q=-4)``, or in a
        dictionary, ``check({"w_1": 0.5})``, which may also have the Values themselves as keys. If both are, as
        ``check(values={"q": 3}, gradients={"q": -4})``.

        An answer is right to about three digits. One that is not right, but follows rightly from an earlier slip,
        counts, and is said to.

        Raises:
            TypeError: if an answer is no number, or it is not clear whether it is a value or a gradient.
            ValueError: for a name that is not asked for.
        """
        mixed: dict[str | Value, Answer] = dict(answers or {})
        mixed.update(named)
        if mixed and self.values and self.gradients:
            raise TypeError("values and gradients are asked for: write check(values={'q': 3}, gradients={'q': -4})")
        given = [values or (mixed if self.values else {}), gradients or (mixed if not self.values else {})]
        return self._told(self._judge(*map(self._read, given, (self.values, self.gradients), ("value", "gradient"))))

    def _read(self, given: Answers, asked: Sequence[str], kind: str) -> dict[Value, float]:
        found = {}
        for name, answer in given.items():
            node = self._node(name)
            called = self._names[node]
            if called not in asked:
                raise ValueError(f"the {kind} of {called} is not asked for; asked are {', '.join(asked) or 'none'}")
            number = number_in(answer, called)
            if number is not None:
                found[node] = number
        return found

    def _told(self, blanks: list[_Judged]) -> Feedback:
        of = {
            verdict: [b for b in blanks if b.verdict == verdict] for verdict in ("right", "follows", "wrong", "blank")
        }
        if len(of["right"]) == len(blanks):
            line = said("answer-all", n=len(blanks)) if len(blanks) > 1 else said("answer-one")
            return Feedback((line,), True, counted=len(blanks), asked=len(blanks))
        lines = []
        if of["right"]:
            lines.append(said("answers-right", names=", ".join(b.what for b in of["right"])))
        for k, b in enumerate(of["wrong"]):
            assert b.guess is not None
            line = said("also-wrong" if k else "first-wrong", what=b.what, guess=format_number(b.guess))
            lines.append(" ".join(filter(None, [line, told_slips(b.slips), b.hint])))
        for b in of["follows"]:
            assert b.guess is not None
            numbers = {"guess": format_number(b.guess), "x": format_number(b.right)}
            lines.append(said("answer-follows", what=b.what, source=b.source, **numbers))
        if of["blank"]:
            lines.append(said("answer-blank", names=", ".join(b.what for b in of["blank"])))
        counted = len(of["right"]) + len(of["follows"])
        lines.append(said("answer-score", n=counted, of=len(blanks)))
        first = of["wrong"][0] if of["wrong"] else _Judged("", 0.0)
        return Feedback(tuple(lines), False, first.what, tuple(first.slips), counted, len(blanks))

    # --- judging

    def _judge(self, values: Mapping[Value, float], gradients: Mapping[Value, float]) -> list[_Judged]:
        """Every blank, in the order in which one works: values forward, gradients backward."""
        pass_ = _Pass(self._names, self._users, self._order)
        blanks = []
        for node in self._order:
            asked = bool(node.inputs) and self._names[node] in self.values
            blanks += pass_.value(node, values.get(node), asked)
        for node in reversed(self._order):
            asked = self._names[node] in self.gradients and node.op != CONSTANT
            blanks += pass_.gradient(node, gradients.get(node), asked)
        return blanks


class _Pass:
    """One walk along a student's numbers: what is the right number, and what follows from what was written so far?"""

    def __init__(
        self, names: Mapping[Value, str], users: Mapping[Value, Sequence[tuple[Value, int]]], order: Sequence[Value]
    ) -> None:
        self.names, self.users, self.root = names, users, order[-1]
        self.mine: dict[Value, float] = {}  # the student's values, and those that follow from them
        self.exact: dict[Value, float] = {}  # the right gradients
        self.up: dict[Value, float] = {}  # the student's gradients, and those that follow from them
        self.arrived: dict[Value, list[float]] = {}  # the contributions to each of them
        self.slip_in: dict[Value, str] = {}  # the slip that a value comes from, if it comes from one
        self.slip_behind: dict[Value, str] = {}  # and a gradient
        self.given: set[Value] = set()  # those whose gradients the student wrote down

    def value(self, node: Value, guess: float | None, asked: bool) -> list[_Judged]:
        numbers = [self.mine[x] for x in node.inputs]
        same = all(self.mine[x] == x.data for x in node.inputs)
        follows = node.data if same else SHEET[node.op].value(numbers)
        blank = _Judged(self.names[node], node.data, guess)
        source = next((self.slip_in[x] for x in node.inputs if x in self.slip_in), "")
        self._compare(blank, (follows,), source)
        if guess is not None and blank.verdict == "wrong":
            exact = [x.data for x in node.inputs]
            blank.slips = _slips_of_value(node, guess, follows, numbers) or _slips_of_value(
                node, guess, node.data, exact
            )
            source = blank.what
        if source and blank.verdict != "right":
            self.slip_in[node] = source
        self.mine[node] = follows if guess is None else guess
        return [blank] if asked else []

    def _compare(self, blank: _Judged, follows: Sequence[float], source: str) -> None:
        """The verdict on one number, by what follows from the student's numbers, in one way or another."""
        if blank.guess is None:
            return
        consistent = any(close(blank.guess, x) for x in follows)
        if close(blank.guess, blank.right) or (consistent and not source):
            blank.verdict = "right"
        elif consistent:
            blank.verdict, blank.source = "follows", source
        else:
            blank.verdict = "wrong"

    def gradient(self, node: Value, guess: float | None, asked: bool) -> list[_Judged]:
        passed = self._arriving(node)
        right = self._right(node)
        contributions = [p.upstream * p.local for p in passed]
        follows = 1.0 if node is self.root else sum(contributions)
        blank = _Judged(f"∂{self.names[self.root]}/∂{self.names[node]}", right, guess)
        source = self._source(node)
        self._compare(blank, (follows, self._by_inputs(node)) if source else (follows,), source)
        if guess is not None and blank.verdict == "wrong":
            blank.slips = slips_of_a_sum(guess, passed)
            source = blank.what
            elsewhere = not blank.slips and self._comes_from_before(node, guess, blank)
            if not elsewhere and (not blank.slips or {"formula", "local"} & {*blank.slips}):
                blank.hint = self._hint(node)
        if source and blank.verdict != "right":
            self.slip_behind[node] = source
        self.exact[node], self.arrived[node] = right, contributions
        self.up[node] = follows if guess is None else guess
        if guess is not None:
            self.given.add(node)
        return [blank] if asked else []

    def _arriving(self, node: Value) -> list[Passed]:
        """What its users pass on to a node, by the student's numbers."""
        return [p for user, k in self.users[node] if (p := self._passed(user, k, self.mine[user])) is not None]

    def _comes_from_before(self, node: Value, guess: float, blank: _Judged) -> bool:
        """Whether a slip at a wire that nobody has answered for gives this number; then the pass goes on from there."""
        for user, k in self.users[node]:
            passed = self._passed(user, k, self.mine[user])
            if passed is None or not passed.local or user in self.given or user is self.root:
                continue
            others = sum(p.upstream * p.local for p in self._arriving(node)) - passed.upstream * passed.local
            meant = (guess - others) / passed.local
            slips = slips_of_a_sum(meant, self._arriving(user))
            if slips:
                self.up[user], self.slip_behind[user] = meant, blank.what
                where = f"∂{self.names[self.root]}/∂{self.names[user]}"
                blank.slips, blank.hint = slips, said("answer-before", what=where, x=format_number(meant))
                return True
        return False

    def _right(self, node: Value) -> float:
        if node is self.root:
            return 1.0
        slopes = [(self.exact[user], user.local_derivatives[k]) for user, k in self.users[node]]
        return sum([0.0 if d is CUT else up * d for up, d in slopes if d is not None])

    def _source(self, node: Value) -> str:
        """The slip that a gradient comes from: of a gradient which arrives, or of a value in a local derivative."""
        for user, k in self.users[node]:
            if user.local_derivatives[k] is None:
                continue
            if user in self.slip_behind:
                return self.slip_behind[user]
            for x in (user, *user.inputs):
                if x in self.slip_in:
                    return self.slip_in[x]
        return ""

    def _by_inputs(self, node: Value) -> float:
        """What follows for whoever takes the local derivatives from the gates' inputs, though a value is wrong."""
        total = 0.0
        for user, k in self.users[node]:
            y = SHEET[user.op].value([self.mine[x] for x in user.inputs])
            passed = self._passed(user, k, y)
            total += passed.upstream * passed.local if passed is not None else 0.0
        return total

    def _passed(self, user: Value, k: int, y: float) -> Passed | None:
        """What a gate whose value is y passes on to its input number k, by the student's numbers."""
        if user.local_derivatives[k] is None:
            return None
        numbers = [self.mine[x] for x in user.inputs]
        slopes = [0.0 if d is None or d is CUT else d for d in SHEET[user.op].local_derivatives(y, numbers)]
        two = len(slopes) == 2 and user.inputs[0] is not user.inputs[1]
        earlier = _too_early(self.arrived[user])
        misread = misremembered(user.op, y, numbers)[k]
        return Passed(self.up[user], slopes[k], slopes[1 - k] if two else None, earlier, misread)

    def _hint(self, node: Value) -> str:
        """The formula of the local derivative, if there is one gate only, and it is no number."""
        (user, k), *others = self.users[node]
        called = [self.names[x] for x in (user, *user.inputs)]
        formula = partial_formula(SHEET[user.op], k, called)
        named = user.label or user is self.root or called[0] in formula
        of = called[0] if named else f"({fill(SHEET[user.op].formula, called[1:])})"  # no name that only we know
        return "" if others else said("answer-hint", formula=f"∂{of}/∂{called[1 + k]} = {formula}")


def _too_early(arrived: Sequence[float]) -> list[float]:
    """What a gate passes on that does not wait for all of its gradient: a part of it, or one part after the other."""
    if len(arrived) < 2:
        return []
    found: list[float] = []
    for parts in (arrived, arrived[::-1]):
        so_far = [sum(parts[: k + 1]) for k in range(len(parts))]
        found += [*so_far[:-1], sum(so_far), *parts]
    return found


def _slips_of_value(node: Value, guess: float, right: float, numbers: Sequence[float]) -> list[str]:
    two = len(numbers) == 2 and node.inputs[0] is not node.inputs[1]
    swapped = SHEET[node.op].value(numbers[::-1]) if two else None
    return slips_of_a_value(guess, right, swapped, other_values(numbers))


__all__ = ["ByHand", "by_hand"]
