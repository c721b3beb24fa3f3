"""``convertkit replay``: follow a manifest's chain of hashes, and on request walk it again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli.options import EnvOption, JsonOption, PluginOption, PythonOption, located, open_all
from convertkit.cli.ui import BuildView, print_json
from convertkit.cli.volume import marked
from convertkit.errors import ConvertkitError


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
    from convertkit.conversion.manifest import NAME
    from convertkit.conversion.replay import check, repeat

    manifest = manifest / NAME if manifest.is_dir() else manifest
    findings = check(manifest)
    if model is not None:
        findings += repeat(
            manifest,
            model,
            open_all(plugin),
            variant=variant,
            weights=weights,
            python=python,
            env=env,
            report=BuildView(),
        )
    broken = [finding for finding in findings if not finding.ok]
    if as_json:
        print_json({"ok": not broken, "findings": findings})
    else:
        for finding in findings:
            print(marked("ok  " if finding.ok else "BAD ", finding.what))
    if broken:
        error = ConvertkitError(
            f"{manifest}: {len(broken)} of {len(findings)} checks fail, first: {broken[0].what}"
        )
        error.exit_code = 1
        raise error
