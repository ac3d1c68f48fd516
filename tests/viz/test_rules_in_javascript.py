"""The sheet's rules, and numbers as text, in JavaScript: against Python's own."""

from __future__ import annotations

import itertools
import math
import random
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from autograd import SHEET, Value, exp, format_number, parse, register, topological_order
from autograd.backward import contributions
from autograd.javascript import expression, literal, rule
from autograd.ops import BUILT_IN, CUT
from autograd.symbols import leaf
from tests.autograd import naive
from tests.autograd.build import build
from viz.live.network import described, plain, rules
from viz.live.scripts import sheet

from . import javascript

INF, NAN = math.inf, math.nan
HARD = [0.0, -0.0, 1.0, -1.0, 2.0, -2.5, 0.5, 3.0, -INF, INF, NAN, 1000.0, -1000.0, 1e-320, 1e300, -37.0, 710.0]
# where another library's function may round otherwise, by so many units in the last place
ULPS = 3


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> Any:
    return None if javascript.NODE else request.getfixturevalue("chromium")


def bits(x: float) -> str:
    return "nan" if x != x else struct.pack(">d", x).hex()


def same(ours: float, theirs: float | str, size: float = 0.0) -> bool:
    """Equal in every bit, or, for finite numbers, up to the last places of the largest number around."""
    x = float(theirs)
    if bits(ours) == bits(x):
        return True
    near = abs(ours - x) <= ULPS * math.ulp(max(abs(ours), size))
    return near and math.isfinite(ours) and (ours != 0.0 or x != 0.0)


READ = """
const read = (x) => typeof x === 'number' ? x : x === 'inf' ? Infinity : x === '-inf' ? -Infinity : NaN;
const write = (x) => x === undefined ? 'none' : x === null ? 'cut' : Object.is(x, -0) ? '-0' : Number.isFinite(x) ? x : x !== x ? 'nan' : x > 0 ? 'inf' : '-inf';
"""  # noqa: E501


def singular_cases() -> Iterator[tuple[str, list[float]]]:
    for name in sorted(BUILT_IN):
        arity = SHEET[name].arity
        if arity == 1:
            yield from ((name, [x]) for x in HARD)
        elif arity == 2:
            yield from ((name, [x, y]) for x, y in itertools.product(HARD, HARD))
        else:
            few = [0.0, -0.0, 1.0, -1.0, 800.0, INF, -INF, NAN]
            count = 4 if name == "dot" else 3
            yield from ((name, list(xs)) for xs in itertools.product(few, repeat=count))


def test_every_line_of_the_sheet_is_the_same_at_its_singular_points(browser: Any) -> None:
    cases = list(singular_cases())
    script = sheet((name, len(xs)) for name, xs in cases) + READ
    script += """
    return DATA.map(([key, xs]) => {
      const inputs = xs.map(read);
      const y = SHEET[key][0](inputs);
      return [y, ...SHEET[key][1](y, inputs)].map(write);
    });"""
    answers = javascript.run(script, [[f"{n}/{len(xs)}", list(map(plain, xs))] for n, xs in cases], browser)
    assert len(answers) == len(cases) > 5_000
    for (name, xs), (y, *slopes) in zip(cases, answers, strict=True):
        op = SHEET[name]
        value = op.value(xs)
        assert same(value, y), (name, xs, value, y)
        for ours, theirs in zip(op.local_derivatives(value, xs), slopes, strict=True):
            if ours is None or ours is CUT or theirs in ("none", "cut"):
                expected = "cut" if ours is CUT or name == "detach" else "none"
                assert theirs == ("none" if name == "detach" else expected), (name, xs, ours, theirs)
            else:
                assert same(ours, theirs, 1e-300), (name, xs, ours, theirs)


RUN = """
    return DATA.map(({ nodes, given, changed }) => {
      const graph = new Graph(nodes, given, SHEET);
      return [{}, changed].map((numbers) => {
        for (const [i, x] of Object.entries(numbers)) graph.values[i] = read(x);
        graph.run();
        return [graph.values, graph.gradients].map((row) => Array.from(row, write));
      });
    });"""


