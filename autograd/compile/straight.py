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

import heapq
import linecache
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .. import ieee
from ..modes import TracingError
from ..ops import CONSTANT, SHEET
from .symbols import WORDS, Symbol, forward, leaf, partials, sends
from .trace import INPUT, PARAMETER, Trace

MAX_WRITTEN = 16  # operations on more inputs are called, not written out
MAX_INLINE = 200  # characters; Python's parser allows 200 brackets inside each other
MAX_TERMS = 50

FAST: dict[str, Any] = {name: getattr(math, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "pow")}
FAST |= {"sigmoid": ieee.sigmoid, "softplus": ieee.softplus, "inf": math.inf, "nan": math.nan}
CAREFUL: dict[str, Any] = FAST | {
    name: getattr(ieee, name) for name in ("exp", "log", "sqrt", "sin", "cos", "pow", "div")
}


def _forward_rule(name: str) -> Callable[..., float]:
    return lambda *xs: SHEET[name].forward(*xs)


def _partials_rule(name: str) -> Callable[..., Sequence[float]]:
    return lambda y, *xs: SHEET[name].partials(y, *xs)


@dataclass
class Template:
    """A rule as text. In it, {0} stands for the result, {1}, {2}, ... for the operands, {i} for the node's number."""

    before: list[str]  # statements that name what occurs more than once
    result: str
    before_partials: list[str]
    partials: list[str | None]  # one per operand; None where nothing goes back
    forward_uses: list[int]  # how often each operand occurs in `result` and `before`
    backward_uses: list[bool]  # whether the result, and each operand, occurs in the partials
    rule: str = ""  # the operation, if its rule is called as it is: it is too long, or not plain arithmetic


