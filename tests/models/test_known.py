"""A package of somebody's is code: that is said once, and never of convertkit's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from convertkit.models.known import first_time
from tests.conftest import MASKRCNN, Cli


def test_it_is_said_once_of_a_strangers_package_whatever_the_command(
    cli: Cli, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convertkit.models.known.first_time", first_time)

    told = [
        cli(*words).err.count("a model package is code")
        for words in (("show", "model", tiny), ("build", tiny))
    ]

    assert told == [1, 0]


def test_it_is_not_said_of_our_own(cli: Cli) -> None:
    assert not first_time(MASKRCNN)


def test_it_is_said_again_where_nothing_can_be_remembered(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVERTKIT_HOME", "/dev/null/home")

    assert [first_time(tiny), first_time(tiny)] == [True, True]
