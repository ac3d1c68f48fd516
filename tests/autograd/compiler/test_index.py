"""`Index`: whole numbers that choose. What is compiled is what the scalar code does with plain ints, or is refused."""

from __future__ import annotations

import copy
import difflib
import gc
import itertools
import math
import operator
import pickle
import random
import shutil
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Index, TracingError, Value, dot, logsumexp, softmax, where
from benchmarks import gpt
from benchmarks.programs import arrays, scalars
from nn import Adam
from tests.autograd.compiler.models import strict_error

BACKENDS = ("numpy", "python")


def numbers(*shape: int, seed: int = 0) -> Any:
    r = random.Random(seed)

    def build(rest: tuple[int, ...]) -> Any:
        return [build(rest[1:]) for _ in range(rest[0])] if rest else Value(r.gauss(0.0, 1.0))

    return build(shape)


def leaves(x: Any) -> list[Value]:
    return [v for part in x for v in leaves(part)] if isinstance(x, (list, tuple)) else [x]


def lifted(x: Any) -> Any:
    """Floats become Values, ints stay."""
    return [lifted(v) for v in x] if isinstance(x, list) else Value(x) if isinstance(x, float) else x


def eager(f: Callable[..., Any], parameters: Sequence[Value], samples: Sequence[Any]) -> tuple[float, list[float]]:
    for p in parameters:
        p.grad = None
    total = 0.0
    for sample in samples:
        y = f(*[lifted(argument) for argument in sample])
        y.backward()
        total += y.data
    return total / len(samples), [p.grad / len(samples) for p in parameters]


def same(f: Callable[..., Any], example: Sequence[Any], samples: Sequence[Any], parameters: list[Value]) -> None:
    """The compiled function gives what the scalar code gives for these samples."""
    loss, gradient = eager(f, parameters, samples)
    batch = [list(argument) for argument in zip(*samples, strict=True)]
    for backend in BACKENDS:
        step = autograd.compile(f, *example, params=parameters, backend=backend)
        place = {p: k for k, p in enumerate(parameters)}
        for _ in range(2):
            assert strict_error(step(*batch), loss) <= 1e-10
            expected = [gradient[place[p]] for p in step.parameters]
            assert np.allclose(step.gradient, expected, rtol=1e-10, atol=1e-14), backend


def test_tokens_choose_rows_and_a_class_chooses_a_logit() -> None:
    table, matrix = numbers(5, 3), numbers(5, 3, seed=1)

    def loss(tokens: Any, target: Any) -> Any:
        x = [sum(column) for column in zip(*[table[t] for t in tokens], strict=True)]
        logits = [dot(row, x) for row in matrix]
        return logsumexp(logits) - logits[target]

    samples = [([a, b], c) for a, b, c in itertools.product(range(5), repeat=3)]
    same(loss, [[Index(5), Index(5)], Index(5)], samples, leaves([table, matrix]))


def test_the_gpt_in_scalars_is_that_by_hand() -> None:
    model = scalars.GPT(5, 2, 1, 8, 7)
    step = autograd.compile(model.loss_of_indices, [Index(7)] * 5, [Index(7)] * 5, backend="numpy")
    text, following = np.random.default_rng(0).integers(0, 7, (2, 4, 5))
    by_hand = arrays.ByHandGPT(model)
    assert strict_error(step(text, following), by_hand.step(text, following)) <= 1e-12
    expected = arrays.same_order(step, model.parameters, by_hand.gradient())
    assert np.allclose(step.gradient, expected, rtol=1e-10, atol=1e-15)


table, other, wide = numbers(4, 2), numbers(4, 2, seed=1), numbers(6, seed=2)
bias, cube = numbers(4, seed=3), numbers(4, 3, 2, seed=4)
tables = {"first": table, "second": (tuple(table[0]), *other[1:])}
array = np.array(table)


class Model:
    def __init__(self) -> None:
        self.rows = table
        self.inner = {"bias": [bias, wide]}

    def __call__(self, t: Any) -> Any:
        return self.rows[t][0] * self.inner["bias"][0][t]


