"""``convertkit detect``: photos in, pictures of what a model finds in them out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from convertkit.api.commands.places import located_built
from convertkit.cli import options as shared
from convertkit.cli.ui import BuildView, print_json, progress_bar, show

HERE = Path("detections")


BuiltArgument: TypeAlias = Annotated[
    Path,
    typer.Argument(
        help="Model package, or the directory of an artifact.", metavar="MODEL|ARTIFACT", parser=located_built
    ),
]
PackageOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--package",
        help="The model package of an artifact, where it is not found by its name.",
        metavar="MODEL",
        parser=shared.located,
    ),
]


def detect(
    model: BuiltArgument,
    photos: Annotated[
        list[Path], typer.Argument(help="Photos, or directories of photos.", metavar="PHOTO...")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Directory of the pictures, or a file: .png or .jpg for one photo, .json for the detections alone; "
            f"default: {HERE}.",
        ),
    ] = None,
    rung: Annotated[
        list[str] | None,
        typer.Option("--rung", "-r", help="As verify's --runtime; several are drawn side by side."),
    ] = None,
    above: Annotated[
        float, typer.Option("--above", min=0, max=1, help="Only scores greater than this.")
    ] = 0.3,
    limit: shared.LimitOption = None,
    variant: shared.VariantOption = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Default: cpu, or the artifact's.")
    ] = None,
    weights: shared.WeightsOption = None,
    origin: shared.OriginOption = "auto",
    profile: shared.ProfileOption = None,
    package: PackageOption = None,
    device: shared.DeviceOption = 0,
    option: shared.SettingOption = None,
    python: shared.PythonOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Draw what a model finds in photos: boxes, masks, names and scores.

    Builds first what is missing, as verify does.
    """
    from convertkit.api.commands.detect import detect as run

    where = output or HERE
    found = run(
        model, photos, output=None if as_json and output is None else where, rung=rung or (), above=above,
        limit=limit, variant=variant, target=target, weights=weights, origin=origin, profile=profile,
        package=package, device=device, option=option, python=python, plugin=plugin or (), report=BuildView(),
        bar=progress_bar,
    )  # fmt: skip
    if as_json:
        print_json(found)
    else:
        show([*found.page(), "", f"{'drawn in' if found[0].picture else 'written to'} {where}"])
