"""Data sets: shapes, geometry, seeds; and the IDX files of MNIST, on files that the tests write."""

from __future__ import annotations

import gzip
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from nn import data


def test_xor_is_the_four_corners() -> None:
    assert list(zip(*data.xor(), strict=True)) == [([0.0, 0.0], 0), ([0.0, 1.0], 1), ([1.0, 0.0], 1), ([1.0, 1.0], 0)]
    assert data.xor(signs=True)[1] == [-1, 1, 1, -1]


def test_moons_without_noise_lie_on_two_half_circles() -> None:
    X, y = data.moons(101, noise=0.0)
    assert (y.count(0), y.count(1)) == (51, 50)
    for (a, b), k in zip(X, y, strict=True):
        u, v = (a, b) if k == 0 else (1.0 - a, 0.5 - b)
        assert math.hypot(u, v) == pytest.approx(1.0)
        assert v >= -1e-12


def test_moons_are_those_of_scikit_learn() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    X, y = data.moons(40, noise=0.0)
    theirs, labels = datasets.make_moons(40, shuffle=False)
    assert np.allclose(X, theirs, atol=1e-12)
    assert y == labels.tolist()


def test_circles_without_noise_have_their_radii() -> None:
    X, y = data.circles(60, noise=0.0, ratio=0.4)
    assert {(k, round(math.hypot(*x), 12)) for x, k in zip(X, y, strict=True)} == {(0, 1.0), (1, 0.4)}


def test_spirals_wind_out_of_the_origin_one_arm_per_class() -> None:
    X, y = data.spirals(90, classes=3, noise=0.0)
    for k in range(3):
        radii = [math.hypot(*x) for x, t in zip(X, y, strict=True) if t == k]
        assert len(radii) == 30
        assert radii == pytest.approx([i / 29 for i in range(30)])
    ends = [x for x, r in zip(X, map(math.hypot, *zip(*X, strict=True)), strict=True) if r > 0.999]
    angles = sorted(math.atan2(*x) % (2 * math.pi) for x in ends)
    assert np.diff(angles) == pytest.approx([2 * math.pi / 3] * 2)


def test_blobs_surround_their_centres() -> None:
    centres = [[0.0, 5.0, 1.0], [-3.0, 0.0, 2.0]]
    X, y = data.blobs(400, centres, spread=0.5, seed=1)
    for k, centre in enumerate(centres):
        cloud = np.array([x for x, t in zip(X, y, strict=True) if t == k])
        assert cloud.shape == (200, 3)
        assert np.allclose(cloud.mean(axis=0), centre, atol=5 * 0.5 / math.sqrt(200))
        assert np.allclose(cloud.std(axis=0), 0.5, rtol=0.25)
    assert {len(x) for x in data.blobs(10, 2, features=5)[0]} == {5}


def test_the_noisy_curve_stays_within_its_band_b14() -> None:
    X, y = data.noisy_curve(200, seed=4)
    errors = [t - (x + 0.3 * math.sin(2 * math.pi * x)) for (x,), t in zip(X, y, strict=True)]
    assert (X[0], X[-1]) == ([0.0], [1.0])
    assert max(map(abs, errors)) <= 0.1
    assert max(errors) > 0.09
    assert min(errors) < -0.09


@pytest.mark.parametrize("make", [data.moons, data.circles, data.spirals, data.blobs, data.noisy_curve])
def test_a_seed_gives_the_same_points_and_no_global_generator_is_touched(make: Any) -> None:
    random.seed(3)
    before = random.getstate()
    assert make(seed=1) == make(seed=1) != make(seed=2)
    assert random.getstate() == before


def test_digits_are_scaled_to_one() -> None:
    pytest.importorskip("sklearn")
    X, y = data.digits()
    assert (len(X), len(X[0]), len(y)) == (1797, 64, 1797)
    assert (min(map(min, X)), max(map(max, X)), set(y)) == (0.0, 1.0, set(range(10)))


def test_digits_without_scikit_learn_say_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match="-m pip install scikit-learn"):
        data.digits()


