"""``convertkit verify``: the accuracy of what was built, on photos, judged."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertkit.api.commands.asking import tasks_in
from convertkit.cli import options as shared
from convertkit.cli.parts import ShardOption, WorkersOption, shard_in, show_shard
from convertkit.cli.requests import requests_of
from convertkit.cli.tables import print_figures, print_table
from convertkit.cli.ui import (
    BuildView,
    figure,
    note,
    print_classes,
    print_json,
    print_verdict,
    progress_bar,
    refuse_missed,
    with_interval,
)
from convertkit.errors import visible

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.verification.conclusion import Verification
    from convertkit.verification.intervals import Difference, Estimate
    from convertkit.verification.rung_names import RungName
    from convertkit.verification.rungs import Rung

COLUMNS = ("AP", "AP50", "AP75", "APs", "APm", "APl")

RungsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--runtime",
        "-r",
        help="framework, stock, after:PASS, an emulation or a runtime of the target, or target; may be repeated.",
    ),
]
FilesOption = Annotated[
    Path | None,
    typer.Option("--inputs", help="For runtime offline: the files that convertkit preprocess wrote."),
]
ResultFilesOption = Annotated[
    Path | None, typer.Option("--outputs", help="For runtime offline: what the chip's own tool made of them.")
]


def verify(
    model: shared.ModelArgument,
    variant: shared.VariantOption = None,
    target: shared.TargetOption = "cpu",
    weights: shared.WeightsOption = None,
    origin: shared.OriginOption = "auto",
    batch: shared.BatchOption = None,
    profile: shared.ProfileOption = None,
    output: shared.OutputOption = None,
    pipeline: shared.PipelineOption = None,
    input_shape: shared.InputShapeOption = None,
    annotations: shared.AnnotationsOption = None,
    images: shared.ImagesOption = None,
    limit: shared.LimitOption = None,
    tasks: shared.TasksOption = None,
    skip_bad_photos: shared.SkipOption = False,
    shard: ShardOption = None,
    workers: WorkersOption = 1,
    runtime: RungsOption = None,
    ladder: Annotated[
        bool, typer.Option("--ladder", help="Every rung, beside the framework's recorded figures.")
    ] = False,
    per_class: shared.PerClassOption = False,
    until_decided: Annotated[
        bool,
        typer.Option("--until-decided", help="Take photos until the gates of the accuracy spec are decided."),
    ] = False,
    results: Annotated[
        Path | None, typer.Option("--results", help="Keep the detections in this directory (COCO results).")
    ] = None,
    compiler: shared.CompilerOption = "auto",
    option: shared.SettingOption = None,
    device: shared.DeviceOption = 0,
    inputs: FilesOption = None,
    outputs: ResultFilesOption = None,
    python: shared.PythonOption = None,
    env: shared.EnvOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Measure the accuracy of a built model and judge it.

    COCO bbox and segm AP on photos, with 95 % intervals; a variant's profiles are one model, each photo by its own.
    Exit code 1 where they are below the accuracy spec, 5 where more photos have to decide.
    """
    from convertkit.conversion.profiles import build_profiles, places
    from convertkit.targets.context import RuntimeOptions
    from convertkit.verification.data import find_source
    from convertkit.verification.ladder import verify as run
    from convertkit.verification.sealed import ShardRecord

    chosen, part = tasks_in(tasks), shard_in(shard)
    requests = requests_of(
        model, plugin, variant=variant, target=target, weights=weights, origin=origin, option=option,
        python=python, env=env, compiler=compiler, batch=batch, profile=profile, pipeline=pipeline,
        input_shape=input_shape,
    )  # fmt: skip
    request = requests[0]
    rungs = _rungs(request, runtime or [], places(requests, output), ladder=ladder)
    compiled = any(rung.source == "target" for rung in rungs)
    if not (request.target.runtimes and compiled):
        names = ", ".join(rung.text for rung in rungs)
        given = {"--device": device or None, "--inputs": inputs, "--outputs": outputs}
        shared.refuse_meaningless(f"{request.target.name} {names}, which runs on the host", given)
    source = find_source(request.package, request.variant, annotations=annotations, images=images, note=note)
    view = BuildView()
    make = partial(build_profiles, requests, output, report=view) if compiled else None
    found = run(
        requests, make, source, rungs, limit=limit, tasks=chosen, skip_bad=skip_bad_photos, recorded=ladder,
        until_decided=until_decided, shard=part, workers=workers, results=results,
        options=RuntimeOptions(device=device, inputs=inputs, outputs=outputs),
        ready=bool(runtime), bar=progress_bar, report=view,
    )  # fmt: skip
    if isinstance(found, ShardRecord):
        show_shard(found, results, as_json=as_json)
    else:
        report(found, per_class=per_class, as_json=as_json)


