"""The written-out methods do what the undecorated ones do, to the last bit, and stay out of the way otherwise."""

from __future__ import annotations

import itertools
import math
import struct
from fractions import Fraction
from typing import Any

import pytest

from autograd import Value
from autograd.kernels import source

UNARY = "neg abs reciprocal exp log sqrt sin cos tanh sigmoid relu softplus".split()
UNARY += "tan asin acos atan sinh cosh log1p expm1 erf erfc gelu".split()
BINARY = "add radd sub rsub mul rmul truediv rtruediv pow rpow".split()
NUMBERS: list[Any] = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1 / 3, -8.0, 700.0, 710.0, -710.0, 1000.0, -1000.0]
NUMBERS += [math.inf, -math.inf, math.nan, 1e308, -1e308, 1e-308, 5e-324, 1e-200, 1e-101, 36.0, 2.0]
OTHERS: list[Any] = [0, 1, -1, 2, 3, -3, 10**15, True, False, Fraction(1, 3), Fraction(-7, 2)]


def bits(x: Any) -> Any:
    if isinstance(x, float):
        return b"nan" if math.isnan(x) else struct.pack("<d", x)
    return x


def everything(y: Value, operands: list[Any]) -> tuple[Any, ...]:
    places = [next((i for i, x in enumerate(operands) if x is n), bits(n.data)) for n in y.inputs]
    return (type(y), y.op, y.scope, y.label, y.has_grad, bits(y.data), places, [bits(d) for d in y.local_derivatives])


def method(name: str) -> Any:
    return getattr(Value, name, None) if name not in ("neg", "abs", *BINARY) else getattr(Value, f"__{name}__")


@pytest.mark.parametrize("name", UNARY)
def test_one_input_methods_equal_the_undecorated_ones(name: str) -> None:
    fast = method(name)
    for number in NUMBERS:
        x = Value(number)
        assert everything(fast(x), [x]) == everything(fast.__wrapped__(x), [x]), number


@pytest.mark.parametrize("name", [*BINARY, "_leaky_relu", "atan2", "hypot"])
def test_two_input_methods_equal_the_undecorated_ones(name: str) -> None:
    numpy = pytest.importorskip("numpy")
    fast = method(name)
    numpy_scalars = [numpy.float64(0.1), numpy.float32(0.1), numpy.int64(3), numpy.float64(math.nan), numpy.uint8(200)]
    for a, b in itertools.product(NUMBERS, [*NUMBERS, *OTHERS, *numpy_scalars]):
        x = Value(a)
        assert everything(fast(x, b), [x]) == everything(fast.__wrapped__(x, b), [x]), (a, b)
        if type(b) is float:
            y = Value(b)
            assert everything(fast(x, y), [x, y]) == everything(fast.__wrapped__(x, y), [x, y]), (a, b)


def test_subclasses_and_constants_take_the_careful_path_with_the_same_result() -> None:
    class Mine(Value):
        pass

    x, y = Value(2.0), Mine(3.0)
    for z in (x * y, y * x):
        z.backward()
        assert type(z) is Value and z.data == 6.0
    assert (x.grad, y.grad) == (6.0, 4.0)


def test_a_number_too_large_for_a_float_is_an_error_and_not_an_infinity() -> None:
    for attempt in (lambda: Value(1.0) * 10**400, lambda: 10**400 + Value(1.0), lambda: Value(10**400)):
        with pytest.raises(OverflowError, match="too large for a float"):
            attempt()


def test_the_source_can_be_read() -> None:
    assert "y = (a * b)" in source("mul")
    assert "da = b" in source("mul") and "db = a" in source("mul")
    with pytest.raises(ValueError, match="any number of inputs"):
        source("dot")


def test_written_methods_keep_their_names_and_docstrings() -> None:
    for name in UNARY + BINARY:
        fast = method(name)
        assert fast.__doc__ and fast.__qualname__.startswith("Value.") and fast.__module__ == "autograd.value"


def test_nothing_raises_out_of_the_arithmetic_and_nothing_is_complex() -> None:
    for a, b in itertools.product(NUMBERS, repeat=2):
        x, y = Value(a), Value(b)
        for z in (x + y, x - y, x * y, x / y, x**y, a**y, x**b, x.leaky_relu(y), x.atan2(y), x.hypot(y)):
            z.backward()
            assert type(z.data) is float and type(x.grad) is float and type(y.grad) is float
    for name in UNARY:
        for a in NUMBERS:
            x = Value(a)
            z = method(name)(x)
            z.backward()
            assert type(z.data) is float and type(x.grad) is float
