"""Every detector mmdet exports gives a graph that stands on its own: valid ONNX, and it detects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from tests.detectors.graphs import DETECTORS, Inputs, detector_inputs, framework_answers

pytestmark = [pytest.mark.slow, pytest.mark.export]

ROI_ALIGNS = {"faster_rcnn": 4, "cascade_rcnn": 12, "retinanet": 0, "fcos": 0}
"""Levels of the pyramid times stages."""

OTHERS = {"faster_rcnn": 0, "cascade_rcnn": 2, "retinanet": 0, "fcos": 0}
"""How many of 50 detections a RoI without area may change. mmdet drops such proposals and has RoIAlign sample within
a fraction of a feature pixel; its export keeps them, and ``RoiAlign`` before opset 16 makes every RoI one pixel large.
The export's merging of RPN levels changes none here."""

NMS = {"faster_rcnn": 2, "cascade_rcnn": 2, "retinanet": 1, "fcos": 1}


@pytest.mark.parametrize("name", DETECTORS)
def test_the_graph_is_valid_and_has_the_detectors_operators(
    detector_graph: Callable[[str], Path], name: str
) -> None:
    model = onnx.load(detector_graph(name))

    onnx.checker.check_model(model, full_check=True)
    assert [value.name for value in model.graph.input] == ["input"]
    assert [value.name for value in model.graph.output] == ["dets", "labels"]
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

    for inputs, expected in zip(detector_inputs(name), answers, strict=True):
        dets, labels = session.run(["dets", "labels"], inputs)
        assert len(expected["dets"]) == 50
        assert agreeing(expected, {"dets": dets, "labels": labels}) >= 50 - OTHERS[name]


def agreeing(expected: Inputs, found: Inputs) -> int:
    """How many detections of ``expected`` are in ``found``, to 0.01 pixels and 0.0001 of the score."""
    apart = np.abs(expected["dets"][:, None] - found["dets"][None])
    same = expected["labels"][:, None] == found["labels"][None]
    close = same & (apart[..., :4].max(axis=2) < 0.01) & (apart[..., 4] < 1e-4)
    return int(close.any(axis=1).sum())
