"""What goes wrong, by kind: a photo with one of each, and what is said where nothing can go wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from convertkit.api.commands.accuracy import details_of
from convertkit.api.commands.pages import Table
from convertkit.rungs.rung import Rung
from convertkit.scoring.metrics import evaluate
from convertkit.scoring.mistakes import KINDS, Mistake
from tests.shared import SHARED, needs_shared

A, B = 1, 2
OBJECTS = [(A, 0, 0), (A, 40, 0), (B, 0, 40), (B, 40, 40), (A, 70, 70)]
FOUND = [
    (A, 0, 0, 0.9),  # right
    (A, 1, 0, 0.8),  # the same once more
    (B, 40, 0, 0.7),  # another class
    (B, 10, 40, 0.6),  # beside it: an IoU of 1/3
    (A, 50, 40, 0.5),  # both
    (B, 80, 0, 0.4),  # nothing there
]


def written(directory: Path, objects: list[Any]) -> Path:
    path = directory / "instances.json"
    found = [
        {"id": number, "image_id": 1, "category_id": kind, "bbox": [x, y, 20, 20], "area": 400, "iscrowd": 0}
        for number, (kind, x, y) in enumerate(objects, 1)
    ]
    images = [{"id": 1, "file_name": "1.jpg", "width": 100, "height": 100}]
    categories = [{"id": A, "name": "a"}, {"id": B, "name": "b"}]
    path.write_text(json.dumps({"images": images, "categories": categories, "annotations": found}))
    return path


def results(found: list[Any]) -> list[dict[str, Any]]:
    return [
        {"image_id": 1, "category_id": kind, "bbox": [x, y, 20, 20], "score": score}
        for kind, x, y, score in found
    ]


def test_every_kind_is_counted(tmp_path: Path) -> None:
    found = evaluate(written(tmp_path, OBJECTS), results(FOUND), ("bbox",))["bbox"].mistakes

    counts = {kind: mistake.count for kind, mistake in found.items()}
    assert list(counts) == list(KINDS)
    assert counts == {"Cls": 1, "Loc": 1, "Both": 1, "Dupe": 1, "Bkg": 1, "Miss": 2, "FP": None, "FN": None}
    assert all(mistake.ap50 >= 0 for mistake in found.values())
    assert found["Loc"].ap50 > 0 < found["Cls"].ap50


def test_without_mistakes_they_cost_nothing(tmp_path: Path) -> None:
    right = [(*one, 0.9) for one in OBJECTS]

    found = evaluate(written(tmp_path, OBJECTS), results(right), ("bbox",))["bbox"].mistakes

    assert found == {kind: Mistake(0.0, None if kind in ("FP", "FN") else 0) for kind in KINDS}


@pytest.mark.parametrize("there", [[], OBJECTS], ids=["nothing to find", "nothing found"])
def test_of_nothing_there_is_nothing_or_all_is_missed(tmp_path: Path, there: list[Any]) -> None:
    found = evaluate(written(tmp_path, there), [], ("bbox",))["bbox"].mistakes

    assert {kind: mistake.count for kind, mistake in found.items() if mistake.count} == (
        {"Miss": 5} if there else {}
    )


@needs_shared
def test_of_a_real_detector_all_false_ones_have_a_kind() -> None:
    """PyPI's ncnn with NanoDet-m on 188 photos of COCO val2017."""
    data = SHARED / "data"
    found = evaluate(
        data / "coco_val188_instances.json",
        data / "real_predictions" / "nanodet_m_val2017_188.json",
        ("bbox",),
    )["bbox"].mistakes

    assert [found[kind].count for kind in KINDS][:6] == [1554, 2520, 2286, 566, 4138, 515]
    assert max(KINDS, key=lambda kind: found[kind].ap50) == "FN"


@pytest.mark.parametrize(
    ("images", "said"), [(5120, "bbox AP50 lost"), (5121, "bbox AP50 lost, first 5,120 photos")]
)
def test_the_page_says_of_which_photos_mistakes_are(images: int, said: str) -> None:
    mistakes = {"bbox": dict.fromkeys(KINDS, Mistake(0.1, 3))}
    rung = Rung("stock", {"bbox": {}}, images, mistakes=mistakes)

    tables = [block for block in details_of([rung], "bbox") if isinstance(block, Table)]

    assert tables[-1].columns[0] == said
