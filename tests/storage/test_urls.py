"""What a URL means, and what is said where nothing can open it."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from convertkit.errors import UnavailableError, UsageError
from convertkit.storage.urls import Url, local, where


def test_what_is_a_path_and_what_a_url(tmp_path: Path) -> None:
    assert where(f"{tmp_path.as_uri()}/a%20b.json") == tmp_path / "a b.json"
    assert where("a/b") == Path("a/b")
    assert where(tmp_path) == tmp_path
    photo = where("s3://bucket/photos/") / "train/1.jpg"
    assert (str(photo), photo.name) == ("s3://bucket/photos/train/1.jpg", "1.jpg")
    assert pickle.loads(pickle.dumps(photo)) == photo == where(photo)
    with pytest.raises(UsageError, match=r"file://host/a: a file of another machine \(write file:///PATH\)"):
        where("file://host/a")


def test_without_fsspec_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)

    with pytest.raises(
        UnavailableError, match=r"s3://b/a: places by URL need fsspec \(pip install 'convertkit-"
    ):
        Url("s3://b/a").is_file()


def test_a_protocol_nobody_knows_is_one_line() -> None:
    pytest.importorskip("fsspec", reason="the extra urls is not installed")

    with pytest.raises(UnavailableError, match="nosuch://b/a: nothing here can open it"):
        Url("nosuch://b/a").is_file()


def test_what_needs_files_says_so() -> None:
    with pytest.raises(
        UsageError, match=r"s3://b/a: rung framework cannot read from a URL \(copy it to this"
    ):
        local(Url("s3://b/a"), "rung framework")


def test_files_come_and_go(tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="the extra urls is not installed")
    (tmp_path / "b.txt").write_text("b")
    (tmp_path / "a.json").write_text("a")
    place = Url("memory://bucket/results")

    place.put_all(tmp_path, last=["a.json"])

    assert [str(file) for file in place.files()] == [
        f"memory:///bucket/results/{n}" for n in ("a.json", "b.txt")
    ]
    with (place / "b.txt").open() as stream:
        assert stream.read() == b"b"
    with pytest.raises(UsageError, match="memory://bucket/results/c: no such file"), (place / "c").open():
        pass
