"""The javascript backend: the grouped program as plain loops over typed arrays, one sample at a time.

A page in a browser has no NumPy, and one statement per node would be a hundred times the text: here each group is a
loop, forward and backward, with the sheet's rule once inside it. All numbers lie in one array v, all adjoints in
another, d, each node at one address: theta, constants, what is computed from these alone; then what differs from sample
to sample, and at the end the sample itself. Of the two neurons, tanh(w·x + b), the inner statements are

    s += v[r] * v[8]            forward, in a loop over r and one over k
    v[6 + g] = tanh(a)          in a loop over g
    d[4 + g] += e * (1 - y * y) backward, with y and e the neuron's value and adjoint

`source` is the body of a function. It gives back what a caller needs: shared(v), forward(v), backward(v, d) and
settle(v, d), and where in v the sample goes, the outputs come, and the adjoints begin anew with each sample. For a
batch, shared is called once; for each sample forward and backward; and settle at the end leaves the gradient of the sum
at the beginning of d.

To run it, this backend asks Node.js, which is for tests; a page needs the text only.
"""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ...javascript import literal, statements
from ..differentiate import Index
from ..group import Group, Nodes
from ..normalise import BATCHED, LINEAR
from ..plan import Plan
from ..symbols import ROWS, forward, leaf, partials, passed
from .base import Array

Put = Callable[[str], None]

RUN = Path(__file__).with_name("run.js")


class JavaScript:
    """See `Backend`."""

    def __init__(self, plan: Plan) -> None:
        if plan.dtype != np.float64:
            raise ValueError(f"JavaScript computes in float64 only, but the program is for {plan.dtype}")
        self.plan = plan
        self.memory = Memory(plan)

    @property
    def source(self) -> str:
        return written(self.plan, self.memory)

    def mean(self, columns: list[Array], n: int) -> float:
        total, *gradient = self._run(columns, mean=True)
        self.plan.gradient[:] = np.array(gradient) / n
        return float(total) / n

    def outputs(self, columns: list[Array], n: int) -> Array:
        return np.array(self._run(columns, mean=False)).reshape(-1, len(self.memory.outputs)).T

    def _run(self, columns: list[Array], mean: bool) -> tuple[float, ...]:
        node = shutil.which("node")
        if node is None:
            raise ImportError(
                "the javascript backend runs its program on Node.js, and there is no `node` on this machine; "
                "step.source is the program, for a page or another machine, and backend='numpy' runs here"
            )
        samples = np.concatenate(columns).T if columns else np.empty((1, 0))
        task = {
            "source": words(self.source) + self.source,
            "theta": self.plan.theta.tobytes().hex(),
            "samples": np.ascontiguousarray(samples).tobytes().hex(),
            "width": samples.shape[1],
            "count": len(samples),
            "mean": mean,
        }
        done = subprocess.run([node, RUN], input=json.dumps(task), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"Node.js could not run the program: {done.stderr.strip()[-400:]}")
        found = bytes.fromhex(done.stdout)
        return struct.unpack(f"<{len(found) // 8}d", found)


def array(numbers: Any) -> str:
    """A list of numbers as JavaScript reads it, bit for bit."""
    return f"[{','.join(map(literal, np.asarray(numbers).tolist()))}]"


def words(source: str) -> str:
    """The words of the rules, which a page has anyway: they lie with the pages."""
    names = ["ieee", "erf"] if "erf" in source else ["ieee"]
    texts = [files("viz").joinpath("live", "web", f"{name}.js").read_text(encoding="utf-8") for name in names]
    return re.sub(r"^(import .*|export (?=const))", "", "".join(texts), flags=re.MULTILINE)


class Memory:
    """Where everything lies in the one array of numbers.

    Attributes:
        size: how many numbers there are.
        adjoints: from where to where an adjoint begins anew with each sample.
        sample: where the sample's numbers begin.
        outputs: the addresses of what the function returns.
    """

    def __init__(self, plan: Plan) -> None:
        layout = plan.layout
        shared, batched = len(plan.shared), layout.sizes.get("batched", 0)
        start = self.sample = shared + batched
        starts = []
        for a in layout.arrays:
            if a.bank == "argument":
                starts.append(start)
                start += a.size
            else:
                starts.append(a.start + (shared if a.bank == "batched" else 0))
        self.size, self.adjoints = start, (shared, start)
        self._starts = np.array(starts, dtype=np.intp)
        self._array_of, self._place_of = layout.array_of, layout.place_of
        self.outputs: list[int] = (plan.program.outputs + shared).tolist()

    def of(self, nodes: Nodes | Sequence[int]) -> Index:
        """The addresses of some nodes."""
        nodes = np.asarray(nodes, dtype=np.intp)
        found: Index = self._starts[self._array_of[nodes]] + self._place_of[nodes]
        return found


