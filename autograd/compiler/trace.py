"""Pass 1, trace: run the scalar function once, and write down what it did.

The function is called with Values in place of the example's numbers. Nothing special happens to the arithmetic: a
graph comes out, as always, and this pass copies it into flat lists. For two neurons, ``h = [tanh(w1*x + b1),
tanh(w2*x + b2)]``, the trace is

    0 input x        2 mul 1 0       4 add 2 3      6 parameter w2    8 parameter b2     10 tanh 9
    1 parameter w1   3 parameter b1  5 tanh 4       7 mul 6 0         9 add 7 8

Leaves that were there before the call are parameters. Leaves that the call itself made, such as the zero state of a
recurrent network, are constants. Constants are kept once each (by ``float.hex``, so -0.0 is not 0.0).

A function can only be recorded if it does the same for every sample. A number that it reads on the way is a number
that is frozen into the program, so whatever asks for one (``if``, ``.data``, ``float``, ``max``) raises a
`TracingError` that names the user's line, if the number depends on the sample or on a parameter (`Tracer.depends`). To
print is only to look, and never raises. Comparisons are recorded as choices (`Choice`), for `where`, and so that a loss
may contain derivatives of relu.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from ..comparisons import Comparison
from ..graph import MANY, known_inputs
from ..modes import STATE, TRACING, TracingError, recording_again
from ..ops import CONSTANT
from ..reals import to_float
from ..transforms import flatten
from ..value import Value, as_node, record
from .index import Picked

PACKAGE = str(Path(__file__).parent.parent) + os.sep  # the engine's own files are never "the user's line"
# a line of these is named only if there is no other
NOT_THE_USERS = {"autograd", "nn", "viz", "numpy", *sys.stdlib_module_names}
INPUT, PARAMETER = "input", "parameter"

INSTEAD = (
    "A compiled function must do the same for every sample, so it may not read a number that depends on the sample or "
    "on a parameter. In place of `if` use where(a > b, x, y), and a & b, a | b, ~a for conditions; in place of max(), "
    "min(), float(), int() or abs() of a number use relu, maximum, minimum, abs, softplus or sigmoid of the Value; "
    "to use a number as a constant, detach(x) in place of x.data; "
    "in place of math.exp, math.log, ... use autograd.exp, autograd.log, ...; "
    "for a token or a class that chooses, as in table[token], write Index(10) in the example, or use a one-hot list"
)


@dataclass
class Trace:
    """The recorded function. Node i has operation ``ops[i]``, operands ``inputs[i]`` (node numbers), and, when it was
    traced, the number ``numbers[i]``; inputs come before the nodes that use them."""

    ops: list[str] = field(default_factory=list)
    inputs: list[tuple[int, ...]] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    arguments: list[list[int]] = field(default_factory=list)  # per argument, its nodes in flattened order
    indices: dict[int, int] = field(default_factory=dict)  # inputs that are whole numbers, and how many they may be
    parameters: list[Value] = field(default_factory=list)
    parameter_nodes: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    form: Any = ()  # what the function returned, with the number of an output in each place: [0, [1, 2]]
    single: bool = False  # the function returned one Value, not a list


class Choice:
    """What a comparison of Values gives while tracing: not a bool, but something that `where` can choose by."""

    def __init__(self, node: Value, tracer: Tracer) -> None:
        self.node, self.tracer = node, tracer

    def as_node(self) -> Value:
        return self.node

    def where(self, yes: Any, no: Any) -> Value:
        return record("where", self.node, yes, no)

    def __and__(self, other: Any) -> Choice:
        return self.tracer.compare("mul", self.node, _condition(other))

    def __or__(self, other: Any) -> Choice:
        return self.tracer.compare("maximum", self.node, _condition(other))

    __rand__, __ror__ = __and__, __or__

    def __invert__(self) -> Choice:
        return self.tracer.compare("sub", 1.0, self.node)

    def __repr__(self) -> str:
        return repr(self.node._data != 0.0)

    def __format__(self, spec: str) -> str:
        return format(self.node._data != 0.0, spec)

    def _refused(self, *args: Any) -> NoReturn:
        raise self.tracer.refusal("whether one Value is larger than another, or equal to it")

    # as a bool, as a number in sum() or a product, and as a key
    __bool__ = __int__ = __float__ = __index__ = __eq__ = __hash__ = _refused
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __pow__ = _refused
    __rpow__ = __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = __abs__ = __round__ = _refused
    __lt__ = __le__ = __gt__ = __ge__ = __neg__ = _refused


def _condition(x: Any) -> Any:
    """A condition as an operand: the node of a comparison, or a plain bool as 1 or 0."""
    if isinstance(x, Comparison):
        return as_node(x)
    return x.node if isinstance(x, Choice) else x


class Tracer:
    """What the engine asks while a function is recorded.

    Args:
        arguments: the Values that stand for the sample.
        params: the parameters; None if every Value is one that the function did not make itself.
    """

    def __init__(self, arguments: Iterable[Value], params: Sequence[Value] | None) -> None:
        self.leaves: set[Value] = set()
        self.known: dict[Value, bool] = dict.fromkeys([*arguments, *(params or ())], True)  # what `depends` found
        self.all_are_parameters = params is None
        self.refused: TracingError | None = None

    def born(self, leaf: Value) -> None:
        self.leaves.add(leaf)

    def depends(self, x: Any) -> bool:
        """Whether a number depends on the sample or on a parameter, so that it may not be read."""
        if not isinstance(x, Value):
            return False
        path: list[tuple[Value, Iterator[Value]]] = []  # from x down, each with the inputs that are still to be asked
        node: Value | None = x
        while node is not None:
            found = self.known.get(node)
            if found is None and node._a is None:
                found = self.known[node] = (
                    self.all_are_parameters and node._tag[0] != CONSTANT and node not in self.leaves
                )
            if found:
                self.known.update((above, True) for above, _ in path)
                return True
            if found is None:
                path.append((node, iter(known_inputs(node))))
            node = None
            while path and node is None:
                node = next(path[-1][1], None)
                if node is None:
                    self.known[path.pop()[0]] = False
        return False

    def compare(self, name: str, a: Any, b: Any) -> Choice:
        return Choice(record(name, a, b), self)

    def refusal(self, what: str, instead: str = INSTEAD) -> TracingError:
        """The error to raise. It is remembered: the traced function may catch it, and then go on with a guess."""
        error = TracingError(f"{_users_line()}: this line asks for {what}. {instead}")
        self.refused = self.refused or error
        return error


def _users_line() -> str:
    """The file and line that the user wrote: the innermost one outside of the package, up to the traced function."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith((PACKAGE, "<the derivative sheet")):
        frame = frame.f_back
    nearest = f"{frame.f_code.co_filename}:{frame.f_lineno}"
    up: FrameType | None = frame
    while up is not None and up.f_code is not call_traced.__code__:
        if up.f_globals.get("__name__", "").partition(".")[0] not in NOT_THE_USERS:
            return f"{up.f_code.co_filename}:{up.f_lineno}"
        up = up.f_back
    return nearest


