"""``convertkit doctor``: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertkit.cli.options import JsonOption, PluginOption
from convertkit.cli.tables import print_table
from convertkit.cli.ui import note, print_json
from convertkit.errors import ConvertkitError, UsageError

if TYPE_CHECKING:
    from convertkit.plugins.diagnosis import Diagnosis


def doctor(
    as_json: JsonOption = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything is amiss.")] = False,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            metavar="FILE.zip",
            help="Pack this, versions, settings and the texts of the last failures, for a report of a fault.",
        ),
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Say what this machine has, and what is missing."""
    from convertkit.reports.examination import examine

    findings = examine(plugin or ())
    amiss = [finding for finding in findings if finding.state == "missing"]
    if bundle is not None:
        _pack(bundle, findings)
    if as_json:
        print_json(findings)
    else:
        print_table(["", "what", "found", "advice"], [[f.state, f.what, f.found, f.advice] for f in findings])
    if strict and amiss:
        error = ConvertkitError(f"{amiss[0].what}: {amiss[0].found}", hint=amiss[0].advice)
        error.exit_code = 1
        raise error


def _pack(path: Path, findings: Sequence[Diagnosis]) -> None:
    from convertkit.reports.packing import pack

    if path.suffix.lower() != ".zip":
        raise UsageError(f"--bundle {path}: a zip file is written", hint=f"say {path.name}.zip")
    packed = pack(path, findings)
    note(f"wrote {path} ({len(packed.files)} files); look through it before you send it")
    for name, why in packed.left_out.items():
        note(f"left out: {name}: {why}")
