"""`Value`: one number that remembers how it was computed.

A graph is nothing but Values that refer to their inputs. Arithmetic on Values computes a number at once, and records
on the new node which operation it was, from which inputs, and the local derivative with respect to each. `backward`
then walks from the result to the leaves and multiplies and adds those local derivatives: the chain rule.

What a node holds (measured: with 88 bytes and no container of its own, building and backward take half the time that
a node with an inputs tuple and a dict of attributes takes, and the garbage collector has one object per node to visit):

    _data      the number
    _grad      its gradient; None until a backward pass reaches it
    _tag       (op, scope, label), a tuple shared by all nodes that are called the same
    _a, _b     the inputs; a plain number that met a Value stays a float here, until somebody asks to see its node
    _da, _db   the local derivatives, recorded in the forward pass; None where there is nothing to pass on

An operation on more than two inputs keeps a tuple of inputs in ``_b`` and a tuple of local derivatives in ``_db``. A
leaf has None in ``_a``, and no local derivatives: there ``_da`` names the operation if `no_grad` kept no record of its
inputs, and ``_db`` is True if its gradient is of more than the last backward pass. Nodes refer to their inputs only,
never the other way, so there are no reference cycles and a graph is freed as soon as its last user lets go.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Sequence
from numbers import Number, Real
from typing import Any, NoReturn, TypeAlias

from .backward import check_backward, forget, sweep
from .comparisons import Comparison, compared, remembered
from .elsewhere import LikeATensor
from .graph import MANY, topological_order
from .hints import explains
from .kernels import CURRENT, NAMESPACE, fast
from .modes import STATE, TRACING, NonFiniteError, current_scope, current_tags, recording, watching
from .ops import BUILT_IN, CONSTANT, DETACH, LEAF, LEAKY_SLOPE, SHEET
from .reals import CUT, is_real, short, to_float

_new = object.__new__


def _of_one(name: str, words: str) -> Callable[[Value], Value]:
    """The method that records an operation of one input."""

    def method(self: Value) -> Value:
        return record(name, self)

    method.__name__, method.__qualname__, method.__doc__ = name, f"Value.{name}", words
    return fast(name)(method)


class Value(LikeATensor):
    """A number in a computation graph.

    Args:
        data: the number; an int or a NumPy scalar is converted to ``float``.
        label: a name for drawings and messages.

    Attributes:
        data (float): the number.
        grad (float): the derivative of the last root that `backward` was called on, with respect to this node;
            0.0 until then. Leaves add up over calls, as in PyTorch (`has_accumulated_grad` tells); inner nodes hold
            the last pass's value.
        label (str): the name.
        op (str): the operation that made it, a name in the derivative sheet; "" for a leaf, "const" for a plain number.
        inputs (tuple[Value, ...]): the nodes that it was computed from, in order, duplicates kept.
        scope (str): the part of the network that it was made in, such as "layers.0.neurons.2".

    Raises:
        TypeError: if ``data`` is not a real number.

    >>> x, y, z = Value(-2.0, "x"), Value(5.0, "y"), Value(-4.0, "z")
    >>> f = (x + y) * z
    >>> f.backward()
    >>> f.data, x.grad, y.grad, z.grad
    (-12.0, -4.0, -4.0, 3.0)
    """

    __slots__ = ("_data", "_grad", "_tag", "_a", "_b", "_da", "_db")

    _data: float
    _grad: Any  # float | None
    _tag: tuple[str, str, str]
    _a: Any  # Value | float | None, or MANY
    _b: Any  # Value | float | None, or a tuple of Values and floats
    _da: Any  # float | None; of a leaf str | None
    _db: Any  # float | None, or a tuple of floats; of a leaf True | None

    def __init__(self, data: Real | float, label: str = "", *, name: None = None) -> None:
        if name is not None:
            raise TypeError(f"the name of a Value is its label; write Value({data!r}, label={name!r})")
        if not isinstance(label, str):
            raise TypeError(f"a label is a name, so it must be a str, but got {type(label).__name__}: {label!r}")
        self._data = to_float(data)
        self._grad = None
        self._tag = (LEAF, current_scope(), label)
        self._a = self._b = self._da = self._db = None
        if TRACING:
            _born(self)

    # --- what a node shows of itself

    # While a function is being compiled, a number that is read is a number that is frozen, and whoever reads one that
    # depends on the sample or on a parameter hears so. The engine itself reads `_data` and `_grad`.

    @property
    def data(self) -> float:
        if TRACING:
            refuse_reading(self, "the number in a Value, .data")
        return self._data

    @data.setter
    def data(self, number: Real | float) -> None:
        if TRACING:
            refuse_reading(self, "a new number in a Value, .data =")
        self._data = to_float(number)

    @property
    def grad(self) -> float:
        if TRACING:
            refuse_reading(self, "the gradient of a Value, .grad")
        return 0.0 if self._grad is None else self._grad

    @grad.setter
    def grad(self, number: Real | float | None) -> None:
        if TRACING:
            refuse_reading(self, "a new gradient in a Value, .grad =")
        self._grad = None if number is None else to_float(number)
        if self._a is None:
            self._db = None

    @property
    def has_grad(self) -> bool:
        """Whether a backward pass has reached this node since `zero_grad`; a drawing shows "–" where it is False."""
        refuse_reading(self, "whether a Value has a gradient, .has_grad")
        return self._grad is not None

    @property
    def has_accumulated_grad(self) -> bool:
        """Whether this leaf held a gradient already, not 0, when the last backward pass added its own to it.

        False again after `zero_grad`, and once ``grad`` is set by hand.
        """
        return self._a is None and self._db is True

    @property
    def unrecorded_op(self) -> str:
        """The operation that computed this node inside `no_grad`, which kept no record of the inputs; "" for others.

        Such a node can take part in a graph as a leaf does, and its ``op`` is "".
        """
        return self._da or "" if self._a is None else ""

    @property
    def op(self) -> str:
        return self._tag[0]

    @property
    def scope(self) -> str:
        return self._tag[1]

    @scope.setter
    def scope(self, path: str) -> None:
        if not isinstance(path, str):
            raise TypeError(f"a scope is a path such as 'layers.0', but got {type(path).__name__}: {path!r}")
        self._tag = (self._tag[0], path, self._tag[2])

    @property
    def label(self) -> str:
        return self._tag[2]

    @label.setter
    def label(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"a label is a name, so it must be a str, but got {type(name).__name__}: {name!r}")
        self._tag = (self._tag[0], self._tag[1], name)

    @property
    def inputs(self) -> tuple[Value, ...]:
        a, b = self._a, self._b
        if a is None:
            return ()
        if a is MANY:
            if not all(isinstance(x, Value) for x in b):
                b = self._b = tuple(x if isinstance(x, Value) else constant(x) for x in b)
            nodes: tuple[Value, ...] = b
            return nodes
        if not isinstance(a, Value):
            a = self._a = constant(a)
        if b is None:
            return (a,)
        if not isinstance(b, Value):
            b = self._b = constant(b)
        return (a, b)

    @property
    def _prev(self) -> set[Value]:
        """micrograd's name for the set of inputs, so that the lecture's own code runs."""
        return set(self.inputs)

    @property
    def _op(self) -> str:
        """micrograd's name for what the gate says: "+", "×", "tanh"; "" for a leaf."""
        return SHEET[self.op].symbol if self.op in SHEET else ""

    @property
    def local_derivatives(self) -> tuple[float | None, ...]:
        """∂self/∂input for each of `inputs`, as recorded in the forward pass; None for a constant."""
        if TRACING:
            refuse_reading(self, "numbers, the local derivatives of a Value")
        if self._a is None:
            return ()
        if self._a is MANY:
            partials: tuple[float | None, ...] = self._db
            return partials
        return (self._da,) if self._b is None else (self._da, self._db)

    def __repr__(self) -> str:  # to print is to look: it never raises, not even while a function is being compiled
        label = f", label={self.label!r}" if self.label else ""
        gradient = 0.0 if self._grad is None else self._grad
        return f"Value(data={self._data!r}, grad={gradient!r}{label})"

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else repr(self)

    # --- arithmetic: the methods that `fast` decorates are written out from the derivative sheet (see `kernels`)

    @fast("add")
    def __add__(self, other: Operand) -> Value:
        """self + other"""
        return _arithmetic("add", self, other)

    @fast("add", reflected=True)
    def __radd__(self, other: Operand) -> Value:
        """other + self; 0 + self, with which Python's sum() begins, is a `_SumStart`"""
        return _sum_start(self) if type(other) is int and other == 0 else _arithmetic("add", other, self)

    @fast("sub")
    def __sub__(self, other: Operand) -> Value:
        """self - other"""
        return _arithmetic("sub", self, other)

    @fast("sub", reflected=True)
    def __rsub__(self, other: Operand) -> Value:
        """other - self"""
        return _arithmetic("sub", other, self)

    @fast("mul")
    def __mul__(self, other: Operand) -> Value:
        """self * other"""
        return _arithmetic("mul", self, other)

    @fast("mul", reflected=True)
    def __rmul__(self, other: Operand) -> Value:
        """other * self"""
        return _arithmetic("mul", other, self)

    @fast("div")
    def __truediv__(self, other: Operand) -> Value:
        """self / other; x/0 is an infinity, 0/0 is nan"""
        return _arithmetic("div", self, other)

    @fast("div", reflected=True)
    def __rtruediv__(self, other: Operand) -> Value:
        """other / self"""
        return _arithmetic("div", other, self)

    @fast("pow")
    def __pow__(self, other: Operand) -> Value:
        """self ** other, where the exponent may be a number or a Value; never complex"""
        return _arithmetic("pow", self, other)

    @fast("pow", reflected=True)
    def __rpow__(self, other: Operand) -> Value:
        """other ** self"""
        return _arithmetic("pow", other, self)

    def __xor__(self, other: object) -> NoReturn:
        raise TypeError("a Value has no operator ^: for a power write **, as in x**2")

    @fast("neg")
    def __neg__(self) -> Value:
        """-x. Derivative -1."""
        return record("neg", self)

    def __pos__(self) -> Value:
        """+self, which is self"""
        return self

    @fast("abs")
    def __abs__(self) -> Value:
        """|x|. Derivative the sign of x, taken as 0 at 0."""
        return record("abs", self)

    # --- functions

    reciprocal = _of_one("reciprocal", "1/x; 1/0 is inf. Derivative -1/x².")
    exp = _of_one("exp", "e to the power x; inf above 709.78. Its derivative is itself.")
    log = _of_one("log", "The natural logarithm; log(0) is -inf, below 0 it is nan. Derivative 1/x.")
    sqrt = _of_one("sqrt", "The square root; below 0 it is nan. Derivative 1/(2√x), inf at 0.")
    sin = _of_one("sin", "The sine of x in radians. Derivative cos x.")
    cos = _of_one("cos", "The cosine of x in radians. Derivative -sin x.")
    tan = _of_one("tan", "The tangent of x in radians, y. Derivative 1 + y².")
    asin = _of_one(
        "asin", "The angle whose sine is x, from -π/2 to π/2; beyond ±1 it is nan. Derivative 1/√(1 - x²), inf at ±1."
    )
    acos = _of_one(
        "acos", "The angle whose cosine is x, from 0 to π; beyond ±1 it is nan. Derivative -1/√(1 - x²), -inf at ±1."
    )
    atan = _of_one("atan", "The angle whose tangent is x, from -π/2 to π/2. Derivative 1/(1 + x²).")
    sinh = _of_one("sinh", "The hyperbolic sine (e^x - e^-x)/2; an infinity beyond ±710. Derivative cosh x.")
    cosh = _of_one("cosh", "The hyperbolic cosine (e^x + e^-x)/2; inf beyond ±710. Derivative sinh x.")
    log1p = _of_one(
        "log1p", "log(1 + x), exact for a tiny x, too; log1p(-1) is -inf, below it is nan. Derivative 1/(1 + x)."
    )
    expm1 = _of_one("expm1", "e^x - 1, exact for a tiny x, too. Derivative e^x.")
    erf = _of_one("erf", "The error function, 2/√π · ∫ e^(-t²) dt from 0 to x. Derivative 2/√π·e^(-x²).")
    erfc = _of_one("erfc", "1 - erf(x), with all digits where it is small. Derivative -2/√π·e^(-x²).")
    gelu = _of_one(
        "gelu",
        """x·Φ(x), the exact GELU (Hendrycks and Gimpel, 2016). Derivative Φ(x) + x·φ(x).

        Φ(x) = (1 + erf(x/√2))/2 is the normal distribution's function, and φ(x) = e^(-x²/2)/√(2π) its bell curve.
        """,
    )
    tanh = _of_one("tanh", "The hyperbolic tangent, y. Derivative 1 - y².")
    sigmoid = _of_one("sigmoid", "σ(x) = 1/(1 + e^-x), computed so that nothing overflows. Derivative σ(1 - σ).")
    relu = _of_one("relu", "max(0, x). Derivative 1 above 0, else 0.")
    softplus = _of_one("softplus", "log(1 + e^x), computed so that nothing overflows. Derivative σ(x).")

    @fast("atan2")
    def atan2(self, x: Operand) -> Value:
        """The angle of the point (x, self), from -π to π; local derivatives x/r² and -self/r², r² = x² + self²."""
        return self._of_two("atan2", self, x)

    @fast("hypot")
    def hypot(self, other: Operand) -> Value:
        """√(self² + other²) = r, without overflow on the way; its local derivatives are self/r and other/r."""
        return self._of_two("hypot", self, other)

    arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2  # what NumPy looks for in np.arcsin(value)

    @staticmethod
    def _of_two(name: str, a: Operand, b: Operand) -> Value:
        """A function of two numbers, of which one is a Value; if the other is a `forward.Dual`, that sees to it."""
        for x in (a, b):
            if not isinstance(x, (Value, Real)) and hasattr(x, "_of_two"):
                other: Value = x._of_two(name, a, b)
                return other
        return record(name, a, b)

    @fast("leaky_relu")
    def _leaky_relu(self, alpha: Operand) -> Value:
        return self._of_two("leaky_relu", self, alpha)

    def leaky_relu(self, alpha: Operand = LEAKY_SLOPE) -> Value:
        """x above 0, else alpha·x. With a Value as alpha this is the parametric ReLU, and alpha is learned."""
        return self._leaky_relu(alpha)

    # --- comparison looks at the numbers; == and hash look at which node it is, so that Values can be dict keys. What
    # comes out is used as a bool, and is typed as one; `Comparison` says what else it is.

    def __lt__(self, other: Operand) -> bool:
        holds = self._data < (other._data if isinstance(other, Value) else other)  # type: ignore[operator]
        return compared("less", self, other, holds) if TRACING else remembered("less", self, other, holds)

    def __le__(self, other: Operand) -> bool:
        holds = self._data <= (other._data if isinstance(other, Value) else other)  # type: ignore[operator]
        return compared("less_equal", self, other, holds) if TRACING else remembered("less_equal", self, other, holds)

    def __gt__(self, other: Operand) -> bool:
        holds = self._data > (other._data if isinstance(other, Value) else other)
        return compared("less", other, self, holds) if TRACING else remembered("less", other, self, holds)

    def __ge__(self, other: Operand) -> bool:
        holds = self._data >= (other._data if isinstance(other, Value) else other)
        return compared("less_equal", other, self, holds) if TRACING else remembered("less_equal", other, self, holds)

    def __eq__(self, other: object) -> bool:
        if self is not other and (is_real(other) or isinstance(other, Number)):
            raise TypeError(
                "== asks whether two Values are the same node, so a Value never equals a number. "
                f"For the number write x.data == {other!r} or x.equals({other!r})"
            )
        return self is other

    __hash__ = object.__hash__

    def equals(self, other: Operand) -> bool:
        """Whether the two numbers are equal. (``x == y`` asks whether they are the same node.)"""
        holds = self._data == (other._data if isinstance(other, Value) else other)
        return compared("equal", self, other, holds) if TRACING else remembered("equal", self, other, holds)

    def __bool__(self) -> bool:
        if TRACING:
            refuse_reading(self, "whether a Value is zero")
        return self._data != 0.0

    def __float__(self) -> float:
        return self._refuse(
            "float()",
            "Use x.data for the number, or autograd.exp, autograd.log, ... in place of math.exp, math.log, ...",
        )

    def __int__(self) -> int:
        return self._refuse("int()", "For the number write int(x.data)")

    def __round__(self, digits: int | None = None) -> float:
        places = "" if digits is None else f", {digits}"
        return self._refuse(
            "round()", f"For the number write round(x.data{places}); to print it, f'{{x:.{digits or 0}f}}'"
        )

    def __floor__(self) -> int:
        return self._refuse("math.floor()", "For the number write math.floor(x.data)")

    def __ceil__(self) -> int:
        return self._refuse("math.ceil()", "For the number write math.ceil(x.data)")

    def __trunc__(self) -> int:
        return self._refuse("math.trunc()", "For the number write math.trunc(x.data)")

    def _refuse(self, call: str, instead: str) -> NoReturn:
        refuse_reading(self, f"the number in a Value, {call}")
        raise TypeError(
            f"{call} of a Value would cut it out of the graph, and its gradient would be lost without a word. {instead}"
        )

    # --- gradients

    @explains(
        retain_graph="a graph is kept as long as one of its nodes is, so backward() may be called again; leaves add up",
        create_graph="for derivatives of derivatives there is autograd.grad, as in grad(grad(f))(2.0)",
        grad_tensors="write gradient=2.0, for instance",
    )
    def backward(self, gradient: Real | float = 1.0) -> None:
        """Backpropagation: compute the derivative of this node with respect to every node that it depends on.

        Every ``grad`` is computed afresh, in reverse topological order, by

            input.grad += node.grad · ∂node/∂input

        with the local derivatives that were recorded in the forward pass. Inner nodes then hold this pass's value; a
        leaf adds it to what it held before, so call `zero_grad` between steps of training.

        Args:
            gradient: the seed, ∂root/∂root; 1 unless this node is itself part of something larger.

        Raises:
            NonFiniteError: inside `detect_anomaly`, if a contribution is inf or nan. No gradient is then changed.
            RuntimeError: if this node was computed inside `no_grad`, so that there is no graph to go back through.
        """
        seed = to_float(gradient)
        if self.unrecorded_op:
            raise RuntimeError(
                f"backward() has nowhere to go: this Value was computed by {self.unrecorded_op!r} inside no_grad(), "
                "which keeps no record of inputs, so no gradient would reach them. Compute it outside of no_grad()"
            )
        if watching():
            check_backward(self, seed)
        sweep(self, seed)

    def _backward(self) -> None:
        """micrograd's name for this node's one step of the chain rule: input.grad += grad · ∂self/∂input, for each one.

        On a leaf it does nothing. `backward` does this step for every node, the root first, after setting its gradient
        to 1; by hand it is ``o.grad = 1.0; o._backward(); n._backward(); ...``, each node after all that use it.
        """
        for x, partial in zip(self.inputs, self.local_derivatives, strict=True):
            if partial is not None and partial is not CUT:
                x.grad += self.grad * partial

    def zero_grad(self) -> None:
        """Forget the gradient of this node and of every node that it depends on: they are 0.0 and drawn as "–"."""
        forget(self)

    # --- copies

    def __copy__(self) -> Value:
        refuse_reading(self, "a copy of a Value")
        twin: Value = _new(type(self))
        for slot in Value.__slots__:
            setattr(twin, slot, getattr(self, slot))
        if hasattr(self, "__dict__"):  # a subclass has attributes of its own
            vars(twin).update(vars(self))
        _born(twin)
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        refuse_reading(self, "a copy of a Value")
        for node in topological_order(self):  # inputs first, so every input already has its twin
            if id(node) not in memo:
                twin = memo[id(node)] = node.__copy__()
                if hasattr(node, "__dict__"):
                    vars(twin).update(copy.deepcopy(vars(node), memo))
                if node._a is MANY:
                    twin._b = tuple(memo[id(x)] for x in node._b)
                elif node._a is not None:
                    twin._a = memo[id(node._a)]
                    if node._b is not None:
                        twin._b = memo[id(node._b)]
                memo.setdefault(id(memo), []).append(node)  # copy.deepcopy's own way to keep the originals alive
        return memo[id(self)]  # type: ignore[no-any-return]

    def __reduce__(self) -> tuple[Any, ...]:
        refuse_reading(self, "a copy of a Value")
        if self._a is not None:
            raise TypeError(
                "pickle can hold a leaf Value, but not one that was computed: pickle follows inputs by recursion, and "
                "a graph may be a million nodes deep. Use autograd.dumps(root) and autograd.loads(text), or "
                "copy.deepcopy"
            )
        made = (self._data, self._grad, self._tag, self._da, self._db)
        if hasattr(self, "__dict__"):
            return _restored_as, (type(self), made), vars(self)
        return restore, made


