"""The loss of a plan of precisions: a step of the store, so that nothing is run twice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from convertkit.conversion.keys import compile_facts, samples_fact, tool_versions
from convertkit.conversion.store import Store
from convertkit.errors import GraphError
from convertkit.graph.domains import lowered
from convertkit.graph.session import open_session
from convertkit.precision.loss import Loss, PhotoLoss, loss_of, photo_loss
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
        model: the target graph. In fp32 it is its twin.
    """

    request: BuildRequest
    model: LightModel
    dataset: CocoDataset
    store: Store

    def loss(self, keep: Collection[str], on_progress: Callable[[int], object] = lambda count: None) -> Loss:
        """Of the graph with these nodes in fp32; a photo on which it fails costs everything.

        Raises:
            UnknownNameError: there is no such node. UnavailableError: one cannot be kept.
            GraphError: the reference fails, or what it finds is not finite.
        """
        if (known := self.known(keep)) is not None:
            return known
        runtime = mixed_of(self.request.target).emulate(self.model, keep, self.request.context)
        pixels = self.request.context.pixels is not None
        found = []
        for count, image in enumerate(self.dataset.images, 1):
            found.append(self._photo(runtime, image, pixels))
            on_progress(count)
        loss = loss_of(found)
        self.store.put_files(self._key(keep), [(FILE, msgspec.json.encode(loss))])
        return loss

    def known(self, keep: Collection[str]) -> Loss | None:
        """What was evaluated before."""
        if (entry := self.store.find(self._key(keep))) is None:
            return None
        return msgspec.json.decode((entry.directory / FILE).read_bytes(), type=Loss)

    def _photo(self, runtime: Runtime, image: CocoImage, pixels: bool) -> PhotoLoss:
        found: Detections | None
        try:
            found = self._detections(runtime, [image], pixels)[image.id]
        except (GraphError, StreamError) as error:
            LOG.info("%s: %s", image, error.message)
            found = None
        return photo_loss(str(image), self._reference[image.id], found)

    @cached_property
    def _reference(self) -> Mapping[int, Detections]:
        return self._detections(open_session(lowered(self.model)), self.dataset.images, pixels=False)

    def _detections(
        self, runtime: Runtime | Session, images: Sequence[CocoImage], pixels: bool
    ) -> dict[int, Detections]:
        seen: dict[int, Detections] = {}
        detections_of(
            [runtime], [self.request], images, read=self.dataset.read, pixels=pixels,
            sink=lambda image, found: seen.__setitem__(image.id, found),
        )  # fmt: skip
        return seen

    def _key(self, keep: Collection[str]) -> str:
        facts = {
            "kind": "loss",
            "graph": self.model.digest(),
            "keep": sorted(keep),
            "photos": [image.sha256 for image in self.dataset.images],
            "target": compile_facts(self.request.target, replace(self.request.context, compiler=None)),
            "package": [samples_fact(self.request.package, self.request.variant)],
            "postprocess": tree_digest(self.request.package.root),
            "product": tree_digest(Path(__file__).parents[1]),
            "tools": tool_versions(),
        }
        return sha256_bytes(canonical_json(facts))
