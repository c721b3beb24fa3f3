"""Scenes as mmdet's training input: letterboxed tensors with boxes, labels and masks."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from mmdet.core import BitmapMasks
from torch.utils.data import Dataset

from .categories import CATEGORIES
from .coco import bounding_box
from .scenes import Scene, scene

#: Class index 0..79 by COCO category identifier.
CLASS_INDEX = {int(entry["id"]): index for index, entry in enumerate(CATEGORIES)}

Sample = dict[str, Any]


class Samples(Dataset[Sample]):
    """Training samples ``start`` to ``stop`` of the endless stream of scenes, made when asked for."""

    def __init__(self, spec: dict[str, Any], start: int, stop: int, seed: int) -> None:
        self.spec, self.start, self.stop, self.seed = spec, start, stop, seed

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, index: int) -> Sample:
        return sample(scene("train", self.start + index, self.seed), self.spec)


def sample(drawn: Scene, spec: dict[str, Any]) -> Sample:
    """Letterbox a scene as the test pipeline does (ratio kept, padded right and below with 0 after normalising).

    image (3, H, W) float32, boxes (N, 4) float32 x1 y1 x2 y2 in pixels of the input, labels (N,) int64, masks.
    """
    (height, width), (rows, columns) = drawn.image.shape[:2], spec["size"]
    scale = min(rows / height, columns / width)
    size = int(width * scale + 0.5), int(height * scale + 0.5)
    resized = cv2.resize(drawn.image, size, interpolation=cv2.INTER_LINEAR)[:, :, ::-1]
    image = np.zeros((rows, columns, 3), np.float32)
    image[: size[1], : size[0]] = (resized - np.float32(spec["mean"])) / np.float32(spec["std"])
    masks = np.zeros((len(drawn.instances), rows, columns), np.uint8)
    boxes = np.zeros((len(drawn.instances), 4), np.float32)
    for order, instance in enumerate(drawn.instances):
        small = cv2.resize(instance.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        masks[order, : size[1], : size[0]] = small
        left, top, wide, tall = bounding_box(instance.mask)
        boxes[order] = np.array([left, top, left + wide, top + tall]) * scale
    labels = [CLASS_INDEX[instance.category_id] for instance in drawn.instances]
    meta = {
        "ori_shape": drawn.image.shape,
        "img_shape": (size[1], size[0], 3),
        "pad_shape": image.shape,
        "batch_input_shape": image.shape[:2],
        "scale_factor": np.full(4, scale, np.float32),
        "flip": False,
    }
    return {
        "img": torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))),
        "gt_bboxes": torch.from_numpy(boxes),
        "gt_labels": torch.tensor(labels, dtype=torch.int64),
        "gt_masks": BitmapMasks(masks, rows, columns),
        "img_metas": meta,
    }
