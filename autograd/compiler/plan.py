"""What the passes make of a trace, in a row: the plan that every backend works from."""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from types import CodeType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrange import arrange
from .classes import Unrollable, find_classes
from .differentiate import Program, differentiate
from .layout import lay_out
from .listing import code_of
from .normalise import normalise
from .trace import Trace
from .write import Text, in_place, readable

Array = NDArray[Any]


class Plan:
    """A trace, the program that follows from it, and the memory of its parameters.

    Attributes:
        names: the arguments'.
        mean: whether a call gives the mean and leaves the gradient.
        backward: whether there is a gradient to compute: not if no parameter has an effect.
        active: for each node whether a parameter has an effect on it.
        nodes: how many are computed; a dot product of K pairs is K products and K - 1 sums.
        order: theta[k] is the number of ``trace.parameters[order[k]]``.
        shared: theta, then the constants, then what is computed from these alone.
    """

    def __init__(self, trace: Trace, names: list[str], dtype: np.dtype[Any], mean: bool) -> None:
        self.trace, self.names, self.dtype, self.mean = trace, names, dtype, mean
        try:
            self._arrange(loops=True)
        except Unrollable:
            self._arrange(loops=False)
        self.nodes = len(trace.ops) - len(trace.parameters) + sum(len(x) - 2 for x in trace.inputs if len(x) > 2)
        self._place()

    def _arrange(self, loops: bool) -> None:
        """The passes; whether loops can be written as such shows when the program is."""
        graph = normalise(self.trace)
        arrangement = arrange(self.trace, graph, find_classes(graph, loops))
        self.groups = arrangement.groups
        graph.terms.clear()  # most of a large graph's memory; the groups have what stood there
        self.layout = lay_out(self.trace, graph, arrangement, self.names)
        self.order = self.layout.parameter_order
        self.outputs, self.active = graph.outputs, graph.active
        self.backward = self.mean and any(graph.active[y] for y in graph.outputs)
        if any(group.loop is not None for group in self.groups):
            self.program  # noqa: B018

    def _place(self) -> None:
        sizes = self.layout.sizes
        count = sizes.get("theta", 0)
        self.shared: Array = np.zeros(count + sizes.get("constant", 0) + sizes.get("shared", 0), self.dtype)
        self.shared[count : count + len(self.layout.constants)] = self.layout.constants
        self.theta: Array = self.shared[:count]
        self.gradient: Array = np.zeros(count, self.dtype)

    def for_trace(self, trace: Trace) -> Plan:
        """The same plan, with memory of its own, for a trace that differs in nothing but the parameters' names."""
        twin = copy.copy(self)
        twin.trace = trace
        twin._place()
        return twin

    @functools.cached_property
    def program(self) -> Program:
        return differentiate(self.layout, self.groups, self.outputs, self.backward)

    @functools.cached_property
    def readable(self) -> Text:
        return readable(self.program, self.names, self.mean)

    @functools.cached_property
    def functional(self) -> Text:
        """`readable`, for JAX."""
        return readable(self.program, self.names, self.mean, functional=True)

    @functools.cached_property
    def in_place(self) -> tuple[Text, CodeType]:
        """What the numpy backend runs."""
        text = in_place(self.program, self.names)
        return text, code_of(text.source, "in place")

    def given_order(self, array: Array) -> Array:
        """theta, or its gradient, in the order of the trace."""
        result: Array = np.empty(len(self.order))
        result[self.order] = array
        return result


def samples_of(columns: Sequence[Array]) -> Array:
    """The samples as rows, [n, entries], as the backends that run a trace read them; one, if there are no arguments."""
    return np.concatenate(columns).T if columns else np.empty((1, 0))
