"""``convertkit diff``: two graphs node by node, whatever things are called in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from convertkit.cli.options import JsonOption, PluginOption, open_all
from convertkit.cli.tables import print_table
from convertkit.cli.ui import print_json
from convertkit.errors import UsageError

if TYPE_CHECKING:
    from convertkit.difference.compare import Changed, Difference, Pair, Retyped
    from convertkit.difference.regions import Region

    Item = TypeVar("Item", Changed, Region, Retyped)

MOST_ROWS = 30
"""Of one table; JSON has all."""
NAME, TEXT = 60, 120
"""Characters of a name and of a value in a table."""


def diff(
    first: Annotated[Path, typer.Argument(help="ONNX file, or an artifact's directory.", metavar="A")],
    second: Annotated[Path, typer.Argument(help="What it is compared with.", metavar="B")],
    plugin: PluginOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two graphs: what was removed, added, changed and retyped from A to B.

    Exit code 1 where they differ in more than names.
    """
    from convertkit.difference.compare import difference
    from convertkit.graph.io import load

    files = [_graph_of(path) for path in (first, second)]
    open_all(plugin)  # their operators have schemas
    found = difference(*map(load, files))
    if as_json:
        print_json({"first": files[0], "second": files[1], "equal": found.equal, "difference": found})
    else:
        _show(found, files)
    if not found.equal:
        raise typer.Exit(1)


def _graph_of(path: Path) -> Path:
    """The file itself, or that of an artifact."""
    if not path.is_dir():
        return path
    if (path / "model.onnx").is_file():
        return path / "model.onnx"
    raise UsageError(f"{path}: no model.onnx in it", hint="give an ONNX file or an artifact's directory")


def _show(found: Difference, files: Sequence[Path]) -> None:
    for mark, file, nodes in zip("-+", files, found.nodes, strict=True):
        print(f"{mark} {file}: {nodes} nodes")
    print(
        f"nodes: {found.same} the same, {len(found.changed)} changed, {found.removed} removed, "
        f"{found.added} added (Constant nodes count as constants)"
    )
    sized = f"{found.sized} with more or fewer open sizes"
    print(f"tensors: {len(found.retyped)} retyped, {sized}, {found.renamed} renamed")
    _table(("", "name", "was", "is"), list(_borders(found)))
    _table(("removed", "added", "where"), list(_regions(found.regions)))
    _table(("changed", "what", "where"), list(_changes(found.changed)))
    _table(("retyped", "was", "is", "where"), list(_kinds(found.retyped)))
    if found.equal:
        print("\nnothing differs" + (" but names" if found.renamed else ""))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    print()
    print_table(columns, rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        print(f"{len(rows) - MOST_ROWS} more rows; --json has all")


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
    from convertkit.difference.regions import counted

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
    from convertkit.difference.compare import COMPUTED

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
    """Names and values come out of a file, and may be as long as that."""
    line = text.replace("\n", " ")
    return line if len(line) <= most else f"{line[: most - 3]}..."
