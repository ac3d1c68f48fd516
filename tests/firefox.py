"""Firefox as it is installed, for tests: driven by WebDriver BiDi, which it speaks itself, with no driver beside it.

Playwright drives a Firefox of its own only, which cannot be had everywhere.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

PATIENCE = 60  # seconds: how long anything may take on a busy machine


def installed() -> str | None:
    """The program, if there is one."""
    return next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)


class Firefox:
    """A running Firefox without a window."""

    def __init__(self, profile: Path) -> None:
        from websocket import create_connection

        command = [installed() or "firefox", "--headless", "--remote-debugging-port", "0", "--profile", str(profile)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
                break
        else:
            raise OSError("Firefox ended before it listened")
        self._socket = create_connection(f"{found[1]}/session", timeout=PATIENCE, suppress_origin=True)
        self._number = count(1)
        self.errors: list[str] = []
        self.send("session.new", capabilities={})
        self.send("session.subscribe", events=["log.entryAdded"])

    def send(self, method: str, **params: Any) -> Any:
        """Ask for something; what comes in between is kept if it is an error on a page."""
        number = next(self._number)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv())
            if told.get("method") == "log.entryAdded" and told["params"]["level"] == "error":
                self.errors.append(told["params"]["text"])
            if told.get("id") == number:
                if told["type"] == "error":
                    raise RuntimeError(f"{method}: {told['message']}")
                return told["result"]

    def open(self, file: Path, width: int = 1280, height: int = 720) -> Tab:
        """A file in a tab of its own."""
        context = self.send("browsingContext.create", type="tab")["context"]
        self.send("browsingContext.setViewport", context=context, viewport={"width": width, "height": height})
        self.send("browsingContext.navigate", context=context, url=file.as_uri(), wait="complete")
        return Tab(self, context)

    def close(self) -> None:
        self._socket.close()
        self._process.terminate()
        self._process.wait(PATIENCE)
        assert self._process.stderr is not None
        self._process.stderr.close()


class Tab:
    """A page in Firefox."""

    def __init__(self, firefox: Firefox, context: str) -> None:
        self._firefox, self._context = firefox, context

    def __call__(self, expression: str) -> Any:
        """The value of a JavaScript expression, which may be a promise."""
        told = self._firefox.send(
            "script.evaluate",
            expression=f"Promise.resolve({expression}).then((x) => JSON.stringify(x ?? null))",
            target={"context": self._context},
            awaitPromise=True,
        )
        if told["type"] == "exception":
            raise RuntimeError(told["exceptionDetails"]["text"])
        return json.loads(told["result"]["value"])

    def settle(self) -> None:
        self("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def keys(self, *keys: str) -> None:
        """Press keys; those without a letter have WebDriver's codes, such as \\ue013 for the arrow up."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keyboard", "actions": actions})

    def drag(self, x: float, y: float, across: int) -> None:
        """Press the mouse at a place, move it, and let it go."""
        steps: list[dict[str, Any]] = [{"type": "pointerMove", "x": round(x), "y": round(y)}]
        steps.append({"type": "pointerDown", "button": 0})
        steps += [{"type": "pointerMove", "x": round(x) + k, "y": round(y)} for k in range(1, across + 1, 4)]
        steps += [{"type": "pointerMove", "x": round(x) + across, "y": round(y)}, {"type": "pointerUp", "button": 0}]
        self._act({"type": "pointer", "id": "mouse", "actions": steps})

    def picture(self) -> bytes:
        """What is seen, as a PNG."""
        told = self._firefox.send("browsingContext.captureScreenshot", context=self._context)
        return base64.b64decode(told["data"])

    def _act(self, actions: dict[str, Any]) -> None:
        self._firefox.send("input.performActions", context=self._context, actions=[actions])
        self.settle()
