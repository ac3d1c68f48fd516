"""`draw_derivation`: the chain rule for one leaf, written out whole: every path from it to the root, and their sum."""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from autograd import SHEET, Value, dumps, format_number, forward_steps, loads, topological_order
from autograd.graph import names_in_order
from autograd.hints import did_you_mean
from autograd.messages import messages
from autograd.ops import CONSTANT, CUT, LEAF
from autograd.steps import latex_name, latex_number, partial_formula

from .checks import THEMES, at_least, one_of
from .graph.diagram import count, remarks
from .graph.svg import style_rules
from .lettering import spans_in
from .markup import MARGIN, card, document, line_at, wrap
from .metrics import NAME_SIZE, NUMBER_SIZE, TITLE_SIZE, columns, one_line, text_width
from .mistakes import explained, only_a_value
from .picture import Picture

MAX_PATHS = 12
FACTORS_PER_PATH = 10  # on average
UNCOUNTED = 10**15  # where counting stops: the number of paths can have as many digits as the graph has nodes
ROW = 8  # factors on one line
LISTED = 8  # names in a message, and numbers that are given
GIVEN = 4  # numbers on one line

_STYLE = """\
{id} .given{{font-size:13px;fill:{c[muted]}}}
{id} .side{{font-size:15px}}
{id} .result{{font-size:15px;fill:{c[gradient]};font-style:italic}}
"""


@explained
def draw_derivation(
    root: Value, leaf: Value | str | None = None, *, max_paths: int = MAX_PATHS, theme: str = "auto"
) -> Derivation:
    """Write out ∂root/∂leaf: the product of the local derivatives along each path, and the sum over all paths.

    ∂f/∂x = Σ over the paths from x to f of ∏ over a path's edges of ∂(node)/∂(its input): first in symbols, then with
    the formula of each local derivative, then in numbers (Bauer, 1974, "Computational graphs and rounding error"). It
    is what `backward` computes without going through the paths one by one, whose number can double with every
    operation; so this is for graphs that one can check by hand. The local derivatives are those that the forward pass
    recorded. No Value is changed, and `backward` need not have been called.

    Where a node depends on another one in several ways, the local derivative of one way looks like the whole one, and
    is marked: for b = a + a as "∂b/∂a (input 1)" and "∂b/∂a (input 2)", for f = x·(x + 1) as "∂f/∂x (direct)".

    Args:
        root: the end of the graph.
        leaf: by what to differentiate: a leaf, or any other node on the way, or its name as in the table
            ``draw_graph(root).to_text()``. It may be left out if the graph has only one leaf.
        max_paths: the most paths that are written out, with at most ten local derivatives for each on average.
        theme: of its picture: "light", "dark", or "auto", which follows the reader's system.

    Raises:
        TypeError: if ``root`` is not a Value, or ``leaf`` neither a Value nor a name.
        ValueError: if the graph has no such leaf, or several of them; if there are too many paths, or too long ones;
            for another theme.
    """
    only_a_value("draw_derivation writes out the chain rule for the graph of a Value", root)
    at_least(1, "max_paths", max_paths)
    one_of("theme", theme, THEMES)
    order = topological_order(root)
    names = names_in_order(order)
    leaf = _find(leaf, names)
    ways, edges = _count(order, leaf)
    if ways[root] > max_paths or edges[root] > FACTORS_PER_PATH * max_paths:
        raise ValueError(
            f"from {names[leaf]} to {names[root]} there is more than one can check by hand: "
            f"{_counted(ways[root], 'path')} with {_counted(edges[root], 'local derivative')} in all, and "
            f"max_paths={max_paths} is for {_counted(max_paths, 'path')} with {FACTORS_PER_PATH * max_paths}; "
            "step_through(root) shows the same derivative one edge at a time, and root.backward() computes it"
        )
    return Derivation(order, names, leaf, _paths(root, leaf, ways), theme)


@dataclass(frozen=True, eq=False)
class Path:
    """One way from the root back to the leaf.

    ``nodes`` are the root, ..., the leaf; the node ``nodes[k + 1]`` is input number ``positions[k]`` of ``nodes[k]``,
    and ``local[k]`` is the local derivative by it. ``contribution`` is the product of them all; if a choice on the way
    (relu, maximum, ...) did not choose this path it is 0, even where inf comes from above.
    """

    nodes: tuple[Value, ...]
    positions: tuple[int, ...]
    local: tuple[float, ...]
    contribution: float


