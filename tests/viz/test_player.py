"""`step_through`: its frames, against the events that they show, and the files that it writes."""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given, settings

from autograd import (
    BackwardStep,
    Value,
    backward_steps,
    dumps,
    exp,
    format_number,
    forward_steps,
    leaves,
    no_grad,
    reciprocal,
    topological_order,
)
from viz import Player, explore, step_through
from viz.cli import main
from viz.graph.diagram import UNRECORDED
from viz.live.player import Frame
from viz.live.stepping import MAX_FRAMES

from .graphs import SAMPLES, chain, doubled, network, neuron, product_of_a_sum, random_graphs, tangle
from .reading import SVG


def by_hand() -> Value:
    """The sigmoid gate of the lecture, of six kinds of gates, and without a backward pass."""
    w0, x0, w1, x1, w2 = (Value(v, n) for n, v in {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}.items())
    return reciprocal(1 + exp(-(w0 * x0 + w1 * x1 + w2)))


def shown(frame: Frame) -> list[str]:
    """All texts of a frame's picture."""
    return ["".join(t.itertext()) for t in ET.fromstring(frame.svg).iter(f"{SVG}text")]


def data_of(player: Player) -> dict[str, object]:
    """What the page's script reads."""
    found = re.search('<script type="application/json">(.*?)</script>', player.to_html(), re.DOTALL)
    assert found
    data = json.loads(found[1])
    assert isinstance(data, dict)
    return data


def numbers_on(player: Player, k: int) -> list[list[str]]:
    """The texts of each part on frame ``k``, put together from the changes."""
    state: dict[int, str] = {}
    for frame in player.frames[: k + 1]:
        state.update(frame.changes)
    wrapped = f'<g xmlns="{SVG[1:-1]}">{{}}</g>'
    texts = []
    for i in range(1 + max(i for frame in player.frames for i in frame.changes)):
        markup = ET.fromstring(wrapped.format(state.get(i, "")))
        texts.append([(t.text or "") + "".join(s.tail or "" for s in t) for t in markup.iter(f"{SVG}text")])
    return texts


# --- the frames


def test_a_product_of_a_sum_step_by_step() -> None:
    player = step_through(product_of_a_sum())
    assert [f.kind for f in player.frames] == ["graph", "forward", "forward", "seed", *["backward"] * 4]
    assert len(player) == 8
    assert [f.text for f in player.frames] == [
        "x = −2, y = 5, z = −4",
        "q = x + y = −2 + 5 = 3",
        "f = q × z = 3 × (−4) = −12",
        "∂f/∂f = 1",
        "∂f/∂q += ∂f/∂f · ∂f/∂q = 1 × (−4) = −4",
        "∂f/∂z += ∂f/∂f · ∂f/∂z = 1 × 3 = 3",
        "∂f/∂x += ∂f/∂q · ∂q/∂x = −4 × 1 = −4",
        "∂f/∂y += ∂f/∂q · ∂q/∂y = −4 × 1 = −4",
    ]
    # x, y, q, z, f: the value and the gradient, "–" for what is not yet known
    pictures = [numbers_on(player, k) for k in (0, 1, 3, 5, 7)]
    assert pictures == [
        [["−2", "–"], ["5", "–"], ["–", "–"], ["−4", "–"], ["–", "–"]],
        [["−2", "–"], ["5", "–"], ["3", "–"], ["−4", "–"], ["–", "–"]],
        [["−2", "–"], ["5", "–"], ["3", "–"], ["−4", "–"], ["−12", "1"]],
        [["−2", "–"], ["5", "–"], ["3", "−4"], ["−4", "3"], ["−12", "1"]],
        [["−2", "−4"], ["5", "−4"], ["3", "−4"], ["−4", "3"], ["−12", "1"]],
    ]


