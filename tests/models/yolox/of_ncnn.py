"""What PyPI's ncnn says of a YOLOX in its own files: raw outputs, and detections decoded here as its demo does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

STRIDES = (8, 16, 32)

Array = NDArray[np.float32]


@contextmanager
def network(ncnn: Any, stem: Path) -> Iterator[Any]:
    """``stem``.param and ``stem``.bin, with the layer that the demo adds in C++; one thread."""

    class Focus(ncnn.Layer):  # type: ignore[misc]
        """(C, H, W) -> (4 C, H / 2, W / 2): top left, bottom left, top right, bottom right of each two by two."""

        def __init__(self) -> None:
            super().__init__()
            self.one_blob_only = True

        def forward(self, bottom: Any, top: Any, option: Any) -> int:
            image = np.array(bottom)
            parts = [image[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
            joined = np.concatenate(parts)  # a Mat does not hold the array whose memory it is
            top.clone_from(ncnn.Mat(joined), option.blob_allocator)
            return 0

    layers: list[Focus] = []  # ncnn holds no reference to a layer of Python

    def create() -> Focus:
        layers.append(Focus())
        return layers[-1]

    net = ncnn.Net()
    net.opt.num_threads = 1
    net.register_custom_layer("YoloV5Focus", create, lambda layer: None)
    assert net.load_param(f"{stem}.param") == 0
    assert net.load_model(f"{stem}.bin") == 0
    yield net
    net.clear()


def raw(ncnn: Any, net: Any, image: Array) -> Array:
    """(M, 85) of a normalised image (1, 3, H, W): box offsets, objectness and class probabilities."""
    extractor, picture = net.create_extractor(), np.ascontiguousarray(image[0])
    extractor.input("images", ncnn.Mat(picture))
    code, found = extractor.extract("output")
    assert code == 0
    return np.array(found)


def detections(
    found: Array, size: tuple[int, int], score: float, iou: float
) -> tuple[Array, NDArray[np.int64]]:
    """Boxes with scores (N, 5), best first, and labels (N,) of a raw output: best class per box, NMS per class."""
    grids = [
        np.stack([*np.meshgrid(np.arange(size[1] // step), np.arange(size[0] // step))], -1).reshape(-1, 2)
        for step in STRIDES
    ]
    steps = np.concatenate(
        [np.full((len(grid), 1), step) for grid, step in zip(grids, STRIDES, strict=True)]
    ).astype(np.float32)
    centres, sizes = (found[:, :2] + np.concatenate(grids)) * steps, np.exp(found[:, 2:4]) * steps
    labels, scores = found[:, 5:].argmax(1), found[:, 4] * found[:, 5:].max(1)
    rows = np.concatenate([centres - sizes / 2, centres + sizes / 2, scores[:, None]], 1).astype(np.float32)
    order = [index for index in np.argsort(-scores, kind="stable") if scores[index] > score]
    kept: list[int] = []
    for index in order:
        rivals = [other for other in kept if labels[other] == labels[index]]
        if not rivals or _iou(rows[index], rows[rivals]).max() <= iou:
            kept.append(index)
    return rows[kept], labels[kept]


def _iou(box: Array, others: Array) -> Array:
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:4], others[:, 2:4])
    shared = np.maximum(high - low, 0).prod(1)
    areas = (others[:, 2:4] - others[:, :2]).prod(1) + (box[2:4] - box[:2]).prod()
    union: Array = shared / (areas - shared)
    return union
