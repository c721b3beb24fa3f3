"""A bisection from beginning to end: of a bare graph, of a model package by its outputs or by its accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from convertkit.bisection.accuracy import by_accuracy
from convertkit.bisection.attempt import complete, judged_as
from convertkit.bisection.outputs import Found, Observe, by_outputs
from convertkit.bisection.place import Place
from convertkit.bisection.report import Bisection, Criterion, Failure, Reproducer
from convertkit.bisection.reproducer import Story, refuse_existing, write
from convertkit.bisection.shrink import reproduce
from convertkit.conversion.events import Report, silent
from convertkit.conversion.samples import roles_of, sample_inputs
from convertkit.conversion.stages import stored_stages
from convertkit.detection.batch import groups, stacked
from convertkit.detection.roles import Roles
from convertkit.errors import PassError, UsageError
from convertkit.graph.session import Arrays
from convertkit.graph.validate import validate
from convertkit.passes.base import Effect, Pass
from convertkit.passes.check import Checker
from convertkit.passes.history import op_counts
from convertkit.passes.options import step_text
from convertkit.passes.probing import at_bounds
from convertkit.passes.roles import named_roles
from convertkit.passes.stages import Stage, stages
from convertkit.rungs.journal import Journals
from convertkit.rungs.rung import Course, in_process, run_by, score, tasks_of
from convertkit.rungs.terms import Terms
from convertkit.storage.files import work_directory

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.graph.light import LightModel
    from convertkit.storage.progress import Bar
    from convertkit.verification.data import Source
    from convertkit.verification.judge import Scores

PHOTOS = 16
"""How many photos of a dataset are tried for one on which a pass that costs accuracy can be seen to differ."""


@dataclass(frozen=True)
class Wish:
    """What was asked, besides the graph and its passes.

    Attributes:
        subject: names what is bisected, for people.
        steps: the passes.
        place: where graphs run.
        origins: the plugin that each pass comes from, by the pass's name.
        target_from: the plugin that the target comes from.
        effect: judge every pass by this effect instead of its own.
        output: the reproducer's directory; ``bisect-PASS`` by default.
        force: replace a reproducer that is there.
        observe: told every verdict.
        note: told in one line what goes on.
    """

    subject: str
    steps: tuple[Pass, ...]
    place: Place
    origins: Mapping[str, str]
    target_from: str
    effect: Effect | None = None
    output: Path | None = None
    force: bool = False
    observe: Observe = lambda verdict: None
    note: Callable[[str], object] = lambda line: None

    def __post_init__(self) -> None:
        if self.output is not None:
            refuse_existing(self.output, force=self.force)


def bisect_graph(model: LightModel, sample: Arrays, wish: Wish) -> Bisection:
    """Searches for the first pass that fails on a graph and one sample.

    Raises:
        GraphError: the graph itself does not hold.
    """
    validate(model)
    wish.place.opener(model)(sample)
    checker = Checker([sample], named_roles(model), wish.place.opener)
    found = by_outputs(_judged(stages(wish.steps, model), wish.effect), checker, wish.observe)
    return _conclude(found, "outputs", [sample], wish)


def bisect_outputs(request: BuildRequest, wish: Wish, *, report: Report = silent) -> Bisection:
    """Searches for the first pass that fails on the package's sample photos.

    Raises:
        UsageError: the package has none.
    """
    samples = sample_inputs(request.package, request.variant)
    if not samples:
        raise UsageError(f"model {request.package.spec.name} has no sample photos", hint="use --accuracy")
    _, taken = stored_stages(request, report=report)
    batch = request.variant.spec.batch
    checker = Checker(samples, roles_of(request.package), wish.place.opener, pictures=batch)
    found = by_outputs(_judged(taken, wish.effect), checker, wish.observe)
    return _conclude(found, "outputs", samples, wish, roles_of(request.package))


def bisect_accuracy(
    request: BuildRequest, source: Source, wish: Wish, *, limit: int | None, bar: Bar, report: Report = silent
) -> Bisection:
    """Searches for a pass after which the accuracy is below that of the stock graph by more than the spec tolerates."""
    with work_directory("bisect") as scratch:
        tasks = tasks_of(request.package)
        dataset, terms = source.open(limit, tasks=tasks), Terms.of((request,), tasks)
        course = Course(terms, dataset, scratch, Journals(scratch), (request,))

        def measure(title: str, model: LightModel) -> Scores:
            with wish.place.open(model) as runtime, bar(title, len(course.dataset.images)) as advance:
                engine = in_process([runtime], course.requests)
                return score(course, run_by(engine, title.replace(" ", "-"), course, advance)).scores

        stock, taken = stored_stages(request, report=report)
        found = by_accuracy(stock, taken, measure, request.variant.spec.accuracy, wish.observe)
        samples = chain(sample_inputs(request.package, request.variant), islice(_photos(course), PHOTOS))
        return _conclude(found, "accuracy", samples, wish, roles_of(request.package))


def _photos(course: Course) -> Iterator[Arrays]:
    package, variant = course.request.package, course.request.variant
    spec, batch = package.preprocess_spec(variant).on_host(), variant.spec.batch
    for group in groups(course.dataset.images, batch):
        photos = map(course.dataset.read, group)
        yield stacked([package.model.preprocess(one, variant.spec.size, spec)[0] for one in photos], batch)


def _judged(taken: Iterable[Stage], effect: Effect | None) -> Iterator[Stage]:
    return (replace(stage, step=judged_as(stage.step, effect)) for stage in taken)


def _conclude(
    found: Found,
    criterion: Criterion,
    samples: Iterable[Arrays],
    wish: Wish,
    roles: Roles | None = None,
) -> Bisection:
    result = Bisection(wish.subject, criterion, len(wish.steps), found.verdicts)
    if found.culprit is None or found.failure is None:
        return result
    reproducer = _reproducer(found, found.culprit, found.failure, samples, wish, roles)
    culprit = step_text(found.culprit.step)
    return structs.replace(result, culprit=culprit, failure=found.failure, reproducer=reproducer)


def _reproducer(
    found: Found,
    culprit: Stage,
    failure: Failure,
    samples: Iterable[Arrays],
    wish: Wish,
    roles: Roles | None,
) -> Reproducer | None:
    """The directory on disk; None (and a note) where the failure does not show on a graph of its own."""
    name = culprit.step.name
    directory = wish.output or Path(f"bisect-{name}")
    try:
        refuse_existing(directory, force=wish.force)
    except UsageError as error:
        raise UsageError(f"the culprit is {name}, but {error.message}", hint=error.hint) from error
    wish.note(f"shrinking what {name} fails on")
    earlier = wish.steps[: found.position]
    feeds = _tried(culprit, (complete(sample, earlier, culprit.before) for sample in samples))
    shown = reproduce(culprit, failure, feeds, wish.place.opener, roles=roles)
    if shown is None:
        wish.note(f"{name} does not fail on any sample by itself: no reproducer")
        return None
    step, attempt = shown
    story = Story(
        subject=wish.subject,
        why=failure.why,
        earlier=tuple(item.name for item in earlier),
        whole=op_counts(culprit.before).total(),
        declared=wish.steps[found.position],
        plugins=_plugin_files(name, wish),
        runtime=wish.place.words,
    )
    try:
        return write(directory, step, attempt, story, wish.place.opener, force=wish.force)
    except PassError as error:
        wish.note(f"no reproducer: {error.message}")
        return None


def _tried(culprit: Stage, samples: Iterable[Arrays]) -> Iterator[Arrays]:
    """Every sample, and what the check of a pass makes of the first."""
    for number, sample in enumerate(samples):
        yield sample
        if number == 0:
            yield from at_bounds(culprit.step, culprit.before, sample)[0]


def _plugin_files(name: str, wish: Wish) -> tuple[str, ...]:
    """The single files that a pass and the place come from: the command line has to load them again."""
    origins = [wish.origins[name]] if name in wish.origins else []
    origins += [wish.target_from] if wish.place.words else []
    return tuple(dict.fromkeys(origin for origin in origins if origin.endswith(".py")))
