"""``convertkit schema``: the JSON schema of what a command prints, and of the files that people write."""

from __future__ import annotations

from typing import Annotated

import typer

from convertkit.cli.options import JsonOption
from convertkit.cli.output import print_json


def schema(
    name: Annotated[
        list[str] | None,
        typer.Argument(
            help="model.yaml, variant.yaml, errors, or a command like build or cache list; default: list all.",
            metavar="NAME",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the JSON schema of a command's --json, of its errors or of model.yaml.

    An editor that is given the schema of model.yaml completes and checks it.
    """
    from convertkit.api.commands.schemas import RESULTS, schema_of

    if name:
        print_json(schema_of(" ".join(name)))
    elif as_json:
        print_json({"schemas": list(RESULTS)})
    else:
        print("\n".join(RESULTS))
