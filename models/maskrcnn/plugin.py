"""The Python side of the Mask R-CNN package: pre- and postprocessing, and the photos passes are checked on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from convertkit.api import models


class MaskRCNN(models.Model):
    """Mask R-CNN as mmdet trains it."""

    name = "maskrcnn"

    def preprocess(
        self, image: NDArray[Any], size: tuple[int, int], spec: models.PreprocessSpec
    ) -> tuple[dict[str, NDArray[Any]], models.Placement]:
        from .preprocess import preprocess  # OpenCV and numpy load only when a photo comes

        return preprocess(image, size, spec)

    def postprocess(
        self,
        outputs: Mapping[str, NDArray[Any]],
        placement: models.Placement,
        spec: models.PostprocessSpec,
    ) -> models.Detections:
        from .postprocess import postprocess

        return postprocess(outputs, placement, spec)

    def sample_images(self) -> Iterator[NDArray[Any]]:
        """Two scenes of the embedded generator: they bring detections to light for every variant's weights."""
        from .mini.scenes import generate

        return (scene.image for scene in generate("train", 2))


@models.hookimpl
def register_models(register: Callable[[type[models.Model]], None]) -> None:
    register(MaskRCNN)
