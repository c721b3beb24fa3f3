"""The rewrites that make a graph legal, each of which changes no bit of any output."""

from __future__ import annotations

from collections.abc import Callable

from convertkit.api import passes
from convertkit_ascend.passes.legalizing import explicit, indices, names, ranges, redundant, resize, types

Rewrite = Callable[[passes.Graph], int]
"""Edits the graph and returns how often."""

REWRITES: tuple[Rewrite, ...] = (
    explicit.lift_constants,
    explicit.write_attributes,
    explicit.write_bounds,
    ranges.slice_bounds,
    ranges.gather_indices,
    ranges.drop_empty_parts,
    resize.plain_rounding,
    redundant.drop,
    indices.cast_where_the_chip_writes_int32,
    indices.sink_widening_casts,
)
"""Repeated until nothing changes any more; each leaves the graph valid."""


def rewrite(graph: passes.Graph) -> None:
    """Names the nodes, applies all rewrites, and states every type and shape that strict inference proves."""
    graph.tidy()
    names.give(graph)
    names.give_tensors(graph)
    types.state(graph)
    while sum(step(graph) for step in REWRITES):
        graph.tidy()
        types.state(graph)
    names.give(graph)
