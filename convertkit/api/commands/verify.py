"""The accuracy of what was built, on photos, judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from convertkit.api.commands.accuracy import (
    COLUMNS,
    classes_table,
    details_of,
    figure,
    legend,
    verdict_lines,
    with_interval,
)
from convertkit.api.commands.asking import (
    Profile,
    Settings,
    Sizes,
    Words,
    refuse_meaningless,
    requests_of,
    tasks_in,
)
from convertkit.api.commands.courses import making, on_device, rungs_in, source_in
from convertkit.api.commands.datasets import subset_in
from convertkit.api.commands.engines import hiring_of
from convertkit.api.commands.pages import Block, Shown, Table
from convertkit.api.commands.places import Place, copy_of, where_of
from convertkit.api.commands.reporting import page_file, written
from convertkit.conversion.events import Report, silent
from convertkit.errors import ConvertkitError, visible
from convertkit.rungs.rung import Rung
from convertkit.scoring.intervals import Difference, Estimate
from convertkit.storage.progress import Bar, no_bar
from convertkit.storage.urls import Url
from convertkit.verification.conclusion import Verification
from convertkit.verification.ladder import verify as run
from convertkit.verification.sealed import ShardRecord
from convertkit.verification.shards import WHOLE, Shard, chosen_shard

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.datasets.coco import CocoDataset
    from convertkit.precision.ranges import Ranges


class Verified(Shown, Verification, frozen=True):
    """A verification that shows itself."""

    @classmethod
    def of(cls, found: Verification) -> Verified:
        return cls(**structs.asdict(found))

    def page(self, *, per_class: bool = False, details: bool = False) -> Iterator[Block]:
        """``per_class``: AP of every class on the last rung, too; ``details``: that, recall and kinds of errors."""
        images = f"{self.images} images" + (f" ({self.left_out})" if self.left_out.photos else "")
        yield (
            f"{self.model} {self.variant} on {self.target}, {images}, COCO AP in 0..1, +- half its 95 % interval"
        )
        yield from (f"a subset: {self.subset}",) if self.subset else ()
        for task in ("bbox", "segm"):
            if any(task in rung.scores for rung in self.rungs):
                rows = [_row(rung, task) for rung in self.rungs]
                yield from ("", Table([task, *COLUMNS, "images/s"], rows, whole=True))
        yield from _steps(self.differences)
        recorded = [f"{rung.name}: {rung.origin}" for rung in self.rungs if rung.origin != "measured"]
        yield from ("", *recorded) if recorded else ()
        for rung in self.rungs:
            if rung.failure:
                yield from ("", f"{rung.name} failed: {visible(rung.failure)}")
        if details:
            for task in self.rungs[-1].scores:
                yield from details_of(self.rungs, task)
            yield legend()
        if per_class or details:
            yield from ("", classes_table(self.rungs[-1].per_class))
        yield ""
        yield from verdict_lines(self.verdict, self.notes)


class Sharded(Shown, ShardRecord, frozen=True, forbid_unknown_fields=True):
    """What a shard has measured; nothing is judged yet."""

    def page(self, results: Place | Url | None = None) -> Iterator[Block]:
        terms = self.terms
        left_out = f" ({len(self.bad)} left out)" if self.bad else ""
        yield (
            f"{terms.model} {terms.variant} on {terms.target}, shard {self.shard}: {self.photos} photos{left_out}"
        )
        for rung in self.rungs:
            yield f"{rung.name} failed: {visible(rung.failure)}" if rung.failure else f"{rung.name} measured"
        yield f"when all {self.count} are there: convertkit merge {results or 'DIRECTORY...'}"


def verify(
    model: Place,
    *,
    variant: str | None = None,
    target: str = "cpu",
    weights: Place | None = None,
    origin: str = "auto",
    batch: int | None = None,
    profile: Profile | None = None,
    output: Place | Url | None = None,
    pipeline: Words | None = None,
    input_shape: Sizes | None = None,
    annotations: Place | Url | None = None,
    images: Place | Url | None = None,
    dataset: str | None = None,
    limit: int | None = None,
    subset: int | None = None,
    seed: int | None = None,
    tasks: Words | None = None,
    skip_bad_photos: bool = False,
    shard: str | Shard | None = None,
    workers: int = 1,
    engine: str = "local",
    address: str | None = None,
    runtime: Sequence[str] = (),
    ladder: bool = False,
    until_decided: bool = False,
    results: Place | Url | None = None,
    compiler: str = "auto",
    option: Settings | None = None,
    device: int = 0,
    inputs: Place | None = None,
    outputs: Place | None = None,
    python: Place | None = None,
    env: str | None = None,
    html: Place | None = None,
    plugin: Sequence[Place] = (),
    report: Report = silent,
    bar: Bar = no_bar,
) -> Verified | Sharded:
    """Measures the accuracy of a built model and judges it, on COCO's terms; a variant's profiles are one model.

    An accuracy below the spec is a result (``found.verdict``), not an error.

    Args:
        model: the package, by name or directory. The others are the options of ``convertkit verify``.
        shard: only a part of the photos, like ``"2/8"``, for :func:`convertkit.merge`; no launcher is asked here.
        engine: ``local`` for this machine; ``ray`` for the cluster at ``address``, which needs the extra ``ray``.
        html: also write a page of it to this file (``--report``); needs the extra ``report``.
        report: told of every step. bar: opened for every rung, with its name and the number of photos.

    Raises:
        ConvertkitError: what was asked cannot be done, or a step failed.
    """
    chosen, part = tasks_in(tasks), _part(shard)
    page = _page_of(html, part)
    requests = requests_of(
        model, plugin, variant=variant, target=target, weights=weights, origin=origin, option=option,
        python=python, env=env, compiler=compiler, batch=batch, profile=profile, pipeline=pipeline,
        input_shape=input_shape, report=report,
    )  # fmt: skip
    request, names = requests[0], [runtime] if isinstance(runtime, str) else runtime
    room = None if output is None else copy_of(output)
    rungs = rungs_in(requests, names, room, ladder=ladder)
    chip = on_device(request, rungs, device, inputs, outputs)
    source = source_in(request, annotations, images, dataset, report)
    with hiring_of(engine, address, device) as hire:
        found = run(
            requests, making(requests, room, rungs, report), source, rungs, limit=limit,
            subset=subset_in(limit, subset, seed), tasks=chosen, skip_bad=skip_bad_photos, recorded=ladder,
            until_decided=until_decided, shard=part, workers=workers, hire=hire, results=where_of(results),
            options=chip, ready=bool(names), bar=bar, report=report, told=partial(write_page, page, report, requests),
        )  # fmt: skip
    return Sharded(**structs.asdict(found)) if isinstance(found, ShardRecord) else Verified.of(found)


def _page_of(html: Place | None, part: Shard) -> Path | None:
    if part != WHOLE:
        refuse_meaningless("a shard, of which nothing is concluded", {"--report": html})
    return page_file(html)


def write_page(
    page: Path | None,
    report: Report,
    requests: Sequence[BuildRequest],
    found: Verification,
    dataset: CocoDataset,
    results: Path,
) -> None:
    """Writes the page of a verification, where one is asked for; ``requests`` are what was built, if it was here."""
    if page is not None:
        from convertkit.reports.page.verify import verify_page

        ranges = _ranges(requests, dataset, report)
        written(page, verify_page(found, dataset, results, ranges), report)


def _ranges(requests: Sequence[BuildRequest], dataset: CocoDataset, report: Report) -> Ranges | str:
    """Of the target's graph on the first photos, or why there are none: a page is not refused for want of them."""
    from convertkit.api.commands.ranges import PHOTOS, ranges_on, rung_of

    if len(requests) != 1:
        several = "a variant of several profiles is measured one by one, by convertkit ranges --profile"
        return several if requests else "no graph ran here"
    try:
        some = replace(dataset, images=dataset.images[:PHOTOS])
        return ranges_on(requests[0], rung_of(requests[0]), some, report)
    except ConvertkitError as error:
        return str(error)


def _part(shard: str | Shard | None) -> Shard:
    return shard if isinstance(shard, Shard) else chosen_shard(shard, {})[0]


def _steps(differences: Sequence[Difference]) -> Iterator[Block]:
    """What AP a rung has more than the one above it and than the first, and whether that is more than chance."""
    rows = [
        [
            found.rung,
            found.against,
            found.task,
            with_interval(found.estimate, sign="+"),
            _chance(found.estimate),
        ]
        for found in differences
        if found.metric == "AP"
    ]
    if rows:
        yield ""
        yield Table(["rung", "against", "task", "AP", ""], rows, right=[3])


def _chance(found: Estimate) -> str:
    if found.low == found.high == 0:
        return "equal"
    return "within chance" if found.chance else "more than chance"


def _row(rung: Rung, task: str) -> list[str]:
    scores, known = rung.scores.get(task, {}), rung.intervals.get(task, {})
    rate = "-" if rung.images_per_second is None else f"{rung.images_per_second:.1f}"
    cells = [
        with_interval(known[column]) if column in known else figure(scores.get(column)) for column in COLUMNS
    ]
    return [rung.name, *cells, rate]