class Shifted:
    """A container of its own kind."""

    def __getitem__(self, k: Any) -> Any:
        return [x.tanh() for x in table[k]]


def twice_the_same_entry(t: int) -> Any:
    return table[t][0] * table[t][1] + table[t][0]


def chosen_and_plain_at_once(t: int) -> Any:
    """z[0] and z[1] are used by themselves, too, and are what the look-up finds."""
    z = [a * b for a, b in zip(bias, wide, strict=False)]
    return logsumexp(z) - z[t] + z[0] * z[1] + z[0]


def an_element_that_is_chosen_from(t: int, u: int) -> Any:
    row = cube[t]
    return row[u][0] * row[2][1]


def two_subscripts_in_one(t: int, u: int) -> Any:
    return cube[t][u][0].tanh() + cube[1][u][1]


def same_list_by_two(t: int, u: int, v: int) -> Any:
    return bias[t] * bias[u] - bias[v] / (bias[t] ** 2 + 1.0)


def columns(t: int) -> Any:
    turned = list(zip(*table, strict=True))
    return sum(column[t] ** 2 for column in turned)


def in_a_comprehension(t: int) -> Any:
    return sum([row[t] * 0.5 for row in (bias, wide)])


def in_a_nested_function(t: int) -> Any:
    def inner(k: Any) -> Any:
        return [lambda: table[k]][0]()

    return inner(t)[0].exp() + inner(t)[1]


def after_a_choice(t: int) -> Any:
    z = [where(x > 0.0, x, 0.1 * x) for x in bias]
    shares = softmax(z)
    return -shares[t].log() + z[t]


def over_several_lines(t: int) -> Any:
    return sum(
        table[
            t
        ]
    )  # fmt: skip


def equal_but_not_the_same(t: int) -> Any:
    """All entries are computed alike, from one number: their graphs are equal, and so are the numbers."""
    z = [bias[0] * 2.0 for _ in range(4)]
    weights = [wide[k] * z[k] for k in range(4)]
    return z[t] * weights[t] + z[0]


def part_of_a_longer_list(t: int) -> Any:
    return wide[t] * wide[1:][t] * wide[-1]


def a_table_made_by_the_function(t: int) -> Any:
    rates = [Value(r) for r in (0.5, 2.0, 0.5, 3.0)]
    return rates[t] * bias[t] ** 2


def rows_with_the_same_constant(t: int) -> Any:
    one = Value(1.0)
    rows = [[x, one] for x in bias]
    return rows[t][0] * rows[t][1] + rows[t][1]


