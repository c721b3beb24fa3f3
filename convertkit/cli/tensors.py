"""``convertkit dump`` and ``compare``: tensors of the target graph, for a vendor's tool and back from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli import options as shared
from convertkit.cli.ui import BuildView, print_json, progress_bar, show


def dump(
    model: shared.ModelArgument,
    photo: Annotated[Path, typer.Argument(help="A photo.", metavar="PHOTO")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A new directory.")],
    rung: Annotated[
        list[str] | None,
        typer.Option(
            "--rung",
            "-r",
            help="Emulations of the target graph, the reference first; default: all there are.",
        ),
    ] = None,
    variant: shared.VariantOption = None,
    target: shared.TargetOption = "cpu",
    weights: shared.WeightsOption = None,
    origin: shared.OriginOption = "auto",
    batch: shared.BatchOption = None,
    profile: shared.ProfileOption = None,
    pipeline: shared.PipelineOption = None,
    option: shared.SettingOption = None,
    python: shared.PythonOption = None,
    env: shared.EnvOption = None,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Write every tensor of the target graph on a photo as the vendor's tool reads a reference.

    Its own reference is plain onnxruntime, which does not know the vendor's operators. With the tensors come the
    inputs of the run and index.json, how far each emulation is from the reference, which ``compare`` reads.
    """
    from convertkit.api.commands.tensors import dump as run

    found = run(
        model, photo, output=output, rung=rung or (), variant=variant, target=target, weights=weights, origin=origin,
        batch=batch, profile=profile, pipeline=pipeline, option=option, python=python, env=env, plugin=plugin or (),
        report=BuildView(), bar=progress_bar,
    )  # fmt: skip
    if as_json:
        print_json(found)
    else:
        show(found.page())


def compare(
    table: Annotated[Path, typer.Argument(help="What the vendor's tool wrote.", metavar="RESULT.csv")],
    dumped: Annotated[
        Path, typer.Argument(help="The directory of convertkit dump that it compared with.", metavar="DUMP")
    ],
    rung: Annotated[
        str | None, typer.Option("--rung", "-r", help="Whose prediction; default: the first that was dumped.")
    ] = None,
    factor: Annotated[
        float,
        typer.Option(
            "--factor", min=1, help="How much further than predicted a tensor may be from its reference."
        ),
    ] = 4.0,
    top: Annotated[int, typer.Option("--top", min=0, help="How many tensors to show.")] = 20,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Set what the vendor's tool measured on the chip against what was predicted, tensor by tensor.

    Names the tensors where a divergence begins, and by which rule the prediction made them. Where there is one the
    exit code is 1.
    """
    from convertkit.api.commands.tensors import compare as run

    found = run(table, dumped, rung=rung, factor=factor, plugin=plugin or ())
    if as_json:
        print_json(found)
    else:
        show(found.page(top))
    if found.compared.beginning:
        raise typer.Exit(1)
