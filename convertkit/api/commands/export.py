"""Only the first step, the framework's own ONNX export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from convertkit.api.commands.asking import request_of
from convertkit.api.commands.pages import Block, Shown
from convertkit.api.commands.passes import written
from convertkit.api.commands.places import Place
from convertkit.conversion.events import Report, silent


class Exported(Shown, Struct, frozen=True):
    """Bytes of all files; digest of the graph with its weights."""

    output: str
    files: list[str]
    nodes: int
    bytes: int
    digest: str

    def page(self) -> Iterator[Block]:
        yield written(list(map(Path, self.files)), self.nodes)


def export(
    model: Place, output: Path, *, plugin: Sequence[Place] = (), report: Report = silent, **words: Any
) -> Exported:
    """Writes the framework's own export, unpatched.

    Args:
        words: as :func:`~convertkit.api.commands.asking.request_of` takes them.
    """
    from convertkit.conversion.engine import stock_graph
    from convertkit.graph.io import save

    graph = stock_graph(request_of(model, plugin, report=report, **words), report=report)
    files = save(graph, output)
    size = sum(file.stat().st_size for file in files)
    return Exported(str(output), list(map(str, files)), len(graph.proto.graph.node), size, graph.digest())
