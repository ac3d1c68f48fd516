"""The python backend: one line per node, for graphs that have no rows and windows.

A small network at batch 1, or a graph without regularity, is the wrong food for arrays: each operation on four numbers
costs as much as one on a thousand. Written out as straight-line Python, with the sheet's rules in their places, the same
graph runs many times faster than the engine builds it, and needs the standard library only. The two neurons:

    v2 = w1 * x                    d4 = 1.0 - v4 * v4
    v3 = v2 + b1                   g1 += d4 * x
    v4 = tanh(v3)                  g2 += d4

`math`'s functions raise where IEEE 754 has an answer; a sample on which one raises is computed once more with `ieee`.
"""

from __future__ import annotations

import linecache
import math
from collections.abc import Callable, Sequence
from typing import Any

from .. import ieee
from ..modes import TracingError
from ..ops import CONSTANT, SHEET
from .symbols import WORDS, Symbol, forward, is_number, leaf, partials
from .trace import INPUT, PARAMETER, Trace

FAST: dict[str, Any] = {name: getattr(math, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "pow")}
FAST |= {"sigmoid": ieee.sigmoid, "softplus": ieee.softplus, "inf": math.inf, "nan": math.nan}
CAREFUL: dict[str, Any] = FAST | {name: getattr(ieee, name) for name in ("exp", "log", "sqrt", "sin", "cos", "pow", "div")}


def _forward_rule(name: str) -> Callable[..., float]:
    return lambda *xs: SHEET[name].forward(*xs)


def _partials_rule(name: str) -> Callable[..., Sequence[float]]:
    return lambda y, *xs: SHEET[name].partials(y, *xs)


class _Writer:
    """Prints one function; with ``careful``, division is a call that never raises."""

    def __init__(self, trace: Trace, backward: bool, careful: bool) -> None:
        self.trace, self.careful = trace, careful
        self.rules: dict[str, Any] = {}
        self.lines: list[str] = []
        names = [f"v{i}" for i in range(len(trace.ops))]
        for i, op in enumerate(trace.ops):
            if op == CONSTANT:
                names[i] = _number(trace.numbers[i])
        self.names = names
        self.rule_cache: dict[Any, Any] = {}
        forward_lines = [self._forward(i) for i, op in enumerate(trace.ops) if op not in (INPUT, PARAMETER, CONSTANT)]
        arguments = [f"v{i}" for nodes in trace.arguments for i in nodes]
        parameters = [f"v{i}" for i in trace.parameter_nodes]
        head = ["def program(parameters, sample):"]
        if parameters:
            head.append(f"    {', '.join(parameters)}, = parameters")
        if arguments:
            head.append(f"    {', '.join(arguments)}, = sample")
        self.lines = head + forward_lines
        outputs = f"({''.join(names[y] + ', ' for y in trace.outputs)})"
        if not backward:
            self.lines.append(f"    return {outputs}")
            return
        self._backward(trace.outputs[0])
        gradient = "".join(f"d{i}, " if i in self.started else "0.0, " for i in trace.parameter_nodes)
        self.lines.append(f"    return {outputs}, ({gradient})")

    def text(self, x: Symbol) -> str:
        op = x.operator
        if op == "leaf":
            return str(x.detail)
        if op == "number":
            return _number(x.detail)
        parts = [self.text(a) for a in x.arguments]
        if op == "neg":
            return f"(-{parts[0]})"
        if op == "where":
            return f"({parts[1]} if {parts[0]} else {parts[2]})"
        if op in WORDS or op in ("abs", "pow") or (op == "/" and self.careful):
            return f"{'div' if op == '/' else op}({', '.join(parts)})"
        return f"({parts[0]} {op} {parts[1]})"

    def _template(self, i: int) -> Any:
        """The rule's forward text and partials in terms of placeholders, for this operation and pattern of constants."""
        trace = self.trace
        operands = trace.inputs[i]
        op = trace.ops[i]
        key = (op, *[trace.numbers[x].hex() if trace.ops[x] == CONSTANT else "" for x in operands])
        if key not in self.rule_cache:
            found: Any = None
            if SHEET[op].arity is not None:
                xs: list[Any] = [
                    trace.numbers[x] if trace.ops[x] == CONSTANT else leaf(f"{{{k + 1}}}", ()) for k, x in enumerate(operands)
                ]
                try:
                    if any(isinstance(x, Symbol) for x in xs):
                        y = leaf("{0}", ())
                        forms = [p if isinstance(x, Symbol) else None for p, x in zip(partials(op, y, *xs), xs, strict=True)]
                        found = self.text(forward(op, *xs)), forms
                except TracingError:
                    pass  # the rule is called as it is
            self.rule_cache[key] = found
        return self.rule_cache[key]

    def _rule(self, i: int, half: str) -> str:
        op = self.trace.ops[i]
        name = f"{half}_{op}"
        self.rules[name] = _forward_rule(op) if half == "forward" else _partials_rule(op)
        return name

    def _forward(self, i: int) -> str:
        operands = [self.names[x] for x in self.trace.inputs[i]]
        template = self._template(i)
        if template is None:
            return f"    v{i} = {self._rule(i, 'forward')}({', '.join(operands)})"
        text = template[0].format(f"v{i}", *operands)
        return f"    v{i} = {text[1:-1] if text.startswith('(') and _outer(text) else text}"

    def _backward(self, root: int) -> None:
        trace = self.trace
        active = [False] * len(trace.ops)
        for i, op in enumerate(trace.ops):
            active[i] = op == PARAMETER or any(active[x] for x in trace.inputs[i])
        self.started: set[int] = set()
        adjoints: dict[int, str] = {root: "1.0"} if active[root] else {}
        if trace.ops[root] == PARAMETER:
            self.lines.append(f"    d{root} = 1.0")
            self.started.add(root)
        put = self.lines.append
        products: dict[Any, str] = {}
        for i in range(root, -1, -1):
            if i not in adjoints and i not in self.started or not active[i] or not trace.inputs[i]:
                continue
            d = adjoints.get(i, f"d{i}")
            operands = trace.inputs[i]
            names = [self.names[x] for x in operands]
            template = self._template(i)
            if template is None:
                put(f"    p = {self._rule(i, 'partials')}({', '.join([f'v{i}', *names])})")
            for k, x in enumerate(operands):
                if not active[x]:
                    continue
                if template is None:
                    text = f"{d} * p[{k}]" if d != "1.0" else f"p[{k}]"
                else:
                    form = template[1][k]
                    if is_number(form, 0.0):
                        continue
                    key = (id(form), d == "1.0")
                    if key not in products:
                        product = form if d == "1.0" else leaf("{d}", ()) * form
                        text = self.text(product)
                        products[key] = text[1:-1] if text.startswith("(") and _outer(text) else text
                    text = products[key].format(f"v{i}", *names, d=d)
                if x in self.started:
                    put(f"    d{x} += {text}")
                else:
                    put(f"    d{x} = {text}")
                    self.started.add(x)


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


class Straight:
    """The straight-line program: ``call(parameters, samples, want_gradient)``."""

    def __init__(self, trace: Trace, backward: bool) -> None:
        self.trace, self.backward = trace, backward
        self.programs: dict[tuple[bool, bool], Callable[..., Any]] = {}
        self.source = "\n".join(_Writer(trace, backward, careful=False).lines) + "\n"

    def program(self, backward: bool, careful: bool) -> Callable[..., Any]:
        key = backward, careful
        if key not in self.programs:
            writer = _Writer(self.trace, backward, careful)
            text = "\n".join(writer.lines) + "\n"
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
