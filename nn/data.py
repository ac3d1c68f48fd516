"""Small data sets to learn on: drawn from a seed, or read from files that one has.

Each function returns ``(X, y)``: examples and targets as plain lists, or as NumPy arrays where they come from files.
The random numbers come from a generator of one's own, so the same seed gives the same points on every machine.
"""

from __future__ import annotations

import gzip
import math
import os
import random
import zlib
from collections.abc import Callable, Sequence, Sized
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from autograd.needs import needed

from .checks import deviation, index, number, one_of, whole
from .init import generator

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

Points = tuple[list[list[float]], list[int]]
Examples = TypeVar("Examples", bound=Sized)
Targets = TypeVar("Targets", bound=Sized)


def xor(signs: bool = False) -> Points:
    """The four corners of the unit square, and whether exactly one coordinate is 1 (as ±1 if ``signs``)."""
    y = [0, 1, 1, 0]
    return [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [2 * t - 1 for t in y] if signs else y


def moons(n: int = 100, noise: float = 0.1, seed: int = 0) -> Points:
    """Two half circles that reach into each other; class 0 the upper, class 1 the lower.

    (cos φ, sin φ) and (1 - cos φ, ½ - sin φ) for φ in [0, π], plus N(0, noise²) on each coordinate.
    """

    def point(rng: random.Random, k: int, i: int, count: int) -> list[float]:
        phi = math.pi * i / max(1, count - 1)
        a, b = math.cos(phi), math.sin(phi)
        return [c + rng.gauss(0.0, noise) for c in ((a, b) if k == 0 else (1.0 - a, 0.5 - b))]

    return _drawn(n, 2, noise, seed, point)


def circles(n: int = 100, noise: float = 0.05, ratio: float = 0.5, seed: int = 0) -> Points:
    """Two circles about the origin; class 0 has radius 1, class 1 has radius ``ratio``."""
    if not 0.0 < ratio < 1.0:
        raise ValueError(f"ratio, the inner circle's radius, must be between 0 and 1, but got {ratio!r}")

    def point(rng: random.Random, k: int, i: int, count: int) -> list[float]:
        radius, phi = (1.0, ratio)[k], 2.0 * math.pi * i / count
        return [radius * side(phi) + rng.gauss(0.0, noise) for side in (math.cos, math.sin)]

    return _drawn(n, 2, noise, seed, point)


def spirals(n: int = 300, classes: int = 3, turns: float = 0.65, noise: float = 0.2, seed: int = 0) -> Points:
    """Arms that wind out of the origin, one per class: radius from 0 to 1, angle growing with it (plus noise)."""

    def point(rng: random.Random, k: int, i: int, count: int) -> list[float]:
        radius = i / max(1, count - 1)
        phi = 2.0 * math.pi * (k / classes + turns * radius) + rng.gauss(0.0, noise)
        return [radius * math.sin(phi), radius * math.cos(phi)]

    return _drawn(n, classes, noise, seed, point)


def blobs(
    n: int = 100, centers: int | Sequence[Sequence[float]] = 4, spread: float = 0.4, features: int = 2, seed: int = 0
) -> Points:
    """Round clouds of points, one per class.

    Args:
        n: how many points in all.
        centers: where the clouds are, or how many: then they are evenly spread on a circle of radius 2 (in the first
            two features).
        spread: the standard deviation in each coordinate.
        features: the number of coordinates, where centers is a number.
    """
    rng = generator(seed)
    deviation("spread", spread)
    if isinstance(centers, int) or not hasattr(centers, "__iter__"):
        centers = whole("centers", centers, 1)
        features = whole("features", features, 1)
        _shares(n, centers)
        angles = [2.0 * math.pi * k / centers for k in range(centers)]
        middles = [([2.0 * math.cos(a), 2.0 * math.sin(a)] + [0.0] * features)[:features] for a in angles]
    else:
        middles = [list(map(float, c)) for c in centers]
        if len({len(c) for c in middles}) != 1:
            raise ValueError(f"centers must all have as many coordinates, but have {[len(c) for c in middles]}")
    return _points(_shares(n, len(middles)), lambda k, i, count: [c + rng.gauss(0.0, spread) for c in middles[k]])


def noisy_curve(n: int = 100, noise: float = 0.1, seed: int = 0) -> tuple[list[list[float]], list[float]]:
    """y = x + 0.3·sin(2πx) + ε for n values of x evenly spread over [0, 1], with ε uniform in [-noise, noise]."""
    n = whole("n, the number of points of a curve,", n, 2)
    deviation("noise", noise)
    rng = generator(seed)
    xs = [i / (n - 1) for i in range(n)]
    return [[x] for x in xs], [curve(x) + rng.uniform(-noise, noise) for x in xs]


def curve(x: float) -> float:
    """x + 0.3·sin(2πx): what `noisy_curve` adds noise to."""
    return x + 0.3 * math.sin(2.0 * math.pi * x)


def digits() -> Points:
    """The 1,797 handwritten digits of 8×8 pixels that come with scikit-learn; 64 numbers from 0 to 1 each.

    From the test part of E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits (UCI, 1998).

    Raises:
        ImportError: without scikit-learn; the message says how to get it.
    """
    bunch = needed("sklearn.datasets", "the 8×8 digits come with scikit-learn", "scikit-learn").load_digits()
    return [[x / 16.0 for x in row] for row in bunch.data.tolist()], bunch.target.tolist()


# --- shaping


@overload
def one_hot(classes: int, num_classes: int) -> list[float]: ...
@overload
def one_hot(classes: Sequence[int] | NDArray[Any], num_classes: int | None = None) -> list[list[float]]: ...
def one_hot(classes: Any, num_classes: int | None = None) -> list[float] | list[list[float]]:
    """Class k, counted from 0, as a list of zeros with a 1 in place k; of several classes, one such list for each.

    Args:
        classes: a class, or a list of them.
        num_classes: how many classes there are; for a list, if not given, one more than the largest in it.

    Raises:
        ValueError: for a class below 0 or beyond their number; for a single class without that number.
        TypeError: for what is not a whole number.

    >>> one_hot(1, 3)
    [0.0, 1.0, 0.0]
    >>> one_hot([0, 1])
    [[1.0, 0.0], [0.0, 1.0]]
    """
    ks = classes.tolist() if hasattr(classes, "tolist") else classes
    if isinstance(ks, Sequence) and not isinstance(ks, str):
        if num_classes is None:
            num_classes = max((whole(f"class {i}", k, 0) for i, k in enumerate(ks)), default=0) + 1
        return [_unit_vector(f"class {i}", k, num_classes) for i, k in enumerate(ks)]
    if num_classes is None:
        raise ValueError(f"of how many classes is {classes!r} one? Write one_hot({classes!r}, 10) for ten of them")
    return _unit_vector("the class", ks, num_classes)


def _unit_vector(name: str, k: Any, n: Any) -> list[float]:
    n = whole("num_classes", n)
    place = index(name, k, n)
    return [1.0 if j == place else 0.0 for j in range(n)]


def split(X: Examples, y: Targets, fraction: float = 0.2, seed: int = 0) -> tuple[Examples, Targets, Examples, Targets]:
    """Shuffle, and set a fraction of the examples aside: X_train, y_train, X_test, y_test.

    Raises:
        ValueError: if X and y differ in length, or a side would be empty.
    """
    if len(X) != len(y):
        raise ValueError(f"X has {len(X)} examples, but y has {len(y)} targets")
    count = round(len(X) * fraction) if 0.0 < number("fraction", fraction) < 1.0 else 0
    if not 0 < count < len(X):
        raise ValueError(f"a fraction of {fraction!r} of {len(X)} examples leaves one side empty")
    mixed = list(range(len(X)))
    generator(seed).shuffle(mixed)

    def pick(data: Any, indices: list[int]) -> Any:
        if hasattr(data, "iloc"):  # a pandas table or column: rows by position
            return data.iloc[indices]
        return data[indices] if hasattr(data, "shape") else [data[i] for i in indices]

    out, kept = mixed[:count], mixed[count:]
    return pick(X, kept), pick(y, kept), pick(X, out), pick(y, out)


def _shares(n: int, classes: int) -> list[int]:
    n, classes = whole("n", n, 0), whole("classes", classes, 0)
    if classes < 1 or n < classes:
        raise ValueError(f"{classes} classes need at least one point each, but n is {n}")
    return [n // classes + (k < n % classes) for k in range(classes)]


def _drawn(
    n: int, classes: int, noise: float, seed: int, point: Callable[[random.Random, int, int, int], list[float]]
) -> Points:
    """n points of so many classes: the i-th of count of class k is point(rng, k, i, count)."""
    counts = _shares(n, classes)
    deviation("noise", noise)
    return _points(counts, partial(point, generator(seed)))


def _points(counts: Sequence[int], point: Callable[[int, int, int], list[float]]) -> Points:
    """So many points of each class k: the i-th of count is point(k, i, count)."""
    places = [(k, i, count) for k, count in enumerate(counts) for i in range(count)]
    return [point(*place) for place in places], [k for k, _, _ in places]


# --- the files of MNIST (LeCun, Cortes and Burges, 1998)

_KINDS = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
          "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}  # fmt: skip


class IDXError(ValueError):
    """A file that is not the IDX file it should be: another format, cut short, or too long. The message says which."""


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """An IDX file of unsigned bytes as a NumPy array; gzipped or not, by what is in it rather than by its name.

    The format is two zero bytes, the type (8: unsigned byte), the number of dimensions, each dimension as a 4-byte
    big-endian number, and then the bytes, exactly as many as the dimensions call for.

    Raises:
        IDXError: if anything in the header is wrong, or there are too few or too many bytes.
        FileNotFoundError: if there is no such file.
    """
    import numpy

    name = Path(path).name
    content = Path(path).read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)  # checks gzip's own checksum, too
        except (OSError, EOFError, zlib.error) as error:
            raise IDXError(f"{name} is not complete gzip data; download it again ({error})") from None
    if len(content) < 4:
        raise IDXError(f"{name} has {len(content)} bytes; an IDX file begins with 4 bytes of magic number")
    zero, kind, dimensions = int.from_bytes(content[:2], "big"), content[2], content[3]
    if zero != 0 or kind != 8 or dimensions == 0:
        raise IDXError(
            f"{name} begins with {content[:4].hex(' ')}; an IDX file of unsigned bytes begins with 00 00 08 and the "
            "number of dimensions"
        )
    if dimensions > 32:
        raise IDXError(f"{name} has {dimensions} dimensions by its header; more than 32 cannot be read")
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise IDXError(
            f"{name} is cut short: {dimensions} dimensions need a header of {start} bytes, it has {len(content)}"
        )
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    expected = math.prod(shape)
    if len(content) - start != expected:
        state = "is cut short" if len(content) - start < expected else "is too long"
        raise IDXError(
            f"{name} {state}: its header says {'×'.join(map(str, shape))} = {expected:,} bytes of data, "
            f"but it has {len(content) - start:,}"
        )
    try:
        return numpy.frombuffer(content, dtype=numpy.uint8, offset=start).reshape(shape)
    except ValueError:  # a product of 0 in which the other dimensions are beyond what an array may have
        raise IDXError(f"{name} has the dimensions {'×'.join(map(str, shape))}, which no array can have") from None


def mnist(
    folder: str | os.PathLike[str], part: str = "train", limit: int | None = None
) -> tuple[NDArray[numpy.float64], NDArray[numpy.int64]]:
    """MNIST from the files as they were published, gzipped or not: images as rows of numbers from 0 to 1, and labels.

    Args:
        folder: where the files are.
        part: "train" (60,000 digits) or "test" (10,000).
        limit: take only so many, from the beginning.

    Returns:
        X, an array of shape (n, rows·columns), and y, an array of n ints.

    Raises:
        FileNotFoundError: if a file is not in the folder; the message gives both names that it may have.
        IDXError: if a file is broken or of the wrong kind, or images and labels do not match.
    """
    one_of("part", part, _KINDS)
    if limit is not None:
        limit = whole("limit", limit, 1)
    images, labels = (_read_published(Path(folder), name) for name in _KINDS[part])
    if images.ndim != 3:
        raise IDXError(f"images have 3 dimensions (number, rows, columns), but this file has {images.ndim}")
    if labels.ndim != 1:
        raise IDXError(f"labels have 1 dimension, but this file has {labels.ndim}")
    if len(images) != len(labels):
        raise IDXError(f"there are {len(images):,} images, but {len(labels):,} labels")
    if not images.size:
        raise IDXError(f"there are no images: {' × '.join(map(str, images.shape))} pixels")
    if labels.max() > 9:
        raise IDXError(f"labels are digits 0…9, but there is a {labels.max()}")
    count = len(images) if limit is None else limit
    return images[:count].reshape(min(count, len(images)), -1) / 255.0, labels[:count].astype(int)


def _read_published(folder: Path, name: str) -> NDArray[Any]:
    for path in (folder / f"{name}.gz", folder / name, folder / name.replace("-idx", ".idx")):
        if path.is_file():
            return read_idx(path)
    raise FileNotFoundError(f"there is no {name}.gz or {name} in {folder}")


__all__ = [
    "IDXError",
    "blobs",
    "circles",
    "curve",
    "digits",
    "mnist",
    "moons",
    "noisy_curve",
    "one_hot",
    "read_idx",
    "spirals",
    "split",
    "xor",
]
