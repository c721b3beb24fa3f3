"""What ``verify`` holds grows so little that val2017 stays below 1 GB: measured in processes of their own."""

from __future__ import annotations

import json
import sys
import tracemalloc
from pathlib import Path

import pytest

from bench.scale import one
from convertkit.datasets.annotations import read_annotations
from convertkit.datasets.doubts import contradictions, doubts
from convertkit.datasets.shapes import check_shapes
from convertkit.scoring.metrics import WHOLE
from convertkit.scoring.parts import Parts, truth_of
from tests.shared import SHARED, needs_shared

BOUND = 1000
"""MB."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
def test_memory_grows_so_little_that_5000_photos_fit() -> None:
    few, many = one("run:100"), one("run:600")

    growth = (many.peak - few.peak) / (many.photos - few.photos)
    assert many.peak + growth * 5000 < BOUND


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
@needs_shared
def test_scoring_stays_below_the_bound_beyond_what_the_evaluator_holds() -> None:
    many = one(f"figures:{WHOLE + 400}", SHARED / "data")

    assert many.peak < 0.6 * BOUND


OBJECTS, TEXT = 8, 1500
"""Of a photo, and the bytes that each has at least in the file."""

HELD = 4000
"""Bytes that a photo may have in memory: its name, ids and places, and while boxes are doubted their corners."""


@pytest.mark.slow
def test_annotations_of_a_large_file_are_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the file to the parts that are scored, with all that ``verify`` says of it before."""
    monkeypatch.setattr("convertkit.datasets.annotations.LARGE", 0)
    monkeypatch.setattr("convertkit.storage.shelf.HELD", 1)
    monkeypatch.setattr("convertkit.datasets.streaming.PIECE", 1 << 14)
    monkeypatch.setattr("convertkit.datasets.filed.BLOCK", 1 << 14)
    monkeypatch.setattr("convertkit.scoring.parts.HELD", 256)
    monkeypatch.setattr("convertkit.scoring.parts.PHOTOS", 32)

    _, few, many = (
        held(tmp_path / f"{photos}.json", photos) for photos in (100, 100, 500)
    )  # the first warms up

    assert HELD < 0.4 * OBJECTS * TEXT
    for less, more in zip(few, many, strict=True):
        assert (more - less) / 400 < HELD


def held(path: Path, photos: int) -> list[int]:
    """Bytes at most, at once, while a file is read, while it is doubted, and while parts of it are taken up."""
    write(path, photos)
    peaks = []
    tracemalloc.start()
    try:
        found = read_annotations(path)
        ids = [image.id for image in found.images]
        peaks.append(peak())
        check_shapes(found, ("bbox", "segm"))
        assert not list(contradictions(found, ("bbox", "segm")))
        assert not list(doubts(found, ("bbox", "segm"), ids))
        peaks.append(peak())
        for part in Parts(found, ids, (), ("bbox",)):
            assert truth_of(part.found, "bbox")["annotations"]
        peaks.append(peak())
    finally:
        tracemalloc.stop()
    return peaks


def peak() -> int:
    """Since the last time."""
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    return most


def write(path: Path, photos: int) -> None:
    images = [
        {"id": number, "file_name": f"{number:012}.jpg", "height": 480, "width": 640}
        for number in range(photos)
    ]
    objects = []
    for number in range(photos * OBJECTS):
        left, top = number % 500, number % 400
        outline = [left + 0.25, top + 0.25, left + 60.5, top + 0.25, left + 60.5, top + 60.5]
        objects.append(
            {"id": number, "image_id": number // OBJECTS, "category_id": 1, "bbox": [left, top, 62, 62],
             "area": 1800.0, "segmentation": [outline * (TEXT // 30)]}
        )  # fmt: skip
    path.write_text(
        json.dumps({"images": images, "annotations": objects, "categories": [{"id": 1, "name": "a"}]})
    )
