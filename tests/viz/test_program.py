"""The drawing of a compiled function: its arrays, their shapes, and the names of their gradients."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import autograd
from autograd import Value, logsumexp, where
from viz import draw_dot, draw_graph
from viz.checks import RANKDIRS, THEMES, is_program
from viz.graph import program as module
from viz.graph.arrange import arrange
from viz.graph.diagram import Diagram, Part
from viz.graph.svg import render

from .graphs import product_of_a_sum
from .reading import outside, overlaps, read

Numbers = Sequence[Any]


def parameters(*shape: int) -> Any:
    if not shape:
        return Value(random.Random(0).uniform(-1, 1))
    return [parameters(*shape[1:]) for _ in range(shape[0])]


def dense(w: Numbers, b: Numbers, x: Numbers) -> list[Any]:
    return [sum((p * v for p, v in zip(row, x, strict=True)), bias) for row, bias in zip(w, b, strict=True)]


def cross_entropy(z: Numbers, y: Numbers) -> Any:
    return logsumexp(z) - sum(t * v for t, v in zip(y, z, strict=True))


def digits(inputs: int = 64, hidden: int = 32, classes: int = 10) -> tuple[Any, Any]:
    w1, b1, w2, b2 = parameters(hidden, inputs), parameters(hidden), parameters(classes, hidden), parameters(classes)

    def model(x: Numbers) -> list[Any]:
        return dense(w2, b2, [v.tanh() for v in dense(w1, b1, x)])

    x = [0.1 * k for k in range(inputs)]
    return autograd.compile(
        lambda x, y: cross_entropy(model(x), y), x, [1.0] + [0.0] * (classes - 1)
    ), autograd.compile(model, x)


def residual() -> Any:
    blocks = [(parameters(8, 8), parameters(8)) for _ in range(3)]
    w, b = parameters(3, 8), parameters(3)

    def loss(x: Numbers, y: Numbers) -> Any:
        for weights, bias in blocks:
            x = [v + r.relu() for v, r in zip(x, dense(weights, bias, x), strict=True)]
        return cross_entropy(dense(w, b, x), y)

    return autograd.compile(loss, [0.1 * k for k in range(8)], [1.0, 0.0, 0.0])


def recurrent() -> Any:
    wx, wh, b, v, c = parameters(4, 3), parameters(4, 4), parameters(4), parameters(2, 4), parameters(2)

    def loss(x: Numbers, y: Numbers) -> Any:
        h: list[Any] = [0.0] * 4
        for row in x:
            h = [(p + q).tanh() for p, q in zip(dense(wx, b, row), dense(wh, [0.0] * 4, h), strict=True)]
        return sum((a - t) ** 2 for a, t in zip(dense(v, c, h), y, strict=True))

    return autograd.compile(loss, [[0.1, 0.2, 0.3]] * 3, [1.0, 0.0])


def convolution() -> Any:
    kernels, w, b = parameters(2, 3, 3), parameters(3, 32), parameters(3)

    def loss(x: Any, y: Numbers) -> Any:
        maps = [
            sum(k[a][c] * x[i + a][j + c] for a in range(3) for c in range(3)).relu()
            for k in kernels
            for i in range(4)
            for j in range(4)
        ]
        return cross_entropy(dense(w, b, maps), y)

    return autograd.compile(loss, [[0.1 * (i + j) for j in range(6)] for i in range(6)], [1.0, 0.0, 0.0])


def irregular(count: int = 400) -> Any:
    weights = parameters(5)

    def f(x: Numbers) -> Any:
        choose = random.Random(1)
        made = [*x, *weights]
        for _ in range(count):
            a, b = choose.choice(made[-12:]), choose.choice(made)
            made.append(choose.choice([lambda a, b: a + b.tanh(), lambda a, b: a * b.sin(), lambda a, b: a - b])(a, b))
        return made[-1]

    return autograd.compile(f, [0.1, 0.2, 0.3])


SAMPLES: dict[str, Callable[[], Any]] = {
    "digits": lambda: digits()[0],
    "predictor": lambda: digits()[1],
    "residual": residual,
    "recurrent": recurrent,
    "convolution": convolution,
    "irregular": irregular,
}


def test_the_digits_network() -> None:
    diagram = module.build(digits()[0])
    shown = [(p.name, p.symbol, p.value, p.gradient, [diagram.parts[i].name for i in p.inputs]) for p in diagram.parts]
    assert shown == [
        ("x", "", "64×N", "", []),
        ("y", "", "10×N", "", []),
        ("w1", "", "32×64", "dw1", []),
        ("b1", "", "32", "db1", []),
        ("w2", "", "10×32", "dw2", []),
        ("b2", "", "10", "db2", []),
        ("z1", "@ +", "32×N", "dz1", ["w1", "x", "b1"]),
        ("h1", "tanh", "32×N", "", ["z1"]),
        ("z2", "@ +", "10×N", "dz2", ["w2", "h1", "b2"]),
        ("logsumexp_1", "LSE", "N", "", ["z2"]),
        ("mean(s1)", "× Σ −", "N", "", ["logsumexp_1", "y", "z2"]),
    ]
    assert [p.name for p in diagram.parts if p.is_parameter] == ["w1", "b1", "w2", "b2"]
    assert [p.name for p in diagram.parts if p.is_root] == ["mean(s1)"]
    assert diagram.note == "Inside their gates: t1, t2. draw_graph(…, depth='all') draws them."
    assert diagram.parts[6].tooltip == "z1 = w1 @ x + b1[:, None], 32×N, for 32 nodes; gradient dz1"
    assert diagram.parts[7].tooltip == "h1 = tanh(z1), 32×N, for 32 nodes (tanh)"


def test_the_picture_is_the_same_size_for_every_width() -> None:
    wide, narrow = (draw_graph(digits(*sizes)[0]).svg for sizes in ((64, 32, 10), (8, 4, 3)))
    assert len(read(wide).parts()) == len(read(narrow).parts()) == 11


def test_a_predictor_has_no_gradients() -> None:
    parts = module.build(digits()[1]).parts
    assert [p.name for p in parts] == ["x", "w1", "b1", "w2", "b2", "z1", "h1", "z2"]
    assert not any(p.gradient for p in parts)
    assert [p.name for p in parts if p.is_root] == ["z2"]


def test_every_result_is_marked_and_what_nothing_uses_is_left_out() -> None:
    w, unused = Value(2.0), Value(3.0)

    def f(x: Numbers, y: Any) -> Any:
        z = x[0] * w
        return [z, z.tanh()]

    parts = module.build(autograd.compile(f, [1.0, 2.0], 3.0, params=[w, unused])).parts
    assert [(p.name, p.symbol) for p in parts if p.is_root] == [("s1", "="), ("h1", "tanh")]
    assert [p.name for p in parts if p.kind == "input"] == ["x", "w1"]


def test_many_results() -> None:
    def f(x: Any) -> list[Any]:  # each number comes three times, so that they are no series that one array could hold
        return [g(x * (k + 0.5)) ** k for k in range(100) for g in (autograd.exp, autograd.tanh, autograd.sin)]

    step = autograd.compile(f, 1.0)
    svg = draw_graph(step).svg
    assert overlaps(read(svg)) == []
    assert "276 results" in svg


def test_depth_opens_the_helpers() -> None:
    step = digits()[0]
    opened = module.build(step, depth="all")
    assert [p.name for p in opened.parts][9:12] == ["t1", "t2", "logsumexp_1"]
    assert opened.note == ""
    assert module.build(step, depth=1) == module.build(step, depth=None) == opened
    assert module.build(step, depth=0) == module.build(step)


@pytest.mark.parametrize(
    ("f", "symbols"),
    [
        (lambda x, w: x[0] * w, ["×"]),
        (lambda x, w: x[0] * w - x[1], ["× −"]),
        (lambda x, w: (x[0] * x[0]).exp() * w, ["x²", "exp", "×"]),
        (lambda x, w: (x[0].exp() ** 3).sin() / w, ["exp", "x³", "sin", "÷"]),
        (lambda x, w: (w ** x[0]) ** -1, ["x^y", "x⁻¹"]),
        (lambda x, w: w.tanh() * 2.5, ["tanh", "×2.5", "="]),
        (lambda x, w: (x[0] * (-2 / 3)).exp() ** 0.5 * w, ["×−0.6667", "exp", "x^0.5", "×"]),
        (lambda x, w: (x[0] * w).sigmoid(), ["×", "σ"]),
        (lambda x, w: where(x[0] > x[1], w, x[0] * w), ["<", "×", "where"]),
        (lambda x, w: where((y := x[0].exp()) <= 2, w, y * w), ["exp", "≤ 2", "×", "where"]),
    ],
)
def test_symbols(f: Callable[[Any, Value], Value], symbols: list[str]) -> None:
    w = Value(2.0)
    parts = module.build(autograd.compile(lambda x: f(x, w), [0.5, 0.7], backend="numpy")).parts
    assert [p.symbol for p in parts if p.kind == "gate"] == symbols


def test_a_scaled_window_is_scaled_in_its_gate() -> None:
    """`x[0:4:2] * 2.5`: what a gate says follows from the statement, not from how its formula is spelt."""
    step = autograd.compile(lambda x: [(v * 2.5).exp() for v in x[::2]], [0.1] * 4, backend="numpy")
    assert [p.symbol for p in module.build(step).parts] == ["", "×2.5", "exp"]


def test_arrays_that_are_called_like_words_of_the_program() -> None:
    w = parameters(3)
    step = autograd.compile(
        lambda reshape, keepdims: sum(v * a for v, a in zip(w, reshape, strict=True)) * keepdims, [1.0] * 3, 2.0
    )
    gates = [p for p in module.build(step).parts if p.kind == "gate"]
    names = {p.name for p in module.build(step).parts}
    assert {"reshape_", "keepdims"} <= names and [p.symbol for p in gates] == ["@", "×"]


# --- the picture


@pytest.mark.parametrize("rankdir", RANKDIRS)
@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_overlaps(name: str, rankdir: str) -> None:
    page = read(draw_graph(SAMPLES[name](), rankdir=rankdir).svg)
    assert overlaps(page) == []
    assert outside(page) == []


def test_many_arrays_become_a_summary() -> None:
    step = irregular()
    drawing = draw_graph(step)
    page = read(drawing.svg)
    assert len(page.parts()) == 25
    (box,) = (t.text for t in page.texts if "folded-title" in t.kind)
    assert box.endswith(" arrays")
    total = int(box.split()[0]) + 24
    assert f"{box} folded. draw_graph(…, max_nodes={total}) draws all of them." in drawing.svg
    assert len(read(draw_graph(step, max_nodes=total).svg).parts()) == total
    assert len(read(draw_graph(step, depth="all").svg).parts()) >= total
    assert len(read(draw_graph(step, max_nodes=2).svg).parts()) == 2


@pytest.mark.parametrize("step", [digits(6, 4, 3)[0], residual()])
@pytest.mark.parametrize("limit", range(2, 12))
def test_a_summary_of_any_size(step: Any, limit: int) -> None:
    parts = module.build(step, max_nodes=limit).parts
    assert len(parts) == limit
    assert all(source < i for i, part in enumerate(parts) for source in part.inputs)
    assert all(len(set(part.inputs)) == len(part.inputs) == len(part.locals_) for part in parts)


def test_gradients_can_be_left_out() -> None:
    step = digits()[0]
    assert ">dw1<" in draw_graph(step).svg
    assert ">dw1<" not in draw_graph(step, show_grad=False).svg


def test_a_name_that_looks_like_nan_is_not_boxed() -> None:
    for gradient, boxed in (("dnan_rule_1", 0), ("dinfo", 0), ("−inf", 1), ("  NAN", 1)):
        diagram = Diagram([Part("gate", "a", "2×N", gradient, "f", "pill", is_root=True)])
        svg = render(diagram, arrange(diagram, fmt=".4g"), rankdir="LR", theme="light")
        assert svg.count('class="bad"') == boxed


def test_what_does_not_apply_is_refused_or_does_nothing() -> None:
    step = digits(3, 2, 2)[0]
    with pytest.raises(ValueError, match="local=True needs the graph of a Value"):
        draw_graph(step, local=True)
    assert draw_graph(step, fmt=".1f").svg == draw_graph(step).svg
    with pytest.raises(TypeError, match="draw_graph draws the graph of a Value"):
        draw_graph(lambda x: x)  # type: ignore[arg-type]


# --- the rest of a Drawing


def test_all_that_a_drawing_can_do(tmp_path: Path) -> None:
    step = digits()[0]
    drawing = draw_graph(step)
    assert repr(drawing) == "<Drawing of 13 arrays; .save('graph.svg') writes it to a file>"
    for ending in (".svg", ".html", ".dot"):
        assert "z1" in drawing.save(tmp_path / f"step{ending}").read_text("utf-8")
    source = drawing.to_dot().source
    assert source.count("->") == 11
    assert "dz1" in source and "32×N" in source
    assert drawing._repr_mimebundle_()["image/svg+xml"] == drawing.svg == draw_dot(step).svg
    assert "<title" in drawing.svg and "Computation graph of mean(s1)" in drawing.svg
    assert "13 arrays. x 64×N; y 10×N; w1 32×64 gradient dw1;" in drawing.svg
    assert len({draw_graph(step, theme=theme).svg for theme in THEMES}) == len(THEMES)


def test_the_table() -> None:
    lines = draw_graph(digits()[0]).to_text().splitlines()
    assert [line.split() for line in (lines[0], lines[2], lines[8], lines[11], lines[-1])] == [
        ["name", "op", "inputs", "shape"],
        ["x", "argument", "64×N"],
        ["z1", "@", "+", "w1,", "x,", "b1", "32×N"],
        ["t1", "max", "z2", "N"],
        ["dw1", "gradient", "dz1,", "x", "32×64"],
    ]
    assert len(lines) == 21
    assert len({len(line) for line in lines}) == 1


def test_drawing_does_not_change_the_program() -> None:
    step = digits(3, 2, 2)[0]
    batch = [[0.1, 0.2, 0.3]] * 2, [[1.0, 0.0]] * 2
    loss, gradient = step(*batch), step.gradient.copy()
    drawing = draw_graph(step)
    shown = drawing.svg, drawing.to_text()
    step.theta += 1.0
    assert (drawing.svg, drawing.to_text()) == shown
    step.theta -= 1.0
    assert step(*batch) == pytest.approx(loss)
    assert step.gradient == pytest.approx(gradient)


def test_drawing_values_needs_no_numpy() -> None:
    code = (
        "import sys; from autograd import Value; from viz import draw_graph; draw_graph(Value(1.0) + 2.0); "
        "sys.exit('numpy' in sys.modules or 'autograd.compiler.compiled' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
    assert not is_program(product_of_a_sum())
