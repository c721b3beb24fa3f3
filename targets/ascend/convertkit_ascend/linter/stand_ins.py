"""What shape inference sees in place of what only the vendor's parser knows. Nothing else ever sees it."""

from __future__ import annotations

from collections.abc import Collection

import onnx

from convertkit.api import graphs
from convertkit_ascend import ops
from convertkit_ascend.domain import plain, set_versions

TWINS_OF = {"NPUBatchNms": ops.BATCH_MULTI_CLASS_NMS.name}
"""Other ONNX names of an operator that can run here: the same where :data:`FRAME` is 0 (ascend-facts: nms-npu)."""

VENDOR_DOMAIN = "npu"
"""Where torch_npu's exporter puts its operators (ascend-facts: nms-npu)."""

FRAME = ("change_coordinate_frame", "transpose_box")
"""Attributes that those names have and BatchMultiClassNMS has not; the second changes the layout of boxes."""

LIKE_FIRST_INPUT = ("BoundingBoxDecode",)
"""Operators whose output has the type and shape of their first input (ascend-facts: bounding-box-decode)."""


def put(proto: onnx.ModelProto) -> None:
    """Changes the nodes of a model that is made for shape inference only.

    ``ai.onnx`` is spelt as onnx spells it. Vendor operators move to the domain where they have a schema, with the
    attributes that the parser reads: it skips those of another name or type without a word, so that what is wrong with
    them is a finding about the attribute, and no reason to know nothing of the types behind.
    """
    imports = graphs.opsets_of(proto)
    for node in graphs.every_node(proto.graph):
        node.domain = plain(node.domain)
        if node.domain == "" and node.op_type in LIKE_FIRST_INPUT and node.input:
            del node.input[1:], node.output[1:], node.attribute[:]
            node.op_type = "Identity"
        elif name := _own_name(node):
            node.op_type, node.domain = name, ops.DOMAIN
            _keep_what_is_read(node, ops.get(node.op_type))
            imports.setdefault(ops.DOMAIN, ops.VERSION)
    set_versions(proto, imports)


def known(node: onnx.NodeProto) -> bool:
    """Whether there is a stand-in for a node."""
    return (plain(node.domain) == "" and node.op_type in LIKE_FIRST_INPUT) or bool(_own_name(node))


def operator_of(node: onnx.NodeProto, unless: Collection[str] = ()) -> str:
    """The operator of convertkit's domain that a node outside of it is, under any of its names; empty where it is none.

    Args:
        unless: attributes that make one of the other names another operator.
    """
    domain = plain(node.domain)
    if domain == "" and node.op_type in ops.names():
        return node.op_type
    if domain not in ("", VENDOR_DOMAIN) or any(item.name in unless and item.i for item in node.attribute):
        return ""
    return TWINS_OF.get(node.op_type, "")


def _own_name(node: onnx.NodeProto) -> str:
    """The operator of convertkit's domain that infers the same; empty where there is none."""
    return operator_of(node, unless=("transpose_box",))


def _keep_what_is_read(node: onnx.NodeProto, op: ops.VendorOp) -> None:
    """Of two attributes of one name the last wins (ascend-facts: parser-attributes).

    Thresholds, on which no type or shape depends, are filled in where none is read or where it is out of range.
    """
    read = {(item.name, onnx.AttributeProto.AttributeType.Value(item.kind)) for item in op.attributes}
    kept = {
        item.name: onnx.AttributeProto.FromString(item.SerializeToString())
        for item in node.attribute
        if (item.name, item.type) in read
    }
    values = {name: onnx.helper.get_attribute_value(item) for name, item in kept.items()}
    for item in op.attributes:
        if item.kind == "FLOAT" and item.violations(values):
            kept[item.name] = onnx.helper.make_attribute(item.name, item.low or 0.0)
    del node.attribute[:]
    node.attribute.extend(kept.values())
