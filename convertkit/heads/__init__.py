"""Detection heads as operators: found once by the passes, lowered by every target to what it has.

A part of the public door: plugins take the names below from here. They are loaded on first use, as those of the door.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_NAMES = {
    "domain": "DOMAIN HEADS",
    "overlap": "Indices Mask Rows Test by_score greedy",
    "inference": "Node",
    "lowering.lower": "OPSETS lower",
    "nms": "MULTICLASS_NMS",
    "nms_inputs": "Found Options Picture outputs pictures",
    "nodes": "Nms Refused annotated canvas head_of name_of sized unsized",
    "operator": "Attribute Formal Inputs Operator Outputs Shape Values",
    "roi": "MULTILEVEL_ROI_ALIGN arrays infer_bins pool_by",
    "roi_levels": "NONE above scale",
    "schema": "VERSION register",
}
"""What each module has for plugins."""

_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}

if TYPE_CHECKING:
    from convertkit.heads.domain import DOMAIN as DOMAIN
    from convertkit.heads.domain import HEADS as HEADS
    from convertkit.heads.inference import Node as Node
    from convertkit.heads.lowering.lower import OPSETS as OPSETS
    from convertkit.heads.lowering.lower import lower as lower
    from convertkit.heads.nms import MULTICLASS_NMS as MULTICLASS_NMS
    from convertkit.heads.nms_inputs import Found as Found
    from convertkit.heads.nms_inputs import Options as Options
    from convertkit.heads.nms_inputs import Picture as Picture
    from convertkit.heads.nms_inputs import outputs as outputs
    from convertkit.heads.nms_inputs import pictures as pictures
    from convertkit.heads.nodes import Nms as Nms
    from convertkit.heads.nodes import Refused as Refused
    from convertkit.heads.nodes import annotated as annotated
    from convertkit.heads.nodes import canvas as canvas
    from convertkit.heads.nodes import head_of as head_of
    from convertkit.heads.nodes import name_of as name_of
    from convertkit.heads.nodes import sized as sized
    from convertkit.heads.nodes import unsized as unsized
    from convertkit.heads.operator import Attribute as Attribute
    from convertkit.heads.operator import Formal as Formal
    from convertkit.heads.operator import Inputs as Inputs
    from convertkit.heads.operator import Operator as Operator
    from convertkit.heads.operator import Outputs as Outputs
    from convertkit.heads.operator import Shape as Shape
    from convertkit.heads.operator import Values as Values
    from convertkit.heads.overlap import Indices as Indices
    from convertkit.heads.overlap import Mask as Mask
    from convertkit.heads.overlap import Rows as Rows
    from convertkit.heads.overlap import Test as Test
    from convertkit.heads.overlap import by_score as by_score
    from convertkit.heads.overlap import greedy as greedy
    from convertkit.heads.roi import MULTILEVEL_ROI_ALIGN as MULTILEVEL_ROI_ALIGN
    from convertkit.heads.roi import arrays as arrays
    from convertkit.heads.roi import infer_bins as infer_bins
    from convertkit.heads.roi import pool_by as pool_by
    from convertkit.heads.roi_levels import NONE as NONE
    from convertkit.heads.roi_levels import above as above
    from convertkit.heads.roi_levels import scale as scale
    from convertkit.heads.schema import VERSION as VERSION
    from convertkit.heads.schema import register as register

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'convertkit.heads' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"convertkit.heads.{home}"), name)
    globals()[name] = value
    return value
