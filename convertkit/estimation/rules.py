"""The cost of standard ONNX operators by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from convertkit.estimation import matrix, moves, vector
from convertkit.graph.costs import Cost, Operation

Rule = Callable[[Operation], Cost]

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
