"""``convertkit weights``: what a checkpoint of any origin holds, and its weights alone."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated, Any

import typer

from convertkit.cli.options import JsonOption, ModelArgument, VariantOption
from convertkit.cli.ui import note, print_json
from convertkit.storage.files import atomic_write, scratch_directory


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
    from convertkit.conversion.examine import examine
    from convertkit.models.package import find_variant, read_spec

    spec = read_spec(model)
    job: dict[str, Any] = {
        "task": "weights",
        "weights": {"checkpoint": str(checkpoint.absolute()), "ema": ema},
        "prefix": prefix,
    }
    with contextlib.ExitStack() as stack:
        # the worker is another program: what it leaves where it is killed has to be ours
        if output is not None:
            room = stack.enter_context(scratch_directory(output.absolute()))
            job["output"] = str(room / output.name)
        found = examine(model.resolve(), spec, find_variant(model, spec, variant).spec, job)
        if output is not None:
            atomic_write(output, (room / output.name).read_bytes())
    if as_json:
        print_json({**found["report"], "remarks": found["remarks"], "output": output})
        return
    for remark in found["remarks"]:
        note(f"note: {remark}")
    print(f"{checkpoint}: {_line(found['report'])}")
    if output is not None:
        print(f"wrote {output}")


def _line(report: dict[str, Any]) -> str:
    parts = [report["format"], *([report["framework"]] if "framework" in report else [])]
    parts += [f"{report['tensors']} tensors", f"{report['parameters'] / 1e6:.1f} M parameters"]
    if "classes" in report:
        parts.append(f"{len(report['classes'])} classes")
    return ", ".join(parts)
