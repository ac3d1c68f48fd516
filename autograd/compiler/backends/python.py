"""The python backend: one line per node, for graphs that have no rows and windows.

A small network at batch 1, or a graph without regularity, is the wrong food for arrays: each operation on four numbers
costs as much as one on a thousand. Written out as straight-line Python, with the sheet's rules in their places, the
same graph runs many times faster than the engine builds it, and needs the standard library only. The two neurons:

    v2 = w1 * x                    d4 = 1.0 - v4 * v4
    v3 = v2 + b1                   g1 += d4 * x
    v4 = tanh(v3)                  g2 += d4

`math`'s functions raise where IEEE 754 has an answer; a sample on which one raises is computed once more with `ieee`.
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import ieee
from ...modes import TracingError
from ...ops import BUILT_IN, CONSTANT, CUT, SHEET
from ..index import TAKE
from ..listing import code_of
from ..plan import Plan, samples_of
from ..standalone import complete
from ..symbols import COMPARISONS, WORDS, Symbol, forward, has_cut, leaf, partials, passed
from ..trace import INPUT, PARAMETER, Trace
from .base import Array

MAX_WRITTEN = 16  # operations on more inputs are called, not written out
MAX_INLINE = 200  # characters; Python's parser allows 200 brackets inside each other
MAX_TERMS = 50  # in one sum
HOLES = 4  # numbers per node, to fill memory with before the first run

FAST: dict[str, Any] = {name: getattr(math, name) for name in (*WORDS, "pow") if hasattr(math, name)}
FAST |= {"sigmoid": ieee.sigmoid, "softplus": ieee.softplus, "inf": math.inf, "nan": math.nan, "CUT": CUT}
CAREFUL: dict[str, Any] = FAST | {name: getattr(ieee, name) for name in (*WORDS, "pow", "div")}


D = leaf("{d}", ())  # the adjoint of a node, in its template


@dataclass
class Template:
    """A rule as text. In it, {0} stands for the result, {1}, {2}, ... for the operands, {i} for the node's number.

    If the rule may cut a path, what stands in ``partials`` for it is the whole product with the adjoint {d}: 0 where
    the path is cut, else {d} · ∂.
    """

    before: list[str]  # statements that name what occurs more than once
    result: str
    before_partials: list[str]
    partials: list[str | None]  # one per operand; None where nothing goes back
    products: list[bool]  # per operand, whether that is the product
    rule: str = ""  # the operation, if its rule is called as it is: it is too long, or not plain arithmetic


class Writer:
    """Prints one function; with ``careful``, division is a call that never raises.

    ``active`` says which nodes need an adjoint; None if nothing goes backward.
    ``raises`` says whether exp of a large number raises, as `math.exp` does, so that somebody hears of it.
    ``literal`` says whether constants stand in the text of a rule as numbers; else only exponents do, whose rules they
    make shorter, and all others are read like any operand: a branch for each rule, and not for each of its constants.
    """

    def __init__(
        self,
        trace: Trace,
        parameters: Sequence[int],
        active: Sequence[bool] | None,
        careful: bool,
        raises: bool = True,
        literal: bool = True,
    ) -> None:
        self.trace, self.careful, self.literal = trace, careful, literal
        self.unfold = raises and not careful
        self.rules: dict[str, Any] = {}
        self.templates: dict[Any, Template] = {}
        self.lines: list[str] = ["def program(parameters, sample):"]
        self.names = [f"v{i}" for i in range(len(trace.ops))]
        computed = []
        for i in trace.indices:
            self.names[i] = f"t{i}_0"
        for i, op in enumerate(trace.ops):
            if op == CONSTANT:
                self.names[i] = _number(trace.numbers[i])
            elif op not in (INPUT, PARAMETER):
                computed.append((i, self.template(i)))
        entries = [i for argument in trace.arguments for i in argument]
        for vector, nodes in (("parameters", parameters), ("sample", entries)):
            if nodes:
                self.put(f"{', '.join([f'v{i}' for i in nodes])}, = {vector}")
        for i in trace.indices:
            self.put(f"t{i}_0 = int(v{i})")
        self._forward(computed, on_the_way_back=active is not None)
        outputs = f"({''.join(self.names[y] + ', ' for y in trace.outputs)})"
        if active is not None:
            outputs += f", ({self._backward(dict(computed), trace.outputs[0], parameters, active)})"
        self.put(f"return {outputs}")

    def put(self, line: str) -> None:
        self.lines.append("    " + line)

    # --- rules as text

    def text(self, x: Symbol, named: dict[int, str]) -> str:
        name = named.get(id(x))
        return expression(x, [self.text(a, named) for a in x.arguments], self.careful) if name is None else name

    def _named(self, roots: list[Symbol], prefix: str, named: dict[int, str]) -> tuple[list[str], list[str]]:
        """Statements for what occurs more than once, and the texts of the roots; ``named`` grows."""
        counts: dict[int, int] = {}
        order: list[Symbol] = []

        def count(x: Symbol) -> None:
            counts[id(x)] = counts.get(id(x), 0) + 1
            if counts[id(x)] == 1 and id(x) not in named:
                for a in x.arguments:
                    count(a)
                order.append(x)

        for root in roots:
            count(root)
        before = []
        for x in order:
            if x.arguments and x.operator not in COMPARISONS and counts[id(x)] > 1:
                text = self.text(x, named)
                named[id(x)] = f"{prefix}{{i}}_{len(named)}"
                before.append(f"{named[id(x)]} = {_bare(text)}")
        return before, [self.text(root, named) for root in roots]

    def template(self, i: int) -> Template:
        trace = self.trace
        op, operands = trace.ops[i], trace.inputs[i]
        is_literal = self.is_literal(op)
        key = (
            op,
            *[(trace.numbers[x].hex() if is_literal else "read") if trace.ops[x] == CONSTANT else "" for x in operands],
        )
        found = self.templates.get(key)
        if found is None:
            found = self.templates[key] = self._make_template(op, operands)
        return found

    def is_literal(self, op: str) -> bool:
        """Whether constants stand in the text of this operation's rule."""
        return self.literal or op == "pow"

    def _make_template(self, op: str, operands: tuple[int, ...]) -> Template:
        trace = self.trace
        if op == TAKE:
            count = len(operands) - 1
            found = ", ".join(f"{{{k + 2}}}" for k in range(count))
            sent = [f"({{d}} if {{1}} == {k} else 0.0)" for k in range(count)]
            return Template([], f"({found},)[{{1}}]", [], [None, *sent], [False, *[True] * count])
        fixed = [trace.ops[x] == CONSTANT for x in operands]
        xs: list[Any] = [
            trace.numbers[x] if is_fixed and self.is_literal(op) else leaf(f"{{{k + 1}}}", ())
            for k, (x, is_fixed) in enumerate(zip(operands, fixed, strict=True))
        ]
        if len(xs) <= MAX_WRITTEN and any(isinstance(x, Symbol) for x in xs):
            try:
                local = partials(op, leaf("{0}", ()), *xs)
                local = [None if is_fixed else p for p, is_fixed in zip(local, fixed, strict=True)]
                return self._written(forward(op, *xs), local)
            except TracingError:
                pass
        return self._called(op, xs)

    def _written(self, result: Symbol, sent: list[Symbol | None]) -> Template:
        """The rule in the place of each node that follows it."""
        cuts = [p is not None and has_cut(p) for p in sent]
        back = [passed(D, p) if cut else p for p, cut in zip(sent, cuts, strict=True) if p is not None]
        if self.unfold:
            once: dict[Any, tuple[Symbol, Symbol]] = {}
            result, *back = [written_out(x, once) for x in (result, *back)]
        before, (text,) = self._named([result], "t", {})
        before_partials, texts = self._named(back, "p", {id(result): "{0}"} if result.arguments else {})
        forms = iter(texts)
        return Template(before, text, before_partials, [None if p is None else next(forms) for p in sent], cuts)

    def _called(self, op: str, xs: list[Any]) -> Template:
        """A call of the rule as it is."""
        self.rules[f"forward_{op}"] = lambda *xs: SHEET[op].forward(*xs)
        self.rules[f"partials_{op}"] = lambda y, *xs: SHEET[op].partials(y, *xs)
        arguments = ", ".join(f"{{{k + 1}}}" for k in range(len(xs)))
        may_cut = op not in BUILT_IN or any(p is None or has_cut(p) for p in partials(op, D, *[D] * len(xs)))
        called = "p{{i}}[{k}]"
        form = f"(0.0 if {called} is CUT or {called} is None else {{{{d}}}} * {called})" if may_cut else called
        return Template(
            [],
            f"forward_{op}({arguments})",
            [f"p{{i}} = partials_{op}({{0}}, {arguments})"],
            [form.format(k=k) if isinstance(x, Symbol) else None for k, x in enumerate(xs)],
            [may_cut] * len(xs),
            op,
        )

    # --- the two passes

    def _forward(self, computed: list[tuple[int, Template]], on_the_way_back: bool) -> None:
        """One statement per node; a value that is used once, and nothing goes back, stands where it is used."""
        uses = Counter(self.trace.outputs)
        for i, template in computed:
            form = "".join([*template.before, template.result])
            for k, x in enumerate(self.trace.inputs[i], 1):
                uses[x] += form.count(f"{{{k}}}")
        for i, template in computed:
            operands = [self.names[x] for x in self.trace.inputs[i]]
            for line in template.before:
                self.put(line.format("", *operands, i=i))
            text = template.result.format("", *operands, i=i)
            if on_the_way_back or uses[i] != 1 or len(text) > MAX_INLINE:
                self.put(f"v{i} = {_bare(text)}")
            else:
                self.names[i] = text

    def _backward(
        self, templates: dict[int, Template], root: int, parameters: Sequence[int], active: Sequence[bool]
    ) -> str:
        trace = self.trace
        sent: dict[int, list[str]] = {root: ["1.0"]} if active[root] else {}
        for i in range(root, -1, -1):
            template = templates.get(i)
            if template is None or i not in sent:
                continue
            operands = trace.inputs[i]
            names = [f"v{i}", *[self.names[x] for x in operands]]
            forms = [
                (x, form, is_product)
                for x, form, is_product in zip(operands, template.partials, template.products, strict=True)
                if form is not None and active[x]
            ]
            d = self._sum(i, sent.pop(i))
            for line in template.before_partials:
                self.put(line.format(*names, i=i, d=d))
            for x, form, is_product in forms:
                text = form.format(*names, i=i, d=d)
                if is_product:
                    sent.setdefault(x, []).append(text)
                    continue
                sign = "-" if d.startswith("-") != (text == "-1.0") else ""
                size = d.removeprefix("-")
                if text in ("1.0", "-1.0"):
                    product = sign + size
                else:
                    product = sign + (text if size == "1.0" else f"({size} * {text})")
                sent.setdefault(x, []).append(product)
        return "".join((self._sum(i, sent[i]) if i in sent else "0.0") + ", " for i in parameters)

    def _sum(self, i: int, terms: list[str]) -> str:
        """The adjoint of node i: a name for it, or its text if that is as short."""
        while len(terms) > MAX_TERMS:
            self.put(f"d{i} = {_total(terms[:MAX_TERMS])}")
            terms = [f"d{i}", *terms[MAX_TERMS:]]
        text = _total(terms)
        if text.removeprefix("-").isidentifier() or text in ("1.0", "-1.0"):
            return text
        self.put(f"d{i} = {_bare(text)}")
        return f"d{i}"


