"""Where weights start. Biases start at zero.

A neuron sums fan_in products, so the variance of its sum is fan_in times that of one product. Weights of variance about
1/n keep signals from dying out or blowing up from layer to layer; each rule below is one way to say so.

| name           | distribution of each weight                        | source                    |
|----------------|----------------------------------------------------|---------------------------|
| zeros          | 0: every neuron of a layer then stays the same     | (the symmetry problem)    |
| normal         | N(0, 0.01²)                                        |                           |
| uniform        | U(-1, 1), as micrograd does                        |                           |
| xavier_uniform | U(-a, a), a = √(6/(fan_in + fan_out)); also "xavier"   | Glorot and Bengio (2010)  |
| xavier_normal  | N(0, 2/(fan_in + fan_out))                             | Glorot and Bengio (2010)  |
| he_normal      | N(0, 2/fan_in); also "he"                            | He et al. (2015)          |
| he_uniform     | U(-a, a), a = √(6/fan_in)                            | He et al. (2015)          |

The random numbers come from a ``random.Random`` of one's own: a seed gives the same network on every machine, and
neither Python's nor NumPy's global generator is read or moved.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from .checks import named

# rng, fan_in, fan_out -> one weight
Initialiser = Callable[[random.Random, int, int], float]


def zeros(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """0, always."""
    return 0.0


def normal(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """N(0, 0.01²): small numbers that break the symmetry, and nothing more."""
    return rng.gauss(0.0, 0.01)


def uniform(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """U(-1, 1)."""
    return rng.uniform(-1.0, 1.0)


def xavier_uniform(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """U(-a, a) with a = √(6/(fan_in + fan_out)): variance 2/(fan_in + fan_out), for tanh and sigmoid."""
    a = math.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-a, a)


def xavier_normal(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """N(0, 2/(fan_in + fan_out)), for tanh and sigmoid."""
    return rng.gauss(0.0, math.sqrt(2.0 / (fan_in + fan_out)))


def he_uniform(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """U(-a, a) with a = √(6/fan_in): variance 2/fan_in, for ReLU, which lets half of the variance through."""
    a = math.sqrt(6.0 / fan_in)
    return rng.uniform(-a, a)


def he_normal(rng: random.Random, fan_in: int, fan_out: int) -> float:
    """N(0, 2/fan_in), for ReLU."""
    return rng.gauss(0.0, math.sqrt(2.0 / fan_in))


INITIALISERS: dict[str, Initialiser] = {
    "zeros": zeros,
    "normal": normal,
    "uniform": uniform,
    "xavier": xavier_uniform,
    "xavier_uniform": xavier_uniform,
    "xavier_normal": xavier_normal,
    "he": he_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
}


def find(init: str | Initialiser) -> Initialiser:
    """The initialiser of this name, or the function itself; errors as of `nn.checks.named`."""
    return named("an initialiser", "(rng, fan_in, fan_out)", init, INITIALISERS)


def generator(seed: int | random.Random | None) -> random.Random:
    """A random generator of one's own: from a seed, from fresh randomness for None, or the one that is given.

    Raises:
        TypeError: for anything else.
    """
    if isinstance(seed, random.Random):
        return seed
    if seed is None or (hasattr(seed, "__index__") and not isinstance(seed, bool)):
        return random.Random(None if seed is None else seed.__index__())
    raise TypeError(f"a seed is an int or None, but got {type(seed).__name__}: {seed!r}")


__all__ = ["INITIALISERS", "Initialiser", "find", "generator"]
