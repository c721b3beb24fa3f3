"""``convertkit fetch``: a variant's checkpoint from where its authors published it."""

from __future__ import annotations

from typing import Annotated

import typer

from convertkit.cli.options import JsonOption, ModelArgument, VariantOption
from convertkit.cli.ui import note, print_json, progress_bar
from convertkit.errors import UsageError
from convertkit.storage.files import megabytes


def fetch(
    model: ModelArgument,
    variant: VariantOption = None,
    url: Annotated[str | None, typer.Option("--url", help="Another place to get the same file from.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Download a variant's checkpoint and verify it.

    An interrupted download goes on where it stopped.
    """
    from convertkit.conversion.framework import downloads_directory
    from convertkit.exporting.fetch import fetch as download
    from convertkit.models.package import find_variant, read_spec

    chosen = find_variant(model, read_spec(model), variant)
    weights = chosen.spec.weights
    source = url or weights.url
    if source is None or weights.sha256 is None:
        raise UsageError(
            f"variant {chosen.name} has nothing to download", hint="its weights travel with the package"
        )
    with progress_bar("download", weights.size or 0, unit="bytes") as advance:
        path = download(
            source,
            weights.sha256,
            weights.size,
            downloads_directory(),
            on_progress=lambda done, total: advance(done),
            on_wait=lambda phrase: note(f"waiting: {phrase}"),
        )
    if as_json:
        print_json({"path": str(path), "bytes": path.stat().st_size})
    else:
        print(f"{path} ({megabytes(path.stat().st_size)}, sha256 verified)")
