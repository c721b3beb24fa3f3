"""The framework rung: mmdet's own test pipeline, forward and post-processing, image by image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from mmcv.parallel import collate
from mmdet.core import encode_mask_results
from mmdet.datasets.pipelines import Compose
from torch import nn

from .detector import EARLY
from .errors import JobError

if TYPE_CHECKING:
    Image = dict[str, Any]


def test_pipeline(spec: dict[str, Any]) -> Compose:
    """Compose mmdet's test pipeline for ``spec``: size [H, W], mean and std (3 floats, R G B order), to_rgb, pad_value.

    Resize keeps the ratio; padding goes right and below, after normalisation, with pad_value (0, or 3 floats R G B).
    mmdet fits the longer side of a photo to the longer side of the size: into a size that is not square, not every
    photo goes.
    """
    height, width = spec["size"]
    steps = [
        {"type": "Resize", "keep_ratio": True},
        {"type": "RandomFlip"},
        {"type": "Normalize", "mean": spec["mean"], "std": spec["std"], "to_rgb": spec["to_rgb"]},
        {"type": "Pad", "size": (height, width), "pad_val": _padding(spec.get("pad_value", 0))},
        {"type": "ImageToTensor", "keys": ["img"]},
        {"type": "Collect", "keys": ["img"]},
    ]
    return Compose(
        [
            {"type": "LoadImageFromFile"},
            {"type": "MultiScaleFlipAug", "img_scale": (width, height), "flip": False, "transforms": steps},
        ]
    )


def _padding(value: Any) -> Any:
    """As this mmdet's ``Pad`` takes it: a number or a tuple by channel, from 2.9 on by kind of data."""
    plain = tuple(value) if isinstance(value, list) else value
    return plain if EARLY else {"img": plain}


def predict(model: nn.Module, spec: dict[str, Any], images: Iterable[Image]) -> Iterator[dict[str, Any]]:
    """Detect in each image ``{"id", "path"}``; one image is in memory at a time.

    Each result holds image_id, boxes (N x 4, x1 y1 x2 y2 in pixels of the original image), scores (N),
    labels (N class indices) and masks (N compressed RLE of the original image, or None from a detector
    without masks), best score first.
    """
    pipeline = test_pipeline(spec)
    for image in images:
        data = collate([_load(pipeline, Path(image["path"]), spec["size"])])
        metas = [meta.data[0] for meta in data["img_metas"]]
        with torch.no_grad():
            (found,) = model(return_loss=False, rescale=True, img=data["img"], img_metas=metas)
        boxes, masks = found if isinstance(found, tuple) else (found, None)
        yield {"image_id": image["id"], **_flatten(boxes, masks)}


def _load(pipeline: Compose, path: Path, size: tuple[int, int]) -> dict[str, Any]:
    """Run the test pipeline on a file."""
    if not path.is_file():
        raise JobError(f"image {path} does not exist", "check the paths of the dataset")
    try:
        loaded: dict[str, Any] = pipeline({"img_info": {"filename": str(path)}, "img_prefix": None})
    except AttributeError as error:
        # mmcv decodes what is no image to None and goes on.
        raise JobError(f"image {path} cannot be decoded", "replace it by a JPEG or PNG file") from error
    _check_fits(loaded["img_metas"][0].data, path, size)
    return loaded


def _check_fits(meta: dict[str, Any], path: Path, size: tuple[int, int]) -> None:
    """Refuse an image that mmdet resizes beyond the canvas."""
    height, width = meta["img_shape"][:2]
    if height > size[0] or width > size[1]:
        raise JobError(
            f"image {path} becomes {height} x {width} pixels, more than the input's {size[0]} x {size[1]}",
            "mmdet's keep-ratio resize fits any image into a square size, or into `profiles` of both orientations",
        )


def _flatten(boxes_by_class: list[Any], masks_by_class: list[Any] | None) -> dict[str, Any]:
    """Turn mmdet's lists by class into lists by detection, best score first."""
    boxes = np.concatenate(boxes_by_class)
    labels = np.concatenate([np.full(len(rows), index) for index, rows in enumerate(boxes_by_class)])
    order = np.argsort(-boxes[:, 4], kind="stable")
    return {
        "boxes": [[float(value) for value in boxes[index, :4]] for index in order],
        "scores": [float(boxes[index, 4]) for index in order],
        "labels": [int(labels[index]) for index in order],
        "masks": None if masks_by_class is None else _masks(masks_by_class, order),
    }


def _masks(masks_by_class: list[Any], order: Iterable[int]) -> list[dict[str, Any]]:
    """Encode the masks, in the given order of all detections."""
    masks = [mask for rows in encode_mask_results(masks_by_class) for mask in rows]
    return [_as_text(masks[index]) for index in order]


def _as_text(mask: dict[str, Any]) -> dict[str, Any]:
    """Make pycocotools' compressed RLE fit for JSON."""
    return {"size": [int(side) for side in mask["size"]], "counts": mask["counts"].decode("ascii")}
