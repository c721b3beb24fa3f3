"""A download is whole and right, or it is not there; what arrived is not asked for twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convertkit.downloads.fetch import fetch, file_name
from convertkit.errors import StoreError, UnavailableError, UsageError
from convertkit.storage.files import FileLock, sha256_bytes
from tests.downloads.faulty_server import Handler, Server, cut, redirect, serving, status

BODY = random.Random(0).randbytes(700_000)
DIGEST = sha256_bytes(BODY)


def get(server: Server, directory: Path, sha256: str = DIGEST, size: int | None = len(BODY)) -> Path:
    return fetch(server.url, sha256, size, directory, backoff=0.0)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_file_arrives_with_progress_and_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    heard: list[tuple[int, int | None]] = []

    path = fetch(server.url, DIGEST.upper(), len(BODY), tmp_path / "deep", lambda *now: heard.append(now))
    again = get(server, tmp_path / "deep")

    assert path == again == tmp_path / "deep" / "net-v1.pth"
    assert path.read_bytes() == BODY
    assert names(path.parent) == ["net-v1.pth"]
    assert heard[-1] == (len(BODY), len(BODY))
    assert [now for now, _ in heard] == sorted(now for now, _ in heard)
    assert len(server.requests) == 1


def test_prefix_of_eight_digits_is_enough_but_no_less(server: Server, tmp_path: Path) -> None:
    get(server, tmp_path, sha256=DIGEST[:8], size=None)

    with pytest.raises(UsageError, match=r"is no sha256 \(give 64 hex digits, or the first 8 or more"):
        get(server, tmp_path, sha256=DIGEST[:7])


def test_broken_connections_are_resumed(server: Server, tmp_path: Path) -> None:
    server.faults = [cut(100_000), status(503), cut(1), cut(200_000)]

    path = get(server, tmp_path)

    assert path.read_bytes() == BODY
    starts = [request.get("range") for request in server.requests]
    assert starts == [None, *(f"bytes={start}-" for start in (100_000, 100_000, 100_001, 300_001))]
    assert server.requests[1]["if-range"] == '"v1"'


def test_killed_download_is_resumed_by_the_next_process(server: Server, tmp_path: Path) -> None:
    server.faults = [cut(100_000)]
    code = "import sys; from convertkit.downloads.fetch import fetch; "
    code += "fetch(sys.argv[1], sys.argv[2], None, sys.argv[3], backoff=600.0)"
    part = tmp_path / "net-v1.pth.part"
    with subprocess.Popen([sys.executable, "-c", code, server.url, DIGEST, str(tmp_path)]) as other:
        while not part.exists() or part.stat().st_size < 100_000:
            time.sleep(0.02)
        other.send_signal(signal.SIGKILL)

    path = get(server, tmp_path)

    assert path.read_bytes() == BODY
    assert names(tmp_path) == ["net-v1.pth"]
    assert server.requests[-1]["range"] == "bytes=100000-"


@pytest.mark.parametrize("etag", ['"v1"', "", 'W/"v1"'])
def test_file_that_changed_meanwhile_is_taken_anew(server: Server, tmp_path: Path, etag: str) -> None:
    old = b"x" * len(BODY)

    def serve_old(handler: Handler) -> bool:
        handler.answer(old, cut=100_000)
        server.etag = '"v2"' if etag else ""
        return True

    server.etag = etag
    server.faults = [serve_old]

    assert get(server, tmp_path).read_bytes() == BODY


def test_part_longer_than_the_file_is_dropped(server: Server, tmp_path: Path) -> None:
    (tmp_path / "net-v1.pth.part").write_bytes(BODY + b"more")

    assert get(server, tmp_path).read_bytes() == BODY


def test_complete_part_of_a_killed_process_is_used(server: Server, tmp_path: Path) -> None:
    (tmp_path / "net-v1.pth.part").write_bytes(BODY)

    assert get(server, tmp_path).read_bytes() == BODY
    assert len(server.requests) == 1


def test_what_a_download_that_was_killed_at_its_end_left_goes(server: Server, tmp_path: Path) -> None:
    get(server, tmp_path)
    (tmp_path / "net-v1.pth.part.tag").write_text('"v1"')
    (tmp_path / "net-v1.pth.lock").touch()

    get(server, tmp_path)

    assert names(tmp_path) == ["net-v1.pth"]


@pytest.mark.parametrize("length", [True, False])
def test_server_without_ranges_or_length_starts_over(server: Server, tmp_path: Path, length: bool) -> None:
    server.ranges, server.length, server.faults = False, length, [cut(100_000)]

    assert get(server, tmp_path).read_bytes() == BODY


def test_another_range_than_asked_for_is_not_glued_on(server: Server, tmp_path: Path) -> None:
    def shifted(handler: Handler) -> bool:
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes 5-{len(BODY) - 1}/{len(BODY)}")
        handler.end_headers()
        handler.wfile.write(BODY[5:])
        return True

    server.faults = [cut(100_000), shifted]

    assert get(server, tmp_path).read_bytes() == BODY


def test_wrong_content_is_kept_aside_and_never_under_the_name(server: Server, tmp_path: Path) -> None:
    server.body = b"<html>please log in</html>"

    with pytest.raises(
        UnavailableError, match=r"the server has another file: sha256 .*net-v1\.pth\.rejected"
    ):
        get(server, tmp_path, size=None)

    assert names(tmp_path) == ["net-v1.pth.rejected"]
    assert (tmp_path / "net-v1.pth.rejected").read_bytes() == server.body


def test_wrong_size_is_refused_before_the_download(server: Server, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"the server's file has 700000 bytes instead of 7"):
        get(server, tmp_path, size=7)

    assert names(tmp_path) == []


def test_endless_body_is_cut_off(server: Server, tmp_path: Path) -> None:
    server.length = False

    with pytest.raises(UnavailableError, match=r"the server sends more than 1000 bytes"):
        get(server, tmp_path, size=1000)


def test_damaged_file_is_downloaded_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "net-v1.pth").write_bytes(b"damaged")

    assert get(server, tmp_path).read_bytes() == BODY
    assert (tmp_path / "net-v1.pth.rejected").read_bytes() == b"damaged"


def test_without_network_the_error_says_where_to_put_the_file(tmp_path: Path) -> None:
    with serving(b"") as gone:
        url = gone.url
    (tmp_path / "net-v1.pth").write_bytes(b"damaged")

    with pytest.raises(UnavailableError) as caught:
        fetch(url, DIGEST, 9, tmp_path, backoff=0.0)

    assert str(caught.value) == (
        f"{url}: cannot be downloaded: Connection refused; what was there had 7 bytes instead of 9 and is now "
        f"net-v1.pth.rejected (run this again when the network is back, or place the file by hand at "
        f"{tmp_path}/net-v1.pth)"
    )
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(("code", "requests"), [(404, 1), (403, 1), (500, 4), (429, 4)])
def test_only_passing_faults_are_tried_again(
    server: Server, tmp_path: Path, code: int, requests: int
) -> None:
    server.faults = [status(code)] * 10

    with pytest.raises(UnavailableError, match=f"cannot be downloaded: the server answers {code} "):
        get(server, tmp_path)

    assert len(server.requests) == requests


def test_redirects_are_followed_but_not_into_other_schemes(server: Server, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(BODY)
    server.faults = [redirect(f"http://127.0.0.1:{server.port}/elsewhere/other.bin")]
    assert get(server, tmp_path / "a").name == "net-v1.pth"

    for url in (secret.as_uri(), "ftp://127.0.0.1/net-v1.pth"):
        server.faults = [redirect(url)] * 10
        with pytest.raises(UnavailableError, match="cannot be downloaded: "):
            get(server, tmp_path / "b")


def test_file_scheme_copies(tmp_path: Path) -> None:
    (tmp_path / "a b.pth").write_bytes(BODY)
    url = (tmp_path / "a b.pth").as_uri()

    path = fetch(url, DIGEST, len(BODY), tmp_path / "to")

    assert path.name == "a_b.pth"
    assert path.read_bytes() == BODY
    with pytest.raises(UnavailableError, match="cannot be downloaded: No such file or directory"):
        fetch(url + "x", DIGEST, None, tmp_path / "to")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://host/a/net.pth?x=/y#z", "net.pth"),
        ("https://host/%2e%2e%2fetc%2fpasswd", "passwd"),
        ("https://host/a/.hidden", "hidden"),
        ("https://host/n%C3%A4me%00.pth", "n_me_.pth"),
    ],
)
def test_names_cannot_leave_the_directory(url: str, name: str) -> None:
    assert file_name(url) == name


@pytest.mark.parametrize(
    "url", ["ftp://host/a", "data:,a", "/etc/passwd", "https://host/", "https://host/.."]
)
def test_urls_that_name_no_file_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match=r"cannot download from here|names no file"):
        file_name(url)


def test_impossible_destination_is_one_line(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match=r"cannot be written: .* \(check the place"):
        get(server, tmp_path / "file")


def test_second_downloader_waits_and_finds_the_file(server: Server, tmp_path: Path) -> None:
    code = "import sys; from convertkit.storage.files import FileLock; FileLock(sys.argv[1]).__enter__(); "
    code += "print('here', flush=True); sys.stdin.read()"
    lock = tmp_path / "net-v1.pth.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "here\n"
    said: list[str] = []

    def on_wait(phrase: str) -> None:
        said.append(phrase)
        (tmp_path / "net-v1.pth").write_bytes(BODY)
        holder.communicate()

    fetch(server.url, DIGEST, None, tmp_path, on_wait=on_wait)

    assert said[0].startswith(f"waiting for process {holder.pid} on ")
    assert server.requests == []
    assert FileLock.holder(lock) is None