Operand: TypeAlias = Value | Real | float


def refuse_reading(node: Value, what: str) -> None:
    """Raise TracingError if this thread is tracing, and the node depends on an argument or a parameter."""
    tracer = STATE.tracer
    if tracer is not None and tracer.depends(node):
        raise tracer.refusal(what)


def _born(leaf: Value) -> None:
    """Tell this thread's tracer, if there is one, that the traced function itself made this leaf: it is a constant."""
    if STATE.tracer is not None:
        STATE.tracer.born(leaf)


def file_leaves(values: Iterable[Value], path: str) -> None:
    """Give those that were not computed this scope: as ``value.scope = path``, which takes four times as long.

    What was computed is a result, and stays where it was made.
    """
    for x in values:
        op, _, label = x._tag
        if op == LEAF:
            x._tag = LEAF, path, label


def constant(number: float) -> Value:
    """A node for a plain number that met a Value. It has no gradient, and drawings fold it into its gate."""
    return _leaf(_Constant, number, None, (CONSTANT, "", ""))


def _leaf(kind: type[Value], number: float, gradient: float | None, tag: tuple[str, str, str]) -> Value:
    node: Value = _new(kind)
    node._data = number
    node._grad = gradient
    node._tag = tag
    node._a = node._b = node._da = node._db = None
    return node


