"""The derivative sheet as a page: each operation of `autograd.SHEET` with formulas, source and a small picture."""

from __future__ import annotations

import inspect
import math
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import themes
import words
from formulas import mathml as formula

import autograd.ops
from autograd import SHEET, Op, Value
from autograd.value import record
from viz import draw_graph
from viz.markup import DARK, LIGHT
from viz.metrics import FONT

Say = Callable[[str], str]  # from English words to those of a page


def page(made: dict[str, str | bytes], say: Say = str) -> str:
    """The page, in the words that ``say`` gives for English ones; its pictures are added to the files that are made."""
    head = [say(words.SHEET_TITLE), "", say(words.SHEET_HEAD), "", say(words.SHEET_PLOTS), ""]
    rows, parts = [say(words.SHEET_TABLE), "|---|---|---|---|"], []
    for op in built_in():
        names = _names(op)
        value = f"{mathml('y = ' + op.latex.format(**names))}"
        slopes = [mathml(rf"\frac{{\partial y}}{{\partial {x}}} = {slope}") for x, slope in _slopes(op)]
        singular = _words(say(op.singular)) if op.singular else ""
        rows.append(f"| [`{op.name}`](#{op.name}) | {value} | {' '.join(slopes)} | {singular} |")
        made |= themes.both_themes(f"sheet/{op.name}.svg", picture(op))
        care = f"\n\n{say(words.SHEET_CARE).format(words=singular)}" if singular else ""
        parts.append(
            f"({op.name})=\n## {op.name}\n\n"
            f'<p class="formulas">{value} {" ".join(slopes)}</p>{care}\n\n'
            f"![{description(op, say)}](sheet/{op.name}.svg)\n\n"
            f"```python\n{source(op.name)}```\n"
        )
    return "\n".join([*head, *rows, "", *parts])


def built_in() -> list[Op]:
    """The lines of the sheet that come with the package, in its order."""
    return [op for op in SHEET.values() if op.name in autograd.ops.BUILT_IN]


def mathml(latex: str) -> str:
    """A formula as MathML, which browsers show without a script."""
    return formula(latex).replace("|", "&#124;")  # a bar would end the table's cell


def _words(text: str) -> str:
    """Words of the sheet in Markdown, to which its stars would mean something."""
    return text.replace("*", r"\*")


def _names(op: Op) -> dict[str, str]:
    """What the formulas call the inputs and the result."""
    if op.arity is None:
        return {"a": "x_i", "b": "w_i", "c": "", "y": "y"}
    called = list(inspect.signature(op.forward).parameters)
    if op.arity == 3:
        return dict(zip("abcy", (*called, "y"), strict=True))
    letters = ["x"] if op.arity == 1 else [rf"\{name}" if len(name) > 1 else name for name in called]
    return {"a": letters[0], "b": letters[-1], "c": "", "y": "y"}


def _slopes(op: Op) -> Iterator[tuple[str, str]]:
    """Each input beside the local derivative by it."""
    names = _names(op)
    for input_, latex in zip((names["a"], names["b"], names["c"]), op.partial_latex, strict=False):
        yield input_, latex.format(**names)


