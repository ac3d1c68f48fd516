from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograd import SHEET


@pytest.fixture(autouse=True)
def _custom_operations_do_not_outlive_their_test() -> Iterator[None]:
    before = dict(SHEET)
    yield
    for name in set(SHEET) - set(before):
        del SHEET[name]
    SHEET.update(before)
