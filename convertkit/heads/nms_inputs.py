"""The inputs and options of a multi-class NMS that everything which computes one shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convertkit.errors import UsageError
from convertkit.heads.operator import Inputs, Outputs, Values


@dataclass(frozen=True)
class Options:
    """The attributes. Thresholds are float32 as in an ONNX file."""

    score_threshold: float
    iou_threshold: float
    max_size_per_class: int
    max_total_size: int

    @classmethod
    def of(cls, attributes: Values) -> Options:
        return cls(
            float(np.float32(attributes["score_threshold"])),
            float(np.float32(attributes["iou_threshold"])),
            int(attributes["max_size_per_class"]),
            int(attributes["max_total_size"]),
        )


@dataclass(frozen=True)
class ImageInputs:
    """One image of the batch.

    Args:
        boxes: ``(N, q, 4) float32, x1 y1 x2 y2``.
        scores: ``(N, C) float32``.
        window: ``(4,) float32`` in the order of the boxes' columns, or None.
        valid: ``(N,) bool``, the boxes below num_valid_boxes.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    window: NDArray[np.float32] | None
    valid: NDArray[np.bool_]

    @property
    def classes(self) -> int:
        return int(self.scores.shape[1])

    def boxes_of(self, kind: int) -> NDArray[np.float32]:
        """``(N, 4)`` of one class."""
        return self.boxes[:, kind if self.boxes.shape[1] > 1 else 0]

    def clipped(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes cut at the window: minimum with its far corner, then maximum with its near one."""
        if self.window is None:
            return boxes
        low, high = np.tile(self.window[:2], 2), np.tile(self.window[2:], 2)
        return np.maximum(np.minimum(boxes, high), low)


@dataclass(frozen=True)
class Found:
    """What one image gives: boxes ``(K, 4)``, scores ``(K,)``, classes ``(K,)``, best first, K up to T.

    Args:
        count: how many of them are detections; all of them when None.
    """

    boxes: NDArray[Any]
    scores: NDArray[Any]
    classes: NDArray[Any]
    count: int | None = None


def by_image(inputs: Inputs) -> list[ImageInputs]:
    """The batch, image by image, in float32.

    Raises:
        UsageError: an array is missing or has the wrong shape.
    """
    boxes, scores, windows, counts = [*inputs, None, None, None, None][:4]
    if boxes is None or scores is None:
        raise UsageError("boxes and scores are needed")
    _check(boxes, scores)
    order = np.arange(boxes.shape[1])
    return [
        ImageInputs(
            boxes[index].astype(np.float32),
            scores[index].astype(np.float32),
            None if windows is None else windows[index].astype(np.float32),
            order < (len(order) if counts is None else counts[index]),
        )
        for index in range(len(boxes))
    ]


def _check(boxes: NDArray[Any], scores: NDArray[Any]) -> None:
    fits = boxes.ndim == 4 and scores.ndim == 3 and boxes.shape[:2] == scores.shape[:2]
    if not fits or boxes.shape[2] not in (1, scores.shape[2]) or boxes.shape[3] != 4:
        raise UsageError(
            f"boxes (B, N, 1 or C, 4) and scores (B, N, C) are taken, not {boxes.shape} and {scores.shape}"
        )


def outputs(found: list[Found], total: int, kind: np.dtype[Any]) -> Outputs:
    """``(B, T, 4), (B, T), (B, T)`` of the boxes' type and ``(B,) int32``; unused slots are zero."""
    boxes = np.zeros((len(found), total, 4), kind)
    scores = np.zeros((len(found), total), kind)
    classes = np.zeros((len(found), total), kind)
    for index, item in enumerate(found):
        used = len(item.scores)
        boxes[index, :used], scores[index, :used], classes[index, :used] = (
            item.boxes,
            item.scores,
            item.classes,
        )
    counts = [len(item.scores) if item.count is None else item.count for item in found]
    return boxes, scores, classes, np.array(counts, np.int32)
