"""An archive of a stranger: what is wanted arrives, and what would do harm is refused before it does."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from convertkit.downloads.unpack import is_archive, unpack
from convertkit.errors import SpecError

WHOLE = {"photos/a.jpg": b"a" * 300, "notes.txt": b"n", "photos/deep/b.jpg": b"b"}


def zipped(path: Path, files: dict[str, bytes], **modes: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("photos/", b"")
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = modes.get("mode", 0) << 16
            archive.writestr(entry, data)
    return path


def taped(path: Path, files: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.type, entry.linkname = len(data), kind, "/etc/passwd"
            archive.addfile(entry, io.BytesIO(data))
    return path


def photos(name: PurePosixPath) -> bool:
    return PurePosixPath("photos") in name.parents


def written(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("make", "name"), [(zipped, "a.zip"), (taped, "a.tar.gz")])
def test_only_what_is_wanted_is_unpacked(make: object, name: str, tmp_path: Path) -> None:
    archive = make(tmp_path / name, WHOLE)  # type: ignore[operator]

    assert is_archive(archive)
    assert unpack(archive, tmp_path / "to", photos, 301) == 301

    assert written(tmp_path / "to") == {name: data for name, data in WHOLE.items() if name != "notes.txt"}


@pytest.mark.parametrize(
    "name", ["../out.jpg", "photos/../../out.jpg", "/out.jpg", "photos\\..\\out.jpg", "C:out"]
)
@pytest.mark.parametrize(("make", "kind"), [(zipped, "zip"), (taped, "tar")])
def test_a_name_that_leads_out_is_refused(make: object, kind: str, name: str, tmp_path: Path) -> None:
    archive = make(tmp_path / f"a.{kind}", {name: b"x"})  # type: ignore[operator]

    with pytest.raises(SpecError, match="leads out of the directory"):
        unpack(archive, tmp_path / "to", lambda name: True, 1000)

    assert written(tmp_path) == {archive.name: archive.read_bytes()}


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    for archive in (
        zipped(tmp_path / "a.zip", {"photos/a": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777),
        taped(tmp_path / "a.tar", {"photos/a": b""}, tarfile.SYMTYPE),
        taped(tmp_path / "b.tar", {"photos/a": b""}, tarfile.LNKTYPE),
    ):
        with pytest.raises(SpecError, match="'photos/a' is a link, not a file"):
            unpack(archive, tmp_path / "to", photos, 1000)
    device = taped(tmp_path / "c.tar", {"photos/a": b""}, tarfile.CHRTYPE)
    with pytest.raises(SpecError, match="is a device, not a file"):
        unpack(device, tmp_path / "to", photos, 1000)


@pytest.mark.parametrize("make", [zipped, taped])
def test_bytes_are_bounded(make: object, tmp_path: Path) -> None:
    archive = make(tmp_path / "bomb", WHOLE)  # type: ignore[operator]

    with pytest.raises(SpecError, match="more bytes than are allowed"):
        unpack(archive, tmp_path / "to", photos, 300)


def test_a_zip_that_lies_about_its_sizes_does_not_unpack_to_more(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"photos/a.jpg": b"a" * 300})
    archive.write_bytes(archive.read_bytes().replace((300).to_bytes(4, "little"), (10).to_bytes(4, "little")))

    with pytest.raises(SpecError, match=r"cannot be unpacked|more than it says"):
        unpack(archive, tmp_path / "to", photos, 1000)

    assert all(len(data) <= 10 for data in written(tmp_path / "to").values())


def test_a_file_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", WHOLE)
    unpack(archive, tmp_path / "to", photos, 1000)

    with pytest.raises(SpecError, match="in it twice, or in another archive as well"):
        unpack(archive, tmp_path / "to", photos, 1000)


@pytest.mark.parametrize("make", [zipped, taped])
def test_a_damaged_archive_is_one_line(make: object, tmp_path: Path) -> None:
    archive = make(tmp_path / "a", {"photos/a": bytes(range(256)) * 20})  # type: ignore[operator]
    data = bytearray(archive.read_bytes())
    middle = len(data) // 3
    data[middle : middle + 20] = b"\xff" * 20
    archive.write_bytes(data)

    with pytest.raises(SpecError, match=r"a: cannot be unpacked \("):
        unpack(archive, tmp_path / "to", photos, 1 << 20)


def test_an_entry_that_begins_in_front_of_the_file_is_damage(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"photos/a.jpg": b"a" * 300})
    data = bytearray(archive.read_bytes())
    begin = int.from_bytes(data[-6:-2], "little")  # of the directory; entries are counted back from there
    data[-6:-2] = (begin + 1000).to_bytes(4, "little")
    archive.write_bytes(data)

    with pytest.raises(SpecError, match=r"a\.zip: cannot be unpacked \(Invalid argument\)"):
        unpack(archive, tmp_path / "to", photos, 1000)
