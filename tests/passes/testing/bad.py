"""One planted fault for every rule of the conformance kit: a pass that only this rule finds out."""

from __future__ import annotations

import itertools
from copy import deepcopy
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from convertkit.api.graphs import every_node
from convertkit.api.passes import Graph, GraphPass, LightModel, LightPass, ModelPass, UsageError

TALLY = itertools.count()


class Unsaid(GraphPass):
    name = "unsaid"
    effect = "exact"

    def run(self, graph: Graph) -> None: ...


class Forgetful(GraphPass):
    """Take a word, and make another of it."""

    name = "forgetful"
    effect = "exact"
    word: str = "one"

    def __post_init__(self) -> None:
        object.__setattr__(self, "word", self.word + "!")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Forgetful) and self.word == other.word

    def run(self, graph: Graph) -> None: ...


class Hasty(GraphPass):
    """Believe that every graph has a node."""

    name = "hasty"
    effect = "exact"

    def run(self, graph: Graph) -> None:
        graph.nodes[0].name = graph.nodes[0].name


class Meddler(LightPass):
    """Rename the graph that it was given."""

    name = "meddler"
    effect = "exact"

    def run(self, model: LightModel) -> LightModel:
        copy = deepcopy(model)
        model.proto.graph.name = "mine"
        return copy


class Wrong(GraphPass):
    """Take a Neg for nothing."""

    name = "wrong"
    effect = "exact"

    def run(self, graph: Graph) -> None:
        for node in graph.find("Neg"):
            graph.bypass(node)


class SharedWeights(GraphPass):
    """Double the weights of a product, whoever else reads them."""

    name = "shared-weights"
    effect = "exact"

    def run(self, graph: Graph) -> None:
        for node in list(graph.find("Mul")):
            weights = node.inputs[1]
            if isinstance(getattr(weights, "values", None), np.ndarray) and weights.shape == (3,):
                half = graph.constant(np.full(3, 0.5, np.float32))
                weights.values = weights.values * 2
                node.inputs[0] = graph.add("Mul", [node.inputs[0], half], dtype=np.float32, shape=(2, 3))


class ForgetsBodies(ModelPass):
    """Drop nodes whose outputs no node of the main graph takes."""

    name = "forgets-bodies"
    effect = "exact"

    def run(self, model: onnx.ModelProto) -> onnx.ModelProto:
        graph = model.graph
        taken = {name for node in graph.node for name in node.input} | {value.name for value in graph.output}
        for place in reversed(range(len(graph.node))):
            if not taken & set(graph.node[place].output):
                del graph.node[place]
        return model


class ReadsWeights(ModelPass):
    """Read all weights from the file, where large ones are not."""

    name = "reads-weights"
    effect = "exact"

    def run(self, model: onnx.ModelProto) -> onnx.ModelProto:
        for tensor in model.graph.initializer:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor), tensor.name))
        return model


class Renames(ModelPass):
    """Call the first output something else."""

    name = "renames"
    effect = "exact"

    def run(self, model: onnx.ModelProto) -> onnx.ModelProto:
        graph = model.graph
        if graph.output[0].name != "result" and graph.output[0].name not in {v.name for v in graph.input}:
            graph.node.append(helper.make_node("Identity", [graph.output[0].name], ["result"]))
            graph.output[0].name = "result"
        return model


class Signs(ModelPass):
    """Put its own name in place of the exporter's."""

    name = "signs"
    effect = "exact"

    def run(self, model: onnx.ModelProto) -> onnx.ModelProto:
        model.producer_name = "signs"
        return model


class Grows(ModelPass):
    """Copy the last output once more with every run."""

    name = "grows"
    effect = "exact"

    def run(self, model: onnx.ModelProto) -> onnx.ModelProto:
        if model.graph.node:
            idle = f"idle_{len(model.graph.node)}"
            model.graph.node.append(helper.make_node("Identity", [model.graph.output[0].name], [idle]))
        return model


class Counts(ModelPass):
    """Note in the graph how often it ran."""

    name = "counts"
    effect = "exact"

    def run(self, model: onnx.ModelProto) -> onnx.ModelProto:
        if not model.graph.doc_string:
            model.graph.doc_string = f"run {next(TALLY)}"
        return model


class Digs(ModelPass):
    """Work inside of branches without saying so."""

    name = "digs"
    effect = "exact"

    def run(self, model: onnx.ModelProto) -> onnx.ModelProto:
        for node in list(every_node(model.graph)):
            for attribute in node.attribute:
                body = attribute.g
                if attribute.name == "then_branch" and body.node[-1].op_type != "Identity":
                    name = body.output[0].name
                    body.node[-1].output[0] = f"{name}_inner"
                    body.node.append(helper.make_node("Identity", [f"{name}_inner"], [name]))
        return model


class Babbles(GraphPass):
    """Explain what is not there."""

    name = "babbles"
    effect = "exact"

    def run(self, graph: Graph) -> None: ...

    def explain(self, graph: Any) -> Any:
        raise KeyError("nothing")


class Idle(GraphPass):
    """Do nothing."""

    name = "idle"
    effect = "exact"

    def run(self, graph: Graph) -> None: ...


class Unordered(ModelPass):
    """Sort the weights as a set has them."""

    name = "unordered"
    effect = "exact"

    def run(self, model: onnx.ModelProto) -> onnx.ModelProto:
        if not model.graph.doc_string:
            names = {value.name + suffix for value in model.graph.input for suffix in "abcdefgh"}
            model.graph.doc_string = " ".join(names)
        return model


class OnlyRandom(GraphPass):
    """Sum from the other end, which no graph of the corpus does."""

    name = "only-random"
    effect = "exact"

    def run(self, graph: Graph) -> None:
        for node in graph.find("CumSum"):
            node.attrs["reverse"] = 1


class Refuses(GraphPass):
    """Refuse graphs of branches, which is allowed."""

    name = "refuses"
    effect = "exact"

    def run(self, graph: Graph) -> None:
        if any(graph.find("If")):
            raise UsageError("there are branches")


FAULTS: dict[str, type[Any]] = {
    "declaration": Unsaid,
    "options": Forgetful,
    "runs": Hasty,
    "input-kept": Meddler,
    "effect": Wrong,
    "interface": Renames,
    "metadata": Signs,
    "idempotent": Grows,
    "deterministic": Counts,
    "bodies": Digs,
    "explains": Babbles,
    "does-something": Idle,
    "processes": Unordered,
    "random-graphs": OnlyRandom,
}

KINDS: dict[str, tuple[type[Any], str]] = {
    "empty graph": (Hasty, "runs"),
    "branches": (ForgetsBodies, "effect"),
    "shared initializer": (SharedWeights, "effect"),
    "large weights": (ReadsWeights, "runs"),
    "external data": (ReadsWeights, "runs"),
}
"""Graphs of the corpus that have caught a fault, and by which rule."""
