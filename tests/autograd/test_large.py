"""A chain of a million nodes goes through every room of the engine."""

from __future__ import annotations

import copy
import gc
import sys
from collections.abc import Iterator

import pytest

from autograd import Value, dumps, loads, recompute, statistics, topological_order

N = 1_000_000


def chain(x: Value, nodes: int) -> Value:
    y = x
    for _ in range(nodes // 2):
        y = -(y.sin())
    return y


@pytest.fixture
def no_collector() -> Iterator[None]:
    """As the README advises for graphs of this size: the collector would take most of the time."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
def test_a_chain_of_a_million_nodes() -> None:
    limit = sys.getrecursionlimit()
    x = Value(0.5, "x")
    y = chain(x, N)
    y.backward()
    gradient = x.grad
    assert 0.0 < gradient < 1e-6

    order = topological_order(y)
    assert len(order) == N + 1
    assert order[0] is x and order[-1] is y
    del order

    other = copy.deepcopy(y)
    assert other.data == y.data and other.inputs[0] is not y.inputs[0]
    del other

    x.grad = 0.0
    y.backward()
    assert x.grad == gradient
    del y
    assert sys.getrecursionlimit() == limit


@pytest.mark.usefixtures("no_collector")
def test_a_chain_of_100_000_nodes_is_saved_and_loaded() -> None:
    y = chain(Value(0.5, "x"), N // 10)
    twin = loads(dumps(y))
    assert twin.data == y.data
    twin.backward()
    assert len(topological_order(twin)) == N // 10 + 1
    twin.zero_grad()


def test_a_long_chain_is_counted_and_recomputed() -> None:
    x = Value(0.5)
    y = x
    for _ in range(100_000):
        y = y * 1.0
    assert statistics(y).depth == 100_000
    x.data = 2.5
    assert recompute(y).data == 2.5
