"""Rules about graph outputs: what the file says about them is never read."""

from __future__ import annotations

from collections.abc import Iterator

from convertkit_ascend.linter.rule import Spot, rule
from convertkit_ascend.linter.schemas import element_type
from convertkit_ascend.linter.typed import Typed


@rule(
    "output-declared",
    fix="declare what the graph computes",
    severity="warning",
    source="ascend-facts: parser-outputs; type and shape of outputs are never read [run]",
)
def output_declared(graph: Typed) -> Iterator[Spot]:
    """The file declares its outputs as the graph computes them; the compiled model has what is computed."""
    for name, kind in graph.declared.items():
        said = element_type(kind.tensor_type.elem_type)
        computed = graph.view.dtype(name)
        if said and computed and said != computed:
            yield Spot(name, f"the file says {said}, the graph computes {computed}")
            continue
        shape = graph.view.static(name)
        sizes = [dim.dim_value if dim.HasField("dim_value") else None for dim in kind.tensor_type.shape.dim]
        if shape is None or not kind.tensor_type.HasField("shape"):
            continue
        pairs = zip(sizes, shape, strict=False)
        if len(sizes) != len(shape) or any(size not in (None, real) for size, real in pairs):
            yield Spot(name, f"the file says {sizes}, the graph computes {list(shape)}")


@rule(
    "output-int64",
    fix="cast it to int32",
    severity="warning",
    source="ascend-facts: topk-indices, modelzoo-labels; the parser accepts it (ascend-facts: parser-outputs [run])",
)
def output_int64(graph: Typed) -> Iterator[Spot]:
    """No graph output is int64: the chip's indices are int32, and a Cast back costs AI CPU or copies."""
    for value in graph.view.outputs:
        if graph.view.dtype(value.name) == "int64" and value.name not in graph.view.actual:
            yield Spot(value.name, "the output is int64")
