"""What the tests of all packages share."""

from __future__ import annotations

import gc
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import hypothesis
import pytest

# Before anything loads NumPy. The matrices here are small: threads would wait for each other, and be busy at it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# a machine may be busy: how long an example takes says nothing about it
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

if TYPE_CHECKING:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import Browser, Page


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads what is set here
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Whole folders of tests run on all cores (eight at most: each worker has to collect them first).

    Where files or tests are asked for, or the eye of somebody who looks for a mistake is on them, one process starts
    sooner and tells more. ``-n 0`` is one process for all, ``-n 4`` four; without pytest-xdist there is never more.
    """
    option = config.option
    if getattr(option, "numprocesses", 0) is not None or hasattr(config, "workerinput"):
        return  # there is no pytest-xdist; or the command says how many; or this is one of them
    said = ("usepdb", "trace", "collectonly", "keyword", "lf", "stepwise")  # the last two may be switched off
    watched = option.capture == "no" or option.maxfail == 1 or any(getattr(option, name, False) for name in said)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores > 1 and not watched and all(Path(place).is_dir() for place in config.args):
        option.numprocesses, option.dist = min(cores, 8), "worksteal"


def pytest_collection_finish() -> None:
    """Thousands of tests are in memory now, and stay: the collector need not look at them each time."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _custom_operations_do_not_outlive_their_test() -> Iterator[None]:
    from autograd import SHEET

    before = dict(SHEET)
    yield
    for name in set(SHEET) - set(before):
        del SHEET[name]
    SHEET.update(before)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Makes a folder for a whole session of several workers: the first that asks fills it, the others wait for it."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        folder, done = root / name, root / f"{name}.done"
        while not done.exists():
            try:
                folder.mkdir()
            except FileExistsError:
                time.sleep(0.1)
                continue
            try:
                fill(folder)
            except BaseException:  # a test that is skipped, too: the next one finds out by itself
                shutil.rmtree(folder)
                raise
            done.touch()
        return folder

    return make


@pytest.fixture(scope="module")  # no longer: while Playwright runs, nothing else in the thread can use asyncio
def chromium() -> Iterator[Browser]:
    """A browser for pages that are to be used, not only read: the system's Chromium, or else Playwright's own.

    Without one the test is skipped; where the environment has CHAINRULE_NEEDS_BROWSER=1 it fails.
    """
    try:
        from playwright.sync_api import Error, expect, sync_playwright
    except ImportError:
        _without("Playwright is not installed: pip install playwright")
    installed = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    quiet = ["--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
    quiet += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"]  # the network is cut
    expect.set_options(timeout=60_000)  # in milliseconds: no more than a limit, for a busy machine
    with sync_playwright() as playwright:
        try:
            # a container's root user cannot have a sandbox, and the pages are our own
            browser = playwright.chromium.launch(executable_path=installed, args=quiet, chromium_sandbox=False)
        except Error as error:
            _without(f"no Chromium could be started: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def watched(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a file in a page of its own, which must give no error, ask the network for nothing, and open no dialog."""
    pages, wrong = [], []

    def go(file: Path, **context: Any) -> Page:
        page = chromium.new_page(**context)
        pages.append(page)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("request", lambda asked: None if asked.url == file.as_uri() else wrong.append(asked.url[:80]))
        page.on("dialog", lambda dialog: wrong.append(f"a script ran: {dialog.message}"))
        page.goto(file.as_uri())
        return page

    yield go
    for page in pages:
        page.close()
    assert not wrong


@pytest.fixture(scope="session")
def axe() -> Axe:
    """The checker of accessibility, axe-core; without it the test is skipped or fails, as without a browser."""
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        _without("axe is not installed: pip install axe-playwright-python")
    return Axe()


def _without(reason: str) -> NoReturn:
    if os.environ.get("CHAINRULE_NEEDS_BROWSER") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
