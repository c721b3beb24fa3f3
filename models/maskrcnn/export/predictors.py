"""The prediction layers of a dense head, found by data flow, and what to make each of them predict.

A dense head (RPN, RetinaNet, FCOS, ATSS, SSD ...) returns class logits, box regressions and, in some, a factor for
each score, each a list by level. What a head calls its layers differs; which layer an output comes from does not.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    #: Standard deviation and mean of a prediction over the calibration images.
    Target = tuple[float, float]

OBJECTNESS = (1.5, -1.0)
#: Sigmoid scores of 80 classes at thousands of places: focal loss starts at a probability of 0.01, a logit of -4.6.
SIGMOID_LOGITS = (1.2, -4.6)
SOFTMAX_LOGITS = (0.7, 0.0)
ANCHOR_DELTAS = (0.25, 0.0)
#: Natural logarithm of a distance in pixels: 30 pixels from the point to each side.
LOG_DISTANCES = (0.5, 3.4)
#: Distances in strides, or in priors; negative ones are clipped.
RELATIVE_DISTANCES = (0.5, 2.0)
SCORE_FACTORS = (1.0, 1.0)
#: YOLO predicts offsets, sizes, objectness and classes by one layer; a product of two of its scores is a score.
MIXED = (0.4, 0.0)


@dataclass(frozen=True)
class Predictor:
    """A convolution and what each channel of its output should be like."""

    layer: nn.Module
    target: Target


def predictors(head: Any, features: tuple[Tensor, ...]) -> list[Predictor]:
    """List the prediction layers of ``head``, each once, those of class logits first.

    Corner and transformer heads predict other things and keep mmdet's own initial weights: they have none.
    """
    if _is(head, "CornerHead", "DETRHead"):
        return []
    owners = {
        id(layer.weight): layer for layer in head.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))
    }
    with torch.enable_grad():
        outputs = head(features)
    found: dict[int, Predictor] = {}
    for levels, target in zip(outputs, _targets(head, len(outputs))):
        for level in levels:
            layer = owners[id(_nearest_weight(level, owners))]
            found.setdefault(id(layer), Predictor(layer, target))
    return list(found.values())


def _targets(head: Any, outputs: int) -> tuple[Target, ...]:
    """One target for each output of a dense head."""
    if outputs == 1:
        return (MIXED,)
    if _is(head, "RPNHead"):
        return OBJECTNESS, ANCHOR_DELTAS
    logits = SIGMOID_LOGITS if head.use_sigmoid_cls else SOFTMAX_LOGITS
    return (logits, _regression(head), SCORE_FACTORS)[:outputs]


def _regression(head: Any) -> Target:
    """What the box layer of a head predicts, by its box coder."""
    coder = getattr(head, "bbox_coder", None)  # YOLOX has none: offsets and logarithms of sizes, in strides
    if _is(coder, "DeltaXYWHBBoxCoder"):
        return ANCHOR_DELTAS
    # FCOS takes the exponential of its prediction unless it is told to use strides as units.
    if _is(coder, "DistancePointBBoxCoder") and not getattr(head, "norm_on_bbox", False):
        return LOG_DISTANCES
    return RELATIVE_DISTANCES


def _is(part: Any, *names: str) -> bool:
    """Whether it is of a class of mmdet with one of these names; not every version has them all."""
    return any(kind.__name__ in names for kind in type(part).__mro__)


def _nearest_weight(output: Tensor, owners: dict[int, nn.Module]) -> Tensor:
    """Walk the autograd graph backwards, nearest operations first, to the weight of a layer."""
    waiting: deque[Any] = deque([output.grad_fn])
    while waiting:
        operation = waiting.popleft()
        weight = getattr(operation, "variable", None)
        if weight is not None and id(weight) in owners:
            found: Tensor = weight
            return found
        waiting.extend(source for source, _ in operation.next_functions if source is not None)
    raise LookupError("an output of the head comes from no convolution")
