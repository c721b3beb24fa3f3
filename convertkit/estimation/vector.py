"""Operators of vector units: operations per element, counted low.

Every instruction on one element is one operation, ``exp`` and a division too: what they really take is the machine's
affair, and an estimate that claims to be a bound must not guess high.
"""

from __future__ import annotations

import math

from convertkit.graph.costs import Cost, Operation

PER_ELEMENT = {
    "Abs": 1, "Add": 1, "And": 1, "Cast": 1, "Ceil": 1, "Clip": 2, "Cos": 1, "CumSum": 1, "Div": 1, "Elu": 3,
    "Equal": 1, "Erf": 1, "Exp": 1, "Floor": 1, "Greater": 1, "GreaterOrEqual": 1, "HardSigmoid": 3, "HardSwish": 4,
    "LeakyRelu": 2,
    "Less": 1, "LessOrEqual": 1, "Log": 1, "LogSoftmax": 5, "Max": 1, "Min": 1, "Mod": 1, "Mul": 1, "Neg": 1,
    "Not": 1, "Or": 1, "PRelu": 2, "Pow": 1, "Reciprocal": 1, "Relu": 1, "Round": 1, "Sigmoid": 4, "Sign": 1,
    "Sin": 1, "Softmax": 5, "Softplus": 3, "Sqrt": 1, "Sub": 1, "Sum": 1, "Tanh": 1, "Where": 1, "Xor": 1,
    "BatchNormalization": 2, "InstanceNormalization": 5, "LayerNormalization": 5,
}  # fmt: skip
"""Operations per element of the output."""

REDUCING = frozenset(
    {
        "ArgMax", "ArgMin", "GlobalAveragePool", "GlobalMaxPool", "ReduceL1", "ReduceL2", "ReduceMax", "ReduceMean",
        "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "TopK",
    }
)  # fmt: skip
"""Every input element is looked at once."""

BILINEAR = 8
"""Operations of one bilinear sample: four products with four weights, added up and added to the bin."""


def elementwise(node: Operation) -> Cost:
    """As :data:`PER_ELEMENT`."""
    operands = (
        max(sum(item is not None for item in node.inputs) - 1, 1) if node.op in ("Max", "Min", "Sum") else 1
    )
    return _cost(node, PER_ELEMENT[node.op] * operands * node.outputs[0].elements)


def reduction(node: Operation) -> Cost:
    """One operation per element of the input."""
    return _cost(node, node.operand(0).elements)


def pool(node: Operation) -> Cost:
    """``MaxPool``, ``AveragePool``: one operation per output element and place of the kernel."""
    return _cost(node, node.outputs[0].elements * math.prod(node.attributes["kernel_shape"]))


def resize(node: Operation) -> Cost:
    """``Resize``: nearest only moves values; linear is one bilinear sample each."""
    if node.attributes.get("mode", "nearest") == "nearest":
        return Cost("none", 0, node.operand(0).bytes, node.writes)
    return Cost("vector", BILINEAR * node.outputs[0].elements, node.operand(0).bytes, node.writes)


def roi_align(node: Operation) -> Cost:
    """``RoiAlign`` of one level or many: ``sampling_ratio`` squared bilinear samples per bin; 0 lets the RoI's size
    decide: at least one. A sample touches four places of one level, and no more is read than all levels hold."""
    ratio = node.attributes.get("sampling_ratio", 0)
    samples = node.outputs[0].elements * max(ratio, 1) ** 2
    levels = [item for item in node.inputs if item is not None and len(item.shape) == 4]
    held = sum(item.bytes for item in levels)
    reads = node.reads - held + min(held, 4 * samples * node.operand(0).item_bytes)
    left_out = "" if ratio else "RoI sampling beyond one sample per bin"
    return Cost("vector", BILINEAR * samples, reads, node.writes, left_out)


def nms(node: Operation) -> Cost:
    """Any NMS: one comparison per score; how many overlaps are computed depends on the boxes."""
    return Cost("vector", node.operand(1).elements, node.reads, node.writes, "overlaps computed in NMS")


def _cost(node: Operation, operations: int) -> Cost:
    return Cost("vector", operations, node.reads, node.writes)
