"""What the figures of a verification are judged by: all that is needed of a model where only detections are left."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from convertkit.conversion.request import BuildRequest
from convertkit.datasets.subset import Subset
from convertkit.detection.profiles import Size
from convertkit.models.spec import AccuracySpec


class Terms(Struct, frozen=True):
    """Of a model, and of the photos that it is asked to be measured on.

    Attributes:
        model, variant, target: what is verified.
        classes: of the model, in the order of its network.
        sizes: height and width in pixels by profile; by an empty name where there is one size.
        accuracy: the accuracy spec.
        tasks: what is scored, ``bbox`` or ``segm`` or both.
        own: whether the photos are those that the accuracy spec was written for.
        limit: only the first so many of them.
        subset: a choice of them, as it was made.
    """

    model: str
    variant: str
    target: str
    classes: tuple[str, ...]
    sizes: dict[str, Size]
    accuracy: AccuracySpec
    tasks: tuple[str, ...]
    own: bool = False
    limit: int | None = None
    subset: Subset | None = None

    @property
    def all_photos(self) -> bool:
        """Whether nothing says that only some are measured."""
        return self.limit is None and self.subset is None

    @classmethod
    def of(
        cls,
        requests: Sequence[BuildRequest],
        tasks: Sequence[str],
        *,
        own: bool = False,
        limit: int | None = None,
    ) -> Terms:
        """Of one request for each profile, or the only one."""
        package, variant = requests[0].package, requests[0].variant
        return cls(
            package.spec.name,
            variant.name,
            requests[0].target.name,
            tuple(package.spec.classes),
            {request.profile: request.variant.spec.size for request in requests},
            variant.spec.accuracy,
            tuple(tasks),
            own,
            limit,
        )
