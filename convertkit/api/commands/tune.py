"""Which levers make a model faster on its target, and what each costs in accuracy."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import structs

from convertkit.api.commands.asking import Settings, Words, refuse_meaningless, requests_of, tasks_in
from convertkit.api.commands.courses import source_in
from convertkit.api.commands.datasets import subset_in
from convertkit.api.commands.places import Place, path_of
from convertkit.api.commands.reporting import page_file, written
from convertkit.api.commands.tuned import Tuned, evidence
from convertkit.conversion.events import Report, fresh_only, noted, silent
from convertkit.datasets.subset import Subset, made
from convertkit.errors import UsageError
from convertkit.storage.progress import Bar, no_bar
from convertkit.tuning.front import Point, chosen
from convertkit.tuning.kinds import levers_of
from convertkit.tuning.sweep import BUDGET, Sweep

if TYPE_CHECKING:
    from convertkit.conversion.request import Asked, BuildRequest
    from convertkit.datasets.coco import CocoDataset
    from convertkit.tuning.judging import Judge
    from convertkit.tuning.making import Maker


def tune(
    model: Place,
    *,
    variant: str | None = None,
    target: str = "cpu",
    weights: Place | None = None,
    origin: str = "auto",
    pipeline: Words | None = None,
    annotations: Place | None = None,
    images: Place | None = None,
    dataset: str | None = None,
    limit: int | None = None,
    subset: int | None = None,
    seed: int | None = None,
    tasks: Words | None = None,
    lever: Sequence[str] = (),
    budget: int = BUDGET,
    price_only: bool = False,
    drop: float | None = None,
    choose: int | None = None,
    emit: Place | None = None,
    html: Place | None = None,
    option: Settings | None = None,
    python: Place | None = None,
    env: str | None = None,
    plugin: Sequence[Place] = (),
    report: Report = silent,
    bar: Bar = no_bar,
) -> Tuned:
    """Sweeps what makes a model faster, prices each point by the roofline and measures its accuracy on photos.

    Args:
        model: the package, by name or directory. The others are the options of ``convertkit tune``.
        lever: ``NAME`` or ``NAME=WORD,WORD`` each; every lever that the model has where there are none.
        price_only: accuracy is not measured, as it cannot be without labels or with random weights.
        drop: AP that the emitted point may lose; that of the accuracy spec by default.
        choose: the number of the point to emit, instead of the fastest one that is known to lose no more.
        emit: where that point goes as a variant's file; nothing is written where it is left out.
        html: also write a page of it to this file (``--report``); needs the extra ``report``.
        report: told of every step. bar: opened for every point that is measured, with the number of photos.

    Raises:
        ConvertkitError: what was asked cannot be done, or a step failed.
    """
    from convertkit.storage.files import work_directory
    from convertkit.tuning.emitting import write_variant

    _refuse(weights, budget, price_only=price_only, emit=emit, choose=choose, drop=drop, tasks=tasks)
    page = page_file(html)
    words: dict[str, Any] = {
        "target": target, "weights": weights, "origin": origin, "option": option, "python": python,
        "env": env, "pipeline": pipeline, "check": False,
    }  # fmt: skip
    ask = partial(requests_of, model, plugin, **words)
    requests = ask(variant=variant, report=report)
    choice = subset_in(limit, subset, seed)
    photos = _photos(requests[0], (annotations, images, dataset), limit, choice, price_only, report)
    judge = None if price_only or photos is None else _judge(requests[0], photos, tasks, report)
    with work_directory("tune") as scratch:
        maker = _maker(requests, ask, scratch, photos, report)
        maker.levers, left_out = levers_of(maker.facts, lever)
        sweep = Sweep(maker.levers, maker.make, judge, budget, bar, report)
        points = sweep.run()
    found = _record(requests[0], sweep, points, left_out, photos, choice, drop)
    point = _chosen(found, choose)
    if point is not None and emit is not None:
        setting = next(each for each, one in sweep.points.items() if one.number == point.number)
        options = _options(requests[0].asked, plugin)
        remarks = evidence(found, point, options)
        write_variant(Path(emit), requests[0].variant, maker.change(setting), remarks)
        found = structs.replace(found, file=str(emit), options=options)
    found = structs.replace(found, chosen=point and point.number)
    if page is not None:
        _write_page(page, found, report)
    return found


def _write_page(page: Path, found: Tuned, report: Report) -> None:
    from convertkit.reports.page.tune import tune_page

    written(page, tune_page(found), report)


def _record(
    request: BuildRequest,
    sweep: Sweep,
    points: tuple[Point, ...],
    left_out: Mapping[str, str],
    photos: CocoDataset | None,
    choice: Subset | None,
    drop: float | None,
) -> Tuned:
    """What was found, before one is chosen."""
    allowed = _allowed(request) if drop is None else drop
    return Tuned(
        model=request.package.spec.name,
        variant=request.variant.name,
        target=request.target.name,
        levers={one.name: tuple(each.word for each in one.choices) for one in sweep.levers},
        left_out={**left_out, **sweep.failed},
        points=points,
        photos=0 if sweep.judge is None else len(sweep.judge.dataset.images),
        subset=None if photos is None else made(photos.found, choice),
        allowed=None if sweep.judge is None else allowed,
        budget_ended=sweep.ended,
        notes=() if sweep.judge is None else sweep.judge.notes,
    )


def _refuse(
    weights: Place | None,
    budget: int,
    *,
    price_only: bool,
    emit: Place | None,
    choose: int | None,
    drop: float | None,
    tasks: Words | None,
) -> None:
    if budget < 1:
        raise UsageError(f"--budget {budget}: at least 1 point")
    if choose is not None and not 1 <= choose <= budget:
        raise UsageError(f"--choose {choose}: of a budget of {budget} points there is none of that number")
    if emit is not None and Path(emit).is_dir():
        raise UsageError(f"--emit {emit} is a directory", hint="give a file's name")
    if not price_only and str(weights or "").startswith("random:"):
        raise UsageError(
            f"--weights {weights} find nothing, so accuracy cannot be measured", hint="add --price-only"
        )
    if price_only:
        refuse_meaningless("prices alone", {"--drop": drop, "--tasks": tasks})
        if emit is not None and choose is None:
            raise UsageError("--emit: prices alone choose no point", hint="give --choose NUMBER")


def _photos(
    request: BuildRequest,
    places: tuple[Place | None, Place | None, str | None],
    limit: int | None,
    choice: Subset | None,
    price_only: bool,
    report: Report,
) -> CocoDataset | None:
    """Those that are measured; for prices alone, which only weigh profiles, those that there are."""
    if price_only and not any(places) and request.variant.spec.dataset is None:
        return None
    found = source_in(request, path_of(places[0]), path_of(places[1]), places[2], report)
    return found.open(limit, subset=choice)


def _judge(request: BuildRequest, photos: CocoDataset, tasks: Words | None, report: Report) -> Judge:
    from convertkit.conversion.store import Store
    from convertkit.rungs.rung import tasks_of
    from convertkit.tuning.judging import Judge

    photos.refuse_nothing_to_find()
    known = tasks_of(request.package, tasks_in(tasks))
    return Judge(photos, known, Store(notice=noted(report)), fresh_only(report))


def _maker(
    requests: tuple[BuildRequest, ...],
    ask: Callable[..., tuple[BuildRequest, ...]],
    scratch: Path,
    photos: CocoDataset | None,
    report: Report,
) -> Maker:
    from convertkit.conversion.store import Store
    from convertkit.targets.capabilities import machine_of
    from convertkit.tuning.making import Maker

    machine = machine_of(requests[0].target, (entry.item for entry in requests[0].plugins.targets))
    images = () if photos is None else photos.images
    return Maker(requests, ask, scratch, images, machine, Store(notice=noted(report)), fresh_only(report))


def _allowed(request: BuildRequest) -> float:
    """The smallest drop of AP that the accuracy spec allows against any rung, else its tolerance."""
    spec = request.variant.spec.accuracy
    drops = [task["AP"] for tasks in spec.drop.values() for task in tasks.values() if "AP" in task]
    return min(drops, default=spec.tolerance)


def _chosen(found: Tuned, number: int | None) -> Point | None:
    """The one of that number; else the fastest that is known to lose no more, None where nothing was measured."""
    if number is None:
        return None if found.allowed is None else chosen(found.points, found.allowed)
    for point in found.points:
        if point.number == number:
            return point
    why = next((f"{name} is left out: {why}" for name, why in found.left_out.items()), None)
    raise UsageError(f"--choose {number}: there are points 1 to {found.points[-1].number}", hint=why)


def _options(asked: Asked, plugin: Sequence[Place]) -> str:
    """What a build of the point has to be told beside its file, as it is typed."""
    pairs = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in asked.options.items()]
    words = [
        *(["--pipeline", ",".join(asked.pipeline)] if asked.pipeline is not None else []),
        *(["--weights", asked.weights] if asked.weights is not None else []),
        *(["--from", asked.origin] if asked.origin != "auto" else []),
        *(["--env", asked.env] if asked.env is not None else []),
        *(["--python", str(asked.python)] if asked.python is not None else []),
        *(word for one in plugin for word in ("--plugin", str(one))),
        *(word for pair in pairs for word in ("-O", pair)),
    ]
    return shlex.join(words)
