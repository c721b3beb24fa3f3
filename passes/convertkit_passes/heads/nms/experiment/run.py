"""The experiment: the region below the boxes and scores against the operator, on random boxes and scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convertkit.api import graphs, heads, passes
from convertkit.api.heads import Refused
from convertkit_passes.heads.nms import probes
from convertkit_passes.heads.nms.candidates.site import Site
from convertkit_passes.heads.nms.candidates.sources import Sources
from convertkit_passes.heads.nms.experiment import downstream, readings
from convertkit_passes.heads.nms.experiment.downstream import Downstream
from convertkit_passes.heads.nms.experiment.readings import Answer, Reading
from convertkit_passes.heads.types import Tensor

Array: TypeAlias = NDArray[Any]

MOST_SLOTS = 1000
"""Of detections that are looked for."""


@dataclass(frozen=True)
class Explained:
    """What can be read off an operator of ``total`` slots.

    Attributes:
        readings: by the id of the tensor; only those at which the selection can end.
        symbolic: ids of tensors that hold the used slots only, whether they count or not.
    """

    total: int
    readings: dict[int, Reading]
    symbolic: frozenset[int]


@dataclass(frozen=True)
class Experiment:
    """One site, read in one way.

    Attributes:
        threshold: the operator's score_threshold.
        every: the graph keeps boxes of score 0, too; no case has such, so that no difference is seen there.
    """

    graph: passes.Graph
    site: Site
    sources: Sources
    threshold: float
    every: bool = False

    def explained(self, below: Downstream, *, pad: bool) -> list[Explained]:
        """What can be read off the operator, for each number of slots that anything has, the largest first.

        Args:
            pad: tensors of symbolic length count too.
        """
        tensors = below.worth_a_look(self.site.batch)
        if not tensors:
            return []
        columns, answers = self._run(tensors)
        pairs = list(zip(tensors, columns, strict=True))
        found = [readings.read(tensor, values, answers, self.sources.reach) for tensor, values in pairs]
        known = [item for item in found if item is not None and self._says(item)]
        known += [item for pair in pairs if (item := readings.pictures(*pair, answers)) is not None]
        known += [item for pair in pairs if (item := readings.rows(*pair, answers, self.sources.carried))]
        return [
            self._of_total(below, [*known, *_counts(pairs, answers, total)], total, pad)
            for total in sorted({item.total for item in known}, reverse=True)
        ]

    def _of_total(self, below: Downstream, known: list[Reading], total: int, pad: bool) -> Explained:
        here = {id(item.tensor): item for item in known[::-1] if item.total == total}
        usable = {key: item for key, item in here.items() if pad or not item.symbolic}
        places = {key for key, item in usable.items() if item.carried and item.carried.tensor is None}
        kinds = {key: item.kind for key, item in usable.items() if key not in places}
        ends = (
            downstream.read_off(below, self.site.selection, kinds) | places
        )  # behind all that is read by place
        if pad:  # behind a padded tensor its size no longer counts detections
            ends |= {
                key
                for key, item in usable.items()
                if item.kind == "num" and downstream.told(self.graph, item.tensor)
            }
        symbolic = frozenset(key for key, item in here.items() if item.symbolic)
        return Explained(total, {key: item for key, item in usable.items() if key in ends}, symbolic)

    def _says(self, item: Reading) -> bool:
        """With one class, classes are zeros: as integers they are labels, as floats more likely something else."""
        several = self.sources.classes > 1
        return item.kind != "classes" or several or np.dtype(item.tensor.dtype).kind != "f"

    def _run(self, tensors: Sequence[Tensor]) -> tuple[list[list[Array]], list[Answer]]:
        """The values of each tensor, and the operator's outputs, case by case."""
        region = self._region(tensors)
        rows, answers = [], []
        for case in self.cases():
            values = self._values(region, case)
            if values is not None:
                rows.append(values)
                answers.append(self.answer(case))
        return [[row[index] for row in rows] for index in range(len(tensors))], answers

    def cases(self) -> list[probes.Case]:
        """What the experiment feeds; nothing overlaps in the first."""
        return self.sources.cases(self._ranges())

    def run_on(self, tensors: Sequence[Tensor], case: probes.Case) -> tuple[Array, ...] | None:
        """The values of tensors in one case; None where the graph fails on an optional one."""
        return self._values(self._region(tensors), case)

    def _region(self, tensors: Sequence[Tensor]) -> graphs.Region:
        return graphs.cut(self.graph, tensors, self.sources.borders)

    def _ranges(self) -> probes.Ranges:
        top = graphs.bounds(self.graph, self.sources.scores.tensor).high
        usable = np.isfinite(top) and top > self.threshold
        return probes.Ranges(
            self.sources.range, top if usable else self.threshold + 1, self.threshold, self.every
        )

    def _values(self, region: graphs.Region, case: probes.Case) -> tuple[Array, ...] | None:
        try:
            return region.run(*self.sources.feed(case.boxes, case.scores))
        except passes.GraphError as error:
            if case.optional:
                return None
            where = self.sources.boxes.tensor
            raise Refused(f"it cannot be run on its own: {error.message}", where) from error

    def answer(self, case: probes.Case) -> Answer:
        """What the operator gives in one case."""
        together = self.sources.together
        attributes = {
            "score_threshold": self.threshold,
            "iou_threshold": float(self.site.iou_threshold),
            "max_size_per_class": MOST_SLOTS if together else min(self.site.limit, MOST_SLOTS),
            "max_total_size": MOST_SLOTS,
        }
        boxes, scores, *rest = heads.MULTICLASS_NMS.compute([case.boxes, case.scores], attributes)
        found = Answer(boxes, scores, rest[0], rest[1], self._places(case.scores, scores))
        return found.best(self.site.limit) if together else found

    def _places(self, scores: Array, found: Array) -> Array:
        """``(T,)`` of ``(B, N, C)`` and ``(B, T)``, of the first picture: which box has a score; all differ."""
        if not self.sources.carried:
            return np.zeros(0, np.int64)
        return np.asarray((scores[0].max(-1) == found[0][:, None]).argmax(1))


def _counts(pairs: list[tuple[Tensor, list[Array]]], answers: list[Answer], total: int) -> list[Reading]:
    """The tensors that say how many of the slots are used."""
    found = [readings.count(tensor, values, answers, total) for tensor, values in pairs]
    return [item for item in found if item is not None]