def expression(x: Symbol, parts: Sequence[str], careful: bool = False) -> str:
    """A symbol as text, from the texts of its arguments; with ``careful``, division is a call."""
    op = x.operator
    if op == "leaf":
        return str(x.detail)
    if op == "number":
        return _number(x.detail)
    if op == "neg":
        return f"(-{parts[0]})"
    if op == "where":
        return f"({parts[1]} if {_bare(parts[0])} else {parts[2]})"
    if op in WORDS or op in ("abs", "pow") or (op == "/" and careful):
        return f"{'div' if op == '/' else op}({', '.join(map(_bare, parts))})"
    return f"({parts[0]} {op} {parts[1]})"


def written_out(x: Symbol, once: dict[Any, tuple[Symbol, Symbol]]) -> Symbol:
    """The same tree with σ in place, σ(a) = 1 / (1 + e⁻ᵃ) and σ(-a) = e⁻ᵃ σ(a), and equal parts made one: calling a
    Python function costs more than what it computes, and a rule and its derivative then raise e to a power once.

    Below -709 the power raises OverflowError, and at -inf the slope is nan: `Straight.run` sees to both."""
    if id(x) not in once:  # parts are shared, so that without it a tree of few symbols can take forever
        if x.operator == "sigmoid":
            (a,) = x.arguments
            mirrored = a.operator == "neg"
            result = written_out(a.exp() * (-a).sigmoid() if mirrored else 1.0 / (1.0 + (-a).exp()), once)
        else:
            arguments = tuple(written_out(a, once) for a in x.arguments)
            detail = x.detail.hex() if isinstance(x.detail, float) else x.detail
            key = (x.operator, detail, *map(id, arguments))
            result = once.setdefault(key, (x, Symbol(x.operator, arguments, x.shape, x.detail, x.row)))[1]
        once[id(x)] = x, result  # x, too, or another symbol might get its id
    return once[id(x)][1]