def restore(
    data: float,
    grad: float | None,
    tag: tuple[str, str, str],
    unrecorded_op: str | None = None,
    accumulated: bool | None = None,
) -> Value:
    """A node as it was saved; its inputs, if it had any, are to be put back by `store_inputs`."""
    node = _leaf(_Constant if tag[0] == CONSTANT else Value, data, grad, tag)
    node._da, node._db = unrecorded_op or None, accumulated or None
    if TRACING:
        _born(node)
    return node


def _restored_as(kind: type[Value], made: tuple[Any, ...]) -> Value:
    """A leaf of a subclass, as it was saved; pickle then puts its own attributes back."""
    node: Value = _new(kind)
    twin = restore(*made)
    for slot in Value.__slots__:
        setattr(node, slot, getattr(twin, slot))
    return node


def unrecorded(number: float, op: str) -> Value:
    """What ``op`` gave inside `no_grad`: a number without inputs, that remembers only what it was computed by."""
    return restore(number, None, (LEAF, current_scope(), ""), op)


def is_constant(x: Any) -> bool:
    """Whether this is a plain number, or the node that stands for one."""
    return not isinstance(x, Value) or x._tag[0] == CONSTANT


def _arithmetic(name: str, a: Any, b: Any) -> Value:
    """A binary operator's careful path: NotImplemented lets arrays and foreign types answer for themselves."""
    for x in (a, b):
        if not isinstance(x, Value) and not is_real(x):
            if x is None or isinstance(x, (str, bytes, Number, list, tuple, dict, set)):
                symbol = SHEET[name].symbol if name != "pow" else "**"
                kinds = f"{type(a).__name__} {symbol} {type(b).__name__}"
                hint = "; write float(x)" if hasattr(x, "__float__") else ""  # a Decimal
                raise TypeError(f"{kinds}: a Value works with Values and plain numbers, but got {short(x)}{hint}")
            return NotImplemented  # type: ignore[no-any-return]
    return record(name, a, b)


