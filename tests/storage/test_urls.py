"""What a URL means, and what is said where nothing can open it."""

from __future__ import annotations

import pickle
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from convertkit.errors import UnavailableError, UsageError
from convertkit.storage.copies import here, origin
from convertkit.storage.urls import MOST_BYTES, Url, local, where


def test_what_is_a_path_and_what_a_url(tmp_path: Path) -> None:
    assert where(f"{tmp_path.as_uri()}/a%20b.json") == tmp_path / "a b.json"
    assert where("a/b") == Path("a/b")
    assert where(tmp_path) == tmp_path
    photo = where("s3://bucket/photos/") / "train/1.jpg"
    assert (str(photo), photo.name) == ("s3://bucket/photos/train/1.jpg", "1.jpg")
    assert pickle.loads(pickle.dumps(photo)) == photo == where(photo)
    with pytest.raises(UsageError, match=r"file://host/a: a file of another machine \(write file:///PATH\)"):
        where("file://host/a")


@pytest.mark.parametrize(
    "text", ["ssh://host/a", "reference://a", "zip::https://b/a.zip", "nosuch://b/a", "hdfs://b/a"]
)
def test_other_protocols_are_refused_with_those_that_are_known(text: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"{text}: no protocol that is opened here (file, s3, gs")):
        where(text)


def test_without_fsspec_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.registry", None)

    with pytest.raises(
        UnavailableError, match=r"s3://b/a: places by URL need fsspec \(pip install 'convertkit-"
    ):
        Url("s3://b/a").is_file()


@pytest.mark.parametrize(
    ("url", "module", "wanted"),
    [("s3://b/a", "s3fs", "'convertkit-compiler[s3]'"), ("gs://b/a", "gcsfs", "gcsfs")],
)
def test_without_its_driver_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, url: str, module: str, wanted: str
) -> None:
    registry = pytest.importorskip("fsspec.registry", reason="the extra urls is not installed")
    monkeypatch.delitem(registry._registry, url[:2], raising=False)  # which a test before may have filled
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(UnavailableError) as caught:
        Url(url).is_file()

    assert str(caught.value).startswith(f"{url}: {url[:2]}:// needs a driver that is not installed (")
    assert str(caught.value).endswith(f"(pip install {wanted})")


def test_what_needs_files_says_so() -> None:
    with pytest.raises(
        UsageError, match=r"s3://b/a: rung framework cannot use a URL \(copy it to this machine"
    ):
        local(Url("s3://b/a"), "rung framework")


@pytest.fixture
def memory(request: pytest.FixtureRequest) -> Any:
    """An empty store of this process."""
    system = pytest.importorskip("fsspec", reason="the extra urls is not installed").filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def test_files_come_and_go(tmp_path: Path, memory: Any) -> None:
    (tmp_path / "b.txt").write_text("b")
    (tmp_path / "a.json").write_text("a")
    place = Url("memory://bucket/results")

    place.put_all(tmp_path, last=["a.json"])

    assert place.files() == {"a.json": 1, "b.txt": 1}
    with (place / "b.txt").open() as stream:
        assert stream.read() == b"b"
    with pytest.raises(UsageError, match="memory://bucket/results/c: no such file"), (place / "c").open():
        pass


def test_a_name_is_a_name_whatever_fsspec_reads_into_it(tmp_path: Path, memory: Any) -> None:
    (tmp_path / "secret").write_text("secret")

    assert not (Url("memory://bucket") / f"a::file://{tmp_path}/secret").is_file()


@pytest.mark.parametrize("name", ["a/../../b", "a//b", "c:b", "a\\b"])
def test_names_that_lead_elsewhere_are_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(Url, "files", lambda url: {name: 1})

    with pytest.raises(UnavailableError, match="a name that leads out of its directory"):
        Url("memory://bucket").fetch_all(tmp_path / "there")

    assert list(tmp_path.iterdir()) == []


def test_no_more_is_copied_than_a_disk_should_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Url, "files", lambda url: {"a": MOST_BYTES, "b": 1})

    with pytest.raises(UsageError, match="memory://bucket: more than 100000 files or 128 GiB"):
        Url("memory://bucket").fetch_all(tmp_path)


def test_a_copy_is_made_once_and_known(tmp_path: Path, memory: Any) -> None:
    memory.pipe("/bucket/built/800x1216/model.onnx", b"graph")
    url = Url("memory://bucket/built")

    copy = here(url)

    assert (copy / "800x1216" / "model.onnx").read_bytes() == b"graph"
    assert here(url) == copy
    assert origin(copy) == url
    assert origin(copy / "800x1216") == url / "800x1216"
    assert origin(tmp_path) == here(tmp_path) == tmp_path
    with pytest.raises(UsageError, match="memory://bucket/nothing: nothing is there"):
        here(Url("memory://bucket/nothing"))