@pytest.mark.parametrize("make", [product_of_a_sum, by_hand, neuron, doubled])
def test_one_frame_per_event_in_their_order_and_with_their_words(make: Callable[[], Value]) -> None:
    root = make()
    player = step_through(root)
    forward = [f for f in player.frames if f.kind == "forward"]
    backward = [f for f in player.frames if f.kind == "backward"]
    assert [f.steps for f in forward] == [(e,) for e in forward_steps(root)]
    assert [f.steps for f in backward] == [(e,) for e in backward_steps(root)]
    for frame in forward + backward:
        (event,) = frame.steps
        assert (frame.text, frame.words, frame.latex) == (event.text, event.words, event.latex)


@pytest.mark.parametrize("make", [by_hand, neuron, doubled])
def test_every_picture_shows_the_totals_so_far(make: Callable[[], Value]) -> None:
    root = make()
    player = step_through(root)
    order = [node for node in topological_order(root) if node.op != "const"]  # the parts: constants are in their gates
    total = {root: 1.0}
    for k, frame in enumerate(player.frames):
        if frame.kind != "backward":
            continue
        (event,) = frame.steps
        assert isinstance(event, BackwardStep)
        total[event.input] = event.total
        texts = numbers_on(player, k)
        for node, [value, gradient] in zip(order, texts, strict=True):
            assert value == format_number(node.data)
            assert gradient == (format_number(total[node]) if node in total else "–")
        assert sorted(t for part in texts for t in part) == sorted(
            t for t in (s.split("  ")[-1] for s in shown(frame)) if re.fullmatch(r"–|−?[\d.]+(e.\d+)?", t)
        )


def test_contributions_that_meet_are_counted_and_summed() -> None:
    first, second = step_through(doubled()).frames[-2:]
    assert first.note == "Contribution 1 of 2 to ∂b/∂a: 1"
    assert second.note == "Contribution 2 of 2 to ∂b/∂a: 1 + 1 = 2"
    assert numbers_on(step_through(doubled()), 3)[0] == ["3", "1"]
    assert numbers_on(step_through(doubled()), 4)[0] == ["3", "2"]


def test_the_names_in_the_texts_stand_in_the_picture() -> None:
    u, v = Value(2.0), Value(3.0)
    player = step_through((u * v + u) ** 2)
    assert player.frames[1].text == "v3 = v1 × v2 = 2 × 3 = 6"
    texts = shown(player.frames[1])
    assert {"v1", "v2", "f"} <= set(texts)
    assert {("v3", "6"), ("v4", "–")} <= set(pairwise(texts))


def test_the_first_number_that_is_not_finite_is_told() -> None:
    x = Value(0.0, "x")
    notes = [f.note for f in step_through(x.log() + (x - 1).log(), backward=False).frames]
    assert notes == ["", "This is the first number that is not finite", "", "", ""]


def test_a_graph_of_constants_says_so() -> None:
    opening = step_through(SAMPLES["a constant"]()).frames[0]
    assert (opening.text, "nothing is differentiated by them" in opening.words) == ("there are no leaves", True)


def test_the_local_derivative_is_named_and_stands_on_its_wire() -> None:
    frame = step_through(product_of_a_sum()).frames[5]
    assert frame.note == "The local derivative is ∂f/∂z = q = 3"
    assert [t for t in shown(frame) if t.startswith("∂")] == ["∂ 3"]
    assert not any(t.startswith("∂") for f in step_through(product_of_a_sum()).frames[:4] for t in shown(f))


def test_one_gate_and_one_wire_are_lit_per_contribution() -> None:
    player = step_through(doubled())
    assert player.frames[0].lights == ""
    for frame in player.frames:
        if frame.kind == "backward":
            assert (frame.lights.count("class='flow'"), frame.lights.count("class='ring'")) == (1, 1)
            assert frame.lights.count("class='now'") == 1
    first, second = (re.search("d='([^']*)'", f.lights) for f in player.frames[-2:])
    assert first and second and first[1] != second[1]  # a + a has two wires


def _in_full(d: str) -> str:
    """A path with the other coordinate, too, where H and V leave it out."""
    start = re.match("([^,]+),([^HVLC]+)", d)
    assert start
    d = re.sub(r"H([\d.-]+)", rf"L\1,{start[2]}", d)
    return re.sub(r"V([\d.-]+)", rf"L{start[1]},\1", d)


