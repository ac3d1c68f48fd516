"""Groups: boxes of nodes that are computed together, and what each reads.

The two neurons, h = [tanh(w1*x + b1), tanh(w2*x + b2)], are two groups: a linear one of one `Part`, whose weights are
[1, 2] and whose window is [1, 1], and one of tanh. In a recurrent network over three time steps both have an axis of
three turns in front, and the tanh a slot before the first of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .boxes import Nodes
from .classes import Loop


@dataclass(eq=False)
class Part:
    """One summand of a linear group: c·Σₖ x, or with ``weights`` c·Σₖ w·x, for k along the first axis.

    Both have the group's axes behind that, each of size 1 where they do not depend on it. ``real`` says which of the
    terms exist, if not all do. ``rows`` says that the weights are the same for all samples.
    """

    x: Nodes
    weights: Nodes | None = None
    c: float = 1.0
    real: NDArray[np.bool_] | None = None
    rows: bool = False


@dataclass(eq=False)
class Group:
    """Nodes that are computed together: a box ``nodes``.

    ``operands`` holds, per input, a number, or nodes with the group's axes (of size 1 where it does not depend on one);
    for an operation on a whole ``row`` of inputs there is one, with an axis more in front. A linear group has ``parts``
    and perhaps a ``bias`` instead. ``rows`` tells which axes came from rows of weights.

    A look-up (`TAKE`) has a row of what it chooses from, and an ``index`` with the group's axes.

    In a ``loop`` the first axis are its turns. With ``initial``, there is a slot before the first turn, and these nodes
    are what it finds there.
    """

    op: str
    rank: int
    nodes: Nodes
    operands: list[float | Nodes] = field(default_factory=list)
    row: bool = False
    index: Nodes | None = None
    parts: list[Part] = field(default_factory=list)
    bias: Nodes | None = None
    rows: tuple[bool, ...] = ()
    loop: Loop | None = None
    initial: Nodes | None = None

    @property
    def computed(self) -> Nodes:
        """The nodes that it computes: in a loop, all but slot 0."""
        return self.nodes if self.initial is None else self.nodes[1:]

    def reads(self) -> list[Nodes]:
        """The nodes that it is computed from."""
        found = [
            self.initial,
            self.index,
            self.bias,
            *self.operands,
            *[nodes for part in self.parts for nodes in (part.x, part.weights)],
        ]
        return [nodes for nodes in found if isinstance(nodes, np.ndarray)]

    @property
    def real(self) -> NDArray[np.bool_] | None:
        """Which places hold a node, if not all do."""
        mask = self.computed >= 0
        return None if mask.all() else mask

    @property
    def is_product(self) -> bool:
        """Whether rows of weights meet windows in it."""
        return any(part.rows and len(part.x) > 1 for part in self.parts)


@dataclass(eq=False)
class Arrangement:
    """The groups, and where each node lies: ``owner`` and ``place`` by node."""

    groups: list[Group]
    owner: Nodes
    place: Nodes
    samples_first: bool
