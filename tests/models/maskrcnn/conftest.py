"""What the tests of checkpoints share."""

from __future__ import annotations

import pytest

from tests.conftest import MASKRCNN


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's package as the worker finds it."""
    monkeypatch.syspath_prepend(str(MASKRCNN))
