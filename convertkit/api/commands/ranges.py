"""How large the tensors of a model get on photos, and what fp16 would leave of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from convertkit.api.commands.asking import Profile, Settings, Words, request_of
from convertkit.api.commands.courses import source_in
from convertkit.api.commands.pages import Block, Shown, Table, shortened
from convertkit.api.commands.places import Place, path_of
from convertkit.conversion.events import Report, fresh_only, noted, silent
from convertkit.conversion.precision_plan import WHOLE
from convertkit.errors import UsageError, nearest
from convertkit.precision.ranges import Ranges
from convertkit.reports.page.ranges import COLUMNS, NUMBERS, cells
from convertkit.storage.progress import Bar, no_bar

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.datasets.coco import CocoDataset
    from convertkit.rungs.names import RungName

PHOTOS = 8
"""How many photos are looked at unless told otherwise."""
TOP = 20
"""How many of the worst tensors are shown."""
WIDEST = 48
"""Letters of a name that the table shows."""


class Ranged(Shown, Struct, frozen=True):
    """``rung``: whose graph, in fp32."""

    model: str
    variant: str
    target: str
    rung: str
    ranges: Ranges

    def page(self, top: int = TOP) -> Iterator[Block]:
        found = self.ranges
        many = len(found.overflowing)
        yield (
            f"{self.model} {self.variant} on {self.target}, rung {self.rung} in fp32, {found.photos} photos: "
            f"{many or 'none'} of {len(found.tensors)} tensors beyond fp16"
        )
        if top:
            yield ""
            yield Table(
                list(map(str.lower, COLUMNS)),
                [cells(one, _cut) for one in found.tensors[:top]],
                right=sorted(NUMBERS),
            )
        yield ""
        yield (
            "worst first; spacing: pixels between neighbouring fp16 numbers where a coordinate is largest. All in "
            "fp32: behind a tensor that overflows, fp16 has other values than these"
        )
        yield from (f"not measured: {text}" for text in found.unmeasured)


def ranges(
    model: Place,
    *,
    variant: str | None = None,
    target: str = "cpu",
    weights: Place | None = None,
    origin: str = "auto",
    batch: int | None = None,
    profile: Profile | None = None,
    pipeline: Words | None = None,
    rung: str | None = None,
    annotations: Place | None = None,
    images: Place | None = None,
    limit: int | None = PHOTOS,
    option: Settings | None = None,
    python: Place | None = None,
    env: str | None = None,
    plugin: Sequence[Place] = (),
    report: Report = silent,
    bar: Bar = no_bar,
) -> Ranged:
    """Runs a model's graph in fp32 on photos and says, of every tensor, what fp16 would leave of it.

    Args:
        model: the package, by name or directory. The others are the options of ``convertkit ranges``.
        rung: ``stock`` or ``after:PASS``; by default the graph after all passes.
        report: told of every step. bar: opened with the rung's name and the number of photos.

    Raises:
        ConvertkitError: what was asked cannot be done, or a step failed.
    """
    request = request_of(
        model, plugin, variant=variant, target=target, weights=weights, origin=origin, option=option,
        python=python, env=env, batch=batch, profile=profile, pipeline=pipeline, report=report,
    )  # fmt: skip
    chosen = rung_of(request, rung)
    dataset = source_in(request, path_of(annotations), path_of(images), None, report).open(limit)
    found = ranges_on(request, chosen, dataset, report, bar)
    names = request.package.spec.name, request.variant.name, request.target.name
    return Ranged(*names, chosen.text, found)


def ranges_on(
    request: BuildRequest, rung: RungName, dataset: CocoDataset, report: Report, bar: Bar = no_bar
) -> Ranges:
    """Of a rung's graph on all photos of a dataset, from the store or measured now."""
    from convertkit.conversion.store import Store
    from convertkit.conversion.tracing import traced
    from convertkit.precision.measuring import measured

    graph, origins = traced(request, rung.passes, report=fresh_only(report))
    with bar(rung.text, len(dataset.images)) as advance:
        store = Store(notice=noted(report))
        return measured(request, graph, origins, dataset, store=store, on_progress=advance)


def rung_of(request: BuildRequest, text: str | None = None) -> RungName:
    """A graph on the way to the target, without what emulates one: numbers are looked at in fp32."""
    from convertkit.rungs.names import AFTER, RungName, parse_rung

    passes = [step.name for step in request.pipeline.steps]
    if text is None:
        return RungName(WHOLE, "final", len(passes))
    if text != "stock" and not text.startswith(AFTER):
        known = ["stock", *(AFTER + name for name in passes)]
        hint = nearest(text, known, "give stock or after:PASS")
        raise UsageError(f"--rung {text}: it has no graph of its own", hint=hint)
    return parse_rung(text, passes, {})


def _cut(name: str) -> str:
    return shortened(name, WIDEST)
