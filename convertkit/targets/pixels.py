"""An image input that the target normalises itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convertkit.detection.settings import PreprocessSpec


@dataclass(frozen=True)
class Pixels:
    """What a target has to do with the bytes of an image before its graph, where the spec says ``normalize: target``.

    The graph that passes see and the compiler gets keeps its ``(1, 3, height, width)`` floating input. The artifact
    and the target's emulations take ``(1, height, width, 3) uint8`` BGR under the same name.

    Attributes:
        input: name of the graph input.
        size: its height and width in pixels.
        spec: mean, std and channel order.
    """

    input: str
    size: tuple[int, int]
    spec: PreprocessSpec
