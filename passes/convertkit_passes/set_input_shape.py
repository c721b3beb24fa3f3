"""``set-input-shape``: the sizes of the inputs, and of everything behind them."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from convertkit.api import graphs, passes
from convertkit_passes.fold_constants import FoldConstants

WHO = "pass set-input-shape: shapes"


class SetInputShape(passes.LightPass):
    """Set sizes that the graph's inputs leave open; everything behind them becomes static as far as sizes decide it.

    No node changes. A size with a name (``batch``) is one number wherever the graph has the name. What the file says of
    tensors behind the inputs is dropped and inferred anew, also through what ``fold-constants`` would fold; to fold it
    is left to that pass. What depends on data stays open.

    ``--input-shape "images:1,3,640,640;scale:1,4"`` of opt, build, estimate and bisect is short for it.

    Options:
        shapes: a list of texts ``NAME:1,3,640,640``; -1 leaves a size as it is. The sizes stand after the last colon.
    """

    name = "set-input-shape"
    effect = "exact"
    shapes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.input_shapes()

    def input_shapes(self) -> Mapping[str, tuple[int, ...]]:
        return graphs.parse_shapes(self.shapes, WHO) if self.shapes else {}

    def run(self, model: passes.LightModel) -> passes.LightModel:
        if not self.shapes:
            inputs = graphs.free_inputs(model.proto.graph)
            hint = graphs.remedy(inputs) or "every size of this graph's inputs is stated already"
            raise passes.UsageError("no shapes are given", hint=hint)
        told = graphs.with_sizes(model, self.input_shapes())
        try:
            return model if told is model else _behind(told)
        except passes.GraphError as error:
            raise passes.UsageError(f"the graph does not work at these sizes: {error.message}") from error

    def explain(self, model: passes.LightModel) -> tuple[passes.Finding, ...]:
        """Every input that it is told of, then what stays open afterwards."""
        graph = self.run(model).proto.graph
        told = graphs.texts_of(self.input_shapes())
        matched = [passes.Finding("matched", text.rpartition(":")[0], f"becomes {text}") for text in told]
        waiting = [(value.name, graphs.remedy([value])) for value in graphs.free_inputs(graph)]
        waiting += [(value.name, "an output of open size") for value in graph.output if _is_open(value)]
        return (*matched, *(passes.Finding("refused", name, why) for name, why in waiting if why))


def _behind(model: passes.LightModel) -> passes.LightModel:
    """The same nodes, with the static shapes that inference and fold-constants find in turn, on a copy.

    There nothing is believed that the file says behind ONNX's own operators: it may have been true of other sizes.
    """
    copy, known = graphs.open_graph(model), -1
    for node in copy.find():
        for tensor in node.outputs:
            tensor.shape = None
    shapes: dict[str, tuple[int, ...]] = {}
    while known < len(shapes):
        known = len(shapes)
        graphs.annotate(copy)
        found = ((name, graphs.static_shape(tensor)) for name, tensor in copy.surgeon.tensors().items())
        shapes.update((name, shape) for name, shape in found if shape is not None)
        FoldConstants().run(copy)
        copy.tidy()
    for value in graphs.inferred(copy.model()).graph.output:
        if not _is_open(value):
            shapes[value.name] = tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
    proto = deepcopy(model.proto)
    for value in (*proto.graph.value_info, *proto.graph.output):
        if value.name in shapes:
            graphs.set_sizes(value, shapes[value.name])
    return passes.LightModel(proto, model.weights)


def _is_open(value: Any) -> bool:
    kind = value.type.tensor_type
    return not kind.HasField("shape") or any(not dim.HasField("dim_value") for dim in kind.shape.dim)
