"""Saving a graph as text: one flat JSON list of nodes, so that depth costs nothing and a file can be read by eye.

    {"format": "chainrule graph", "version": 1, "nodes": [
        {"op": "", "data": -2.0, "label": "x"},
        {"op": "", "data": 5.0, "label": "y"},
        {"op": "add", "data": 3.0, "inputs": [0, 1], "partials": [1.0, 1.0]}]}

Inputs come before the nodes that use them, and the root is last. Numbers that JSON has no word for are the strings
"inf", "-inf" and "nan". A partial is null where no gradient ever goes back (to a constant, out of a detach), and "cut"
where none does because the input was not chosen, as below 0 in relu. What is left out is empty: no label, no scope, no
gradient. A leaf is ``"accumulated": true`` if its gradient is of more than the last backward pass, and
``"unrecorded": "mul"`` if `no_grad` kept no record of the inputs that it was computed from. Reading checks everything
and runs nothing: the text can name operations of the derivative sheet, and that is all.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import Any

from .graph import topological_order
from .ops import CHOICES, CONSTANT, CUT, DETACH, LEAF, SHEET
from .value import Value, refuse_reading, restore, store_inputs

FORMAT = "chainrule graph"
VERSION = 1
_FIELDS = {"op", "data", "label", "scope", "grad", "accumulated", "unrecorded", "inputs", "partials"}
WORDS = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


class GraphFormatError(ValueError):
    """The text given to `loads` is not a graph that `dumps` wrote. The message says what is wrong, and where."""


def dumps(root: Value) -> str:
    """Write the graph that ends in ``root`` as JSON text, with its numbers, labels, scopes and gradients, exactly.

    Custom operations are saved by name, and must be registered again before `loads`.
    """
    order = topological_order(root)
    refuse_reading(root, "the numbers of a graph, as text")
    place = {node: i for i, node in enumerate(order)}
    called: dict[tuple[str, str, str], tuple[str, str]] = {}  # the text of each tag: before the data, and after it
    lines = []
    for node in order:
        text = called.get(node._tag)
        if text is None:
            text = called[node._tag] = _tag_as_json(*node._tag)
        line = text[0] + _as_json(node._data) + text[1]
        if node._grad is not None:
            line += f',"grad":{_as_json(node._grad)}'
        if node.has_accumulated_grad:
            line += ',"accumulated":true'
        if node._a is None and node._da:
            line += f',"unrecorded":{_word_as_json(node._da)}'
        if node._a is not None:
            inputs = ",".join([str(place[x]) for x in node.inputs])
            partials = ",".join([_partial_as_json(d) for d in node.local_derivatives])
            line += f',"inputs":[{inputs}],"partials":[{partials}]'
        lines.append(line + "}")
    head = json.dumps({"format": FORMAT, "version": VERSION})[:-1]
    return head + ', "nodes": [\n' + ",\n".join(lines) + "\n]}\n"


def _tag_as_json(op: str, scope: str, label: str) -> tuple[str, str]:
    before = f'{{"op":{_word_as_json(op)},"data":'
    after = f',"label":{_word_as_json(label)}' if label else ""
    return before, after + (f',"scope":{_word_as_json(scope)}' if scope else "")


def _word_as_json(word: str) -> str:
    return json.dumps(word, ensure_ascii=False)


def _as_json(x: float) -> str:
    return repr(x) if x - x == 0.0 else f'"{x!r}"'  # inf - inf and nan - nan are nan


def _partial_as_json(d: float | None) -> str:
    return "null" if d is None else '"cut"' if d is CUT else _as_json(d)


def loads(text: str | bytes) -> Value:
    """Read a graph that `dumps` wrote; returns its root.

    Raises:
        GraphFormatError: if the text is anything else: broken JSON, another version, an unknown operation, an input
            that comes after its use, a number that is not one, ...
    """
    if not isinstance(text, (str, bytes)):
        raise TypeError(f"loads reads a str or bytes, but got {type(text).__name__}")
    try:
        document = json.loads(text, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:  # also covers UnicodeDecodeError and absurdly long ints
        raise GraphFormatError(f"this is not JSON: {str(error) or 'nested too deeply'}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise GraphFormatError(f'this is not a saved graph: it has no "format": "{FORMAT}"')
    version = document.get("version")
    if isinstance(version, bool) or version != VERSION:
        raise GraphFormatError(f"this graph was saved in version {_clip(version)}; this program reads {VERSION}")
    unknown = set(document) - {"format", "version", "nodes"}
    if unknown:
        raise GraphFormatError(f"unknown entries beside the nodes: {_clip(', '.join(sorted(unknown)))}")
    entries = document.get("nodes")
    if not isinstance(entries, list) or not entries:
        raise GraphFormatError('"nodes" must be a list of at least one node')
    nodes: list[Value] = []
    used = [False] * len(entries)
    for entry in entries:
        nodes.append(_read_node(entry, nodes, used))
    if not all(used[:-1]):
        raise GraphFormatError(f"node {used.index(False)} is not used by any other; only the last node is the root")
    return nodes[-1]


def no_constant(word: str) -> float:
    """For `json.loads`, which by itself takes the words NaN and Infinity, which are not JSON."""
    raise ValueError(f'a bare {word} is not JSON; numbers beyond it are written as "inf", "-inf" or "nan"')


def _clip(x: object) -> str:
    text = f"a {type(x).__name__}" if isinstance(x, (list, dict)) else str(x)
    return text if len(text) <= 60 else text[:57] + "..."


def _read_node(entry: Any, nodes: list[Value], used: list[bool]) -> Value:
    here = f"node {len(nodes)}"
    if not isinstance(entry, dict):
        raise GraphFormatError(f"{here} must be an object, but is {_clip(entry)}")
    if not entry.keys() <= _FIELDS:
        unknown = sorted(entry.keys() - _FIELDS)
        raise GraphFormatError(f"{here} has unknown entries: {_clip(', '.join(unknown))}")
    if "op" not in entry or "data" not in entry:
        raise GraphFormatError(f'{here} needs "op" and "data"')
    op, label, scope = entry["op"], entry.get("label", ""), entry.get("scope", "")
    if not (type(op) is type(label) is type(scope) is str):
        role = next(r for r, word in (("op", op), ("label", label), ("scope", scope)) if not isinstance(word, str))
        raise GraphFormatError(f"{here}: {role} must be a string, but is {_clip(entry[role])}")
    gradient = _read_number(entry["grad"], here, "grad") if "grad" in entry else None
    accumulated, unrecorded = entry.get("accumulated"), entry.get("unrecorded")
    if not (accumulated is None or (accumulated is True and op == LEAF and gradient is not None)):
        raise GraphFormatError(f'{here}: "accumulated" can only be true, and of a leaf that has a "grad"')
    if not (unrecorded is None or (isinstance(unrecorded, str) and unrecorded and op == LEAF)):
        raise GraphFormatError(f'{here}: "unrecorded" is the name of an operation, and of a leaf only')
    data = _read_number(entry["data"], here, "data")
    node = restore(data, gradient, _tag(op, scope, label), unrecorded, accumulated)
    if op in (LEAF, CONSTANT):
        if "inputs" in entry or "partials" in entry:
            raise GraphFormatError(f"{here}: a leaf or a constant has no inputs")
        return node
    if op not in SHEET:
        raise GraphFormatError(f"{here}: unknown operation {_clip(repr(op))}; a custom one must be registered first")
    places, partials = entry.get("inputs"), entry.get("partials")
    if not isinstance(places, list) or not isinstance(partials, list):
        raise GraphFormatError(f'{here}: "inputs" and "partials" must be lists')
    wrong_count = SHEET[op].input_count_error(len(places))
    if wrong_count:
        raise GraphFormatError(f"{here}: {wrong_count}")
    if len(partials) != len(places):
        raise GraphFormatError(f"{here}: {len(places)} inputs, but {len(partials)} partials")
    inputs = []
    for place in places:
        if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < len(nodes):
            raise GraphFormatError(f"{here}: an input must be the number of an earlier node, but is {_clip(place)}")
        used[place] = True
        inputs.append(nodes[place])
    numbers = []
    for x, d in zip(inputs, partials, strict=True):
        may_stop = op in (DETACH, *CHOICES) or SHEET[op].custom
        if (d is None) != (x.op == CONSTANT) and not (may_stop and d is None):
            raise GraphFormatError(f"{here}: a partial is null for a constant input or out of a detach, and only there")
        numbers.append(None if d is None else CUT if d == "cut" else _read_number(d, here, "a partial"))
    store_inputs(node, inputs, numbers)
    return node


@lru_cache(maxsize=1024)
def _tag(op: str, scope: str, label: str) -> tuple[str, str, str]:
    return op, scope, label  # shared, as the tags of nodes that are called the same always are


def as_number(x: Any) -> float | None:
    """What a number in a JSON document is, or one of the words for what JSON has none for; None for anything else."""
    if isinstance(x, bool) or not isinstance(x, (int, float)):
        return WORDS.get(x) if isinstance(x, str) else None
    try:
        return float(x)
    except OverflowError:
        return math.inf


def _read_number(x: Any, here: str, what: str) -> float:
    number = x if type(x) is float else as_number(x)
    if number is not None and (number - number == 0.0 or isinstance(x, str)):
        return number
    raise GraphFormatError(f'{here}: {what} must be a number, "inf", "-inf" or "nan", but is {_clip(x)}')
