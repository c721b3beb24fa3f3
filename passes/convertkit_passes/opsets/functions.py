"""ONNX's own definition of an operator by others: LayerNormalization, Gelu, Mish, HardSwish, CastLike and more."""

from __future__ import annotations

from typing import Any

import onnx
import onnx.inliner

from convertkit_passes.opsets.alone import alone, spliced
from convertkit_passes.opsets.types import Refused, Scope


def body_opset(of: Any, opset: int) -> int | None:
    """The opset that the nodes of an operator's definition are of; None where there is none up to ``opset``."""
    versions = {*of.function_opset_versions, *of.context_dependent_function_opset_versions}
    return max((version for version in versions if version <= opset), default=None)


def expanded(node: onnx.NodeProto, scope: Scope, opset: int) -> list[onnx.NodeProto]:
    """The definition in place of a node, in operators of :func:`body_opset`.

    Raises:
        Refused: it has none for these types.
    """
    model = alone(node, scope, opset)
    del model.graph.initializer[:]
    defined = [("", node.op_type), ("", "CastLike")]  # which chips do not have, and says no more than Cast
    made = onnx.inliner.inline_selected_functions(model, defined, inline_schema_functions=True)
    if any(item.op_type == node.op_type for item in made.graph.node):
        raise Refused("ONNX does not define it by other operators for these types")
    return spliced(made, node, scope)
