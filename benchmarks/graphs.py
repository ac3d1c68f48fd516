"""The random graphs of two benchmarks, of boxes in `layout` and of numbers in `drawing`: what each node takes."""

from __future__ import annotations

import random
from collections.abc import Iterator


def random_operands(
    count: int, rng: random.Random, *, reach: int = 12, far: float = 0.2, leaves: float = 0.12
) -> Iterator[tuple[int, ...]]:
    """For each of so many nodes the nodes before it that it takes: none (a leaf), one or two.

    Args:
        count: how many nodes.
        rng: what chooses; who draws from it between two nodes gets another graph, but always the same one.
        reach: an operand is one of so many nodes right before the node,
        far: but with this chance any node.
        leaves: the chance that a node is a leaf; of the first sixth, two in five are leaves besides.
    """
    first = max(2, count // 6)
    for n in range(count):
        if n < 2 or (n < first and rng.random() < 0.4) or rng.random() < leaves:
            yield ()
            continue
        operands = []
        for _ in range(rng.choice((1, 2, 2))):
            low = max(0, n - reach) if not far or rng.random() < 1 - far else 0
            operands.append(rng.randrange(low, n))
        yield tuple(operands)
