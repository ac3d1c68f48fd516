"""`where`: a choice that is recorded, and made again whenever the graph is computed again."""

from __future__ import annotations

import itertools
import math
import operator
from typing import Any

import numpy as np
import pytest

from autograd import (
    Value,
    backward_steps,
    dumps,
    forward_steps,
    grad,
    gradcheck,
    hessian,
    leaves,
    loads,
    no_grad,
    parse,
    recompute,
    where,
)
from autograd.expression import ExpressionError
from autograd.graph import topological_order
from autograd.recomputing import outdated

INF, NAN = math.inf, math.nan
OF_BITS: list[Any] = [operator.xor, operator.and_, operator.or_]
BOTH_WAYS: list[Any] = [getattr(operator, name) for name in "eq ne lt le gt ge add sub mul pow".split()] + OF_BITS


@pytest.mark.parametrize("a", [-1.0, 0.0, -0.0, 2.5, INF, -INF, NAN])
@pytest.mark.parametrize("b", [-1.0, 0.0, 2.5, INF, NAN])
def test_comparisons_are_pythons_own_and_where_follows_them(a: float, b: float) -> None:
    for x, y in ((Value(a), Value(b)), (Value(a), b)):
        for found, expected in (
            (x < y, a < b),
            (x <= y, a <= b),
            (x > y, a > b),
            (x >= y, a >= b),
            (x.equals(y), a == b),
        ):
            assert bool(found) is expected
            assert found == expected
            assert where(found, 3.0, 4.0).data == (3.0 if expected else 4.0)
            assert where(expected, 3.0, 4.0) == (3.0 if expected else 4.0)
            assert where(~found, 3.0, 4.0).data == (4.0 if expected else 3.0)


@pytest.mark.parametrize("number", [-1.0, 1.0])
def test_a_comparison_computes_as_pythons_own_bool_does(number: float) -> None:
    found: Any = Value(number) > 0
    holds: Any = number > 0
    for f in BOTH_WAYS:
        for other in (True, False) if f in OF_BITS else (True, 2, 0.5):
            assert (f(found, other), f(other, found)) == (f(holds, other), f(other, holds))
        assert f(found, Value(1.0) > 0) == f(holds, True)
    for g in (bool, int, float, hash, repr, str, abs, operator.neg, operator.pos, operator.not_, operator.index):
        assert g(found) == g(holds) and type(g(found)) is type(g(holds))
    assert (f"{found}", f"{found:d}", f"{found:>7}") == (f"{holds}", f"{holds:d}", f"{holds:>7}")
    assert [sum([found, found]), "ab"[found], {True: 1, False: 0}[found]] == [2 * holds, "ab"[holds], holds]
    assert sorted([found, not found]) == [False, True]
    assert (Value(found).data, (Value(3.0) * found).data, (found * Value(3.0)).data) == (
        holds,
        3.0 * holds,
        3.0 * holds,
    )


def test_the_one_chosen_gets_the_whole_gradient() -> None:
    for a, b in ((3.0, 2.0), (2.0, 3.0)):
        x, y = Value(a), Value(b)
        f = where(x > y, x * y, -y)
        f.backward()
        assert (f.data, x.grad, y.grad) == ((a * b, b, a) if a > b else (-b, 0.0, -1.0))
        assert gradcheck(lambda x, y: where(x > y, x * y, -y), [a, b])


def test_higher_derivatives_go_through_it() -> None:
    f: Any = lambda x: where(x > 1.0, x**4, x**3)  # noqa: E731
    assert (grad(f)(2.0), grad(grad(f))(2.0), grad(grad(grad(f)))(2.0)) == (32.0, 48.0, 48.0)
    assert (grad(f)(0.5), grad(grad(f))(0.5)) == (0.75, 3.0)
    assert hessian(lambda v: where(v[0] > v[1], v[0] * v[1], v[1] ** 2))([1.0, 2.0]) == [[0.0, 0.0], [0.0, 2.0]]


