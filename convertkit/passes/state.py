"""A graph on its way through a pipeline: each pass gets it in the form that it wants."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from convertkit.errors import PassError, UnavailableError
from convertkit.passes.base import GraphPass, IrPass, LightPass, ModelPass, Pass

if TYPE_CHECKING:
    from types import ModuleType

    from onnx import TensorProto

    from convertkit.graph.light import LightModel


class GraphState:
    """The current model."""

    def __init__(self, model: LightModel) -> None:
        self.model = model

    def apply(self, step: Pass) -> tuple[str, ...]:
        """Runs one pass and makes its result the current model.

        Returns:
            what the pass remarks.

        Raises:
            PassError: the class derives from none of the four forms.
        """
        if isinstance(step, GraphPass):
            return self._edit(step)
        if isinstance(step, LightPass):
            self.model = step.run(self.model)
        elif isinstance(step, ModelPass):
            self.model = _run_on_proto(step, self.model)
        elif isinstance(step, IrPass):
            self.model = _run_on_ir(step, self.model)
        else:
            raise PassError(f"pass {step.name}: derive it from GraphPass, LightPass, ModelPass or IrPass")
        return ()

    def _edit(self, step: GraphPass) -> tuple[str, ...]:
        """Every pass opens the model anew: what it makes depends on nothing that an earlier one has noted."""
        from convertkit.graph.graph import close_graph, open_graph

        graph = open_graph(self.model)
        graph.tidy()
        untouched = _digest(close_graph(graph, self.model))  # a mere round trip
        graph.author = step.name
        remarks = tuple(step.run(graph) or ())
        graph.tidy()
        edited = close_graph(graph, self.model)
        if _digest(edited) != untouched:
            self.model = edited
        return remarks


def _digest(model: LightModel) -> str:
    """The digest without what looking alone may change: types of inner tensors, and how values are spelt."""
    from convertkit.graph.light import LightModel
    from convertkit.graph.nested import every_node

    bare = deepcopy(model.proto)
    del bare.graph.value_info[:]
    for tensor in bare.graph.initializer:
        _spell_alike(tensor)
    for node in every_node(bare.graph):
        for attribute in node.attribute:
            _spell_alike(attribute.t)
    return LightModel(bare, model.weights).digest()


def _spell_alike(tensor: TensorProto) -> None:
    """Values as raw bytes: graphsurgeon writes them so once it has read them."""
    from onnx import numpy_helper

    if tensor.int64_data or tensor.int32_data or tensor.float_data or tensor.double_data:
        name, doc = tensor.name, tensor.doc_string
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), name))
        if doc:
            tensor.doc_string = doc


def _run_on_proto(step: ModelPass, model: LightModel) -> LightModel:
    from convertkit.graph.light import attach, detach

    if step.weights:
        return detach(step.run(attach(model)))
    return detach(step.run(deepcopy(model.proto)), model.weights)


def _run_on_ir(step: IrPass, model: LightModel) -> LightModel:
    from convertkit.graph.light import attach, detach

    ir = _onnx_ir(step)
    return detach(ir.to_proto(step.run(ir.from_proto(attach(model)))))


def _onnx_ir(step: Pass) -> ModuleType:
    try:
        import onnx_ir
    except ImportError as error:
        line = f"pass {step.name} works on onnx_ir, which is not installed"
        raise UnavailableError(line, hint="pip install onnx_ir") from error
    return onnx_ir
