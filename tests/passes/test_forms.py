"""A pass may ask for the graph in four forms; each gives back a whole model with the same weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from convertkit.api.graphs import detach as door_detach
from convertkit.api.passes import Graph, GraphPass, IrPass, LightModel, LightPass, ModelPass
from convertkit.errors import PassError
from convertkit.graph.light import detach
from convertkit.graph.session import open_session
from convertkit.passes.base import Pass
from convertkit.passes.pipeline import Pipeline
from convertkit.passes.state import GraphState
from tests.graphtext import parse
from tests.tiny import tiny_model

IMAGE = np.random.default_rng(1).standard_normal((1, 3, 8, 8)).astype(np.float32)


class Surgeon(GraphPass):
    """Negate the result with onnx-graphsurgeon."""

    name = "surgeon"
    effect = "semantic"

    def run(self, graph: Graph) -> None:
        reshape = next(graph.find("Reshape"))
        given = reshape.inputs[0]
        reshape.inputs[0] = graph.add("Neg", [given], dtype=np.float32, shape=given.shape)


class Light(LightPass):
    """Negate the result on the light model."""

    name = "light"
    effect = "semantic"

    def run(self, model: LightModel) -> LightModel:
        proto = onnx.ModelProto()
        proto.CopyFrom(model.proto)
        negate(proto)
        return door_detach(proto, model.weights)


class Proto(ModelPass):
    """Negate the result on the protobuf."""

    name = "proto"
    effect = "semantic"

    def run(self, model: onnx.ModelProto) -> onnx.ModelProto:
        negate(model)
        return model


class WholeProto(Proto):
    """Negate the result on the protobuf, weights included."""

    name = "whole-proto"
    weights = True

    def run(self, model: onnx.ModelProto) -> onnx.ModelProto:
        onnx.checker.check_model(model)
        return super().run(model)


class Ir(IrPass):
    """Negate the result with onnx_ir."""

    name = "ir"
    effect = "semantic"

    def run(self, model: Any) -> Any:
        import onnx_ir

        reshape = next(node for node in model.graph if node.op_type == "Reshape")
        negate = onnx_ir.node("Neg", [reshape.inputs[0]])
        reshape.replace_input_with(0, negate.outputs[0])
        model.graph.insert_before(reshape, negate)
        return model


class Formless(Pass):
    """Derive from nothing useful."""

    name = "formless"
    effect = "exact"


def negate(model: onnx.ModelProto) -> None:
    position = next(i for i, node in enumerate(model.graph.node) if node.op_type == "Reshape")
    reshape = model.graph.node[position]
    model.graph.node.insert(position, onnx.helper.make_node("Neg", [reshape.input[0]], ["negated"]))
    model.graph.node[position + 1].input[0] = "negated"


@pytest.mark.parametrize("cls", [Surgeon, Light, Proto, WholeProto, Ir])
def test_every_form_gives_the_same_result(cls: type[Pass]) -> None:
    model = detach(tiny_model())
    plain = open_session(model, optimize=False).run({"image": IMAGE})["features"]

    result, records = Pipeline((cls(),)).run(model)

    negated = open_session(result, optimize=False).run({"image": IMAGE})["features"]
    assert np.array_equal(negated, -plain)
    assert records[0].ops_added == {"Neg": 1}
    assert set(result.weights) == set(model.weights)


def test_forms_may_follow_each_other() -> None:
    model = detach(tiny_model())
    plain = open_session(model, optimize=False).run({"image": IMAGE})["features"]

    result, _ = Pipeline((Surgeon(), Surgeon(), Light(), Ir())).run(model)

    assert np.array_equal(open_session(result, optimize=False).run({"image": IMAGE})["features"], plain)


def test_a_pass_without_a_form_is_refused() -> None:
    with pytest.raises(PassError, match="derive it from GraphPass, LightPass, ModelPass or IrPass"):
        Pipeline((Formless(),)).run(detach(tiny_model()))


class Twice(GraphPass):
    """Put a value through a name that is free again once the pass is over."""

    name = "twice"
    effect = "exact"

    def run(self, graph: Graph) -> None:
        source = graph.inputs[0]
        graph.add("Neg", [source])  # nobody reads it
        for consumer in list(source.outputs):
            if consumer.op == "Relu":
                graph.replace(consumer.outputs[0], graph.add("Relu", [source]))


def test_a_pass_depends_on_its_input_alone() -> None:
    """Not on what an earlier pass has seen in the same process: a build may go on from any step that is stored."""
    state = GraphState(parse("(float[4] x) => (float[4] y) { r = Relu(x)\n y = Neg(r) }"))
    state.apply(Twice())
    stored = detach(onnx.ModelProto.FromString(state.model.proto.SerializeToString()))

    state.apply(Twice())

    again = GraphState(stored)
    again.apply(Twice())
    assert again.model.proto == state.model.proto
