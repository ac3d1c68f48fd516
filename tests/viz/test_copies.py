"""Pictures, players and derivations can be copied and pickled: the copy shows what the original shows."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import autograd as ag
from autograd import Value
from viz import draw_derivation, draw_graph, draw_maps, step_maps, step_through

WAYS: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]


def graph() -> Value:
    x, y = Value(2.0, "x"), Value(3.0, "y")
    f = (x * y).tanh() + x
    f.backward()
    return f


@pytest.mark.parametrize("way", WAYS)
def test_a_drawing_is_the_same_picture(way: Callable[[Any], Any]) -> None:
    f = graph()
    for drawing in (draw_graph(f), draw_graph(f, local=True, theme="dark", rankdir="TB")):
        twin = way(drawing)
        assert (twin.svg, twin.to_text(), repr(twin)) == (drawing.svg, drawing.to_text(), repr(drawing))
        assert twin.to_dot().source == drawing.to_dot().source
        assert twin._repr_mimebundle_() == drawing._repr_mimebundle_()


@pytest.mark.parametrize("way", WAYS)
def test_a_drawing_of_a_graph_too_deep_for_pickle_is_copied_with_its_table(way: Callable[[Any], Any]) -> None:
    y = Value(1.0, "x")
    for _ in range(25_000):
        y = -y
    drawing = draw_graph(y)
    assert drawing._table is None
    twin = way(drawing)
    assert twin.svg == drawing.svg
    assert twin.to_text() == drawing.to_text()


@pytest.mark.parametrize("way", WAYS)
def test_a_drawing_of_a_program_and_one_of_maps_are_the_same_picture(way: Callable[[Any], Any]) -> None:
    w = [Value(0.5), Value(-0.25)]
    step = ag.compile(lambda x: (w[0] * x[0] + w[1] * x[1]).tanh(), [1.0, 2.0])
    for drawing in (draw_graph(step), draw_maps([[1.0, 2.0], [3.0, 4.0]])):
        assert way(drawing).svg == drawing.svg


@pytest.mark.parametrize("way", WAYS)
def test_a_player_has_the_same_frames(way: Callable[[Any], Any]) -> None:
    for player in (step_through(graph()), step_maps([[1.0, 2.0], [3.0, 4.0]], kernel=[[1.0]])):
        twin = way(player)
        assert twin.to_html() == player.to_html()
        assert [f.svg for f in twin.frames] == [f.svg for f in player.frames]


@pytest.mark.parametrize("way", WAYS)
def test_a_derivation_keeps_its_words_and_has_a_graph_of_its_own(way: Callable[[Any], Any]) -> None:
    f = graph()
    derivation = draw_derivation(f, "x")
    derivation.leaf.data = 7.0  # it tells of the numbers as they were
    twin = way(derivation)
    assert (str(twin), twin.to_latex(), repr(twin)) == (str(derivation), derivation.to_latex(), repr(derivation))
    assert twin.value == derivation.value
    assert (twin.root.op, twin.leaf.label) == ("add", "x")
    assert [[x.op for x in path.nodes] for path in twin.paths] == [[x.op for x in p.nodes] for p in derivation.paths]
    assert all(path.nodes[0] is twin.root and path.nodes[-1] is twin.leaf for path in twin.paths)
    assert twin.root is not f
