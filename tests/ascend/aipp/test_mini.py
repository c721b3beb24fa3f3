"""What AIPP changes in the detections of the trained mini: the graph as exported, fed by the host and by AIPP."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from convertkit_ascend.aipp import from_pixels, prepend

from convertkit.api.graphs import load, open_session
from convertkit.api.models import PreprocessSpec
from convertkit.api.targets import Pixels
from convertkit.detection.boxes import iou
from convertkit.plugins.loading import open_plugins
from convertkit.plugins.packages import open_package
from tests.conftest import MASKRCNN


@pytest.fixture(scope="module")
def package():
    return open_package(MASKRCNN, open_plugins())


@pytest.fixture(scope="module")
def photos():
    """Drawn scenes without their lower third, so that the canvas has padding."""
    package = open_package(MASKRCNN, open_plugins())
    return [image[: image.shape[0] * 2 // 3] for image in package.model.sample_images()]


def detections(package, session, photo, spec):
    inputs, place = package.model.preprocess(photo, (320, 320), spec)
    found = package.model.postprocess(session.run(inputs), place, package.spec.postprocess)
    keep = found.scores >= 0.3
    return found.boxes[keep], found.scores[keep], found.labels[keep]


@pytest.mark.slow
def test_detections_stay(package, photos) -> None:
    model = load(Path(MASKRCNN, "mini", "mini.onnx"))
    spec = package.spec.preprocess
    bytes_spec = PreprocessSpec(mean=spec.mean, std=spec.std, normalize="target")
    fed = prepend(model, "input", from_pixels(Pixels("input", (320, 320), bytes_spec)))
    by_host, by_aipp = open_session(model), open_session(fed)

    total = 0
    for photo in photos:
        boxes, scores, labels = detections(package, by_host, photo, spec)
        other, other_scores, other_labels = detections(package, by_aipp, photo, bytes_spec)
        nearest = iou(boxes, other).argmax(axis=1)
        total += len(boxes)
        assert sorted(nearest) == list(range(len(other)))
        np.testing.assert_array_equal(labels, other_labels[nearest])
        np.testing.assert_allclose(scores, other_scores[nearest], atol=2e-3)
        np.testing.assert_allclose(boxes, other[nearest], atol=0.1)
    assert total >= 4
