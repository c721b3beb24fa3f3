"""The Python side of a model package: what happens to a photo before the graph and to outputs after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from convertkit.errors import PluginError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.detection.settings import PostprocessSpec, PreprocessSpec
    from convertkit.detection.types import Detections, Placement


class Model:
    """Pre- and postprocessing of one model package; registered by its plugin under the name in ``model.yaml``."""

    name: ClassVar[str]

    def preprocess(
        self, image: NDArray[Any], size: tuple[int, int], spec: PreprocessSpec
    ) -> tuple[dict[str, NDArray[Any]], Placement]:
        """Graph inputs for one photo.

        Args:
            image: ``(H, W, 3) uint8``, BGR, as OpenCV reads it.
            size: height and width of the network input, pixels.
            spec: the package's or variant's settings.

        Returns:
            The arrays by input name, and where the image lies on the canvas.
        """
        raise NotImplementedError

    def postprocess(
        self, outputs: Mapping[str, NDArray[Any]], placement: Placement, spec: PostprocessSpec
    ) -> Detections:
        """Detections in pixels of the original photo, from raw outputs by name."""
        raise NotImplementedError

    def sample_images(self) -> Iterator[NDArray[Any]]:
        """A few photos, ``(H, W, 3) uint8`` BGR, on which every pass is checked. The same ones each time."""
        raise NotImplementedError


def check_class(cls: type[Model]) -> None:
    """Refuses a model class without a name (PluginError)."""
    if not isinstance(getattr(cls, "name", None), str) or not cls.name:
        raise PluginError(f"model class {cls.__qualname__} has no name")
