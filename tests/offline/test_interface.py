from __future__ import annotations

import onnx
import pytest

from convertkit.errors import GraphError, UsageError
from convertkit.models.package import read_spec
from convertkit.offline.interface import TensorInfo, parse_shapes, read_interface, stock_inputs
from tests.conftest import MASKRCNN
from tests.tiny import tiny_model


def test_shapes_as_text():
    text = "dets=float32:100x5, labels=int32:100"

    assert parse_shapes(text) == (
        TensorInfo("dets", "float32", (100, 5)),
        TensorInfo("labels", "int32", (100,)),
    )
    assert parse_shapes(text)[0].bytes == 2000


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("dets", "'dets' is not NAME=DTYPE:SIZExSIZE"),
        ("", "'' is not NAME="),
        ("dets=float31:4", r"unknown dtype 'float31' \(did you mean 'float32'"),
        ("dets=float32:0x4", "0x4 has no elements"),
        ("a=int8:1,a=int8:1", "a is given twice"),
    ],
)
def test_a_mistake_in_shapes_is_one_line(text, line):
    with pytest.raises(UsageError, match=line):
        parse_shapes(text)


def test_the_interface_of_a_graph_is_in_its_order(detector):
    found = read_interface(detector / "model.onnx")

    assert [str(tensor) for tensor in found.inputs] == ["input=float32:1x3x320x320"]
    assert [str(tensor) for tensor in found.outputs] == [
        "dets=float32:4x5",
        "labels=int32:4",
        "masks=float32:4x28x28",
    ]


def test_a_graph_without_static_shapes_is_refused(tmp_path):
    model = tiny_model()
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_param = "N"
    onnx.save(model, tmp_path / "model.onnx")

    with pytest.raises(GraphError, match=r"features has no static shape \(say what it is with --shapes\)"):
        read_interface(tmp_path / "model.onnx")


def test_the_stock_graph_takes_what_the_package_says():
    assert stock_inputs(read_spec(MASKRCNN), (800, 1216)) == (
        TensorInfo("input", "float32", (1, 3, 800, 1216)),
    )
