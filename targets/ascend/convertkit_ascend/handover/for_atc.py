"""From the pipeline's graph to the file that ATC reads."""

from __future__ import annotations

import onnx

from convertkit.api import graphs, targets
from convertkit_ascend import ops
from convertkit_ascend.domain import plain, set_versions
from convertkit_ascend.handover.names import settle, settle_tensors
from convertkit_ascend.ops.lowering import with_vendor_operators

LEAST_IR = 4
"""From this IR version on initializers need not be listed as inputs. The vendor's parser reads no IR version at all
(ascend-facts: parser-ignored); other tools do."""


def for_atc(model: targets.LightModel) -> targets.LightModel:
    """The model as the vendor's parser takes it: the same nodes, inputs, outputs and weights.

    Heads become vendor operators, where no pass has made them such. Those move from convertkit's domain to the default
    one, and the import of the former goes; every node gets a name of its own that no graph input has, and every output,
    because the parser joins an unnamed one to the inputs left out; initializers are no longer listed as inputs (the
    parser makes them constants anyway); texts that say where an exporter ran (``doc_string``) go, because one byte of
    invalid UTF-8 in them makes the file unreadable; the IR version is the least that the opsets need. ``value_info``
    stays: the parser ignores it, and for everybody else it is the only record of the shapes behind a vendor operator.

    The same model gives the same bytes. Doing it twice changes nothing.

    Raises:
        GraphError: a node of convertkit's domain is no vendor operator, or the opset is outside 11 to 16 although
            there are vendor operators.
    """
    model = with_vendor_operators(model)
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto)
    opsets = graphs.opsets_of(proto)
    _move(proto, opsets)
    opsets.pop(ops.DOMAIN, None)
    set_versions(proto, opsets)
    _unlist_initializers(proto.graph)
    _drop_texts(proto)
    settle(proto.graph)
    settle_tensors(proto)
    proto.ir_version = max(
        LEAST_IR, onnx.helper.find_min_ir_version_for(proto.opset_import, ignore_unknown=True)
    )
    return targets.LightModel(proto, model.weights)


def _move(proto: onnx.ModelProto, opsets: dict[str, int]) -> None:
    low, high = ops.OPSETS
    for node in graphs.every_node(proto.graph):
        if plain(node.domain) == "":
            node.domain = ""
        if node.domain != ops.DOMAIN:
            continue
        if node.op_type not in ops.names():
            known = f"vendor operators are {' and '.join(ops.names())}"
            raise targets.GraphError(f"node {node.name!r}: {node.op_type} is not in {ops.DOMAIN}", hint=known)
        if not low <= opsets.get("", 0) <= high:
            raise targets.GraphError(
                f"node {node.name!r}: {node.op_type} needs opset {low} to {high}, the model has {opsets.get('', 0)}",
                hint=graphs.opset_remedy(opsets.get("", 0), low, high),
            )
        node.domain = ""


def _unlist_initializers(graph: onnx.GraphProto) -> None:
    kept = graphs.free_inputs(graph)
    if len(kept) != len(graph.input):
        copies = [onnx.ValueInfoProto.FromString(value.SerializeToString()) for value in kept]
        del graph.input[:]
        graph.input.extend(copies)


def _drop_texts(proto: onnx.ModelProto) -> None:
    graph = proto.graph
    for item in (proto, graph, *graphs.every_node(graph), *graph.input, *graph.output, *graph.value_info):
        item.ClearField("doc_string")
    for tensor in graph.initializer:
        tensor.ClearField("doc_string")
