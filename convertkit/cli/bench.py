"""``convertkit bench``: how fast a built model is, with and without what is around it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli import options as shared
from convertkit.cli.ui import BuildView, answer, progress_bar

LOOPS, WARMUP, PHOTOS = 20, 3, 20


def bench(
    model: shared.ModelArgument,
    variant: shared.VariantOption = None,
    target: shared.TargetOption = "cpu",
    weights: shared.WeightsOption = None,
    origin: shared.OriginOption = "auto",
    output: shared.OutputOption = None,
    pipeline: shared.PipelineOption = None,
    input_shape: shared.InputShapeOption = None,
    runtime: Annotated[
        str | None,
        typer.Option(
            "--runtime", "-r", help="A runtime or an emulation of the target; default: the target itself."
        ),
    ] = None,
    device: shared.DeviceOption = 0,
    batch: Annotated[
        str | None,
        typer.Option("--batch", "-b", help="Pictures in one run, or several such numbers: 1,4,8."),
    ] = None,
    profile: shared.ProfileOption = None,
    loops: Annotated[int, typer.Option("--loops", "-l", min=1, help="Runs that are counted.")] = LOOPS,
    warmup: Annotated[int, typer.Option("--warmup", min=0, help="Runs before them that are not.")] = WARMUP,
    photos: Annotated[
        int, typer.Option("--photos", min=0, help="Photos of the end-to-end measurement; 0 leaves it out.")
    ] = PHOTOS,
    images: Annotated[
        Path | None, typer.Option("--images", help="Directory of photos; default: the package's samples.")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option("--results", help="Only read the speed that a runtime noted beside its results."),
    ] = None,
    option: shared.SettingOption = None,
    python: shared.PythonOption = None,
    env: shared.EnvOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Measure how fast a built model is.

    Throughput is 1000 x batch / mean compute time in ms: copies, pre- and postprocessing are left out. Beside it
    stands what photos to detections takes, everything included. Several batches, and a variant's profiles, are a table,
    with the roofline beside what was measured, or alone where there is no chip.
    """
    from convertkit.api.commands.bench import How, bench_requests, measured

    requests = bench_requests(
        model, plugin or (), batch, variant=variant, target=target, weights=weights, origin=origin, python=python,
        env=env, option=option, profile=profile, pipeline=pipeline, input_shape=input_shape, report=BuildView(),
    )  # fmt: skip
    counts = {
        "--loops": None if loops == LOOPS else loops,
        "--warmup": None if warmup == WARMUP else warmup,
        "--photos": None if photos == PHOTOS else photos,
    }
    how = How(
        runtime, device, loops, warmup, photos, images, output, counts, report=BuildView(), bar=progress_bar,
        runs=partial(progress_bar, unit="runs"),
    )  # fmt: skip
    answer(measured(requests, how, results), as_json=as_json)
