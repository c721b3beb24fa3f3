"""What a pass did to the graph: the rewritten places alike counted together, and one of each kind drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from convertkit.graph.difference.compare import Difference, difference
from convertkit.graph.difference.drawing import Drawing, Vertex
from convertkit.graph.difference.regions import Region, alike, counted, kinds_of
from convertkit.reports.page.blocks import Block, Spot, Table, Tone, Wiring, Words

if TYPE_CHECKING:
    from convertkit.graph.difference.compare import Changed
    from convertkit.graph.light import LightModel

DRAWN = 120
"""Nodes of a drawing that can still be read; of a larger region the operators are counted."""
KINDS = 3
"""Kinds of regions of one pass that are drawn, the largest first."""
ROWS = 12


def rewritten(before: LightModel, after: LightModel, found: Difference | None = None) -> tuple[Block, ...]:
    """What differs between the graphs around a pass; ``found`` where that is known."""
    found = found or difference(before, after)
    ordered = kinds_of(found.regions)
    what = (
        f"{found.same} nodes the same, {len(found.changed)} changed, {found.removed} removed, {found.added} added, "
        f"places rewritten: {len(found.regions)}, tensors retyped: {len(found.retyped)}"
    )
    blocks: list[Block] = [Words(what)]
    if ordered:
        blocks.append(_places(ordered))
    if found.changed:
        blocks.append(_changes(found.changed))
    graphs = Drawing(before), Drawing(after)
    for group in ordered[:KINDS]:
        blocks += _pictures(graphs, group)
    return tuple(blocks)


def _places(groups: Sequence[Sequence[Region]]) -> Table:
    rows = [
        (
            f"{len(group)}",
            counted(group[0].removed) or "nothing",
            counted(group[0].added) or "nothing",
            ", ".join(group[0].gives[:2]) or "unused",
        )
        for group in groups[:ROWS]
    ]
    left = len(groups) - ROWS
    more = f"; {left} more kinds are not listed" if left > 0 else ""
    columns = ("Places", "Removed", "Added", "First place, by what it gives")
    return Table(f"Rewritten places, by kind{more}", columns, tuple(rows), frozenset({0}))


def _changes(changes: Sequence[Changed]) -> Table:
    groups = alike(changes, lambda change: (change.first.op, ", ".join(change.what)))
    rows = [
        (f"{len(group)}", op, what, group[0].first.name)
        for (op, what), group in sorted(groups.items(), key=lambda item: -len(item[1]))[:ROWS]
    ]
    left = len(groups) - ROWS
    more = f"; {left} more kinds are not listed" if left > 0 else ""
    columns = ("Nodes", "Operator", "What changed", "First")
    return Table(f"Nodes in both graphs that changed{more}", columns, tuple(rows), frozenset({0}))


def _pictures(graphs: tuple[Drawing, Drawing], group: Sequence[Region]) -> Iterator[Block]:
    region = group[0]
    times = f", as in {len(group)} places" if len(group) > 1 else ""
    sides: tuple[tuple[str, str, Drawing, Collection[tuple[str, str]], Tone], ...] = (
        ("Before", "removed", graphs[0], {(node.name, node.op) for node in region.removed}, "bad"),
        ("After", "added", graphs[1], {(node.name, node.op) for node in region.added}, "good"),
    )
    for title, word, graph, nodes, tone in sides:
        chosen = [vertex for vertex in graph.vertices if (vertex.name, vertex.op) in nodes]
        counts = counted(region.removed if tone == "bad" else region.added)
        if not chosen:
            continue
        if len(chosen) > DRAWN:
            yield Words(f"{title}{times}: {counts}. {len(chosen)} nodes are too many to be drawn.")
            continue
        said = f"{title}: {len(chosen)} nodes {word}: {counts}"
        yield wiring(graph, chosen, tone, f"{title}{times}: {word} nodes framed, neighbours dashed", said)


def wiring(graph: Drawing, chosen: Sequence[Vertex], tone: Tone, caption: str, said: str) -> Wiring:
    """Nodes with the tensors that they read from outside and give to it, in layers along the data flow."""
    own = {vertex.index for vertex in chosen}
    labels: list[tuple[str, Tone]] = [(_short(vertex.op), tone) for vertex in chosen]
    number = {vertex.index: place for place, vertex in enumerate(chosen)}
    edges: list[tuple[int, int]] = []
    around: dict[tuple[str, str], int] = {}

    def neighbour(place: str, label: str) -> int:
        if (place, label) not in around:
            around[place, label] = len(labels)
            labels.append((label, ""))
        return around[place, label]

    for vertex in chosen:
        for name in filter(None, vertex.inputs):
            maker = graph.makers.get(name)
            if maker is not None and maker[0].index in own:
                edges.append((number[maker[0].index], number[vertex.index]))
            elif name not in graph.constants:
                edges.append((neighbour(name, _short(maker[0].op) if maker else name), number[vertex.index]))
        for name in filter(None, vertex.outputs):
            outside = [reader.op for reader, _ in graph.readers.get(name, ()) if reader.index not in own]
            outside += ["output"] if name in graph.outputs else []
            ends = [neighbour(f"to {name}", _short(op)) for op in dict.fromkeys(outside)]
            edges += [(number[vertex.index], end) for end in ends]
    edges = list(dict.fromkeys(edges))
    layers = _layers(len(labels), edges)
    places = _rows(layers, edges)
    spots = tuple(
        Spot(label, kind, layer, place)
        for (label, kind), layer, place in zip(labels, layers, places, strict=True)
    )
    return Wiring(caption, said, spots, tuple(edges))


def _short(op: str) -> str:
    """Without its domain, for which a frame has no room."""
    return op.rpartition(".")[2]


def _layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The longest way from a node that nothing leads to; a source stands just before what reads it."""
    layers = [0] * count
    for _ in range(count):
        moved = False
        for start, end in edges:
            if layers[end] <= layers[start]:
                layers[end], moved = layers[start] + 1, True
        if not moved:
            break
    reached = {end for _, end in edges}
    for node in range(count):
        after = [layers[end] for start, end in edges if start == node]
        if node not in reached and after:
            layers[node] = min(after) - 1
    return layers


def _rows(layers: Sequence[int], edges: Sequence[tuple[int, int]]) -> list[float]:
    """Places within each layer: in the order of the mean place of what leads to a node."""
    places = [0.0] * len(layers)
    groups = alike(range(len(layers)), layers.__getitem__)
    for layer in sorted(groups):
        mean = {}
        for node in groups[layer]:
            before = [places[start] for start, end in edges if end == node]
            mean[node] = sum(before) / len(before) if before else float(node)
        for row, node in enumerate(sorted(groups[layer], key=mean.__getitem__)):
            places[node] = float(row)
    return places
