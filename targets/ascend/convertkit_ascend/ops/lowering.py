"""From head operators to the vendor's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import onnx

from convertkit.api import graphs, heads, targets
from convertkit_ascend.domain import DOMAIN, set_versions
from convertkit_ascend.ops.as_heads import AS_HEADS

VENDORS = {head: name for name, (head, _) in AS_HEADS.items()}
"""The vendor's operators by the heads that they are."""


def lower_heads(graph: graphs.Graph) -> None:
    """Makes every head the vendor's operator, where it stands; the vendor decides by its own switches from there on.

    What is named after the operator is named after the vendor's.
    """
    surgeon = graph.surgeon
    nodes = [node for part in (surgeon, *surgeon.subgraphs(recursive=True)) for node in part.nodes]
    for node in (item for item in nodes if item.domain == heads.HEADS and item.op in VENDORS):
        old, new = node.op, VENDORS[node.op]
        node.op, node.domain, node.name = new, DOMAIN, node.name.replace(old, new)
        attributes = _ATTRIBUTES[old](node.attrs)
        node.attrs.clear()
        node.attrs.update(attributes)
        for tensor in node.outputs:
            if tensor.name.startswith(old) and not any(tensor is item for item in graph.outputs):
                tensor.name = graph.fresh_name(tensor.name.replace(old, new))
    surgeon.import_domains = [item for item in surgeon.import_domains or () if item.domain != heads.HEADS]


def with_vendor_operators(model: targets.LightModel) -> targets.LightModel:
    """The graph with every head as the vendor's operator; the same where it has none."""
    if not any(node.domain == heads.HEADS for node in graphs.every_node(model.proto.graph)):
        return model
    graph = graphs.open_graph(model)
    lower_heads(graph)
    return graph.model()


def take_as_vendor_operators(proto: onnx.ModelProto) -> None:
    """Makes every head the vendor's operator in a graph that is only looked at, of whatever origin.

    Nodes and tensors keep their names. A head whose attributes are wrong has no such operator and stays as it is.
    """
    imports = graphs.opsets_of(proto)
    if heads.HEADS not in imports:
        return
    set_versions(proto, {DOMAIN: heads.VERSION, **imports})
    known = {item.name: item for item in (heads.MULTICLASS_NMS, heads.MULTILEVEL_ROI_ALIGN)}
    for node in graphs.every_node(proto.graph):
        if node.domain != heads.HEADS or node.op_type not in known:
            continue
        values = written(node)
        if not known[node.op_type].wrong(values):
            write(node, VENDORS[node.op_type], DOMAIN, _ATTRIBUTES[node.op_type](values))


def written(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes of a node as Python values."""
    found = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    return {
        name: item.decode(errors="replace") if isinstance(item, bytes) else item
        for name, item in found.items()
    }


def write(node: onnx.NodeProto, operator: str, domain: str, attributes: Mapping[str, Any]) -> None:
    """Makes a node another operator."""
    node.op_type, node.domain = operator, domain
    del node.attribute[:]
    node.attribute.extend(onnx.helper.make_attribute(*item) for item in attributes.items())


def _roi_extractor(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "finest_scale": values["finest_scale"],
        "spatial_scale": values["spatial_scale"],
        "pooled_height": values["output_height"],
        "pooled_width": values["output_width"],
        "sample_num": values.get("sampling_ratio", 0),
        "pool_mode": "avg",
        "aligned": values.get("aligned", 1),
    }


def _nms(values: dict[str, Any]) -> dict[str, Any]:
    switches = ("ties", "drop_empty", "smallest_union")
    return {name: value for name, value in values.items() if name not in switches}


_ATTRIBUTES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "MultilevelRoiAlign": _roi_extractor,
    "MulticlassNms": _nms,
}
