"""Passes that are wrong in one way each, and a graph with places to go wrong in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from convertkit.api.passes import Graph, GraphPass, LightModel, hookimpl
from tests.graphtext import parse

GRAPH = """(float[N,4] boxes, float[N,1] scores) => (float[N,1] area, float[N,4] shifted)
<float[4] offset = {1, 2, 1, 2}, int64[1] axis = {1}, int64[1] a = {0}, int64[1] b = {1}, int64[1] c = {2},
 int64[1] d = {3}, int64[1] e = {4}>
{
    x1 = Slice (boxes, a, b, axis)
    y1 = Slice (boxes, b, c, axis)
    x2 = Slice (boxes, c, d, axis)
    y2 = Slice (boxes, d, e, axis)
    width = Sub (x2, x1)
    height = Sub (y2, y1)
    product = Mul (width, height)
    root = Abs (scores)
    area = Mul (product, root)
    moved = Sub (boxes, offset)
    shifted = Relu (moved)
}"""


def graph() -> LightModel:
    return parse(GRAPH)


def sample() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    return {
        "boxes": rng.uniform(1, 9, (5, 4)).astype(np.float32),
        "scores": rng.uniform(1, 2, (5, 1)).astype(np.float32),
    }


class SwapSub(GraphPass):
    """Swap the operands of the Sub that makes the height."""

    name = "swap-sub"
    effect = "exact"

    def run(self, graph: Graph) -> None:
        for node in graph.find("Sub"):
            if node.outputs[0].name == "height":
                node.inputs[0], node.inputs[1] = node.inputs[1], node.inputs[0]


class SwapBeforeMul(GraphPass):
    """Swap the operands of a Sub, but only between two Slices and a Mul."""

    name = "swap-before-mul"
    effect = "rounding"

    def run(self, graph: Graph) -> None:
        for node in graph.find("Sub"):
            sliced = all(item.inputs and item.inputs[0].op == "Slice" for item in node.inputs)
            if sliced and [reader.op for reader in node.outputs[0].outputs] == ["Mul"]:
                node.inputs[0], node.inputs[1] = node.inputs[1], node.inputs[0]
                return


class Raises(GraphPass):
    """Stumble over a Relu."""

    name = "raises"
    effect = "exact"

    def run(self, graph: Graph) -> None:
        for node in graph.find("Relu"):
            raise KeyError(f"no rule for {node.op} in a graph of {len(graph.nodes)}")


class Invalid(GraphPass):
    """Make an operator nobody knows of Abs."""

    name = "invalid"
    effect = "exact"

    def run(self, graph: Graph) -> None:
        for node in graph.find("Abs"):
            node.op = "Absolutely"


class Harmless(GraphPass):
    """Rename nodes."""

    name = "harmless"
    effect = "exact"

    def run(self, graph: Graph) -> None:
        for node in graph.nodes:
            node.name = graph.fresh_name("renamed")


class AddMask(GraphPass):
    """Multiply what Abs reads by a new input, which is all ones for those who have none; but forget the sign."""

    name = "add-mask"
    effect = "exact"

    def added_inputs(self, model: LightModel) -> dict[str, np.ndarray]:
        return {"mask": np.ones(1, np.float32)}

    def run(self, graph: Graph) -> None:
        for node in graph.find("Abs"):
            mask = type(node.inputs[0])("mask", dtype=np.float32, shape=[1])
            graph.inputs.append(mask)
            node.inputs[0] = graph.add("Mul", [node.inputs[0], mask], dtype=np.float32)
            node.op = "Neg"


class OnlyPositive(GraphPass):
    """Take Abs for nothing, because scores are positive; what that means shows only where they are not."""

    name = "only-positive"
    effect = "exact"

    def probes(self, model: LightModel, sample: Mapping[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
        if "scores" not in sample:
            return []
        refused = sample["scores"][:2]
        return [{**sample, "scores": scores} for scores in (refused, -sample["scores"])]

    def run(self, graph: Graph) -> None:
        for node in graph.find("Abs"):
            node.op = "Identity"


class Nudge(GraphPass):
    """Scale whatever Abs makes by a little, and say so."""

    name = "nudge"
    effect = "semantic"
    factor: float = 1.01

    def run(self, graph: Graph) -> None:
        for node in graph.find("Abs"):
            made = node.outputs[0]
            inner = convertkit_variable(graph, made)
            node.outputs[0] = inner
            graph.add("Mul", [inner, graph.constant(np.float32(self.factor))], outputs=[made])


def convertkit_variable(graph: Graph, like: object) -> object:
    return type(like)(graph.fresh_name("inner"), dtype=like.dtype, shape=like.shape)  # type: ignore[attr-defined, call-arg]


@hookimpl
def register_passes(register) -> None:  # type: ignore[no-untyped-def]
    for cls in (SwapSub, SwapBeforeMul, Raises, Invalid, Harmless, AddMask, OnlyPositive, Nudge):
        register(cls)
