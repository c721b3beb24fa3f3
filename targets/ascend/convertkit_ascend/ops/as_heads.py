"""A vendor operator is a head operator with the vendor's switches, in each semantics that is computed in fp32."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from convertkit.api import heads

if TYPE_CHECKING:
    from convertkit.api.heads import Inputs, Outputs, Values

Executable: TypeAlias = Literal["framework", "ideal"]

SMALLEST_UNION = 1e-12
"""Of the vendor's golden model (ascend-facts: nms-golden)."""


def roi_align(attributes: Values, semantics: Executable) -> Values:
    """MultilevelRoiAlign for the attributes of a RoiExtractor, complete."""
    square = semantics == "ideal"
    return {
        "finest_scale": attributes["finest_scale"],
        "spatial_scale": list(attributes["spatial_scale"]),
        "output_height": attributes["pooled_height"],
        "output_width": attributes["pooled_height" if square else "pooled_width"],
        "sampling_ratio": attributes["sample_num"],
        "aligned": attributes["aligned"],
        "at_bound": "down" if square else "up",
        "clamp": int(square or not attributes["aligned"]),
    }


def multiclass_nms(attributes: Values, semantics: Executable) -> Values:
    """MulticlassNms for the attributes of a BatchMultiClassNMS."""
    if semantics == "framework":
        return attributes
    return {**attributes, "ties": "class", "drop_empty": 1, "smallest_union": SMALLEST_UNION}


AS_HEADS: Mapping[str, tuple[str, Callable[[Values, Executable], Values]]] = {
    "RoiExtractor": ("MultilevelRoiAlign", roi_align),
    "BatchMultiClassNMS": ("MulticlassNms", multiclass_nms),
}


def computes(name: str, semantics: Executable) -> Callable[[Inputs, Values], Outputs]:
    """What a vendor operator computes in one of the semantics."""

    def compute(inputs: Inputs, attributes: Values) -> Outputs:
        known = {item.name: item for item in (heads.MULTILEVEL_ROI_ALIGN, heads.MULTICLASS_NMS)}
        head, translate = AS_HEADS[name]
        return known[head].compute(inputs, translate(attributes, semantics))

    return compute
