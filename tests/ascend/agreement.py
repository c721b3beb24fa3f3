"""How far the detections of two runs on one photo are apart, as a user would see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pycocotools.mask as mask_utils

from convertkit.detection.boxes import area, iou
from convertkit.detection.types import Detections

SAME_MASK = 0.999


@dataclass
class Agreement:
    """The worst over all pairs so far.

    Attributes:
        lost: detections without a partner of their own in the other run.
        pixels: by how many pixels the masks of one pair differ.
        unlike: in how many pairs the IoU of the masks is 0.999 or less.
    """

    pairs: int = 0
    lost: int = 0
    box_iou: float = 1.0
    score: float = 0.0
    mask_iou: float = 1.0
    pixels: int = 0
    unlike: int = 0

    def add(self, before: Detections, after: Detections) -> None:
        """Pairs every detection of one run with the nearest of the same label in the other."""
        first, second = (np.flatnonzero(area(item.boxes) > 0) for item in (before, after))
        partners = [self._pair(before, index, after, second) for index in first]
        found = {item for item in partners if item is not None}
        self.lost += len(partners) - len(found) + len(second) - len(found)

    def _pair(self, before: Detections, index: int, after: Detections, others: np.ndarray) -> int | None:
        overlaps = iou(before.boxes[index : index + 1], after.boxes[others])[0]
        same = (after.labels[others] == before.labels[index]) & (overlaps > 0.5)
        if not same.any():
            return None
        gaps = np.abs(after.scores[others] - before.scores[index])
        best = int(np.argmax(np.where(same, overlaps - gaps, -np.inf)))
        self.pairs += 1
        self.box_iou = min(self.box_iou, float(overlaps[best]))
        self.score = max(self.score, float(gaps[best]))
        if before.masks is not None and after.masks is not None:
            self._masks(before.masks[index], after.masks[others[best]])
        return best

    def _masks(self, a: dict, b: dict) -> None:
        union = int(mask_utils.area(mask_utils.merge([a, b])))
        both = int(mask_utils.area(mask_utils.merge([a, b], intersect=True)))
        overlap = both / union if union else 1.0
        self.mask_iou = min(self.mask_iou, overlap)
        self.pixels = max(self.pixels, union - both)
        self.unlike += overlap <= SAME_MASK
