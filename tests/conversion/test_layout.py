"""An artifact's directory holds the old one or the new one, at whatever operation its process is killed."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from convertkit.conversion.layout import READY, lay_out, settle
from convertkit.conversion.manifest import FORMAT, NAME, FileEntry, Manifest, StepEntry
from convertkit.errors import StoreError
from convertkit.storage.files import sha256_bytes

OPERATIONS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}

OLD = {"model.onnx": b"old graph", "model.om": b"compiled", "same": b"the same"}
NEW = {"model.onnx": b"new graph", "twin.onnx": b"twin", "same": b"the same"}


def made(directory: Path, files: dict[str, bytes]) -> Manifest:
    directory.mkdir(exist_ok=True)
    for name, content in files.items():
        (directory / name).write_bytes(content)
    table = {name: FileEntry(sha256_bytes(content), len(content)) for name, content in files.items()}
    step = StepEntry("compile", "key", {}, "result")
    return Manifest(FORMAT, "1", "tiny", "small", "cpu", (8, 8), (step,), table).sealed()


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


def killed_at(number: int, output: Path, source: Path, manifest: Manifest) -> bool:
    """Lays out in a child that dies before its operation of that number; False where it has fewer."""
    child = os.fork()
    if child == 0:
        left = [number]

        def hook(event: str, given: tuple[Any, ...]) -> None:
            if event in OPERATIONS and str(output) in str(given[0]):
                left[0] -= 1
                if not left[0]:
                    os._exit(9)

        sys.addaudithook(hook)
        lay_out(output, source, manifest)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.slow
def test_killed_at_every_operation_it_is_the_old_one_or_becomes_the_new_one(tmp_path: Path) -> None:
    old, new = made(tmp_path / "old", OLD), made(tmp_path / "new", NEW)
    before, after = {**OLD, NAME: old.encode()}, {**NEW, NAME: new.encode()}
    found, number = [], 0

    while True:
        output, number = tmp_path / f"out{number}", number + 1
        lay_out(output, tmp_path / "old", old)
        if not killed_at(number, output, tmp_path / "new", new):
            break
        committed = (output / READY).is_dir()
        if not committed and contents(output) != after:
            assert contents(output) == before
        settle(output)
        found.append(contents(output))
        assert found[-1] in (before, after)
        assert [path for path in output.iterdir() if path.is_dir()] == []
        shutil.rmtree(output)

    assert contents(output) == after
    assert found[0] == before
    assert found[-1] == after


def test_a_stranger_s_directory_behind_a_link_is_not_moved_in(tmp_path: Path) -> None:
    manifest = made(tmp_path / "theirs", NEW)
    (tmp_path / "theirs" / NAME).write_bytes(manifest.encode())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / READY).symlink_to(tmp_path / "theirs")

    settle(tmp_path / "out")

    assert contents(tmp_path / "theirs").keys() == {*NEW, NAME}
    assert [path.name for path in (tmp_path / "out").iterdir()] == [READY]


def test_a_full_disk_leaves_the_old_one_and_names_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = made(tmp_path / "old", OLD), made(tmp_path / "new", NEW)
    output = tmp_path / "out"
    lay_out(output, tmp_path / "old", old)

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(StoreError, match=rf"^{output}.*: cannot be written: No space left"):
        lay_out(output, tmp_path / "new", new)

    assert contents(output) == {**OLD, NAME: old.encode()}
    assert len(list(output.iterdir())) == 4
