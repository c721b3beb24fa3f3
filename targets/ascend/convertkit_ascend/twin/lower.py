"""From vendor operators to standard ONNX, node by node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

import convertkit
from convertkit_ascend import ops
from convertkit_ascend.twin.emit import Emitter, Tensor
from convertkit_ascend.twin.nms import nms
from convertkit_ascend.twin.roi_extractor import roi_extractor
from convertkit_ascend.twin.site import Site, site

if TYPE_CHECKING:
    import onnx

Executable: TypeAlias = Literal["framework", "ideal"]

SEMANTICS: tuple[Executable, ...] = ("framework", "ideal")

_LOWERINGS: Mapping[str, Callable[[Emitter, Site, Executable], list[Tensor]]] = {
    "BatchMultiClassNMS": nms,
    "RoiExtractor": roi_extractor,
}


def lower(model: convertkit.LightModel, semantics: Executable = "ideal") -> convertkit.LightModel:
    """The twin of a graph: every vendor node in operators of the default domain.

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
        raise convertkit.UnknownNameError("semantics of a twin", semantics, SEMANTICS)
    if not any(_vendor_nodes(model.proto.graph)):
        return model
    graph = convertkit.open_graph(_typed(model))
    low, high = ops.OPSETS
    if not low <= graph.opset <= high:
        raise convertkit.UnavailableError(f"a twin has opset {low} to {high}, the graph has {graph.opset}")
    for node in graph.find(domain=ops.DOMAIN):
        _lower(graph, node, semantics)
    graph.tidy()
    return _closed(graph, model)


def _lower(graph: convertkit.Graph, node: Any, semantics: Executable) -> None:
    op = ops.get(node.op)
    emit = Emitter(graph, node.name or node.op)
    found = site(emit, node, op)
    results = _LOWERINGS[op.name](emit, found, semantics)
    outputs = list(node.outputs)
    node.inputs.clear()
    node.outputs.clear()
    for formal, old, new in zip(op.outputs, outputs, results, strict=False):
        rounded = found.half and formal.type == "T"
        graph.replace(old, emit.cast(new, np.float16) if rounded else new)


def _typed(model: convertkit.LightModel) -> convertkit.LightModel:
    """The model with types and shapes of its tensors, those behind vendor nodes too."""
    import onnx

    ops.register_schemas()
    known = convertkit.inferred(model, strict=False).graph.value_info
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto)
    del proto.graph.value_info[:]
    proto.graph.value_info.extend(known)
    return convertkit.LightModel(proto, model.weights)


def _closed(graph: convertkit.Graph, before: convertkit.LightModel) -> convertkit.LightModel:
    after = convertkit.close_graph(graph, before)
    left = next(_vendor_nodes(after.proto.graph), None)
    if left is not None:
        raise convertkit.UnavailableError(
            f"{left.op_type} {left.name!r} is in a subgraph; the twin lowers the main graph only"
        )
    imports = [item for item in after.proto.opset_import if item.domain != ops.DOMAIN]
    del after.proto.opset_import[:]
    after.proto.opset_import.extend(imports)
    return after


def _vendor_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Those of subgraphs too."""
    return (node for node in convertkit.every_node(graph) if node.domain == ops.DOMAIN)
