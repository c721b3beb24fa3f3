"""``convertkit ranges``: how large the tensors of a model get on photos, and what fp16 would leave of them."""

from __future__ import annotations

from typing import Annotated

import typer

from convertkit.cli import options as shared
from convertkit.cli.ui import BuildView, print_json, progress_bar, show


def ranges(
    model: shared.ModelArgument,
    variant: shared.VariantOption = None,
    target: shared.TargetOption = "cpu",
    weights: shared.WeightsOption = None,
    origin: shared.OriginOption = "auto",
    batch: shared.BatchOption = None,
    profile: shared.ProfileOption = None,
    pipeline: shared.PipelineOption = None,
    rung: Annotated[
        str | None,
        typer.Option("--rung", "-r", help="stock or after:PASS; default: the graph after all passes."),
    ] = None,
    annotations: shared.AnnotationsOption = None,
    images: shared.ImagesOption = None,
    limit: shared.LimitOption = 8,
    top: Annotated[int, typer.Option("--top", min=0, help="How many of the worst tensors to show.")] = 20,
    option: shared.SettingOption = None,
    python: shared.PythonOption = None,
    env: shared.EnvOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Show how large the tensors of a model get on photos, and what fp16 would leave of them.

    The graph runs in fp32: largest magnitudes, shares that overflow or underflow in fp16, and of coordinates the
    spacing of fp16 in pixels, each with the pass or module it comes from; the worst first.
    """
    from convertkit.api.commands.ranges import ranges as run

    found = run(
        model, variant=variant, target=target, weights=weights, origin=origin, batch=batch, profile=profile,
        pipeline=pipeline, rung=rung, annotations=annotations, images=images, limit=limit, option=option, python=python,
        env=env, plugin=plugin or (), report=BuildView(), bar=progress_bar,
    )  # fmt: skip
    if as_json:
        print_json(found)
    else:
        show(found.page(top))
