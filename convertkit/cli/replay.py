"""``convertkit replay``: follow a manifest's chain of hashes, and on request walk it again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli.options import EnvOption, JsonOption, PluginOption, PythonOption, located
from convertkit.cli.ui import BuildView, answer


def replay(
    manifest: Annotated[Path, typer.Argument(help="An artifact, or its manifest.json.", metavar="MANIFEST")],
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            help="Model package: repeat every step and compare its result.",
            metavar="MODEL",
            parser=located,
        ),
    ] = None,
    variant: Annotated[
        str | None, typer.Option("--variant", "-V", help="Variant, where it is a YAML file.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option("--weights", "-w", help="The weights that were given to build.")
    ] = None,
    python: PythonOption = None,
    env: EnvOption = None,
    plugin: PluginOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check an artifact against its manifest.

    With --model, build it again from nothing and compare every step.
    """
    from convertkit.api.commands.replay import manifest_at
    from convertkit.api.commands.replay import replay as run

    manifest = manifest_at(manifest)
    found = run(
        manifest, model=model, variant=variant, weights=weights, python=python, env=env, plugin=plugin or (),
        report=BuildView(),
    )  # fmt: skip
    answer(found, as_json=as_json)
    found.require(manifest)
