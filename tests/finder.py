"""A model package that finds a cat and a traffic light where every photo has them, and photos to find them on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 32
BOXES = [[2, 2, 10, 10], [12, 14, 28, 30]]
"""Of the cat and of the traffic light: x1 y1 x2 y2."""

CLASSES = ("cat", "traffic light", "dog")

MODEL_YAML = """
name: finder
summary: finds the same two objects everywhere
plugin: plugin.py
inputs:
  image: {role: image, shape: [1, 3, H, W]}
outputs:
  dets: {role: dets, shape: [2, 5]}
  labels: {role: labels, dtype: int64, shape: [2]}
  masks: {role: masks, shape: [2, CLASSES, 4, 4]}
preprocess: {mean: [0, 0, 0], std: [1, 1, 1]}
export:
  worker: worker.py
  environment: {requirements: requirements.txt}
pipeline: [set-opset-window]
classes: NAMES
default_variant: small
variants:
  small:
    size: [32, 32]
    config: {base: none}
    stock: small.onnx
    accuracy: {bbox: {AP: 1.0}, segm: {AP: 1.0}, images: 2}
"""

PLUGIN_PY = """
import numpy as np

from convertkit.api.models import Detections, Model, letterbox, paste
from convertkit.api.passes import hookimpl


class Finder(Model):
    name = "finder"

    def preprocess(self, image, size, spec):
        canvas, placement = letterbox(image, size, spec)
        return {"image": canvas}, placement

    def postprocess(self, outputs, placement, spec):
        dets, labels, masks = outputs["dets"], outputs["labels"].astype(np.int64), outputs["masks"]
        chosen = masks[np.arange(len(labels)), np.minimum(labels, masks.shape[1] - 1)]
        boxes = dets[:, :4]
        pasted = paste(chosen, boxes, placement.source_height, placement.source_width, 0.5)
        return Detections(boxes, dets[:, 4], labels, tuple(pasted))

    def sample_images(self):
        yield np.zeros((32, 32, 3), np.uint8)


@hookimpl
def register_models(register):
    register(Finder)
"""


def write_finder(
    root: Path,
    *,
    labels: Sequence[int] = (0, 1),
    classes: Sequence[str] = CLASSES,
    network: int = 0,
    spread: float = 0.0,
) -> Path:
    """Writes the package; ``network`` is the number of classes of its graph, by default that of the list.

    ``spread`` times the mean of a photo is added to its boxes and scores.
    """
    root.mkdir(parents=True)
    text = MODEL_YAML.replace("CLASSES", str(network or len(classes))).replace(
        "NAMES", json.dumps(list(classes))
    )
    (root / "model.yaml").write_text(text)
    (root / "plugin.py").write_text(PLUGIN_PY)
    (root / "requirements.txt").write_text("")
    onnx.save(_graph(labels, network or len(classes), spread), root / "small.onnx")
    return root


def _graph(labels: Sequence[int], classes: int, spread: float) -> onnx.ModelProto:
    found = np.concatenate([np.array(BOXES, np.float32), [[0.9], [0.8]]], axis=1).astype(np.float32)
    constants = {
        "found": found,
        "none": np.full((), spread, np.float32),
        "labels_": np.array(labels, np.int64),
        "masks_": np.ones((2, classes, 4, 4), np.float32),
    }
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "none"], ["nothing"]),
        helper.make_node("Add", ["found", "nothing"], ["dets"]),
        helper.make_node("Identity", ["labels_"], ["labels"]),
        helper.make_node("Identity", ["masks_"], ["masks"]),
    ]
    floats, ints = TensorProto.FLOAT, TensorProto.INT64
    outputs = [
        helper.make_tensor_value_info("dets", floats, [2, 5]),
        helper.make_tensor_value_info("labels", ints, [2]),
        helper.make_tensor_value_info("masks", floats, [2, classes, 4, 4]),
    ]
    graph = helper.make_graph(
        nodes,
        "finder",
        [helper.make_tensor_value_info("image", floats, [1, 3, SIDE, SIDE])],
        outputs,
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)


def dataset(names: Sequence[str] = CLASSES, photos: int = 2) -> dict[str, Any]:
    """A COCO dataset in which both objects are where the model finds them."""
    annotations = []
    for image in range(1, photos + 1):
        for category, (x1, y1, x2, y2) in enumerate(BOXES, start=1):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": category,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": (x2 - x1) * (y2 - y1),
                    "iscrowd": 0,
                    "segmentation": [[x1, y1, x2, y1, x2, y2, x1, y2]],
                }
            )
    images = [
        {"id": number, "file_name": f"{number}.png", "height": SIDE, "width": SIDE}
        for number in range(1, photos + 1)
    ]
    categories = [{"id": number, "name": name} for number, name in enumerate(names, start=1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def write_photos(directory: Path, photos: int = 2) -> Path:
    """Writes ``1.png``, ``2.png``, ..."""
    directory.mkdir(parents=True)
    for number in range(1, photos + 1):
        cv2.imwrite(str(directory / f"{number}.png"), np.full((SIDE, SIDE, 3), 40 * number, np.uint8))
    return directory
