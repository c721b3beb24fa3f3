"""From detection heads to standard ONNX, node by node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from convertkit.errors import UnavailableError
from convertkit.graph.graph import Graph, close_graph, open_graph
from convertkit.graph.light import LightModel
from convertkit.graph.nested import every_node
from convertkit.graph.opsets import opset_remedy
from convertkit.graph.shapes import inferred
from convertkit.heads.domain import HEADS, register_schemas
from convertkit.heads.lowering.emit import Emitter, Tensor
from convertkit.heads.lowering.nms import nms
from convertkit.heads.lowering.roi import roi_align
from convertkit.heads.lowering.site import Site, site
from convertkit.heads.nms import MULTICLASS_NMS
from convertkit.heads.operator import Head
from convertkit.heads.roi import MULTILEVEL_ROI_ALIGN

if TYPE_CHECKING:
    import onnx

OPSETS = (11, 16)
"""Opsets whose operators :mod:`convertkit.heads.lowering.emit` writes."""

_LOWERINGS: Mapping[str, tuple[Head, Callable[[Emitter, Site], list[Tensor]]]] = {
    "MulticlassNms": (MULTICLASS_NMS, nms),
    "MultilevelRoiAlign": (MULTILEVEL_ROI_ALIGN, roi_align),
}


def lower(model: LightModel) -> LightModel:
    """A graph with every head in operators of the default domain.

    Args:
        model: opset 11 to 16. Shapes of boxes, scores, features and rois must be static. Floating inputs of a head
            are float32, or float16: it is then computed in float32 and the results are rounded.

    Returns:
        The graph with the same inputs and outputs; ``model`` itself where it has no head.

    Raises:
        UnavailableError: the opset or a shape cannot be lowered, or a head is unknown or in a subgraph.
        GraphError: a head has wrong attributes or types.
    """
    if not any(_heads(model.proto.graph)):
        return model
    graph = open_graph(_typed(model))
    low, high = OPSETS
    if not low <= graph.opset <= high:
        why = f"heads are lowered at opset {low} to {high}, the graph has {graph.opset}"
        raise UnavailableError(why, hint=opset_remedy(graph.opset, low, high))
    for node in graph.find(domain=HEADS):
        _lower(graph, node)
    graph.tidy()
    return _closed(graph, model)


def _lower(graph: Graph, node: Any) -> None:
    if node.op not in _LOWERINGS:
        raise UnavailableError(f"{node.op} {node.name!r}: heads are {' and '.join(_LOWERINGS)}")
    op, write = _LOWERINGS[node.op]
    emit = Emitter(graph, node.name or node.op)
    found = site(emit, node, op)
    results = write(emit, found)
    outputs = list(node.outputs)
    node.inputs.clear()
    node.outputs.clear()
    for formal, old, new in zip(op.outputs, outputs, results, strict=False):
        rounded = found.half and formal.type == "T"
        graph.replace(old, emit.cast(new, np.float16) if rounded else new)


def _typed(model: LightModel) -> LightModel:
    """The model with types and shapes of its tensors, those behind heads too."""
    import onnx

    register_schemas()
    known = inferred(model, strict=False).graph.value_info
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto)
    del proto.graph.value_info[:]
    proto.graph.value_info.extend(known)
    return LightModel(proto, model.weights)


def _closed(graph: Graph, before: LightModel) -> LightModel:
    after = close_graph(graph, before)
    left = next(_heads(after.proto.graph), None)
    if left is not None:
        raise UnavailableError(
            f"{left.op_type} {left.name!r} is in a subgraph; heads of the main graph only are lowered"
        )
    imports = [item for item in after.proto.opset_import if item.domain != HEADS]
    del after.proto.opset_import[:]
    after.proto.opset_import.extend(imports)
    return after


def _heads(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Those of subgraphs too."""
    return (node for node in every_node(graph) if node.domain == HEADS)
