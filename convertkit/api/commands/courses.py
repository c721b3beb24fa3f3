"""What a verification is asked to do: its rungs, what they need built, the device, the photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from convertkit.api.commands.asking import refuse_meaningless
from convertkit.api.commands.places import Place, path_of, where_of
from convertkit.conversion.events import Report, said
from convertkit.errors import UsageError
from convertkit.storage.copies import origin
from convertkit.storage.urls import Url

if TYPE_CHECKING:
    from convertkit.conversion.engine import BuildResult
    from convertkit.conversion.request import BuildRequest
    from convertkit.rungs.names import RungName
    from convertkit.targets.context import RuntimeOptions
    from convertkit.verification.data import Source


def rungs_in(
    requests: Sequence[BuildRequest], names: Sequence[str], room: Path | None, *, ladder: bool
) -> list[RungName]:
    """What ``--runtime`` says, or the whole ladder, or the target's own rung."""
    from convertkit.conversion.profiles import places
    from convertkit.rungs.names import ladder_of, parse_rung
    from convertkit.targets.capabilities import emulations, product_of, runtime_names

    passes = [(step.name, step.effect) for step in requests[0].pipeline.steps]
    target, directories = requests[0].target, places(requests, room)
    product, ways = product_of(target), emulations(target)
    compiled = bool(product) and all((place / product).is_file() for place in directories)
    default = ladder_of(passes, ways, compiled=compiled) if ladder else [target.rung]
    known = [name for name, _ in passes]
    return [parse_rung(name, known, ways, runtime_names(target)) for name in names or default]


def making(
    requests: Sequence[BuildRequest], room: Path | None, rungs: Sequence[RungName], report: Report
) -> Callable[[], Sequence[BuildResult]] | None:
    """What builds the artifacts, where a rung needs them."""
    if not any(rung.source == "target" for rung in rungs):
        return None
    return partial(_built, requests, room, report)


def _built(requests: Sequence[BuildRequest], room: Path | None, report: Report) -> Sequence[BuildResult]:
    """Raises UsageError where an artifact that has a URL is not what would be built: nobody would find the new one."""
    from convertkit.conversion.profiles import build_profiles

    found = build_profiles(requests, room, report=report)
    for one in found:
        if one.fresh and isinstance(place := origin(one.directory.resolve()), Url):
            hint = "build it, and copy it there"
            raise UsageError("not the artifact that is built of this model now", hint=hint).about(place)
    return found


def on_device(
    request: BuildRequest, rungs: Sequence[RungName], device: int, inputs: Place | None, outputs: Place | None
) -> RuntimeOptions:
    """Refused where no rung runs on one."""
    from convertkit.targets.context import RuntimeOptions

    if not (request.target.runtimes and any(rung.source == "target" for rung in rungs)):
        given = {"--device": device or None, "--inputs": inputs, "--outputs": outputs}
        names = ", ".join(rung.text for rung in rungs)
        refuse_meaningless(f"{request.target.name} {names}, which runs on the host", given)
    return RuntimeOptions(device=device, inputs=path_of(inputs), outputs=path_of(outputs))


def source_in(
    request: BuildRequest,
    annotations: Place | Url | None,
    images: Place | Url | None,
    dataset: str | None,
    report: Report,
) -> Source:
    """The photos and their annotations."""
    from convertkit.verification.data import find_source

    return find_source(
        request.package,
        request.variant,
        annotations=where_of(annotations),
        images=where_of(images),
        dataset=dataset,
        note=said(report),
    )
