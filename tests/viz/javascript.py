"""Running the pages' scripts without a page: in Node.js, or else in Chromium."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

NODE = shutil.which("node")


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
