"""The exports of torchvision that tests work on are what they say, small, and give detections."""

from __future__ import annotations

import onnx
import pytest

from convertkit.api.graphs import load, open_session
from tests.exports import torchvision


@pytest.mark.parametrize("name", torchvision.NAMES)
def test_exports_are_small_and_say_who_wrote_them(name):
    path = torchvision.file(name)

    said = {item.key: item.value for item in onnx.load(path).metadata_props}

    assert path.stat().st_size < 200_000
    assert said["exporter"] == "torch.onnx.export (TorchScript)"
    assert (said["torch"], said["torchvision"]) == ("2.4.1", "0.19.1")


@pytest.mark.parametrize("name", torchvision.NAMES)
def test_exports_give_detections_of_several_classes(name):
    session = open_session(load(torchvision.file(name)))
    (image,) = session.inputs

    results = [list(session.run({image: picture}).values()) for picture in torchvision.pictures()]

    counts = [len(result[0]) for result in results]
    classes = {
        int(label) for result in results for kind in result[1:3] if kind.dtype.kind == "i" for label in kind
    }
    assert max(counts) == 12
    assert len(classes) > 1
    if "rcnn" in name and name != "keypoint_rcnn":
        assert len(set(counts)) > 2
