"""Two graphs node by node, whatever things are called in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from convertkit.api.commands.asking import Place, open_all
from convertkit.api.commands.pages import Block, Shown, Table, shortened
from convertkit.errors import UsageError
from convertkit.graph.difference.compare import COMPUTED, Changed, Difference, Pair, Retyped, difference
from convertkit.graph.difference.regions import Region, counted

if TYPE_CHECKING:
    import onnx

Item = TypeVar("Item", Changed, Region, Retyped)

MOST_ROWS = 30
"""Of one table; the record has all."""
NAME, TEXT = 60, 120
"""Characters of a name and of a value in a table."""


class Differing(Shown, Struct, frozen=True):
    """``equal``: nothing differs but names. A graph that was in memory is called by its own name."""

    first: str
    second: str
    equal: bool
    difference: Difference

    def page(self) -> Iterator[Block]:
        found = self.difference
        for mark, file, nodes in zip("-+", (self.first, self.second), found.nodes, strict=True):
            yield f"{mark} {file}: {nodes} nodes"
        yield (
            f"nodes: {found.same} the same, {len(found.changed)} changed, {found.removed} removed, "
            f"{found.added} added (Constant nodes count as constants)"
        )
        sized = f"{found.sized} with more or fewer open sizes"
        yield f"tensors: {len(found.retyped)} retyped, {sized}, {found.renamed} renamed"
        yield from _table(("", "name", "was", "is"), list(_borders(found)))
        yield from _table(("removed", "added", "where"), list(_regions(found.regions)))
        yield from _table(("changed", "what", "where"), list(_changes(found.changed)))
        yield from _table(("retyped", "was", "is", "where"), list(_kinds(found.retyped)))
        if found.equal:
            yield from ("", "nothing differs" + (" but names" if found.renamed else ""))


def diff(
    first: Place | onnx.ModelProto, second: Place | onnx.ModelProto, *, plugin: Sequence[Place] = ()
) -> Differing:
    """Compares two graphs: what was removed, added, changed and retyped from the first to the second.

    Args:
        first, second: an ONNX file, an artifact's directory, or a model in memory.
        plugin: files whose operators have schemas.

    Raises:
        ConvertkitError: one is no ONNX file, or a plugin cannot be loaded.
    """
    from convertkit.graph.io import load

    graphs = [_graph_of(each) for each in (first, second)]
    open_all(plugin)
    found = difference(*map(load, graphs))
    names = [str(graph) if isinstance(graph, Path) else graph.graph.name or "the graph" for graph in graphs]
    return Differing(names[0], names[1], found.equal, found)


def _graph_of(graph: Place | onnx.ModelProto) -> Path | onnx.ModelProto:
    """The file itself, or that of an artifact."""
    if not isinstance(graph, str | Path):
        return graph
    path = Path(graph)
    if not path.is_dir():
        return path
    if (path / "model.onnx").is_file():
        return path / "model.onnx"
    raise UsageError(f"{path}: no model.onnx in it", hint="give an ONNX file or an artifact's directory")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Block]:
    if not rows:
        return
    yield ""
    yield Table(columns, rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        yield f"{len(rows) - MOST_ROWS} more rows; --json has all"


def _borders(found: Difference) -> Iterator[list[str]]:
    sides: dict[str, Mapping[str, Pair]] = {
        "input": found.inputs,
        "output": found.outputs,
        "opset": found.opsets,
    }
    for side, pairs in sides.items():
        for name, pair in pairs.items():
            yield [side, _cut(name, NAME) or "ai.onnx", *(_cut(text, TEXT) or "-" for text in pair)]


def _regions(regions: Iterable[Region]) -> Iterator[list[str]]:
    alike = _grouped(regions, lambda region: (counted(region.removed), counted(region.added)))
    for (removed, added), group in sorted(alike.items(), key=lambda item: -_size(item[1])):
        where = [_between(region) for region in group]
        yield [_times(removed, len(group)), _times(added, len(group)), _first(where)]


def _size(group: Iterable[Region]) -> int:
    return sum(len(region.removed) + len(region.added) for region in group)


def _times(what: str, number: int) -> str:
    return f"{number} x ({what})" if what and number > 1 else what or "-"


def _between(region: Region) -> str:
    """``from a, b to c``."""
    parts = [
        f"{word} {_first([_cut(name, NAME) for name in names], most=2)}"
        for word, names in (("from", region.reads), ("to", region.gives))
        if names
    ]
    return " ".join(parts) or "unused"


def _changes(changes: Iterable[Changed]) -> Iterator[list[str]]:
    alike = _grouped(changes, lambda change: (change.first.op, "; ".join(_said(change))))
    for (op, said), group in alike.items():
        yield [f"{len(group)} {op}", said, _first([_cut(change.first.name, NAME) for change in group])]


def _said(change: Changed) -> Iterator[str]:
    for name, pair in change.what.items():
        was, now = (
            COMPUTED.strip() if text.startswith(COMPUTED) else _cut(text, TEXT) or "-" for text in pair
        )
        yield f"{name}: {was} -> {now}" if was != now else f"{name}: another tensor"


def _kinds(retyped: Iterable[Retyped]) -> Iterator[list[str]]:
    for pair, group in _grouped(retyped, lambda item: item.kinds).items():
        yield [str(len(group)), *pair, _first([_cut(item.tensor, NAME) for item in group])]


def _grouped(items: Iterable[Item], key: Callable[[Item], Pair]) -> dict[Pair, list[Item]]:
    found: dict[Pair, list[Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def _first(names: Sequence[str], most: int = 1) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def _cut(text: str, most: int) -> str:
    return shortened(text.replace("\n", " "), most)
