"""The numba backend: a tape and an interpreter for it, for irregular graphs.

Straight-line Python is as long as the graph, and Numba would compile it for minutes. So the graph becomes a tape of
numbers (which rule, and where its operands are), and the interpreter is one loop with a branch for each rule that
occurs. The branches are the derivative sheet, run on symbols, as everywhere. The two neurons' tape, and one rule's
branches, forward and backward:

    rule     0     1     2  0     1     2      elif rule == 0:              elif rule == 0:
    args     w1,x  2,b1  4  w2,x  7,b2  9          x1 = v[args[s + 0]]          x1 = v[args[s + 0]]
    node     2     4     5  7     9     10         x2 = v[args[s + 1]]          x2 = v[args[s + 1]]
                                                   y = x1 * x2                  g[args[s + 0]] += d * x2
                                                                                g[args[s + 1]] += d * x1

An operation on many inputs (maximum, logsumexp, dot) is a loop, or one for each sum and maximum inside its rule.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import ieee
from ...modes import TracingError
from ...ops import CONSTANT
from ..classes import takes_row
from ..index import TAKE
from ..plan import Plan, samples_of
from ..symbols import ONE_ROW, Symbol, forward, leaf, partials, passed
from ..trace import INPUT, PARAMETER
from .base import Array
from .python import FAST, MAX_WRITTEN, D, Template, Writer, expression

_LOOP = """\
def run(
    theta, samples, v, g, rules, args, starts, nodes, reached, parameters, entries, gradient, outputs, root, backward
):
    gradient[:] = 0.0
    for k in range(len(parameters)):
        v[parameters[k]] = theta[k]
    for sample in range(samples.shape[0]):
        for k in range(len(entries)):
            v[entries[k]] = samples[sample, k]
        for k in range(len(rules)):
            rule, s, end = rules[k], starts[k], starts[k + 1]
            y = 0.0
{forward}
            v[nodes[k]] = y
        for k in range(outputs.shape[1]):
            outputs[sample, k] = v[root[k]]
        if backward:
            g[:] = 0.0
            g[root[0]] = 1.0
            for k in reached:
                rule, s, end = rules[k], starts[k], starts[k + 1]
                y, d = v[nodes[k]], g[nodes[k]]
{backward}
            for k in range(len(parameters)):
                gradient[k] += g[parameters[k]]
"""


_FOUND = "args[s + 1 + int(v[args[s]])]"  # of an index and what it chooses from
LOOK_UP = [f"y = v[{_FOUND}]"], [f"g[{_FOUND}] += d"]


class Rules:
    """The rules that an interpreter knows, each by its branch: statements forward, and backward."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {}  # branch -> number of the rule
        self._compiled: tuple[int, Callable[..., None]] | None = None  # for how many rules, and the function

    def number(self, there: list[str], back: list[str]) -> int:
        return self.numbers.setdefault((tuple(there), tuple(back)), len(self.numbers))

    @property
    def source(self) -> str:
        there, back = ([branch[way] for branch in self.numbers] for way in (0, 1))
        return _LOOP.format(forward=_chain(there, 12), backward=_chain(back, 16))

    @property
    def function(self) -> Callable[..., None]:
        if self._compiled is None or self._compiled[0] != len(self.numbers):
            self._compiled = len(self.numbers), interpreter(self.source)
        return self._compiled[1]


@functools.lru_cache(maxsize=16)
def interpreter(source: str) -> Callable[..., None]:
    """The compiled interpreter. Graphs of the same rules have the same one, and it is compiled for the first."""
    space: dict[str, Any] = {**FAST, **_branching_words()}
    exec(compile(source, "<compiled by chainrule: tape>", "exec"), space)
    run: Callable[..., None] = _numba().njit(space["run"], error_model="numpy")
    return run


@functools.cache
def _branching_words() -> dict[str, Any]:
    return {name: _numba().njit(getattr(ieee, name), error_model="numpy") for name in ("sigmoid", "softplus")}