def _total(terms: list[str]) -> str:
    """The sum of terms; those that start with a minus are subtracted, and stand behind the others.

    Sorted by their form, for `alike_together`."""
    terms = sorted(terms, key=lambda term: (term.startswith("-"), _form(term)))
    return terms[0] + "".join([f" - {t[1:]}" if t.startswith("-") else f" + {t}" for t in terms[1:]])


def _bare(text: str) -> str:
    return text[1:-1] if text.startswith("(") and _outer(text) else text


def _outer(text: str) -> bool:
    """Whether the first bracket closes at the end."""
    depth = 0
    for k, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return k == len(text) - 1
    return False


def _number(x: float) -> str:
    return repr(x) if math.isfinite(x) else "nan" if x != x else "inf" if x > 0 else "(-inf)"


def reuse_names(lines: list[str]) -> list[str]:
    """The same program with few local variables: a name is free again after its last use.

    Twenty thousand names would do, but Python's compiler takes three times as long over them, and a number that is let
    go early leaves its memory, still in the cache, to the next.
    """
    last = {name: k for k, line in enumerate(lines) for name in _NAME.findall(line)}
    places: dict[str, int] = {}
    free: list[int] = []
    count = itertools.count()

    def short(match: re.Match[str]) -> str:
        name = match.group()
        if name not in places:
            places[name] = free.pop() if free else next(count)
        return f"r{places[name]}"

    result = []
    for k, line in enumerate(lines):
        target, equals, text = line.partition(" = ")
        if not equals or target.endswith(","):  # the first and last lines, and those that unpack the arguments
            result.append(_NAME.sub(short, line))
            continue
        text = _NAME.sub(short, text)
        for name in set(_NAME.findall(line)) - {target.strip()}:
            if last[name] == k:
                free.append(places[name])
        result.append(f"{_NAME.sub(short, target)} = {text}")
    return result


