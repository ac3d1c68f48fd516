"""A wire carries one number, a weight has an owner, and each call of a model has a frame."""

from __future__ import annotations

import html
import random
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value, dot, maximum, scope, topological_order
from autograd.graph import input_places
from nn import MLP
from nn.layers import Layer
from nn.recurrent import LSTMCell, unroll
from viz import draw_graph, step_through
from viz.graph.arrange import ROOM, Arrangement, arrange, arrange_readable, junctions
from viz.graph.diagram import MANY_RESULTS, Diagram, build, candidates
from viz.graph.repetition import repetitions
from viz.graph.scopes import unsaid
from viz.live.scene import Scene

from .graphs import network
from .reading import read


def xor(samples: int = 4) -> Value:
    model = MLP(2, [2, 1], seed=0)
    corners = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)] * 3
    errors = [model([Value(a, "x0"), Value(b, "x1")]) - float(a != b) for a, b in corners[:samples]]
    loss = errors[0] ** 2
    for error in errors[1:]:
        loss = loss + error**2
    loss.backward()
    return loss


def lstm(steps: int = 3) -> Value:
    outputs, _ = unroll(LSTMCell(1, 2, seed=0), [Value(0.5 * t, f"x{t}") for t in range(steps)])
    f = outputs[-1][0] + outputs[-1][1]
    f.backward()
    return f


def arranged(root: Value, **options: object) -> tuple[Diagram, Arrangement]:
    diagram = build(root, **{"depth": "all", **options})  # type: ignore[arg-type]
    return diagram, arrange(diagram, fmt=".4g")


def split(results: int) -> Value:
    """A scope with so many results, each of which is used outside, twice."""
    x = Value(2.0, "x")
    with scope("split"):
        ys = [x * (k + 1.5) for k in range(results)]
    f = ys[0] * ys[0]
    for y in ys[1:]:
        f = f + y * y
    f.backward()
    return f


# --- wires


def test_a_box_with_several_results_has_a_wire_with_its_numbers_for_each() -> None:
    diagram, arrangement = arranged(split(3), depth=0)
    (i,) = [i for i, part in enumerate(diagram.parts) if part.kind == "folded"]
    box, shape = diagram.parts[i], arrangement.shapes[i]
    assert [(r.value, r.gradient) for r in box.results] == [("3", "6"), ("5", "10"), ("7", "14")]
    assert len(set(shape.exits)) == 3
    taps = Counter(source for part in diagram.parts for source in part.sources)
    assert {tap: n for (part, tap), n in taps.items() if part == i} == {0: 2, 1: 2, 2: 2}
    texts = [text.text for text in read(draw_graph(split(3), depth=0).svg).texts]
    assert {"3", "5", "7", "6", "10", "14"} <= set(texts)


def test_very_many_results_leave_as_one_bundle_that_says_so() -> None:
    def box(results: int) -> tuple[int, str]:
        (part,) = [part for part in build(split(results), depth=0).parts if part.kind == "folded"]
        return len(part.results), part.value

    assert box(MANY_RESULTS) == (MANY_RESULTS, "")
    assert box(MANY_RESULTS + 1) == (1, f"{MANY_RESULTS + 1} numbers")


@pytest.mark.parametrize("depth", [0, 1, "all"])
@pytest.mark.parametrize("make", [xor, lambda: lstm(2), lambda: network(4, 4, 1)])
def test_every_number_stands_at_a_wire_of_its_own(make: object, depth: int | str) -> None:
    diagram, arrangement = arranged(make(), depth=depth)  # type: ignore[operator]
    page = read(draw_graph(make(), depth=depth).svg)  # type: ignore[operator]
    numbers = [r for part in diagram.parts for r in part.results if r.node >= 0]
    assert len({r.node for r in numbers}) == len(numbers)
    bundles = sum(r.node < 0 for part in diagram.parts if part.kind == "folded" for r in part.results)
    assert Counter(text.kind for text in page.texts)["value"] == len(numbers) + bundles
    starts = {(round(r[0][0], 1), round(r[0][1], 1)) for r in arrangement.routes}
    used = {source for part in diagram.parts for source in part.sources}
    for i, k in used:  # each starts where its result leaves
        shape = arrangement.shapes[i]
        end = (arrangement.u[i] + shape.along, arrangement.v[i] + shape.exits[k])
        assert (round(end[0], 1), round(end[1], 1)) in starts


