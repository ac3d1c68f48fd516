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

To run it, this backend asks Node.js, which is for tests; a page needs the text only. One process of Node.js runs all
programs, one after the other: to start it takes a hundred times as long as most of them.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ...javascript import literal, statements
from ..boxes import Nodes
from ..groups import Group, Part
from ..index import TAKE
from ..normalise import BATCHED, LINEAR
from ..plan import Plan
from ..program import Index
from ..symbols import ROWS, forward, leaf, partials, passed
from .base import Array, mean_one_by_one

Put = Callable[[str], None]

RUN = Path(__file__).with_name("run.js")


class JavaScript:
    """See `Backend`."""

    def __init__(self, plan: Plan) -> None:
        if plan.dtype != np.float64:
            raise ValueError(f"JavaScript computes in float64 only, but the program is for {plan.dtype}")
        self.plan = plan
        self.memory = Memory(plan)

    @functools.cached_property
    def source(self) -> str:
        return written(self.plan, self.memory)

    def mean(self, columns: list[Array], n: int) -> float:
        total, *gradient = self._run(columns, mean=True)
        if n > 1 and self.plan.shares_slopes and not np.isfinite([total, *gradient]).all():
            return mean_one_by_one(self, columns, n)
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
        samples = np.concatenate(columns).T.astype(float) if columns else np.empty((1, 0))
        task = {
            "source": words("erf" in self.source) + self.source,
            "theta": self.plan.theta.tobytes().hex(),
            "samples": np.ascontiguousarray(samples).tobytes().hex(),
            "width": samples.shape[1],
            "count": len(samples),
            "mean": mean,
        }
        found = bytes.fromhex(_node(node, os.getpid()).answer(json.dumps(task)))
        return struct.unpack(f"<{len(found) // 8}d", found)