CASES: dict[str, tuple[Callable[..., Any], list[int]]] = {
    f.__name__.replace("_", " "): (f, [4] * f.__code__.co_argcount)
    for f in (
        twice_the_same_entry, chosen_and_plain_at_once, same_list_by_two, columns, in_a_comprehension,
        in_a_nested_function, after_a_choice, over_several_lines, equal_but_not_the_same, part_of_a_longer_list,
        a_table_made_by_the_function, rows_with_the_same_constant,
    )
} | {
    "an element that is chosen from": (an_element_that_is_chosen_from, [4, 3]),
    "two subscripts in one": (two_subscripts_in_one, [4, 3]),
    "attributes and entries": (Model(), [4]),
    "a container of its own kind": (lambda t: Shifted()[t][1], [4]),
    "a dict of tables": (lambda t, u: tables["first"][t][0] * tables["second"][u][1], [4, 4]),
    "an array of Values": (lambda t: array[t, 1] * array[t][0], [4]),
    "a range shorter than the list": (lambda t: wide[t] * wide[5], [3]),
    "one to choose from": (lambda t: bias[t] ** 2, [1]),
    "not used": (lambda t: bias[0] ** 2 + bias[1], [4]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_look_up_gives_what_it_gives_to_the_scalar_code(name: str) -> None:
    f, counts = CASES[name]
    samples = list(itertools.product(*map(range, counts)))
    same(f, [Index(n) for n in counts], samples, leaves([table, other, wide, bias, cube]))


def test_many_look_ups_into_few_entries_take_more_traces() -> None:
    pair, calls = numbers(2), []

    def loss(bits: Any) -> Any:
        calls.append(None)
        total: Any = 0.0
        for k, bit in enumerate(bits):
            total = (total + (k + 1.0) * pair[bit]).tanh()
        return total

    samples = [([random.Random(k).randrange(2) for _ in range(9)],) for k in range(6)]
    same(loss, [[Index(2)] * 9], samples, pair)
    calls.clear()
    autograd.compile(loss, [Index(2)] * 9, check=False)
    assert len(calls) == 4  # 2³ look-ups that all four runs together tell apart are too few for 9; 2⁴ are not


def test_numbers_and_indices_in_one_argument() -> None:
    def loss(x: Any) -> Any:
        return (x[0] * bias[x[1]] - x[2]) ** 2

    samples = [([0.5, 3, -1.0],), ([2.0, 0, 0.25],), ([-1.0, 1, 1.5],)]
    same(loss, [[0.1, Index(4), 0.2]], samples, bias)


def test_entries_that_are_not_chosen_may_be_infinite_or_nan() -> None:
    """0·inf is nan: what is not chosen has to be left out, as it is where the scalar code looks one entry up."""

    def masked(x: Any, t: Any) -> Any:
        z = [where(xk > 0.0, b * xk, -math.inf) for b, xk in zip(bias, x, strict=True)]
        return logsumexp(z) - z[t]

    def rows(x: Any, t: Any) -> Any:
        quotients = [[b / xk, b.exp()] for b, xk in zip(bias, x, strict=True)]
        return quotients[t][0] * quotients[t][1]

    for f in (masked, rows):
        for x, t in (([1.0, -1.0, 0.0, 2.0], 3), ([1.0, 0.0, -1.0, 2.0], 0), ([1.0, math.nan, 1.0, 1.0], 0)):
            loss, gradient = eager(f, bias, [(x, t)])
            expected = dict(zip(bias, gradient, strict=True))
            for backend in BACKENDS:
                step = autograd.compile(f, [1.0] * 4, Index(4), backend=backend)
                assert strict_error(step([x], [t]), loss) <= 1e-12
                if f is masked:  # as with `where`, a slope of inf that is not chosen makes nan in a program on arrays
                    assert strict_error(step.gradient, [expected[p] for p in step.parameters]) <= 1e-10


# --- look-ups beside everything else

tables5, bias5 = numbers(3, 5, 2, seed=9), numbers(5, seed=8)


def a_table_for_each_position(ts: Any) -> Any:
    return sum(tables5[k][t][0] * tables5[k][t][1] + tables5[k][t][0] for k, t in enumerate(ts))


def tokens_in_another_order(ts: Any) -> Any:
    return sum((bias5[ts[k]] * (j + 1.0)).tanh() for j, k in enumerate((2, 0, 1, 0, 0)))


def rows_that_depend_on_the_sample(ts: Any, x: Any) -> Any:
    rows = [[a * b for a in x] for b in bias5]
    return sum(rows[t][0] * rows[t][1] + rows[t][2] for t in ts)


def entries_of_an_argument(ts: Any, x: Any) -> Any:
    return sum(x[t] * b for t, b in zip(ts, bias5, strict=False))


def inputs_and_classes_of_a_recurrence(ts: Any) -> Any:
    h: list[Any] = [Value(0.0)] * 2
    total: Any = 0.0
    for t in ts:
        h = [(tables5[0][t][k] + sum(c * v for c, v in zip(tables5[1][k], h, strict=True))).tanh() for k in (0, 1)]
        z = [dot(row, h) for row in tables5[2]]
        total = total + logsumexp(z) - z[t]
    return total


def a_state_that_is_looked_into(ts: Any) -> Any:
    h = [b * 1.0 for b in bias5]
    for t in ts:
        chosen = h[t]
        h = [(chosen * b + 0.3 * a).tanh() for a, b in zip(h, bias5, strict=True)]
    return sum(h)


@pytest.mark.parametrize(
    "f",
    [
        a_table_for_each_position, tokens_in_another_order, rows_that_depend_on_the_sample, entries_of_an_argument,
        inputs_and_classes_of_a_recurrence, a_state_that_is_looked_into,
    ],
)  # fmt: skip
def test_look_ups_stand_beside_loops_and_tables_of_any_kind(f: Callable[..., Any]) -> None:
    r = random.Random(1)
    length = 3 if f is a_table_for_each_position else 5
    samples: list[Any] = [([r.randrange(5) for _ in range(length)],) for _ in range(3)]
    example: list[Any] = [[Index(5)] * length]
    if f.__code__.co_argcount == 2:
        samples = [(*sample, [r.gauss(0.0, 1.0) for _ in range(5)]) for sample in samples]
        example.append([0.1 * k for k in range(5)])
    same(f, example, samples, leaves([tables5, bias5]))


@pytest.mark.parametrize("with_matrices", [False, True])
def test_a_table_is_not_left_where_another_index_chooses_from_a_longer_list(with_matrices: bool) -> None:
    """Four look-ups into one column and one into the other are a box of eight, and behind the first five indices lie
    some that go further than the table. With products of matrices for each sample, samples come first in memory."""
    narrow, weights = numbers(3, 2, seed=4), numbers(4, seed=5)

    def loss(x: Any, ks: Any) -> Any:
        ys = [v + narrow[k][0] for v, k in zip(x, ks[:4], strict=True)]
        for_all = [row[1] for row in narrow]
        ys = [y * for_all[ks[4]] for y in ys]
        total = sum(w * (y - 0.5 * ys[k]) for w, y, k in zip(weights, ys, ks[5:], strict=True))
        if with_matrices:
            tanhs = [[(w * v).tanh() for v in x[:2]] for w in weights[:2]]
            total = total + sum(sum(a * b for a, b in zip(u, v, strict=True)) ** 2 for u in tanhs for v in tanhs)
        return total

    x = [0.1, -0.2, 0.3, 0.4]
    samples = [(x, [0, 1, 2, 0, 2, 3, 3, 2, 3]), (x, [0] * 9), (x, [2, 1, 0, 2, 1, 3, 3, 3, 3])]
    same(loss, [x, [Index(3)] * 5 + [Index(4)] * 4], samples, leaves([narrow, weights]))


def test_a_recurrence_over_tokens_is_a_loop_and_takes_its_rows_at_once() -> None:
    texts = [
        autograd.compile(inputs_and_classes_of_a_recurrence, [Index(5)] * steps, backend="numpy", check=False).source
        for steps in (6, 9)
    ]
    assert texts[0].count("\n") == texts[1].count("\n") and "for turn in range(8):" in texts[1]
    assert texts[1].count("take(w1, ts, 0)") == 1


# --- what is refused


def refused_cases() -> dict[str, tuple[Callable[..., Any], str]]:
    floats = [0.5, 2.0, 3.0, 4.0]
    return {
        "if": (lambda t: bias[0] if t == 1 else bias[1], "asks for the number of an Index"),
        "truth": (lambda t: bias[0] if t else bias[1], "asks for the number of an Index"),
        "order": (lambda t: bias[0] if t > 2 else bias[1], "asks for the number of an Index"),
        "arithmetic": (lambda t: bias[t + 1], "asks for the number of an Index"),
        "a product with a Value": (lambda t: bias[0] * t, "Index"),
        "a Value of it": (lambda t: Value(t) * bias[0], "Index"),
        "int": (lambda t: bias[int(t)], "asks for the number of an Index"),
        "range": (lambda t: sum(bias[k] for k in range(t)), "asks for the number of an Index"),
        "a slice": (lambda t: sum(wide[t:]), "asks for the number of an Index|more than one entry"),
        "a slice up to it": (lambda t: sum(wide[:t]), "asks for the number of an Index|more than one entry"),
        "repetition of a list": (lambda t: sum(bias * t), "asks for the number of an Index"),
        "a dict": (lambda t: {0: bias[0], 1: bias[1]}[t], "asks for the number of an Index"),
        "a set": (lambda t: bias[0] if t in {1, 2} else bias[1], "asks for the number of an Index"),
        "a list of numbers": (lambda t: floats[t] * bias[0], "a list of float, not of Values"),
        "a list of names": (lambda t: tables["first" if "abcd"[t] == "a" else "second"][0][0], "a list of str"),
        "a list of functions": (lambda t: [Value.exp, Value.tanh, Value.sin, Value.cos][t](bias[0]), "has no name"),
        "rows of several lengths": (lambda t: sum(ragged[t]), "not all of one shape"),
        "a list that is too short": (lambda t: short[t] * 2.0, "of a list that has 3"),
        "a list without a name": (lambda t: softmax(bias)[t], "`softmax\\(bias\\)` by an Index.*Give the list a name"),
        "an item": (lambda t: operator.itemgetter(t)(bias) * 1.0, "asks for the number of an Index"),
        "a method": (lambda t: bias.__getitem__(t) * 1.0, "asks for the number of an Index"),
        "pop": (lambda t: list(bias).pop(t) * 1.0, "asks for the number of an Index"),
        "a Value that stands twice": (lambda t: half_twice[t][0] * half_twice[t][1], "some Values stand twice"),
        "what was chosen is read": (lambda t: bias[0] * bias[t].data, "asks for the number in a Value"),
        "a constant that was chosen is read": (reads_a_constant, "asks for the number in a Value"),
        "the entry is written": (writes_an_entry, "asks for the number of an Index"),
    }


ragged = [bias[:2], bias[:3], bias[:2], bias[:1]]
short = bias[:3]
half_twice = [[bias[0], wide[0]], [bias[0], wide[1]], [bias[1], wide[2]], [bias[2], wide[3]]]


def reads_a_constant(t: int) -> Any:
    rates = [Value(r) for r in (0.5, 2.0, 0.5, 3.0)]
    return rates[t].data * bias[0]


def writes_an_entry(t: int) -> Any:
    z = [b * 2.0 for b in bias]
    z[t] = bias[0]
    return sum(z)


REFUSED = refused_cases()


@pytest.mark.parametrize("name", REFUSED)
def test_what_else_one_does_with_an_index_is_refused_with_the_users_line(name: str) -> None:
    f, message = REFUSED[name]
    with pytest.raises((TracingError, TypeError), match=message) as caught:
        autograd.compile(f, Index(4))
    if caught.type is TracingError:
        assert "test_index.py:" in str(caught.value)


def test_an_index_says_nothing_of_its_number_in_text() -> None:
    seen: list[str] = []

    def loss(t: Any) -> Any:
        seen.append(f"{t} {t!r}")
        return bias[t]

    autograd.compile(loss, Index(4), check=False)
    assert set(seen) == {"Index(4) Index(4)"}


def test_a_function_that_does_otherwise_the_second_time_is_refused() -> None:
    calls = itertools.count()

    def more(t: Any) -> Any:
        return sum(bias[t] for _ in range(1 + next(calls) % 2))

    def swapped(t: Any, u: Any) -> Any:
        return bias[t] * wide[u] if next(calls) % 2 else wide[u] * bias[t]

    def drifting(t: Any) -> Any:
        return bias[t] * float(next(calls))

    for f in (more, drifting):
        with pytest.raises(TracingError, match="called again|each time that it is called"):
            autograd.compile(f, Index(4), check=False)
    with pytest.raises(TracingError, match="called again|each time that it is called"):
        autograd.compile(swapped, Index(4), Index(4), check=False)


def test_a_hidden_dependence_is_refused() -> None:
    """Nothing can see that two entries are asked for being the same; but the graphs differ, or the numbers do."""

    def by_identity(t: Any) -> Any:
        return bias[0] if bias[t] is bias[2] else bias[t] * 2.0

    def hidden(t: Any) -> Any:
        found = bias[t]
        return wide[bias.index(found)] * found

    for f in (hidden, by_identity):
        with pytest.raises(TracingError):
            autograd.compile(f, Index(4))


def test_outside_of_compile_an_index_is_no_number() -> None:
    with pytest.raises(TypeError, match="stands for a number in an example"):
        bias[Index(4)]


@pytest.mark.parametrize("count", [0, -1])
def test_an_index_chooses_from_one_or_more(count: int) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        Index(count)


def test_an_index_needs_a_whole_count() -> None:
    with pytest.raises(TypeError, match="as in Index\\(27\\)"):
        Index(2.5)  # type: ignore[arg-type]


# --- calls


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ([[0, 4]], r"tokens must have a whole number 0…3 .* sample 0, entry 1, has 4"),
        ([[0, 3], [-1, 0]], r"sample 1, entry 0, has -1"),
        ([[0.5, 0]], r"entry 0, has 0.5"),
        ([[float("nan"), 0]], "entry 0, has nan"),
        ([[float("inf"), 0]], "entry 0, has inf"),
        ([[0, 1, 2]], r"tokens must have shape \(N, 2\)"),
    ],
)
def test_each_call_checks_the_numbers(batch: Any, message: str) -> None:
    step = autograd.compile(lambda tokens: bias[tokens[0]] * bias[tokens[1]], [Index(4), Index(4)])
    with pytest.raises(ValueError, match=message):
        step(batch)
    assert step([[1.0, 2.0]]) == bias[1].data * bias[2].data  # a float that is whole will do
    assert step(np.array([[1, 2]], np.uint8)) == bias[1].data * bias[2].data