def test_wires_of_one_number_branch_at_a_dot_and_wires_that_cross_do_not() -> None:
    high, low, straight = (10.0, -20.0), (10.0, 20.0), (30.0, 0.0)
    up = [(0.0, 0.0), (5.0, 0.0), high, (30.0, -20.0)]
    down = [(0.0, 0.0), (5.0, 0.0), low, (30.0, 20.0)]
    later = [(0.0, 0.0), (5.0, 0.0), low, (20.0, 20.0), (25.0, 40.0), (30.0, 40.0)]
    flat = [(0.0, 0.0), straight]
    assert junctions([up]) == junctions([flat]) == []
    assert junctions([up, down]) == junctions([up, flat]) == [(5.0, 0.0)]
    assert sorted(junctions([up, down, later])) == [(5.0, 0.0), (20.0, 20.0)]
    x, y, z = (Value(1.0, name) for name in "xyz")
    _, arrangement = arranged(dot([x, y, z, x], [y, z, x, y]))
    assert arrangement.crossings > 0
    assert len(arrangement.junctions) == 3  # each of them has several ends, and they part right behind the number
    assert not arranged((x + y) * z)[1].junctions


def test_a_player_shows_the_numbers_of_every_result_of_a_folded_box() -> None:
    player = step_through(split(2), depth=0)
    first, last = (html.unescape(re.sub("<[^>]*>", " ", player.frames[k].svg)) for k in (0, -1))
    assert re.search(r"\b3\b.*\b5\b", last) and not re.search(r"\b3\b", first)


# --- calls


def call_frames(root: Value) -> list[str]:
    return [frame.title for frame in arranged(root)[1].frames if "call" in frame.title]


def test_each_call_of_a_model_has_a_frame() -> None:
    assert call_frames(xor()) == ["call 1", "call 2", "call 3", "call 4"]
    diagram, arrangement = arranged(xor())
    frames = {frame.path for frame in arrangement.frames}
    for k in range(1, 5):
        assert {(f"call {k}", "layers.0", f"neurons.{j}") for j in (0, 1)} <= frames
    assert Counter(part.scope[0] for part in diagram.parts if part.scope) == {f"call {k}": 14 for k in range(1, 5)}


def test_one_call_has_no_frame_however_its_results_are_used() -> None:
    layer = Layer(2, 3, "tanh", seed=0)
    one, two = Value(1.0, "a"), Value(2.0, "b")
    a, b, c = layer([one, two])
    assert not call_frames(a * b + c)
    assert not call_frames(xor(1))
    assert not call_frames(lstm())
    d, e, f = layer([two, one])
    assert call_frames(a * b + c + d * e * f) == ["call 1", "call 2"]


def test_calls_are_the_outermost_level_of_folding() -> None:
    boxes = [part.lines[0] for part in build(xor(), depth=0).parts if part.kind == "folded"]
    assert [line for line in boxes if line.startswith("call")] == ["call 1", "call 2", "call 3", "call 4"]
    assert sorted(line for line in boxes if not line.startswith("call")) == ["layers.0", "layers.1"]


# --- owners


@pytest.mark.parametrize("make", [xor, lstm, lambda: MLP(3, [4, 4, 1], seed=0)([1.0, 2.0, 3.0])])
def test_every_parameter_is_told_by_its_frames_and_the_path_before_its_name(make: object) -> None:
    diagram, arrangement = arranged(make())  # type: ignore[operator]
    frames = {frame.path for frame in arrangement.frames}
    told = []
    for part, shape in zip(diagram.parts, arrangement.shapes, strict=True):
        if part.is_parameter:
            told.append((part.scope, shape.owner, part.name))
            assert shape.owner or (part.scope == part.owner and part.scope in frames)
    assert told
    assert len(set(told)) == len(told)


