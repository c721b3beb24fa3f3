"""Detection heads: their operators, where they are in a graph, and what an operator of a vendor has of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convertkit.api._door import door

if TYPE_CHECKING:
    from convertkit.estimation.rules import head_cost as head_cost
    from convertkit.heads.domain import DOMAIN as DOMAIN
    from convertkit.heads.domain import HEADS as HEADS
    from convertkit.heads.inference import Node as Node
    from convertkit.heads.lowering.lower import OPSETS as OPSETS
    from convertkit.heads.lowering.lower import lower as lower
    from convertkit.heads.nms import MULTICLASS_NMS as MULTICLASS_NMS
    from convertkit.heads.nms_inputs import Found as Found
    from convertkit.heads.nms_inputs import ImageInputs as ImageInputs
    from convertkit.heads.nms_inputs import Options as Options
    from convertkit.heads.nms_inputs import by_image as by_image
    from convertkit.heads.nms_inputs import outputs as outputs
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
else:
    __getattr__, __dir__, __all__ = door(__name__, __file__)
