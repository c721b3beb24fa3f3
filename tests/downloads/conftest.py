"""What every test of downloads has: a server with the module's ``BODY``, and no proxy on the way to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.downloads.faulty_server import Server, serving


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is reached directly, whatever the developer's network needs."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(request.module.BODY) as running:
        yield running
