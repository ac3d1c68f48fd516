"""dumps and loads: exact round trips, and one error for everything that is not a saved graph."""

from __future__ import annotations

import copy
import json
import math
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import GraphFormatError, Value, dumps, loads, register, scope, topological_order


def look(root: Value) -> list[tuple[Any, ...]]:
    order = topological_order(root)
    place = {n: i for i, n in enumerate(order)}
    return [
        (
            n.op,
            repr(n.data),
            n.label,
            n.scope,
            n.has_grad,
            repr(n.grad),
            [place[x] for x in n.inputs],
            repr(n.local_derivatives),
        )
        for n in order
    ]


def rich_graph() -> Value:
    x, y = Value(-0.0, 'x "quoted" \\ Δ→\n\u2028😀'), Value(math.inf, "")
    with scope("layers"), scope("ä"):
        h = x * y + Value(math.nan, "nan")
        k = h / 3 + ag.dot([x, x, 2.0], [y, 0.5, h]) - ag.maximum([x, 1e-320, -1e308])
    root = k * k
    root.label = "root"
    return root


def test_a_round_trip_keeps_every_number_name_and_share() -> None:
    for run_backward in (False, True):
        root = rich_graph()
        if run_backward:
            root.backward()
        text = dumps(root)
        twin = loads(text)
        assert look(twin) == look(root)
        assert dumps(twin) == text
        assert look(loads(text.encode())) == look(root)


def test_the_text_is_plain_json_with_one_node_per_line() -> None:
    x, y = Value(-2.0, "x"), Value(5.0, "y")
    document = json.loads(dumps(x + y))
    assert document == {
        "format": "chainrule graph",
        "version": 1,
        "nodes": [
            {"op": "", "data": -2.0, "label": "x"},
            {"op": "", "data": 5.0, "label": "y"},
            {"op": "add", "data": 3.0, "inputs": [0, 1], "partials": [1.0, 1.0]},
        ],
    }
    assert len(dumps(x + y).splitlines()) == 5

    def refuse(word: str) -> None:
        raise AssertionError(word)

    json.loads(dumps(rich_graph()), parse_constant=refuse)


def test_a_loaded_graph_can_be_used_further() -> None:
    x = Value(3.0, "x")
    twin = loads(dumps(x * x + 2 * x))
    leaf = next(n for n in topological_order(twin) if n.label == "x")
    (twin * 2).backward()
    assert leaf.grad == 16.0
    assert not x.has_grad
    leaf.data = 5.0
    assert ag.recompute(twin).data == 35.0


def test_what_is_known_of_a_leaf_survives_saving_pickling_and_copying() -> None:
    x = Value(3.0, "x")
    with ag.no_grad():
        y = x.exp()
    f = x * y
    f.backward()
    f.backward()
    assert '"accumulated":true,"unrecorded":"exp"' in dumps(f)
    for twin in (loads(dumps(f)), copy.deepcopy(f)):
        a, b = twin.inputs
        assert (a.has_accumulated_grad, a.unrecorded_op, b.has_accumulated_grad, b.unrecorded_op) == (
            True,
            "",
            True,
            "exp",
        )
        a.grad = 0.0
    for twin in (pickle.loads(pickle.dumps(y)), copy.copy(y)):
        assert (twin.grad, twin.has_accumulated_grad, twin.unrecorded_op) == (6.0, True, "exp")
        twin.grad = 0.0
    assert x.has_accumulated_grad and y.has_accumulated_grad


def test_leaves_and_constants_can_be_saved_by_themselves() -> None:
    assert look(loads(dumps(Value(2.5, "a")))) == look(Value(2.5, "a"))
    constant = (Value(1.0) * 4).inputs[1]
    assert look(loads(dumps(constant))) == look(constant)


def test_a_custom_operation_must_be_registered_again() -> None:
    cube = register("cube_to_save", lambda x: x**3, lambda y, x: (3 * x**2,))
    text = dumps(cube(Value(2.0)))
    assert loads(text).data == 8.0
    del ag.SHEET["cube_to_save"]
    with pytest.raises(GraphFormatError, match="cube_to_save.*registered first"):
        loads(text)


def test_dumps_of_something_else_and_loads_of_something_else_are_type_errors() -> None:
    for thing in (None, 5, ["{}"], bytearray(b"{}")):
        with pytest.raises(TypeError):
            loads(thing)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        dumps([Value(1.0)])  # type: ignore[arg-type]


def document(*nodes: Any, **more: Any) -> str:
    return json.dumps({"format": "chainrule graph", "version": 1, "nodes": list(nodes), **more})


