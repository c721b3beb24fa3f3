"""``convertkit preprocess``: photos to the files that a runtime reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli import options as shared
from convertkit.cli.ui import BuildView, answer, progress_bar

ArtifactOption = Annotated[
    Path | None,
    typer.Option(
        "--artifact", help="Artifact directory, for what its graph takes and gives; default: build/..."
    ),
]


def preprocess(
    model: shared.ModelArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Directory to fill; must be empty or ours.")],
    variant: shared.VariantOption = None,
    target: shared.TargetOption = "cpu",
    batch: shared.BatchOption = None,
    profile: shared.ProfileOption = None,
    artifact: ArtifactOption = None,
    annotations: Annotated[
        Path | None,
        typer.Option("--annotations", help="COCO instances file that names the photos; needs --images."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option("--images", help="Directory of photos; default: the variant's dataset.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="Only the first so many photos.")
    ] = None,
    skip_bad_photos: shared.SkipOption = False,
    suffix: Annotated[
        str, typer.Option("--format", help="bin (raw little-endian values, no header) or npy.")
    ] = "bin",
    placement: Annotated[
        str | None, typer.Option("--placement", help="corner or center, instead of the variant's own.")
    ] = None,
    rounding: Annotated[
        str | None, typer.Option("--rounding", help="nearest or floor, instead of the variant's own.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Threads; default: one per processor.")
    ] = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Write every photo as the network input, one file each, also for a model that takes several in one run.

    Finished photos are not made again; preprocess.json beside the files holds the way back for postprocess. A variant's
    profiles have a directory each, with the photos that suit it.
    """
    from convertkit.api.commands.preprocess import preprocess as run

    found = run(
        model, output, variant=variant, target=target, batch=batch, profile=profile, artifact=artifact,
        annotations=annotations, images=images, limit=limit, skip_bad_photos=skip_bad_photos, suffix=suffix,
        placement=placement, rounding=rounding, jobs=jobs, plugin=plugin or (), report=BuildView(), bar=progress_bar,
    )  # fmt: skip
    answer(found, as_json=as_json)
