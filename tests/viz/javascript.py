"""Running the pages' scripts without a page: in Node.js, or else in Chromium."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

NODE = shutil.which("node")
WEB = Path(__file__).parents[2] / "viz" / "live" / "web"


def joined(*names: str) -> str:
    """Some of the pages' modules as they are read, one behind the other: without what they import and export."""
    texts = [(WEB / f"{name}.js").read_text(encoding="utf-8") for name in names]
    return re.sub(r"^(import [^;]*;|export (?=const|class))", "", "".join(texts), flags=re.MULTILINE)


def run(script: str, data: Any, browser: Any = None) -> Any:
    """What the script's last ``return`` gives; ``DATA`` is the data there. Both travel as JSON."""
    whole = f"const DATA = {json.dumps(data)};\nconst run = () => {{{script}}};\n"
    if NODE:
        told = subprocess.run(
            [NODE, "-"], input=whole + "console.log(JSON.stringify(run()));", capture_output=True, encoding="utf-8"
        )
        assert told.returncode == 0, told.stderr[-2000:]
        return json.loads(told.stdout)
    if browser is None:
        pytest.skip("there is no Node.js")
    page = browser.new_page()
    result = json.loads(page.evaluate(f"() => {{{whole}return JSON.stringify(run());}}"))
    page.close()
    return result
