"""The vendor operators: ONNX schemas, limits, and three executable semantics for each.

``framework`` is what mmdet computes in fp32, ``ideal`` what the operator is defined to compute in fp32, ``device`` the
310P kernel as far as its source tells. Inside the pipeline the operators live in :data:`DOMAIN`; after
:func:`register_schemas` onnx checks graphs with them and infers their shapes.
"""

from __future__ import annotations

from convertkit.api.heads import VERSION
from convertkit_ascend.ops import registry
from convertkit_ascend.ops.nms import BATCH_MULTI_CLASS_NMS
from convertkit_ascend.ops.registry import DOMAIN, add, get, names, register_schemas
from convertkit_ascend.ops.roi_extractor import ROI_EXTRACTOR
from convertkit_ascend.ops.vendor_op import OPSETS, Attribute, Fault, Semantics, VendorOp

add(BATCH_MULTI_CLASS_NMS)
add(ROI_EXTRACTOR)

__all__ = [
    "BATCH_MULTI_CLASS_NMS",
    "DOMAIN",
    "OPSETS",
    "ROI_EXTRACTOR",
    "VERSION",
    "Attribute",
    "Fault",
    "Semantics",
    "VendorOp",
    "add",
    "get",
    "names",
    "register_schemas",
    "registry",
]
