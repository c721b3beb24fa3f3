"""The records that travel from the letterbox to the metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""``(H, W, 3) uint8``, BGR, as OpenCV reads a photo."""

Array: TypeAlias = NDArray[np.float32]


class RLE(TypedDict):
    """A binary mask as COCO writes it: column by column, compressed run lengths.

    ``size`` is ``[height, width]``; ``counts`` is the compressed string of pycocotools.
    """

    size: list[int]
    counts: bytes | str


@dataclass(frozen=True)
class Placement:
    """Where a letterbox put an image: what is needed to find the way back. All sizes in pixels.

    ``scale_x`` is resized width / source width and ``scale_y`` the same of the heights: they differ a little,
    because the resized size is whole (mmdet's ``scale_factor``).
    """

    source_height: int
    source_width: int
    resized_height: int
    resized_width: int
    pad_left: int
    pad_top: int
    canvas_height: int
    canvas_width: int
    scale_x: float
    scale_y: float


@dataclass(frozen=True)
class Detections:
    """What was found in one image.

    ``boxes`` is ``(N, 4) float32 x1 y1 x2 y2, pixels of the original image``; whether they end where it ends, the
    model package says (Mask R-CNN's do, as mmdet's). ``scores`` is ``(N,) float32``, ``labels`` ``(N,) int64`` class
    indices. ``masks`` has one RLE of the original height and width per detection, or is ``None`` for a model that
    has none.
    """

    boxes: Array
    scores: Array
    labels: NDArray[np.int64]
    masks: tuple[RLE, ...] | None = None

    def __post_init__(self) -> None:
        count = len(self.scores)
        lengths: dict[str, Any] = {"boxes": self.boxes.shape, "labels": self.labels.shape}
        expected = {"boxes": (count, 4), "labels": (count,)}
        if self.scores.shape != (count,) or lengths != expected:
            raise ValueError(
                f"boxes {self.boxes.shape}, scores {self.scores.shape}, labels {self.labels.shape}"
            )
        if self.masks is not None and len(self.masks) != count:
            raise ValueError(f"{len(self.masks)} masks for {count} detections")

    def __len__(self) -> int:
        return len(self.scores)

    def surer(self, above: float) -> list[int]:
        """Which ones have a score greater than ``above``, the surest first."""
        order = np.argsort(-self.scores, kind="stable")
        return [int(index) for index in order if self.scores[index] > above]


def name_of(label: int, classes: Sequence[str]) -> str:
    """The name of a class index; one without a name is ``class 17``, which is not taken for a count or a score."""
    return classes[label] if 0 <= label < len(classes) else f"class {label}"
