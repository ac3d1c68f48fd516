"""Errors that teach: what another library calls it, or what was misspelt, is answered with what to write here."""

from __future__ import annotations

import copy
import inspect
import pickle
import pydoc
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value
from autograd.elsewhere import ENGINE, LikeATensor
from autograd.hints import WRITTEN_OUT, Elsewhere, did_you_mean, explains

WORDS = {name: word.advice for name, word in vars(LikeATensor).items() if isinstance(word, Elsewhere)}


# --- attributes of a Value


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("item", "x.data"),
        ("numpy", "x.data"),
        ("value", "x.data"),
        ("gradient", "x.grad"),
        ("detach", "autograd.detach(x)"),
        ("requires_grad", "autograd.no_grad()"),
        ("grad_fn", "x.op"),
        ("children", "x.inputs"),
        ("name", "x.label"),
        ("abs", "abs(x)"),
        ("silu", "x*sigmoid(x)"),
        ("_children", "x.inputs"),
        ("no_grad", "with autograd.no_grad():"),
    ],
)
def test_an_attribute_of_another_library_is_answered_with_ours(name: str, advice: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(Value(2.0), name)
    assert str(caught.value).startswith(f"Value has no .{name}; ") and advice in str(caught.value)
    assert caught.value.name == name


@pytest.mark.parametrize("name", WORDS)
def test_foreign_attributes_can_be_asked_about_and_neither_set_nor_completed(name: str) -> None:
    x = Value(2.0)
    assert not hasattr(x, name) and getattr(x, name, None) is None
    assert name not in dir(x)
    with pytest.raises(AttributeError, match=f"Value has no .{name}; "):
        setattr(x, name, 1.0)


def test_no_foreign_attribute_stands_in_the_way_of_one_of_ours() -> None:
    assert not WORDS.keys() & vars(Value).keys()
    assert {"data", "grad", "backward", "exp"} <= set(dir(Value(1.0)))


def test_a_value_is_copied_pickled_and_probed_by_numpy_as_ever() -> None:
    x = Value(2.0, "x")
    assert copy.deepcopy(x * x).data == 4.0 and pickle.loads(pickle.dumps(x)).label == "x"
    assert np.array([x, x]).dtype == object and (np.float64(3.0) * x).data == 6.0
    assert inspect.getmembers(x)  # asks for everything that there is
    assert "its number is x.data" in pydoc.plain(pydoc.render_doc(Value))


def test_there_is_no_getattr_on_a_value() -> None:
    """On Python 3.11 it would cost nearly half of the speed: every attribute is then looked up by the slow way."""
    assert "__getattr__" not in {name for kind in Value.__mro__ for name in vars(kind)}


# --- arguments


def test_the_name_of_a_value_is_its_label() -> None:
    with pytest.raises(TypeError, match=r"write Value\(2, label='x'\)"):
        Value(2, name="x")  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["retain_graph", "create_graph"])
def test_backward_says_what_became_of_pytorchs_arguments(word: str) -> None:
    with pytest.raises(TypeError, match=rf"backward\(\) has no argument '{word}'; "):
        Value(2.0).backward(**{word: True})
    with pytest.raises(TypeError, match="did you mean 'gradient'"):
        Value(2.0).backward(gradeint=1.0)  # type: ignore[call-arg]


def test_only_an_unknown_name_is_explained_and_other_mistakes_stay_what_they_are() -> None:
    @explains(size="write n")
    def f(n: int, twice: bool = False) -> int:
        return len(n) if twice else n  # type: ignore[arg-type]

    assert f(3) == 3 and f(n=3) == 3
    with pytest.raises(TypeError, match=r"^f\(\) has no argument 'size'; write n$"):
        f(size=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^f\(\) has no argument 'quite'; its arguments are n, twice$"):
        f(3, quite=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"object of type 'int' has no len\(\)"):
        f(3, twice=True)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        f()  # type: ignore[call-arg]
    assert list(inspect.signature(f).parameters) == ["n", "twice"]


@pytest.mark.parametrize("transform", [autograd.grad, autograd.value_and_grad, autograd.jacobian, autograd.hessian])
def test_jaxs_argnums_is_answered_with_ours(transform: Any) -> None:
    with pytest.raises(TypeError, match=r"has no argument 'argnums'; write argnum, .* grad\(f, argnum=\(0, 1\)\)"):
        transform(lambda x, y: x * y, argnums=(0, 1))
    assert transform(lambda x, y: x * y, argnum=(0, 1))


# --- names to import


@pytest.mark.parametrize("name", ENGINE)
def test_a_foreign_name_is_an_import_error_with_advice_and_else_not_there(name: str) -> None:
    with pytest.raises(ImportError) as caught:
        exec(f"from autograd import {name}")
    assert str(caught.value) == f"autograd has no {name!r}; {ENGINE[name]}"
    assert not hasattr(autograd, name)
    with pytest.raises(AttributeError, match=f"autograd has no '{name}'"):
        getattr(autograd, name)


def test_a_part_of_the_package_is_found_while_it_is_being_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is in sys.modules and not yet an attribute; Python looks there, if the attribute is just not there."""
    from autograd import storage

    monkeypatch.delattr(autograd, "storage")
    scratch: dict[str, Any] = {}
    exec("from autograd import storage", scratch)
    assert scratch["storage"] is storage


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    for wrong, right in (("sigmod", "sigmoid"), ("Valeu", "Value"), ("Grad", "grad"), ("compil", "compile")):
        with pytest.raises(ImportError, match=f"autograd has no '{wrong}'; did you mean '{right}'"):
            exec(f"from autograd import {wrong}")
    with pytest.raises(ImportError, match=r"^autograd has no 'quaternion'$"):
        exec("from autograd import quaternion")
    from autograd import ops  # a module in the package still is one

    assert ops.SHEET is autograd.SHEET


@pytest.mark.parametrize("name", sorted(WRITTEN_OUT))
def test_another_function_is_not_taken_for_a_slip(name: str) -> None:
    assert did_you_mean(name, ["relu", "linear", "sigmoid", "tanh", "leaky_relu"]) == ""
    with pytest.raises(ImportError, match=f"^autograd has no '{name}'; {name}\\(x\\) is "):
        exec(f"from autograd import {name}")


# --- help


@pytest.mark.parametrize(
    ("function", "signature", "words"),
    [
        (autograd.exp, "exp(x: 'Number') -> 'Number'", "e to the power x"),
        (autograd.add, "add(a: 'Operand', b: 'Operand') -> 'Value | float'", "a + b"),
        (autograd.maximum, "maximum(*xs: 'Operand | Iterable[Operand]') -> 'Value | float'", "The largest"),
        (autograd.dot, "dot(xs: 'Iterable[Operand]', ws: 'Iterable[Operand]') -> 'Value | float'", "The dot product"),
        (Value.backward, "backward(self, gradient: 'Real | float' = 1.0) -> 'None'", "Backpropagation"),
    ],
)
def test_help_shows_a_signature_that_can_be_read_and_the_lesson(function: Any, signature: str, words: str) -> None:
    text = pydoc.plain(pydoc.render_doc(function))
    assert signature in text and words in text
    assert "Protocol" not in text and "overload" not in text
