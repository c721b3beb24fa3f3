"""A few drawn scenes, a small graph with the outputs of Mask R-CNN, and the runtime that reads files."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from convertkit.plugins.loading import open_plugins
from convertkit.plugins.packages import open_package
from tests.conftest import MASKRCNN

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def scenes(tmp_path_factory):
    """Four photos with annotations: ``images/*.png`` and ``instances.json``."""
    package = open_package(MASKRCNN, open_plugins())
    from convertkit.plugins.packages import package_attribute

    write = package_attribute(package.root, package.root / "mini" / "scenes.py", "write_dataset")
    directory = tmp_path_factory.mktemp("scenes") / "data"
    directory.mkdir()
    write(directory, "heldout", 4)
    return directory


@pytest.fixture
def package():
    return open_package(MASKRCNN, open_plugins())


@pytest.fixture(scope="session")
def ais_bench():
    """The stand-in's main function, called with the words of a command line."""
    path = ROOT / "tests" / "ascend" / "runtimes" / "stand_in_ais_bench.py"
    spec = importlib.util.spec_from_file_location("stand_in_ais_bench", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return lambda *words: module.main([str(word) for word in words])


@pytest.fixture(scope="session")
def detector(tmp_path_factory):
    """An artifact directory whose graph finds boxes that depend on the photo: cheap, but not constant."""
    directory = tmp_path_factory.mktemp("artifact")
    onnx.save(detector_graph(), directory / "model.onnx")
    return directory


def detector_graph(*, picture: bool = False, batch: int = 1) -> onnx.ModelProto:
    """``input (1, 3, 320, 320)`` to ``dets (4, 5)``, ``labels (4,) int32``, ``masks (4, 28, 28)``.

    With ``picture`` a second input ``(1, 4)`` moves the boxes; of ``batch`` pictures the outputs are one list.
    """
    rng = np.random.default_rng(0)
    corner = rng.uniform(20, 150, (4, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(40, 120, (4, 2)), np.zeros((4, 1))], 1)
    constants = {
        "boxes": boxes.astype(np.float32),
        "spread": np.array([[8, 8, 8, 8, 0.1]], np.float32),
        "score": np.array([[0, 0, 0, 0, 0.5]], np.float32),
        "labels_": np.tile(np.array([41, 45, 46, 41], np.int32), batch),
        "masks_": np.tile(rng.uniform(0, 1, (4, 28, 28)).astype(np.float32), (batch, 1, 1)),
        "shape": np.array([batch, 1, 1], np.int64),
        "list": np.array([4 * batch, 5], np.int64),
    }
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Reshape", ["mean", "shape"], ["level"]),
        helper.make_node("Mul", ["level", "spread"], ["moved"]),
        helper.make_node("Add", ["boxes", "moved"], ["placed"]),
        helper.make_node("Add", ["placed", "score"], ["scored"]),
        helper.make_node("Reshape", ["scored", "list"], ["dets_"]),
        helper.make_node("Identity", ["labels_"], ["labels"]),
        helper.make_node("Identity", ["masks_"], ["masks"]),
    ]
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, 320, 320])]
    if picture:
        inputs.append(helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 4]))
        constants["zero"] = np.zeros((1, 1), np.float32)
        nodes.append(helper.make_node("Concat", ["picture", "zero"], ["wide"], axis=1))
        nodes.append(helper.make_node("Div", ["wide", "hundred"], ["small"]))
        constants["hundred"] = np.array([100], np.float32)
        nodes.append(helper.make_node("Add", ["dets_", "small"], ["dets"]))
    else:
        nodes.append(helper.make_node("Identity", ["dets_"], ["dets"]))
    outputs = [
        helper.make_tensor_value_info("dets", TensorProto.FLOAT, [4 * batch, 5]),
        helper.make_tensor_value_info("labels", TensorProto.INT32, [4 * batch]),
        helper.make_tensor_value_info("masks", TensorProto.FLOAT, [4 * batch, 28, 28]),
    ]
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "detector", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)


@pytest.fixture
def photos(scenes):
    """Arguments that name the four photos with their annotations."""
    return ["--annotations", scenes / "instances.json", "--images", scenes / "images"]


@pytest.fixture
def stems(scenes):
    return [
        Path(image["file_name"]).stem
        for image in json.loads((scenes / "instances.json").read_text())["images"]
    ]
