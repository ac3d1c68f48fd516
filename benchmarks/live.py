"""The live pages: how soon made, how large, and how fast a number is followed: ``python benchmarks/live.py``.

For each graph: making the page (processor time, the least of three), its bytes, and in Chromium the time that the
scripts take from a changed leaf until all is written (median of 60 changes), and of 120 moves of a drag the share of
frames that came late. A page of a graph of 300,000 nodes is made, too. It needs Playwright and Chromium for the times
on the page (``pip install "chainrule[browser]"``).
"""

from __future__ import annotations

import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from autograd import Value, dot, maximum, parse, topological_order
from nn import MLP
from viz import explore, step_through

BARS = "bars: 45 kB, and 300 kB for MLP(3, [4, 4, 1]); 8 ms for 200 nodes; 10 % late; 300,000 nodes: 5 s and 1 MB"
LATE = 25.0  # milliseconds between two frames of a screen that shows 60 a second

# The scripts write in a frame of their own: this one is asked for behind theirs, and forces the layout.
CHANGES = """(leaf) => new Promise((done) => {
  const times = [];
  const next = () => {
    const key = times.length % 2 ? 'ArrowDown' : 'ArrowUp';
    leaf.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    let start;
    requestAnimationFrame(() => {
      document.body.getBoundingClientRect();
      times.push(performance.now() - start);
      if (times.length < 60) setTimeout(next, 0); else done(times);
    });
    start = performance.now();
  };
  next();
})"""
TIMED = """() => {
  const own = window.requestAnimationFrame;
  window.spent = [];
  window.requestAnimationFrame = (f) => own((t) => {
    const start = performance.now();
    f(t);
    document.body.getBoundingClientRect();
    window.spent.push(performance.now() - start);
  });
}"""
FRAMES = """() => {
  window.frames_ = [];
  const own = (t) => { window.frames_.push(t); window.watch && requestAnimationFrame(own); };
  window.watch = true;
  requestAnimationFrame(own);
}"""


def sigmoid_gate() -> Value:
    return parse("1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))", w0=2, x0=-1, w1=-3, x1=-2, w2=-3)


def network() -> Value:
    return MLP(3, [4, 4, 1], seed=0)([Value(1.0, "x0"), Value(-2.0, "x1"), Value(0.5, "x2")])


def two_hundred() -> Value:
    rng = random.Random(0)
    nodes = [Value(rng.uniform(-1, 1), f"x{i}") for i in range(82)]
    while len(nodes) > 1:
        a, b = (nodes.pop(rng.randrange(len(nodes))) for _ in range(2))
        nodes.append(rng.choice([lambda a, b: a + b, lambda a, b: a * b, lambda a, b: (a + b).tanh()])(a, b))
    return nodes[0]


def one_column() -> Value:
    rng, scale = random.Random(1), Value(0.3, "s")
    return maximum(*(Value(rng.uniform(-1, 1), f"x{i}") * scale for i in range(66)))


def long_dot() -> Value:
    rng = random.Random(2)
    xs, ws = ([Value(rng.uniform(-1, 1), f"{name}{i}") for i in range(100)] for name in "xw")
    return dot(xs, ws)


def large() -> Value:
    rng = random.Random(0)
    nodes = [Value(rng.uniform(-1, 1), f"x{i}") for i in range(100)]
    while len(nodes) < 450_000:
        a, b = rng.choice(nodes[-50:]), rng.choice(nodes[-50:])
        nodes.append(rng.choice([lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a.tanh()])(a, b))
    return nodes[-1]


def opened(root: Value) -> Any:
    """All of it: what is folded would not be written at a change."""
    return explore(root, depth="all")


def on_wires(root: Value) -> Any:
    """With the local derivative on each wire, too."""
    return explore(root, depth="all", local=True)


def made(make_page: Callable[[Value], Any], root: Value, times: int) -> tuple[float, str]:
    """Seconds of processor time, and the page."""
    best, html = float("inf"), ""
    for _ in range(times):
        start = time.process_time()
        html = make_page(root).to_html()
        best = min(best, time.process_time() - start)
    return best, html


def on_the_page(browser: Any, html: str, folder: str) -> str:
    """How long scripts and layout take per change, and how many frames of a drag come late."""
    target = Path(folder, "live.html")
    target.write_text(html, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.goto(target.as_uri())
    leaf = page.get_by_role("spinbutton").first
    leaf.focus()
    page.evaluate(TIMED)
    leaf.evaluate(CHANGES)
    spent = statistics.median(sorted(page.evaluate("window.spent"))[60:])
    box = leaf.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 8)
    page.mouse.down()
    page.evaluate(FRAMES)
    for k in range(120):
        page.mouse.move(box["x"] + 20 + k, box["y"] + 8)
        page.wait_for_timeout(8)
    page.mouse.up()
    frames = page.evaluate("(window.watch = false, window.frames_)")
    gaps = [b - a for a, b in pairwise(frames)]
    page.close()
    return f"{spent:5.1f} ms per change  {100 * sum(gap > LATE for gap in gaps) / len(gaps):4.1f} % of frames late"


def main() -> None:
    print(f"Python {platform.python_version()}; {BARS}")
    graphs = {
        "sigmoid gate": (sigmoid_gate, (explore, step_through)),
        "MLP(3, [4, 4, 1])": (network, (explore, step_through)),
        "a graph of 200": (two_hundred, (opened, on_wires, step_through)),
        "one column": (one_column, (opened,)),
        "one dot": (long_dot, (opened,)),
    }
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        browser = None
        try:
            from playwright.sync_api import sync_playwright

            installed = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
            browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=installed)
            stack.callback(browser.close)
        except Exception as error:
            print(f"no browser: {str(error).splitlines()[0]}", file=sys.stderr)
        for name, (make, pages) in graphs.items():
            root = make()
            for make_page in pages:
                seconds, html = made(make_page, root, 3)
                live = on_the_page(browser, html, folder) if browser and make_page is not step_through else ""
                size = len(html.encode()) / 1000
                what = f"{name} ({len(topological_order(root))} nodes)"
                print(f"{what:32} {make_page.__name__:13} {1000 * seconds:6.0f} ms  {size:6.1f} kB  {live}")
        root = large()
        what = f"a graph of {len(topological_order(root)):,} nodes"
        for make_page in (explore, step_through):
            seconds, html = made(make_page, root, 1)
            print(f"{what:32} {make_page.__name__:13} {seconds:6.2f} s   {len(html.encode()) / 1000:6.1f} kB")


if __name__ == "__main__":
    main()
