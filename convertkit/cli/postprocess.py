"""``convertkit postprocess``: the files a runtime left, as detections, accuracy and drawings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli import options as shared
from convertkit.cli.preprocess import ArtifactOption
from convertkit.cli.ui import BuildView, print_json, progress_bar, show

DetectionsOption = Annotated[
    Path | None,
    typer.Option(
        "--detections",
        help="Keep the detections in this file: a JSON array (COCO results), or lines where it is called .jsonl.",
    ),
]


def postprocess(
    model: shared.ModelArgument,
    results: Annotated[
        Path, typer.Argument(help="Directory of STEM_0.bin, STEM_1.bin, ... (or .npy).", metavar="RESULTS")
    ],
    inputs: Annotated[
        Path, typer.Option("--inputs", "-i", help="The directory that convertkit preprocess filled.")
    ],
    target: shared.TargetOption = "cpu",
    artifact: ArtifactOption = None,
    shapes: Annotated[
        str | None,
        typer.Option(
            "--shapes",
            help="Outputs of a picture in order, NAME=DTYPE:SIZExSIZE,...; instead of --artifact.",
        ),
    ] = None,
    annotations: Annotated[
        Path | None, typer.Option("--annotations", help="COCO instances file; default: that of preprocess.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option("--images", help="Directory of the photos, where it has moved since.")
    ] = None,
    detections: DetectionsOption = None,
    tasks: shared.TasksOption = None,
    per_class: shared.PerClassOption = False,
    draw: Annotated[
        Path | None, typer.Option("--draw", help="Write every photo with its detections into this directory.")
    ] = None,
    above: Annotated[float, typer.Option("--draw-above", help="Draw only scores greater than this.")] = 0.3,
    partial: Annotated[
        bool, typer.Option("--partial", help="Score the photos whose results are complete; judge nothing.")
    ] = False,
    report: Annotated[
        int, typer.Option("--report", min=1, help="How many missing or wrong files to name.")
    ] = 10,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Score the result files of a runtime: COCO bbox and segm AP, judged as verify does.

    Exit code 1 where they are below the accuracy spec.
    """
    from convertkit.api.commands.accuracy import refuse_missed
    from convertkit.api.commands.postprocess import page_of
    from convertkit.api.commands.postprocess import postprocess as run

    found = run(
        model, results, inputs, target=target, artifact=artifact, shapes=shapes, annotations=annotations,
        images=images, detections=detections, tasks=tasks, draw=draw, above=above, partial=partial, named=report,
        plugin=plugin or (), report=BuildView(), bar=progress_bar,
    )  # fmt: skip
    if as_json:
        print_json(found)
    else:
        show(page_of(found, draw, per_class=per_class))
    refuse_missed(f"{found.model} {found.variant}", found.verdict)
