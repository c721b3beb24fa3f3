"""The Python side of the Mask R-CNN package: pre- and postprocessing, and the photos passes are checked on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

import convertkit

from .mini.scenes import generate
from .postprocess import postprocess
from .preprocess import preprocess


class MaskRCNN(convertkit.Model):
    """Mask R-CNN as mmdet trains it."""

    name = "maskrcnn"

    def preprocess(
        self, image: NDArray[Any], size: tuple[int, int], spec: convertkit.PreprocessSpec
    ) -> tuple[dict[str, NDArray[Any]], convertkit.Placement]:
        return preprocess(image, size, spec)

    def postprocess(
        self, outputs: Mapping[str, NDArray[Any]], placement: convertkit.Placement, spec: convertkit.PostprocessSpec
    ) -> convertkit.Detections:
        return postprocess(outputs, placement, spec)

    def sample_images(self) -> Iterator[NDArray[Any]]:
        """Two scenes of the embedded generator: they bring detections to light for every variant's weights."""
        return (generate("sample", index).image for index in range(2))


@convertkit.hookimpl
def register_models(register: Callable[[type[convertkit.Model]], None]) -> None:
    register(MaskRCNN)
