"""The live pages in Firefox: what they must do in another browser than the one that all else is tested in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from autograd import Value, leaves, parse, recompute, topological_order
from autograd.backward import numeric_adjoints
from autograd.graph import names_in_order
from nn import MLP, SGD, data, fit, losses
from tests.firefox import Firefox, Tab, installed
from viz import explore, playground, step_through

from .graphs import sigmoid_gate

if not installed() or find_spec("websocket") is None:
    needed = "Firefox and websocket-client"
    if os.environ.get("CHAINRULE_NEEDS_FIREFOX") == "1":
        pytest.fail(f"there is no {needed}", pytrace=False)
    pytest.skip(f"there is no {needed}", allow_module_level=True)

UP, LEFT, RIGHT, ENTER = "\ue013", "\ue012", "\ue014", "\ue007"
Opener = Callable[..., Tab]


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    browser = Firefox(tmp_path_factory.mktemp("firefox"))
    yield browser
    browser.close()


@pytest.fixture
def opened(firefox: Firefox, tmp_path: Path) -> Iterator[Opener]:
    def go(content: Any, **size: int) -> Tab:
        return firefox.open(content.save(tmp_path / "page.html"), **size)

    yield go
    assert not firefox.errors


def assert_numbers_are(tab: Tab, root: Value) -> None:
    recompute(root)
    order = topological_order(root)
    names, adjoint = names_in_order(order), numeric_adjoints(root)
    found = tab("[...document.querySelectorAll('[data-name]')].map((e) => [e.dataset.name, e.dataset])")
    on_page = dict(found)
    for node in order:
        if node.op != "const":
            numbers = on_page[names[node]]
            assert float(numbers["value"]) == pytest.approx(node.data, rel=1e-13)
            assert float(numbers["gradient"]) == pytest.approx(adjoint[node], rel=1e-12)


def of(root: Value, name: str) -> Value:
    return next(leaf for leaf in leaves(root) if leaf.label == name)


def test_keys_typing_and_dragging_change_a_number_and_everything_follows(opened: Opener) -> None:
    root = sigmoid_gate()
    tab = opened(explore(root))
    assert_numbers_are(tab, root)
    tab("document.querySelector('[aria-label=w1]').focus()")
    tab.keys(UP, UP)
    of(root, "w1").data = -2.8
    assert_numbers_are(tab, root)
    tab.keys(ENTER, *"0.25", ENTER)
    of(root, "w1").data = 0.25
    assert_numbers_are(tab, root)
    x, y = tab("(({x, y, width, height}) => [x + width / 2, y + height / 2])"
               "(document.querySelector('[aria-label=x0]').getBoundingClientRect())")  # fmt: skip
    tab.drag(x, y, 40)
    of(root, "x0").data = -0.6
    assert_numbers_are(tab, root)
    told = tab("document.querySelector('.cr-caption').innerText")
    assert told.startswith("x0 = −0.6, ∂f/∂x0 = ")


def test_the_picture_is_painted_and_no_wider_than_the_window(opened: Opener) -> None:
    for width in (1280, 390):
        tab = opened(explore(sigmoid_gate()), width=width)
        assert tab("document.documentElement.scrollWidth") <= width
        style = tab("(({fill, stroke}) => [fill, stroke])(getComputedStyle(document.querySelector('.gate')))")
        assert style[0] != "rgb(0, 0, 0)" and style[1] != "none"
        assert len(tab.picture()) > 10_000


def test_steps_are_stepped_through_a_leaf_is_changed_and_a_slip_is_told(opened: Opener) -> None:
    tab = opened(step_through(parse("(x * y) * x", x=3, y=2)))
    tab.keys(RIGHT, RIGHT, LEFT)
    assert "v1 = x × y = 3 × 2 = 6" in tab("document.querySelector('.cr-caption').innerText.replace(/\\s+/g, ' ')")
    tab("document.querySelector('[aria-label=y]').focus()")
    tab.keys(UP)
    assert "v1 = x × y = 3 × 2.1 = 6.3" in tab("document.querySelector('.cr-caption').innerText.replace(/\\s+/g, ' ')")
    tab("document.querySelector('[data-act=predict]').click()")
    tab("document.querySelector('[data-act=next]').click()")
    tab("document.querySelector('.cr-caption input').focus()")
    tab.keys(*"-18.9", ENTER)
    assert "this slip: the sign" in tab("document.querySelector('[role=status]').innerText")


def test_a_playground_trains_as_fit_does(opened: Opener) -> None:
    X, y = data.moons(30, seed=0)
    model = MLP(2, [4, 1], seed=0)
    tab = opened(playground(model, X, y, loss=losses.binary_cross_entropy, optimizer=SGD(lr=0.1)))
    found = []
    for _ in range(5):
        tab("document.querySelector('[data-act=epoch]').click()")
        found.append(float(tab("document.querySelector('.cr-playground').dataset.loss")))
    history = fit(model, X, y, loss="binary_cross_entropy", optimizer=SGD(lr=0.1), epochs=5, batch_size=10, seed=0,
                  progress=False)  # fmt: skip
    assert found == pytest.approx(history["loss"], abs=1e-9)
    assert len(tab.picture()) > 10_000
