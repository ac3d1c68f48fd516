"""What a backend is: one way to run a compiled function on a batch."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..plan import Plan

Array = NDArray[Any]


class Backend(Protocol):
    """One way to run a plan; it is made when it is first called for, and kept.

    The parameters are in ``plan.theta``. A batch of n samples comes as ``columns``, for each argument [entries, n].
    """

    plan: Plan

    def __init__(self, plan: Plan) -> None: ...

    @property
    def source(self) -> str:
        """The program as text, for people."""

    def mean(self, columns: list[Array], n: int) -> float:
        """The mean of the one output; its gradient goes into ``plan.gradient``."""

    def outputs(self, columns: list[Array], n: int) -> Array:
        """Every output of each sample, [outputs, n]; nothing goes backward."""


def mean_one_by_one(backend: Backend, columns: list[Array], n: int) -> float:
    """What `Backend.mean` gives, from one sample after the other: see `Plan.shares_slopes`."""
    plan = backend.plan
    total, gradient = 0.0, np.zeros(len(plan.gradient))
    for k in range(n):
        total += backend.mean([column[:, k : k + 1] for column in columns], 1)
        gradient += plan.gradient
    np.divide(gradient, n, plan.gradient, casting="same_kind")
    return total / n
