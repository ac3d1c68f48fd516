"""What the live pages say: the same captions, derivations and diagnoses as Python's, at any numbers."""

from __future__ import annotations

import html
import random
import re
from typing import Any

import pytest

from autograd import SHEET, Value, backward_steps, forward_steps, leaves, mistakes, recompute, topological_order
from autograd.graph import names_in_order
from autograd.messages import MESSAGES, messages
from autograd.notation import notation
from viz import draw_derivation
from viz.lettering import caption_in_html, name_in_html
from viz.live.network import described, formula, plain, rules, told
from viz.live.scripts import key, sheet

from . import javascript
from .graphs import SAMPLES, skip_connections, tangle

MODULES = javascript.joined("graph", "format", "words", "derivation")
SPEAK = """
const words = new Words(new Graph(DATA.nodes, DATA.given, SHEET), DATA.told, DATA.messages);
const { graph } = words;
return DATA.numbers.map((numbers) => {
  for (const [i, x] of Object.entries(numbers)) graph.values[i] = numberFrom(x);
  graph.run();
  return {
    forward: graph.keys.flatMap((_, i) => (graph.inputs[i].length ? [words.forward(i)] : [])),
    backward: graph.steps.map((step) => ({ ...passedOn(words, step), local: words.local(step.node, step.position) })),
    derivations: DATA.leaves.map((i) => String(new Derivation(words, i))),
  };
});"""


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> Any:
    return None if javascript.NODE else request.getfixturevalue("chromium")


def one_line(text: str) -> str:
    return " ".join(text.split())


def derivation(root: Value, leaf: Value) -> str | None:
    try:
        written = draw_derivation(root, leaf)
    except ValueError:
        return None  # too many paths
    return str(written).removesuffix(written.note).strip()


GRAPHS = [name for name in SAMPLES if name not in ("strange names", "a constant", "wide network", "a summary")]


@pytest.mark.parametrize("name", [*GRAPHS, "tangle"])
def test_captions_and_derivations_are_pythons_before_and_after_a_change(name: str, browser: Any) -> None:
    rng = random.Random(name)
    root = tangle(30) if name == "tangle" else SAMPLES[name]()
    order = topological_order(root)
    names = names_in_order(order)
    place = {node: i for i, node in enumerate(order)}
    some = leaves(root)[:6]
    changes: list[dict[int, float]] = [{}]
    for _ in range(3):
        changes.append({place[x]: rng.choice([0.0, -1.5, 2.0, 3e-5, 12345.678, rng.uniform(-3, 3)]) for x in some})
    data = {
        **described(order),
        "told": told(order, names),
        "messages": dict(MESSAGES),
        "leaves": [place[x] for x in some],
        "numbers": [{i: plain(x) for i, x in change.items()} for change in changes],
    }
    answers = javascript.run(rules(order) + MODULES + SPEAK, data, browser)
    for change, answer in zip(changes, answers, strict=True):
        for i, x in change.items():
            order[i].data = x
        recompute(root)
        assert [(a["text"], a["words"]) for a in answer["forward"]] == [(e.text, e.words) for e in forward_steps(root)]
        events = list(backward_steps(root))
        assert [(a["text"], a["words"]) for a in answer["backward"]] == [(e.text, e.words) for e in events]
        for a, event in zip(answer["backward"], events, strict=True):
            assert a["local"].startswith(f"∂{names[event.node]}/∂{names[event.input]} = {event.local_text}")
        for leaf, text in zip(some, answer["derivations"], strict=True):
            expected = derivation(root, leaf)
            assert text == expected or (expected is None and "more paths than one can check" in text)


NAMES = ["L", "x", "w_1", "w_12", r"\hat{y}", r"\vec{\theta}^2", "sigma", "my_var", "x_1 (2)", "a.b", "$&", "<b>&'\"",
         "constructor", "__proto__", "−2", "∂x", "$", "x^{<}", "exp"]  # fmt: skip
