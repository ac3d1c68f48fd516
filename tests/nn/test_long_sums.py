"""While a function is compiled a long weighted sum is recorded as one node: the program must not show it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import grad, statistics
from autograd.modes import TRACING
from nn import MLP, Conv2d, Embedding, Flatten, Layer, Sequential, cross_entropy, layers

RNG = np.random.default_rng(0)


def convolution() -> Any:
    return Sequential(Conv2d(4, 2, 3, padding=1, activation="tanh", seed=0), Flatten(), Layer(50, 3, seed=1))


def tied() -> Any:
    model = MLP(40, [40, 3], seed=0)
    model.layers[0].neurons[1].w[3] = model.layers[0].neurons[0].w[5]
    model.layers[0].neurons[2].w[7] = 0.25  # type: ignore[call-overload]  # a number where a weight was
    return model


def loss_of(model: Any) -> Any:
    return lambda x, t: cross_entropy(model(x), t)


MODELS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "layers": (lambda: MLP(40, [33, 3], "relu", seed=0), (40,)),
    "a window with padding": (convolution, (4, 5, 5)),
    "weights tied, and a number": (tied, (40,)),
    "words": (lambda: Sequential(Embedding(36, 33, seed=0), Layer(33, 3, seed=1)), (36,)),
}


@pytest.mark.parametrize(("make", "shape"), MODELS.values(), ids=MODELS.keys())
def test_the_program_is_the_one_that_the_chain_of_sums_gives(
    make: Callable[[], Any], shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    X, Y = RNG.normal(size=(7, *shape)), np.eye(3)[RNG.integers(0, 3, 7)]
    steps = []
    for terms in (layers.LONG, 10**9):
        monkeypatch.setattr(layers, "LONG", terms)
        steps.append(autograd.compile(loss_of(make()), X[0].tolist(), Y[0].tolist(), backend="numpy"))
    short, long = steps
    assert short.source == long.source
    assert short(X, Y) == long(X, Y)
    assert (short.gradient == long.gradient).all()
    assert short._plan.nodes == long._plan.nodes  # by which `auto` chooses


def test_the_graph_of_a_neuron_is_drawn_as_it_was_even_while_another_thread_compiles() -> None:
    layer, seen = Layer(40, 1, "linear", seed=0), []

    def compiled(x: Any) -> Any:
        assert TRACING
        other = threading.Thread(target=lambda: seen.append(statistics(layer([1.0] * 40)[0]).operations))
        other.start()
        other.join()
        return layer(x)

    autograd.compile(compiled, [1.0] * 40, check=False)
    assert seen == [{"add": 40, "mul": 40}]


def test_second_derivatives_of_a_long_sum_are_compiled() -> None:
    layer = Layer(40, 1, seed=0)
    x = RNG.normal(size=40).tolist()

    def bent(s: Any) -> Any:
        return layer([s * xi for xi in x])[0]

    found = autograd.compile(grad(grad(bent)), 1.0, mean=False)(np.array([1.0, 0.5]))
    assert found == pytest.approx([grad(grad(bent))(1.0), grad(grad(bent))(0.5)], rel=1e-9)
