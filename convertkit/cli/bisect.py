"""``convertkit bisect``: which pass broke it, and the smallest graph that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli import options as shared
from convertkit.cli.ui import BuildView, print_json, progress_bar, show

PlaceOption = Annotated[
    str | None,
    typer.Option(
        "--runtime",
        "-r",
        help="Where graphs run: onnxruntime (default), an emulation of the target, or target.",
    ),
]


def bisect(
    subject: shared.SubjectArgument,
    passes: Annotated[
        str, typer.Option("--passes", "-p", help="Passes in order; for a model instead of its own.")
    ] = "",
    input_shape: shared.InputShapeOption = None,
    variant: shared.VariantOption = None,
    target: shared.TargetOption = "cpu",
    weights: shared.WeightsOption = None,
    origin: shared.OriginOption = "auto",
    batch: shared.BatchOption = None,
    profile: shared.ProfileOption = None,
    runtime: PlaceOption = None,
    accuracy: Annotated[
        bool, typer.Option("--accuracy", help="Search by COCO AP on photos instead of by sample outputs.")
    ] = False,
    annotations: shared.AnnotationsOption = None,
    images: shared.ImagesOption = None,
    limit: shared.LimitOption = None,
    inputs: Annotated[
        Path | None,
        typer.Option("--inputs", help="For a GRAPH: inputs by name (.npz); default: random ones."),
    ] = None,
    seed: shared.SeedOption = 0,
    effect: Annotated[
        str | None,
        typer.Option(
            "--effect", help="Judge every pass as exact, rounding or semantic, not by its own effect."
        ),
    ] = None,
    done: shared.DoneOption = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Directory of the reproducer; default: bisect-PASS.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a reproducer that is there.")] = False,
    python: shared.PythonOption = None,
    env: shared.EnvOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Find the first pass that breaks a graph, and a reproducer.

    Exit code 0 where all passes hold, 1 where one does not.
    """
    from convertkit.api.commands.bisect import Bisector, page_of

    bisector = Bisector(runtime, effect, output, force, BuildView(), progress_bar)
    if subject.is_dir():
        shared.refuse_meaningless(
            "a model package", {"--inputs": inputs, "--seed": seed or None, "--done": done or None}
        )
        photos = (annotations, images, limit) if accuracy or annotations or images or limit else None
        found = bisector.package(
            subject, plugin or (), photos, variant=variant, target=target, weights=weights, origin=origin,
            python=python, env=env, pipeline=passes or None, input_shape=input_shape, batch=batch, profile=profile,
        )  # fmt: skip
    else:
        own = {
            "--batch": batch, "--profile": profile, "--variant": variant, "--weights": weights,
            "--accuracy": accuracy or None, "--python": python, "--env": env, "--annotations": annotations,
            "--images": images, "--limit": limit,
        }  # fmt: skip
        shared.refuse_meaningless("an ONNX file", own)
        found = bisector.graph(
            subject, passes, done=done, input_shape=input_shape, target=target, inputs=inputs, seed=seed,
            plugin=plugin or (),
        )  # fmt: skip
    if as_json:
        print_json(found)
    else:
        show(page_of(found))
    if found.culprit is not None:
        raise typer.Exit(1)
