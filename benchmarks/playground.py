"""How fast a playground trains while it paints: ``python benchmarks/playground.py``.

It needs Playwright and Chromium (``pip install "chainrule[browser]"``). Each page plays "as fast as it goes" for three
seconds, three times; the epochs are the page's own count, the pictures are counted by the browser. The digits are
scikit-learn's where it is installed, else noise of their size; an epoch's milliseconds are those of training alone,
without pictures (One epoch, by the clock).
"""

from __future__ import annotations

import random
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, sync_playwright

from nn import MLP, data, losses, optim
from viz import Playground, playground

SECONDS, TIMES = 3.0, 3
COUNT = """() => { window.frames_ = 0; const frame = () => { window.frames_ += 1; requestAnimationFrame(frame); };
requestAnimationFrame(frame); }"""
EPOCH = """() => { const button = document.querySelector('[data-act=epoch]'); button.click(); button.click();
const start = performance.now(); for (let k = 0; k < 10; k += 1) button.click();
return (performance.now() - start) / 10; }"""
STATE = "() => [performance.now(), Number(document.querySelector('.cr-playground').dataset.epoch), frames_]"


def moons() -> Playground:
    X, y = data.moons(200, seed=0)
    model = MLP(2, [8, 8, 1], seed=0)
    return playground(model, X, y, loss=losses.binary_cross_entropy, optimizer=optim.SGD(lr=0.1), batch_size=10)


def digits() -> Playground:
    try:
        from sklearn.datasets import load_digits

        found: Any = load_digits()
        X, y = (found.data[:500] / 16).tolist(), found.target[:500].tolist()
    except ImportError:
        rng = random.Random(0)
        X, y = [[rng.random() for _ in range(64)] for _ in range(500)], [rng.randrange(10) for _ in range(500)]
    model = MLP(64, [32, 10], seed=0)
    return playground(model, X, y, loss=losses.cross_entropy, optimizer=optim.Adam(lr=0.01), batch_size=32)


def measured(browser: Browser, made: Playground) -> dict[str, float]:
    """Epochs and pictures per second by the clock, epochs per second of the page's own processor time, and the
    milliseconds of an epoch with one picture: medians."""
    with tempfile.TemporaryDirectory() as folder:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(made.save(Path(folder, "page.html")).as_uri())
    page.evaluate(COUNT)
    page.locator("[data-act=speed]").select_option("Infinity")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def now() -> list[float]:
        told = session.send("Performance.getMetrics")["metrics"]
        return [*page.evaluate(STATE), next(x["value"] for x in told if x["name"] == "TaskDuration")]

    found: dict[str, list[float]] = {"epochs": [], "pictures": [], "of its own": []}
    for _ in range(TIMES):
        page.locator("[data-act=play]").click()
        page.wait_for_timeout(500)
        before = now()
        page.wait_for_timeout(SECONDS * 1000)
        passed, trained, painted, busy = (b - a for a, b in zip(before, now(), strict=True))
        page.locator("[data-act=play]").click()
        for name, x in zip(found, (1000 * trained / passed, 1000 * painted / passed, trained / busy), strict=True):
            found[name].append(x)
    epoch = float(page.evaluate(EPOCH))
    page.close()
    return {name: statistics.median(numbers) for name, numbers in found.items()} | {"epoch": epoch}


def main() -> None:
    print("bars: 2-8-8-1 on 200 points in tens, 1,000 epochs/s at 30 pictures/s; 64-32-10, 15 ms per epoch of 500")
    installed = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, chromium_sandbox=False)
        for name, make in {"2-8-8-1": moons, "64-32-10": digits}.items():
            made = make()
            found = measured(browser, made)
            print(
                f"{name:9} {found['epochs']:6.0f} epochs/s at {found['pictures']:3.0f} pictures/s  "
                f"{found['of its own']:6.0f} epochs per second of processor time, pictures included  "
                f"{found['epoch']:6.2f} ms per epoch and picture  page {len(made.to_html()) / 1000:.0f} kB"
            )
        browser.close()


if __name__ == "__main__":
    main()
