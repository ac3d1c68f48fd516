"""Convolution and pooling: values against SciPy, gradients against PyTorch and central differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

import autograd
import nn
from autograd import Value, gradcheck, topological_order
from nn import Conv2d, Flatten, Layer, Pool2d, Reshape, Sequential
from nn.conv import convolve2d, pool2d

IMAGE = [[float(3 * i + j + 1) for j in range(3)] for i in range(3)]  # 1 … 9


def values(numbers: Any) -> Any:
    return [values(x) for x in numbers] if isinstance(numbers, (list, np.ndarray)) else Value(float(numbers))


def data(x: Any) -> Any:
    return [data(entry) for entry in x] if isinstance(x, list) else x.data if isinstance(x, Value) else x


def leaves(x: Any) -> list[Value]:
    return [leaf for entry in x for leaf in leaves(entry)] if isinstance(x, list) else [x]


def grads(x: Any) -> Any:
    return np.array([leaf.grad for leaf in leaves(x)])


sizes = st.integers(1, 6)


# --- curriculum C1


@pytest.mark.parametrize(
    ("mode", "flip", "expected"),
    [
        # [[1, 2], [3, 4]] over 1 … 9 in rows of three, each sum written out by hand
        ("valid", True, [[4 * 1 + 3 * 2 + 2 * 4 + 1 * 5, 4 * 2 + 3 * 3 + 2 * 5 + 1 * 6],
                         [4 * 4 + 3 * 5 + 2 * 7 + 1 * 8, 4 * 5 + 3 * 6 + 2 * 8 + 1 * 9]]),
        ("valid", False, [[1 * 1 + 2 * 2 + 3 * 4 + 4 * 5, 1 * 2 + 2 * 3 + 3 * 5 + 4 * 6],
                          [1 * 4 + 2 * 5 + 3 * 7 + 4 * 8, 1 * 5 + 2 * 6 + 3 * 8 + 4 * 9]]),
        ("full", True, [[1, 4, 7, 6], [7, 23, 33, 24], [19, 53, 63, 42], [21, 52, 59, 36]]),
        ("same", True, [[1, 4, 7], [7, 23, 33], [19, 53, 63]]),
    ],
)  # fmt: skip
def test_a_small_convolution_gives_the_sums_worked_out_by_hand(mode: str, flip: bool, expected: Any) -> None:
    assert convolve2d(IMAGE, [[1, 2], [3, 4]], mode, flip) == expected


@given(sizes, sizes, sizes, sizes, st.sampled_from(["valid", "same", "full"]), st.booleans(), st.integers(0, 2**32 - 1))
@settings(max_examples=120, deadline=None)
def test_every_shape_and_mode_gives_the_shape_of_the_textbook_and_the_values_of_scipy(
    m: int, n: int, k1: int, k2: int, mode: str, flip: bool, seed: int
) -> None:
    if mode == "valid":
        k1, k2 = min(k1, m), min(k2, n)
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(m, n)), rng.normal(size=(k1, k2))
    found = np.array(convolve2d(x, w, mode, flip))
    shapes = {"valid": (m - k1 + 1, n - k2 + 1), "same": (m, n), "full": (m + k1 - 1, n + k2 - 1)}
    assert found.shape == shapes[mode]
    reference = (signal.convolve2d if flip else signal.correlate2d)(x, w, mode)
    np.testing.assert_allclose(found, reference, rtol=1e-12, atol=1e-12)


def test_full_convolution_commutes_and_correlation_does_not() -> None:
    x, w = [[1.0, 2.0, 0.5], [-1.0, 3.0, 2.0]], [[2.0, -1.0], [0.5, 4.0]]
    np.testing.assert_allclose(convolve2d(x, w, "full"), convolve2d(w, x, "full"), rtol=1e-15)
    assert not np.allclose(convolve2d(x, w, "full", flip=False), convolve2d(w, x, "full", flip=False))


def test_the_layer_computes_the_correlation() -> None:
    layer = Conv2d(1, 1, 2, seed=3)
    weights = data(layer.filters[0].w[0])
    np.testing.assert_allclose(data(layer(IMAGE))[0], convolve2d(IMAGE, weights, flip=False), rtol=1e-14)
    assert not np.allclose(data(layer(IMAGE))[0], convolve2d(IMAGE, weights))


@pytest.mark.parametrize(
    ("kind", "expected"), [("mean", [[3.5, 5.5]]), ("max", [[6, 8]]), ("l2", [[math.sqrt(66), math.sqrt(138)]])]
)
def test_pooling_gives_the_figures_worked_out_by_hand(kind: str, expected: Any) -> None:
    np.testing.assert_allclose(pool2d([[1, 2, 3, 4], [5, 6, 7, 8]], 2, kind), expected, rtol=1e-15)


# --- gradients


@pytest.mark.parametrize("mode", ["valid", "same", "full"])
@pytest.mark.parametrize("flip", [True, False])
def test_the_gradients_of_a_convolution_agree_with_central_differences(mode: str, flip: bool) -> None:
    rng = np.random.default_rng(1)
    x, w = values(rng.normal(size=(3, 4))), values(rng.normal(size=(2, 3)))
    ramp = rng.normal(size=(8, 8))

    def f(*_: Any) -> Any:
        y = convolve2d(x, w, mode, flip)
        return sum(ramp[i, j] * v for i, row in enumerate(y) for j, v in enumerate(row))

    gradcheck(f, leaves(x) + leaves(w))


def test_the_gradient_by_the_image_is_the_full_convolution_of_the_upstream_gradient_with_the_filter() -> None:
    """What a correlation does forwards, a convolution undoes backwards: the reason for the textbook's flip."""
    rng = np.random.default_rng(2)
    x, w, upstream = values(rng.normal(size=(4, 5))), rng.normal(size=(2, 3)), rng.normal(size=(3, 3))
    y = convolve2d(x, w, flip=False)
    sum(float(upstream[i, j]) * v for i, row in enumerate(y) for j, v in enumerate(row)).backward()
    np.testing.assert_allclose(grads(x), signal.convolve2d(upstream, w, "full").ravel(), rtol=1e-12, atol=1e-12)


