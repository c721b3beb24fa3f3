"""``convertkit tune``: which levers make a model faster on its target, and what each costs in accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli import options as shared
from convertkit.cli.ui import BuildView, answer, progress_bar
from convertkit.cli.verify import DatasetOption, SeedOption, SubsetOption


def tune(
    model: shared.ModelArgument,
    variant: shared.VariantOption = None,
    target: shared.TargetOption = "cpu",
    weights: shared.WeightsOption = None,
    origin: shared.OriginOption = "auto",
    pipeline: shared.PipelineOption = None,
    annotations: shared.AnnotationsOption = None,
    images: shared.ImagesOption = None,
    dataset: DatasetOption = None,
    limit: shared.LimitOption = None,
    subset: SubsetOption = None,
    seed: SeedOption = None,
    tasks: shared.TasksOption = None,
    lever: Annotated[
        list[str] | None,
        typer.Option(
            "--lever",
            metavar="NAME[=WORD,WORD]",
            help="What to change: proposals, detections, masks, profiles, batch; default: all that the model has.",
        ),
    ] = None,
    budget: Annotated[int, typer.Option("--budget", min=1, help="Points that may be looked at.")] = 24,
    price_only: Annotated[
        bool, typer.Option("--price-only", help="Measure no accuracy: for random weights, or without labels.")
    ] = False,
    drop: Annotated[
        float | None,
        typer.Option("--drop", min=0, help="AP that the choice may lose; default: by the accuracy spec."),
    ] = None,
    choose: Annotated[
        int | None, typer.Option("--choose", min=1, help="Choose the point of this number.")
    ] = None,
    emit: Annotated[
        Path | None, typer.Option("--emit", help="Write the chosen point here, as a variant for build.")
    ] = None,
    html: shared.ReportOption = None,
    option: shared.SettingOption = None,
    python: shared.PythonOption = None,
    env: shared.EnvOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Find what makes a model faster on a target, and what it costs in accuracy.

    Each point of the sweep is priced by the roofline, a bound that was never seen on a chip, and measured on photos
    beside the model as it is. What was looked at once is kept, so a sweep that was cut off goes on.
    """
    from convertkit.api.commands.tune import tune as run

    found = run(
        model, variant=variant, target=target, weights=weights, origin=origin, pipeline=pipeline,
        annotations=annotations, images=images, dataset=dataset, limit=limit, subset=subset, seed=seed, tasks=tasks,
        lever=lever or (), budget=budget, price_only=price_only, drop=drop, choose=choose, emit=emit, html=html,
        option=option, python=python, env=env, plugin=plugin or (), report=BuildView(), bar=progress_bar,
    )  # fmt: skip
    answer(found, as_json=as_json)