def test_a_parameter_that_time_steps_share_stands_between_their_frames_under_its_owner() -> None:
    diagram, arrangement = arranged(lstm())
    shared = [(p.scope, s.owner) for p, s in zip(diagram.parts, arrangement.shapes, strict=True) if p.is_parameter]
    assert len(shared) == 32
    assert {scope for scope, _ in shared} == {()}
    owners = [f"{gate}.neurons.{k}." for gate in ("input", "forget", "content", "output") for k in (0, 1)]
    assert Counter(owner for _, owner in shared) == dict.fromkeys(owners, 4)
    frames = {frame.path for frame in arrangement.frames}
    assert {(f"time.{t}",) for t in range(3)} <= frames
    assert {("time.1", gate) for gate in ("input", "forget", "content", "output")} <= frames
    assert "output.neurons.1." in draw_graph(lstm(2), depth=3).svg


def test_frames_are_not_repeated_in_an_owner() -> None:
    path = ("layers.0", "neurons.1")
    assert unsaid(path, ()) == path
    assert unsaid(path, path) == ()
    assert unsaid(path, ("layers.0",)) == ("neurons.1",)
    assert unsaid(path, ("call 1", "layers.0")) == ("neurons.1",)
    assert unsaid(("cell", "gate", "neurons.0"), ("time.0", "gate", "neurons.0")) == ()
    assert unsaid(path, ("layers.1", "neurons.0")) == path


# --- how much is opened


def squared_errors(n: int, more: float = 0.0) -> Value:
    w, b = Value(0.5, "w"), Value(0.1, "b")
    loss = sum(((w * Value(k / 10) + b - k / 7) ** 2 for k in range(n)), start=0.0)
    loss = loss + more * w if more else loss
    assert isinstance(loss, Value)
    loss.backward()
    return loss


def size(root: Value, **options: object) -> tuple[float, float]:
    page = read(draw_graph(root, **options).svg)  # type: ignore[arg-type]
    return page.width, page.height


@pytest.mark.parametrize(
    "make",
    [
        xor,
        lambda: lstm(2),
        lambda: network(4, 4, 1, inputs=3),
        lambda: squared_errors(50),
        lambda: xor(6),
        lambda: lstm(12),
        lambda: chain(60),
        lambda: without_repetition(60),
        lambda: written_out(20),
        lambda: sum([Value(0.1 * k, f"a{k}") for k in range(100)], start=Value(0.0)),
        lambda: maximum(*[Value(0.1 * k, f"a{k}") for k in range(40)]),
        lambda: dot([Value(0.1 * k, f"a{k}") for k in range(30)], [Value(k, f"b{k}") for k in range(30)]),
    ],
)
def test_what_auto_opens_fits_on_a_screen(make: object) -> None:
    width, height = size(make())  # type: ignore[operator]
    assert width <= ROOM[0] + 40 and height <= ROOM[1] + 80  # with the margin, and a note
    width, height = size(make(), depth="all")  # type: ignore[operator]
    assert width > ROOM[0] or height > ROOM[1]


@pytest.mark.parametrize("widths", [[4] * 15, range(3, 15)], ids=["of one form", "of many forms"])
def test_networks_of_many_layers_fit_on_a_screen(widths: list[int]) -> None:
    width, height = size(network(*widths, 1))
    assert width <= ROOM[0] + 40 and height <= ROOM[1] + 80


def test_auto_opens_as_much_as_fits() -> None:
    root = network(2, 1)
    opened = [draw_graph(root, depth=depth).svg for depth in (0, 1, "all")]
    fits = [width <= ROOM[0] and height <= ROOM[1] for width, height in (size(root, depth=d) for d in (0, 1, "all"))]
    assert draw_graph(root).svg == opened[max(k for k in range(3) if fits[k])]


def test_a_scope_that_holds_every_operation_stays_open() -> None:
    assert not any(part.kind == "folded" for part in build(network(1, inputs=9)).parts)
    parts = arrange_readable(network(1, inputs=9), 200, fmt=".4g")[0].parts
    assert sum(part.kind == "gate" for part in parts) >= 5, "too wide to be seen whole, but no single box"


def chain(length: int) -> Value:
    y = Value(0.5, "x")
    for _ in range(length):
        y = y.tanh()
    return y


def without_repetition(length: int) -> Value:
    choice, y = random.Random(0), Value(0.5, "x")
    for _ in range(length):
        y = choice.choice([y.tanh(), y.exp(), y * 0.5, y + 1, y * Value(0.3, "w")])
    return y