def record(name: str, *operands: Operand) -> Value:
    """Apply operation ``name`` of the derivative sheet to Values and numbers, and record it on the new node.

    Raises:
        TypeError: for an operand that is neither, or a rule that does not give numbers.
        ValueError: for a wrong number of inputs.
        NonFiniteError: inside `detect_anomaly`, if the result is inf or nan.
    """
    op = SHEET[name]
    wrong_count = op.input_count_error(len(operands))
    if wrong_count:
        raise ValueError(wrong_count)
    inputs: Sequence[Any] = operands
    kinds = {*map(type, operands)}  # a dot product has hundreds of inputs, and compiling tries many of these
    if not kinds <= {Value, float}:
        inputs = [x if isinstance(x, Value) else to_float(x) for x in operands]
    numbers = (
        [x._data for x in inputs] if kinds == {Value} else [x._data if isinstance(x, Value) else x for x in inputs]
    )
    y = op.value(numbers)
    tags = CURRENT.get()
    if tags is None:  # inside a mode
        if watching() and y - y != 0.0:  # inf - inf and nan - nan are nan
            raise NonFiniteError(f"{name} gave {y!r} going forward; {_described(inputs)}")
        tags = current_tags()
        if not recording():
            if STATE.tracer is not None:
                raise STATE.tracer.refusal("a Value that no_grad() has cut off")
            return unrecorded(y, name)
    out: Value = _new(Value)
    out._data = y
    out._grad = None
    out._tag = getattr(tags, name) if name in BUILT_IN else (name, tags.path, "")
    store_inputs(out, inputs, op.local_derivatives(y, numbers), kinds == {Value})
    return out


