"""Rules about shapes: every size must be known and none may be 0."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit_ascend.legality.view import View
from convertkit_ascend.legality.violation import Violation


def static(view: View) -> Iterator[Violation]:
    """Strict shape inference must prove every shape.

    Named is the node where a shape stops being static, not all that follow. Of a graph that inference refuses nothing
    is said here.
    """
    if view.problem:
        return
    for value in view.inputs:
        if view.static(value.name) is None:
            why = "graph input without a static shape"
            yield Violation(value.name, "", "shape-dynamic", why, "export with a static input shape")
    for node in view.nodes:
        open_ones = [name for name in node.outputs if view.static(name) is None]
        if open_ones and all(view.static(name) is not None for name in node.inputs if name):
            why = f"its output {open_ones[0]} has shape {_text(view, open_ones[0])}"
            fix = (
                "replace the region around it by an operator of static shape, or fold what computes its shape"
            )
            yield Violation(node.name, node.op, "shape-dynamic", why, fix)


def not_empty(view: View) -> Iterator[Violation]:
    """No size may be 0, except in constants (ascend-facts: atc-restrictions)."""
    computed = [(node.name, node.op, name) for node in view.nodes for name in node.outputs]
    for where, op, name in [*((value.name, "", value.name) for value in view.inputs), *computed]:
        shape = view.shape(name)
        if shape is not None and 0 in shape and not view.is_constant(name):
            why = f"{name} has shape {_text(view, name)}: nothing in it"
            yield Violation(where, op, "shape-empty", why, "remove what computes nothing")


def _text(view: View, name: str) -> str:
    shape = view.shape(name)
    return (
        "unknown" if shape is None else f"({', '.join('?' if size is None else str(size) for size in shape)})"
    )
