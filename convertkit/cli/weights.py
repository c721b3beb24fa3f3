"""``convertkit weights``: what a checkpoint of any origin holds, and its weights alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convertkit.cli.options import JsonOption, ModelArgument, VariantOption
from convertkit.cli.ui import answer, note


def weights(
    model: ModelArgument,
    checkpoint: Annotated[
        Path, typer.Argument(help="A checkpoint of PyTorch or safetensors.", metavar="CHECKPOINT")
    ],
    variant: VariantOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the weights alone: .pth or .safetensors.")
    ] = None,
    ema: Annotated[
        bool, typer.Option("--ema", help="Take the second set of weights (ema) instead of the model's own.")
    ] = False,
    prefix: Annotated[
        str, typer.Option("--prefix", help="Take only names that begin with this, and cut it off.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Say what a checkpoint holds, and write its weights alone.

    Nothing in it is run, and no framework is needed.
    """
    from convertkit.api.commands.weights import weights as run

    found = run(model, checkpoint, variant=variant, output=output, ema=ema, prefix=prefix)
    for remark in found["remarks"] if not as_json else ():
        note(f"note: {remark}")
    answer(found, as_json=as_json)
