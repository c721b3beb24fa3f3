"""``convertkit verify``: the accuracy of what was built, on photos, judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertkit.api.commands.engines import shard_in
from convertkit.cli import options as shared
from convertkit.cli.ui import BuildView, print_json, progress_bar, show

if TYPE_CHECKING:
    from convertkit.api.commands.verify import Verified

ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        help="Only the I-th of N parts of the photos, for merge; default: as torchrun or slurm number their tasks.",
        metavar="I/N",
    ),
]
WorkersOption = Annotated[
    int,
    typer.Option(
        "--workers", help="Run photos in so many processes, each with its own runtime.", min=1, max=1024
    ),
]
EngineOption = Annotated[
    str, typer.Option("--engine", help="Whose processes: local, or ray for a cluster's.", metavar="NAME")
]
AddressOption = Annotated[
    str | None,
    typer.Option("--address", help="Of the cluster, with --engine ray.", metavar="HOST:PORT"),
]
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
DatasetOption = Annotated[
    str | None, typer.Option("--dataset", help="Photos of a dataset that convertkit fetch --dataset fetched.")
]
SubsetOption = Annotated[
    int | None,
    typer.Option("--subset", min=1, help="Only so many photos, chosen so that every class keeps its share."),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", min=0, help="Which of the choices --subset makes; 0 by default.")
]
LadderOption = Annotated[
    bool, typer.Option("--ladder", help="Every rung, beside the framework's recorded figures.")
]
DetailsOption = Annotated[
    bool,
    typer.Option("--details", help="Also average recall, kinds of errors (TIDE), and AP of every class."),
]
OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        help="Artifact directory, or its URL; default: build/MODEL-VARIANT-TARGET.",
        metavar="PATH",
    ),
]
UntilOption = Annotated[
    bool,
    typer.Option("--until-decided", help="Take photos until the gates of the accuracy spec are decided."),
]
ResultsOption = Annotated[
    str | None,
    typer.Option(
        "--results",
        help="Keep the detections in this directory, or at this URL (COCO results).",
        metavar="PATH",
    ),
]


def verify(
    model: shared.ModelArgument,
    variant: shared.VariantOption = None,
    target: shared.TargetOption = "cpu",
    weights: shared.WeightsOption = None,
    origin: shared.OriginOption = "auto",
    batch: shared.BatchOption = None,
    profile: shared.ProfileOption = None,
    output: OutputOption = None,
    pipeline: shared.PipelineOption = None,
    input_shape: shared.InputShapeOption = None,
    annotations: shared.AnnotationsOption = None,
    images: shared.ImagesOption = None,
    dataset: DatasetOption = None,
    limit: shared.LimitOption = None,
    subset: SubsetOption = None,
    seed: SeedOption = None,
    tasks: shared.TasksOption = None,
    skip_bad_photos: shared.SkipOption = False,
    shard: ShardOption = None,
    workers: WorkersOption = 1,
    engine: EngineOption = "local",
    address: AddressOption = None,
    runtime: RungsOption = None,
    ladder: LadderOption = False,
    per_class: shared.PerClassOption = False,
    details: DetailsOption = False,
    until_decided: UntilOption = False,
    results: ResultsOption = None,
    compiler: shared.CompilerOption = "auto",
    option: shared.SettingOption = None,
    device: shared.DeviceOption = 0,
    inputs: FilesOption = None,
    outputs: ResultFilesOption = None,
    python: shared.PythonOption = None,
    env: shared.EnvOption = None,
    html: shared.ReportOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Measure the accuracy of a built model and judge it.

    COCO bbox and segm AP on photos, with 95 % intervals; a variant's profiles are one model, each photo by its own.
    Exit code 1 where they are below the accuracy spec, 5 where more photos have to decide.
    """
    from convertkit.api.commands.verify import Sharded
    from convertkit.api.commands.verify import verify as run

    found = run(
        model, variant=variant, target=target, weights=weights, origin=origin, batch=batch, profile=profile,
        output=output, pipeline=pipeline, input_shape=input_shape, annotations=annotations, images=images,
        dataset=dataset, limit=limit, subset=subset, seed=seed, tasks=tasks, skip_bad_photos=skip_bad_photos,
        shard=shard_in(shard, BuildView()), workers=workers, engine=engine, address=address,
        runtime=runtime or (), ladder=ladder, until_decided=until_decided, results=results, compiler=compiler,
        option=option, device=device, inputs=inputs, outputs=outputs, python=python, env=env, html=html,
        plugin=plugin or (), report=BuildView(), bar=progress_bar,
    )  # fmt: skip
    if not isinstance(found, Sharded):
        report(found, per_class=per_class, details=details, as_json=as_json)
    elif as_json:
        print_json(found)
    else:
        show(found.page(results))


def report(found: Verified, *, per_class: bool, details: bool, as_json: bool) -> None:
    """Prints what was found; an accuracy below the spec is an error, but only after it was shown."""
    from convertkit.api.commands.accuracy import refuse_missed

    if as_json:
        print_json(found)
    else:
        show(found.page(per_class=per_class, details=details))
    refuse_missed(f"{found.model} {found.variant} on {found.target}", found.verdict)
