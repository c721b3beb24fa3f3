"""The Python side of the Mask R-CNN package: pre- and postprocessing, and the photos passes are checked on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

import convertkit


class MaskRCNN(convertkit.Model):
    """Mask R-CNN as mmdet trains it."""

    name = "maskrcnn"

    def preprocess(
        self, image: NDArray[Any], size: tuple[int, int], spec: convertkit.PreprocessSpec
    ) -> tuple[dict[str, NDArray[Any]], convertkit.Placement]:
        from .preprocess import preprocess  # OpenCV and numpy load only when a photo comes

        return preprocess(image, size, spec)

    def postprocess(
        self,
        outputs: Mapping[str, NDArray[Any]],
        placement: convertkit.Placement,
        spec: convertkit.PostprocessSpec,
    ) -> convertkit.Detections:
        from .postprocess import postprocess

        return postprocess(outputs, placement, spec)

    def sample_images(self) -> Iterator[NDArray[Any]]:
        """Two scenes of the embedded generator: they bring detections to light for every variant's weights."""
        from .mini.scenes import generate

        return (scene.image for scene in generate("train", 2))


@convertkit.hookimpl
def register_models(register: Callable[[type[convertkit.Model]], None]) -> None:
    register(MaskRCNN)
