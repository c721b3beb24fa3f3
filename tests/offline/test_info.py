"""The info file of the ModelZoo's scripts (ascend-facts: modelzoo-info)."""

from __future__ import annotations

import os
import struct

import cv2
import numpy as np
import pytest

from tests.conftest import MASKRCNN


def image(path, height, width):
    cv2.imwrite(str(path), np.zeros((height, width, 3), np.uint8))


def test_of_photos_in_a_directory(cli, tmp_path):
    (tmp_path / "val").mkdir()
    image(tmp_path / "val" / "000139.jpg", 20, 30)
    image(tmp_path / "val" / "000040.png", 40, 10)

    done = cli("info", "val", "-o", "info.txt")

    assert (done.code, done.out) == (0, "wrote info.txt (2 lines)\n")
    assert (tmp_path / "info.txt").read_text() == "0 val/000040.png 10 40\n1 val/000139.jpg 30 20\n"


def test_of_prepared_files(cli, tmp_path, detector, photos, stems):
    cli("preprocess", MASKRCNN, "--artifact", detector, *photos, "-o", "pre")

    cli("info", "pre", "-o", "photos.txt")
    cli("info", "pre", "-o", "inputs.txt", "--of", "inputs")

    found = [line.split(" ") for line in (tmp_path / "photos.txt").read_text().splitlines()]
    assert [line[0] for line in found] == ["0", "1", "2", "3"]
    for _, path, width, height in found:
        assert cv2.imread(path).shape[:2] == (int(height), int(width))
    lines = (tmp_path / "inputs.txt").read_text().splitlines()
    assert lines == [f"{index} pre/{stem}.bin 320 320" for index, stem in enumerate(stems)]


def test_a_blank_is_refused_because_the_readers_split_at_it(cli, tmp_path):
    (tmp_path / "my photos").mkdir()
    image(tmp_path / "my photos" / "a.jpg", 2, 2)

    done = cli("info", "my photos", "-o", "info.txt")

    assert done.code == 2
    assert "a path with a blank cannot stand in an info file" in done.err
    assert not (tmp_path / "info.txt").exists()


def test_a_image_that_claims_to_be_immense_is_none(cli, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    photos.joinpath("huge.bmp").write_bytes(bmp(60_000, 60_000))

    done = cli("info", photos, "-o", "info.txt")

    assert done.code == 2
    assert done.err.endswith("huge.bmp: not an image that OpenCV can read\n")


def bmp(width, height):
    """The header of an image without its pixels."""
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


def test_a_name_that_is_no_text_is_named(cli, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / os.fsdecode(b"\xff.jpg")).touch()

    done = cli("info", photos, "-o", "info.txt")

    assert done.code == 2
    assert done.err.endswith("photos: '\\udcff.jpg' is no plain text (rename it)\n")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["nowhere"], "nowhere: no such directory of images"),
        (["empty"], "empty: no image in it"),
        (["empty", "--of", "inputs"], "there is no preprocess.json in it"),
        (["empty", "--of", "photo"], "--of 'photo' is not known (did you mean 'photos'?"),
    ],
)
def test_a_mistake_is_one_line(cli, tmp_path, words, line):
    (tmp_path / "empty").mkdir()

    done = cli("info", *words, "-o", "info.txt")

    assert (done.code, done.err.count("\n")) == (2, 1)
    assert line in done.err
