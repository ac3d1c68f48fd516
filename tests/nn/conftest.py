"""Long trainings are left out unless asked for: ``CHAINRULE_SLOW=1 pytest tests/nn`` or ``pytest tests/nn -m slow``."""

from __future__ import annotations

import os

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    chosen = str(config.getoption("-m") or "")
    if os.environ.get("CHAINRULE_SLOW") or ("slow" in chosen and "not slow" not in chosen):
        return
    for item in items:
        if item.get_closest_marker("slow") and "/tests/nn/" in item.path.as_posix():
            item.add_marker(pytest.mark.skip(reason="takes minutes; CHAINRULE_SLOW=1 or -m slow runs it"))
