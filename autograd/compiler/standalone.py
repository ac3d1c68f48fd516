"""A program as a file of its own: it says what it computes, and runs with NumPy alone.

The text of a program mentions words and arrays that are not in it. Here they are put in front of it: what it imports
from NumPy, the functions that NumPy does not have (`words`), and arrays of numbers, as a formula where they are
regular. For the two neurons, that is a heading, and

    from numpy import concatenate, sum, tanh
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import words
from .plan import Plan
from .write import Text

Numbers = NDArray[Any]
WIDTH = 120
THEIRS = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2"}  # NumPy's names, before its second


def standalone(plan: Plan, text: Text) -> str:
    """The text of a file with this program of a plan on arrays."""
    constants = {
        name: as_text(array.astype(plan.dtype) if array.dtype.kind == "f" else array)
        for name, array in text.constants.items()
    }
    return complete(heading(plan), text.source, constants, np, words)


def complete(head: str, source: str, constants: dict[str, str], library: ModuleType, helpers: ModuleType) -> str:
    """A program with a heading and all that it needs: imports from a library, functions of ours, and constants."""
    used = _names(source)
    functions = [
        _plain(getattr(helpers, name)) for name in sorted(used) if name in vars(helpers) and not hasattr(library, name)
    ]
    lines = [f"{name} = {text}\n" for name, text in constants.items() if name in used]
    every = used.union(*map(_names, [*functions, *lines]))
    imports = ["import math\n"] * ("math" in every) + ["import numpy as np\n"] * ("np" in every)
    names = sorted(name for name in every - {"bool"} if name in THEIRS or hasattr(library, name))
    if names:
        theirs = THEIRS if library is np else {}
        listed = ", ".join(f"{theirs[name]} as {name}" if name in theirs else name for name in names)
        line = f"from {library.__name__} import {listed}\n"
        inner = textwrap.fill(listed + ",", WIDTH - 4, initial_indent="    ", subsequent_indent="    ")
        imports.append(line if len(line) <= WIDTH else f"from {library.__name__} import (\n{inner}\n)\n")
    top = "\n".join(part for part in (head, "".join(imports), "".join(lines)) if part)
    return top + "".join(f"\n\n{x}\n" for x in [*functions, source.rstrip()])


def heading(plan: Plan) -> str:
    """What a program computes, from what, and what it returns."""
    names = ", ".join(["theta", *plan.names])
    lines = [f"    theta: {len(plan.order):,} parameters, in the order of `step.parameters`."]
    lines += [
        f"    {name}: [{len(nodes)}, n], {_whole(plan, nodes)}a column for each of n samples."
        for name, nodes in zip(plan.names, plan.trace.arguments, strict=True)
    ]
    if plan.mean:
        what = "The mean of a loss over n samples, and its gradient"
        result = "the mean, and its gradient in the order of theta"
    else:
        what = f"{len(plan.outputs):,} outputs of a function, for each of n samples"
        result = f"[{len(plan.outputs)}, n], a column for each sample"
    return "\n".join(
        [
            f'"""{what}: program({names}).',
            "",
            "Written by the compiler of chainrule; it needs NumPy only.",
            "",
            *lines,
            "",
            f"Returns {result}.",
            '"""\n',
        ]
    )


def _whole(plan: Plan, nodes: Sequence[int]) -> str:
    """Which entries of an argument are whole numbers, and in which range."""
    counts = [plan.trace.indices.get(i, 0) for i in nodes]
    if not any(counts):
        return ""
    if len(set(counts)) == 1:
        return f"whole numbers 0 to {counts[0] - 1}, "
    told = [f"0 to {count - 1} in row {k}" for k, count in enumerate(counts) if count]
    return f"whole numbers {', '.join(told)}, "


def _names(source: str) -> set[str]:
    """The names that a text reads, and does not define itself."""
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for x in ast.walk(ast.parse(source)):
        if isinstance(x, ast.Name):
            found[isinstance(x.ctx, ast.Load)].add(x.id)
        elif isinstance(x, ast.arg):
            found[False].add(x.arg)
    return found[True] - found[False]