class Node:
    """A process of Node.js that runs programs, one at a time; it starts with the first, and ends with this process."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lock = threading.Lock()
        self.process: subprocess.Popen[str] | None = None
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - what it says at its end, if that comes too early

    def answer(self, task: str) -> str:
        """What one program gives, a line of hexadecimal digits.

        Raises:
            RuntimeError: if it cannot be run.
        """
        with self.lock:
            try:
                line = self._asked(task)
            except BaseException:  # Ctrl-C: the answer that comes later would be taken for that to the next program
                self.end()
                raise
            if not line:
                self.end()
                self.errors.seek(0)
                line = "! " + (self.errors.read().decode(errors="replace").strip()[-400:] or "it ended too early")
        if line.startswith("!"):
            raise RuntimeError(f"Node.js could not run the program: {line[2:].strip()}")
        return line

    def _asked(self, task: str) -> str:
        if self.process is None or self.process.poll() is not None:
            self.end()
            self.errors.seek(0)
            self.errors.truncate()
            self.process = subprocess.Popen(
                [self.path, RUN],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                text=True,
                start_new_session=True,  # or Ctrl-C at a terminal would end it, too
            )
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(task + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:  # it has ended
            return ""
        return self.process.stdout.readline()

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


@functools.cache
def _node(path: str, pid: int) -> Node:
    """The one process for all programs; one more in each process that was forked, since two cannot share a pipe."""
    node = Node(path)
    atexit.register(lambda: node.end() if os.getpid() == pid else None)
    return node


def array(numbers: Any) -> str:
    """A list of numbers as JavaScript reads it, bit for bit."""
    return f"[{','.join(map(literal, np.asarray(numbers).tolist()))}]"


@functools.cache
def words(with_erf: bool) -> str:
    """The words of the rules, which a page has anyway: they lie with the pages."""
    names = ["ieee", "erf"] if with_erf else ["ieee"]
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
        self.size, self.adjoints = start + 2, (shared, start)
        self.zero, self.least = start, start + 1  # 0 and -inf, for terms that are missing in an uneven row
        self._starts = np.array(starts, dtype=np.intp)
        self._array_of, self._place_of = layout.array_of, layout.place_of
        self.outputs: list[int] = self.of(plan.outputs).tolist()

    def of(self, nodes: Nodes | Sequence[int], missing: int = -1) -> Index:
        """The addresses of some nodes; ``missing`` where there is none."""
        nodes = np.asarray(nodes, dtype=np.intp)
        found: Index = np.where(nodes >= 0, self._starts[self._array_of[nodes]] + self._place_of[nodes], missing)
        return found


def written(plan: Plan, memory: Memory) -> str:
    """The program as text; see the top of this file."""
    writer = _Writer(plan, memory)
    batched = [g for g in plan.groups if g.rank == BATCHED]
    shared = [g for g in plan.groups if g.rank != BATCHED]
    parts = [
        writer.function(head, groups, writer.forward)
        for head, groups in (("shared(v)", shared), ("forward(v)", batched))
    ]
    if writer.uneven:
        parts[0] = parts[0].replace("{\n", f"{{\n  v[{memory.zero}] = 0;\n  v[{memory.least}] = -Infinity;\n", 1)
    if plan.backward:  # else nothing is reached
        writer.reached[memory.outputs] = True
    parts.append(writer.function("backward(v, d)", batched, writer.backward, True, f"  d[{memory.outputs[0]}] = 1;\n"))
    parts.append(writer.function("settle(v, d)", shared, writer.backward, True))
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
        self.uneven = False  # whether a row has terms that are missing
        self.tables: dict[str, str] = {}  # text -> name
        self.reached = np.zeros(memory.size, dtype=bool)  # the addresses to whose adjoints something was sent

    def function(
        self,
        head: str,
        groups: Sequence[Group],
        write: Callable[[Group, Put], None],
        back: bool = False,
        first: str = "",
    ) -> str:
        lines: list[str] = []
        units = [[*some] for _, some in itertools.groupby(groups, key=lambda g: g.loop or g)]
        for unit in reversed(units) if back else units:
            if unit[0].loop is None:
                write(unit[0], lines.append)
            else:
                self._loop(unit, lines.append, write, back)
        return f"function {head} {{\n{first}" + "".join(f"  {line}\n" for line in lines) + "}\n"

    def _loop(self, groups: list[Group], put: Put, write: Callable[[Group, Put], None], back: bool) -> None:
        """Groups that take turns: all of them in each turn."""
        count = len(groups[0].computed)
        if not back:
            for group in groups:
                self._initial(group, put, "v[{0}] = v[{1}];")
        inner: list[str] = []
        if back:  # what the first turns send is needed in the last ones that are written
            for group in groups:
                self._reach(group.nodes)
        for group in reversed(groups) if back else groups:
            write(group, inner.append)
        way = f"let t = {count - 1}; t >= 0; t--" if back else f"let t = 0; t < {count}; t++"
        put(f"for ({way}) {{")
        for line in inner:
            put("  " + line)
        put("}")
        if back:
            for group in groups:
                self._initial(group, put, "d[{1}] += d[{0}];")

    def _initial(self, group: Group, put: Put, line: str) -> None:
        if group.initial is None:
            return
        real = group.initial >= 0
        own, given = self.memory.of(group.nodes[0][real]), self.memory.of(group.initial[real])
        if line.startswith("d") and not self.active[group.initial[real]].any():
            return
        if line.startswith("d"):
            self._reach(group.initial)
        self._each(put, {"g": len(own)}, lambda inner: inner(line.format(self.at(own, "g"), self.at(given, "g"))))

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
        flat = _Flat(group)
        nodes = self.memory.of(flat.nodes)

        def body(inner: Put) -> None:
            if group.op == TAKE:
                lines, y = list[str](), self._found(flat, inner, self.memory.of(self._rows(flat)), "v")
            elif group.op == LINEAR:
                inner(f"let s = {self._start(flat)};")
                for part in flat.parts:
                    w, x = self._factors(part, flat)
                    x = f"{w} * {x}" if w else x
                    x = f"{literal(part.c)} * {x}" if part.c != 1.0 else x
                    self._sum(inner, len(part.x), [f"s += {x};"])
                lines, y = list[str](), "s"
            else:
                lines, (y,) = statements([forward(group.op, *self._operands(flat, inner))])
            for line in [*lines, f"v[{self.at(nodes, *flat.variables)}] = {y};"]:
                inner(line)

        self._each(put, flat.sizes, body)

    def _start(self, flat: _Flat) -> str:
        return "-0" if flat.bias is None else f"v[{self.at(self.memory.of(flat.bias), *flat.variables)}]"

    def _rows(self, flat: _Flat) -> Nodes:
        """What a look-up chooses from."""
        (rows,) = (x for x in flat.operands if not isinstance(x, float))
        return rows

    def _found(self, flat: _Flat, put: Put, rows: Index, array: str) -> str:
        """The entry of an array that an index finds, of rows of addresses."""
        assert flat.index is not None
        put(f"const i = v[{self.at(self.memory.of(flat.index), *flat.variables)}];")
        return f"{array}[{self.at(rows, 'i', *flat.variables)}]"

    def _operands(self, flat: _Flat, put: Put) -> list[Any]:
        """The rule's operands: numbers, names of numbers, or an entry of a row."""
        if flat.group.row:
            (nodes,) = (x for x in flat.operands if not isinstance(x, float))
            put(f"const n = {len(nodes)};")
            addresses = self.memory.of(nodes, self.memory.least)
            self.uneven = self.uneven or bool((nodes < 0).any())
            return [leaf(f"v[{self.at(addresses, 'i', *flat.variables)}]", (len(nodes),), ROWS)]
        operands: list[Any] = []
        for letter, x in zip("abc", flat.operands, strict=False):
            if isinstance(x, float):
                operands.append(x)
            else:
                put(f"const {letter} = v[{self.at(self.memory.of(x), *flat.variables)}];")
                operands.append(leaf(letter, ()))
        return operands

    def _factors(self, part: Part, flat: _Flat) -> tuple[str, str]:
        """What term k of a sum multiplies; "" if that is a number alone."""
        texts = []
        for nodes in (part.weights, part.x):
            if nodes is None:
                texts.append("")
                continue
            if part.real is not None and ((nodes >= 0) & ~part.real).any():  # rows that share their nodes
                nodes = np.where(part.real, nodes, -1)
            self.uneven = self.uneven or bool((nodes < 0).any())
            texts.append(f"v[{self.at(self.memory.of(nodes, self.memory.zero), 'k', *flat.variables)}]")
        return texts[0], texts[1]

    # --- backward

    def backward(self, group: Group, put: Put) -> None:
        flat = _Flat(group)
        nodes = self.memory.of(flat.nodes)
        if not self.reached[nodes].any():
            return
        variables = flat.variables
        if group.op == LINEAR:

            def linear(inner: Put) -> None:
                inner(f"const e = d[{self.at(nodes, *variables)}];")
                if flat.bias is not None and self._active(flat.bias):
                    inner(f"d[{self.at(self._reach(flat.bias), *variables)}] += e;")
                for part in flat.parts:
                    w, x = self._factors(part, flat)
                    e = "e" if part.c == 1.0 else f"e * {literal(part.c)}"
                    goals = []
                    if part.weights is not None and self._active(part.weights):
                        self._reach(part.weights)
                        goals.append(f"d{w[1:]} += {e} * {x};")
                    if self._active(part.x):
                        self._reach(part.x)
                        goals.append(f"d{x[1:]} += {e} * {w};" if w else f"d{x[1:]} += {e};")
                    self._sum(inner, len(part.x), goals)

            self._each(put, flat.sizes, linear)
            return
        if group.op == TAKE:
            if self._active(self._rows(flat)):
                to = self._reach(self._rows(flat))

                def look_up(inner: Put) -> None:
                    found = self._found(flat, inner, to, "d")
                    inner(f"{found} += d[{self.at(nodes, *variables)}];")

                self._each(put, flat.sizes, look_up)
            return
        sent = [not isinstance(x, float) and self._active(x) for x in flat.operands]
        if not any(sent):
            return

        def body(inner: Put) -> None:
            inner(f"const y = v[{self.at(nodes, *variables)}], e = d[{self.at(nodes, *variables)}];")
            local = partials(group.op, leaf("y", ()), *self._operands(flat, inner))
            pairs = [(x, p) for x, p, one in zip(flat.operands, local, sent, strict=True) if one and p is not None]
            lines, texts = statements([passed(leaf("e", ()), p) for _, p in pairs])
            for line in lines:
                inner(line)
            for (x, _), text in zip(pairs, texts, strict=True):
                assert not isinstance(x, float)
                to = self._reach(x)
                if group.row:
                    inner(f"for (let i = 0; i < n; i++) d[{self.at(to, 'i', *variables)}] += {text};")
                else:
                    inner(f"d[{self.at(to, *variables)}] += {text};")

        self._each(put, flat.sizes, body)

    def _active(self, nodes: Nodes) -> bool:
        return bool(self.active[nodes[nodes >= 0]].any())

    def _reach(self, nodes: Nodes) -> Index:
        to = self.memory.of(nodes, self.memory.least)
        self.reached[to] = True
        return to


