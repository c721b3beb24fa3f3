"""Passes that ran, in a line each and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from convertkit.api.commands.pages import Block, Table
from convertkit.storage.files import megabytes

if TYPE_CHECKING:
    from pathlib import Path

    from convertkit.passes.history import PassRecord


def record_line(record: PassRecord, *, cached: bool = False) -> str:
    """``2641 -> 811 nodes  2.3 s + 7.1 s  rounding: ...`` for one pass: what it took, and its check."""
    nodes = f"{record.nodes_before} -> {record.nodes_after} nodes"
    checked = f" + {record.check.seconds:.1f} s" if record.check and record.check.samples else ""
    seconds = "cached" if cached else f"{record.seconds:.1f} s{checked}"
    return f"{nodes:<20} {seconds:>15}  {record.effect}: {_said(record)}"


def unchecked_line(records: Sequence[PassRecord]) -> str:
    """How many passes nobody has compared, in the summary; empty where there is none."""
    from convertkit.passes.history import unchecked

    found = unchecked(records)
    if not found:
        return ""
    (first, why), *_ = found.items()
    return f"not checked: {len(found)} of {len(records)} passes, first {first}: {why}"


def written(files: Sequence[Path], nodes: int) -> str:
    """``wrote out.onnx (18.52 MB, 811 nodes)``; where weights lie in a file of their own, with that."""
    size = megabytes(sum(file.stat().st_size for file in files))
    return f"wrote {' and '.join(map(str, files))} ({size}, {nodes} nodes)"


def table_of(records: Sequence[PassRecord]) -> Iterator[Block]:
    """A row for each pass: what it made of the graph, and how it was checked."""
    rows = [
        [record.text, f"{record.nodes_before} -> {record.nodes_after}", record.effect, _said(record)]
        for record in records
    ]
    if rows:
        yield Table(["pass", "nodes", "effect", "check"], rows)
        yield ""


def _said(record: PassRecord) -> str:
    plain = f"not checked: {record.unchecked}" if record.unchecked else "unchanged"
    check = record.check.detail if record.check else plain
    return "; ".join([check, *([record.missed] if record.missed else []), *record.remarks])
