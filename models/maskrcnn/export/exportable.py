"""Which detectors mmdet can export: those whose ONNX code says the same as their test code.

mmdet 2.28.2 gives ``onnx_export`` to its base classes, so nearly every detector inherits one, also where a
subclass computes its detections otherwise (GFL, PAA, HTC, Mask Scoring ...): the graph would be valid and wrong.
The rule here: below the class that brings ``onnx_export``, no class may bring test code of its own. A head whose test
code :mod:`export.best_class` traces counts as one that brings it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn

from .best_class import HEADS as TRACED
from .errors import JobError

#: Parts of a detector that take part in its export; in a cascade each is a list of stages.
HEADS = ("rpn_head", "roi_head", "bbox_head", "mask_head")
#: Methods in which a detector or head turns what its layers predict into detections.
TEST_CODE = (
    "simple_test",
    "simple_test_rpn",
    "simple_test_bboxes",
    "simple_test_mask",
    "get_bboxes",
    "_bboxes_nms",
    "_bbox_decode",
    "_get_bboxes_single",
    "_bbox_post_process",
    "get_seg_masks",
)
#: Classes whose ``onnx_export`` only raises NotImplementedError.
REFUSING = ("BaseDetector", "BaseMaskHead", "MaskFormer")
HINT = "mmdet exports, among others, Faster, Mask and Cascade R-CNN, RetinaNet, FCOS, ATSS, SSD, YOLOv3 and YOLOX"


def check_exportable(model: nn.Module, config: str) -> None:
    """Refuse a detector that mmdet cannot export, or would export as another one.

    Raises:
        JobError: it names ``config`` (for people) and the class that stands in the way.
    """
    if hasattr(model, "roi_head") and not getattr(model, "with_rpn", False):
        raise JobError(f"config {config!r} has no ONNX export: it takes its proposals as an input", HINT)
    for part in _parts(model):
        name = type(part).__name__
        source = _traced(type(part)) or _definer(type(part), "onnx_export")
        if source is None or source.__name__ in REFUSING:
            raise JobError(f"config {config!r} has no ONNX export: mmdet's {name} brings none", HINT)
        own = _own_test_code(type(part), source)
        if own:
            raise JobError(
                f"config {config!r} has no ONNX export: mmdet's {name} detects with its own {own},"
                f" and inherits the export of {source.__name__}",
                HINT,
            )


def _parts(model: nn.Module) -> Iterator[nn.Module]:
    """The detector and its heads, stage by stage."""
    yield model
    for path, module in model.named_modules():
        names = [name for name in path.split(".") if not name.isdigit()]
        if names and names[-1] in HEADS and not isinstance(module, nn.ModuleList):
            yield module


def _traced(kind: type[Any]) -> type[Any] | None:
    """The class whose test code is traced as it is."""
    return next((ancestor for ancestor in kind.__mro__ if ancestor.__name__ in TRACED), None)


def _definer(kind: type[Any], method: str) -> type[Any] | None:
    """The class from which ``kind`` has a method."""
    return next((ancestor for ancestor in kind.__mro__ if method in vars(ancestor)), None)


def _own_test_code(kind: type[Any], source: type[Any]) -> str | None:
    """The first method of test code that a class below ``source`` brings."""
    below = kind.__mro__[: kind.__mro__.index(source)]
    return next((name for ancestor in below for name in TEST_CODE if name in vars(ancestor)), None)
