"""What the passes make of a trace, in a row: the plan that every backend works from."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator, Sequence
from types import CodeType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..ops import CONSTANT
from .arguments import too_large
from .arrange import arrange
from .classes import Class, Unrollable, find_colours
from .differentiate import differentiate
from .groups import Group
from .in_place import in_place
from .layout import Layout, lay_out
from .listing import code_of
from .normalise import BATCHED, LINEAR, Graph, normalise
from .program import Program
from .trace import Trace
from .write import Text, readable

Array = NDArray[Any]
Places = NDArray[np.intp]


class Alarm:
    """What NumPy calls when a number becomes infinite, or none, on the way (`numpy.errstate`)."""

    raised = False

    def __call__(self, kind: str, flag: int) -> None:
        self.raised = True


class Plan:
    """A trace, the program that follows from it, and the memory of its parameters.

    Attributes:
        names: the arguments'.
        mean: whether a call gives the mean and leaves the gradient.
        backward: whether there is a gradient to compute: not if no parameter has an effect.
        active: for each node whether a parameter has an effect on it.
        nodes: how many are computed; a dot product of K pairs is K products and K - 1 sums.
        operations: how many arrays are computed, in a loop at every turn; of a graph in which little repeats, how many
            it might be.
        loops: whether some of them are computed turn by turn.
        order: theta[k] is the number of ``trace.parameters[order[k]]``.
        shared: theta, then the constants, then what is computed from these alone.
        alarm: whether an infinity or a nan was made since a backend took it back.
    """

    def __init__(self, trace: Trace, names: list[str], dtype: np.dtype[Any], mean: bool) -> None:
        self.trace, self.names, self.dtype, self.mean = trace, names, dtype, mean
        try:
            self._sort(loops=True)
        except Unrollable:
            vars(self).pop("_arranged", None)
            self._sort(loops=False)
        self.nodes = len(trace.ops) - len(trace.parameters) + sum(len(x) - 2 for x in trace.inputs if len(x) > 2)
        self._place()

    def _sort(self, loops: bool) -> None:
        """The passes up to the arrays' places; whether loops can be written as such shows when the program is.

        A large graph in which little repeats is mostly run node by node: it is arranged only when that is asked for,
        and its parameters stay in the order of the trace.
        """
        graph = normalise(self.trace)
        _refuse_too_large(graph, self.dtype)
        found = find_colours(graph, loops)
        self.outputs, self.active = graph.outputs, graph.active
        self.backward = self.mean and any(graph.active[y] for y in graph.outputs)
        self._waiting: tuple[Graph, list[Class] | None] | None = None
        self.loops = False
        if found.is_irregular:
            self._waiting = graph, None
            self.operations = found.count
            self.order: Places = np.arange(len(self.trace.parameters))
            return
        self._waiting = graph, found.classes()
        del graph, found  # most of a large network's memory
        turns = [group.loop.count for group in self.groups if group.loop is not None]
        self.operations = len(self.groups) - len(turns) + sum(turns)
        self.order = self.layout.parameter_order
        self.loops = bool(turns)
        if turns:
            self.program  # noqa: B018

    @functools.cached_property
    def shares_slopes(self) -> bool:
        """Whether something that depends on parameters alone, and is computed once for a batch, has a slope that may be
        infinite: with √w at 0, (1 - ½)·inf is inf, where scalar code has 1·inf - ½·inf of two samples, which is nan."""
        shared = [group for group in self.groups if group.rank != BATCHED]
        return any(group.op != LINEAR or any(part.weights is not None for part in group.parts) for group in shared)

    @functools.cached_property
    def _arranged(self) -> tuple[list[Group], Layout]:
        assert self._waiting is not None
        graph, classes = self._waiting
        as_traced = classes is None
        if classes is None:
            classes = find_colours(graph, loops=False).classes()
        arrangement = arrange(self.trace, graph, classes)
        self._waiting, graph.terms = None, {}  # most of a large graph's memory; the groups have what stood there
        return arrangement.groups, lay_out(self.trace, graph, arrangement, self.names, as_traced)

    @property
    def groups(self) -> list[Group]:
        return self._arranged[0]

    @property
    def layout(self) -> Layout:
        return self._arranged[1]

    def _place(self) -> None:
        self.alarm = Alarm()
        count = len(self.order)
        if self._waiting is None:
            sizes = self.layout.sizes
            others = sizes.get("constant", 0) + sizes.get("shared", 0)
        else:  # as many as there could be
            others = 3 * sum(rank != BATCHED for rank in self._waiting[0].rank) + 100
        self.shared: Array = np.zeros(count + others, self.dtype)
        if self._waiting is None:
            self.write_constants()
        self.theta: Array = self.shared[:count]
        self.gradient: Array = np.zeros(count, self.dtype)

    def write_constants(self) -> None:
        """The constants that stand in arrays, into their place behind theta."""
        count = len(self.order)
        self.shared[count : count + len(self.layout.constants)] = self.layout.constants

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
        return self._in_place(self.program)

    @functools.cached_property
    def in_place_exactly(self) -> tuple[Text, CodeType]:
        """The same with no factor taken out of a sum, for numbers that are not finite."""
        if not self.program.factored:
            return self.in_place
        return self._in_place(differentiate(self.layout, self.groups, self.outputs, self.backward, factors_out=False))

    def _in_place(self, program: Program) -> tuple[Text, CodeType]:
        text = in_place(program, self.names)
        return text, code_of(text.source, "in place")

    def given_order(self, array: Array) -> Array:
        """theta, or its gradient, in the order of the trace."""
        result: Array = np.empty(len(self.order))
        result[self.order] = array
        return result


def _refuse_too_large(graph: Graph, dtype: np.dtype[Any]) -> None:
    """Raises ValueError for a finite constant that becomes infinite in this type."""
    number = too_large(_constants(graph), dtype)
    if number is not None:
        largest = float(np.finfo(dtype).max)
        raise ValueError(
            f"the constants of this function come to {number:.6g}, but {dtype} goes up to {largest:.6g} only: "
            "compile with dtype='float64', or write math.inf where that is meant"
        )


def _constants(graph: Graph) -> Iterator[float]:
    """The numbers that the nodes read."""
    terms = [term for each in graph.terms.values() for term in each]
    read = {x for own in graph.inputs for x in own} | {x for _, _, x in terms} | set(graph.bias.values())
    yield from (graph.numbers[x] for x in read if graph.ops[x] == CONSTANT)
    yield from (c for c, _, _ in terms)


def samples_of(columns: Sequence[Array]) -> Array:
    """The samples as rows, [n, entries], as the backends that run a trace read them; one, if there are no arguments."""
    return np.concatenate(columns).T if columns else np.empty((1, 0))
