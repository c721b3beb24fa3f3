"""Average precision of a detector on held-out scenes, by mmdet's own forward and pycocotools."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

from export.predict import predict
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import nn

from .categories import CATEGORIES
from .scenes import write_dataset

#: The first six numbers of COCOeval.stats.
METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl")


def measure(
    model: nn.Module, spec: dict[str, Any], directory: Path, count: int
) -> dict[str, dict[str, float]]:
    """Write ``count`` held-out scenes below ``directory``; return the AP of ``bbox`` and ``segm``, 0 to 1."""
    with contextlib.redirect_stdout(sys.stderr):
        truth = COCO(str(write_dataset(directory, "heldout", count)))
        images = [
            {"id": image["id"], "path": str(directory / "images" / image["file_name"])}
            for image in truth.loadImgs(truth.getImgIds())
        ]
        found = [row for result in predict(model.eval(), spec, images) for row in _rows(result)]
        return {kind: _average_precision(truth, found, kind) for kind in ("bbox", "segm")}


def _rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Turn one image's result into rows of COCO's result format."""
    detections = zip(result["boxes"], result["scores"], result["labels"], result["masks"], strict=True)
    return [
        {
            "image_id": result["image_id"],
            "category_id": int(CATEGORIES[label]["id"]),
            "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
            "score": score,
            "segmentation": mask,
        }
        for box, score, label, mask in detections
    ]


def _average_precision(truth: COCO, found: list[dict[str, Any]], kind: str) -> dict[str, float]:
    """Score rows with pycocotools."""
    if not found:
        return dict.fromkeys(METRICS, 0.0)
    # loadRes takes the box for the truth where there is one: hide it to have masks scored by their own area.
    rows = [{key: row[key] for key in row if kind == "bbox" or key != "bbox"} for row in found]
    evaluation = COCOeval(truth, truth.loadRes(rows), kind)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return {name: round(float(value), 4) for name, value in zip(METRICS, evaluation.stats, strict=False)}