def written_out(steps: int, first: bool = True) -> Value:
    """A recurrent neuron in a loop; its first step may have no state yet."""
    w, u, b, h = Value(0.5, "w"), Value(0.3, "u"), Value(0.1, "b"), Value(0.0, "h")
    for t in range(steps):
        x = Value(0.1 * t, f"x{t}")
        h = (w * x + u * h + b).tanh() if t or first else (w * x + b).tanh()
    return h


def drawn(root: Value) -> Diagram:
    return arrange_readable(root, 200, fmt=".4g")[0]


def boxes(root: Value) -> list[tuple[str, ...]]:
    return [part.lines for part in drawn(root).parts if part.lines]


def test_of_many_time_steps_the_first_and_the_last_are_drawn_and_the_others_are_one_box() -> None:
    def steps(root: Value) -> list[tuple[str, ...]]:
        return [lines[:2] for lines in boxes(root) if lines[0].startswith("time")]

    folded = "time.1 … time.10", "10 × the same form"
    outputs, _ = unroll(LSTMCell(1, 1, seed=0), [Value(0.5 * t, f"x{t}") for t in range(12)])
    assert steps(outputs[-1][0]) == [("time.0", "4 parts"), folded, ("time.11", "4 parts")]
    assert steps(lstm(12)) == [("time.0", "4 parts"), ("time.1 … time.11", "11 × the same form")], "both are too wide"


def test_of_a_loop_that_was_written_out_the_first_step_is_drawn_with_what_belongs_to_it_alone() -> None:
    diagram = drawn(written_out(12))
    assert [part.symbol for part in diagram.parts if part.symbol] == ["×", "×", "+", "+", "tanh"]
    assert boxes(written_out(12)) == [("11 more steps", "each  ×,  ×,  +,  +,  …", "66 nodes")]
    assert {part.name for part in diagram.parts if part.kind == "input"} == {"w", "u", "b", "h", "x0"}
    assert boxes(written_out(12, first=False)) == boxes(written_out(11)), "the step out of the ordinary stays"
    symbols = Counter(part.symbol for part in drawn(written_out(12, first=False)).parts if part.symbol)
    assert symbols == {"×": 3, "+": 3, "tanh": 2}
    assert boxes(chain(60)) == [("58 × tanh", "58 nodes")]


