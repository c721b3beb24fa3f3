"""Small ONNX files for the stand-in: a plain one, and one for each thing it finds wrong by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper


def write_all(directory: Path) -> dict[str, Path]:
    """Every graph of this module as a file, by name."""
    models = {
        "plain": _model(),
        "symbolic": _model(shape=["n", 3, 8, 8]),
        "no_output": _model(outputs=[]),
        "twins": _model(names=("relu", "relu")),
        "namesake": _model(names=("input", "relu")),
        "roi_opset_17": _model(op="RoiExtractor", names=("roi_1", "relu"), opset=17),
        "opset_19": _model(opset=19),
        "foreign_domain": _model(domain="mmdeploy"),
        "loop": _model(op="Loop", names=("loop_1", "relu")),
    }
    files = {name: directory / f"{name}.onnx" for name in (*models, "text", "empty", "no_graph")}
    for name, model in models.items():
        files[name].write_bytes(model.SerializeToString())
    files["text"].write_text("this is no protobuf")
    files["empty"].write_bytes(b"")
    files["no_graph"].write_bytes(onnx.ModelProto(ir_version=6).SerializeToString())
    return files


def _model(
    *,
    shape: tuple[Any, ...] | list[Any] = (1, 3, 8, 8),
    outputs: list[str] | None = None,
    names: tuple[str, str] = ("relu_1", "relu_2"),
    op: str = "Relu",
    domain: str = "",
    opset: int = 11,
) -> onnx.ModelProto:
    nodes = [
        helper.make_node(op, ["input"], ["inner"], name=names[0], domain=domain),
        helper.make_node("Relu", ["inner"], ["output"], name=names[1]),
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in outputs or []]
        if outputs is not None
        else [helper.make_tensor_value_info("output", TensorProto.FLOAT, shape)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=6)
