"""Which nodes of a model have to stay in fp32 on its target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from convertkit.api.commands.asking import Profile, Settings, Words, request_of
from convertkit.api.commands.courses import source_in
from convertkit.api.commands.pages import Block, Judged, Shown, Table, shortened
from convertkit.api.commands.places import Place, path_of
from convertkit.api.commands.ranges import rung_of
from convertkit.conversion.events import Report, fresh_only, noted, silent
from convertkit.conversion.precision_plan import Entry, PrecisionPlan, plan_text
from convertkit.errors import UsageError
from convertkit.precision.planning import BUDGET, LIMIT, Planner, check
from convertkit.precision.ranges import Ranges
from convertkit.storage.progress import Bar, no_bar

PHOTOS = 8
"""How many photos are looked at unless told otherwise."""
WIDEST = 60
"""Letters of a name that the table shows."""


class Planned(Shown, Struct, frozen=True):
    """``file``: where the plan was written to, null where nowhere."""

    plan: PrecisionPlan
    file: str | None

    def page(self) -> Iterator[Block]:
        found = self.plan
        yield (
            f"{found.model} {found.variant} on {found.target}, {found.rung}, {len(found.photos)} photos, "
            f"{found.evaluations} evaluation{'s' * (found.evaluations != 1)}: {_kept(found)}"
        )
        if found.entries:
            columns = ["nodes", "why", "loss without", "with", "on photos", "ms"]
            yield ""
            yield Table(
                columns, [_row(entry, len(found.photos)) for entry in found.entries], right=(2, 3, 4, 5)
            )
            yield ""
        yield f"loss of all fp16 {found.all_fp16}, with the plan {found.planned}, limit {found.limit:g}"
        yield _verdict(found)
        if found.failed:
            yield f"all fp16 fails on {found.failed} of {len(found.photos)} photos, which costs everything there"
        if found.empty:
            yield f"on {found.empty} of {len(found.photos)} photos fp32 finds nothing: they say nothing"
        yield from found.left_out
        for name, why in found.impossible.items():
            yield Judged("?   " if found.met else "BAD ", f"{name} is at a tensor that overflows: {why}")
        if self.file is not None:
            yield f"written to {self.file}: {found.taken_by(self.file)}; AP judges, by verify"


def plan(
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
    loss: float = LIMIT,
    budget: int = BUDGET,
    output: Place | None = None,
    option: Settings | None = None,
    python: Place | None = None,
    env: str | None = None,
    plugin: Sequence[Place] = (),
    report: Report = silent,
    bar: Bar = no_bar,
) -> Planned:
    """Finds the fewest nodes that have to stay in fp32 on a target, by what the graph's detections lose on photos.

    Args:
        model: the package, by name or directory. The others are the options of ``convertkit plan``.
        rung: whose graph, ``stock`` or ``after:PASS``; by default the graph after all passes.
        loss: what the upper end of the detection loss's 95 % interval may be, 0..1.
        budget: how many mixtures may be run at most; those that were run before count too.
        output: where the plan goes as YAML; nothing is written where it is left out.
        report: told of every step. bar: opened for every evaluation, with the number of photos.

    Raises:
        ConvertkitError: what was asked cannot be done, or a step failed.
    """
    from convertkit.conversion.store import Store
    from convertkit.conversion.tracing import traced
    from convertkit.precision.evaluating import Evaluator
    from convertkit.precision.measuring import measured
    from convertkit.storage.files import atomic_write

    request = request_of(
        model, plugin, variant=variant, target=target, weights=weights, origin=origin, option=option,
        python=python, env=env, batch=batch, profile=profile, pipeline=pipeline, report=report,
    )  # fmt: skip
    check(request, loss, budget)  # before anything is made
    if output is not None and Path(output).is_dir():
        raise UsageError(f"--output {output} is a directory", hint="give a file's name")
    chosen = rung_of(request, rung)
    dataset = source_in(request, path_of(annotations), path_of(images), None, report).open(limit)
    graph, origins = traced(request, chosen.passes, report=fresh_only(report))
    store = Store(notice=noted(report))

    def ranges() -> Ranges:
        with bar("ranges in fp32", len(dataset.images)) as advance:
            return measured(request, graph, origins, dataset, store=store, on_progress=advance)

    found = Planner(Evaluator(request, graph, dataset, store), ranges, loss, budget, bar, chosen.text).plan()
    if output is not None:
        atomic_write(output, plan_text(found))
    return Planned(found, None if output is None else str(output))


def _kept(found: PrecisionPlan) -> str:
    many = len(found.keep)
    return f"{many} of {found.nodes} nodes stay in fp32" if many else "nothing stays in fp32"


def _verdict(found: PrecisionPlan) -> Judged:
    if found.met and not found.budget_ended:
        return Judged(
            "ok  ", "within the limit" if found.entries else "within the limit as it is: an empty plan"
        )
    if found.met:
        return Judged(
            "?   ", "within the limit, but the budget ended before it was known which of them are needed"
        )
    if found.budget_ended:
        more = "a larger --budget goes on from here"
        return Judged("BAD ", f"the budget of {found.evaluations} ended before the limit was met; {more}")
    return Judged("BAD ", f"no plan meets the limit: with all that can be kept the loss is {found.all_kept}")


def _row(entry: Entry, photos: int) -> list[str]:
    first, more = shortened(entry.nodes[0], WIDEST), len(entry.nodes) - 1
    size = "no finite number" if entry.largest is None else f"{entry.largest:.4g}"
    why = f"{shortened(entry.tensor, WIDEST)} reaches {size}" if entry.why == "overflow" else entry.why
    return [
        f"{first} and {more} more" if more else first,
        why,
        f"{entry.before:.4f}",
        f"{entry.after:.4f}",
        str(entry.photos or photos),
        "-" if entry.cost_ms is None else f"{entry.cost_ms:.3f}",
    ]
