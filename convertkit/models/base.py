"""The Python side of a model package: what happens to a photo before the graph and to outputs after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from convertkit.errors import PluginError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.detection.settings import PostprocessSpec, PreprocessSpec
    from convertkit.detection.types import Detections, Placement
    from convertkit.models.spec import ModelSpec


class Model:
    """Pre- and postprocessing of one model package, by the roles of its inputs and outputs.

    A package without a plugin has this one. A plugin registers a class of its own under the name in ``model.yaml``,
    which says what it does otherwise.

    Args:
        spec: what ``model.yaml`` says.
    """

    name: ClassVar[str]

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec

    def preprocess(
        self, image: NDArray[Any], size: tuple[int, int], spec: PreprocessSpec
    ) -> tuple[dict[str, NDArray[Any]], Placement]:
        """Graph inputs for one photo: it is letterboxed.

        Args:
            image: ``(H, W, 3) uint8``, BGR, as OpenCV reads it.
            size: height and width of the network input, pixels.
            spec: the package's or variant's settings.

        Returns:
            The arrays by input name, and where the image lies on the canvas. Beside the input of role ``image`` there
            is ``picture``, ``(1, 4) float32 x1 y1 x2 y2`` of the picture on the canvas, which ``clip-to-picture`` adds
            to a graph; any other graph ignores it.
        """
        from convertkit.models.photos import graph_inputs  # OpenCV and numpy load only when a photo comes

        return graph_inputs(image, size, spec, self.spec.inputs)

    def postprocess(
        self, outputs: Mapping[str, NDArray[Any]], placement: Placement, spec: PostprocessSpec
    ) -> Detections:
        """Detections in pixels of the original photo, from raw outputs by name.

        Raises:
            GraphError: an output is missing, does not fit the others, or a score is not a number.
        """
        from convertkit.detection.found import detections
        from convertkit.detection.roles import as_sets

        meanings = {name: tensor.meaning for name, tensor in self.spec.outputs.items()}
        return detections(as_sets(outputs, meanings), placement, spec)

    def sample_images(self) -> Iterator[NDArray[Any]]:
        """A few photos, ``(H, W, 3) uint8`` BGR, on which every pass is checked. The same ones each time.

        Two of noise with the spectrum of photographs, where neither ``samples`` nor a plugin has others.
        """
        from convertkit.models.photos import noise

        return noise(2)


def check_class(cls: type[Model]) -> None:
    """Refuses a model class without a name (PluginError)."""
    if not isinstance(getattr(cls, "name", None), str) or not cls.name:
        raise PluginError(f"model class {cls.__qualname__} has no name")
