"""Where the parts stand: frames around scopes, room for every text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value, scope
from viz import draw_graph
from viz.graph.arrange import Arrangement, Frame, arrange
from viz.graph.diagram import Diagram, build

from .graphs import (
    SAMPLES,
    deep_scopes,
    in_a_circle,
    network,
    neuron,
    random_graphs,
    reused,
    within_each_other,
)
from .reading import outside, overlaps, read


def arranged(root: Value, rankdir: str = "LR", **options: object) -> tuple[Diagram, Arrangement]:
    diagram = build(root)
    return diagram, arrange(diagram, fmt=".4g", rankdir=rankdir, **options)  # type: ignore[arg-type]


def frames(root: Value) -> dict[str, Frame]:
    return {frame.title: frame for frame in arranged(root)[1].frames}


def holds(outer: Frame, u: float, v: float, along: float, across: float) -> bool:
    return (
        outer.u <= u
        and outer.v <= v
        and u + along <= outer.u + outer.along + 0.1
        and v + across <= outer.v + outer.across + 0.1
    )


@pytest.mark.parametrize("rankdir", ["LR", "TB", "RL", "BT"])
@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("name", SAMPLES)
def test_no_text_runs_into_another_text_or_a_gate(name: str, local: bool, rankdir: str) -> None:
    root = SAMPLES[name]()
    for depth in ("auto", 0) if name != "a summary" else ("auto",):
        page = read(draw_graph(root, rankdir=rankdir, local=local, depth=depth).svg)
        assert not overlaps(page)
        assert not outside(page)


@given(random_graphs(), st.sampled_from(["LR", "TB", "RL", "BT"]), st.booleans(), st.sampled_from([".4g", ".12f"]))
@settings(max_examples=60, deadline=None)
def test_no_text_runs_into_another_on_random_graphs(root: Value, rankdir: str, local: bool, fmt: str) -> None:
    page = read(draw_graph(root, rankdir=rankdir, local=local, fmt=fmt).svg)
    assert not overlaps(page)
    assert not outside(page)


@pytest.mark.parametrize("root", [neuron, within_each_other, reused, deep_scopes, lambda: network(3, 3, 1)])
def test_a_frame_holds_its_parts_and_no_others(root: Callable[[], Value]) -> None:
    diagram, arrangement = arranged(root())
    assert arrangement.frames
    for frame in arrangement.frames:
        for i, part in enumerate(diagram.parts):
            shape = arrangement.shapes[i]
            box = (arrangement.u[i], arrangement.v[i] - shape.across / 2, shape.along, shape.across)
            if part.scope[: len(frame.path)] == frame.path:
                assert holds(frame, *box)
            else:
                assert not (
                    box[0] < frame.u + frame.along
                    and frame.u < box[0] + box[2]
                    and box[1] < frame.v + frame.across
                    and frame.v < box[1] + box[3]
                )


def test_frames_stand_within_each_other() -> None:
    found = frames(within_each_other())
    assert set(found) == {"encoder", "attention", "perceptron"}
    for inner in ("attention", "perceptron"):
        f = found[inner]
        assert holds(found["encoder"], f.u, f.v, f.along, f.across)


def test_outer_frames_are_painted_before_inner_ones() -> None:
    paths = [frame.path for frame in arranged(network(3, 3, 1))[1].frames]
    assert [len(path) for path in paths] == sorted(len(path) for path in paths)


def test_a_layer_and_each_of_its_neurons_have_a_frame() -> None:
    assert set(frames(network(3, 1))) >= {"neurons.0", "neurons.1", "neurons.2", "layers.0"}


def test_a_scope_that_only_holds_another_shares_its_frame() -> None:
    assert set(frames(neuron())) == {"layers.0.neurons.0"}


def test_scopes_that_feed_each_other_have_no_frame() -> None:
    assert not arranged(in_a_circle())[1].frames


def test_a_scope_of_thirty_levels_is_framed_to_the_twelfth() -> None:
    found = arranged(deep_scopes(30))[1].frames
    assert 1 < len(found) <= 12
    assert max(len(frame.path) for frame in found) == 12


def test_every_wire_starts_and_ends_at_a_part_a_frame_or_another_wire() -> None:
    diagram, arrangement = arranged(network(3, 2))
    ends = set()
    for i, shape in enumerate(arrangement.shapes):
        ends.add((round(arrangement.u[i] + shape.along), round(arrangement.v[i])))
        ends |= {(round(arrangement.u[i]), round(arrangement.v[i] + port)) for port in shape.ports}
    for frame in arrangement.frames:
        ends |= {(round(frame.u), None), (round(frame.u + frame.along), None)}  # type: ignore[arg-type]
    touching = [(round(u), round(v)) for route in arrangement.routes for u, v in (route[0], route[-1])]
    count = sum(len(part.inputs) for part in diagram.parts)
    assert len(arrangement.routes) >= count
    for u, v in touching:
        known = any(abs(u - eu) <= 2 and (ev is None or abs(v - ev) <= 2) for eu, ev in ends)
        assert known or touching.count((u, v)) > 1 or sum(abs(u - a) <= 2 and abs(v - b) <= 2 for a, b in touching) > 1


def test_folded_boxes_have_one_width() -> None:
    root = network(12, 3)
    diagram = build(root, depth=1)
    shapes = arrange(diagram, fmt=".4g").shapes
    assert len({shape.along for shape in shapes if shape.part.kind == "folded"}) == 1


def test_a_scope_that_is_left_and_entered_again_is_not_one_box() -> None:
    x = Value(1.0, "x")
    with scope("cell"):
        a = x.tanh()
    b = a.exp()
    with scope("cell"):
        c = b + a
    assert not arranged(c)[1].frames


def test_scopes_that_feed_each_other_by_separate_ways_are_not_both_boxes() -> None:
    x, y = Value(1.0, "x"), Value(2.0, "y")
    with scope("left"):
        a = x.tanh()
    with scope("right"):
        b, c = a.exp(), y.exp()
    with scope("left"):
        d = c.tanh()
    root = b * d
    assert len(arranged(root)[1].frames) == 1
    page = read(draw_graph(root).svg)
    assert not overlaps(page)
