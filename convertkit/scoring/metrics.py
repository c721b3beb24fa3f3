"""The twelve official COCO numbers, by hotcoco; pycocotools is the oracle in the tests.

hotcoco gets only what an evaluation needs, from our own records: it would read keys that nobody asks for, and refuse
them by their types. It gives the numbers of pycocotools to the last bit, except where the input is not what it
seems. These cases are refused or settled here, before it sees them:

* a result for an image or a category that the dataset has not: refused (hotcoco only prints a warning);
* a damaged mask, in the results or in the annotations: refused (hotcoco counts it as empty);
* no image ids at all: refused (hotcoco takes all images, pycocotools none).

hotcoco holds all that it is given, 0.06 MB a photo, so that is :data:`~convertkit.scoring.mistakes.WHOLE` at
most. Of more, the numbers are summed from :class:`~convertkit.scoring.tables.Tables`, which are the same to the
last bit; kinds of mistakes, and the AP50 of detections of any class, are those of the first so many, by id.

One difference remains and is meant: an annotation with id 0 is matched like any other. pycocotools takes its id
for "no match" and counts the detection as wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import hotcoco
import numpy as np

from convertkit.datasets.annotations import AnnotationFile, Category, read_annotations
from convertkit.datasets.shapes import check_shapes
from convertkit.errors import ConvertkitError, SpecError, UnknownNameError, UsageError
from convertkit.scoring.matches import Matches
from convertkit.scoring.mistakes import WHOLE, Mistake, mistakes_of
from convertkit.scoring.parts import Parts
from convertkit.scoring.tables import Tables, known_mean

Task = Literal["bbox", "segm"]
TASKS: tuple[Task, ...] = get_args(Task)
_KEYS = {"bbox": "bbox", "segm": "segmentation"}

NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")


DOUBTFUL = 0.3
"""An AP50 below it may mean that the classes are mixed up."""


@dataclass(frozen=True)
class Metrics:
    """The official summary of one task, each 0..1, or -1 where there is nothing to find.

    Average precision over IoU 0.50:0.95 (``AP``), at 0.50 and 0.75, of small, medium and large objects; average
    recall with 1, 10 and 100 detections per image, and with 100 of small, medium and large objects.

    ``per_class`` is AP by the name of the category; ``mistakes`` what goes wrong, by kind; ``any_class50``, where AP50
    is doubtful, what it were if a detection might have any class; both of the first 5,120 photos at most.
    ``matches`` is what became of every detection, where it was asked for.
    """

    AP: float
    AP50: float
    AP75: float
    APs: float
    APm: float
    APl: float
    AR1: float
    AR10: float
    AR100: float
    ARs: float
    ARm: float
    ARl: float
    per_class: Mapping[str, float] = field(kw_only=True)
    mistakes: Mapping[str, Mistake] = field(kw_only=True)
    any_class50: float | None = field(kw_only=True, default=None)
    matches: Matches | None = field(kw_only=True, default=None, repr=False, compare=False)

    @property
    def doubt(self) -> str:
        """What to think of where the objects are found, but not their classes; empty where that is not so."""
        if self.any_class50 is None or self.any_class50 < DOUBTFUL or self.any_class50 / 5 <= self.AP50:
            return ""
        return (
            f"AP50 is {self.AP50:.4f}, but {self.any_class50:.4f} whatever the class: "
            "is `classes` in model.yaml in the order of the network?"
        )

    def as_dict(self) -> dict[str, float]:
        """The twelve numbers by their official names, in their official order."""
        return {name: getattr(self, name) for name in NAMES}


def check_tasks(tasks: Sequence[str]) -> None:
    """Raises an UnknownNameError for a task that is neither ``bbox`` nor ``segm``."""
    for task in tasks:
        if task not in TASKS:
            raise UnknownNameError("task", task, TASKS)


def evaluate(
    annotations: Path | AnnotationFile,
    results: Path | Iterable[Mapping[str, Any]],
    tasks: Sequence[str] = TASKS,
    image_ids: Collection[int] | None = None,
    *,
    matched: bool = False,
) -> dict[str, Metrics]:
    """Score detections against a COCO annotation file.

    A detection's size class follows the area of what is evaluated: of its box for ``bbox``, of its mask for
    ``segm``, as ``loadRes`` does for result files that hold only one of them.

    Args:
        annotations: a COCO ``instances`` file, or one that was read and checked for the tasks.
        results: a result file (JSON Lines or a JSON array), or COCO result dictionaries.
        tasks: ``bbox``, ``segm`` or both.
        image_ids: only these images; all by default.
        matched: keep the matches, photos in the order of their ids.

    Returns:
        The numbers by task.

    Raises:
        UsageError: a file is missing, or there is no image to evaluate.
        SpecError: a file is wrong; the message names the place.
        UnknownNameError: a task is neither ``bbox`` nor ``segm``.
    """
    check_tasks(tasks)
    if isinstance(annotations, AnnotationFile):
        found = annotations
    else:
        found = read_annotations(annotations)
        check_shapes(found, tasks)
    chosen = _chosen(found, image_ids)
    parts = Parts(found, chosen, results, [_KEYS[task] for task in tasks])
    try:
        return {task: _evaluate(found.categories, parts, task, matched=matched) for task in tasks}
    except (ConvertkitError, KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # hotcoco's panics do not derive from Exception
        raise SpecError(
            f"{found.path}: hotcoco cannot evaluate it ({type(error).__name__}: {error})"
        ) from error


def _chosen(found: AnnotationFile, image_ids: Collection[int] | None) -> list[int]:
    known = {image.id for image in found.images}
    chosen = known if image_ids is None else set(image_ids)
    if not chosen:
        raise UsageError(f"{found.path}: no image to evaluate")
    if not chosen <= known:
        raise UsageError(f"{found.path}: image {min(chosen - known)} is not in it")
    return sorted(chosen)


def _evaluate(categories: Iterable[Category], parts: Parts, task: str, *, matched: bool) -> Metrics:
    evaluation = parts.first(WHOLE).evaluation(task)
    numbers = _run(evaluation)
    names = _names(categories, evaluation.params.cat_ids)
    precisions, mistakes, any_class = _per_class(evaluation), mistakes_of(evaluation), None
    if 0 <= numbers[1] < DOUBTFUL:
        evaluation.params.use_cats = False
        any_class = _run(evaluation)[1]
    del evaluation  # before the tables of all photos are made
    tables = Tables(parts, task, names) if matched or len(parts.ids) > WHOLE else None
    if tables and len(parts.ids) > WHOLE:
        numbers, precisions = tables.numbers, tables.per_class
    return Metrics(
        *numbers,
        per_class=dict(zip(names.values(), precisions, strict=True)),
        mistakes=mistakes,
        any_class50=any_class,
        matches=tables.matches if tables and matched else None,
    )


def _run(evaluation: hotcoco.COCOeval) -> list[float]:
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summary_lines()  # fills stats, as summarize() does, but prints nothing
    return [float(number) for number in evaluation.stats]


def _names(categories: Iterable[Category], ids: Iterable[int]) -> dict[int, str]:
    """Of categories by id; with it where two have the same."""
    names, found = {category.id: category.name for category in categories}, dict[int, str]()
    for category in ids:
        name, taken = names[category], found.values()
        found[category] = name if name not in taken else f"{name} ({category})"
    return found


def _per_class(evaluation: hotcoco.COCOeval) -> list[float]:
    """AP of each category over IoU 0.50:0.95, all areas, 100 detections; -1 where there is nothing to find."""
    curves: Any = evaluation.eval
    precision = np.asarray(curves["precision"])[:, :, :, 0, -1]
    return [known_mean(precision[:, :, index]) for index in range(precision.shape[2])]
