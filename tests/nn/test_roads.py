"""The drawn roads, and curriculum C6: four hidden units learn to follow them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn import fit, predict, schedules
from nn.layers import MLP
from nn.lessons.steering import AHEAD, COLUMNS, DIRECTIONS, ROWS, hill, road, roads, steer

DIRECTION = st.floats(0.0, DIRECTIONS - 1.0)
PLACE = st.floats(-0.6, 0.6)
HEADING = st.floats(-0.35, 0.35)


def lines(picture: list[float]) -> list[list[float]]:
    return [picture[COLUMNS * row : COLUMNS * (row + 1)] for row in range(ROWS)]


def middle(line: list[float]) -> float:
    """Where the road's middle is in a line of black grass and white road; a pixel at the edge is grey."""
    on_the_road = line.index(1.0)
    left, right = -math.fsum(line[:on_the_road]), math.fsum(line[on_the_road:])
    return on_the_road - 0.5 + (left + right) / 2


class TestPictures:
    def test_are_thirty_rows_of_32_shades_with_a_direction_each(self) -> None:
        pictures, directions = roads(50, noise=0.5)
        assert len(pictures) == len(directions) == 50
        assert all(len(picture) == ROWS * COLUMNS == 960 for picture in pictures)
        shades = [shade for picture in pictures for shade in picture]
        assert min(shades) == 0.0  # so much noise has to be cut off
        assert max(shades) == 1.0
        assert all(0.0 <= direction <= 29.0 for direction in directions)

    def test_come_with_all_directions_equally_often(self) -> None:
        _, directions = roads(600)
        counts = [sum(5 * k <= direction / 29 * 30 < 5 * (k + 1) for direction in directions) for k in range(6)]
        assert sum(counts) == 600
        assert all(70 < count < 130 for count in counts)  # 100, give or take three standard deviations of 9

    def test_are_the_same_for_the_same_seed_and_others_for_another(self) -> None:
        assert roads(5, seed=3) == roads(5, seed=3)
        assert roads(5, seed=3) != roads(5, seed=4)

    def test_differ_from_the_same_roads_without_noise_by_the_noise(self) -> None:
        noisy, directions = roads(20, noise=0.02, seed=1)
        clean, same = roads(20, noise=0.0, seed=1)
        assert same == directions
        off = [a - b for p, q in zip(noisy, clean, strict=True) for a, b in zip(p, q, strict=True)]
        assert abs(math.fsum(off) / len(off)) < 0.001
        assert math.sqrt(math.fsum(d * d for d in off) / len(off)) == pytest.approx(0.02, rel=0.03)

    def test_vary_in_light_and_contrast(self) -> None:
        clean, _ = roads(100, noise=0.0)
        grass, asphalt = [min(picture) for picture in clean], [max(picture) for picture in clean]
        assert max(grass) - min(grass) > 0.3
        assert max(asphalt) - min(asphalt) > 0.3
        assert all(b - a > 0.15 for a, b in zip(grass, asphalt, strict=True))

    @given(direction=st.floats(6.0, 23.0), place=PLACE, heading=HEADING)
    def test_show_the_right_direction_as_the_middle_of_the_road_far_ahead(
        self, direction: float, place: float, heading: float
    ) -> None:
        ahead = lines(road(direction, place, heading, grass=0.0, asphalt=1.0))[AHEAD]
        assert (middle(ahead) - 15.5) * DIRECTIONS / COLUMNS + 14.5 == pytest.approx(direction, abs=1e-9)

    @given(place=PLACE, heading=st.floats(-0.1, 0.1))
    def test_show_a_road_without_a_bend_as_a_straight_line(self, place: float, heading: float) -> None:
        # In perspective, straight lines stay straight. At distance D ahead the middle is place + heading·D, and in
        # row AHEAD, 10/33 of the way down from the horizon to the bottom, D = 33/10 - 1.
        aside = 10 * (10 / 33) * (place + heading * 2.3)
        drawn = lines(road(14.5 + aside * 30 / 32, place, heading, grass=0.0, asphalt=1.0))
        inside = [line for line in drawn if line[0] == line[-1] == 0.0]
        middles = [middle(line) for line in inside]
        steps = [b - a for a, b in pairwise(middles)]
        assert len(steps) > 5
        assert steps == pytest.approx([steps[0]] * len(steps), abs=1e-9)

    def test_show_the_road_narrower_the_farther_it_is(self) -> None:
        widths = [math.fsum(line) for line in lines(road(grass=0.0, asphalt=1.0))]
        assert all(far < near for far, near in pairwise(widths))

    @given(direction=DIRECTION, place=PLACE, heading=HEADING)
    def test_mirrored_are_those_of_the_mirrored_direction(self, direction: float, place: float, heading: float) -> None:
        mirrored = [shade for line in lines(road(direction, place, heading)) for shade in reversed(line)]
        assert mirrored == pytest.approx(road(29.0 - direction, -place, -heading), abs=1e-9)

    def test_of_no_roads_are_none(self) -> None:
        assert roads(0) == ([], [])