class Tape:
    """See `Backend`: the graph as arrays, and the compiled interpreter.

    Tapes that are made with the same ``rules`` share an interpreter that knows the rules of all of them: it is compiled
    when one of them first runs, and anew if rules have come since.
    """

    def __init__(self, plan: Plan, rules: Rules | None = None) -> None:
        self.plan = plan
        self.rules = Rules() if rules is None else rules
        _numba()
        trace = plan.trace
        writer = Writer(trace, trace.parameter_nodes, None, careful=False, raises=False, literal=False)
        numbers: list[int] = []  # of the rules
        nodes: list[int] = []
        args: list[int] = []
        starts = [0]
        known_rules: dict[Any, int] = {}
        sends: list[list[bool]] = []  # per entry of `nodes`, whether anything goes back to each operand
        known = [op == CONSTANT for op in trace.ops]
        for i, op in enumerate(trace.ops):
            operands = trace.inputs[i]
            if op in (INPUT, PARAMETER, CONSTANT):
                continue
            known[i] = all(known[x] for x in operands)  # then its number stands in `v` from the start
            if known[i]:
                continue
            template = None if takes_row(op) else writer.template(i)
            key = op if template is None else id(template)
            if key not in known_rules:
                look_up = op == TAKE
                known_rules[key] = self.rules.number(
                    *(LOOK_UP if look_up else _loops(op) if template is None else _branch(op, template, len(operands)))
                )
            numbers.append(known_rules[key])
            sends.append([template is None or template.partials[k] is not None for k in range(len(operands))])
            nodes.append(i)
            args += operands
            starts.append(len(args))
        reached = []  # what a gradient comes to, from the root on
        waiting = set(trace.outputs[:1])
        for k in range(len(nodes) - 1, -1, -1):
            if nodes[k] in waiting:
                reached.append(k)
                waiting.update(x for x, sent in zip(trace.inputs[nodes[k]], sends[k], strict=True) if sent)
        self.v = np.array(trace.numbers, dtype=np.float64)
        self.g = np.zeros(len(trace.ops))
        self.tape = tuple(np.array(x, dtype=np.int64) for x in (numbers, args, starts, nodes, reached))
        self.parameters = np.array(trace.parameter_nodes, dtype=np.int64)
        self.entries = np.array([i for argument in trace.arguments for i in argument], dtype=np.int64)
        self.roots = np.array(trace.outputs, dtype=np.int64)

    @property
    def source(self) -> str:
        return self.rules.source

    def mean(self, columns: list[Array], n: int) -> float:
        losses, gradient = self.run(columns, self.plan.backward)
        np.divide(gradient[self.plan.order], n, self.plan.gradient)
        return float(losses.sum()) / n

    def outputs(self, columns: list[Array], n: int) -> Array:
        return self.run(columns, False)[0].T

    def run(self, columns: list[Array], backward: bool) -> tuple[Array, Array]:
        """The outputs of each sample, and the sum of their gradients in the order of the trace."""
        samples = samples_of(columns).astype(float)
        outputs = np.empty((len(samples), len(self.roots)))
        gradient = np.empty(len(self.parameters))
        self.rules.function(
            self.plan.given_order(self.plan.theta), samples, self.v, self.g, *self.tape, self.parameters,
            self.entries, gradient, outputs, self.roots, backward,
        )  # fmt: skip
        return outputs, gradient


def _chain(branches: list[tuple[str, ...]], margin: int) -> str:
    """The statements of every rule, behind its `if`."""
    lines = []
    for k, branch in enumerate(branches):
        lines.append(f"{'elif' if k else 'if'} rule == {k}:")
        lines += [f"    {line}" for line in branch or ("pass",)]
    return "\n".join([" " * margin + line for line in lines])


def _branch(op: str, template: Template, count: int) -> tuple[list[str], list[str]]:
    """The statements of a rule with a fixed number of inputs, forward and backward."""
    if template.rule:
        why = f"it has more than {MAX_WRITTEN} inputs" if count > MAX_WRITTEN else "it is not arithmetic"
        raise TracingError(f"operation {op!r} cannot go on the numba backend's tape: {why}")
    names = ["y", *[f"x{k + 1}" for k in range(count)]]
    reads = [f"x{k + 1} = v[args[s + {k}]]" for k in range(count)]
    there = [line.format(*names, i="") for line in template.before]
    there.append(f"y = {template.result.format(*names, i='')}")
    back = [line.format(*names, i="", d="d") for line in template.before_partials]
    for k, (form, is_product) in enumerate(zip(template.partials, template.products, strict=True)):
        if form is not None:
            text = form.format(*names, i="", d="d")
            back.append(f"g[args[s + {k}]] += {text if is_product else f'd * {text}'}")
    return [*reads, *there], [*reads, *back] if back else []


def _loops(op: str) -> tuple[list[str], list[str]]:
    """The statements of a rule that takes any number of inputs, forward and backward.

    The rule is run on symbols that stand for all inputs at once (for a dot product, two: each half of them). Where it
    folds them, into a sum or a maximum, there is a loop over j; what is left in each fold is the rule for one input.
    """
    places = ["args[j]", "args[j + count]"] if op == "dot" else ["args[j]"]
    xs = [leaf(f"v[{place}]", (), ONE_ROW) for place in places]
    head = ["count = (end - s) // 2" if op == "dot" else "count = end - s"]
    there, back = _Folds(), _Folds()
    result = there.text(forward(op, *xs))
    products = [back.text(passed(D, p)) for p in partials(op, leaf("y", ()), *xs) if p is not None]
    last = [f"    g[{place}] += {product}" for place, product in zip(places, products, strict=True)]
    lines = [*head, *back.lines, "for j in range(s, s + count):", *last]
    return [*head, *there.lines, f"y = {result}"], [line.format(d="d") for line in lines]


class _Folds:
    """Prints an expression over rows; each fold in it becomes a loop, before the statement that uses it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.named: dict[int, tuple[str, Symbol]] = {}  # the symbol, too, or another one might get its id

    def text(self, x: Symbol) -> str:
        if id(x) in self.named:
            return self.named[id(x)][0]
        if x.operator not in ("sum", "max"):
            return expression(x, [self.text(a) for a in x.arguments])
        entry = self.text(x.arguments[0])
        name = f"fold{len(self.named) + 1}"
        self.named[id(x)] = name, x
        if x.operator == "sum":
            self.lines += [f"{name} = 0.0", "for j in range(s, s + count):", f"    {name} += {entry}"]
        else:  # a nan stays
            self.lines += [f"{name} = -inf", "for j in range(s, s + count):", f"    x = {entry}"]
            self.lines += [f"    {name} = {name} if {name} >= x or {name} != {name} else x"]
        return name


def _numba() -> Any:
    try:
        return importlib.import_module("numba")
    except ImportError as error:
        raise ImportError("the numba backend needs Numba: pip install numba") from error