class Writer:
    """Prints one function; with ``careful``, division is a call that never raises.

    A value that is used once, and not on the way back, is not named but written where it is used, and so is an adjoint.
    """

    def __init__(self, trace: Trace, backward: bool, careful: bool) -> None:
        self.trace, self.careful = trace, careful
        self.rules: dict[str, Any] = {}
        self.templates: dict[Any, Template] = {}
        self.lines: list[str] = ["def program(parameters, sample):"]
        n = len(trace.ops)
        self.names = [f"v{i}" for i in range(n)]
        computed = []
        for i, op in enumerate(trace.ops):
            if op == CONSTANT:
                self.names[i] = _number(trace.numbers[i])
            elif op not in (INPUT, PARAMETER):
                computed.append((i, self.template(i)))
        entries = [i for argument in trace.arguments for i in argument]
        for vector, nodes in (("parameters", trace.parameter_nodes), ("sample", entries)):
            if nodes:
                self.put(f"{', '.join([f'v{i}' for i in nodes])}, = {vector}")
        self.active = self._active() if backward else [False] * n
        self._forward(computed)
        outputs = f"({''.join(self.names[y] + ', ' for y in trace.outputs)})"
        if backward:
            gradient = self._backward(dict(computed), trace.outputs[0])
            self.put(f"return {outputs}, ({gradient})")
        else:
            self.put(f"return {outputs}")

    def put(self, line: str) -> None:
        self.lines.append("    " + line)

    def _active(self) -> list[bool]:
        active = [op == PARAMETER for op in self.trace.ops]
        for i, operands in enumerate(self.trace.inputs):
            for x in operands:
                if active[x]:
                    active[i] = True
                    break
        return active

    # --- rules as text

    def text(self, x: Symbol, named: dict[int, str]) -> str:
        name = named.get(id(x))
        if name is not None:
            return name
        op = x.operator
        if op == "leaf":
            return str(x.detail)
        if op == "number":
            return _number(x.detail)
        parts = [self.text(a, named) for a in x.arguments]
        if op == "neg":
            return f"(-{parts[0]})"
        if op == "where":
            return f"({parts[1]} if {parts[0]} else {parts[2]})"
        if op == "sigmoid" and not self.careful and x.arguments[0].operator in ("leaf", "neg"):
            # ieee.sigmoid's two branches in place: calling a Python function costs more than what it computes
            a = parts[0]
            return f"(1.0 / (1.0 + exp(-{a})) if {a} >= 0.0 else exp({a}) / (1.0 + exp({a})))"
        if op in WORDS or op in ("abs", "pow") or (op == "/" and self.careful):
            return f"{'div' if op == '/' else op}({', '.join(parts)})"
        return f"({parts[0]} {op} {parts[1]})"

    def _named(self, roots: list[Symbol], prefix: str) -> tuple[list[str], list[str]]:
        """Statements for what occurs more than once, and the texts of the roots in terms of them."""
        counts: dict[int, int] = {}
        order: list[Symbol] = []

        def count(x: Symbol) -> None:
            counts[id(x)] = counts.get(id(x), 0) + 1
            if counts[id(x)] == 1:
                for a in x.arguments:
                    count(a)
                order.append(x)

        for root in roots:
            count(root)
        named: dict[int, str] = {}
        before = []
        for x in order:
            if counts[id(x)] > 1 and x.arguments:
                text = self.text(x, named)
                named[id(x)] = f"{prefix}{{i}}_{len(named)}"
                before.append(f"{named[id(x)]} = {text}")
        return before, [self.text(root, named) for root in roots]

    def template(self, i: int) -> Template:
        trace = self.trace
        op, operands = trace.ops[i], trace.inputs[i]
        key = (op, *[trace.numbers[x].hex() if trace.ops[x] == CONSTANT else "" for x in operands])
        found = self.templates.get(key)
        if found is None:
            found = self.templates[key] = self._make_template(op, operands)
        return found

    def _make_template(self, op: str, operands: tuple[int, ...]) -> Template:
        trace = self.trace
        count = len(operands)
        xs: list[Any] = [
            trace.numbers[x] if trace.ops[x] == CONSTANT else leaf(f"{{{k + 1}}}", ()) for k, x in enumerate(operands)
        ]
        if count <= MAX_WRITTEN and any(isinstance(x, Symbol) for x in xs):
            try:
                before, (result,) = self._named([forward(op, *xs)], "t")
                local = partials(op, leaf("{0}", ()), *xs)
            except TracingError:
                pass
            else:
                sent = [isinstance(x, Symbol) and sends(op, p) for p, x in zip(local, xs, strict=True)]
                before_partials, texts = self._named([p for p, s in zip(local, sent, strict=True) if s], "p")
                iterator = iter(texts)
                forms = [next(iterator) if s else None for s in sent]
                ahead, back = " ".join([*before, result]), " ".join([*before_partials, *texts])
                return Template(
                    before,
                    result,
                    before_partials,
                    forms,
                    [ahead.count(f"{{{k + 1}}}") for k in range(count)],
                    [f"{{{k}}}" in back for k in range(count + 1)],
                )
        self.rules[f"forward_{op}"], self.rules[f"partials_{op}"] = _forward_rule(op), _partials_rule(op)
        arguments = ", ".join(f"{{{k + 1}}}" for k in range(count))
        return Template(
            [],
            f"forward_{op}({arguments})",
            [f"p{{i}} = partials_{op}({{0}}, {arguments})"],
            [f"p{{i}}[{k}]" if isinstance(x, Symbol) else None for k, x in enumerate(xs)],
            [1] * count,
            [True] * (count + 1),
            rule=op,
        )

    # --- the two passes

    def _forward(self, computed: list[tuple[int, Template]]) -> None:
        trace = self.trace
        uses, kept = [0] * len(trace.ops), [False] * len(trace.ops)
        for y in trace.outputs:
            kept[y] = True
        for i, template in computed:
            for x, count in zip(trace.inputs[i], template.forward_uses, strict=True):
                uses[x] += count
            if self.active[i]:
                for x, used in zip((i, *trace.inputs[i]), template.backward_uses, strict=True):
                    if used:
                        kept[x] = True
        names = self.names
        for i, template in computed:
            operands = [names[x] for x in trace.inputs[i]]
            for line in template.before:
                self.put(line.format("", *operands, i=i))
            text = template.result.format("", *operands, i=i)
            if uses[i] == 1 and not kept[i] and len(text) < MAX_INLINE:
                names[i] = text
            else:
                self.put(f"v{i} = {_bare(text)}")

    def _backward(self, templates: dict[int, Template], root: int) -> str:
        trace = self.trace
        sent: dict[int, list[str]] = {root: ["1.0"]} if self.active[root] else {}
        for i in range(root, -1, -1):
            template = templates.get(i)
            if template is None or i not in sent:
                continue
            operands = trace.inputs[i]
            names = [f"v{i}", *[self.names[x] for x in operands]]
            forms = [
                (x, form)
                for x, form in zip(operands, template.partials, strict=True)
                if form is not None and self.active[x]
            ]
            d = self._sum(i, sent.pop(i), inline=len(forms) <= 1)
            for line in template.before_partials:
                self.put(line.format(*names, i=i))
            for x, form in forms:
                text = form.format(*names, i=i)
                if text == "1.0":
                    product = d
                elif d == "1.0":
                    product = text
                elif text == "-1.0":
                    product = f"(-{d})"
                else:
                    product = f"({d} * {text})"
                sent.setdefault(x, []).append(product)
        return "".join(
            (_bare(self._sum(i, sent[i], True)) if i in sent else "0.0") + ", " for i in trace.parameter_nodes
        )

    def _sum(self, i: int, terms: list[str], inline: bool) -> str:
        """The adjoint of node i: its text if that is short and used once, else a name for it."""
        while len(terms) > MAX_TERMS:
            self.put(f"d{i} = {' + '.join(terms[:MAX_TERMS])}")
            terms = [f"d{i}", *terms[MAX_TERMS:]]
        text = terms[0] if len(terms) == 1 else f"({' + '.join(terms)})"
        if (inline and len(text) < MAX_INLINE) or text.isidentifier() or text == "1.0":
            return text
        self.put(f"d{i} = {_bare(text)}")
        return f"d{i}"


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


