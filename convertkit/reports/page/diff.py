"""The page of two graphs side by side: what is at their borders, the places that differ, the types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from convertkit.graph.difference.compare import Difference, Pair
from convertkit.graph.difference.regions import alike
from convertkit.reports.page.blocks import Block, Cell, Page, Section, Table, Words
from convertkit.reports.page.rewritten import rewritten

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel


def diff_page(names: Pair, graphs: tuple[LightModel, LightModel], found: Difference) -> Page:
    """Of two graphs and what differs between them.

    Args:
        names: of the graphs, mostly their files.
    """
    facts = (
        *(
            (title, f"{name}, {nodes} nodes")
            for title, name, nodes in zip("AB", names, found.nodes, strict=True)
        ),
        (
            "Nodes",
            f"{found.same} the same, {len(found.changed)} changed, {found.removed} removed, {found.added} added",
        ),
        (
            "Tensors",
            f"{len(found.retyped)} retyped, {found.sized} with other open sizes, {found.renamed} renamed",
        ),
    )
    sections = (
        Section("borders", "Inputs, outputs and opsets", tuple(_borders(found))),
        Section("nodes", "Nodes", rewritten(*graphs, found)),
        Section("types", "Types", tuple(_types(found))),
    )
    return Page("Two graphs compared", _verdict(found), facts, sections)


def _verdict(found: Difference) -> Cell:
    if found.equal:
        return Cell("nothing differs" + (" but names" if found.renamed else ""), "good")
    return Cell("the graphs differ", "unsure")


def _borders(found: Difference) -> Iterator[Block]:
    if rows := tuple(borders(found)):
        yield Table("What goes in and out, as A and as B have it", ("", "Name", "A", "B"), rows)
    else:
        yield Words("Inputs, outputs and opsets are the same.", "good")


def borders(found: Difference) -> Iterator[tuple[str, str, str, str]]:
    """Side, name, and what it was and is, of inputs, outputs and opsets that differ."""
    sides: dict[str, Mapping[str, Pair]] = {
        "input": found.inputs,
        "output": found.outputs,
        "opset": found.opsets,
    }
    for side, pairs in sides.items():
        for name, (was, now) in pairs.items():
            yield side, name or "ai.onnx", was or "-", now or "-"


def _types(found: Difference) -> Iterator[Block]:
    groups = alike(found.retyped, lambda item: item.kinds)
    rows = tuple((f"{len(group)}", *kinds, group[0].tensor) for kinds, group in groups.items())
    if rows:
        yield Table("Tensors of both graphs, by type", ("Tensors", "A", "B", "First"), rows, frozenset({0}))
    else:
        yield Words("No tensor of both graphs has another type.", "good")
