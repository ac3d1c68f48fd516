"""Random programs on 0, ±inf, nan and ties: each difference from PyTorch is a convention that has a name.

The comparison itself is `benchmarks/against_torch.py`, which runs 20,000 programs in seconds.
"""

from __future__ import annotations

import dataclasses

import pytest

pytest.importorskip("torch")

from autograd.ops import SHEET
from benchmarks import against_torch


def test_every_difference_from_pytorch_is_a_convention_with_a_name() -> None:
    explained, unexplained = against_torch.compare(2000, seed=0)
    assert [str(program) for program in unexplained] == []
    assert set(explained) <= {c.name for c in against_torch.CONVENTIONS} | {"several of these"}
    assert 0 < explained.total() < 100


@pytest.mark.parametrize(
    ("name", "inputs", "steps"),
    [
        ("nobody is the largest beside a nan", (1.0, float("nan"), 0.0), (("maximum", (0, 1)),)),
        ("what amax did not choose", (4.0, -1.0, 0.0), (("minimum", (0, 2, 0)), ("sqrt", (3,)))),
        ("digits in the tails of tanh", (20.0, 1.0, 0.0), (("tanh", (0,)), ("sub", (3, 1)), ("sqrt", (4,)))),
        ("digits in the tails of the sigmoid", (40.0, 1.0, 0.0), (("sigmoid", (0,)), ("sub", (3, 1)), ("sqrt", (4,)))),
        ("the sign of relu(-0)", (-0.0, 1.0, 0.0), (("relu", (0,)), ("div", (1, 3)))),
    ],
)
def test_the_convention_is_found_by_putting_pytorchs_in_its_place(
    name: str, inputs: tuple[float, ...], steps: tuple[against_torch.Step, ...]
) -> None:
    program = against_torch.Program(inputs, steps)
    reference = against_torch.theirs(program)
    assert not against_torch.agree(against_torch.ours(program), reference)
    before = dict(SHEET)
    assert against_torch.reason(program, reference) == name
    assert before == SHEET


def test_a_wrong_derivative_is_not_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHEET, "sin", dataclasses.replace(SHEET["sin"], partials=lambda y, a: (0.5,)))
    _, unexplained = against_torch.compare(300, seed=0)
    assert unexplained
