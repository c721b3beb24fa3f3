"""The domain of the detection heads: what finds them writes its operators, and what a target has instead it lowers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.graph.domains import Domain

if TYPE_CHECKING:
    from convertkit.graph.light import LightModel

HEADS = "convertkit.heads"

INDICES = {"MulticlassNms": (2, 3)}
"""Its classes and its counts of boxes."""


def register_schemas() -> None:
    """Makes onnx know both operators."""
    from convertkit.heads.nms import MULTICLASS_NMS
    from convertkit.heads.roi import MULTILEVEL_ROI_ALIGN
    from convertkit.heads.schema import register

    register((MULTICLASS_NMS, MULTILEVEL_ROI_ALIGN), HEADS)


def lower(model: LightModel) -> LightModel:
    """The graph with every head in standard ONNX."""
    from convertkit.heads.lowering.lower import lower

    return lower(model)


DOMAIN = Domain(HEADS, register_schemas, lower, indices=INDICES)
