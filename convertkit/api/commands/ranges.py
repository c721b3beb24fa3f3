"""How large the tensors of a model get on photos, and what fp16 would leave of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from convertkit.api.commands.asking import Place, Profile, Settings, Words, path_of, request_of
from convertkit.api.commands.courses import source_in
from convertkit.api.commands.pages import Block, Shown, Table, shortened
from convertkit.conversion.events import Report, fresh_only, noted, silent
from convertkit.errors import UsageError
from convertkit.precision.ranges import Ranges, TensorRange
from convertkit.storage.progress import Bar, no_bar

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.verification.rung_names import RungName

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
            columns = ["tensor", "made by", "from", "largest", "overflow %", "underflow %", "spacing px"]
            yield ""
            yield Table(columns, [_row(one) for one in found.tensors[:top]], right=range(3, 7))
        yield ""
        yield (
            "worst first; spacing: pixels between neighbouring fp16 numbers where a coordinate is largest. All in "
            "fp32: behind a tensor that overflows, fp16 has other values than these"
        )
        if found.unknown:
            yield f"not measured: {found.unknown} tensors whose type no inference tells"
        if found.inside:
            yield f"not measured: what {found.inside} nodes inside branches, loops and other bodies make"


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
    from convertkit.conversion.store import Store
    from convertkit.conversion.tracing import traced
    from convertkit.precision.measuring import measured

    request = request_of(
        model, plugin, variant=variant, target=target, weights=weights, origin=origin, option=option,
        python=python, env=env, batch=batch, profile=profile, pipeline=pipeline, report=report,
    )  # fmt: skip
    chosen = _rung(request, rung)
    dataset = source_in(request, path_of(annotations), path_of(images), None, report).open(limit)
    graph, origins = traced(request, chosen.passes, report=fresh_only(report))
    with bar(chosen.text, len(dataset.images)) as advance:
        store = Store(notice=noted(report))
        found = measured(request, graph, origins, dataset, store=store, on_progress=advance)
    names = request.package.spec.name, request.variant.name, request.target.name
    return Ranged(*names, chosen.text, found)


def _rung(request: BuildRequest, text: str | None) -> RungName:
    """A graph on the way to the target, without what emulates one: numbers are looked at in fp32."""
    from convertkit.verification.rung_names import RungName, parse_rung

    passes = [step.name for step in request.pipeline.steps]
    if text is None:
        return RungName("target graph", "final", len(passes))
    rung = parse_rung(text, passes, {})
    if rung.source not in ("stock", "after"):
        raise UsageError(f"--rung {text}: it has no graph of its own", hint="give stock or after:PASS")
    return rung


def _row(one: TensorRange) -> list[str]:
    apart = "" if not one.coordinates else "-" if one.spacing_px is None else f"{one.spacing_px:g}"
    made = one.kind if one.kind != "result" else f"{one.op} {shortened(one.node, WIDEST)}"
    return [
        shortened(one.name, WIDEST),
        made,
        one.origin or "-",
        "not finite" if one.largest is None else f"{one.largest:.4g}",
        _percent(one.overflow),
        _percent(one.underflow),
        apart,
    ]


def _percent(share: float) -> str:
    """``-`` for none at all, so that few are not taken for none."""
    return "-" if not share else f"{100 * share:.2g}"