def as_node(condition: Comparison) -> Value:
    """A comparison as a node, 1.0 or 0.0."""
    name, a, b = condition.asked
    return record(name, *[as_node(x) if isinstance(x, Comparison) else x for x in (a, b)])


def store_inputs(out: Value, inputs: Sequence[Any], partials: Iterable[float | None], all_vary: bool = False) -> None:
    """Put inputs and local derivatives into a node's slots; to a constant, and out of a detach, nothing goes back.

    ``all_vary``: there is none, as a constant's class is `_Constant`, and so they need not be asked one by one.
    """
    flows = out._tag[0] != DETACH
    if flows and all_vary:
        kept = tuple(partials)
    else:
        kept = tuple(  # `is_constant` written out, because there are so many
            [
                d if isinstance(x, Value) and x._tag[0] != CONSTANT and flows else None
                for x, d in zip(inputs, partials, strict=True)
            ]
        )
    out._da = out._db = out._b = None
    if len(inputs) == 1:
        (out._a,), (out._da,) = inputs, kept
    elif len(inputs) == 2:
        (out._a, out._b), (out._da, out._db) = inputs, kept
    else:
        out._a, out._b, out._db = MANY, tuple(inputs), kept


def _described(inputs: Sequence[Any]) -> str:
    described = [
        f"{x.label or (f'the result of {x.op}' if x.op else 'a leaf')} = {x._data:.6g}"
        if isinstance(x, Value)
        else f"the number {x:.6g}"
        for x in inputs[:4]
    ]
    if len(inputs) > 4:
        described.append(f"and {len(inputs) - 4} more")
    return ("its input was " if len(inputs) == 1 else "its inputs were ") + ", ".join(described)