def alike_together(lines: list[str]) -> list[str]:
    """The same program in another order: statements of one form follow each other, as far as their operands are there.

    A processor runs ahead by guessing which of the interpreter's instructions comes next. It cannot learn three hundred
    thousand of them by heart, but in a run of products it guesses right: worth a tenth of every call.
    """
    first = 1 + sum(", = " in line for line in lines)  # behind the lines that unpack the arguments
    body = lines[first:-1]
    made_by: dict[str, int] = {}
    users: list[list[int]] = [[] for _ in body]
    missing, forms = [], []
    for k, line in enumerate(body):
        target, _, text = line.strip().partition(" = ")
        operands = {made_by[name] for name in _NAME.findall(text) if name in made_by}
        for j in operands:
            users[j].append(k)
        missing.append(len(operands))
        forms.append(_form(text))
        made_by[target] = k
    ready: dict[str, list[int]] = {}
    for k, count in enumerate(missing):
        if count == 0:
            ready.setdefault(forms[k], []).append(k)
    order: list[int] = []
    while ready:
        form = next(iter(ready))  # the one that has waited longest, and has gathered most
        for k in ready[form]:  # which grows on the way
            order.append(k)
            for user in users[k]:
                missing[user] -= 1
                if missing[user] == 0:
                    ready.setdefault(forms[user], []).append(user)
        del ready[form]
    return [*lines[:first], *[body[k] for k in order], lines[-1]]


def wait_for_samples(lines: list[str]) -> list[str]:
    """The same program as a generator: it is sent (parameters, sample), and yields the result.

    The memory for a function's local variables is asked of the system when it is called and given back when it returns,
    which for twelve thousand of them costs a twentieth of the whole call. A generator keeps them.
    """
    body, (_, result) = lines[1:-1], lines[-1].split("return ")
    again = f"parameters, sample = yield {result}"
    return [
        "def program():",
        "    parameters, sample = yield",
        "    while True:",
        *[f"    {x}" for x in body],
        " " * 8 + again,
    ]


