"""The twelve official COCO numbers, by hotcoco; pycocotools is the oracle in the tests.

hotcoco gives the numbers of pycocotools to the last bit, except where the input is not what it seems. These
cases are refused or settled here, before it sees them:

* a result for an image or a category that the dataset has not: refused (hotcoco only prints a warning);
* a damaged mask, in the results or in the annotations: refused (hotcoco counts it as empty);
* no image ids at all: refused (hotcoco takes all images, pycocotools none).

One difference remains and is meant: an annotation with id 0 is matched like any other. pycocotools takes its id
for "no match" and counts the detection as wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import hotcoco
import numpy as np
from numpy.typing import NDArray

from convertkit.datasets.annotations import AnnotationFile, check_segmentations, read_annotations
from convertkit.errors import UnknownNameError, UsageError
from convertkit.verify.results import Result, read_results

Task = Literal["bbox", "segm"]
TASKS: tuple[Task, ...] = get_args(Task)
_KEYS = {"bbox": "bbox", "segm": "segmentation"}


@dataclass(frozen=True)
class Metrics:
    """The official summary of one task, each 0..1, or -1 where there is nothing to find.

    Average precision over IoU 0.50:0.95 (``AP``), at 0.50 and 0.75, of small, medium and large objects; average
    recall with 1, 10 and 100 detections per image, and with 100 of small, medium and large objects.
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

    def as_dict(self) -> dict[str, float]:
        """The numbers by their official names, in their official order."""
        return asdict(self)


def evaluate(
    annotations: Path,
    results: Path | Iterable[Mapping[str, Any]],
    tasks: Sequence[str] = TASKS,
    image_ids: Collection[int] | None = None,
) -> dict[str, Metrics]:
    """Score detections against a COCO annotation file.

    A detection's size class follows the area of what is evaluated: of its box for ``bbox``, of its mask for
    ``segm``, as ``loadRes`` does for result files that hold only one of them.

    Args:
        annotations: a COCO ``instances`` file.
        results: a result file (JSON Lines or a JSON array), or COCO result dictionaries.
        tasks: ``bbox``, ``segm`` or both.
        image_ids: only these images; all by default.

    Returns:
        The numbers by task.

    Raises:
        UsageError: a file is missing, or there is no image to evaluate.
        SpecError: a file is wrong; the message names the place.
        UnknownNameError: a task is neither ``bbox`` nor ``segm``.
    """
    for task in tasks:
        if task not in TASKS:
            raise UnknownNameError("task", task, TASKS)
    found = read_annotations(annotations)
    chosen = _chosen(annotations, found, image_ids)
    if "segm" in tasks:
        check_segmentations(annotations, found)
    sizes = {image.id: (image.height, image.width) for image in found.images}
    categories = {category.id for category in found.categories}
    require = [_KEYS[task] for task in tasks]
    detections = list(read_results(results, sizes, categories, require=require))
    truth = hotcoco.COCO(str(annotations))
    return {task: _evaluate(truth, detections, task, chosen) for task in tasks}


def _chosen(path: Path, found: AnnotationFile, image_ids: Collection[int] | None) -> list[int]:
    known = {image.id for image in found.images}
    chosen = known if image_ids is None else set(image_ids)
    if not chosen:
        raise UsageError(f"{path}: no image to evaluate")
    if not chosen <= known:
        raise UsageError(f"{path}: image {min(chosen - known)} is not in it")
    return sorted(chosen)


def _evaluate(truth: hotcoco.COCO, detections: Sequence[Result], task: str, image_ids: list[int]) -> Metrics:
    loaded = truth.load_res(_boxes(detections)) if task == "bbox" else truth.load_res(_masks(detections))
    evaluation = hotcoco.COCOeval(truth, loaded, task)
    evaluation.params.img_ids = image_ids
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summary_lines()  # fills stats, as summarize() does, but prints nothing
    return Metrics(*(float(number) for number in evaluation.stats))


def _boxes(detections: Sequence[Result]) -> NDArray[np.float64]:
    """``(N, 7) float64``: image id, x, y, width, height, score, category id. Ids are exact up to 2**53."""
    rows = np.empty((len(detections), 7))
    for index, found in enumerate(detections):
        rows[index] = (found.image_id, *(found.bbox or ()), found.score, found.category_id)
    return rows


def _masks(detections: Sequence[Result]) -> list[dict[str, Any]]:
    """COCO dictionaries without a box: so the area is that of the mask."""
    return [
        {
            "image_id": found.image_id,
            "category_id": found.category_id,
            "score": found.score,
            "segmentation": {"size": list(mask.size), "counts": mask.counts},
        }
        for found in detections
        if (mask := found.segmentation) is not None
    ]
