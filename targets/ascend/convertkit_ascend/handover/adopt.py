"""A user's file with vendor operators as another exporter leaves them, and the same file after passes."""

from __future__ import annotations

from collections.abc import Callable

import onnx

from convertkit.api import graphs, targets
from convertkit_ascend import ops
from convertkit_ascend.domain import set_versions
from convertkit_ascend.handover.from_atc import from_atc


def adopt(
    model: targets.LightModel,
) -> tuple[targets.LightModel, Callable[[targets.LightModel], targets.LightModel]]:
    """The model as :func:`~convertkit_ascend.handover.from_atc` gives it, and the way back to the file's own form.

    Attributes that the vendor's parser does not read, being of another type, are set aside: the default counts.
    """
    inside = from_atc(model)
    if inside is model:
        return model, lambda result: result
    forms: dict[str, tuple[str, str]] = {}
    aside: dict[str, list[onnx.AttributeProto]] = {}
    originals = {_key(node): node for node in graphs.every_node(model.proto.graph)}
    for node in graphs.every_node(inside.proto.graph):
        if node.domain == ops.DOMAIN:
            original = originals[_key(node)]
            forms[node.op_type] = (original.op_type, original.domain)
            _drop_unread(node)
            left = {item.name for item in node.attribute}
            aside[_key(node)] = [item for item in original.attribute if item.name not in left]

    def back(result: targets.LightModel) -> targets.LightModel:
        proto = onnx.ModelProto()
        proto.CopyFrom(result.proto)
        for node in graphs.every_node(proto.graph):
            if node.domain == ops.DOMAIN:
                node.op_type, node.domain = forms.get(node.op_type, (node.op_type, ""))
                node.attribute.extend(aside.get(_key(node), ()))
        own = {domain: number for domain, number in graphs.opsets_of(proto).items() if domain != ops.DOMAIN}
        used = {node.domain for node in graphs.every_node(proto.graph)}
        lost = {domain: number for domain, number in graphs.opsets_of(model.proto).items() if domain in used}
        set_versions(proto, {**lost, **own})
        return targets.LightModel(proto, result.weights)

    return inside, back


def _key(node: onnx.NodeProto) -> str:
    return next((name for name in node.output if name), "")


def _drop_unread(node: onnx.NodeProto) -> None:
    types = onnx.AttributeProto.AttributeType
    read = {item.name: types.Value(item.kind) for item in ops.get(node.op_type).attributes}
    for place in reversed(range(len(node.attribute))):
        item = node.attribute[place]
        if item.type != read.get(item.name, item.type):
            del node.attribute[place]