def _plain(function: Any) -> str:
    """The text of a function, without its annotations."""
    tree = ast.parse(inspect.getsource(function))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.returns = None
    for x in ast.walk(definition):
        if isinstance(x, ast.arg):
            x.annotation = None
    return ast.unparse(tree)


# --- arrays of numbers


def as_text(array: Numbers) -> str:
    """An array as Python text: a formula if there is one, or the shorter of a list of stretches and all numbers."""
    core = array  # without what repeats itself along an axis
    for axis in range(array.ndim):
        first = core.take([0], axis)
        core = first if (first == core).all() else core
    formula = _formula(array)
    if formula and array.size > 2:
        return formula
    found = [_stretches(array), _literal(array)]
    if core.size < array.size:
        inner = min(filter(None, [_formula(core), _literal(core)]), key=len)
        found.append(f"broadcast_to({inner}, {array.shape})")
    return min(filter(None, found), key=len)


def _formula(array: Numbers) -> str:
    """A triangle of True, or numbers in even steps along each axis; "" if it is neither."""
    small, text = array.squeeze(), ""
    if array.dtype.kind == "b" and small.ndim == 2:
        for turned, back in ((small, ""), (small.T, ".T")):
            shift = int(turned[0].sum()) - 1
            if np.array_equal(np.tri(turned.shape[0], turned.shape[1], shift, dtype=bool), turned):
                text = f"tri({', '.join(map(str, turned.shape))}{f', {shift}' if shift else ''}, dtype=bool){back}"
    if array.dtype.kind == "i" and small.ndim:
        low, first, terms = int(small.flat[0]), int(small.flat[0]), list[str]()
        for axis, size in enumerate(small.shape):
            step = int(small.take(1, axis).flat[0]) - first
            if step == 0:
                return ""
            high = low + step * (size - 1) + (1 if step > 0 else -1)
            told = [high] if low == 0 and step == 1 else [low, high] if step == 1 else [low, high, step]
            after = ", None" * (small.ndim - 1 - axis)
            terms.append(f"arange({', '.join(map(str, told))})" + (f"[:{after}]" if after else ""))
            low = 0
        text = " + ".join(terms)
        if not np.array_equal(eval(text, {"arange": np.arange}), small):
            return ""
        text = f"({text})" if len(terms) > 1 and small.shape != array.shape else text
    return text and text + (f".reshape({_sizes(array)})" if small.shape != array.shape else "")


def _sizes(array: Numbers) -> str:
    return ", ".join(map(str, array.shape)) or "()"


def _stretches(array: Numbers) -> str:
    """Numbers in steps as slices, r_[0:5, 7:9]."""
    if array.dtype.kind != "i" or array.size < 3:
        return ""
    flat = array.reshape(-1).tolist()
    parts: list[str] = []
    k = 0
    while k < len(flat):
        end, step = k + 1, flat[k + 1] - flat[k] if k + 1 < len(flat) else 0
        while step > 0 and end < len(flat) and flat[end] - flat[end - 1] == step:
            end += 1
        if end - k < 3:
            parts.append(str(flat[k]))
            k += 1
            continue
        parts.append(f"{flat[k]}:{flat[end - 1] + 1}" + (f":{step}" if step > 1 else ""))
        k = end
    seen = "" if array.ndim == 1 else f".reshape({_sizes(array)})"
    return f"r_[{_filled(parts)}]{seen}"


def _literal(array: Numbers) -> str:
    dtype = {"b": ", dtype=bool", "f": "" if array.dtype == np.float64 else f", dtype={array.dtype}"}
    flat = array.reshape(-1)
    entries = [str(int(x)) for x in flat] if array.dtype.kind == "b" else [repr(x) for x in flat.tolist()]
    seen = "" if array.ndim == 1 else f".reshape({_sizes(array)})"
    return f"array([{_filled(entries)}]{dtype.get(array.dtype.kind, '')}){seen}"


def _filled(entries: Sequence[str]) -> str:
    """Entries with commas, on as many lines as they need."""
    text = ", ".join(entries)
    if len(text) < WIDTH - 30:
        return text
    return "\n" + textwrap.fill(text, WIDTH - 4, initial_indent="    ", subsequent_indent="    ") + "\n"