@given(
    channels=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    size=st.tuples(st.integers(3, 5), st.integers(3, 5)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 2)),
    seed=st.integers(0, 2**32 - 1),
    how_far=st.floats(0, 0.99),
)
@settings(max_examples=30, deadline=None)
def test_values_and_gradients_of_a_layer_equal_those_of_pytorch(
    channels: Any, size: Any, kernel: Any, stride: Any, seed: int, how_far: float
) -> None:
    torch = pytest.importorskip("torch")
    padding = int(how_far * kernel[0]), int(how_far * kernel[1])
    layer = Conv2d(*channels, kernel, stride, padding, activation="tanh", seed=seed)
    for k, f in enumerate(layer.filters):
        f.b.data = 0.1 * (k + 1)
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(channels[0], *size))
    x = values(numbers)
    y = layer(x)
    tx = torch.tensor(numbers, requires_grad=True)
    tw = torch.tensor([data(f.w) for f in layer.filters], dtype=torch.float64, requires_grad=True)
    tb = torch.tensor([f.b.data for f in layer.filters], dtype=torch.float64, requires_grad=True)
    ty = torch.nn.functional.conv2d(tx[None], tw, tb, stride, padding)[0].tanh()
    assert np.array(data(y)).shape == tuple(ty.shape)
    np.testing.assert_allclose(data(y), ty.detach().numpy(), rtol=1e-10, atol=1e-12)
    upstream = rng.normal(size=tuple(ty.shape))
    sum(float(u) * v for u, v in zip(upstream.ravel(), leaves(y), strict=True)).backward()
    (torch.tensor(upstream) * ty).sum().backward()
    found = [grads(x), grads([f.w for f in layer.filters]), grads([f.b for f in layer.filters])]
    for ours, theirs in zip(found, (tx, tw, tb), strict=True):
        np.testing.assert_allclose(ours, theirs.grad.numpy().ravel(), rtol=1e-10, atol=1e-12)