@contextmanager
def tracing(tracer: Tracer) -> Iterator[None]:
    before, STATE.tracer = STATE.tracer, tracer
    TRACING.append(tracer)
    try:
        yield
    finally:
        TRACING.remove(tracer)
        STATE.tracer = before


def lift(example: Sequence[Any]) -> tuple[list[Any], list[list[Any]]]:
    """The example with a Value for every number of it; also those Values, per argument. A `Picked` stays what it is."""
    leaves, lifted = [], []
    for argument in example:
        flat, rebuild = flatten(argument)
        nodes = [x if isinstance(x, Picked) else Value(x.data if isinstance(x, Value) else to_float(x)) for x in flat]
        leaves.append(nodes)
        lifted.append(rebuild(nodes))
    return lifted, leaves


def call_traced(f: Callable[..., Any], arguments: Sequence[Any], tracer: Tracer) -> Any:
    """f(*arguments), recorded.

    Raises:
        TracingError: where it reads a number, even if it goes on after that, or uses a Value as an index.
    """
    try:
        with recording_again(), tracing(tracer):
            result = f(*arguments)
    except Exception as error:
        if tracer.refused is not None:
            raise tracer.refused from error
        told = str(error)  # "list indices must be integers", "cannot be interpreted as an integer"
        if isinstance(error, TypeError) and "Value" in told and "integer" in told:
            where = [s for s in traceback.extract_tb(error.__traceback__) if not s.filename.startswith(PACKAGE)]
            place = f"{where[-1].filename}:{where[-1].lineno}" if where else "the function"
            raise TracingError(f"{place}: a Value cannot be an index. {INSTEAD}") from error
        raise
    if tracer.refused is not None:
        raise tracer.refused
    return result


def trace(f: Callable[..., Any], example: Sequence[Any], params: Sequence[Value] | None) -> Trace:
    """Call ``f(*example)`` on Values and record the graph of what it returns.

    Raises:
        TracingError: where the function looks at a number, or uses a Value as an index.
        TypeError: if it returns something else than Values and numbers, nested in lists.
    """
    lifted, arguments = lift(example)
    tracer = Tracer([x for nodes in arguments for x in nodes], params)
    return recorded(call_traced(f, lifted, tracer), arguments, tracer, params)


