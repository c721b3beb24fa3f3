"""``convertkit export``: only the first step, the framework's own ONNX export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.api.commands.passes import written
from convertkit.cli import options as shared
from convertkit.cli.requests import request_of
from convertkit.cli.ui import BuildView, print_json


def export(
    model: shared.ModelArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="ONNX file to write.")],
    variant: shared.VariantOption = None,
    weights: shared.WeightsOption = None,
    origin: shared.OriginOption = "auto",
    batch: shared.BatchOption = None,
    profile: shared.ProfileOption = None,
    python: shared.PythonOption = None,
    env: shared.EnvOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Write the framework's own ONNX export, unpatched."""
    from convertkit.conversion.engine import stock_graph
    from convertkit.graph.io import save

    request = request_of(
        model, plugin, variant=variant, weights=weights, origin=origin, batch=batch, profile=profile,
        python=python, env=env,
    )  # fmt: skip
    graph = stock_graph(request, report=BuildView())
    files, nodes = save(graph, output), len(graph.proto.graph.node)
    if as_json:
        size = sum(file.stat().st_size for file in files)
        print_json(
            {"output": str(output), "files": files, "nodes": nodes, "bytes": size, "digest": graph.digest()}
        )
    else:
        print(written(files, nodes))