@given(
    kind=st.sampled_from(["mean", "max", "l2"]),
    size=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.one_of(st.none(), st.integers(1, 3)),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_values_and_gradients_of_pooling_equal_those_of_pytorch(kind: str, size: Any, stride: Any, seed: int) -> None:
    torch = pytest.importorskip("torch")
    numbers = np.random.default_rng(seed).normal(size=(2, 5, 4))
    x = values(numbers)
    y = pool2d(x, size, kind, stride)
    tx = torch.tensor(numbers, requires_grad=True)
    step = size if stride is None else stride
    if kind == "l2":  # PyTorch's lp_pool2d, by its definition: it has an infinite slope at 0 as well
        ty = (torch.nn.functional.avg_pool2d(tx[None] ** 2, size, step)[0] * (size[0] * size[1])).sqrt()
    else:
        pool = {"mean": torch.nn.functional.avg_pool2d, "max": torch.nn.functional.max_pool2d}[kind]
        ty = pool(tx[None], size, step)[0]
    assert np.array(data(y)).shape == tuple(ty.shape)
    np.testing.assert_allclose(data(y), ty.detach().numpy(), rtol=1e-10)
    sum(leaves(y)[1:], leaves(y)[0]).backward()
    ty.sum().backward()
    np.testing.assert_allclose(grads(x), tx.grad.numpy().ravel(), rtol=1e-10, atol=1e-12)


def test_a_whole_net_has_the_loss_and_the_gradients_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    model = Sequential(
        Conv2d(2, 3, 3, padding=1, activation="relu", init="he", seed=0),
        Pool2d(2, "max"),
        Conv2d(3, 2, 2, activation="tanh", seed=1),
        Flatten(),
        Layer(8, 3, "linear", seed=2),
    )
    F = torch.nn.functional
    x = np.random.default_rng(0).normal(size=(2, 6, 6))
    loss = nn.cross_entropy(model(x), 1)
    loss.backward()
    first, _, second, _, last = model.layers

    def tensor(numbers: Any) -> Any:
        return torch.tensor(numbers, dtype=torch.float64, requires_grad=True)

    parts = []
    for layer in (first, second):
        parts += [tensor([data(f.w) for f in layer.filters]), tensor([f.b.data for f in layer.filters])]
    parts += [tensor([data(n.w) for n in last.neurons]), tensor([n.b.data for n in last.neurons])]
    h = F.max_pool2d(F.conv2d(torch.tensor(x)[None], parts[0], parts[1], padding=1).relu(), 2)
    z = F.linear(F.conv2d(h, parts[2], parts[3]).tanh().flatten(1), parts[4], parts[5])
    reference = F.cross_entropy(z, torch.tensor([1]))
    reference.backward()
    assert loss.data == pytest.approx(reference.item(), rel=1e-12)
    units: list[Any] = [*first.filters, *second.filters, *last.neurons]
    ours = {"w": [grads(u.w) for u in units], "b": [u.b.grad for u in units]}
    np.testing.assert_allclose(np.concatenate(ours["w"]), np.concatenate([p.grad.numpy().ravel() for p in parts[::2]]),
                               rtol=1e-10, atol=1e-13)  # fmt: skip
    np.testing.assert_allclose(ours["b"], np.concatenate([p.grad.numpy() for p in parts[1::2]]), rtol=1e-10)


def test_entries_that_tie_for_the_maximum_share_its_gradient() -> None:
    x = values([[2.0, 2.0], [1.0, 0.0]])
    (y,) = leaves(pool2d(x, 2, "max"))
    y.backward()
    assert grads(x).tolist() == [0.5, 0.5, 0.0, 0.0]


def test_l2_pooling_of_zeros_is_zero_with_gradient_zero_eagerly_and_compiled() -> None:
    x = values(np.zeros((2, 2)))
    (y,) = leaves(pool2d(x, 2, "l2"))
    y.backward()
    assert y.data == 0.0
    assert grads(x).tolist() == [0.0] * 4
    scale = Value(2.0)
    step = autograd.compile(lambda image: pool2d([[scale * v for v in row] for row in image], 2, "l2")[0][0], IMAGE)
    batch = np.array([np.zeros((3, 3)), [[3.0, 0, 1], [0, 4.0, 1], [1, 1, 1]]])
    assert step(batch) == 5.0  # the mean of 0 and 2 · 5
    assert step.gradient == [2.5]


# --- shapes and words


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "expected"),
    [
        ((8, 8), 3, 1, 0, (6, 6)),
        ((8, 8), 3, 1, 1, (8, 8)),
        ((7, 5), (3, 2), 2, (1, 0), (4, 2)),
        ((5, 5), 5, 3, 0, (1, 1)),
    ],
)
def test_the_layers_maps_have_the_size_that_its_formula_says(
    size: Any, kernel: Any, stride: Any, padding: Any, expected: Any
) -> None:
    maps = Conv2d(1, 2, kernel, stride, padding, seed=0)(np.ones(size))
    assert np.array(data(maps)).shape == (2, *expected)