def source(name: str) -> str:
    """The paragraph of the sheet's own source that is this line."""
    text = Path(autograd.ops.__file__).read_text(encoding="utf-8")
    found = re.search(rf'^    Op\(\n        "{name}",.*?^    \),\n', text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise LookupError(f"autograd/ops.py has no paragraph for {name!r}")
    return textwrap.dedent(found[0]).removesuffix(",\n") + "\n"


# --- pictures


def description(op: Op, say: Say = str) -> str:
    """The picture in words."""
    if op.arity == 1:
        value, slope = (text.format(a="x", b="", y="y") for text in (op.formula, op.partial_formulas[0]))
        return say(words.SHEET_PLOT).format(value=value, slope=slope)
    return say(words.SHEET_GRAPH).format(name=op.name)


def picture(op: Op) -> str:
    """A plot of an operation on one input; the graph of any other."""
    if op.arity == 1:
        return plot(op.forward, lambda x: op.partials(op.forward(x), x)[0])
    letters = ("a", "b") if op.arity == 2 else ("x0", "x1", "w0", "w1") if op.name == "dot" else ("x0", "x1", "x2")
    letters = ("c", "a", "b") if op.name == "where" else letters
    y = record(op.name, *(Value(float(3 - i), label=name) for i, name in enumerate(letters)))
    y.label = "y"
    y.backward()
    return draw_graph(y, local=True).svg


WIDTH, HEIGHT, REACH, TOP = 300.0, 230.0, 4, 3  # x from -4 to 4, y from -3 to 3


def plot(value: Callable[[float], float], slope: Callable[[float], float]) -> str:
    """A small plot of a function and its derivative."""
    grid = [f"M{_x(k):g},{_y(-TOP):g}V{_y(TOP):g}" for k in range(-REACH, REACH + 1)]
    grid += [f"M{_x(-REACH):g},{_y(k):g}H{_x(REACH):g}" for k in range(-TOP, TOP + 1)]
    axes = f"M{_x(-REACH):g},{_y(0):g}H{_x(REACH):g}M{_x(0):g},{_y(-TOP):g}V{_y(TOP):g}"
    numbers = [(f"{k}".replace("-", "−"), _x(k), _y(0) + 12) for k in (-4, -2, 2, 4)]
    numbers += [(f"{k}".replace("-", "−"), _x(0) - 10, _y(k)) for k in (-2, 2)]
    marks = "".join(f'<text x="{x:g}" y="{y:g}">{text}</text>\n' for text, x, y in numbers)

    def rules(c: dict[str, str]) -> str:
        return (
            f".card{{fill:{c['card']};stroke:{c['edge']}}}.grid{{stroke:{c['edge']};fill:none}}"
            f".axes{{stroke:{c['muted']};fill:none}}text{{fill:{c['muted']};font:11px {FONT};text-anchor:middle;"
            f"dominant-baseline:central}}path{{stroke-linejoin:round}}.value{{stroke:{c['value']};fill:none;"
            f"stroke-width:2.5}}.slope{{stroke:{c['gradient']};fill:none;stroke-width:2;stroke-dasharray:6 4}}"
            f".dot{{fill:{c['gradient']};stroke:{c['card']}}}\n"
        )

    dots = "".join(f'<circle class="dot" cx="{_x(x):g}" cy="{_y(y):g}" r="4"/>\n' for x, y in _taken(slope))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH:g}" height="{HEIGHT:g}" '
        f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}">\n'
        f"<style>\n{rules(LIGHT)}@media (prefers-color-scheme:dark){{\n{rules(DARK)}}}\n</style>\n"
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1:g}" height="{HEIGHT - 1:g}" rx="10"/>\n'
        f'<path class="grid" d="{"".join(grid)}"/>\n<path class="axes" d="{axes}"/>\n{marks}'
        f'<path class="value" d="{_line(value)}"/>\n<path class="slope" d="{_line(slope)}"/>\n{dots}</svg>\n'
    )


def _x(x: float) -> float:
    return round(16 + (x + REACH) * (WIDTH - 32) / (2 * REACH), 1)


def _y(y: float) -> float:
    return round(16 + (TOP - y) * (HEIGHT - 32) / (2 * TOP), 1)


_SAMPLES = [k / 50 for k in range(-50 * REACH, 50 * REACH + 1)]
_JUMP = 0.4  # between neighbours that are 0.02 apart


def _line(f: Callable[[float], float]) -> str:
    """The points of a curve within the frame; it is broken where it leaves the frame or jumps."""
    path, before = "", math.nan
    for x in _SAMPLES:
        y = f(x)
        inside = abs(y) <= TOP  # not so for inf and nan
        if inside:
            path += f"{'L' if abs(y - before) < _JUMP else 'M'}{_x(x):g},{_y(y):g}"
        before = y if inside else math.nan
    return path


def _taken(f: Callable[[float], float]) -> Iterator[tuple[float, float]]:
    """The points at a jump."""
    for left, x, right in zip(_SAMPLES, _SAMPLES[1:], _SAMPLES[2:], strict=False):
        y = f(x)
        if x == 0.0 and abs(y) <= TOP and max(abs(y - f(left)), abs(y - f(right))) > _JUMP and abs(f(right)) <= TOP:
            yield x, y


__all__ = ["built_in", "page"]
