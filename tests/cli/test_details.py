"""An error may bring one screen of details; the one line stays the last thing said."""

from __future__ import annotations

import pytest

from convertkit.errors import ProcessError
from tests.conftest import Cli


def test_details_come_before_the_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        error = ProcessError("atc: E16002", hint="export at opset 11")
        error.details = "cause     opset 17\nfix       opset 11\n"
        raise error

    monkeypatch.setattr("convertkit.api.commands.doctor.examine", fails)

    done = cli("doctor")

    assert done.code == 4
    assert done.err.splitlines() == [
        "cause     opset 17",
        "fix       opset 11",
        "error: atc: E16002 (export at opset 11)",
    ]