@pytest.mark.parametrize("name", ["network", "within each other", "reused", "skip connections", "many operations"])
def test_a_lit_wire_runs_without_a_gap_from_one_gate_to_the_next(name: str) -> None:
    for frame in step_through(SAMPLES[name](), depth="all").frames:
        if frame.kind != "backward":
            continue
        flow = re.search("class='flow' d='([^']*)'", frame.lights)
        assert flow
        stretches = sorted(
            ([float(n) for n in re.findall(r"-?[\d.]+", _in_full(stretch))] for stretch in flow[1].split("M")[1:]),
            key=lambda xy: (xy[0], xy[-2]),
        )
        for before, after in pairwise(stretches):
            assert before[-2:] == pytest.approx(after[:2], abs=0.61)
        ring = re.search("class='ring' x='([^']*)' y='([^']*)' width='([^']*)' height='([^']*)'", frame.lights)
        assert ring
        x, y, width, height = map(float, ring.groups())
        end = stretches[-1][-2:]
        assert x - 1.1 <= end[0] <= x + width / 2 and y <= end[1] <= y + height


def test_the_layout_does_not_move() -> None:
    player = step_through(by_hand())
    sizes = {re.search('viewBox="[^"]*"', f.svg)[0] for f in player.frames}  # type: ignore[index]
    assert len(sizes) == 1
    assert len({len(re.findall("<circle", f.svg)) for f in player.frames}) == 1
    places: dict[tuple[int, str], set[str]] = {}
    for frame in player.frames:
        for part, markup in frame.changes.items():
            for kind, place in re.findall("<text class='([a-z]+)' (x='[^']*' y='[^']*')", markup):
                places.setdefault((part, kind), set()).add(place)
    assert places and all(len(found) == 1 for found in places.values())


def test_only_the_forward_or_only_the_backward_pass() -> None:
    forward = step_through(product_of_a_sum(), backward=False)
    assert [f.kind for f in forward.frames] == ["graph", "forward", "forward"]
    assert numbers_on(forward, 2) == [["−2"], ["5"], ["3"], ["−4"], ["−12"]]
    backward = step_through(product_of_a_sum(), forward=False)
    assert [f.kind for f in backward.frames] == ["seed", *["backward"] * 4]
    assert numbers_on(backward, 0) == [["−2", "–"], ["5", "–"], ["3", "–"], ["−4", "–"], ["−12", "1"]]


def test_a_leaf_has_a_seed_and_no_steps() -> None:
    player = step_through(Value(3.0, "x"))
    assert [f.kind for f in player.frames] == ["graph", "seed"]
    assert player.frames[1].text == "∂x/∂x = 1"


@pytest.mark.parametrize("name", SAMPLES)
def test_stepping_leaves_the_graph_as_it_was(name: str) -> None:
    root = SAMPLES[name]()
    nodes = topological_order(root)

    def state() -> str:
        return repr((dumps(root), [(n.data, n.grad, n.has_grad, n.op, n.label, n.scope, n.inputs) for n in nodes]))

    before = state()
    step_through(root)._repr_mimebundle_()
    assert state() == before


def test_numbers_that_are_older_than_the_data_of_a_leaf_say_so() -> None:
    f = product_of_a_sum()
    assert "new data" not in step_through(f).to_html()
    leaves(f)[0].data = 7.0
    assert "this page shows the numbers of the new data" in step_through(f).to_html()


def test_the_gradients_of_the_steps_are_their_own_whatever_the_leaves_hold() -> None:
    x = Value(3.0, "x")
    f = x * x
    once = step_through(f).to_html()
    f.backward()
    f.backward()
    assert step_through(f).to_html() == once


