"""Pipes, which nobody writes to, in place of files that convertkit keeps or looks at: nothing waits for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from convertkit.conversion.store import Store
from convertkit.downloads.transfer import Part
from convertkit.exporting.state import load_state
from tests.conftest import Cli


def in_place_of(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("pattern", ["store/steps/*/seal.json", "store/steps/*/record.json"])
def test_a_step_with_a_pipe_in_it_is_made_again(cli: Cli, tiny: Path, own_home: Path, pattern: str) -> None:
    before = cli("build", tiny, "-o", "before")
    pipes = sorted(own_home.glob(pattern))
    for path in pipes:
        in_place_of(path)

    after = cli("build", tiny, "-o", "after")

    assert pipes
    assert (before.code, after.code) == (0, 0)
    assert (Path("before/model.onnx")).read_bytes() == Path("after/model.onnx").read_bytes()


@pytest.mark.parametrize("command", [["cache", "prune"], ["cache", "list"], ["cache", "size"]])
def test_the_cache_is_looked_at_with_a_pipe_in_it(
    cli: Cli, tiny: Path, own_home: Path, command: list[str]
) -> None:
    cli("build", tiny, "-o", "before")
    for path in own_home.glob("store/steps/*/*"):
        in_place_of(path)

    assert cli(*command).code == 0


def test_an_environment_whose_state_is_a_pipe_has_none(cli: Cli, own_home: Path) -> None:
    place = own_home / "envs" / "maskrcnn-0123456789ab"
    place.mkdir(parents=True)
    os.mkfifo(place / "state.json")

    assert load_state(place) is None
    assert cli("env", "list").code == 0


def test_a_download_whose_mark_is_a_pipe_has_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "weights.part.tag")

    assert Part(tmp_path / "weights.part").tag == ""


def test_weights_whose_place_a_pipe_has_are_gone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    place = store._weight("ab" * 32)
    place.parent.mkdir(parents=True)
    os.mkfifo(place)

    assert store._read_weight("ab" * 32) is None


def test_an_installation_of_cann_with_pipes_in_it_stops_nobody(tmp_path: Path) -> None:
    from convertkit_ascend.atc.setup import text_of

    os.mkfifo(tmp_path / "version.cfg")

    assert text_of(tmp_path / "version.cfg") == ""
    assert text_of(tmp_path / "absent") == ""
