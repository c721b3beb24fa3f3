"""What is taken for what, and curves whose mean is the AP that hotcoco gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from convertkit.datasets.annotations import read_annotations
from convertkit.scoring.confusion import ROWS, confusion, precision
from tests.scoring.test_matches import scene, score


@pytest.mark.parametrize("seed", range(4))
def test_the_mean_of_a_curve_is_average_precision(seed: int, tmp_path: Path) -> None:
    found = score(*scene(seed, 6), tmp_path)

    means = [precision(found.matches, row).mean() for row in ROWS.values()]

    assert means == pytest.approx([found.AP50, found.AP75], abs=1e-12)


def item(kind: int, box: list[int], **more: Any) -> dict[str, Any]:
    return {"image_id": 1, "category_id": kind, "bbox": box, **more}


def test_objects_by_row_detections_by_column(tmp_path: Path) -> None:
    """A cat found, a cat taken for a dog, a cat missed, a dog that is not there; nothing of the bird."""
    boxes = [[0, 0, 10, 10], [50, 0, 10, 10], [100, 0, 10, 10], [150, 0, 10, 10]]
    objects = [item(1, box, id=place, area=100, iscrowd=0) for place, box in enumerate(boxes[:3], 1)]
    seen = [item(1, boxes[0], score=0.9), item(2, boxes[1], score=0.9), item(2, boxes[3], score=0.9)]
    seen.append(item(1, boxes[2], score=0.29))  # below the score
    names = {1: "cat", 2: "dog", 3: "bird"}
    data = {
        "images": [{"id": 1, "file_name": "1.jpg", "height": 200, "width": 200}],
        "categories": [{"id": key, "name": name} for key, name in names.items()],
        "annotations": objects,
    }
    truth, results = tmp_path / "instances.json", tmp_path / "stock.jsonl"
    truth.write_bytes(msgspec.json.encode(data))
    results.write_bytes(b"\n".join(map(msgspec.json.encode, seen)))

    found = confusion(read_annotations(truth), results, [1])

    assert found.names == ("cat", "dog")
    assert found.counts == ((1, 1, 1), (0, 0, 0), (0, 1, 0))
