"""Is the measured accuracy what the spec demands?"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from convertkit.errors import SpecError, suggestion
from convertkit.models.spec import AccuracySpec

Scores = Mapping[str, Mapping[str, float]]
"""Task (``bbox``, ``segm``) -> metric (``AP`` ...) -> value in 0..1."""


class Demand(Struct, frozen=True):
    """One line of the accuracy spec beside what was measured. All values in 0..1."""

    task: str
    metric: str
    measured: float
    expected: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether the measured value reaches the expected one, less the tolerance."""
        return self.measured >= self.expected - self.tolerance

    def __str__(self) -> str:
        sign = ">=" if self.ok else "<"
        floor = f"{self.expected:.4f} - {self.tolerance:g}"
        return f"{self.task} {self.metric} {self.measured:.4f} {sign} {floor}"


class Verdict(Struct, frozen=True):
    """What the accuracy spec says of a measurement.

    Attributes:
        judged: False where the spec does not apply; ``reason`` says why.
        ok: all demands are met; True where nothing was judged.
        demands: line by line.
    """

    judged: bool
    ok: bool
    reason: str = ""
    demands: tuple[Demand, ...] = ()


def judge(
    measured: Scores, spec: AccuracySpec, *, images: int, own: bool, all_images: bool = True
) -> Verdict:
    """Compares a measurement with an accuracy spec.

    Args:
        measured: the metrics of the rung that is delivered.
        images: on how many images they were measured.
        own: whether that was the dataset the spec was written for. ``all_images``: and the whole of it.

    Raises:
        SpecError: the spec demands a metric that was not measured.
    """
    demands = tuple(_demands(measured, spec))
    if not demands:
        return Verdict(False, True, "the accuracy spec demands nothing")
    if not own:
        return Verdict(False, True, "the accuracy spec was written for other images", demands)
    if not all_images:
        return Verdict(False, True, f"only {images} images of the dataset were measured", demands)
    if spec.images is not None and images != spec.images:
        reason = f"the accuracy spec holds for {spec.images} images, this run had {images}"
        return Verdict(False, True, reason, demands)
    return Verdict(True, all(demand.ok for demand in demands), spec.source, demands)


def _demands(measured: Scores, spec: AccuracySpec) -> list[Demand]:
    found = []
    for task, expected in (("bbox", spec.bbox), ("segm", spec.segm)):
        for metric, value in expected.items():
            known = measured.get(task, {})
            if metric not in known:
                raise SpecError(f"accuracy.{task}: unknown metric {metric!r}", hint=suggestion(metric, known))
            found.append(Demand(task, metric, known[metric], value, spec.tolerance))
    return found