_NAME = re.compile(r"\b[vdtp]\d+(?:_\d+)?\b")


def reuse_names(lines: list[str]) -> list[str]:
    """The same program with few local variables: a name is free again after its last use.

    Twenty thousand names would do, but Python's compiler takes three times as long over them, and a number that is let
    go early leaves its memory, still in the cache, to the next.
    """
    last = {name: k for k, line in enumerate(lines) for name in _NAME.findall(line)}
    places: dict[str, int] = {}
    free: list[int] = []  # a heap: low numbers first, which have shorter instructions
    used = 0

    def short(match: re.Match[str]) -> str:
        nonlocal used
        name = match.group()
        if name not in places:
            if free:
                places[name] = heapq.heappop(free)
            else:
                places[name], used = used, used + 1
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
                heapq.heappush(free, places[name])
        result.append(f"{_NAME.sub(short, target)} = {text}")
    return result


class Straight:
    """The straight-line program: ``call(parameters, samples, want_gradient)``."""

    def __init__(self, trace: Trace, backward: bool) -> None:
        self.trace, self.backward = trace, backward
        self.programs: dict[tuple[bool, bool], Callable[..., Any]] = {}
        self.source = "\n".join(Writer(trace, backward, careful=False).lines) + "\n"

    def program(self, backward: bool, careful: bool) -> Callable[..., Any]:
        key = backward, careful
        if key not in self.programs:
            writer = Writer(self.trace, backward, careful)
            text = "\n".join(reuse_names(writer.lines)) + "\n"
            filename = f"<compiled by chainrule: straight {id(self):x} {key}>"
            linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
            space = {**(CAREFUL if careful else FAST), **writer.rules}
            exec(compile(text, filename, "exec"), space)
            self.programs[key] = space["program"]
        return self.programs[key]

    def run(self, parameters: Sequence[float], sample: Sequence[float], backward: bool) -> Any:
        """(outputs, gradient) for one sample, or its outputs only."""
        try:
            return self.program(backward, False)(parameters, sample)
        except (ArithmeticError, ValueError):
            return self.program(backward, True)(parameters, sample)