def test_the_choice_is_made_again_when_the_graph_is_computed_again() -> None:
    x, y = Value(3.0, "x"), Value(2.0, "y")
    f = where(((x > y) & (y > 0)) | x.equals(-7.0), x * x, where(~(x > 0), y, 10.0 * y))
    for a, b, expected in ((3.0, 2.0, 9.0), (1.0, 2.0, 20.0), (-1.0, 2.0, 2.0), (3.0, -2.0, -20.0), (-7.0, 4.0, 49.0)):
        x.data, y.data = a, b
        assert recompute(f).data == expected
    x.data = 100.0
    assert outdated(topological_order(f))


def test_a_plain_bool_chooses_once_and_plain_numbers_stay_plain() -> None:
    x = Value(2.0)
    assert where(True, 1, 2) == 1.0 and type(where(np.bool_(False), 1, 2)) is float
    f = where(True, x, 5.0)
    assert (f.op, f.data, [n.op for n in f.inputs]) == ("where", 2.0, ["const", "", "const"])
    assert where(x > 1, 1.0, 2.0).op == "where"  # it follows from x


@pytest.mark.parametrize("condition", [Value(1.0), 1.0, 3, "x > 0", None, np.array([True, False])])
def test_a_condition_that_is_no_comparison_is_refused_with_an_example(condition: Any) -> None:
    with pytest.raises(TypeError, match=r"chooses by a comparison, as in where\(a > 0, x, y\), but its condition is"):
        where(condition, Value(1.0), Value(2.0))


def test_it_is_saved_and_told_like_any_operation() -> None:
    x, y = Value(3.0, "x"), Value(2.0, "y")
    f = where(x > y, x, y)
    f.backward()
    again = loads(dumps(f))
    assert dumps(again) == dumps(f)
    next(leaf for leaf in leaves(again) if leaf.label == "x").data = 1.0
    assert recompute(again).data == 2.0
    assert [s.text for s in forward_steps(f)] == [
        "v1 = 1 if y < x else 0 = 1 if 2 < 3 else 0 = 1",
        "f = x if v1 else y = 3 if 1 else 2 = 3",
    ]
    assert [s.local_text for s in backward_steps(f) if s.node is f] == ["1 if v1 else 0", "0 if v1 else 1"]
    with no_grad():
        assert where(x > y, x, y).inputs == ()


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("where(x < y, 1, 2)", lambda x, y: x < y),
        ("where(x <= y, 1, 2)", lambda x, y: x <= y),
        ("where(x > y, 1, 2)", lambda x, y: x > y),
        ("where(x >= y + 0, 1, 2)", lambda x, y: x >= y),
        ("where((x == y), 1, 2)", lambda x, y: x == y),
        ("where(x < 0, where(y > 1, 1, 2), where(2*x > y, 1, 2))", lambda x, y: y > 1 if x < 0 else 2 * x > y),
    ],
)
def test_a_formula_may_choose(text: str, holds: Any) -> None:
    root = parse(text, x=0, y=0)
    by_name = {leaf.label: leaf for leaf in leaves(root)}
    for x, y in itertools.product([-1.0, 0.0, 2.0, 2.5], repeat=2):
        by_name["x"].data, by_name["y"].data = x, y
        assert recompute(root).data == (1.0 if holds(x, y) else 2.0)


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("where(x, 1, 2)", "where chooses by one comparison", 6),
        ("where(x < 1 and x > 0, 1, 2)", "where chooses by one comparison", 6),
        ("where(0 < x < 1, 1, 2)", "one comparison at a time", 6),
        ("where(x != 1, 1, 2)", "the comparisons are < <= > >= ==", 6),
        ("where(x < 1, 1)", "where takes 3 inputs, but got 2", 0),
        ("1 + (x > 2)", r"a comparison outside of where\(a > b, x, y\)", 5),
        ("less(x, 1)", "unknown function less", 0),
        ("1 if x else 2", r"write where\(a > b, x, y\)", 0),
    ],
)
def test_a_comparison_in_the_wrong_place_is_told_so(text: str, message: str, column: int) -> None:
    with pytest.raises(ExpressionError, match=message) as caught:
        parse(text, x=1)
    assert caught.value.column == column
