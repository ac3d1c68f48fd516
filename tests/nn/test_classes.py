"""Targets that are classes, and tokens: whole numbers that choose, in losses and embeddings that are compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Index, logsumexp
from nn import MLP, Embedding, data, fit, losses
from nn.attention import GPT

X, y = data.blobs(40, seed=0)


def own_cross_entropy(z: Any, t: Any) -> Any:
    return logsumexp(z) - z[t]


def own_squared_error(z: Any, t: Any) -> Any:
    return (z[0] - t) ** 2 + z[1] ** 2


@pytest.mark.parametrize("loss", ["cross_entropy", "hinge", own_cross_entropy, own_squared_error])
def test_a_loss_of_classes_is_compiled_and_learns_the_same(loss: Any) -> None:
    found = []
    for compiled in (True, False):
        model = MLP(2, [4, 4], seed=0)
        history = fit(model, X, y, loss=loss, epochs=3, batch_size=7, lr=0.05, progress=False, compiled=compiled)
        assert bool(history.compiled) == compiled
        found.append([*history["loss"], *model.state_dict().values()])
    assert found[0] == pytest.approx(found[1], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", ["cross_entropy", "hinge"])
def test_with_an_index_a_loss_is_what_it_is_with_the_class(name: str) -> None:
    loss = losses.find(name)
    step = autograd.compile(lambda z, t: loss(z, t), [0.0, 0.0, 0.0], Index(3), mean=False)
    for z in ([1.0, -2.0, 0.5], [50.0, 0.0, 49.5], [0.0, 0.0, 0.0]):
        for k in range(3):
            assert step([z], [k])[0] == pytest.approx(loss(z, k), rel=1e-12, abs=1e-12)


def test_an_embedding_is_compiled_for_tokens() -> None:
    embedding = Embedding(5, 3, seed=0)
    step = autograd.compile(embedding, Index(5), mean=False)
    assert np.allclose(step([4, 0]), [[v.data for v in embedding.rows[k]] for k in (4, 0)], atol=0)


def test_a_gpt_is_compiled_for_tokens() -> None:
    model = GPT(6, 4, size=4, heads=2, hidden=4, seed=0)
    step = autograd.compile(model.loss, [Index(6)] * 4, [Index(6)] * 4)
    texts, following = [[0, 5, 2, 2], [1, 1, 3, 4]], [[5, 2, 2, 0], [1, 3, 4, 5]]
    expected = [model.loss(a, b).data for a, b in zip(texts, following, strict=True)]
    assert step(texts, following) == pytest.approx(sum(expected) / 2, rel=1e-12)
