"""The framework's own rung: its pipeline, forward and postprocessing in the export environment; or recorded figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from convertkit.conversion.events import Report, silent
from convertkit.conversion.framework import run_job
from convertkit.conversion.request import BuildRequest
from convertkit.datasets.coco import CocoImage
from convertkit.detection.types import Detections
from convertkit.errors import SpecError
from convertkit.rungs.rung import Course, Engine, Rung
from convertkit.rungs.stream import Timing
from convertkit.storage.urls import local

if TYPE_CHECKING:
    from numpy.typing import NDArray


def in_framework(course: Course, report: Report = silent) -> Engine:
    """The engine of mmdet's (or another framework's) own pipeline, forward and postprocessing."""

    def detect(
        images: Sequence[CocoImage],
        *,
        sink: Callable[[CocoImage, Detections], object],
        on_progress: Callable[[int], object],
    ) -> Timing:
        start, done = time.perf_counter(), 0
        parts = course.by_profile(images)
        for request in (one for one in course.requests if one.profile in parts):
            by_id = {image.id: image for image in parts[request.profile]}

            def take(number: int, found: Detections, known: dict[int, CocoImage] = by_id) -> None:
                nonlocal done
                sink(known[number], found)
                done += 1
                on_progress(done)

            paths = {number: local(image.path, "rung framework") for number, image in by_id.items()}
            framework_detections(request, paths, take, lambda count: None, report)
        return Timing(done, time.perf_counter() - start, {})

    return detect


def framework_detections(
    request: BuildRequest,
    photos: Mapping[int, Path],
    sink: Callable[[int, Detections], object],
    on_progress: Callable[[int], object],
    report: Report = silent,
) -> None:
    """Lets the export environment predict photos, by their ids.

    Raises:
        SpecError: the package's worker did not answer for all.
    """
    job = {
        "task": "predict",
        "pipeline": msgspec.structs.asdict(request.package.preprocess_spec(request.variant)),
        "images": [{"id": number, "path": str(path.resolve())} for number, path in photos.items()],
    }
    done = 0

    def take(result: dict[str, Any]) -> None:
        nonlocal done
        sink(result["image_id"], _detections(result))
        done += 1
        on_progress(done)

    run_job(request, job, report, on_result=take)
    if done != len(photos):
        raise SpecError(f"the framework worker answered for {done} of {len(photos)} images")


def recorded_framework(request: BuildRequest) -> Rung | None:
    """The framework's figures as ``model.yaml`` has them, or None."""
    spec = request.variant.spec.accuracy
    if not spec.framework:
        return None
    return Rung("framework", spec.framework, spec.images or 0, origin=f"recorded: {spec.source}")


def _detections(result: Mapping[str, Any]) -> Detections:
    boxes: NDArray[np.float32] = np.asarray(result["boxes"], np.float32).reshape(-1, 4)
    return Detections(
        boxes,
        np.asarray(result["scores"], np.float32),
        np.asarray(result["labels"], np.int64),
        tuple(result["masks"]) if result.get("masks") is not None else None,
    )