def test_what_no_grad_computed_is_known_before_the_first_step() -> None:
    x = Value(2.0, "x")
    with no_grad():
        y = x * 3
        y.label = "y"
    player = step_through(y * x)
    assert player.frames[0].text == "y = 6, x = 2"
    assert ">6</text>" in player.frames[0].svg and "× in no_grad" in player.frames[0].svg
    assert UNRECORDED in player.to_html()


def test_equal_labels_are_told_apart_in_the_picture_as_in_the_captions() -> None:
    f = Value(2.0, "w") * 3 + Value(4.0, "w")
    last = step_through(f, backward=False).frames[-1]
    assert last.text == "f = v1 + w (2) = 6 + 4 = 10"
    assert ">w<" in last.svg and ">w (2)<" in last.svg


def test_a_player_is_a_snapshot() -> None:
    root = by_hand()
    player = step_through(root)
    before = player.to_html(), player._repr_mimebundle_(), [f.svg for f in player.frames]
    for node in topological_order(root):
        node.data, node.grad, node.label = 99.0, 98.0, "changed"
    assert (player.to_html(), player._repr_mimebundle_(), [f.svg for f in player.frames]) == before


# --- many steps


LARGE: dict[str, Callable[[], Value]] = {
    "network": lambda: network(4, 4, 1),
    "wide network": lambda: network(16, 16, 1),
    "chain": lambda: chain(300),
    "tangle": lambda: tangle(60),
    "summary": lambda: tangle(1_000),
    "many operations": SAMPLES["many operations"],
}


@pytest.mark.parametrize("name", LARGE)
def test_many_steps_are_shown_layer_by_layer_and_none_is_left_out(name: str) -> None:
    root = LARGE[name]()
    player = step_through(root)
    forward, backward = list(forward_steps(root)), list(backward_steps(root))
    assert len(player) <= MAX_FRAMES
    note = f"{len(forward) + len(backward) + 2} steps, shown layer by layer; step_through(…, depth='all') shows each"
    assert note in player.to_html() and note in html.unescape(player._repr_mimebundle_()["text/html"])
    told = [event for frame in player.frames for event in frame.steps]
    # by their texts, since nan is not equal to itself
    assert repr(sorted(told[: len(forward)], key=lambda e: e.index)) == repr(forward)
    assert repr(sorted(told[len(forward) :], key=lambda e: e.index)) == repr(backward)
    known = {node for node in topological_order(root) if not node.inputs}
    expected, arrived = Counter(e.input for e in backward), Counter[Value]()
    for frame in player.frames:  # nothing is used before it is known
        events = frame.steps
        if frame.kind == "forward":
            known.update(e.node for e in events)
            assert all(x in known for e in events for x in e.node.inputs)
        elif frame.kind == "backward":
            arrived.update(e.input for e in events)
            assert all(arrived[e.node] == expected[e.node] for e in events)


def test_of_very_many_layers_several_share_a_frame_and_it_says_so() -> None:
    player = step_through(chain(60))
    assert len(player) == 2 + 15 + 15 <= MAX_FRAMES
    assert "122 steps, shown 4 layers at a time; step_through" in player.to_html()
    assert player.frames[1].words.count("; ") == 3 and "more" not in player.frames[1].words


def test_a_gradient_that_is_not_complete_shows_no_number() -> None:
    root = network(4, 4, 1)
    player = step_through(root)
    final = {format_number(node.grad) for node in topological_order(root)} | {"–", "…"}
    for k, frame in enumerate(player.frames):
        if frame.kind == "backward":
            assert {part[1] for part in numbers_on(player, k) if len(part) == 2} <= final
    assert "…" not in {part[1] for part in numbers_on(player, len(player) - 1) if len(part) == 2}


def test_all_steps_and_any_level_on_request() -> None:
    root = network(4, 4, 1)
    events = len(list(forward_steps(root))) + len(list(backward_steps(root)))
    assert len(step_through(root, depth="all")) == len(step_through(root, depth=None)) == events + 2
    folded = step_through(root, depth=0)  # three layers
    assert [len(f.steps) > 1 for f in folded.frames] == [False, True, True, True, False, True, True, True]
    assert "What is folded takes one step" in folded.to_html()
    assert len(folded) < len(step_through(root, depth=1)) < events


