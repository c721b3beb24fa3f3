"""Graphs of one vendor node, and their twins on onnxruntime."""

from __future__ import annotations

from functools import cache

import numpy as np
import onnx
from convertkit_ascend import ops, twin

from convertkit.api.graphs import open_session
from convertkit.graph.light import detach
from convertkit.graph.validate import validate

_OUTPUTS = {
    "BatchMultiClassNMS": ("nmsed_boxes", "nmsed_scores", "nmsed_classes", "nmsed_num"),
    "RoiExtractor": ("y",),
}


def vendor_graph(name, inputs, attributes, *, opset=11, outputs=None):
    """A graph of one node.

    Args:
        inputs: name -> (dtype, shape), or None for an optional input left out.
        outputs: those that the graph has; by default all.
    """
    known = _OUTPUTS[name]
    wanted = known if outputs is None else outputs
    node = onnx.helper.make_node(
        name,
        [item if kind is not None else "" for item, kind in inputs.items()],
        [item if item in wanted else "" for item in known],
        domain=ops.DOMAIN,
        name="vendor",
        **attributes,
    )
    values = [_value(item, *kind) for item, kind in inputs.items() if kind is not None]
    graph = onnx.helper.make_graph([node], "graph", values, _declared(node, inputs, attributes, wanted))
    imports = [onnx.helper.make_opsetid("", opset), onnx.helper.make_opsetid(ops.DOMAIN, ops.VERSION)]
    return detach(onnx.helper.make_model(graph, opset_imports=imports, ir_version=8))


def _value(name, dtype, shape):
    return onnx.helper.make_tensor_value_info(
        name, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape
    )


def _declared(node, inputs, attributes, wanted):
    (dtype, shape), *others = inputs.values()
    if node.op_type == "RoiExtractor":
        bins = attributes.get("pooled_height", 7), attributes.get("pooled_width", 7)
        shapes = {"y": (dtype, (others[-1][1][0], shape[1], *bins))}
    else:
        slots = (shape[0], attributes["max_total_size"])
        shapes = {
            "nmsed_boxes": (dtype, (*slots, 4)),
            "nmsed_scores": (dtype, slots),
            "nmsed_classes": (dtype, slots),
            "nmsed_num": (np.int32, slots[:1]),
        }
    return [_value(item, *shapes[item]) for item in wanted]


@cache
def _session(name, signature, attributes, semantics, opset):
    model = twin.lower(vendor_graph(name, dict(signature), dict(attributes), opset=opset), semantics)
    validate(model)
    return open_session(model, threads=1)


def run_twin(name, inputs, attributes, semantics, *, opset=11):
    """What the twin of one node gives, as a list; ``inputs`` is name -> array or None."""
    signature = tuple(
        (item, None if array is None else (array.dtype, array.shape)) for item, array in inputs.items()
    )
    frozen = tuple((key, tuple(v) if isinstance(v, list) else v) for key, v in attributes.items())
    session = _session(name, signature, frozen, semantics, opset)
    return list(session.run({item: array for item, array in inputs.items() if array is not None}).values())
