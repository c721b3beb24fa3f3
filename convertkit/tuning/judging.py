"""The accuracy of points on the same photos: what each finds is a step of the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import structs

from convertkit.conversion.events import Report
from convertkit.conversion.store import Store
from convertkit.rungs.journal import Journals
from convertkit.rungs.keys import rung_key
from convertkit.rungs.names import RungName
from convertkit.rungs.rung import Course, Ran, Rung, score
from convertkit.rungs.terms import Terms
from convertkit.scoring.intervals import Resampled
from convertkit.storage.files import canonical_json, home, sha256_bytes, sha256_file, work_directory
from convertkit.tuning.front import Differences
from convertkit.verification.measuring import measure

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.datasets.coco import CocoDataset

RUNG = "target-graph"
"""The name of the files of detections."""


@dataclass
class Judge:
    """Measures points by the graph after all passes, in fp32, operators lowered.

    Args:
        dataset: the photos, with annotations.
        tasks: what is scored.
    """

    dataset: CocoDataset
    tasks: tuple[str, ...]
    store: Store
    report: Report
    rungs: dict[int, Rung] = field(default_factory=dict)
    samples: dict[int, Resampled] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def measure(
        self,
        number: int,
        requests: Sequence[BuildRequest],
        graphs: Sequence[str],
        advance: Callable[[int], None],
    ) -> None:
        """What a point finds, from the store or run now, and its figures.

        Args:
            graphs: the digest of each request's target graph.

        Raises:
            GraphError, StreamError: its graph fails on a photo.
        """
        terms = Terms.of(requests, self.tasks)
        rung = RungName(RUNG, "after", len(requests[0].pipeline.steps))
        key = self._key(rung_key(rung, requests, graphs))
        entry = self.store.find(key)
        journals = Journals(home() / "journals", self.report)
        if entry is None:
            with work_directory("tune") as scratch:
                course = Course(terms, self.dataset, scratch, journals, tuple(requests))
                measure(rung, course, None, None, advance, self.report)
                entry = self.store.put_files(key, [(course.path(RUNG).name, course.path(RUNG))])
            journals.discard()
        course = Course(terms, self.dataset, entry.directory, journals, tuple(requests))
        if not self.rungs:
            self.notes = course.notes()  # the same of every point
        found = score(course, Ran(RUNG, key))
        self.rungs[number] = structs.replace(found, name=str(number))
        photos = len(self.dataset.images)
        self.samples[number] = Resampled.of(photos, {str(number): course.matches.get(RUNG, {})})

    def differences(self, number: int, against: int) -> Differences:
        """How much more AP a measured point has than another, by task, with 95 % intervals on the same samples."""
        one, other = self.rungs[number], self.rungs[against]
        own, theirs = self.samples[number], self.samples[against]
        found = Resampled(own.photos, {**theirs.samples, **own.samples}, own.holding)
        return {task: found.difference(one, other, task, "AP") for task in self.tasks if task in one.scores}

    def _key(self, rung: str) -> str:
        facts = {
            "kind": "detections",
            "rung": rung,
            "annotations": sha256_file(self.dataset.found.path),
            "photos": [[image.id, image.sha256] for image in self.dataset.images],
        }
        return sha256_bytes(canonical_json(facts))