@settings(max_examples=40, deadline=None)
@given(random_graphs())
def test_any_graph_can_be_stepped_through(root: Value) -> None:
    for depth in ("auto", "all", 0):
        player = step_through(root, depth=depth)
        for frame in player.frames[:: max(1, len(player.frames) // 4)]:
            ET.fromstring(frame.svg)
        events = [e for f in player.frames for e in f.steps]
        assert len(events) == len(list(forward_steps(root))) + len(list(backward_steps(root)))
        data_of(player)


# --- what is wrong


@pytest.mark.parametrize("root", [None, 3.0, "x", [Value(1.0)], (Value(1.0), Value(2.0))])
def test_only_a_value_can_be_stepped_through(root: object) -> None:
    with pytest.raises(TypeError, match="step_through shows the graph of a Value, but got") as caught:
        step_through(root)  # type: ignore[arg-type]
    assert ("their sum" in str(caught.value)) == isinstance(root, (list, tuple))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"theme": "solarized"}, "theme must be one of auto, light, dark, but got 'solarized'"),
        ({"depth": -1}, "depth must be 'auto', 'all', or how many levels to open"),
        ({"depth": True}, "depth must be"),
        ({"forward": False, "backward": False}, "forward and backward are both False"),
    ],
)
def test_wrong_options_are_told(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        step_through(product_of_a_sum(), **options)  # type: ignore[arg-type]


# --- files and notebooks


def test_the_page_needs_nothing_else_and_is_small(tmp_path: Path) -> None:
    target = step_through(by_hand()).save(tmp_path / "steps.html")
    page = target.read_text(encoding="utf-8")
    assert len(page.encode()) < 53_500  # of which 30,000 are the program that computes, and the rules
    assert not re.search(r"(src|href)=|@import|url\(|https?://(?!www\.w3\.org)", page)


def test_the_page_grows_with_the_graph_and_not_with_its_square() -> None:
    small, large = (len(step_through(chain(n), depth="all").to_html()) for n in (100, 400))
    assert large < 5 * small


def test_the_same_graph_gives_the_same_bytes() -> None:
    assert step_through(by_hand()).to_html() == step_through(by_hand()).to_html()
    assert step_through(neuron())._repr_mimebundle_() == step_through(neuron())._repr_mimebundle_()


@pytest.mark.parametrize("name", ["steps.jpg", "steps", "steps.mp4"])
def test_another_ending_is_an_error_and_writes_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"ending must be \.html for a page, \.gif for a film, or .* but got"):
        step_through(product_of_a_sum()).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fails_leaves_the_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "steps.html"
    target.write_text("before", encoding="utf-8")

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="the disk is full"):
        step_through(product_of_a_sum()).save(target)
    assert [p.read_text(encoding="utf-8") for p in tmp_path.iterdir()] == ["before"]


def test_without_scripts_a_notebook_has_each_frame_as_a_step_to_be_opened() -> None:
    player = step_through(by_hand())
    bundle = player._repr_mimebundle_()
    assert bundle["text/plain"] == "<Player of 22 frames; .save('steps.html') writes it to a file>"
    instead = bundle["text/html"].split('<div class="cr-instead">')[1].split("</div>")[0]
    steps = re.findall('<details[ open]*><summary[^>]*>(.*?)</summary>.*?src="(.*?)"', instead)
    assert [html.unescape(summary) for summary, _ in steps] == [f"{f.title}: {f.text}" for f in player.frames]
    for frame, (_, source) in zip(player.frames, steps, strict=True):
        assert source.startswith("data:image/svg+xml,")
        assert unquote(source.removeprefix("data:image/svg+xml,")) == frame.image()


@pytest.mark.parametrize(("make", "most"), [(product_of_a_sum, 65_000), (by_hand, 149_000), (neuron, 149_000)])
def test_a_notebook_stays_small(make: Callable[[], Value], most: int) -> None:
    assert len(step_through(make())._repr_mimebundle_()["text/html"].encode()) <= most


