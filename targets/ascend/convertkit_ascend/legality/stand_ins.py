"""What shape inference sees in place of vendor operators that ONNX has no schema of. Nothing else ever sees it."""

from __future__ import annotations

import onnx

from convertkit_ascend import ops

OF_NMS = ("NPUBatchNms",)
"""Other ONNX names of BatchMultiClassNMS's IR operator (facts 2.1)."""

FRAME = ("change_coordinate_frame", "transpose_box")
"""Attributes that those names have and BatchMultiClassNMS has not; the second changes the layout of boxes."""

LIKE_FIRST_INPUT = ("BoundingBoxDecode",)
"""Operators whose output has the type and shape of their first input (facts 2.4)."""


def put(proto: onnx.ModelProto) -> None:
    """Changes the nodes of a model that is made for shape inference only."""
    moved = False
    for node in proto.graph.node:
        domain = "" if node.domain == "ai.onnx" else node.domain
        if domain == "" and node.op_type in LIKE_FIRST_INPUT and node.input:
            del node.input[1:], node.output[1:], node.attribute[:]
            node.op_type = "Identity"
        elif _own_name(node, domain):
            kept = [item for item in node.attribute if item.name not in FRAME]
            copies = [onnx.AttributeProto.FromString(item.SerializeToString()) for item in kept]
            del node.attribute[:]
            node.attribute.extend(copies)
            node.op_type, node.domain, moved = _own_name(node, domain), ops.DOMAIN, True
    if moved and all(item.domain != ops.DOMAIN for item in proto.opset_import):
        proto.opset_import.append(onnx.helper.make_opsetid(ops.DOMAIN, ops.VERSION))


def known(node: onnx.NodeProto) -> bool:
    """Whether there is a stand-in for a node."""
    domain = "" if node.domain == "ai.onnx" else node.domain
    return (domain == "" and node.op_type in LIKE_FIRST_INPUT) or bool(_own_name(node, domain))


def _own_name(node: onnx.NodeProto, domain: str) -> str:
    """The operator of convertkit's domain that infers the same; empty where there is none."""
    if domain == "" and node.op_type in ops.names():
        return node.op_type
    transposed = any(item.name == "transpose_box" and item.i for item in node.attribute)
    if domain in ("", "npu") and node.op_type in OF_NMS and not transposed:
        return ops.BATCH_MULTI_CLASS_NMS.name
    return ""
