"""COCO's annotation format, with numpy alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .categories import CATEGORIES

Mask = npt.NDArray[np.bool_]


def run_lengths(mask: Mask) -> dict[str, list[int]]:
    """Encode an (H, W) mask as COCO's uncompressed RLE: runs down the columns, the first of background."""
    flat = np.concatenate([[False], mask.ravel(order="F")])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.concatenate([[0], changes, [mask.size]]))
    return {"size": [int(side) for side in mask.shape], "counts": [int(count) for count in counts]}


def bounding_box(mask: Mask) -> list[int]:
    """Bound an (H, W) mask that is not empty: x, y, width, height in pixels."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1]


def annotation(identifier: int, image_id: int, category_id: int, mask: Mask) -> dict[str, Any]:
    """Describe one instance; ``mask`` is its visible part, (H, W) bool, not empty."""
    return {
        "id": identifier,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": bounding_box(mask),
        "area": int(np.count_nonzero(mask)),
        "segmentation": run_lengths(mask),
        "iscrowd": 0,
    }


def dataset(
    images: list[dict[str, Any]], annotations: list[dict[str, Any]], split: str, seed: int
) -> dict[str, Any]:
    """Assemble the content of ``instances.json``."""
    return {
        "info": {"description": f"convertkit synthetic scenes, split {split}, seed {seed}", "version": "1"},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": list(CATEGORIES),
    }
