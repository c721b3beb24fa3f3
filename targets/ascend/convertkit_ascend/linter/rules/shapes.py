"""Rules about shapes."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit.api import graphs
from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.view import View


@rule(
    "shape-dynamic",
    fix="fold what computes the shape, or replace the region by an operator of static shape",
    source="ascend-facts: dynamic-shapes [reported]; design of the target",
)
def shape_dynamic(view: View) -> Iterator[Spot]:
    """Every shape is static, those of the outputs included.

    Named is the node where a shape stops being static, not all that follow. Of a graph that strict inference refuses
    nothing is said here.
    """
    if view.problem:
        return
    for value in view.inputs:
        if view.static(value.name) is None:
            fix = graphs.remedy([value]) or f"say its sizes: --input-shape {value.name}:SIZES"
            yield Spot(value.name, "graph input without a static shape", fix=fix)
    for node in view.nodes:
        open_ones = [name for name in node.outputs if view.static(name) is None]
        if open_ones and all(view.static(name) is not None for name in node.inputs if name):
            fix = (
                "replace the region around it by an operator of static shape, or fold what computes its shape"
            )
            yield Spot.at(node, f"its output {open_ones[0]} has shape {_text(view, open_ones[0])}", fix)


@rule("shape-empty", fix="remove what computes nothing", source="ascend-facts: atc-restrictions [documented]")
def shape_empty(view: View) -> Iterator[Spot]:
    """No size is 0."""
    computed = [(node.name, node.op, name) for node in view.nodes for name in node.outputs]
    for where, op, name in [*((value.name, "", value.name) for value in view.inputs), *computed]:
        shape = view.shape(name)
        if shape is not None and 0 in shape and not view.is_constant(name):
            yield Spot(where, f"{name} has shape {_text(view, name)}: nothing in it", op)


def _text(view: View, name: str) -> str:
    shape = view.shape(name)
    if shape is None:
        return "unknown"
    return f"({', '.join('?' if size is None else str(size) for size in shape)})"