def _rungs(
    request: BuildRequest, names: list[str], directories: Sequence[Path], *, ladder: bool
) -> list[RungName]:
    from convertkit.targets.capabilities import emulations, product_of, runtime_names
    from convertkit.verification.rung_names import ladder_of, parse_rung

    passes = [(step.name, step.effect) for step in request.pipeline.steps]
    target = request.target
    product, ways = product_of(target), emulations(target)
    compiled = bool(product) and all((place / product).is_file() for place in directories)
    default = ladder_of(passes, ways, compiled=compiled) if ladder else [target.rung]
    known = [name for name, _ in passes]
    return [parse_rung(name, known, ways, runtime_names(target)) for name in names or default]


def report(found: Verification, *, per_class: bool, as_json: bool) -> None:
    """Prints what was found; an accuracy below the spec is an error, but only after it was shown."""
    if as_json:
        print_json(found)
    else:
        _show(found, per_class=per_class)
    refuse_missed(f"{found.model} {found.variant} on {found.target}", found.verdict)


def _show(found: Verification, *, per_class: bool) -> None:
    tasks = [task for task in ("bbox", "segm") if any(task in rung.scores for rung in found.rungs)]
    images = f"{found.images} images" + (f" ({found.left_out})" if found.left_out.photos else "")
    print(
        f"{found.model} {found.variant} on {found.target}, {images}, COCO AP in 0..1, +- half its 95 % interval"
    )
    for task in tasks:
        print()
        rows = [_row(rung, task) for rung in found.rungs]
        print_figures([task, *COLUMNS, "images/s"], rows)
    _show_steps(found.differences)
    recorded = [f"{rung.name}: {rung.origin}" for rung in found.rungs if rung.origin != "measured"]
    if recorded:
        print()
        print("\n".join(recorded))
    for rung in found.rungs:
        if rung.failure:
            print(f"\n{rung.name} failed: {visible(rung.failure)}")
    if per_class:
        print_classes(found.rungs[-1].per_class)
    print_verdict(found.verdict, found.notes)


def _show_steps(differences: Sequence[Difference]) -> None:
    """What AP a rung has more than the one above it and than the first, and whether that is more than chance."""
    rows = [
        [
            found.rung,
            found.against,
            found.task,
            with_interval(found.estimate, sign="+"),
            _chance(found.estimate),
        ]
        for found in differences
        if found.metric == "AP"
    ]
    if rows:
        print()
        print_table(["rung", "against", "task", "AP", ""], rows, right=[3])


def _chance(found: Estimate) -> str:
    if found.low == found.high == 0:
        return "equal"
    return "within chance" if found.chance else "more than chance"


def _row(rung: Rung, task: str) -> list[str]:
    scores, known = rung.scores.get(task, {}), rung.intervals.get(task, {})
    rate = "-" if rung.images_per_second is None else f"{rung.images_per_second:.1f}"
    cells = [
        with_interval(known[column]) if column in known else figure(scores.get(column)) for column in COLUMNS
    ]
    return [rung.name, *cells, rate]
