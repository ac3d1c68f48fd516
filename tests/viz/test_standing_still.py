"""Nothing moves when a number changes: places follow from the structure, the labels and the format."""

from __future__ import annotations

import math
import random
import re
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd import Value, recompute, topological_order
from viz import draw_graph, step_through
from viz.graph.numbers import widest, written
from viz.metrics import text_width

from .graphs import SAMPLES, network, product_of_a_sum, random_graphs, sigmoid_gate
from .reading import outside, overlaps, read

STILL = re.compile(r'<(?:rect|circle)[^>]*>|<path class="wire[^>]*>')
EXTREME = [-1.234e-305, -1e300, math.inf, -math.inf, math.nan, -0.0, 123456.0, 0.1234567, 3.0]


def places(svg: str) -> list[str]:
    """All that is drawn but texts, marks at numbers that are not finite, and the card, on which notes come and go."""
    found = STILL.findall(re.sub('<rect class="(bad|first-bad|card)"[^>]*>', "", svg))
    assert found
    return found


def other_numbers(root: Value, seed: int = 0) -> None:
    """New numbers in leaves and constants, but for exponents, the form of a gate; and new gradients, or none."""
    choice = random.Random(seed)
    order = topological_order(root)
    exponents = {node.inputs[1] for node in order if node.op == "pow"}
    for node in order:
        if node.op in ("", "const") and node not in exponents:
            node.data = choice.choice(EXTREME)
    recompute(root)
    root.zero_grad()
    if choice.random() < 0.5:
        root.backward()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"local": True},
        {"rankdir": "TB"},
        {"rankdir": "BT", "local": True},
        {"rankdir": "RL", "show_grad": False},
        {"depth": 0},
        {"fmt": ".2f"},
        {"fmt": ""},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "a summary"])
def test_no_box_moves_when_numbers_change(name: str, options: dict[str, object]) -> None:
    root = SAMPLES[name]()
    before = places(draw_graph(root, **options).svg)  # type: ignore[arg-type]
    other_numbers(root)
    assert places(draw_graph(root, **options).svg) == before  # type: ignore[arg-type]


@given(random_graphs(), st.integers(0, 99), st.sampled_from(["LR", "TB"]), st.booleans())
@settings(max_examples=30, deadline=None)
def test_extreme_numbers_move_nothing_and_run_into_nothing(root: Value, seed: int, rankdir: str, local: bool) -> None:
    before = places(draw_graph(root, rankdir=rankdir, local=local).svg)
    other_numbers(root, seed)
    svg = draw_graph(root, rankdir=rankdir, local=local).svg
    assert places(svg) == before
    page = read(svg)
    assert not overlaps(page)
    assert not outside(page)


def test_the_frames_of_a_player_stand_where_they_stood_for_other_numbers() -> None:
    def backdrop(root: Value) -> str:
        return step_through(root)._backdrop.still

    for make in (sigmoid_gate, lambda: network(2, 1)):
        root = make()
        before = backdrop(root)
        root = make()
        for leaf in topological_order(root):
            if leaf.op == "":
                leaf.data = 1.234e-200
        assert backdrop(recompute(root)) == before


def test_pictures_stay_narrow() -> None:
    assert read(draw_graph(product_of_a_sum()).svg).width < 480
    assert read(draw_graph(sigmoid_gate()).svg).width < 1290


@pytest.mark.parametrize(
    "fmt",
    [
        ".4g",
        ".2f",
        ".12f",
        "",
        "e",
        ".0f",
        ",.2f",
        "+.3g",
        "%",
        "020.3f",
        ".17g",
        ".30f",
        "n",
        "#.4g",
        " .4g",
        "*^30.2f",
    ],
)
def test_no_number_is_wider_than_the_widest_of_its_format(fmt: str) -> None:
    numbers = random.Random(0)
    room = text_width(widest(fmt), 1.0)
    for _ in range(1_000):
        (x,) = struct.unpack("d", numbers.randbytes(8))
        for number in (x, numbers.uniform(-1, 1) * 10 ** numbers.randint(-8, 9), *EXTREME):
            assert text_width(written(number, fmt), 1.0) <= room + 1e-9


def test_a_format_without_exponents_gets_one_for_numbers_of_more_than_seven_digits() -> None:
    assert [written(x, ".2f") for x in (1234567.0, -1234567.0, 1e12, 1e300)] == [
        "1234567.00",
        "−1234567.00",
        "1.00e+12",
        "1.00e+300",
    ]
    assert widest(".4g") == "−1.235e−300"
