"""The loss of a plan of precisions: a step of the store for each photo, so that nothing is run twice."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from convertkit.conversion.keys import compile_facts, samples_fact
from convertkit.conversion.store import Store
from convertkit.errors import GraphError
from convertkit.precision.loss import Loss, PhotoLoss, loss_of, photo_loss
from convertkit.rungs.keys import versions
from convertkit.rungs.rung import detections_of
from convertkit.rungs.stream import StreamError
from convertkit.storage.files import canonical_json, sha256_bytes, tree_digest
from convertkit.targets.mixed import mixed_of

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.datasets.coco import CocoDataset, CocoImage
    from convertkit.detection.types import Detections
    from convertkit.graph.light import LightModel
    from convertkit.graph.session import Session
    from convertkit.targets.capabilities import Runtime

FILE = "loss.json"
LOG = logging.getLogger(__name__)


@dataclass
class Evaluator:
    """Compares mixtures of precisions of one graph with the graph in fp32, photo by photo.

    Args:
        model: the target graph. What is right is what it finds in fp32, its vendor operators as they are defined.
    """

    request: BuildRequest
    model: LightModel
    dataset: CocoDataset
    store: Store
    _hardest: Sequence[CocoImage] | None = field(default=None, init=False)

    def loss(
        self,
        keep: Collection[str],
        on_progress: Callable[[int], object] = lambda count: None,
        beyond: float = math.inf,
    ) -> Loss:
        """Of the graph with these nodes in fp32; a photo on which it fails costs everything.

        Args:
            beyond: it ends with the photo that puts the mean beyond this, whatever the others cost. Those on which all
                fp16 loses most come first, where that is known.

        Raises:
            UsageError: there is no such node. UnavailableError: one cannot be kept.
            GraphError: the reference fails, or what it finds is not finite.
        """
        runtime = cache(lambda: mixed_of(self.request.target).emulate(self.model, keep, self.request.context))
        looked = itertools.count(1)

        def photo(image: CocoImage) -> PhotoLoss:
            known = self._of_store(keep, image)
            found = self._photo(runtime(), image) if known is None else known
            if known is None:
                self.store.put_files(self._key(keep, image), [(FILE, msgspec.json.encode(found))])
            on_progress(next(looked))
            return found

        loss = self._over(photo, beyond)
        assert loss is not None
        return loss

    def known(self, keep: Collection[str], beyond: float = math.inf) -> Loss | None:
        """The same, where all that it takes was evaluated before."""
        return self._over(lambda image: self._of_store(keep, image), beyond)

    def _over(self, photo: Callable[[CocoImage], PhotoLoss | None], beyond: float) -> Loss | None:
        images, found = self.dataset.images, dict[int, PhotoLoss]()
        for image in self._hardest_first():
            if (one := photo(image)) is None:
                return None
            found[image.id] = one
            if sum(one.loss for one in found.values()) > beyond * len(images):
                break
        return loss_of([found.get(image.id) for image in images])

    def _hardest_first(self) -> Sequence[CocoImage]:
        if self._hardest is None:
            known = {image.id: self._of_store((), image) for image in self.dataset.images}
            losses = {number: one.loss for number, one in known.items() if one is not None}
            if len(losses) < len(known):
                return self.dataset.images
            self._hardest = sorted(self.dataset.images, key=lambda image: -losses[image.id])
        return self._hardest

    def _of_store(self, keep: Collection[str], image: CocoImage) -> PhotoLoss | None:
        if (entry := self.store.find(self._key(keep, image))) is None:
            return None
        found = msgspec.json.decode((entry.directory / FILE).read_bytes(), type=PhotoLoss)
        return msgspec.structs.replace(found, photo=str(image))  # the same bytes may have had another name

    def _photo(self, runtime: Runtime, image: CocoImage) -> PhotoLoss:
        found: Detections | None
        try:
            found = self._detections(runtime, [image], self.request.context.pixels is not None)[image.id]
        except (GraphError, StreamError) as error:
            if isinstance(error.__cause__, MemoryError):
                raise  # the machine's, not the graph's: nothing is known of the photo
            LOG.info("%s: %s", image, error.message)
            found = None
        return photo_loss(str(image), self._reference[image.id], found)

    @cached_property
    def _reference(self) -> Mapping[int, Detections]:
        reference = mixed_of(self.request.target).reference(self.model)
        return self._detections(reference, self.dataset.images, pixels=False)

    def _detections(
        self, runtime: Runtime | Session, images: Sequence[CocoImage], pixels: bool
    ) -> dict[int, Detections]:
        seen: dict[int, Detections] = {}
        detections_of(
            [runtime], [self.request], images, read=self.dataset.read, pixels=pixels,
            sink=lambda image, found: seen.__setitem__(image.id, found),
        )  # fmt: skip
        return seen

    def _key(self, keep: Collection[str], image: CocoImage) -> str:
        facts = {**self._facts, "keep": sorted(keep), "photo": image.sha256}
        return sha256_bytes(canonical_json(facts))

    @cached_property
    def _facts(self) -> Mapping[str, Any]:
        """What every evaluation depends on."""
        return {
            "kind": "loss",
            "graph": self.model.digest(),
            "target": compile_facts(self.request.target, replace(self.request.context, compiler=None)),
            "package": [samples_fact(self.request.package, self.request.variant)],
            "postprocess": tree_digest(self.request.package.root),
            "product": tree_digest(Path(__file__).parents[1]),
            "versions": versions(),
        }
