"""How soon a player is there, and how large: ``python benchmarks/player.py``.

For each graph: making the player and its page (by the clock, median), the page's and a notebook's bytes, and how long a
browser takes from opening the page to its first picture (first contentful paint, median and best of ten; it needs
Playwright and Chromium, ``pip install "chainrule[browser]"``). The bars are for the sigmoid gate of the lecture.
"""

from __future__ import annotations

import platform
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from autograd import Value, parse
from nn import MLP
from viz import step_through

RUNS = 10
BARS = "bars: page 200 kB, first picture 200 ms"


def sigmoid_gate() -> Value:
    return parse("1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))", w0=2, x0=-1, w1=-3, x1=-2, w2=-3)


def chain() -> Value:
    y = Value(0.5, "x")
    for _ in range(60):
        y = y.tanh()
    return y


def network() -> Value:
    return MLP(2, [4, 4, 1], seed=0)([Value(1.0, "x0"), Value(-2.0, "x1")])


def first_paints(page: Path) -> list[float]:
    """Milliseconds from opening the page to its first picture; none, where there is no browser."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return []
    installed = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with ExitStack() as stack:
        try:
            browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=installed)
        except Error as error:
            print(f"no browser: {error.message.splitlines()[0]}", file=sys.stderr)
            return []
        stack.callback(browser.close)
        window = browser.new_page()
        times = []
        for _ in range(RUNS):
            window.goto(page.as_uri())
            window.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
            times.append(window.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        return times


def main() -> None:
    print(f"Python {platform.python_version()}; {BARS}")
    graphs = {"the sigmoid gate": sigmoid_gate, "a chain of 60": chain, "an MLP 2-4-4-1": network}
    for name, make in graphs.items():
        root, making = make(), []
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, "steps.html")
            for _ in range(RUNS):
                start = time.perf_counter()
                player = step_through(root)
                player.save(target)
                making.append((time.perf_counter() - start) * 1000)
            page, notebook = target.stat().st_size, len(player._repr_mimebundle_()["text/html"].encode())
            paints = first_paints(target)
        painted = f"{statistics.median(paints):5.0f} ms (best {min(paints):.0f} ms)" if paints else "no browser"
        print(
            f"{name:18} {len(player):3} frames  made in {statistics.median(making):6.1f} ms  "
            f"page {page / 1000:5.1f} kB  notebook {notebook / 1000:5.1f} kB  first picture {painted}"
        )


if __name__ == "__main__":
    main()