def test_of_many_large_pictures_only_some_are_kept_and_it_says_so() -> None:
    player = step_through(network(3, 1))
    instead = player._repr_mimebundle_()["text/html"].split('<div class="cr-instead">')[1].split("</div>")[0]
    assert instead.count("<details") == len(player)
    assert 2 < instead.count("<img") < len(player)
    assert "have their picture here" in instead


def test_a_name_that_looks_like_markup_stays_a_name() -> None:
    name = "a class='value' x='1'"
    frame = step_through(Value(2.0, name) * Value(3.0, "<!--<script>")).frames[-1]
    assert any(text.startswith("a class='") and text.endswith("'1'") for text in shown(frame))


def test_strange_names_end_no_script_and_open_no_tag() -> None:
    player = step_through(SAMPLES["strange names"]())
    page = player.to_html()
    assert page.count("<script") == page.count("</script>") == 2
    assert "<script>&\"'" not in page
    names = data_of(player)["told"]["names"]  # type: ignore[index]
    assert any("<script>&\"'" in name for name in names)
    piece = player._repr_mimebundle_()["text/html"]
    assert piece.count("<script") == 2


def test_a_piece_of_a_page_has_no_ids() -> None:
    piece = step_through(by_hand()).to_html(page=False)
    assert not re.search(r"\sid=", piece) and "<html" not in piece
    assert piece == step_through(by_hand())._repr_mimebundle_()["text/html"] and "<img" in piece


# --- the command


def test_the_command_writes_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["(x + y) * z", "x=-2", "y=5", "z=-4", "--steps", "steps.html"]
    assert main(words) == 0
    assert capsys.readouterr().out.endswith("\nwrote steps.html\n")
    assert [p.name for p in tmp_path.iterdir()] == ["steps.html"]
    assert main([*words, "--out", "f.svg", "--theme", "dark"]) == 0
    assert capsys.readouterr().out.endswith("\nwrote f.svg and steps.html\n")
    assert 'data-theme="dark"' in Path("steps.html").read_text(encoding="utf-8")
    assert main(["--steps=steps.html", "-x", "x=1"]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--steps", "steps.svg"], "--steps must end in .html, but got 'steps.svg'"),
        (["--steps", ""], "--steps must end in .html, but got ''"),
        (["--steps", "a.html", "--out", "./a.html"], "--out and --steps are both"),
        (["--steps", "a.html", "--no-grad"], "--no-grad is for the picture; please give it a name too"),
        (["--steps", "a.html", "--rankdir", "TB"], "--rankdir is for the picture"),
        (["--steps", "mine.html", "--out", "f.svg"], "was not written by chainrule; --force writes over it"),
        (["--steps", "folder.html"], "is a folder; please give another --steps"),
        (["--steps", "no/such/folder.html"], "could not write no/such/folder.html"),
    ],
)
def test_the_command_refuses(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.html").write_text("mine", encoding="utf-8")
    Path("folder.html").mkdir()
    assert main(["x*2", "x=1", *words]) == 2
    assert message in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.html", "mine.html"]
    assert Path("mine.html").read_text(encoding="utf-8") == "mine"


def test_a_page_in_chinese_says_so_and_its_sentences_end_as_chinese_ones_do() -> None:
    steps, live = step_through(by_hand(), lang="zh"), explore(chain(60), lang="zh")
    for page, name in ((steps.to_html(), "f 的计算图，分步演示"), (live.to_html(), "互动页面")):
        assert '<html lang="zh">' in page and name in page
        assert not re.search(r"[\u4e00-\u9fff]\.", page), "a sentence ends in a full stop that is not Chinese"
    folded = step_through(network(4, 4, 1), lang="zh")
    assert "layers.0 中的 20 个运算" in folded.to_html() and "逐层演示" in folded.to_html()
    assert '<html lang="en">' in step_through(by_hand()).to_html()