SAID = [
    "∂L/∂w_1 += ∂L/∂my_var · ∂my_var/∂w_1 = 2 × (−1)^w_1; not w_12, 2·w_1²",
    "exp(sigma) is no sigma_3; σ, w_1w_1, \\w_1 and x_1 (2)",
    "a < b > c & d",
    "",
    "∂L/∂L_3, ∂L/∂constructor, ∂∂x/∂∂x, $$& and $1",
]


def test_captions_as_html_are_pythons(browser: Any) -> None:
    rng = random.Random(5)
    cases = [(said, NAMES) for said in SAID] + [("a < b & x_1", [])]
    for _ in range(400):
        joints = ["∂", "/∂", " ", " = ", "_", "·", "<", "&amp;", "2", "\\"]
        names = rng.sample(NAMES, 6)
        slope = f"∂{names[0]}/∂{names[1]}"
        cases.append(("".join(rng.choice([*names, *joints, slope]) for _ in range(12)), names))
    data = []
    for said, names in cases:
        known = sorted(names, key=len, reverse=True)
        mathematics = {name: name_in_html(name) for name in names if notation(name)}
        data += [[said, known, mathematics, fractions] for fractions in (False, True)]
    script = MODULES + "return DATA.map(([t, n, m, f]) => captionInHtml(t, n, new Map(Object.entries(m)), f));"
    answers = javascript.run(script, data, browser)
    for (said, names, _, fractions), answer in zip(data, answers, strict=True):
        expected = caption_in_html(str(said), names, fractions=bool(fractions))
        assert html.unescape(answer) == html.unescape(expected), said
        assert re.sub("&#?[a-z0-9]+;", "", answer) == re.sub("&#?[a-z0-9]+;", "", expected), said
    assert sum("<var>" in answer for answer in answers) > 20


def test_formulas_have_slots_with_brackets_where_a_negative_number_needs_them() -> None:
    x, y = Value(2.0), Value(3.0)
    formulas = [formula(node) for node in (x - y, x**y, x.log(), x.sqrt(), 1 / x, x.leaky_relu(0.1), -x)]
    assert formulas == [
        *("{0} − {(1)}", "{(0)}^{(1)}", "log({0})", "√{(0)}", "{0} / {(1)}"),
        *("{0} if {0} > 0 else {1}·{(0)}", "−{(0)}"),
    ]


# --- slips


def test_each_slip_is_told_from_a_right_number_and_from_the_others() -> None:
    told_of = mistakes.slips_of_a_gradient
    assert told_of(7.0, 2.0, 3.0, 1.0) == []
    assert told_of(6.0, 2.0, 3.0, 1.0) == ["path"]  # the 1 of the other path was not added
    assert told_of(11.0, 2.0, 3.0, 1.0, other=5.0) == ["swapped"]
    assert told_of(3.0, 2.0, 3.0, 1.0) == ["local"]
    assert told_of(-7.0, 2.0, 3.0, 1.0) == ["sign"]
    assert told_of(1.0, 2.0, 3.0, 1.0) == ["old"]
    assert told_of(0.5, 2.0, 3.0, -1.0, earlier=[0.5]) == ["old"]  # before all of the upstream gradient was there
    assert told_of(4.0, 2.0, 3.0, 1.0) == ["upstream"]
    assert told_of(9.0, 2.0, 3.0, 1.0, misread=[4.0]) == ["formula"]
    assert told_of(2.0, 2.0, -1.0, 0.0) == ["local", "sign"]  # where several fit, all are named
    assert told_of(123.0, 2.0, 3.0, 1.0) == []
    assert mistakes.slips_of_a_value(-2.0, 2.0, swapped=-2.0) == ["swapped", "sign"]
    # 0 is right for what is left of a sum that cancels, and not for a small number
    assert mistakes.close(0.0, 0.1 + 0.2 - 0.3, scale=0.3) and not mistakes.close(0.0, 1e-12)
    assert told_of(0.0, 1e-12, 1.0, 0.0) == ["old"] and told_of(0.0, 0.3, 1.0, -0.3 + 5e-17) == []
    assert mistakes.slips_of_a_value(0.0, 5e-17, scale=0.3) == []
    assert mistakes.slips_of_a_value(-5e-17, 5e-17) == ["sign"]


