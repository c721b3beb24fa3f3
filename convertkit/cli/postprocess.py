"""``convertkit postprocess``: the files a runtime left, as detections, accuracy and drawings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convertkit.api.commands.asking import tasks_in
from convertkit.cli import options as shared
from convertkit.cli.answered import Asked
from convertkit.cli.preprocess import ArtifactOption
from convertkit.cli.tables import print_figures
from convertkit.cli.ui import (
    note,
    print_json,
    progress_bar,
    refuse_missed,
    show,
)
from convertkit.errors import UsageError
from convertkit.storage.files import work_directory

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.offline.draw import Painter
    from convertkit.offline.prepared import Prepared
    from convertkit.offline.profiles import ProfiledFiles
    from convertkit.offline.result_files import ResultFiles
    from convertkit.offline.scoring import Answers, Finished

DetectionsOption = Annotated[
    Path | None,
    typer.Option(
        "--detections",
        help="Keep the detections in this file: a JSON array (COCO results), or lines where it is called .jsonl.",
    ),
]


def postprocess(
    model: shared.ModelArgument,
    results: Annotated[
        Path, typer.Argument(help="Directory of STEM_0.bin, STEM_1.bin, ... (or .npy).", metavar="RESULTS")
    ],
    inputs: Annotated[
        Path, typer.Option("--inputs", "-i", help="The directory that convertkit preprocess filled.")
    ],
    target: shared.TargetOption = "cpu",
    artifact: ArtifactOption = None,
    shapes: Annotated[
        str | None,
        typer.Option(
            "--shapes",
            help="Outputs of a picture in order, NAME=DTYPE:SIZExSIZE,...; instead of --artifact.",
        ),
    ] = None,
    annotations: Annotated[
        Path | None, typer.Option("--annotations", help="COCO instances file; default: that of preprocess.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option("--images", help="Directory of the photos, where it has moved since.")
    ] = None,
    detections: DetectionsOption = None,
    tasks: shared.TasksOption = None,
    per_class: shared.PerClassOption = False,
    draw: Annotated[
        Path | None, typer.Option("--draw", help="Write every photo with its detections into this directory.")
    ] = None,
    above: Annotated[float, typer.Option("--draw-above", help="Draw only scores greater than this.")] = 0.3,
    partial: Annotated[
        bool, typer.Option("--partial", help="Score the photos whose results are complete; judge nothing.")
    ] = False,
    report: Annotated[
        int, typer.Option("--report", min=1, help="How many missing or wrong files to name.")
    ] = 10,
    plugin: shared.PluginOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Score the result files of a runtime: COCO bbox and segm AP, judged as verify does.

    Exit code 1 where they are below the accuracy spec.
    """
    from convertkit.offline.scoring import finish

    chosen = tasks_in(tasks)
    request, record, files = Asked(model, plugin, target, artifact, shapes).open(inputs, results)
    answers = replace(_answers(request, record, files, annotations, images, partial=partial), tasks=chosen)
    _refuse_problems(answers, report)
    painter = _painter(answers, images, draw, above)
    with _detections(detections) as path, progress_bar("postprocess", len(answers.photos())) as advance:
        finished = finish(answers, path, draw=painter, on_progress=advance)
    _report(finished, draw, per_class=per_class, as_json=as_json)


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


def _refuse_problems(answers: Answers, limit: int) -> None:
    """Names what is wrong, a line each, and stops; ``--partial`` lets missing files pass."""
    problems = answers.files.problems(partial=answers.partial)
    if not problems:
        return
    for line in problems[:limit]:
        note(line)
    if len(problems) > limit:
        note(f"... and {len(problems) - limit} more")
    files = "1 file is" if len(problems) == 1 else f"{len(problems)} files are"
    raise UsageError(
        f"{answers.files.root}: {files} missing, wrong or of no photo; {answers.files.summary}",
        hint="--partial scores the photos whose results are complete",
    )


def _painter(answers: Answers, images: Path | None, draw: Path | None, above: float) -> Painter | None:
    from convertkit.offline.draw import Painter

    if draw is None:
        return None
    place = images or Path(answers.record.images)
    return Painter(place, draw, answers.package.spec.classes, above)


@contextlib.contextmanager
def _detections(path: Path | None) -> Iterator[Path]:
    if path is not None:
        yield path
        return
    with work_directory("postprocess") as scratch:
        yield scratch / "detections.jsonl"


def _report(found: Finished, draw: Path | None, *, per_class: bool, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        _show(found, draw, per_class=per_class)
    refuse_missed(f"{found.model} {found.variant}", found.verdict)


def _show(found: Finished, draw: Path | None, *, per_class: bool) -> None:
    from convertkit.api.commands.accuracy import COLUMNS, classes_table, figure, verdict_lines

    of = f" of {found.prepared}" if found.images < found.prepared else ""
    print(
        f"{found.model} {found.variant}, {found.images}{of} images, {found.detections} detections, COCO AP in 0..1"
    )
    if draw is not None:
        print(f"drawn in {draw}")
    if found.scores:
        rows = [
            [task, *(figure(scores.get(name)) for name in COLUMNS)] for task, scores in found.scores.items()
        ]
        print()
        print_figures(["", *COLUMNS], rows)
    if per_class and found.per_class:
        show(["", classes_table(found.per_class)])
    show(["", *verdict_lines(found.verdict, found.notes)])