def written(plan: Plan, memory: Memory) -> str:
    """The program as text; see the top of this file."""
    writer = _Writer(plan, memory)
    batched = [g for g in plan.groups if g.rank == BATCHED]
    shared = [g for g in plan.groups if g.rank != BATCHED]
    parts = [
        writer.function("shared(v)", shared, writer.forward),
        writer.function("forward(v)", batched, writer.forward),
    ]
    if plan.backward:  # else nothing is reached
        writer.reached[memory.outputs] = True
    parts.append(writer.function("backward(v, d)", batched[::-1], writer.backward, f"  d[{memory.outputs[0]}] = 1;\n"))
    parts.append(writer.function("settle(v, d)", shared[::-1], writer.backward))
    tables = "".join(f"const {name} = {text};\n" for text, name in writer.tables.items())
    facts = (
        f"memory: {memory.size}, parameters: {len(plan.theta)}, constants: {array(plan.layout.constants)}, "
        f"sample: {memory.sample}, "
        f"adjoints: {list(memory.adjoints)}, outputs: {memory.outputs}"
    )
    return tables + "".join(parts) + f"return {{ shared, forward, backward, settle, {facts} }};\n"


class _Writer:
    """Prints functions, and keeps the tables of addresses that they read."""

    def __init__(self, plan: Plan, memory: Memory) -> None:
        self.memory = memory
        self.active = np.array(plan.active)
        self.tables: dict[str, str] = {}  # text -> name
        self.reached = np.zeros(memory.size, dtype=bool)  # the addresses to whose adjoints something was sent

    def function(self, head: str, groups: Sequence[Group], write: Callable[[Group, Put], None], first: str = "") -> str:
        lines: list[str] = []
        for group in groups:
            write(group, lines.append)
        return f"function {head} {{\n{first}" + "".join(f"  {line}\n" for line in lines) + "}\n"

    # --- addresses as text

    def at(self, addresses: Index, *variables: str) -> str:
        """The text of the address of entry [k, g, ...] of an array of addresses, one variable for each axis.

        A sum of one term for each axis, step · variable or a table of numbers, if the addresses are such a sum; else
        one table for all of them.
        """
        base = int(addresses.flat[0])
        terms, rebuilt = [], np.array(base)
        for axis, variable in enumerate(variables):
            line = np.moveaxis(addresses, axis, 0)
            line = line.reshape(len(line), -1)[:, 0] - base
            rebuilt = rebuilt[..., None] + line
            terms.append(self._along(line, variable))
        if (rebuilt == addresses).all():
            return " + ".join([t for t in (str(base) if base else "", *terms) if t] or ["0"])
        place = ""
        for size, variable in zip(addresses.shape, variables, strict=True):
            if size > 1:  # else there is no loop, and no variable
                place = f"({place}) * {size} + {variable}" if place else variable
        return f"{self._table(addresses)}[{place}]"

    def _along(self, line: Index, variable: str) -> str:
        if len(line) == 1 or not line.any():
            return ""
        step = int(line[1])
        if (line == step * np.arange(len(line))).all():
            return variable if step == 1 else f"{step} * {variable}"
        return f"{self._table(line)}[{variable}]"

    def _table(self, addresses: Index) -> str:
        text = f"new Int32Array([{','.join(map(str, addresses.reshape(-1).tolist()))}])"
        return self.tables.setdefault(text, f"at{len(self.tables) + 1}")

    def _each(self, put: Put, sizes: dict[str, int], body: Callable[[Put], None]) -> None:
        """The body, in one loop for each variable that has more than one value."""
        loops = [f"for (let {name} = 0; {name} < {size}; {name}++) {{" for name, size in sizes.items() if size > 1]
        for depth, line in enumerate(loops or ["{"]):
            put("  " * depth + line)
        depth = max(len(loops), 1)
        body(lambda line: put("  " * depth + line))
        for k in range(depth, 0, -1):
            put("  " * (k - 1) + "}")

    def _sum(self, put: Put, count: int, lines: Sequence[str]) -> None:
        """Statements that name nothing, for each k."""
        loop = count > 1 and len(lines) > 0
        if loop:
            put(f"for (let k = 0; k < {count}; k++) {{")
        for line in lines:
            put("  " + line if loop else line)
        if loop:
            put("}")

    # --- forward

    def forward(self, group: Group, put: Put) -> None:
        nodes = self.memory.of(group.nodes)
        if group.op == LINEAR:
            self._linear(group, nodes, put)
            return

        def body(inner: Put) -> None:
            lines, (y,) = statements([forward(group.op, *self._operands(group, inner))])
            for line in [*lines, f"v[{self.at(nodes, 'g')}] = {y};"]:
                inner(line)

        self._each(put, {"g": len(nodes)}, body)

    def _operands(self, group: Group, put: Put) -> list[Any]:
        """The rule's operands: numbers, names of numbers, or an entry of a row."""
        if group.row:
            (nodes,) = (x for x in group.operands if not isinstance(x, float))
            put(f"const n = {len(nodes)};")
            return [leaf(f"v[{self.at(self.memory.of(nodes), 'i', 'g')}]", (len(nodes),), ROWS)]
        operands: list[Any] = []
        for letter, x in zip("abc", group.operands, strict=False):
            if isinstance(x, float):
                operands.append(x)
            else:
                put(f"const {letter} = v[{self.at(self.memory.of(x), 'g')}];")
                operands.append(leaf(letter, ()))
        return operands

    def _linear(self, group: Group, nodes: Index, put: Put) -> None:
        rows, positions, place = _places(group)

        def body(inner: Put) -> None:
            start = "0" if group.bias is None else f"v[{self._bias(group)}]"
            inner(f"let s = {start};")
            for part in group.parts:
                x = f"v[{self._factor(part.x, group, 'p', matrix=part.weights is not None)}]"
                if part.weights is not None:
                    x = f"v[{self._factor(part.weights, group, 'r', matrix=True)}] * {x}"
                elif part.c != 1.0:
                    x = f"{literal(part.c)} * {x}"
                self._sum(inner, len(part.x), [f"s += {x};"])
            inner(f"v[{self.at(place(nodes), 'r', 'p')}] = s;")

        self._each(put, {"r": rows, "p": positions}, body)

    def _bias(self, group: Group) -> str:
        assert group.bias is not None
        bias = self.memory.of(group.bias)
        return self.at(bias, "r") if group.rows else self.at(bias, "p")

    def _factor(self, nodes: Nodes, group: Group, variable: str, matrix: bool) -> str:
        """The address of factor k of the node in row r, position p."""
        addresses = self.memory.of(nodes)
        if group.rows and matrix:  # weights [R, K], windows [K, P]
            return self.at(addresses.T if variable == "r" else addresses, "k", variable)
        return self.at(addresses.reshape(len(addresses), *_places(group)[:2]), "k", "r", "p")

    # --- backward

    def backward(self, group: Group, put: Put) -> None:
        nodes = self.memory.of(group.nodes)
        if not self.reached[nodes].any():
            return
        if group.op == LINEAR:
            self._linear_back(group, nodes, put)
            return
        sent = [not isinstance(x, float) and bool(self.active[x].any()) for x in group.operands]
        if not any(sent):
            return

        def body(inner: Put) -> None:
            inner(f"const y = v[{self.at(nodes, 'g')}], e = d[{self.at(nodes, 'g')}];")
            local = partials(group.op, leaf("y", ()), *self._operands(group, inner))
            pairs = [(x, p) for x, p, one in zip(group.operands, local, sent, strict=True) if one and p is not None]
            lines, texts = statements([passed(leaf("e", ()), p) for _, p in pairs])
            for line in lines:
                inner(line)
            for (x, _), text in zip(pairs, texts, strict=True):
                assert not isinstance(x, float)
                to = self._reach(x)
                if group.row:
                    inner(f"for (let i = 0; i < n; i++) d[{self.at(to, 'i', 'g')}] += {text};")
                else:
                    inner(f"d[{self.at(to, 'g')}] += {text};")

        self._each(put, {"g": len(nodes)}, body)

    def _reach(self, nodes: Nodes) -> Index:
        to = self.memory.of(nodes)
        self.reached[to] = True
        return to

    def _linear_back(self, group: Group, nodes: Index, put: Put) -> None:
        rows, positions, place = _places(group)

        def body(inner: Put) -> None:
            inner(f"const e = d[{self.at(place(nodes), 'r', 'p')}];")
            if group.bias is not None and self.active[group.bias].any():
                self._reach(group.bias)
                inner(f"d[{self._bias(group)}] += e;")
            for part in group.parts:
                x = self._factor(part.x, group, "p", matrix=part.weights is not None)
                goals = []
                if part.weights is not None:
                    w = self._factor(part.weights, group, "r", matrix=True)
                    if self.active[part.weights].any():
                        self._reach(part.weights)
                        goals.append(f"d[{w}] += e * v[{x}];")
                    if self.active[part.x].any():
                        self._reach(part.x)
                        goals.append(f"d[{x}] += e * v[{w}];")
                elif self.active[part.x].any():
                    self._reach(part.x)
                    goals.append(f"d[{x}] += e{'' if part.c == 1.0 else f' * {literal(part.c)}'};")
                self._sum(inner, len(part.x), goals)

        self._each(put, {"r": rows, "p": positions}, body)


def _places(group: Group) -> tuple[int, int, Callable[[Index], Index]]:
    """A linear group as rows of positions; what is no product of matrices is one row."""
    rows = group.rows or 1
    positions = len(group.nodes) // rows
    return rows, positions, lambda addresses: addresses.reshape(rows, positions)
