"""Rules about what nobody reads: the parser keeps it, so it is compiled, loaded and run."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.subject import Subject

_KEPT = "ascend-facts: parser-dead; dead nodes, unused inputs and initializers stay [run]"


@rule("node-dead", fix="remove it (simplify does)", severity="warning", source=_KEPT)
def node_dead(subject: Subject) -> Iterator[Spot]:
    """Somebody reads every node; the parser keeps dead ones."""
    for node in subject.graph.node:
        if not any(name in subject.read for name in node.output):
            yield Spot.at(node, "nobody reads what it writes")


@rule("input-unused", fix="leave it out", severity="warning", source=_KEPT)
def input_unused(subject: Subject) -> Iterator[Spot]:
    """Somebody reads every graph input; the compiled model wants to be fed all of them."""
    for value in subject.inputs:
        if value.name not in subject.read:
            yield Spot(value.name, "nobody reads this graph input")


@rule("initializer-unused", fix="remove it (simplify does)", severity="warning", source=_KEPT)
def initializer_unused(subject: Subject) -> Iterator[Spot]:
    """Somebody reads every initializer; unused ones stay in the compiled model."""
    for name in sorted(subject.constants - subject.read):
        yield Spot(name, "nobody reads this initializer")
