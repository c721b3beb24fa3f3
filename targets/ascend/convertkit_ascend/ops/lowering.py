"""From head operators to the vendor's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import convertkit
from convertkit.api import heads
from convertkit_ascend.ops.as_heads import AS_HEADS
from convertkit_ascend.ops.registry import DOMAIN

VENDORS = {head: name for name, (head, _) in AS_HEADS.items()}
"""The vendor's operators by the heads that they are."""


def lower_heads(graph: convertkit.Graph) -> None:
    """Makes every head the vendor's operator, where it stands; the vendor decides by its own switches from there on.

    What is named after the operator is named after the vendor's.
    """
    for node in list(graph.find(tuple(VENDORS), domain=heads.HEADS)):
        old, new = node.op, VENDORS[node.op]
        node.op, node.domain, node.name = new, DOMAIN, node.name.replace(old, new)
        attributes = _ATTRIBUTES[old](node.attrs)
        node.attrs.clear()
        node.attrs.update(attributes)
        for tensor in node.outputs:
            if tensor.name.startswith(old) and not any(tensor is item for item in graph.outputs):
                tensor.name = graph.fresh_name(tensor.name.replace(old, new))
    surgeon = graph.surgeon
    surgeon.import_domains = [item for item in surgeon.import_domains or () if item.domain != heads.HEADS]


def with_vendor_operators(model: convertkit.LightModel) -> convertkit.LightModel:
    """The graph with every head as the vendor's operator; the same where it has none."""
    if not any(node.domain == heads.HEADS for node in convertkit.every_node(model.proto.graph)):
        return model
    graph = convertkit.open_graph(model)
    lower_heads(graph)
    return graph.model()


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
