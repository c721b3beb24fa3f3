"""``convertkit doctor``: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

from typing import Annotated

import typer

from convertkit.cli.options import JsonOption, PluginOption
from convertkit.cli.tables import print_table
from convertkit.cli.ui import print_json
from convertkit.errors import ConvertkitError


def doctor(
    as_json: JsonOption = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything is amiss.")] = False,
    plugin: PluginOption = None,
) -> None:
    """Say what this machine has, and what is missing."""
    from convertkit.doctor import examine

    findings = examine(plugin or ())
    amiss = [finding for finding in findings if finding.state == "missing"]
    if as_json:
        print_json(findings)
    else:
        print_table(["", "what", "found", "advice"], [[f.state, f.what, f.found, f.advice] for f in findings])
    if strict and amiss:
        error = ConvertkitError(f"{amiss[0].what}: {amiss[0].found}", hint=amiss[0].advice)
        error.exit_code = 1
        raise error