LEAF = {"op": "", "data": 1.0}
BROKEN = [
    "",
    "null",
    "[]",
    "{}",
    "{",
    "\ufeff{}",
    "NaN",
    "[" * 100_000,
    '{"format":' * 5000,
    "1" * 10_000,
    document(),
    document(LEAF).replace("1.0", "NaN"),
    document(LEAF).replace("1.0", "1e999"),
    document(LEAF).replace("1.0", "9" * 5000),
    document(LEAF).replace("1.0", "9" * 400),
    document(LEAF, extra=1),
    document(LEAF).replace('"version": 1', '"version": 2'),
    document(LEAF).replace('"version": 1', '"version": true'),
    document(LEAF).replace('"version": 1', '"version": "1"'),
    document(LEAF).replace("chainrule graph", "other"),
    document(5),
    document([]),
    document({}),
    document({"op": ""}),
    document({"op": None, "data": 1}),
    document({"op": [], "data": 1}),
    document({"op": "", "data": "1"}),
    document({"op": "", "data": True}),
    document({"op": "", "data": None}),
    document({"op": "", "data": "Infinity"}),
    document({"op": "", "data": 1, "label": 5}),
    document({"op": "", "data": 1, "scope": ["a"]}),
    document({"op": "", "data": 1, "grad": None}),
    document({"op": "", "data": 1, "inputs": []}),
    document({"op": "", "data": 1, "evil": 1}),
    document({"op": "__import__", "data": 1, "inputs": [], "partials": []}),
    document(LEAF | {"accumulated": True}),
    document(LEAF | {"grad": 1.0, "accumulated": False}),
    document(LEAF, {"op": "neg", "data": 1, "grad": 1, "accumulated": True, "inputs": [0], "partials": [1]}),
    document(LEAF | {"unrecorded": ""}),
    document(LEAF | {"unrecorded": 1}),
    document({"op": "const", "data": 1.0, "unrecorded": "mul"}),
    document(LEAF, LEAF),
    document(LEAF, {"op": "neg", "data": 1, "inputs": [1], "partials": [1]}),
    document(LEAF, {"op": "neg", "data": 1, "inputs": [-1], "partials": [1]}),
    document(LEAF, {"op": "neg", "data": 1, "inputs": [0.0], "partials": [1]}),
    document(LEAF, {"op": "neg", "data": 1, "inputs": [False], "partials": [1]}),
    document(LEAF, {"op": "neg", "data": 1, "inputs": ["0"], "partials": [1]}),
    document(LEAF, {"op": "neg", "data": 1, "inputs": 0, "partials": [1]}),
    document(LEAF, {"op": "neg", "data": 1, "inputs": [0]}),
    document(LEAF, {"op": "neg", "data": 1, "inputs": [0], "partials": []}),
    document(LEAF, {"op": "neg", "data": 1, "inputs": [0], "partials": [None]}),
    document(LEAF, {"op": "neg", "data": 1, "inputs": [0, 0], "partials": [1, 1]}),
    document(LEAF, {"op": "maximum", "data": 1, "inputs": [], "partials": []}),
    document(LEAF, {"op": "dot", "data": 1, "inputs": [0, 0, 0], "partials": [1, 1, 1]}),
    document({"op": "const", "data": 1}, {"op": "neg", "data": 1, "inputs": [0], "partials": [1]}),
]


@pytest.mark.parametrize("text", BROKEN, ids=lambda t: t[:60])
def test_broken_text_is_a_graph_format_error_in_one_line(text: str) -> None:
    with pytest.raises(GraphFormatError) as caught:
        loads(text)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300
    with pytest.raises(GraphFormatError):
        loads(text.encode("utf-8"))


@pytest.mark.parametrize("data", [b"\xff\xfe", b"\x80", b"\x00" * 7, "{}".encode("utf-16")])
def test_broken_bytes_are_a_graph_format_error(data: bytes) -> None:
    with pytest.raises(GraphFormatError):
        loads(data)


words = st.sampled_from(["", "const", "add", "neg", "dot", "maximum", "inf", "nan", "op", "x"])
scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 5), st.floats(), words, st.text(max_size=5))
anything = st.recursive(
    scalars, lambda s: st.one_of(st.lists(s, max_size=4), st.dictionaries(words, s, max_size=4)), max_leaves=10
)
entries = st.fixed_dictionaries(
    {"op": st.one_of(words, anything), "data": st.one_of(st.floats(), anything)},
    optional={
        "inputs": st.one_of(st.lists(st.integers(-1, 4), max_size=4), anything),
        "partials": st.one_of(st.lists(st.one_of(st.floats(), st.none()), max_size=4), anything),
        "label": anything,
        "scope": anything,
        "grad": anything,
        "more": anything,
    },
)
documents = st.fixed_dictionaries(
    {
        "format": st.one_of(st.just("chainrule graph"), anything),
        "version": st.one_of(st.just(1), anything),
        "nodes": st.one_of(st.lists(st.one_of(entries, anything), max_size=5), anything),
    }
)


def loads_or_refuses(text: str | bytes) -> None:
    try:
        root = loads(text)
    except GraphFormatError:
        return
    assert look(loads(dumps(root))) == look(root)
    root.backward()


@settings(max_examples=200, deadline=None)
@given(st.one_of(documents, anything), st.booleans())
def test_hostile_documents_are_refused_or_loaded_whole(thing: Any, allow_nan: bool) -> None:
    loads_or_refuses(json.dumps(thing, allow_nan=True) if allow_nan else json.dumps(thing).replace("Infinity", "1"))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_saved_graph_with_a_few_bytes_changed_is_refused_or_loaded_whole(data: st.DataObject) -> None:
    raw = bytearray(dumps(rich_graph()).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        i = data.draw(st.integers(0, len(raw) - 1))
        if data.draw(st.booleans()):
            raw[i] = data.draw(st.integers(0, 255))
        else:
            del raw[i]
    loads_or_refuses(bytes(raw))


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.binary()))
def test_arbitrary_text_is_refused(text: str | bytes) -> None:
    with pytest.raises(GraphFormatError):
        loads(text)
