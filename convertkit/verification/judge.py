"""Is the measured accuracy what the spec demands?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from convertkit.errors import SpecError, suggestion
from convertkit.models.spec import AccuracySpec
from convertkit.verification.gates import VOID, Gate

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
        judged: False where the spec's recorded figures do not apply; ``reason`` says why.
        ok: all demands are met and no gate is shut; True where nothing was judged.
        demands: line by line.
        tasks_left_out: what the spec demands but was not measured, ``bbox`` or ``segm``.
        gates: what the intervals say of floors and drops.
        gates_left_out: those, and recorded figures, that could not be judged, and why.
    """

    judged: bool
    ok: bool
    reason: str = ""
    demands: tuple[Demand, ...] = ()
    tasks_left_out: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()
    gates_left_out: tuple[str, ...] = ()

    @property
    def undecided(self) -> bool:
        """Nothing failed, but more photos are needed to say that all is well."""
        return self.ok and any(gate.outcome == "undecided" for gate in self.gates)

    @property
    def waiting(self) -> bool:
        """Nothing failed, but something had nothing to find on these photos, which others may have."""
        return self.ok and any(line.endswith(VOID) for line in self.gates_left_out)

    def with_gates(self, gates: tuple[Gate, ...], left_out: tuple[str, ...]) -> Verdict:
        """The same of the recorded figures, and of these gates."""
        ok = self.ok and all(gate.outcome != "fail" for gate in gates)
        return structs.replace(self, ok=ok, gates=gates, gates_left_out=(*self.gates_left_out, *left_out))


def judge(
    measured: Scores,
    spec: AccuracySpec,
    *,
    images: int,
    own: bool,
    all_images: bool = True,
    left_out: str = "",
) -> Verdict:
    """Compares a measurement with an accuracy spec.

    Args:
        measured: the metrics of the rung that is delivered.
        images: on how many images they were measured.
        own: whether that was the dataset the spec was written for. ``all_images``: and the whole of it.
        left_out: which photos of it could not be read, in words.

    Raises:
        SpecError: the spec demands a metric that was not measured.
    """
    known = _demands(measured, spec)
    demands = tuple(demand for demand in known if demand.measured >= 0)
    void = tuple(f"{demand.task} {demand.metric}: {VOID}" for demand in known if demand.measured < 0)
    missing = tuple(task for task, expected in _expected(spec) if expected and task not in measured)
    reason = _not_judged(known, spec, images, own=own, all_images=all_images, left_out=left_out)
    if reason:
        return Verdict(False, True, reason, demands, missing)
    ok = all(demand.ok for demand in demands)
    return Verdict(True, ok, spec.source, demands, missing, gates_left_out=void)


def _not_judged(
    demands: Sequence[Demand], spec: AccuracySpec, images: int, *, own: bool, all_images: bool, left_out: str
) -> str:
    if not demands:
        asked = any(expected for _, expected in _expected(spec))
        if not asked and (spec.floor or spec.drop):
            return "the accuracy spec has floors and drops only"
        return f"the accuracy spec demands nothing{' of what was measured' if asked else ''}"
    if not own:
        return "the accuracy spec was written for other images"
    if left_out:
        return left_out
    if not all_images:
        return f"only {images} images of the dataset were measured"
    if spec.images is not None and images != spec.images:
        return f"the accuracy spec holds for {spec.images} images, this run had {images}"
    if all(demand.measured < 0 for demand in demands):
        names = ", ".join(f"{demand.task} {demand.metric}" for demand in demands)
        return f"nothing in the annotations counts for {names}"
    return ""


def _expected(spec: AccuracySpec) -> tuple[tuple[str, dict[str, float]], ...]:
    return (("bbox", spec.bbox), ("segm", spec.segm))


def _demands(measured: Scores, spec: AccuracySpec) -> list[Demand]:
    found = []
    for task, expected in _expected(spec):
        for metric, value in expected.items() if task in measured else ():
            known = measured[task]
            if metric not in known:
                raise SpecError(f"accuracy.{task}: unknown metric {metric!r}", hint=suggestion(metric, known))
            found.append(Demand(task, metric, known[metric], value, spec.tolerance))
    return found
