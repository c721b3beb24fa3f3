"""Two graphs node by node, whatever things are called in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from convertkit.api.commands.asking import open_all
from convertkit.api.commands.pages import Block, Shown, Table, shortened
from convertkit.api.commands.places import Place
from convertkit.api.commands.reporting import page_file, written
from convertkit.conversion.events import Report, silent
from convertkit.errors import UsageError
from convertkit.graph.difference.compare import COMPUTED, Changed, Difference, Retyped, difference
from convertkit.graph.difference.regions import Region, alike, counted, kinds_of
from convertkit.reports.page.diff import borders, diff_page

if TYPE_CHECKING:
    import onnx

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
    first: Place | onnx.ModelProto,
    second: Place | onnx.ModelProto,
    *,
    html: Place | None = None,
    plugin: Sequence[Place] = (),
    report: Report = silent,
) -> Differing:
    """Compares two graphs: what was removed, added, changed and retyped from the first to the second.

    Args:
        first, second: an ONNX file, an artifact's directory, or a model in memory.
        html: also write a page of it to this file (``--report``); needs the extra ``report``.
        plugin: files whose operators have schemas.

    Raises:
        ConvertkitError: one is no ONNX file, or a plugin cannot be loaded.
    """
    from convertkit.graph.io import load

    page = page_file(html)
    open_all(plugin)
    graphs = _graph_of(first), _graph_of(second)
    names = _name_of(graphs[0]), _name_of(graphs[1])
    loaded = load(graphs[0]), load(graphs[1])
    found = difference(*loaded)
    if page is not None:
        written(page, diff_page(names, loaded, found), report)
    return Differing(*names, found.equal, found)


def _name_of(graph: Path | onnx.ModelProto) -> str:
    return str(graph) if isinstance(graph, Path) else graph.graph.name or "the graph"


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
    for side, name, *pair in borders(found):
        yield [side, _cut(name, NAME), *(_cut(text, TEXT) for text in pair)]


def _regions(regions: Iterable[Region]) -> Iterator[list[str]]:
    for group in kinds_of(regions):
        where = [_between(region) for region in group]
        sides = (counted(nodes) for nodes in (group[0].removed, group[0].added))
        yield [*(_times(side, len(group)) for side in sides), _first(where)]


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
    groups = alike(changes, lambda change: (change.first.op, "; ".join(_said(change))))
    for (op, said), group in groups.items():
        yield [f"{len(group)} {op}", said, _first([_cut(change.first.name, NAME) for change in group])]


def _said(change: Changed) -> Iterator[str]:
    for name, pair in change.what.items():
        was, now = (
            COMPUTED.strip() if text.startswith(COMPUTED) else _cut(text, TEXT) or "-" for text in pair
        )
        yield f"{name}: {was} -> {now}" if was != now else f"{name}: another tensor"


def _kinds(retyped: Iterable[Retyped]) -> Iterator[list[str]]:
    for pair, group in alike(retyped, lambda item: item.kinds).items():
        yield [str(len(group)), *pair, _first([_cut(item.tensor, NAME) for item in group])]


def _first(names: Sequence[str], most: int = 1) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def _cut(text: str, most: int) -> str:
    return shortened(text.replace("\n", " "), most)
