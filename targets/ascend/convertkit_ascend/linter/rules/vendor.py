"""Rules about vendor operators in the default domain, where ATC reads them and ONNX knows nothing of them."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit_ascend import ops, socs
from convertkit_ascend.linter import stand_ins
from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.schemas import schema_of
from convertkit_ascend.linter.stand_ins import FRAME, TWINS_OF
from convertkit_ascend.linter.typed import Typed
from convertkit_ascend.linter.view import Node


@rule(
    "vendor-attribute",
    fix="spell it as the operator has it, or leave it out",
    source="ascend-facts: parser-attributes; attributes of unexpected name are skipped, defaults stay [run]",
    hides=("attr-unread",),
)
def vendor_attribute(graph: Typed) -> Iterator[Spot]:
    """Attributes of vendor operators are ones they read; a misspelt one silently leaves the default."""
    for node, op in _vendor_nodes(graph):
        known = {item.name for item in op.attributes} | {"image_size"}
        for name in sorted(set(node.attributes) - known):
            if name in FRAME and (node.proto.op_type in TWINS_OF or not node.attribute(name)):
                continue
            yield Spot.at(node, f"{name} is not read")


@rule(
    "nms-image-size",
    fix="leave it out",
    severity="warning",
    source="ascend-facts: nms-norm-class; another kernel may be chosen, whose numerics are not known [read]",
)
def nms_image_size(graph: Typed) -> Iterator[Spot]:
    """BatchMultiClassNMS has no image_size: it may choose another kernel."""
    for node, op in _vendor_nodes(graph):
        if op.name == "BatchMultiClassNMS" and "image_size" in node.attributes:
            yield Spot.at(node, f"image_size is {node.attribute('image_size')}")


@rule(
    "vendor-limit",
    fix="change the pass or the exporter that made the node",
    source="ascend-facts: nms-limits, nms-plugin, nms-shapes, roi-ir [run / read]",
)
def vendor_limit(graph: Typed) -> Iterator[Spot]:
    """Attributes and shapes of vendor operators are inside what the parser and the kernel take."""
    for node, op in _vendor_nodes(graph):
        checked = _checked(node)
        values = _values(node, op)
        for item in op.attributes:
            if item.name in values and item.name not in checked:
                for line in item.violations(values):
                    yield Spot.at(node, line)
        skipped = [item for item in op.attributes if item.name not in values]
        if any(item.default is None or _matters(node, item.name) for item in skipped):
            continue  # said by attr-type and attr-required; sizes would be judged by the wrong values
        if len(node.inputs) < 2 or not all(node.inputs[:2]):
            continue  # said by input-required and min-inputs
        for fault in op.sizes(op.complete(values), node.shapes):
            # A shape that inference left open is no fault of this node, and shape-dynamic names where it began.
            if not fault.is_open and fault.attribute not in checked:
                yield Spot.at(node, fault.why)


@rule(
    "vendor-note",
    fix="see the ladder's device rung",
    severity="warning",
    source="ascend-facts: nms-kernel, nms-4080, roi-bins, roi-buffer; kernel sources of CANN 8.1.RC1 [read]",
)
def vendor_note(graph: Typed) -> Iterator[Spot]:
    """What the 310P computes is what the operator is defined to compute."""
    for node, op in _vendor_nodes(graph) if graph.operators.family == socs.TABLED else ():
        values, shapes = _values(node, op), node.shapes
        if len(shapes) < 2 or op.limits(values, shapes, ops.OPSETS[0]):
            continue  # remarks are about nodes that are inside the limits
        for line in op.notes(values, shapes):
            yield Spot.at(node, line)


@rule(
    "op-shape-unknown",
    fix="look at the compiler's log for shapes from here on",
    severity="warning",
    source="ascend-facts: parser-nonstandard; ONNX has them not, their shape functions are not open [read]",
    hides=("shape-dynamic",),
)
def op_shape_unknown(graph: Typed) -> Iterator[Spot]:
    """The shapes that every operator gives are known here; behind others nothing can be checked."""
    for node in graph.view.nodes:
        if node.rule is None or stand_ins.known(node.proto) or schema_of(node.proto, graph.view.opset):
            continue
        if any(graph.view.shape(name) is None for name in node.outputs):
            yield Spot.at(node, f"the shape rule of {node.op} is not known here")


def _vendor_nodes(graph: Typed) -> Iterator[tuple[Node, ops.VendorOp]]:
    """Nodes in the default domain (or ``npu``) that are an operator of ours."""
    for node in graph.view.nodes:
        if name := stand_ins.operator_of(node.proto):
            yield node, ops.get(name)


def _checked(node: Node) -> set[str]:
    """Attributes whose values the limits of the table look at already."""
    return {check.name for check in node.checks if check.kind in ("attr_range", "attr_in")}


def _matters(node: Node, name: str) -> bool:
    """Whether it is an error that an attribute has another type than the parser reads."""
    remarks = {item.name for item in node.checks if item.kind == "attr_type" and item.severity != "error"}
    return name in node.attributes and name not in remarks


def _values(node: Node, op: ops.VendorOp) -> dict[str, object]:
    """The attributes that the parser reads: those of the right name and type."""
    kinds = {item.name: item.kind for item in op.attributes}
    read = [name for name in node.attributes if node.attribute_type(name) == kinds.get(name)]
    return {name: node.attribute(name) for name in read}
