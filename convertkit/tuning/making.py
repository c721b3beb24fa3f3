"""From a setting of the levers to requests, graphs and a price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convertkit.conversion.events import Report
from convertkit.conversion.framework import missing_environment
from convertkit.conversion.store import Store
from convertkit.detection.profiles import best_size
from convertkit.tuning.emitting import write_variant
from convertkit.tuning.levers import Facts, Lever, merged
from convertkit.tuning.pricing import Cost, cost_of, price_of
from convertkit.tuning.sweep import Made

if TYPE_CHECKING:
    from convertkit.conversion.request import BuildRequest
    from convertkit.datasets.coco import CocoImage
    from convertkit.targets.machine import Machine
    from convertkit.tuning.front import Setting


@dataclass
class Maker:
    """Makes points of one model.

    Args:
        base: the model as it is, one request for each profile.
        ask: the requests of a ``variant``, by the path of its file.
        scratch: where the files of points go.
        images: photos that say how many go to each profile; none where it is not known.
    """

    base: tuple[BuildRequest, ...]
    ask: Callable[..., tuple[BuildRequest, ...]]
    scratch: Path
    images: Sequence[CocoImage]
    machine: Machine
    store: Store
    report: Report
    levers: tuple[Lever, ...] = ()
    known: dict[Setting, Made] = field(default_factory=dict)

    @cached_property
    def facts(self) -> Facts:
        """Of the model as it is, whose target graph is made."""
        counts = self._cost(self.base[0]).counts
        exported = self.base[0].package.spec.export is not None
        return Facts(self.base, counts, missing_environment(self.base[0]) if exported else "")

    def make(self, setting: Setting) -> Made:
        """Raises ConvertkitError where the setting cannot be had."""
        if setting not in self.known:
            self.known[setting] = self._made(self._requests(setting))
        return self.known[setting]

    def change(self, setting: Setting) -> dict[str, Any]:
        """What a setting says otherwise than the variant as it is."""
        pairs = zip(self.levers, setting, strict=True)
        return merged(self.facts, [lever.choices[choice].change for lever, choice in pairs])

    def _requests(self, setting: Setting) -> tuple[BuildRequest, ...]:
        if not (change := self.change(setting)):
            return self.base
        pairs = zip(self.levers, setting, strict=True)
        name = " ".join(f"{lever.name}={lever.choices[choice].word}" for lever, choice in pairs if choice)
        file = write_variant(self.scratch / f"{name}.yaml", self.base[0].variant, change)
        return self.ask(variant=str(file))

    def _made(self, requests: tuple[BuildRequest, ...]) -> Made:
        costs = {request.profile: self._cost(request) for request in requests}
        sizes = {request.variant.spec.size: request.profile for request in requests}
        photos = Counter(sizes[best_size(one.height, one.width, [*sizes])] for one in self.images)
        price = price_of(costs, requests[0].variant.spec.batch, photos)
        return Made(requests, tuple(cost.graph for cost in costs.values()), price)

    def _cost(self, request: BuildRequest) -> Cost:
        return cost_of(request, self.machine, self.store, self.report)