MISREMEMBERED = ["div", "pow", "reciprocal", "exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "relu"]


def test_the_diagnosis_is_the_same_in_javascript(browser: Any) -> None:
    rng = random.Random(3)
    nice = [-4.0, -2.0, -1.0, -0.5, 0.0, 1e-12, 5e-17, 0.25, 1.0, 2.0, 3.0, float("inf"), float("nan")]
    cases = []
    for _ in range(4000):
        up, local, before, other, old = (rng.choice(nice) for _ in range(5))
        right = before + up * local
        guesses = [right, -right, up * local, before, before + up, before + up * other, up, 1.004 * right, old]
        guess = rng.choice([*guesses, before + local, before + up * old, right + 0.004, round(right + 0.004, 2)])
        kept = None if rng.random() < 0.4 else other
        cases.append((guess, up, local, before, kept, [old] * rng.randint(0, 1), rng.choice([*MISREMEMBERED, "mul"])))
    used = {op: (op, SHEET[op].arity or 1) for op in [*MISREMEMBERED, "mul"]}
    script = (
        sheet(used.values(), asks=True)
        + javascript.joined("graph", "mistakes")
        + """
    const read = (x) => (x === null ? undefined : numberFrom(x));
    return DATA.map(([guess, up, local, before, other, earlier, op, ab]) => [
      slipsOfAGradient(read(guess), read(up), read(local), read(before), read(other), earlier.map(read),
        SHEET[op][2]?.(read(up), ab.map(read))[0]),
      slipsOfAValue(read(guess), read(up), read(other), otherValues(ab.map(read)), Math.abs(read(local))),
      worthAsking(read(local), read(before))]);"""
    )
    numbers = [[c[3], c[1]][: SHEET[c[6]].arity] for c in cases]
    data = [
        [
            *map(plain, c[:4]),
            None if c[4] is None else plain(c[4]),
            list(map(plain, c[5])),
            key(*used[c[6]]),
            [*map(plain, ab)],
        ]
        for c, ab in zip(cases, numbers, strict=True)
    ]
    kinds = set()
    for case, ab, answer in zip(cases, numbers, javascript.run(script, data, browser), strict=True):
        guess, up, local, before, other, earlier, op = case
        misread = mistakes.misremembered(op, up, ab)[0]
        slips = mistakes.slips_of_a_gradient(guess, up, local, before, other=other, earlier=earlier, misread=misread)
        value = mistakes.slips_of_a_value(guess, up, other, mistakes.other_values(ab), scale=abs(local))
        asks = abs(local) != 1.0 or before != 0.0  # where the local derivative is 1, forgetting it goes unnoticed
        expected = [slips, value, asks]
        assert answer == expected, case
        kinds.update(slips)
    assert kinds == set(mistakes.SLIPS)


# --- languages


def test_a_language_without_a_catalogue_is_told_and_steps_speak_the_one_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ValueError, match="lang must be 'en' or 'zh', but got 'xx': there is no catalogue"):
        messages("xx")
    with pytest.raises(ValueError, match="lang must be"):
        list(backward_steps(skip_connections(), lang="xx"))
    assert set(messages("en")) == set(MESSAGES) == set(messages("zh"))
    monkeypatch.setenv("CHAINRULE_LANG", "zh")
    assert messages() == messages("zh") != messages("en")
    assert "局部导数" in next(iter(backward_steps(skip_connections()))).words
    assert all(f"slip-{slip}" in MESSAGES for slip in (*mistakes.SLIPS, *mistakes.SLIPS_OF_VALUES))
