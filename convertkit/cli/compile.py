"""``convertkit compile``: finish a bundle where the target's compiler is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli.options import JsonOption, PluginOption
from convertkit.cli.ui import BuildView, answer


def compile_bundle(
    bundle: Annotated[
        Path, typer.Argument(help="Directory that convertkit build made, or a .zip of it.", metavar="BUNDLE")
    ],
    compiler: Annotated[
        str, typer.Option("--compiler", help="Where the compiler is: local, docker:IMAGE or ssh:HOST.")
    ] = "local",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Artifact directory; default: the bundle itself.")
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Let the bundle have its compiler write outside of it.")
    ] = False,
    plugin: PluginOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compile a bundle that build left awaiting its compiler.

    Needs neither the model package nor what was built before; every file is checked against the manifest first. Several
    profiles are compiled one after the other.
    """
    from convertkit.api.commands.compile import compile_bundle as run

    found = run(
        bundle, compiler=compiler, output=output, trust=trust, plugin=plugin or (), report=BuildView()
    )
    answer(found, as_json=as_json)