def test_a_thousand_random_graphs_compute_the_same_in_javascript_after_changes_of_their_leaves(browser: Any) -> None:
    rng = random.Random(0)
    drawn, data, used = [], [], set()
    for seed in range(1000):
        program, inputs = naive.random_program(random.Random(seed))
        changed = [x + rng.uniform(-0.2, 0.2) * (seed % 5 > 0) for x in inputs]
        order = topological_order(build(program, inputs)[-1])
        graph = described(order)
        leaf_places = {node.data: i for i, node in enumerate(order) if node.op == ""}
        moved = {leaf_places[x]: new for x, new in zip(inputs, changed, strict=True) if x in leaf_places}
        drawn.append((program, inputs, changed))
        data.append({**graph, "changed": moved})
        used |= {(node.op, len(node.inputs)) for node in order if node.inputs}
    answers = javascript.run(javascript.joined("graph") + sheet(used) + READ + RUN, data, browser)
    equal = total = 0
    for (program, *both), told in zip(drawn, answers, strict=True):
        for inputs, (values, gradients) in zip(both, told, strict=True):
            order = topological_order(build(program, inputs)[-1])
            adjoint = {order[-1]: 1.0}
            for step in contributions(order, 1.0):
                adjoint[step[1]] = step[-1]
            size = max(map(abs, adjoint.values()))
            for node, y, g in zip(order, values, gradients, strict=True):
                assert float(y) == pytest.approx(node.data, rel=1e-13, abs=1e-13)
                assert (g == "none") == (node not in adjoint)
                if g != "none":
                    assert abs(float(g) - adjoint[node]) <= 1e-12 * max(1.0, size)
                    total += 1
                    equal += bits(float(g)) == bits(adjoint[node])
    assert equal > 0.9 * total  # the rest is where Python's C library rounds otherwise


def test_graphs_of_plain_arithmetic_agree_to_the_last_bit(browser: Any) -> None:
    rng = random.Random(1)
    ops, orders, data = ["+", "-", "*", "/"], [], []
    for _ in range(300):
        names = "xyz"
        text = "x"
        for _ in range(rng.randint(2, 12)):
            text = f"({text} {rng.choice(ops)} {rng.choice([*names, '2', '-0.3'])})"
        f = parse(text, **{n: rng.choice([rng.uniform(-3, 3), 0.0, 1.0]) for n in names if n in text})
        orders.append(topological_order(f))
        data.append({**described(orders[-1]), "changed": {}})
    script = (
        javascript.joined("graph") + sheet((n.op, len(n.inputs)) for o in orders for n in o if n.inputs) + READ + RUN
    )
    for order, ((values, gradients), _) in zip(orders, javascript.run(script, data, browser), strict=True):
        adjoint = {order[-1]: 1.0}
        for step in contributions(order, 1.0):
            adjoint[step[1]] = step[-1]
        assert [bits(float(y)) for y in values] == [bits(node.data) for node in order]
        expected = [bits(adjoint[node]) if node in adjoint else "none" for node in order]
        assert [g if g == "none" else bits(float(g)) for g in gradients] == expected


@pytest.mark.parametrize("word", ["erf", "erfc", "sigmoid", "softplus", "tanh", "pow", "logsumexp"])
def test_the_words_of_the_sheet_follow_pythons_to_a_few_units_in_the_last_place(word: str, browser: Any) -> None:
    from autograd import ieee

    rng = random.Random(word)
    xs = [rng.uniform(-1, 1) * 10 ** rng.uniform(-12, 1.6) for _ in range(3000)]
    arguments: list[list[float]] = [[x, rng.uniform(-4, 4)] if word == "pow" else [x] for x in map(abs, xs)]
    arguments += [[-x[0]] for x in arguments if word != "pow"]
    call = "erf(...x)" if word == "erf" else f"{word}({'x' if word == 'logsumexp' else '...x'})"
    script = javascript.joined("ieee", "erf") + READ + f"return DATA.map((x) => write({call}));"
    for x, theirs in zip(arguments, javascript.run(script, arguments, browser), strict=True):
        ours = getattr(ieee, word)(x) if word == "logsumexp" else getattr(ieee, word)(*x)
        assert same(ours, theirs), (word, x, ours, theirs)


