"""``convertkit weights``: what a checkpoint of any origin holds, and its weights alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from convertkit.cli.options import JsonOption, ModelArgument, VariantOption


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
    from convertkit.build.examine import examine
    from convertkit.cli.ui import note, print_json
    from convertkit.models.package import find_variant, read_spec

    spec = read_spec(model)
    job = {
        "task": "weights",
        "weights": {"checkpoint": str(checkpoint.absolute()), "ema": ema},
        "prefix": prefix,
    }
    found = _examined(
        partial(examine, model.resolve(), spec, find_variant(model, spec, variant).spec), job, output
    )
    if as_json:
        print_json({**found["report"], "remarks": found["remarks"], "output": output})
        return
    for remark in found["remarks"]:
        note(f"note: {remark}")
    print(f"{checkpoint}: {_line(found['report'])}")
    if output is not None:
        print(f"wrote {output}")


def _examined(
    examine: Callable[[dict[str, Any]], dict[str, Any]], job: dict[str, Any], output: Path | None
) -> dict[str, Any]:
    """What the worker found; what it writes is put in its place here, once that is whole."""
    from convertkit.errors import StoreError
    from convertkit.files import CHUNK, atomic_write, scratch_directory

    if output is None:
        return examine(job)
    with scratch_directory(output.absolute()) as room:
        written = room / output.name
        try:
            found = examine({**job, "output": str(written)})
        except StoreError as error:
            error.message = error.message.replace(str(written), str(output))
            raise
        with written.open("rb") as stream:
            atomic_write(output, iter(lambda: stream.read(CHUNK), b""))
    return found


def _line(report: dict[str, Any]) -> str:
    parts = [report["format"], *([report["framework"]] if "framework" in report else [])]
    parts += [f"{report['tensors']} tensors", f"{report['parameters'] / 1e6:.1f} M parameters"]
    if "classes" in report:
        parts.append(f"{len(report['classes'])} classes")
    return ", ".join(parts)
