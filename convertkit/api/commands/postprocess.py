"""The files a runtime left, as detections, accuracy and drawings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from convertkit.api.commands.accuracy import COLUMNS, classes_table, figure, verdict_lines
from convertkit.api.commands.answered import Asked
from convertkit.api.commands.asking import Words, tasks_in
from convertkit.api.commands.pages import Block, Table
from convertkit.api.commands.places import Place
from convertkit.conversion.events import Report, Said, silent
from convertkit.datasets.coco import decode, photo_bytes
from convertkit.detection.drawing.paint import paint, write_picture
from convertkit.errors import UsageError
from convertkit.storage.files import work_directory
from convertkit.storage.progress import Bar, no_bar

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.detection.types import Detections
    from convertkit.offline.prepared import Prepared, PreparedPhoto
    from convertkit.offline.profiles import ProfiledFiles
    from convertkit.offline.result_files import ResultFiles
    from convertkit.offline.scoring import Answers, Finished

Painter: TypeAlias = "Callable[[PreparedPhoto, Detections], None]"


def postprocess(
    model: Place,
    results: Path,
    inputs: Path,
    *,
    target: str = "cpu",
    artifact: Path | None = None,
    shapes: str | None = None,
    annotations: Path | None = None,
    images: Path | None = None,
    detections: Path | None = None,
    tasks: Words | None = None,
    draw: Path | None = None,
    above: float = 0.3,
    partial: bool = False,
    named: int = 10,
    plugin: Sequence[Place] = (),
    report: Report = silent,
    bar: Bar = no_bar,
) -> Finished:
    """Scores the result files of a runtime.

    Args:
        results, inputs: directories of the result files, and of the files that preprocess wrote.
        named: how many missing or wrong files are told. The others are the options of ``convertkit postprocess``.
    """
    from convertkit.offline.scoring import finish

    chosen = tasks_in(tasks)
    request, record, files = Asked(model, plugin, target, artifact, shapes, report).open(inputs, results)
    answers = replace(_answers(request, record, files, annotations, images, partial=partial), tasks=chosen)
    _refuse_problems(answers, named, report)
    names, place = answers.package.spec.classes, images or Path(record.images)
    painter = None if draw is None else _painter(place, draw, names, above)
    with _detections(detections) as path, bar("postprocess", len(answers.photos())) as advance:
        return finish(answers, path, draw=painter, on_progress=advance)


def page_of(found: Finished, draw: Path | None, *, per_class: bool) -> Iterator[Block]:
    """What was found; ``draw``: where photos were drawn."""
    of = f" of {found.prepared}" if found.images < found.prepared else ""
    yield (
        f"{found.model} {found.variant}, {found.images}{of} images, {found.detections} detections, COCO AP in 0..1"
    )
    if draw is not None:
        yield f"drawn in {draw}"
    if found.scores:
        rows = [
            [task, *(figure(scores.get(name)) for name in COLUMNS)] for task, scores in found.scores.items()
        ]
        yield from ("", Table(["", *COLUMNS], rows, whole=True))
    if per_class and found.per_class:
        yield from ("", classes_table(found.per_class))
    yield from ("", *verdict_lines(found.verdict, found.notes))


def _answers(
    request: BuildRequest,
    record: Prepared,
    files: ResultFiles | ProfiledFiles,
    annotations: Path | None,
    images: Path | None,
    *,
    partial: bool,
) -> Answers:
    """With the user's annotations the accuracy spec holds where :func:`find_source` says that they are its own."""
    from convertkit.offline.scoring import Answers
    from convertkit.verification.data import find_source

    known = Path(record.annotations) if record.annotations else None
    if annotations is None and known is not None and not known.is_file():
        raise UsageError(
            f"{known}: the annotations of the prepared photos are not there",
            hint="say where with --annotations",
        )
    own = record.own
    if annotations is not None:
        place = images or Path(record.images)
        own = find_source(request.package, request.variant, annotations=annotations, images=place).own
    return Answers(
        request.package, request.variant, record, files, annotations or known, own and not partial, partial
    )


def _refuse_problems(answers: Answers, limit: int, report: Report) -> None:
    """Names what is wrong, a line each, and stops; ``--partial`` lets missing files pass."""
    problems = answers.files.problems(partial=answers.partial)
    if not problems:
        return
    for line in problems[:limit]:
        report(Said(line))
    if len(problems) > limit:
        report(Said(f"... and {len(problems) - limit} more"))
    files = "1 file is" if len(problems) == 1 else f"{len(problems)} files are"
    raise UsageError(
        f"{answers.files.root}: {files} missing, wrong or of no photo; {answers.files.summary}",
        hint="--partial scores the photos whose results are complete",
    )


def _painter(images: Path, directory: Path, classes: Sequence[str], above: float) -> Painter:
    """Draws detections into a photo: ``<stem>.jpg`` in a directory."""

    def draw(photo: PreparedPhoto, found: Detections) -> None:
        path = images / photo.name
        try:
            source = photo_bytes(path)
        except UsageError as error:
            error.hint = "say where it is with --images"
            raise
        write_picture(directory / f"{photo.stem}.jpg", paint(decode(path, source), found, classes, above))

    return draw


@contextlib.contextmanager
def _detections(path: Path | None) -> Iterator[Path]:
    if path is not None:
        yield path
        return
    with work_directory("postprocess") as scratch:
        yield scratch / "detections.jsonl"