def test_numbers_are_written_as_python_writes_them(browser: Any) -> None:
    rng = random.Random(2)
    xs = [struct.unpack(">d", rng.randbytes(8))[0] for _ in range(30_000)]
    xs += [rng.uniform(-10, 10) for _ in range(20_000)]
    xs += [(2 * rng.randint(500, 50_000) + 1) * 2.0**-k for k in range(8) for _ in range(3000)]  # ties
    xs += [(rng.randint(1000, 9999) + 0.5) * 10.0**k for k in range(-4, 21) for _ in range(500)]
    xs += [rng.randint(1, 2**20) * 5e-324 for _ in range(8000)]
    xs += [round(rng.uniform(-1e5, 1e5), rng.randint(0, 5)) for _ in range(8000)]
    xs += [0.0, -0.0, 1 / 64, 1e21, 1e22, -1e21, 9999.5, 99995.0, 0.00012345, 0.000099995, 5e-324, INF, -INF, NAN, 1e16]
    assert len(xs) > 100_000
    script = (
        javascript.joined("graph", "format") + "return DATA.map((x) => [format(numberFrom(x)), repr(numberFrom(x))]);"
    )
    for x, (shown, whole) in zip(xs, javascript.run(script, list(map(plain, xs)), browser), strict=True):
        assert (shown, whole) == (format_number(x), repr(x))


# --- printing


def test_brackets_stand_where_the_order_of_operations_needs_them() -> None:
    a, b, c = (leaf(x, ()) for x in "abc")
    assert expression(a - (b - c)) == "a - (b - c)"
    assert expression((a - b) - c) == "a - b - c"
    assert expression(-(a + b) * c) == "-((a + b) * c)"
    assert expression(a / (b * c) + 0.5) == "a / (b * c) + 0.5"
    assert expression((a < b).where(a, -b)) == "a < b ? a : -b"
    assert expression(((a < b).where(a, b)) * 2.0) == "(a < b ? a : b) * 2"
    assert expression(a**-1.5) == "pow(a, -1.5)"
    assert expression(a * leaf(3, ()), lambda detail: f"x[{detail}]") == "x[a] * x[3]"


@pytest.mark.parametrize("x", [0.0, -0.0, 1.0, 0.1, 1e22, -1e-300, INF, -INF, NAN, 5e-324])
def test_a_float_is_read_back_as_the_same_float(x: float, browser: Any) -> None:
    told = javascript.run(READ + f"return write({literal(x)});", None, browser)
    assert bits(float(told)) == bits(x)


def test_the_whole_sheet_is_small() -> None:
    texts = [rule(name, SHEET[name].arity or 3) for name in BUILT_IN]
    assert sum(len(text) for both in texts for text in both) <= 3_000


@pytest.fixture
def own_operations() -> Iterator[None]:
    register("bump_js", lambda a: exp(-a * a), lambda y, a: (-2 * a * y,))
    register("spread_js", lambda *xs: sum(x * x for x in xs), lambda y, *xs: [2 * x for x in xs])
    register("blocked_js", lambda a: math.exp(a), lambda y, a: (y,))
    yield
    for name in ("bump_js", "spread_js", "blocked_js"):
        del SHEET[name]


@pytest.mark.usefixtures("own_operations")
def test_an_operation_of_ones_own_is_printed_and_one_that_calls_math_is_refused(browser: Any) -> None:
    assert rule("bump_js", 1) == ("([a]) => exp(-(a * a))", "(y, [a]) => [-2 * a * y]")
    script = sheet([("spread_js", 5)]) + "return SHEET['spread_js/5'][0](DATA);"
    assert javascript.run(script, [1, 2, 3, 4, 5], browser) == 55
    with pytest.raises(ValueError, match="'blocked_js' cannot be written as JavaScript: .*autograd.exp"):
        rule("blocked_js", 1)
    y = Value(1.0)
    assert rules(topological_order(y * y)).count("=>") == 2
