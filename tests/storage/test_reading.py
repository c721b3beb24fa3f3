"""What a user or a stranger names may be a pipe, a device or a file of any size: one line, at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from convertkit.errors import SpecError, UsageError
from convertkit.storage.reading import open_regular, read_file


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def directory(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [pipe, endless, directory])
def test_what_is_no_regular_file_is_refused_before_it_is_opened(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "given")

    with pytest.raises(SpecError, match=r"given: not a regular file$"):
        read_file(tmp_path / "given", error=SpecError)


@pytest.mark.parametrize(
    ("name", "said"), [("absent", "no such file"), ("a/b", "no such file"), ("x" * 300, "long")]
)
def test_a_file_that_cannot_be_there(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "a").write_text("a file, no directory")

    with pytest.raises(UsageError, match=said):
        read_file(tmp_path / name)


def test_a_path_with_a_nul_is_no_path() -> None:
    with pytest.raises(UsageError, match="not a path"), open_regular("a\0b"):
        pass


@pytest.mark.parametrize(("size", "fits"), [(1 << 20, True), ((1 << 20) + 1, False)])
def test_a_file_may_have_so_many_bytes_and_no_more(tmp_path: Path, size: int, fits: bool) -> None:
    (tmp_path / "text").write_bytes(bytes(size))

    if fits:
        assert len(read_file(tmp_path / "text", most=1 << 20)) == size
    else:
        with pytest.raises(UsageError, match="larger than 1 MiB"):
            read_file(tmp_path / "text", most=1 << 20)
