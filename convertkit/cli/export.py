"""``convertkit export``: only the first step, the framework's own ONNX export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli import options as shared
from convertkit.cli.ui import BuildView, answer


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
    from convertkit.api.commands.export import export as run

    found = run(
        model, output, variant=variant, weights=weights, origin=origin, batch=batch, profile=profile, python=python,
        env=env, plugin=plugin or (), report=BuildView(),
    )  # fmt: skip
    answer(found, as_json=as_json)
