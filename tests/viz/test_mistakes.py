"""What people write first: each is one error, on one line, that says what to write instead."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
import viz
from autograd import Value, no_grad, parse
from nn import MLP
from viz import draw_derivation, draw_dot, draw_graph, draw_maps, step_maps, step_through

from .graphs import product_of_a_sum

F = product_of_a_sum()
MODEL = MLP(2, [2, 1], seed=0)
MAPS = [[1.0, 2.0], [3.0, 4.0]]
FUNCTIONS: list[Callable[..., Any]] = [draw_graph, step_through, draw_derivation]


def message(kind: type[Exception], mistake: Callable[[], object]) -> str:
    with pytest.raises(kind) as caught:
        mistake()
    told = str(caught.value)
    assert "\n" not in told and len(told) < 300
    return told


# --- what is no Value


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("x", "instead"),
    [
        (None, "but got None; backward() gives nothing back: call f.backward() first, and then {0}(f)"),
        (MODEL, "but got MLP; a model has a graph for each input: {0}(model(x)) takes that of its result"),
        (MLP, "but got type; MLP is a class: make one"),
        ("(x + y) * z", "makes one of a formula: {0}(parse('(x + y) * z', x=..., y=..., z=...))"),
        ("sigmoid(w0*x) + pi", "{0}(parse('sigmoid(w0*x) + pi', w0=..., x=...))"),
        ("g.svg", "the Value comes first, and .save writes the file: {0}(f).save('g.svg')"),
        (3.0, "but got float; a plain number has no history: begin with x = Value(3.0)"),
        (np.float64(2.0), "a plain number has no history"),
        ([F, F], "but got list; for several results draw one of them, or their sum"),
        (np.array([F, F]), "but got ndarray; for several results draw one of them, or their sum"),
        ({"f": F}, "but got dict; hand over one of the Values in it"),
        (lambda x: x * x, "but got function; a function has a graph for each input: {0}(f(x)), with x a Value"),
        (draw_graph(F), "but got Drawing; this is made already, and shows itself in a notebook"),
        (type("Value", (), {"__module__": "micrograd.engine"})(), "this is one of micrograd's"),
    ],
)
def test_what_is_no_value_is_told_what_to_hand_over(function: Callable[..., Any], x: Any, instead: str) -> None:
    assert instead.format(function.__name__) in message(TypeError, lambda: function(x))


def test_tensors_of_other_libraries_are_named() -> None:
    torch = pytest.importorskip("torch")
    assert "this is one of torch's" in message(TypeError, lambda: draw_graph(torch.tensor(1.0)))


@pytest.mark.parametrize("function", [step_through, draw_derivation])
def test_a_compiled_function_has_no_single_steps(function: Callable[..., Any]) -> None:
    step = autograd.compile(lambda a: a * a, 2.0)
    assert "a compiled function has arrays" in message(TypeError, lambda: function(step))
    assert draw_graph(step).svg


def test_what_the_messages_tell_to_write_works() -> None:
    x = Value(0.5, "x")
    drawn = [draw_graph(MODEL([x, 1.0])), draw_graph(parse("(x + y) * z", x=1, y=2, z=3)), step_through(x * x)]
    assert all(drawing._repr_mimebundle_() for drawing in drawn)


# --- arguments that a function does not have


@pytest.mark.parametrize(
    ("mistake", "instead"),
    [
        (lambda: draw_graph(F, "g.svg"), "got 'g.svg', too; it makes the picture, and draw_graph(root).save('g.svg')"),
        (lambda: draw_graph(F, Path("g.png")), "draw_graph(root).save('g.png') writes a file"),
        (lambda: draw_graph(F, "tb"), "options are given by name, such as draw_graph(root, rankdir='TB')"),
        (lambda: draw_graph(F, filename="g.pdf"), "no option filename='g.pdf'; it makes the picture, and draw_graph("
                                                  "root).save('g.pdf') writes a file"),
        (lambda: draw_graph(F, format="png"), "draw_graph(root).save('graph.svg') writes a file"),
        (lambda: draw_graph(F, view=True), "the last line of a cell is shown by itself; and draw_graph(root).save('"),
        (lambda: draw_graph(F, them="dark"), "draw_graph has no option them='dark'; did you mean 'theme'?"),
        (lambda: draw_graph(F, direction="TB"), "did you mean 'rankdir'?"),
        (lambda: draw_graph(F, digits=3), "did you mean 'fmt'?"),
        (lambda: draw_graph(F, zzz=1), "its options are rankdir, theme, background, fmt, show_grad, local, depth"),
        (lambda: draw_graph(), "draw_graph(root): missing a required argument: 'root'"),
        (lambda: draw_dot(F, filename="g"), "has no option filename='g'"),
        (lambda: step_through(F, "s.html"), "step_through(root).save('s.html') writes a file"),
        (lambda: step_through(F, rankdir="TB"), "its options are forward, backward, theme, depth"),
        (lambda: draw_derivation(F, wrt="x"), "did you mean 'leaf'?"),
        (lambda: draw_derivation(F, "x", "y"), "draw_derivation takes root and leaf by place and no more, but got 'y'"),
        (lambda: draw_derivation(F, filename="d.tex"), "draw_derivation(root).to_latex() is the text"),
        (lambda: draw_maps(MAPS, filter=MAPS), "did you mean 'kernel'?"),
        (lambda: step_maps(MAPS, kernel_size=2), "did you mean 'size'?"),
        (lambda: draw_graph(F).save("g.png", dpi=300), "save has no option dpi=300; did you mean 'scale'?"),
        (lambda: draw_graph(F).save(), "save(path): missing a required argument: 'path'"),
        (lambda: step_through(F).save("s.html", zoom=2), "save has no option zoom=2; its options are scale"),
    ],
)  # fmt: skip
def test_arguments_that_a_function_does_not_have_are_told_what_it_has(
    mistake: Callable[[], object], instead: str
) -> None:
    assert instead in message(TypeError, mistake)


@pytest.mark.parametrize(
    ("options", "near"),
    [
        ({"rankdir": "tb"}, "'TB'"),
        ({"rankdir": "Lr"}, "'LR'"),
        ({"theme": "Dark"}, "'dark'"),
        ({"engine": "DOT"}, "'dot'"),
    ],
)
def test_capital_and_small_letters_are_told_apart_kindly(options: dict[str, Any], near: str) -> None:
    assert message(ValueError, lambda: draw_graph(F, **options)).endswith(f"; did you mean {near}?")


def test_micrograds_own_call_is_taken_as_it_is() -> None:
    assert str(inspect.signature(draw_dot)).startswith(
        "(root: 'Value | Compiled[Any]', format: 'str' = 'svg', rankdir: 's"
    )
    assert draw_dot(F, "svg", "LR").svg == draw_dot(F, format="svg", rankdir="LR").svg == draw_graph(F).svg


# --- methods that a picture does not have


@pytest.mark.parametrize(
    ("picture", "page"),
    [
        (draw_graph(F), "graph.html"),
        (step_through(F), "steps.html"),
        (draw_maps(MAPS), "maps.html"),
        (step_maps(MAPS, size=1), "steps.html"),
    ],
)
def test_what_shows_itself_says_how(picture: Any, page: str, tmp_path: Path) -> None:
    for name in ("show", "view", "display"):
        told = message(AttributeError, lambda name=name: getattr(picture, name)())  # type: ignore[misc]
        assert f"a {type(picture).__name__} has no {name}: in a notebook it shows itself as the last line" in told
        assert f".save({page!r}) writes a page" in told
    assert picture.save(tmp_path / page).read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert ".save('" in message(AttributeError, lambda: picture.render("g"))
    assert "did you mean 'save'?" in message(AttributeError, lambda: picture.saves)


def test_a_derivation_says_that_it_is_text() -> None:
    derivation = draw_derivation(F, "x")
    assert "print(derivation) shows it" in message(AttributeError, lambda: derivation.show())
    for name in ("text", "latex", "render"):
        told = message(AttributeError, lambda name=name: getattr(derivation, name))  # type: ignore[misc]
        assert "str(derivation) is its text, .to_latex() is for a document" in told


def test_a_players_pictures_are_those_of_its_frames() -> None:
    assert "player.frames[0].svg" in message(AttributeError, lambda: step_through(F).svg)


@pytest.mark.parametrize("picture", [draw_graph(F), step_through(F), draw_derivation(F, "x")])
def test_pictures_can_still_be_asked_and_copied(picture: Any) -> None:
    assert not hasattr(picture, "_repr_png_") and not hasattr(picture, "__array__")
    assert repr(copy.copy(picture)) == repr(picture)
    assert repr(copy.deepcopy(picture)) == repr(picture)


# --- plots


def test_an_activation_may_be_named() -> None:
    pytest.importorskip("matplotlib")
    one, other = viz.plot_activation("tanh"), viz.plot_activation(autograd.tanh)
    for named, given in zip(one.lines, other.lines, strict=True):
        np.testing.assert_array_equal(named.get_xydata(), given.get_xydata())
        assert named.get_label() == given.get_label() or named.get_label().startswith("_")
    assert viz.plot_activation("Linear").lines[1].get_label() == "Linear"


@pytest.mark.parametrize(
    ("kind", "f", "instead"),
    [
        (ValueError, "tahn", "'tahn' is no operation of one number; did you mean 'tanh'?; those are abs, acos, "),
        (ValueError, "swish", "and f may be any function of one Value"),
        (TypeError, MLP, "MLP is a class: make one, MLP()"),
        (TypeError, 3.0, "a function of one Value, such as autograd.tanh or 'tanh', but got 3.0"),
    ],
)
def test_what_is_no_activation_is_told_what_is_one(kind: type[Exception], f: Any, instead: str) -> None:
    pytest.importorskip("matplotlib")
    assert instead in message(kind, lambda: viz.plot_activation(f))


def test_plots_are_told_what_options_there_are() -> None:
    pytest.importorskip("matplotlib")
    assert "did you mean 'interval'?" in message(TypeError, lambda: viz.plot_activation("tanh", xlim=(0, 1)))
    told = message(TypeError, lambda: viz.plot_history({"loss": [1.0]}, "h.png"))
    assert "plot_history(history).figure.savefig('h.png') writes a file" in told


def test_a_function_that_leaves_the_graph_is_told_so_and_a_step_is_drawn() -> None:
    pytest.importorskip("matplotlib")
    for f in (lambda z: z.data, lambda z: math.tanh(z.data)):
        assert "so their slope is lost" in message(TypeError, lambda f=f: viz.plot_activation(f))
    for step in (lambda z: z > 0.5, lambda z: 3, lambda z: float(round(z.data))):
        *_, slope = viz.plot_activation(step).get_lines()
        assert {y for y in slope.get_ydata() if math.isfinite(y)} == {0.0}


def test_a_function_that_no_grad_cut_off_is_told_so_and_not_drawn_flat() -> None:
    pytest.importorskip("matplotlib")
    assert "inside no_grad()" in message(RuntimeError, lambda: viz.plot_activation(no_grad()(lambda z: z * z)))