_NAME = re.compile(r"\b[vdtps]\d+(?:_\d+)?\b")


def _form(text: str) -> str:
    return _NAME.sub("", text)


class StraightLine:
    """See `Backend`."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.parameters = [plan.trace.parameter_nodes[k] for k in plan.order.tolist()]
        self.programs: dict[tuple[bool, bool], Callable[..., Any]] = {}
        self.waiting: dict[bool, Generator[Any, Any, None]] = {}

    @functools.cached_property
    def source(self) -> str:
        writer, plan = self._writer(self.plan.backward, careful=False), self.plan
        slopes = ", and a tuple of its derivatives by the parameters" * plan.backward
        names = ", then ".join(plan.names)
        head = [
            f'"""The outputs of a function for one sample{", and the gradient" * plan.backward}: '
            "program(parameters, sample).",
            "",
            "Written by the compiler of chainrule, node by node.",
            "",
            f"    parameters: {len(plan.order):,} numbers, in the order of `step.parameters`.",
            f"    sample: {sum(map(len, plan.trace.arguments)):,} numbers{f', those of {names}' if names else ''}.",
            "",
            f"Returns a tuple of the outputs{slopes}.",
            '"""\n',
        ]
        if writer.rules:
            head[3:3] = ["", f"It calls rules of `autograd.SHEET` as they are: {', '.join(sorted(writer.rules))}."]
        return complete("\n".join(head), "\n".join(writer.lines), {}, math, ieee)

    def _writer(self, backward: bool, careful: bool) -> Writer:
        return Writer(self.plan.trace, self.parameters, self.plan.active if backward else None, careful)

    def mean(self, columns: list[Array], n: int) -> float:
        theta, gradient = self.plan.theta.tolist(), self.plan.gradient
        samples = samples_of(columns).tolist()
        if not self.plan.backward:
            return float(sum([self.run(theta, s, False)[0] for s in samples])) / n
        (loss,), slopes = self.run(theta, samples[0], True)
        if n == 1:
            gradient[:] = slopes
            return float(loss)
        total = np.array(slopes)
        for sample in samples[1:]:
            (one,), slopes = self.run(theta, sample, True)
            loss += one
            total += slopes
        np.divide(total, n, gradient, casting="same_kind")
        return float(loss) / n

    def outputs(self, columns: list[Array], n: int) -> Array:
        theta = self.plan.theta.tolist()
        return np.array([self.run(theta, s, False) for s in samples_of(columns).tolist()], self.plan.dtype).T

    def program(self, backward: bool, careful: bool) -> Callable[..., Any]:
        """The careful program is a function, the other one makes generators: see `wait_for_samples`."""
        key = backward, careful
        if key not in self.programs:
            writer = self._writer(backward, careful)
            lines = reuse_names(alike_together(writer.lines))
            text = "\n".join(lines if careful else wait_for_samples(lines)) + "\n"
            space = {**(CAREFUL if careful else FAST), **writer.rules}
            exec(code_of(text, "straight"), space)
            self.programs[key] = space["program"]
        return self.programs[key]

    def run(self, parameters: Sequence[float], sample: Sequence[float], backward: bool) -> Any:
        """(outputs, gradient) for one sample, or its outputs only."""
        filling: list[float] = []
        waiting = self.waiting.pop(backward, None)
        if waiting is None:
            waiting = self.program(backward, False)()
            next(waiting)
            # Compiling leaves holes all over memory. While these numbers fill them, those of the program's first run
            # come to lie side by side, where they and their successors stay: worth a sixth of every call.
            filling = [k + 0.5 for k in range(HOLES * len(self.plan.trace.ops))]
        try:
            result = waiting.send((parameters, sample))
        except (ArithmeticError, ValueError):  # which also ended the generator
            return self.program(backward, True)(parameters, sample)
        del filling
        self.waiting[backward] = waiting
        if backward and not math.isfinite(sum(result[1])):  # the other way to find a point where IEEE 754 knows better
            return self.program(backward, True)(parameters, sample)
        return result
