"""The numba backend: a tape and an interpreter for it, for irregular graphs.

Straight-line Python is as long as the graph, and Numba would compile it for minutes. So the graph becomes a tape of
numbers (which rule, and where its operands are), and the interpreter is one loop with a branch for each rule that
occurs. The branches are the derivative sheet, run on symbols, as everywhere. The two neurons' tape, and one of the
branches:

    rule     0     1     2  0     1     2      elif rule == 1:
    args     w1,x  2,b1  4  w2,x  7,b2  9          x1 = v[args[s + 0]]
    node     2     4     5  7     9     10         x2 = v[args[s + 1]]
                                                   y = x1 + x2
                                                   local[s + 0] = 1.0
                                                   local[s + 1] = 1.0
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import ieee
from ..modes import TracingError
from ..ops import CONSTANT
from .straight import FAST, MAX_WRITTEN, Writer
from .trace import INPUT, PARAMETER, Trace

_LOOP = """\
def run(
    theta, samples, v, g, local, rules, args, targets, starts, nodes,
    parameters, entries, gradient, outputs, root, backward,
):
    gradient[:] = 0.0
    for k in range(len(parameters)):
        v[parameters[k]] = theta[k]
    for sample in range(samples.shape[0]):
        for k in range(len(entries)):
            v[entries[k]] = samples[sample, k]
        for k in range(len(rules)):
            rule = rules[k]
            s = starts[k]
{branches}
            v[nodes[k]] = y
        for k in range(outputs.shape[1]):
            outputs[sample, k] = v[root[k]]
        if backward:
            g[:] = 0.0
            g[root[0]] = 1.0
            for k in range(len(rules) - 1, -1, -1):
                upstream = g[nodes[k]]
                for s in range(starts[k], starts[k + 1]):
                    g[targets[s]] += upstream * local[s]
            for k in range(len(parameters)):
                gradient[k] += g[parameters[k]]
"""


class Tape:
    """The graph as arrays, and the compiled interpreter."""

    def __init__(self, trace: Trace) -> None:
        numba = _numba()
        writer = Writer(trace, trace.parameter_nodes, backward=False, careful=False, raises=False)
        rules: list[int] = []
        nodes: list[int] = []
        args: list[int] = []
        targets: list[int] = []
        starts = [0]
        nowhere = len(trace.ops)  # where an adjoint goes that nobody is sent
        branches: dict[int, tuple[int, str]] = {}
        for i, op in enumerate(trace.ops):
            if op in (INPUT, PARAMETER, CONSTANT):
                continue
            template = writer.template(i)
            operands = trace.inputs[i]
            if template.rule:
                why = (
                    f"it has more than {MAX_WRITTEN} inputs" if len(operands) > MAX_WRITTEN else "it is not arithmetic"
                )
                raise TracingError(f"operation {op!r} cannot go on the numba backend's tape: {why}")
            if id(template) not in branches:
                branches[id(template)] = len(branches), _branch(template, len(operands))
            rules.append(branches[id(template)][0])
            nodes.append(i)
            args += operands
            targets += [nowhere if form is None else x for x, form in zip(operands, template.partials, strict=True)]
            starts.append(len(args))
        chain = "".join(
            f"            {'if' if k == 0 else 'elif'} rule == {k}:\n{text}" for k, text in branches.values()
        )
        self.source = _LOOP.format(branches=chain + "            else:\n                y = 0.0")
        space: dict[str, Any] = {name: word for name, word in FAST.items() if name not in ("sigmoid", "softplus")}
        space |= {name: numba.njit(getattr(ieee, name), error_model="numpy") for name in ("sigmoid", "softplus")}
        exec(compile(self.source, "<compiled by chainrule: tape>", "exec"), space)
        self.function: Callable[..., None] = numba.njit(space["run"], error_model="numpy")
        n = len(trace.ops)
        self.v = np.array(trace.numbers, dtype=np.float64)
        self.g = np.zeros(n + 1)
        self.local = np.zeros(len(args))
        self.tape = tuple(np.array(x, dtype=np.int64) for x in (rules, args, targets, starts, nodes))
        self.parameters = np.array(trace.parameter_nodes, dtype=np.int64)
        self.entries = np.array([i for argument in trace.arguments for i in argument], dtype=np.int64)
        self.roots = np.array(trace.outputs, dtype=np.int64)

    def run(self, theta: NDArray[Any], samples: NDArray[Any], backward: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        """theta in the order of the trace, samples [N, entries]; the gradient is the sum over the samples."""
        outputs = np.empty((len(samples), len(self.roots)))
        gradient = np.empty(len(self.parameters))
        self.function(
            theta, samples, self.v, self.g, self.local, *self.tape, self.parameters, self.entries, gradient, outputs,
            self.roots, backward,
        )  # fmt: skip
        return outputs, gradient


def _branch(template: Any, count: int) -> str:
    names = ["y", *[f"x{k + 1}" for k in range(count)]]
    lines = [f"x{k + 1} = v[args[s + {k}]]" for k in range(count)]
    lines += [line.format(*names, i="") for line in template.before]
    lines.append(f"y = {template.result.format(*names, i='')}")
    lines += [line.format(*names, i="") for line in template.before_partials]
    for k, form in enumerate(template.partials):
        lines.append(f"local[s + {k}] = {'0.0' if form is None else form.format(*names, i='')}")
    return "".join(f"                {line}\n" for line in lines)


def _numba() -> Any:
    try:
        return importlib.import_module("numba")
    except ImportError as error:
        raise ImportError("the numba backend needs Numba: pip install numba") from error