def test_one_hot() -> None:
    assert data.one_hot([0, 2, 1]) == [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    assert data.one_hot([0], 2) == [[1.0, 0.0]]
    assert data.one_hot(1, 3) == [0.0, 1.0, 0.0] == data.one_hot([1], 3)[0]
    assert data.one_hot(np.array([1, 0])) == [[0.0, 1.0], [1.0, 0.0]] and data.one_hot([]) == []
    assert nn.one_hot is data.one_hot


@pytest.mark.parametrize(
    ("classes", "count", "error", "message"),
    [
        ([0, 3], 3, ValueError, "there are 3 places, 0…2, but class 1 is 3"),
        ([-1], 3, ValueError, "there are 3 places, 0…2, but class 0 is -1"),
        ([0, 1, -1], None, ValueError, "class 2 must be at least 0, but got -1"),
        ([10**400], 3, ValueError, "there are 3 places, 0…2, but class 0 is 1000"),
        ([math.nan], 3, TypeError, "class 0 must be a whole number 0…2, but got nan"),
        ([0.5], 3, TypeError, "class 0 must be a whole number 0…2, but got 0.5"),
        (3, 3, ValueError, "there are 3 places, 0…2, but the class is 3"),
        ("1", 3, TypeError, "the class must be a whole number 0…2, but got '1'"),
        (1, None, ValueError, r"of how many classes is 1 one\? Write one_hot\(1, 10\)"),
        ([0], 0, ValueError, "num_classes must be at least 1, but got 0"),
    ],
)
def test_what_is_no_class_is_refused_by_its_place(
    classes: Any, count: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        data.one_hot(classes, count)


@settings(deadline=None)
@given(st.integers(2, 60), st.floats(0.05, 0.95), st.integers(0, 99))
def test_split_gives_every_example_to_one_side_with_its_target(n: int, fraction: float, seed: int) -> None:
    X, y = [[float(i)] for i in range(n)], list(range(n))
    if not 0 < round(n * fraction) < n:
        with pytest.raises(ValueError, match="leaves one side empty"):
            data.split(X, y, fraction, seed)
        return
    X_train, y_train, X_test, y_test = data.split(X, y, fraction, seed)
    assert sorted(y_train + y_test) == y
    assert len(y_test) == round(n * fraction)
    assert [x[0] for x in X_train + X_test] == y_train + y_test
    arrays = data.split(np.array(X), np.array(y), fraction, seed)
    assert [a.tolist() for a in arrays] == [X_train, y_train, X_test, y_test]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: data.moons(1), "2 classes need at least one point each, but n is 1"),
        (lambda: data.spirals(5, classes=6), "6 classes need at least one point each, but n is 5"),
        (lambda: data.circles(ratio=1.5), "between 0 and 1, but got 1.5"),
        (lambda: data.noisy_curve(1), "must be at least 2, but got 1"),
        (lambda: data.blobs(10, [[1.0], [1.0, 2.0]]), r"but have \[1, 2\]"),
        (lambda: data.split([1, 2], [1]), "X has 2 examples, but y has 1 targets"),
    ],
)
def test_data_that_cannot_be_made_says_why(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


# --- IDX


def idx(array: np.ndarray[Any, Any]) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.astype(np.uint8).tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small MNIST: 7 training and 3 test images of 4×5 pixels."""
    rng = np.random.default_rng(0)
    for part, n in (("train", 7), ("t10k", 3)):
        images = rng.integers(0, 256, (n, 4, 5))
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.arange(n) % 10))
    return tmp_path


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.integers(0, 99))
def test_an_idx_file_comes_back_as_it_was(shape: list[int], seed: int) -> None:
    import tempfile

    array = np.random.default_rng(seed).integers(0, 256, shape)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "data"
        path.write_bytes(idx(array))
        assert np.array_equal(data.read_idx(path), array)
        path.write_bytes(gzip.compress(idx(array)))
        assert np.array_equal(data.read_idx(path), array)


def test_mnist_is_read_raw_or_gzipped_scaled_and_flat(folder: Path) -> None:
    X, y = data.mnist(folder)
    assert (X.shape, y.tolist()) == ((7, 20), [0, 1, 2, 3, 4, 5, 6])
    assert X.dtype == np.float64
    assert 0.0 <= X.min() < X.max() <= 1.0
    for path in list(folder.iterdir()):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    again, labels = data.mnist(folder)
    assert np.array_equal(again, X)
    assert np.array_equal(labels, y)
    assert data.mnist(folder, "test")[0].shape == (3, 20)
    assert data.mnist(folder, limit=2)[0].shape == (2, 20)


def test_a_missing_file_gives_both_names(folder: Path) -> None:
    (folder / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match=r"no train-labels-idx1-ubyte\.gz or train-labels-idx1-ubyte in"):
        data.mnist(folder)
    with pytest.raises(ValueError, match="part is one of train, test, but got 'valid'"):
        data.mnist(folder, "valid")


GOOD = idx(np.zeros((3, 2, 2)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has 0 bytes; an IDX file begins with 4 bytes"),
        (GOOD[:3], "has 3 bytes"),
        (GOOD[:10], "is cut short: 3 dimensions need a header of 16 bytes, it has 10"),
        (GOOD[:-1], "is cut short: its header says 3×2×2 = 12 bytes of data, but it has 11"),
        (GOOD + b"x", "is too long: its header says 3×2×2 = 12 bytes of data, but it has 13"),
        (b"\x01" + GOOD[1:], "begins with 01 00 08 03; an IDX file of unsigned bytes begins with 00 00 08"),
        (b"\x00\x00\x0d" + GOOD[3:], "begins with 00 00 0d 03"),
        (b"\x00\x00\x08\x00", "begins with 00 00 08 00"),
        (b"<!DOCTYPE html>", "begins with 3c 21 44 4f"),
        (gzip.compress(GOOD, mtime=0)[:-5], "is not complete gzip data; download it again"),
        (gzip.compress(GOOD, mtime=0)[:12] + b"\xff" + gzip.compress(GOOD, mtime=0)[13:], "is not complete gzip data"),
        (b"\x1f\x8b", "is not complete gzip data"),
    ],
)
def test_a_wrong_or_truncated_file_says_what_is_wrong(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(data.IDXError) as caught:
        data.read_idx(tmp_path / "file")
    assert f"file {message}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("train-images-idx3-ubyte", np.zeros(7), "images have 3 dimensions .* has 1"),
        ("train-labels-idx1-ubyte", np.zeros((7, 2)), "labels have 1 dimension, but this file has 2"),
        ("train-labels-idx1-ubyte", np.zeros(6), "there are 7 images, but 6 labels"),
        ("train-labels-idx1-ubyte", np.full(7, 10), "labels are digits 0…9, but there is a 10"),
    ],
)
def test_files_that_do_not_go_together_say_so(folder: Path, name: str, array: Any, message: str) -> None:
    (folder / name).write_bytes(idx(array))
    with pytest.raises(data.IDXError, match=message):
        data.mnist(folder)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(folder: Path, limit: int) -> None:
    with pytest.raises(ValueError, match=f"limit must be at least 1, but got {limit}"):
        data.mnist(folder, limit=limit)


def test_files_without_images_are_an_idx_error(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(np.zeros((0, 28, 28), np.uint8)))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(0, np.uint8)))
    with pytest.raises(data.IDXError, match="there are no images"):
        data.mnist(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes([0, 0, 8, 70]) + (1).to_bytes(4, "big") * 70 + b"\x01", "has 70 dimensions"),
        (bytes([0, 0, 8, 4]) + (2**32 - 1).to_bytes(4, "big") * 3 + (0).to_bytes(4, "big"), "no array can have"),
    ],
)
def test_dimensions_that_no_array_can_have_are_an_idx_error(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "odd").write_bytes(content)
    with pytest.raises(data.IDXError, match=message):
        data.read_idx(tmp_path / "odd")


def test_a_dimension_of_zero_makes_an_empty_array(tmp_path: Path) -> None:
    (tmp_path / "odd").write_bytes(bytes([0, 0, 8, 2]) + (2**32 - 1).to_bytes(4, "big") + bytes(4))
    assert data.read_idx(tmp_path / "odd").shape == (2**32 - 1, 0)


def test_split_takes_a_pandas_table_by_position() -> None:
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame({"a": range(10), "b": range(10)}, index=range(100, 110))
    X_train, y_train, X_test, y_test = data.split(X, X["a"])
    assert (len(X_train), len(X_test)) == (8, 2)
    assert list(X_train["a"]) == list(y_train)
    assert list(X_test["a"]) == list(y_test)


def test_split_picks_rows_by_position_of_whatever_has_iloc() -> None:
    class Rows:
        def __init__(self, table: list[int]) -> None:
            self.table = table
            self.iloc = self

        def __getitem__(self, indices: list[int]) -> list[int]:
            return [self.table[i] for i in indices]

        def __len__(self) -> int:
            return len(self.table)

    X_train, y_train, X_test, y_test = data.split(Rows([5, 6, 7, 8]), [5, 6, 7, 8], 0.5)
    assert (X_train, X_test) == (y_train, y_test)


def test_counts_may_be_any_kind_of_whole_number() -> None:
    assert data.moons(100.0) == data.moons(100)  # type: ignore[arg-type]
    assert data.blobs(10, np.int64(2)) == data.blobs(10, 2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: data.moons("100"), "n must be a whole number, but got str: '100'"),  # type: ignore[arg-type]
        (lambda: data.moons(10.5), "n must be a whole number, but got float: 10.5"),  # type: ignore[arg-type]
        (lambda: data.blobs(10, None), "centers must be a whole number, but got NoneType: None"),  # type: ignore[arg-type]
        (lambda: data.moons(10, noise="x"), "noise must be a number from 0 up"),  # type: ignore[arg-type]
        (lambda: data.split([1, 2], [1, 2], "half"), "fraction must be a number, but got str: 'half'"),  # type: ignore[arg-type]
        (lambda: data.split([1, 2], [1, 2], math.nan), "a fraction of nan of 2 examples leaves one side empty"),
        (lambda: data.blobs(10, 2, spread=-1.0), "spread must be a number from 0 up, but got -1.0"),
    ],
)
def test_data_sets_say_what_they_expected(build: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        build()
