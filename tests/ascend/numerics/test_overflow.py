"""A run that fails because fp16 overflowed names the tensor that did first."""

from __future__ import annotations

import numpy as np
import pytest
from convertkit_ascend.numerics import Effects, emulate
from onnx import TensorProto, helper, numpy_helper

from convertkit.errors import GraphError
from convertkit.graph.light import detach


def graph(offset: float) -> object:
    """RoIs moved by an offset and back, as classes are kept apart in an NMS, and RoiAlign, which refuses infinity."""
    float_, one = TensorProto.FLOAT, np.array([0], np.int64)
    nodes = [
        helper.make_node("Add", ["boxes", "offset"], ["moved"], name="/bbox_head/Add"),
        helper.make_node("Mul", ["moved", "two"], ["rois"], name="/bbox_head/Mul"),
        helper.make_node("RoiAlign", ["feature", "rois", "batch"], ["out"], name="/roi_extractor/RoiAlign"),
    ]
    inputs = [
        helper.make_tensor_value_info("feature", float_, [1, 1, 4, 4]),
        helper.make_tensor_value_info("boxes", float_, [1, 4]),
    ]
    constants = {"offset": np.float32(offset), "two": np.float32(2), "batch": one}
    made = helper.make_graph(
        nodes,
        "rois",
        inputs,
        [helper.make_tensor_value_info("out", float_, [1, 1, 1, 1])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return detach(helper.make_model(made, opset_imports=[helper.make_opsetid("", 11)], ir_version=6))


FEEDS = {"feature": np.ones((1, 1, 4, 4), np.float32), "boxes": np.zeros((1, 4), np.float32)}


def test_the_first_tensor_beyond_fp16_is_named_with_its_value_and_node() -> None:
    runtime = emulate(graph(40000), Effects())  # type: ignore[arg-type]

    with pytest.raises(GraphError) as failure:
        runtime.run(FEEDS)

    first = "tensor 'rois' of Mul '/bbox_head/Mul' is the first beyond fp16's 65504: 80000; onnxruntime cannot run"
    assert failure.value.message.startswith(first)


def test_the_largest_value_of_fp16_is_no_overflow() -> None:
    runtime = emulate(graph(32752), Effects())  # type: ignore[arg-type]

    assert runtime.run(FEEDS)["out"].shape == (1, 1, 1, 1)