@given(st.integers(4, 30), st.lists(st.sampled_from("+*tes"), min_size=1, max_size=6), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_any_loop_is_folded_into_whole_steps_in_order(steps: int, body: list[str], before: int) -> None:
    w, y = Value(0.5, "w"), Value(0.1, "x")
    for _ in range(before):
        y = y.relu()
    for _ in range(steps):
        for op in body:
            y = {"+": y + w, "*": y * w, "t": y.tanh(), "e": y.exp(), "s": y.sigmoid()}[op]
    for diagram in candidates(y, to_fit=True):
        assert sum(part.kind == "gate" for part in diagram.parts) + hidden_operations(diagram, y) == (
            before + steps * len(body)
        )
        assert all(source < i for i, part in enumerate(diagram.parts) for source in part.inputs)
    assert len(drawn(y).parts) <= 40 and drawn(y).parts[-1].is_root


def hidden_operations(diagram: Diagram, root: Value) -> int:
    order = topological_order(root)
    folded = {k for k, part in enumerate(diagram.parts) if part.kind == "folded"}
    return sum(bool(node.inputs) and diagram.part_of[i] in folded for i, node in enumerate(order))


def test_operations_of_one_kind_that_do_not_follow_each_other_are_no_steps() -> None:
    xs = [Value(float(k), f"x{k}") for k in range(8)]
    products = [xs[k] * xs[(3 * k + 1) % 8] for k in range(8)]
    f = products[0]
    for k, product in enumerate(products[1:]):
        f = [f - product, f / product, product - f, f**product][k % 4]
    assert not any(
        part.lines for diagram in candidates(f, to_fit=True) if not diagram.is_summary for part in diagram.parts
    )


@pytest.mark.parametrize("make", [lambda: chain(60), lambda: written_out(12), lambda: without_repetition(40)])
def test_in_a_live_page_what_is_folded_opens_by_a_click_and_closes_again(make: object) -> None:
    root = make()  # type: ignore[operator]
    scene = Scene(root, topological_order(root), "auto")
    first = scene.views[scene.start]
    folded = {k for k, part in enumerate(drawn(root).parts) if part.kind == "folded"}
    assert folded and first["opens"].keys() == folded
    for opened in first["opens"].values():
        assert opened == first["unfolds"] and scene.views[opened]["folds"] == scene.start
        assert len(set(scene.views[opened]["partOf"]) - {-1}) == len(build(root, depth="all").parts)


def test_of_layers_of_one_form_the_first_is_drawn_and_layers_of_other_widths_are_not_folded_with_them() -> None:
    named = [lines[0] for lines in boxes(network(*[4] * 15, 1))]
    assert named == ["layers.0", "layers.1", "layers.2 … layers.14", "layers.15"]
    assert not any(" … " in lines[0] for lines in boxes(network(*range(3, 20), 1)))


def test_many_leaves_that_are_added_up_are_one_box() -> None:
    root = sum([Value(0.1 * k, f"a{k}") for k in range(100)], start=Value(0.0, "s"))
    assert boxes(root) == [("+ 100 more", "101 × the same form", "200 nodes")]


def test_what_is_too_large_and_does_not_repeat_itself_is_drawn_from_its_end() -> None:
    diagram = drawn(without_repetition(60))
    first = diagram.parts[0]
    assert diagram.is_summary and first.lines[0].endswith("nodes")
    assert len(diagram.parts) > 5 and "depth='all') opens everything" in diagram.note


def test_of_fifty_squared_errors_the_first_is_drawn_and_the_others_are_one_box() -> None:
    *_, last = candidates(squared_errors(50))
    assert [part.lines for part in last.parts if part.lines] == [("+ 49 more", "50 × the same form", "295 nodes")]
    assert [part.symbol for part in last.parts if part.symbol] == ["×", "+", "−0", "x²"]
    (box,) = [part for part in last.parts if part.lines]
    assert box.is_root and {last.parts[i].name for i in box.inputs} == {"w", "b", ""}
    assert "depth='all') opens everything" in last.note
    assert not any(part.lines for part in build(squared_errors(50), depth="all").parts)


def test_terms_of_another_form_stay_outside_of_a_repetition() -> None:
    root = squared_errors(5, more=2.0)
    (one,) = repetitions(*graph(root))
    assert (one.symbol, one.terms) == ("+", 5)
    inside = {id(graph(root)[0][i]) for i in one.hidden}
    assert id(root.inputs[1]) not in inside


@pytest.mark.parametrize(
    "make",
    [
        lambda x, y: x[0] * y[0] + x[1] * y[1],  # two are no repetition
        lambda x, y: (x[0] * y[0] + x[1].tanh()) + y[1] ** 2,
        lambda x, y: x[0] ** 2 + x[1] ** 3 + y[0] ** 4,
        lambda x, y: (x[0] * y[0] - x[1] * y[1]) - x[0] * y[1],  # a difference has an order
        lambda x, y: x[0] + x[1] + y[0] + y[1],  # leaves are no terms to look into
    ],
)
def test_what_is_no_repetition_is_not_folded(make: object) -> None:
    x, y = [Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]
    assert repetitions(*graph(make(x, y))) == []  # type: ignore[operator]


def graph(root: Value) -> tuple[list[Value], list[tuple[int, ...]]]:
    order = topological_order(root)
    return order, input_places(order)


def test_products_and_maxima_repeat_as_sums_do_and_none_is_counted_twice() -> None:
    xs = [Value(float(k)) for k in range(4)]
    a, b = xs[0] * xs[1], xs[1] * xs[2]
    product = (xs[0] + 1) * (xs[1] + 2) * (xs[2] + 3) * (xs[3] + 4)
    (one,) = repetitions(*graph(product.tanh()))
    assert (one.symbol, one.terms) == ("×", 4)
    shared = a * a + b + a  # a is used twice: it belongs to no single term
    assert repetitions(*graph(shared)) == []


def test_in_a_very_long_graph_no_time_steps_are_looked_for_but_its_end_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def drawn() -> Diagram:
        y = Value(0.5, "x")
        for _ in range(100):
            y = (y * 1.01 + 0.1).tanh()
        return next(candidates(y, to_fit=True, max_nodes=30))

    assert any("steps" in line for part in drawn().parts for line in part.lines)
    monkeypatch.setattr("viz.graph.diagram.LONGEST", 300)
    assert drawn().is_summary