def recorded(
    result: Any, arguments: Sequence[Sequence[Value]], tracer: Tracer, params: Sequence[Value] | None
) -> Trace:
    """The graph of what a traced function returned; ``arguments`` are the Values that stand for their entries."""
    outputs, rebuild = flatten(result)
    for y in outputs:
        if not isinstance(y, Value):
            try:
                to_float(y)
            except TypeError:
                hint = "; did it forget to return?" if y is None else ""
                raise TypeError(
                    f"a function to compile must return Values, but this one returned {type(y).__name__}{hint}"
                ) from None
    recorder = _Recorder(tracer.leaves, params)
    for entries in arguments:
        recorder.out.arguments.append([recorder.argument(entry) for entry in entries])
    for p in params or ():
        if not isinstance(p, Value):
            raise TypeError(f"params must be Values, but one of them is {type(p).__name__}")
        if p not in recorder.index:
            recorder.parameter(p)
    recorder.out.outputs = [recorder.number(y) for y in outputs]
    recorder.out.form = _plain_lists(rebuild(range(len(outputs))))
    recorder.out.single = isinstance(result, Value)
    return recorder.out


def _plain_lists(form: Any) -> Any:
    """Nested lists of ints, of what may also have been tuples and arrays."""
    form = form.tolist() if hasattr(form, "tolist") else form
    return [_plain_lists(part) for part in form] if isinstance(form, (list, tuple)) else int(form)


class _Recorder:
    """Copies a graph into flat lists: a depth-first walk with its own stack, inputs from left to right."""

    def __init__(self, born: set[Value], params: Sequence[Value] | None) -> None:
        self.out = Trace()
        self.born, self.params = born, params
        self.index: dict[Value, int] = {}
        self.constants: dict[str, int] = {}

    def add(self, op: str, inputs: tuple[int, ...], number: float) -> int:
        self.out.ops.append(op)
        self.out.inputs.append(inputs)
        self.out.numbers.append(number)
        return len(self.out.ops) - 1

    def constant(self, number: float) -> int:
        key = number.hex()
        found = self.constants.get(key)
        if found is None:
            found = self.constants[key] = self.add(CONSTANT, (), number)
        return found

    def argument(self, x: Value) -> int:
        node = self.index[x] = self.add(INPUT, (), x._data)
        return node

    def parameter(self, x: Value) -> int:
        out = self.out
        node = self.index[x] = len(out.ops)
        out.ops.append(PARAMETER)
        out.inputs.append(())
        out.numbers.append(x._data)
        out.parameters.append(x)
        out.parameter_nodes.append(node)
        return node

    def leaf(self, x: Value) -> int:
        if x._tag[0] == CONSTANT or x in self.born or self.params is not None:
            node = self.index[x] = self.constant(x._data)
            return node
        return self.parameter(x)

    def leaves(self, xs: list[Value]) -> None:
        """Many of them: the weights of a row are mostly parameters that are met here first, and get numbers at once."""
        out, count = self.out, len(xs)
        is_plain = self.params is None and {*map(type, xs)} == {Value} and self.born.isdisjoint(xs)
        if not is_plain or len({*xs}) < count:
            for x in xs:
                if x not in self.index:
                    self.leaf(x)
            return
        nodes = [*range(len(out.ops), len(out.ops) + count)]  # the same ints in both: they are most of the memory here
        self.index.update(zip(xs, nodes, strict=True))
        out.ops += [PARAMETER] * count
        out.inputs += [()] * count
        out.numbers += [x._data for x in xs]
        out.parameters += xs
        out.parameter_nodes += nodes

    def number(self, root: Any) -> int:
        """The number of a node, after everything that it depends on has got one."""
        if not isinstance(root, Value):
            return self.constant(to_float(root))
        index, ops, inputs, numbers = self.index, self.out.ops, self.out.inputs, self.out.numbers
        find, constant, leaf = index.get, self.constant, self.leaf
        path = [root]
        while path:
            node = path[-1]
            if node in index:
                path.pop()
                continue
            a = node._a
            if a is None:
                leaf(node)
                continue
            numbered: tuple[int, ...]
            if a is not MANY:  # written out, because a large network has a hundred thousand of these
                if type(a) is float:
                    i = constant(a)
                else:
                    found = find(a)
                    if found is None:
                        if a._a is not None:
                            path.append(a)
                            continue
                        found = leaf(a)
                    i = found
                b = node._b
                if b is None:
                    numbered = (i,)
                else:
                    if type(b) is float:
                        j = constant(b)
                    else:
                        found = find(b)
                        if found is None and b._a is None:
                            found = leaf(b)
                        if found is None:
                            left, right = find(b._a), find(b._b)
                            if left is None or right is None:
                                path.append(b)
                                continue  # else it is a product in a sum of them, and need not wait its turn
                            found = index[b] = self.add(b._tag[0], (left, right), b._data)
                        j = found
                    numbered = (i, j)
            else:
                waiting = [x for x in node._b if isinstance(x, Value) and x not in index]
                if any(x._a is not None for x in waiting):
                    waiting.reverse()
                    path += waiting
                    continue
                self.leaves(waiting)
                numbered = tuple([index[x] if isinstance(x, Value) else constant(x) for x in node._b])
            path.pop()
            index[node] = len(ops)
            ops.append(node._tag[0])
            inputs.append(numbered)
            numbers.append(node._data)
        return index[root]
