"""Pictures of a road from the driver's seat, and where to steer: the task of ALVINN, drawn.

ALVINN (D. Pomerleau, 1989) drove a van. Its network saw 30×32 pixels, had 4 hidden units, and 30 outputs for 30
directions from sharp left to sharp right. Its first examples were drawn by a program, too. Here a road of constant
curvature lies on flat ground, seen by a camera above it; the driver may be off its middle and look aside a little.
The right direction is that of the road's middle some way ahead.

The target is not one direction but a hill around it (`hill`), so that neighbours of the right answer are half right.
The answer is read off as the middle of the hill that the outputs make (`steer`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .init import generator

ROWS, COLUMNS, DIRECTIONS = 30, 32, 30
_AHEAD = 12  # the row by which one steers: not at the bonnet, and not at the horizon


def roads(n: int = 500, noise: float = 0.1, seed: int = 0) -> tuple[list[list[float]], list[float]]:
    """Pictures of roads, and the direction to steer in each.

    Args:
        n: how many pictures.
        noise: the standard deviation of each pixel about its true shade.
        seed: for the roads, their light and the noise.

    Returns:
        n rows of 30·32 pixels, line by line from the top, 0 (black) to 1 (white); and n directions, from 0 (sharp left)
        to 29 (sharp right).

    Raises:
        ValueError: for a negative count or noise.
    """
    if n < 0 or not noise >= 0.0:
        raise ValueError(f"there are n ≥ 0 pictures with noise ≥ 0, but got n={n!r} and noise={noise!r}")
    rng = generator(seed)
    pictures: list[list[float]] = []
    directions: list[float] = []
    while len(pictures) < n:
        curvature, offset, heading = rng.uniform(-1.0, 1.0), rng.uniform(-0.6, 0.6), rng.uniform(-0.35, 0.35)
        direction = (DIRECTIONS - 1) / 2 + _middle(_AHEAD, curvature, offset, heading) * (DIRECTIONS / COLUMNS)
        if not 0.0 <= direction <= DIRECTIONS - 1:
            continue  # the road leads out of the picture
        light, asphalt, grass = rng.uniform(-0.1, 0.1), rng.uniform(0.6, 0.8), rng.uniform(0.2, 0.4)
        picture = []
        for row in range(ROWS):
            middle, half = _middle(row, curvature, offset, heading), 1.5 + 10.0 * _nearness(row)
            for column in range(COLUMNS):
                away = abs(column - (COLUMNS - 1) / 2 - middle)
                share = min(1.0, max(0.0, half + 0.5 - away))  # of the pixel that is road
                shade = light + grass + share * (asphalt - grass) + rng.gauss(0.0, noise)
                picture.append(min(1.0, max(0.0, shade)))
        pictures.append(picture)
        directions.append(direction)
    return pictures, directions


def _nearness(row: int) -> float:
    """1 at the bottom of the picture, towards 0 at the horizon: by how much things are smaller there."""
    return (row + 1.0) / ROWS


def _middle(row: int, curvature: float, offset: float, heading: float) -> float:
    """Where the road's middle is in a row of pixels, in pixels from the picture's middle."""
    near = _nearness(row)
    depth = 1.0 / near - 1.0  # on flat ground, distance goes with one over the height below the horizon
    bend = 0.5 * curvature * min(depth, 4.0) ** 2
    return 10.0 * near * (offset + heading * depth + bend)


def hill(direction: float) -> list[float]:
    """The target for 30 outputs: e^(-d²/10) at distance d from the right direction, as in ALVINN."""
    return [math.exp(-((i - direction) ** 2) / 10.0) for i in range(DIRECTIONS)]


def steer(outputs: Sequence[float]) -> float:
    """The direction that 30 outputs mean: the centre of mass of the hill around the largest.

    Raises:
        ValueError: if there are not 30.
    """
    if len(outputs) != DIRECTIONS:
        raise ValueError(f"a direction is read from {DIRECTIONS} outputs, but got {len(outputs)}")
    top = max(range(DIRECTIONS), key=lambda i: outputs[i])
    around = range(max(0, top - 4), min(DIRECTIONS, top + 5))
    weights = [max(0.0, float(outputs[i])) for i in around]
    total = math.fsum(weights)
    return math.fsum(i * w for i, w in zip(around, weights, strict=True)) / total if total > 0.0 else float(top)


__all__ = ["COLUMNS", "DIRECTIONS", "ROWS", "hill", "roads", "steer"]