def test_a_grey_image_may_come_without_its_one_channel() -> None:
    layer = Conv2d(1, 2, 2, seed=0)
    assert (
        data(layer(IMAGE))
        == data(layer([IMAGE]))
        == data(layer(np.array(IMAGE)))
        == data(layer(tuple(map(tuple, IMAGE))))
    )


def test_pooling_returns_one_map_for_one_and_several_for_several() -> None:
    assert pool2d(IMAGE, 3) == [[5.0]]
    assert pool2d([IMAGE, IMAGE], 3) == [[[5.0]], [[5.0]]]


def test_a_size_may_be_an_array() -> None:
    assert pool2d(IMAGE, np.array([1, 2])) == pool2d(IMAGE, (1, 2)) == pool2d(IMAGE, [1, np.int64(2)])


def test_pooling_leaves_out_what_fills_no_window_and_overlaps_when_its_stride_is_small() -> None:
    assert pool2d(IMAGE, 2, "max") == [[5.0]]
    assert pool2d(IMAGE, 2, "max", 1) == [[5.0, 6.0], [8.0, 9.0]]


@pytest.mark.parametrize("kind", ["uint8", "int8", "float16"])
def test_small_numbers_of_numpy_do_not_overflow_in_lists(kind: str) -> None:
    rows = [list(row) for row in np.full((2, 2), 100, dtype=kind)]  # 4·100 is 144 in uint8
    assert convolve2d(rows, [[100, 100], [100, 100]]) == [[40000]] and pool2d(rows, 2) == [[100.0]]


def test_plain_numbers_stay_plain_numbers() -> None:
    assert all(type(v) is float for row in convolve2d(IMAGE, [[0.5]]) for v in row)
    assert all(type(v) is float for kind in ("mean", "max", "l2") for row in pool2d(IMAGE, 2, kind) for v in row)


@pytest.mark.parametrize("count", [3, 120])  # more than a hundred go through the compiler where they can
def test_images_are_handed_over_as_they_are(count: int) -> None:
    X = np.random.default_rng(0).normal(size=(count, 2, 5, 5))
    maps = Conv2d(2, 3, 2, seed=0)
    assert np.shape(nn.predict(maps, X)) == (count, 3, 4, 4)
    flat, shaped = Sequential(maps, Flatten()), Sequential(Reshape(2, 5, 5), maps, Flatten())
    answers = nn.predict(flat, X)
    assert np.allclose(answers, np.reshape(nn.predict(maps, X), (count, -1)), rtol=0, atol=1e-13)
    assert answers == nn.predict(shaped, X.reshape(count, -1))


