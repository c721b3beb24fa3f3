"""What each rung finds in photos that nobody has annotated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec import Struct

from convertkit.conversion.events import Report, silent
from convertkit.conversion.request import BuildRequest
from convertkit.datasets.coco import decode, photo_bytes
from convertkit.detection.types import Detections, name_of
from convertkit.errors import GraphError, UsageError
from convertkit.graph.io import load
from convertkit.graph.session import Session
from convertkit.rungs.framework import framework_detections
from convertkit.rungs.names import RungName
from convertkit.rungs.rung import detections_of
from convertkit.rungs.subjects import runtime_of, takes_pixels
from convertkit.scoring.results import Mask, plain_mask
from convertkit.targets.capabilities import Runtime, emulate
from convertkit.targets.context import RuntimeOptions


class Thing(Struct, frozen=True, omit_defaults=True):
    """One detection; ``box`` is x1, y1, x2, y2 in pixels of the photo, ``mask`` COCO's compressed run lengths."""

    label: int
    name: str
    score: float
    box: tuple[float, float, float, float]
    mask: Mask | None = None


@dataclass(frozen=True)
class Subject:
    """What detects.

    Attributes:
        directory: of the artifact.
        built: whether ``directory`` was given as it is, so that there is no other graph than its own.
    """

    request: BuildRequest
    directory: Path
    built: bool = False

    def detect(
        self,
        rung: RungName,
        photos: Sequence[Path],
        *,
        options: RuntimeOptions | None = None,
        report: Report = silent,
        on_progress: Callable[[int], object] = lambda count: None,
    ) -> list[Detections]:
        """The detections of every photo, in its pixels, in the photos' order.

        Raises:
            UsageError: a photo cannot be read, or an artifact has no such rung. GraphError: outputs that are none.
        """
        found: dict[int, Detections] = {}
        if rung.source == "framework" and not self.built:
            framework_detections(
                self.request, dict(enumerate(photos)), found.__setitem__, on_progress, report
            )
        else:
            detections_of(
                [self._runtime(rung, options, report)],
                [self.request],
                [_Numbered(number, photo) for number, photo in enumerate(photos)],
                read=lambda photo: decode(photo, photo_bytes(photo.path)),
                sink=lambda photo, seen: found.__setitem__(photo.number, seen),
                on_progress=on_progress,
                pixels=takes_pixels(rung, self.request),
            )
        return [_finite(found[number], photo, rung) for number, photo in enumerate(photos)]

    def _runtime(self, rung: RungName, options: RuntimeOptions | None, report: Report) -> Runtime | Session:
        if not self.built or rung.source == "target":
            return runtime_of(rung, self.request, self.directory, options, report)
        if rung.source != "final":
            raise UsageError(
                f"rung {rung.text}: {self.directory} has only the graph it was made of",
                hint="give the model package instead of the artifact",
            )
        graph, context = load(self.directory / "model.onnx"), self.request.context
        return emulate(self.request.target, graph, rung.emulation, rung.variation, context)


def things(found: Detections, classes: Sequence[str], above: float) -> tuple[Thing, ...]:
    """Those with a score greater than ``above`` as plain data, the surest first."""
    return tuple(
        Thing(
            label := int(found.labels[index]),
            name_of(label, classes),
            float(found.scores[index]),
            tuple(map(float, found.boxes[index])),  # type: ignore[arg-type]
            plain_mask(found.masks[index]) if found.masks is not None else None,
        )
        for index in found.surer(above)
    )


@dataclass(frozen=True)
class _Numbered:
    number: int
    path: Path

    def __str__(self) -> str:
        return str(self.path)


def _finite(found: Detections, photo: Path, rung: RungName) -> Detections:
    if not (np.isfinite(found.boxes).all() and np.isfinite(found.scores).all()):
        raise GraphError(f"{photo}: rung {rung.text}: a box or a score is not finite")
    return found
