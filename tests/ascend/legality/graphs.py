"""Small graphs in text form whose nodes have names, as the legality rules want them."""

from __future__ import annotations

from convertkit_ascend.legality import Violation, judge

from convertkit.graph.light import LightModel
from tests.graphtext import parse


def named(text: str, *, opset: int = 11, domains: tuple[str, ...] = ()) -> LightModel:
    """The graph of a text, every node called ``n0``, ``n1``, ... in file order."""
    model = parse(text, opset=opset, domains=domains)
    for position, node in enumerate(model.proto.graph.node):
        node.name = f"n{position}"
    return model


def judged(text: str, *, opset: int = 11, domains: tuple[str, ...] = ()) -> dict[tuple[str, str], Violation]:
    """What is wrong with a graph, by node and rule."""
    return {(item.node, item.rule): item for item in judge(named(text, opset=opset, domains=domains))}