class _Flat:
    """A group as loops see it: a variable for each axis; or one for all, if its box has empty places.

    The first axis of a group in a loop is its turn t, around which the loop is.
    """

    def __init__(self, group: Group) -> None:
        self.group = group
        nodes = group.computed
        turns = group.loop is not None
        self.nodes, self.operands, self.parts, self.bias = nodes, group.operands, group.parts, group.bias
        self.index = group.index
        if (nodes < 0).any():
            lead = nodes.shape[:1] if turns else ()
            real = nodes >= 0
            keep = real.reshape(*lead, -1).any(0) if turns else real.reshape(-1)
            if turns and (real != real[:1]).any():
                raise NotImplementedError("uneven turns")

            def flat(x: Nodes, front: int = 0) -> Nodes:
                wide = np.broadcast_to(x, (*x.shape[:front], *nodes.shape))
                return wide.reshape(*x.shape[:front], *lead, -1)[..., keep]

            self.nodes = flat(nodes)
            self.operands = [x if isinstance(x, float) else flat(x, int(group.row)) for x in group.operands]
            self.parts = [
                replace(
                    part,
                    x=flat(part.x, 1),
                    weights=None if part.weights is None else flat(part.weights, 1),
                    real=None if part.real is None else flat(part.real.astype(np.intp), 1) > 0,
                )
                for part in group.parts
            ]
            self.bias = None if group.bias is None else flat(group.bias)
            self.index = None if group.index is None else flat(group.index)
        letters = ["g", "h", "m", "o", "p", "q", "r"]
        inner = self.nodes.ndim - turns
        self.variables = [
            *(["t"] if turns else []),
            *(letters[:inner] if inner <= len(letters) else [f"g{k}" for k in range(inner)]),
        ]
        self.sizes = {name: size for name, size in zip(self.variables, self.nodes.shape, strict=True) if name != "t"}
