"""Every detector mmdet exports gives a graph that stands on its own: valid ONNX, and it detects what mmdet detects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from convertkit.detection.masks import paste
from convertkit.detection.types import RLE
from tests.detectors.graphs import BOX_DETECTORS, DETECTORS, detector_inputs, framework_answers

pytestmark = [pytest.mark.slow, pytest.mark.export]

ROI_ALIGNS = {"faster_rcnn": 4, "cascade_rcnn": 12, "retinanet": 0, "fcos": 0, "cascade_mask_rcnn": 24}
"""Levels of the pyramid times stages, times two where there are masks."""

NMS = {"faster_rcnn": 2, "cascade_rcnn": 2, "retinanet": 1, "fcos": 1, "cascade_mask_rcnn": 2}

OTHERS = {"faster_rcnn": 0, "cascade_rcnn": 2, "retinanet": 0, "fcos": 0, "cascade_mask_rcnn": 2}
"""How many of 50 detections a RoI without area may change. mmdet drops such proposals and has RoIAlign sample within
a fraction of a feature pixel; its export keeps them, and ``RoiAlign`` before opset 16 makes every RoI one pixel large.
The export's merging of RPN levels changes none here."""


@pytest.mark.parametrize("name", DETECTORS)
def test_the_graph_is_valid_and_has_the_detectors_operators(
    detector_graph: Callable[[str], Path], name: str
) -> None:
    model = onnx.load(detector_graph(name))

    onnx.checker.check_model(model, full_check=True)
    outputs = ["dets", "labels"] if name in BOX_DETECTORS else ["dets", "labels", "masks"]
    assert [value.name for value in model.graph.input] == ["input"]
    assert [value.name for value in model.graph.output] == outputs
    operators = Counter(node.op_type for node in model.graph.node)
    assert (operators["RoiAlign"], operators["NonMaxSuppression"]) == (ROI_ALIGNS[name], NMS[name])
    assert {node.domain for node in model.graph.node} == {""}


@pytest.mark.parametrize("name", DETECTORS)
def test_random_weights_detect(detector_graph: Callable[[str], Path], name: str) -> None:
    session = onnxruntime.InferenceSession(detector_graph(name))

    for inputs in detector_inputs(name):
        dets, labels = session.run(["dets", "labels"], inputs)
        boxes, scores = dets[:, :4], dets[:, 4]
        assert (dets.shape, labels.shape) == ((50, 5), (50,))
        assert (scores > 0.05).all() and scores.max() < 0.99
        assert (np.diff(scores) <= 0).all()
        assert len(set(labels.tolist())) >= 5
        assert (boxes >= 0).all() and (boxes <= [256, 192, 256, 192]).all()
        assert np.median(boxes[:, 2:] - boxes[:, :2]) > 16


@pytest.mark.parametrize("name", DETECTORS)
def test_the_graph_detects_what_the_framework_detects(
    detector_graph: Callable[[str], Path], export_python: Path, tmp_path: Path, name: str
) -> None:
    session = onnxruntime.InferenceSession(detector_graph(name))

    answers = framework_answers(name, export_python, tmp_path)

    for inputs, answer in zip(detector_inputs(name), answers, strict=True):
        dets, labels = session.run(["dets", "labels"], inputs)
        assert len(answer["scores"]) == 50
        assert len(agreeing(answer, dets, labels)) >= 50 - OTHERS[name]
        assert (answer["masks"] is None) == (name in BOX_DETECTORS)


def test_masks_of_a_cascade_differ_only_in_what_is_averaged(
    detector_graph: Callable[[str], Path], export_python: Path, tmp_path: Path
) -> None:
    """mmdet averages the probabilities of the stages; its export averages their logits, and so does the graph."""
    model = onnx.load(detector_graph("cascade_mask_rcnn"))
    stages = stage_logits(model)
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in stages)
    session = onnxruntime.InferenceSession(model.SerializeToString())

    answers = framework_answers("cascade_mask_rcnn", export_python, tmp_path)

    for inputs, answer in zip(detector_inputs("cascade_mask_rcnn"), answers, strict=True):
        dets, labels, masks, *logits = session.run(["dets", "labels", "masks", *stages], inputs)
        pairs = agreeing(answer, dets, labels)
        assert len(stages) == 3
        np.testing.assert_allclose(masks, sigmoid(np.mean(logits, axis=0)), atol=1e-5)
        probabilities = np.mean([sigmoid(stage) for stage in logits], axis=0)[np.arange(50), labels]
        pasted = paste(probabilities, dets[:, :4], height=192, width=256, threshold=0.5)
        overlaps = [mask_iou(answer["masks"][row], pasted[slot]) for row, slot in pairs]
        assert min(overlaps) > 0.98


def agreeing(answer: dict[str, Any], dets: NDArray[Any], labels: NDArray[Any]) -> list[tuple[int, int]]:
    """The detections both have, to 0.01 pixels and 0.0001 of the score: row of the answer, slot of the graph."""
    boxes = np.abs(np.array(answer["boxes"])[:, None] - dets[None, :, :4]).max(axis=2)
    scores = np.abs(np.array(answer["scores"])[:, None] - dets[None, :, 4])
    close = (np.array(answer["labels"])[:, None] == labels) & (boxes < 0.01) & (scores < 1e-4)
    return [(int(row), int(close[row].argmax())) for row in np.flatnonzero(close.any(axis=1))]


def stage_logits(model: onnx.ModelProto) -> list[str]:
    """The tensors that the mask heads of the stages end in: those whose mean the last Sigmoid takes."""
    producers = {name: node for node in model.graph.node for name in node.output}
    waiting, found = [producers["masks"].input[0]], []
    while waiting:
        node = producers.get(name := waiting.pop())
        if node is not None and node.op_type == "Conv":
            found.append(name)
        elif node is not None:
            waiting.extend(node.input)
    return found


def sigmoid(logits: NDArray[Any]) -> NDArray[np.float32]:
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def mask_iou(first: RLE, second: RLE) -> float:
    return float(coco_mask.iou([first], [second], [0])[0, 0])