def test_reshape_and_flatten_undo_each_other_in_the_order_of_reading() -> None:
    numbers = list(range(12))
    nested = Reshape(2, 2, 3)(numbers)
    assert nested == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]
    assert Flatten()(nested) == numbers
    assert Reshape(3, 4)(nested) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_every_filter_and_every_place_of_its_window_has_a_scope() -> None:
    model = Sequential(Conv2d(1, 2, 2, activation="relu", seed=0), Pool2d(2, "max"), Flatten())
    y = model(IMAGE)
    scopes = {node.scope for v in y for node in topological_order(v) if node.op not in ("", "const")}
    cells = {f"layers.0.filters.{k}.cells.{i}.{j}" for k in range(2) for i in range(2) for j in range(2)}
    assert scopes == cells | {"layers.1"}
    assert [name for name, _ in model.named_parameters()][:5] == [
        *(f"layers.0.filters.0.w.0.{a}.{b}" for a in range(2) for b in range(2)), "layers.0.filters.0.b",
    ]  # fmt: skip
    assert len(model.weights()) == 8


def test_a_sequence_names_its_parts_and_keeps_what_each_puts_out() -> None:
    model = Sequential(Reshape(1, 3, 3), Conv2d(1, 2, 2, 1, 1, seed=0), Pool2d(3, "l2", 1), Flatten(), sum)
    assert repr(model).splitlines() == [
        "Sequential(5 parts, 10 parameters)",
        "  layers.0: Reshape(1×3×3, 0 parameters)",
        "  layers.1: Conv2d(1 → 2, 2×2, padding 1×1, linear, 10 parameters)",
        "  layers.2: Pool2d(3×3, l2, stride 1×1, 0 parameters)",
        "  layers.3: Flatten(0 parameters)",
    ]
    outputs = model.layer_outputs(range(9))
    assert [np.array(data(y)).shape for y in outputs] == [(1, 3, 3), (2, 4, 4), (2, 2, 2), (8,), ()]
    assert outputs[-1].data == model(range(9)).data


def test_a_saved_net_is_loaded_into_the_same_architecture_only(tmp_path: Any) -> None:
    def net(stride: int) -> Sequential:
        return Sequential(Conv2d(1, 1, 2, stride, seed=stride), Flatten(), Layer(1, 1, seed=stride))

    before = net(2)
    before.save(tmp_path / "net.json")
    after = Sequential(Conv2d(1, 1, 2, 2, seed=7), Flatten(), Layer(1, 1, seed=8)).load(tmp_path / "net.json")
    assert after.state_dict() == before.state_dict()
    with pytest.raises(nn.module.ModelFormatError, match="stride 2×2"):
        net(1).load(tmp_path / "net.json")


def test_the_slope_of_a_prelu_is_one_parameter_of_the_layer() -> None:
    layer = Conv2d(1, 2, 2, activation="prelu", seed=0)
    assert "activation.alpha" in dict(layer.named_parameters())
    assert len(layer.parameters()) == 11


def test_weights_start_with_the_variance_that_the_number_of_inputs_calls_for() -> None:
    layer = Conv2d(4, 200, 3, init="he", seed=0)
    w = [p.data for p in layer.weights()]
    assert np.var(w) == pytest.approx(2 / (4 * 9), rel=0.05)
    assert all(f.b.data == 0.0 for f in layer.filters)
    assert data(Conv2d(1, 1, 2, seed=5).filters[0].w) == data(Conv2d(1, 1, 2, seed=5).filters[0].w)


# --- compiled