class _Constant(Value):
    """The node of a plain number that met a Value.

    What is computed from it takes the careful path, which gives a constant no gradient; so the fast methods of Value
    need not ask.
    """

    __slots__ = ()


for _name, _method in list(vars(Value).items()):
    if hasattr(_method, "__wrapped__"):
        setattr(_Constant, _name, _method.__wrapped__)


class _SumStart(Value):
    """0 + x, with which Python's ``sum([x, y, ...])`` begins: x itself, as a node of its own.

    It can be named without renaming x. As long as it has no name, what is added to it is added to x: the sum of x and
    y is x + y, without a gate for the 0.
    """

    __slots__ = ()

    def __add__(self, other: Operand) -> Value:
        return Value.__add__(self if self.label else self._a, other)


def _sum_start(x: Value) -> Value:
    """``identity`` of x, as a `_SumStart`; written out, since sums are common (with `record` it takes 2 µs more)."""
    tags = CURRENT.get()
    if tags is None:  # inside a mode
        start = record("identity", x)
        if start._a is not None:  # it is recorded
            start.__class__ = _SumStart
        return start
    start = _leaf(_SumStart, x._data, None, tags.identity)
    start._a, start._da = x, None if x._tag[0] == CONSTANT else 1.0
    return start


NAMESPACE["Value"] = Value
NAMESPACE["blanks"] = itertools.starmap(_new, itertools.repeat((Value,)))
