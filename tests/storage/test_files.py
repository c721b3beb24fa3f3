"""Files are whole or absent, whatever dies in between."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from convertkit.errors import StoreError
from convertkit.storage import files
from convertkit.storage.files import (
    TEMPORARY,
    atomic_directory,
    atomic_write,
    canonical_json,
    clean_leftovers,
    home,
    scratch_directory,
    sha256_bytes,
    sha256_file,
)


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Run a Python snippet that prints a line when it is where the test wants it."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    return process


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")

    with pytest.raises(StoreError, match="not a regular file"):
        atomic_write(tmp_path / "null", b"data")

    assert Path("/dev/null").is_char_device()
    assert (tmp_path / "null").is_symlink()


@pytest.mark.parametrize("place", ["/proc/file", "/proc/none/file"])
def test_a_place_that_takes_no_files_is_an_error_and_no_endless_loop(place: str) -> None:
    with pytest.raises(StoreError, match=f"{place}: cannot be written"):
        atomic_write(place, b"data")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"CONVERTKIT_HOME": "/a/b", "XDG_CACHE_HOME": "/c"}, "/a/b"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/convertkit"),
        ({"CONVERTKIT_HOME": ""}, "/user/.cache/convertkit"),
    ],
)
def test_home_follows_the_variables_in_order(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name in ("CONVERTKIT_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/user")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert str(home()) == expected


def test_hashes_agree_between_bytes_text_and_file(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes("Bär".encode() * 1_000_000)

    assert sha256_file(path) == sha256_bytes("Bär" * 1_000_000)
    assert sha256_bytes(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_canonical_json_is_one_text_per_value() -> None:
    assert canonical_json({"b": "ä", "a": (1, 2.5)}) == canonical_json({"a": [1, 2.5], "b": "ä"})
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))


def test_atomic_write_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"

    atomic_write(path, b"old")
    atomic_write(path, "né")

    assert path.read_text() == "né"
    assert names(path.parent) == ["file"]


def test_atomic_write_into_an_impossible_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match=r"file/below: cannot be written: "):
        atomic_write(tmp_path / "file" / "below", b"")


def test_killed_writer_leaves_the_old_content_and_a_leftover_that_is_cleaned(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    code = """
import os, sys, time
from convertkit.storage import files
def stop(descriptor):
    print("here", flush=True)
    time.sleep(60)
os.fsync = stop
files.atomic_write(sys.argv[1], "new")
"""
    writer = start(code, path)
    assert clean_leftovers(tmp_path) == []

    kill(writer)

    assert path.read_text() == "old"
    assert len(clean_leftovers(tmp_path)) == 1
    assert names(tmp_path) == ["file"]


def test_atomic_directory_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "stage"

    with atomic_directory(path) as work:
        (work / "a").mkdir()
        (work / "a" / "b").write_text("1")
        assert not path.exists()

    assert (path / "a" / "b").read_text() == "1"
    assert names(tmp_path) == ["stage"]


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_directory_is_replaced_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanges: bool
) -> None:
    path, seen = tmp_path / "stage", []
    path.mkdir()
    (path / "old").write_text("1")
    if not exchanges:
        monkeypatch.setattr(files, "exchange", lambda one, other: False)
    else:
        rename = Path.rename
        monkeypatch.setattr(Path, "rename", lambda *given: seen.append(given) or rename(*given))

    with atomic_directory(path, replace=True) as work:
        (work / "new").write_text("2")

    assert names(path) == ["new"]
    assert names(tmp_path) == ["stage"]
    assert seen == []  # no moment without either


def test_atomic_directory_vanishes_on_an_exception(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), atomic_directory(tmp_path / "stage") as work:
        (work / "half").write_text("1")
        raise KeyboardInterrupt

    assert names(tmp_path) == []


@pytest.mark.parametrize(("replace", "winner"), [(False, "first"), (True, "second")])
def test_atomic_directory_meets_an_existing_one(tmp_path: Path, replace: bool, winner: str) -> None:
    path = tmp_path / "stage"
    with atomic_directory(path) as work:
        (work / "who").write_text("first")

    with atomic_directory(path, replace=replace) as work:
        (work / "who").write_text("second")

    assert (path / "who").read_text() == winner
    assert names(tmp_path) == ["stage"]


def test_killed_directory_is_cleaned_by_the_next_but_a_living_one_is_left_alone(tmp_path: Path) -> None:
    code = """
import sys, time
from convertkit.storage.files import atomic_directory
with atomic_directory(sys.argv[1]) as work:
    (work / "half").write_text("1")
    print("here", flush=True)
    time.sleep(60)
"""
    killed = start(code, tmp_path / "killed")
    alive = start(code, tmp_path / "alive")
    kill(killed)

    with atomic_directory(tmp_path / "mine"):
        unfinished = [name for name in names(tmp_path) if name.endswith(TEMPORARY)]

    assert sorted(name.split(".")[1] for name in unfinished) == ["alive", "mine"]
    kill(alive)


def test_a_scratch_directory_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    leftover = tmp_path / f".old.0{TEMPORARY}"
    leftover.mkdir()

    with pytest.raises(KeyError), scratch_directory(tmp_path / "model.om") as work:
        (work / "deep").mkdir()
        (work / "deep" / "file").write_text("x")
        assert work.parent == tmp_path
        assert not leftover.exists()
        raise KeyError

    assert [*tmp_path.iterdir()] == []
