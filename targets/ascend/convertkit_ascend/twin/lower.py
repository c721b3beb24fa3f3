"""From vendor operators to standard ONNX, by way of the head operators that they are."""

from __future__ import annotations

import onnx

from convertkit.api import errors, graphs, heads, targets
from convertkit_ascend import ops
from convertkit_ascend.domain import set_versions
from convertkit_ascend.ops.as_heads import AS_HEADS, Executable
from convertkit_ascend.ops.lowering import with_vendor_operators, write, written
from convertkit_ascend.ops.roi_extractor import square_only

SEMANTICS: tuple[Executable, ...] = ("framework", "ideal")


def lower(model: targets.LightModel, semantics: Executable = "ideal") -> targets.LightModel:
    """The twin of a graph: every vendor node, and every head as the vendor has it, in the default domain.

    Args:
        model: opset 11 to 16. Shapes of boxes, scores, features and rois must be static. Floating inputs of a vendor
            node are float32, or float16: it is then computed in float32 and the results are rounded.
        semantics: what the vendor operators compute; see :mod:`convertkit_ascend.ops`.

    Returns:
        The graph with the same inputs and outputs; ``model`` itself where it has no vendor node.

    Raises:
        UnknownNameError: the semantics or a vendor operator is unknown.
        UnavailableError: the opset or a shape cannot be lowered, or a vendor node is in a subgraph.
        GraphError: a vendor node has wrong attributes or types.
    """
    if semantics not in SEMANTICS:
        raise errors.UnknownNameError("semantics of a twin", semantics, SEMANTICS)
    model = with_vendor_operators(model)
    if not any(node.domain == ops.DOMAIN for node in graphs.every_node(model.proto.graph)):
        return model
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto)
    for node in graphs.every_node(proto.graph):
        if node.domain == ops.DOMAIN:
            _rise(node, semantics)
    opsets = {name: number for name, number in graphs.opsets_of(proto).items() if name != ops.DOMAIN}
    set_versions(proto, {**opsets, heads.HEADS: heads.VERSION})
    return heads.lower(targets.LightModel(proto, model.weights))


def _rise(node: onnx.NodeProto, semantics: Executable) -> None:
    """Makes a vendor node the head operator that it is in these semantics."""
    op = ops.get(node.op_type)
    values = written(node)
    if wrong := op.wrong(values):
        raise targets.GraphError(f"{op.name} {node.name!r}: {'; '.join(wrong)}")
    complete = op.complete(values)
    if op is ops.ROI_EXTRACTOR and semantics == "ideal":
        unlike = square_only(complete["pooled_height"], complete["pooled_width"])
        if unlike:
            raise targets.UnavailableError(f"{op.name} {node.name!r}: {unlike[0]}")
    head, translate = AS_HEADS[op.name]
    write(node, head, heads.HEADS, translate(complete, semantics))
