"""Which test runs are spread over the cores, and that what is made once is made once."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from .conftest import pytest_cmdline_main

HERE = Path(__file__).resolve()
PLAIN = {
    "numprocesses": None,
    "dist": "no",
    "usepdb": False,
    "trace": False,
    "capture": "fd",
    "maxfail": 0,
    "collectonly": False,
    "keyword": "",
    "lf": False,
}


@pytest.mark.parametrize(
    ("places", "said", "spread"),
    [
        ([HERE.parent], {}, True),
        ([HERE.parent / "nn", HERE.parent / "viz"], {"markexpr": "not slow"}, True),
        ([HERE], {}, False),
        ([f"{HERE}::test_which_runs_are_spread_over_the_cores"], {}, False),
        ([HERE.parent / "nn", HERE], {}, False),
        ([HERE.parent], {"maxfail": 1}, False),
        ([HERE.parent], {"capture": "no"}, False),
        ([HERE.parent], {"usepdb": True}, False),
        ([HERE.parent], {"keyword": "relu"}, False),
        ([HERE.parent], {"lf": True}, False),
        ([HERE.parent], {"numprocesses": 0}, False),
    ],
)
def test_which_runs_are_spread_over_the_cores(
    places: list[Any],
    said: dict[str, Any],
    spread: bool,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: range(4), raising=False)
    option = copy.copy(request.config.option)
    assert set(PLAIN) - set(vars(option)) <= {"numprocesses", "dist", "lf"}  # of pytest-xdist, and of a cache
    vars(option).update(PLAIN | said)
    pytest_cmdline_main(SimpleNamespace(option=option, args=[str(place) for place in places]))  # type: ignore[arg-type]
    assert (option.numprocesses, option.dist) == ((4, "worksteal") if spread else (said.get("numprocesses"), "no"))


def test_a_folder_that_several_ask_for_is_made_once(
    made_once: Callable[[str, Callable[[Path], object]], Path], tmp_path: Path
) -> None:
    began, go_on = threading.Event(), threading.Event()
    filled = []

    def fill(folder: Path) -> None:
        began.set()
        assert go_on.wait(60)
        filled.append(folder)
        (folder / "whole").touch()

    first = threading.Thread(target=made_once, args=(f"made for {tmp_path.name}", fill))
    first.start()
    assert began.wait(60)
    threading.Timer(0.2, go_on.set).start()
    folder = made_once(f"made for {tmp_path.name}", fill)  # waits until it is whole
    assert (folder / "whole").exists()
    first.join()
    assert filled == [folder]


def test_a_folder_that_could_not_be_filled_is_tried_again(
    made_once: Callable[[str, Callable[[Path], object]], Path], tmp_path: Path
) -> None:
    with pytest.raises(ZeroDivisionError):
        made_once(f"made for {tmp_path.name}", lambda folder: (folder / "half").touch() or 1 / 0)
    folder = made_once(f"made for {tmp_path.name}", lambda folder: (folder / "whole").touch())
    assert [file.name for file in folder.iterdir()] == ["whole"]
