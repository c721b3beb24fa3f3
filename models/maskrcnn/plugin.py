"""The Python side of the Mask R-CNN package: the photos that passes are checked on; all else is said by model.yaml."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from numpy.typing import NDArray

from convertkit.api import models


class MaskRCNN(models.Model):
    """Mask R-CNN as mmdet trains it."""

    name = "maskrcnn"

    def sample_images(self) -> Iterator[NDArray[Any]]:
        """Two scenes of the embedded generator: they bring detections to light for every variant's weights."""
        from .mini.scenes import generate

        return (scene.image for scene in generate("train", 2))


@models.hookimpl
def register_models(register: Callable[[type[models.Model]], None]) -> None:
    register(MaskRCNN)