def test_outputs_updates_and_copies_follow() -> None:
    table, out = numbers(4, 3), numbers(4, 3, seed=1)

    def model(t: Any) -> Any:
        return [dot(row, table[t]) for row in out]

    predict = autograd.compile(model, Index(4))
    assert np.allclose(predict([2, 0]), [[z.data for z in model(k)] for k in (2, 0)])

    def loss(t: Any, target: Any) -> Any:
        z = model(t)
        return logsumexp(z) - z[target]

    step = autograd.compile(loss, Index(4), Index(4))
    X, y = [0, 1, 2, 3], [1, 2, 3, 0]
    optimizer = Adam(step.parameters, lr=0.1)
    losses = [step.update(optimizer, X, y) for _ in range(60)]
    assert losses[-1] < 0.1 < losses[0]
    step.push()
    assert loss(2, 3).data < 0.2
    again = pickle.loads(pickle.dumps(step))
    assert again(X, y) == copy.deepcopy(step)(X, y) == step(X, y)


def test_float32_and_the_other_backends_follow() -> None:
    step = autograd.compile(lambda t: bias[t] ** 2, Index(4), dtype="float32", backend="numpy")
    assert step([3, 1]) == pytest.approx((bias[3].data ** 2 + bias[1].data ** 2) / 2, rel=1e-6)


