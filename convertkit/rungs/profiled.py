"""Several sizes of one model as one runtime: pictures go to the size that suits them, runs to what was built for it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from convertkit.detection.batch import kind_of
from convertkit.detection.profiles import Size, best_size
from convertkit.errors import GraphError
from convertkit.targets.capabilities import answers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convertkit.detection.settings import PreprocessSpec
    from convertkit.detection.types import Placement
    from convertkit.graph.session import Session
    from convertkit.models.package import ModelPackage
    from convertkit.targets.capabilities import Runtime


@dataclass(frozen=True)
class Preparation:
    """Preprocessing of one model: the pictures become inputs of the size that suits each."""

    package: ModelPackage
    settings: PreprocessSpec
    sizes: Sequence[Size]

    def __call__(self, image: NDArray[Any]) -> tuple[dict[str, NDArray[Any]], Placement]:
        """The inputs for a picture, ``(H, W, 3) uint8`` BGR, and its place on the canvas."""
        size = best_size(image.shape[0], image.shape[1], self.sizes)
        return self.package.model.preprocess(image, size, self.settings)

    def runtime(self, runtimes: Sequence[Runtime | Session]) -> Runtime | Session:
        """One runtime for those of all sizes, in the order of ``sizes``."""
        if len(runtimes) == 1:
            return runtimes[0]
        blank = (np.zeros((*size, 3), np.uint8) for size in self.sizes)
        kinds = [
            kind_of(self.package.model.preprocess(image, size, self.settings)[0])
            for image, size in zip(blank, self.sizes, strict=True)
        ]
        return ProfiledRuntime(dict(zip(kinds, runtimes, strict=True)))


@dataclass(frozen=True)
class ProfiledRuntime:
    """Gives a run to the runtime that takes inputs of its shapes; ``runtimes`` is by their :func:`kind_of`."""

    runtimes: Mapping[Hashable, Runtime | Session]

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """As :meth:`Runtime.run`.

        Raises:
            GraphError: no size has inputs of these shapes.
        """
        runtime = self.runtimes.get(kind_of(inputs))
        if runtime is None:
            shown = ", ".join(f"{name} {array.shape}" for name, array in inputs.items())
            raise GraphError(f"none of the {len(self.runtimes)} profiles takes {shown}")
        return answers(runtime, inputs)


class Unopened:
    """Stands for the runtime of a profile that no picture goes to."""

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Raises GraphError: a picture came."""
        raise GraphError("a picture of a profile that is not open")