def test_a_net_compiles_to_one_matrix_product_per_layer_whatever_its_padding() -> None:
    for padding in (0, 1):
        side = (6 + 2 * padding) // 2
        model = Sequential(
            Reshape(1, 8, 8), Conv2d(1, 4, 3, padding=padding, activation="relu", init="he", seed=0),
            Pool2d(2), Flatten(), Layer(4 * side * side, 3, "linear", seed=1),
        )  # fmt: skip
        X, T = np.random.default_rng(0).uniform(size=(6, 64)), np.eye(3)[[0, 1, 2, 0, 1, 2]]
        step = autograd.compile(lambda x, t, model=model: nn.cross_entropy(model(x), t), X[0], T[0])
        program = step.source[step.source.index("def program") :]
        assert program[: program.index("dz")].count("@") == 2
        assert len(program.splitlines()) < 35
        eager = [nn.cross_entropy(model(x), t) for x, t in zip(X.tolist(), T.tolist(), strict=True)]
        mean = sum(eager[1:], eager[0]) / len(eager)
        mean.backward()
        assert step(X, T) == pytest.approx(mean.data, rel=1e-12)
        np.testing.assert_allclose(step.gradient, [p.grad for p in step.parameters], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("kind", ["mean", "max", "l2"])
def test_fit_is_the_same_compiled_and_eager(kind: str) -> None:
    rng = np.random.default_rng(3)
    X, y = rng.uniform(size=(12, 25)), [k % 2 for k in range(12)]

    def trained(compiled: bool) -> nn.training.History:
        model = Sequential(
            Reshape(1, 5, 5), Conv2d(1, 2, 2, activation="relu", init="he", seed=0), Pool2d(2, kind), Flatten(),
            Layer(8, 2, "linear", seed=1),
        )  # fmt: skip
        return nn.fit(model, X, y, loss="cross_entropy", epochs=4, batch_size=4, progress=False, compiled=compiled)

    fast, slow = trained(True), trained(False)
    assert fast.compiled
    assert fast["loss"] == pytest.approx(slow["loss"], rel=1e-9)
    assert fast["loss"][-1] < fast["loss"][0]


# --- curriculum C2


def digits_net(seed: int) -> Sequential:
    return Sequential(
        Reshape(1, 8, 8),
        Conv2d(1, 8, 3, padding=1, activation="relu", init="he", seed=seed),
        Pool2d(2, "mean"),
        Flatten(),
        Layer(128, 10, "linear", seed=seed + 1),
    )


def trained_on_digits(epochs: int, lr: float, moves: Any) -> float:
    """The accuracy on a fifth of the digits that was set aside. (How long it takes: `benchmarks/convolution.py`.)"""
    pytest.importorskip("sklearn")
    X_train, y_train, X_test, y_test = nn.data.split(*nn.data.digits(), 0.2, seed=0)
    padded = np.pad(np.array(X_train).reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    X = np.concatenate([padded[:, 1 + i : 9 + i, 1 + j : 9 + j] for i, j in moves]).reshape(-1, 64)
    model = digits_net(seed=0)
    history = nn.fit(
        model, X, y_train * len(moves), loss="cross_entropy", schedule=nn.schedules.cosine(lr, epochs), epochs=epochs,
        batch_size=16, l2=1e-4, progress=False,
    )  # fmt: skip
    assert history.compiled
    return nn.accuracy(model, X_test, y_test)


def test_with_digits_moved_by_a_pixel_it_reads_98_of_100_unseen_ones_c2() -> None:
    accuracy = trained_on_digits(epochs=20, lr=0.03, moves=[(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)])
    assert accuracy >= 0.98


# --- lessons


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: convolve2d(IMAGE, np.ones((4, 2))), ValueError, '"valid" .* inside .* 4×2 .* 3×3; .*"full"'),
        (lambda: convolve2d(IMAGE, [[1]], "vaild"), ValueError, "same, full, but got 'vaild'; did you mean 'valid'?"),
        (lambda: convolve2d(IMAGE, [[1]], None), ValueError, "mode is one of"),
        (lambda: convolve2d(IMAGE, [[1]], ["same"]), ValueError, "mode is one of"),
        (lambda: convolve2d([[1, 2], [3]], [[1]]), ValueError, "the image .* row 0 has 2 numbers and row 1 has 1"),
        (lambda: convolve2d([[1, 2], [3]], [[1], []]), ValueError, "the image"),
        (lambda: convolve2d([1, 2], [[1]]), TypeError, r"the image is a list of rows, such as \[\[1, 2\]"),
        (lambda: convolve2d([IMAGE], [[1]]), TypeError, "one level of brackets too many"),
        (lambda: convolve2d(IMAGE, [["1"]]), TypeError, "the filter holds numbers or Values, but row 0 holds str: '1'"),
        (lambda: convolve2d([], [[1]]), ValueError, "at least one row"),
        (lambda: convolve2d([[]], [[1]]), ValueError, "at least one row"),
        (lambda: convolve2d(3.0, [[1]]), TypeError, "the image is a list of rows"),
        (lambda: pool2d(IMAGE, 4), ValueError, "window of 4×4 does not fit into 3×3"),
        (lambda: pool2d(IMAGE, 2, "avg"), ValueError, "mean, max, l2, but got 'avg'; did you mean 'mean'?"),
        (lambda: pool2d(IMAGE, 0), ValueError, "size of a window must be at least 1"),
        (lambda: pool2d(IMAGE, (1, 2, 3)), ValueError, "one number, or a pair"),
        (lambda: pool2d(IMAGE, 1.5), TypeError, "whole number"),
        (lambda: pool2d([IMAGE, [[1.0]]], 1), ValueError, "channel 0 is 3×3 and channel 1 is 1×1"),
        (lambda: Pool2d(2, "median"), ValueError, "pooling is one of"),
        (lambda: Conv2d(3, 1, 2)(IMAGE), ValueError, "takes 3 channels, but got 1 channel of 3×3"),
        (lambda: Conv2d(1, 1, 2)([IMAGE, IMAGE]), ValueError, "takes 1 channel, but got 2 channels of 3×3"),
        (lambda: Conv2d(1, 1, 4)(IMAGE), ValueError, "filters of 4×4 do not fit into an image with 3 rows; .* padding"),
        (lambda: Conv2d(1, 1, 6, padding=1)(IMAGE), ValueError, "3 rows, 5 with its padding,"),
        (lambda: Conv2d(1, 1, (2, 1))([[1, 2]]), ValueError, "filters of 2×1 do not fit into an image with 1 row;"),
        (lambda: Conv2d(1, 1, 2).filters[0]([IMAGE, IMAGE]), ValueError, "takes 1 channel, but got 2 channels"),
        (lambda: Conv2d(1, 1, 4).filters[0](IMAGE), ValueError, "filters of 4×4 do not fit"),
        (lambda: Conv2d(1, 1, 2)([[1, 2], [3]]), ValueError, "the rows of the image"),
        (lambda: Conv2d(1, 1, 2)(range(9)), TypeError, "Reshape"),
        (lambda: Conv2d(1, 1, 2, padding=2), ValueError, "nothing but zeros"),
        (lambda: Conv2d(1, 1, 2, padding=-1), ValueError, "the padding must be at least 0"),
        (lambda: Conv2d(1, 1, 2, stride=0), ValueError, "the stride must be at least 1"),
        (lambda: Conv2d(0, 1, 2), ValueError, "the number of input channels must be at least 1"),
        (lambda: Conv2d(1, 1, 2, activation="softmax"), ValueError, "softmax"),
        (lambda: Reshape(1, 8, 8)([0.0] * 60), ValueError, "1×8×8 takes 64 numbers, but got 60"),
        (lambda: Reshape((1, 8, 8)), ValueError, r"such as Reshape\(1, 8, 8\), but got \(\(1, 8, 8\),\)"),
        (lambda: Reshape(), ValueError, r"such as Reshape\(1, 8, 8\)"),
        (lambda: nn.accuracy(Conv2d(1, 1, 2), np.zeros((4, 3, 3)), [0] * 4), ValueError, "1 list of 2 lists of 2 numb"),
        (lambda: Sequential(), ValueError, "at least one part"),
        (lambda: Sequential([Flatten()]), TypeError, "without the brackets"),
        (lambda: Sequential(Flatten), TypeError, r"write Flatten\(...\)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_what_was_expected(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