def test_the_program_takes_and_multiplies_with_no_one_hot_rows() -> None:
    """Its length is that of the same function of numbers, and a table may be long."""
    table, matrix = numbers(300, 2), numbers(300, 2, seed=1)

    def loss(tokens: Any, target: Any) -> Any:
        x = [a + b * c for a, b, c in zip(*[table[t] for t in tokens], strict=True)]
        logits = [dot(row, x) for row in matrix]
        return logsumexp(logits) - logits[target]

    step = autograd.compile(loss, [Index(300)] * 3, Index(300), backend="numpy", check=False)
    assert "take(w1, tokens, 0)" in step.source and "take_along_axis(z1, " in step.source
    assert "add_at(zeros((300, 2)), tokens, " in step.source
    assert "tokens: [3, n], whole numbers 0 to 299" in step.source and "[900" not in step.source
    samples = [([7, 7, 299], 7), ([0, 7, 1], 299)]
    same(loss, [[Index(300)] * 3, Index(300)], samples, leaves([table, matrix]))
    assert {"look up"} <= {g.op for g in step.groups}
    given = [np.array(column) for column in zip(*samples, strict=True)]
    alone: dict[str, Any] = {}
    exec(step.source, alone)
    mean, gradient = alone["program"](step.theta, given[0].T, given[1][None])
    assert mean == pytest.approx(step(*given)) and np.allclose(gradient, step.gradient, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("backend", ["jax", "numba", "javascript"])
def test_the_other_backends_look_up_too(backend: str) -> None:
    if backend == "javascript":
        if shutil.which("node") is None:
            pytest.skip("needs Node.js")
    else:
        pytest.importorskip(backend)
    if backend == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)

    def loss(tokens: Any, x: Any) -> Any:
        z = [a * b + bias[tokens[0]] for a, b in zip(wide, table[tokens[1]] + table[tokens[2]], strict=False)]
        return logsumexp(z) - z[x[1]] * x[0]

    samples = [([3, 0, 1], [0.5, 2]), ([3, 3, 2], [-1.0, 0]), ([0, 1, 1], [2.0, 3])]
    expected, slopes = eager(loss, leaves([wide, table, bias]), samples)
    step = autograd.compile(loss, [Index(4)] * 3, [1.0, Index(4)], backend=backend, check=False)
    assert step(*[list(column) for column in zip(*samples, strict=True)]) == pytest.approx(expected, rel=1e-12)
    by = dict(zip(leaves([wide, table, bias]), slopes, strict=True))
    assert np.allclose(step.gradient, [by[p] for p in step.parameters], rtol=1e-12, atol=1e-15)


