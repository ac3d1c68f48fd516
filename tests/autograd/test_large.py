"""A chain of a million nodes goes through every room of the engine."""

from __future__ import annotations

import copy
import sys

import pytest

from autograd import Value, dumps, loads, recompute, statistics, topological_order

N = 1_000_000


@pytest.mark.slow
def test_a_chain_of_a_million_nodes() -> None:
    limit = sys.getrecursionlimit()
    x = Value(0.5, "x")
    y = x
    for _ in range(N // 2):
        y = -(y.sin())
    y.backward()
    gradient = x.grad
    assert 0.0 < gradient < 1e-6

    order = topological_order(y)
    assert len(order) == N + 1
    assert order[0] is x and order[-1] is y
    del order

    text = dumps(y)
    twin = loads(text)
    assert twin.data == y.data
    del text
    twin.backward()
    twin.zero_grad()
    del twin

    other = copy.deepcopy(y)
    assert other.data == y.data and other.inputs[0] is not y.inputs[0]
    del other

    x.grad = 0.0
    y.backward()
    assert x.grad == gradient
    del y
    assert sys.getrecursionlimit() == limit


def test_a_long_chain_is_counted_and_recomputed() -> None:
    x = Value(0.5)
    y = x
    for _ in range(100_000):
        y = y * 1.0
    assert statistics(y).depth == 100_000
    x.data = 2.5
    assert recompute(y).data == 2.5
