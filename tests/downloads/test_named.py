"""A dataset by name: there whole or not at all, the same at every download, whoever interrupts it."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from convertkit.downloads import catalogue
from convertkit.downloads.named import FetchedDataset, dataset_of, fetch_dataset
from convertkit.errors import SpecError, UnavailableError, UnknownNameError, UsageError
from convertkit.storage.files import sha256_bytes
from tests.downloads.faulty_server import Server, cut, status


def archive(annotations: bytes = b"{}", **files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("labels/instances.json", annotations)
        for name, data in {"photos/1.jpg": random.Random(0).randbytes(400_000), **files}.items():
            packed.writestr(name, data)
    return stream.getvalue()


BODY = archive()


class Named:
    """Names the server's archive ``mine`` in a file of the user's."""

    def __init__(self, server: Server, file: Path) -> None:
        self.server, self.file = server, file

    def __call__(self, *more: dict[str, Any], entry: dict[str, Any] | None = None, **known: Any) -> None:
        files = [{"url": self.server.url, **known}, *more]
        whole = {"files": files, "annotations": "labels/instances.json", "images": "photos", **(entry or {})}
        self.file.write_text(json.dumps({"mine": whole}))  # JSON is YAML


@pytest.fixture
def named(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Named:
    file = tmp_path / "datasets.yaml"
    monkeypatch.setenv("CONVERTKIT_DATASETS", str(file))
    given = Named(server, file)
    given()
    return given


def get() -> FetchedDataset:
    return fetch_dataset("mine", backoff=0.0)


def left(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "downloads" / "datasets").iterdir())


def test_a_dataset_is_fetched_once_and_what_it_is_recorded(
    server: Server, named: Named, own_home: Path
) -> None:
    bars: list[tuple[str, int]] = []

    def bar(title: str, total: int) -> Any:
        bars.append((title, total))
        from convertkit.downloads.named import no_bar

        return no_bar(title, total)

    with pytest.raises(
        UsageError, match=r"mine is not on this machine \(run convertkit fetch --dataset mine\)"
    ):
        dataset_of("mine")
    found = fetch_dataset("mine", bar=bar)

    assert found == get() == dataset_of("mine")
    assert Path(found.annotations).read_bytes() == b"{}"
    assert [path.name for path in Path(found.images).iterdir()] == ["1.jpg"]
    assert [(file.size, file.sha256) for file in found.files] == [(len(BODY), sha256_bytes(BODY))]
    assert len(server.requests) == 1
    assert bars == [("net-v1.pth", 0)]
    assert left(own_home) == [Path(found.directory).name]  # no archive, no lock


def test_a_later_download_is_compared_with_the_first(server: Server, named: Named) -> None:
    first = get()
    for path in sorted(Path(first.directory).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    server.body, server.etag = archive(b'{"other": 1}'), '"v2"'

    with pytest.raises(
        UnavailableError, match=r"has another file.*that of the first download, in .*digests\.json"
    ):
        get()
    server.body = BODY

    assert get() == first


def test_a_digest_that_is_known_is_compared_at_once(server: Server, named: Named) -> None:
    named(sha256="0" * 64)

    with pytest.raises(
        UnavailableError, match=r"has another file: sha256 \w{16}\.\.\. instead of 0{16}\.\.\."
    ):
        get()
    with pytest.raises(UsageError, match="not on this machine"):
        dataset_of("mine")


def test_broken_connections_are_resumed(server: Server, named: Named) -> None:
    server.faults = [cut(100_000), status(503), cut(200_000)]

    get()

    assert [request.get("range") for request in server.requests] == [
        None, "bytes=100000-", "bytes=100000-", "bytes=300000-",
    ]  # fmt: skip


def test_without_a_digest_and_a_version_nothing_is_put_together(server: Server, named: Named) -> None:
    server.etag, server.faults = "", [cut(100_000)]

    get()

    assert [request.get("range") for request in server.requests] == [None, None]


@pytest.mark.slow
def test_a_killed_fetch_goes_on(server: Server, named: Named, own_home: Path) -> None:
    server.faults = [cut(100_000)]
    code = "from convertkit.downloads.named import fetch_dataset; fetch_dataset('mine', backoff=600.0)"
    with subprocess.Popen([sys.executable, "-c", code], env=dict(os.environ)) as other:
        while not any(part.stat().st_size >= 100_000 for part in own_home.rglob("*.part")):
            time.sleep(0.02)
        other.send_signal(signal.SIGKILL)

    found = get()

    assert server.requests[-1]["range"] == "bytes=100000-"
    assert left(own_home) == [Path(found.directory).name]


def test_offline_is_one_line_that_says_what_to_do(server: Server, named: Named, own_home: Path) -> None:
    named.server = Server(b"", port=9)  # nobody listens there

    named()

    with pytest.raises(
        UnavailableError, match=r"cannot be downloaded: Connection refused \(run this again when"
    ):
        get()
    assert not list(own_home.rglob("dataset.json"))


def test_a_file_that_is_placed_by_hand_needs_no_network(named: Named, own_home: Path) -> None:
    named.server = Server(b"", port=9)
    named(sha256=sha256_bytes(BODY))
    with pytest.raises(UnavailableError) as caught:
        get()

    Path(str(caught.value.hint).partition("place the file by hand at ")[2]).write_bytes(BODY)

    assert get().annotations_sha256 == sha256_bytes(b"{}")


def test_an_archive_that_leads_out_leaves_nothing(server: Server, named: Named, own_home: Path) -> None:
    server.body = archive(**{"../../out.jpg": b"x"})

    with pytest.raises(SpecError, match=r"the name '\.\./\.\./out\.jpg' leads out of the directory"):
        get()

    assert not list(own_home.rglob("out.jpg"))
    assert not list(own_home.rglob("dataset.json"))
    assert not (own_home / "downloads" / "digests.json").exists()


def test_what_is_unpacked_is_bounded_over_all_archives(named: Named) -> None:
    named(entry={"most_bytes": 400_001})

    with pytest.raises(SpecError, match=r"more bytes than are allowed \(raise most_bytes\)"):
        get()


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ({"annotations": "labels/other.json"}, "no labels/other.json in it"),
        ({"images": "pictures"}, "no directory pictures in it"),
    ],
)
def test_what_the_entry_names_has_to_be_there(entry: dict[str, str], line: str, named: Named) -> None:
    named(entry=entry)

    with pytest.raises(SpecError, match=line):
        get()


def test_annotations_may_be_a_file_of_their_own(named: Named, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("[]")
    named({"url": (tmp_path / "mine.json").as_uri()}, entry={"annotations": "mine.json"})

    assert Path(get().annotations).read_text() == "[]"


def test_another_file_of_no_known_kind_is_refused(named: Named, tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("hello")
    named({"url": (tmp_path / "readme.txt").as_uri()})

    with pytest.raises(
        SpecError, match=r"readme\.txt: neither an archive \(\.zip, \.tar\) nor instances\.json"
    ):
        get()


def test_annotations_that_were_changed_are_not_used(named: Named) -> None:
    Path(get().annotations).write_text("[]")

    with pytest.raises(SpecError, match=r"instances\.json: not what was fetched \(remove .* --dataset mine"):
        dataset_of("mine")


def test_a_changed_entry_is_another_dataset(named: Named) -> None:
    get()
    named(entry={"annotations": "labels/other.json"})

    with pytest.raises(UsageError, match="not on this machine"):
        dataset_of("mine")


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ({"images": "../photos"}, r"mine: images: '\.\./photos' is no place below the dataset"),
        ({"annotations": "/etc/passwd"}, "mine: annotations: '/etc/passwd' is no place"),
        ({"files": []}, "mine: files: empty"),
        ({"files": [{"url": "ftp://host/a.zip"}]}, "cannot download from here"),
        (
            {"files": [{"url": "http://a/b.zip"}, {"url": "http://c/b.zip"}]},
            "b.zip is the name of two of them",
        ),
        ({"picture": "a"}, "picture"),
    ],
)
def test_a_wrong_entry_names_its_file_and_key(entry: dict[str, Any], line: str, named: Named) -> None:
    named(entry=entry)

    with pytest.raises((SpecError, UsageError), match=line):
        get()


def test_ours_are_known_beside_the_users(named: Named) -> None:
    assert set(catalogue.known()) == {"coco-val2017", "mine"}
    with pytest.raises(
        UnknownNameError, match=r"unknown dataset 'coco-val217' \(did you mean 'coco-val2017'\? known: "
    ):
        catalogue.entry_of("coco-val217")


def test_every_file_of_ours_has_its_digest_and_size() -> None:
    for entry in catalogue.known().values():
        assert all(file.sha256 is not None and file.size is not None for file in entry.files)
