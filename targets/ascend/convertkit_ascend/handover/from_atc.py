"""From a file that ATC reads back to a graph that convertkit can check and run."""

from __future__ import annotations

import onnx

from convertkit.api import graphs, targets
from convertkit_ascend import ops
from convertkit_ascend.domain import plain, set_versions
from convertkit_ascend.linter.stand_ins import FRAME, VENDOR_DOMAIN, operator_of


def from_atc(model: targets.LightModel) -> targets.LightModel:
    """The model with its vendor operators in convertkit's own domain; ``model`` itself where there are none.

    ``RoiExtractor`` and ``BatchMultiClassNMS`` move; ``NPUBatchNms`` (default domain or ``npu``) becomes
    ``BatchMultiClassNMS`` where it does not use what that lacks. ``BoundingBoxDecode`` stays where it is: it has no
    executable semantics here, and it is not mmdet's decoding (ascend-facts: bounding-box-decode). The inverse of
    :func:`~convertkit_ascend.handover.for_atc`, but for names and texts.
    """
    if not any(operator_of(node, unless=FRAME) for node in graphs.every_node(model.proto.graph)):
        return model
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto)
    for node in graphs.every_node(proto.graph):
        if name := operator_of(node, unless=FRAME):
            node.op_type, node.domain = name, ops.DOMAIN
            _drop_frame(node)
    used = {plain(node.domain) for node in graphs.every_node(proto.graph)}
    opsets = {
        domain: version
        for domain, version in graphs.opsets_of(proto).items()
        if domain != VENDOR_DOMAIN or VENDOR_DOMAIN in used
    }
    set_versions(proto, {**opsets, ops.DOMAIN: ops.VERSION})
    return targets.LightModel(proto, model.weights)


def _drop_frame(node: onnx.NodeProto) -> None:
    kept = [item for item in node.attribute if item.name not in FRAME or item.i]
    if len(kept) != len(node.attribute):
        copies = [onnx.AttributeProto.FromString(item.SerializeToString()) for item in kept]
        del node.attribute[:]
        node.attribute.extend(copies)
