"""``convertkit plan``: which nodes of a model have to stay in fp32 on its target."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli import options as shared
from convertkit.cli.ui import BuildView, answer, progress_bar


def plan(
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
    loss: Annotated[
        float,
        typer.Option("--loss", help="What the detection loss may be, 0 to 1: the upper end of its interval."),
    ] = 0.08,
    budget: Annotated[int, typer.Option("--budget", min=1, help="Mixtures that may be run at most.")] = 30,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the plan here, as YAML; for -O plan=FILE.")
    ] = None,
    option: shared.SettingOption = None,
    python: shared.PythonOption = None,
    env: shared.EnvOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Find the fewest nodes that have to stay in fp32 on a target that computes in fp16.

    Mixtures are run as the chip would, on photos, and their detections compared with those of fp32: no labels are
    needed. What was run once is kept, so a plan that was cut off goes on. Exit code 1 where none meets the limit.
    """
    from convertkit.api.commands.plan import plan as run

    found = run(
        model, variant=variant, target=target, weights=weights, origin=origin, batch=batch, profile=profile,
        pipeline=pipeline, rung=rung, annotations=annotations, images=images, limit=limit, loss=loss, budget=budget,
        output=output, option=option, python=python, env=env, plugin=plugin or (), report=BuildView(), bar=progress_bar,
    )  # fmt: skip
    answer(found, as_json=as_json)
    if not found.plan.met:
        raise typer.Exit(1)
