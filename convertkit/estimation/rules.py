"""The cost of standard ONNX operators, and of detection heads, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from convertkit.estimation import matrix, moves, vector
from convertkit.graph.costs import Cost, Operation

Rule = Callable[[Operation], Cost]

HEAD_RULES: Mapping[str, Rule] = {"MulticlassNms": vector.nms, "MultilevelRoiAlign": vector.roi_align}

RULES: Mapping[str, Rule] = {
    "Conv": matrix.conv,
    "ConvTranspose": matrix.conv_transpose,
    "Gemm": matrix.gemm,
    "MatMul": matrix.matmul,
    "AveragePool": vector.pool,
    "MaxPool": vector.pool,
    "NonMaxSuppression": vector.nms,
    "Resize": vector.resize,
    "RoiAlign": vector.roi_align,
    **dict.fromkeys(vector.PER_ELEMENT, vector.elementwise),
    **dict.fromkeys(vector.REDUCING, vector.reduction),
    **dict.fromkeys(moves.VIEWS | moves.KNOWN, moves.free),
    **dict.fromkeys(moves.COPYING, moves.copy),
    **dict.fromkeys(moves.PICKING, moves.pick),
}


def head_cost(node: Operation) -> Cost | None:
    """The cost of an operator of ``convertkit.heads``; None for one without an entry."""
    rule = HEAD_RULES.get(node.op)
    return None if rule is None else rule(node)
