"""From a bundle to the offline model: its options, its graph, ATC."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from convertkit_ascend.atc import Compiler, Status, compile_with_atc
from convertkit_ascend.bundle import atc_json, origins
from convertkit_ascend.bundle.names import GRAPH, KEPT, OM
from convertkit_ascend.bundle.preflight import stop


def finish(directory: Path, compiler: Compiler, tell: Callable[[str], None]) -> None:
    """Makes ``model.om`` in a bundle's directory.

    Raises:
        UsageError: the options cannot be read. PreflightError: the kernel lists installed here refuse the graph.
        AtcError: ATC failed.
    """
    recorded = atc_json.read(directory)
    stop(directory, GRAPH, recorded)

    def on_status(status: Status) -> None:
        tell(f"atc on {compiler.where}: {status.phase}")

    made = compile_with_atc(
        directory / GRAPH,
        recorded.options,
        directory / OM,
        compiler=compiler,
        beside=sorted(directory.glob(f"{GRAPH}.*.data")),
        origins=origins.read(directory),
        on_status=on_status,
    )
    if made.unknown:
        tell(f"whether nodes are kept in fp32 is not known: {made.unknown}")
    if made.kept:
        (directory / KEPT).write_bytes(msgspec.json.format(msgspec.json.encode(made.kept), indent=1))
        for one in made.kept:
            tell(f"keep_dtype {one}")
