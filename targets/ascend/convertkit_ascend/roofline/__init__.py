"""What ``convertkit estimate`` asks of Ascend: the chip's peaks, and the costs of the vendor operators."""

from __future__ import annotations

from dataclasses import replace

from convertkit.api import graphs, heads
from convertkit_ascend import ops
from convertkit_ascend.ops.as_heads import AS_HEADS
from convertkit_ascend.roofline.peaks import machine

__all__ = ["cost", "machine"]


def cost(node: graphs.Operation) -> graphs.Cost | None:
    """What the heads cost that the vendor operators are; None for another operator.

    ``sample_num`` is the head's ``sampling_ratio``: 0 lets the RoI's size decide (ascend-facts: roi-bins).
    """
    if node.op not in AS_HEADS:
        return None
    head, translate = AS_HEADS[node.op]
    values = translate(ops.get(node.op).complete(node.attributes), "ideal")
    return heads.head_cost(replace(node, op=head, attributes=values))
