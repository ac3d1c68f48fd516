"""Convolution and pooling: the same few weights at every place of an image, and small windows summed up in one number.

Images and feature maps are nested lists of Values or plain numbers: rows × columns for one map, channels × rows ×
columns for several. Every output is a sum of products like a neuron's, so it can be drawn and stepped through; the
compiler finds the matrix products in it again.

The field mixes up two words. To slide a filter w over an image x and sum the products is **correlation**,

    y[i][j] = Σ_a Σ_b w[a][b] · x[i+a][j+b],

and **convolution** is the same with the filter turned by 180°, w[K1-1-a][K2-1-b] in place of w[a][b]. `convolve2d` is
the textbook's convolution; ``flip=False`` gives the correlation. `Conv2d` computes the correlation, as the layer of
that name does in PyTorch and Keras: its weights are learned, and a filter is learned as well in the one position as in
the other.

Sources: K. Fukushima, Neocognitron (1980), for convolution and pooling in a network; Y. LeCun and others,
Backpropagation Applied to Handwritten Zip Code Recognition (1989), for learning the filters.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from autograd import Value, scope
from autograd.functions import maximum, sqrt
from autograd.hints import explains
from autograd.ops import where
from autograd.reals import is_real, short
from autograd.value import Operand

from . import activations
from . import init as initialisers
from .activations import Function
from .checks import one_of, rows_and_columns, whole
from .init import Initialiser
from .layers import left_to_right, weighted_sum
from .module import Module, christen

if TYPE_CHECKING:
    from numpy.typing import NDArray

Grid = list[list[Any]]  # rows × columns
Map = list[list[Value]]  # a grid of what was computed
Plain: TypeAlias = "Sequence[Sequence[float]] | NDArray[Any]"  # a grid of numbers alone
Size = int | tuple[int, int]  # one number for rows and columns alike, or one for each
_KERNEL = "write kernel_size"  # for those who know it by another name


# --- what comes in


def as_grid(x: Any, what: str) -> Grid:
    """Rows of numbers or Values, all of one length.

    Raises:
        TypeError: if it is not a list of lists of numbers.
        ValueError: if it is empty, or its rows differ in length.
    """
    rows = _plain(x)
    if not isinstance(rows, list) or not all(isinstance(_plain(row), list) for row in rows):
        flat = isinstance(rows, list) and all(isinstance(entry, Value) or is_real(entry) for entry in rows)
        hint = "; nn.Reshape(1, 8, 8) makes an image of 64 numbers in one list" if flat else ""
        raise TypeError(f"{what} is a list of rows, such as [[1, 2], [3, 4]], but got {_told(rows)}{hint}")
    # NumPy's numbers become Python's: where 200 and 100 are uint8, their sum is 44.
    grid: Grid = [[_plain(entry) for entry in _plain(row)] for row in rows]
    if not grid or not grid[0]:
        raise ValueError(f"{what} needs at least one row with one number in it, but got {_told(rows)}")
    for i, row in enumerate(grid):
        if len(row) != len(grid[0]):
            raise ValueError(
                f"the rows of {what} must all be as long, but row 0 has {len(grid[0])} numbers and row {i} has "
                f"{len(row)}"
            )
        for entry in row:
            if not isinstance(entry, Value) and not is_real(entry):
                hint = "; that is one level of brackets too many" if isinstance(_plain(entry), list) else ""
                raise TypeError(f"{what} holds numbers or Values, but row {i} holds {_told(entry)}{hint}")
    return grid


def as_maps(x: Any, what: str) -> list[Grid]:
    """Channels × rows × columns, all channels of one shape; rows × columns alone are one channel.

    Raises:
        TypeError, ValueError: as `as_grid`; also if the channels differ in shape.
    """
    if _levels(x) < 3:
        return [as_grid(x, what)]
    maps = [as_grid(entry, f"channel {c} of {what}") for c, entry in enumerate(_plain(x))]
    for c, grid in enumerate(maps):
        if _shape(grid) != _shape(maps[0]):
            raise ValueError(
                f"the channels of {what} must have one shape, but channel 0 is {_by(_shape(maps[0]))} and channel {c} "
                f"is {_by(_shape(grid))}"
            )
    return maps


def flatten(x: Any) -> list[Any]:
    """All numbers of nested lists in one list: the first row first, the first channel first."""
    x = _plain(x)
    return [leaf for entry in x for leaf in flatten(entry)] if isinstance(x, list) else [x]


def _plain(x: Any) -> Any:
    """Tuples, ranges and NumPy arrays as lists, NumPy's numbers as Python's."""
    return x.tolist() if hasattr(x, "tolist") else list(x) if isinstance(x, (tuple, range)) else x


def _levels(x: Any) -> int:
    """How deep the lists are nested, going by the first entry of each."""
    x = _plain(x)
    return 1 + _levels(x[0] if x else None) if isinstance(x, list) else 0


def _shape(grid: Grid) -> tuple[int, int]:
    return len(grid), len(grid[0])


def _by(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _told(x: Any) -> str:
    return f"{type(x).__name__}: {short(x)}"


# --- convolution


@overload
def convolve2d(x: Plain, w: Plain, mode: str = "valid", flip: bool = True) -> list[list[float]]: ...  # type: ignore[overload-overlap]
@overload
def convolve2d(
    x: Plain | Sequence[Sequence[Operand]],
    w: Plain | Sequence[Sequence[Operand]],
    mode: str = "valid",
    flip: bool = True,
) -> Map: ...
def convolve2d(x: Any, w: Any, mode: str = "valid", flip: bool = True) -> Grid:
    """The two-dimensional convolution of an image with a filter, y = x * w.

        y[i][j] = Σ_a Σ_b w[K1-1-a][K2-1-b] · x[i+a][j+b]       (mode "valid")

    The filter is turned by 180°: that is the textbook's definition, and what makes x * w = w * x in mode "full". With
    ``flip=False`` the filter is slid as it stands; that is called correlation, and is what `Conv2d` computes. Values
    and modes are those of ``scipy.signal.convolve2d``, without the flip of ``correlate2d``.

    Args:
        x: the image, M×N numbers or Values.
        w: the filter, K1×K2 numbers or Values.
        mode: how far the filter may hang over the edge of the image, beyond which all is zero. "valid": not at all, and
            the result is (M-K1+1)×(N-K2+1). "same": half-way, M×N. "full": all but one cell, (M+K1-1)×(N+K2-1).
        flip: whether the filter is turned by 180°.

    Returns:
        Rows of Values; of plain numbers, if there is no Value in x or w.

    >>> convolve2d([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 0], [0, -1]])
    [[4, 4], [4, 4]]

    Raises:
        ValueError: for an unknown mode, rows of different lengths, or a filter larger than the image in mode "valid".
        TypeError: for anything that is not rows of numbers.
    """
    image, weights = as_grid(x, "the image"), as_grid(w, "the filter")
    one_of("mode", mode, MODES)
    (rows, columns), (height, width) = _shape(image), _shape(weights)
    if mode == "valid" and (height > rows or width > columns):
        raise ValueError(
            f'in mode "valid" the filter stays inside the image, but {height}×{width} does not fit into '
            f'{rows}×{columns}; take a smaller filter, or mode "same" or "full"'
        )
    over = [MODES[mode](height), MODES[mode](width)]
    if flip:
        weights = [row[::-1] for row in weights[::-1]]
        over = [(after, before) for before, after in over]
    windows, kernel = _windows([_padded(image, *over)], (height, width), (1, 1)), flatten(weights)
    return [[weighted_sum(kernel, window) for window in line] for line in windows]


# How many cells of a filter of k rows (or columns) may hang over before the image's first cell and after its last. Of a
# filter of even size, the "same" mode takes the cell before the middle as its centre, which the flip turns as well.
MODES: dict[str, Callable[[int], tuple[int, int]]] = {
    "valid": lambda k: (0, 0),
    "same": lambda k: ((k - 1) // 2, k // 2),
    "full": lambda k: (k - 1, k - 1),
}


def _padded(grid: Grid, rows: tuple[int, int], columns: tuple[int, int]) -> Grid:
    """A grid with so many rows of zeros above and below, and columns of zeros to the left and right of it."""
    width = columns[0] + len(grid[0]) + columns[1]
    middle = [[0] * columns[0] + row + [0] * columns[1] for row in grid]
    return [[0] * width for _ in range(rows[0])] + middle + [[0] * width for _ in range(rows[1])]


def _windows(maps: Sequence[Grid], size: tuple[int, int], stride: tuple[int, int]) -> list[list[list[Any]]]:
    """What a window sees at each place where it fits: rows × columns of its entries, those of the first map first."""
    (rows, columns), (height, width), (down, along) = _shape(maps[0]), size, stride
    return [
        [
            [entry for grid in maps for row in grid[top : top + height] for entry in row[left : left + width]]
            for left in range(0, columns - width + 1, along)
        ]
        for top in range(0, rows - height + 1, down)
    ]


class Filter(Module):
    """One filter of a `Conv2d`: K1×K2 weights for each input channel and one bias. It makes one feature map.

        y[i][j] = φ(Σ_c Σ_a Σ_b w[c][a][b] · x[c][i·s + a - p][j·s + b - p] + b)       (stride s, padding p)

    Attributes:
        w (list[list[list[Value]]]): the weights, channels × rows × columns.
        b (Value): the bias.
    """

    _own_name = "filter"

    def __init__(
        self, weights: list[Grid], activation: Function, stride: tuple[int, int], padding: tuple[int, int]
    ) -> None:
        self.w = weights
        self.b = Value(0.0, "b")
        self._activate = activation.forward if isinstance(activation, Module) else activation
        self._stride, self._padding = stride, padding
        christen(self, self._own_name)

    def forward(self, x: Any) -> Map:
        """The feature map: rows of Values, from channels × rows × columns."""
        maps, kernel = as_maps(x, "the image"), _shape(self.w[0])
        shape = _shape(maps[0])
        if len(maps) != len(self.w):
            raise ValueError(
                f"this convolution takes {_channels(len(self.w))}, but got {_channels(len(maps))} of {_by(shape)}"
            )
        for size, k, padding, what in zip(shape, kernel, self._padding, ("row", "column"), strict=True):
            if size + 2 * padding < k:
                padded = f", {size + 2 * padding} with its padding," if padding else ""
                raise ValueError(
                    f"filters of {_by(kernel)} do not fit into an image with {size} {what}{'s' * (size != 1)}{padded}; "
                    "take smaller filters, or more padding"
                )
        down, along = self._padding
        maps = [_padded(grid, (down, down), (along, along)) for grid in maps]
        weights = flatten(self.w)
        result: Map = []
        for i, line in enumerate(_windows(maps, kernel, self._stride)):
            row = []
            for j, window in enumerate(line):
                with scope(f"cells.{i}.{j}"):
                    row.append(self._activate(weighted_sum(weights, window) + self.b))
            result.append(row)
        return result

    def describe(self) -> str:
        return f"Filter({len(self.w)}×{_by(_shape(self.w[0]))})"


class Conv2d(Module):
    """A convolutional layer: out_channels filters that slide over the same image, each of which makes one feature map.

        y[k][i][j] = φ(Σ_c Σ_a Σ_b w[k][c][a][b] · x[c][i·s + a - p][j·s + b - p] + b[k])

    That is the correlation, not the textbook's convolution: the filter is not turned by 180° (see `convolve2d`). An
    image of M×N becomes maps of ((M + 2p - K1) // s + 1)×((N + 2p - K2) // s + 1).

    Args:
        in_channels: the number of maps that come in; 1 for a grey image, which may also come as rows × columns alone.
        out_channels: the number of filters, and of maps that go out.
        kernel_size: of a filter: one number, or a pair (rows, columns).
        stride: s, how far the filter moves from one place to the next: one number or a pair.
        padding: p, how many rows and columns of zeros are thought around the image: one number or a pair.
        activation: φ, by name or as a function of one Value.
        init: where the weights start (`nn.init`), with fan_in = in_channels·K1·K2 and fan_out = out_channels·K1·K2;
            biases start at 0.
        seed: an int for the same weights every time, or a ``random.Random``.

    Attributes:
        filters (list[Filter]): the filters; ``filters[k].w[c][a][b]`` is a weight, ``filters[k].b`` a bias.

    Raises:
        ValueError: when called with another number of channels, or with an image smaller than a filter; for sizes that
            are not whole numbers of at least 1, or padding as wide as the filter.
    """

    @explains(kernel=_KERNEL, size=_KERNEL, filters="write out_channels")
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        activation: str | Function = "linear",
        init: str | Initialiser = "xavier",
        seed: int | random.Random | None = None,
    ) -> None:
        in_channels = whole("the number of input channels", in_channels)
        out_channels = whole("the number of output channels", out_channels)
        height, width = self._kernel_size = rows_and_columns("the size of a filter", kernel_size)
        self._stride, self._padding = (
            rows_and_columns("the stride", stride),
            rows_and_columns("the padding", padding, 0),
        )
        if self._padding[0] >= height or self._padding[1] >= width:
            raise ValueError(
                f"padding of {_by(self._padding)} needs filters larger than that, but these are {height}×{width}: "
                "in the corners they would see nothing but zeros"
            )
        name, function = activations.find(activation, whole_layer=False)
        rng, draw = initialisers.generator(seed), initialisers.find(init)
        area = height * width

        def weights() -> list[Grid]:
            return [
                [[Value(draw(rng, in_channels * area, out_channels * area), label(c, a, b)) for b in range(width)]
                 for a in range(height)]
                for c in range(in_channels)
            ]  # fmt: skip

        def label(c: int, a: int, b: int) -> str:
            return f"w{a},{b}" if in_channels == 1 else f"w{c},{a},{b}"

        if isinstance(function, Module):
            self.activation = function
        self.filters = [Filter(weights(), function, self._stride, self._padding) for _ in range(out_channels)]
        self._channels = in_channels
        self._activation_name = name

    def forward(self, x: Any) -> list[Map]:
        """The feature maps, out_channels × rows × columns, from in_channels × rows × columns."""
        maps = as_maps(x, "the image")
        return [f(maps) for f in self.filters]

    def describe(self) -> str:
        extras = [f"stride {_by(self._stride)}"] * (self._stride != (1, 1))
        extras += [f"padding {_by(self._padding)}"] * (self._padding != (0, 0))
        sizes = f"{self._channels} → {len(self.filters)}, {_by(self._kernel_size)}"
        return f"Conv2d({', '.join([sizes, *extras, self._activation_name])})"


def _channels(n: int) -> str:
    return f"{n} channel{'s' * (n != 1)}"


# --- pooling


def _l2(window: list[Any]) -> Any:
    # Where all entries are 0, √'s slope is infinite; Σx² itself, which is 0 there with gradient 0, takes its place.
    total = left_to_right(x * x for x in window)
    return where(total > 0.0, sqrt(where(total > 0.0, total, 1.0)), total)


KINDS: dict[str, Callable[[list[Any]], Any]] = {
    "mean": lambda window: left_to_right(window) / float(len(window)),
    "max": maximum,
    "l2": _l2,
}
_ELSEWHERE = {"avg": "mean", "average": "mean"}  # what other libraries call them


@overload
def pool2d(
    x: Sequence[Sequence[float]], kernel_size: Size, kind: str = "mean", stride: Size | None = None
) -> list[list[float]]: ...
@overload
def pool2d(x: Sequence[Sequence[Value]], kernel_size: Size, kind: str = "mean", stride: Size | None = None) -> Map: ...
@overload
def pool2d(
    x: Sequence[Sequence[Sequence[float]]], kernel_size: Size, kind: str = "mean", stride: Size | None = None
) -> list[list[list[float]]]: ...
@overload
def pool2d(
    x: Sequence[Sequence[Sequence[Value]]], kernel_size: Size, kind: str = "mean", stride: Size | None = None
) -> list[Map]: ...
@overload
def pool2d(x: Any, kernel_size: Size, kind: str = "mean", stride: Size | None = None) -> Any: ...
def pool2d(x: Any, kernel_size: Size, kind: str = "mean", stride: Size | None = None) -> Any:
    """Each window of an image as one number: its mean, its largest entry, or its length √Σx².

    | kind   | value        | derivative by xᵢ                                                   |
    |--------|--------------|--------------------------------------------------------------------|
    | "mean" | Σx / n       | 1/n                                                                |
    | "max"  | max(x₁ … xₙ) | 1 for the largest, 0 for the others; k that tie for it get 1/k each |
    | "l2"   | √Σx²         | xᵢ / √Σx²; in a window of zeros, where there is none, 0             |

    Args:
        x: one map, rows × columns of numbers or Values, or several, channels × rows × columns.
        kernel_size: of a window: one number, or a pair (rows, columns).
        kind: "mean", "max" or "l2".
        stride: how far a window is from the next; as far as it is large, if not given, so that none overlap. Rows and
            columns at the end that fill no window any more are left out.

    Returns:
        One map or several, as x is: (M - kernel_size) // stride + 1 rows of Values (or of plain numbers), columns
        likewise.

    >>> pool2d([[1, 2, 3, 4], [5, 6, 7, 8]], 2, "max")
    [[6.0, 8.0]]

    Raises:
        ValueError: for an unknown kind, a window larger than the image, or rows of different lengths.
        TypeError: for anything that is not rows of numbers.
    """
    one_of("pooling", kind, KINDS, _ELSEWHERE)
    height, width = rows_and_columns("the size of a window", kernel_size)
    step = (height, width) if stride is None else rows_and_columns("the stride", stride)
    maps = as_maps(x, "the image")
    rows, columns = _shape(maps[0])
    if height > rows or width > columns:
        raise ValueError(f"a window of {height}×{width} does not fit into {rows}×{columns}; take a smaller one")
    pooled = [[[KINDS[kind](w) for w in line] for line in _windows([grid], (height, width), step)] for grid in maps]
    return pooled if _levels(x) >= 3 else pooled[0]


class Pool2d(Module):
    """`pool2d` as a module, for a place in a `Sequential`: every map becomes smaller, and nothing is learned.

    Args:
        kernel_size, kind, stride: as for `pool2d`.
    """

    @explains(size=_KERNEL, pool_size=_KERNEL, window=_KERNEL)
    def __init__(self, kernel_size: Size, kind: str = "mean", stride: Size | None = None) -> None:
        one_of("pooling", kind, KINDS, _ELSEWHERE)
        self._kernel_size = rows_and_columns("the size of a window", kernel_size)
        self._stride = self._kernel_size if stride is None else rows_and_columns("the stride", stride)
        self._of_kind = kind

    def forward(self, x: Any) -> Any:
        return pool2d(x, self._kernel_size, self._of_kind, self._stride)

    def describe(self) -> str:
        stride = f", stride {_by(self._stride)}" if self._stride != self._kernel_size else ""
        return f"Pool2d({_by(self._kernel_size)}, {self._of_kind}{stride})"


# --- from rows to images and back


class Reshape(Module):
    """A list of numbers as nested lists: Reshape(1, 8, 8) makes one channel of 8×8 of the 64 numbers of a digit.

    Where the examples are flat rows, as the digits of `nn.data.digits` are, this stands in front of the first
    convolution. What is nested already is flattened first; the order is that of reading: the first row first, the first
    channel first.

    Args:
        shape: the lengths of the lists, outermost first.

    Raises:
        ValueError: when called with more or fewer numbers than go into that shape.
    """

    def __init__(self, *shape: int) -> None:
        if not shape or isinstance(shape[0], (list, tuple)):
            raise ValueError(f"Reshape needs the lengths of the lists, such as Reshape(1, 8, 8), but got {shape}")
        self._shape = tuple(whole("a length", n) for n in shape)

    def forward(self, x: Any) -> Any:
        numbers = flatten(x)
        wanted = math.prod(self._shape)
        if len(numbers) != wanted:
            raise ValueError(f"{_by(self._shape)} takes {wanted} numbers, but got {len(numbers)}")
        for n in self._shape[:0:-1]:
            numbers = [numbers[k : k + n] for k in range(0, len(numbers), n)]
        return numbers

    def describe(self) -> str:
        return f"Reshape({_by(self._shape)})"


class Flatten(Module):
    """Nested lists as one list, for a dense `Layer` behind feature maps; in the order of reading."""

    def forward(self, x: Any) -> list[Value | float]:
        return flatten(x)


__all__ = ["Conv2d", "Filter", "Flatten", "Pool2d", "Reshape", "convolve2d", "pool2d"]