class TestHills:
    def test_are_one_at_the_right_direction_and_fall_to_both_sides(self) -> None:
        heights = hill(12.0)
        assert len(heights) == DIRECTIONS
        assert heights[12] == 1.0
        assert heights[10] == heights[14] == pytest.approx(math.exp(-0.4))

    @given(direction=DIRECTION)
    def test_are_read_as_the_direction_that_they_stand_for(self, direction: float) -> None:
        assert steer(hill(direction)) == pytest.approx(direction, abs=0.051)

    @given(direction=DIRECTION, off=st.lists(st.floats(-0.05, 0.05), min_size=30, max_size=30))
    def test_are_read_within_a_unit_when_every_output_is_a_little_wrong(
        self, direction: float, off: list[float]
    ) -> None:
        outputs = [height + wrong for height, wrong in zip(hill(direction), off, strict=True)]
        assert abs(steer(outputs) - direction) < 1.0

    def test_are_read_from_values_and_from_a_row_of_an_array_too(self) -> None:
        np = pytest.importorskip("numpy")
        from autograd import Value

        assert steer([Value(height) for height in hill(7.0)]) == 7.0
        assert steer(np.array([hill(7.0)])[0]) == 7.0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: roads(-1), ValueError, "n must be at least 0, but got -1"),
        (lambda: roads(2.5), TypeError, "n must be a whole number, but got float: 2.5"),  # type: ignore[arg-type]
        (lambda: roads(1, noise=-0.1), ValueError, "noise must be a number from 0 up, but got -0.1"),
        (lambda: roads(1, noise=math.nan), ValueError, "noise must be a number from 0 up, but got nan"),
        (lambda: roads(1, seed="a"), TypeError, "a seed is an int or None"),  # type: ignore[arg-type]
        (lambda: road(29.5), ValueError, "from 0 (sharp left) to 29 (sharp right), but got 29.5"),
        (lambda: road(14.0, place=math.inf), ValueError, "finite numbers, but got inf and 0.0"),
        (lambda: road(14.0, grass=1.5), ValueError, "shades are from 0 (black) to 1 (white), but got 1.5 and 0.7"),
        (lambda: hill(-1.0), ValueError, "from 0 (sharp left) to 29 (sharp right), but got -1.0"),
        (lambda: hill(math.nan), ValueError, "but got nan"),
        (lambda: steer([0.5] * 29), ValueError, "steer takes 30 inputs, but got 29"),
        (lambda: steer([math.nan] * 30), ValueError, "30 finite outputs, but got [nan, "),
        (lambda: steer([1e200] * 30), ValueError, "30 finite outputs, but got [1e+200, "),
        (lambda: steer("a" * 30), TypeError, "steer takes a list of 30 numbers"),
        (lambda: hill("left"), ValueError, "from 0 (sharp left) to 29 (sharp right), but got 'left'"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_road_or_direction_is_refused(
    call: Callable[[], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call()


def test_four_hidden_units_steer_within_one_unit_of_the_right_direction_c6() -> None:
    np = pytest.importorskip("numpy")
    pictures, directions = roads(4300)
    X, hills = np.array(pictures) - 0.5, [hill(direction) for direction in directions]
    model = MLP(ROWS * COLUMNS, [4, DIRECTIONS], output="sigmoid", seed=0)
    fit(
        model, X[:4000], hills[:4000], schedule=schedules.cosine(0.005, 150), epochs=150, batch_size=100, progress=False
    )
    wrong = [
        abs(steer(outputs) - right) for outputs, right in zip(predict(model, X[4000:]), directions[4000:], strict=True)
    ]
    always_straight = [abs(14.5 - right) for right in directions[4000:]]
    assert math.fsum(always_straight) / 300 > 7.0
    assert math.fsum(wrong) / 300 < 0.25
    assert sum(w <= 1.0 for w in wrong) >= 0.99 * 300
