"""Pictures of a road from the driver's seat, and where to steer: the task of ALVINN, drawn.

ALVINN (D. Pomerleau, 1989) drove a van, and its first examples were drawn by a program, too. Later versions saw 30×32
pixels and had 4 hidden units, and 30 outputs for 30 directions from sharp left to sharp right. Here a bending road lies
on flat ground, below a camera; the driver may be off its middle, and look aside a little. The right direction is that
of the road's middle some way ahead.

The target is not one direction but a hill around it (`hill`), so that neighbours of the right answer are half right.
The answer is read off as the middle of the hill that fits the outputs best (`steer`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

from autograd import Value

from ..checks import deviation, whole
from ..init import generator
from ..layers import as_inputs

ROWS = 30  # of a picture, in pixels
COLUMNS = 32
DIRECTIONS = 30  # from sharp left to sharp right
AHEAD = 6  # the row by whose middle one steers: far ahead, but below the horizon
_STRAIGHT = (DIRECTIONS - 1) / 2
_TENTHS = 10  # in what parts of a unit a direction is read


def roads(n: int = 500, noise: float = 0.03, seed: int = 0) -> tuple[list[list[float]], list[float]]:
    """Pictures of roads, and the direction to steer in each. All directions are equally frequent.

    The driver's place and heading, the light, and the shades of road and grass differ from picture to picture. The
    same seed with another noise gives the same roads.

    Args:
        n: how many pictures.
        noise: the standard deviation of each pixel about its true shade; 0 for none.
        seed: the same seed gives the same pictures on every machine.

    Returns:
        n rows of 30·32 pixels, line by line from the top, 0 (black) to 1 (white); and n directions, from 0 (sharp left)
        to 29 (sharp right).

    Raises:
        TypeError: if n is not a whole number.
        ValueError: for a negative count or noise.
    """
    n = whole("n", n, 0)
    deviation("noise", noise)
    rng = generator(seed)
    directions = [rng.uniform(0.0, DIRECTIONS - 1.0) for _ in range(n)]
    pictures = []
    for direction in directions:
        place, heading, light = rng.uniform(-0.6, 0.6), rng.uniform(-0.35, 0.35), rng.uniform(-0.1, 0.1)
        grass, asphalt = light + rng.uniform(0.2, 0.4), light + rng.uniform(0.6, 0.8)
        noisy = [shade + rng.gauss(0.0, noise) for shade in road(direction, place, heading, grass, asphalt)]
        pictures.append([0.0 if shade < 0.0 else 1.0 if shade > 1.0 else shade for shade in noisy])
    return pictures, directions


def road(
    direction: float = _STRAIGHT, place: float = 0.0, heading: float = 0.0, grass: float = 0.3, asphalt: float = 0.7
) -> list[float]:
    """One picture of 30·32 pixels, without noise: a road that bends just so much that ``direction`` is right.

    Its mirror image is ``road(29 - direction, -place, -heading)``.

    Args:
        direction: from 0 (sharp left) to 29 (sharp right).
        place: of the road's middle beside the driver, positive where it is to the right.
        heading: of the road there, against where the driver looks; positive where it leads to the right.
        grass, asphalt: shades, 0 (black) to 1 (white).

    Raises:
        ValueError: for a direction outside 0…29 or a shade outside 0…1; for a place or heading that is not finite.
    """
    direction = _direction(direction)
    if not (math.isfinite(place) and math.isfinite(heading)):
        raise ValueError(f"a road's place and heading are finite numbers, but got {place!r} and {heading!r}")
    if not (0.0 <= grass <= 1.0 and 0.0 <= asphalt <= 1.0):
        raise ValueError(f"shades are from 0 (black) to 1 (white), but got {grass!r} and {asphalt!r}")
    aside = (direction - _STRAIGHT) * COLUMNS / DIRECTIONS  # of the road's middle in row AHEAD, in pixels
    distance = _distance(AHEAD)
    bend = (aside / _scale(AHEAD) - place - heading * distance) / distance**2
    picture = []
    for row in range(ROWS):
        distance, scale = _distance(row), _scale(row)
        middle = (COLUMNS - 1) / 2 + scale * (place + heading * distance + bend * distance**2)
        edge = 1.5 + 0.8 * scale + 0.5
        for column in range(COLUMNS):
            share = edge - abs(column - middle)  # of the pixel that is road, where it is between 0 and 1
            shade = grass if share <= 0.0 else asphalt if share >= 1.0 else grass + share * (asphalt - grass)
            picture.append(shade)
    return picture


def _nearness(row: int) -> float:
    """1 at the bottom of the picture, towards 0 at the horizon, which lies four rows above its top."""
    return (row + 4.0) / (ROWS + 3.0)


def _scale(row: int) -> float:
    """How many pixels wide a unit of length looks."""
    return 10.0 * _nearness(row)


def _distance(row: int) -> float:
    """How far ahead the ground in a row is: on flat ground, it goes with one over the height below the horizon."""
    return 1.0 / _nearness(row) - 1.0


def hill(direction: float) -> list[float]:
    """The target for 30 outputs: e^(-d²/10) at distance d from the right direction, as in ALVINN.

    Raises:
        ValueError: for a direction outside 0…29.
    """
    direction = _direction(direction)
    return [math.exp(-((i - direction) ** 2) / 10.0) for i in range(DIRECTIONS)]


def steer(outputs: Sequence[Any]) -> float:
    """The direction that 30 outputs mean: the middle of the hill that is nearest to them, to a tenth of a unit.

    Nearest is meant by the sum of squared differences. The largest output alone would be whole units only; a centre of
    mass would err at the ends, where half of the hill is cut off.

    Raises:
        ValueError: if there are not 30, or one is not finite, or too large to be squared.
        TypeError: if they are not a list of numbers.
    """
    numbers = [
        output.data if isinstance(output, Value) else output for output in as_inputs(outputs, DIRECTIONS, "steer")
    ]
    if not all(isinstance(y, Real) and abs(float(y)) < 1e150 for y in numbers):
        raise ValueError(f"a direction is read from {DIRECTIONS} finite outputs, but got {numbers}")

    def misfit(k: int) -> float:
        return sum([(a - b) ** 2 for a, b in zip(numbers, _hills()[k], strict=True)])

    return min(range(len(_hills())), key=misfit) / _TENTHS


@functools.cache
def _hills() -> list[list[float]]:
    return [hill(k / _TENTHS) for k in range((DIRECTIONS - 1) * _TENTHS + 1)]


def _direction(direction: Any) -> float:
    if not isinstance(direction, Real) or not 0.0 <= float(direction) <= DIRECTIONS - 1:
        raise ValueError(f"a direction is from 0 (sharp left) to {DIRECTIONS - 1} (sharp right), but got {direction!r}")
    return float(direction)


__all__ = ["AHEAD", "COLUMNS", "DIRECTIONS", "ROWS", "hill", "road", "roads", "steer"]
