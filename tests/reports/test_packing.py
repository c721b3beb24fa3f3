"""What goes into a report of a fault, and what does not."""

from __future__ import annotations

import json
import socket
import zipfile
from pathlib import Path

import pytest

from convertkit.plugins.diagnosis import Diagnosis
from convertkit.reports.packing import LARGEST, MOST_FAILURES, pack
from convertkit.storage.failures import failures_directory
from tests.conftest import Cli


def failure(name: str, **files: str | bytes) -> Path:
    directory = failures_directory() / name
    directory.mkdir(parents=True)
    for file, content in files.items():
        path = directory / file.replace("_", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return directory


def texts(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_findings_versions_settings_and_failures_are_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVERTKIT_DEBUG", "1")
    monkeypatch.setenv("MY_OWN", "business")
    failure("atc-1", atc_log="E16002", job_json="{}", model_onnx=b"weights")

    packed = pack(tmp_path / "report.zip", [Diagnosis("missing", "CANN", "none", "install it")])

    found = texts(tmp_path / "report.zip")
    assert json.loads(found["doctor.json"])[0]["what"] == "CANN"
    assert "numpy" in json.loads(found["versions.json"])["distributions"]
    assert json.loads(found["settings.json"])["CONVERTKIT_DEBUG"] == "1"
    assert "MY_OWN" not in found["settings.json"]
    assert found["failures/atc-1/atc.log"] == "E16002"
    assert packed.files == list(found)
    assert packed.left_out == {"failures/atc-1/model.onnx": "not a text"}


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("{home}/work/model.onnx", "~/work/model.onnx"),
        ("on {host} and {host}er", "on HOST and {host}er"),
        ("https://me:word@files.example/model.pth", "https://***@files.example/model.pth"),
        ("export API_TOKEN=abc123 and on", "export API_TOKEN=*** and on"),
        ('{"password": "abc 123"}', '{"password": "*** 123"}'),
        ("Authorization: Bearer", "Authorization: ***"),
        ("tokens: 17 of 20", "tokens: 17 of 20"),
        ("AP 0.5", "AP 0.5"),
    ],
)
def test_what_says_whose_it_is_does_not(
    text: str, packed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/somebody"))
    monkeypatch.setattr(socket, "gethostname", lambda: "workhorse")
    words = {"{home}": "/home/somebody", "{host}": "workhorse"}
    for mark, word in words.items():
        text, packed = text.replace(mark, word), packed.replace(mark, word)
    failure("atc-1", atc_log=text)

    pack(tmp_path / "report.zip", [])

    assert texts(tmp_path / "report.zip")["failures/atc-1/atc.log"] == packed


def test_of_a_long_log_the_end_is_in_and_of_many_failures_the_last(tmp_path: Path) -> None:
    failure("atc-whole", atc_log="b" * LARGEST)
    failure("atc-long", atc_log="a" + "b" * LARGEST)
    for number in range(MOST_FAILURES - 1):
        failure(f"worker-{number}")

    packed = pack(tmp_path / "report.zip", [])

    assert list(packed.left_out.values()) == [f"only the last {MOST_FAILURES} are packed"]
    found = texts(tmp_path / "report.zip")
    assert found["failures/atc-long/atc.log"] == f"... the first 1 bytes are left out\n{'b' * LARGEST}"


def test_the_command_says_what_it_wrote(cli: Cli) -> None:
    done, other = cli("doctor", "--bundle", "report.zip"), cli("doctor", "--bundle", "report.txt")

    assert done.code == 0
    assert "wrote report.zip (3 files); look through it before you send it" in done.err
    assert sorted(texts(Path("report.zip"))) == ["doctor.json", "settings.json", "versions.json"]
    assert (other.code, other.err) == (
        2,
        "error: --bundle report.txt: a zip file is written (say report.txt.zip)\n",
    )
