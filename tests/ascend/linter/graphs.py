"""Small graphs in text form whose nodes have names, as the rules want them, and what is said of graphs."""

from __future__ import annotations

from collections.abc import Collection

from convertkit_ascend.linter.examination import examine, judge
from convertkit_ascend.linter.read import Source
from convertkit_ascend.linter.subject import InputShape

from convertkit.graph.light import LightModel
from convertkit.targets.lint import LintFinding
from tests.graphtext import parse


def named(text: str, *, opset: int = 11, domains: tuple[str, ...] = ()) -> LightModel:
    """The graph of a text, every node called ``n0``, ``n1``, ... in file order."""
    model = parse(text, opset=opset, domains=domains)
    for position, node in enumerate(model.proto.graph.node):
        node.name = f"n{position}"
    return model


def judged(
    text: str, *, opset: int = 11, domains: tuple[str, ...] = ()
) -> dict[tuple[str, str], LintFinding]:
    """What is wrong with a graph, by node and rule."""
    return {(item.node, item.rule): item for item in judge(named(text, opset=opset, domains=domains))}


def lint(
    source: Source,
    soc: str = "ascend310p3",
    input_shape: InputShape | None = None,
    allow: Collection[str] = (),
) -> tuple[LintFinding, ...]:
    """What an examination finds, without the rules that are allowed."""
    return examine(source, soc, input_shape).allowing(allow).findings
