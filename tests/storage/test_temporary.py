"""Work in progress leaves nothing: not killed, not on a full disk, not where there are no locks."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest

from convertkit.errors import StoreError, UnavailableError
from convertkit.storage import locks, system
from convertkit.storage.files import FileLock, atomic_write, clean_leftovers, home, work_directory
from convertkit.storage.temporary import discard
from tests.conftest import Cli

LEFT = ".0123456789ab.convertkit-tmp"


def test_every_command_removes_what_killed_ones_left_wherever_nobody_would_look_again(
    cli: Cli, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    store = own_home / "store"
    places = (
        own_home,
        store,
        store / "steps",
        store / "weights" / "ab",
        own_home / "failures",
        tmp_path / "tmp",
    )
    for place in places:
        (place / f".x{LEFT}").mkdir(parents=True)
        (place / f".x{LEFT}" / "half").write_bytes(bytes(10))
    (store / "locks").mkdir()
    (store / "locks" / "key").touch()

    with FileLock(store / "locks" / "held"):
        assert cli("list", "targets").code == 0
        held = [path.name for path in (store / "locks").iterdir()]

    assert [path for place in places for path in place.glob(".*")] == []
    assert held == ["held"]
    assert list((store / "locks").iterdir()) == []


def test_what_is_removed_is_not_left_in_half_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "step").mkdir()
    (tmp_path / "step" / "graph.onnx").touch()
    monkeypatch.setattr("shutil.rmtree", lambda *given, **more: None)  # as if killed there

    discard(tmp_path / "step")
    discard(tmp_path / "none")

    assert not (tmp_path / "step").exists()
    monkeypatch.undo()
    assert len(clean_leftovers(tmp_path)) == 1
    assert list(tmp_path.iterdir()) == []


def test_looking_for_tmpdir_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own way writes a file and removes it: killed in between, that would stay."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    monkeypatch.setenv("TEMP", str(tmp_path))
    monkeypatch.setattr(tempfile, "gettempdir", pytest.fail)

    with work_directory("x") as directory:
        assert directory.parent == tmp_path


def test_a_killed_write_beside_an_output_goes_with_the_next_write_of_it(tmp_path: Path) -> None:
    killed, others = tmp_path / f".x.onnx{LEFT}", tmp_path / f".y.onnx{LEFT}"
    for path in (killed, others):
        path.write_bytes(bytes(10))

    atomic_write(tmp_path / "x.onnx", b"graph")

    assert sorted(path.name for path in tmp_path.iterdir()) == [others.name, "x.onnx"]


@pytest.mark.parametrize("name", ["[x].onnx", "x*.onnx", 200 * "x"])
def test_names_of_any_letters_and_length(tmp_path: Path, name: str) -> None:
    (tmp_path / f".{name[:100]}{LEFT}").write_bytes(bytes(10))

    atomic_write(tmp_path / name, b"graph")

    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_work_in_tmpdir_goes_and_takes_what_killed_work_left_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / f".convertkit-simplify{LEFT}").mkdir()
    (tmp_path / f".convertkit-simplify{LEFT}" / "model.onnx").write_bytes(bytes(10))

    with work_directory("verify") as directory:
        (directory / "file").write_text("text")
        assert list(tmp_path.iterdir()) == [directory]

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_tmpdir_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result((1, 1, 1, 0, 0, 0, 0, 0, 0, 255)))

    with pytest.raises(StoreError, match=f"TMPDIR to a place with room; it is {tmp_path} now"):  # noqa: SIM117
        with work_directory("simplify"):
            raise OSError(code, os.strerror(code))

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_elsewhere_is_not_blamed_on_tmpdir(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with pytest.raises(OSError, match="No space"), work_directory("simplify"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("code", locks.NO_LOCKS)
def test_a_file_system_without_locks_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(descriptor: int, kind: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(system.fcntl, "flock", refuse)

    with FileLock(tmp_path / "lock"):
        atomic_write(tmp_path / "x", b"whole")

    assert (tmp_path / "x").read_bytes() == b"whole"
    assert not list(tmp_path.glob("*.convertkit-tmp"))


@pytest.mark.parametrize("variable", ["CONVERTKIT_HOME", "XDG_CACHE_HOME"])
def test_a_home_of_nobody_says_what_to_set(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.delenv("CONVERTKIT_HOME", raising=False)
    monkeypatch.setenv(variable, "~nobody-of-this-name/x")

    with pytest.raises(UnavailableError, match="set CONVERTKIT_HOME to a directory of your own"):
        home()


def test_a_user_without_a_home_directory(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("CONVERTKIT_HOME")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", nowhere)

    done = cli("cache", "size")

    assert (done.code, done.err.count("\n")) == (3, 1)
    assert done.err.startswith("error: ~: there is no such home directory (set CONVERTKIT_HOME")