# --- a program of the field's usual form


def smaller(text: str) -> str:
    """The GPT in one file, with less of everything."""
    for name in ("size = 16", "context = 16"):
        assert text.count(f"\n{name}") == 1
    return text.replace("\nsize = 16", "\nsize = 4").replace("\ncontext = 16", "\ncontext = 5")


def test_a_gpt_in_one_file_is_compiled_by_changing_five_lines_or_less() -> None:
    text = gpt.PROGRAM.read_text(encoding="utf-8")
    before, after = gpt.with_chainrules_engine(text).splitlines(), gpt.compiled(text).splitlines()
    changed = [
        line for line in difflib.unified_diff(before, after, n=0) if line[0] in "+-" and line[:3] not in ("+++", "---")
    ]
    added, removed = [line for line in changed if line[0] == "+"], [line for line in changed if line[0] == "-"]
    assert 1 <= len(added) <= 5 and len(removed) <= 1


def test_it_computes_the_same_with_its_own_engine_with_ours_and_compiled() -> None:
    text = smaller(gpt.PROGRAM.read_text(encoding="utf-8"))
    found = [gpt.run(program, 4, 2)[1] for program in (text, gpt.with_chainrules_engine(text), gpt.compiled(text))]
    assert found[0] == found[1] == found[2]
    assert len(gpt.losses(found[0])) == 2


def test_of_what_was_traced_nothing_is_left_when_the_collector_rests() -> None:
    w = [Value(0.5), Value(-0.5), Value(0.25)]

    def loss(x: Any, k: Any) -> Any:
        z = [x * a for a in w]
        return logsumexp(z) - z[k]

    gc.collect()
    gc.disable()
    try:
        before = {id(x) for x in gc.get_objects() if isinstance(x, Value)}
        step = autograd.compile(loss, 1.5, Index(3))
        assert not [x for x in gc.get_objects() if isinstance(x, Value) and id(x) not in before]
    finally:
        gc.enable()
    assert step([1.0, 2.0], [0, 2]) > 0.0
