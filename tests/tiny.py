"""A model package that builds in no time: one convolution that "detects", with int64 shape arithmetic to rewrite."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MODEL_YAML = """
name: tiny
summary: a convolution and some shape arithmetic
plugin: plugin.py
inputs:
  image: {role: image, shape: [1, 3, H, W]}
outputs:
  features: {role: other, shape: [1, N]}
preprocess: {mean: [0, 0, 0], std: [1, 1, 1]}
export:
  worker: worker.py
  environment: {requirements: requirements.txt}
pipeline: [fold-constants, cast-int64-to-int32, set-opset-window]
default_variant: small
variants:
  small: {size: [8, 8], config: {base: none}, stock: small.onnx}
"""

PLUGIN_PY = """
import numpy as np

from convertkit.api.models import Model
from convertkit.api.passes import hookimpl


class Tiny(Model):
    name = "tiny"

    def preprocess(self, image, size, spec):
        return {"image": image.astype(np.float32).transpose(2, 0, 1)[None, :, : size[0], : size[1]]}, None

    def sample_images(self):
        yield np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8)


@hookimpl
def register_models(register):
    register(Tiny)
"""


def write_package(root: Path) -> Path:
    """Writes the package into ``root`` and returns it."""
    root.mkdir(parents=True)
    (root / "model.yaml").write_text(MODEL_YAML)
    (root / "plugin.py").write_text(PLUGIN_PY)
    (root / "requirements.txt").write_text("")
    onnx.save(tiny_model(), root / "small.onnx")
    return root


def tiny_model(seed: int = 0) -> onnx.ModelProto:
    """``Reshape(Relu(Conv(image)), [Shape(image)[0], -1])`` at opset 11, with 2 kB of weights."""
    weights = np.random.default_rng(seed).standard_normal((16, 3, 4, 4)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["image", "weights"], ["conv"], name="conv"),
        helper.make_node("Relu", ["conv"], ["relu"], name="relu"),
        helper.make_node("Shape", ["image"], ["shape"], name="shape"),
        helper.make_node("Gather", ["shape", "zero"], ["batch"], name="batch", axis=0),
        helper.make_node("Concat", ["batch", "rest"], ["target"], name="target", axis=0),
        helper.make_node("Reshape", ["relu", "target"], ["features"], name="reshape"),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, 400])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([0], np.int64), "zero"),
            numpy_helper.from_array(np.array([-1], np.int64), "rest"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