class Derivation(Picture):
    """A chain rule as it was when it was written out. A notebook typesets it; `str` gives it as plain text, and `save`
    writes a picture of it.

    ``paths`` are the paths from the root to the leaf, and ``value`` is the sum of their contributions: up to rounding
    the gradient that `backward` finds, and with a single path the same to the last bit. Only where a number is inf may
    they differ: `backward` adds before it multiplies, and (2 − 1) · inf is inf, but 2 · inf − inf is nan. ``note`` says
    so if the numbers are older than the data of a leaf; it stands below the text, and below the formulas in a notebook.
    """

    _to_see = "print(derivation) shows it; in a notebook it shows itself as the last line of a cell"
    _to_write = ".save('derivation.svg') writes a picture; str(derivation) is its text, .to_latex() is for a document"
    _instead: ClassVar = dict.fromkeys(["text", "to_text", "latex", "tex"], _to_write)

    def __init__(
        self, order: list[Value], names: dict[Value, str], leaf: Value, paths: tuple[Path, ...], theme: str
    ) -> None:
        self.root, self.leaf, self.paths = order[-1], leaf, paths
        contributions = [path.contribution for path in paths]
        self.value: float = contributions[0] if len(paths) == 1 else sum(contributions, 0.0)
        along = {x for path in paths for node in path.nodes[:-1] for x in (node, *node.inputs)}
        self.note = " ".join(remarks(order, along, show_grad=False))
        self._text, self._latex = (_Writer(self, order, names, latex=latex) for latex in (False, True))
        self._names = sorted({one_line(names[node]) for node in order if node.op != CONSTANT})
        self._theme = theme
        self._title = f"The derivation of {self._text.whole}"

    @property
    def svg(self) -> str:
        """The picture, as SVG text of its own."""
        return self._painted(self._theme)

    def _fixed_theme(self) -> str:
        return self._painted("dark" if self._theme == "dark" else "light")

    def _painted(self, theme: str) -> str:
        """The lines of the text: what is given, the equations with their signs below each other, and the result."""
        whole, chain = self._text.whole, self._text.chain
        rows = [[("given", MARGIN, line, NUMBER_SIZE)] for line in self._text.definitions]
        sign = MARGIN + text_width(whole, NAME_SIZE, bold=True) + 6
        for k, line in enumerate(chain):
            equals, side = line[len(whole) :][:3].strip(), line[len(whole) + 3 :].strip()
            inner = 18.0 if equals or line.lstrip().startswith("+ ") else 36.0
            kind = "result" if k == len(chain) - 1 else "side"
            if equals == "=":
                rows.append([("side", sign, "=", NAME_SIZE), (kind, sign + inner, side, NAME_SIZE)])
            else:
                rows.append([(kind, sign + inner, line.strip(), NAME_SIZE)])
        rows[len(self._text.definitions)].append(("name", MARGIN, whole, NAME_SIZE))
        right = max(x + text_width(text, size, bold=kind == "name") for row in rows for kind, x, text, size in row)
        rows += [[("note", MARGIN, line, TITLE_SIZE)] for line in self.note and wrap(self.note, max(right, 360.0))]
        out, y, above = [], 0.0, ""
        for row in rows:
            kind = row[0][0]
            y += {"given": 20.0, "note": 20.0}.get(kind, 24.0) + 8.0 * (kind != above and kind != "result")
            above = kind
            out += [line_at(kind, x, y, spans_in(text, self._names, size)) for kind, x, text, size in row]
        right = max(right, *(x + text_width(text, size) for ((_, x, text, size), *_) in rows))
        body = card(right + MARGIN, y + MARGIN + 8.0) + "".join(out)
        told = self._title, str(self)
        return document(body, right + MARGIN, y + MARGIN + 8.0, "chainrule-derivation", told, _rules, theme)

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickle: the words as they were written, and the graph as text, with nodes by their number."""
        number = {node: k for k, node in enumerate(topological_order(self.root))}
        return {
            "graph": dumps(self.root),
            "leaf": number[self.leaf],
            "value": self.value,
            "note": self.note,
            "look": (self._theme, self._title, self._names),
            "paths": [([number[x] for x in p.nodes], p.positions, p.local, p.contribution) for p in self.paths],
            "words": (self._text, self._latex),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.root = loads(state["graph"])
        nodes = topological_order(self.root)
        self.leaf, self.value, self.note = nodes[state["leaf"]], state["value"], state["note"]
        self.paths = tuple(Path(tuple(nodes[k] for k in numbers), *rest) for numbers, *rest in state["paths"])
        self._text, self._latex = state["words"]
        self._theme, self._title, self._names = state["look"]

    def to_latex(self, *, definitions: bool = True) -> str:
        r"""The derivation as LaTeX: an ``aligned`` block (of the package amsmath), to be put between ``\[`` and ``\]``.

        Args:
            definitions: whether the nodes along the paths, and the numbers that they need, are listed first.
        """
        rows = " \\\\\n".join(self._latex.chain)
        if definitions and self._latex.definitions:
            rows = " \\\\\n".join(self._latex.definitions) + " \\\\[1.5ex]\n" + rows
        return f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}"

    def __str__(self) -> str:
        whole, (first, *chain) = self._text.whole, self._text.chain
        below = [" " * columns(whole) + line[len(whole) :] for line in chain]
        lines = [*self._text.definitions, "", first, *below, "", self.note]
        return "\n".join(lines).strip()

    def __repr__(self) -> str:
        return f"<Derivation of {self._text.whole}, {_counted(len(self.paths), 'path')}; print() shows it>"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.to_latex()}\n$$\n{self.note}".rstrip()

    def _repr_html_(self) -> str | None:
        """None where IPython asks: its notebooks typeset the formulas, and would take the picture instead of them."""
        shell = sys.modules.get("IPython")
        return None if shell and shell.get_ipython() else self.to_html(page=False)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/latex": self._repr_latex_(), "text/plain": str(self)}


_rules = partial(style_rules, more=_STYLE)


# --- which node, and which paths


def _find(leaf: object, names: dict[Value, str]) -> Value:
    """The node that is meant, if it is one that has a derivative."""
    candidates = [node for node in names if node.op == LEAF]
    listed = ", ".join(names[x] for x in candidates[:LISTED]) + (", …" if len(candidates) > LISTED else "")
    listed = f"its leaves are {listed} ({len(candidates)} in all)" if len(candidates) > 1 else f"its leaf is {listed}"
    if not candidates:
        listed = "it has no leaves, only constants"
    if leaf is None:
        if len(candidates) != 1:
            raise ValueError(f"draw_derivation(root, leaf) needs to know by which leaf of the graph; {listed}")
        return candidates[0]
    if isinstance(leaf, str):
        found = [node for node in names if node.label == leaf] or [node for node in names if names[node] == leaf]
        if len(found) > 1:
            scopes = ", ".join(f"{names[x]!r} in {x.scope or 'no scope'}" for x in found[:LISTED])
            raise ValueError(
                f"{len(found)} nodes are labelled {leaf!r}: hand over one of the Values themselves. They are {scopes}"
            )
        if not found:
            raise ValueError(f"the graph has no node {leaf!r}{did_you_mean(leaf, names.values())}; {listed}")
        node = found[0]
    elif isinstance(leaf, Value):
        if leaf not in names:
            raise ValueError(f"{leaf!r} is not in this graph, so the root does not depend on it; {listed}")
        node = leaf
    else:
        raise TypeError(f"leaf must be a Value of the graph, or its name, but got {type(leaf).__name__}; {listed}")
    if node.op == CONSTANT:
        raise ValueError(f"{names[node]} is a constant, and nothing is differentiated by it; {listed}")
    return node


def _count(order: Iterable[Value], leaf: Value) -> tuple[dict[Value, int], dict[Value, int]]:
    """For each node the number of paths from it to the leaf, and how many edges they have in all."""
    ways: dict[Value, int] = {}
    edges: dict[Value, int] = {}
    for node in order:
        ways[node], edges[node] = int(node is leaf), 0
        for x, local in zip(node.inputs, node.local_derivatives, strict=True):
            if local is not None:
                ways[node] = min(ways[node] + ways[x], UNCOUNTED)
                edges[node] = min(edges[node] + edges[x] + ways[x], UNCOUNTED)
    return ways, edges


def _counted(n: int, what: str) -> str:
    return f"more than 10¹⁵ {what}s" if n >= UNCOUNTED else count(n, what, what + "s")


def _paths(root: Value, leaf: Value, ways: dict[Value, int]) -> tuple[Path, ...]:
    """All paths, depth first and with the inputs from left to right; only nodes that lead to the leaf are entered."""
    if not ways[root]:
        return ()
    found = []
    unfinished: list[tuple[tuple[Value, ...], tuple[int, ...], tuple[float, ...]]] = [((root,), (), ())]
    while unfinished:
        nodes, positions, local = unfinished.pop()
        node = nodes[-1]
        if node is leaf:
            found.append(Path(nodes, positions, local, _product(local)))
            continue
        for k in reversed(range(len(node.inputs))):
            x, slope = node.inputs[k], node.local_derivatives[k]
            if slope is not None and ways[x]:
                unfinished.append(((*nodes, x), (*positions, k), (*local, slope)))
    return tuple(found)


def _product(local: Iterable[float]) -> float:
    """The product along a path; from a cut on it is 0, whatever came before."""
    product = 1.0
    for slope in local:
        product = 0.0 if slope is CUT else product * slope
    return product


def _ambiguous(paths: Iterable[Path]) -> set[tuple[Value, Value]]:
    """The edges, as (node, input), beside which another way leads from the node to its input."""
    routes: dict[tuple[Value, Value], set[tuple[object, ...]]] = {}
    for path in paths:
        steps = list(zip(path.nodes, path.positions, strict=False))
        for i in range(len(steps)):
            for j in range(i, len(steps)):
                routes.setdefault((path.nodes[i], path.nodes[j + 1]), set()).add(tuple(steps[i : j + 1]))
    return {ends for ends, ways in routes.items() if len(ways) > 1}


# --- writing


class _Writer:
    """Writes a derivation, as text or as rows of LaTeX: ``definitions`` first, then the ``chain`` of equations."""

    def __init__(self, derivation: Derivation, order: Sequence[Value], names: dict[Value, str], *, latex: bool) -> None:
        self.root, self.leaf = derivation.root, derivation.leaf
        self.paths, self.value = derivation.paths, derivation.value
        self.names, self.latex = names, latex
        self.whole = self._partial(self.root, self.leaf)
        self.chain = self._chain()
        self.definitions = self._definitions(order)

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickle: what was written, without the graph."""
        return {"whole": self.whole, "chain": self.chain, "definitions": self.definitions}

    def _name(self, node: Value) -> str:
        name = one_line(self.names[node])
        return latex_name(name) if self.latex else name

    def _number(self, x: float) -> str:
        number = format_number(x)
        return latex_number(number) if self.latex else number

    def _numbers(self, path: Path) -> list[str]:
        """The local derivatives along a path; beside an inf, a 0 that makes the product 0 says why."""
        numbers = [self._number(slope) for slope in path.local]
        if path.contribution != path.contribution or math.isfinite(math.prod(path.local)):
            return numbers
        way = messages()["way-cut"]
        cut = rf"0\ (\text{{{way}}})" if self.latex else f"0 ({way})"
        return [cut if slope is CUT else n for slope, n in zip(path.local, numbers, strict=True)]

    def _partial(self, y: Value, x: Value) -> str:
        f, v = self._name(y), self._name(x)
        return rf"\frac{{\partial {f}}}{{\partial {v}}}" if self.latex else f"∂{f}/∂{v}"

    def _local(self, node: Value, position: int, marked: set[tuple[Value, Value]]) -> str:
        """The symbol of a local derivative."""
        x = node.inputs[position]
        symbol = self._partial(node, x)
        if (node, x) not in marked:
            return symbol
        way = messages()["way-input" if Counter(node.inputs)[x] > 1 else "way-direct"].format(k=position + 1)
        return rf"\left.{symbol}\right|_{{\text{{{way}}}}}" if self.latex else f"{symbol} ({way})"

    def _formula(self, node: Value, position: int) -> str:
        return partial_formula(
            SHEET[node.op], position, [self._name(n) for n in (node, *node.inputs)], latex=self.latex
        )

    def _definitions(self, order: Sequence[Value]) -> list[str]:
        """The numbers that are given, and each node along the paths as it was computed."""
        along = {node for path in self.paths for node in path.nodes[:-1]}
        if not along:
            return []
        needed = {x for node in along for x in node.inputs} - along
        given = [node for node in order if node in needed and node.op != CONSTANT]
        given.sort(key=lambda node: node is not self.leaf)  # the leaf first
        equals, comma, more = (" &= ", r",\quad ", r",\quad \ldots") if self.latex else (" = ", ", ", ", …")
        lines = []
        for k in range(0, min(len(given), LISTED), GIVEN):
            names = [self._name(x) for x in given[k : k + GIVEN]]
            numbers = [self._number(x.data) for x in given[k : k + GIVEN]]
            rest = [f"{name} = {number}" for name, number in zip(names[1:], numbers[1:], strict=True)]
            lines.append(comma.join([names[0] + equals + numbers[0], *rest]))
        lines[-1] += more * (len(given) > LISTED)
        for step in forward_steps(self.root):
            if step.node in along:
                name = latex_name(self.names[step.node])
                lines.append(name + equals + step.latex.removeprefix(f"{name} = ") if self.latex else step.text)
        return [one_line(line) for line in lines]

    def _chain(self) -> list[str]:
        """The equations, one line per path unless all fit into one; a side that says nothing new is left out."""
        equals, plus, more = (" &= ", r" &\quad {}+ ", r" &\qquad {}") if self.latex else (" = ", "   + ", "     ")
        margin = "" if self.latex else " " * len(self.whole)
        lines: list[str] = []
        before = [self.whole]
        for joint, terms in self._sides():
            if sum(map(len, terms)) <= ROW:
                side = [" + ".join(map(joint.join, terms))]
            else:
                side = [
                    (more + joint.lstrip() if k else plus if i else "") + joint.join(factors[k : k + ROW])
                    for i, factors in enumerate(terms)
                    for k in range(0, len(factors), ROW)
                ]
            if side != before:
                lines.append((margin if lines else self.whole) + equals + side[0])
                lines += [margin + line for line in side[1:]]
            before = side
        return lines

    def _sides(self) -> list[tuple[str, list[list[str]]]]:
        """The right-hand sides: the sign between the factors, and for each path its factors."""
        dot, times, plus = (r" \cdot ", r" \times ", " + ") if self.latex else (" · ", " × ", " + ")
        value = (dot, [[self._number(self.value)]])
        edges = [list(zip(path.nodes, path.positions, strict=False)) for path in self.paths]
        if not any(edges):  # there is no path, or the root is the leaf
            return [value]
        marked = _ambiguous(self.paths)
        contributions = [_in_brackets(self._number(p.contribution), i > 0) for i, p in enumerate(self.paths)]
        return [
            (dot, [[self._local(*edge, marked) for edge in path] for path in edges]),
            (dot, _wrapped([[self._formula(*edge) for edge in path] for path in edges])),
            (times, _wrapped([self._numbers(path) for path in self.paths])),
            (plus, [contributions]),
            value,
        ]


def _wrapped(terms: list[list[str]]) -> list[list[str]]:
    """The factors of a sum of products, with brackets around those that would be misread without."""
    return [
        [_in_brackets(factor, i + k > 0, alone=len(factors) == 1) for k, factor in enumerate(factors)]
        for i, factors in enumerate(terms)
    ]


_INSIDE = re.compile(r"\([^()]*\)|\{[^{}]*\}|\[[^\[\]]*\]")
_LOOSE = re.compile(r" [+−-] | if |\\(?:ln|sin|cos|operatorname)\b|\b(?:log|sign) ")


def _in_brackets(factor: str, follows: bool, *, alone: bool = True) -> str:
    """The factor in brackets, if it is a negative one that ``follows`` a sign, or a sum beside other factors."""
    outside, shorter = factor, _INSIDE.sub("", factor)
    while shorter != outside:
        outside, shorter = shorter, _INSIDE.sub("", shorter)
    needed = (follows and factor.startswith(("−", "-"))) or " if " in outside or (not alone and _LOOSE.search(outside))
    return f"({factor})" if needed else factor
